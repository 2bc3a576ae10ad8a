# The extension or the ledger is missing in a served database, or goes away while
# it is visited each second, and comes back.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Ledger;
use LedgerWorker;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_worker_server('main', 'gone');

my $position = -s $node->logfile;
$node->safe_psql('postgres', 'CREATE DATABASE gone');
ok($node->wait_for_log(qr/LOG:  there is no store credit ledger in database "gone"/, $position), 'a database without the extension is told of');
$node->safe_psql('gone', 'CREATE EXTENSION storecredit');
sleep(3);
is(log_lines($node, 'no store credit ledger in database "gone"', $position), 1, 'once, also when the extension is there and its tables are not');
$node->safe_psql('gone', 'SELECT storecredit.create_ledger()');
make_overdue($node, 'gone', 'early', 1);
overdue_is_swept($node, 'gone', 'when it has a ledger it is served');
foreach my $round (1 .. 4)
{
	$node->safe_psql('gone', q{SET client_min_messages = error; DROP EXTENSION storecredit CASCADE;
		DROP SCHEMA storecredit CASCADE; CREATE EXTENSION storecredit; SELECT storecredit.create_ledger()});
	make_overdue($node, 'gone', 'again', 5);
	overdue_is_swept($node, 'gone', "and when it was made anew ($round)");
}
$node->safe_psql('gone', q{SET client_min_messages = error; DROP EXTENSION storecredit CASCADE});
ok($node->wait_for_log(qr/(?s:no store credit ledger in database "gone".*){2}/, $position), 'without its extension it is as any other');
is(log_lines($node, 'PANIC|terminated by signal'), 0, 'and no process has crashed');

$node->stop;
done_testing();
