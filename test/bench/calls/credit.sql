\set id random(:first, :last)
SELECT seq, balance_after FROM storecredit.store_credit_credit(:id::text, :amount::storecredit.money_ccy);
