# Subscribers have the rows of the whole life of a credit, first copied and then
# as they change, in text and in binary form; among them those that the publisher's
# worker writes, while their own is off.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Ledger;
use LedgerWorker;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;

my $node = start_worker_server('main', '', 'wal_level = logical', 'fsync = off', 'max_worker_processes = 20',
	'max_logical_replication_workers = 12', 'max_sync_workers_per_subscription = 4');
$node->safe_psql('postgres', 'CREATE ROLE shop LOGIN');
make_shop($node, 'publisher');
play_on($node, 'publisher', 0.21, 3000);
$node->safe_psql('publisher', q{
	CREATE PUBLICATION ledger FOR TABLES IN SCHEMA storecredit;
	INSERT INTO refund_bonus VALUES ('USD', 10, '1 USD')});
my ($sequences) = slurp_file('doc/operations.md') =~ /^## Failover\n.*?^```sql\n(SELECT setval.*?)^```$/ms;
my $publisher = $node->connstr('publisher') =~ s/'//gr;

# A publisher in the same cluster makes no slot for a subscription by itself.
my %binary = (text_form => 'false', binary_form => 'true');
foreach my $form (sort keys %binary)
{
	make_shop($node, $form);
	$node->safe_psql($form, "DELETE FROM posting; ALTER DATABASE $form SET storecredit.expiry = off");
	$node->safe_psql('publisher', "SELECT pg_create_logical_replication_slot('$form', 'pgoutput')");
	$node->safe_psql($form, "CREATE SUBSCRIPTION $form CONNECTION '$publisher' PUBLICATION ledger
		WITH (create_slot = false, slot_name = '$form', binary = $binary{$form})");
}
set_and_reload($node, 'storecredit.databases = \'' . join(', ', 'publisher', keys %binary) . '\'');
# They are copied while calls are made.
play_on($node, 'publisher', 0.22, 3000);
foreach my $form (sort keys %binary)
{
	$node->wait_for_subscription_sync($node, $form, $form);
	is(rows_of($node, $form), rows_of($node, 'publisher'), "$form: the first copy");
}

play_on($node, 'publisher', 0.23, 3000);
worker_sweeps($node, 'publisher', 'the worker of the publisher sweeps');
foreach my $form (sort keys %binary)
{
	$node->wait_for_catchup($form);
	is(rows_of($node, $form), rows_of($node, 'publisher'), "$form: what changed since");
	is($node->safe_psql($form, 'SELECT * FROM refund_bonus'), 'USD|10|1.00 USD', "$form: the bonuses");
	is_sound($node, $form, $form);
	is($node->safe_psql($form, q{SELECT string_agg(store_credit_available(account_id)::text, ' ' ORDER BY account_id) FROM account}),
		$node->safe_psql('publisher', q{SELECT string_agg(store_credit_available(account_id)::text, ' ' ORDER BY account_id) FROM account}),
		"$form: and what can be spent");
	# The errors of the first copy are the server's own: while calls are made, it may
	# find no snapshot for a slot ("initial slot snapshot too large") and tries again.
	is($node->safe_psql($form, "SELECT apply_error_count FROM pg_stat_subscription_stats WHERE subname = '$form'"), '0', "$form: without an error");
	is($node->safe_psql($form, 'SELECT credits_expired FROM worker_status'), '3', "$form: the status is that of the publisher's worker");
	$node->safe_psql($form, "ALTER SUBSCRIPTION $form DISABLE; ALTER SUBSCRIPTION $form SET (slot_name = NONE); DROP SUBSCRIPTION $form");
	$node->safe_psql($form, "ALTER DATABASE $form RESET storecredit.expiry; $sequences");
	worker_sweeps($node, $form, "$form: taken over, it has a worker of its own");
}

$node->stop;
done_testing();
