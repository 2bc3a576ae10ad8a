-- money_ccy from and to numbers, codes and JSON.
SET search_path = public, storecredit;

CREATE FUNCTION pg_temp.evaluate(expression text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
	reason text;
BEGIN
	EXECUTE 'SELECT (' || expression || ')::text' INTO result;
	RETURN result;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS reason = PG_EXCEPTION_DETAIL;
	RETURN format(E'%s: %s\n%s', SQLSTATE, SQLERRM, reason);
END $$;

-- from a number and a code: by value, exact or refused
SELECT expression, pg_temp.evaluate(expression)
FROM unnest(ARRAY[
	$$money_ccy(49.99, 'USD')$$, $$money_ccy(-49.9, 'usd')$$, $$money_ccy(5, 'JPY')$$,
	$$money_ccy(49.9900000, 'USD')$$, $$money_ccy(5.000, 'JPY')$$, $$money_ccy(1e3, 'KWD')$$,
	$$money_ccy(92233720368547758.07, 'USD')$$, $$money_ccy(-92233720368547758.08, 'USD')$$,
	$$money_ccy(92233720368547758.08, 'USD')$$, $$money_ccy(1e40, 'USD')$$,
	$$money_ccy(49.999, 'USD')$$, $$money_ccy(0.5, 'JPY')$$, $$money_ccy(1e-40, 'JPY')$$,
	$$money_ccy('NaN', 'USD')$$, $$money_ccy('Infinity', 'USD')$$, $$money_ccy('-Infinity', 'USD')$$,
	$$money_ccy(1, 'XXX')$$, $$money_ccy(1, 'USDC')$$, $$money_ccy(1, '')$$, $$money_ccy(1, ' USD')$$,
	$$money_ccy(NULL, 'USD')$$, $$money_ccy(1, NULL)$$
]) AS expression;

-- from and to minor units
SELECT expression, pg_temp.evaluate(expression)
FROM unnest(ARRAY[
	$$money_ccy_from_minor(4999, 'USD')$$, $$money_ccy_from_minor(-1, 'bhd')$$, $$money_ccy_from_minor(7, 'JPY')$$,
	$$money_ccy_from_minor(9223372036854775807, 'USD')$$, $$money_ccy_from_minor(-9223372036854775808, 'USD')$$,
	$$money_ccy_from_minor(1, 'XAU')$$, $$money_ccy_from_minor(1, 'euro')$$,
	$$money_ccy_to_minor('49.99 USD')$$, $$money_ccy_to_minor('-0.0001 CLF')$$,
	$$money_ccy_to_minor('-92233720368547758.08 USD')$$
]) AS expression;

-- the parts
SELECT m, money_ccy_amount(m), scale(money_ccy_amount(m)), money_ccy_currency(m), money_ccy_decimal(m)
FROM unnest('{49.99 USD,49.90 USD,-49.00 USD,0.00 USD,-0.05 USD,3000 JPY,0 JPY,-10 JPY,1.230 BHD,100.0000 CLF,
	-92233720368547758.08 USD,9223372036854775807 JPY,-922337203685477.5808 CLF}'::money_ccy[]) AS m;

-- to JSON; to_jsonb() and its like write the text, which jsonb_populate_record() reads
SELECT m::jsonb, to_jsonb(m), jsonb_build_object('price', m::jsonb) ->> 'price'
FROM unnest('{49.90 USD,-3000 JPY,-922337203685477.5808 CLF}'::money_ccy[]) AS m;

-- from JSON
SELECT expression, pg_temp.evaluate(format('%L::jsonb::storecredit.money_ccy', expression))
FROM unnest(ARRAY[
	'{"amount": "49.99", "currencyCode": "USD"}', '{"currencyCode": "usd", "amount": "-49.9"}',
	'{"amount": 49.99, "currencyCode": "USD"}', '{"amount": 4.9990e1, "currencyCode": "USD"}',
	'{"amount": 49, "currencyCode": "USD"}', '{"amount": "3000.0", "currencyCode": "JPY"}',
	'{"amount": 3000.0, "currencyCode": "JPY"}', '{"amount": "2.0", "currencyCode": "USD"}',
	'{"amount": "92233720368547758.07", "currencyCode": "USD"}', '{"amount": -92233720368547758.08, "currencyCode": "USD"}',
	'{"amount": "92233720368547758.08", "currencyCode": "USD"}', '{"amount": 1e40, "currencyCode": "JPY"}'
]) AS expression;
SELECT expression, pg_temp.evaluate(format('%L::jsonb::storecredit.money_ccy', expression))
FROM unnest(ARRAY[
	'{}', '[]', 'null', '"49.99 USD"', '49.99', '[{"amount": "49.99", "currencyCode": "USD"}]',
	'{"amount": "49.99"}', '{"currencyCode": "USD"}',
	'{"amount": null, "currencyCode": "USD"}', '{"amount": "49.99", "currencyCode": null}',
	'{"amount": true, "currencyCode": "USD"}', '{"amount": ["49.99"], "currencyCode": "USD"}',
	'{"amount": {"amount": "49.99"}, "currencyCode": "USD"}',
	'{"amount": "49.99", "currencyCode": 840}', '{"amount": "49.99", "currencyCode": ["USD"]}',
	'{"amount": "49.99", "currencyCode": "USD", "memo": "x"}', '{"amount": "49.99", "currency": "USD"}',
	'{"Amount": "49.99", "currencyCode": "USD"}', '{"amount": "49.99", "currencyCode": "USD", "": {"amount": 1}}',
	'{"amount": "49.999", "currencyCode": "USD"}', '{"amount": 49.999, "currencyCode": "USD"}',
	'{"amount": "0.5", "currencyCode": "JPY"}',
	'{"amount": "", "currencyCode": "USD"}', '{"amount": " 49.99", "currencyCode": "USD"}',
	'{"amount": "49.99 USD", "currencyCode": "USD"}', '{"amount": "1e2", "currencyCode": "USD"}',
	'{"amount": "NaN", "currencyCode": "USD"}', '{"amount": "1,000.00", "currencyCode": "USD"}',
	'{"amount": "5.", "currencyCode": "USD"}',
	'{"amount": "49.99", "currencyCode": "XXX"}', '{"amount": "49.99", "currencyCode": "USDC"}',
	'{"amount": "49.99", "currencyCode": ""}', '{"amount": "49.99", "currencyCode": "USD "}'
]) AS expression;

-- what one form writes, the others read
SELECT count(*) AS amounts,
	count(*) FILTER (WHERE m::text::money_ccy <> m) AS text,
	count(*) FILTER (WHERE m::jsonb::money_ccy <> m) AS jsonb,
	count(*) FILTER (WHERE jsonb_build_object('amount', money_ccy_decimal(m), 'currencyCode', money_ccy_currency(m))::money_ccy <> m) AS decimal,
	count(*) FILTER (WHERE jsonb_build_object('amount', money_ccy_amount(m), 'currencyCode', money_ccy_currency(m))::money_ccy <> m) AS number,
	count(*) FILTER (WHERE money_ccy(money_ccy_amount(m), money_ccy_currency(m)) <> m) AS amount,
	count(*) FILTER (WHERE money_ccy_from_minor(money_ccy_to_minor(m), money_ccy_currency(m)) <> m) AS minor
FROM (SELECT money_ccy_from_minor(minor, code) AS m
	FROM currency, unnest('{0,1,-1,9,10,-10,99,100,101,12345,-1000000,9223372036854775807,-9223372036854775808}'::bigint[]) AS minor) AS amounts;
