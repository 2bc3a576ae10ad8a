-- enforce_currency_limit() on a partitioned table adds up all partitions, whatever their shape.
SET client_min_messages = warning;
SELECT storecredit.create_ledger();
\set SHOW_CONTEXT never
CREATE SCHEMA guard_parts;
SET search_path = guard_parts, storecredit;
INSERT INTO storecredit.currency_limit VALUES ('CZK', '500 CZK');

-- given: partitions in two levels, one with its columns in another order and a dropped one
CREATE TABLE credit (id integer, owner text, amount money_ccy, made date) PARTITION BY RANGE (made);
CREATE TABLE credit_2023 PARTITION OF credit FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE credit_2024 (gone text, amount money_ccy, made date, id integer, owner text) PARTITION BY LIST (owner);
ALTER TABLE credit_2024 DROP COLUMN gone;
ALTER TABLE credit ATTACH PARTITION credit_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE credit_2024_anna PARTITION OF credit_2024 FOR VALUES IN ('Anna');
CREATE TABLE credit_2024_rest PARTITION OF credit_2024 DEFAULT;
CREATE TRIGGER owner_limit AFTER INSERT OR UPDATE ON credit FOR EACH ROW
	EXECUTE FUNCTION storecredit.enforce_currency_limit('owner', 'amount');
CREATE TABLE credit_2025 PARTITION OF credit FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');

INSERT INTO credit VALUES (1, 'Anna', '200 CZK', '2023-05-01'), (2, 'Anna', '200 CZK', '2024-05-01'), (3, 'Anna', '100 CZK', '2025-05-01');
INSERT INTO credit VALUES (4, 'Anna', '1 CZK', '2023-05-01');
INSERT INTO credit_2024_anna (id, owner, amount, made) VALUES (4, 'Anna', '1 CZK', '2024-05-01');
INSERT INTO credit_2025 VALUES (4, 'Anna', '1 CZK', '2025-05-01');
UPDATE credit SET amount = '201 CZK' WHERE id = 2;
-- a row moves between partitions
UPDATE credit SET made = '2025-06-01' WHERE id = 2;
UPDATE credit SET owner = 'Bert', made = '2024-06-01' WHERE id = 3;
SELECT tableoid::regclass, id, owner FROM credit ORDER BY id;
INSERT INTO credit VALUES (5, 'Anna', '101 CZK', '2024-05-01');

-- a trigger of one partition adds up that one
CREATE TRIGGER rest_limit AFTER INSERT OR UPDATE ON credit_2024 FOR EACH ROW
	EXECUTE FUNCTION storecredit.enforce_currency_limit('owner', 'amount');
DROP TRIGGER owner_limit ON credit;
INSERT INTO credit VALUES (6, 'Anna', '500 CZK', '2024-05-01');
INSERT INTO credit VALUES (7, 'Anna', '1 CZK', '2024-05-01');
INSERT INTO credit VALUES (7, 'Anna', '1 CZK', '2023-05-01');

DELETE FROM currency_limit WHERE currency = 'CZK';
DROP SCHEMA guard_parts CASCADE;
