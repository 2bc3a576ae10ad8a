/*
 * limits.h
 *		The limits of all accounts in a currency.
 */
#ifndef STORECREDIT_LIMITS_H
#define STORECREDIT_LIMITS_H

#include "postgres.h"

#include "currency.h"

#define NO_LIMIT	PG_INT64_MAX

/* In minor units. */
typedef struct CurrencyLimit
{
	char		currency[CURRENCY_CODE_LENGTH + 1];
	int64		max_balance;
	int64		max_credit;
	int64		max_debit;
} CurrencyLimit;

/* As last committed, or changed by this transaction; valid until the next call. */
extern const CurrencyLimit *get_currency_limit(const char *currency);

#endif							/* STORECREDIT_LIMITS_H */
