/*
 * spree_event.c
 *		The rules of a shop's table of store credit events, all of them strict.
 *
 * The application writes what a credit has used and authorized as absolute values,
 * and beside each change an event: an authorization with a code of its own, which
 * is later captured or voided, and what is refunded of a capture.  So the events
 * tell what the values must be.
 */
#include "postgres.h"

#include "access/table.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/snapmgr.h"

#include "owner_sum.h"
#include "spree_rules.h"
#include "spree_shop.h"

PG_FUNCTION_INFO_V1(spree_guard_event);

/* objsubid in pg_locks of our advisory locks on codes; owner_sum.c has the others. */
#define CODE_LOCK_CLASS	94

typedef struct Event
{
	char	   *action;
	char	   *code;
	char	   *credit;			/* the credit's id */
} Event;

static bool
is_action(const Event *event, const char *action)
{
	return strcmp(event->action, action) == 0;
}

/* ---- a code is closed once, and refunds of it stay within its captures ---- */

static void
lock_code(Relation events, const char *code)
{
	uint64		hash = hash_bytes_extended((const unsigned char *) code, (int) strlen(code), RelationGetRelid(events));
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) (hash >> 32), (uint32) hash, CODE_LOCK_CLASS);
	LockAcquire(&tag, ExclusiveLock, false, false);
}

typedef struct CodeSums
{
	int64		closings;
	Numeric		captured;
	Numeric		refunded;
} CodeSums;

static void
read_code_sums(HeapTuple row, TupleDesc desc, void *result)
{
	CodeSums   *sums = result;
	bool		isnull;

	sums->closings = DatumGetInt64(SPI_getbinval(row, desc, 1, &isnull));
	sums->captured = numeric_of_result(row, desc, 2);
	sums->refunded = numeric_of_result(row, desc, 3);
}

/*
 * Refunds may be events of other credits, which were made for them; those are
 * found as the application finds them, by the code alone.
 */
static CodeSums
sums_of_code(Relation events, const Event *event, bool of_one_credit)
{
	ShopQuery	query = {0};
	CodeSums	sums;

	initStringInfo(&query.sql);
	appendStringInfo(&query.sql,
					 "SELECT pg_catalog.count(*) FILTER (WHERE e.action OPERATOR(pg_catalog.=) 'capture' OR e.action OPERATOR(pg_catalog.=) 'void'), "
					 "pg_catalog.sum(e.amount) FILTER (WHERE e.action OPERATOR(pg_catalog.=) 'capture'), "
					 "pg_catalog.sum(e.amount) FILTER (WHERE e.action OPERATOR(pg_catalog.=) 'credit') "
					 "FROM %s e WHERE e.deleted_at IS NULL AND ",
					 qualified_table_name(events));
	append_equals(&query, events, "e", find_shop_column(events, "authorization_code", NULL),
				  add_argument(&query, event->code));
	if (of_one_credit)
	{
		appendStringInfoString(&query.sql, " AND ");
		append_equals(&query, events, "e", find_shop_column(events, "store_credit_id", NULL),
					  add_argument(&query, event->credit));
	}
	run_newest_shop_query(&query, events->rd_rel->relowner, read_code_sums, &sums);
	return sums;
}

static void
judge_closing(const SpreeGuard *guard, Relation events, const Event *event)
{
	int64		closings = sums_of_code(events, event, true).closings;

	if (closings > 1)
		break_rule(guard, RULE_CLOSED_CODE, "Code \"%s\" of credit %s would be captured or voided " INT64_FORMAT " times.",
				   event->code, event->credit, closings);
}

static void
judge_refund(const SpreeGuard *guard, Relation events, const Event *event)
{
	CodeSums	sums = sums_of_code(events, event, false);

	if (compare_amounts(sums.refunded, sums.captured) > 0)
		break_rule(guard, RULE_CLOSED_CODE, "Of code \"%s\" %s would be refunded, and %s was captured.",
				   event->code, amount_to_text(sums.refunded), amount_to_text(sums.captured));
}

/*
 * Who changes a credit holds its row, but a refund that makes a credit anew need
 * not: so what closes a code waits for others of the same code.
 */
static void
judge_code(const SpreeGuard *guard, Relation events, const Event *event)
{
	bool		closes = is_action(event, "capture") || is_action(event, "void");

	if (event->code == NULL || (!closes && !is_action(event, "credit")))
		return;
	if (guard->enforced)
		lock_code(events, event->code);
	if (closes)
		judge_closing(guard, events, event);
	else
		judge_refund(guard, events, event);
}

/* ---- the row agrees with its events ---- */

#define FIGURES	3

/* Amount, used and authorized, in the row and by its events. */
typedef struct Figures
{
	bool		found;
	Numeric		row[FIGURES];
	Numeric		events[FIGURES];
} Figures;

static void
read_figures(HeapTuple row, TupleDesc desc, void *result)
{
	Figures    *figures = result;

	figures->found = true;
	for (int i = 0; i < FIGURES; i++)
	{
		figures->row[i] = numeric_of_result(row, desc, i + 1);
		figures->events[i] = numeric_of_result(row, desc, FIGURES + i + 1);
	}
}

/*
 * A first event "credit" is the grant of a credit that was made for a refund.  A
 * capture releases the whole authorization in Solidus, and what is captured in
 * Spree.
 */
static void
build_figures_query(ShopQuery *query, Relation credits, Relation events, const Event *event, bool is_solidus)
{
	const char *credit = add_argument(query, event->credit);

	initStringInfo(&query->sql);
	appendStringInfo(&query->sql,
					 "SELECT c.amount, c.amount_used, c.amount_authorized, s.granted, s.used, s.authorized "
					 "FROM %s c CROSS JOIN LATERAL (SELECT "
					 "pg_catalog.sum(CASE WHEN x.action OPERATOR(pg_catalog.=) 'allocation' OR x.action OPERATOR(pg_catalog.=) 'adjustment' "
					 "OR x.action OPERATOR(pg_catalog.=) 'credit' AND x.place OPERATOR(pg_catalog.=) 1 THEN x.amount END) AS granted, "
					 "pg_catalog.sum(CASE WHEN x.action OPERATOR(pg_catalog.=) 'capture' THEN x.amount "
					 "WHEN x.action OPERATOR(pg_catalog.=) 'credit' AND x.place OPERATOR(pg_catalog.>) 1 THEN OPERATOR(pg_catalog.-) x.amount END) AS used, "
					 "pg_catalog.sum(CASE WHEN x.action OPERATOR(pg_catalog.=) 'authorize' THEN x.amount "
					 "WHEN x.action OPERATOR(pg_catalog.=) 'void' THEN OPERATOR(pg_catalog.-) x.authorized "
					 "WHEN x.action OPERATOR(pg_catalog.=) 'capture' THEN OPERATOR(pg_catalog.-) x.%s END) AS authorized "
					 "FROM (SELECT e.action, e.amount::pg_catalog.numeric AS amount, "
					 "pg_catalog.row_number() OVER (ORDER BY e.created_at, e.id) AS place, "
					 "pg_catalog.max(e.amount) FILTER (WHERE e.action OPERATOR(pg_catalog.=) 'authorize') OVER (PARTITION BY e.authorization_code) AS authorized "
					 "FROM %s e WHERE e.deleted_at IS NULL AND ",
					 qualified_table_name(credits), is_solidus ? "authorized" : "amount", qualified_table_name(events));
	append_equals(query, events, "e", find_shop_column(events, "store_credit_id", NULL), credit);
	appendStringInfoString(&query->sql, ") x) s WHERE ");
	append_equals(query, credits, "c", find_shop_column(credits, "id", NULL), credit);
}

static Numeric
distance(const Figures *figures, int i)
{
	return DatumGetNumeric(DirectFunctionCall1(numeric_abs,
											   NumericGetDatum(subtract_amounts(figures->row[i], figures->events[i]))));
}

/* In Spree, a gift card gives its credit another amount without an event. */
static bool
is_further_apart(const Figures *before, const Figures *after, bool is_solidus)
{
	for (int i = is_solidus ? 0 : 1; i < FIGURES; i++)
	{
		Numeric		was = before->found ? distance(before, i) : int64_to_numeric(0);

		if (compare_amounts(distance(after, i), was) > 0)
			return true;
	}
	return false;
}

/*
 * What was apart before this transaction may stay so.  A snapshot that ends before
 * its first command shows what was: of this transaction nothing, of others the
 * same as the other one.  Where nothing is apart, as mostly, nobody needs to know.
 */
static void
judge_figures(const SpreeGuard *guard, Relation credits, Relation events, const Event *event)
{
	ShopQuery	query = {0};
	Snapshot	snapshot = take_newest_snapshot();
	Oid			role = events->rd_rel->relowner;
	Figures		after = {0};
	Figures		before = {0};
	bool		is_apart;

	build_figures_query(&query, credits, events, event, guard->is_solidus);
	run_shop_query(&query, role, snapshot, read_figures, &after);
	is_apart = after.found && is_further_apart(&before, &after, guard->is_solidus);
	if (is_apart)
	{
		snapshot->curcid = FirstCommandId;
		run_shop_query(&query, role, snapshot, read_figures, &before);
		is_apart = is_further_apart(&before, &after, guard->is_solidus);
	}
	UnregisterSnapshot(snapshot);

	if (is_apart)
		break_rule(guard, RULE_RECONCILE,
				   "Credit %s has an amount of %s with %s used and %s authorized, and its events make that %s, %s and %s.",
				   event->credit,
				   amount_to_text(after.row[0]), amount_to_text(after.row[1]), amount_to_text(after.row[2]),
				   amount_to_text(after.events[0]), amount_to_text(after.events[1]), amount_to_text(after.events[2]));
}

/* Of the other actions, "eligible" changes nothing, and "invalidate" none of the figures. */
static void
judge_reconcile(const SpreeGuard *guard, Relation events, const Event *event)
{
	Oid			credits_id = find_shop_table(events, "store_credit_events", "store_credits");
	Relation	credits;

	if (!OidIsValid(credits_id) || is_action(event, "eligible") || is_action(event, "invalidate"))
		return;
	credits = table_open(credits_id, AccessShareLock);
	judge_figures(guard, credits, events, event);
	table_close(credits, NoLock);
}

Datum
spree_guard_event(PG_FUNCTION_ARGS)
{
	SpreeGuard	guard = begin_spree_guard(fcinfo, ON_INSERT);
	const RowChange *change = &guard.row;
	Event		event = {
		.action = text_of_column(change, change->new_row, "action"),
		.code = text_of_column(change, change->new_row, "authorization_code"),
		.credit = text_of_column(change, change->new_row, "store_credit_id")
	};
	Relation	events;

	if (event.action == NULL || event.credit == NULL || has_value(change, change->new_row, "deleted_at"))
		return PointerGetDatum(NULL);

	events = open_table_of_trigger(change);
	if (has_rule(&guard, RULE_CLOSED_CODE))
		judge_code(&guard, events, &event);
	if (has_rule(&guard, RULE_RECONCILE))
		judge_reconcile(&guard, events, &event);
	table_close(events, NoLock);
	return PointerGetDatum(NULL);
}
