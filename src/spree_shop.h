/*
 * spree_shop.h
 *		Reading the tables of a Spree or Solidus shop, whatever the types of their keys.
 */
#ifndef STORECREDIT_SPREE_SHOP_H
#define STORECREDIT_SPREE_SHOP_H

#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/numeric.h"
#include "utils/rel.h"
#include "utils/snapshot.h"

#include "statement.h"

#define MAX_SHOP_ARGS	4

/* A query that is written piece by piece: its arguments are text, and cast to the types of the columns. */
typedef struct ShopQuery
{
	StringInfoData sql;
	int			nargs;
	Datum		args[MAX_SHOP_ARGS];
} ShopQuery;

/*
 * Another table of a table's shop: in its schema, with its prefix.  InvalidOid
 * if there is none, or if the table's own name does not end as it should.
 */
extern Oid	find_shop_table(Relation table, const char *own_name, const char *name);

/* The first of two columns that a table has, or 0; the second may be NULL. */
extern int	find_shop_column(Relation table, const char *name, const char *other_name);

/* The next argument, as in "$1". */
extern const char *add_argument(ShopQuery *query, const char *value);

/* "alias.column = argument", by the column's own equality. */
extern void append_equals(ShopQuery *query, Relation table, const char *alias, int attnum, const char *argument);

/*
 * Runs it with a role's rights and past row-level security, by a snapshot.  Each
 * row is handed to the reader in the caller's memory context.
 */
extern void run_shop_query(ShopQuery *query, Oid role, Snapshot snapshot, RowReader reader, void *result);

/* What is committed by now, and all that this transaction has done. */
extern Snapshot take_newest_snapshot(void);

/* By such a snapshot. */
extern void run_newest_shop_query(ShopQuery *query, Oid role, RowReader reader, void *result);

/* For readers: a column's value in the caller's memory context, zero of a null. */
extern Numeric numeric_of_result(HeapTuple row, TupleDesc desc, int column);

#endif							/* STORECREDIT_SPREE_SHOP_H */
