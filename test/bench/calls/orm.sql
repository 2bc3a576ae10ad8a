\set id random(:first, :last)
BEGIN;
SELECT * FROM bench.shop_account WHERE account_id = :id LIMIT 1 FOR UPDATE \gset account_
SELECT * FROM bench.shop_credit
 WHERE account_id = :id AND remaining > 0 AND expires_at > now()
 ORDER BY expires_at, credit_id LIMIT 1 \gset credit_
\set remaining :credit_remaining - :cents
\set balance :account_balance - :cents
UPDATE bench.shop_credit SET remaining = :remaining, updated_at = now() WHERE credit_id = :credit_credit_id;
UPDATE bench.shop_account SET balance = :balance, updated_at = now() WHERE account_id = :id;
INSERT INTO bench.shop_transaction (account_id, kind, amount, balance_after, created_at)
VALUES (:id, 'debit', -:cents::bigint, :balance, now()) RETURNING transaction_id;
COMMIT;
