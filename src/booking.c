/*
 * booking.c
 *		What a call does to one account: planned in memory, then written at once.
 *
 * Three figures are kept in step while planning: the account's balance, what it
 * holds, and what is left in its credits (booking->open).  Whoever wrote the
 * account last left
 *
 *		open = greatest(0, balance - held)
 *
 * since money in credits always pays back the credit line first.  So open need
 * not be added up from the credits, and most calls read one or two of them.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "booking.h"
#include "chain.h"
#include "limits.h"
#include "outbox.h"
#include "records.h"
#include "release.h"
#include "store_rows.h"
#include "storecredit.h"
#include "worker_shared.h"

/* The issuer of what the ledger books by itself. */
#define SYSTEM_ISSUER	"storecredit"

char *
minor_to_cstring(const Booking *booking, int64 minor)
{
	MoneyCcy	money = make_money_ccy(minor, booking->account.currency);

	return money_ccy_to_cstring(&money);
}

const Annotation *
system_annotation(void)
{
	Annotation *annotation = palloc0(sizeof(Annotation));

	annotation->issuer = cstring_to_text(SYSTEM_ISSUER);
	return annotation;
}

/* Room for one more item in a growing array. */
static void *
make_room(void *items, int count, int *room, Size size)
{
	if (count < *room)
		return items;
	*room = *room == 0 ? 4 : *room * 2;
	return items == NULL ? palloc(*room * size) : repalloc(items, *room * size);
}

/* ---- taking the account ---- */

void
open_booking(Booking *booking, bool for_update)
{
	memset(booking, 0, sizeof(Booking));
	booking->store = open_store(for_update);
}

static void
end_scan(Booking *booking)
{
	if (booking->scan_is_open)
		booking->store->end_credits(booking->store);
	booking->scan_is_open = false;
}

void
close_booking(Booking *booking)
{
	end_scan(booking);
	booking->store->close(booking->store);
}

bool
take_account(Booking *booking, const AccountRef *ref)
{
	Account    *account = &booking->account;

	end_scan(booking);
	booking->credits = NULL;
	booking->credit_count = 0;
	booking->credit_room = 0;
	booking->next_credit = 0;
	booking->sorted_count = 0;
	booking->expired_count = 0;
	booking->entries = NULL;
	booking->entry_count = 0;
	booking->entry_room = 0;
	booking->notify = false;
	booking->holds = NIL;

	booking->exists = booking->store->take_account(booking->store, ref, account);
	booking->now = shop_clock();
	booking->as_of = booking->now;
	if (!booking->exists)
	{
		memset(account, 0, sizeof(Account));
		memcpy(account->currency, ref->currency, sizeof(account->currency));
		account->max_balance = CURRENCY_LIMIT_APPLIES;
	}
	booking->scan_is_done = !booking->exists;
	booking->open = owned(booking);
	return booking->exists;
}

/* ---- credits ---- */

static PlannedCredit *
append_credit(Booking *booking, const OpenCredit *credit, int64 stored)
{
	PlannedCredit *planned;

	booking->credits = make_room(booking->credits, booking->credit_count, &booking->credit_room,
								 sizeof(PlannedCredit));
	planned = &booking->credits[booking->credit_count++];
	planned->credit = *credit;
	planned->stored = stored;
	return planned;
}

/* Reads one more credit; false if there is none. */
static bool
read_credit(Booking *booking)
{
	OpenCredit	credit;

	if (booking->scan_is_done)
		return false;
	if (!booking->scan_is_open)
		booking->store->begin_credits(booking->store, &booking->account);
	booking->scan_is_open = true;
	if (!booking->store->next_credit(booking->store, &credit))
	{
		end_scan(booking);
		booking->scan_is_done = true;
		return false;
	}
	if (booking->sorted_count == booking->credit_count)
		booking->sorted_count++;
	append_credit(booking, &credit, credit.remaining);
	return true;
}

void
add_known_credit(Booking *booking, const OpenCredit *credit)
{
	append_credit(booking, credit, credit->remaining);
	booking->sorted_count = booking->credit_count;
	booking->scan_is_done = true;
}

int
compare_credits(const OpenCredit *a, const OpenCredit *b)
{
	if (a->expires_at != b->expires_at)
		return a->expires_at < b->expires_at ? -1 : 1;
	return a->seq < b->seq ? -1 : a->seq > b->seq;
}

static void
read_all_credits(Booking *booking)
{
	while (read_credit(booking))
		;
}

/* Most are added behind all others, where they belong. */
static void
put_in_place(Booking *booking, int from)
{
	PlannedCredit added = booking->credits[from];
	int			to = from;

	while (to > 0 && compare_credits(&added.credit, &booking->credits[to - 1].credit) < 0)
		to--;
	memmove(&booking->credits[to + 1], &booking->credits[to], (from - to) * sizeof(PlannedCredit));
	booking->credits[to] = added;
	booking->next_credit = Min(booking->next_credit, to);
}

static void
put_all_in_place(Booking *booking)
{
	if (booking->sorted_count == booking->credit_count)
		return;
	read_all_credits(booking);
	for (; booking->sorted_count < booking->credit_count; booking->sorted_count++)
		put_in_place(booking, booking->sorted_count);
}

/* The first credit with something left, or NULL. */
static PlannedCredit *
first_credit(Booking *booking)
{
	put_all_in_place(booking);
	for (;; booking->next_credit++)
	{
		if (booking->next_credit == booking->credit_count && !read_credit(booking))
			return NULL;
		if (booking->credits[booking->next_credit].credit.remaining > 0)
			return &booking->credits[booking->next_credit];
	}
}

void
draw(Booking *booking, int64 minor, Draws *draws)
{
	PlannedCredit *planned;

	while (minor > 0 && (planned = first_credit(booking)) != NULL)
	{
		int64		part = Min(minor, planned->credit.remaining);

		planned->credit.remaining -= part;
		booking->open -= part;
		minor -= part;
		add_draw(draws, planned->credit.seq, part);
	}
}

PlannedCredit *
find_credit(Booking *booking, int64 seq)
{
	read_all_credits(booking);
	for (int i = 0; i < booking->credit_count; i++)
	{
		PlannedCredit *planned = &booking->credits[i];

		if (planned->credit.seq == seq && planned->credit.remaining > 0)
			return planned;
	}
	return NULL;
}

void
add_new_credit(Booking *booking, int64 seq, TimestampTz expires_at, int64 minor)
{
	OpenCredit	credit = {.expires_at = expires_at, .seq = seq, .remaining = minor};

	append_credit(booking, &credit, 0);
	booking->open = minor_add(booking->open, minor);
}

void
give(Booking *booking, int64 seq, TimestampTz expires_at, int64 minor)
{
	for (int i = 0; i < booking->credit_count; i++)
	{
		PlannedCredit *planned = &booking->credits[i];

		if (planned->credit.seq == seq && planned->credit.expires_at == expires_at)
		{
			planned->credit.remaining = minor_add(planned->credit.remaining, minor);
			booking->open = minor_add(booking->open, minor);
			booking->next_credit = Min(booking->next_credit, i);
			return;
		}
	}
	add_new_credit(booking, seq, expires_at, minor);
}

/* ---- the account ---- */

static bool
book_expired_credit(Booking *booking)
{
	PlannedCredit *planned = first_credit(booking);
	Entry	   *entry;

	if (planned == NULL || planned->credit.expires_at > booking->as_of)
		return false;
	entry = make_entry(booking, "expiration", -planned->credit.remaining, system_annotation());
	entry->expires_at = planned->credit.expires_at;
	entry->related_seq = planned->credit.seq;
	booking->open -= planned->credit.remaining;
	planned->credit.remaining = 0;
	booking->expired_count++;
	return true;
}

void
book_expired_credits(Booking *booking)
{
	while (book_expired_credit(booking))
		;
}

void
catch_up(Booking *booking)
{
	if (booking->account.held > 0)
		release_overdue_holds(booking);
	book_expired_credits(booking);
}

int64
available(const Booking *booking)
{
	const Account *account = &booking->account;
	int128		sum = (int128) account->balance - account->held + account->credit_line;

	return (int64) Min(sum, (int128) PG_INT64_MAX);
}

int64
overdrawn(const Booking *booking)
{
	return Max(0, minor_sub(booking->account.held, booking->account.balance));
}

int64
owned(const Booking *booking)
{
	return Max(0, minor_sub(booking->account.balance, booking->account.held));
}

Entry *
make_entry(Booking *booking, const char *kind, int64 amount, const Annotation *annotation)
{
	Entry	   *entry;

	booking->account.balance = minor_add(booking->account.balance, amount);
	booking->account.last_seq++;

	booking->entries = make_room(booking->entries, booking->entry_count, &booking->entry_room, sizeof(Entry));
	entry = &booking->entries[booking->entry_count++];
	memset(entry, 0, sizeof(Entry));
	entry->seq = booking->account.last_seq;
	entry->kind = kind;
	entry->amount = amount;
	entry->balance_after = booking->account.balance;
	entry->created_at = booking->now;
	entry->expires_at = NEVER;
	entry->annotation = annotation;
	return entry;
}

void
plan_hold(Booking *booking, Hold *hold, bool is_new)
{
	PlannedHold *planned = palloc(sizeof(PlannedHold));

	planned->hold = hold;
	planned->is_new = is_new;
	booking->holds = lappend(booking->holds, planned);
}

/* ---- writing ---- */

/* If what was left in credits before was what the account owned, it is so now. */
static void
check_credits(const Booking *booking)
{
	if (booking->open != owned(booking))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the open credits of account " INT64_FORMAT " do not add up to its balance",
						booking->account.account_id),
				 errhint("See what SELECT * FROM storecredit.verify(" INT64_FORMAT ") finds.",
						 booking->account.account_id)));
}

static void
write_credit(Booking *booking, const PlannedCredit *planned)
{
	LedgerStore *store = booking->store;
	const OpenCredit *credit = &planned->credit;

	if (credit->remaining == planned->stored)
		return;
	if (planned->stored == 0)
	{
		store->add_credit(store, &booking->account, credit);
		announce_due(credit->expires_at);
	}
	else if (credit->remaining == 0)
		store->remove_credit(store, &booking->account, credit);
	else
		store->change_credit(store, &booking->account, credit, credit->remaining);
}

/* Of what the call asks to be told, and of what the shop always tells: each entry once. */
static void
write_notifications(const Booking *booking)
{
	for (int i = 0; i < booking->entry_count; i++)
	{
		const Entry *entry = &booking->entries[i];

		if (!entry->notify && !is_notified_kind(entry->kind))
			continue;
		add_notification(&booking->account, entry->kind, entry->seq, booking->now);
		announce_due(booking->now);
	}
}

static void
chain_entries(Booking *booking)
{
	for (int i = 0; i < booking->entry_count; i++)
		chain_entry(&booking->account, &booking->entries[i]);
}

bool
write_booking(Booking *booking)
{
	LedgerStore *store = booking->store;
	ListCell   *cell;

	end_scan(booking);
	require_open_period(booking->now);
	if (booking->account.last_hash != NULL)
		chain_entries(booking);
	if (!store->save_account(store, &booking->account))
		return false;
	check_credits(booking);

	for (int i = 0; i < booking->credit_count; i++)
		write_credit(booking, &booking->credits[i]);
	if (booking->entry_count > 0)
		booking->rows = palloc(booking->entry_count * sizeof(Datum));
	for (int i = 0; i < booking->entry_count; i++)
		booking->rows[i] = store->append_entry(store, &booking->account, &booking->entries[i]);
	foreach(cell, booking->holds)
	{
		PlannedHold *planned = lfirst(cell);

		if (planned->is_new)
		{
			insert_hold(&booking->account, planned->hold);
			announce_due(planned->hold->expires_at);
		}
		else
			update_hold(&booking->account, planned->hold);
	}
	if (unlikely(booking->notify || storecredit_notify_kinds != 0))
		write_notifications(booking);
	return true;
}
