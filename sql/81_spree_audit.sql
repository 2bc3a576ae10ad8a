-- The audit of a Spree or Solidus shop: which rows break which rule, and what that is worth.  It reads the
-- application's tables with the caller's own rights, and changes nothing: doc/spree_audit.md has the rules.
--
-- Each group of rules is one statement over the whole tables, made for the shop's own columns.  Money at stake is
-- seen from the shop: more than zero is what customers have or can get beyond what is right, or what hangs on the
-- row; less than zero is what they are short of.

CREATE TYPE spree_finding AS (
	rule            text,
	relation        regclass,
	row_id          bigint,
	store_credit_id bigint,
	owner           text,
	currency        text,
	expected        text,
	found           text,
	difference      numeric,
	detail          text
);
COMMENT ON TYPE spree_finding IS 'a row of a shop''s that breaks a rule, as spree_audit() has it from one group of rules';
COMMENT ON COLUMN spree_finding.rule IS 'the rule';
COMMENT ON COLUMN spree_finding.relation IS 'the table of the row';
COMMENT ON COLUMN spree_finding.row_id IS 'id of the row';
COMMENT ON COLUMN spree_finding.store_credit_id IS 'id of the store credit concerned, there or not';
COMMENT ON COLUMN spree_finding.owner IS 'whose it is, as text';
COMMENT ON COLUMN spree_finding.currency IS 'the currency of difference, as the application has it';
COMMENT ON COLUMN spree_finding.expected IS 'what should be there';
COMMENT ON COLUMN spree_finding.found IS 'what is there';
COMMENT ON COLUMN spree_finding.difference IS 'what it is worth';
COMMENT ON COLUMN spree_finding.detail IS 'what the rule''s sentence leaves open, such as an authorization code';

CREATE FUNCTION spree_audit_rules()
RETURNS TABLE (place bigint, rule text, kind text, doubtful boolean, meaning text)
LANGUAGE SQL IMMUTABLE PARALLEL SAFE ROWS 40
BEGIN ATOMIC
	SELECT pg_catalog.row_number() OVER (), r.rule, r.kind, r.doubtful, r.meaning
	FROM (VALUES
		('amount_positive', 'row', true,
			'The amount of a store credit is more than zero.'),
		('amount_used_not_negative', 'row', true,
			'No less than zero can have been used of a credit: what is below can be spent as if it had been granted.'),
		('amount_authorized_not_negative', 'row', true,
			'No less than zero can be authorized on a credit: what is below can be spent as if it had been granted.'),
		('amounts_within_credit', 'row', true,
			'More than the credit''s amount is used or authorized.'),
		('amount_precision', 'row', true,
			'An amount has decimals that its currency does not have.'),
		('currency_known', 'row', true,
			'The currency is not a code of ISO 4217: nobody can say what money this is.'),
		('owner_missing', 'row', false,
			'The credit belongs to nobody: its user has been deleted, and nobody can spend what is left of it.'),
		('deleted_with_authorization', 'row', true,
			'The credit was deleted while money was authorized on it, which the application can no longer capture or void.'),
		('deleted_after_use', 'row', false,
			'The credit was deleted after it had been used: the application can no longer refund to it.'),
		('invalidated_with_authorization', 'row', false,
			'The credit was invalidated while money was authorized on it.'),
		('balance_limit', 'row', false,
			'With this credit, the owner has more than a balance may be in the currency.'),
		('event_without_credit', 'event', true,
			'The events of a credit are there, and it is not: it was deleted for good.'),
		('event_action', 'event', true,
			'The event''s action "%s" is none of the application''s: what it did to the credit is not known.'),
		('event_amount', 'event', true,
			'The amount of this event "%s" is missing or less than zero.'),
		('captured_twice', 'event', true,
			'Authorization %s was captured before: the credit was used twice for one authorization, which released it twice.'),
		('captured_above_authorization', 'event', true,
			'More was captured by authorization %s than it authorized.'),
		('captured_after_void', 'event', true,
			'Authorization %s had been voided when it was captured.'),
		('voided_twice', 'event', true,
			'Authorization %s was voided before: its money was released twice.'),
		('voided_after_capture', 'event', true,
			'Authorization %s had been captured when it was voided: money that was spent can be spent again.'),
		('refunded_above_capture', 'event', true,
			'More was refunded by authorization %s than was captured by it.'),
		('event_scale', 'event', true,
			'Authorization %s is in a currency whose amounts do not have two decimals, and the application takes all to have them; no payment shows the right amount.'),
		('amount_differs', 'reconciliation', false,
			'The credit''s amount is not what its events granted and adjusted: it was changed without an event.'),
		('amount_used_differs', 'reconciliation', true,
			'What is used of the credit is not what its events captured and refunded.'),
		('amount_authorized_differs', 'reconciliation', true,
			'What is authorized on the credit is not what its events leave authorized: %s.'),
		('invalidation_differs', 'reconciliation', true,
			'The credit is invalidated without an event that says so, or the other way round.'),
		('without_events', 'reconciliation', false,
			'The credit has no events, not even its grant.'),
		('payment_amount_not_negative', 'payment', false,
			'The amount of a payment by store credit is less than zero.'),
		('payment_without_credit', 'payment', false,
			'The credit that pays is not there.'),
		('payment_currency', 'payment', false,
			'The payment is for an order in %s, and the credit is in another currency.'),
		('payment_without_event', 'payment', false,
			'The payment is %s, and no event took or held its money on the credit.'),
		('payment_scale', 'payment', true,
			'The payment and the event of authorization %s differ: the application took the amount to have two decimals.'),
		('amount_without_event', 'information', false,
			'The credit''s amount is not what its events granted: Spree changes some amounts without an event.'),
		('changed_without_event', 'information', false,
			'The credit was changed after its last event: perhaps its memo, perhaps its currency or owner.'),
		('event_total', 'information', false,
			'What the owner''s last event shows as his total is not what his credits add up to.'),
		('event_total_overflow', 'information', false,
			'The owner''s credits add up to more than an event can show as his total: the next event may fail.'),
		('payment_stuck', 'information', false,
			'The payment has been processing since %s, without an event: its order may have been completed without it.')
	) r (rule, kind, doubtful, meaning);
END;
COMMENT ON FUNCTION spree_audit_rules() IS 'the rules of spree_audit(): kind, whether a credit that breaks it is doubtful, and a sentence for format()';

-- the tables, with one name for each column ----------------------------------------------------

CREATE FUNCTION spree_credits_query(shop spree_shop) RETURNS text
LANGUAGE SQL STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT pg_catalog.format(
		'SELECT id::bigint AS id, %I::text AS owner, currency::text AS currency, amount, amount_used, amount_authorized, '
			'amount - amount_used - amount_authorized AS remaining, deleted_at IS NOT NULL AS deleted, %s AS invalidated, '
			'%s AS gift_card, created_at, updated_at FROM %s',
		(shop).owner_column,
		CASE WHEN (shop).invalidated_column IS NULL THEN 'false' ELSE pg_catalog.format('%I IS NOT NULL', (shop).invalidated_column) END,
		CASE WHEN (shop).originator_column IS NULL THEN 'false'
			ELSE pg_catalog.format('%I IS NOT DISTINCT FROM ''Spree::GiftCard''', (shop).originator_column) END,
		(shop).store_credits);
END;
COMMENT ON FUNCTION spree_credits_query(spree_shop) IS 'the SELECT of a shop''s store credits, deleted ones too, under one set of names';

/* Codes are compared byte by byte, as the locale's order would take several times as long. */
CREATE FUNCTION spree_events_query(shop spree_shop) RETURNS text
LANGUAGE SQL STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT pg_catalog.format(
		'SELECT id::bigint AS id, store_credit_id::bigint AS store_credit_id, action::text COLLATE "C" AS action, amount, '
			'authorization_code::text COLLATE "C" AS code, user_total_amount, created_at, updated_at FROM %s WHERE deleted_at IS NULL',
		(shop).events);
END;
COMMENT ON FUNCTION spree_events_query(spree_shop) IS 'the SELECT of a shop''s events, without deleted ones, which the application does not see either';

CREATE FUNCTION spree_payments_query(shop spree_shop) RETURNS text
LANGUAGE SQL STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT CASE WHEN (shop).payments IS NULL THEN
		'SELECT NULL::bigint AS id, NULL::bigint AS order_id, NULL::bigint AS store_credit_id, NULL::numeric AS amount, NULL::text AS state, '
			'NULL::text AS code, NULL::timestamp AS updated_at WHERE false'
	ELSE pg_catalog.format(
		'SELECT id::bigint AS id, order_id, source_id::bigint AS store_credit_id, amount, %I::text COLLATE "C" AS state, '
			'response_code::text COLLATE "C" AS code, updated_at FROM %s WHERE source_type = ''Spree::StoreCredit''',
		(shop).payment_state_column, (shop).payments)
	END;
END;
COMMENT ON FUNCTION spree_payments_query(spree_shop) IS 'the SELECT of a shop''s payments by store credit, under one set of names; of no row if there is no such table';

-- what a row alone shows -----------------------------------------------------------------------

CREATE FUNCTION spree_row_findings(shop spree_shop, owners regclass) RETURNS SETOF spree_finding
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_row_findings$
BEGIN
	RETURN QUERY EXECUTE format($query$
		SELECT f.rule, $1, c.id, c.id, c.owner, c.currency, f.expected, f.found, f.difference, NULL
		FROM (%s) c
		LEFT JOIN storecredit.money_ccy_currencies() k ON k.code = c.currency
		LEFT JOIN (%s) u ON u.id = c.owner
		CROSS JOIN LATERAL (
			SELECT 'amount_positive', '> 0', c.amount::text, c.amount
			WHERE c.amount <= 0
			UNION ALL
			SELECT 'amount_used_not_negative', '>= 0', c.amount_used::text, - c.amount_used
			WHERE c.amount_used < 0
			UNION ALL
			SELECT 'amount_authorized_not_negative', '>= 0', c.amount_authorized::text, - c.amount_authorized
			WHERE c.amount_authorized < 0
			UNION ALL
			SELECT 'amounts_within_credit', '<= ' || c.amount, (c.amount_used + c.amount_authorized)::text, - c.remaining
			WHERE c.amount > 0 AND c.remaining < 0
			UNION ALL
			SELECT 'amount_precision', format('%%s decimals', k.minor_units), concat_ws(', ', c.amount, c.amount_used, c.amount_authorized),
				c.remaining - trunc(c.remaining, k.minor_units)
			WHERE k.minor_units < 2 AND (c.amount <> trunc(c.amount, k.minor_units)
				OR c.amount_used <> trunc(c.amount_used, k.minor_units) OR c.amount_authorized <> trunc(c.amount_authorized, k.minor_units))
			UNION ALL
			SELECT 'currency_known', 'an ISO 4217 code', coalesce(c.currency, 'null'), c.remaining
			WHERE k.code IS NULL
			UNION ALL
			SELECT 'owner_missing', 'an owner', coalesce(c.owner, 'null'), c.remaining
			WHERE NOT c.deleted AND (c.owner IS NULL AND NOT c.gift_card OR c.owner IS NOT NULL AND u.id IS NULL)
			UNION ALL
			SELECT 'deleted_with_authorization', '0.00 authorized', c.amount_authorized::text, c.amount_authorized
			WHERE c.deleted AND c.amount_authorized <> 0
			UNION ALL
			SELECT 'deleted_after_use', '0.00 used', c.amount_used::text, c.amount_used
			WHERE c.deleted AND c.amount_authorized = 0 AND c.amount_used <> 0
			UNION ALL
			SELECT 'invalidated_with_authorization', '0.00 authorized', c.amount_authorized::text, c.amount_authorized
			WHERE c.invalidated AND NOT c.deleted AND c.amount_authorized <> 0
		) f (rule, expected, found, difference)
		$query$, spree_credits_query(shop),
		-- without a table to look at, every owner is there
		format('SELECT DISTINCT %s::text AS id FROM %s', CASE WHEN owners IS NULL THEN (shop).owner_column ELSE 'id' END,
			coalesce(owners, (shop).store_credits)))
	USING (shop).store_credits;
END
$spree_row_findings$;
COMMENT ON FUNCTION spree_row_findings(spree_shop, regclass) IS 'part of spree_audit(): store credits that are wrong by themselves';

/* An owner's newest credit stands for all of them, as it is the last one that could have been refused. */
CREATE FUNCTION spree_limit_findings(shop spree_shop) RETURNS SETOF spree_finding
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_limit_findings$
BEGIN
	IF to_regclass('storecredit.currency_limit') IS NULL THEN
		RETURN;
	END IF;
	RETURN QUERY EXECUTE format($query$
		SELECT 'balance_limit', $1, b.newest, b.newest, b.owner, b.currency, '<= ' || money_ccy_amount(l.max_balance), b.balance::text,
			b.balance - money_ccy_amount(l.max_balance), NULL
		FROM (SELECT c.owner, c.currency, sum(c.remaining) AS balance, max(c.id) AS newest
			FROM (%s) c
			WHERE c.owner IS NOT NULL AND NOT c.deleted AND NOT c.invalidated AND NOT c.gift_card
			GROUP BY c.owner, c.currency) b
		JOIN storecredit.currency_limit l ON l.currency = b.currency
		WHERE b.balance > money_ccy_amount(l.max_balance)
		$query$, spree_credits_query(shop))
	USING (shop).store_credits;
END
$spree_limit_findings$;
COMMENT ON FUNCTION spree_limit_findings(spree_shop) IS 'part of spree_audit(): owners above the max_balance of a currency; nothing as long as there is no ledger';

-- what events show -----------------------------------------------------------------------------

/*
 * A code is authorized once and closed once.  Refunds to a new credit carry the code of the credit that was used,
 * so codes are looked at over all credits: "so_far" is what a code had seen with the event, "whole" all that it has
 * seen.
 */
CREATE FUNCTION spree_code_findings(shop spree_shop) RETURNS SETOF spree_finding
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_code_findings$
BEGIN
	RETURN QUERY EXECUTE format($query$
		SELECT e.rule, $1, e.id, e.store_credit_id, c.owner, c.currency,
			CASE e.rule WHEN 'captured_above_authorization' THEN '<= ' || e.authorized WHEN 'refunded_above_capture' THEN '<= ' || e.captured
				WHEN 'captured_twice' THEN '1 capture' WHEN 'voided_twice' THEN '1 void' ELSE 'no ' || e.action END,
			CASE e.rule WHEN 'captured_above_authorization' THEN e.captured_so_far WHEN 'refunded_above_capture' THEN e.refunded_so_far
				WHEN 'captured_twice' THEN e.captures WHEN 'voided_twice' THEN e.voids ELSE 1 END::text,
			CASE e.rule WHEN 'captured_above_authorization' THEN least(e.amount, e.captured_so_far - e.authorized)
				WHEN 'refunded_above_capture' THEN least(e.amount, e.refunded_so_far - e.captured) ELSE e.amount END,
			e.code
		FROM (
			SELECT x.*, CASE x.action
				WHEN 'capture' THEN CASE
					WHEN x.voids > 0 THEN 'captured_after_void'
					-- Solidus releases the whole authorization with each capture, Spree what is captured
					WHEN x.captures > 1 AND $2 = 'solidus' THEN 'captured_twice'
					WHEN x.captured_so_far > x.authorized THEN 'captured_above_authorization' END
				WHEN 'void' THEN CASE
					WHEN x.voids > 1 THEN 'voided_twice'
					WHEN x.captures > 0 THEN 'voided_after_capture' END
				WHEN 'credit' THEN CASE
					WHEN x.refunded_so_far > x.captured THEN 'refunded_above_capture' END
				END AS rule
			FROM (
				SELECT y.id, y.store_credit_id, y.action, y.amount, y.code,
					coalesce(sum(y.amount) FILTER (WHERE y.action = 'authorize') OVER whole, 0.00) AS authorized,
					coalesce(sum(y.amount) FILTER (WHERE y.action = 'capture') OVER whole, 0.00) AS captured,
					sum(y.amount) FILTER (WHERE y.action = 'capture') OVER so_far AS captured_so_far,
					sum(y.amount) FILTER (WHERE y.action = 'credit') OVER so_far AS refunded_so_far,
					count(*) FILTER (WHERE y.action = 'capture') OVER so_far AS captures,
					count(*) FILTER (WHERE y.action = 'void') OVER so_far AS voids
				FROM (%s) y
				WHERE y.action IN ('authorize', 'capture', 'void', 'credit')
				WINDOW whole AS (PARTITION BY y.code), so_far AS (PARTITION BY y.code ORDER BY y.id)
			) x
		) e
		LEFT JOIN (%s) c ON c.id = e.store_credit_id
		WHERE e.rule IS NOT NULL
		$query$, spree_events_query(shop), spree_credits_query(shop))
	USING (shop).events, (shop).profile;
END
$spree_code_findings$;
COMMENT ON FUNCTION spree_code_findings(spree_shop) IS 'part of spree_audit(): authorizations that were closed twice, or refunded for more than was captured';

CREATE FUNCTION spree_event_findings(shop spree_shop) RETURNS SETOF spree_finding
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_event_findings$
BEGIN
	RETURN QUERY EXECUTE format($query$
		SELECT 'event_without_credit', $1, min(e.id), e.store_credit_id, NULL, NULL, 'a store credit', format('%%s events of none', count(*)),
			NULL::numeric, NULL
		FROM (%1$s) e
		LEFT JOIN (%2$s) c ON c.id = e.store_credit_id
		WHERE c.id IS NULL
		GROUP BY e.store_credit_id
		UNION ALL
		SELECT f.rule, $1, e.id, e.store_credit_id, c.owner, c.currency, f.expected, f.found, e.amount, e.action
		FROM (%1$s) e
		JOIN (%2$s) c ON c.id = e.store_credit_id
		CROSS JOIN LATERAL (
			SELECT e.action <> ALL ('{allocation,eligible,authorize,capture,void,credit,adjustment,invalidate}'),
				e.amount IS NULL OR e.amount < 0 AND e.action <> 'adjustment'
		) w (action, amount)
		CROSS JOIN LATERAL (
			SELECT 'event_action', 'a known action', e.action
			WHERE w.action
			UNION ALL
			SELECT 'event_amount', '>= 0', coalesce(e.amount::text, 'null')
			WHERE w.amount
		) f (rule, expected, found)
		WHERE w.action OR w.amount
		$query$, spree_events_query(shop), spree_credits_query(shop))
	USING (shop).events;
END
$spree_event_findings$;
COMMENT ON FUNCTION spree_event_findings(spree_shop) IS 'part of spree_audit(): events that are wrong by themselves';

/*
 * What its events say that a credit's columns should be.  A credit that begins with a refund was made by it.
 * Capturing releases the authorization: all of it in Solidus, what was captured in Spree.
 */
CREATE FUNCTION spree_event_sums_query(shop spree_shop) RETURNS text
LANGUAGE SQL STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT pg_catalog.format($query$
		SELECT e.store_credit_id,
			coalesce(sum(e.amount) FILTER (WHERE e.action IN ('allocation', 'adjustment') OR e.action = 'credit' AND e.id = e.first_id), 0.00) AS amount,
			coalesce(sum(CASE e.action WHEN 'capture' THEN e.amount ELSE - e.amount END)
				FILTER (WHERE e.action = 'capture' OR e.action = 'credit' AND e.id <> e.first_id), 0.00) AS amount_used,
			coalesce(sum(CASE e.action WHEN 'authorize' THEN e.amount WHEN 'void' THEN - e.amount ELSE - %1$s END)
				FILTER (WHERE e.action IN ('authorize', 'void', 'capture')), 0.00) AS amount_authorized,
			count(*) FILTER (WHERE e.action = 'authorize') AS authorizations,
			count(*) FILTER (WHERE e.action IN ('void', 'capture')) AS closings,
			bool_or(e.action = 'invalidate') AS invalidated,
			max(greatest(e.created_at, e.updated_at)) AS changed_at
		FROM (
			SELECT x.*,
				min(x.id) OVER (PARTITION BY x.store_credit_id) AS first_id,
				sum(x.amount) FILTER (WHERE x.action = 'authorize') OVER (PARTITION BY x.store_credit_id, x.code) AS authorized
			FROM (%2$s) x
		) e
		GROUP BY e.store_credit_id$query$,
		CASE (shop).profile WHEN 'solidus' THEN 'coalesce(e.authorized, e.amount)' ELSE 'e.amount' END,
		storecredit.spree_events_query(shop));
END;
COMMENT ON FUNCTION spree_event_sums_query(spree_shop) IS 'the SELECT of what the events of each store credit add up to, in the shop''s own arithmetic';

CREATE FUNCTION spree_reconciliation_findings(shop spree_shop) RETURNS SETOF spree_finding
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_reconciliation_findings$
BEGIN
	RETURN QUERY EXECUTE format($query$
		SELECT f.rule, $1, c.id, c.id, c.owner, c.currency, f.expected, f.found, f.difference, f.detail
		FROM (%s) c
		LEFT JOIN (%s) s ON s.store_credit_id = c.id
		CROSS JOIN LATERAL (
			SELECT 'without_events', 'a grant', 'no events', c.amount, NULL
			WHERE s.store_credit_id IS NULL
			UNION ALL
			-- Spree changes the amount without an event, or rewrites the event
			SELECT 'amount_differs', s.amount::text, c.amount::text, c.amount - s.amount, NULL
			WHERE c.amount <> s.amount AND $2 = 'solidus'
			UNION ALL
			SELECT 'amount_used_differs', coalesce(s.amount_used, 0.00)::text, c.amount_used::text, coalesce(s.amount_used, 0.00) - c.amount_used, NULL
			WHERE c.amount_used <> coalesce(s.amount_used, 0.00)
			UNION ALL
			SELECT 'amount_authorized_differs', coalesce(s.amount_authorized, 0.00)::text, c.amount_authorized::text,
				coalesce(s.amount_authorized, 0.00) - c.amount_authorized,
				format('%%s authorized, %%s captured or voided', coalesce(s.authorizations, 0), coalesce(s.closings, 0))
			WHERE c.amount_authorized <> coalesce(s.amount_authorized, 0.00)
			UNION ALL
			SELECT 'invalidation_differs', CASE WHEN s.invalidated THEN 'invalidated' ELSE 'valid' END,
				CASE WHEN c.invalidated THEN 'invalidated' ELSE 'valid' END, c.remaining, NULL
			WHERE c.invalidated <> s.invalidated
		) f (rule, expected, found, difference, detail)
		$query$, spree_credits_query(shop), spree_event_sums_query(shop))
	USING (shop).store_credits, (shop).profile;
END
$spree_reconciliation_findings$;
COMMENT ON FUNCTION spree_reconciliation_findings(spree_shop) IS 'part of spree_audit(): store credits that are not what their events add up to';

-- what payments show ---------------------------------------------------------------------------

CREATE FUNCTION spree_payment_findings(shop spree_shop) RETURNS SETOF spree_finding
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_payment_findings$
BEGIN
	RETURN QUERY EXECUTE format($query$
		SELECT f.rule, $1, p.id, p.store_credit_id, c.owner, coalesce(f.currency, c.currency), f.expected, f.found, f.difference, f.detail
		FROM (%1$s) p
		LEFT JOIN (%2$s) c ON c.id = p.store_credit_id
		LEFT JOIN storecredit.money_ccy_currencies() k ON k.code = c.currency
		LEFT JOIN (
			SELECT e.code, sum(e.amount) FILTER (WHERE e.action = 'authorize') AS pending, sum(e.amount) FILTER (WHERE e.action = 'capture') AS completed
			FROM (%3$s) e
			WHERE e.action IN ('authorize', 'capture')
			GROUP BY e.code) e ON e.code = p.code
		LEFT JOIN (%4$s) o ON o.id = p.order_id
		CROSS JOIN LATERAL (SELECT CASE p.state WHEN 'pending' THEN e.pending WHEN 'completed' THEN e.completed END) t (taken)
		CROSS JOIN LATERAL (
			SELECT 'payment_amount_not_negative', NULL, '>= 0', p.amount::text, - p.amount, NULL
			WHERE p.amount < 0
			UNION ALL
			SELECT 'payment_without_credit', o.currency, 'store credit ' || p.store_credit_id, 'none', p.amount, NULL
			WHERE c.id IS NULL
			UNION ALL
			SELECT 'payment_currency', o.currency, c.currency, o.currency, p.amount, o.currency
			WHERE o.currency <> c.currency AND p.state <> ALL ('{failed,void,invalid,canceled}')
			UNION ALL
			SELECT 'payment_without_event', NULL, p.amount::text, '0.00', p.amount, p.state
			WHERE p.state IN ('pending', 'completed') AND p.amount > 0 AND t.taken IS NULL AND c.id IS NOT NULL
			UNION ALL
			SELECT 'payment_scale', NULL, p.amount::text, t.taken::text, p.amount - t.taken, p.code
			WHERE k.minor_units <> 2 AND p.amount <> t.taken
		) f (rule, currency, expected, found, difference, detail)
		$query$,
		spree_payments_query(shop), spree_credits_query(shop), spree_events_query(shop),
		CASE WHEN (shop).orders IS NULL THEN 'SELECT NULL::bigint AS id, NULL::text AS currency'
			ELSE format('SELECT id, currency::text AS currency FROM %s', (shop).orders) END)
	USING (shop).payments;
END
$spree_payment_findings$;
COMMENT ON FUNCTION spree_payment_findings(spree_shop) IS 'part of spree_audit(): payments by store credit that do not agree with the credit, its events or the order';

/*
 * Solidus divides what it is given in minor units by 100, whatever the currency.  So an amount is wrong by that
 * factor wherever it came through a payment.  Where the payment is there, payment_scale has it.
 */
CREATE FUNCTION spree_scale_findings(shop spree_shop) RETURNS SETOF spree_finding
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_scale_findings$
BEGIN
	IF (shop).profile <> 'solidus' THEN
		RETURN;
	END IF;
	RETURN QUERY EXECUTE format($query$
		SELECT 'event_scale', $1, e.id, e.store_credit_id, e.owner, e.currency,
			round(e.taken * e.factor, 2)::text, e.taken::text, round(e.taken * e.factor - e.taken, 2), e.code
		FROM (
			SELECT min(x.id) AS id, x.store_credit_id, x.code, c.owner, c.currency, 100 / 10::numeric ^ k.minor_units AS factor,
				coalesce(sum(x.amount) FILTER (WHERE x.action = 'capture') - coalesce(sum(x.amount) FILTER (WHERE x.action = 'credit'), 0),
					sum(x.amount) FILTER (WHERE x.action = 'authorize') - coalesce(sum(x.amount) FILTER (WHERE x.action = 'void'), 0)) AS taken
			FROM (%s) x
			JOIN (%s) c ON c.id = x.store_credit_id
			JOIN storecredit.money_ccy_currencies() k ON k.code = c.currency
			WHERE k.minor_units <> 2 AND x.action IN ('authorize', 'capture', 'void', 'credit')
			GROUP BY x.store_credit_id, x.code, c.owner, c.currency, k.minor_units
		) e
		WHERE e.taken > 0 AND NOT EXISTS (SELECT FROM (%s) p WHERE p.code = e.code)
		$query$, spree_events_query(shop), spree_credits_query(shop), spree_payments_query(shop))
	USING (shop).events;
END
$spree_scale_findings$;
COMMENT ON FUNCTION spree_scale_findings(spree_shop) IS 'part of spree_audit(): events of Solidus in currencies without two decimals, which no payment proves right or wrong';

-- what need not be wrong -----------------------------------------------------------------------

CREATE FUNCTION spree_information_findings(shop spree_shop) RETURNS SETOF spree_finding
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_information_findings$
BEGIN
	RETURN QUERY EXECUTE format($query$
		SELECT f.rule, $1, c.id, c.id, c.owner, c.currency, f.expected, f.found, f.difference, NULL
		FROM (%1$s) c
		JOIN (%2$s) s ON s.store_credit_id = c.id
		CROSS JOIN LATERAL (
			SELECT 'amount_without_event', s.amount::text, c.amount::text, c.amount - s.amount
			WHERE c.amount <> s.amount AND $2 = 'spree' AND NOT c.gift_card
			UNION ALL
			SELECT 'changed_without_event', to_char(s.changed_at, 'YYYY-MM-DD HH24:MI:SS.US'), to_char(c.updated_at, 'YYYY-MM-DD HH24:MI:SS.US'), c.remaining
			WHERE c.updated_at > s.changed_at AND NOT c.deleted
		) f (rule, expected, found, difference)
		UNION ALL
		SELECT 'payment_stuck', $3, p.id, p.store_credit_id, c.owner, c.currency, 'an event', 'none', p.amount, to_char(p.updated_at, 'YYYY-MM-DD HH24:MI:SS')
		FROM (%3$s) p
		JOIN (%1$s) c ON c.id = p.store_credit_id
		WHERE p.state = 'processing' AND NOT EXISTS (
			SELECT FROM (%4$s) e WHERE e.code = p.code AND e.action IN ('authorize', 'capture'))
		$query$,
		spree_credits_query(shop), spree_event_sums_query(shop), spree_payments_query(shop), spree_events_query(shop))
	USING (shop).store_credits, (shop).profile, (shop).payments;
END
$spree_information_findings$;
COMMENT ON FUNCTION spree_information_findings(spree_shop) IS 'part of spree_audit(): what is worth a look, and need not be wrong';

CREATE FUNCTION largest_value(relation regclass, column_name name) RETURNS numeric
LANGUAGE SQL STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT pg_catalog.trim_scale(10::numeric ^ (c.numeric_precision - c.numeric_scale) - 10::numeric ^ (- c.numeric_scale))
	FROM (
		SELECT (a.atttypmod - 4) >> 16 AS numeric_precision, (a.atttypmod - 4) & 2047 AS numeric_scale
		FROM pg_catalog.pg_attribute a
		WHERE a.attrelid = relation AND a.attname = column_name AND a.atttypmod >= 4) c;
END;
COMMENT ON FUNCTION largest_value(regclass, name) IS 'the most that a numeric column with a precision can hold; null if it has none';

/* Each event keeps its owner's total in the currency.  That of the newest should still be true. */
CREATE FUNCTION spree_total_findings(shop spree_shop) RETURNS SETOF spree_finding
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_total_findings$
BEGIN
	RETURN QUERY EXECUTE format($query$
		WITH credit AS MATERIALIZED (
			SELECT * FROM (%s) c WHERE c.owner IS NOT NULL AND NOT c.gift_card
		), total AS (
			SELECT c.owner, c.currency, sum(CASE WHEN c.deleted OR c.invalidated THEN 0.00 ELSE c.remaining END) AS total
			FROM credit c
			GROUP BY c.owner, c.currency
		), newest AS (
			SELECT DISTINCT ON (c.owner, c.currency) c.owner, c.currency, e.id, e.store_credit_id, e.user_total_amount
			FROM (%s) e
			JOIN credit c ON c.id = e.store_credit_id
			ORDER BY c.owner, c.currency, e.id DESC
		)
		SELECT f.rule, $1, n.id, n.store_credit_id, n.owner, n.currency, f.expected, f.found, f.difference, NULL
		FROM newest n
		JOIN total t ON t.owner = n.owner AND t.currency IS NOT DISTINCT FROM n.currency
		CROSS JOIN LATERAL (
			SELECT 'event_total', t.total::text, n.user_total_amount::text, n.user_total_amount - t.total
			WHERE n.user_total_amount <> t.total
			UNION ALL
			SELECT 'event_total_overflow', '<= ' || $2, t.total::text, t.total - $2
			WHERE t.total > $2
		) f (rule, expected, found, difference)
		$query$, spree_credits_query(shop), spree_events_query(shop))
	USING (shop).events, largest_value((shop).events, 'user_total_amount');
END
$spree_total_findings$;
COMMENT ON FUNCTION spree_total_findings(spree_shop) IS 'part of spree_audit(): totals of owners as their newest events show them';

-- the audit ------------------------------------------------------------------------------------

CREATE FUNCTION spree_audit(
	store_credits regclass, profile text DEFAULT NULL, owners regclass DEFAULT NULL, information boolean DEFAULT false
) RETURNS TABLE (
	rule text, kind text, relation regclass, row_id bigint, store_credit_id bigint, owner text, currency text,
	expected text, found text, difference numeric, doubtful boolean, explanation text
)
LANGUAGE plpgsql STABLE COST 1000000 ROWS 1000
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_audit$
#variable_conflict use_column
DECLARE
	shop spree_shop := spree_shop(spree_audit.store_credits, spree_audit.profile);
BEGIN
	PERFORM require_columns(owners, 'id');
	RETURN QUERY
	SELECT r.rule, r.kind, f.relation, f.row_id, f.store_credit_id, f.owner, f.currency,
		f.expected, f.found, f.difference, r.doubtful, format(r.meaning, f.detail)
	FROM (
		SELECT * FROM spree_row_findings(shop, owners)
		UNION ALL
		SELECT * FROM spree_limit_findings(shop)
		UNION ALL
		SELECT * FROM spree_event_findings(shop)
		UNION ALL
		SELECT * FROM spree_code_findings(shop)
		UNION ALL
		SELECT * FROM spree_scale_findings(shop)
		UNION ALL
		SELECT * FROM spree_reconciliation_findings(shop)
		UNION ALL
		SELECT * FROM spree_payment_findings(shop)
		UNION ALL
		SELECT * FROM spree_information_findings(shop) WHERE spree_audit.information
		UNION ALL
		SELECT * FROM spree_total_findings(shop) WHERE spree_audit.information
	) f
	JOIN spree_audit_rules() r ON r.rule = f.rule
	ORDER BY r.place, f.store_credit_id, f.row_id;
END
$spree_audit$;
COMMENT ON FUNCTION spree_audit(regclass, text, regclass, boolean) IS
	'the rows of a Spree or Solidus shop that break a rule, with what is expected, what is found and what it is worth; changes nothing';

CREATE FUNCTION spree_audit_summary(
	store_credits regclass, profile text DEFAULT NULL, owners regclass DEFAULT NULL, information boolean DEFAULT false
) RETURNS TABLE (rule text, kind text, currency text, findings bigint, credits bigint, difference numeric, doubtful boolean)
LANGUAGE plpgsql STABLE COST 1000000 ROWS 100
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_audit_summary$
#variable_conflict use_column
BEGIN
	RETURN QUERY
	SELECT r.rule, r.kind, a.currency, count(*), count(DISTINCT a.store_credit_id), sum(a.difference), r.doubtful
	FROM spree_audit(spree_audit_summary.store_credits, profile, owners, information) a
	JOIN spree_audit_rules() r ON r.rule = a.rule
	GROUP BY r.place, r.rule, r.kind, a.currency, r.doubtful
	ORDER BY r.place, a.currency;
END
$spree_audit_summary$;
COMMENT ON FUNCTION spree_audit_summary(regclass, text, regclass, boolean) IS
	'what spree_audit() finds: how many rows and store credits break each rule, and what that is worth, in each currency';

REVOKE EXECUTE ON FUNCTION
	spree_row_findings(spree_shop, regclass),
	spree_limit_findings(spree_shop),
	spree_event_findings(spree_shop),
	spree_code_findings(spree_shop),
	spree_scale_findings(spree_shop),
	spree_reconciliation_findings(spree_shop),
	spree_payment_findings(spree_shop),
	spree_information_findings(spree_shop),
	spree_total_findings(spree_shop),
	spree_audit(regclass, text, regclass, boolean),
	spree_audit_summary(regclass, text, regclass, boolean)
FROM PUBLIC;
