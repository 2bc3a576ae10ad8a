/*
 * storecredit.c
 *		Settings and the clock.
 *
 * The library works without being preloaded: the settings are then defined at
 * the session's first call, and there is no worker.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "launcher.h"
#include "outbox.h"
#include "storecredit.h"
#include "worker_settings.h"
#include "worker_shared.h"

PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

PG_FUNCTION_INFO_V1(store_credit_clock);

/* account_id is cell << 48 | local number, and must stay positive. */
#define MAX_CELL	0x7FFF

bool		storecredit_fast_path = true;
int			storecredit_cell = 0;

static const struct config_enum_entry expired_rules[] = {
	{"reinstate", EXPIRED_REINSTATE, false},
	{"expire", EXPIRED_EXPIRE, false},
	{"refuse", EXPIRED_REFUSE, false},
	{NULL, 0, false}
};

static int	revert_expired = EXPIRED_REINSTATE;
static int	revert_grace_seconds;

static char *timezone_string;
static pg_tz *shop_timezone;

static char *test_clock_string;
static TimestampTz test_clock;	/* meaningful while test_clock_string is not empty */

static char *locked_until_string;
static TimestampTz locked_until;	/* meaningful while locked_until_string is not empty */

static char *current_owner_string;

static bool
check_timezone(char **newval, void **extra, GucSource source)
{
	pg_tz	   *zone = pg_tzset(*newval);

	if (zone == NULL || !pg_tz_acceptable(zone))
	{
		GUC_check_errdetail("Time zone \"%s\" is not known to this server.", *newval);
		return false;
	}
	*extra = guc_malloc(LOG, sizeof(pg_tz *));
	if (*extra == NULL)
		return false;
	*((pg_tz **) *extra) = zone;
	return true;
}

static void
assign_timezone(const char *newval, void *extra)
{
	shop_timezone = *((pg_tz **) extra);
}

/* Words for a point in time that is another one each time they are read. */
static bool
is_moving(char **field, const int *ftype, int nf)
{
	for (int i = 0; i < nf; i++)
	{
		int			value;

		if (ftype[i] == DTK_STRING && DecodeSpecial(i, field[i], &value) == RESERV &&
			(value == DTK_NOW || value == DTK_TODAY || value == DTK_TOMORROW || value == DTK_YESTERDAY))
			return true;
	}
	return false;
}

/*
 * Decodes by hand, as errors may not be thrown here.  A point in time is asked
 * for: 'now', 'infinity' and the like are refused.
 */
static bool
parse_instant(const char *string, TimestampTz *result)
{
	char		workbuf[MAXDATELEN + MAXDATEFIELDS];
	char	   *field[MAXDATEFIELDS];
	int			ftype[MAXDATEFIELDS];
	int			nf;
	int			dtype;
	int			tz;
	fsec_t		fsec;
	struct pg_tm tm;

	return ParseDateTime(string, workbuf, sizeof(workbuf), field, ftype, MAXDATEFIELDS, &nf) == 0 &&
		!is_moving(field, ftype, nf) &&
		decode_date_time(field, ftype, nf, &dtype, &tm, &fsec, &tz) == 0 &&
		dtype == DTK_DATE &&
		tm2timestamp(&tm, fsec, &tz, result) == 0;
}

/*
 * The value is kept in ISO format and UTC: a parallel worker reads it again, and
 * before it knows the session's time zone abbreviations.
 */
static bool
make_canonical(char **value, TimestampTz instant)
{
	struct pg_tm tm;
	fsec_t		fsec;
	char		buf[MAXDATELEN + 1];
	char	   *canonical = guc_malloc(LOG, sizeof(buf));

	if (canonical == NULL || timestamp2tm(instant, NULL, &tm, &fsec, NULL, NULL) != 0)
		return false;
	tm.tm_isdst = 0;			/* else no zone is written */
	EncodeDateTime(&tm, fsec, true, 0, NULL, USE_ISO_DATES, buf);
	strcpy(canonical, buf);
	guc_free(*value);
	*value = canonical;
	return true;
}

/* An instant, or nothing. */
static bool
check_instant(char **newval, void **extra, GucSource source)
{
	TimestampTz instant = 0;

	if (**newval != '\0' && !parse_instant(*newval, &instant))
	{
		GUC_check_errdetail("\"%s\" is not a point in time.", *newval);
		return false;
	}
	if (**newval != '\0' && !make_canonical(newval, instant))
		return false;
	*extra = guc_malloc(LOG, sizeof(TimestampTz));
	if (*extra == NULL)
		return false;
	*((TimestampTz *) *extra) = instant;
	return true;
}

static void
assign_test_clock(const char *newval, void *extra)
{
	test_clock = *((TimestampTz *) extra);
}

static void
assign_locked_until(const char *newval, void *extra)
{
	locked_until = *((TimestampTz *) extra);
}

void
_PG_init(void)
{
	DefineCustomStringVariable("storecredit.timezone",
							   "Time zone in which a shop's day ends.",
							   "A credit given with expires_on is valid through the end of that day here.",
							   &timezone_string,
							   "UTC",
							   PGC_SUSET, 0,
							   check_timezone, assign_timezone, NULL);

	DefineCustomIntVariable("storecredit.cell",
							"Number of this installation among those that a shop is spread over.",
							"It is the upper part of the ids of accounts opened here.",
							&storecredit_cell,
							0, 0, MAX_CELL,
							PGC_SUSET, 0,
							NULL, NULL, NULL);

	DefineCustomBoolVariable("storecredit.fast_path",
							 "Reaches the ledger's rows through the access methods where its tables allow it.",
							 "Off: always through SQL statements.  The results are the same.",
							 &storecredit_fast_path,
							 true,
							 PGC_SUSET, 0,
							 NULL, NULL, NULL);

	DefineCustomEnumVariable("storecredit.revert_expired",
							 "What becomes of money that goes back to a credit which has expired since.",
							 "It comes back for storecredit.revert_grace, or expires at once, or the call is refused.",
							 &revert_expired,
							 EXPIRED_REINSTATE, expired_rules,
							 PGC_SUSET, 0,
							 NULL, NULL, NULL);

	DefineCustomIntVariable("storecredit.revert_grace",
							"How long money lives that comes back to a credit which has expired since.",
							NULL,
							&revert_grace_seconds,
							30 * SECS_PER_DAY, 1, INT_MAX,
							PGC_SUSET, GUC_UNIT_S,
							NULL, NULL, NULL);

	DefineCustomStringVariable("storecredit.test_clock",
							   "A point in time that replaces the clock, for tests and simulations only.",
							   "Empty: the wall clock.",
							   &test_clock_string,
							   "",
							   PGC_SUSET, GUC_NOT_IN_SAMPLE,
							   check_instant, assign_test_clock, NULL);

	DefineCustomStringVariable("storecredit.locked_until",
							   "The books are closed until this point in time: nothing dated before it can be written.",
							   "Empty: no period is closed.",
							   &locked_until_string,
							   "",
							   PGC_SUSET, 0,
							   check_instant, assign_locked_until, NULL);

	DefineCustomStringVariable("storecredit.current_owner",
							   "The owner whose rows roles of level customer see.",
							   "Empty: none.",
							   &current_owner_string,
							   "",
							   PGC_SUSET, 0,
							   NULL, NULL, NULL);

	define_outbox_setting();
	define_worker_settings();
	MarkGUCPrefixReserved("storecredit");

	/* pg_upgrade must find nobody in its databases but itself. */
	if (process_shared_preload_libraries_in_progress && !IsBinaryUpgrade)
	{
		request_worker_memory();
		register_launcher();
	}
}

ExpiredRule
revert_expired_rule(void)
{
	return (ExpiredRule) revert_expired;
}

int64
revert_grace(void)
{
	return revert_grace_seconds * USECS_PER_SEC;
}

bool
shop_clock_is_set(void)
{
	return *test_clock_string != '\0';
}

TimestampTz
shop_clock(void)
{
	return shop_clock_is_set() ? test_clock : GetCurrentTimestamp();
}

const char *
current_owner(void)
{
	return *current_owner_string != '\0' ? current_owner_string : NULL;
}

void
require_open_period(TimestampTz instant)
{
	if (likely(*locked_until_string == '\0') || instant >= locked_until)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_RESTRICT_VIOLATION),
			 errmsg("the books are closed until %s", timestamptz_to_str(locked_until)),
			 errdetail("The entry would be dated %s.", pstrdup(timestamptz_to_str(instant))),
			 errhint("The setting storecredit.locked_until closes them."),
			 err_generic_string(PG_DIAG_CONSTRAINT_NAME, "closed_period")));
}

TimestampTz
end_of_shop_day(DateADT day)
{
	struct pg_tm tm = {0};
	struct pg_tm before;
	TimestampTz result;
	fsec_t		fsec;
	int			tz;

	if (DATE_NOT_FINITE(day))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("expires_on must be a finite date"),
				 errhint("Leave it out for a credit that never expires.")));
	j2date(day + 1 + POSTGRES_EPOCH_JDATE, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
	tz = DetermineTimeZoneOffset(&tm, shop_timezone);
	if (tm2timestamp(&tm, 0, &tz, &result) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("expires_on is out of range")));

	/* Where clocks are set back across midnight it comes twice: the day ends at the first. */
	if (timestamp2tm(result - 1, &tz, &before, &fsec, NULL, shop_timezone) == 0 && before.tm_mday == tm.tm_mday)
		tm2timestamp(&tm, 0, &tz, &result);
	return result;
}

Datum
store_credit_clock(PG_FUNCTION_ARGS)
{
	PG_RETURN_TIMESTAMPTZ(shop_clock());
}
