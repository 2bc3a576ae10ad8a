/*
 * maintenance.h
 *		A round of maintenance: all that is due, in transactions of bounded size.
 */
#ifndef STORECREDIT_MAINTENANCE_H
#define STORECREDIT_MAINTENANCE_H

#include "postgres.h"

#include "datatype/timestamp.h"

/*
 * Within a non-atomic SPI connection, and without a snapshot: it commits often.
 * An error is written into storecredit.worker_status before it is raised.
 *
 * begin_step(), unless NULL, is called at the beginning of each transaction with
 * what this will do; where it returns false the round ends early.  Without
 * reminding the round does no more than expire.  Returns whether the round was
 * done to its end, with *swept_at set to the instant (by the shop's clock) as of
 * which nothing more was found to be overdue.  With storecredit.expiry off there
 * is no round.
 */
extern bool run_round(bool (*begin_step) (const char *step), bool reminding, TimestampTz *swept_at);

#endif							/* STORECREDIT_MAINTENANCE_H */
