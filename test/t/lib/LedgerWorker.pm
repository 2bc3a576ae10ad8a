# What the tests of the worker share: a server that it runs in, credits that are
# overdue, and what can be seen of it.

package LedgerWorker;

use strict;
use warnings;
use Ledger;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use Exporter 'import';
our @EXPORT = qw(start_worker_server make_overdue overdue_is_swept worker_sweeps wait_for_sweep set_and_reload
  process_of wait_for_launcher log_lines slow_down_sweeps);

# A server with the worker in it, serving the given list of databases each second.
sub start_worker_server
{
	my ($name, $databases, @settings) = @_;
	return start_server($name, q{shared_preload_libraries = 'storecredit'}, 'storecredit.naptime = 1s',
		"storecredit.databases = '$databases'", 'restart_after_crash = on', @settings);
}

# So many owners of the given name, each with a credit that expired yesterday.
sub make_overdue
{
	my ($node, $database, $owner, $count) = @_;
	$node->safe_psql($database, qq{
		SET storecredit.test_clock = '2020-01-01 00:00+00';
		SELECT count(storecredit.store_credit_credit('$owner ' || n, '1.00 USD', expires_at => '2020-01-02 00:00+00'))
		FROM generate_series(1, $count) AS n});
	return;
}

my $overdue = q{SELECT count(*) FROM storecredit.open_credit WHERE expires_at <= clock_timestamp()};

sub wait_for_sweep
{
	my ($node, $database) = @_;
	return $node->poll_query_until($database, $overdue, '0');
}

# One test: what is overdue is booked, each credit once, and the books are sound.
sub overdue_is_swept
{
	my ($node, $database, $story) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	wait_for_sweep($node, $database);
	my $twice = $node->safe_psql($database, q{
		SELECT (SELECT count(*) FROM (SELECT FROM storecredit.transaction WHERE kind = 'expiration'
			GROUP BY account_id, related_seq HAVING count(*) > 1) AS t)
			+ (SELECT count(*) FROM storecredit.verify())});
	return is($node->safe_psql($database, $overdue) . $twice, '00', $story);
}

# One test: there is a worker that sweeps, in a ledger with whatever history.
sub worker_sweeps
{
	my ($node, $database, $story) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	make_overdue($node, $database, 'overdue', 3);
	return ok(wait_for_sweep($node, $database), $story);
}

# Further lines for the configuration, which take effect at once.
sub set_and_reload
{
	my ($node, @settings) = @_;
	$node->append_conf('postgresql.conf', join("\n", @settings));
	$node->reload;
	return;
}

# The process id of the launcher, or of a worker; empty if there is none.
sub process_of
{
	my ($node, $type) = @_;
	return $node->safe_psql('postgres', "SELECT pid FROM pg_stat_activity WHERE backend_type = 'storecredit $type' LIMIT 1");
}

sub wait_for_launcher
{
	my ($node) = @_;
	return $node->poll_query_until('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'storecredit launcher'}, '1');
}

# How many lines of the server's log match, from a position on.
sub log_lines
{
	my ($node, $pattern, $from) = @_;
	my $log = slurp_file($node->logfile, $from // 0);
	return scalar(() = $log =~ /$pattern/g);
}

# Each entry that is written takes so many seconds.
sub slow_down_sweeps
{
	my ($node, $database, $seconds) = @_;
	$node->safe_psql($database, qq{
		CREATE FUNCTION public.dawdle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_catalog.pg_sleep($seconds); RETURN NULL; END';
		CREATE TRIGGER dawdle AFTER INSERT ON storecredit.transaction FOR EACH ROW WHEN (NEW.kind = 'expiration')
		EXECUTE FUNCTION public.dawdle()});
	return;
}

1;
