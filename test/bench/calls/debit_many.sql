\set i :i + 1
\set id :first + (:i * :cents) / 1000
SELECT (storecredit.store_credit_debit(:id::text, :amount::storecredit.money_ccy)).balance_after;
