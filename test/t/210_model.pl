# The whole life of credits, told twice: random requests go to the extension and
# to a plain model of its rules (test/t/lib/Model.pm).  After each of them both
# have given the same answer, row or error; and the accounts that it was about have
# the same balance, held and available money in both, the same open credits with
# what is left of them, the same open holds, and the same new entries in their
# history.  So have all accounts after every twentieth request.
#
# Two sessions take turns, one with the fast store, one with the plain one.
# Time stands still in a request and moves between requests.
#
# MODEL_OPERATIONS and MODEL_SEED try others.  MODEL_TRACE prints every request.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Ledger;
use Model;
use ModelClient;
use ModelRandom;
use ModelReplay;
use JSON::PP;
use List::Util qw(uniq);
use POSIX qw(strftime);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $operations = $ENV{MODEL_OPERATIONS} || 100_000;
my $seed = $ENV{MODEL_SEED} || 42;
my $parts = 10;
srand($seed);
note("$operations operations, seed $seed");

my $node = start_server('main', 'fsync = off', 'synchronous_commit = off', 'autovacuum_naptime = 5s', q{timezone = 'UTC'});
make_ledger($node, 'ledger', $ModelClient::functions);

my $connection = $node->connstr('ledger') =~ s/ (?=\w+=)/;/gr;
my @sessions = (
	ModelClient->new('fast', $connection, 'storecredit.fast_path' => 'on'),
	ModelClient->new('plain', $connection, 'storecredit.fast_path' => 'off'));
my $model = Model->new(now => 1_767_225_600);
my $random = ModelRandom->new(model => $model);

my (%done, %answers, %agreed_seq, @story);

# What has happened, for people to see where it went wrong.
sub remember
{
	my ($session, $request, $answer) = @_;
	push @story, [ $model->{now}, $session->{name}, $request, $answer ];
	shift @story if @story > 300;
	note(told($story[-1])) if $ENV{MODEL_TRACE};
	return;
}

sub told
{
	my ($now, $name, $request, $answer) = @{ $_[0] };
	my $asked = JSON::PP->new->canonical->encode($request) =~ s/:"?inf"?/:"never"/gir;
	return strftime('%Y-%m-%d %H:%M:%S', gmtime($now)) . " $name $asked -> " . $answer =~ s/\n/ + /gr;
}

# Undef if both tell the same of each of these accounts and of its history
# since they last did, else what they tell.
sub difference_in
{
	my ($session, @accounts) = @_;
	foreach my $account (@accounts)
	{
		my $label = $account->label;
		my $found = $session->account_text($label, $agreed_seq{$label} // 0);
		my $expected = $account->text($agreed_seq{$label} // 0);
		return [ 'an account', $found, $expected ] if $found ne $expected;
		$agreed_seq{$label} = $account->{last_seq};
	}
	return;
}

# The accounts that a request is about.  Now and then these are all, for what may
# have happened to another one.
sub accounts_to_compare
{
	my ($request) = @_;
	return $model->accounts if $request->{call} eq 'expire' || $done{all} % 20 == 0;
	my @about = grep { defined($_->{account} // $_->{owner}) } $request->{items} ? @{ $request->{items} } : $request;
	return uniq(map { $model->find_account($_) // () } @about);
}

# A request to both.  Undef if they agree, else on what they do not.
sub one_operation
{
	my ($session) = @_;
	$model->{now} += $random->later;
	my $request = $random->request;
	$session->set('storecredit.test_clock', $model->{now});
	$session->set('storecredit.revert_expired', $model->{rule});
	my $answer = $session->perform($request);
	my $foretold = $model->perform($request);
	remember($session, $request, $answer);
	$done{ $request->{call} }++;
	$answers{$1}++ while $foretold =~ /^(?:\d+\|.*\|)?(SC\d+ \w+|\d{5} )$/mg;
	return [ 'the answer', $answer, $foretold ] if $answer ne $foretold;
	return difference_in($session, accounts_to_compare($request));
}

# Both texts without the lines that are the same.
sub show
{
	my ($what, $found, $expected) = @_;
	diag("They do not agree on $what after this, the last of $done{all} operations with seed $seed:");
	diag(told($story[-1]));
	my @found = split /\n/, $found;
	my @expected = split /\n/, $expected;
	foreach my $i (0 .. ($#found > $#expected ? $#found : $#expected))
	{
		my ($left, $right) = ($found[$i] // '', $expected[$i] // '');
		diag("extension: $left\nmodel:     $right") if $left ne $right;
	}
	note(told($_)) foreach @story;
	return;
}

my $difference;
foreach my $part (1 .. $parts)
{
	my $session = $sessions[0];
	foreach (1 .. $operations / $parts)
	{
		$session = $sessions[ rand(@sessions) ] if rand() < 0.05;
		$done{all}++;
		$difference = one_operation($session) and last;
	}
	ok(!$difference, "extension and model agree, part $part of $parts");
	if ($difference)
	{
		show(@$difference);
		last;
	}
	books_are_sound($node, 'ledger', "after part $part");
}

is(join("\n", ModelReplay::violations($sessions[0]{db})), '', 'the history tells the same');
note("$_: $done{$_}") foreach sort keys %done;
note("$_: $answers{$_}") foreach sort keys %answers;
foreach my $name ($difference || $operations < 20_000 ? () : ModelAccount::refusal_names())
{
	cmp_ok((grep { /^SC\d+ $name$/ } keys %answers), '>', 0, "there was a case of $name");
}

$_->{db}->disconnect foreach @sessions;
$node->stop;
done_testing();
