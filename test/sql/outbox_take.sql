-- store_credit_notifications(): takes notifications out of the outbox, with what there is to tell.
\set home :DBNAME
CREATE DATABASE regression_storecredit_outbox;
ALTER DATABASE regression_storecredit_outbox SET search_path = "$user", public, storecredit;
\c regression_storecredit_outbox
CREATE EXTENSION storecredit;
-- without a ledger
SELECT store_credit_notifications();
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT create_ledger();
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET storecredit.test_clock = '2026-11-27 09:00+00';
\set SHOW_CONTEXT never

-- wrong arguments
SELECT store_credit_notifications(0);
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT store_credit_notifications(-1);
SELECT store_credit_notifications(NULL);
SELECT store_credit_notifications(2147483648);
SELECT FROM store_credit_notifications();
SELECT FROM store_credit_notifications(2147483647);

-- each with its transaction, the oldest first
SELECT seq FROM store_credit_credit('take/anna', '50 USD', expires_on => '2026-12-24', category => 'refund', memo => 'Return R7', reference => 'Order/7', notify => true);
SELECT seq FROM store_credit_debit('take/anna', '12.50 USD', reference => 'Order/8', notify => true);
SELECT seq FROM store_credit_edit(1, 1, '60 USD', expires_on => '2026-12-31', memo => 'sorry', notify => true);
SELECT seq FROM store_credit_credit('take/ben', '300 JPY', notify => true);
SELECT seq FROM store_credit_revert(1, 2, '2.50 USD', notify => true);
SELECT seq FROM store_credit_revoke(1, 1, notify => true);
SELECT * FROM store_credit_notifications(1) \gx
-- no more than asked for are gone
SELECT count(*) FROM notification;
SELECT notification_id, event, owner, account_id, seq, amount, balance_after, expires_at, memo FROM store_credit_notifications(3);
SELECT notification_id, event, owner, account_id, seq, amount, balance_after, expires_at, memo FROM store_credit_notifications();
SELECT FROM store_credit_notifications();

-- of an end that comes near: what is left, and the balance, as they are by now
SELECT seq FROM store_credit_credit('take/cleo', '10 EUR', expires_on => '2026-11-30', memo => 'gift');
SELECT seq FROM store_credit_credit('take/cleo', '20 EUR', expires_on => '2026-11-29');
SELECT seq FROM store_credit_credit('take/cleo', '30 EUR', expires_on => '2026-11-28');
SELECT seq FROM store_credit_credit('take/cleo', '40 EUR', expires_on => '2026-11-30');
SET storecredit.remind_before = '7 days';
SELECT seq FROM store_credit_credit('take/cleo', '50 EUR', expires_at => '2026-11-27 10:00+00');
SELECT store_credit_remind();
SELECT seq FROM store_credit_debit('take/cleo', '81 EUR');
SELECT seq FROM store_credit_credit('take/cleo', '60 EUR', expires_at => '2026-11-27 11:00+00');
SELECT store_credit_remind();
SET storecredit.test_clock = '2026-11-27 12:00+00';
SELECT FROM store_credit_edit(3, 1, expires_on => '2027-01-31');
SELECT FROM store_credit_edit(3, 4, expires_at => 'infinity');
-- 3 and 5 are spent, 4 has no end any more, 7 has ended: there is nothing to tell of them
SELECT event, owner, seq, amount, balance_after, expires_at, memo FROM store_credit_notifications();
RESET storecredit.remind_before;

-- a rollback brings them back, one to a savepoint too
SELECT count(store_credit_credit('take/dora', n * '1 USD'::money_ccy, notify => true)) FROM generate_series(1, 5) AS n;
BEGIN;
SELECT seq FROM store_credit_notifications(2);
SAVEPOINT a;
SELECT seq FROM store_credit_notifications(1);
ROLLBACK TO a;
SELECT seq FROM store_credit_notifications(2);
COMMIT;
BEGIN;
SELECT seq FROM store_credit_notifications();
ROLLBACK;
SELECT seq FROM store_credit_notifications(7);
-- all that it was called for are taken, also those that the query leaves out
SELECT count(store_credit_credit('take/dora', '1 USD', notify => true)) FROM generate_series(1, 3);
SELECT seq FROM store_credit_notifications(2) LIMIT 1;
SELECT seq FROM store_credit_notifications(2);
-- also its own transaction's
BEGIN;
SELECT seq FROM store_credit_credit('take/dora', '1 USD', notify => true);
SELECT seq FROM store_credit_notifications(2);
COMMIT;
SELECT count(*) FROM notification;

-- rows of other origin: what there is
INSERT INTO notification (created_at, event, account_id, seq) VALUES ('2026-11-27Z', 'birthday', 4, 77), ('2026-11-27Z', 'expiring_soon', 1, 1);
SELECT event, owner, account_id, seq, amount, balance_after, expires_at FROM store_credit_notifications();
-- a column of the shop's own
ALTER TABLE notification ADD COLUMN priority integer DEFAULT 1;
SELECT seq FROM store_credit_credit('take/dora', '1 USD', notify => true);
SELECT seq FROM store_credit_notifications();
ALTER TABLE notification DROP COLUMN priority;
-- what a trigger keeps in the outbox is not handed out
SELECT count(store_credit_credit('take/dora', '1 USD', notify => true)) FROM generate_series(1, 2);
CREATE FUNCTION pg_temp.keep() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN CASE OLD.seq % 2 WHEN 0 THEN OLD END; END$$;
CREATE TRIGGER keep BEFORE DELETE ON notification FOR EACH ROW EXECUTE FUNCTION pg_temp.keep();
SELECT seq FROM store_credit_notifications();
DROP TRIGGER keep ON notification;
SELECT seq FROM store_credit_notifications();

-- not where nothing may be written
BEGIN READ ONLY;
SELECT store_credit_notifications(1);
\echo SQLSTATE :LAST_ERROR_SQLSTATE
ROLLBACK;

-- whoever may call it needs no right to a table
CREATE ROLE regress_storecredit_mailer;
GRANT USAGE ON SCHEMA storecredit TO regress_storecredit_mailer;
SELECT seq FROM store_credit_credit('take/dora', '1 USD', notify => true);
SET ROLE regress_storecredit_mailer;
SELECT * FROM store_credit_notifications(1);
\echo SQLSTATE :LAST_ERROR_SQLSTATE
RESET ROLE;
GRANT EXECUTE ON FUNCTION store_credit_notifications(integer) TO regress_storecredit_mailer;
SET ROLE regress_storecredit_mailer;
SELECT owner, amount, balance_after FROM store_credit_notifications(1);
SELECT count(*) FROM notification;
RESET ROLE;
REVOKE EXECUTE ON FUNCTION store_credit_notifications(integer) FROM regress_storecredit_mailer;
REVOKE USAGE ON SCHEMA storecredit FROM regress_storecredit_mailer;
DROP ROLE regress_storecredit_mailer;

SELECT * FROM verify();
\c :home
DROP DATABASE regression_storecredit_outbox;
