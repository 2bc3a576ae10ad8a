# The stories of the ledger, told once more with the plain store: each file of
# test/sql and test/specs that installcheck runs through the fast one has the
# same expected output when storecredit.fast_path is off.

use strict;
use warnings;
use File::Basename;
use File::Spec;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('plain');
$node->init;
$node->append_conf('postgresql.conf',
	join("\n", 'storecredit.fast_path = off', 'fsync = off', 'max_prepared_transactions = 10'));
$node->start;

my $pg_regress = $ENV{PG_REGRESS} or die 'PG_REGRESS is not set';
my $pg_isolation_regress = dirname($pg_regress) . '/../isolation/pg_isolation_regress';

# One test for each file.  Expected output is sought in the output folder or,
# since PostgreSQL 16, in the current one.
sub play
{
	my ($program, $suite, @files) = @_;
	my @names = map { basename($_, '.sql', '.spec') } @files;
	my $folder = "$PostgreSQL::Test::Utils::tmp_check/$suite";
	mkdir $folder;
	symlink File::Spec->rel2abs('expected'), "$folder/expected";

	my ($stdout, $stderr) = run_command(
		[
			$program, '--host', $node->host, '--port', $node->port,
			'--bindir', $node->config_data('--bindir'), '--inputdir', 'test', '--outputdir', $folder,
			'--load-extension', 'storecredit', @names
		]);
	foreach my $name (@names)
	{
		like($stdout, qr/^(test \Q$name\E +\.\.\. ok|ok \d+ +- \Q$name\E) /m, "$suite: $name");
	}
	diag(slurp_file("$folder/regression.diffs")) if -s "$folder/regression.diffs";
	return;
}

play($pg_regress, 'stories', sort glob('test/sql/{ledger_*,life_*,json_twins,privileges,settings}.sql'));
play($pg_isolation_regress, 'concurrent stories', 'empty_ledger', sort glob('test/specs/{ledger,life}_*.spec'));

$node->stop;
done_testing();
