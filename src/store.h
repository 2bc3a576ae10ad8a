/*
 * store.h
 *		The rows of the ledger, as its rules see them.
 *
 * The rules (ledger.c) know no tables, only these primitives.  Two stores
 * implement them: the plain one with SQL statements, which is the truth and
 * serves any table, and the fast one over the access methods, for tables that
 * are as create_ledger() made them.
 *
 * Locking.  Everything about an account is serialised by its row.  A call takes
 * the account, reads what it needs, decides, and then either saves the account
 * (before any other row is written) or, to refuse, confirms that what it took is
 * the newest version.  A store may lock in take_account or only then: when
 * save_account or confirm_account returns false, somebody was faster; the call
 * must take the account again and decide afresh.
 */
#ifndef STORECREDIT_STORE_H
#define STORECREDIT_STORE_H

#include "postgres.h"

#include "access/htup.h"
#include "datatype/timestamp.h"
#include "storage/itemptr.h"
#include "utils/jsonb.h"

#include "money_ccy.h"

/* Never-expiring credits sort last: their expires_at is infinity. */
#define NEVER	DT_NOEND

/* In place of an account's own max_balance, which is never negative. */
#define CURRENCY_LIMIT_APPLIES	(-1)

typedef struct AccountRef
{
	const text *owner;			/* with currency; or NULL, and account_id tells */
	char		currency[CURRENCY_CODE_LENGTH + 1];
	int64		account_id;
} AccountRef;

typedef struct Account
{
	int64		account_id;
	int64		last_seq;
	int64		balance;		/* minor units of currency, as all amounts here */
	int64		held;
	int64		credit_line;
	int64		max_balance;	/* or CURRENCY_LIMIT_APPLIES */
	char		currency[CURRENCY_CODE_LENGTH + 1];

	HeapTuple	tuple;			/* the store's own */
} Account;

typedef struct OpenCredit
{
	TimestampTz expires_at;
	int64		seq;
	int64		remaining;
	ItemPointerData tid;		/* the store's own */
} OpenCredit;

/* How much was drawn from which credit. */
typedef struct Draw
{
	int64		credit_seq;
	int64		minor;
} Draw;

/* What a caller says about an operation; NULL where nothing was said. */
typedef struct Annotation
{
	text	   *category;
	text	   *memo;
	text	   *reference;
	text	   *issuer;
	text	   *idempotency_key;
	Jsonb	   *metadata;
} Annotation;

/* A row of history to be written. */
typedef struct Entry
{
	int64		seq;
	const char *kind;
	int64		amount;
	int64		balance_after;
	TimestampTz created_at;
	TimestampTz expires_at;		/* NEVER is stored as null */
	int64		related_seq;	/* 0: none */
	const Annotation *annotation;
	int64		request_hash;	/* with an idempotency key only */
	int			draw_count;
	const Draw *draws;
} Entry;

/*
 * A store serves one call, from open_store() to close().  The caller's memory
 * context at open_store() is where the rows that it answers with are made.
 */
typedef struct LedgerStore LedgerStore;

struct LedgerStore
{
	/* The newest version that this call can see; false if there is no such account. */
	bool		(*take_account) (LedgerStore *store, const AccountRef *ref, Account *account);
	/* Writes last_seq, balance and held; false if somebody changed the account since it was taken. */
	bool		(*save_account) (LedgerStore *store, Account *account);
	/* Locks the account; false if somebody changed it since it was taken. */
	bool		(*confirm_account) (LedgerStore *store, Account *account);

	/* The open credits of the account taken last, in the order in which debits draw on them. */
	void		(*begin_credits) (LedgerStore *store, const Account *account);
	bool		(*next_credit) (LedgerStore *store, OpenCredit *credit);
	void		(*end_credits) (LedgerStore *store);
	void		(*add_credit) (LedgerStore *store, const Account *account, const OpenCredit *credit);
	void		(*lessen_credit) (LedgerStore *store, const Account *account, const OpenCredit *credit,
								  int64 remaining);
	void		(*remove_credit) (LedgerStore *store, const Account *account, const OpenCredit *credit);

	/* History.  The answered row is a composite store_credit_transaction. */
	Datum		(*append_entry) (LedgerStore *store, const Account *account, const Entry *entry);
	bool		(*find_entry_by_key) (LedgerStore *store, const Account *account,
									  const text *idempotency_key, Datum *row, int64 *request_hash);

	void		(*close) (LedgerStore *store);

	MemoryContext result_context;
};

extern LedgerStore *open_store(bool for_update);

/* The two implementations; NULL from the fast one if the tables are not such that it may serve. */
extern LedgerStore *open_plain_store(bool for_update);
extern LedgerStore *open_fast_store(bool for_update);

/* Rare enough to be done in one way for both: SQL statements (store_plain.c). */

/* Opens an account with nothing in it, unless somebody just did. */
extern void open_account(const AccountRef *ref, TimestampTz now);

/* Sets an account's limits; NULL: the currency's limit, no credit line. */
extern void write_account_limits(const Account *account, const MoneyCcy *max_balance, const MoneyCcy *credit_line);

/* Sets a currency's limits; NULL for none. */
extern void write_currency_limit(const char *currency, const MoneyCcy *max_balance,
								 const MoneyCcy *max_credit, const MoneyCcy *max_debit);

/* Raises 27000: a trigger, rule or policy kept a row from being written, or from being found. */
pg_noreturn extern void row_not_written(const char *table);

/* Puts a row in the outbox. */
extern void add_notification(const Account *account, const char *event, int64 seq, TimestampTz now);

#endif							/* STORECREDIT_STORE_H */
