/*
 * hold.c
 *		Holds: money set aside for a checkout, then captured or released.
 *
 * A hold draws on credits as a debit does, so what it holds can neither be spent
 * nor expire.  Its captures become debits, with draws taken from the hold's.
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "ledger.h"
#include "records.h"
#include "store_rows.h"
#include "storecredit.h"

/* ---- authorize ---- */

static LedgerError *
plan_authorize(Booking *booking, Call *call)
{
	AuthorizeRequest *request = (AuthorizeRequest *) call;
	Hold	   *hold = &request->hold;
	int64		amount = request->amount.minor;
	LedgerError *error;

	if (request->expires_at <= booking->now)
		return new_ledger_error(EXPIRES_AT_IN_PAST, "The hold would have ended at %s.",
								timestamptz_to_str(request->expires_at));
	if (amount <= 0)
		return new_ledger_error(DEBIT_NOT_POSITIVE, "The amount is %s.", money_ccy_to_cstring(&request->amount));
	error = check_currency(booking, &request->amount);
	if (error != NULL)
		return error;
	catch_up(booking);
	error = check_funds(booking, &amount, request->allow_partial);
	if (error != NULL)
		return error;

	memset(hold, 0, sizeof(Hold));
	hold->hold_id = ++booking->account.last_hold_id;
	hold->amount = amount;
	hold->status = "open";
	hold->created_at = booking->now;
	hold->expires_at = request->expires_at;
	hold->annotation = &call->annotation;
	hold->request_hash = call->request_hash;
	draw(booking, amount, &hold->authorized);
	hold->draws = hold->authorized;
	booking->account.held = minor_add(booking->account.held, amount);

	plan_hold(booking, hold, true);
	call->answer_hold = hold;
	return NULL;
}

LedgerError *
authorize_hold(AuthorizeRequest *request, CallResult *result)
{
	struct
	{
		MoneyCcy	amount;
		int64		allow_partial;
		TimestampTz expires_at;
	}			arguments = {request->amount, request->allow_partial, request->expires_at};

	request->call.plan = plan_authorize;
	hash_call(&request->call, "authorize", &arguments, sizeof(arguments));
	return perform_call(&request->call, result);
}

/* ---- what is done with a hold ---- */

/* After catch_up(), which has released it if its end has come. */
static LedgerError *
find_open_hold(const Booking *booking, int64 hold_id, Hold *hold)
{
	int64		account_id = booking->account.account_id;

	if (!find_hold(&booking->account, hold_id, hold))
		return new_ledger_error(HOLD_NOT_FOUND, "Account " INT64_FORMAT " has no hold " INT64_FORMAT ".",
								account_id, hold_id);
	if (strcmp(hold->status, "open") != 0)
		return new_ledger_error(HOLD_NOT_OPEN, "Hold " INT64_FORMAT " of account " INT64_FORMAT " is %s since %s.",
								hold_id, account_id, hold->status, timestamptz_to_str(hold->closed_at));
	if (hold->expires_at <= booking->now)
		return new_ledger_error(HOLD_NOT_OPEN, "Hold " INT64_FORMAT " of account " INT64_FORMAT " ended at %s.",
								hold_id, account_id, timestamptz_to_str(hold->expires_at));
	return NULL;
}

/* Moves draws from a hold to the debit that captures them, in their order. */
static void
take_draws(Hold *hold, int64 minor, Draws *draws)
{
	Draws		left = {0};

	for (int i = 0; i < hold->draws.count; i++)
	{
		const Draw *item = &hold->draws.items[i];
		int64		part = Min(minor, item->minor);

		if (part > 0)
			add_draw(draws, item->credit_seq, part);
		if (part < item->minor)
			add_draw(&left, item->credit_seq, item->minor - part);
		minor -= part;
	}
	hold->draws = left;
}

static LedgerError *
check_capture(const CaptureRequest *request, const Booking *booking, int64 *amount)
{
	const Hold *hold = &request->hold;
	int64		left = hold->amount - hold->captured;
	LedgerError *error;

	*amount = left;
	if (!request->amount.given)
		return NULL;
	*amount = request->amount.money.minor;
	if (*amount <= 0)
		return new_ledger_error(DEBIT_NOT_POSITIVE, "The amount is %s.", money_ccy_to_cstring(&request->amount.money));
	error = check_currency(booking, &request->amount.money);
	if (error == NULL && *amount > left)
		error = new_ledger_error(EXCEEDS_HOLD_AMOUNT, "Hold " INT64_FORMAT " still holds %s, the capture is %s.",
								 hold->hold_id, minor_to_cstring(booking, left), minor_to_cstring(booking, *amount));
	return error;
}

static LedgerError *
plan_capture(Booking *booking, Call *call)
{
	CaptureRequest *request = (CaptureRequest *) call;
	Hold	   *hold = &request->hold;
	LedgerError *error;
	Entry	   *entry;
	int64		amount;

	catch_up(booking);
	error = find_open_hold(booking, request->hold_id, hold);
	if (error == NULL)
		error = check_capture(request, booking, &amount);
	if (error != NULL)
		return error;

	entry = make_entry(booking, "debit", -amount, &call->annotation);
	entry->request_hash = call->request_hash;
	entry->hold_id = hold->hold_id;
	take_draws(hold, amount, &entry->draws);
	answer_with_last_entry(booking, call);

	hold->captured += amount;
	booking->account.held -= amount;
	plan_hold(booking, hold, false);
	if (!request->final && hold->captured < hold->amount)
		return NULL;
	return release_hold(booking, hold, "captured", revert_expired_rule());
}

LedgerError *
capture_hold(CaptureRequest *request, CallResult *result)
{
	struct
	{
		int64		hold_id;
		MoneyCcy	amount;
		int64		given;
		int64		final;
	}			arguments = {request->hold_id, request->amount.money, request->amount.given, request->final};

	request->call.plan = plan_capture;
	request->call.locks_first = true;
	hash_call(&request->call, "capture", &arguments, sizeof(arguments));
	return perform_call(&request->call, result);
}

static LedgerError *
plan_void(Booking *booking, Call *call)
{
	VoidRequest *request = (VoidRequest *) call;
	Hold	   *hold = &request->hold;
	LedgerError *error;

	catch_up(booking);
	error = find_open_hold(booking, request->hold_id, hold);
	if (error != NULL)
		return error;

	hold->closing_key = call->annotation.idempotency_key;
	hold->closing_hash = call->request_hash;
	plan_hold(booking, hold, false);
	call->answer_hold = hold;
	return release_hold(booking, hold, "voided", revert_expired_rule());
}

LedgerError *
void_hold(VoidRequest *request, CallResult *result)
{
	request->call.plan = plan_void;
	request->call.locks_first = true;
	hash_call(&request->call, "void", &request->hold_id, sizeof(request->hold_id));
	return perform_call(&request->call, result);
}
