-- A shop of :credits credits with 3.6 events each, in the order of time: unused, captured, captured and refunded,
-- voided, open, adjusted, invalidated; three credits a customer, some in euros.
CREATE TABLE spree_store_credits (
	id serial PRIMARY KEY, user_id integer, category_id integer, created_by_id integer,
	amount numeric(8,2) DEFAULT 0.0 NOT NULL, amount_used numeric(8,2) DEFAULT 0.0 NOT NULL,
	amount_authorized numeric(8,2) DEFAULT 0.0 NOT NULL, currency varchar, memo text, deleted_at timestamp,
	created_at timestamp(6), updated_at timestamp(6), type_id integer, invalidated_at timestamp);
CREATE TABLE spree_store_credit_events (
	id serial PRIMARY KEY, store_credit_id integer NOT NULL, action varchar NOT NULL, amount numeric(8,2),
	user_total_amount numeric(8,2) DEFAULT 0.0 NOT NULL, authorization_code varchar NOT NULL, deleted_at timestamp,
	originator_type varchar, originator_id integer, created_at timestamp(6), updated_at timestamp(6),
	amount_remaining numeric(8,2), store_credit_reason_id integer);
CREATE INDEX ON spree_store_credits (user_id);
CREATE INDEX ON spree_store_credit_events (store_credit_id);

INSERT INTO spree_store_credits (user_id, created_by_id, amount, amount_used, amount_authorized, currency, memo,
	created_at, updated_at, invalidated_at)
SELECT 1 + i % (:credits / 3), 1, CASE k WHEN 8 THEN 80 ELSE 100 END,
	CASE WHEN k BETWEEN 1 AND 4 THEN 40 WHEN k = 5 THEN 15 ELSE 0 END, CASE k WHEN 7 THEN 40 ELSE 0 END,
	CASE i % 7 WHEN 0 THEN 'EUR' ELSE 'USD' END, 'goodwill', t, t, CASE k WHEN 9 THEN t + interval '1 day' END
FROM generate_series(1, :credits) i
CROSS JOIN LATERAL (SELECT i % 10 AS k, timestamp '2024-01-01' + i * interval '1 minute' AS t) x;

INSERT INTO spree_store_credit_events (store_credit_id, action, amount, authorization_code, created_at, updated_at)
SELECT i, e.action, e.amount, i || '-SC-' || CASE e.action WHEN 'allocation' THEN 'A' ELSE 'C' END, e.at, e.at
FROM generate_series(1, :credits) i
CROSS JOIN LATERAL (SELECT i % 10 AS k, timestamp '2024-01-01' + i * interval '1 minute' AS t) x
CROSS JOIN LATERAL (VALUES ('allocation', 100, t), ('eligible', 40, t + interval '1 h'),
	('authorize', CASE WHEN k BETWEEN 1 AND 7 THEN 40 END, t + interval '2 h'),
	('capture', CASE WHEN k BETWEEN 1 AND 5 THEN 40 END, t + interval '3 h'),
	('credit', CASE k WHEN 5 THEN 25 END, t + interval '4 h'), ('void', CASE k WHEN 6 THEN 40 END, t + interval '4 h'),
	('adjustment', CASE k WHEN 8 THEN -20 END, t + interval '4 h'),
	('invalidate', CASE k WHEN 9 THEN 100 END, t + interval '1 day')) e (action, amount, at)
WHERE e.amount IS NOT NULL ORDER BY e.at, i;
VACUUM (ANALYZE);
