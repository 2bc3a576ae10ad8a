-- A sound ledger of :accounts accounts with five entries each, one in five of them with an open hold.
-- The rows of an account lie apart, as they come in a shop's life: one entry of every account, then the next.

SET session_replication_role = replica;		-- verify() is to find out, not a check per account
SET synchronous_commit = off;
SET search_path = storecredit, pg_catalog;

CREATE TEMPORARY TABLE entry (seq, kind, cents, balance_cents, expires_at, keyed, draws) AS VALUES
	(1, 'credit', 10000, 10000, NULL::timestamptz, false, NULL::bigint[]),
	(2, 'credit', 5000, 15000, now() + interval '30 days', true, NULL),
	(3, 'debit', -3000, 12000, NULL, true, '{2,3000}'),
	(4, 'debit', -4000, 8000, NULL, true, '{2,2000,1,2000}'),
	(5, 'credit', 1000, 9000, NULL, false, NULL);

INSERT INTO account (account_id, opened_at, last_seq, balance, held, credit_line, last_hold_id, currency, owner)
SELECT a, now(), 5, '90.00 USD', CASE WHEN a % 5 = 0 THEN '15.00 USD' ELSE '0.00 USD' END::money_ccy, '0.00 USD',
       CASE WHEN a % 5 = 0 THEN 1 ELSE 0 END, 'USD', 'Customer/' || a
  FROM generate_series(1, :accounts) a;

INSERT INTO transaction (account_id, seq, kind, amount, balance_after, created_at, expires_at,
                         issuer, recorded_by, idempotency_key, request_hash, draws)
SELECT a, seq, kind, money_ccy_from_minor(cents, 'USD'), money_ccy_from_minor(balance_cents, 'USD'), now(), expires_at,
       'shop', session_user, CASE WHEN keyed THEN 'order-' || a || '-' || seq END, CASE WHEN keyed THEN a END, draws
  FROM generate_series(1, :accounts) a, entry
 ORDER BY seq, hashint8(a);

INSERT INTO open_credit (account_id, expires_at, seq, remaining)
SELECT a, 'infinity', seq,
       CASE WHEN seq = 5 THEN '10.00 USD' WHEN a % 5 = 0 THEN '65.00 USD' ELSE '80.00 USD' END::money_ccy
  FROM generate_series(1, :accounts) a, (VALUES (1), (5)) credit (seq)
 ORDER BY seq, hashint8(a);

INSERT INTO hold (account_id, hold_id, amount, captured, status, created_at, issuer, recorded_by, authorized, draws)
SELECT a, 1, '15.00 USD', '0.00 USD', 'open', now(), 'shop', session_user, '{1,1500}', '{1,1500}'
  FROM generate_series(5, :accounts, 5) a
 ORDER BY hashint8(a);
