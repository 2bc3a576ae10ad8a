-- B2B: customers on prepaid balances, and on thresholds up to which they may buy before they pay.
\set home :DBNAME
CREATE DATABASE regression_storecredit_credit_line;
ALTER DATABASE regression_storecredit_credit_line SET search_path = "$user", public, storecredit;
\c regression_storecredit_credit_line
CREATE EXTENSION storecredit;
SELECT create_ledger();
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET storecredit.test_clock = '2026-11-27 09:00+00';
\set SHOW_CONTEXT never

-- given a café that has prepaid 100.00 and may go 50.00 below
SELECT account_id, seq FROM store_credit_credit('line/cafe', '100 USD', category => 'prepayment');
SELECT store_credit_set_account_limits(1, credit_line => '50 USD');
SELECT balance, held, available FROM balance WHERE account_id = 1;

-- when a checkout holds 130.00, the line is in it, last
SELECT hold_id, amount, authorized FROM store_credit_authorize('line/cafe', '130 USD');
SELECT balance, held, available FROM balance WHERE account_id = 1;
SELECT store_credit_debit('line/cafe', '20.01 USD');
-- a part captured takes the credit, and what is let go is the line's
BEGIN;
SELECT seq, balance_after, draws FROM store_credit_capture(1, 1, '90 USD');
SELECT balance, held, available FROM balance WHERE account_id = 1;
SELECT seq, remaining FROM open_credit WHERE account_id = 1;
ROLLBACK;
-- in several shipments, credit first and line last
SELECT seq, balance_after, draws FROM store_credit_capture(1, 1, '90 USD', final => false);
SELECT seq, balance_after, draws FROM store_credit_capture(1, 1, '30 USD', final => false);
SELECT balance, held, available FROM balance WHERE account_id = 1;
SELECT seq, balance_after, draws FROM store_credit_capture(1, 1, '5 USD');
SELECT balance, held, available FROM balance WHERE account_id = 1;

-- the next payment pays the line back first
SELECT seq, balance_after, draws FROM store_credit_credit('line/cafe', '40 USD', category => 'payment');
SELECT balance, available FROM balance WHERE account_id = 1;
SELECT seq, amount, remaining FROM credit WHERE account_id = 1 ORDER BY seq;

-- when the shipment that the line had paid comes back, the money goes to the payment that had paid the line back
SELECT seq, kind, amount, balance_after, draws FROM store_credit_revert(1, 3, '10 USD');
SELECT seq, kind, amount, balance_after, related_seq, draws, issuer FROM transaction WHERE account_id = 1 AND seq > 5 ORDER BY seq;
SELECT seq, amount, remaining FROM credit WHERE account_id = 1 ORDER BY seq;
SELECT seq, kind, amount, balance_after, draws FROM store_credit_revert(1, 3);
SELECT seq, kind, amount, balance_after, related_seq, draws FROM transaction WHERE account_id = 1 AND seq > 7 ORDER BY seq;
SELECT seq, amount, remaining FROM credit WHERE account_id = 1 ORDER BY seq;
SELECT balance, available FROM balance WHERE account_id = 1;
SELECT store_credit_revert(1, 3, '0.01 USD');

-- a debit reverted before anything was paid just frees the line
SELECT account_id, seq FROM store_credit_credit('line/bistro', '10 USD', expires_on => '2026-12-31');
SELECT store_credit_set_account_limits(2, credit_line => '100 USD');
SELECT seq, balance_after, draws FROM store_credit_debit('line/bistro', '60 USD');
SELECT seq, balance_after, draws FROM store_credit_revert(2, 2, '45 USD');
SELECT balance, available FROM balance WHERE account_id = 2;
SELECT seq, balance_after, draws FROM store_credit_revert(2, 2);
SELECT balance, available FROM balance WHERE account_id = 2;
SELECT seq, remaining FROM open_credit WHERE account_id = 2;

-- while another debit still has the line, what comes back to a credit pays that first
SELECT seq, balance_after, draws FROM store_credit_debit('line/bistro', '8 USD');
SELECT seq, balance_after, draws FROM store_credit_debit('line/bistro', '30 USD');
SELECT seq, balance_after, draws FROM store_credit_revert(2, 5);
SELECT seq, kind, amount, balance_after, related_seq, draws FROM transaction WHERE account_id = 2 AND seq > 6 ORDER BY seq;
SELECT count(*) FROM open_credit WHERE account_id = 2;
SELECT balance, available FROM balance WHERE account_id = 2;
-- and when that one comes back, too, all is as it was
SELECT seq, balance_after, draws FROM store_credit_revert(2, 6);
SELECT seq, kind, amount, balance_after, related_seq, draws FROM transaction WHERE account_id = 2 AND seq > 8 ORDER BY seq;
SELECT seq, remaining FROM open_credit WHERE account_id = 2;

-- a hold that is let go while another has the line: the same
SELECT account_id, seq FROM store_credit_credit('line/deli', '10 USD');
SELECT store_credit_set_account_limits(3, credit_line => '20 USD');
SELECT hold_id, authorized FROM store_credit_authorize('line/deli', '8 USD');
SELECT hold_id, authorized FROM store_credit_authorize('line/deli', '20 USD');
SELECT status FROM store_credit_void(3, 1);
SELECT balance, held, available FROM balance WHERE account_id = 3;
SELECT seq, kind, amount, related_seq, draws FROM transaction WHERE account_id = 3 AND seq > 1 ORDER BY seq;
SELECT status FROM store_credit_void(3, 2);
SELECT balance, held, available FROM balance WHERE account_id = 3;
SELECT seq, kind, amount, related_seq, draws FROM transaction WHERE account_id = 3 AND seq > 2 ORDER BY seq;
SELECT seq, remaining FROM open_credit WHERE account_id = 3;

-- a payment that comes while the line is held covers that as well, and has it again if the hold is let go
SELECT hold_id, authorized FROM store_credit_authorize('line/deli', '25 USD');
SELECT seq, balance_after, draws FROM store_credit_credit('line/deli', '20 USD');
SELECT balance, held, available FROM balance WHERE account_id = 3;
SELECT seq, remaining FROM open_credit WHERE account_id = 3;
BEGIN;
SELECT status FROM store_credit_void(3, 3);
SELECT seq, remaining FROM open_credit WHERE account_id = 3 ORDER BY seq;
SELECT balance, held, available FROM balance WHERE account_id = 3;
ROLLBACK;
BEGIN;
SELECT seq, draws FROM store_credit_capture(3, 3, '12 USD');
SELECT seq, remaining FROM open_credit WHERE account_id = 3 ORDER BY seq;
SELECT balance, held, available FROM balance WHERE account_id = 3;
ROLLBACK;
SELECT seq, balance_after, draws FROM store_credit_capture(3, 3);
SELECT balance, held, available FROM balance WHERE account_id = 3;

-- an edit: more of a credit pays back the line, too; less of it cannot take what it has paid
SELECT account_id, seq FROM store_credit_credit('line/inn', '10 USD');
SELECT store_credit_set_account_limits(4, credit_line => '50 USD');
SELECT seq, balance_after, draws FROM store_credit_debit('line/inn', '25 USD');
SELECT seq, amount, balance_after, draws FROM store_credit_edit(4, 1, '30 USD');
SELECT seq, amount, remaining FROM credit WHERE account_id = 4;
SELECT store_credit_edit(4, 1, '24.99 USD');
SELECT seq, amount, balance_after, draws FROM store_credit_edit(4, 1, '25 USD');
SELECT seq, balance_after, draws FROM store_credit_revert(4, 2);
SELECT seq, amount, remaining FROM credit WHERE account_id = 4;
SELECT seq, kind, amount, balance_after, related_seq, draws FROM transaction WHERE account_id = 4 AND seq > 4 ORDER BY seq;

-- a credit that has paid the line and ended since gets its money back like any that has ended
SELECT account_id, seq FROM store_credit_credit('line/bar', '1 USD');
SELECT store_credit_set_account_limits(5, credit_line => '50 USD');
SELECT seq, draws FROM store_credit_debit('line/bar', '21 USD');
SELECT seq, draws FROM store_credit_credit('line/bar', '20 USD', expires_on => '2026-11-30');
SET storecredit.test_clock = '2026-12-05 00:00+00';
BEGIN;
SELECT seq, balance_after, draws FROM store_credit_revert(5, 2);
SELECT seq, kind, amount, balance_after, related_seq, expires_at, draws FROM transaction WHERE account_id = 5 AND seq > 4 ORDER BY seq;
SELECT balance, available FROM balance WHERE account_id = 5;
ROLLBACK;
SET storecredit.revert_expired = 'expire';
BEGIN;
SELECT seq, balance_after, draws FROM store_credit_revert(5, 2);
SELECT seq, kind, amount, balance_after, related_seq, expires_at, draws FROM transaction WHERE account_id = 5 AND seq > 4 ORDER BY seq;
SELECT balance, available FROM balance WHERE account_id = 5;
ROLLBACK;
RESET storecredit.revert_expired;
-- what the line has paid is not refused, though it goes there in the end
BEGIN;
SELECT seq, balance_after, draws FROM store_credit_revert(5, 2, expired => 'refuse');
ROLLBACK;

-- the line cannot be taken away from under a hold
SELECT hold_id FROM store_credit_authorize('line/bar', '30 USD');
SELECT store_credit_set_account_limits(5, credit_line => '29.99 USD');
SELECT store_credit_set_account_limits(5, credit_line => '30 USD');
SELECT store_credit_debit('line/bar', '0.01 USD');

-- what is owed to the shop is below zero: a receivable, no liability
SELECT seq, balance_after, draws FROM store_credit_capture(5, 1);
SELECT owner, balance, available FROM balance WHERE balance < '0 USD';

\c :home
DROP DATABASE regression_storecredit_credit_line;
