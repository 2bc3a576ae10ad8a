/*
 * verify_history.c
 *		The rules for an account's history, which is followed entry by entry.
 *
 * What was held in the past is not recorded, only what every hold came to.  So
 * what a debit took from the credit line, and what a credit paid back to it, is
 * known exactly where the account never had a hold.  Else it lies between what
 * it would be with nothing held at the time, and with everything that ever was.
 */
#include "postgres.h"

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
balance_before(const TransactionRow *row)
{
	return (int128) row->balance_after.minor - row->amount.minor;
}

/* What a credit pays back to the credit line is drawn on itself. */
static void
check_credit(const Books *books, const TransactionRow *row, PastEntry *entry)
{
	int128		before = balance_before(row);
	int128		least = Min(entry->size, overdrawn(0, before));
	int128		most = Min(entry->size, overdrawn(books->ever_held, before));
	int128		repaid = 0;

	for (int i = 0; i < row->draws.count; i++)
	{
		int64		seq = row->draws.pairs[2 * i];

		repaid += row->draws.pairs[2 * i + 1];
		if (seq != row->seq)
			entry_violation(books, row, "draws", "on this credit itself", reference_text(books, seq));
	}
	verify_credit_use(books, entry, repaid, "transaction", row->seq);
	if (repaid < least || repaid > most)
		entry_violation(books, row, "credit_line_repayment",
						amount_range_text(books, least, most), amount_text(books, repaid));
}

static void
note_capture(const Books *books, const TransactionRow *row, int128 size)
{
	PastHold   *hold = find_past_hold(books, row->hold_id);

	if (hold != NULL)
		hold->captures += size;
	else
		entry_violation(books, row, "debit_hold", psprintf("a hold " INT64_FORMAT, row->hold_id), "none");
}

/*
 * A debit takes from the credit line just what the account lacks.  Where it
 * captures a hold, the hold may have done so before.
 */
static void
check_debit(const Books *books, const TransactionRow *row, PastEntry *entry)
{
	int128		before = balance_before(row);
	int128		after = row->balance_after.minor;
	int128		least_line = overdrawn(0, after) - overdrawn(0, before);
	int128		most_line = overdrawn(books->ever_held, after) - overdrawn(books->ever_held, before);
	int128		drawn = verify_draws(books, "transaction", row->seq, row->seq, &row->draws, 1);

	if (row->has_hold_id)
	{
		note_capture(books, row, entry->size);
		least_line = 0;
		most_line = Min(entry->size, overdrawn(books->ever_held, after));
	}
	if (drawn < entry->size - most_line || drawn > entry->size - least_line)
		entry_violation(books, row, "debit_allocation",
						psprintf("%s of credits",
								 amount_range_text(books, entry->size - most_line, entry->size - least_line)),
						amount_text(books, drawn));
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

/* What a debit_revert does not give back to credits pays back the credit line. */
static void
check_debit_revert(const Books *books, const TransactionRow *row)
{
	int128		given = verify_draws(books, "transaction", row->seq, row->seq, &row->draws, -1);
	PastEntry  *debit = related_entry(books, row, DEBIT);

	if (debit != NULL && row->amount.minor > debit->left)
		entry_violation(books, row, "debit_reverted",
						psprintf("at most %s of transaction " INT64_FORMAT,
								 amount_text(books, debit->left), debit->seq),
						any_money_text(&row->amount));
	if (debit != NULL)
		debit->left = Max(0, debit->left - row->amount.minor);
	if (given < 0 || given > row->amount.minor)
		entry_violation(books, row, "debit_revert_allocation",
						psprintf("%s to credits", amount_range_text(books, 0, row->amount.minor)),
						amount_text(books, given));
}

/* An expiration, revocation or adjustment changes its credit by its amount. */
static void
check_credit_change(const Books *books, const TransactionRow *row, EntryKind kind)
{
	PastEntry  *credit = related_entry(books, row, CREDIT);

	if (row->draws.count > 0)
		entry_violation(books, row, "draws", psprintf("none for kind %s", entry_kind_name(kind)),
						psprintf("on %s", reference_text(books, row->draws.pairs[0])));
	if (credit == NULL)
		return;
	if (kind == ADJUSTMENT)
	{
		credit->size += row->amount.minor;
		credit->redated = true;
	}
	verify_credit_use(books, credit, -(int128) row->amount.minor, "transaction", row->seq);
}

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
	add_key_use(books, &books->entry_keys, row->idempotency_key, row->seq);
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
	check_succession(books, &row);
	verify_draws_form(books, "transaction", row.seq, &row.draws);

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
		case ADJUSTMENT:
			check_credit_change(books, &row, kind);
			break;
		case UNKNOWN_KIND:
			break;
	}
}
