/*
 * row_trigger.c
 *		What the extension's row triggers share: the changed row, its columns, and
 *		reading tables with the rights of a table's owner.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "row_trigger.h"
#include "statement.h"
#include "storecredit.h"

void
refuse_trigger_use(FunctionCallInfo fcinfo, const char *when)
{
	ereport(ERROR,
			(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
			 errmsg("function \"%s\" must be used in a trigger that fires %s",
					get_func_name(fcinfo->flinfo->fn_oid), when)));
}

static const char *
describe_events(int events)
{
	switch (events)
	{
		case ON_INSERT:
			return "AFTER INSERT FOR EACH ROW";
		case ON_INSERT | ON_UPDATE:
			return "AFTER INSERT OR UPDATE FOR EACH ROW";
		case ON_UPDATE | ON_DELETE:
			return "AFTER UPDATE OR DELETE FOR EACH ROW";
		default:
			return "AFTER INSERT OR UPDATE OR DELETE FOR EACH ROW";
	}
}

RowChange
get_row_change(FunctionCallInfo fcinfo, int events)
{
	TriggerData *data = (TriggerData *) fcinfo->context;
	RowChange	change = {0};
	int			event;

	if (!CALLED_AS_TRIGGER(fcinfo) ||
		!TRIGGER_FIRED_AFTER(data->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(data->tg_event))
		refuse_trigger_use(fcinfo, describe_events(events));

	change.rel = data->tg_relation;
	change.trigger = data->tg_trigger;
	if (TRIGGER_FIRED_BY_INSERT(data->tg_event))
	{
		event = ON_INSERT;
		change.new_row = data->tg_trigtuple;
	}
	else if (TRIGGER_FIRED_BY_UPDATE(data->tg_event))
	{
		event = ON_UPDATE;
		change.old_row = data->tg_trigtuple;
		change.new_row = data->tg_newtuple;
	}
	else
	{
		event = ON_DELETE;
		change.old_row = data->tg_trigtuple;
	}
	if ((events & event) == 0)
		refuse_trigger_use(fcinfo, describe_events(events));
	return change;
}

Oid
money_ccy_type(void)
{
	Oid			schema = get_namespace_oid(STORECREDIT_SCHEMA, false);

	return GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid,
						   CStringGetDatum("money_ccy"), ObjectIdGetDatum(schema));
}

/*
 * Columns are found by name at every call: a partition may have them in another
 * order, and anybody may put the trigger on a table of quite another shape.
 */
Datum
ledger_column(Relation rel, HeapTuple row, const char *name, Oid type)
{
	TupleDesc	desc = RelationGetDescr(rel);
	int			attnum = SPI_fnumber(desc, name);
	Datum		value = (Datum) 0;
	bool		isnull = true;

	if (attnum > 0 && TupleDescAttr(desc, attnum - 1)->atttypid == type)
		value = heap_getattr(row, attnum, desc, &isnull);
	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("table \"%s\" is not a table of the ledger", RelationGetRelationName(rel)),
				 errdetail("It has no value of type %s in a column \"%s\".", format_type_be(type), name)));
	return value;
}

/*
 * The statement is prepared with the role's rights, too: schemas are looked up
 * then.  An error restores the caller's rights with its transaction.
 */
uint64
select_as_role(Oid role, KeptStatement *statement, Datum *values)
{
	Oid			caller;
	int			sec_context;
	int			result;

	GetUserIdAndSecContext(&caller, &sec_context);
	SetUserIdAndSecContext(role, sec_context | SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);

	if (statement->plan == NULL)
		statement->plan = prepare_kept_plan(statement->query, statement->nargs, statement->argtypes);
	plan_by_index(statement->plan);
	result = SPI_execute_snapshot(statement->plan, values, NULL,
								  GetLatestSnapshot(), InvalidSnapshot, false, false, 0);
	if (result != SPI_OK_SELECT)
		elog(ERROR, "could not run \"%s\": %s", statement->query, SPI_result_code_string(result));

	SetUserIdAndSecContext(caller, sec_context);
	return SPI_processed;
}

/* ---- columns named in CREATE TRIGGER ---- */

Form_pg_attribute
column_attribute(const RowChange *change, int attnum)
{
	return TupleDescAttr(RelationGetDescr(change->rel), attnum - 1);
}

Oid
column_base_type(const RowChange *change, int attnum)
{
	return getBaseType(column_attribute(change, attnum)->atttypid);
}

/* A virtual generated column (PostgreSQL 18) has no value in a stored row. */
int
find_named_column(const RowChange *change, const char *name)
{
	int			attnum = SPI_fnumber(RelationGetDescr(change->rel), name);
	char		generated;

	if (attnum <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of relation \"%s\" does not exist", name, RelationGetRelationName(change->rel)),
				 errdetail("It is named in the definition of trigger \"%s\".", change->trigger->tgname),
				 errhint("Names are taken as they are written there, upper case and lower case apart.")));

	generated = column_attribute(change, attnum)->attgenerated;
	if (generated != '\0' && generated != ATTRIBUTE_GENERATED_STORED)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("trigger \"%s\" cannot use the virtual generated column \"%s\"", change->trigger->tgname, name),
				 errhint("Make it a stored one: GENERATED ALWAYS AS (...) STORED.")));
	return attnum;
}

void
refuse_column_type(const RowChange *change, int attnum, const char *expected)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("column \"%s\" of relation \"%s\" has type %s, which trigger \"%s\" cannot use",
					NameStr(column_attribute(change, attnum)->attname), RelationGetRelationName(change->rel),
					format_type_be(column_attribute(change, attnum)->atttypid), change->trigger->tgname),
			 errdetail("It must be %s.", expected)));
}

char *
qualified_table_name(Relation rel)
{
	return quote_qualified_identifier(get_namespace_name(RelationGetNamespace(rel)), RelationGetRelationName(rel));
}

Datum
column_value(const RowChange *change, HeapTuple row, int attnum, bool *isnull)
{
	return heap_getattr(row, attnum, RelationGetDescr(change->rel), isnull);
}
