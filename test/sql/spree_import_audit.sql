-- What the import leaves out is what the audit calls doubtful: for each of its rules, on credits made for it; and
-- the import of Spree 6.0's tables, and of credits with an end in spree_expiry.
\getenv tests PG_ABS_SRCDIR
\set solidus :tests '/fixtures/spree/solidus-4.7.sql'
\set spree :tests '/fixtures/spree/spree-5.6.sql'
SET client_min_messages = warning;
SELECT storecredit.create_ledger();
CREATE SCHEMA audit_solidus;
CREATE SCHEMA audit_spree;
CREATE SCHEMA audit_six;
\set ECHO none
SET search_path = audit_solidus;
\i :solidus
SET search_path = audit_spree;
\i :spree
SET search_path = audit_six;
\i :spree
\set ECHO all
SET search_path = storecredit, public;
SET timezone = 'UTC';
SET datestyle = 'ISO';
ALTER SEQUENCE account_number_seq RESTART 1660001;
\set SHOW_CONTEXT never

-- a credit of 100 with these events; what its row says is used and authorized
CREATE FUNCTION pg_temp.plant(shop text, id integer, used numeric, authorized numeric, currency text, events text[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('INSERT INTO %I.spree_store_credits (id, user_id, amount, amount_used, amount_authorized, currency, created_at, updated_at)
		VALUES ($1, $1, 100, $2, $3, $4, ''2026-11-21'', ''2026-11-21'')', shop) USING id, used, authorized, currency;
	EXECUTE format('INSERT INTO %I.spree_store_credit_events (store_credit_id, action, amount, authorization_code, created_at, updated_at)
		SELECT $1, split_part(e, '' '', 1), split_part(e, '' '', 2)::numeric, $1 || ''-SC-'' || split_part(e, '' '', 3), ''2026-11-21'', ''2026-11-21''
		FROM unnest($2) WITH ORDINALITY u (e, place) ORDER BY place', shop) USING id, events;
END
$$;
CREATE TEMPORARY TABLE planted (id integer, story text, used numeric, authorized numeric, currency text, events text[]);
INSERT INTO planted VALUES
	(9001, 'nothing wrong', 40, 10, 'USD', '{allocation 100 a,authorize 40 b,capture 40 b,authorize 10 c}'),
	(9002, 'captured without an authorization', 40, 0, 'USD', '{allocation 100 a,capture 40 b}'),
	(9003, 'and refunded', 0, 0, 'USD', '{allocation 100 a,capture 40 b,credit 40 b}'),
	(9004, 'captured twice', 80, 0, 'USD', '{allocation 100 a,authorize 40 b,capture 40 b,capture 40 b}'),
	(9005, 'captured above the authorization', 50, 0, 'USD', '{allocation 100 a,authorize 40 b,capture 50 b}'),
	(9006, 'captured after the void', 40, 0, 'USD', '{allocation 100 a,authorize 40 b,void 40 b,capture 40 b}'),
	(9007, 'voided twice', 0, 0, 'USD', '{allocation 100 a,authorize 40 b,void 40 b,void 40 b}'),
	(9008, 'voided after the capture', 40, 0, 'USD', '{allocation 100 a,authorize 40 b,capture 40 b,void 40 b}'),
	(9009, 'refunded above the capture', 0, 0, 'USD', '{allocation 100 a,authorize 40 b,capture 40 b,credit 30 b,credit 30 b}'),
	(9010, 'an unknown action', 0, 0, 'USD', '{allocation 100 a,abolish 40 b}'),
	(9011, 'used differs', 10, 0, 'USD', '{allocation 100 a,authorize 40 b,capture 40 b}'),
	(9012, 'authorized differs', 0, 10, 'USD', '{allocation 100 a,authorize 40 b}'),
	(9013, 'more used than there is', 120, 0, 'USD', '{allocation 100 a,authorize 120 b,capture 120 b}'),
	(9014, 'no currency', 0, 0, 'XXY', '{allocation 100 a}'),
	(9015, 'decimals that the currency does not have', 0.5, 0, 'JPY', '{allocation 100 a,authorize 0.5 b,capture 0.5 b}'),
	(9016, 'an amount below zero', 0, 0, 'USD', '{allocation 100 a,authorize -40 b,void -40 b}'),
	(9017, 'invalidated without an event', 0, 0, 'USD', '{allocation 100 a}'),
	(9018, 'an event, and not invalidated', 0, 0, 'USD', '{allocation 100 a,invalidate 100 a}');
SELECT pg_temp.plant(s.shop, p.id, p.used, p.authorized, p.currency, p.events)
FROM planted p CROSS JOIN (VALUES ('audit_solidus'), ('audit_spree'), ('audit_six')) s (shop) 
WHERE p.id < 9017 OR s.shop = 'audit_solidus' ORDER BY p.id, s.shop \g /dev/null
UPDATE audit_solidus.spree_store_credits SET invalidated_at = '2026-11-21' WHERE id = 9017;

-- Spree 6.0
ALTER TABLE audit_six.spree_store_credits RENAME user_id TO customer_id;
ALTER TABLE audit_six.spree_store_credits DROP public_metadata;
ALTER TABLE audit_six.spree_store_credits RENAME private_metadata TO metadata;
ALTER TABLE audit_six.spree_payments RENAME state TO status;
ALTER TABLE audit_six.spree_gift_cards RENAME state TO status;
DROP TABLE audit_six.spree_store_credit_types, audit_six.spree_store_credit_categories;

-- ends: in time; before it was granted; never
INSERT INTO audit_spree.spree_store_credits (id, user_id, amount, amount_used, currency, created_at, updated_at)
VALUES (9101, 9101, 25, 0, 'USD', '2026-11-21', '2026-11-21'), (9102, 9102, 25, 0, 'USD', '2026-11-21', '2026-11-21'),
	(9103, 9103, 25, 0, 'USD', '2026-11-21', '2026-11-21');
INSERT INTO spree_expiry (store_credits, store_credit_id, expires_at)
VALUES ('audit_spree.spree_store_credits', 9101, '2099-06-01'), ('audit_spree.spree_store_credits', 9102, '2026-01-01'),
	('audit_spree.spree_store_credits', 9103, 'infinity');

SELECT quarantined FROM spree_import('audit_solidus.spree_store_credits', owner_prefix => 'Solidus audit/');
SELECT quarantined FROM spree_import('audit_spree.spree_store_credits', owner_prefix => 'Spree audit/');
SELECT quarantined FROM spree_import('audit_six.spree_store_credits', owner_prefix => 'Six audit/');
SELECT * FROM verify();

-- no row: each of the two knows what the other does, but for the end, which is the import's own
SELECT coalesce(q.shop, a.shop) AS shop, q.id AS import, a.id AS audit
FROM (
	SELECT q.store_credits::regclass AS shop, q.store_credit_id AS id FROM spree_quarantine q
	WHERE q.store_credits::text LIKE 'audit\_%' AND q.store_credit_id <> 9102) q
FULL JOIN (
	SELECT DISTINCT s.shop, a.store_credit_id AS id
	FROM (VALUES ('audit_solidus.spree_store_credits'::regclass), ('audit_spree.spree_store_credits'), ('audit_six.spree_store_credits')) s (shop)
	CROSS JOIN LATERAL spree_audit(s.shop) a WHERE a.doubtful) a ON a.shop = q.shop AND a.id = q.id
WHERE q.id IS NULL OR a.id IS NULL ORDER BY 1, 2, 3;
SELECT p.id, p.story, bool_or(q.store_credits = 'audit_solidus.spree_store_credits'::regclass) AS solidus,
	bool_or(q.store_credits = 'audit_spree.spree_store_credits'::regclass) AS spree
FROM planted p LEFT JOIN spree_quarantine q ON q.store_credit_id = p.id GROUP BY p.id, p.story ORDER BY p.id;
SELECT store_credit_id, reasons FROM spree_quarantine
WHERE store_credits = 'audit_solidus.spree_store_credits'::regclass AND store_credit_id IN (9002, 9003) ORDER BY 1;

-- no row: by other names it is the same
SELECT h.owner, h.seq, count(*) FROM (
	SELECT substring(a.owner FROM '/.*') AS owner, a.currency, t.seq, t.kind, t.amount, t.balance_after, t.created_at, t.expires_at, t.memo, t.reference,
		t.issuer, t.idempotency_key, t.related_seq, t.hold_id, t.draws
	FROM transaction t JOIN account a ON a.account_id = t.account_id
	WHERE a.owner LIKE 'Spree audit/%' AND a.owner NOT LIKE '%/910_' OR a.owner LIKE 'Six audit/%') h
GROUP BY h.owner, h.currency, h.seq, h.kind, h.amount, h.balance_after, h.created_at, h.expires_at, h.memo, h.reference,
	h.issuer, h.idempotency_key, h.related_seq, h.hold_id, h.draws
HAVING count(*) <> 2 ORDER BY 1, 2;

SELECT a.owner, a.balance, o.expires_at FROM account a JOIN open_credit o ON o.account_id = a.account_id
WHERE a.owner LIKE 'Spree audit/%/910_' ORDER BY 1;
SELECT store_credit_id, reasons FROM spree_quarantine WHERE store_credits = 'audit_spree.spree_store_credits'::regclass AND store_credit_id > 9100;
