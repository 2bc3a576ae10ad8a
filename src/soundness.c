/*
 * soundness.c
 *		The deferred trigger that judges, at commit, what must hold between the
 *		rows of an account.
 *
 * It proves the cheap half of what storecredit.verify() proves: that the account
 * agrees with its newest entry, with its open credits and with its open holds,
 * and that the entry, credit or hold that was written has its place.  By
 * induction the sums of a ledger that began sound stay so, whoever writes the
 * rows, in whatever order within a transaction.
 *
 * Two sessions that change one account at once need no lock here.  Whatever
 * moves money changes the account's row, which orders them; what leaves that row
 * alone leaves the sums alone, and two such changes added up do so as well.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "common/int.h"
#include "utils/builtins.h"

#include "soundness_rows.h"

PG_FUNCTION_INFO_V1(guard_soundness);

/* What verify() calls the same rules; CONSTRAINT NAME of the refusals. */
#define RULE_ORPHAN_TRANSACTION		"orphan_transaction"
#define RULE_ORPHAN_OPEN_CREDIT		"orphan_open_credit"
#define RULE_ORPHAN_HOLD			"orphan_hold"
#define RULE_CURRENCY				"currency"
#define RULE_LAST_SEQ				"last_seq"
#define RULE_LAST_HASH				"last_hash"
#define RULE_LAST_BALANCE			"balance_is_last_balance_after"
#define RULE_LAST_HOLD_ID			"last_hold_id"
#define RULE_HELD					"held_is_open_holds"
#define RULE_OPEN_CREDITS			"balance_is_credits_and_holds"
#define RULE_NO_GAP					"seq_without_gaps"
#define RULE_RUNNING_BALANCE		"balance_after_chain"
#define RULE_CREDIT_EXISTS			"open_credit_is_credit"
#define RULE_REMAINING				"credit_remaining"

/*
 * Accounts that were found sound, each at a place of its own number: a statement
 * may have written many, table by table.  One that another has taken the place of
 * is judged again.
 */
#define SOUND_ACCOUNTS	8192

typedef struct SoundAccount
{
	int64		account_id;
	uint64		as_of;			/* of which state it was found so */
	char		currency[CURRENCY_CODE_LENGTH + 1]; /* empty if there is no such account */
} SoundAccount;

static SoundAccount sound_accounts[SOUND_ACCOUNTS];

pg_noreturn static void
refuse(const Judgement *judgement, const char *rule, const char *subject, const char *expected, const char *found)
{
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("change to table \"%s\" violates ledger rule \"%s\"",
					RelationGetRelationName(judgement->rel), rule),
			 errdetail("Account " INT64_FORMAT ": %s must be %s, found %s.",
					   judgement->account_id, subject, expected, found),
			 errtableconstraint(judgement->rel, rule)));
}

static char *
seq_text(int64 seq)
{
	return psprintf(INT64_FORMAT, seq);
}

static char *
minor_text(int64 minor, const MoneyCcy *like)
{
	MoneyCcy	money = make_money_ccy(minor, like->currency);

	return money_ccy_to_cstring(&money);
}

/* ---- the account as a whole ---- */

static void
judge_missing_account(const Judgement *judgement)
{
	if (int_figure(judgement, NEWEST_SEQ) != 0)
		refuse(judgement, RULE_ORPHAN_TRANSACTION, "what its transactions belong to", "an account", "nothing");
	if (int_figure(judgement, CREDITS_SUM) != 0)
		refuse(judgement, RULE_ORPHAN_OPEN_CREDIT, "what its open credits belong to", "an account", "nothing");
	if (int_figure(judgement, NEWEST_HOLD_ID) != 0)
		refuse(judgement, RULE_ORPHAN_HOLD, "what its holds belong to", "an account", "nothing");
}

static void
judge_currency(const Judgement *judgement, const char *subject, const MoneyCcy *amount, const MoneyCcy *balance)
{
	if (amount != NULL && !same_currency(amount, balance))
		refuse(judgement, RULE_CURRENCY, subject, balance->currency, amount->currency);
}

static void
judge_newest_entry(const Judgement *judgement, const MoneyCcy *balance)
{
	const MoneyCcy *newest = money_figure(judgement, NEWEST_BALANCE);
	int64		expected = newest == NULL ? 0 : newest->minor;

	if (int_figure(judgement, ACCOUNT_LAST_SEQ) != int_figure(judgement, NEWEST_SEQ))
		refuse(judgement, RULE_LAST_SEQ, "last_seq",
			   seq_text(int_figure(judgement, NEWEST_SEQ)), seq_text(int_figure(judgement, ACCOUNT_LAST_SEQ)));
	judge_currency(judgement, "the currency of its newest transaction", newest, balance);
	if (balance->minor != expected)
		refuse(judgement, RULE_LAST_BALANCE, "the balance",
			   minor_text(expected, balance), money_ccy_to_cstring(balance));
}

/* Where a statement of one's own has added entries, storecredit.seal_account() chains them. */
static void
judge_chain(const Judgement *judgement)
{
	char	   *expected = SPI_getvalue(judgement->figures, judgement->figures_desc, ACCOUNT_LAST_HASH);
	char	   *found = SPI_getvalue(judgement->figures, judgement->figures_desc, NEWEST_HASH);

	if (expected != NULL && (found == NULL || strcmp(expected, found) != 0))
		refuse(judgement, RULE_LAST_HASH, "the hash of its newest transaction",
			   psprintf("last_hash, %s", expected), found != NULL ? found : "null");
}

static void
judge_holds(const Judgement *judgement, const MoneyCcy *balance, const MoneyCcy *held)
{
	judge_currency(judgement, "the currency of its holds", money_figure(judgement, HOLDS_LEAST), balance);
	judge_currency(judgement, "the currency of its holds", money_figure(judgement, HOLDS_GREATEST), balance);
	if (held->minor != int_figure(judgement, HOLDS_SUM))
		refuse(judgement, RULE_HELD, "the held money",
			   minor_text(int_figure(judgement, HOLDS_SUM), balance), money_ccy_to_cstring(held));
	if (int_figure(judgement, ACCOUNT_LAST_HOLD_ID) != int_figure(judgement, NEWEST_HOLD_ID))
		refuse(judgement, RULE_LAST_HOLD_ID, "last_hold_id",
			   seq_text(int_figure(judgement, NEWEST_HOLD_ID)), seq_text(int_figure(judgement, ACCOUNT_LAST_HOLD_ID)));
}

/*
 * The open credits are the balance that is not held; none is open while more is
 * held than there is.  The difference cannot overflow: a CHECK keeps it above
 * the credit line.
 */
static void
judge_open_credits(const Judgement *judgement, const MoneyCcy *balance, const MoneyCcy *held)
{
	int64		expected = Max(0, balance->minor - held->minor);

	judge_currency(judgement, "the currency of its open credits", money_figure(judgement, CREDITS_LEAST), balance);
	judge_currency(judgement, "the currency of its open credits", money_figure(judgement, CREDITS_GREATEST), balance);
	if (int_figure(judgement, CREDITS_SUM) != expected)
		refuse(judgement, RULE_OPEN_CREDITS, "the sum of its open credits",
			   minor_text(expected, balance), minor_text(int_figure(judgement, CREDITS_SUM), balance));
}

static void
judge_account(const Judgement *judgement)
{
	const MoneyCcy *balance;
	const MoneyCcy *held;

	balance = money_figure(judgement, ACCOUNT_BALANCE);
	held = money_figure(judgement, ACCOUNT_HELD);
	if (balance == NULL)
	{
		judge_missing_account(judgement);
		return;
	}
	judge_newest_entry(judgement, balance);
	judge_chain(judgement);
	judge_holds(judgement, balance, held);
	judge_open_credits(judgement, balance, held);
}

/*
 * Which state of the transaction's own writes this is.  Rolling back to a
 * savepoint takes changes back without counting as a command, but another
 * subtransaction is current then.
 */
static uint64
current_state(void)
{
	static FullTransactionId transaction;
	static SubTransactionId subtransaction;
	static CommandId command;
	static uint64 as_of = 0;

	/* What the statement that fires this wrote counts as a command of its own. */
	CommandCounterIncrement();
	if (!FullTransactionIdEquals(transaction, GetTopFullTransactionId()) ||
		subtransaction != GetCurrentSubTransactionId() ||
		command != GetCurrentCommandId(false))
	{
		transaction = GetTopFullTransactionId();
		subtransaction = GetCurrentSubTransactionId();
		command = GetCurrentCommandId(false);
		as_of++;
	}
	return as_of;
}

/*
 * One operation changes several rows of an account, and each change is judged.
 * An account found sound is so still if this transaction has written nothing
 * since: what others commit meanwhile is sound by itself.
 */
static void
judge_account_once(Judgement *judgement, Datum account_id)
{
	SoundAccount *sound;
	const MoneyCcy *balance;

	judgement->account_id = DatumGetInt64(account_id);
	judgement->as_of = current_state();
	sound = &sound_accounts[(uint64) judgement->account_id % SOUND_ACCOUNTS];
	judgement->currency = sound->currency;
	if (sound->as_of == judgement->as_of && sound->account_id == judgement->account_id)
		return;

	read_figures(judgement);
	judge_account(judgement);
	balance = money_figure(judgement, ACCOUNT_BALANCE);
	sound->account_id = judgement->account_id;
	sound->as_of = judgement->as_of;
	strlcpy(sound->currency, balance != NULL ? balance->currency : "", sizeof(sound->currency));
}

/* ---- the row that was written ---- */

static void
judge_entry(const Judgement *judgement, HeapTuple row)
{
	int64		seq = DatumGetInt64(ledger_column(judgement->rel, row, "seq", INT8OID));
	const MoneyCcy *amount = DatumGetMoneyCcyP(ledger_column(judgement->rel, row, "amount", money_ccy_type()));
	const MoneyCcy *after = DatumGetMoneyCcyP(ledger_column(judgement->rel, row, "balance_after", money_ccy_type()));
	MoneyCcy	before = make_money_ccy(0, after->currency);
	int64		expected;

	if (seq > 1)
	{
		const MoneyCcy *found = balance_after_entry(judgement, seq - 1);

		if (found == NULL)
			refuse(judgement, RULE_NO_GAP, psprintf("the entry before seq " INT64_FORMAT, seq),
				   seq_text(seq - 1), "none");
		before = *found;
		judge_currency(judgement, psprintf("the currency of seq " INT64_FORMAT, seq), after, &before);
	}
	if (pg_add_s64_overflow(before.minor, amount->minor, &expected))
		money_ccy_out_of_range();
	if (after->minor != expected)
		refuse(judgement, RULE_RUNNING_BALANCE, psprintf("balance_after of seq " INT64_FORMAT, seq),
			   minor_text(expected, after), money_ccy_to_cstring(after));
}

/* Without the row, too, if the transaction changed it again. */
static void
judge_credit(const Judgement *judgement, HeapTuple row)
{
	int64		seq = DatumGetInt64(ledger_column(judgement->rel, row, "seq", INT8OID));
	const CreditFigures *credit = figures_of_credit(judgement, seq);
	int64		size;

	if (credit == NULL || credit->remaining == 0)
		return;
	if (!credit->is_credit)
		refuse(judgement, RULE_CREDIT_EXISTS, psprintf("the transaction of open credit " INT64_FORMAT, seq),
			   "a credit", "none");
	size = minor_add(credit->amount.minor, credit->adjusted);
	if (credit->remaining > size)
		refuse(judgement, RULE_REMAINING, psprintf("what remains of credit " INT64_FORMAT, seq),
			   psprintf("at most %s", minor_text(size, &credit->amount)), minor_text(credit->remaining, &credit->amount));
}

/* Of a closed hold, too, which the account's figures leave out. */
static void
judge_hold(const Judgement *judgement, HeapTuple row)
{
	const MoneyCcy *amount = DatumGetMoneyCcyP(ledger_column(judgement->rel, row, "amount", money_ccy_type()));
	MoneyCcy	like = make_money_ccy(0, judgement->currency);

	if (like.currency[0] != '\0')
		judge_currency(judgement, "the currency of its holds", amount, &like);
}

static bool
has_column(Relation rel, const char *name)
{
	return SPI_fnumber(RelationGetDescr(rel), name) > 0;
}

/* The tables are told apart by their columns: a partition has a name of its own. */
static void
judge_row(const Judgement *judgement, HeapTuple row)
{
	if (has_column(judgement->rel, "balance_after"))
		judge_entry(judgement, row);
	else if (has_column(judgement->rel, "remaining"))
		judge_credit(judgement, row);
	else if (has_column(judgement->rel, "captured"))
		judge_hold(judgement, row);
}

Datum
guard_soundness(PG_FUNCTION_ARGS)
{
	RowChange	change = get_row_change(fcinfo, ON_CHANGE);
	Judgement	judgement = {.rel = change.rel};

	SPI_connect();
	if (change.old_row != NULL)
		judge_account_once(&judgement, ledger_column(change.rel, change.old_row, "account_id", INT8OID));
	if (change.new_row != NULL)
	{
		judge_account_once(&judgement, ledger_column(change.rel, change.new_row, "account_id", INT8OID));
		judge_row(&judgement, change.new_row);
	}
	SPI_finish();
	return PointerGetDatum(NULL);
}
