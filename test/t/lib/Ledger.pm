# What the tests of the ledger share: a server with ledgers in it, the proof
# that a ledger is sound, and sessions that are led step by step.

package Ledger;

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);
use LedgerSession;

use Exporter 'import';
our @EXPORT = qw(start_server make_ledger books_are_sound store_query store_that_serves session waits_for_lock wait_for_recovery);

# A server of the given name, with further lines for its postgresql.conf.
# Statements are not logged: these tests make hundreds of thousands.
sub start_server
{
	my ($name, @settings) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init(allows_streaming => 'logical');
	$node->append_conf('postgresql.conf', join("\n",
		'log_statement = none', 'shared_buffers = 64MB', 'max_connections = 50', 'max_wal_size = 2GB',
		'max_prepared_transactions = 10', 'deadlock_timeout = 200ms', @settings));
	$node->start;
	return $node;
}

# A database with a ledger that calls need no schema's name for, with further
# lines of SQL.
sub make_ledger
{
	my ($node, $database, @statements) = @_;
	$node->safe_psql('postgres', qq{
		CREATE DATABASE $database;
		ALTER DATABASE $database SET search_path = public, storecredit;
		ALTER DATABASE $database SET client_min_messages = warning;
		});
	$node->safe_psql($database, join(";\n",
		'CREATE EXTENSION storecredit', 'CREATE EXTENSION amcheck', 'SELECT storecredit.create_ledger()', @statements));
	return;
}

# One test: the books add up, every index of the ledger has every row, and its
# tables are whole.
sub books_are_sound
{
	my ($node, $database, $story) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $violations = $node->safe_psql($database, 'SELECT * FROM verify() LIMIT 5');
	my (undef, $damage, $errors) = $node->psql($database, q{
		SELECT bt_index_check(index => i.indexrelid, heapallindexed => true)
		FROM pg_index AS i JOIN pg_class AS t ON t.oid = i.indrelid
			JOIN pg_class AS x ON x.oid = i.indexrelid JOIN pg_am AS m ON m.oid = x.relam
		WHERE t.relnamespace = 'storecredit'::regnamespace AND x.relkind = 'i' AND i.indisvalid AND m.amname = 'btree';
		SELECT t.relname, d.*
		FROM pg_class AS t JOIN pg_am AS m ON m.oid = t.relam,
			LATERAL verify_heapam(relation => t.oid, check_toast => true) AS d
		WHERE t.relnamespace = 'storecredit'::regnamespace AND t.relkind = 'r' AND m.amname = 'heap';
		});
	$damage =~ s/^\n*//;
	return is("$violations$damage$errors", '', "$story: the books are sound");
}

# Statements that make a call, tell which store served it, and undo it.  The
# server counts the rows that the plain store fetches, not the fast one's; what
# it has counted in earlier transactions may still be among them.
sub store_query
{
	my ($call) = @_;
	my $fetched = q{(SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables
		WHERE relid = 'storecredit.account'::regclass)};
	return qq{
		BEGIN;
		DO \$call\$ BEGIN
			PERFORM set_config('ledger_test.fetched', ${fetched}::text, true);
			PERFORM $call;
		END \$call\$;
		SELECT CASE WHEN $fetched > current_setting('ledger_test.fetched')::bigint THEN 'plain' ELSE 'fast' END;
		ROLLBACK;
		};
}

sub store_that_serves
{
	my ($node, $database, $call) = @_;
	return $node->safe_psql($database, store_query($call));
}

sub session
{
	my ($node, $database) = @_;
	return LedgerSession->new($node->connstr($database));
}

# Returns once the session waits for a lock that another one has.
sub waits_for_lock
{
	my ($node, $session) = @_;
	return $node->poll_query_until('postgres',
		'SELECT cardinality(pg_blocking_pids(' . $session->pid . ')) > 0');
}

# Returns once a server that has crashed takes connections again.  No statement is
# sent to find out: psql may be gone before it has read it, which ends the test.
sub wait_for_recovery
{
	my ($node) = @_;
	my $tries = 10 * $PostgreSQL::Test::Utils::timeout_default;
	while ($tries-- > 0)
	{
		return 1 if run_log([ 'pg_isready', '--quiet', '-h', $node->host, '-p', $node->port ]);
		usleep(100_000);
	}
	die "the server did not recover\n";
}

1;
