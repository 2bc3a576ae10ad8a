-- Days and their ends: a credit that is good on a day is good until that day is over where the shop is.
\set home :DBNAME
CREATE DATABASE regression_storecredit_days;
ALTER DATABASE regression_storecredit_days SET search_path = "$user", public, storecredit;
\c regression_storecredit_days
CREATE EXTENSION storecredit;
SELECT create_ledger();
SET timezone = 'UTC';
SET datestyle = 'ISO';
\set SHOW_CONTEXT never

-- days of every kind: plain ones, and those on which clocks are set forward or back, by night, at midnight, by half an hour
CREATE TABLE day (zone text, day date, kind text);
INSERT INTO day VALUES
	('America/New_York', '2024-03-10', 'clocks forward at 2:00'),
	('America/New_York', '2024-11-03', 'clocks back at 2:00'),
	('America/New_York', '2024-12-31', 'plain'),
	('Europe/Berlin', '2024-03-31', 'clocks forward at 2:00'),
	('Europe/Berlin', '2024-10-27', 'clocks back at 3:00'),
	('Europe/Berlin', '2024-02-29', 'leap day'),
	('Asia/Kolkata', '2024-10-27', 'plain'),
	('Australia/Lord_Howe', '2024-04-07', 'clocks back by half an hour'),
	('Australia/Lord_Howe', '2024-10-06', 'clocks forward by half an hour'),
	('America/Havana', '2024-03-09', 'the next day begins at 1:00'),
	('America/Havana', '2024-11-02', 'midnight of the next day comes twice'),
	('America/Sao_Paulo', '2018-11-03', 'the next day begins at 1:00'),
	('America/Sao_Paulo', '2018-02-17', 'its last hour comes twice'),
	('Pacific/Kiritimati', '2024-12-31', 'first to end'),
	('Pacific/Pago_Pago', '2024-12-31', 'last to end'),
	('Pacific/Apia', '2011-12-29', 'the next day is left out');

-- Issues a credit that is good on a day, and looks at it around the end of that day.
CREATE FUNCTION play(owner text, zone text, day date, OUT ends timestamptz, OUT last_instant text, OUT then_left money_ccy, OUT first_gone text, OUT then_gone money_ccy,
	OUT swept bigint, OUT hours interval)
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('storecredit.timezone', zone, true);
	PERFORM set_config('storecredit.test_clock', (day - 1)::text || ' 12:00+00', true);
	SELECT expires_at INTO ends FROM store_credit_credit(owner, '10 USD', expires_on => day);
	hours := ends - (day::timestamp AT TIME ZONE zone);
	last_instant := to_char((ends - interval '1 microsecond') AT TIME ZONE zone, 'YYYY-MM-DD HH24:MI:SS.US');
	first_gone := to_char(ends AT TIME ZONE zone, 'YYYY-MM-DD HH24:MI:SS');
	PERFORM set_config('storecredit.test_clock', (ends - interval '1 microsecond')::text, true);
	then_left := store_credit_balance(owner, 'USD');
	PERFORM store_credit_expire();
	PERFORM set_config('storecredit.test_clock', ends::text, true);
	then_gone := store_credit_balance(owner, 'USD');
	swept := store_credit_expire();
END$$;
SELECT zone, day, kind, p.ends, p.hours, p.last_instant, p.then_left, p.first_gone, p.then_gone, p.swept FROM day, LATERAL play(zone || day, zone, day) AS p;

-- the same day ends at other instants in other places; what was stored stays when the shop moves
SET storecredit.test_clock = '2024-12-30 12:00+00';
SET storecredit.timezone = 'Asia/Kolkata';
SELECT account_id AS moved, expires_at FROM store_credit_credit('moved', '10 USD', expires_on => '2024-12-31') \gset
SELECT :'expires_at' AS expires_at;
SET storecredit.timezone = 'America/New_York';
SELECT expires_at FROM open_credit WHERE account_id = :moved;
SELECT expires_at FROM store_credit_edit(:moved, 1, expires_on => '2024-12-31');
SELECT seq, expires_at, remaining FROM open_credit WHERE account_id = :moved;

-- every way to name a day goes by the shop's zone and not by the session's: credit, refund, bonus, edit, many
SET timezone = 'Pacific/Kiritimati';
SET storecredit.timezone = 'Europe/Berlin';
SELECT to_char(expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') AS utc FROM store_credit_credit('ways', '1 USD', expires_on => '2025-03-29');
SELECT to_char(expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') AS utc FROM store_credit_refund('ways', '1 USD', bonus => '1 USD', expires_on => '2025-03-29', bonus_expires_on => '2025-03-30');
SELECT to_char(expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') AS utc FROM store_credit_edit((SELECT account_id FROM account WHERE owner = 'ways'), 1, expires_on => '2025-03-30');
SELECT count(error) FROM store_credit_credit_many('[{"owner": "ways", "amount": "1 USD", "expires_on": "2025-10-26"}]');
SELECT to_char(expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') AS utc FROM transaction JOIN account USING (account_id) WHERE owner = 'ways' ORDER BY seq DESC LIMIT 1;

-- a day is refused when it is over where the shop is, and not before
SET timezone = 'UTC';
SET storecredit.timezone = 'America/New_York';
SET storecredit.test_clock = '2025-01-01 04:59:59.999999+00';
SELECT expires_at FROM store_credit_credit('eve', '1 USD', expires_on => '2024-12-31');
SET storecredit.test_clock = '2025-01-01 05:00+00';
SELECT store_credit_credit('eve', '1 USD', expires_on => '2024-12-31');

-- a hold's end, a grace and an end given as an instant are instants, the night in which clocks are set back is an hour longer
SET storecredit.timezone = 'Europe/Berlin';
SET timezone = 'Europe/Berlin';
SET storecredit.test_clock = '2025-10-26 00:30:00+02';
SELECT account_id AS night, seq FROM store_credit_credit('night', '10 USD', expires_at => '2025-10-26 02:30:00+02') \gset
SELECT expires_at FROM open_credit WHERE account_id = :night;
SELECT seq FROM store_credit_credit('night', '10 USD', expires_at => '2025-10-26 02:30:00+01');
SELECT hold_id FROM store_credit_authorize('night', '1 USD', expires_at => '2025-10-26 02:00:00+02');
SET storecredit.test_clock = '2025-10-26 02:30:00+02';
SELECT balance, held, available, next_expiry FROM balance WHERE account_id = :night;
SET storecredit.test_clock = '2025-10-26 02:30:00+01';
SELECT balance, held, available, next_expiry FROM balance WHERE account_id = :night;
SELECT store_credit_expire();
-- thirty days are thirty times twenty-four hours
SET storecredit.test_clock = '2025-03-20 12:00:00+01';
SELECT account_id AS grace, seq FROM store_credit_credit('grace', '10 USD', expires_on => '2025-03-21') \gset
SELECT seq FROM store_credit_debit('grace', '10 USD');
SET storecredit.test_clock = '2025-03-22 12:00:00+01';
SELECT seq FROM store_credit_revert(:grace, 2);
SELECT expires_at FROM open_credit WHERE account_id = :grace;

RESET timezone;
SELECT * FROM verify();
\c :home
DROP DATABASE regression_storecredit_days;
