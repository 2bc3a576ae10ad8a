-- Holds that end by themselves: past its end the money is free at once, and whoever comes by next closes the hold.
\set home :DBNAME
CREATE DATABASE regression_storecredit_hold_end;
ALTER DATABASE regression_storecredit_hold_end SET search_path = "$user", public, storecredit;
\c regression_storecredit_hold_end
CREATE EXTENSION storecredit;
SELECT create_ledger();
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET storecredit.test_clock = '2026-11-27 09:00+00';
\set SHOW_CONTEXT never

-- given 20.00, of which a checkout has 15.00 for half an hour
SELECT account_id, seq FROM store_credit_credit('end/anna', '20 USD');
SELECT hold_id, expires_at FROM store_credit_authorize('end/anna', '15 USD', expires_at => '2026-11-27 09:30+00');

-- a microsecond before its end the money is held
SET storecredit.test_clock = '2026-11-27 09:29:59.999999+00';
SELECT balance, held, available FROM balance;
SELECT store_credit_balance('end/anna', 'USD'), store_credit_available(1);
SELECT store_credit_debit('end/anna', '5.01 USD');
SELECT store_credit_expire();
BEGIN;
SELECT seq, amount FROM store_credit_capture(1, 1);
ROLLBACK;
BEGIN;
SELECT status, closed_at FROM store_credit_void(1, 1);
ROLLBACK;

-- at its end it is free, though nobody has closed the hold
SET storecredit.test_clock = '2026-11-27 09:30+00';
SELECT balance, held, available FROM balance;
SELECT store_credit_balance('end/anna', 'USD'), store_credit_available(1);
SELECT status FROM hold;
-- the hold has no power any more
SELECT store_credit_capture(1, 1);
SELECT store_credit_capture(1, 1, '1 USD', final => false);
SELECT store_credit_void(1, 1);
SELECT held, last_seq FROM account;
-- whoever comes next may have the money, and closes the hold on the way
BEGIN;
SELECT seq, amount, balance_after, draws FROM store_credit_debit('end/anna', '20 USD');
SELECT hold_id, status, captured, closed_at, authorized, draws FROM hold;
SELECT balance, held FROM account;
SELECT store_credit_capture(1, 1);
ROLLBACK;
BEGIN;
SELECT hold_id, authorized FROM store_credit_authorize('end/anna', '20 USD');
SELECT hold_id, status, closed_at FROM hold ORDER BY hold_id;
SELECT balance, held FROM account;
ROLLBACK;
BEGIN;
SELECT seq FROM store_credit_credit('end/anna', '1 USD');
SELECT hold_id, status, closed_at FROM hold;
ROLLBACK;
-- one who is refused closes nothing
SELECT store_credit_debit('end/anna', '20.01 USD');
SELECT status, closed_at FROM hold;
-- and the sweep closes it: when it got round to it, not when it was due
SET storecredit.test_clock = '2026-11-27 10:00+00';
SELECT store_credit_expire();
SELECT hold_id, status, captured, closed_at, authorized, draws FROM hold;
SELECT balance, held, available FROM balance;
SELECT credit_seq, amount, kind, hold_id, created_at FROM allocation;
SELECT last_seq FROM account;
SELECT store_credit_capture(1, 1);
SELECT store_credit_expire();

-- of a hold captured in part only the rest is let go
SELECT account_id, seq FROM store_credit_credit('end/ben', '20 USD');
SELECT hold_id FROM store_credit_authorize('end/ben', '15 USD', expires_at => '2026-11-27 11:00+00');
SELECT seq FROM store_credit_capture(2, 1, '4 USD', final => false);
SET storecredit.test_clock = '2026-11-27 11:00+00';
SELECT balance, held, available FROM balance WHERE account_id = 2;
SELECT store_credit_expire();
SELECT hold_id, amount, captured, status, closed_at, draws FROM hold WHERE account_id = 2;
SELECT balance, held, available FROM balance WHERE account_id = 2;

-- of several holds of one account, those that have ended, whichever was made first
SELECT account_id, seq FROM store_credit_credit('end/cleo', '20 USD');
SELECT hold_id FROM store_credit_authorize('end/cleo', '1 USD', expires_at => '2026-11-27 15:00+00');
SELECT hold_id FROM store_credit_authorize('end/cleo', '2 USD', expires_at => '2026-11-27 13:00+00');
SELECT hold_id FROM store_credit_authorize('end/cleo', '4 USD');
SELECT hold_id FROM store_credit_authorize('end/cleo', '8 USD', expires_at => '2026-11-27 14:00+00');
SELECT hold_id, expires_at FROM store_credit_authorize('end/cleo', '5 USD', expires_at => 'infinity');
SET storecredit.test_clock = '2026-11-27 14:00+00';
SELECT balance, held, available FROM balance WHERE account_id = 3;
-- an ended one keeps no other call from the rest
SELECT seq, amount FROM store_credit_capture(3, 1);
SELECT hold_id, status, closed_at FROM hold WHERE account_id = 3 ORDER BY hold_id;
SELECT balance, held, available FROM balance WHERE account_id = 3;
SET storecredit.test_clock = '2200-01-01 00:00+00';
SELECT store_credit_expire();
SELECT hold_id, status FROM hold WHERE account_id = 3 AND status = 'open' ORDER BY hold_id;

-- many calls at once on one account close an ended hold once
SET storecredit.test_clock = '2026-11-27 14:00+00';
SELECT account_id, seq FROM store_credit_credit('end/dora', '20 USD');
SELECT hold_id FROM store_credit_authorize('end/dora', '5 USD', expires_at => '2026-11-27 15:00+00');
SELECT hold_id FROM store_credit_authorize('end/dora', '7 USD', expires_at => '2026-11-27 15:00+00');
SELECT hold_id FROM store_credit_authorize('end/dora', '3 USD');
SET storecredit.test_clock = '2026-11-27 15:00+00';
SELECT item, seq, error FROM store_credit_debit_many('[
	{"owner": "end/dora", "amount": "10 USD"}, {"owner": "end/dora", "amount": "6 USD"},
	{"account_id": 4, "amount": "6 USD"}, {"owner": "end/dora", "amount": "1 USD"}]', on_error => 'skip');
SELECT balance, held, available FROM balance WHERE account_id = 4;
SELECT hold_id, status, closed_at FROM hold WHERE account_id = 4 ORDER BY hold_id;

-- a hold that ends a microsecond before its credit gives back to it, and the credit is gone then
SELECT account_id, seq FROM store_credit_credit('end/emil', '10 USD', expires_at => '2026-11-27 16:00+00');
SELECT hold_id FROM store_credit_authorize('end/emil', '4 USD', expires_at => '2026-11-27 15:59:59.999999+00');
SET storecredit.test_clock = '2026-11-27 15:59:59.999999+00';
SELECT balance, held, available FROM balance WHERE account_id = 5;
SELECT store_credit_expire();
SET storecredit.test_clock = '2026-11-27 16:00+00';
SELECT balance, held, available FROM balance WHERE account_id = 5;
SELECT store_credit_expire();
SELECT seq, kind, amount, balance_after, related_seq FROM transaction WHERE account_id = 5 ORDER BY seq;

SELECT * FROM verify();

-- a call that comes late finds the same as one that comes in time: what a hold let go at its end goes back to a credit that was
-- good then, and is gone with it
SELECT account_id, seq FROM store_credit_credit('end/late', '10 USD', expires_at => '2026-11-27 18:00+00');
SELECT hold_id FROM store_credit_authorize('end/late', '4 USD', expires_at => '2026-11-27 17:00+00');
SET storecredit.test_clock = '2026-11-27 19:00+00';
SELECT balance, held, available FROM balance WHERE account_id = 6;
SELECT store_credit_debit('end/late', '0.01 USD', allow_partial => true);
SELECT store_credit_expire();
SELECT seq, kind, amount, balance_after, related_seq, expires_at FROM transaction WHERE account_id = 6 ORDER BY seq;
-- and the grace of a credit that was gone by then counts from the hold's end
SELECT account_id, seq FROM store_credit_credit('end/grace', '10 USD', expires_at => '2026-11-27 20:00+00');
SELECT hold_id FROM store_credit_authorize('end/grace', '4 USD', expires_at => '2026-11-27 21:00+00');
SET storecredit.test_clock = '2026-11-28 09:00+00';
SELECT balance, held, available, next_expiry FROM balance WHERE account_id = 7;
SELECT store_credit_expire();
SELECT seq, kind, amount, balance_after, related_seq, expires_at FROM transaction WHERE account_id = 7 ORDER BY seq;
SELECT balance, held, available, next_expiry FROM balance WHERE account_id = 7;

SELECT * FROM verify();
\c :home
DROP DATABASE regression_storecredit_hold_end;
