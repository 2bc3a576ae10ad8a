# Many clients at once on a few accounts, through both stores at the same time.
# None of them sees an error, the books are sound, and the money is what the
# clients were told, to the cent.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use IPC::Run;
use Ledger;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seconds = $ENV{LEDGER_CONCURRENCY_SECONDS} || 6;
my $node = start_server('main', 'autovacuum_naptime = 1s', 'default_statistics_target = 10');
my $folder = $PostgreSQL::Test::Utils::tmp_check;
my @running;

# Starts pgbench with the given clients and scripts, each "weight => script".
sub start_clients
{
	my ($database, $fast_path, $clients, $options, @scripts) = @_;
	my @files;
	my $name = "$database." . scalar(@running);
	while (my ($weight, $script) = splice(@scripts, 0, 2))
	{
		my $file = "$folder/$name." . scalar(@files);
		unlink($file);
		append_to_file($file, $script =~ s/^\t+//gmr);
		push @files, '-f', "$file\@$weight";
	}
	my $run = { out => "$folder/$name.out", err => "$folder/$name.err" };
	local $ENV{PGOPTIONS} = "-c storecredit.fast_path=$fast_path";
	$$run{pgbench} = IPC::Run::start(
		[ 'pgbench', '-n', '-M', 'prepared', '-c', $clients, '-j', 2, '-T', $seconds, @$options, @files, $node->connstr($database) ],
		'>', $$run{out}, '2>', $$run{err});
	push @running, $run;
	return;
}

# Waits for all clients that were started; one test.
sub clients_went_well
{
	my ($story) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my ($bad, $calls) = ('', 0);
	foreach my $run (splice(@running))
	{
		$$run{pgbench}->finish or $bad .= "pgbench failed\n";
		$bad .= join('', grep { /error|aborted|fatal|panic/i } split /^/m, slurp_file($$run{err}));
		my $out = slurp_file($$run{out});
		$calls += $1 if $out =~ /number of transactions actually processed: (\d+)/;
		$bad .= "no transaction succeeded\n$out" if $out !~ /number of transactions actually processed: [1-9]/;
	}
	note("$story: $calls transactions");
	return is($bad, '', "$story: no client saw an error");
}

# --- a few accounts -----------------------------------------------------------

make_ledger($node, 'few', q{
	CREATE TABLE told (amount numeric NOT NULL);
	CREATE TABLE told_by_key (key text PRIMARY KEY, amount numeric NOT NULL);
	SELECT count(store_credit_credit('owner ' || n, '20.00 USD')) FROM generate_series(1, 5) AS n;
	});

# The twins tell of a refusal without an error.
my $debit = q{
	\set owner random(1, 5)
	\set cents random(1, 900)
	SELECT coalesce(a #>> '{storeCreditAccountTransaction,amount,amount}', '0') AS amount
	FROM store_credit_account_debit('owner ' || :owner, jsonb_build_object('debitAmount', jsonb_build_object('amount', :cents / 100.0, 'currencyCode', 'USD'))) AS a \gset
	INSERT INTO told VALUES (:amount::numeric);
	};
my $partial = q{
	\set owner random(1, 5)
	SELECT coalesce(a #>> '{storeCreditAccountTransaction,amount,amount}', '0') AS amount
	FROM store_credit_account_debit('owner ' || :owner, '{"debitAmount": {"amount": "30.00", "currencyCode": "USD"}, "allowPartial": true}') AS a \gset
	INSERT INTO told VALUES (:amount::numeric);
	};
my $credit = q{
	\set owner random(1, 5)
	\set cents random(1, 900)
	\set milliseconds random(1, 300)
	SELECT coalesce(a #>> '{storeCreditAccountTransaction,amount,amount}', '0') AS amount
	FROM store_credit_account_credit('owner ' || :owner, jsonb_build_object('creditAmount', jsonb_build_object('amount', :cents / 100.0, 'currencyCode', 'USD'),
		'expiresAt', clock_timestamp() + :milliseconds * interval '1 ms')) AS a \gset
	INSERT INTO told VALUES (:amount::numeric);
	};
my $forever = q{
	\set owner random(1, 5)
	\set cents random(1, 500)
	SELECT money_ccy_amount(amount) AS amount FROM store_credit_credit('owner ' || :owner, money_ccy_from_minor(:cents, 'USD')) \gset
	INSERT INTO told VALUES (:amount);
	};
# The same key from many clients, again and again: the same answer.
my $by_key = q{
	\set owner random(1, 5)
	\set key random(1, 200)
	SELECT money_ccy_amount(amount) AS amount
	FROM store_credit_credit('owner ' || :owner, money_ccy_from_minor(:key, 'USD'), idempotency_key => 'key ' || :key) \gset
	INSERT INTO told_by_key VALUES (:owner || ' ' || :key, :amount) ON CONFLICT DO NOTHING;
	};
# Several calls for one account in a transaction, one of which is taken back.
my $together = q{
	\set owner random(1, 5)
	\set cents random(1, 300)
	BEGIN;
	SELECT money_ccy_amount(amount) AS given FROM store_credit_credit('owner ' || :owner, money_ccy_from_minor(:cents, 'USD')) \gset
	SAVEPOINT s;
	SELECT FROM store_credit_debit('owner ' || :owner, money_ccy_from_minor(:cents, 'USD'), allow_partial => true);
	ROLLBACK TO s;
	SELECT money_ccy_amount(amount) AS taken FROM store_credit_debit('owner ' || :owner, money_ccy_from_minor(:cents, 'USD'), allow_partial => true) \gset
	COMMIT;
	INSERT INTO told VALUES (:given), (:taken);
	};
my $roll_back = q{
	\set owner random(1, 5)
	BEGIN;
	SELECT FROM store_credit_credit('owner ' || :owner, '50.00 USD');
	SELECT FROM store_credit_debit('owner ' || :owner, '50.00 USD', allow_partial => true);
	ROLLBACK;
	};
my $limits = q{
	\set limit random(100000, 200000)
	SELECT store_credit_set_limit('USD', money_ccy_from_minor(:limit, 'USD'));
	SELECT store_credit_set_account_limits(1, money_ccy_from_minor(:limit, 'USD'));
	\sleep 100 ms
	};
my $balances = q{
	\set owner random(1, 5)
	SELECT store_credit_balance('owner ' || :owner, 'USD');
	SELECT count(*) FROM balance WHERE available < '0 USD';
	};
my @all = (4 => $debit, 1 => $partial, 6 => $credit, 3 => $forever, 2 => $by_key, 2 => $together, 1 => $roll_back, 1 => $balances);
start_clients('few', 'on', 8, [], @all);
start_clients('few', 'off', 4, [], @all);
start_clients('few', 'on', 1, [], 1 => $limits);
clients_went_well('12 clients on 5 accounts, through both stores');
books_are_sound($node, 'few', '12 clients on 5 accounts');
is( $node->safe_psql('few', q{
		SELECT (SELECT sum(money_ccy_amount(balance)) FROM account)
			- (SELECT sum(money_ccy_amount(amount)) FROM transaction WHERE kind = 'expiration')
			- 100 - (SELECT sum(amount) FROM told) - (SELECT sum(amount) FROM told_by_key)}),
	'0.00', 'the balances are what the clients were told');
is($node->safe_psql('few', q{SELECT count(*) FROM transaction WHERE idempotency_key IS NOT NULL}),
	$node->safe_psql('few', 'SELECT count(*) FROM told_by_key'), 'every key is there once');
is($node->safe_psql('few', q{SELECT count(*) > 10, bool_and(created_at >= expires_at) FROM transaction WHERE kind = 'expiration'}), 't|t',
	'credits expired meanwhile, none too early');
is( $node->safe_psql('few', q{SELECT count(*) FROM allocation AS a
		JOIN transaction AS d ON (d.account_id, d.seq) = (a.account_id, a.debit_seq)
		JOIN transaction AS c ON (c.account_id, c.seq) = (a.account_id, a.credit_seq)
		WHERE c.expires_at <= d.created_at}),
	'0', 'and nothing was spent after its expiry');

# --- one hot account ---------------------------------------------------------------

make_ledger($node, 'hot', q{SELECT store_credit_credit('o', '1000000.00 USD')});
my $hot = q{SELECT FROM store_credit_debit('o', '0.01 USD');};
start_clients('hot', 'on', 16, [], 1 => $hot);
start_clients('hot', 'off', 4, [], 1 => $hot);
clients_went_well('20 clients on one account');
books_are_sound($node, 'hot', '20 clients on one account');
is($node->safe_psql('hot', q{SELECT balance = '1000000.00 USD'::money_ccy - (last_seq - 1) * '0.01 USD'::money_ccy FROM account}), 't', 'each of the debits is there');

# --- first credits -------------------------------------------------------------------

make_ledger($node, 'new');
my $first = q{
	\set owner random(1, 3000)
	SELECT FROM store_credit_credit('owner ' || :owner, '1.00 USD');
	};
start_clients('new', 'on', 8, [], 1 => $first);
start_clients('new', 'off', 8, [], 1 => $first);
clients_went_well('16 clients with new owners');
books_are_sound($node, 'new', 'new owners');
is($node->safe_psql('new', q{SELECT count(*) FROM (SELECT FROM account GROUP BY owner HAVING count(*) > 1) AS twice}), '0', 'an owner has one account');

# --- serializable ------------------------------------------------------------------------

# Moves money between two accounts so that their sum stays as it is, and checks that it is so before.
make_ledger($node, 'serial', q{
	SELECT count(store_credit_credit('owner ' || n, '1000.00 USD')) FROM generate_series(1, 6) AS n;
	CREATE FUNCTION move(one integer, two integer) RETURNS void LANGUAGE plpgsql AS $$
	DECLARE
		total money_ccy := (SELECT sum(store_credit_balance('owner ' || n, 'USD')) FROM generate_series(1, 6) AS n);
		moved money_ccy;
	BEGIN
		IF total <> '6000.00 USD' THEN
			RAISE EXCEPTION 'the accounts have % together', total;
		END IF;
		moved := (store_credit_debit('owner ' || one, '1.00 USD', allow_partial => true)).amount;
		PERFORM store_credit_credit('owner ' || two, -moved);
	END $$;
	});
my $move = q{
	\set one random(1, 6)
	\set two 1 + (:one + random(0, 4)) % 6
	BEGIN ISOLATION LEVEL SERIALIZABLE;
	SELECT move(:one, :two);
	COMMIT;
	};
start_clients('serial', 'on', 4, [ '--max-tries=100000' ], 1 => $move);
start_clients('serial', 'off', 2, [ '--max-tries=100000' ], 1 => $move);
clients_went_well('6 serializable clients');
books_are_sound($node, 'serial', 'serializable clients');
is($node->safe_psql('serial', 'SELECT sum(balance) FROM account'), '6000.00 USD', 'no money came or went');

unlike(slurp_file($node->logfile), qr/terminated by signal|PANIC|unexpected result/, 'nothing happened that cannot happen');
$node->stop;
done_testing();
