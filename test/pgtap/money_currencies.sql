-- Text forms, currency by currency: every scale that ISO 4217 has, codes that nobody pays with, codes that were
-- withdrawn, and the text that Shopify writes for a Decimal.
BEGIN;
SELECT plan(79);

-- what is written is read, in minor units
SELECT is(money_ccy_to_minor(literal::money_ccy), minor, literal || ' in minor units')
FROM (VALUES
	('61.10 USD', 6110::bigint),
	('1000 JPY', 1000),
	('500 KRW', 500),
	('1.234 BHD', 1234),
	('0.001 KWD', 1),
	('1.250 IQD', 1250),
	('0.500 TND', 500),
	('0.0001 CLF', 1),
	('1.2345 UYW', 12345),
	('1.20 MGA', 120),
	('0.20 MRU', 20),
	('10.50 HUF', 1050),
	('100 ISK', 100),
	('5000 UGX', 5000),
	('1.00 XCG', 100),
	('1.00 ZWG', 100)
) AS cases(literal, minor);

-- and written again
SELECT is(literal::money_ccy::text, literal, literal || ' is the canonical text')
FROM unnest('{61.10 USD,1000 JPY,500 KRW,1.234 BHD,0.001 KWD,1.250 IQD,0.500 TND,0.0001 CLF,1.2345 UYW,1.20 MGA,0.20 MRU,
	10.50 HUF,100 ISK,5000 UGX,1.00 XCG,1.00 ZWG}'::text[]) AS literal;

-- too many decimals for the currency
SELECT throws_ok(format('SELECT %L::money_ccy', literal), '22P02',
	format('invalid input syntax for type money_ccy: "%s"', literal), literal || ' has too many decimals')
FROM unnest('{1.001 USD,10.5 JPY,0.1 KRW,1.2345 BHD,0.0001 KWD,0.00001 CLF,1.5 ISK,0.005 EUR}'::text[]) AS literal;

-- no currency of payment
SELECT throws_ok(format('SELECT %L::money_ccy', literal), '22P02',
	format('invalid input syntax for type money_ccy: "%s"', literal), literal || ' is in no currency of payment')
FROM unnest('{1.00 XXX,1.00 XTS,1.00 XAU,1.00 XDR}'::text[]) AS literal;

-- withdrawn: still read and written, still counted with, and marked
SELECT is(literal::money_ccy::text, literal, literal || ' is still readable')
FROM unnest('{1.00 BGN,1.00 ANG,1.00 HRK,1.00 CUC,1.00 ZWL,1.00 SLL}'::text[]) AS literal;
SELECT is(literal::money_ccy - literal::money_ccy, money_ccy_from_minor(0, right(literal, 3)), literal || ' is still spendable')
FROM unnest('{1.00 BGN,1.00 ANG,1.00 HRK,1.00 CUC,1.00 ZWL,1.00 SLL}'::text[]) AS literal;
SELECT is((SELECT withdrawn FROM currency WHERE currency.code = codes.code), true, code || ' is marked as withdrawn')
FROM unnest('{BGN,ANG,HRK,CUC,ZWL,SLL}'::text[]) AS codes(code);
SELECT is((SELECT withdrawn FROM currency WHERE currency.code = codes.code), false, code || ' took its place')
FROM unnest('{EUR,XCG,EUR,CUP,ZWG,SLE}'::text[]) AS codes(code);

-- not of ISO 4217; in lower case
SELECT throws_ok($$SELECT '1.00 USDC'::money_ccy$$, '22P02',
	'invalid input syntax for type money_ccy: "1.00 USDC"', 'USDC is not in ISO 4217');
SELECT is('1.00 usd'::money_ccy::text, '1.00 USD', 'a code in lower case is written in upper case');

-- Shopify's Decimal: zeros at the end dropped, one digit after the point kept, whatever the currency
SELECT is(money_ccy_decimal(m), written, m || ' as a Decimal')
FROM (VALUES
	('61.10 USD'::money_ccy, '61.1'),
	('2.00 USD', '2.0'),
	('0.00 USD', '0.0'),
	('-2.22 USD', '-2.22'),
	('-1.00 USD', '-1.0'),
	('18.00 USD', '18.0'),
	('3000 JPY', '3000.0'),
	('3000.00 USD', '3000.0')
) AS cases(m, written);

-- and what Shopify writes is read, in any currency
SELECT is(jsonb_build_object('amount', '3000.0', 'currencyCode', 'JPY')::money_ccy, '3000 JPY', 'Shopify''s "3000.0" is 3000 JPY');

SELECT * FROM finish();
ROLLBACK;
