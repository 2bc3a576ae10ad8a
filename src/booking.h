/*
 * booking.h
 *		What a call does to one account: planned in memory, then written at once.
 *
 * A call takes the account and plans: it draws on credits, gives back to them,
 * makes entries, changes holds.  The plan changes the Booking only; the
 * functions here keep its account, credits and entries consistent with each
 * other.  Then the plan is written, the account first.  If somebody changed the
 * account since it was taken, nothing is written, and the call plans anew.
 */
#ifndef STORECREDIT_BOOKING_H
#define STORECREDIT_BOOKING_H

#include "postgres.h"

#include "nodes/pg_list.h"

#include "errors.h"
#include "store.h"

/* A credit with something left, or that had something left before. */
typedef struct PlannedCredit
{
	OpenCredit	credit;			/* as planned */
	int64		stored;			/* remaining as stored; 0 if it has no row */
} PlannedCredit;

typedef struct PlannedHold
{
	Hold	   *hold;
	bool		is_new;
} PlannedHold;

typedef struct Booking
{
	LedgerStore *store;
	bool		exists;			/* the account does; else it is to be opened */
	bool		opened;			/* it was tried to */
	Account		account;		/* as planned */
	TimestampTz now;
	TimestampTz as_of;			/* what has expired is judged by it: now, or earlier while catching up */

	/* Open credits in the order in which they are drawn on, as far as they have been read. */
	PlannedCredit *credits;
	int			credit_count;
	int			credit_room;
	int			next_credit;	/* all before it have nothing left */
	bool		scan_is_open;	/* there may be more to read */
	bool		scan_is_done;
	int			sorted_count;	/* the others were added, and wait to be put in their place */
	int64		open;			/* what is left in all credits, read or not */

	int			expired_count;	/* credits booked as expired by catch_up() */

	Entry	   *entries;
	int			entry_count;
	int			entry_room;
	Datum	   *rows;			/* of the entries, once they are written */
	bool		notify;			/* some entry has it set */

	List	   *holds;			/* of PlannedHold */
} Booking;

extern void open_booking(Booking *booking, bool for_update);
extern void close_booking(Booking *booking);

/*
 * Takes the account as it is now, forgets all that was planned, and reads the
 * clock; false, and an empty account of the owner, if it does not exist.
 */
extern bool take_account(Booking *booking, const AccountRef *ref);

/*
 * Frees the holds whose end has come and books the credits that have expired, in
 * the order in which that was: what comes of it does not depend on when it is
 * booked.
 */
extern void catch_up(Booking *booking);

/* Books the credits that had expired by booking->as_of. */
extern void book_expired_credits(Booking *booking);

/* Below zero if debits draw on a before b. */
extern int	compare_credits(const OpenCredit *a, const OpenCredit *b);

/* Adds the next of the account's credits, which is known already: others will not be read. */
extern void add_known_credit(Booking *booking, const OpenCredit *credit);

/* What can be spent: balance less held plus the credit line; after catch_up(). */
extern int64 available(const Booking *booking);

/* What has been drawn from the credit line. */
extern int64 overdrawn(const Booking *booking);

/* An entry of the given effect on the balance, at the end of the history so far. */
extern Entry *make_entry(Booking *booking, const char *kind, int64 amount, const Annotation *annotation);

/* Takes money from the credits, the first to expire first; what they do not have, the credit line gives. */
extern void draw(Booking *booking, int64 minor, Draws *draws);

/* What is left of a credit, planned and read so far or not; NULL if nothing is. */
extern PlannedCredit *find_credit(Booking *booking, int64 seq);

/* Adds a credit that is new. */
extern void add_new_credit(Booking *booking, int64 seq, TimestampTz expires_at, int64 minor);

/* Gives money to a credit, which may have nothing left now. */
extern void give(Booking *booking, int64 seq, TimestampTz expires_at, int64 minor);

extern void plan_hold(Booking *booking, Hold *hold, bool is_new);

/* What the account owns beyond what is held: as much must be left in its credits. */
extern int64 owned(const Booking *booking);

/* False if the account was changed by somebody since it was taken. */
extern bool write_booking(Booking *booking);

extern char *minor_to_cstring(const Booking *booking, int64 minor);

/* Of what the ledger books by itself. */
extern const Annotation *system_annotation(void);

#endif							/* STORECREDIT_BOOKING_H */
