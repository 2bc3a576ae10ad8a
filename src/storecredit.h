/*
 * storecredit.h
 *		Settings and the clock: what every part of the extension shares.
 */
#ifndef STORECREDIT_H
#define STORECREDIT_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "pgtime.h"
#include "utils/date.h"

#define STORECREDIT_SCHEMA	"storecredit"

extern bool storecredit_fast_path;
extern int	storecredit_cell;

/* What becomes of money that goes back to a credit which has expired since. */
typedef enum ExpiredRule
{
	EXPIRED_REINSTATE,			/* it comes back, and expires after storecredit.revert_grace */
	EXPIRED_EXPIRE,				/* it comes back and expires at once */
	EXPIRED_REFUSE,
} ExpiredRule;

/* storecredit.revert_expired and storecredit.revert_grace, the latter in microseconds. */
extern ExpiredRule revert_expired_rule(void);
extern int64 revert_grace(void);

/* The clock that expiry is judged by: the wall clock, or storecredit.test_clock. */
extern TimestampTz shop_clock(void);
extern bool shop_clock_is_set(void);

/* storecredit.current_owner, or NULL if it is not set. */
extern const char *current_owner(void);

/* Raises an error if an instant lies before storecredit.locked_until: the books of its period are closed. */
extern void require_open_period(TimestampTz instant);

/* The first instant after a day in the shop's time zone. */
extern TimestampTz end_of_shop_day(DateADT day);

#endif							/* STORECREDIT_H */
