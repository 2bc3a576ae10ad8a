/*
 * decimal.h
 *		Plain decimal text to and from integers of a fixed number of decimals.
 */
#ifndef STORECREDIT_DECIMAL_H
#define STORECREDIT_DECIMAL_H

#include "postgres.h"

/* A sign, the 19 digits and the point of an int64, and a terminator. */
#define DECIMAL_BUFFER_SIZE 22

/* A decimal as it was written: its parts point into the text. */
typedef struct Decimal
{
	bool        negative;
	const char *whole; /* at least one digit */
	size_t      whole_length;
	const char *fraction;        /* the digits after the point */
	size_t      fraction_length; /* 0 where there is no point */
} Decimal;

/*
 * Reads [+-] digits [. digits] and nothing else: no blanks, grouping, exponent
 * or NaN.  Returns what follows, or NULL if the text does not start that way.
 */
extern const char *scan_decimal(const char *text, Decimal *decimal);

/* Forgets zeros at the end of the fraction, down to scale digits. */
extern void trim_decimal(Decimal *decimal, size_t scale);

/* In units of 10^-scale; at most scale decimals allowed.  False if out of range. */
extern bool decimal_to_int64(const Decimal *decimal, int scale, int64 *result);

/* Writes value with exactly scale decimals and returns where it ends; no terminator. */
extern char *write_decimal(char *buffer, int64 value, int scale);

#endif /* STORECREDIT_DECIMAL_H */
