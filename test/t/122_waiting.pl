# Two sessions and one account.  One has it, the other must wait; what the other
# then does must follow from what the first one did, never from what was true
# before the wait.  Every story is told for each pair of stores, as sessions
# with different ones may meet.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Ledger;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_server('main');
make_ledger($node, 'ledger', 'CREATE TABLE customer (account_id bigint REFERENCES account)');

my ($holder, $waiter, $third);
my ($pair, $number) = ('', 0);

# A new owner with credits of these amounts, the first of which expires first.
sub new_owner
{
	my (@amounts) = @_;
	my $owner = 'owner ' . ++$number;
	my $day = 0;
	$node->safe_psql('ledger', join(';', map {
		"SELECT store_credit_credit('$owner', '$_', now() + " . ++$day . " * interval '1 day')" } @amounts));
	return $owner;
}

sub account_of
{
	my ($owner) = @_;
	return $node->safe_psql('ledger', "SELECT account_id FROM account WHERE owner = '$owner'");
}

sub history_of
{
	my ($owner) = @_;
	return $node->safe_psql('ledger', qq{
		SELECT string_agg(concat_ws(' ', t.seq, t.kind, money_ccy_amount(t.amount)), ', ' ORDER BY t.seq)
		FROM account JOIN transaction AS t USING (account_id) WHERE owner = '$owner'});
}

sub debit  { return "SELECT balance_after FROM store_credit_debit('$_[0]', '$_[1]'" . ($_[2] ? ", $_[2]" : '') . ')'; }
sub credit { return "SELECT balance_after FROM store_credit_credit('$_[0]', '$_[1]'" . ($_[2] ? ", $_[2]" : '') . ')'; }

# The holder does something in a transaction, the waiter's statement waits for
# it, and the holder ends.  Returns the waiter's answer, or its SQLSTATE.
sub after_wait
{
	my ($held, $statement, $end, $begin) = @_;
	$holder->query("BEGIN; $held");
	$waiter->query($begin) if $begin;
	$waiter->send($statement);
	waits_for_lock($node, $waiter);
	$holder->query($end);
	my $answer = $waiter->answer;
	my $state = $waiter->state;
	$waiter->query('ROLLBACK') if $begin;
	return $state eq '00000' ? $answer : $state;
}

foreach my $stores ([ 'on', 'on' ], [ 'on', 'off' ], [ 'off', 'on' ], [ 'off', 'off' ])
{
	$pair = join(' then ', map { $_ eq 'on' ? 'fast' : 'plain' } @$stores);
	($holder, $waiter, $third) = map { session($node, 'ledger') } 1 .. 3;
	$holder->query("SET storecredit.fast_path = $$stores[0]");
	$_->query("SET storecredit.fast_path = $$stores[1]") foreach $waiter, $third;

	# --- what the first one does counts ----------------------------------------
	my $owner = new_owner('10.00 USD', '10.00 USD');
	is(after_wait(debit($owner, '3.00 USD'), debit($owner, '1.00 USD'), 'COMMIT'), '16.00 USD', "$pair: a debit counts the one that it waited for");
	is(after_wait(debit($owner, '3.00 USD'), debit($owner, '1.00 USD'), 'ROLLBACK'), '15.00 USD', "$pair: and not one that was undone");
	is(after_wait(debit($owner, '5.00 USD'), debit($owner, '2.00 USD'), 'COMMIT'), '8.00 USD', "$pair: a debit draws on the credits that are left");
	is($node->safe_psql('ledger', "SELECT count(*) FROM open_credit WHERE account_id = " . account_of($owner)), '1', "$pair: and the used up one is gone");
	is(after_wait(debit($owner, '7.50 USD'), debit($owner, '1.00 USD'), 'COMMIT'), 'SC003', "$pair: what is not there any more is not spent");
	like($waiter->error, qr/Available are 0.50 USD, the debit is 1.00 USD/, "$pair: and the figures are the newest");
	is(after_wait(credit($owner, '7.00 USD'), debit($owner, '5.00 USD'), 'COMMIT'), '2.50 USD', "$pair: a refusal waits, too, and then there is enough");
	is(after_wait(credit($owner, '7.00 USD'), debit($owner, '5.00 USD'), 'ROLLBACK'), 'SC003', "$pair: or not");
	is( after_wait("SELECT store_credit_set_account_limits(" . account_of($owner) . ", '3.00 USD')", credit($owner, '1.00 USD'), 'COMMIT'),
		'SC002', "$pair: a limit that was set meanwhile holds");
	is(history_of($owner), '1 credit 10.00, 2 credit 10.00, 3 debit -3.00, 4 debit -1.00, 5 debit -1.00, 6 debit -5.00, 7 debit -2.00, '
		. '8 debit -7.50, 9 credit 7.00, 10 debit -5.00', "$pair: the history has no gap");

	# --- keys --------------------------------------------------------------------
	$owner = new_owner('10.00 USD');
	my $call = debit($owner, '1.00 USD', "idempotency_key => 'one'");
	is(after_wait($call, $call, 'COMMIT'), '9.00 USD', "$pair: the same key waits for the first answer");
	$call = debit($owner, '2.00 USD', "idempotency_key => 'two'");
	is(after_wait($call, $call, 'ROLLBACK'), '7.00 USD', "$pair: or goes first if there was none");
	is(after_wait(debit($owner, '1.00 USD', "idempotency_key => 'three'"), debit($owner, '2.00 USD', "idempotency_key => 'three'"), 'COMMIT'),
		'SC008', "$pair: and is refused with other arguments");
	$call = debit($owner, '6.00 USD', "idempotency_key => 'four'");
	is(after_wait($call, $call, 'COMMIT'), '0.00 USD', "$pair: a replay is found although nothing is left");
	is(history_of($owner), '1 credit 10.00, 2 debit -1.00, 3 debit -2.00, 4 debit -1.00, 5 debit -6.00', "$pair: each key is there once");

	# --- the first credit of an owner ----------------------------------------------
	$owner = "new owner $pair";
	is(after_wait(credit($owner, '1.00 USD'), credit($owner, '2.00 USD'), 'COMMIT'), '3.00 USD', "$pair: two first credits open one account");
	is(after_wait(credit("$owner, too", '1.00 USD'), credit("$owner, too", '2.00 USD'), 'ROLLBACK'), '2.00 USD', "$pair: an account undone is opened anew");
	is(after_wait(credit("$owner again", '1.00 USD'), credit("$owner again", '2.00 USD'), 'COMMIT', 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM account'),
		'40001', "$pair: an account that a snapshot cannot see is not opened again");

	# --- an account goes, or its owner does ------------------------------------------
	$owner = new_owner('10.00 USD');
	my $account = account_of($owner);
	$node->safe_psql('ledger', debit($owner, '10.00 USD'));
	is(after_wait("UPDATE account SET owner = 'erased $number' WHERE account_id = $account", credit($owner, '1.00 USD'), 'COMMIT'),
		'1.00 USD', "$pair: a credit does not go to an account that was given another owner");
	isnt(account_of($owner), $account, "$pair: but to a new one");
	is(after_wait("UPDATE account SET owner = 'erased twice $number' WHERE account_id = $account", "SELECT balance_after FROM store_credit_credit($account, '1.00 USD')", 'COMMIT'),
		'1.00 USD', "$pair: by its number it is found");
	my $empty = q{INSERT INTO account (account_id, opened_at, last_seq, balance, held, credit_line, last_hold_id, currency, owner)
		VALUES (1000000, now(), 0, '0 USD', '0 USD', '0 USD', 0, 'USD', 'short-lived')};
	$node->safe_psql('ledger', $empty);
	is(after_wait('DELETE FROM account WHERE account_id = 1000000', q{SELECT FROM store_credit_credit(1000000, '1.00 USD')}, 'COMMIT'),
		'SC004', "$pair: an account that was deleted is not found");
	$node->safe_psql('ledger', $empty);
	is(after_wait('DELETE FROM account WHERE account_id = 1000000', credit('short-lived', '1.00 USD'), 'COMMIT'), '1.00 USD', "$pair: and its owner gets another one");
	$node->safe_psql('ledger', debit('short-lived', '1.00 USD') . "; UPDATE account SET owner = 'gone $number' WHERE owner = 'short-lived'");

	# --- the higher isolation levels ---------------------------------------------------
	foreach my $level ('REPEATABLE READ', 'SERIALIZABLE')
	{
		my $begin = "BEGIN ISOLATION LEVEL $level; SELECT FROM account";
		$owner = new_owner('10.00 USD');
		is(after_wait(debit($owner, '3.00 USD'), debit($owner, '1.00 USD'), 'COMMIT', $begin), '40001', "$pair: $level does not go on from an old snapshot");
		is(after_wait(debit($owner, '3.00 USD'), debit($owner, '1.00 USD'), 'ROLLBACK', $begin), '6.00 USD', "$pair: $level goes on if nothing was changed");
		is(after_wait(credit($owner, '7.00 USD'), debit($owner, '10.00 USD'), 'COMMIT', $begin), '40001', "$pair: $level does not refuse by an old snapshot");
		is(after_wait(credit($owner, '7.00 USD'), debit($owner, '15.00 USD'), 'ROLLBACK', $begin), 'SC003', "$pair: $level refuses if nothing was changed");

		$waiter->query($begin);
		$holder->query(debit($owner, '1.00 USD'));
		is($waiter->state_of(debit($owner, '1.00 USD')), '40001', "$pair: $level sees a change without a wait");
		$waiter->query('ROLLBACK');
	}

	# --- time passes while waiting --------------------------------------------------------
	$owner = new_owner('10.00 USD');
	my $expiry = $node->safe_psql('ledger', "SELECT expires_at FROM store_credit_credit('$owner', '5.00 USD', clock_timestamp() + interval '2 s')");
	$holder->query('BEGIN; ' . credit($owner, '1.00 USD'));
	$waiter->send(debit($owner, '2.00 USD'));
	waits_for_lock($node, $waiter);
	$holder->query("SELECT pg_sleep(extract(epoch FROM '$expiry' - clock_timestamp()) + 0.01)");
	$holder->query('COMMIT');
	is($waiter->answer, '9.00 USD', "$pair: what expires during a wait is not spent");
	is(history_of($owner), '1 credit 10.00, 2 credit 5.00, 3 credit 1.00, 4 expiration -5.00, 5 debit -2.00', "$pair: but booked");

	# --- several wait ------------------------------------------------------------------------
	$owner = new_owner('100.00 USD');
	$holder->query('BEGIN; ' . debit($owner, '10.00 USD'));
	$waiter->send(debit($owner, '1.00 USD'));
	waits_for_lock($node, $waiter);
	$third->send(debit($owner, '2.00 USD'));
	waits_for_lock($node, $third);
	$holder->query('COMMIT');
	is($waiter->answer . ', ' . $third->answer, '89.00 USD, 87.00 USD', "$pair: who came first goes first");

	# --- waits that end otherwise --------------------------------------------------------------
	$holder->query('BEGIN; ' . debit($owner, '10.00 USD'));
	$waiter->send(debit($owner, '1.00 USD'));
	waits_for_lock($node, $waiter);
	$third->send(debit($owner, '2.00 USD'));
	waits_for_lock($node, $third);
	$node->safe_psql('ledger', 'SELECT pg_cancel_backend(' . $third->pid . ')');
	$third->answer;
	is($third->state, '57014', "$pair: the second that waits can be cancelled");
	$node->safe_psql('ledger', 'SELECT pg_cancel_backend(' . $waiter->pid . ')');
	$waiter->answer;
	is($waiter->state, '57014', "$pair: and so can the first");
	$waiter->query(q{SET lock_timeout = '50ms'});
	is($waiter->state_of(debit($owner, '1.00 USD')), '55P03', "$pair: lock_timeout ends a wait");
	$waiter->query(q{RESET lock_timeout; SET statement_timeout = '50ms'});
	is($waiter->state_of(debit($owner, '1.00 USD')), '57014', "$pair: and so does statement_timeout");
	$waiter->query('RESET statement_timeout');
	$waiter->send(debit($owner, '1.00 USD'));
	waits_for_lock($node, $waiter);
	$node->safe_psql('ledger', 'SELECT pg_terminate_backend(' . $waiter->pid . ')');
	$waiter->answer;
	is($waiter->state, 'lost', "$pair: and the end of the session");
	$waiter->close;
	$waiter = session($node, 'ledger');
	$waiter->query("SET storecredit.fast_path = $$stores[1]");
	$holder->query('COMMIT');
	is($waiter->query(debit($owner, '1.00 USD')), '76.00 USD', "$pair: none of them took anything");
	is($node->safe_psql('ledger', q{SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'}), '0', "$pair: nor left a lock");

	# --- who has the account may do more with it --------------------------------------------------
	foreach my $case (
		[ 'has locked', "SELECT FROM account WHERE owner = '$owner' FOR UPDATE" ],
		[ 'was refused', qq{SELECT store_credit_account_debit('$owner', '{"debitAmount": {"amount": "999.00", "currencyCode": "USD"}}')} ],
		[ 'has debited', debit($owner, '1.00 USD') ],
		[ 'has debited in a savepoint', 'SAVEPOINT s; ' . debit($owner, '1.00 USD') . '; RELEASE s' ])
	{
		my ($done, $sql) = @$case;
		$holder->query("BEGIN; $sql");
		$waiter->send(debit($owner, '1.00 USD'));
		waits_for_lock($node, $waiter);
		is($holder->state_of(debit($owner, '1.00 USD')), '00000', "$pair: who $done the account is not kept from it by those who wait");
		$holder->query('COMMIT');
		$waiter->answer;
		is($waiter->state, '00000', "$pair: who waits for one that $done gets it next");
	}
	$holder->query('BEGIN; SAVEPOINT s; ' . debit($owner, '1.00 USD'));
	$waiter->query('BEGIN');
	$waiter->send(debit($owner, '2.00 USD'));
	waits_for_lock($node, $waiter);
	$holder->query('ROLLBACK TO s');
	$waiter->answer;
	is($waiter->state, '00000', "$pair: a savepoint rolled back lets go of the account");
	$holder->send(debit($owner, '3.00 USD'));
	waits_for_lock($node, $holder);
	$waiter->query('COMMIT');
	$holder->answer;
	is($holder->state, '00000', "$pair: which can be had again after a wait");
	$holder->query('COMMIT');
	is($node->safe_psql('ledger', "SELECT balance FROM account WHERE owner = '$owner'"), '61.00 USD', "$pair: and every debit is there");

	# --- who refers to an account only shares it -----------------------------------------------------
	$account = account_of($owner);
	$_->query("BEGIN; INSERT INTO customer VALUES ($account)") foreach $holder, $waiter;
	is($holder->state_of(debit($owner, '1.00 USD')), '00000', "$pair: an account that others refer to can be debited");
	$waiter->send(debit($owner, '1.00 USD'));
	waits_for_lock($node, $waiter);
	is($holder->state_of(debit($owner, '1.00 USD')), '00000', "$pair: and again, while another one waits");
	$holder->query('COMMIT');
	is($waiter->answer, '58.00 USD', "$pair: who then goes on");
	$waiter->query('COMMIT');

	# --- deadlocks are found, as with any rows ---------------------------------------------------------
	my $other = new_owner('10.00 USD');
	$holder->query('BEGIN; ' . debit($owner, '1.00 USD'));
	$waiter->query('BEGIN; ' . debit($other, '1.00 USD'));
	$waiter->send(debit($owner, '1.00 USD'));
	waits_for_lock($node, $waiter);
	$holder->send(debit($other, '1.00 USD'));
	$_->answer foreach $holder, $waiter;
	is(join(' ', sort map { $_->state } $holder, $waiter), '00000 40P01', "$pair: of two that wait for each other one is refused");
	$_->query('COMMIT') foreach $holder, $waiter;
	is($node->safe_psql('ledger', "SELECT sum(balance) FROM account WHERE owner IN ('$owner', '$other')"), '66.00 USD', "$pair: and leaves nothing behind");

	# --- a prepared transaction has the account -----------------------------------------------------------
	foreach my $case ([ 'COMMIT', '7.00 USD' ], [ 'ROLLBACK', '6.00 USD' ])
	{
		my ($end, $left) = @$case;
		$owner = new_owner('10.00 USD') if $end eq 'COMMIT';
		$holder->query('BEGIN; ' . debit($owner, '2.00 USD') . "; PREPARE TRANSACTION 'prepared'");
		$waiter->send(debit($owner, '1.00 USD'));
		waits_for_lock($node, $waiter);
		$third->query("$end PREPARED 'prepared'");
		is($waiter->answer, $left, "$pair: a call waits for a prepared transaction's $end");
	}
	$holder->query('BEGIN; ' . debit($owner, '1.00 USD'));
	$waiter->send('BEGIN; ' . debit($owner, '1.00 USD'));
	waits_for_lock($node, $waiter);
	$holder->query('COMMIT');
	$waiter->answer;
	is($waiter->state_of(q{PREPARE TRANSACTION 'waited'}), '00000', "$pair: a transaction that has waited can be prepared");
	is($third->query(q{COMMIT PREPARED 'waited'; SELECT balance FROM account WHERE owner = '} . $owner . q{'}), '4.00 USD', "$pair: and committed");

	# --- credits changed by hand, past the account -------------------------------------------------------------
	$owner = new_owner('10.00 USD', '10.00 USD');
	$account = account_of($owner);
	my $by_hand = "SET LOCAL session_replication_role = replica; DELETE FROM open_credit WHERE account_id = $account AND remaining = '10.00 USD'";
	like(after_wait($by_hand, debit($owner, '12.00 USD'), 'COMMIT'), qr/^(40001|27000)$/, "$pair: credits that vanish by hand are not spent");
	is($waiter->query(debit($owner, '12.00 USD')) . $waiter->state, 'XX001', "$pair: and that is told");
	$node->safe_psql('ledger', qq{
		BEGIN;
		SET LOCAL session_replication_role = replica;
		INSERT INTO open_credit SELECT account_id, expires_at, seq, amount FROM transaction WHERE account_id = $account AND kind = 'credit';
		COMMIT});
	is(after_wait($by_hand, debit($owner, '12.00 USD'), 'ROLLBACK'), '8.00 USD', "$pair: credits that did not vanish are");

	$_->close foreach $holder, $waiter, $third;
}

books_are_sound($node, 'ledger', 'after all waits');
unlike(slurp_file($node->logfile), qr/terminated by signal|PANIC|unexpected result/, 'nothing happened that cannot happen');

$node->stop;
done_testing();
