/*
 * soundness_rows.c
 *		What a judgement on an account goes by, read with the rights of the tables'
 *		owner.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/memutils.h"

#include "soundness_rows.h"

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

/* Rows of which account, and as of when: others have to be read again. */
typedef struct RowsOf
{
	int64		account_id;
	uint64		as_of;			/* 0 for none */
} RowsOf;

static RowsOf
rows_of(const Judgement *judgement)
{
	RowsOf		rows = {.account_id = judgement->account_id, .as_of = judgement->as_of};

	return rows;
}

int64
int_figure(const Judgement *judgement, int column)
{
	bool		isnull;
	Datum		value = SPI_getbinval(judgement->figures, judgement->figures_desc, column, &isnull);

	return isnull ? 0 : DatumGetInt64(value);
}

const MoneyCcy *
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
find_figures(Judgement *judgement)
{
	if (accounts_read.as_of != judgement->as_of)
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
read_figures_of_accounts(const Judgement *judgement)
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
	accounts_read.as_of = judgement->as_of;
}

/*
 * Where many accounts are written, their numbers mostly follow each other: those
 * of new ones do.  So after two that do, the next ones are read along.
 */
void
read_figures(Judgement *judgement)
{
	static RowsOf previous;
	bool		follows = previous.as_of == judgement->as_of &&
		(uint64) judgement->account_id - (uint64) previous.account_id - 1 < ROWS_READ;

	previous = rows_of(judgement);
	if (find_figures(judgement))
		return;
	if (follows)
	{
		read_figures_of_accounts(judgement);
		if (find_figures(judgement))
			return;
	}
	look_up(judgement, &account_figures, 0, 0);
	judgement->figures = SPI_tuptable->vals[0];
	judgement->figures_desc = SPI_tuptable->tupdesc;
}

/*
 * The balance after an entry, or NULL if there is none.  A statement that writes
 * history writes many entries of an account in their order, so some that follow
 * are read along; they are good as long as the account is found sound as of then.
 */
const MoneyCcy *
balance_after_entry(const Judgement *judgement, int64 seq)
{
	static RowsOf read_for;
	static int64 seqs[ROWS_READ];
	static MoneyCcy balances[ROWS_READ];
	static int	count = 0;
	int			place = 0;

	if (read_for.account_id == judgement->account_id && read_for.as_of == judgement->as_of)
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
	read_for = rows_of(judgement);
	return count > 0 && seqs[0] == seq ? &balances[0] : NULL;
}

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
const CreditFigures *
figures_of_credit(const Judgement *judgement, int64 seq)
{
	static RowsOf read_for;
	static CreditFigures credits[ROWS_READ];
	static int	count = 0;
	static bool reads_along = false;

	if (read_for.as_of != judgement->as_of)
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
	read_for = rows_of(judgement);
	return count > 0 && credits[0].seq == seq ? &credits[0] : NULL;
}

