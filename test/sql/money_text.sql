-- money_ccy as text: what is read, what is written, what is refused and why.
SET search_path = public, storecredit;

CREATE FUNCTION pg_temp.read(literal text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	reason text;
BEGIN
	RETURN literal::storecredit.money_ccy;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS reason = PG_EXCEPTION_DETAIL;
	RETURN format(E'%s: %s\n%s', SQLSTATE, SQLERRM, reason);
END $$;

-- amounts are written with all their minor digits
SELECT literal, pg_temp.read(literal)
FROM unnest(ARRAY[
	'49.99 USD', '49.9 USD', '49 USD', '0 USD', '-0.00 USD', '+1.50 USD', '-1.50 USD', '-0.05 USD', '007.00 USD',
	'1000 JPY', '1.234 BHD', '0.0001 CLF', '-0.0001 CLF', '1.00 ANG',
	'5 usd', '5 Usd', '  5.00   USD  ',
	'00000000000000000000000000000000000000001.00 USD'
]) AS literal;
SELECT pg_temp.read(E'\t5.00\n\r' || chr(11) || E'\fusd\n') AS any_blanks;

-- the whole range of an int64 of minor units, and no further
SELECT literal, pg_temp.read(literal)
FROM unnest(ARRAY[
	'92233720368547758.07 USD', '92233720368547758.08 USD', '-92233720368547758.08 USD', '-92233720368547758.09 USD',
	'9223372036854775807 JPY', '9223372036854775808 JPY', '-9223372036854775808 JPY', '-9223372036854775809 JPY',
	'922337203685477.5807 CLF', '922337203685477.5808 CLF', '-922337203685477.5808 CLF',
	'9223372036854775807 USD', '18446744073709551616 JPY', '18446744073709551617 JPY',
	'99999999999999999999999999999999999999999 USD'
]) AS literal;

-- nothing is rounded, not even zeros away
SELECT literal, pg_temp.read(literal)
FROM unnest(ARRAY['1.001 USD', '1.000 USD', '10.5 JPY', '10.0 JPY', '1.2345 BHD', '0.00001 CLF']) AS literal;

-- currencies that are none, or that nobody pays with
SELECT literal, pg_temp.read(literal)
FROM unnest(ARRAY['1.00 XXX', '1.00 xau', '1.00 XDR', '1.00 XTS', '1.00 USDC', '1.00 US', '1.00 ZZZ', '1.00 DEM']) AS literal;

-- one form and no other
SELECT quote_literal(literal) AS literal
FROM unnest(ARRAY[
	'', ' ', '5', '5.00', 'USD', ' USD', '5USD', '5.00USD', 'USD 5', '$5', '5 $', '5 USD USD', '5 USD;', '5 U S D',
	'1,000.00 USD', '1 000.00 USD', '1_000 USD', '1''000 USD', '1.000,00 EUR', '5,00 EUR',
	'.5 USD', '5. USD', '. USD', '1.2.3 USD', '--5 USD', '+-5 USD', '- 5 USD', '5- USD', '(5) USD', '-USD',
	'1e2 USD', '0x10 USD', 'NaN USD', 'Infinity USD', '-inf USD', '{"amount": "5", "currencyCode": "USD"}'
]) AS literal
WHERE pg_temp.read(literal) <> format(E'22P02: invalid input syntax for type money_ccy: "%s"\n'
	'An amount, a blank and a currency code are expected, as in "49.99 USD".', literal);

-- very long ones
SELECT length(pg_temp.read(repeat('9', 1000000) || ' USD')),
	left(pg_temp.read(repeat('9', 1000000) || ' USD'), 6),
	pg_temp.read(repeat('0', 1000000) || '1 USD'),
	pg_temp.read(repeat(' ', 1000000) || '1' || repeat(' ', 1000000) || 'USD' || repeat(' ', 1000000)),
	left(pg_temp.read('1 ' || repeat('A', 1000000)), 6),
	left(pg_temp.read('1.' || repeat('0', 1000000) || ' USD'), 6);

-- literals in statements fail when the statement is parsed
SELECT '1.001 USD'::money_ccy;

-- where the server can ask whether an input is valid, asking raises nothing
DO $$
DECLARE
	literal text;
	typename text;
	valid boolean;
	reason text;
BEGIN
	IF to_regprocedure('pg_input_is_valid(text, text)') IS NULL THEN
		RETURN;
	END IF;
	FOR literal, typename, reason IN VALUES
		('49.99 USD', 'money_ccy', NULL),
		('49.99 USD', 'money_ccy(USD)', NULL),
		('49.99', 'money_ccy', '22P02'),
		('1.001 USD', 'money_ccy', '22P02'),
		('1.00 XXX', 'money_ccy', '22P02'),
		('92233720368547758.08 USD', 'money_ccy', '22003'),
		('49.99 EUR', 'money_ccy(USD)', '22000')
	LOOP
		EXECUTE 'SELECT pg_input_is_valid($1, $2)' INTO valid USING literal, typename;
		ASSERT valid = (reason IS NULL), literal;
		EXECUTE 'SELECT $3 IS NOT DISTINCT FROM sql_error_code FROM pg_input_error_info($1, $2)'
			INTO valid USING literal, typename, reason;
		ASSERT valid, literal;
	END LOOP;
END $$;

-- text casts are the input and output functions
SELECT '49.99 USD'::text::money_ccy, '49.99 USD'::varchar(20)::money_ccy, ('49.99 USD'::money_ccy)::text || '!' AS text;

-- dump and restore, by text
CREATE TEMP TABLE amounts (m money_ccy);
COPY amounts FROM stdin;
49.99 USD
-1 jpy
\N
\.
COPY amounts TO stdout;
COPY amounts FROM stdin;
49.999 USD
\.
SELECT row_to_json(amounts), jsonb_populate_record(NULL::amounts, to_jsonb(amounts)) FROM amounts;
