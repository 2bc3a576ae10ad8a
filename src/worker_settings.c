/*
 * worker_settings.c
 *		The settings of the maintenance of a ledger and of the worker that does it.
 *
 * All of them take effect on reload.  Those that the launcher goes by concern
 * the server; the others can be set for a database, too.
 */
#include "postgres.h"

#include <ctype.h>

#include "common/int.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/guc.h"
#include "utils/varlena.h"

#include "compat.h"
#include "worker_settings.h"

#define MAX_LEAD	(36500 * USECS_PER_DAY)

int			storecredit_naptime = 60;
int			storecredit_batch_size = 200;
bool		storecredit_expiry = true;

static char *databases_string;
static char *remind_before_string;
static const ReminderLeads *leads;

/* ---- storecredit.databases ---- */

static bool
check_databases(char **newval, void **extra, GucSource source)
{
	char	   *names = pstrdup(*newval);
	List	   *list;
	bool		valid = SplitIdentifierString(names, ',', &list);

	if (!valid)
		GUC_check_errdetail("List syntax is invalid.");
	list_free(list);
	pfree(names);
	return valid;
}

List *
served_databases(void)
{
	List	   *list;

	if (!SplitIdentifierString(pstrdup(databases_string), ',', &list))
		elog(ERROR, "storecredit.databases has an invalid list syntax");
	return list;
}

/* ---- storecredit.remind_before ---- */

static bool
decode_interval(const char *string, struct pg_itm_in *interval)
{
	char		workbuf[256];
	char	   *field[MAXDATEFIELDS];
	int			ftype[MAXDATEFIELDS];
	int			nf;
	int			dtype;
	int			result = ParseDateTime(string, workbuf, sizeof(workbuf), field, ftype, MAXDATEFIELDS, &nf);

	if (result == 0)
		result = DecodeInterval(field, ftype, nf, INTERVAL_FULL_RANGE, &dtype, interval);
	if (result == DTERR_BAD_FORMAT)
		result = DecodeISO8601Interval(unconstify(char *, string), &dtype, interval);
	return result == 0 && dtype == DTK_DELTA;
}

/* A day is 24 hours here, so that every reminder has an instant that does not depend on a time zone. */
static bool
interval_as_lead(const struct pg_itm_in *interval, int64 *lead)
{
	return interval->tm_year == 0 && interval->tm_mon == 0 &&
		!pg_mul_s64_overflow(interval->tm_mday, USECS_PER_DAY, lead) &&
		!pg_add_s64_overflow(*lead, interval->tm_usec, lead) &&
		*lead > 0 && *lead <= MAX_LEAD;
}

static bool
parse_lead(const char *string, int64 *lead)
{
	struct pg_itm_in interval = {0};

	if (!decode_interval(string, &interval))
	{
		GUC_check_errdetail("\"%s\" is not an interval.", string);
		return false;
	}
	if (!interval_as_lead(&interval, lead))
	{
		GUC_check_errdetail("\"%s\" is not an interval above zero, of at most 36500 days, without months and years.", string);
		GUC_check_errhint("Write for instance '30 days, 1 day, 2 hours'.");
		return false;
	}
	return true;
}

static char *
trim(char *string)
{
	char	   *end;

	while (isspace((unsigned char) *string))
		string++;
	end = string + strlen(string);
	while (end > string && isspace((unsigned char) end[-1]))
		end--;
	*end = '\0';
	return string;
}

static int
compare_leads(const void *a, const void *b)
{
	int64		x = *(const int64 *) a;
	int64		y = *(const int64 *) b;

	return x < y ? -1 : x > y;
}

static void
sort_leads(ReminderLeads *list)
{
	int			kept = 0;

	qsort(list->leads, list->count, sizeof(int64), compare_leads);
	for (int i = 0; i < list->count; i++)
	{
		if (kept == 0 || list->leads[i] != list->leads[kept - 1])
			list->leads[kept++] = list->leads[i];
	}
	list->count = kept;
}

static bool
parse_leads(char *string, ReminderLeads *list)
{
	char	   *item = string;

	if (*trim(string) == '\0')
		return true;
	while (item != NULL)
	{
		char	   *next = strchr(item, ',');

		if (next != NULL)
			*next++ = '\0';
		if (!parse_lead(trim(item), &list->leads[list->count]))
			return false;
		list->count++;
		item = next;
	}
	sort_leads(list);
	return true;
}

static bool
check_remind_before(char **newval, void **extra, GucSource source)
{
	char	   *string = pstrdup(*newval);
	ReminderLeads *list;
	int			room = 1;
	bool		valid;

	for (char *p = string; *p != '\0'; p++)
		room += *p == ',';
	list = guc_malloc(LOG, offsetof(ReminderLeads, leads) + room * sizeof(int64));
	if (list == NULL)
		return false;
	list->count = 0;
	*extra = list;
	valid = parse_leads(string, list);
	pfree(string);
	if (!valid)
	{
		guc_free(list);
		*extra = NULL;
	}
	return valid;
}

static void
assign_remind_before(const char *newval, void *extra)
{
	leads = extra;
}

const ReminderLeads *
reminder_leads(void)
{
	return leads;
}

/* ---- all of them ---- */

void
define_worker_settings(void)
{
	DefineCustomStringVariable("storecredit.databases",
							   "Databases in which the worker does the maintenance.",
							   "A list of names, quoted as identifiers are.  Empty: the worker is off.",
							   &databases_string,
							   "",
							   PGC_SIGHUP, GUC_LIST_INPUT,
							   check_databases, NULL, NULL);

	DefineCustomIntVariable("storecredit.naptime",
							"How long the worker leaves a database alone in which nothing falls due.",
							NULL,
							&storecredit_naptime,
							60, 1, INT_MAX / 1000,
							PGC_SIGHUP, GUC_UNIT_S,
							NULL, NULL, NULL);

	DefineCustomIntVariable("storecredit.batch_size",
							"How many credits and holds the maintenance books in one transaction.",
							"It can be more where accounts have holds.",
							&storecredit_batch_size,
							200, 1, 100000,
							PGC_SUSET, 0,
							NULL, NULL, NULL);

	DefineCustomBoolVariable("storecredit.expiry",
							 "Lets the maintenance book what has expired, and remind.",
							 "Off: for a database that receives its ledger by logical replication.",
							 &storecredit_expiry,
							 true,
							 PGC_SUSET, 0,
							 NULL, NULL, NULL);

	DefineCustomStringVariable("storecredit.remind_before",
							   "How long before a credit expires its owner is to be reminded.",
							   "A list of intervals: one row in the outbox for each.  Empty: never.",
							   &remind_before_string,
							   "",
							   PGC_SUSET, GUC_LIST_INPUT,
							   check_remind_before, assign_remind_before, NULL);
}
