# pg_upgrade takes a ledger through the PostgreSQL versions, with its types, its
# users' objects, and every byte of its rows.  Each server has the worker, which
# visits the databases each second, those that pg_upgrade drops and makes anew
# among them; it must be silent meanwhile, and go on afterwards.
#
# LEDGER_UPGRADE_FROM names the folders under which older Debian servers lie, the
# oldest first, as make matrix does; the last step is to the server under test.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use LedgerWorker;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use PrivateServer;
use Shop;
use Test::More;

my @roots = split(' ', $ENV{LEDGER_UPGRADE_FROM} // '');
plan skip_all => 'LEDGER_UPGRADE_FROM names no older server' unless @roots;

# --- the servers, with the extension for each -----------------------------------------

sub provide_server
{
	my ($root, $major) = @_;
	return { major => $major, install_path => copy_server($root, $major, "server_$major") };
}

# An older one, which has no extension yet.
sub provide_older
{
	my ($root, $major) = @_;
	my $server = provide_server($root, $major);
	my $source = copy_source("source_$major");
	unlink(glob("$source/src/*.o"));
	install_source($source, $$server{install_path});
	return $server;
}

sub major_under
{
	my ($root) = @_;
	my ($major) = map { m{/(\d+)$} } glob("$root/usr/lib/postgresql/[0-9]*");
	return $major // die "there is no server under $root\n";
}

my ($here, $this_major) = server_in_use();
my @servers = ((map { provide_older($_, major_under($_)) } @roots), provide_server($here, $this_major));

sub new_cluster
{
	my ($server) = @_;
	my $node = PostgreSQL::Test::Cluster->new("v$$server{major}", install_path => $$server{install_path});
	# Both sides must agree, and the default is another one since 18.
	$node->init(extra => $$server{major} >= 18 ? ['--no-data-checksums'] : []);
	$node->append_conf('postgresql.conf', join("\n", 'fsync = off', 'log_statement = none', q{shared_preload_libraries = 'storecredit'},
		q{storecredit.databases = 'postgres, template1, shop'}, 'storecredit.naptime = 1s'));
	return $node;
}

# --- a ledger in the oldest -------------------------------------------------------------

my $node = new_cluster($servers[0]);
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE shop LOGIN');
make_shop($node, 'shop');
play_on($node, 'shop', 0.71, 4000);
$node->safe_psql('shop', q{
	ALTER DATABASE shop SET storecredit.timezone = 'Europe/Paris';
	ALTER TABLE account ADD COLUMN region text;
	CREATE TABLE price (item text, amount money_ccy(USD), prices money_ccy[], CHECK (amount OPERATOR(storecredit.>=) '0 USD'));
	CREATE INDEX ON price USING hash (amount);
	CREATE INDEX ON price (amount);
	INSERT INTO price SELECT n, money_ccy_from_minor(n, 'USD'), ARRAY[money_ccy_from_minor(n, 'JPY')] FROM generate_series(1, 1000) AS n;
	ANALYZE price});
$node->safe_psql('postgres', 'CREATE DATABASE bare');
$node->safe_psql('bare', 'CREATE EXTENSION storecredit');

worker_sweeps($node, 'shop', 'the worker is at work');

# Bytes on disk, and what the catalog calls them.
my $images = q{
	SELECT 'money_ccy'::regtype::oid, 'store_credit_transaction'::regtype::oid, md5(string_agg(encode(money_ccy_send(balance), 'hex'), '' ORDER BY account_id)),
		(SELECT md5(string_agg(encode(money_ccy_send(amount), 'hex'), '' ORDER BY amount)) FROM price), current_setting('storecredit.timezone')
	FROM account};

# --- and through each of the others ---------------------------------------------------------

sub upgrade_to
{
	my ($old, $server) = @_;
	my $new = new_cluster($server);
	my $folder = "$PostgreSQL::Test::Utils::tmp_check/to_$$server{major}";
	my ($old_bin, $new_bin) = map { $_->install_path . '/bin' } $old, $new;
	# pg_upgrade runs programs of both, and each may need libraries that lie beside it.
	local $ENV{LD_LIBRARY_PATH} = join(':', map { $_->install_path . '/lib' } $old, $new);
	mkdir($folder);
	$old->stop;
	command_ok([ 'env', "--chdir=$folder", "$new_bin/pg_upgrade", '--retain',
			'--old-bindir', $old_bin, '--new-bindir', $new_bin, '--old-datadir', $old->data_dir, '--new-datadir', $new->data_dir,
			'--old-port', $old->port, '--new-port', $new->port, '--socketdir', $new->host ],
		"pg_upgrade to $$server{major}");
	my $log = join('', map { slurp_file($_) } glob($new->data_dir . '/pg_upgrade_output.d/*/log/pg_upgrade_server.log'));
	like($log, qr/starting PostgreSQL $$server{major}\b/, "$$server{major}: the log of the upgrade");
	unlike($log, qr/store credit (ledger|maintenance)|storecredit (launcher|worker)/, 'has nothing of the worker');
	$new->start;
	return $new;
}

foreach my $server (@servers[ 1 .. $#servers ])
{
	my $major = $$server{major};
	my ($rows, $bytes) = (rows_of($node, 'shop'), $node->safe_psql('shop', $images));
	$node = upgrade_to($node, $server);
	like($node->safe_psql('shop', 'SHOW server_version'), qr/^$major\b/, "this is $major");
	is(rows_of($node, 'shop'), $rows, "$major: the rows are the same");
	is($node->safe_psql('shop', $images), $bytes, "$major: the types and each byte are the same");
	is_sound($node, 'shop', $major);
	is($node->safe_psql('shop', q{SET enable_seqscan = off; SELECT item FROM price WHERE amount = '4.20 USD'}), '420', "$major: users' indexes find their rows");
	$node->safe_psql('shop', 'ANALYZE');
	play_on($node, 'shop', 0.7 + $major / 1000, 2000);
	is_sound($node, 'shop', "$major, in use");
	worker_sweeps($node, 'shop', "$major: the worker goes on");
	is($node->safe_psql('bare', q{SELECT '1 USD'::storecredit.money_ccy}), '1.00 USD', "$major: the extension without a ledger works");
	my ($status, $stdout, $stderr) = $node->psql('shop', 'SET ROLE shop; SET client_min_messages = notice; SELECT storecredit.upgrade_ledger()');
	like($stderr, qr/nothing done/, "$major: and there is nothing to upgrade in the ledger");
}

$node->stop;
done_testing();
