/*
 * arguments.c
 *		Reading the arguments that the ledger's SQL functions have in common.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/timestamp.h"

#include "arguments.h"
#include "storecredit.h"

void
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

text *
get_text_argument(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : PG_GETARG_TEXT_PP(n);
}

text *
get_word_argument(FunctionCallInfo fcinfo, int n, const char *name)
{
	text	   *value = get_text_argument(fcinfo, n);

	if (value != NULL)
		check_word(value, name);
	return value;
}

bool
get_bool_argument(FunctionCallInfo fcinfo, int n)
{
	return !PG_ARGISNULL(n) && PG_GETARG_BOOL(n);
}

Jsonb *
get_jsonb_argument(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : PG_GETARG_JSONB_P(n);
}

MoneyCcy
get_money_argument(FunctionCallInfo fcinfo, int n, const char *name)
{
	require_argument(fcinfo, n, name);
	return *PG_GETARG_MONEY_CCY_P(n);
}

OptionalMoney
get_optional_money_argument(FunctionCallInfo fcinfo, int n)
{
	OptionalMoney result = {0};

	if (!PG_ARGISNULL(n))
	{
		result.given = true;
		result.money = *PG_GETARG_MONEY_CCY_P(n);
	}
	return result;
}

int64
get_int64_argument(FunctionCallInfo fcinfo, int n, const char *name)
{
	require_argument(fcinfo, n, name);
	return PG_GETARG_INT64(n);
}

int32
get_count_argument(FunctionCallInfo fcinfo, int n, const char *name)
{
	if (PG_ARGISNULL(n) || PG_GETARG_INT32(n) <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be greater than zero", name)));
	return PG_GETARG_INT32(n);
}

TimestampTz
get_expiry_arguments(FunctionCallInfo fcinfo, int expires_at, int expires_on)
{
	if (!PG_ARGISNULL(expires_at) && !PG_ARGISNULL(expires_on))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("expires_at and expires_on cannot both be given")));
	if (!PG_ARGISNULL(expires_on))
		return end_of_shop_day(PG_GETARG_DATEADT(expires_on));
	return PG_ARGISNULL(expires_at) ? NEVER : PG_GETARG_TIMESTAMPTZ(expires_at);
}

void
get_owner_argument(FunctionCallInfo fcinfo, int n, const char *currency, AccountRef *ref)
{
	text	   *owner;

	require_argument(fcinfo, n, "owner");
	owner = PG_GETARG_TEXT_PP(n);
	check_word(owner, "owner");
	ref->owner = owner;
	memcpy(ref->currency, currency, sizeof(ref->currency));
}

void
get_account_argument(FunctionCallInfo fcinfo, int n, AccountRef *ref)
{
	ref->owner = NULL;
	ref->account_id = get_int64_argument(fcinfo, n, "account_id");
}

void
get_annotation_arguments(FunctionCallInfo fcinfo, int first, Call *call)
{
	Annotation *annotation = &call->annotation;

	annotation->category = get_word_argument(fcinfo, first, "category");
	annotation->memo = get_text_argument(fcinfo, first + 1);
	annotation->reference = get_word_argument(fcinfo, first + 2, "reference");
	annotation->issuer = get_word_argument(fcinfo, first + 3, "issuer");
	annotation->idempotency_key = get_word_argument(fcinfo, first + 4, "idempotency_key");
	call->notify = get_bool_argument(fcinfo, first + 5);
	annotation->metadata = get_jsonb_argument(fcinfo, first + 6);
}

Datum
answer_or_raise(const LedgerError *error, const CallResult *result)
{
	if (error != NULL)
		raise_ledger_error(error);
	return result->rows[0];
}
