/*
 * json_twins.c
 *		Credit and debit in the shapes of Shopify's storeCreditAccountCredit and
 *		storeCreditAccountDebit.
 *
 * What the ledger refuses is answered in "userErrors"; what GraphQL would refuse
 * before executing (an unknown field, a missing amount, a code that is no
 * currency of payment) is raised.  Beyond Shopify's fields the inputs may have
 * category, memo, reference, issuer, idempotencyKey and metadata, and a debit
 * allowPartial.
 */
#include "postgres.h"

#include <ctype.h>

#include "access/htup_details.h"
#include "catalog/pg_collation.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/formatting.h"
#include "utils/date.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "arguments.h"
#include "compat.h"
#include "json_input.h"
#include "ledger.h"
#include "store_rows.h"
#include "storecredit.h"

PG_FUNCTION_INFO_V1(store_credit_account_credit);
PG_FUNCTION_INFO_V1(store_credit_account_debit);

#define GID_SCHEME		"gid://"
#define GID_ACCOUNT		"/StoreCreditAccount/"
#define DEFAULT_GID_APP	"storecredit"

/* How one of the two mutations calls its input. */
typedef struct Mutation
{
	const char *input;			/* the argument's name, which begins the path of a user error */
	const char *input_type;
	const char *amount;
	const char *const *fields;	/* that the input may have; NULL ends them */
} Mutation;

static const char *const credit_fields[] = {
	"creditAmount", "expiresAt", "notify",
	"category", "memo", "reference", "issuer", "idempotencyKey", "metadata", NULL
};

static const char *const debit_fields[] = {
	"debitAmount", "allowPartial", "notify",
	"category", "memo", "reference", "issuer", "idempotencyKey", "metadata", NULL
};

static const Mutation credit_mutation = {
	"creditInput", "StoreCreditAccountCreditInput", "creditAmount", credit_fields
};

static const Mutation debit_mutation = {
	"debitInput", "StoreCreditAccountDebitInput", "debitAmount", debit_fields
};

static const char *const money_fields[] = {"amount", "currencyCode", NULL};

/* ---- reading the input ---- */

static MoneyCcy
get_money_field(const Mutation *mutation, JsonbContainer *input)
{
	JsonbValue *money = get_json_field(input, mutation->amount);
	JsonbValue *amount;
	text	   *code;
	const Currency *currency;
	Datum		number;

	if (money == NULL)
		invalid_json_input(mutation->input, mutation->amount, "Expected value to not be null");
	if (money->type != jbvBinary)
		invalid_json_input(mutation->input, mutation->amount, "Expected an object");
	check_json_fields(mutation->input, money->val.binary.data, "MoneyInput", money_fields);

	code = get_json_text_field(mutation->input, money->val.binary.data, "currencyCode");
	if (code == NULL)
		invalid_json_input(mutation->input, "currencyCode", "Expected value to not be null");
	currency = find_currency_by_text(VARDATA_ANY(code), VARSIZE_ANY_EXHDR(code));
	if (currency == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("CurrencyCode \"%s\" is invalid. It can only be used as a result and not as an input value.",
						text_to_cstring(code)),
				 err_generic_string(PG_DIAG_CONSTRAINT_NAME, "currency_code_invalid")));

	amount = get_json_field(money->val.binary.data, "amount");
	if (amount == NULL)
		invalid_json_input(mutation->input, "amount", "Expected value to not be null");
	if (amount->type == jbvNumeric)
		number = NumericGetDatum(amount->val.numeric);
	else if (amount->type == jbvString)
		number = DirectFunctionCall3(numeric_in,
									 CStringGetDatum(pnstrdup(amount->val.string.val, amount->val.string.len)),
									 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	else
		invalid_json_input(mutation->input, "amount", "Expected a decimal number");
	return money_ccy_from_numeric_datum(number, currency->code);
}

/* YYYY-MM-DD and nothing else: a day, not an instant. */
static bool
is_date_only(const char *string)
{
	static const char pattern[] = "dddd-dd-dd";

	for (size_t i = 0; i < sizeof(pattern); i++)
	{
		if (pattern[i] == 'd' ? !isdigit((unsigned char) string[i]) : string[i] != pattern[i])
			return false;
	}
	return true;
}

static TimestampTz
get_expiry_field(const Mutation *mutation, JsonbContainer *input)
{
	text	   *value = get_json_text_field(mutation->input, input, "expiresAt");
	char	   *string;

	if (value == NULL)
		return NEVER;
	string = text_to_cstring(value);
	if (is_date_only(string))
		return end_of_shop_day(DatumGetDateADT(DirectFunctionCall1(date_in, CStringGetDatum(string))));
	return DatumGetTimestampTz(DirectFunctionCall3(timestamptz_in, CStringGetDatum(string),
												   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
}

/*
 * An id is an account's gid, or else an owner.  *app is the first part of a gid,
 * to be used again in the answer.
 */
static void
read_id(const text *id, const MoneyCcy *amount, AccountRef *ref, char **app)
{
	char	   *string = text_to_cstring(id);
	char	   *path;

	*app = DEFAULT_GID_APP;
	ref->owner = id;
	memcpy(ref->currency, amount->currency, sizeof(ref->currency));
	if (strncmp(string, GID_SCHEME, strlen(GID_SCHEME)) != 0)
		return;

	string += strlen(GID_SCHEME);
	path = strchr(string, '/');
	if (path == NULL)
		return;
	*app = pnstrdup(string, path - string);
	if (strncmp(path, GID_ACCOUNT, strlen(GID_ACCOUNT)) == 0)
	{
		char	   *number = path + strlen(GID_ACCOUNT);
		char	   *end;

		ref->owner = NULL;
		errno = 0;
		ref->account_id = strtoll(number, &end, 10);
		/* No account has the id 0, so it will not be found. */
		if (errno != 0 || end == number || *end != '\0' || !isdigit((unsigned char) *number))
			ref->account_id = 0;
	}
}

/* ---- writing the answer ---- */

static void
push_key(JsonbParseState **state, const char *key)
{
	JsonbValue	value = {.type = jbvString};

	value.val.string.val = unconstify(char *, key);
	value.val.string.len = strlen(key);
	pushJsonbValue(state, WJB_KEY, &value);
}

/* An element, or a key's value: token says which. */
static void
push_string(JsonbParseState **state, JsonbIteratorToken token, const char *string)
{
	JsonbValue	value = {.type = string == NULL ? jbvNull : jbvString};

	if (string != NULL)
	{
		value.val.string.val = unconstify(char *, string);
		value.val.string.len = strlen(string);
	}
	pushJsonbValue(state, token, &value);
}

static void
push_pair(JsonbParseState **state, const char *key, const char *string)
{
	push_key(state, key);
	push_string(state, WJB_VALUE, string);
}

static void
push_money(JsonbParseState **state, const char *key, const MoneyCcy *money)
{
	push_key(state, key);
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	push_pair(state, "amount", money_ccy_to_decimal_cstring(money));
	push_pair(state, "currencyCode", money->currency);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/* ISO 8601 in UTC, as Shopify's DateTime. */
static char *
iso8601(TimestampTz instant)
{
	struct pg_tm tm;
	fsec_t		fsec;
	char		buf[MAXDATELEN + 1];

	if (timestamp2tm(instant, NULL, &tm, &fsec, NULL, NULL) != 0)
		elog(ERROR, "timestamp out of range");
	EncodeDateTime(&tm, fsec, false, 0, NULL, USE_XSD_DATES, buf);
	return psprintf("%sZ", buf);
}

static void
push_transaction(JsonbParseState **state, const CallResult *result, const char *app)
{
	HeapTupleHeader row = DatumGetHeapTupleHeader(result->rows[0]);
	bool		isnull;
	const MoneyCcy *amount = DatumGetMoneyCcyP(GetAttributeByNum(row, ENTRY_AMOUNT, &isnull));
	const MoneyCcy *balance_after = DatumGetMoneyCcyP(GetAttributeByNum(row, ENTRY_BALANCE_AFTER, &isnull));
	int64		account_id = DatumGetInt64(GetAttributeByNum(row, ENTRY_ACCOUNT_ID, &isnull));
	MoneyCcy	balance = make_money_ccy(result->balance, amount->currency);
	Datum		expires_at;

	push_key(state, "storeCreditAccountTransaction");
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	push_money(state, "amount", amount);
	push_money(state, "balanceAfterTransaction", balance_after);
	push_pair(state, "createdAt", iso8601(DatumGetTimestampTz(GetAttributeByNum(row, ENTRY_CREATED_AT, &isnull))));
	if (amount->minor > 0)
	{
		expires_at = GetAttributeByNum(row, ENTRY_EXPIRES_AT, &isnull);
		push_pair(state, "expiresAt", isnull ? NULL : iso8601(DatumGetTimestampTz(expires_at)));
	}
	push_pair(state, "event", "ADJUSTMENT");
	push_pair(state, "origin", NULL);
	push_key(state, "account");
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	push_pair(state, "id", psprintf(GID_SCHEME "%s" GID_ACCOUNT INT64_FORMAT, app, account_id));
	push_money(state, "balance", &balance);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

static void
push_field(JsonbParseState **state, const Mutation *mutation, LedgerErrorField field)
{
	push_key(state, "field");
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	if (field == FIELD_ID)
		push_string(state, WJB_ELEM, "id");
	else
		push_string(state, WJB_ELEM, mutation->input);
	switch (field)
	{
		case FIELD_ID:
			break;
		case FIELD_AMOUNT:
			push_string(state, WJB_ELEM, mutation->amount);
			push_string(state, WJB_ELEM, "amount");
			break;
		case FIELD_CURRENCY:
			push_string(state, WJB_ELEM, mutation->amount);
			push_string(state, WJB_ELEM, "currencyCode");
			break;
		case FIELD_EXPIRES_AT:
			push_string(state, WJB_ELEM, "expiresAt");
			break;
		case FIELD_IDEMPOTENCY_KEY:
			push_string(state, WJB_ELEM, "idempotencyKey");
			break;
	}
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

static void
push_user_error(JsonbParseState **state, const Mutation *mutation, const LedgerError *error)
{
	const LedgerErrorInfo *info = get_ledger_error_info(error->code);

	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	push_pair(state, "code", str_toupper(info->name, strlen(info->name), C_COLLATION_OID));
	push_pair(state, "message", info->message);
	push_field(state, mutation, info->field);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

static Datum
make_answer(const Mutation *mutation, const LedgerError *error, const CallResult *result, const char *app)
{
	JsonbParseState *state = NULL;
	JsonbValue *answer;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	if (error == NULL)
		push_transaction(&state, result, app);
	else
		push_pair(&state, "storeCreditAccountTransaction", NULL);
	push_key(&state, "userErrors");
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	if (error != NULL)
		push_user_error(&state, mutation, error);
	pushJsonbValue(&state, WJB_END_ARRAY, NULL);
	answer = pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	return JsonbPGetDatum(JsonbValueToJsonb(answer));
}

/* ---- the functions ---- */

static text *
get_id(FunctionCallInfo fcinfo)
{
	text	   *id;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("id must not be null")));
	id = PG_GETARG_TEXT_PP(0);
	check_word(id, "id");
	return id;
}

static JsonbContainer *
get_input(FunctionCallInfo fcinfo, const Mutation *mutation)
{
	Jsonb	   *input;

	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", mutation->input)));
	input = PG_GETARG_JSONB_P(1);
	check_json_fields(mutation->input, &input->root, mutation->input_type, mutation->fields);
	return &input->root;
}

Datum
store_credit_account_credit(PG_FUNCTION_ARGS)
{
	const Mutation *mutation = &credit_mutation;
	text	   *id = get_id(fcinfo);
	JsonbContainer *input = get_input(fcinfo, mutation);
	CreditRequest request = {0};
	CallResult result;
	char	   *app;

	request.amount = get_money_field(mutation, input);
	request.expires_at = get_expiry_field(mutation, input);
	get_json_annotation(mutation->input, input, &request.call);
	request.call.annotation.idempotency_key = get_json_word_field(mutation->input, input, "idempotencyKey");
	read_id(id, &request.amount, &request.call.account, &app);
	return make_answer(mutation, credit_account(&request, &result), &result, app);
}

Datum
store_credit_account_debit(PG_FUNCTION_ARGS)
{
	const Mutation *mutation = &debit_mutation;
	text	   *id = get_id(fcinfo);
	JsonbContainer *input = get_input(fcinfo, mutation);
	DebitRequest request = {0};
	CallResult result;
	char	   *app;

	request.amount = get_money_field(mutation, input);
	request.allow_partial = get_json_bool_field(mutation->input, input, "allowPartial");
	get_json_annotation(mutation->input, input, &request.call);
	request.call.annotation.idempotency_key = get_json_word_field(mutation->input, input, "idempotencyKey");
	read_id(id, &request.amount, &request.call.account, &app);
	return make_answer(mutation, debit_account(&request, &result), &result, app);
}
