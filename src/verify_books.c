/*
 * verify_books.c
 *		One account's books while they are verified.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "verify_books.h"

static const struct
{
	const char *name;
	int			sign;
}			entry_kinds[] = {
	[CREDIT] = {"credit", 1},
	[DEBIT] = {"debit", -1},
	[DEBIT_REVERT] = {"debit_revert", 1},
	[EXPIRATION] = {"expiration", -1},
	[REVOCATION] = {"revocation", -1},
	[ADJUSTMENT] = {"adjustment", 0},
	[UNKNOWN_KIND] = {"unknown", 0},
};

void
open_books(Books *books, VerifyReport *report, const AccountRow *account, TimestampTz now)
{
	memset(books, 0, sizeof(Books));
	books->context = CurrentMemoryContext;
	books->report = report;
	books->now = now;
	books->account = *account;
	strlcpy(books->currency, account->currency, sizeof(books->currency));
}

/* ---- lists ---- */

static void *
append_item(const Books *books, GrowingList *list, Size item_size)
{
	if (list->count == list->room)
	{
		list->room = list->room == 0 ? 8 : list->room * 2;
		list->items = list->items == NULL ?
						  MemoryContextAlloc(books->context, list->room * item_size) :
						  repalloc_huge(list->items, list->room * item_size);
	}
	return memset((char *) list->items + list->count++ * item_size, 0, item_size);
}

/*
 * Finds an item that begins with this number.  They lie in the order of their
 * numbers, 1, 2, 3 ... unless something is wrong.
 */
static void *
find_item(const GrowingList *list, Size item_size, int64 number)
{
	char	   *items = list->items;
	int64		low = 0;
	int64		high = list->count;

	if (number >= 1 && number <= high && *(int64 *) (items + (number - 1) * item_size) == number)
		return items + (number - 1) * item_size;
	while (low < high)
	{
		int64		middle = low + (high - low) / 2;
		char	   *item = items + middle * item_size;

		if (*(int64 *) item == number)
			return item;
		if (*(int64 *) item < number)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

PastEntry *
add_past_entry(Books *books, int64 seq)
{
	PastEntry  *entry = append_item(books, &books->entries, sizeof(PastEntry));

	entry->seq = seq;
	return entry;
}

PastEntry *
find_past_entry(const Books *books, int64 seq)
{
	return find_item(&books->entries, sizeof(PastEntry), seq);
}

PastHold *
add_past_hold(Books *books, int64 hold_id)
{
	PastHold   *hold = append_item(books, &books->holds, sizeof(PastHold));

	hold->hold_id = hold_id;
	return hold;
}

PastHold *
find_past_hold(const Books *books, int64 hold_id)
{
	return find_item(&books->holds, sizeof(PastHold), hold_id);
}

/* ---- idempotency keys ---- */

void
add_key_use(Books *books, const char *key, const char *row_name, int64 number)
{
	KeyUse	   *use = append_item(books, &books->keys, sizeof(KeyUse));

	use->key = MemoryContextStrdup(books->context, key);
	use->row_name = row_name;
	use->number = number;
}

static int
compare_key_uses(const void *a, const void *b)
{
	const KeyUse *left = a;
	const KeyUse *right = b;
	int			order = strcmp(left->key, right->key);

	if (order == 0)
		order = strcmp(left->row_name, right->row_name);
	return order != 0 ? order : (left->number > right->number) - (left->number < right->number);
}

const KeyUse *
sort_key_uses(Books *books)
{
	if (books->keys.count > 1)
		qsort(books->keys.items, books->keys.count, sizeof(KeyUse), compare_key_uses);
	return books->keys.items;
}

/* ---- kinds ---- */

EntryKind
lookup_entry_kind(const char *name)
{
	EntryKind	kind;

	for (kind = 0; kind < UNKNOWN_KIND; kind++)
	{
		if (strcmp(entry_kinds[kind].name, name) == 0)
			break;
	}
	return kind;
}

const char *
entry_kind_name(EntryKind kind)
{
	return entry_kinds[kind].name;
}

int
entry_kind_sign(EntryKind kind)
{
	return entry_kinds[kind].sign;
}

/* ---- texts ---- */

char *
amount_text(const Books *books, int128 minor)
{
	return wide_money_text(minor, books->currency);
}

char *
amount_range_text(const Books *books, int128 low, int128 high)
{
	if (low == high)
		return amount_text(books, low);
	return psprintf("%s to %s", amount_text(books, low), amount_text(books, high));
}

char *
reference_text(const Books *books, int64 seq)
{
	const PastEntry *entry = find_past_entry(books, seq);

	if (entry == NULL)
		return psprintf("no transaction " INT64_FORMAT " so far", seq);
	return psprintf("transaction " INT64_FORMAT " of kind %s", seq, entry_kind_name(entry->kind));
}
