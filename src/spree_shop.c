/*
 * spree_shop.c
 *		Reading the tables of a Spree or Solidus shop, whatever the types of their keys.
 *
 * Such reads are few, on grants, new payments and strict rules, so their plans
 * are not kept: nothing has to notice that a table has changed.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/typcache.h"

#include "spree_shop.h"

Oid
find_shop_table(Relation table, const char *own_name, const char *name)
{
	const char *table_name = RelationGetRelationName(table);
	int			prefix_length = (int) strlen(table_name) - (int) strlen(own_name);
	Oid			found;

	if (prefix_length < 0 || strcmp(table_name + prefix_length, own_name) != 0)
		return InvalidOid;
	found = get_relname_relid(psprintf("%.*s%s", prefix_length, table_name, name), RelationGetNamespace(table));
	if (OidIsValid(found) &&
		get_rel_relkind(found) != RELKIND_RELATION && get_rel_relkind(found) != RELKIND_PARTITIONED_TABLE)
		return InvalidOid;
	return found;
}

int
find_shop_column(Relation table, const char *name, const char *other_name)
{
	int			attnum = SPI_fnumber(RelationGetDescr(table), name);

	if (attnum <= 0 && other_name != NULL)
		attnum = SPI_fnumber(RelationGetDescr(table), other_name);
	return Max(attnum, 0);
}

const char *
add_argument(ShopQuery *query, const char *value)
{
	Assert(query->nargs < MAX_SHOP_ARGS);
	query->args[query->nargs++] = CStringGetTextDatum(value);
	return psprintf("$%d", query->nargs);
}

void
append_equals(ShopQuery *query, Relation table, const char *alias, int attnum, const char *argument)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(table), attnum - 1);
	Oid			equals = lookup_type_cache(att->atttypid, TYPECACHE_EQ_OPR)->eq_opr;
	char	   *type = format_type_extended(att->atttypid, -1, FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY);

	if (!OidIsValid(equals))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("column \"%s\" of table \"%s\" has a type without equality: %s",
						NameStr(att->attname), RelationGetRelationName(table), type)));
	generate_operator_clause(&query->sql,
							 psprintf("%s.%s", alias, quote_identifier(NameStr(att->attname))), att->atttypid, equals,
							 psprintf("%s::%s", argument, type), att->atttypid);
}

/* What the trigger's own command has written counts, too. */
Snapshot
take_newest_snapshot(void)
{
	CommandCounterIncrement();
	return RegisterSnapshot(GetLatestSnapshot());
}

static void
read_rows(RowReader reader, void *result, MemoryContext context)
{
	MemoryContext spi_context = MemoryContextSwitchTo(context);

	for (uint64 i = 0; i < SPI_processed; i++)
		reader(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, result);
	MemoryContextSwitchTo(spi_context);
}

/* An error restores the caller's rights with its transaction. */
void
run_shop_query(ShopQuery *query, Oid role, Snapshot snapshot, RowReader reader, void *result)
{
	static Oid	argtypes[MAX_SHOP_ARGS] = {TEXTOID, TEXTOID, TEXTOID, TEXTOID};
	MemoryContext caller_context = CurrentMemoryContext;
	Oid			caller;
	int			sec_context;
	SPIPlanPtr	plan;

	SPI_connect();
	GetUserIdAndSecContext(&caller, &sec_context);
	SetUserIdAndSecContext(role, sec_context | SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);

	plan = SPI_prepare(query->sql.data, query->nargs, argtypes);
	if (plan == NULL ||
		SPI_execute_snapshot(plan, query->args, NULL, snapshot, InvalidSnapshot, true, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not run \"%s\": %s", query->sql.data, SPI_result_code_string(SPI_result));

	SetUserIdAndSecContext(caller, sec_context);
	read_rows(reader, result, caller_context);
	SPI_finish();
}

void
run_newest_shop_query(ShopQuery *query, Oid role, RowReader reader, void *result)
{
	Snapshot	snapshot = take_newest_snapshot();

	run_shop_query(query, role, snapshot, reader, result);
	UnregisterSnapshot(snapshot);
}

Numeric
numeric_of_result(HeapTuple row, TupleDesc desc, int column)
{
	bool		isnull;
	Datum		value = SPI_getbinval(row, desc, column, &isnull);

	return isnull ? int64_to_numeric(0) : DatumGetNumericCopy(value);
}
