# doc/examples/mailer, against a mail server of the test's own: what is sent, that
# nothing is lost when it dies, that several do not send twice, and who wakes it.
# And doc/notifications.md, which says so.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DBI;
use IPC::Run;
use Ledger;
use LedgerWorker;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SmtpSink;
use Test::More;

my $page = slurp_file('doc/notifications.md');
ok(-e "doc/$_", "the page links to $_") foreach grep { !/^https?:/ } $page =~ /\]\(([^)#]+)/g;
my %headings = map { lc(s/[^\w -]//gr =~ s/ /-/gr) => 1 } $page =~ /^#+ (.*)$/mg;
ok($headings{$_}, "and has a part $_") foreach $page =~ /\]\(#([^)]+)\)/g;
my ($rights) = grep { /CREATE ROLE/ } my @blocks = $page =~ /^```sql\n(.*?)^```$/msg;

my $node = start_worker_server('main', '', 'storecredit.naptime = 1h', 'timezone = UTC');
my $sink = SmtpSink->new;

# The mailer's role may do what the page has it granted, and read its query's table.
make_ledger($node, 'shop', $rights, q{
	CREATE TABLE public.customer (id bigint PRIMARY KEY, email text);
	GRANT SELECT ON public.customer TO mailer;
	INSERT INTO public.customer SELECT n, 'customer' || n || '@example.org' FROM generate_series(1, 200) AS n});

sub start_mailer
{
	my (@options) = @_;
	delete local $ENV{PGAPPNAME};
	my %mailer = (err => '');
	my @command = ($^X, 'doc/examples/mailer', '--from', 'shop@example.com', '--smtp', $sink->address,
		'--address-query', q{SELECT email FROM public.customer WHERE 'Customer/' || id = $1}, @options,
		$node->connstr('shop') . ' user=mailer');
	$mailer{run} = IPC::Run::start(\@command, '<', \undef, '>', '/dev/null', '2>', \$mailer{err});
	return \%mailer;
}

# The exit status, and what it said.
sub finish
{
	my ($mailer) = @_;
	$mailer->{run}->finish;
	return ($mailer->{run}->full_result(0) >> 8, $mailer->{err});
}

sub run_mailer { return finish(start_mailer('--once', @_)) }

sub credit
{
	my ($customer, $amount, $options) = @_;
	return $node->safe_psql('shop', "SELECT seq FROM store_credit_credit('Customer/$customer', '$amount', notify => true" . ($options // '') . ')');
}

sub email
{
	my ($customer, $address) = @_;
	$node->safe_psql('shop', "UPDATE public.customer SET email = $address WHERE id = $customer");
	return;
}

my $waiting = 'SELECT count(*) FROM notification';
my $untaken = 'SELECT count(*) FROM (SELECT FROM notification FOR UPDATE SKIP LOCKED) AS n';

# --- a mail -------------------------------------------------------------------------

is_deeply([ run_mailer() ], [ 0, '' ], 'an empty outbox is none of its business');
credit(1, '49.99 USD', q{, memo => 'Für Ärger: 3 €', expires_on => '2099-12-31'});
is_deeply([ run_mailer() ], [ 0, '' ], 'the mailer empties the outbox');
my ($mail) = $sink->mails(1);
is($mail->{'To-Mailbox'}, 'customer1@example.org', 'it writes to the customer');
is_deeply([ @$mail{qw(From To Subject Message-ID Content-Type)} ],
	[ 'shop@example.com', 'customer1@example.org', 'You have received store credit', '<storecredit.1.1.1@example.com>', 'text/plain; charset=utf-8' ],
	'a mail as it should be');
like($mail->{Date}, qr/^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000$/, 'of today');
is($mail->{text}, "49.99 USD of store credit has been added to your account.\nFür Ärger: 3 €\n"
	  . "It expires at 2100-01-01 00:00:00+00.\nYour balance is 49.99 USD.\n", 'that tells what has happened');
is($node->safe_psql('shop', $waiting), '0', 'and what was told is gone');

# --- of each kind --------------------------------------------------------------------

$node->safe_psql('shop', q{
	SET storecredit.test_clock = '2020-01-01 00:00+00';
	SELECT store_credit_credit('Customer/3', '30 USD', expires_at => '2020-01-02 00:00+00');
	RESET storecredit.test_clock;
	SET storecredit.notify_kinds = 'credit, debit, debit_revert, expiration, adjustment, revocation';
	SET storecredit.remind_before = '1 day';
	SELECT store_credit_credit('Customer/2', '10 USD', expires_at => now() + interval '1 hour');
	SELECT store_credit_credit('Customer/2', '20 USD', expires_at => now() + interval '1 hour');
	SELECT store_credit_debit('Customer/2', '4 USD'), store_credit_remind(1);
	SELECT store_credit_revert(account_id, 3, '1 USD'), store_credit_edit(account_id, 1, '9 USD'), store_credit_revoke(account_id, 1)
	FROM account WHERE owner = 'Customer/2';
	SELECT store_credit_remind(), store_credit_expire();
	INSERT INTO notification (created_at, event, account_id, seq) SELECT now(), 'birthday', account_id, 1 FROM account WHERE owner = 'Customer/2'});
is_deeply([ run_mailer() ], [ 0, '' ], 'all kinds of news');
is_deeply([ sort map { "$_->{Subject}: $_->{text}" =~ s/\n.*?(Your balance)/ $1/sr =~ s/\n$//r } $sink->mails(8) ], [
	'Store credit has been withdrawn: 6.00 USD of your store credit has been withdrawn. Your balance is 20.00 USD.',
	'Store credit has expired: 30.00 USD of your store credit has expired. Your balance is 0.00 USD.',
	'You have received store credit: 10.00 USD of store credit has been added to your account. Your balance is 10.00 USD.',
	'You have received store credit: 20.00 USD of store credit has been added to your account. Your balance is 30.00 USD.',
	'You have used store credit: 4.00 USD of your store credit has been used. Your balance is 26.00 USD.',
	'Your store credit expires soon: 20.00 USD of your store credit can still be spent. Your balance is 20.00 USD.',
	'Your store credit has changed: Your store credit has been changed. Your balance is 26.00 USD.',
	'Your store credit is back: 1.00 USD of store credit has been returned to your account. Your balance is 27.00 USD.' ],
	'each is told of in its own words, but for what the mailer does not know, and what is not so any more');
is($node->safe_psql('shop', $waiting), '0', 'and nothing is left');

# --- who cannot be told ----------------------------------------------------------------

email(11, 'NULL');
email(12, q{E'a@example.org>\r\nRCPT TO:<b@example.org'});
email(13, q{'jürgen@example.org'});
email(14, q{'refused@example.org'});
email(15, q{'rejected@example.org'});
credit($_, '1 USD') foreach 11 .. 16, 999;
my ($status, $said) = run_mailer();
is($status, 0, 'who cannot be told stops nobody');
is_deeply([ map { $_->{To} } $sink->mails(1) ], ['customer16@example.org'], 'who can is told');
is($said =~ s/notification \d+/notification/gr, <<'END', 'and the mailer says who was not');
notification (credit, account 4, seq 1): no address
notification (credit, account 5, seq 1): no address
notification (credit, account 6, seq 1): no address
notification (credit, account 7, seq 1): refused: 550 no such user
notification (credit, account 8, seq 1): refused: 554 not wanted
notification (credit, account 10, seq 1): no address
END

# --- mail servers that do not work -------------------------------------------------------

email(17, q{'later@example.org'});
credit($_, '1 USD') foreach 17, 18;
($status, $said) = run_mailer();
isnt($status, 0, 'what may go later is an error');
is($said, "the mail server says: 451 try again later\n", 'which the mailer says');
is($node->safe_psql('shop', $untaken), '2', 'and all are in the outbox as before');
($status, $said) = run_mailer('--smtp', '127.0.0.1:1');
like($said, qr/^cannot connect to the mail server 127\.0\.0\.1:1: /, 'so is a mail server that is not there');
is($node->safe_psql('shop', $untaken), '2', 'with the same end');
($status, $said) = run_mailer('--address-query', 'SELECT email FROM nowhere WHERE owner = $1');
like($said, qr/relation "nowhere" does not exist/, 'and a query that does not work');
is($node->safe_psql('shop', $untaken), '2', 'too');
email(17, q{'customer17@example.org'});
is_deeply([ run_mailer() ], [ 0, '' ], 'another attempt');
is_deeply([ sort map { $_->{To} } $sink->mails(2) ], [ map { "customer$_\@example.org" } 17, 18 ], 'makes up for it');
($status, $said) = finish({ run => IPC::Run::start([ $^X, 'doc/examples/mailer', '--once' ], '2>', \(my $usage)) });
like($usage, qr/^usage: mailer --from/, 'without its arguments it says what they are');

# --- killed between taking a notification and the commit -----------------------------------

email(21, q{'held@example.org'});
credit($_, '1 USD') foreach 21, 22;
my $mailer = start_mailer('--once');
$sink->wait_until_holding;
is($node->safe_psql('shop', $untaken), '1', 'while the mail server has not answered, nobody else gets this one');
is($node->safe_psql('shop', $waiting), '2', 'and it is not gone');
$mailer->{run}->signal('KILL');
$mailer->{run}->finish;
$node->poll_query_until('shop', $untaken, '2');
is($node->safe_psql('shop', $untaken), '2', 'killed then, the mailer loses nothing');
is(scalar($sink->mails), 0, 'and has sent nothing');
$sink->let_go;
is_deeply([ run_mailer() ], [ 0, '' ], 'the next one');
is_deeply([ sort map { $_->{To} } $sink->mails(2) ], [ 'customer22@example.org', 'held@example.org' ], 'sends both, once');

# --- two at once ----------------------------------------------------------------------------

$sink->hold_again;
credit($_, '1 USD') foreach 21, 23 .. 30;
my $first = start_mailer('--once');
$sink->wait_until_holding;
is_deeply([ run_mailer() ], [ 0, '' ], 'while one is at the oldest, another one sends the rest');
is_deeply([ sort map { $_->{To} } $sink->mails(8) ], [ map { "customer$_\@example.org" } 23 .. 30 ], 'all of it');
$sink->let_go;
is_deeply([ finish($first) ], [ 0, '' ], 'and the first finishes');
is_deeply([ map { $_->{To} } $sink->mails(1) ], ['held@example.org'], 'what it has, once');

$node->safe_psql('shop', q{SELECT count(store_credit_credit('Customer/' || n, '1 USD', notify => true)) FROM generate_series(101, 200) AS n});
my @mailers = map { start_mailer('--once') } 1 .. 3;
is_deeply([ map { finish($_) } @mailers ], [ (0, '') x 3 ], 'three that race');
is_deeply([ sort map { $_->{To} } $sink->mails(100) ], [ sort map { "customer$_\@example.org" } 101 .. 200 ], 'send each once');
is($node->safe_psql('shop', $waiting), '0', 'and leave nothing');

# --- who wakes it -----------------------------------------------------------------------------

my ($listener, $app) =
  map { DBI->connect('dbi:Pg:' . $node->connstr('shop'), undef, undef, { RaiseError => 1, PrintError => 0 }) } 1 .. 2;

# What the listener hears, as soon as it hears something.
sub heard
{
	my @heard;
	SmtpSink::wait_until(sub {
		while (my $notification = $listener->pg_notifies) { push @heard, $notification }
		return @heard > 0;
	}, 'a NOTIFY');
	return @heard;
}

# The money's transaction does not: it comes before the mark.
$listener->do('LISTEN storecredit');
$listener->do('LISTEN mark');
$app->do(q{SELECT store_credit_credit('Customer/31', '1 USD', notify => true)});
$app->do('NOTIFY mark');
is_deeply([ map { $_->[0] } heard() ], ['mark'], 'moving money notifies nobody');
$app->do('CALL run_maintenance()');
is_deeply([ heard() ], [ [ 'storecredit', $app->{pg_pid}, '' ] ], 'maintenance by anybody does, without content');
$app->do('SET storecredit.expiry = off');
$app->do('CALL run_maintenance()');
$app->do('NOTIFY mark');
is_deeply([ map { $_->[0] } heard() ], ['mark'], 'but where it is switched off');
run_mailer();
$sink->mails(1);
$app->do('RESET storecredit.expiry');
$app->do('CALL run_maintenance()');
$app->do('NOTIFY mark');
is_deeply([ map { $_->[0] } heard() ], ['mark'], 'and while nothing waits');

# The worker comes once, and would come again in an hour.
$node->safe_psql('shop', 'DELETE FROM worker_status');
set_and_reload($node, q{storecredit.databases = 'shop'}, q{storecredit.notify_kinds = 'expiration'});
$node->poll_query_until('shop', 'SELECT last_end IS NOT NULL FROM worker_status');
$node->poll_query_until('shop', q{SELECT current_setting('storecredit.notify_kinds')}, 'expiration');
$mailer = start_mailer('--interval', 3600);
$node->poll_query_until('shop', q{SELECT count(*) FROM pg_stat_activity WHERE application_name = 'storecredit mailer'
	AND state = 'idle' AND query = 'commit' AND wait_event = 'ClientRead'}, '1');
$app->begin_work;
$app->do(q{SELECT store_credit_credit('Customer/32', '1 USD', notify => true)});
credit(33, '1 USD');
is_deeply([ map { $_->{To} } $sink->mails(1) ], ['customer33@example.org'], 'the worker wakes the mailer once the money has moved');
is_deeply([ map { @$_[ 0, 2 ] } (heard())[0] ], [ 'storecredit', '' ], 'by a NOTIFY');
$app->commit;
is_deeply([ map { $_->{To} } $sink->mails(1) ], ['customer32@example.org'], 'a transaction that takes longer is told of at its end');
$node->safe_psql('shop', q{SELECT store_credit_credit('Customer/34', '1 USD', expires_at => clock_timestamp() + interval '0.5 s')});
($mail) = $sink->mails(1);
is("$mail->{To} $mail->{Subject}", 'customer34@example.org Store credit has expired', 'what the worker itself books is told of, too');
$mailer->{run}->signal('KILL');
$mailer->{run}->finish;

foreach my $block (grep { $_ ne $rights } @blocks)
{
	my ($title) = $block =~ /^(.*)$/m;
	is(($node->psql('shop', $block, on_error_stop => 1))[0], 0, "the page's $title");
}
is($node->safe_psql('shop', q{SELECT store_credit_clock() IS NOT NULL; SHOW storecredit.notify_kinds; SHOW storecredit.remind_before}),
	"t\ncredit, expiration\n7 days", 'sets what it says');
books_are_sound($node, 'shop', 'the books are sound');
$_->disconnect foreach $listener, $app;
$node->stop;
done_testing();
