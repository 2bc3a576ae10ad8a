-- The same accounts for storecredit, in bulk: verify() proves afterwards that they are sound.

SET session_replication_role = replica;		-- verify() instead of a check per account
SET synchronous_commit = off;
SET search_path = storecredit, pg_catalog;

INSERT INTO account (account_id, opened_at, last_seq, balance, held, credit_line, last_hold_id, currency, owner)
SELECT account_id, now(), credits, money_ccy_from_minor(credits * cents, 'USD'),
       '0 USD', '0 USD', 0, 'USD', account_id::text
  FROM bench.account_range, generate_series(first, last) AS account_id;

INSERT INTO transaction (account_id, seq, kind, amount, balance_after, created_at, expires_at, issuer, recorded_by)
SELECT account_id, n, 'credit', money_ccy_from_minor(cents, 'USD'), money_ccy_from_minor(n * cents, 'USD'), now(),
       CASE WHEN n < credits THEN now() + (n + 30) * interval '1 day' END, session_user, session_user
  FROM bench.account_range, generate_series(first, last) AS account_id, generate_series(1, credits) AS n
 ORDER BY n, account_id;

INSERT INTO open_credit (account_id, expires_at, seq, remaining)
SELECT account_id, coalesce(expires_at, 'infinity'), seq, amount
  FROM transaction;
