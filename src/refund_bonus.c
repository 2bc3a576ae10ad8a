/*
 * refund_bonus.c
 *		What a refund to store credit brings on top.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "refund_bonus.h"
#include "statement.h"

static Statement select_refund_bonus = {
	.sql = "SELECT percent, fixed FROM storecredit.refund_bonus WHERE currency OPERATOR(pg_catalog.=) $1",
	.nargs = 1, .argtypes = {TEXTOID}
};

MoneyCcy
percent_of(const MoneyCcy *amount, Numeric percent)
{
	Datum		hundredth = DirectFunctionCall3(numeric_in, CStringGetDatum("0.01"),
												ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	Datum		factor = DirectFunctionCall2(numeric_mul, NumericGetDatum(percent), hundredth);

	return *DatumGetMoneyCcyP(DirectFunctionCall2(money_ccy_multiply, MoneyCcyPGetDatum(amount), factor));
}

typedef struct BonusRule
{
	const MoneyCcy *amount;
	MoneyCcy	bonus;
} BonusRule;

static void
read_bonus(HeapTuple row, TupleDesc desc, void *result)
{
	BonusRule  *rule = result;
	bool		isnull;
	Datum		percent = SPI_getbinval(row, desc, 1, &isnull);

	if (!isnull)
		rule->bonus = percent_of(rule->amount, DatumGetNumeric(percent));
	percent = SPI_getbinval(row, desc, 2, &isnull);
	if (!isnull)
		rule->bonus.minor = minor_add(rule->bonus.minor, DatumGetMoneyCcyP(percent)->minor);
}

MoneyCcy
default_refund_bonus(const MoneyCcy *amount)
{
	BonusRule	rule = {.amount = amount, .bonus = make_money_ccy(0, amount->currency)};
	Datum		values[] = {CStringGetTextDatum(amount->currency)};

	run_query(&select_refund_bonus, values, true, read_bonus, &rule);
	return rule.bonus;
}
