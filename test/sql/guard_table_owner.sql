-- The guards see the whole ledger, whoever writes: they read as its owner, past row-level security.
SET client_min_messages = warning;
SELECT storecredit.create_ledger();
\set SHOW_CONTEXT never

BEGIN;
-- given: a ledger of a role that is no superuser and has forced row-level security
-- upon itself, and a clerk who may write but not read, and see only Bert's rows
CREATE ROLE regress_guard_owner;
CREATE ROLE regress_guard_clerk;
GRANT USAGE ON SCHEMA storecredit TO regress_guard_owner, regress_guard_clerk;
ALTER TABLE storecredit.account OWNER TO regress_guard_owner;
ALTER TABLE storecredit.transaction OWNER TO regress_guard_owner;
ALTER TABLE storecredit.open_credit OWNER TO regress_guard_owner;
ALTER TABLE storecredit.hold OWNER TO regress_guard_owner;
ALTER TABLE storecredit.currency_limit OWNER TO regress_guard_owner;
ALTER TABLE storecredit.account ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE storecredit.open_credit ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY only_bert ON storecredit.account USING (owner = 'guard/Bert') WITH CHECK (true);
CREATE POLICY only_bert ON storecredit.open_credit USING (account_id = 750002) WITH CHECK (true);
GRANT INSERT ON storecredit.account, storecredit.transaction, storecredit.open_credit, storecredit.hold TO regress_guard_clerk;
GRANT SELECT, UPDATE ON storecredit.account TO regress_guard_clerk;
INSERT INTO storecredit.currency_limit VALUES ('NOK', '100 NOK');
SET LOCAL search_path = '';

-- the clerk's own work is judged sound
SET LOCAL ROLE regress_guard_clerk;
INSERT INTO storecredit.account VALUES
	(750001, '2024-01-01', 1, '50 NOK', '0 NOK', '0 NOK', 0, 'NOK', 'guard/Anna'),
	(750002, '2024-01-01', 1, '50 NOK', '0 NOK', '0 NOK', 0, 'NOK', 'guard/Bert');
INSERT INTO storecredit.transaction (account_id, seq, kind, amount, balance_after, created_at, issuer, recorded_by) VALUES
	(750001, 1, 'credit', '50 NOK', '50 NOK', '2024-01-01', 'clerk', 'clerk'),
	(750002, 1, 'credit', '50 NOK', '50 NOK', '2024-01-01', 'clerk', 'clerk');
INSERT INTO storecredit.open_credit VALUES
	(750001, 'infinity', 1, '50 NOK'),
	(750002, 'infinity', 1, '50 NOK');
SET CONSTRAINTS ALL IMMEDIATE;
SELECT owner, balance FROM storecredit.account;

-- what the clerk cannot see counts all the same
SAVEPOINT s;
INSERT INTO storecredit.open_credit VALUES (750001, '2099-01-01', 1, '1 NOK');
ROLLBACK TO s;
-- and a limit binds a clerk who cannot read it
UPDATE storecredit.account SET balance = '101 NOK' WHERE account_id = 750002;
ROLLBACK TO s;

-- the owner, too, sees only Bert and is judged by all
RESET ROLE;
SET LOCAL ROLE regress_guard_owner;
SAVEPOINT s;
SELECT owner, balance FROM storecredit.account;
INSERT INTO storecredit.transaction (account_id, seq, kind, amount, balance_after, created_at, issuer, recorded_by) VALUES
	(750001, 2, 'credit', '1 NOK', '51 NOK', '2024-01-01', 'owner', 'owner');
ROLLBACK TO s;
DELETE FROM storecredit.transaction WHERE account_id = 750001;
ROLLBACK TO s;
TRUNCATE storecredit.open_credit;
ROLLBACK TO s;

-- the caller is who he was
SELECT current_user, session_user = current_user AS is_session_user;
ROLLBACK;
