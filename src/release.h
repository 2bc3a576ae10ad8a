/*
 * release.h
 *		Giving money back to the credits that it was drawn from.
 */
#ifndef STORECREDIT_RELEASE_H
#define STORECREDIT_RELEASE_H

#include "postgres.h"

#include "booking.h"
#include "storecredit.h"

/*
 * Gives money back to the credits that it was drawn from, the last drawn first,
 * after leaving out so much that was given back before.  Adds what each credit
 * got to *given.
 */
extern LedgerError *give_back(Booking *booking, const Draws *draws, int64 leave_out, int64 minor,
							  ExpiredRule rule, Draws *given);

/*
 * To be called when money came to credits or stopped being held: money in credits
 * pays back what is drawn from the credit line.  And what the credit line had
 * given, and was paid back for, goes to those who paid if it is given back now.
 * Both are noted as draws, in the last entry if it is given, or in one of its own.
 */
extern void repay_credit_line(Booking *booking, Entry *entry);

/* Closes a hold: what it still holds goes back to its credits. */
extern LedgerError *release_hold(Booking *booking, Hold *hold, const char *status, ExpiredRule rule);

extern void release_overdue_holds(Booking *booking);

/* When a credit expires, its later edits counted; the credit must exist. */
extern TimestampTz credit_expiry(Booking *booking, int64 seq);

extern int64 sum_of_draws(const Draws *draws);

#endif							/* STORECREDIT_RELEASE_H */
