-- Accounts for the baselines, in bulk; variables: accounts, calls.
-- Owners are the account numbers as text.

SET session_replication_role = replica;		-- no foreign key lookups while loading
SET synchronous_commit = off;

-- Which accounts there are: many ordinary ones, a hot one, accounts with many open
-- credits, and accounts whose debits use up many credits (1,000 credits of a cent in each).
CREATE TABLE bench.account_range
(
    name    text PRIMARY KEY,
    first   bigint NOT NULL,
    last    bigint NOT NULL,
    credits integer NOT NULL,
    cents   bigint NOT NULL
);

INSERT INTO bench.account_range VALUES
    ('ordinary', 1, :accounts, 3, 1000000),
    ('hot', 100000000, 100000000, 3, 1000000000000);
INSERT INTO bench.account_range
SELECT 'open_' || n, 200000000 + n * 1000, 200000000 + n * 1000 + 19, n, 1000000
  FROM unnest(ARRAY[1, 10, 100, 1000]) AS n;
INSERT INTO bench.account_range
SELECT 'uses_' || n, 300000000 + n * 1000, 300000000 + n * 1000 + (:calls * n + 999) / 1000, 1000, 1
  FROM unnest(ARRAY[1, 10, 100]) AS n;

INSERT INTO bench.bare_account (account_id, balance)
SELECT account_id, credits * cents
  FROM bench.account_range, generate_series(first, last) AS account_id;

INSERT INTO bench.shop_account (account_id, owner, currency, balance, updated_at)
SELECT account_id, account_id, 'USD', credits * cents, now()
  FROM bench.account_range, generate_series(first, last) AS account_id;

-- Credits come to all accounts in turn, as in life: what an account owns lies on many pages, and the
-- indexes have grown from within.  The last credit of each account never expires.
INSERT INTO bench.shop_credit (account_id, amount, remaining, expires_at, created_at, updated_at)
SELECT account_id, cents, cents,
       CASE WHEN n < credits THEN now() + (n + 30) * interval '1 day' ELSE 'infinity' END, now(), now()
  FROM bench.account_range, generate_series(first, last) AS account_id, generate_series(1, credits) AS n
 ORDER BY n, account_id;

INSERT INTO bench.shop_transaction (account_id, kind, amount, balance_after, created_at)
SELECT account_id, 'credit', cents, n * cents, now()
  FROM bench.account_range, generate_series(first, last) AS account_id, generate_series(1, credits) AS n
 ORDER BY n, account_id;
