/*
 * store.c
 *		Which store serves a call, and the shape of the rows that both write.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "ledger_tables.h"
#include "store.h"
#include "store_rows.h"
#include "storecredit.h"

LedgerStore *
open_store(bool for_update)
{
	LedgerStore *store = NULL;

	if (for_update)
	{
		PreventCommandIfReadOnly("changing a store credit account");
		PreventCommandIfParallelMode("changing a store credit account");
	}
	if (storecredit_fast_path)
		store = open_fast_store(for_update);
	if (store == NULL)
		store = open_plain_store(for_update);
	return store;
}

static void
set_value(EntryRow *row, int attnum, Datum value)
{
	row->values[attnum - 1] = value;
	row->isnull[attnum - 1] = false;
}

static void
set_pointer(EntryRow *row, int attnum, const void *value)
{
	if (value != NULL)
		set_value(row, attnum, PointerGetDatum(value));
}

ArrayType *
draws_as_array(const Draws *draws)
{
	Datum	   *elements = palloc(2 * draws->count * sizeof(Datum));

	for (int i = 0; i < draws->count; i++)
	{
		elements[2 * i] = Int64GetDatum(draws->items[i].credit_seq);
		elements[2 * i + 1] = Int64GetDatum(draws->items[i].minor);
	}
	return construct_array(elements, 2 * draws->count, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
}

void
add_draw(Draws *draws, int64 credit_seq, int64 minor)
{
	Draw	   *draw;

	if (draws->count == draws->room)
	{
		draws->room = draws->room == 0 ? 4 : draws->room * 2;
		draws->items = draws->items == NULL ?
			palloc(draws->room * sizeof(Draw)) :
			repalloc(draws->items, draws->room * sizeof(Draw));
	}
	draw = &draws->items[draws->count++];
	draw->credit_seq = credit_seq;
	draw->minor = minor;
}

void
fill_entry_row(EntryRow *row, const Account *account, const Entry *entry)
{
	const Annotation *annotation = entry->annotation;
	text	   *session_user = cstring_to_text(GetUserNameFromId(GetSessionUserId(), false));

	memset(row->isnull, true, sizeof(row->isnull));
	row->amount = make_money_ccy(entry->amount, account->currency);
	row->balance_after = make_money_ccy(entry->balance_after, account->currency);

	set_value(row, ENTRY_ACCOUNT_ID, Int64GetDatum(account->account_id));
	set_value(row, ENTRY_SEQ, Int64GetDatum(entry->seq));
	set_value(row, ENTRY_KIND, CStringGetTextDatum(entry->kind));
	set_value(row, ENTRY_AMOUNT, MoneyCcyPGetDatum(&row->amount));
	set_value(row, ENTRY_BALANCE_AFTER, MoneyCcyPGetDatum(&row->balance_after));
	set_value(row, ENTRY_CREATED_AT, TimestampTzGetDatum(entry->created_at));
	if (entry->expires_at != NEVER)
		set_value(row, ENTRY_EXPIRES_AT, TimestampTzGetDatum(entry->expires_at));
	set_pointer(row, ENTRY_CATEGORY, annotation->category);
	set_pointer(row, ENTRY_MEMO, annotation->memo);
	set_pointer(row, ENTRY_REFERENCE, annotation->reference);
	set_pointer(row, ENTRY_ISSUER, annotation->issuer ? annotation->issuer : session_user);
	set_pointer(row, ENTRY_RECORDED_BY, session_user);
	set_pointer(row, ENTRY_IDEMPOTENCY_KEY, annotation->idempotency_key);
	if (entry->related_seq != 0)
		set_value(row, ENTRY_RELATED_SEQ, Int64GetDatum(entry->related_seq));
	if (entry->hold_id != 0)
		set_value(row, ENTRY_HOLD_ID, Int64GetDatum(entry->hold_id));
	set_pointer(row, ENTRY_METADATA, annotation->metadata);
	if (entry->draws.count > 0)
		set_pointer(row, ENTRY_DRAWS, draws_as_array(&entry->draws));
	if (annotation->idempotency_key != NULL)
		set_value(row, ENTRY_REQUEST_HASH, Int64GetDatum(entry->request_hash));
	set_pointer(row, ENTRY_HASH, entry->hash);
	set_pointer(row, ENTRY_SALT, entry->salt);
}

Datum
row_as_datum(HeapTuple row, Oid type, MemoryContext context)
{
	MemoryContext caller = MemoryContextSwitchTo(context);
	TupleDesc	desc = lookup_rowtype_tupdesc(type, -1);
	Datum		result = heap_copy_tuple_as_datum(row, desc);

	ReleaseTupleDesc(desc);
	MemoryContextSwitchTo(caller);
	return result;
}

Datum
entry_as_datum(HeapTuple row, MemoryContext context)
{
	return row_as_datum(row, get_ledger_tables()->entry_type, context);
}

int64
seq_of_row(Datum row)
{
	bool		isnull;

	return DatumGetInt64(GetAttributeByNum(DatumGetHeapTupleHeader(row), ENTRY_SEQ, &isnull));
}
