/*
 * store_rows.h
 *		The columns of the ledger's tables, for the stores.
 */
#ifndef STORECREDIT_STORE_ROWS_H
#define STORECREDIT_STORE_ROWS_H

#include "postgres.h"

#include "utils/array.h"

#include "ledger_types.h"

/* Columns of storecredit.transaction and store_credit_transaction. */
enum
{
	ENTRY_ACCOUNT_ID = 1,
	ENTRY_SEQ,
	ENTRY_AMOUNT,
	ENTRY_BALANCE_AFTER,
	ENTRY_CREATED_AT,
	ENTRY_EXPIRES_AT,
	ENTRY_KIND,
	ENTRY_CATEGORY,
	ENTRY_MEMO,
	ENTRY_REFERENCE,
	ENTRY_ISSUER,
	ENTRY_RECORDED_BY,
	ENTRY_IDEMPOTENCY_KEY,
	ENTRY_RELATED_SEQ,
	ENTRY_HOLD_ID,
	ENTRY_METADATA,
	ENTRY_DRAWS,
	ENTRY_REQUEST_HASH,
	ENTRY_HASH,
	ENTRY_SALT,
	ENTRY_MEMO_DIGEST,			/* this and the next: once it is blanked */
	ENTRY_METADATA_DIGEST,
	ENTRY_COLUMNS = ENTRY_METADATA_DIGEST
};

typedef struct EntryRow
{
	Datum		values[ENTRY_COLUMNS];
	bool		isnull[ENTRY_COLUMNS];

	/* what values point to */
	MoneyCcy	amount;
	MoneyCcy	balance_after;
} EntryRow;

extern void fill_entry_row(EntryRow *row, const Account *account, const Entry *entry);

/* A row of a table as a value of the composite type that the table is OF, made in a context. */
extern Datum row_as_datum(HeapTuple row, Oid type, MemoryContext context);

/* The same of storecredit.transaction. */
extern Datum entry_as_datum(HeapTuple row, MemoryContext context);

/* Of such a value. */
extern int64 seq_of_row(Datum row);

/* Draws as the bigint[] that the tables have. */
extern ArrayType *draws_as_array(const Draws *draws);

/* Adds a draw at the end. */
extern void add_draw(Draws *draws, int64 credit_seq, int64 minor);

#endif							/* STORECREDIT_STORE_ROWS_H */
