-- The import of a Spree or Solidus shop: its credits, holds and history become a history of the ledger.
--
-- Nothing is switched off for it.  A batch is read from the shop by one statement, so by one snapshot, into work
-- tables; there the events become steps, the steps are checked against each other and against the credit's row,
-- and what passes is numbered and written with plain INSERTs that the guards judge at commit as any others.
--
-- A credit is followed by its record in spree_imported: what of its events is there already, and how much was
-- left.  A record and what it records are written in one transaction, so a run that is broken off has done whole
-- batches, and the next one does the rest.

-- what is read of the shop ---------------------------------------------------------------------

CREATE FUNCTION spree_minor(amount numeric, unit numeric, minor_units integer) RETURNS bigint
LANGUAGE SQL IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN abs(amount) < 1e12 AND min_scale(amount) <= minor_units THEN (amount * unit)::bigint END;
COMMENT ON FUNCTION spree_minor(numeric, numeric, integer) IS 'an amount in minor units, given how many are in one, and how many decimal places they are; null if it has more of them, or is no number';

CREATE FUNCTION spree_credit_owner(shop spree_shop, owner_prefix text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_credit_owner$
BEGIN
	RETURN format('CASE %sWHEN c.%I IS NULL THEN %L || c.id ELSE %L || c.%I END',
		CASE WHEN shop.originator_column IS NOT NULL AND relation_column(shop.store_credits, 'originator_id') IS NOT NULL
			THEN format('WHEN c.%I = ''Spree::GiftCard'' AND c.originator_id IS NOT NULL THEN %L || c.originator_id ',
				shop.originator_column, owner_prefix || 'GiftCard/') ELSE '' END,
		shop.owner_column, owner_prefix || 'StoreCredit/', owner_prefix || 'User/', shop.owner_column);
END
$spree_credit_owner$;
COMMENT ON FUNCTION spree_credit_owner(spree_shop, text) IS 'the SQL expression for the owner, in the ledger''s words, of a row c of a shop''s store credits';

CREATE FUNCTION spree_credit_expiry(shop spree_shop) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_credit_expiry$
BEGIN
	RETURN format('least(%s, %s)',
		CASE WHEN to_regclass('storecredit.spree_expiry') IS NOT NULL
			THEN format('(SELECT x.expires_at FROM storecredit.spree_expiry x WHERE x.store_credits = %L::regclass AND x.store_credit_id = c.id)',
				shop.store_credits) ELSE 'NULL' END,
		CASE WHEN relation_column(shop.gift_cards, 'expires_at') IS NOT NULL AND shop.originator_column IS NOT NULL
			THEN format('(SELECT (g.expires_at::date + 1)::timestamp AT TIME ZONE shop_zone() FROM %s g WHERE c.%I = ''Spree::GiftCard'' AND g.id = c.originator_id)',
				shop.gift_cards, shop.originator_column) ELSE 'NULL::timestamptz' END);
END
$spree_credit_expiry$;
COMMENT ON FUNCTION spree_credit_expiry(spree_shop) IS 'the SQL expression for the first instant at which a row c of a shop''s store credits is gone; null for never';

/*
 * Of the events those that are deleted do not count, as in the application.  Those of only some credits are
 * in a CTE, happened, of the statement that this is a part of.
 */
CREATE FUNCTION spree_credit_source(shop spree_shop, owner_prefix text, only_some boolean) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_credit_source$
DECLARE
	category_column name := relation_column(shop.store_credits, 'category_id');
	issuer_column name := relation_column(shop.store_credits, 'created_by_id');
	invalidated text := CASE WHEN shop.invalidated_column IS NULL THEN 'NULL::timestamp' ELSE format('c.%I', shop.invalidated_column) END;
BEGIN
	RETURN format($query$
		SELECT c.id::bigint AS id, %1$s AS owner, c.currency::text AS currency,
			c.amount, c.amount_used, c.amount_authorized,
			least(c.deleted_at, %2$s) AT TIME ZONE 'UTC' AS ended_at,
			CASE WHEN c.deleted_at <= coalesce(%2$s, c.deleted_at) THEN 'deleted' ELSE 'invalidated' END AS end_word, %2$s IS NOT NULL AS invalidated,
			coalesce(c.created_at, c.updated_at, '1970-01-01') AT TIME ZONE 'UTC' AS created_at,
			coalesce(c.updated_at, c.created_at, '1970-01-01') AT TIME ZONE 'UTC' AS updated_at,
			%3$s AS issuer, c.memo::text AS memo, %4$s AS category,
			%9$s AS expires_at, coalesce(e.last_event_id, 0) AS last_event_id,
			hash_record_extended(ROW (c.amount, c.amount_used, c.amount_authorized, c.currency, c.deleted_at, %2$s,
				e.last_event_id, e.events), 0) AS state
		FROM %5$s c
		LEFT JOIN (
			SELECT e.store_credit_id, max(e.id)::bigint AS last_event_id, count(*) AS events
			FROM %6$s GROUP BY e.store_credit_id) e ON e.store_credit_id = c.id
		%7$s%8$s$query$,
		spree_credit_owner(shop, owner_prefix), invalidated,
		CASE WHEN issuer_column IS NULL THEN 'NULL::text' ELSE format('%L || c.%I', owner_prefix || 'User/', issuer_column) END,
		CASE WHEN category_column IS NULL OR shop.categories IS NULL THEN 'NULL::text' ELSE 'k.name::text' END,
		shop.store_credits, CASE WHEN only_some THEN 'happened e' ELSE format('%s e WHERE e.deleted_at IS NULL', shop.events) END,
		CASE WHEN category_column IS NULL OR shop.categories IS NULL THEN ''
			ELSE format('LEFT JOIN %s k ON k.id = c.%I', shop.categories, category_column) END,
		CASE WHEN only_some THEN ' WHERE c.id = ANY ($1)' ELSE '' END,
		spree_credit_expiry(shop));
END
$spree_credit_source$;
COMMENT ON FUNCTION spree_credit_source(spree_shop, text, boolean) IS 'the SELECT that reads a shop''s store credits, all or those of $1, whatever its version calls their columns';

-- what there is to do --------------------------------------------------------------------------

/* Under this digest a credit that could not be copied is left alone: it is looked at again when it changes, or in the other mode. */
CREATE FUNCTION spree_doubted_state(state bigint, doubtful text) RETURNS bigint
LANGUAGE SQL IMMUTABLE PARALLEL SAFE
RETURN hashtextextended(state::text || doubtful, 0);
COMMENT ON FUNCTION spree_doubted_state(bigint, text) IS 'the digest in spree_quarantine of a credit of this state, where this is done with the doubtful';

CREATE FUNCTION check_spree_import_arguments(since timestamptz, doubtful text, owner_prefix text, max_credits integer) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, storecredit, pg_temp
AS $check_spree_import_arguments$
DECLARE
	locked_until timestamptz := nullif(current_setting('storecredit.locked_until', true), '');
BEGIN
	PERFORM require_ledger(), require_value(doubtful, 'doubtful'), require_value(owner_prefix, 'owner_prefix');
	IF doubtful NOT IN ('quarantine', 'adjust') THEN
		RAISE EXCEPTION 'unrecognized value for doubtful: "%"', doubtful
			USING ERRCODE = 'invalid_parameter_value', HINT = 'It can be "quarantine" or "adjust".';
	END IF;
	IF char_length(owner_prefix) > 200 THEN
		RAISE EXCEPTION 'owner_prefix is too long'
			USING ERRCODE = 'string_data_right_truncation', DETAIL = 'It can have 200 characters.';
	END IF;
	IF max_credits <= 0 THEN
		RAISE EXCEPTION 'the number of credits must be greater than zero' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF since IS NOT NULL AND NOT isfinite(since) THEN
		RAISE EXCEPTION 'since must be a point in time' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF coalesce(since, '-infinity') < locked_until THEN
		RAISE EXCEPTION 'the books are closed until %', locked_until
			USING ERRCODE = 'restrict_violation', CONSTRAINT = 'closed_period',
				DETAIL = format('The import would begin %s.', coalesce('with ' || since::text, 'with the first event')),
				HINT = format('Import with since => ''%s'': what is older is brought forward in the opening balances.', locked_until);
	END IF;
END
$check_spree_import_arguments$;
COMMENT ON FUNCTION check_spree_import_arguments(timestamptz, text, text, integer) IS 'an error unless there is a ledger, and a shop can be imported so';

/* Different stores of one shop may not be thrown together unasked: what was credit in one would be good in all. */
CREATE FUNCTION check_spree_stores(shop spree_shop, store_id bigint) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, storecredit, pg_temp
AS $check_spree_stores$
DECLARE
	stores text;
BEGIN
	IF shop.store_column IS NULL THEN
		IF store_id IS NOT NULL THEN
			RAISE EXCEPTION 'the credits of table % belong to no store', shop.store_credits
				USING ERRCODE = 'invalid_parameter_value', HINT = 'Leave store_id out.';
		END IF;
	ELSIF store_id IS NULL THEN
		EXECUTE format('SELECT string_agg(DISTINCT c.%1$I::text, '', '') FROM %2$s c HAVING count(DISTINCT c.%1$I) > 1',
			shop.store_column, shop.store_credits) INTO stores;
		IF stores IS NOT NULL THEN
			RAISE EXCEPTION 'table % has the credits of several stores', shop.store_credits
				USING ERRCODE = 'invalid_parameter_value',
					DETAIL = format('Stores: %s.', stores),
					HINT = 'Import each with its store_id, and with an owner_prefix of its own unless a customer''s credits are to be good in all of them.';
		END IF;
	END IF;
END
$check_spree_stores$;
COMMENT ON FUNCTION check_spree_stores(spree_shop, bigint) IS 'an error if a shop has several stores and none is named';

/*
 * Whole accounts, as long as they are new: their history is then in the order of time.  The parts of one cut are
 * in it all the same, but those of a later batch are dated no earlier than those of the one before.
 */
CREATE FUNCTION spree_import_plan(
	store_credits regclass, doubtful text, owner_prefix text, store_id bigint, profile text, batch_credits integer
) RETURNS TABLE (credit_ids bigint[])
LANGUAGE plpgsql STABLE ROWS 100
SET search_path = pg_catalog, storecredit, pg_temp
SET work_mem = '64MB'
SET jit = off
AS $spree_import_plan$
DECLARE
	shop spree_shop := spree_shop(store_credits, profile);
BEGIN
	PERFORM check_spree_stores(shop, store_id);
	RETURN QUERY EXECUTE format($query$
		WITH waiting AS MATERIALIZED (
			SELECT s.id, s.owner, s.currency, (sum(1) OVER (ORDER BY s.owner, s.currency) - 1) / $3 AS batch
			FROM (%s %s) s
			LEFT JOIN storecredit.spree_imported i ON i.store_credits = $1 AND i.store_credit_id = s.id
			LEFT JOIN storecredit.spree_quarantine q ON q.store_credits = $1 AND q.store_credit_id = s.id
			WHERE coalesce(i.state <> s.state, true) AND q.state IS DISTINCT FROM storecredit.spree_doubted_state(s.state, $2))
		SELECT array_agg(w.id ORDER BY w.id) FROM waiting w
		GROUP BY w.batch ORDER BY w.batch$query$,
		spree_credit_source(shop, owner_prefix, false),
		CASE WHEN store_id IS NOT NULL THEN format('WHERE c.%I = %L', shop.store_column, store_id) END)
	USING shop.store_credits, doubtful, coalesce(batch_credits, 2147483647);
END
$spree_import_plan$;
COMMENT ON FUNCTION spree_import_plan(regclass, text, text, bigint, text, integer) IS 'the credits of a shop that are new or changed since they were copied, in batches';

/* The casts make it immutable all through, and so a part of the statement that calls it, not a call for each row. */
CREATE FUNCTION spree_event_key(event_id bigint, part integer, kind text, credit_id bigint) RETURNS text
LANGUAGE SQL IMMUTABLE PARALLEL SAFE
RETURN CASE
	WHEN part = 0 AND event_id BETWEEN 1 AND 9223372036854775805 THEN 'Spree::StoreCreditEvent/' || event_id::text
	WHEN kind = 'grant' THEN 'Spree::StoreCredit/' || credit_id::text
END;
COMMENT ON FUNCTION spree_event_key(bigint, integer, text, bigint) IS 'the idempotency key of what an event became; null for what has none';

-- the work tables of a batch -------------------------------------------------------------------

CREATE FUNCTION spree_import_begin() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_import_begin$
BEGIN
	-- a credit: its row, in minor units; what its record says; what has been found out about it
	CREATE TEMPORARY TABLE spree_import_credit (
		id bigint NOT NULL, owner text NOT NULL, currency text, unit numeric,
		amount bigint, used bigint, authorized bigint, by_columns numeric,
		ended_at timestamptz, end_word text, invalidated boolean, created_at timestamptz, updated_at timestamptz,
		issuer text, memo text, category text, expires_at timestamptz, last_event_id bigint, state bigint,
		account_id bigint, seq bigint, granted bigint, copied bigint, copied_event_id bigint, was_ended boolean, was_adjusted boolean,
		size bigint, reasons text[] NOT NULL DEFAULT '{}', by_events bigint, adjusted boolean NOT NULL DEFAULT false, booked bigint
	) ON COMMIT DROP;
	CREATE TEMPORARY TABLE spree_import_event (
		credit_id bigint NOT NULL, id bigint NOT NULL, action text NOT NULL, minor bigint, code text,
		created_at timestamptz NOT NULL, issuer text, memo text, reference text, paid bigint
	) ON COMMIT DROP;

	-- what becomes a row of the ledger: effect is on what is left of the credit, minor what it is about
	CREATE TEMPORARY TABLE spree_import_step (
		credit_id bigint NOT NULL, event_id bigint NOT NULL, part integer NOT NULL, kind text, minor bigint, effect bigint,
		code text, created_at timestamptz NOT NULL, issuer text, memo text, reference text,
		hold_event_id bigint, hold_minor bigint, capture_event_id bigint, captured bigint, voided boolean, problem text
	) ON COMMIT DROP;

	CREATE TEMPORARY TABLE spree_import_account (
		account_id bigint NOT NULL, owner text NOT NULL, currency text NOT NULL, opened boolean NOT NULL,
		last_seq bigint NOT NULL, balance bigint NOT NULL, held bigint NOT NULL, last_hold_id bigint NOT NULL,
		max_balance money_ccy, last_at timestamptz
	) ON COMMIT DROP;
	CREATE TEMPORARY TABLE spree_import_entry (
		account_id bigint NOT NULL, currency text NOT NULL, credit_id bigint NOT NULL, event_id bigint NOT NULL, part integer NOT NULL,
		kind text NOT NULL, minor bigint NOT NULL, amount bigint, seq bigint, balance_after bigint, hold_id bigint, holds boolean NOT NULL,
		held_effect bigint NOT NULL, effect bigint NOT NULL, credit_seq bigint, debit_seq bigint, created_at timestamptz NOT NULL,
		closed_at timestamptz, captured bigint, voided boolean,
		code text, issuer text, memo text, reference text, category text, expires_at timestamptz,
		hold_event_id bigint, hold_minor bigint, capture_event_id bigint
	) ON COMMIT DROP;

	-- what the entries and holds of a credit change in what is left of it
	CREATE TEMPORARY TABLE spree_import_effect (
		credit_id bigint NOT NULL, account_id bigint NOT NULL, currency text NOT NULL, credit_seq bigint, minor bigint NOT NULL
	) ON COMMIT DROP;
END
$spree_import_begin$;
COMMENT ON FUNCTION spree_import_begin() IS 'makes the work tables of spree_import_batch()';

CREATE FUNCTION spree_import_end() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_import_end$
BEGIN
	DROP TABLE pg_temp.spree_import_credit, pg_temp.spree_import_event, pg_temp.spree_import_step,
		pg_temp.spree_import_account, pg_temp.spree_import_entry, pg_temp.spree_import_effect;
END
$spree_import_end$;
COMMENT ON FUNCTION spree_import_end() IS 'takes the work tables of spree_import_batch() away';

/* One statement for rows and events: the application changes both in one transaction. */
CREATE FUNCTION spree_import_read(shop spree_shop, owner_prefix text, credit_ids bigint[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_import_read$
DECLARE
	with_reasons boolean := shop.event_reason_column IS NOT NULL AND shop.reasons IS NOT NULL;
	with_orders boolean := shop.payments IS NOT NULL AND relation_column(shop.orders, 'number') IS NOT NULL;
BEGIN
	EXECUTE format($query$
		WITH currency AS MATERIALIZED (
			SELECT y.code, (10 ^ y.minor_units)::integer::numeric AS unit, y.minor_units::integer AS minor_units FROM money_ccy_currencies() y),
		happened AS MATERIALIZED (
			SELECT e.* FROM %4$s e WHERE e.deleted_at IS NULL AND e.store_credit_id = ANY ($1)),
		-- looked up one by one, since there are more of them with each batch
		imported AS MATERIALIZED (
			SELECT i.* FROM unnest($1) u (id) CROSS JOIN LATERAL (
				SELECT * FROM storecredit.spree_imported i WHERE i.store_credits = $2 AND i.store_credit_id = u.id LIMIT 1) i),
		source AS MATERIALIZED (
			SELECT c.* FROM (%1$s) c
			WHERE NOT EXISTS (SELECT FROM imported i WHERE i.store_credit_id = c.id AND i.state = c.state)),
		credit AS (
			INSERT INTO pg_temp.spree_import_credit (id, owner, currency, unit, amount, used, authorized, by_columns,
				ended_at, end_word, invalidated, created_at, updated_at, issuer, memo, category, expires_at, last_event_id, state,
				account_id, seq, granted, copied, copied_event_id, was_ended, was_adjusted, size)
			SELECT c.id, c.owner, c.currency, y.unit,
				spree_minor(c.amount, y.unit, y.minor_units), spree_minor(c.amount_used, y.unit, y.minor_units), spree_minor(c.amount_authorized, y.unit, y.minor_units),
				CASE WHEN c.ended_at IS NULL THEN c.amount - c.amount_used - least(c.amount_authorized, 0) ELSE 0 END,
				c.ended_at, c.end_word, c.invalidated, c.created_at, c.updated_at, left(c.issuer, 255), c.memo, left(c.category, 255),
				c.expires_at, c.last_event_id, c.state,
				i.account_id, i.seq, money_ccy_to_minor(i.granted), money_ccy_to_minor(i.remaining), i.last_event_id, i.ended, i.adjusted,
				spree_minor(c.amount, y.unit, y.minor_units)
			FROM source c
			LEFT JOIN currency y ON y.code = c.currency
			LEFT JOIN imported i ON i.store_credit_id = c.id)
		INSERT INTO pg_temp.spree_import_event (credit_id, id, action, minor, code, created_at, issuer, memo, reference, paid)
		SELECT e.store_credit_id, e.id, e.action, spree_minor(e.amount, y.unit, y.minor_units), e.authorization_code,
			coalesce(e.created_at AT TIME ZONE 'UTC', c.created_at), left(e.originator_type || '/' || e.originator_id, 255),
			%2$s, left(%3$s, 255), %7$s
		FROM happened e
		JOIN source c ON c.id = e.store_credit_id
		LEFT JOIN currency y ON y.code = c.currency
		%5$s
		%6$s$query$,
		spree_credit_source(shop, owner_prefix, true),
		CASE WHEN with_reasons THEN 'r.name' ELSE 'NULL::text' END,
		CASE WHEN with_orders THEN 'coalesce(o.number, e.authorization_code)' ELSE 'e.authorization_code' END,
		shop.events,
		CASE WHEN with_reasons THEN format('LEFT JOIN %s r ON r.id = e.%I', shop.reasons, shop.event_reason_column) END,
		CASE WHEN with_orders THEN format('LEFT JOIN (
				SELECT DISTINCT ON (p.source_id, p.response_code) p.source_id, p.response_code, p.amount, o.number::text AS number
				FROM %s p JOIN %s o ON o.id = p.order_id
				WHERE p.source_type = ''Spree::StoreCredit'' AND p.source_id = ANY ($1)
				ORDER BY p.source_id, p.response_code, p.id) o
				ON o.source_id = e.store_credit_id AND o.response_code = e.authorization_code', shop.payments, shop.orders) END,
		CASE WHEN with_orders THEN 'spree_minor(o.amount, y.unit, y.minor_units)' ELSE 'NULL::bigint' END)
	USING credit_ids, shop.store_credits;
	-- the keys are what plans go by
	ANALYZE pg_temp.spree_import_credit (id), pg_temp.spree_import_event (credit_id);
END
$spree_import_read$;
COMMENT ON FUNCTION spree_import_read(spree_shop, text, bigint[]) IS 'fills the work tables for credits and events';

-- events become steps --------------------------------------------------------------------------

/*
 * The events of a credit in the order in which they were written, each with what else there is about its
 * authorization.  An instant earlier than that of the event before it is that event's.
 */
CREATE FUNCTION spree_import_steps(profile text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_import_steps$
#variable_conflict use_column
DECLARE
	-- Solidus lets go of what is not captured, in Spree it stays authorized
	releases boolean := spree_import_steps.profile = 'solidus';
BEGIN
	-- the event of the grant may have been rewritten, or missed a change of the amount: the row is right
	UPDATE pg_temp.spree_import_credit c SET size = c.amount - e.adjusted
	FROM (
		SELECT e.credit_id, sum(e.minor)::bigint AS adjusted FROM pg_temp.spree_import_event e
		WHERE e.action = 'adjustment' GROUP BY e.credit_id) e
	WHERE e.credit_id = c.id;

	INSERT INTO pg_temp.spree_import_step
	SELECT e.credit_id, e.id, 0, e.kind, e.minor,
		CASE e.kind
			WHEN 'grant' THEN e.minor
			WHEN 'adjustment' THEN e.minor
			WHEN 'authorize' THEN - e.minor
			WHEN 'capture' THEN CASE WHEN releases THEN e.hold_minor - e.minor ELSE 0 END
			WHEN 'void' THEN e.hold_minor
			WHEN 'refund' THEN e.minor
		END,
		e.code, e.created_at, e.issuer, e.memo, e.reference,
		e.hold_event_id, e.hold_minor, e.capture_event_id, e.captured, e.voids > 0,
		CASE
			WHEN e.kind IS NULL AND e.action = 'allocation' THEN format('event %s grants it a second time', e.id)
			WHEN e.kind IS NULL THEN format('event %s has the unknown action "%s"', e.id, e.action)
			WHEN e.minor IS NULL THEN format('event %s has an amount that is none', e.id)
			WHEN e.minor < 0 AND e.kind <> 'adjustment' AND e.kind <> 'grant' THEN format('event %s has an amount below zero', e.id)
			WHEN e.kind = 'authorize' AND e.holds > 1 THEN format('"%s" is authorized %s times', e.code, e.holds)
			WHEN e.kind = 'capture' AND e.captures > 1 THEN format('"%s" is captured %s times', e.code, e.captures)
			WHEN e.kind = 'capture' AND e.hold_event_id IS NULL THEN format('event %s captures what was not authorized', e.id)
			WHEN e.kind = 'capture' AND e.minor > e.hold_minor THEN format('event %s captures more than was authorized', e.id)
			WHEN e.kind = 'capture' AND e.id < e.hold_event_id THEN format('event %s captures what is authorized later', e.id)
			WHEN e.kind = 'void' AND e.voids > 1 THEN format('"%s" is voided %s times', e.code, e.voids)
			WHEN e.kind = 'void' AND e.captures > 0 THEN format('"%s" is captured and voided', e.code)
			WHEN e.kind = 'void' AND coalesce(e.id < e.hold_event_id, true) THEN format('event %s voids what was not authorized', e.id)
			WHEN e.kind = 'refund' AND coalesce(e.id < e.capture_event_id, true) THEN format('event %s refunds what was not captured', e.id)
			WHEN e.kind = 'refund' AND e.refunded > e.captured THEN format('more is refunded of "%s" than was captured', e.code)
			-- Solidus divides minor units by 100, whatever the currency: only a payment can show that it is right
			WHEN releases AND e.unit <> 100 AND e.minor IS DISTINCT FROM e.paid
				AND (e.kind = 'authorize' AND e.captures + e.voids = 0 OR e.kind = 'capture' AND coalesce(e.refunded, 0) < e.minor)
				THEN format('"%s" is in a currency that the application takes to have two decimal places, and no payment shows that it is right', e.code)
		END
	FROM (
		SELECT n.credit_id, n.id, n.action, n.kind, n.code, n.paid, n.unit, n.issuer, n.memo, n.reference, n.created_at,
			CASE n.kind WHEN 'grant' THEN n.size ELSE n.minor END AS minor,
			min(n.id) FILTER (WHERE n.kind = 'authorize') OVER of_code AS hold_event_id,
			min(n.minor) FILTER (WHERE n.kind = 'authorize') OVER of_code AS hold_minor,
			count(*) FILTER (WHERE n.kind = 'authorize') OVER of_code AS holds,
			min(n.id) FILTER (WHERE n.kind = 'capture') OVER of_code AS capture_event_id,
			min(n.minor) FILTER (WHERE n.kind = 'capture') OVER of_code AS captured,
			count(*) FILTER (WHERE n.kind = 'capture') OVER of_code AS captures,
			count(*) FILTER (WHERE n.kind = 'void') OVER of_code AS voids,
			sum(n.minor) FILTER (WHERE n.kind = 'refund') OVER of_code AS refunded
		FROM (
			SELECT o.*,
				CASE
					WHEN o.place = 1 AND o.action IN ('allocation', 'credit') THEN 'grant'
					WHEN o.action IN ('authorize', 'capture', 'void', 'adjustment') THEN o.action
					WHEN o.action = 'credit' THEN 'refund'
				END AS kind
			FROM (
				SELECT e.credit_id, e.id, e.action, e.minor, e.code, e.issuer, e.memo, e.reference, e.paid, c.size, c.unit,
					max(e.created_at) OVER of_credit AS created_at, row_number() OVER of_credit AS place
				FROM pg_temp.spree_import_event e
				JOIN pg_temp.spree_import_credit c ON c.id = e.credit_id
				WHERE c.unit IS NOT NULL AND e.action <> ALL ('{eligible,invalidate}')
					AND (e.minor IS DISTINCT FROM 0 OR e.action = 'allocation')
				WINDOW of_credit AS (PARTITION BY e.credit_id ORDER BY e.id)) o) n
		WINDOW of_code AS (PARTITION BY n.credit_id, n.code)) e;

	-- one that begins with something else was granted all the same
	INSERT INTO pg_temp.spree_import_step (credit_id, event_id, part, kind, minor, effect, created_at)
	SELECT c.id, 0, 0, 'grant', c.size, c.size, least(c.created_at, f.created_at)
	FROM pg_temp.spree_import_credit c
	LEFT JOIN (
		SELECT s.credit_id, bool_or(s.kind = 'grant') AS granted, min(s.created_at) AS created_at
		FROM pg_temp.spree_import_step s GROUP BY s.credit_id) f ON f.credit_id = c.id
	WHERE c.unit IS NOT NULL AND f.granted IS NOT TRUE;

	-- one whose amount was lowered without an event, below what had been taken of it by then, began with more
	WITH low AS (
		SELECT l.credit_id, min(l.minor) AS least, max(l.created_at) AS last_at
		FROM (
			SELECT s.credit_id, s.created_at,
				sum(s.effect) OVER (PARTITION BY s.credit_id ORDER BY s.created_at, s.event_id) AS minor
			FROM pg_temp.spree_import_step s) l
		GROUP BY l.credit_id HAVING min(l.minor) < 0),
	raised AS (
		UPDATE pg_temp.spree_import_step s SET minor = e.minor, effect = e.minor
		FROM low l
		JOIN pg_temp.spree_import_credit c ON c.id = l.credit_id
		JOIN pg_temp.spree_import_event e ON e.credit_id = l.credit_id
		WHERE s.credit_id = l.credit_id AND s.kind = 'grant' AND e.id = s.event_id AND l.least + e.minor - c.size >= 0
		RETURNING s.credit_id, c.size - e.minor AS minor, greatest(c.updated_at, l.last_at) AS created_at)
	INSERT INTO pg_temp.spree_import_step (credit_id, event_id, part, kind, minor, effect, created_at)
	SELECT r.credit_id, 9223372036854775806, 0, 'adjustment', r.minor, r.minor, r.created_at FROM raised r;
	ANALYZE pg_temp.spree_import_step (credit_id, kind);
END
$spree_import_steps$;
COMMENT ON FUNCTION spree_import_steps(text) IS 'makes steps of the events in the work tables';

/*
 * Where a credit was deleted or invalidated, what is left of it then is revoked, and so is whatever comes back to
 * it later.  A checkout may have taken from it after that, since the application does not look: then it ends
 * with what was taken last.
 */
CREATE FUNCTION spree_import_ends() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_import_ends$
BEGIN
	WITH ended AS MATERIALIZED (
		SELECT c.id, c.end_word, greatest(c.ended_at, max(s.created_at) FILTER (WHERE s.effect < 0 OR s.kind = 'grant')) AS at
		FROM pg_temp.spree_import_credit c JOIN pg_temp.spree_import_step s ON s.credit_id = c.id
		WHERE c.ended_at IS NOT NULL GROUP BY c.id, c.end_word, c.ended_at),
	invalidation AS (
		SELECT e.credit_id, max(e.issuer) AS issuer, max(e.memo) AS memo
		FROM pg_temp.spree_import_event e WHERE e.action = 'invalidate' GROUP BY e.credit_id)
	INSERT INTO pg_temp.spree_import_step (credit_id, event_id, part, kind, minor, effect, created_at, issuer, memo)
	SELECT e.id, 9223372036854775807, 0, 'revoke', l.minor, - l.minor, e.at, i.issuer, coalesce(i.memo, e.end_word)
	FROM ended e
	JOIN (
		SELECT e.id, sum(s.effect) AS minor FROM ended e JOIN pg_temp.spree_import_step s ON s.credit_id = e.id AND s.created_at <= e.at
		GROUP BY e.id) l ON l.id = e.id
	LEFT JOIN invalidation i ON i.credit_id = e.id AND e.end_word = 'invalidated'
	WHERE l.minor > 0
	UNION ALL
	SELECT s.credit_id, s.event_id, 1, 'revoke', s.effect, - s.effect, s.created_at, s.issuer, e.end_word
	FROM ended e JOIN pg_temp.spree_import_step s ON s.credit_id = e.id AND s.created_at > e.at AND s.effect > 0;
END
$spree_import_ends$;
COMMENT ON FUNCTION spree_import_ends() IS 'adds the steps that the end of a credit is';

-- what cannot be copied ------------------------------------------------------------------------

CREATE FUNCTION spree_import_doubts(profile text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_import_doubts$
#variable_conflict use_column
DECLARE
	releases boolean := spree_import_doubts.profile = 'solidus';
BEGIN
	UPDATE pg_temp.spree_import_credit c SET reasons = c.reasons || d.reasons
	FROM (
		SELECT p.credit_id, array_agg(p.reason ORDER BY p.event_id) AS reasons
		FROM (
			SELECT s.credit_id, s.problem AS reason, min(s.event_id) AS event_id
			FROM pg_temp.spree_import_step s WHERE s.problem IS NOT NULL GROUP BY s.credit_id, s.problem
			UNION ALL
			SELECT l.credit_id, format('more is taken of it than there is, by event %s', min(l.event_id)), min(l.event_id)
			FROM (
				SELECT s.credit_id, s.event_id,
					sum(s.effect) OVER (PARTITION BY s.credit_id ORDER BY s.created_at, s.event_id, s.part) AS minor
				FROM pg_temp.spree_import_step s) l
			WHERE l.minor < 0 GROUP BY l.credit_id) p
		GROUP BY p.credit_id) d
	WHERE d.credit_id = c.id;

	UPDATE pg_temp.spree_import_credit c SET reasons = c.reasons || d.reasons
	FROM (
		SELECT c.id, array_remove(ARRAY[
			CASE WHEN c.unit IS NULL THEN format('its currency is %s', coalesce('"' || c.currency || '", which is none', 'missing')) END,
			CASE WHEN c.unit IS NOT NULL AND (c.amount IS NULL OR c.used IS NULL OR c.authorized IS NULL)
				THEN 'its row has an amount that is none' END,
			CASE WHEN c.end_word = 'deleted' AND c.ended_at IS NOT NULL AND c.authorized <> 0
				THEN 'it was deleted while something was authorized on it' END,
			CASE WHEN c.invalidated AND i.credit_id IS NULL THEN 'it is invalidated without an event'
				WHEN i.credit_id IS NOT NULL AND NOT c.invalidated THEN 'it is not invalidated, and has an event that says so' END,
			CASE WHEN c.size <= 0 THEN 'what it was granted with is not above zero' END,
			CASE WHEN c.used <> coalesce(s.used, 0) THEN format('its row has %s used, its events %s', trim_scale(c.used / c.unit), trim_scale(coalesce(s.used, 0) / c.unit)) END,
			CASE WHEN c.authorized <> coalesce(s.authorized, 0)
				THEN format('its row has %s authorized, its events %s', trim_scale(c.authorized / c.unit), trim_scale(coalesce(s.authorized, 0) / c.unit)) END], NULL) AS reasons
		FROM pg_temp.spree_import_credit c
		LEFT JOIN (
			SELECT s.credit_id, sum(CASE s.kind WHEN 'capture' THEN s.minor WHEN 'refund' THEN - s.minor END) AS used,
				sum(CASE WHEN s.kind <> 'authorize' OR s.voided THEN 0 WHEN s.captured IS NULL THEN s.minor
					WHEN releases THEN 0 ELSE s.minor - s.captured END) AS authorized
			FROM pg_temp.spree_import_step s GROUP BY s.credit_id) s ON s.credit_id = c.id
		LEFT JOIN (
			SELECT DISTINCT e.credit_id FROM pg_temp.spree_import_event e WHERE e.action = 'invalidate') i ON i.credit_id = c.id) d
	WHERE d.id = c.id AND d.reasons <> '{}';
END
$spree_import_doubts$;
COMMENT ON FUNCTION spree_import_doubts(text) IS 'notes of which credits the events contradict each other, or the row';

/*
 * A refund may have become a credit of its own, and all those of one capture may not add up to more than it was.
 * The application has no index on codes, so they are looked for among the credits of the same customer.
 */
CREATE FUNCTION spree_import_refund_doubts(shop spree_shop) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_import_refund_doubts$
BEGIN
	IF NOT EXISTS (
			SELECT FROM pg_temp.spree_import_step s JOIN pg_temp.spree_import_event e ON e.credit_id = s.credit_id AND e.id = s.event_id
			WHERE s.kind = 'grant' AND e.action = 'credit') THEN
		RETURN;
	END IF;
	EXECUTE format($query$
		UPDATE pg_temp.spree_import_credit c
		SET reasons = c.reasons || format('more is refunded of "%%s" than was captured, with the credits that are refunds of it', d.code)
		FROM (
			SELECT g.credit_id, g.code
			FROM (
				SELECT s.credit_id, s.event_id, s.code, c.%1$I AS customer
				FROM pg_temp.spree_import_step s
				JOIN pg_temp.spree_import_event e ON e.credit_id = s.credit_id AND e.id = s.event_id
				JOIN %2$s c ON c.id = s.credit_id
				WHERE s.kind = 'grant' AND e.action = 'credit') g
			JOIN %2$s o ON o.%1$I = g.customer OR o.id = g.credit_id
			JOIN %3$s e ON e.store_credit_id = o.id AND e.authorization_code = g.code AND e.deleted_at IS NULL
			GROUP BY g.credit_id, g.code
			HAVING sum(CASE e.action WHEN 'credit' THEN CASE WHEN e.id <= g.event_id THEN e.amount END WHEN 'capture' THEN - e.amount END) > 0) d
		WHERE d.credit_id = c.id$query$, shop.owner_column, shop.store_credits, shop.events);
END
$spree_import_refund_doubts$;
COMMENT ON FUNCTION spree_import_refund_doubts(spree_shop) IS 'notes which credits are refunds of more than was captured';

/*
 * A credit that is in the ledger already goes on where it was left.  What its record says must be so in the shop
 * and in the ledger.
 */
CREATE FUNCTION spree_import_news() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_import_news$
BEGIN
	DELETE FROM pg_temp.spree_import_step s USING pg_temp.spree_import_credit c
	WHERE c.id = s.credit_id AND c.seq IS NOT NULL
		AND (s.event_id <= c.copied_event_id OR s.event_id = 9223372036854775806
			OR s.event_id = 9223372036854775807 AND c.was_ended);
	IF NOT EXISTS (SELECT FROM pg_temp.spree_import_credit c WHERE c.seq IS NOT NULL) THEN
		RETURN;
	END IF;

	-- more comes before everything else that is new, less comes after it
	INSERT INTO pg_temp.spree_import_step (credit_id, event_id, part, kind, minor, effect, created_at)
	SELECT c.id, CASE WHEN c.size > c.granted THEN 0 ELSE 9223372036854775806 END, 0, 'adjustment', c.size - c.granted, c.size - c.granted,
		CASE WHEN c.size > c.granted THEN least(c.updated_at, s.first_at) ELSE greatest(c.updated_at, s.last_at) END
	FROM pg_temp.spree_import_credit c
	LEFT JOIN (
		SELECT s.credit_id, min(s.created_at) AS first_at, max(s.created_at) AS last_at
		FROM pg_temp.spree_import_step s GROUP BY s.credit_id) s ON s.credit_id = c.id
	WHERE c.seq IS NOT NULL AND c.size <> c.granted AND NOT c.was_ended;

	UPDATE pg_temp.spree_import_credit c SET reasons = c.reasons || d.reasons
	FROM (
		SELECT c.id, array_remove(ARRAY[
			CASE WHEN c.was_adjusted THEN 'it came by its columns, and has changed since' END,
			CASE WHEN a.currency <> c.currency THEN format('its currency was %s when it was copied', a.currency) END,
			CASE WHEN c.copied + coalesce(s.effect, 0) <> CASE WHEN c.ended_at IS NULL THEN c.amount - c.used - c.authorized ELSE 0 END
				THEN 'events that were copied have changed since' END,
			CASE WHEN c.copied <> coalesce(money_ccy_to_minor(o.remaining), 0)
				THEN format('its credit in the ledger, %s of account %s, was used there', c.seq, c.account_id) END,
			CASE WHEN h.closed
				THEN 'a hold that was copied was closed in the ledger' END], NULL) AS reasons
		FROM pg_temp.spree_import_credit c
		JOIN storecredit.account a ON a.account_id = c.account_id
		LEFT JOIN storecredit.open_credit o ON o.account_id = c.account_id AND o.seq = c.seq
		LEFT JOIN (
			SELECT s.credit_id, sum(s.effect)::bigint AS effect FROM pg_temp.spree_import_step s GROUP BY s.credit_id) s ON s.credit_id = c.id
		LEFT JOIN (
			SELECT c.id, bool_or(coalesce(h.status <> 'open' OR money_ccy_to_minor(h.captured) > 0, true)) AS closed
			FROM pg_temp.spree_import_step s
			JOIN pg_temp.spree_import_credit c ON c.id = s.credit_id
			LEFT JOIN storecredit.hold h ON h.account_id = c.account_id
				AND h.idempotency_key = spree_event_key(s.hold_event_id, 0, 'authorize', s.credit_id)
			WHERE s.kind IN ('capture', 'void') AND s.hold_event_id <= c.copied_event_id
			GROUP BY c.id) h ON h.id = c.id
		WHERE c.unit IS NOT NULL) d
	WHERE d.id = c.id AND d.reasons <> '{}';

	-- a credit keeps the end that it has
	UPDATE pg_temp.spree_import_credit c SET expires_at = (
		SELECT t.expires_at FROM storecredit.transaction t
		WHERE t.account_id = c.account_id AND (t.seq = c.seq OR t.related_seq = c.seq AND t.kind = 'adjustment')
		ORDER BY t.seq DESC LIMIT 1)
	WHERE c.seq IS NOT NULL;
END
$spree_import_news$;
COMMENT ON FUNCTION spree_import_news() IS 'leaves of the steps what is not in the ledger yet, and notes what does not go on from there';

CREATE FUNCTION spree_import_ends_in_time(since timestamptz) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_import_ends_in_time$
#variable_conflict use_column
BEGIN
	UPDATE pg_temp.spree_import_credit c
	SET expires_at = CASE WHEN d.something THEN c.expires_at END,
		reasons = CASE WHEN d.something THEN c.reasons || format('its end, %s, has come before it was last changed', c.expires_at) ELSE c.reasons END
	FROM (
		SELECT c.id, c.seq IS NOT NULL OR c.ended_at IS NULL AND c.amount > c.used AS something
		FROM pg_temp.spree_import_credit c
		JOIN pg_temp.spree_import_step s ON s.credit_id = c.id
		WHERE s.kind IN ('grant', 'adjustment')
		GROUP BY c.id, c.seq, c.ended_at, c.amount, c.used, c.expires_at
		HAVING greatest(max(s.created_at), spree_import_ends_in_time.since) >= c.expires_at) d
	WHERE d.id = c.id;
END
$spree_import_ends_in_time$;
COMMENT ON FUNCTION spree_import_ends_in_time(timestamptz) IS 'notes which credits with something left would be booked after their end';

-- opening balances -----------------------------------------------------------------------------

/*
 * What was done before the import begins is one credit of what was left then.  An authorization that is open
 * then, or of which something happens later, keeps all its steps, and its money is in the opening balance.
 */
CREATE FUNCTION spree_import_opening(profile text, since timestamptz) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_import_opening$
#variable_conflict use_column
DECLARE
	releases boolean := spree_import_opening.profile = 'solidus';
	start timestamptz := spree_import_opening.since;
BEGIN
	WITH live AS (
		SELECT s.credit_id, s.code FROM pg_temp.spree_import_step s
		WHERE s.kind IN ('authorize', 'capture', 'void', 'refund')
		GROUP BY s.credit_id, s.code
		HAVING max(s.created_at) >= start OR bool_or(s.kind = 'authorize' AND NOT s.voided
			AND (s.captured IS NULL OR NOT releases AND s.captured < s.minor))),
	past AS (
		DELETE FROM pg_temp.spree_import_step s USING pg_temp.spree_import_credit c
		WHERE c.id = s.credit_id AND c.seq IS NULL AND NOT c.adjusted AND s.created_at < start
			AND (s.kind NOT IN ('authorize', 'capture', 'void', 'refund')
				OR (s.credit_id, s.code) NOT IN (SELECT l.credit_id, l.code FROM live l))
		RETURNING s.credit_id, s.effect)
	INSERT INTO pg_temp.spree_import_step (credit_id, event_id, part, kind, minor, effect, created_at, memo)
	SELECT p.credit_id, 0, 0, 'grant', sum(p.effect), sum(p.effect), start, 'opening balance'
	FROM past p GROUP BY p.credit_id HAVING sum(p.effect) > 0;

	UPDATE pg_temp.spree_import_step s SET created_at = start WHERE s.created_at < start;

	-- of one that was used up, and raised later
	UPDATE pg_temp.spree_import_step s SET kind = 'grant'
	FROM (
		SELECT DISTINCT ON (s.credit_id) s.credit_id, s.event_id, s.part
		FROM pg_temp.spree_import_step s JOIN pg_temp.spree_import_credit c ON c.id = s.credit_id
		WHERE c.seq IS NULL ORDER BY s.credit_id, s.created_at, s.event_id, s.part) f
	WHERE s.credit_id = f.credit_id AND s.event_id = f.event_id AND s.part = f.part AND s.kind = 'adjustment';
END
$spree_import_opening$;
COMMENT ON FUNCTION spree_import_opening(text, timestamptz) IS 'sums up what was before an instant';

-- the doubtful ---------------------------------------------------------------------------------

/*
 * By their columns, where that is asked for: a credit of what the events leave, an adjustment to what the row
 * says, and one hold of what is authorized by it.
 */
CREATE FUNCTION spree_import_doubtful(adjust boolean) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_import_doubtful$
#variable_conflict use_column
BEGIN
	UPDATE pg_temp.spree_import_credit c SET by_events = e.minor
	FROM (
		SELECT s.credit_id, sum(CASE s.kind WHEN 'grant' THEN s.minor WHEN 'adjustment' THEN s.minor WHEN 'refund' THEN s.minor
				WHEN 'capture' THEN - s.minor WHEN 'revoke' THEN - s.minor ELSE 0 END)::bigint AS minor,
			bool_and(s.minor IS NOT NULL) AS readable
		FROM pg_temp.spree_import_step s GROUP BY s.credit_id) e
	WHERE e.credit_id = c.id AND e.readable AND c.seq IS NULL AND c.reasons <> '{}';

	DELETE FROM pg_temp.spree_import_step s USING pg_temp.spree_import_credit c
	WHERE c.id = s.credit_id AND c.reasons <> '{}';
	IF NOT spree_import_doubtful.adjust THEN
		RETURN;
	END IF;

	UPDATE pg_temp.spree_import_credit c SET adjusted = true, expires_at = NULL,
		booked = CASE WHEN c.ended_at IS NULL THEN greatest(c.amount - c.used - least(c.authorized, 0), 0) ELSE 0 END
	WHERE c.reasons <> '{}' AND c.seq IS NULL AND c.unit IS NOT NULL
		AND c.amount IS NOT NULL AND c.used IS NOT NULL AND c.authorized IS NOT NULL;
	INSERT INTO pg_temp.spree_import_step (credit_id, event_id, part, kind, minor, effect, created_at, issuer, memo)
	SELECT c.id, 0, v.part, v.kind, v.minor, CASE v.kind WHEN 'authorize' THEN - v.minor ELSE v.minor END,
		CASE v.part WHEN 0 THEN c.created_at ELSE greatest(c.created_at, c.updated_at) END, c.issuer, v.memo
	FROM pg_temp.spree_import_credit c
	CROSS JOIN LATERAL (SELECT CASE WHEN c.by_events > 0 THEN c.by_events ELSE c.booked END AS minor) o
	CROSS JOIN LATERAL (VALUES
		(0, 'grant', o.minor, 'opening balance'),
		(1, 'adjustment', c.booked - o.minor, 'import adjustment'),
		(2, 'authorize', least(greatest(c.authorized, 0), c.booked), 'opening balance')) v (part, kind, minor, memo)
	WHERE c.adjusted AND c.booked > 0 AND v.minor <> 0;
END
$spree_import_doubtful$;
COMMENT ON FUNCTION spree_import_doubtful(boolean) IS 'leaves the doubtful credits out, or puts opening balances by their columns in their place';

-- writing --------------------------------------------------------------------------------------

/* Locks the accounts that there are, in the order of their numbers, as every call that takes several does. */
CREATE FUNCTION spree_import_find_accounts() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_import_find_accounts$
BEGIN
	UPDATE pg_temp.spree_import_credit c SET account_id = a.account_id
	FROM storecredit.account a
	WHERE c.seq IS NULL AND a.owner = c.owner AND a.currency = c.currency;
	PERFORM FROM storecredit.account a
	WHERE a.account_id IN (SELECT c.account_id FROM pg_temp.spree_import_credit c)
	ORDER BY a.account_id FOR NO KEY UPDATE;

	INSERT INTO pg_temp.spree_import_account
	SELECT a.account_id, a.owner, a.currency, false, a.last_seq, money_ccy_to_minor(a.balance), money_ccy_to_minor(a.held),
		a.last_hold_id, a.max_balance,
		(SELECT t.created_at FROM storecredit.transaction t WHERE t.account_id = a.account_id AND t.seq = a.last_seq)
	FROM storecredit.account a
	WHERE a.account_id IN (SELECT c.account_id FROM pg_temp.spree_import_credit c);
	UPDATE pg_temp.spree_import_credit c SET reasons = c.reasons || format('account %s draws on its credit line', a.account_id)
	FROM pg_temp.spree_import_account a WHERE a.account_id = c.account_id AND a.held > a.balance;
END
$spree_import_find_accounts$;
COMMENT ON FUNCTION spree_import_find_accounts() IS 'locks the accounts that the credits in the work table belong to, as far as there are any';

CREATE FUNCTION spree_import_open_accounts() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_import_open_accounts$
DECLARE
	cell bigint := current_setting('storecredit.cell')::bigint << 48;
BEGIN
	INSERT INTO pg_temp.spree_import_account
	SELECT cell | nextval('storecredit.account_number_seq'), o.owner, o.currency, true, 0, 0, 0, 0, NULL, NULL
	FROM (
		SELECT c.owner, c.currency FROM pg_temp.spree_import_credit c
		WHERE c.account_id IS NULL AND c.id IN (SELECT s.credit_id FROM pg_temp.spree_import_step s)
		GROUP BY c.owner, c.currency ORDER BY min(c.id)) o;
	UPDATE pg_temp.spree_import_credit c SET account_id = a.account_id
	FROM pg_temp.spree_import_account a
	WHERE a.opened AND a.owner = c.owner AND a.currency = c.currency AND c.account_id IS NULL;
	ANALYZE pg_temp.spree_import_account (account_id);
END
$spree_import_open_accounts$;
COMMENT ON FUNCTION spree_import_open_accounts() IS 'gives numbers to the accounts that are still to be opened';

/*
 * The steps of each account in the order of time are its next entries and holds.  Instants that lie before its
 * newest entry are that entry's: they never fall.
 */
CREATE FUNCTION spree_import_number(profile text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_import_number$
#variable_conflict use_column
DECLARE
	releases boolean := spree_import_number.profile = 'solidus';
BEGIN
	WITH numbered AS MATERIALIZED (
		SELECT s.credit_id, s.event_id, s.part, s.kind, s.minor, s.effect, s.code, s.reference,
			coalesce(CASE s.kind WHEN 'grant' THEN c.issuer END, s.issuer) AS issuer,
			s.hold_event_id, s.hold_minor, s.capture_event_id, coalesce(s.memo, CASE s.kind WHEN 'grant' THEN c.memo END) AS memo,
			a.account_id, a.currency, c.seq AS credit_seq, e.amount, h.holds,
			a.last_seq + count(e.amount) OVER of_account AS seq,
			a.balance + sum(e.amount) OVER of_account AS balance_after,
			a.last_hold_id + count(*) FILTER (WHERE h.holds) OVER of_account AS hold_id,
			greatest(s.created_at, a.last_at) AS created_at,
			CASE s.kind WHEN 'grant' THEN c.category END AS category,
			CASE WHEN s.kind IN ('grant', 'adjustment') THEN c.expires_at END AS expires_at,
			CASE s.kind WHEN 'authorize' THEN s.minor WHEN 'void' THEN - s.hold_minor
				WHEN 'capture' THEN CASE WHEN releases THEN - s.hold_minor ELSE - s.minor END
				ELSE 0 END AS held_effect
		FROM pg_temp.spree_import_step s
		JOIN pg_temp.spree_import_credit c ON c.id = s.credit_id
		JOIN pg_temp.spree_import_account a ON a.account_id = c.account_id
		CROSS JOIN LATERAL (SELECT CASE WHEN s.kind IN ('grant', 'adjustment', 'refund') THEN s.minor
			WHEN s.kind IN ('capture', 'revoke') THEN - s.minor END AS amount) e
		CROSS JOIN LATERAL (SELECT s.kind = 'authorize' AS holds) h
		WINDOW of_account AS (PARTITION BY a.account_id ORDER BY s.created_at, s.event_id, s.part, s.credit_id)),
	granted AS (
		SELECT n.credit_id, max(n.seq) AS seq FROM numbered n WHERE n.kind = 'grant' GROUP BY n.credit_id),
	authorization_code AS (
		SELECT n.credit_id, coalesce(n.hold_event_id, 0) AS hold_event_id, max(n.hold_id) FILTER (WHERE n.holds) AS hold_id,
			max(n.seq) FILTER (WHERE n.kind = 'capture') AS debit_seq, max(n.minor) FILTER (WHERE n.kind = 'capture') AS captured,
			max(n.created_at) FILTER (WHERE NOT n.holds) AS closed_at, bool_or(n.kind = 'void') AS voided
		FROM numbered n WHERE n.kind IN ('authorize', 'capture', 'void') GROUP BY 1, 2)
	INSERT INTO pg_temp.spree_import_entry
	SELECT n.account_id, n.currency, n.credit_id, n.event_id, n.part, n.kind, n.minor,
		n.amount, CASE WHEN n.amount IS NOT NULL THEN n.seq END, n.balance_after,
		c.hold_id, n.holds, n.held_effect, n.effect, coalesce(g.seq, n.credit_seq), c.debit_seq,
		n.created_at, c.closed_at, c.captured, c.voided,
		n.code, n.issuer, n.memo, n.reference, n.category, n.expires_at, n.hold_event_id, n.hold_minor, n.capture_event_id
	FROM numbered n
	LEFT JOIN granted g ON g.credit_id = n.credit_id
	LEFT JOIN authorization_code c ON c.credit_id = n.credit_id AND c.hold_event_id = coalesce(n.hold_event_id, 0);

	-- what is referred to may be there since an earlier run
	UPDATE pg_temp.spree_import_entry n SET debit_seq = (
		SELECT t.seq FROM storecredit.transaction t
		WHERE t.account_id = n.account_id AND t.idempotency_key = spree_event_key(n.capture_event_id, 0, 'capture', n.credit_id))
	WHERE n.kind = 'refund' AND n.debit_seq IS NULL;
	UPDATE pg_temp.spree_import_entry n SET hold_id = (
		SELECT h.hold_id FROM storecredit.hold h
		WHERE h.account_id = n.account_id AND h.idempotency_key = spree_event_key(n.hold_event_id, 0, 'authorize', n.credit_id))
	WHERE n.kind IN ('capture', 'void') AND n.hold_id IS NULL;
	-- a debit that was summed up in the opening balance cannot be reverted
	UPDATE pg_temp.spree_import_entry n SET kind = 'adjustment',
		expires_at = (SELECT c.expires_at FROM pg_temp.spree_import_credit c WHERE c.id = n.credit_id)
	WHERE n.kind = 'refund' AND n.debit_seq IS NULL;
	ANALYZE pg_temp.spree_import_entry (account_id, credit_id, kind);

	INSERT INTO pg_temp.spree_import_effect (credit_id, account_id, currency, credit_seq, minor)
	SELECT n.credit_id, n.account_id, n.currency, n.credit_seq, sum(n.effect)
	FROM pg_temp.spree_import_entry n GROUP BY n.credit_id, n.account_id, n.currency, n.credit_seq;
	ANALYZE pg_temp.spree_import_effect (credit_id);
END
$spree_import_number$;
COMMENT ON FUNCTION spree_import_number(text) IS 'makes numbered entries and holds of the steps';

CREATE FUNCTION spree_import_change_holds(releases boolean) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_import_change_holds$
BEGIN
	UPDATE storecredit.hold h SET
		captured = money_ccy_from_minor(coalesce(n.captured, 0), n.currency), status = e.status,
		closed_at = CASE WHEN e.status <> 'open' THEN n.created_at END,
		draws = CASE e.status WHEN 'open' THEN ARRAY[n.credit_seq, n.hold_minor - n.captured] ELSE '{}' END
	FROM pg_temp.spree_import_entry n
	CROSS JOIN LATERAL (SELECT CASE WHEN n.kind = 'void' THEN 'voided' WHEN releases OR n.captured = n.hold_minor THEN 'captured'
		ELSE 'open' END AS status) e
	WHERE h.account_id = n.account_id AND h.hold_id = n.hold_id AND n.kind IN ('capture', 'void') AND NOT n.holds
		AND h.closed_at IS NULL;
END
$spree_import_change_holds$;
COMMENT ON FUNCTION spree_import_change_holds(boolean) IS 'captures and voids in the ledger what was copied as a hold before';

CREATE FUNCTION spree_import_write_history(profile text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_import_write_history$
#variable_conflict use_column
DECLARE
	releases boolean := spree_import_write_history.profile = 'solidus';
BEGIN
	INSERT INTO storecredit.transaction (account_id, seq, amount, balance_after, created_at, expires_at, kind, category,
		memo, reference, issuer, recorded_by, idempotency_key, related_seq, hold_id, draws, request_hash)
	SELECT n.account_id, n.seq, money_ccy_from_minor(n.amount, n.currency), money_ccy_from_minor(n.balance_after, n.currency),
		n.created_at, n.expires_at,
		CASE n.kind WHEN 'grant' THEN 'credit' WHEN 'capture' THEN 'debit' WHEN 'refund' THEN 'debit_revert'
			WHEN 'revoke' THEN 'revocation' ELSE n.kind END,
		n.category, n.memo, CASE WHEN n.kind IN ('capture', 'refund', 'adjustment') THEN n.reference END,
		coalesce(n.issuer, 'spree'), session_user, k.key,
		CASE n.kind WHEN 'refund' THEN n.debit_seq WHEN 'adjustment' THEN n.credit_seq WHEN 'revoke' THEN n.credit_seq END,
		CASE n.kind WHEN 'capture' THEN n.hold_id END,
		CASE WHEN n.kind IN ('capture', 'refund') THEN ARRAY[n.credit_seq, n.minor] END,
		CASE WHEN k.key IS NOT NULL THEN 0 END
	FROM pg_temp.spree_import_entry n
	CROSS JOIN LATERAL (SELECT spree_event_key(n.event_id, n.part, n.kind, n.credit_id) AS key) k
	WHERE n.amount IS NOT NULL
	ORDER BY n.account_id, n.seq;

	INSERT INTO storecredit.hold (account_id, hold_id, amount, captured, status, created_at, closed_at, reference,
		issuer, recorded_by, idempotency_key, authorized, draws, request_hash)
	SELECT n.account_id, n.hold_id, money_ccy_from_minor(n.minor, n.currency), money_ccy_from_minor(coalesce(n.captured, 0), n.currency),
		e.status, n.created_at, CASE WHEN e.status <> 'open' THEN n.closed_at END, left(n.code, 255),
		coalesce(n.issuer, 'spree'), session_user, k.key, ARRAY[n.credit_seq, n.minor],
		CASE e.status WHEN 'open' THEN ARRAY[n.credit_seq, n.minor - coalesce(n.captured, 0)] ELSE '{}' END,
		CASE WHEN k.key IS NOT NULL THEN 0 END
	FROM pg_temp.spree_import_entry n
	CROSS JOIN LATERAL (SELECT CASE WHEN n.voided THEN 'voided' WHEN n.captured = n.minor OR releases AND n.captured IS NOT NULL THEN 'captured'
		ELSE 'open' END AS status) e
	CROSS JOIN LATERAL (SELECT spree_event_key(n.event_id, n.part, n.kind, n.credit_id) AS key) k
	WHERE n.holds
	ORDER BY n.account_id, n.hold_id;

	IF EXISTS (SELECT FROM pg_temp.spree_import_credit c WHERE c.copied_event_id IS NOT NULL) THEN
		PERFORM spree_import_change_holds(releases);
	END IF;
END
$spree_import_write_history$;
COMMENT ON FUNCTION spree_import_write_history(text) IS 'writes entries and holds to the ledger';

CREATE FUNCTION spree_import_change_credits() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_import_change_credits$
BEGIN
	DELETE FROM storecredit.open_credit o
	USING pg_temp.spree_import_effect n JOIN pg_temp.spree_import_credit c ON c.id = n.credit_id
	WHERE c.copied > 0 AND o.account_id = n.account_id AND o.seq = n.credit_seq AND c.copied + n.minor = 0;
	UPDATE storecredit.open_credit o SET remaining = o.remaining + money_ccy_from_minor(n.minor, n.currency)
	FROM pg_temp.spree_import_effect n JOIN pg_temp.spree_import_credit c ON c.id = n.credit_id
	WHERE c.copied > 0 AND o.account_id = n.account_id AND o.seq = n.credit_seq AND n.minor <> 0;
END
$spree_import_change_credits$;
COMMENT ON FUNCTION spree_import_change_credits() IS 'brings what is left in the ledger of credits that were copied before to what it is now';

/*
 * What the shop owes already is not a question of limits, which bind what is granted from now on.  So an account
 * that comes in above its limit, or grows above it, has for the moment a limit of its own.
 */
CREATE FUNCTION spree_import_write_accounts() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_import_write_accounts$
BEGIN
	INSERT INTO storecredit.open_credit (account_id, expires_at, seq, remaining)
	SELECT n.account_id, coalesce(c.expires_at, 'infinity'), n.credit_seq, money_ccy_from_minor(n.minor, n.currency)
	FROM pg_temp.spree_import_effect n JOIN pg_temp.spree_import_credit c ON c.id = n.credit_id
	WHERE n.minor > 0 AND coalesce(c.copied, 0) = 0
	ORDER BY n.account_id, c.expires_at, n.credit_seq;
	IF EXISTS (SELECT FROM pg_temp.spree_import_credit c WHERE c.copied > 0) THEN
		PERFORM spree_import_change_credits();
	END IF;

	UPDATE pg_temp.spree_import_account a SET last_seq = a.last_seq + n.entries, balance = a.balance + n.amount,
		held = a.held + n.held, last_hold_id = a.last_hold_id + n.holds, last_at = n.created_at
	FROM (
		SELECT n.account_id, count(n.amount) AS entries, coalesce(sum(n.amount), 0)::bigint AS amount, sum(n.held_effect)::bigint AS held,
			count(*) FILTER (WHERE n.holds) AS holds, min(n.created_at) AS created_at
		FROM pg_temp.spree_import_entry n GROUP BY n.account_id) n
	WHERE n.account_id = a.account_id;
	INSERT INTO storecredit.account (account_id, opened_at, last_seq, balance, held, credit_line, last_hold_id, max_balance, currency, owner)
	SELECT a.account_id, a.last_at, a.last_seq, f.balance, f.held, money_ccy_from_minor(0, a.currency), a.last_hold_id,
		CASE WHEN f.balance > l.max_balance THEN f.balance END, a.currency, a.owner
	FROM pg_temp.spree_import_account a
	CROSS JOIN LATERAL (SELECT money_ccy_from_minor(a.balance, a.currency) AS balance, money_ccy_from_minor(a.held, a.currency) AS held) f
	LEFT JOIN storecredit.currency_limit l ON l.currency = a.currency
	WHERE a.opened ORDER BY a.account_id;
	UPDATE storecredit.account t SET last_seq = a.last_seq, balance = f.balance, held = money_ccy_from_minor(a.held, a.currency),
		last_hold_id = a.last_hold_id,
		max_balance = CASE WHEN f.balance > coalesce(a.max_balance, l.max_balance) THEN f.balance ELSE a.max_balance END
	FROM pg_temp.spree_import_account a
	CROSS JOIN LATERAL (SELECT money_ccy_from_minor(a.balance, a.currency) AS balance) f
	LEFT JOIN storecredit.currency_limit l ON l.currency = a.currency
	WHERE t.account_id = a.account_id AND NOT a.opened
		AND a.account_id IN (SELECT n.account_id FROM pg_temp.spree_import_entry n);
	UPDATE storecredit.account t SET max_balance = a.max_balance
	FROM pg_temp.spree_import_account a
	LEFT JOIN storecredit.currency_limit l ON l.currency = a.currency
	WHERE t.account_id = a.account_id AND t.max_balance IS DISTINCT FROM a.max_balance
		AND (a.max_balance IS NOT NULL OR l.max_balance IS NOT NULL);
END
$spree_import_write_accounts$;
COMMENT ON FUNCTION spree_import_write_accounts() IS 'writes to the ledger what is left of the credits, and the accounts';

/* Where there is tamper evidence, what statements wrote has no hash yet. */
CREATE FUNCTION spree_import_seal() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_import_seal$
DECLARE
	account bigint;
BEGIN
	FOR account IN
		SELECT a.account_id
		FROM pg_temp.spree_import_account i JOIN storecredit.account a ON a.account_id = i.account_id
		WHERE a.last_hash IS NOT NULL ORDER BY a.account_id
	LOOP
		PERFORM seal_account(account);
	END LOOP;
END
$spree_import_seal$;
COMMENT ON FUNCTION spree_import_seal() IS 'chains the new entries of the accounts that have a chain of hashes';

CREATE FUNCTION spree_import_write_records(shop spree_shop, doubtful text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_import_write_records$
BEGIN
	INSERT INTO storecredit.spree_imported AS i (store_credits, store_credit_id, account_id, seq, granted, remaining,
		last_event_id, ended, adjusted, state, imported_at)
	SELECT shop.store_credits, c.id, CASE WHEN coalesce(n.credit_seq, c.seq) IS NOT NULL THEN c.account_id END,
		coalesce(n.credit_seq, c.seq), money_ccy_from_minor(c.size, c.currency),
		money_ccy_from_minor(coalesce(c.copied, 0) + coalesce(n.minor, 0), c.currency),
		c.last_event_id, c.ended_at IS NOT NULL, c.adjusted, c.state, clock_timestamp()
	FROM pg_temp.spree_import_credit c
	LEFT JOIN pg_temp.spree_import_effect n ON n.credit_id = c.id
	WHERE c.reasons = '{}' OR c.adjusted AND n.credit_id IS NOT NULL
	ORDER BY c.id
	ON CONFLICT ON CONSTRAINT spree_imported_pkey DO UPDATE SET account_id = excluded.account_id, seq = excluded.seq,
		granted = excluded.granted, remaining = excluded.remaining, last_event_id = excluded.last_event_id,
		ended = excluded.ended, adjusted = excluded.adjusted, state = excluded.state, imported_at = excluded.imported_at;

	DELETE FROM storecredit.spree_quarantine q USING pg_temp.spree_import_credit c
	WHERE q.store_credits = shop.store_credits AND q.store_credit_id = c.id;
	INSERT INTO storecredit.spree_quarantine (store_credits, store_credit_id, decision, reasons, owner, currency,
		by_columns, by_events, booked, state, noted_at)
	SELECT shop.store_credits, c.id, CASE WHEN c.adjusted THEN 'adjusted' ELSE 'quarantined' END, c.reasons, c.owner, c.currency,
		c.by_columns, money_ccy_amount(money_ccy_from_minor(c.by_events, y.code)), money_ccy_amount(money_ccy_from_minor(c.booked, y.code)), spree_doubted_state(c.state, doubtful), clock_timestamp()
	FROM pg_temp.spree_import_credit c
	LEFT JOIN money_ccy_currencies() y ON y.code = c.currency
	WHERE c.reasons <> '{}' ORDER BY c.id;
END
$spree_import_write_records$;
COMMENT ON FUNCTION spree_import_write_records(spree_shop, text) IS 'writes down which credits are copied, and which are not and why';

-- the import -----------------------------------------------------------------------------------

CREATE FUNCTION spree_import_batch(
	store_credits regclass, since timestamptz, doubtful text, owner_prefix text, profile text,
	credit_ids bigint[],
	OUT credits bigint, OUT entries bigint, OUT holds bigint, OUT quarantined bigint
)
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
SET work_mem = '64MB'
SET default_statistics_target = 10
SET jit = off
AS $spree_import_batch$
DECLARE
	shop spree_shop := spree_shop(store_credits, profile);
BEGIN
	-- one import at a time: what another has done meanwhile is seen, and not done again
	LOCK TABLE storecredit.spree_imported IN SHARE ROW EXCLUSIVE MODE;
	PERFORM spree_import_begin();
	PERFORM spree_import_read(shop, owner_prefix, credit_ids);
	PERFORM spree_import_find_accounts();
	PERFORM spree_import_steps(shop.profile);
	PERFORM spree_import_ends();
	PERFORM spree_import_doubts(shop.profile);
	PERFORM spree_import_refund_doubts(shop);
	PERFORM spree_import_news();
	PERFORM spree_import_ends_in_time(since);
	PERFORM spree_import_doubtful(doubtful = 'adjust');
	IF since IS NOT NULL THEN
		PERFORM spree_import_opening(shop.profile, since);
	END IF;
	PERFORM spree_import_open_accounts();
	PERFORM spree_import_number(shop.profile);
	PERFORM spree_import_write_history(shop.profile);
	PERFORM spree_import_write_accounts();
	PERFORM spree_import_seal();
	PERFORM spree_import_write_records(shop, doubtful);
	SELECT count(DISTINCT n.credit_id), count(n.amount), count(*) FILTER (WHERE n.holds) INTO credits, entries, holds
	FROM pg_temp.spree_import_entry n;
	SELECT count(*) INTO quarantined FROM pg_temp.spree_import_credit c WHERE c.reasons <> '{}';
	PERFORM spree_import_end();
END
$spree_import_batch$;
COMMENT ON FUNCTION spree_import_batch(regclass, timestamptz, text, text, text, bigint[]) IS 'copies one batch of spree_import_plan() into the ledger; returns what spree_import() does';

CREATE FUNCTION spree_import(
	store_credits regclass, since timestamptz DEFAULT NULL, doubtful text DEFAULT 'quarantine',
	owner_prefix text DEFAULT 'Spree::', store_id bigint DEFAULT NULL, profile text DEFAULT NULL,
	max_credits integer DEFAULT NULL
) RETURNS TABLE (credits bigint, entries bigint, holds bigint, quarantined bigint)
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_import$
DECLARE
	batch record;
BEGIN
	PERFORM check_spree_import_arguments(since, doubtful, owner_prefix, max_credits);
	SELECT * INTO batch FROM spree_import_plan(store_credits, doubtful, owner_prefix, store_id, profile, max_credits) LIMIT 1;
	IF batch.credit_ids IS NULL THEN
		RETURN QUERY VALUES (0::bigint, 0::bigint, 0::bigint, 0::bigint);
	ELSE
		RETURN QUERY SELECT * FROM spree_import_batch(store_credits, since, doubtful, owner_prefix, profile, batch.credit_ids);
	END IF;
END
$spree_import$;
COMMENT ON FUNCTION spree_import(regclass, timestamptz, text, text, bigint, text, integer) IS
	'copies a shop''s store credits, what they hold and what has happened to them into the ledger, as far as that is new; returns how many credits, entries and holds it booked, and how many credits it could not copy exactly';

/*
 * No SET clause here, and so every name in full: a procedure that has one cannot commit.
 */
CREATE PROCEDURE spree_import_all(
	store_credits regclass, since timestamptz DEFAULT NULL, doubtful text DEFAULT 'quarantine',
	owner_prefix text DEFAULT 'Spree::', store_id bigint DEFAULT NULL, profile text DEFAULT NULL,
	batch_credits integer DEFAULT 10000,
	INOUT credits bigint DEFAULT 0, INOUT entries bigint DEFAULT 0, INOUT holds bigint DEFAULT 0, INOUT quarantined bigint DEFAULT 0
)
LANGUAGE plpgsql
AS $spree_import_all$
DECLARE
	batch pg_catalog.record;
	done pg_catalog.record;
BEGIN
	PERFORM storecredit.check_spree_import_arguments(since, doubtful, owner_prefix, batch_credits);
	FOR batch IN
		SELECT p.credit_ids
		FROM storecredit.spree_import_plan(store_credits, doubtful, owner_prefix, store_id, profile, batch_credits) p
	LOOP
		SELECT * INTO done FROM storecredit.spree_import_batch(store_credits, since, doubtful, owner_prefix, profile, batch.credit_ids);
		COMMIT;
		credits := credits OPERATOR(pg_catalog.+) done.credits;
		entries := entries OPERATOR(pg_catalog.+) done.entries;
		holds := holds OPERATOR(pg_catalog.+) done.holds;
		quarantined := quarantined OPERATOR(pg_catalog.+) done.quarantined;
	END LOOP;
END
$spree_import_all$;
COMMENT ON PROCEDURE spree_import_all(regclass, timestamptz, text, text, bigint, text, integer, bigint, bigint, bigint, bigint) IS
	'spree_import() in batches, each committed by itself; what it is broken off at, the next call goes on with';

REVOKE EXECUTE ON FUNCTION
	spree_import_begin(), spree_import_end(), spree_import_read(spree_shop, text, bigint[]), spree_import_steps(text), spree_import_ends(),
	spree_import_doubts(text), spree_import_refund_doubts(spree_shop), spree_import_news(), spree_import_ends_in_time(timestamptz), spree_import_opening(text, timestamptz),
	spree_import_doubtful(boolean), spree_import_find_accounts(), spree_import_open_accounts(), spree_import_number(text),
	spree_import_change_holds(boolean), spree_import_write_history(text), spree_import_change_credits(), spree_import_write_accounts(), spree_import_seal(),
	spree_import_write_records(spree_shop, text),
	spree_import_plan(regclass, text, text, bigint, text, integer),
	spree_import_batch(regclass, timestamptz, text, text, text, bigint[]),
	spree_import(regclass, timestamptz, text, text, bigint, text, integer)
FROM PUBLIC;
REVOKE EXECUTE ON PROCEDURE spree_import_all(regclass, timestamptz, text, text, bigint, text, integer, bigint, bigint, bigint, bigint) FROM PUBLIC;
