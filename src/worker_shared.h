/*
 * worker_shared.h
 *		What launcher, workers and sessions tell each other, in shared memory.
 *
 * There is none where the library has not been preloaded; what is told is then
 * told to nobody.
 */
#ifndef STORECREDIT_WORKER_SHARED_H
#define STORECREDIT_WORKER_SHARED_H

#include "postgres.h"

#include "datatype/timestamp.h"

/* More databases than these are not served. */
#define MAX_SERVED_DATABASES	64

/* While preloading. */
extern void request_worker_memory(void);

/* ---- for everybody ---- */

/*
 * Something that this transaction writes falls due then: once it is committed,
 * the launcher knows.
 */
extern void announce_due(TimestampTz due);

/* ---- for the launcher ---- */

/* Keeps its latch, to be woken through. */
extern void attach_launcher(void);

/* Place i serves this database from now on; InvalidOid for none. */
extern void serve_database(int i, Oid database);

/* When something falls due there, by the wall clock; DT_NOEND for nothing known. */
extern TimestampTz next_due_at(int i);

/* A round begins: what was known is forgotten, and what is announced from now on is not. */
extern void forget_next_due(int i);

/* The launcher sleeps until then; DT_NOEND: not at all, and whatever is announced wakes it. */
extern void set_wake_time(TimestampTz wake);

/* ---- for a worker ---- */

/* Something in its database falls due then. */
extern void report_next_due(TimestampTz due);

/* Whether this is the first round in a row that finds no ledger in its database. */
extern bool report_ledger(bool found);

#endif							/* STORECREDIT_WORKER_SHARED_H */
