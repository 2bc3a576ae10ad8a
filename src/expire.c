/*
 * expire.c
 *		The sweep: booking what has expired, whoever drives it.
 *
 * What is due is looked up first, in the order of expiry, and only tells which
 * accounts to look at.  Each of these is then taken like for any call, and what
 * is overdue there is booked by what the account shows then.  Accounts that
 * others have are left out: a sweep never waits, and what it leaves is booked by
 * whoever has them or by the next one.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "booking.h"
#include "expire.h"
#include "statement.h"
#include "storecredit.h"

static Statement select_due_holds = {
	.sql = "SELECT account_id FROM storecredit.hold"
	" WHERE closed_at IS NULL AND expires_at OPERATOR(pg_catalog.<=) $1"
	" ORDER BY expires_at, account_id",
	.nargs = 1, .argtypes = {TIMESTAMPTZOID}
};

typedef struct Sweep
{
	Booking		booking;
	MemoryContext context;		/* of one account at a time */
	HTAB	   *seen;			/* accounts, booked or left out */
	int64		max_credits;
	int64		done;
} Sweep;

static void
read_account_id(HeapTuple row, TupleDesc desc, void *result)
{
	List	  **accounts = result;
	int64	   *account_id = palloc(sizeof(int64));
	bool		isnull;

	*account_id = DatumGetInt64(SPI_getbinval(row, desc, 1, &isnull));
	*accounts = lappend(*accounts, account_id);
}

/* False if it could not be written. */
static bool
attempt_account(Sweep *sweep, int64 account_id)
{
	Booking    *booking = &sweep->booking;
	AccountRef	ref = {.account_id = account_id};

	if (!take_account(booking, &ref))
		return true;
	catch_up(booking);
	if (booking->entry_count == 0 && booking->holds == NIL)
		return true;
	if (!write_booking(booking))
		return false;
	sweep->done += booking->expired_count + list_length(booking->holds);
	return true;
}

/*
 * Twice at most: an account that only this transaction has locked, or those who
 * refer to it, is ours once it could not be written.
 */
static void
expire_account(Sweep *sweep, int64 account_id)
{
	MemoryContext caller = MemoryContextSwitchTo(sweep->context);
	bool		seen;

	hash_search(sweep->seen, &account_id, HASH_ENTER, &seen);
	if (!seen && !attempt_account(sweep, account_id))
		(void) attempt_account(sweep, account_id);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(sweep->context);
}

static void
sweep_holds(Sweep *sweep, TimestampTz now)
{
	Datum		values[] = {TimestampTzGetDatum(now)};
	List	   *accounts = NIL;
	ListCell   *cell;

	run_query(&select_due_holds, values, true, read_account_id, &accounts);
	foreach(cell, accounts)
	{
		if (sweep->done >= sweep->max_credits)
			break;
		CHECK_FOR_INTERRUPTS();
		expire_account(sweep, *(int64 *) lfirst(cell));
	}
}

static void
sweep_credits(Sweep *sweep, TimestampTz now)
{
	LedgerStore *store = sweep->booking.store;
	int64		account_id;

	store->begin_due(store, now);
	while (sweep->done < sweep->max_credits && store->next_due(store, &account_id))
	{
		CHECK_FOR_INTERRUPTS();
		expire_account(sweep, account_id);
	}
	store->end_due(store);
}

int64
expire_credits(int64 max_credits)
{
	HASHCTL		hash_control = {.keysize = sizeof(int64), .entrysize = sizeof(int64)};
	Sweep		sweep = {.max_credits = max_credits};
	TimestampTz now = shop_clock();

	hash_control.hcxt = CurrentMemoryContext;
	sweep.context = AllocSetContextCreate(CurrentMemoryContext, "sweep of an account", ALLOCSET_DEFAULT_SIZES);
	sweep.seen = hash_create("accounts swept", 1024, &hash_control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	open_booking(&sweep.booking, true);
	sweep.booking.store->sweeps = true;
	sweep.booking.store->result_context = sweep.context;
	sweep_holds(&sweep, now);
	sweep_credits(&sweep, now);
	close_booking(&sweep.booking);
	MemoryContextDelete(sweep.context);
	return sweep.done;
}
