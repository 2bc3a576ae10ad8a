-- verify() of sound books: no row, for whoever may ask, in the middle of whatever.
\getenv tests PG_ABS_SRCDIR
\set fixture :tests '/fixtures/verify_ledger.sql'
BEGIN;
\set ECHO none
\i :fixture
\set ECHO all

-- credits, debits, expiry, a credit line, holds, reverts, an adjustment, a revocation, an empty account
SELECT * FROM verify();
SELECT a.account_id, count(v.rule) FROM account a LEFT JOIN LATERAL verify(a.account_id) v ON true
	WHERE a.owner LIKE 'verify/%' GROUP BY 1 ORDER BY 1;

-- an account is checked on its own
UPDATE account SET last_seq = 5 WHERE account_id IN (9001, 9002);
SELECT * FROM verify();
SELECT * FROM verify(9001);
SELECT * FROM verify(9003);
ROLLBACK TO sound;

-- what is not there is not sound, and null is no account
SELECT * FROM verify(9999);
SELECT * FROM verify(NULL);
ROLLBACK TO sound;

-- the clock may run past every expiry
SET LOCAL storecredit.test_clock = '2100-01-01 00:00:00+00';
SELECT * FROM verify();
ROLLBACK TO sound;

-- the caller's own changes are seen, committed or not, statement by statement
DO $$
BEGIN
	UPDATE storecredit.account SET last_seq = 9 WHERE account_id = 9001;
	RAISE NOTICE 'after the change: %', (SELECT v FROM storecredit.verify() v);
	UPDATE storecredit.account SET last_seq = 4 WHERE account_id = 9001;
	RAISE NOTICE 'after its undoing: %', (SELECT v FROM storecredit.verify() v);
END
$$;
ROLLBACK TO sound;

-- it depends on no search_path
SET LOCAL search_path = '';
SELECT * FROM storecredit.verify();
SELECT * FROM storecredit.verify(9001);
ROLLBACK TO sound;

-- not for everybody; who is granted it needs no other right, and sees past row-level security
CREATE ROLE regress_verify_owner;
CREATE ROLE regress_verify_auditor;
GRANT USAGE, CREATE ON SCHEMA storecredit TO regress_verify_owner;
GRANT USAGE ON SCHEMA storecredit TO regress_verify_auditor;
ALTER TABLE account OWNER TO regress_verify_owner;
ALTER TABLE transaction OWNER TO regress_verify_owner;
ALTER TABLE open_credit OWNER TO regress_verify_owner;
ALTER TABLE hold OWNER TO regress_verify_owner;
ALTER TABLE transaction ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
SAVEPOINT owned;
SET LOCAL ROLE regress_verify_auditor;
SELECT * FROM verify();
ROLLBACK TO owned;
SET LOCAL ROLE regress_verify_auditor;
SELECT * FROM verify(9001);
ROLLBACK TO owned;
GRANT EXECUTE ON FUNCTION verify(), verify(bigint) TO regress_verify_auditor;
SET LOCAL ROLE regress_verify_auditor;
SELECT * FROM verify();
SELECT * FROM verify(9001);
SELECT current_user;
SELECT * FROM transaction;
ROLLBACK TO sound;

-- without a ledger
ALTER TABLE account RENAME TO account_elsewhere;
SELECT * FROM verify();
ROLLBACK TO sound;
ALTER TABLE account RENAME TO account_elsewhere;
SELECT * FROM verify(9001);
ROLLBACK;
