\set id random(:first, :last)
SELECT (storecredit.store_credit_credit(:id::text, :amount::storecredit.money_ccy)).balance_after;
