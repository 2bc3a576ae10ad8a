-- Step 1.  A Spree admin's day: an amount, a currency, a memo, and the balance is there at once.
-- The demo's day is Black Friday 2026, so that its dates never pass.
SET storecredit.test_clock = '2026-11-27 09:00:00+00';

-- Customer 42 waited a week for a parcel.  The admin clicks "Add Store Credit".
SELECT seq, kind, amount, balance_after, memo, issuer
FROM store_credit_credit('Customer/42', '25 USD', memo => 'Goodwill: parcel a week late', issuer => 'Admin/3');

-- The customer can spend it at once.
SELECT store_credit_balance('Customer/42', 'USD');

-- A return from abroad is paid back in euros.  Another currency is another account of the same customer.
SELECT seq, kind, amount, balance_after, memo
FROM store_credit_credit('Customer/42', 10.50, 'EUR', memo => 'Return R1007', issuer => 'Admin/3');

-- A slip of the keyboard issues nothing, and says why.
SELECT store_credit_credit('Customer/42', '-5 USD', memo => 'Goodwill', issuer => 'Admin/3');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT store_credit_credit('Customer/42', '12.345 USD', memo => 'Goodwill', issuer => 'Admin/3');
\echo SQLSTATE :LAST_ERROR_SQLSTATE

-- A company buys on its prepaid balance, and up to 500 dollars beyond it.
SELECT seq, kind, amount, balance_after, memo
FROM store_credit_credit('Company/Bakery', '200 USD', memo => 'Prepaid, invoice 2026-88', issuer => 'Admin/3');
SELECT store_credit_set_account_limits(account_id, credit_line => '500 USD')
FROM storecredit.account WHERE owner = 'Company/Bakery' AND currency = 'USD';
SELECT seq, kind, amount, balance_after, reference
FROM store_credit_debit('Company/Bakery', '350 USD', reference => 'Order/R2001');

-- The "Store credits" section of the customers' pages.
SELECT owner, currency, balance, available FROM storecredit.balance ORDER BY owner, currency;
SELECT owner, seq, kind, amount, balance_after, memo, reference
FROM storecredit.transaction JOIN storecredit.account USING (account_id)
ORDER BY owner, currency, seq;
