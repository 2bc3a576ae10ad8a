/*
 * account_functions.c
 *		The SQL functions about something that an account has: a hold, a debit, a
 *		credit.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "arguments.h"
#include "ledger.h"
#include "storecredit.h"

PG_FUNCTION_INFO_V1(store_credit_capture);
PG_FUNCTION_INFO_V1(store_credit_void);
PG_FUNCTION_INFO_V1(store_credit_revert);
PG_FUNCTION_INFO_V1(store_credit_edit);
PG_FUNCTION_INFO_V1(store_credit_revoke);

Datum
store_credit_capture(PG_FUNCTION_ARGS)
{
	CaptureRequest request = {0};
	CallResult	result;

	get_account_argument(fcinfo, 0, &request.call.account);
	request.hold_id = get_int64_argument(fcinfo, 1, "hold_id");
	request.amount = get_optional_money_argument(fcinfo, 2);
	request.final = PG_ARGISNULL(3) || PG_GETARG_BOOL(3);
	get_annotation_arguments(fcinfo, 4, &request.call);
	return answer_or_raise(capture_hold(&request, &result), &result);
}

Datum
store_credit_void(PG_FUNCTION_ARGS)
{
	VoidRequest request = {0};
	CallResult	result;

	get_account_argument(fcinfo, 0, &request.call.account);
	request.hold_id = get_int64_argument(fcinfo, 1, "hold_id");
	request.call.annotation.idempotency_key = get_word_argument(fcinfo, 2, "idempotency_key");
	return answer_or_raise(void_hold(&request, &result), &result);
}

static ExpiredRule
get_expired_rule(FunctionCallInfo fcinfo, int n)
{
	static const struct
	{
		const char *name;
		ExpiredRule rule;
	}			rules[] = {
		{"reinstate", EXPIRED_REINSTATE},
		{"expire", EXPIRED_EXPIRE},
		{"refuse", EXPIRED_REFUSE},
	};
	char	   *name;

	if (PG_ARGISNULL(n))
		return revert_expired_rule();
	name = text_to_cstring(PG_GETARG_TEXT_PP(n));
	for (int i = 0; i < (int) lengthof(rules); i++)
	{
		if (strcmp(name, rules[i].name) == 0)
			return rules[i].rule;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unrecognized value for expired: \"%s\"", name),
			 errhint("It can be \"reinstate\", \"expire\" or \"refuse\".")));
}

Datum
store_credit_revert(PG_FUNCTION_ARGS)
{
	RevertRequest request = {0};
	CallResult	result;

	get_account_argument(fcinfo, 0, &request.call.account);
	request.seq = get_int64_argument(fcinfo, 1, "seq");
	request.amount = get_optional_money_argument(fcinfo, 2);
	request.rule_given = !PG_ARGISNULL(3);
	request.rule = get_expired_rule(fcinfo, 3);
	get_annotation_arguments(fcinfo, 4, &request.call);
	return answer_or_raise(revert_debit(&request, &result), &result);
}

Datum
store_credit_edit(PG_FUNCTION_ARGS)
{
	EditRequest request = {0};
	CallResult	result;

	get_account_argument(fcinfo, 0, &request.call.account);
	request.seq = get_int64_argument(fcinfo, 1, "seq");
	request.amount = get_optional_money_argument(fcinfo, 2);
	request.changes_expiry = !PG_ARGISNULL(3) || !PG_ARGISNULL(4);
	request.expires_at = get_expiry_arguments(fcinfo, 3, 4);
	get_annotation_arguments(fcinfo, 5, &request.call);
	return answer_or_raise(edit_credit(&request, &result), &result);
}

Datum
store_credit_revoke(PG_FUNCTION_ARGS)
{
	RevokeRequest request = {0};
	CallResult	result;

	get_account_argument(fcinfo, 0, &request.call.account);
	request.seq = get_int64_argument(fcinfo, 1, "seq");
	get_annotation_arguments(fcinfo, 2, &request.call);
	return answer_or_raise(revoke_credit(&request, &result), &result);
}
