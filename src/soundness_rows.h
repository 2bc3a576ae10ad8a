/*
 * soundness_rows.h
 *		What a judgement on an account goes by: its figures, and those of the
 *		entry or credit that was written.
 *
 * A statement may have written many rows, and each is judged.  What is read for
 * one is kept for those after it, as long as this transaction writes nothing.
 */
#ifndef STORECREDIT_SOUNDNESS_ROWS_H
#define STORECREDIT_SOUNDNESS_ROWS_H

#include "postgres.h"

#include "money_ccy.h"
#include "row_trigger.h"

/* What is under judgement, by the newest rows. */
typedef struct Judgement
{
	Relation	rel;			/* the table whose change is judged */
	int64		account_id;
	uint64		as_of;			/* of which state of this transaction's writes; never 0 */
	const char *currency;		/* of the account, once it was found sound; empty if there is none */
	HeapTuple	figures;		/* of the account, once they were read */
	TupleDesc	figures_desc;
} Judgement;

/* The columns of the figures. */
enum
{
	ACCOUNT_LAST_SEQ = 1,
	ACCOUNT_BALANCE,
	ACCOUNT_HELD,
	ACCOUNT_LAST_HOLD_ID,
	NEWEST_SEQ,
	NEWEST_BALANCE,
	CREDITS_SUM,
	CREDITS_LEAST,
	CREDITS_GREATEST,
	HOLDS_SUM,
	HOLDS_LEAST,
	HOLDS_GREATEST,
	NEWEST_HOLD_ID,
	ACCOUNT_LAST_HASH,			/* in hexadecimal, as is the next */
	NEWEST_HASH,
	ACCOUNT_ID,
};

typedef struct CreditFigures
{
	int64		seq;
	int64		remaining;
	int64		adjusted;
	bool		is_credit;
	MoneyCcy	amount;
} CreditFigures;

extern void read_figures(Judgement *judgement);

/* Null is zero, or NULL. */
extern int64 int_figure(const Judgement *judgement, int column);
extern const MoneyCcy *money_figure(const Judgement *judgement, int column);

/* NULL if there is no such entry; or if nothing is left of the credit. */
extern const MoneyCcy *balance_after_entry(const Judgement *judgement, int64 seq);
extern const CreditFigures *figures_of_credit(const Judgement *judgement, int64 seq);

#endif
