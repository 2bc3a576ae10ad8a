# What is attached is dumped and restored with the tables, and works where it has come to; the extension does not
# go while a shop is attached, and goes without a trace once it has left.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Ledger;
use PostgreSQL::Test::Utils;
use Test::More;

my $folder = $PostgreSQL::Test::Utils::tmp_check;
my $node = start_server('main');
$node->safe_psql('postgres', 'CREATE ROLE shop LOGIN; CREATE DATABASE shop OWNER shop');
$node->safe_psql('shop', q{
	CREATE EXTENSION storecredit;
	GRANT USAGE, CREATE ON SCHEMA storecredit TO shop;
	GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA storecredit TO shop;
	GRANT CREATE ON SCHEMA public TO shop;
	SET SESSION AUTHORIZATION shop;
	SELECT storecredit.create_ledger();
	\i } . "$FindBin::RealBin/../fixtures/spree/solidus-4.7.sql" . q{
	SELECT storecredit.store_credit_set_limit('USD', '1000 USD');
	SELECT storecredit.spree_attach('spree_store_credits', mode => 'warn');
	UPDATE spree_store_credits SET amount_used = 101 WHERE id = 1;
	SELECT storecredit.spree_expire_at(3, clock_timestamp() + interval '0.1 s'), storecredit.spree_expire_at(4, NULL),
		storecredit.spree_set_expiry_rule('type', 'Expiring', 365);
	SELECT pg_sleep(0.2);
	SELECT storecredit.spree_expire();
	SELECT storecredit.spree_import('spree_store_credits');
	SELECT storecredit.spree_attach('spree_store_credits', rules => storecredit.spree_rules(strict => true) || '{truncate}')});

my $attached = q{SELECT store_credits, profile, mode, rules, enabled FROM storecredit.spree_attached()};
my $before = $node->safe_psql('shop', $attached);
# What is kept of the shop names its table, which another database has by another number.
my $kept = q{SELECT 'expiry', store_credits, store_credit_id::text FROM storecredit.spree_expiry
	UNION ALL SELECT 'expired', store_credits, store_credit_id::text FROM storecredit.spree_expired
	UNION ALL SELECT 'rule', store_credits, name FROM storecredit.spree_expiry_rule
	UNION ALL SELECT 'imported', store_credits, count(*)::text FROM storecredit.spree_imported GROUP BY 2
	UNION ALL SELECT 'doubtful', store_credits, count(*)::text FROM storecredit.spree_quarantine GROUP BY 2 ORDER BY 1, 2, 3};
my $kept_before = $node->safe_psql('shop', $kept);
is($kept_before, join("\n", map { my ($what, $which) = split; "$what|spree_store_credits|$which" } 'doubtful 51', 'expired 3', 'expiry 3', 'expiry 4', 'imported 46', 'rule Expiring'),
	'a shop with all that is kept of one');

# The rows of this shop break the rules in many ways, and come first.
sub is_restored
{
	my ($database, $story) = @_;
	is($node->safe_psql($database, $attached), $before, "$story: attached as it was");
	is($node->safe_psql($database, 'SELECT rule, violations FROM storecredit.spree_violations'), 'amounts|1', "$story: with what was recorded");
	is($node->safe_psql($database, $kept), $kept_before, "$story: with all that is kept");
	is($node->safe_psql($database, q{SELECT count(*) FROM storecredit.verify()}), '0', "$story: the books are sound");
	$node->safe_psql($database, q{SET SESSION AUTHORIZATION shop; SELECT storecredit.spree_import('spree_store_credits')});
	is($node->safe_psql($database, $kept), $kept_before, "$story: an import goes on where it was");
	my ($status, undef, $error) = $node->psql($database, q{SET SESSION AUTHORIZATION shop; UPDATE spree_store_credits SET amount_used = 101 WHERE id = 2});
	like($error, qr/violates store credit rule "amounts"/, "$story: a rule refuses");
	($status, undef, $error) = $node->psql($database, q{SET SESSION AUTHORIZATION shop; INSERT INTO spree_store_credits (user_id, amount, currency) VALUES (2, 5000, 'USD')});
	like($error, qr/violates store credit rule "limit"/, "$story: a limit holds");
	return;
}

$node->safe_psql('postgres', "CREATE DATABASE $_ OWNER shop") foreach qw(plain archived);
$node->command_ok([ 'pg_dump', '-f', "$folder/plain.sql", $node->connstr('shop') ], 'a dump in plain text');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', "$folder/plain.sql", $node->connstr('plain') ], 'is restored');
is_restored('plain', 'plain');
$node->command_ok([ 'pg_dump', '-Fc', '-f', "$folder/archive", $node->connstr('shop') ], 'an archive');
$node->command_ok([ 'pg_restore', '--exit-on-error', '-d', $node->connstr('archived'), "$folder/archive" ], 'is restored');
is_restored('archived', 'archive');

# --- leaving ------------------------------------------------------------------------------

$node->safe_psql('plain', 'DROP TABLE storecredit.account, storecredit.transaction, storecredit.open_credit, storecredit.hold, storecredit.currency_limit CASCADE');
my (undef, undef, $error) = $node->psql('plain', 'DROP EXTENSION storecredit');
like($error, qr/trigger storecredit_rules on table spree_store_credits depends on function/, 'DROP EXTENSION names what is attached');
(undef, undef, $error) = $node->psql('plain', q{INSERT INTO spree_store_credits (user_id, amount, currency) VALUES (2, 1, 'USD')});
like($error, qr/ledger does not exist in this database/, 'without its ledger, a shop with limits can grant nothing');
is($node->safe_psql('plain', 'UPDATE spree_store_credits SET amount_used = 1 WHERE id = 2 RETURNING 1'), '1', 'and all else goes on');
$node->safe_psql('plain', q{SET SESSION AUTHORIZATION shop; SELECT storecredit.spree_detach('spree_store_credits')});
is($node->safe_psql('plain', q{SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal AND tgrelid::regclass::text LIKE 'spree%'}), '0', 'who has left has no triggers');
is($node->safe_psql('plain', q{UPDATE spree_store_credits SET amount_used = 101 WHERE id = 2 RETURNING 1}), '1', 'and no rules');
$node->safe_psql('archived', q{SET SESSION AUTHORIZATION shop; SELECT storecredit.spree_detach('spree_store_credits'); RESET SESSION AUTHORIZATION;
	DROP SCHEMA storecredit CASCADE});
is($node->safe_psql('archived', q{UPDATE spree_store_credits SET amount_used = 101 WHERE id = 2 RETURNING (SELECT count(*) FROM pg_extension WHERE extname = 'storecredit')}),
	'0', 'and the ledger goes without touching the tables');

$node->stop;
done_testing();
