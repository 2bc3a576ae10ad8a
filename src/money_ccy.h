/*
 * money_ccy.h
 *		An amount of money that carries its currency: the value, its overflow-
 *		checked arithmetic, and its conversions.
 *
 * The struct is the on-disk format: see doc/design.md before touching it.
 */
#ifndef STORECREDIT_MONEY_CCY_H
#define STORECREDIT_MONEY_CCY_H

#include "postgres.h"

#include "common/int.h"
#include "fmgr.h"

#include "compat.h"
#include "currency.h"

typedef struct MoneyCcy
{
	int64 minor;                              /* amount in minor units, e.g. cents */
	char  currency[CURRENCY_CODE_LENGTH + 1]; /* ISO 4217 code, NUL-terminated */
	int32 reserved;                           /* always zero */
} MoneyCcy;

StaticAssertDecl(sizeof(MoneyCcy) == 16 &&
					 offsetof(MoneyCcy, currency) == 8 &&
					 offsetof(MoneyCcy, reserved) == 12,
				 "money_ccy is 16 bytes on disk, every one defined");

#define DatumGetMoneyCcyP(d)     ((MoneyCcy *) DatumGetPointer(d))
#define MoneyCcyPGetDatum(m)     PointerGetDatum(m)
#define PG_GETARG_MONEY_CCY_P(n) DatumGetMoneyCcyP(PG_GETARG_DATUM(n))
#define PG_RETURN_MONEY_CCY_P(m) return MoneyCcyPGetDatum(m)

/* The code and its terminator are compared as one word. */
static inline bool
same_currency(const MoneyCcy *a, const MoneyCcy *b)
{
	return memcmp(a->currency, b->currency, sizeof(a->currency)) == 0;
}

/* The total order: by currency, then by amount.  Below, at or above zero. */
static inline int
compare_money_ccy(const MoneyCcy *a, const MoneyCcy *b)
{
	if (likely(same_currency(a, b)))
		return (a->minor > b->minor) - (a->minor < b->minor);
	return memcmp(a->currency, b->currency, sizeof(a->currency));
}

static inline MoneyCcy
make_money_ccy(int64 minor, const char *currency)
{
	MoneyCcy result = { .minor = minor };

	memcpy(result.currency, currency, CURRENCY_CODE_LENGTH);
	return result;
}

/* A palloc'd copy, to be returned to SQL. */
extern MoneyCcy *new_money_ccy(int64 minor, const char *currency);

/* "49.99 USD", palloc'd. */
extern char *money_ccy_to_cstring(const MoneyCcy *money);

/* "49.99": the amount alone, with all minor digits, palloc'd. */
extern char *money_ccy_amount_to_cstring(const MoneyCcy *money);

/*
 * The amount as Shopify's Decimal writes it, palloc'd: no zeros at the end but
 * one digit after the point, whatever the currency: "61.1", "2.0", "3000.0".
 */
extern char *money_ccy_to_decimal_cstring(const MoneyCcy *money);

/* Exact or error (22P02 for too many decimals or an unknown currency, 22003 out of range). */
extern MoneyCcy money_ccy_from_numeric_datum(Datum numeric, const char *currency);

/* SQL functions, for calls from C. */
extern Datum money_ccy_in(PG_FUNCTION_ARGS);
extern Datum money_ccy_multiply(PG_FUNCTION_ARGS);

/* 22P02 with a reason, unless the text is a code in any case. */
extern const Currency *require_currency(const char *code);

/* 22003, "money_ccy out of range". */
pg_noreturn extern void money_ccy_out_of_range(void);

/* 22000, naming both currencies. */
pg_noreturn extern void money_ccy_currency_mismatch(const MoneyCcy *a, const MoneyCcy *b);

static inline void
require_same_currency(const MoneyCcy *a, const MoneyCcy *b)
{
	if (unlikely(!same_currency(a, b)))
		money_ccy_currency_mismatch(a, b);
}

/* Overflow-checked integer money; for amounts already known to share a currency. */
static inline int64
minor_add(int64 a, int64 b)
{
	int64 result;

	if (unlikely(pg_add_s64_overflow(a, b, &result)))
		money_ccy_out_of_range();
	return result;
}

static inline int64
minor_sub(int64 a, int64 b)
{
	int64 result;

	if (unlikely(pg_sub_s64_overflow(a, b, &result)))
		money_ccy_out_of_range();
	return result;
}

static inline int64
minor_mul(int64 a, int64 b)
{
	int64 result;

	if (unlikely(pg_mul_s64_overflow(a, b, &result)))
		money_ccy_out_of_range();
	return result;
}

#endif /* STORECREDIT_MONEY_CCY_H */
