/*
 * raise_error.c
 *		The ledger's refusals, for functions that are written in SQL.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "errors.h"

PG_FUNCTION_INFO_V1(storecredit_raise_error);

/* A credit's and a debit's refusal of an amount have one name in the table. */
static const struct
{
	const char *name;
	LedgerErrorCode code;
}			raised_from_sql[] = {
	{"credit_not_positive", CREDIT_NOT_POSITIVE},
	{"debit_not_positive", DEBIT_NOT_POSITIVE},
	{"insufficient_funds", INSUFFICIENT_FUNDS},
	{"expires_at_in_past", EXPIRES_AT_IN_PAST},
	{"unsupported_currency", UNSUPPORTED_CURRENCY},
	{"credit_not_found", CREDIT_NOT_FOUND},
};

static LedgerErrorCode
find_error(const char *name)
{
	for (int i = 0; i < (int) lengthof(raised_from_sql); i++)
	{
		if (strcmp(raised_from_sql[i].name, name) == 0)
			return raised_from_sql[i].code;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the store credit ledger has no error \"%s\" for functions in SQL", name)));
}

/* Arguments: a name of the list above, and the DETAIL. */
Datum
storecredit_raise_error(PG_FUNCTION_ARGS)
{
	LedgerErrorCode code = find_error(text_to_cstring(PG_GETARG_TEXT_PP(0)));

	raise_ledger_error(new_ledger_error(code, "%s", text_to_cstring(PG_GETARG_TEXT_PP(1))));
}
