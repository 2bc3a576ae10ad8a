-- enforce_currency_limit() under a Rails shop's own tables: grants are bounded, checkouts never stopped.
SET client_min_messages = warning;
SELECT storecredit.create_ledger();
\set SHOW_CONTEXT never
CREATE SCHEMA guard_shop;
SET search_path = guard_shop, storecredit;
INSERT INTO storecredit.currency_limit VALUES ('DKK', '500 DKK');

-- given: the table as the shop's migrations make it, with a customer far above the limit
CREATE TABLE spree_store_credits (
	id bigserial PRIMARY KEY,
	user_id bigint,
	amount numeric(8, 2) DEFAULT 0.0 NOT NULL,
	amount_used numeric(8, 2) DEFAULT 0.0 NOT NULL,
	amount_authorized numeric(8, 2) DEFAULT 0.0 NOT NULL,
	currency varchar,
	memo text,
	deleted_at timestamp
);
INSERT INTO spree_store_credits (user_id, amount, currency) VALUES (1, 900, 'DKK'), (2, 400, 'DKK'), (3, 100, NULL);
-- only what the shop grants is judged
CREATE TRIGGER user_limit AFTER INSERT OR UPDATE OF amount, user_id, currency ON spree_store_credits FOR EACH ROW
	EXECUTE FUNCTION storecredit.enforce_currency_limit('user_id', 'amount', '-amount_used', 'currency');

-- a checkout: authorize, capture, and give back
UPDATE spree_store_credits SET amount_authorized = 60 WHERE id = 1;
UPDATE spree_store_credits SET amount_authorized = 0, amount_used = 60 WHERE id = 1;
UPDATE spree_store_credits SET amount_used = 0 WHERE id = 1;
-- a grant above the limit
INSERT INTO spree_store_credits (user_id, amount, currency) VALUES (2, 100.01, 'DKK');
INSERT INTO spree_store_credits (user_id, amount, currency) VALUES (2, 100, 'DKK');
UPDATE spree_store_credits SET amount = 401 WHERE id = 2;
UPDATE spree_store_credits SET user_id = 2, currency = 'DKK' WHERE id = 3;
-- who is above it can be corrected downwards, and used up, but not raised
UPDATE spree_store_credits SET amount = 800 WHERE id = 1;
UPDATE spree_store_credits SET amount = 801 WHERE id = 1;
UPDATE spree_store_credits SET amount = 801, amount_used = 1 WHERE id = 1;
-- a row is deleted by a mark, and counts until the trigger is told otherwise
UPDATE spree_store_credits SET deleted_at = now() WHERE id = 2;
INSERT INTO spree_store_credits (user_id, amount, currency) VALUES (2, 400, 'DKK');
ALTER TABLE spree_store_credits ADD counted numeric GENERATED ALWAYS AS
	(CASE WHEN deleted_at IS NULL THEN amount - amount_used ELSE 0 END) STORED;
DROP TRIGGER user_limit ON spree_store_credits;
CREATE TRIGGER user_limit AFTER INSERT OR UPDATE OF amount, user_id, currency, deleted_at ON spree_store_credits FOR EACH ROW
	EXECUTE FUNCTION storecredit.enforce_currency_limit('user_id', 'counted', 'currency');
INSERT INTO spree_store_credits (user_id, amount, currency) VALUES (2, 400, 'DKK');
UPDATE spree_store_credits SET deleted_at = NULL WHERE id = 2;

-- the shop's role has no rights on the ledger, and sees only some of the rows
BEGIN;
CREATE ROLE regress_guard_shop;
GRANT USAGE ON SCHEMA guard_shop TO regress_guard_shop;
GRANT SELECT, INSERT, UPDATE ON spree_store_credits TO regress_guard_shop;
GRANT USAGE ON SEQUENCE spree_store_credits_id_seq TO regress_guard_shop;
ALTER TABLE spree_store_credits ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON spree_store_credits TO regress_guard_shop USING (user_id = 5) WITH CHECK (true);
SET LOCAL search_path = '';
SET LOCAL ROLE regress_guard_shop;
SELECT count(*) FROM guard_shop.spree_store_credits;
INSERT INTO guard_shop.spree_store_credits (user_id, amount, currency) VALUES (2, 1, 'DKK');
ROLLBACK;

DELETE FROM currency_limit WHERE currency = 'DKK';
DROP SCHEMA guard_shop CASCADE;
