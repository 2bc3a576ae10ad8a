/*
 * decimal.c
 *		Plain decimal text to and from integers of a fixed number of decimals.
 *
 * Money is never put through floating point, nor through a rounding numeric:
 * its digits are shifted, or the text is refused.
 */
#include "postgres.h"

#include "common/int.h"

#include "decimal.h"

/* Not isdigit(), which asks the locale. */
static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *
skip_digits(const char *text)
{
	while (is_digit(*text))
		text++;
	return text;
}

const char *
scan_decimal(const char *text, Decimal *decimal)
{
	const char *end;

	decimal->negative = (*text == '-');
	if (*text == '-' || *text == '+')
		text++;

	end = skip_digits(text);
	decimal->whole = text;
	decimal->whole_length = end - text;
	decimal->fraction = end;
	decimal->fraction_length = 0;
	if (decimal->whole_length == 0)
		return NULL;
	if (*end != '.')
		return end;

	text = end + 1;
	end = skip_digits(text);
	decimal->fraction = text;
	decimal->fraction_length = end - text;
	return decimal->fraction_length > 0 ? end : NULL;
}

void
trim_decimal(Decimal *decimal, size_t scale)
{
	while (decimal->fraction_length > scale &&
		   decimal->fraction[decimal->fraction_length - 1] == '0')
		decimal->fraction_length--;
}

static bool
append_digits(uint64 *value, const char *digits, size_t length)
{
	for (size_t i = 0; i < length; i++)
	{
		if (pg_mul_u64_overflow(*value, 10, value) ||
			pg_add_u64_overflow(*value, digits[i] - '0', value))
			return false;
	}
	return true;
}

bool
decimal_to_int64(const Decimal *decimal, int scale, int64 *result)
{
	/* The most negative int64 has no positive counterpart. */
	uint64 limit = (uint64) PG_INT64_MAX + (decimal->negative ? 1 : 0);
	uint64 magnitude = 0;

	Assert(decimal->fraction_length <= (size_t) scale);

	if (!append_digits(&magnitude, decimal->whole, decimal->whole_length) ||
		!append_digits(&magnitude, decimal->fraction, decimal->fraction_length))
		return false;
	for (size_t i = decimal->fraction_length; i < (size_t) scale; i++)
	{
		if (pg_mul_u64_overflow(magnitude, 10, &magnitude))
			return false;
	}
	if (magnitude > limit)
		return false;
	*result = (int64) (decimal->negative ? 0 - magnitude : magnitude);
	return true;
}

char *
write_decimal(char *buffer, int64 value, int scale)
{
	uint64 magnitude = value < 0 ? 0 - (uint64) value : (uint64) value;
	char   reversed[DECIMAL_BUFFER_SIZE];
	int    length = 0;

	for (int place = 0; magnitude > 0 || place <= scale; place++)
	{
		if (place == scale && scale > 0)
			reversed[length++] = '.';
		reversed[length++] = '0' + magnitude % 10;
		magnitude /= 10;
	}
	if (value < 0)
		*buffer++ = '-';
	while (length > 0)
		*buffer++ = reversed[--length];
	return buffer;
}
