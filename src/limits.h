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

/*
 * The rules let some balances grow above a limit: what was spent may always come
 * back.  What they have decided is told to the guard of the account table.
 */
extern void vouch_for_balance(int64 account_id, int64 minor);
extern bool is_vouched_for(int64 account_id, int64 minor);

#endif							/* STORECREDIT_LIMITS_H */
