/*
 * amend.c
 *		Undoing a debit, and changing or taking back a credit.
 *
 * History is not rewritten: every such step is an entry of its own that names
 * the entry it is about.  What a credit is now follows from it and the entries
 * related to it, the newest last.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "ledger.h"
#include "limits.h"
#include "records.h"
#include "storecredit.h"

static bool
is_kind(const Entry *entry, const char *kind)
{
	return strcmp(entry->kind, kind) == 0;
}

/* ---- revert ---- */

static LedgerError *
find_debit(const Booking *booking, int64 seq, Entry *debit)
{
	if (find_entry(&booking->account, seq, debit, NULL) && is_kind(debit, "debit"))
		return NULL;
	return new_ledger_error(TRANSACTION_NOT_FOUND, "Account " INT64_FORMAT " has no debit " INT64_FORMAT ".",
							booking->account.account_id, seq);
}

/* How much of a debit has been reverted already. */
static int64
reverted_so_far(const Booking *booking, int64 seq)
{
	int64		sum = 0;
	ListCell   *cell;

	foreach(cell, find_related_entries(&booking->account, seq))
	{
		const Entry *entry = lfirst(cell);

		if (is_kind(entry, "debit_revert"))
			sum = minor_add(sum, entry->amount);
	}
	return sum;
}

static LedgerError *
check_revert(const RevertRequest *request, const Booking *booking, int64 revertable, int64 *amount)
{
	*amount = revertable;
	if (request->amount.given)
	{
		LedgerError *error;

		*amount = request->amount.money.minor;
		if (*amount <= 0)
			return new_ledger_error(CREDIT_NOT_POSITIVE, "The amount is %s.",
									money_ccy_to_cstring(&request->amount.money));
		error = check_currency(booking, &request->amount.money);
		if (error != NULL)
			return error;
	}
	if (*amount == 0 || *amount > revertable)
		return new_ledger_error(EXCEEDS_REVERTABLE_AMOUNT, "Of debit " INT64_FORMAT ", %s can still be reverted.",
								request->seq, minor_to_cstring(booking, revertable));
	return NULL;
}

/*
 * What the credit line gave was drawn last, and so comes back first; it needs no
 * credit to go to.  The rest goes back to the credits.
 */
static LedgerError *
plan_revert(Booking *booking, Call *call)
{
	RevertRequest *request = (RevertRequest *) call;
	int64		amount;
	int64		already;
	int64		from_line;
	int64		to_line;
	int			position;
	Entry		debit;
	Entry	   *entry;
	Draws		given = {0};
	LedgerError *error = find_debit(booking, request->seq, &debit);

	if (error != NULL)
		return error;
	already = reverted_so_far(booking, request->seq);
	error = check_revert(request, booking, -debit.amount - already, &amount);
	if (error != NULL)
		return error;
	catch_up(booking);

	entry = make_entry(booking, "debit_revert", amount, &call->annotation);
	entry->related_seq = request->seq;
	entry->request_hash = call->request_hash;
	answer_with_last_entry(booking, call);
	position = booking->entry_count - 1;

	from_line = -debit.amount - sum_of_draws(&debit.draws);
	to_line = Min(amount, Max(0, from_line - already));
	error = give_back(booking, &debit.draws, Max(0, already - from_line), amount - to_line, request->rule, &given);
	booking->entries[position].draws = given;
	if (error == NULL)
		repay_credit_line(booking, NULL);
	return error;
}

LedgerError *
revert_debit(RevertRequest *request, CallResult *result)
{
	struct
	{
		int64		seq;
		MoneyCcy	amount;
		int64		given;
		int64		rule;
	}			arguments = {
		request->seq, request->amount.money, request->amount.given, request->rule_given ? (int64) request->rule : -1
	};

	request->call.plan = plan_revert;
	request->call.locks_first = true;
	hash_call(&request->call, "revert", &arguments, sizeof(arguments));
	return perform_call(&request->call, result);
}

/* ---- credits as they are now ---- */

/* A credit with all that has happened to it but being drawn on. */
typedef struct CreditState
{
	int64		seq;
	int64		amount;			/* as issued and adjusted */
	TimestampTz expires_at;
	bool		revoked;
	int64		remaining;
	PlannedCredit *planned;		/* NULL if nothing is left */
} CreditState;

static LedgerError *
read_credit_state(Booking *booking, int64 seq, CreditState *state)
{
	Entry		credit;
	ListCell   *cell;

	if (!find_entry(&booking->account, seq, &credit, NULL) || !is_kind(&credit, "credit"))
		return new_ledger_error(CREDIT_NOT_FOUND, "Account " INT64_FORMAT " has no credit " INT64_FORMAT ".",
								booking->account.account_id, seq);

	memset(state, 0, sizeof(CreditState));
	state->seq = seq;
	state->amount = credit.amount;
	foreach(cell, find_related_entries(&booking->account, seq))
	{
		const Entry *entry = lfirst(cell);

		if (is_kind(entry, "adjustment"))
			state->amount = minor_add(state->amount, entry->amount);
		else if (is_kind(entry, "revocation"))
			state->revoked = true;
	}
	state->planned = find_credit(booking, seq);
	state->remaining = state->planned != NULL ? state->planned->credit.remaining : 0;
	state->expires_at = credit_expiry(booking, seq);
	return NULL;
}

static void
take_from_credit(Booking *booking, PlannedCredit *planned, int64 minor)
{
	planned->credit.remaining -= minor;
	booking->open -= minor;
}

/* ---- edit ---- */

/* A change of the amount or the expiry is for credits that are still alive. */
static LedgerError *
check_edit(const EditRequest *request, const Booking *booking, const CreditState *state)
{
	if (!request->amount.given && !request->changes_expiry)
		return NULL;
	if (state->revoked)
		return new_ledger_error(CREDIT_NOT_FOUND, "Credit " INT64_FORMAT " has been revoked.", state->seq);
	if (state->expires_at <= booking->now)
		return new_ledger_error(CREDIT_EXPIRED, "Credit " INT64_FORMAT " expired at %s.",
								state->seq, timestamptz_to_str(state->expires_at));
	if (request->changes_expiry && request->expires_at <= booking->now)
		return new_ledger_error(EXPIRES_AT_IN_PAST, "It would have expired at %s.",
								timestamptz_to_str(request->expires_at));
	return NULL;
}

static LedgerError *
check_new_amount(const EditRequest *request, const Booking *booking, const CreditState *state, int64 *change)
{
	const MoneyCcy *amount = &request->amount.money;
	int64		used = state->amount - state->remaining;
	LedgerError *error;

	*change = 0;
	if (!request->amount.given)
		return NULL;
	if (amount->minor <= 0)
		return new_ledger_error(CREDIT_NOT_POSITIVE, "The amount is %s.", money_ccy_to_cstring(amount));
	error = check_currency(booking, amount);
	if (error != NULL)
		return error;
	if (amount->minor < used)
		return new_ledger_error(CREDIT_IN_USE, "Of credit " INT64_FORMAT ", %s is spent or held; the new amount is %s.",
								state->seq, minor_to_cstring(booking, used), money_ccy_to_cstring(amount));
	*change = amount->minor - state->amount;
	return *change > 0 ? check_credit_limits(booking, *change) : NULL;
}

static LedgerError *
plan_edit(Booking *booking, Call *call)
{
	EditRequest *request = (EditRequest *) call;
	CreditState state;
	LedgerError *error;
	Entry	   *entry;
	int64		change;
	int64		left;

	catch_up(booking);
	error = read_credit_state(booking, request->seq, &state);
	if (error == NULL)
		error = check_edit(request, booking, &state);
	if (error == NULL)
		error = check_new_amount(request, booking, &state, &change);
	if (error != NULL)
		return error;

	entry = make_entry(booking, "adjustment", change, &call->annotation);
	entry->related_seq = request->seq;
	entry->expires_at = request->changes_expiry ? request->expires_at : state.expires_at;
	entry->request_hash = call->request_hash;
	answer_with_last_entry(booking, call);

	/* Taken out and put in again, the credit finds its new place in the order. */
	left = state.remaining + change;
	if (state.planned != NULL)
		take_from_credit(booking, state.planned, state.remaining);
	if (left > 0)
		give(booking, request->seq, entry->expires_at, left);
	repay_credit_line(booking, entry);
	return NULL;
}

LedgerError *
edit_credit(EditRequest *request, CallResult *result)
{
	struct
	{
		int64		seq;
		MoneyCcy	amount;
		TimestampTz expires_at;
		int64		given;
		int64		changes_expiry;
	}			arguments = {
		request->seq, request->amount.money, request->expires_at, request->amount.given, request->changes_expiry
	};

	request->call.plan = plan_edit;
	request->call.locks_first = true;
	hash_call(&request->call, "edit", &arguments, sizeof(arguments));
	return perform_call(&request->call, result);
}

/* ---- revoke ---- */

static LedgerError *
plan_revoke(Booking *booking, Call *call)
{
	RevokeRequest *request = (RevokeRequest *) call;
	CreditState state;
	LedgerError *error;
	Entry	   *entry;

	catch_up(booking);
	error = read_credit_state(booking, request->seq, &state);
	if (error != NULL)
		return error;
	if (state.remaining == 0)
		return new_ledger_error(CREDIT_IN_USE, "Nothing is left of credit " INT64_FORMAT ".", request->seq);
	if (booking->account.held > 0 && credit_is_held(&booking->account, request->seq, booking->now))
		return new_ledger_error(CREDIT_IN_USE, "A hold has set aside money of credit " INT64_FORMAT ".", request->seq);

	entry = make_entry(booking, "revocation", -state.remaining, &call->annotation);
	entry->related_seq = request->seq;
	entry->request_hash = call->request_hash;
	answer_with_last_entry(booking, call);
	take_from_credit(booking, state.planned, state.remaining);
	return NULL;
}

LedgerError *
revoke_credit(RevokeRequest *request, CallResult *result)
{
	request->call.plan = plan_revoke;
	request->call.locks_first = true;
	hash_call(&request->call, "revoke", &request->seq, sizeof(request->seq));
	return perform_call(&request->call, result);
}
