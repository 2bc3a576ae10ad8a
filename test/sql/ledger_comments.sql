-- Whatever the extension or create_ledger() makes says what it is.
SET client_min_messages = warning;
SELECT storecredit.create_ledger();

-- the extension's own objects without a comment: none
SELECT count(*) > 50 AS there_are_many FROM pg_depend d JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
WHERE e.extname = 'storecredit' AND d.deptype = 'e';
SELECT pg_describe_object(d.classid, d.objid, 0)
FROM pg_depend d JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
WHERE e.extname = 'storecredit' AND d.deptype = 'e'
	AND obj_description(d.objid, d.classid::regclass::name) IS NULL
	-- an array type comes with its element's, and since PostgreSQL 16 a view's row type is an object of the extension too
	AND NOT (d.classid = 'pg_type'::regclass AND EXISTS (SELECT FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid
		WHERE t.oid = d.objid AND (t.typcategory = 'A' OR c.relkind = 'v')))
ORDER BY 1;

-- the ledger's tables, views, sequences and named indexes, and the columns of tables, views and composite types: none
SELECT pg_describe_object('pg_class'::regclass, oid, 0) FROM pg_class c
WHERE relnamespace = 'storecredit'::regnamespace AND relkind IN ('r', 'v', 'S', 'i')
	AND obj_description(oid, 'pg_class') IS NULL
	-- what a constraint or an identity column makes is described with it
	AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'i')
ORDER BY 1;
SELECT pg_describe_object('pg_class'::regclass, attrelid, attnum) FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid
WHERE relnamespace = 'storecredit'::regnamespace AND relkind IN ('r', 'v', 'c') AND attnum > 0 AND NOT attisdropped
	-- of a typed table, the type's
	AND coalesce(col_description(attrelid, attnum),
		col_description((SELECT typrelid FROM pg_type WHERE oid = c.reloftype), attnum)) IS NULL
ORDER BY 1;

-- the settings, which have no place for a comment but a description
LOAD 'storecredit';
SELECT name, short_desc, extra_desc FROM pg_settings WHERE name LIKE 'storecredit.%' ORDER BY name;
