\set i :i + 1
\set id :first + (:i * :cents) / 1000
SELECT bench.shop_debit(:id, :cents);
