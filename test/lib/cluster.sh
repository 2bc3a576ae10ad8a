# Throw-away clusters inside a sandbox.  Sourced by what runs there.
# shellcheck shell=bash

# Make and start a cluster of the given name, with further lines for its
# postgresql.conf.  It listens on a socket in its own folder and nowhere else,
# so its port cannot be taken; PGHOST, PGPORT and PGUSER lead programs to it.
start_cluster() {
	local folder=$SANDBOX/$1 log=$SANDBOX/$1/server.log
	shift
	mkdir "$folder"
	export PGHOST=$folder PGPORT=5432 PGUSER=postgres PGDATA=$folder/data
	initdb --username=postgres --auth=trust --no-sync >"$folder/initdb.log" 2>&1 || {
		cat "$folder/initdb.log" >&2
		return 1
	}
	printf '%s\n' "listen_addresses = ''" "unix_socket_directories = '$folder'" "log_line_prefix = '%m [%p] %q%a '" "$@" \
		>>"$PGDATA/postgresql.conf"
	pg_ctl start --silent --wait --log="$log" >/dev/null || {
		tail -n 40 "$log" >&2
		return 1
	}
}

stop_cluster() {
	pg_ctl stop --silent --mode=fast >/dev/null || pg_ctl stop --silent --mode=immediate >/dev/null
}
