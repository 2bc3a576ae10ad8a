/*
 * call.h
 *		One call from its arguments to its answer, whatever it does.
 */
#ifndef STORECREDIT_CALL_H
#define STORECREDIT_CALL_H

#include "postgres.h"

#include "booking.h"
#include "errors.h"

#define MAX_ANSWER_ROWS	2

typedef struct CallResult
{
	int			row_count;
	Datum		rows[MAX_ANSWER_ROWS];	/* composite store_credit_transaction or store_credit_hold */
	int64		balance;		/* of the account now, in minor units */
} CallResult;

/*
 * What a call is about; each kind of call has it in front of what else it needs.
 * plan() decides on the account as it is taken, and plans; it may be called more
 * than once, each time from the beginning.
 */
typedef struct Call Call;

struct Call
{
	AccountRef	account;
	Annotation	annotation;
	bool		notify;
	bool		opens_account;	/* where the owner has none */
	bool		answers_two;	/* with an entry and the one that follows it */
	bool		locks_first;	/* plan() looks up more than the account and its open credits */

	LedgerError *(*plan) (Booking *booking, Call *call);

	/* What distinguishes this call from another with the same key; set by hash_call() and what follows it. */
	int64		request_hash;

	/* Set by plan(): the rows that answer the call. */
	int			answer_count;
	int			answers[MAX_ANSWER_ROWS];	/* positions in the booking's entries */
	Hold	   *answer_hold;
};

/* Digests what a call asks for; nothing without an idempotency key. */
extern void hash_call(Call *call, const char *operation, const void *arguments, Size size);

/* Does it, or refuses and has written nothing. */
extern LedgerError *perform_call(Call *call, CallResult *result);

/*
 * Its parts, for calls that are performed many at once.
 */

/* Whether the call's key has been used on this account; sets either the first answer or an error. */
extern bool find_replay(Booking *booking, const Call *call, CallResult *result, LedgerError **error);
extern bool same_text(const text *a, const text *b);
extern LedgerError *key_mismatch(const text *key, int64 account_id);
extern LedgerError *no_such_account(const AccountRef *ref);

/* Opens the account that was planned on without there being one; the call starts over then. */
extern void open_account_for(Booking *booking, const AccountRef *ref);

/* Has the outbox written with the booking, if the call asks for it. */
extern void notify_of_answers(Booking *booking, const Call *call);

/* For plan(): the entry made last is an answer. */
extern void answer_with_last_entry(Booking *booking, Call *call);

/* MISMATCHING_CURRENCY unless the amount is in the account's currency. */
extern LedgerError *check_currency(const Booking *booking, const MoneyCcy *amount);

#endif							/* STORECREDIT_CALL_H */
