-- The ledger's tables are their owner's to change: what cannot be read any more is refused, and crashes nothing.
SET client_min_messages = warning;
SELECT storecredit.create_ledger();
SET search_path = storecredit, public;
\set SHOW_CONTEXT never
\set VERBOSITY default

-- a view in the place of a table
BEGIN;
ALTER TABLE currency_limit RENAME TO currency_limit_before;
CREATE VIEW currency_limit AS SELECT * FROM currency_limit_before;
SELECT store_credit_credit('altered/1', '1 USD');
ROLLBACK;

-- other columns than were made
BEGIN;
DROP TABLE currency_limit;
CREATE TABLE currency_limit (currency integer, max_balance integer, max_credit integer, max_debit integer);
INSERT INTO currency_limit VALUES (1, 2, 3, 4);
SELECT store_credit_credit('altered/1', '1 USD');
ROLLBACK;

BEGIN;
DROP VIEW balance, credit, metrics;
ALTER TABLE account DROP CONSTRAINT account_currency_check, DROP CONSTRAINT account_amounts_check,
	DROP CONSTRAINT account_credit_line_check;
DROP TRIGGER guard_soundness_insert ON account;
ALTER TABLE account ALTER balance TYPE bigint USING 1;
SELECT store_credit_debit('altered/1', '1 USD');
ROLLBACK;
BEGIN;
DROP VIEW balance, credit, metrics;
ALTER TABLE account DROP CONSTRAINT account_currency_check, DROP CONSTRAINT account_amounts_check,
	DROP CONSTRAINT account_credit_line_check;
DROP TRIGGER guard_soundness_insert ON account;
ALTER TABLE account ALTER balance TYPE bigint USING 1;
SELECT * FROM verify();
ROLLBACK;

-- a limit's columns in another order, after what was dropped: found by name
BEGIN;
ALTER TABLE currency_limit DROP CONSTRAINT currency_limit_currency_check, DROP CONSTRAINT currency_limit_amounts_check;
ALTER TABLE currency_limit DROP COLUMN max_credit, ADD COLUMN note text, ADD COLUMN max_credit money_ccy;
INSERT INTO currency_limit (currency, max_credit) VALUES ('USD', '5 USD');
SELECT store_credit_credit('altered/1', '6 USD');
ROLLBACK;
