/*
 * owner_sum.c
 *		What one owner has in a currency, added up over a table of an application.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#include "currency.h"
#include "owner_sum.h"

/*
 * The fourth field of our advisory locks, objsubid in pg_locks.  The server's
 * own advisory lock functions use 1 and 2, and the ledger uses 92 where sessions
 * wait for an account, so we never meet a lock of anybody else.
 */
#define OWNER_LOCK_CLASS	93

/*
 * A trigger on a partitioned table fires on the partitions, as a clone: the
 * table that it was made for is the one to add up.
 */
Relation
open_table_of_trigger(const RowChange *change)
{
	Relation	catalog = table_open(TriggerRelationId, AccessShareLock);
	Oid			trigger = change->trigger->tgoid;
	Oid			table = RelationGetRelid(change->rel);

	while (OidIsValid(trigger))
	{
		ScanKeyData key;
		SysScanDesc scan;
		HeapTuple	tuple;

		ScanKeyInit(&key, Anum_pg_trigger_oid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(trigger));
		scan = systable_beginscan(catalog, TriggerOidIndexId, true, NULL, 1, &key);
		tuple = systable_getnext(scan);
		if (!HeapTupleIsValid(tuple))
			elog(ERROR, "could not find trigger %u", trigger);
		table = ((Form_pg_trigger) GETSTRUCT(tuple))->tgrelid;
		trigger = ((Form_pg_trigger) GETSTRUCT(tuple))->tgparentid;
		systable_endscan(scan);
	}
	table_close(catalog, AccessShareLock);
	return table_open(table, AccessShareLock);
}

static TypeCacheEntry *
owner_type(const RowChange *change, const LimitColumns *columns)
{
	TypeCacheEntry *type = lookup_type_cache(column_attribute(change, columns->owner)->atttypid,
											 TYPECACHE_EQ_OPR | TYPECACHE_EQ_OPR_FINFO |
											 TYPECACHE_HASH_EXTENDED_PROC_FINFO);

	if (!OidIsValid(type->eq_opr))
		refuse_column_type(change, columns->owner, "of a type with an equality operator");
	return type;
}

static Oid
owner_collation(const RowChange *change, const LimitColumns *columns)
{
	return column_attribute(change, columns->owner)->attcollation;
}

bool
same_owner_and_currency(const RowChange *change, const LimitColumns *columns, const Share *a, const Share *b)
{
	return a->counted && b->counted &&
		strcmp(a->currency_code, b->currency_code) == 0 &&
		DatumGetBool(FunctionCall2Coll(&owner_type(change, columns)->eq_opr_finfo,
									   owner_collation(change, columns), a->owner, b->owner));
}

/*
 * Held to the end of the transaction.  Owners that share a hash share a lock,
 * and all of them do where the type has no hash function.
 */
void
lock_owner(const RowChange *change, const LimitColumns *columns, Relation table, const Share *share)
{
	TypeCacheEntry *type = owner_type(change, columns);
	uint64		hash = hash_bytes_extended((unsigned char *) share->currency_code, CURRENCY_CODE_LENGTH,
										   RelationGetRelid(table));
	LOCKTAG		tag;

	if (OidIsValid(type->hash_extended_proc))
		hash = hash_combine64(hash,
							  DatumGetUInt64(FunctionCall2Coll(&type->hash_extended_proc_finfo,
															   owner_collation(change, columns),
															   share->owner, Int64GetDatum(0))));
	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) (hash >> 32), (uint32) hash, OWNER_LOCK_CLASS);
	LockAcquire(&tag, ExclusiveLock, false, false);
}

static void
append_sum(StringInfo query, const RowChange *change, const LimitColumns *columns)
{
	const char *amount = columns->amounts_are_money ? "storecredit.money_ccy_amount(t.%s)" : "t.%s::pg_catalog.numeric";

	appendStringInfoString(query, "pg_catalog.sum(0::pg_catalog.numeric");
	for (int i = 0; i < columns->amount_count; i++)
	{
		const AmountColumn *column = &columns->amounts[i];

		appendStringInfo(query, " OPERATOR(pg_catalog.%c) COALESCE(", column->subtracted ? '-' : '+');
		appendStringInfo(query, amount,
						 quote_identifier(NameStr(column_attribute(change, column->attnum)->attname)));
		appendStringInfoString(query, ", 0)");
	}
	appendStringInfoChar(query, ')');
}

static void
append_column_equals(StringInfo query, const RowChange *change, int attnum, Oid eq_opr, const char *parameter)
{
	Form_pg_attribute att = column_attribute(change, attnum);
	char	   *column = psprintf("t.%s", quote_identifier(NameStr(att->attname)));

	generate_operator_clause(query, column, att->atttypid, eq_opr, parameter, att->atttypid);
}

static void
append_currency_equals(StringInfo query, const RowChange *change, const LimitColumns *columns)
{
	if (columns->currency != 0)
	{
		Oid			type = column_attribute(change, columns->currency)->atttypid;

		append_column_equals(query, change, columns->currency,
							 lookup_type_cache(type, TYPECACHE_EQ_OPR)->eq_opr, "$2");
		return;
	}
	appendStringInfoString(query, "COALESCE(");
	for (int i = 0; i < columns->amount_count; i++)
		appendStringInfo(query, "%sstorecredit.money_ccy_currency(t.%s)", i > 0 ? ", " : "",
						 quote_identifier(NameStr(column_attribute(change, columns->amounts[i].attnum)->attname)));
	appendStringInfoString(query, ") OPERATOR(pg_catalog.=) $2");
}

static char *
build_sum_statement(const RowChange *change, const LimitColumns *columns, Relation table)
{
	StringInfoData query;

	initStringInfo(&query);
	appendStringInfoString(&query, "SELECT ");
	append_sum(&query, change, columns);
	appendStringInfo(&query, " FROM %s t WHERE ", qualified_table_name(table));
	append_column_equals(&query, change, columns->owner, owner_type(change, columns)->eq_opr, "$1");
	appendStringInfoString(&query, " AND ");
	append_currency_equals(&query, change, columns);
	return query.data;
}

typedef struct SumStatement
{
	Oid			trigger;		/* the key */
	KeptStatement statement;
} SumStatement;

/*
 * The session's plan for a trigger.  It is good while the statement, written
 * anew each time from the catalogs, is the one that it was made from: no change
 * of a table or a type can go unnoticed.
 */
static KeptStatement *
get_sum_statement(const RowChange *change, const char *query, Oid owner_type_id, Oid currency_type_id)
{
	static HTAB *statements = NULL;
	SumStatement *entry;
	KeptStatement *statement;
	bool		found;

	if (statements == NULL)
	{
		HASHCTL		info = {.keysize = sizeof(Oid), .entrysize = sizeof(SumStatement)};

		statements = hash_create("storecredit sums of owners", 16, &info, HASH_ELEM | HASH_BLOBS);
	}
	entry = hash_search(statements, &change->trigger->tgoid, HASH_ENTER, &found);
	statement = &entry->statement;
	if (!found)
		memset(statement, 0, sizeof(KeptStatement));
	if (statement->query != NULL && strcmp(statement->query, query) == 0 &&
		statement->argtypes[0] == owner_type_id && statement->argtypes[1] == currency_type_id)
		return statement;

	if (statement->plan != NULL)
		SPI_freeplan(statement->plan);
	if (statement->query != NULL)
		pfree(unconstify(char *, statement->query));
	memset(statement, 0, sizeof(KeptStatement));
	statement->query = MemoryContextStrdup(TopMemoryContext, query);
	statement->nargs = 2;
	statement->argtypes[0] = owner_type_id;
	statement->argtypes[1] = currency_type_id;
	return statement;
}

/* With the rights of the table's owner, as who changed the row may not see all of them. */
Numeric
sum_of_owner(const RowChange *change, const LimitColumns *columns, Relation table, const Share *share)
{
	Oid			currency_type_id = columns->currency == 0 ?
		TEXTOID : column_attribute(change, columns->currency)->atttypid;
	KeptStatement *statement = get_sum_statement(change, build_sum_statement(change, columns, table),
												 column_attribute(change, columns->owner)->atttypid,
												 currency_type_id);
	Datum		values[] = {share->owner, share->currency};
	bool		isnull;
	Datum		sum;

	select_as_role(table->rd_rel->relowner, statement, values);
	sum = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	return isnull ? int64_to_numeric(0) : DatumGetNumeric(sum);
}
