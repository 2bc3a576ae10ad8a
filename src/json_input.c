/*
 * json_input.c
 *		Reading objects that callers pass as jsonb.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "arguments.h"
#include "json_input.h"

void
invalid_json_input(const char *input, const char *path, const char *problem)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s was provided an invalid value for \"%s\"", input, path),
			 errdetail("%s.", problem)));
}

static bool
is_one_of(const char *name, size_t length, const char *const *fields)
{
	for (; *fields != NULL; fields++)
	{
		if (strlen(*fields) == length && memcmp(*fields, name, length) == 0)
			return true;
	}
	return false;
}

/* An object that has no other than the given fields. */
void
check_json_fields(const char *input, JsonbContainer *object, const char *type, const char *const *fields)
{
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	value;

	if (!JsonContainerIsObject(object))
		invalid_json_input(input, type, "Expected an object");
	it = JsonbIteratorInit(object);
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY && !is_one_of(value.val.string.val, value.val.string.len, fields))
			invalid_json_input(input, pnstrdup(value.val.string.val, value.val.string.len),
						  psprintf("Field is not defined on %s", type));
	}
}

/* NULL for a field that is missing, or JSON's null. */
JsonbValue *
get_json_field(JsonbContainer *object, const char *name)
{
	JsonbValue *value = getKeyJsonValueFromContainer(object, name, strlen(name), NULL);

	return value == NULL || value->type == jbvNull ? NULL : value;
}

text *
get_json_text_field(const char *input, JsonbContainer *object, const char *name)
{
	JsonbValue *value = get_json_field(object, name);

	if (value == NULL)
		return NULL;
	if (value->type != jbvString)
		invalid_json_input(input, name, "Expected a string");
	return cstring_to_text_with_len(value->val.string.val, value->val.string.len);
}

text *
get_json_word_field(const char *input, JsonbContainer *object, const char *name)
{
	text	   *value = get_json_text_field(input, object, name);

	if (value != NULL)
		check_word(value, name);
	return value;
}

bool
get_json_bool_field(const char *input, JsonbContainer *object, const char *name)
{
	JsonbValue *value = get_json_field(object, name);

	if (value == NULL)
		return false;
	if (value->type != jbvBool)
		invalid_json_input(input, name, "Expected a boolean");
	return value->val.boolean;
}

void
get_json_annotation(const char *input, JsonbContainer *object, Call *call)
{
	Annotation *annotation = &call->annotation;
	JsonbValue *metadata = get_json_field(object, "metadata");

	annotation->category = get_json_word_field(input, object, "category");
	annotation->memo = get_json_text_field(input, object, "memo");
	annotation->reference = get_json_word_field(input, object, "reference");
	annotation->issuer = get_json_word_field(input, object, "issuer");
	annotation->metadata = metadata == NULL ? NULL : JsonbValueToJsonb(metadata);
	call->notify = get_json_bool_field(input, object, "notify");
}
