# 10,000 mutated literals of money_ccy.  Each must give an error that names the
# type, or a value that prints and parses to itself.  Which of the two, and
# which value, is foretold here by a reading of the grammar that shares nothing
# with the code under test.
#
# MONEY_CCY_FUZZ_SEED and MONEY_CCY_FUZZ_COUNT try others.

use strict;
use warnings;
use Math::BigInt;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{MONEY_CCY_FUZZ_SEED} // 42;
my $count = $ENV{MONEY_CCY_FUZZ_COUNT} // 10_000;
srand($seed);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', 'fsync = off');
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION storecredit');

my %scale = map { split /\|/ }
  split /\n/, $node->safe_psql('postgres', 'SELECT code, minor_units FROM storecredit.currency');
cmp_ok(scalar(keys %scale), '>', 150, 'the currencies are known');

my @sound = (
	'49.99 USD', '1000 JPY', '-1.234 BHD', '0.0001 CLF', '+7 EUR', '  12.5   usd  ', '0.00 GBP',
	'92233720368547758.07 USD', '-92233720368547758.08 USD', '9223372036854775807 JPY',
	'-9223372036854775808 JPY', '922337203685477.5807 UYW', '00012.10 CHF', "1\t\nSEK");
# Every byte that a database in SQL_ASCII can hold, and what is like the right thing but is not.
my @pieces = (
	(map { chr } 1 .. 255),
	qw(0 1 9 00 . . - + _ e E), ',', ' ', '  ', "\t", 'NaN', 'inf', '0x', 'USD', 'usd', 'JPY', 'KWD', 'XXX', 'XAU', 'ZZZ',
	'USDC', "\xC2\xA0", "\xD9\xA3", "\xEF\xBC\x91", '99999999999999999999', '0' x 40, ' ' x 40);

sub mutate
{
	my $literal = shift;
	foreach (1 .. 1 + int(rand(3)))
	{
		my $at = int(rand(length($literal) + 1));
		my $length = $at < length($literal) ? int(rand(4)) : 0;
		my $kind = int(rand(4));
		my $piece = $pieces[ rand(@pieces) ];
		if ($kind == 0) { substr($literal, $at, 0) = $piece; }
		elsif ($kind == 1) { substr($literal, $at, $length) = ''; }
		elsif ($kind == 2) { substr($literal, $at, $length) = $piece; }
		else { $literal .= substr($literal, $at); }
	}
	return $literal;
}

# What must come of a literal: minor units and code, or an SQLSTATE.
sub foretell
{
	my $blank = '[ \t\n\x0B\f\r]';
	my ($sign, $whole, $fraction, $code) =
	  $_[0] =~ /\A$blank*([-+]?)([0-9]+)(?:\.([0-9]+))?$blank+([A-Za-z]+)$blank*\z/
	  or return '22P02';
	$code = uc($code);
	$fraction //= '';
	return '22P02' if !exists $scale{$code} || length($fraction) > $scale{$code};
	my $minor = Math::BigInt->new($whole . $fraction . '0' x ($scale{$code} - length($fraction)));
	$minor->bneg if $sign eq '-';
	return '22003'
	  if $minor > Math::BigInt->new('9223372036854775807') || $minor < Math::BigInt->new('-9223372036854775808');
	return $minor->bstr . " $code";
}

my (@literals, $rows);
foreach my $n (1 .. $count)
{
	my $literal = mutate($sound[ rand(@sound) ]);
	push @literals, $literal;
	$rows .= "$n\t\\\\x" . unpack('H*', $literal) . "\t" . foretell($literal) . "\n";
}
my $file = "$PostgreSQL::Test::Utils::tmp_check/literals.tsv";
append_to_file($file, $rows);

$node->safe_psql(
	'postgres', qq{
	CREATE DATABASE fuzz ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0;
	});
$node->safe_psql(
	'fuzz', qq{
	CREATE EXTENSION storecredit;
	CREATE TABLE cases (n integer, bytes bytea, foretold text, verdict text, got text);
	\\copy cases (n, bytes, foretold) FROM '$file'
	CREATE FUNCTION verdict(literal text, OUT verdict text, OUT got text) LANGUAGE plpgsql AS \$\$
	DECLARE
		money storecredit.money_ccy;
		reason text;
	BEGIN
		money := literal::storecredit.money_ccy;
		got := storecredit.money_ccy_to_minor(money) || ' ' || storecredit.money_ccy_currency(money);
		verdict := CASE
			WHEN money::text::storecredit.money_ccy OPERATOR(storecredit.<>) money THEN 'does not parse to itself'
			WHEN money::text::storecredit.money_ccy::text <> money::text THEN 'does not print as itself'
			ELSE 'a value' END;
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS reason = PG_EXCEPTION_DETAIL;
		got := SQLSTATE;
		verdict := CASE
			WHEN SQLERRM !~ 'money_ccy' OR position(literal IN SQLERRM) = 0 THEN 'does not name the type and the value'
			WHEN reason = '' THEN 'gives no reason'
			ELSE 'a refusal' END;
	END \$\$;
	UPDATE cases SET (verdict, got) = (SELECT v.verdict, v.got FROM verdict(convert_from(bytes, 'SQL_ASCII')) AS v);
	});

is($node->safe_psql('fuzz', 'SELECT count(*) FROM cases'), $count, "$count literals were tried, with seed $seed");
is( $node->safe_psql(
		'fuzz', q{SELECT n, bytes, verdict FROM cases WHERE verdict NOT IN ('a value', 'a refusal') ORDER BY n LIMIT 5}),
	'',
	'each is refused with the type, the value and a reason, or prints and parses to itself');
is( $node->safe_psql(
		'fuzz', 'SELECT n, bytes, foretold, got FROM cases WHERE got IS DISTINCT FROM foretold ORDER BY n LIMIT 5'),
	'',
	'each is what the grammar says that it is');
foreach my $kind ('[0-9 ]+[A-Z]{3}', '22P02', '22003')
{
	cmp_ok($node->safe_psql('fuzz', "SELECT count(*) FROM cases WHERE got ~ '^-?$kind\$'"),
		'>', $count / 500, "there were enough of the kind $kind");
}
# A crash would have restarted the server.
unlike(slurp_file($node->logfile), qr/terminated by signal|PANIC/, 'the server stayed up');

$node->stop;
done_testing();
