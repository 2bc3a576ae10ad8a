-- The tables of a Spree or Solidus shop: which there are, and what its version calls their columns.  Everything
-- about such a shop goes through here, and nothing else names a column that is not in every version.

CREATE TYPE spree_shop AS (
	profile           text,
	store_credits     regclass,
	events            regclass,
	types             regclass,
	categories        regclass,
	reasons           regclass,
	payments          regclass,
	orders            regclass,
	gift_cards        regclass,
	owner_column      name,
	store_column      name,
	invalidated_column name,
	originator_column name,
	event_reason_column name,
	event_remaining_column name,
	payment_state_column name
);
COMMENT ON TYPE spree_shop IS 'a shop''s tables and the names of those columns that not every version has under one name; null where it has none';
COMMENT ON COLUMN spree_shop.profile IS '"spree" or "solidus": which of the two applications writes the tables';
COMMENT ON COLUMN spree_shop.store_credits IS 'the store credits';
COMMENT ON COLUMN spree_shop.events IS 'their events';
COMMENT ON COLUMN spree_shop.types IS 'their types; null if there is no such table';
COMMENT ON COLUMN spree_shop.categories IS 'their categories; null if there is no such table';
COMMENT ON COLUMN spree_shop.reasons IS 'Solidus''s reasons of events; null if there is no such table';
COMMENT ON COLUMN spree_shop.payments IS 'payments of orders; null if there is no such table';
COMMENT ON COLUMN spree_shop.orders IS 'orders; null if there is no such table';
COMMENT ON COLUMN spree_shop.gift_cards IS 'Spree''s gift cards; null if there is no such table';
COMMENT ON COLUMN spree_shop.owner_column IS 'column of a store credit: whose it is, "user_id" or "customer_id"';
COMMENT ON COLUMN spree_shop.store_column IS 'column of a store credit: the store, in Spree since 4.3';
COMMENT ON COLUMN spree_shop.invalidated_column IS 'column of a store credit: when it was made invalid, in Solidus';
COMMENT ON COLUMN spree_shop.originator_column IS 'column of a store credit: the class of what it comes from, in Spree';
COMMENT ON COLUMN spree_shop.event_reason_column IS 'column of an event: its reason, in Solidus';
COMMENT ON COLUMN spree_shop.event_remaining_column IS 'column of an event: what was left of the credit, in Solidus';
COMMENT ON COLUMN spree_shop.payment_state_column IS 'column of a payment: "state" or "status"';

CREATE FUNCTION relation_column(relation regclass, VARIADIC candidates text[]) RETURNS name
LANGUAGE SQL STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT a.attname
	FROM pg_catalog.unnest(candidates) WITH ORDINALITY c (candidate, place)
	JOIN pg_catalog.pg_attribute a ON a.attrelid = relation AND a.attname = c.candidate
	WHERE a.attnum > 0 AND NOT a.attisdropped
	ORDER BY c.place
	LIMIT 1;
END;
COMMENT ON FUNCTION relation_column(regclass, text[]) IS 'the first of some names that a table has a column of; null if none';

CREATE FUNCTION require_columns(relation regclass, VARIADIC columns text[]) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, storecredit, pg_temp
AS $require_columns$
DECLARE
	missing text := (SELECT string_agg(format('"%s"', c.name), ', ' ORDER BY c.place)
		FROM unnest(columns) WITH ORDINALITY c (name, place)
		WHERE relation_column(relation, c.name) IS NULL);
BEGIN
	IF relation IS NOT NULL AND missing IS NOT NULL THEN
		RAISE EXCEPTION 'table % is not as Spree or Solidus makes it', relation
			USING ERRCODE = 'undefined_column', DETAIL = format('It has no column %s.', missing);
	END IF;
END
$require_columns$;
COMMENT ON FUNCTION require_columns(regclass, text[]) IS 'an error (42703) unless a table has these columns; nothing if there is no such table';

/* The applications' tables share a schema and a prefix of their names, "spree_" unless the shop has changed it. */
CREATE FUNCTION table_beside(store_credits regclass, name text) RETURNS regclass
LANGUAGE SQL STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT beside.oid::pg_catalog.regclass
	FROM pg_catalog.pg_class credits
	JOIN pg_catalog.pg_class beside ON beside.relnamespace = credits.relnamespace
		AND beside.relname = pg_catalog.regexp_replace(credits.relname, 'store_credits$', '') || name
	WHERE credits.oid = store_credits AND beside.relkind IN ('r', 'p');
END;
COMMENT ON FUNCTION table_beside(regclass, text) IS 'the table of that name in the schema of a table of store credits, and with its prefix; null if there is none';

CREATE FUNCTION spree_shop(store_credits regclass, profile text DEFAULT NULL) RETURNS spree_shop
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_shop$
DECLARE
	shop spree_shop;
BEGIN
	shop.store_credits := (SELECT c.oid FROM pg_class c
		WHERE c.oid = spree_shop.store_credits AND c.relkind IN ('r', 'p') AND c.relname ~ 'store_credits$');
	IF shop.store_credits IS NULL THEN
		RAISE EXCEPTION '% is not a table of store credits', coalesce(spree_shop.store_credits::text, 'null')
			USING ERRCODE = 'invalid_parameter_value',
				DETAIL = 'It must be a table, and its name end in "store_credits", as in "spree_store_credits".';
	END IF;
	shop.events := table_beside(shop.store_credits, 'store_credit_events');
	IF shop.events IS NULL THEN
		RAISE EXCEPTION 'table % has no events beside it', shop.store_credits
			USING ERRCODE = 'undefined_table',
				DETAIL = 'The applications keep them in its schema, in a table named likewise, as in "spree_store_credit_events".';
	END IF;
	shop.types := table_beside(shop.store_credits, 'store_credit_types');
	shop.categories := table_beside(shop.store_credits, 'store_credit_categories');
	shop.reasons := coalesce(table_beside(shop.store_credits, 'store_credit_reasons'),
		table_beside(shop.store_credits, 'store_credit_update_reasons'));
	shop.payments := table_beside(shop.store_credits, 'payments');
	shop.orders := table_beside(shop.store_credits, 'orders');
	shop.gift_cards := table_beside(shop.store_credits, 'gift_cards');

	shop.owner_column := relation_column(shop.store_credits, 'customer_id', 'user_id');
	shop.store_column := relation_column(shop.store_credits, 'store_id');
	shop.invalidated_column := relation_column(shop.store_credits, 'invalidated_at');
	shop.originator_column := relation_column(shop.store_credits, 'originator_type');
	shop.event_reason_column := relation_column(shop.events, 'store_credit_reason_id', 'update_reason_id');
	shop.event_remaining_column := relation_column(shop.events, 'amount_remaining');
	shop.payment_state_column := relation_column(shop.payments, 'status', 'state');

	PERFORM require_columns(shop.store_credits, 'id', coalesce(shop.owner_column, 'user_id'), 'amount', 'amount_used', 'amount_authorized',
			'currency', 'deleted_at', 'created_at', 'updated_at'),
		require_columns(shop.events, 'id', 'store_credit_id', 'action', 'amount', 'authorization_code', 'user_total_amount',
			'deleted_at', 'created_at', 'updated_at'),
		require_columns(shop.payments, 'id', 'order_id', 'source_id', 'source_type', 'amount', 'response_code',
			coalesce(shop.payment_state_column, 'state')),
		require_columns(shop.orders, 'id', 'currency');
	IF (SELECT a.atttypid FROM pg_attribute a WHERE a.attrelid = shop.store_credits AND a.attname = 'id') NOT IN ('integer'::regtype, 'bigint'::regtype) THEN
		RAISE EXCEPTION 'the ids of table % are not integers', shop.store_credits
			USING ERRCODE = 'feature_not_supported', DETAIL = 'Of the ids, only the owners'' may be of another type, such as uuid.';
	END IF;

	shop.profile := coalesce(spree_shop.profile,
		CASE WHEN shop.invalidated_column IS NULL THEN 'spree' ELSE 'solidus' END);
	IF shop.profile NOT IN ('spree', 'solidus') THEN
		RAISE EXCEPTION 'unknown profile: "%"', shop.profile
			USING ERRCODE = 'invalid_parameter_value',
				HINT = 'Profiles are "spree" and "solidus".';
	END IF;
	RETURN shop;
END
$spree_shop$;
COMMENT ON FUNCTION spree_shop(regclass, text) IS 'finds a shop''s tables and columns from its table of store credits; the profile is found, too, unless it is given';
