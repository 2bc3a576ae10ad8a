-- Levels of access: what each may do, and that it may do nothing else, through functions, views and tables alike.
SET client_min_messages = warning;
SELECT storecredit.create_ledger();
SET search_path = "$user", public, storecredit;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET storecredit.test_clock = '2026-11-27 09:00+00';
ALTER SEQUENCE account_number_seq RESTART 960001;
\set SHOW_CONTEXT never
CREATE ROLE regress_storecredit_reader;
CREATE ROLE regress_storecredit_spender;
CREATE ROLE regress_storecredit_issuer;
CREATE ROLE regress_storecredit_manager;
CREATE ROLE regress_storecredit_customer;
CREATE ROLE regress_storecredit_nobody;
GRANT USAGE ON SCHEMA storecredit TO regress_storecredit_nobody;

-- wrong arguments change nothing
SELECT grant_access('regress_storecredit_reader', 'king');
SELECT grant_access('regress_storecredit_missing', 'reader');
SELECT grant_access(NULL, 'reader');
SELECT revoke_access('regress_storecredit_reader', NULL);
SELECT grant_access('public', 'reader');
-- it takes a superuser
SELECT has_function_privilege('regress_storecredit_nobody', 'grant_access(text, text)', 'EXECUTE');
GRANT EXECUTE ON FUNCTION grant_access(text, text), grant_objects(text, text) TO regress_storecredit_nobody;
SET ROLE regress_storecredit_nobody;
SELECT storecredit.grant_access('regress_storecredit_nobody', 'issuer');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
RESET ROLE;
REVOKE EXECUTE ON FUNCTION grant_access(text, text), grant_objects(text, text) FROM regress_storecredit_nobody;

-- given
SELECT grant_access('regress_storecredit_' || level, level) FROM unnest('{reader,spender,issuer,manager,customer}'::text[]) level;
SELECT seq FROM store_credit_credit('access/own', '50 USD', expires_at => '2027-06-01Z');
SELECT seq FROM store_credit_credit('access/other', '70 USD');
SELECT seq FROM store_credit_debit(960001, '10 USD');
SELECT hold_id FROM store_credit_authorize(960001, '5 USD');
SELECT hold_id FROM store_credit_authorize(960002, '5 USD', expires_at => '2026-12-01Z');
SET storecredit.current_owner = 'access/own';

-- every function of the extension that is not everybody's, with the levels that have it
SELECT p.proname, string_agg(DISTINCT level, ' ' ORDER BY level) AS levels
FROM pg_proc p LEFT JOIN unnest('{reader,spender,issuer,manager,customer,nobody}'::text[]) level
	ON has_function_privilege('regress_storecredit_' || level, p.oid, 'EXECUTE')
WHERE pronamespace = 'storecredit'::regnamespace AND NOT has_function_privilege('regress_storecredit_nobody', p.oid, 'EXECUTE')
GROUP BY p.proname ORDER BY p.proname COLLATE "C";
-- overloads of a function go together
SELECT p.proname FROM pg_proc p CROSS JOIN unnest('{reader,spender,issuer,manager,customer}'::text[]) level
WHERE pronamespace = 'storecredit'::regnamespace
GROUP BY p.proname, level HAVING count(DISTINCT has_function_privilege('regress_storecredit_' || level, p.oid, 'EXECUTE')) > 1;
-- every table, view and sequence, with the levels that may read it; nobody may do anything else to one
SELECT c.relname, string_agg(level, ' ' ORDER BY level) AS levels
FROM pg_class c LEFT JOIN unnest('{reader,spender,issuer,manager,customer,nobody}'::text[]) level
	ON CASE c.relkind WHEN 'S' THEN has_sequence_privilege('regress_storecredit_' || level, c.oid, 'USAGE, SELECT, UPDATE')
		ELSE has_any_column_privilege('regress_storecredit_' || level, c.oid, 'SELECT') END
WHERE relnamespace = 'storecredit'::regnamespace AND relkind IN ('r', 'v', 'S')
GROUP BY c.relname ORDER BY c.relname COLLATE "C";
SELECT c.relname, level FROM pg_class c CROSS JOIN unnest('{reader,spender,issuer,manager,customer,nobody}'::text[]) level
WHERE relnamespace = 'storecredit'::regnamespace AND relkind IN ('r', 'v')
	AND (has_any_column_privilege('regress_storecredit_' || level, c.oid, 'INSERT, UPDATE, REFERENCES')
		OR has_table_privilege('regress_storecredit_' || level, c.oid, 'DELETE, TRUNCATE, TRIGGER'));

-- and tried out: yes, no (42501), or the SQLSTATE of an error further on; nothing of it stays
CREATE FUNCTION pg_temp.try(level text, statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE 'SET LOCAL ROLE regress_storecredit_' || level;
	EXECUTE statement;
	RAISE EXCEPTION SQLSTATE 'YES00';
EXCEPTION
	WHEN SQLSTATE 'YES00' THEN RETURN 'yes';
	WHEN insufficient_privilege THEN RETURN 'no';
	WHEN OTHERS THEN RETURN SQLSTATE;
END$$;
CREATE TEMP TABLE attempt (n int GENERATED ALWAYS AS IDENTITY, statement text);
INSERT INTO attempt (statement) VALUES
	('SELECT storecredit.store_credit_balance(''access/own'', ''USD'')'),
	('SELECT storecredit.store_credit_available(960001)'),
	('SELECT storecredit.store_credit_apply(''access/own'', ''10 USD'')'),
	('SELECT storecredit.store_credit_timeline(''access/own'', ''USD'')'),
	('SELECT storecredit.store_credit_accounts(''access/own'')'),
	('SELECT storecredit.store_credit_balance_as_of(''access/own'', ''USD'', ''2026-11-28Z'')'),
	('SELECT storecredit.store_credit_liability()'),
	('SELECT storecredit.store_credit_liability(''2026-11-28Z'')'),
	('SELECT storecredit.store_credit_roll_forward()'),
	('SELECT storecredit.store_credit_aging(''issue'')'),
	('SELECT storecredit.store_credit_aging(''expiry'', ''2026-11-28Z'')'),
	('SELECT storecredit.store_credit_aging(''activity'')'),
	('SELECT storecredit.store_credit_cohorts()'),
	('SELECT storecredit.store_credit_redemptions()'),
	('SELECT storecredit.store_credit_journal(''-infinity'')'),
	('SELECT storecredit.store_credit_top_holders(''USD'')'),
	('SELECT storecredit.store_credit_expiring(30)'),
	('SELECT storecredit.verify(960001)'),
	('SELECT storecredit.store_credit_debit(''access/own'', ''1 USD'')'),
	('SELECT storecredit.store_credit_debit(960001, 1, ''USD'')'),
	('SELECT storecredit.store_credit_debit_many(''[{"account_id": 960001, "amount": "1 USD"}]'')'),
	('SELECT storecredit.store_credit_account_debit(''access/own'', ''{"debitAmount": {"amount": "1", "currencyCode": "USD"}}'')'),
	('SELECT storecredit.store_credit_authorize(''access/own'', 1, ''USD'')'),
	('SELECT storecredit.store_credit_capture(960001, 1, ''1 USD'')'),
	('SELECT storecredit.store_credit_void(960001, 1)'),
	('SELECT storecredit.store_credit_credit(''access/own'', ''1 USD'')'),
	('SELECT storecredit.store_credit_credit(960001, 1, ''USD'')'),
	('SELECT storecredit.store_credit_credit_many(''[{"account_id": 960001, "amount": "1 USD"}]'')'),
	('SELECT storecredit.store_credit_account_credit(''access/own'', ''{"creditAmount": {"amount": "1", "currencyCode": "USD"}}'')'),
	('SELECT storecredit.store_credit_refund(''access/own'', 1, ''USD'', bonus_percent => 10)'),
	('SELECT storecredit.store_credit_revert(960001, 2)'),
	('SELECT storecredit.store_credit_edit(960001, 1, memo => ''x'')'),
	('SELECT storecredit.store_credit_revoke(960001, 1)'),
	('SELECT storecredit.store_credit_expire(1)'),
	('SELECT storecredit.store_credit_set_limit(''USD'')'),
	('SELECT storecredit.store_credit_set_account_limits(960001)'),
	('SELECT storecredit.store_credit_erase(''access/own'')'),
	('SELECT storecredit.store_credit_notifications(1)'),
	('SELECT storecredit.create_ledger()'),
	('SELECT storecredit.grant_access(''regress_storecredit_nobody'', ''reader'')'),
	('SELECT storecredit.revoke_access(''regress_storecredit_reader'', ''reader'')'),
	('SET storecredit.current_owner = ''access/other'''),
	('SET storecredit.test_clock = ''2020-01-01Z'''),
	('SET storecredit.locked_until = ''2020-01-01Z'''),
	('SET row_security = off; SELECT FROM storecredit.account'),
	('ALTER TABLE storecredit.account DISABLE ROW LEVEL SECURITY'),
	('CREATE TABLE storecredit.mine ()');
INSERT INTO attempt (statement) SELECT format('SELECT FROM storecredit.%I', relname)
FROM pg_class WHERE relnamespace = 'storecredit'::regnamespace AND relkind IN ('r', 'v') ORDER BY relname COLLATE "C";
INSERT INTO attempt (statement) SELECT format(f, relname)
FROM pg_class, unnest('{INSERT INTO storecredit.%I DEFAULT VALUES,DELETE FROM storecredit.%I,TRUNCATE storecredit.%I,LOCK storecredit.%I}'::text[]) WITH ORDINALITY f (f, n)
WHERE relnamespace = 'storecredit'::regnamespace AND relkind = 'r' ORDER BY n, relname COLLATE "C";
INSERT INTO attempt (statement) VALUES
	('UPDATE storecredit.account SET owner = owner'), ('UPDATE storecredit.transaction SET memo = NULL'),
	('UPDATE storecredit.open_credit SET seq = seq'), ('UPDATE storecredit.hold SET status = status'),
	('SELECT FROM storecredit.account FOR UPDATE'), ('SELECT nextval(''storecredit.account_number_seq'')');
SELECT statement, pg_temp.try('reader', statement) AS reader, pg_temp.try('spender', statement) AS spender, pg_temp.try('issuer', statement) AS issuer,
	pg_temp.try('manager', statement) AS manager, pg_temp.try('customer', statement) AS customer, pg_temp.try('nobody', statement) AS nobody
FROM attempt ORDER BY n;

-- the customer: rows of storecredit.current_owner and no other, on tables, in views and through functions
SET ROLE regress_storecredit_customer;
SELECT owner, balance FROM account;
SELECT account_id, seq, kind FROM transaction;
SELECT account_id, seq, remaining FROM open_credit;
SELECT account_id, hold_id FROM hold;
SELECT owner, available FROM balance;
SELECT account_id, debit_seq, hold_id, credit_seq, amount FROM allocation;
SELECT owner, seq, remaining FROM credit;
SELECT owner, kind, amount FROM timeline;
SELECT owner, store_credit_balance(owner, 'USD'), store_credit_apply(owner, '100 USD'), store_credit_balance_as_of(owner, 'USD', '2026-11-28Z')
FROM unnest('{access/own,access/other}'::text[]) owner;
SELECT n, store_credit_available(n) FROM unnest('{960001,960002}'::bigint[]) n;
SELECT owner, count(t.*) FROM unnest('{access/own,access/other}'::text[]) owner LEFT JOIN LATERAL store_credit_timeline(owner, 'USD') t ON true GROUP BY owner ORDER BY owner;
SELECT owner, count(t.*) FROM unnest('{access/own,access/other}'::text[]) owner LEFT JOIN LATERAL store_credit_accounts(owner) t ON true GROUP BY owner ORDER BY owner;
-- not by a condition that tells what it sees either
CREATE FUNCTION pg_temp.tell(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$BEGIN RAISE WARNING 'seen: %', $1; RETURN true; END$$;
SELECT count(*) FROM balance WHERE pg_temp.tell(owner);
SELECT count(*) FROM timeline WHERE seq = 1 AND pg_temp.tell(owner);
-- whoever is named next sees that; while nobody is, nothing
RESET ROLE;
SET storecredit.current_owner = 'access/other';
SET ROLE regress_storecredit_customer;
SELECT owner, available FROM balance;
RESET ROLE;
RESET storecredit.current_owner;
SET ROLE regress_storecredit_customer;
SELECT owner FROM account;
SELECT store_credit_balance('access/own', 'USD'), store_credit_available(960001);
RESET ROLE;
-- a forger names another owner, in a session that does not know the setting yet, and in one that does
CREATE ROLE regress_storecredit_forger IN ROLE regress_storecredit_customer;
\c -
SET client_min_messages = error;
SET SESSION AUTHORIZATION regress_storecredit_forger;
SET storecredit.current_owner = 'access/other';
SELECT owner FROM storecredit.account;
SELECT storecredit.store_credit_balance('access/other', 'USD');
SET storecredit.current_owner = 'access/other';
SELECT set_config('storecredit.current_owner', 'access/other', true);
SELECT storecredit.current_owner() IS NULL AS none;
RESET SESSION AUTHORIZATION;
-- an application's login may name the owner, for the transaction, once it was granted that
CREATE ROLE regress_storecredit_app NOINHERIT IN ROLE regress_storecredit_customer;
GRANT SET ON PARAMETER storecredit.current_owner TO regress_storecredit_app;
\c -
SET client_min_messages = warning;
SET SESSION AUTHORIZATION regress_storecredit_app;
SELECT owner FROM storecredit.account;
BEGIN;
SET LOCAL storecredit.current_owner = 'access/own';
SET LOCAL ROLE regress_storecredit_customer;
SELECT owner, balance FROM storecredit.account;
COMMIT;
SET ROLE regress_storecredit_customer;
SELECT owner, balance FROM storecredit.account;
RESET ROLE;
RESET SESSION AUTHORIZATION;
SET search_path = "$user", public, storecredit;
SET storecredit.test_clock = '2026-11-27 09:00+00';

-- everybody else sees what they saw, and the functions what they must
SET ROLE regress_storecredit_reader;
SELECT owner, balance FROM account WHERE owner LIKE 'access/%' ORDER BY owner;
RESET ROLE;
SET ROLE regress_storecredit_spender;
SELECT store_credit_balance('access/own', 'USD');
SELECT recorded_by = session_user AS by_session FROM store_credit_debit('access/own', '1 USD');
RESET ROLE;

-- a customer is nothing else
SELECT grant_access('regress_storecredit_customer', 'spender');
SELECT grant_access('regress_storecredit_reader', 'customer');
-- a level twice is a level once; two levels share what both have
SELECT grant_access('regress_storecredit_spender', 'spender'), grant_access('regress_storecredit_spender', 'reader');
SELECT revoke_access('regress_storecredit_spender', 'reader');
SELECT has_access('regress_storecredit_spender', 'spender') AS spender, has_access('regress_storecredit_spender', 'reader') AS reader,
	has_function_privilege('regress_storecredit_spender', 'store_credit_balance(text, text)', 'EXECUTE') AS balance,
	has_table_privilege('regress_storecredit_spender', 'account', 'SELECT') AS tables;

-- a hostile role with a schema of its own, and public: names of its own change nothing for those who look there first
CREATE ROLE regress_storecredit_hostile;
CREATE SCHEMA regress_hostile AUTHORIZATION regress_storecredit_hostile;
GRANT CREATE ON SCHEMA public TO regress_storecredit_hostile;
GRANT USAGE ON SCHEMA storecredit TO regress_storecredit_hostile;
SET ROLE regress_storecredit_hostile;
CREATE FUNCTION regress_hostile.caught() RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE WARNING 'caught %', current_user; RETURN true; END$$;
DO $$
DECLARE
	space text;
	item text;
BEGIN
	FOREACH space IN ARRAY '{public,regress_hostile}'::text[] LOOP
		FOREACH item IN ARRAY '{text,bigint,timestamptz,storecredit.money_ccy}'::text[] LOOP
			EXECUTE format('CREATE FUNCTION %s.caught(%s, %s) RETURNS boolean LANGUAGE sql AS $f$SELECT regress_hostile.caught()$f$', space, item, item);
			EXECUTE format('CREATE OPERATOR %s.= (LEFTARG = %s, RIGHTARG = %s, FUNCTION = %s.caught)', space, item, item, space);
			EXECUTE format('CREATE OPERATOR %s.<= (LEFTARG = %s, RIGHTARG = %s, FUNCTION = %s.caught)', space, item, item, space);
		END LOOP;
		EXECUTE format('CREATE FUNCTION %s.money_ccy_currency(storecredit.money_ccy) RETURNS text LANGUAGE sql AS $f$SELECT regress_hostile.caught()::text$f$', space);
		EXECUTE format('CREATE FUNCTION %s.quote_ident(text) RETURNS text LANGUAGE sql AS $f$SELECT regress_hostile.caught()::text$f$', space);
		EXECUTE format('CREATE FUNCTION %s.has_access(text, text) RETURNS boolean LANGUAGE sql AS $f$SELECT regress_hostile.caught()$f$', space);
		EXECUTE format('CREATE FUNCTION %s.find_account(text, text) RETURNS bigint LANGUAGE sql AS $f$SELECT regress_hostile.caught()::int::bigint$f$', space);
	END LOOP;
END$$;
-- it cannot put a trigger on the ledger, nor anything into the ledger's schema
CREATE FUNCTION regress_hostile.fire() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM regress_hostile.caught(); RETURN NEW; END$$;
CREATE TRIGGER mine BEFORE INSERT ON storecredit.transaction FOR EACH ROW EXECUTE FUNCTION regress_hostile.fire();
CREATE FUNCTION storecredit.mine() RETURNS integer LANGUAGE sql AS 'SELECT 1';
RESET ROLE;
SET search_path = regress_hostile, public, pg_catalog;
SELECT 'a'::text = 'b'::text AS the_trap_works;
SELECT FROM storecredit.store_credit_timeline('access/own', 'USD');
SELECT FROM storecredit.store_credit_accounts('access/own');
SELECT storecredit.store_credit_apply('access/own', '1 USD'), storecredit.store_credit_balance_as_of('access/own', 'USD', '2026-11-28Z');
SELECT count(*) >= 0::int AS done FROM storecredit.store_credit_roll_forward('2026-11-01Z', '2026-12-01Z', 'month');
SELECT count(*) >= 0::int AS done FROM storecredit.liability;
SELECT count(*) >= 0::int AS done FROM storecredit.aging;
SELECT count(*) >= 0::int AS done FROM storecredit.cohort;
SELECT count(*) >= 0::int AS done FROM storecredit.redemption;
SELECT count(*) >= 0::int AS done FROM storecredit.journal;
SELECT count(*) >= 0::int AS done FROM storecredit.timeline;
SELECT count(*) >= 0::int AS done FROM storecredit.store_credit_aging('expiry', '2026-11-28Z');
SELECT count(*) >= 0::int AS done FROM storecredit.store_credit_aging('activity', '2026-11-28Z');
SELECT count(*) >= 0::int AS done FROM storecredit.store_credit_expiring(30);
SELECT count(*) >= 0::int AS done FROM storecredit.store_credit_top_holders('USD', 1, '2026-11-28Z');
SELECT storecredit.grant_access('regress_storecredit_nobody', 'reader'), storecredit.revoke_access('regress_storecredit_nobody', 'reader');
SELECT FROM storecredit.store_credit_debit('access/own', '1 USD');
SELECT FROM storecredit.store_credit_credit('access/own', 1, 'USD');
SET search_path = "$user", public, storecredit;
-- no function of the extension runs with other rights than its caller's
SELECT proname FROM pg_proc WHERE pronamespace = 'storecredit'::regnamespace AND prosecdef;
-- nor is a view of the ledger read with other rights than its reader's, but for one that has nothing of any owner
SELECT relname FROM pg_class WHERE relnamespace = 'storecredit'::regnamespace AND relkind = 'v' AND relname <> 'currency'
	AND reloptions IS DISTINCT FROM '{security_invoker=true}';

-- erasing a person: of an empty account only; the books stay
SELECT store_credit_erase('access/nobody');
SELECT store_credit_erase(NULL);
SELECT store_credit_erase('access/own');
SELECT status FROM store_credit_void(960001, 1);
SELECT seq FROM store_credit_debit('access/own', (SELECT balance FROM account WHERE account_id = 960001), memo => 'to Anna, at home', metadata => '{"phone": 1}');
SELECT store_credit_erase('access/own', 'access/other');
SELECT store_credit_erase('access/own', '');
SET ROLE regress_storecredit_manager;
SELECT store_credit_erase('access/own', 'access/erased');
RESET ROLE;
SELECT owner, balance, last_seq FROM account WHERE account_id = 960001;
SELECT count(*), count(memo), count(metadata) FROM transaction WHERE account_id = 960001;
SELECT store_credit_balance('access/own', 'USD');
SELECT store_credit_erase('access/erased') AS accounts;
SELECT owner ~ '^erased/[0-9a-f-]{36}$' AS random FROM account WHERE account_id = 960001;
SELECT * FROM verify(960001);

-- revoked, nothing is left
GRANT USAGE ON SCHEMA storecredit TO regress_storecredit_nobody;
SELECT revoke_access('regress_storecredit_' || level, level) FROM unnest('{reader,spender,issuer,manager,customer}'::text[]) level;
SELECT c.relname, level FROM pg_class c CROSS JOIN unnest('{reader,spender,issuer,manager,customer}'::text[]) level
WHERE relnamespace = 'storecredit'::regnamespace AND relkind IN ('r', 'v') AND has_table_privilege('regress_storecredit_' || level, c.oid, 'SELECT')
	AND NOT has_table_privilege('regress_storecredit_nobody', c.oid, 'SELECT');
SELECT p.proname, level FROM pg_proc p CROSS JOIN unnest('{reader,spender,issuer,manager,customer}'::text[]) level
WHERE pronamespace = 'storecredit'::regnamespace AND has_function_privilege('regress_storecredit_' || level, p.oid, 'EXECUTE')
	AND NOT has_function_privilege('regress_storecredit_nobody', p.oid, 'EXECUTE');
SELECT level, has_schema_privilege('regress_storecredit_' || level, 'storecredit', 'USAGE') FROM unnest('{reader,customer}'::text[]) level;
SELECT relname FROM pg_class WHERE relnamespace = 'storecredit'::regnamespace AND relrowsecurity;
SELECT polrelid::regclass, polname FROM pg_policy;

-- policies of the owner's own stay in force beside the customers'
ALTER TABLE hold ENABLE ROW LEVEL SECURITY;
CREATE POLICY none_of_it ON hold TO regress_storecredit_reader USING (false);
SELECT grant_access('regress_storecredit_reader', 'reader'), grant_access('regress_storecredit_customer', 'customer');
SET storecredit.current_owner = 'access/other';
SET ROLE regress_storecredit_reader;
SELECT count(*) FROM hold;
SET ROLE regress_storecredit_customer;
SELECT account_id, hold_id FROM hold;
RESET ROLE;
SELECT revoke_access('regress_storecredit_reader', 'reader'), revoke_access('regress_storecredit_customer', 'customer');
SELECT polrelid::regclass, polname FROM pg_policy;
DROP POLICY none_of_it ON hold;
ALTER TABLE hold DISABLE ROW LEVEL SECURITY;

-- as it was
DROP OWNED BY regress_storecredit_hostile, regress_storecredit_nobody, regress_storecredit_app CASCADE;
DROP ROLE regress_storecredit_reader, regress_storecredit_spender, regress_storecredit_issuer, regress_storecredit_manager,
	regress_storecredit_customer, regress_storecredit_nobody, regress_storecredit_forger, regress_storecredit_app, regress_storecredit_hostile;
