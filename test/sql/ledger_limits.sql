-- Limits of a currency and of an account: what is above them is refused, what is at them is not, and a change counts at once.
SET client_min_messages = warning;
SELECT storecredit.create_ledger();
SET search_path = "$user", public, storecredit;
SET storecredit.test_clock = '2026-11-27 09:00+00';
ALTER SEQUENCE account_number_seq RESTART 850001;
\set SHOW_CONTEXT never

-- no limit unless there is one
SELECT seq, balance_after FROM store_credit_credit('limits/first', '1000000 NOK');
SELECT seq, balance_after FROM store_credit_debit('limits/first', '999900 NOK');

-- of a single credit
SELECT store_credit_set_limit('NOK', max_credit => '50 NOK');
SELECT store_credit_credit('limits/first', '50.01 NOK');
SELECT seq, balance_after FROM store_credit_credit('limits/first', '50 NOK');
-- of a single debit, which a part may stay within
SELECT store_credit_set_limit('NOK', max_debit => '20 NOK');
SELECT store_credit_debit('limits/first', '20.01 NOK');
SELECT seq, balance_after FROM store_credit_debit('limits/first', '20 NOK');
SELECT store_credit_debit('limits/first', '20.01 NOK', allow_partial => true);
SELECT seq, amount, balance_after FROM store_credit_debit('limits/first', '20 NOK', allow_partial => true);
-- before funds: a debit that is too large either way is told of the limit
SELECT store_credit_debit('limits/first', '1000 NOK');
-- of the balance, whatever a single credit brings
SELECT store_credit_set_limit('NOK', max_balance => '120 NOK');
SELECT store_credit_credit('limits/first', '10.01 NOK');
SELECT seq, balance_after FROM store_credit_credit('limits/first', '10 NOK');
SELECT store_credit_credit('limits/first', '0.01 NOK');
-- a refused first credit opens no account
SELECT store_credit_credit('limits/second', '120.01 NOK');
SELECT count(*) FROM account WHERE owner = 'limits/second';
-- a limit lowered below the balance hinders credits, not debits
SELECT store_credit_set_limit('NOK', max_balance => '10 NOK');
SELECT store_credit_credit('limits/first', '0.01 NOK');
SELECT seq, balance_after FROM store_credit_debit('limits/first', '115 NOK');
SELECT seq, balance_after FROM store_credit_credit('limits/first', '5 NOK');
-- of nothing at all
SELECT store_credit_set_limit('NOK', max_credit => '0 NOK', max_debit => '0 NOK');
SELECT store_credit_credit('limits/first', '0.01 NOK');
SELECT store_credit_debit('limits/first', '0.01 NOK');
-- each call sets all three, none is no limit, and the code may be in any case
SELECT store_credit_set_limit('nok', max_balance => '10 NOK');
SELECT * FROM currency_limit WHERE currency = 'NOK';
-- other currencies are not concerned
SELECT seq, balance_after FROM store_credit_credit('limits/first', '1000 SEK');

-- an account's own limit on its balance goes before its currency's, in either direction
SELECT account_id AS account FROM account WHERE owner = 'limits/first' AND currency = 'NOK' \gset
SELECT store_credit_set_account_limits(:account, max_balance => '1000 NOK');
SELECT seq, balance_after FROM store_credit_credit('limits/first', '990 NOK');
SELECT store_credit_credit('limits/first', '0.01 NOK');
SELECT store_credit_set_account_limits(:account, max_balance => '5 NOK');
SELECT store_credit_credit('limits/first', '0.01 NOK');
-- the largest amount there is, is no limit
SELECT store_credit_set_account_limits(:account, max_balance => money_ccy_from_minor(9223372036854775807, 'NOK'));
SELECT seq, balance_after FROM store_credit_credit('limits/first', '1 NOK');
-- null: the currency's again
SELECT store_credit_set_account_limits(:account);
SELECT store_credit_credit('limits/first', '0.01 NOK');
SELECT seq, balance_after FROM store_credit_debit('limits/first', '1000 NOK');

-- in a transaction a change counts at once, and is gone with it
BEGIN;
SELECT store_credit_set_limit('NOK', max_balance => '20 NOK');
SELECT seq, balance_after FROM store_credit_credit('limits/first', '19 NOK');
SAVEPOINT inner_change;
SELECT store_credit_set_limit('NOK', max_balance => '30 NOK');
SELECT seq, balance_after FROM store_credit_credit('limits/first', '10 NOK');
ROLLBACK TO inner_change;
SELECT store_credit_credit('limits/first', '0.01 NOK');
ROLLBACK;
SELECT seq, balance_after FROM store_credit_credit('limits/first', '9 NOK');
SELECT store_credit_credit('limits/first', '0.01 NOK');

-- a change by any statement counts
DELETE FROM currency_limit WHERE currency = 'NOK';
SELECT seq, balance_after FROM store_credit_credit('limits/first', '90 NOK');
INSERT INTO currency_limit (currency, max_credit) VALUES ('NOK', '1 NOK');
SELECT store_credit_credit('limits/first', '1.01 NOK');
UPDATE currency_limit SET max_credit = NULL WHERE currency = 'NOK';
SELECT seq, balance_after FROM store_credit_credit('limits/first', '1.01 NOK');
COPY currency_limit (currency, max_debit) FROM STDIN;
ISK	2 ISK
\.
SELECT seq, balance_after FROM store_credit_credit('limits/first', '3 ISK');
SELECT store_credit_debit('limits/first', '3 ISK');
MERGE INTO currency_limit USING (VALUES ('ISK')) AS v(c) ON currency = c WHEN MATCHED THEN DELETE;
SELECT seq, balance_after FROM store_credit_debit('limits/first', '3 ISK');

-- what no limit can be
SELECT store_credit_set_limit('NOK', max_balance => '10 SEK');
SELECT store_credit_set_limit('NOK', max_credit => '10 SEK');
SELECT store_credit_set_limit('NOK', max_debit => '-0.01 NOK');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT store_credit_set_limit('XXX');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT store_credit_set_limit(NULL, max_debit => '1 NOK');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT store_credit_set_account_limits(:account, max_balance => '10 SEK');
SELECT store_credit_set_account_limits(:account, max_balance => '-0.01 NOK');
INSERT INTO currency_limit (currency, max_credit) VALUES ('NZD', '1 NOK');
INSERT INTO currency_limit (currency, max_credit) VALUES ('NZD', '-1 NZD');

-- a withdrawn currency cannot be issued any more; what is there can be spent
BEGIN;
INSERT INTO account (account_id, opened_at, last_seq, balance, held, credit_line, last_hold_id, currency, owner)
	VALUES (850901, '2022-12-01', 1, '100 HRK', '0 HRK', '0 HRK', 0, 'HRK', 'limits/kuna');
INSERT INTO transaction (account_id, seq, kind, amount, balance_after, created_at, issuer, recorded_by)
	VALUES (850901, 1, 'credit', '100 HRK', '100 HRK', '2022-12-01', 'import', 'import');
INSERT INTO open_credit VALUES (850901, 'infinity', 1, '100 HRK');
COMMIT;
SELECT store_credit_balance('limits/kuna', 'HRK');
SELECT store_credit_credit('limits/kuna', '1 HRK');
SELECT store_credit_credit(850901, '1 HRK');
SELECT seq, balance_after FROM store_credit_debit('limits/kuna', '99 HRK');

DELETE FROM currency_limit WHERE currency = 'NOK';
SELECT * FROM verify();
