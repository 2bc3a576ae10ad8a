/*
 * money_ccy_ops.c
 *		Order, hashing and arithmetic of money_ccy.
 *
 * Order is total, by currency and then by amount, so that every index, sort
 * and join works over amounts of many currencies.  Arithmetic is not: adding
 * two currencies is an error, and so is leaving the range of an int64.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/numeric.h"
#include "utils/sortsupport.h"

#include "compat.h"
#include "money_ccy.h"

PG_FUNCTION_INFO_V1(money_ccy_eq);
PG_FUNCTION_INFO_V1(money_ccy_ne);
PG_FUNCTION_INFO_V1(money_ccy_lt);
PG_FUNCTION_INFO_V1(money_ccy_le);
PG_FUNCTION_INFO_V1(money_ccy_gt);
PG_FUNCTION_INFO_V1(money_ccy_ge);
PG_FUNCTION_INFO_V1(money_ccy_cmp);
PG_FUNCTION_INFO_V1(money_ccy_sortsupport);
PG_FUNCTION_INFO_V1(money_ccy_hash);
PG_FUNCTION_INFO_V1(money_ccy_hash_extended);

PG_FUNCTION_INFO_V1(money_ccy_add);
PG_FUNCTION_INFO_V1(money_ccy_subtract);
PG_FUNCTION_INFO_V1(money_ccy_negate);
PG_FUNCTION_INFO_V1(money_ccy_abs);
PG_FUNCTION_INFO_V1(money_ccy_times);
PG_FUNCTION_INFO_V1(money_ccy_times_commuted);
PG_FUNCTION_INFO_V1(money_ccy_ratio);

PG_FUNCTION_INFO_V1(money_ccy_sum_add);
PG_FUNCTION_INFO_V1(money_ccy_sum_remove);
PG_FUNCTION_INFO_V1(money_ccy_smaller);
PG_FUNCTION_INFO_V1(money_ccy_larger);

/* Order */

static inline int
compare_arguments(FunctionCallInfo fcinfo)
{
	return compare_money_ccy(PG_GETARG_MONEY_CCY_P(0), PG_GETARG_MONEY_CCY_P(1));
}

Datum
money_ccy_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) == 0);
}

Datum
money_ccy_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) != 0);
}

Datum
money_ccy_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) < 0);
}

Datum
money_ccy_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) <= 0);
}

Datum
money_ccy_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) > 0);
}

Datum
money_ccy_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) >= 0);
}

Datum
money_ccy_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(compare_arguments(fcinfo));
}

/* Sorting without the function manager; most comparisons see abbreviated keys only. */

#define ABBREVIATED_LETTER_BITS 5
#define ABBREVIATED_MINOR_BITS  (64 - CURRENCY_CODE_LENGTH * ABBREVIATED_LETTER_BITS)
#define ABBREVIATED_MINOR_LIMIT (INT64CONST(1) << (ABBREVIATED_MINOR_BITS - 1))

static int
compare_for_sort(Datum a, Datum b, SortSupport sort)
{
	return compare_money_ccy(DatumGetMoneyCcyP(a), DatumGetMoneyCcyP(b));
}

/*
 * Packs the letters and the amount, cut off at +-2^48 minor units, into one
 * word that sorts as the value does.  Equal words, beyond that, are settled by
 * the full comparison.
 */
static Datum
abbreviate_for_sort(Datum original, SortSupport sort)
{
	const MoneyCcy *money = DatumGetMoneyCcyP(original);
	int64           minor = Max(Min(money->minor, ABBREVIATED_MINOR_LIMIT - 1), -ABBREVIATED_MINOR_LIMIT);
	uint64          key = 0;

	for (int i = 0; i < CURRENCY_CODE_LENGTH; i++)
		key = key << ABBREVIATED_LETTER_BITS | (money->currency[i] - 'A');
	return UInt64GetDatum(key << ABBREVIATED_MINOR_BITS | (uint64) (minor + ABBREVIATED_MINOR_LIMIT));
}

/* The words keep nearly everything: never worth giving up. */
static bool
abort_abbreviation(int memtupcount, SortSupport sort)
{
	return false;
}

Datum
money_ccy_sortsupport(PG_FUNCTION_ARGS)
{
	SortSupport sort = (SortSupport) PG_GETARG_POINTER(0);

	sort->comparator = compare_for_sort;
	if (sort->abbreviate)
	{
		sort->comparator = ssup_datum_unsigned_cmp;
		sort->abbrev_converter = abbreviate_for_sort;
		sort->abbrev_abort = abort_abbreviation;
		sort->abbrev_full_comparator = compare_for_sort;
	}
	PG_RETURN_VOID();
}

/* Every byte is defined and equal values are equal bytes. */

Datum
money_ccy_hash(PG_FUNCTION_ARGS)
{
	return hash_any((const unsigned char *) PG_GETARG_MONEY_CCY_P(0), sizeof(MoneyCcy));
}

Datum
money_ccy_hash_extended(PG_FUNCTION_ARGS)
{
	return hash_any_extended((const unsigned char *) PG_GETARG_MONEY_CCY_P(0), sizeof(MoneyCcy),
							 PG_GETARG_INT64(1));
}

/* Arithmetic */

static MoneyCcy
add(const MoneyCcy *a, const MoneyCcy *b)
{
	require_same_currency(a, b);
	return make_money_ccy(minor_add(a->minor, b->minor), a->currency);
}

static MoneyCcy
subtract(const MoneyCcy *a, const MoneyCcy *b)
{
	require_same_currency(a, b);
	return make_money_ccy(minor_sub(a->minor, b->minor), a->currency);
}

static Datum
times(const MoneyCcy *money, int64 factor)
{
	PG_RETURN_MONEY_CCY_P(new_money_ccy(minor_mul(money->minor, factor), money->currency));
}

static Datum
return_copy(MoneyCcy money)
{
	PG_RETURN_MONEY_CCY_P(new_money_ccy(money.minor, money.currency));
}

Datum
money_ccy_add(PG_FUNCTION_ARGS)
{
	return return_copy(add(PG_GETARG_MONEY_CCY_P(0), PG_GETARG_MONEY_CCY_P(1)));
}

Datum
money_ccy_subtract(PG_FUNCTION_ARGS)
{
	return return_copy(subtract(PG_GETARG_MONEY_CCY_P(0), PG_GETARG_MONEY_CCY_P(1)));
}

Datum
money_ccy_negate(PG_FUNCTION_ARGS)
{
	return times(PG_GETARG_MONEY_CCY_P(0), -1);
}

Datum
money_ccy_abs(PG_FUNCTION_ARGS)
{
	const MoneyCcy *money = PG_GETARG_MONEY_CCY_P(0);

	return times(money, money->minor < 0 ? -1 : 1);
}

Datum
money_ccy_times(PG_FUNCTION_ARGS)
{
	return times(PG_GETARG_MONEY_CCY_P(0), PG_GETARG_INT64(1));
}

Datum
money_ccy_times_commuted(PG_FUNCTION_ARGS)
{
	return times(PG_GETARG_MONEY_CCY_P(1), PG_GETARG_INT64(0));
}

Datum
money_ccy_ratio(PG_FUNCTION_ARGS)
{
	const MoneyCcy *a = PG_GETARG_MONEY_CCY_P(0);
	const MoneyCcy *b = PG_GETARG_MONEY_CCY_P(1);

	require_same_currency(a, b);
	return DirectFunctionCall2(numeric_div,
							   NumericGetDatum(int64_to_numeric(a->minor)),
							   NumericGetDatum(int64_to_numeric(b->minor)));
}

/*
 * Aggregates.  The running sum belongs to the aggregate, which lets us change
 * it where it is instead of making a copy for each row.
 */

static Datum
return_sum(FunctionCallInfo fcinfo, MoneyCcy *state, MoneyCcy sum)
{
	if (!AggCheckCallContext(fcinfo, NULL))
		return return_copy(sum);
	*state = sum;
	PG_RETURN_MONEY_CCY_P(state);
}

Datum
money_ccy_sum_add(PG_FUNCTION_ARGS)
{
	MoneyCcy *state = PG_GETARG_MONEY_CCY_P(0);

	return return_sum(fcinfo, state, add(state, PG_GETARG_MONEY_CCY_P(1)));
}

/* For window frames that move on: takes a row out of the sum again. */
Datum
money_ccy_sum_remove(PG_FUNCTION_ARGS)
{
	MoneyCcy *state = PG_GETARG_MONEY_CCY_P(0);

	return return_sum(fcinfo, state, subtract(state, PG_GETARG_MONEY_CCY_P(1)));
}

Datum
money_ccy_smaller(PG_FUNCTION_ARGS)
{
	return compare_arguments(fcinfo) <= 0 ? PG_GETARG_DATUM(0) : PG_GETARG_DATUM(1);
}

Datum
money_ccy_larger(PG_FUNCTION_ARGS)
{
	return compare_arguments(fcinfo) >= 0 ? PG_GETARG_DATUM(0) : PG_GETARG_DATUM(1);
}
