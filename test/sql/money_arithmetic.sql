-- Arithmetic: exact, within one currency, within the range of an int64 of minor units.
SET search_path = public, storecredit;

CREATE FUNCTION pg_temp.evaluate(expression text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
	reason text;
BEGIN
	EXECUTE 'SELECT ' || expression INTO result;
	RETURN result;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS reason = PG_EXCEPTION_DETAIL;
	RETURN rtrim(format(E'%s: %s\n%s', SQLSTATE, SQLERRM, reason), E'\n');
END $$;

SELECT '1.10 USD'::money_ccy + '2.25 USD' AS sum, '1.10 USD'::money_ccy - '2.25 USD' AS difference,
	- '1.10 USD'::money_ccy AS negated, abs('-1.10 USD'::money_ccy), abs('1.10 USD'::money_ccy) AS same,
	'1.10 USD'::money_ccy * 3 AS times, -3 * '1.10 USD'::money_ccy AS commuted, '1.10 USD'::money_ccy * 0 AS zero;
SELECT '15 USD'::money_ccy / '10 USD' AS ratio, '1 JPY'::money_ccy / '3 JPY' AS third, '-15 USD'::money_ccy / '10 USD' AS negative,
	'-92233720368547758.08 USD'::money_ccy / '-0.01 USD' AS beyond_int8, pg_typeof('1 JPY'::money_ccy / '3 JPY');

-- two currencies are never mixed, whatever the amounts
SELECT expression, pg_temp.evaluate(expression)
FROM unnest(ARRAY[
	$$'1 USD'::money_ccy + '1 EUR'::money_ccy$$,
	$$'1 USD'::money_ccy - '1 EUR'::money_ccy$$,
	$$'0 USD'::money_ccy + '0 EUR'::money_ccy$$,
	$$'1 USD'::money_ccy / '1 EUR'::money_ccy$$,
	$$'1 USD'::money_ccy / '0 EUR'::money_ccy$$
]) AS expression;

-- both ends of the range
CREATE FUNCTION pg_temp.least() RETURNS money_ccy LANGUAGE sql AS $$SELECT storecredit.money_ccy_from_minor(-9223372036854775808, 'USD')$$;
CREATE FUNCTION pg_temp.most() RETURNS money_ccy LANGUAGE sql AS $$SELECT storecredit.money_ccy_from_minor(9223372036854775807, 'USD')$$;
SELECT expression, pg_temp.evaluate(expression)
FROM unnest(ARRAY[
	$$pg_temp.most() + '0 USD'$$, $$pg_temp.most() + '0.01 USD'$$, $$pg_temp.most() + pg_temp.most()$$,
	$$pg_temp.least() + '0 USD'$$, $$pg_temp.least() + '-0.01 USD'$$, $$pg_temp.least() + pg_temp.least()$$, $$pg_temp.least() + pg_temp.most()$$,
	$$pg_temp.most() - '0 USD'$$, $$pg_temp.most() - '-0.01 USD'$$, $$pg_temp.most() - pg_temp.most()$$, $$pg_temp.most() - pg_temp.least()$$,
	$$pg_temp.least() - '0.01 USD'$$, $$pg_temp.least() - pg_temp.least()$$, $$'0 USD' - pg_temp.least()$$, $$'-0.01 USD' - pg_temp.least()$$,
	$$- pg_temp.most()$$, $$- pg_temp.least()$$,
	$$abs(pg_temp.most())$$, $$abs(- pg_temp.most())$$, $$abs(pg_temp.least())$$,
	$$pg_temp.most() * 1$$, $$pg_temp.most() * -1$$, $$pg_temp.most() * 2$$, $$pg_temp.most() * -2$$,
	$$pg_temp.least() * 1$$, $$pg_temp.least() * -1$$, $$pg_temp.least() * 2$$,
	$$2 * pg_temp.most()$$, $$-1 * pg_temp.least()$$, $$'0.02 USD'::money_ccy * 9223372036854775807$$, $$-9223372036854775808 * '0.01 USD'::money_ccy$$,
	$$pg_temp.least() / '-0.01 USD'$$, $$pg_temp.most() / '0 USD'$$, $$pg_temp.least() / '0 USD'$$, $$'0 USD'::money_ccy / '0 USD'$$,
	$$money_ccy_multiply(pg_temp.most(), 1)$$, $$money_ccy_multiply(pg_temp.most(), 1.00000000000000000001)$$,
	$$money_ccy_multiply(pg_temp.most(), 1.0000000000000000001)$$, $$money_ccy_multiply(pg_temp.most(), 2)$$, $$money_ccy_multiply(pg_temp.most(), 1e400)$$,
	$$money_ccy_multiply(pg_temp.least(), 1)$$, $$money_ccy_multiply(pg_temp.least(), -1)$$, $$money_ccy_multiply(pg_temp.least(), 1.0000000000000000001)$$,
	$$money_ccy_multiply('0.02 USD', 4611686018427387903.75)$$, $$money_ccy_multiply('0.02 USD', 4611686018427387903.74)$$,
	$$money_ccy_multiply('0.02 USD', -4611686018427387904.25)$$, $$money_ccy_multiply('0.02 USD', -4611686018427387904.26)$$
]) AS expression;

-- what would have to be rounded unseen does not exist
SELECT expression, left(pg_temp.evaluate(expression), 5)
FROM unnest(ARRAY[
	$$'1 USD'::money_ccy / 3$$, $$'1 USD'::money_ccy / 3.0$$, $$'1 USD'::money_ccy * 1.5$$, $$1.5 * '1 USD'::money_ccy$$,
	$$'1 USD'::money_ccy * 1.5::float8$$, $$'1 USD'::money_ccy + 1$$, $$'1 USD'::money_ccy::numeric$$, $$5::money_ccy$$, $$'1 USD'::money_ccy::money$$
]) AS expression;

-- multiplication by a fraction: to the nearest minor unit, halves to the even one
SELECT m, factor, money_ccy_multiply(m, factor)
FROM (VALUES
	('0.01 USD'::money_ccy, 0.5), ('0.02 USD', 0.5), ('0.03 USD', 0.5), ('0.05 USD', 0.5), ('0.07 USD', 0.5),
	('-0.01 USD', 0.5), ('-0.03 USD', 0.5), ('0.03 USD', -0.5), ('-0.05 USD', -0.5),
	('0.03 USD', 0.49999999999999999999999999), ('0.03 USD', 0.50000000000000000000000001), ('0.01 USD', 0.50000),
	('5 JPY', 0.5), ('5 JPY', 0.7), ('0.001 KWD', 0.5), ('100.00 USD', 0.19), ('99.99 USD', 1.0825), ('10.00 USD', 0),
	('100.00 USD', 1e-20), ('10.00 USD', 1e3)
) AS v(m, factor);
SELECT pg_temp.evaluate($$money_ccy_multiply('1 USD', 'NaN')$$), pg_temp.evaluate($$money_ccy_multiply('0 USD', 'Infinity')$$),
	pg_temp.evaluate($$money_ccy_multiply('1 USD', '-Infinity')$$);

-- against integer arithmetic done another way, 10,000 random factors of four decimals
SELECT setseed(0.42);
SELECT count(*) AS cases, count(*) FILTER (WHERE abs(2 * (10000 * got - product)) > 10000) AS beyond_half,
	count(*) FILTER (WHERE abs(2 * (10000 * got - product)) = 10000) > 0 AS halves_seen,
	count(*) FILTER (WHERE abs(2 * (10000 * got - product)) = 10000 AND got % 2 <> 0) AS halves_to_odd
FROM (SELECT minor::numeric * factor AS product,
		money_ccy_to_minor(money_ccy_multiply(money_ccy_from_minor(minor, 'USD'), factor / 10000.0)) AS got
	FROM (SELECT trunc(random() * 2000 - 1000)::bigint AS minor, trunc(random() * 200 - 100)::bigint * 250 AS factor
		FROM generate_series(1, 10000)) AS random) AS cases;
