-- Order and equality: by currency code and then by amount, in operators, sorts, indexes and joins.
SET search_path = public, storecredit;

SELECT a, b, a = b AS eq, a <> b AS ne, a < b AS lt, a <= b AS le, a > b AS gt, a >= b AS ge, money_ccy_cmp(a, b) < 0 AS before
FROM (VALUES
	('5 USD'::money_ccy, '5.00 USD'::money_ccy),
	('5 USD', '5.01 USD'),
	('5 USD', '-5 USD'),
	('5 USD', '1 EUR'),
	('1 AUD', '1 AUD'),
	('1 AUD', '1 AWG'),
	('-92233720368547758.08 USD', '92233720368547758.07 USD')
) AS v(a, b);

-- the six operators and the comparison agree with the order of (currency, minor units), for every pair
CREATE TEMP TABLE sample AS
SELECT row_number() OVER () AS id, money_ccy_from_minor(minor, code) AS m, code COLLATE "C" AS code, minor
FROM unnest('{AED,EUR,JPY,USD,USN,ZWL}'::text[]) AS code,
	unnest('{0,1,-1,2,100,281474976710655,281474976710656,-281474976710656,-281474976710657,
		281474976710657,9223372036854775807,9223372036854775806,-9223372036854775808}'::bigint[]) AS minor;
SELECT count(*) AS pairs,
	count(*) FILTER (WHERE (a.m = b.m) <> ((a.code, a.minor) = (b.code, b.minor))) AS eq,
	count(*) FILTER (WHERE (a.m <> b.m) <> ((a.code, a.minor) <> (b.code, b.minor))) AS ne,
	count(*) FILTER (WHERE (a.m < b.m) <> ((a.code, a.minor) < (b.code, b.minor))) AS lt,
	count(*) FILTER (WHERE (a.m <= b.m) <> ((a.code, a.minor) <= (b.code, b.minor))) AS le,
	count(*) FILTER (WHERE (a.m > b.m) <> ((a.code, a.minor) > (b.code, b.minor))) AS gt,
	count(*) FILTER (WHERE (a.m >= b.m) <> ((a.code, a.minor) >= (b.code, b.minor))) AS ge,
	count(*) FILTER (WHERE sign(money_ccy_cmp(a.m, b.m)) <> btrecordcmp((a.code, a.minor), (b.code, b.minor))) AS cmp
FROM sample AS a, sample AS b;

-- sorting gives that order too, amounts beyond the abbreviated key's range included
SELECT count(*) AS misplaced
FROM (SELECT row_number() OVER (ORDER BY m) AS place, row_number() OVER (ORDER BY code, minor) AS due FROM sample) AS places
WHERE place <> due;
SELECT array_agg(m ORDER BY m DESC) FROM sample WHERE code = 'USD';

-- equal values have equal hashes, others spread, and the two functions agree for a seed of zero
SELECT count(DISTINCT m) AS amounts, count(DISTINCT money_ccy_hash(m)) AS hashes,
	count(DISTINCT money_ccy_hash_extended(m, 0)) AS extended, count(DISTINCT money_ccy_hash_extended(m, 42)) AS seeded,
	bool_and(money_ccy_hash(m) = money_ccy_hash(m::text::money_ccy)) AS repeatable,
	bool_and(money_ccy_hash_extended(m, 0) & 4294967295 = money_ccy_hash(m)::bigint & 4294967295) AS agree
FROM sample;

CREATE FUNCTION pg_temp.plan_has(query text, pattern text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		IF line ~ pattern THEN
			RETURN true;
		END IF;
	END LOOP;
	RETURN false;
END $$;

-- joins of every kind find the same pairs
CREATE TEMP TABLE twice AS SELECT m FROM sample UNION ALL SELECT m FROM sample;
CREATE INDEX ON twice (m);
ANALYZE sample, twice;
CREATE FUNCTION pg_temp.try_join(kind text) RETURNS TABLE (planned boolean, pairs bigint) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('enable_hashjoin', (kind = 'Hash Join')::text, true);
	PERFORM set_config('enable_mergejoin', (kind = 'Merge Join')::text, true);
	PERFORM set_config('enable_nestloop', (kind = 'Nested Loop')::text, true);
	planned := pg_temp.plan_has('SELECT count(*) FROM sample JOIN twice USING (m)', kind);
	SELECT count(*) INTO pairs FROM sample JOIN twice USING (m);
	RETURN NEXT;
END $$;
SELECT kind, (pg_temp.try_join(kind)).* FROM unnest('{Hash Join,Merge Join,Nested Loop}'::text[]) AS kind;
RESET enable_hashjoin;
RESET enable_mergejoin;
RESET enable_nestloop;
SELECT count(*), count(DISTINCT m) FROM twice;
SELECT sum(n) FROM (SELECT count(*) AS n FROM twice GROUP BY m) AS groups;
SELECT count(*) FROM twice WHERE m IN ('0.01 USD', '1 JPY', '1 GBP');

-- an index holds the amounts themselves, many equal ones in little room, and its conditions can be turned round
CREATE TABLE money_indexed AS
SELECT money_ccy_from_minor(n % 100, 'USD') AS m, n FROM generate_series(1, 20000) AS n;
CREATE INDEX money_indexed_m ON money_indexed (m);
CREATE INDEX money_indexed_plain ON money_indexed (m) WITH (deduplicate_items = off);
SELECT pg_relation_size('money_indexed_m') * 3 < pg_relation_size('money_indexed_plain') AS deduplicated;
DROP INDEX money_indexed_plain;
VACUUM ANALYZE money_indexed;
SET enable_seqscan = off;
SELECT pg_temp.plan_has('SELECT m FROM money_indexed WHERE m >= ''0.98 USD''', 'Index Only Scan using money_indexed_m') AS index_only,
	pg_temp.plan_has('SELECT m FROM money_indexed WHERE ''0.98 USD'' <= m', 'Index Cond: \(m >= ') AS turned_round,
	pg_temp.plan_has('SELECT m FROM money_indexed WHERE NOT m < ''0.98 USD''', 'Index Cond: \(m >= ') AS negated,
	pg_temp.plan_has('SELECT max(m) FROM money_indexed', 'Index Only Scan Backward using money_indexed_m') AS greatest;
SELECT m, count(*) FROM money_indexed WHERE m >= '0.98 USD' GROUP BY m ORDER BY m;
SELECT min(m), max(m) FROM money_indexed;
RESET enable_seqscan;
DROP TABLE money_indexed;

-- uniqueness, in a hash index's sense and a tree's
CREATE TEMP TABLE once (m money_ccy UNIQUE, EXCLUDE USING hash (m WITH =));
INSERT INTO once VALUES ('1 USD'), ('1 EUR'), ('1.01 USD');
INSERT INTO once VALUES ('1.00 usd') ON CONFLICT (m) DO NOTHING;
INSERT INTO once VALUES ('1.00 usd');
SELECT * FROM once ORDER BY m;

-- partitions by range and by hash
CREATE TEMP TABLE by_range (m money_ccy) PARTITION BY RANGE (m);
CREATE TEMP TABLE by_range_eur PARTITION OF by_range FOR VALUES FROM ('-92233720368547758.08 EUR') TO ('92233720368547758.07 EUR');
CREATE TEMP TABLE by_range_rest PARTITION OF by_range DEFAULT;
INSERT INTO by_range SELECT m FROM sample WHERE code IN ('EUR', 'USD');
SELECT tableoid::regclass, count(*) FROM by_range GROUP BY 1 ORDER BY 1;
CREATE TEMP TABLE by_hash (m money_ccy) PARTITION BY HASH (m);
CREATE TEMP TABLE by_hash_0 PARTITION OF by_hash FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TEMP TABLE by_hash_1 PARTITION OF by_hash FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO by_hash SELECT m FROM sample;
SELECT count(*), count(DISTINCT tableoid) FROM by_hash;
