-- History is never rewritten, by whatever statement; a memo or metadata may be blanked.
SET client_min_messages = warning;
SELECT storecredit.create_ledger();
SET search_path = storecredit, public;
\set SHOW_CONTEXT never

-- given: an account with two transactions, one with a memo too long to lie in the row
BEGIN;
INSERT INTO account VALUES (710001, '2024-01-01', 2, '30 USD', '0 USD', '0 USD', 0, 'USD', 'guard/history');
INSERT INTO transaction (account_id, seq, kind, amount, balance_after, created_at, category, memo, issuer, recorded_by, metadata)
	SELECT 710001, 1, 'credit', '50 USD', '50 USD', '2024-01-01', 'refund', string_agg(md5(n::text), ' '), 'admin', 'admin', '{"order": 7}'
	FROM generate_series(1, 1000) n;
INSERT INTO transaction (account_id, seq, kind, amount, balance_after, created_at, memo, issuer, recorded_by, draws)
	VALUES (710001, 2, 'debit', '-20 USD', '30 USD', '2024-01-02', 'Lisa bought a hat', 'admin', 'admin', '{1,2000}');
INSERT INTO open_credit VALUES (710001, 'infinity', 1, '30 USD');
COMMIT;

-- no column can be changed, whatever the statement
UPDATE transaction SET amount = '51 USD' WHERE account_id = 710001 AND seq = 1;
\echo SQLSTATE :LAST_ERROR_SQLSTATE
UPDATE transaction SET created_at = created_at - interval '1 day' WHERE account_id = 710001;
UPDATE transaction SET category = NULL WHERE account_id = 710001 AND seq = 1;
UPDATE transaction SET category = 'bonus' WHERE account_id = 710001 AND seq = 2;
UPDATE transaction SET draws = '{1,1000}' WHERE account_id = 710001 AND seq = 2;
UPDATE transaction SET seq = 3 WHERE account_id = 710001 AND seq = 2;
MERGE INTO transaction t USING (VALUES (710001, 2)) v (account_id, seq)
	ON t.account_id = v.account_id AND t.seq = v.seq
	WHEN MATCHED THEN UPDATE SET kind = 'expiration';
INSERT INTO transaction (account_id, seq, kind, amount, balance_after, created_at, issuer, recorded_by)
	VALUES (710001, 2, 'debit', '-20 USD', '30 USD', now(), '', '')
	ON CONFLICT (account_id, seq) DO UPDATE SET issuer = excluded.issuer;

-- memo and metadata can be blanked, not replaced
UPDATE transaction SET memo = 'nothing to see' WHERE account_id = 710001 AND seq = 2;
UPDATE transaction SET memo = memo || '!' WHERE account_id = 710001 AND seq = 1;
UPDATE transaction SET metadata = '{}' WHERE account_id = 710001 AND seq = 1;
UPDATE transaction SET metadata = '{}' WHERE account_id = 710001 AND seq = 2;
UPDATE transaction SET memo = NULL WHERE account_id = 710001 AND seq = 2;
UPDATE transaction SET metadata = NULL WHERE account_id = 710001 AND seq = 1;
SELECT seq, amount, category, length(memo) AS memo_length, metadata FROM transaction WHERE account_id = 710001 ORDER BY seq;
UPDATE transaction SET memo = NULL, issuer = 'nobody' WHERE account_id = 710001 AND seq = 1;
UPDATE transaction SET memo = NULL WHERE account_id = 710001;

-- nothing can be deleted
DELETE FROM transaction WHERE account_id = 710001 AND seq = 2;
\echo SQLSTATE :LAST_ERROR_SQLSTATE
MERGE INTO transaction t USING (VALUES (710001)) v (account_id) ON t.account_id = v.account_id
	WHEN MATCHED THEN DELETE;
DELETE FROM account WHERE account_id = 710001;
TRUNCATE transaction;
\echo SQLSTATE :LAST_ERROR_SQLSTATE
TRUNCATE account CASCADE;
TRUNCATE open_credit;
TRUNCATE hold;

-- a trigger of the user that changes the row on its way is seen through
CREATE FUNCTION public.guard_raise_amount() RETURNS trigger LANGUAGE plpgsql AS
	$$BEGIN NEW.amount := '99 USD'; NEW.balance_after := '99 USD'; RETURN NEW; END$$;
CREATE TRIGGER zz_raise BEFORE UPDATE ON transaction FOR EACH ROW EXECUTE FUNCTION public.guard_raise_amount();
UPDATE transaction SET memo = NULL WHERE account_id = 710001 AND seq = 1;
DROP FUNCTION public.guard_raise_amount() CASCADE;

-- not even where ordinary triggers do not fire
SET session_replication_role = replica;
UPDATE transaction SET amount = '51 USD' WHERE account_id = 710001 AND seq = 1;
DELETE FROM transaction WHERE account_id = 710001;
DELETE FROM account WHERE account_id = 710001;
TRUNCATE transaction;
RESET session_replication_role;

-- nor without a search_path
SET search_path = '';
UPDATE storecredit.transaction SET memo = NULL WHERE account_id = 710001;
UPDATE storecredit.transaction SET memo = '' WHERE account_id = 710001;
DELETE FROM storecredit.transaction WHERE account_id = 710001;

-- a program is told which rule, of which table
CREATE FUNCTION pg_temp.refusal(statement text, OUT state text, OUT rule text, OUT table_name text) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, rule = CONSTRAINT_NAME, table_name = TABLE_NAME;
END$$;
SELECT * FROM pg_temp.refusal('DELETE FROM storecredit.transaction WHERE account_id = 710001');
SELECT * FROM pg_temp.refusal('UPDATE storecredit.transaction SET issuer = '''' WHERE account_id = 710001');
SELECT * FROM pg_temp.refusal('TRUNCATE storecredit.open_credit');
SELECT * FROM storecredit.verify(710001);
