-- sum, min and max: over rows, groups, moving windows, and in parallel.
SET search_path = public, storecredit;

CREATE TEMP TABLE sales (id integer, m money_ccy);
INSERT INTO sales VALUES (1, '10.00 USD'), (2, '0.05 USD'), (3, NULL), (4, '-3.00 USD'), (5, '7.00 EUR'), (6, NULL), (7, '1.00 EUR');

SELECT sum(m), min(m), max(m), count(m) FROM sales WHERE money_ccy_currency(m) = 'USD';
SELECT money_ccy_currency(m) AS currency, sum(m), min(m), max(m) FROM sales GROUP BY 1 ORDER BY 1;
SELECT sum(m), min(m), max(m) FROM sales WHERE m IS NULL;
SELECT sum(m), min(m), max(m) FROM sales WHERE false;
SELECT sum(DISTINCT m), sum(m) FILTER (WHERE id < 3) FROM sales WHERE id <= 4;

-- min and max follow the order, over currencies too; a sum of two currencies does not exist
SELECT min(m), max(m) FROM sales;
SELECT sum(m) FROM sales;
SELECT sum(m) FROM (VALUES ('92233720368547758.07 USD'::money_ccy), ('0.01 USD')) AS v(m);
SELECT sum(m) FROM (VALUES ('-92233720368547758.08 USD'::money_ccy), ('-0.01 USD')) AS v(m);

-- the sum leaves its rows as they are, and is its own value on every row
SELECT id, m, sum(m) OVER w, min(m) OVER w, max(m) OVER w
FROM sales WHERE id <= 4 WINDOW w AS (ORDER BY id) ORDER BY id;

-- called by hand, the transition functions change nothing of what they are given
SELECT m, money_ccy_sum_add(m, '1 USD'), money_ccy_sum_remove(m, '1 USD'), m AS same FROM sales WHERE id <= 2;

-- frames that move on, and that run empty
SELECT id, m, sum(m) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS two,
	sum(m) OVER (ORDER BY id ROWS BETWEEN 1 FOLLOWING AND 2 FOLLOWING) AS next_two,
	sum(m) OVER (ORDER BY id ROWS BETWEEN 4 FOLLOWING AND 5 FOLLOWING) AS far
FROM sales WHERE id <= 4 ORDER BY id;
-- a currency change inside a partition is an error when the frame spans it
SELECT id, sum(m) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM sales WHERE id >= 4;
SELECT id, sum(m) OVER (PARTITION BY money_ccy_currency(m) ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
FROM sales WHERE m IS NOT NULL ORDER BY id;

SELECT setseed(0.42);
CREATE TEMP TABLE walk AS
SELECT n, CASE WHEN random() < 0.1 THEN NULL ELSE trunc(random() * 20000 - 10000)::bigint END AS minor FROM generate_series(1, 2000) AS n;
SELECT count(*) AS rows, count(*) FILTER (WHERE by_window IS DISTINCT FROM due) AS wrong
FROM (SELECT sum(money_ccy_from_minor(minor, 'USD')) OVER w AS by_window,
		money_ccy_from_minor((sum(minor) OVER w)::bigint, 'USD') AS due
	FROM walk WINDOW w AS (ORDER BY n ROWS BETWEEN 7 PRECEDING AND 3 FOLLOWING)) AS sums;

-- in parallel: the partial sums are combined
CREATE TABLE money_parallel AS SELECT money_ccy_from_minor(n, 'USD') AS m FROM generate_series(1, 20000) AS n;
ANALYZE money_parallel;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
DO $$
DECLARE
	line text;
	found boolean := false;
BEGIN
	FOR line IN EXPLAIN (COSTS OFF) SELECT sum(m), min(m), max(m) FROM money_parallel LOOP
		found := found OR line ~ 'Partial Aggregate';
	END LOOP;
	RAISE NOTICE 'partial aggregate planned: %', found;
END $$;
SELECT sum(m), min(m), max(m) FROM money_parallel;
DROP TABLE money_parallel;
