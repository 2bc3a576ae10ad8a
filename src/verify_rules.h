/*
 * verify_rules.h
 *		The rules that one account's books must satisfy; doc/verify.md lists them.
 */
#ifndef STORECREDIT_VERIFY_RULES_H
#define STORECREDIT_VERIFY_RULES_H

#include "postgres.h"

#include "verify_books.h"
#include "verify_draws.h"

/*
 * In this order: the account, its holds, its history from the first entry on,
 * its open credits, the sums.  Each reports what it finds.
 */
extern void verify_account_row(const Books *books);
extern void verify_hold(Books *books, const LedgerCursor *cursor);
extern void verify_entry(Books *books, const LedgerCursor *cursor);
extern void verify_holds_after_history(Books *books);
extern void verify_open_credit(Books *books, const LedgerCursor *cursor);
extern void verify_sums(Books *books);
extern void verify_last_hash(const Books *books, bool expected);	/* expected: by tamper evidence */

/* What several of these are made of. */

extern void verify_row_currency(const Books *books, const char *row_name, int64 number,
								const char *column, const MoneyCcy *money);
extern void verify_call_key(Books *books, const char *row_name, int64 number,
							const char *key_column, const char *hash_column, const CallKey *key);

/* That an array was a list of pairs; malformed is NULL then. */
extern void verify_draws_form(const Books *books, const char *row_name, int64 number, const char *malformed);

/* The credit from before the row, if before_seq is its own, that a draw is on; NULL and a violation if there is none. */
extern PastEntry *verify_drawn_credit(const Books *books, const char *row_name, int64 number, int64 before_seq,
									  const Draw *draw);

/* Takes from a credit, or gives back to it what is below zero; each time it must have been possible. */
extern void verify_credit_use(Books *books, PastEntry *credit, int128 minor, const char *row_name, int64 number);

/* Draws on credits, or with sign -1 gives back to them. */
extern void verify_draws(Books *books, const char *row_name, int64 number, int64 before_seq,
						 const Draws *draws, int sign);

/* The order of drawing (verify_order.c): a credit got money, or another expiry; a row has drawn on credits. */
extern void queue_credit(Books *books, const PastEntry *credit);
extern void verify_draw_order(Books *books, const TransactionRow *row);

/* The chain of hashes (verify_chain.c): whether an entry fits behind the one before it. */
extern void verify_chain_link(Books *books, const LedgerCursor *cursor, int64 seq);

/* The holds among the entries (verify_holds.c): which of them may be open when this entry is booked. */
extern void note_next_entry(Books *books, int64 seq);

/* Takes from a hold what a debit captures, and returns what that must have drawn. */
extern Draws note_capture(Books *books, PastHold *hold, int128 size);

#endif							/* STORECREDIT_VERIFY_RULES_H */
