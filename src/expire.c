/*
 * expire.c
 *		The sweep: booking what has expired, whoever drives it.
 *
 * What is due is looked up first, in the order of expiry, holds before credits.
 * The accounts that it belongs to are then taken like for any call, and what is
 * booked is what they show then.  Accounts that others have are left out: a sweep
 * never waits, and what it leaves is booked by whoever has them or by the next
 * one.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "attempt.h"
#include "booking.h"
#include "expire.h"
#include "statement.h"
#include "storecredit.h"

static Statement select_due_holds = {
	.sql = "SELECT expires_at, account_id FROM storecredit.hold"
	" WHERE closed_at IS NULL AND (expires_at, account_id) OPERATOR(pg_catalog.>) ($2, $3)"
	" AND expires_at OPERATOR(pg_catalog.<=) $1"
	" ORDER BY expires_at, account_id LIMIT $4",
	.nargs = 4, .argtypes = {TIMESTAMPTZOID, TIMESTAMPTZOID, INT8OID, INT8OID}
};

static Statement select_next_due = {
	.sql = "SELECT LEAST("
	"(SELECT pg_catalog.min(expires_at) FROM storecredit.open_credit"
	" WHERE expires_at OPERATOR(pg_catalog.>) $1 AND expires_at OPERATOR(pg_catalog.<) 'infinity'),"
	"(SELECT pg_catalog.min(expires_at) FROM storecredit.hold"
	" WHERE closed_at IS NULL AND expires_at OPERATOR(pg_catalog.>) $1"
	" AND expires_at OPERATOR(pg_catalog.<) 'infinity'))",
	.nargs = 1, .argtypes = {TIMESTAMPTZOID}
};

static Statement select_overdue = {
	.sql = "SELECT (SELECT pg_catalog.count(*) FROM storecredit.open_credit"
	" WHERE expires_at OPERATOR(pg_catalog.<=) $1 AND expires_at OPERATOR(pg_catalog.<) 'infinity')"
	" OPERATOR(pg_catalog.+) (SELECT pg_catalog.count(*) FROM storecredit.hold"
	" WHERE closed_at IS NULL AND expires_at OPERATOR(pg_catalog.<=) $1)",
	.nargs = 1, .argtypes = {TIMESTAMPTZOID}
};

/*
 * Where this session's last sweep stopped because it had done enough: the next
 * one goes on from there.  Before it lie the index entries of what was swept,
 * which only a vacuum takes away; a backlog is swept in many small steps, and
 * each would have to pass them.  The next begins anew after one that came to the
 * end, or was rolled back; and the one that comes to the end does at once if
 * those before it left somebody out.
 */
typedef struct SweepPosition
{
	DuePosition holds;
	DuePosition credits;
	bool		left_out;		/* an account before it */
} SweepPosition;

#define BEGINNING	{{DT_NOBEGIN, PG_INT64_MIN}, {DT_NOBEGIN, PG_INT64_MIN}, false}

static const SweepPosition beginning = BEGINNING;
static SweepPosition position = BEGINNING;

/* So many due credits are looked up at once, or some more. */
#define CHUNK	1000

typedef struct Sweep
{
	Booking		booking;
	MemoryContext context;		/* of one account at a time */
	HTAB	   *seen;			/* accounts, booked or left out */
	DueCredit  *due;
	int			due_room;
	int64		max_credits;
	SweepCount	count;

	/* Where each account has a subtransaction of its own. */
	bool		one_by_one;
	MemoryContext failed_context;
	List	   *failed;			/* of FailedAccount */
} Sweep;

/* What of an account to book: the credits that are due, or count 0 and all that is. */
typedef struct SweptAccount
{
	Sweep	   *sweep;
	int64		account_id;
	const DueCredit *due;
	int			count;
} SweptAccount;

static int64
left_to_do(const Sweep *sweep)
{
	return sweep->max_credits - sweep->count.credits - sweep->count.holds;
}

static void
read_due_hold(HeapTuple row, TupleDesc desc, void *result)
{
	List	  **holds = result;
	DuePosition *due = palloc(sizeof(DuePosition));
	bool		isnull;

	due->expires_at = DatumGetTimestampTz(SPI_getbinval(row, desc, 1, &isnull));
	due->account_id = DatumGetInt64(SPI_getbinval(row, desc, 2, &isnull));
	*holds = lappend(*holds, due);
}

static void
plan_expiry(Booking *booking, const SweptAccount *swept)
{
	if (swept->count == 0 || booking->account.held > 0)
	{
		catch_up(booking);
		return;
	}
	for (int i = 0; i < swept->count && booking->store->due_is_exact; i++)
		add_known_credit(booking, &swept->due[i].credit);
	booking->as_of = swept->due[swept->count - 1].credit.expires_at;
	book_expired_credits(booking);
}

/* False if it could not be taken, or not be written. */
static bool
attempt_account(const SweptAccount *swept)
{
	Sweep	   *sweep = swept->sweep;
	Booking    *booking = &sweep->booking;
	AccountRef	ref = {.account_id = swept->account_id};

	if (!take_account(booking, &ref))
		return false;
	plan_expiry(booking, swept);
	if (booking->entry_count == 0 && booking->holds == NIL)
		return true;
	if (!write_booking(booking))
		return false;
	sweep->count.credits += booking->expired_count;
	sweep->count.holds += list_length(booking->holds);
	return true;
}

/*
 * Twice at most: an account that only this transaction has locked, or those who
 * refer to it, is ours once it could not be written.
 */
static void
take_and_expire(const SweptAccount *swept)
{
	if (!attempt_account(swept) && !attempt_account(swept))
		position.left_out = true;
}

static void
open_sweep_booking(Sweep *sweep)
{
	open_booking(&sweep->booking, true);
	sweep->booking.store->many_accounts = true;
	sweep->booking.store->skips_locked = true;
	sweep->booking.store->result_context = sweep->context;
}

/*
 * The store is opened within the subtransaction, which takes it along when it
 * fails.  It sees more than the one that looked up what is due.
 */
static void
open_and_expire(void *arg)
{
	const SweptAccount *swept = arg;
	Sweep	   *sweep = swept->sweep;

	MemoryContextSwitchTo(sweep->context);
	open_sweep_booking(sweep);
	sweep->booking.store->due_is_exact = false;
	take_and_expire(swept);
	close_booking(&sweep->booking);
}

static bool
has_failed(const Sweep *sweep, int64 account_id)
{
	ListCell   *cell;

	foreach(cell, sweep->failed)
	{
		if (((FailedAccount *) lfirst(cell))->account_id == account_id)
			return true;
	}
	return false;
}

/* The error has been copied to this context, too. */
static void
add_failure(Sweep *sweep, int64 account_id, ErrorData *error)
{
	MemoryContext caller = MemoryContextSwitchTo(sweep->failed_context);
	FailedAccount *failure = palloc(sizeof(FailedAccount));

	failure->account_id = account_id;
	failure->error = error;
	sweep->failed = lappend(sweep->failed, failure);
	MemoryContextSwitchTo(caller);
}

/* A cancelled query is not the account's fault. */
static void
expire_by_itself(SweptAccount *swept)
{
	Sweep	   *sweep = swept->sweep;
	SweepCount	before = sweep->count;
	Booking		scanning = sweep->booking;
	ErrorData  *error;

	if (has_failed(sweep, swept->account_id))
		return;
	MemoryContextSwitchTo(sweep->failed_context);
	error = attempt(open_and_expire, swept);
	MemoryContextSwitchTo(sweep->context);
	sweep->booking = scanning;
	if (error == NULL)
		return;
	sweep->count = before;
	if (error->sqlerrcode == ERRCODE_QUERY_CANCELED)
		ReThrowError(error);
	add_failure(sweep, swept->account_id, error);
}

static void
expire_account(Sweep *sweep, int64 account_id, const DueCredit *due, int count)
{
	SweptAccount swept = {.sweep = sweep, .account_id = account_id, .due = due, .count = count};
	MemoryContext caller = MemoryContextSwitchTo(sweep->context);
	bool		seen;

	CHECK_FOR_INTERRUPTS();
	hash_search(sweep->seen, &account_id, HASH_ENTER, &seen);
	if (!seen && sweep->one_by_one)
		expire_by_itself(&swept);
	else if (!seen)
		take_and_expire(&swept);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(sweep->context);
}

/* False if there are no more. */
static bool
sweep_some_holds(Sweep *sweep, TimestampTz now)
{
	int64		wanted = left_to_do(sweep);
	Datum		values[] = {
		TimestampTzGetDatum(now), TimestampTzGetDatum(position.holds.expires_at), Int64GetDatum(position.holds.account_id),
		Int64GetDatum(wanted)
	};
	List	   *holds = NIL;
	ListCell   *cell;

	run_query(&select_due_holds, values, true, read_due_hold, &holds);
	foreach(cell, holds)
	{
		if (left_to_do(sweep) <= 0)
			break;
		position.holds = *(DuePosition *) lfirst(cell);
		expire_account(sweep, position.holds.account_id, NULL, 0);
	}
	return list_length(holds) == wanted;
}

static int
compare_due_credits(const void *a, const void *b)
{
	const DueCredit *left = a;
	const DueCredit *right = b;

	if (left->account_id != right->account_id)
		return left->account_id < right->account_id ? -1 : 1;
	return compare_credits(&left->credit, &right->credit);
}

/* As many as are wanted, and those that expire in the last one's account together with it. */
static int
find_due_credits(Sweep *sweep, TimestampTz now, int wanted)
{
	LedgerStore *store = sweep->booking.store;
	DueCredit	found;
	int			count = 0;

	store->begin_due(store, &position.credits, now);
	while (store->next_due(store, &found))
	{
		if (count >= wanted && (found.account_id != position.credits.account_id ||
								found.credit.expires_at != position.credits.expires_at))
			break;
		position.credits.expires_at = found.credit.expires_at;
		position.credits.account_id = found.account_id;
		if (hash_search(sweep->seen, &found.account_id, HASH_FIND, NULL) != NULL)
			continue;
		if (count == sweep->due_room)
		{
			sweep->due_room *= 2;
			sweep->due = repalloc_huge(sweep->due, sweep->due_room * sizeof(DueCredit));
		}
		sweep->due[count++] = found;
	}
	store->end_due(store);
	return count;
}

/* By account, since then what is near on disk is used together.  False if there are no more. */
static bool
sweep_some_credits(Sweep *sweep, TimestampTz now)
{
	int			wanted = Min(left_to_do(sweep), CHUNK);
	int			count = find_due_credits(sweep, now, wanted);
	int			end;

	qsort(sweep->due, count, sizeof(DueCredit), compare_due_credits);
	for (int start = 0; start < count; start = end)
	{
		int64		account_id = sweep->due[start].account_id;

		end = start + 1;
		while (end < count && sweep->due[end].account_id == account_id)
			end++;
		expire_account(sweep, account_id, &sweep->due[start], end - start);
	}
	return count >= wanted;
}

/* From where the last sweep stopped to the end, or until enough is done. */
static void
sweep_on(Sweep *sweep, TimestampTz now)
{
	while (left_to_do(sweep) > 0 && sweep_some_holds(sweep, now))
		;
	while (left_to_do(sweep) > 0 && sweep_some_credits(sweep, now))
		;
}

static void
begin_anew(void)
{
	position = beginning;
}

static void
begin_anew_after_abort(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_ABORT)
		begin_anew();
}

static void
begin_anew_after_rollback(SubXactEvent event, SubTransactionId subxact, SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		begin_anew();
}

static void
watch_for_rollbacks(void)
{
	static bool watching = false;

	if (watching)
		return;
	RegisterXactCallback(begin_anew_after_abort, NULL);
	RegisterSubXactCallback(begin_anew_after_rollback, NULL);
	watching = true;
}

static void
sweep_all(Sweep *sweep, TimestampTz now)
{
	bool		left_out = position.left_out;

	sweep_on(sweep, now);
	if (left_to_do(sweep) > 0 && left_out)
	{
		begin_anew();
		sweep_on(sweep, now);
	}
	if (left_to_do(sweep) > 0)
		begin_anew();
}

static void
run_sweep(Sweep *sweep)
{
	HASHCTL		hash_control = {.keysize = sizeof(int64), .entrysize = sizeof(int64)};

	watch_for_rollbacks();
	hash_control.hcxt = CurrentMemoryContext;
	sweep->context = AllocSetContextCreate(CurrentMemoryContext, "sweep of an account", ALLOCSET_DEFAULT_SIZES);
	sweep->seen = hash_create("accounts swept", 1024, &hash_control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	sweep->due_room = Min(sweep->max_credits, CHUNK) + 1;
	sweep->due = palloc(sweep->due_room * sizeof(DueCredit));
	open_sweep_booking(sweep);
	sweep_all(sweep, shop_clock());
	close_booking(&sweep->booking);
	MemoryContextDelete(sweep->context);
}

SweepCount
expire_credits(int64 max_credits)
{
	Sweep		sweep = {.max_credits = max_credits};

	run_sweep(&sweep);
	return sweep.count;
}

SweepCount
expire_one_by_one(int64 max_credits, List **failed)
{
	Sweep		sweep = {
		.max_credits = max_credits, .one_by_one = true,
		.failed_context = CurrentMemoryContext, .failed = *failed
	};

	run_sweep(&sweep);
	*failed = sweep.failed;
	return sweep.count;
}

/* ---- what is and falls due ---- */

static void
read_next_due(HeapTuple row, TupleDesc desc, void *result)
{
	bool		isnull;
	Datum		value = SPI_getbinval(row, desc, 1, &isnull);

	*(TimestampTz *) result = isnull ? DT_NOEND : DatumGetTimestampTz(value);
}

TimestampTz
find_next_due(TimestampTz after)
{
	Datum		values[] = {TimestampTzGetDatum(after)};
	TimestampTz result;

	run_query(&select_next_due, values, true, read_next_due, &result);
	return result;
}

static void
read_count(HeapTuple row, TupleDesc desc, void *result)
{
	bool		isnull;

	*(int64 *) result = DatumGetInt64(SPI_getbinval(row, desc, 1, &isnull));
}

int64
count_overdue(TimestampTz now)
{
	Datum		values[] = {TimestampTzGetDatum(now)};
	int64		result;

	run_query(&select_overdue, values, true, read_count, &result);
	return result;
}
