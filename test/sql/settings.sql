-- The settings: who may change them, what they may be, and what they do.
SET client_min_messages = warning;
SELECT storecredit.create_ledger();
\set SHOW_CONTEXT never

-- their defaults; a session knows them from its first call on
\c -
SELECT count(*) FROM pg_settings WHERE name LIKE 'storecredit.%';
SELECT storecredit.store_credit_clock() BETWEEN now() AND clock_timestamp() AS is_the_wall_clock;
SELECT name, vartype, context, min_val, max_val, boot_val FROM pg_settings WHERE name LIKE 'storecredit.%' ORDER BY name;
SET search_path = "$user", public, storecredit;
SET timezone = 'UTC';
SET datestyle = 'ISO';

-- storecredit.test_clock: a point in time, or nothing
SET storecredit.test_clock = '2026-11-27 09:00:00.000001+00';
SELECT store_credit_clock();
SELECT store_credit_clock() FROM pg_sleep(0.001);
SET storecredit.test_clock = '2026-11-27';
SELECT store_credit_clock();
-- without a zone it is one of the session's, at the moment of setting
SET timezone = 'Asia/Tokyo';
SET storecredit.test_clock = '2026-11-27 09:00';
SET timezone = 'UTC';
SELECT store_credit_clock();
SET storecredit.test_clock = 'Nov 27 2026 09:00 Europe/Berlin';
SELECT store_credit_clock();
SHOW storecredit.test_clock;
-- a parallel worker, which reads it again, has the same
SET timezone = 'Asia/Tokyo';
SET storecredit.test_clock = '2026-11-27 09:00';
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
CREATE TABLE regress_scan AS SELECT n FROM generate_series(1, 10000) AS n;
SET parallel_leader_participation = off;
EXPLAIN (COSTS OFF) SELECT min(store_credit_clock()) FROM regress_scan;
SELECT min(store_credit_clock()) = store_credit_clock() AS same FROM regress_scan;
DROP TABLE regress_scan;
RESET parallel_leader_participation;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
SET timezone = 'UTC';
SET storecredit.test_clock = '2026-11-27 08:00+00';
SET storecredit.test_clock = 'infinity';
SET storecredit.test_clock = '-infinity';
SET storecredit.test_clock = 'now';
SET storecredit.test_clock = 'today';
SET storecredit.test_clock = 'tomorrow 12:00+00';
SET storecredit.test_clock = 'epoch';
SET storecredit.test_clock = '09:00';
SET storecredit.test_clock = '2026-02-29 09:00+00';
SET storecredit.test_clock = '300000-01-01 09:00+00';
SET storecredit.test_clock = 'soon';
SET storecredit.test_clock = ' ';
\echo SQLSTATE :LAST_ERROR_SQLSTATE
-- a wrong one changes nothing
SELECT store_credit_clock();
BEGIN;
SET LOCAL storecredit.test_clock = '2027-01-01 00:00+00';
SELECT created_at, expires_at FROM store_credit_credit('settings/clock', '1 USD', expires_on => '2027-01-01');
ROLLBACK;
SELECT store_credit_clock();
SET storecredit.test_clock = '';
SELECT store_credit_clock() BETWEEN now() AND clock_timestamp() AS is_the_wall_clock;
-- the wall clock is read when the call is made, not when the transaction began
BEGIN;
SELECT now() < created_at AS later FROM pg_sleep(0.01), store_credit_credit('settings/clock', '1 USD');
ROLLBACK;

-- storecredit.timezone: one that the server knows
SET storecredit.timezone = 'Europe/Paris';
SHOW storecredit.timezone;
SET storecredit.timezone = 'europe/paris';
SET storecredit.timezone = 'Europe/Atlantis';
SET storecredit.timezone = '';
\echo SQLSTATE :LAST_ERROR_SQLSTATE
-- its days are what expires_on means from then on, and a credit stays as it was issued
SET storecredit.test_clock = '2026-11-27 09:00+00';
SELECT seq, expires_at FROM store_credit_credit('settings/zone', '1 USD', expires_on => '2026-12-31');
SET storecredit.timezone = 'America/New_York';
SELECT seq, expires_at FROM store_credit_credit('settings/zone', '1 USD', expires_on => '2026-12-31');
SELECT seq, expires_at FROM open_credit JOIN account USING (account_id) WHERE owner = 'settings/zone' ORDER BY seq;
RESET storecredit.timezone;

-- storecredit.cell: the upper part of new accounts' numbers, which stay positive
SET storecredit.cell = 32768;
SET storecredit.cell = -1;
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SET storecredit.cell = 32767;
SELECT account_id >> 48 AS cell, account_id > 0 AS positive FROM store_credit_credit('settings/cell', '1 USD');
RESET storecredit.cell;
SELECT account_id >> 48 AS cell FROM store_credit_credit('settings/cell', '1 EUR');

-- storecredit.fast_path: another way to the same
SET storecredit.fast_path = off;
SELECT seq, balance_after FROM store_credit_debit('settings/cell', '0.50 USD');
SET storecredit.fast_path = on;
SELECT seq, balance_after FROM store_credit_debit('settings/cell', '0.50 USD');
RESET storecredit.fast_path;

-- there are no others
SET storecredit.fastpath = on;
\echo SQLSTATE :LAST_ERROR_SQLSTATE

-- they are for superusers; what an ordinary role has set before the library was there is dropped when it comes
CREATE ROLE regress_storecredit_clerk;
GRANT USAGE ON SCHEMA storecredit TO regress_storecredit_clerk;
SET ROLE regress_storecredit_clerk;
SET storecredit.test_clock = '2000-01-01 00:00+00';
SET storecredit.timezone = 'UTC';
SET storecredit.cell = 1;
SET storecredit.fast_path = off;
SHOW storecredit.test_clock;
RESET ROLE;
\c -
SET SESSION AUTHORIZATION regress_storecredit_clerk;
SET storecredit.test_clock = '2000-01-01 00:00+00';
SELECT storecredit.store_credit_clock() > '2020-01-01' AS is_the_wall_clock;
SHOW storecredit.test_clock;
RESET SESSION AUTHORIZATION;
-- unless they have been granted
GRANT SET ON PARAMETER storecredit.timezone TO regress_storecredit_clerk;
SET SESSION AUTHORIZATION regress_storecredit_clerk;
SET storecredit.timezone = 'Europe/Paris';
SHOW storecredit.timezone;
RESET SESSION AUTHORIZATION;
REVOKE SET ON PARAMETER storecredit.timezone FROM regress_storecredit_clerk;
REVOKE USAGE ON SCHEMA storecredit FROM regress_storecredit_clerk;
DROP ROLE regress_storecredit_clerk;

SELECT * FROM storecredit.verify();
