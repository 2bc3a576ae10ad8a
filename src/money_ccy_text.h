/*
 * money_ccy_text.h
 *		Reading money_ccy from what users write; shared by its input functions.
 *
 * The readers raise nothing: they say what is wrong, so that soft errors work
 * and each caller can name the value as its user wrote it.
 */
#ifndef STORECREDIT_MONEY_CCY_TEXT_H
#define STORECREDIT_MONEY_CCY_TEXT_H

#include "postgres.h"

#include "decimal.h"
#include "money_ccy.h"

typedef struct MoneyFault
{
	int   sqlstate; /* 22P02, or 22003 for an amount out of range */
	char *detail;   /* a full sentence */
} MoneyFault;

/* Fills in a 22P02; false, for a reader to return at once. */
static inline bool
money_fault(MoneyFault *fault, char *detail)
{
	fault->sqlstate = ERRCODE_INVALID_TEXT_REPRESENTATION;
	fault->detail = detail;
	return false;
}

/* Any case; NULL and a fault if it is no currency of payment. */
extern const Currency *read_currency(const char *text, size_t length, MoneyFault *fault);

/* Exact or a fault. */
extern bool read_amount(const Decimal *amount, const Currency *currency, MoneyCcy *money, MoneyFault *fault);

/* Raises the fault, or saves it in escontext and returns 0; literal is what the user wrote. */
extern Datum refuse_money_ccy(const char *literal, const MoneyFault *fault, Node *escontext);

#endif /* STORECREDIT_MONEY_CCY_TEXT_H */
