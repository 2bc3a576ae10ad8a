-- verify() of what follows a credit or a debit: reverts, refunds, edits, reinstatements, and the credit line in between.
\getenv tests PG_ABS_SRCDIR
\set fixture :tests '/fixtures/verify_ledger.sql'
BEGIN;
\set ECHO none
\i :fixture
\set ECHO all

-- debit_revert_allocation: given back to another credit than the one that was drawn on last
UPDATE transaction SET draws = '{1,1000}' WHERE account_id = 9008 AND seq = 5;
SELECT * FROM verify();
ROLLBACK TO sound;

-- debit_revert_allocation: what came from the credit line is given to a credit
UPDATE transaction SET draws = '{2,1000,1,2000}' WHERE account_id = 9008 AND seq = 5;
SELECT * FROM verify();
ROLLBACK TO sound;

-- debit_revert_allocation: kept from the credits
UPDATE transaction SET draws = NULL WHERE account_id = 9008 AND seq = 8;
SELECT * FROM verify();
ROLLBACK TO sound;

-- instead of a reinstatement, the expiration of what came back: sound, too
UPDATE transaction SET kind = 'expiration', amount = '-10.00 USD', balance_after = '45.00 USD', expires_at = '2026-05-01 00:00:00+00',
	created_at = '2026-06-01 00:00:00+00' WHERE account_id = 9008 AND seq = 9;
UPDATE account SET balance = '45.00 USD' WHERE account_id = 9008;
DELETE FROM open_credit WHERE account_id = 9008 AND seq = 1;
SELECT * FROM verify();
ROLLBACK TO sound;

-- credit_line_repayment: returned to a credit that had not paid
UPDATE transaction SET draws = '{2,-2000}' WHERE account_id = 9008 AND seq = 6;
SELECT * FROM verify();
ROLLBACK TO sound;

-- credit_line_repayment: too much and too little is returned
UPDATE transaction SET draws = '{4,-2001}' WHERE account_id = 9008 AND seq = 6;
SELECT * FROM verify();
UPDATE transaction SET draws = '{4,-1999}' WHERE account_id = 9008 AND seq = 6;
SELECT * FROM verify();
ROLLBACK TO sound;

-- credit_line_repayment: the last to pay did not get back first
INSERT INTO transaction (account_id, seq, kind, amount, balance_after, related_seq, draws, created_at, issuer, recorded_by)
VALUES (9002, 4, 'debit', '-30.00 USD', '-20.00 USD', NULL, '{3,1000}', now(), 'shop', 'shop'),
	(9002, 5, 'credit', '25.00 USD', '5.00 USD', NULL, '{5,2000}', now(), 'shop', 'shop'),
	(9002, 6, 'debit_revert', '50.00 USD', '55.00 USD', 2, '{1,2000}', now(), 'shop', 'shop'),
	(9002, 7, 'adjustment', '0.00 USD', '55.00 USD', NULL, '{5,-2000,3,-1000}', now(), 'storecredit', 'shop');
INSERT INTO open_credit VALUES (9002, 'infinity', 1, '20.00 USD'), (9002, 'infinity', 5, '25.00 USD');
UPDATE account SET balance = '55.00 USD', last_seq = 7 WHERE account_id = 9002;
SELECT * FROM verify();
UPDATE transaction SET draws = '{3,-3000}' WHERE account_id = 9002 AND seq = 7;
UPDATE open_credit SET remaining = '30.00 USD' WHERE account_id = 9002 AND seq = 3;
UPDATE open_credit SET remaining = '5.00 USD' WHERE account_id = 9002 AND seq = 5;
SELECT * FROM verify();
ROLLBACK TO sound;

-- credit_line_repayment: more is paid back than was drawn
UPDATE transaction SET draws = '{1,2001}' WHERE account_id = 9009 AND seq = 3;
SELECT * FROM verify();
ROLLBACK TO sound;

-- draws of such an entry: on a debit, of nothing, both paid and returned
UPDATE transaction SET draws = '{2,2000}' WHERE account_id = 9009 AND seq = 3;
UPDATE transaction SET draws = '{4,-2001,2,1}' WHERE account_id = 9008 AND seq = 6;
SELECT * FROM verify() WHERE rule = 'draws';
UPDATE transaction SET draws = '{1,0}' WHERE account_id = 9009 AND seq = 3;
UPDATE transaction SET draws = '{4,-9223372036854775808}' WHERE account_id = 9008 AND seq = 6;
SELECT * FROM verify() WHERE rule = 'draws';
ROLLBACK TO sound;

-- related_seq: an adjustment is of a credit, unless it pays back or returns
UPDATE transaction SET draws = NULL WHERE account_id = 9009 AND seq = 3;
SELECT * FROM verify();
ROLLBACK TO sound;

-- amount_sign: and then it brings nothing
UPDATE transaction SET amount = '1.00 USD', balance_after = '41.00 USD' WHERE account_id = 9009 AND seq = 3;
UPDATE account SET balance = '41.00 USD' WHERE account_id = 9009;
SELECT * FROM verify();
ROLLBACK TO sound;

-- related_seq: a bonus comes right after its refund; a debit is of nothing
UPDATE transaction SET related_seq = 2 WHERE account_id = 9008 AND seq = 4;
UPDATE transaction SET related_seq = 3 WHERE account_id = 9001 AND seq = 4;
UPDATE transaction SET related_seq = 3 WHERE account_id = 9003 AND seq = 3;
UPDATE transaction SET related_seq = 2 WHERE account_id = 9003 AND seq = 3;
SELECT * FROM verify();
ROLLBACK TO sound;

-- an edit that raises a credit pays back the credit line
UPDATE transaction SET kind = 'adjustment', related_seq = 1, draws = '{1,3000}' WHERE account_id = 9002 AND seq = 3;
UPDATE open_credit SET seq = 1 WHERE account_id = 9002;
SELECT * FROM verify();

-- credit_line_repayment: but it did not; draws: it did with another credit's money
UPDATE transaction SET draws = NULL WHERE account_id = 9002 AND seq = 3;
SELECT * FROM verify();
UPDATE transaction SET draws = '{2,3000}' WHERE account_id = 9002 AND seq = 3;
SELECT * FROM verify() WHERE rule = 'draws';
ROLLBACK TO sound;

-- credit_line_repayment: an edit of the expiry, or a reinstatement, has nothing to pay back
UPDATE transaction SET draws = '{1,500}' WHERE account_id = 9008 AND seq = 9;
UPDATE open_credit SET remaining = '5.00 USD' WHERE account_id = 9008 AND seq = 1;
SELECT * FROM verify();
ROLLBACK TO sound;

-- credit_remaining: an edit of the amount that the credit does not show
UPDATE open_credit SET remaining = '10.00 USD' WHERE account_id = 9008 AND seq = 2;
SELECT * FROM verify();
ROLLBACK TO sound;

-- open_credit_expiry: what the last edit says, and not what was said before
UPDATE open_credit SET expires_at = '2026-07-01 00:00:00+00' WHERE account_id = 9008 AND seq = 2;
SELECT * FROM verify();
UPDATE transaction SET expires_at = NULL WHERE account_id = 9008 AND seq = 7;
SELECT * FROM verify();
UPDATE open_credit SET expires_at = 'infinity' WHERE account_id = 9008 AND seq = 2;
SELECT * FROM verify();
ROLLBACK TO sound;

-- open_credit_expiry: a reinstated credit that would be gone at once
UPDATE open_credit SET expires_at = '2026-05-01 00:00:00+00' WHERE account_id = 9008 AND seq = 1;
SELECT * FROM verify();
ROLLBACK;
