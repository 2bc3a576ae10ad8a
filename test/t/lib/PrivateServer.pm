# A copy of a Debian server that a test may install into: Debian's programs find
# their files relative to themselves, so the copy is a server of its own.

package PrivateServer;

use strict;
use warnings;
use File::Basename;
use File::Path qw(make_path);
use PostgreSQL::Test::Utils;
use Test::More;

use Exporter 'import';
our @EXPORT = qw(server_in_use copy_server copy_source install_source);

# Where the server that is tested lies, and its major version; nothing where it
# is not laid out as Debian does.
sub server_in_use
{
	my $bindir = `pg_config --bindir`;
	return $bindir =~ m{^(.*)/usr/lib/postgresql/(\d+)/bin\n$};
}

# Copies the server of a major version from under a root, and returns where the
# copy is in terms of PostgreSQL::Test::Cluster: an install_path.
sub copy_server
{
	my ($root, $major, $name) = @_;
	my $copy = "$PostgreSQL::Test::Utils::tmp_check/$name";
	foreach my $folder ("lib/postgresql/$major", "share/postgresql/$major", 'include/postgresql')
	{
		make_path(dirname("$copy/usr/$folder"));
		system_or_bail('cp', '-a', "$root/usr/$folder", "$copy/usr/$folder");
	}
	my $install_path = "$copy/usr/lib/postgresql/$major";
	# The just-in-time compiler wants a library that is larger than all the rest.
	unlink(glob("$install_path/lib/llvmjit*"));
	link_libraries($root, $install_path);
	return $install_path;
}

# Libraries of the root's suite that this machine's suite has no more.  The C
# library is never among them: it runs what was linked with an older one.
sub link_libraries
{
	my ($root, $install_path) = @_;
	local $ENV{LD_LIBRARY_PATH} = "$install_path/lib";
	my %missing;
	do
	{
		%missing = map { $_ => 1 } `ldd $install_path/bin/* 2>/dev/null` =~ /^\s*(\S+) => not found$/mg;
		foreach my $library (sort keys %missing)
		{
			my ($file) = glob("$root/usr/lib/*-linux-gnu/$library $root/lib/*-linux-gnu/$library");
			die "$root has no $library\n" unless defined $file && -e $file;
			symlink($file, "$install_path/lib/$library") or die "could not link $file: $!\n";
		}
	} while (%missing);
	return;
}

# A copy of the source that a test may change, with what was compiled for the
# server under test, and less what other tests write.
sub copy_source
{
	my ($name) = @_;
	my $copy = "$PostgreSQL::Test::Utils::tmp_check/$name";
	mkdir($copy) or die "could not make $copy: $!\n";
	system_or_bail('cp', '-a', 'Makefile', 'storecredit.control', 'sql', 'src', 'test', $copy);
	return $copy;
}

# Builds a source tree for a server and installs it there.  make may itself have
# been started by make, whose flags are not meant for this one.
sub install_source
{
	my ($source, $install_path) = @_;
	local %ENV = %ENV;
	delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES)};
	$ENV{LD_LIBRARY_PATH} = "$install_path/lib";
	my @make = ('make', '--silent', '-C', $source, 'with_llvm=no', "PG_CONFIG=$install_path/bin/pg_config");
	system_or_bail(@make, '--jobs=2', 'all');
	system_or_bail(@make, 'install');
	return;
}

1;
