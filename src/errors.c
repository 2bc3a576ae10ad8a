/*
 * errors.c
 *		The ledger's refusals: names, SQLSTATEs (class SC), messages and hints.
 *
 * Names and messages of SC001 to SC008 are Shopify's StoreCreditError codes and
 * the texts that its API sends.
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "errors.h"

#define SC(d3, d4, d5)	MAKE_SQLSTATE('S', 'C', d3, d4, d5)

static const LedgerErrorInfo ledger_errors[] = {
	[CREDIT_NOT_POSITIVE] = {
		"negative_or_zero_amount", SC('0', '0', '1'),
		"A positive amount must be used to credit a store credit account", FIELD_AMOUNT
	},
	[DEBIT_NOT_POSITIVE] = {
		"negative_or_zero_amount", SC('0', '0', '1'),
		"A positive amount must be used to debit a store credit account", FIELD_AMOUNT
	},
	[CREDIT_LIMIT_EXCEEDED] = {
		"credit_limit_exceeded", SC('0', '0', '2'),
		"The operation would cause the account's credit limit to be exceeded", FIELD_AMOUNT
	},
	[INSUFFICIENT_FUNDS] = {
		"insufficient_funds", SC('0', '0', '3'),
		"The store credit account does not have sufficient funds to satisfy the request", FIELD_AMOUNT
	},
	[ACCOUNT_NOT_FOUND] = {
		"account_not_found", SC('0', '0', '4'),
		"Store credit account does not exist", FIELD_ID
	},
	[MISMATCHING_CURRENCY] = {
		"mismatching_currency", SC('0', '0', '5'),
		"The currency provided does not match the currency of the store credit account", FIELD_CURRENCY
	},
	[EXPIRES_AT_IN_PAST] = {
		"expires_at_in_past", SC('0', '0', '6'),
		"The expiry date must be in the future", FIELD_EXPIRES_AT
	},
	[UNSUPPORTED_CURRENCY] = {
		"unsupported_currency", SC('0', '0', '7'),
		"The currency provided is not currently supported", FIELD_CURRENCY
	},
	[IDEMPOTENCY_KEY_PARAMETER_MISMATCH] = {
		"idempotency_key_parameter_mismatch", SC('0', '0', '8'),
		"The same idempotency key cannot be used with different operation parameters", FIELD_IDEMPOTENCY_KEY
	},
	[HOLD_NOT_OPEN] = {
		"hold_not_open", SC('0', '0', '9'),
		"The store credit hold is not open", FIELD_ID
	},
	[EXCEEDS_HOLD_AMOUNT] = {
		"exceeds_hold_amount", SC('0', '1', '0'),
		"The amount exceeds what the store credit hold still holds", FIELD_AMOUNT
	},
	[EXCEEDS_REVERTABLE_AMOUNT] = {
		"exceeds_revertable_amount", SC('0', '1', '1'),
		"The amount exceeds what can still be reverted of the debit", FIELD_AMOUNT
	},
	[CREDIT_NOT_FOUND] = {
		"credit_not_found", SC('0', '1', '2'),
		"Store credit does not exist", FIELD_ID
	},
	[TRANSACTION_NOT_FOUND] = {
		"transaction_not_found", SC('0', '1', '2'),
		"Store credit transaction does not exist", FIELD_ID
	},
	[HOLD_NOT_FOUND] = {
		"hold_not_found", SC('0', '1', '2'),
		"Store credit hold does not exist", FIELD_ID
	},
	[CREDIT_IN_USE] = {
		"credit_in_use", SC('0', '1', '3'),
		"The store credit is already spent or held", FIELD_AMOUNT
	},
	[DEBIT_LIMIT_EXCEEDED] = {
		"debit_limit_exceeded", SC('0', '1', '4'),
		"The operation would exceed the limit of a single debit", FIELD_AMOUNT
	},
	[CREDIT_EXPIRED] = {
		"credit_expired", SC('0', '1', '5'),
		"The store credit has expired", FIELD_ID
	},
};

const LedgerErrorInfo *
get_ledger_error_info(LedgerErrorCode code)
{
	Assert(code < lengthof(ledger_errors));
	return &ledger_errors[code];
}

char *
format_detail(const char *format, va_list args)
{
	StringInfoData detail;
	int			needed;

	initStringInfo(&detail);
	do
	{
		va_list		again;

		va_copy(again, args);
		needed = appendStringInfoVA(&detail, format, again);
		va_end(again);
		if (needed > 0)
			enlargeStringInfo(&detail, needed);
	} while (needed > 0);
	return detail.data;
}

LedgerError *
new_ledger_error(LedgerErrorCode code, const char *detail_format,...)
{
	LedgerError *error = palloc0(sizeof(LedgerError));

	error->code = code;
	if (detail_format != NULL)
	{
		va_list		args;

		va_start(args, detail_format);
		error->detail = format_detail(detail_format, args);
		va_end(args);
	}
	return error;
}

void
raise_ledger_error(const LedgerError *error)
{
	const LedgerErrorInfo *info = get_ledger_error_info(error->code);

	ereport(ERROR,
			(errcode(info->sqlstate),
			 errmsg("%s", info->message),
			 error->detail ? errdetail("%s", error->detail) : 0,
			 err_generic_string(PG_DIAG_CONSTRAINT_NAME, info->name)));
}
