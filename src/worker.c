/*
 * worker.c
 *		The process that does one round of maintenance in one database.
 *
 * It does what CALL storecredit.run_maintenance() does, with the rights of the
 * ledger's owner, and exits.  It connects as the superuser that the server was
 * made with, but no code of the ledger's owner, say in a trigger, ever runs with
 * those rights.
 *
 * Whoever wants to drop, rename or copy the database waits for it to leave, and
 * gives up after five seconds.  So each batch holds the lock that a session
 * takes when it connects, and when it cannot be had, the worker leaves.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_database.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/lock.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "expire.h"
#include "launcher.h"
#include "ledger_tables.h"
#include "maintenance.h"
#include "storecredit.h"
#include "worker_shared.h"

/* Whatever the server, the database or the role are set to. */
static void
take_safe_settings(void)
{
	static const struct
	{
		const char *name;
		const char *value;
	}			settings[] = {
		{"search_path", ""},
		{"default_transaction_isolation", "read committed"},
		{"statement_timeout", "0"},
		{"lock_timeout", "0"},
		{"idle_in_transaction_session_timeout", "0"},
		{"transaction_timeout", "0"},	/* as of 17 */
	};

	for (int i = 0; i < (int) lengthof(settings); i++)
	{
		if (GetConfigOption(settings[i].name, true, false) != NULL)
			SetConfigOption(settings[i].name, settings[i].value, PGC_SUSET, PGC_S_OVERRIDE);
	}
}

/* ---- what it looks like from outside ---- */

static void
show_step(const char *step)
{
	char	   *activity = psprintf("store credit maintenance: %s", step);

	SetCurrentStatementStartTimestamp();
	pgstat_report_activity(STATE_RUNNING, activity);
	pfree(activity);
}

/* To the end of the transaction; false if somebody wants the database for himself. */
static bool
lock_database(void)
{
	LOCKTAG		tag;

	SET_LOCKTAG_OBJECT(tag, InvalidOid, DatabaseRelationId, MyDatabaseId, 0);
	return LockAcquire(&tag, RowExclusiveLock, false, true) != LOCKACQUIRE_NOT_AVAIL;
}

static bool
begin_step(const char *step)
{
	show_step(step);
	return lock_database();
}

/* ---- whether there is something to do ---- */

static bool
is_ledger_here(void)
{
	Oid			schema = get_namespace_oid(STORECREDIT_SCHEMA, true);

	return OidIsValid(get_extension_oid("storecredit", true)) &&
		OidIsValid(schema) && OidIsValid(get_relname_relid("account", schema));
}

static bool
find_ledger(const WorkerOrder *order)
{
	bool		found;

	StartTransactionCommand();
	found = is_ledger_here();
	if (report_ledger(found))
		ereport(LOG,
				(errmsg("there is no store credit ledger in database \"%s\"", order->name),
				 errhint("Make it with CREATE EXTENSION storecredit and SELECT storecredit.create_ledger(), or take the database out of \"storecredit.databases\".")));
	CommitTransactionCommand();
	return found;
}

/* For the rest of the process's life: code that runs at the end of a transaction is bound by it, too. */
static void
become_owner_for_good(void)
{
	UserContext superuser;

	StartTransactionCommand();
	become_ledger_owner(&superuser);
	CommitTransactionCommand();
}

/* ---- the work ---- */

static bool
do_maintenance(const WorkerOrder *order, TimestampTz *swept_at)
{
	bool		done;

	StartTransactionCommand();
	SPI_connect_ext(SPI_OPT_NONATOMIC);
	done = run_round(begin_step, order->reminding, swept_at);
	SPI_finish();
	CommitTransactionCommand();
	return done;
}

/*
 * After what the sweep has looked at: it can be past by now, and is due at once
 * then.  Told by the wall clock, which the launcher goes by.
 */
static void
tell_what_comes_next(TimestampTz swept_at)
{
	TimestampTz due;

	StartTransactionCommand();
	if (begin_step("looking ahead"))
	{
		PushActiveSnapshot(GetTransactionSnapshot());
		due = find_next_due(swept_at);
		PopActiveSnapshot();
		if (due != DT_NOEND)
			report_next_due(GetCurrentTimestamp() + (due - shop_clock()));
	}
	CommitTransactionCommand();
}

void
storecredit_worker_main(Datum arg)
{
	WorkerOrder order;
	TimestampTz swept_at;

	memcpy(&order, MyBgworkerEntry->bgw_extra, sizeof(order));
	pqsignal(SIGTERM, die);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnectionByOid(order.database, InvalidOid, 0);
	pgstat_report_appname("storecredit worker");
	take_safe_settings();

	/* What SPI keeps from one transaction to the next has its place here. */
	PortalContext = AllocSetContextCreate(TopMemoryContext, "storecredit worker", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(PortalContext);

	if (!find_ledger(&order))
		return;
	become_owner_for_good();
	if (do_maintenance(&order, &swept_at))
		tell_what_comes_next(swept_at);
}
