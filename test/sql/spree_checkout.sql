-- With all rules in force, what the applications do when all is well goes on as before.
\getenv tests PG_ABS_SRCDIR
\set solidus :tests '/fixtures/spree/solidus-4.7.sql'
\set spree :tests '/fixtures/spree/spree-5.6.sql'
\set statements :tests '/fixtures/spree/statements.sql'
SET client_min_messages = warning;
SELECT storecredit.create_ledger();
\set SHOW_CONTEXT never

-- Solidus --------------------------------------------------------------------------------------
CREATE SCHEMA spree_checkout;
SET search_path = spree_checkout;
\set ECHO none
\i :solidus
\i :statements
\set ECHO all
TRUNCATE spree_store_credits, spree_store_credit_events, spree_payments, spree_orders RESTART IDENTITY;
SELECT storecredit.spree_attach('spree_store_credits', rules => storecredit.spree_rules(strict => true));
SELECT profile, mode, rules FROM storecredit.spree_attached();
INSERT INTO spree_orders (currency) VALUES ('USD');

-- allocated, eligible at the cart, authorized, captured in part, refunded in part and in full
SELECT issue(1, 100, 'USD') AS credit \gset
INSERT INTO spree_payments (amount, order_id, source_type, source_id, state, response_code) VALUES (60, 1, 'Spree::StoreCredit', :credit, 'checkout', 'a');
SELECT write_event(:credit, 'eligible', 60, 'a');
SELECT authorize(:credit, 60, 'a');
UPDATE spree_payments SET state = 'pending' WHERE id = 1;
SELECT capture(:credit, 40, 'a');
UPDATE spree_payments SET state = 'completed', amount = 40 WHERE id = 1;
SELECT refund(:credit, 15, 'a'), refund(:credit, 25, 'a');
-- authorized and voided; all of it at once; several in one transaction
SELECT authorize(:credit, 100, 'b'), void(:credit, 'b');
SELECT authorize(:credit, 100, 'c'), capture(:credit, 100, 'c'), refund(:credit, 100, 'c');
BEGIN;
SELECT authorize(:credit, 10, 'd'), authorize(:credit, 20, 'e'), void(:credit, 'd'), capture(:credit, 20, 'e');
COMMIT;
-- a refund that makes a new credit, which can be used and refunded itself
SELECT issue(1, 15, 'USD', 'credit', 'e') AS made \gset
SELECT authorize(:made, 15, 'f'), capture(:made, 15, 'f'), refund(:made, 15, 'f');
-- an admin changes the amount, with its event
BEGIN;
UPDATE spree_store_credits SET amount = 90 WHERE id = :credit;
SELECT write_event(:credit, 'adjustment', -10, 'g');
COMMIT;
-- a changed amount without an action of its own: the event that allocated it is rewritten
BEGIN;
UPDATE spree_store_credits SET amount = 95 WHERE id = :credit;
UPDATE spree_store_credit_events SET amount = 105 WHERE store_credit_id = :credit AND action = 'allocation';
COMMIT;
SELECT authorize(:credit, 5, 'h'), void(:credit, 'h');
-- a credit is invalidated, another deleted, and a customer deleted with what is left to him
SELECT issue(1, 10, 'USD') AS other \gset
BEGIN;
UPDATE spree_store_credits SET invalidated_at = '2026-11-21 20:00:00' WHERE id = :other;
SELECT write_event(:other, 'invalidate', 10, 'i');
COMMIT;
SELECT issue(1, 10, 'USD') AS other \gset
UPDATE spree_store_credits SET deleted_at = '2026-11-21 20:00:00' WHERE id = :other;
UPDATE spree_store_credits SET user_id = NULL WHERE deleted_at IS NULL AND user_id = 1;
-- his orders can still be refunded; and a credit of nobody's may find an owner
SELECT refund(:credit, 5, 'e');
UPDATE spree_store_credits SET user_id = 2 WHERE id = :credit;
SELECT id, user_id, amount, amount_used, amount_authorized FROM spree_store_credits ORDER BY id;
-- payments of other kinds are nobody's business here, and neither is a payment without an order, or of a credit that is gone
INSERT INTO spree_payments (amount, order_id, source_type, source_id) VALUES (-5, 1, 'Spree::CreditCard', 1), (0, 1, 'Spree::StoreCredit', :credit),
	(5, NULL, 'Spree::StoreCredit', :credit), (5, 1, 'Spree::StoreCredit', 999999);
SELECT storecredit.spree_detach('spree_store_credits');
DROP SCHEMA spree_checkout CASCADE;

-- Spree ----------------------------------------------------------------------------------------
CREATE SCHEMA spree_checkout;
SET search_path = spree_checkout;
\set ECHO none
\i :spree
\set ECHO all
TRUNCATE spree_store_credits, spree_store_credit_events, spree_payments RESTART IDENTITY;
-- its timestamps are mandatory
ALTER TABLE spree_payments ALTER created_at SET DEFAULT now(), ALTER updated_at SET DEFAULT now();
\set ECHO none
\i :statements
\set ECHO all
SELECT storecredit.spree_attach('spree_store_credits', rules => storecredit.spree_rules(strict => true));
SELECT profile, mode FROM storecredit.spree_attached();
-- a capture in part leaves the rest authorized
SELECT issue(1, 100, 'USD') AS credit \gset
SELECT authorize(:credit, 60, 'a'), capture(:credit, 40, 'a', released => 40), refund(:credit, 40, 'a');
SELECT amount, amount_used, amount_authorized FROM spree_store_credits;
-- a gift card gives its credit another amount, without an event, and the credit is then used in the same transaction
BEGIN;
SELECT issue(2, 100, 'USD') AS card \gset
UPDATE spree_store_credits SET originator_type = 'Spree::GiftCard', originator_id = 1 WHERE id = :card;
COMMIT;
BEGIN;
UPDATE spree_store_credits SET amount = 10 WHERE id = :card;
SELECT authorize(:card, 10, 'b');
COMMIT;
SELECT capture(:card, 10, 'b', released => 10);
-- a gift card that is taken from a cart deletes its unused credit
SELECT issue(2, 100, 'USD') AS card \gset
UPDATE spree_store_credits SET deleted_at = '2026-11-21 20:00:00' WHERE id = :card;
SELECT storecredit.spree_detach('spree_store_credits');
DROP SCHEMA spree_checkout CASCADE;

-- nothing was recorded, as nothing was in mode "warn"
SELECT count(*) FROM storecredit.spree_violation;
