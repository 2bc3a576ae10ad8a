# An import that is killed in the middle is finished by the next call, two at once do nothing twice, and where there
# is tamper evidence what they write is sealed.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Ledger;
use PostgreSQL::Test::Cluster;
use Test::More;

my $credits = 2800;
my $node = start_server('main', 'autovacuum = off', 'restart_after_crash = on');

# A database with a ledger and a shop of some 10,000 events.
sub make_imported_shop
{
	my ($database, @statements) = @_;
	make_ledger($node, $database, @statements);
	$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-v', "credits=$credits",
		'-f', "$FindBin::RealBin/../bench/spree_import.sql", $node->connstr($database) ], "$database: a shop");
	return;
}

sub import_call
{
	return "CALL spree_import_all('spree_store_credits', batch_credits => 100)";
}

# Each credit and each of its events is there once, and customers have what the shop says.
sub is_imported
{
	my ($database, $story) = @_;
	is($node->safe_psql($database, import_call()), '0|0|0|0', "$story: nothing is left to do");
	is($node->safe_psql($database, q{
		SELECT count(*) FILTER (WHERE kind = 'credit'), count(*) FILTER (WHERE kind = 'debit'), count(*) FILTER (WHERE kind = 'debit_revert'),
			(SELECT count(*) FROM hold), (SELECT count(*) FROM spree_imported), (SELECT count(*) FROM spree_quarantine)
		FROM transaction}), $node->safe_psql($database, q{
		SELECT count(*) FILTER (WHERE action = 'allocation'), count(*) FILTER (WHERE action = 'capture'), count(*) FILTER (WHERE action = 'credit'),
			count(*) FILTER (WHERE action = 'authorize'), (SELECT count(*) FROM spree_store_credits), 0
		FROM spree_store_credit_events}), "$story: everything once");
	is($node->safe_psql($database, q{
		SELECT count(*)
		FROM (
			SELECT 'Spree::User/' || c.user_id AS owner, c.currency, sum(c.amount - c.amount_used - c.amount_authorized) AS available, sum(c.amount_authorized) AS held
			FROM spree_store_credits c WHERE c.invalidated_at IS NULL GROUP BY 1, 2) s
		FULL JOIN (SELECT * FROM balance WHERE money_ccy_to_minor(balance) <> 0) b ON b.owner = s.owner AND b.currency = s.currency
		WHERE (s.available, s.held) IS DISTINCT FROM (money_ccy_amount(b.available), money_ccy_amount(b.held))}),
		'0', "$story: each customer has what the shop says");
	books_are_sound($node, $database, $story);
	return;
}

# An import that has committed something, and has more to do.
sub import_in_the_middle
{
	my ($database, $least) = @_;
	my $session = session($node, $database);
	$session->send(import_call());
	$node->poll_query_until($database, "SELECT count(*) >= $least FROM spree_imported") or die 'the import does not get on';
	return $session;
}

sub is_in_the_middle
{
	my ($database, $story) = @_;
	my $done = $node->safe_psql($database, 'SELECT count(*) FROM spree_imported');
	ok($done > 0 && $done < $credits, "$story: $done of $credits credits were copied");
	books_are_sound($node, $database, $story);
	return;
}

# --- broken off ------------------------------------------------------------------------

make_imported_shop('broken');
my $session = import_in_the_middle('broken', 300);
$node->safe_psql('broken', 'SELECT pg_terminate_backend(' . $session->pid . ', 60000)');
is_in_the_middle('broken', 'terminated');
$session = import_in_the_middle('broken', 900);
kill('KILL', $session->pid);
$node->wait_for_log(qr/\(PID @{[ $session->pid ]}\) was terminated by signal 9/);
wait_for_recovery($node);
is_in_the_middle('broken', 'killed');
$node->safe_psql('broken', import_call());
is_imported('broken', 'broken off twice');

# --- two at once ------------------------------------------------------------------------

make_imported_shop('two');
my @sessions = map { session($node, 'two') } 1 .. 2;
$_->send(import_call()) foreach @sessions;
my @done = map { [ split /\|/, $_->answer ] } @sessions;
is_deeply([ map { $_->state } @sessions ], [ '00000', '00000' ], 'two at once: both end well');
is($done[0][0] + $done[1][0], $credits, 'two at once: between them they copy each credit once');
is_imported('two', 'two at once');

# --- tamper evidence --------------------------------------------------------------------

make_imported_shop('sealed', q{CALL storecredit.add_tamper_evidence()});
$node->safe_psql('sealed', "SELECT FROM store_credit_credit('Spree::User/1', '5 USD'); SELECT FROM store_credit_debit('Spree::User/1', '5 USD')");
$node->safe_psql('sealed', import_call());
books_are_sound($node, 'sealed', 'sealed');
my $unsealed = q{SELECT count(*) FROM transaction WHERE hash IS NULL};
is($node->safe_psql('sealed', $unsealed), '0', 'sealed: every entry has its hash');
$node->safe_psql('sealed', q{
	UPDATE spree_store_credits SET amount_authorized = 0, amount_used = amount_used + 40 WHERE id = 7;
	INSERT INTO spree_store_credit_events (store_credit_id, action, amount, authorization_code, created_at, updated_at)
	VALUES (7, 'capture', 40, '7-SC-C', '2026-01-01', '2026-01-01')});
is($node->safe_psql('sealed', import_call()), '1|1|0|0', 'sealed: what is new later');
is($node->safe_psql('sealed', $unsealed), '0', 'is chained, too');
books_are_sound($node, 'sealed', 'sealed, and more');

done_testing();
