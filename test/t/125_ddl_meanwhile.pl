# The tables change their definition while clients work, through both stores.
# No client may see an error of it, and what is new must be complete: an index
# has every row, a trigger fires for each.

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
	SELECT count(store_credit_credit('owner ' || n, '1000.00 USD')) FROM generate_series(1, 50) AS n;
	CREATE TABLE closed ();
	CREATE TABLE noticed (seq bigint);
	CREATE TABLE counted (n bigint);
	CREATE FUNCTION notice() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO noticed VALUES (NEW.seq); RETURN NEW; END $$;
	CREATE ROLE keeper;
	GRANT USAGE ON SCHEMA storecredit TO keeper;

	-- Takes and gives until the shop is closed; answers how many calls that were.
	CREATE PROCEDURE trade(OUT calls bigint) LANGUAGE plpgsql AS $$
	DECLARE
		owner text;
		n bigint;
	BEGIN
		calls := 0;
		LOOP
			owner := 'owner ' || 1 + trunc(random() * 50);
			PERFORM store_credit_debit(owner, '1.50 USD', idempotency_key => gen_random_uuid()::text);
			COMMIT;
			PERFORM store_credit_credit(owner, '0.75 USD', clock_timestamp() + (1 + random()) * interval '1 day'), store_credit_credit(owner, '0.75 USD');
			COMMIT;
			calls := calls + 3;
			SELECT count(*) INTO n FROM closed;
			EXIT WHEN n > 0;
		END LOOP;
	END $$});

my @clients = map { session($node, 'ledger') } 1 .. 4;
$clients[$_]->query('SET storecredit.fast_path = ' . ($_ < 3 ? 'on' : 'off')) foreach 0 .. 3;
$_->send('CALL trade(NULL)') foreach @clients;

my $calls = 'SELECT count(*) FROM transaction';

# Lets the clients work for a while before and after.
sub meanwhile
{
	my ($story, @statements) = @_;
	my $enough = $node->safe_psql('ledger', $calls) + 100;
	$node->poll_query_until('ledger', "SELECT ($calls) > $enough") or die 'the clients have stopped';
	foreach my $statement (@statements)
	{
		$node->safe_psql('ledger', $statement);
	}
	$enough = $node->safe_psql('ledger', $calls) + 100;
	$node->poll_query_until('ledger', "SELECT ($calls) > $enough") or die 'the clients have stopped';
	books_are_sound($node, 'ledger', $story);
	return;
}

meanwhile('a column added', 'ALTER TABLE account ADD added integer DEFAULT 7');
meanwhile('a column added that rewrites the table', 'ALTER TABLE account ADD stamped timestamptz DEFAULT clock_timestamp()');
meanwhile('columns dropped', 'ALTER TABLE account DROP added', 'ALTER TABLE account DROP stamped');
meanwhile('an index made', 'CREATE INDEX made ON account (balance)');
meanwhile('indexes made concurrently', 'CREATE INDEX CONCURRENTLY made_too ON transaction (created_at) INCLUDE (kind)',
	'CREATE INDEX CONCURRENTLY made_three ON open_credit (remaining)', 'CREATE UNIQUE INDEX CONCURRENTLY made_four ON transaction (account_id, seq DESC)');
is($node->safe_psql('ledger', q{SET enable_seqscan = off; SELECT count(*) FROM transaction WHERE created_at > '2000-01-01' AND kind IS NULL}), '0',
	'they can be used');
meanwhile('indexes rebuilt concurrently', map { "REINDEX INDEX CONCURRENTLY $_" } qw(account_pkey account_owner_currency_key open_credit_pkey transaction_pkey transaction_idempotency_key made));
meanwhile('indexes dropped', 'DROP INDEX made', 'DROP INDEX CONCURRENTLY made_too', 'DROP INDEX CONCURRENTLY made_three', 'DROP INDEX made_four');
meanwhile('an index of an expression, and no more', 'CREATE INDEX CONCURRENTLY made ON transaction ((memo || reference))', 'DROP INDEX CONCURRENTLY made');
meanwhile('tables written anew', 'VACUUM FULL account', 'VACUUM FULL open_credit', 'VACUUM FULL transaction', 'CLUSTER open_credit USING open_credit_pkey');
meanwhile('tables vacuumed', 'VACUUM (FREEZE, ANALYZE) account, open_credit, transaction', 'ALTER TABLE account SET (fillfactor = 70)', 'VACUUM account');
# Nobody writes between such a statement and the count beside it.
my $count = 'INSERT INTO counted SELECT count(*) FROM transaction; COMMIT';
meanwhile('a trigger made', "BEGIN; CREATE TRIGGER notice AFTER INSERT ON transaction FOR EACH ROW EXECUTE FUNCTION notice(); $count");
meanwhile('and dropped', "BEGIN; DROP TRIGGER notice ON transaction; $count");
is($node->safe_psql('ledger', 'SELECT max(n) - min(n) = (SELECT count(*) FROM noticed) FROM counted'), 't', 'it fired for each row');
meanwhile('a CHECK made, and dropped', 'ALTER TABLE transaction ADD CONSTRAINT made CHECK (memo IS NULL)', 'ALTER TABLE transaction DROP CONSTRAINT made');
meanwhile('who refers to accounts', 'CREATE TABLE customer (account_id bigint REFERENCES account)', 'INSERT INTO customer SELECT account_id FROM account', 'DROP TABLE customer');
meanwhile('another owner', q{
	DO $$ DECLARE t regclass; BEGIN
		FOR t IN SELECT oid FROM pg_class WHERE relnamespace = 'storecredit'::regnamespace AND relname IN ('account', 'transaction', 'open_credit', 'hold', 'currency_limit', 'notification') ORDER BY relname LOOP
			EXECUTE format('ALTER TABLE %s OWNER TO keeper', t);
		END LOOP;
	END $$});
meanwhile('limits set', q{SELECT store_credit_set_limit('USD', '100000.00 USD')}, q{SELECT store_credit_set_limit('USD')});
my (undef, undef, $refused) = $node->psql('ledger', 'TRUNCATE transaction');
like($refused, qr/table "transaction" cannot be truncated/, 'a TRUNCATE is refused');
meanwhile('nothing truncated');

$node->safe_psql('ledger', 'ALTER TABLE closed ADD n integer; INSERT INTO closed VALUES (1)');
my $made = 50;
foreach my $client (@clients)
{
	$made += $client->answer;
	is($client->state, '00000', 'a client saw nothing of it') or diag($client->error);
	$client->close;
}
is($node->safe_psql('ledger', $calls), $made, 'every call is there once');
is($node->safe_psql('ledger', 'SELECT sum(balance) FROM account'), '50000.00 USD', 'and all the money');

$node->stop;
done_testing();
