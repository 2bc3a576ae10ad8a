/*
 * row_trigger.h
 *		What the extension's row triggers share: the changed row, its columns, and
 *		reading tables with the rights of a table's owner.
 */
#ifndef STORECREDIT_ROW_TRIGGER_H
#define STORECREDIT_ROW_TRIGGER_H

#include "postgres.h"

#include "access/htup.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "utils/rel.h"

#include "compat.h"

typedef struct RowChange
{
	Relation	rel;
	Trigger    *trigger;
	HeapTuple	old_row;		/* NULL on INSERT */
	HeapTuple	new_row;		/* NULL on DELETE */
} RowChange;

#define ON_INSERT	0x01
#define ON_UPDATE	0x02
#define ON_DELETE	0x04
#define ON_CHANGE	(ON_INSERT | ON_UPDATE | ON_DELETE)

/*
 * The change that an AFTER ROW trigger was fired for.  BEFORE is refused: a
 * later BEFORE trigger could still change the row, and generated columns are
 * not there yet.
 */
extern RowChange get_row_change(FunctionCallInfo fcinfo, int events);

/* 39P01, "function ... must be used in a trigger that fires ..." */
pg_noreturn extern void refuse_trigger_use(FunctionCallInfo fcinfo, const char *when);

/* pg_type.oid of money_ccy. */
extern Oid	money_ccy_type(void);

/* ---- tables of the ledger ---- */

/* A column that is never null. */
extern Datum ledger_column(Relation rel, HeapTuple row, const char *name, Oid type);

/* ---- columns that CREATE TRIGGER names, of any table ---- */

/* Its number, or an error; never that of a column without a value in stored rows. */
extern int	find_named_column(const RowChange *change, const char *name);

extern Form_pg_attribute column_attribute(const RowChange *change, int attnum);

/* Of a domain, the type under it. */
extern Oid	column_base_type(const RowChange *change, int attnum);

extern Datum column_value(const RowChange *change, HeapTuple row, int attnum, bool *isnull);

/* 42804, "It must be <expected>." */
pg_noreturn extern void refuse_column_type(const RowChange *change, int attnum, const char *expected);

extern char *qualified_table_name(Relation rel);

/* ---- reading tables ---- */

/* A statement whose plan the session keeps. */
typedef struct KeptStatement
{
	const char *query;			/* everything in it qualified, operators too */
	int			nargs;
	Oid			argtypes[3];
	SPIPlanPtr	plan;			/* NULL until it is first run */
} KeptStatement;

/*
 * Runs a SELECT with a role's rights and past row-level security, over what is
 * committed by now and this transaction's own changes, whatever its isolation
 * level.  Within SPI_connect(); returns the number of rows in SPI_tuptable.
 */
extern uint64 select_as_role(Oid role, KeptStatement *statement, Datum *values);

#endif							/* STORECREDIT_ROW_TRIGGER_H */
