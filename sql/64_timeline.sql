-- What people see of one owner.  These functions run with the caller's own rights, so row-level security binds
-- them; storecredit.grant_access() gives those rights together with the functions.

-- helpers --------------------------------------------------------------------------------------

CREATE FUNCTION require_value(value anyelement, name text) RETURNS anyelement
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $require_value$
BEGIN
	IF value IS NULL THEN
		RAISE EXCEPTION '% must not be null', name USING ERRCODE = 'null_value_not_allowed';
	END IF;
	RETURN value;
END
$require_value$;
COMMENT ON FUNCTION require_value(anyelement, text) IS 'the value, or an error that names the argument if it is null (22004)';

CREATE FUNCTION require_currency(currency text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, storecredit, pg_temp
AS $require_currency$
BEGIN
	RETURN money_ccy_currency(money_ccy_from_minor(0, require_value(currency, 'currency')));
END
$require_currency$;
COMMENT ON FUNCTION require_currency(text) IS 'the code in upper case, or an error if there is no such currency (22P02), or no code (22004)';

CREATE FUNCTION require_ledger() RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $require_ledger$
BEGIN
	IF to_regclass('storecredit.account') IS NULL THEN
		RAISE EXCEPTION 'the store credit ledger does not exist in this database'
			USING ERRCODE = 'undefined_table', DETAIL = 'There is no table "storecredit.account".',
				HINT = 'Make it with SELECT storecredit.create_ledger().';
	END IF;
END
$require_ledger$;
COMMENT ON FUNCTION require_ledger() IS 'an error if create_ledger() has not been called (42P01)';

CREATE FUNCTION find_account(owner text, currency text) RETURNS bigint
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, storecredit, pg_temp
AS $find_account$
#variable_conflict use_column
BEGIN
	PERFORM require_ledger(), require_value(find_account.owner, 'owner');
	RETURN (SELECT a.account_id FROM storecredit.account a
		WHERE a.owner = find_account.owner AND a.currency = require_currency(find_account.currency));
END
$find_account$;
COMMENT ON FUNCTION find_account(text, text) IS 'an owner''s account in a currency, with the caller''s rights; null if there is none to be seen';

CREATE FUNCTION shop_zone() RETURNS text
LANGUAGE SQL STABLE PARALLEL SAFE
RETURN coalesce(nullif(pg_catalog.current_setting('storecredit.timezone', true), ''), 'UTC');
COMMENT ON FUNCTION shop_zone() IS 'storecredit.timezone, also before the library is loaded';

CREATE FUNCTION draws_as_json(draws bigint[], currency text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, storecredit, pg_temp
AS $draws_as_json$
BEGIN
	IF draws IS NULL OR cardinality(draws) = 0 THEN
		RETURN NULL;
	END IF;
	RETURN (SELECT jsonb_agg(jsonb_build_object('seq', draws[n], 'amount', money_ccy_from_minor(draws[n + 1], currency)::text) ORDER BY n)
		FROM generate_series(1, cardinality(draws), 2) n);
END
$draws_as_json$;
COMMENT ON FUNCTION draws_as_json(bigint[], text) IS 'pairs of credit seq and minor units as [{"seq", "amount"}]; null for none';

-- sentences ------------------------------------------------------------------------------------

CREATE FUNCTION describe_end(expires_at timestamptz) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, storecredit, pg_temp
AS $describe_end$
DECLARE
	local_end timestamp := CASE WHEN isfinite(expires_at) THEN expires_at AT TIME ZONE shop_zone() END;
BEGIN
	IF local_end IS NULL THEN
		RETURN 'without an end';
	ELSIF local_end = date_trunc('day', local_end) THEN
		RETURN to_char(local_end - interval '1 day', '"valid through" FMDD FMMonth YYYY');
	END IF;
	RETURN to_char(local_end, '"valid until" FMDD FMMonth YYYY, HH24:MI');
END
$describe_end$;
COMMENT ON FUNCTION describe_end(timestamptz) IS 'an expiry in words: through a day of the shop''s time zone, or until a time of it';

CREATE FUNCTION describe_transaction(
	kind text, amount money_ccy, balance_after money_ccy, category text, memo text, reference text, issuer text,
	expires_at timestamptz, related_seq bigint, hold_id bigint
) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, storecredit, pg_temp
AS $describe_transaction$
DECLARE
	minor bigint := money_ccy_to_minor(amount);
	size money_ccy := CASE WHEN minor < 0 THEN - amount ELSE amount END;
	what text;
BEGIN
	what := CASE kind
		WHEN 'credit' THEN format('%s issued %s%s', issuer, size, coalesce(' (' || category || ')', ''))
		WHEN 'debit' THEN format('%s spent%s%s', size, coalesce(' (' || category || ')', ''), ' from hold ' || hold_id)
		WHEN 'debit_revert' THEN format('%s gave back %s of entry %s', issuer, size, related_seq)
		WHEN 'expiration' THEN format('%s of entry %s expired', size, related_seq)
		WHEN 'revocation' THEN format('%s took back %s of entry %s', issuer, size, related_seq)
		WHEN 'adjustment' THEN
			CASE
				WHEN related_seq IS NULL THEN 'What had been paid back to the credit line was settled anew'
				WHEN minor > 0 THEN format('%s raised entry %s by %s', issuer, related_seq, size)
				WHEN minor < 0 THEN format('%s lowered entry %s by %s', issuer, related_seq, size)
				ELSE format('%s changed entry %s', issuer, related_seq)
			END
	END;
	RETURN concat(what, ' for ' || reference,
		CASE WHEN kind = 'credit' OR kind = 'adjustment' AND related_seq IS NOT NULL THEN ', ' || describe_end(expires_at) END,
		': ' || memo, '. The balance was then ', balance_after, '.');
END
$describe_transaction$;
COMMENT ON FUNCTION describe_transaction(text, money_ccy, money_ccy, text, text, text, text, timestamptz, bigint, bigint) IS
	'an entry of the history as a sentence';

CREATE FUNCTION describe_hold(
	amount money_ccy, captured money_ccy, status text, memo text, reference text, issuer text, expires_at timestamptz
) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, storecredit, pg_temp
AS $describe_hold$
DECLARE
	end_of_it text := CASE status
		WHEN 'open' THEN 'still held'
		WHEN 'captured' THEN 'closed'
		WHEN 'voided' THEN 'let go'
		WHEN 'expired' THEN 'let go at its end'
	END;
BEGIN
	RETURN concat(issuer, ' set ', amount, ' aside', ' for ' || reference, ', ', describe_end(expires_at), ': ' || memo,
		'. Of this ', captured, ' has been spent, and the hold is ', end_of_it, '.');
END
$describe_hold$;
COMMENT ON FUNCTION describe_hold(money_ccy, money_ccy, text, text, text, text, timestamptz) IS 'a hold as a sentence';

-- timeline -------------------------------------------------------------------------------------

/*
 * Transactions and holds are two lists, each in the order of its own number, merged by time.  A page key names
 * the next of either list: '17.3' is transactions below 17 and holds below 3.  So a page is one range of the
 * key of each table, however long the history is, and nothing is left out or comes twice whatever is booked
 * meanwhile.  Should a clock have been set back, the order of the numbers prevails.
 */
CREATE FUNCTION store_credit_timeline(
	owner text, currency text, before text DEFAULT NULL, max_entries integer DEFAULT 50
) RETURNS TABLE (
	page_key text, seq bigint, hold_id bigint, kind text, status text, amount money_ccy, balance_after money_ccy,
	created_at timestamptz, issuer text, category text, memo text, reference text, expires_at timestamptz,
	related_seq bigint, credits jsonb, sentence text
)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 50
SET search_path = pg_catalog, storecredit, pg_temp
AS $store_credit_timeline$
#variable_conflict use_column
DECLARE
	account bigint := find_account(store_credit_timeline.owner, store_credit_timeline.currency);
	seq_below bigint;
	hold_below bigint;
BEGIN
	IF before IS NULL THEN
		SELECT a.last_seq + 1, a.last_hold_id + 1 INTO seq_below, hold_below
		FROM storecredit.account a WHERE a.account_id = account;
	ELSE
		IF before !~ '^[0-9]{1,19}\.[0-9]{1,19}$' THEN
			RAISE EXCEPTION 'invalid page key: "%"', before
				USING ERRCODE = 'invalid_parameter_value', HINT = 'Give the page_key of the last row of the page before.';
		END IF;
		seq_below := split_part(before, '.', 1);
		hold_below := split_part(before, '.', 2);
	END IF;
	IF coalesce(max_entries, 0) <= 0 THEN
		RAISE EXCEPTION 'max_entries must be greater than zero' USING ERRCODE = 'invalid_parameter_value';
	END IF;

	RETURN QUERY
	WITH entries AS (
		SELECT 0 AS list, min(t.created_at) OVER (ORDER BY t.seq DESC) AS place, t.seq, t.hold_id, t.kind, NULL::text AS status,
			t.amount, NULL::money_ccy AS captured, t.balance_after, t.created_at, t.issuer, t.category, t.memo, t.reference,
			t.expires_at, t.related_seq, t.draws
		FROM (SELECT * FROM storecredit.transaction t
			WHERE t.account_id = account AND t.seq < seq_below
			ORDER BY t.seq DESC LIMIT max_entries) t
		UNION ALL
		SELECT 1, min(h.created_at) OVER (ORDER BY h.hold_id DESC), NULL, h.hold_id, 'hold', h.status,
			h.amount, h.captured, NULL, h.created_at, h.issuer, NULL, h.memo, h.reference,
			h.expires_at, NULL, h.authorized
		FROM (SELECT * FROM storecredit.hold h
			WHERE h.account_id = account AND h.hold_id < hold_below
			ORDER BY h.hold_id DESC LIMIT max_entries) h
	), page AS (
		SELECT e.*, row_number() OVER so_far AS n, coalesce(min(e.seq) OVER so_far, seq_below) AS next_seq,
			coalesce(min(e.hold_id) FILTER (WHERE e.list = 1) OVER so_far, hold_below) AS next_hold
		FROM entries e
		WINDOW so_far AS (ORDER BY e.place DESC, e.list, e.seq DESC, e.hold_id DESC ROWS UNBOUNDED PRECEDING)
		ORDER BY n LIMIT max_entries
	)
	SELECT format('%s.%s', p.next_seq, p.next_hold), p.seq, p.hold_id, p.kind, p.status, p.amount, p.balance_after,
		p.created_at, p.issuer, p.category, p.memo, p.reference, p.expires_at, p.related_seq,
		draws_as_json(p.draws, money_ccy_currency(p.amount)),
		CASE p.list
			WHEN 0 THEN describe_transaction(p.kind, p.amount, p.balance_after, p.category, p.memo, p.reference, p.issuer,
				p.expires_at, p.related_seq, p.hold_id)
			ELSE describe_hold(p.amount, p.captured, p.status, p.memo, p.reference, p.issuer, p.expires_at)
		END
	FROM page p
	ORDER BY p.n;
END
$store_credit_timeline$;
COMMENT ON FUNCTION store_credit_timeline(text, text, text, integer) IS
	'a page of what has happened to an owner''s account, the newest first; before: the page_key of the last row of the page before';

-- accounts -------------------------------------------------------------------------------------

CREATE FUNCTION store_credit_accounts(owner text)
RETURNS TABLE (
	account_id bigint, currency text, balance money_ccy, held money_ccy, available money_ccy,
	next_expiry timestamptz, next_expiring money_ccy, credits jsonb
)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED ROWS 3
SET search_path = pg_catalog, storecredit, pg_temp
AS $store_credit_accounts$
#variable_conflict use_column
BEGIN
	PERFORM require_ledger(), require_value(store_credit_accounts.owner, 'owner');
	RETURN QUERY
	SELECT b.account_id, b.currency, b.balance, b.held, b.available, b.next_expiry, c.next_expiring, c.credits
	FROM storecredit.balance b
	CROSS JOIN LATERAL (
		SELECT sum(o.remaining) FILTER (WHERE o.expires_at = b.next_expiry) AS next_expiring,
			jsonb_agg(jsonb_build_object('seq', o.seq, 'remaining', o.remaining::text, 'expires_at', nullif(o.expires_at, 'infinity'))
				ORDER BY o.expires_at, o.seq) AS credits
		FROM storecredit.open_credit o
		WHERE o.account_id = b.account_id AND o.expires_at > store_credit_clock()) c
	WHERE b.owner = store_credit_accounts.owner
	ORDER BY b.currency;
END
$store_credit_accounts$;
COMMENT ON FUNCTION store_credit_accounts(text) IS
	'an owner''s accounts: balance, held, available, and the open credits in the order in which they will be spent';

CREATE FUNCTION store_credit_apply(owner text, order_total money_ccy) RETURNS money_ccy
LANGUAGE C STABLE PARALLEL RESTRICTED COST 500 AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION store_credit_apply(text, money_ccy) IS
	'what a checkout may take now of an order''s total: as much as one debit can; nothing is taken';

REVOKE EXECUTE ON FUNCTION
	find_account(text, text),
	store_credit_timeline(text, text, text, integer),
	store_credit_accounts(text),
	store_credit_apply(text, money_ccy)
FROM PUBLIC;
