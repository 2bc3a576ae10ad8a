-- The ways of importing a shop: from a moment on, with the doubtful, gift cards, several stores, many rows; and
-- what is refused.
\getenv tests PG_ABS_SRCDIR
\set solidus :tests '/fixtures/spree/solidus-4.7.sql'
\set spree :tests '/fixtures/spree/spree-5.6.sql'
SET client_min_messages = warning;
SELECT storecredit.create_ledger();
CREATE SCHEMA ways_solidus;
CREATE SCHEMA ways_spree;
\set ECHO none
SET search_path = ways_solidus;
\i :solidus
SET search_path = ways_spree;
\i :spree
\set ECHO all
SET search_path = storecredit, public;
SET timezone = 'UTC';
SET datestyle = 'ISO';
ALTER SEQUENCE account_number_seq RESTART 1640001;
\set SHOW_CONTEXT never

-- refused, and nothing is changed
SELECT spree_import('ways_solidus.spree_orders');
SELECT spree_import(NULL);
SELECT spree_import('ways_solidus.spree_store_credits', doubtful => 'guess');
SELECT spree_import('ways_solidus.spree_store_credits', doubtful => NULL);
SELECT spree_import('ways_solidus.spree_store_credits', max_credits => 0);
SELECT spree_import('ways_solidus.spree_store_credits', since => 'infinity');
SELECT spree_import('ways_solidus.spree_store_credits', owner_prefix => repeat('x', 201));
SELECT spree_import('ways_solidus.spree_store_credits', store_id => 1);
SELECT spree_import('ways_solidus.spree_store_credits', profile => 'magento');
SET storecredit.locked_until = '2026-11-21 19:53:00';
SELECT spree_import('ways_solidus.spree_store_credits');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
CREATE ROLE regress_storecredit_importer;
SET ROLE regress_storecredit_importer;
SELECT storecredit.spree_import('ways_solidus.spree_store_credits');
RESET ROLE;
DROP ROLE regress_storecredit_importer;
SELECT count(*) FROM account WHERE owner LIKE 'Ways::%';

-- the books are closed: what is older comes in as opening balances, with the authorizations that are still open;
-- limits are for what is granted from now on
SELECT store_credit_set_limit('USD', max_balance => '50 USD');
SELECT * FROM spree_import('ways_solidus.spree_store_credits', owner_prefix => 'Ways::', since => '2026-11-21 19:53:00');
SELECT * FROM verify();
SELECT min(t.created_at), count(*), count(*) FILTER (WHERE t.memo = 'opening balance') AS opening
FROM transaction t JOIN account a ON a.account_id = t.account_id WHERE a.owner LIKE 'Ways::%';
SELECT t.seq, t.kind, t.amount, t.balance_after, t.created_at, t.memo, t.idempotency_key
FROM transaction t JOIN account a ON a.account_id = t.account_id WHERE a.owner = 'Ways::User/3';
SELECT a.owner, a.balance, a.held, a.max_balance FROM account a WHERE a.owner IN ('Ways::User/23', 'Ways::User/68', 'Ways::User/88') ORDER BY 1;
-- a later refund of what was captured before that moment
UPDATE ways_solidus.spree_store_credits SET amount_used = 0 WHERE id = 2;
INSERT INTO ways_solidus.spree_store_credit_events (store_credit_id, action, amount, authorization_code, created_at, updated_at)
SELECT 2, 'credit', 35, authorization_code, '2026-12-01', '2026-12-01' FROM ways_solidus.spree_store_credit_events
WHERE store_credit_id = 2 AND action = 'capture';
SELECT * FROM spree_import('ways_solidus.spree_store_credits', owner_prefix => 'Ways::', since => '2026-11-21 19:53:00');
SELECT t.seq, t.kind, t.amount, t.balance_after, t.created_at, t.related_seq, t.idempotency_key
FROM transaction t JOIN account a ON a.account_id = t.account_id WHERE a.owner = 'Ways::User/3';
SELECT * FROM spree_import('ways_solidus.spree_store_credits', owner_prefix => 'Ways::', since => '2026-11-21 19:53:00');
SELECT * FROM verify();
SELECT store_credit_set_limit('USD');
RESET storecredit.locked_until;

-- the doubtful by their columns, where that is asked for: only where nobody can say what money it is do they stay out
SELECT * FROM spree_import('ways_solidus.spree_store_credits', owner_prefix => 'Ways::', doubtful => 'adjust');
SELECT q.store_credit_id, q.decision, q.by_columns, q.by_events, q.booked FROM spree_quarantine q
WHERE q.store_credits = 'ways_solidus.spree_store_credits'::regclass AND q.store_credit_id IN (6, 15, 16, 20, 26, 29, 49) ORDER BY 1;
SELECT a.owner, t.seq, t.kind, t.amount, t.balance_after, t.memo, a.held FROM transaction t JOIN account a ON a.account_id = t.account_id
WHERE a.owner IN ('Ways::User/7', 'Ways::User/28', 'Ways::User/48') ORDER BY 1, 2;
SELECT * FROM spree_import('ways_solidus.spree_store_credits', owner_prefix => 'Ways::', doubtful => 'adjust');
SELECT * FROM verify();

-- the credit of a gift card is the card's, and ends with its day; stores are imported one by one
INSERT INTO ways_spree.spree_gift_cards (id, store_id, code, state, amount, currency, expires_at, created_at, updated_at)
VALUES (5, 1, 'abc', 'active', 25, 'USD', '2099-12-31', '2026-11-21', '2026-11-21');
INSERT INTO ways_spree.spree_store_credits (id, user_id, amount, currency, originator_type, originator_id, store_id, created_at, updated_at)
VALUES (501, 41, 25, 'USD', 'Spree::GiftCard', 5, 1, '2026-11-21', '2026-11-21'), (502, 41, 9, 'USD', NULL, NULL, 2, '2026-11-21', '2026-11-21');
SELECT * FROM spree_import('ways_spree.spree_store_credits', owner_prefix => 'One::');
SELECT * FROM spree_import('ways_spree.spree_store_credits', owner_prefix => 'One::', store_id => 1);
SELECT * FROM spree_import('ways_spree.spree_store_credits', owner_prefix => 'Two::', store_id => 2);
SELECT a.owner, a.balance, o.remaining, o.expires_at FROM account a LEFT JOIN open_credit o ON o.account_id = a.account_id
WHERE a.owner IN ('One::GiftCard/5', 'One::User/41', 'Two::User/41') ORDER BY 1;
SELECT * FROM verify();

-- ten thousand events: a fifth of the customers is billed in euros; in batches, then nothing is left to do
CREATE SCHEMA ways_many;
CREATE TABLE ways_many.spree_store_credits (LIKE ways_solidus.spree_store_credits INCLUDING DEFAULTS);
CREATE TABLE ways_many.spree_store_credit_events (LIKE ways_solidus.spree_store_credit_events INCLUDING DEFAULTS INCLUDING INDEXES);
INSERT INTO ways_many.spree_store_credits (id, user_id, created_by_id, amount, amount_used, amount_authorized, currency, created_at, updated_at, invalidated_at)
SELECT i, 1 + i % 700, 1, CASE k WHEN 8 THEN 80 ELSE 100 END, CASE WHEN k BETWEEN 1 AND 4 THEN 40 WHEN k = 5 THEN 15 ELSE 0 END,
	CASE k WHEN 7 THEN 40 ELSE 0 END, CASE i % 5 WHEN 0 THEN 'EUR' ELSE 'USD' END, t, t, CASE k WHEN 9 THEN t + interval '1 day' END
FROM generate_series(1, 2800) i CROSS JOIN LATERAL (SELECT i % 10 AS k, timestamp '2025-01-01' + i * interval '1 minute' AS t) x;
INSERT INTO ways_many.spree_store_credit_events (id, store_credit_id, action, amount, authorization_code, created_at)
SELECT row_number() OVER (ORDER BY e.at, i, e.action), i, e.action, e.amount, i || '-SC-' || CASE e.action WHEN 'allocation' THEN 'A' ELSE 'C' END, e.at
FROM generate_series(1, 2800) i CROSS JOIN LATERAL (SELECT i % 10 AS k, timestamp '2025-01-01' + i * interval '1 minute' AS t) x
CROSS JOIN LATERAL (VALUES ('allocation', 100, t), ('eligible', 40, t + interval '1 h'),
	('authorize', CASE WHEN k BETWEEN 1 AND 7 THEN 40 END, t + interval '2 h'), ('capture', CASE WHEN k BETWEEN 1 AND 5 THEN 40 END, t + interval '3 h'),
	('credit', CASE k WHEN 5 THEN 25 END, t + interval '4 h'), ('void', CASE k WHEN 6 THEN 40 END, t + interval '4 h'),
	('adjustment', CASE k WHEN 8 THEN -20 END, t + interval '4 h'), ('invalidate', CASE k WHEN 9 THEN 100 END, t + interval '1 day')) e (action, amount, at)
WHERE e.amount IS NOT NULL;
SELECT count(*) FROM ways_many.spree_store_credit_events;
CALL spree_import_all('ways_many.spree_store_credits', owner_prefix => 'Many::', batch_credits => 1000);
CALL spree_import_all('ways_many.spree_store_credits', owner_prefix => 'Many::', batch_credits => 1000);
SELECT * FROM verify();
SELECT s.* FROM (
	SELECT 'Many::User/' || c.user_id AS owner, c.currency, sum(c.amount - c.amount_used - c.amount_authorized) AS available, sum(c.amount_authorized) AS held
	FROM ways_many.spree_store_credits c WHERE c.invalidated_at IS NULL GROUP BY 1, 2) s
LEFT JOIN balance b ON b.owner = s.owner AND b.currency = s.currency
WHERE (s.available, s.held) IS DISTINCT FROM (money_ccy_amount(b.available), money_ccy_amount(b.held));
SELECT count(*) FROM transaction t JOIN account a ON a.account_id = t.account_id
JOIN transaction p ON p.account_id = t.account_id AND p.seq = t.seq - 1 WHERE a.owner LIKE 'Many::%' AND t.created_at < p.created_at;
