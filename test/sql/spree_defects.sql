-- What unmodified Spree and Solidus let through, each with the rule that stops it: the applications' own statements.
\getenv tests PG_ABS_SRCDIR
\set fixture :tests '/fixtures/spree/solidus-4.7.sql'
\set statements :tests '/fixtures/spree/statements.sql'
SET client_min_messages = warning;
SELECT storecredit.create_ledger();
\set SHOW_CONTEXT never
CREATE SCHEMA spree_defects;
SET search_path = spree_defects;
\set ECHO none
\i :fixture
\i :statements
\set ECHO all
TRUNCATE spree_store_credits, spree_store_credit_events, spree_payments, spree_orders RESTART IDENTITY;
SELECT storecredit.spree_attach('spree_store_credits', rules => storecredit.spree_rules(strict => true));

-- an authorization is voided twice: 160 could be spent of a credit of 100
SELECT issue(1, 100, 'USD') AS credit \gset
SELECT authorize(:credit, 60, 'twice voided'), void(:credit, 'twice voided');
SELECT void(:credit, 'twice voided');
SELECT amount, amount_used, amount_authorized FROM spree_store_credits WHERE id = :credit;

-- captured, then voided: 60 is captured and 100 could still be spent
SELECT issue(1, 100, 'USD') AS credit \gset
SELECT authorize(:credit, 60, 'captured and voided'), capture(:credit, 60, 'captured and voided');
SELECT void(:credit, 'captured and voided');
-- the same while something else is authorized, so that no figure falls below zero: the code is closed
SELECT authorize(:credit, 30, 'another');
BEGIN;
UPDATE spree_store_credits SET amount_authorized = 0 WHERE id = :credit;
SELECT write_event(:credit, 'void', 60, 'captured and voided');
ROLLBACK;

-- two captures of 40, and the first of them is refunded twice
SELECT issue(1, 100, 'USD') AS credit \gset
SELECT authorize(:credit, 40, 'one'), capture(:credit, 40, 'one'), authorize(:credit, 40, 'two'), capture(:credit, 40, 'two');
SELECT refund(:credit, 40, 'one');
SELECT refund(:credit, 40, 'one');
SELECT refund(:credit, 40, 'two');

-- refunds that make a new credit each, three times for one capture
SELECT issue(10, 100, 'USD') AS credit \gset
SELECT authorize(:credit, 40, 'anew'), capture(:credit, 40, 'anew');
SELECT issue(10, 30, 'USD', 'credit', 'anew') > 0 AS refunded;
SELECT issue(10, 10, 'USD', 'credit', 'anew') > 0 AS refunded;
SELECT issue(10, 40, 'USD', 'credit', 'anew') > 0 AS refunded;
SELECT sum(amount - amount_used) FROM spree_store_credits WHERE user_id = 10;

-- one authorization captured twice
SELECT issue(1, 100, 'USD') AS credit \gset
SELECT authorize(:credit, 40, 'captured twice'), capture(:credit, 40, 'captured twice');
SELECT capture(:credit, 40, 'captured twice');
SELECT authorize(:credit, 40, 'in between');
SELECT capture(:credit, 40, 'captured twice');

-- columns written past the validations
SELECT issue(1, 100, 'USD') AS credit \gset
UPDATE spree_store_credits SET amount = -5 WHERE id = :credit;
UPDATE spree_store_credits SET amount = 0 WHERE id = :credit;
UPDATE spree_store_credits SET amount = 'NaN' WHERE id = :credit;
UPDATE spree_store_credits SET amount_used = 500;
UPDATE spree_store_credits SET amount_used = -1 WHERE id = :credit;
INSERT INTO spree_store_credits (user_id, amount, currency) VALUES (1, 0, 'USD');

-- deleted by a mark, or in truth, with an open authorization; and once it was used
SELECT authorize(:credit, 60, 'still open');
UPDATE spree_store_credits SET deleted_at = '2026-11-21 20:00:00', updated_at = '2026-11-21 20:00:00' WHERE id = :credit;
DELETE FROM spree_store_credits WHERE id = :credit;
SELECT capture(:credit, 60, 'still open');
UPDATE spree_store_credits SET deleted_at = '2026-11-21 20:00:00' WHERE id = :credit;
DELETE FROM spree_store_credits WHERE id = :credit;

-- a currency that is none, none at all, and one that changes
SELECT issue(1, 100, 'xx');
SELECT issue(1, 100, NULL);
SELECT issue(1, 100, 'USD') AS credit \gset
UPDATE spree_store_credits SET currency = 'EUR' WHERE id = :credit;
UPDATE spree_store_credits SET currency = NULL WHERE id = :credit;

-- an owner who changes
UPDATE spree_store_credits SET user_id = 2 WHERE id = :credit;

-- an admin lowers the amount by what was loaded before a checkout authorized 90
SELECT authorize(:credit, 90, 'checkout');
UPDATE spree_store_credits SET amount = 50, updated_at = '2026-11-21 20:00:00' WHERE id = :credit;
-- or invalidates it
UPDATE spree_store_credits SET invalidated_at = '2026-11-21 20:00:00', updated_at = '2026-11-21 20:00:00' WHERE id = :credit;

-- two models that were loaded before either was saved: both authorize 60 of 100
SELECT issue(1, 100, 'USD') AS credit \gset
BEGIN;
UPDATE spree_store_credits SET amount_authorized = 60 WHERE id = :credit;
SELECT write_event(:credit, 'authorize', 60, 'first model');
COMMIT;
BEGIN;
UPDATE spree_store_credits SET amount_authorized = 60 WHERE id = :credit;
SELECT write_event(:credit, 'authorize', 60, 'second model');
ROLLBACK;

-- a payment in another currency than its order, and one below zero
INSERT INTO spree_orders (currency) VALUES ('USD'), ('JPY');
INSERT INTO spree_payments (amount, order_id, source_type, source_id, state) VALUES (60, 2, 'Spree::StoreCredit', :credit, 'checkout');
INSERT INTO spree_payments (amount, order_id, source_type, source_id, state) VALUES (-1, 1, 'Spree::StoreCredit', :credit, 'checkout');
INSERT INTO spree_payments (amount, order_id, source_type, source_id, state) VALUES (60, 1, 'Spree::StoreCredit', :credit, 'checkout');
UPDATE spree_payments SET order_id = 2;
UPDATE spree_payments SET amount = -0.01;

-- nothing of this is left
SELECT id, amount, amount_used, amount_authorized, currency FROM spree_store_credits
WHERE amount_used + amount_authorized > amount OR amount_authorized < 0 OR amount <= 0 OR deleted_at IS NOT NULL OR invalidated_at IS NOT NULL;

DROP SCHEMA spree_defects CASCADE;
