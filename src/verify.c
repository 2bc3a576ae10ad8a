/*
 * verify.c
 *		storecredit.verify(): the proof that the books add up.
 *
 * The four tables are read in lockstep (verify_scan.c) and each account is
 * checked on its own: its row and its credits (verify_rules.c), its holds
 * (verify_holds.c), its history (verify_history.c, verify_order.c).  So the whole
 * ledger takes one pass and, however large it is, the memory of its longest
 * history: some 150 bytes an entry, and the idempotency keys.
 *
 * All of it is read with the rights of the ledger's owner and past row-level
 * security: what its caller may not see is verified as well.
 */
#include "postgres.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "ledger_tables.h"
#include "storecredit.h"
#include "verify_books.h"
#include "verify_report.h"
#include "verify_rules.h"
#include "verify_scan.h"

PG_FUNCTION_INFO_V1(storecredit_verify_ledger);
PG_FUNCTION_INFO_V1(storecredit_verify_account);

typedef struct Verification
{
	LedgerScan	scan;
	VerifyReport report;
	TimestampTz now;
	MemoryContext account_context;
	MemoryContext row_context;
} Verification;

static void
check_not_null(VerifyReport *report, const LedgerCursor *cursor)
{
	char	   *column = missing_column(cursor);
	int64		number;

	if (column == NULL)
		return;
	if (row_number(cursor, &number))
		report_row_violation(report, "not_null", cursor->row_name, number, column, "null");
	else
		report_violation(report, "not_null", psprintf("%s: %s", cursor->row_name, column), "null");
}

/* Reads past the account's row; false if it cannot be read. */
static bool
take_account_row(Verification *verification, AccountRow *row)
{
	VerifyReport *report = &verification->report;
	LedgerCursor *cursor = &verification->scan.accounts;
	bool		readable = row_is_readable(cursor);

	check_not_null(report, cursor);
	if (readable)
		read_account_row(cursor, row);
	advance_cursor(cursor);
	for (; cursor_at(cursor, &report->key); advance_cursor(cursor))
	{
		check_not_null(report, cursor);
		if (!report->key.isnull)
			report_violation(report, "account_unique", "one row in account", "another one");
	}
	return readable;
}

static void
check_rows(Verification *verification, LedgerCursor *cursor, Books *books,
		   void (*check_row) (Books *books, const LedgerCursor *cursor))
{
	MemoryContext caller = MemoryContextSwitchTo(verification->row_context);

	for (; cursor_at(cursor, &verification->report.key); advance_cursor(cursor))
	{
		check_not_null(&verification->report, cursor);
		if (row_is_readable(cursor))
			check_row(books, cursor);
		MemoryContextReset(verification->row_context);
	}
	MemoryContextSwitchTo(caller);
}

static void
check_books(Verification *verification, const AccountRow *account)
{
	LedgerScan *scan = &verification->scan;
	Books		books;

	open_books(&books, &verification->report, account, verification->now);
	verify_account_row(&books);
	check_rows(verification, &scan->holds, &books, verify_hold);
	check_rows(verification, &scan->transactions, &books, verify_entry);
	verify_holds_after_history(&books);
	check_rows(verification, &scan->open_credits, &books, verify_open_credit);
	verify_sums(&books);
	verify_last_hash(&books, scan->expects_chains);
}

/* Reads past rows that there are no books for; their number is a violation of the rule, if one is given. */
static void
skip_rows(Verification *verification, LedgerCursor *cursor, const char *rule)
{
	VerifyReport *report = &verification->report;
	int64		count = 0;

	for (; cursor_at(cursor, &report->key); advance_cursor(cursor))
	{
		check_not_null(report, cursor);
		count++;
	}
	if (rule != NULL && count > 0)
		report_violation(report, rule, "an account", psprintf("none (rows: " INT64_FORMAT ")", count));
}

static void
check_account(Verification *verification)
{
	LedgerScan *scan = &verification->scan;
	bool		exists = cursor_at(&scan->accounts, &verification->report.key);
	AccountRow	account;

	if (exists && take_account_row(verification, &account))
		check_books(verification, &account);
	skip_rows(verification, &scan->transactions, exists ? NULL : "orphan_transaction");
	skip_rows(verification, &scan->open_credits, exists ? NULL : "orphan_open_credit");
	skip_rows(verification, &scan->holds, exists ? NULL : "orphan_hold");
}

/* Returns how many accounts there are rows of. */
static int64
check_accounts(Verification *verification)
{
	MemoryContext caller = MemoryContextSwitchTo(verification->account_context);
	int64		count = 0;

	for (; next_account_key(&verification->scan, &verification->report.key); count++)
	{
		check_account(verification);
		MemoryContextReset(verification->account_context);
	}
	MemoryContextSwitchTo(caller);
	return count;
}

/* The owner's rights alone do not suffice where row-level security is forced on him. */
static void
become_auditor(UserContext *caller)
{
	Oid			userid;
	int			sec_context;

	become_ledger_owner(caller);
	GetUserIdAndSecContext(&userid, &sec_context);
	SetUserIdAndSecContext(userid, sec_context | SECURITY_NOFORCE_RLS);
}

static void
verify(FunctionCallInfo fcinfo, const int64 *account_id)
{
	Verification verification = {.now = shop_clock()};
	UserContext caller;

	InitMaterializedSRF(fcinfo, 0);
	verification.report.result = (ReturnSetInfo *) fcinfo->resultinfo;

	become_auditor(&caller);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	verification.account_context = AllocSetContextCreate(CurrentMemoryContext, "storecredit account",
														 ALLOCSET_DEFAULT_SIZES);
	verification.row_context = AllocSetContextCreate(CurrentMemoryContext, "storecredit row",
													 ALLOCSET_DEFAULT_SIZES);
	begin_ledger_scan(&verification.scan, account_id);
	if (check_accounts(&verification) == 0 && account_id != NULL)
	{
		verification.report.key = (AccountKey) {.account_id = *account_id};
		report_violation(&verification.report, "account_exists", "an account", "nothing");
	}
	end_ledger_scan(&verification.scan);
	SPI_finish();
	become_caller(&caller);
}

Datum
storecredit_verify_ledger(PG_FUNCTION_ARGS)
{
	verify(fcinfo, NULL);
	PG_RETURN_NULL();
}

Datum
storecredit_verify_account(PG_FUNCTION_ARGS)
{
	int64		account_id;

	/* No row would say that all is well. */
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("account_id must not be null"),
				 errhint("SELECT * FROM storecredit.verify() checks every account.")));
	account_id = PG_GETARG_INT64(0);
	verify(fcinfo, &account_id);
	PG_RETURN_NULL();
}
