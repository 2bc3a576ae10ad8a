/*
 * json_input.h
 *		Reading objects that callers pass as jsonb.
 *
 * "input" is what the user calls the object, for the messages.
 */
#ifndef STORECREDIT_JSON_INPUT_H
#define STORECREDIT_JSON_INPUT_H

#include "postgres.h"

#include "utils/jsonb.h"

#include "call.h"
#include "compat.h"

/* 22023, naming the field and the problem. */
pg_noreturn extern void invalid_json_input(const char *input, const char *path, const char *problem);

/* That, unless it is an object with no other than the given fields; NULL ends them. */
extern void check_json_fields(const char *input, JsonbContainer *object, const char *type,
							  const char *const *fields);

/* NULL for a field that is missing, or JSON's null. */
extern JsonbValue *get_json_field(JsonbContainer *object, const char *name);
extern text *get_json_text_field(const char *input, JsonbContainer *object, const char *name);
extern text *get_json_word_field(const char *input, JsonbContainer *object, const char *name);

/* False for a field that is missing. */
extern bool get_json_bool_field(const char *input, JsonbContainer *object, const char *name);

/* category, memo, reference, issuer, metadata, notify. */
extern void get_json_annotation(const char *input, JsonbContainer *object, Call *call);

#endif							/* STORECREDIT_JSON_INPUT_H */
