/*
 * credit.c
 *		Issuing credits: alone, or as a refund with its bonus.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "ledger.h"
#include "limits.h"
#include "records.h"
#include "refund_bonus.h"

LedgerError *
check_credit_limits(const Booking *booking, int64 amount)
{
	const Account *account = &booking->account;
	const CurrencyLimit *limit = get_currency_limit(account->currency);
	int64		max_balance = account->max_balance != CURRENCY_LIMIT_APPLIES ? account->max_balance : limit->max_balance;

	if (amount > limit->max_credit)
		return new_ledger_error(CREDIT_LIMIT_EXCEEDED, "The credit is %s, the most that one may bring is %s.",
								minor_to_cstring(booking, amount), minor_to_cstring(booking, limit->max_credit));
	/* No sum that could overflow: the limit is at least zero, and the credit above it. */
	if (max_balance != NO_LIMIT && account->balance > max_balance - amount)
		return new_ledger_error(CREDIT_LIMIT_EXCEEDED, "The balance of %s and the credit of %s exceed the limit of %s.",
								minor_to_cstring(booking, account->balance), minor_to_cstring(booking, amount),
								minor_to_cstring(booking, max_balance));
	return NULL;
}

static LedgerError *
check_expiry(const Booking *booking, TimestampTz expires_at)
{
	if (expires_at > booking->now)
		return NULL;
	return new_ledger_error(EXPIRES_AT_IN_PAST, "It would have expired at %s, and it is %s now.",
							pstrdup(timestamptz_to_str(expires_at)), pstrdup(timestamptz_to_str(booking->now)));
}

static LedgerError *
check_credit(const Booking *booking, const MoneyCcy *amount, TimestampTz expires_at)
{
	LedgerError *error = check_expiry(booking, expires_at);

	if (error != NULL)
		return error;
	if (amount->minor <= 0)
		return new_ledger_error(CREDIT_NOT_POSITIVE, "The amount is %s.", money_ccy_to_cstring(amount));
	error = check_currency(booking, amount);
	if (error != NULL)
		return error;
	if (get_currency(amount->currency)->withdrawn)
		return new_ledger_error(UNSUPPORTED_CURRENCY,
								"%s has been withdrawn: what is there can be spent, but no new credit issued.",
								amount->currency);
	return NULL;
}

/* The credit itself, all checks passed. */
static Entry *
issue_credit(Booking *booking, int64 minor, TimestampTz expires_at, const Annotation *annotation)
{
	Entry	   *entry = make_entry(booking, "credit", minor, annotation);

	entry->expires_at = expires_at;
	add_new_credit(booking, entry->seq, expires_at, minor);
	repay_credit_line(booking, entry);
	return entry;
}

static LedgerError *
plan_credit(Booking *booking, Call *call)
{
	CreditRequest *request = (CreditRequest *) call;
	LedgerError *error = check_credit(booking, &request->amount, request->expires_at);
	Entry	   *entry;

	if (error != NULL)
		return error;
	catch_up(booking);
	error = check_credit_limits(booking, request->amount.minor);
	if (error != NULL)
		return error;

	entry = issue_credit(booking, request->amount.minor, request->expires_at, &call->annotation);
	entry->request_hash = call->request_hash;
	answer_with_last_entry(booking, call);
	return NULL;
}

void
prepare_credit(CreditRequest *request)
{
	struct
	{
		MoneyCcy	amount;
		TimestampTz expires_at;
	}			arguments = {request->amount, request->expires_at};

	request->call.plan = plan_credit;
	request->call.opens_account = true;
	hash_call(&request->call, "credit", &arguments, sizeof(arguments));
}

LedgerError *
credit_account(CreditRequest *request, CallResult *result)
{
	prepare_credit(request);
	return perform_call(&request->call, result);
}

/* ---- refund ---- */

static LedgerError *
plan_refund(Booking *booking, Call *call)
{
	RefundRequest *request = (RefundRequest *) call;
	MoneyCcy	bonus = request->has_bonus ? request->bonus : default_refund_bonus(&request->amount);
	LedgerError *error = check_credit(booking, &request->amount, request->expires_at);
	Entry	   *entry;
	int64		refund_seq;

	if (error == NULL && bonus.minor != 0)
		error = check_credit(booking, &bonus, request->bonus_expires_at);
	if (error != NULL)
		return error;
	catch_up(booking);
	error = check_credit_limits(booking, request->amount.minor);
	if (error != NULL)
		return error;

	entry = issue_credit(booking, request->amount.minor, request->expires_at, &call->annotation);
	entry->request_hash = call->request_hash;
	refund_seq = entry->seq;
	answer_with_last_entry(booking, call);
	if (bonus.minor == 0)
		return NULL;

	error = check_credit_limits(booking, bonus.minor);
	if (error != NULL)
		return error;
	entry = issue_credit(booking, bonus.minor, request->bonus_expires_at, &request->bonus_annotation);
	entry->related_seq = refund_seq;
	answer_with_last_entry(booking, call);
	return NULL;
}

LedgerError *
refund_account(RefundRequest *request, CallResult *result)
{
	struct
	{
		MoneyCcy	amount;
		MoneyCcy	bonus;
		TimestampTz expires_at;
		TimestampTz bonus_expires_at;
		int64		has_bonus;
	}			arguments = {
		request->amount, request->bonus, request->expires_at, request->bonus_expires_at, request->has_bonus
	};

	request->call.plan = plan_refund;
	request->call.opens_account = true;
	request->call.answers_two = true;
	hash_call(&request->call, "refund", &arguments, sizeof(arguments));
	return perform_call(&request->call, result);
}
