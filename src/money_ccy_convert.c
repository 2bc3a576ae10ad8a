/*
 * money_ccy_convert.c
 *		money_ccy from and to numbers, codes and JSON.
 *
 * Numbers are taken by their value, not by how they are written: 12.500 is
 * 12.50 USD, and Shopify's "3000.0" is 3000 JPY.  Only zeros are dropped; what
 * would have to be rounded is refused.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "compat.h"
#include "money_ccy.h"
#include "money_ccy_text.h"

PG_FUNCTION_INFO_V1(money_ccy_from_numeric);
PG_FUNCTION_INFO_V1(money_ccy_from_minor);
PG_FUNCTION_INFO_V1(money_ccy_from_jsonb);
PG_FUNCTION_INFO_V1(money_ccy_amount);
PG_FUNCTION_INFO_V1(money_ccy_currency);
PG_FUNCTION_INFO_V1(money_ccy_to_minor);
PG_FUNCTION_INFO_V1(money_ccy_decimal);
PG_FUNCTION_INFO_V1(money_ccy_to_jsonb);

/* The whole text is a decimal number; zeros that the currency has no place for do not count. */
static bool
read_number(const char *text, const Currency *currency, MoneyCcy *money, MoneyFault *fault)
{
	Decimal     amount;
	const char *end = scan_decimal(text, &amount);

	if (end == NULL || *end != '\0')
		return money_fault(fault, psprintf("\"%s\" is not a decimal number.", text));
	trim_decimal(&amount, currency->minor_units);
	return read_amount(&amount, currency, money, fault);
}

static char *
numeric_to_cstring(Datum numeric)
{
	return DatumGetCString(DirectFunctionCall1(numeric_out, numeric));
}

MoneyCcy
money_ccy_from_numeric_datum(Datum numeric, const char *currency)
{
	char      *number = numeric_to_cstring(numeric);
	MoneyCcy   money;
	MoneyFault fault;

	if (!read_number(number, require_currency(currency), &money, &fault))
		refuse_money_ccy(psprintf("%s %s", number, currency), &fault, NULL);
	return money;
}

Datum
money_ccy_from_numeric(PG_FUNCTION_ARGS)
{
	char    *currency = text_to_cstring(PG_GETARG_TEXT_PP(1));
	MoneyCcy money = money_ccy_from_numeric_datum(PG_GETARG_DATUM(0), currency);

	PG_RETURN_MONEY_CCY_P(new_money_ccy(money.minor, money.currency));
}

Datum
money_ccy_from_minor(PG_FUNCTION_ARGS)
{
	int64           minor = PG_GETARG_INT64(0);
	const Currency *currency = require_currency(text_to_cstring(PG_GETARG_TEXT_PP(1)));

	PG_RETURN_MONEY_CCY_P(new_money_ccy(minor, currency->code));
}

Datum
money_ccy_amount(PG_FUNCTION_ARGS)
{
	const MoneyCcy *money = PG_GETARG_MONEY_CCY_P(0);

	PG_RETURN_NUMERIC(int64_div_fast_to_numeric(money->minor, get_currency(money->currency)->minor_units));
}

Datum
money_ccy_currency(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text_with_len(PG_GETARG_MONEY_CCY_P(0)->currency, CURRENCY_CODE_LENGTH));
}

Datum
money_ccy_to_minor(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(PG_GETARG_MONEY_CCY_P(0)->minor);
}

char *
money_ccy_to_decimal_cstring(const MoneyCcy *money)
{
	char *number = money_ccy_amount_to_cstring(money);
	char *point = strchr(number, '.');
	char *last = number + strlen(number) - 1;

	if (point == NULL)
		return psprintf("%s.0", number);
	while (*last == '0' && last > point + 1)
		*last-- = '\0';
	return number;
}

Datum
money_ccy_decimal(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(money_ccy_to_decimal_cstring(PG_GETARG_MONEY_CCY_P(0))));
}

/* JSON: {"amount": "49.99", "currencyCode": "USD"}, Shopify's MoneyV2 and MoneyInput */

#define AMOUNT_KEY   "amount"
#define CURRENCY_KEY "currencyCode"

static bool
key_is(const JsonbValue *key, const char *name)
{
	size_t length = key->val.string.len;

	return length == strlen(name) && memcmp(key->val.string.val, name, length) == 0;
}

static char *
jsonb_string_to_cstring(const JsonbValue *string)
{
	return pnstrdup(string->val.string.val, string->val.string.len);
}

/*
 * Takes the two values out of an object that has both keys and no other: a key
 * that says more than we keep is an error, as in GraphQL, not a silent loss.
 */
static bool
read_object(Jsonb *object, JsonbValue *amount, JsonbValue *currency, MoneyFault *fault)
{
	JsonbIterator     *iterator;
	JsonbIteratorToken token;
	JsonbValue         item;

	amount->type = currency->type = jbvNull;
	if (!JB_ROOT_IS_OBJECT(object))
		return money_fault(fault, "A JSON object with the keys \"amount\" and \"currencyCode\" is expected.");

	iterator = JsonbIteratorInit(&object->root);
	while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE)
	{
		if (token != WJB_KEY)
			continue;
		if (key_is(&item, AMOUNT_KEY))
			JsonbIteratorNext(&iterator, amount, true);
		else if (key_is(&item, CURRENCY_KEY))
			JsonbIteratorNext(&iterator, currency, true);
		else
			return money_fault(fault, psprintf("Key \"%s\" is not expected.", jsonb_string_to_cstring(&item)));
	}
	return true;
}

static bool
read_jsonb(Jsonb *object, MoneyCcy *money, MoneyFault *fault)
{
	JsonbValue      amount;
	JsonbValue      code;
	const Currency *currency;
	char           *number;

	if (!read_object(object, &amount, &code, fault))
		return false;
	if (amount.type != jbvString && amount.type != jbvNumeric)
		return money_fault(fault, "Key \"amount\" must have a string or a number.");
	if (code.type != jbvString)
		return money_fault(fault, "Key \"currencyCode\" must have a string.");

	currency = read_currency(code.val.string.val, code.val.string.len, fault);
	if (currency == NULL)
		return false;
	if (amount.type == jbvString)
		number = jsonb_string_to_cstring(&amount);
	else
		number = numeric_to_cstring(NumericGetDatum(amount.val.numeric));
	return read_number(number, currency, money, fault);
}

Datum
money_ccy_from_jsonb(PG_FUNCTION_ARGS)
{
	Jsonb     *object = PG_GETARG_JSONB_P(0);
	MoneyCcy   money;
	MoneyFault fault;

	if (!read_jsonb(object, &money, &fault))
		return refuse_money_ccy(JsonbToCString(NULL, &object->root, VARSIZE(object)), &fault, NULL);
	PG_RETURN_MONEY_CCY_P(new_money_ccy(money.minor, money.currency));
}

static void
push_pair(JsonbParseState **state, const char *name, const char *text)
{
	JsonbValue item;

	item.type = jbvString;
	item.val.string.val = unconstify(char *, name);
	item.val.string.len = strlen(name);
	pushJsonbValue(state, WJB_KEY, &item);
	item.val.string.val = unconstify(char *, text);
	item.val.string.len = strlen(text);
	pushJsonbValue(state, WJB_VALUE, &item);
}

Datum
money_ccy_to_jsonb(PG_FUNCTION_ARGS)
{
	const MoneyCcy  *money = PG_GETARG_MONEY_CCY_P(0);
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	push_pair(&state, AMOUNT_KEY, money_ccy_amount_to_cstring(money));
	push_pair(&state, CURRENCY_KEY, money->currency);
	PG_RETURN_JSONB_P(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
}
