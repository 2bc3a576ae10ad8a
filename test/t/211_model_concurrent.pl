# The whole life of credits, lived by four sessions at once on the same few
# accounts: random requests of every kind, two sessions with the fast store and
# two with the plain one, on the wall clock, with credits and holds that live for
# seconds.  Nobody can foretell the answers; but afterwards
#
# - each answer was a row that is in the history, or a refusal of the ledger;
# - nothing else is in the history but what the ledger books by itself;
# - each account, credit and hold has what the history says, see ModelReplay;
# - the books are sound;
# - and they are still, once a sweep has booked all that ends within a day.
#
# MODEL_SECONDS and MODEL_SEED try others.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Ledger;
use ModelAccount;
use ModelClient;
use ModelRandom;
use ModelReplay;
use POSIX ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seconds = $ENV{MODEL_SECONDS} || 40;
my $seed = $ENV{MODEL_SEED} || 42;
note("$seconds seconds, seed $seed");

my $node = start_server('main', 'fsync = off', 'synchronous_commit = off', 'autovacuum_naptime = 2s',
	q{timezone = 'UTC'}, 'storecredit.revert_grace = 3s');
make_ledger($node, 'ledger', $ModelClient::functions);
my $connection = $node->connstr('ledger') =~ s/ (?=\w+=)/;/gr;

# What a session knows of the accounts, which others are changing.
sub look_at
{
	my ($session, $view) = @_;
	my %accounts;
	my $rows = sub { return @{ $session->{db}->selectall_arrayref($_[0], { Slice => {} }) }; };
	foreach my $row ($rows->(q{SELECT account_id AS number, owner, currency, money_ccy_to_minor(balance) AS balance,
		money_ccy_to_minor(credit_line) AS credit_line, last_seq, last_hold_id FROM account}))
	{
		my $account = ModelAccount->new($view, @$row{qw(owner currency)});
		@$account{ keys %$row } = values %$row;
		$accounts{ $row->{number} } = $account;
	}
	foreach my $row ($rows->(q{SELECT account_id, seq, money_ccy_to_minor(remaining) AS remaining,
		date_part('epoch', expires_at) AS expires_at FROM open_credit}))
	{
		my $account = $accounts{ $row->{account_id} } or next;
		$account->{credits}{ $row->{seq} } = { %$row, amount => $row->{remaining} };
	}
	foreach my $row ($rows->(q{SELECT account_id, hold_id AS id, money_ccy_to_minor(amount) AS amount,
		money_ccy_to_minor(captured) AS captured, coalesce(date_part('epoch', expires_at), 'Infinity') AS expires_at, status
		FROM hold WHERE closed_at IS NULL}))
	{
		my $account = $accounts{ $row->{account_id} } or next;
		$account->{holds}{ $row->{id} } = { %$row, draws => [] };
	}
	foreach my $row ($rows->(q{SELECT t.account_id, t.seq, money_ccy_to_minor(t.amount) AS amount FROM account AS a
		JOIN transaction AS t ON t.account_id = a.account_id AND t.seq > a.last_seq - 50 WHERE t.kind = 'debit'}))
	{
		my $account = $accounts{ $row->{account_id} } or next;
		$account->{debits}{ $row->{seq} } = $row;
	}
	$view->{accounts} = { map { $_->label => $_ } values %accounts };
	return;
}

# The entries that answered: "owner currency|" and the entry, as far as the answer tells of it.
sub entries_of
{
	my ($request, $answer) = @_;
	return map { /^\d+\|(.*? [A-Z]{3}\|\d+)\|$/ ? "$1|" : () } split(/\n/, $answer) if $request->{call} =~ /_many$/;
	return () if $request->{call} !~ /^(credit|refund|debit|capture|revert|edit|revoke)$/;
	my $label = $request->{account} // "$request->{owner} $request->{currency}";
	return map { "$label|$_" } split(/\n/, $answer);
}

# One session; writes its answers to files.
sub live
{
	my ($number, $until) = @_;
	srand($seed + $number);
	my $session = ModelClient->new("session $number", $connection, 'storecredit.fast_path' => $number % 2 ? 'on' : 'off');
	my $view = { now => time, rule => 'reinstate', grace => 3, accounts => {} };
	my $random = ModelRandom->new(model => $view, hour => 1, day => 2);
	my ($calls, $entries, $errors) = ('', '', '');
	for (my $n = 0; time < $until; $n++)
	{
		look_at($session, $view) if $n % 25 == 0;
		$view->{now} = time;
		my $request = $random->request;
		my $answer = $session->perform($request);
		my $error = $session->{error};
		$calls .= "$request->{call} " . ($error || 'done') . "\n";
		$entries .= join('', map { "$_\n" } entries_of($request, $answer)) if !$error;
		$errors .= "$request->{call} $answer\n" if $error !~ /^(|SC\d{3}|22003|22023)$/;
	}
	my $file = "$PostgreSQL::Test::Utils::tmp_check/session_$number";
	append_to_file("$file.calls", $calls);
	append_to_file("$file.entries", $entries);
	append_to_file("$file.errors", $errors);
	return;
}

my $until = time + $seconds;
my @children;
foreach my $number (1 .. 4)
{
	my $child = fork() // die "could not fork: $!\n";
	if ($child == 0)
	{
		my $lived = eval { live($number, $until); 1 };
		print STDERR $@ if !$lived;
		POSIX::_exit($lived ? 0 : 1);
	}
	push @children, $child;
}
foreach my $child (@children)
{
	waitpid($child, 0);
	is($?, 0, 'a session lived to the end');
}

sub told
{
	my ($what) = @_;
	return split(/\n/, join('', map { slurp_file($_) } glob("$PostgreSQL::Test::Utils::tmp_check/session_*.$what")));
}

my %calls;
$calls{$_}++ foreach told('calls');
note("$_: $calls{$_}") foreach sort keys %calls;
foreach my $call (qw(credit refund debit authorize capture void revert edit revoke expire credit_many debit_many))
{
	cmp_ok($calls{"$call done"} // 0, '>', 0, "$call was done");
}
is(join("\n", told('errors')), '', 'nobody saw an error that is not a refusal');

# --- what was answered is in the books ----------------------------------------------

my $session = ModelClient->new('afterwards', $connection);
my %history = map { @$_ } @{ $session->{db}->selectall_arrayref(q{
	SELECT concat_ws('|', a.owner || ' ' || a.currency, t.seq), entry_text(t)
	FROM transaction AS t JOIN account AS a USING (account_id) WHERE t.issuer <> 'storecredit'}) };
my (%answered, @wrong);
foreach my $line (told('entries'))
{
	my ($label, $entry) = $line =~ /^(.*?)\|(.*)$/;
	my ($seq) = $entry =~ /^(\d+)/;
	my $found = $history{"$label|$seq"} // 'nothing';
	$answered{"$label|$seq"} = 1;
	push @wrong, "$line: $found" if $found ne $entry && "$seq|" ne $entry;
}
cmp_ok(scalar(keys %answered), '>', 100, keys(%answered) . ' entries were answered');
is(join("\n", @wrong), '', 'each entry that was answered is in the history');
is(join("\n", grep { !$answered{$_} } sort keys %history), '', 'no other entry is in the history');

# --- and the books add up -------------------------------------------------------------

is(join("\n", ModelReplay::violations($session->{db})), '', 'the history tells what is in the accounts');
books_are_sound($node, 'ledger', 'afterwards');

my $overdue = q{
	SELECT (SELECT count(*) FROM open_credit WHERE expires_at <= store_credit_clock())
		+ (SELECT count(*) FROM hold WHERE closed_at IS NULL AND expires_at <= store_credit_clock())};
my $swept = 0;
$session->set('storecredit.test_clock', time + 86400);
cmp_ok($session->query($overdue), '>', 0, 'something ends within a day');
while ((my $count = $session->query('SELECT store_credit_expire(3)')) > 0) { $swept += $count; }
is($session->query($overdue), '0', "nothing of it is overdue after a sweep, which booked $swept");
is(join("\n", ModelReplay::violations($session->{db})), '', 'and the history tells what is in the accounts');
books_are_sound($node, 'ledger', 'after the sweep');

$session->{db}->disconnect;
$node->stop;
done_testing();
