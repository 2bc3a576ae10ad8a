-- A shop's winter, read by its people: the support agent's timeline, the customer's accounts, the accountant's reports.
\set home :DBNAME
\set SHOW_CONTEXT never
CREATE DATABASE regression_storecredit_reports;
\c regression_storecredit_reports
SET client_min_messages = warning;
CREATE EXTENSION storecredit;
SET search_path = "$user", public, storecredit;
SET timezone = 'UTC';
SET datestyle = 'ISO';

-- before there is a ledger, each of them says so
SELECT store_credit_timeline('Customer/1', 'USD');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT store_credit_accounts('Customer/1');
SELECT store_credit_apply('Customer/1', '10 USD');
SELECT store_credit_balance_as_of('Customer/1', 'USD', now());
SELECT store_credit_roll_forward();
SELECT store_credit_aging('issue');
SELECT grant_access('postgres', 'reader');
SELECT create_ledger();

-- given: two customers, and what happened to them
SET storecredit.test_clock = '2026-01-10 10:00+00';
SELECT account_id FROM store_credit_credit('Customer/1', '50 USD', expires_on => '2026-12-31', category => 'refund', reference => 'Return/1', issuer => 'Ann', memo => 'arrived broken') \gset
SET storecredit.test_clock = '2026-01-11 10:00+00';
SELECT seq FROM store_credit_credit('Customer/1', '30 USD', issuer => 'Ann');
SELECT hold_id FROM store_credit_authorize('Customer/1', '60 USD', expires_at => '2026-01-18 10:00+00', reference => 'Cart/1', issuer => 'web shop');
SET storecredit.test_clock = '2026-01-12 10:00+00';
SELECT seq FROM store_credit_capture(:account_id, 1, '55 USD', category => 'web', reference => 'Order/1');
SELECT seq FROM store_credit_revert(:account_id, 3, '10 USD', issuer => 'Bob', memo => 'one item short');
SELECT seq FROM store_credit_edit(:account_id, 2, '35 USD', expires_at => '2026-06-01 14:30+00', issuer => 'Bob');
SELECT seq FROM store_credit_edit(:account_id, 2, '33 USD', issuer => 'Bob');
SET storecredit.test_clock = '2026-02-12 10:00+00';
SELECT seq FROM store_credit_revoke(:account_id, 2, issuer => 'Bob', memo => 'fraud');
SELECT seq, amount FROM store_credit_refund('Customer/2', '10 USD', bonus_percent => 10, bonus_expires_on => '2026-02-28', issuer => 'Ann');
SELECT seq FROM store_credit_credit('Customer/2', '4 EUR', issuer => 'Ann');
SELECT store_credit_set_account_limits(account_id, credit_line => '5 EUR') FROM account WHERE currency = 'EUR';
SELECT seq FROM store_credit_debit('Customer/2', '6 EUR', category => 'shop', reference => 'Order/2');
SET storecredit.test_clock = '2026-03-02 10:00+00';
SELECT store_credit_expire();
SELECT hold_id FROM store_credit_authorize('Customer/1', '1 USD', issuer => 'web shop');
SELECT status FROM store_credit_void(:account_id, 2);

-- the timeline: what a support agent reads aloud
SELECT sentence FROM store_credit_timeline('Customer/1', 'USD');
SELECT sentence FROM store_credit_timeline('Customer/2', 'USD');
SELECT page_key, seq, hold_id, kind, status, amount, balance_after, related_seq, credits FROM store_credit_timeline('Customer/1', 'USD');
-- an end of day is the shop's
BEGIN;
SET LOCAL storecredit.timezone = 'America/New_York';
SELECT sentence FROM store_credit_timeline('Customer/1', 'USD', '2.0');
ROLLBACK;
-- page by page
SELECT page_key, kind, amount FROM store_credit_timeline('Customer/1', 'USD', max_entries => 4);
SELECT page_key, kind, amount FROM store_credit_timeline('Customer/1', 'USD', '5.2', 4);
SELECT page_key, kind, amount FROM store_credit_timeline('Customer/1', 'USD', '1.1', 4);
-- what is asked for must be
SELECT count(*) FROM store_credit_timeline('Customer/9', 'USD');
SELECT store_credit_timeline('Customer/1', 'USD', 'yesterday');
SELECT store_credit_timeline('Customer/1', 'USD', max_entries => 0);
SELECT store_credit_timeline(NULL, 'USD');
SELECT store_credit_timeline('Customer/1', NULL);
SELECT store_credit_timeline('Customer/1', 'XYZ');

-- the customer
SELECT currency, balance, held, available, next_expiry, next_expiring, credits FROM store_credit_accounts('Customer/2');
SELECT count(*) FROM store_credit_accounts('Customer/9');
SELECT store_credit_accounts(NULL);
-- a checkout: what there is, what it needs, what one debit may be, and what the credit line still gives
SELECT store_credit_apply('Customer/1', '20 USD'), store_credit_apply('Customer/1', '3 USD'), store_credit_apply('Customer/1', '0 USD'),
	store_credit_apply('Customer/2', '20 EUR'), store_credit_apply('Customer/9', '20 USD');
SELECT store_credit_set_limit('USD', max_debit => '2 USD');
SELECT store_credit_apply('Customer/1', '20 USD');
SELECT store_credit_set_limit('USD');
SELECT store_credit_apply('Customer/1', '-1 USD');
SELECT store_credit_apply('Customer/1', NULL);
SELECT store_credit_apply(NULL, '1 USD');

-- finance: balances as of an instant, which counts itself
SELECT at, store_credit_balance_as_of('Customer/1', 'usd', at) AS balance
FROM unnest('{2026-01-10 09:59:59.999999Z,2026-01-10 10:00Z,2026-01-11 12:00Z,2026-01-12 10:00Z,2026-02-12 10:00Z,infinity}'::timestamptz[]) at;
SELECT owner, balance FROM store_credit_balances_as_of('2026-01-31Z') ORDER BY owner;
SELECT owner, balance FROM store_credit_balances_as_of('2026-02-28Z') ORDER BY owner, currency;
SELECT store_credit_balance_as_of('Customer/1', 'USD', NULL);
SELECT * FROM liability;
SELECT * FROM store_credit_liability('2026-02-28Z');
SELECT owner, balance FROM store_credit_top_holders('USD');
SELECT owner, balance FROM store_credit_top_holders('USD', 1, '2026-01-31Z');
SELECT store_credit_top_holders('USD', 0);

-- roll-forward
SELECT * FROM roll_forward;
SELECT * FROM store_credit_roll_forward('2026-01-11Z', '2026-01-12Z');
SELECT * FROM store_credit_roll_forward('2026-02-01Z', '2026-03-03Z', 'day');
SELECT currency, period_start, closing FROM store_credit_roll_forward(step => 'year');
SELECT store_credit_roll_forward('2026-02-01Z', '2026-01-01Z');
SELECT store_credit_roll_forward(step => 'hour');
SELECT store_credit_roll_forward(NULL);

-- aging, at the end of the day before the expiry sweep too
SELECT * FROM aging;
SELECT * FROM store_credit_aging('expiry', '2026-02-20Z');
SELECT * FROM store_credit_aging('expiry', '2026-03-01Z');
SELECT * FROM store_credit_aging('issue', '2026-02-20Z');
SELECT * FROM store_credit_aging('activity', '2026-02-20Z');
SELECT * FROM store_credit_aging('issue', '2027-12-31Z');
SELECT store_credit_aging('weight');
SELECT store_credit_aging(NULL);

-- cohorts, redemptions, what expires next
SELECT * FROM cohort;
SELECT month, category, issued, redeemed, outstanding FROM store_credit_cohorts('2026-01-31Z');
SELECT * FROM redemption;
SELECT * FROM store_credit_redemptions('2026-02-01Z', '2026-03-01Z');
SELECT owner, seq, remaining, expires_at FROM store_credit_expiring(400);
SELECT count(*) FROM store_credit_expiring(400, 'EUR');
SELECT store_credit_expiring(-1);
SELECT store_credit_expiring(NULL);

-- the journal: two lines for each credit that an entry moves money of, by the posting map
SELECT * FROM posting ORDER BY kind, category NULLS FIRST, credit_category NULLS FIRST;
SELECT seq, line, kind, category, credit_seq, ledger_account, debit, credit FROM journal WHERE account_id = :account_id ORDER BY seq, line;
-- what was given away is another debt than what was bought: a debit of both is posted to each, and so is what comes of them
SELECT account_id AS giver FROM store_credit_refund('Customer/3', '20 USD', bonus => '6 USD', bonus_expires_on => '2026-12-31') LIMIT 1 \gset
SELECT seq FROM store_credit_debit('Customer/3', '9 USD', category => 'web');
SELECT seq FROM store_credit_revert(:giver, 3, '5 USD');
SELECT seq FROM store_credit_edit(:giver, 2, '5 USD');
SELECT seq FROM store_credit_revoke(:giver, 2);
SELECT seq, line, kind, category, credit_seq, ledger_account, debit, credit FROM journal WHERE account_id = :giver ORDER BY seq, line;
-- a bonus that pays back the credit line is the shop's promotion no more
SELECT store_credit_set_account_limits(:giver, credit_line => '30 USD');
SELECT seq FROM store_credit_debit('Customer/3', '23 USD');
SELECT seq FROM store_credit_credit('Customer/3', '4 USD', category => 'bonus');
SELECT seq, line, kind, credit_seq, ledger_account, debit, credit FROM journal WHERE account_id = :giver AND seq > 6 ORDER BY seq, line;
-- the closest row is taken: of category and credit's, of category, of the credit's; without any, it is seen
INSERT INTO posting VALUES ('debit', 'web', NULL, 'store credit liability', 'web sales'), ('debit', 'web', 'bonus', 'promotional credit liability', 'web promotions');
DELETE FROM posting WHERE kind = 'debit_revert';
SELECT seq, kind, category, ledger_account, coalesce(debit, - credit) AS amount FROM store_credit_journal('2026-01-12Z') WHERE kind IN ('debit_revert', 'debit') AND account_id = :giver;
SELECT money_ccy_currency(debit + credit) FROM journal WHERE debit IS NOT NULL AND credit IS NOT NULL;
SELECT sum(debit) - sum(credit) AS difference FROM journal GROUP BY money_ccy_currency(coalesce(debit, credit));
INSERT INTO posting VALUES ('credit', NULL, NULL, 'x', 'y');
INSERT INTO posting VALUES ('tip', NULL, NULL, 'x', 'y');

-- totals have no bound: neither what many have together, nor what one has moved
SELECT count(*) FROM generate_series(1, 3) n CROSS JOIN LATERAL store_credit_credit('rich/' || n, '92233720368547758.07 GBP', category => 'bonus', expires_at => '2026-12-31Z');
SELECT seq FROM store_credit_debit('rich/1', '92233720368547758.07 GBP');
SELECT seq FROM store_credit_credit('rich/1', '92233720368547758.07 GBP');
SELECT hold_id FROM store_credit_authorize('rich/2', '92233720368547758.07 GBP');
SELECT * FROM store_credit_liability() WHERE currency = 'GBP';
SELECT * FROM store_credit_liability('infinity') WHERE currency = 'GBP';
SELECT balance FROM store_credit_balances_as_of('2026-03-01Z') WHERE currency = 'GBP';
SELECT owner, balance FROM store_credit_balances_as_of(store_credit_clock()) WHERE currency = 'GBP' ORDER BY owner;
SELECT opening, issued, bonus, redeemed, closing FROM store_credit_roll_forward() WHERE currency = 'GBP';
SELECT opening, issued, bonus, redeemed, closing FROM roll_forward WHERE currency = 'GBP';
SELECT by, a.* FROM unnest('{issue,expiry,activity}'::text[]) by CROSS JOIN LATERAL store_credit_aging(by) a WHERE currency = 'GBP';
SELECT by, a.* FROM unnest('{issue,expiry,activity}'::text[]) by CROSS JOIN LATERAL store_credit_aging(by, store_credit_clock()) a WHERE currency = 'GBP';
SELECT * FROM cohort WHERE currency = 'GBP';
SELECT * FROM redemption WHERE currency = 'GBP';
SELECT count(*), sum(money_ccy_to_minor(coalesce(debit, - credit))) FROM journal WHERE money_ccy_currency(coalesce(debit, credit)) = 'GBP';

\c :home
DROP DATABASE regression_storecredit_reports;
