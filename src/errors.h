/*
 * errors.h
 *		The ledger's refusals: one table serves the SQL errors and the JSON twins.
 *
 * A rule that refuses returns a LedgerError and has written nothing by then; the
 * caller raises it or, in a JSON twin, answers with it.
 */
#ifndef STORECREDIT_ERRORS_H
#define STORECREDIT_ERRORS_H

#include "postgres.h"

#include "compat.h"
typedef enum LedgerErrorCode
{
	CREDIT_NOT_POSITIVE,
	DEBIT_NOT_POSITIVE,
	CREDIT_LIMIT_EXCEEDED,
	INSUFFICIENT_FUNDS,
	ACCOUNT_NOT_FOUND,
	MISMATCHING_CURRENCY,
	EXPIRES_AT_IN_PAST,
	UNSUPPORTED_CURRENCY,
	IDEMPOTENCY_KEY_PARAMETER_MISMATCH,
	HOLD_NOT_OPEN,
	EXCEEDS_HOLD_AMOUNT,
	EXCEEDS_REVERTABLE_AMOUNT,
	CREDIT_NOT_FOUND,
	TRANSACTION_NOT_FOUND,
	HOLD_NOT_FOUND,
	CREDIT_IN_USE,
	DEBIT_LIMIT_EXCEEDED,
	CREDIT_EXPIRED,
} LedgerErrorCode;

/* Which part of a call's input is at fault, for the JSON twins' "field". */
typedef enum LedgerErrorField
{
	FIELD_ID,
	FIELD_AMOUNT,
	FIELD_CURRENCY,
	FIELD_EXPIRES_AT,
	FIELD_IDEMPOTENCY_KEY,
} LedgerErrorField;

typedef struct LedgerErrorInfo
{
	const char *name;			/* CONSTRAINT NAME; upper case, the JSON twins' code */
	int			sqlstate;
	const char *message;
	LedgerErrorField field;
} LedgerErrorInfo;

typedef struct LedgerError
{
	LedgerErrorCode code;
	char	   *detail;			/* the figures, a full sentence; NULL for none */
} LedgerError;

extern const LedgerErrorInfo *get_ledger_error_info(LedgerErrorCode code);

/* A palloc'd refusal; detail_format may be NULL. */
/* For a DETAIL made of a format and its arguments. */
extern char *format_detail(const char *format, va_list args) pg_attribute_printf(1, 0);
extern LedgerError *new_ledger_error(LedgerErrorCode code, const char *detail_format,...) pg_attribute_printf(2, 3);

pg_noreturn extern void raise_ledger_error(const LedgerError *error);

#endif							/* STORECREDIT_ERRORS_H */
