/*
 * remind.h
 *		Reminders of credits that are about to expire.
 */
#ifndef STORECREDIT_REMIND_H
#define STORECREDIT_REMIND_H

#include "postgres.h"

#include "datatype/timestamp.h"

/*
 * Writes the reminders that are due, at most so many, into the outbox, beginning
 * with the credits that expire at *from or later; DT_NOBEGIN for all.  Sets *from
 * to where to go on.  Returns how many were due; *written is less where another
 * session has written some meanwhile.
 */
extern int64 remind_of_credits(int64 max_credits, TimestampTz *from, int64 *written);

/* Forgets reminders of what has expired, at most so many; returns how many. */
extern uint64 forget_reminders(int64 max_credits);

#endif							/* STORECREDIT_REMIND_H */
