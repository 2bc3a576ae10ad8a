# What the fast store writes reaches others as what the plain store writes does:
# logical decoding tells the same, a subscriber has the same rows, and a standby
# serves balances while it follows.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Ledger;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_server('main', 'wal_level = logical', 'autovacuum = off');
my $operations = slurp_file("$FindBin::RealBin/lib/differential.sql");

# --- logical decoding -----------------------------------------------------------

# Within a transaction table by table, each in its order: the fast store writes what a
# sweep adds to the history together.
sub by_table
{
	my $table = sub { shift =~ /^table (\S+):/ ? $1 : '' };
	return join('', map { sort { $table->($a) cmp $table->($b) } split(/^/m, $_) } split(/(?<=^COMMIT\n)/m, shift));
}

# The history of the differential test, decoded, less its own journal.
my %decoded;
foreach my $store ('fast', 'plain')
{
	make_ledger($node, $store, "ALTER DATABASE $store SET storecredit.fast_path = " . ($store eq 'fast' ? 'on' : 'off'), $operations);
	$node->safe_psql($store, "SELECT pg_create_logical_replication_slot('$store', 'test_decoding')");
	$node->safe_psql($store, 'CALL play(0.7, 4000, 30)');
	$decoded{$store} = by_table($node->safe_psql($store, qq{
		SELECT regexp_replace(data, '^table public.played.*', '')
		FROM pg_logical_slot_get_changes('$store', NULL, NULL, 'include-xids', '0', 'skip-empty-xacts', '1')}));
	$node->safe_psql($store, "SELECT pg_drop_replication_slot('$store')");
}
foreach my $kind ('transaction: INSERT', 'account: INSERT', 'account: UPDATE', 'open_credit: INSERT', 'open_credit: UPDATE', 'open_credit: DELETE')
{
	cmp_ok(scalar(() = $decoded{fast} =~ /^table storecredit\.$kind/mg), '>', 10, "logical decoding tells of $kind");
}
ok($decoded{fast} eq $decoded{plain}, 'logical decoding tells the same of both stores')
  or do
{
	my $folder = $PostgreSQL::Test::Utils::tmp_check;
	append_to_file("$folder/decoded.$_", $decoded{$_}) foreach keys %decoded;
	diag(`diff $folder/decoded.fast $folder/decoded.plain | head -n 10`);
};

# --- a subscriber -----------------------------------------------------------------

make_ledger($node, 'publisher', q{
	SELECT count(store_credit_credit('owner ' || n, n * '1.00 USD'::money_ccy, idempotency_key => 'first')) FROM generate_series(1, 1000) AS n;
	SELECT store_credit_set_limit('USD', '1000000.00 USD');
	CREATE PUBLICATION ledger FOR ALL TABLES;
	SELECT pg_create_logical_replication_slot('ledger', 'pgoutput')});
make_ledger($node, 'subscriber', 'DELETE FROM posting');
my $publisher = $node->connstr('publisher') =~ s/'//gr;
$node->safe_psql('subscriber', "CREATE SUBSCRIPTION ledger CONNECTION '$publisher'
	PUBLICATION ledger WITH (create_slot = false, slot_name = 'ledger')");
my $changes = q{
	SELECT count(store_credit_debit('owner ' || n, '0.50 USD')) FROM generate_series(1, 1000) AS n;
	SELECT count(store_credit_debit('owner ' || n, '0.50 USD', memo => repeat(md5(n::text), 200), notify => true)) FROM generate_series(1, 100) AS n;
	SELECT count(store_credit_credit('owner ' || n, '5.00 USD', now() + interval '1 day')) FROM generate_series(1, 100) AS n;
	SELECT count(store_credit_credit('new owner ' || n, '5.00 USD')) FROM generate_series(1, 100) AS n;
	SELECT store_credit_set_account_limits(1, NULL, '10.00 USD'), store_credit_debit('owner 1', '7.00 USD');
	};
is(store_that_serves($node, 'publisher', q{store_credit_debit('owner 1', '0.10 USD')}), 'fast', 'the fast store serves what is published');
$node->safe_psql('publisher', $changes);
$node->wait_for_subscription_sync($node, 'ledger', 'subscriber');
$node->safe_psql('publisher', $changes =~ s/new owner/newer owner/r);
$node->wait_for_catchup('ledger');
foreach my $table (qw(account transaction open_credit currency_limit notification))
{
	my $rows = "SELECT count(*), md5(string_agg(t::text, ',' ORDER BY t::text)) FROM storecredit.$table AS t";
	is($node->safe_psql('subscriber', $rows), $node->safe_psql('publisher', $rows), "the subscriber has the same rows in $table");
}
books_are_sound($node, 'publisher', 'publisher');
books_are_sound($node, 'subscriber', 'subscriber');
$node->safe_psql('subscriber', q{
	ALTER SUBSCRIPTION ledger DISABLE;
	ALTER SUBSCRIPTION ledger SET (slot_name = NONE);
	DROP SUBSCRIPTION ledger;
	-- sequences are not replicated
	SELECT setval('account_number_seq', max(account_id)) FROM account;
	SELECT setval(pg_get_serial_sequence('notification', 'notification_id'), max(notification_id)) FROM notification});
$node->poll_query_until('publisher', q{SELECT NOT active FROM pg_replication_slots WHERE slot_name = 'ledger'});
$node->safe_psql('publisher', q{SELECT pg_drop_replication_slot('ledger')});
is(store_that_serves($node, 'subscriber', q{store_credit_debit('owner 700', '1.00 USD')}), 'fast', 'which takes over');
$node->safe_psql('subscriber', $changes =~ s/new owner/newest owner/r);
is($node->safe_psql('subscriber', q{SELECT seq, balance_after FROM store_credit_credit('owner 700', '700.00 USD', idempotency_key => 'first')}),
	'1|700.00 USD', 'and knows the keys');
books_are_sound($node, 'subscriber', 'the subscriber on its own');

# --- a standby -----------------------------------------------------------------------

make_ledger($node, 'shop', q{SELECT count(store_credit_credit('owner ' || n, '1000.00 USD')) FROM generate_series(1, 20) AS n;
	ALTER DATABASE shop SET storecredit.timezone = 'Europe/Berlin'});
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->append_conf('postgresql.conf', "max_standby_streaming_delay = -1\nhot_standby_feedback = on");
$standby->start;

my $writer = session($node, 'shop');
$writer->send(q{
	DO $$ BEGIN
		FOR i IN 1 .. 4000 LOOP
			PERFORM store_credit_debit('owner ' || 1 + i % 20, '0.10 USD');
			IF i % 10 = 0 THEN
				PERFORM store_credit_credit('owner ' || 1 + i / 10 % 7, '0.50 USD', clock_timestamp() + interval '2 s');
				COMMIT;
			END IF;
		END LOOP;
	END $$});
my %reader = map { $_ => session($standby, 'shop') } qw(fast plain);
$reader{plain}->query('SET storecredit.fast_path = off');
my ($wrong, $read, %seen) = ('', 0);
until ($read >= 200)
{
	foreach my $store (sort keys %reader)
	{
		# The view and the function see the same, with one snapshot and one clock.
		my $now = $reader{$store}->query('SELECT clock_timestamp()');
		$reader{$store}->query("SET storecredit.test_clock = '$now'");
		my $answer = $reader{$store}->query(q{SELECT sum(store_credit_balance(owner, currency)), sum(available) FROM balance});
		my ($function, $view) = split /\|/, $answer;
		$wrong .= "$store: $answer " . $reader{$store}->error . "\n" if !defined $view || $function ne $view;
		$seen{$answer}++;
		$read++;
	}
}
$writer->answer;
is($writer->state, '00000', 'the primary worked meanwhile');
is($wrong, '', "$read times a standby's balances are those of its rows");
cmp_ok(scalar(keys %seen), '>', 10, 'and they moved');

$node->wait_for_catchup($standby);
my $balances = q{SELECT string_agg(money_ccy_to_minor(store_credit_balance(owner, currency))::text, ' ' ORDER BY account_id) FROM account};
my $now = $node->safe_psql('shop', 'SELECT clock_timestamp()');		# credits are expiring
my $all = $node->safe_psql('shop', "SET storecredit.test_clock = '$now'; $balances");
foreach my $store (sort keys %reader)
{
	$reader{$store}->query("SET storecredit.test_clock = '$now'");
	is($reader{$store}->query($balances), $all, "$store: the balances are the primary's");
	is($reader{$store}->state_of("SELECT store_credit_$_"), '25006', "$store: no $_ on a standby")
	  foreach q{debit('owner 1', '1.00 USD')}, q{credit('owner 1', '1.00 USD')}, q{set_limit('USD')}, q{set_account_limits(1)};
	is($reader{$store}->query(q{SELECT store_credit_balance('nobody', 'USD')}), '0.00 USD', "$store: nobody has nothing");
	$reader{$store}->close;
}
$writer->close;
books_are_sound($standby, 'shop', 'standby');

$node->stop('immediate');
$standby->promote;
is(store_that_serves($standby, 'shop', q{store_credit_debit('owner 1', '1.00 USD')}), 'fast', 'the standby takes over');
$standby->safe_psql('shop', q{SELECT count(store_credit_debit('owner ' || n, '1.00 USD')), count(store_credit_credit('new ' || n, '1.00 USD')) FROM generate_series(1, 20) AS n});
books_are_sound($standby, 'shop', 'the standby promoted');

$standby->stop;
done_testing();
