\set id random(:first, :last)
SELECT :id::bigint;
