# The worker in a shop's tables: it expires what has ended there with the rights of the owner of the tables, whoever
# has put what in the way of it, and in the application's own terms.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Ledger;
use LedgerWorker;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_worker_server('main', 'shop');

# --- a shop whose tables belong to a role that has nothing to do with the ledger ---------------------

$ENV{PGOPTIONS} = '-c search_path=pg_catalog';
$node->safe_psql('postgres', 'CREATE ROLE shop LOGIN; CREATE ROLE mallory LOGIN; CREATE DATABASE shop');
$node->safe_psql('shop', q{
	SET client_min_messages = warning;
	CREATE EXTENSION storecredit;
	SELECT storecredit.create_ledger();
	CREATE SCHEMA app AUTHORIZATION shop;
	CREATE SCHEMA mallory AUTHORIZATION mallory;
	GRANT CREATE, USAGE ON SCHEMA public TO mallory;
	GRANT USAGE ON SCHEMA storecredit TO shop;
	GRANT SELECT ON storecredit.spree_expiry, storecredit.spree_expiry_rule TO shop;
	CREATE TABLE public.seen (who text, what text);
	GRANT INSERT ON public.seen TO PUBLIC;
	SET SESSION AUTHORIZATION shop;
	SET search_path = app;
	\i } . "$FindBin::RealBin/../fixtures/spree/solidus-4.7.sql" . q{
	RESET SESSION AUTHORIZATION;
	SELECT storecredit.spree_attach('app.spree_store_credits', rules => storecredit.spree_rules(strict => true))});

# --- names that stand before PostgreSQL's and the ledger's, in all that a role or a database can be set to ----

# Each takes just the types that the real one is called with, so that it would be chosen.
sub hostile_names
{
	my ($schema) = @_;
	my $body = "LANGUAGE plpgsql AS 'BEGIN INSERT INTO public.seen VALUES (current_user, ''$schema''); RETURN NULL; END'";
	my @statements = ("SET SESSION AUTHORIZATION mallory",
		"CREATE FUNCTION $schema.clock_timestamp() RETURNS timestamptz $body",
		"CREATE FUNCTION $schema.now() RETURNS timestamptz $body",
		"CREATE FUNCTION $schema.to_char(timestamp, text) RETURNS text $body",
		"CREATE FUNCTION $schema.quote_ident(text) RETURNS text $body",
		"CREATE FUNCTION $schema.array_to_string(text[], text) RETURNS text $body",
		"CREATE FUNCTION $schema.gen_random_uuid() RETURNS uuid $body",
		"CREATE FUNCTION $schema.spree_attached() RETURNS TABLE (store_credits regclass) LANGUAGE plpgsql"
		  . " AS 'BEGIN INSERT INTO public.seen VALUES (current_user, ''$schema''); END'",
		"CREATE FUNCTION $schema.spree_expire_credits(regclass, bigint) RETURNS text $body",
		"CREATE TABLE $schema.spree_expiry (store_credits regclass, store_credit_id bigint, expires_at timestamptz)",
		"CREATE TABLE $schema.spree_expiry_rule (store_credits regclass, kind text, name text, days int, issued_from timestamptz)",
		"CREATE TABLE $schema.spree_store_credits (id bigint)");
	foreach my $type (qw(numeric bigint integer text varchar timestamptz timestamp regclass oid name boolean))
	{
		push @statements, "CREATE FUNCTION $schema.judge($type, $type) RETURNS boolean $body",
		  map { "CREATE OPERATOR $schema.$_ (LEFTARG = $type, RIGHTARG = $type, FUNCTION = $schema.judge)" } '=', '<', '<=', '>', '>=', '<>';
	}
	push @statements, "CREATE FUNCTION $schema.reckon(numeric, numeric) RETURNS numeric $body",
	  map { "CREATE OPERATOR $schema.$_ (LEFTARG = numeric, RIGHTARG = numeric, FUNCTION = $schema.reckon)" } '+', '-', '*';
	return @statements;
}
$node->safe_psql('shop', join(";\n", hostile_names($_))) foreach qw(public mallory);
$node->safe_psql('postgres', q{
	ALTER DATABASE shop SET search_path = mallory, public, pg_catalog, storecredit;
	ALTER ROLE postgres SET search_path = public, mallory, pg_catalog;
	ALTER ROLE postgres IN DATABASE shop SET search_path = mallory, public, pg_catalog, storecredit;
	ALTER ROLE shop IN DATABASE shop SET search_path = mallory, public, app, pg_catalog});
is($node->safe_psql('shop', q{SET search_path = mallory, public, pg_catalog; SELECT 1::numeric = 1::numeric}), '', 'the names would be found');
$node->safe_psql('shop', 'TRUNCATE public.seen');

# --- what has ended is expired, with the rights of the tables' owner ------------------------------------

sub ends_soon
{
	my (@ids) = @_;
	$node->safe_psql('shop', join(";\n", map { "SELECT storecredit.spree_expire_at($_, clock_timestamp() + interval '1 s')" } @ids));
	return;
}

sub is_expired
{
	my ($ids, $story) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $expired = qq{SELECT count(*) FROM storecredit.spree_expired WHERE store_credit_id IN ($ids) AND action = 'invalidated'};
	return ok($node->poll_query_until('shop', $expired, scalar(my @all = split /,/, $ids)), $story);
}

my $seen = q{SELECT string_agg(DISTINCT who || ' ' || what, ',') FROM public.seen};

ends_soon(1, 3);
is_expired('1,3', 'served, with hostile names in every search_path');
is($node->safe_psql('shop', $seen), '', 'and none of them was found');
is($node->safe_psql('shop', q{SELECT string_agg(e.action || ' ' || e.amount || ' ' || r.name, ',') FROM app.spree_store_credit_events e
	JOIN app.spree_store_credit_reasons r ON r.id = e.store_credit_reason_id WHERE e.store_credit_id IN (1, 3) AND e.action = 'invalidate'}),
	'invalidate 100.00 Expired,invalidate 100.00 Expired', 'with the event that the application writes');

# --- so is it for a superuser who calls the functions with such a search_path --------------------------------

$node->safe_psql('shop', q{
	SET search_path = mallory, public, pg_catalog, storecredit;
	SET client_min_messages = warning;
	SELECT storecredit.spree_audit('app.spree_store_credits');
	SELECT storecredit.spree_attach('app.spree_store_credits', rules => storecredit.spree_rules());
	SELECT storecredit.store_credit_set_limit('USD', '100000 USD');
	SELECT storecredit.spree_store_credit_credit(2, '10 USD', created_by_id => 1);
	SELECT storecredit.spree_store_credit_debit(2, '5 USD');
	SELECT storecredit.spree_store_credit_balance(2, 'USD');
	SELECT storecredit.spree_balances();
	SELECT storecredit.spree_set_expiry_rule('category', 'Exchange', 365), storecredit.spree_set_expiry_rule('category', 'Exchange', NULL);
	SELECT storecredit.spree_expiring('infinity');
	CALL storecredit.spree_import_all('app.spree_store_credits', batch_credits => 20);
	SELECT storecredit.store_credit_notifications(10);
	CALL storecredit.add_tamper_evidence();
	SELECT storecredit.chain_digest();
	SELECT storecredit.verify();
	SELECT storecredit.spree_attach('app.spree_store_credits', rules => storecredit.spree_rules(strict => true))});
is($node->safe_psql('shop', $seen), '', 'none was found by other functions either');

# --- triggers on the shop's tables ------------------------------------------------------------------

# The ways out of a role's rights, each of which is noted if it is one, and settings for those who come after.
$node->safe_psql('shop', q{
	SET SESSION AUTHORIZATION shop;
	SET search_path = pg_catalog;
	CREATE FUNCTION app.reach() RETURNS trigger LANGUAGE plpgsql AS $$
	DECLARE
		way text;
	BEGIN
		INSERT INTO public.seen VALUES (current_user, TG_OP);
		FOREACH way IN ARRAY ARRAY['RESET ROLE', 'SET ROLE postgres', 'RESET SESSION AUTHORIZATION', 'SET SESSION AUTHORIZATION postgres',
			'ALTER ROLE shop SUPERUSER', 'DECLARE later CURSOR WITH HOLD FOR SELECT app.look()',
			'CREATE TEMP TABLE left_behind (n integer)', 'UPDATE storecredit.spree_expiry SET expires_at = now()',
			'DELETE FROM storecredit.spree_expired', 'SET storecredit.test_clock = ''2100-01-01Z''', 'SET session_replication_role = replica'] LOOP
			BEGIN
				EXECUTE way;
				INSERT INTO public.seen VALUES (current_user, way);
			EXCEPTION WHEN OTHERS THEN NULL;
			END;
		END LOOP;
		SET default_transaction_read_only = on;
		SET default_transaction_isolation = serializable;
		SET lock_timeout = '1ms';
		SET search_path = mallory, public, pg_catalog, storecredit;
		RETURN NULL;
	END $$;
	CREATE FUNCTION app.look() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN
		INSERT INTO public.seen VALUES (current_user, 'look'); RETURN 1; END $$;
	CREATE TRIGGER reach AFTER INSERT ON app.spree_store_credit_events FOR EACH ROW EXECUTE FUNCTION app.reach()});
ends_soon(4);
is_expired('4', 'triggers of the owner run');
is($node->safe_psql('shop', $seen), 'shop INSERT', 'with his rights alone, out of which there is no way');
$node->poll_query_until('shop', 'SELECT last_end > last_start FROM storecredit.worker_status');
is(log_lines($node, 'in a read-only transaction'), 0, 'what they set ends with them, and the round goes on');
is($node->safe_psql('shop', q{SET search_path = app, pg_catalog;
	SELECT storecredit.spree_expire_at(8, clock_timestamp() + interval '0.1 s'); SELECT pg_sleep(0.2);
	SELECT storecredit.spree_expire() >= 0; SHOW search_path; SHOW default_transaction_read_only}),
	"\n\nt\napp, pg_catalog\noff", 'which is so for whoever calls spree_expire()');
is_expired('8', 'one of both has expired it');

# What waits for the end of the transaction would have other rights than these: it is refused, and told of.
$node->safe_psql('shop', q{
	DROP TRIGGER reach ON app.spree_store_credit_events;
	SET SESSION AUTHORIZATION shop;
	CREATE CONSTRAINT TRIGGER reach AFTER UPDATE ON app.spree_store_credits DEFERRABLE INITIALLY DEFERRED
		FOR EACH ROW WHEN (NEW.id = 10) EXECUTE FUNCTION app.reach();
	RESET SESSION AUTHORIZATION;
	TRUNCATE public.seen});
ends_soon(10, 11);
is_expired('11', 'a credit that fails does not keep the others from expiring');
ok($node->poll_query_until('shop', q{SELECT last_error LIKE 'store credit 10: cannot fire deferred trigger%' FROM storecredit.worker_status}),
	'a deferred trigger is not fired');
is($node->safe_psql('shop', $seen), '', 'with any rights');
$node->safe_psql('shop', 'DROP TRIGGER reach ON app.spree_store_credits');
is_expired('10', 'it is tried again each round');

is($node->safe_psql('shop', q{SELECT count(*) FROM storecredit.verify()}), '0', 'the books are sound');

$node->stop;
done_testing();
