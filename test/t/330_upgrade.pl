# The way to a later version.  Installations of this version with ledgers in
# use, and a new library under them, and then new SQL: whatever order that
# happens in, the ledger works, and in the end each object of the extension and
# of the ledger is as a new installation of the later version has it.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Ledger;
use LedgerWorker;
use NextVersion;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use PrivateServer;
use Shop;
use Test::More;

my ($root, $major) = server_in_use();
plan skip_all => 'needs a server laid out as by Debian, to copy it' unless defined $major;

my $install_path = copy_server($root, $major, 'server');
my $source = copy_source('source');
my $version = version_of($source);
install_source($source, $install_path);

my $node = PostgreSQL::Test::Cluster->new('main', install_path => $install_path);
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nlog_statement = none");
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE shop LOGIN');

# --- this version --------------------------------------------------------------------

sub upgrade_as
{
	my ($role, $database) = @_;
	my ($status, $stdout, $stderr) = $node->psql($database, "SET ROLE $role; SET client_min_messages = notice; SELECT storecredit.upgrade_ledger()");
	return $stderr =~ s/^psql:<stdin>:\d+: |\n?^CONTEXT.*//mgr;
}

$node->safe_psql('postgres', 'CREATE ROLE clerk; CREATE DATABASE empty');
$node->safe_psql('empty', 'CREATE EXTENSION storecredit');
like(upgrade_as('none', 'empty'), qr/^ERROR:  the store credit ledger does not exist in this database\nDETAIL:  There is no table "storecredit.account"\.\nHINT:  Make it/,
	'there is nothing to upgrade before create_ledger()');

make_shop($node, $_) foreach qw(idle busy late);
play_on($node, $_, 0.33, 3000) foreach qw(idle late);
is(upgrade_as('shop', 'idle'), "NOTICE:  the ledger is up to date, nothing done", 'a ledger of this version needs nothing');
like(upgrade_as('clerk', 'idle'), qr/permission denied/, 'a stranger may not upgrade it');
$node->safe_psql('idle', 'GRANT USAGE ON SCHEMA storecredit TO clerk; GRANT EXECUTE ON FUNCTION upgrade_ledger() TO clerk');
like(upgrade_as('clerk', 'idle'),
	qr/^ERROR:  must be owner of the store credit ledger\nDETAIL:  The ledger belongs to shop, the current user is clerk\.\nHINT:  SET ROLE shop\./,
	'nor may who is not its owner');
$node->safe_psql('idle', 'REVOKE USAGE ON SCHEMA storecredit FROM clerk; REVOKE EXECUTE ON FUNCTION upgrade_ledger() FROM clerk');
my $played = rows_of($node, 'idle');
my $dump = "$PostgreSQL::Test::Utils::tmp_check/late.sql";
$node->command_ok([ 'pg_dump', '--file', $dump, $node->connstr('late') ], 'a dump of this version');

# --- the next library, under this version's SQL -----------------------------------------

# A server that has the library preloaded keeps the one that it has, too.
my $preloaded = PostgreSQL::Test::Cluster->new('preloaded', install_path => $install_path);
$preloaded->init;
$preloaded->append_conf('postgresql.conf', join("\n", 'fsync = off', 'log_statement = none', q{shared_preload_libraries = 'storecredit'},
	q{storecredit.databases = 'shop'}, 'storecredit.naptime = 1s'));
$preloaded->start;
$preloaded->safe_psql('postgres', 'CREATE ROLE shop LOGIN');
make_shop($preloaded, 'shop');

# A session from before keeps the library that it has.
my $session = session($node, 'idle');
$session->query(q{SELECT store_credit_balance('nobody', 'USD')});

my $next = make_next_version($source);
install_source($source, $install_path);

play_on($node, 'idle', 0.44, 500);
is_sound($node, 'idle', 'the old SQL with the new library');
is($session->query(q{SELECT kind, amount, balance_after FROM store_credit_credit('old session', '5 USD')}),
	'credit|5.00 USD|5.00 USD', 'a session with the old library goes on');
$played = rows_of($node, 'idle');

# --- the next SQL -----------------------------------------------------------------------

# As the documentation has it, where the ledger's owner may not make tables by himself.
my ($statements) = slurp_file('doc/operations.md') =~ /^### To another version of storecredit\n.*?^```sql\n(BEGIN;\n.*?)^```$/ms;

sub update
{
	my ($database) = @_;
	$node->safe_psql($database, 'REVOKE CREATE ON SCHEMA storecredit FROM shop');
	my ($status, $stdout, $stderr) = $node->psql($database, "SET client_min_messages = notice;\n$statements", on_error_stop => 1);
	grant_functions($node, $database);
	return $stderr =~ s/^psql:<stdin>:\d+: //mgr;
}

is(update('idle'), "NOTICE:  the ledger is up to date: account.tier, transaction_reference_idx, tier", 'the update takes each step');
is($node->safe_psql('idle', q{SELECT extversion FROM pg_extension WHERE extname = 'storecredit'}), $next, 'and this is the next version');
is(rows_of($node, 'idle'), $played, 'with the same money as before');
is(upgrade_as('shop', 'idle'), "NOTICE:  the ledger is up to date, nothing done", 'a second time there is nothing to do');
is_sound($node, 'idle', 'updated');
is($session->query(q{SELECT kind, amount, balance_after FROM store_credit_debit('old session', '2 USD', reference => 'R1')}),
	'debit|-2.00 USD|3.00 USD', 'a session with the old library still goes on');
is($session->query(q{SELECT t.seq FROM store_credit_revert((SELECT account_id FROM account WHERE owner = 'old session'), 2) AS t}), '3',
	'with other calls too');
$session->close;
play_on($node, 'idle', 0.55, 500);
is_sound($node, 'idle', 'used again');
is($node->safe_psql('idle', q{SELECT store_credit_channels(), store_credit_tier(1), (SELECT tier FROM tier), count(*) > 0 FROM transaction WHERE channel IS NULL}),
	'web store|plain|plain|t', 'what is new is there');

# --- preloaded ----------------------------------------------------------------------------

my ($status, $stdout, $stderr) = $preloaded->psql('shop', $statements, on_error_stop => 1);
like($stderr, qr/ERROR:  could not find function "storecredit_next_channels"/, 'where the library is preloaded the update fails');
worker_sweeps($preloaded, 'shop', 'and nothing has changed');
$preloaded->restart;
worker_sweeps($preloaded, 'shop', 'the worker of the new library serves the old SQL');
($status, $stdout, $stderr) = $preloaded->psql('shop', $statements, on_error_stop => 1);
is($status, 0, 'after a restart the update is made') or diag($stderr);
worker_sweeps($preloaded, 'shop', 'and the worker goes on');
$preloaded->stop;

# --- under load ---------------------------------------------------------------------------

# A statement that was analysed before the update and waits for it expects the row
# of before, and fails once.
$node->safe_psql('busy', q{SELECT count(store_credit_credit('owner ' || n, '100000.00 USD')) FROM generate_series(1, 20) AS n});
my $script = "$PostgreSQL::Test::Utils::tmp_check/busy.sql";
append_to_file($script, join('', map {
	my $owner = 'owner ' . (1 + $_ * 7 % 20);
	"BEGIN;\nSELECT FROM store_credit_debit('$owner', '0.05 USD', reference => 'R$_');\n" .
	"SELECT FROM store_credit_credit('$owner', '0.05 USD', now() + interval '1 hour');\nCOMMIT;\n" } 1 .. 1200));
my ($out, $err) = ('', '');
my @clients = map { IPC::Run::start([ $node->installed_command('psql'), '-XAtq', '-v', 'VERBOSITY=sqlstate', '-d', $node->connstr('busy'), '-f', $script ],
	'>', \$out, '2>', \$err) } 1 .. 4;
$node->poll_query_until('busy', 'SELECT count(*) > 300 FROM transaction');
is(update('busy'), "NOTICE:  the ledger is up to date: account.tier, transaction_reference_idx, tier", 'a ledger is updated while clients work');
my $updated = $node->safe_psql('busy', 'SELECT count(*) FROM transaction');
$_->finish foreach @clients;
my $done = $node->safe_psql('busy', 'SELECT count(*) FROM transaction');
cmp_ok($done, '>', $updated + 300, 'who go on');
my $failed = () = $err =~ /ERROR:  42804$/mg;
cmp_ok($failed, '<=', 4, "each had at most one call fail that waited for the update, of all $failed");
is($err =~ s/.*ERROR:  (42804|25P02)\n//gr, '', 'and no other error');
is_sound($node, 'busy', 'updated under load');

# --- a dump of the old version ---------------------------------------------------------------

$node->safe_psql('postgres', q{
	CREATE DATABASE restored OWNER shop;
	ALTER DATABASE restored SET search_path = public, storecredit;
	ALTER DATABASE restored SET client_min_messages = warning});
$node->command_ok([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('restored'), '-f', $dump ], 'a dump of the old version is restored');
is(update('restored'), qq(NOTICE:  version "$next" of extension "storecredit" is already installed\n)
	. "NOTICE:  the ledger is up to date: account.tier, transaction_reference_idx, tier", 'its ledger is upgraded');
is(rows_of($node, 'restored'), rows_of($node, 'late'), 'with the same money');
is_sound($node, 'restored', 'restored and upgraded');

# --- object by object --------------------------------------------------------------------------

# What pg_dump --binary-upgrade says of each object in schema storecredit, those of
# the extension among them, less what no two databases have in common: object
# identifiers, ages, and how rows are stored that are older than a column.
sub objects
{
	my ($database) = @_;
	my $text = '';
	$node->run_log([ 'pg_dump', '--schema-only', '--binary-upgrade', $node->connstr($database) ], '>', \$text);
	$text =~ s/^SELECT pg_catalog\.binary_upgrade_set_(next|missing)_.*\n//mg;
	$text =~ s/^UPDATE pg_catalog\.pg_class\nSET relfrozenxid.*\n.*\n//mg;
	$text =~ s/^-- (For binary upgrade|set missing value).*\n//mg;
	$text =~ s/\n+-- PostgreSQL database dump complete.*//s;
	my %objects;
	foreach my $part (split /^(?=-- Name: )/m, $text)
	{
		my ($header) = $part =~ /^-- Name: (.*); Owner: .*\n/;
		next unless defined $header && $header =~ /Schema: storecredit$|Name: storecredit;|EXTENSION/ && $header !~ /SEQUENCE SET/;
		$objects{$header} .= $part =~ s/\n{2,}/\n/gr;
	}
	return \%objects;
}

sub has_objects_of_new
{
	my ($database, $new) = @_;
	my $objects = objects($database);
	is_deeply([ sort keys %$objects ], [ sort keys %$new ], "$database: the objects are those of a new installation");
	my @different = grep { ($$objects{$_} // '') ne $$new{$_} } sort keys %$new;
	is("@different", '', "$database: and each of them is as a new one");
	diag("$_\nis:\n$$objects{$_}\nnew:\n$$new{$_}") foreach grep { defined $$objects{$_} } @different;
	return;
}

make_shop($node, 'new');
$node->safe_psql('new', 'REVOKE CREATE ON SCHEMA storecredit FROM shop');
my $new = objects('new');
cmp_ok(scalar(keys %$new), '>', 200, 'a new installation has ' . keys(%$new) . ' objects');
has_objects_of_new($_, $new) foreach qw(idle busy restored);
is(upgrade_as('shop', 'new'), "NOTICE:  the ledger is up to date, nothing done", 'a new ledger of the next version needs nothing');

$node->stop;
done_testing();
