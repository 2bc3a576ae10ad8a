/*
 * debit.c
 *		Spending, and what can be spent.
 */
#include "postgres.h"

#include "ledger.h"
#include "limits.h"

LedgerError *
check_funds(const Booking *booking, int64 *amount, bool allow_partial)
{
	int64		can_spend = available(booking);
	int64		max_debit = get_currency_limit(booking->account.currency)->max_debit;

	if (allow_partial && can_spend > 0)
		*amount = Min(*amount, can_spend);
	if (*amount > max_debit)
		return new_ledger_error(DEBIT_LIMIT_EXCEEDED, "The debit is %s, the most that one may take is %s.",
								minor_to_cstring(booking, *amount), minor_to_cstring(booking, max_debit));
	if (*amount > can_spend)
		return new_ledger_error(INSUFFICIENT_FUNDS, "Available are %s, the debit is %s.",
								minor_to_cstring(booking, can_spend), minor_to_cstring(booking, *amount));
	return NULL;
}

static LedgerError *
plan_debit(Booking *booking, Call *call)
{
	DebitRequest *request = (DebitRequest *) call;
	int64		amount = request->amount.minor;
	LedgerError *error;
	Entry	   *entry;

	if (amount <= 0)
		return new_ledger_error(DEBIT_NOT_POSITIVE, "The amount is %s.", money_ccy_to_cstring(&request->amount));
	error = check_currency(booking, &request->amount);
	if (error != NULL)
		return error;
	catch_up(booking);
	error = check_funds(booking, &amount, request->allow_partial);
	if (error != NULL)
		return error;

	entry = make_entry(booking, "debit", -amount, &call->annotation);
	entry->request_hash = call->request_hash;
	draw(booking, amount, &entry->draws);
	answer_with_last_entry(booking, call);
	return NULL;
}

void
prepare_debit(DebitRequest *request)
{
	struct
	{
		MoneyCcy	amount;
		int64		allow_partial;
	}			arguments = {request->amount, request->allow_partial};

	request->call.plan = plan_debit;
	hash_call(&request->call, "debit", &arguments, sizeof(arguments));
}

LedgerError *
debit_account(DebitRequest *request, CallResult *result)
{
	prepare_debit(request);
	return perform_call(&request->call, result);
}

bool
available_balance(const AccountRef *ref, MoneyCcy *money)
{
	Booking		booking;
	bool		exists;

	open_booking(&booking, false);
	exists = take_account(&booking, ref);
	if (exists)
		catch_up(&booking);
	*money = make_money_ccy(available(&booking), booking.account.currency);
	close_booking(&booking);
	return exists;
}
