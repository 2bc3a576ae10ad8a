# The worker is silent on a standby and starts when it is promoted; the library
# does no harm where it is loaded without being preloaded.

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
make_ledger($node, 'shop');
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
make_overdue($node, 'shop', 'early', 3);
overdue_is_swept($node, 'shop', 'the primary sweeps');
set_and_reload($node, q{storecredit.databases = ''});
$node->poll_query_until('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'storecredit worker'}, '0');
make_overdue($node, 'shop', 'late', 3);
$node->wait_for_catchup($standby);
is($standby->safe_psql('shop', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'storecredit%'}), '0', 'the standby is silent');
is($standby->safe_psql('shop', 'SELECT credits_expired FROM worker_status'), '3', 'and has the status of the primary');
my ($result, $out, $err) = $standby->psql('shop', 'CALL run_maintenance()');
like($err, qr/ERROR:  cannot execute maintenance of a store credit ledger in a read-only transaction/, 'maintenance is refused there');
$node->stop('immediate');
$standby->promote;
overdue_is_swept($standby, 'shop', 'promoted, it sweeps');
# The primary's own message may be a part of what is said of it.
is(log_lines($standby, '(?m)^(?:(?!FATAL).)*?(?:ERROR|FATAL|PANIC): (?! terminating| could not| streaming| cannot execute maintenance)'), 0, 'and nothing went wrong')
  or diag(grep { /ERROR|FATAL|PANIC/ } split /^/, slurp_file($standby->logfile));
$standby->stop;

# --- without preloading ---------------------------------------------------------------

my $plain = start_server('plain', q{storecredit.databases = 'shop'}, 'storecredit.naptime = 1s');
make_ledger($plain, 'shop');
make_overdue($plain, 'shop', 'early', 3);
is($plain->safe_psql('shop', q{LOAD 'storecredit'; SHOW storecredit.databases}), 'shop', 'the library can be loaded into a session');
is($plain->safe_psql('shop', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'storecredit%'}), '0', 'and brings no worker');
$plain->safe_psql('shop', 'CALL run_maintenance()');
overdue_is_swept($plain, 'shop', 'run_maintenance() does its work');
$plain->stop;

done_testing();
