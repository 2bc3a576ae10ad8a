/*
 * verify_books.h
 *		One account's books while they are verified: its entries and holds by
 *		number, what must be left of its credits, its idempotency keys, its sums.
 *
 * All sums are 128 bits wide and every look-up may fail, as nothing is known of
 * the rows.  The books live in one memory context, which is dropped with them.
 */
#ifndef STORECREDIT_VERIFY_BOOKS_H
#define STORECREDIT_VERIFY_BOOKS_H

#include "postgres.h"

#include "chain.h"
#include "ledger_types.h"
#include "verify_report.h"
#include "verify_scan.h"

typedef enum EntryKind
{
	CREDIT,
	DEBIT,
	DEBIT_REVERT,
	EXPIRATION,
	REVOCATION,
	ADJUSTMENT,
	UNKNOWN_KIND
} EntryKind;

/* What later rows may need to know of an entry. */
typedef struct PastEntry
{
	int64		seq;
	EntryKind	kind;
	bool		open;			/* a credit that has its row in open_credit */
	bool		misused;		/* a credit that more was drawn from, or given back to, than can be */
	TimestampTz expires_at;		/* of a credit, as adjusted */
	int128		size;			/* of a credit, as adjusted, or a debit; not negative */
	int128		left;			/* of it: not yet used, or not yet given back */
	Draws		draws;			/* of a debit: not yet given back */
} PastEntry;

typedef struct PastHold
{
	int64		hold_id;
	bool		open;
	bool		ends_captured;	/* its last capture closed it */
	int128		amount;
	int128		captured;
	int128		captures;		/* by the debits that name it, so far */
	Draws		authorized;		/* not yet captured */
	Draws		draws;			/* as stored */

	int64		after_seq;		/* it was authorized after this entry */
	bool		possible;		/* it may be open at the entry that is looked at */
	bool		certain;		/* it is */
} PastHold;

/* What some holds hold: money of credits, and of the credit line. */
typedef struct HeldSum
{
	int128		of_credits;
	int128		of_line;
} HeldSum;

typedef struct KeyUse
{
	const char *key;
	const char *row_name;		/* of the row that has it */
	int64		number;
} KeyUse;

/* A list that may be longer than palloc allows. */
typedef struct GrowingList
{
	void	   *items;
	int64		count;
	int64		room;
} GrowingList;

typedef struct Books
{
	MemoryContext context;
	VerifyReport *report;
	TimestampTz now;
	AccountRow	account;
	char		currency[CURRENCY_CODE_LENGTH + 1];

	GrowingList holds;			/* of PastHold */
	int64		last_hold_id;
	int128		held;			/* by open holds */
	int64		possible_count; /* of holds that have been possible so far: the first ones */
	HeldSum		possible;		/* by holds that may be open at the entry that is looked at */
	HeldSum		certain;		/* by those that are */

	GrowingList entries;		/* of PastEntry */
	GrowingList keys;			/* of KeyUse, in both tables */
	int64		last_seq;
	int64		balance_after;	/* of the last entry */
	uint8		last_hash[CHAIN_HASH_LENGTH];	/* of the last entry */
	int128		sum;			/* of all amounts */
	int128		unused;			/* of all credits */
	struct pairingheap *queue;	/* of credits with something left, as they are drawn on; NULL if there was none */
	Draws		repayments;		/* what credits have paid back to the credit line and did not get back */

	int128		open_credits;
	int128		overdue;		/* the part of them that is past its expiry */
} Books;

/* Empty books of an account, in the current memory context. */
extern void open_books(Books *books, VerifyReport *report, const AccountRow *account, TimestampTz now);

/* Entries and holds are added in the order of their numbers; NULL if there is none of that number. */
extern PastEntry *add_past_entry(Books *books, int64 seq);
extern PastEntry *find_past_entry(const Books *books, int64 seq);
extern PastHold *add_past_hold(Books *books, int64 hold_id);
extern PastHold *find_past_hold(const Books *books, int64 hold_id);

/* After sorting, one key's uses lie together: holds first, then transactions, each in the order of their numbers. */
extern void add_key_use(Books *books, const char *key, const char *row_name, int64 number);
extern const KeyUse *sort_key_uses(Books *books);

extern EntryKind lookup_entry_kind(const char *name);
extern const char *entry_kind_name(EntryKind kind);
extern int	entry_kind_sign(EntryKind kind);	/* of its amounts; 0 for either */

/* Texts for a report: money of the account's currency, and what a seq referred to when it was booked. */
extern char *amount_text(const Books *books, int128 minor);
extern char *amount_range_text(const Books *books, int128 low, int128 high);
extern char *reference_text(const Books *books, int64 seq);

#endif							/* STORECREDIT_VERIFY_BOOKS_H */
