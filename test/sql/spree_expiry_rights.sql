-- Whoever sweeps, a superuser even, lends no rights to the triggers on an application's tables: the sweep has those of the tables' owner.
\getenv tests PG_ABS_SRCDIR
\set fixture :tests '/fixtures/spree/solidus-4.7.sql'
\set home :DBNAME
\set SHOW_CONTEXT never
CREATE DATABASE regression_storecredit_spree_rights;
\c regression_storecredit_spree_rights
SET client_min_messages = warning;
CREATE ROLE regress_storecredit_app;
CREATE ROLE regress_storecredit_cron;
CREATE EXTENSION storecredit;
SELECT storecredit.create_ledger();
CREATE SCHEMA solidus AUTHORIZATION regress_storecredit_app;
SET search_path = solidus;
SET ROLE regress_storecredit_app;
\set ECHO none
\i :fixture
\set ECHO all
RESET ROLE;
SET search_path = solidus, storecredit;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET storecredit.test_clock = '2026-12-01 09:00+00';

-- given: a shop whose tables belong to a role that has no right to the ledger
GRANT USAGE ON SCHEMA storecredit TO regress_storecredit_app;
SELECT spree_attach('spree_store_credits', rules => '{amounts}');
-- the owner of the tables must be able to read when its credits end: that is said at once
SELECT spree_expire_at(1, '2026-12-02Z');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
GRANT SELECT ON spree_expiry, spree_expiry_rule TO regress_storecredit_app;
SELECT spree_expire_at(1, '2026-12-02Z'), spree_expire_at(3, '2026-12-02Z');
-- who may not change the shop's tables may not say when its credits end
GRANT USAGE ON SCHEMA solidus, storecredit TO regress_storecredit_cron;
GRANT SELECT ON spree_store_credits TO regress_storecredit_cron;
GRANT EXECUTE ON FUNCTION spree_put_end(regclass, bigint, timestamptz), spree_expire(integer, regclass) TO regress_storecredit_cron;
SET ROLE regress_storecredit_cron;
SELECT spree_put_end('spree_store_credits', 1, 'infinity');
RESET ROLE;

-- given: the owner's triggers, which reach for the rights of whoever fires them
CREATE TABLE public.seen (who name, what text);
GRANT INSERT ON public.seen TO PUBLIC;
SET ROLE regress_storecredit_app;
CREATE FUNCTION reach() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO public.seen VALUES (current_user, TG_OP);
	BEGIN
		EXECUTE 'RESET ROLE';
		INSERT INTO public.seen VALUES (current_user, 'got through');
	EXCEPTION WHEN insufficient_privilege THEN NULL;
	END;
	BEGIN
		SET SESSION AUTHORIZATION DEFAULT;
		INSERT INTO public.seen VALUES (current_user, 'got through');
	EXCEPTION WHEN insufficient_privilege THEN NULL;
	END;
	IF TG_OP = 'INSERT' THEN
		SET search_path = solidus, pg_catalog, storecredit;
		SET statement_timeout = '1h';
	END IF;
	RETURN NEW;
END$$;
CREATE TRIGGER reach BEFORE UPDATE ON spree_store_credits FOR EACH ROW EXECUTE FUNCTION reach();
CREATE TRIGGER reach AFTER INSERT ON spree_store_credit_events FOR EACH ROW EXECUTE FUNCTION reach();
RESET ROLE;
SET storecredit.test_clock = '2026-12-02 00:00+00';
-- a superuser sweeps
SELECT spree_expire(1);
SELECT who, what, count(*) FROM public.seen GROUP BY 1, 2 ORDER BY 1, 2;
TRUNCATE public.seen;
-- and somebody who has no right to the shop's tables but to read them
SET ROLE regress_storecredit_cron;
SELECT spree_expire();
RESET ROLE;
SELECT who, what, count(*) FROM public.seen GROUP BY 1, 2 ORDER BY 1, 2;
SELECT store_credit_id, amount FROM spree_expired ORDER BY 1;
SELECT current_user = session_user AS unchanged;
-- what they set ends with them
SHOW search_path;
SHOW statement_timeout;

-- what would wait for the end of the transaction, and so for other rights, fails; called by the owner it does not
SET ROLE regress_storecredit_app;
DROP TRIGGER reach ON spree_store_credits;
DROP TRIGGER reach ON spree_store_credit_events;
CREATE CONSTRAINT TRIGGER later AFTER UPDATE ON spree_store_credits DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION reach();
RESET ROLE;
SELECT spree_expire_at(4, '2026-12-03Z');
SET storecredit.test_clock = '2026-12-03 00:00+00';
SELECT spree_expire();
GRANT EXECUTE ON FUNCTION spree_expire(integer, regclass) TO regress_storecredit_app;
SET ROLE regress_storecredit_app;
SELECT spree_expire();
RESET ROLE;
SELECT store_credit_id, amount FROM spree_expired ORDER BY 1;

-- nothing is for everybody
SELECT p.oid::regprocedure FROM pg_proc p WHERE pronamespace = 'storecredit'::regnamespace AND has_function_privilege('public', p.oid, 'EXECUTE')
	AND proname ~ '^spree_(expire$|expire_at|expire_by|expiring|set_|put_|drop_|store_credit_|balances)';

\c :home
DROP DATABASE regression_storecredit_spree_rights;
DROP ROLE regress_storecredit_app, regress_storecredit_cron;
