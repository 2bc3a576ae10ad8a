-- ALTER EXTENSION ... UPDATE brings the extension's own objects up to date, and with ALTER TYPE ... CASCADE
-- the tables made OF its types.  The rest of the ledger is its owner's, and so is upgrade_ledger().

CREATE FUNCTION upgrade_ledger() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, storecredit, pg_temp
AS $upgrade_ledger$
DECLARE
	ledger_owner name := (SELECT pg_get_userbyid(c.relowner) FROM pg_class c WHERE c.oid = to_regclass('storecredit.account'));
	taken text[] := '{}';
BEGIN
	IF ledger_owner IS NULL OR to_regclass('storecredit.transaction') IS NULL THEN
		RAISE EXCEPTION 'the store credit ledger does not exist in this database'
			USING ERRCODE = 'undefined_table',
				DETAIL = format('There is no table "storecredit.%s".', CASE WHEN ledger_owner IS NULL THEN 'account' ELSE 'transaction' END),
				HINT = 'Make it with SELECT storecredit.create_ledger().';
	END IF;
	-- Anybody else, a superuser too, would own what a step makes.
	IF ledger_owner <> current_user THEN
		RAISE EXCEPTION 'must be owner of the store credit ledger'
			USING ERRCODE = 'insufficient_privilege',
				DETAIL = format('The ledger belongs to %I, the current user is %I.', ledger_owner, current_user),
				HINT = format('SET ROLE %I.', ledger_owner);
	END IF;

	-- A step for each change of create_ledger() since 1.0, the oldest first.  The tables may be of any older
	-- version, or come from its dump, and a step may have been taken before: so each looks in the catalogs for
	-- what it makes, makes it where it is missing, and adds its name to taken.  A new column goes last, here and
	-- in create_ledger().  Every call takes account first, and so does a step: LOCK TABLE storecredit.account.
	-- (here)

	IF taken = '{}' THEN
		RAISE NOTICE 'the ledger is up to date, nothing done';
	ELSE
		RAISE NOTICE 'the ledger is up to date: %', array_to_string(taken, ', ');
	END IF;
END
$upgrade_ledger$;
COMMENT ON FUNCTION upgrade_ledger() IS 'brings the tables of an older version of the ledger up to date, as their owner; a notice and nothing else if they are';
