/*
 * ledger_tables.h
 *		Where the ledger's tables are, and whose they are.
 */
#ifndef STORECREDIT_LEDGER_TABLES_H
#define STORECREDIT_LEDGER_TABLES_H

#include "postgres.h"

typedef struct LedgerTables
{
	Oid			owner;			/* of storecredit.account: whose rights the functions use */
	Oid			account;
	Oid			transaction;
	Oid			open_credit;
	Oid			hold;
	Oid			currency_limit;
	Oid			notification;

	Oid			money_type;		/* money_ccy */
	Oid			entry_type;		/* store_credit_transaction */
	Oid			hold_type;		/* store_credit_hold */
} LedgerTables;

/* The tables, or an error that names create_ledger(); valid until the next relcache invalidation. */
extern const LedgerTables *get_ledger_tables(void);

/* Counts up whenever what was learnt of the tables may have changed. */
extern uint64 ledger_tables_generation(void);

/* The rights of the ledger's owner, between the two calls; an error restores the caller's, too. */
typedef struct UserContext
{
	Oid			userid;
	int			sec_context;
} UserContext;

extern void become_ledger_owner(UserContext *caller);
extern void become_caller(const UserContext *caller);

#endif							/* STORECREDIT_LEDGER_TABLES_H */
