/*
 * currency.h
 *		The ISO 4217 table, compiled in: the only place that knows codes and scales.
 *
 * A published currency's code and minor units never change here: stored
 * integers would change their meaning.  Withdrawn codes stay, so that old
 * amounts stay readable.
 */
#ifndef STORECREDIT_CURRENCY_H
#define STORECREDIT_CURRENCY_H

#include "postgres.h"

#define CURRENCY_CODE_LENGTH 3
#define MAX_MINOR_UNITS      4

typedef struct Currency
{
	char        code[CURRENCY_CODE_LENGTH + 1];
	int16       numeric_code;
	int16       minor_units; /* decimal places, 0 to MAX_MINOR_UNITS */
	bool        withdrawn;   /* readable and spendable, never issued again */
	const char *name;
} Currency;

/* A code's three bytes as a positive number, in the order of the alphabet. */
static inline int32
currency_code_number(const char *code)
{
	return (unsigned char) code[0] << 16 | (unsigned char) code[1] << 8 | (unsigned char) code[2];
}

/* Any three bytes, upper case expected; NULL when no such payment currency is known. */
extern const Currency *find_currency(const char *code);

/* The same for a user's text of any length, its letters in any case. */
extern const Currency *find_currency_by_text(const char *text, size_t length);

/* Of text that names no currency: why not, as a sentence for a DETAIL, palloc'd. */
extern char *explain_unusable_currency(const char *text, size_t length);

/* For a code that is known to be valid, as in a stored money_ccy; else "cannot happen". */
extern const Currency *get_currency(const char *code);

#endif /* STORECREDIT_CURRENCY_H */
