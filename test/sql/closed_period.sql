-- A closed period: once the books are closed, nothing dated before that can be written, by whatever way.
SET client_min_messages = warning;
SELECT storecredit.create_ledger();
SET search_path = "$user", public, storecredit;
SET timezone = 'UTC';
SET datestyle = 'ISO';
ALTER SEQUENCE account_number_seq RESTART 970001;
\set SHOW_CONTEXT never

-- it is a point in time, or none, and a superuser's to set
SET storecredit.locked_until = 'tomorrow';
SET storecredit.locked_until = 'infinity';
SET storecredit.locked_until = 'soon';
SHOW storecredit.locked_until;
CREATE ROLE regress_storecredit_clerk;
SET ROLE regress_storecredit_clerk;
SET storecredit.locked_until = '2026-01-01Z';
RESET ROLE;
DROP ROLE regress_storecredit_clerk;

-- given a credit and a hold of December
SET storecredit.test_clock = '2026-12-20 09:00+00';
SELECT seq FROM store_credit_credit('closed/one', '50 USD', expires_at => '2026-12-30Z');
SELECT hold_id FROM store_credit_authorize('closed/one', '5 USD', expires_at => '2026-12-29Z');
SELECT seq FROM store_credit_debit('closed/one', '10 USD', idempotency_key => 'k');

-- when the books are closed until the new year, a clock that is behind writes nothing, fast or through statements
SET storecredit.locked_until = '2027-01-01';
SELECT store_credit_debit('closed/one', '1 USD');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT store_credit_credit('closed/new', '1 USD');
SELECT store_credit_authorize('closed/one', '1 USD');
SELECT store_credit_void(970001, 1);
SELECT store_credit_edit(970001, 1, memo => 'later');
SELECT store_credit_debit_many('[{"account_id": 970001, "amount": "1 USD"}]');
SELECT store_credit_account_debit('closed/one', '{"debitAmount": {"amount": "1", "currencyCode": "USD"}}');
SET storecredit.fast_path = off;
SELECT store_credit_debit('closed/one', '1 USD');
RESET storecredit.fast_path;
SET storecredit.test_clock = '2026-12-31 23:59:59.999999+00';
SELECT store_credit_credit('closed/one', '1 USD');
SELECT store_credit_expire();
-- a refusal comes before, and a replay writes nothing
SELECT store_credit_debit('closed/one', '1000 USD');
SELECT seq FROM store_credit_debit('closed/one', '10 USD', idempotency_key => 'k');

-- nor do statements of one's own; a date after it is theirs to choose
BEGIN;
INSERT INTO transaction (account_id, seq, kind, amount, balance_after, created_at, issuer, recorded_by)
	VALUES (970001, 3, 'debit', '-1 USD', '39 USD', '2026-12-31 23:00Z', 'me', 'me');
ROLLBACK;
BEGIN;
INSERT INTO hold (account_id, hold_id, amount, captured, status, created_at, issuer, recorded_by)
	VALUES (970001, 2, '1 USD', '0 USD', 'open', '2026-12-31 23:00Z', 'me', 'me');
ROLLBACK;
BEGIN;
UPDATE hold SET status = 'voided', closed_at = '2026-12-31 23:00Z' WHERE account_id = 970001;
ROLLBACK;
-- what was written before can still be blanked
UPDATE transaction SET memo = NULL WHERE account_id = 970001;
SELECT owner, balance, held, last_seq FROM account WHERE owner LIKE 'closed/%';

-- from its end on everything goes on; what fell due in December is booked in January
SET storecredit.test_clock = '2027-01-01 00:00+00';
SELECT seq, kind, amount, created_at FROM store_credit_credit('closed/one', '1 USD');
SELECT seq, kind, amount, created_at, expires_at FROM transaction WHERE account_id = 970001 ORDER BY seq;
SELECT status, closed_at FROM hold WHERE account_id = 970001;
SELECT * FROM verify(970001);
RESET storecredit.locked_until;
