-- Expiry under a Spree shop, which has no way to end a credit: its amount falls to what was used, or it is deleted if nothing was.
\getenv tests PG_ABS_SRCDIR
\set fixture :tests '/fixtures/spree/spree-5.6.sql'
\set home :DBNAME
\set SHOW_CONTEXT never
CREATE DATABASE regression_storecredit_spree_expiry;
\c regression_storecredit_spree_expiry
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
SELECT spree_attach('spree_store_credits', mode => 'enforce');

-- 1: unused; 2: 35.00 of 100.00 used; 3: 20.00 still authorized after a partial capture
SELECT id, amount, amount_used, amount_authorized FROM spree_store_credits WHERE id IN (1, 2, 3) ORDER BY id;
SELECT spree_expire_at(id, '2026-12-31 23:00+00') FROM spree_store_credits WHERE id IN (1, 2, 3);
SET storecredit.test_clock = '2027-01-01 00:00+00';
SELECT spree_expire();
SELECT spree_expire();
SELECT store_credit_id, owner_id, currency, amount, action FROM spree_expired ORDER BY store_credit_id;
SELECT id, amount, amount_used, amount_authorized, deleted_at, updated_at FROM spree_store_credits WHERE id IN (1, 2, 3) ORDER BY id;
SELECT store_credit_id, action, amount, user_total_amount, authorization_code ~ ('^' || store_credit_id || '-SC-[0-9]{20}$') AS is_code, created_at
FROM spree_store_credit_events WHERE created_at >= '2026-12-01' ORDER BY id;

-- the application gives 25.00 of the order back to a credit that has ended: the next sweep takes them, or the shop sets another end
BEGIN;
UPDATE spree_store_credits SET amount_used = 10.00 WHERE id = 2;
SELECT spree_expire();
SELECT amount, amount_used FROM spree_store_credits WHERE id = 2;
ROLLBACK;
UPDATE spree_store_credits SET amount_used = 10.00 WHERE id = 2;
SELECT spree_expire_at(2, '2027-06-01Z');
SELECT spree_expire();
SELECT amount, amount_used FROM spree_store_credits WHERE id = 2;

-- gift cards: their own end, honoured only where asked for
INSERT INTO spree_gift_cards (id, store_id, code, state, amount, currency, expires_at, created_at, updated_at)
	VALUES (7, 1, 'abc', 'active', 30, 'USD', '2027-01-31', now(), now()), (8, 1, 'abd', 'active', 30, 'USD', NULL, now(), now());
INSERT INTO spree_store_credits (id, user_id, amount, currency, originator_type, originator_id, store_id, created_at, updated_at)
	VALUES (707, 40, 30, 'USD', 'Spree::GiftCard', 7, 1, '2026-06-01', '2026-06-01'), (708, 40, 30, 'USD', 'Spree::GiftCard', 8, 1, '2026-06-01', '2026-06-01'),
		(709, 40, 30, 'USD', 'Spree::Order', 7, 1, '2026-06-01', '2026-06-01');
SELECT count(*) FROM spree_expiring('infinity') WHERE store_credit_id > 700;
SELECT spree_set_expiry_rule('gift_card', NULL, 0);
-- a card is gone from the first instant of that day on, in the shop's time zone: so the application has it
SELECT store_credit_id, expires_at FROM spree_expiring('infinity') WHERE store_credit_id > 700;
SET storecredit.timezone = 'Asia/Tokyo';
SELECT store_credit_id, expires_at FROM spree_expiring('infinity') WHERE store_credit_id > 700;
RESET storecredit.timezone;
SELECT spree_set_expiry_rule('gift_card', NULL, 14);
SELECT store_credit_id, expires_at FROM spree_expiring('infinity') WHERE store_credit_id > 700;
SET storecredit.test_clock = '2027-02-14 00:00+00';
SELECT spree_expire();
SELECT store_credit_id, amount, expires_at, action FROM spree_expired WHERE store_credit_id > 700;

-- as 6.0 has the tables
ALTER TABLE spree_store_credits RENAME user_id TO customer_id;
DROP TABLE spree_store_credit_types, spree_store_credit_categories;
SELECT spree_set_expiry_rule('type', 'Expiring', 30);
SELECT spree_expire_at(4, '2027-03-01Z');
SET storecredit.test_clock = '2027-03-01 00:00+00';
SELECT spree_expire();
SELECT store_credit_id, owner_id, amount, action FROM spree_expired WHERE store_credit_id = 4;

\c :home
DROP DATABASE regression_storecredit_spree_expiry;
