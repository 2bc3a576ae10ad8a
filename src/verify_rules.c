/*
 * verify_rules.c
 *		The rules for an account and its open credits, and what all rules share.
 *
 * Nothing is taken over from a column that can be recomputed: the history
 * (verify_history.c) and what holds have set aside (verify_holds.c) tell what must
 * be left of each credit, and the open credits and the account are compared with
 * it.
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "verify_rules.h"

/* ---- violations ---- */

static void
account_violation(const Books *books, const char *rule, const char *expected, const char *found)
{
	report_violation(books->report, rule, expected, found);
}

static void
credit_violation(const Books *books, int64 seq, const char *rule, const char *expected, const char *found)
{
	report_row_violation(books->report, rule, "credit", seq, expected, found);
}

/* ---- of several tables ---- */

static bool
in_currency(const Books *books, const MoneyCcy *money)
{
	return memcmp(money->currency, books->currency, sizeof(books->currency)) == 0;
}

void
verify_row_currency(const Books *books, const char *row_name, int64 number, const char *column, const MoneyCcy *money)
{
	if (!in_currency(books, money))
		report_row_violation(books->report, "currency", row_name, number,
							 psprintf("%s in %s", column, any_currency_text(books->currency)),
							 any_currency_text(money->currency));
}

void
verify_draws_form(const Books *books, const char *row_name, int64 number, const char *malformed)
{
	if (malformed != NULL)
		report_row_violation(books->report, "draws", row_name, number,
							 "pairs of a credit and minor units", malformed);
}

void
verify_credit_use(Books *books, PastEntry *credit, int128 minor, const char *row_name, int64 number)
{
	int128		used;

	credit->left -= minor;
	books->unused -= minor;
	if (minor < 0)
		queue_credit(books, credit);
	used = credit->size - credit->left;
	if ((used < 0 || used > credit->size) && !credit->misused)
	{
		credit->misused = true;
		credit_violation(books, credit->seq, "credit_overdrawn",
						 psprintf("%s used", amount_range_text(books, 0, credit->size)),
						 psprintf("%s by %s " INT64_FORMAT, amount_text(books, used), row_name, number));
	}
}

PastEntry *
verify_drawn_credit(const Books *books, const char *row_name, int64 number, int64 before_seq, const Draw *draw)
{
	PastEntry  *credit = find_past_entry(books, draw->credit_seq);

	if (draw->minor <= 0)
		report_row_violation(books->report, "draws", row_name, number,
							 psprintf("above zero on transaction " INT64_FORMAT, draw->credit_seq),
							 amount_text(books, draw->minor));
	if (credit != NULL && credit->kind == CREDIT && credit->seq < before_seq)
		return credit;
	report_row_violation(books->report, "draws", row_name, number,
						 "on earlier credits", reference_text(books, draw->credit_seq));
	return NULL;
}

void
verify_draws(Books *books, const char *row_name, int64 number, int64 before_seq, const Draws *draws, int sign)
{
	for (int i = 0; i < draws->count; i++)
	{
		const Draw *draw = &draws->items[i];
		PastEntry  *credit = verify_drawn_credit(books, row_name, number, before_seq, draw);

		if (credit != NULL)
			verify_credit_use(books, credit, sign * (int128) draw->minor, row_name, number);
	}
}

/* ---- idempotency keys ---- */

void
verify_call_key(Books *books, const char *row_name, int64 number,
				const char *key_column, const char *hash_column, const CallKey *key)
{
	if (key->key != NULL)
		add_key_use(books, key->key, row_name, number);
	if (key->key != NULL && !key->has_hash)
		report_row_violation(books->report, "idempotency_key_hash", row_name, number,
							 psprintf("%s with its %s", hash_column, key_column), "null");
	if (key->key == NULL && key->has_hash)
		report_row_violation(books->report, "idempotency_key_hash", row_name, number,
							 psprintf("%s with its %s", key_column, hash_column), "null");
}

static void
check_keys(Books *books)
{
	const KeyUse *uses = sort_key_uses(books);

	for (int64 i = 1; i < books->keys.count; i++)
	{
		const KeyUse *use = &uses[i];
		const KeyUse *other = &uses[i - 1];

		if (strcmp(use->key, other->key) == 0)
			report_row_violation(books->report, "idempotency_key_unique", use->row_name, use->number,
								 "an idempotency key of its own",
								 psprintf("\"%s\", as %s " INT64_FORMAT, use->key, other->row_name, other->number));
	}
}

/* ---- the account ---- */

static void
check_account_currency(const Books *books, const char *column, const MoneyCcy *money)
{
	if (!in_currency(books, money))
		account_violation(books, "currency", psprintf("%s in %s", column, any_currency_text(books->currency)),
						  any_currency_text(money->currency));
}

static void
check_account_amount(const Books *books, const char *column, const MoneyCcy *money)
{
	check_account_currency(books, column, money);
	if (money->minor < 0)
		account_violation(books, "account_limits", psprintf("%s at least %s", column, amount_text(books, 0)),
						  any_money_text(money));
}

static void
check_account_number(const Books *books, const char *column, int64 number)
{
	if (number < 0)
		account_violation(books, "account_limits", psprintf("%s at least 0", column), wide_integer_text(number));
}

void
verify_account_row(const Books *books)
{
	const AccountRow *account = &books->account;

	if (strlen(account->currency) != CURRENCY_CODE_LENGTH || find_currency(account->currency) == NULL)
		account_violation(books, "currency", "currency a code of ISO 4217", account->currency);
	check_account_currency(books, "balance", &account->balance);
	check_account_amount(books, "held", &account->held);
	check_account_amount(books, "credit_line", &account->credit_line);
	if (account->has_max_balance)
		check_account_amount(books, "max_balance", &account->max_balance);
	check_account_number(books, "last_seq", account->last_seq);
	check_account_number(books, "last_hold_id", account->last_hold_id);
}

/* ---- open credits ---- */

static void
check_remaining(const Books *books, const OpenCreditRow *row, const PastEntry *credit)
{
	if (credit->open)
		credit_violation(books, row->seq, "credit_remaining", "one row",
						 psprintf("another of %s", any_money_text(&row->remaining)));
	else if (credit->left <= 0)
		credit_violation(books, row->seq, "credit_remaining", "no row", any_money_text(&row->remaining));
	else if (credit->left != row->remaining.minor)
		credit_violation(books, row->seq, "credit_remaining",
						 amount_text(books, credit->left), any_money_text(&row->remaining));
}

static void
check_expiry(const Books *books, const OpenCreditRow *row, const PastEntry *credit)
{
	if (row->expires_at != credit->expires_at)
		credit_violation(books, row->seq, "open_credit_expiry",
						 pstrdup(timestamptz_to_str(credit->expires_at)),
						 pstrdup(timestamptz_to_str(row->expires_at)));
}

void
verify_open_credit(Books *books, const LedgerCursor *cursor)
{
	OpenCreditRow row;
	PastEntry  *credit;

	read_open_credit_row(cursor, &row);
	books->open_credits += row.remaining.minor;
	if (row.expires_at <= books->now)
		books->overdue += row.remaining.minor;

	verify_row_currency(books, "open credit", row.seq, "remaining", &row.remaining);
	credit = find_past_entry(books, row.seq);
	if (credit == NULL || credit->kind != CREDIT)
	{
		report_row_violation(books->report, "open_credit_is_credit", "open credit", row.seq,
							 "kind credit", credit != NULL ? entry_kind_name(credit->kind) : "no transaction");
		return;
	}
	check_remaining(books, &row, credit);
	check_expiry(books, &row, credit);
	credit->open = true;
}

static void
check_missing_credits(const Books *books)
{
	const PastEntry *entries = books->entries.items;

	for (int64 i = 0; i < books->entries.count; i++)
	{
		const PastEntry *entry = &entries[i];

		if (entry->kind == CREDIT && entry->left > 0 && !entry->open)
			credit_violation(books, entry->seq, "credit_remaining", amount_text(books, entry->left), "no row");
	}
}

/* ---- sums ---- */

static void
check_balance(const Books *books)
{
	const MoneyCcy *balance = &books->account.balance;
	int128		own = books->open_credits + books->held;

	if (balance->minor != books->sum)
		account_violation(books, "balance_is_sum_of_transactions",
						  amount_text(books, books->sum), any_money_text(balance));
	if (balance->minor != books->balance_after)
		account_violation(books, "balance_is_last_balance_after",
						  amount_text(books, books->balance_after), any_money_text(balance));

	/* It is less only by what came from the credit line, and only while no credit is open. */
	if (balance->minor > own || (balance->minor < own && books->open_credits != 0))
		account_violation(books, "balance_is_credits_and_holds",
						  amount_text(books, own), any_money_text(balance));
}

static void
check_available(const Books *books)
{
	const AccountRow *account = &books->account;
	int128		available = (int128) account->balance.minor - account->held.minor - books->overdue;

	available += account->credit_line.minor;
	if (available < 0)
		account_violation(books, "available_not_negative",
						  psprintf("at least %s", amount_text(books, 0)), amount_text(books, available));
}

void
verify_sums(Books *books)
{
	const AccountRow *account = &books->account;

	check_missing_credits(books);
	check_keys(books);
	check_balance(books);
	check_available(books);
	if (account->held.minor != books->held)
		account_violation(books, "held_is_open_holds",
						  amount_text(books, books->held), any_money_text(&account->held));
	if (account->last_seq != books->last_seq)
		account_violation(books, "last_seq",
						  wide_integer_text(books->last_seq), wide_integer_text(account->last_seq));
	if (account->last_hold_id != books->last_hold_id)
		account_violation(books, "last_hold_id",
						  wide_integer_text(books->last_hold_id), wide_integer_text(account->last_hold_id));
}
