# What one session may do with calls: several in a statement or a transaction,
# in savepoints, loops and triggers; errors in the middle of one, no memory left,
# transactions that may not write, and a ledger that is dropped and made anew.
# Every story is told for both stores, and for one that changes within it.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Ledger;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_server('main');
make_ledger($node, 'ledger', q{
	CREATE ROLE shop LOGIN;
	GRANT USAGE ON SCHEMA storecredit TO shop;
	GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA storecredit TO shop;
	CREATE TABLE purchase (owner text, price money_ccy, paid money_ccy);
	GRANT ALL ON purchase TO shop;

	CREATE FUNCTION pay() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		NEW.paid := (store_credit_debit(NEW.owner, NEW.price, allow_partial => true)).amount;
		RETURN NEW;
	END $$;
	CREATE TRIGGER pay BEFORE INSERT ON purchase FOR EACH ROW EXECUTE FUNCTION pay();

	-- Debits in a savepoint within a savepoint and so on, each second of which is undone.
	CREATE FUNCTION debit_nested(owner text, depth integer) RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		IF depth > 0 THEN
			BEGIN
				PERFORM store_credit_debit(owner, '0.01 USD');
				PERFORM debit_nested(owner, depth - 1);
				PERFORM store_credit_debit(owner, '0.01 USD');
				IF depth % 2 = 0 THEN
					RAISE EXCEPTION USING ERRCODE = 'UNDO1';
				END IF;
			EXCEPTION WHEN SQLSTATE 'UNDO1' THEN
				PERFORM store_credit_debit(owner, '1.00 USD');
			END;
		END IF;
	END $$;

	CREATE FUNCTION alternate() RETURNS void LANGUAGE sql AS
	$$ SELECT set_config('storecredit.fast_path', CASE current_setting('storecredit.fast_path') WHEN 'on' THEN 'off' ELSE 'on' END, false) $$;
	ALTER FUNCTION alternate SECURITY DEFINER;
	});
my $number = 0;

sub new_owner
{
	my ($amount) = @_;
	my $owner = 'owner ' . ++$number;
	$node->safe_psql('ledger', "SELECT store_credit_credit('$owner', '$amount')");
	return $owner;
}

foreach my $store ('fast', 'plain', 'alternating')
{
	my $s = session($node, 'ledger');
	my $change = $store eq 'alternating' ? 'DO $$ BEGIN PERFORM alternate(); END $$;' : '';
	$s->query('SET storecredit.fast_path = ' . ($store eq 'plain' ? 'off' : 'on'));
	my $state_of = sub { return $s->state_of($_[0]); };
	my $balance = sub { return $s->query("SELECT balance FROM account WHERE owner = '$_[0]'"); };

	# --- several calls in one statement ------------------------------------------
	my $o = new_owner('100.00 USD');
	is($s->query("$change SELECT count(*), min(balance_after), max(seq) FROM generate_series(1, 50) AS n, store_credit_debit('$o', '1.00 USD', memo => n::text)"),
		'50|50.00 USD|51', "$store: 50 debits in one statement");
	is($s->query("$change SELECT sum((store_credit_debit('$o', n * '0.10 USD'::money_ccy)).amount) FROM generate_series(1, 10) AS n"),
		'-5.50 USD', "$store: and in its list");
	is( $s->query(qq{$change
			WITH given AS MATERIALIZED (SELECT seq, balance_after FROM store_credit_credit('$o', '5.00 USD')),
				taken AS MATERIALIZED (SELECT t.balance_after FROM given, store_credit_debit('$o', '4.50 USD', memo => given.seq::text) AS t)
			SELECT given.balance_after, taken.balance_after FROM given, taken}),
		'49.50 USD|45.00 USD', "$store: one call sees what another of its statement did");
	is( $s->query(qq{
			WITH changed AS (UPDATE account SET credit_line = '10.00 USD' WHERE owner = '$o' RETURNING account_id)
			SELECT (SELECT balance_after FROM store_credit_debit(account_id, '50.00 USD')) FROM changed}),
		'-5.00 USD', "$store: and what the statement itself changed");
	is($s->query("SELECT draws FROM store_credit_credit('$o', '25.00 USD') AS t(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, draws)") =~ s/\d+,/n,/r,
		'{n,500}', "$store: a credit pays back the credit line first");
	is($s->query("CREATE TEMP TABLE made AS SELECT * FROM store_credit_debit('$o', '1.00 USD'); SELECT balance_after FROM made; DROP TABLE made"),
		'19.00 USD', "$store: a table made of an answer");
	is($s->query("COPY (SELECT balance_after FROM store_credit_debit('$o', '1.00 USD')) TO STDOUT"), '18.00 USD', "$store: COPY of an answer");
	like($s->query("EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off) SELECT FROM store_credit_debit('$o', '1.00 USD')"), qr/rows=1/, "$store: EXPLAIN ANALYZE of a call");
	is($balance->($o), '17.00 USD', "$store: every call counted once");

	# --- transactions and savepoints ------------------------------------------------
	$o = new_owner('100.00 USD');
	$s->query(qq{
		BEGIN;
		SELECT store_credit_debit('$o', '1.00 USD');
		SAVEPOINT a; $change
		SELECT store_credit_debit('$o', '2.00 USD');
		SAVEPOINT b;
		SELECT store_credit_credit('$o', '4.00 USD', now() + interval '1 day');
		ROLLBACK TO b; $change
		SELECT store_credit_debit('$o', '8.00 USD');
		RELEASE a;
		SAVEPOINT c;
		SELECT store_credit_debit('$o', '16.00 USD');
		ROLLBACK TO c; $change
		SELECT store_credit_debit('$o', '32.00 USD');
		COMMIT});
	is($s->query("SELECT string_agg(money_ccy_amount(amount)::text, ' ' ORDER BY seq), max(seq) FROM transaction JOIN account USING (account_id) WHERE owner = '$o'"),
		'100.00 -1.00 -2.00 -8.00 -32.00|5', "$store: what was rolled back to a savepoint never was");
	$s->query("BEGIN; SELECT store_credit_debit('$o', '1.00 USD'); $change SELECT store_credit_credit('new $o', '1.00 USD'); ROLLBACK");
	is($s->query("SELECT balance, last_seq, (SELECT count(*) FROM account WHERE owner = 'new $o') FROM account WHERE owner = '$o'"), '57.00 USD|5|0',
		"$store: nor what was rolled back");

	$o = new_owner('1000.00 USD');
	is($state_of->("$change SELECT debit_nested('$o', 100)"), '00000', "$store: a hundred savepoints, one within the other");
	# Of the 100 levels the outermost is undone, and all within it.
	is($balance->($o), '999.00 USD', "$store: the outermost undone, with all within");
	$s->query("SELECT debit_nested('$o', 99)");
	is($balance->($o), '997.98 USD', "$store: the outermost kept, and the next undone");
	$s->query("DO \$\$ BEGIN FOR i IN 1 .. 200 LOOP BEGIN
		PERFORM alternate() WHERE '$store' = 'alternating';
		PERFORM store_credit_debit('$o', '0.01 USD');
		IF i % 2 = 0 THEN RAISE EXCEPTION USING ERRCODE = 'UNDO1'; END IF;
		EXCEPTION WHEN SQLSTATE 'UNDO1' THEN NULL; END; END LOOP; END \$\$");
	is($balance->($o), '996.98 USD', "$store: 200 savepoints one after the other, each second undone");

	# --- refusals that are caught --------------------------------------------------------
	$o = new_owner('10.00 USD');
	is( $s->query(qq{$change
			CREATE TEMP TABLE caught (state text);
			DO \$\$ DECLARE
				calls text[] := ARRAY['debit(''$o'', ''-1 USD'')', 'debit(''$o'', ''99 USD'')', 'debit(0::bigint, ''1 USD'')', 'credit(0::bigint, ''1 USD'')',
					'credit(''$o'', ''1 USD'', expires_at => ''2000-01-01'')', 'credit(''$o'', ''1 HRK'')', 'debit(''nobody'', ''1 USD'')'];
				call text;
			BEGIN
				FOREACH call IN ARRAY calls LOOP
					BEGIN
						PERFORM store_credit_debit('$o', '1.00 USD');
						EXECUTE 'SELECT store_credit_' || call;
					EXCEPTION WHEN OTHERS THEN
						INSERT INTO caught VALUES (SQLSTATE);
					END;
				END LOOP;
				PERFORM store_credit_debit('$o', '1.00 USD');
			END \$\$;
			SELECT string_agg(state, ' ') FROM caught; DROP TABLE caught}),
		'SC001 SC003 SC004 SC004 SC006 SC007 SC004', "$store: refusals can be caught");
	is($balance->($o), '9.00 USD', "$store: and take back what was done with them");

	# --- triggers, cursors and loops --------------------------------------------------------
	$o = new_owner('10.00 USD');
	is($s->query("$change INSERT INTO purchase SELECT '$o', '3.00 USD' FROM generate_series(1, 4) RETURNING paid"),
		"-3.00 USD\n-3.00 USD\n-3.00 USD\n-1.00 USD", "$store: a trigger pays for what is inserted");
	is($state_of->("INSERT INTO purchase VALUES ('$o', '1.00 USD')"), 'SC003', "$store: or refuses it");
	is($s->query("SELECT count(*) FROM purchase WHERE owner = '$o'"), '4', "$store: and then it is not there");

	$o = new_owner('10.00 USD');
	$s->query("SELECT store_credit_credit('$o', n * '1.00 USD'::money_ccy, now() + n * interval '1 day') FROM generate_series(1, 40) AS n");
	$s->query("BEGIN; DECLARE c CURSOR FOR SELECT seq, remaining FROM open_credit JOIN account USING (account_id) WHERE owner = '$o' ORDER BY expires_at");
	is($s->query('FETCH 2 FROM c'), "2|1.00 USD\n3|2.00 USD", "$store: a cursor on the open credits");
	$s->query("$change SELECT store_credit_debit('$o', '20.00 USD')");
	is($s->query('FETCH 2 FROM c'), "4|3.00 USD\n5|4.00 USD", "$store: goes on with what it began with, whatever is debited meanwhile");
	is($s->query("FETCH ALL FROM c; SELECT count(*) FROM open_credit JOIN account USING (account_id) WHERE owner = '$o'") =~ s/.*\n//sr, '36', "$store: although the credits are gone");
	$s->query('COMMIT');
	is( $s->query(qq{
			DO \$\$ DECLARE c record; BEGIN
				FOR c IN SELECT account_id, remaining FROM open_credit JOIN account USING (account_id) WHERE owner = '$o' ORDER BY expires_at LOOP
					PERFORM alternate() WHERE '$store' = 'alternating';
					PERFORM store_credit_debit(c.account_id, c.remaining);
				END LOOP;
			END \$\$;
			SELECT balance, (SELECT count(*) FROM open_credit AS o WHERE o.account_id = a.account_id) FROM account AS a WHERE owner = '$o'}),
		'0.00 USD|0', "$store: a loop over the open credits that uses them up");

	# --- an error in the middle of a call -----------------------------------------------------
	$o = new_owner('10.00 USD');
	my $account = $s->query("SELECT account_id FROM account WHERE owner = '$o'");
	$node->safe_psql('ledger', qq{
		BEGIN;
		SET LOCAL session_replication_role = replica;
		INSERT INTO transaction SELECT account_id, 2, amount, balance_after, created_at, NULL, kind, NULL, NULL, NULL, issuer, recorded_by
			FROM transaction WHERE account_id = $account;
		COMMIT});
	is($state_of->("$change SELECT store_credit_debit('$o', '10.00 USD', notify => true)"), '23505', "$store: a call that meets a forged entry fails when all else is written");
	is($s->query("BEGIN; SAVEPOINT s; SELECT store_credit_credit('$o', '1.00 USD'); ROLLBACK TO s;
			SELECT balance, last_seq, (SELECT sum(remaining) FROM open_credit AS o WHERE o.account_id = a.account_id) FROM account AS a WHERE owner = '$o'; COMMIT"),
		'10.00 USD|1|10.00 USD', "$store: and leaves nothing behind");
	$node->safe_psql('ledger', "BEGIN; SET LOCAL session_replication_role = replica; ALTER TABLE transaction DISABLE TRIGGER guard;
		DELETE FROM transaction WHERE account_id = $account AND seq = 2; ALTER TABLE transaction ENABLE ALWAYS TRIGGER guard; COMMIT");
	is($s->query("SELECT balance_after, seq FROM store_credit_debit('$o', '10.00 USD')"), '0.00 USD|2', "$store: without it the call goes through");

	$o = new_owner('10.00 USD');
	$node->safe_psql('ledger', q{
		CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'FAIL1'; END $$;
		CREATE TRIGGER fail BEFORE INSERT ON notification FOR EACH ROW EXECUTE FUNCTION fail()});
	is($state_of->("$change SELECT store_credit_debit('$o', '10.00 USD', notify => true)"), 'FAIL1', "$store: a trigger of the outbox fails when all else is written");
	$node->safe_psql('ledger', 'DROP TRIGGER fail ON notification; CREATE TRIGGER fail BEFORE INSERT ON transaction FOR EACH ROW EXECUTE FUNCTION fail()');
	is($state_of->("$change SELECT store_credit_debit('$o', '10.00 USD')"), 'FAIL1', "$store: a trigger of the history fails");
	$node->safe_psql('ledger', 'DROP FUNCTION fail CASCADE');
	is($s->query("SELECT balance_after, seq FROM store_credit_debit('$o', '10.00 USD')"), '0.00 USD|2', "$store: and nothing had happened");

	# --- who calls, and from where ----------------------------------------------------------------
	$o = new_owner('10.00 USD');
	$s->query("SET SESSION AUTHORIZATION shop");
	is($s->query("SELECT balance_after, issuer, recorded_by FROM store_credit_debit('$o', '1.00 USD')"), '9.00 USD|shop|shop', "$store: one who may call and nothing else");
	is($state_of->('SELECT FROM account'), '42501', "$store: does not see the tables");
	$s->query('RESET SESSION AUTHORIZATION');
	is( $s->query(qq{
			CREATE SCHEMA trap;
			CREATE FUNCTION trap.equal(bigint, bigint) RETURNS boolean LANGUAGE sql AS 'SELECT true';
			CREATE OPERATOR trap.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = trap.equal);
			CREATE FUNCTION trap.texteq(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT true';
			CREATE OPERATOR trap.= (LEFTARG = text, RIGHTARG = text, FUNCTION = trap.texteq);
			CREATE TABLE trap.account (LIKE storecredit.account); CREATE TABLE trap.transaction (LIKE storecredit.transaction);
			SET search_path = trap, pg_catalog;
			SELECT balance_after FROM storecredit.store_credit_debit('$o', storecredit.money_ccy(1, 'USD'), notify => true);
			SET search_path = '';
			SELECT balance_after FROM storecredit.store_credit_debit('$o', storecredit.money_ccy(1, 'USD'));
			RESET search_path;
			DROP SCHEMA trap CASCADE}),
		"8.00 USD\n7.00 USD", "$store: the caller's search_path changes nothing");

	# --- what may not write -------------------------------------------------------------------------
	foreach my $call (
		"store_credit_debit('$o', '1.00 USD')", "store_credit_credit('$o', '1.00 USD')", q{store_credit_set_limit('EUR')},
		q{store_credit_set_account_limits(1)}, qq{store_credit_account_debit('$o', '{"debitAmount": {"amount": "1.00", "currencyCode": "USD"}}')})
	{
		my ($name) = $call =~ /^(\w+)/;
		is($state_of->("BEGIN READ ONLY; SELECT $call") . $s->query('ROLLBACK'), '25006', "$store: no $name in a transaction that may not write");
	}
	is($s->query("BEGIN READ ONLY; SELECT store_credit_balance('$o', 'USD'); COMMIT"), '7.00 USD', "$store: but a balance");

	my $parallel = $node->pg_version < 16 ? 'force_parallel_mode' : 'debug_parallel_query';
	$s->query(qq{
		CREATE FUNCTION careless(owner text) RETURNS money_ccy LANGUAGE plpgsql PARALLEL SAFE AS \$\$
		BEGIN RETURN (store_credit_debit(owner, '1.00 USD')).balance_after; END \$\$;
		CREATE FUNCTION careful(owner text) RETURNS money_ccy LANGUAGE plpgsql PARALLEL SAFE AS \$\$
		BEGIN RETURN store_credit_balance(owner, 'USD'); END \$\$;
		SET $parallel = on});
	is($state_of->("SELECT careless('$o')"), '25000', "$store: no debit in a parallel worker");
	is($s->query("SELECT careful('$o')"), '7.00 USD', "$store: but a balance");
	is($s->query("SELECT balance_after FROM store_credit_debit('$o', '1.00 USD')"), '6.00 USD', "$store: a call keeps its statement from being parallel");
	$s->query("RESET $parallel; DROP FUNCTION careless; DROP FUNCTION careful");

	# --- kept plans, and tables that change under them --------------------------------------------------
	$o = new_owner('100.00 USD');
	$s->query('PREPARE debit (text, money_ccy) AS SELECT balance_after FROM store_credit_debit($1, $2); SET plan_cache_mode = force_generic_plan');
	$s->query("EXECUTE debit ('$o', '1.00 USD')") foreach 1 .. 8;
	$s->query('ALTER TABLE account ADD later text');
	is($s->query("EXECUTE debit ('$o', '1.00 USD')"), '91.00 USD', "$store: a prepared call after a column was added");
	$s->query('ALTER TABLE account DROP later; CREATE INDEX later ON transaction (created_at)');
	is($s->query("EXECUTE debit ('$o', '1.00 USD')"), '90.00 USD', "$store: after one was dropped, and an index made");
	$s->query('DROP INDEX later; VACUUM FULL account; VACUUM FULL open_credit; REINDEX TABLE transaction');
	is($s->query("EXECUTE debit ('$o', '1.00 USD')"), '89.00 USD', "$store: after the tables were written anew");
	$s->query('DISCARD ALL; SET storecredit.fast_path = ' . ($store eq 'plain' ? 'off' : 'on'));
	is($s->query("SELECT balance_after FROM store_credit_debit('$o', '1.00 USD')"), '88.00 USD', "$store: after DISCARD ALL");

	# --- memory --------------------------------------------------------------------------------------------
	# Less what the server keeps for each row that is changed again, and for each deferred trigger.
	my $memory = q{SELECT sum(total_bytes) FROM pg_backend_memory_contexts
		WHERE name NOT IN ('Combo CIDs', 'TopTransactionContext', 'AfterTriggerEvents')};
	my $many = "SELECT count(store_credit_debit('$o', '0.01 USD')), count(store_credit_credit('$o', '0.01 USD')),
		count(store_credit_balance('$o', 'USD')) FROM generate_series(1, 500)";
	$s->query("BEGIN; $many; $many");
	my $before = $s->query($memory);
	$s->query($many) foreach 1 .. 4;
	cmp_ok($s->query($memory) - $before, '<', 100_000, "$store: a long transaction keeps no memory for each call");
	$s->query('COMMIT');
	$s->close;
}
books_are_sound($node, 'ledger', 'after all of it');

# --- no memory left -----------------------------------------------------------------------------------------
# The session's address space is limited to a little more than it has, step by
# step, so that memory ends at many places.  Its stack must have grown before.

SKIP:
{
	skip 'there is no prlimit', 3 if system('prlimit --version >/dev/null 2>&1') != 0;
	my $nested = '(' x 2000 . '1' . ')' x 2000;
	my %states;
	my $kilobytes = 0;
	my $steps = 0;
	$node->safe_psql('ledger', q{SELECT store_credit_credit('short of memory', '10000.00 USD')});
	while (($states{'00000'} // 0) < 20 && $steps < 400)
	{
		my $s = session($node, 'ledger');
		$s->query("SELECT store_credit_clock(), $nested; SET storecredit.fast_path = " . ($steps % 2 ? 'off' : 'on'));
		my ($size) = slurp_file('/proc/' . $s->pid . '/status') =~ /^VmSize:\s+(\d+) kB/m;
		my $limit = ($size + $kilobytes) * 1024;
		system_or_bail('prlimit', '--pid', $s->pid, "--as=$limit:");
		$s->query(q{SELECT store_credit_debit('short of memory', '1.00 USD', memo => repeat('no memory ', 10000), notify => true)});
		$states{ $s->state }++;
		system_or_bail('prlimit', '--pid', $s->pid, '--as=unlimited:');
		is($s->query(q{SELECT 'alive'}), 'alive', "a session survives $kilobytes kB") or last;
		$s->close;
		$kilobytes += 32;
		$steps++;
	}
	note(join(', ', map { "$_: $states{$_}" } sort keys %states));
	cmp_ok($states{'53200'}, '>', 5, 'memory ended in the middle of calls');
	is(join(' ', sort keys %states), '00000 53200', 'and in no other way');
	is($node->safe_psql('ledger', q{SELECT count(*) - 1 FROM transaction JOIN account USING (account_id) WHERE owner = 'short of memory'}),
		$states{'00000'}, 'what failed left nothing behind');
}
books_are_sound($node, 'ledger', 'short of memory');

# --- a ledger dropped and made anew ------------------------------------------------------------------------

make_ledger($node, 'anew', q{SELECT store_credit_credit('o', '10.00 USD')});
my $s = session($node, 'anew');
my $both = q{
	SELECT balance_after FROM store_credit_debit('o', '1.00 USD', notify => true);
	SET storecredit.fast_path = off;
	SELECT balance_after FROM store_credit_debit('o', '1.00 USD');
	SET storecredit.fast_path = on};
is($s->query($both), "9.00 USD\n8.00 USD", 'both stores were used');
my $drop = 'DROP VIEW liability, roll_forward, aging, cohort, redemption; DROP TABLE account, transaction, open_credit, hold, currency_limit, refund_bonus, notification, posting, reminder, worker_status, spree_violation, spree_expiry, spree_expiry_rule, spree_expired, spree_imported, spree_quarantine CASCADE';
$s->query("BEGIN; $drop; SELECT create_ledger(); SELECT store_credit_credit('o', '100.00 USD')");
is($s->query($both), "99.00 USD\n98.00 USD", 'a ledger made in the transaction that dropped another one');
$s->query('ROLLBACK');
is($s->query($both), "7.00 USD\n6.00 USD", 'and the old one, when that was undone');
$s->query($drop);
is($s->state_of(q{SELECT store_credit_debit('o', '1.00 USD')}), '42P01', 'no ledger');
like($s->error, qr/HINT:  Make it with SELECT storecredit.create_ledger\(\)/, 'is told');
$s->query(q{SELECT create_ledger(); SELECT store_credit_credit('o', '50.00 USD')});
is($s->query($both), "49.00 USD\n48.00 USD", 'a new ledger');
$s->query(q{DROP EXTENSION storecredit CASCADE; DROP TABLE account, transaction, open_credit, hold, currency_limit, refund_bonus, notification, posting, reminder, worker_status, spree_violation, spree_expiry, spree_expiry_rule, spree_expired, spree_imported, spree_quarantine CASCADE});
$s->query(q{DROP EXTENSION IF EXISTS storecredit CASCADE; DROP SCHEMA IF EXISTS storecredit CASCADE; CREATE EXTENSION storecredit; SELECT create_ledger();
	SELECT store_credit_credit('o', '20.00 USD')});
is($s->query($both), "19.00 USD\n18.00 USD", 'a new extension, and its ledger');
$s->close;
books_are_sound($node, 'anew', 'made anew');

$node->stop;
done_testing();
