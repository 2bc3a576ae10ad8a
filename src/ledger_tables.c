/*
 * ledger_tables.c
 *		Where the ledger's tables are, and whose they are.
 *
 * A call must not pay for looking these up, so each session remembers them
 * until the relation cache says that one of the tables changed.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "ledger_tables.h"
#include "storecredit.h"

static LedgerTables tables;
static bool tables_known = false;
static uint64 generation = 1;

static void
forget_tables(Datum arg, Oid relid)
{
	if (!tables_known ||
		relid == InvalidOid ||
		relid == tables.account ||
		relid == tables.transaction ||
		relid == tables.open_credit ||
		relid == tables.hold ||
		relid == tables.currency_limit ||
		relid == tables.notification)
	{
		tables_known = false;
		generation++;
	}
}

static void
listen_for_changes(void)
{
	static bool listening = false;

	if (!listening)
	{
		CacheRegisterRelcacheCallback(forget_tables, (Datum) 0);
		listening = true;
	}
}

static Oid
find_table(Oid schema, const char *name)
{
	Oid			relid = get_relname_relid(name, schema);

	if (!OidIsValid(relid) ||
		(get_rel_relkind(relid) != RELKIND_RELATION && get_rel_relkind(relid) != RELKIND_PARTITIONED_TABLE))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("the store credit ledger does not exist in this database"),
				 errdetail("There is no table \"%s.%s\".", STORECREDIT_SCHEMA, name),
				 errhint("Make it with SELECT storecredit.create_ledger().")));
	return relid;
}

static Oid
find_type(Oid schema, const char *name)
{
	Oid			typid = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid,
										CStringGetDatum(name), ObjectIdGetDatum(schema));

	if (!OidIsValid(typid))
		elog(ERROR, "type %s.%s does not exist", STORECREDIT_SCHEMA, name);
	return typid;
}

static Oid
table_owner(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relid);
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

/*
 * What the statements of the ledger read and write, and its stores and audit
 * take for granted.  The tables are their owner's to change; a column of another
 * type would be read for what it is not.
 */
static void
check_column(Oid relid, const char *name, Oid type)
{
	AttrNumber	attnum = get_attnum(relid, name);

	if (attnum == InvalidAttrNumber || get_atttype(relid, attnum) != type)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("table \"%s.%s\" is not as create_ledger() made it",
						STORECREDIT_SCHEMA, get_rel_name(relid)),
				 errdetail("It has no column \"%s\" of type %s.", name, format_type_be(type))));
}

static void
check_columns(Oid relid, Oid type, const char *const *names)
{
	for (; *names != NULL; names++)
		check_column(relid, *names, type);
}

/* A table OF a composite type has its columns. */
static void
check_typed_table(Oid relid, Oid type)
{
	TupleDesc	desc = lookup_rowtype_tupdesc(type, -1);

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (!att->attisdropped)
			check_column(relid, NameStr(att->attname), att->atttypid);
	}
	ReleaseTupleDesc(desc);
}

static void
check_tables(void)
{
	static const char *const account_bigints[] = {"account_id", "last_seq", "last_hold_id", NULL};
	static const char *const account_money[] = {"balance", "held", "credit_line", "max_balance", NULL};
	static const char *const account_texts[] = {"currency", "owner", NULL};
	static const char *const credit_bigints[] = {"account_id", "seq", NULL};
	static const char *const limit_money[] = {"max_balance", "max_credit", "max_debit", NULL};

	check_columns(tables.account, INT8OID, account_bigints);
	check_columns(tables.account, tables.money_type, account_money);
	check_columns(tables.account, TEXTOID, account_texts);
	check_column(tables.account, "opened_at", TIMESTAMPTZOID);
	check_column(tables.account, "last_hash", BYTEAOID);
	check_columns(tables.open_credit, INT8OID, credit_bigints);
	check_column(tables.open_credit, "expires_at", TIMESTAMPTZOID);
	check_column(tables.open_credit, "remaining", tables.money_type);
	check_column(tables.currency_limit, "currency", TEXTOID);
	check_columns(tables.currency_limit, tables.money_type, limit_money);
	check_typed_table(tables.transaction, tables.entry_type);
	check_typed_table(tables.hold, tables.hold_type);
}

static void
find_tables(void)
{
	Oid			schema = get_namespace_oid(STORECREDIT_SCHEMA, false);

	listen_for_changes();
	tables.account = find_table(schema, "account");
	tables.transaction = find_table(schema, "transaction");
	tables.open_credit = find_table(schema, "open_credit");
	tables.hold = find_table(schema, "hold");
	tables.currency_limit = find_table(schema, "currency_limit");
	tables.notification = find_table(schema, "notification");
	tables.owner = table_owner(tables.account);
	tables.money_type = find_type(schema, "money_ccy");
	tables.entry_type = find_type(schema, "store_credit_transaction");
	tables.hold_type = find_type(schema, "store_credit_hold");
	check_tables();
	tables_known = true;
}

const LedgerTables *
get_ledger_tables(void)
{
	if (unlikely(!tables_known))
		find_tables();
	return &tables;
}

uint64
ledger_tables_generation(void)
{
	return generation;
}

/* ---- whose rights ---- */

void
become_ledger_owner(UserContext *caller)
{
	GetUserIdAndSecContext(&caller->userid, &caller->sec_context);
	SetUserIdAndSecContext(get_ledger_tables()->owner,
						   caller->sec_context | SECURITY_LOCAL_USERID_CHANGE);
}

void
become_caller(const UserContext *caller)
{
	SetUserIdAndSecContext(caller->userid, caller->sec_context);
}
