/*
 * ledger.c
 *		The rules: credit, debit and balance.
 *
 * Every call has the same shape.  It takes the account, looks for a replay,
 * reads the clock, decides on what it sees, and only then writes: the account
 * first, which proves that what was decided on is still true.  If it is not,
 * the call starts over; so no decision rests on what was read before a wait.
 * A refusal is proven in the same way, and leaves nothing behind.
 *
 * Credits of the account that are past their expiry are booked on the way, in
 * front of the operation itself: being right does not wait for a sweep.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "compat.h"
#include "ledger.h"
#include "limits.h"
#include "storecredit.h"

/* The issuer of what the ledger books by itself. */
#define SYSTEM_ISSUER	"storecredit"

/* What a call knows of its account, and what it has decided. */
typedef struct Operation
{
	LedgerStore *store;
	Account		account;
	TimestampTz now;
	int64		request_hash;

	/* Credits past their expiry, to be booked as such. */
	OpenCredit *overdue;
	int			overdue_count;
	int64		overdue_sum;

	/* What a debit draws on, and how much of each. */
	OpenCredit *drawn;
	Draw	   *draws;
	int			draw_count;
	int			draw_room;

	int64		amount;			/* what is credited or debited in the end */
	int64		repaid;			/* what of a credit pays back the credit line */
} Operation;

static char *
minor_to_cstring(const Operation *op, int64 minor)
{
	MoneyCcy	money = make_money_ccy(minor, op->account.currency);

	return money_ccy_to_cstring(&money);
}

/* ---- idempotency ---- */

static void
hash_bytes_in(StringInfo buf, const void *data, int32 length)
{
	appendBinaryStringInfo(buf, (const char *) &length, sizeof(length));
	if (length > 0)
		appendBinaryStringInfo(buf, data, length);
}

static void
hash_text_in(StringInfo buf, const text *value)
{
	if (value == NULL)
		hash_bytes_in(buf, NULL, -1);
	else
		hash_bytes_in(buf, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
}

/*
 * A digest of all that a call asks for.  It is kept with the entry: the columns
 * themselves would not do, since memo and metadata may be blanked and an amount
 * may have been taken in part.
 */
static int64
hash_request(const char *operation, const MoneyCcy *amount, int64 option, bool notify, const Annotation *annotation)
{
	StringInfoData buf;

	if (annotation->idempotency_key == NULL)
		return 0;
	initStringInfo(&buf);
	hash_bytes_in(&buf, operation, strlen(operation));
	hash_bytes_in(&buf, amount, sizeof(MoneyCcy));
	hash_bytes_in(&buf, &option, sizeof(option));
	hash_bytes_in(&buf, &notify, sizeof(notify));
	hash_text_in(&buf, annotation->category);
	hash_text_in(&buf, annotation->memo);
	hash_text_in(&buf, annotation->reference);
	hash_text_in(&buf, annotation->issuer);
	hash_text_in(&buf, (const text *) annotation->metadata);
	return (int64) hash_bytes_extended((unsigned char *) buf.data, buf.len, 0);
}

/* Whether the key has been used on this account; sets either the first answer or an error. */
static bool
find_replay(Operation *op, const Annotation *annotation, LedgerResult *result, LedgerError **error)
{
	int64		first_hash;

	if (annotation->idempotency_key == NULL ||
		!op->store->find_entry_by_key(op->store, &op->account, annotation->idempotency_key,
									  &result->row, &first_hash))
		return false;

	result->balance = op->account.balance;
	if (first_hash != op->request_hash)
		*error = new_ledger_error(IDEMPOTENCY_KEY_PARAMETER_MISMATCH,
								  "The key \"%s\" was first used on account " INT64_FORMAT " with other parameters.",
								  text_to_cstring(annotation->idempotency_key), op->account.account_id);
	return true;
}

/* ---- reading the account ---- */

/* An owner's account before its first credit. */
static void
start_account(Operation *op, const AccountRef *ref)
{
	memset(&op->account, 0, sizeof(Account));
	memcpy(op->account.currency, ref->currency, sizeof(op->account.currency));
	op->account.max_balance = CURRENCY_LIMIT_APPLIES;
}

/*
 * Begins the walk over the open credits: those past their expiry come first.
 * Returns whether there is another one, left in *credit.
 */
static bool
read_overdue(Operation *op, OpenCredit *credit)
{
	bool		more;
	int			room = 0;

	op->overdue_count = 0;
	op->overdue_sum = 0;
	op->store->begin_credits(op->store, &op->account);
	while ((more = op->store->next_credit(op->store, credit)) && credit->expires_at <= op->now)
	{
		if (op->overdue_count == room)
		{
			room = room == 0 ? 8 : room * 2;
			op->overdue = op->overdue_count == 0 ?
				palloc(room * sizeof(OpenCredit)) :
				repalloc(op->overdue, room * sizeof(OpenCredit));
		}
		op->overdue[op->overdue_count++] = *credit;
		op->overdue_sum = minor_add(op->overdue_sum, credit->remaining);
	}
	return more;
}

/* Balance less held, less overdue, plus the credit line. */
static int64
available(const Operation *op)
{
	int128		sum = (int128) op->account.balance - op->account.held - op->overdue_sum + op->account.credit_line;

	return (int64) Min(sum, (int128) PG_INT64_MAX);
}

/* What has been drawn from the credit line. */
static int64
overdrawn(const Operation *op)
{
	return Max(0, minor_sub(op->account.held, op->account.balance));
}

static LedgerError *
check_currency(const Operation *op, const MoneyCcy *amount)
{
	if (memcmp(amount->currency, op->account.currency, CURRENCY_CODE_LENGTH) == 0)
		return NULL;
	return new_ledger_error(MISMATCHING_CURRENCY,
							"Account " INT64_FORMAT " is in %s, the amount is %s.",
							op->account.account_id, op->account.currency, money_ccy_to_cstring(amount));
}

/* ---- writing ---- */

static void
append(Operation *op, const char *kind, Entry *entry, Datum *row)
{
	entry->kind = kind;
	entry->created_at = op->now;
	*row = op->store->append_entry(op->store, &op->account, entry);
}

/* Books the overdue credits, from balance on. */
static void
write_expirations(Operation *op, int64 seq, int64 balance)
{
	Annotation	annotation = {0};

	if (op->overdue_count == 0)
		return;
	annotation.issuer = cstring_to_text(SYSTEM_ISSUER);
	for (int i = 0; i < op->overdue_count; i++)
	{
		const OpenCredit *credit = &op->overdue[i];
		Entry		entry = {0};
		Datum		row;

		balance -= credit->remaining;
		entry.seq = seq + i;
		entry.amount = -credit->remaining;
		entry.balance_after = balance;
		entry.expires_at = credit->expires_at;
		entry.related_seq = credit->seq;
		entry.annotation = &annotation;
		op->store->remove_credit(op->store, &op->account, credit);
		append(op, "expiration", &entry, &row);
	}
}

/*
 * Saves the account as the overdue credits and one more entry leave it.  True
 * if nobody came before; then *entry has its place in the history, and the
 * expirations are written.
 */
static bool
save_account(Operation *op, int64 effect, Entry *entry)
{
	Account    *account = &op->account;
	Account		before = *account;

	account->last_seq += op->overdue_count + 1;
	account->balance = minor_add(account->balance - op->overdue_sum, effect);
	if (!op->store->save_account(op->store, account))
		return false;

	entry->seq = account->last_seq;
	entry->amount = effect;
	entry->balance_after = account->balance;
	entry->request_hash = op->request_hash;
	write_expirations(op, before.last_seq + 1, before.balance);
	return true;
}

static void
finish(Operation *op, const char *kind, Entry *entry, bool notify, LedgerResult *result)
{
	append(op, kind, entry, &result->row);
	if (notify)
		add_notification(&op->account, kind, entry->seq, op->now);
	result->balance = op->account.balance;
}

/* ---- credit ---- */

static LedgerError *
check_credit_limits(const Operation *op, int64 amount)
{
	const CurrencyLimit *limit = get_currency_limit(op->account.currency);
	int64		max_balance = op->account.max_balance != CURRENCY_LIMIT_APPLIES ? op->account.max_balance : limit->max_balance;
	int64		balance = op->account.balance - op->overdue_sum;

	if (amount > limit->max_credit)
		return new_ledger_error(CREDIT_LIMIT_EXCEEDED, "The credit is %s, the most that one may bring is %s.",
								minor_to_cstring(op, amount), minor_to_cstring(op, limit->max_credit));
	/* No sum that could overflow: the limit is at least zero, and the credit above it. */
	if (max_balance != NO_LIMIT && balance > max_balance - amount)
		return new_ledger_error(CREDIT_LIMIT_EXCEEDED, "The balance of %s and the credit of %s exceed the limit of %s.",
								minor_to_cstring(op, balance), minor_to_cstring(op, amount),
								minor_to_cstring(op, max_balance));
	return NULL;
}

static LedgerError *
decide_credit(const CreditRequest *request, Operation *op)
{
	LedgerError *error;
	OpenCredit	credit;

	if (request->expires_at <= op->now)
		return new_ledger_error(EXPIRES_AT_IN_PAST, "It would have expired at %s, and it is %s now.",
								pstrdup(timestamptz_to_str(request->expires_at)), pstrdup(timestamptz_to_str(op->now)));
	if (request->amount.minor <= 0)
		return new_ledger_error(CREDIT_NOT_POSITIVE, "The amount is %s.", money_ccy_to_cstring(&request->amount));
	error = check_currency(op, &request->amount);
	if (error != NULL)
		return error;
	if (get_currency(request->amount.currency)->withdrawn)
		return new_ledger_error(UNSUPPORTED_CURRENCY, "%s has been withdrawn: what is there can be spent, but no new credit issued.",
								request->amount.currency);

	read_overdue(op, &credit);
	op->store->end_credits(op->store);

	op->amount = request->amount.minor;
	op->repaid = Min(op->amount, overdrawn(op));
	return check_credit_limits(op, op->amount);
}

static void
write_credit(const CreditRequest *request, Operation *op, Entry *entry, LedgerResult *result)
{
	OpenCredit	credit = {.expires_at = request->expires_at};
	Draw		repayment;

	credit.seq = entry->seq;
	credit.remaining = op->amount - op->repaid;
	if (credit.remaining > 0)
		op->store->add_credit(op->store, &op->account, &credit);

	if (op->repaid > 0)
	{
		repayment.credit_seq = entry->seq;
		repayment.minor = op->repaid;
		entry->draws = &repayment;
		entry->draw_count = 1;
	}
	entry->expires_at = request->expires_at;
	entry->annotation = &request->annotation;
	finish(op, "credit", entry, request->notify, result);
}

LedgerError *
credit_account(const CreditRequest *request, LedgerResult *result)
{
	const AccountRef *ref = &request->account;
	Operation	op = {0};
	LedgerError *error = NULL;
	bool		opened = false;

	op.store = open_store(true);
	op.request_hash = hash_request("credit", &request->amount, request->expires_at, request->notify,
								   &request->annotation);
	for (;;)
	{
		bool		exists = op.store->take_account(op.store, ref, &op.account);
		Entry		entry = {0};

		CHECK_FOR_INTERRUPTS();
		if (exists && find_replay(&op, &request->annotation, result, &error))
			break;
		op.now = shop_clock();
		if (!exists && ref->owner == NULL)
		{
			error = new_ledger_error(ACCOUNT_NOT_FOUND, "There is no account " INT64_FORMAT ".", ref->account_id);
			break;
		}
		if (!exists)
			start_account(&op, ref);

		error = decide_credit(request, &op);
		if (error != NULL)
		{
			if (!exists || op.store->confirm_account(op.store, &op.account))
				break;
		}
		else if (!exists)
		{
			if (opened)
				row_not_written("account");
			open_account(ref, op.now);
			opened = true;
		}
		else if (save_account(&op, op.amount, &entry))
		{
			write_credit(request, &op, &entry, result);
			break;
		}
	}
	op.store->close(op.store);
	return error;
}

/* ---- debit ---- */

/*
 * Draws on the open credits from *credit on until op->amount is covered.  What
 * they do not cover comes from the credit line, and that must be just what the
 * account lacks of own money.
 */
static void
draw_credits(Operation *op, OpenCredit *credit, bool more)
{
	int64		own = Max(0, op->account.balance - op->account.held - op->overdue_sum);
	int64		left = op->amount;

	op->draw_count = 0;
	while (more && left > 0)
	{
		Draw	   *draw;

		if (op->draw_count == op->draw_room)
		{
			op->draw_room = op->draw_room == 0 ? 8 : op->draw_room * 2;
			op->drawn = op->drawn == NULL ?
				palloc(op->draw_room * sizeof(OpenCredit)) :
				repalloc(op->drawn, op->draw_room * sizeof(OpenCredit));
			op->draws = op->draws == NULL ?
				palloc(op->draw_room * sizeof(Draw)) :
				repalloc(op->draws, op->draw_room * sizeof(Draw));
		}
		op->drawn[op->draw_count] = *credit;
		draw = &op->draws[op->draw_count++];
		draw->credit_seq = credit->seq;
		draw->minor = Min(left, credit->remaining);
		left -= draw->minor;
		if (left > 0)
			more = op->store->next_credit(op->store, credit);
	}

	if (left != Max(0, op->amount - own))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the open credits of account " INT64_FORMAT " do not add up to its balance",
						op->account.account_id),
				 errhint("See what SELECT * FROM storecredit.verify(" INT64_FORMAT ") finds.",
						 op->account.account_id)));
}

static LedgerError *
check_funds(const DebitRequest *request, Operation *op)
{
	int64		can_spend = available(op);
	const CurrencyLimit *limit = get_currency_limit(op->account.currency);

	op->amount = request->amount.minor;
	if (request->allow_partial && can_spend > 0)
		op->amount = Min(op->amount, can_spend);
	if (op->amount > limit->max_debit)
		return new_ledger_error(DEBIT_LIMIT_EXCEEDED, "The debit is %s, the most that one may take is %s.",
								minor_to_cstring(op, op->amount), minor_to_cstring(op, limit->max_debit));
	if (op->amount > can_spend)
		return new_ledger_error(INSUFFICIENT_FUNDS, "Available are %s, the debit is %s.",
								minor_to_cstring(op, can_spend), minor_to_cstring(op, op->amount));
	return NULL;
}

static LedgerError *
decide_debit(const DebitRequest *request, Operation *op)
{
	LedgerError *error;
	OpenCredit	credit;
	bool		more;

	if (request->amount.minor <= 0)
		return new_ledger_error(DEBIT_NOT_POSITIVE, "The amount is %s.", money_ccy_to_cstring(&request->amount));
	error = check_currency(op, &request->amount);
	if (error != NULL)
		return error;

	more = read_overdue(op, &credit);
	error = check_funds(request, op);
	if (error == NULL)
		draw_credits(op, &credit, more);
	op->store->end_credits(op->store);
	return error;
}

static void
write_debit(const DebitRequest *request, Operation *op, Entry *entry, LedgerResult *result)
{
	for (int i = 0; i < op->draw_count; i++)
	{
		const OpenCredit *credit = &op->drawn[i];
		int64		remaining = credit->remaining - op->draws[i].minor;

		if (remaining > 0)
			op->store->lessen_credit(op->store, &op->account, credit, remaining);
		else
			op->store->remove_credit(op->store, &op->account, credit);
	}
	entry->draws = op->draws;
	entry->draw_count = op->draw_count;
	entry->expires_at = NEVER;
	entry->annotation = &request->annotation;
	finish(op, "debit", entry, request->notify, result);
}

LedgerError *
debit_account(const DebitRequest *request, LedgerResult *result)
{
	const AccountRef *ref = &request->account;
	Operation	op = {0};
	LedgerError *error = NULL;

	op.store = open_store(true);
	op.request_hash = hash_request("debit", &request->amount, request->allow_partial, request->notify,
								   &request->annotation);
	for (;;)
	{
		Entry		entry = {0};

		CHECK_FOR_INTERRUPTS();
		if (!op.store->take_account(op.store, ref, &op.account))
		{
			error = ref->owner == NULL ?
				new_ledger_error(ACCOUNT_NOT_FOUND, "There is no account " INT64_FORMAT ".", ref->account_id) :
				new_ledger_error(ACCOUNT_NOT_FOUND, "Owner \"%s\" has no account in %s.",
								 text_to_cstring(ref->owner), ref->currency);
			break;
		}
		if (find_replay(&op, &request->annotation, result, &error))
			break;
		op.now = shop_clock();

		error = decide_debit(request, &op);
		if (error != NULL)
		{
			if (op.store->confirm_account(op.store, &op.account))
				break;
		}
		else if (save_account(&op, -op.amount, &entry))
		{
			write_debit(request, &op, &entry, result);
			break;
		}
	}
	op.store->close(op.store);
	return error;
}

/* ---- balance ---- */

int64
available_balance(const AccountRef *ref)
{
	Operation	op = {0};
	OpenCredit	credit;
	int64		result = 0;

	op.store = open_store(false);
	if (op.store->take_account(op.store, ref, &op.account))
	{
		op.now = shop_clock();
		read_overdue(&op, &credit);
		op.store->end_credits(op.store);
		result = available(&op);
	}
	op.store->close(op.store);
	return result;
}
