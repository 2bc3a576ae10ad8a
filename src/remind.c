/*
 * remind.c
 *		Reminders of credits that are about to expire.
 *
 * storecredit.reminder has a row for each credit that was reminded of: for which
 * expiry, and how long before.  The intervals of storecredit.remind_before cut
 * the time before an expiry into stages; a credit is due for the shortest
 * interval that it is within, unless it has been reminded of at that one or a
 * shorter one.  So where several intervals have passed at once, one reminder
 * tells of the nearest, and the passed ones are not made up for.  A credit whose
 * expiry was changed is reminded of anew.
 *
 * Every credit within the longest interval is looked at each time: its row may
 * have come, or its expiry changed, at any moment.
 *
 * No account is locked for it: a customer may spend a credit in the very moment
 * in which he is reminded of it.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/timestamp.h"

#include "ledger_tables.h"
#include "remind.h"
#include "statement.h"
#include "storecredit.h"
#include "worker_settings.h"

/*
 * $3 are the instants, just after now, at which the stages of $2 begin:
 * width_bucket() tells how many of them an expiry has left behind.
 */
static Statement write_reminders = {
	.sql = "WITH due AS ("
	"SELECT c.account_id, c.seq, c.expires_at, c.remind_before"
	" FROM (SELECT account_id, seq, expires_at,"
	" $2[1 OPERATOR(pg_catalog.+) pg_catalog.width_bucket(expires_at, $3)] AS remind_before"
	" FROM storecredit.open_credit"
	" WHERE expires_at OPERATOR(pg_catalog.>) $1 AND expires_at OPERATOR(pg_catalog.>=) $5"
	" AND expires_at OPERATOR(pg_catalog.<) $4 AND expires_at OPERATOR(pg_catalog.<) 'infinity') AS c"
	" LEFT JOIN storecredit.reminder AS r"
	" ON r.account_id OPERATOR(pg_catalog.=) c.account_id AND r.seq OPERATOR(pg_catalog.=) c.seq"
	" WHERE r.account_id IS NULL OR r.expires_at OPERATOR(pg_catalog.<>) c.expires_at"
	" OR r.remind_before OPERATOR(pg_catalog.>) c.remind_before"
	" ORDER BY c.expires_at, c.account_id, c.seq LIMIT $6),"
	" noted AS ("
	"INSERT INTO storecredit.reminder AS r (account_id, seq, expires_at, remind_before, reminded_at)"
	" SELECT account_id, seq, expires_at, remind_before, $1 FROM due"
	" ON CONFLICT ON CONSTRAINT reminder_pkey DO UPDATE SET expires_at = excluded.expires_at,"
	" remind_before = excluded.remind_before, reminded_at = excluded.reminded_at"
	" WHERE r.expires_at OPERATOR(pg_catalog.<>) excluded.expires_at"
	" OR r.remind_before OPERATOR(pg_catalog.>) excluded.remind_before"
	" RETURNING account_id, seq),"
	" told AS ("
	"INSERT INTO storecredit.notification (created_at, event, account_id, seq)"
	" SELECT $1, 'expiring_soon', account_id, seq FROM noted RETURNING 1)"
	" SELECT (SELECT pg_catalog.count(*) FROM due), (SELECT pg_catalog.count(*) FROM told),"
	" (SELECT pg_catalog.max(expires_at) FROM due)",
	.nargs = 6, .argtypes = {
		TIMESTAMPTZOID, INTERVALARRAYOID, TIMESTAMPTZARRAYOID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT8OID
	}
};

static Statement delete_reminders = {
	.sql = "DELETE FROM storecredit.reminder WHERE ctid OPERATOR(pg_catalog.=) ANY (ARRAY("
	"SELECT ctid FROM storecredit.reminder WHERE expires_at OPERATOR(pg_catalog.<=) $1"
	" ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED))",
	.nargs = 2, .argtypes = {TIMESTAMPTZOID, INT8OID}
};

/* ---- the intervals ---- */

static Datum
leads_as_intervals(const ReminderLeads *list)
{
	Datum	   *elements = palloc(list->count * sizeof(Datum));

	for (int i = 0; i < list->count; i++)
	{
		Interval   *interval = palloc0(sizeof(Interval));

		interval->day = list->leads[i] / USECS_PER_DAY;
		interval->time = list->leads[i] % USECS_PER_DAY;
		elements[i] = IntervalPGetDatum(interval);
	}
	return PointerGetDatum(construct_array(elements, list->count, INTERVALOID,
										   sizeof(Interval), false, TYPALIGN_DOUBLE));
}

/* The first instant that an interval before is still to come for. */
static TimestampTz
end_of_stage(const ReminderLeads *list, int i, TimestampTz now)
{
	return now + list->leads[i] + 1;
}

static Datum
stages_as_instants(const ReminderLeads *list, TimestampTz now)
{
	Datum	   *elements = palloc(list->count * sizeof(Datum));

	for (int i = 0; i < list->count; i++)
		elements[i] = TimestampTzGetDatum(end_of_stage(list, i, now));
	return PointerGetDatum(construct_array(elements, list->count, TIMESTAMPTZOID,
										   sizeof(TimestampTz), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* ---- reminding ---- */

typedef struct Reminded
{
	int64		due;
	int64		written;
	TimestampTz last;			/* expiry; meaningful if something was due */
} Reminded;

static void
read_reminded(HeapTuple row, TupleDesc desc, void *result)
{
	Reminded   *reminded = result;
	bool		isnull;

	reminded->due = DatumGetInt64(SPI_getbinval(row, desc, 1, &isnull));
	reminded->written = DatumGetInt64(SPI_getbinval(row, desc, 2, &isnull));
	reminded->last = DatumGetTimestampTz(SPI_getbinval(row, desc, 3, &isnull));
}

int64
remind_of_credits(int64 max_credits, TimestampTz *from, int64 *written)
{
	const ReminderLeads *list = reminder_leads();
	TimestampTz now = shop_clock();
	Reminded	reminded = {0};

	(void) get_ledger_tables();
	if (list->count > 0)
	{
		Datum		values[] = {
			TimestampTzGetDatum(now),
			leads_as_intervals(list),
			stages_as_instants(list, now),
			TimestampTzGetDatum(end_of_stage(list, list->count - 1, now)),
			TimestampTzGetDatum(*from),
			Int64GetDatum(max_credits)
		};

		run_statement(&write_reminders, values, NULL, SPI_OK_SELECT, read_reminded, &reminded);
		if (reminded.due > 0)
			*from = reminded.last;
	}
	*written = reminded.written;
	return reminded.due;
}

uint64
forget_reminders(int64 max_credits)
{
	Datum		values[] = {TimestampTzGetDatum(shop_clock()), Int64GetDatum(max_credits)};

	return run_statement(&delete_reminders, values, NULL, SPI_OK_DELETE, NULL, NULL);
}
