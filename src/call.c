/*
 * call.c
 *		One call from its arguments to its answer, whatever it does.
 *
 * Every call has the same shape.  It takes the account, looks for a replay,
 * plans on what it sees, and only then writes: the account first, which proves
 * that what was planned on is still true.  If it is not, the call starts over; so
 * no decision rests on what was read before a wait.  A refusal is proven in the
 * same way, and leaves nothing behind.
 *
 * Credits of the account that are past their expiry are booked on the way, in
 * front of the operation itself: being right does not wait for a sweep.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "call.h"
#include "compat.h"
#include "records.h"
#include "statement.h"

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
 * The digest is kept with what the call writes: the columns themselves would not
 * do, since memo and metadata may be blanked and an amount may have been taken in
 * part.
 */
void
hash_call(Call *call, const char *operation, const void *arguments, Size size)
{
	const Annotation *annotation = &call->annotation;
	StringInfoData buf;

	if (annotation->idempotency_key == NULL)
		return;
	initStringInfo(&buf);
	hash_bytes_in(&buf, operation, strlen(operation));
	hash_bytes_in(&buf, arguments, size);
	hash_bytes_in(&buf, &call->notify, sizeof(call->notify));
	hash_text_in(&buf, annotation->category);
	hash_text_in(&buf, annotation->memo);
	hash_text_in(&buf, annotation->reference);
	hash_text_in(&buf, annotation->issuer);
	hash_text_in(&buf, (const text *) annotation->metadata);
	call->request_hash = (int64) hash_bytes_extended((unsigned char *) buf.data, buf.len, 0);
}

/* The entry after it, if it is related to the first: a refund's bonus. */
static void
find_second_row(const Account *account, CallResult *result, int64 first_seq)
{
	Entry		entry;
	Datum		row;

	if (find_entry(account, first_seq + 1, &entry, &row) && entry.related_seq == first_seq &&
		strcmp(entry.kind, "credit") == 0)
		result->rows[result->row_count++] = row;
}

static bool
find_replayed_entry(Booking *booking, const Call *call, CallResult *result, int64 *first_hash)
{
	int64		seq;

	if (!booking->store->find_entry_by_key(booking->store, &booking->account, call->annotation.idempotency_key,
										   &result->rows[0], &seq, first_hash))
		return false;
	result->row_count = 1;
	if (call->answers_two)
		find_second_row(&booking->account, result, seq);
	return true;
}

bool
same_text(const text *a, const text *b)
{
	return VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
		memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
}

/* A hold has two keys: of the call that authorized it, and of the one that closed it. */
static bool
find_replayed_hold(Booking *booking, const Call *call, CallResult *result, int64 *first_hash)
{
	const text *key = call->annotation.idempotency_key;
	Hold		hold;

	if (booking->account.last_hold_id == 0 || !find_hold_by_key(&booking->account, key, &hold))
		return false;
	result->rows[0] = hold.row;
	result->row_count = 1;
	*first_hash = hold.closing_key != NULL && same_text(hold.closing_key, key) ?
		hold.closing_hash : hold.request_hash;
	return true;
}

LedgerError *
key_mismatch(const text *key, int64 account_id)
{
	return new_ledger_error(IDEMPOTENCY_KEY_PARAMETER_MISMATCH,
							"The key \"%s\" was first used on account " INT64_FORMAT " with other parameters.",
							text_to_cstring(key), account_id);
}

/* Whether the key has been used on this account; sets either the first answer or an error. */
bool
find_replay(Booking *booking, const Call *call, CallResult *result, LedgerError **error)
{
	const text *key = call->annotation.idempotency_key;
	int64		first_hash;

	if (key == NULL ||
		(!find_replayed_entry(booking, call, result, &first_hash) &&
		 !find_replayed_hold(booking, call, result, &first_hash)))
		return false;

	result->balance = booking->account.balance;
	if (first_hash != call->request_hash)
		*error = key_mismatch(key, booking->account.account_id);
	return true;
}

/* ---- the call ---- */

LedgerError *
check_currency(const Booking *booking, const MoneyCcy *amount)
{
	if (memcmp(amount->currency, booking->account.currency, CURRENCY_CODE_LENGTH) == 0)
		return NULL;
	if (!booking->exists)
		return new_ledger_error(MISMATCHING_CURRENCY, "The account would be in %s, the amount is %s.",
								booking->account.currency, money_ccy_to_cstring(amount));
	return new_ledger_error(MISMATCHING_CURRENCY,
							"Account " INT64_FORMAT " is in %s, the amount is %s.",
							booking->account.account_id, booking->account.currency, money_ccy_to_cstring(amount));
}

void
answer_with_last_entry(Booking *booking, Call *call)
{
	Assert(call->answer_count < MAX_ANSWER_ROWS);
	call->answers[call->answer_count++] = booking->entry_count - 1;
}

LedgerError *
no_such_account(const AccountRef *ref)
{
	if (ref->owner == NULL)
		return new_ledger_error(ACCOUNT_NOT_FOUND, "There is no account " INT64_FORMAT ".", ref->account_id);
	return new_ledger_error(ACCOUNT_NOT_FOUND, "Owner \"%s\" has no account in %s.",
							text_to_cstring(ref->owner), ref->currency);
}

static void
collect_answers(const Booking *booking, const Call *call, CallResult *result)
{
	result->row_count = 0;
	for (int i = 0; i < call->answer_count; i++)
		result->rows[result->row_count++] = booking->rows[call->answers[i]];
	if (call->answer_hold != NULL)
		result->rows[result->row_count++] = call->answer_hold->row;
	result->balance = booking->account.balance;
}

void
notify_of_answers(Booking *booking, const Call *call)
{
	if (!call->notify)
		return;
	booking->notify = true;
	for (int i = 0; i < call->answer_count; i++)
		booking->entries[call->answers[i]].notify = true;
}

/* If it was opened and is not there, it will never be. */
void
open_account_for(Booking *booking, const AccountRef *ref)
{
	if (booking->opened)
		row_not_written("account");
	open_account(ref, booking->now);
	booking->opened = true;
}

/*
 * One attempt; false if somebody changed the account while it was being planned
 * on, or if there is one now.
 */
static bool
attempt_call(Booking *booking, Call *call, CallResult *result, LedgerError **error)
{
	LedgerStore *store = booking->store;
	bool		exists = take_account(booking, &call->account);

	*error = NULL;
	if (exists && find_replay(booking, call, result, error))
		return true;
	if (!exists && (call->account.owner == NULL || !call->opens_account))
	{
		*error = no_such_account(&call->account);
		return true;
	}
	if (call->locks_first && !store->confirm_account(store, &booking->account))
		return false;

	call->answer_count = 0;
	call->answer_hold = NULL;
	*error = call->plan(booking, call);
	if (*error != NULL)
		return !exists || store->confirm_account(store, &booking->account);
	if (!exists)
	{
		open_account_for(booking, &call->account);
		return false;
	}
	notify_of_answers(booking, call);
	if (!write_booking(booking))
		return false;

	collect_answers(booking, call, result);
	return true;
}

LedgerError *
perform_call(Call *call, CallResult *result)
{
	Booking		booking;
	LedgerError *error;

	open_booking(&booking, true);
	while (!attempt_call(&booking, call, result, &error))
		CHECK_FOR_INTERRUPTS();
	close_booking(&booking);
	return error;
}
