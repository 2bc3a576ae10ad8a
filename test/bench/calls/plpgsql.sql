\set id random(:first, :last)
SELECT bench.shop_debit(:id, :cents);
