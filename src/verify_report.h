/*
 * verify_report.h
 *		What verify() answers with, and how amounts and rows are named in it.
 *
 * The sums of a broken ledger may be beyond what an amount can hold, and its
 * currencies may be none: whatever is there can be written down.
 */
#ifndef STORECREDIT_VERIFY_REPORT_H
#define STORECREDIT_VERIFY_REPORT_H

#include "postgres.h"

#include "nodes/execnodes.h"

#include "money_ccy.h"
#include "verify_scan.h"

typedef struct VerifyReport
{
	ReturnSetInfo *result;
	AccountKey	key;			/* the account that is being reported on */
} VerifyReport;

/* One row of the answer: a violation. */
extern void report_violation(VerifyReport *report, const char *rule, const char *expected, const char *found);

/* The same about one row of a table; expected then starts with its name and number. */
extern void report_row_violation(VerifyReport *report, const char *rule, const char *row_name, int64 number,
								 const char *expected, const char *found);

/* All palloc'd. */
extern char *wide_integer_text(int128 value);
extern char *wide_money_text(int128 minor, const char *currency);
extern char *any_money_text(const MoneyCcy *money);
extern char *any_currency_text(const char *currency);

#endif							/* STORECREDIT_VERIFY_REPORT_H */
