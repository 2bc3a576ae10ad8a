/*
 * store_rows.h
 *		The columns of the ledger's tables, for the stores.
 */
#ifndef STORECREDIT_STORE_ROWS_H
#define STORECREDIT_STORE_ROWS_H

#include "postgres.h"

#include "money_ccy.h"
#include "store.h"

/* Columns of storecredit.transaction and store_credit_transaction. */
enum
{
	ENTRY_ACCOUNT_ID = 1,
	ENTRY_SEQ,
	ENTRY_KIND,
	ENTRY_AMOUNT,
	ENTRY_BALANCE_AFTER,
	ENTRY_CREATED_AT,
	ENTRY_EXPIRES_AT,
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
	ENTRY_COLUMNS = ENTRY_REQUEST_HASH
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

/* A row of storecredit.transaction as a composite store_credit_transaction, made in a context. */
extern Datum entry_as_datum(HeapTuple row, MemoryContext context);

#endif							/* STORECREDIT_STORE_ROWS_H */
