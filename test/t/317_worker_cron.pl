# Without the worker: pg_cron, or psql called by the system's cron, does the same.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Ledger;
use LedgerWorker;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_server('main', q{shared_preload_libraries = 'pg_cron'}, q{cron.database_name = 'shop'},
	q{cron.timezone = 'UTC'}, q{storecredit.remind_before = '1 day'}, 'storecredit.batch_size = 2');
$node->append_conf('postgresql.conf', q{cron.host = '} . $node->host . q{'});
$node->restart;

# --- pg_cron ------------------------------------------------------------------------------

# A ledger of a role that does nothing else, and is the one whose jobs they are.
make_ledger($node, 'shop');
$node->safe_psql('shop', q{CREATE EXTENSION pg_cron});
make_overdue($node, 'shop', 'early', 7);
$node->safe_psql('shop', q{SELECT store_credit_credit('anna', '1.00 USD', now() + interval '1 hour')});

# As the documentation has it, and once at the start of the server: a test cannot wait for the minute.
is($node->safe_psql('shop', q{SELECT cron.schedule('storecredit', '* * * * *', 'CALL storecredit.run_maintenance()')}), '1', 'pg_cron takes the job');
$node->safe_psql('shop', q{SELECT cron.schedule('storecredit-start', '@reboot', 'CALL storecredit.run_maintenance()')});
$node->restart;
overdue_is_swept($node, 'shop', 'and does it');
$node->poll_query_until('shop', q{SELECT status FROM cron.job_run_details WHERE jobid = 2}, 'succeeded');
is($node->safe_psql('shop', q{SELECT credits_expired, reminders, backlog, last_end IS NOT NULL, last_error FROM worker_status}),
	'7|1|0|t|', 'with everything that the worker does');
is($node->safe_psql('shop', q{SELECT status, return_message FROM cron.job_run_details WHERE jobid = 2}), 'succeeded|CALL', 'as its log says');

# --- psql, from the system's cron ------------------------------------------------------------

my @psql = ('psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('shop'), '-c');
make_overdue($node, 'shop', 'psql', 5);
command_ok([ @psql, 'CALL storecredit.run_maintenance()' ], 'psql calls it');
overdue_is_swept($node, 'shop', 'and it is done');
make_overdue($node, 'shop', 'steps', 5);
my $steps = 0;
$steps++ while $node->safe_psql('shop', 'SELECT store_credit_expire(2)') > 0 && $steps < 10;
is($steps, 3, 'or step by step, until nothing is left');
is($node->safe_psql('shop', 'SELECT store_credit_remind(100)'), '0', 'reminders, too');

# --- what it says when it may not ---------------------------------------------------------------

my ($result, $out, $err) = $node->psql('shop', 'BEGIN; CALL run_maintenance(); COMMIT');
like($err, qr/ERROR:  storecredit.run_maintenance\(\) cannot run inside a transaction block/, 'not in a transaction block');
$node->safe_psql('shop', 'CREATE ROLE clerk LOGIN; GRANT USAGE ON SCHEMA storecredit TO clerk');
($result, $out, $err) = $node->psql('shop', 'SET ROLE clerk; CALL run_maintenance()');
like($err, qr/permission denied for procedure run_maintenance/, 'nor by anybody');
$node->safe_psql('shop', 'GRANT EXECUTE ON PROCEDURE run_maintenance() TO clerk');
make_overdue($node, 'shop', 'granted', 3);
$node->safe_psql('shop', 'SET ROLE clerk; CALL run_maintenance()');
overdue_is_swept($node, 'shop', 'but by whoever has been granted it, without a right to any table');
$node->safe_psql('shop', q{
	CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not today'; END $$;
	CREATE TRIGGER refuse BEFORE INSERT ON notification FOR EACH ROW EXECUTE FUNCTION refuse();
	SELECT store_credit_credit('ben', '1.00 USD', now() + interval '1 hour')});
($result, $out, $err) = $node->psql('shop', 'CALL run_maintenance()');
like($err, qr/ERROR:  not today/, 'an error is the call\'s');
is($node->safe_psql('shop', 'SELECT last_error, last_end IS NULL FROM worker_status'), 'not today|t', 'and written down');

$node->stop;
done_testing();
