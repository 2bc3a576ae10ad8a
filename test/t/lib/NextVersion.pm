# A version after this one, made up: its library has a function more, a type has
# an attribute more, and its ledger a column, constraints, an index, a view and
# a table with a trigger.  It comes both as a new installation and as an update.

package NextVersion;

use strict;
use warnings;
use FindBin;
use PostgreSQL::Test::Utils;

use Exporter 'import';
our @EXPORT = qw(version_of make_next_version);

sub piece { return slurp_file("$FindBin::RealBin/lib/next_version/$_[0]"); }

sub version_of
{
	my ($source) = @_;
	my ($version) = slurp_file("$source/storecredit.control") =~ /^default_version = '(.*)'$/m
	  or die "$source has no version\n";
	return $version;
}

sub write_file
{
	my ($file, $text) = @_;
	unlink($file);
	append_to_file($file, $text);
	return;
}

# Each change replaces the one place that it is meant for by itself and more.
sub change
{
	my ($file, %changes) = @_;
	my $text = slurp_file($file);
	foreach my $place (keys %changes)
	{
		my $new = $changes{$place};
		$text =~ s/^\Q$place\E$/$new/m or die "$file has no line \"$place\"\n";
	}
	write_file($file, $text);
	return $text;
}

# An update replaces what a new installation creates.
sub replacing
{
	my ($definition) = @_;
	my ($function) = $definition =~ /^(CREATE FUNCTION .*?\n\$\w+\$;\n)/ms;
	return $function =~ s/^CREATE/CREATE OR REPLACE/r;
}

# Turns a copy of the source into the next version.
sub make_next_version
{
	my ($source) = @_;
	my $version = version_of($source);
	my $next = "$version.next";
	change("$source/storecredit.control", "default_version = '$version'" => "default_version = '$next'");
	change("$source/sql/30_ledger_types.sql",
		"\tmetadata_digest bytea" => "\tmetadata_digest bytea,\n\tchannel         text COLLATE \"C\"",
		"CREATE TYPE store_credit_hold AS (" => "COMMENT ON COLUMN store_credit_transaction.channel IS 'where it was spent';\n\nCREATE TYPE store_credit_hold AS (");
	my $create_ledger = change("$source/sql/40_create_ledger.sql",
		"\t\tlast_hash    bytea," =>
		  "\t\tlast_hash    bytea,\n\t\ttier text COLLATE \"C\" DEFAULT 'plain' NOT NULL CONSTRAINT account_tier_check CHECK (tier = ANY ('{plain,gold}')),",
		"\t\tCONSTRAINT transaction_seq_check CHECK (seq > 0)," =>
		  "\t\tCONSTRAINT transaction_seq_check CHECK (seq > 0),\n\t\tCONSTRAINT transaction_channel_check CHECK (channel <> ''),",
		'END' => piece('create.sql') . "\tCOMMENT ON COLUMN storecredit.account.tier IS 'plain or gold';\nEND");
	my $upgrade_ledger = change("$source/sql/45_upgrade_ledger.sql", "\t-- (here)" => piece('step.sql'));
	write_file("$source/sql/95_next_version.sql", piece('functions.sql'));
	write_file("$source/sql/storecredit--$version--$next.sql",
		piece('update.sql') . replacing($create_ledger) . replacing($upgrade_ledger) . piece('functions.sql'));
	write_file("$source/src/next_version.c", piece('library.c'));
	return $next;
}

1;
