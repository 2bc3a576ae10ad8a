-- Expiry under a Solidus shop: credits are invalidated with an event and a reason, as the application would, and only where asked for.
\getenv tests PG_ABS_SRCDIR
\set fixture :tests '/fixtures/spree/solidus-4.7.sql'
\set home :DBNAME
\set SHOW_CONTEXT never
CREATE DATABASE regression_storecredit_spree_expiry;
\c regression_storecredit_spree_expiry
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

-- before there is a ledger, and a shop that is attached
SELECT spree_expire();
SELECT spree_expiring();
SELECT create_ledger();
SELECT spree_expire();
SELECT spree_expire_at(1, '2027-01-01Z');
SELECT spree_attach('spree_store_credits', mode => 'enforce');

-- nothing is asked for, and nothing happens
SELECT spree_expire();
SELECT count(*) FROM spree_expiring('infinity');

-- given: ends for three credits of which one has 60.00 authorized, and one 35.00 used
SELECT id, amount, amount_used, amount_authorized FROM spree_store_credits WHERE id IN (1, 2, 32) ORDER BY id;
SELECT spree_expire_at(1, '2026-12-24 18:00+00'), spree_expire_at(2, '2026-12-24 17:00+00'), spree_expire_at(32, '2026-12-24 16:00+00');
-- what an end can be
SELECT spree_expire_at(1, '2026-12-01 09:00+00');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT spree_expire_at(1, '-infinity');
SELECT spree_expire_at(4711, '2027-01-01Z');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT spree_expire_at(NULL, '2027-01-01Z');
SELECT spree_expire_at(1, '2027-01-01Z', 'spree_orders');
SELECT spree_expire(0);
SELECT store_credit_id, expires_at FROM spree_expiry ORDER BY 1;

-- who wants to know before
SELECT * FROM spree_expiring();
SELECT * FROM spree_expiring('2026-12-24 17:00+00');
-- a microsecond before the end, and at the end: those that end first come first
SET storecredit.test_clock = '2026-12-24 16:59:59.999999+00';
SELECT spree_expire();
SET storecredit.test_clock = '2026-12-24 18:00+00';
SELECT spree_expire(1);
SELECT store_credits, store_credit_id, owner_id, currency, amount, expires_at, expired_at, action FROM spree_expired ORDER BY expired_id;
SELECT spree_expire();
SELECT spree_expire();
SELECT store_credits, store_credit_id, owner_id, currency, amount, expires_at, expired_at, action FROM spree_expired ORDER BY expired_id;
-- as the application reads it: what is authorized stays as it is
SELECT id, amount, amount_used, amount_authorized, invalidated_at, updated_at FROM spree_store_credits WHERE id IN (1, 2, 32) ORDER BY id;
SELECT e.store_credit_id, e.action, e.amount, e.user_total_amount, e.amount_remaining, e.authorization_code ~ ('^' || store_credit_id || '-SC-[0-9]{20}-[0-9a-f-]{36}$') AS is_code,
	r.name AS reason, e.created_at, e.deleted_at, e.originator_id
FROM spree_store_credit_events e JOIN spree_store_credit_reasons r ON r.id = e.store_credit_reason_id WHERE r.name = 'Expired' ORDER BY e.id;
SELECT count(*), bool_and(active) FROM spree_store_credit_reasons WHERE name = 'Expired';
-- the checkout gives back what it had authorized: the next sweep takes it
UPDATE spree_store_credits SET amount_authorized = 0 WHERE id = 32;
SELECT spree_expire();
SELECT invalidated_at FROM spree_store_credits WHERE id = 32;
-- no end can be given to what is gone
SELECT spree_expire_at(1, '2027-01-01Z');

-- rules
SET storecredit.test_clock = '2026-12-25 00:00+00';
SELECT spree_set_expiry_rule('colour', 'red', 30);
SELECT spree_set_expiry_rule('type', NULL, 30);
SELECT spree_set_expiry_rule('gift_card', 'x', 30);
SELECT spree_set_expiry_rule('gift_card', NULL, 30);
SELECT spree_set_expiry_rule('type', 'expiring', 30);
SELECT spree_set_expiry_rule('type', 'Expiring', 0);
SELECT spree_set_expiry_rule('type', 'Expiring', 36501);
SELECT spree_set_expiry_rule('type', 'Expiring', 30);
-- what was issued before the rule is left alone, unless that is asked for
SELECT count(*) FROM spree_expiring('infinity');
SELECT spree_set_expiry_rule('type', 'Expiring', 60, issued_from => '-infinity');
SELECT spree_set_expiry_rule('category', 'Exchange', 90, issued_from => '-infinity');
SELECT kind, name, days, issued_from FROM spree_expiry_rule ORDER BY kind;
-- the earlier of two rules counts, and a credit's own end whatever the rules say
SELECT min(expires_at), max(expires_at) FROM spree_expiring('infinity') WHERE store_credit_id <= 10;
SELECT spree_expire_at(3, NULL), spree_expire_at(4, '2026-12-26 00:00+00');
SELECT store_credit_id, expires_at FROM spree_expiring('infinity') WHERE store_credit_id IN (3, 4, 5) ORDER BY 1;
SELECT store_credit_id, expires_at FROM spree_expiry WHERE store_credit_id IN (3, 4) ORDER BY 1;
SELECT spree_expire_by_rule(4);
SELECT store_credit_id, expires_at FROM spree_expiring('infinity') WHERE store_credit_id IN (3, 4, 5) ORDER BY 1;
-- set again it keeps the credits that it was for; without days it is gone
SELECT spree_set_expiry_rule('type', 'Expiring', 45);
SELECT spree_set_expiry_rule('category', 'Exchange', NULL);
SELECT spree_set_expiry_rule('category', 'Exchange', NULL);
SELECT kind, name, days, issued_from FROM spree_expiry_rule;

-- rows that break rules are left alone, and so is what has somebody's attention
SET storecredit.test_clock = '2027-02-01 00:00+00';
SELECT count(*) AS broken FROM spree_expiring() x JOIN spree_store_credits c ON c.id = x.store_credit_id WHERE c.amount_authorized < 0;
SELECT spree_expire() > 20 AS many;
SELECT spree_expire();
SELECT count(*) FILTER (WHERE c.amount_authorized <= 0) AS missed, count(*) FILTER (WHERE c.amount_authorized > 0) > 0 AS waiting
FROM spree_expiring() x JOIN spree_store_credits c ON c.id = x.store_credit_id WHERE c.amount_authorized >= 0;
SELECT count(*) FROM spree_store_credits WHERE invalidated_at IS NOT NULL AND amount_authorized <> 0 AND updated_at > '2027-01-01';
-- what was taken, and what the application would say is left, make up what there was
SELECT e.currency, sum(e.amount) = sum(c.amount - c.amount_used) AS adds_up, count(*) = count(DISTINCT c.id) AS each_once
FROM spree_expired e JOIN spree_store_credits c ON c.id = e.store_credit_id GROUP BY 1 ORDER BY 1;
SELECT count(DISTINCT store_credit_reason_id) FROM spree_store_credit_events WHERE action = 'invalidate' AND created_at > '2026-12-02';

-- a trigger of the shop's that fails for one credit does not keep the others
SET client_min_messages = warning;
UPDATE spree_store_credits SET invalidated_at = NULL WHERE id IN (1, 4, 5);
SELECT spree_expire_by_rule(1);
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'not this one'; END$$;
CREATE TRIGGER refuse BEFORE UPDATE OF invalidated_at ON spree_store_credits FOR EACH ROW WHEN (NEW.id = 4) EXECUTE FUNCTION refuse();
SELECT spree_expire();
SELECT id, invalidated_at FROM spree_store_credits WHERE id IN (1, 4, 5) ORDER BY id;
CALL run_maintenance();
SELECT credits_expired, last_error FROM worker_status;
DROP TRIGGER refuse ON spree_store_credits;
-- the maintenance expires it, too
CALL run_maintenance();
SELECT credits_expired FROM worker_status;
SELECT id, invalidated_at FROM spree_store_credits WHERE id = 4;

-- a shop that is detached is left alone
UPDATE spree_store_credits SET invalidated_at = NULL WHERE id IN (1, 4, 5);
SELECT spree_detach('spree_store_credits');
SELECT spree_expire();
CALL run_maintenance();
SELECT count(invalidated_at) FROM spree_store_credits WHERE id IN (1, 4, 5);

\c :home
DROP DATABASE regression_storecredit_spree_expiry;
