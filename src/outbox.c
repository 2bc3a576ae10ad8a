/*
 * outbox.c
 *		The outbox: of which transactions customers are to be told.
 *
 * A row is written with the money and goes when it has been handed out, each in
 * a transaction that may fail; so nobody is told of what did not happen, and
 * what a mailer took along when it died comes back.
 *
 * The mailers are woken by NOTIFY from the maintenance, not from the call that
 * wrote the row: transactions with a NOTIFY commit one after the other, in all
 * databases of the server.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "commands/async.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"
#include "utils/varlena.h"

#include "arguments.h"
#include "compat.h"
#include "ledger_tables.h"
#include "outbox.h"
#include "statement.h"
#include "storecredit.h"

PG_FUNCTION_INFO_V1(store_credit_notifications);

#define CHANNEL	"storecredit"

/* ---- storecredit.notify_kinds ---- */

uint32		storecredit_notify_kinds = 0;

static char *notify_kinds_string;

static const char *const kinds[] = {
	"credit", "debit", "debit_revert", "expiration", "adjustment", "revocation"
};

/* 0 if there is no such kind. */
static uint32
bit_of_kind(const char *kind)
{
	for (int i = 0; i < (int) lengthof(kinds); i++)
	{
		if (strcmp(kinds[i], kind) == 0)
			return (uint32) 1 << i;
	}
	return 0;
}

bool
is_notified_kind(const char *kind)
{
	return (storecredit_notify_kinds & bit_of_kind(kind)) != 0;
}

static bool
bits_of_kinds(const List *names, uint32 *bits)
{
	const ListCell *cell;

	*bits = 0;
	foreach(cell, names)
	{
		uint32		bit = bit_of_kind(lfirst(cell));

		if (bit == 0)
		{
			GUC_check_errdetail("\"%s\" is not a kind of transaction.", (char *) lfirst(cell));
			GUC_check_errhint("The kinds are credit, debit, debit_revert, expiration, adjustment and revocation.");
			return false;
		}
		*bits |= bit;
	}
	return true;
}

static bool
parse_kinds(char *string, uint32 *bits)
{
	List	   *names;
	bool		valid = SplitIdentifierString(string, ',', &names);

	if (!valid)
		GUC_check_errdetail("List syntax is invalid.");
	else
		valid = bits_of_kinds(names, bits);
	list_free(names);
	return valid;
}

static bool
check_notify_kinds(char **newval, void **extra, GucSource source)
{
	char	   *string = pstrdup(*newval);
	uint32		bits;
	bool		valid = parse_kinds(string, &bits);

	pfree(string);
	if (!valid)
		return false;
	*extra = guc_malloc(LOG, sizeof(uint32));
	if (*extra == NULL)
		return false;
	*((uint32 *) *extra) = bits;
	return true;
}

static void
assign_notify_kinds(const char *newval, void *extra)
{
	storecredit_notify_kinds = *((uint32 *) extra);
}

void
define_outbox_setting(void)
{
	DefineCustomStringVariable("storecredit.notify_kinds",
							   "Kinds of transactions that customers are told of without being asked.",
							   "A list: one row in the outbox for each such transaction.  Empty: none.",
							   &notify_kinds_string,
							   "",
							   PGC_SUSET, GUC_LIST_INPUT,
							   check_notify_kinds, assign_notify_kinds, NULL);
}

/* ---- handing out ---- */

/*
 * The oldest that nobody else is handing out.  What is told of each is looked up
 * row by row: LIMIT 1 keeps the planner from reading all of a table for it, which
 * it would where the outbox is long.
 */
static Statement take_notifications = {
	.sql = "WITH taken AS ("
	"DELETE FROM storecredit.notification WHERE notification_id OPERATOR(pg_catalog.=) ANY (ARRAY("
	"SELECT notification_id FROM storecredit.notification"
	" ORDER BY notification_id LIMIT $1 FOR UPDATE SKIP LOCKED))"
	" RETURNING notification_id, created_at, event, account_id, seq)"
	" SELECT n.notification_id, n.created_at, n.event, n.account_id, n.seq, a.owner,"
	" CASE WHEN n.event OPERATOR(pg_catalog.=) 'expiring_soon' THEN c.remaining ELSE t.amount END,"
	" CASE WHEN n.event OPERATOR(pg_catalog.=) 'expiring_soon' THEN a.balance ELSE t.balance_after END,"
	" CASE WHEN n.event OPERATOR(pg_catalog.=) 'expiring_soon' THEN c.expires_at ELSE t.expires_at END,"
	" t.category, t.memo, t.reference"
	" FROM taken AS n"
	" LEFT JOIN LATERAL (SELECT owner, balance FROM storecredit.account"
	" WHERE account_id OPERATOR(pg_catalog.=) n.account_id LIMIT 1) AS a ON true"
	" LEFT JOIN LATERAL (SELECT amount, balance_after, expires_at, category, memo, reference FROM storecredit.transaction"
	" WHERE account_id OPERATOR(pg_catalog.=) n.account_id AND seq OPERATOR(pg_catalog.=) n.seq LIMIT 1) AS t ON true"
	" LEFT JOIN LATERAL (SELECT remaining, expires_at FROM storecredit.open_credit"
	" WHERE account_id OPERATOR(pg_catalog.=) n.account_id AND seq OPERATOR(pg_catalog.=) n.seq"
	" AND expires_at OPERATOR(pg_catalog.>) $2 AND expires_at OPERATOR(pg_catalog.<) 'infinity' LIMIT 1) AS c ON true"
	" ORDER BY n.notification_id",
	.nargs = 2, .argtypes = {INT8OID, TIMESTAMPTZOID}
};

static void
answer_with_notification(HeapTuple row, TupleDesc desc, void *result)
{
	tuplestore_puttuple(((ReturnSetInfo *) result)->setResult, row);
}

Datum
store_credit_notifications(PG_FUNCTION_ARGS)
{
	Datum		values[2];

	values[0] = Int64GetDatum(get_count_argument(fcinfo, 0, "max_notifications"));
	PreventCommandIfReadOnly("handing out notifications");
	InitMaterializedSRF(fcinfo, 0);
	values[1] = TimestampTzGetDatum(shop_clock());
	run_statement(&take_notifications, values, NULL, SPI_OK_SELECT, answer_with_notification, fcinfo->resultinfo);
	return (Datum) 0;
}

/* ---- waking the mailers ---- */

static Statement find_notification = {
	.sql = "SELECT FROM storecredit.notification LIMIT 1",
	.nargs = 0
};

/* The message says no more than that: anybody may listen. */
void
notify_if_waiting(void)
{
	if (run_query(&find_notification, NULL, true, NULL, NULL) > 0)
		Async_Notify(CHANNEL, "");
}
