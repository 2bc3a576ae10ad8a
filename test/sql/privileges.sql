-- Who may do what: nothing for everybody; EXECUTE on a function is all that its caller needs; what is written is the owner's.
SET client_min_messages = warning;
SELECT storecredit.create_ledger();
SET search_path = "$user", public, storecredit;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET storecredit.test_clock = '2026-11-27 09:00+00';
ALTER SEQUENCE account_number_seq RESTART 930001;
\set SHOW_CONTEXT never
CREATE ROLE regress_storecredit_shop;
CREATE ROLE regress_storecredit_clerk;
GRANT USAGE ON SCHEMA storecredit TO regress_storecredit_clerk;
GRANT CREATE, USAGE ON SCHEMA storecredit TO regress_storecredit_shop;

-- what is everybody's: the type and what belongs to it, triggers, and the clock; no function that touches the ledger
SELECT p.oid::regprocedure FROM pg_proc p
WHERE pronamespace = 'storecredit'::regnamespace AND has_function_privilege('regress_storecredit_clerk', p.oid, 'EXECUTE')
	AND (proname LIKE 'store\_credit%' OR proname IN ('create_ledger', 'verify')) ORDER BY 1;
SELECT relname FROM pg_class WHERE relnamespace = 'storecredit'::regnamespace AND relkind IN ('r', 'v', 'S')
	AND has_table_privilege('regress_storecredit_clerk', oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE') ORDER BY 1;

SELECT seq FROM store_credit_credit('grant/one', '10 USD');
SET ROLE regress_storecredit_clerk;
SELECT store_credit_credit('grant/one', '1 USD');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT store_credit_credit(930001, 1, 'USD');
SELECT store_credit_debit('grant/one', '1 USD');
SELECT store_credit_balance('grant/one', 'USD');
SELECT store_credit_set_limit('USD');
SELECT store_credit_set_account_limits(930001);
SELECT store_credit_account_credit('grant/one', '{}');
SELECT store_credit_account_debit('grant/one', '{}');
SELECT create_ledger();
SELECT * FROM verify();
SELECT * FROM balance;
SELECT * FROM account;
RESET ROLE;

-- given a ledger of an ordinary role's, and a clerk who may credit and debit and touch no table
SELECT format('ALTER TABLE %s OWNER TO regress_storecredit_shop', oid::regclass) FROM pg_class
WHERE relnamespace = 'storecredit'::regnamespace AND relkind IN ('r', 'v') AND relname NOT IN ('currency') ORDER BY relname \gexec
GRANT EXECUTE ON FUNCTION store_credit_credit(text, money_ccy, timestamptz, date, text, text, text, text, text, boolean, jsonb),
	store_credit_debit(text, money_ccy, boolean, text, text, text, text, text, boolean, jsonb),
	store_credit_balance(text, text) TO regress_storecredit_clerk;
SET SESSION AUTHORIZATION regress_storecredit_clerk;
SELECT seq, balance_after, issuer, recorded_by FROM store_credit_credit('grant/one', '5 USD', notify => true);
SELECT seq, balance_after, issuer, recorded_by FROM store_credit_credit('grant/new', '5 USD', issuer => 'Admin/1');
SELECT seq, balance_after, issuer, recorded_by FROM store_credit_debit('grant/one', '12 USD', idempotency_key => 'k');
SELECT seq, balance_after, issuer, recorded_by FROM store_credit_debit('grant/one', '12 USD', idempotency_key => 'k');
SELECT store_credit_balance('grant/one', 'USD');
-- the rest stays refused
SELECT store_credit_set_limit('USD');
SELECT * FROM account;
-- also the overload with a number, which calls the other one in the caller's name: it needs both grants
SELECT store_credit_debit('grant/one', 1, 'USD');
RESET SESSION AUTHORIZATION;
GRANT EXECUTE ON FUNCTION store_credit_debit(text, numeric, text, boolean, text, text, text, text, text, boolean, jsonb) TO regress_storecredit_clerk;
SET SESSION AUTHORIZATION regress_storecredit_clerk;
SELECT seq, balance_after FROM store_credit_debit('grant/one', 1, 'USD');
-- an error leaves the caller who he was
SELECT store_credit_debit('grant/one', '1000 USD');
SELECT current_user, session_user;
DO $$
BEGIN
	PERFORM storecredit.store_credit_debit('grant/one', '1000 USD');
EXCEPTION WHEN OTHERS THEN
	RAISE WARNING 'refused to %', current_user;
END$$;
-- who recorded it is the session's user, whatever role it has taken
RESET SESSION AUTHORIZATION;
SET ROLE regress_storecredit_clerk;
SELECT issuer = session_user AS by_session, recorded_by = session_user AS recorded_by_session FROM store_credit_credit('grant/one', '1 USD');
RESET ROLE;

-- a trigger of the owner's runs in the owner's name, and can do no more than the owner
CREATE FUNCTION regress_who() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.memo := current_user;
	RETURN NEW;
END$$;
CREATE TRIGGER regress_who BEFORE INSERT ON transaction FOR EACH ROW EXECUTE FUNCTION regress_who();
SET SESSION AUTHORIZATION regress_storecredit_clerk;
SELECT seq, memo, recorded_by FROM store_credit_debit('grant/one', '1 USD');
SELECT current_user;
RESET SESSION AUTHORIZATION;
DROP TRIGGER regress_who ON transaction;
DROP FUNCTION regress_who;

-- row-level security does not bind the owner, and so not the functions, unless it is forced
CREATE ROLE regress_storecredit_reader;
GRANT USAGE ON SCHEMA storecredit TO regress_storecredit_reader;
GRANT SELECT ON account, balance TO regress_storecredit_reader;
ALTER TABLE account ENABLE ROW LEVEL SECURITY;
CREATE POLICY regress_new ON account TO regress_storecredit_reader USING (owner = 'grant/new');
SET ROLE regress_storecredit_reader;
SELECT owner, balance FROM account WHERE owner LIKE 'grant/%';
RESET ROLE;
SET SESSION AUTHORIZATION regress_storecredit_clerk;
SELECT seq, balance_after FROM store_credit_debit('grant/one', '1 USD');
RESET SESSION AUTHORIZATION;
-- forced, what the owner may not see is not there, and what he may not write is refused
ALTER TABLE account FORCE ROW LEVEL SECURITY;
CREATE POLICY regress_shop ON account TO regress_storecredit_shop USING (owner <> 'grant/new') WITH CHECK (balance < '2 USD');
SET SESSION AUTHORIZATION regress_storecredit_clerk;
SELECT store_credit_balance('grant/new', 'USD');
SELECT store_credit_debit('grant/new', '1 USD');
SELECT store_credit_credit('grant/new', '1 USD');
SELECT store_credit_credit('grant/one', '100 USD');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT seq, balance_after FROM store_credit_debit('grant/one', '0.50 USD');
RESET SESSION AUTHORIZATION;
ALTER TABLE account NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
DROP POLICY regress_new ON account;
DROP POLICY regress_shop ON account;

-- as it was
REASSIGN OWNED BY regress_storecredit_shop TO CURRENT_USER;
DROP OWNED BY regress_storecredit_shop, regress_storecredit_clerk, regress_storecredit_reader;
DROP ROLE regress_storecredit_shop, regress_storecredit_clerk, regress_storecredit_reader;
SELECT owner, last_seq, balance FROM account WHERE owner LIKE 'grant/%' ORDER BY owner;
SELECT * FROM verify();
