-- The proof that the books add up: doc/verify.md has the rules.

CREATE FUNCTION verify()
RETURNS TABLE (account_id bigint, rule text, expected text, found text)
LANGUAGE C STABLE PARALLEL UNSAFE COST 1000000 ROWS 10 AS 'MODULE_PATHNAME', 'storecredit_verify_ledger';
COMMENT ON FUNCTION verify() IS
	'checks every account against every rule of the ledger, as of one moment; returns the violations: no row, all is sound';

CREATE FUNCTION verify(account_id bigint)
RETURNS TABLE (account_id bigint, rule text, expected text, found text)
LANGUAGE C STABLE PARALLEL UNSAFE COST 10000 ROWS 1 AS 'MODULE_PATHNAME', 'storecredit_verify_account';
COMMENT ON FUNCTION verify(bigint) IS
	'checks one account against every rule of the ledger; returns the violations: no row, it is sound';

REVOKE EXECUTE ON FUNCTION verify(), verify(bigint) FROM PUBLIC;
