/*
 * maintenance.c
 *		A round of maintenance, and the SQL functions that it is made of.
 *
 * A round does all that is due, each batch in a transaction of its own: it
 * expires credits and holds, and the credits of the shops that are attached,
 * reminds, says in storecredit.worker_status what it did, and wakes the mailers.
 * The worker and CALL storecredit.run_maintenance() do the same round, so what is
 * true of one is true of the other, and any number of them may be at it in one
 * database.
 *
 * Each batch is a subtransaction, so that its error can be written down by the
 * transaction around it.  An error of an account's must not keep the others from
 * expiring: when a batch fails, the round goes on account by account, and leaves
 * out those that fail.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/dbcommands.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "arguments.h"
#include "attempt.h"
#include "expire.h"
#include "ledger_tables.h"
#include "maintenance.h"
#include "outbox.h"
#include "remind.h"
#include "spree_sweep.h"
#include "statement.h"
#include "storecredit.h"
#include "worker_settings.h"

PG_FUNCTION_INFO_V1(store_credit_expire);
PG_FUNCTION_INFO_V1(store_credit_remind);
PG_FUNCTION_INFO_V1(storecredit_run_maintenance);

typedef struct Round
{
	MemoryContext context;		/* outlives the transactions */
	MemoryContext step_context; /* of one of them */
	bool		(*begin_step) (const char *step);
	int64		batch;			/* done by the last batch; 0: nothing is left */
	SweepCount	swept;
	TimestampTz swept_at;		/* the last batch began then */
	bool		one_by_one;		/* a sweep has failed */
	List	   *failed;			/* of FailedAccount */
	List	   *shops;			/* of Oid: attached, and with something that may be due */
	Oid			shop;			/* one of them */
	ShopSweep	shop_sweep;		/* the last batch there */
	TimestampTz remind_from;
	int64		reminders;
	const char *error;			/* to be written down */
} Round;

/* ---- what it says of itself ---- */

static Statement begin_status = {
	.sql = "INSERT INTO storecredit.worker_status AS s (last_start) VALUES (pg_catalog.clock_timestamp())"
	" ON CONFLICT ON CONSTRAINT worker_status_pkey DO UPDATE SET last_start = excluded.last_start, last_end = NULL",
	.nargs = 0
};

static Statement add_to_status = {
	.sql = "UPDATE storecredit.worker_status SET"
	" credits_expired = credits_expired OPERATOR(pg_catalog.+) $1,"
	" holds_closed = holds_closed OPERATOR(pg_catalog.+) $2,"
	" reminders = reminders OPERATOR(pg_catalog.+) $3",
	.nargs = 3, .argtypes = {INT8OID, INT8OID, INT8OID}
};

static Statement end_status = {
	.sql = "UPDATE storecredit.worker_status SET last_end = pg_catalog.clock_timestamp(), backlog = $1",
	.nargs = 1, .argtypes = {INT8OID}
};

static Statement fail_status = {
	.sql = "INSERT INTO storecredit.worker_status AS s (last_start, last_error, last_error_at)"
	" VALUES (pg_catalog.clock_timestamp(), $1, pg_catalog.clock_timestamp())"
	" ON CONFLICT ON CONSTRAINT worker_status_pkey"
	" DO UPDATE SET last_error = excluded.last_error, last_error_at = excluded.last_error_at",
	.nargs = 1, .argtypes = {TEXTOID}
};

static void
add_counts(int64 credits, int64 holds, int64 reminders)
{
	Datum		values[] = {Int64GetDatum(credits), Int64GetDatum(holds), Int64GetDatum(reminders)};

	if (credits > 0 || holds > 0 || reminders > 0)
		run_statement(&add_to_status, values, NULL, SPI_OK_UPDATE, NULL, NULL);
}

/* ---- the steps ---- */

static void
begin_round(void *arg)
{
	run_statement(&begin_status, NULL, NULL, SPI_OK_INSERT, NULL, NULL);
}

static SweepCount
expire_batch(Round *round)
{
	MemoryContext caller = CurrentMemoryContext;
	SweepCount	count;

	if (!round->one_by_one)
		return expire_credits(storecredit_batch_size);
	MemoryContextSwitchTo(round->context);
	count = expire_one_by_one(storecredit_batch_size, &round->failed);
	MemoryContextSwitchTo(caller);
	return count;
}

static void
sweep_batch(void *arg)
{
	Round	   *round = arg;
	SweepCount	count;

	round->swept_at = shop_clock();
	count = expire_batch(round);
	add_counts(count.credits, count.holds, 0);
	round->swept.credits += count.credits;
	round->swept.holds += count.holds;
	round->batch = count.credits + count.holds;
}

static void
find_shops(void *arg)
{
	Round	   *round = arg;
	MemoryContext caller = MemoryContextSwitchTo(round->context);

	round->shops = find_shops_to_sweep(InvalidOid);
	MemoryContextSwitchTo(caller);
}

static void
shop_batch(void *arg)
{
	Round	   *round = arg;

	round->shop_sweep = sweep_shop(round->shop, storecredit_batch_size);
	add_counts(round->shop_sweep.expired, 0, 0);
	round->swept.credits += round->shop_sweep.expired;
	round->batch = round->shop_sweep.expired;
}

static void
remind_batch(void *arg)
{
	Round	   *round = arg;
	int64		written;

	round->batch = remind_of_credits(storecredit_batch_size, &round->remind_from, &written);
	add_counts(0, 0, written);
	round->reminders += written;
}

static void
forget_batch(void *arg)
{
	Round	   *round = arg;

	round->batch = forget_reminders(storecredit_batch_size);
}

static void
end_round(void *arg)
{
	Datum		values[] = {Int64GetDatum(count_overdue(shop_clock()))};

	run_statement(&end_status, values, NULL, SPI_OK_UPDATE, NULL, NULL);
}

/* In a transaction of its own: those with a NOTIFY commit one after the other, in the whole server. */
static void
wake_mailers(void *arg)
{
	notify_if_waiting();
}

static void
write_error(void *arg)
{
	Round	   *round = arg;
	Datum		values[] = {CStringGetTextDatum(round->error)};

	run_statement(&fail_status, values, NULL, SPI_OK_INSERT, NULL, NULL);
}

/* ---- transactions ---- */

/*
 * False: the round is to end.  A sweep leaves out what others have changed; in a
 * higher isolation level it would fail instead.
 */
static bool
begin_step(Round *round, const char *name)
{
	CHECK_FOR_INTERRUPTS();
	SPI_commit();
	XactIsoLevel = XACT_READ_COMMITTED;
	MemoryContextReset(round->step_context);
	return round->begin_step == NULL || round->begin_step(name);
}

/* The error, if there is one, is known until the next step begins. */
static ErrorData *
attempt_step(Round *round, void (*step) (void *))
{
	MemoryContext caller = MemoryContextSwitchTo(round->step_context);
	ErrorData  *error = attempt(step, round);

	MemoryContextSwitchTo(caller);
	return error;
}

/* If not even that can be written, the error itself is what matters. */
static void
note_error(Round *round, const char *error)
{
	round->error = error;
	(void) attempt_step(round, write_error);
}

static void
fail(Round *round, ErrorData *error)
{
	note_error(round, error->message);
	SPI_commit();
	ReThrowError(error);
}

static bool
do_step(Round *round, const char *name, void (*step) (void *))
{
	ErrorData  *error;

	if (!begin_step(round, name))
		return false;
	error = attempt_step(round, step);
	if (error != NULL)
		fail(round, error);
	return true;
}

static bool
do_batches(Round *round, const char *name, void (*batch) (void *))
{
	do
	{
		if (!do_step(round, name, batch))
			return false;
	} while (round->batch > 0);
	return true;
}

/* ---- the round ---- */

static bool
may_go_on(const Round *round, const ErrorData *error)
{
	return !round->one_by_one && error->sqlerrcode != ERRCODE_QUERY_CANCELED;
}

static bool
sweep_batches(Round *round)
{
	do
	{
		ErrorData  *error;

		if (!begin_step(round, "expiring credits"))
			return false;
		error = attempt_step(round, sweep_batch);
		if (error != NULL && !may_go_on(round, error))
			fail(round, error);
		if (error != NULL)
		{
			round->one_by_one = true;
			round->batch = 1;
		}
	} while (round->batch > 0);
	return true;
}

/* One of them stands for all: each can be seen by a call on its account. */
static bool
note_failures(Round *round)
{
	const FailedAccount *failure;
	char	   *message;

	if (round->failed == NIL)
		return true;
	if (!begin_step(round, "noting errors"))
		return false;
	failure = linitial(round->failed);
	message = psprintf("account " INT64_FORMAT ": %s", failure->account_id, failure->error->message);
	ereport(WARNING,
			(errcode(failure->error->sqlerrcode),
			 errmsg("could not expire what is overdue in %d store credit accounts", list_length(round->failed)),
			 errdetail_internal("%s", message)));
	note_error(round, message);
	return true;
}

/* A shop that fails does not keep the others, nor the ledger, from being maintained. */
static void
note_shop_error(Round *round, ErrorData *error)
{
	if (error->sqlerrcode == ERRCODE_QUERY_CANCELED)
		fail(round, error);
	round->batch = 0;
	round->shop_sweep = (ShopSweep) {.failed = 1, .failure = error->message};
}

/* Each batch looks at all that is due, so the last one knows of all that has failed. */
static void
note_shop_failures(Round *round)
{
	if (round->shop_sweep.failed == 0)
		return;
	warn_of_failures(round->shop, &round->shop_sweep);
	note_error(round, round->shop_sweep.failure);
}

static bool
sweep_one_shop(Round *round)
{
	do
	{
		ErrorData  *error;

		if (!begin_step(round, "expiring credits of a shop"))
			return false;
		error = attempt_step(round, shop_batch);
		if (error != NULL)
			note_shop_error(round, error);
	} while (round->batch > 0);
	note_shop_failures(round);
	return true;
}

static bool
sweep_shops(Round *round)
{
	ListCell   *cell;

	if (!do_step(round, "looking for shops", find_shops))
		return false;
	foreach(cell, round->shops)
	{
		round->shop = lfirst_oid(cell);
		if (!sweep_one_shop(round))
			return false;
	}
	return true;
}

static void
log_round(const Round *round)
{
	if (round->swept.credits > 0 || round->swept.holds > 0 || round->reminders > 0)
		ereport(LOG,
				(errmsg("store credit maintenance in database \"%s\": " INT64_FORMAT " credits expired, "
						INT64_FORMAT " holds closed, " INT64_FORMAT " reminders",
						get_database_name(MyDatabaseId),
						round->swept.credits, round->swept.holds, round->reminders)));
}

static bool
remind(Round *round)
{
	return do_batches(round, "reminding", remind_batch) &&
		do_batches(round, "forgetting reminders", forget_batch);
}

static bool
do_round(Round *round, bool reminding)
{
	return do_step(round, "beginning", begin_round) &&
		sweep_batches(round) &&
		note_failures(round) &&
		(!reminding || (sweep_shops(round) && remind(round))) &&
		do_step(round, "ending", end_round) &&
		do_step(round, "waking mailers", wake_mailers);
}

bool
run_round(bool (*begin_step) (const char *step), bool reminding, TimestampTz *swept_at)
{
	Round		round = {
		.context = CurrentMemoryContext,
		.begin_step = begin_step,
		.remind_from = DT_NOBEGIN
	};
	bool		done;

	if (!storecredit_expiry)
		return false;
	round.step_context = AllocSetContextCreate(CurrentMemoryContext, "step of the maintenance", ALLOCSET_DEFAULT_SIZES);
	done = do_round(&round, reminding);
	log_round(&round);
	SPI_commit();
	MemoryContextDelete(round.step_context);
	*swept_at = round.swept_at;
	return done;
}

/* ---- SQL functions ---- */

Datum
store_credit_expire(PG_FUNCTION_ARGS)
{
	SweepCount	count = expire_credits(get_count_argument(fcinfo, 0, "max_credits"));

	PG_RETURN_INT64(count.credits + count.holds);
}

Datum
store_credit_remind(PG_FUNCTION_ARGS)
{
	int32		max_credits = get_count_argument(fcinfo, 0, "max_credits");
	TimestampTz from = DT_NOBEGIN;
	int64		written;

	PreventCommandIfReadOnly("writing reminders");
	(void) get_ledger_tables();
	(void) forget_reminders(max_credits);
	(void) remind_of_credits(max_credits, &from, &written);
	PG_RETURN_INT64(written);
}

static bool
may_commit(FunctionCallInfo fcinfo)
{
	return fcinfo->context != NULL && IsA(fcinfo->context, CallContext) &&
		!castNode(CallContext, fcinfo->context)->atomic;
}

Datum
storecredit_run_maintenance(PG_FUNCTION_ARGS)
{
	TimestampTz swept_at;

	if (!may_commit(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_TERMINATION),
				 errmsg("storecredit.run_maintenance() cannot run inside a transaction block"),
				 errdetail("It commits what it does batch by batch.")));
	PreventCommandIfReadOnly("maintenance of a store credit ledger");
	(void) get_ledger_tables();
	SPI_connect_ext(SPI_OPT_NONATOMIC);
	(void) run_round(NULL, true, &swept_at);
	SPI_finish();
	PG_RETURN_VOID();
}
