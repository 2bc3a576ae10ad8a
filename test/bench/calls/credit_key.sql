\set id random(:first, :last)
\set key random(1, 9000000000000000000)
SELECT (storecredit.store_credit_credit(:id::text, :amount::storecredit.money_ccy, idempotency_key => :key::text)).balance_after;
