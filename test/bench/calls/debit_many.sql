\set i :i + 1
\set id :first + (:i * :cents) / 1000
SELECT seq, balance_after FROM storecredit.store_credit_debit(:id::text, :amount::storecredit.money_ccy);
