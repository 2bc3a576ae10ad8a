/*
 * verify_report.c
 *		What verify() answers with, and how amounts and rows are named in it.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "verify_report.h"

/* A sign, the 39 digits and the point of an int128, and a terminator. */
#define WIDE_DECIMAL_SIZE	42

void
report_violation(VerifyReport *report, const char *rule, const char *expected, const char *found)
{
	Datum		values[4] = {0};
	bool		isnull[4] = {false};

	isnull[0] = report->key.isnull;
	values[0] = Int64GetDatum(report->key.account_id);
	values[1] = CStringGetTextDatum(rule);
	values[2] = CStringGetTextDatum(expected);
	values[3] = CStringGetTextDatum(found);
	tuplestore_putvalues(report->result->setResult, report->result->setDesc, values, isnull);
}

void
report_row_violation(VerifyReport *report, const char *rule, const char *row_name, int64 number,
					 const char *expected, const char *found)
{
	report_violation(report, rule, psprintf("%s " INT64_FORMAT ": %s", row_name, number, expected), found);
}

/* Written from the last digit to the first. */
static char *
wide_decimal(int128 value, int scale)
{
	char	   *buffer = palloc(WIDE_DECIMAL_SIZE);
	char	   *p = buffer + WIDE_DECIMAL_SIZE;
	uint128		left = value < 0 ? -(uint128) value : (uint128) value;

	*--p = '\0';
	for (int digits = 0; left > 0 || digits <= scale; digits++)
	{
		if (digits == scale && scale > 0)
			*--p = '.';
		*--p = '0' + (int) (left % 10);
		left /= 10;
	}
	if (value < 0)
		*--p = '-';
	return p;
}

char *
wide_integer_text(int128 value)
{
	return wide_decimal(value, 0);
}

char *
any_currency_text(const char *currency)
{
	for (int i = 0; i < CURRENCY_CODE_LENGTH; i++)
	{
		if (currency[i] <= ' ' || currency[i] > '~')
			return psprintf("\\x%02x%02x%02x",
							(unsigned char) currency[0], (unsigned char) currency[1], (unsigned char) currency[2]);
	}
	return pnstrdup(currency, CURRENCY_CODE_LENGTH);
}

char *
wide_money_text(int128 minor, const char *currency)
{
	const Currency *known = find_currency(currency);

	if (known == NULL)
		return psprintf("%s minor units of %s", wide_decimal(minor, 0), any_currency_text(currency));
	return psprintf("%s %s", wide_decimal(minor, known->minor_units), known->code);
}

char *
any_money_text(const MoneyCcy *money)
{
	return wide_money_text(money->minor, money->currency);
}
