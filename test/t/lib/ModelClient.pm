# A session that makes the model's requests to the extension, and tells what it
# answered and what is in its tables in the model's words.

package ModelClient;

use strict;
use warnings;
use DBI;
use JSON::PP;
use ModelAccount;
use POSIX qw(strftime);

# Functions that the database needs.
our $functions = q{
	CREATE FUNCTION entry_text(t store_credit_transaction) RETURNS text LANGUAGE sql STABLE AS $$
		SELECT concat_ws('|', t.seq, t.kind, money_ccy_to_minor(t.amount), money_ccy_to_minor(t.balance_after),
			date_part('epoch', t.created_at), coalesce(date_part('epoch', t.expires_at), 'Infinity'),
			coalesce(t.related_seq::text, '-'), coalesce(t.hold_id::text, '-'),
			coalesce(array_to_string(t.draws, ','), '')) $$;
	CREATE FUNCTION hold_text(h store_credit_hold) RETURNS text LANGUAGE sql STABLE AS $$
		SELECT concat_ws('|', h.hold_id, money_ccy_to_minor(h.amount), money_ccy_to_minor(h.captured), h.status,
			date_part('epoch', h.created_at), coalesce(date_part('epoch', h.expires_at), 'Infinity'),
			coalesce(date_part('epoch', h.closed_at)::text, '-'),
			coalesce(array_to_string(h.authorized, ','), ''), coalesce(array_to_string(h.draws, ','), '')) $$;
	};

# The statement of each call and its parameters.  ACCOUNT stands for the first,
# an owner or an account's id.
my $amount = 'money_ccy_from_minor($2, $3)';
my %calls = (
	credit => [
		"SELECT entry_text(t) FROM store_credit_credit(ACCOUNT, $amount, expires_at => to_timestamp(\$4),
			expires_on => date '1970-01-01' + \$5::integer,
			memo => \$6, notify => \$7, idempotency_key => \$8) AS t",
		qw(amount currency expires_at expires_on memo notify key) ],
	refund => [
		"SELECT entry_text(t) FROM store_credit_refund(ACCOUNT, $amount, expires_at => to_timestamp(\$4),
			expires_on => date '1970-01-01' + \$5::integer,
			memo => \$6, notify => \$7, idempotency_key => \$8,
			bonus => money_ccy_from_minor(\$9, \$10), bonus_percent => \$11, bonus_expires_at => to_timestamp(\$12)) AS t",
		qw(amount currency expires_at expires_on memo notify key bonus bonus_currency bonus_percent bonus_expires_at) ],
	debit => [
		"SELECT entry_text(t) FROM store_credit_debit(ACCOUNT, $amount, \$4, memo => \$5, notify => \$6,
			idempotency_key => \$7) AS t",
		qw(amount currency allow_partial memo notify key) ],
	authorize => [
		"SELECT hold_text(t) FROM store_credit_authorize(ACCOUNT, $amount, \$4, to_timestamp(\$5), memo => \$6,
			idempotency_key => \$7) AS t",
		qw(amount currency allow_partial expires_at memo key) ],
	capture => [
		"SELECT entry_text(t) FROM store_credit_capture(ACCOUNT, \$4, $amount, \$5, memo => \$6, notify => \$7,
			idempotency_key => \$8) AS t",
		qw(amount currency hold_id final memo notify key) ],
	void => [ 'SELECT hold_text(t) FROM store_credit_void(ACCOUNT, $2, $3) AS t', qw(hold_id key) ],
	revert => [
		"SELECT entry_text(t) FROM store_credit_revert(ACCOUNT, \$4, $amount, \$5, memo => \$6, notify => \$7,
			idempotency_key => \$8) AS t",
		qw(amount currency seq expired memo notify key) ],
	edit => [
		"SELECT entry_text(t) FROM store_credit_edit(ACCOUNT, \$4, $amount, expires_at => to_timestamp(\$5),
			expires_on => date '1970-01-01' + \$6::integer,
			memo => \$7, notify => \$8, idempotency_key => \$9) AS t",
		qw(amount currency seq expires_at expires_on memo notify key) ],
	revoke => [
		'SELECT entry_text(t) FROM store_credit_revoke(ACCOUNT, $2, memo => $3, notify => $4, idempotency_key => $5) AS t',
		qw(seq memo notify key) ],
	balance => [ 'SELECT money_ccy_to_minor(store_credit_balance(ACCOUNT, $2))', qw(currency) ],
	set_account_limits => [
		'SELECT store_credit_set_account_limits(ACCOUNT, money_ccy_from_minor($2, $4), money_ccy_from_minor($3, $4))',
		qw(max_balance credit_line currency) ]);

my %calls_on_no_account = (
	expire => [ 'SELECT store_credit_expire($1)', qw(max_credits) ],
	set_limit => [
		'SELECT store_credit_set_limit($1, money_ccy_from_minor($2, $5), money_ccy_from_minor($3, $5), money_ccy_from_minor($4, $5))',
		qw(currency max_balance max_credit max_debit limit_currency) ],
	set_bonus => [
		'INSERT INTO refund_bonus VALUES ($1, $2, money_ccy_from_minor($3, $1))
			ON CONFLICT (currency) DO UPDATE SET percent = excluded.percent, fixed = excluded.fixed',
		qw(currency percent fixed) ]);

# An account, and its history after a seq.  A prepared statement, as a function
# would be planned anew each time; and with both ends given, so that a generic
# plan looks as cheap as it is.
my $account_text = q{
	SELECT concat_ws('|', a.owner || ' ' || a.currency, money_ccy_to_minor(a.balance), money_ccy_to_minor(a.held),
			money_ccy_to_minor(a.credit_line), coalesce(money_ccy_to_minor(a.max_balance)::text, '-'),
			money_ccy_to_minor(store_credit_available(a.account_id)), a.last_seq, a.last_hold_id)
		|| E'\n credits ' || coalesce((
			SELECT string_agg(concat_ws(':', date_part('epoch', c.expires_at), c.seq, money_ccy_to_minor(c.remaining)), ' '
				ORDER BY c.expires_at, c.seq)
			FROM open_credit AS c WHERE c.account_id = $1), '')
		|| E'\n holds ' || coalesce((
			SELECT string_agg(hold_text(h), ' ' ORDER BY h.hold_id)
			FROM hold AS h WHERE h.account_id = $1 AND h.closed_at IS NULL), '')
		|| coalesce((
			SELECT string_agg(E'\n ' || entry_text(t), '' ORDER BY t.seq)
			FROM transaction AS t WHERE t.account_id = $1 AND t.seq BETWEEN $2 + 1 AND $2 + 10000), '')
	FROM account AS a WHERE a.account_id = $1};

my %decimals = (JPY => 0, BHD => 3);
my (%ids, %labels);

sub new
{
	my ($class, $name, $connection, %settings) = @_;
	my $db = DBI->connect("dbi:Pg:$connection", undef, undef,
		{ RaiseError => 0, PrintError => 0, AutoCommit => 1, pg_placeholder_dollaronly => 1, pg_switch_prepared => 1 })
	  or die "could not connect: $DBI::errstr\n";
	my $self = bless { name => $name, db => $db, settings => {} }, $class;
	$self->set($_, $settings{$_}) foreach keys %settings;
	return $self;
}

# The rows as text, or SQLSTATE and constraint name; the SQLSTATE also in "error".
sub query
{
	my ($self, $sql, @arguments) = @_;
	my $statement = $self->{statements}{$sql} //= $self->{db}->prepare($sql);
	my $is_done = $statement->execute(@arguments);
	$self->{error} = $is_done ? '' : $statement->state;
	return "$self->{error} " . ($self->{db}->pg_error_field('constraint') // '') if !$is_done;
	return '' if !$statement->{NUM_OF_FIELDS};
	return join("\n", map { join('|', map { $_ // '-' } @$_) } @{ $statement->fetchall_arrayref });
}

# A setting of the session, if it is another one than before.
sub set
{
	my ($self, $name, $value) = @_;
	$self->{error} = '';
	return '' if defined $self->{settings}{$name} && $self->{settings}{$name} eq $value;
	my $text = $name eq 'storecredit.test_clock' ? 'to_timestamp($2)::text' : '$2';
	$self->query("SELECT set_config(\$1, $text, false)", $name, $value);
	$self->{settings}{$name} = $value;
	return '';
}

sub id_of
{
	my ($self, $label) = @_;
	return $label if $label =~ /^-?\d+$/;
	return $ids{$label} //= $self->query(q{SELECT account_id FROM account WHERE owner || ' ' || currency = $1}, $label);
}

sub label_of
{
	my ($self, $id) = @_;
	return $labels{$id} //= $self->query(q{SELECT owner || ' ' || currency FROM account WHERE account_id = $1}, $id);
}

sub perform
{
	my ($self, $request) = @_;
	my $call = $request->{call};
	return $self->perform_many($request) if $call =~ /_many$/;
	return $self->set('storecredit.revert_expired', $request->{rule}) if $call eq 'set_rule';
	if (my $found = $calls_on_no_account{$call})
	{
		my ($sql, @parameters) = @$found;
		return $self->query($sql, map { $request->{$_} } @parameters);
	}
	my ($sql, @parameters) = @{ $calls{$call} };
	my $by_id = defined $request->{account};
	my ($account, $type) = $by_id ? ($self->id_of($request->{account}), 'bigint') : ($request->{owner}, 'text');
	return $self->query($sql =~ s/ACCOUNT/\$1::$type/r, $account, map { $request->{$_} } @parameters);
}

# --- many at once ---------------------------------------------------------------------

sub money_text
{
	my ($minor, $currency) = @_;
	my $decimals = $decimals{$currency} // 2;
	my ($sign, $digits) = $minor =~ /^(-?)(\d+)$/;
	$digits = '0' x ($decimals + 1 - length($digits)) . $digits if length($digits) <= $decimals;
	$digits =~ s/(\d{$decimals})$/.$1/ if $decimals > 0;
	return "$sign$digits $currency";
}

sub instant_text
{
	my ($instant) = @_;
	return $instant == ModelAccount::NEVER ? 'infinity' : strftime('%Y-%m-%d %H:%M:%S+00', gmtime($instant));
}

sub item_object
{
	my ($self, $item) = @_;
	my %object = (amount => money_text(@$item{qw(amount currency)}));
	if (defined $item->{account}) { $object{account_id} = 0 + $self->id_of($item->{account}); }
	else { $object{owner} = $item->{owner}; }
	$object{memo} = $item->{memo} if defined $item->{memo};
	$object{idempotency_key} = $item->{key} if defined $item->{key};
	$object{$_} = JSON::PP::true foreach grep { $item->{$_} } qw(notify allow_partial);
	$object{expires_at} = instant_text($item->{expires_at}) if defined $item->{expires_at};
	$object{expires_on} = strftime('%Y-%m-%d', gmtime($item->{expires_on} * 86400)) if defined $item->{expires_on};
	return \%object;
}

sub perform_many
{
	my ($self, $request) = @_;
	my $items = encode_json([ map { $self->item_object($_) } @{ $request->{items} } ]);
	my $answer = $self->query(
		"SELECT item, account_id, seq, concat_ws(' ', sqlstate, error) FROM store_credit_$request->{call}(\$1::jsonb, \$2)",
		$items, $request->{on_error});
	return $answer =~ s/^(\d+)\|(\d+)/"$1|" . $self->label_of($2)/megr;
}

# --- what is in the tables ------------------------------------------------------------

# An account, and its history after a seq.
sub account_text
{
	my ($self, $label, $after_seq) = @_;
	return $self->query($account_text, $self->id_of($label), $after_seq);
}

1;
