-- verify() of a ledger that is beyond repair: rows, never an error.
\getenv tests PG_ABS_SRCDIR
\set fixture :tests '/fixtures/verify_ledger.sql'
BEGIN;
\set ECHO none
\i :fixture
\set ECHO all

-- rows without an account
INSERT INTO transaction SELECT 8001, seq, amount, balance_after, created_at, expires_at, kind, category, memo, reference, issuer,
	recorded_by FROM transaction WHERE account_id = 9001;
INSERT INTO open_credit VALUES (8999, 'infinity', 1, '1.00 USD'), (9999, 'infinity', 1, '1.00 USD');
UPDATE hold SET account_id = 9998 WHERE account_id = 9006;
UPDATE account SET held = '0.00 USD', last_hold_id = 0 WHERE account_id = 9006;
INSERT INTO open_credit VALUES (9006, 'infinity', 1, '60.00 USD');
SELECT * FROM verify();
SELECT * FROM verify(8001);
ROLLBACK TO sound;

-- all accounts lost
DELETE FROM account WHERE owner LIKE 'verify/%';
SELECT * FROM verify();
ROLLBACK TO sound;

-- the same account twice
INSERT INTO account SELECT * FROM account WHERE account_id = 9001;
INSERT INTO account SELECT * FROM account WHERE account_id = 9001;
SELECT * FROM verify();
ROLLBACK TO sound;

-- null where there must be none: where it does not matter to the sums, it is all that is said
ALTER TABLE account ALTER opened_at DROP NOT NULL, ALTER owner DROP NOT NULL, ALTER balance DROP NOT NULL,
	ALTER account_id DROP NOT NULL;
ALTER TABLE transaction ALTER created_at DROP NOT NULL, ALTER issuer DROP NOT NULL, ALTER recorded_by DROP NOT NULL,
	ALTER seq DROP NOT NULL, ALTER amount DROP NOT NULL, ALTER account_id DROP NOT NULL;
ALTER TABLE open_credit ALTER remaining DROP NOT NULL, ALTER account_id DROP NOT NULL;
ALTER TABLE hold ALTER status DROP NOT NULL, ALTER created_at DROP NOT NULL, ALTER account_id DROP NOT NULL;
SAVEPOINT nullable;
UPDATE account SET owner = NULL WHERE account_id = 9007;
UPDATE transaction SET issuer = NULL, recorded_by = NULL WHERE account_id = 9001 AND seq = 3;
UPDATE hold SET created_at = NULL WHERE account_id = 9004 AND hold_id = 1;
SELECT * FROM verify();
ROLLBACK TO nullable;

-- else what follows from it as well
UPDATE transaction SET seq = NULL WHERE account_id = 9001 AND seq = 4;
UPDATE transaction SET amount = NULL WHERE account_id = 9002 AND seq = 3;
UPDATE open_credit SET remaining = NULL WHERE account_id = 9003 AND seq = 4;
UPDATE hold SET status = NULL WHERE account_id = 9006;
SELECT * FROM verify();
ROLLBACK TO nullable;

-- an account whose own row cannot be read has nothing to compare with
UPDATE account SET balance = NULL WHERE account_id = 9001;
SELECT * FROM verify();
ROLLBACK TO nullable;

-- rows of account null
UPDATE account SET account_id = NULL WHERE account_id IN (9001, 9007);
UPDATE transaction SET account_id = NULL WHERE account_id = 9001;
UPDATE open_credit SET account_id = NULL WHERE account_id = 9001;
UPDATE hold SET account_id = NULL WHERE account_id = 9006;
SELECT * FROM verify();
ROLLBACK TO sound;

-- sums beyond any amount
UPDATE transaction SET amount = '92233720368547758.07 USD', balance_after = '92233720368547758.07 USD',
	draws = '{9223372036854775807,9223372036854775807}' WHERE account_id = 9001;
UPDATE account SET balance = '-92233720368547758.08 USD', held = '92233720368547758.07 USD', last_seq = 9223372036854775807
	WHERE account_id = 9001;
UPDATE transaction SET seq = 9223372036854775807 WHERE account_id = 9001 AND seq = 4;
SELECT * FROM verify();
UPDATE transaction SET amount = '-92233720368547758.08 USD', balance_after = '-92233720368547758.08 USD',
	draws = '{-9223372036854775808,-9223372036854775808}', seq = -9223372036854775808 WHERE account_id = 9001;
-- all of one seq: their order, and so what is said of which, is anybody's
SELECT rule, count(*) FROM verify() GROUP BY rule ORDER BY rule COLLATE "C";
ROLLBACK TO sound;

-- amounts that no input lets in: their bytes are an interval's, whose days are the four bytes of the code
CREATE CAST (interval AS money_ccy) WITHOUT FUNCTION;
UPDATE transaction SET amount = make_interval(secs => 0.01)::money_ccy WHERE account_id = 9006;
UPDATE account SET held = make_interval(days => -1)::money_ccy WHERE account_id = 9007;
UPDATE account SET currency = '' WHERE account_id = 9005;
SELECT * FROM verify() WHERE account_id IN (9006, 9007);
SELECT rule, count(*) FROM verify(9005) GROUP BY rule ORDER BY rule COLLATE "C";
ROLLBACK;
