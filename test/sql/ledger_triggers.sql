-- Triggers, rules and policies of the user's own on the ledger's tables hold for what the functions write.
SET client_min_messages = warning;
SELECT storecredit.create_ledger();
SET search_path = "$user", public, storecredit;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET storecredit.test_clock = '2026-11-27 09:00+00';
ALTER SEQUENCE account_number_seq RESTART 900001;
\set SHOW_CONTEXT never

-- each row that is written is seen, in the order of writing, by triggers for rows and for statements
CREATE TABLE regress_log (n int GENERATED ALWAYS AS IDENTITY, event text);
CREATE FUNCTION regress_log() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
	r jsonb := to_jsonb(coalesce(NEW, OLD));
BEGIN
	INSERT INTO regress_log (event) VALUES (concat_ws(' ', TG_WHEN, TG_LEVEL, TG_OP, TG_TABLE_NAME,
		r ->> 'seq', r ->> 'kind', r ->> 'event', r ->> 'amount', r ->> 'remaining', r ->> 'balance'));
	RETURN NULL;
END$$;
CREATE TRIGGER regress_log AFTER INSERT OR UPDATE ON account FOR EACH ROW EXECUTE FUNCTION regress_log();
CREATE TRIGGER regress_log AFTER INSERT ON transaction FOR EACH ROW EXECUTE FUNCTION regress_log();
CREATE TRIGGER regress_log_statement AFTER INSERT ON transaction FOR EACH STATEMENT EXECUTE FUNCTION regress_log();
CREATE TRIGGER regress_log AFTER INSERT OR UPDATE OR DELETE ON open_credit FOR EACH ROW EXECUTE FUNCTION regress_log();
CREATE TRIGGER regress_log AFTER INSERT ON notification FOR EACH ROW EXECUTE FUNCTION regress_log();
SELECT seq FROM store_credit_credit('trigger/log', '3 USD', expires_on => '2026-11-28', notify => true);
SELECT seq FROM store_credit_credit('trigger/log', '3 USD');
SELECT seq FROM store_credit_debit('trigger/log', '4 USD');
SET storecredit.test_clock = '2026-11-29 00:00+00';
SELECT seq FROM store_credit_credit('trigger/log', '1 USD', expires_on => '2026-11-30');
SET storecredit.test_clock = '2026-12-01 00:00+00';
SELECT seq FROM store_credit_debit('trigger/log', '2 USD');
SELECT event FROM regress_log ORDER BY n;
DROP TRIGGER regress_log ON account;
DROP TRIGGER regress_log ON transaction;
DROP TRIGGER regress_log_statement ON transaction;
DROP TRIGGER regress_log ON open_credit;
DROP TRIGGER regress_log ON notification;
DROP TABLE regress_log;
DROP FUNCTION regress_log;

-- what a trigger adds is in the answer and in the table
CREATE FUNCTION regress_memo() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.memo := concat_ws(', ', NEW.memo, 'seen');
	RETURN NEW;
END$$;
CREATE TRIGGER regress_memo BEFORE INSERT ON transaction FOR EACH ROW EXECUTE FUNCTION regress_memo();
SELECT seq, memo FROM store_credit_credit('trigger/memo', '3 USD', memo => 'Return', idempotency_key => 'k');
SELECT seq, memo FROM store_credit_credit('trigger/memo', '3 USD', memo => 'Return', idempotency_key => 'k');
SELECT seq, memo FROM transaction JOIN account USING (account_id) WHERE owner = 'trigger/memo';
DROP TRIGGER regress_memo ON transaction;
DROP FUNCTION regress_memo;

-- an error that one raises is the answer, and nothing is left
CREATE FUNCTION regress_hours() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'the shop is closed' USING ERRCODE = 'REG01';
END$$;
CREATE CONSTRAINT TRIGGER regress_hours AFTER INSERT ON transaction DEFERRABLE INITIALLY DEFERRED
	FOR EACH ROW WHEN (NEW.kind = 'debit') EXECUTE FUNCTION regress_hours();
SELECT seq FROM store_credit_credit('trigger/hours', '3 USD');
SELECT seq FROM store_credit_debit('trigger/hours', '3 USD');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT last_seq, balance FROM account WHERE owner = 'trigger/hours';
DROP TRIGGER regress_hours ON transaction;
DROP FUNCTION regress_hours;

-- a call may be made from a trigger: here points become money at once
CREATE FUNCTION regress_bonus() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.category = 'refund' THEN
		PERFORM store_credit_credit(NEW.account_id, money_ccy_multiply(NEW.amount, 0.1), category => 'bonus', notify => true);
	END IF;
	RETURN NULL;
END$$;
CREATE TRIGGER regress_bonus AFTER INSERT ON transaction FOR EACH ROW EXECUTE FUNCTION regress_bonus();
SELECT seq, balance_after FROM store_credit_credit('trigger/bonus', '30 USD', category => 'refund', notify => true);
SELECT seq, category, amount, balance_after FROM transaction JOIN account USING (account_id) WHERE owner = 'trigger/bonus' ORDER BY seq;
SELECT last_seq, balance FROM account WHERE owner = 'trigger/bonus';
DROP TRIGGER regress_bonus ON transaction;
-- and from one on the outbox
CREATE TRIGGER regress_bonus AFTER INSERT ON notification FOR EACH ROW EXECUTE FUNCTION regress_bonus();
CREATE OR REPLACE FUNCTION regress_bonus() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM store_credit_debit(NEW.account_id, '0.50 USD', memo => 'postage');
	RETURN NULL;
END$$;
SELECT seq, balance_after FROM store_credit_credit('trigger/bonus', '1 USD', notify => true);
SELECT seq, balance_after FROM store_credit_debit('trigger/bonus', '1 USD', notify => true);
SELECT last_seq, balance FROM account WHERE owner = 'trigger/bonus';
DROP TRIGGER regress_bonus ON notification;
DROP FUNCTION regress_bonus;

-- but not in the midst of another one: that is found out when the transaction ends, at the latest
CREATE FUNCTION regress_midst() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF pg_trigger_depth() = 1 THEN
		PERFORM store_credit_debit(NEW.account_id, '1 USD');
	END IF;
	RETURN NULL;
END$$;
CREATE TRIGGER regress_midst AFTER UPDATE ON account FOR EACH ROW EXECUTE FUNCTION regress_midst();
\set VERBOSITY sqlstate
SELECT seq FROM store_credit_debit('trigger/bonus', '2 USD');
\set VERBOSITY default
SELECT last_seq, balance FROM account WHERE owner = 'trigger/bonus';
DROP TRIGGER regress_midst ON account;
DROP FUNCTION regress_midst;

-- a trigger that suppresses a row of the ledger would leave the books wrong: the call fails instead
SELECT seq FROM store_credit_credit('trigger/suppress', '3 USD', expires_on => '2026-12-31');
SELECT seq FROM store_credit_credit('trigger/suppress', '3 USD');
CREATE FUNCTION regress_suppress() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER regress_suppress BEFORE INSERT ON account FOR EACH ROW EXECUTE FUNCTION regress_suppress();
SELECT store_credit_credit('trigger/suppressed', '1 USD');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
DROP TRIGGER regress_suppress ON account;
CREATE TRIGGER regress_suppress BEFORE UPDATE ON account FOR EACH ROW EXECUTE FUNCTION regress_suppress();
SELECT store_credit_credit('trigger/suppress', '1 USD');
SELECT store_credit_set_account_limits(account_id, credit_line => '1 USD') FROM account WHERE owner = 'trigger/suppress';
DROP TRIGGER regress_suppress ON account;
CREATE TRIGGER regress_suppress BEFORE INSERT ON transaction FOR EACH ROW EXECUTE FUNCTION regress_suppress();
SELECT store_credit_debit('trigger/suppress', '1 USD');
DROP TRIGGER regress_suppress ON transaction;
CREATE TRIGGER regress_suppress BEFORE INSERT ON open_credit FOR EACH ROW EXECUTE FUNCTION regress_suppress();
SELECT store_credit_credit('trigger/suppress', '1 USD');
DROP TRIGGER regress_suppress ON open_credit;
CREATE TRIGGER regress_suppress BEFORE UPDATE ON open_credit FOR EACH ROW EXECUTE FUNCTION regress_suppress();
SELECT store_credit_debit('trigger/suppress', '1 USD');
DROP TRIGGER regress_suppress ON open_credit;
CREATE TRIGGER regress_suppress BEFORE DELETE ON open_credit FOR EACH ROW EXECUTE FUNCTION regress_suppress();
SELECT store_credit_debit('trigger/suppress', '6 USD');
DROP TRIGGER regress_suppress ON open_credit;
CREATE TRIGGER regress_suppress BEFORE INSERT ON notification FOR EACH ROW EXECUTE FUNCTION regress_suppress();
SELECT store_credit_credit('trigger/suppress', '1 USD', notify => true);
DROP TRIGGER regress_suppress ON notification;
CREATE TRIGGER regress_suppress BEFORE INSERT ON currency_limit FOR EACH ROW EXECUTE FUNCTION regress_suppress();
SELECT store_credit_set_limit('USD');
DROP TRIGGER regress_suppress ON currency_limit;
DROP FUNCTION regress_suppress;
-- so does one that gives the account to somebody else
CREATE FUNCTION regress_lower() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.owner := lower(NEW.owner); RETURN NEW; END';
CREATE TRIGGER regress_lower BEFORE INSERT ON account FOR EACH ROW EXECUTE FUNCTION regress_lower();
SELECT store_credit_credit('trigger/Suppressed', '1 USD');
SELECT seq FROM store_credit_credit('trigger/suppressed', '1 USD');
DROP TRIGGER regress_lower ON account;
DROP FUNCTION regress_lower;

-- rules as well
CREATE RULE regress_also AS ON UPDATE TO account DO ALSO NOTIFY regress_account;
SELECT seq, balance_after FROM store_credit_debit('trigger/suppress', '1 USD');
DROP RULE regress_also ON account;
CREATE RULE regress_instead AS ON DELETE TO open_credit DO INSTEAD NOTHING;
SELECT store_credit_debit('trigger/suppress', '5 USD');
DROP RULE regress_instead ON open_credit;

-- nothing of all this has gone wrong, and nothing of it is left
SELECT owner, last_seq, balance FROM account WHERE owner LIKE 'trigger/%' ORDER BY owner;
SELECT count(*) FROM pg_trigger WHERE tgrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'storecredit'::regnamespace) AND tgname LIKE 'regress%';
SELECT * FROM verify();
