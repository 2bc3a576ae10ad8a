# A mail server for tests: it listens on the loopback interface, keeps what it is
# sent in a folder, and does to some recipients what mail servers do.
#
#   refused@…	550 to RCPT			rejected@…	554 to the mail
#   later@…		451 to RCPT			held@…		no answer to the mail until let_go()

package SmtpSink;

use strict;
use warnings;
use File::Temp qw(tempdir);
use IO::Select;
use IO::Socket::INET;
use MIME::Base64;
use POSIX qw(_exit);
use Time::HiRes qw(sleep);
use PostgreSQL::Test::Utils;

sub new
{
	my ($class) = @_;
	my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 20)
	  or die "could not listen: $!\n";
	my $self = bless { folder => tempdir(CLEANUP => 1), port => $listener->sockport, parent => $$ }, $class;
	defined($self->{pid} = fork()) or die "could not fork: $!\n";
	$self->serve($listener) if $self->{pid} == 0;
	return $self;
}

sub stop
{
	my ($self) = @_;
	return unless $self->{pid} && $self->{parent} == $$;
	local $?;
	kill 'KILL', $self->{pid};
	waitpid($self->{pid}, 0);
	delete $self->{pid};
	return;
}

sub DESTROY { return $_[0]->stop }

sub address { return "127.0.0.1:$_[0]{port}" }

# ---- the server --------------------------------------------------------------------

# A process for each connection.  Nobody's END blocks are run in them.
sub serve
{
	my ($self, $listener) = @_;
	$SIG{CHLD} = 'IGNORE';
	while (1)
	{
		my $client = $listener->accept or next;
		next if fork();
		eval { $self->talk($client) };
		_exit(0);
	}
}

sub talk
{
	my ($self, $client) = @_;
	my $say = sub { print {$client} "$_[0]\r\n" };
	my $to;
	$client->autoflush(1);
	$say->('220 sink');
	while (defined(my $line = <$client>))
	{
		$line =~ s/\r?\n$//;
		if ($line =~ /^RCPT TO:<(.*?)>/i)
		{
			$to = $1;
			$say->($to =~ /^refused@/ ? '550 no such user' : $to =~ /^later@/ ? '451 try again later' : '250 ok');
		}
		elsif ($line =~ /^DATA$/i)
		{
			$say->('354 go ahead');
			my $mail = read_mail($client) // return;
			return if $to =~ /^held@/ && !$self->hold($client);
			$self->keep($to, $mail) unless $to =~ /^rejected@/;
			$say->($to =~ /^rejected@/ ? '554 not wanted' : '250 ok');
		}
		elsif ($line =~ /^QUIT$/i)
		{
			$say->('221 bye');
			return;
		}
		else
		{
			$say->('250 ok');
		}
	}
	return;
}

sub read_mail
{
	my ($client) = @_;
	my $mail = '';
	while (defined(my $line = <$client>))
	{
		return $mail if $line eq ".\r\n";
		$mail .= $line =~ s/^\.//r;
	}
	return;
}

# False if the client is gone meanwhile.
sub hold
{
	my ($self, $client) = @_;
	my $select = IO::Select->new($client);
	append_to_file("$self->{folder}/holding", '');
	until (-e "$self->{folder}/go")
	{
		return 0 if $select->can_read(0.05);
	}
	return 1;
}

sub keep
{
	my ($self, $to, $mail) = @_;
	my $file = "$self->{folder}/$$";
	append_to_file($file, "To-Mailbox: $to\r\n$mail");
	rename($file, "$file.mail") or die "could not rename $file: $!\n";
	return;
}

# ---- what tests ask it --------------------------------------------------------------

sub wait_until
{
	my ($condition, $what) = @_;
	foreach (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		return 1 if $condition->();
		sleep(0.1);
	}
	die "waited in vain for $what\n";
}

sub wait_until_holding
{
	my ($self) = @_;
	return wait_until(sub { -e "$self->{folder}/holding" }, 'a mail to be held');
}

sub let_go
{
	my ($self) = @_;
	append_to_file("$self->{folder}/go", '');
	return;
}

sub hold_again
{
	my ($self) = @_;
	unlink("$self->{folder}/go", "$self->{folder}/holding");
	return;
}

# Of the mails that were taken since the last call: their headers, and the text.
sub mails
{
	my ($self, $count) = @_;
	my @files;
	wait_until(sub { (@files = glob("$self->{folder}/*.mail")) >= ($count // 0) }, "$count mails");
	my @mails;
	foreach my $file (@files)
	{
		my ($head, $body) = split(/\r\n\r\n/, slurp_file($file), 2);
		my %mail = map { /^([\w-]+): (.*)/s } split(/\r\n(?! )/, $head);
		push @mails, { %mail, text => decode_base64($body) =~ s/\r\n/\n/gr };
		unlink($file);
	}
	return @mails;
}

1;
