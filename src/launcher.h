/*
 * launcher.h
 *		The process that starts a worker in each served database.
 */
#ifndef STORECREDIT_LAUNCHER_H
#define STORECREDIT_LAUNCHER_H

#include "postgres.h"

#include "postmaster/bgworker.h"

/* What a worker is told: its bgw_extra. */
typedef struct WorkerOrder
{
	Oid			database;
	char		name[NAMEDATALEN];	/* when it was started */
	bool		reminding;		/* a whole round; else no more than expiry */
} WorkerOrder;

StaticAssertDecl(sizeof(WorkerOrder) <= BGW_EXTRALEN, "an order fits into bgw_extra");

/* While preloading. */
extern void register_launcher(void);

/* The processes' main functions, for the postmaster to find. */
extern PGDLLEXPORT void storecredit_launcher_main(Datum arg);
extern PGDLLEXPORT void storecredit_worker_main(Datum arg);

#endif							/* STORECREDIT_LAUNCHER_H */
