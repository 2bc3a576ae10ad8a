/*
 * verify_chain.c
 *		The rules for the chain of hashes through an account's history.
 *
 * Each hash is computed from what the entry says and from the hash that the entry
 * before it has, right or wrong: so an entry is reported if it does not fit
 * there, and those after it only if they do not fit either.
 */
#include "postgres.h"

#include "chain.h"
#include "compat.h"
#include "store_rows.h"
#include "verify_rules.h"

static char *
hash_text(const uint8 *hash)
{
	char	   *text = psprintf("\\x%0*d", 2 * CHAIN_HASH_LENGTH, 0);

	for (int i = 0; i < CHAIN_HASH_LENGTH; i++)
		snprintf(text + 2 + 2 * i, 3, "%02x", hash[i]);
	return text;
}

static char *
stored_hash_text(const bytea *hash)
{
	if (hash == NULL)
		return "null";
	if (!is_chain_hash(hash))
		return psprintf("%d bytes", (int) VARSIZE_ANY_EXHDR(hash));
	return hash_text((const uint8 *) VARDATA_ANY(hash));
}

static bool
is_hash(const bytea *stored, const uint8 *hash)
{
	return stored != NULL && is_chain_hash(stored) && memcmp(VARDATA_ANY(stored), hash, CHAIN_HASH_LENGTH) == 0;
}

/* What no hash covers: columns that are of no use as the row is, so they must be null. */
static const char *
useless_column(const bool *isnull)
{
	bool		memo = !isnull[ENTRY_MEMO - 1];
	bool		metadata = !isnull[ENTRY_METADATA - 1];

	if (!isnull[ENTRY_SALT - 1] && !memo && !metadata)
		return "salt";
	if (!isnull[ENTRY_MEMO_DIGEST - 1] && memo)
		return "memo_digest";
	if (!isnull[ENTRY_METADATA_DIGEST - 1] && metadata)
		return "metadata_digest";
	return NULL;
}

void
verify_chain_link(Books *books, const LedgerCursor *cursor, int64 seq)
{
	Datum		values[ENTRY_COLUMNS];
	bool		isnull[ENTRY_COLUMNS];
	uint8		expected[CHAIN_HASH_LENGTH];
	const bytea *stored;
	const char *useless;

	if (!read_hashed_row(cursor, values, isnull))
		return;
	useless = useless_column(isnull);
	if (useless != NULL)
		report_row_violation(books->report, "hash", "transaction", seq, psprintf("%s null", useless), "a value");
	stored = isnull[ENTRY_HASH - 1] ? NULL : DatumGetByteaPP(values[ENTRY_HASH - 1]);
	hash_entry_row(books->last_hash, values, isnull, expected);
	/* Without last_hash the account is waiting to be sealed, or said to be by verify_last_hash(). */
	if (!is_hash(stored, expected) && (stored != NULL || books->account.last_hash != NULL))
		report_row_violation(books->report, "hash", "transaction", seq, hash_text(expected), stored_hash_text(stored));
	memcpy(books->last_hash, stored != NULL && is_chain_hash(stored) ? (const uint8 *) VARDATA_ANY(stored) : expected,
		   CHAIN_HASH_LENGTH);
}

void
verify_last_hash(const Books *books, bool expected)
{
	const bytea *last_hash = books->account.last_hash;

	if (last_hash == NULL ? expected : !is_hash(last_hash, books->last_hash))
		report_violation(books->report, "last_hash", hash_text(books->last_hash), stored_hash_text(last_hash));
}
