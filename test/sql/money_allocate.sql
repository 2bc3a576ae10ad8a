-- Sharing an amount by weights: no unit is lost or made, and nobody gets a whole unit more or less than the
-- exact share.
SET search_path = public, storecredit;

SELECT m, weights, money_ccy_allocate(m, weights)
FROM (VALUES
	('10.00 USD'::money_ccy, '{1,1,1}'::bigint[]),
	('0.02 USD', '{1,1,1}'),
	('0.05 USD', '{3,7}'),
	('0.05 USD', '{7,3}'),
	('100 JPY', '{50,30,20}'),
	('101 JPY', '{50,30,20}'),
	('1.000 KWD', '{1,1,1,1,1,1,1}'),
	('-10.00 USD', '{1,1,1}'),
	('-0.05 USD', '{3,7}'),
	('0.00 USD', '{1,2}'),
	('10.00 USD', '{5}'),
	('10.00 USD', '{0,1,0,1,0}'),
	('0.01 USD', '{0,0,1}'),
	('0.01 USD', '{9223372036854775807,9223372036854775807}'),
	('92233720368547758.07 USD', '{9223372036854775807,9223372036854775807,1}'),
	('-92233720368547758.08 USD', '{1}'),
	('-92233720368547758.08 USD', '{1,1,1}'),
	('-92233720368547758.08 USD', '{9223372036854775807,9223372036854775806}')
) AS v(m, weights);

-- the parts are an array from 1, whatever the weights' bounds
SELECT array_dims(money_ccy_allocate('1 USD', '[5:7]={1,1,1}'));
SELECT money_ccy_allocate(NULL, '{1}'), money_ccy_allocate('1 USD', NULL);

-- weights that say nothing
SELECT money_ccy_allocate('1 USD', '{}');
SELECT money_ccy_allocate('1 USD', '{0,0}');
SELECT money_ccy_allocate('1 USD', '{1,-1,1}');
SELECT money_ccy_allocate('1 USD', '{1,NULL}');
SELECT money_ccy_allocate('1 USD', '{{1,2},{3,4}}');

-- 10,000 random allocations, of amounts and weights of every size
SELECT setseed(0.42);
CREATE TEMP TABLE drawn AS
SELECT n, minor, array_agg(CASE WHEN random() < 0.1 THEN 0 ELSE trunc(10 ^ (random() * 15))::bigint END) || 1::bigint AS weights
FROM (SELECT n, trunc((random() * 2 - 1) * 10 ^ (random() * 18))::bigint AS minor, 1 + trunc(random() * 11)::integer AS count
	FROM generate_series(1, 10000) AS n) AS amounts, generate_series(1, count)
GROUP BY n, minor;
CREATE TEMP TABLE shared AS
SELECT n, minor, weights, money_ccy_allocate(money_ccy_from_minor(minor, 'USD'), weights) AS parts FROM drawn;
CREATE TEMP TABLE part AS
SELECT n, minor, weight, total, ordinal, money_ccy_to_minor(part)::numeric AS part,
	minor::numeric * weight AS exact_by_total
FROM (SELECT *, (SELECT sum(w) FROM unnest(weights) AS w) AS total FROM shared) AS s,
	unnest(weights, parts) WITH ORDINALITY AS p(weight, part, ordinal);
SELECT count(DISTINCT n) AS cases, count(*) AS parts, count(*) FILTER (WHERE weight = 0) > 0 AS zeros_seen FROM part;
-- the parts add up
SELECT count(*) FROM (SELECT n FROM part GROUP BY n, minor HAVING sum(part) <> minor) AS wrong;
-- no part is off by a unit or more, nor has another sign, nor belongs to a weight of zero
SELECT count(*) FROM part WHERE abs(part * total - exact_by_total) >= total OR part * minor < 0 OR (weight = 0 AND part <> 0);
-- the larger remainder goes first, the lower index among equal ones
SELECT count(*)
FROM part AS more JOIN part AS less USING (n)
WHERE abs(more.part) > div(abs(more.exact_by_total), more.total)
	AND abs(less.part) = div(abs(less.exact_by_total), less.total)
	AND (mod(abs(more.exact_by_total), more.total) < mod(abs(less.exact_by_total), less.total)
		OR (mod(abs(more.exact_by_total), more.total) = mod(abs(less.exact_by_total), less.total) AND more.ordinal > less.ordinal));
-- a negative amount is shared as its positive is
SELECT count(*) FROM shared
WHERE money_ccy_allocate(money_ccy_from_minor(-minor, 'USD'), weights)
	<> (SELECT array_agg(- part ORDER BY ordinal) FROM unnest(parts) WITH ORDINALITY AS p(part, ordinal));

-- many parts
SELECT count(*), sum(part), min(part), max(part)
FROM unnest(money_ccy_allocate('1000.00 USD', array_fill(1::bigint, ARRAY[300000]))) AS part;
