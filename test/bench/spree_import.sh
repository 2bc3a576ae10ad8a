#!/bin/bash
#
# spree_import.sh: how long the import of a shop of EVENTS events takes, a second
# run with nothing to do, and the proof that the ledger is sound.
#
#   bash test/lib/sandbox bash test/bench/spree_import.sh
#
# Prints one line for each: wall clock, and what was answered.

set -e -u -o pipefail

. test/lib/cluster.sh

: "${EVENTS:=1000000}"

sql() { psql --no-psqlrc --quiet --no-align --tuples-only --set=ON_ERROR_STOP=1 "$@"; }

measure() {
	local started=$EPOCHREALTIME answer
	answer=$(PGOPTIONS='-c temp_buffers=64MB' sql --command="$2")
	awk -v what="$1" -v started="$started" -v ended="$EPOCHREALTIME" -v answer="$answer" 'BEGIN {
		printf "%s: %.1f s, %s\n", what, ended - started, answer }'
}

start_cluster import "$(cat test/bench/server.conf)"
createdb shop
export PGDATABASE=shop
sql --command='CREATE EXTENSION storecredit' --command='SELECT storecredit.create_ledger()' >/dev/null
sql --set=credits=$((EVENTS * 10 / 36)) --file=test/bench/spree_import.sql
printf '%s events\n' "$(sql --command='SELECT count(*) FROM spree_store_credit_events')"
measure 'import (credits|entries|holds|quarantined)' "CALL storecredit.spree_import_all('spree_store_credits')"
measure 'second run' "CALL storecredit.spree_import_all('spree_store_credits')"
measure 'violations found by verify()' 'SELECT count(*) FROM storecredit.verify()'
stop_cluster
