/*
 * statement.c
 *		SQL statements whose plans are kept for the session.
 */
#include "postgres.h"

#include "utils/guc.h"
#include "utils/plancache.h"
#include "utils/resowner.h"

#include "ledger_tables.h"
#include "statement.h"
#include "storecredit.h"

SPIPlanPtr
prepare_kept_plan(const char *sql, int nargs, Oid *argtypes)
{
	SPIPlanPtr	plan = SPI_prepare_cursor(sql, nargs, argtypes, CURSOR_OPT_GENERIC_PLAN);

	if (plan == NULL || SPI_keepplan(plan) != 0)
		elog(ERROR, "could not prepare \"%s\": %s", sql, SPI_result_code_string(SPI_result));
	return plan;
}

static bool
is_planned(SPIPlanPtr plan)
{
	const CachedPlanSource *source = linitial(SPI_plan_get_plan_sources(plan));

	return source->is_valid && source->gplan != NULL && source->gplan->is_valid;
}

/*
 * Only the planning goes without sequential scans, not what the statement sets
 * off.  Where there is no index to go by, a scan then costs so much that it would
 * be compiled just in time, for a table of one row.
 */
void
plan_by_index(SPIPlanPtr plan)
{
	CachedPlan *cached;
	int			nest_level;

	if (likely(is_planned(plan)))
		return;
	nest_level = NewGUCNestLevel();
	(void) set_config_option("enable_seqscan", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	(void) set_config_option("jit", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	cached = SPI_plan_get_cached_plan(plan);
	if (cached != NULL)
		ReleaseCachedPlan(cached, CurrentResourceOwner);
	AtEOXact_GUC(true, nest_level);
}

SPIPlanPtr
plan_of_statement(Statement *statement)
{
	Oid			money_type = get_ledger_tables()->money_type;
	Oid			argtypes[MAX_STATEMENT_ARGS];

	/* The extension may have been made anew since. */
	if (statement->plan != NULL && statement->money_type != money_type)
	{
		SPI_freeplan(statement->plan);
		statement->plan = NULL;
	}
	if (statement->plan == NULL)
	{
		for (int i = 0; i < statement->nargs; i++)
			argtypes[i] = statement->argtypes[i] == MONEY ? money_type : statement->argtypes[i];
		statement->plan = prepare_kept_plan(statement->sql, statement->nargs, argtypes);
		statement->money_type = money_type;
	}
	plan_by_index(statement->plan);
	return statement->plan;
}

uint64
execute_statement(Statement *statement, Datum *values, const bool *isnull, bool read_only, int expected)
{
	MemoryContext caller_context = CurrentMemoryContext;
	char		nulls[MAX_STATEMENT_ARGS];
	int			result;

	if (isnull != NULL)
	{
		for (int i = 0; i < statement->nargs; i++)
			nulls[i] = isnull[i] ? 'n' : ' ';
	}
	result = SPI_execute_plan(plan_of_statement(statement), values, isnull != NULL ? nulls : NULL, read_only, 0);

	/* SPI leaves its own behind, and frees it when the store is closed: not the place for what the rules allocate. */
	MemoryContextSwitchTo(caller_context);
	if (result == SPI_OK_REWRITTEN)
		return 0;				/* a rule took it over */
	if (result != expected)
		elog(ERROR, "could not execute \"%s\": %s", statement->sql, SPI_result_code_string(result));
	return SPI_processed;
}

static uint64
run(Statement *statement, Datum *values, const bool *isnull, bool read_only, int expected,
	RowReader reader, void *result)
{
	MemoryContext caller_context = CurrentMemoryContext;
	UserContext caller;
	uint64		rows;

	SPI_connect();
	become_ledger_owner(&caller);
	rows = execute_statement(statement, values, isnull, read_only, expected);
	if (reader != NULL)
	{
		MemoryContext spi_context = MemoryContextSwitchTo(caller_context);

		for (uint64 i = 0; i < rows; i++)
			reader(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, result);
		MemoryContextSwitchTo(spi_context);
	}
	become_caller(&caller);
	SPI_finish();
	return rows;
}

uint64
run_statement(Statement *statement, Datum *values, const bool *isnull, int expected,
			  RowReader reader, void *result)
{
	return run(statement, values, isnull, false, expected, reader, result);
}

uint64
run_query(Statement *statement, Datum *values, bool newest, RowReader reader, void *result)
{
	return run(statement, values, NULL, !newest, SPI_OK_SELECT, reader, result);
}

/*
 * A row of the ledger that is there was not written: a rule or a trigger of the
 * ledger's user took the statement over.  Going on would leave the books wrong.
 */
void
row_not_written(const char *table)
{
	ereport(ERROR,
			(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
			 errmsg("a row of table \"%s.%s\" was not written", STORECREDIT_SCHEMA, table),
			 errhint("A trigger, a rule or a policy on the table must not suppress what the ledger writes.")));
}

void
require_one_row(const char *table, uint64 rows)
{
	if (rows != 1)
		row_not_written(table);
}
