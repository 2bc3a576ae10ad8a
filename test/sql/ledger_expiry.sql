-- Expiry: a credit is gone at its instant, whether that has been booked or not; the account's next entry books it.
SET client_min_messages = warning;
SELECT storecredit.create_ledger();
SET search_path = "$user", public, storecredit;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET storecredit.test_clock = '2026-11-27 09:00+00';
ALTER SEQUENCE account_number_seq RESTART 830001;
\set SHOW_CONTEXT never

-- given 10.00 that end with the year, 5.00 that end a day later, and 1.00 for ever
SELECT seq, expires_at FROM store_credit_credit('expiry/one', '10 USD', expires_on => '2026-12-31');
SELECT seq, expires_at FROM store_credit_credit('expiry/one', '5 USD', expires_on => '2027-01-01');
SELECT seq, expires_at FROM store_credit_credit('expiry/one', '1 USD');

-- a microsecond before its end all of it can be spent
SET storecredit.test_clock = '2026-12-31 23:59:59.999999+00';
SELECT store_credit_balance('expiry/one', 'USD');
SELECT balance, available, next_expiry FROM balance WHERE account_id = 830001;
BEGIN;
SELECT seq, kind, amount, balance_after FROM store_credit_debit('expiry/one', '16 USD');
ROLLBACK;

-- at its end nothing of it can, and the balance still has it: it is owed until it is booked
SET storecredit.test_clock = '2027-01-01 00:00+00';
SELECT store_credit_balance('expiry/one', 'USD');
SELECT balance, available, next_expiry FROM balance WHERE account_id = 830001;
-- so a debit of more is refused, and books nothing either
SELECT store_credit_debit('expiry/one', '6.01 USD');
SELECT store_credit_credit('expiry/one', '1 USD', expires_at => '2027-01-01 00:00+00');
SELECT last_seq, balance FROM account WHERE account_id = 830001;
-- and one that is not refused books the end first, in the ledger's own name
SELECT seq, kind, amount, balance_after, draws FROM store_credit_debit('expiry/one', '0.50 USD', memo => 'a coffee', issuer => 'POS/1');
SELECT seq, kind, amount, balance_after, created_at, expires_at, related_seq, memo, issuer, recorded_by = session_user AS recorded_by_session
FROM transaction WHERE account_id = 830001 AND seq > 3 ORDER BY seq;
SELECT balance, available, next_expiry FROM balance WHERE account_id = 830001;

-- a part that had been spent does not end again, and a credit books ends as well
SET storecredit.test_clock = '2027-01-02 00:00+00';
SELECT seq, balance_after FROM store_credit_credit('expiry/one', '2 USD');
SELECT seq, kind, amount, balance_after, related_seq FROM transaction WHERE account_id = 830001 AND seq > 5 ORDER BY seq;

-- many at once, in the order of their ends, whatever else there is
SELECT count(*) FROM generate_series(1, 20) AS n,
	LATERAL store_credit_credit('expiry/many', '1 USD', expires_at => timestamptz '2027-02-01 00:00+00' - n * interval '1 hour');
SELECT seq FROM store_credit_credit('expiry/many', '1 USD', expires_on => '2027-02-28');
SET storecredit.test_clock = '2027-02-01 00:00+00';
SELECT seq, balance_after, draws FROM store_credit_debit('expiry/many', '1 USD');
SELECT seq, kind, amount, balance_after, related_seq FROM transaction WHERE account_id = 830002 AND seq > 21 ORDER BY seq;
SELECT count(*) FROM open_credit WHERE account_id = 830002;

-- where all has ended nothing is available, in part neither
SELECT seq FROM store_credit_credit('expiry/all', '3 USD', expires_on => '2027-02-01');
SET storecredit.test_clock = '2027-02-02 00:00+00';
SELECT balance, available, next_expiry FROM balance WHERE owner = 'expiry/all';
SELECT store_credit_debit('expiry/all', '1 USD', allow_partial => true);
SELECT last_seq, balance FROM account WHERE owner = 'expiry/all';

-- what has ended makes room under a limit
SELECT store_credit_set_limit('DKK', max_balance => '100 DKK');
SELECT seq FROM store_credit_credit('expiry/limit', '80 DKK', expires_on => '2027-02-02');
SELECT store_credit_credit('expiry/limit', '21 DKK');
SET storecredit.test_clock = '2027-02-03 00:00+00';
SELECT seq, balance_after FROM store_credit_credit('expiry/limit', '100 DKK');
SELECT store_credit_set_limit('DKK');

-- and what is paid for with what had not ended when it was paid stays paid
SELECT seq FROM store_credit_credit('expiry/spent', '5 USD', expires_on => '2027-02-03');
SELECT seq, draws FROM store_credit_debit('expiry/spent', '5 USD');
SET storecredit.test_clock = '2027-02-04 00:00+00';
SELECT seq, balance_after FROM store_credit_credit('expiry/spent', '1 USD');
SELECT balance, available FROM balance WHERE owner = 'expiry/spent';

SELECT * FROM verify();
