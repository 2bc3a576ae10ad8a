-- Money that goes back to a credit which has expired since: it comes back for a while, or is gone at once, or the call is refused.
\set home :DBNAME
CREATE DATABASE regression_storecredit_revert;
ALTER DATABASE regression_storecredit_revert SET search_path = "$user", public, storecredit;
\c regression_storecredit_revert
CREATE EXTENSION storecredit;
SELECT create_ledger();
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET storecredit.test_clock = '2026-11-27 09:00+00';
\set SHOW_CONTEXT never

-- given a debit from a credit that ends with November, one that ends with the year, and one without an end
SELECT account_id, seq FROM store_credit_credit('anna', '10 USD', expires_on => '2026-11-30');
SELECT seq FROM store_credit_credit('anna', '10 USD', expires_on => '2026-12-31');
SELECT seq FROM store_credit_credit('anna', '10 USD');
SELECT seq, draws FROM store_credit_debit('anna', '24 USD');
SELECT revert_expired.setting, revert_grace.setting || revert_grace.unit AS grace
FROM pg_settings AS revert_expired, pg_settings AS revert_grace
WHERE revert_expired.name = 'storecredit.revert_expired' AND revert_grace.name = 'storecredit.revert_grace';

-- a microsecond before the first has ended all of it is as it was
SET storecredit.test_clock = '2026-11-30 23:59:59.999999+00';
BEGIN;
SELECT seq, kind, amount, draws FROM store_credit_revert(1, 4, expired => 'refuse');
SELECT seq, expires_at, remaining FROM open_credit ORDER BY expires_at, seq;
ROLLBACK;

-- reinstate: what was drawn from it is back, for thirty days from now
SET storecredit.test_clock = '2026-12-05 12:00+00';
BEGIN;
SELECT seq, kind, amount, balance_after, related_seq, draws FROM store_credit_revert(1, 4);
SELECT seq, kind, amount, balance_after, related_seq, expires_at, issuer, memo FROM transaction WHERE seq > 5 ORDER BY seq;
SELECT seq, expires_at, remaining FROM open_credit ORDER BY expires_at, seq;
SELECT seq, amount, remaining, expires_at FROM credit ORDER BY seq;
SELECT balance, available, next_expiry FROM balance;
-- it comes after the one that ends earlier now
SELECT seq, draws FROM store_credit_debit('anna', '15 USD');
-- and is gone in the end
SET LOCAL storecredit.test_clock = '2027-01-04 11:59:59.999999+00';
SELECT store_credit_balance('anna', 'USD');
SET LOCAL storecredit.test_clock = '2027-01-04 12:00+00';
SELECT store_credit_balance('anna', 'USD');
ROLLBACK;
-- only the part that is drawn from it, and in two parts once
BEGIN;
SELECT seq, kind, amount, draws FROM store_credit_revert(1, 4, '12 USD', expired => 'reinstate');
SELECT seq, draws FROM store_credit_revert(1, 4, '5 USD');
SELECT seq, draws FROM store_credit_revert(1, 4, '7 USD');
SELECT seq, kind, amount, related_seq, expires_at FROM transaction WHERE seq > 4 ORDER BY seq;
SELECT seq, expires_at, remaining FROM open_credit ORDER BY expires_at, seq;
ROLLBACK;

-- expire: it is given back, and gone at once, in two rows
BEGIN;
SELECT seq, kind, amount, balance_after, draws FROM store_credit_revert(1, 4, expired => 'expire');
SELECT seq, kind, amount, balance_after, related_seq, expires_at, issuer FROM transaction WHERE seq > 5 ORDER BY seq;
SELECT seq, expires_at, remaining FROM open_credit ORDER BY expires_at, seq;
SELECT balance, available FROM balance;
SELECT debit_seq, credit_seq, amount, kind, seq FROM allocation WHERE kind = 'give_back' ORDER BY credit_seq;
SELECT store_credit_revert(1, 4, '0.01 USD');
ROLLBACK;

-- refuse: nothing comes back, not even what could
SELECT store_credit_revert(1, 4, expired => 'refuse');
SELECT store_credit_revert(1, 4, '14.01 USD', expired => 'refuse');
SELECT last_seq, balance FROM account;
-- what was drawn from the others is not refused
BEGIN;
SELECT seq, draws FROM store_credit_revert(1, 4, '14 USD', expired => 'refuse');
ROLLBACK;

-- the setting decides where the call does not, and a null in the call is not said
SET storecredit.revert_expired = 'expire';
BEGIN;
SELECT seq, kind FROM store_credit_revert(1, 4);
SELECT seq, kind, amount FROM transaction WHERE seq > 5 ORDER BY seq;
ROLLBACK;
SET storecredit.revert_expired = 'refuse';
SELECT store_credit_revert(1, 4, expired => NULL);
BEGIN;
SELECT seq, kind FROM store_credit_revert(1, 4, expired => 'reinstate');
SELECT seq, kind, amount, expires_at FROM transaction WHERE seq > 5 ORDER BY seq;
ROLLBACK;
RESET storecredit.revert_expired;
SET storecredit.revert_expired = 'keep';
-- and another grace, a second at least
SET storecredit.revert_grace = '90min';
BEGIN;
SELECT seq, kind FROM store_credit_revert(1, 4);
SELECT seq, kind, amount, expires_at FROM transaction WHERE seq > 5 ORDER BY seq;
ROLLBACK;
\set VERBOSITY sqlstate
SET storecredit.revert_grace = 0;
\set VERBOSITY default
SET storecredit.revert_grace = '1s';
SHOW storecredit.revert_grace;
RESET storecredit.revert_grace;
-- they are not for everybody to set
CREATE ROLE regress_customer;
SET ROLE regress_customer;
SET storecredit.revert_expired = 'refuse';
SET storecredit.revert_grace = '1s';
RESET ROLE;
DROP ROLE regress_customer;

-- a credit with something left that has expired first, and then gets back what was spent: that alone
SELECT account_id, seq FROM store_credit_credit('ben', '10 USD', expires_on => '2026-12-10');
SELECT seq FROM store_credit_debit('ben', '4 USD');
SET storecredit.test_clock = '2026-12-20 12:00+00';
SELECT seq, kind, amount, balance_after, draws FROM store_credit_revert(2, 2);
SELECT seq, kind, amount, balance_after, related_seq, expires_at FROM transaction WHERE account_id = 2 AND seq > 2 ORDER BY seq;
SELECT seq, amount, remaining, expires_at FROM credit WHERE account_id = 2;
-- which can be edited again, as it is alive
SELECT seq, expires_at FROM store_credit_edit(2, 1, expires_at => 'infinity');
SELECT seq, amount, remaining, expires_at FROM credit WHERE account_id = 2;

-- twice expired, twice back: every step is there to be read
SELECT account_id, seq FROM store_credit_credit('cleo', '10 USD', expires_on => '2026-12-24');
SELECT seq FROM store_credit_debit('cleo', '6 USD');
SET storecredit.test_clock = '2027-01-01 12:00+00';
SELECT seq FROM store_credit_revert(3, 2, '5 USD');
SET storecredit.test_clock = '2027-02-01 12:00+00';
SELECT store_credit_balance('cleo', 'USD');
SELECT seq FROM store_credit_revert(3, 2);
SELECT seq, kind, amount, balance_after, created_at, related_seq, expires_at, draws FROM transaction WHERE account_id = 3 ORDER BY seq;
SELECT seq, expires_at, remaining FROM open_credit WHERE account_id = 3;

-- what a hold lets go of follows the same rule: reinstate
SET storecredit.test_clock = '2027-02-01 12:00+00';
SELECT account_id, seq FROM store_credit_credit('dora', '10 USD', expires_on => '2027-02-02');
SELECT seq FROM store_credit_credit('dora', '10 USD');
SELECT hold_id, draws FROM store_credit_authorize('dora', '15 USD');
SET storecredit.test_clock = '2027-02-05 12:00+00';
BEGIN;
SELECT status FROM store_credit_void(4, 1);
SELECT seq, kind, amount, related_seq, expires_at FROM transaction WHERE account_id = 4 AND seq > 2 ORDER BY seq;
SELECT seq, expires_at, remaining FROM open_credit WHERE account_id = 4 ORDER BY expires_at;
ROLLBACK;
BEGIN;
SELECT seq, kind, amount, draws FROM store_credit_capture(4, 1, '3 USD');
SELECT seq, kind, amount, related_seq, expires_at FROM transaction WHERE account_id = 4 AND seq > 2 ORDER BY seq;
SELECT seq, expires_at, remaining FROM open_credit WHERE account_id = 4 ORDER BY expires_at;
ROLLBACK;
-- expire
SET storecredit.revert_expired = 'expire';
BEGIN;
SELECT seq, kind, amount, balance_after, draws FROM store_credit_capture(4, 1, '3 USD');
SELECT seq, kind, amount, balance_after, related_seq, expires_at FROM transaction WHERE account_id = 4 AND seq > 2 ORDER BY seq;
SELECT balance, held, available FROM balance WHERE account_id = 4;
SELECT credit_seq, amount, kind FROM allocation WHERE account_id = 4 ORDER BY seq, credit_seq;
ROLLBACK;
-- refuse: then it is all or nothing, or the rest stays held
SET storecredit.revert_expired = 'refuse';
SELECT store_credit_void(4, 1);
SELECT store_credit_capture(4, 1, '3 USD');
SELECT status, captured, draws FROM hold WHERE account_id = 4;
BEGIN;
SELECT seq, draws FROM store_credit_capture(4, 1, '3 USD', final => false);
SELECT seq, draws FROM store_credit_capture(4, 1);
ROLLBACK;
-- what is let go from credits that are good is no matter of the rule
BEGIN;
SELECT seq, draws FROM store_credit_capture(4, 1, '10 USD');
ROLLBACK;
-- a hold that ends by itself asks nobody, and so cannot be refused: it is reinstated
SELECT hold_id, draws FROM store_credit_authorize('dora', '5 USD', expires_at => '2027-02-06 12:00+00');
SELECT account_id, seq FROM store_credit_credit('emil', '10 USD', expires_on => '2027-02-06');
SELECT hold_id, draws FROM store_credit_authorize('emil', '5 USD', expires_at => '2027-02-08 12:00+00');
SET storecredit.test_clock = '2027-02-08 12:00+00';
SELECT store_credit_expire();
SELECT seq, kind, amount, related_seq, expires_at FROM transaction WHERE account_id = 5 AND seq > 1 ORDER BY seq;
SELECT hold_id, status FROM hold ORDER BY account_id, hold_id;
RESET storecredit.revert_expired;

SELECT * FROM verify();
\c :home
DROP DATABASE regression_storecredit_revert;
