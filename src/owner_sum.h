/*
 * owner_sum.h
 *		What one owner has in a currency, added up over a table of an application.
 */
#ifndef STORECREDIT_OWNER_SUM_H
#define STORECREDIT_OWNER_SUM_H

#include "postgres.h"

#include "utils/numeric.h"

#include "row_trigger.h"

typedef struct AmountColumn
{
	int			attnum;
	bool		subtracted;
} AmountColumn;

typedef struct LimitColumns
{
	int			owner;
	int			currency;		/* 0: the amounts are money_ccy and tell it */
	bool		amounts_are_money;
	int			amount_count;
	AmountColumn *amounts;
} LimitColumns;

/* What a row adds to the sum of its owner. */
typedef struct Share
{
	bool		counted;		/* it has an owner and a currency */
	Datum		owner;
	Datum		currency;		/* as the statement that sums up compares it */
	char	   *currency_code;
	Numeric		amount;
} Share;

extern bool same_owner_and_currency(const RowChange *change, const LimitColumns *columns,
									const Share *a, const Share *b);

/* The table that the trigger was made for; to be closed, its lock kept. */
extern Relation open_table_of_trigger(const RowChange *change);

/* Waits for others who raise the sum of the share's owner, and makes them wait, to the end of the transaction. */
extern void lock_owner(const RowChange *change, const LimitColumns *columns, Relation table, const Share *share);

/* Of the share's owner, in its currency; within SPI_connect(). */
extern Numeric sum_of_owner(const RowChange *change, const LimitColumns *columns, Relation table,
							const Share *share);

#endif							/* STORECREDIT_OWNER_SUM_H */
