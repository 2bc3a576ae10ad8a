-- Who may do what: levels of access, and the erasure of a person.  doc/access.md has the whole picture.

CREATE FUNCTION current_owner() RETURNS text
LANGUAGE C STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'storecredit_current_owner';
COMMENT ON FUNCTION current_owner() IS 'storecredit.current_owner, the owner whose rows a role of level customer sees; null if it is not set';

-- what a level has -----------------------------------------------------------------------------

CREATE FUNCTION access_functions(level text) RETURNS text[]
LANGUAGE SQL IMMUTABLE PARALLEL SAFE
RETURN CASE level
	WHEN 'reader' THEN '{store_credit_balance,store_credit_available,store_credit_apply,find_account,
		store_credit_timeline,store_credit_accounts,store_credit_balance_as_of,store_credit_balances_as_of,
		store_credit_liability,store_credit_top_holders,store_credit_roll_forward,store_credit_redemptions,
		store_credit_journal,store_credit_outstanding,store_credit_aging,aging_by_credit,aging_by_activity,
		period_bounds,held_credits,credit_expiry,aging_sums_now,aging_sums_as_of,
		store_credit_cohorts,store_credit_expiring,verify,chain_heads,chain_digest,
		spree_audit,spree_audit_summary,spree_row_findings,spree_limit_findings,spree_event_findings,spree_code_findings,
		spree_scale_findings,spree_reconciliation_findings,spree_payment_findings,spree_information_findings,
		spree_total_findings,spree_expiring,spree_store_credit_balance,spree_balances}'::text[]
	WHEN 'spender' THEN '{store_credit_apply,store_credit_balance,store_credit_debit,store_credit_debit_many,
		store_credit_account_debit,store_credit_authorize,store_credit_capture,store_credit_void,
		spree_store_credit_debit,spree_store_credit_balance}'
	WHEN 'issuer' THEN '{store_credit_credit,store_credit_credit_many,store_credit_account_credit,
		store_credit_refund,refund_rows,store_credit_revert,
		spree_store_credit_credit,spree_expire_at,spree_put_end}'
	WHEN 'manager' THEN '{store_credit_edit,store_credit_revoke,store_credit_set_limit,
		store_credit_set_account_limits,store_credit_expire,store_credit_remind,run_maintenance,store_credit_erase,
		store_credit_notifications,
		spree_expire,spree_expire_at,spree_expire_by_rule,spree_set_expiry_rule,spree_put_end,spree_drop_end,spree_put_rule,spree_drop_rule}'
	WHEN 'customer' THEN '{store_credit_balance,store_credit_available,store_credit_apply,find_account,
		store_credit_timeline,store_credit_accounts,store_credit_balance_as_of}'
END;
COMMENT ON FUNCTION access_functions(text) IS 'names of the functions that a level of access may call; null for no such level';

CREATE FUNCTION access_relations(level text) RETURNS text[]
LANGUAGE SQL IMMUTABLE PARALLEL SAFE
RETURN CASE level
	WHEN 'reader' THEN '{account,transaction,open_credit,hold,currency_limit,refund_bonus,posting,
		balance,allocation,credit,timeline,journal,liability,roll_forward,aging,cohort,redemption,
		worker_status,metrics,spree_violation,spree_violations,spree_expiry,spree_expiry_rule,spree_expired,spree_imported,spree_quarantine}'::text[]
	WHEN 'customer' THEN '{account,transaction,open_credit,hold,balance,allocation,credit,timeline}'
	WHEN 'spender' THEN '{spree_expiry,spree_expiry_rule}'
	WHEN 'issuer' THEN '{spree_expiry,spree_expiry_rule}'
	WHEN 'manager' THEN '{spree_expiry,spree_expiry_rule}'
	ELSE '{}'
END;
COMMENT ON FUNCTION access_relations(text) IS 'names of the tables and views that a level of access may read';

/*
 * The extension's own functions, and the ledger's own tables and views: what anybody else has put into the
 * schema under such a name is not among them.
 */
CREATE FUNCTION access_objects(level text)
RETURNS TABLE (is_function boolean, object oid, name text, acl aclitem[])
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, storecredit, pg_temp
AS $access_objects$
BEGIN
	RETURN QUERY
	SELECT true, p.oid, p.oid::regprocedure::text, coalesce(p.proacl, acldefault('f', p.proowner))
	FROM pg_proc p
	JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
	JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND e.extname = 'storecredit'
	WHERE p.proname = ANY (access_functions(level))
	UNION ALL
	SELECT false, c.oid, c.oid::regclass::text, coalesce(c.relacl, acldefault('r', c.relowner))
	FROM pg_class c
	WHERE c.relnamespace = 'storecredit'::regnamespace AND c.relname = ANY (access_relations(level))
		AND c.relkind IN ('r', 'p', 'v')
		AND c.relowner = (SELECT a.relowner FROM pg_class a WHERE a.oid = 'storecredit.account'::regclass);
END
$access_objects$;
COMMENT ON FUNCTION access_objects(text) IS 'the functions, tables and views of a level of access, with their privileges';

CREATE FUNCTION has_access(role text, level text) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, storecredit, pg_temp
AS $has_access$
BEGIN
	RETURN NOT EXISTS (
			SELECT FROM access_objects(level) o
			WHERE NOT EXISTS (
				SELECT FROM aclexplode(o.acl) x
				WHERE x.grantee = quote_ident(role)::regrole
					AND x.privilege_type = CASE WHEN o.is_function THEN 'EXECUTE' ELSE 'SELECT' END))
		AND (level <> 'customer' OR quote_ident(role)::regrole = ANY (customer_roles()));
END
$has_access$;
COMMENT ON FUNCTION has_access(text, text) IS 'whether a role itself has been granted all that a level of access has';

-- customers ------------------------------------------------------------------------------------

CREATE FUNCTION customer_roles() RETURNS oid[]
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $customer_roles$
BEGIN
	RETURN coalesce((SELECT p.polroles FROM pg_policy p
		WHERE p.polrelid = 'storecredit.account'::regclass AND p.polname = 'customer'), '{}');
END
$customer_roles$;
COMMENT ON FUNCTION customer_roles() IS 'the roles of level customer';

/*
 * On one table: a restrictive policy narrows what the customers see, and a permissive one lets everybody else
 * see what they saw, where row-level security comes to the table by this.  Where it was there before, with
 * policies of the table's owner, these go on to decide for everybody else.
 */
CREATE FUNCTION set_customer_policy(relation regclass, own_rows text, roles text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $set_customer_policy$
DECLARE
	for_all boolean := (SELECT p.polroles = '{0}' FROM pg_policy p WHERE p.polrelid = relation AND p.polname = 'customer_access');
BEGIN
	IF for_all IS NULL AND roles IS NOT NULL THEN
		for_all := NOT (SELECT c.relrowsecurity FROM pg_class c WHERE c.oid = relation);
		EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', relation);
		EXECUTE format('CREATE POLICY customer_access ON %s TO %s USING (true)', relation, CASE WHEN for_all THEN 'PUBLIC' ELSE roles END);
		EXECUTE format('CREATE POLICY customer ON %s AS RESTRICTIVE TO %s USING (%s)', relation, roles, own_rows);
	ELSIF roles IS NOT NULL THEN
		EXECUTE format('ALTER POLICY customer ON %s TO %s', relation, roles);
		IF NOT for_all THEN
			EXECUTE format('ALTER POLICY customer_access ON %s TO %s', relation, roles);
		END IF;
	ELSIF for_all IS NOT NULL THEN
		EXECUTE format('DROP POLICY customer ON %s', relation);
		EXECUTE format('DROP POLICY customer_access ON %s', relation);
		IF for_all AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = relation) THEN
			EXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', relation);
		END IF;
	END IF;
END
$set_customer_policy$;
COMMENT ON FUNCTION set_customer_policy(regclass, text, text) IS 'makes the policies of a table for a list of customers, or takes them away if it is null';

/* The tables' owner, and so whatever the functions write, is not bound. */
CREATE FUNCTION set_customer_roles(roles oid[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $set_customer_roles$
DECLARE
	list text := (SELECT string_agg(quote_ident(r.rolname), ', ' ORDER BY r.rolname) FROM pg_roles r WHERE r.oid = ANY (roles));
	own_account text := 'owner OPERATOR(pg_catalog.=) storecredit.current_owner()';
	own_rows text := format('account_id OPERATOR(pg_catalog.=) ANY (ARRAY(SELECT a.account_id FROM storecredit.account a WHERE a.%s))', own_account);
BEGIN
	PERFORM set_customer_policy('storecredit.account', own_account, list),
		set_customer_policy('storecredit.transaction', own_rows, list),
		set_customer_policy('storecredit.open_credit', own_rows, list),
		set_customer_policy('storecredit.hold', own_rows, list);
END
$set_customer_roles$;
COMMENT ON FUNCTION set_customer_roles(oid[]) IS 'makes these the roles that see only the rows of storecredit.current_owner';

-- granting -------------------------------------------------------------------------------------

CREATE FUNCTION check_access_arguments(role text, level text) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, storecredit, pg_temp
AS $check_access_arguments$
BEGIN
	PERFORM require_ledger(), require_value(role, 'role'), require_value(level, 'level');
	IF access_functions(level) IS NULL THEN
		RAISE EXCEPTION 'unrecognized level of access: "%"', level
			USING ERRCODE = 'invalid_parameter_value', HINT = 'It can be "reader", "spender", "issuer", "manager" or "customer".';
	END IF;
	IF NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = role) THEN
		RAISE EXCEPTION 'role "%" does not exist', role USING ERRCODE = 'undefined_object';
	END IF;
END
$check_access_arguments$;
COMMENT ON FUNCTION check_access_arguments(text, text) IS 'an error unless there is a ledger, such a role and such a level of access';

CREATE FUNCTION grant_objects(role text, level text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $grant_objects$
DECLARE
	item record;
BEGIN
	FOR item IN SELECT * FROM access_objects(level) LOOP
		EXECUTE format(CASE WHEN item.is_function THEN 'GRANT EXECUTE ON ROUTINE %s TO %I' ELSE 'GRANT SELECT ON %s TO %I' END,
			item.name, role);
	END LOOP;
	IF NOT has_access(role, level) AND level <> 'customer' THEN
		RAISE EXCEPTION 'permission denied to grant level "%"', level
			USING ERRCODE = 'insufficient_privilege',
				DETAIL = 'It takes the right to grant the extension''s functions and the ledger''s tables.',
				HINT = 'Call this as a superuser.';
	END IF;
END
$grant_objects$;
COMMENT ON FUNCTION grant_objects(text, text) IS 'grants what a level of access has, with the caller''s rights';

CREATE FUNCTION grant_access(role text, level text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $grant_access$
DECLARE
	others text[];
BEGIN
	PERFORM check_access_arguments(role, level);
	others := ARRAY(SELECT l FROM unnest('{reader,spender,issuer,manager,customer}'::text[]) l
		WHERE l <> level AND has_access(role, l));
	IF level = 'customer' AND others <> '{}' OR 'customer' = ANY (others) THEN
		RAISE EXCEPTION 'level "customer" goes with no other'
			USING ERRCODE = 'object_not_in_prerequisite_state',
				DETAIL = format('Role "%s" has %s.', role, array_to_string(others, ', ')),
				HINT = 'Revoke that first, or use another role.';
	END IF;
	EXECUTE format('GRANT USAGE ON SCHEMA storecredit TO %I', role);
	IF level = 'customer' THEN
		PERFORM set_customer_roles(customer_roles() || quote_ident(role)::regrole::oid);
	END IF;
	PERFORM grant_objects(role, level);
END
$grant_access$;
COMMENT ON FUNCTION grant_access(text, text) IS
	'gives a role a level of access: reader, spender, issuer, manager or customer';

CREATE FUNCTION revoke_access(role text, level text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $revoke_access$
DECLARE
	others text[];
	other text;
	item record;
BEGIN
	PERFORM check_access_arguments(role, level);
	others := ARRAY(SELECT l FROM unnest('{reader,spender,issuer,manager}'::text[]) l
		WHERE l <> level AND has_access(role, l));
	FOR item IN SELECT * FROM access_objects(level) LOOP
		EXECUTE format(CASE WHEN item.is_function THEN 'REVOKE EXECUTE ON ROUTINE %s FROM %I' ELSE 'REVOKE SELECT ON %s FROM %I' END,
			item.name, role);
	END LOOP;
	-- what another level of the role's has, too, stays
	FOREACH other IN ARRAY others LOOP
		PERFORM grant_objects(role, other);
	END LOOP;
	IF others = '{}' THEN
		EXECUTE format('REVOKE USAGE ON SCHEMA storecredit FROM %I', role);
	END IF;
	-- last of all: until the rights are gone, the rows stay hidden
	IF level = 'customer' THEN
		PERFORM set_customer_roles(array_remove(customer_roles(), quote_ident(role)::regrole::oid));
	END IF;
	IF EXISTS (SELECT FROM access_objects(level) o CROSS JOIN LATERAL aclexplode(o.acl) x
			WHERE x.grantee = quote_ident(role)::regrole AND others = '{}') THEN
		RAISE EXCEPTION 'permission denied to revoke level "%"', level
			USING ERRCODE = 'insufficient_privilege', HINT = 'Call this as the role that granted it, or as a superuser.';
	END IF;
END
$revoke_access$;
COMMENT ON FUNCTION revoke_access(text, text) IS
	'takes a level of access from a role, and leaves it the others that it has';

-- erasure --------------------------------------------------------------------------------------

CREATE FUNCTION store_credit_erase(owner text, replacement text DEFAULT NULL) RETURNS bigint
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000 AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION store_credit_erase(text, text) IS
	'erases a person: blanks memo and metadata in an owner''s accounts, which must be empty, and puts replacement (a random name if null) in the place of owner; returns how many accounts there were';

REVOKE EXECUTE ON FUNCTION
	set_customer_policy(regclass, text, text),
	set_customer_roles(oid[]),
	grant_objects(text, text),
	grant_access(text, text),
	revoke_access(text, text),
	store_credit_erase(text, text)
FROM PUBLIC;
