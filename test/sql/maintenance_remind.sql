-- Reminders: for each credit with something left, once per interval of storecredit.remind_before, a row in the outbox.
\set home :DBNAME
CREATE DATABASE regression_storecredit_remind;
ALTER DATABASE regression_storecredit_remind SET search_path = "$user", public, storecredit;
\c regression_storecredit_remind
CREATE EXTENSION storecredit;
SELECT create_ledger();
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET intervalstyle = 'postgres';
SET storecredit.test_clock = '2026-11-01 00:00+00';
\set SHOW_CONTEXT never

-- what was written since it was looked at last
CREATE VIEW news AS WITH gone AS (SELECT * FROM notification) SELECT created_at, event, owner, seq FROM gone JOIN account USING (account_id) ORDER BY notification_id;
\set news 'SELECT * FROM news; DELETE FROM notification;'

-- without the setting nobody is reminded
SELECT seq FROM store_credit_credit('anna', '10 USD', expires_at => '2026-11-11 00:00+00');
SELECT seq FROM store_credit_credit('anna', '10 USD');
SELECT seq FROM store_credit_credit('ben', '7 EUR', expires_at => '2026-11-21 00:00+00');
SELECT store_credit_remind();

-- a week and a day before: once each, from the very instant on
SET storecredit.remind_before = '1 day', '7 days';
SHOW storecredit.remind_before;
SET storecredit.test_clock = '2026-11-03 23:59:59.999999+00';
SELECT store_credit_remind();
SET storecredit.test_clock = '2026-11-04 00:00+00';
SELECT store_credit_remind(), store_credit_remind();
:news
TABLE reminder;
SET storecredit.test_clock = '2026-11-09 23:59:59.999999+00';
SELECT store_credit_remind();
SET storecredit.test_clock = '2026-11-10 00:00+00';
SELECT store_credit_remind(), store_credit_remind();
:news

-- the clock moves by more than one interval: the nearest is told, and what was passed over is not made up for
SET storecredit.test_clock = '2026-11-20 12:00+00';
SELECT store_credit_remind(), store_credit_remind();
:news
-- the row of what has expired meanwhile is gone
SELECT account_id, seq, expires_at, remind_before, reminded_at FROM reminder;
-- past the end nobody is reminded, swept or not
SET storecredit.test_clock = '2026-11-21 00:00+00';
SELECT store_credit_remind();
SELECT count(*) FROM reminder;

-- what is used up is not reminded of, nor what is held; what is given back is, once
SELECT seq FROM store_credit_credit('cleo', '5 USD', expires_at => '2026-12-31 00:00+00');
SELECT seq FROM store_credit_credit('dora', '5 USD', expires_at => '2026-12-31 00:00+00');
SELECT seq FROM store_credit_credit('emil', '5 USD', expires_at => '2026-12-31 00:00+00');
SELECT account_id AS cleo, seq AS debit FROM store_credit_debit('cleo', '5 USD') \gset
SELECT account_id AS dora, hold_id FROM store_credit_authorize('dora', '5 USD') \gset
SELECT seq FROM store_credit_debit('emil', '4.99 USD');
SET storecredit.test_clock = '2026-12-25 00:00+00';
SELECT store_credit_remind();
:news
SELECT kind FROM store_credit_revert(:cleo, :debit);
SELECT status FROM store_credit_void(:dora, :hold_id);
SELECT store_credit_remind(), store_credit_remind();
:news
SELECT account_id AS cleo, seq AS debit FROM store_credit_debit('cleo', '5 USD') \gset
SELECT kind FROM store_credit_revert(:cleo, :debit);
SELECT store_credit_remind();

-- an edited end: reminded of anew at the new one, and not again at the old one
SELECT kind FROM store_credit_edit(:dora, 1, expires_at => '2027-01-31 00:00+00');
SELECT store_credit_remind();
SET storecredit.test_clock = '2026-12-30 12:00+00';
SELECT store_credit_remind();
:news
SET storecredit.test_clock = '2027-01-24 00:00+00';
SELECT store_credit_remind();
:news
-- never again once it has none
SELECT kind FROM store_credit_edit(:dora, 1, expires_at => 'infinity');
SET storecredit.test_clock = '2027-01-30 00:00+00';
SELECT store_credit_remind();
SELECT count(*) FROM reminder;

-- issued within an interval, it is reminded of at the next round; with a longer interval later, not again; with a shorter one, when that comes
SELECT seq FROM store_credit_credit('fred', '5 USD', expires_at => '2027-02-03 00:00+00');
SELECT store_credit_remind();
SET storecredit.remind_before = '30 days, 7 days, 1 day';
SELECT store_credit_remind();
SET storecredit.remind_before = '3 days, 1 week';
SET storecredit.test_clock = '2027-02-01 00:00+00';
SELECT store_credit_remind();
:news

-- some at a time, the first to expire first; a second call goes on
SELECT count(*) FROM generate_series(1, 7) AS n, LATERAL store_credit_credit('many/' || n % 3, '1 USD', expires_at => timestamptz '2027-02-10 00:00+00' - n * interval '1 hour');
SET storecredit.test_clock = '2027-02-09 00:00+00';
SELECT store_credit_remind(3);
SELECT owner, seq FROM news;
SELECT store_credit_remind(3), store_credit_remind(3), store_credit_remind(3);
SELECT count(*), count(DISTINCT (owner, seq)) FROM news;
DELETE FROM notification;
-- rolled back, it was not reminded
SELECT seq FROM store_credit_credit('gerd', '5 USD', expires_at => '2027-02-10 00:00+00');
BEGIN;
SELECT store_credit_remind();
ROLLBACK;
SELECT store_credit_remind();

-- intervals: any that have a length; none twice, in any order
SET storecredit.remind_before = '36:00, 1.5 days, P3D,  2 days 12 hours , 90 min';
SHOW storecredit.remind_before;
SET storecredit.remind_before = '1 month';
SET storecredit.remind_before = '1 year';
SET storecredit.remind_before = '0';
SET storecredit.remind_before = '-1 day';
SET storecredit.remind_before = '1 day ago';
SET storecredit.remind_before = '36501 days';
SET storecredit.remind_before = '1 day, soon';
SET storecredit.remind_before = '1 day,';
SET storecredit.remind_before = ',';
SET storecredit.remind_before = 'infinity';
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SHOW storecredit.remind_before;
SET storecredit.remind_before = '';
SELECT store_credit_remind();

-- what no call can mean
SELECT store_credit_remind(0);
SELECT store_credit_remind(NULL);
\echo SQLSTATE :LAST_ERROR_SQLSTATE
BEGIN READ ONLY;
SELECT store_credit_remind();
\echo SQLSTATE :LAST_ERROR_SQLSTATE
ROLLBACK;

SELECT * FROM verify();
\c :home
DROP DATABASE regression_storecredit_remind;
