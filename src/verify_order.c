/*
 * verify_order.c
 *		The rule for the order in which credits are drawn on.
 *
 * The credit that expires first is drawn on first; of two that expire at once, the
 * older.  Credits with something left are queued in that order.  One stays in the
 * queue where it was when it is used up, or gets another expiry, and is passed
 * over when its turn comes.
 */
#include "postgres.h"

#include "lib/pairingheap.h"

#include "verify_rules.h"

typedef struct QueuedCredit
{
	pairingheap_node node;
	TimestampTz expires_at;
	int64		seq;
} QueuedCredit;

/* The heap keeps the greatest on top. */
static int
compare_queued_credits(const pairingheap_node *a, const pairingheap_node *b, void *arg)
{
	const QueuedCredit *left = pairingheap_const_container(QueuedCredit, node, a);
	const QueuedCredit *right = pairingheap_const_container(QueuedCredit, node, b);

	if (left->expires_at != right->expires_at)
		return left->expires_at < right->expires_at ? 1 : -1;
	return (left->seq < right->seq) - (left->seq > right->seq);
}

void
queue_credit(Books *books, const PastEntry *credit)
{
	QueuedCredit *queued = MemoryContextAlloc(books->context, sizeof(QueuedCredit));
	MemoryContext caller = MemoryContextSwitchTo(books->context);

	if (books->queue == NULL)
		books->queue = pairingheap_allocate(compare_queued_credits, NULL);
	MemoryContextSwitchTo(caller);
	queued->expires_at = credit->expires_at;
	queued->seq = credit->seq;
	pairingheap_add(books->queue, &queued->node);
}

static const PastEntry *
first_credit_in_queue(Books *books)
{
	while (books->queue != NULL && !pairingheap_is_empty(books->queue))
	{
		QueuedCredit *queued = pairingheap_container(QueuedCredit, node, pairingheap_first(books->queue));
		const PastEntry *credit = find_past_entry(books, queued->seq);

		if (credit != NULL && credit->left > 0 && credit->expires_at == queued->expires_at)
			return credit;
		(void) pairingheap_remove_first(books->queue);
		pfree(queued);
	}
	return NULL;
}

static bool
comes_before(const PastEntry *a, const PastEntry *b)
{
	return a->expires_at < b->expires_at || (a->expires_at == b->expires_at && a->seq < b->seq);
}

static void
order_violation(const Books *books, const TransactionRow *row, const PastEntry *first, const PastEntry *second)
{
	report_row_violation(books->report, "draw_order", "transaction", row->seq,
						 psprintf("credit " INT64_FORMAT " before credit " INT64_FORMAT, first->seq, second->seq),
						 draws_text(&row->draws, books->currency));
}

/* What is left of the first credit may be what holds have set aside. */
void
verify_draw_order(Books *books, const TransactionRow *row)
{
	const PastEntry *last = NULL;
	const PastEntry *first;

	for (int i = 0; i < row->draws.count; i++)
	{
		const PastEntry *credit = find_past_entry(books, row->draws.items[i].credit_seq);

		if (credit == NULL || credit->kind != CREDIT)
			return;
		if (last != NULL && !comes_before(last, credit))
		{
			order_violation(books, row, credit, last);
			return;
		}
		last = credit;
	}

	first = first_credit_in_queue(books);
	if (last != NULL && first != NULL && comes_before(first, last) && first->left > books->possible.of_credits)
		order_violation(books, row, first, last);
}
