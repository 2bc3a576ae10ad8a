-- From nothing to a ledger and back: before create_ledger(), as an ordinary role, a second time, and DROP EXTENSION.
\set home :DBNAME
\set SHOW_CONTEXT never
CREATE ROLE regress_storecredit_shop;
CREATE DATABASE regression_storecredit_install;
\c regression_storecredit_install
CREATE EXTENSION storecredit;
SET search_path = "$user", public, storecredit;

-- the extension makes functions and no table
SELECT count(*) FROM pg_class WHERE relnamespace = 'storecredit'::regnamespace AND relkind IN ('r', 'p', 'S');

-- each function says what is missing, and how to make it
SELECT store_credit_credit('Customer/1', '10 USD');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT store_credit_debit('Customer/1', '10 USD');
SELECT store_credit_balance('Customer/1', 'USD');
SELECT store_credit_set_limit('USD');
SELECT store_credit_set_account_limits(1);
SELECT store_credit_account_credit('Customer/1', '{"creditAmount": {"amount": 1, "currencyCode": "USD"}}');
SELECT store_credit_account_debit('Customer/1', '{"debitAmount": {"amount": 1, "currencyCode": "USD"}}');
SELECT * FROM verify();

-- an ordinary role may make the ledger where it may make tables: three grants, and all of it is the role's own
SET ROLE regress_storecredit_shop;
SELECT storecredit.create_ledger();
RESET ROLE;
GRANT USAGE ON SCHEMA storecredit TO regress_storecredit_shop;
GRANT EXECUTE ON FUNCTION create_ledger() TO regress_storecredit_shop;
SET ROLE regress_storecredit_shop;
SELECT storecredit.create_ledger();
RESET ROLE;
GRANT CREATE ON SCHEMA storecredit TO regress_storecredit_shop;
SET ROLE regress_storecredit_shop;
SELECT storecredit.create_ledger();
RESET ROLE;
SELECT relname, relkind, pg_get_userbyid(relowner) AS owner FROM pg_class
WHERE relnamespace = 'storecredit'::regnamespace AND relkind IN ('r', 'v', 'S') AND pg_get_userbyid(relowner) <> current_user
ORDER BY relname;

-- a second one is not made
SELECT create_ledger();

-- the functions use the owner's rights, so a superuser and the owner see the same
SET storecredit.test_clock = '2026-11-27 09:00+00';
SELECT seq, balance_after FROM store_credit_credit('Customer/1', '10 USD', expires_at => '2026-12-24 00:00+00');
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA storecredit TO regress_storecredit_shop;
SET ROLE regress_storecredit_shop;
SELECT seq, balance_after FROM storecredit.store_credit_debit('Customer/1', '2.50 USD', notify => true);
SELECT storecredit.store_credit_set_limit('USD', max_debit => '5 USD');
SELECT owner, balance, available FROM storecredit.balance;
SELECT * FROM storecredit.verify();
RESET ROLE;
SELECT seq, balance_after FROM store_credit_debit('Customer/1', '5.01 USD');

-- DROP EXTENSION does not take the money along
\set VERBOSITY terse
DROP EXTENSION storecredit;
\set VERBOSITY default
SELECT store_credit_balance('Customer/1', 'USD');

-- with CASCADE it does; what it leaves is no ledger, and must be dropped before there can be another one
SET client_min_messages = warning;
DROP EXTENSION storecredit CASCADE;
CREATE EXTENSION storecredit;
SELECT create_ledger();
\echo SQLSTATE :LAST_ERROR_SQLSTATE
DROP TABLE storecredit.account, storecredit.open_credit, storecredit.currency_limit, storecredit.refund_bonus, storecredit.notification, storecredit.posting, storecredit.reminder, storecredit.worker_status, storecredit.spree_violation, storecredit.spree_expiry, storecredit.spree_expiry_rule, storecredit.spree_expired, storecredit.spree_imported, storecredit.spree_quarantine CASCADE;
SELECT create_ledger();
SELECT seq, balance_after FROM store_credit_credit('Customer/1', '10 USD');
SELECT seq, balance_after FROM store_credit_debit('Customer/1', '7 USD', notify => true);

-- and all of this again in the same session, which has planned for types and tables that are no more
DROP EXTENSION storecredit CASCADE;
DROP SCHEMA storecredit CASCADE;
CREATE EXTENSION storecredit;
SELECT create_ledger();
SELECT seq, balance_after FROM store_credit_credit('Customer/1', '10 USD');
SELECT seq, balance_after FROM store_credit_debit('Customer/1', '5 USD', notify => true);
SET storecredit.fast_path = off;
SELECT seq, balance_after FROM store_credit_debit('Customer/1', '5 USD');
SELECT * FROM verify();

\c :home
DROP DATABASE regression_storecredit_install;
DROP ROLE regress_storecredit_shop;
