-- The ledger's functions, on the tables of a Spree or Solidus shop.  doc/spree_functions.md has the whole picture.
--
-- They write what the application would write, with their caller's rights on its tables, and lock what it would
-- lock: the rows of the credits, in its order.

-- arguments ------------------------------------------------------------------------------------

CREATE FUNCTION spree_store(shop spree_shop, store_id bigint) RETURNS bigint
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_store$
DECLARE
	stores regclass := table_beside(shop.store_credits, 'stores');
	ids bigint[] := '{}';
BEGIN
	IF shop.store_column IS NULL AND store_id IS NOT NULL THEN
		RAISE EXCEPTION 'table % knows no stores', shop.store_credits
			USING ERRCODE = 'invalid_parameter_value', HINT = 'Leave store_id out.';
	END IF;
	IF shop.store_column IS NULL OR store_id IS NOT NULL THEN
		RETURN store_id;
	END IF;
	IF stores IS NOT NULL THEN
		EXECUTE format('SELECT array_agg(s.id) FROM (SELECT id FROM %s ORDER BY id LIMIT 2) s', stores) INTO ids;
	END IF;
	IF cardinality(ids) = 1 THEN
		RETURN ids[1];
	END IF;
	RAISE EXCEPTION 'store_id must not be null' USING ERRCODE = 'null_value_not_allowed',
		DETAIL = 'Credits belong to a store, and it can only be left out where there is one.';
END
$spree_store$;
COMMENT ON FUNCTION spree_store(spree_shop, bigint) IS 'the store that a call is about: the given one or the only one; null in a shop that knows no stores';

/* Solidus takes an amount of any currency for hundredths when an order is paid: it would spend 10 of 1000 yen. */
CREATE FUNCTION check_spree_currency(shop spree_shop, currency text) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, storecredit, pg_temp
AS $check_spree_currency$
DECLARE
	units integer := scale(money_ccy_amount(money_ccy_from_minor(1, currency)));
BEGIN
	IF shop.profile = 'solidus' AND units <> 2 THEN
		PERFORM raise_store_credit_error('unsupported_currency',
			format('Solidus reckons store credits in hundredths, and %s has %s decimals.', currency, units));
	END IF;
END
$check_spree_currency$;
COMMENT ON FUNCTION check_spree_currency(spree_shop, text) IS 'an error (SC007) if the application reckons wrongly in a currency';

CREATE FUNCTION check_spree_amount(shop spree_shop, amount money_ccy) RETURNS numeric
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, storecredit, pg_temp
AS $check_spree_amount$
DECLARE
	value numeric := money_ccy_amount(amount);
	limits record;
BEGIN
	PERFORM check_spree_currency(shop, money_ccy_currency(amount));
	limits := spree_column_limits(shop.store_credits, 'amount');
	IF round(value, limits.decimals) <> value THEN
		RAISE EXCEPTION 'amount % has more decimals than the shop''s tables', amount
			USING ERRCODE = 'invalid_parameter_value',
				DETAIL = format('Column "amount" of table %s has %s, and would round it.', shop.store_credits, limits.decimals);
	END IF;
	IF value >= limits.too_large THEN
		RAISE EXCEPTION 'amount % is too large for the shop''s tables', amount
			USING ERRCODE = 'numeric_value_out_of_range',
				DETAIL = format('Column "amount" of table %s holds less than %s.', shop.store_credits, limits.too_large);
	END IF;
	RETURN value;
END
$check_spree_amount$;
COMMENT ON FUNCTION check_spree_amount(spree_shop, money_ccy) IS 'an amount as the shop''s tables hold it, or an error: SC007, 22023 (too many decimals), 22003 (too large)';

/* The id of a row that is named, or of the only row; null if that does not tell. */
CREATE FUNCTION spree_named_id(named regclass, name text) RETURNS bigint
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_named_id$
DECLARE
	ids bigint[];
BEGIN
	IF named IS NULL THEN
		RETURN NULL;
	END IF;
	EXECUTE format('SELECT array_agg(n.id) FROM (SELECT id FROM %s WHERE $1 IS NULL OR name = $1 ORDER BY id LIMIT 2) n', named)
		INTO ids USING name;
	RETURN CASE WHEN name IS NOT NULL OR cardinality(ids) = 1 THEN ids[1] END;
END
$spree_named_id$;
COMMENT ON FUNCTION spree_named_id(regclass, text) IS 'id of the type or category of a name; without one, of the only one that there is; else null';

/* Required where the application requires it. */
CREATE FUNCTION require_spree_id(shop spree_shop, id bigint, argument text, given text, named regclass) RETURNS bigint
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, storecredit, pg_temp
AS $require_spree_id$
BEGIN
	IF id IS NULL AND given IS NOT NULL THEN
		RAISE EXCEPTION 'there is no % "%"', argument, given
			USING ERRCODE = 'invalid_parameter_value', DETAIL = coalesce(format('Table %s has none of that name.', named), 'The shop has no table of them.');
	END IF;
	IF id IS NULL AND shop.profile = 'solidus' THEN
		RAISE EXCEPTION '% must not be null', argument
			USING ERRCODE = 'null_value_not_allowed', DETAIL = 'Solidus could not save a credit without it.';
	END IF;
	RETURN id;
END
$require_spree_id$;
COMMENT ON FUNCTION require_spree_id(spree_shop, bigint, text, text, regclass) IS 'the id, or an error if a name was given that there is not (22023), or if the application requires it (22004)';

/* As the application finds the type of a credit that has none. */
CREATE FUNCTION spree_type_id(shop spree_shop, type text, category text) RETURNS bigint
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_type_id$
BEGIN
	RETURN CASE
		WHEN relation_column(shop.store_credits, 'type_id') IS NULL AND type IS NULL THEN NULL
		ELSE require_spree_id(shop, coalesce(
			spree_named_id(shop.types, coalesce(type, CASE category WHEN 'Gift Card' THEN 'Non-expiring' ELSE 'Expiring' END)),
			CASE WHEN type IS NULL THEN spree_named_id(shop.types, NULL) END), 'type', type, shop.types)
	END;
END
$spree_type_id$;
COMMENT ON FUNCTION spree_type_id(spree_shop, text, text) IS 'id of a type; without one, of Non-expiring for category Gift Card, else of Expiring, else of the only one';

CREATE FUNCTION spree_category_id(shop spree_shop, category text) RETURNS bigint
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_category_id$
BEGIN
	RETURN CASE
		WHEN relation_column(shop.store_credits, 'category_id') IS NULL AND category IS NULL THEN NULL
		ELSE require_spree_id(shop, spree_named_id(shop.categories, category), 'category', category, shop.categories)
	END;
END
$spree_category_id$;
COMMENT ON FUNCTION spree_category_id(spree_shop, text) IS 'id of a category; without one, of the only one';

/* Solidus looks for this address itself where it does not know who creates a credit. */
CREATE FUNCTION spree_creator(shop spree_shop, created_by_id bigint) RETURNS bigint
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_creator$
DECLARE
	users regclass := table_beside(shop.store_credits, 'users');
	id bigint := created_by_id;
BEGIN
	IF id IS NULL AND shop.profile = 'solidus' AND relation_column(users, 'email') IS NOT NULL THEN
		EXECUTE format('SELECT min(u.id) FROM %s u WHERE u.email = ''spree@example.com''', users) INTO id;
	END IF;
	RETURN require_spree_id(shop, id, 'created_by_id', NULL, users);
END
$spree_creator$;
COMMENT ON FUNCTION spree_creator(spree_shop, bigint) IS 'who creates a credit: the given one, or in Solidus the user spree@example.com';

-- credits --------------------------------------------------------------------------------------

/* The limits of the currency are the rule "limit" of spree_attach(), which binds the application and this alike. */
CREATE FUNCTION spree_store_credit_credit(user_id bigint, amount money_ccy, category text DEFAULT NULL, type text DEFAULT NULL,
	created_by_id bigint DEFAULT NULL, store_id bigint DEFAULT NULL, memo text DEFAULT NULL, expires_at timestamptz DEFAULT NULL,
	originator_type text DEFAULT NULL, originator_id bigint DEFAULT NULL, shop regclass DEFAULT NULL)
RETURNS spree_store_credit_entry
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_store_credit_credit$
DECLARE
	target spree_shop;
	at timestamp := spree_clock();
	value numeric;
	credit_id bigint;
	row_values jsonb;
BEGIN
	PERFORM require_ledger(), require_value(spree_store_credit_credit.user_id, 'user_id'),
		require_value(spree_store_credit_credit.amount, 'amount');
	target := the_spree_shop(spree_store_credit_credit.shop);
	IF money_ccy_to_minor(spree_store_credit_credit.amount) <= 0 THEN
		PERFORM raise_store_credit_error('credit_not_positive', format('The amount is %s.', spree_store_credit_credit.amount));
	END IF;
	value := check_spree_amount(target, spree_store_credit_credit.amount);

	-- nulls are left to the columns' defaults, which in every version are nulls, too
	row_values := jsonb_strip_nulls(jsonb_build_object(
		target.owner_column, spree_store_credit_credit.user_id,
		'amount', value,
		'currency', money_ccy_currency(spree_store_credit_credit.amount),
		'category_id', spree_category_id(target, spree_store_credit_credit.category),
		'type_id', spree_type_id(target, spree_store_credit_credit.type, spree_store_credit_credit.category),
		'created_by_id', spree_creator(target, spree_store_credit_credit.created_by_id),
		coalesce(target.store_column, 'store_id'), spree_store(target, spree_store_credit_credit.store_id),
		'memo', spree_store_credit_credit.memo,
		'created_at', at,
		'updated_at', at));
	EXECUTE format('INSERT INTO %1$s (%2$s) SELECT %2$s FROM jsonb_populate_record(NULL::%1$s, $1) RETURNING id', target.store_credits,
			(SELECT string_agg(quote_ident(k), ', ') FROM jsonb_object_keys(row_values) k))
		INTO credit_id USING row_values;
	IF spree_store_credit_credit.expires_at IS NOT NULL THEN
		PERFORM spree_expire_at(credit_id, spree_store_credit_credit.expires_at, target.store_credits);
	END IF;
	RETURN spree_add_event(target, credit_id, 'allocation', value, spree_authorization_code(target, credit_id),
		spree_store_credit_credit.originator_type, spree_store_credit_credit.originator_id);
END
$spree_store_credit_credit$;
COMMENT ON FUNCTION spree_store_credit_credit(bigint, money_ccy, text, text, bigint, bigint, text, timestamptz, text, bigint, regclass) IS
	'issues a store credit in a shop''s own tables, as the application would; returns the allocation event';

CREATE FUNCTION spree_store_credit_credit(user_id bigint, amount numeric, currency text, category text DEFAULT NULL, type text DEFAULT NULL,
	created_by_id bigint DEFAULT NULL, store_id bigint DEFAULT NULL, memo text DEFAULT NULL, expires_at timestamptz DEFAULT NULL,
	originator_type text DEFAULT NULL, originator_id bigint DEFAULT NULL, shop regclass DEFAULT NULL)
RETURNS spree_store_credit_entry
LANGUAGE SQL
RETURN storecredit.spree_store_credit_credit(user_id, storecredit.money_ccy(amount, currency), category, type, created_by_id, store_id, memo,
	expires_at, originator_type, originator_id, shop);
COMMENT ON FUNCTION spree_store_credit_credit(bigint, numeric, text, text, text, bigint, bigint, text, timestamptz, text, bigint, regclass) IS
	'the same for clients whose driver knows no money_ccy';

-- debits ---------------------------------------------------------------------------------------

/*
 * In the application's order, so that neither waits for the other in a circle: by the priority of their types,
 * and since 6.0, where there are none, the oldest first.  Spree leaves gift cards out, which it spends otherwise.
 */
CREATE FUNCTION spree_lock_credits(shop spree_shop, owner_id bigint, currency text, store_id bigint) RETURNS bigint[]
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_lock_credits$
DECLARE
	by_type boolean := shop.types IS NOT NULL AND shop.owner_column <> 'customer_id'
		AND relation_column(shop.store_credits, 'type_id') IS NOT NULL;
	ids bigint[] := '{}';
	id bigint;
BEGIN
	FOR id IN EXECUTE format('SELECT c.id FROM %s c %s
		WHERE c.%I = $1 AND c.currency = $2 AND c.deleted_at IS NULL AND c.amount > c.amount_used + greatest(c.amount_authorized, 0)%s%s%s
		ORDER BY %sc.created_at, c.id FOR UPDATE OF c',
		shop.store_credits,
		CASE WHEN by_type THEN format('LEFT JOIN %s t ON t.id = c.type_id', shop.types) ELSE '' END,
		shop.owner_column,
		spree_if_column(shop.invalidated_column, ' AND c.%I IS NULL'),
		spree_if_column(shop.store_column, ' AND c.%I = $3'),
		CASE WHEN shop.originator_column IS NULL THEN '' ELSE ' AND c.originator_type IS DISTINCT FROM ''Spree::GiftCard''' END,
		CASE WHEN by_type THEN 't.priority, ' ELSE '' END)
		USING owner_id, currency, store_id
	LOOP
		ids := ids || id;
	END LOOP;
	RETURN ids;
END
$spree_lock_credits$;
COMMENT ON FUNCTION spree_lock_credits(spree_shop, bigint, text, bigint) IS 'locks what a customer can spend of, in the order in which it is spent';

CREATE FUNCTION spree_take(shop spree_shop, store_credit_id bigint, amount numeric, originator_type text, originator_id bigint)
RETURNS spree_store_credit_entry
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_take$
DECLARE
	code text := spree_authorization_code(shop, store_credit_id);
BEGIN
	EXECUTE format('UPDATE %s SET amount_authorized = amount_authorized + $2, updated_at = $3 WHERE id = $1', shop.store_credits)
		USING store_credit_id, amount, spree_clock();
	PERFORM spree_add_event(shop, store_credit_id, 'authorize', amount, code, originator_type, originator_id);
	EXECUTE format('UPDATE %s SET amount_used = amount_used + $2, amount_authorized = amount_authorized - $2, updated_at = $3 WHERE id = $1',
		shop.store_credits) USING store_credit_id, amount, spree_clock();
	RETURN spree_add_event(shop, store_credit_id, 'capture', amount, code, originator_type, originator_id);
END
$spree_take$;
COMMENT ON FUNCTION spree_take(spree_shop, bigint, numeric, text, bigint) IS 'authorizes and captures an amount of one credit, as the application does; returns the capture';

CREATE FUNCTION spree_store_credit_debit(user_id bigint, amount money_ccy, allow_partial boolean DEFAULT false, store_id bigint DEFAULT NULL,
	originator_type text DEFAULT NULL, originator_id bigint DEFAULT NULL, shop regclass DEFAULT NULL)
RETURNS SETOF spree_store_credit_entry
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_store_credit_debit$
DECLARE
	target spree_shop;
	currency text := money_ccy_currency(require_value(spree_store_credit_debit.amount, 'amount'));
	locked bigint[];
	lots record;
	wanted numeric;
	taken numeric;
BEGIN
	PERFORM require_ledger(), require_value(spree_store_credit_debit.user_id, 'user_id');
	target := the_spree_shop(spree_store_credit_debit.shop);
	IF money_ccy_to_minor(spree_store_credit_debit.amount) <= 0 THEN
		PERFORM raise_store_credit_error('debit_not_positive', format('The amount is %s.', spree_store_credit_debit.amount));
	END IF;
	PERFORM check_spree_currency(target, currency);
	wanted := money_ccy_amount(spree_store_credit_debit.amount);
	locked := spree_lock_credits(target, spree_store_credit_debit.user_id, currency, spree_store(target, spree_store_credit_debit.store_id));

	-- read anew under the locks; what has ended is not there, swept or not
	EXECUTE format('SELECT coalesce(array_agg(c.id::bigint ORDER BY array_position($1, c.id::bigint)), ''{}'') AS ids,
			array_agg(c.available ORDER BY array_position($1, c.id::bigint)) AS amounts, coalesce(sum(c.available), 0.00) AS sum
		FROM (%s) c WHERE c.id = ANY ($1) AND c.expires_at > $2 AND c.available > 0', spree_live_credits(target))
		INTO lots USING locked, store_credit_clock();
	IF lots.sum > 0 AND spree_store_credit_debit.allow_partial THEN
		wanted := least(wanted, lots.sum);
	END IF;
	IF wanted > lots.sum THEN
		PERFORM raise_store_credit_error('insufficient_funds', format('Available are %s %s, the debit is %s.', lots.sum, currency, spree_store_credit_debit.amount));
	END IF;
	PERFORM check_spree_amount(target, money_ccy(wanted, currency));
	FOR n IN 1 .. cardinality(lots.ids) LOOP
		EXIT WHEN wanted = 0;
		taken := least(wanted, lots.amounts[n]);
		RETURN NEXT spree_take(target, lots.ids[n], taken, spree_store_credit_debit.originator_type, spree_store_credit_debit.originator_id);
		wanted := wanted - taken;
	END LOOP;
END
$spree_store_credit_debit$;
COMMENT ON FUNCTION spree_store_credit_debit(bigint, money_ccy, boolean, bigint, text, bigint, regclass) IS
	'spends store credit in a shop''s own tables: authorizes and captures, with a code for each credit that it takes from; returns the captures';

CREATE FUNCTION spree_store_credit_debit(user_id bigint, amount numeric, currency text, allow_partial boolean DEFAULT false, store_id bigint DEFAULT NULL,
	originator_type text DEFAULT NULL, originator_id bigint DEFAULT NULL, shop regclass DEFAULT NULL)
RETURNS SETOF spree_store_credit_entry
LANGUAGE SQL
BEGIN ATOMIC
	SELECT d.* FROM storecredit.spree_store_credit_debit(user_id, storecredit.money_ccy(amount, currency), allow_partial, store_id,
		originator_type, originator_id, shop) d;
END;
COMMENT ON FUNCTION spree_store_credit_debit(bigint, numeric, text, boolean, bigint, text, bigint, regclass) IS
	'the same for clients whose driver knows no money_ccy';

-- balances -------------------------------------------------------------------------------------

CREATE FUNCTION spree_store_credit_balance(user_id bigint, currency text, store_id bigint DEFAULT NULL, shop regclass DEFAULT NULL) RETURNS money_ccy
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_store_credit_balance$
DECLARE
	target spree_shop;
	code text := require_currency(spree_store_credit_balance.currency);
	total numeric;
BEGIN
	PERFORM require_ledger(), require_value(spree_store_credit_balance.user_id, 'user_id');
	target := the_spree_shop(spree_store_credit_balance.shop);
	EXECUTE format('SELECT coalesce(sum(c.available), 0) FROM (%s) c
		WHERE c.owner_id = $1 AND c.currency = $2 AND c.store_id IS NOT DISTINCT FROM $3 AND NOT c.is_gift_card
			AND c.available > 0 AND c.expires_at > $4', spree_live_credits(target))
		INTO total USING spree_store_credit_balance.user_id, code, spree_store(target, spree_store_credit_balance.store_id), store_credit_clock();
	RETURN money_ccy(total, code);
END
$spree_store_credit_balance$;
COMMENT ON FUNCTION spree_store_credit_balance(bigint, text, bigint, regclass) IS
	'what a customer of a shop can spend now, without gift cards; zero of the currency if there is nothing';

CREATE FUNCTION spree_balances(shop regclass DEFAULT NULL)
RETURNS TABLE (store_id bigint, owner_id text, currency text, credits bigint, balance numeric, held numeric, overdue numeric, gift_cards numeric)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, storecredit, pg_temp
AS $spree_balances$
BEGIN
	PERFORM require_ledger();
	RETURN QUERY EXECUTE format('SELECT c.store_id::bigint, c.owner_id::text, c.currency::text, count(*),
			coalesce(sum(c.available) FILTER (WHERE NOT c.is_gift_card AND c.expires_at > $1), 0),
			coalesce(sum(c.amount_authorized) FILTER (WHERE NOT c.is_gift_card AND c.amount_authorized > 0), 0),
			coalesce(sum(c.available) FILTER (WHERE NOT c.is_gift_card AND c.expires_at <= $1), 0),
			coalesce(sum(c.available) FILTER (WHERE c.is_gift_card), 0)
		FROM (%s) c WHERE c.available > 0 OR c.amount_authorized > 0
		GROUP BY 1, c.owner_id, 3 ORDER BY 1, c.owner_id, 3', spree_live_credits(the_spree_shop(spree_balances.shop)))
		USING store_credit_clock();
END
$spree_balances$;
COMMENT ON FUNCTION spree_balances(regclass) IS
	'what each customer of a shop has, by store and currency: what can be spent (balance), what is authorized (held), what has ended and is not swept (overdue), and beside these what is left of gift cards';

REVOKE EXECUTE ON FUNCTION
	spree_store_credit_credit(bigint, money_ccy, text, text, bigint, bigint, text, timestamptz, text, bigint, regclass),
	spree_store_credit_credit(bigint, numeric, text, text, text, bigint, bigint, text, timestamptz, text, bigint, regclass),
	spree_store_credit_debit(bigint, money_ccy, boolean, bigint, text, bigint, regclass),
	spree_store_credit_debit(bigint, numeric, text, boolean, bigint, text, bigint, regclass),
	spree_store_credit_balance(bigint, text, bigint, regclass),
	spree_balances(regclass)
FROM PUBLIC;
