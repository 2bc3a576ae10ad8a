/*
 * store_plain.c
 *		The ledger's rows through SQL: the truth, and what serves every table.
 *
 * Here users' triggers, rules, row-level security and foreign keys all have
 * their say.  The statements run with the rights of the ledger's owner, and
 * name everything in full: nothing depends on the caller's search_path.
 *
 * take_account() locks the row, so save_account() and confirm_account() always
 * succeed.  In READ COMMITTED every statement has a snapshot of its own, and so
 * sees what was committed before the lock was got.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "ledger_tables.h"
#include "limits.h"
#include "store.h"
#include "store_rows.h"
#include "storecredit.h"

/* A statement whose plan is kept for the session. */
typedef struct Statement
{
	const char *sql;
	int			nargs;
	Oid			argtypes[ENTRY_COLUMNS];
	SPIPlanPtr	plan;
	Oid			money_type;		/* that the plan was made for */
} Statement;

/* Stands for money_ccy, whose oid is not known when this is compiled. */
#define MONEY	InvalidOid

#define ACCOUNT_COLUMNS \
	"a.account_id, a.last_seq, a.balance, a.held, a.credit_line, a.max_balance, a.currency"

static Statement lock_account_by_owner = {
	"SELECT " ACCOUNT_COLUMNS " FROM storecredit.account a"
	" WHERE a.owner OPERATOR(pg_catalog.=) $1 AND a.currency OPERATOR(pg_catalog.=) $2 FOR NO KEY UPDATE",
	2, {TEXTOID, TEXTOID}
};

static Statement lock_account_by_id = {
	"SELECT " ACCOUNT_COLUMNS " FROM storecredit.account a"
	" WHERE a.account_id OPERATOR(pg_catalog.=) $1 FOR NO KEY UPDATE",
	1, {INT8OID}
};

static Statement read_account_by_owner = {
	"SELECT " ACCOUNT_COLUMNS " FROM storecredit.account a"
	" WHERE a.owner OPERATOR(pg_catalog.=) $1 AND a.currency OPERATOR(pg_catalog.=) $2",
	2, {TEXTOID, TEXTOID}
};

static Statement read_account_by_id = {
	"SELECT " ACCOUNT_COLUMNS " FROM storecredit.account a"
	" WHERE a.account_id OPERATOR(pg_catalog.=) $1",
	1, {INT8OID}
};

static Statement update_account = {
	"UPDATE storecredit.account SET last_seq = $2, balance = $3, held = $4"
	" WHERE account_id OPERATOR(pg_catalog.=) $1",
	4, {INT8OID, INT8OID, MONEY, MONEY}
};

static Statement insert_account = {
	"INSERT INTO storecredit.account"
	" (account_id, opened_at, last_seq, balance, held, credit_line, last_hold_id, currency, owner)"
	" VALUES (($1::pg_catalog.int8 OPERATOR(pg_catalog.<<) 48)"
	" OPERATOR(pg_catalog.|) pg_catalog.nextval('storecredit.account_number_seq'),"
	" $2, 0, $3, $3, $3, 0, $4, $5)"
	" ON CONFLICT ON CONSTRAINT account_owner_currency_key DO NOTHING",
	5, {INT8OID, TIMESTAMPTZOID, MONEY, TEXTOID, TEXTOID}
};

static Statement select_credits = {
	"SELECT expires_at, seq, remaining FROM storecredit.open_credit"
	" WHERE account_id OPERATOR(pg_catalog.=) $1 ORDER BY account_id, expires_at, seq",
	1, {INT8OID}
};

static Statement insert_credit = {
	"INSERT INTO storecredit.open_credit (account_id, expires_at, seq, remaining) VALUES ($1, $2, $3, $4)",
	4, {INT8OID, TIMESTAMPTZOID, INT8OID, MONEY}
};

static Statement update_credit = {
	"UPDATE storecredit.open_credit SET remaining = $4 WHERE account_id OPERATOR(pg_catalog.=) $1"
	" AND expires_at OPERATOR(pg_catalog.=) $2 AND seq OPERATOR(pg_catalog.=) $3",
	4, {INT8OID, TIMESTAMPTZOID, INT8OID, MONEY}
};

static Statement delete_credit = {
	"DELETE FROM storecredit.open_credit WHERE account_id OPERATOR(pg_catalog.=) $1"
	" AND expires_at OPERATOR(pg_catalog.=) $2 AND seq OPERATOR(pg_catalog.=) $3",
	3, {INT8OID, TIMESTAMPTZOID, INT8OID}
};

static Statement insert_entry = {
	"INSERT INTO storecredit.transaction (account_id, seq, kind, amount, balance_after, created_at, expires_at,"
	" category, memo, reference, issuer, recorded_by, idempotency_key, related_seq, hold_id, metadata, draws,"
	" request_hash)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)"
	" RETURNING *",
	ENTRY_COLUMNS, {
		INT8OID, INT8OID, TEXTOID, MONEY, MONEY, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID,
		TEXTOID, TEXTOID, TEXTOID, INT8OID, INT8OID, JSONBOID, INT8ARRAYOID, INT8OID
	}
};

static Statement select_entry_by_key = {
	"SELECT * FROM storecredit.transaction WHERE account_id OPERATOR(pg_catalog.=) $1"
	" AND idempotency_key OPERATOR(pg_catalog.=) $2",
	2, {INT8OID, TEXTOID}
};

static Statement update_account_limits = {
	"UPDATE storecredit.account SET max_balance = $2, credit_line = $3"
	" WHERE account_id OPERATOR(pg_catalog.=) $1",
	3, {INT8OID, MONEY, MONEY}
};

static Statement upsert_currency_limit = {
	"INSERT INTO storecredit.currency_limit AS l (currency, max_balance, max_credit, max_debit)"
	" VALUES ($1, $2, $3, $4)"
	" ON CONFLICT ON CONSTRAINT currency_limit_pkey DO UPDATE SET max_balance = excluded.max_balance,"
	" max_credit = excluded.max_credit, max_debit = excluded.max_debit",
	4, {TEXTOID, MONEY, MONEY, MONEY}
};

static Statement insert_notification = {
	"INSERT INTO storecredit.notification (created_at, event, account_id, seq) VALUES ($1, $2, $3, $4)",
	4, {TIMESTAMPTZOID, TEXTOID, INT8OID, INT8OID}
};

typedef struct PlainStore
{
	LedgerStore base;
	bool		for_update;
	UserContext caller;
	Portal		credits;
	SPITupleTable *batch;		/* of credits */
	uint64		batch_size;
	uint64		batch_next;
} PlainStore;

/* Few credits are looked at in most calls; a debit that needs many asks again. */
#define CREDITS_PER_FETCH	16

/* ---- statements ---- */

static SPIPlanPtr
plan_of(Statement *statement)
{
	Oid			money_type = get_ledger_tables()->money_type;
	Oid			argtypes[ENTRY_COLUMNS];
	SPIPlanPtr	plan;

	/* The extension may have been made anew since. */
	if (statement->plan != NULL && statement->money_type != money_type)
	{
		SPI_freeplan(statement->plan);
		statement->plan = NULL;
	}
	if (statement->plan != NULL)
		return statement->plan;

	for (int i = 0; i < statement->nargs; i++)
		argtypes[i] = statement->argtypes[i] == MONEY ? money_type : statement->argtypes[i];
	plan = SPI_prepare(statement->sql, statement->nargs, argtypes);
	if (plan == NULL || SPI_keepplan(plan) != 0)
		elog(ERROR, "could not prepare \"%s\": %s", statement->sql, SPI_result_code_string(SPI_result));
	statement->money_type = money_type;
	statement->plan = plan;
	return plan;
}

/* Returns the number of rows; SPI_tuptable has them where the statement returns any. */
static uint64
execute(Statement *statement, Datum *values, const bool *isnull, bool read_only, int expected)
{
	char		nulls[ENTRY_COLUMNS];
	int			result;

	if (isnull != NULL)
	{
		for (int i = 0; i < statement->nargs; i++)
			nulls[i] = isnull[i] ? 'n' : ' ';
	}
	result = SPI_execute_plan(plan_of(statement), values, isnull != NULL ? nulls : NULL, read_only, 0);
	if (result == SPI_OK_REWRITTEN)
		return 0;				/* a rule took it over */
	if (result != expected)
		elog(ERROR, "could not execute \"%s\": %s", statement->sql, SPI_result_code_string(result));
	return SPI_processed;
}

/*
 * A row of the ledger that is there was not written: a rule or a trigger of the
 * ledger's user took the statement over.  Going on would leave the books wrong.
 */
void
row_not_written(const char *table)
{
	ereport(ERROR,
			(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
			 errmsg("a row of table \"%s.%s\" was not written", STORECREDIT_SCHEMA, table),
			 errhint("A trigger, a rule or a policy on the table must not suppress what the ledger writes.")));
}

static void
require_one_row(const char *table, uint64 rows)
{
	if (rows != 1)
		row_not_written(table);
}

/* ---- the account ---- */

static int64
column_int64(int attnum)
{
	bool		isnull;

	return DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, attnum, &isnull));
}

static int64
column_minor(int attnum, int64 if_null)
{
	bool		isnull;
	Datum		value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, attnum, &isnull);

	return isnull ? if_null : DatumGetMoneyCcyP(value)->minor;
}

static bool
plain_take_account(LedgerStore *base, const AccountRef *ref, Account *account)
{
	PlainStore *store = (PlainStore *) base;
	bool		by_owner = ref->owner != NULL;
	Datum		values[2];
	Statement  *statement;
	bool		isnull;
	char	   *currency;

	if (store->for_update)
		statement = by_owner ? &lock_account_by_owner : &lock_account_by_id;
	else
		statement = by_owner ? &read_account_by_owner : &read_account_by_id;
	values[0] = by_owner ? PointerGetDatum(ref->owner) : Int64GetDatum(ref->account_id);
	if (by_owner)
		values[1] = CStringGetTextDatum(ref->currency);
	if (execute(statement, values, NULL, !store->for_update, SPI_OK_SELECT) == 0)
		return false;

	memset(account, 0, sizeof(*account));
	account->account_id = column_int64(1);
	account->last_seq = column_int64(2);
	account->balance = column_minor(3, 0);
	account->held = column_minor(4, 0);
	account->credit_line = column_minor(5, 0);
	account->max_balance = column_minor(6, CURRENCY_LIMIT_APPLIES);
	currency = TextDatumGetCString(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 7, &isnull));
	strlcpy(account->currency, currency, sizeof(account->currency));
	SPI_freetuptable(SPI_tuptable);
	return true;
}

static bool
plain_save_account(LedgerStore *base, Account *account)
{
	MoneyCcy	balance = make_money_ccy(account->balance, account->currency);
	MoneyCcy	held = make_money_ccy(account->held, account->currency);
	Datum		values[] = {
		Int64GetDatum(account->account_id),
		Int64GetDatum(account->last_seq),
		MoneyCcyPGetDatum(&balance),
		MoneyCcyPGetDatum(&held)
	};

	require_one_row("account", execute(&update_account, values, NULL, false, SPI_OK_UPDATE));
	return true;
}

static bool
plain_confirm_account(LedgerStore *base, Account *account)
{
	return true;
}

/* ---- open credits ---- */

static void
plain_begin_credits(LedgerStore *base, const Account *account)
{
	PlainStore *store = (PlainStore *) base;
	Datum		values[] = {Int64GetDatum(account->account_id)};

	store->credits = SPI_cursor_open(NULL, plan_of(&select_credits), values, NULL, !store->for_update);
	store->batch = NULL;
	store->batch_size = 0;
	store->batch_next = 0;
}

static bool
fetch_credits(PlainStore *store)
{
	if (store->batch != NULL)
		SPI_freetuptable(store->batch);
	SPI_cursor_fetch(store->credits, true, CREDITS_PER_FETCH);
	store->batch = SPI_tuptable;
	store->batch_size = SPI_processed;
	store->batch_next = 0;
	return store->batch_size > 0;
}

static bool
plain_next_credit(LedgerStore *base, OpenCredit *credit)
{
	PlainStore *store = (PlainStore *) base;
	TupleDesc	desc;
	HeapTuple	tuple;
	bool		isnull;

	if (store->batch_next == store->batch_size && !fetch_credits(store))
		return false;

	desc = store->batch->tupdesc;
	tuple = store->batch->vals[store->batch_next++];
	credit->expires_at = DatumGetTimestampTz(SPI_getbinval(tuple, desc, 1, &isnull));
	credit->seq = DatumGetInt64(SPI_getbinval(tuple, desc, 2, &isnull));
	credit->remaining = DatumGetMoneyCcyP(SPI_getbinval(tuple, desc, 3, &isnull))->minor;
	return true;
}

static void
plain_end_credits(LedgerStore *base)
{
	PlainStore *store = (PlainStore *) base;

	if (store->batch != NULL)
		SPI_freetuptable(store->batch);
	SPI_cursor_close(store->credits);
}

/* The columns that the statements on open_credit share, in their order. */
static uint64
execute_on_credit(Statement *statement, const Account *account, const OpenCredit *credit,
				  int64 remaining, int expected)
{
	MoneyCcy	money = make_money_ccy(remaining, account->currency);
	Datum		values[] = {
		Int64GetDatum(account->account_id),
		TimestampTzGetDatum(credit->expires_at),
		Int64GetDatum(credit->seq),
		MoneyCcyPGetDatum(&money)
	};

	return execute(statement, values, NULL, false, expected);
}

static void
plain_add_credit(LedgerStore *base, const Account *account, const OpenCredit *credit)
{
	require_one_row("open_credit",
					execute_on_credit(&insert_credit, account, credit, credit->remaining, SPI_OK_INSERT));
}

static void
plain_lessen_credit(LedgerStore *base, const Account *account, const OpenCredit *credit, int64 remaining)
{
	require_one_row("open_credit",
					execute_on_credit(&update_credit, account, credit, remaining, SPI_OK_UPDATE));
}

static void
plain_remove_credit(LedgerStore *base, const Account *account, const OpenCredit *credit)
{
	require_one_row("open_credit",
					execute_on_credit(&delete_credit, account, credit, 0, SPI_OK_DELETE));
}

/* ---- history ---- */

static Datum
plain_append_entry(LedgerStore *base, const Account *account, const Entry *entry)
{
	EntryRow	row;
	Datum		result;

	fill_entry_row(&row, account, entry);
	require_one_row("transaction", execute(&insert_entry, row.values, row.isnull, false, SPI_OK_INSERT_RETURNING));
	result = entry_as_datum(SPI_tuptable->vals[0], base->result_context);
	SPI_freetuptable(SPI_tuptable);
	return result;
}

static bool
plain_find_entry_by_key(LedgerStore *base, const Account *account, const text *idempotency_key,
						Datum *row, int64 *request_hash)
{
	PlainStore *store = (PlainStore *) base;
	Datum		values[] = {Int64GetDatum(account->account_id), PointerGetDatum(idempotency_key)};

	if (execute(&select_entry_by_key, values, NULL, !store->for_update, SPI_OK_SELECT) == 0)
		return false;
	*request_hash = column_int64(ENTRY_REQUEST_HASH);
	*row = entry_as_datum(SPI_tuptable->vals[0], base->result_context);
	SPI_freetuptable(SPI_tuptable);
	return true;
}

/* ---- what is done outside a store ---- */

/* One statement, with the rights of the ledger's owner. */
static uint64
execute_alone(Statement *statement, Datum *values, const bool *isnull, int expected)
{
	UserContext caller;
	uint64		rows;

	SPI_connect();
	become_ledger_owner(&caller);
	rows = execute(statement, values, isnull, false, expected);
	become_caller(&caller);
	SPI_finish();
	return rows;
}

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

	execute_alone(&insert_account, values, NULL, SPI_OK_INSERT);
}

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

	require_one_row("account", execute_alone(&update_account_limits, values, isnull, SPI_OK_UPDATE));
}

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

	require_one_row("currency_limit", execute_alone(&upsert_currency_limit, values, isnull, SPI_OK_INSERT));
}

void
add_notification(const Account *account, const char *event, int64 seq, TimestampTz now)
{
	Datum		values[] = {
		TimestampTzGetDatum(now),
		CStringGetTextDatum(event),
		Int64GetDatum(account->account_id),
		Int64GetDatum(seq)
	};

	require_one_row("notification", execute_alone(&insert_notification, values, NULL, SPI_OK_INSERT));
}

/* ---- the store ---- */

static void
plain_close(LedgerStore *base)
{
	PlainStore *store = (PlainStore *) base;

	become_caller(&store->caller);
	SPI_finish();
	pfree(store);
}

LedgerStore *
open_plain_store(bool for_update)
{
	static const LedgerStore methods = {
		.take_account = plain_take_account,
		.save_account = plain_save_account,
		.confirm_account = plain_confirm_account,
		.begin_credits = plain_begin_credits,
		.next_credit = plain_next_credit,
		.end_credits = plain_end_credits,
		.add_credit = plain_add_credit,
		.lessen_credit = plain_lessen_credit,
		.remove_credit = plain_remove_credit,
		.append_entry = plain_append_entry,
		.find_entry_by_key = plain_find_entry_by_key,
		.close = plain_close,
	};
	PlainStore *store = palloc0(sizeof(PlainStore));

	store->base = methods;
	store->base.result_context = CurrentMemoryContext;
	store->for_update = for_update;

	SPI_connect();
	/* What the rules allocate is the caller's, not to be freed with SPI. */
	MemoryContextSwitchTo(store->base.result_context);
	become_ledger_owner(&store->caller);
	return &store->base;
}
