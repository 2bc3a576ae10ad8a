# A base backup taken while clients work, and the WAL since, lead to any moment:
# here to one between two debits, by its time and by a name.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use IPC::Run;
use Ledger;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(has_archiving => 1, allows_streaming => 1);
$node->append_conf('postgresql.conf', "log_statement = none\nmax_wal_size = 1GB");
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE shop LOGIN');
make_shop($node, 'shop');
play_on($node, 'shop', 0.51, 2000);
$node->safe_psql('shop', q{SELECT store_credit_credit('Customer/42', '100 USD', idempotency_key => 'credit')});

my $writer = session($node, 'shop');
$writer->send('TRUNCATE played; CALL play(0.52, 20000, 40);');
$node->poll_query_until('shop', 'SELECT count(*) > 300 FROM played');
$node->backup('base');

# The two debits, and what the first left: nobody else moves this customer's money.
my $first = $node->safe_psql('shop', q{SELECT balance_after FROM store_credit_debit('Customer/42', '30 USD', idempotency_key => 'first')});
my $moment = $node->safe_psql('shop', 'SELECT clock_timestamp()');
$node->safe_psql('shop', q{SELECT pg_create_restore_point('before the second')});
my $second = $node->safe_psql('shop', q{SELECT balance_after FROM store_credit_debit('Customer/42', '50 USD', idempotency_key => 'second')});
is("$first, $second", '70.00 USD, 20.00 USD', 'two debits');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%CALL play%' AND state = 'active' AND pid <> pg_backend_pid()}),
	'1', 'while other clients work');
$node->safe_psql('postgres', 'SELECT pg_cancel_backend(' . $writer->pid . ')');
$writer->answer;
$writer->close;
my $end = $node->safe_psql('postgres', 'SELECT pg_walfile_name(pg_switch_wal())');
$node->poll_query_until('postgres', "SELECT last_archived_wal >= '$end' FROM pg_stat_archiver");

my %target = (by_time => "recovery_target_time = '$moment'", by_name => q{recovery_target_name = 'before the second'});
foreach my $way (sort keys %target)
{
	my $restored = PostgreSQL::Test::Cluster->new($way);
	$restored->init_from_backup($node, 'base', has_restoring => 1, standby => 0);
	$restored->append_conf('postgresql.conf', "$target{$way}\nrecovery_target_action = promote\narchive_mode = off");
	$restored->start;
	$restored->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()');
	is_sound($restored, 'shop', $way);
	is($restored->safe_psql('shop', q{SELECT store_credit_balance('Customer/42', 'USD'), count(*) FILTER (WHERE idempotency_key = 'first'),
			count(*) FILTER (WHERE idempotency_key = 'second') FROM transaction}),
		'70.00 USD|1|0', "$way: the first debit is there and the second is not");
	# What clients were told of and the backup does not know, they send again.
	is($restored->safe_psql('shop', q{SELECT seq, balance_after FROM store_credit_debit('Customer/42', '30 USD', idempotency_key => 'first')}),
		'2|70.00 USD', "$way: the first is known");
	is($restored->safe_psql('shop', q{SELECT seq, balance_after FROM store_credit_debit('Customer/42', '50 USD', idempotency_key => 'second')}),
		'3|20.00 USD', "$way: the second is made again");
	play_on($restored, 'shop', 0.53, 1000);
	is_sound($restored, 'shop', "$way, in use again");
	$restored->stop;
}

$node->stop;
done_testing();
