/*
 * spree_payment.c
 *		The rule of a shop's payments: one that is made by store credit is in the
 *		currency of the credit and of the order, and is not negative.
 */
#include "postgres.h"

#include "access/table.h"

#include "owner_sum.h"
#include "spree_rules.h"
#include "spree_shop.h"

PG_FUNCTION_INFO_V1(spree_guard_payment);

static bool
is_by_store_credit(const RowChange *change, HeapTuple row)
{
	char	   *source_type = row ? text_of_column(change, row, "source_type") : NULL;

	return source_type != NULL && strcmp(source_type, "Spree::StoreCredit") == 0;
}

static bool
is_negative(Numeric amount)
{
	return sign_of_amount(amount) < 0 || numeric_is_nan(amount);
}

static void
judge_amount(const SpreeGuard *guard, bool was_by_store_credit)
{
	const RowChange *change = &guard->row;
	Numeric		amount = amount_of_column(change, change->new_row, "amount");

	if (!is_negative(amount) ||
		(was_by_store_credit &&
		 compare_amounts(amount_of_column(change, change->old_row, "amount"), amount) <= 0))
		return;
	break_rule(guard, RULE_PAYMENT, "Payment %s would be of %s.", id_of_row(change), amount_to_text(amount));
}

/* ---- currencies ---- */

static bool
is_same(const RowChange *change, const char *column)
{
	return same_value(text_of_column(change, change->old_row, column), text_of_column(change, change->new_row, column));
}

typedef struct Currencies
{
	char	   *credit;
	char	   *order;
} Currencies;

static void
read_currencies(HeapTuple row, TupleDesc desc, void *result)
{
	Currencies *currencies = result;

	currencies->credit = SPI_getvalue(row, desc, 1);
	currencies->order = SPI_getvalue(row, desc, 2);
}

static Currencies
currencies_of(Relation payments, Relation credits, const char *credit_id, Relation orders, const char *order_id)
{
	ShopQuery	query = {0};
	Currencies	currencies = {0};

	initStringInfo(&query.sql);
	appendStringInfo(&query.sql, "SELECT c.currency, o.currency FROM %s c CROSS JOIN %s o WHERE ",
					 qualified_table_name(credits), qualified_table_name(orders));
	append_equals(&query, credits, "c", find_shop_column(credits, "id", NULL), add_argument(&query, credit_id));
	appendStringInfoString(&query.sql, " AND ");
	append_equals(&query, orders, "o", find_shop_column(orders, "id", NULL), add_argument(&query, order_id));
	run_newest_shop_query(&query, payments->rd_rel->relowner, read_currencies, &currencies);
	return currencies;
}

static void
compare_currencies(const SpreeGuard *guard, Relation payments, Relation credits, Relation orders)
{
	const char *credit_id = text_of_column(&guard->row, guard->row.new_row, "source_id");
	const char *order_id = text_of_column(&guard->row, guard->row.new_row, "order_id");
	Currencies	currencies;

	if (credit_id == NULL || order_id == NULL ||
		find_shop_column(orders, "id", NULL) == 0 || find_shop_column(orders, "currency", NULL) == 0)
		return;
	currencies = currencies_of(payments, credits, credit_id, orders, order_id);
	if (currencies.credit != NULL && currencies.order != NULL && strcmp(currencies.credit, currencies.order) != 0)
		break_rule(guard, RULE_PAYMENT, "Payment %s would pay order %s, in %s, with credit %s, in %s.",
				   id_of_row(&guard->row), order_id, currencies.order, credit_id, currencies.credit);
}

/* Where there is no order, or no table of them, there is nothing to compare with. */
static void
judge_currencies(const SpreeGuard *guard)
{
	Relation	payments = open_table_of_trigger(&guard->row);
	Oid			credits_id = find_shop_table(payments, "payments", "store_credits");
	Oid			orders_id = find_shop_table(payments, "payments", "orders");

	if (OidIsValid(credits_id) && OidIsValid(orders_id))
	{
		Relation	credits = table_open(credits_id, AccessShareLock);
		Relation	orders = table_open(orders_id, AccessShareLock);

		compare_currencies(guard, payments, credits, orders);
		table_close(orders, NoLock);
		table_close(credits, NoLock);
	}
	table_close(payments, NoLock);
}

/* A payment in a wrong currency from earlier days goes through its states as it would. */
Datum
spree_guard_payment(PG_FUNCTION_ARGS)
{
	SpreeGuard	guard = begin_spree_guard(fcinfo, ON_INSERT | ON_UPDATE);
	const RowChange *change = &guard.row;
	bool		was_by_store_credit = is_by_store_credit(change, change->old_row);

	if (!has_rule(&guard, RULE_PAYMENT) || !is_by_store_credit(change, change->new_row))
		return PointerGetDatum(NULL);
	judge_amount(&guard, was_by_store_credit);
	if (!was_by_store_credit || !is_same(change, "source_id") || !is_same(change, "order_id"))
		judge_currencies(&guard);
	return PointerGetDatum(NULL);
}
