/*
 * store_fast.c
 *		The ledger's rows through the table and index access methods.
 *
 * This is the only place that knows how to reach, lock and change rows without
 * the executor.  What makes it fast:
 *
 * - The account is not locked first.  It is read, and so are its open credits,
 *   with one snapshot.  Every change of anything of an account also makes a new
 *   version of its row; so if the update of the version that was read succeeds,
 *   that version was the newest, all that was read belongs to it, and the update
 *   is the lock.  If it does not, somebody was faster, and the call starts over.
 * - The update does not wait.  Where it would have to, the call waits in front of
 *   the row and starts over, so that the clock is read after the wait.
 * - Rows are fetched without pruning their page; it is pruned only when it has
 *   no room for a new version.
 *
 * What is written here becomes visible to the transaction's next command at
 * close().  The tables are as fast_tables.c describes; their locks, and those
 * of their indexes, are kept to the end of the transaction, as for any writer.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "chain.h"
#include "compat.h"
#include "fast_rows.h"
#include "ledger_tables.h"
#include "limits.h"
#include "store.h"
#include "store_rows.h"

/* The front of a row of storecredit.account: what is never null and of fixed width. */
typedef struct AccountForm
{
	int64		account_id;
	TimestampTz opened_at;
	int64		last_seq;
	MoneyCcy	balance;
	MoneyCcy	held;
	MoneyCcy	credit_line;
	int64		last_hold_id;
} AccountForm;

#define ACCOUNT_MAX_BALANCE	10
#define ACCOUNT_LAST_HASH	11

StaticAssertDecl(offsetof(AccountForm, balance) == 24 && sizeof(AccountForm) == 80,
				 "AccountForm lies on the columns of storecredit.account");

/* A whole row of storecredit.open_credit. */
typedef struct CreditForm
{
	int64		account_id;
	TimestampTz expires_at;
	int64		seq;
	MoneyCcy	remaining;
} CreditForm;

#define CREDIT_COLUMNS	4

/* Tells the locks of queue_for_account() from users' advisory locks, which have 1 or 2 here. */
#define ACCOUNT_QUEUE_LOCKS	0x5C

StaticAssertDecl(sizeof(CreditForm) == 40, "CreditForm lies on the columns of storecredit.open_credit");

typedef struct FastStore
{
	LedgerStore base;
	MemoryContext context;		/* of what lives as long as the store */
	bool		for_update;
	bool		has_written;
	bool		has_queued;		/* stands in the account's queue */
	const FastTables *tables;
	OpenTable	account;
	OpenTable	open_credit;
	OpenTable	transaction;	/* for update only */
	Snapshot	snapshot;
	RowScan		accounts_by_id;
	RowWalk		many_accounts_by_id;
	RowScan		accounts_by_owner;
	RowScan		credits;
	RowScan		due;
	ScanKeyData after[2];		/* of the scan for what is due */
	ItemPointerData locked;		/* the account's version that is locked, if any */
} FastStore;

/* ---- scans ---- */

static void
begin_scan(FastStore *store, RowScan *scan, OpenTable *table, int index, ScanKey keys, int key_count)
{
	begin_row_scan(scan, table, index, store->snapshot, store->context, keys, key_count);
}

/* Work on many accounts will begin it again, with the same snapshot. */
static void
end_scan(FastStore *store, RowScan *scan)
{
	if (store->base.many_accounts)
		release_row(scan);
	else
		close_row_scan(scan);
}

/* ---- the account ---- */

static void
could_not_serialize(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("could not serialize access due to concurrent update"),
			 errhint("The transaction might succeed if retried.")));
}

static void
close_scans(FastStore *store)
{
	close_row_scan(&store->accounts_by_id);
	close_row_scan(&store->many_accounts_by_id.scan);
	close_row_scan(&store->accounts_by_owner);
	close_row_scan(&store->credits);
	if (store->snapshot != NULL)
		UnregisterSnapshot(store->snapshot);
}

/* Sees what was committed until now, where the isolation level allows it, and what this transaction did. */
static void
renew_snapshot(FastStore *store)
{
	close_scans(store);
	store->snapshot = RegisterSnapshot(store->for_update ? GetTransactionSnapshot() : GetActiveSnapshot());
}

static void
read_account(FastStore *store, HeapTuple row, Account *account)
{
	const AccountForm *form = (const AccountForm *) GETSTRUCT(row);
	TupleDesc	desc = RelationGetDescr(store->account.rel);
	bool		isnull;
	Datum		max_balance = heap_getattr(row, ACCOUNT_MAX_BALANCE, desc, &isnull);
	bool		has_no_chain;
	Datum		last_hash = heap_getattr(row, ACCOUNT_LAST_HASH, desc, &has_no_chain);

	account->account_id = form->account_id;
	account->last_seq = form->last_seq;
	account->last_hold_id = form->last_hold_id;
	account->balance = form->balance.minor;
	account->held = form->held.minor;
	account->credit_line = form->credit_line.minor;
	account->max_balance = isnull ? CURRENCY_LIMIT_APPLIES : DatumGetMoneyCcyP(max_balance)->minor;
	memcpy(account->currency, form->balance.currency, sizeof(account->currency));
	account->last_hash = copy_last_hash(account->account_id, last_hash, has_no_chain);
	account->for_update = store->for_update;
	account->tuple = store->for_update ? heap_copytuple(row) : NULL;
}

/* The row that a scan has been begun for. */
static bool
take_found(FastStore *store, RowScan *scan, Account *account)
{
	bool		found = next_row(scan);

	if (found)
		read_account(store, &scan->row, account);
	end_scan(store, scan);
	return found;
}

static bool
take_by_owner(FastStore *store, const AccountRef *ref, Account *account)
{
	ScanKeyData keys[2];

	init_text_key(&keys[0], 1, ref->owner);
	init_text_key(&keys[1], 2, cstring_to_text(ref->currency));
	begin_scan(store, &store->accounts_by_owner, &store->account, store->tables->account_by_owner, keys, 2);
	return take_found(store, &store->accounts_by_owner, account);
}

static bool
take_by_id(FastStore *store, int64 account_id, Account *account)
{
	ScanKeyData key;

	init_int64_key(&key, 1, account_id);
	begin_scan(store, &store->accounts_by_id, &store->account, store->tables->account_by_id, &key, 1);
	return take_found(store, &store->accounts_by_id, account);
}

/* They come in the order of their ids, and so share pages: one stays pinned until another is needed. */
static bool
take_next_by_id(FastStore *store, int64 account_id, Account *account)
{
	RowWalk    *walk = &store->many_accounts_by_id;

	if (!walk_to_row(walk, &store->account, store->tables->account_by_id, store->snapshot, store->context, account_id))
		return false;
	read_account(store, &walk->scan.row, account);
	return true;
}

static bool
fast_take_account(LedgerStore *base, const AccountRef *ref, Account *account)
{
	FastStore  *store = (FastStore *) base;

	if (store->snapshot == NULL || !base->many_accounts)
		renew_snapshot(store);
	if (ref->owner != NULL)
		return take_by_owner(store, ref, account);
	return base->many_accounts ? take_next_by_id(store, ref->account_id, account) :
		take_by_id(store, ref->account_id, account);
}

/*
 * Sessions that must wait for the same account stand in one queue, in the order
 * in which they came.  Without it, all that wait for a version of a row wake up
 * when it is replaced, and run for the next.
 */
static void
queue_for_account(FastStore *store, const Account *account)
{
	LOCKTAG		tag;

	if (store->has_queued)
		return;
	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId,
						 (uint32) (account->account_id >> 32), (uint32) account->account_id,
						 ACCOUNT_QUEUE_LOCKS);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
	store->has_queued = true;
}

/* A version of an account's row, for this call. */
static TM_Result
lock_version(FastStore *store, ItemPointer tid, LockWaitPolicy policy)
{
	HeapTupleData row = {.t_self = *tid};
	TM_FailureData failure;
	Buffer		buffer;
	TM_Result	result;

	result = heap_lock_tuple(store->account.rel, &row, GetCurrentCommandId(true), LockTupleNoKeyExclusive,
							 policy, false, &buffer, &failure);
	ReleaseBuffer(buffer);
	if (result == TM_Ok)
		store->locked = *tid;
	return result;
}

/*
 * Locks the version that was taken; false if it is not the newest any more, or
 * if somebody has it and the policy is to skip what is locked.
 */
static bool
lock_account(FastStore *store, Account *account, LockWaitPolicy policy)
{
	TM_Result	result = lock_version(store, &account->tuple->t_self, policy);

	switch (result)
	{
		case TM_Ok:
			return true;
		case TM_WouldBlock:
			return false;
		case TM_Updated:
		case TM_Deleted:
			if (IsolationUsesXactSnapshot())
				could_not_serialize();
			return false;
		default:
			elog(ERROR, "unexpected result %d of locking account " INT64_FORMAT, result, account->account_id);
			return false;
	}
}

/* Who has the account must never stand in the queue: its first waits for him. */
static bool
fast_confirm_account(LedgerStore *base, Account *account)
{
	FastStore  *store = (FastStore *) base;

	if (lock_account(store, account, LockWaitSkip))
		return true;
	queue_for_account(store, account);
	return lock_account(store, account, LockWaitBlock);
}

/*
 * Waits for nobody, unless the version is locked by this call already.  Where it
 * would have to wait heap_update() returns TM_BeingModified, as heap_delete()
 * does; only that a server with assertions believes that nobody asks it to, and
 * stops.  There the version is locked first, without waiting: who has the lock
 * has nobody to wait for.
 */
static TM_Result
update_account(FastStore *store, ItemPointer tid, HeapTuple row)
{
	TM_FailureData failure;
	bool		is_locked = ItemPointerIsValid(&store->locked) && ItemPointerEquals(&store->locked, tid);

#ifdef USE_ASSERT_CHECKING
	if (!is_locked)
	{
		TM_Result	result = lock_version(store, tid, LockWaitSkip);

		if (result != TM_Ok)
			return result == TM_WouldBlock ? TM_BeingModified : result;
		is_locked = true;
	}
#endif
	return heap_update_tuple(store->account.rel, tid, row, is_locked, &failure);
}

static HeapTuple
with_last_hash(FastStore *store, HeapTuple row, const bytea *last_hash)
{
	TupleDesc	desc = RelationGetDescr(store->account.rel);
	Datum	   *values = palloc0(desc->natts * sizeof(Datum));
	bool	   *isnull = palloc0(desc->natts * sizeof(bool));
	bool	   *replaced = palloc0(desc->natts * sizeof(bool));

	values[ACCOUNT_LAST_HASH - 1] = PointerGetDatum(last_hash);
	replaced[ACCOUNT_LAST_HASH - 1] = true;
	return heap_modify_tuple(row, desc, values, isnull, replaced);
}

static bool
fast_save_account(LedgerStore *base, Account *account)
{
	FastStore  *store = (FastStore *) base;
	HeapTuple	row = account->last_hash == NULL ? heap_copytuple(account->tuple) :
		with_last_hash(store, account->tuple, account->last_hash);
	AccountForm *form = (AccountForm *) GETSTRUCT(row);
	TM_Result	result;

	form->last_seq = account->last_seq;
	form->last_hold_id = account->last_hold_id;
	form->balance.minor = account->balance;
	form->held.minor = account->held;
	result = update_account(store, &account->tuple->t_self, row);
	switch (result)
	{
		case TM_Ok:
			follow_up_update(&store->account, row);
			store->has_written = true;
			return true;
		case TM_BeingModified:
			/* Locked, if only by ourselves, or by those who refer to it. */
			if (base->skips_locked)
				(void) lock_account(store, account, LockWaitSkip);
			else
				(void) fast_confirm_account(base, account);
			return false;
		case TM_Updated:
		case TM_Deleted:
			if (IsolationUsesXactSnapshot())
				could_not_serialize();
			return false;
		default:
			elog(ERROR, "unexpected result %d of updating account " INT64_FORMAT, result, account->account_id);
			return false;
	}
}

/* ---- open credits ---- */

static void
fast_begin_credits(LedgerStore *base, const Account *account)
{
	FastStore  *store = (FastStore *) base;
	ScanKeyData key;

	init_int64_key(&key, 1, account->account_id);
	begin_scan(store, &store->credits, &store->open_credit, store->tables->credits_in_order, &key, 1);
}

static void
read_credit(HeapTuple row, OpenCredit *credit)
{
	const CreditForm *form = (const CreditForm *) GETSTRUCT(row);

	credit->expires_at = form->expires_at;
	credit->seq = form->seq;
	credit->remaining = form->remaining.minor;
	credit->tid = row->t_self;
}

static bool
fast_next_credit(LedgerStore *base, OpenCredit *credit)
{
	FastStore  *store = (FastStore *) base;

	if (!next_row(&store->credits))
		return false;
	read_credit(&store->credits.row, credit);
	return true;
}

static void
fast_end_credits(LedgerStore *base)
{
	end_scan((FastStore *) base, &((FastStore *) base)->credits);
}

static HeapTuple
make_credit_row(FastStore *store, const Account *account, const OpenCredit *credit, int64 remaining,
				MoneyCcy *money, Datum *values, bool *isnull)
{
	*money = make_money_ccy(remaining, account->currency);
	values[0] = Int64GetDatum(account->account_id);
	values[1] = TimestampTzGetDatum(credit->expires_at);
	values[2] = Int64GetDatum(credit->seq);
	values[3] = MoneyCcyPGetDatum(money);
	memset(isnull, false, CREDIT_COLUMNS);
	return heap_form_tuple(RelationGetDescr(store->open_credit.rel), values, isnull);
}

static void
fast_add_credit(LedgerStore *base, const Account *account, const OpenCredit *credit)
{
	FastStore  *store = (FastStore *) base;
	Datum		values[CREDIT_COLUMNS];
	bool		isnull[CREDIT_COLUMNS];
	MoneyCcy	money;
	HeapTuple	row = make_credit_row(store, account, credit, credit->remaining, &money, values, isnull);

	insert_row(&store->open_credit, row, values, isnull);
}

/* The account is ours, so nobody changes its credits but by statements of their own that leave it out. */
static void
require_ok(TM_Result result)
{
	if (result != TM_Ok)
		could_not_serialize();
}

static void
fast_change_credit(LedgerStore *base, const Account *account, const OpenCredit *credit, int64 remaining)
{
	FastStore  *store = (FastStore *) base;
	Datum		values[CREDIT_COLUMNS];
	bool		isnull[CREDIT_COLUMNS];
	MoneyCcy	money;
	HeapTuple	row = make_credit_row(store, account, credit, remaining, &money, values, isnull);
	ItemPointerData tid = credit->tid;
	TM_FailureData failure;

	require_ok(heap_update_tuple(store->open_credit.rel, &tid, row, true, &failure));
	follow_up_update(&store->open_credit, row);
}

static void
fast_remove_credit(LedgerStore *base, const Account *account, const OpenCredit *credit)
{
	FastStore  *store = (FastStore *) base;
	ItemPointerData tid = credit->tid;
	TM_FailureData failure;

	require_ok(heap_delete(store->open_credit.rel, &tid, GetCurrentCommandId(true), InvalidSnapshot, true,
						   &failure, false));
}

/* ---- history ---- */

/* Where no answer is needed, many are written together. */
static Datum
fast_append_entry(LedgerStore *base, const Account *account, const Entry *entry)
{
	FastStore  *store = (FastStore *) base;
	EntryRow	values;
	HeapTuple	row;

	fill_entry_row(&values, account, entry);
	if (base->many_accounts)
	{
		insert_row_later(&store->transaction, values.values, values.isnull, store->context);
		return (Datum) 0;
	}
	row = heap_form_tuple(RelationGetDescr(store->transaction.rel), values.values, values.isnull);
	insert_row(&store->transaction, row, values.values, values.isnull);
	return entry_as_datum(row, base->result_context);
}

static bool
fast_find_entry_by_key(LedgerStore *base, const Account *account, const text *idempotency_key,
					   Datum *row, int64 *seq, int64 *request_hash)
{
	FastStore  *store = (FastStore *) base;
	ScanKeyData keys[2];
	RowScan		scan = {0};
	bool		found;

	init_int64_key(&keys[0], 1, account->account_id);
	init_text_key(&keys[1], 2, idempotency_key);
	begin_scan(store, &scan, &store->transaction, store->tables->entry_by_key, keys, 2);
	found = next_row(&scan);
	if (found)
	{
		TupleDesc	desc = RelationGetDescr(store->transaction.rel);
		bool		isnull;

		*seq = DatumGetInt64(heap_getattr(&scan.row, ENTRY_SEQ, desc, &isnull));
		*request_hash = DatumGetInt64(heap_getattr(&scan.row, ENTRY_REQUEST_HASH, desc, &isnull));
		*row = entry_as_datum(&scan.row, base->result_context);
	}
	close_row_scan(&scan);
	return found;
}

/* ---- sweeps ---- */

static void
fast_begin_due(LedgerStore *base, const DuePosition *after, TimestampTz now)
{
	FastStore  *store = (FastStore *) base;
	ScanKeyData keys[2];

	if (store->snapshot == NULL)
		renew_snapshot(store);
	init_after_pair_key(&keys[0], store->after, after->expires_at, after->account_id);
	ScanKeyInit(&keys[1], 1, BTLessEqualStrategyNumber, F_TIMESTAMPTZ_LE, TimestampTzGetDatum(now));
	begin_scan(store, &store->due, &store->open_credit, store->tables->credits_by_expiry, keys, 2);
}

static bool
fast_next_due(LedgerStore *base, DueCredit *due)
{
	FastStore  *store = (FastStore *) base;

	if (!next_row(&store->due))
		return false;
	due->account_id = ((const CreditForm *) GETSTRUCT(&store->due.row))->account_id;
	read_credit(&store->due.row, &due->credit);
	return true;
}

static void
fast_end_due(LedgerStore *base)
{
	close_row_scan(&((FastStore *) base)->due);
}

/* ---- the store ---- */

static void
fast_close(LedgerStore *base)
{
	FastStore  *store = (FastStore *) base;

	write_later_rows(&store->transaction);
	close_scans(store);
	close_fast_table(&store->account);
	close_fast_table(&store->open_credit);
	close_fast_table(&store->transaction);
	if (store->has_written)
		CommandCounterIncrement();
	pfree(store);
}

/* Locks the tables, and sees then whether they may be reached in this way. */
static bool
open_tables(FastStore *store)
{
	LOCKMODE	lockmode = store->for_update ? RowExclusiveLock : AccessShareLock;
	const LedgerTables *ledger = get_ledger_tables();

	if (!open_fast_table(&store->account, ledger->account, lockmode) ||
		!open_fast_table(&store->open_credit, ledger->open_credit, lockmode) ||
		(store->for_update && !open_fast_table(&store->transaction, ledger->transaction, lockmode)))
		return false;

	store->tables = get_fast_tables();
	if (store->tables == NULL ||
		store->tables->account.oid != RelationGetRelid(store->account.rel) ||
		store->tables->open_credit.oid != RelationGetRelid(store->open_credit.rel) ||
		(store->for_update && store->tables->transaction.oid != RelationGetRelid(store->transaction.rel)))
		return false;
	store->account.table = &store->tables->account;
	store->open_credit.table = &store->tables->open_credit;
	store->transaction.table = &store->tables->transaction;
	return true;
}

LedgerStore *
open_fast_store(bool for_update)
{
	static const LedgerStore methods = {
		.take_account = fast_take_account,
		.save_account = fast_save_account,
		.confirm_account = fast_confirm_account,
		.begin_credits = fast_begin_credits,
		.next_credit = fast_next_credit,
		.end_credits = fast_end_credits,
		.add_credit = fast_add_credit,
		.change_credit = fast_change_credit,
		.remove_credit = fast_remove_credit,
		.append_entry = fast_append_entry,
		.find_entry_by_key = fast_find_entry_by_key,
		.begin_due = fast_begin_due,
		.next_due = fast_next_due,
		.end_due = fast_end_due,
		.close = fast_close,
	};
	FastStore  *store = palloc0(sizeof(FastStore));

	store->base = methods;
	store->base.result_context = CurrentMemoryContext;
	store->base.due_is_exact = true;	/* of a sweep's one snapshot, as the accounts are */
	store->context = CurrentMemoryContext;
	store->for_update = for_update;
	ItemPointerSetInvalid(&store->locked);
	if (!open_tables(store))
	{
		fast_close(&store->base);
		return NULL;
	}
	/* What the calling command itself has written is seen, as it is by SPI. */
	if (for_update)
		CommandCounterIncrement();
	return &store->base;
}
