# A shop's database: the ledger is an ordinary role's, and has been used in every
# way there is.

package Shop;

use strict;
use warnings;
use FindBin;
use PostgreSQL::Test::Utils;
use Test::More;

use Exporter 'import';
our @EXPORT = qw(make_shop grant_functions play_on rows_of is_sound text_dump);

# The role must be there.
sub make_shop
{
	my ($node, $database) = @_;
	$node->safe_psql('postgres', qq{
		CREATE DATABASE $database OWNER shop;
		ALTER DATABASE $database SET search_path = public, storecredit;
		ALTER DATABASE $database SET client_min_messages = warning});
	$node->safe_psql($database, 'CREATE EXTENSION storecredit; GRANT ALL ON SCHEMA storecredit TO shop');
	grant_functions($node, $database);
	$node->safe_psql($database, 'SET ROLE shop; SELECT storecredit.create_ledger()');
	return;
}

sub grant_functions
{
	my ($node, $database) = @_;
	$node->safe_psql($database, 'GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA storecredit TO shop');
	return;
}

# Random calls of every kind, see differential.sql.
sub play_on
{
	my ($node, $database, $seed, $calls) = @_;
	$node->safe_psql($database, slurp_file("$FindBin::RealBin/lib/differential.sql"))
	  if $node->safe_psql($database, q{SELECT to_regclass('played') IS NULL}) eq 't';
	$node->safe_psql($database, 'TRUNCATE played');
	$node->safe_psql($database, "CALL play($seed, $calls, 40)");
	# What the ledger refuses is part of the play; what does not fit together is not.
	my $errors = $node->safe_psql($database, q{SELECT answer FROM played WHERE answer ~ '^(0A|42|XX)...\|' LIMIT 3});
	is($errors, '', "$calls calls on $database: all fits together");
	return;
}

# All that this version keeps of a ledger, in one line.
sub rows_of
{
	my ($node, $database) = @_;
	return $node->safe_psql($database, q{
		SELECT count(*), md5(string_agg(t::text, ' ' ORDER BY t::text)) FROM (
			SELECT concat_ws(' ', account_id, owner, currency, balance, held, credit_line, max_balance, last_seq, last_hold_id) FROM storecredit.account
			UNION ALL
			SELECT concat_ws(' ', account_id, seq, kind, amount, balance_after, created_at, expires_at, category, memo, reference, issuer,
				idempotency_key, related_seq, hold_id, metadata, draws, request_hash) FROM storecredit.transaction
			UNION ALL SELECT o::text FROM storecredit.open_credit AS o
			UNION ALL SELECT h::text FROM storecredit.hold AS h
			UNION ALL SELECT l::text FROM storecredit.currency_limit AS l
			UNION ALL SELECT n::text FROM storecredit.notification AS n) AS t});
}

sub is_sound
{
	my ($node, $database, $story) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is($node->safe_psql($database, 'SELECT * FROM storecredit.verify() LIMIT 5'), '', "$story: the books are sound");
}

# A dump as text, less the token that is another one in each.
sub text_dump
{
	my ($node, $database, @options) = @_;
	my $text = '';
	$node->run_log([ $node->installed_command('pg_dump'), @options, $node->connstr($database) ], '>', \$text);
	return $text =~ s/^\\(un)?restrict .*\n//mgr;
}

1;
