
CREATE FUNCTION store_credit_channels() RETURNS text
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'storecredit_next_channels';
COMMENT ON FUNCTION store_credit_channels() IS 'where credit can be spent';

CREATE FUNCTION store_credit_tier(account_id bigint) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, storecredit, pg_temp
AS $$ BEGIN RETURN (SELECT a.tier FROM storecredit.account a WHERE a.account_id = store_credit_tier.account_id); END $$;
COMMENT ON FUNCTION store_credit_tier(bigint) IS 'what is new in the account';

REVOKE EXECUTE ON FUNCTION store_credit_tier(bigint) FROM PUBLIC;
