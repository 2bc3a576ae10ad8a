# The worker's ordinary life: it sweeps where it is told to, in time, says what
# it does, and takes changes of its settings while it sleeps.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Ledger;
use LedgerWorker;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_worker_server('main', '', 'storecredit.naptime = 1h');

# --- off --------------------------------------------------------------------------

make_ledger($node, 'shop');
make_overdue($node, 'shop', 'early', 3);
is(process_of($node, 'launcher') ne '', 1, 'the launcher is there');
is($node->safe_psql('postgres', q{SELECT datname IS NULL, state, query LIKE 'store credit maintenance: sleeping until %'
	FROM pg_stat_activity WHERE backend_type = 'storecredit launcher'}), 't|idle|t', 'connected to no database, asleep');
is(scalar $node->psql('postgres', q{SET statement_timeout = '10s'; CREATE DATABASE beside; DROP DATABASE beside}, on_error_stop => 1), 0,
	'and for all the nap in nobody\'s way');
is($node->safe_psql('shop', 'SELECT count(*) FROM worker_status'), '0', 'without a database in the list nothing is done');

# --- a reload while asleep ----------------------------------------------------------

set_and_reload($node, q{storecredit.databases = 'shop'});
overdue_is_swept($node, 'shop', 'a database that comes into the list is served at once, for all the nap');
$node->poll_query_until('shop', 'SELECT last_end IS NOT NULL FROM worker_status');
is($node->safe_psql('shop', q{SELECT credits_expired, holds_closed, reminders, backlog, last_end >= last_start, last_error IS NULL FROM worker_status}),
	'3|0|0|0|t|t', 'and the status tells of it');
ok($node->wait_for_log(qr/LOG:  store credit maintenance in database "shop": 3 credits expired, 0 holds closed, 0 reminders/), 'and the log');

# --- in time ------------------------------------------------------------------------

# Of each: what is written when the last one ended.
my $late = q{
	SELECT max(late) < interval '2 s', count(*) FROM (
		SELECT created_at - expires_at FROM transaction WHERE kind = 'expiration' AND expires_at > '2021-01-01'
		UNION ALL SELECT closed_at - expires_at FROM hold WHERE status = 'expired') AS e (late)};
$node->safe_psql('shop', q{
	SELECT store_credit_credit('anna', '5.00 USD');
	SELECT store_credit_credit('anna', '5.00 USD', clock_timestamp() + interval '0.4 s');
	SELECT store_credit_authorize('anna', '1.00 USD', expires_at => clock_timestamp() + interval '0.8 s');
	SELECT store_credit_credit('ben', '5.00 USD', clock_timestamp() + interval '1.9 s');
	SELECT store_credit_edit(account_id, 1, expires_at => clock_timestamp() + interval '2.5 s') FROM account WHERE owner = 'anna'});
$node->poll_query_until('shop', q{SELECT count(*) FROM transaction WHERE kind = 'expiration' AND expires_at > '2021-01-01'}, '3');
is($node->safe_psql('shop', $late), 't|4', 'credits, holds and edits that end before the nap does are booked within two seconds');
$node->safe_psql('shop', q{
	BEGIN;
	SELECT store_credit_credit('cleo', '5.00 USD', clock_timestamp() + interval '3 s');
	SAVEPOINT a; SELECT store_credit_credit('cleo', '5.00 USD', clock_timestamp() + interval '1 s'); ROLLBACK TO a;
	COMMIT;
	SELECT count(store_credit_credit('many ' || n % 7, '1.00 USD', clock_timestamp() + n * interval '10 ms')) FROM generate_series(1, 300) AS n});
$node->poll_query_until('shop', q{SELECT count(*) FROM open_credit WHERE expires_at < now() + interval '1 day'}, '0');
is($node->safe_psql('shop', $late), 't|305', 'also where something ends every moment');
$node->restart;
$node->safe_psql('shop', q{SELECT store_credit_credit('dora', '5.00 USD', clock_timestamp() + interval '1 s')});
$node->poll_query_until('shop', q{SELECT count(*) FROM open_credit WHERE expires_at < now() + interval '1 day'}, '0');
is($node->safe_psql('shop', $late), 't|306', 'and right after a restart');

# --- what the worker says while it works --------------------------------------------

make_overdue($node, 'shop', 'last', 1);
slow_down_sweeps($node, 'shop', 3);
set_and_reload($node, 'storecredit.naptime = 1s');
ok($node->poll_query_until('postgres', q{SELECT datname = 'shop' AND application_name = 'storecredit worker' AND state = 'active'
	AND query = 'store credit maintenance: expiring credits' FROM pg_stat_activity WHERE backend_type = 'storecredit worker'}),
	'pg_stat_activity tells what the worker is doing');
is($node->safe_psql('shop', 'SELECT last_end IS NULL FROM worker_status'), 't', 'and the status that it is not done yet');
overdue_is_swept($node, 'shop', 'which it is in the end');
is(log_lines($node, '(?:ERROR|FATAL|PANIC|WARNING): (?! terminating background worker)'), 0, 'and nothing went wrong all the time')
  or diag(grep { /ERROR|FATAL|PANIC|WARNING/ } split /^/m, slurp_file($node->logfile));

$node->stop;
done_testing();
