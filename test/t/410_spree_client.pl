# A real ActiveRecord client at an attached shop: what it does when all is well goes on in threads, what it does
# wrong is refused in a way that it can handle, and its schema.rb has nothing of ours but the extension.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Ledger;
use PostgreSQL::Test::Utils;
use Test::More;

if (!run_log([ 'ruby', '-e', 'require "active_record"; require "pg"' ]))
{
	plan skip_all => 'ruby-activerecord and ruby-pg are not installed';
}

my $client = "$FindBin::RealBin/../clients/spree_client.rb";
my $node = start_server('main');
my $user = $node->safe_psql('postgres', 'SELECT current_user');

sub make_shop
{
	my ($database, @attached) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, "CREATE EXTENSION storecredit; SELECT storecredit.create_ledger()");
	$node->safe_psql($database, '\i ' . "$FindBin::RealBin/../fixtures/spree/solidus-4.7.sql");
	$node->safe_psql($database, qq{
		TRUNCATE spree_store_credits, spree_store_credit_events, spree_payments, spree_orders RESTART IDENTITY;
		SELECT storecredit.store_credit_set_limit('USD', '5000 USD', '1000 USD');
		SELECT storecredit.spree_attach('spree_store_credits', $_)}) foreach @attached;
	return;
}

# What a story prints; and nothing on standard error.
sub play
{
	my ($database, $story, $input) = @_;
	my ($out, $err) = ('', '');
	$input //= '';
	IPC::Run::run([ 'ruby', $client, $node->host, $node->port, $database, $user, $story ],
		'<', \$input, '>', \$out, '2>', \$err) or diag($err);
	is($err, '', "$story: nothing on standard error");
	return $out;
}

my $check = 'StatementInvalid PG::CheckViolation 23514';
make_shop('shop', q{rules => storecredit.spree_rules(strict => true)});

is(play('shop', 'checkout'), "Refused: Store credit amount remaining is not sufficient\n" x 3 . "done\n100.00/0.00/60.00\n",
	'of four checkouts at once one gets the money, and the others are told by their own code');
is(play('shop', 'stale'), "$check spree_store_credit_events spree_reconcile\n" x 3 . "done\n100.00/0.00/60.00\n",
	'of four models with the same old figures one is saved');
is(play('shop', 'admin'), "$check spree_store_credits spree_amounts\n$check spree_store_credits spree_invalidated\n"
	  . "$check spree_store_credits spree_delete\n100.00/0.00/90.00\n", 'an admin cannot take away what a checkout has authorized');
is(play('shop', 'twice'), "$check spree_store_credits spree_authorized\n" x 2 . "$check spree_store_credits spree_amounts\n100.00/0.00/0.00\n",
	'nothing is voided, captured or refunded twice');
is(play('shop', 'order'), "$check spree_payments spree_payment\n" x 2 . "1\n", 'a refusal in a savepoint leaves the order\'s transaction as it was');
is(play('shop', 'figures'), "Credit 6 would have an amount of 100.00 with 500.00 used and 0.00 authorized.\n"
	  . "The amount must be above zero, and cover what is used and authorized.\n"
	  . "$check spree_store_credits spree_limit\n$check spree_store_credits spree_currency\ntrue\n", 'detail and hint, a limit, a currency; a customer who is deleted');

is(play('shop', 'crowd'), "done\n" x 6, 'six sessions use the same credits, and no rule nor a deadlock stops one');
is($node->safe_psql('shop', q{
	SELECT count(*) FROM spree_store_credits c
	WHERE user_id = 7 AND (amount_authorized <> 0 OR amount_used <>
		(SELECT coalesce(sum(amount) FILTER (WHERE action = 'capture'), 0) - coalesce(sum(amount) FILTER (WHERE action = 'credit'), 0)
		FROM spree_store_credit_events e WHERE e.store_credit_id = c.id))}), '0', 'and the figures are those of the events');

# --- mode "warn" ------------------------------------------------------------------------

make_shop('warned', q{mode => 'warn', rules => storecredit.spree_rules(strict => true)});
is(play('warned', 'warned'), "done\ndone\n100.00/0.00/-60.00\n", 'mode "warn" lets everything pass');
is($node->safe_psql('warned', q{SELECT rule, violations FROM storecredit.spree_violations ORDER BY rule}),
	"authorized|1\nclosed_code|1\ncurrency|1", 'and counts it');
like(slurp_file($node->logfile), qr/LOG:  change to table "spree_store_credits" violates store credit rule "currency"/, 'and logs it');

# --- schema.rb -----------------------------------------------------------------------------

my $schema = play('shop', 'schema');
like($schema, qr/enable_extension "storecredit"/, 'schema.rb has the extension');
like($schema, qr/create_table "spree_store_credits"/, 'and the shop\'s tables');
unlike($schema =~ s/(enable_extension|create_schema) "storecredit"//gr, qr/storecredit|check_constraint|trigger|Could not dump/i, 'and nothing else of ours');
$node->safe_psql('postgres', 'CREATE DATABASE loaded');
is(play('loaded', 'schema_load', $schema), "done\n$check spree_store_credits spree_amounts\n",
	'a database that was loaded from it has no rules until it is attached');

$node->stop;
done_testing();
