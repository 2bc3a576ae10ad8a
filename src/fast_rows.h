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
#include "storage/buf.h"
#include "storage/lockdefs.h"
#include "utils/snapshot.h"
#include "utils/timestamp.h"

#include "fast_tables.h"

/* A table with those of its indexes that the call has needed so far. */
typedef struct OpenTable
{
	Relation	rel;
	LOCKMODE	lockmode;
	const FastTable *table;
	Relation	indexes[MAX_FAST_INDEXES];
} OpenTable;

/* A walk over the rows that an index finds. */
typedef struct RowScan
{
	OpenTable  *table;
	IndexScanDesc scan;
	Buffer		buffer;			/* pinned: of the row fetched last */
	HeapTupleData row;
} RowScan;

/* False if the table has gone. */
extern bool open_fast_table(OpenTable *table, Oid relid, LOCKMODE lockmode);
extern void close_fast_table(OpenTable *table);

/* Writes a row made of these values, and enters it in every index that has it. */
extern void insert_row(OpenTable *table, HeapTuple row, const Datum *values, const bool *isnull);

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

/* Lets go of the row, or of the scan as well. */
extern void release_row(RowScan *scan);
extern void close_row_scan(RowScan *scan);

extern void init_int64_key(ScanKey key, AttrNumber column, int64 value);
extern void init_text_key(ScanKey key, AttrNumber column, const text *value);

/* What comes after a pair in an index on (timestamptz, int8); parts has two keys, which live as long as the scan. */
extern void init_after_pair_key(ScanKey key, ScanKey parts, TimestampTz instant, int64 number);

#endif							/* STORECREDIT_FAST_ROWS_H */
