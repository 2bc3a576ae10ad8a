-- enforce_positive_amount(): amounts of an application's table are above zero.
\set SHOW_CONTEXT never
CREATE SCHEMA guard_positive;
SET search_path = guard_positive, storecredit;

-- given: an application's table with an amount of each kind
CREATE DOMAIN tip AS numeric(8, 2);
CREATE TABLE "Gift" (
	id integer PRIMARY KEY,
	paid money_ccy,
	"Tip" tip,
	points bigint,
	pieces integer,
	boxes smallint
);
CREATE TRIGGER positive AFTER INSERT OR UPDATE ON "Gift" FOR EACH ROW
	EXECUTE FUNCTION storecredit.enforce_positive_amount('paid', 'Tip', 'points', 'pieces', 'boxes');

-- above zero passes, and so does null: NOT NULL is another rule
INSERT INTO "Gift" VALUES (1, '0.01 USD', 0.01, 1, 1, 1);
INSERT INTO "Gift" VALUES (2, NULL, NULL, NULL, NULL, NULL);
-- zero and below do not, in any column
INSERT INTO "Gift" VALUES (3, '0 USD');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
INSERT INTO "Gift" VALUES (3, '-5 JPY');
INSERT INTO "Gift" VALUES (3, '5 JPY', 0);
INSERT INTO "Gift" VALUES (3, '5 JPY', -0.01);
INSERT INTO "Gift" VALUES (3, '5 JPY', 'NaN');
INSERT INTO "Gift" VALUES (3, '5 JPY', 1, 0);
INSERT INTO "Gift" VALUES (3, '5 JPY', 1, 1, -2147483648);
INSERT INTO "Gift" VALUES (3, '5 JPY', 1, 1, 1, 0);
-- by any statement
UPDATE "Gift" SET paid = '0 USD' WHERE id = 1;
INSERT INTO "Gift" VALUES (1) ON CONFLICT (id) DO UPDATE SET points = -1;
MERGE INTO "Gift" g USING (VALUES (1), (3)) v (id) ON g.id = v.id
	WHEN MATCHED THEN UPDATE SET pieces = pieces + 1
	WHEN NOT MATCHED THEN INSERT (id, pieces) VALUES (v.id, 0);
MERGE INTO "Gift" g USING (VALUES (1)) v (id) ON g.id = v.id
	WHEN MATCHED THEN UPDATE SET pieces = 0;
COPY "Gift" (id, paid) FROM stdin;
3	1.00 USD
4	0.00 USD
\.
INSERT INTO "Gift" (id, boxes) SELECT n, 2 - n FROM generate_series(1, 3) n ON CONFLICT DO NOTHING;

-- a BEFORE trigger that changes the row, whatever its name, comes first
CREATE FUNCTION discount() RETURNS trigger LANGUAGE plpgsql AS
	$$BEGIN NEW.paid := NEW.paid - '10 USD'::storecredit.money_ccy; RETURN NEW; END$$;
CREATE TRIGGER zz_discount BEFORE INSERT OR UPDATE ON "Gift" FOR EACH ROW EXECUTE FUNCTION discount();
INSERT INTO "Gift" VALUES (3, '10 USD');
INSERT INTO "Gift" VALUES (3, '10.01 USD');
DROP TRIGGER zz_discount ON "Gift";

-- infinity is no amount
CREATE TABLE boundless (amount numeric);
CREATE TRIGGER positive AFTER INSERT OR UPDATE ON boundless FOR EACH ROW
	EXECUTE FUNCTION storecredit.enforce_positive_amount('amount');
INSERT INTO boundless VALUES ('infinity');
INSERT INTO boundless VALUES ('-infinity');

-- a generated column is judged by what is stored
CREATE TABLE line (price numeric, rebate numeric, net numeric GENERATED ALWAYS AS (price - rebate) STORED);
CREATE TRIGGER positive AFTER INSERT OR UPDATE ON line FOR EACH ROW
	EXECUTE FUNCTION storecredit.enforce_positive_amount('net');
INSERT INTO line VALUES (10, 9);
INSERT INTO line VALUES (10, 10);
UPDATE line SET rebate = 11;

-- a bad row from before the trigger can be worked on, until its amount is touched
CREATE TABLE legacy (amount numeric(8, 2), memo text);
INSERT INTO legacy VALUES (0, 'made by version 1');
CREATE TRIGGER positive AFTER INSERT OR UPDATE ON legacy FOR EACH ROW
	EXECUTE FUNCTION storecredit.enforce_positive_amount('amount');
UPDATE legacy SET memo = 'seen';
UPDATE legacy SET amount = -1;
UPDATE legacy SET amount = 1;
UPDATE legacy SET amount = 0;
TRUNCATE legacy;

-- an ordinary trigger does not fire for what replication brings; one that is ALWAYS enabled does
SET session_replication_role = replica;
INSERT INTO legacy VALUES (-1);
ALTER TABLE legacy ENABLE ALWAYS TRIGGER positive;
INSERT INTO legacy VALUES (-1);
RESET session_replication_role;

-- without a search_path
SET search_path = '';
INSERT INTO guard_positive."Gift" (id, paid) VALUES (5, '0 USD');

SELECT * FROM guard_positive."Gift" ORDER BY id;
SET client_min_messages = warning;
DROP SCHEMA guard_positive CASCADE;
