\set id random(:first, :last)
WITH changed AS (
    UPDATE bench.bare_account SET balance = balance - :cents WHERE account_id = :id RETURNING account_id, balance
)
INSERT INTO bench.bare_history SELECT account_id, -:cents::bigint, balance, now() FROM changed;
