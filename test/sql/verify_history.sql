-- verify() of broken histories: each rule is broken once, and the exact row must tell.
\getenv tests PG_ABS_SRCDIR
\set fixture :tests '/fixtures/verify_ledger.sql'
BEGIN;
\set ECHO none
\i :fixture
\set ECHO all

-- balance_is_sum_of_transactions, balance_is_last_balance_after, balance_is_credits_and_holds: a balance was raised
UPDATE account SET balance = '80.01 USD' WHERE account_id = 9001;
SELECT * FROM verify();
ROLLBACK TO sound;

-- balance_after_chain: in one entry, which the one after it shows as well
UPDATE transaction SET balance_after = '120.01 USD' WHERE account_id = 9001 AND seq = 3;
SELECT * FROM verify();
ROLLBACK TO sound;

-- balance_is_last_balance_after: in the last one
UPDATE transaction SET balance_after = '80.01 USD' WHERE account_id = 9001 AND seq = 4;
SELECT * FROM verify();
ROLLBACK TO sound;

-- balance_after_chain: the balances of the first entries were shifted, which only the ends of that part show
UPDATE transaction SET balance_after = balance_after - '20.00 USD' WHERE account_id = 9001 AND seq < 4;
SELECT * FROM verify();
ROLLBACK TO sound;

-- seq_without_gaps: an entry was taken out, and its effect put into the next one
DELETE FROM transaction WHERE account_id = 9001 AND seq = 3;
UPDATE transaction SET amount = '-70.00 USD', draws = '{2,5000,1,2000}' WHERE account_id = 9001 AND seq = 4;
SELECT * FROM verify();
ROLLBACK TO sound;

-- seq_without_gaps: gaps at the front and in the middle, the same seq twice
UPDATE transaction SET seq = 5 WHERE account_id = 9002 AND seq = 3;
UPDATE transaction SET seq = 2 WHERE account_id = 9006 AND seq = 1;
INSERT INTO transaction SELECT (t).* FROM transaction t WHERE account_id = 9003 AND seq = 2;
SELECT * FROM verify() WHERE rule = 'seq_without_gaps';
ROLLBACK TO sound;

-- last_seq
UPDATE account SET last_seq = 3 WHERE account_id = 9001;
UPDATE account SET last_seq = 1 WHERE account_id = 9007;
SELECT * FROM verify();
ROLLBACK TO sound;

-- kind
UPDATE transaction SET kind = 'gift' WHERE account_id = 9006;
SELECT * FROM verify() WHERE rule = 'kind';
ROLLBACK TO sound;

-- amount_sign: a debit that brings money, a credit of nothing, an expiration that brings money
UPDATE transaction SET amount = '30.00 USD' WHERE account_id = 9001 AND seq = 3;
INSERT INTO transaction (account_id, seq, kind, amount, balance_after, created_at, issuer, recorded_by)
VALUES (9007, 1, 'credit', '0 JPY', '0 JPY', now(), 'shop', 'shop');
UPDATE transaction SET amount = '10.00 USD' WHERE account_id = 9003 AND seq = 2;
SELECT * FROM verify() WHERE rule = 'amount_sign';
ROLLBACK TO sound;

-- currency: of the account, and in every column of money
UPDATE account SET currency = 'EUR' WHERE account_id = 9007;
UPDATE account SET currency = 'usd', last_seq = 0, balance = '0 USD', held = '0 USD', credit_line = '0 USD', max_balance = '5.00 EUR'
	WHERE account_id = 9006;
DELETE FROM transaction WHERE account_id = 9006;
DELETE FROM hold WHERE account_id = 9006;
UPDATE account SET last_hold_id = 0 WHERE account_id = 9006;
UPDATE transaction SET amount = '100.00 EUR' WHERE account_id = 9001 AND seq = 1;
UPDATE transaction SET balance_after = '150.00 CHF' WHERE account_id = 9001 AND seq = 2;
UPDATE open_credit SET remaining = '10.00 CAD' WHERE account_id = 9002;
UPDATE hold SET amount = '25.00 AUD', captured = '5.00 NZD' WHERE account_id = 9004 AND hold_id = 2;
SELECT * FROM verify();
ROLLBACK TO sound;

-- idempotency_key_unique: within an account, over transactions, holds and what closed these
UPDATE transaction SET idempotency_key = 'order 3', request_hash = 1 WHERE account_id = 9001 AND seq IN (2, 4);
UPDATE hold SET idempotency_key = 'cart 2' WHERE account_id = 9004 AND hold_id = 3;
UPDATE transaction SET idempotency_key = 'void 3', request_hash = 1 WHERE account_id = 9004 AND seq = 2;
UPDATE hold SET closing_key = 'cart 1', closing_hash = 1 WHERE account_id = 9009;
SELECT * FROM verify();
ROLLBACK TO sound;

-- idempotency_key_hash: keys whose arguments are not known, and the other way round
ALTER TABLE transaction DROP CONSTRAINT transaction_idempotency_check;
UPDATE transaction SET request_hash = NULL WHERE account_id = 9001 AND seq = 1;
UPDATE transaction SET request_hash = 1 WHERE account_id = 9001 AND seq = 2;
UPDATE hold SET request_hash = NULL WHERE account_id = 9004 AND hold_id = 1;
UPDATE hold SET idempotency_key = NULL WHERE account_id = 9004 AND hold_id = 2;
UPDATE hold SET closing_hash = NULL WHERE account_id = 9004 AND hold_id = 3;
UPDATE hold SET closing_hash = 1 WHERE account_id = 9006;
SELECT * FROM verify();
ROLLBACK TO sound;

-- related_seq: of nothing, of an entry of another kind, of a later one, of the entry itself
UPDATE transaction SET related_seq = NULL WHERE account_id = 9003 AND seq = 2;
SELECT * FROM verify() WHERE rule = 'related_seq';
UPDATE transaction SET related_seq = 7 WHERE account_id = 9003 AND seq = 2;
SELECT * FROM verify() WHERE rule = 'related_seq';
UPDATE transaction SET related_seq = 3 WHERE account_id = 9003 AND seq = 2;
SELECT * FROM verify() WHERE rule = 'related_seq';
UPDATE transaction SET related_seq = 2 WHERE account_id = 9003 AND seq = 2;
SELECT * FROM verify() WHERE rule = 'related_seq';
UPDATE transaction SET related_seq = 1 WHERE account_id = 9005 AND seq = 3;
UPDATE transaction SET related_seq = 2 WHERE account_id = 9005 AND seq IN (4, 5);
SELECT * FROM verify(9005) WHERE rule = 'related_seq';
ROLLBACK TO sound;

-- expires_at: a credit that was gone when it was issued or changed, an expiration before its time, one at another time than
-- its credit's, and of what does not expire
UPDATE transaction SET created_at = '2026-07-01 00:00:00+00' WHERE account_id = 9001 AND seq = 2;
UPDATE transaction SET created_at = '2026-12-01 00:00:00+00' WHERE account_id = 9008 AND seq = 7;
UPDATE transaction SET created_at = '2025-12-31 23:59:59+00' WHERE account_id = 9003 AND seq = 2;
UPDATE transaction SET expires_at = '2027-01-01 00:00:00+00' WHERE account_id = 9008 AND seq = 3;
SELECT * FROM verify();
UPDATE transaction SET created_at = now(), expires_at = '2026-01-02 00:00:00+00' WHERE account_id = 9003 AND seq = 2;
SELECT * FROM verify(9003);
ROLLBACK TO sound;

-- account_limits
UPDATE account SET max_balance = '-1 JPY', credit_line = '-1 JPY', held = '-1 JPY', last_hold_id = -1, last_seq = -1
	WHERE account_id = 9007;
SELECT * FROM verify();
ROLLBACK TO sound;

-- available_not_negative: more spent than the credit line allows
UPDATE account SET credit_line = '39.99 USD' WHERE account_id = 9006;
SELECT * FROM verify();
ROLLBACK TO sound;

-- available_not_negative: overdue money does not count
UPDATE open_credit SET expires_at = '2026-05-01 00:00:00+00' WHERE account_id = 9003;
UPDATE transaction SET expires_at = '2026-05-01 00:00:00+00' WHERE account_id = 9003 AND kind = 'credit' AND seq > 1;
SELECT * FROM verify();
UPDATE account SET held = '0.01 USD' WHERE account_id = 9003;
SELECT * FROM verify();
ROLLBACK;
