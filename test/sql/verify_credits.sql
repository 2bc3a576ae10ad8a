-- verify() of what was drawn from credits, and of what is left of them.
\getenv tests PG_ABS_SRCDIR
\set fixture :tests '/fixtures/verify_ledger.sql'
BEGIN;
\set ECHO none
\i :fixture
\set ECHO all

-- credit_remaining: too much is left, and the balance knows nothing of it
UPDATE open_credit SET remaining = '80.01 USD' WHERE account_id = 9001;
SELECT * FROM verify();
ROLLBACK TO sound;

-- credit_remaining: a credit's money is moved to another credit, which no sum shows
UPDATE open_credit SET remaining = '24.00 USD' WHERE account_id = 9003 AND seq = 3;
UPDATE open_credit SET remaining = '6.00 USD' WHERE account_id = 9003 AND seq = 4;
SELECT * FROM verify();
ROLLBACK TO sound;

-- credit_remaining: a row is lost, and one of a used-up credit is left behind
DELETE FROM open_credit WHERE account_id = 9001;
INSERT INTO open_credit VALUES (9001, '2026-07-01 00:00:00+00', 2, '80.00 USD');
SELECT * FROM verify();
ROLLBACK TO sound;

-- credit_remaining: a row with nothing in it, and two rows of one credit
INSERT INTO open_credit VALUES (9001, '2026-07-01 00:00:00+00', 2, '0.00 USD');
UPDATE open_credit SET remaining = '20.00 USD' WHERE account_id = 9003 AND seq = 3;
INSERT INTO open_credit VALUES (9003, '2026-12-01 00:00:00+00', 3, '5.00 USD');
SELECT * FROM verify();
ROLLBACK TO sound;

-- open_credit_is_credit: rows of a debit, and of nothing
INSERT INTO open_credit VALUES (9001, 'infinity', 3, '1.00 USD'), (9001, 'infinity', 77, '1.00 USD');
SELECT * FROM verify();
ROLLBACK TO sound;

-- open_credit_expiry: it would be gone too early, too late, or never
UPDATE open_credit SET expires_at = '2026-12-31 00:00:00+00' WHERE account_id IN (9001, 9003);
SELECT * FROM verify();
UPDATE open_credit SET expires_at = 'infinity' WHERE account_id IN (9001, 9003);
SELECT * FROM verify();
ROLLBACK TO sound;

-- debit_allocation: less was drawn than taken, though there was money enough
UPDATE transaction SET draws = '{2,2000,1,1000}' WHERE account_id = 9001 AND seq = 4;
UPDATE open_credit SET remaining = '90.00 USD' WHERE account_id = 9001;
SELECT * FROM verify();
ROLLBACK TO sound;

-- draw_order: on a credit that expires later, before the one that expires first
UPDATE transaction SET draws = '{1,2000,2,2000}' WHERE account_id = 9001 AND seq = 4;
UPDATE transaction SET draws = '{2,1000,1,5000}' WHERE account_id = 9008 AND seq = 3;
SELECT * FROM verify() WHERE rule = 'draw_order';
ROLLBACK TO sound;

-- draw_order: the credit that expires first was left out
UPDATE transaction SET draws = '{1,3000}' WHERE account_id = 9001 AND seq = 3;
UPDATE transaction SET draws = '{2,4000}' WHERE account_id = 9001 AND seq = 4;
UPDATE open_credit SET remaining = '70.00 USD' WHERE account_id = 9001;
INSERT INTO open_credit VALUES (9001, '2026-07-01 00:00:00+00', 2, '10.00 USD');
SELECT * FROM verify();
ROLLBACK TO sound;

-- debit_allocation: more was drawn than taken
UPDATE transaction SET draws = '{2,2000,1,3000}' WHERE account_id = 9001 AND seq = 4;
UPDATE open_credit SET remaining = '70.00 USD' WHERE account_id = 9001;
SELECT * FROM verify();
ROLLBACK TO sound;

-- debit_allocation: more came from the credit line than had to
UPDATE transaction SET draws = NULL WHERE account_id = 9002 AND seq = 2;
SELECT * FROM verify();
ROLLBACK TO sound;

-- credit_overdrawn: a credit paid more than it had
UPDATE transaction SET draws = '{2,4000}' WHERE account_id = 9001 AND seq = 4;
UPDATE open_credit SET remaining = '100.00 USD' WHERE account_id = 9001;
SELECT * FROM verify();
ROLLBACK TO sound;

-- credit_overdrawn: more was given back to a credit than was drawn from it, though it was used up later
INSERT INTO transaction (account_id, seq, kind, amount, balance_after, related_seq, draws, created_at, issuer, recorded_by)
VALUES (9001, 5, 'debit_revert', '40.00 USD', '120.00 USD', 4, '{1,4000}', now(), 'shop', 'shop'),
	(9001, 6, 'debit', '-120.00 USD', '0.00 USD', NULL, '{1,12000}', now(), 'shop', 'shop');
DELETE FROM open_credit WHERE account_id = 9001;
UPDATE account SET balance = '0.00 USD', last_seq = 6 WHERE account_id = 9001;
SELECT * FROM verify();
ROLLBACK TO sound;

-- credit_overdrawn: adjusted below what was used of it
UPDATE transaction SET amount = '-60.01 USD', balance_after = '-0.01 USD' WHERE account_id = 9005 AND seq = 4;
UPDATE transaction SET amount = '-0.01 USD', balance_after = '-0.02 USD' WHERE account_id = 9005 AND seq = 5;
UPDATE account SET balance = '-0.02 USD', credit_line = '1.00 USD' WHERE account_id = 9005;
SELECT * FROM verify();
ROLLBACK TO sound;

-- debit_reverted: more was given back, over all, than the debit took
INSERT INTO transaction (account_id, seq, kind, amount, balance_after, related_seq, draws, created_at, issuer, recorded_by)
VALUES (9001, 5, 'debit_revert', '20.00 USD', '100.00 USD', 3, '{2,2000}', now(), 'shop', 'shop'),
	(9001, 6, 'debit_revert', '10.01 USD', '110.01 USD', 3, '{2,1001}', now(), 'shop', 'shop');
INSERT INTO open_credit VALUES (9001, '2026-07-01 00:00:00+00', 2, '30.01 USD');
UPDATE account SET balance = '110.01 USD', last_seq = 6 WHERE account_id = 9001;
SELECT * FROM verify();
ROLLBACK TO sound;

-- debit_revert_allocation: more than was reverted went to the credits
UPDATE transaction SET draws = '{1,2001}' WHERE account_id = 9005 AND seq = 3;
SELECT * FROM verify();
ROLLBACK TO sound;

-- credit_line_repayment: too little, too much, without need
UPDATE transaction SET draws = NULL WHERE account_id = 9002 AND seq = 3;
SELECT * FROM verify();
UPDATE transaction SET draws = '{3,3500}' WHERE account_id = 9002 AND seq = 3;
SELECT * FROM verify();
UPDATE transaction SET draws = '{1,500}' WHERE account_id = 9002 AND seq = 1;
SELECT * FROM verify();
ROLLBACK TO sound;

-- draws: on a later credit, a debit, nothing; of nothing and less; of another credit's money to pay the credit line
UPDATE transaction SET draws = '{1,3000}' WHERE account_id = 9001 AND seq = 4;
UPDATE transaction SET draws = '{4,1000,3,1000,77,1000}' WHERE account_id = 9001 AND seq = 3;
SELECT * FROM verify() WHERE rule = 'draws';
UPDATE transaction SET draws = '{2,0,1,3001,1,-1}' WHERE account_id = 9001 AND seq = 3;
SELECT * FROM verify() WHERE rule = 'draws';
UPDATE transaction SET draws = '{1,3000}' WHERE account_id = 9002 AND seq = 3;
SELECT * FROM verify(9002) WHERE rule = 'draws';
ROLLBACK TO sound;

-- draws: not pairs
UPDATE transaction SET draws = '{2,2000,1}' WHERE account_id = 9001 AND seq = 4;
UPDATE transaction SET draws = '{NULL,3000}' WHERE account_id = 9001 AND seq = 3;
UPDATE transaction SET draws = '[0:1]={1,2000}' WHERE account_id = 9002 AND seq = 2;
UPDATE transaction SET draws = '{{3,1000},{3,2000}}' WHERE account_id = 9002 AND seq = 3;
SELECT * FROM verify() WHERE rule = 'draws';
ROLLBACK TO sound;

-- draws: by entries that draw on nothing
UPDATE transaction SET draws = '{1,1000}' WHERE account_id = 9003 AND seq = 2;
SELECT * FROM verify();
ROLLBACK;
