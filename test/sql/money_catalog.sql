-- How the type is declared: what the planner may assume, who may call, and that every object is described.

-- every function of the type is pure, strict, parallel safe and open to all
SELECT p.oid::regprocedure, p.provolatile, p.proisstrict, p.proparallel, p.proacl
FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE n.nspname = 'storecredit' AND p.prokind = 'f' AND (p.proname ~ '^money_ccy' OR p.proname = 'abs')
	AND (p.provolatile <> 'i' OR NOT p.proisstrict OR p.proparallel <> 's' OR p.proacl IS NOT NULL);

-- every comparison knows its mirror image and its opposite; the sum its mirror image
SELECT o.oprname, o.oprleft::regtype, o.oprright::regtype, o.oprcom::regoperator, o.oprnegate::regoperator,
	o.oprcanmerge, o.oprcanhash, o.oprrest, o.oprjoin
FROM pg_operator AS o JOIN pg_namespace AS n ON n.oid = o.oprnamespace
WHERE n.nspname = 'storecredit' AND 'storecredit.money_ccy'::regtype IN (o.oprleft, o.oprright)
ORDER BY 1, 2, 3;

-- the access methods find nothing missing
SELECT c.opcname, am.amname, amvalidate(c.oid)
FROM pg_opclass AS c JOIN pg_am AS am ON am.oid = c.opcmethod
WHERE c.opcintype = 'storecredit.money_ccy'::regtype
ORDER BY 2;

-- everything that belongs to the type has a comment
SELECT pg_describe_object(d.classid, d.objid, 0)
FROM pg_depend AS d JOIN pg_extension AS e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
WHERE e.extname = 'storecredit' AND d.deptype = 'e'
	AND pg_describe_object(d.classid, d.objid, 0) ~ 'money_ccy|view storecredit.currency'
	AND pg_describe_object(d.classid, d.objid, 0) !~ 'type storecredit.(money_ccy\[\]|currency)'
	AND obj_description(d.objid, d.classid::regclass::name) IS NULL;
SELECT a.attname
FROM pg_attribute AS a
WHERE a.attrelid = 'storecredit.currency'::regclass AND a.attnum > 0 AND col_description(a.attrelid, a.attnum) IS NULL;

-- nothing depends on the search path: with an empty one, qualified names and operators do it all
SET search_path = '';
SELECT storecredit.money_ccy(49.99, 'USD') OPERATOR(storecredit.+) '0.01 USD'::storecredit.money_ccy AS sum,
	'1 USD'::storecredit.money_ccy OPERATOR(storecredit.-) '3 USD'::storecredit.money_ccy AS difference,
	OPERATOR(storecredit.-) '1 USD'::storecredit.money_ccy AS negated,
	'1 USD'::storecredit.money_ccy OPERATOR(storecredit.*) 3 AS times,
	'1 USD'::storecredit.money_ccy OPERATOR(storecredit./) '4 USD'::storecredit.money_ccy AS ratio,
	'1 USD'::storecredit.money_ccy OPERATOR(storecredit.<) '4 USD'::storecredit.money_ccy AS less,
	storecredit.abs('-1 USD'::storecredit.money_ccy),
	storecredit.money_ccy_allocate('1 USD', '{1,1,1}') AS shares,
	('1 USD'::storecredit.money_ccy(USD))::jsonb AS json;
SELECT storecredit.sum(m), storecredit.min(m), storecredit.max(m), count(DISTINCT m)
FROM (SELECT storecredit.money_ccy_from_minor(n, 'USD') AS m FROM generate_series(1, 9) AS n) AS amounts;
SELECT m FROM (VALUES ('2 USD'::storecredit.money_ccy), ('1 USD')) AS v(m) ORDER BY m;
SELECT name FROM storecredit.currency WHERE code = 'USD';
CREATE TEMP TABLE amounts (m storecredit.money_ccy(USD) PRIMARY KEY CHECK (m OPERATOR(storecredit.>) '0 USD'));
INSERT INTO amounts VALUES ('1 USD');
INSERT INTO amounts VALUES ('0 USD');
SELECT pg_catalog.pg_get_constraintdef(oid) FROM pg_catalog.pg_constraint WHERE conrelid = 'pg_temp.amounts'::pg_catalog.regclass AND contype = 'c';
