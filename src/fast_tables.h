/*
 * fast_tables.h
 *		Whether the ledger's tables are such that the fast store may serve, and
 *		what it must know of their indexes.
 */
#ifndef STORECREDIT_FAST_TABLES_H
#define STORECREDIT_FAST_TABLES_H

#include "postgres.h"

#include "access/attnum.h"
#include "nodes/execnodes.h"

/* More indexes than this on a table, and the plain store serves. */
#define MAX_FAST_INDEXES	8

/* What a row must be like for a partial index to have it: all that is set must hold. */
typedef struct FastPredicate
{
	AttrNumber	not_null;		/* this column is */
	AttrNumber	before_infinity;	/* this timestamptz is */
	AttrNumber	differs;		/* this text does, from that */
	const text *from;
} FastPredicate;

typedef struct FastIndex
{
	Oid			oid;
	bool		unique;
	FastPredicate predicate;
	IndexInfo  *info;
} FastIndex;

typedef struct FastTable
{
	Oid			oid;
	int			index_count;
	FastIndex	indexes[MAX_FAST_INDEXES];
} FastTable;

typedef struct FastTables
{
	FastTable	account;
	FastTable	open_credit;
	FastTable	transaction;

	/* positions in the tables' indexes */
	int			account_by_id;
	int			account_by_owner;
	int			credits_in_order;
	int			credits_by_expiry;
	int			entry_by_key;
} FastTables;

/*
 * NULL if the plain store must serve.  To be asked while the tables are locked
 * against changes of their definition; good until they are unlocked.
 */
extern const FastTables *get_fast_tables(void);

#endif							/* STORECREDIT_FAST_TABLES_H */
