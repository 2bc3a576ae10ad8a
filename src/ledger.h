/*
 * ledger.h
 *		What can be done with an account: the rules, whoever calls.
 */
#ifndef STORECREDIT_LEDGER_H
#define STORECREDIT_LEDGER_H

#include "postgres.h"

#include "errors.h"
#include "store.h"

typedef struct CreditRequest
{
	AccountRef	account;
	MoneyCcy	amount;
	TimestampTz expires_at;		/* NEVER if none was given */
	Annotation	annotation;
	bool		notify;
} CreditRequest;

typedef struct DebitRequest
{
	AccountRef	account;
	MoneyCcy	amount;
	bool		allow_partial;
	Annotation	annotation;
	bool		notify;
} DebitRequest;

typedef struct LedgerResult
{
	Datum		row;			/* the entry written, or replayed: a store_credit_transaction */
	int64		balance;		/* of the account now, in minor units */
} LedgerResult;

/* Each books the operation and fills result, or refuses and has written nothing. */
extern LedgerError *credit_account(const CreditRequest *request, LedgerResult *result);
extern LedgerError *debit_account(const DebitRequest *request, LedgerResult *result);

/* What can be spent now, in minor units; zero if there is no such account. */
extern int64 available_balance(const AccountRef *ref);

#endif							/* STORECREDIT_LEDGER_H */
