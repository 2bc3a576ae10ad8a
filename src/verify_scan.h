/*
 * verify_scan.h
 *		The ledger's rows, account by account, all as of one moment.
 *
 * One cursor for each of the four tables, all in the order of account_id and
 * advanced in lockstep: however large the ledger is, a few rows of it are in
 * memory.  A row's values are valid until its cursor is advanced.
 *
 * The scan expects nothing of the rows: the constraints may have been dropped.
 */
#ifndef STORECREDIT_VERIFY_SCAN_H
#define STORECREDIT_VERIFY_SCAN_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "executor/spi.h"

#include "ledger_types.h"

#define SCAN_MAX_COLUMNS	24

typedef struct LedgerCursor
{
	const char *row_name;		/* what a row is called in verify()'s texts */
	uint32		needed;			/* a bit for each column without which the row cannot be read */
	Portal		portal;
	SPITupleTable *batch;
	uint64		position;		/* of the current row in the batch */
	bool		done;
	Datum		values[SCAN_MAX_COLUMNS];
	bool		isnull[SCAN_MAX_COLUMNS];
} LedgerCursor;

typedef struct LedgerScan
{
	LedgerCursor accounts;
	LedgerCursor transactions;
	LedgerCursor open_credits;
	LedgerCursor holds;
	bool		expects_chains; /* every account must have a chain of hashes */
} LedgerScan;

/* Which account a row is of; null sorts last. */
typedef struct AccountKey
{
	bool		isnull;
	int64		account_id;
} AccountKey;

/* An idempotency key, or NULL, and whether there is the digest that goes with it. */
typedef struct CallKey
{
	char	   *key;
	bool		has_hash;
} CallKey;

typedef struct AccountRow
{
	int64		last_seq;
	MoneyCcy	balance;
	MoneyCcy	held;
	MoneyCcy	credit_line;
	MoneyCcy	max_balance;
	bool		has_max_balance;
	int64		last_hold_id;
	char	   *currency;
	bytea	   *last_hash;		/* or NULL */
} AccountRow;

typedef struct TransactionRow
{
	int64		seq;
	char	   *kind;
	MoneyCcy	amount;
	MoneyCcy	balance_after;
	bool		has_created_at;
	TimestampTz created_at;
	TimestampTz expires_at;		/* NEVER where the column is null */
	CallKey		idempotency_key;
	bool		has_related_seq;
	int64		related_seq;
	bool		has_hold_id;
	int64		hold_id;
	Draws		draws;
	char	   *malformed_draws;	/* the array as text, if it is no list of pairs; then draws is empty */
} TransactionRow;

typedef struct OpenCreditRow
{
	int64		seq;
	TimestampTz expires_at;
	MoneyCcy	remaining;
} OpenCreditRow;

typedef struct HoldRow
{
	int64		hold_id;
	MoneyCcy	amount;
	MoneyCcy	captured;
	char	   *status;
	TimestampTz expires_at;		/* NEVER where the column is null */
	bool		closed;
	TimestampTz closed_at;
	CallKey		idempotency_key;
	CallKey		closing_key;
	Draws		authorized;
	char	   *malformed_authorized;	/* as malformed_draws above */
	Draws		draws;
	char	   *malformed_draws;
} HoldRow;

/*
 * Opens the cursors over the whole ledger, or over one account.  SPI must be
 * connected; the active snapshot is what all of them see.
 */
extern void begin_ledger_scan(LedgerScan *scan, const int64 *account_id);
extern void end_ledger_scan(LedgerScan *scan);

/* The first account that any cursor still has rows of; false at the end. */
extern bool next_account_key(const LedgerScan *scan, AccountKey *key);

/* Whether the cursor's current row is of this account. */
extern bool cursor_at(const LedgerCursor *cursor, const AccountKey *key);
extern void advance_cursor(LedgerCursor *cursor);

/* The name of the first column that is null and must not be, or NULL. */
extern char *missing_column(const LedgerCursor *cursor);

/* The row's seq or hold_id; false if it is null, or there is none (an account). */
extern bool row_number(const LedgerCursor *cursor, int64 *number);

/* Whether nothing is null that the functions below need; their strings and draws are made in the current context. */
extern bool row_is_readable(const LedgerCursor *cursor);
extern void read_account_row(const LedgerCursor *cursor, AccountRow *row);
extern void read_transaction_row(const LedgerCursor *cursor, TransactionRow *row);

/* All columns of a transaction, as in store_rows.h; false if no account that is scanned has a chain of hashes. */
extern bool read_hashed_row(const LedgerCursor *cursor, Datum *values, bool *isnull);
extern void read_open_credit_row(const LedgerCursor *cursor, OpenCreditRow *row);
extern void read_hold_row(const LedgerCursor *cursor, HoldRow *row);

#endif							/* STORECREDIT_VERIFY_SCAN_H */
