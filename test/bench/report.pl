# Tables from results.tsv, then each target and whether it was reached.

use strict;
use warnings;

my (%slice, %others, %instructions, %wal, %hot, %open, %used, %operation, %sweep, %rated, %batch, @evidence, @reports, $shop, @imports, $shop_events, @scenarios);

while (<>)
{
	chomp;
	my ($what, @field) = split /\t/;
	if ($what eq 'slice')
	{
		my ($scenario, $round, $name, $tps, $p50, $p99, $mean, $cpu, $others) = @field;
		push @scenarios, $scenario unless exists $slice{$scenario};
		push @{ $others{$scenario} }, $others;
		$slice{$scenario}{$name}[$round] = { tps => $tps, p50 => $p50, p99 => $p99, cpu => $cpu };
	}
	elsif ($what eq 'instructions') { $instructions{ $field[0] }{ $field[1] } = $field[2] }
	elsif ($what eq 'wal') { $wal{ $field[0] } = { records => $field[1], bytes => $field[2], images => $field[3] } }
	elsif ($what eq 'hot') { $hot{ $field[0] } = { updates => $field[1], hot => $field[2] } }
	elsif ($what eq 'open') { $open{ $field[1] }{ $field[2] }[ $field[0] ] = $field[7] }
	elsif ($what eq 'used') { $used{ $field[1] }{ $field[2] }[ $field[0] ] = $field[6] }
	elsif ($what eq 'operation') { $operation{ $field[1] }[ $field[0] - 1 ] = $field[2] }
	elsif ($what eq 'sweep') { $sweep{ $field[1] }{clock}[ $field[0] ] = $field[2]; $sweep{ $field[1] }{processor}[ $field[0] ] = $field[3] }
	elsif ($what eq 'rated') { $rated{ $field[0] } = [ @field[ 1 .. 3 ] ] }
	elsif ($what eq 'batch') { $batch{ $field[1] }[ $field[0] - 1 ] = $field[2] }
	elsif ($what eq 'evidence') { @evidence = @field }
	elsif ($what eq 'shop') { $shop = $field[0] }
	elsif ($what eq 'report') { push @reports, [@field] }
	elsif ($what eq 'shop_events') { $shop_events = $field[0] }
	elsif ($what eq 'import') { push @imports, [@field] }
	else { die "results.tsv: unknown line \"$_\"\n" }
}

my @targets;

throughput($_) foreach @scenarios;
instructions('single', 'Instructions per call: single-user backend, EXECUTE');
instructions('live', 'Instructions per call: prepared statements of a client');
wal();
hot();
growth();
life();
evidence();
reports();
imports();
targets();

sub median
{
	my @sorted = sort { $a <=> $b } @_;
	return ($sorted[ $#sorted / 2 ] + $sorted[ ($#sorted + 1) / 2 ]) / 2;
}

# Ratios of two contestants' slices of the same round: median, lowest, highest.
sub paired
{
	my ($numerator, $denominator) = @_;
	my @ratio = sort { $a <=> $b } map { $numerator->[$_] / $denominator->[$_] } 0 .. $#$numerator;
	return (median(@ratio), $ratio[0], $ratio[-1]);
}

sub heading
{
	my ($title) = @_;
	print "\n$title\n", '-' x length($title), "\n";
}

# Notes a target: the value must be at most ("<=") or at least (">=") the limit.
sub target
{
	my ($name, $value, $relation, $limit, @spread) = @_;
	my $reached = $relation eq '<=' ? $value <= $limit : $value >= $limit;
	push @targets,
	  [ $name, sprintf('%.2f', $value), @spread ? sprintf('%.2f..%.2f', @spread) : '', "$relation $limit", $reached ? 'reached' : 'missed' ];
}

sub throughput
{
	my ($scenario) = @_;
	my $contestants = $slice{$scenario};
	my $hot = $scenario =~ /one account/;
	my $least = $hot ? 0.9 : $scenario =~ /fsync on/ ? 0.75 : 0.65;

	heading("Throughput and latency: $scenario");
	printf "Other programs took %.0f %% of the machine meanwhile.\n", 100 * median(@{ $others{$scenario} });
	printf "%-12s %8s %18s %20s %20s %18s %8s %7s\n", '', 'calls/s', 'ratio to bare', 'p50 ratio', 'p99 ratio', 'CPU ratio', 'p99 ms', 'CPU us';
	foreach my $name (ordered(keys %$contestants))
	{
		my %of = map {
			my $figure = $_;
			($figure => [ map { $_->{$figure} } @{ $contestants->{$name} } ]);
		} qw(tps p50 p99 cpu);
		my %ratio = map {
			my $figure = $_;
			($figure => [ paired($of{$figure}, [ map { $_->{$figure} } @{ $contestants->{bare} } ]) ]);
		} qw(tps p50 p99 cpu);
		printf "%-12s %8.0f %18s %20s %20s %18s %8.2f %7.1f\n", $name, median(@{ $of{tps} }),
		  (map { sprintf '%.2f (%.2f..%.2f)', @{ $ratio{$_} } } qw(tps p50 p99 cpu)), median(@{ $of{p99} }) / 1000, median(@{ $of{cpu} });
		next unless $name =~ /^(debit|credit)(_id)?$/;
		target("calls/s of $name to bare: $scenario", $ratio{tps}[0], '>=', $least, @{ $ratio{tps} }[ 1, 2 ]);
		target("p99 of $name to bare: $scenario", $ratio{p99}[0], '<=', 1, @{ $ratio{p99} }[ 1, 2 ]) if $hot;
	}
}

sub instructions
{
	my ($how, $title) = @_;
	my $count = $instructions{$how} or return;
	my $floor = $count->{nothing};

	heading($title);
	printf "%-16s %10s %10s %14s %14s\n", '', 'total', 'net', 'total to bare', 'net to bare';
	foreach my $name (ordered(grep { !/^used_|^open_/ } keys %$count))
	{
		my ($total, $bare) = ($count->{$name}, $count->{bare});
		printf "%-16s %10d %10d %14.2f %14.2f\n", $name, $total, $total - $floor, $total / $bare, ($total - $floor) / ($bare - $floor);
		next unless $name =~ /^(debit|credit)(_id)?$/;
		target("instructions of $name to bare ($how)", $total / $bare, '<=', 1.25);
	}
	print "net: less what a statement costs that does nothing\n";

	if (exists $count->{open_1})
	{
		print "\ndebit of an account with so many open credits\n";
		printf "%6d %10d %6.2f\n", $_, $count->{"open_$_"}, $count->{"open_$_"} / $count->{open_1} foreach 1, 10, 100, 1000;
		target('instructions of a debit with 1000 open credits to 1', $count->{open_1000} / $count->{open_1}, '<=', 1.15);
	}
	if (exists $count->{used_1})
	{
		print "\ndebit that uses up so many credits, and what each further one costs\n";
		printf "%6d %10d %8s\n", $_, $count->{"used_$_"},
		  $_ == 1 ? '' : int(($count->{"used_$_"} - $count->{used_1}) / ($_ - 1))
		  foreach 1, 10, 100;
	}
}

sub wal
{
	return unless %wal;
	heading('WAL per call, warm');
	printf "%-16s %8s %8s %12s\n", '', 'records', 'bytes', 'page images';
	foreach my $name (ordered(keys %wal))
	{
		printf "%-16s %8.1f %8.0f %12.0f\n", $name, @{ $wal{$name} }{qw(records bytes images)};
		target("WAL bytes of $name", $wal{$name}{bytes}, '<=', 480) if $name =~ /^debit(_id)?$/;
	}
}

sub hot
{
	return unless %hot;
	heading('HOT updates');
	foreach my $table (sort keys %hot)
	{
		my $percent = 100 * $hot{$table}{hot} / $hot{$table}{updates};
		printf "%-16s %10d updates %8.2f %% HOT\n", $table, $hot{$table}{updates}, $percent;
		target("HOT updates of $table, %", $percent, '>=', 99) unless $table =~ /^(bare|shop)_/;
	}
}

sub growth
{
	return unless %open;
	heading('CPU us of a debit by open credits in the account, and ratio to one');
	foreach my $name (ordered(keys %open))
	{
		my $by = $open{$name};
		foreach my $n (sort { $a <=> $b } keys %$by)
		{
			my @ratio = paired($by->{$n}, $by->{1});
			printf "%-16s %6d %8.1f us %6.2f (%.2f..%.2f)\n", $name, $n, median(@{ $by->{$n} }), @ratio;
			target('CPU of a debit with 1000 open credits to 1', $ratio[0], '<=', 1.15, @ratio[ 1, 2 ]) if $name eq 'debit' && $n == 1000;
		}
	}

	heading('Latency of a debit by credits used up, and of each further credit');
	foreach my $name (ordered(keys %used))
	{
		my $by = $used{$name};
		foreach my $n (sort { $a <=> $b } keys %$by)
		{
			my @further = map { ($by->{$n}[$_] - $by->{1}[$_]) / ($n - 1 || 1) } 0 .. $#{ $by->{$n} };
			@further = sort { $a <=> $b } @further;
			printf "%-16s %6d %8.1f us %s\n", $name, $n, median(@{ $by->{$n} }),
			  $n == 1 ? '' : sprintf('%.1f us each (%.1f..%.1f)', median(@further), @further[ 0, -1 ]);
			target("us per further credit, of $n", median(@further), '<=', 8, @further[ 0, -1 ]) if $name eq 'debit_many' && $n > 1;
		}
	}
}

sub life
{
	return unless %operation;
	heading('Each operation beside a debit, one session, from PL/pgSQL');
	foreach my $name (qw(debit credit refund authorize capture void revert edit revoke))
	{
		printf "%-16s %8.1f us %6.2f (%.2f..%.2f)\n", $name, median(@{ $operation{$name} }), paired($operation{$name}, $operation{debit});
	}

	heading('The sweep, in batches of 200, beside a plain UPDATE of as many rows');
	foreach my $time ('clock', 'processor')
	{
		my ($update, $sweep) = map { $sweep{$_}{$time} } qw(update sweep);
		my @ratio = paired($sweep, $update);
		printf "by the %-9s UPDATE %6.2f us a row, sweep %6.2f us a credit: %.2f (%.2f..%.2f)\n", $time, median(@$update), median(@$sweep), @ratio;
		target("time of a sweep to an UPDATE, by the $time", $ratio[0], '<=', 1.2, @ratio[ 1, 2 ]);
	}

	heading('Latency of debits at 1000 a second, in us: median, 99th percentile, longest');
	printf "%-16s %8d %8d %8d\n", $_, @{ $rated{$_} } foreach qw(idle sweep);
	target('p99 of debits during a sweep to idle', $rated{sweep}[1] / $rated{idle}[1], '<=', 3);

	heading('Credits a second: a batch, single calls in own transactions, a set-based SQL function');
	printf "%-16s %8d\n", $_, median(@{ $batch{$_} }) foreach qw(many single set_based);
	my @ratio = paired($batch{many}, $batch{set_based});
	target('rate of a batch to the set-based function', $ratio[0], '>=', 2.5, @ratio[ 1, 2 ]);
	@ratio = paired($batch{many}, $batch{single});
	target('rate of a batch to single calls', $ratio[0], '>=', 5, @ratio[ 1, 2 ]);
}

sub evidence
{
	return unless @evidence;
	heading('Adding tamper evidence');
	printf "%d transactions in %.1f s\n", $evidence[1], $evidence[0] / 1000;
}

sub reports
{
	return unless @reports;
	heading("Reports on a year of a shop with $shop transactions, in ms: by the clock, and of the processor in one process");
	printf "%-48s %10.1f %10d\n", @$_ foreach @reports;
	my %wall = map { $_->[0] => $_->[1] } @reports;
	target('ms, balance of one account as of an instant', $wall{'balance of one account as of an instant'}, '<=', 1);
	target("s, $_", $wall{$_} / 1000, '<=', 10)
	  foreach 'liability now', 'roll-forward of the last month', map { "aging now, by $_" } qw(issue expiry activity);
}

sub imports
{
	return unless @imports;
	heading("Import of a Spree shop with $shop_events events, in s: by the clock, and of the processor");
	printf "%-48s %10.1f %10.1f\n", @$_ foreach @imports;
	target('s, import of 1,000,000 events', $imports[0][1] * 1_000_000 / $shop_events, '<=', 60);
}

sub targets
{
	heading('Targets');
	printf "%-60s %8s %14s %8s  %s\n", @$_ foreach @targets;
}

# The contestants in the order in which a reader compares them.
sub ordered
{
	my %place;
	@place{qw(nothing bare plpgsql plpgsql_many orm debit debit_id debit_row debit_key debit_many debit_plain debit_chained credit credit_id credit_key credit_expiring credit_plain credit_chained)} = 1 .. 18;
	return sort { $place{$a} <=> $place{$b} } @_;
}
