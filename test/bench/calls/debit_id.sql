\set id random(:first, :last)
SELECT seq, balance_after FROM storecredit.store_credit_debit(:id::bigint, :amount::storecredit.money_ccy);
