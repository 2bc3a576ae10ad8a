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

-- hold_status: open though all is captured, captured though nothing is, a void's key on one that was not voided
UPDATE hold SET status = 'open', closed_at = NULL WHERE account_id = 9004 AND hold_id = 1;
UPDATE hold SET closing_key = 'void 2', closing_hash = 1 WHERE account_id = 9004 AND hold_id = 2;
UPDATE hold SET status = 'captured', closing_key = NULL, closing_hash = NULL WHERE account_id = 9004 AND hold_id = 3;
SELECT * FROM verify();
ROLLBACK TO sound;

-- hold_status: closed as voided or captured when it had ended, as expired when it had not, or has no end
UPDATE hold SET expires_at = closed_at WHERE account_id = 9004 AND hold_id = 1;
UPDATE hold SET expires_at = closed_at - interval '1 s' WHERE account_id = 9004 AND hold_id = 3;
UPDATE hold SET status = 'expired', closing_key = NULL, closing_hash = NULL WHERE account_id = 9009;
SELECT account_id, rule, expected FROM verify();
ROLLBACK TO sound;

-- hold_captured: more or less than the debits that name the hold
UPDATE hold SET captured = '29.99 USD' WHERE account_id = 9004 AND hold_id = 1;
UPDATE transaction SET hold_id = NULL WHERE account_id = 9004 AND seq = 3;
SELECT * FROM verify();
ROLLBACK TO sound;

-- debit_hold: a debit of a hold that is not there, and a hold of what is no debit
UPDATE transaction SET hold_id = 4 WHERE account_id = 9004 AND seq = 2;
UPDATE transaction SET hold_id = 1 WHERE account_id = 9006;
SELECT * FROM verify();
ROLLBACK TO sound;

-- hold_allocation: more was set aside than authorized
UPDATE hold SET draws = '{1,2001}' WHERE account_id = 9004 AND hold_id = 2;
UPDATE open_credit SET remaining = '44.99 USD' WHERE account_id = 9004;
UPDATE account SET balance = '64.99 USD' WHERE account_id = 9004;
SELECT * FROM verify() WHERE rule = 'hold_allocation';
ROLLBACK TO sound;

-- hold_allocation: too little is set aside, so that the credit has what is held as well
UPDATE hold SET draws = '{1,1500}' WHERE account_id = 9004 AND hold_id = 2;
SELECT * FROM verify();
ROLLBACK TO sound;

-- hold_allocation: a closed hold sets nothing aside
UPDATE hold SET draws = '{1,1000}' WHERE account_id = 9004 AND hold_id = 3;
SELECT * FROM verify();
ROLLBACK TO sound;

-- hold_allocation: more was authorized of credits than the hold is for
UPDATE hold SET authorized = '{1,1001}' WHERE account_id = 9004 AND hold_id = 3;
SELECT * FROM verify();
ROLLBACK TO sound;

-- debit_allocation: a capture draws on what its hold had set aside, in the order in which it was authorized
INSERT INTO transaction (account_id, seq, kind, amount, balance_after, hold_id, draws, created_at, issuer, recorded_by)
VALUES (9003, 5, 'debit', '-10.00 USD', '20.00 USD', 1, '{4,500,3,500}', now(), 'shop', 'shop');
INSERT INTO hold (account_id, hold_id, amount, captured, status, authorized, draws, created_at, issuer, recorded_by)
VALUES (9003, 1, '20.00 USD', '10.00 USD', 'open', '{4,500,3,1500}', '{3,1000}', now(), 'shop', 'shop');
DELETE FROM open_credit WHERE account_id = 9003 AND seq = 4;
UPDATE open_credit SET remaining = '10.00 USD' WHERE account_id = 9003;
UPDATE account SET balance = '20.00 USD', held = '10.00 USD', last_seq = 5, last_hold_id = 1 WHERE account_id = 9003;
SELECT * FROM verify();
UPDATE transaction SET draws = '{3,1000}' WHERE account_id = 9003 AND seq = 5;
UPDATE hold SET draws = '{4,500,3,500}' WHERE account_id = 9003;
SELECT * FROM verify();
ROLLBACK TO sound;

-- draws of a hold: on a debit, on nothing, not pairs
UPDATE hold SET draws = '{2,1000,9,1000}' WHERE account_id = 9004 AND hold_id = 2;
UPDATE hold SET draws = '{1}' WHERE account_id = 9006;
UPDATE hold SET authorized = '{8,1000}' WHERE account_id = 9004 AND hold_id = 3;
UPDATE hold SET authorized = '{{1,6000}}' WHERE account_id = 9009;
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
ROLLBACK TO sound;

-- a hold that is captured in part and open still was open in between: what it held was not there to be spent
INSERT INTO transaction (account_id, seq, kind, amount, balance_after, draws, created_at, issuer, recorded_by)
VALUES (9004, 4, 'debit', '-46.00 USD', '19.00 USD', '{1,4600}', now(), 'shop', 'shop');
SELECT * FROM verify(9004) WHERE rule = 'debit_allocation';
UPDATE transaction SET draws = '{1,3400}' WHERE account_id = 9004 AND seq = 4;
SELECT * FROM verify(9004) WHERE rule = 'debit_allocation';
ROLLBACK;
