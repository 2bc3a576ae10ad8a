# The worker and its launcher are ended in every way there is; they come back, and
# nothing is booked twice.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Ledger;
use LedgerWorker;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node = start_worker_server('main', 'shop', 'storecredit.batch_size = 5');
make_ledger($node, 'shop');
slow_down_sweeps($node, 'shop', 0.02);

# The process id of a worker in the middle of a sweep, with something behind it and something before it.
sub worker_in_a_sweep
{
	my ($owner) = @_;
	make_overdue($node, 'shop', $owner, 60);
	$node->poll_query_until('shop', qq{
		SELECT count(*) > 10 AND (SELECT count(*) FROM open_credit) > 10 AND (SELECT count(*) > 0 FROM pg_stat_activity WHERE backend_type = 'storecredit worker')
		FROM transaction JOIN account USING (account_id) WHERE owner LIKE '$owner %' AND kind = 'expiration'});
	return process_of($node, 'worker');
}

# --- pg_terminate_backend -----------------------------------------------------------

my $launcher = process_of($node, 'launcher');
$node->safe_psql('postgres', "SELECT pg_terminate_backend($launcher)");
$node->poll_query_until('postgres', "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'storecredit launcher' AND pid <> $launcher", '1');
make_overdue($node, 'shop', 'one', 3);
overdue_is_swept($node, 'shop', 'a launcher that was terminated comes back');
my $worker = worker_in_a_sweep('two');
$node->safe_psql('postgres', "SELECT pg_terminate_backend($worker)");
overdue_is_swept($node, 'shop', 'where a worker was terminated the next one goes on');
$worker = worker_in_a_sweep('three');
$node->safe_psql('postgres', "SELECT pg_cancel_backend($worker)");
overdue_is_swept($node, 'shop', 'or was cancelled');
is($node->safe_psql('shop', q{SELECT last_error, last_error_at > now() - interval '1 min' FROM worker_status}),
	'canceling statement due to user request|t', 'which the status tells');

# --- kill -9 ----------------------------------------------------------------------------

foreach my $victim ('launcher', 'worker')
{
	my $pid = worker_in_a_sweep("killed $victim");
	$pid = process_of($node, 'launcher') if $victim eq 'launcher';
	kill('KILL', $pid);
	$node->wait_for_log(qr/\(PID $pid\) was terminated by signal 9/);
	wait_for_recovery($node);
	overdue_is_swept($node, 'shop', "the server recovers when a $victim is killed, and the sweep goes on");
	is(process_of($node, 'launcher') ne '', 1, 'with a new launcher');
}

is($node->safe_psql('shop', q{SELECT credits_expired = (SELECT count(*) FROM transaction WHERE kind = 'expiration') FROM worker_status}),
	't', 'and the status has counted each credit once');

$node->stop;
done_testing();
