# doc/operations.md is true: each statement on the page runs, in the order of the
# page, on a shop that is in use, and leaves what the page says.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;

my $page = slurp_file('doc/operations.md');
ok(-e "doc/$_", "the page links to $_") foreach grep { !/^https?:/ } $page =~ /\]\(([^)#]+)/g;
my %headings = map { lc(s/[^\w -]//gr =~ s/ /-/gr) => 1 } $page =~ /^#+ (.*)$/mg;
ok($headings{$_}, "and has a part $_") foreach $page =~ /\]\(#([^)]+)\)/g;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nwal_level = replica\ntimezone = UTC");
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE shop LOGIN');
$node->safe_psql('postgres', 'CREATE DATABASE shop');

# What the statements of a part of the page answer, each block in a session of its own.
sub answers
{
	my ($part) = @_;
	my ($text) = $page =~ /^(?:##|###) \Q$part\E\n(.*?)(?=^##|\z)/ms or die "doc/operations.md has no part \"$part\"\n";
	my @answers;
	foreach my $block ($text =~ /^```sql\n(.*?)^```$/msg)
	{
		my ($title) = $block =~ /^(.*)$/m;
		my ($status, $stdout, $stderr) = $node->psql('shop', $block, on_error_stop => 1);
		is($status, 0, "$part: $title") or diag($stderr);
		push @answers, $stdout;
	}
	return @answers;
}

answers('Install');
is($node->safe_psql('shop', q{SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'storecredit.account'::regclass}), 'shop', 'the ledger is the role\'s');
play_on($node, 'shop', 0.61, 2000);
is($node->safe_psql('shop', q{SET ROLE checkout; SELECT store_credit_balance('nobody', 'USD')}), '0.00 USD', 'another role may call what it was granted');
my ($status) = $node->psql('shop', q{SET ROLE checkout; SELECT store_credit_credit('nobody', '1 USD')});
is($status, 3, 'and nothing else');

answers('Settings');
is($node->safe_psql('shop', q{SELECT store_credit_clock() IS NOT NULL; SHOW storecredit.timezone}), "t\nEurope/Paris", 'the settings are set');
like((answers('Sizing'))[0], qr/^account\|\d+\|.*\ntransaction\|/ms, 'the sizes of the tables');

# A sound ledger wakes nobody.  The play's clock is behind the wall's or before it,
# so that some of what it left is overdue here.
my @quiet = answers('Monitoring');
is($quiet[0], '', 'the books add up');
is($quiet[1], '', 'nobody keeps an account');
is($quiet[-2], '', 'the setup is as it should be');
like($quiet[-1], qr/^USD\|\d+\|[\d.]+ USD\|[\d.]+ USD$/m, 'what is owed');

# And each of these does.
$node->safe_psql('shop', q{
	SET storecredit.test_clock = '2020-01-01Z';
	SELECT FROM store_credit_credit('late', '10 USD', expires_at => '2020-02-01Z', notify => true);
	SELECT FROM store_credit_authorize('late', '1 USD', expires_at => '2020-01-02Z');
	SELECT FROM store_credit_authorize('late', '1 USD')});
$node->safe_psql('shop', 'ALTER TABLE storecredit.hold DISABLE TRIGGER guard; ALTER ROLE checkout SET storecredit.fast_path = off');
my @loud = answers('Monitoring');
like($loud[3], qr/^1\|800\|2020-02-01 .*\n1\|2020-01-02/, 'expiry that is behind');
like($loud[4], qr/^2\|2020-01-01/, 'checkouts that were given up');
like($loud[5], qr/^1\|2020-01-01/, 'notifications that nobody sent');
is($loud[6], "hold|guard|D\n(all)|checkout|storecredit.fast_path=off", 'a setup that was changed');
$node->safe_psql('shop', 'ALTER TABLE storecredit.hold ENABLE ALWAYS TRIGGER guard; ALTER ROLE checkout RESET storecredit.fast_path');

answers('Backup');
{
	my ($script) = $page =~ /^```sh\n(pg_dump .*?)^```$/ms;
	local %ENV = (%ENV, PGHOST => $node->host, PGPORT => $node->port);
	command_like([ 'sh', '-ec', "cd $PostgreSQL::Test::Utils::tmp_check\n$script" ], qr/\(0 rows\)/, 'dump, restore and verify');
}
is(rows_of($node, 'restored'), rows_of($node, 'shop'), 'the restored ledger has the same rows');

is((answers('To another version of storecredit'))[-1], '', 'an update, though to the same version');
is((answers('Failover'))[0] =~ s/\n.*//sr, $node->safe_psql('shop', 'SELECT max(account_id) FROM account'), 'the sequences follow their tables');

$node->safe_psql('shop', 'CREATE TABLE price (amount money_ccy)');
($status) = $node->psql('shop', 'DROP EXTENSION storecredit');
is($status, 3, 'DROP EXTENSION refuses');
my ($depends) = answers('Removal');
like($depends, qr/^column amount of table price$/m, 'what depends is listed');
is($node->safe_psql('shop', q{SELECT count(*) FROM pg_namespace WHERE nspname = 'storecredit'}), '0', 'and nothing is left');
is($node->safe_psql('shop', q{SELECT count(*) FROM pg_extension WHERE extname = 'storecredit'}), '0', 'of the extension either');

$node->stop;
done_testing();
