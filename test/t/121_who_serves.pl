# Which tables the fast store may serve.  Whatever a user has put on the
# ledger's tables must have its say: where the fast store does not know it, the
# plain one serves, also in a session that was served by the fast one before.

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
	SELECT store_credit_credit('o', '1000.00 USD', memo => 'given'),
		store_credit_credit('o', '1000.00 USD', now() + interval '1 day', memo => 'given, too');
	CREATE TABLE noticed (what text);
	CREATE FUNCTION notice() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		INSERT INTO noticed VALUES (concat_ws(' ', TG_WHEN, TG_OP, TG_TABLE_NAME, TG_LEVEL));
		RETURN NEW;
	END $$;
	CREATE FUNCTION suppress() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
	});

my $debit = q{store_credit_debit('o', '1.00 USD', memo => 'taken')};
my $witness = session($node, 'ledger');
is($witness->query(store_query($debit)), 'fast', 'the fast store serves the tables of create_ledger()');

# Does something to the tables, sees who serves, undoes it, and sees again.
sub serves
{
	my ($expected, $what, $done, $undone) = @_;
	$node->safe_psql('ledger', $done);
	is($witness->query(store_query($debit)), $expected, "$what: the $expected store serves");
	$node->safe_psql('ledger', "SELECT $debit") if $what =~ /index|column/;
	$node->safe_psql('ledger', $undone);
	is($witness->query(store_query($debit)), 'fast', "$what: the fast store serves again") if $expected eq 'plain';
	return;
}

my $indexes = join('', map { "CREATE INDEX many_$_ ON transaction (created_at);" } 1 .. 8);
my $no_indexes = 'DROP INDEX ' . join(', ', map { "many_$_" } 1 .. 8);

foreach my $case (
	# what the fast store keeps by itself
	[ 'fast', 'an index', 'CREATE INDEX x ON account (balance)', 'DROP INDEX x' ],
	[ 'fast', 'an index concurrently', 'CREATE INDEX CONCURRENTLY x ON open_credit (seq)', 'DROP INDEX CONCURRENTLY x' ],
	[ 'fast', 'an index of what is not null', 'CREATE INDEX x ON transaction (created_at) INCLUDE (memo) WHERE memo IS NOT NULL', 'DROP INDEX x' ],
	[ 'fast', 'an index of what ends', q{CREATE INDEX x ON transaction (expires_at) WHERE expires_at < 'infinity'}, 'DROP INDEX x' ],
	[ 'fast', 'a column of account', 'ALTER TABLE account ADD x integer', 'ALTER TABLE account DROP x' ],
	[ 'fast', 'a column of account that had no value', 'ALTER TABLE account ADD x text NOT NULL DEFAULT $$filled$$', 'ALTER TABLE account DROP x' ],
	[ 'fast', 'who refers to accounts', 'CREATE TABLE customer (account_id bigint REFERENCES account)', 'DROP TABLE customer' ],
	[ 'fast', 'row-level security for others', 'ALTER TABLE account ENABLE ROW LEVEL SECURITY', 'ALTER TABLE account DISABLE ROW LEVEL SECURITY' ],
	[ 'fast', 'a publication', 'CREATE PUBLICATION x FOR ALL TABLES', 'DROP PUBLICATION x' ],
	[ 'fast', 'statistics', 'CREATE STATISTICS x ON kind, amount FROM transaction; ANALYZE', 'DROP STATISTICS x' ],
	[ 'fast', 'a trigger of the outbox', 'CREATE TRIGGER x BEFORE INSERT ON notification FOR EACH ROW EXECUTE FUNCTION notice()', 'DROP TRIGGER x ON notification' ],
	# what it does not
	(map { [ 'plain', "a trigger before each row of $_", "CREATE TRIGGER x BEFORE INSERT OR UPDATE ON $_ FOR EACH ROW EXECUTE FUNCTION notice()", "DROP TRIGGER x ON $_" ] }
		qw(account transaction open_credit)),
	(map { [ 'plain', "a trigger after each statement on $_", "CREATE TRIGGER x AFTER INSERT OR UPDATE OR DELETE ON $_ EXECUTE FUNCTION notice()", "DROP TRIGGER x ON $_" ] }
		qw(account transaction open_credit)),
	[ 'plain', 'a constraint trigger', 'CREATE CONSTRAINT TRIGGER x AFTER INSERT ON transaction DEFERRABLE FOR EACH ROW EXECUTE FUNCTION notice()', 'DROP TRIGGER x ON transaction' ],
	[ 'plain', 'a rule', 'CREATE RULE x AS ON INSERT TO transaction DO ALSO NOTIFY written', 'DROP RULE x ON transaction; VACUUM transaction' ],
	[ 'plain', 'row-level security for all', 'ALTER TABLE account ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY',
		'ALTER TABLE account DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY' ],
	[ 'plain', 'a CHECK', q{ALTER TABLE transaction ADD CONSTRAINT x CHECK (memo <> 'x')}, 'ALTER TABLE transaction DROP CONSTRAINT x' ],
	[ 'plain', 'a NOT NULL', 'ALTER TABLE transaction ALTER memo SET NOT NULL', 'ALTER TABLE transaction ALTER memo DROP NOT NULL' ],
	[ 'plain', 'a foreign key of the history', 'ALTER TABLE transaction ADD CONSTRAINT x FOREIGN KEY (account_id) REFERENCES account', 'ALTER TABLE transaction DROP CONSTRAINT x' ],
	[ 'plain', 'a generated column', 'ALTER TABLE account ADD x bigint GENERATED ALWAYS AS (money_ccy_to_minor(balance)) STORED', 'ALTER TABLE account DROP x' ],
	[ 'plain', 'an index of an expression', 'CREATE INDEX x ON account (lower(owner))', 'DROP INDEX x' ],
	[ 'plain', 'an index of some rows', q{CREATE INDEX x ON transaction (created_at) WHERE kind = 'debit'}, 'DROP INDEX x' ],
	[ 'plain', 'an index of rows that end before a time', q{CREATE INDEX x ON open_credit (account_id) WHERE expires_at < '2100-01-01Z'}, 'DROP INDEX x' ],
	[ 'plain', 'a GIN index', 'CREATE INDEX x ON transaction USING gin (metadata)', 'DROP INDEX x' ],
	[ 'plain', 'a BRIN index', 'CREATE INDEX x ON transaction USING brin (created_at)', 'DROP INDEX x' ],
	[ 'plain', 'a hash index', 'CREATE INDEX x ON account USING hash (owner)', 'DROP INDEX x' ],
	[ 'plain', 'a deferrable unique index', 'ALTER TABLE transaction ADD CONSTRAINT x UNIQUE (account_id, created_at, seq) DEFERRABLE', 'ALTER TABLE transaction DROP CONSTRAINT x' ],
	[ 'plain', 'an exclusion by index', 'ALTER TABLE transaction ADD CONSTRAINT x EXCLUDE (account_id WITH =, seq WITH =)', 'ALTER TABLE transaction DROP CONSTRAINT x' ],
	[ 'plain', 'more than a few indexes', $indexes, $no_indexes ],
	[ 'plain', 'whole rows as replica identity', 'ALTER TABLE account REPLICA IDENTITY FULL', 'ALTER TABLE account REPLICA IDENTITY DEFAULT' ],
	[ 'plain', 'a child table', 'CREATE TABLE x () INHERITS (open_credit)', 'DROP TABLE x; ANALYZE open_credit' ],
	[ 'plain', 'no index of the keys', 'DROP INDEX transaction_idempotency_key',
		'CREATE UNIQUE INDEX transaction_idempotency_key ON transaction (account_id, idempotency_key) WHERE idempotency_key IS NOT NULL' ],
	[ 'plain', 'an unlogged history', 'ALTER TABLE transaction SET UNLOGGED', 'ALTER TABLE transaction SET LOGGED' ])
{
	serves(@$case);
}
books_are_sound($node, 'ledger', 'one after the other');

# --- what is put there has its say ---------------------------------------------

sub rolled_back
{
	my ($sql) = @_;
	return $node->psql('ledger', "BEGIN;\n$sql;\nROLLBACK", on_error_stop => 1);
}

my (undef, $noticed) = rolled_back(q{
	CREATE TRIGGER x BEFORE INSERT OR UPDATE OR DELETE ON account FOR EACH ROW EXECUTE FUNCTION notice();
	CREATE TRIGGER x AFTER INSERT OR UPDATE OR DELETE ON open_credit FOR EACH ROW EXECUTE FUNCTION notice();
	CREATE TRIGGER x AFTER INSERT OR UPDATE OR DELETE ON transaction EXECUTE FUNCTION notice();
	SELECT FROM store_credit_debit('o', '1.00 USD');
	SELECT FROM store_credit_credit('new', '1.00 USD');
	SELECT string_agg(what, ', ') FROM noticed});
is($noticed =~ s/^\n+//r,
	join(', ', 'BEFORE UPDATE account ROW', 'AFTER UPDATE open_credit ROW', 'AFTER INSERT transaction STATEMENT',
		'BEFORE INSERT account ROW', 'BEFORE UPDATE account ROW', 'AFTER INSERT open_credit ROW', 'AFTER INSERT transaction STATEMENT'),
	'users\' triggers fire for what the functions write');

my (undef, $changed) = rolled_back(q{
	CREATE FUNCTION sign() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.memo := 'signed'; RETURN NEW; END $$;
	CREATE TRIGGER x BEFORE INSERT ON transaction FOR EACH ROW EXECUTE FUNCTION sign();
	SELECT memo FROM store_credit_debit('o', '1.00 USD');
	SELECT memo FROM transaction ORDER BY seq DESC LIMIT 1});
is($changed, "signed\nsigned", 'what a trigger changes in a row is in the answer');

my (undef, undef, $refused) = rolled_back(q{
	ALTER TABLE transaction ADD CONSTRAINT reasons CHECK (memo IS NOT NULL) NOT VALID;
	SELECT store_credit_debit('o', '1.00 USD')});
like($refused, qr/violates check constraint "reasons"/, 'a user\'s CHECK refuses');

my (undef, $generated) = rolled_back(q{
	ALTER TABLE account ADD x bigint GENERATED ALWAYS AS (money_ccy_to_minor(balance)) STORED;
	SELECT FROM store_credit_debit('o', '1.00 USD');
	SELECT x - money_ccy_to_minor(balance) FROM account});
is($generated =~ s/^\n+//r, '0', 'a generated column follows');

foreach my $case (
	[ 'account', 'UPDATE', q{store_credit_debit('o', '1.00 USD')} ],
	[ 'account', 'INSERT', q{store_credit_credit('new', '1.00 USD')} ],
	[ 'transaction', 'INSERT', q{store_credit_debit('o', '1.00 USD')} ],
	[ 'open_credit', 'INSERT', q{store_credit_credit('o', '1.00 USD')} ],
	[ 'open_credit', 'UPDATE', q{store_credit_debit('o', '1.00 USD')} ],
	[ 'open_credit', 'DELETE', q{store_credit_debit('o', '1000.00 USD')} ],
	[ 'notification', 'INSERT', q{store_credit_debit('o', '1.00 USD', notify => true)} ])
{
	my ($table, $operation, $call) = @$case;
	(undef, undef, $refused) = rolled_back(qq{
		CREATE TRIGGER x BEFORE $operation ON $table FOR EACH ROW EXECUTE FUNCTION suppress();
		SET LOCAL statement_timeout = '60s';
		SELECT $call});
	like($refused, qr/a row of table "storecredit.$table" was not written/, "a trigger must not suppress an $operation of $table");
}

(undef, undef, $refused) = rolled_back(q{
	CREATE FUNCTION rename() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.owner := lower(NEW.owner); RETURN NEW; END $$;
	CREATE TRIGGER x BEFORE INSERT ON account FOR EACH ROW EXECUTE FUNCTION rename();
	SET LOCAL statement_timeout = '60s';
	SELECT store_credit_credit('NEW', '1.00 USD')});
like($refused, qr/a row of table "storecredit.account" was not written/, 'a trigger must not give an account to another owner');
is($node->safe_psql('ledger', q{SELECT count(*), count(*) FILTER (WHERE owner = 'o') FROM account}), '1|1', 'refusals leave nothing behind');
books_are_sound($node, 'ledger', 'users\' rules');

# --- a table changed its name while a call waited for it -------------------------

make_ledger($node, 'moved', q{SELECT store_credit_credit('o', '1000.00 USD')});
my $mover = session($node, 'moved');
my $client = session($node, 'moved');
$client->query(q{SELECT FROM store_credit_debit('o', '1.00 USD')});
$mover->query(q{
	BEGIN;
	ALTER TABLE storecredit.transaction RENAME TO former;
	ALTER INDEX storecredit.transaction_pkey RENAME TO former_pkey;
	ALTER INDEX storecredit.transaction_idempotency_key RENAME TO former_key;
	CREATE TABLE storecredit.transaction (LIKE storecredit.former INCLUDING ALL);
	INSERT INTO storecredit.transaction SELECT * FROM storecredit.former});
$client->send(q{SELECT seq FROM store_credit_debit('o', '1.00 USD')});
waits_for_lock($node, $client);
$mover->query('COMMIT');
is($client->answer, '3', 'a call that waited goes on with the new table');
is($node->safe_psql('moved', 'SELECT (SELECT count(*) FROM transaction), (SELECT count(*) FROM former)'), '3|2', 'and writes there');
$node->safe_psql('moved', 'DROP TABLE former CASCADE');
books_are_sound($node, 'moved', 'a table made anew');

# The history may also be partitioned, and the plain store serves.
$mover->query(q{
	BEGIN;
	ALTER TABLE storecredit.transaction RENAME TO first_part;
	CREATE TABLE storecredit.transaction (LIKE storecredit.first_part) PARTITION BY RANGE (account_id);
	ALTER TABLE storecredit.transaction ADD PRIMARY KEY (account_id, seq);
	ALTER TABLE storecredit.transaction ATTACH PARTITION storecredit.first_part FOR VALUES FROM (MINVALUE) TO (1000);
	CREATE TABLE storecredit.second_part PARTITION OF storecredit.transaction FOR VALUES FROM (1000) TO (MAXVALUE)});
$client->send(q{SELECT seq FROM store_credit_debit('o', '1.00 USD')});
waits_for_lock($node, $client);
$mover->query('COMMIT');
is($client->answer, '4', 'a call that waited goes on with the partitioned table') or diag($client->error);
is($client->query(store_query(q{store_credit_debit('o', '1.00 USD')})), 'plain', 'which the plain store serves');
books_are_sound($node, 'moved', 'a partitioned history');
$_->close foreach $mover, $client, $witness;

$node->stop;
done_testing();
