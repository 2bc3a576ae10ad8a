# The figures of a slice, from what pgbench printed and logged of each call:
# calls per second, and in microseconds a call the median, the 99th percentile and the mean of the
# latency, and the CPU time of the backends.
#
#   perl figures.pl CPU-MICROSECONDS OUTPUT LOG...

use strict;
use warnings;

my ($cpu, $output, @logs) = @ARGV;
my ($calls, $sum, @latency) = (0, 0);

@ARGV = $output;
my ($tps) = map { /^tps = ([\d.]+)/ } <>;

@ARGV = @logs;
while (<>)
{
	my ($client, $number, $microseconds) = split;
	$calls++;
	next if $number <= 10;    # a session plans its first calls one by one
	push @latency, $microseconds;
	$sum += $microseconds;
}
@latency = sort { $a <=> $b } @latency;

printf "%.1f\t%d\t%d\t%.2f\t%.2f\n", $tps, $latency[ $#latency * 0.5 ], $latency[ $#latency * 0.99 ], $sum / @latency, $cpu / $calls;
