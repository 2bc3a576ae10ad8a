-- Expiry for Spree and Solidus, which have none.  doc/spree_expiry.md has the whole picture.
--
-- When a credit ends is said beside the shop's tables, in storecredit.spree_expiry and spree_expiry_rule; what is
-- done to it when it has ended is what the application itself would do to a credit.  These functions reach the
-- shop's tables with their caller's rights.

CREATE FUNCTION raise_store_credit_error(name text, detail text) RETURNS void
LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'storecredit_raise_error';
COMMENT ON FUNCTION raise_store_credit_error(text, text) IS 'raises an error of the ledger''s, with that detail';

-- reading a shop's credits ---------------------------------------------------------------------

CREATE FUNCTION spree_if_column(column_name name, template text) RETURNS text
LANGUAGE SQL IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN column_name IS NULL THEN '' ELSE pg_catalog.format(template, column_name) END;
COMMENT ON FUNCTION spree_if_column(name, text) IS 'a part of a query, with %I for a column that not every version has; empty where there is none';

/* Rules of one kind, for each row of the types or categories that they name. */
CREATE FUNCTION spree_named_rules(shop spree_shop, kind text, named regclass) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_named_rules$
BEGIN
	RETURN format('LEFT JOIN (SELECT n.id, r.days, r.issued_from AT TIME ZONE ''UTC'' AS issued_from
			FROM %s n JOIN storecredit.spree_expiry_rule r ON r.name = n.name
			WHERE r.store_credits = %s::oid AND r.kind = %L) %I ON %I.id = c.%I AND c.created_at >= %I.issued_from',
		named, shop.store_credits::oid, kind, kind, kind, kind || '_id', kind);
END
$spree_named_rules$;
COMMENT ON FUNCTION spree_named_rules(spree_shop, text, regclass) IS 'a part of spree_live_credits(): the rules of kind type or category';

/* A gift card is gone from the first instant of the day in expires_at on: so the application has it. */
CREATE FUNCTION spree_gift_card_rules(shop spree_shop) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_gift_card_rules$
BEGIN
	RETURN format('LEFT JOIN (SELECT g.id, g.expires_at + r.days AS gone_on, r.issued_from AT TIME ZONE ''UTC'' AS issued_from
			FROM %s g CROSS JOIN storecredit.spree_expiry_rule r
			WHERE r.store_credits = %s::oid AND r.kind = ''gift_card'') gift_card
		ON c.originator_type = ''Spree::GiftCard'' AND gift_card.id = c.originator_id AND c.created_at >= gift_card.issued_from',
		shop.gift_cards, shop.store_credits::oid);
END
$spree_gift_card_rules$;
COMMENT ON FUNCTION spree_gift_card_rules(spree_shop) IS 'a part of spree_live_credits(): the rule of kind gift_card';

/*
 * remaining is what the application takes to be left; available what can be debited, which is less where an
 * authorization has been let go of twice.
 */
CREATE FUNCTION spree_live_credits(shop spree_shop) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_live_credits$
DECLARE
	ends text[] := '{}';
	joins text := '';
BEGIN
	IF shop.types IS NOT NULL AND relation_column(shop.store_credits, 'type_id') IS NOT NULL THEN
		ends := ends || 'c.created_at + type.days * interval ''24 hours'''::text;
		joins := joins || spree_named_rules(shop, 'type', shop.types);
	END IF;
	IF shop.categories IS NOT NULL AND relation_column(shop.store_credits, 'category_id') IS NOT NULL THEN
		ends := ends || 'c.created_at + category.days * interval ''24 hours'''::text;
		joins := joins || ' ' || spree_named_rules(shop, 'category', shop.categories);
	END IF;
	IF shop.gift_cards IS NOT NULL AND shop.originator_column IS NOT NULL THEN
		ends := ends || format('gift_card.gone_on::timestamp AT TIME ZONE %L AT TIME ZONE ''UTC''', shop_zone());
		joins := joins || ' ' || spree_gift_card_rules(shop);
	END IF;
	RETURN format('SELECT c.id, c.%I AS owner_id, %s AS store_id, c.currency, c.created_at, c.amount, c.amount_used, c.amount_authorized,
			c.amount - c.amount_used - c.amount_authorized AS remaining,
			c.amount - c.amount_used - greatest(c.amount_authorized, 0) AS available,
			%s AS is_gift_card,
			coalesce(e.expires_at, least(%s) AT TIME ZONE ''UTC'', ''infinity'') AS expires_at
		FROM %s c
		LEFT JOIN storecredit.spree_expiry e ON e.store_credits = %s::oid AND e.store_credit_id = c.id
		%s
		WHERE c.deleted_at IS NULL%s',
		shop.owner_column, coalesce('c.' || quote_ident(shop.store_column), 'NULL::bigint'),
		CASE WHEN shop.originator_column IS NULL THEN 'false' ELSE 'coalesce(c.originator_type = ''Spree::GiftCard'', false)' END,
		array_to_string(ends || 'NULL::timestamp'::text, ', '),
		shop.store_credits, shop.store_credits::oid, joins,
		spree_if_column(shop.invalidated_column, ' AND c.%I IS NULL'));
END
$spree_live_credits$;
COMMENT ON FUNCTION spree_live_credits(spree_shop) IS 'a query for a shop''s credits that are neither deleted nor invalidated, with what is left of them and when they end';

CREATE FUNCTION spree_expiring(until timestamptz DEFAULT NULL, shop regclass DEFAULT NULL)
RETURNS TABLE (store_credit_id bigint, owner_id text, currency text, remaining numeric, held numeric, expires_at timestamptz)
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_expiring$
BEGIN
	PERFORM require_ledger();
	RETURN QUERY EXECUTE format('SELECT c.id::bigint, c.owner_id::text, c.currency::text, c.remaining, c.amount_authorized, c.expires_at
		FROM (%s) c
		WHERE c.remaining + c.amount_authorized > 0 AND c.expires_at <= $1 AND c.expires_at < ''infinity''
		ORDER BY c.expires_at, c.id', spree_live_credits(the_spree_shop(spree_expiring.shop)))
		USING coalesce(spree_expiring.until, store_credit_clock());
END
$spree_expiring$;
COMMENT ON FUNCTION spree_expiring(timestamptz, regclass) IS
	'a shop''s credits that have something left or authorized and end until an instant, that included (now if null), the first to end first: of those without an authorization, what the next sweep takes';

-- saying when credits end ----------------------------------------------------------------------

CREATE FUNCTION spree_put_end(store_credits regclass, store_credit_id bigint, expires_at timestamptz) RETURNS void
LANGUAGE C AS 'MODULE_PATHNAME', 'storecredit_spree_put_end';
COMMENT ON FUNCTION spree_put_end(regclass, bigint, timestamptz) IS 'the part of spree_expire_at() that has the rights of the ledger''s owner; the caller needs UPDATE on the table of store credits';

CREATE FUNCTION spree_drop_end(store_credits regclass, store_credit_id bigint) RETURNS void
LANGUAGE C AS 'MODULE_PATHNAME', 'storecredit_spree_drop_end';
COMMENT ON FUNCTION spree_drop_end(regclass, bigint) IS 'the part of spree_expire_by_rule() that has the rights of the ledger''s owner; the caller needs UPDATE on the table of store credits';

CREATE FUNCTION spree_put_rule(store_credits regclass, kind text, name text, days integer, issued_from timestamptz, otherwise_from timestamptz) RETURNS void
LANGUAGE C AS 'MODULE_PATHNAME', 'storecredit_spree_put_rule';
COMMENT ON FUNCTION spree_put_rule(regclass, text, text, integer, timestamptz, timestamptz) IS 'the part of spree_set_expiry_rule() that has the rights of the ledger''s owner; the caller needs UPDATE on the table of store credits';

CREATE FUNCTION spree_drop_rule(store_credits regclass, kind text, name text) RETURNS void
LANGUAGE C AS 'MODULE_PATHNAME', 'storecredit_spree_drop_rule';
COMMENT ON FUNCTION spree_drop_rule(regclass, text, text) IS 'the part of spree_set_expiry_rule() that takes a rule away';

/* Who has the lock is not overtaken by a sweep: what it finds is what the credit then is. */
CREATE FUNCTION spree_lock_credit(shop spree_shop, store_credit_id bigint) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_lock_credit$
DECLARE
	found_id bigint;
BEGIN
	EXECUTE format('SELECT c.id FROM %s c WHERE c.id = $1 AND c.deleted_at IS NULL%s FOR UPDATE',
		shop.store_credits, spree_if_column(shop.invalidated_column, ' AND c.%I IS NULL'))
		INTO found_id USING store_credit_id;
	IF found_id IS NULL THEN
		PERFORM raise_store_credit_error('credit_not_found', format('Table %s has no credit %s that is neither deleted nor invalidated.',
			shop.store_credits, store_credit_id));
	END IF;
END
$spree_lock_credit$;
COMMENT ON FUNCTION spree_lock_credit(spree_shop, bigint) IS 'locks a credit of a shop, or an error (SC012)';

/* Said when an end is set, and not when nothing happens at it. */
CREATE FUNCTION check_spree_sweep(shop spree_shop) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, storecredit, pg_temp
AS $check_spree_sweep$
DECLARE
	owner_name name := (SELECT pg_get_userbyid(c.relowner) FROM pg_class c WHERE c.oid = shop.store_credits);
BEGIN
	IF NOT (has_schema_privilege(owner_name, 'storecredit', 'USAGE')
			AND has_table_privilege(owner_name, 'storecredit.spree_expiry', 'SELECT')
			AND has_table_privilege(owner_name, 'storecredit.spree_expiry_rule', 'SELECT')) THEN
		RAISE EXCEPTION 'the owner of table % may not read when its credits end', shop.store_credits
			USING ERRCODE = 'insufficient_privilege',
				DETAIL = format('It belongs to %I, whose rights they expire with.', owner_name),
				HINT = format('GRANT USAGE ON SCHEMA storecredit TO %1$I; GRANT SELECT ON storecredit.spree_expiry, storecredit.spree_expiry_rule TO %1$I.', owner_name);
	END IF;
END
$check_spree_sweep$;
COMMENT ON FUNCTION check_spree_sweep(spree_shop) IS 'an error (42501) if the owner of a shop''s tables may not read what a sweep with its rights must';

CREATE FUNCTION spree_expire_at(store_credit_id bigint, at timestamptz, shop regclass DEFAULT NULL) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_expire_at$
DECLARE
	target spree_shop;
BEGIN
	PERFORM require_ledger(), require_value(spree_expire_at.store_credit_id, 'store_credit_id');
	target := the_spree_shop(spree_expire_at.shop);
	PERFORM check_spree_sweep(target);
	PERFORM spree_lock_credit(target, spree_expire_at.store_credit_id);
	IF spree_expire_at.at <= store_credit_clock() THEN
		PERFORM raise_store_credit_error('expires_at_in_past', format('It would have expired at %s, and it is %s now.',
			spree_expire_at.at, store_credit_clock()));
	END IF;
	PERFORM spree_put_end(target.store_credits, spree_expire_at.store_credit_id, coalesce(spree_expire_at.at, 'infinity'));
END
$spree_expire_at$;
COMMENT ON FUNCTION spree_expire_at(bigint, timestamptz, regclass) IS
	'sets when a credit of a shop ends, whatever the shop''s rules say; null: never';

CREATE FUNCTION spree_expire_by_rule(store_credit_id bigint, shop regclass DEFAULT NULL) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_expire_by_rule$
DECLARE
	target spree_shop;
BEGIN
	PERFORM require_ledger(), require_value(spree_expire_by_rule.store_credit_id, 'store_credit_id');
	target := the_spree_shop(spree_expire_by_rule.shop);
	PERFORM spree_lock_credit(target, spree_expire_by_rule.store_credit_id);
	PERFORM spree_drop_end(target.store_credits, spree_expire_by_rule.store_credit_id);
END
$spree_expire_by_rule$;
COMMENT ON FUNCTION spree_expire_by_rule(bigint, regclass) IS 'takes back what spree_expire_at() has said of a credit: the shop''s rules say when it ends';

CREATE FUNCTION check_spree_expiry_rule(shop spree_shop, kind text, name text, days integer) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, storecredit, pg_temp
AS $check_spree_expiry_rule$
DECLARE
	named regclass := CASE kind WHEN 'type' THEN shop.types WHEN 'category' THEN shop.categories WHEN 'gift_card' THEN shop.gift_cards END;
	fewest integer := CASE kind WHEN 'gift_card' THEN 0 ELSE 1 END;
	has_it boolean := true;
BEGIN
	IF kind IS NULL OR kind NOT IN ('type', 'category', 'gift_card') THEN
		RAISE EXCEPTION 'unknown kind of rule: %', coalesce(format('"%s"', kind), 'null')
			USING ERRCODE = 'invalid_parameter_value', HINT = 'Kinds are "type", "category" and "gift_card".';
	END IF;
	IF (kind = 'gift_card') <> (name IS NULL) THEN
		RAISE EXCEPTION 'a rule of kind "%" %', kind, CASE kind WHEN 'gift_card' THEN 'has no name' ELSE 'must have a name' END
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF days NOT BETWEEN fewest AND 36500 THEN
		RAISE EXCEPTION 'days must be from % to 36500', fewest
			USING ERRCODE = 'invalid_parameter_value', DETAIL = format('It is %s.', days);
	END IF;
	IF days IS NOT NULL AND named IS NULL THEN
		RAISE EXCEPTION 'table % has no table of kind "%" beside it', shop.store_credits, kind USING ERRCODE = 'undefined_table';
	END IF;
	IF days IS NOT NULL AND name IS NOT NULL THEN
		EXECUTE format('SELECT EXISTS (SELECT FROM %s n WHERE n.name = $1)', named) INTO has_it USING name;
	END IF;
	IF NOT has_it THEN
		RAISE EXCEPTION 'table % has no "%"', named, name
			USING ERRCODE = 'invalid_parameter_value', HINT = 'Names are told apart by case.';
	END IF;
END
$check_spree_expiry_rule$;
COMMENT ON FUNCTION check_spree_expiry_rule(spree_shop, text, text, integer) IS 'an error unless spree_set_expiry_rule() can take these arguments';

CREATE FUNCTION spree_set_expiry_rule(kind text, name text, days integer, issued_from timestamptz DEFAULT NULL, shop regclass DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_set_expiry_rule$
DECLARE
	target spree_shop;
BEGIN
	PERFORM require_ledger();
	target := the_spree_shop(spree_set_expiry_rule.shop);
	PERFORM check_spree_sweep(target), check_spree_expiry_rule(target, spree_set_expiry_rule.kind, spree_set_expiry_rule.name, spree_set_expiry_rule.days);
	IF spree_set_expiry_rule.days IS NULL THEN
		PERFORM spree_drop_rule(target.store_credits, spree_set_expiry_rule.kind, spree_set_expiry_rule.name);
	ELSE
		PERFORM spree_put_rule(target.store_credits, spree_set_expiry_rule.kind, spree_set_expiry_rule.name, spree_set_expiry_rule.days,
			spree_set_expiry_rule.issued_from,
			CASE spree_set_expiry_rule.kind WHEN 'gift_card' THEN '-infinity' ELSE store_credit_clock() END);
	END IF;
END
$spree_set_expiry_rule$;
COMMENT ON FUNCTION spree_set_expiry_rule(text, text, integer, timestamptz, regclass) IS
	'sets how many days after their issue a shop''s credits of a type or category end, or those of gift cards after the card''s own end; null days: takes the rule away; credits issued before issued_from (null: before the rule was set first) are left alone';

-- writing events -------------------------------------------------------------------------------

CREATE TYPE spree_store_credit_entry AS (
	store_credit_id    bigint,
	event_id           bigint,
	action             text,
	amount             numeric,
	currency           text,
	authorization_code text,
	amount_remaining   numeric,
	user_total_amount  numeric,
	created_at         timestamptz
);
COMMENT ON TYPE spree_store_credit_entry IS 'an event that was written to a shop''s tables';
COMMENT ON COLUMN spree_store_credit_entry.store_credit_id IS 'the credit';
COMMENT ON COLUMN spree_store_credit_entry.event_id IS 'the event';
COMMENT ON COLUMN spree_store_credit_entry.action IS 'what it is: allocation, authorize, capture, adjustment or invalidate';
COMMENT ON COLUMN spree_store_credit_entry.amount IS 'as the application writes it: above zero but for an adjustment, which is signed';
COMMENT ON COLUMN spree_store_credit_entry.currency IS 'the credit''s currency';
COMMENT ON COLUMN spree_store_credit_entry.authorization_code IS 'the code by which the application finds it';
COMMENT ON COLUMN spree_store_credit_entry.amount_remaining IS 'what is left of the credit after it';
COMMENT ON COLUMN spree_store_credit_entry.user_total_amount IS 'what is left of all credits of the customer in the currency after it, as the application counts';
COMMENT ON COLUMN spree_store_credit_entry.created_at IS 'when it was written';

/* The application's instants are in UTC, and do not say so. */
CREATE FUNCTION spree_clock() RETURNS timestamp
LANGUAGE SQL STABLE
RETURN storecredit.store_credit_clock() AT TIME ZONE 'UTC';
COMMENT ON FUNCTION spree_clock() IS 'the clock that expiry is judged by, as Spree and Solidus write instants';

/* By the wall clock even in tests: no two are to be alike. */
CREATE FUNCTION spree_authorization_code(shop spree_shop, store_credit_id bigint) RETURNS text
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_authorization_code$
BEGIN
	RETURN store_credit_id || '-SC-' || to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSUS')
		|| CASE shop.profile WHEN 'solidus' THEN '-' || gen_random_uuid() ELSE '' END;
END
$spree_authorization_code$;
COMMENT ON FUNCTION spree_authorization_code(spree_shop, bigint) IS 'a new code for an event, as the application forms it';

/* A numeric without precision holds whatever there is. */
CREATE FUNCTION spree_column_limits(relation regclass, column_name text, OUT decimals integer, OUT too_large numeric)
LANGUAGE SQL STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT (a.atttypmod - 4) & 65535, pg_catalog.round(10::numeric ^ (((a.atttypmod - 4) >> 16) - ((a.atttypmod - 4) & 65535)))
	FROM pg_catalog.pg_attribute a
	WHERE a.attrelid = relation AND a.attname = column_name AND a.atttypid = 'pg_catalog.numeric'::pg_catalog.regtype AND a.atttypmod > 0;
END;
COMMENT ON FUNCTION spree_column_limits(regclass, text) IS 'how many decimals a column of amounts has, and the first amount that it cannot hold; nulls for no limit';

CREATE FUNCTION spree_user_total(shop spree_shop, store_credit_id bigint) RETURNS numeric
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_user_total$
DECLARE
	total numeric;
	same_store text := spree_if_column(shop.store_column, ' AND c.%1$I IS NOT DISTINCT FROM own.%1$I');
	not_gift_card text := CASE WHEN shop.originator_column IS NULL THEN '' ELSE ' AND c.originator_type IS DISTINCT FROM ''Spree::GiftCard''' END;
	valid text := spree_if_column(shop.invalidated_column, ' AND c.%I IS NULL');
BEGIN
	EXECUTE format('SELECT coalesce(sum(c.amount - c.amount_used - c.amount_authorized), 0)
		FROM %1$s own JOIN %1$s c ON c.%2$I = own.%2$I AND c.currency = own.currency%3$s%4$s%5$s
		WHERE own.id = $1 AND c.deleted_at IS NULL', shop.store_credits, shop.owner_column, same_store, not_gift_card, valid)
		INTO total USING store_credit_id;
	IF total >= (SELECT l.too_large FROM spree_column_limits(shop.events, 'user_total_amount') l) THEN
		RAISE EXCEPTION 'the credits of a customer add up to more than the table of events can hold'
			USING ERRCODE = 'numeric_value_out_of_range',
				DETAIL = format('Column "user_total_amount" of table %s would be %s.', shop.events, total),
				HINT = 'The application itself could not write it.';
	END IF;
	RETURN total;
END
$spree_user_total$;
COMMENT ON FUNCTION spree_user_total(spree_shop, bigint) IS
	'what is left of all credits of a credit''s customer in its store and currency, without gift cards, as the application counts; an error (22003) if an event cannot hold it';

/* After the change of the credit that it is about, as the application does it. */
CREATE FUNCTION spree_add_event(shop spree_shop, store_credit_id bigint, action text, amount numeric, code text,
	originator_type text DEFAULT NULL, originator_id bigint DEFAULT NULL, reason_id bigint DEFAULT NULL)
RETURNS spree_store_credit_entry
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_add_event$
DECLARE
	entry spree_store_credit_entry;
	at timestamp := spree_clock();
	invalidated text := 'true' || spree_if_column(shop.invalidated_column, ' AND c.%I IS NULL');
BEGIN
	entry.store_credit_id := store_credit_id;
	entry.action := action;
	entry.amount := amount;
	entry.authorization_code := code;
	entry.created_at := at AT TIME ZONE 'UTC';
	entry.user_total_amount := spree_user_total(shop, store_credit_id);
	EXECUTE format('SELECT c.currency, CASE WHEN %s THEN c.amount - c.amount_used - c.amount_authorized ELSE 0 END FROM %s c WHERE c.id = $1',
		invalidated, shop.store_credits) INTO entry.currency, entry.amount_remaining USING store_credit_id;
	EXECUTE format('INSERT INTO %s (store_credit_id, action, amount, authorization_code, user_total_amount, originator_type, originator_id,
			created_at, updated_at%s%s)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8%s%s) RETURNING id', shop.events,
		spree_if_column(shop.event_remaining_column, ', %I'), spree_if_column(shop.event_reason_column, ', %I'),
		CASE WHEN shop.event_remaining_column IS NOT NULL THEN ', $9' ELSE '' END,
		CASE WHEN shop.event_reason_column IS NOT NULL THEN ', $10' ELSE '' END)
		INTO entry.event_id
		USING store_credit_id, action, amount, code, entry.user_total_amount, originator_type, originator_id, at, entry.amount_remaining, reason_id;
	RETURN entry;
END
$spree_add_event$;
COMMENT ON FUNCTION spree_add_event(spree_shop, bigint, text, numeric, text, text, bigint, bigint) IS 'writes an event of a credit as the application does';

-- expiring -------------------------------------------------------------------------------------

CREATE FUNCTION spree_expiry_reason(shop spree_shop) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_expiry_reason$
DECLARE
	query text := format('SELECT min(r.id) FROM %s r WHERE r.name = ''Expired''', shop.reasons);
	reason_id bigint;
BEGIN
	IF shop.reasons IS NULL THEN
		RETURN NULL;
	END IF;
	EXECUTE query INTO reason_id;
	IF reason_id IS NULL THEN
		-- one session makes it, and others wait and find it
		EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', shop.reasons);
		EXECUTE query INTO reason_id;
	END IF;
	IF reason_id IS NULL THEN
		EXECUTE format('INSERT INTO %s (name, created_at, updated_at) VALUES (''Expired'', $1, $1) RETURNING id', shop.reasons)
			INTO reason_id USING spree_clock();
	END IF;
	RETURN reason_id;
END
$spree_expiry_reason$;
COMMENT ON FUNCTION spree_expiry_reason(spree_shop) IS 'id of Solidus''s reason "Expired", which is made if it is missing; null where there are no reasons';

/*
 * Solidus can invalidate a credit.  Spree cannot: there the amount falls to what was used, and since an amount
 * must be above zero, a credit of which nothing was used is deleted as the application deletes it, for which it
 * writes no event.
 */
CREATE FUNCTION spree_end_credit(shop spree_shop, store_credit_id bigint, amount numeric, amount_used numeric) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_end_credit$
DECLARE
	code text := spree_authorization_code(shop, store_credit_id);
BEGIN
	IF shop.invalidated_column IS NOT NULL THEN
		EXECUTE format('UPDATE %s SET %I = $2, updated_at = $2 WHERE id = $1', shop.store_credits, shop.invalidated_column)
			USING store_credit_id, spree_clock();
		PERFORM spree_add_event(shop, store_credit_id, 'invalidate', amount, code, reason_id => spree_expiry_reason(shop));
		RETURN 'invalidated';
	ELSIF amount_used > 0 THEN
		EXECUTE format('UPDATE %s SET amount = amount_used, updated_at = $2 WHERE id = $1', shop.store_credits)
			USING store_credit_id, spree_clock();
		PERFORM spree_add_event(shop, store_credit_id, 'adjustment', amount_used - amount, code);
		RETURN 'lowered';
	END IF;
	EXECUTE format('UPDATE %s SET deleted_at = $2, updated_at = $2 WHERE id = $1', shop.store_credits)
		USING store_credit_id, spree_clock();
	RETURN 'deleted';
END
$spree_end_credit$;
COMMENT ON FUNCTION spree_end_credit(spree_shop, bigint, numeric, numeric) IS 'ends a credit in the application''s own terms; returns what was done: invalidated, lowered or deleted';

/*
 * Never while something is authorized, and nothing of a row that breaks a rule.  A credit that somebody else has
 * is left to the next sweep.  Judged again under the lock, since it may have been used, or given another end.
 */
CREATE FUNCTION spree_expire_credits(store_credits regclass, max_credits bigint)
RETURNS TABLE (store_credit_id bigint, owner_id text, currency text, amount numeric, expires_at timestamptz, action text, failure text)
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_expire_credits$
#variable_conflict use_column
DECLARE
	shop spree_shop := the_spree_shop(spree_expire_credits.store_credits);
	due text := format('SELECT c.* FROM (%s) c WHERE c.remaining > 0 AND c.amount_authorized = 0 AND c.amount_used >= 0 AND c.expires_at <= $1',
		spree_live_credits(shop));
	now timestamptz := store_credit_clock();
	done bigint := 0;
	credit_id bigint;
	locked bigint;
	credit record;
BEGIN
	FOR credit_id IN EXECUTE format('SELECT d.id FROM (%s) d ORDER BY d.expires_at, d.id', due) USING now LOOP
		EXIT WHEN done >= max_credits;
		BEGIN
			EXECUTE format('SELECT c.id FROM %s c WHERE c.id = $1 FOR UPDATE SKIP LOCKED', shop.store_credits) INTO locked USING credit_id;
			CONTINUE WHEN locked IS NULL;
			-- as of one type each, whichever the shop has: a session may sweep several
			EXECUTE format('SELECT d.id::bigint AS id, d.owner_id::text AS owner_id, d.currency::text AS currency,
					d.amount, d.amount_used, d.remaining, d.expires_at FROM (%s) d WHERE d.id = $2', due)
				INTO credit USING now, credit_id;
			CONTINUE WHEN credit.id IS NULL;
			action := spree_end_credit(shop, credit_id, credit.amount, credit.amount_used);
			store_credit_id := credit_id;
			owner_id := credit.owner_id;
			currency := credit.currency;
			amount := credit.remaining;
			expires_at := credit.expires_at;
			failure := NULL;
			done := done + 1;
			RETURN NEXT;
		EXCEPTION WHEN OTHERS THEN
			-- a trigger of the application's, say: the others are expired all the same
			store_credit_id := credit_id;
			owner_id := NULL;
			currency := NULL;
			amount := NULL;
			expires_at := NULL;
			action := NULL;
			failure := SQLERRM;
			RETURN NEXT;
		END;
	END LOOP;
END
$spree_expire_credits$;
COMMENT ON FUNCTION spree_expire_credits(regclass, bigint) IS
	'the part of spree_expire() that has the rights of the owner of a shop''s tables: a row for each credit that it has expired, or that failed and why';

CREATE FUNCTION spree_expire(max_credits integer DEFAULT 1000, shop regclass DEFAULT NULL) RETURNS bigint
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000 AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION spree_expire(integer, regclass) IS
	'expires what has ended in one shop, or in all that are attached, in the application''s own terms and with the rights of the owner of its tables; returns how many credits: call it until that is 0';

REVOKE EXECUTE ON FUNCTION
	spree_put_end(regclass, bigint, timestamptz),
	spree_drop_end(regclass, bigint),
	spree_put_rule(regclass, text, text, integer, timestamptz, timestamptz),
	spree_drop_rule(regclass, text, text),
	spree_expiring(timestamptz, regclass),
	spree_expire_at(bigint, timestamptz, regclass),
	spree_expire_by_rule(bigint, regclass),
	spree_set_expiry_rule(text, text, integer, timestamptz, regclass),
	spree_expire(integer, regclass)
FROM PUBLIC;
