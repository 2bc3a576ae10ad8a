\set id random(:first, :last)
SELECT * FROM storecredit.store_credit_debit(:id::bigint, :amount::storecredit.money_ccy);
