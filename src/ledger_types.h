/*
 * ledger_types.h
 *		What the ledger's rows are in C, whoever reads or writes them.
 *
 * All amounts are minor units of the account's currency.
 */
#ifndef STORECREDIT_LEDGER_TYPES_H
#define STORECREDIT_LEDGER_TYPES_H

#include "postgres.h"

#include "access/htup.h"
#include "datatype/timestamp.h"
#include "storage/itemptr.h"
#include "utils/jsonb.h"

#include "money_ccy.h"

/* Never-expiring credits sort last: their expires_at is infinity. */
#define NEVER	DT_NOEND

/* In place of an account's own max_balance, which is never negative. */
#define CURRENCY_LIMIT_APPLIES	(-1)

typedef struct AccountRef
{
	const text *owner;			/* with currency; or NULL, and account_id tells */
	char		currency[CURRENCY_CODE_LENGTH + 1];
	int64		account_id;
} AccountRef;

/* How much was drawn from which credit, and such draws in their order. */
typedef struct Draw
{
	int64		credit_seq;
	int64		minor;
} Draw;

typedef struct Draws
{
	Draw	   *items;
	int			count;
	int			room;
} Draws;

typedef struct Account
{
	int64		account_id;
	int64		last_seq;
	int64		last_hold_id;
	int64		balance;
	int64		held;
	int64		credit_line;
	int64		max_balance;	/* or CURRENCY_LIMIT_APPLIES */
	char		currency[CURRENCY_CODE_LENGTH + 1];
	bytea	   *last_hash;		/* of its chain (chain.h); NULL if it has none */

	bool		for_update;		/* taken to be changed: what is looked up must be the newest */
	HeapTuple	tuple;			/* the store's own */
} Account;

typedef struct OpenCredit
{
	TimestampTz expires_at;
	int64		seq;
	int64		remaining;
	ItemPointerData tid;		/* the store's own */
} OpenCredit;

/* What a caller says about an operation; NULL where nothing was said. */
typedef struct Annotation
{
	text	   *category;
	text	   *memo;
	text	   *reference;
	text	   *issuer;
	text	   *idempotency_key;
	Jsonb	   *metadata;
} Annotation;

/* A row of history. */
typedef struct Entry
{
	int64		seq;
	const char *kind;
	int64		amount;
	int64		balance_after;
	TimestampTz created_at;
	TimestampTz expires_at;		/* NEVER is stored as null */
	int64		related_seq;	/* 0: none */
	int64		hold_id;		/* 0: none */
	const Annotation *annotation;
	int64		request_hash;	/* with an idempotency key only */
	Draws		draws;
	bool		notify;			/* the call asks for a row in the outbox */

	/* Its link in the account's chain; all NULL if that has none. */
	bytea	   *previous_hash;
	bytea	   *hash;
	bytea	   *salt;			/* with a memo or metadata only */
} Entry;


/* A row of storecredit.hold. */
typedef struct Hold
{
	int64		hold_id;
	int64		amount;
	int64		captured;
	const char *status;
	TimestampTz created_at;
	TimestampTz expires_at;		/* NEVER is stored as null */
	TimestampTz closed_at;		/* while it is not open */
	Draws		authorized;		/* what it drew on when it was authorized */
	Draws		draws;			/* what of that is still set aside */
	const Annotation *annotation;	/* when it is written first */
	int64		request_hash;
	const text *closing_key;	/* idempotency key of the call that closed it */
	int64		closing_hash;

	Datum		row;			/* as read: a composite store_credit_hold */
} Hold;

#endif							/* STORECREDIT_LEDGER_TYPES_H */
