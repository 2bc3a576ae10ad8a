-- Credit lines: a customer who may owe, and how the next credits pay that back.
SET client_min_messages = warning;
SELECT storecredit.create_ledger();
SET search_path = "$user", public, storecredit;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET storecredit.test_clock = '2026-11-27 09:00+00';
ALTER SEQUENCE account_number_seq RESTART 840001;
\set SHOW_CONTEXT never

-- given 20.00, and 50.00 that may be owed
SELECT account_id, balance_after FROM store_credit_credit('line/bakery', '20 USD');
SELECT store_credit_set_account_limits(840001, credit_line => '50 USD');
SELECT balance, available FROM balance WHERE account_id = 840001;
SELECT store_credit_balance('line/bakery', 'USD');

-- when 60.00 are taken, 20.00 come from the credit and 40.00 from the line
SELECT seq, amount, balance_after, draws FROM store_credit_debit('line/bakery', '60 USD', reference => 'Order/R1');
SELECT debit_seq, credit_seq, amount FROM allocation WHERE account_id = 840001;
SELECT balance, available FROM balance WHERE account_id = 840001;
SELECT count(*) FROM open_credit WHERE account_id = 840001;

-- the line's end is the end
SELECT store_credit_debit('line/bakery', '10.01 USD');
SELECT seq, amount, balance_after, draws FROM store_credit_debit('line/bakery', '12 USD', allow_partial => true);
SELECT store_credit_debit('line/bakery', '0.01 USD', allow_partial => true);

-- it cannot be lowered below what is owed, nor taken away
SELECT store_credit_set_account_limits(840001, credit_line => '49.99 USD');
SELECT store_credit_set_account_limits(840001);
SELECT credit_line FROM account WHERE account_id = 840001;
-- nor by a statement of one's own
UPDATE account SET credit_line = '49.99 USD' WHERE account_id = 840001;

-- a credit first pays back what is owed, even one that would have ended, and draws on itself for that
SELECT seq, amount, balance_after, draws FROM store_credit_credit('line/bakery', '35 USD', expires_on => '2026-12-31');
SELECT count(*) FROM open_credit WHERE account_id = 840001;
-- and only the rest of it can be spent, or end
SELECT seq, amount, balance_after, draws FROM store_credit_credit('line/bakery', '25 USD', expires_on => '2026-12-31');
SELECT seq, remaining FROM open_credit WHERE account_id = 840001;
SELECT balance, available FROM balance WHERE account_id = 840001;
-- what a credit paid back is no allocation of a debit
SELECT debit_seq, credit_seq, amount FROM allocation WHERE account_id = 840001;

-- at the year's end the rest has gone, and the line is there still
SET storecredit.test_clock = '2027-01-01 00:00+00';
SELECT balance, available FROM balance WHERE account_id = 840001;
SELECT seq, amount, balance_after, draws FROM store_credit_debit('line/bakery', '1 USD');
SELECT seq, kind, amount, balance_after, related_seq FROM transaction WHERE account_id = 840001 AND seq > 4 ORDER BY seq;

-- exactly what is owed may remain as the line; and once all is paid back it can go
SELECT store_credit_set_account_limits(840001, credit_line => '1 USD');
SELECT store_credit_debit('line/bakery', '0.01 USD');
SELECT seq, amount, balance_after, draws FROM store_credit_credit('line/bakery', '1 USD');
SELECT store_credit_set_account_limits(840001);
SELECT store_credit_debit('line/bakery', '0.01 USD');

-- an account without any credit of its own
SELECT seq, amount, balance_after, draws FROM store_credit_credit('line/new', '1 USD');
SELECT seq, amount, balance_after, draws FROM store_credit_debit('line/new', '1 USD');
SELECT store_credit_set_account_limits(840002, credit_line => '10 USD');
SELECT seq, amount, balance_after, draws FROM store_credit_debit('line/new', '10 USD');
-- a limit on the balance does not hinder what is paid back
SELECT store_credit_set_account_limits(840002, max_balance => '0 USD', credit_line => '10 USD');
SELECT store_credit_credit('line/new', '10.01 USD');
SELECT seq, amount, balance_after, draws FROM store_credit_credit('line/new', '10 USD');

-- what no call can mean
SELECT store_credit_set_account_limits(840001, credit_line => '10 EUR');
SELECT store_credit_set_account_limits(840001, credit_line => '-0.01 USD');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT store_credit_set_account_limits(840999, credit_line => '10 USD');
SELECT store_credit_set_account_limits(NULL, credit_line => '10 USD');
\echo SQLSTATE :LAST_ERROR_SQLSTATE

SELECT * FROM verify();
