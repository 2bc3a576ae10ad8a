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
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "chain.h"
#include "ledger_tables.h"
#include "limits.h"
#include "statement.h"
#include "store.h"
#include "store_rows.h"

#define ACCOUNT_COLUMNS \
	"a.account_id, a.last_seq, a.last_hold_id, a.balance, a.held, a.credit_line, a.max_balance, a.currency, a.last_hash"

static Statement lock_account_by_owner = {
	.sql = "SELECT " ACCOUNT_COLUMNS " FROM storecredit.account a"
	" WHERE a.owner OPERATOR(pg_catalog.=) $1 AND a.currency OPERATOR(pg_catalog.=) $2 FOR NO KEY UPDATE",
	.nargs = 2, .argtypes = {TEXTOID, TEXTOID}
};

static Statement lock_account_by_id = {
	.sql = "SELECT " ACCOUNT_COLUMNS " FROM storecredit.account a"
	" WHERE a.account_id OPERATOR(pg_catalog.=) $1 FOR NO KEY UPDATE",
	.nargs = 1, .argtypes = {INT8OID}
};

static Statement lock_free_account_by_id = {
	.sql = "SELECT " ACCOUNT_COLUMNS " FROM storecredit.account a"
	" WHERE a.account_id OPERATOR(pg_catalog.=) $1 FOR NO KEY UPDATE SKIP LOCKED",
	.nargs = 1, .argtypes = {INT8OID}
};

static Statement read_account_by_owner = {
	.sql = "SELECT " ACCOUNT_COLUMNS " FROM storecredit.account a"
	" WHERE a.owner OPERATOR(pg_catalog.=) $1 AND a.currency OPERATOR(pg_catalog.=) $2",
	.nargs = 2, .argtypes = {TEXTOID, TEXTOID}
};

static Statement read_account_by_id = {
	.sql = "SELECT " ACCOUNT_COLUMNS " FROM storecredit.account a"
	" WHERE a.account_id OPERATOR(pg_catalog.=) $1",
	.nargs = 1, .argtypes = {INT8OID}
};

static Statement update_account = {
	.sql = "UPDATE storecredit.account SET last_seq = $2, last_hold_id = $3, balance = $4, held = $5,"
	" last_hash = $6 WHERE account_id OPERATOR(pg_catalog.=) $1",
	.nargs = 6, .argtypes = {INT8OID, INT8OID, INT8OID, MONEY, MONEY, BYTEAOID}
};

static Statement select_credits = {
	.sql = "SELECT expires_at, seq, remaining FROM storecredit.open_credit"
	" WHERE account_id OPERATOR(pg_catalog.=) $1 ORDER BY account_id, expires_at, seq",
	.nargs = 1, .argtypes = {INT8OID}
};

static Statement insert_credit = {
	.sql = "INSERT INTO storecredit.open_credit (account_id, expires_at, seq, remaining) VALUES ($1, $2, $3, $4)",
	.nargs = 4, .argtypes = {INT8OID, TIMESTAMPTZOID, INT8OID, MONEY}
};

static Statement update_credit = {
	.sql = "UPDATE storecredit.open_credit SET remaining = $4 WHERE account_id OPERATOR(pg_catalog.=) $1"
	" AND expires_at OPERATOR(pg_catalog.=) $2 AND seq OPERATOR(pg_catalog.=) $3",
	.nargs = 4, .argtypes = {INT8OID, TIMESTAMPTZOID, INT8OID, MONEY}
};

static Statement delete_credit = {
	.sql = "DELETE FROM storecredit.open_credit WHERE account_id OPERATOR(pg_catalog.=) $1"
	" AND expires_at OPERATOR(pg_catalog.=) $2 AND seq OPERATOR(pg_catalog.=) $3",
	.nargs = 3, .argtypes = {INT8OID, TIMESTAMPTZOID, INT8OID}
};

static Statement select_due = {
	.sql = "SELECT account_id, expires_at, seq, remaining FROM storecredit.open_credit"
	" WHERE (expires_at, account_id) OPERATOR(pg_catalog.>) ($2, $3)"
	" AND expires_at OPERATOR(pg_catalog.<=) $1 AND expires_at OPERATOR(pg_catalog.<) 'infinity'"
	" ORDER BY expires_at, account_id",
	.nargs = 3, .argtypes = {TIMESTAMPTZOID, TIMESTAMPTZOID, INT8OID}
};

static Statement insert_entry = {
	.sql = "INSERT INTO storecredit.transaction (account_id, seq, amount, balance_after, created_at, expires_at, kind,"
	" category, memo, reference, issuer, recorded_by, idempotency_key, related_seq, hold_id, metadata, draws,"
	" request_hash, hash, salt)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)"
	" RETURNING *",
	.nargs = ENTRY_SALT, .argtypes = {
		INT8OID, INT8OID, MONEY, MONEY, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID,
		TEXTOID, TEXTOID, TEXTOID, INT8OID, INT8OID, JSONBOID, INT8ARRAYOID, INT8OID, BYTEAOID, BYTEAOID
	}
};

static Statement select_entry_by_key = {
	.sql = "SELECT * FROM storecredit.transaction WHERE account_id OPERATOR(pg_catalog.=) $1"
	" AND idempotency_key OPERATOR(pg_catalog.=) $2",
	.nargs = 2, .argtypes = {INT8OID, TEXTOID}
};

typedef struct PlainStore
{
	LedgerStore base;
	bool		for_update;
	UserContext caller;
	Portal		due;
	Portal		credits;
	SPITupleTable *batch;		/* of credits */
	uint64		batch_size;
	uint64		batch_next;
} PlainStore;

/* Few credits are looked at in most calls; a debit that needs many asks again. */
#define CREDITS_PER_FETCH	16

/* ---- cursors; SPI would leave its own memory context behind, and free it when the store is closed ---- */

static Portal
open_cursor(Statement *statement, Datum *values, bool read_only)
{
	MemoryContext caller_context = CurrentMemoryContext;
	Portal		portal = SPI_cursor_open(NULL, plan_of_statement(statement), values, NULL, read_only);

	MemoryContextSwitchTo(caller_context);
	return portal;
}

static void
fetch_rows(Portal portal, long count)
{
	MemoryContext caller_context = CurrentMemoryContext;

	SPI_cursor_fetch(portal, true, count);
	MemoryContextSwitchTo(caller_context);
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
	Datum		last_hash;

	if (store->for_update)
		statement = by_owner ? &lock_account_by_owner : base->skips_locked ? &lock_free_account_by_id : &lock_account_by_id;
	else
		statement = by_owner ? &read_account_by_owner : &read_account_by_id;
	values[0] = by_owner ? PointerGetDatum(ref->owner) : Int64GetDatum(ref->account_id);
	if (by_owner)
		values[1] = CStringGetTextDatum(ref->currency);
	if (execute_statement(statement, values, NULL, !store->for_update, SPI_OK_SELECT) == 0)
		return false;

	memset(account, 0, sizeof(*account));
	account->for_update = store->for_update;
	account->account_id = column_int64(1);
	account->last_seq = column_int64(2);
	account->last_hold_id = column_int64(3);
	account->balance = column_minor(4, 0);
	account->held = column_minor(5, 0);
	account->credit_line = column_minor(6, 0);
	account->max_balance = column_minor(7, CURRENCY_LIMIT_APPLIES);
	currency = TextDatumGetCString(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 8, &isnull));
	strlcpy(account->currency, currency, sizeof(account->currency));
	last_hash = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 9, &isnull);
	account->last_hash = copy_last_hash(account->account_id, last_hash, isnull);
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
		Int64GetDatum(account->last_hold_id),
		MoneyCcyPGetDatum(&balance),
		MoneyCcyPGetDatum(&held),
		PointerGetDatum(account->last_hash)
	};
	bool		isnull[] = {false, false, false, false, false, account->last_hash == NULL};

	vouch_for_balance(account->account_id, account->balance);
	require_one_row("account", execute_statement(&update_account, values, isnull, false, SPI_OK_UPDATE));
	vouch_for_balance(0, 0);
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

	store->credits = open_cursor(&select_credits, values, !store->for_update);
	store->batch = NULL;
	store->batch_size = 0;
	store->batch_next = 0;
}

static bool
fetch_credits(PlainStore *store)
{
	if (store->batch != NULL)
		SPI_freetuptable(store->batch);
	fetch_rows(store->credits, CREDITS_PER_FETCH);
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

	return execute_statement(statement, values, NULL, false, expected);
}

static void
plain_add_credit(LedgerStore *base, const Account *account, const OpenCredit *credit)
{
	require_one_row("open_credit",
					execute_on_credit(&insert_credit, account, credit, credit->remaining, SPI_OK_INSERT));
}

static void
plain_change_credit(LedgerStore *base, const Account *account, const OpenCredit *credit, int64 remaining)
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
	require_one_row("transaction", execute_statement(&insert_entry, row.values, row.isnull, false, SPI_OK_INSERT_RETURNING));
	if (entry->hash != NULL)
		require_chained_row(entry, SPI_tuptable->vals[0], SPI_tuptable->tupdesc);
	result = entry_as_datum(SPI_tuptable->vals[0], base->result_context);
	SPI_freetuptable(SPI_tuptable);
	return result;
}

static bool
plain_find_entry_by_key(LedgerStore *base, const Account *account, const text *idempotency_key,
						Datum *row, int64 *seq, int64 *request_hash)
{
	PlainStore *store = (PlainStore *) base;
	Datum		values[] = {Int64GetDatum(account->account_id), PointerGetDatum(idempotency_key)};

	if (execute_statement(&select_entry_by_key, values, NULL, !store->for_update, SPI_OK_SELECT) == 0)
		return false;
	*seq = column_int64(ENTRY_SEQ);
	*request_hash = column_int64(ENTRY_REQUEST_HASH);
	*row = entry_as_datum(SPI_tuptable->vals[0], base->result_context);
	SPI_freetuptable(SPI_tuptable);
	return true;
}

/* ---- sweeps ---- */

static void
plain_begin_due(LedgerStore *base, const DuePosition *after, TimestampTz now)
{
	Datum		values[] = {
		TimestampTzGetDatum(now), TimestampTzGetDatum(after->expires_at), Int64GetDatum(after->account_id)
	};

	((PlainStore *) base)->due = open_cursor(&select_due, values, false);
}

static bool
plain_next_due(LedgerStore *base, DueCredit *due)
{
	fetch_rows(((PlainStore *) base)->due, 1);
	if (SPI_processed == 0)
		return false;
	due->account_id = column_int64(1);
	due->credit.expires_at = column_int64(2);
	due->credit.seq = column_int64(3);
	due->credit.remaining = column_minor(4, 0);
	SPI_freetuptable(SPI_tuptable);
	return true;
}

static void
plain_end_due(LedgerStore *base)
{
	SPI_cursor_close(((PlainStore *) base)->due);
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
		.change_credit = plain_change_credit,
		.remove_credit = plain_remove_credit,
		.append_entry = plain_append_entry,
		.find_entry_by_key = plain_find_entry_by_key,
		.begin_due = plain_begin_due,
		.next_due = plain_next_due,
		.end_due = plain_end_due,
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
