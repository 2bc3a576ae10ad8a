-- The reports agree with the history and with each other, to the cent, whatever has happened: random lives, as of any instant.
\set home :DBNAME
\set SHOW_CONTEXT never
CREATE DATABASE regression_storecredit_random;
\c regression_storecredit_random
SET client_min_messages = warning;
CREATE EXTENSION storecredit;
SELECT storecredit.create_ledger();
SET search_path = storecredit, public;
SET timezone = 'UTC';

CREATE TEMP TABLE dice (state bigint NOT NULL);
INSERT INTO dice VALUES (20261121);

-- the same numbers on every server: 0 to sides - 1
CREATE FUNCTION pg_temp.roll(sides bigint) RETURNS bigint LANGUAGE sql AS
	$$UPDATE dice SET state = (state * 1103515245 + 12345) % 2147483648 RETURNING (state >> 8) % sides$$;

CREATE FUNCTION pg_temp.some_amount() RETURNS money_ccy LANGUAGE sql AS
	$$SELECT money_ccy_from_minor(1 + pg_temp.roll(9000), 'HUF')$$;

CREATE FUNCTION pg_temp.some_end() RETURNS timestamptz LANGUAGE sql AS
	$$SELECT CASE WHEN pg_temp.roll(3) > 0 THEN store_credit_clock() + (1 + pg_temp.roll(40)) * interval '1 day' END$$;

CREATE FUNCTION pg_temp.some_entry(account bigint, wanted text) RETURNS bigint LANGUAGE sql AS $$
	WITH newest AS (SELECT seq FROM transaction WHERE account_id = account AND kind = wanted ORDER BY seq DESC LIMIT 6)
	SELECT coalesce((SELECT seq FROM newest ORDER BY seq OFFSET pg_temp.roll(greatest(1, (SELECT count(*) FROM newest))) LIMIT 1), 0)$$;

CREATE FUNCTION pg_temp.newest_hold(account bigint) RETURNS bigint LANGUAGE sql AS
	$$SELECT coalesce(max(hold_id), 0) FROM hold WHERE account_id = account AND status = 'open'$$;

CREATE PROCEDURE pg_temp.play(steps int) LANGUAGE plpgsql AS $$
DECLARE
	clock timestamptz := '2031-01-01 00:00:00+00';
	holder text;
	account bigint;
BEGIN
	FOR step IN 1 .. steps LOOP
		-- time may stand still, and does not fall
		clock := clock + pg_temp.roll(4) * interval '7 hours';
		PERFORM set_config('storecredit.test_clock', clock::text, false);
		holder := 'reports/random/' || 1 + pg_temp.roll(4);
		account := (SELECT a.account_id FROM account a WHERE a.owner = holder AND a.currency = 'HUF');
		BEGIN
			CASE pg_temp.roll(13)
				WHEN 0, 1 THEN PERFORM store_credit_credit(holder, pg_temp.some_amount(), expires_at => pg_temp.some_end(), category => ('{gift,NULL}'::text[])[1 + pg_temp.roll(2)]);
				WHEN 2 THEN PERFORM store_credit_refund(holder, pg_temp.some_amount(), bonus_percent => 10, expires_at => pg_temp.some_end());
				WHEN 3, 4 THEN PERFORM store_credit_debit(holder, pg_temp.some_amount(), true, reference => 'Order/' || pg_temp.roll(9));
				WHEN 5, 6 THEN PERFORM store_credit_authorize(holder, pg_temp.some_amount(), true, pg_temp.some_end());
				WHEN 7 THEN PERFORM store_credit_capture(account, pg_temp.newest_hold(account), final => pg_temp.roll(2) = 0, reference => 'Order/hold');
				WHEN 8 THEN PERFORM store_credit_void(account, pg_temp.newest_hold(account));
				WHEN 9 THEN PERFORM store_credit_revert(account, pg_temp.some_entry(account, 'debit'), expired => ('{reinstate,expire}'::text[])[1 + pg_temp.roll(2)]);
				WHEN 10 THEN PERFORM store_credit_edit(account, pg_temp.some_entry(account, 'credit'), pg_temp.some_amount(), pg_temp.some_end());
				WHEN 11 THEN PERFORM store_credit_revoke(account, pg_temp.some_entry(account, 'credit'));
				WHEN 12 THEN PERFORM store_credit_set_account_limits(account, credit_line => money_ccy_from_minor(pg_temp.roll(2) * 5000, 'HUF'));
			END CASE;
		EXCEPTION WHEN OTHERS THEN
			IF SQLSTATE !~ '^SC|^22004' THEN
				RAISE;
			END IF;
		END;
	END LOOP;
END$$;
CALL pg_temp.play(700);
SELECT * FROM verify() WHERE account_id IN (SELECT account_id FROM account WHERE owner LIKE 'reports/random/%');

-- everything has happened, credit lines that were drawn on included
SELECT kind, count(*) > 10 AS often FROM transaction JOIN account USING (account_id)
WHERE owner LIKE 'reports/random/%' GROUP BY kind ORDER BY kind COLLATE "C";
SELECT count(*) FILTER (WHERE money_ccy_to_minor(balance_after) < 0) > 10 AS overdrawn, count(*) FILTER (WHERE draws IS NOT NULL AND kind = 'credit') > 5 AS repaid
FROM transaction JOIN account USING (account_id) WHERE owner LIKE 'reports/random/%';

-- some instants: of entries, between them, before the first and after the last
CREATE TEMP TABLE instants AS
	SELECT created_at AS at FROM transaction JOIN account USING (account_id) WHERE owner LIKE 'reports/random/%' AND seq % 17 = 0
	UNION SELECT '2031-01-01Z'::timestamptz + n * interval '23 days 5 hours' FROM generate_series(-1, 12) n;
SELECT count(*) > 20 AS several FROM instants;

-- a balance as of an instant is the sum of what was booked until then: of each account, and of all
SELECT at, owner FROM instants CROSS JOIN account a
WHERE owner LIKE 'reports/random/%' AND store_credit_balance_as_of(owner, 'HUF', at) <>
	coalesce((SELECT sum(amount) FROM transaction t WHERE t.account_id = a.account_id AND created_at <= at), '0 HUF');
SELECT at, owner FROM instants CROSS JOIN LATERAL store_credit_balances_as_of(at) b
WHERE b.currency = 'HUF' AND balance <> store_credit_balance_as_of(owner, 'HUF', at);

-- what is left of the credits as of an instant is what the history says
WITH history AS (
	SELECT at, account_id, seq, sum(minor) AS minor FROM instants CROSS JOIN LATERAL (
		SELECT account_id, coalesce(CASE WHEN kind <> 'credit' THEN related_seq END, seq), money_ccy_to_minor(amount)
		FROM transaction WHERE created_at <= at AND (kind = 'credit' OR kind IN ('adjustment', 'expiration', 'revocation') AND related_seq IS NOT NULL)
		UNION ALL
		SELECT account_id, draws[n], CASE kind WHEN 'debit_revert' THEN draws[n + 1] ELSE - draws[n + 1] END
		FROM transaction, generate_series(1, cardinality(draws), 2) n WHERE created_at <= at) p (account_id, seq, minor)
	WHERE account_id IN (SELECT account_id FROM account WHERE owner LIKE 'reports/random/%')
	GROUP BY at, account_id, seq HAVING sum(minor) <> 0
), reported AS (
	SELECT at, account_id, seq, outstanding FROM instants CROSS JOIN LATERAL store_credit_outstanding(at)
	WHERE account_id IN (SELECT account_id FROM account WHERE owner LIKE 'reports/random/%')
)
SELECT * FROM history FULL JOIN reported r USING (at, account_id, seq) WHERE minor IS DISTINCT FROM outstanding;
-- and nothing is booked after now
SELECT * FROM (SELECT * FROM store_credit_outstanding() EXCEPT SELECT * FROM store_credit_outstanding('infinity')) d;

-- liability less receivable is the sum of the balances
SELECT at, l.* FROM instants CROSS JOIN LATERAL store_credit_liability(at) l
WHERE currency = 'HUF' AND (net <> liability - receivable
	OR net <> (SELECT money_ccy_amount(sum(balance)) FROM store_credit_balances_as_of(at) b WHERE b.currency = 'HUF')
	OR liability <> (SELECT money_ccy_amount(coalesce(sum(balance), '0 HUF')) FROM store_credit_balances_as_of(at) b WHERE b.currency = 'HUF' AND balance > '0 HUF'));

-- aging adds up to it by each measure
SELECT at, by FROM instants CROSS JOIN unnest('{issue,expiry,activity}'::text[]) by
WHERE coalesce((SELECT sum(amount) FROM store_credit_aging(by, at) WHERE currency = 'HUF'), 0)
	<> coalesce((SELECT liability FROM store_credit_liability(at) WHERE currency = 'HUF'), 0);
-- but for what only holds have, it is what is left of the credits
SELECT at, by FROM instants CROSS JOIN unnest('{issue,expiry}'::text[]) by
WHERE coalesce((SELECT sum(amount) FROM store_credit_aging(by, at) WHERE currency = 'HUF' AND bucket <> 'in holds only'), 0)
	<> coalesce((SELECT sum(outstanding) * 0.01 FROM store_credit_outstanding(at) JOIN account a USING (account_id)
		WHERE a.currency = 'HUF'), 0);
SELECT bucket, amount, items FROM (SELECT * FROM store_credit_aging('issue') UNION ALL SELECT * FROM store_credit_aging('expiry')) n WHERE currency = 'HUF' EXCEPT
	SELECT bucket, amount, items FROM (SELECT * FROM store_credit_aging('issue', store_credit_clock()) UNION ALL SELECT * FROM store_credit_aging('expiry', store_credit_clock())) p WHERE currency = 'HUF';
SELECT by FROM aging WHERE currency = 'HUF' GROUP BY by
HAVING sum(amount) <> (SELECT liability FROM liability WHERE currency = 'HUF');

-- each bucket has what is left of just those credits, by their issue and by the expiry that they had then
WITH credits AS (
	SELECT at, outstanding, (SELECT aging_bucket(at - c.created_at) FROM transaction c WHERE c.account_id = o.account_id AND c.seq = o.seq) AS issued,
		(SELECT expiry_bucket(t.expires_at, at) FROM transaction t
			WHERE t.account_id = o.account_id AND (t.seq = o.seq OR t.related_seq = o.seq AND t.kind = 'adjustment') AND t.created_at <= at
			ORDER BY t.seq DESC LIMIT 1) AS ending
	FROM instants CROSS JOIN LATERAL store_credit_outstanding(at) o
	WHERE account_id IN (SELECT account_id FROM account WHERE owner LIKE 'reports/random/%')
), counted AS (
	SELECT at, by, bucket, count(*) AS items, sum(outstanding) * 0.01 AS amount
	FROM credits CROSS JOIN LATERAL (VALUES ('issue', issued), ('expiry', ending)) b (by, bucket) GROUP BY at, by, bucket
), reported AS (
	SELECT at, by, bucket, items, amount FROM instants CROSS JOIN unnest('{issue,expiry}'::text[]) by CROSS JOIN LATERAL store_credit_aging(by, at) g
	WHERE currency = 'HUF' AND bucket <> 'in holds only'
)
(SELECT * FROM counted EXCEPT SELECT * FROM reported) UNION ALL (SELECT * FROM reported EXCEPT SELECT * FROM counted);

-- cohorts: each has what its credits had, one by one
WITH counted AS (
	SELECT at, date_trunc('month', created_at)::date AS month, category, count(*) AS credits, sum(issued), sum(adjusted), sum(expired), sum(revoked), sum(redeemed)
	FROM instants CROSS JOIN LATERAL (
		SELECT c.created_at, c.category, money_ccy_amount(c.amount) AS issued, l.*
		FROM transaction c CROSS JOIN LATERAL (
			SELECT coalesce(sum(money_ccy_amount(amount)) FILTER (WHERE kind = 'adjustment'), 0) AS adjusted,
				coalesce(- sum(money_ccy_amount(amount)) FILTER (WHERE kind = 'expiration'), 0) AS expired,
				coalesce(- sum(money_ccy_amount(amount)) FILTER (WHERE kind = 'revocation'), 0) AS revoked,
				coalesce((SELECT sum(money_ccy_amount(x.amount)) FROM allocation x
					WHERE x.account_id = c.account_id AND x.credit_seq = c.seq AND x.seq IS NOT NULL AND x.created_at <= at), 0) AS redeemed
			FROM transaction t WHERE t.account_id = c.account_id AND t.related_seq = c.seq AND t.kind <> 'credit' AND t.created_at <= at) l
		WHERE c.kind = 'credit' AND c.created_at <= at AND money_ccy_currency(c.amount) = 'HUF') c
	WHERE extract(day FROM at) % 3 = 0
	GROUP BY 1, 2, 3
), reported AS (
	SELECT at, month, category, credits, issued, adjusted, expired, revoked, redeemed FROM instants CROSS JOIN LATERAL store_credit_cohorts(at)
	WHERE currency = 'HUF' AND extract(day FROM at) % 3 = 0
)
(SELECT * FROM counted EXCEPT SELECT * FROM reported) UNION ALL (SELECT * FROM reported EXCEPT SELECT * FROM counted);
-- what is outstanding of them is what is left of the credits
SELECT at FROM instants
WHERE (SELECT sum(outstanding) FROM store_credit_cohorts(at) WHERE currency = 'HUF')
	IS DISTINCT FROM (SELECT sum(outstanding) * 0.01 FROM store_credit_outstanding(at)
		JOIN account a USING (account_id) WHERE a.currency = 'HUF' HAVING sum(outstanding) IS NOT NULL)
	AND EXISTS (SELECT FROM store_credit_cohorts(at) WHERE currency = 'HUF' AND outstanding <> 0);

-- roll-forward: each row adds up, begins where the one before ended, and ends at what was owed then
CREATE TEMP TABLE rolled AS
	SELECT step, r.* FROM unnest('{day,week,month,quarter,year}'::text[]) step, store_credit_roll_forward(step => step) r
	WHERE currency = 'HUF';
SELECT step, count(*) > 1 AS several FROM rolled WHERE step <> 'year' GROUP BY step ORDER BY step;
SELECT * FROM rolled WHERE opening + issued + bonus + reverted - redeemed - expired - revoked + adjusted <> closing;
SELECT step, period_start FROM (SELECT *, lag(closing, 1, 0::numeric) OVER (PARTITION BY step ORDER BY period_start) AS before FROM rolled) r
WHERE before <> opening;
SELECT step, period_start FROM rolled WHERE closing <>
	(SELECT net FROM store_credit_liability(period_end - interval '1 microsecond') l WHERE l.currency = 'HUF');
SELECT step FROM rolled GROUP BY step
HAVING (array_agg(closing ORDER BY period_start DESC))[1] <> (SELECT net FROM liability WHERE currency = 'HUF');
-- each period has what was booked in it by the calendar, and no other has a row
SELECT step, start FROM rolled FULL JOIN (
	SELECT step, date_trunc(step, created_at) AS period_start, sum(minor) FILTER (WHERE kind = 'credit' AND category IS DISTINCT FROM 'bonus') AS credits,
		sum(minor) FILTER (WHERE kind = 'credit' AND category = 'bonus') AS bonuses, sum(minor) FILTER (WHERE kind = 'debit_revert') AS reverts,
		sum(- minor) FILTER (WHERE kind = 'debit') AS debits, sum(- minor) FILTER (WHERE kind = 'expiration') AS expirations,
		sum(- minor) FILTER (WHERE kind = 'revocation') AS revocations, sum(minor) FILTER (WHERE kind = 'adjustment') AS adjustments
	FROM unnest('{day,week,month,quarter,year}'::text[]) step, (SELECT *, money_ccy_to_minor(amount) AS minor FROM transaction) t
	WHERE money_ccy_currency(amount) = 'HUF' GROUP BY 1, 2) n USING (step, period_start)
CROSS JOIN LATERAL (SELECT period_start AS start) s
WHERE (issued * 100, bonus * 100, reverted * 100, redeemed * 100, expired * 100, revoked * 100, adjusted * 100)
	IS DISTINCT FROM (coalesce(credits, 0), coalesce(bonuses, 0), coalesce(reverts, 0), coalesce(debits, 0), coalesce(expirations, 0), coalesce(revocations, 0), coalesce(adjustments, 0));
-- and so for any range
SELECT a.at, b.at FROM instants a JOIN instants b ON b.at > a.at AND b.at < a.at + interval '60 days' CROSS JOIN LATERAL store_credit_roll_forward(a.at, b.at) r
WHERE r.currency = 'HUF' AND (opening + issued + bonus + reverted - redeemed - expired - revoked + adjusted <> closing
	OR closing - opening <> coalesce((SELECT money_ccy_amount(sum(amount)) FROM transaction
		WHERE money_ccy_currency(amount) = 'HUF' AND created_at >= a.at AND created_at < b.at), 0)
	OR redeemed - reverted <> coalesce((SELECT sum(net) FROM store_credit_redemptions(a.at, b.at) d WHERE d.currency = 'HUF'), 0));

-- the journal balances, pair by pair of lines, and each entry has there what it moved
SELECT account_id, seq, (line + 1) / 2 FROM journal GROUP BY 1, 2, 3 HAVING count(*) <> 2 OR sum(debit) <> sum(credit);
SELECT t.account_id, t.seq, t.kind FROM transaction t LEFT JOIN journal j ON j.account_id = t.account_id AND j.seq = t.seq AND j.kind <> 'repayment'
GROUP BY t.account_id, t.seq HAVING abs(money_ccy_to_minor(t.amount)) <> coalesce(sum(money_ccy_to_minor(j.debit)), 0);
-- what it posts to each liability is what is owed of those credits, and to both of them, all
SELECT sum(money_ccy_to_minor(credit)) - sum(money_ccy_to_minor(debit)) = (SELECT net * 100 FROM liability WHERE currency = 'HUF') AS is_what_is_owed
FROM journal WHERE ledger_account LIKE '%liability' AND money_ccy_currency(coalesce(debit, credit)) = 'HUF';
SELECT sum(money_ccy_to_minor(credit)) - sum(money_ccy_to_minor(debit)) =
	(SELECT sum(outstanding) * 100 FROM cohort WHERE currency = 'HUF' AND category = 'bonus') AS is_what_is_left_of_bonuses
FROM journal WHERE ledger_account = 'promotional credit liability';
SELECT count(*) > 0 AS repaid_by_a_bonus FROM journal WHERE kind = 'repayment';
SELECT (SELECT count(*) FROM journal) = (SELECT count(*) FROM store_credit_journal('-infinity')) AS same;

-- the timeline, page by page, has everything once, each list in its order
CREATE TEMP TABLE paged (n bigint GENERATED ALWAYS AS IDENTITY, owner text, seq bigint, hold_id bigint, status text, created_at timestamptz);
DO $$
DECLARE
	who text;
	key text;
BEGIN
	FOR who IN SELECT owner FROM account WHERE owner LIKE 'reports/random/%' LOOP
		key := NULL;
		LOOP
			WITH page AS (
				SELECT row_number() OVER () AS n, t.* FROM store_credit_timeline(who, 'HUF', key, 7) t
			), kept AS (
				INSERT INTO paged (owner, seq, hold_id, status, created_at)
				SELECT who, page.seq, page.hold_id, page.status, page.created_at FROM page ORDER BY n
			)
			SELECT page_key INTO key FROM page ORDER BY n DESC LIMIT 1;
			EXIT WHEN key IS NULL;
		END LOOP;
	END LOOP;
END$$;
SELECT (SELECT count(*) FROM paged) = (SELECT count(*) FROM timeline WHERE owner LIKE 'reports/random/%') AS as_many,
	count(*) FILTER (WHERE status IS NOT NULL) > 50 AS with_holds FROM paged;
SELECT owner, seq, status, hold_id FROM paged GROUP BY owner, seq, status, hold_id HAVING count(*) > 1;
SELECT owner, n FROM (SELECT *, lag(created_at) OVER (PARTITION BY owner ORDER BY n) AS newer,
	lag(seq) OVER (PARTITION BY owner, seq IS NULL ORDER BY n) AS newer_seq FROM paged) p WHERE created_at > newer OR seq <> newer_seq - 1;
-- every entry has its sentence
SELECT DISTINCT kind FROM timeline WHERE sentence IS NULL OR owner LIKE 'reports/random/%' AND sentence !~ '^[A-Za-z0-9].*[0-9] HUF.*\.$';

\c :home
DROP DATABASE regression_storecredit_random;
