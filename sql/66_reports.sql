-- What finance needs.  These functions run with the caller's own rights; storecredit.grant_access(role, 'reader')
-- gives those.  Instants in the past are inclusive: what was booked at that instant counts.  Ranges begin with
-- their first instant and end before their last.
--
-- The past is computed backwards: what is there now, less what was booked since.  So a report costs what its
-- instant is away from now, not the whole history.
--
-- What is of one account or one credit is money_ccy.  Totals are numeric, since nothing bounds what many accounts
-- have together, or what one has moved in a year: they are added up in minor units and told in the currency's own.

CREATE FUNCTION minor_unit(currency text) RETURNS numeric
LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE
RETURN money_ccy_amount(money_ccy_from_minor(1, currency));
COMMENT ON FUNCTION minor_unit(text) IS 'the least amount of a currency: 0.01 for USD';

-- balances -------------------------------------------------------------------------------------

/*
 * seq has no gaps and created_at does not fall, so the last entry until the instant is found by bisection: a
 * dozen look-ups in an account of thousands of entries.
 */
CREATE FUNCTION store_credit_balance_as_of(owner text, currency text, at timestamptz) RETURNS money_ccy
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, storecredit, pg_temp
AS $store_credit_balance_as_of$
#variable_conflict use_column
DECLARE
	account bigint := find_account(store_credit_balance_as_of.owner, store_credit_balance_as_of.currency);
	instant timestamptz := require_value(store_credit_balance_as_of.at, 'at');
	low bigint := 0;		-- the last entry that is known to be there
	high bigint := 1 + coalesce((SELECT a.last_seq FROM storecredit.account a WHERE a.account_id = account), 0);
	middle bigint;
BEGIN
	WHILE high - low > 1 LOOP
		middle := low + (high - low) / 2;
		IF (SELECT t.created_at <= instant FROM storecredit.transaction t WHERE t.account_id = account AND t.seq = middle) THEN
			low := middle;
		ELSE
			high := middle;
		END IF;
	END LOOP;
	RETURN coalesce(
		(SELECT t.balance_after FROM storecredit.transaction t WHERE t.account_id = account AND t.seq = low),
		money_ccy_from_minor(0, require_currency(store_credit_balance_as_of.currency)));
END
$store_credit_balance_as_of$;
COMMENT ON FUNCTION store_credit_balance_as_of(text, text, timestamptz) IS
	'what the shop owed an owner at an instant; zero of that currency if there was no account';

CREATE FUNCTION store_credit_balances_as_of(at timestamptz)
RETURNS TABLE (account_id bigint, owner text, currency text, balance money_ccy)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1000
SET search_path = pg_catalog, storecredit, pg_temp
AS $store_credit_balances_as_of$
#variable_conflict use_column
DECLARE
	instant timestamptz := require_value(store_credit_balances_as_of.at, 'at');
BEGIN
	PERFORM require_ledger();
	RETURN QUERY
	SELECT a.account_id, a.owner, a.currency,
		CASE WHEN l.since IS NULL THEN a.balance
			ELSE money_ccy_from_minor((money_ccy_to_minor(a.balance) - l.since)::bigint, a.currency) END
	FROM storecredit.account a
	LEFT JOIN (
		SELECT t.account_id, sum(money_ccy_to_minor(t.amount)) AS since FROM storecredit.transaction t
		WHERE t.created_at > instant
		GROUP BY t.account_id) l ON l.account_id = a.account_id
	-- imported history may be older than its account
	WHERE a.opened_at <= instant OR money_ccy_to_minor(a.balance) <> coalesce(l.since, 0);
END
$store_credit_balances_as_of$;
COMMENT ON FUNCTION store_credit_balances_as_of(timestamptz) IS
	'what the shop owed on every account that was open at an instant';

CREATE FUNCTION store_credit_liability(at timestamptz DEFAULT NULL)
RETURNS TABLE (currency text, accounts bigint, liability numeric, receivable numeric, net numeric)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 10
SET search_path = pg_catalog, storecredit, pg_temp
AS $store_credit_liability$
#variable_conflict use_column
BEGIN
	PERFORM require_ledger();
	RETURN QUERY
	SELECT s.currency, s.accounts, s.liability * minor_unit(s.currency), s.receivable * minor_unit(s.currency),
		(s.liability - s.receivable) * minor_unit(s.currency)
	FROM (
		SELECT o.currency, count(*) FILTER (WHERE o.minor <> 0) AS accounts,
			coalesce(sum(o.minor) FILTER (WHERE o.minor > 0), 0) AS liability,
			coalesce(- sum(o.minor) FILTER (WHERE o.minor < 0), 0) AS receivable
		FROM (
			SELECT a.currency, money_ccy_to_minor(a.balance) FROM storecredit.account a
			WHERE store_credit_liability.at IS NULL
			UNION ALL
			SELECT b.currency, money_ccy_to_minor(b.balance) FROM store_credit_balances_as_of(store_credit_liability.at) b
			WHERE store_credit_liability.at IS NOT NULL) o (currency, minor)
		GROUP BY o.currency) s
	ORDER BY s.currency;
END
$store_credit_liability$;
COMMENT ON FUNCTION store_credit_liability(timestamptz) IS
	'what the shop owes, and what is owed to it, in each currency; now, or at an instant';

CREATE FUNCTION store_credit_top_holders(currency text, max_accounts integer DEFAULT 10, at timestamptz DEFAULT NULL)
RETURNS TABLE (account_id bigint, owner text, balance money_ccy)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 10
SET search_path = pg_catalog, storecredit, pg_temp
AS $store_credit_top_holders$
#variable_conflict use_column
DECLARE
	code text := require_currency(store_credit_top_holders.currency);
BEGIN
	PERFORM require_ledger();
	IF coalesce(max_accounts, 0) <= 0 THEN
		RAISE EXCEPTION 'max_accounts must be greater than zero' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF store_credit_top_holders.at IS NULL THEN
		RETURN QUERY
		SELECT a.account_id, a.owner, a.balance FROM storecredit.account a
		WHERE a.currency = code AND money_ccy_to_minor(a.balance) > 0
		ORDER BY money_ccy_to_minor(a.balance) DESC, a.account_id LIMIT max_accounts;
	ELSE
		RETURN QUERY
		SELECT b.account_id, b.owner, b.balance FROM store_credit_balances_as_of(store_credit_top_holders.at) b
		WHERE b.currency = code AND money_ccy_to_minor(b.balance) > 0
		ORDER BY money_ccy_to_minor(b.balance) DESC, b.account_id LIMIT max_accounts;
	END IF;
END
$store_credit_top_holders$;
COMMENT ON FUNCTION store_credit_top_holders(text, integer, timestamptz) IS
	'whom the shop owes most in a currency; now, or at an instant';

-- movements ------------------------------------------------------------------------------------

/*
 * The bounds are searched for an entry, which is faster than to ask the calendar of each one.  They are those that
 * entries lie in, so that a range without an end, or of millennia, has no more periods than the history.
 */
CREATE FUNCTION period_bounds(from_time timestamptz, to_time timestamptz, step text) RETURNS timestamptz[]
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, storecredit, pg_temp
AS $period_bounds$
#variable_conflict use_column
DECLARE
	zone text := shop_zone();
	span interval;
	first_entry timestamptz;
	last_entry timestamptz;
BEGIN
	IF step IS NULL THEN
		RETURN ARRAY[from_time, to_time];
	END IF;
	IF step <> ALL ('{day,week,month,quarter,year}') THEN
		RAISE EXCEPTION 'unrecognized value for step: "%"', step
			USING ERRCODE = 'invalid_parameter_value', HINT = 'It can be "day", "week", "month", "quarter" or "year".';
	END IF;
	span := CASE step WHEN 'quarter' THEN '3 months' ELSE '1 ' || step END;

	SELECT min(t.created_at), max(t.created_at) INTO first_entry, last_entry
	FROM storecredit.transaction t
	WHERE t.created_at >= from_time AND t.created_at < to_time AND isfinite(t.created_at);
	RETURN (
		SELECT array_agg(DISTINCT least(to_time, greatest(from_time, start AT TIME ZONE zone)))
		FROM generate_series(date_trunc(step, first_entry AT TIME ZONE zone), last_entry AT TIME ZONE zone + span, span) start);
END
$period_bounds$;
COMMENT ON FUNCTION period_bounds(timestamptz, timestamptz, text) IS
	'where each period of a range begins, and where the last one ends: the range itself without a step (22023 for an unknown one); null where a range with a step has no entry';

CREATE FUNCTION store_credit_roll_forward(
	from_time timestamptz DEFAULT '-infinity', to_time timestamptz DEFAULT 'infinity', step text DEFAULT NULL
) RETURNS TABLE (
	currency text, period_start timestamptz, period_end timestamptz, opening numeric, issued numeric,
	bonus numeric, reverted numeric, redeemed numeric, expired numeric, revoked numeric,
	adjusted numeric, closing numeric
)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 100
SET search_path = pg_catalog, storecredit, pg_temp
AS $store_credit_roll_forward$
#variable_conflict use_column
DECLARE
	bounds timestamptz[];
BEGIN
	PERFORM require_ledger(), require_value(from_time, 'from_time'), require_value(to_time, 'to_time');
	IF from_time > to_time THEN
		RAISE EXCEPTION 'from_time must not be after to_time' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	bounds := period_bounds(from_time, to_time, step);

	RETURN QUERY
	WITH moved AS (
		-- what comes after the range has the number behind its last period's
		SELECT money_ccy_currency(t.amount) AS currency, width_bucket(t.created_at, bounds) AS period,
			CASE WHEN t.kind = 'credit' AND t.category = 'bonus' THEN 'bonus' ELSE t.kind END AS kind,
			sum(money_ccy_to_minor(t.amount)) AS minor
		FROM storecredit.transaction t
		WHERE t.created_at >= bounds[1]
		GROUP BY 1, 2, 3
	), sums AS (
		SELECT m.currency, m.period, sum(m.minor) AS net,
			coalesce(sum(m.minor) FILTER (WHERE m.kind = 'credit'), 0) AS issued,
			coalesce(sum(m.minor) FILTER (WHERE m.kind = 'bonus'), 0) AS bonus,
			coalesce(sum(m.minor) FILTER (WHERE m.kind = 'debit_revert'), 0) AS reverted,
			coalesce(- sum(m.minor) FILTER (WHERE m.kind = 'debit'), 0) AS redeemed,
			coalesce(- sum(m.minor) FILTER (WHERE m.kind = 'expiration'), 0) AS expired,
			coalesce(- sum(m.minor) FILTER (WHERE m.kind = 'revocation'), 0) AS revoked,
			coalesce(sum(m.minor) FILTER (WHERE m.kind = 'adjustment'), 0) AS adjusted
		FROM (
			SELECT * FROM moved
			UNION ALL
			-- without a step, a currency in which nothing has moved has its row, too
			SELECT DISTINCT a.currency, 1, 'credit', 0 FROM storecredit.account a WHERE step IS NULL) m
		GROUP BY m.currency, m.period
	), owed AS (
		SELECT a.currency, sum(money_ccy_to_minor(a.balance)) AS minor FROM storecredit.account a GROUP BY a.currency
	), periods AS (
		SELECT s.*, minor_unit(s.currency) AS unit,
			o.minor - sum(s.net) OVER (PARTITION BY s.currency ORDER BY s.period DESC ROWS UNBOUNDED PRECEDING) AS opening
		FROM sums s
		JOIN owed o ON o.currency = s.currency
	)
	SELECT p.currency, bounds[p.period], bounds[p.period + 1], p.opening * p.unit, p.issued * p.unit, p.bonus * p.unit,
		p.reverted * p.unit, p.redeemed * p.unit, p.expired * p.unit, p.revoked * p.unit, p.adjusted * p.unit,
		(p.opening + p.net) * p.unit
	FROM periods p
	WHERE p.period < cardinality(bounds)
	ORDER BY p.currency, p.period;
END
$store_credit_roll_forward$;
COMMENT ON FUNCTION store_credit_roll_forward(timestamptz, timestamptz, text) IS
	'how the sum of all balances came about in a range, in each currency: opening + issued + bonus + reverted - redeemed - expired - revoked + adjusted = closing; step: a row for each day, week, month, quarter or year in which something was booked';

CREATE FUNCTION store_credit_redemptions(from_time timestamptz DEFAULT '-infinity', to_time timestamptz DEFAULT 'infinity')
RETURNS TABLE (
	currency text, category text, reference text, debits bigint, redeemed numeric, reverted numeric, net numeric
)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1000
SET search_path = pg_catalog, storecredit, pg_temp
AS $store_credit_redemptions$
#variable_conflict use_column
BEGIN
	PERFORM require_ledger(), require_value(from_time, 'from_time'), require_value(to_time, 'to_time');
	RETURN QUERY
	SELECT s.currency, s.category, s.reference, s.debits, s.redeemed * minor_unit(s.currency),
		s.reverted * minor_unit(s.currency), (s.redeemed - s.reverted) * minor_unit(s.currency)
	FROM (
		SELECT p.currency, p.category, p.reference, count(*) FILTER (WHERE p.minor < 0) AS debits,
			coalesce(- sum(p.minor) FILTER (WHERE p.minor < 0), 0) AS redeemed,
			coalesce(sum(p.minor) FILTER (WHERE p.minor > 0), 0) AS reverted
		FROM (
			SELECT money_ccy_currency(t.amount) AS currency, t.category, t.reference, money_ccy_to_minor(t.amount) AS minor
			FROM storecredit.transaction t
			WHERE t.kind = 'debit' AND t.created_at >= from_time AND t.created_at < to_time
			UNION ALL
			SELECT money_ccy_currency(t.amount), d.category, d.reference, money_ccy_to_minor(t.amount)
			FROM storecredit.transaction t
			JOIN storecredit.transaction d ON d.account_id = t.account_id AND d.seq = t.related_seq
			WHERE t.kind = 'debit_revert' AND t.created_at >= from_time AND t.created_at < to_time) p
		GROUP BY p.currency, p.category, p.reference) s
	ORDER BY s.currency, s.category, s.reference;
END
$store_credit_redemptions$;
COMMENT ON FUNCTION store_credit_redemptions(timestamptz, timestamptz) IS
	'what was paid with store credit in a range, by category and reference of the debit; what is given back counts when it is';

CREATE FUNCTION store_credit_journal(from_time timestamptz, to_time timestamptz DEFAULT 'infinity')
RETURNS TABLE (
	account_id bigint, seq bigint, line integer, created_at timestamptz, kind text, category text, reference text,
	credit_seq bigint, ledger_account text, debit money_ccy, credit money_ccy
)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 10000
SET search_path = pg_catalog, storecredit, pg_temp
AS $store_credit_journal$
#variable_conflict use_column
BEGIN
	PERFORM require_ledger(), require_value(from_time, 'from_time'), require_value(to_time, 'to_time');
	RETURN QUERY
	SELECT j.* FROM storecredit.journal j
	WHERE j.created_at >= from_time AND j.created_at < to_time
	ORDER BY j.created_at, j.account_id, j.seq, j.line;
END
$store_credit_journal$;
COMMENT ON FUNCTION store_credit_journal(timestamptz, timestamptz) IS
	'the journal lines of a range, in the order of booking: see the view storecredit.journal';

-- credits --------------------------------------------------------------------------------------

CREATE FUNCTION held_credits()
RETURNS TABLE (account_id bigint, seq bigint, currency text, minor bigint, open_until timestamptz)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1000
SET search_path = pg_catalog, storecredit, pg_temp
AS $held_credits$
#variable_conflict use_column
BEGIN
	RETURN QUERY
	SELECT d.account_id, d.seq, d.currency, d.minor,
		(SELECT o.expires_at FROM storecredit.open_credit o WHERE o.account_id = d.account_id AND o.seq = d.seq)
	FROM (
		SELECT p.account_id, p.draws[p.n] AS seq, money_ccy_currency(p.amount) AS currency, sum(p.draws[p.n + 1])::bigint AS minor
		FROM (
			SELECT h.account_id, h.amount, h.draws, generate_series(1, cardinality(h.draws), 2) AS n
			FROM storecredit.hold h WHERE h.closed_at IS NULL) p
		GROUP BY 1, 2, 3) d;
END
$held_credits$;
COMMENT ON FUNCTION held_credits() IS
	'what open holds have drawn from each credit and still hold, in minor units; open_until: when the credit expires if something else is left of it, or else null';

/*
 * A credit's money is in open_credit, and in the open holds that drew on it.  What was booked since the instant
 * is taken back from that: see transaction.draws.
 */
CREATE FUNCTION store_credit_outstanding(at timestamptz DEFAULT NULL)
RETURNS TABLE (account_id bigint, seq bigint, outstanding bigint)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1000000
SET search_path = pg_catalog, storecredit, pg_temp
AS $store_credit_outstanding$
#variable_conflict use_column
BEGIN
	PERFORM require_ledger();
	RETURN QUERY
	SELECT p.account_id, p.seq, sum(p.minor)::bigint
	FROM (
		SELECT o.account_id, o.seq, money_ccy_to_minor(o.remaining) FROM storecredit.open_credit o
		UNION ALL
		SELECT h.account_id, h.seq, h.minor FROM held_credits() h
		UNION ALL
		SELECT t.account_id, CASE t.kind WHEN 'credit' THEN t.seq ELSE t.related_seq END, - money_ccy_to_minor(t.amount)
		FROM storecredit.transaction t
		WHERE t.created_at > store_credit_outstanding.at
			AND (t.kind = 'credit' OR t.kind IN ('adjustment', 'expiration', 'revocation') AND t.related_seq IS NOT NULL)
		UNION ALL
		SELECT d.account_id, d.draws[d.n], CASE d.kind WHEN 'debit_revert' THEN - d.draws[d.n + 1] ELSE d.draws[d.n + 1] END
		FROM (
			SELECT t.account_id, t.kind, t.draws, generate_series(1, cardinality(t.draws), 2) AS n
			FROM storecredit.transaction t
			WHERE t.created_at > store_credit_outstanding.at) d) p (account_id, seq, minor)
	GROUP BY p.account_id, p.seq
	HAVING sum(p.minor) <> 0;
END
$store_credit_outstanding$;
COMMENT ON FUNCTION store_credit_outstanding(timestamptz) IS
	'what is left of each credit in minor units, held or not; now, or at an instant';

CREATE FUNCTION store_credit_aging(by text, at timestamptz DEFAULT NULL)
RETURNS TABLE (currency text, bucket text, items bigint, amount numeric)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 20
SET search_path = pg_catalog, storecredit, pg_temp
AS $store_credit_aging$
#variable_conflict use_column
DECLARE
	instant timestamptz := coalesce(store_credit_aging.at, store_credit_clock());
BEGIN
	PERFORM require_ledger(), require_value(store_credit_aging.by, 'by');
	IF store_credit_aging.by = 'activity' THEN
		RETURN QUERY
		SELECT g.* FROM aging_by_activity(store_credit_aging.at, instant) g;
	ELSIF store_credit_aging.by IN ('issue', 'expiry') THEN
		RETURN QUERY
		SELECT g.* FROM aging_by_credit(store_credit_aging.by, store_credit_aging.at, instant) g;
	ELSE
		RAISE EXCEPTION 'unrecognized value for by: "%"', store_credit_aging.by
			USING ERRCODE = 'invalid_parameter_value', HINT = 'It can be "issue", "expiry" or "activity".';
	END IF;
END
$store_credit_aging$;
COMMENT ON FUNCTION store_credit_aging(text, timestamptz) IS
	'the liability by days since issue, until expiry, or since the owner''s last activity; now, or at an instant';

CREATE FUNCTION aging_bucket(age interval) RETURNS text
LANGUAGE SQL IMMUTABLE PARALLEL SAFE
RETURN CASE
	WHEN age OPERATOR(pg_catalog.<) interval '0' THEN 'overdue'
	WHEN age OPERATOR(pg_catalog.<=) interval '30 days' THEN '0-30'
	WHEN age OPERATOR(pg_catalog.<=) interval '90 days' THEN '31-90'
	WHEN age OPERATOR(pg_catalog.<=) interval '365 days' THEN '91-365'
	ELSE 'over 365'
END;
COMMENT ON FUNCTION aging_bucket(interval) IS 'the bucket of an age in storecredit.aging';

CREATE FUNCTION expiry_bucket(expires_at timestamptz, instant timestamptz) RETURNS text
LANGUAGE SQL STABLE PARALLEL SAFE
RETURN CASE
	WHEN expires_at IS NULL OR expires_at OPERATOR(pg_catalog.=) 'infinity' THEN 'never'
	WHEN expires_at OPERATOR(pg_catalog.<=) instant THEN 'overdue'
	ELSE aging_bucket(expires_at OPERATOR(pg_catalog.-) instant)
END;
COMMENT ON FUNCTION expiry_bucket(timestamptz, timestamptz) IS 'the bucket of an expiry in storecredit.aging';

CREATE FUNCTION credit_expiry(account_id bigint, seq bigint) RETURNS timestamptz
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, storecredit, pg_temp
AS $credit_expiry$
#variable_conflict use_column
DECLARE
	result timestamptz;
BEGIN
	-- the last edit has it
	SELECT t.expires_at INTO result FROM storecredit.transaction t
	WHERE t.account_id = credit_expiry.account_id AND t.related_seq = credit_expiry.seq AND t.kind = 'adjustment'
	ORDER BY t.seq DESC LIMIT 1;
	IF NOT FOUND THEN
		SELECT t.expires_at INTO result FROM storecredit.transaction t
		WHERE t.account_id = credit_expiry.account_id AND t.seq = credit_expiry.seq;
	END IF;
	RETURN result;
END
$credit_expiry$;
COMMENT ON FUNCTION credit_expiry(bigint, bigint) IS 'when a credit ends; null for never';

/* As of now the open credits are read where they lie: few of what ever was. */
CREATE FUNCTION aging_sums_now(by text, instant timestamptz)
RETURNS TABLE (currency text, bucket text, items bigint, minor numeric)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 20
SET search_path = pg_catalog, storecredit, pg_temp
AS $aging_sums_now$
#variable_conflict use_column
BEGIN
	IF aging_sums_now.by = 'expiry' THEN
		RETURN QUERY
		SELECT p.currency, expiry_bucket(p.expires_at, instant), count(*) FILTER (WHERE p.is_item), sum(p.minor)
		FROM (
			SELECT money_ccy_currency(o.remaining), money_ccy_to_minor(o.remaining), o.expires_at, true FROM storecredit.open_credit o
			UNION ALL
			SELECT h.currency, h.minor, coalesce(h.open_until, credit_expiry(h.account_id, h.seq)), h.open_until IS NULL
			FROM held_credits() h) p (currency, minor, expires_at, is_item)
		GROUP BY 1, 2;
	ELSE
		RETURN QUERY
		SELECT p.currency, aging_bucket(instant - c.created_at), count(*) FILTER (WHERE p.is_item), sum(p.minor)
		FROM (
			SELECT o.account_id, o.seq, money_ccy_currency(o.remaining), money_ccy_to_minor(o.remaining), true FROM storecredit.open_credit o
			UNION ALL
			SELECT h.account_id, h.seq, h.currency, h.minor, h.open_until IS NULL FROM held_credits() h) p (account_id, seq, currency, minor, is_item)
		JOIN storecredit.transaction c ON c.account_id = p.account_id AND c.seq = p.seq
		GROUP BY 1, 2;
	END IF;
END
$aging_sums_now$;
COMMENT ON FUNCTION aging_sums_now(text, timestamptz) IS 'what is left of all credits now, by bucket of their issue or expiry';

CREATE FUNCTION aging_sums_as_of(by text, instant timestamptz)
RETURNS TABLE (currency text, bucket text, items bigint, minor numeric)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 20
SET search_path = pg_catalog, storecredit, pg_temp
AS $aging_sums_as_of$
#variable_conflict use_column
BEGIN
	RETURN QUERY
	SELECT money_ccy_currency(c.amount),
		CASE aging_sums_as_of.by
			WHEN 'expiry' THEN expiry_bucket(CASE WHEN e.seq IS NULL THEN c.expires_at ELSE e.expires_at END, instant)
			ELSE aging_bucket(instant - c.created_at)
		END, count(*), sum(o.outstanding)
	FROM store_credit_outstanding(instant) o
	JOIN storecredit.transaction c ON c.account_id = o.account_id AND c.seq = o.seq AND c.kind = 'credit'
	LEFT JOIN (
		-- the last edit until then has the expiry
		SELECT DISTINCT ON (t.account_id, t.related_seq) t.account_id, t.related_seq AS seq, t.expires_at
		FROM storecredit.transaction t
		WHERE t.kind = 'adjustment' AND t.created_at <= instant AND aging_sums_as_of.by = 'expiry'
		ORDER BY t.account_id, t.related_seq, t.seq DESC) e ON e.account_id = c.account_id AND e.seq = c.seq
	GROUP BY 1, 2;
END
$aging_sums_as_of$;
COMMENT ON FUNCTION aging_sums_as_of(text, timestamptz) IS 'what was left of all credits at an instant, by bucket of their issue or expiry';

CREATE FUNCTION aging_by_credit(by text, at timestamptz, instant timestamptz)
RETURNS TABLE (currency text, bucket text, items bigint, amount numeric)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 20
SET search_path = pg_catalog, storecredit, pg_temp
AS $aging_by_credit$
#variable_conflict use_column
BEGIN
	RETURN QUERY
	WITH sums AS (
		SELECT n.currency, n.bucket, n.items, n.minor * minor_unit(n.currency) AS amount
		FROM (
			SELECT * FROM aging_sums_now(aging_by_credit.by, instant) WHERE aging_by_credit.at IS NULL
			UNION ALL
			SELECT * FROM aging_sums_as_of(aging_by_credit.by, instant) WHERE aging_by_credit.at IS NOT NULL) n
	)
	SELECT s.currency, s.bucket, s.items, s.amount
	FROM (
		SELECT * FROM sums
		UNION ALL
		-- Open holds may have drawn on a credit line that has been paid back since: that is in no credit.
		SELECT l.currency, 'in holds only', 0, l.liability - coalesce(sum(s.amount), 0)
		FROM store_credit_liability(aging_by_credit.at) l
		LEFT JOIN sums s ON s.currency = l.currency
		GROUP BY l.currency, l.liability
		HAVING l.liability <> coalesce(sum(s.amount), 0)) s
	ORDER BY s.currency, array_position('{overdue,0-30,31-90,91-365,over 365,never}', s.bucket);
END
$aging_by_credit$;
COMMENT ON FUNCTION aging_by_credit(text, timestamptz, timestamptz) IS 'store_credit_aging() by issue or expiry';

/* What the owner or the shop did counts, not what ended by itself, nor what staff corrected. */
CREATE FUNCTION aging_by_activity(at timestamptz, instant timestamptz)
RETURNS TABLE (currency text, bucket text, items bigint, amount numeric)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 20
SET search_path = pg_catalog, storecredit, pg_temp
AS $aging_by_activity$
#variable_conflict use_column
BEGIN
	RETURN QUERY
	WITH owed AS (
		SELECT a.account_id, a.currency, a.balance FROM storecredit.account a WHERE aging_by_activity.at IS NULL
		UNION ALL
		SELECT b.account_id, b.currency, b.balance FROM store_credit_balances_as_of(instant) b WHERE aging_by_activity.at IS NOT NULL
	)
	SELECT g.currency, g.bucket, count(*), sum(money_ccy_to_minor(g.balance)) * minor_unit(g.currency)
	FROM (
		SELECT o.currency, o.balance, aging_bucket(instant - l.created_at) AS bucket
		FROM owed o
		LEFT JOIN LATERAL (
			SELECT t.created_at FROM storecredit.transaction t
			WHERE t.account_id = o.account_id AND t.kind IN ('credit', 'debit', 'debit_revert') AND t.created_at <= instant
			ORDER BY t.seq DESC LIMIT 1) l ON true
		WHERE money_ccy_to_minor(o.balance) > 0) g
	GROUP BY g.currency, g.bucket
	ORDER BY g.currency, array_position('{0-30,31-90,91-365,over 365}', g.bucket);
END
$aging_by_activity$;
COMMENT ON FUNCTION aging_by_activity(timestamptz, timestamptz) IS 'store_credit_aging() by the owner''s last activity';

/* Everything that ever happened to a credit is looked up in the credits, and added up by month and category. */
CREATE FUNCTION store_credit_cohorts(at timestamptz DEFAULT 'infinity')
RETURNS TABLE (
	currency text, month date, category text, credits bigint, issued numeric, adjusted numeric, redeemed numeric,
	repaid numeric, expired numeric, revoked numeric, outstanding numeric
)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 100
SET search_path = pg_catalog, storecredit, pg_temp
AS $store_credit_cohorts$
#variable_conflict use_column
DECLARE
	zone text := shop_zone();
	instant timestamptz := require_value(store_credit_cohorts.at, 'at');
	months timestamptz[];
BEGIN
	PERFORM require_ledger();
	months := period_bounds('-infinity', 'infinity', 'month');
	RETURN QUERY
	WITH parts AS (
		SELECT t.account_id, CASE t.kind WHEN 'credit' THEN t.seq ELSE t.related_seq END AS seq, t.kind, money_ccy_to_minor(t.amount) AS minor
		FROM storecredit.transaction t
		WHERE t.kind IN ('credit', 'adjustment', 'expiration', 'revocation') AND t.created_at <= instant
		UNION ALL
		SELECT d.account_id, d.draws[d.n], CASE WHEN d.kind IN ('debit', 'debit_revert') THEN 'debit' ELSE 'repaid' END,
			CASE d.kind WHEN 'debit_revert' THEN - d.draws[d.n + 1] ELSE d.draws[d.n + 1] END
		FROM (
			SELECT t.account_id, t.kind, t.draws, generate_series(1, cardinality(t.draws), 2) AS n
			FROM storecredit.transaction t
			WHERE t.created_at <= instant) d
	), cohorts AS (
		SELECT money_ccy_currency(c.amount) AS currency, width_bucket(c.created_at, months) AS month, c.category,
			count(*) FILTER (WHERE p.kind = 'credit') AS credits,
			coalesce(sum(p.minor) FILTER (WHERE p.kind = 'credit'), 0) AS issued,
			coalesce(sum(p.minor) FILTER (WHERE p.kind = 'adjustment'), 0) AS adjusted,
			coalesce(sum(p.minor) FILTER (WHERE p.kind = 'debit'), 0) AS redeemed,
			coalesce(sum(p.minor) FILTER (WHERE p.kind = 'repaid'), 0) AS repaid,
			coalesce(- sum(p.minor) FILTER (WHERE p.kind = 'expiration'), 0) AS expired,
			coalesce(- sum(p.minor) FILTER (WHERE p.kind = 'revocation'), 0) AS revoked
		FROM parts p
		JOIN storecredit.transaction c ON c.account_id = p.account_id AND c.seq = p.seq AND c.kind = 'credit'
		GROUP BY 1, 2, 3
	)
	SELECT c.currency, (months[c.month] AT TIME ZONE zone)::date, c.category, c.credits, c.issued * u.unit, c.adjusted * u.unit, c.redeemed * u.unit,
		c.repaid * u.unit, c.expired * u.unit, c.revoked * u.unit,
		(c.issued + c.adjusted - c.redeemed - c.repaid - c.expired - c.revoked) * u.unit
	FROM cohorts c
	CROSS JOIN LATERAL (SELECT minor_unit(c.currency) AS unit) u
	ORDER BY c.currency, c.month, c.category;
END
$store_credit_cohorts$;
COMMENT ON FUNCTION store_credit_cohorts(timestamptz) IS
	'what had become of the credits of each month of issue and category, in each currency, until an instant';

CREATE FUNCTION store_credit_expiring(days integer, currency text DEFAULT NULL)
RETURNS TABLE (account_id bigint, owner text, seq bigint, remaining money_ccy, expires_at timestamptz)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1000
SET search_path = pg_catalog, storecredit, pg_temp
AS $store_credit_expiring$
#variable_conflict use_column
DECLARE
	code text := CASE WHEN store_credit_expiring.currency IS NOT NULL THEN require_currency(store_credit_expiring.currency) END;
	instant timestamptz := store_credit_clock();
BEGIN
	PERFORM require_ledger();
	IF require_value(days, 'days') < 0 THEN
		RAISE EXCEPTION 'days must not be negative' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	RETURN QUERY
	SELECT o.account_id, a.owner, o.seq, o.remaining, o.expires_at
	FROM storecredit.open_credit o
	JOIN storecredit.account a ON a.account_id = o.account_id
	WHERE o.expires_at > instant AND o.expires_at <= instant + make_interval(days => days) AND o.expires_at < 'infinity'
		AND (code IS NULL OR a.currency = code)
	ORDER BY o.expires_at, o.account_id, o.seq;
END
$store_credit_expiring$;
COMMENT ON FUNCTION store_credit_expiring(integer, text) IS
	'credits that will expire within so many days, the next first, with what is left of them to be spent; in all currencies, or in one';

REVOKE EXECUTE ON FUNCTION
	store_credit_balance_as_of(text, text, timestamptz),
	store_credit_balances_as_of(timestamptz),
	store_credit_liability(timestamptz),
	store_credit_top_holders(text, integer, timestamptz),
	store_credit_roll_forward(timestamptz, timestamptz, text),
	store_credit_redemptions(timestamptz, timestamptz),
	store_credit_journal(timestamptz, timestamptz),
	store_credit_outstanding(timestamptz),
	store_credit_aging(text, timestamptz),
	period_bounds(timestamptz, timestamptz, text),
	held_credits(),
	credit_expiry(bigint, bigint),
	aging_sums_now(text, timestamptz),
	aging_sums_as_of(text, timestamptz),
	aging_by_credit(text, timestamptz, timestamptz),
	aging_by_activity(timestamptz, timestamptz),
	store_credit_cohorts(timestamptz),
	store_credit_expiring(integer, text)
FROM PUBLIC;
