# A contestant's pgbench script as lines for a single-user backend: its statement is prepared once and
# executed twice CALLS times, with a call of pg_backend_pid() before and after the second half.
#
#   perl execute.pl SCRIPT CALLS FIRST LAST CENTS

use strict;
use warnings;

my ($script, $calls, $first, $last, $cents) = @ARGV;
my $call = 0;

# Values of the scripts' variables.  Accounts come at random, or, for a script that uses up credits,
# one after the other as it reckons itself.
my %value = (
	id     => sub { $first + int(rand($last - $first + 1)) },
	key    => sub { "$script $call" },
	cents  => sub { $cents },
	amount => sub { sprintf '%d.%02d USD', $cents / 100, $cents % 100 },);

my @statement;
open my $lines, '<', $script or die "$script: $!\n";
while (<$lines>)
{
	$value{id} = sub { $first + int($call * $cents / 1000) } if /:i\b/;
	push @statement, $_ unless /^\\/;
}
my $statement = join ' ', map { split } @statement;

# As pgbench does: each variable where it stands is a parameter.
my @variables;
$statement =~ s/(?<!:):(\w+)/push @variables, $1; '$' . @variables/ge;

srand(1);
print "PREPARE call AS $statement\n";
foreach (1, 2)
{
	execute() foreach 1 .. $calls;
	print "SELECT pg_backend_pid()\n";
}

sub execute
{
	$call++;
	print 'EXECUTE call(', join(', ', map { "'" . $value{$_}->() . "'" } @variables), ")\n";
	return;
}
