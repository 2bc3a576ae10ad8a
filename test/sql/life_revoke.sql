-- Revocations: what an administrator deletes is what is left of a credit, and the history says who and why.
SET client_min_messages = warning;
SELECT storecredit.create_ledger();
SET search_path = "$user", public, storecredit;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET storecredit.test_clock = '2026-11-27 09:00+00';
ALTER SEQUENCE account_number_seq RESTART 750001;
\set SHOW_CONTEXT never

-- given a credit of 50.00, of which 20.00 are spent
SELECT account_id, seq FROM store_credit_credit('revoke/anna', '50 USD', expires_on => '2026-12-31');
SELECT seq FROM store_credit_credit('revoke/anna', '5 USD');
SELECT seq FROM store_credit_debit('revoke/anna', '20 USD');
-- when it is revoked, 30.00 go
SELECT seq, kind, amount, balance_after, expires_at, category, memo, reference, issuer, recorded_by = session_user AS recorded_by_session, related_seq, metadata, draws
FROM store_credit_revoke(750001, 1, category => 'fraud', memo => 'chargeback', reference => 'Dispute/1', issuer => 'Admin/1', metadata => '{"a": 1}');
SELECT seq, amount, remaining, expires_at FROM credit WHERE account_id = 750001 ORDER BY seq;
SELECT balance, available, next_expiry FROM balance WHERE account_id = 750001;
SELECT debit_seq, credit_seq, amount FROM allocation WHERE account_id = 750001;
-- once
SELECT store_credit_revoke(750001, 1);
-- what was spent of it is not asked back, and if it comes back it is there, to be revoked as well
SELECT seq, draws FROM store_credit_revert(750001, 3, '8 USD');
SELECT balance, available FROM balance WHERE account_id = 750001;
SELECT seq, amount FROM store_credit_revoke(750001, 1);
SELECT balance, available FROM balance WHERE account_id = 750001;

-- with nothing left there is nothing to take back
SELECT account_id, seq FROM store_credit_credit('revoke/ben', '10 USD');
SELECT seq FROM store_credit_debit('revoke/ben', '10 USD');
SELECT store_credit_revoke(750002, 1);
-- nor of one that has ended, booked or not
SELECT seq FROM store_credit_credit('revoke/ben', '10 USD', expires_on => '2026-11-30');
SET storecredit.test_clock = '2026-12-01 00:00+00';
SELECT store_credit_revoke(750002, 3);
SELECT last_seq, balance FROM account WHERE account_id = 750002;
SELECT seq FROM store_credit_credit('revoke/ben', '1 USD');
SELECT store_credit_revoke(750002, 3);
SET storecredit.test_clock = '2026-11-27 09:00+00';

-- nothing is taken from under a checkout: not the held part, and not the rest either
SELECT account_id, seq FROM store_credit_credit('revoke/cleo', '10 USD');
SELECT seq FROM store_credit_credit('revoke/cleo', '10 USD');
SELECT hold_id FROM store_credit_authorize('revoke/cleo', '4 USD', expires_at => '2026-11-27 10:00+00');
SELECT store_credit_revoke(750003, 1);
SELECT balance, held FROM account WHERE account_id = 750003;
-- another credit of the account may go
SELECT seq, amount FROM store_credit_revoke(750003, 2);
-- after a capture what is left may
BEGIN;
SELECT seq FROM store_credit_capture(750003, 1, '3 USD');
SELECT seq, amount FROM store_credit_revoke(750003, 1);
ROLLBACK;
-- but not while a part is still held
BEGIN;
SELECT seq FROM store_credit_capture(750003, 1, '3 USD', final => false);
SELECT store_credit_revoke(750003, 1);
ROLLBACK;
BEGIN;
SELECT status FROM store_credit_void(750003, 1);
SELECT seq, amount FROM store_credit_revoke(750003, 1);
ROLLBACK;
-- a hold that has ended keeps nothing, whatever else is held
SELECT seq FROM store_credit_credit('revoke/cleo', '10 USD', expires_on => '2026-11-30');
SELECT hold_id, draws FROM store_credit_authorize('revoke/cleo', '10 USD');
SET storecredit.test_clock = '2026-11-27 09:59:59.999999+00';
SELECT store_credit_revoke(750003, 1);
SET storecredit.test_clock = '2026-11-27 10:00+00';
SELECT seq, amount FROM store_credit_revoke(750003, 1);
SELECT hold_id, status FROM hold WHERE account_id = 750003 ORDER BY hold_id;
SELECT balance, held, available FROM balance WHERE account_id = 750003;

-- the same key gives the same answer, also when something has come back to the credit since
SELECT account_id, seq FROM store_credit_credit('revoke/dora', '10 USD');
SELECT seq FROM store_credit_debit('revoke/dora', '4 USD');
SELECT seq, amount FROM store_credit_revoke(750004, 1, idempotency_key => 'k');
SELECT seq FROM store_credit_revert(750004, 2);
SELECT seq, amount FROM store_credit_revoke(750004, 1, idempotency_key => 'k');
SELECT store_credit_revoke(750004, 1, memo => 'other', idempotency_key => 'k');
SELECT store_credit_revoke(750004, 2, idempotency_key => 'k');
SELECT last_seq, balance FROM account WHERE account_id = 750004;

-- what no call can mean
SELECT store_credit_revoke(750004, 2);
SELECT store_credit_revoke(750004, 3);
SELECT store_credit_revoke(750004, 0);
SELECT store_credit_revoke(750999, 1);
SELECT store_credit_revoke(NULL, 1);
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT store_credit_revoke(750004, NULL);
\echo SQLSTATE :LAST_ERROR_SQLSTATE

-- what is told to the customer
SELECT seq FROM store_credit_revoke(750004, 1, notify => true);
SELECT event, seq FROM notification WHERE account_id = 750004;

SELECT * FROM verify();
