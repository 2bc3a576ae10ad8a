/*
 * spree_limit.c
 *		What the owner of a shop's store credit may have in a currency: the limits of
 *		storecredit.currency_limit, on what a shop grants.
 *
 * A grant is a credit that comes to count for an owner, or whose amount rises.  A
 * refund into a credit raises what the owner has, too, but is never refused, and
 * neither is anything that a checkout does.
 *
 * Grants to one owner wait for one another, on the lock that enforce_currency_limit()
 * uses, and only where there is a limit; then each adds up what is committed by
 * now.  Nothing else takes that lock: a checkout holds the rows of several credits,
 * locked in an order of its own, and would come into deadlocks with it.
 */
#include "postgres.h"

#include "access/table.h"

#include "limits.h"
#include "money_ccy.h"
#include "owner_sum.h"
#include "spree_limit.h"
#include "spree_shop.h"

/* A gift card's money is the card's, whoever has applied it to a cart. */
#define GIFT_CARD	"Spree::GiftCard"

/* Whose credit a row is: what is added up together. */
typedef struct Holding
{
	bool		counted;
	char	   *owner;
	char	   *store;			/* NULL for none */
	char	   *currency;
	Numeric		amount;
} Holding;

bool
is_spree_currency(const char *code)
{
	return code != NULL && strlen(code) == CURRENCY_CODE_LENGTH &&
		strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == CURRENCY_CODE_LENGTH;
}

const char *
spree_owner_column(Relation credits)
{
	return find_shop_column(credits, "customer_id", NULL) != 0 ? "customer_id" : "user_id";
}

static Holding
holding_of_row(const RowChange *change, HeapTuple row)
{
	Holding		holding = {0};
	char	   *originator;

	if (row == NULL)
		return holding;
	holding.owner = text_of_column(change, row, spree_owner_column(change->rel));
	holding.store = text_of_column(change, row, "store_id");
	holding.currency = text_of_column(change, row, "currency");
	holding.amount = amount_of_column(change, row, "amount");
	originator = text_of_column(change, row, "originator_type");
	holding.counted = holding.owner != NULL && is_spree_currency(holding.currency) &&
		!has_value(change, row, "deleted_at") && !has_value(change, row, "invalidated_at") &&
		(originator == NULL || strcmp(originator, GIFT_CARD) != 0);
	return holding;
}

static bool
is_grant(const Holding *before, const Holding *after)
{
	return after->counted &&
		(!before->counted ||
		 !same_value(before->owner, after->owner) ||
		 !same_value(before->store, after->store) ||
		 !same_value(before->currency, after->currency) ||
		 compare_amounts(after->amount, before->amount) > 0);
}

/* ---- what the owner has ---- */

static void
append_condition(ShopQuery *query, Relation credits, const char *column, const char *condition)
{
	if (find_shop_column(credits, column, NULL) != 0)
		appendStringInfo(&query->sql, " AND (t.%s %s)", column, condition);
}

static void
append_store(ShopQuery *query, Relation credits, const char *store)
{
	int			attnum = find_shop_column(credits, "store_id", NULL);

	if (store == NULL)
		append_condition(query, credits, "store_id", "IS NULL");
	else
	{
		appendStringInfoString(&query->sql, " AND ");
		append_equals(query, credits, "t", attnum, add_argument(query, store));
	}
}

static void
build_sum_query(ShopQuery *query, Relation credits, const Holding *holding)
{
	initStringInfo(&query->sql);
	appendStringInfo(&query->sql,
					 "SELECT pg_catalog.sum(t.amount::pg_catalog.numeric OPERATOR(pg_catalog.-) t.amount_used::pg_catalog.numeric) FROM %s t WHERE ",
					 qualified_table_name(credits));
	append_equals(query, credits, "t", find_shop_column(credits, "customer_id", "user_id"),
				  add_argument(query, holding->owner));
	appendStringInfoString(&query->sql, " AND ");
	append_equals(query, credits, "t", find_shop_column(credits, "currency", NULL),
				  add_argument(query, holding->currency));
	append_store(query, credits, holding->store);
	append_condition(query, credits, "deleted_at", "IS NULL");
	append_condition(query, credits, "invalidated_at", "IS NULL");
	append_condition(query, credits, "originator_type",
					 "IS NULL OR t.originator_type OPERATOR(pg_catalog.<>) '" GIFT_CARD "'");
}

static void
read_sum(HeapTuple row, TupleDesc desc, void *result)
{
	*(Numeric *) result = numeric_of_result(row, desc, 1);
}

static Numeric
sum_of_holding(Relation credits, const Holding *holding)
{
	ShopQuery	query = {0};
	Numeric		sum;

	build_sum_query(&query, credits, holding);
	run_newest_shop_query(&query, credits->rd_rel->relowner, read_sum, &sum);
	return sum;
}

/* Without stores: a lock that two of them share does no harm. */
static void
lock_holding(const RowChange *change, Relation credits, const Holding *holding)
{
	LimitColumns columns = {.owner = find_named_column(change, spree_owner_column(change->rel))};
	Share		share = {.currency_code = holding->currency};
	bool		isnull;

	share.owner = column_value(change, change->new_row, columns.owner, &isnull);
	lock_owner(change, &columns, credits, &share);
}

/* ---- the judgement ---- */

static bool
is_above(Numeric amount, int64 limit, const char *currency)
{
	return limit != NO_LIMIT &&
		compare_amounts(amount, int64_div_fast_to_numeric(limit, get_currency(currency)->minor_units)) > 0;
}

static void
judge_balance(const SpreeGuard *guard, const Holding *holding, MoneyCcy limit)
{
	Relation	credits = open_table_of_trigger(&guard->row);
	Numeric		sum;

	/* What only records takes no lock, and may miss one of two at once. */
	if (guard->enforced)
		lock_holding(&guard->row, credits, holding);
	sum = sum_of_holding(credits, holding);
	if (is_above(sum, limit.minor, limit.currency))
		break_rule(guard, RULE_LIMIT, "Owner \"%s\" would have %s %s, the limit is %s.",
				   holding->owner, amount_to_text(sum), holding->currency, money_ccy_to_cstring(&limit));
	table_close(credits, NoLock);
}

void
judge_limit(const SpreeGuard *guard)
{
	Holding		before = holding_of_row(&guard->row, guard->row.old_row);
	Holding		after = holding_of_row(&guard->row, guard->row.new_row);
	MoneyCcy	max_credit;
	MoneyCcy	max_balance;

	if (!is_grant(&before, &after))
		return;
	max_credit = make_money_ccy(get_currency_limit(after.currency)->max_credit, after.currency);
	max_balance = make_money_ccy(get_currency_limit(after.currency)->max_balance, after.currency);

	if (is_above(after.amount, max_credit.minor, max_credit.currency))
		break_rule(guard, RULE_LIMIT, "Credit %s would be of %s %s, the limit of one credit is %s.",
				   id_of_row(&guard->row), amount_to_text(after.amount), after.currency,
				   money_ccy_to_cstring(&max_credit));
	else if (max_balance.minor != NO_LIMIT)
		judge_balance(guard, &after, max_balance);
}
