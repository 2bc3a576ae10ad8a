/*
 * verify_history.c
 *		The rules for an account's history, which is followed entry by entry.
 *
 * What a debit took from the credit line, and what a credit paid back to it,
 * depends on what was held when it was booked.  That is known exactly while the
 * account has had no hold; else it lies between two sums (verify_holds.c).
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "store_rows.h"
#include "verify_rules.h"

static void
entry_violation(const Books *books, const TransactionRow *row, const char *rule,
				const char *expected, const char *found)
{
	report_row_violation(books->report, rule, "transaction", row->seq, expected, found);
}

/* What has been drawn from the credit line. */
static int128
overdrawn(int128 held, int128 balance)
{
	return Max(0, held - balance);
}

static int128
least_held(const Books *books)
{
	return books->certain.of_credits + books->certain.of_line;
}

static int128
most_held(const Books *books)
{
	return books->possible.of_credits + books->possible.of_line;
}

static int128
balance_before(const TransactionRow *row)
{
	return (int128) row->balance_after.minor - row->amount.minor;
}

static char *
row_draws_text(const Books *books, const Draws *draws)
{
	return draws_text(draws, books->currency);
}

/* The earlier entry of that kind which related_seq must name; NULL and a violation if it does not. */
static PastEntry *
related_entry(const Books *books, const TransactionRow *row, EntryKind kind)
{
	PastEntry  *related = row->has_related_seq ? find_past_entry(books, row->related_seq) : NULL;

	if (related != NULL && related->kind == kind && related->seq < row->seq)
		return related;
	entry_violation(books, row, "related_seq", psprintf("an earlier %s", entry_kind_name(kind)),
					row->has_related_seq ? reference_text(books, row->related_seq) : "null");
	return NULL;
}

/* ---- the credit line ---- */

/* Credits have paid back to the credit line. */
static void
note_repayment(Books *books, const Draws *draws)
{
	MemoryContext caller = MemoryContextSwitchTo(books->context);

	for (int i = 0; i < draws->count; i++)
		add_draw(&books->repayments, draws->items[i].credit_seq, draws->items[i].minor);
	MemoryContextSwitchTo(caller);
}

/* A credit that was issued or raised pays back first, with its own money. */
static void
check_repayment(Books *books, const TransactionRow *row, PastEntry *credit)
{
	int128		before = balance_before(row);
	int128		brought = Max(0, row->amount.minor);
	int128		least = Min(brought, overdrawn(least_held(books), before));
	int128		most = Min(brought, overdrawn(most_held(books), before));
	int128		repaid = total_of_draws(&row->draws);

	for (int i = 0; i < row->draws.count; i++)
	{
		if (row->draws.items[i].credit_seq != credit->seq)
			entry_violation(books, row, "draws", psprintf("on credit " INT64_FORMAT " itself", credit->seq),
							reference_text(books, row->draws.items[i].credit_seq));
	}
	verify_credit_use(books, credit, repaid, "transaction", row->seq);
	note_repayment(books, &row->draws);
	if (repaid < least || repaid > most)
		entry_violation(books, row, "credit_line_repayment",
						amount_range_text(books, least, most), amount_text(books, repaid));
}

/* The last to pay gets back first. */
static void
check_returned_repayment(Books *books, const TransactionRow *row, int128 returned)
{
	Draws		draws = negated_draws(&row->draws);
	Draws		expected = take_last_draws(&books->repayments, returned);

	verify_draws(books, "transaction", row->seq, row->seq, &draws, -1);
	if (!same_draws(&expected, &draws))
		entry_violation(books, row, "credit_line_repayment",
						psprintf("%s returned", row_draws_text(books, &expected)),
						psprintf("%s returned", row_draws_text(books, &draws)));
}

/*
 * An adjustment of no credit comes after money was given back or released.  Where
 * the credits then have more than the account owns, they pay back to the credit
 * line by so much; where they have less, those that had paid get back as much.
 */
static void
check_settlement(Books *books, const TransactionRow *row)
{
	int128		beyond = books->unused - row->balance_after.minor;
	int128		least = Min(beyond + books->certain.of_line, books->unused - books->possible.of_credits);
	int128		most = Min(beyond + books->possible.of_line, books->unused - books->certain.of_credits);
	int128		repaid = total_of_draws(&row->draws);

	if (row->amount.minor != 0)
		entry_violation(books, row, "amount_sign", "adjustment of no credit zero", any_money_text(&row->amount));
	if (repaid < least || repaid > most)
		entry_violation(books, row, "credit_line_repayment",
						amount_range_text(books, least, most), amount_text(books, repaid));
	if (repaid < 0)
		check_returned_repayment(books, row, -repaid);
	else
	{
		verify_draws(books, "transaction", row->seq, row->seq, &row->draws, 1);
		verify_draw_order(books, row);
		note_repayment(books, &row->draws);
	}
}

/* ---- each kind of entry ---- */

/* A bonus names the refund that it comes with, and follows it at once. */
static void
check_credit(Books *books, const TransactionRow *row, PastEntry *credit)
{
	PastEntry  *refund = row->has_related_seq ? find_past_entry(books, row->related_seq) : NULL;

	if (row->has_related_seq && (refund == NULL || refund->kind != CREDIT || refund->seq != row->seq - 1))
		entry_violation(books, row, "related_seq", "the credit just before it, or null",
						reference_text(books, row->related_seq));
	books->unused += credit->size;
	queue_credit(books, credit);
	check_repayment(books, row, credit);
}

/* A capture draws what its hold had set aside, and the credit line gives the rest. */
static void
check_capture(Books *books, const TransactionRow *row, const PastEntry *debit)
{
	PastHold   *hold = find_past_hold(books, row->hold_id);
	Draws		expected;

	if (hold == NULL)
	{
		entry_violation(books, row, "debit_hold", psprintf("a hold " INT64_FORMAT, row->hold_id), "none");
		return;
	}
	expected = note_capture(books, hold, debit->size);
	if (!same_draws(&expected, &row->draws))
		entry_violation(books, row, "debit_allocation",
						row_draws_text(books, &expected), row_draws_text(books, &row->draws));
}

/* Any other debit takes from the credit line just what the account lacks. */
static void
check_spending(Books *books, const TransactionRow *row, const PastEntry *debit)
{
	int128		before = balance_before(row);
	int128		least = Min(debit->size, Max(0, before - most_held(books)));
	int128		most = Min(debit->size, Max(0, before - least_held(books)));
	int128		drawn = total_of_draws(&row->draws);

	if (drawn < least || drawn > most)
		entry_violation(books, row, "debit_allocation",
						psprintf("%s of credits", amount_range_text(books, least, most)),
						amount_text(books, drawn));
	verify_draw_order(books, row);
}

static void
check_debit(Books *books, const TransactionRow *row, PastEntry *debit)
{
	if (row->has_related_seq)
		entry_violation(books, row, "related_seq", "null", reference_text(books, row->related_seq));
	verify_draws(books, "transaction", row->seq, row->seq, &row->draws, 1);
	if (row->has_hold_id)
		check_capture(books, row, debit);
	else
		check_spending(books, row, debit);
	debit->draws = keep_draws(books->context, &row->draws);
}

/* What a debit took last comes back first: what came from the credit line, then what came from the last credit. */
static void
check_debit_revert(Books *books, const TransactionRow *row)
{
	PastEntry  *debit = related_entry(books, row, DEBIT);
	int128		of_line;
	Draws		expected;

	verify_draws(books, "transaction", row->seq, row->seq, &row->draws, -1);
	if (debit == NULL)
		return;
	if (row->amount.minor > debit->left)
		entry_violation(books, row, "debit_reverted",
						psprintf("at most %s of transaction " INT64_FORMAT,
								 amount_text(books, debit->left), debit->seq),
						any_money_text(&row->amount));

	of_line = Max(0, debit->left - total_of_draws(&debit->draws));
	expected = take_last_draws(&debit->draws, row->amount.minor - of_line);
	debit->left = Max(0, debit->left - row->amount.minor);
	if (!same_draws(&expected, &row->draws))
		entry_violation(books, row, "debit_revert_allocation",
						row_draws_text(books, &expected), row_draws_text(books, &row->draws));
}

/* An expiration or a revocation takes from its credit. */
static void
check_loss(Books *books, const TransactionRow *row, EntryKind kind)
{
	PastEntry  *credit = related_entry(books, row, CREDIT);

	if (row->draws.count > 0)
		entry_violation(books, row, "draws", psprintf("none for kind %s", entry_kind_name(kind)),
						row_draws_text(books, &row->draws));
	if (credit == NULL)
		return;
	if (kind == EXPIRATION && row->expires_at != credit->expires_at)
		entry_violation(books, row, "expires_at",
						psprintf("that of credit " INT64_FORMAT ", %s", credit->seq,
								 timestamptz_to_str(credit->expires_at)),
						pstrdup(timestamptz_to_str(row->expires_at)));
	verify_credit_use(books, credit, -(int128) row->amount.minor, "transaction", row->seq);
}

/* An edit, or a reinstatement, tells what its credit has more or less and when it expires from now on. */
static void
check_adjustment(Books *books, const TransactionRow *row)
{
	PastEntry  *credit;

	if (!row->has_related_seq && row->draws.count > 0)
	{
		check_settlement(books, row);
		return;
	}
	credit = related_entry(books, row, CREDIT);
	if (credit == NULL)
		return;
	credit->expires_at = row->expires_at;
	credit->size += row->amount.minor;
	queue_credit(books, credit);
	verify_credit_use(books, credit, -(int128) row->amount.minor, "transaction", row->seq);
	check_repayment(books, row, credit);
}

/* ---- every entry ---- */

static void
check_kind(const Books *books, const TransactionRow *row, EntryKind kind)
{
	int			sign = entry_kind_sign(kind);

	if (kind == UNKNOWN_KIND)
		entry_violation(books, row, "kind", "a kind of transaction", row->kind);
	else if ((sign > 0 && row->amount.minor <= 0) || (sign < 0 && row->amount.minor >= 0))
		entry_violation(books, row, "amount_sign",
						psprintf("%s %s zero", entry_kind_name(kind), sign > 0 ? "above" : "below"),
						any_money_text(&row->amount));
}

/* Whatever the clock showed, it showed the same for both. */
static void
check_expires_at(const Books *books, const TransactionRow *row, EntryKind kind)
{
	bool		past = row->has_created_at && row->expires_at <= row->created_at;
	bool		future = row->has_created_at && row->expires_at > row->created_at;
	bool		changes_credit = kind == CREDIT || (kind == ADJUSTMENT && row->amount.minor != 0);
	const char *expected = NULL;

	if (kind != CREDIT && kind != ADJUSTMENT && kind != EXPIRATION && row->expires_at != NEVER)
		expected = psprintf("null for kind %s", row->kind);
	else if (changes_credit && past)
		expected = "after created_at";
	else if (kind == EXPIRATION && future)
		expected = "no later than created_at";
	if (expected != NULL)
		entry_violation(books, row, "expires_at", expected, pstrdup(timestamptz_to_str(row->expires_at)));
}

/* What an entry must be as the successor of the one before it. */
static void
check_succession(const Books *books, const TransactionRow *row)
{
	int128		next_seq = (int128) books->last_seq + 1;
	int128		next_balance = (int128) books->balance_after + row->amount.minor;

	if (row->seq != next_seq)
		report_violation(books->report, "seq_without_gaps", wide_integer_text(next_seq), wide_integer_text(row->seq));
	if (row->balance_after.minor != next_balance)
		entry_violation(books, row, "balance_after_chain",
						amount_text(books, next_balance), any_money_text(&row->balance_after));
}

static PastEntry *
note_entry(Books *books, const TransactionRow *row, EntryKind kind)
{
	PastEntry  *entry = add_past_entry(books, row->seq);

	entry->kind = kind;
	entry->expires_at = row->expires_at;
	entry->size = Max(0, kind == DEBIT ? -(int128) row->amount.minor : row->amount.minor);
	entry->left = entry->size;
	books->last_seq = row->seq;
	books->balance_after = row->balance_after.minor;
	books->sum += row->amount.minor;
	return entry;
}

void
verify_entry(Books *books, const LedgerCursor *cursor)
{
	TransactionRow row;
	EntryKind	kind;
	PastEntry  *entry;

	read_transaction_row(cursor, &row);
	kind = lookup_entry_kind(row.kind);
	verify_row_currency(books, "transaction", row.seq, "amount", &row.amount);
	verify_row_currency(books, "transaction", row.seq, "balance_after", &row.balance_after);
	check_kind(books, &row, kind);
	check_expires_at(books, &row, kind);
	check_succession(books, &row);
	verify_draws_form(books, "transaction", row.seq, row.malformed_draws);
	verify_call_key(books, "transaction", row.seq, "idempotency_key", "request_hash", &row.idempotency_key);
	if (row.has_hold_id && kind != DEBIT)
		entry_violation(books, &row, "debit_hold", psprintf("hold_id null for kind %s", row.kind),
						wide_integer_text(row.hold_id));

	verify_chain_link(books, cursor, row.seq);
	note_next_entry(books, row.seq);
	entry = note_entry(books, &row, kind);
	switch (kind)
	{
		case CREDIT:
			check_credit(books, &row, entry);
			break;
		case DEBIT:
			check_debit(books, &row, entry);
			break;
		case DEBIT_REVERT:
			check_debit_revert(books, &row);
			break;
		case EXPIRATION:
		case REVOCATION:
			check_loss(books, &row, kind);
			break;
		case ADJUSTMENT:
			check_adjustment(books, &row);
			break;
		case UNKNOWN_KIND:
			break;
	}
}
