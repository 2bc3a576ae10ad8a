-- Ad-hoc statements on the ledger's tables: judged at commit, all together.
SET client_min_messages = warning;
SELECT storecredit.create_ledger();
SET search_path = storecredit, public;
\set SHOW_CONTEXT never

-- a whole story written by hand, in any order within one transaction, is sound and passes
BEGIN;
INSERT INTO open_credit VALUES (740001, '2099-01-01', 1, '10 USD'), (740001, 'infinity', 2, '40 USD');
INSERT INTO hold (account_id, hold_id, amount, captured, status, created_at, issuer, recorded_by, authorized, draws)
	VALUES (740001, 1, '20 USD', '5 USD', 'open', '2024-01-03', 'shop', 'shop', '{2,2000}', '{2,1500}');
INSERT INTO transaction (account_id, seq, kind, amount, balance_after, created_at, expires_at, issuer, recorded_by, draws, hold_id) VALUES
	(740001, 1, 'credit', '30 USD', '30 USD', '2024-01-01', '2099-01-01', 'admin', 'admin', NULL, NULL),
	(740001, 2, 'credit', '60 USD', '90 USD', '2024-01-01', NULL, 'admin', 'admin', NULL, NULL),
	(740001, 3, 'debit', '-20 USD', '70 USD', '2024-01-02', NULL, 'admin', 'admin', '{1,2000}', NULL),
	(740001, 4, 'debit', '-5 USD', '65 USD', '2024-01-03', NULL, 'admin', 'admin', '{2,500}', 1);
INSERT INTO account VALUES (740001, '2024-01-01', 4, '65 USD', '15 USD', '0 USD', 1, 'USD', 'guard/soundness');
COMMIT;
SELECT balance, held FROM account WHERE account_id = 740001;
SELECT * FROM verify(740001);

-- a credit line: nothing is open while more is held or owed than there is
BEGIN;
INSERT INTO account VALUES (740002, '2024-01-01', 2, '-10 USD', '5 USD', '20 USD', 1, 'USD', 'guard/soundness line');
INSERT INTO transaction (account_id, seq, kind, amount, balance_after, created_at, issuer, recorded_by, draws) VALUES
	(740002, 1, 'credit', '30 USD', '30 USD', '2024-01-01', 'admin', 'admin', NULL),
	(740002, 2, 'debit', '-40 USD', '-10 USD', '2024-01-02', 'admin', 'admin', '{1,3000}');
INSERT INTO hold (account_id, hold_id, amount, captured, status, created_at, issuer, recorded_by)
	VALUES (740002, 1, '5 USD', '0 USD', 'open', '2024-01-03', 'shop', 'shop');
COMMIT;
INSERT INTO open_credit VALUES (740002, 'infinity', 1, '0.01 USD');

-- money from nothing
UPDATE account SET balance = '66 USD' WHERE account_id = 740001;
\echo SQLSTATE :LAST_ERROR_SQLSTATE
UPDATE open_credit SET remaining = '41 USD' WHERE account_id = 740001 AND seq = 2;
INSERT INTO open_credit VALUES (740001, 'infinity', 1, '1 USD');
INSERT INTO transaction (account_id, seq, kind, amount, balance_after, created_at, issuer, recorded_by)
	VALUES (740001, 5, 'credit', '1 USD', '66 USD', now(), '', '');
BEGIN;
UPDATE account SET balance = '66 USD' WHERE account_id = 740001;
UPDATE open_credit SET remaining = '41 USD' WHERE account_id = 740001 AND seq = 2;
COMMIT;
-- money gone
UPDATE account SET balance = '64 USD' WHERE account_id = 740001;
DELETE FROM open_credit WHERE account_id = 740001 AND seq = 1;
-- money taken out of, and put into, what is held
UPDATE account SET held = '0 USD' WHERE account_id = 740001;
UPDATE hold SET status = 'voided', closed_at = now() WHERE account_id = 740001;
UPDATE hold SET captured = '6 USD' WHERE account_id = 740001;
BEGIN;
UPDATE account SET held = '0 USD' WHERE account_id = 740001;
UPDATE hold SET status = 'voided', closed_at = now() WHERE account_id = 740001;
COMMIT;
INSERT INTO hold (account_id, hold_id, amount, captured, status, created_at, issuer, recorded_by)
	VALUES (740001, 2, '1 USD', '0 USD', 'open', now(), '', '');
-- a hold with a number that was not given out
INSERT INTO hold (account_id, hold_id, amount, captured, status, created_at, closed_at, issuer, recorded_by)
	VALUES (740001, 7, '1 USD', '0 USD', 'voided', now(), now(), '', '');

-- history that skips, does not add up, or moves
BEGIN;
INSERT INTO transaction (account_id, seq, kind, amount, balance_after, created_at, issuer, recorded_by)
	VALUES (740001, 6, 'credit', '1 USD', '65 USD', now(), '', '');
UPDATE account SET last_seq = 6 WHERE account_id = 740001;
COMMIT;
BEGIN;
INSERT INTO transaction (account_id, seq, kind, amount, balance_after, created_at, issuer, recorded_by)
	VALUES (740001, 5, 'credit', '1 USD', '65 USD', now(), '', '');
UPDATE account SET last_seq = 5 WHERE account_id = 740001;
COMMIT;
BEGIN;
INSERT INTO transaction (account_id, seq, kind, amount, balance_after, created_at, issuer, recorded_by)
	VALUES (740009, 1, 'credit', '1 USD', '2 USD', now(), '', '');
INSERT INTO account VALUES (740009, now(), 1, '2 USD', '0 USD', '0 USD', 0, 'USD', 'guard/soundness first');
INSERT INTO open_credit VALUES (740009, 'infinity', 1, '2 USD');
COMMIT;
UPDATE account SET last_seq = 3 WHERE account_id = 740001;
UPDATE open_credit SET seq = 3 WHERE account_id = 740001 AND seq = 1;
UPDATE open_credit SET seq = 9 WHERE account_id = 740001 AND seq = 1;

-- another currency
BEGIN;
INSERT INTO transaction (account_id, seq, kind, amount, balance_after, created_at, issuer, recorded_by)
	VALUES (740001, 5, 'credit', '1 EUR', '66 EUR', now(), '', '');
UPDATE account SET last_seq = 5, balance = '66 USD' WHERE account_id = 740001;
INSERT INTO open_credit VALUES (740001, 'infinity', 5, '1 EUR');
COMMIT;
UPDATE open_credit SET remaining = '10 EUR' WHERE account_id = 740001 AND seq = 1;
INSERT INTO hold (account_id, hold_id, amount, captured, status, created_at, issuer, recorded_by)
	VALUES (740001, 2, '1 EUR', '0 EUR', 'open', now(), '', '');
BEGIN;
INSERT INTO hold (account_id, hold_id, amount, captured, status, created_at, closed_at, issuer, recorded_by)
	VALUES (740001, 2, '1 EUR', '0 EUR', 'voided', now(), now(), '', '');
UPDATE account SET last_hold_id = 2 WHERE account_id = 740001;
COMMIT;

-- more left of a credit than it brought, though the sum is right
BEGIN;
UPDATE open_credit SET remaining = '31 USD' WHERE account_id = 740001 AND seq = 1;
UPDATE open_credit SET remaining = '19 USD' WHERE account_id = 740001 AND seq = 2;
COMMIT;
-- nor in two rows
BEGIN;
INSERT INTO open_credit VALUES (740001, 'infinity', 1, '21 USD');
UPDATE open_credit SET remaining = '19 USD' WHERE account_id = 740001 AND seq = 2;
COMMIT;
-- an adjustment makes room for it
BEGIN;
INSERT INTO transaction (account_id, seq, kind, amount, balance_after, created_at, expires_at, issuer, recorded_by, related_seq)
	VALUES (740001, 5, 'adjustment', '25 USD', '90 USD', now(), '2099-01-01', 'admin', 'admin', 1);
UPDATE open_credit SET remaining = '35 USD' WHERE account_id = 740001 AND seq = 1;
UPDATE account SET balance = '90 USD', last_seq = 5 WHERE account_id = 740001;
COMMIT;
SELECT * FROM verify(740001);
-- and another one takes some of it away again
BEGIN;
INSERT INTO transaction (account_id, seq, kind, amount, balance_after, created_at, expires_at, issuer, recorded_by, related_seq)
	VALUES (740001, 6, 'adjustment', '-25 USD', '65 USD', now(), '2099-01-01', 'admin', 'admin', 1);
UPDATE open_credit SET remaining = '30.01 USD' WHERE account_id = 740001 AND seq = 1;
UPDATE open_credit SET remaining = '19.99 USD' WHERE account_id = 740001 AND seq = 2;
UPDATE account SET balance = '65 USD', last_seq = 6 WHERE account_id = 740001;
COMMIT;

-- rows without an account
INSERT INTO transaction (account_id, seq, kind, amount, balance_after, created_at, issuer, recorded_by)
	VALUES (749999, 1, 'credit', '1 USD', '1 USD', now(), '', '');
INSERT INTO open_credit VALUES (749999, 'infinity', 1, '1 USD');
INSERT INTO hold (account_id, hold_id, amount, captured, status, created_at, issuer, recorded_by)
	VALUES (749999, 1, '1 USD', '0 USD', 'open', now(), '', '');
UPDATE open_credit SET account_id = 740002 WHERE account_id = 740001 AND seq = 2;

-- the same by COPY and MERGE
COPY open_credit FROM stdin;
740001	2100-01-01 00:00:00+00	2	1.00 USD
\.
MERGE INTO account a USING (VALUES (740001)) v (account_id) ON a.account_id = v.account_id
	WHEN MATCHED THEN UPDATE SET balance = '91 USD';

-- a trigger of the user that changes the row on its way is seen through
BEGIN;
CREATE FUNCTION public.guard_round_up() RETURNS trigger LANGUAGE plpgsql AS
	$$BEGIN NEW.balance := '100 USD'; RETURN NEW; END$$;
CREATE TRIGGER zz_round_up BEFORE UPDATE ON account FOR EACH ROW EXECUTE FUNCTION public.guard_round_up();
UPDATE account SET credit_line = '1 USD' WHERE account_id = 740001;
COMMIT;

-- what a rollback to a savepoint brings back is judged again
BEGIN;
UPDATE account SET balance = '91 USD' WHERE account_id = 740001;
SAVEPOINT repaired;
UPDATE account SET balance = '90 USD' WHERE account_id = 740001;
SET CONSTRAINTS ALL IMMEDIATE;
ROLLBACK TO repaired;
COMMIT;
-- each statement is judged where the caller wants it so
BEGIN;
SET CONSTRAINTS ALL IMMEDIATE;
UPDATE account SET credit_line = '1 USD' WHERE account_id = 740001;
UPDATE account SET balance = '91 USD' WHERE account_id = 740001;
ROLLBACK;
-- several accounts in one transaction are each judged
BEGIN;
UPDATE account SET balance = '91 USD' WHERE account_id = 740001;
UPDATE account SET credit_line = '30 USD' WHERE account_id = 740002;
COMMIT;
BEGIN;
UPDATE account SET credit_line = '30 USD' WHERE account_id = 740002;
UPDATE account SET credit_line = '30 USD' WHERE account_id = 740001;
UPDATE open_credit SET remaining = '34 USD' WHERE account_id = 740001 AND seq = 1;
COMMIT;

-- without a search_path
SET search_path = '';
UPDATE storecredit.open_credit SET remaining = '34 USD' WHERE account_id = 740001 AND seq = 1;
BEGIN;
UPDATE storecredit.account SET credit_line = '2 USD' WHERE account_id = 740001;
COMMIT;

-- which debit drew on which credit is beyond it, and for verify() to find
BEGIN;
UPDATE storecredit.open_credit SET remaining = '34 USD' WHERE account_id = 740001 AND seq = 1;
UPDATE storecredit.open_credit SET remaining = '41 USD' WHERE account_id = 740001 AND seq = 2;
SET CONSTRAINTS ALL IMMEDIATE;
SELECT rule FROM storecredit.verify(740001);
ROLLBACK;

-- rows that come by replication are not judged one table at a time
SET session_replication_role = replica;
BEGIN;
UPDATE storecredit.account SET balance = '91 USD' WHERE account_id = 740001;
COMMIT;
BEGIN;
UPDATE storecredit.account SET balance = '90 USD' WHERE account_id = 740001;
COMMIT;
RESET session_replication_role;

-- a program is told which rule, of which table
CREATE FUNCTION pg_temp.refusal(statement text, OUT state text, OUT rule text, OUT table_name text) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	SET CONSTRAINTS ALL IMMEDIATE;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, rule = CONSTRAINT_NAME, table_name = TABLE_NAME;
END$$;
SELECT * FROM pg_temp.refusal('UPDATE storecredit.open_credit SET remaining = ''1 USD'' WHERE account_id = 740001');
SELECT * FROM pg_temp.refusal('UPDATE storecredit.account SET last_seq = 9 WHERE account_id = 740001');

SELECT balance, held, last_seq FROM storecredit.account WHERE account_id IN (740001, 740002) ORDER BY account_id;
SELECT v.* FROM (VALUES (740001), (740002)) a (id), LATERAL storecredit.verify(a.id) v;

-- many accounts with many credits at once are read some at a time; whichever of them is not sound is found
CREATE FUNCTION pg_temp.write_accounts(step integer, VARIADIC spoilt text[] DEFAULT '{}') RETURNS void LANGUAGE plpgsql
SET search_path = storecredit, pg_catalog AS $$
BEGIN
	INSERT INTO account SELECT 750000 + n * step, '2024-01-01', 20, '20 USD', '0 USD', '0 USD', 0, 'USD', 'guard/many ' || n
	FROM generate_series(1, 40) AS n;
	INSERT INTO transaction (account_id, seq, kind, amount, balance_after, created_at, issuer, recorded_by)
	SELECT 750000 + n * step, s, 'credit', '1 USD', money_ccy_from_minor(s * 100, 'USD'), '2024-01-01', 'admin', 'admin'
	FROM generate_series(1, 40) AS n, generate_series(1, 20) AS s;
	INSERT INTO open_credit SELECT 750000 + n * step, 'infinity', s, '1 USD' FROM generate_series(1, 40) AS n, generate_series(1, 20) AS s;
	FOR i IN 1 .. cardinality(spoilt) LOOP
		EXECUTE spoilt[i];
	END LOOP;
	SET CONSTRAINTS ALL IMMEDIATE;
END$$;
CREATE FUNCTION pg_temp.try_accounts(step integer, VARIADIC spoilt text[] DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	found text;
BEGIN
	PERFORM pg_temp.write_accounts(step, VARIADIC spoilt);
	RETURN 'sound: ' || (SELECT count(*) FROM storecredit.account WHERE owner LIKE 'guard/many %');
EXCEPTION WHEN check_violation THEN
	GET STACKED DIAGNOSTICS found = PG_EXCEPTION_DETAIL;
	RETURN found;
END$$;
BEGIN;
SELECT pg_temp.try_accounts(1);
ROLLBACK;
BEGIN;
SELECT pg_temp.try_accounts(7);
ROLLBACK;
SELECT n, pg_temp.try_accounts(1, format('UPDATE account SET balance = ''21 USD'' WHERE account_id = %s', 750000 + n)) AS balance,
	pg_temp.try_accounts(1, format('DELETE FROM open_credit WHERE account_id = %s AND seq = %s', 750000 + n, 1 + n % 20)) AS gone,
	pg_temp.try_accounts(1, format('UPDATE open_credit SET remaining = CASE seq WHEN %2$s THEN ''1.50 USD''::money_ccy ELSE ''0.50 USD'' END WHERE account_id = %1$s AND seq IN (%2$s, %3$s)', 750000 + n, 1 + n % 20, 1 + (n + 5) % 20)) AS larger
FROM unnest('{1,2,3,17,18,19,33,34,40}'::int[]) AS n;
-- also the credit of an account that would be the next in the row
SELECT pg_temp.try_accounts(1, $$INSERT INTO open_credit VALUES (750041, 'infinity', 1, '1 USD')$$);
