-- The audit of two shops that their applications have used rightly and wrongly: what it finds, and that it finds all.
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
CREATE TEMP VIEW story (shop, story, first_credit, last_credit) AS VALUES
	('solidus'::text, 'voided twice'::text, 6, 6),
	('solidus', 'captured, then voided', 7, 7),
	('solidus', 'captured in two, one part refunded twice', 8, 8),
	('solidus', 'one capture refunded to three new credits', 9, 12),
	('solidus', 'captured twice', 13, 13),
	('solidus', 'amounts in JPY, a hundredth of what was paid', 14, 14),
	('solidus', 'amounts written past the model', 15, 16),
	('solidus', 'deleted while authorized', 20, 20),
	('solidus', 'user deleted', 21, 22),
	('solidus', 'currency "xx"', 26, 26),
	('solidus', 'authorized four times at once', 29, 48),
	('solidus', 'lowered while it was authorized', 49, 68),
	('solidus', 'invalidated while it was authorized', 69, 88),
	('solidus', 'amounts written past the model', 92, 92),
	('solidus', 'amounts in JPY, a hundredth of what was paid', 93, 93),
	('spree', 'voided twice', 6, 6),
	('spree', 'captured, then voided', 7, 7),
	('spree', 'one capture refunded to three new credits', 8, 11),
	('spree', 'deleted while authorized', 15, 15),
	('spree', 'lowered while it was authorized', 22, 41);
CREATE TEMP VIEW finding AS
SELECT 'solidus' AS shop, a.* FROM storecredit.spree_audit('solidus.spree_store_credits') a
UNION ALL
SELECT 'spree', a.* FROM storecredit.spree_audit('spree.spree_store_credits') a;
SET LOCAL transaction_read_only = on;

-- of Solidus's 97 credits 52 break a rule by themselves, and 21 more only when compared with their events; 47 are certain
SELECT count(DISTINCT store_credit_id) FILTER (WHERE kind <> 'reconciliation') AS break_a_rule,
	count(DISTINCT store_credit_id) AS all_in_all,
	(SELECT count(*) FROM solidus.spree_store_credits) - count(DISTINCT store_credit_id) FILTER (WHERE doubtful) AS certain
FROM storecredit.spree_audit('solidus.spree_store_credits');
SELECT * FROM storecredit.spree_audit_summary('solidus.spree_store_credits');

-- of Spree's 40, 25 break a rule; 15 are certain
SELECT count(DISTINCT store_credit_id) FILTER (WHERE kind <> 'reconciliation') AS break_a_rule,
	count(DISTINCT store_credit_id) AS all_in_all,
	(SELECT count(*) FROM spree.spree_store_credits) - count(DISTINCT store_credit_id) FILTER (WHERE doubtful) AS certain
FROM storecredit.spree_audit('spree.spree_store_credits');
SELECT * FROM storecredit.spree_audit_summary('spree.spree_store_credits');

-- each wrong turn of the applications' is found, by its name and at its price; and nothing else is
SELECT coalesce(s.shop, f.shop) AS shop, s.story, f.rule, count(DISTINCT f.store_credit_id) AS credits, min(f.store_credit_id) AS first,
	regexp_replace(f.relation::text, '.*\.spree_', '') AS relation, f.expected, f.found, f.difference, f.currency
FROM story s
FULL JOIN finding f ON f.shop = s.shop AND f.store_credit_id BETWEEN s.first_credit AND s.last_credit
GROUP BY 1, s.story, f.rule, f.relation, f.expected, f.found, f.difference, f.currency
ORDER BY 1, first, f.rule, f.found;

-- each with a sentence
SELECT DISTINCT rule, regexp_replace(explanation, '[0-9]+-SC-[-0-9a-f]+', '(code)') AS explanation FROM finding ORDER BY 1;

-- in Spree a capture releases what it captures (3), a refund may make a credit (9 to 11), and an amount may change without an event (20):
-- by Solidus's arithmetic that would be otherwise
SELECT rule, store_credit_id, expected, found, difference FROM storecredit.spree_audit('spree.spree_store_credits', 'solidus')
EXCEPT SELECT rule, store_credit_id, expected, found, difference FROM storecredit.spree_audit('spree.spree_store_credits')
ORDER BY 1, 2;

-- what need not be wrong comes on request: changed currencies (27, 19), stuck payments, totals
SELECT rule, store_credit_id, currency, expected, found, difference, doubtful, explanation
FROM storecredit.spree_audit('solidus.spree_store_credits', information => true) WHERE kind = 'information';
SELECT rule, store_credit_id, currency, expected, found, difference, doubtful
FROM storecredit.spree_audit('spree.spree_store_credits', information => true) WHERE kind = 'information' AND rule <> 'event_total';

-- every rule has its sentence, and no two the same name
SELECT count(*) = count(DISTINCT rule) AS named, bool_and(meaning ~ '\.$') AS sentences,
	string_agg(DISTINCT kind, ', ') AS kinds FROM storecredit.spree_audit_rules();
ROLLBACK;
