/*
 * erase.c
 *		Erasing a person from the ledger, and keeping the books.
 *
 * An account that is empty loses its owner's name, and its history and holds
 * what was written for people to read.  Amounts, times and keys stay: they are
 * the books.  The guards (guard.c) would let nothing else through.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "arguments.h"
#include "errors.h"
#include "money_ccy.h"
#include "statement.h"

PG_FUNCTION_INFO_V1(store_credit_erase);

/* Waits for whoever uses one of the accounts, and lets nobody use them until the end of the transaction. */
static Statement lock_accounts = {
	.sql = "SELECT account_id, balance, held FROM storecredit.account"
	" WHERE owner OPERATOR(pg_catalog.=) $1 ORDER BY account_id FOR UPDATE",
	.nargs = 1, .argtypes = {TEXTOID}
};

static Statement blank_transactions = {
	.sql = "UPDATE storecredit.transaction SET memo = NULL, metadata = NULL"
	" WHERE account_id OPERATOR(pg_catalog.=) ANY (SELECT a.account_id FROM storecredit.account a"
	" WHERE a.owner OPERATOR(pg_catalog.=) $1)"
	" AND (memo IS NOT NULL OR metadata IS NOT NULL)",
	.nargs = 1, .argtypes = {TEXTOID}
};

static Statement blank_holds = {
	.sql = "UPDATE storecredit.hold SET memo = NULL, metadata = NULL"
	" WHERE account_id OPERATOR(pg_catalog.=) ANY (SELECT a.account_id FROM storecredit.account a"
	" WHERE a.owner OPERATOR(pg_catalog.=) $1)"
	" AND (memo IS NOT NULL OR metadata IS NOT NULL)",
	.nargs = 1, .argtypes = {TEXTOID}
};

static Statement replace_owner = {
	.sql = "UPDATE storecredit.account SET owner = $2 WHERE owner OPERATOR(pg_catalog.=) $1",
	.nargs = 2, .argtypes = {TEXTOID, TEXTOID}
};

static void
require_closed(HeapTuple row, TupleDesc desc, void *result)
{
	bool		isnull;
	int64		account_id = DatumGetInt64(SPI_getbinval(row, desc, 1, &isnull));
	const MoneyCcy *balance = DatumGetMoneyCcyP(SPI_getbinval(row, desc, 2, &isnull));
	const MoneyCcy *held = DatumGetMoneyCcyP(SPI_getbinval(row, desc, 3, &isnull));

	if (balance->minor != 0 || held->minor != 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("account " INT64_FORMAT " is not closed", account_id),
				 errdetail("It has a balance of %s and %s held.",
						   money_ccy_to_cstring(balance), money_ccy_to_cstring(held)),
				 errhint("Void its holds, and spend, revoke or let expire what is left.")));
}

/* A name that tells nothing, and is nobody's. */
static text *
random_name(void)
{
	Datum		uuid = DirectFunctionCall1(gen_random_uuid, (Datum) 0);

	return cstring_to_text(psprintf("erased/%s", DatumGetCString(DirectFunctionCall1(uuid_out, uuid))));
}

Datum
store_credit_erase(PG_FUNCTION_ARGS)
{
	text	   *owner;
	text	   *replacement = get_word_argument(fcinfo, 1, "replacement");
	Datum		values[2];
	uint64		accounts;

	require_argument(fcinfo, 0, "owner");
	owner = get_word_argument(fcinfo, 0, "owner");
	if (replacement == NULL)
		replacement = random_name();
	values[0] = PointerGetDatum(owner);
	values[1] = PointerGetDatum(replacement);

	accounts = run_query(&lock_accounts, values, true, require_closed, NULL);
	if (accounts == 0)
		raise_ledger_error(new_ledger_error(ACCOUNT_NOT_FOUND, "Owner \"%s\" has no account.",
											text_to_cstring(owner)));
	run_statement(&blank_transactions, values, NULL, SPI_OK_UPDATE, NULL, NULL);
	run_statement(&blank_holds, values, NULL, SPI_OK_UPDATE, NULL, NULL);
	if (run_statement(&replace_owner, values, NULL, SPI_OK_UPDATE, NULL, NULL) != accounts)
		row_not_written("account");
	PG_RETURN_INT64((int64) accounts);
}
