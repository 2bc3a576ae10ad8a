/*
 * batch.c
 *		Many credits or debits in one statement.
 *
 * The items are grouped by account and the accounts taken in the order of their
 * ids, so that batches cannot deadlock with each other or with anybody who keeps
 * to that order.  Within an account the items keep their order; they are planned
 * one after the other on one Booking, and written at once.  Accounts that do not
 * exist yet come last, in the order of their owners.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "arguments.h"
#include "json_input.h"
#include "ledger.h"
#include "store.h"
#include "store_rows.h"
#include "storecredit.h"

PG_FUNCTION_INFO_V1(store_credit_credit_many);
PG_FUNCTION_INFO_V1(store_credit_debit_many);

/* One of the items. */
typedef struct BatchItem BatchItem;

struct BatchItem
{
	int			number;			/* from 1, as given */
	BatchItem  *before;			/* the last one before it with its account and key, if any */
	union
	{
		Call		call;
		CreditRequest credit;
		DebitRequest debit;
	}			request;

	/* what became of it */
	const LedgerError *error;
	int64		account_id;
	int64		seq;
};

typedef struct Batch
{
	const char *input;			/* what the user calls it */
	bool		is_debit;
	bool		skips;			/* what is refused, instead of raising it */
	BatchItem  *items;
	int			count;
	BatchItem **order;			/* by account */
	MemoryContext context;		/* of one account at a time */
} Batch;

/* Says which item an error is about. */
static void
item_context(void *arg)
{
	const BatchItem *item = arg;

	errcontext("item %d", item->number);
}

/* ---- reading the items ---- */

static const char *const credit_fields[] = {
	"owner", "account_id", "amount", "currency", "expires_at", "expires_on",
	"category", "memo", "reference", "issuer", "idempotency_key", "notify", "metadata", NULL
};

static const char *const debit_fields[] = {
	"owner", "account_id", "amount", "currency", "allow_partial",
	"category", "memo", "reference", "issuer", "idempotency_key", "notify", "metadata", NULL
};

/* "5.00 USD", or a number with "currency" beside it. */
static MoneyCcy
read_amount_field(const Batch *batch, JsonbContainer *object)
{
	JsonbValue *amount = get_json_field(object, "amount");
	text	   *currency = get_json_text_field(batch->input, object, "currency");
	char	   *string;

	if (amount == NULL)
		invalid_json_input(batch->input, "amount", "It is missing");
	if (amount->type == jbvNumeric)
	{
		if (currency == NULL)
			invalid_json_input(batch->input, "currency", "It is missing");
		return money_ccy_from_numeric_datum(NumericGetDatum(amount->val.numeric), text_to_cstring(currency));
	}
	if (amount->type != jbvString)
		invalid_json_input(batch->input, "amount", "Expected a string or a number");
	string = pnstrdup(amount->val.string.val, amount->val.string.len);
	if (currency != NULL)
		string = psprintf("%s %s", string, text_to_cstring(currency));
	return *DatumGetMoneyCcyP(DirectFunctionCall3(money_ccy_in, CStringGetDatum(string),
												  ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
}

static void
read_account_fields(const Batch *batch, JsonbContainer *object, const char *currency, AccountRef *ref)
{
	JsonbValue *account_id = get_json_field(object, "account_id");

	ref->owner = get_json_word_field(batch->input, object, "owner");
	memcpy(ref->currency, currency, sizeof(ref->currency));
	if ((ref->owner == NULL) == (account_id == NULL))
		invalid_json_input(batch->input, "owner", "Expected either an owner or an account_id");
	if (account_id == NULL)
		return;
	if (account_id->type != jbvNumeric)
		invalid_json_input(batch->input, "account_id", "Expected a number");
	/* By its digits: a cast would round 1.5 to an account. */
	ref->account_id = pg_strtoint64(DatumGetCString(
		DirectFunctionCall1(numeric_out, NumericGetDatum(account_id->val.numeric))));
}

static TimestampTz
read_expiry_fields(const Batch *batch, JsonbContainer *object)
{
	text	   *expires_at = get_json_text_field(batch->input, object, "expires_at");
	text	   *expires_on = get_json_text_field(batch->input, object, "expires_on");

	if (expires_at != NULL && expires_on != NULL)
		invalid_json_input(batch->input, "expires_on", "expires_at is given, too");
	if (expires_on != NULL)
		return end_of_shop_day(DatumGetDateADT(DirectFunctionCall1(
			date_in, CStringGetDatum(text_to_cstring(expires_on)))));
	if (expires_at != NULL)
		return DatumGetTimestampTz(DirectFunctionCall3(
			timestamptz_in, CStringGetDatum(text_to_cstring(expires_at)),
			ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
	return NEVER;
}

static void
read_item(const Batch *batch, JsonbValue *value, BatchItem *item)
{
	Call	   *call = &item->request.call;
	JsonbContainer *object;
	MoneyCcy	amount;

	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		invalid_json_input(batch->input, "item", "Expected an object");
	object = value->val.binary.data;
	check_json_fields(batch->input, object, "item", batch->is_debit ? debit_fields : credit_fields);

	amount = read_amount_field(batch, object);
	read_account_fields(batch, object, amount.currency, &call->account);
	get_json_annotation(batch->input, object, call);
	call->annotation.idempotency_key = get_json_word_field(batch->input, object, "idempotency_key");
	if (batch->is_debit)
	{
		item->request.debit.amount = amount;
		item->request.debit.allow_partial = get_json_bool_field(batch->input, object, "allow_partial");
		prepare_debit(&item->request.debit);
	}
	else
	{
		item->request.credit.amount = amount;
		item->request.credit.expires_at = read_expiry_fields(batch, object);
		prepare_credit(&item->request.credit);
	}
}

static void
read_items(Batch *batch, Jsonb *input)
{
	if (!JB_ROOT_IS_ARRAY(input) || JB_ROOT_IS_SCALAR(input))
		invalid_json_input(batch->input, batch->input, "Expected an array");
	batch->count = JB_ROOT_COUNT(input);
	batch->items = MemoryContextAllocExtended(CurrentMemoryContext, Max(1, batch->count) * sizeof(BatchItem),
											  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	if (batch->count > 0)
	{
		JsonbIterator *it = JsonbIteratorInit(&input->root);
		JsonbValue	value;
		int			i = 0;

		while (true)
		{
			JsonbIteratorToken token = JsonbIteratorNext(&it, &value, true);
			ErrorContextCallback context = {.previous = error_context_stack, .callback = item_context};

			if (token == WJB_DONE)
				break;
			if (token != WJB_ELEM)
				continue;
			batch->items[i].number = i + 1;
			context.arg = &batch->items[i];
			error_context_stack = &context;
			read_item(batch, &value, &batch->items[i]);
			error_context_stack = context.previous;
			i++;
		}
	}
}

/* ---- putting them in order ---- */

/* Sets account_id of each item whose account exists. */
static void
find_accounts(Batch *batch)
{
	LedgerStore *store = open_store(false);

	store->many_accounts = true;
	for (int i = 0; i < batch->count; i++)
	{
		BatchItem  *item = &batch->items[i];
		Account		account;

		item->account_id = item->request.call.account.account_id;
		if (item->request.call.account.owner != NULL &&
			store->take_account(store, &item->request.call.account, &account))
			item->account_id = account.account_id;
		CHECK_FOR_INTERRUPTS();
	}
	store->close(store);
}

static int
compare_texts(const text *a, const text *b)
{
	int			length_a = VARSIZE_ANY_EXHDR(a);
	int			length_b = VARSIZE_ANY_EXHDR(b);
	int			result = memcmp(VARDATA_ANY(a), VARDATA_ANY(b), Min(length_a, length_b));

	return result != 0 ? result : length_a - length_b;
}

static int
compare_owners(const AccountRef *a, const AccountRef *b)
{
	int			result = compare_texts(a->owner, b->owner);

	return result != 0 ? result : strcmp(a->currency, b->currency);
}

/* Its account is named by its owner, and does not exist. */
static bool
has_new_account(const BatchItem *item)
{
	return item->account_id == 0 && item->request.call.account.owner != NULL;
}

/* Zero for two items of one account. */
static int
compare_accounts(const BatchItem *a, const BatchItem *b)
{
	if (has_new_account(a) != has_new_account(b))
		return has_new_account(a) ? 1 : -1;
	if (has_new_account(a))
		return compare_owners(&a->request.call.account, &b->request.call.account);
	if (a->account_id != b->account_id)
		return a->account_id < b->account_id ? -1 : 1;
	return 0;
}

static int
compare_items(const void *a, const void *b)
{
	const BatchItem *left = *(BatchItem *const *) a;
	const BatchItem *right = *(BatchItem *const *) b;
	int			result = compare_accounts(left, right);

	return result != 0 ? result : left->number - right->number;
}

static const text *
key_of_item(const BatchItem *item)
{
	return item->request.call.annotation.idempotency_key;
}

/* Zero for two items of one account with one key. */
static int
compare_keys(const BatchItem *a, const BatchItem *b)
{
	int			result = compare_accounts(a, b);

	return result != 0 ? result : compare_texts(key_of_item(a), key_of_item(b));
}

static int
compare_items_by_key(const void *a, const void *b)
{
	const BatchItem *left = *(BatchItem *const *) a;
	const BatchItem *right = *(BatchItem *const *) b;
	int			result = compare_keys(left, right);

	return result != 0 ? result : left->number - right->number;
}

/* Sets before of each item. */
static void
find_repeated_keys(Batch *batch)
{
	BatchItem **with_key = palloc_extended(Max(1, batch->count) * sizeof(BatchItem *), MCXT_ALLOC_HUGE);
	int			count = 0;

	for (int i = 0; i < batch->count; i++)
	{
		if (key_of_item(&batch->items[i]) != NULL)
			with_key[count++] = &batch->items[i];
	}
	qsort(with_key, count, sizeof(BatchItem *), compare_items_by_key);
	for (int i = 1; i < count; i++)
	{
		if (compare_keys(with_key[i - 1], with_key[i]) == 0)
			with_key[i]->before = with_key[i - 1];
	}
	pfree(with_key);
}

static void
order_items(Batch *batch)
{
	batch->order = palloc_extended(Max(1, batch->count) * sizeof(BatchItem *), MCXT_ALLOC_HUGE);
	for (int i = 0; i < batch->count; i++)
		batch->order[i] = &batch->items[i];
	qsort(batch->order, batch->count, sizeof(BatchItem *), compare_items);
}

/* ---- one account's items ---- */

/* Its key may also be that of an item before it, which is planned but not written. */
static bool
find_replay_in_batch(BatchItem *item, const LedgerError **error)
{
	const BatchItem *earlier = item->before;

	while (earlier != NULL && earlier->error != NULL)
		earlier = earlier->before;
	if (earlier == NULL)
		return false;
	item->seq = earlier->seq;
	if (earlier->request.call.request_hash != item->request.call.request_hash)
		*error = key_mismatch(key_of_item(item), item->account_id);
	return true;
}

static const LedgerError *
plan_item(Booking *booking, BatchItem *item)
{
	Call	   *call = &item->request.call;
	const LedgerError *error = NULL;
	LedgerError *replay_error = NULL;
	CallResult	replay;

	item->account_id = booking->account.account_id;
	call->answer_count = 0;
	if (!booking->exists && (call->account.owner == NULL || !call->opens_account))
		return no_such_account(&call->account);
	if (booking->exists && find_replay(booking, call, &replay, &replay_error))
	{
		item->seq = seq_of_row(replay.rows[0]);
		return replay_error;
	}
	if (find_replay_in_batch(item, &error))
		return error;
	error = call->plan(booking, call);
	if (error == NULL)
		item->seq = booking->entries[call->answers[0]].seq;
	return error;
}

static void
notify_of_items(Booking *booking, BatchItem *const *items, int count)
{
	for (int i = 0; i < count; i++)
	{
		if (items[i]->error == NULL && items[i]->request.call.answer_count > 0)
			notify_of_answers(booking, &items[i]->request.call);
	}
}

static void
raise_error_of_item(BatchItem *item)
{
	ErrorContextCallback context = {
		.previous = error_context_stack, .callback = item_context, .arg = item
	};

	error_context_stack = &context;
	raise_ledger_error(item->error);
}

/* False if somebody changed the account while it was being planned on, or if there is one now. */
static bool
attempt_items(Batch *batch, Booking *booking, BatchItem *const *items, int count)
{
	LedgerStore *store = booking->store;
	AccountRef	by_id = {.account_id = items[0]->account_id};
	bool		exists = take_account(booking, has_new_account(items[0]) ? &items[0]->request.call.account : &by_id);

	for (int i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		items[i]->error = plan_item(booking, items[i]);
		if (items[i]->error != NULL && !batch->skips)
		{
			if (exists && !store->confirm_account(store, &booking->account))
				return false;
			raise_error_of_item(items[i]);
		}
	}

	if (booking->entry_count == 0)
		return !exists || store->confirm_account(store, &booking->account);
	if (!exists)
	{
		open_account_for(booking, &items[0]->request.call.account);
		return false;
	}
	notify_of_items(booking, items, count);
	return write_booking(booking);
}

/* Errors outlive the memory that an account's items are planned in. */
static void
keep_errors(BatchItem *const *items, int count)
{
	for (int i = 0; i < count; i++)
	{
		if (items[i]->error != NULL)
			items[i]->error = new_ledger_error(items[i]->error->code, "%s", items[i]->error->detail);
	}
}

static void
perform_batch(Batch *batch)
{
	MemoryContext caller = CurrentMemoryContext;
	Booking		booking;
	int			end;

	batch->context = AllocSetContextCreate(caller, "account of a batch", ALLOCSET_DEFAULT_SIZES);
	open_booking(&booking, true);
	booking.store->result_context = batch->context;
	for (int start = 0; start < batch->count; start = end)
	{
		BatchItem **items = &batch->order[start];

		end = start + 1;
		while (end < batch->count && compare_accounts(items[0], batch->order[end]) == 0)
			end++;

		MemoryContextSwitchTo(batch->context);
		booking.opened = false;
		booking.store->many_accounts = true;
		while (!attempt_items(batch, &booking, items, end - start))
		{
			CHECK_FOR_INTERRUPTS();
			booking.store->many_accounts = false;
		}
		MemoryContextSwitchTo(caller);
		keep_errors(items, end - start);
		MemoryContextReset(batch->context);
		CHECK_FOR_INTERRUPTS();
	}
	close_booking(&booking);
}

/* ---- the functions ---- */

static void
answer_with_item(ReturnSetInfo *rsinfo, const BatchItem *item)
{
	Datum		values[7];
	bool		isnull[7] = {false};

	values[0] = Int64GetDatum(item->number);
	values[1] = Int64GetDatum(item->account_id);
	isnull[1] = item->account_id == 0;
	values[2] = Int64GetDatum(item->seq);
	isnull[2] = item->error != NULL;
	memset(&isnull[3], item->error == NULL, 4);
	if (item->error != NULL)
	{
		const LedgerErrorInfo *info = get_ledger_error_info(item->error->code);

		values[3] = CStringGetTextDatum(info->name);
		values[4] = CStringGetTextDatum(unpack_sql_state(info->sqlstate));
		values[5] = CStringGetTextDatum(info->message);
		values[6] = CStringGetTextDatum(item->error->detail);
	}
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, isnull);
}

static bool
get_on_error(FunctionCallInfo fcinfo)
{
	char	   *on_error;

	require_argument(fcinfo, 1, "on_error");
	on_error = text_to_cstring(PG_GETARG_TEXT_PP(1));
	if (strcmp(on_error, "skip") == 0)
		return true;
	if (strcmp(on_error, "raise") == 0)
		return false;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unrecognized value for on_error: \"%s\"", on_error),
			 errhint("It can be \"raise\" or \"skip\".")));
}

static Datum
many(FunctionCallInfo fcinfo, const char *input, bool is_debit)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Batch		batch = {.input = input, .is_debit = is_debit};

	InitMaterializedSRF(fcinfo, 0);
	require_argument(fcinfo, 0, input);
	batch.skips = get_on_error(fcinfo);
	read_items(&batch, PG_GETARG_JSONB_P(0));
	find_accounts(&batch);
	order_items(&batch);
	find_repeated_keys(&batch);
	perform_batch(&batch);
	for (int i = 0; i < batch.count; i++)
		answer_with_item(rsinfo, &batch.items[i]);
	return (Datum) 0;
}

Datum
store_credit_credit_many(PG_FUNCTION_ARGS)
{
	return many(fcinfo, "credits", false);
}

Datum
store_credit_debit_many(PG_FUNCTION_ARGS)
{
	return many(fcinfo, "debits", true);
}
