/*
 * functions.c
 *		The ledger's SQL functions: arguments in, a row or an error out.
 *
 * Every function comes twice, by owner and by account id, with the same
 * arguments otherwise.
 */
#include "postgres.h"

#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "functions.h"
#include "ledger.h"
#include "storecredit.h"

PG_FUNCTION_INFO_V1(store_credit_credit_owner);
PG_FUNCTION_INFO_V1(store_credit_credit_account);
PG_FUNCTION_INFO_V1(store_credit_debit_owner);
PG_FUNCTION_INFO_V1(store_credit_debit_account);
PG_FUNCTION_INFO_V1(store_credit_balance);

/* ---- arguments ---- */

static void
require_argument(FunctionCallInfo fcinfo, int n, const char *name)
{
	if (PG_ARGISNULL(n))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name)));
}

void
check_word(const text *value, const char *name)
{
	int			length = pg_mbstrlen_with_len(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));

	if (length == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be empty", name)));
	if (length > MAX_WORD_LENGTH)
		ereport(ERROR,
				(errcode(ERRCODE_STRING_DATA_RIGHT_TRUNCATION),
				 errmsg("%s must not be longer than %d characters", name, MAX_WORD_LENGTH),
				 errdetail("It has %d.", length)));
}

static text *
optional_text(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : PG_GETARG_TEXT_PP(n);
}

/* A short text that is looked up by, or grouped by. */
static text *
optional_word(FunctionCallInfo fcinfo, int n, const char *name)
{
	text	   *value = optional_text(fcinfo, n);

	if (value != NULL)
		check_word(value, name);
	return value;
}

static bool
optional_bool(FunctionCallInfo fcinfo, int n)
{
	return !PG_ARGISNULL(n) && PG_GETARG_BOOL(n);
}

/* The six arguments that end every mutating function's list, but for notify in between. */
static void
get_annotation(FunctionCallInfo fcinfo, int first, Annotation *annotation, bool *notify)
{
	annotation->category = optional_word(fcinfo, first, "category");
	annotation->memo = optional_text(fcinfo, first + 1);
	annotation->reference = optional_word(fcinfo, first + 2, "reference");
	annotation->issuer = optional_word(fcinfo, first + 3, "issuer");
	annotation->idempotency_key = optional_word(fcinfo, first + 4, "idempotency_key");
	*notify = optional_bool(fcinfo, first + 5);
	annotation->metadata = PG_ARGISNULL(first + 6) ? NULL : PG_GETARG_JSONB_P(first + 6);
}

static void
get_owner(FunctionCallInfo fcinfo, int n, const char *currency, AccountRef *ref)
{
	text	   *owner;

	require_argument(fcinfo, n, "owner");
	owner = PG_GETARG_TEXT_PP(n);
	check_word(owner, "owner");
	ref->owner = owner;
	memcpy(ref->currency, currency, sizeof(ref->currency));
}

static void
get_account_id(FunctionCallInfo fcinfo, int n, AccountRef *ref)
{
	require_argument(fcinfo, n, "account_id");
	ref->owner = NULL;
	ref->account_id = PG_GETARG_INT64(n);
}

static MoneyCcy
get_amount(FunctionCallInfo fcinfo, int n)
{
	require_argument(fcinfo, n, "amount");
	return *PG_GETARG_MONEY_CCY_P(n);
}

static TimestampTz
get_expiry(FunctionCallInfo fcinfo, int expires_at, int expires_on)
{
	if (!PG_ARGISNULL(expires_at) && !PG_ARGISNULL(expires_on))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("expires_at and expires_on cannot both be given")));
	if (!PG_ARGISNULL(expires_on))
		return end_of_shop_day(PG_GETARG_DATEADT(expires_on));
	return PG_ARGISNULL(expires_at) ? NEVER : PG_GETARG_TIMESTAMPTZ(expires_at);
}

/* ---- credit and debit ---- */

static Datum
credit(FunctionCallInfo fcinfo, CreditRequest *request)
{
	LedgerResult result;
	LedgerError *error;

	request->expires_at = get_expiry(fcinfo, 2, 3);
	get_annotation(fcinfo, 4, &request->annotation, &request->notify);
	error = credit_account(request, &result);
	if (error != NULL)
		raise_ledger_error(error);
	return result.row;
}

Datum
store_credit_credit_owner(PG_FUNCTION_ARGS)
{
	CreditRequest request = {0};

	request.amount = get_amount(fcinfo, 1);
	get_owner(fcinfo, 0, request.amount.currency, &request.account);
	return credit(fcinfo, &request);
}

Datum
store_credit_credit_account(PG_FUNCTION_ARGS)
{
	CreditRequest request = {0};

	request.amount = get_amount(fcinfo, 1);
	get_account_id(fcinfo, 0, &request.account);
	return credit(fcinfo, &request);
}

static Datum
debit(FunctionCallInfo fcinfo, DebitRequest *request)
{
	LedgerResult result;
	LedgerError *error;

	request->allow_partial = optional_bool(fcinfo, 2);
	get_annotation(fcinfo, 3, &request->annotation, &request->notify);
	error = debit_account(request, &result);
	if (error != NULL)
		raise_ledger_error(error);
	return result.row;
}

Datum
store_credit_debit_owner(PG_FUNCTION_ARGS)
{
	DebitRequest request = {0};

	request.amount = get_amount(fcinfo, 1);
	get_owner(fcinfo, 0, request.amount.currency, &request.account);
	return debit(fcinfo, &request);
}

Datum
store_credit_debit_account(PG_FUNCTION_ARGS)
{
	DebitRequest request = {0};

	request.amount = get_amount(fcinfo, 1);
	get_account_id(fcinfo, 0, &request.account);
	return debit(fcinfo, &request);
}

/* ---- balance ---- */

Datum
store_credit_balance(PG_FUNCTION_ARGS)
{
	const Currency *currency;
	AccountRef	ref = {0};

	require_argument(fcinfo, 1, "currency");
	currency = require_currency(text_to_cstring(PG_GETARG_TEXT_PP(1)));
	get_owner(fcinfo, 0, currency->code, &ref);
	PG_RETURN_MONEY_CCY_P(new_money_ccy(available_balance(&ref), currency->code));
}
