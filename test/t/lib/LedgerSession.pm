# A session with the server that a test leads step by step: it sends a
# statement, does something else meanwhile, and fetches the answer later.

package LedgerSession;

use strict;
use warnings;
use IPC::Run;
use PostgreSQL::Test::Utils;

my $mark = '=== answered';

sub new
{
	my ($class, $connstr) = @_;
	my $self = bless { in => '', out => '', err => '', state => '' }, $class;
	$self->{timer} = IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default);
	$self->{psql} = IPC::Run::start(
		[ 'psql', '-XAtq', '-d', $connstr, '-v', 'VERBOSITY=verbose' ],
		'<', \$self->{in}, '>', \$self->{out}, '2>', \$self->{err}, $self->{timer});
	$self->{pid} = $self->query('SELECT pg_backend_pid()');
	return $self;
}

sub pid { return $_[0]{pid}; }

# The SQLSTATE of the last statement of the answer fetched last, 00000 if all
# is well, or 'lost' for a lost connection; and its error, if it had one.
sub state { return $_[0]{state}; }
sub error { return $_[0]{err}; }

# For what takes as long as it takes.
sub never_time_out
{
	my ($self) = @_;
	$self->{timer}->reset;
	$self->{unhurried} = 1;
	return;
}

# Sends statements, without waiting for an answer.
sub send
{
	my ($self, $sql) = @_;
	$self->{out} = '';
	$self->{err} = '';
	$self->{in} .= "$sql\n;\\echo $mark :SQLSTATE\n";
	$self->{psql}->pump_nb;
	return $self;
}

# The answer to what was sent last.
sub answer
{
	my ($self) = @_;
	$self->{timer}->start unless $self->{unhurried};
	while ($self->{out} !~ /^$mark (\w+)\n/m)
	{
		if (!eval { $self->{psql}->pumpable && $self->{psql}->pump })
		{
			die $@ if $@ =~ /timeout/;
			$self->{state} = 'lost';
			return $self->{out};
		}
	}
	my ($answer, $state) = $self->{out} =~ /\A(.*?)\n?^$mark (\w+)\n/ms;
	$self->{timer}->reset;
	$self->{state} = $state;
	return $answer;
}

sub query
{
	my ($self, $sql) = @_;
	return $self->send($sql)->answer;
}

# Runs statements for the SQLSTATE that they end in.
sub state_of
{
	my ($self, $sql) = @_;
	$self->query($sql);
	return $self->state;
}

sub close
{
	my ($self) = @_;
	$self->{in} .= "\\q\n";
	eval { $self->{psql}->finish };
	return;
}

1;
