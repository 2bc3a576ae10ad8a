-- Each rule of the audit that no application was seen to break, broken by hand; and what only looks like it.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
\getenv tests PG_ABS_SRCDIR
\set solidus :tests '/fixtures/spree/solidus-4.7.sql'
\set spree :tests '/fixtures/spree/spree-5.6.sql'
SELECT storecredit.create_ledger();
BEGIN;
DELETE FROM storecredit.currency_limit;
CREATE SCHEMA solidus;
CREATE SCHEMA spree;
\set ECHO none
SET LOCAL search_path = solidus;
\i :solidus
SET LOCAL search_path = spree;
\i :spree
\set ECHO all
SET LOCAL search_path = public;
DELETE FROM solidus.spree_store_credits;
DELETE FROM solidus.spree_store_credit_events;
DELETE FROM solidus.spree_payments;
DELETE FROM spree.spree_store_credits;
DELETE FROM spree.spree_store_credit_events;
ALTER TABLE solidus.spree_store_credits ALTER user_id SET DEFAULT 1, ALTER amount SET DEFAULT 100, ALTER currency SET DEFAULT 'USD',
	ALTER created_at SET DEFAULT '2026-01-01', ALTER updated_at SET DEFAULT '2026-01-01';
ALTER TABLE solidus.spree_store_credit_events ALTER authorization_code SET DEFAULT 'grant',
	ALTER created_at SET DEFAULT '2026-01-01', ALTER updated_at SET DEFAULT '2026-01-01';
ALTER TABLE spree.spree_store_credits ALTER user_id SET DEFAULT 1, ALTER amount SET DEFAULT 100, ALTER currency SET DEFAULT 'USD',
	ALTER created_at SET DEFAULT '2026-01-01', ALTER updated_at SET DEFAULT '2026-01-01';
ALTER TABLE spree.spree_store_credit_events ALTER authorization_code SET DEFAULT 'grant',
	ALTER created_at SET DEFAULT '2026-01-01', ALTER updated_at SET DEFAULT '2026-01-01';
CREATE TEMP VIEW found AS
SELECT rule, regexp_replace(relation::text, '.*\.spree_', '') AS relation, row_id, store_credit_id AS credit, owner, currency, expected, found, difference, doubtful
FROM storecredit.spree_audit('solidus.spree_store_credits');
CREATE TEMP VIEW found_in_spree AS
SELECT rule, regexp_replace(relation::text, '.*\.spree_', '') AS relation, row_id, store_credit_id AS credit, owner, currency, expected, found, difference, doubtful
FROM storecredit.spree_audit('spree.spree_store_credits');
SAVEPOINT empty;

-- a shop without credits is sound
SELECT * FROM found;
SELECT * FROM found_in_spree;

-- rows: an amount used below zero, decimals of JPY, no currency, one that no table has, deleted after use
INSERT INTO solidus.spree_store_credits (id, amount, amount_used, currency, deleted_at) VALUES
	(1, 100, -10, 'USD', NULL), (2, 100.50, 0.25, 'JPY', NULL), (3, 100, 0, NULL, NULL), (4, 100, 0, 'ZZZ', NULL),
	(5, 100, 0, 'usd', NULL), (6, 100, 40, 'USD', '2026-01-02'), (7, 100, 0, 'USD', '2026-01-02');
SELECT * FROM found WHERE rule NOT IN ('without_events', 'amount_used_differs');
-- without events nothing is known but the columns
SELECT * FROM found WHERE rule IN ('without_events', 'amount_used_differs');
ROLLBACK TO empty;

-- a balance above the currency's limit counts what an owner has, without gift cards
SELECT storecredit.store_credit_set_limit('USD', max_balance => '250 USD');
INSERT INTO solidus.spree_store_credits (id, user_id, currency, deleted_at, invalidated_at) VALUES
	(1, 1, 'USD', NULL, NULL), (2, 1, 'USD', NULL, NULL), (3, 1, 'USD', NULL, NULL),
	(4, 2, 'USD', NULL, NULL), (5, 2, 'USD', NULL, NULL), (6, 2, 'EUR', NULL, NULL),
	(7, 2, 'USD', '2026-01-02', NULL), (8, 2, 'USD', NULL, '2026-01-02');
INSERT INTO spree.spree_store_credits (id, amount, originator_type) VALUES (1, 200, NULL), (2, 100, 'Spree::GiftCard');
SELECT * FROM found WHERE rule = 'balance_limit';
SELECT * FROM found_in_spree WHERE rule = 'balance_limit';
ROLLBACK TO empty;

-- owners: none, one that is nowhere, and a guest's gift card
INSERT INTO solidus.spree_store_credits (id, user_id) VALUES (1, NULL), (2, 4711), (3, 3);
INSERT INTO spree.spree_store_credits (id, user_id, originator_type) VALUES (1, NULL, NULL), (2, NULL, 'Spree::GiftCard');
SELECT * FROM found WHERE rule = 'owner_missing';
SELECT * FROM found_in_spree WHERE rule = 'owner_missing';
SELECT store_credit_id, owner, expected, found, difference
FROM storecredit.spree_audit('solidus.spree_store_credits', owners => 'solidus.spree_users') WHERE rule = 'owner_missing';
CREATE TEMP TABLE nobody (name text);
SELECT * FROM storecredit.spree_audit('solidus.spree_store_credits', owners => 'nobody');
ROLLBACK TO empty;

-- events: of a credit that is gone, of an unknown action, without amount, negative; deleted ones are not there
INSERT INTO solidus.spree_store_credits (id) VALUES (1);
INSERT INTO solidus.spree_store_credit_events (id, store_credit_id, action, amount, deleted_at) VALUES
	(1, 1, 'allocation', 100, NULL), (2, 9, 'allocation', 100, NULL), (3, 9, 'authorize', 10, NULL), (4, 1, 'donate', 5, NULL),
	(5, 1, 'eligible', NULL, NULL), (6, 1, 'eligible', -5, NULL), (7, 1, 'donate', 5, '2026-01-02'), (8, 8, 'allocation', 5, '2026-01-02');
SELECT * FROM found;
ROLLBACK TO empty;

-- authorizations: captured for more, captured without one, captured after the void; refunded without a capture, which grants as well
INSERT INTO solidus.spree_store_credits (id, amount, amount_used, amount_authorized) VALUES
	(1, 100, 70, 0), (2, 100, 10, -10), (3, 100, 20, -20), (4, 40, 0, 0);
INSERT INTO solidus.spree_store_credit_events (id, store_credit_id, action, amount, authorization_code) VALUES
	(1, 1, 'allocation', 100, 'grant'), (2, 1, 'authorize', 60, 'more'), (3, 1, 'capture', 70, 'more'),
	(4, 2, 'allocation', 100, 'grant'), (5, 2, 'capture', 10, 'none'),
	(6, 3, 'allocation', 100, 'grant'), (7, 3, 'authorize', 20, 'void'), (8, 3, 'void', 20, 'void'), (9, 3, 'capture', 20, 'void'),
	(10, 4, 'credit', 40, 'lone');
SELECT * FROM found;
ROLLBACK TO empty;

-- Spree may capture an authorization in parts, Solidus not
INSERT INTO spree.spree_store_credits (id, amount_used, amount_authorized) VALUES (1, 50, 10);
INSERT INTO spree.spree_store_credit_events (id, store_credit_id, action, amount, authorization_code) VALUES
	(1, 1, 'allocation', 100, 'grant'), (2, 1, 'authorize', 60, 'parts'), (3, 1, 'capture', 20, 'parts'), (4, 1, 'capture', 30, 'parts');
SELECT * FROM found_in_spree;
SELECT rule, row_id, expected, found, difference FROM storecredit.spree_audit('spree.spree_store_credits', 'solidus');
INSERT INTO spree.spree_store_credit_events (id, store_credit_id, action, amount, authorization_code) VALUES (5, 1, 'capture', 30, 'parts');
UPDATE spree.spree_store_credits SET amount_used = 80, amount_authorized = -20;
SELECT * FROM found_in_spree;
ROLLBACK TO empty;

-- invalidated, and no event says so; and the other way round
INSERT INTO solidus.spree_store_credits (id, invalidated_at) VALUES (1, '2026-01-02'), (2, NULL);
INSERT INTO solidus.spree_store_credit_events (id, store_credit_id, action, amount) VALUES
	(1, 1, 'allocation', 100), (2, 2, 'allocation', 100), (3, 2, 'invalidate', 100);
SELECT * FROM found;
ROLLBACK TO empty;

-- payments: negative, of no credit, in another currency than their order, paid and not taken; those that failed do not count
INSERT INTO solidus.spree_store_credits (id) VALUES (1);
INSERT INTO solidus.spree_store_credit_events (id, store_credit_id, action, amount) VALUES (1, 1, 'allocation', 100);
INSERT INTO solidus.spree_orders (id, currency) VALUES (101, 'USD'), (102, 'EUR');
INSERT INTO solidus.spree_payments (id, source_type, source_id, order_id, amount, state, response_code) VALUES
	(1, 'Spree::StoreCredit', 1, 101, -5, 'checkout', 'a'), (2, 'Spree::StoreCredit', 9, 101, 10, 'completed', 'b'),
	(3, 'Spree::StoreCredit', 1, 102, 10, 'checkout', 'c'), (4, 'Spree::StoreCredit', 1, 102, 10, 'failed', 'd'),
	(5, 'Spree::StoreCredit', 1, 101, 10, 'completed', 'e'), (6, 'Spree::StoreCredit', 1, 101, 10, 'pending', NULL),
	(7, 'Spree::CreditCard', 1, 102, 10, 'completed', 'f'), (8, 'Spree::StoreCredit', 1, 101, 10, 'checkout', 'g');
SELECT * FROM found;
SELECT row_id, explanation FROM storecredit.spree_audit('solidus.spree_store_credits') WHERE kind = 'payment';
ROLLBACK TO empty;

-- three decimals: 1.000 KWD takes 10; refunded or voided, nothing of it is left; and a payment that agrees proves it right
INSERT INTO solidus.spree_store_credits (id, currency, amount_used, amount_authorized) VALUES
	(1, 'KWD', 10, 0), (2, 'KWD', 0, 0), (3, 'KWD', 0, 0), (4, 'KWD', 0, 10);
INSERT INTO solidus.spree_store_credit_events (id, store_credit_id, action, amount, authorization_code) VALUES
	(1, 1, 'allocation', 100, 'grant'), (2, 1, 'authorize', 10, 'a'), (3, 1, 'capture', 10, 'a'),
	(4, 2, 'allocation', 100, 'grant'), (5, 2, 'authorize', 10, 'b'), (6, 2, 'void', 10, 'b'),
	(7, 3, 'allocation', 100, 'grant'), (8, 3, 'authorize', 10, 'c'), (9, 3, 'capture', 10, 'c'), (10, 3, 'credit', 10, 'c'),
	(11, 4, 'allocation', 100, 'grant'), (12, 4, 'authorize', 10, 'd');
INSERT INTO solidus.spree_payments (id, source_type, source_id, amount, state, response_code) VALUES
	(4, 'Spree::StoreCredit', 4, 10, 'pending', 'd');
SELECT * FROM found;
ROLLBACK;
