/*
 * launcher.c
 *		The process that starts a worker in each served database.
 *
 * It is connected to no database, so that none of them is ever kept from being
 * dropped by it, and reads no more than pg_database.  In each database of
 * storecredit.databases it starts a worker, which does one round of maintenance
 * and exits: when storecredit.naptime has passed, or when something falls due
 * there, which worker_shared.c knows.  Reminders cost a look at every credit
 * within their reach, so they are left to rounds a nap apart.  A worker that is
 * stuck holds up nobody but its own database.
 *
 * Errors are not handled: the process dies, and the postmaster starts it again.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_database.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "launcher.h"
#include "worker_settings.h"
#include "worker_shared.h"

#define RESTART_SECONDS		5

/* Where something falls due every moment, rounds begin no faster than this. */
#define SHORTEST_NAP		(1 * USECS_PER_SEC)

/* The places are those of worker_shared.c. */
typedef struct Served
{
	Oid			database;		/* InvalidOid: nobody is served here */
	char		name[NAMEDATALEN];
	BackgroundWorkerHandle *worker; /* NULL: none is running */
	TimestampTz last_start;
	TimestampTz last_reminding; /* of the last whole round */
	bool		wanted;			/* still in the list */
	bool		refused;		/* no worker could be started, and that was logged */
} Served;

static Served served[MAX_SERVED_DATABASES];

/* The list that was complained about last. */
static char *unserved = NULL;

/* ---- which databases ---- */

static Served *
find_served(Oid database)
{
	for (int i = 0; i < MAX_SERVED_DATABASES; i++)
	{
		if (served[i].database == database)
			return &served[i];
	}
	return NULL;
}

static bool
is_in(const List *names, const char *name)
{
	const ListCell *cell;

	foreach(cell, names)
	{
		if (strcmp(lfirst(cell), name) == 0)
			return true;
	}
	return false;
}

static bool
find_place(Oid database, const char *name)
{
	Served	   *place = find_served(database);

	if (place == NULL)
	{
		place = find_served(InvalidOid);
		if (place == NULL)
			return false;
		memset(place, 0, sizeof(Served));
		place->database = database;
		serve_database(place - served, database);
	}
	strlcpy(place->name, name, NAMEDATALEN);
	place->wanted = true;
	return true;
}

/* A database whose DROP was interrupted is there, and cannot be connected to. */
static bool
accepts_connections(Form_pg_database form)
{
	return form->datallowconn && form->datconnlimit != -2;
}

/*
 * Those of the names that are served from now on.  Reads the table from its
 * beginning to its end: without a database there may be no index to go by.
 */
static List *
find_places(const List *names)
{
	List	   *found = NIL;
	Relation	rel = table_open(DatabaseRelationId, AccessShareLock);
	TableScanDesc scan = table_beginscan_catalog(rel, 0, NULL);
	HeapTuple	tuple;

	while ((tuple = heap_getnext(scan, ForwardScanDirection)) != NULL)
	{
		Form_pg_database form = (Form_pg_database) GETSTRUCT(tuple);

		if (is_in(names, NameStr(form->datname)) && accepts_connections(form) &&
			find_place(form->oid, NameStr(form->datname)))
			found = lappend(found, pstrdup(NameStr(form->datname)));
	}
	table_endscan(scan);
	table_close(rel, AccessShareLock);
	return found;
}

/* Names that are in the list and cannot be served, once each time that they change. */
static void
complain_of(const char *names)
{
	if (strcmp(names, unserved != NULL ? unserved : "") == 0)
		return;
	if (*names != '\0')
		ereport(LOG,
				(errmsg("some databases in \"storecredit.databases\" are not served: %s", names),
				 errdetail("They do not exist, or do not accept connections, or there are more than %d.",
						   MAX_SERVED_DATABASES)));
	if (unserved != NULL)
		pfree(unserved);
	unserved = MemoryContextStrdup(TopMemoryContext, names);
}

/* Looked up by name each time: databases come, go and are renamed. */
static void
look_for_databases(void)
{
	StringInfoData missing;
	List	   *names;
	List	   *found;
	ListCell   *cell;

	for (int i = 0; i < MAX_SERVED_DATABASES; i++)
		served[i].wanted = false;
	StartTransactionCommand();
	initStringInfo(&missing);
	names = served_databases();
	found = find_places(names);
	foreach(cell, names)
	{
		if (!is_in(found, lfirst(cell)))
			appendStringInfo(&missing, "%s\"%s\"", missing.len > 0 ? ", " : "", (char *) lfirst(cell));
	}
	complain_of(missing.data);
	CommitTransactionCommand();
}

/* ---- workers ---- */

static bool
is_working(Served *place)
{
	BgwHandleStatus status;
	pid_t		pid;

	if (place->worker == NULL)
		return false;
	status = GetBackgroundWorkerPid(place->worker, &pid);
	if (status == BGWH_POSTMASTER_DIED)
		proc_exit(1);
	if (status != BGWH_STOPPED)
		return true;
	pfree(place->worker);
	place->worker = NULL;
	return false;
}

static bool
register_worker(Served *place, bool reminding)
{
	BackgroundWorker worker = {0};
	WorkerOrder order = {.database = place->database, .reminding = reminding};

	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = BGW_NEVER_RESTART;
	worker.bgw_notify_pid = MyProcPid;
	snprintf(worker.bgw_name, BGW_MAXLEN, "storecredit worker for database %s", place->name);
	snprintf(worker.bgw_type, BGW_MAXLEN, "storecredit worker");
	snprintf(worker.bgw_library_name, BGW_MAXLEN, "storecredit");
	snprintf(worker.bgw_function_name, BGW_MAXLEN, "storecredit_worker_main");
	strlcpy(order.name, place->name, NAMEDATALEN);
	memcpy(worker.bgw_extra, &order, sizeof(order));
	return RegisterDynamicBackgroundWorker(&worker, &place->worker);
}

static bool
start_worker(int i, bool reminding)
{
	Served	   *place = &served[i];

	/* Before it can look: what it does not see is announced after this. */
	forget_next_due(i);
	if (!register_worker(place, reminding))
	{
		if (!place->refused)
			ereport(LOG,
					(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
					 errmsg("could not start a storecredit worker for database \"%s\"", place->name),
					 errdetail("All slots for background workers are taken."),
					 errhint("You may need to increase \"max_worker_processes\".")));
		place->refused = true;
		return false;
	}
	place->refused = false;
	return true;
}

static int64
nap(void)
{
	return storecredit_naptime * USECS_PER_SEC;
}

static TimestampTz
due_at(int i)
{
	TimestampTz last_start = served[i].last_start;
	TimestampTz due = Min(served[i].last_reminding + nap(), next_due_at(i));

	return Max(due, last_start + SHORTEST_NAP);
}

/* Returns when something is to be done there next; its worker's end wakes the launcher by itself. */
static TimestampTz
serve(int i, TimestampTz now)
{
	Served	   *place = &served[i];
	bool		reminding;

	if (place->database == InvalidOid || is_working(place))
		return DT_NOEND;
	if (!place->wanted)
	{
		place->database = InvalidOid;
		serve_database(i, InvalidOid);
		return DT_NOEND;
	}
	if (!place->refused && due_at(i) > now)
		return due_at(i);
	reminding = place->last_reminding + nap() <= now;
	if (!start_worker(i, reminding))
		return now + SHORTEST_NAP;
	place->last_start = now;
	if (reminding)
		place->last_reminding = now;
	return DT_NOEND;
}

/* ---- the process ---- */

static void
sleep_until(TimestampTz wake)
{
	char		activity[128];

	snprintf(activity, sizeof(activity), "store credit maintenance: sleeping until %s", timestamptz_to_str(wake));
	pgstat_report_activity(STATE_IDLE, activity);
	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
					 TimestampDifferenceMilliseconds(GetCurrentTimestamp(), wake) + 1, PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
}

static void
reload_settings(void)
{
	if (ConfigReloadPending)
	{
		ConfigReloadPending = false;
		ProcessConfigFile(PGC_SIGHUP);
	}
}

/* What is announced while the launcher looks round wakes it again. */
static TimestampTz
serve_all(void)
{
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz wake = now + nap();

	set_wake_time(DT_NOEND);
	look_for_databases();
	for (int i = 0; i < MAX_SERVED_DATABASES; i++)
	{
		TimestampTz next = serve(i, now);

		wake = Min(wake, next);
	}
	set_wake_time(wake);
	return wake;
}

void
storecredit_launcher_main(Datum arg)
{
	pqsignal(SIGTERM, die);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);
	pgstat_report_appname("storecredit launcher");

	/* What a launcher before this one has left. */
	for (int i = 0; i < MAX_SERVED_DATABASES; i++)
		serve_database(i, InvalidOid);
	attach_launcher();
	for (;;)
	{
		reload_settings();
		sleep_until(serve_all());
	}
}

void
register_launcher(void)
{
	BackgroundWorker worker = {0};

	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = RESTART_SECONDS;
	snprintf(worker.bgw_name, BGW_MAXLEN, "storecredit launcher");
	snprintf(worker.bgw_type, BGW_MAXLEN, "storecredit launcher");
	snprintf(worker.bgw_library_name, BGW_MAXLEN, "storecredit");
	snprintf(worker.bgw_function_name, BGW_MAXLEN, "storecredit_launcher_main");
	RegisterBackgroundWorker(&worker);
}
