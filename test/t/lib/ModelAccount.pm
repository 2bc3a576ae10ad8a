# One account, as plainly as it can be said: credits with an amount and what is
# left of it, holds, and a history.  All else is added up from these when asked
# for.  Time is in seconds, money in minor units.
#
# A call works on a draft of the account.  If it is refused, the draft is thrown
# away, and nothing has happened.

package ModelAccount;

use strict;
use warnings;
use List::Util qw(first);

use constant NEVER => 9**9**9;
use constant MAX_MINOR => 9223372036854775807;

my %sqlstates = (
	negative_or_zero_amount => 'SC001',
	credit_limit_exceeded => 'SC002',
	insufficient_funds => 'SC003',
	account_not_found => 'SC004',
	mismatching_currency => 'SC005',
	expires_at_in_past => 'SC006',
	unsupported_currency => 'SC007',
	idempotency_key_parameter_mismatch => 'SC008',
	hold_not_open => 'SC009',
	exceeds_hold_amount => 'SC010',
	exceeds_revertable_amount => 'SC011',
	credit_not_found => 'SC012',
	transaction_not_found => 'SC012',
	hold_not_found => 'SC012',
	credit_in_use => 'SC013',
	debit_limit_exceeded => 'SC014',
	credit_expired => 'SC015');

sub refusal_names { return sort keys %sqlstates; }

# Ends a call: SQLSTATE and constraint name are its answer.
sub refuse
{
	my ($name) = @_;
	die { answer => "$sqlstates{$name} $name", is_refusal => 1 };
}

# An amount that has no place in 64 bits is an error of the type, not a refusal of the ledger.
sub fits
{
	my ($minor) = @_;
	die { answer => '22003 ' } if $minor > MAX_MINOR || $minor < -MAX_MINOR - 1;
	return $minor;
}

# Exact, as those of List::Util are not for what has more than 53 bits.
sub min { return $_[0] < $_[1] ? $_[0] : $_[1]; }
sub max { return $_[0] > $_[1] ? $_[0] : $_[1]; }

sub sum
{
	my $sum = 0;
	$sum += $_ foreach @_;
	return $sum;
}

# --- the account ----------------------------------------------------------------

# The shop has what is common to all accounts: the clock and the rule for
# expired credits.  The number orders accounts by their age.
sub new
{
	my ($class, $shop, $owner, $currency) = @_;
	return bless {
		shop => $shop,
		owner => $owner,
		currency => $currency,
		number => undef,
		balance => 0,
		credit_line => 0,
		max_balance => undef,
		last_seq => 0,
		last_hold_id => 0,
		credits => {},         # by seq, those with something left
		used_credits => {},    # by seq, the others
		holds => {},           # by id, the open ones
		closed_holds => {},    # by id
		debits => {},          # by seq
		reverted => {},        # by a debit's seq: how much of it
		repayments => [],      # what credits have paid back to the credit line, and did not get back: pairs, in their order
		keys => {},            # by idempotency key: what was asked, and which rows answered
		history => [],
	}, $class;
}

sub label
{
	my ($self) = @_;
	return "$self->{owner} $self->{currency}";
}

sub draft
{
	my ($self) = @_;
	return bless {
		%$self,
		original => $self,
		credits => { map { $_->{seq} => {%$_} } values %{ $self->{credits} } },
		holds => { map { $_->{id} => {%$_} } values %{ $self->{holds} } },
		repayments => [ @{ $self->{repayments} } ],
		entries => [],
		new_keys => {},
	}, ref $self;
}

# Makes what was done to the draft true.
sub commit
{
	my ($self) = @_;
	my $original = $self->{original};
	$original->{$_} = $self->{$_} foreach qw(balance last_seq last_hold_id credit_line max_balance repayments);
	foreach my $credit (values %{ $self->{credits} })
	{
		my ($to, $from) = $credit->{remaining} > 0 ? qw(credits used_credits) : qw(used_credits credits);
		delete $original->{$from}{ $credit->{seq} };
		$original->{$to}{ $credit->{seq} } = $credit;
	}
	foreach my $hold (values %{ $self->{holds} })
	{
		my ($to, $from) = $hold->{status} eq 'open' ? qw(holds closed_holds) : qw(closed_holds holds);
		delete $original->{$from}{ $hold->{id} };
		$original->{$to}{ $hold->{id} } = $hold;
	}
	foreach my $entry (@{ $self->{entries} })
	{
		push @{ $original->{history} }, $entry;
		$original->{debits}{ $entry->{seq} } = $entry if $entry->{kind} eq 'debit';
		$original->{reverted}{ $entry->{related_seq} } += $entry->{amount} if $entry->{kind} eq 'debit_revert';
	}
	$original->{keys}{$_} = $self->{new_keys}{$_} foreach keys %{ $self->{new_keys} };
	return;
}

# --- what there is --------------------------------------------------------------

# In the order in which they are drawn on: what expires first, the older of two first.
sub open_credits
{
	my ($self) = @_;
	return sort { $a->{expires_at} <=> $b->{expires_at} || $a->{seq} <=> $b->{seq} }
	  grep { $_->{remaining} > 0 } values %{ $self->{credits} };
}

sub open_holds
{
	my ($self) = @_;
	return sort { $a->{expires_at} <=> $b->{expires_at} || $a->{id} <=> $b->{id} }
	  grep { $_->{status} eq 'open' } values %{ $self->{holds} };
}

# Those of a draft may be changed.
sub credit
{
	my ($self, $seq) = @_;
	my $used = $self->{used_credits}{$seq};
	$self->{credits}{$seq} //= {%$used} if $used;
	return $self->{credits}{$seq};
}

sub hold
{
	my ($self, $id) = @_;
	return $self->{holds}{$id} // $self->{closed_holds}{$id};
}

# The entry of a seq: there are no gaps.
sub entry
{
	my ($self, $seq) = @_;
	my $written = @{ $self->{history} };
	return $seq <= $written ? $self->{history}[ $seq - 1 ] : $self->{entries}[ $seq - $written - 1 ];
}

sub held
{
	my ($self) = @_;
	return fits(sum(map { $_->{status} eq 'open' ? $_->{amount} - $_->{captured} : 0 } values %{ $self->{holds} }));
}

sub left_in_credits
{
	my ($self) = @_;
	return sum(map { $_->{remaining} } values %{ $self->{credits} });
}

# Once nothing is overdue.
sub available
{
	my ($self) = @_;
	return min($self->{balance} - $self->held + $self->{credit_line}, MAX_MINOR);
}

sub is_overdue
{
	my ($self) = @_;
	my $now = $self->{shop}{now};
	return defined first { $_->{expires_at} <= $now } values %{ $self->{holds} }, values %{ $self->{credits} };
}

# What can be spent now, whether what is overdue has been booked or not.
sub available_now
{
	my ($self) = @_;
	return $self->available if !$self->is_overdue;
	my $draft = $self->draft;
	$draft->catch_up;
	return $draft->available;
}

# --- moving money ---------------------------------------------------------------

sub book
{
	my ($self, $kind, $amount, %more) = @_;
	my $entry = {
		seq => ++$self->{last_seq},
		kind => $kind,
		amount => $amount,
		balance_after => fits($self->{balance} + $amount),
		created_at => $self->{shop}{now},
		expires_at => NEVER,
		draws => [],
		%more
	};
	$self->{balance} = $entry->{balance_after};
	push @{ $self->{entries} }, $entry;
	return $entry;
}

# Takes money from credits.  What they do not have comes from the credit line.
sub draw
{
	my ($self, $minor) = @_;
	my @draws;
	foreach my $credit ($self->open_credits)
	{
		my $part = min($minor, $credit->{remaining});
		last if $part == 0;
		$credit->{remaining} -= $part;
		$minor -= $part;
		push @draws, [ $credit->{seq}, $part ];
	}
	return @draws;
}

sub issue
{
	my ($self, $minor, $expires_at, %more) = @_;
	my $entry = $self->book('credit', $minor, expires_at => $expires_at, %more);
	$self->{credits}{ $entry->{seq} } = {
		seq => $entry->{seq},
		amount => $minor,
		remaining => $minor,
		expires_at => $expires_at,
		revoked => 0
	};
	$self->settle_credit_line($entry);
	return $entry;
}

# Pairs without the first so many minor units, and the first so many.
sub split_pairs
{
	my ($minor, @pairs) = @_;
	my (@first, @rest);
	foreach my $pair (@pairs)
	{
		my ($seq, $amount) = @$pair;
		my $part = min($minor, $amount);
		$minor -= $part;
		push @first, [ $seq, $part ] if $part > 0;
		push @rest, [ $seq, $amount - $part ] if $part < $amount;
	}
	return (\@first, \@rest);
}

# One credit gets money back.  If it had expired by then, the rule decides.
sub give_back
{
	my ($self, $seq, $minor, $rule, $by) = @_;
	my $credit = $self->credit($seq);
	if ($credit->{expires_at} <= $by)
	{
		refuse('credit_expired') if $rule eq 'refuse';
		if ($rule eq 'expire')
		{
			$self->book('expiration', -$minor, related_seq => $seq, expires_at => $credit->{expires_at});
			return;
		}
		$credit->{expires_at} = $by + $self->{shop}{grace};
		$self->book('adjustment', 0, related_seq => $seq, expires_at => $credit->{expires_at});
	}
	$credit->{remaining} = fits($credit->{remaining} + $minor);
	return;
}

sub give_back_all
{
	my ($self, $pairs, $rule, $by) = @_;
	$self->give_back(@$_, $rule, $by) foreach @$pairs;
	return;
}

# Where nobody asked, nobody can be refused.
sub unasked_rule
{
	my ($self) = @_;
	return $self->{shop}{rule} eq 'expire' ? 'expire' : 'reinstate';
}

# There is never money in credits while the account has drawn on its credit
# line, nor the reverse: what is left in credits is the balance less what is
# held, or nothing if that is below zero.  Where it is more, credits pay back
# the line, in the order in which they are drawn on; where it is less, they get
# back what they had paid, the last to pay first.  Either is a draw in the
# history, in the entry given or in one of its own.
sub settle_credit_line
{
	my ($self, $entry, $by) = @_;
	my $surplus = $self->left_in_credits - max(0, $self->{balance} - $self->held);
	if ($surplus > 0)
	{
		$entry //= $self->book('adjustment', 0);
		my @draws = $self->draw($surplus);
		push @{ $entry->{draws} }, @draws;
		push @{ $self->{repayments} }, @draws;
	}
	elsif ($surplus < 0)
	{
		my ($back, $kept) = split_pairs(-$surplus, reverse @{ $self->{repayments} });
		$self->{repayments} = [ reverse @$kept ];
		$entry = $self->book('adjustment', 0, draws => [ map { [ $_->[0], -$_->[1] ] } @$back ]);
		$self->give_back_all($back, $self->unasked_rule, $by);
	}
	return;
}

# Closes a hold, the last drawn goes back first.
sub release
{
	my ($self, $hold, $status, $rule, $by) = @_;
	my @back = reverse @{ $hold->{draws} };
	@$hold{qw(status closed_at draws)} = ($status, $self->{shop}{now}, []);
	$self->give_back_all(\@back, $rule, $by);
	$self->settle_credit_line(undef, $by);
	return;
}

# --- time -------------------------------------------------------------------------

sub expire_credits
{
	my ($self, $by) = @_;
	my $count = 0;
	foreach my $credit ($self->open_credits)
	{
		last if $credit->{expires_at} > $by;
		$self->book('expiration', -$credit->{remaining}, related_seq => $credit->{seq}, expires_at => $credit->{expires_at});
		$credit->{remaining} = 0;
		$count++;
	}
	return $count;
}

# Books what is overdue in the order in which it fell due, so that it does not
# matter when it is booked: what a hold had is free as of its end, and goes back
# to credits that had not expired by then, even if they have by now.
# Returns how many holds and credits there were.
sub catch_up
{
	my ($self) = @_;
	my $now = $self->{shop}{now};
	my $count = 0;
	foreach my $hold (grep { $_->{expires_at} <= $now } $self->open_holds)
	{
		$count += $self->expire_credits($hold->{expires_at});
		$self->release($hold, 'expired', $self->unasked_rule, $hold->{expires_at});
		$count++;
	}
	return $count + $self->expire_credits($now);
}

# --- as text ------------------------------------------------------------------------

sub instant { return $_[0] == NEVER ? 'Infinity' : $_[0]; }
sub pairs { return join(',', map { @$_ } @{ $_[0] }); }

sub entry_text
{
	my ($entry) = @_;
	return join('|', @$entry{qw(seq kind amount balance_after created_at)}, instant($entry->{expires_at}),
		$entry->{related_seq} // '-', $entry->{hold_id} // '-', pairs($entry->{draws}));
}

sub hold_text
{
	my ($hold) = @_;
	return join('|', @$hold{qw(id amount captured status created_at)}, instant($hold->{expires_at}),
		$hold->{closed_at} // '-', pairs($hold->{authorized}), pairs($hold->{draws}));
}

# What there is, and the history after a seq.
sub text
{
	my ($self, $after_seq) = @_;
	return join('|', $self->label, $self->{balance}, $self->held, $self->{credit_line}, $self->{max_balance} // '-',
		$self->available_now, $self->{last_seq}, $self->{last_hold_id})
	  . "\n credits " . join(' ', map { join(':', instant($_->{expires_at}), @$_{qw(seq remaining)}) } $self->open_credits)
	  . "\n holds " . join(' ', map { hold_text($_) } sort { $a->{id} <=> $b->{id} } values %{ $self->{holds} })
	  . join('', map { "\n " . entry_text($_) } @{ $self->{history} }[ $after_seq .. $#{ $self->{history} } ]);
}

1;
