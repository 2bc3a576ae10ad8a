/*
 * records.c
 *		The rows that both stores reach in one way, through SQL.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "ledger_tables.h"
#include "records.h"
#include "statement.h"
#include "store_rows.h"
#include "storecredit.h"

/* ---- accounts, limits and the outbox ---- */

static Statement insert_account = {
	.sql = "INSERT INTO storecredit.account"
	" (account_id, opened_at, last_seq, balance, held, credit_line, last_hold_id, currency, owner)"
	" VALUES (($1::pg_catalog.int8 OPERATOR(pg_catalog.<<) 48)"
	" OPERATOR(pg_catalog.|) pg_catalog.nextval('storecredit.account_number_seq'),"
	" $2, 0, $3, $3, $3, 0, $4, $5)"
	" ON CONFLICT ON CONSTRAINT account_owner_currency_key DO NOTHING",
	.nargs = 5, .argtypes = {INT8OID, TIMESTAMPTZOID, MONEY, TEXTOID, TEXTOID}
};

void
open_account(const AccountRef *ref, TimestampTz now)
{
	MoneyCcy	zero = make_money_ccy(0, ref->currency);
	Datum		values[] = {
		Int64GetDatum(storecredit_cell),
		TimestampTzGetDatum(now),
		MoneyCcyPGetDatum(&zero),
		CStringGetTextDatum(ref->currency),
		PointerGetDatum(ref->owner)
	};

	run_statement(&insert_account, values, NULL, SPI_OK_INSERT, NULL, NULL);
}

static Statement update_account_limits = {
	.sql = "UPDATE storecredit.account SET max_balance = $2, credit_line = $3"
	" WHERE account_id OPERATOR(pg_catalog.=) $1",
	.nargs = 3, .argtypes = {INT8OID, MONEY, MONEY}
};

void
write_account_limits(const Account *account, const MoneyCcy *max_balance, const MoneyCcy *credit_line)
{
	MoneyCcy	no_line = make_money_ccy(0, account->currency);
	Datum		values[] = {
		Int64GetDatum(account->account_id),
		MoneyCcyPGetDatum(max_balance),
		MoneyCcyPGetDatum(credit_line != NULL ? credit_line : &no_line)
	};
	bool		isnull[] = {false, max_balance == NULL, false};

	require_one_row("account", run_statement(&update_account_limits, values, isnull, SPI_OK_UPDATE, NULL, NULL));
}

static Statement upsert_currency_limit = {
	.sql = "INSERT INTO storecredit.currency_limit AS l (currency, max_balance, max_credit, max_debit)"
	" VALUES ($1, $2, $3, $4)"
	" ON CONFLICT ON CONSTRAINT currency_limit_pkey DO UPDATE SET max_balance = excluded.max_balance,"
	" max_credit = excluded.max_credit, max_debit = excluded.max_debit",
	.nargs = 4, .argtypes = {TEXTOID, MONEY, MONEY, MONEY}
};

void
write_currency_limit(const char *currency, const MoneyCcy *max_balance,
					 const MoneyCcy *max_credit, const MoneyCcy *max_debit)
{
	Datum		values[] = {
		CStringGetTextDatum(currency),
		MoneyCcyPGetDatum(max_balance),
		MoneyCcyPGetDatum(max_credit),
		MoneyCcyPGetDatum(max_debit)
	};
	bool		isnull[] = {false, max_balance == NULL, max_credit == NULL, max_debit == NULL};

	require_one_row("currency_limit",
					run_statement(&upsert_currency_limit, values, isnull, SPI_OK_INSERT, NULL, NULL));
}

static Statement insert_notification = {
	.sql = "INSERT INTO storecredit.notification (created_at, event, account_id, seq) VALUES ($1, $2, $3, $4)",
	.nargs = 4, .argtypes = {TIMESTAMPTZOID, TEXTOID, INT8OID, INT8OID}
};

void
add_notification(const Account *account, const char *event, int64 seq, TimestampTz now)
{
	Datum		values[] = {
		TimestampTzGetDatum(now),
		CStringGetTextDatum(event),
		Int64GetDatum(account->account_id),
		Int64GetDatum(seq)
	};

	require_one_row("notification",
					run_statement(&insert_notification, values, NULL, SPI_OK_INSERT, NULL, NULL));
}

/* ---- reading columns ---- */

static Datum
column(HeapTuple row, TupleDesc desc, int attnum, bool *isnull)
{
	return heap_getattr(row, attnum, desc, isnull);
}

static int64
int64_column(HeapTuple row, TupleDesc desc, int attnum)
{
	bool		isnull;
	Datum		value = column(row, desc, attnum, &isnull);

	return isnull ? 0 : DatumGetInt64(value);
}

static int64
minor_column(HeapTuple row, TupleDesc desc, int attnum)
{
	bool		isnull;

	return DatumGetMoneyCcyP(column(row, desc, attnum, &isnull))->minor;
}

static TimestampTz
instant_column(HeapTuple row, TupleDesc desc, int attnum)
{
	bool		isnull;
	Datum		value = column(row, desc, attnum, &isnull);

	return isnull ? NEVER : DatumGetTimestampTz(value);
}

static char *
string_column(HeapTuple row, TupleDesc desc, int attnum)
{
	bool		isnull;
	Datum		value = column(row, desc, attnum, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

static text *
text_column(HeapTuple row, TupleDesc desc, int attnum)
{
	bool		isnull;
	Datum		value = column(row, desc, attnum, &isnull);

	return isnull ? NULL : DatumGetTextPCopy(value);
}

static Draws
draws_column(HeapTuple row, TupleDesc desc, int attnum)
{
	Draws		draws = {0};
	Datum	   *elements;
	int			count;
	bool		isnull;
	Datum		value = column(row, desc, attnum, &isnull);

	if (isnull)
		return draws;
	deconstruct_array(DatumGetArrayTypeP(value), INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
					  &elements, NULL, &count);
	for (int i = 0; i + 1 < count; i += 2)
		add_draw(&draws, DatumGetInt64(elements[i]), DatumGetInt64(elements[i + 1]));
	return draws;
}

/* ---- history ---- */

static Statement select_entry = {
	.sql = "SELECT * FROM storecredit.transaction WHERE account_id OPERATOR(pg_catalog.=) $1"
	" AND seq OPERATOR(pg_catalog.=) $2",
	.nargs = 2, .argtypes = {INT8OID, INT8OID}
};

static Statement select_related_entries = {
	.sql = "SELECT * FROM storecredit.transaction WHERE account_id OPERATOR(pg_catalog.=) $1"
	" AND related_seq OPERATOR(pg_catalog.=) $2 AND kind OPERATOR(pg_catalog.<>) 'expiration'"
	" ORDER BY account_id, related_seq, seq",
	.nargs = 2, .argtypes = {INT8OID, INT8OID}
};

static Entry
read_entry(HeapTuple row, TupleDesc desc)
{
	Entry		entry = {0};

	entry.seq = int64_column(row, desc, ENTRY_SEQ);
	entry.kind = string_column(row, desc, ENTRY_KIND);
	entry.amount = minor_column(row, desc, ENTRY_AMOUNT);
	entry.balance_after = minor_column(row, desc, ENTRY_BALANCE_AFTER);
	entry.created_at = instant_column(row, desc, ENTRY_CREATED_AT);
	entry.expires_at = instant_column(row, desc, ENTRY_EXPIRES_AT);
	entry.related_seq = int64_column(row, desc, ENTRY_RELATED_SEQ);
	entry.hold_id = int64_column(row, desc, ENTRY_HOLD_ID);
	entry.draws = draws_column(row, desc, ENTRY_DRAWS);
	return entry;
}

typedef struct FoundEntry
{
	Entry		entry;
	Datum		row;
} FoundEntry;

static void
read_one_entry(HeapTuple row, TupleDesc desc, void *result)
{
	FoundEntry *found = result;

	found->entry = read_entry(row, desc);
	found->row = entry_as_datum(row, CurrentMemoryContext);
}

static void
read_entry_into_list(HeapTuple row, TupleDesc desc, void *result)
{
	List	  **list = result;
	Entry	   *entry = palloc(sizeof(Entry));

	*entry = read_entry(row, desc);
	*list = lappend(*list, entry);
}

bool
find_entry(const Account *account, int64 seq, Entry *entry, Datum *row)
{
	Datum		values[] = {Int64GetDatum(account->account_id), Int64GetDatum(seq)};
	FoundEntry	found;

	if (run_query(&select_entry, values, account->for_update, read_one_entry, &found) == 0)
		return false;
	*entry = found.entry;
	if (row != NULL)
		*row = found.row;
	return true;
}

List *
find_related_entries(const Account *account, int64 related_seq)
{
	Datum		values[] = {Int64GetDatum(account->account_id), Int64GetDatum(related_seq)};
	List	   *entries = NIL;

	run_query(&select_related_entries, values, account->for_update, read_entry_into_list, &entries);
	return entries;
}

static Statement select_repaying_entries = {
	.sql = "SELECT * FROM storecredit.transaction WHERE account_id OPERATOR(pg_catalog.=) $1"
	" AND draws IS NOT NULL AND (kind OPERATOR(pg_catalog.=) 'credit' OR kind OPERATOR(pg_catalog.=) 'adjustment')"
	" ORDER BY account_id, seq",
	.nargs = 1, .argtypes = {INT8OID}
};

List *
find_repaying_entries(const Account *account)
{
	Datum		values[] = {Int64GetDatum(account->account_id)};
	List	   *entries = NIL;

	run_query(&select_repaying_entries, values, account->for_update, read_entry_into_list, &entries);
	return entries;
}

bool
is_repaying(const Entry *entry)
{
	return entry->draws.count > 0 && (strcmp(entry->kind, "credit") == 0 || strcmp(entry->kind, "adjustment") == 0);
}

/* ---- holds ---- */

/* Columns of storecredit.hold and store_credit_hold. */
enum
{
	HOLD_ACCOUNT_ID = 1,
	HOLD_HOLD_ID,
	HOLD_AMOUNT,
	HOLD_CAPTURED,
	HOLD_STATUS,
	HOLD_CREATED_AT,
	HOLD_EXPIRES_AT,
	HOLD_CLOSED_AT,
	HOLD_MEMO,
	HOLD_REFERENCE,
	HOLD_ISSUER,
	HOLD_RECORDED_BY,
	HOLD_IDEMPOTENCY_KEY,
	HOLD_METADATA,
	HOLD_AUTHORIZED,
	HOLD_DRAWS,
	HOLD_REQUEST_HASH,
	HOLD_CLOSING_KEY,
	HOLD_CLOSING_HASH,
	HOLD_COLUMNS = HOLD_CLOSING_HASH
};

static Statement insert_hold_row = {
	.sql = "INSERT INTO storecredit.hold (account_id, hold_id, amount, captured, status, created_at, expires_at, closed_at,"
	" memo, reference, issuer, recorded_by, idempotency_key, metadata, authorized, draws, request_hash,"
	" closing_key, closing_hash)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)"
	" RETURNING *",
	.nargs = HOLD_COLUMNS, .argtypes = {
		INT8OID, INT8OID, MONEY, MONEY, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID, TEXTOID,
		TEXTOID, TEXTOID, TEXTOID, JSONBOID, INT8ARRAYOID, INT8ARRAYOID, INT8OID, TEXTOID, INT8OID
	}
};

static Statement update_hold_row = {
	.sql = "UPDATE storecredit.hold SET captured = $3, status = $4, closed_at = $5, draws = $6, closing_key = $7,"
	" closing_hash = $8"
	" WHERE account_id OPERATOR(pg_catalog.=) $1 AND hold_id OPERATOR(pg_catalog.=) $2"
	" RETURNING *",
	.nargs = 8, .argtypes = {INT8OID, INT8OID, MONEY, TEXTOID, TIMESTAMPTZOID, INT8ARRAYOID, TEXTOID, INT8OID}
};

static Statement select_hold = {
	.sql = "SELECT * FROM storecredit.hold WHERE account_id OPERATOR(pg_catalog.=) $1"
	" AND hold_id OPERATOR(pg_catalog.=) $2",
	.nargs = 2, .argtypes = {INT8OID, INT8OID}
};

static Statement select_hold_by_key = {
	.sql = "SELECT * FROM storecredit.hold WHERE account_id OPERATOR(pg_catalog.=) $1"
	" AND (idempotency_key OPERATOR(pg_catalog.=) $2 OR closing_key OPERATOR(pg_catalog.=) $2)",
	.nargs = 2, .argtypes = {INT8OID, TEXTOID}
};

static Statement select_overdue_holds = {
	.sql = "SELECT * FROM storecredit.hold WHERE account_id OPERATOR(pg_catalog.=) $1"
	" AND expires_at OPERATOR(pg_catalog.<=) $2 AND closed_at IS NULL ORDER BY account_id, expires_at, hold_id",
	.nargs = 2, .argtypes = {INT8OID, TIMESTAMPTZOID}
};

/* Arguments of a statement, null unless set. */
typedef struct Arguments
{
	Datum		values[HOLD_COLUMNS];
	bool		isnull[HOLD_COLUMNS];
} Arguments;

static void
set_argument(Arguments *arguments, int n, Datum value)
{
	arguments->values[n - 1] = value;
	arguments->isnull[n - 1] = false;
}

static void
set_pointer_argument(Arguments *arguments, int n, const void *value)
{
	if (value != NULL)
		set_argument(arguments, n, PointerGetDatum(value));
}

static void
set_draws_argument(Arguments *arguments, int n, const Draws *draws)
{
	if (draws->count > 0)
		set_pointer_argument(arguments, n, draws_as_array(draws));
}

static void
read_hold(HeapTuple row, TupleDesc desc, void *result)
{
	Hold	   *hold = result;

	memset(hold, 0, sizeof(Hold));
	hold->hold_id = int64_column(row, desc, HOLD_HOLD_ID);
	hold->amount = minor_column(row, desc, HOLD_AMOUNT);
	hold->captured = minor_column(row, desc, HOLD_CAPTURED);
	hold->status = string_column(row, desc, HOLD_STATUS);
	hold->created_at = instant_column(row, desc, HOLD_CREATED_AT);
	hold->expires_at = instant_column(row, desc, HOLD_EXPIRES_AT);
	hold->closed_at = instant_column(row, desc, HOLD_CLOSED_AT);
	hold->authorized = draws_column(row, desc, HOLD_AUTHORIZED);
	hold->draws = draws_column(row, desc, HOLD_DRAWS);
	hold->request_hash = int64_column(row, desc, HOLD_REQUEST_HASH);
	hold->closing_key = text_column(row, desc, HOLD_CLOSING_KEY);
	hold->closing_hash = int64_column(row, desc, HOLD_CLOSING_HASH);
	hold->row = row_as_datum(row, get_ledger_tables()->hold_type, CurrentMemoryContext);
}

static void
read_hold_into_list(HeapTuple row, TupleDesc desc, void *result)
{
	List	  **list = result;
	Hold	   *hold = palloc(sizeof(Hold));

	read_hold(row, desc, hold);
	*list = lappend(*list, hold);
}

static void
read_hold_row(HeapTuple row, TupleDesc desc, void *result)
{
	Hold	   *hold = result;

	hold->row = row_as_datum(row, get_ledger_tables()->hold_type, CurrentMemoryContext);
}

void
insert_hold(const Account *account, Hold *hold)
{
	const Annotation *annotation = hold->annotation;
	text	   *session_user = cstring_to_text(GetUserNameFromId(GetSessionUserId(), false));
	MoneyCcy	amount = make_money_ccy(hold->amount, account->currency);
	MoneyCcy	captured = make_money_ccy(hold->captured, account->currency);
	Arguments	arguments;

	memset(arguments.isnull, true, sizeof(arguments.isnull));
	set_argument(&arguments, HOLD_ACCOUNT_ID, Int64GetDatum(account->account_id));
	set_argument(&arguments, HOLD_HOLD_ID, Int64GetDatum(hold->hold_id));
	set_argument(&arguments, HOLD_AMOUNT, MoneyCcyPGetDatum(&amount));
	set_argument(&arguments, HOLD_CAPTURED, MoneyCcyPGetDatum(&captured));
	set_argument(&arguments, HOLD_STATUS, CStringGetTextDatum(hold->status));
	set_argument(&arguments, HOLD_CREATED_AT, TimestampTzGetDatum(hold->created_at));
	if (hold->expires_at != NEVER)
		set_argument(&arguments, HOLD_EXPIRES_AT, TimestampTzGetDatum(hold->expires_at));
	set_pointer_argument(&arguments, HOLD_MEMO, annotation->memo);
	set_pointer_argument(&arguments, HOLD_REFERENCE, annotation->reference);
	set_pointer_argument(&arguments, HOLD_ISSUER, annotation->issuer ? annotation->issuer : session_user);
	set_pointer_argument(&arguments, HOLD_RECORDED_BY, session_user);
	set_pointer_argument(&arguments, HOLD_IDEMPOTENCY_KEY, annotation->idempotency_key);
	set_pointer_argument(&arguments, HOLD_METADATA, annotation->metadata);
	set_draws_argument(&arguments, HOLD_AUTHORIZED, &hold->authorized);
	set_draws_argument(&arguments, HOLD_DRAWS, &hold->draws);
	if (annotation->idempotency_key != NULL)
		set_argument(&arguments, HOLD_REQUEST_HASH, Int64GetDatum(hold->request_hash));

	require_one_row("hold", run_statement(&insert_hold_row, arguments.values, arguments.isnull,
										  SPI_OK_INSERT_RETURNING, read_hold_row, hold));
}

void
update_hold(const Account *account, Hold *hold)
{
	MoneyCcy	captured = make_money_ccy(hold->captured, account->currency);
	bool		is_open = strcmp(hold->status, "open") == 0;
	Arguments	arguments;

	memset(arguments.isnull, true, sizeof(arguments.isnull));
	set_argument(&arguments, 1, Int64GetDatum(account->account_id));
	set_argument(&arguments, 2, Int64GetDatum(hold->hold_id));
	set_argument(&arguments, 3, MoneyCcyPGetDatum(&captured));
	set_argument(&arguments, 4, CStringGetTextDatum(hold->status));
	if (!is_open)
		set_argument(&arguments, 5, TimestampTzGetDatum(hold->closed_at));
	set_draws_argument(&arguments, 6, &hold->draws);
	set_pointer_argument(&arguments, 7, hold->closing_key);
	if (hold->closing_key != NULL)
		set_argument(&arguments, 8, Int64GetDatum(hold->closing_hash));

	require_one_row("hold", run_statement(&update_hold_row, arguments.values, arguments.isnull,
										  SPI_OK_UPDATE_RETURNING, read_hold_row, hold));
}

bool
find_hold(const Account *account, int64 hold_id, Hold *hold)
{
	Datum		values[] = {Int64GetDatum(account->account_id), Int64GetDatum(hold_id)};

	return run_query(&select_hold, values, account->for_update, read_hold, hold) > 0;
}

bool
find_hold_by_key(const Account *account, const text *idempotency_key, Hold *hold)
{
	Datum		values[] = {Int64GetDatum(account->account_id), PointerGetDatum(idempotency_key)};

	return run_query(&select_hold_by_key, values, account->for_update, read_hold, hold) > 0;
}

List *
find_overdue_holds(const Account *account, TimestampTz now)
{
	Datum		values[] = {Int64GetDatum(account->account_id), TimestampTzGetDatum(now)};
	List	   *holds = NIL;

	run_query(&select_overdue_holds, values, account->for_update, read_hold_into_list, &holds);
	return holds;
}

static Statement select_hold_of_credit = {
	.sql = "SELECT FROM storecredit.hold h CROSS JOIN LATERAL"
	" pg_catalog.generate_series(1, pg_catalog.cardinality(h.draws), 2) n"
	" WHERE h.account_id OPERATOR(pg_catalog.=) $1 AND h.closed_at IS NULL"
	" AND h.draws[n] OPERATOR(pg_catalog.=) $2"
	" AND (h.expires_at IS NULL OR h.expires_at OPERATOR(pg_catalog.>) $3) LIMIT 1",
	.nargs = 3, .argtypes = {INT8OID, INT8OID, TIMESTAMPTZOID}
};

bool
credit_is_held(const Account *account, int64 seq, TimestampTz now)
{
	Datum		values[] = {Int64GetDatum(account->account_id), Int64GetDatum(seq), TimestampTzGetDatum(now)};

	return run_query(&select_hold_of_credit, values, account->for_update, NULL, NULL) > 0;
}
