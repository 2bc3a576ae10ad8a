/*
 * verify_scan.c
 *		The ledger's rows, account by account, all as of one moment.
 *
 * The cursors are read-only ones of SPI: they run under the snapshot of the
 * statement that called verify(), so what commits meanwhile is seen by none of
 * them, and what the caller's own transaction did before is seen by all.
 *
 * The rows come in the order of +account_id, which is that of account_id but of
 * no index.  So the whole ledger is read from the first page to the last and
 * sorted on disk: an index would lead to a page for each row, which is slow once
 * the table is larger than the cache, and a damaged one would hide rows.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/syscache.h"

#include "ledger_tables.h"
#include "store_rows.h"
#include "verify_scan.h"

#define BATCH_SIZE	1000

/* The columns that every cursor has; the others are named with each query. */
enum
{
	COLUMN_ACCOUNT_ID,
	COLUMN_MISSING,
	COLUMN_NUMBER,
	FIRST_COLUMN
};

#define NEEDED(column)	((uint32) 1 << (column))

enum
{
	ACCOUNT_LAST_SEQ = FIRST_COLUMN,
	ACCOUNT_BALANCE,
	ACCOUNT_HELD,
	ACCOUNT_CREDIT_LINE,
	ACCOUNT_LAST_HOLD_ID,
	ACCOUNT_MAX_BALANCE,
	ACCOUNT_CURRENCY,
	ACCOUNT_LAST_HASH
};

#define ACCOUNT_NEEDED \
	(NEEDED(COLUMN_ACCOUNT_ID) | NEEDED(ACCOUNT_LAST_SEQ) | NEEDED(ACCOUNT_BALANCE) | NEEDED(ACCOUNT_HELD) | \
	 NEEDED(ACCOUNT_CREDIT_LINE) | NEEDED(ACCOUNT_LAST_HOLD_ID) | NEEDED(ACCOUNT_CURRENCY))

static const char account_query[] =
	"SELECT a.account_id,"
	" CASE WHEN a.account_id IS NULL THEN 'account_id' WHEN a.opened_at IS NULL THEN 'opened_at'"
	" WHEN a.last_seq IS NULL THEN 'last_seq' WHEN a.balance IS NULL THEN 'balance'"
	" WHEN a.held IS NULL THEN 'held' WHEN a.credit_line IS NULL THEN 'credit_line'"
	" WHEN a.last_hold_id IS NULL THEN 'last_hold_id' WHEN a.currency IS NULL THEN 'currency'"
	" WHEN a.owner IS NULL THEN 'owner' END,"
	" NULL::pg_catalog.int8,"
	" a.last_seq, a.balance, a.held, a.credit_line, a.last_hold_id, a.max_balance, a.currency, a.last_hash"
	" FROM storecredit.account a %s ORDER BY OPERATOR(pg_catalog.+) a.account_id";

enum
{
	TRANSACTION_KIND = FIRST_COLUMN,
	TRANSACTION_AMOUNT,
	TRANSACTION_BALANCE_AFTER,
	TRANSACTION_CREATED_AT,
	TRANSACTION_EXPIRES_AT,
	TRANSACTION_IDEMPOTENCY_KEY,
	TRANSACTION_RELATED_SEQ,
	TRANSACTION_HOLD_ID,
	TRANSACTION_DRAWS,
	TRANSACTION_REQUEST_HASH,
	TRANSACTION_HASHED,			/* whether the columns from here on are read */
	TRANSACTION_CATEGORY,
	TRANSACTION_MEMO,
	TRANSACTION_REFERENCE,
	TRANSACTION_ISSUER,
	TRANSACTION_RECORDED_BY,
	TRANSACTION_METADATA,
	TRANSACTION_HASH,
	TRANSACTION_SALT,
	TRANSACTION_MEMO_DIGEST,
	TRANSACTION_METADATA_DIGEST
};

StaticAssertDecl(TRANSACTION_METADATA_DIGEST < SCAN_MAX_COLUMNS, "a row of the widest query fits");

#define TRANSACTION_NEEDED \
	(NEEDED(COLUMN_ACCOUNT_ID) | NEEDED(COLUMN_NUMBER) | NEEDED(TRANSACTION_KIND) | NEEDED(TRANSACTION_AMOUNT) | \
	 NEEDED(TRANSACTION_BALANCE_AFTER))

static const char transaction_query[] =
	"SELECT a.account_id,"
	" CASE WHEN a.account_id IS NULL THEN 'account_id' WHEN a.seq IS NULL THEN 'seq'"
	" WHEN a.kind IS NULL THEN 'kind' WHEN a.amount IS NULL THEN 'amount'"
	" WHEN a.balance_after IS NULL THEN 'balance_after' WHEN a.created_at IS NULL THEN 'created_at'"
	" WHEN a.issuer IS NULL THEN 'issuer' WHEN a.recorded_by IS NULL THEN 'recorded_by' END,"
	" a.seq,"
	" a.kind, a.amount, a.balance_after, a.created_at, a.expires_at, a.idempotency_key, a.related_seq,"
	" a.hold_id, a.draws, a.request_hash%s"
	" FROM storecredit.transaction a %%s ORDER BY OPERATOR(pg_catalog.+) a.account_id, a.seq";

/* What only the chain of hashes needs. */
static const char hashed_columns[] =
	", true, a.category, a.memo, a.reference, a.issuer, a.recorded_by, a.metadata,"
	" a.hash, a.salt, a.memo_digest, a.metadata_digest";

enum
{
	OPEN_CREDIT_EXPIRES_AT = FIRST_COLUMN,
	OPEN_CREDIT_REMAINING
};

#define OPEN_CREDIT_NEEDED \
	(NEEDED(COLUMN_ACCOUNT_ID) | NEEDED(COLUMN_NUMBER) | NEEDED(OPEN_CREDIT_EXPIRES_AT) | \
	 NEEDED(OPEN_CREDIT_REMAINING))

static const char open_credit_query[] =
	"SELECT a.account_id,"
	" CASE WHEN a.account_id IS NULL THEN 'account_id' WHEN a.expires_at IS NULL THEN 'expires_at'"
	" WHEN a.seq IS NULL THEN 'seq' WHEN a.remaining IS NULL THEN 'remaining' END,"
	" a.seq,"
	" a.expires_at, a.remaining"
	" FROM storecredit.open_credit a %s ORDER BY OPERATOR(pg_catalog.+) a.account_id, a.expires_at, a.seq";

enum
{
	HOLD_AMOUNT = FIRST_COLUMN,
	HOLD_CAPTURED,
	HOLD_STATUS,
	HOLD_EXPIRES_AT,
	HOLD_CLOSED_AT,
	HOLD_IDEMPOTENCY_KEY,
	HOLD_REQUEST_HASH,
	HOLD_CLOSING_KEY,
	HOLD_CLOSING_HASH,
	HOLD_AUTHORIZED,
	HOLD_DRAWS
};

#define HOLD_NEEDED \
	(NEEDED(COLUMN_ACCOUNT_ID) | NEEDED(COLUMN_NUMBER) | NEEDED(HOLD_AMOUNT) | NEEDED(HOLD_CAPTURED) | \
	 NEEDED(HOLD_STATUS))

static const char hold_query[] =
	"SELECT a.account_id,"
	" CASE WHEN a.account_id IS NULL THEN 'account_id' WHEN a.hold_id IS NULL THEN 'hold_id'"
	" WHEN a.amount IS NULL THEN 'amount' WHEN a.captured IS NULL THEN 'captured'"
	" WHEN a.status IS NULL THEN 'status' WHEN a.created_at IS NULL THEN 'created_at'"
	" WHEN a.issuer IS NULL THEN 'issuer' WHEN a.recorded_by IS NULL THEN 'recorded_by' END,"
	" a.hold_id,"
	" a.amount, a.captured, a.status, a.expires_at, a.closed_at, a.idempotency_key, a.request_hash,"
	" a.closing_key, a.closing_hash, a.authorized, a.draws"
	" FROM storecredit.hold a %s ORDER BY OPERATOR(pg_catalog.+) a.account_id, a.hold_id";

/* ---- cursors ---- */

static void
take_row(LedgerCursor *cursor)
{
	heap_deform_tuple(cursor->batch->vals[cursor->position], cursor->batch->tupdesc,
					  cursor->values, cursor->isnull);
}

/* SPI leaves its own memory context behind; the caller's is put back. */
static void
fetch_batch(LedgerCursor *cursor)
{
	MemoryContext caller = CurrentMemoryContext;

	if (cursor->batch != NULL)
		SPI_freetuptable(cursor->batch);
	SPI_cursor_fetch(cursor->portal, true, BATCH_SIZE);
	cursor->batch = SPI_tuptable;
	cursor->position = 0;
	cursor->done = SPI_processed == 0;
	MemoryContextSwitchTo(caller);
	if (!cursor->done)
		take_row(cursor);
}

void
advance_cursor(LedgerCursor *cursor)
{
	CHECK_FOR_INTERRUPTS();
	if (++cursor->position < cursor->batch->numvals)
		take_row(cursor);
	else
		fetch_batch(cursor);
}

static void
open_cursor(LedgerCursor *cursor, const char *row_name, uint32 needed, const char *query, const int64 *account_id)
{
	MemoryContext caller = CurrentMemoryContext;
	Oid			type = INT8OID;
	Datum		value = account_id != NULL ? Int64GetDatum(*account_id) : (Datum) 0;
	char	   *sql = psprintf(query, account_id != NULL ? "WHERE a.account_id OPERATOR(pg_catalog.=) $1" : "");

	memset(cursor, 0, sizeof(LedgerCursor));
	memset(cursor->isnull, true, sizeof(cursor->isnull));
	cursor->row_name = row_name;
	cursor->needed = needed;
	cursor->portal = SPI_cursor_open_with_args(NULL, sql, account_id != NULL ? 1 : 0, &type, &value, NULL,
											   true, CURSOR_OPT_NO_SCROLL);
	MemoryContextSwitchTo(caller);
	pfree(sql);
}

/* Where accounts are opened with a chain of hashes, last_hash has a default. */
static bool
has_tamper_evidence(void)
{
	Oid			account = get_ledger_tables()->account;
	HeapTuple	column = SearchSysCacheAttName(account, "last_hash");
	bool		has_default = HeapTupleIsValid(column) && ((Form_pg_attribute) GETSTRUCT(column))->atthasdef;

	if (HeapTupleIsValid(column))
		ReleaseSysCache(column);
	return has_default;
}

/* Of one account, or of any: a subscriber's may have chains that were not started there. */
static bool
has_chain(const int64 *account_id)
{
	MemoryContext caller = CurrentMemoryContext;
	Oid			type = INT8OID;
	Datum		value = account_id != NULL ? Int64GetDatum(*account_id) : (Datum) 0;
	char	   *sql = psprintf("SELECT FROM storecredit.account a WHERE a.last_hash IS NOT NULL%s LIMIT 1",
							   account_id != NULL ? " AND a.account_id OPERATOR(pg_catalog.=) $1" : "");
	bool		found;

	SPI_execute_with_args(sql, account_id != NULL ? 1 : 0, &type, &value, NULL, true, 1);
	found = SPI_processed > 0;
	SPI_freetuptable(SPI_tuptable);
	MemoryContextSwitchTo(caller);
	return found;
}

/* Where nothing is hashed, what people have written into the history need not be read. */
static void
open_transactions(LedgerScan *scan, const int64 *account_id)
{
	bool		hashed;
	char	   *query;

	scan->expects_chains = has_tamper_evidence();
	hashed = scan->expects_chains || has_chain(account_id);
	query = psprintf(transaction_query, hashed ? hashed_columns : "");
	open_cursor(&scan->transactions, "transaction", TRANSACTION_NEEDED, query, account_id);
	pfree(query);
}

void
begin_ledger_scan(LedgerScan *scan, const int64 *account_id)
{
	open_cursor(&scan->accounts, "account", ACCOUNT_NEEDED, account_query, account_id);
	open_transactions(scan, account_id);
	open_cursor(&scan->open_credits, "open credit", OPEN_CREDIT_NEEDED, open_credit_query, account_id);
	open_cursor(&scan->holds, "hold", HOLD_NEEDED, hold_query, account_id);
	fetch_batch(&scan->accounts);
	fetch_batch(&scan->transactions);
	fetch_batch(&scan->open_credits);
	fetch_batch(&scan->holds);
}

static void
close_cursor(LedgerCursor *cursor)
{
	SPI_freetuptable(cursor->batch);
	SPI_cursor_close(cursor->portal);
}

void
end_ledger_scan(LedgerScan *scan)
{
	close_cursor(&scan->accounts);
	close_cursor(&scan->transactions);
	close_cursor(&scan->open_credits);
	close_cursor(&scan->holds);
}

/* ---- in lockstep ---- */

static AccountKey
current_key(const LedgerCursor *cursor)
{
	AccountKey	key = {.isnull = cursor->isnull[COLUMN_ACCOUNT_ID]};

	if (!key.isnull)
		key.account_id = DatumGetInt64(cursor->values[COLUMN_ACCOUNT_ID]);
	return key;
}

static bool
key_before(const AccountKey *a, const AccountKey *b)
{
	if (a->isnull || b->isnull)
		return !a->isnull && b->isnull;
	return a->account_id < b->account_id;
}

bool
next_account_key(const LedgerScan *scan, AccountKey *key)
{
	const LedgerCursor *cursors[] = {&scan->accounts, &scan->transactions, &scan->open_credits, &scan->holds};
	bool		found = false;

	for (size_t i = 0; i < lengthof(cursors); i++)
	{
		AccountKey	candidate;

		if (cursors[i]->done)
			continue;
		candidate = current_key(cursors[i]);
		if (!found || key_before(&candidate, key))
			*key = candidate;
		found = true;
	}
	return found;
}

bool
cursor_at(const LedgerCursor *cursor, const AccountKey *key)
{
	AccountKey	current;

	if (cursor->done)
		return false;
	current = current_key(cursor);
	return current.isnull == key->isnull && current.account_id == key->account_id;
}

/* ---- rows ---- */

static char *
text_value(const LedgerCursor *cursor, int column)
{
	return cursor->isnull[column] ? NULL : TextDatumGetCString(cursor->values[column]);
}

static MoneyCcy
money_value(const LedgerCursor *cursor, int column)
{
	return *DatumGetMoneyCcyP(cursor->values[column]);
}

static TimestampTz
instant_value(const LedgerCursor *cursor, int column)
{
	return cursor->isnull[column] ? NEVER : DatumGetTimestampTz(cursor->values[column]);
}

static CallKey
key_value(const LedgerCursor *cursor, int key_column, int hash_column)
{
	return (CallKey) {.key = text_value(cursor, key_column), .has_hash = !cursor->isnull[hash_column]};
}

StaticAssertDecl(sizeof(Draw) == 2 * sizeof(int64), "pairs of an array are draws");

/* Returns NULL, or the array as text if it is no list of pairs. */
static char *
read_draws(const LedgerCursor *cursor, int column, Draws *draws)
{
	ArrayType  *array;
	int			items;

	memset(draws, 0, sizeof(Draws));
	if (cursor->isnull[column])
		return NULL;
	array = DatumGetArrayTypeP(cursor->values[column]);
	items = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	if (items == 0)
		return NULL;
	if (ARR_NDIM(array) != 1 || ARR_LBOUND(array)[0] != 1 || ARR_HASNULL(array) || items % 2 != 0)
		return OidOutputFunctionCall(F_ARRAY_OUT, cursor->values[column]);
	draws->count = items / 2;
	draws->items = (Draw *) ((char *) array + ARR_OVERHEAD_NONULLS(1));
	return NULL;
}

char *
missing_column(const LedgerCursor *cursor)
{
	return text_value(cursor, COLUMN_MISSING);
}

bool
row_number(const LedgerCursor *cursor, int64 *number)
{
	if (cursor->isnull[COLUMN_NUMBER])
		return false;
	*number = DatumGetInt64(cursor->values[COLUMN_NUMBER]);
	return true;
}

bool
row_is_readable(const LedgerCursor *cursor)
{
	for (int column = 0; column < SCAN_MAX_COLUMNS; column++)
	{
		if (cursor->isnull[column] && (cursor->needed & NEEDED(column)) != 0)
			return false;
	}
	return true;
}

void
read_account_row(const LedgerCursor *cursor, AccountRow *row)
{
	memset(row, 0, sizeof(AccountRow));
	row->last_seq = DatumGetInt64(cursor->values[ACCOUNT_LAST_SEQ]);
	row->balance = money_value(cursor, ACCOUNT_BALANCE);
	row->held = money_value(cursor, ACCOUNT_HELD);
	row->credit_line = money_value(cursor, ACCOUNT_CREDIT_LINE);
	row->last_hold_id = DatumGetInt64(cursor->values[ACCOUNT_LAST_HOLD_ID]);
	row->has_max_balance = !cursor->isnull[ACCOUNT_MAX_BALANCE];
	if (row->has_max_balance)
		row->max_balance = money_value(cursor, ACCOUNT_MAX_BALANCE);
	row->currency = text_value(cursor, ACCOUNT_CURRENCY);
	if (!cursor->isnull[ACCOUNT_LAST_HASH])
		row->last_hash = DatumGetByteaPCopy(cursor->values[ACCOUNT_LAST_HASH]);
}

void
read_transaction_row(const LedgerCursor *cursor, TransactionRow *row)
{
	memset(row, 0, sizeof(TransactionRow));
	row->seq = DatumGetInt64(cursor->values[COLUMN_NUMBER]);
	row->kind = text_value(cursor, TRANSACTION_KIND);
	row->amount = money_value(cursor, TRANSACTION_AMOUNT);
	row->balance_after = money_value(cursor, TRANSACTION_BALANCE_AFTER);
	row->has_created_at = !cursor->isnull[TRANSACTION_CREATED_AT];
	row->created_at = instant_value(cursor, TRANSACTION_CREATED_AT);
	row->expires_at = instant_value(cursor, TRANSACTION_EXPIRES_AT);
	row->idempotency_key = key_value(cursor, TRANSACTION_IDEMPOTENCY_KEY, TRANSACTION_REQUEST_HASH);
	row->has_related_seq = !cursor->isnull[TRANSACTION_RELATED_SEQ];
	if (row->has_related_seq)
		row->related_seq = DatumGetInt64(cursor->values[TRANSACTION_RELATED_SEQ]);
	row->has_hold_id = !cursor->isnull[TRANSACTION_HOLD_ID];
	if (row->has_hold_id)
		row->hold_id = DatumGetInt64(cursor->values[TRANSACTION_HOLD_ID]);
	row->malformed_draws = read_draws(cursor, TRANSACTION_DRAWS, &row->draws);
}

/* Where a column of storecredit.transaction is in the cursor. */
static const int hashed_row_columns[ENTRY_COLUMNS] = {
	[ENTRY_ACCOUNT_ID - 1] = COLUMN_ACCOUNT_ID,
	[ENTRY_SEQ - 1] = COLUMN_NUMBER,
	[ENTRY_AMOUNT - 1] = TRANSACTION_AMOUNT,
	[ENTRY_BALANCE_AFTER - 1] = TRANSACTION_BALANCE_AFTER,
	[ENTRY_CREATED_AT - 1] = TRANSACTION_CREATED_AT,
	[ENTRY_EXPIRES_AT - 1] = TRANSACTION_EXPIRES_AT,
	[ENTRY_KIND - 1] = TRANSACTION_KIND,
	[ENTRY_CATEGORY - 1] = TRANSACTION_CATEGORY,
	[ENTRY_MEMO - 1] = TRANSACTION_MEMO,
	[ENTRY_REFERENCE - 1] = TRANSACTION_REFERENCE,
	[ENTRY_ISSUER - 1] = TRANSACTION_ISSUER,
	[ENTRY_RECORDED_BY - 1] = TRANSACTION_RECORDED_BY,
	[ENTRY_IDEMPOTENCY_KEY - 1] = TRANSACTION_IDEMPOTENCY_KEY,
	[ENTRY_RELATED_SEQ - 1] = TRANSACTION_RELATED_SEQ,
	[ENTRY_HOLD_ID - 1] = TRANSACTION_HOLD_ID,
	[ENTRY_METADATA - 1] = TRANSACTION_METADATA,
	[ENTRY_DRAWS - 1] = TRANSACTION_DRAWS,
	[ENTRY_REQUEST_HASH - 1] = TRANSACTION_REQUEST_HASH,
	[ENTRY_HASH - 1] = TRANSACTION_HASH,
	[ENTRY_SALT - 1] = TRANSACTION_SALT,
	[ENTRY_MEMO_DIGEST - 1] = TRANSACTION_MEMO_DIGEST,
	[ENTRY_METADATA_DIGEST - 1] = TRANSACTION_METADATA_DIGEST,
};

bool
read_hashed_row(const LedgerCursor *cursor, Datum *values, bool *isnull)
{
	if (cursor->isnull[TRANSACTION_HASHED])
		return false;
	for (int i = 0; i < ENTRY_COLUMNS; i++)
	{
		values[i] = cursor->values[hashed_row_columns[i]];
		isnull[i] = cursor->isnull[hashed_row_columns[i]];
	}
	return true;
}

void
read_open_credit_row(const LedgerCursor *cursor, OpenCreditRow *row)
{
	row->seq = DatumGetInt64(cursor->values[COLUMN_NUMBER]);
	row->expires_at = instant_value(cursor, OPEN_CREDIT_EXPIRES_AT);
	row->remaining = money_value(cursor, OPEN_CREDIT_REMAINING);
}

void
read_hold_row(const LedgerCursor *cursor, HoldRow *row)
{
	memset(row, 0, sizeof(HoldRow));
	row->hold_id = DatumGetInt64(cursor->values[COLUMN_NUMBER]);
	row->amount = money_value(cursor, HOLD_AMOUNT);
	row->captured = money_value(cursor, HOLD_CAPTURED);
	row->status = text_value(cursor, HOLD_STATUS);
	row->expires_at = instant_value(cursor, HOLD_EXPIRES_AT);
	row->closed = !cursor->isnull[HOLD_CLOSED_AT];
	row->closed_at = instant_value(cursor, HOLD_CLOSED_AT);
	row->idempotency_key = key_value(cursor, HOLD_IDEMPOTENCY_KEY, HOLD_REQUEST_HASH);
	row->closing_key = key_value(cursor, HOLD_CLOSING_KEY, HOLD_CLOSING_HASH);
	row->malformed_authorized = read_draws(cursor, HOLD_AUTHORIZED, &row->authorized);
	row->malformed_draws = read_draws(cursor, HOLD_DRAWS, &row->draws);
}
