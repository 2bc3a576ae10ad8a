-- Edits: what a credit is may be changed as long as it lives, and every change is an entry of its own.
SET client_min_messages = warning;
SELECT storecredit.create_ledger();
SET search_path = "$user", public, storecredit;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET storecredit.test_clock = '2026-11-27 09:00+00';
ALTER SEQUENCE account_number_seq RESTART 640001;
\set SHOW_CONTEXT never

-- given a credit of 50.00, of which 20.00 are spent and 10.00 held
SELECT account_id, seq FROM store_credit_credit('edit/anna', '50 USD', expires_on => '2026-12-31', category => 'goodwill', memo => 'late parcel', reference => 'Ticket/1');
SELECT seq FROM store_credit_debit('edit/anna', '20 USD');
SELECT hold_id FROM store_credit_authorize('edit/anna', '10 USD');

-- when it is made larger, an adjustment says by how much, and has the credit as it is now
SELECT seq, kind, amount, balance_after, expires_at, category, memo, reference, issuer, recorded_by = session_user AS recorded_by_session, related_seq, metadata, draws
FROM store_credit_edit(640001, 1, '60 USD', memo => 'very late parcel', reference => 'Ticket/2', issuer => 'Admin/1', metadata => '{"a": 1}');
SELECT seq, amount, remaining, expires_at, category, memo, reference FROM credit WHERE account_id = 640001;
SELECT balance, held, available FROM balance WHERE account_id = 640001;
-- smaller, down to what is spent and held
SELECT seq, amount, balance_after FROM store_credit_edit(640001, 1, '30.01 USD');
SELECT store_credit_edit(640001, 1, '29.99 USD');
SELECT seq, amount, balance_after FROM store_credit_edit(640001, 1, '30 USD');
SELECT seq, amount, remaining, expires_at, memo FROM credit WHERE account_id = 640001;
SELECT balance, held, available FROM balance WHERE account_id = 640001;
SELECT count(*) FROM open_credit WHERE account_id = 640001;
-- and from nothing left back to something
SELECT seq, amount, balance_after FROM store_credit_edit(640001, 1, '31 USD');
SELECT seq, remaining, expires_at FROM open_credit WHERE account_id = 640001;
-- to the same amount is an entry, too
SELECT seq, amount, balance_after FROM store_credit_edit(640001, 1, '31 USD');
-- the credit's own entry is as it was
SELECT amount, balance_after, expires_at, category, memo FROM transaction WHERE account_id = 640001 AND seq = 1;
-- what a hold lets go can be taken out then
SELECT status FROM store_credit_void(640001, 1);
SELECT seq, amount FROM store_credit_edit(640001, 1, '20 USD');
SELECT store_credit_edit(640001, 1, '19.99 USD');
SELECT balance, held, available FROM balance WHERE account_id = 640001;

-- the end: earlier, later, none, and again
SELECT account_id, seq FROM store_credit_credit('edit/ben', '10 USD', expires_on => '2026-12-31');
SELECT seq, amount, expires_at FROM store_credit_edit(640002, 1, expires_on => '2026-12-24');
SELECT seq, expires_at, remaining FROM open_credit WHERE account_id = 640002;
SELECT seq, amount, expires_at FROM store_credit_edit(640002, 1, expires_at => '2027-06-30 12:00+00');
SELECT seq, expires_at, remaining FROM open_credit WHERE account_id = 640002;
SELECT seq, amount, expires_at FROM store_credit_edit(640002, 1, expires_at => 'infinity');
SELECT seq, expires_at, remaining FROM open_credit WHERE account_id = 640002;
SELECT seq, amount, expires_at FROM store_credit_edit(640002, 1, expires_on => '2026-11-27');
SELECT seq, amount, remaining, expires_at FROM credit WHERE account_id = 640002;
SELECT next_expiry FROM balance WHERE account_id = 640002;
-- an edit of something else leaves the end as it is
SELECT seq, amount, expires_at FROM store_credit_edit(640002, 1, '12 USD');
SELECT seq, amount, expires_at FROM store_credit_edit(640002, 1, memo => 'for Ben');
-- not into the past, nor to this instant
SELECT store_credit_edit(640002, 1, expires_at => '2026-11-27 09:00+00');
SELECT store_credit_edit(640002, 1, expires_on => '2026-11-26');
SELECT store_credit_edit(640002, 1, expires_at => '-infinity');
SELECT seq, expires_at FROM store_credit_edit(640002, 1, expires_at => '2026-11-27 09:00:00.000001+00');
-- a microsecond later it is gone, and there is no way back
SET storecredit.test_clock = '2026-11-27 09:00:00.000001+00';
SELECT store_credit_balance('edit/ben', 'USD');
SELECT store_credit_edit(640002, 1, expires_at => 'infinity');
SELECT store_credit_edit(640002, 1, '20 USD');
SELECT balance, available FROM balance WHERE account_id = 640002;
-- what is said of it may still be changed; the end is booked on the way
SELECT seq, amount, expires_at, memo FROM store_credit_edit(640002, 1, category => 'complaint', memo => 'ended too early: see ticket 9');
SELECT seq, kind, amount, related_seq FROM transaction WHERE account_id = 640002 AND seq > 8 ORDER BY seq;
SELECT amount, remaining, expires_at, category, memo FROM credit WHERE account_id = 640002;
SET storecredit.test_clock = '2026-11-27 09:00+00';

-- debits go by the end as it is now
SELECT account_id, seq FROM store_credit_credit('edit/cleo', '10 USD', expires_on => '2026-12-10');
SELECT seq FROM store_credit_credit('edit/cleo', '10 USD', expires_on => '2026-12-20');
SELECT seq FROM store_credit_credit('edit/cleo', '10 USD');
BEGIN;
SELECT draws FROM store_credit_debit('edit/cleo', '25 USD');
ROLLBACK;
SELECT seq FROM store_credit_edit(640003, 1, expires_at => 'infinity');
SELECT seq FROM store_credit_edit(640003, 3, expires_on => '2026-12-15');
BEGIN;
SELECT draws FROM store_credit_debit('edit/cleo', '25 USD');
ROLLBACK;
-- of two with one end the older one, however it came to that
SELECT seq FROM store_credit_edit(640003, 1, expires_on => '2026-12-20');
SELECT draws FROM store_credit_debit('edit/cleo', '25 USD');
SELECT seq, expires_at, remaining FROM open_credit WHERE account_id = 640003;

-- what a hold has of a credit keeps to it while its end is moved, and goes back to the new one
SELECT account_id, seq FROM store_credit_credit('edit/dora', '10 USD', expires_on => '2026-12-10');
SELECT hold_id FROM store_credit_authorize('edit/dora', '10 USD');
SELECT seq, amount, expires_at FROM store_credit_edit(640004, 1, expires_on => '2026-12-20');
SELECT status FROM store_credit_void(640004, 1);
SELECT seq, expires_at, remaining FROM open_credit WHERE account_id = 640004;

-- a larger amount is held to the limits of a credit of the difference, a smaller one to none
SELECT store_credit_set_limit('SEK', max_balance => '100 SEK', max_credit => '30 SEK');
SELECT account_id, seq FROM store_credit_credit('edit/emil', '30 SEK');
SELECT seq, amount FROM store_credit_edit(640005, 1, '60 SEK');
SELECT store_credit_edit(640005, 1, '90.01 SEK');
SELECT seq, amount FROM store_credit_edit(640005, 1, '90 SEK');
SELECT store_credit_edit(640005, 1, '100.01 SEK');
SELECT store_credit_set_limit('SEK', max_balance => '10 SEK', max_credit => '1 SEK');
SELECT seq, amount FROM store_credit_edit(640005, 1, '80 SEK');
SELECT store_credit_edit(640005, 1, '80.01 SEK');
SELECT seq, amount FROM store_credit_edit(640005, 1, '80 SEK', memo => 'as it is');
SELECT store_credit_set_limit('SEK');

-- a revoked credit stays so: only what is said of it may be changed
SELECT account_id, seq FROM store_credit_credit('edit/finn', '10 USD');
SELECT seq, amount FROM store_credit_revoke(640006, 1);
SELECT store_credit_edit(640006, 1, '20 USD');
SELECT store_credit_edit(640006, 1, expires_on => '2027-12-31');
SELECT seq, memo FROM store_credit_edit(640006, 1, memo => 'issued by mistake');
SELECT amount, remaining, memo FROM credit WHERE account_id = 640006;

-- what no call can mean
SELECT store_credit_edit(640001, 2, '1 USD');
SELECT store_credit_edit(640001, 3, memo => 'of an adjustment');
SELECT store_credit_edit(640001, 0, '1 USD');
SELECT store_credit_edit(640001, 99, '1 USD');
SELECT store_credit_edit(740999, 1, '1 USD');
SELECT store_credit_edit(640001, 1, '0 USD');
SELECT store_credit_edit(640001, 1, '-1 USD');
SELECT store_credit_edit(640001, 1, '50 EUR');
SELECT store_credit_edit(640001, 1, '500 JPY');
SELECT store_credit_edit(640001, 1, expires_at => '2027-01-01', expires_on => '2027-01-01');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT store_credit_edit(NULL, 1);
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT store_credit_edit(640001, NULL);
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT store_credit_edit(640001, 1, '92233720368547758.08 USD');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT account_id, seq FROM store_credit_credit('edit/gina', '1 USD');
SELECT seq FROM store_credit_credit('edit/gina', '1 USD');
SELECT store_credit_edit(640007, 1, '92233720368547758.07 USD');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT seq, balance_after FROM store_credit_edit(640007, 1, '92233720368547757.07 USD');
SELECT last_seq, balance FROM account WHERE account_id = 640001;

-- what is told to the customer
SELECT seq FROM store_credit_edit(640001, 1, '25 USD', notify => true);
SELECT event, seq FROM notification WHERE account_id = 640001;

SELECT * FROM verify();
