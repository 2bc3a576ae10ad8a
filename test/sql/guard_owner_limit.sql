-- enforce_currency_limit(): what one owner may have in a currency, in an application's table.
SET client_min_messages = warning;
SELECT storecredit.create_ledger();
\set SHOW_CONTEXT never
CREATE SCHEMA guard_limit;
SET search_path = guard_limit, storecredit;
INSERT INTO storecredit.currency_limit VALUES ('ISK', '500 ISK'), ('TND', '10.000 TND');

-- given: a table whose amounts carry their currency
CREATE TABLE voucher (id integer PRIMARY KEY, "Holder" text, amount money_ccy, used money_ccy);
CREATE TRIGGER holder_limit AFTER INSERT OR UPDATE OR DELETE ON voucher FOR EACH ROW
	EXECUTE FUNCTION storecredit.enforce_currency_limit('Holder', 'amount', '-used');

-- up to the limit, not above it, for each owner and each currency
INSERT INTO voucher VALUES (1, 'Anna', '300 ISK'), (2, 'Anna', '200 ISK'), (3, 'Bert', '500 ISK'), (4, 'Anna', '10 TND');
INSERT INTO voucher VALUES (5, 'Anna', '1 ISK');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
INSERT INTO voucher VALUES (5, 'Anna', '0.001 TND');
INSERT INTO voucher VALUES (5, 'Anna', '1000000 USD');
-- what is used makes room
UPDATE voucher SET used = '100 ISK' WHERE id = 1;
INSERT INTO voucher VALUES (6, 'Anna', '100 ISK');
UPDATE voucher SET used = '99 ISK' WHERE id = 1;
UPDATE voucher SET used = NULL WHERE id = 1;
-- a row judged by what it is in the end, and the rows of a statement together
INSERT INTO voucher VALUES (7, 'Carl', '300 ISK'), (8, 'Carl', '300 ISK');
INSERT INTO voucher VALUES (7, 'Carl', '600 ISK', '200 ISK');
INSERT INTO voucher VALUES (8, 'Carl', NULL, NULL), (9, NULL, '9999 ISK', NULL);
-- a row that goes to another owner, or changes its currency
UPDATE voucher SET "Holder" = 'Carl' WHERE id = 3;
UPDATE voucher SET "Holder" = 'Dora' WHERE id = 3;
UPDATE voucher SET amount = '100 TND' WHERE id = 3;
UPDATE voucher SET amount = '600 ISK' WHERE id = 3;
-- a row of two currencies has no sum
INSERT INTO voucher VALUES (10, 'Emil', '5 ISK', '1 TND');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
-- taking away a negative row raises the sum as well
INSERT INTO voucher VALUES (11, 'Fred', '-100 ISK');
INSERT INTO voucher VALUES (12, 'Fred', '600 ISK');
DELETE FROM voucher WHERE id = 11;
UPDATE voucher SET "Holder" = 'Gina' WHERE id = 11;
DELETE FROM voucher WHERE id = 12;

-- by any statement
INSERT INTO voucher VALUES (3, 'Dora') ON CONFLICT (id) DO UPDATE SET amount = '501 ISK';
MERGE INTO voucher v USING (VALUES (3)) n (id) ON v.id = n.id WHEN MATCHED THEN UPDATE SET amount = '501 ISK';
MERGE INTO voucher v USING (VALUES (13)) n (id) ON v.id = n.id
	WHEN NOT MATCHED THEN INSERT VALUES (13, 'Dora', '1 ISK');
COPY voucher FROM stdin;
14	Dora	1 ISK	\N
\.
BEGIN;
TRUNCATE voucher;
INSERT INTO voucher VALUES (14, 'Dora', '500 ISK');
ROLLBACK;
-- a BEFORE trigger that changes the row, whatever its name, comes first
CREATE FUNCTION bonus() RETURNS trigger LANGUAGE plpgsql AS
	$$BEGIN NEW.amount := NEW.amount + '1 ISK'::storecredit.money_ccy; RETURN NEW; END$$;
CREATE TRIGGER zz_bonus BEFORE INSERT ON voucher FOR EACH ROW EXECUTE FUNCTION bonus();
INSERT INTO voucher VALUES (15, 'Hugo', '500 ISK');
DROP TRIGGER zz_bonus ON voucher;
-- not for what replication brings, unless it is enabled so
SET session_replication_role = replica;
INSERT INTO voucher VALUES (16, 'Ida', '501 ISK');
RESET session_replication_role;

-- an owner above the limit can come down, and cannot go further up
UPDATE voucher SET amount = '502 ISK' WHERE id = 16;
UPDATE voucher SET amount = '501 ISK' WHERE id = 16;
UPDATE voucher SET used = '1 ISK' WHERE id = 16;
UPDATE currency_limit SET max_balance = '100 ISK' WHERE currency = 'ISK';
UPDATE voucher SET used = '10 ISK' WHERE id = 16;
UPDATE voucher SET used = '9 ISK' WHERE id = 16;
-- no limit, or null for one, is no limit
UPDATE currency_limit SET max_balance = NULL WHERE currency = 'ISK';
UPDATE voucher SET used = '9 ISK' WHERE id = 16;
DELETE FROM currency_limit WHERE currency = 'ISK';
UPDATE voucher SET used = NULL WHERE id = 16;
INSERT INTO currency_limit VALUES ('ISK', '500 ISK');

-- given: numeric amounts, and a currency column; odd names; a generated column that counts what is not deleted
CREATE DOMAIN amount_2 AS numeric(10, 2);
CREATE TABLE "Store Credit" (
	"User Id" integer,
	"-amount" amount_2,
	deleted_at timestamptz,
	counted numeric GENERATED ALWAYS AS (CASE WHEN deleted_at IS NULL THEN "-amount"::numeric ELSE 0 END) STORED,
	"Currency Code" char(5)
);
CREATE TRIGGER user_limit AFTER INSERT OR UPDATE ON "Store Credit" FOR EACH ROW
	EXECUTE FUNCTION storecredit.enforce_currency_limit('User Id', 'counted', 'Currency Code');
INSERT INTO "Store Credit" VALUES (1, 300, NULL, DEFAULT, 'ISK'), (1, 200, NULL, DEFAULT, 'ISK');
INSERT INTO "Store Credit" VALUES (1, 0.01, NULL, DEFAULT, 'ISK');
UPDATE "Store Credit" SET deleted_at = now() WHERE "-amount" = 200;
INSERT INTO "Store Credit" VALUES (1, 150.55, NULL, DEFAULT, 'ISK');
UPDATE "Store Credit" SET deleted_at = NULL WHERE "-amount" = 200;
-- a sign in front of a name is a sign; with one of its own, a name may begin with a sign
CREATE TRIGGER user_limit_2 AFTER INSERT OR UPDATE ON "Store Credit" FOR EACH ROW
	EXECUTE FUNCTION storecredit.enforce_currency_limit('User Id', '+-amount', 'Currency Code');
INSERT INTO "Store Credit" VALUES (2, 500, now(), DEFAULT, 'ISK');
INSERT INTO "Store Credit" VALUES (2, 1, now(), DEFAULT, 'ISK');
-- an owner's type can change, too
ALTER TABLE "Store Credit" ALTER "User Id" TYPE bigint;
INSERT INTO "Store Credit" VALUES (4294967297, 500, NULL, DEFAULT, 'ISK');
INSERT INTO "Store Credit" VALUES (4294967297, 1, NULL, DEFAULT, 'ISK');
-- a code that no limit could be found for is no way around one
INSERT INTO "Store Credit" VALUES (3, 1000, NULL, DEFAULT, 'isk');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
INSERT INTO "Store Credit" VALUES (3, 1000, NULL, DEFAULT, ' ISK');
INSERT INTO "Store Credit" VALUES (3, 1000, NULL, DEFAULT, 'XTS');
INSERT INTO "Store Credit" VALUES (3, 'NaN', NULL, DEFAULT, 'ISK');
INSERT INTO "Store Credit" VALUES (3, 1000, NULL, DEFAULT, NULL), (NULL, 1000, NULL, DEFAULT, 'ISK');

-- given: owners and currencies of other types, money_ccy beside a currency column
CREATE TYPE shop_currency AS ENUM ('ISK', 'TND');
CREATE TABLE grants (person numeric, amount money_ccy, currency shop_currency);
CREATE TRIGGER person_limit AFTER INSERT OR UPDATE ON grants FOR EACH ROW
	EXECUTE FUNCTION storecredit.enforce_currency_limit('person', 'amount', 'currency');
INSERT INTO grants VALUES (7, '300 ISK', 'ISK'), (7.0, '200 ISK', 'ISK');
INSERT INTO grants VALUES (7.00, '1 ISK', 'ISK');
INSERT INTO grants VALUES (8, '1 ISK', 'TND');
INSERT INTO grants VALUES (8, '501 ISK', NULL);
UPDATE grants SET currency = 'ISK' WHERE person = 8;

-- the statement follows the table, whatever is done to it
ALTER TABLE voucher RENAME TO coupon;
INSERT INTO coupon VALUES (20, 'Anna', '101 ISK');
ALTER TABLE coupon DROP COLUMN amount, ADD COLUMN amount money_ccy;
INSERT INTO coupon (id, "Holder", amount) VALUES (20, 'Karl', '501 ISK');
ALTER TABLE coupon ALTER "Holder" TYPE varchar(40);
INSERT INTO coupon (id, "Holder", amount) VALUES (20, 'Karl', '501 ISK');
CREATE SCHEMA guard_limit_2;
ALTER TABLE coupon SET SCHEMA guard_limit_2;
INSERT INTO guard_limit_2.coupon (id, "Holder", amount) VALUES (20, 'Karl', '500 ISK');
INSERT INTO guard_limit_2.coupon (id, "Holder", amount) VALUES (21, 'Karl', '1 ISK');

-- without a search_path
SET search_path = '';
INSERT INTO guard_limit_2.coupon (id, "Holder", amount) VALUES (21, 'Karl', '1 ISK');
INSERT INTO guard_limit."Store Credit" VALUES (2, 1, now(), DEFAULT, 'ISK');

DELETE FROM storecredit.currency_limit WHERE currency IN ('ISK', 'TND');
DROP SCHEMA guard_limit, guard_limit_2 CASCADE;
