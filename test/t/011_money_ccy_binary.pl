# The binary form of money_ccy: what COPY writes it reads, and what it would
# not write it refuses, as strictly as text input does.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', 'fsync = off');
$node->start;
$node->safe_psql(
	'postgres', q{
	CREATE EXTENSION storecredit;
	CREATE TABLE given (n integer, m storecredit.money_ccy, a storecredit.money_ccy[]);
	INSERT INTO given
		SELECT row_number() OVER (), storecredit.money_ccy_from_minor(minor, code),
			ARRAY[storecredit.money_ccy_from_minor(minor, code), NULL]
		FROM storecredit.currency, unnest('{0,1,-1,4999,9223372036854775807,-9223372036854775808}'::bigint[]) AS minor;
	INSERT INTO given VALUES (0, NULL, '{}');
	CREATE TABLE taken (LIKE given);
	CREATE TABLE usd (m storecredit.money_ccy(USD));
	});

my $folder = $PostgreSQL::Test::Utils::tmp_check;
$node->safe_psql(
	'postgres', qq{
	\\copy given TO '$folder/given.copy' (FORMAT binary)
	\\copy taken FROM '$folder/given.copy' (FORMAT binary)
	});
is( $node->safe_psql('postgres', 'SELECT count(*), count(DISTINCT (g.m, g.a)) FROM given AS g JOIN taken AS t USING (n)
	WHERE (g.m, g.a)::text = (t.m, t.a)::text'),
	$node->safe_psql('postgres', 'SELECT count(*), count(*) FROM given'),
	'every currency and the ends of the range survive COPY in binary');
is($node->safe_psql('postgres', q{SELECT storecredit.money_ccy_send('-0.02 USD')}),
	'\xfffffffffffffffe555344', 'the wire has the minor units, then the code');

# Empties the table's rows and copies in a file in binary, one field a row.
sub copy_fields
{
	my ($target, @fields) = @_;
	my ($table) = $target =~ /^(\w+)/;
	my $file = "$folder/fields.copy";
	open(my $handle, '>:raw', $file) or die "could not write $file: $!";
	print $handle "PGCOPY\n\xff\r\n\0", pack('NN', 0, 0), (map { pack('nN', 1, length($_)), $_ } @fields), pack('n', 0xFFFF);
	close($handle);
	my (undef, undef, $errors) = $node->psql('postgres',
		"\\set VERBOSITY verbose\nTRUNCATE $table;\n\\copy $target FROM '$file' (FORMAT binary)");
	return $errors;
}

sub minor { return pack('q>', shift); }

is(copy_fields('usd', minor(4999) . 'USD'), '', 'a sound field is taken');
is($node->safe_psql('postgres', 'SELECT m FROM usd'), '49.99 USD', 'and is the amount');

my $bad_code = qr/22P03: invalid currency code in external "money_ccy" value/;
foreach my $case (
	[ 'a code that there is not', minor(1) . 'ZZZ', $bad_code ],
	[ 'a code of no payments', minor(1) . 'XAU', $bad_code ],
	[ 'a code in lower case', minor(1) . 'usd', $bad_code ],
	[ 'a code in part in lower case', minor(1) . 'USd', $bad_code ],
	[ 'a code of zero bytes', minor(1) . "\0\0\0", $bad_code ],
	[ 'a code that ends early', minor(1) . "US\0", $bad_code ],
	[ 'a code of high bytes', minor(1) . "\xD5\xD3\xC4", $bad_code ],
	[ 'a code of two letters', minor(1) . 'US', qr/08P01: insufficient data left in message/ ],
	[ 'an amount alone', minor(1), qr/08P01: insufficient data left in message/ ],
	[ 'half an amount', "\0\0\0\1", qr/08P01: insufficient data left in message/ ],
	[ 'nothing', '', qr/08P01: insufficient data left in message/ ],
	[ 'a byte too many', minor(1) . "USD\0", qr/22P03: incorrect binary data format/ ],
	[ 'the 16 bytes of the disk', minor(1) . "USD\0\0\0\0\0", qr/22P03: incorrect binary data format/ ],
	[ 'a reserved word that is not zero', minor(1) . "USD\0\0\0\0\1", qr/22P03: incorrect binary data format/ ],
	[ 'an amount as text', '499.99 USD', qr/08P01: insufficient data left in message/ ],
	[ 'another currency than the column has', minor(1) . 'EUR', qr/22000: currency "EUR" does not match type money_ccy\(USD\)/ ])
{
	my ($name, $field, $expected) = @$case;
	like(copy_fields('usd', $field), $expected, "$name is refused");
	is($node->safe_psql('postgres', 'SELECT count(*) FROM usd'), '0', "$name leaves nothing behind");
}

# Any eight bytes are an amount, of any currency.
srand(42);
my @codes = split /\n/, $node->safe_psql('postgres', 'SELECT code FROM storecredit.currency');
my @fields = map {
	join('', map { chr(int(rand(256))) } 1 .. 8) . $codes[ rand(@codes) ]
} 1 .. 2000;
copy_fields('taken (m)', @fields);
my $sent = $node->safe_psql('postgres', 'SELECT storecredit.money_ccy_send(m) FROM taken');
is($sent, join("\n", map { '\x' . unpack('H*', $_) } @fields), '2,000 random amounts come back bit by bit');

$node->stop;
done_testing();
