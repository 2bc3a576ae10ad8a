# The server goes down under load, again and again: a backend is killed, which
# takes all others with it, or the whole server stops at once.  After each
# recovery the books are sound and every operation that a client was told of is
# there; what it was not told of it sends again, and then it is there once.
#
# LEDGER_CRASH_ROUNDS tries it more often.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use IPC::Run;
use Ledger;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $rounds = $ENV{LEDGER_CRASH_ROUNDS} || 20;
my $clients = 4;
my $statements = 4000;
srand(42);

my $node = start_server('main', 'restart_after_crash = on', 'checkpoint_timeout = 30s');
make_ledger($node, 'ledger', q{
	CREATE TABLE acknowledged (key text PRIMARY KEY, amount money_ccy);
	SELECT count(store_credit_credit('owner ' || n, '1000000.00 USD')) FROM generate_series(1, 10) AS n;
	});

# --- clients -------------------------------------------------------------------

# An operation with its key: what a client sends, and what it adds to the sum of
# all balances.
sub operation
{
	my ($round, $client, $n) = @_;
	my $key = "round $round client $client number $n";
	my $owner = 'owner ' . (1 + int(rand(10)));
	my $cents = 1 + int(rand(5000));
	my $amount = sprintf('%d.%02d USD', $cents / 100, $cents % 100);
	my $arguments = "'$owner', '$amount', idempotency_key => '$key'" . (rand() < 0.05 ? ', notify => true' : '');
	return { key => $key, amount => "-$amount", call => "store_credit_debit($arguments)" } if rand() < 0.6;
	return { key => $key, amount => $amount, call => "store_credit_credit($arguments, expires_at => timestamptz '2090-01-01Z' + interval '" . int(rand(1000)) . " days')" };
}

# A script of single operations, and of transactions with several, whose keys
# are told when the server has acknowledged their COMMIT.
sub start_client
{
	my ($round, $number) = @_;
	my @operations = map { operation($round, $number, $_) } 1 .. $statements;
	my $script = '';
	my $i = 0;
	while ($i < @operations)
	{
		my $together = rand() < 0.2 ? 1 + int(rand(4)) : 1;
		my @some = @operations[ $i .. $i + $together - 1 ];
		$#some = $#operations - $i if $i + $together > @operations;
		$i += @some;
		$script .= "BEGIN;\n" if $together > 1;
		$script .= "SELECT FROM $$_{call};\n" foreach @some;
		$script .= "COMMIT;\n" if $together > 1;
		$script .= "\\echo $$_{key}\n" foreach @some;
	}
	my $folder = $PostgreSQL::Test::Utils::tmp_check;
	my $self = { operations => \@operations, told => "$folder/told_$number" };
	my $file = "$folder/script_$number.sql";
	unlink($file, $$self{told});
	append_to_file($file, $script);
	append_to_file($$self{told}, '');
	local $ENV{PGOPTIONS} = '-c storecredit.fast_path=' . ($number % 4 == 3 ? 'off' : 'on');
	$$self{psql} = IPC::Run::start([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('ledger'), '-f', $file ],
		'>>', $$self{told}, '2>', '/dev/null');
	return $self;
}

sub keys_told
{
	my ($client) = @_;
	return split /\n/, slurp_file($$client{told});
}

# --- rounds ----------------------------------------------------------------------

sub crash
{
	my ($round) = @_;
	if ($round % 2)
	{
		$node->stop('immediate');
		$node->start;
		return;
	}
	my $began = $node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()');
	my $victim = $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE datname = 'ledger' ORDER BY random() LIMIT 1});
	kill('KILL', $victim);
	$node->wait_for_log(qr/\(PID $victim\) was terminated by signal 9/);
	wait_for_recovery($node);
	return;
}

my $acknowledged = 0;
my $resent = 0;
foreach my $round (1 .. $rounds)
{
	my @clients = map { start_client($round, $_) } 0 .. $clients - 1;
	my $enough = 20 + int(rand(600));
	my $patience = 1000;
	my $prepared = $node->safe_psql('ledger', "BEGIN; SELECT FROM store_credit_debit('owner 1', '1.00 USD', idempotency_key => 'prepared $round'); PREPARE TRANSACTION 'round $round'")
	  if $round % 3 == 0 && $enough < 300;
	# With owner 1 taken by a prepared transaction the clients come to a halt by themselves.
	$enough = 5 if defined $prepared;
	select(undef, undef, undef, 0.01) while $patience-- && (grep { keys_told($_) } @clients) == 0;
	select(undef, undef, undef, 0.01) while $patience-- && (map { keys_told($_) } @clients) < $enough;

	crash($round);
	eval { $_->{psql}->finish } foreach @clients;
	if (defined $prepared)
	{
		$node->safe_psql('ledger', "COMMIT PREPARED 'round $round'; INSERT INTO acknowledged VALUES ('prepared $round', '-1.00 USD')");
		$acknowledged++;
	}
	books_are_sound($node, 'ledger', "round $round");

	# What each client was told, and what it sends again: the rest of what was on its way.
	my ($told, $again) = ('', '');
	foreach my $client (@clients)
	{
		my %told = map { $_ => 1 } keys_told($client);
		my @rest = grep { !$told{ $$_{key} } } @{ $$client{operations} };
		$#rest = 4 if @rest > 5;
		foreach my $operation (grep { $told{ $$_{key} } } @{ $$client{operations} })
		{
			$told .= "$$operation{key}\t$$operation{amount}\n";
			$acknowledged++;
		}
		foreach my $operation (@rest)
		{
			$again .= "SELECT FROM $$operation{call};\nINSERT INTO acknowledged VALUES ('$$operation{key}', '$$operation{amount}');\n";
			$resent++;
		}
	}
	my $file = "$PostgreSQL::Test::Utils::tmp_check/acknowledged";
	unlink($file);
	append_to_file($file, $told);
	$node->safe_psql('ledger', "\\copy acknowledged FROM '$file'");
	$node->safe_psql('ledger', $again);
}

# --- what must be there -------------------------------------------------------------

cmp_ok($acknowledged, '>', $rounds * 30, "the clients were told of $acknowledged operations");
cmp_ok($resent, '>', $rounds * 5, "and sent $resent again");
is( $node->safe_psql('ledger', q{
		SELECT count(*), count(t.amount), count(*) FILTER (WHERE t.amount = a.amount), count(DISTINCT (t.account_id, t.seq))
		FROM acknowledged AS a LEFT JOIN transaction AS t ON t.idempotency_key = a.key}),
	join('|', ($acknowledged + $resent) x 4), 'each of them is there once, with its amount');
is($node->safe_psql('ledger', q{SELECT (SELECT sum(balance) FROM account) = '10000000 USD' + (SELECT sum(amount) FROM acknowledged)}),
	't', 'and the balances are their sum');
is( $node->safe_psql('ledger', q{SELECT count(*) FROM transaction
		WHERE idempotency_key IS NOT NULL AND idempotency_key NOT IN (SELECT key FROM acknowledged)}),
	'0', 'nothing is there that no client sent, or was told of');

$node->stop;
done_testing();
