/*
 * customer.c
 *		What callers of level "customer" may see through the functions in C.
 *
 * Those functions read with the rights of the ledger's owner, whom row-level
 * security does not bind.  So they ask here first: a caller whom the policy
 * "customer" of storecredit.account holds to the rows of
 * storecredit.current_owner is held to them by the functions as well.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "rewrite/rowsecurity.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/rls.h"

#include "customer.h"
#include "ledger_tables.h"
#include "statement.h"
#include "storecredit.h"

PG_FUNCTION_INFO_V1(storecredit_current_owner);

#define CUSTOMER_POLICY	"customer"

Datum
storecredit_current_owner(PG_FUNCTION_ARGS)
{
	const char *owner = current_owner();

	if (owner == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(owner));
}

static bool
is_for_caller(const RowSecurityPolicy *policy)
{
	const Oid  *roles = (const Oid *) ((const char *) policy->roles + ARR_OVERHEAD_NONULLS(1));

	for (int i = 0; i < ARR_DIMS(policy->roles)[0]; i++)
	{
		if (roles[i] == ACL_ID_PUBLIC || has_privs_of_role(GetUserId(), roles[i]))
			return true;
	}
	return false;
}

static bool
caller_is_customer(Oid account_table)
{
	Relation	rel;
	ListCell   *cell;
	bool		found = false;

	if (check_enable_rls(account_table, InvalidOid, true) != RLS_ENABLED)
		return false;
	rel = table_open(account_table, AccessShareLock);
	foreach(cell, rel->rd_rsdesc->policies)
	{
		const RowSecurityPolicy *policy = lfirst(cell);

		if (strcmp(policy->policy_name, CUSTOMER_POLICY) == 0 && is_for_caller(policy))
			found = true;
	}
	table_close(rel, NoLock);
	return found;
}

static Statement find_own_account = {
	.sql = "SELECT FROM storecredit.account"
	" WHERE account_id OPERATOR(pg_catalog.=) $1 AND owner OPERATOR(pg_catalog.=) $2",
	.nargs = 2, .argtypes = {INT8OID, TEXTOID}
};

bool
may_see_account(const AccountRef *ref)
{
	const char *owner;
	Datum		values[2];

	if (!caller_is_customer(get_ledger_tables()->account))
		return true;
	owner = current_owner();
	if (owner == NULL)
		return false;
	if (ref->owner != NULL)
		return strcmp(text_to_cstring(ref->owner), owner) == 0;
	values[0] = Int64GetDatum(ref->account_id);
	values[1] = CStringGetTextDatum(owner);
	return run_query(&find_own_account, values, false, NULL, NULL) > 0;
}
