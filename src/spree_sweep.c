/*
 * spree_sweep.c
 *		The sweep of the shops that are attached: what has ended there, expired in
 *		the application's own terms.
 *
 * What is done to a shop's tables is spree_expire_credits()'s, in SQL.  This is
 * about whose rights it has: an application's tables have the application's
 * triggers, and whoever sweeps, a superuser even or the worker, must not lend
 * himself to them.  So it runs with the rights of the owner of the table of
 * store credits, as VACUUM and REINDEX do, and where that is somebody else than
 * the caller in a security-restricted operation, out of which there is no way
 * back to the caller's rights.  Settings that such a trigger changes end with it:
 * the caller goes on with his own search_path.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "arguments.h"
#include "ledger_tables.h"
#include "spree_sweep.h"
#include "statement.h"
#include "storecredit.h"

PG_FUNCTION_INFO_V1(spree_expire);

/* ---- which shops ---- */

static Statement select_shops = {
	.sql = "SELECT a.store_credits FROM storecredit.spree_attached() AS a"
	" WHERE (a.store_credits OPERATOR(pg_catalog.=) $1 OR $1 IS NULL)"
	" AND (EXISTS (SELECT FROM storecredit.spree_expiry_rule AS r"
	" WHERE r.store_credits OPERATOR(pg_catalog.=) a.store_credits)"
	" OR EXISTS (SELECT FROM storecredit.spree_expiry AS e"
	" WHERE e.store_credits OPERATOR(pg_catalog.=) a.store_credits"
	" AND e.expires_at OPERATOR(pg_catalog.<=) $2 AND e.expires_at OPERATOR(pg_catalog.<) 'infinity'))"
	" ORDER BY a.store_credits USING OPERATOR(pg_catalog.<)",
	.nargs = 2, .argtypes = {REGCLASSOID, TIMESTAMPTZOID}
};

static void
add_shop(HeapTuple row, TupleDesc desc, void *result)
{
	List	  **shops = result;
	bool		isnull;

	*shops = lappend_oid(*shops, DatumGetObjectId(SPI_getbinval(row, desc, 1, &isnull)));
}

List *
find_shops_to_sweep(Oid store_credits)
{
	Datum		values[] = {ObjectIdGetDatum(store_credits), TimestampTzGetDatum(shop_clock())};
	const bool	isnull[] = {!OidIsValid(store_credits), false};
	List	   *shops = NIL;

	run_statement(&select_shops, values, isnull, SPI_OK_SELECT, add_shop, &shops);
	return shops;
}

/* ---- what was expired ---- */

static Statement log_expired = {
	.sql = "INSERT INTO storecredit.spree_expired"
	" (store_credits, store_credit_id, owner_id, currency, amount, expires_at, action, expired_at)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
	.nargs = 8, .argtypes = {REGCLASSOID, INT8OID, TEXTOID, TEXTOID, NUMERICOID, TIMESTAMPTZOID, TEXTOID, TIMESTAMPTZOID}
};

/* The columns of spree_expire_credits(); from the second on those of the statement above. */
enum
{
	FAILURE = 1,
	STORE_CREDIT_ID,
	LAST_LOGGED = STORE_CREDIT_ID + 5
};

static void
note_failure(ShopSweep *sweep, HeapTuple row, TupleDesc desc)
{
	if (sweep->failed++ == 0)
		sweep->failure = psprintf("store credit %s: %s",
								  SPI_getvalue(row, desc, STORE_CREDIT_ID), SPI_getvalue(row, desc, FAILURE));
}

static void
log_row(Oid store_credits, HeapTuple row, TupleDesc desc)
{
	Datum		values[8];
	bool		isnull[8] = {false};
	int			n = 0;

	values[n++] = ObjectIdGetDatum(store_credits);
	for (int column = STORE_CREDIT_ID; column <= LAST_LOGGED; column++, n++)
		values[n] = SPI_getbinval(row, desc, column, &isnull[n]);
	values[n] = TimestampTzGetDatum(shop_clock());
	require_one_row("spree_expired", run_statement(&log_expired, values, isnull, SPI_OK_INSERT, NULL, NULL));
}

/* ---- with whose rights ---- */

/* The lock keeps the table whose it is until the end of the transaction. */
static Oid
lock_and_find_owner(Oid store_credits)
{
	Relation	relation = table_open(store_credits, RowExclusiveLock);
	Oid			owner = relation->rd_rel->relowner;

	table_close(relation, NoLock);
	return owner;
}

static void
become_table_owner(Oid store_credits, UserContext *caller)
{
	Oid			owner = lock_and_find_owner(store_credits);

	GetUserIdAndSecContext(&caller->userid, &caller->sec_context);
	if (owner != caller->userid)
		SetUserIdAndSecContext(owner, caller->sec_context | SECURITY_RESTRICTED_OPERATION);
}

/* Within SPI_connect(). */
static uint64
expire_as_owner(Oid store_credits, int64 max_credits)
{
	Oid			types[] = {REGCLASSOID, INT8OID};
	Datum		values[] = {ObjectIdGetDatum(store_credits), Int64GetDatum(max_credits)};
	UserContext caller;
	int			nest_level = NewGUCNestLevel();
	int			result;

	become_table_owner(store_credits, &caller);
	result = SPI_execute_with_args("SELECT failure, store_credit_id, owner_id, currency, amount, expires_at, action"
								   " FROM storecredit.spree_expire_credits($1, $2)",
								   lengthof(types), types, values, NULL, false, 0);
	become_caller(&caller);
	AtEOXact_GUC(false, nest_level);
	if (result != SPI_OK_SELECT)
		elog(ERROR, "could not expire store credits: %s", SPI_result_code_string(result));
	return SPI_processed;
}

ShopSweep
sweep_shop(Oid store_credits, int64 max_credits)
{
	MemoryContext caller_context = CurrentMemoryContext;
	ShopSweep	sweep = {0};
	SPITupleTable *rows;
	uint64		count;

	SPI_connect();
	count = expire_as_owner(store_credits, max_credits);
	rows = SPI_tuptable;
	MemoryContextSwitchTo(caller_context);
	for (uint64 i = 0; i < count; i++)
	{
		bool		expired;

		(void) SPI_getbinval(rows->vals[i], rows->tupdesc, FAILURE, &expired);
		if (expired)
		{
			log_row(store_credits, rows->vals[i], rows->tupdesc);
			sweep.expired++;
		}
		else
			note_failure(&sweep, rows->vals[i], rows->tupdesc);
	}
	SPI_finish();
	return sweep;
}

void
warn_of_failures(Oid store_credits, const ShopSweep *sweep)
{
	if (sweep->failed > 0)
		ereport(WARNING,
				(errmsg("could not expire " INT64_FORMAT " store credits of table %s", sweep->failed,
						quote_qualified_identifier(get_namespace_name(get_rel_namespace(store_credits)),
												   get_rel_name(store_credits))),
				 errdetail_internal("%s", sweep->failure)));
}

/* ---- for everybody ---- */

Datum
spree_expire(PG_FUNCTION_ARGS)
{
	int64		max_credits = get_count_argument(fcinfo, 0, "max_credits");
	int64		expired = 0;
	ListCell   *cell;

	PreventCommandIfReadOnly("expiring store credits of a shop");
	(void) get_ledger_tables();
	foreach(cell, find_shops_to_sweep(PG_ARGISNULL(1) ? InvalidOid : PG_GETARG_OID(1)))
	{
		ShopSweep	sweep;

		if (expired >= max_credits)
			break;
		sweep = sweep_shop(lfirst_oid(cell), max_credits - expired);
		warn_of_failures(lfirst_oid(cell), &sweep);
		expired += sweep.expired;
	}
	PG_RETURN_INT64(expired);
}
