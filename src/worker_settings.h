/*
 * worker_settings.h
 *		The settings of the maintenance of a ledger and of the worker that does it.
 */
#ifndef STORECREDIT_WORKER_SETTINGS_H
#define STORECREDIT_WORKER_SETTINGS_H

#include "postgres.h"

#include "nodes/pg_list.h"

extern int	storecredit_naptime;	/* in seconds */
extern int	storecredit_batch_size;
extern bool storecredit_expiry;

/* storecredit.remind_before, in microseconds, the shortest first, none twice. */
typedef struct ReminderLeads
{
	int			count;
	int64		leads[FLEXIBLE_ARRAY_MEMBER];
} ReminderLeads;

extern const ReminderLeads *reminder_leads(void);

/* storecredit.databases: a list of names. */
extern List *served_databases(void);

extern void define_worker_settings(void);

#endif							/* STORECREDIT_WORKER_SETTINGS_H */
