# The benchmark's cluster and what is loaded into it.  Sourced by run.
# shellcheck shell=bash disable=SC2034,SC2153,SC2154

say() { printf '# %(%T)T %s\n' -1 "$*"; }

# Over TCP, as applications come.
make_server() {
	local port

	port=$(perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 1)->sockport')
	start_cluster bench "$(cat "$here/server.conf")" "shared_buffers = $SHARED_BUFFERS" "listen_addresses = '127.0.0.1'" "port = $port"
	stop_server
	pg_checksums --enable --no-sync >/dev/null 2>&1
	export PGHOST=127.0.0.1 PGPORT=$port
	start_server
}

start_server() {
	pg_ctl start --silent --wait --log="$OUT/server.log" >/dev/null
	postmaster=$(head -n 1 "$PGDATA/postmaster.pid")
}

stop_server() { pg_ctl stop --silent --wait --mode=fast; }

sql() { psql --no-psqlrc --quiet --no-align --tuples-only --set=ON_ERROR_STOP=1 "$@"; }

# A database with so many ordinary accounts, and with credits for so many debits that use up 1, 10 or
# 100 credits each.  No checkpoint comes after the load, so that no page owes a full-page image.
create_database() {
	local database=$1 accounts=$2 calls=$3

	say "loading $accounts accounts into database $database"
	createdb "$database"
	sql --dbname="$database" --file="$here/baseline.sql"
	sql --dbname="$database" --set=accounts="$accounts" --set=calls="$calls" --file="$here/load.sql"
	sql --dbname="$database" --command="CREATE EXTENSION storecredit" \
		--command="SELECT storecredit.create_ledger()" >/dev/null
	sql --dbname="$database" --file="$here/load_ledger.sql"
	sql --dbname="$database" --command="VACUUM (ANALYZE)"
	check_books "$database"
	read_account_ranges "$database"
}

# Which account numbers a range of load.sql has.
read_account_ranges() {
	local name from to

	declare -gA first=([few]=1) last=([few]=$((CALLS / 10)))
	while read -r name from to; do
		first[$name]=$from
		last[$name]=$to
	done < <(sql --dbname="$1" --field-separator=" " --command="SELECT name, first, last FROM bench.account_range")
}

# The database of everything that is measured on a live server, made for the section that comes first.
need_live_database() {
	if [ -z "${PGDATABASE:-}" ]; then
		create_database live "$ACCOUNTS" "$CALLS"
		export PGDATABASE=live
	fi
}

# Fails unless every account is sound.
check_books() {
	local violations

	violations=$(sql --dbname="$1" --command="SELECT count(*) FROM storecredit.verify()")
	if [ "$violations" != 0 ]; then
		echo "storecredit.verify() found $violations violations in database $1" >&2
		return 1
	fi
}
