-- A round of maintenance: CALL run_maintenance() expires, reminds and says what it did; and the figures for a monitoring system.
\set home :DBNAME
CREATE DATABASE regression_storecredit_round;
ALTER DATABASE regression_storecredit_round SET search_path = "$user", public, storecredit;
\c regression_storecredit_round
CREATE EXTENSION storecredit;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET intervalstyle = 'postgres';
\set SHOW_CONTEXT never

-- without a ledger
CALL run_maintenance();
SELECT store_credit_remind();
SELECT create_ledger();
SET storecredit.test_clock = '2026-11-01 00:00+00';
SET storecredit.remind_before = '7 days, 1 day';

-- nothing to do: it says that it was there
SELECT * FROM worker_status;
CALL run_maintenance();
SELECT credits_expired, holds_closed, reminders, backlog, last_start <= last_end AS ended, last_error, last_error_at FROM worker_status;

-- given credits that end, a hold that ends, and one to remind of; in small batches
SELECT count(*) FROM generate_series(1, 20) AS n, LATERAL store_credit_credit('owner/' || n % 7, '2 USD', expires_at => timestamptz '2026-11-02 00:00+00' + n * interval '1 hour');
SELECT seq FROM store_credit_credit('hans', '12.50 EUR');
SELECT hold_id FROM store_credit_authorize('hans', '5 EUR', expires_at => '2026-11-02 00:00+00');
SELECT hold_id FROM store_credit_authorize('hans', '2.50 EUR');
SELECT seq FROM store_credit_credit('ida', '3 EUR', expires_at => '2026-11-09 00:00+00');
SET storecredit.batch_size = 3;
SET storecredit.test_clock = '2026-11-03 00:00+00';
SELECT name, labels, value FROM metrics WHERE name NOT LIKE '%timestamp%' ORDER BY name, labels;
CALL run_maintenance();
SELECT credits_expired, holds_closed, reminders, backlog, last_start <= last_end AS ended, last_error, last_error_at FROM worker_status;
SELECT event, owner, seq FROM notification JOIN account USING (account_id);
SELECT name, labels, value FROM metrics WHERE name NOT LIKE '%timestamp%' ORDER BY name, labels;
SELECT name, labels, to_timestamp(value::double precision) BETWEEN now() - interval '1 min' AND clock_timestamp() AS now FROM metrics WHERE name LIKE '%timestamp%' ORDER BY name;
-- it adds up
SELECT seq FROM store_credit_credit('ida', '3 EUR', expires_at => '2026-11-03 12:00+00');
SET storecredit.test_clock = '2026-11-09 00:00+00';
CALL run_maintenance();
SELECT credits_expired, holds_closed, reminders FROM worker_status;
SELECT count(*) FROM reminder;

-- in any isolation level
SET default_transaction_isolation = serializable;
SELECT seq FROM store_credit_credit('ida', '3 EUR', expires_at => '2026-11-09 12:00+00');
SET storecredit.test_clock = '2026-11-10 00:00+00';
CALL run_maintenance();
SHOW transaction_isolation;
RESET default_transaction_isolation;

-- storecredit.expiry off: it does nothing, and does not say that it did; single calls do what they are told
SELECT seq FROM store_credit_credit('ida', '3 EUR', expires_at => '2026-11-11 00:00+00');
SET storecredit.expiry = off;
SET storecredit.test_clock = '2026-11-12 00:00+00';
CALL run_maintenance();
SELECT credits_expired, holds_closed, reminders FROM worker_status;
SELECT store_credit_expire();
RESET storecredit.expiry;

-- one account that fails: the others are booked, the failure is told, and the round ends
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not this one' USING ERRCODE = 'P0099'; END $$;
CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON transaction DEFERRABLE INITIALLY DEFERRED
	FOR EACH ROW WHEN (NEW.kind = 'expiration' AND NEW.account_id % 4 = 3) EXECUTE FUNCTION refuse();
SELECT count(*) FROM generate_series(1, 20) AS n, LATERAL store_credit_credit('owner/' || n % 7, '2 USD', expires_at => '2026-11-13 00:00+00');
SET storecredit.test_clock = '2026-11-14 00:00+00';
CALL run_maintenance();
SELECT account_id, count(*) FROM open_credit WHERE expires_at <= store_credit_clock() GROUP BY account_id ORDER BY account_id;
SELECT backlog, last_start <= last_end AS ended, last_error, last_error_at >= last_start AS now FROM worker_status;
SELECT value FROM metrics WHERE name = 'storecredit_oldest_overdue_seconds';
-- an error that is no account's is the call's, after it was written down
ALTER TABLE reminder ADD CONSTRAINT nobody CHECK (account_id < 0);
SELECT seq FROM store_credit_credit('ida', '3 EUR', expires_at => '2026-11-15 00:00+00');
CALL run_maintenance();
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT last_end, last_error FROM worker_status;
DROP TRIGGER refuse ON transaction;
ALTER TABLE reminder DROP CONSTRAINT nobody;
CALL run_maintenance();
SELECT backlog, last_start <= last_end AS ended, last_error FROM worker_status;
-- if not even the status can be written, the error says so
ALTER TABLE worker_status RENAME TO elsewhere;
CALL run_maintenance();
ALTER TABLE elsewhere RENAME TO worker_status;

-- not where it cannot commit
BEGIN;
CALL run_maintenance();
\echo SQLSTATE :LAST_ERROR_SQLSTATE
ROLLBACK;
DO $$ BEGIN CALL storecredit.run_maintenance(); END $$;
CREATE PROCEDURE within() LANGUAGE plpgsql SET work_mem = '4MB' AS $$ BEGIN CALL storecredit.run_maintenance(); END $$;
CALL within();
SET default_transaction_read_only = on;
CALL run_maintenance();
\echo SQLSTATE :LAST_ERROR_SQLSTATE
RESET default_transaction_read_only;

-- settings of the worker
SELECT name, setting, unit, context, min_val, max_val FROM pg_settings
WHERE name IN ('storecredit.databases', 'storecredit.naptime', 'storecredit.batch_size', 'storecredit.expiry') ORDER BY name;
SET storecredit.databases = 'shop';
SET storecredit.naptime = 1;
SET storecredit.batch_size = 0;
ALTER SYSTEM SET storecredit.databases = 'a b';
ALTER SYSTEM SET storecredit.databases = '"shop';
ALTER SYSTEM SET storecredit.databases = 'shop,,other';
\echo SQLSTATE :LAST_ERROR_SQLSTATE

SELECT * FROM verify();
\c :home
DROP DATABASE regression_storecredit_round;
