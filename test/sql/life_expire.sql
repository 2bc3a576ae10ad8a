-- The sweep: store_credit_expire() books what has ended, the longest overdue first, account by account, until there is nothing left.
\set home :DBNAME
CREATE DATABASE regression_storecredit_expire;
ALTER DATABASE regression_storecredit_expire SET search_path = "$user", public, storecredit;
\c regression_storecredit_expire
CREATE EXTENSION storecredit;
SELECT create_ledger();
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET storecredit.test_clock = '2026-11-27 09:00+00';
\set SHOW_CONTEXT never

-- nothing is there, or nothing is due
SELECT store_credit_expire();
SELECT account_id, seq FROM store_credit_credit('anna', '10 USD', expires_on => '2026-11-30');
SELECT seq FROM store_credit_credit('anna', '20 USD');
SELECT seq FROM store_credit_credit('anna', '5 USD', expires_on => '2026-11-28');
SELECT account_id, seq FROM store_credit_credit('ben', '7 EUR', expires_on => '2026-11-29');
SELECT account_id, seq FROM store_credit_credit('cleo', '9 USD', expires_on => '2026-12-31');
SELECT seq, draws FROM store_credit_debit('anna', '7 USD');
SELECT store_credit_expire();
SET storecredit.test_clock = '2026-11-28 23:59:59.999999+00';
SELECT store_credit_expire();

-- at the end of November three have ended, one of which was spent before: a row for each of the others
SET storecredit.test_clock = '2026-12-01 00:00+00';
SELECT owner, balance, available FROM balance ORDER BY account_id;
SELECT store_credit_expire();
SELECT account_id, seq, kind, amount, balance_after, created_at, expires_at, related_seq, memo, issuer, recorded_by = session_user AS recorded_by_session
FROM transaction WHERE kind = 'expiration' ORDER BY account_id, seq;
SELECT owner, balance, available, next_expiry FROM balance ORDER BY account_id;
SELECT account_id, seq, remaining FROM open_credit ORDER BY account_id, seq;
-- and that was it
SELECT store_credit_expire();

-- a part that was spent does not end, only what is left; what has no end stays for ever
SELECT seq FROM store_credit_debit('cleo', '4 USD');
SET storecredit.test_clock = '2100-01-01 00:00+00';
SELECT store_credit_expire();
SELECT seq, kind, amount, balance_after, related_seq FROM transaction WHERE account_id = 3 ORDER BY seq;
SELECT owner, balance FROM balance ORDER BY account_id;

-- given ten accounts with three ends each, the accounts' in the reverse order of their numbers
SET storecredit.test_clock = '2026-11-27 09:00+00';
SELECT count(*) FROM generate_series(1, 10) AS n, generate_series(1, 3) AS day,
	LATERAL store_credit_credit('many/' || n, '1 USD', expires_at => timestamptz '2026-12-01 00:00+00' + day * interval '1 day' - n * interval '1 hour');
-- at the end of the second day of each but one, what is overdue the longest comes first
SET storecredit.test_clock = '2026-12-02 22:00+00';
SELECT count(*) FROM open_credit WHERE expires_at <= store_credit_clock();
SELECT store_credit_expire(1);
SELECT owner, count(*) FROM transaction JOIN account USING (account_id) WHERE kind = 'expiration' AND owner LIKE 'many/%' GROUP BY owner ORDER BY owner;
SELECT store_credit_expire(2);
SELECT owner, count(*) FROM transaction JOIN account USING (account_id) WHERE kind = 'expiration' AND owner LIKE 'many/%' GROUP BY owner ORDER BY owner;
-- called until there is nothing left, none is left and none twice
SELECT store_credit_expire(4), store_credit_expire(4), store_credit_expire(4), store_credit_expire(4), store_credit_expire(4);
SELECT owner, count(*), sum(amount) FROM transaction JOIN account USING (account_id) WHERE kind = 'expiration' AND owner LIKE 'many/%' GROUP BY owner ORDER BY owner;
SELECT count(*), count(DISTINCT (account_id, related_seq)) FROM transaction WHERE kind = 'expiration';
SELECT count(*) FROM open_credit WHERE expires_at <= store_credit_clock();

-- many of one account, each a row, in the order of their ends
SET storecredit.test_clock = '2026-12-05 00:00+00';
SELECT store_credit_expire();
SELECT count(*) FROM generate_series(1, 50) AS n,
	LATERAL store_credit_credit('fifty', '1 USD', expires_at => timestamptz '2026-12-06 00:00+00' + (n * 37 % 50) * interval '1 minute');
SET storecredit.test_clock = '2026-12-06 00:24+00';
SELECT store_credit_expire(10);
SELECT count(*), bool_and(ordered), min(balance_after), max(balance_after) FROM (
	SELECT expires_at >= lag(expires_at, 1, '-infinity') OVER (ORDER BY seq) AS ordered, balance_after
	FROM transaction JOIN account USING (account_id) WHERE owner = 'fifty' AND kind = 'expiration') AS e;

-- with holds: what is held does not end, what a hold lets go is spent or ends by the rule for it, and closed holds count too
SET storecredit.test_clock = '2026-12-10 00:00+00';
SELECT seq FROM store_credit_credit('holds', '10 USD', expires_on => '2026-12-10');
SELECT hold_id FROM store_credit_authorize('holds', '4 USD');
SELECT hold_id FROM store_credit_authorize('holds', '3 USD', expires_at => '2026-12-10 12:00+00');
SET storecredit.test_clock = '2026-12-10 12:00+00';
SELECT store_credit_expire();
SET storecredit.test_clock = '2026-12-11 00:00+00';
SELECT store_credit_expire();
SELECT kind, amount, balance_after FROM transaction JOIN account USING (account_id) WHERE owner = 'holds' ORDER BY seq;
SELECT balance, held, available FROM balance WHERE owner = 'holds';
SELECT hold_id, status FROM hold JOIN account USING (account_id) WHERE owner = 'holds' ORDER BY hold_id;

-- sweeps that were taken back, and all that this leaves in the tables and indexes, do no harm to the next one
SET storecredit.test_clock = '2026-12-12 00:00+00';
SELECT count(*) FROM generate_series(1, 40) AS n, LATERAL store_credit_credit('again/' || n % 8, '1 USD', expires_at => timestamptz '2026-12-13 00:00+00' + n * interval '1 minute');
SELECT count(*) FROM generate_series(0, 7) AS n, LATERAL store_credit_authorize('again/' || n, '0.50 USD', expires_at => '2026-12-14 00:00+00');
SET storecredit.test_clock = '2026-12-15 00:00+00';
SELECT format('BEGIN; SELECT store_credit_expire(%s); ROLLBACK', 20 * n) FROM generate_series(1, 3) AS n \gexec
SELECT format('SELECT store_credit_expire(%s)', n) FROM generate_series(11, 18) AS n \gexec
SELECT count(*), sum(amount) FROM transaction JOIN account USING (account_id) WHERE owner LIKE 'again/%' AND kind = 'expiration';
SELECT status, count(*) FROM hold JOIN account USING (account_id) WHERE owner LIKE 'again/%' GROUP BY status;
SELECT sum(balance), sum(available) FROM balance WHERE owner LIKE 'again/%';

-- in a transaction that has other work on the accounts, the sweep sees it
SET storecredit.test_clock = '2027-02-01 00:00+00';
SELECT store_credit_expire();
BEGIN;
SELECT seq FROM store_credit_credit('within', '3 USD', expires_on => '2027-02-01');
SELECT seq FROM store_credit_credit('within', '2 USD');
SELECT seq, draws FROM store_credit_debit('within', '1 USD');
SET LOCAL storecredit.test_clock = '2027-02-02 00:00+00';
SELECT store_credit_expire();
SELECT kind, amount, balance_after FROM transaction JOIN account USING (account_id) WHERE owner = 'within' ORDER BY seq;
SELECT seq, draws FROM store_credit_debit('within', '2 USD');
COMMIT;
-- also where it has locked them before
SELECT seq FROM store_credit_credit('within', '3 USD', expires_on => '2027-02-01');
SET storecredit.test_clock = '2027-02-03 00:00+00';
BEGIN;
SELECT owner FROM account WHERE owner = 'within' FOR UPDATE;
SELECT store_credit_expire();
COMMIT;

-- what no call can mean
SELECT store_credit_expire(0);
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT store_credit_expire(-1);
SELECT store_credit_expire(NULL);
BEGIN READ ONLY;
SELECT store_credit_expire();
\echo SQLSTATE :LAST_ERROR_SQLSTATE
ROLLBACK;

SELECT * FROM verify();
\c :home
DROP DATABASE regression_storecredit_expire;
