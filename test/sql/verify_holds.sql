-- verify() of holds.
\getenv tests PG_ABS_SRCDIR
\set fixture :tests '/fixtures/verify_ledger.sql'
BEGIN;
\set ECHO none
\i :fixture
\set ECHO all

-- held_is_open_holds: held money that no hold holds, and the other way round
UPDATE account SET held = '1 JPY', credit_line = '1 JPY' WHERE account_id = 9007;
UPDATE account SET held = '0.00 USD' WHERE account_id = 9004;
SELECT * FROM verify();
ROLLBACK TO sound;

-- a hold that was closed, and its money neither given back nor taken
UPDATE hold SET status = 'voided', closed_at = now() WHERE account_id = 9004 AND hold_id = 2;
SELECT * FROM verify();
ROLLBACK TO sound;

-- hold_id_without_gaps, last_hold_id
UPDATE hold SET hold_id = 4 WHERE account_id = 9004 AND hold_id = 3;
UPDATE account SET last_hold_id = 2 WHERE account_id = 9006;
SELECT * FROM verify();
ROLLBACK TO sound;

-- hold_amounts
UPDATE hold SET amount = '0.00 USD' WHERE account_id = 9004 AND hold_id = 3;
UPDATE hold SET amount = '4.99 USD', draws = NULL WHERE account_id = 9004 AND hold_id = 2;
UPDATE hold SET captured = '-0.01 USD' WHERE account_id = 9006;
SELECT * FROM verify() WHERE rule = 'hold_amounts';
ROLLBACK TO sound;

-- hold_status
UPDATE hold SET status = 'lost' WHERE account_id = 9004 AND hold_id = 1;
UPDATE hold SET closed_at = now() WHERE account_id = 9004 AND hold_id = 2;
UPDATE hold SET closed_at = NULL WHERE account_id = 9004 AND hold_id = 3;
SELECT * FROM verify();
ROLLBACK TO sound;

-- hold_captured: more or less than the debits that name the hold
UPDATE hold SET captured = '29.99 USD' WHERE account_id = 9004 AND hold_id = 1;
UPDATE transaction SET hold_id = NULL WHERE account_id = 9004 AND seq = 3;
SELECT * FROM verify();
ROLLBACK TO sound;

-- debit_hold: a debit of a hold that is not there
UPDATE transaction SET hold_id = 4 WHERE account_id = 9004 AND seq = 2;
SELECT * FROM verify();
ROLLBACK TO sound;

-- hold_allocation: more was set aside than is held
UPDATE hold SET draws = '{1,2001}' WHERE account_id = 9004 AND hold_id = 2;
UPDATE open_credit SET remaining = '44.99 USD' WHERE account_id = 9004;
UPDATE account SET balance = '64.99 USD' WHERE account_id = 9004;
SELECT * FROM verify() WHERE rule = 'hold_allocation';
ROLLBACK TO sound;

-- hold_allocation: too little, so that the credit has what is held as well
UPDATE hold SET draws = '{1,1500}' WHERE account_id = 9004 AND hold_id = 2;
SELECT * FROM verify();
ROLLBACK TO sound;

-- draws of a hold: on a debit, on nothing, not pairs
UPDATE hold SET draws = '{2,1000,9,1000}' WHERE account_id = 9004 AND hold_id = 2;
UPDATE hold SET draws = '{1}' WHERE account_id = 9006;
SELECT * FROM verify() WHERE rule = 'draws';
ROLLBACK TO sound;

-- a debit that captures a hold may take what the hold took from the credit line
UPDATE hold SET status = 'captured', captured = amount, closed_at = now(), draws = NULL WHERE account_id = 9006;
INSERT INTO transaction (account_id, seq, kind, amount, balance_after, hold_id, draws, created_at, issuer, recorded_by)
VALUES (9006, 2, 'debit', '-100.00 USD', '-40.00 USD', 1, '{1,6000}', now(), 'shop', 'shop');
UPDATE account SET last_seq = 2, balance = '-40.00 USD', held = '0.00 USD' WHERE account_id = 9006;
SELECT * FROM verify();

-- and no more than that
UPDATE transaction SET draws = '{1,5900}' WHERE account_id = 9006 AND seq = 2;
INSERT INTO open_credit VALUES (9006, 'infinity', 1, '1.00 USD');
SELECT * FROM verify();
ROLLBACK TO sound;

-- while money was held, a debit may have taken from the credit line what lay in a credit
INSERT INTO transaction (account_id, seq, kind, amount, balance_after, draws, created_at, issuer, recorded_by)
VALUES (9006, 2, 'credit', '70.00 USD', '130.00 USD', '{2,4000}', now(), 'shop', 'shop'),
	(9006, 3, 'debit', '-50.00 USD', '80.00 USD', '{2,3000}', now(), 'shop', 'shop');
UPDATE account SET last_seq = 3, balance = '80.00 USD' WHERE account_id = 9006;
SELECT * FROM verify();

-- but not what was never held
UPDATE transaction SET draws = NULL WHERE account_id = 9006 AND seq = 3;
INSERT INTO open_credit VALUES (9006, 'infinity', 2, '30.00 USD');
SELECT * FROM verify();
ROLLBACK;
