/*
 * statement.h
 *		SQL statements whose plans are kept for the session.
 *
 * They run with the rights of the ledger's owner and must name everything in
 * full, operators too: nothing may depend on the caller's search_path.
 */
#ifndef STORECREDIT_STATEMENT_H
#define STORECREDIT_STATEMENT_H

#include "postgres.h"

#include "executor/spi.h"

#include "compat.h"

#define MAX_STATEMENT_ARGS	20

/* Stands for money_ccy, whose oid is not known when this is compiled. */
#define MONEY	InvalidOid

typedef struct Statement
{
	const char *sql;
	int			nargs;
	Oid			argtypes[MAX_STATEMENT_ARGS];
	SPIPlanPtr	plan;
	Oid			money_type;		/* that the plan was made for */
} Statement;

/*
 * Rows are reached by their keys, whatever the tables' statistics say: a plan made
 * while a table is small would read all of it for the rest of the session.
 */
extern SPIPlanPtr prepare_kept_plan(const char *sql, int nargs, Oid *argtypes);
extern void plan_by_index(SPIPlanPtr plan);

/* Within SPI_connect(): the plan, and a run of it.  The latter returns the number of rows. */
extern SPIPlanPtr plan_of_statement(Statement *statement);
extern uint64 execute_statement(Statement *statement, Datum *values, const bool *isnull,
								bool read_only, int expected);

/* What is made of each row, in the caller's memory context. */
typedef void (*RowReader) (HeapTuple row, TupleDesc desc, void *result);

/* Runs outside SPI, as the ledger's owner; reader may be NULL. */
extern uint64 run_statement(Statement *statement, Datum *values, const bool *isnull, int expected,
							RowReader reader, void *result);

/* The same of a query, with the snapshot of the calling command unless the newest rows are asked for. */
extern uint64 run_query(Statement *statement, Datum *values, bool newest, RowReader reader, void *result);

/* 27000: a trigger, rule or policy kept a row from being written, or from being found. */
pg_noreturn extern void row_not_written(const char *table);

/* That, unless the statement wrote just one row of the table. */
extern void require_one_row(const char *table, uint64 rows);

#endif							/* STORECREDIT_STATEMENT_H */
