/*
 * arguments.h
 *		Reading the arguments that the ledger's SQL functions have in common.
 */
#ifndef STORECREDIT_ARGUMENTS_H
#define STORECREDIT_ARGUMENTS_H

#include "postgres.h"

#include "fmgr.h"

#include "ledger.h"

/* Of an owner, category, reference, issuer or idempotency key, in characters. */
#define MAX_WORD_LENGTH	255

/* 22023 if it is empty, 22001 if it is too long. */
extern void check_word(const text *value, const char *name);

/* 22004 if it is null. */
extern void require_argument(FunctionCallInfo fcinfo, int n, const char *name);

extern text *get_text_argument(FunctionCallInfo fcinfo, int n);
extern text *get_word_argument(FunctionCallInfo fcinfo, int n, const char *name);
extern bool get_bool_argument(FunctionCallInfo fcinfo, int n);
extern Jsonb *get_jsonb_argument(FunctionCallInfo fcinfo, int n);
extern MoneyCcy get_money_argument(FunctionCallInfo fcinfo, int n, const char *name);
extern OptionalMoney get_optional_money_argument(FunctionCallInfo fcinfo, int n);
extern int64 get_int64_argument(FunctionCallInfo fcinfo, int n, const char *name);

/* How many of something a call may do, at most: 22023 unless that is above zero. */
extern int32 get_count_argument(FunctionCallInfo fcinfo, int n, const char *name);

/* expires_at, or the end of the day expires_on; NEVER if both are null. */
extern TimestampTz get_expiry_arguments(FunctionCallInfo fcinfo, int expires_at, int expires_on);

/* Whose account: an owner's in a currency, or the one with an id. */
extern void get_owner_argument(FunctionCallInfo fcinfo, int n, const char *currency, AccountRef *ref);
extern void get_account_argument(FunctionCallInfo fcinfo, int n, AccountRef *ref);

/* category, memo, reference, issuer, idempotency_key, notify, metadata: the end of most argument lists. */
extern void get_annotation_arguments(FunctionCallInfo fcinfo, int first, Call *call);

/* The answer's first row, or the error. */
extern Datum answer_or_raise(const LedgerError *error, const CallResult *result);

#endif							/* STORECREDIT_ARGUMENTS_H */
