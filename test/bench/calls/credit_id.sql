\set id random(:first, :last)
SELECT * FROM storecredit.store_credit_credit(:id::bigint, :amount::storecredit.money_ccy);
