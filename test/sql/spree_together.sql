-- All at once: the rules, the application's own statements, the functions on its tables, expiry and the import, each
-- in the tables that the others have written.  What they leave is a shop in which the audit finds nothing.
\getenv tests PG_ABS_SRCDIR
\set solidus :tests '/fixtures/spree/solidus-4.7.sql'
\set spree :tests '/fixtures/spree/spree-5.6.sql'
\set statements :tests '/fixtures/spree/statements.sql'
\set home :DBNAME
\set SHOW_CONTEXT never
CREATE DATABASE regression_storecredit_together;
\c regression_storecredit_together
SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = 'ISO';
CREATE EXTENSION storecredit;
SELECT storecredit.create_ledger();
SELECT storecredit.store_credit_set_limit('USD', max_balance => '300 USD', max_credit => '200 USD');

-- given: a role that has the tables of two shops, new ones, and no right to the ledger but what the documentation names
CREATE ROLE regress_storecredit_shop;
GRANT USAGE ON SCHEMA storecredit TO regress_storecredit_shop;
GRANT EXECUTE ON FUNCTION storecredit.spree_attach, storecredit.spree_detach, storecredit.set_spree_trigger, storecredit.spree_guard_credit,
	storecredit.spree_guard_event, storecredit.spree_guard_payment, storecredit.spree_guard_truncate TO regress_storecredit_shop;
SELECT storecredit.grant_access('regress_storecredit_shop', level) FROM unnest('{reader,spender,issuer,manager}'::text[]) level;
CREATE SCHEMA solidus AUTHORIZATION regress_storecredit_shop;
CREATE SCHEMA spree AUTHORIZATION regress_storecredit_shop;
SET SESSION AUTHORIZATION regress_storecredit_shop;
SET search_path = solidus;
\set ECHO none
\i :solidus
\i :statements
SET search_path = spree;
\i :spree
\i :statements
\set ECHO all
TRUNCATE solidus.spree_store_credits, solidus.spree_store_credit_events, solidus.spree_payments, solidus.spree_orders RESTART IDENTITY;
TRUNCATE spree.spree_store_credits, spree.spree_store_credit_events, spree.spree_payments, spree.spree_orders RESTART IDENTITY;
SELECT storecredit.spree_attach(shop, rules => storecredit.spree_rules(strict => true) || '{truncate}'::text[])
FROM unnest('{solidus.spree_store_credits,spree.spree_store_credits}'::regclass[]) shop;
SELECT * FROM storecredit.spree_attached();

-- the same day in each: a credit of the functions', used by the application and by the functions, one of whose debits the
-- application refunds; one that ends with something authorized; and the application's, two of which are given an end
CREATE PROCEDURE pg_temp.day(shop regclass) LANGUAGE plpgsql AS $$
DECLARE
	granted bigint := (storecredit.spree_store_credit_credit(2, '100 USD', created_by_id => 1, shop => shop)).store_credit_id;
	ends bigint := (storecredit.spree_store_credit_credit(2, '50 USD', created_by_id => 1, expires_at => '2030-02-01Z', shop => shop)).store_credit_id;
	spent storecredit.spree_store_credit_entry;
BEGIN
	PERFORM authorize(granted, 30, 'a'), capture(granted, 30, 'a'), refund(granted, 10, 'a');
	PERFORM authorize(ends, 20, 'b');
	PERFORM storecredit.spree_store_credit_debit(2, '85 USD', shop => shop);
	FOR spent IN SELECT * FROM storecredit.spree_store_credit_debit(2, '5 USD', shop => shop) LOOP
		PERFORM refund(spent.store_credit_id, spent.amount, spent.authorization_code);
	END LOOP;
	PERFORM storecredit.spree_expire_at(issue(4, 7, 'USD'), NULL, shop), storecredit.spree_expire_at(issue(4, 8, 'USD'), '2030-02-01Z', shop);
	PERFORM issue(3, 40, 'USD');
END $$;
SET search_path = solidus;
CALL pg_temp.day('spree_store_credits');
SET search_path = spree;
CALL pg_temp.day('spree_store_credits');
SET search_path = storecredit;
SELECT owner_id, balance, held, overdue FROM spree_balances('solidus.spree_store_credits');
SELECT owner_id, sum(balance) AS balance, sum(held) AS held, sum(overdue) AS overdue FROM spree_balances('spree.spree_store_credits') GROUP BY 1 ORDER BY 1;
SELECT * FROM spree_audit('solidus.spree_store_credits');
SELECT * FROM spree_audit('spree.spree_store_credits');
-- the limit binds the functions as it binds the application
SELECT spree_store_credit_credit(3, '201 USD', created_by_id => 1, shop => 'solidus.spree_store_credits');
SELECT spree_store_credit_credit(3, '200 USD', created_by_id => 1, shop => 'spree.spree_store_credits') IS NOT NULL AS granted;
SELECT spree_store_credit_credit(3, '150 USD', created_by_id => 1, shop => 'spree.spree_store_credits');

-- when: the day has come, and a superuser sweeps
RESET SESSION AUTHORIZATION;
SET storecredit.test_clock = '2030-02-01Z';
SELECT spree_expire();
SELECT store_credits, owner_id, amount, action FROM spree_expired ORDER BY expired_id;
-- what was authorized can still be captured; then the rest goes, which in Spree is what the credit has left
SET SESSION AUTHORIZATION regress_storecredit_shop;
SET search_path = solidus;
SELECT capture(2, 20, 'b');
SET search_path = spree;
SELECT capture(2, 20, 'b');
RESET SESSION AUTHORIZATION;
SET search_path = storecredit;
SELECT spree_expire();
SELECT store_credits, owner_id, amount, action FROM spree_expired ORDER BY expired_id;

-- then: nothing that breaks a rule was written, nor let pass
SELECT * FROM spree_audit('solidus.spree_store_credits');
SELECT * FROM spree_audit('spree.spree_store_credits');
SELECT * FROM spree_violations;

-- and all of it can be brought into the ledger, to the cent
SELECT count(*) AS parts FROM spree_import('solidus.spree_store_credits', owner_prefix => 'Solidus/');
SELECT count(*) AS parts FROM spree_import('spree.spree_store_credits', owner_prefix => 'Spree/');
SELECT store_credits, store_credit_id, decision, reasons FROM spree_quarantine;
SELECT a.owner, b.balance FROM balance b JOIN account a USING (account_id) ORDER BY 1;
SELECT 'Solidus/' || user_id AS owner, sum(amount - amount_used) AS balance FROM solidus.spree_store_credits WHERE invalidated_at IS NULL GROUP BY 1
UNION ALL SELECT 'Spree/' || user_id, sum(amount - amount_used) FROM spree.spree_store_credits WHERE deleted_at IS NULL GROUP BY 1 ORDER BY 1;
SELECT * FROM verify();

-- who has left has no rules, and nothing of his expires any more; what is written of him stays
SET SESSION AUTHORIZATION regress_storecredit_shop;
SELECT spree_detach('solidus.spree_store_credits'), spree_detach('spree.spree_store_credits');
SELECT * FROM spree_attached();
SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal AND tgrelid::regclass::text ~ 'spree_';
RESET SESSION AUTHORIZATION;
SET storecredit.test_clock = '2031-01-01Z';
SELECT spree_expire();
SELECT count(*) FROM spree_expiry;

\c :home
DROP DATABASE regression_storecredit_together;
DROP ROLE regress_storecredit_shop;
