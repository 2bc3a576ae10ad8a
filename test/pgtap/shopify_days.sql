-- The end of a day: a credit given with expires_on is valid "through the end of the day on the set expiration date, based on your
-- Shopify store's timezone" (help pages of Redeemly and RewardsPro), so it is gone from the first instant of the next day there on.
-- The instants were computed with Python's zoneinfo.
BEGIN;
SELECT plan(24);
SELECT create_ledger() \g /dev/null
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET storecredit.test_clock = '2024-01-01 00:00:00+00';

CREATE FUNCTION pg_temp.gone_at(zone text, day date) RETURNS timestamptz LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('storecredit.timezone', zone, true);
	RETURN (SELECT c.expires_at FROM store_credit_credit('customer', '1 USD', expires_on => day, memo => zone) AS c);
END$$;
CREATE FUNCTION pg_temp.gone_at_json(zone text, day text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('storecredit.timezone', zone, true);
	RETURN store_credit_account_credit('customer', jsonb_build_object('expiresAt', day,
		'creditAmount', '{"amount": "1.00", "currencyCode": "USD"}'::jsonb)) #>> '{storeCreditAccountTransaction,expiresAt}';
END$$;

CREATE TEMP TABLE day_end (case_id text, day date, zone text, gone_at text);
INSERT INTO day_end VALUES
	('H1', '2028-10-26', 'UTC', '2028-10-27T00:00:00Z'),
	('H2', '2028-10-26', 'America/New_York', '2028-10-27T04:00:00Z'),
	('H3', '2028-10-26', 'Europe/Paris', '2028-10-26T22:00:00Z'),
	('H4', '2028-10-26', 'Asia/Tokyo', '2028-10-26T15:00:00Z'),
	('H5', '2028-10-26', 'Pacific/Auckland', '2028-10-26T11:00:00Z'),
	('H6', '2026-11-01', 'America/New_York', '2026-11-02T05:00:00Z'),
	('H7', '2026-03-08', 'America/New_York', '2026-03-09T04:00:00Z'),
	('H8', '2026-03-29', 'Europe/Berlin', '2026-03-29T22:00:00Z'),
	('H9', '2024-02-29', 'Australia/Lord_Howe', '2024-02-29T13:00:00Z'),
	('H10', '2026-12-31', 'Pacific/Kiritimati', '2026-12-31T10:00:00Z'),
	('H11', '2026-03-24', 'America/Los_Angeles', '2026-03-25T07:00:00Z');

SELECT is(pg_temp.gone_at(zone, day), gone_at::timestamptz, format('%s: expiry date %s in %s', case_id, day, zone))
FROM day_end ORDER BY substr(case_id, 2)::int;
SELECT is(pg_temp.gone_at_json(zone, day::text), gone_at, format('%s: expiresAt "%s" in %s', case_id, day, zone))
FROM day_end ORDER BY substr(case_id, 2)::int;

-- H12, the mistake that this prevents: a credit "until March 25th" that was stored as midnight UTC ends at 5 pm of March 24th in
-- Los Angeles (support.marianatek.com, article 9250992).
SET storecredit.timezone = 'America/Los_Angeles';
SELECT store_credit_credit('yoga student', '1 USD', expires_on => '2024-03-25') \g /dev/null
SET storecredit.test_clock = '2024-03-25 23:59:59.999999 America/Los_Angeles';
SELECT is(store_credit_balance('yoga student', 'USD'), '1 USD', 'H12: a credit until March 25th is there through the whole of that day');
SET storecredit.test_clock = '2024-03-26 00:00:00 America/Los_Angeles';
SELECT is(store_credit_balance('yoga student', 'USD'), '0 USD', 'H12: and gone with it');

SELECT * FROM finish();
ROLLBACK;
