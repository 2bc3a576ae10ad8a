-- What a hold is for stays as it was authorized; a closed hold stays closed.
SET client_min_messages = warning;
SELECT storecredit.create_ledger();
SET search_path = storecredit, public;
\set SHOW_CONTEXT never

-- given: 50.00 USD of which 30.00 is held, and a hold that was voided
BEGIN;
INSERT INTO account VALUES (730001, '2024-01-01', 1, '50 USD', '30 USD', '0 USD', 2, 'USD', 'guard/hold');
INSERT INTO transaction (account_id, seq, kind, amount, balance_after, created_at, issuer, recorded_by)
	VALUES (730001, 1, 'credit', '50 USD', '50 USD', '2024-01-01', 'admin', 'admin');
INSERT INTO open_credit VALUES (730001, 'infinity', 1, '20 USD');
INSERT INTO hold (account_id, hold_id, amount, captured, status, created_at, closed_at, memo, reference, issuer, recorded_by,
		authorized, draws)
	VALUES (730001, 1, '10 USD', '0 USD', 'voided', '2024-01-02', '2024-01-03', 'changed her mind', 'R1', 'shop', 'shop', '{1,1000}', NULL),
		(730001, 2, '30 USD', '0 USD', 'open', '2024-01-02', NULL, NULL, 'R2', 'shop', 'shop', '{1,3000}', '{1,3000}');
COMMIT;

-- an open hold: what it is for stays
UPDATE hold SET amount = '31 USD' WHERE account_id = 730001 AND hold_id = 2;
\echo SQLSTATE :LAST_ERROR_SQLSTATE
UPDATE hold SET hold_id = 3 WHERE account_id = 730001 AND hold_id = 2;
UPDATE hold SET account_id = 730002 WHERE account_id = 730001 AND hold_id = 2;
UPDATE hold SET created_at = now() WHERE account_id = 730001 AND hold_id = 2;
UPDATE hold SET issuer = 'me' WHERE account_id = 730001 AND hold_id = 2;
UPDATE hold SET recorded_by = 'me' WHERE account_id = 730001 AND hold_id = 2;
UPDATE hold SET idempotency_key = 'k', request_hash = 1 WHERE account_id = 730001 AND hold_id = 2;
-- its end and its memo may change
UPDATE hold SET expires_at = 'infinity', memo = 'extended' WHERE account_id = 730001 AND hold_id = 2;

-- what was captured stays captured
BEGIN;
INSERT INTO transaction (account_id, seq, kind, amount, balance_after, created_at, issuer, recorded_by, hold_id, draws)
	VALUES (730001, 2, 'debit', '-12 USD', '38 USD', now(), 'shop', 'shop', 2, '{1,1200}');
UPDATE hold SET captured = '12 USD', draws = '{1,1800}' WHERE account_id = 730001 AND hold_id = 2;
UPDATE account SET balance = '38 USD', held = '18 USD', last_seq = 2 WHERE account_id = 730001;
COMMIT;
UPDATE hold SET captured = '11 USD' WHERE account_id = 730001 AND hold_id = 2;

-- a closed hold is history
UPDATE hold SET status = 'open', closed_at = NULL WHERE account_id = 730001 AND hold_id = 1;
UPDATE hold SET captured = '1 USD' WHERE account_id = 730001 AND hold_id = 1;
UPDATE hold SET expires_at = now() WHERE account_id = 730001 AND hold_id = 1;
UPDATE hold SET memo = 'it was not her' WHERE account_id = 730001 AND hold_id = 1;
UPDATE hold SET memo = NULL WHERE account_id = 730001 AND hold_id = 1;
MERGE INTO hold h USING (VALUES (730001, 1)) v (account_id, hold_id)
	ON h.account_id = v.account_id AND h.hold_id = v.hold_id
	WHEN MATCHED THEN UPDATE SET reference = 'R9';

-- none is deleted
DELETE FROM hold WHERE account_id = 730001 AND hold_id = 1;
\echo SQLSTATE :LAST_ERROR_SQLSTATE
DELETE FROM hold WHERE account_id = 730001 AND hold_id = 2;
SET session_replication_role = replica;
DELETE FROM hold WHERE account_id = 730001 AND hold_id = 1;
UPDATE hold SET memo = 'x' WHERE account_id = 730001 AND hold_id = 1;
RESET session_replication_role;

-- closing it gives the rest back
BEGIN;
UPDATE hold SET status = 'captured', closed_at = now(), draws = NULL WHERE account_id = 730001 AND hold_id = 2;
UPDATE account SET held = '0 USD' WHERE account_id = 730001;
UPDATE open_credit SET remaining = '38 USD' WHERE account_id = 730001 AND seq = 1;
COMMIT;
SELECT hold_id, amount, captured, status, memo FROM hold WHERE account_id = 730001 ORDER BY hold_id;
