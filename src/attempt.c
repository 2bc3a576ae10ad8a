/*
 * attempt.c
 *		Something that may fail, without the transaction failing.
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"

#include "attempt.h"

static void
set_constraints(const char *sql)
{
	int			result = SPI_execute(sql, false, 0);

	if (result != SPI_OK_UTILITY)
		elog(ERROR, "could not execute \"%s\": %s", sql, SPI_result_code_string(result));
}

/*
 * At commit their errors would be nobody's to catch.  What the transaction does
 * after this is judged when it is complete, as before.
 */
static void
fire_deferred_triggers(void)
{
	SPI_connect();
	set_constraints("SET CONSTRAINTS ALL IMMEDIATE");
	set_constraints("SET CONSTRAINTS ALL DEFERRED");
	SPI_finish();
}

ErrorData *
attempt(void (*action) (void *), void *arg)
{
	MemoryContext caller_context = CurrentMemoryContext;
	ResourceOwner caller_owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(caller_context);
	PG_TRY();
	{
		PushActiveSnapshot(GetTransactionSnapshot());
		action(arg);
		fire_deferred_triggers();
		PopActiveSnapshot();
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller_context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller_context);
	CurrentResourceOwner = caller_owner;
	return error;
}
