/*
 * money_ccy_divide.c
 *		The two operations on money_ccy that cannot come out even, and say what
 *		becomes of the odd parts: multiplying by a fraction, and sharing.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

#include "compat.h"
#include "decimal.h"
#include "money_ccy.h"

PG_FUNCTION_INFO_V1(money_ccy_multiply);
PG_FUNCTION_INFO_V1(money_ccy_allocate);

/* Multiplication, half to even */

static bool
is_odd(const Decimal *decimal)
{
	return (decimal->whole[decimal->whole_length - 1] - '0') % 2 == 1;
}

static bool
rounds_away_from_zero(Decimal *decimal)
{
	trim_decimal(decimal, 0);
	if (decimal->fraction_length == 0 || decimal->fraction[0] < '5')
		return false;
	return decimal->fraction[0] > '5' || decimal->fraction_length > 1 || is_odd(decimal);
}

static int64
round_half_even(Decimal *decimal)
{
	bool  away = rounds_away_from_zero(decimal);
	int64 result;

	decimal->fraction_length = 0;
	if (!decimal_to_int64(decimal, 0, &result))
		money_ccy_out_of_range();
	if (!away)
		return result;
	return decimal->negative ? minor_sub(result, 1) : minor_add(result, 1);
}

/* A product of numerics is exact: it is rounded once, here. */
Datum
money_ccy_multiply(PG_FUNCTION_ARGS)
{
	const MoneyCcy *money = PG_GETARG_MONEY_CCY_P(0);
	Numeric         factor = PG_GETARG_NUMERIC(1);
	Datum           product;
	Decimal         decimal;

	if (numeric_is_nan(factor) || numeric_is_inf(factor))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("factor must be a finite number")));

	product = DirectFunctionCall2(numeric_mul,
								  NumericGetDatum(int64_to_numeric(money->minor)),
								  NumericGetDatum(factor));
	scan_decimal(DatumGetCString(DirectFunctionCall1(numeric_out, product)), &decimal);
	PG_RETURN_MONEY_CCY_P(new_money_ccy(round_half_even(&decimal), money->currency));
}

/* Allocation, by largest remainder */

typedef struct Weights
{
	Datum *values; /* of int64 */
	int    count;
	int128 total;
} Weights;

typedef struct Share
{
	uint64 minor; /* without its sign */
	int    index;
	int128 remainder; /* what the division left, in units of 1 / total weight */
} Share;

#define MAX_SHARES ((int) (MaxAllocSize / sizeof(Share)))

static void
add_up_weights(Weights *weights)
{
	weights->total = 0;
	for (int i = 0; i < weights->count; i++)
	{
		int64 weight = DatumGetInt64(weights->values[i]);

		if (weight < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("weights must be greater than or equal to zero"),
					 errdetail("Weight %d is " INT64_FORMAT ".", i + 1, weight)));
		weights->total += weight;
	}
	if (weights->total == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("weights must have a sum greater than zero")));
}

static Weights
get_weights(ArrayType *array)
{
	Weights weights;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("weights must be a one-dimensional array")));
	if (array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("weights must not contain nulls")));
	if (ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)) > MAX_SHARES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("number of weights exceeds the maximum allowed (%d)", MAX_SHARES)));

	deconstruct_array(array, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
					  &weights.values, NULL, &weights.count);
	add_up_weights(&weights);
	return weights;
}

/* The largest remainder first, ties in the order of the weights. */
static int
compare_remainders(const void *left, const void *right)
{
	const Share *a = left;
	const Share *b = right;

	if (a->remainder != b->remainder)
		return a->remainder > b->remainder ? -1 : 1;
	return a->index - b->index;
}

static int
compare_indexes(const void *left, const void *right)
{
	return ((const Share *) left)->index - ((const Share *) right)->index;
}

/*
 * Rounds every share down, then gives the units left over to the largest
 * remainders, one each.  There are always fewer of them than remainders above
 * zero, so a weight of zero gets nothing.
 */
static Share *
share_by_weights(uint64 magnitude, const Weights *weights)
{
	Share *shares = palloc(weights->count * sizeof(Share));
	uint64 left = magnitude;

	for (int i = 0; i < weights->count; i++)
	{
		/* at most 2^63 * (2^63 - 1) */
		int128 product = (int128) magnitude * DatumGetInt64(weights->values[i]);

		shares[i].index = i;
		shares[i].minor = (uint64) (product / weights->total);
		shares[i].remainder = product % weights->total;
		left -= shares[i].minor;
	}
	qsort(shares, weights->count, sizeof(Share), compare_remainders);
	for (uint64 i = 0; i < left; i++)
		shares[i].minor++;
	qsort(shares, weights->count, sizeof(Share), compare_indexes);
	return shares;
}

/* Negative amounts are shared as positive ones are, each part with the sign put back. */
Datum
money_ccy_allocate(PG_FUNCTION_ARGS)
{
	const MoneyCcy *money = PG_GETARG_MONEY_CCY_P(0);
	Weights         weights = get_weights(PG_GETARG_ARRAYTYPE_P(1));
	bool            negative = money->minor < 0;
	uint64          magnitude = negative ? 0 - (uint64) money->minor : (uint64) money->minor;
	Share          *shares = share_by_weights(magnitude, &weights);
	Datum          *elements = palloc(weights.count * sizeof(Datum));
	Oid             element_type = get_element_type(get_func_rettype(fcinfo->flinfo->fn_oid));

	for (int i = 0; i < weights.count; i++)
	{
		int64 minor = (int64) (negative ? 0 - shares[i].minor : shares[i].minor);

		elements[i] = MoneyCcyPGetDatum(new_money_ccy(minor, money->currency));
	}
	PG_RETURN_ARRAYTYPE_P(construct_array(elements, weights.count, element_type,
										  sizeof(MoneyCcy), false, TYPALIGN_DOUBLE));
}
