/*
 * spree_expiry.c
 *		When the store credits of a Spree or Solidus shop end: writing it down.
 *
 * The rows are the ledger owner's, and so are the rights that they are written
 * with.  Who may change a shop's table of store credits may say when they end.
 */
#include "postgres.h"

#include "catalog/objectaddress.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "ledger_tables.h"
#include "statement.h"

PG_FUNCTION_INFO_V1(storecredit_spree_put_end);
PG_FUNCTION_INFO_V1(storecredit_spree_drop_end);
PG_FUNCTION_INFO_V1(storecredit_spree_put_rule);
PG_FUNCTION_INFO_V1(storecredit_spree_drop_rule);

static Statement put_end = {
	.sql = "INSERT INTO storecredit.spree_expiry AS e (store_credits, store_credit_id, expires_at) VALUES ($1, $2, $3)"
	" ON CONFLICT ON CONSTRAINT spree_expiry_pkey DO UPDATE SET expires_at = excluded.expires_at",
	.nargs = 3, .argtypes = {REGCLASSOID, INT8OID, TIMESTAMPTZOID}
};

static Statement drop_end = {
	.sql = "DELETE FROM storecredit.spree_expiry WHERE store_credits OPERATOR(pg_catalog.=) $1"
	" AND store_credit_id OPERATOR(pg_catalog.=) $2",
	.nargs = 2, .argtypes = {REGCLASSOID, INT8OID}
};

/* Without $5 a rule that is there keeps its issued_from, and a new one has $6. */
static Statement put_rule = {
	.sql = "INSERT INTO storecredit.spree_expiry_rule AS r (store_credits, kind, name, days, issued_from)"
	" VALUES ($1, $2, $3, $4, COALESCE($5, $6))"
	" ON CONFLICT ON CONSTRAINT spree_expiry_rule_key"
	" DO UPDATE SET days = excluded.days, issued_from = COALESCE($5, r.issued_from)",
	.nargs = 6, .argtypes = {REGCLASSOID, TEXTOID, TEXTOID, INT4OID, TIMESTAMPTZOID, TIMESTAMPTZOID}
};

static Statement drop_rule = {
	.sql = "DELETE FROM storecredit.spree_expiry_rule WHERE store_credits OPERATOR(pg_catalog.=) $1"
	" AND kind OPERATOR(pg_catalog.=) $2"
	" AND (name OPERATOR(pg_catalog.=) $3 OR name IS NULL AND $3 IS NULL)",
	.nargs = 3, .argtypes = {REGCLASSOID, TEXTOID, TEXTOID}
};

static void
require_right_to_update(Oid store_credits)
{
	AclResult	result = pg_class_aclcheck(store_credits, GetUserId(), ACL_UPDATE);

	if (result != ACLCHECK_OK)
		aclcheck_error(result, get_relkind_objtype(get_rel_relkind(store_credits)), get_rel_name(store_credits));
}

/* All arguments of the call go to the statement; the first is the table of store credits. */
static uint64
write_arguments(FunctionCallInfo fcinfo, Statement *statement, int expected)
{
	Datum		values[MAX_STATEMENT_ARGS];
	bool		isnull[MAX_STATEMENT_ARGS];

	Assert(PG_NARGS() == statement->nargs);
	require_right_to_update(PG_GETARG_OID(0));
	for (int i = 0; i < statement->nargs; i++)
	{
		values[i] = fcinfo->args[i].value;
		isnull[i] = fcinfo->args[i].isnull;
	}
	return run_statement(statement, values, isnull, expected, NULL, NULL);
}

Datum
storecredit_spree_put_end(PG_FUNCTION_ARGS)
{
	require_one_row("spree_expiry", write_arguments(fcinfo, &put_end, SPI_OK_INSERT));
	PG_RETURN_VOID();
}

Datum
storecredit_spree_drop_end(PG_FUNCTION_ARGS)
{
	(void) write_arguments(fcinfo, &drop_end, SPI_OK_DELETE);
	PG_RETURN_VOID();
}

Datum
storecredit_spree_put_rule(PG_FUNCTION_ARGS)
{
	require_one_row("spree_expiry_rule", write_arguments(fcinfo, &put_rule, SPI_OK_INSERT));
	PG_RETURN_VOID();
}

Datum
storecredit_spree_drop_rule(PG_FUNCTION_ARGS)
{
	(void) write_arguments(fcinfo, &drop_rule, SPI_OK_DELETE);
	PG_RETURN_VOID();
}
