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
#include "utils/memutils.h"

#include "money_ccy.h"
#include "row_trigger.h"

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

/* How many rows are read in one go: the one that is asked for, and those after it, which may be judged next. */
#define ROWS_READ	16

/*
 * Sums too large for a bigint end in 22003: no sound account has them.  The
 * least and the greatest amount tell whether all are of one currency, as
 * money_ccy is ordered by currency first.
 */
#define FIGURES_OF(account_id, account) \
	"SELECT a.last_seq, a.balance, a.held, a.last_hold_id," \
	" t.seq, t.balance_after," \
	" o.remaining, o.least, o.greatest," \
	" h.held, h.least, h.greatest, n.hold_id," \
	" pg_catalog.encode(a.last_hash, 'hex'), pg_catalog.encode(CASE WHEN t.seq IS NULL" \
	"  THEN pg_catalog.decode(pg_catalog.repeat('00', 32), 'hex') ELSE t.hash END, 'hex')," \
	" " account_id \
	" FROM " account \
	" LEFT JOIN LATERAL (SELECT e.seq, e.balance_after, e.hash FROM storecredit.transaction e" \
	"  WHERE e.account_id OPERATOR(pg_catalog.=) " account_id " ORDER BY e.seq DESC LIMIT 1) t ON true" \
	" CROSS JOIN LATERAL (SELECT pg_catalog.sum(storecredit.money_ccy_to_minor(c.remaining))::pg_catalog.int8," \
	"  storecredit.min(c.remaining), storecredit.max(c.remaining)" \
	"  FROM storecredit.open_credit c" \
	"  WHERE c.account_id OPERATOR(pg_catalog.=) " account_id ") o (remaining, least, greatest)" \
	" CROSS JOIN LATERAL (SELECT pg_catalog.sum(storecredit.money_ccy_to_minor(d.amount)" \
	"  OPERATOR(pg_catalog.-) storecredit.money_ccy_to_minor(d.captured))::pg_catalog.int8," \
	"  storecredit.min(d.amount), storecredit.max(d.amount)" \
	"  FROM storecredit.hold d" \
	"  WHERE d.account_id OPERATOR(pg_catalog.=) " account_id " AND d.status OPERATOR(pg_catalog.=) 'open') h (held, least, greatest)" \
	" LEFT JOIN LATERAL (SELECT d.hold_id FROM storecredit.hold d" \
	"  WHERE d.account_id OPERATOR(pg_catalog.=) " account_id " ORDER BY d.hold_id DESC LIMIT 1) n ON true"

/* Of an account, which there may not be. */
static KeptStatement account_figures = {
	.query = FIGURES_OF("$1", "(SELECT $1) one (account_id)"
						" LEFT JOIN storecredit.account a ON a.account_id OPERATOR(pg_catalog.=) $1"),
	.nargs = 1, .argtypes = {INT8OID}
};

/* Of some accounts that there are, one after the other. */
static KeptStatement accounts_figures = {
	.query = FIGURES_OF("a.account_id", "(SELECT b.* FROM storecredit.account b"
						" WHERE b.account_id OPERATOR(pg_catalog.>=) $1"
						" ORDER BY b.account_id LIMIT " CppAsString2(ROWS_READ) ") a"),
	.nargs = 1, .argtypes = {INT8OID}
};

enum
{
	ACCOUNT_LAST_SEQ = 1,
	ACCOUNT_BALANCE,
	ACCOUNT_HELD,
	ACCOUNT_LAST_HOLD_ID,
	NEWEST_SEQ,
	NEWEST_BALANCE,
	CREDITS_SUM,
	CREDITS_LEAST,
	CREDITS_GREATEST,
	HOLDS_SUM,
	HOLDS_LEAST,
	HOLDS_GREATEST,
	NEWEST_HOLD_ID,
	ACCOUNT_LAST_HASH,			/* in hexadecimal, as is the next */
	NEWEST_HASH,
	ACCOUNT_ID,
};

static KeptStatement entry_balances = {
	.query =
	"SELECT e.seq, e.balance_after FROM storecredit.transaction e"
	" WHERE e.account_id OPERATOR(pg_catalog.=) $1 AND e.seq OPERATOR(pg_catalog.>=) $2"
	" ORDER BY e.seq LIMIT " CppAsString2(ROWS_READ),
	.nargs = 2, .argtypes = {INT8OID, INT8OID}
};

/* What is left of credits, over all their rows, and the credits themselves with what edits have changed. */
static KeptStatement credit_figures = {
	.query =
	"SELECT o.seq, o.remaining,"
	" (SELECT t.amount FROM storecredit.transaction t"
	"  WHERE t.account_id OPERATOR(pg_catalog.=) $1 AND t.seq OPERATOR(pg_catalog.=) o.seq"
	"  AND t.kind OPERATOR(pg_catalog.=) 'credit'),"
	" (SELECT pg_catalog.sum(storecredit.money_ccy_to_minor(e.amount))::pg_catalog.int8"
	"  FROM storecredit.transaction e"
	"  WHERE e.account_id OPERATOR(pg_catalog.=) $1 AND e.related_seq OPERATOR(pg_catalog.=) o.seq"
	"  AND e.kind OPERATOR(pg_catalog.=) 'adjustment')"
	" FROM (SELECT c.seq, pg_catalog.sum(storecredit.money_ccy_to_minor(c.remaining))::pg_catalog.int8"
	"  FROM storecredit.open_credit c"
	"  WHERE c.account_id OPERATOR(pg_catalog.=) $1 AND c.seq OPERATOR(pg_catalog.>=) $2"
	"  AND c.seq OPERATOR(pg_catalog.<=) $3"
	"  GROUP BY c.seq ORDER BY c.seq LIMIT " CppAsString2(ROWS_READ) ") o (seq, remaining)",
	.nargs = 3, .argtypes = {INT8OID, INT8OID, INT8OID}
};

/*
 * Accounts that were found sound, each at a place of its own number: a statement
 * may have written many, table by table.  One that another has taken the place of
 * is judged again.
 */
#define SOUND_ACCOUNTS	8192

typedef struct SoundAccount
{
	int64		account_id;
	uint64		as_of;			/* which judgement it was found in; never 0 */
	char		currency[CURRENCY_CODE_LENGTH + 1]; /* empty if there is no such account */
} SoundAccount;

static SoundAccount sound_accounts[SOUND_ACCOUNTS];

/* What is under judgement, by the newest rows. */
typedef struct Judgement
{
	Relation	rel;			/* the table whose change is judged */
	int64		account_id;
	HeapTuple	figures;		/* of the account */
	TupleDesc	figures_desc;
	const SoundAccount *account;	/* found sound as of now */
} Judgement;

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

/* ---- the figures of the account; null is zero, or NULL ---- */

static int64
int_figure(const Judgement *judgement, int column)
{
	bool		isnull;
	Datum		value = SPI_getbinval(judgement->figures, judgement->figures_desc, column, &isnull);

	return isnull ? 0 : DatumGetInt64(value);
}

static const MoneyCcy *
money_figure(const Judgement *judgement, int column)
{
	bool		isnull;
	Datum		value = SPI_getbinval(judgement->figures, judgement->figures_desc, column, &isnull);

	return isnull ? NULL : DatumGetMoneyCcyP(value);
}

/* The rows of the account; from one seq to another, where the statement asks for a range. */
static uint64
look_up(const Judgement *judgement, KeptStatement *statement, int64 from, int64 to)
{
	Datum		values[] = {Int64GetDatum(judgement->account_id), Int64GetDatum(from), Int64GetDatum(to)};

	return select_as_role(judgement->rel->rd_rel->relowner, statement, values);
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

/* Figures of accounts that follow each other, read in one go; good as of the same as those of the first. */
static struct
{
	MemoryContext context;
	uint64		as_of;			/* 0 for none */
	int			count;
	HeapTuple	figures[ROWS_READ];
	TupleDesc	desc;
} accounts_read;

static bool
find_figures(Judgement *judgement, uint64 as_of)
{
	if (accounts_read.as_of != as_of)
		return false;
	judgement->figures_desc = accounts_read.desc;
	for (int i = 0; i < accounts_read.count; i++)
	{
		judgement->figures = accounts_read.figures[i];
		if (int_figure(judgement, ACCOUNT_ID) == judgement->account_id)
			return true;
	}
	return false;
}

static void
read_figures_of_accounts(const Judgement *judgement, uint64 as_of)
{
	MemoryContext spi_context = CurrentMemoryContext;

	if (accounts_read.context == NULL)
		accounts_read.context = AllocSetContextCreate(TopMemoryContext, "storecredit figures of accounts",
													  ALLOCSET_SMALL_SIZES);
	accounts_read.as_of = 0;
	MemoryContextReset(accounts_read.context);
	accounts_read.count = (int) look_up(judgement, &accounts_figures, 0, 0);

	MemoryContextSwitchTo(accounts_read.context);
	accounts_read.desc = CreateTupleDescCopy(SPI_tuptable->tupdesc);
	for (int i = 0; i < accounts_read.count; i++)
		accounts_read.figures[i] = heap_copytuple(SPI_tuptable->vals[i]);
	MemoryContextSwitchTo(spi_context);
	accounts_read.as_of = as_of;
}

/*
 * Where many accounts are written, their numbers mostly follow each other: those
 * of new ones do.  So after two that do, the next ones are read along.
 */
static void
read_figures(Judgement *judgement, uint64 as_of)
{
	static int64 previous = 0;
	static uint64 previous_as_of = 0;
	bool		follows = previous_as_of == as_of &&
		(uint64) judgement->account_id - (uint64) previous - 1 < ROWS_READ;

	previous = judgement->account_id;
	previous_as_of = as_of;
	if (find_figures(judgement, as_of))
		return;
	if (follows)
	{
		read_figures_of_accounts(judgement, as_of);
		if (find_figures(judgement, as_of))
			return;
	}
	look_up(judgement, &account_figures, 0, 0);
	judgement->figures = SPI_tuptable->vals[0];
	judgement->figures_desc = SPI_tuptable->tupdesc;
}

/*
 * One operation changes several rows of an account, and each change is judged.
 * An account found sound is so still if this transaction has written nothing
 * since: what others commit meanwhile is sound by itself.  Rolling back to a
 * savepoint takes changes back without counting as a command, but another
 * subtransaction is current then.
 */
static const SoundAccount *
judge_account_once(Judgement *judgement)
{
	static FullTransactionId transaction;
	static SubTransactionId subtransaction;
	static CommandId command;
	static uint64 as_of = 0;
	SoundAccount *sound = &sound_accounts[(uint64) judgement->account_id % SOUND_ACCOUNTS];
	const MoneyCcy *balance;

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
	if (sound->as_of == as_of && sound->account_id == judgement->account_id)
		return sound;

	read_figures(judgement, as_of);
	judge_account(judgement);
	balance = money_figure(judgement, ACCOUNT_BALANCE);
	sound->account_id = judgement->account_id;
	sound->as_of = as_of;
	strlcpy(sound->currency, balance != NULL ? balance->currency : "", sizeof(sound->currency));
	return sound;
}

/* ---- the row that was written ---- */

/*
 * The balance after an entry, or NULL if there is none.  A statement that writes
 * history writes many entries of an account in their order, so some that follow
 * are read along; they are good as long as the account is found sound as of then.
 */
static const MoneyCcy *
balance_after_entry(const Judgement *judgement, int64 seq)
{
	static SoundAccount read_for;
	static int64 seqs[ROWS_READ];
	static MoneyCcy balances[ROWS_READ];
	static int	count = 0;
	int			place = 0;

	if (read_for.account_id == judgement->account_id && read_for.as_of == judgement->account->as_of)
	{
		while (place < count && seqs[place] < seq)
			place++;
		if (place < count && seqs[place] == seq)
			return &balances[place];
	}

	read_for.as_of = 0;
	count = (int) look_up(judgement, &entry_balances, seq, PG_INT64_MAX);
	for (place = 0; place < count; place++)
	{
		HeapTuple	entry = SPI_tuptable->vals[place];
		bool		isnull;

		seqs[place] = DatumGetInt64(SPI_getbinval(entry, SPI_tuptable->tupdesc, 1, &isnull));
		balances[place] = *DatumGetMoneyCcyP(SPI_getbinval(entry, SPI_tuptable->tupdesc, 2, &isnull));
	}
	read_for = *judgement->account;
	return count > 0 && seqs[0] == seq ? &balances[0] : NULL;
}

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

typedef struct CreditFigures
{
	int64		seq;
	int64		remaining;
	int64		adjusted;
	bool		is_credit;
	MoneyCcy	amount;
} CreditFigures;

static void
read_credit_figures(CreditFigures *credit, HeapTuple row, TupleDesc desc)
{
	bool		isnull;
	Datum		amount;

	credit->seq = DatumGetInt64(SPI_getbinval(row, desc, 1, &isnull));
	credit->remaining = DatumGetInt64(SPI_getbinval(row, desc, 2, &isnull));
	amount = SPI_getbinval(row, desc, 3, &isnull);
	credit->is_credit = !isnull;
	if (credit->is_credit)
		credit->amount = *DatumGetMoneyCcyP(amount);
	credit->adjusted = DatumGetInt64(SPI_getbinval(row, desc, 4, &isnull));
}

/*
 * A credit as it is by now, or NULL if nothing is left of it.  Once a statement
 * has written a second one of an account, those that follow are read along, as
 * entries are.
 */
static const CreditFigures *
figures_of_credit(const Judgement *judgement, int64 seq)
{
	static SoundAccount read_for;
	static CreditFigures credits[ROWS_READ];
	static int	count = 0;
	static bool reads_along = false;

	if (read_for.as_of != judgement->account->as_of)
		reads_along = false;
	else if (read_for.account_id == judgement->account_id)
	{
		for (int place = 0; place < count; place++)
		{
			if (credits[place].seq == seq)
				return &credits[place];
		}
		reads_along = true;
	}

	read_for.as_of = 0;
	count = (int) look_up(judgement, &credit_figures, seq, reads_along ? PG_INT64_MAX : seq);
	for (int place = 0; place < count; place++)
		read_credit_figures(&credits[place], SPI_tuptable->vals[place], SPI_tuptable->tupdesc);
	read_for = *judgement->account;
	return count > 0 && credits[0].seq == seq ? &credits[0] : NULL;
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
	MoneyCcy	like = make_money_ccy(0, judgement->account->currency);

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
	{
		judgement.account_id = DatumGetInt64(ledger_column(change.rel, change.old_row, "account_id", INT8OID));
		(void) judge_account_once(&judgement);
	}
	if (change.new_row != NULL)
	{
		judgement.account_id = DatumGetInt64(ledger_column(change.rel, change.new_row, "account_id", INT8OID));
		judgement.account = judge_account_once(&judgement);
		judge_row(&judgement, change.new_row);
	}
	SPI_finish();
	return PointerGetDatum(NULL);
}
