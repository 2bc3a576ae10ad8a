/*
 * ledger.h
 *		What can be done with an account: the rules, whoever calls.
 *
 * Each function fills result, or refuses and has written nothing.
 */
#ifndef STORECREDIT_LEDGER_H
#define STORECREDIT_LEDGER_H

#include "postgres.h"

#include "call.h"
#include "release.h"
#include "utils/numeric.h"

typedef struct CreditRequest
{
	Call		call;
	MoneyCcy	amount;
	TimestampTz expires_at;		/* NEVER if none was given */
} CreditRequest;

typedef struct DebitRequest
{
	Call		call;
	MoneyCcy	amount;
	bool		allow_partial;
} DebitRequest;

/* A credit and, beside it, its bonus. */
typedef struct RefundRequest
{
	Call		call;
	MoneyCcy	amount;
	TimestampTz expires_at;
	bool		has_bonus;		/* in the call; else the currency's default applies */
	MoneyCcy	bonus;
	TimestampTz bonus_expires_at;
	Annotation	bonus_annotation;
} RefundRequest;

typedef struct AuthorizeRequest
{
	Call		call;
	MoneyCcy	amount;
	bool		allow_partial;
	TimestampTz expires_at;
	Hold		hold;
} AuthorizeRequest;

/* An amount that may be left out. */
typedef struct OptionalMoney
{
	bool		given;
	MoneyCcy	money;
} OptionalMoney;

typedef struct CaptureRequest
{
	Call		call;
	int64		hold_id;
	OptionalMoney amount;		/* left out: all that is held */
	bool		final;			/* what is not captured is released */
	Hold		hold;
} CaptureRequest;

typedef struct VoidRequest
{
	Call		call;
	int64		hold_id;
	Hold		hold;
} VoidRequest;

typedef struct RevertRequest
{
	Call		call;
	int64		seq;
	OptionalMoney amount;		/* left out: all that is not reverted yet */
	bool		rule_given;		/* in the call; else the setting's */
	ExpiredRule rule;
} RevertRequest;

typedef struct EditRequest
{
	Call		call;
	int64		seq;
	OptionalMoney amount;		/* what the credit is to be in all; left out: as it is */
	bool		changes_expiry;
	TimestampTz expires_at;
} EditRequest;

typedef struct RevokeRequest
{
	Call		call;
	int64		seq;
} RevokeRequest;

/* credit.c; prepare_credit() makes a request ready for its call, alone or among many */
extern void prepare_credit(CreditRequest *request);
extern LedgerError *credit_account(CreditRequest *request, CallResult *result);
extern LedgerError *refund_account(RefundRequest *request, CallResult *result);

/* debit.c */
extern void prepare_debit(DebitRequest *request);
extern LedgerError *debit_account(DebitRequest *request, CallResult *result);

/* What can be spent now; false, and zero, if there is no such account. */
extern bool available_balance(const AccountRef *ref, MoneyCcy *money);

/* hold.c */
extern LedgerError *authorize_hold(AuthorizeRequest *request, CallResult *result);
extern LedgerError *capture_hold(CaptureRequest *request, CallResult *result);
extern LedgerError *void_hold(VoidRequest *request, CallResult *result);

/* amend.c */
extern LedgerError *revert_debit(RevertRequest *request, CallResult *result);
extern LedgerError *edit_credit(EditRequest *request, CallResult *result);
extern LedgerError *revoke_credit(RevokeRequest *request, CallResult *result);

/* Refuses more than the limits allow: of one credit, and of the balance after it. */
extern LedgerError *check_credit_limits(const Booking *booking, int64 amount);

/* Refuses what is more than can be spent, or the most that may be spent at once; shortens a partial amount. */
extern LedgerError *check_funds(const Booking *booking, int64 *amount, bool allow_partial);

#endif							/* STORECREDIT_LEDGER_H */
