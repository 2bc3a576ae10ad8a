-- Rules under a Spree or Solidus shop's own tables.  They are triggers, and the triggers are the only record of
-- them, so that a dump has all of it and nothing can be left over.  doc/spree.md has the whole picture.

CREATE FUNCTION spree_guard_credit() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION spree_guard_credit() IS 'trigger that spree_attach() makes on a shop''s store credits';

CREATE FUNCTION spree_guard_event() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION spree_guard_event() IS 'trigger that spree_attach() makes on a shop''s store credit events';

CREATE FUNCTION spree_guard_payment() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION spree_guard_payment() IS 'trigger that spree_attach() makes on a shop''s payments';

CREATE FUNCTION spree_guard_truncate() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION spree_guard_truncate() IS 'trigger that spree_attach() makes on a shop''s store credits and their events for rule "truncate"';

-- the rules ------------------------------------------------------------------------------------

CREATE FUNCTION spree_rules(strict boolean DEFAULT false) RETURNS text[]
LANGUAGE SQL IMMUTABLE PARALLEL SAFE
RETURN '{amounts,currency,owner,delete,limit,payment,invalidated}'::text[]
	OPERATOR(pg_catalog.||) CASE WHEN strict THEN '{authorized,closed_code,reconcile}'::text[] ELSE '{}'::text[] END;
COMMENT ON FUNCTION spree_rules(boolean) IS
	'names of the rules that Spree and Solidus tolerate, and with strict of those that their own tests break, too; there is also "truncate"';

CREATE FUNCTION check_spree_rules(rules text[]) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, storecredit, pg_temp
AS $check_spree_rules$
DECLARE
	known text[] := spree_rules(strict => true) || '{truncate}'::text[];
	unknown text := (SELECT string_agg(coalesce('"' || r || '"', 'null'), ', ') FROM unnest(rules) r WHERE r <> ALL (known) OR r IS NULL);
BEGIN
	IF unknown IS NOT NULL OR rules = '{}' THEN
		RAISE EXCEPTION 'unknown rules: %', coalesce(unknown, 'none at all')
			USING ERRCODE = 'invalid_parameter_value',
				HINT = format('Rules are %s.', array_to_string(known, ', '));
	END IF;
	RETURN ARRAY(SELECT k FROM unnest(known) WITH ORDINALITY w (k, place) WHERE k = ANY (rules) ORDER BY place);
END
$check_spree_rules$;
COMMENT ON FUNCTION check_spree_rules(text[]) IS 'rules, each once and in the order of spree_rules(); an error (22023) if one is not known';

-- what is attached -----------------------------------------------------------------------------

CREATE FUNCTION spree_attached()
RETURNS TABLE (store_credits regclass, profile text, mode text, rules text[], enabled boolean)
LANGUAGE SQL STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT t.tgrelid::regclass, a.args[1], a.args[2], pg_catalog.string_to_array(a.args[3], ','), t.tgenabled::text = ANY ('{O,A}'::text[])
	FROM pg_catalog.pg_trigger t
	CROSS JOIN LATERAL (SELECT pg_catalog.string_to_array(pg_catalog.encode(t.tgargs, 'escape'), '\000') AS args) a
	WHERE t.tgfoid = 'storecredit.spree_guard_credit()'::regprocedure AND t.tgparentid = 0
	ORDER BY t.tgrelid::regclass::text;
END;
COMMENT ON FUNCTION spree_attached() IS 'the tables of store credits that spree_attach() has attached, with what it was told; enabled: whether the trigger on it fires';

CREATE FUNCTION the_spree_shop(store_credits regclass DEFAULT NULL) RETURNS spree_shop
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, storecredit, pg_temp
AS $the_spree_shop$
DECLARE
	attached regclass[] := ARRAY(SELECT a.store_credits FROM spree_attached() a
		WHERE the_spree_shop.store_credits IS NULL OR a.store_credits = the_spree_shop.store_credits);
BEGIN
	IF cardinality(attached) > 1 THEN
		RAISE EXCEPTION 'more than one table of store credits is attached'
			USING ERRCODE = 'object_not_in_prerequisite_state',
				DETAIL = format('They are %s.', array_to_string(attached, ', ')), HINT = 'Say which one is meant.';
	ELSIF attached = '{}' THEN
		RAISE EXCEPTION '%', coalesce('table ' || the_spree_shop.store_credits || ' is not attached', 'no table of store credits is attached')
			USING ERRCODE = 'object_not_in_prerequisite_state',
				HINT = 'Attach it with SELECT storecredit.spree_attach(''spree_store_credits'').';
	END IF;
	RETURN spree_shop(attached[1], (SELECT a.profile FROM spree_attached() a WHERE a.store_credits = attached[1]));
END
$the_spree_shop$;
COMMENT ON FUNCTION the_spree_shop(regclass) IS
	'the shop of a table of store credits that is attached, or of the only one that is; else an error (55000)';

-- attaching ------------------------------------------------------------------------------------

CREATE FUNCTION check_spree_ledger() RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, storecredit, pg_temp
AS $check_spree_ledger$
BEGIN
	PERFORM require_ledger();
	IF to_regclass('storecredit.spree_violation') IS NULL THEN
		RAISE EXCEPTION 'the store credit ledger has no place for violations'
			USING ERRCODE = 'undefined_table', DETAIL = 'There is no table "storecredit.spree_violation".',
				HINT = 'Bring the ledger up to date with SELECT storecredit.upgrade_ledger().';
	END IF;
END
$check_spree_ledger$;
COMMENT ON FUNCTION check_spree_ledger() IS 'an error (42P01) unless there is a ledger with a table "spree_violation"';

/* The rules read one of the tables for a change of another, as its owner. */
CREATE FUNCTION check_spree_owner(shop spree_shop) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, storecredit, pg_temp
AS $check_spree_owner$
DECLARE
	owner_id oid := (SELECT c.relowner FROM pg_class c WHERE c.oid = shop.store_credits);
	foreign_table regclass := (SELECT c.oid FROM pg_class c
		WHERE c.oid = ANY (ARRAY[shop.events, shop.payments, shop.orders]) AND c.relowner <> owner_id ORDER BY c.relname LIMIT 1);
BEGIN
	IF NOT pg_has_role(owner_id, 'USAGE') THEN
		RAISE EXCEPTION 'must be owner of table %', shop.store_credits
			USING ERRCODE = 'insufficient_privilege', HINT = format('It belongs to %I.', pg_get_userbyid(owner_id));
	END IF;
	IF foreign_table IS NOT NULL THEN
		RAISE EXCEPTION 'the tables of a shop must belong to one role'
			USING ERRCODE = 'object_not_in_prerequisite_state',
				DETAIL = format('Table %s belongs to %I, and %s does not.', shop.store_credits, pg_get_userbyid(owner_id), foreign_table);
	END IF;
END
$check_spree_owner$;
COMMENT ON FUNCTION check_spree_owner(spree_shop) IS 'an error unless a shop''s tables belong to one role (55000), and the caller has its rights (42501)';

CREATE FUNCTION check_spree_amounts(shop spree_shop) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, storecredit, pg_temp
AS $check_spree_amounts$
DECLARE
	wrong text := (SELECT format('Column "%s" of table %s is a %s, it must be a numeric.', a.attname, a.attrelid::regclass, format_type(a.atttypid, NULL))
		FROM pg_attribute a LEFT JOIN pg_type t ON t.oid = a.atttypid
		WHERE (a.attrelid = shop.store_credits AND a.attname IN ('amount', 'amount_used', 'amount_authorized')
				OR a.attrelid IN (shop.events, shop.payments) AND a.attname = 'amount')
			AND coalesce(nullif(t.typbasetype, 0), a.atttypid) <> 'numeric'::regtype AND NOT a.attisdropped
		ORDER BY a.attrelid, a.attname LIMIT 1);
BEGIN
	IF wrong IS NOT NULL THEN
		RAISE EXCEPTION 'the rules cannot be put under the tables of this shop'
			USING ERRCODE = 'datatype_mismatch', DETAIL = wrong;
	END IF;
END
$check_spree_amounts$;
COMMENT ON FUNCTION check_spree_amounts(spree_shop) IS 'an error (42804) unless the amounts in a shop''s tables are numerics';

/* What is there already, and as it should be, is left alone: that takes no lock. */
CREATE FUNCTION set_spree_trigger(relation regclass, trigger_name name, wanted boolean, fires text, guard regprocedure, args text[])
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $set_spree_trigger$
DECLARE
	present text := (SELECT CASE WHEN t.tgenabled IN ('O', 'A') AND t.tgfoid = guard THEN encode(t.tgargs, 'escape') ELSE '' END
		FROM pg_trigger t WHERE t.tgrelid = relation AND t.tgname = trigger_name);
BEGIN
	IF NOT wanted AND present IS NULL OR wanted AND present = array_to_string(args, '\000') || '\000' THEN
		RETURN false;
	END IF;
	IF wanted THEN
		EXECUTE format('CREATE OR REPLACE TRIGGER %I %s ON %s FOR EACH %s EXECUTE FUNCTION %s(%L, %L, %L)',
			trigger_name, fires, relation, CASE WHEN fires LIKE '%TRUNCATE' THEN 'STATEMENT' ELSE 'ROW' END,
			guard::regproc, args[1], args[2], args[3]);
	ELSE
		EXECUTE format('DROP TRIGGER %I ON %s', trigger_name, relation);
	END IF;
	RETURN true;
END
$set_spree_trigger$;
COMMENT ON FUNCTION set_spree_trigger(regclass, name, boolean, text, regprocedure, text[]) IS
	'makes a trigger of spree_attach(), or drops it if it is not wanted; false if nothing was to be done';

CREATE FUNCTION spree_attach(store_credits regclass, profile text DEFAULT NULL, mode text DEFAULT 'enforce', rules text[] DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_attach$
DECLARE
	shop spree_shop;
	chosen text[] := check_spree_rules(coalesce(spree_attach.rules, spree_rules()));
	args text[];
	changed boolean;
BEGIN
	PERFORM check_spree_ledger(), require_value(spree_attach.store_credits::text, 'store_credits');
	IF spree_attach.mode IS NULL OR spree_attach.mode NOT IN ('warn', 'enforce') THEN
		RAISE EXCEPTION 'unknown mode: %', coalesce('"' || spree_attach.mode || '"', 'null')
			USING ERRCODE = 'invalid_parameter_value', HINT = 'Modes are "warn" and "enforce".';
	END IF;
	shop := spree_shop(spree_attach.store_credits, spree_attach.profile);
	PERFORM check_spree_owner(shop), check_spree_amounts(shop);
	IF shop.payments IS NULL AND chosen = '{payment}' THEN
		RAISE EXCEPTION 'table % has no payments beside it', shop.store_credits USING ERRCODE = 'undefined_table';
	END IF;

	-- in the order in which the applications write to the tables
	args := ARRAY[shop.profile, spree_attach.mode, array_to_string(chosen, ',')];
	changed := set_spree_trigger(shop.store_credits, 'storecredit_rules', true, 'AFTER INSERT OR UPDATE OR DELETE',
		'storecredit.spree_guard_credit()', args);
	changed := set_spree_trigger(shop.store_credits, 'storecredit_truncate', 'truncate' = ANY (chosen), 'BEFORE TRUNCATE',
		'storecredit.spree_guard_truncate()', args) OR changed;
	changed := set_spree_trigger(shop.events, 'storecredit_rules', chosen && '{closed_code,reconcile}', 'AFTER INSERT',
		'storecredit.spree_guard_event()', args) OR changed;
	changed := set_spree_trigger(shop.events, 'storecredit_truncate', 'truncate' = ANY (chosen), 'BEFORE TRUNCATE',
		'storecredit.spree_guard_truncate()', args) OR changed;
	IF shop.payments IS NOT NULL THEN
		changed := set_spree_trigger(shop.payments, 'storecredit_rules', 'payment' = ANY (chosen), 'AFTER INSERT OR UPDATE',
			'storecredit.spree_guard_payment()', args) OR changed;
	END IF;
	IF NOT changed THEN
		RAISE NOTICE 'table % is attached already, nothing done', shop.store_credits;
	END IF;
END
$spree_attach$;
COMMENT ON FUNCTION spree_attach(regclass, text, text, text[]) IS
	'puts rules under a Spree or Solidus shop''s tables, as their owner: profile "spree" or "solidus" (found if null), mode "enforce" or "warn", rules (spree_rules() if null); called again, it changes what is there to that';

CREATE FUNCTION spree_detach(store_credits regclass) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_detach$
DECLARE
	item record;
	found_any boolean := false;
BEGIN
	PERFORM require_value(spree_detach.store_credits::text, 'store_credits');
	-- by the functions that the triggers call, so that a shop whose tables have changed can leave as well
	FOR item IN
		SELECT t.tgrelid::regclass AS relation, t.tgname
		FROM unnest(ARRAY[spree_detach.store_credits, table_beside(spree_detach.store_credits, 'store_credit_events'),
			table_beside(spree_detach.store_credits, 'payments')]) WITH ORDINALITY r (id, place)
		JOIN pg_trigger t ON t.tgrelid = r.id AND t.tgparentid = 0
		WHERE t.tgfoid IN ('storecredit.spree_guard_credit()'::regprocedure, 'storecredit.spree_guard_event()'::regprocedure,
			'storecredit.spree_guard_payment()'::regprocedure, 'storecredit.spree_guard_truncate()'::regprocedure)
		ORDER BY r.place, t.tgname
	LOOP
		EXECUTE format('DROP TRIGGER %I ON %s', item.tgname, item.relation);
		found_any := true;
	END LOOP;
	IF NOT found_any THEN
		RAISE NOTICE 'table % is not attached, nothing done', spree_detach.store_credits;
	END IF;
END
$spree_detach$;
COMMENT ON FUNCTION spree_detach(regclass) IS 'takes away all that spree_attach() has made on a shop''s tables, as their owner; a notice and nothing else if there is nothing';

REVOKE EXECUTE ON FUNCTION
	spree_guard_credit(),
	spree_guard_event(),
	spree_guard_payment(),
	spree_guard_truncate(),
	set_spree_trigger(regclass, name, boolean, text, regprocedure, text[]),
	spree_attach(regclass, text, text, text[]),
	spree_detach(regclass)
FROM PUBLIC;
