/*
 * spree_sweep.h
 *		The sweep of the shops that are attached: what has ended there, expired in
 *		the application's own terms.
 */
#ifndef STORECREDIT_SPREE_SWEEP_H
#define STORECREDIT_SPREE_SWEEP_H

#include "postgres.h"

#include "nodes/pg_list.h"

typedef struct ShopSweep
{
	int64		expired;		/* credits */
	int64		failed;			/* credits whose expiry failed, and was undone */
	char	   *failure;		/* the first of those errors; NULL for none */
} ShopSweep;

/*
 * The attached shops in which something may be due, as a list of Oid, each its
 * table of store credits.  With another one than InvalidOid at most that one.
 */
extern List *find_shops_to_sweep(Oid store_credits);

/* At max_credits it stops.  What is reported is in the caller's memory context. */
extern ShopSweep sweep_shop(Oid store_credits, int64 max_credits);

/* A WARNING, if anything has failed. */
extern void warn_of_failures(Oid store_credits, const ShopSweep *sweep);

#endif							/* STORECREDIT_SPREE_SWEEP_H */
