/*
 * expire.h
 *		The sweep: booking what has expired, whoever drives it.
 */
#ifndef STORECREDIT_EXPIRE_H
#define STORECREDIT_EXPIRE_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "nodes/pg_list.h"

typedef struct SweepCount
{
	int64		credits;		/* that expired */
	int64		holds;			/* that ended */
} SweepCount;

/* At about max_credits credits and holds it stops. */
extern SweepCount expire_credits(int64 max_credits);

/*
 * The same, but each account in a subtransaction of its own: one that fails does
 * not keep the others from being booked.
 */
typedef struct FailedAccount
{
	int64		account_id;
	ErrorData  *error;
} FailedAccount;

/* Leaves out the accounts that are in the list of FailedAccount, and adds to it in the caller's memory context. */
extern SweepCount expire_one_by_one(int64 max_credits, List **failed);

/* When the next credit or hold ends, after an instant; by the shop's clock, DT_NOEND for never. */
extern TimestampTz find_next_due(TimestampTz after);

/* How many credits and holds have ended and are not booked. */
extern int64 count_overdue(TimestampTz now);

#endif							/* STORECREDIT_EXPIRE_H */
