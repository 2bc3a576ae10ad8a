-- Attaching and detaching: by whom, to what, again, and under which names.
\getenv tests PG_ABS_SRCDIR
\set solidus :tests '/fixtures/spree/solidus-4.7.sql'
\set spree :tests '/fixtures/spree/spree-5.6.sql'
SET client_min_messages = warning;
\set SHOW_CONTEXT never
\set home :DBNAME
CREATE ROLE regress_spree_shop;
CREATE ROLE regress_spree_other;
CREATE DATABASE regression_spree_attach;
\c regression_spree_attach
SET client_min_messages = notice;
CREATE EXTENSION storecredit;
GRANT USAGE ON SCHEMA storecredit TO regress_spree_shop, regress_spree_other;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA storecredit TO regress_spree_shop;
CREATE SCHEMA app AUTHORIZATION regress_spree_shop;
SET search_path = app;
SET ROLE regress_spree_shop;
\set ECHO none
\i :solidus
\set ECHO all
TRUNCATE spree_store_credits, spree_store_credit_events, spree_payments RESTART IDENTITY;

-- without a ledger there is no place for limits and violations
SELECT storecredit.spree_attach('spree_store_credits');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
RESET ROLE;
SELECT storecredit.create_ledger();
ALTER TABLE storecredit.spree_violation RENAME TO elsewhere;
SELECT storecredit.spree_attach('spree_store_credits');
ALTER TABLE storecredit.elsewhere RENAME TO spree_violation;
SET ROLE regress_spree_shop;

-- what is not right is said, and nothing is made
SELECT storecredit.spree_attach(NULL);
SELECT storecredit.spree_attach('spree_orders');
SELECT storecredit.spree_attach('spree_store_credits', mode => 'loud');
SELECT storecredit.spree_attach('spree_store_credits', mode => NULL);
SELECT storecredit.spree_attach('spree_store_credits', profile => 'magento');
SELECT storecredit.spree_attach('spree_store_credits', rules => '{amounts,append_only,NULL}');
SELECT storecredit.spree_attach('spree_store_credits', rules => '{}');
BEGIN;
ALTER TABLE spree_store_credits ALTER amount_used TYPE double precision;
SELECT storecredit.spree_attach('spree_store_credits');
ROLLBACK;
BEGIN;
DROP TABLE spree_payments;
SELECT storecredit.spree_attach('spree_store_credits', rules => '{payment}');
ROLLBACK;
RESET ROLE;
SET ROLE regress_spree_other;
SELECT storecredit.spree_attach('app.spree_store_credits');
RESET ROLE;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA storecredit TO regress_spree_other;
GRANT USAGE ON SCHEMA app TO regress_spree_other;
GRANT ALL ON ALL TABLES IN SCHEMA app TO regress_spree_other;
SET ROLE regress_spree_other;
SELECT storecredit.spree_attach('spree_store_credits');
RESET ROLE;
BEGIN;
ALTER TABLE spree_payments OWNER TO regress_spree_other;
SELECT storecredit.spree_attach('spree_store_credits');
ROLLBACK;
SELECT count(*) FROM storecredit.spree_attached();
SELECT storecredit.the_spree_shop();
SELECT storecredit.the_spree_shop('spree_store_credits');

-- by the tables' owner; what is asked for again is left alone, without a lock; anything else is changed to it
SET ROLE regress_spree_shop;
SELECT storecredit.spree_attach('spree_store_credits');
SELECT * FROM storecredit.spree_attached();
BEGIN;
SELECT storecredit.spree_attach('spree_store_credits', mode => 'enforce', rules => '{payment,limit,owner,currency,delete,amounts,invalidated,limit}');
SELECT mode FROM pg_locks WHERE relation = 'spree_store_credits'::regclass AND mode <> 'AccessShareLock';
COMMIT;
CREATE VIEW made AS SELECT tgrelid::regclass AS relation, pg_get_triggerdef(t.oid) FROM pg_trigger t
WHERE tgname LIKE 'storecredit%' AND tgparentid = 0 ORDER BY tgrelid::regclass::text, tgname;
SELECT * FROM made;
SELECT storecredit.spree_attach('spree_store_credits', mode => 'warn', rules => '{truncate,reconcile}');
SELECT * FROM made;
SELECT storecredit.spree_attach('spree_store_credits', profile => 'spree', rules => storecredit.spree_rules(strict => true));
SELECT * FROM storecredit.spree_attached();
SELECT (storecredit.the_spree_shop()).profile;
-- a trigger that was disabled is shown so, and enabled by the next call
ALTER TABLE spree_store_credits DISABLE TRIGGER storecredit_rules;
SELECT enabled FROM storecredit.spree_attached();
INSERT INTO spree_store_credits (user_id, amount, currency) VALUES (1, -1, 'USD');
SELECT storecredit.spree_attach('spree_store_credits');
SELECT enabled FROM storecredit.spree_attached();
INSERT INTO spree_store_credits (user_id, amount, currency) VALUES (1, -1, 'USD');
-- as any trigger, it does not fire where changes are replayed
RESET ROLE;
SET session_replication_role = replica;
INSERT INTO spree_store_credits (user_id, amount, currency) VALUES (1, -1, 'USD');
RESET session_replication_role;
DELETE FROM spree_store_credits;

-- a role that may only write, with nothing in its search_path, and operators of somebody's own
CREATE SCHEMA hostile;
CREATE FUNCTION hostile.never(numeric, numeric) RETURNS boolean LANGUAGE sql RETURN false;
CREATE OPERATOR hostile.> (FUNCTION = hostile.never, LEFTARG = numeric, RIGHTARG = numeric);
CREATE FUNCTION hostile.always(varchar, varchar) RETURNS boolean LANGUAGE sql RETURN true;
CREATE OPERATOR hostile.= (FUNCTION = hostile.always, LEFTARG = varchar, RIGHTARG = varchar);
SELECT storecredit.spree_attach('spree_store_credits', rules => storecredit.spree_rules(strict => true));
GRANT USAGE ON ALL SEQUENCES IN SCHEMA app TO regress_spree_other;
REVOKE SELECT ON ALL TABLES IN SCHEMA app FROM regress_spree_other;
GRANT USAGE ON SCHEMA hostile TO regress_spree_other;
SET ROLE regress_spree_other;
SET search_path = hostile, pg_catalog;
INSERT INTO app.spree_store_credits (id, user_id, amount, currency) VALUES (500, 1, 50, 'USD');
INSERT INTO app.spree_store_credit_events (store_credit_id, action, amount, authorization_code) VALUES (500, 'allocation', 50, 'x');
INSERT INTO app.spree_store_credit_events (store_credit_id, action, amount, authorization_code) VALUES (500, 'allocation', 50, 'x');
INSERT INTO app.spree_store_credit_events (store_credit_id, action, amount, authorization_code) VALUES (500, 'credit', 10, 'x');
INSERT INTO app.spree_payments (order_id, amount, source_type, source_id) VALUES (6, 10, 'Spree::StoreCredit', 500);
UPDATE app.spree_store_credits SET amount_used = 70;
SET search_path = '';
INSERT INTO app.spree_payments (order_id, amount, source_type, source_id) VALUES (6, 10, 'Spree::StoreCredit', 500);
RESET ROLE;
-- what it breaks in mode "warn" is recorded for it
SELECT storecredit.spree_attach('app.spree_store_credits', mode => 'warn');
SET ROLE regress_spree_other;
UPDATE app.spree_store_credits SET amount_used = 70;
SELECT * FROM storecredit.spree_violations;
RESET ROLE;
SELECT rule, detail FROM storecredit.spree_violation;
-- a reader of the ledger sees it
SELECT storecredit.grant_access('regress_spree_other', 'reader');
SET ROLE regress_spree_other;
SELECT rule, violations, row_count FROM storecredit.spree_violations;
SELECT profile, mode FROM storecredit.spree_attached();
RESET ROLE;
SET search_path = app;

-- the extension does not go while something is attached
\set VERBOSITY terse
DROP EXTENSION storecredit;
\set VERBOSITY default

-- leaving leaves nothing
SET ROLE regress_spree_shop;
SELECT storecredit.spree_detach('spree_store_credits');
SELECT storecredit.spree_detach('spree_store_credits');
SELECT storecredit.spree_detach(NULL);
SELECT count(*) FROM made;
DROP VIEW made;
-- also when the table is no longer one that could be attached
SELECT storecredit.spree_attach('spree_store_credits', rules => storecredit.spree_rules(strict => true) || '{truncate}');
ALTER TABLE spree_store_credits RENAME currency TO money_currency;
UPDATE spree_store_credits SET amount_used = 2;
SELECT storecredit.spree_detach('spree_store_credits');
SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'storecredit%';
ALTER TABLE spree_store_credits RENAME money_currency TO currency;

-- two shops, one of them with strange names
RESET ROLE;
CREATE SCHEMA "Shop ""No"" 2";
SET search_path = "Shop ""No"" 2";
\set ECHO none
\i :spree
\set ECHO all
ALTER TABLE spree_store_credits RENAME TO "it's store_credits";
ALTER TABLE spree_store_credit_events RENAME TO "it's store_credit_events";
ALTER TABLE spree_payments RENAME TO "it's payments";
ALTER TABLE spree_orders RENAME TO "it's orders";
SELECT storecredit.spree_attach('"it''s store_credits"', rules => storecredit.spree_rules(strict => true));
SELECT storecredit.spree_attach('app.spree_store_credits', mode => 'warn');
SELECT store_credits, profile, mode FROM storecredit.spree_attached();
SELECT storecredit.the_spree_shop();
SELECT (storecredit.the_spree_shop('app.spree_store_credits')).profile;
-- they go on under other names, and in another schema
ALTER SCHEMA "Shop ""No"" 2" RENAME TO moved;
SET search_path = moved;
INSERT INTO "it's store_credits" (user_id, store_id, amount, currency, created_at, updated_at) VALUES (1, 1, 10, 'USD', now(), now()) RETURNING id AS credit \gset
INSERT INTO "it's store_credit_events" (store_credit_id, action, amount, authorization_code, created_at, updated_at)
VALUES (:credit, 'allocation', 10, 'x', now(), now());
INSERT INTO "it's store_credit_events" (store_credit_id, action, amount, authorization_code, created_at, updated_at)
VALUES (:credit, 'authorize', 1, 'y', now(), now());
INSERT INTO "it's orders" (id, currency, created_at, updated_at) VALUES (1, 'EUR', now(), now());
INSERT INTO "it's payments" (order_id, amount, source_type, source_id, created_at, updated_at) VALUES (1, 10, 'Spree::StoreCredit', :credit, now(), now());

-- columns as Spree 6.0 calls them
ALTER TABLE "it's store_credits" RENAME user_id TO customer_id;
ALTER TABLE "it's payments" RENAME state TO status;
UPDATE "it's store_credits" SET customer_id = 77 WHERE id = :credit;
SELECT storecredit.store_credit_set_limit('USD', '50 USD');
INSERT INTO "it's store_credits" (customer_id, store_id, amount, currency, created_at, updated_at) VALUES (1000, 1, 51, 'USD', now(), now());
-- ids of another type
ALTER TABLE "it's store_credits" ALTER id DROP DEFAULT, ALTER id TYPE uuid USING lpad(id::text, 32, '0')::uuid;
ALTER TABLE "it's store_credit_events" ALTER store_credit_id TYPE uuid USING lpad(store_credit_id::text, 32, '0')::uuid;
ALTER TABLE "it's payments" ALTER source_id TYPE varchar;
INSERT INTO "it's store_credit_events" (store_credit_id, action, amount, authorization_code, created_at, updated_at)
VALUES (lpad(:'credit', 32, '0')::uuid, 'authorize', 1, 'z', now(), now());
INSERT INTO "it's payments" (order_id, amount, source_type, source_id, created_at, updated_at)
VALUES (1, 10, 'Spree::StoreCredit', lpad(:'credit', 32, '0')::uuid, now(), now());
-- columns that an old version does not have
ALTER TABLE "it's store_credits" DROP store_id, DROP originator_type, DROP originator_id;
INSERT INTO "it's store_credits" (id, customer_id, amount, currency, created_at, updated_at) VALUES (lpad('99', 32, '0')::uuid, 1000, 51, 'USD', now(), now());
SELECT storecredit.spree_detach('"it''s store_credits"'), storecredit.spree_detach('app.spree_store_credits');

-- a partitioned table is one table
CREATE SCHEMA parted;
SET search_path = parted;
CREATE TABLE store_credits (id bigint, user_id bigint, amount numeric(8,2) DEFAULT 0, amount_used numeric(8,2) DEFAULT 0,
	amount_authorized numeric(8,2) DEFAULT 0, currency varchar, deleted_at timestamp, created_at timestamp, updated_at timestamp) PARTITION BY RANGE (id);
CREATE TABLE low PARTITION OF store_credits FOR VALUES FROM (0) TO (100);
CREATE TABLE high (currency varchar, deleted_at timestamp, amount_used numeric(8,2) DEFAULT 0, id bigint, user_id bigint, created_at timestamp,
	amount numeric(8,2) DEFAULT 0, updated_at timestamp, amount_authorized numeric(8,2) DEFAULT 0);
ALTER TABLE store_credits ATTACH PARTITION high FOR VALUES FROM (100) TO (200);
CREATE TABLE store_credit_events (id bigint, store_credit_id bigint, action varchar, amount numeric(8,2), authorization_code varchar, user_total_amount numeric(8,2),
	deleted_at timestamp, created_at timestamp, updated_at timestamp) PARTITION BY RANGE (id);
CREATE TABLE all_events PARTITION OF store_credit_events DEFAULT;
SELECT storecredit.spree_attach('store_credits', rules => storecredit.spree_rules(strict => true));
SELECT store_credits FROM storecredit.spree_attached();
INSERT INTO store_credits (id, user_id, amount, currency) VALUES (1, 1, 30, 'USD'), (101, 1, 20, 'USD');
INSERT INTO store_credits (id, user_id, amount, currency) VALUES (102, 1, 1, 'USD');
UPDATE store_credits SET amount_authorized = 31 WHERE id = 1;
INSERT INTO store_credit_events VALUES (1, 101, 'allocation', 20, 'x'), (2, 101, 'authorize', 20, 'y');
UPDATE store_credits SET amount_authorized = 20 WHERE id = 101;
SELECT storecredit.spree_attach('store_credits', mode => 'warn');
SELECT storecredit.spree_detach('store_credits');
SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'storecredit%';

-- the trigger functions do nothing for whom they were not made
CREATE TABLE other (id int, amount numeric);
CREATE TRIGGER wrong AFTER INSERT ON other FOR EACH ROW EXECUTE FUNCTION storecredit.spree_guard_credit('solidus', 'enforce');
INSERT INTO other VALUES (1, 1);
CREATE OR REPLACE TRIGGER wrong AFTER INSERT ON other FOR EACH ROW EXECUTE FUNCTION storecredit.spree_guard_credit('solidus', 'enforce', 'amounts,all');
INSERT INTO other VALUES (1, 1);
CREATE OR REPLACE TRIGGER wrong AFTER INSERT ON other FOR EACH ROW EXECUTE FUNCTION storecredit.spree_guard_credit('solidus', 'enforce', 'amounts');
INSERT INTO other VALUES (1, 1);
CREATE OR REPLACE TRIGGER wrong BEFORE INSERT ON other FOR EACH ROW EXECUTE FUNCTION storecredit.spree_guard_event('solidus', 'enforce', 'reconcile');
INSERT INTO other VALUES (1, 1);
CREATE OR REPLACE TRIGGER wrong AFTER UPDATE ON other FOR EACH ROW EXECUTE FUNCTION storecredit.spree_guard_truncate('solidus', 'enforce', 'truncate');
SELECT storecredit.spree_guard_truncate();

\c :home
DROP DATABASE regression_spree_attach;
DROP ROLE regress_spree_shop, regress_spree_other;
