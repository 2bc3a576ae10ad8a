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

#include "ledger_types.h"

/*
 * A store serves one call, from open_store() to close().  The caller's memory
 * context at open_store() is where the rows that it answers with are made.
 */
typedef struct LedgerStore LedgerStore;

typedef struct DueCredit
{
	int64		account_id;
	OpenCredit	credit;
} DueCredit;

/* How far a sweep has come, in the order of expiry. */
typedef struct DuePosition
{
	TimestampTz expires_at;
	int64		account_id;
} DuePosition;

struct LedgerStore
{
	/* The newest version that this call can see; false if there is no such account. */
	bool		(*take_account) (LedgerStore *store, const AccountRef *ref, Account *account);
	/* Writes last_seq, last_hold_id, balance, held and last_hash; false if somebody changed the account since it was taken. */
	bool		(*save_account) (LedgerStore *store, Account *account);
	/* Locks the account; false if somebody changed it since it was taken. */
	bool		(*confirm_account) (LedgerStore *store, Account *account);

	/* The open credits of the account taken last, in the order in which debits draw on them. */
	void		(*begin_credits) (LedgerStore *store, const Account *account);
	bool		(*next_credit) (LedgerStore *store, OpenCredit *credit);
	void		(*end_credits) (LedgerStore *store);
	void		(*add_credit) (LedgerStore *store, const Account *account, const OpenCredit *credit);
	void		(*change_credit) (LedgerStore *store, const Account *account, const OpenCredit *credit,
								  int64 remaining);
	void		(*remove_credit) (LedgerStore *store, const Account *account, const OpenCredit *credit);

	/* History.  The answered row is a composite store_credit_transaction. */
	Datum		(*append_entry) (LedgerStore *store, const Account *account, const Entry *entry);
	bool		(*find_entry_by_key) (LedgerStore *store, const Account *account,
									  const text *idempotency_key,
									  Datum *row, int64 *seq, int64 *request_hash);

	/*
	 * Credits past their expiry, behind a position and the longest overdue first.
	 * They are as they were, unless due_is_exact: then, if the account can be saved
	 * as it was taken, they are so still.
	 */
	void		(*begin_due) (LedgerStore *store, const DuePosition *after, TimestampTz now);
	bool		(*next_due) (LedgerStore *store, DueCredit *due);
	void		(*end_due) (LedgerStore *store);

	void		(*close) (LedgerStore *store);

	MemoryContext result_context;

	/*
	 * Set by the caller.  Of work on many accounts: they may all be seen as they
	 * were when one of them was taken, and no entries are answered; to be cleared
	 * for an account that could not be saved or confirmed.  Of a sweep: whoever has
	 * an account keeps it.
	 */
	bool		many_accounts;
	bool		skips_locked;

	bool		due_is_exact;
};

extern LedgerStore *open_store(bool for_update);

/* The two implementations; NULL from the fast one if the tables are not such that it may serve. */
extern LedgerStore *open_plain_store(bool for_update);
extern LedgerStore *open_fast_store(bool for_update);

#endif							/* STORECREDIT_STORE_H */
