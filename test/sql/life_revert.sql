-- Reverts: a debit, or a part of it, goes back to the very credits that it was drawn from, and never twice.
SET client_min_messages = warning;
SELECT storecredit.create_ledger();
SET search_path = "$user", public, storecredit;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET storecredit.test_clock = '2026-11-27 09:00+00';
ALTER SEQUENCE account_number_seq RESTART 620001;
\set SHOW_CONTEXT never

-- given a debit of 45.00 from three credits, two of which it used up
SELECT account_id, seq FROM store_credit_credit('revert/anna', '30 USD', category => 'promotion');
SELECT seq FROM store_credit_credit('revert/anna', '10 USD', expires_on => '2026-12-10', category => 'refund');
SELECT seq FROM store_credit_credit('revert/anna', '20 USD', expires_on => '2026-12-31', category => 'gift');
SELECT seq, draws FROM store_credit_debit('revert/anna', '45 USD', reference => 'Order/R1');
SELECT seq, remaining FROM open_credit WHERE account_id = 620001;

-- when all of it is reverted, each credit has again what it had, in a row of the history that says so
BEGIN;
SELECT seq, kind, amount, balance_after, expires_at, category, memo, reference, issuer, recorded_by = session_user AS recorded_by_session,
	related_seq, hold_id, metadata, draws
FROM store_credit_revert(620001, 4, category => 'cancellation', memo => 'Order R1 cancelled', reference => 'Order/R1', issuer => 'Admin/1', metadata => '{"a": 1}');
SELECT seq, expires_at, remaining FROM open_credit WHERE account_id = 620001 ORDER BY expires_at, seq;
SELECT debit_seq, credit_seq, amount, kind, seq FROM allocation WHERE account_id = 620001 ORDER BY seq, credit_seq;
SELECT balance, available, next_expiry FROM balance WHERE account_id = 620001;
SELECT seq, category, amount, remaining FROM credit WHERE account_id = 620001 ORDER BY seq;
-- and that was it
SELECT store_credit_revert(620001, 4);
ROLLBACK;

-- in parts the last drawn comes back first
SELECT seq, amount, balance_after, draws FROM store_credit_revert(620001, 4, '12 USD');
SELECT seq, amount, balance_after, draws FROM store_credit_revert(620001, 4, '8 USD');
SELECT seq, amount, balance_after, draws FROM store_credit_revert(620001, 4, '20 USD');
SELECT seq, remaining FROM open_credit WHERE account_id = 620001 ORDER BY expires_at, seq;
-- and all parts together are no more than the debit
SELECT store_credit_revert(620001, 4, '5.01 USD');
SELECT seq, amount, balance_after, draws FROM store_credit_revert(620001, 4);
SELECT store_credit_revert(620001, 4, '0.01 USD');
SELECT store_credit_revert(620001, 4);
SELECT seq, remaining FROM open_credit WHERE account_id = 620001 ORDER BY expires_at, seq;
SELECT debit_seq, credit_seq, sum(amount) FROM allocation WHERE account_id = 620001 GROUP BY 1, 2 ORDER BY 1, 2;

-- what came back can be spent, and that be reverted, as often as it is spent
SELECT seq, draws FROM store_credit_debit('revert/anna', '45 USD');
SELECT seq, draws FROM store_credit_revert(620001, 9);
SELECT seq, draws FROM store_credit_debit('revert/anna', '45 USD');
SELECT seq, draws FROM store_credit_revert(620001, 11, '1 USD');
-- each debit has its own measure
SELECT store_credit_revert(620001, 9, '0.01 USD');
SELECT store_credit_revert(620001, 11, '44.01 USD');

-- what a captured hold took comes back like any debit, the part that it let go does not come back twice
SELECT account_id, seq FROM store_credit_credit('revert/ben', '10 USD', expires_on => '2026-12-10');
SELECT seq FROM store_credit_credit('revert/ben', '10 USD');
SELECT hold_id FROM store_credit_authorize('revert/ben', '18 USD');
SELECT seq, draws FROM store_credit_capture(620002, 1, '4 USD', final => false);
SELECT seq, draws FROM store_credit_capture(620002, 1, '9 USD');
SELECT seq, hold_id, draws FROM store_credit_revert(620002, 4);
SELECT seq, draws FROM store_credit_revert(620002, 3, '3 USD');
SELECT store_credit_revert(620002, 4, '0.01 USD');
SELECT store_credit_revert(620002, 3, '1.01 USD');
SELECT seq, remaining FROM open_credit WHERE account_id = 620002 ORDER BY expires_at, seq;
SELECT balance, held, available FROM balance WHERE account_id = 620002;

-- there is nothing to revert but a debit
SELECT seq, kind, draws FROM transaction WHERE account_id = 620002 AND kind <> 'debit' ORDER BY seq;
SELECT store_credit_revert(620002, 1);
SELECT store_credit_revert(620002, 5);
SELECT store_credit_revert(620002, 7);
SELECT store_credit_revert(620002, 0);
SELECT store_credit_revert(720999, 1);
-- and no other amount but a positive one, in the account's currency
SELECT store_credit_revert(620002, 3, '0 USD');
SELECT store_credit_revert(620002, 3, '-1 USD');
SELECT store_credit_revert(620002, 3, '1 EUR');
SELECT store_credit_revert(620002, 3, '500 JPY');
SELECT store_credit_revert(620002, 3, expired => 'keep');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT store_credit_revert(NULL, 3);
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT store_credit_revert(620002, NULL);
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT last_seq, balance FROM account WHERE account_id = 620002;

-- limits are for credits: what was the customer's may come back, whatever the limit is by now
SELECT account_id, seq FROM store_credit_credit('revert/cleo', '100 SEK');
SELECT seq FROM store_credit_debit('revert/cleo', '80 SEK');
SELECT store_credit_set_limit('SEK', max_balance => '50 SEK', max_credit => '10 SEK', max_debit => '5 SEK');
SELECT seq, balance_after FROM store_credit_revert(620003, 2);
SELECT store_credit_set_limit('SEK');

-- more than one credit gone: they are back in their order, and the next debit takes them so
SELECT account_id, count(*) FROM generate_series(1, 5) AS n,
	LATERAL store_credit_credit('revert/dora', '2 USD', expires_at => timestamptz '2026-12-10 00:00+00' - n * interval '1 day') GROUP BY account_id;
SELECT seq, draws FROM store_credit_debit('revert/dora', '9 USD');
SELECT seq, draws FROM store_credit_revert(620004, 6, '6 USD');
SELECT seq, expires_at, remaining FROM open_credit WHERE account_id = 620004 ORDER BY expires_at;
SELECT seq, draws FROM store_credit_debit('revert/dora', '6 USD');
SELECT seq, draws FROM store_credit_revert(620004, 6);
SELECT seq, expires_at, remaining FROM open_credit WHERE account_id = 620004 ORDER BY expires_at;

-- the credit as it is by now gets it: with a later end, with another amount, or revoked
SELECT account_id, seq FROM store_credit_credit('revert/emil', '10 USD', expires_on => '2026-12-10');
SELECT seq FROM store_credit_debit('revert/emil', '6 USD');
SELECT seq FROM store_credit_edit(620005, 1, '8 USD', expires_on => '2026-12-24');
SELECT seq FROM store_credit_revert(620005, 2, '5 USD');
SELECT seq, expires_at, remaining FROM open_credit WHERE account_id = 620005;
SELECT seq, amount FROM store_credit_revoke(620005, 1);
SELECT seq, draws FROM store_credit_revert(620005, 2);
SELECT seq, expires_at, remaining FROM open_credit WHERE account_id = 620005;
SELECT seq, amount, remaining, expires_at FROM credit WHERE account_id = 620005;

-- what is told to the customer
SELECT seq FROM store_credit_debit('revert/emil', '1 USD');
SELECT seq FROM store_credit_revert(620005, 7, notify => true);
SELECT event, seq FROM notification WHERE account_id = 620005;

SELECT * FROM verify();
