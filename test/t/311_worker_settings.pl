# The worker reminds of each credit once, whatever happens to the server, and is
# switched off and on, as a whole and for a database.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Ledger;
use LedgerWorker;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_worker_server('main', 'shop', q{storecredit.remind_before = '7 days, 1 day'});
make_ledger($node, 'shop');

# --- a reminder, once, whatever happens to the server ------------------------------

$node->safe_psql('shop', q{
	SELECT store_credit_credit('emil', '5.00 USD', clock_timestamp() + interval '7 days 1 s');
	SELECT store_credit_credit('emil', '5.00 USD', clock_timestamp() + interval '3 days')});
my $reminded = q{SELECT string_agg(seq::text, ' ' ORDER BY seq) FROM notification WHERE event = 'expiring_soon'};
$node->poll_query_until('shop', q{SELECT count(*) FROM notification WHERE event = 'expiring_soon'}, '2');
$node->restart;
set_and_reload($node, q{storecredit.remind_before = '30 days, 7 days'});
my $round = $node->safe_psql('shop', 'SELECT last_start FROM worker_status');
$node->poll_query_until('shop', "SELECT last_start > '$round'::timestamptz + interval '1.5 s' AND last_end IS NOT NULL FROM worker_status");
is($node->safe_psql('shop', $reminded), '1 2', 'each credit is reminded of once, and not again after a restart and with a longer interval');

# --- the off switch, and settings of a database ------------------------------------

$node->safe_psql('postgres', 'ALTER DATABASE shop SET storecredit.expiry = off');
make_overdue($node, 'shop', 'later', 2);
$round = $node->safe_psql('shop', 'SELECT last_start FROM worker_status');
sleep(3);
is($node->safe_psql('shop', "SELECT count(*), (SELECT last_start < now() - interval '2 s' FROM worker_status)
	FROM open_credit WHERE expires_at <= now()"), '2|t', 'with expiry off in a database nothing is touched there');
$node->safe_psql('postgres', 'ALTER DATABASE shop RESET storecredit.expiry');
overdue_is_swept($node, 'shop', 'and on again it is');
set_and_reload($node, q{storecredit.databases = ''});
$node->poll_query_until('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'storecredit worker'}, '0');
sleep(1);
make_overdue($node, 'shop', 'last', 1);
sleep(2);
is($node->safe_psql('shop', 'SELECT count(*) FROM open_credit WHERE expires_at <= now()'), '1', 'taken out of the list it is left alone');

$node->stop;
done_testing();
