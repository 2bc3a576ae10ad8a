/*
 * verify_draws.h
 *		Lists of draws while an account's books are verified.
 *
 * Nothing is known of what a list says: its amounts may be zero or less, and
 * their sum beyond what an amount can hold.
 */
#ifndef STORECREDIT_VERIFY_DRAWS_H
#define STORECREDIT_VERIFY_DRAWS_H

#include "postgres.h"

#include "ledger_types.h"

extern int128 total_of_draws(const Draws *draws);
extern bool same_draws(const Draws *a, const Draws *b);

/* A copy in a memory context of its own, for the functions below. */
extern Draws keep_draws(MemoryContext context, const Draws *draws);

/* With all signs changed; in the current memory context. */
extern Draws negated_draws(const Draws *draws);

/*
 * Takes so much, or all that is there, from the front of a list or from its end,
 * and returns what was taken, in the order of taking, in the current memory
 * context.  What is not above zero is passed over.
 */
extern Draws take_first_draws(Draws *draws, int128 minor);
extern Draws take_last_draws(Draws *draws, int128 minor);

/* "20.00 USD of credit 2, 10.00 USD of credit 1", or "nothing". */
extern char *draws_text(const Draws *draws, const char *currency);

#endif							/* STORECREDIT_VERIFY_DRAWS_H */
