# What is looked up in the catalog may find that a cache must be built anew, and
# then whatever else points into it is gone.  Here every look does.  Only a server
# with assertions can; make deep brings one.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Ledger;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_server('main');
if ($node->safe_psql('postgres', q{SELECT max_val FROM pg_settings WHERE name = 'debug_discard_caches'}) eq '0')
{
	$node->stop;
	plan skip_all => 'needs a server with assertions';
}

foreach my $store (qw(fast plain))
{
	make_ledger($node, $store, "ALTER DATABASE $store SET storecredit.fast_path = " . ($store eq 'fast' ? 'on' : 'off'));
	is($node->safe_psql($store, q{
		SET debug_discard_caches = 1;
		SELECT amount FROM store_credit_credit('anna', '10 USD', now() + interval '1 day');
		SELECT amount FROM store_credit_debit('anna', '1 USD', idempotency_key => 'R1');
		SELECT amount FROM store_credit_debit('anna', '1 USD', idempotency_key => 'R1');
		SELECT status FROM store_credit_authorize('anna', '2 USD');
		SELECT store_credit_balance('anna', 'USD');
		SELECT store_credit_expire(10)}),
		"10.00 USD\n-1.00 USD\n-1.00 USD\nopen\n7.00 USD\n0", "the $store store has what it looked up");
	books_are_sound($node, $store, "$store store");
}

$node->stop;
done_testing();
