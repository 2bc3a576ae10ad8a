#!/bin/bash
#
# verify_scale.sh: how long storecredit.verify() takes, and how much memory, on
# a ledger of ACCOUNTS accounts with five entries each, and on a tenth of it.
#
#   bash test/lib/sandbox bash test/bench/verify_scale.sh
#
# Prints one line for each of two passes: wall clock, the processor time of the
# server process, and the most memory that it had for itself, shared buffers not
# counted.

set -e -u -o pipefail

. test/lib/cluster.sh

: "${ACCOUNTS:=1000000}"

sql() { psql --no-psqlrc --quiet --no-align --tuples-only --set=ON_ERROR_STOP=1 "$@"; }

load() {
	createdb "$1"
	sql --dbname="$1" --command='CREATE EXTENSION storecredit' \
		--command='SELECT storecredit.create_ledger()' >/dev/null
	sql --dbname="$1" --set=accounts="$2" --file=test/bench/verify_scale.sql
	sql --dbname="$1" --command='VACUUM (ANALYZE)'
}

# Prints, once a process is gone, the most kB that it ever had for itself, and its clock ticks.
watch_process() {
	local most=0 now ticks=0 last
	while now=$(awk '/^RssAnon:/ { print $2 }' "/proc/$1/status" 2>/dev/null) && [ -n "$now" ]; do
		((now <= most)) || most=$now
		last=$(awk '{ print $14 + $15 }' "/proc/$1/stat" 2>/dev/null) && ticks=${last:-$ticks}
		sleep 0.05
	done
	echo "$most $ticks"
}

measure() {
	local database=$1 accounts=$2 output=$SANDBOX/pass started=$EPOCHREALTIME client backend memory ticks violations
	: >"$output"
	sql --dbname="$database" --command='SELECT pg_backend_pid()' \
		--command='SELECT count(*) FROM storecredit.verify()' >"$output" &
	client=$!
	until read -r backend <"$output" || ! kill -0 "$client" 2>/dev/null; do
		sleep 0.01
	done
	read -r memory ticks < <(watch_process "$backend")
	wait "$client"
	violations=$(tail -n 1 "$output")
	awk -v accounts="$accounts" -v started="$started" -v ended="$EPOCHREALTIME" -v memory="$memory" \
		-v cpu="$((ticks * 1000 / $(getconf CLK_TCK)))" -v violations="$violations" 'BEGIN {
		printf "%d accounts, %d transactions: %.1f s (processor %.1f s), %.0f transactions/s, %.1f MB, %d violations\n",
			accounts, 5 * accounts, ended - started, cpu / 1000, 5 * accounts / (ended - started), memory / 1024, violations }'
	[ "$violations" -eq 0 ]
}

start_cluster verify "$(cat test/bench/server.conf)"
for accounts in $((ACCOUNTS / 10)) "$ACCOUNTS"; do
	load "verify_$accounts" "$accounts"
	measure "verify_$accounts" "$accounts"
	measure "verify_$accounts" "$accounts"
done
stop_cluster
