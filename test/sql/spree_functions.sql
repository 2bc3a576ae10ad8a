-- Credits and debits in a Solidus shop's own tables: rows and events that the application reads as its own.
\getenv tests PG_ABS_SRCDIR
\set fixture :tests '/fixtures/spree/solidus-4.7.sql'
\set home :DBNAME
\set SHOW_CONTEXT never
CREATE DATABASE regression_storecredit_spree_functions;
\c regression_storecredit_spree_functions
SET client_min_messages = warning;
CREATE EXTENSION storecredit;
CREATE SCHEMA solidus;
SET search_path = solidus;
\set ECHO none
\i :fixture
\set ECHO all
SET search_path = solidus, storecredit;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET storecredit.test_clock = '2026-12-01 09:00+00';
SELECT spree_store_credit_balance(90, 'USD');
SELECT create_ledger();
SELECT spree_store_credit_balance(90, 'USD');
-- with the strict rules, too: what is written here breaks none
SELECT spree_attach('spree_store_credits', mode => 'enforce', rules => spree_rules(strict => true));
INSERT INTO spree_users (id, email, created_at, updated_at) VALUES (900, 'nine@example.com', now(), now());

-- what the application requires must be there
SELECT spree_store_credit_credit(900, '10 USD');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT spree_store_credit_credit(900, '10 USD', created_by_id => 1, type => 'Eternal');
SELECT spree_store_credit_credit(900, '10 USD', created_by_id => 1, category => 'Goodwill');
SELECT spree_store_credit_credit(900, '10 USD', created_by_id => 1, store_id => 1);
SELECT spree_store_credit_credit(NULL, '10 USD', created_by_id => 1);
SELECT spree_store_credit_credit(900, NULL, created_by_id => 1);
SELECT spree_store_credit_credit(900, '0 USD', created_by_id => 1);
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT spree_store_credit_credit(900, '10 USD', created_by_id => 1, expires_at => '2026-11-30Z');
SELECT spree_store_credit_credit(900, '10 USD', created_by_id => 1, shop => 'spree_orders');
-- amounts that the tables or the application cannot take as they are
SELECT spree_store_credit_credit(900, 10.005, 'USD', created_by_id => 1);
SELECT spree_store_credit_credit(900, '1000000 USD', created_by_id => 1);
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT spree_store_credit_credit(900, '1000 JPY', created_by_id => 1);
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT spree_store_credit_debit(900, '1.005 KWD');
SELECT count(*) FROM spree_store_credits WHERE user_id = 900;

-- credits: defaults are found in the shop's tables
INSERT INTO spree_store_credit_types (name, priority, created_at, updated_at) VALUES ('Non-expiring', 2, now(), now());
INSERT INTO spree_store_credit_categories (name, created_at, updated_at) VALUES ('Gift Card', now(), now());
SELECT spree_store_credit_credit(900, '10 USD', created_by_id => 1);
INSERT INTO spree_users (id, email, created_at, updated_at) VALUES (901, 'spree@example.com', now(), now());
SELECT store_credit_id AS gift, action, amount, currency, amount_remaining, user_total_amount, created_at
FROM spree_store_credit_credit(900, '50 USD', category => 'Gift Card', memo => 'from aunt Ann') \gset gift_
SELECT :gift_gift = (SELECT max(id) FROM spree_store_credits) AS newest, :'gift_action' AS action, :'gift_amount' AS amount, :'gift_user_total_amount' AS total;
SET storecredit.test_clock = '2026-12-02 09:00+00';
SELECT action, amount, amount_remaining, user_total_amount
FROM spree_store_credit_credit(900, 20.5, 'usd', category => 'Exchange', expires_at => '2027-01-01Z', originator_type => 'Spree::User', originator_id => 1);
SELECT action, amount, amount_remaining, user_total_amount FROM spree_store_credit_credit(900, '30 USD', category => 'Exchange', type => 'Expiring', created_by_id => 1);
SELECT c.user_id, g.name AS category, t.name AS type, c.created_by_id, c.amount, c.amount_used, c.amount_authorized, c.currency, c.memo, c.created_at
FROM spree_store_credits c JOIN spree_store_credit_categories g ON g.id = c.category_id JOIN spree_store_credit_types t ON t.id = c.type_id
WHERE c.user_id = 900 ORDER BY c.id;
SELECT e.action, e.amount, e.user_total_amount, e.amount_remaining, e.originator_type, e.originator_id,
	e.authorization_code ~ ('^' || store_credit_id || '-SC-[0-9]{20}-[0-9a-f-]{36}$') AS is_code, e.created_at
FROM spree_store_credit_events e JOIN spree_store_credits c ON c.id = e.store_credit_id WHERE c.user_id = 900 ORDER BY e.id;
SELECT spree_store_credit_balance(900, 'USD'), spree_store_credit_balance(900, 'eur');
SELECT * FROM spree_balances() WHERE owner_id = '900';

-- a debit draws in the application's order, by the priority of types first, and has a code for each credit
SELECT amount, amount_remaining, user_total_amount, action FROM spree_store_credit_debit(900, '60 USD', originator_type => 'Spree::Order', originator_id => 3);
SELECT c.amount, c.amount_used, c.amount_authorized, t.name AS type, c.updated_at FROM spree_store_credits c JOIN spree_store_credit_types t ON t.id = c.type_id
WHERE c.user_id = 900 ORDER BY c.id;
SELECT c.amount AS credit, e.action, e.amount, e.user_total_amount, e.amount_remaining, e.originator_type, e.originator_id,
	dense_rank() OVER (ORDER BY e.authorization_code) AS code
FROM spree_store_credit_events e JOIN spree_store_credits c ON c.id = e.store_credit_id WHERE c.user_id = 900 AND e.action <> 'allocation' ORDER BY e.id;
-- too much, nothing, part of it
SELECT spree_store_credit_debit(900, '40.51 USD');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT spree_store_credit_debit(900, '1 EUR');
SELECT spree_store_credit_debit(900, '-1 USD');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT spree_store_credit_debit(900, NULL);
SELECT spree_store_credit_balance(900, 'USD');
SELECT amount, amount_remaining FROM spree_store_credit_debit(900, 100, 'USD', allow_partial => true);
SELECT spree_store_credit_debit(900, '1 USD', allow_partial => true);

-- the application refunds by such a code: it looks for the capture, and gives back to the credit
SELECT e.store_credit_id AS id, e.authorization_code AS code FROM spree_store_credit_events e JOIN spree_store_credits c ON c.id = e.store_credit_id
WHERE c.user_id = 900 AND c.amount = 30 AND e.action = 'capture' AND e.deleted_at IS NULL ORDER BY e.id LIMIT 1 \gset
BEGIN;
SELECT amount_used FROM spree_store_credits WHERE id = :id LIMIT 1 FOR UPDATE;
SELECT amount FROM spree_store_credit_events WHERE deleted_at IS NULL AND action = 'capture' AND authorization_code = :'code' LIMIT 1;
UPDATE spree_store_credits SET amount_used = 5.0, updated_at = '2026-12-02 10:00' WHERE id = :id;
INSERT INTO spree_store_credit_events (store_credit_id, action, amount, user_total_amount, authorization_code, originator_type, originator_id, created_at, updated_at, amount_remaining)
	VALUES (:id, 'credit', 25.0, 25.0, :'code', NULL, NULL, '2026-12-02 10:00', '2026-12-02 10:00', 25.0);
COMMIT;
SELECT spree_store_credit_balance(900, 'USD');

-- what has ended is not spent, swept or not; what is authorized, deleted or invalidated neither
SELECT amount FROM spree_store_credit_credit(900, '7 USD', category => 'Exchange', expires_at => '2027-01-01Z');
SET storecredit.test_clock = '2026-12-31 23:59:59.999999+00';
SELECT spree_store_credit_balance(900, 'USD');
SET storecredit.test_clock = '2027-01-01 00:00+00';
SELECT spree_store_credit_balance(900, 'USD');
SELECT * FROM spree_balances() WHERE owner_id = '900';
SELECT spree_store_credit_debit(900, '26 USD');
SELECT spree_expire();
SELECT * FROM spree_balances() WHERE owner_id = '900';
-- an authorization that was let go of twice makes nobody richer
SELECT amount, amount_used, amount_authorized FROM spree_store_credits WHERE user_id = 7;
SELECT spree_store_credit_balance(7, 'USD');
-- the credits of a customer must not add up to more than the application's events can hold
SELECT amount FROM spree_store_credit_credit(900, '999999 USD', category => 'Exchange');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT amount, user_total_amount FROM spree_store_credit_credit(900, '999974 USD', category => 'Exchange');
SELECT spree_store_credit_credit(900, '1 USD', category => 'Exchange');
-- the limits of the currency are the rule "limit" of those that are attached
SELECT store_credit_set_limit('USD', max_credit => '500 USD');
SELECT spree_store_credit_credit(901, '501 USD', category => 'Exchange');
SELECT amount FROM spree_store_credit_credit(901, '500 USD', category => 'Exchange');

-- nothing of all this has broken a rule
SELECT count(*) FROM spree_violation;

-- rights: the function's, and the caller's own on the shop's tables
CREATE ROLE regress_storecredit_till;
GRANT USAGE ON SCHEMA solidus TO regress_storecredit_till;
SELECT grant_access('regress_storecredit_till', 'spender');
SET ROLE regress_storecredit_till;
SELECT spree_store_credit_credit(900, '1 USD');
SELECT spree_store_credit_debit(900, '1 USD');
RESET ROLE;
GRANT SELECT, UPDATE ON spree_store_credits, spree_store_credit_types, spree_store_credit_categories TO regress_storecredit_till;
GRANT SELECT, INSERT ON spree_store_credit_events TO regress_storecredit_till;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA solidus TO regress_storecredit_till;
SET ROLE regress_storecredit_till;
SELECT amount FROM spree_store_credit_debit(900, '1 USD');
SELECT spree_expire();
SELECT spree_expire_at(1, '2028-01-01Z');
RESET ROLE;
SELECT revoke_access('regress_storecredit_till', 'spender');
DROP OWNED BY regress_storecredit_till;

\c :home
DROP DATABASE regression_storecredit_spree_functions;
DROP ROLE regress_storecredit_till;
