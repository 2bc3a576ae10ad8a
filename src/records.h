/*
 * records.h
 *		The rows that both stores reach in one way, through SQL: those that are
 *		written or looked up more rarely than a debit's.
 *
 * What is looked up here is stable only while the account is locked.
 */
#ifndef STORECREDIT_RECORDS_H
#define STORECREDIT_RECORDS_H

#include "postgres.h"

#include "nodes/pg_list.h"

#include "ledger_types.h"

/* Opens an account with nothing in it, unless somebody just did. */
extern void open_account(const AccountRef *ref, TimestampTz now);

/* Sets an account's limits; NULL: the currency's limit, no credit line. */
extern void write_account_limits(const Account *account, const MoneyCcy *max_balance, const MoneyCcy *credit_line);

/* Sets a currency's limits; NULL for none. */
extern void write_currency_limit(const char *currency, const MoneyCcy *max_balance,
								 const MoneyCcy *max_credit, const MoneyCcy *max_debit);

/* Puts a row in the outbox. */
extern void add_notification(const Account *account, const char *event, int64 seq, TimestampTz now);

/* An entry of the account's history; false if there is none.  *row may be NULL. */
extern bool find_entry(const Account *account, int64 seq, Entry *entry, Datum *row);

/* The entries whose related_seq it is, but for expirations, oldest first: a list of Entry. */
extern List *find_related_entries(const Account *account, int64 related_seq);

/* The entries by which credits paid back the credit line, or got that back, oldest first: a list of Entry. */
extern List *find_repaying_entries(const Account *account);
extern bool is_repaying(const Entry *entry);

extern void insert_hold(const Account *account, Hold *hold);
extern void update_hold(const Account *account, Hold *hold);
extern bool find_hold(const Account *account, int64 hold_id, Hold *hold);
extern bool find_hold_by_key(const Account *account, const text *idempotency_key, Hold *hold);

/* The open holds whose end has come, oldest first: a list of Hold. */
extern List *find_overdue_holds(const Account *account, TimestampTz now);

/* Whether an open hold whose end has not come has set aside money of a credit. */
extern bool credit_is_held(const Account *account, int64 seq, TimestampTz now);

#endif							/* STORECREDIT_RECORDS_H */
