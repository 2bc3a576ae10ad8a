# What happens to the databases themselves while the worker visits them each
# second: none of it waits for the worker, and the worker minds none of it.

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

my $strange = 'We,ird "n\'ame\\ ' . chr(0xc3) . chr(0xa9) . ' ' . 'x' x 45;
my $quoted = $strange =~ s/"/""/gr;
my $listed = $quoted =~ s/\\/\\\\/gr =~ s/'/''/gr;
my $node = start_worker_server('main', qq{nosuch, Shop, "$listed", gone, two});

# --- names ----------------------------------------------------------------------

make_ledger($node, 'shop');
make_ledger($node, 'two');
$node->safe_psql('postgres', qq{CREATE DATABASE "$quoted"});
$node->safe_psql($strange, 'CREATE EXTENSION storecredit; SELECT storecredit.create_ledger()');
is($node->safe_psql($strange, 'SELECT octet_length(current_database())'), '63', 'a database with a strange name, as long as names can be');
$node->safe_psql($strange, q{SET storecredit.test_clock = '2020-01-01';
	SELECT storecredit.store_credit_credit('anna', '1.00 USD', expires_at => '2020-01-02 00:00+00')});
make_overdue($node, 'shop', 'early', 3);
make_overdue($node, 'two', 'early', 3);
overdue_is_swept($node, 'shop', 'a name in the list that is of no database does not keep the others from being served');
overdue_is_swept($node, 'two', 'neither before nor after it');
wait_for_sweep($node, $strange);
is($node->safe_psql($strange, q{SELECT kind FROM storecredit.transaction WHERE seq = 2}), 'expiration', 'the strange one is served, too');
is(log_lines($node, 'not served: "nosuch", "gone"\n'), 1, 'what is missing is logged once');

# --- DROP, CREATE, RENAME, TEMPLATE ----------------------------------------------

# One test: each of the statements succeeds, within what they need themselves.
sub runs_beside
{
	my ($story, @statements) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $errors = '';
	foreach my $statement (@statements)
	{
		my $began = time;
		my ($result, $out, $err) = $node->psql('postgres', $statement);
		$errors .= "$statement: $err\n" if $result != 0;
		$errors .= "$statement took " . (time - $began) . " s\n" if time - $began > 4.5;
	}
	return is($errors, '', $story);
}

runs_beside('databases beside it come and go', map { ("CREATE DATABASE beside_$_", "DROP DATABASE beside_$_") } 1 .. 3);
runs_beside('so do served ones', ('CREATE DATABASE gone TEMPLATE two', 'DROP DATABASE gone') x 3);
runs_beside('and they are renamed', ('ALTER DATABASE two RENAME TO other', 'ALTER DATABASE other RENAME TO two') x 3);
runs_beside('and replaced', 'CREATE DATABASE copy TEMPLATE two', 'DROP DATABASE two', 'ALTER DATABASE copy RENAME TO two');
make_overdue($node, 'two', 'after', 3);
overdue_is_swept($node, 'two', 'whatever has the name is served');

# --- a long sweep leaves when it is in the way --------------------------------------

# Five entries at a time, for a quarter of a second each: some ten seconds.
sub begin_long_sweep
{
	my ($database) = @_;
	make_overdue($node, $database, 'long', 40);
	$node->poll_query_until('postgres', qq{SELECT count(*) > 0 FROM pg_stat_activity
		WHERE backend_type = 'storecredit worker' AND datname = '$database' AND query LIKE '%expiring credits'});
	return;
}

set_and_reload($node, 'storecredit.batch_size = 5');
slow_down_sweeps($node, 'two', 0.25);
begin_long_sweep('two');
runs_beside('a database is copied while it is swept', 'CREATE DATABASE copy TEMPLATE two');
begin_long_sweep('two');
runs_beside('or renamed', 'ALTER DATABASE two RENAME TO gone');
begin_long_sweep('gone');
runs_beside('or dropped', 'DROP DATABASE gone');
runs_beside('and the copy takes over', 'ALTER DATABASE copy RENAME TO two');
$node->safe_psql('two', 'DROP TRIGGER dawdle ON storecredit.transaction');
overdue_is_swept($node, 'two', 'where the sweep goes on');

is(log_lines($node, 'PANIC|terminated by signal'), 0, 'and no process has crashed');

$node->stop;
done_testing();
