/*
 * enforce_limit.c
 *		enforce_currency_limit(): a trigger for the tables of an application, which
 *		bounds what one owner may have in a currency.
 *
 * It judges the rows as they are stored, and refuses only a change that raises
 * an owner's sum: what was above the limit before can still be worked down.
 *
 * Changes that raise the sum of one owner wait for one another, on a lock of
 * their own, and each then adds up what is committed by now, whatever snapshot
 * its transaction has.  So no two of them can pass on the strength of a sum that
 * leaves out the other.  Changes that lower the sum take no lock: a transaction
 * that only spends cannot come into a deadlock through the trigger.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"

#include "errors.h"
#include "limits.h"
#include "money_ccy.h"
#include "owner_sum.h"

PG_FUNCTION_INFO_V1(enforce_currency_limit);

/* ---- the arguments ---- */

static void
refuse_limit_arguments(const RowChange *change, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("trigger \"%s\" has wrong arguments for enforce_currency_limit", change->trigger->tgname),
			 errdetail("%s", detail),
			 errhint("Write enforce_currency_limit('owner_column', 'amount_column', '-subtracted_column' ..., 'currency_column').")));
}

static bool
is_amount(const RowChange *change, int attnum)
{
	Oid			type = column_base_type(change, attnum);

	return type == NUMERICOID || type == money_ccy_type();
}

/* One or more columns, each with an optional sign; a sign is never part of a name. */
static AmountColumn
read_amount_argument(const RowChange *change, const char *argument)
{
	AmountColumn amount = {0};

	amount.subtracted = argument[0] == '-';
	if (argument[0] == '-' || argument[0] == '+')
		argument++;
	amount.attnum = find_named_column(change, argument);
	if (!is_amount(change, amount.attnum))
		refuse_column_type(change, amount.attnum, "a money_ccy or numeric");
	return amount;
}

static void
read_amount_arguments(const RowChange *change, LimitColumns *columns, int count)
{
	columns->amounts = palloc(count * sizeof(AmountColumn));
	columns->amount_count = count;
	for (int i = 0; i < count; i++)
	{
		AmountColumn amount = read_amount_argument(change, change->trigger->tgargs[i + 1]);
		bool		is_money = column_base_type(change, amount.attnum) != NUMERICOID;

		if (i == 0)
			columns->amounts_are_money = is_money;
		else if (columns->amounts_are_money != is_money)
			refuse_limit_arguments(change, "The amounts must be all money_ccy or all numeric.");
		columns->amounts[i] = amount;
	}
}

/* The last argument names the currency column, unless it is an amount. */
static int
read_currency_argument(const RowChange *change)
{
	const char *argument = change->trigger->tgargs[change->trigger->tgnargs - 1];
	int			attnum;
	char		category;
	bool		preferred;

	if (argument[0] == '-' || argument[0] == '+')
		return 0;
	attnum = find_named_column(change, argument);
	if (is_amount(change, attnum))
		return 0;
	get_type_category_preferred(column_base_type(change, attnum), &category, &preferred);
	if (category != TYPCATEGORY_STRING && category != TYPCATEGORY_ENUM)
		refuse_column_type(change, attnum, "an amount (money_ccy or numeric) or a currency code (a text type or an enum)");
	return attnum;
}

static void
read_limit_arguments(const RowChange *change, LimitColumns *columns)
{
	int			nargs = change->trigger->tgnargs;

	if (nargs < 2)
		refuse_limit_arguments(change, "It needs an owner and an amount.");
	columns->owner = find_named_column(change, change->trigger->tgargs[0]);
	columns->currency = read_currency_argument(change);
	if (columns->currency != 0)
		nargs--;
	if (nargs < 2)
		refuse_limit_arguments(change, "It names no amount.");
	read_amount_arguments(change, columns, nargs - 1);
	if (columns->currency == 0 && !columns->amounts_are_money)
		refuse_limit_arguments(change, "Numeric amounts need a currency column, as the last argument.");
}

/* ---- what a row adds to its owner's sum ---- */

static bool
numeric_above(Numeric a, Numeric b)
{
	return DatumGetBool(DirectFunctionCall2(numeric_gt, NumericGetDatum(a), NumericGetDatum(b)));
}

static Numeric
minor_to_numeric(int64 minor, const char *currency)
{
	return int64_div_fast_to_numeric(minor, get_currency(currency)->minor_units);
}

static Numeric
amount_to_numeric(const LimitColumns *columns, Datum value)
{
	const MoneyCcy *money;

	if (!columns->amounts_are_money)
		return DatumGetNumeric(value);
	money = DatumGetMoneyCcyP(value);
	return minor_to_numeric(money->minor, money->currency);
}

/* The column's value as text; blanks at the end of a char(n) mean nothing. */
static char *
currency_code_of(const RowChange *change, const LimitColumns *columns, Datum value)
{
	Oid			output;
	bool		is_varlena;
	char	   *code;

	getTypeOutputInfo(column_attribute(change, columns->currency)->atttypid, &output, &is_varlena);
	code = OidOutputFunctionCall(output, value);
	if (column_base_type(change, columns->currency) == BPCHAROID)
		code[bpchartruelen(code, strlen(code))] = '\0';
	return code;
}

/* Where no column tells the currency, the first amount that is not null does. */
static void
take_currency_of_amount(Share *share, const MoneyCcy *money)
{
	if (share->currency_code == NULL)
	{
		share->currency_code = pstrdup(money->currency);
		share->currency = CStringGetTextDatum(money->currency);
	}
}

static void
add_amounts(const RowChange *change, const LimitColumns *columns, HeapTuple row, Share *share)
{
	share->amount = int64_to_numeric(0);
	for (int i = 0; i < columns->amount_count; i++)
	{
		const AmountColumn *column = &columns->amounts[i];
		bool		isnull;
		Datum		value = column_value(change, row, column->attnum, &isnull);

		if (isnull)
			continue;
		if (columns->currency == 0)
			take_currency_of_amount(share, DatumGetMoneyCcyP(value));
		share->amount = DatumGetNumeric(
			DirectFunctionCall2(column->subtracted ? numeric_sub : numeric_add,
								NumericGetDatum(share->amount),
								NumericGetDatum(amount_to_numeric(columns, value))));
	}
}

/* A row that does not exist, or is without owner or currency, adds nothing. */
static Share
share_of_row(const RowChange *change, const LimitColumns *columns, HeapTuple row)
{
	Share		share = {0};
	bool		owner_isnull;
	bool		currency_isnull = true;

	if (row == NULL)
		return share;
	share.owner = column_value(change, row, columns->owner, &owner_isnull);
	if (columns->currency != 0)
		share.currency = column_value(change, row, columns->currency, &currency_isnull);
	if (!currency_isnull)
		share.currency_code = currency_code_of(change, columns, share.currency);
	add_amounts(change, columns, row, &share);
	share.counted = !owner_isnull && share.currency_code != NULL;
	return share;
}

/* A row is of one currency, or the sum would mean nothing. */
static void
require_one_currency(const RowChange *change, const LimitColumns *columns, const Share *share)
{
	if (!columns->amounts_are_money || !share->counted)
		return;
	for (int i = 0; i < columns->amount_count; i++)
	{
		bool		isnull;
		Datum		value = column_value(change, change->new_row, columns->amounts[i].attnum, &isnull);

		if (!isnull && strcmp(DatumGetMoneyCcyP(value)->currency, share->currency_code) != 0)
			raise_ledger_error(new_ledger_error(MISMATCHING_CURRENCY,
												"Column \"%s\" of table %s would be %s in a row of currency \"%s\".",
												NameStr(column_attribute(change, columns->amounts[i].attnum)->attname),
												qualified_table_name(change->rel),
												money_ccy_to_cstring(DatumGetMoneyCcyP(value)),
												share->currency_code));
	}
}

/* ---- the judgement ---- */

static void
refuse_sum(const RowChange *change, const LimitColumns *columns, Relation table,
		   const Share *share, Numeric sum, const MoneyCcy *limit)
{
	Oid			output;
	bool		is_varlena;

	getTypeOutputInfo(column_attribute(change, columns->owner)->atttypid, &output, &is_varlena);
	raise_ledger_error(new_ledger_error(CREDIT_LIMIT_EXCEEDED,
										"Owner \"%s\" would have %s %s in table %s, the limit is %s.",
										OidOutputFunctionCall(output, share->owner),
										DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(sum))),
										share->currency_code,
										qualified_table_name(table),
										money_ccy_to_cstring(limit)));
}

/*
 * An unknown code is refused, "usd" and " USD" among them: it would be a way
 * around the limit.
 */
static const Currency *
require_known_currency(const RowChange *change, const Share *share)
{
	const Currency *currency = strlen(share->currency_code) == CURRENCY_CODE_LENGTH ?
		find_currency(share->currency_code) : NULL;

	if (currency == NULL)
		raise_ledger_error(new_ledger_error(UNSUPPORTED_CURRENCY,
											"A row of table %s would have the currency \"%s\".",
											qualified_table_name(change->rel), share->currency_code));
	return currency;
}

/* The owner's sum has been raised: whether it is within the limit now. */
static void
judge_owner(const RowChange *change, const LimitColumns *columns, const Share *share)
{
	const Currency *currency = require_known_currency(change, share);
	MoneyCcy	limit;
	Relation	table;
	Numeric		sum;

	/* A limit that was changed during a long transaction is not to be missed. */
	AcceptInvalidationMessages();
	limit = make_money_ccy(get_currency_limit(currency->code)->max_balance, currency->code);
	if (limit.minor == NO_LIMIT)
		return;

	table = open_table_of_trigger(change);
	lock_owner(change, columns, table, share);
	SPI_connect();
	sum = sum_of_owner(change, columns, table, share);
	if (numeric_above(sum, minor_to_numeric(limit.minor, limit.currency)))
		refuse_sum(change, columns, table, share, sum, &limit);
	SPI_finish();
	table_close(table, NoLock);
}

Datum
enforce_currency_limit(PG_FUNCTION_ARGS)
{
	RowChange	change = get_row_change(fcinfo, ON_CHANGE);
	Numeric		zero = int64_to_numeric(0);
	LimitColumns columns;
	Share		before;
	Share		after;

	read_limit_arguments(&change, &columns);
	before = share_of_row(&change, &columns, change.old_row);
	after = share_of_row(&change, &columns, change.new_row);
	require_one_currency(&change, &columns, &after);

	if (same_owner_and_currency(&change, &columns, &before, &after))
	{
		if (numeric_above(after.amount, before.amount))
			judge_owner(&change, &columns, &after);
		return PointerGetDatum(NULL);
	}
	/* An owner who loses a negative row has more than before. */
	if (before.counted && numeric_above(zero, before.amount))
		judge_owner(&change, &columns, &before);
	if (after.counted && numeric_above(after.amount, zero))
		judge_owner(&change, &columns, &after);
	return PointerGetDatum(NULL);
}
