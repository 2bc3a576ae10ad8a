/*
 * verify_holds.c
 *		The rules for an account's holds.
 *
 * A hold's captures draw on its credits in the order in which it was authorized,
 * so they tell exactly what each must have drawn and what is still set aside.
 *
 * When a hold was authorized or closed, only a clock tells, and that may have
 * been set back.  Among the entries of the history this much is certain: it was
 * authorized after the credits that it draws on, and after the holds before it;
 * it was open from its first capture to its last, or till now if it still is; and
 * its last capture closed it, if it was closed as captured.  So what was held when
 * an entry was booked lies between what certainly was and what may have been.
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "verify_rules.h"

static void
hold_violation(const Books *books, int64 hold_id, const char *rule, const char *expected, const char *found)
{
	report_row_violation(books->report, rule, "hold", hold_id, expected, found);
}

/* ---- the row ---- */

static bool
hold_status_known(const char *status)
{
	return strcmp(status, "open") == 0 || strcmp(status, "captured") == 0 ||
		   strcmp(status, "voided") == 0 || strcmp(status, "expired") == 0;
}

/* A hold expires once its end has come; until then it may be captured or voided. */
static void
check_hold_end(const Books *books, const HoldRow *row)
{
	bool		expired = strcmp(row->status, "expired") == 0;

	if (expired != (row->expires_at <= row->closed_at))
		hold_violation(books, row->hold_id, "hold_status",
					   psprintf("expires_at %s closed_at once %s", expired ? "no later than" : "after", row->status),
					   pstrdup(timestamptz_to_str(row->expires_at)));
}

static void
check_hold_status(const Books *books, const HoldRow *row, const PastHold *hold)
{
	if (!hold_status_known(row->status))
	{
		hold_violation(books, row->hold_id, "hold_status", "open, captured, voided or expired", row->status);
		return;
	}
	if (hold->open && row->closed)
		hold_violation(books, row->hold_id, "hold_status", "closed_at null while open", "not null");
	else if (!hold->open && !row->closed)
		hold_violation(books, row->hold_id, "hold_status", psprintf("closed_at once %s", row->status), "null");

	if (!hold->open && row->closed)
		check_hold_end(books, row);
	if (!hold->ends_captured && hold->captured >= hold->amount)
		hold_violation(books, row->hold_id, "hold_status", psprintf("captured below amount while %s", row->status),
					   any_money_text(&row->captured));
	if (hold->ends_captured && hold->captured == 0)
		hold_violation(books, row->hold_id, "hold_status", "captured above zero once captured",
					   any_money_text(&row->captured));
	if (row->closing_key.key != NULL && strcmp(row->status, "voided") != 0)
		hold_violation(books, row->hold_id, "hold_status", psprintf("closing_key null while %s", row->status),
					   "not null");
}

static void
check_hold_amounts(const Books *books, const HoldRow *row)
{
	verify_row_currency(books, "hold", row->hold_id, "amount", &row->amount);
	verify_row_currency(books, "hold", row->hold_id, "captured", &row->captured);
	if (row->amount.minor <= 0)
		hold_violation(books, row->hold_id, "hold_amounts", "amount above zero", any_money_text(&row->amount));
	if (row->captured.minor < 0 || row->captured.minor > row->amount.minor)
		hold_violation(books, row->hold_id, "hold_amounts",
					   psprintf("captured %s", amount_range_text(books, 0, row->amount.minor)),
					   any_money_text(&row->captured));
}

/* What the credits did not have came from the credit line. */
static void
check_authorized(const Books *books, const HoldRow *row)
{
	int128		sum = total_of_draws(&row->authorized);

	if (sum > row->amount.minor)
		hold_violation(books, row->hold_id, "hold_allocation",
					   psprintf("at most %s authorized", any_money_text(&row->amount)), amount_text(books, sum));
}

static void
check_hold_row(Books *books, const HoldRow *row, const PastHold *hold)
{
	check_hold_amounts(books, row);
	check_hold_status(books, row, hold);
	verify_draws_form(books, "hold", row->hold_id, row->malformed_authorized);
	verify_draws_form(books, "hold", row->hold_id, row->malformed_draws);
	check_authorized(books, row);
	verify_call_key(books, "hold", row->hold_id, "idempotency_key", "request_hash", &row->idempotency_key);
	verify_call_key(books, "hold", row->hold_id, "closing_key", "closing_hash", &row->closing_key);
}

static int64
newest_credit(const Draws *draws)
{
	int64		seq = 0;

	for (int i = 0; i < draws->count; i++)
		seq = Max(seq, draws->items[i].credit_seq);
	return seq;
}

static PastHold *
note_hold(Books *books, const HoldRow *row)
{
	PastHold   *hold = add_past_hold(books, row->hold_id);

	hold->open = strcmp(row->status, "open") == 0;
	hold->ends_captured = strcmp(row->status, "captured") == 0;
	hold->amount = row->amount.minor;
	hold->captured = row->captured.minor;
	hold->after_seq = newest_credit(&row->authorized);
	hold->authorized = keep_draws(books->context, &row->authorized);
	hold->draws = keep_draws(books->context, &row->draws);
	if (hold->open)
		books->held += hold->amount - hold->captured;
	return hold;
}

void
verify_hold(Books *books, const LedgerCursor *cursor)
{
	HoldRow		row;
	int128		next_id = (int128) books->last_hold_id + 1;

	read_hold_row(cursor, &row);
	books->last_hold_id = row.hold_id;
	if (row.hold_id != next_id)
		report_violation(books->report, "hold_id_without_gaps",
						 wide_integer_text(next_id), wide_integer_text(row.hold_id));
	check_hold_row(books, &row, note_hold(books, &row));
}

/* ---- among the entries ---- */

static void
add_held(HeldSum *sum, const PastHold *hold, int sign)
{
	int128		of_credits = total_of_draws(&hold->authorized);

	sum->of_credits += sign * of_credits;
	sum->of_line += sign * Max(0, hold->amount - hold->captures - of_credits);
}

static void
leave_out_hold(Books *books, const PastHold *hold)
{
	if (hold->possible)
		add_held(&books->possible, hold, -1);
	if (hold->certain)
		add_held(&books->certain, hold, -1);
}

static void
count_hold(Books *books, PastHold *hold)
{
	hold->possible = !hold->ends_captured || hold->captures < hold->captured;
	hold->certain = hold->captures > 0 && (hold->open || hold->captures < hold->captured);
	if (hold->possible)
		add_held(&books->possible, hold, 1);
	if (hold->certain)
		add_held(&books->certain, hold, 1);
}

void
note_next_entry(Books *books, int64 seq)
{
	PastHold   *holds = books->holds.items;

	for (; books->possible_count < books->holds.count; books->possible_count++)
	{
		PastHold   *hold = &holds[books->possible_count];

		if (hold->after_seq >= seq)
			break;
		leave_out_hold(books, hold);
		count_hold(books, hold);
	}
}

Draws
note_capture(Books *books, PastHold *hold, int128 size)
{
	Draws		taken;

	leave_out_hold(books, hold);
	hold->captures += size;
	taken = take_first_draws(&hold->authorized, size);
	count_hold(books, hold);
	return taken;
}

/* ---- after them ---- */

/* What no capture has taken is still set aside, or was released when the hold was closed. */
static void
check_set_aside(Books *books, PastHold *hold)
{
	Draws		released = {0};
	const Draws *set_aside = hold->open ? &hold->authorized : &released;

	if (!same_draws(set_aside, &hold->draws))
		hold_violation(books, hold->hold_id, "hold_allocation",
					   draws_text(set_aside, books->currency), draws_text(&hold->draws, books->currency));
	if (hold->open)
		verify_draws(books, "hold", hold->hold_id, PG_INT64_MAX, &hold->draws, 1);
	else
	{
		for (int i = 0; i < hold->authorized.count; i++)
			(void) verify_drawn_credit(books, "hold", hold->hold_id, PG_INT64_MAX, &hold->authorized.items[i]);
	}
}

void
verify_holds_after_history(Books *books)
{
	PastHold   *holds = books->holds.items;

	for (int64 i = 0; i < books->holds.count; i++)
	{
		PastHold   *hold = &holds[i];

		if (hold->captures != hold->captured)
			hold_violation(books, hold->hold_id, "hold_captured",
						   psprintf("captured %s", amount_text(books, hold->captures)),
						   amount_text(books, hold->captured));
		check_set_aside(books, hold);
	}
}
