/*
 * verify_draws.c
 *		Lists of draws while an account's books are verified.
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "store_rows.h"
#include "verify_draws.h"
#include "verify_report.h"

int128
total_of_draws(const Draws *draws)
{
	int128		sum = 0;

	for (int i = 0; i < draws->count; i++)
		sum += draws->items[i].minor;
	return sum;
}

bool
same_draws(const Draws *a, const Draws *b)
{
	if (a->count != b->count)
		return false;
	for (int i = 0; i < a->count; i++)
	{
		if (a->items[i].credit_seq != b->items[i].credit_seq || a->items[i].minor != b->items[i].minor)
			return false;
	}
	return true;
}

Draws
keep_draws(MemoryContext context, const Draws *draws)
{
	Draws		kept = {.count = draws->count, .room = draws->count};

	if (draws->count > 0)
		kept.items = memcpy(MemoryContextAlloc(context, draws->count * sizeof(Draw)),
							draws->items, draws->count * sizeof(Draw));
	return kept;
}

Draws
negated_draws(const Draws *draws)
{
	Draws		negated = keep_draws(CurrentMemoryContext, draws);

	/* The least of all amounts has no counterpart and stays as it is: below zero, which no list of draws may be. */
	for (int i = 0; i < negated.count; i++)
		negated.items[i].minor = (int64) -(uint64) negated.items[i].minor;
	return negated;
}

/* Takes from one draw; returns how much. */
static int64
take_from_draw(Draw *draw, int128 minor, Draws *taken)
{
	int64		part = (int64) Min(minor, (int128) draw->minor);

	if (part <= 0)
		return 0;
	add_draw(taken, draw->credit_seq, part);
	draw->minor -= part;
	return part;
}

Draws
take_first_draws(Draws *draws, int128 minor)
{
	Draws		taken = {0};

	while (minor > 0 && draws->count > 0)
	{
		minor -= take_from_draw(draws->items, minor, &taken);
		if (draws->items->minor <= 0)
		{
			draws->items++;
			draws->count--;
		}
	}
	return taken;
}

Draws
take_last_draws(Draws *draws, int128 minor)
{
	Draws		taken = {0};

	while (minor > 0 && draws->count > 0)
	{
		Draw	   *last = &draws->items[draws->count - 1];

		minor -= take_from_draw(last, minor, &taken);
		if (last->minor <= 0)
			draws->count--;
	}
	return taken;
}

char *
draws_text(const Draws *draws, const char *currency)
{
	StringInfoData buf;

	if (draws->count == 0)
		return pstrdup("nothing");
	initStringInfo(&buf);
	for (int i = 0; i < draws->count; i++)
		appendStringInfo(&buf, "%s%s of credit " INT64_FORMAT, i == 0 ? "" : ", ",
						 wide_money_text(draws->items[i].minor, currency), draws->items[i].credit_seq);
	return buf.data;
}
