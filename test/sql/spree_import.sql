-- The import of a shop: what Solidus and Spree wrote becomes a history of the ledger, exact for every clean credit.
\getenv tests PG_ABS_SRCDIR
\set solidus :tests '/fixtures/spree/solidus-4.7.sql'
\set spree :tests '/fixtures/spree/spree-5.6.sql'
\set home :DBNAME
-- totals are the shops' alone
CREATE DATABASE regression_storecredit_import;
\c regression_storecredit_import
SET client_min_messages = warning;
CREATE EXTENSION storecredit;
SELECT storecredit.create_ledger();
CREATE SCHEMA import_solidus;
CREATE SCHEMA import_spree;
\set ECHO none
SET search_path = import_solidus;
\i :solidus
SET search_path = import_spree;
\i :spree
\set ECHO all
SET search_path = storecredit, public;
SET timezone = 'UTC';
SET datestyle = 'ISO';
ALTER SEQUENCE account_number_seq RESTART 1620001;
\set SHOW_CONTEXT never

-- what each credit comes to in the shop, and in the ledger: total, of that authorized
CREATE TEMPORARY VIEW in_shop AS
	SELECT 'import_solidus.spree_store_credits'::regclass AS shop, id::bigint AS id, currency,
		CASE WHEN deleted_at IS NULL AND invalidated_at IS NULL THEN amount - amount_used ELSE amount_authorized END AS total,
		amount_authorized AS authorized
	FROM import_solidus.spree_store_credits
	UNION ALL
	SELECT 'import_spree.spree_store_credits', id, currency, CASE WHEN deleted_at IS NULL THEN amount - amount_used ELSE amount_authorized END,
		amount_authorized
	FROM import_spree.spree_store_credits;
CREATE TEMPORARY VIEW in_ledger AS
	SELECT i.store_credits AS shop, i.store_credit_id AS id, money_ccy_currency(i.granted) AS currency,
		coalesce(money_ccy_amount(o.remaining), 0) + h.held AS total, h.held AS authorized
	FROM spree_imported i
	LEFT JOIN open_credit o ON o.account_id = i.account_id AND o.seq = i.seq
	CROSS JOIN LATERAL (
		SELECT coalesce(sum(money_ccy_amount(h.amount - h.captured)), 0) AS held FROM hold h
		WHERE h.account_id = i.account_id AND h.authorized[1] = i.seq AND h.status = 'open') h;
CREATE TEMPORARY VIEW differences AS
	SELECT s.shop, s.id, s.currency, s.total, s.authorized, l.total AS ledger_total, l.authorized AS ledger_authorized
	FROM in_shop s LEFT JOIN in_ledger l ON l.shop = s.shop AND l.id = s.id
	LEFT JOIN spree_quarantine q ON q.store_credits = s.shop AND q.store_credit_id = s.id
	WHERE q.store_credit_id IS NULL AND (s.currency, s.total, s.authorized) IS DISTINCT FROM (l.currency, l.total, l.authorized);

-- every clean credit comes in, to the cent, the rest is named; the first shop in three calls
BEGIN;
SELECT * FROM spree_import('import_solidus.spree_store_credits', owner_prefix => 'Solidus::', max_credits => 40);
COMMIT;
SELECT * FROM spree_import('import_solidus.spree_store_credits', owner_prefix => 'Solidus::', max_credits => 40);
SELECT * FROM spree_import('import_solidus.spree_store_credits', owner_prefix => 'Solidus::');
SELECT * FROM spree_import('import_spree.spree_store_credits');
SELECT store_credits, count(*) FROM spree_imported GROUP BY 1 ORDER BY 1;
SELECT * FROM differences;
SELECT * FROM verify();

-- what is left out is what the audit calls doubtful, and nothing else
SELECT q.store_credit_id, a.id FROM spree_quarantine q
FULL JOIN (
	SELECT DISTINCT 'import_solidus.spree_store_credits'::regclass AS shop, store_credit_id AS id
	FROM spree_audit('import_solidus.spree_store_credits') WHERE doubtful
	UNION ALL
	SELECT DISTINCT 'import_spree.spree_store_credits'::regclass, store_credit_id
	FROM spree_audit('import_spree.spree_store_credits') WHERE doubtful) a ON a.shop = q.store_credits AND a.id = q.store_credit_id
WHERE q.store_credit_id IS NULL OR a.id IS NULL;
SELECT store_credit_id, decision, owner, currency, by_columns, by_events, booked, cardinality(reasons) > 0 AS reasons FROM spree_quarantine
WHERE store_credits = 'import_solidus.spree_store_credits'::regclass AND store_credit_id IN (16, 26, 29) ORDER BY 1;

-- totals of each currency are the shop's, of what came in
SELECT s.shop, s.currency, sum(s.total) AS shop, sum(l.total) AS ledger
FROM in_shop s JOIN in_ledger l ON l.shop = s.shop AND l.id = s.id GROUP BY 1, 2 ORDER BY 1, 2;
SELECT currency, sum(balance) AS balance, sum(held) AS held, sum(available) AS available FROM balance GROUP BY 1 ORDER BY 1;

-- a second run adds nothing
SELECT * FROM spree_import('import_solidus.spree_store_credits', owner_prefix => 'Solidus::');
SELECT * FROM spree_import('import_spree.spree_store_credits');

-- an authorization, its capture and a refund; an invalidated credit; a deleted user's; a partial capture
SELECT a.owner, t.seq, t.kind, t.amount, t.balance_after, t.created_at, t.category, t.memo,
	regexp_replace(t.reference, '-SC-.*', '-SC-') AS reference, t.issuer, t.idempotency_key AS key, t.related_seq AS related, t.hold_id AS hold, t.draws
FROM transaction t JOIN account a ON a.account_id = t.account_id
WHERE a.owner IN ('Solidus::User/3', 'Solidus::User/17', 'Solidus::StoreCredit/21', 'Spree::User/41') ORDER BY a.owner, t.seq;
SELECT a.owner, h.hold_id, h.amount, h.captured, h.status, h.created_at, h.closed_at, regexp_replace(h.reference, '-SC-.*', '-SC-') AS reference, h.authorized, h.draws
FROM hold h JOIN account a ON a.account_id = h.account_id
WHERE a.owner IN ('Solidus::User/3', 'Spree::User/41') ORDER BY a.owner, h.hold_id;

-- the shop goes on: an open authorization is captured, another voided after its credit was invalidated, a capture
-- refunded, a credit granted, another raised; a credit loses its user, another is deleted, a third lowered without
-- an event, below what was authorized once
SET search_path = import_solidus;
CREATE FUNCTION event(credit integer, action text, amount numeric, code text DEFAULT NULL) RETURNS void LANGUAGE SQL
SET search_path = import_solidus
AS $$
	INSERT INTO spree_store_credit_events (store_credit_id, action, amount, authorization_code, created_at, updated_at)
	VALUES (credit, action, amount, coalesce(code, (SELECT e.authorization_code FROM spree_store_credit_events e
		WHERE e.store_credit_id = credit AND e.action = 'authorize' ORDER BY e.id LIMIT 1), credit || '-SC-new'),
		'2026-12-01 10:00', '2026-12-01 10:00')
$$;
UPDATE spree_store_credits SET amount_authorized = 0, amount_used = 50 WHERE id = 89;
SELECT event(89, 'capture', 50);
UPDATE spree_store_credits SET amount_authorized = 0 WHERE id = 69;
SELECT event(69, 'void', 90);
UPDATE spree_store_credits SET amount_used = 20 WHERE id = 90;
SELECT event(90, 'credit', 40);
INSERT INTO spree_store_credits (id, user_id, category_id, created_by_id, amount, currency, memo, created_at, updated_at)
VALUES (1001, 3, 1, 7, 12.34, 'USD', 'sorry', '2026-11-01', '2026-11-01');
SELECT event(1001, 'allocation', 12.34, '1001-SC-a');
UPDATE spree_store_credits SET amount = 130 WHERE id = 2;
SELECT event(2, 'adjustment', 30, '2-SC-adjusted');
UPDATE spree_store_credits SET user_id = NULL WHERE id = 3;
UPDATE spree_store_credits SET deleted_at = '2026-12-02' WHERE id = 4;
UPDATE spree_store_credits SET amount = 7 WHERE id = 5;
SET search_path = storecredit, public;
CALL spree_import_all('import_solidus.spree_store_credits', owner_prefix => 'Solidus::', batch_credits => 2);
SELECT * FROM differences;
SELECT * FROM verify();
SELECT a.owner, t.seq, t.kind, t.amount, t.balance_after, t.created_at, t.memo, t.idempotency_key AS key, t.related_seq AS related, t.hold_id AS hold, t.draws
FROM transaction t JOIN account a ON a.account_id = t.account_id
WHERE a.owner LIKE 'Solidus::%' AND t.created_at > '2026-11-22' ORDER BY a.account_id, t.seq;
SELECT h.amount, h.captured, h.status, h.created_at, h.closed_at, h.draws FROM hold h WHERE h.closed_at > '2026-11-22' ORDER BY h.account_id, h.hold_id;

-- what was used in the ledger, or changed under the import's feet, is named, and stays as it is
SELECT amount FROM store_credit_debit('Solidus::User/2', '1 USD');
UPDATE import_solidus.spree_store_credits SET amount_used = 5 WHERE id = 1;
SELECT import_solidus.event(1, 'authorize', 5, '1-SC-x'), import_solidus.event(1, 'capture', 5, '1-SC-x');
UPDATE import_solidus.spree_store_credits SET currency = 'USD' WHERE id = 27;
DELETE FROM import_solidus.spree_store_credit_events WHERE store_credit_id = 90 AND action = 'credit';
SELECT * FROM spree_import('import_solidus.spree_store_credits', owner_prefix => 'Solidus::');
SELECT store_credit_id, reasons[cardinality(reasons)] AS last_reason FROM spree_quarantine
WHERE store_credits = 'import_solidus.spree_store_credits'::regclass AND store_credit_id IN (1, 27, 90) ORDER BY 1;
SELECT * FROM spree_import('import_solidus.spree_store_credits', owner_prefix => 'Solidus::');
SELECT * FROM verify();

-- once it is put right, it comes in
UPDATE import_solidus.spree_store_credits SET amount_used = 100 WHERE id = 16;
SELECT import_solidus.event(16, 'authorize', 100, '16-SC-x'), import_solidus.event(16, 'capture', 100, '16-SC-x');
SELECT * FROM spree_import('import_solidus.spree_store_credits', owner_prefix => 'Solidus::');
SELECT remaining FROM spree_imported WHERE store_credits = 'import_solidus.spree_store_credits'::regclass AND store_credit_id = 16;
SELECT * FROM differences;
SELECT * FROM verify();

\c :home
DROP DATABASE regression_storecredit_import;
