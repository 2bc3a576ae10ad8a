# Random requests: most of them make sense for what the accounts have now, some
# are just beside it, some make none.
#
# It sees the accounts through a model, or through whatever else has accounts
# with "credits", "used_credits", "debits", "holds" and "closed_holds".

package ModelRandom;

use strict;
use warnings;
use List::Util qw(max min sum);
use ModelAccount;

use constant { NEVER => ModelAccount::NEVER, MAX_MINOR => ModelAccount::MAX_MINOR };

my %weights = (
	credit => 16, refund => 5, debit => 15, authorize => 9, capture => 9, void => 3, revert => 9, edit => 8, revoke => 3,
	expire => 2, balance => 1, credit_many => 2.5, debit_many => 2.5, set_limit => 0.7, set_account_limits => 2,
	set_bonus => 0.3, set_rule => 0.3, again => 7);
my @calls = sort keys %weights;

# Accounts that there are not, here or in any other cell.
my @nowhere = (0, -1, 999_999, 281_474_976_710_657);
my @percents = qw(0 2.5 5 7.25 10 12.5 33.333 100 -1);

sub new
{
	my ($class, %settings) = @_;
	return bless {
		model => undef,
		owners => [qw(ann bob cid dan eve rich)],    # the last one with amounts up to the limits of the type
		currencies => [qw(USD JPY)],
		hour => 3600,    # how time goes by for credits and holds
		day => 86400,
		key_prefix => 'k',
		keys_given => 0,
		remembered => [],    # requests with a key
		%settings
	}, $class;
}

# --- dice ---------------------------------------------------------------------------

sub percent { return rand(100) < $_[0]; }
sub one_of { return $_[ rand(@_) ]; }
sub between { return $_[0] + int(rand($_[1] - $_[0] + 1)); }

sub weighted
{
	my $at = rand(sum(values %weights));
	foreach my $call (@calls)
	{
		return $call if ($at -= $weights{$call}) < 0;
	}
	return $calls[-1];
}

# A number that is often small.
sub amount
{
	my ($self, $account) = @_;
	return between(1, 200) if percent(15);
	return between(1, 20_000) if percent(85);
	return between(1, 1_000_000) if percent(85);
	return one_of(0, -1, -500) if !$account || $account->{owner} ne $self->{owners}[-1];
	return one_of(MAX_MINOR, MAX_MINOR - between(0, 5000), 4_611_686_018_427_387_904, -MAX_MINOR - 1);
}

# Of what there is: all, or a part, or a little more.
sub part_of
{
	my ($self, $account, $whole) = @_;
	return $self->amount($account) if $whole <= 0 || percent(10);
	return $whole if percent(20);
	return $whole + between(1, 10) if percent(8) && $whole < MAX_MINOR - 10;
	return between(0, 3) if percent(3);
	return sprintf('%d', max(1, $whole * rand()**2)) + 0;
}

# In the past or just now, soon, later, at the end of a day, never.
sub instant
{
	my ($self) = @_;
	my ($now, $hour, $day) = ($self->{model}{now}, @$self{qw(hour day)});
	return NEVER if percent(10);
	return $now - between(0, 1) * $hour if percent(3);
	return $now + between(1, 2 * $hour) if percent(10);
	my $later = $now + between(1, one_of(2, 10, 40) * $day);
	return percent(60) ? $later - $later % $day + $day : $later;
}

# --- parts of requests ----------------------------------------------------------------

# An account that is there, if one is.
sub account
{
	my ($self) = @_;
	my @accounts = values %{ $self->{model}{accounts} };
	return @accounts ? (sort { $a->{number} <=> $b->{number} } @accounts)[ rand(@accounts) ] : undef;
}

sub other_than
{
	my ($self, $currency) = @_;
	return one_of(grep { $_ ne $currency } @{ $self->{currencies} }, 'EUR');
}

# By owner, or by account; now and then it is not there, or not in that currency.
sub of_account
{
	my ($self, $account) = @_;
	return (account => one_of(@nowhere), currency => one_of(@{ $self->{currencies} })) if percent(1);
	return (owner => 'nobody', currency => one_of(@{ $self->{currencies} }, 'HRK')) if percent(1);
	return (owner => one_of(@{ $self->{owners} }), currency => one_of(@{ $self->{currencies} })) if !$account || percent(3);
	return (owner => $account->{owner}, currency => $account->{currency}) if percent(50);
	return (account => $account->label, currency => percent(3) ? $self->other_than($account->{currency}) : $account->{currency});
}

sub by_id
{
	my ($self, $account) = @_;
	return (account => one_of(@nowhere)) if !$account || percent(1);
	return (account => $account->label);
}

sub optional_amount
{
	my ($self, $account, $amount) = @_;
	return () if percent(35);
	my $currency = $account ? $account->{currency} : 'USD';
	return (amount => $amount, currency => percent(3) ? $self->other_than($currency) : $currency);
}

sub expiry
{
	my ($self) = @_;
	return () if percent(12);
	return (expires_at => $self->instant) if percent(80);
	return (expires_on => int($self->{model}{now} / 86400) + between(-1, 30));
}

sub words
{
	my ($self) = @_;
	return (notify => percent(5) ? 1 : 0, percent(20) ? (memo => one_of(qw(gift sorry campaign))) : ());
}

# The numbers of the newest of some things, at most so many.
sub newest
{
	my ($things, $last, $count) = @_;
	my @found;
	for (my $number = %$things ? $last : 0; $number > 0 && @found < $count; $number--)
	{
		push @found, $number if $things->{$number};
	}
	return @found;
}

# One of those things of an account that are still there, one that is not any
# more, or a number that may be anything.
sub one_of_things
{
	my ($self, $now, $before, $last) = @_;
	my @now = sort { $a <=> $b } keys %$now;
	return one_of(@now) if @now && percent(80);
	my @before = newest($before, $last, 20);
	return one_of(@before) if @before && percent(70);
	return between(0, $last + 2);
}

sub a_credit
{
	my ($self, $account) = @_;
	return 1 if !$account;
	return $self->one_of_things(@$account{qw(credits used_credits last_seq)});
}

sub a_hold
{
	my ($self, $account) = @_;
	return 1 if !$account;
	return $self->one_of_things(@$account{qw(holds closed_holds last_hold_id)});
}

# One of the newest.
sub a_debit
{
	my ($self, $account) = @_;
	return 1 if !$account || percent(5);
	return between(0, $account->{last_seq} + 1) if percent(5);
	my @debits = newest($account->{debits}, $account->{last_seq}, one_of(3, 10, 100));
	return @debits ? one_of(@debits) : 1;
}

# --- requests -------------------------------------------------------------------------

sub request
{
	my ($self) = @_;
	my $call = weighted();
	return $self->again if $call eq 'again';
	my $request = $self->new_request($call);
	$self->give_key($request) if percent(25);
	return $request;
}

sub new_request
{
	my ($self, $call) = @_;
	my $make = "make_$call";
	return { call => $call, $self->$make($self->account) };
}

my %takes_key = map { $_ => 1 } qw(credit refund debit authorize capture void revert edit revoke);

sub give_key
{
	my ($self, $request) = @_;
	return if !$takes_key{ $request->{call} };
	$request->{key} = $self->{key_prefix} . ++$self->{keys_given};
	push @{ $self->{remembered} }, $request;
	return;
}

# The same call again, or another one with the same key.
sub again
{
	my ($self) = @_;
	my $remembered = $self->{remembered};
	return $self->new_request('debit') if !@$remembered;
	my %request = %{ $remembered->[ max(0, @$remembered - between(1, one_of(10, 1000))) ] };
	return \%request if percent(60);
	if (percent(20))
	{
		my $other = $self->new_request(one_of(grep { $takes_key{$_} } @calls));
		$other->{key} = $request{key};
		return $other;
	}
	my @changeable = grep { defined $request{$_} } qw(amount seq hold_id notify allow_partial final bonus expires_at);
	my $changed = one_of(@changeable);
	$request{$changed} = $self->changed($changed, $request{$changed});
	return \%request;
}

# Another value of an argument.
sub changed
{
	my ($self, $argument, $value) = @_;
	return 1 - $value if $argument =~ /^(notify|allow_partial|final)$/;
	return $value == NEVER ? $self->{model}{now} + $self->{day} : NEVER if $argument eq 'expires_at';
	return $value > 1 ? $value - 1 : $value + 1;
}

sub make_credit
{
	my ($self, $account) = @_;
	return ($self->of_account($account), amount => $self->amount($account), $self->expiry, $self->words);
}

sub make_refund
{
	my ($self, $account) = @_;
	my %request = $self->make_credit($account);
	if (percent(25))
	{
		$request{bonus} = percent(90) ? between(0, 500) : $self->amount($account);
		$request{bonus_currency} = percent(95) ? $request{currency} : $self->other_than($request{currency});
	}
	elsif (percent(33)) { $request{bonus_percent} = one_of(@percents); }
	$request{bonus_expires_at} = $self->instant if percent(30);
	return %request;
}

sub make_debit
{
	my ($self, $account) = @_;
	return ($self->of_account($account), amount => $self->part_of($account, $account ? $account->available_now : 0),
		allow_partial => percent(20) ? 1 : 0, $self->words);
}

sub make_authorize
{
	my ($self, $account) = @_;
	my %request = $self->make_debit($account);
	delete $request{notify};
	$request{expires_at} = $self->instant if percent(50);
	return %request;
}

sub make_capture
{
	my ($self, $account) = @_;
	my $id = $self->a_hold($account);
	my $hold = $account ? $account->{holds}{$id} : undef;
	my $left = $hold ? $hold->{amount} - $hold->{captured} : 0;
	return ($self->by_id($account), hold_id => $id, final => percent(60) ? 1 : 0,
		$self->optional_amount($account, $self->part_of($account, $left)), $self->words);
}

sub make_void
{
	my ($self, $account) = @_;
	return ($self->by_id($account), hold_id => $self->a_hold($account));
}

sub make_revert
{
	my ($self, $account) = @_;
	my $seq = $self->a_debit($account);
	my $debit = $account ? $account->{debits}{$seq} : undef;
	return ($self->by_id($account), seq => $seq, percent(50) ? (expired => one_of(qw(reinstate expire refuse))) : (),
		$self->optional_amount($account, $self->part_of($account, $debit ? -$debit->{amount} : 0)), $self->words);
}

sub make_edit
{
	my ($self, $account) = @_;
	my $seq = $self->a_credit($account);
	my $credit = $account ? $account->{credits}{$seq} : undef;
	my $amount =
		!$credit ? $self->amount($account)
	  : percent(70) ? $credit->{amount} - $self->part_of($account, $credit->{remaining})
	  : min($credit->{amount}, MAX_MINOR - 5000) + between(0, 5000);
	return ($self->by_id($account), seq => $seq, percent(60) ? $self->optional_amount($account, $amount) : (),
		percent(50) ? $self->expiry : (), $self->words);
}

sub make_revoke
{
	my ($self, $account) = @_;
	return ($self->by_id($account), seq => $self->a_credit($account), $self->words);
}

sub make_expire { return (max_credits => one_of(1, 1, 2, 5, 1000)); }

sub make_balance
{
	my ($self, $account) = @_;
	return (owner => $account ? $account->{owner} : 'nobody', currency => one_of(@{ $self->{currencies} }));
}

# Each item of its own account, or several of one.
sub items
{
	my ($self, $make) = @_;
	my @items;
	my $account = $self->account;
	foreach (1 .. between(1, 6))
	{
		$account = $self->account if percent(50);
		my %item = $self->$make($account);
		if (percent(25)) { $item{key} = $self->{key_prefix} . ++$self->{keys_given}; }
		elsif (percent(10) && @items) { %item = (%{ one_of(@items) }, percent(50) ? (amount => between(1, 1000)) : ()); }
		elsif (percent(5) && @{ $self->{remembered} }) { $item{key} = one_of(@{ $self->{remembered} })->{key}; }
		push @items, \%item;
	}
	return (items => \@items, on_error => one_of(qw(skip raise)));
}

sub make_credit_many { return $_[0]->items('make_credit'); }
sub make_debit_many  { return $_[0]->items('make_debit'); }

sub limit { return percent(60) ? undef : percent(90) ? between(100, 200_000) : one_of(0, -1); }

# Most of the time there are none.
sub make_set_limit
{
	my ($self) = @_;
	my $currency = one_of(@{ $self->{currencies} });
	my %request = (currency => $currency, limit_currency => percent(95) ? $currency : $self->other_than($currency));
	return (%request, max_balance => undef, max_credit => undef, max_debit => undef) if percent(60);
	return (%request, max_balance => limit(), max_credit => limit(), max_debit => limit());
}

sub make_set_account_limits
{
	my ($self, $account) = @_;
	my %request = ($self->by_id($account), currency => $account ? $account->{currency} : 'USD');
	$request{currency} = $self->other_than($request{currency}) if percent(3);
	$request{credit_line} = percent(85) ? between(0, 30_000) : one_of(0, -1) if percent(60);
	$request{credit_line} = MAX_MINOR - between(0, 1) if $account && $account->{owner} eq $self->{owners}[-1] && percent(10);
	$request{max_balance} = limit() if percent(20);
	return %request;
}

sub make_set_bonus
{
	my ($self) = @_;
	return (currency => one_of(@{ $self->{currencies} }), percent => one_of(undef, 0, 1.5, 5, 10), fixed => one_of(undef, undef, 0, 25));
}

sub make_set_rule { return (rule => one_of(qw(reinstate reinstate expire refuse))); }

# --- time -------------------------------------------------------------------------------

# By how much the clock goes on: often a little, now and then exactly to the
# moment when something expires, or one second before, rarely across many.
sub later
{
	my ($self) = @_;
	my ($now, $hour, $day) = ($self->{model}{now}, @$self{qw(hour day)});
	my $account = $self->account;
	return 0 if percent(70);
	return between(1, 60) if !$account || percent(25);
	my @moments = grep { $_ > $now && $_ < NEVER } map { $_->{expires_at} } map { values %$_ } @$account{qw(credits holds)};
	return max(0, min(@moments) - $now - between(0, 1)) if @moments && percent(25);
	return between(1, 6 * $hour) if percent(75);
	return between(1, 3) * $day if percent(90);
	return between(20, 90) * $day;
}

1;
