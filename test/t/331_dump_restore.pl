# A dump of a ledger in use, in each of pg_dump's ways, restores to a ledger that
# is sound and dumps the same, with what a user put on its tables; and
# DROP EXTENSION takes no ledger along.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Ledger;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;

my $folder = $PostgreSQL::Test::Utils::tmp_check;
my $node = start_server('main', 'fsync = off');
$node->safe_psql('postgres', 'CREATE ROLE shop LOGIN');
make_shop($node, 'shop');
play_on($node, 'shop', 0.31, 4000);
$node->safe_psql('shop', q{
	SET ROLE shop;
	SELECT FROM storecredit.store_credit_credit('Customer/42', '49.99 USD', idempotency_key => 'R1001');
	-- an account above its limit, which was lowered
	SELECT FROM storecredit.account, storecredit.store_credit_set_account_limits(account_id, '10 USD') WHERE owner = 'Customer/42';
	-- what users put on the ledger's tables and make of its type
	ALTER TABLE storecredit.account ADD COLUMN region text DEFAULT 'EU';
	CREATE INDEX transaction_reference ON storecredit.transaction (reference text_pattern_ops) WHERE reference IS NOT NULL;
	CREATE VIEW storecredit.rich AS SELECT owner, available FROM storecredit.balance
		WHERE available OPERATOR(storecredit.>) storecredit.money_ccy_from_minor(1000, currency);
	RESET ROLE;
	CREATE TABLE price (item text PRIMARY KEY, amount money_ccy(USD), prices money_ccy[],
		CHECK (amount OPERATOR(storecredit.>=) '0 USD'));
	CREATE INDEX ON price (amount);
	CREATE INDEX ON price USING hash (amount);
	INSERT INTO price VALUES ('a', '1 USD', '{1.00 USD,"2.5 JOD"}'), ('b', '3.99 USD', NULL), ('c', NULL, '{}');
	CREATE TRIGGER positive AFTER INSERT OR UPDATE ON price FOR EACH ROW EXECUTE FUNCTION enforce_positive_amount('amount');
	CREATE FUNCTION told() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_notify(''credit'', NEW.seq::text); RETURN NEW; END';
	CREATE TRIGGER told AFTER INSERT ON storecredit.transaction FOR EACH ROW EXECUTE FUNCTION told();
	CREATE PUBLICATION ledger FOR TABLES IN SCHEMA storecredit;
	});

# --- DROP EXTENSION --------------------------------------------------------------------

foreach my $sql ('DROP EXTENSION storecredit', 'DROP TYPE storecredit.money_ccy', 'DROP SCHEMA storecredit')
{
	my ($status, $stdout, $stderr) = $node->psql('shop', "\\set VERBOSITY sqlstate\n$sql");
	like($stderr, qr/ERROR:  2BP01/, "$sql is refused");
}

# --- while the ledger is in use -----------------------------------------------------------

sub empty_database
{
	my ($name) = @_;
	$node->safe_psql('postgres', qq{
		CREATE DATABASE $name OWNER shop;
		ALTER DATABASE $name SET search_path = public, storecredit;
		ALTER DATABASE $name SET client_min_messages = warning});
	return $node->connstr($name);
}

# A restored database dumps as the archive that it came from says, but for the
# order of rows: where rows are of many lengths, a table is not filled in order.
sub is_restored
{
	my ($database, $expected) = @_;
	is_sound($node, $database, $database);
	my $dump = text_dump($node, $database);
	$_ = join("\n", sort split(/\n/, $_)) foreach $dump, $expected;
	ok($dump eq $expected, "$database: the dumps are equal") or do
	{
		append_to_file("$folder/$database.$_->[0]", $_->[1]) foreach [ 'is', $dump ], [ 'expected', $expected ];
		diag(`diff $folder/$database.is $folder/$database.expected | head -n 20`);
	};
	# The same call is answered by the same row, as the role that may make it.
	is($node->safe_psql($database, q{SET ROLE shop; SELECT seq, amount FROM storecredit.store_credit_credit('Customer/42', '49.99 USD', idempotency_key => 'R1001')}),
		'1|49.99 USD', "$database: a retry is known");
	is($node->safe_psql($database, q{SELECT seq, balance_after FROM store_credit_debit('Customer/42', '9.99 USD')}), '2|40.00 USD', "$database: and it works");
	is($node->safe_psql($database, q{SELECT account_id > (SELECT max(account_id) FROM account) FROM store_credit_credit('brand new', '1 USD')}),
		't', "$database: new accounts have new numbers");
	is(join(' ', map { scalar $node->psql($database, $_) } q{UPDATE storecredit.transaction SET amount = '1 USD' WHERE seq = 1},
			q{INSERT INTO storecredit.account SELECT account_id + 1000000, opened_at, 99, balance, held, credit_line, 0, currency, 'x' FROM storecredit.account LIMIT 1},
			q{SET session_replication_role = replica; DELETE FROM storecredit.transaction}, q{TRUNCATE storecredit.open_credit}, q{INSERT INTO price VALUES ('d', '0 USD')}),
		'3 3 3 3 3', "$database: the guards are there, on a replica too");
	return;
}

my $writer = session($node, 'shop');
$writer->send(q{TRUNCATE played; CALL play(0.32, 15000, 40);});
$node->poll_query_until('shop', 'SELECT count(*) > 500 FROM played');
command_ok([ 'pg_dump', '--format=custom', '--file', "$folder/shop.dump", $node->connstr('shop') ], 'a dump in custom format while clients work');
command_ok([ 'pg_dump', '--format=directory', '--jobs=2', '--file', "$folder/shop.folder", $node->connstr('shop') ], 'and one by two jobs');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%CALL play%' AND state = 'active' AND pid <> pg_backend_pid()}),
	'1', 'the clients work still');
$node->safe_psql('postgres', 'SELECT pg_cancel_backend(' . $writer->pid . ')');
$writer->answer;
$writer->close;

sub archive_as_text
{
	my ($archive) = @_;
	my $text = '';
	run_log([ 'pg_restore', '--file=-', $archive ], '>', \$text);
	return $text =~ s/^\\(un)?restrict .*\n//mgr;
}

command_ok([ 'pg_restore', '--exit-on-error', '--jobs=2', '--dbname', empty_database('custom'), "$folder/shop.dump" ], 'custom format, restored by two jobs');
is_restored('custom', archive_as_text("$folder/shop.dump"));
command_ok([ 'pg_restore', '--exit-on-error', '--jobs=2', '--dbname', empty_database('directory'), "$folder/shop.folder" ], 'directory format, likewise');
is_restored('directory', archive_as_text("$folder/shop.folder"));

# --- at rest ---------------------------------------------------------------------------------

my $dump = text_dump($node, 'shop');
command_ok([ 'pg_dump', '--file', "$folder/shop.sql", $node->connstr('shop') ], 'plain SQL');
command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', empty_database('plain'), '-f', "$folder/shop.sql" ], 'restored by psql');
is_restored('plain', $dump);

my $sections = empty_database('sections');
foreach my $section (qw(pre-data data post-data))
{
	command_ok([ 'pg_dump', "--section=$section", '--file', "$folder/$section.sql", $node->connstr('shop') ], "the section $section");
	command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $sections, '-f', "$folder/$section.sql" ], 'restored by itself');
}
is_restored('sections', $dump);

# Rows alone, into tables that are there with their guards: together, or with the
# triggers off.
sub empty_ledger
{
	my ($database) = @_;
	my $connstr = empty_database($database);
	command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $connstr, '-f', "$folder/$_.sql" ], "$database: $_") foreach qw(pre-data post-data);
	return $connstr;
}

# What restores with the guards on is a ledger in which no account is above its limit.
make_shop($node, 'modest');
$node->safe_psql('modest', q{
	SELECT store_credit_credit('Customer/' || n % 7, '10 USD', expires_on => '2099-12-31') FROM generate_series(1, 30) AS n;
	SELECT store_credit_debit('Customer/' || n, '12 USD', notify => true), store_credit_authorize('Customer/' || n, '3 USD') FROM generate_series(0, 6) AS n;
	SELECT store_credit_set_limit('USD', max_balance => '1000 USD')});
command_ok([ 'pg_dump', '--format=custom', '--file', "$folder/modest.dump", $node->connstr('modest') ], 'a ledger whose accounts keep to their limits');

my @rows_alone = ('pg_restore', '--exit-on-error', '--data-only', '--schema=storecredit');
command_fails_like([ @rows_alone, '--dbname', empty_ledger('one_by_one'), "$folder/modest.dump" ],
	qr/change to table "account" violates ledger rule/, 'one_by_one: accounts without their history are refused');
my $together = empty_ledger('together');
command_ok([ @rows_alone, '--single-transaction', '--dbname', $together, "$folder/modest.dump" ], 'together: they are not with it');
is(rows_of($node, 'together'), rows_of($node, 'modest'), 'together: the same rows');
is_sound($node, 'together', 'together');
command_fails_like([ @rows_alone, '--single-transaction', '--dbname', empty_ledger('above'), "$folder/shop.dump" ],
	qr/the account's credit limit/, 'above: an account above its limit is refused');

command_ok([ 'pg_restore', '--exit-on-error', '--data-only', '--disable-triggers', '--dbname', empty_ledger('no_triggers'), "$folder/shop.dump" ], 'no_triggers: nor without the guards');
my ($guards_again) = slurp_file('doc/guards.md') =~ /^## Restore\n.*?^```sql\n(.*?)^```$/ms;
$node->safe_psql('no_triggers', $guards_again);
is_restored('no_triggers', archive_as_text("$folder/shop.dump"));

command_ok([ 'pg_restore', '--exit-on-error', '--section=pre-data', '--section=data', '--dbname', empty_database('looking'), "$folder/shop.dump" ],
	'rows without indexes and triggers, to look at');
is_sound($node, 'looking', 'looking');

$node->stop;
done_testing();
