-- Step 3.  A checkout that takes from three credits, the same request again, and one that is too large.
SET storecredit.test_clock = '2026-11-27 11:00:00+00';

-- Customer 7 has three credits: one for ever, one until the year's end, one until the end of this weekend.
SELECT seq, amount, expires_at, memo
FROM store_credit_credit('Customer/7', '30 USD', memo => 'Refund of R1001');
SELECT seq, amount, expires_at, memo
FROM store_credit_credit('Customer/7', '20 USD', expires_on => '2026-12-31', memo => 'Bonus on the refund');
SELECT seq, amount, expires_at, memo
FROM store_credit_credit('Customer/7', '10 USD', expires_on => '2026-11-29', memo => 'Black Friday weekend');
SELECT balance, available, next_expiry FROM storecredit.balance WHERE owner = 'Customer/7';

-- An order of 45 dollars.  The payment carries a key that the shop made for it.
SELECT seq, kind, amount, balance_after, reference
FROM store_credit_debit('Customer/7', '45 USD', reference => 'Order/R1010', idempotency_key => 'R1010-payment-1');

-- It drew on what expires first, and on what never expires last.
SELECT l.debit_seq, l.credit_seq, c.memo, c.expires_at, c.amount AS credit, l.amount AS drawn
FROM storecredit.allocation l
JOIN storecredit.account a USING (account_id)
JOIN storecredit.transaction c ON c.account_id = l.account_id AND c.seq = l.credit_seq
WHERE a.owner = 'Customer/7'
ORDER BY c.expires_at;

-- The shop never got the answer and asks again with the same key: the same row, and no money moves.
SELECT seq, kind, amount, balance_after, reference
FROM store_credit_debit('Customer/7', '45 USD', reference => 'Order/R1010', idempotency_key => 'R1010-payment-1');
SELECT store_credit_balance('Customer/7', 'USD');

-- The same key for another amount is a mistake.
SELECT store_credit_debit('Customer/7', '44 USD', reference => 'Order/R1010', idempotency_key => 'R1010-payment-1');
\echo SQLSTATE :LAST_ERROR_SQLSTATE

-- More than there is, is refused.
SELECT store_credit_debit('Customer/7', '15.01 USD', reference => 'Order/R1011');
\echo SQLSTATE :LAST_ERROR_SQLSTATE

-- Unless the checkout takes what there is and asks for the rest in money.
SELECT seq, kind, amount, balance_after, reference
FROM store_credit_debit('Customer/7', '15.01 USD', allow_partial => true, reference => 'Order/R1011');
