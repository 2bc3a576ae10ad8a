/*
 * functions.h
 *		Checks of arguments that the SQL functions and the JSON twins share.
 */
#ifndef STORECREDIT_FUNCTIONS_H
#define STORECREDIT_FUNCTIONS_H

#include "postgres.h"

/* Of an owner, category, reference, issuer or idempotency key, in characters. */
#define MAX_WORD_LENGTH	255

/* 22023 if it is empty, 22001 if it is too long. */
extern void check_word(const text *value, const char *name);

#endif							/* STORECREDIT_FUNCTIONS_H */
