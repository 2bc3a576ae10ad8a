/* What the library of the made-up next version has and this one has not. */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(storecredit_next_channels);

Datum
storecredit_next_channels(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text("web store"));
}
