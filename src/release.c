/*
 * release.c
 *		Giving money back to the credits that it was drawn from.
 *
 * A credit may have expired since.  Then the rule of the call decides, and
 * whatever it decides is in the history: an adjustment that moves the credit's
 * expiry, or its expiration once more.
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "records.h"
#include "release.h"
#include "store_rows.h"
#include "storecredit.h"

TimestampTz
credit_expiry(Booking *booking, int64 seq)
{
	PlannedCredit *planned = find_credit(booking, seq);
	List	   *related;
	Entry		entry;

	if (planned != NULL)
		return planned->credit.expires_at;

	/* One that came back, and was used up since, in this very booking. */
	for (int i = booking->entry_count - 1; i >= 0; i--)
	{
		const Entry *later_still = &booking->entries[i];

		if (later_still->related_seq == seq && strcmp(later_still->kind, "adjustment") == 0)
			return later_still->expires_at;
	}

	related = find_related_entries(&booking->account, seq);
	for (int i = list_length(related) - 1; i >= 0; i--)
	{
		const Entry *later = list_nth(related, i);

		if (strcmp(later->kind, "adjustment") == 0)
			return later->expires_at;
	}
	if (!find_entry(&booking->account, seq, &entry, NULL))
		elog(ERROR, "credit " INT64_FORMAT " of account " INT64_FORMAT " does not exist",
			 seq, booking->account.account_id);
	return entry.expires_at;
}

int64
sum_of_draws(const Draws *draws)
{
	int64		sum = 0;

	for (int i = 0; i < draws->count; i++)
		sum = minor_add(sum, draws->items[i].minor);
	return sum;
}

/* Where no call is there to be refused. */
static ExpiredRule
unasked_rule(void)
{
	return revert_expired_rule() == EXPIRED_EXPIRE ? EXPIRED_EXPIRE : EXPIRED_REINSTATE;
}

static void
reinstate(Booking *booking, int64 seq, int64 minor)
{
	TimestampTz expires_at = booking->as_of + revert_grace();
	Entry	   *entry = make_entry(booking, "adjustment", 0, system_annotation());

	entry->related_seq = seq;
	entry->expires_at = expires_at;
	give(booking, seq, expires_at, minor);
}

static void
expire_again(Booking *booking, int64 seq, int64 minor, TimestampTz expired_at)
{
	Entry	   *entry = make_entry(booking, "expiration", -minor, system_annotation());

	entry->related_seq = seq;
	entry->expires_at = expired_at;
}

static LedgerError *
give_back_to_credit(Booking *booking, int64 seq, int64 minor, ExpiredRule rule)
{
	TimestampTz expires_at = credit_expiry(booking, seq);

	if (expires_at > booking->as_of)
	{
		give(booking, seq, expires_at, minor);
		return NULL;
	}
	switch (rule)
	{
		case EXPIRED_REINSTATE:
			reinstate(booking, seq, minor);
			break;
		case EXPIRED_EXPIRE:
			expire_again(booking, seq, minor, expires_at);
			break;
		case EXPIRED_REFUSE:
			return new_ledger_error(CREDIT_EXPIRED, "Credit " INT64_FORMAT " expired at %s.",
									seq, timestamptz_to_str(expires_at));
	}
	return NULL;
}

LedgerError *
give_back(Booking *booking, const Draws *draws, int64 leave_out, int64 minor, ExpiredRule rule, Draws *given)
{
	for (int i = draws->count - 1; i >= 0 && minor > 0; i--)
	{
		const Draw *item = &draws->items[i];
		int64		skipped = Min(leave_out, item->minor);
		int64		part = Min(minor, item->minor - skipped);
		LedgerError *error;

		leave_out -= skipped;
		if (part == 0)
			continue;
		error = give_back_to_credit(booking, item->credit_seq, part, rule);
		if (error != NULL)
			return error;
		add_draw(given, item->credit_seq, part);
		minor -= part;
	}
	return NULL;
}

/* ---- the credit line ---- */

/* A payment, or the end of the credit's last payments that it got back. */
static void
note_repayment(Draws *repayments, int64 credit_seq, int64 minor)
{
	if (minor > 0)
		add_draw(repayments, credit_seq, minor);
	for (int i = repayments->count - 1; i >= 0 && minor < 0; i--)
	{
		Draw	   *paid = &repayments->items[i];
		int64		part = paid->credit_seq == credit_seq ? Min(-minor, paid->minor) : 0;

		paid->minor -= part;
		minor += part;
	}
}

static void
note_repayments(Draws *repayments, const Entry *entry)
{
	for (int i = 0; i < entry->draws.count; i++)
		note_repayment(repayments, entry->draws.items[i].credit_seq, entry->draws.items[i].minor);
}

/* What credits have paid back to the credit line and did not get back, in the order of payment. */
static Draws
find_repayments(Booking *booking)
{
	Draws		repayments = {0};
	ListCell   *cell;

	foreach(cell, find_repaying_entries(&booking->account))
		note_repayments(&repayments, lfirst(cell));
	for (int i = 0; i < booking->entry_count; i++)
	{
		if (is_repaying(&booking->entries[i]))
			note_repayments(&repayments, &booking->entries[i]);
	}
	return repayments;
}

/* The last to pay gets back first.  An expired credit is not refused: nobody asked. */
static void
give_back_repayments(Booking *booking, int64 minor)
{
	int			position = booking->entry_count;
	Draws		repayments = find_repayments(booking);
	Draws		given = {0};

	(void) make_entry(booking, "adjustment", 0, system_annotation());
	(void) give_back(booking, &repayments, 0, minor, unasked_rule(), &given);
	for (int i = 0; i < given.count; i++)
		add_draw(&booking->entries[position].draws, given.items[i].credit_seq, -given.items[i].minor);
}

void
repay_credit_line(Booking *booking, Entry *entry)
{
	int64		surplus = minor_sub(booking->open, owned(booking));

	if (surplus > 0)
	{
		if (entry == NULL)
			entry = make_entry(booking, "adjustment", 0, system_annotation());
		draw(booking, surplus, &entry->draws);
	}
	else if (surplus < 0)
		give_back_repayments(booking, -surplus);
}

/* ---- holds ---- */

LedgerError *
release_hold(Booking *booking, Hold *hold, const char *status, ExpiredRule rule)
{
	Draws		given = {0};
	LedgerError *error;

	booking->account.held = minor_sub(booking->account.held, hold->amount - hold->captured);
	error = give_back(booking, &hold->draws, 0, sum_of_draws(&hold->draws), rule, &given);
	if (error != NULL)
		return error;
	repay_credit_line(booking, NULL);

	hold->draws.count = 0;
	hold->status = status;
	hold->closed_at = booking->now;
	return NULL;
}

static bool
is_planned(const Booking *booking, int64 hold_id)
{
	ListCell   *cell;

	foreach(cell, booking->holds)
	{
		if (((const PlannedHold *) lfirst(cell))->hold->hold_id == hold_id)
			return true;
	}
	return false;
}

/* Once: among many calls on one booking, an earlier one may have planned it, and its row is as it was. */
void
release_overdue_holds(Booking *booking)
{
	ListCell   *cell;

	foreach(cell, find_overdue_holds(&booking->account, booking->now))
	{
		Hold	   *hold = lfirst(cell);

		if (is_planned(booking, hold->hold_id))
			continue;
		booking->as_of = hold->expires_at;
		book_expired_credits(booking);
		(void) release_hold(booking, hold, "expired", unasked_rule());
		plan_hold(booking, hold, false);
	}
	booking->as_of = booking->now;
}
