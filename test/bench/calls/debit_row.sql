\set id random(:first, :last)
SELECT * FROM storecredit.store_credit_debit(:id::text, :amount::storecredit.money_ccy);
