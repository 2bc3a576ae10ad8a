/*
 * spree_credit.c
 *		The rules of a shop's table of store credits, but for the limit.
 *
 * A credit has an amount, how much of it is used, and how much is authorized for
 * orders that are not paid yet.  It is deleted by a mark, and in Solidus it can
 * be invalidated.
 */
#include "postgres.h"

#include "spree_limit.h"
#include "spree_rules.h"

PG_FUNCTION_INFO_V1(spree_guard_credit);

typedef struct Credit
{
	Numeric		amount;
	Numeric		used;
	Numeric		authorized;
	Numeric		excess;			/* of what is used and authorized over the amount */
	bool		deleted;
	bool		invalidated;	/* never, in a table without that column */
} Credit;

static void
read_credit(const RowChange *change, HeapTuple row, Credit *credit)
{
	credit->amount = amount_of_column(change, row, "amount");
	credit->used = amount_of_column(change, row, "amount_used");
	credit->authorized = amount_of_column(change, row, "amount_authorized");
	credit->excess = subtract_amounts(credit->used, subtract_amounts(credit->amount, credit->authorized));
	credit->deleted = has_value(change, row, "deleted_at");
	credit->invalidated = has_value(change, row, "invalidated_at");
}

static char *
describe_amounts(const Credit *credit)
{
	return psprintf("an amount of %s with %s used and %s authorized", amount_to_text(credit->amount),
					amount_to_text(credit->used), amount_to_text(credit->authorized));
}

/* before is NULL of a new row, here and below */

/* Whether a figure that should not be above zero is, and was not as high before. */
static bool
rises_above_zero(Numeric after, const Numeric *before)
{
	return sign_of_amount(after) > 0 && (before == NULL || compare_amounts(after, *before) > 0);
}

static bool
falls_below_zero(Numeric after, const Numeric *before)
{
	return sign_of_amount(after) < 0 && (before == NULL || compare_amounts(after, *before) < 0);
}

static bool
falls_to_zero(Numeric after, const Numeric *before)
{
	return sign_of_amount(after) <= 0 && (before == NULL || compare_amounts(after, *before) < 0);
}

static void
judge_amounts(const SpreeGuard *guard, const Credit *before, const Credit *after)
{
	if (falls_to_zero(after->amount, before ? &before->amount : NULL) ||
		falls_below_zero(after->used, before ? &before->used : NULL) ||
		rises_above_zero(after->excess, before ? &before->excess : NULL))
		break_rule(guard, RULE_AMOUNTS, "Credit %s would have %s.", id_of_row(&guard->row), describe_amounts(after));
}

static void
judge_authorized(const SpreeGuard *guard, const Credit *before, const Credit *after)
{
	if (falls_below_zero(after->authorized, before ? &before->authorized : NULL))
		break_rule(guard, RULE_AUTHORIZED, "Credit %s would have %s.", id_of_row(&guard->row), describe_amounts(after));
}

static void
judge_invalidated(const SpreeGuard *guard, const Credit *before, const Credit *after)
{
	if (after->invalidated && sign_of_amount(after->authorized) > 0 &&
		(before == NULL || !before->invalidated || compare_amounts(after->authorized, before->authorized) > 0))
		break_rule(guard, RULE_INVALIDATED, "Credit %s would be invalidated with %s authorized.",
				   id_of_row(&guard->row), amount_to_text(after->authorized));
}

static const char *
quoted_or_null(const char *value)
{
	return value ? psprintf("\"%s\"", value) : "null";
}

static void
judge_currency(const SpreeGuard *guard)
{
	const RowChange *change = &guard->row;
	char	   *after = text_of_column(change, change->new_row, "currency");
	char	   *before;

	if (change->old_row == NULL)
	{
		if (!is_spree_currency(after))
			break_rule(guard, RULE_CURRENCY, "Credit %s would have the currency %s.",
					   id_of_row(change), quoted_or_null(after));
		return;
	}
	before = text_of_column(change, change->old_row, "currency");
	if (is_spree_currency(before) && !same_value(before, after))
		break_rule(guard, RULE_CURRENCY, "The currency of credit %s would change from %s to %s.",
				   id_of_row(change), quoted_or_null(before), quoted_or_null(after));
}

/* Null is what a shop sets when it deletes a customer; and a guest's credit may find an owner. */
static void
judge_owner(const SpreeGuard *guard)
{
	const RowChange *change = &guard->row;
	const char *column = spree_owner_column(change->rel);
	char	   *before = text_of_column(change, change->old_row, column);
	char	   *after = text_of_column(change, change->new_row, column);

	if (before != NULL && after != NULL && strcmp(before, after) != 0)
		break_rule(guard, RULE_OWNER, "Credit %s would pass from owner \"%s\" to owner \"%s\".",
				   id_of_row(change), before, after);
}

/* By a mark, or in truth. */
static void
judge_delete(const SpreeGuard *guard, const Credit *credit)
{
	if (sign_of_amount(credit->used) > 0 || sign_of_amount(credit->authorized) > 0)
		break_rule(guard, RULE_DELETE, "Credit %s has %s.", id_of_row(&guard->row), describe_amounts(credit));
}

static void
judge_stored_credit(const SpreeGuard *guard, const Credit *before)
{
	Credit		after;

	read_credit(&guard->row, guard->row.new_row, &after);
	if (has_rule(guard, RULE_AMOUNTS))
		judge_amounts(guard, before, &after);
	if (has_rule(guard, RULE_CURRENCY) && SPI_fnumber(RelationGetDescr(guard->row.rel), "currency") > 0)
		judge_currency(guard);
	if (has_rule(guard, RULE_OWNER) && before != NULL)
		judge_owner(guard);
	if (has_rule(guard, RULE_DELETE) && before != NULL && after.deleted && !before->deleted)
		judge_delete(guard, &after);
	if (has_rule(guard, RULE_INVALIDATED))
		judge_invalidated(guard, before, &after);
	if (has_rule(guard, RULE_AUTHORIZED))
		judge_authorized(guard, before, &after);
	if (has_rule(guard, RULE_LIMIT))
		judge_limit(guard);
}

Datum
spree_guard_credit(PG_FUNCTION_ARGS)
{
	SpreeGuard	guard = begin_spree_guard(fcinfo, ON_CHANGE);
	Credit		before;

	if (guard.row.old_row != NULL)
		read_credit(&guard.row, guard.row.old_row, &before);
	if (guard.row.new_row != NULL)
		judge_stored_credit(&guard, guard.row.old_row != NULL ? &before : NULL);
	else if (has_rule(&guard, RULE_DELETE))
		judge_delete(&guard, &before);
	return PointerGetDatum(NULL);
}
