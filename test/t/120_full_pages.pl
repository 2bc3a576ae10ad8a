# Pages without room.  A new version of a row that finds none on its page goes
# to another one, and then every index must learn of it.  Each story makes that
# happen, and proves that it did by what the server counted.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Ledger;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_server('main', 'autovacuum = off');

# Tables packed to the brim.
my $packed = q{
	ALTER TABLE account SET (fillfactor = 100);
	ALTER TABLE open_credit SET (fillfactor = 100);
	};

# A ledger with many accounts, whose owners are of many lengths, and two
# credits in each.
sub make_packed_ledger
{
	my ($database, @statements) = @_;
	make_ledger($node, $database, $packed, @statements, q{
		SELECT count(store_credit_credit('owner ' || n || repeat('x', n % 53), '10.00 USD')) FROM generate_series(1, 2000) AS n;
		SELECT count(store_credit_credit(n, '10.00 USD', now() + n * interval '1 day')) FROM generate_series(1, 2000) AS n;
		VACUUM FULL account;
		VACUUM FULL open_credit;
		});
	return;
}

# Updates of a table that were not HOT, so far.
sub moved
{
	my ($database, $table) = @_;
	return $node->safe_psql($database, qq{
		SELECT pg_stat_force_next_flush();
		SELECT n_tup_upd - n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = '$table'}) =~ s/\n//r;
}

# Debits each account twice, the second time from both of its credits.
my $debits = q{
	SELECT count(store_credit_debit(account_id, '1.00 USD')) FROM account;
	SELECT count(store_credit_debit(account_id, '9.50 USD')) FROM account;
	};

sub pages_of
{
	my ($database, $table) = @_;
	return $node->safe_psql($database, "SELECT pg_relation_size('$table') / current_setting('block_size')::integer");
}

# --- full pages --------------------------------------------------------------

make_packed_ledger('packed');
is(store_that_serves($node, 'packed', q{store_credit_debit(1, '1.00 USD')}), 'fast', 'the fast store serves packed tables');
$node->safe_psql('packed', $debits);
cmp_ok(moved('packed', 'account'), '>', 1000, 'accounts moved to other pages');
cmp_ok(moved('packed', 'open_credit'), '>', 1000, 'open credits moved to other pages');
is($node->safe_psql('packed', q{SELECT balance, count(*) FROM account GROUP BY 1 ORDER BY 2}),
	'9.50 USD|2000', 'each account was debited once a call');
books_are_sound($node, 'packed', 'full pages');

# --- a snapshot that keeps every old version -----------------------------------

make_ledger($node, 'kept', q{SELECT count(store_credit_credit('owner ' || n, '1000.00 USD')) FROM generate_series(1, 20) AS n});
my $reader = session($node, 'kept');
$reader->query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM account');
$node->safe_psql('kept', q{
	DO $$ BEGIN
		FOR i IN 1 .. 5000 LOOP
			PERFORM store_credit_debit('owner ' || 1 + i % 20, '0.01 USD');
			IF i % 10 = 0 THEN COMMIT; END IF;
		END LOOP;
	END $$});
cmp_ok(moved('kept', 'account'), '>', 50, 'no old version was pruned, so accounts moved');
cmp_ok(moved('kept', 'open_credit'), '>', 20, 'and open credits');
is($reader->query(q{SELECT sum(balance), sum(remaining) FROM account JOIN open_credit USING (account_id)}),
	'20000.00 USD|20000.00 USD', 'who began before the debits sees nothing of them');
is($reader->query(q{SELECT store_credit_balance('owner 7', 'USD')}), '1000.00 USD', 'the balance is as old as the snapshot');
is($reader->state_of(q{SELECT store_credit_debit('owner 7', '1.00 USD')}), '40001', 'but cannot be spent');
$reader->close;
is($node->safe_psql('kept', q{SELECT sum(balance) FROM account}), '19950.00 USD', 'all debits are there');
books_are_sound($node, 'kept', 'old versions kept');

# --- pages that cannot be pruned because they are in use -------------------------

# The scan of the accounts has the page pinned on which they are debited.
make_ledger($node, 'pinned', $packed,
	q{SELECT count(store_credit_credit('owner ' || n, '1000.00 USD')) FROM generate_series(1, 60) AS n});
$node->safe_psql('pinned', q{
	DO $$
	DECLARE
		a record;
	BEGIN
		FOR i IN 1 .. 20 LOOP
			FOR a IN SELECT account_id FROM account LOOP
				PERFORM store_credit_debit(a.account_id, '1.00 USD');
				PERFORM store_credit_debit(account_id, '1.00 USD') FROM open_credit WHERE open_credit.account_id = a.account_id;
			END LOOP;
			COMMIT;
		END LOOP;
	END $$});
is($node->safe_psql('pinned', q{SELECT balance, count(*) FROM account GROUP BY 1}), '960.00 USD|60', 'each account was debited 40 times');
cmp_ok(moved('pinned', 'account'), '>', 50, 'a page in use is not pruned, so accounts moved');
books_are_sound($node, 'pinned', 'pages in use');

# --- rows of other lengths move about on the page when it is pruned ---------------

make_ledger($node, 'lengths',
	q{SELECT count(store_credit_credit('o' || n || repeat('x', n * 37 % 200), '1000.00 USD')) FROM generate_series(1, 30) AS n},
	q{SELECT store_credit_set_account_limits(account_id, '5000 USD') FROM account WHERE account_id % 3 = 0});
$node->safe_psql('lengths', q{
	DO $$ BEGIN
		FOR i IN 1 .. 9000 LOOP
			PERFORM store_credit_debit(1 + i * 7 % 30, '0.01 USD');
			IF i % 3 = 0 THEN COMMIT; END IF;
		END LOOP;
	END $$});
is($node->safe_psql('lengths', q{SELECT balance, count(*) FROM account GROUP BY 1}), '997.00 USD|30', 'every debit met its account');
is($node->safe_psql('lengths', q{
		SELECT count(*) FROM account
		WHERE owner <> 'o' || account_id || repeat('x', (account_id * 37 % 200)::integer)
			OR max_balance IS DISTINCT FROM CASE WHEN account_id % 3 = 0 THEN '5000 USD'::money_ccy END}),
	'0', 'and left the rest of its row as it was');
cmp_ok($node->safe_psql('lengths', q{SELECT pg_relation_size('account')}), '<', 100_000, 'old versions were pruned');
books_are_sound($node, 'lengths', 'rows of other lengths');

# --- a user's indexes -------------------------------------------------------------

make_packed_ledger('indexed', q{
	CREATE INDEX by_balance ON account (balance);
	CREATE INDEX by_place ON account (last_seq DESC, owner) INCLUDE (balance);
	CREATE INDEX by_remaining ON open_credit (remaining, account_id);
	CREATE INDEX by_time ON transaction (created_at) INCLUDE (kind);
	CREATE UNIQUE INDEX by_reference ON transaction (reference) WHERE reference IS NOT NULL;
	CREATE INDEX by_memo ON transaction (memo text_pattern_ops);
	});
is(store_that_serves($node, 'indexed', q{store_credit_debit(1, '1.00 USD', reference => 'R-1', memo => 'a test')}), 'fast',
	'the fast store keeps plain indexes of users');
$node->safe_psql('indexed', q{SELECT store_credit_debit(1, '1.00 USD', reference => 'R-1', memo => 'a test')});
my $before = moved('indexed', 'account');
$node->safe_psql('indexed', $debits);
is(moved('indexed', 'account') - $before, '4000', 'with an index on the balance no update is HOT');
is( $node->safe_psql('indexed', q{
		SET enable_seqscan = off;
		SELECT count(*) FROM account WHERE balance = '9.50 USD';
		SELECT count(*) FROM open_credit WHERE remaining = '9.50 USD';
		SELECT account_id, seq, kind FROM transaction WHERE reference = 'R-1';
		SELECT account_id, seq, kind FROM transaction WHERE memo = 'a test'}),
	"1999\n1999\n1|3|debit\n1|3|debit", 'the users\' indexes lead to the rows');
my (undef, undef, $error) =
  $node->psql('indexed', q{SELECT store_credit_debit(2, '1.00 USD', reference => 'R-1')});
like($error, qr/duplicate key value violates unique constraint "by_reference"/, 'and refuse what they are there to refuse');
books_are_sound($node, 'indexed', 'users\' indexes');

# --- index pages split -------------------------------------------------------------

# One long history, and many credits of one account in no order of expiry.
make_ledger($node, 'splits', q{SELECT store_credit_credit('o', '1.00 USD')});
my %pages = map { $_ => pages_of('splits', $_) } qw(transaction_pkey transaction_idempotency_key open_credit_pkey);
$node->safe_psql('splits', q{
	SELECT count(store_credit_credit('o', '1.00 USD', now() + (n * 7919 % 4000 + 1) * interval '1 hour', idempotency_key => 'credit ' || md5(n::text)))
	FROM generate_series(1, 4000) AS n;
	SELECT count(store_credit_credit(md5(n::text), '1.00 USD')) FROM generate_series(1, 1000) AS n;
	SELECT store_credit_debit('o', '3000.50 USD');
	});
foreach my $index (sort keys %pages)
{
	cmp_ok(pages_of('splits', $index), '>', $pages{$index} + 5, "pages of $index split");
}
is( $node->safe_psql('splits', q{
		SELECT cardinality(draws) / 2 FROM transaction WHERE kind = 'debit';
		SELECT count(*), min(remaining), sum(remaining) FROM open_credit WHERE account_id = 1;
		SELECT bool_and(t.expires_at < o.least)
		FROM (SELECT min(expires_at) FROM open_credit WHERE account_id = 1 AND remaining = '1.00 USD') AS o (least),
			allocation AS a JOIN transaction AS t ON (t.account_id, t.seq) = (a.account_id, a.credit_seq)}),
	"3001\n1001|0.50 USD|1000.50 USD\nt", 'a debit draws on 3001 credits, those that expire first');
books_are_sound($node, 'splits', 'split pages');

# --- values out of line ---------------------------------------------------------------

make_ledger($node, 'toasted', q{
	ALTER TABLE account ADD COLUMN note text;
	ALTER TABLE transaction ALTER COLUMN metadata SET STORAGE EXTERNAL;
	SELECT store_credit_credit('o', '1000.00 USD');
	UPDATE account SET note = (SELECT string_agg(md5(n::text), '') FROM generate_series(1, 1000) AS n);
	});
is(store_that_serves($node, 'toasted', q{store_credit_debit('o', '1.00 USD')}), 'fast', 'a user\'s column may be out of line');
$node->safe_psql('toasted', q{
	SELECT count(store_credit_debit('o', '1.00 USD', memo => repeat(md5(n::text), 1000),
		metadata => jsonb_build_object('n', n, 'text', repeat(md5(n::text), 100)), idempotency_key => 'key ' || n))
	FROM generate_series(1, 30) AS n;
	SELECT store_credit_debit('o', '1.00 USD', memo => repeat('ü', 524288), metadata => jsonb_agg(md5(n::text)))
	FROM generate_series(1, 30000) AS n;
	SELECT store_credit_account_debit('o', jsonb_build_object('debitAmount', '1.00 USD'::money_ccy::jsonb, 'memo', repeat('m', 1000000)));
	});
is( $node->safe_psql('toasted', q{
		SELECT octet_length(memo), jsonb_array_length(metadata) FROM transaction WHERE jsonb_typeof(metadata) = 'array';
		SELECT count(*) FROM transaction AS t WHERE metadata ->> 'text' = repeat(md5(metadata ->> 'n'), 100)
			AND memo = repeat(md5(metadata ->> 'n'), 1000);
		SELECT md5(note) = md5((SELECT string_agg(md5(n::text), '') FROM generate_series(1, 1000) AS n)) FROM account;
		SELECT max(length(memo)) FROM transaction;
		SELECT pg_relation_size(reltoastrelid) > 1000000 FROM pg_class WHERE oid = 'transaction'::regclass}),
	"1048576|30000\n30\nt\n1000000\nt", 'memos and metadata of a megabyte come back as they were');
is( $node->safe_psql('toasted', q{
		SELECT t.seq, length(t.memo), length(t.metadata ->> 'text')
		FROM store_credit_debit('o', '1.00 USD', memo => repeat(md5('7'), 1000),
			metadata => jsonb_build_object('n', 7, 'text', repeat(md5('7'), 100)), idempotency_key => 'key 7') AS t}),
	'8|32000|3200', 'and so does their replay');

# What a call is given may itself be out of line, and its row may be on its way out.
$node->safe_psql('toasted', q{
	CREATE TABLE note (memo text, metadata jsonb);
	INSERT INTO note SELECT memo, metadata FROM transaction WHERE idempotency_key = 'key 3';
	WITH gone AS (DELETE FROM note RETURNING memo, metadata)
	SELECT t.seq FROM gone, store_credit_debit('o', '1.00 USD', memo => gone.memo, metadata => gone.metadata, idempotency_key => 'moved') AS t;
	VACUUM note;
	});
is( $node->safe_psql('toasted', q{
		SELECT count(DISTINCT (memo, metadata)) FROM transaction WHERE idempotency_key IN ('key 3', 'moved')}),
	'1', 'what comes from another table\'s row out of line is the transaction\'s own');
books_are_sound($node, 'toasted', 'values out of line');

$node->stop;
done_testing();
