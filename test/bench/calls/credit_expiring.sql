\set id random(:first, :last)
SELECT (storecredit.store_credit_credit(:id::text, :amount::storecredit.money_ccy, expires_at => '2999-12-31')).balance_after;
