-- money_ccy(USD): a column, cast, array or domain of one currency takes no other.
SET search_path = public, storecredit;

CREATE FUNCTION pg_temp.refusal(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	RETURN 'none';
EXCEPTION WHEN OTHERS THEN
	RETURN format('%s: %s', SQLSTATE, SQLERRM);
END $$;

CREATE TEMP TABLE price (
	id integer PRIMARY KEY,
	usd money_ccy(USD) DEFAULT '0 USD',
	eur money_ccy(eur),
	jpys money_ccy('JPY')[],
	anything money_ccy
);
SELECT attname, format_type(atttypid, atttypmod)
FROM pg_attribute WHERE attrelid = 'price'::regclass AND attnum > 1 ORDER BY attnum;

-- every way in is held to it
INSERT INTO price VALUES (1, '5 USD', '6 EUR', '{7 JPY,NULL,8 JPY}', '9 GBP');
INSERT INTO price VALUES (2, '5 EUR');
INSERT INTO price (id, eur) VALUES (2, '5 USD'::money_ccy);
INSERT INTO price (id, jpys) VALUES (2, '{7 JPY,8 USD}');
INSERT INTO price (id, jpys) VALUES (2, ARRAY['7 JPY', '8 USD']::money_ccy[]);
INSERT INTO price (id, usd) SELECT 2, anything FROM price;
UPDATE price SET usd = anything;
UPDATE price SET jpys[1] = anything;
COPY price FROM stdin;
2	5 GBP	\N	\N	\N
\.
COPY price FROM stdin;
2	\N	\N	{5 GBP}	\N
\.
PREPARE insert_usd(money_ccy) AS INSERT INTO price (id, usd) VALUES (2, $1);
EXECUTE insert_usd('5 EUR');
DEALLOCATE insert_usd;
ALTER TABLE price ALTER anything TYPE money_ccy(USD);
ALTER TABLE price ALTER usd SET DEFAULT '1 EUR';
INSERT INTO price (id) VALUES (2);
SELECT * FROM price;

-- a looser type takes what was held, a fitting one too
ALTER TABLE price ALTER usd TYPE money_ccy;
ALTER TABLE price ALTER anything TYPE money_ccy(GBP);
SELECT attname, format_type(atttypid, atttypmod)
FROM pg_attribute WHERE attrelid = 'price'::regclass AND attnum > 1 ORDER BY attnum;

-- casts
SELECT '5 USD'::money_ccy(USD), '5 USD'::money_ccy::money_ccy(usd), CAST(m AS money_ccy(USD)),
	'{5 USD,6 USD}'::money_ccy(USD)[], ARRAY[m, m]::money_ccy(USD)[], NULL::money_ccy(USD)
FROM (VALUES ('7 USD'::money_ccy)) AS v(m);
SELECT cast_to, pg_temp.refusal('SELECT ' || cast_to)
FROM unnest(ARRAY[
	$$'5 EUR'::money_ccy(USD)$$,
	$$'5 EUR'::money_ccy::money_ccy(USD)$$,
	$$'5 EUR'::money_ccy(EUR)::money_ccy(USD)$$,
	$$'{5 USD,5 EUR}'::money_ccy(USD)[]$$,
	$$ARRAY['5 USD', '5 EUR']::money_ccy[]::money_ccy(USD)[]$$,
	$$money_ccy(5, 'EUR')::money_ccy(USD)$$,
	$$'{"amount": "5", "currencyCode": "EUR"}'::jsonb::money_ccy(USD)$$
]) AS cast_to;

-- modifiers that are none
SELECT type, pg_temp.refusal(format('SELECT NULL::%s', type))
FROM unnest(ARRAY[
	'money_ccy(XXX)', 'money_ccy(ZZZ)', 'money_ccy(US)', 'money_ccy(USD, EUR)', 'money_ccy(2)', 'money_ccy('''')', 'money_ccy(NULL)'
]) AS type;

-- numbers that are no modifiers, in calls by hand
SELECT call, pg_temp.refusal('SELECT ' || call)
FROM unnest(ARRAY[
	$$money_ccy_typmod_out(-1)$$, $$money_ccy_typmod_out(0)$$, $$money_ccy_typmod_out(2147483647)$$,
	$$money_ccy_typmod_out(16777215)$$,
	$$money_ccy('5 USD'::money_ccy, 0, true)$$, $$money_ccy('5 USD'::money_ccy, 16777215, true)$$,
	$$money_ccy_in('5 USD', 0, 1431519300)$$,
	$$money_ccy_typmod_in('{}')$$, $$money_ccy_typmod_in('{NULL}')$$
]) AS call;

-- a domain over the type
CREATE DOMAIN pg_temp.price_in_usd AS money_ccy(USD)
	CHECK (VALUE OPERATOR(storecredit.>) '0 USD'::storecredit.money_ccy);
SELECT '5 USD'::pg_temp.price_in_usd, '5 USD'::pg_temp.price_in_usd + '1 USD' AS sum,
	money_ccy_allocate('5 USD'::pg_temp.price_in_usd, '{1,1}');
SELECT pg_temp.refusal($$SELECT '5 EUR'::pg_temp.price_in_usd$$), pg_temp.refusal($$SELECT '0 USD'::pg_temp.price_in_usd$$);
