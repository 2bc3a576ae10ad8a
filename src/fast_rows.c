/*
 * fast_rows.c
 *		Rows through the table and index access methods: finding, entering in the
 *		indexes, making room.
 *
 * It knows heap and btree, and nothing of store credit.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/nbtree.h"
#include "access/table.h"
#include "catalog/pg_collation.h"
#include "executor/tuptable.h"
#include "storage/bufmgr.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "fast_rows.h"

/* ---- tables and indexes ---- */

bool
open_fast_table(OpenTable *table, Oid relid, LOCKMODE lockmode)
{
	table->rel = try_table_open(relid, lockmode);
	table->lockmode = lockmode;
	return table->rel != NULL;
}

void
close_fast_table(OpenTable *table)
{
	for (int i = 0; i < MAX_FAST_INDEXES; i++)
	{
		if (table->indexes[i] != NULL)
			index_close(table->indexes[i], NoLock);
	}
	if (table->rel != NULL)
		table_close(table->rel, NoLock);
}

static Relation
get_index(OpenTable *table, int i)
{
	if (table->indexes[i] == NULL)
		table->indexes[i] = index_open(table->table->indexes[i].oid, table->lockmode);
	return table->indexes[i];
}

static bool
is_text(Datum value, const text *word)
{
	const text *text_value = DatumGetTextPP(value);

	return VARSIZE_ANY_EXHDR(text_value) == VARSIZE_ANY_EXHDR(word) &&
		memcmp(VARDATA_ANY(text_value), VARDATA_ANY(word), VARSIZE_ANY_EXHDR(word)) == 0;
}

static bool
index_has_row(const FastPredicate *predicate, const Datum *values, const bool *isnull)
{
	int			not_null = predicate->not_null - 1;
	int			before_infinity = predicate->before_infinity - 1;
	int			differs = predicate->differs - 1;

	return (not_null < 0 || !isnull[not_null]) &&
		(before_infinity < 0 ||
		 (!isnull[before_infinity] && DatumGetTimestampTz(values[before_infinity]) < DT_NOEND)) &&
		(differs < 0 || (!isnull[differs] && !is_text(values[differs], predicate->from)));
}

/* Enters a row in every index that has it; moved: it is a new version of a row, with the same keys. */
static void
insert_index_entries(OpenTable *table, ItemPointer tid, const Datum *values, const bool *isnull, bool moved)
{
	for (int i = 0; i < table->table->index_count; i++)
	{
		const FastIndex *index = &table->table->indexes[i];
		Datum		keys[INDEX_MAX_KEYS];
		bool		key_isnull[INDEX_MAX_KEYS];

		if (!index_has_row(&index->predicate, values, isnull))
			continue;
		for (int k = 0; k < index->info->ii_NumIndexAttrs; k++)
		{
			AttrNumber	column = index->info->ii_IndexAttrNumbers[k] - 1;

			keys[k] = values[column];
			key_isnull[k] = isnull[column];
		}
		index_insert(get_index(table, i), keys, key_isnull, tid, table->rel,
					 index->unique ? UNIQUE_CHECK_YES : UNIQUE_CHECK_NO, moved, index->info);
	}
}

void
insert_row(OpenTable *table, HeapTuple row, const Datum *values, const bool *isnull)
{
	heap_insert(table->rel, row, GetCurrentCommandId(true), 0, NULL);
	insert_index_entries(table, &row->t_self, values, isnull, false);
}

void
insert_row_later(OpenTable *table, const Datum *values, const bool *isnull, MemoryContext context)
{
	MemoryContext caller = MemoryContextSwitchTo(context);
	TupleTableSlot **slot;

	if (table->later == NULL)
	{
		table->later = palloc0(sizeof(LaterRows));
		/* Of a copy: each slot would have the relation's counted. */
		table->later->desc = CreateTupleDescCopy(RelationGetDescr(table->rel));
	}
	slot = &table->later->slots[table->later->count];
	if (*slot == NULL)
		*slot = MakeSingleTupleTableSlot(table->later->desc, &TTSOpsHeapTuple);
	ExecStoreHeapTuple(heap_form_tuple(table->later->desc, (Datum *) values, (bool *) isnull), *slot, true);
	MemoryContextSwitchTo(caller);
	if (++table->later->count == (int) lengthof(table->later->slots))
		write_later_rows(table);
}

void
write_later_rows(OpenTable *table)
{
	LaterRows  *later = table->later;

	if (later == NULL || later->count == 0)
		return;
	heap_multi_insert(table->rel, later->slots, later->count, GetCurrentCommandId(true), 0, NULL);
	for (int i = 0; i < later->count; i++)
	{
		TupleTableSlot *slot = later->slots[i];

		slot_getallattrs(slot);
		insert_index_entries(table, &slot->tts_tid, slot->tts_values, slot->tts_isnull, false);
		ExecClearTuple(slot);
	}
	later->count = 0;
}

void
follow_up_update(OpenTable *table, HeapTuple row)
{
	TupleDesc	desc = RelationGetDescr(table->rel);
	Datum	   *values;
	bool	   *isnull;

	if (HeapTupleIsHeapOnly(row))
		return;
	values = palloc(desc->natts * sizeof(Datum));
	isnull = palloc(desc->natts * sizeof(bool));
	heap_deform_tuple(row, desc, values, isnull);
	insert_index_entries(table, &row->t_self, values, isnull, true);
}

/* ---- finding rows ---- */

void
begin_row_scan(RowScan *scan, OpenTable *table, int index, Snapshot snapshot, MemoryContext context,
			   ScanKey keys, int key_count)
{
	MemoryContext caller = MemoryContextSwitchTo(context);

	if (scan->scan == NULL)
	{
		scan->table = table;
		scan->buffer = InvalidBuffer;
		scan->scan = begin_index_scan(table->rel, get_index(table, index), snapshot, key_count);
	}
	scan->scan->xs_want_itup = scan->shows_keys;
	index_rescan(scan->scan, keys, key_count, NULL, 0);
	MemoryContextSwitchTo(caller);
}

void
release_row(RowScan *scan)
{
	if (BufferIsValid(scan->buffer))
		ReleaseBuffer(scan->buffer);
	scan->buffer = InvalidBuffer;
}

void
close_row_scan(RowScan *scan)
{
	if (scan->scan == NULL)
		return;
	release_row(scan);
	index_endscan(scan->scan);
	scan->scan = NULL;
}

/*
 * Makes room on a row's page for a new version of it.  Pruning moves rows about
 * on their page, this one too, though we have it pinned.
 */
static void
make_room(RowScan *scan)
{
	Page		page = BufferGetPage(scan->buffer);

	heap_page_prune_opt(scan->table->rel, scan->buffer);
	scan->row.t_data = (HeapTupleHeader)
		PageGetItem(page, PageGetItemId(page, ItemPointerGetOffsetNumber(&scan->row.t_self)));
}

/* What the access method allocates on the way it keeps until the scan ends. */
static ItemPointer
next_tid(RowScan *scan)
{
	MemoryContext caller = MemoryContextSwitchTo(GetMemoryChunkContext(scan->scan));
	ItemPointer tid = index_getnext_tid(scan->scan, ForwardScanDirection);

	MemoryContextSwitchTo(caller);
	return tid;
}

/* False if the snapshot does not see the row that was found last. */
static bool
fetch_row(RowScan *scan, ItemPointer tid)
{
	Relation	rel = scan->table->rel;
	ItemPointerData root = *tid;
	bool		all_dead;
	bool		found;
	bool		has_room;

	scan->buffer = ReleaseAndReadBuffer(scan->buffer, rel, ItemPointerGetBlockNumber(tid));
	LockBuffer(scan->buffer, BUFFER_LOCK_SHARE);
	found = heap_hot_search_buffer(&root, rel, scan->buffer, scan->scan->xs_snapshot, &scan->row, &all_dead, true);
	has_room = found &&
		PageGetHeapFreeSpace(BufferGetPage(scan->buffer)) >= MAXALIGN(scan->row.t_len);
	LockBuffer(scan->buffer, BUFFER_LOCK_UNLOCK);

	/* Lets the index forget an entry that nobody will ever need. */
	if (!found && !scan->scan->xactStartedInRecovery)
		scan->scan->kill_prior_tuple = all_dead;
	if (found && scan->table->lockmode == RowExclusiveLock && !has_room)
		make_room(scan);
	return found;
}

bool
next_row(RowScan *scan)
{
	ItemPointer tid;

	while ((tid = next_tid(scan)) != NULL)
	{
		if (fetch_row(scan, tid))
			return true;
	}
	return false;
}

/* ---- finding rows by number ---- */

/* Numbers that an index has between two that are asked for: with more, it is cheaper to descend. */
#define WALKS_PAST	16

#define WIDEST_WALK	1024

/* As wide as the walk before, or twice or half as wide, depending on how many were asked for within it. */
static void
begin_walk(RowWalk *walk, OpenTable *table, int index, Snapshot snapshot, MemoryContext context, int64 number)
{
	ScanKeyData keys[2];

	if (walk->served * WALKS_PAST >= walk->width)
		walk->width = Min(Max(walk->width * 2, WALKS_PAST), WIDEST_WALK);
	else
		walk->width = Max(walk->width / 2, WALKS_PAST);
	walk->served = 0;
	walk->until = number > PG_INT64_MAX - walk->width ? PG_INT64_MAX : number + walk->width;
	walk->number = PG_INT64_MIN;
	walk->at_end = false;
	walk->scan.shows_keys = true;
	ScanKeyInit(&keys[0], 1, BTGreaterEqualStrategyNumber, F_INT8GE, Int64GetDatum(number));
	ScanKeyInit(&keys[1], 1, BTLessEqualStrategyNumber, F_INT8LE, Int64GetDatum(walk->until));
	begin_row_scan(&walk->scan, table, index, snapshot, context, keys, 2);
}

/* The next number that the index has, not before the one asked for. */
static void
step_on(RowWalk *walk)
{
	IndexScanDesc scan = walk->scan.scan;
	bool		isnull;

	do
	{
		walk->at_end = next_tid(&walk->scan) == NULL;
		if (!walk->at_end)
			walk->number = DatumGetInt64(index_getattr(scan->xs_itup, 1, scan->xs_itupdesc, &isnull));
	} while (!walk->at_end && walk->number < walk->asked);
}

/* Where the walk stands already is a number that was passed, or the one that comes after those passed. */
bool
walk_to_row(RowWalk *walk, OpenTable *table, int index, Snapshot snapshot, MemoryContext context, int64 number)
{
	if (walk->scan.scan == NULL || number <= walk->asked || number > walk->until)
		begin_walk(walk, table, index, snapshot, context, number);
	walk->asked = number;
	walk->served++;
	if (!walk->at_end && walk->number < number)
		step_on(walk);
	while (!walk->at_end && walk->number == number)
	{
		if (fetch_row(&walk->scan, &walk->scan.scan->xs_heaptid))
			return true;
		step_on(walk);
	}
	return false;
}

void
init_int64_key(ScanKey key, AttrNumber column, int64 value)
{
	ScanKeyInit(key, column, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(value));
}

void
init_text_key(ScanKey key, AttrNumber column, const text *value)
{
	ScanKeyEntryInitialize(key, 0, column, BTEqualStrategyNumber, InvalidOid, C_COLLATION_OID,
						   F_TEXTEQ, PointerGetDatum(value));
}

void
init_after_pair_key(ScanKey key, ScanKey parts, TimestampTz instant, int64 number)
{
	ScanKeyEntryInitialize(&parts[0], SK_ROW_MEMBER, 1, BTGreaterStrategyNumber, InvalidOid, InvalidOid,
						   F_TIMESTAMPTZ_CMP, TimestampTzGetDatum(instant));
	ScanKeyEntryInitialize(&parts[1], SK_ROW_MEMBER | SK_ROW_END, 2, BTGreaterStrategyNumber, InvalidOid, InvalidOid,
						   F_BTINT8CMP, Int64GetDatum(number));
	memset(key, 0, sizeof(ScanKeyData));
	key->sk_flags = SK_ROW_HEADER;
	key->sk_attno = parts[0].sk_attno;
	key->sk_strategy = BTGreaterStrategyNumber;
	key->sk_argument = PointerGetDatum(parts);
}
