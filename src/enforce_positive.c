/*
 * enforce_positive.c
 *		enforce_positive_amount(): a trigger for the tables of an application, whose
 *		amounts must be above zero.
 *
 * It judges the row as it was stored, and refuses only a change for the worse: a
 * table that held bad rows before the trigger came can still be worked on.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/numeric.h"

#include "errors.h"
#include "money_ccy.h"
#include "row_trigger.h"

PG_FUNCTION_INFO_V1(enforce_positive_amount);

/* What is not a number, or without end, is not an amount. */
static bool
numeric_is_positive(Numeric value)
{
	return !numeric_is_nan(value) && !numeric_is_inf(value) &&
		DatumGetBool(DirectFunctionCall2(numeric_gt, NumericGetDatum(value), NumericGetDatum(int64_to_numeric(0))));
}

static bool
is_positive(const RowChange *change, int attnum, Datum value)
{
	Oid			type = column_base_type(change, attnum);

	switch (type)
	{
		case INT2OID:
			return DatumGetInt16(value) > 0;
		case INT4OID:
			return DatumGetInt32(value) > 0;
		case INT8OID:
			return DatumGetInt64(value) > 0;
		case NUMERICOID:
			return numeric_is_positive(DatumGetNumeric(value));
		default:
			if (type != money_ccy_type())
				refuse_column_type(change, attnum, "a money_ccy, numeric, bigint, integer or smallint");
			return DatumGetMoneyCcyP(value)->minor > 0;
	}
}

static bool
is_unchanged(const RowChange *change, int attnum, Datum new_value)
{
	Form_pg_attribute att = column_attribute(change, attnum);
	bool		isnull;
	Datum		old_value;

	if (change->old_row == NULL)
		return false;
	old_value = column_value(change, change->old_row, attnum, &isnull);
	return !isnull && datum_image_eq(old_value, new_value, att->attbyval, att->attlen);
}

static void
require_positive(const RowChange *change, int attnum)
{
	bool		isnull;
	Datum		value = column_value(change, change->new_row, attnum, &isnull);

	if (isnull || is_positive(change, attnum, value) || is_unchanged(change, attnum, value))
		return;
	raise_ledger_error(new_ledger_error(CREDIT_NOT_POSITIVE, "Column \"%s\" of table %s would be %s.",
										NameStr(column_attribute(change, attnum)->attname), qualified_table_name(change->rel),
										SPI_getvalue(change->new_row, RelationGetDescr(change->rel), attnum)));
}

Datum
enforce_positive_amount(PG_FUNCTION_ARGS)
{
	RowChange	change = get_row_change(fcinfo, ON_INSERT | ON_UPDATE);

	if (change.trigger->tgnargs == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("trigger \"%s\" names no column", change.trigger->tgname),
				 errhint("Write enforce_positive_amount('amount_column').")));
	for (int i = 0; i < change.trigger->tgnargs; i++)
		require_positive(&change, find_named_column(&change, change.trigger->tgargs[i]));
	return PointerGetDatum(NULL);
}
