/*
 * fast_rows.h
 *		Rows through the table and index access methods, for the fast store.
 *
 * Tables and indexes stay locked to the end of the transaction.
 */
#ifndef STORECREDIT_FAST_ROWS_H
#define STORECREDIT_FAST_ROWS_H

#include "postgres.h"

#include "access/genam.h"
#include "access/htup.h"
#include "access/skey.h"
#include "executor/tuptable.h"
#include "storage/buf.h"
#include "storage/lockdefs.h"
#include "utils/snapshot.h"
#include "utils/timestamp.h"

#include "fast_tables.h"

/* Rows that will be written together. */
typedef struct LaterRows
{
	TupleDesc	desc;
	int			count;
	TupleTableSlot *slots[200];
} LaterRows;

/* A table with those of its indexes that the call has needed so far. */
typedef struct OpenTable
{
	Relation	rel;
	LOCKMODE	lockmode;
	const FastTable *table;
	Relation	indexes[MAX_FAST_INDEXES];
	LaterRows  *later;
} OpenTable;

/* A walk over the rows that an index finds. */
typedef struct RowScan
{
	OpenTable  *table;
	IndexScanDesc scan;
	Buffer		buffer;			/* pinned: of the row fetched last */
	HeapTupleData row;
	bool		shows_keys;		/* also the index's tuples */
} RowScan;

/*
 * Rows by ascending number, the first column of an index.  Where the numbers that
 * are asked for lie close together, it walks along the index from one to the next
 * instead of descending it for each.
 */
typedef struct RowWalk
{
	RowScan		scan;
	int64		until;			/* the scan's last number */
	int64		asked;
	int64		number;			/* where the scan stands */
	bool		at_end;
	int			width;
	int			served;			/* numbers found within this width */
} RowWalk;

/* False if the table has gone. */
extern bool open_fast_table(OpenTable *table, Oid relid, LOCKMODE lockmode);
extern void close_fast_table(OpenTable *table);

/* Writes a row made of these values, and enters it in every index that has it. */
extern void insert_row(OpenTable *table, HeapTuple row, const Datum *values, const bool *isnull);

/*
 * The same, together with others, once there are many or write_later_rows() is
 * called; until then they are kept in a context.
 */
extern void insert_row_later(OpenTable *table, const Datum *values, const bool *isnull, MemoryContext context);
extern void write_later_rows(OpenTable *table);

/* After an update: if the new version could not stay in its chain, the indexes must know it. */
extern void follow_up_update(OpenTable *table, HeapTuple row);

/* Of the same index and snapshot as before, if the scan was begun before and not closed. */
extern void begin_row_scan(RowScan *scan, OpenTable *table, int index, Snapshot snapshot, MemoryContext context,
						   ScanKey keys, int key_count);

/*
 * The next row that the snapshot sees, in scan->row; it stays where it is until
 * the next call.  If the table is open for update, the row's page has room for a
 * new version if that can be had.
 */
extern bool next_row(RowScan *scan);

/* The same for the row with a number; false if the snapshot sees none. */
extern bool walk_to_row(RowWalk *walk, OpenTable *table, int index, Snapshot snapshot, MemoryContext context,
						int64 number);

/* Lets go of the row, or of the scan as well. */
extern void release_row(RowScan *scan);
extern void close_row_scan(RowScan *scan);

extern void init_int64_key(ScanKey key, AttrNumber column, int64 value);
extern void init_text_key(ScanKey key, AttrNumber column, const text *value);

/* What comes after a pair in an index on (timestamptz, int8); parts has two keys, which live as long as the scan. */
extern void init_after_pair_key(ScanKey key, ScanKey parts, TimestampTz instant, int64 number);

#endif							/* STORECREDIT_FAST_ROWS_H */
