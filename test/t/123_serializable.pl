# Transactions that read one account and write another, two at a time, each
# reading what the other writes.  SERIALIZABLE must refuse one of them, whoever
# reads how and whichever store serves; REPEATABLE READ lets both through.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Ledger;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_server('main');
my $owners = 400;
make_ledger($node, 'ledger', qq{
	SELECT count(store_credit_credit('owner ' || n, '10.00 USD', idempotency_key => 'first')) FROM generate_series(1, $owners) AS n;
	ANALYZE});
my $next = 0;

# The accounts of two owners that are not neighbours, so that neither an index
# page nor a table's page of the one has anything of the other.
sub two_owners
{
	my $n = ++$next;
	return ("owner $n", 'owner ' . ($n + $owners / 2));
}

# Runs the statements side by side, step by step, and tells how many of the two
# transactions went through, and how the other one ended.
sub side_by_side
{
	my ($level, $fast_path, $mine, $others) = @_;
	my @sessions = map { session($node, 'ledger') } 1 .. 2;
	my %ends;
	$sessions[$_]->query("SET storecredit.fast_path = $$fast_path[$_]; SET enable_seqscan = off; BEGIN ISOLATION LEVEL $level") foreach 0, 1;
	foreach my $step (0 .. $#$mine)
	{
		$sessions[0]->query($$mine[$step]) if $sessions[0]->state eq '00000';
		$sessions[1]->query($$others[$step]) if $sessions[1]->state eq '00000';
	}
	foreach my $session (@sessions)
	{
		if ($session->state eq '00000')
		{
			$session->query('COMMIT');
		}
		$ends{ $session->state }++;
		$session->close;
	}
	return join(', ', map { "$_: $ends{$_}" } sort keys %ends);
}

my %readers = (
	'the balance' => sub { "SELECT store_credit_balance('$_[0]', 'USD')" },
	'the view' => sub { "SELECT available FROM balance WHERE owner = '$_[0]'" },
	'the account' => sub { "SELECT last_seq FROM account WHERE owner = '$_[0]'" },
	'the history' => sub { "SELECT max(seq) FROM transaction WHERE account_id = " . account_of($_[0]) },
	'the open credits' => sub { "SELECT sum(remaining) FROM open_credit WHERE account_id = " . account_of($_[0]) },
	'a replayed entry' => sub { "SELECT seq FROM store_credit_credit('$_[0]', '10.00 USD', idempotency_key => 'first')" });

my %writers = (
	'a debit' => sub { "SELECT seq FROM store_credit_debit('$_[0]', '1.00 USD')" },
	'a debit of all' => sub { "SELECT seq FROM store_credit_debit('$_[0]', '10.00 USD')" },
	'a credit' => sub { "SELECT seq FROM store_credit_credit('$_[0]', '1.00 USD')" });

my %accounts = map { split /\|/ } split /\n/, $node->safe_psql('ledger', 'SELECT owner, account_id FROM account');
sub account_of { return $accounts{ $_[0] }; }

foreach my $stores ([ 'on', 'on' ], [ 'off', 'on' ], [ 'off', 'off' ])
{
	my $pair = join(' beside ', map { $_ eq 'on' ? 'fast' : 'plain' } @$stores);
	foreach my $reader (sort keys %readers)
	{
		foreach my $writer (sort keys %writers)
		{
			my ($one, $two) = two_owners();
			my @mine = ($readers{$reader}->($one), $writers{$writer}->($two));
			my @others = ($readers{$reader}->($two), $writers{$writer}->($one));
			# The plain store has the account locked by then, so one would wait for the other.
			next if $reader eq 'a replayed entry' && $pair =~ /plain/;
			is(side_by_side('SERIALIZABLE', $stores, \@mine, \@others), '00000: 1, 40001: 1', "$pair: each reads $reader and writes $writer: one is refused");
		}
	}

	# An owner that each finds to have no account yet.
	my ($one, $two) = map { "new $_ $pair" } 'A', 'Z';
	is( side_by_side('SERIALIZABLE', $stores,
			[ $readers{'the balance'}->($one), $writers{'a credit'}->($two) ], [ $readers{'the balance'}->($two), $writers{'a credit'}->($one) ]),
		'00000: 1, 40001: 1', "$pair: each finds no account and opens it for the other: one is refused");

	($one, $two) = two_owners();
	is( side_by_side('REPEATABLE READ', $stores,
			[ $readers{'the balance'}->($one), $writers{'a debit'}->($two) ], [ $readers{'the balance'}->($two), $writers{'a debit'}->($one) ]),
		'00000: 2', "$pair: REPEATABLE READ lets both through");

	# Transactions that have nothing to do with each other.
	my ($three, $four);
	($one, $two) = two_owners();
	is( side_by_side('SERIALIZABLE', $stores,
			[ $readers{'the balance'}->($one), $writers{'a debit'}->($one) ], [ $readers{'the balance'}->($one), $readers{'the balance'}->($one) ]),
		'00000: 2', "$pair: one that only reads is in nobody's way");
}

books_are_sound($node, 'ledger', 'after all of them');

$node->stop;
done_testing();
