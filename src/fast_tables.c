/*
 * fast_tables.c
 *		Whether the ledger's tables are such that the fast store may serve.
 *
 * The fast store writes rows without the executor, so it may do so only where
 * the executor would do nothing else: no triggers but the ledger's own guards
 * (whose rules it keeps by itself), no constraints but those of
 * create_ledger(), no policies or rules, plain heap tables, plain btree indexes
 * on columns.  Whatever is not known here makes the plain store serve.
 *
 * The answer is remembered until the relation cache says that one of the tables
 * changed.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/dependency.h"
#include "catalog/index.h"
#include "catalog/namespace.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "commands/trigger.h"
#include "nodes/primnodes.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "fast_tables.h"
#include "ledger_tables.h"

/* What the fast store relies on, in the order of the columns. */
typedef struct KnownColumn
{
	const char *name;
	Oid			type;			/* InvalidOid stands for money_ccy */
	bool		not_null;
} KnownColumn;

typedef struct KnownTable
{
	const KnownColumn *columns;
	int			column_count;
	bool		more_columns;	/* users' columns do not matter: rows are not made here */
	bool		foreign_keys;	/* nor do theirs: no key is changed, no row deleted here */
	const char *const *checks;
	int			check_count;
} KnownTable;

static const KnownColumn account_columns[] = {
	{"account_id", INT8OID, true},
	{"opened_at", TIMESTAMPTZOID, true},
	{"last_seq", INT8OID, true},
	{"balance", InvalidOid, true},
	{"held", InvalidOid, true},
	{"credit_line", InvalidOid, true},
	{"last_hold_id", INT8OID, true},
	{"currency", TEXTOID, true},
	{"owner", TEXTOID, true},
	{"max_balance", InvalidOid, false},
	{"last_hash", BYTEAOID, false},
};

static const char *const account_checks[] = {
	"account_amounts_check",
	"account_credit_line_check",
	"account_currency_check",
	"account_last_hash_check",
	"account_owner_check",
};

static const KnownTable known_account = {
	account_columns, lengthof(account_columns), true, true,
	account_checks, lengthof(account_checks)
};

static const KnownColumn credit_columns[] = {
	{"account_id", INT8OID, true},
	{"expires_at", TIMESTAMPTZOID, true},
	{"seq", INT8OID, true},
	{"remaining", InvalidOid, true},
};

static const char *const credit_checks[] = {
	"open_credit_remaining_check",
};

static const KnownTable known_credit = {
	credit_columns, lengthof(credit_columns), false, false,
	credit_checks, lengthof(credit_checks)
};

static const KnownColumn entry_columns[] = {
	{"account_id", INT8OID, true},
	{"seq", INT8OID, true},
	{"amount", InvalidOid, true},
	{"balance_after", InvalidOid, true},
	{"created_at", TIMESTAMPTZOID, true},
	{"expires_at", TIMESTAMPTZOID, false},
	{"kind", TEXTOID, true},
	{"category", TEXTOID, false},
	{"memo", TEXTOID, false},
	{"reference", TEXTOID, false},
	{"issuer", TEXTOID, true},
	{"recorded_by", TEXTOID, true},
	{"idempotency_key", TEXTOID, false},
	{"related_seq", INT8OID, false},
	{"hold_id", INT8OID, false},
	{"metadata", JSONBOID, false},
	{"draws", INT8ARRAYOID, false},
	{"request_hash", INT8OID, false},
	{"hash", BYTEAOID, false},
	{"salt", BYTEAOID, false},
	{"memo_digest", BYTEAOID, false},
	{"metadata_digest", BYTEAOID, false},
};

static const char *const entry_checks[] = {
	"transaction_amount_check",
	"transaction_currency_check",
	"transaction_draws_check",
	"transaction_hash_check",
	"transaction_idempotency_check",
	"transaction_seq_check",
};

static const KnownTable known_entry = {
	entry_columns, lengthof(entry_columns), false, false,
	entry_checks, lengthof(entry_checks)
};

static MemoryContext fast_context = NULL;
static FastTables fast_tables;
static bool fast_tables_serve;
static uint64 fast_generation = 0;	/* of the tables when they were looked at */

/* ---- the table ---- */

static bool
is_plain_heap(Relation rel)
{
	Form_pg_class form = rel->rd_rel;

	return form->relkind == RELKIND_RELATION &&
		form->relam == HEAP_TABLE_AM_OID &&
		form->relpersistence == RELPERSISTENCE_PERMANENT &&
		form->relreplident == REPLICA_IDENTITY_DEFAULT &&
		!form->relispartition &&
		!form->relhassubclass &&
		!form->relhasrules &&
		!(form->relrowsecurity && form->relforcerowsecurity);
}

static bool
has_known_columns(Relation rel, const KnownTable *known)
{
	TupleDesc	desc = RelationGetDescr(rel);

	if (known->more_columns ? desc->natts < known->column_count : desc->natts != known->column_count)
		return false;
	/* One of the user's columns may be made from ours. */
	if (desc->constr != NULL && desc->constr->has_generated_stored)
		return false;
	for (int i = 0; i < known->column_count; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		const KnownColumn *column = &known->columns[i];
		Oid			type = OidIsValid(column->type) ? column->type : get_ledger_tables()->money_type;

		if (att->attisdropped ||
			att->atttypid != type ||
			att->atttypmod != -1 ||
			att->attnotnull != column->not_null ||
			strcmp(NameStr(att->attname), column->name) != 0)
			return false;
	}
	return true;
}

static bool
has_known_checks(Relation rel, const KnownTable *known)
{
	TupleConstr *constr = RelationGetDescr(rel)->constr;

	if (constr == NULL || constr->num_check != known->check_count)
		return false;
	/* The relation cache keeps them sorted by name. */
	for (int i = 0; i < known->check_count; i++)
	{
		if (strcmp(constr->check[i].ccname, known->checks[i]) != 0)
			return false;
	}
	return true;
}

/* One of the functions of sql/60_guards.sql that guard the ledger's own tables. */
static bool
is_ledger_guard(Oid function)
{
	char	   *name = get_func_name(function);

	return name != NULL &&
		strncmp(name, "guard_", strlen("guard_")) == 0 &&
		getExtensionOfObject(ProcedureRelationId, function) == get_extension_oid("storecredit", true);
}

/*
 * To look a function up may build the relation's cache entry anew, and its
 * triggers are then elsewhere.
 */
static bool
has_known_triggers(Relation rel, const KnownTable *known)
{
	for (int i = 0; rel->trigdesc != NULL && i < rel->trigdesc->numtriggers; i++)
	{
		Oid			function = rel->trigdesc->triggers[i].tgfoid;

		if (RI_FKey_trigger_type(function) == RI_TRIGGER_NONE ? !is_ledger_guard(function) : !known->foreign_keys)
			return false;
	}
	return true;
}

/* ---- its indexes ---- */

/* column IS NOT NULL */
static bool
read_null_test(const NullTest *test, FastPredicate *predicate)
{
	if (test->nulltesttype != IS_NOT_NULL || !IsA(test->arg, Var) || predicate->not_null != 0)
		return false;
	predicate->not_null = ((const Var *) test->arg)->varattno;
	return true;
}

/* column < 'infinity', or column <> 'word' */
static bool
read_comparison(const OpExpr *test, FastPredicate *predicate)
{
	const Node *column = linitial(test->args);
	const Const *constant = lsecond(test->args);
	Oid			function = get_opcode(test->opno);

	if (!IsA(column, Var) || !IsA(constant, Const) || constant->constisnull)
		return false;
	if (function == F_TIMESTAMPTZ_LT && predicate->before_infinity == 0 &&
		DatumGetTimestampTz(constant->constvalue) == DT_NOEND)
	{
		predicate->before_infinity = ((const Var *) column)->varattno;
		return true;
	}
	if (function == F_TEXTNE && predicate->differs == 0)
	{
		predicate->differs = ((const Var *) column)->varattno;
		predicate->from = DatumGetTextPCopy(constant->constvalue);
		return true;
	}
	return false;
}

/* False if the predicate says more than the fast store understands. */
static bool
read_predicate(List *clauses, FastPredicate *predicate)
{
	ListCell   *cell;

	memset(predicate, 0, sizeof(FastPredicate));
	foreach(cell, clauses)
	{
		const Node *node = lfirst(cell);

		if (!(IsA(node, NullTest) && read_null_test((const NullTest *) node, predicate)) &&
			!(IsA(node, OpExpr) && read_comparison((const OpExpr *) node, predicate)))
			return false;
	}
	return true;
}

static bool
read_index(Relation index_rel, FastIndex *index)
{
	Form_pg_index form = index_rel->rd_index;

	if (index_rel->rd_rel->relam != BTREE_AM_OID ||
		!form->indisvalid ||
		!form->indisready ||
		!form->indislive ||
		!form->indimmediate ||
		form->indisexclusion ||
		RelationGetIndexExpressions(index_rel) != NIL ||
		!read_predicate(RelationGetIndexPredicate(index_rel), &index->predicate))
		return false;
	index->oid = RelationGetRelid(index_rel);
	index->unique = form->indisunique;
	index->info = BuildIndexInfo(index_rel);
	return true;
}

static bool
read_indexes(Relation rel, FastTable *table)
{
	List	   *oids = RelationGetIndexList(rel);
	ListCell   *cell;

	table->index_count = 0;
	if (list_length(oids) > MAX_FAST_INDEXES)
		return false;
	foreach(cell, oids)
	{
		Relation	index_rel = index_open(lfirst_oid(cell), AccessShareLock);
		bool		known = read_index(index_rel, &table->indexes[table->index_count++]);

		index_close(index_rel, NoLock);
		if (!known)
			return false;
	}
	return true;
}

static bool
read_table(Oid relid, const KnownTable *known, FastTable *table)
{
	Relation	rel = table_open(relid, AccessShareLock);
	bool		serves;

	table->oid = relid;
	serves = is_plain_heap(rel) &&
		has_known_columns(rel, known) &&
		has_known_checks(rel, known) &&
		has_known_triggers(rel, known) &&
		read_indexes(rel, table);
	table_close(rel, NoLock);
	return serves;
}

/* The index on just these columns that has the rows that predicate says; or -1. */
static int
find_index(const FastTable *table, const FastPredicate *predicate, int column_count, const AttrNumber *columns)
{
	for (int i = 0; i < table->index_count; i++)
	{
		const FastIndex *index = &table->indexes[i];

		if (index->predicate.not_null == predicate->not_null &&
			index->predicate.before_infinity == predicate->before_infinity &&
			index->predicate.differs == predicate->differs &&
			index->info->ii_NumIndexKeyAttrs == column_count &&
			memcmp(index->info->ii_IndexAttrNumbers, columns, column_count * sizeof(AttrNumber)) == 0)
			return i;
	}
	return -1;
}

static bool
find_access_paths(FastTables *tables)
{
	static const AttrNumber id[] = {1};
	static const AttrNumber owner_currency[] = {9, 8};
	static const AttrNumber account_expires_seq[] = {1, 2, 3};
	static const AttrNumber expires_account[] = {2, 1};
	static const AttrNumber account_key[] = {1, 13};
	static const FastPredicate all_rows = {0};
	static const FastPredicate that_expire = {.before_infinity = 2};
	static const FastPredicate with_key = {.not_null = 13};

	tables->account_by_id = find_index(&tables->account, &all_rows, 1, id);
	tables->account_by_owner = find_index(&tables->account, &all_rows, 2, owner_currency);
	tables->credits_in_order = find_index(&tables->open_credit, &all_rows, 3, account_expires_seq);
	tables->credits_by_expiry = find_index(&tables->open_credit, &that_expire, 2, expires_account);
	tables->entry_by_key = find_index(&tables->transaction, &with_key, 2, account_key);
	return tables->account_by_id >= 0 &&
		tables->account_by_owner >= 0 &&
		tables->credits_in_order >= 0 &&
		tables->credits_by_expiry >= 0 &&
		tables->entry_by_key >= 0;
}

static bool
read_tables(FastTables *tables)
{
	const LedgerTables *ledger = get_ledger_tables();
	MemoryContext caller;
	bool		serve;

	if (fast_context == NULL)
		fast_context = AllocSetContextCreate(CacheMemoryContext, "storecredit fast tables", ALLOCSET_SMALL_SIZES);
	MemoryContextReset(fast_context);
	caller = MemoryContextSwitchTo(fast_context);
	serve = read_table(ledger->account, &known_account, &tables->account) &&
		read_table(ledger->open_credit, &known_credit, &tables->open_credit) &&
		read_table(ledger->transaction, &known_entry, &tables->transaction) &&
		find_access_paths(tables);
	MemoryContextSwitchTo(caller);
	return serve;
}

const FastTables *
get_fast_tables(void)
{
	if (unlikely(fast_generation != ledger_tables_generation()))
	{
		uint64		generation = ledger_tables_generation();

		fast_tables_serve = read_tables(&fast_tables);
		fast_generation = generation;
	}
	return fast_tables_serve ? &fast_tables : NULL;
}
