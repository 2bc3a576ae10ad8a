# The chains of hashes hold where many sessions write at once, through a dump
# into a database of another encoding, and on a subscriber; and what is changed
# there is found there.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Ledger;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;

my $folder = $PostgreSQL::Test::Utils::tmp_check;
my $node = start_server('main', 'wal_level = logical', 'fsync = off');
$node->safe_psql('postgres', 'CREATE ROLE shop LOGIN');

# What an auditor runs who trusts none of the ledger's code.
my $misfits = q{
	SELECT count(*) FROM (
		SELECT t.hash, transaction_hash(t, lag(t.hash, 1, chain_start()) OVER (PARTITION BY t.account_id ORDER BY t.seq)) AS expected
		FROM transaction t) t
	WHERE hash IS DISTINCT FROM expected};
my $digest = 'SELECT * FROM chain_digest()';

sub is_chained
{
	my ($database, $story) = @_;
	is_sound($node, $database, $story);
	is($node->safe_psql($database, $misfits), '0', "$story: by plain SQL");
	return;
}

# As the superuser that the guards do not stop.
sub is_caught
{
	my ($database, $change, $found) = @_;
	is($node->safe_psql($database, qq{
		BEGIN;
		ALTER TABLE transaction DISABLE TRIGGER ALL;
		$change;
		SELECT account_id, rule, substring(expected FROM '^transaction [0-9]+') FROM verify() WHERE rule IN ('hash', 'last_hash') LIMIT 1;
		ROLLBACK}), $found, "$database: $change is caught");
	return;
}

# --- a ledger in use, which has it added ------------------------------------------------

make_shop($node, 'shop');
play_on($node, 'shop', 0.51, 2000);
$node->safe_psql('shop', 'CALL add_tamper_evidence()');
is_chained('shop', 'added to a history');
play_on($node, 'shop', 0.52, 2000);
is_chained('shop', 'and the history goes on');

# --- many at once --------------------------------------------------------------------------

my @owners = map { "crowd/$_" } 1 .. 4;
$node->safe_psql('shop', "SELECT FROM store_credit_credit('$_', '1000 USD')") foreach @owners;
append_to_file("$folder/crowd.sql", <<'SQL');
\set n random(1, 4)
SELECT store_credit_debit('crowd/' || :n, '0.01 USD', reference => 'crowd');
SELECT store_credit_credit('crowd/' || :n, '0.02 USD', memo => 'für alle');
SQL
command_ok([ 'pgbench', '--no-vacuum', '--client=8', '--transactions=60', '--file', "$folder/crowd.sql", $node->connstr('shop') ],
	'8 sessions on 4 accounts');
is($node->safe_psql('shop', q{SELECT sum(last_seq) FROM account WHERE owner LIKE 'crowd/%'}), 4 + 2 * 8 * 60, 'which have written all');
is_chained('shop', 'many at once');

# --- a dump, into a database of another encoding ---------------------------------------------

command_ok([ 'pg_dump', '--format=custom', '--file', "$folder/shop.dump", $node->connstr('shop') ], 'a dump');
$node->safe_psql('postgres', q{
	CREATE DATABASE latin OWNER shop ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0;
	ALTER DATABASE latin SET search_path = public, storecredit;
	ALTER DATABASE latin SET client_min_messages = warning});
command_ok([ 'pg_restore', '--dbname', $node->connstr('latin'), "$folder/shop.dump" ], 'and its restore in LATIN1');
is_chained('latin', 'restored');
is($node->safe_psql('latin', $digest), $node->safe_psql('shop', $digest), 'restored: the same digest');
is($node->safe_psql('latin', q{SELECT has_tamper_evidence(), count(*) FROM store_credit_credit('new', '1 USD', memo => 'für') WHERE hash IS NOT NULL}),
	't|1', 'restored: new accounts have chains');
is_chained('latin', 'restored and used');
my $account = $node->safe_psql('latin', q{SELECT account_id FROM account WHERE owner = 'crowd/2'});
is_caught('latin', "UPDATE transaction SET memo = 'fur alle' WHERE account_id = $account AND seq = 3", "$account|hash|transaction 3")
  if $node->safe_psql('latin', "SELECT memo IS NOT NULL FROM transaction WHERE account_id = $account AND seq = 3") eq 't';
is_caught('latin', "DELETE FROM transaction WHERE account_id = $account AND seq = 9", "$account|hash|transaction 10");

# --- a subscriber, which knows of no chains ---------------------------------------------------

make_shop($node, 'subscriber');
$node->safe_psql('subscriber', 'DELETE FROM posting');
$node->safe_psql('shop', q{
	CREATE PUBLICATION ledger FOR TABLES IN SCHEMA storecredit;
	SELECT pg_create_logical_replication_slot('subscriber', 'pgoutput')});
my $publisher = $node->connstr('shop') =~ s/'//gr;
$node->safe_psql('subscriber', "CREATE SUBSCRIPTION subscriber CONNECTION '$publisher' PUBLICATION ledger
	WITH (create_slot = false, slot_name = 'subscriber')");
$node->wait_for_subscription_sync($node, 'subscriber', 'subscriber');
is($node->safe_psql('subscriber', $digest), $node->safe_psql('shop', $digest), 'subscriber: the same digest');
$node->safe_psql('shop', q{
	SELECT FROM store_credit_credit('erased', '1 USD', memo => 'for Lisa', metadata => '{"name": "Lisa"}');
	SELECT FROM store_credit_debit('erased', '1 USD', memo => 'Lisa bought it');
	SELECT store_credit_erase('erased', 'nobody')});
play_on($node, 'shop', 0.53, 1000);
$node->wait_for_catchup('subscriber');
is($node->safe_psql('subscriber', $digest), $node->safe_psql('shop', $digest), 'subscriber: and what was written since');
is($node->safe_psql('subscriber', q{SELECT count(memo), count(memo_digest), count(salt) FROM transaction JOIN account USING (account_id) WHERE owner = 'nobody'}),
	'0|2|0', 'subscriber: what was erased is there by its digest');
is_chained('subscriber', 'subscriber');
is_caught('subscriber', "UPDATE transaction SET reference = 'mine' WHERE account_id = $account AND seq = 2", "$account|hash|transaction 2");
$node->safe_psql('subscriber', 'ALTER SUBSCRIPTION subscriber DISABLE; ALTER SUBSCRIPTION subscriber SET (slot_name = NONE); DROP SUBSCRIPTION subscriber');

$node->stop;
done_testing();
