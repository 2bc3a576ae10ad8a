-- A year of a shop, until now, in bulk: :accounts accounts with ten entries each on average, six of ten of them debits.
-- Half of the accounts have four entries, two in a hundred have a hundred, and Customer/1 has ten thousand.  The rows
-- lie in the order in which they were booked.  verify() proves afterwards that it is sound.

SET session_replication_role = replica;		-- verify() instead of a check per account
SET synchronous_commit = off;
SET work_mem = '256MB';
SET search_path = storecredit, pg_catalog;

-- Its indexes are made anew when the history is there.
CREATE TEMPORARY TABLE index_of AS
SELECT format('ALTER TABLE transaction DROP CONSTRAINT %I', c.conname) AS without,
       format('ALTER TABLE transaction ADD CONSTRAINT %I %s', c.conname, pg_get_constraintdef(c.oid)) AS again
  FROM pg_constraint c
 WHERE c.conrelid = 'transaction'::regclass AND c.contype = 'p'
UNION ALL
SELECT format('DROP INDEX %I', r.relname), pg_get_indexdef(r.oid)
  FROM pg_index i JOIN pg_class r ON r.oid = i.indexrelid
 WHERE i.indrelid = 'transaction'::regclass AND NOT i.indisprimary;
SELECT without FROM index_of \gexec

-- What happens to an account: some rounds that leave nothing, then one that stays.  draw_from names entries of the round.
CREATE TEMPORARY TABLE entry (round, n, kind, cents, category, ends, related, hold, draw_from, draw, then_from, then_draw) AS VALUES
	('spent', 1, 'credit', 2500, 'refund', NULL, NULL::int, NULL::int, NULL::int, NULL::int, NULL::int, NULL::int),
	('spent', 2, 'debit', -800, 'web', NULL, NULL, NULL, 1, 800, NULL, NULL),
	('spent', 3, 'debit', -700, 'web', NULL, NULL, NULL, 1, 700, NULL, NULL),
	('spent', 4, 'debit', -1000, 'shop', NULL, NULL, NULL, 1, 1000, NULL, NULL),

	('short', 1, 'credit', 2500, 'refund', NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('short', 2, 'debit', -800, 'web', NULL, NULL, NULL, 1, 800, NULL, NULL),
	('short', 3, 'debit', -700, 'web', NULL, NULL, NULL, 1, 700, NULL, NULL),
	('short', 4, 'credit', 1000, 'promotion', 'next year', NULL, NULL, NULL, NULL, NULL, NULL),

	('line', 1, 'credit', 1000, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('line', 2, 'debit', -1000, 'web', NULL, NULL, NULL, 1, 1000, NULL, NULL),
	('line', 3, 'debit', -500, 'web', NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('line', 4, 'credit', 300, 'refund', NULL, NULL, NULL, 4, 300, NULL, NULL),

	('through', 1, 'credit', 5000, NULL, 'next year', NULL, NULL, NULL, NULL, NULL, NULL),
	('through', 2, 'debit', -1000, 'web', NULL, NULL, NULL, 1, 1000, NULL, NULL),
	('through', 3, 'credit', 3000, 'promotion', 'swept', NULL, NULL, NULL, NULL, NULL, NULL),
	('through', 4, 'debit', -1500, 'web', NULL, NULL, NULL, 3, 1500, NULL, NULL),
	('through', 5, 'debit', -1000, 'web', NULL, NULL, NULL, 3, 1000, NULL, NULL),
	('through', 6, 'debit_revert', 500, NULL, NULL, 5, NULL, 3, 500, NULL, NULL),
	('through', 7, 'debit', -700, 'web', NULL, NULL, NULL, 3, 700, NULL, NULL),
	('through', 8, 'debit', -200, 'shop', NULL, NULL, 1, 3, 200, NULL, NULL),
	('through', 9, 'expiration', -100, NULL, 'swept', 3, NULL, NULL, NULL, NULL, NULL),
	('through', 10, 'debit', -4000, 'web', NULL, NULL, NULL, 1, 4000, NULL, NULL),

	('bonus', 1, 'credit', 5000, 'refund', NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('bonus', 2, 'credit', 500, 'bonus', 'next year', 1, NULL, NULL, NULL, NULL, NULL),
	('bonus', 3, 'debit', -300, 'web', NULL, NULL, NULL, 2, 300, NULL, NULL),
	('bonus', 4, 'debit', -900, 'web', NULL, NULL, NULL, 2, 200, 1, 700),
	('bonus', 5, 'debit', -1000, 'shop', NULL, NULL, NULL, 1, 1000, NULL, NULL),
	('bonus', 6, 'adjustment', 500, NULL, NULL, 1, NULL, NULL, NULL, NULL, NULL),
	('bonus', 7, 'debit', -600, 'web', NULL, NULL, NULL, 1, 600, NULL, NULL),
	('bonus', 8, 'debit_revert', 200, NULL, NULL, 7, NULL, 1, 200, NULL, NULL),
	('bonus', 9, 'debit', -1100, 'web', NULL, NULL, NULL, 1, 1100, NULL, NULL),
	('bonus', 10, 'debit', -300, 'web', NULL, NULL, NULL, 1, 300, NULL, NULL),

	('held', 1, 'credit', 4000, 'goodwill', 'next year', NULL, NULL, NULL, NULL, NULL, NULL),
	('held', 2, 'debit', -1000, 'web', NULL, NULL, NULL, 1, 1000, NULL, NULL),
	('held', 3, 'credit', 2000, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('held', 4, 'debit', -500, 'web', NULL, NULL, NULL, 1, 500, NULL, NULL),
	('held', 5, 'debit', -500, 'web', NULL, NULL, NULL, 1, 500, NULL, NULL),
	('held', 6, 'debit', -400, 'shop', NULL, NULL, NULL, 1, 400, NULL, NULL),
	('held', 7, 'revocation', -2000, NULL, NULL, 3, NULL, NULL, NULL, NULL, NULL),
	('held', 8, 'credit', 1000, 'promotion', NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('held', 9, 'debit', -300, 'web', NULL, NULL, NULL, 1, 300, NULL, NULL),
	('held', 10, 'debit', -200, 'web', NULL, NULL, NULL, 1, 200, NULL, NULL);

-- What each round leaves: in these credits, with this set aside by an open hold.
CREATE TEMPORARY TABLE left_over (round, n, ends, cents, held) AS VALUES
	('short', 1, NULL, 1000, 0), ('short', 4, 'next year', 1000, 0),
	('bonus', 1, NULL, 2000, 0),
	('held', 1, 'next year', 1100, 250), ('held', 8, NULL, 1000, 0);

CREATE TEMPORARY TABLE shopper AS
SELECT a AS account_id, CASE a % 10 WHEN 0 THEN 'JPY' WHEN 1 THEN 'EUR' WHEN 2 THEN 'EUR' ELSE 'USD' END AS currency,
       1 + a % 7 AS scale, through, round, 10 * through + (SELECT max(n) FROM entry e WHERE e.round = s.round) AS entries
  FROM generate_series(1, :accounts) a
 CROSS JOIN LATERAL (SELECT (hashint8(a) & 2147483647) % 100 AS die) d
 CROSS JOIN LATERAL (SELECT CASE WHEN a = 1 THEN 999 WHEN die < 2 THEN 9 WHEN die < 14 THEN 1 ELSE 0 END AS through,
                            CASE WHEN a = 1 OR die < 30 THEN 'bonus' WHEN die < 50 THEN 'held' WHEN die < 70 THEN 'spent'
                                 WHEN die < 99 THEN 'short' ELSE 'line' END AS round) s;

SELECT date_trunc('minute', now()) - interval '365 days' AS year_start \gset

-- Entry by entry through the year, at some point of the account's time for it.
CREATE FUNCTION pg_temp.booked_at(year_start timestamptz, account_id bigint, seq bigint, entries bigint) RETURNS timestamptz
LANGUAGE sql IMMUTABLE AS
	$$SELECT year_start + (seq - 1 + (hashint8(account_id + 7919 * seq) & 1023) / 1024.0)::float8 / entries * interval '8760 hours'$$;

INSERT INTO transaction (account_id, seq, kind, amount, balance_after, created_at, expires_at, category, memo, reference,
                         issuer, recorded_by, idempotency_key, related_seq, hold_id, draws, request_hash)
SELECT s.account_id, base + n, kind, money_ccy_from_minor(cents * scale, currency), money_ccy_from_minor(balance * scale, currency),
       pg_temp.booked_at(:'year_start', s.account_id, base + n, entries),
       CASE ends
           WHEN 'swept' THEN pg_temp.booked_at(:'year_start', s.account_id, base + 9, entries)
           WHEN 'next year' THEN :'year_start'::timestamptz + interval '8772 hours' + s.account_id % 365 * interval '24 hours'
       END,
       category, CASE WHEN kind = 'credit' THEN 'with our compliments' END,
       CASE WHEN kind IN ('debit', 'credit') THEN 'Order/' || 1000 * s.account_id + base + n END,
       CASE kind WHEN 'expiration' THEN 'storecredit' ELSE 'web shop' END, session_user,
       CASE WHEN kind = 'debit' THEN format('checkout-%s-%s', s.account_id, base + n) END,
       base + related, hold + cycle,
       CASE
           WHEN then_from IS NOT NULL THEN ARRAY[base + draw_from, draw * scale, base + then_from, then_draw * scale]
           WHEN draw_from IS NOT NULL THEN ARRAY[base + draw_from, draw * scale]
       END,
       CASE WHEN kind = 'debit' THEN s.account_id END
  FROM shopper s
 CROSS JOIN LATERAL generate_series(0, through) cycle
 CROSS JOIN LATERAL (SELECT 10 * cycle::bigint AS base) b
  JOIN (SELECT *, sum(cents) OVER (PARTITION BY round ORDER BY n) AS balance FROM entry) e
    ON e.round = CASE WHEN cycle < through THEN 'through' ELSE s.round END
 ORDER BY 6, 1, 2;
SET maintenance_work_mem = '512MB';
SELECT again FROM index_of \gexec

INSERT INTO hold (account_id, hold_id, amount, captured, status, created_at, closed_at, issuer, recorded_by, authorized, draws)
SELECT account_id, hold_id, - amount, - amount, 'captured', created_at, created_at, 'web shop', session_user, draws, '{}'
  FROM transaction
 WHERE hold_id IS NOT NULL;

INSERT INTO hold (account_id, hold_id, amount, captured, status, created_at, issuer, recorded_by, authorized, draws)
SELECT account_id, through + 1, money_ccy_from_minor(held * scale, currency), money_ccy_from_minor(0, currency), 'open',
       :'year_start'::timestamptz + interval '8760 hours', 'web shop', session_user, d.pair, d.pair
  FROM shopper JOIN left_over USING (round)
 CROSS JOIN LATERAL (SELECT ARRAY[10 * through + n, held * scale] AS pair) d
 WHERE held > 0;

INSERT INTO open_credit (account_id, expires_at, seq, remaining)
SELECT account_id,
       CASE ends WHEN 'next year' THEN :'year_start'::timestamptz + interval '8772 hours' + account_id % 365 * interval '24 hours'
                 ELSE 'infinity' END,
       10 * through + n, money_ccy_from_minor((cents - held) * scale, currency)
  FROM shopper JOIN left_over USING (round);

INSERT INTO account (account_id, opened_at, last_seq, balance, held, credit_line, last_hold_id, currency, owner)
SELECT account_id, pg_temp.booked_at(:'year_start', account_id, 1, entries), entries,
       money_ccy_from_minor(coalesce(l.cents, CASE round WHEN 'line' THEN -200 ELSE 0 END) * scale, currency),
       money_ccy_from_minor(coalesce(l.held, 0) * scale, currency),
       money_ccy_from_minor(CASE round WHEN 'line' THEN 10000 ELSE 0 END, currency),
       through + CASE WHEN l.held > 0 THEN 1 ELSE 0 END, currency, 'Customer/' || account_id
  FROM shopper
  LEFT JOIN (SELECT round, sum(cents) AS cents, sum(held) AS held FROM left_over GROUP BY round) l USING (round);

SELECT setval('account_number_seq', :accounts);
