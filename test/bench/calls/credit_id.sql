\set id random(:first, :last)
SELECT (storecredit.store_credit_credit(:id::bigint, :amount::storecredit.money_ccy)).balance_after;
