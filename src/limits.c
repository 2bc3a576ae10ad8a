/*
 * limits.c
 *		Limits per currency and per account: remembering and setting them.
 *
 * A call must not pay for looking a limit up, so each session remembers the
 * rows of currency_limit.  When they change, the trigger announce_limits()
 * sends an invalidation of the table.  A session takes such messages in when it
 * locks a table that it has not locked yet; a later call in one transaction has
 * all its locks already, so get_currency_limit() asks for them.  So a call that
 * begins after a change has committed goes by it.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "executor/tuptable.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "errors.h"
#include "ledger_tables.h"
#include "limits.h"
#include "money_ccy.h"
#include "records.h"
#include "store.h"

PG_FUNCTION_INFO_V1(store_credit_set_limit);
PG_FUNCTION_INFO_V1(store_credit_set_account_limits);

static MemoryContext limits_context = NULL;
static CurrencyLimit *limits;
static int	limit_count;
static uint64 limits_generation = 0;	/* of the tables when the limits were read */

static const CurrencyLimit no_limit = {
	.max_balance = NO_LIMIT, .max_credit = NO_LIMIT, .max_debit = NO_LIMIT
};

/* ---- remembering ---- */

static int64
limit_of(Relation rel, TupleTableSlot *slot, const char *column)
{
	bool		isnull;
	Datum		value = slot_getattr(slot, get_attnum(RelationGetRelid(rel), column), &isnull);

	return isnull ? NO_LIMIT : DatumGetMoneyCcyP(value)->minor;
}

static void
remember_limit(Relation rel, TupleTableSlot *slot)
{
	CurrencyLimit *limit;
	bool		isnull;
	char	   *currency = TextDatumGetCString(slot_getattr(slot, get_attnum(RelationGetRelid(rel), "currency"), &isnull));

	if (limits == NULL)
		limits = MemoryContextAlloc(limits_context, sizeof(CurrencyLimit));
	else
		limits = repalloc(limits, (limit_count + 1) * sizeof(CurrencyLimit));
	limit = &limits[limit_count++];
	strlcpy(limit->currency, currency, sizeof(limit->currency));
	limit->max_balance = limit_of(rel, slot, "max_balance");
	limit->max_credit = limit_of(rel, slot, "max_credit");
	limit->max_debit = limit_of(rel, slot, "max_debit");
}

/*
 * The newest committed rows are read, not those of the transaction's snapshot:
 * what is remembered outlives the transaction.
 */
static void
read_limits(void)
{
	Relation	rel = table_open(get_ledger_tables()->currency_limit, AccessShareLock);
	uint64		generation = ledger_tables_generation();
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	TableScanDesc scan = table_beginscan(rel, snapshot, 0, NULL);
	TupleTableSlot *slot = table_slot_create(rel, NULL);

	if (limits_context == NULL)
		limits_context = AllocSetContextCreate(CacheMemoryContext, "storecredit limits", ALLOCSET_SMALL_SIZES);
	MemoryContextReset(limits_context);
	limits = NULL;
	limit_count = 0;
	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
		remember_limit(rel, slot);

	ExecDropSingleTupleTableSlot(slot);
	table_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(rel, AccessShareLock);

	/* What was announced while reading makes the next call read again. */
	limits_generation = generation;
}

const CurrencyLimit *
get_currency_limit(const char *currency)
{
	AcceptInvalidationMessages();
	if (unlikely(limits_generation != ledger_tables_generation()))
		read_limits();
	for (int i = 0; i < limit_count; i++)
	{
		if (memcmp(limits[i].currency, currency, CURRENCY_CODE_LENGTH) == 0)
			return &limits[i];
	}
	return &no_limit;
}

/* ---- what the rules have decided ---- */

static int64 vouched_account = 0;
static int64 vouched_minor;

void
vouch_for_balance(int64 account_id, int64 minor)
{
	vouched_account = account_id;
	vouched_minor = minor;
}

bool
is_vouched_for(int64 account_id, int64 minor)
{
	return vouched_account == account_id && vouched_minor == minor;
}

/* ---- setting ---- */

/* A limit, or NULL; of the given currency, and not negative. */
static const MoneyCcy *
get_limit_argument(FunctionCallInfo fcinfo, int n, const char *name, const char *currency)
{
	const MoneyCcy *limit;

	if (PG_ARGISNULL(n))
		return NULL;
	limit = PG_GETARG_MONEY_CCY_P(n);
	if (memcmp(limit->currency, currency, CURRENCY_CODE_LENGTH) != 0)
		raise_ledger_error(new_ledger_error(MISMATCHING_CURRENCY, "%s is %s, which is not in %s.",
											name, money_ccy_to_cstring(limit), currency));
	if (limit->minor < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be negative", name),
				 errdetail("It is %s.", money_ccy_to_cstring(limit))));
	return limit;
}

Datum
store_credit_set_limit(PG_FUNCTION_ARGS)
{
	const Currency *currency;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("currency must not be null")));
	currency = require_currency(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	write_currency_limit(currency->code,
						 get_limit_argument(fcinfo, 1, "max_balance", currency->code),
						 get_limit_argument(fcinfo, 2, "max_credit", currency->code),
						 get_limit_argument(fcinfo, 3, "max_debit", currency->code));
	PG_RETURN_VOID();
}

Datum
store_credit_set_account_limits(PG_FUNCTION_ARGS)
{
	AccountRef	ref = {0};
	Account		account;
	LedgerStore *store;
	const MoneyCcy *max_balance;
	const MoneyCcy *credit_line;
	int64		used;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("account_id must not be null")));
	ref.account_id = PG_GETARG_INT64(0);

	/* This one locks as it takes. */
	store = open_plain_store(true);
	if (!store->take_account(store, &ref, &account))
		raise_ledger_error(new_ledger_error(ACCOUNT_NOT_FOUND, "There is no account " INT64_FORMAT ".",
											ref.account_id));
	max_balance = get_limit_argument(fcinfo, 1, "max_balance", account.currency);
	credit_line = get_limit_argument(fcinfo, 2, "credit_line", account.currency);
	used = account.held - account.balance;
	if (used > 0 && (credit_line == NULL || credit_line->minor < used))
		raise_ledger_error(new_ledger_error(CREDIT_IN_USE, "Account " INT64_FORMAT " has drawn %s from its credit line.",
											account.account_id,
											money_ccy_to_cstring(new_money_ccy(used, account.currency))));
	write_account_limits(&account, max_balance, credit_line);
	store->close(store);
	PG_RETURN_VOID();
}
