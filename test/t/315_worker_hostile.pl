# Settings, objects and rows that others have left about: the worker books what is
# due in spite of them, and lends its rights to nobody.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Ledger;
use LedgerWorker;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_worker_server('main', 'shop', q{storecredit.remind_before = '1 day'},
	q{default_transaction_isolation = 'serializable'}, 'statement_timeout = 20ms', 'lock_timeout = 10ms',
	'idle_in_transaction_session_timeout = 20ms', q{search_path = 'evil, pg_catalog'});

# --- a ledger of an ordinary role, who cannot log in and has no right to any function of it ------

$ENV{PGOPTIONS} = '-c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0 -c search_path=pg_catalog -c default_transaction_isolation=read\\ committed';
$node->safe_psql('postgres', 'CREATE ROLE owner NOLOGIN');
$node->safe_psql('postgres', q{CREATE DATABASE shop; ALTER DATABASE shop SET client_min_messages = warning});
$node->safe_psql('shop', q{
	SET search_path = public;
	CREATE EXTENSION storecredit; CREATE EXTENSION amcheck;
	GRANT CREATE, USAGE ON SCHEMA storecredit TO owner;
	GRANT EXECUTE ON FUNCTION storecredit.create_ledger() TO owner;
	SET ROLE owner;
	SELECT storecredit.create_ledger();
	RESET ROLE;
	REVOKE EXECUTE ON FUNCTION storecredit.create_ledger() FROM owner;
	CREATE SCHEMA evil;
	GRANT ALL ON SCHEMA evil TO owner;
	CREATE TABLE evil.seen (who text);
	GRANT INSERT ON evil.seen TO PUBLIC});

# --- names that stand before those of PostgreSQL's ----------------------------------------------

$node->safe_psql('shop', q{
	SET search_path = public;
	CREATE FUNCTION evil.take(anyelement, anyelement) RETURNS boolean LANGUAGE sql AS 'INSERT INTO evil.seen VALUES (''operator''); SELECT false';
	CREATE FUNCTION evil.add(bigint, bigint) RETURNS bigint LANGUAGE sql AS 'INSERT INTO evil.seen VALUES (''operator''); SELECT 0::bigint';
	CREATE FUNCTION evil.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS 'INSERT INTO evil.seen VALUES (''function''); SELECT ''-infinity''::timestamptz';
	CREATE OPERATOR evil.+ (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = evil.add)});
$node->safe_psql('shop', "CREATE OPERATOR evil.$_ (LEFTARG = anyelement, RIGHTARG = anyelement, FUNCTION = evil.take)") foreach '=', '<', '<=', '>', '>=', '<>';
make_overdue($node, 'shop', 'one', 3);
overdue_is_swept($node, 'shop', 'served, with a hostile search_path, timeouts, and serializable as the default');
$node->poll_query_until('shop', 'SELECT last_end IS NOT NULL FROM storecredit.worker_status');
is($node->safe_psql('shop', 'SELECT string_agg(DISTINCT who, chr(44)) FROM evil.seen'), '', 'nothing was found through the search_path');
$node->safe_psql('shop', q{SELECT storecredit.store_credit_credit('two', '1.00 USD', pg_catalog.now() + interval '1 hour')});
ok($node->poll_query_until('shop', 'SELECT count(*) FROM storecredit.notification', '1'), 'reminders are written, too');

# --- the owner's own code --------------------------------------------------------------------------

# At once, at commit, and in a cursor that is filled at commit: all of it is the owner's.
$node->safe_psql('shop', q{
	SET search_path = public;
	SET ROLE owner;
	CREATE FUNCTION evil.look() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN
		INSERT INTO evil.seen VALUES (current_user); RETURN 1; END $$;
	CREATE FUNCTION evil.reach() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		PERFORM evil.look();
		EXECUTE 'DECLARE ' || TG_NAME || NEW.account_id || ' CURSOR WITH HOLD FOR SELECT evil.look()';
		BEGIN
			RESET ROLE; RESET SESSION AUTHORIZATION; SET SESSION AUTHORIZATION postgres;
			INSERT INTO evil.seen VALUES ('got through');
		EXCEPTION WHEN insufficient_privilege OR invalid_parameter_value THEN NULL;
		END;
		PERFORM evil.look();
		RETURN NULL; END $$;
	CREATE TRIGGER reach AFTER INSERT ON storecredit.transaction FOR EACH ROW
		WHEN (NEW.kind = 'expiration') EXECUTE FUNCTION evil.reach();
	CREATE CONSTRAINT TRIGGER reach_later AFTER INSERT ON storecredit.transaction DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
		WHEN (NEW.kind = 'expiration') EXECUTE FUNCTION evil.reach()});
make_overdue($node, 'shop', 'reach', 2);
overdue_is_swept($node, 'shop', 'triggers of the owner run');
is($node->safe_psql('shop', q{SELECT string_agg(DISTINCT who, ',') FROM evil.seen}), 'owner', 'and never with the rights of the worker');
$node->safe_psql('shop', 'DROP TRIGGER reach ON storecredit.transaction; DROP TRIGGER reach_later ON storecredit.transaction');

# --- an account that cannot be swept ----------------------------------------------------------------

$node->safe_psql('shop', q{
	SET search_path = public;
	CREATE FUNCTION evil.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not this one'; END $$;
	CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON storecredit.transaction DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
		WHEN (NEW.kind = 'expiration' AND NEW.account_id % 10 = 3) EXECUTE FUNCTION evil.refuse()});
make_overdue($node, 'shop', 'refused', 40);
my $refused = $node->safe_psql('shop', q{SELECT count(*) FROM storecredit.account WHERE owner LIKE 'refused %' AND account_id % 10 = 3});
$node->poll_query_until('shop', 'SELECT backlog FROM storecredit.worker_status WHERE last_end IS NOT NULL', $refused);
is($node->safe_psql('shop', q{SELECT (SELECT count(*) FROM storecredit.open_credit WHERE expires_at <= now()), last_error LIKE 'account %3: not this one'
	FROM storecredit.worker_status}), "$refused|t", 'an account whose sweep fails does not keep the others from being swept, and is told of');
$node->safe_psql('shop', 'DROP TRIGGER refuse ON storecredit.transaction');
overdue_is_swept($node, 'shop', 'it is tried again each round');

# --- an account that somebody has ------------------------------------------------------------------

make_overdue($node, 'shop', 'prepared', 20);
$node->safe_psql('shop', q{
	BEGIN;
	SELECT storecredit.store_credit_credit('kept', '1.00 USD');
	PREPARE TRANSACTION 'kept'});
$node->safe_psql('shop', q{SELECT storecredit.store_credit_credit('locked', '1.00 USD', pg_catalog.clock_timestamp() + interval '1 s')});
$node->safe_psql('shop', q{
	BEGIN;
	SELECT storecredit.store_credit_credit('locked', '1.00 USD');
	PREPARE TRANSACTION 'locked'});
$node->poll_query_until('shop', 'SELECT backlog FROM storecredit.worker_status', '1');
is($node->safe_psql('shop', 'SELECT count(*) FROM storecredit.open_credit WHERE expires_at <= now()'), '1',
	'what a prepared transaction has is left out, and counted as backlog');
$node->safe_psql('shop', q{COMMIT PREPARED 'locked'});
$node->safe_psql('shop', q{ROLLBACK PREPARED 'kept'});
overdue_is_swept($node, 'shop', 'until that has ended');
is($node->safe_psql('shop', q{SELECT last_error_at < last_start, backlog >= 0 FROM storecredit.worker_status}), 't|t', 'which is no error');

$node->stop;
done_testing();
