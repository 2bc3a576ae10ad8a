/*
 * money_ccy.c
 *		The type money_ccy: text and binary forms, type modifier.
 *
 * Text is strict and exact, as money is: "49.99 USD", never rounded, never
 * dependent on a locale or a setting.  Every way in, binary included, ends at
 * the currency table, so that a stored value always names a known currency and
 * its scale.
 *
 * A type modifier is the code's three letters as a number.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "libpq/pqformat.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "compat.h"
#include "money_ccy.h"
#include "money_ccy_text.h"

PG_FUNCTION_INFO_V1(money_ccy_in);
PG_FUNCTION_INFO_V1(money_ccy_out);
PG_FUNCTION_INFO_V1(money_ccy_recv);
PG_FUNCTION_INFO_V1(money_ccy_send);
PG_FUNCTION_INFO_V1(money_ccy_typmod_in);
PG_FUNCTION_INFO_V1(money_ccy_typmod_out);
PG_FUNCTION_INFO_V1(money_ccy_enforce_typmod);

/* An amount, a blank, a code and a terminator. */
#define MONEY_CCY_BUFFER_SIZE (DECIMAL_BUFFER_SIZE + 1 + CURRENCY_CODE_LENGTH + 1)

void
money_ccy_out_of_range(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("money_ccy out of range")));
}

void
money_ccy_currency_mismatch(const MoneyCcy *a, const MoneyCcy *b)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("currencies \"%s\" and \"%s\" do not match", a->currency, b->currency),
			 errdetail("Arithmetic needs amounts of one currency.")));
}

MoneyCcy *
new_money_ccy(int64 minor, const char *currency)
{
	MoneyCcy *result = palloc(sizeof(MoneyCcy));

	*result = make_money_ccy(minor, currency);
	return result;
}

/* Reading */

Datum
refuse_money_ccy(const char *literal, const MoneyFault *fault, Node *escontext)
{
	if (fault->sqlstate == ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE)
		ereturn(escontext, (Datum) 0,
				(errcode(fault->sqlstate),
				 errmsg("value \"%s\" is out of range for type %s", literal, "money_ccy"),
				 errdetail_internal("%s", fault->detail)));

	ereturn(escontext, (Datum) 0,
			(errcode(fault->sqlstate),
			 errmsg("invalid input syntax for type %s: \"%s\"", "money_ccy", literal),
			 errdetail_internal("%s", fault->detail)));
}

const Currency *
read_currency(const char *text, size_t length, MoneyFault *fault)
{
	const Currency *currency = find_currency_by_text(text, length);

	if (currency == NULL)
		money_fault(fault, explain_unusable_currency(text, length));
	return currency;
}

static char *
explain_scale(const Currency *currency)
{
	if (currency->minor_units == 0)
		return psprintf("Currency \"%s\" has no decimal digits.", currency->code);
	return psprintf("Currency \"%s\" has %d decimal digits.", currency->code, currency->minor_units);
}

static char *
explain_range(const Currency *currency)
{
	MoneyCcy least = make_money_ccy(PG_INT64_MIN, currency->code);
	MoneyCcy greatest = make_money_ccy(PG_INT64_MAX, currency->code);

	return psprintf("Amounts lie between %s and %s.",
					money_ccy_to_cstring(&least), money_ccy_to_cstring(&greatest));
}

bool
read_amount(const Decimal *amount, const Currency *currency, MoneyCcy *money, MoneyFault *fault)
{
	int64 minor;

	if (amount->fraction_length > (size_t) currency->minor_units)
		return money_fault(fault, explain_scale(currency));
	if (!decimal_to_int64(amount, currency->minor_units, &minor))
	{
		fault->sqlstate = ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE;
		fault->detail = explain_range(currency);
		return false;
	}
	*money = make_money_ccy(minor, currency->code);
	return true;
}

const Currency *
require_currency(const char *code)
{
	size_t          length = strlen(code);
	const Currency *currency = find_currency_by_text(code, length);

	if (currency == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid currency code for type %s: \"%s\"", "money_ccy", code),
				 errdetail_internal("%s", explain_unusable_currency(code, length))));
	return currency;
}

/* The blanks and letters of ASCII: what is valid must not depend on a locale. */
static const char *
skip_blanks(const char *text)
{
	return text + strspn(text, " \t\n\v\f\r");
}

static const char *
skip_letters(const char *text)
{
	while ((*text >= 'A' && *text <= 'Z') || (*text >= 'a' && *text <= 'z'))
		text++;
	return text;
}

/* blanks amount blanks code blanks; only the blanks around it may be missing */
static bool
read_money_ccy(const char *literal, MoneyCcy *money, MoneyFault *fault)
{
	Decimal         amount;
	const char     *amount_end = scan_decimal(skip_blanks(literal), &amount);
	const Currency *currency;

	if (amount_end != NULL)
	{
		const char *code = skip_blanks(amount_end);
		const char *code_end = skip_letters(code);

		if (code > amount_end && code_end > code && *skip_blanks(code_end) == '\0')
		{
			currency = read_currency(code, code_end - code, fault);
			return currency != NULL && read_amount(&amount, currency, money, fault);
		}
	}
	return money_fault(fault, "An amount, a blank and a currency code are expected, as in \"49.99 USD\".");
}

/* Writing */

char *
money_ccy_amount_to_cstring(const MoneyCcy *money)
{
	char *result = palloc(DECIMAL_BUFFER_SIZE);
	char *end;

	end = write_decimal(result, money->minor, get_currency(money->currency)->minor_units);
	*end = '\0';
	return result;
}

char *
money_ccy_to_cstring(const MoneyCcy *money)
{
	char *result = palloc(MONEY_CCY_BUFFER_SIZE);
	char *end;

	end = write_decimal(result, money->minor, get_currency(money->currency)->minor_units);
	*end++ = ' ';
	memcpy(end, money->currency, sizeof(money->currency));
	return result;
}

/* Type modifier */

static inline bool
has_typmod(const MoneyCcy *money, int32 typmod)
{
	return typmod < 0 || typmod == currency_code_number(money->currency);
}

/* SQL can call us with any number: it must not become text unchecked. */
static const Currency *
typmod_currency(int32 typmod)
{
	char code[CURRENCY_CODE_LENGTH] = {
		(char) (typmod >> 16 & 0xFF), (char) (typmod >> 8 & 0xFF), (char) (typmod & 0xFF)
	};
	const Currency *currency = find_currency(code);

	if (currency == NULL || typmod != currency_code_number(currency->code))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid type modifier for type %s: %d", "money_ccy", typmod)));
	return currency;
}

static Datum
refuse_typmod(const MoneyCcy *money, int32 typmod, Node *escontext)
{
	ereturn(escontext, (Datum) 0,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("currency \"%s\" does not match type %s(%s)",
					money->currency, "money_ccy", typmod_currency(typmod)->code)));
}

Datum
money_ccy_typmod_in(PG_FUNCTION_ARGS)
{
	ArrayType      *modifiers = PG_GETARG_ARRAYTYPE_P(0);
	Datum          *elements;
	int             count;
	const char     *code;
	const Currency *currency;

	deconstruct_array(modifiers, CSTRINGOID, -2, false, TYPALIGN_CHAR, &elements, NULL, &count);
	if (count != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("type %s takes one modifier, a currency code", "money_ccy")));

	code = DatumGetCString(elements[0]);
	currency = find_currency_by_text(code, strlen(code));
	if (currency == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid type modifier for type %s: \"%s\"", "money_ccy", code),
				 errdetail_internal("%s", explain_unusable_currency(code, strlen(code)))));
	PG_RETURN_INT32(currency_code_number(currency->code));
}

Datum
money_ccy_typmod_out(PG_FUNCTION_ARGS)
{
	int32 typmod = PG_GETARG_INT32(0);

	PG_RETURN_CSTRING(typmod < 0 ? pstrdup("") : psprintf("(%s)", typmod_currency(typmod)->code));
}

/* The length coercion: what INSERT, UPDATE and casts apply to a value of the type. */
Datum
money_ccy_enforce_typmod(PG_FUNCTION_ARGS)
{
	MoneyCcy *money = PG_GETARG_MONEY_CCY_P(0);
	int32     typmod = PG_GETARG_INT32(1);

	if (!has_typmod(money, typmod))
		return refuse_typmod(money, typmod, NULL);
	PG_RETURN_MONEY_CCY_P(money);
}

/* Input and output */

Datum
money_ccy_in(PG_FUNCTION_ARGS)
{
	const char *literal = PG_GETARG_CSTRING(0);
	int32       typmod = PG_GETARG_INT32(2);
	MoneyCcy    money;
	MoneyFault  fault;

	if (!read_money_ccy(literal, &money, &fault))
		return refuse_money_ccy(literal, &fault, fcinfo->context);
	if (!has_typmod(&money, typmod))
		return refuse_typmod(&money, typmod, fcinfo->context);
	PG_RETURN_MONEY_CCY_P(new_money_ccy(money.minor, money.currency));
}

Datum
money_ccy_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(money_ccy_to_cstring(PG_GETARG_MONEY_CCY_P(0)));
}

/* On the wire: the minor units as int8 sends them, then the code's three letters. */
Datum
money_ccy_recv(PG_FUNCTION_ARGS)
{
	StringInfo      message = (StringInfo) PG_GETARG_POINTER(0);
	int32           typmod = PG_GETARG_INT32(2);
	int64           minor = pq_getmsgint64(message);
	const char     *code = pq_getmsgbytes(message, CURRENCY_CODE_LENGTH);
	const Currency *currency = find_currency(code);
	MoneyCcy       *money;

	if (currency == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid currency code in external \"%s\" value", "money_ccy"),
				 errdetail("Its bytes are %02X %02X %02X.",
						   (unsigned char) code[0], (unsigned char) code[1], (unsigned char) code[2])));
	money = new_money_ccy(minor, currency->code);
	if (!has_typmod(money, typmod))
		return refuse_typmod(money, typmod, NULL);
	PG_RETURN_MONEY_CCY_P(money);
}

Datum
money_ccy_send(PG_FUNCTION_ARGS)
{
	const MoneyCcy *money = PG_GETARG_MONEY_CCY_P(0);
	StringInfoData  message;

	pq_begintypsend(&message);
	pq_sendint64(&message, money->minor);
	pq_sendbytes(&message, money->currency, CURRENCY_CODE_LENGTH);
	PG_RETURN_BYTEA_P(pq_endtypsend(&message));
}
