/*
 * spree_rules.h
 *		The rules that are put under a Spree or Solidus shop's tables: their names,
 *		and what becomes of a change that breaks one.
 */
#ifndef STORECREDIT_SPREE_RULES_H
#define STORECREDIT_SPREE_RULES_H

#include "postgres.h"

#include "utils/builtins.h"
#include "utils/numeric.h"

#include "row_trigger.h"

typedef enum SpreeRule
{
	RULE_AMOUNTS,
	RULE_CURRENCY,
	RULE_OWNER,
	RULE_DELETE,
	RULE_LIMIT,
	RULE_PAYMENT,
	RULE_INVALIDATED,
	RULE_AUTHORIZED,
	RULE_CLOSED_CODE,
	RULE_RECONCILE,
	RULE_TRUNCATE,
} SpreeRule;

/* A changed row, and what spree_attach() has said of its table. */
typedef struct SpreeGuard
{
	RowChange	row;
	bool		is_solidus;
	bool		enforced;		/* else what breaks a rule is recorded, and passes */
	int			rules;			/* 1 << SpreeRule of each */
} SpreeGuard;

extern SpreeGuard begin_spree_guard(FunctionCallInfo fcinfo, int events);

static inline bool
has_rule(const SpreeGuard *guard, SpreeRule rule)
{
	return (guard->rules & (1 << rule)) != 0;
}

/*
 * The row breaks a rule: 23514, or a line in the server's log and a row in
 * storecredit.spree_violation.  The detail is a sentence with the figures.
 */
extern void break_rule(const SpreeGuard *guard, SpreeRule rule, const char *detail_format,...) pg_attribute_printf(3, 4);

/* ---- columns of the changed row ---- */

/* NULL of a null, and of a column that the table does not have. */
extern char *text_of_column(const RowChange *change, HeapTuple row, const char *name);
extern bool has_value(const RowChange *change, HeapTuple row, const char *name);

/* Zero of a null. */
extern Numeric amount_of_column(const RowChange *change, HeapTuple row, const char *name);

/* The row's id, for a message. */
extern const char *id_of_row(const RowChange *change);

/* Whether two such values are the same; null is one of its own. */
static inline bool
same_value(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* ---- numerics: NaN is above all others ---- */

static inline int
compare_amounts(Numeric a, Numeric b)
{
	return DatumGetInt32(DirectFunctionCall2(numeric_cmp, NumericGetDatum(a), NumericGetDatum(b)));
}

static inline int
sign_of_amount(Numeric a)
{
	return compare_amounts(a, int64_to_numeric(0));
}

static inline Numeric
subtract_amounts(Numeric a, Numeric b)
{
	return DatumGetNumeric(DirectFunctionCall2(numeric_sub, NumericGetDatum(a), NumericGetDatum(b)));
}

static inline char *
amount_to_text(Numeric a)
{
	return DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(a)));
}

#endif							/* STORECREDIT_SPREE_RULES_H */
