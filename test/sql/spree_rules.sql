-- A rule refuses only what makes a row worse than it was: a shop's bad rows can be used, repaired and taken away.
\getenv tests PG_ABS_SRCDIR
\set solidus :tests '/fixtures/spree/solidus-4.7.sql'
\set spree :tests '/fixtures/spree/spree-5.6.sql'
\set statements :tests '/fixtures/spree/statements.sql'
SET client_min_messages = warning;
SELECT storecredit.create_ledger();
\set SHOW_CONTEXT never
CREATE SCHEMA spree_rules;
SET search_path = spree_rules;
\set ECHO none
\i :solidus
\i :statements
\set ECHO all
SELECT storecredit.spree_attach('spree_store_credits', rules => storecredit.spree_rules(strict => true));

-- every row of a shop with many bad ones can be touched, and so can its payments
UPDATE spree_store_credits SET updated_at = '2026-11-22 08:00:00', memo = 'touched';
UPDATE spree_payments SET updated_at = '2026-11-22 08:00:00', state = 'void';

-- what is used and authorized over the amount: less of it is better
SELECT amount, amount_used, amount_authorized FROM spree_store_credits WHERE id = 54;
UPDATE spree_store_credits SET amount_authorized = 91 WHERE id = 54;
UPDATE spree_store_credits SET amount = 49 WHERE id = 54;
UPDATE spree_store_credits SET amount_used = 1, amount_authorized = 89 WHERE id = 54;
UPDATE spree_store_credits SET amount_authorized = 80 WHERE id = 54;
UPDATE spree_store_credits SET amount = 90 WHERE id = 54;
UPDATE spree_store_credits SET amount_authorized = 90 WHERE id = 54;
-- an amount below zero
UPDATE spree_store_credits SET amount = -6 WHERE id = 15;
UPDATE spree_store_credits SET amount = -4 WHERE id = 15;
UPDATE spree_store_credits SET amount = 0 WHERE id = 15;
UPDATE spree_store_credits SET amount = 5 WHERE id = 15;
UPDATE spree_store_credits SET amount = 0 WHERE id = 15;
-- authorized below zero
UPDATE spree_store_credits SET amount_authorized = -61 WHERE id = 6;
UPDATE spree_store_credits SET amount_authorized = -59 WHERE id = 6;
UPDATE spree_store_credits SET amount_authorized = 0 WHERE id = 6;
UPDATE spree_store_credits SET amount_authorized = -1 WHERE id = 6;
-- a currency that is none: another that is none changes nothing, and a good one stays
SELECT id, currency FROM spree_store_credits WHERE currency !~ '^[A-Z]{3}$' OR currency IS NULL;
UPDATE spree_store_credits SET currency = 'xy' WHERE id = 26;
UPDATE spree_store_credits SET currency = NULL WHERE id = 26;
UPDATE spree_store_credits SET currency = 'SEK' WHERE id = 26;
UPDATE spree_store_credits SET currency = 'xx' WHERE id = 26;
-- invalidated with something authorized: no more of it
SELECT amount, amount_used, amount_authorized, invalidated_at IS NOT NULL AS invalidated FROM spree_store_credits WHERE id = 69;
UPDATE spree_store_credits SET amount_authorized = 91 WHERE id = 69;
UPDATE spree_store_credits SET amount_authorized = 80, invalidated_at = '2026-11-22 08:00:00' WHERE id = 69;
UPDATE spree_store_credits SET amount_authorized = 0 WHERE id = 69;
UPDATE spree_store_credits SET amount_authorized = 1 WHERE id = 69;
-- deleted by a mark with something authorized: the mark can be taken away and not be set again; the row stays
SELECT amount_authorized, deleted_at IS NOT NULL AS deleted FROM spree_store_credits WHERE id = 20;
DELETE FROM spree_store_credits WHERE id = 20;
UPDATE spree_store_credits SET deleted_at = '2026-11-22 08:00:00' WHERE id = 20;
UPDATE spree_store_credits SET deleted_at = NULL WHERE id = 20;
UPDATE spree_store_credits SET deleted_at = '2026-11-22 08:00:00' WHERE id = 20;
-- an unused one can go
DELETE FROM spree_store_credits WHERE id = 1;
-- a figure that disagrees with its events goes on as it is; what closes the gap is welcome, what widens it is not
SELECT authorize(29, 10, '29 more') IS NOT NULL AS goes_on;
SELECT amount_authorized FROM spree_store_credits WHERE id = 29;
BEGIN;
UPDATE spree_store_credits SET amount_authorized = 80 WHERE id = 29;
SELECT write_event(29, 'authorize', 5, '29 closer');
ROLLBACK;
BEGIN;
UPDATE spree_store_credits SET amount_authorized = 65 WHERE id = 29;
SELECT write_event(29, 'authorize', 1, '29 wider');
ROLLBACK;
-- a code that was closed twice, or refunded twice
SELECT write_event(6, 'void', 60, (SELECT authorization_code FROM spree_store_credit_events WHERE store_credit_id = 6 AND action = 'authorize'));
-- events that are marked as deleted do not count
UPDATE spree_store_credit_events SET deleted_at = '2026-11-22 08:00:00' WHERE store_credit_id = 6 AND action = 'void';
BEGIN;
UPDATE spree_store_credits SET amount_authorized = 60 WHERE id = 6;
SELECT void(6, (SELECT authorization_code FROM spree_store_credit_events WHERE store_credit_id = 6 AND action = 'authorize')) IS NOT NULL AS voided;
ROLLBACK;
-- a payment in the wrong currency, of before: its state may change, and its source may not change into another wrong one
ALTER TABLE spree_payments DISABLE TRIGGER storecredit_rules;
UPDATE spree_payments SET order_id = 6, amount = -3 WHERE id = 1;
ALTER TABLE spree_payments ENABLE TRIGGER storecredit_rules;
UPDATE spree_payments SET state = 'failed', amount = -2 WHERE id = 1;
UPDATE spree_payments SET amount = -4 WHERE id = 1;
UPDATE spree_payments SET source_id = 90 WHERE id = 1;
UPDATE spree_payments SET order_id = 1, amount = 60 WHERE id = 1;

-- what the client can read of a refusal
DO $$
DECLARE
	message text; detail text; hint text; "constraint" text; "table" text; "schema" text;
BEGIN
	UPDATE spree_store_credits SET currency = 'NOK' WHERE id = 26;
EXCEPTION WHEN check_violation THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT,
		"constraint" = CONSTRAINT_NAME, "table" = TABLE_NAME, "schema" = SCHEMA_NAME;
	RAISE WARNING E'%\n%\n%\n% % %', message, detail, hint, "schema", "table", "constraint";
END$$;

-- one rule alone
SELECT storecredit.spree_attach('spree_store_credits', rules => '{owner}');
UPDATE spree_store_credits SET amount = -1, currency = 'no', deleted_at = now() WHERE id = 2;
UPDATE spree_store_credits SET user_id = 90 WHERE id = 2;

-- mode "warn": everything passes, is told to the log, and counted; a client hears of it who wants to
SELECT storecredit.spree_attach('spree_store_credits', mode => 'warn', rules => storecredit.spree_rules(strict => true) || '{truncate}');
SET storecredit.test_clock = '2026-11-22 09:00+00';
SET client_min_messages = log;
UPDATE spree_store_credits SET amount_authorized = 500, invalidated_at = now() WHERE id = 3;
SET client_min_messages = warning;
UPDATE spree_store_credits SET user_id = 90, currency = 'euro', deleted_at = now() WHERE id = 3;
DELETE FROM spree_store_credits WHERE id = 3;
SELECT authorize(4, 60, '4 a'), void(4, '4 a'), void(4, '4 a');
UPDATE spree_payments SET amount = -1 WHERE id = 3;
TRUNCATE spree_store_credits, spree_store_credit_events;
SELECT table_name, rule, violations, row_count, first_at = '2026-11-22 09:00+00' AS by_the_clock, last_detail
FROM storecredit.spree_violations ORDER BY table_name, rule;
SELECT DISTINCT recorded_by = session_user AS by_session FROM storecredit.spree_violation;
-- what is rolled back leaves only its lines in the log
DELETE FROM storecredit.spree_violation;
BEGIN;
INSERT INTO spree_store_credits (amount) VALUES (-1);
ROLLBACK;
SELECT count(*) FROM storecredit.spree_violation;

-- rule "truncate" refuses, too
SELECT storecredit.spree_attach('spree_store_credits', rules => '{truncate}');
TRUNCATE spree_store_credits;
TRUNCATE spree_store_credit_events;
SELECT storecredit.spree_detach('spree_store_credits');
TRUNCATE spree_store_credits, spree_store_credit_events;
RESET storecredit.test_clock;
DROP SCHEMA spree_rules CASCADE;

-- the same rows of Spree's, which has no invalidation and has stores
CREATE SCHEMA spree_rules;
SET search_path = spree_rules;
\set ECHO none
\i :spree
\i :statements
\set ECHO all
SELECT storecredit.spree_attach('spree_store_credits', rules => storecredit.spree_rules(strict => true));
UPDATE spree_store_credits SET updated_at = '2026-11-22 08:00:00', memo = 'touched';
DROP SCHEMA spree_rules CASCADE;
