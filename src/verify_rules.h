/*
 * verify_rules.h
 *		The rules that one account's books must satisfy; doc/verify.md lists them.
 */
#ifndef STORECREDIT_VERIFY_RULES_H
#define STORECREDIT_VERIFY_RULES_H

#include "postgres.h"

#include "verify_books.h"

/*
 * In this order: the account, its holds, its history from the first entry on,
 * its open credits, the sums.  Each reports what it finds.
 */
extern void verify_account_row(const Books *books);
extern void verify_hold(Books *books, const LedgerCursor *cursor);
extern void verify_entry(Books *books, const LedgerCursor *cursor);
extern void verify_holds_after_history(const Books *books);
extern void verify_open_credit(Books *books, const LedgerCursor *cursor);
extern void verify_sums(Books *books);

/* What several of these are made of. */

extern void verify_row_currency(const Books *books, const char *row_name, int64 number,
								const char *column, const MoneyCcy *money);
extern void verify_draws_form(const Books *books, const char *row_name, int64 number, const DrawList *draws);

/* Takes from a credit, or gives back to it what is below zero; each time it must have been possible. */
extern void verify_credit_use(const Books *books, PastEntry *credit, int128 minor, const char *row_name, int64 number);

/*
 * Draws on credits, or with sign -1 gives back to them, and returns the sum.
 * They must be credits from before the row, if before_seq is its own.
 */
extern int128 verify_draws(const Books *books, const char *row_name, int64 number, int64 before_seq,
						   const DrawList *draws, int sign);

#endif							/* STORECREDIT_VERIFY_RULES_H */
