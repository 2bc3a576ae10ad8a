# The whole server goes down in the middle of a sweep, or has no slot for a worker:
# the sweep goes on where it was, and nothing is booked twice.

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

# --- the whole server ---------------------------------------------------------------------

worker_in_a_sweep('crash');
$node->stop('immediate');
$node->start;
overdue_is_swept($node, 'shop', 'a crash in the middle of a sweep leaves nothing out and does nothing twice');
worker_in_a_sweep('fast');
my $began = time;
$node->stop('fast');
cmp_ok(time - $began, '<', 5, 'a fast shutdown does not wait for a long sweep');
$node->start;
overdue_is_swept($node, 'shop', 'which goes on after it');
is($node->safe_psql('shop', q{SELECT credits_expired = (SELECT count(*) FROM transaction WHERE kind = 'expiration') FROM worker_status}),
	't', 'and the status has counted each credit once, through all of this');

# --- no slot for a worker --------------------------------------------------------------------

# The launchers of logical replication and of the worker take two.
$node->append_conf('postgresql.conf', 'max_worker_processes = 2');
$node->restart;
make_overdue($node, 'shop', 'slots', 3);
ok($node->wait_for_log(qr/could not start a storecredit worker for database "shop"/), 'where all slots are taken that is logged');
sleep(3);
is(log_lines($node, 'could not start a storecredit worker'), 1, 'once');
is(process_of($node, 'launcher') ne '', 1, 'and the launcher waits');
$node->append_conf('postgresql.conf', 'max_worker_processes = 8');
$node->restart;
overdue_is_swept($node, 'shop', 'until there is one');

$node->stop;
done_testing();
