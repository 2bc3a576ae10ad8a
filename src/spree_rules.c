/*
 * spree_rules.c
 *		The rules that are put under a Spree or Solidus shop's tables: their names,
 *		and what becomes of a change that breaks one.
 *
 * The shop's code stays as it is, and so do its tables: the rules are triggers,
 * made by spree_attach().  The triggers' arguments are the profile, the mode and
 * the rules, and are the only record of them.
 *
 * Every rule refuses only what makes a row worse than it was.  A shop has bad
 * rows from earlier days, and must be able to go on with them, repair them and
 * delete them.  And no rule may refuse what the shop's own checkout does, which
 * would not take an error there well (doc/spree.md).
 *
 * The triggers fire after the change, and judge the row as it is stored.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/lsyscache.h"

#include "errors.h"
#include "spree_rules.h"
#include "statement.h"

PG_FUNCTION_INFO_V1(spree_guard_truncate);

typedef struct SpreeRuleInfo
{
	const char *name;
	const char *constraint;
	const char *hint;
} SpreeRuleInfo;

static const SpreeRuleInfo spree_rules[] = {
	[RULE_AMOUNTS] = {
		"amounts", "spree_amounts",
		"The amount must be above zero, and cover what is used and authorized."
	},
	[RULE_CURRENCY] = {
		"currency", "spree_currency",
		"A currency is three upper-case letters, and stays; for another one, issue another credit."
	},
	[RULE_OWNER] = {
		"owner", "spree_owner",
		"The owner of a credit can only be set to null; for another owner, issue another credit."
	},
	[RULE_DELETE] = {
		"delete", "spree_delete",
		"Void what is authorized first; a credit that was used stays, as the history of its orders."
	},
	[RULE_LIMIT] = {
		"limit", "spree_limit",
		"Limits are set with storecredit.store_credit_set_limit()."
	},
	[RULE_PAYMENT] = {
		"payment", "spree_payment",
		"A payment by store credit is in the currency of the credit and of the order, and not negative."
	},
	[RULE_INVALIDATED] = {
		"invalidated", "spree_invalidated",
		"Void or capture what is authorized first."
	},
	[RULE_AUTHORIZED] = {
		"authorized", "spree_authorized",
		"More was released than is authorized: look for an authorization that was voided or captured twice."
	},
	[RULE_CLOSED_CODE] = {
		"closed_code", "spree_closed_code",
		"An authorization is captured or voided once, and no more is refunded of it than was captured."
	},
	[RULE_RECONCILE] = {
		"reconcile", "spree_reconcile",
		"Load the credit anew with a row lock, and repeat what was done to it."
	},
	[RULE_TRUNCATE] = {
		"truncate", "spree_truncate",
		"Take the rule away with storecredit.spree_attach() or storecredit.spree_detach()."
	},
};

/* ---- what spree_attach() has said ---- */

static void
refuse_guard_arguments(const Trigger *trigger)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("trigger \"%s\" has wrong arguments for a rule of Spree's tables", trigger->tgname),
			 errhint("Make it with storecredit.spree_attach().")));
}

static int
find_rule(const char *name, size_t length)
{
	for (int rule = 0; rule < (int) lengthof(spree_rules); rule++)
	{
		if (strlen(spree_rules[rule].name) == length && memcmp(spree_rules[rule].name, name, length) == 0)
			return rule;
	}
	return -1;
}

/* Names, with a comma between two. */
static int
read_rules(const Trigger *trigger, const char *names)
{
	int			rules = 0;

	for (;;)
	{
		size_t		length = strcspn(names, ",");
		int			rule = find_rule(names, length);

		if (rule < 0)
			refuse_guard_arguments(trigger);
		rules |= 1 << rule;
		if (names[length] == '\0')
			return rules;
		names += length + 1;
	}
}

static void
read_guard_arguments(SpreeGuard *guard, const Trigger *trigger)
{
	char	  **args = trigger->tgargs;

	if (trigger->tgnargs != 3 ||
		(strcmp(args[0], "spree") != 0 && strcmp(args[0], "solidus") != 0) ||
		(strcmp(args[1], "enforce") != 0 && strcmp(args[1], "warn") != 0))
		refuse_guard_arguments(trigger);
	guard->is_solidus = strcmp(args[0], "solidus") == 0;
	guard->enforced = strcmp(args[1], "enforce") == 0;
	guard->rules = read_rules(trigger, args[2]);
}

SpreeGuard
begin_spree_guard(FunctionCallInfo fcinfo, int events)
{
	SpreeGuard	guard = {.row = get_row_change(fcinfo, events)};

	read_guard_arguments(&guard, guard.row.trigger);
	return guard;
}

/* ---- columns of the changed row ---- */

static Datum
optional_column(const RowChange *change, HeapTuple row, const char *name, int *attnum, bool *isnull)
{
	*isnull = true;
	*attnum = SPI_fnumber(RelationGetDescr(change->rel), name);
	return *attnum > 0 ? column_value(change, row, *attnum, isnull) : (Datum) 0;
}

bool
has_value(const RowChange *change, HeapTuple row, const char *name)
{
	int			attnum;
	bool		isnull;

	(void) optional_column(change, row, name, &attnum, &isnull);
	return !isnull;
}

char *
text_of_column(const RowChange *change, HeapTuple row, const char *name)
{
	int			attnum;
	bool		isnull;
	Datum		value = optional_column(change, row, name, &attnum, &isnull);
	Oid			output;
	bool		is_varlena;

	if (isnull)
		return NULL;
	getTypeOutputInfo(column_attribute(change, attnum)->atttypid, &output, &is_varlena);
	return OidOutputFunctionCall(output, value);
}

Numeric
amount_of_column(const RowChange *change, HeapTuple row, const char *name)
{
	int			attnum;
	bool		isnull;
	Datum		value = optional_column(change, row, name, &attnum, &isnull);

	if (attnum <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of relation \"%s\" does not exist", name, RelationGetRelationName(change->rel)),
				 errdetail("The store credit rules of trigger \"%s\" need it.", change->trigger->tgname),
				 errhint("Take them away with storecredit.spree_detach().")));
	if (column_base_type(change, attnum) != NUMERICOID)
		refuse_column_type(change, attnum, "a numeric");
	return isnull ? int64_to_numeric(0) : DatumGetNumeric(value);
}

const char *
id_of_row(const RowChange *change)
{
	const char *id = text_of_column(change, change->new_row ? change->new_row : change->old_row, "id");

	return id ? id : "(none)";
}

/* ---- a broken rule ---- */

/*
 * As the ledger's owner, since a shop's role has no right on the ledger.  Rows
 * are only added: a counter would make checkouts wait for one another.
 */
static void
record_violation(Relation rel, SpreeRule rule, const char *row_id, const char *detail)
{
	static Statement statement = {
		.sql = "INSERT INTO storecredit.spree_violation (occurred_at, table_name, row_id, rule, detail, recorded_by) "
		"VALUES (storecredit.store_credit_clock(), $1, $2, $3, $4, session_user)",
		.nargs = 4,
		.argtypes = {TEXTOID, TEXTOID, TEXTOID, TEXTOID}
	};
	Datum		values[] = {
		CStringGetTextDatum(qualified_table_name(rel)),
		row_id ? CStringGetTextDatum(row_id) : (Datum) 0,
		CStringGetTextDatum(spree_rules[rule].name),
		CStringGetTextDatum(detail)
	};
	bool		isnull[] = {false, row_id == NULL, false, false};

	(void) run_statement(&statement, values, isnull, SPI_OK_INSERT, NULL, NULL);
}

/*
 * A warning goes to the server's log and not to the client, who may be set up to
 * take any warning for an error.
 */
static void
break_rule_of_table(Relation rel, bool enforced, SpreeRule rule, const char *row_id, const char *detail)
{
	ereport(enforced ? ERROR : LOG,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("change to table \"%s\" violates store credit rule \"%s\"",
					RelationGetRelationName(rel), spree_rules[rule].name),
			 errdetail("%s", detail),
			 errhint("%s", spree_rules[rule].hint),
			 errtableconstraint(rel, spree_rules[rule].constraint)));
	record_violation(rel, rule, row_id, detail);
}

void
break_rule(const SpreeGuard *guard, SpreeRule rule, const char *detail_format,...)
{
	va_list		args;
	char	   *detail;

	va_start(args, detail_format);
	detail = format_detail(detail_format, args);
	va_end(args);
	break_rule_of_table(guard->row.rel, guard->enforced, rule, id_of_row(&guard->row), detail);
}

/* ---- whole tables ---- */

Datum
spree_guard_truncate(PG_FUNCTION_ARGS)
{
	TriggerData *data = (TriggerData *) fcinfo->context;
	SpreeGuard	guard = {0};

	if (!CALLED_AS_TRIGGER(fcinfo) ||
		!TRIGGER_FIRED_BEFORE(data->tg_event) ||
		!TRIGGER_FIRED_BY_TRUNCATE(data->tg_event))
		refuse_trigger_use(fcinfo, "BEFORE TRUNCATE");

	read_guard_arguments(&guard, data->tg_trigger);
	if (has_rule(&guard, RULE_TRUNCATE))
		break_rule_of_table(data->tg_relation, guard.enforced, RULE_TRUNCATE, NULL,
							psprintf("All rows of table %s would be gone.", qualified_table_name(data->tg_relation)));
	return PointerGetDatum(NULL);
}
