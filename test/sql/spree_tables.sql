-- A shop's tables and columns are found, whatever version made them; what is no shop is refused by name.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
\getenv tests PG_ABS_SRCDIR
\set solidus :tests '/fixtures/spree/solidus-4.7.sql'
\set spree :tests '/fixtures/spree/spree-5.6.sql'
BEGIN;
CREATE SCHEMA solidus;
CREATE SCHEMA spree;
\set ECHO none
SET LOCAL search_path = solidus;
\i :solidus
SET LOCAL search_path = spree;
\i :spree
\set ECHO all
SET LOCAL search_path = public;
SAVEPOINT shops;

-- what there is
\x
SELECT * FROM storecredit.spree_shop('solidus.spree_store_credits');
SELECT * FROM storecredit.spree_shop('spree.spree_store_credits');
\x

-- another prefix, or none, in a schema with a name to quote
ALTER SCHEMA spree RENAME TO "My Shop";
SELECT format('ALTER TABLE "My Shop".%I RENAME TO %I', relname, replace(relname, 'spree_', '')) FROM pg_class
	WHERE relnamespace = '"My Shop"'::regnamespace AND relkind = 'r' ORDER BY relname \gexec
SELECT store_credits, events, payments, gift_cards FROM storecredit.spree_shop('"My Shop".store_credits');
ROLLBACK TO shops;

-- the profile follows from the tables, unless it is given
SELECT (storecredit.spree_shop('solidus.spree_store_credits', 'spree')).profile;
SELECT storecredit.spree_shop('solidus.spree_store_credits', 'magento');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
ROLLBACK TO shops;

-- Spree 6.0 has renamed columns
ALTER TABLE spree.spree_store_credits RENAME user_id TO customer_id;
ALTER TABLE spree.spree_payments RENAME state TO status;
SELECT owner_column, payment_state_column, profile FROM storecredit.spree_shop('spree.spree_store_credits');
ROLLBACK TO shops;

-- Spree before 4.3 has no stores, an old Solidus has its reasons elsewhere, and a part of a shop is a shop
ALTER TABLE spree.spree_store_credits DROP store_id;
DROP TABLE spree.spree_gift_cards, spree.spree_store_credit_types, spree.spree_store_credit_categories, spree.spree_payments;
ALTER TABLE solidus.spree_store_credit_reasons RENAME TO spree_store_credit_update_reasons;
ALTER TABLE solidus.spree_store_credit_events RENAME store_credit_reason_id TO update_reason_id;
SELECT store_column, gift_cards, types, categories, payments, payment_state_column FROM storecredit.spree_shop('spree.spree_store_credits');
SELECT reasons, event_reason_column FROM storecredit.spree_shop('solidus.spree_store_credits');
ROLLBACK TO shops;

-- no such table
SELECT storecredit.spree_shop(NULL);
ROLLBACK TO shops;
SELECT storecredit.spree_shop('spree.spree_payments');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
ROLLBACK TO shops;
CREATE VIEW spree.my_store_credits AS SELECT * FROM spree.spree_store_credits;
SELECT storecredit.spree_shop('spree.my_store_credits');
ROLLBACK TO shops;
DROP TABLE spree.spree_store_credit_events;
SELECT storecredit.spree_shop('spree.spree_store_credits');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
ROLLBACK TO shops;

-- tables of another make
ALTER TABLE spree.spree_store_credits DROP user_id, DROP amount_authorized;
SELECT storecredit.spree_shop('spree.spree_store_credits');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
ROLLBACK TO shops;
ALTER TABLE spree.spree_store_credit_events DROP authorization_code;
SELECT storecredit.spree_shop('spree.spree_store_credits');
ROLLBACK TO shops;
ALTER TABLE spree.spree_payments DROP state;
SELECT storecredit.spree_shop('spree.spree_store_credits');
ROLLBACK TO shops;
ALTER TABLE spree.spree_store_credits ALTER id DROP DEFAULT, ALTER id TYPE uuid USING gen_random_uuid();
SELECT storecredit.spree_shop('spree.spree_store_credits');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
ROLLBACK;
