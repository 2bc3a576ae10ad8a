/*
 * worker_shared.c
 *		What launcher, workers and sessions tell each other, in shared memory.
 *
 * For each served database: when the next credit or hold ends there, or the next
 * reminder is due; or now, where there is news for the mailers.  The launcher
 * forgets it when a round begins, the round's worker finds it in the tables at its
 * end, and a session that commits something with an end, or news, lowers it.
 * Whatever the worker's last snapshot does not see is committed, and announced,
 * after the launcher has forgotten; so nothing is lost between the two.
 *
 * A session wakes the launcher only if it sleeps longer than that.  It first
 * lowers the instant and then looks how long the launcher sleeps; the launcher
 * first says that it does not sleep, then looks at the instants, and then says
 * how long it does.  So one of them sees the other.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "storage/shmem.h"
#include "storage/spin.h"
#include "utils/timestamp.h"

#include "storecredit.h"
#include "worker_shared.h"

typedef struct ServedDatabase
{
	pg_atomic_uint32 oid;
	pg_atomic_uint64 next_due;	/* a TimestampTz */
	pg_atomic_uint32 lacks_ledger;	/* said by the last round */
} ServedDatabase;

typedef struct WorkerShared
{
	slock_t		mutex;
	Latch	   *launcher;		/* protected by mutex; NULL if there is none */
	pg_atomic_uint64 wake;		/* a TimestampTz */
	ServedDatabase databases[MAX_SERVED_DATABASES];
} WorkerShared;

static WorkerShared *shared = NULL;

static shmem_request_hook_type previous_request_hook;
static shmem_startup_hook_type previous_startup_hook;

/* ---- making it ---- */

static void
request_memory(void)
{
	if (previous_request_hook != NULL)
		previous_request_hook();
	RequestAddinShmemSpace(MAXALIGN(sizeof(WorkerShared)));
}

static void
start_memory(void)
{
	bool		found;

	if (previous_startup_hook != NULL)
		previous_startup_hook();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	shared = ShmemInitStruct("storecredit worker", sizeof(WorkerShared), &found);
	if (!found)
	{
		SpinLockInit(&shared->mutex);
		shared->launcher = NULL;
		pg_atomic_init_u64(&shared->wake, (uint64) DT_NOEND);
		for (int i = 0; i < MAX_SERVED_DATABASES; i++)
		{
			pg_atomic_init_u32(&shared->databases[i].oid, InvalidOid);
			pg_atomic_init_u64(&shared->databases[i].next_due, (uint64) DT_NOEND);
			pg_atomic_init_u32(&shared->databases[i].lacks_ledger, false);
		}
	}
	LWLockRelease(AddinShmemInitLock);
}

void
request_worker_memory(void)
{
	previous_request_hook = shmem_request_hook;
	shmem_request_hook = request_memory;
	previous_startup_hook = shmem_startup_hook;
	shmem_startup_hook = start_memory;
}

/* ---- instants ---- */

static TimestampTz
read_instant(pg_atomic_uint64 *instant)
{
	return (TimestampTz) pg_atomic_read_u64(instant);
}

static void
lower_instant(pg_atomic_uint64 *instant, TimestampTz due)
{
	uint64		known = pg_atomic_read_u64(instant);

	while (due < (TimestampTz) known &&
		   !pg_atomic_compare_exchange_u64(instant, &known, (uint64) due))
		;
}

/* This session's database, or NULL if it is not served. */
static ServedDatabase *
find_my_database(void)
{
	static int	place = 0;

	if (shared == NULL)
		return NULL;
	if (pg_atomic_read_u32(&shared->databases[place].oid) == MyDatabaseId)
		return &shared->databases[place];
	for (int i = 0; i < MAX_SERVED_DATABASES; i++)
	{
		if (pg_atomic_read_u32(&shared->databases[i].oid) == MyDatabaseId)
		{
			place = i;
			return &shared->databases[i];
		}
	}
	return NULL;
}

/* ---- announcing ---- */

static TimestampTz announced = DT_NOEND;	/* the earliest of this transaction */

static void
wake_launcher(void)
{
	Latch	   *latch;

	SpinLockAcquire(&shared->mutex);
	latch = shared->launcher;
	SpinLockRelease(&shared->mutex);
	if (latch != NULL)
		SetLatch(latch);
}

static void
tell_launcher(TimestampTz due)
{
	ServedDatabase *database = find_my_database();

	if (database == NULL || due >= read_instant(&database->next_due))
		return;
	lower_instant(&database->next_due, due);
	pg_memory_barrier();
	if (due < read_instant(&shared->wake))
		wake_launcher();
}

/* A prepared transaction tells now, as it is not known who will commit it. */
static void
tell_at_commit(XactEvent event, void *arg)
{
	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_PREPARE && event != XACT_EVENT_ABORT)
		return;
	if (event != XACT_EVENT_ABORT && announced != DT_NOEND)
		tell_launcher(announced);
	announced = DT_NOEND;
}

void
announce_due(TimestampTz due)
{
	static bool listening = false;

	if (shared == NULL || due >= announced || shop_clock_is_set())
		return;
	if (!listening)
	{
		RegisterXactCallback(tell_at_commit, NULL);
		listening = true;
	}
	announced = due;
}

/* ---- the launcher's side ---- */

static void
detach_launcher(int code, Datum arg)
{
	SpinLockAcquire(&shared->mutex);
	shared->launcher = NULL;
	SpinLockRelease(&shared->mutex);
}

void
attach_launcher(void)
{
	before_shmem_exit(detach_launcher, (Datum) 0);
	SpinLockAcquire(&shared->mutex);
	shared->launcher = MyLatch;
	SpinLockRelease(&shared->mutex);
}

void
serve_database(int i, Oid database)
{
	pg_atomic_write_u64(&shared->databases[i].next_due, (uint64) DT_NOEND);
	pg_atomic_write_u32(&shared->databases[i].lacks_ledger, false);
	pg_atomic_write_u32(&shared->databases[i].oid, database);
}

TimestampTz
next_due_at(int i)
{
	return read_instant(&shared->databases[i].next_due);
}

void
forget_next_due(int i)
{
	pg_atomic_write_u64(&shared->databases[i].next_due, (uint64) DT_NOEND);
}

void
set_wake_time(TimestampTz wake)
{
	pg_atomic_write_u64(&shared->wake, (uint64) wake);
	pg_memory_barrier();
}

/* ---- a worker's side ---- */

void
report_next_due(TimestampTz due)
{
	ServedDatabase *database = find_my_database();

	if (database != NULL)
		lower_instant(&database->next_due, due);
}

bool
report_ledger(bool found)
{
	ServedDatabase *database = find_my_database();
	bool		lacked_before;

	if (database == NULL)
		return false;
	lacked_before = pg_atomic_exchange_u32(&database->lacks_ledger, !found);
	return !found && !lacked_before;
}
