# The figures of a slice, from what pgbench printed and logged of each call:
# calls per second; in microseconds a call the median, the 99th percentile and the mean of the latency,
# and the CPU time of the backends; and which share of the machine other programs took meanwhile.
#
#   perl figures.pl CLOCKS-BEFORE CLOCKS-AFTER LOG...

use strict;
use warnings;
use POSIX qw(sysconf _SC_CLK_TCK);

my ($before, $after, @logs) = @ARGV;
my ($sum, @calls) = (0);

@ARGV = @logs;
while (<>)
{
	my (undef, undef, $microseconds, undef, $second, $microsecond) = split;
	push @calls, [ $second * 1_000_000 + $microsecond, $microseconds ];
}

# In the first fifth, sessions plan their calls one by one and meet each page for the first time.
@calls = sort { $a->[0] <=> $b->[0] } @calls;
my ($began, $ended) = ($calls[0][0] - $calls[0][1], $calls[-1][0]);
my $from = $began + ($ended - $began) / 5;
my @latency = sort { $a <=> $b } map { $_->[1] } grep { $_->[0] > $from } @calls;
my $tps = @latency / ($ended - $from) * 1_000_000;
$sum += $_ foreach @latency;

my @before = split ' ', $before;
my ($busy, $idle, $backends, $clients) = map { $_ - shift @before } split ' ', $after;
my $others = ($busy - $backends - $clients) / ($busy + $idle);

printf "%.1f\t%d\t%d\t%.2f\t%.2f\t%.2f\n", $tps, $latency[ $#latency * 0.5 ], $latency[ $#latency * 0.99 ],
  $sum / @latency, $backends / sysconf(_SC_CLK_TCK) * 1000000 / @calls, $others;
