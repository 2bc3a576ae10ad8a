-- The audit finds the same in the tables of every version.
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
CREATE TEMP TABLE known AS
SELECT 'solidus' AS shop, a.* FROM storecredit.spree_audit('solidus.spree_store_credits', information => true) a
UNION ALL
SELECT 'spree', a.* FROM storecredit.spree_audit('spree.spree_store_credits', information => true) a;
-- what an audit finds otherwise than in the tables as they are: nothing
CREATE FUNCTION pg_temp.differences(shop text, store_credits regclass) RETURNS TABLE (rule text, was bigint, is_now bigint)
LANGUAGE sql AS $$
	SELECT rule, count(*) FILTER (WHERE old), count(*) FILTER (WHERE NOT old)
	FROM (
		SELECT true AS old, k.rule, k.store_credit_id, k.row_id, k.owner, k.expected, k.found, k.difference, k.doubtful
		FROM known k WHERE k.shop = differences.shop
		UNION ALL
		SELECT false, a.rule, a.store_credit_id, a.row_id, a.owner, a.expected, a.found, a.difference, a.doubtful
		FROM storecredit.spree_audit(differences.store_credits, differences.shop, information => true) a) f
	GROUP BY rule, store_credit_id, row_id, owner, expected, found, difference, doubtful
	HAVING count(*) <> 2 ORDER BY rule
$$;
SELECT shop, count(*) FROM known GROUP BY shop ORDER BY shop;
SAVEPOINT today;

-- Spree 6.0: other names, and metadata in one column
ALTER TABLE spree.spree_store_credits RENAME user_id TO customer_id;
ALTER TABLE spree.spree_store_credits DROP public_metadata;
ALTER TABLE spree.spree_store_credits RENAME private_metadata TO metadata;
ALTER TABLE spree.spree_payments RENAME state TO status;
ALTER TABLE spree.spree_gift_cards RENAME state TO status;
DROP TABLE spree.spree_store_credit_types, spree.spree_store_credit_categories;
SELECT * FROM pg_temp.differences('spree', 'spree.spree_store_credits');
ROLLBACK TO today;

-- Spree 4.4: no gift cards, no metadata; and a shop that keeps its payments elsewhere
ALTER TABLE spree.spree_store_credits DROP public_metadata, DROP private_metadata;
DROP TABLE spree.spree_gift_cards, spree.spree_gift_card_batches, spree.spree_payments;
SELECT * FROM pg_temp.differences('spree', 'spree.spree_store_credits');
-- and before 4.3: ids of four bytes, no stores, no originator
ALTER TABLE spree.spree_store_credits ALTER id TYPE integer, ALTER user_id TYPE integer, DROP store_id, DROP originator_type, DROP originator_id;
ALTER TABLE spree.spree_store_credit_events ALTER id TYPE integer, ALTER store_credit_id TYPE integer;
SELECT * FROM pg_temp.differences('spree', 'spree.spree_store_credits');
ROLLBACK TO today;

-- Solidus before 4.5: no metadata; 2.9: reasons by their old name, ids of eight bytes here and there
ALTER TABLE solidus.spree_store_credit_events DROP customer_metadata, DROP admin_metadata;
ALTER TABLE solidus.spree_payments DROP customer_metadata, DROP admin_metadata;
SELECT * FROM pg_temp.differences('solidus', 'solidus.spree_store_credits');
ALTER TABLE solidus.spree_payments ALTER id TYPE bigint, ALTER source_id TYPE bigint, ALTER order_id TYPE bigint;
ALTER TABLE solidus.spree_store_credit_reasons RENAME TO spree_store_credit_update_reasons;
ALTER TABLE solidus.spree_store_credit_events RENAME store_credit_reason_id TO update_reason_id;
SELECT * FROM pg_temp.differences('solidus', 'solidus.spree_store_credits');
ROLLBACK TO today;

-- owners with a uuid
ALTER TABLE solidus.spree_store_credits ALTER user_id TYPE uuid USING lpad(user_id::text, 32, '0')::uuid;
UPDATE known SET owner = lpad(owner, 32, '0')::uuid::text;
SELECT * FROM pg_temp.differences('solidus', 'solidus.spree_store_credits');
ROLLBACK TO today;

-- columns that hold more, a shop with another prefix, and one that is partitioned
ALTER TABLE solidus.spree_store_credit_events ALTER user_total_amount TYPE numeric(12,2);
SELECT * FROM pg_temp.differences('solidus', 'solidus.spree_store_credits');
ALTER TABLE solidus.spree_store_credit_events ALTER user_total_amount TYPE numeric;
SELECT * FROM pg_temp.differences('solidus', 'solidus.spree_store_credits');
ROLLBACK TO today;
ALTER SCHEMA solidus RENAME TO "50% off";
ALTER TABLE "50% off".spree_store_credits RENAME TO "The shop's store_credits";
ALTER TABLE "50% off".spree_store_credit_events RENAME TO "The shop's store_credit_events";
ALTER TABLE "50% off".spree_payments RENAME TO "The shop's payments";
ALTER TABLE "50% off".spree_orders RENAME TO "The shop's orders";
SELECT * FROM pg_temp.differences('solidus', '"50% off"."The shop''s store_credits"');
ROLLBACK TO today;
ALTER TABLE spree.spree_store_credit_events RENAME TO events_until_now;
CREATE TABLE spree.spree_store_credit_events (LIKE spree.events_until_now) PARTITION BY RANGE (created_at);
ALTER TABLE spree.spree_store_credit_events ATTACH PARTITION spree.events_until_now DEFAULT;
SELECT * FROM pg_temp.differences('spree', 'spree.spree_store_credits');
ROLLBACK TO today;

-- whatever the caller's search_path and its operators
CREATE SCHEMA hostile;
CREATE FUNCTION hostile.wrong(numeric, numeric) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR hostile.< (FUNCTION = hostile.wrong, LEFTARG = numeric, RIGHTARG = numeric);
SET LOCAL search_path = hostile, pg_catalog;
SELECT * FROM pg_temp.differences('solidus', 'solidus.spree_store_credits');
ROLLBACK TO today;

-- with the caller's rights: EXECUTE is not enough
CREATE ROLE regress_storecredit_auditor;
GRANT USAGE ON SCHEMA storecredit, solidus TO regress_storecredit_auditor;
SAVEPOINT auditor;
SET LOCAL ROLE regress_storecredit_auditor;
SELECT * FROM storecredit.spree_audit('solidus.spree_store_credits');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
ROLLBACK TO auditor;
SELECT storecredit.create_ledger();
SELECT storecredit.grant_access('regress_storecredit_auditor', 'reader');
SAVEPOINT auditor;
SET LOCAL ROLE regress_storecredit_auditor;
SELECT * FROM storecredit.spree_audit('solidus.spree_store_credits');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
ROLLBACK TO auditor;
GRANT SELECT ON ALL TABLES IN SCHEMA solidus TO regress_storecredit_auditor;
SET LOCAL ROLE regress_storecredit_auditor;
SELECT count(DISTINCT store_credit_id) FROM storecredit.spree_audit('solidus.spree_store_credits', information => true) WHERE doubtful;
SELECT sum(credits) FROM storecredit.spree_audit_summary('solidus.spree_store_credits') WHERE kind = 'event';
ROLLBACK;
