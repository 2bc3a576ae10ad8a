/*
 * attempt.h
 *		Something that may fail, without the transaction failing.
 */
#ifndef STORECREDIT_ATTEMPT_H
#define STORECREDIT_ATTEMPT_H

#include "postgres.h"

/*
 * Runs the action in a subtransaction, deferred triggers included, and returns
 * NULL.  If it fails, what it did is undone, and its error is returned.
 */
extern ErrorData *attempt(void (*action) (void *), void *arg);

#endif							/* STORECREDIT_ATTEMPT_H */
