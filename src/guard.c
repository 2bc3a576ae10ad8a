/*
 * guard.c
 *		Triggers on the ledger's tables: what no statement may do to a row.
 *
 * They judge the stored row, after every BEFORE trigger, and fire ALWAYS, on a
 * subscriber too: what they refuse is wrong wherever it comes from.  The limit
 * on the balance is not of that kind, since a balance that was within the limit
 * may arrive after the limit was lowered; it is judged where the change is made.
 *
 * What must hold between the rows of an account is in soundness.c.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/inval.h"

#include "errors.h"
#include "limits.h"
#include "money_ccy.h"
#include "row_trigger.h"
#include "storecredit.h"

PG_FUNCTION_INFO_V1(guard_account);
PG_FUNCTION_INFO_V1(guard_transaction);
PG_FUNCTION_INFO_V1(guard_hold);
PG_FUNCTION_INFO_V1(guard_period);
PG_FUNCTION_INFO_V1(guard_truncate);
PG_FUNCTION_INFO_V1(announce_limits);

/* CONSTRAINT NAME of the refusals, all of SQLSTATE 23001. */
#define APPEND_ONLY_HISTORY	"append_only_history"
#define ACCOUNT_IDENTITY	"account_identity"

static int64
bigint_of(const RowChange *change, HeapTuple row, const char *column)
{
	return DatumGetInt64(ledger_column(change->rel, row, column, INT8OID));
}

static const MoneyCcy *
money_of(const RowChange *change, HeapTuple row, const char *column)
{
	return DatumGetMoneyCcyP(ledger_column(change->rel, row, column, money_ccy_type()));
}

/* ---- columns that stay as they are ---- */

/* By bytes, not by the type's equality: 1.0 in place of 1.00 is a change of history. */
static bool
column_changed(const RowChange *change, int attnum)
{
	TupleDesc	desc = RelationGetDescr(change->rel);
	Form_pg_attribute att = TupleDescAttr(desc, attnum - 1);
	bool		old_isnull;
	bool		new_isnull;
	Datum		old_value = heap_getattr(change->old_row, attnum, desc, &old_isnull);
	Datum		new_value = heap_getattr(change->new_row, attnum, desc, &new_isnull);

	if (old_isnull || new_isnull)
		return old_isnull != new_isnull;
	return !datum_image_eq(old_value, new_value, att->attbyval, att->attlen);
}

static bool
column_changed_by_name(const RowChange *change, const char *column)
{
	int			attnum = SPI_fnumber(RelationGetDescr(change->rel), column);

	return attnum > 0 && column_changed(change, attnum);
}

static void
refuse_column_change(const RowChange *change, const char *column, const char *constraint, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_RESTRICT_VIOLATION),
			 errmsg("column \"%s\" of table \"%s\" cannot be changed", column, RelationGetRelationName(change->rel)),
			 errdetail("%s", detail),
			 errtableconstraint(change->rel, constraint)));
}

static void
require_unchanged(const RowChange *change, const char *const *columns, int count,
				  const char *constraint, const char *detail)
{
	for (int i = 0; i < count; i++)
	{
		if (column_changed_by_name(change, columns[i]))
			refuse_column_change(change, columns[i], constraint, detail);
	}
}

static bool
is_one_of(const char *name, const char *const *names)
{
	for (; *names != NULL; names++)
	{
		if (strcmp(name, *names) == 0)
			return true;
	}
	return false;
}

/* The columns that may hold what a customer can ask to have erased, and what made its digest no clue to it. */
static bool
is_blanked(const RowChange *change, int attnum, const char *name)
{
	static const char *const names[] = {"memo", "metadata", "salt", NULL};

	return heap_attisnull(change->new_row, attnum, RelationGetDescr(change->rel)) && is_one_of(name, names);
}

/* The columns of the chain of hashes (chain.h) may be filled in later; the hash is judged by check_new_hash(). */
static bool
is_chained(const RowChange *change, int attnum, const char *name)
{
	static const char *const names[] = {"hash", "salt", "memo_digest", "metadata_digest", NULL};

	return heap_attisnull(change->old_row, attnum, RelationGetDescr(change->rel)) && is_one_of(name, names);
}

static void
require_only_blanked(const RowChange *change, const char *detail)
{
	TupleDesc	desc = RelationGetDescr(change->rel);

	for (int attnum = 1; attnum <= desc->natts; attnum++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, attnum - 1);
		const char *name = NameStr(att->attname);

		if (!att->attisdropped && column_changed(change, attnum) &&
			!is_blanked(change, attnum, name) && !is_chained(change, attnum, name))
			refuse_column_change(change, name, APPEND_ONLY_HISTORY, detail);
	}
}

static void
refuse_delete(const RowChange *change, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_RESTRICT_VIOLATION),
			 errmsg("rows of table \"%s\" cannot be deleted", RelationGetRelationName(change->rel)),
			 errdetail("%s", detail),
			 errtableconstraint(change->rel, APPEND_ONLY_HISTORY)));
}

/* ---- account ---- */

static bool
is_empty(const RowChange *change, HeapTuple row)
{
	return money_of(change, row, "balance")->minor == 0 && money_of(change, row, "held")->minor == 0;
}

/* An owner may be replaced, to erase a person; money never passes to another owner that way. */
static void
check_new_owner(const RowChange *change)
{
	HeapTuple	row = is_empty(change, change->old_row) ? change->new_row : change->old_row;

	if (column_changed_by_name(change, "owner") && !is_empty(change, row))
		refuse_column_change(change, "owner", ACCOUNT_IDENTITY,
							 psprintf("Account " INT64_FORMAT " has a balance of %s and %s held; its owner can change only while both are zero.",
									  bigint_of(change, row, "account_id"),
									  money_ccy_to_cstring(money_of(change, row, "balance")),
									  money_ccy_to_cstring(money_of(change, row, "held"))));
}

static void
check_account_identity(const RowChange *change)
{
	static const char *const identity[] = {"account_id", "currency", "opened_at"};

	require_unchanged(change, identity, lengthof(identity), ACCOUNT_IDENTITY,
					  "An account keeps its number, its currency and the time it was opened.");
	check_new_owner(change);
}

static int64
max_balance_of(const RowChange *change, const MoneyCcy *balance)
{
	TupleDesc	desc = RelationGetDescr(change->rel);
	int			attnum = SPI_fnumber(desc, "max_balance");

	if (attnum > 0 && !heap_attisnull(change->new_row, attnum, desc))
		return money_of(change, change->new_row, "max_balance")->minor;

	return get_currency_limit(balance->currency)->max_balance;
}

/* Only a balance that grows is refused: one above a limit lowered since can still be spent. */
static void
check_max_balance(const RowChange *change)
{
	const MoneyCcy *balance = money_of(change, change->new_row, "balance");
	int64		before = change->old_row ? money_of(change, change->old_row, "balance")->minor : 0;
	MoneyCcy	limit;

	if (balance->minor <= before ||
		is_vouched_for(bigint_of(change, change->new_row, "account_id"), balance->minor))
		return;
	limit = make_money_ccy(max_balance_of(change, balance), balance->currency);
	if (balance->minor > limit.minor)
		raise_ledger_error(new_ledger_error(CREDIT_LIMIT_EXCEEDED,
											"The balance of account " INT64_FORMAT " would be %s, the limit is %s.",
											bigint_of(change, change->new_row, "account_id"),
											money_ccy_to_cstring(balance), money_ccy_to_cstring(&limit)));
}

Datum
guard_account(PG_FUNCTION_ARGS)
{
	RowChange	change = get_row_change(fcinfo, ON_CHANGE);

	if (change.new_row == NULL)
	{
		if (bigint_of(&change, change.old_row, "last_seq") > 0)
			refuse_delete(&change, "An account with a history stays forever.");
		return PointerGetDatum(NULL);
	}
	if (change.old_row != NULL)
		check_account_identity(&change);
	if (SessionReplicationRole != SESSION_REPLICATION_ROLE_REPLICA)
		check_max_balance(&change);
	return PointerGetDatum(NULL);
}

/* ---- history ---- */

static KeptStatement chained_entry = {
	.query =
	"SELECT FROM storecredit.transaction e"
	" LEFT JOIN storecredit.transaction p ON p.account_id OPERATOR(pg_catalog.=) $1"
	"  AND p.seq OPERATOR(pg_catalog.=) ($2 OPERATOR(pg_catalog.-) 1)"
	" WHERE e.account_id OPERATOR(pg_catalog.=) $1 AND e.seq OPERATOR(pg_catalog.=) $2"
	" AND e.hash OPERATOR(pg_catalog.=) storecredit.transaction_hash(e,"
	"  CASE WHEN p.seq IS NULL THEN storecredit.chain_start() ELSE p.hash END)",
	.nargs = 2, .argtypes = {INT8OID, INT8OID}
};

/* An entry that had no hash gets the only one that fits. */
static void
check_new_hash(const RowChange *change)
{
	int64		seq = bigint_of(change, change->new_row, "seq");
	Datum		values[] = {Int64GetDatum(bigint_of(change, change->new_row, "account_id")), Int64GetDatum(seq)};

	/* To see the rows as they are written by now. */
	CommandCounterIncrement();
	SPI_connect();
	if (select_as_role(change->rel->rd_rel->relowner, &chained_entry, values) == 0)
		refuse_column_change(change, "hash", APPEND_ONLY_HISTORY,
							 psprintf("It does not fit behind the transaction before seq " INT64_FORMAT ".", seq));
	SPI_finish();
}

Datum
guard_transaction(PG_FUNCTION_ARGS)
{
	RowChange	change = get_row_change(fcinfo, ON_UPDATE | ON_DELETE);

	if (change.new_row == NULL)
		refuse_delete(&change, "History is never rewritten: a wrong entry is corrected by another one.");
	require_only_blanked(&change, "History is never rewritten; only \"memo\" and \"metadata\" may be set to null.");
	if (column_changed_by_name(&change, "hash"))
		check_new_hash(&change);
	return PointerGetDatum(NULL);
}

/* ---- holds ---- */

static void
check_captured(const RowChange *change)
{
	const MoneyCcy *before = money_of(change, change->old_row, "captured");
	const MoneyCcy *after = money_of(change, change->new_row, "captured");

	if (after->minor < before->minor)
		refuse_column_change(change, "captured", APPEND_ONLY_HISTORY,
							 psprintf("It would fall from %s to %s, and what was captured stays so.",
									  money_ccy_to_cstring(before), money_ccy_to_cstring(after)));
}

Datum
guard_hold(PG_FUNCTION_ARGS)
{
	static const char *const identity[] = {
		"account_id", "hold_id", "amount", "created_at", "issuer", "recorded_by",
		"idempotency_key", "request_hash", "authorized"
	};
	RowChange	change = get_row_change(fcinfo, ON_UPDATE | ON_DELETE);
	char	   *status;

	if (change.new_row == NULL)
		refuse_delete(&change, "A hold is closed, never deleted.");

	status = TextDatumGetCString(ledger_column(change.rel, change.old_row, "status", TEXTOID));
	if (strcmp(status, "open") != 0)
		require_only_blanked(&change, "A closed hold stays as it is; only \"memo\" and \"metadata\" may be set to null.");
	else
	{
		require_unchanged(&change, identity, lengthof(identity), APPEND_ONLY_HISTORY,
						  "What a hold is for stays as it was authorized.");
		check_captured(&change);
	}
	return PointerGetDatum(NULL);
}

/* ---- closed periods ---- */

static void
require_open(const RowChange *change, const char *column)
{
	TupleDesc	desc = RelationGetDescr(change->rel);
	int			attnum = SPI_fnumber(desc, column);
	bool		isnull;
	Datum		instant;

	if (attnum <= 0)
		return;
	instant = heap_getattr(change->new_row, attnum, desc, &isnull);
	if (!isnull)
		require_open_period(DatumGetTimestampTz(instant));
}

/*
 * What is written now may not be dated in a period whose books are closed.  What
 * was written before the period was closed may arrive after it, so this is judged
 * where the change is made.
 */
Datum
guard_period(PG_FUNCTION_ARGS)
{
	RowChange	change = get_row_change(fcinfo, ON_INSERT | ON_UPDATE);

	if (change.old_row == NULL)
		require_open(&change, "created_at");
	else if (column_changed_by_name(&change, "closed_at"))
		require_open(&change, "closed_at");
	return PointerGetDatum(NULL);
}

/* ---- whole tables ---- */

Datum
guard_truncate(PG_FUNCTION_ARGS)
{
	TriggerData *data = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) ||
		!TRIGGER_FIRED_BEFORE(data->tg_event) ||
		!TRIGGER_FIRED_BY_TRUNCATE(data->tg_event))
		refuse_trigger_use(fcinfo, "BEFORE TRUNCATE");

	ereport(ERROR,
			(errcode(ERRCODE_RESTRICT_VIOLATION),
			 errmsg("table \"%s\" cannot be truncated", RelationGetRelationName(data->tg_relation)),
			 errdetail("It is part of the store credit ledger."),
			 errtableconstraint(data->tg_relation, APPEND_ONLY_HISTORY)));
	return PointerGetDatum(NULL);	/* not reached */
}

/*
 * Sessions remember the limits, as a call must not pay for reading them, and
 * forget them when the relation cache says that currency_limit has changed
 * (ledger_tables.c).  Changing its rows alone would not say so: this does.  The
 * message goes out when the transaction commits, and it reaches this session
 * itself before its next command, or when it rolls back.  It travels in the
 * commit record, too, so that sessions on a standby forget as well.
 *
 * FOR EACH ROW, since the apply worker of a subscription fires no statement
 * triggers for rows; many rows of one command still make one message.
 */
Datum
announce_limits(PG_FUNCTION_ARGS)
{
	TriggerData *data = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(data->tg_event))
		refuse_trigger_use(fcinfo, "AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE");

	CacheInvalidateRelcache(data->tg_relation);
	return PointerGetDatum(NULL);
}
