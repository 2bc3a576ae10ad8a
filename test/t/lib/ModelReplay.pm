# What must be in a ledger's tables if nothing but its history of entries and its
# holds is believed: every figure is added up again from these.
#
# There is less here than in the model, as history does not tell what was asked
# for; but it needs to know nothing of what was asked, and so can judge any
# ledger, whoever wrote it.

package ModelReplay;

use strict;
use warnings;
use ModelAccount;

my $entries = q{
	SELECT account_id, seq, kind, money_ccy_to_minor(amount) AS amount, money_ccy_to_minor(balance_after) AS balance_after,
		coalesce(expires_at, 'infinity') AS expires_at, coalesce(expires_at, 'infinity') <= created_at AS has_expired,
		related_seq, hold_id, array_to_string(draws, ' ') AS draws
	FROM transaction ORDER BY account_id, seq};
my $holds = q{
	SELECT account_id, hold_id, money_ccy_to_minor(amount) AS amount, money_ccy_to_minor(captured) AS captured, status,
		array_to_string(authorized, ' ') AS authorized, array_to_string(draws, ' ') AS draws
	FROM hold ORDER BY account_id, hold_id};
my $accounts = q{
	SELECT account_id, last_seq, last_hold_id, money_ccy_to_minor(balance) AS balance, money_ccy_to_minor(held) AS held,
		money_ccy_to_minor(credit_line) AS credit_line
	FROM account ORDER BY account_id};
my $open_credits = q{
	SELECT account_id, seq, money_ccy_to_minor(remaining) AS remaining, expires_at FROM open_credit ORDER BY account_id, seq};

# Reads all tables as of one moment; returns what does not agree, one line each.
sub violations
{
	my ($db) = @_;
	my (%rows, @violations);
	$db->do('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
	foreach my $table ([ entries => $entries ], [ holds => $holds ], [ open_credits => $open_credits ])
	{
		my ($name, $sql) = @$table;
		push @{ $rows{ $_->{account_id} }{$name} }, $_ foreach @{ $db->selectall_arrayref($sql, { Slice => {} }) };
	}
	my $found = $db->selectall_arrayref($accounts, { Slice => {} });
	$db->do('COMMIT');

	foreach my $account (@$found)
	{
		my $mine = delete $rows{ $account->{account_id} } // {};
		my $replay = bless { %$account, credits => {}, debits => {}, captures => {}, violations => [] }, __PACKAGE__;
		$replay->add_entry($_) foreach @{ $mine->{entries} };
		$replay->add_hold($_) foreach @{ $mine->{holds} };
		$replay->compare(@{ $mine->{open_credits} });
		push @violations, map { "account $account->{account_id}: $_" } @{ $replay->{violations} };
	}
	push @violations, map { "there is no account $_" } sort keys %rows;
	return @violations;
}

sub must
{
	my ($self, $is_so, $what) = @_;
	push @{ $self->{violations} }, $what if !$is_so;
	return;
}

sub pairs
{
	my @numbers = split(/ /, $_[0] // '');
	return map { [ @numbers[ 2 * $_, 2 * $_ + 1 ] ] } 0 .. @numbers / 2 - 1;
}

# --- history --------------------------------------------------------------------------

sub add_entry
{
	my ($self, $entry) = @_;
	my $name = "entry $entry->{seq}, $entry->{kind}";
	$self->must($entry->{seq} == ($self->{seen_seq} // 0) + 1, "$name: a gap before it");
	$self->must($entry->{balance_after} == ($self->{seen_balance} // 0) + $entry->{amount}, "$name: its balance does not follow");
	$self->{seen_seq} = $entry->{seq};
	$self->{seen_balance} = $entry->{balance_after};
	my $add = "add_$entry->{kind}";
	$self->$add($entry, $name);
	return;
}

# Something has left a credit, or come back to it.
sub use_credit
{
	my ($self, $seq, $minor, $name) = @_;
	my $credit = $self->{credits}{$seq} or return $self->must(0, "$name: there is no credit $seq");
	$credit->{used} += $minor;
	$self->must($credit->{used} >= 0, "$name: more comes back to credit $seq than had left it");
	$self->must($credit->{used} <= $credit->{amount}, "$name: more leaves credit $seq than it had");
	return;
}

sub use_credits
{
	my ($self, $name, @pairs) = @_;
	$self->use_credit(@$_, $name) foreach @pairs;
	return;
}

sub add_credit
{
	my ($self, $entry, $name) = @_;
	$self->{credits}{ $entry->{seq} } = { amount => $entry->{amount}, used => 0, expires_at => $entry->{expires_at} };
	$self->use_credits($name, pairs($entry->{draws}));
	return;
}

sub add_debit
{
	my ($self, $entry, $name) = @_;
	my @draws = pairs($entry->{draws});
	$self->use_credits($name, @draws);
	$self->must(ModelAccount::sum(map { $_->[1] } @draws) <= -$entry->{amount}, "$name: it drew more than it is");
	$self->{debits}{ $entry->{seq} } = { amount => -$entry->{amount}, drawn => { map { @$_ } @draws } };
	push @{ $self->{captures}{ $entry->{hold_id} } }, { amount => -$entry->{amount}, draws => \@draws }
	  if defined $entry->{hold_id};
	return;
}

sub add_debit_revert
{
	my ($self, $entry, $name) = @_;
	my $debit = $self->{debits}{ $entry->{related_seq} } or return $self->must(0, "$name: of no debit");
	$debit->{amount} -= $entry->{amount};
	$self->must($debit->{amount} >= 0, "$name: more is reverted than was debited");
	foreach my $pair (pairs($entry->{draws}))
	{
		my ($seq, $minor) = @$pair;
		$debit->{drawn}{$seq} -= $minor;
		$self->must($debit->{drawn}{$seq} >= 0, "$name: credit $seq gets more than the debit drew from it");
		$self->use_credit($seq, -$minor, $name);
	}
	return;
}

sub add_expiration
{
	my ($self, $entry, $name) = @_;
	$self->must($entry->{has_expired}, "$name: it was not due yet");
	$self->use_credit($entry->{related_seq}, -$entry->{amount}, $name);
	return;
}

sub add_revocation
{
	my ($self, $entry, $name) = @_;
	$self->use_credit($entry->{related_seq}, -$entry->{amount}, $name);
	return;
}

# Of a credit; or of no credit, where credits pay back the credit line or get back from it.
sub add_adjustment
{
	my ($self, $entry, $name) = @_;
	if (defined $entry->{related_seq})
	{
		my $credit = $self->{credits}{ $entry->{related_seq} } or return $self->must(0, "$name: of no credit");
		$credit->{amount} += $entry->{amount};
		$credit->{expires_at} = $entry->{expires_at};
		$self->use_credit($entry->{related_seq}, 0, $name);
	}
	$self->must($entry->{amount} == 0 || defined $entry->{related_seq}, "$name: of no credit, but with an amount");
	$self->use_credits($name, pairs($entry->{draws}));
	return;
}

# --- holds ----------------------------------------------------------------------------

# What is still set aside is what was, less what was captured; of a closed hold it is nothing.
sub add_hold
{
	my ($self, $hold) = @_;
	my $name = "hold $hold->{hold_id}, $hold->{status}";
	my @captures = @{ delete $self->{captures}{ $hold->{hold_id} } // [] };
	my %left = map { @$_ } pairs($hold->{authorized});
	my %kept = map { @$_ } pairs($hold->{draws});

	$self->must($hold->{hold_id} == ($self->{seen_hold_id} // 0) + 1, "$name: a gap before it");
	$self->{seen_hold_id} = $hold->{hold_id};
	$self->must($hold->{captured} == ModelAccount::sum(map { $_->{amount} } @captures),
		"$name: captured is not what its debits are");
	$self->must($hold->{captured} <= $hold->{amount}, "$name: more was captured than held");
	foreach my $pair (map { @{ $_->{draws} } } @captures)
	{
		my ($seq, $minor) = @$pair;
		$left{$seq} -= $minor;
		$self->must($left{$seq} >= 0, "$name: more of credit $seq was captured than set aside");
	}
	if ($hold->{status} ne 'open')
	{
		$self->must(!%kept, "$name: it still holds something");
		return;
	}
	foreach my $seq (keys %left, keys %kept)
	{
		$self->must(($left{$seq} // 0) == ($kept{$seq} // 0), "$name: it holds another amount of credit $seq");
	}
	$self->{set_aside} += $hold->{amount} - $hold->{captured};
	$self->use_credits($name, pairs($hold->{draws}));
	return;
}

# --- the account ----------------------------------------------------------------------

sub compare
{
	my ($self, @open_credits) = @_;
	my $held = $self->{set_aside} // 0;
	my $balance = $self->{seen_balance} // 0;
	my %expected;
	foreach my $seq (keys %{ $self->{credits} })
	{
		my $credit = $self->{credits}{$seq};
		my $remaining = $credit->{amount} - $credit->{used};
		$expected{$seq} = "$remaining until $credit->{expires_at}" if $remaining != 0;
	}
	my %found = map { $_->{seq} => "$_->{remaining} until $_->{expires_at}" } @open_credits;
	$self->must(@open_credits == keys %found, 'a credit is open twice');
	foreach my $seq (sort { $a <=> $b } keys %{ { %expected, %found } })
	{
		my ($expected, $found) = map { $_ // 'nothing' } $expected{$seq}, $found{$seq};
		$self->must($expected eq $found, "credit $seq: history has left $expected, open_credit has $found");
	}

	my $left = ModelAccount::sum(map { $_->{remaining} } @open_credits);
	$self->must($self->{balance} == $balance, "balance: history has $balance, the account $self->{balance}");
	$self->must($self->{held} == $held, "held: the holds have $held, the account $self->{held}");
	$self->must($self->{last_seq} == ($self->{seen_seq} // 0), 'last_seq is not that of the last entry');
	$self->must($self->{last_hold_id} == ($self->{seen_hold_id} // 0), 'last_hold_id is not that of the last hold');
	$self->must($left == ModelAccount::max(0, $balance - $held),
		"open credits: there are $left, of a balance of $balance and $held held");
	$self->must($held - $balance <= $self->{credit_line},
		'drawn from the credit line: ' . ($held - $balance) . " of $self->{credit_line}");
	$self->must(!%{ $self->{captures} },
		'debits of holds that there are not: ' . join(' ', sort keys %{ $self->{captures} }));
	return;
}

1;
