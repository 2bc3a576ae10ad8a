# The figures of a slice, from what pgbench printed and logged of each call:
# calls per second; in microseconds a call the median, the 99th percentile and the mean of the latency,
# and the CPU time of the backends; and which share of the machine other programs took meanwhile.
#
#   perl figures.pl CLOCKS-BEFORE CLOCKS-AFTER OUTPUT LOG...

use strict;
use warnings;
use POSIX qw(sysconf _SC_CLK_TCK);

my ($before, $after, $output, @logs) = @ARGV;
my ($sum, @first, @latency) = (0);

@ARGV = $output;
my ($tps) = map { /^tps = ([\d.]+)/ } <>;

@ARGV = @logs;
while (<>)
{
	my ($client, $number, $microseconds) = split;
	push @{ $number <= 5 ? \@first : \@latency }, $microseconds;
}
my $calls = @first + @latency;

# A session plans its first calls one by one: they count where there are no others.
@latency = @first unless @latency;
@latency = sort { $a <=> $b } @latency;
$sum += $_ foreach @latency;

my @before = split ' ', $before;
my ($busy, $idle, $backends, $clients) = map { $_ - shift @before } split ' ', $after;
my $others = ($busy - $backends - $clients) / ($busy + $idle);

printf "%.1f\t%d\t%d\t%.2f\t%.2f\t%.2f\n", $tps, $latency[ $#latency * 0.5 ], $latency[ $#latency * 0.99 ],
  $sum / @latency, $backends / sysconf(_SC_CLK_TCK) * 1000000 / $calls, $others;
