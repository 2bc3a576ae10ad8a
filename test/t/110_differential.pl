# The fast store does what the plain store does.  The same random operations
# run through each, in a ledger of its own; then every answer and every row of
# every table is the same.
#
# Two histories are played: many accounts with a few operations each, and few
# accounts with long histories and many open credits, whose tables have a
# user's indexes, so that no update there can be HOT, and which has tamper
# evidence.  Salts are random, and so the hashes differ; that they are right is
# for verify() to prove.
#
# LEDGER_DIFFERENTIAL_OPERATIONS and LEDGER_DIFFERENTIAL_SEED try others.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use File::Compare;
use Ledger;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $operations = $ENV{LEDGER_DIFFERENTIAL_OPERATIONS} || 1_000_000;
my $seed = $ENV{LEDGER_DIFFERENTIAL_SEED} || 0.42;

my %histories = (
	many => { operations => int($operations * 0.7), owners => 3000, sql => 'ALTER TABLE account SET (fillfactor = 100);' },
	few => {
		operations => int($operations * 0.3),
		owners => 50,
		sql => q{
			SELECT start_tamper_evidence();
			CREATE INDEX ON account (balance);
			CREATE INDEX ON account (last_seq) INCLUDE (owner);
			CREATE INDEX ON transaction (created_at, kind);
			CREATE UNIQUE INDEX ON transaction (account_id, seq DESC) INCLUDE (amount);
			CREATE INDEX ON transaction (reference) WHERE reference IS NOT NULL;
			CREATE INDEX ON transaction (account_id, expires_at) WHERE expires_at < 'infinity';
			CREATE INDEX ON open_credit (remaining);
			}
	});

# What is left in a session's memory by the store that must not have served.
my %traces_of_the_other = (
	fast => q{SELECT count(*) FROM pg_backend_memory_contexts WHERE ident LIKE 'UPDATE storecredit.account SET last_seq%'},
	plain => q{SELECT count(*) FROM pg_backend_memory_contexts WHERE name = 'storecredit fast tables'});

my $node = start_server('main', 'autovacuum_naptime = 5s');
foreach my $history (sort keys %histories)
{
	foreach my $store (sort keys %traces_of_the_other)
	{
		my $database = "${history}_$store";
		make_ledger($node, $database, $histories{$history}{sql},
			"ALTER DATABASE $database SET storecredit.fast_path = " . ($store eq 'fast' ? 'on' : 'off') . ';',
			slurp_file("$FindBin::RealBin/lib/differential.sql"));
	}
}

# All at the same time, in as many sessions.
my %players;
foreach my $history (keys %histories)
{
	foreach my $store (keys %traces_of_the_other)
	{
		my $player = session($node, "${history}_$store");
		$player->never_time_out;
		$player->send("CALL play($seed, $histories{$history}{operations}, $histories{$history}{owners})");
		$players{"${history}_$store"} = $player;
	}
}
foreach my $database (sort keys %players)
{
	my ($store) = $database =~ /_(\w+)/;
	my $player = $players{$database};
	$player->answer;
	is($player->state, '00000', "$database: the operations ran") or diag($player->error);
	is($player->query($traces_of_the_other{$store}), '0', "$database: through the $store store alone");
	$player->close;
}

# A file with all of a query's rows.
sub rows_of
{
	my ($database, $name, $query) = @_;
	my $file = "$PostgreSQL::Test::Utils::tmp_check/$database.$name";
	$node->safe_psql($database, "\\copy ($query) TO '$file'");
	return $file;
}

sub same_rows
{
	my ($history, $name, $query) = @_;
	my ($fast, $plain) = map { rows_of("${history}_$_", $name, $query) } qw(fast plain);
	ok(-s $fast && compare($fast, $plain) == 0, "$history: $name is the same")
	  or diag("first differences:\n" . `diff "$fast" "$plain" | head -n 10`);
	unlink($fast, $plain);
	return;
}

foreach my $history (sort keys %histories)
{
	my $wanted = $histories{$history}{operations};
	cmp_ok($node->safe_psql("${history}_fast", 'SELECT sum(calls) FROM played'), '>=', $wanted, "$history: $wanted operations");
	same_rows($history, 'played', q{SELECT n, calls, asked, regexp_replace(answer, '\\\\+x[0-9a-f]{32,64}', 'a hash', 'g') FROM played ORDER BY n});
	same_rows($history, 'account', q{SELECT to_jsonb(a) - 'last_hash', a.last_hash IS NULL FROM account a ORDER BY account_id});
	same_rows($history, 'transaction', q{SELECT to_jsonb(t) - '{hash,salt,memo_digest,metadata_digest}'::text[], t.hash IS NULL, t.salt IS NULL, t.memo_digest IS NULL, t.metadata_digest IS NULL FROM transaction t ORDER BY account_id, seq});
	same_rows($history, 'open_credit', 'SELECT * FROM open_credit ORDER BY account_id, expires_at, seq');
	same_rows($history, 'currency_limit', 'SELECT * FROM currency_limit ORDER BY currency');
	same_rows($history, 'notification', 'SELECT created_at, event, account_id, seq FROM notification ORDER BY notification_id');
	foreach my $store (qw(fast plain))
	{
		books_are_sound($node, "${history}_$store", "$history, $store store");
	}
}

# That the operations were of all kinds, and ended in every way.
SKIP:
{
	skip 'too few operations for all of it', 4 if $operations < 500_000;
	my $ends = q{SELECT string_agg(end_state, ' ' ORDER BY end_state) FROM (
		SELECT coalesce(substring(answer FROM '^(SC[0-9]{3})\|'), 'done') AS end_state
		FROM played GROUP BY 1) AS ends};
	is($node->safe_psql('few_fast', $ends), 'SC001 SC002 SC003 SC004 SC005 SC006 SC007 SC008 SC009 SC010 SC011 SC012 SC013 SC014 SC015 done',
		'every refusal was there');
	is($node->safe_psql('few_fast', 'SELECT max(cardinality(draws)) > 60 FROM transaction'), 't',
		'few accounts: debits drew on many credits');
	my $hot = q{SELECT n_tup_hot_upd > n_tup_upd * 0.9, n_tup_upd - n_tup_hot_upd > 100 FROM pg_stat_user_tables
		WHERE schemaname = 'storecredit' AND relname = };
	ok($node->poll_query_until('many_fast', "$hot 'account'", 't|t'), 'many accounts: there were updates of both kinds');
	ok($node->poll_query_until('few_fast', "$hot 'account'", 'f|t'), 'few accounts: hardly an update was HOT');
}

$node->stop;
done_testing();
