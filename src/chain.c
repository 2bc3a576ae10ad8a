/*
 * chain.c
 *		The chain of hashes through an account's history.
 *
 * What is hashed is a record in PostgreSQL's binary format, which depends on no
 * setting and no machine: storecredit.transaction_hash() makes it in plain SQL.
 * Whatever is read here may have been tampered with, so nothing is taken for
 * granted of the values but their types.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/cryptohash.h"
#include "common/sha2.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/timestamp.h"

#include "chain.h"
#include "compat.h"
#include "money_ccy.h"
#include "store_rows.h"

/* What makes the digest of a memo no clue to it once both are blanked. */
#define SALT_LENGTH		16

/* Of the record: the hash before it, and all columns but the four that the chain itself has. */
#define HASHED_COLUMNS	(1 + ENTRY_REQUEST_HASH)

StaticAssertDecl(CHAIN_HASH_LENGTH == PG_SHA256_DIGEST_LENGTH, "a hash is a SHA-256");

/* ---- SHA-256 of one or two pieces ---- */

static void
sha256(const void *first, size_t first_length, const void *second, size_t second_length, uint8 *digest)
{
	pg_cryptohash_ctx *context = pg_cryptohash_create(PG_SHA256);

	if (pg_cryptohash_init(context) < 0 ||
		pg_cryptohash_update(context, first, first_length) < 0 ||
		(second_length > 0 && pg_cryptohash_update(context, second, second_length) < 0) ||
		pg_cryptohash_final(context, digest, CHAIN_HASH_LENGTH) < 0)
		elog(ERROR, "could not compute a SHA-256: %s", pg_cryptohash_error(context));
	pg_cryptohash_free(context);
}

/* ---- the values of the chain ---- */

static bytea *
new_bytea(Size length)
{
	bytea	   *value = palloc(VARHDRSZ + length);

	SET_VARSIZE(value, VARHDRSZ + length);
	return value;
}

bool
is_chain_hash(const bytea *value)
{
	return VARSIZE_ANY_EXHDR(value) == CHAIN_HASH_LENGTH;
}

bytea *
copy_last_hash(int64 account_id, Datum value, bool isnull)
{
	bytea	   *hash = isnull ? NULL : DatumGetByteaPCopy(value);

	if (hash != NULL && !is_chain_hash(hash))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("last_hash of account " INT64_FORMAT " is no SHA-256", account_id)));
	return hash;
}

static bytea *
new_salt(void)
{
	bytea	   *salt = new_bytea(SALT_LENGTH);

	if (!pg_strong_random(VARDATA(salt), SALT_LENGTH))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate random values")));
	return salt;
}

/* ---- the record ---- */

/* In UTF-8, whatever the database is in; one that does not know its encoding has its bytes taken as they are. */
static void
to_utf8(const char **data, int *length)
{
	char	   *converted = (char *) *data;

	if (GetDatabaseEncoding() != PG_SQL_ASCII)
		converted = (char *) pg_do_encoding_conversion((unsigned char *) *data, *length, GetDatabaseEncoding(), PG_UTF8);
	if (converted == *data)
		return;
	*data = converted;
	*length = strlen(converted);
}

static void
put_column(StringInfo record, Oid type, const void *data, int length)
{
	pq_sendint32(record, type);
	pq_sendint32(record, length);
	pq_sendbytes(record, data, length);
}

static void
put_null(StringInfo record, Oid type)
{
	pq_sendint32(record, type);
	pq_sendint32(record, -1);
}

/* An integer, or an instant: microseconds since the year 2000. */
static void
put_int64(StringInfo record, Oid type, Datum value, bool isnull)
{
	if (isnull)
	{
		put_null(record, type);
		return;
	}
	pq_sendint32(record, type);
	pq_sendint32(record, sizeof(int64));
	pq_sendint64(record, DatumGetInt64(value));
}

static void
put_money(StringInfo record, Datum value, bool isnull)
{
	const MoneyCcy *money = isnull ? NULL : DatumGetMoneyCcyP(value);

	if (isnull)
	{
		put_null(record, BYTEAOID);
		return;
	}
	pq_sendint32(record, BYTEAOID);
	pq_sendint32(record, sizeof(int64) + CURRENCY_CODE_LENGTH);
	pq_sendint64(record, money->minor);
	pq_sendbytes(record, money->currency, CURRENCY_CODE_LENGTH);
}

static void
put_text(StringInfo record, Datum value, bool isnull)
{
	const text *word = isnull ? NULL : DatumGetTextPP(value);
	const char *data;
	int			length;

	if (isnull)
	{
		put_null(record, BYTEAOID);
		return;
	}
	data = VARDATA_ANY(word);
	length = VARSIZE_ANY_EXHDR(word);
	to_utf8(&data, &length);
	put_column(record, BYTEAOID, data, length);
}

static void
put_draws(StringInfo record, Datum value, bool isnull)
{
	const bytea *sent = isnull ? NULL : OidSendFunctionCall(F_ARRAY_SEND, value);

	if (isnull)
		put_null(record, INT8ARRAYOID);
	else
		put_column(record, INT8ARRAYOID, VARDATA_ANY(sent), VARSIZE_ANY_EXHDR(sent));
}

/* What may be blanked goes in by its salted digest, which is kept when it is. */
static void
put_digest(StringInfo record, const char *data, int length, int kept, const Datum *values, const bool *isnull)
{
	uint8		digest[CHAIN_HASH_LENGTH];
	const bytea *salt = isnull[ENTRY_SALT - 1] ? NULL : DatumGetByteaPP(values[ENTRY_SALT - 1]);

	if (data != NULL)
	{
		to_utf8(&data, &length);
		if (salt != NULL)
			sha256(VARDATA_ANY(salt), VARSIZE_ANY_EXHDR(salt), data, length, digest);
		else
			sha256(data, length, NULL, 0, digest);
		put_column(record, BYTEAOID, digest, CHAIN_HASH_LENGTH);
	}
	else if (!isnull[kept - 1])
	{
		const bytea *blanked = DatumGetByteaPP(values[kept - 1]);

		put_column(record, BYTEAOID, VARDATA_ANY(blanked), VARSIZE_ANY_EXHDR(blanked));
	}
	else
		put_null(record, BYTEAOID);
}

static void
put_memo(StringInfo record, const Datum *values, const bool *isnull)
{
	const text *memo = isnull[ENTRY_MEMO - 1] ? NULL : DatumGetTextPP(values[ENTRY_MEMO - 1]);

	put_digest(record, memo ? VARDATA_ANY(memo) : NULL, memo ? VARSIZE_ANY_EXHDR(memo) : 0,
			   ENTRY_MEMO_DIGEST, values, isnull);
}

static void
put_metadata(StringInfo record, const Datum *values, const bool *isnull)
{
	Jsonb	   *metadata = isnull[ENTRY_METADATA - 1] ? NULL : DatumGetJsonbP(values[ENTRY_METADATA - 1]);
	char	   *json = metadata ? JsonbToCString(NULL, &metadata->root, VARSIZE(metadata)) : NULL;

	put_digest(record, json, json ? strlen(json) : 0, ENTRY_METADATA_DIGEST, values, isnull);
}

static void
put_entry_column(StringInfo record, int attnum, const Datum *values, const bool *isnull)
{
	Datum		value = values[attnum - 1];
	bool		is_null = isnull[attnum - 1];

	switch (attnum)
	{
		case ENTRY_AMOUNT:
		case ENTRY_BALANCE_AFTER:
			put_money(record, value, is_null);
			break;
		case ENTRY_CREATED_AT:
		case ENTRY_EXPIRES_AT:
			put_int64(record, TIMESTAMPTZOID, value, is_null);
			break;
		case ENTRY_ACCOUNT_ID:
		case ENTRY_SEQ:
		case ENTRY_RELATED_SEQ:
		case ENTRY_HOLD_ID:
		case ENTRY_REQUEST_HASH:
			put_int64(record, INT8OID, value, is_null);
			break;
		case ENTRY_MEMO:
			put_memo(record, values, isnull);
			break;
		case ENTRY_METADATA:
			put_metadata(record, values, isnull);
			break;
		case ENTRY_DRAWS:
			put_draws(record, value, is_null);
			break;
		default:
			put_text(record, value, is_null);
			break;
	}
}

void
hash_entry_row(const uint8 *previous, const Datum *values, const bool *isnull, uint8 *hash)
{
	StringInfoData record;

	initStringInfo(&record);
	pq_sendint32(&record, HASHED_COLUMNS);
	put_column(&record, BYTEAOID, previous, CHAIN_HASH_LENGTH);
	for (int attnum = 1; attnum <= ENTRY_REQUEST_HASH; attnum++)
		put_entry_column(&record, attnum, values, isnull);
	sha256(record.data, record.len, NULL, 0, hash);
	pfree(record.data);
}

/* ---- writing ---- */

void
chain_entry(Account *account, Entry *entry)
{
	const Annotation *annotation = entry->annotation;
	EntryRow	row;

	entry->previous_hash = account->last_hash;
	entry->salt = annotation->memo != NULL || annotation->metadata != NULL ? new_salt() : NULL;
	entry->hash = new_bytea(CHAIN_HASH_LENGTH);
	fill_entry_row(&row, account, entry);
	hash_entry_row((const uint8 *) VARDATA_ANY(entry->previous_hash), row.values, row.isnull,
				   (uint8 *) VARDATA(entry->hash));
	account->last_hash = entry->hash;
}

/*
 * The account is written before its entries, and has their hashes by then: a
 * trigger may not change what they say any more.
 */
void
require_chained_row(const Entry *entry, HeapTuple row, TupleDesc desc)
{
	Datum		values[ENTRY_COLUMNS];
	bool		isnull[ENTRY_COLUMNS];
	uint8		hash[CHAIN_HASH_LENGTH];
	const bytea *stored;

	for (int attnum = 1; attnum <= ENTRY_COLUMNS; attnum++)
		values[attnum - 1] = heap_getattr(row, attnum, desc, &isnull[attnum - 1]);
	stored = isnull[ENTRY_HASH - 1] ? NULL : DatumGetByteaPP(values[ENTRY_HASH - 1]);
	hash_entry_row((const uint8 *) VARDATA_ANY(entry->previous_hash), values, isnull, hash);
	if (stored == NULL || !is_chain_hash(stored) ||
		memcmp(VARDATA_ANY(stored), VARDATA(entry->hash), CHAIN_HASH_LENGTH) != 0 ||
		memcmp(hash, VARDATA(entry->hash), CHAIN_HASH_LENGTH) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
				 errmsg("a row of table \"storecredit.transaction\" was not written as it was hashed"),
				 errhint("A trigger on the table must not change what the ledger writes while the account has a chain of hashes.")));
}
