-- An account keeps its identity; its balance does not grow above its limit.
SET client_min_messages = warning;
SELECT storecredit.create_ledger();
SET search_path = storecredit, public;
\set SHOW_CONTEXT never

-- given: an account with 50.00 SEK, and one that was opened and never used
BEGIN;
INSERT INTO account VALUES (720001, '2024-01-01', 1, '50 SEK', '0 SEK', '0 SEK', 0, 'SEK', 'guard/account');
INSERT INTO transaction (account_id, seq, kind, amount, balance_after, created_at, issuer, recorded_by)
	VALUES (720001, 1, 'credit', '50 SEK', '50 SEK', '2024-01-01', 'admin', 'admin');
INSERT INTO open_credit VALUES (720001, 'infinity', 1, '50 SEK');
INSERT INTO account VALUES (720002, '2024-01-01', 0, '0 SEK', '0 SEK', '0 SEK', 0, 'SEK', 'guard/account unused');
COMMIT;

-- its identity stays
UPDATE account SET account_id = 720009 WHERE account_id = 720001;
\echo SQLSTATE :LAST_ERROR_SQLSTATE
UPDATE account SET opened_at = now() WHERE account_id = 720001;
UPDATE account SET currency = 'USD', balance = '0 USD', held = '0 USD', credit_line = '0 USD' WHERE account_id = 720002;
INSERT INTO account VALUES (720009, '2024-01-01', 0, '0 SEK', '0 SEK', '0 SEK', 0, 'SEK', 'guard/account')
	ON CONFLICT (owner, currency) DO UPDATE SET account_id = excluded.account_id;

-- an owner can be replaced where no money is, so that no money passes to another owner
UPDATE account SET owner = 'somebody else' WHERE account_id = 720001;
UPDATE account SET owner = 'guard/erased' WHERE account_id = 720002;
SELECT owner FROM account WHERE account_id = 720002;
BEGIN;
UPDATE account SET balance = '0 SEK', owner = 'somebody else' WHERE account_id = 720001;
ROLLBACK;
BEGIN;
UPDATE account SET balance = '50 SEK', owner = 'somebody else' WHERE account_id = 720002;
ROLLBACK;

-- an account without history can go, one with history cannot
DELETE FROM account WHERE account_id = 720001;
\echo SQLSTATE :LAST_ERROR_SQLSTATE
BEGIN;
DELETE FROM account WHERE account_id = 720002;
COMMIT;
SELECT count(*) FROM account WHERE account_id = 720002;
-- not by forgetting the history first, either
BEGIN;
UPDATE account SET last_seq = 0 WHERE account_id = 720001;
DELETE FROM account WHERE account_id = 720001;
DELETE FROM open_credit WHERE account_id = 720001;
COMMIT;

-- the limit of the currency: refused above it, allowed up to it, and back below it whatever the limit is now
BEGIN;
INSERT INTO currency_limit VALUES ('SEK', '60 SEK');
SAVEPOINT above;
UPDATE account SET balance = '60.01 SEK' WHERE account_id = 720001;
\echo SQLSTATE :LAST_ERROR_SQLSTATE
ROLLBACK TO above;
UPDATE account SET balance = '60 SEK' WHERE account_id = 720001;
UPDATE currency_limit SET max_balance = '10 SEK' WHERE currency = 'SEK';
UPDATE account SET balance = '59.99 SEK' WHERE account_id = 720001;
SAVEPOINT above;
UPDATE account SET balance = '60 SEK' WHERE account_id = 720001;
ROLLBACK TO above;
INSERT INTO account VALUES (720003, '2024-01-01', 0, '10.01 SEK', '0 SEK', '0 SEK', 0, 'SEK', 'guard/account new');
ROLLBACK TO above;
-- its own limit comes before the currency's
UPDATE account SET max_balance = '100 SEK' WHERE account_id = 720001;
UPDATE account SET balance = '100 SEK' WHERE account_id = 720001;
UPDATE account SET balance = '100.01 SEK' WHERE account_id = 720001;
ROLLBACK TO above;
-- a limit that is gone, by any statement, is no limit
DELETE FROM currency_limit WHERE currency = 'SEK';
UPDATE account SET balance = '1000 SEK' WHERE account_id = 720001;
INSERT INTO currency_limit VALUES ('SEK', '60 SEK') ON CONFLICT (currency) DO UPDATE SET max_balance = excluded.max_balance;
UPDATE account SET balance = '1001 SEK' WHERE account_id = 720001;
ROLLBACK TO above;
TRUNCATE currency_limit;
UPDATE account SET balance = '1001 SEK' WHERE account_id = 720001;
ROLLBACK;
-- nor is one that was rolled back
UPDATE account SET max_balance = NULL WHERE account_id = 720001;
BEGIN;
UPDATE account SET balance = '1001 SEK' WHERE account_id = 720001;
ROLLBACK;

-- a trigger of the user that changes the row on its way is seen through
BEGIN;
INSERT INTO currency_limit VALUES ('SEK', '60 SEK');
CREATE FUNCTION public.guard_generous() RETURNS trigger LANGUAGE plpgsql AS
	$$BEGIN NEW.balance := '1000 SEK'; RETURN NEW; END$$;
CREATE TRIGGER zz_generous BEFORE UPDATE ON account FOR EACH ROW EXECUTE FUNCTION public.guard_generous();
UPDATE account SET balance = '51 SEK' WHERE account_id = 720001;
ROLLBACK;

-- a subscriber keeps identities, but does not judge balances by the limit of the moment
BEGIN;
INSERT INTO currency_limit VALUES ('SEK', '60 SEK');
SET LOCAL session_replication_role = replica;
UPDATE account SET balance = '1000 SEK' WHERE account_id = 720001;
SAVEPOINT identity;
UPDATE account SET owner = 'somebody else' WHERE account_id = 720001;
ROLLBACK TO identity;
UPDATE account SET opened_at = now() WHERE account_id = 720001;
ROLLBACK;

SELECT balance, last_seq FROM account WHERE account_id = 720001;
SELECT * FROM verify(720001);
