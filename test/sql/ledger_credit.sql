-- Credits: the first one opens the account, each says when it ends, and a refused one leaves nothing behind.
SET client_min_messages = warning;
SELECT storecredit.create_ledger();
SET search_path = "$user", public, storecredit;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET storecredit.test_clock = '2026-11-27 09:00+00';
ALTER SEQUENCE account_number_seq RESTART 810001;
\set SHOW_CONTEXT never

-- given nobody; when credited; then there is an account, one entry and one open credit
SELECT account_id, seq, kind, amount, balance_after, created_at, expires_at, category, memo, reference, issuer,
	recorded_by = session_user AS recorded_by_session, idempotency_key, related_seq, hold_id, metadata, draws, request_hash
FROM store_credit_credit('Customer/1', '25 USD', issuer => 'Admin/3') \gx
SELECT * FROM account WHERE owner = 'Customer/1' \gx
SELECT * FROM open_credit WHERE account_id = 810001;

-- the second one finds it, by owner or by number, and everything that is said about it is kept
SELECT seq, balance_after FROM store_credit_credit('Customer/1', '10.50 USD',
	expires_at => '2027-01-01 00:00+01', category => 'refund', memo => 'Return R1007', reference => 'Order/R1001',
	issuer => 'Admin/4', idempotency_key => 'R1007', notify => true, metadata => '{"reason": "too small", "lines": [1, 3]}');
SELECT seq, balance_after FROM store_credit_credit(810001, '1 USD');
SELECT seq, kind, amount, balance_after, created_at, expires_at, category, memo, reference, issuer, idempotency_key, metadata
FROM transaction WHERE account_id = 810001 AND seq = 2 \gx
-- without an issuer it is the session's user; who recorded it cannot be given
SELECT seq, issuer = session_user AS by_session, recorded_by = session_user AS recorded_by_session
FROM transaction WHERE account_id = 810001 ORDER BY seq;
SELECT * FROM open_credit WHERE account_id = 810001 ORDER BY expires_at, seq;
SELECT * FROM balance WHERE account_id = 810001;

-- another currency is another account of the same owner, and owners are told apart by every letter
SELECT account_id, balance_after FROM store_credit_credit('Customer/1', '5 EUR');
SELECT account_id, balance_after FROM store_credit_credit('customer/1', '5 EUR');
SELECT account_id, balance_after FROM store_credit_credit('Customer/1 ', '5 EUR');
SELECT owner, currency, balance FROM balance WHERE lower(owner) LIKE 'customer/1%' AND account_id >= 810001 ORDER BY account_id;

-- expires_at is the first instant at which the credit is gone; none, or infinity, is never
SELECT seq, expires_at FROM store_credit_credit('credit/expiry', '1 USD', expires_at => '2026-11-27 09:00:00.000001+00');
SELECT seq, expires_at FROM store_credit_credit('credit/expiry', '1 USD', expires_at => 'infinity');
SELECT seq, expires_at FROM store_credit_credit('credit/expiry', '1 USD', expires_at => '294276-12-31 23:59:59.999999+00');
SELECT seq, expires_at, remaining FROM open_credit JOIN account USING (account_id) WHERE owner = 'credit/expiry' ORDER BY expires_at, seq;

-- expires_on is a day of the shop, valid through its end
CREATE FUNCTION pg_temp.credit_until(zone text, day date) RETURNS timestamptz LANGUAGE plpgsql AS $$
DECLARE
	credit store_credit_transaction;
BEGIN
	PERFORM set_config('storecredit.timezone', zone, true);
	credit := store_credit_credit('credit/days', '1 USD', expires_on => day);
	RETURN credit.expires_at;
END$$;
SET storecredit.test_clock = '2021-01-04 09:00+00';
SELECT zone, day, pg_temp.credit_until(zone, day) AS gone_at
FROM (VALUES
	('UTC', date '2021-12-31'), ('America/New_York', '2021-12-31'), ('Asia/Kolkata', '2021-12-31'),
	('Pacific/Kiritimati', '2021-12-31'), ('Pacific/Pago_Pago', '2021-12-31')) AS days(zone, day);
-- a day of 23 hours, and one of 25
SELECT zone, day, pg_temp.credit_until(zone, day) AS gone_at
FROM (VALUES
	('Europe/Berlin', date '2021-03-27'), ('Europe/Berlin', '2021-03-28'),
	('Europe/Berlin', '2021-10-30'), ('Europe/Berlin', '2021-10-31')) AS days(zone, day);
-- where the clocks are set at midnight: the next day begins at 1, begins twice, or this day has its last hour twice
SELECT zone, day, pg_temp.credit_until(zone, day) AS gone_at
FROM (VALUES
	('Asia/Beirut', date '2021-03-27'), ('Atlantic/Azores', '2021-10-30'), ('America/Havana', '2021-11-06'),
	('Asia/Beirut', '2021-10-30')) AS days(zone, day);
SET storecredit.test_clock = '2026-11-27 09:00+00';
-- the session's own time zone does not matter, nor does its way of writing dates
SET timezone = 'Asia/Tokyo';
SET datestyle = 'SQL, DMY';
SELECT expires_at AT TIME ZONE 'UTC' AS gone_at FROM store_credit_credit('credit/days', '1 USD', expires_on => '31/12/2026');
SET timezone = 'UTC';
SET datestyle = 'ISO';

-- what is refused, in the order in which it is looked at: account, expiry, amount, currency, limit
SELECT store_credit_credit(810999, '0 HRK', expires_at => '2026-11-27 09:00+00');
SELECT store_credit_credit('credit/expiry', '0 HRK', expires_at => '2026-11-27 09:00+00');
SELECT store_credit_credit('credit/expiry', '0 HRK', expires_on => '2026-11-26');
SELECT store_credit_credit('credit/expiry', '0 HRK');
SELECT store_credit_credit('credit/expiry', '-0.01 HRK');
SELECT store_credit_credit(810001, '1 HRK');
SELECT store_credit_credit('credit/expiry', '1 HRK');
-- today is valid through its end
SELECT expires_at FROM store_credit_credit('credit/expiry', '1 USD', expires_on => '2026-11-27');
-- what no call can mean
SELECT store_credit_credit('credit/expiry', '1 USD', expires_at => '2027-01-01 00:00+00', expires_on => '2026-12-31');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT store_credit_credit('credit/expiry', '1 USD', expires_at => '-infinity');
SELECT store_credit_credit('credit/expiry', '1 USD', expires_on => 'infinity');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT store_credit_credit('credit/expiry', '1 USD', expires_on => '294276-12-31');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT store_credit_credit('credit/expiry', '1 USD', expires_on => '5874897-12-31');
-- and an owner's first credit that is refused opens no account
SELECT store_credit_credit('credit/nobody', '1 HRK');
SELECT store_credit_credit('credit/nobody', '0 USD');
SELECT count(*) FROM account WHERE owner = 'credit/nobody';
SELECT owner, currency, last_seq, balance FROM account WHERE owner = 'credit/expiry';

-- the cell is the upper part of the numbers of accounts that are opened here
SET storecredit.cell = 3;
SELECT account_id >> 48 AS cell, account_id & 281474976710655 AS number FROM store_credit_credit('credit/cell', '1 USD');
RESET storecredit.cell;
-- which stay: the next credit finds the account wherever it was opened
SELECT account_id >> 48 AS cell, seq FROM store_credit_credit('credit/cell', '1 USD');

SELECT * FROM verify();
