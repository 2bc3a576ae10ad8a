/*
 * functions.c
 *		The SQL functions that find the account by its owner: credit, refund, debit,
 *		authorize; and those that only tell.
 *
 * Those that change something come twice, by owner and by account id, with the
 * same arguments otherwise.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "arguments.h"
#include "customer.h"
#include "ledger.h"
#include "ledger_tables.h"
#include "limits.h"
#include "refund_bonus.h"

PG_FUNCTION_INFO_V1(store_credit_credit_owner);
PG_FUNCTION_INFO_V1(store_credit_credit_account);
PG_FUNCTION_INFO_V1(store_credit_refund_owner);
PG_FUNCTION_INFO_V1(store_credit_refund_account);
PG_FUNCTION_INFO_V1(store_credit_debit_owner);
PG_FUNCTION_INFO_V1(store_credit_debit_account);
PG_FUNCTION_INFO_V1(store_credit_authorize_owner);
PG_FUNCTION_INFO_V1(store_credit_authorize_account);
PG_FUNCTION_INFO_V1(store_credit_balance);
PG_FUNCTION_INFO_V1(store_credit_available);
PG_FUNCTION_INFO_V1(store_credit_apply);

/* ---- credit ---- */

static Datum
credit(FunctionCallInfo fcinfo, CreditRequest *request)
{
	CallResult	result;

	request->expires_at = get_expiry_arguments(fcinfo, 2, 3);
	get_annotation_arguments(fcinfo, 4, &request->call);
	return answer_or_raise(credit_account(request, &result), &result);
}

Datum
store_credit_credit_owner(PG_FUNCTION_ARGS)
{
	CreditRequest request = {0};

	request.amount = get_money_argument(fcinfo, 1, "amount");
	get_owner_argument(fcinfo, 0, request.amount.currency, &request.call.account);
	return credit(fcinfo, &request);
}

Datum
store_credit_credit_account(PG_FUNCTION_ARGS)
{
	CreditRequest request = {0};

	request.amount = get_money_argument(fcinfo, 1, "amount");
	get_account_argument(fcinfo, 0, &request.call.account);
	return credit(fcinfo, &request);
}

/* ---- refund ---- */

static void
get_bonus_arguments(FunctionCallInfo fcinfo, int bonus, int bonus_percent, RefundRequest *request)
{
	if (!PG_ARGISNULL(bonus) && !PG_ARGISNULL(bonus_percent))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("bonus and bonus_percent cannot both be given")));
	request->has_bonus = !PG_ARGISNULL(bonus) || !PG_ARGISNULL(bonus_percent);
	if (!PG_ARGISNULL(bonus))
		request->bonus = *PG_GETARG_MONEY_CCY_P(bonus);
	if (!PG_ARGISNULL(bonus_percent))
		request->bonus = percent_of(&request->amount, PG_GETARG_NUMERIC(bonus_percent));
}

/* The rows as an array, which the SQL function unnests. */
static Datum
refund(FunctionCallInfo fcinfo, RefundRequest *request)
{
	Annotation *annotation = &request->call.annotation;
	CallResult	result;

	get_bonus_arguments(fcinfo, 2, 3, request);
	request->expires_at = get_expiry_arguments(fcinfo, 4, 5);
	request->bonus_expires_at = get_expiry_arguments(fcinfo, 6, 7);
	if (PG_ARGISNULL(6) && PG_ARGISNULL(7))
		request->bonus_expires_at = request->expires_at;
	annotation->category = cstring_to_text("refund");
	annotation->memo = get_text_argument(fcinfo, 8);
	annotation->reference = get_word_argument(fcinfo, 9, "reference");
	annotation->issuer = get_word_argument(fcinfo, 10, "issuer");
	annotation->metadata = get_jsonb_argument(fcinfo, 13);
	request->bonus_annotation = *annotation;
	request->bonus_annotation.category = cstring_to_text("bonus");
	annotation->idempotency_key = get_word_argument(fcinfo, 11, "idempotency_key");
	request->call.notify = get_bool_argument(fcinfo, 12);

	(void) answer_or_raise(refund_account(request, &result), &result);
	PG_RETURN_ARRAYTYPE_P(construct_array(result.rows, result.row_count, get_ledger_tables()->entry_type,
										  -1, false, TYPALIGN_DOUBLE));
}

Datum
store_credit_refund_owner(PG_FUNCTION_ARGS)
{
	RefundRequest request = {0};

	request.amount = get_money_argument(fcinfo, 1, "amount");
	get_owner_argument(fcinfo, 0, request.amount.currency, &request.call.account);
	return refund(fcinfo, &request);
}

Datum
store_credit_refund_account(PG_FUNCTION_ARGS)
{
	RefundRequest request = {0};

	request.amount = get_money_argument(fcinfo, 1, "amount");
	get_account_argument(fcinfo, 0, &request.call.account);
	return refund(fcinfo, &request);
}

/* ---- debit ---- */

static Datum
debit(FunctionCallInfo fcinfo, DebitRequest *request)
{
	CallResult	result;

	request->allow_partial = get_bool_argument(fcinfo, 2);
	get_annotation_arguments(fcinfo, 3, &request->call);
	return answer_or_raise(debit_account(request, &result), &result);
}

Datum
store_credit_debit_owner(PG_FUNCTION_ARGS)
{
	DebitRequest request = {0};

	request.amount = get_money_argument(fcinfo, 1, "amount");
	get_owner_argument(fcinfo, 0, request.amount.currency, &request.call.account);
	return debit(fcinfo, &request);
}

Datum
store_credit_debit_account(PG_FUNCTION_ARGS)
{
	DebitRequest request = {0};

	request.amount = get_money_argument(fcinfo, 1, "amount");
	get_account_argument(fcinfo, 0, &request.call.account);
	return debit(fcinfo, &request);
}

/* ---- authorize ---- */

static Datum
authorize(FunctionCallInfo fcinfo, AuthorizeRequest *request)
{
	Annotation *annotation = &request->call.annotation;
	CallResult	result;

	request->allow_partial = get_bool_argument(fcinfo, 2);
	request->expires_at = PG_ARGISNULL(3) ? NEVER : PG_GETARG_TIMESTAMPTZ(3);
	annotation->memo = get_text_argument(fcinfo, 4);
	annotation->reference = get_word_argument(fcinfo, 5, "reference");
	annotation->issuer = get_word_argument(fcinfo, 6, "issuer");
	annotation->idempotency_key = get_word_argument(fcinfo, 7, "idempotency_key");
	annotation->metadata = get_jsonb_argument(fcinfo, 8);
	return answer_or_raise(authorize_hold(request, &result), &result);
}

Datum
store_credit_authorize_owner(PG_FUNCTION_ARGS)
{
	AuthorizeRequest request = {0};

	request.amount = get_money_argument(fcinfo, 1, "amount");
	get_owner_argument(fcinfo, 0, request.amount.currency, &request.call.account);
	return authorize(fcinfo, &request);
}

Datum
store_credit_authorize_account(PG_FUNCTION_ARGS)
{
	AuthorizeRequest request = {0};

	request.amount = get_money_argument(fcinfo, 1, "amount");
	get_account_argument(fcinfo, 0, &request.call.account);
	return authorize(fcinfo, &request);
}

/* ---- balance ---- */

Datum
store_credit_balance(PG_FUNCTION_ARGS)
{
	const Currency *currency;
	AccountRef	ref = {0};
	MoneyCcy	available;

	require_argument(fcinfo, 1, "currency");
	currency = require_currency(text_to_cstring(PG_GETARG_TEXT_PP(1)));
	get_owner_argument(fcinfo, 0, currency->code, &ref);
	if (!may_see_account(&ref) || !available_balance(&ref, &available))
		PG_RETURN_MONEY_CCY_P(new_money_ccy(0, currency->code));
	PG_RETURN_MONEY_CCY_P(new_money_ccy(available.minor, currency->code));
}

Datum
store_credit_available(PG_FUNCTION_ARGS)
{
	AccountRef	ref = {.account_id = PG_GETARG_INT64(0)};
	MoneyCcy	available;

	if (!may_see_account(&ref) || !available_balance(&ref, &available))
		PG_RETURN_NULL();
	PG_RETURN_MONEY_CCY_P(new_money_ccy(available.minor, available.currency));
}

Datum
store_credit_apply(PG_FUNCTION_ARGS)
{
	MoneyCcy	total = get_money_argument(fcinfo, 1, "order_total");
	AccountRef	ref = {0};
	MoneyCcy	available;
	int64		most;

	get_owner_argument(fcinfo, 0, total.currency, &ref);
	if (total.minor < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("order_total must not be negative"),
				 errdetail("It is %s.", money_ccy_to_cstring(&total))));
	if (!may_see_account(&ref) || !available_balance(&ref, &available))
		PG_RETURN_MONEY_CCY_P(new_money_ccy(0, total.currency));
	most = Min(available.minor, get_currency_limit(total.currency)->max_debit);
	PG_RETURN_MONEY_CCY_P(new_money_ccy(Min(most, total.minor), total.currency));
}
