/*
 * compat.h
 *		Every difference between the supported server versions, 15 to 18, in one place.
 */
#ifndef STORECREDIT_COMPAT_H
#define STORECREDIT_COMPAT_H

#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "utils/datetime.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#if PG_VERSION_NUM < 160000
#define guc_malloc(elevel, size) malloc(size)
#define guc_free(pointer)		 free(pointer)
#endif

static inline int
decode_date_time(char **field, int *ftype, int nf, int *dtype, struct pg_tm *tm, fsec_t *fsec, int *tz)
{
#if PG_VERSION_NUM < 160000
	return DecodeDateTime(field, ftype, nf, dtype, tm, fsec, tz);
#else
	DateTimeErrorExtra error;

	return DecodeDateTime(field, ftype, nf, dtype, tm, fsec, tz, &error);
#endif
}

/* Whether the update was HOT is told by HeapTupleIsHeapOnly(newtup) in every version. */
static inline TM_Result
heap_update_tuple(Relation rel, ItemPointer otid, HeapTuple newtup, bool wait, TM_FailureData *failure)
{
	LockTupleMode lockmode;
	CommandId     cid = GetCurrentCommandId(true);
#if PG_VERSION_NUM < 160000
	return heap_update(rel, otid, newtup, cid, InvalidSnapshot, wait, failure, &lockmode);
#else
	TU_UpdateIndexes update_indexes;

	return heap_update(rel, otid, newtup, cid, InvalidSnapshot, wait, failure, &lockmode, &update_indexes);
#endif
}

static inline IndexScanDesc
begin_index_scan(Relation heap, Relation index, Snapshot snapshot, int nkeys)
{
#if PG_VERSION_NUM < 180000
	return index_beginscan(heap, index, snapshot, nkeys, 0);
#else
	return index_beginscan(heap, index, snapshot, NULL, nkeys, 0);
#endif
}

/* Before the declaration, as 18 has it; earlier ones had it behind. */
#if PG_VERSION_NUM < 180000
#define pg_noreturn pg_attribute_noreturn()
#endif

/* Soft errors came with 16: before it a refused input is always raised. */
#if PG_VERSION_NUM < 160000
#define ereturn(escontext, dummy_value, ...) \
	do                                       \
	{                                        \
		(void) (escontext);                  \
		ereport(ERROR, __VA_ARGS__);         \
		return dummy_value;                  \
	} while (0)
#endif

/* Every 64-bit platform that the server runs on has it; shares of money need it. */
#ifndef HAVE_INT128
#error "storecredit needs a compiler with 128-bit integers"
#endif

#endif /* STORECREDIT_COMPAT_H */
