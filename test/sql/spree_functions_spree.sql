-- Credits and debits in a Spree shop's own tables: stores, gift cards, and columns that 6.0 has renamed.
\getenv tests PG_ABS_SRCDIR
\set fixture :tests '/fixtures/spree/spree-5.6.sql'
\set home :DBNAME
\set SHOW_CONTEXT never
CREATE DATABASE regression_storecredit_spree_functions;
\c regression_storecredit_spree_functions
SET client_min_messages = warning;
CREATE EXTENSION storecredit;
CREATE SCHEMA spree;
SET search_path = spree;
\set ECHO none
\i :fixture
\set ECHO all
SET search_path = spree, storecredit;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET storecredit.test_clock = '2026-12-01 09:00+00';
SELECT create_ledger();
SELECT spree_attach('spree_store_credits', mode => 'enforce', rules => spree_rules(strict => true));
INSERT INTO spree_users (id, email, created_at, updated_at) VALUES (900, 'nine@example.com', now(), now());

-- neither type, category nor creator is required; there is one store, and no other one to be said
SELECT action, amount, currency, amount_remaining, user_total_amount FROM spree_store_credit_credit(900, '40 USD');
SELECT customer.user_id, category_id, type_id, created_by_id, amount, store_id, created_at, public_metadata FROM spree_store_credits customer WHERE user_id = 900;
SELECT action, amount, user_total_amount, authorization_code ~ ('^' || store_credit_id || '-SC-[0-9]{20}$') AS is_code, originator_type
FROM spree_store_credit_events WHERE created_at = '2026-12-01 09:00';
-- yen are as they are here; a third decimal does not fit
SELECT amount, currency FROM spree_store_credit_credit(900, '1000 JPY');
SELECT amount, currency FROM spree_store_credit_debit(900, '400 JPY');
SELECT spree_store_credit_balance(900, 'JPY');
SELECT spree_store_credit_credit(900, '1.005 KWD');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT amount, currency FROM spree_store_credit_credit(900, '1.250 KWD');

-- a second store
INSERT INTO spree_stores (id, name, default_currency, code, created_at, updated_at) VALUES (2, 't', 'USD', 't', now(), now());
SELECT spree_store_credit_credit(900, '5 USD');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT amount, user_total_amount FROM spree_store_credit_credit(900, '5 USD', store_id => 2);
SELECT spree_store_credit_balance(900, 'USD', 1), spree_store_credit_balance(900, 'USD', 2);
SELECT spree_store_credit_debit(900, '6 USD', store_id => 2);
SELECT spree_store_credit_balance(900, 'USD');

-- gift cards are spent otherwise
INSERT INTO spree_store_credits (user_id, amount, currency, originator_type, originator_id, store_id, created_at, updated_at)
	VALUES (900, 30, 'USD', 'Spree::GiftCard', 7, 1, '2026-01-01', '2026-01-01');
SELECT spree_store_credit_balance(900, 'USD', 1);
SELECT * FROM spree_balances() WHERE owner_id = '900';
SELECT spree_store_credit_debit(900, '41 USD', store_id => 1);

-- types, where there are some: their priority first, those without one last
INSERT INTO spree_store_credit_types (id, name, priority, created_at, updated_at) VALUES (1, 'Expiring', 1, now(), now()), (2, 'Non-expiring', 2, now(), now());
SELECT amount FROM spree_store_credit_credit(900, '11 USD', store_id => 1, type => 'Non-expiring');
SELECT amount FROM spree_store_credit_credit(900, '12 USD', store_id => 1);
BEGIN;
SELECT amount, amount_remaining FROM spree_store_credit_debit(900, '24 USD', store_id => 1);
ROLLBACK;

-- as 6.0 has it: the owner's column is another, and the oldest goes first
ALTER TABLE spree_store_credits RENAME user_id TO customer_id;
SELECT amount, amount_remaining, user_total_amount FROM spree_store_credit_debit(900, '45 USD', store_id => 1);
SELECT action, amount, user_total_amount FROM spree_store_credit_credit(900, '3 USD', store_id => 1);
SELECT spree_store_credit_balance(900, 'USD', 1);
SELECT count(*) FROM spree_violation;

\c :home
DROP DATABASE regression_storecredit_spree_functions;
