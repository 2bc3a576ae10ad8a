# README.md is true: its links lead somewhere, its installation works, and each
# statement of its tour gives the output that is printed below it.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $readme = slurp_file('README.md');
ok(-e $_, "README.md links to $_") foreach grep { !/^https?:/ } $readme =~ /\]\(([^)#]+)/g;

# The blocks of a section: the statements, and the output that follows each.
sub blocks
{
	my ($section) = @_;
	my ($text) = $readme =~ /^## \Q$section\E\n(.*?)^## /ms
	  or die "README.md has no section \"$section\"";
	my @blocks;
	while ($text =~ /^```(sql|text)\n(.*?)^```$/msg)
	{
		my ($language, $content) = ($1, $2);
		if ($language eq 'sql')
		{
			push @blocks, { statements => $content, output => '' };
		}
		else
		{
			$blocks[-1]{output} = $content;
		}
	}
	return @blocks;
}

# Run a script as psql does for somebody who types it: standard output and
# standard error in one stream.
sub transcript
{
	my ($node, $user, $script) = @_;
	my $file = "$PostgreSQL::Test::Utils::tmp_check/$user.sql";
	append_to_file($file, $script);
	my $connection = $node->connstr('shop') . " user=$user";
	return scalar qx{psql -Xq -d "$connection" < "$file" 2>&1};
}

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "timezone = 'UTC'");
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE postgres SUPERUSER LOGIN')
  unless $node->safe_psql('postgres', q{SELECT to_regrole('postgres')});
$node->safe_psql('postgres', 'CREATE ROLE shop LOGIN');
$node->safe_psql('postgres', 'CREATE DATABASE shop');

my ($by_superuser, $by_shop) = blocks('Installation');
is(transcript($node, 'postgres', $by_superuser->{statements}), '', 'the superuser\'s part of the installation');

# The tour goes on in the session that made the ledger.
my @tour = blocks('A tour');
cmp_ok(scalar(@tour), '>=', 10, 'the tour has its ten calls');
my $mark = "-- end of block --\n";
my $script = join('', map { "$_->{statements}\\echo $mark" } $by_shop, @tour);
my ($made, @outputs) = split(/^\Q$mark\E/m, transcript($node, 'shop', $script), -1);
like($made, qr/create_ledger.*\(1 row\)/s, 'the application\'s part of the installation');
foreach my $block (@tour)
{
	# psql ends each table with an empty line, and Markdown needs no blanks.
	my $output = shift(@outputs) =~ s/[ \t]+$//mgr =~ s/\n+\z/\n/r;
	my ($title) = $block->{statements} =~ /^(.*)$/m;
	is($output, $block->{output}, "tour: $title");
}

is($node->safe_psql('shop', 'SELECT count(*) FROM storecredit.verify()'), '0', 'the books add up after the tour');

done_testing();
