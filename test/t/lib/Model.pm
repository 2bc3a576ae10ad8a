# The rules of store credit: what each call checks, in which order, and what it
# does.  Written from the contract, not from the C code; ModelAccount has the
# arithmetic.
#
# A request is a hash with the call's name and arguments.  Its account is given
# by an owner and the currency of the amount, or by "account", the label of one
# ("owner currency") or the number of one that is not there.  The answer is
# text: the rows returned, or SQLSTATE and constraint name.

package Model;

use strict;
use warnings;
use List::Util qw(min);
use Math::BigInt;
use ModelAccount;

use constant { NEVER => ModelAccount::NEVER, DAY => 86400 };

# No new credit is issued in a currency that has been withdrawn.
my %withdrawn = (HRK => 1);

sub new
{
	my ($class, %settings) = @_;
	return bless {
		now => 0,
		rule => 'reinstate',    # storecredit.revert_expired
		grace => 30 * DAY,      # storecredit.revert_grace
		accounts => {},         # by label
		limits => {},           # by currency: max_balance, max_credit, max_debit
		bonuses => {},          # by currency: percent, fixed
		%settings
	}, $class;
}

sub accounts
{
	my ($self) = @_;
	return sort { $a->{number} <=> $b->{number} } values %{ $self->{accounts} };
}

sub perform
{
	my ($self, $request) = @_;
	my $call = "call_$request->{call}";
	my $answer = eval { $self->$call($request) };
	return $answer if defined $answer;
	die $@ if ref $@ ne 'HASH';
	return $@->{answer};
}

# --- accounts and keys ------------------------------------------------------------

sub account_label
{
	my ($request) = @_;
	return $request->{account} // "$request->{owner} $request->{currency}";
}

sub find_account
{
	my ($self, $request) = @_;
	return $self->{accounts}{ account_label($request) };
}

sub commit
{
	my ($self, @drafts) = @_;
	foreach my $draft (@drafts)
	{
		my $account = $draft->{original};
		if (!defined $account->{number})
		{
			$account->{number} = keys %{ $self->{accounts} };
			$self->{accounts}{ $account->label } = $account;
		}
		$draft->commit;
	}
	return;
}

# What must be the same in a call with the same key: all that was asked for.
# By owner or by id, as an instant or as a day is the same.
sub asked
{
	my ($request) = @_;
	my %asked = (%$request, expires_at => expiry($request));
	delete @asked{qw(owner account expires_on)};
	$asked{call} = 'credit' if $asked{call} eq 'credit_item';
	$asked{call} = 'debit' if $asked{call} eq 'debit_item';
	delete $asked{currency} if !defined $asked{amount};
	return join(' ', map { "$_=$asked{$_}" } grep { defined $asked{$_} } sort keys %asked);
}

# The rows that answer a call: pairs of "entry" and a seq, or "hold" and an id.
sub rows_text
{
	my ($account, @rows) = @_;
	return join("\n", map {
		my ($kind, $id) = @$_;
		$kind eq 'hold' ? ModelAccount::hold_text($account->hold($id)) : ModelAccount::entry_text($account->entry($id))
	} @rows);
}

# The rows that answered a call with the same key; none if there was none.
sub replayed
{
	my ($account, $request) = @_;
	return if !defined $request->{key};
	my $first = $account->{new_keys}{ $request->{key} } // $account->{keys}{ $request->{key} };
	return if !$first;
	ModelAccount::refuse('idempotency_key_parameter_mismatch') if $first->{asked} ne asked($request);
	return @{ $first->{rows} };
}

# Keys are looked at before anything else, then whether there is an account.
sub plan
{
	my ($self, $account, $request) = @_;
	my @replayed = replayed($account, $request);
	return @replayed if @replayed;

	my $plan = "plan_$request->{call}";
	my @rows = $self->$plan($account, $request);
	$account->{new_keys}{ $request->{key} } = { asked => asked($request), rows => \@rows } if defined $request->{key};
	return @rows;
}

# A credit or a refund opens its owner's account.
sub call_on_account
{
	my ($self, $request, $opens) = @_;
	my $account = $self->find_account($request);
	if (!$account)
	{
		ModelAccount::refuse('account_not_found') if !$opens || !defined $request->{owner};
		$account = ModelAccount->new($self, @$request{qw(owner currency)});
	}
	my $draft = $account->draft;
	my @rows = $self->plan($draft, $request);
	$self->commit($draft) if @{ $draft->{entries} } || grep { $_->[0] eq 'hold' } @rows;
	return rows_text($account, @rows);
}

sub call_credit    { return call_on_account(@_, 1); }
sub call_refund    { return call_on_account(@_, 1); }
sub call_debit     { return call_on_account(@_); }
sub call_authorize { return call_on_account(@_); }
sub call_capture   { return call_on_account(@_); }
sub call_void      { return call_on_account(@_); }
sub call_revert    { return call_on_account(@_); }
sub call_edit      { return call_on_account(@_); }
sub call_revoke    { return call_on_account(@_); }

# --- checks -------------------------------------------------------------------------

# The day's end in UTC.
sub expiry
{
	my ($request) = @_;
	return ($request->{expires_on} + 1) * DAY if defined $request->{expires_on};
	return $request->{expires_at};
}

sub check_expiry
{
	my ($self, $expires_at) = @_;
	ModelAccount::refuse('expires_at_in_past') if $expires_at <= $self->{now};
	return;
}

sub check_amount
{
	my ($account, $amount, $currency) = @_;
	ModelAccount::refuse('negative_or_zero_amount') if $amount <= 0;
	ModelAccount::refuse('mismatching_currency') if $currency ne $account->{currency};
	return;
}

sub check_credit
{
	my ($self, $account, $amount, $currency, $expires_at) = @_;
	$self->check_expiry($expires_at);
	check_amount($account, $amount, $currency);
	ModelAccount::refuse('unsupported_currency') if $withdrawn{$currency};
	return;
}

sub check_credit_limits
{
	my ($self, $account, $amount) = @_;
	my $limits = $self->{limits}{ $account->{currency} } // {};
	my $max_balance = $account->{max_balance} // $limits->{max_balance};
	ModelAccount::refuse('credit_limit_exceeded')
	  if defined $limits->{max_credit} && $amount > $limits->{max_credit}
	  || defined $max_balance && $account->{balance} > $max_balance - $amount;
	return;
}

# What is taken: in part, if that is allowed and there is anything at all.
sub amount_taken
{
	my ($self, $account, $request) = @_;
	my $limits = $self->{limits}{ $account->{currency} } // {};
	my $available = $account->available;
	my $amount = $request->{amount};
	$amount = ModelAccount::min($amount, $available) if $request->{allow_partial} && $available > 0;
	ModelAccount::refuse('debit_limit_exceeded') if defined $limits->{max_debit} && $amount > $limits->{max_debit};
	ModelAccount::refuse('insufficient_funds') if $amount > $available;
	return $amount;
}

# --- credits ------------------------------------------------------------------------

sub plan_credit
{
	my ($self, $account, $request) = @_;
	my $expires_at = expiry($request) // NEVER;
	$self->check_credit($account, @$request{qw(amount currency)}, $expires_at);
	$account->catch_up;
	$self->check_credit_limits($account, $request->{amount});
	my $entry = $account->issue($request->{amount}, $expires_at);
	return [ entry => $entry->{seq} ];
}

# Half-even, whatever the size.
sub percent_of
{
	my ($amount, $percent) = @_;
	my ($decimals) = $percent =~ /\.(\d+)/;
	my $divisor = Math::BigInt->new(100)->bmul(Math::BigInt->new(10)->bpow(length($decimals // '')));
	my ($quotient, $rest) = Math::BigInt->new($amount)->bmul($percent =~ s/\.//r)->bdiv($divisor);
	my $half = $rest->bmul(2)->bcmp($divisor);
	$quotient->binc if $half > 0 || $half == 0 && $quotient->is_odd;
	return ModelAccount::fits($quotient->numify);
}

# From the call, or from the table of defaults; amount and currency.
sub refund_bonus
{
	my ($self, $request) = @_;
	my ($amount, $currency) = @$request{qw(amount currency)};
	return @$request{qw(bonus bonus_currency)} if defined $request->{bonus};
	return (percent_of($amount, $request->{bonus_percent}), $currency) if defined $request->{bonus_percent};
	my $default = $self->{bonuses}{$currency} // {};
	return (ModelAccount::fits(percent_of($amount, $default->{percent} // 0) + ($default->{fixed} // 0)), $currency);
}

# The refund, then the bonus: both or none, each within the limits.  The bonus
# expires with the refund unless the call says otherwise.
sub plan_refund
{
	my ($self, $account, $request) = @_;
	my $expires_at = expiry($request) // NEVER;
	my $bonus_expires_at = $request->{bonus_expires_at} // $expires_at;
	my ($bonus, $bonus_currency) = $self->refund_bonus($request);

	$self->check_credit($account, @$request{qw(amount currency)}, $expires_at);
	$self->check_credit($account, $bonus, $bonus_currency, $bonus_expires_at) if $bonus != 0;
	$account->catch_up;
	$self->check_credit_limits($account, $request->{amount});
	my $refund = $account->issue($request->{amount}, $expires_at);
	return [ entry => $refund->{seq} ] if $bonus == 0;
	$self->check_credit_limits($account, $bonus);
	my $entry = $account->issue($bonus, $bonus_expires_at, related_seq => $refund->{seq});
	return ([ entry => $refund->{seq} ], [ entry => $entry->{seq} ]);
}

# The new amount is that of the whole credit, as issued and edited before; what
# of it is not there any more has been spent, held, expired or has paid back the
# credit line.  Only a change of the memo is for all credits that ever were.
sub plan_edit
{
	my ($self, $account, $request) = @_;
	my $expires_at = expiry($request);
	my $change = 0;

	$account->catch_up;
	my $credit = $account->credit($request->{seq}) or ModelAccount::refuse('credit_not_found');
	if (defined $request->{amount} || defined $expires_at)
	{
		ModelAccount::refuse('credit_not_found') if $credit->{revoked};
		ModelAccount::refuse('credit_expired') if $credit->{expires_at} <= $self->{now};
	}
	$self->check_expiry($expires_at) if defined $expires_at;
	if (defined $request->{amount})
	{
		check_amount($account, @$request{qw(amount currency)});
		ModelAccount::refuse('credit_in_use') if $request->{amount} < $credit->{amount} - $credit->{remaining};
		$change = $request->{amount} - $credit->{amount};
		$self->check_credit_limits($account, $change) if $change > 0;
	}

	$credit->{expires_at} = $expires_at if defined $expires_at;
	my $entry = $account->book('adjustment', $change, related_seq => $credit->{seq}, expires_at => $credit->{expires_at});
	$credit->{amount} += $change;
	$credit->{remaining} += $change;
	$account->settle_credit_line($entry);
	return [ entry => $entry->{seq} ];
}

# What is left is taken back.  What is given back to the credit later is there
# again, and can be revoked again.
sub plan_revoke
{
	my ($self, $account, $request) = @_;
	$account->catch_up;
	my $credit = $account->credit($request->{seq}) or ModelAccount::refuse('credit_not_found');
	my @held = grep { $_->[0] == $credit->{seq} } map { @{ $_->{draws} } } $account->open_holds;
	ModelAccount::refuse('credit_in_use') if $credit->{remaining} == 0 || @held;
	my $entry = $account->book('revocation', -$credit->{remaining}, related_seq => $credit->{seq});
	@$credit{qw(remaining revoked)} = (0, 1);
	return [ entry => $entry->{seq} ];
}

# --- debits -------------------------------------------------------------------------

sub plan_debit
{
	my ($self, $account, $request) = @_;
	check_amount($account, @$request{qw(amount currency)});
	$account->catch_up;
	my $amount = $self->amount_taken($account, $request);
	my $entry = $account->book('debit', -$amount);
	$entry->{draws} = [ $account->draw($amount) ];
	return [ entry => $entry->{seq} ];
}

# The credit line gave last, so it gets back first, and then the credits, the
# last drawn on first.
sub plan_revert
{
	my ($self, $account, $request) = @_;
	my $debit = $account->{debits}{ $request->{seq} } or ModelAccount::refuse('transaction_not_found');
	check_amount($account, @$request{qw(amount currency)}) if defined $request->{amount};
	my $already = $account->{reverted}{ $debit->{seq} } // 0;
	my $revertable = -$debit->{amount} - $already;
	my $amount = $request->{amount} // $revertable;
	ModelAccount::refuse('exceeds_revertable_amount') if $amount == 0 || $amount > $revertable;
	$account->catch_up;

	my $entry = $account->book('debit_revert', $amount, related_seq => $debit->{seq});
	my $from_line = -$debit->{amount};
	$from_line -= $_->[1] foreach @{ $debit->{draws} };
	my (undef, $sources) = ModelAccount::split_pairs($already, [ 0, $from_line ], reverse @{ $debit->{draws} });
	my ($back) = ModelAccount::split_pairs($amount, @$sources);
	$entry->{draws} = [ grep { $_->[0] != 0 } @$back ];
	$account->give_back_all($entry->{draws}, $request->{expired} // $self->{rule}, $self->{now});
	$account->settle_credit_line(undef, $self->{now});
	return [ entry => $entry->{seq} ];
}

# --- holds --------------------------------------------------------------------------

sub plan_authorize
{
	my ($self, $account, $request) = @_;
	my $expires_at = $request->{expires_at} // NEVER;
	$self->check_expiry($expires_at);
	check_amount($account, @$request{qw(amount currency)});
	$account->catch_up;
	my $amount = $self->amount_taken($account, $request);
	my @draws = $account->draw($amount);
	my $id = ++$account->{last_hold_id};
	$account->{holds}{$id} = {
		id => $id,
		amount => $amount,
		captured => 0,
		status => 'open',
		created_at => $self->{now},
		expires_at => $expires_at,
		authorized => \@draws,
		draws => \@draws
	};
	ModelAccount::fits($account->held);
	return [ hold => $id ];
}

sub open_hold
{
	my ($account, $request) = @_;
	$account->catch_up;
	my $hold = $account->hold($request->{hold_id}) or ModelAccount::refuse('hold_not_found');
	ModelAccount::refuse('hold_not_open') if $hold->{status} ne 'open';
	return $hold;
}

# What the credit line gave was drawn last, and is captured last.
sub plan_capture
{
	my ($self, $account, $request) = @_;
	my $hold = open_hold($account, $request);
	my $left = $hold->{amount} - $hold->{captured};
	my $amount = $request->{amount} // $left;
	check_amount($account, @$request{qw(amount currency)}) if defined $request->{amount};
	ModelAccount::refuse('exceeds_hold_amount') if $amount > $left;

	my ($captured, $rest) = ModelAccount::split_pairs($amount, @{ $hold->{draws} });
	my $entry = $account->book('debit', -$amount, hold_id => $hold->{id}, draws => $captured);
	$hold->{captured} += $amount;
	$hold->{draws} = $rest;
	$account->release($hold, 'captured', $self->{rule}, $self->{now}) if $request->{final} || $amount == $left;
	return [ entry => $entry->{seq} ];
}

sub plan_void
{
	my ($self, $account, $request) = @_;
	my $hold = open_hold($account, $request);
	$account->release($hold, 'voided', $self->{rule}, $self->{now});
	return [ hold => $hold->{id} ];
}

# --- many at once -------------------------------------------------------------------

sub plan_credit_item { return plan_credit(@_); }
sub plan_debit_item  { return plan_debit(@_); }

# Accounts in the order of their ids, also those that are not there; then owners
# who have none in that of their names.
sub group_items
{
	my ($self, @items) = @_;
	my (%groups, %place);
	foreach my $item (@items)
	{
		my $label = account_label($item);
		my $account = $self->{accounts}{$label};
		push @{ $groups{$label} }, $item;
		$place{$label} = $account ? $account->{number} : $label !~ /^-?\d+$/ ? 2e9 : $label > 0 ? 1e9 : -1e9 + $label;
	}
	return map { $groups{$_} } sort { $place{$a} <=> $place{$b} || $a cmp $b } keys %groups;
}

# One account's items on one draft; returns it, or nothing if there is no account.
sub perform_group
{
	my ($self, $request, $items) = @_;
	my $account = $self->find_account($items->[0]);
	my $opens = $request->{call} eq 'credit_many' && defined $items->[0]{owner};
	my $draft = ($account // ModelAccount->new($self, $items->[0]{owner} // '', $items->[0]{currency}))->draft;
	foreach my $item (@$items)
	{
		my @rows = eval {
			ModelAccount::refuse('account_not_found') if !$account && !$opens;
			$self->plan($draft, $item);
		};
		my $refusal = $@;
		die $refusal if $refusal && (ref $refusal ne 'HASH' || !$refusal->{is_refusal} || $request->{on_error} eq 'raise');
		$item->{answer} = [ $draft, $rows[0], $refusal ? $refusal->{answer} : '' ];
	}
	return $draft;
}

# Nothing is committed before all is known to go well.  An account for which
# nothing was booked stays as it is.
sub call_many
{
	my ($self, $request) = @_;
	my $call = $request->{call} eq 'credit_many' ? 'credit_item' : 'debit_item';
	my @items = map { { %$_, call => $call } } @{ $request->{items} };
	my @drafts = map { $self->perform_group($request, $_) } $self->group_items(@items);
	$self->commit(grep { @{ $_->{entries} } } @drafts);
	my $number = 0;
	return join("\n", map {
		my ($draft, $row, $refusal) = @{ $_->{answer} };
		join('|', ++$number, defined $draft->{original}{number} ? $draft->label : '-', $row ? $row->[1] : '-', $refusal)
	} @items);
}

sub call_credit_many { return call_many(@_); }
sub call_debit_many  { return call_many(@_); }

# --- the sweep ------------------------------------------------------------------------

# Accounts with overdue holds first, each with all that is overdue there; then overdue
# credits, the longest overdue first; until enough is done.
sub call_expire
{
	my ($self, $request) = @_;
	my $wanted = $request->{max_credits};
	my $done = 0;
	my %seen;
	foreach my $account ($self->accounts_by_first_end_of_hold)
	{
		last if $done >= $wanted;
		$done += $self->sweep($account);
		$seen{ $account->label } = 1;
	}
	return $done if $done >= $wanted;

	my $last_end = $self->last_ends_to_sweep($wanted - $done, \%seen);
	foreach my $account (grep { exists $last_end->{ $_->label } } $self->accounts)
	{
		$done += $self->sweep($account, $last_end->{ $account->label });
	}
	return $done;
}

# All that is overdue, or the credits that had expired by some instant; those of an
# account with something held not without its holds.
sub sweep
{
	my ($self, $account, $by) = @_;
	my $draft = $account->draft;
	my $done = defined $by && $account->held == 0 ? $draft->expire_credits($by) : $draft->catch_up;
	$self->commit($draft);
	return $done;
}

# The accounts in which a hold is overdue; of two since the same instant, the older one first.
sub accounts_by_first_end_of_hold
{
	my ($self) = @_;
	my %first_end = map { $_->label => min(NEVER, map { $_->{expires_at} } values %{ $_->{holds} }) } $self->accounts;
	return sort { $first_end{ $a->label } <=> $first_end{ $b->label } || $a->{number} <=> $b->{number} }
	  grep { $first_end{ $_->label } <= $self->{now} } $self->accounts;
}

# The next credits to sweep, as the last end among each account's: a number of them, and
# those that expire together with the last of these in its account.
sub last_ends_to_sweep
{
	my ($self, $wanted, $seen) = @_;
	my @overdue = sort { $a->[0] <=> $b->[0] || $a->[1]{number} <=> $b->[1]{number} }
	  map { my $account = $_; map { [ $_->{expires_at}, $account ] } grep { $_->{expires_at} <= $self->{now} } $account->open_credits }
	  grep { !$seen->{ $_->label } } $self->accounts;
	my %last_end;
	foreach my $credit (@overdue)
	{
		my ($expires_at, $account) = @$credit;
		my $known = $last_end{ $account->label };
		last if $wanted-- <= 0 && !(defined $known && $known == $expires_at);
		$last_end{ $account->label } = $expires_at;
	}
	return \%last_end;
}

# --- limits and settings ---------------------------------------------------------------

sub check_limit
{
	my ($limit, $limit_currency, $currency) = @_;
	return if !defined $limit;
	ModelAccount::refuse('mismatching_currency') if $limit_currency ne $currency;
	die { answer => '22023 ' } if $limit < 0;
	return;
}

sub call_set_limit
{
	my ($self, $request) = @_;
	my $currency = $request->{currency};
	check_limit($request->{$_}, $request->{limit_currency}, $currency) foreach qw(max_balance max_credit max_debit);
	$self->{limits}{$currency} = { map { $_ => $request->{$_} } qw(max_balance max_credit max_debit) };
	return '';
}

# The line cannot be taken away from under what is drawn from it.
sub call_set_account_limits
{
	my ($self, $request) = @_;
	my $account = $self->find_account($request) or ModelAccount::refuse('account_not_found');
	check_limit($request->{$_}, $request->{currency}, $account->{currency}) foreach qw(max_balance credit_line);
	my $credit_line = $request->{credit_line} // 0;
	ModelAccount::refuse('credit_in_use') if $account->held - $account->{balance} > $credit_line;
	$account->{max_balance} = $request->{max_balance};
	$account->{credit_line} = $credit_line;
	return '';
}

sub call_set_bonus
{
	my ($self, $request) = @_;
	$self->{bonuses}{ $request->{currency} } = { percent => $request->{percent}, fixed => $request->{fixed} };
	return '';
}

sub call_set_rule
{
	my ($self, $request) = @_;
	$self->{rule} = $request->{rule};
	return '';
}

sub call_balance
{
	my ($self, $request) = @_;
	my $account = $self->find_account($request);
	return $account ? $account->available_now : 0;
}

1;
