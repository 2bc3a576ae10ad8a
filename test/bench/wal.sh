# WAL per call, where no page owes a full-page image; of so many that splits of index pages count as they should.  Sourced by run.
# shellcheck shell=bash disable=SC2034,SC2153,SC2154

measure_wal() {
	local contestant

	need_live_database
	for contestant in bare plpgsql orm debit debit_id debit_key debit_plain credit credit_key credit_expiring credit_plain; do
		measure_wal_of "$contestant" "$contestant"
	done
	check_books live
}

# measure_wal_of CONTESTANT NAME
measure_wal_of() {
	local from to

	slice "$1" few 1 --transactions="$CALLS" >/dev/null
	from=$(sql --command="SELECT pg_current_wal_flush_lsn()")
	slice "$1" few 1 --transactions=$((CALLS * 5)) >/dev/null
	to=$(sql --command="SELECT pg_current_wal_flush_lsn()")
	pg_waldump --path="$PGDATA/pg_wal" --start="$from" --end="$to" --stats=record >"$OUT/wal.$2"
	awk -v OFS='\t' -v name="$2" -v calls=$((CALLS * 5)) '
		$1 == "Total" { print "wal", name, $2 / calls, $3 / calls, $5 / calls }' "$OUT/wal.$2" >>"$results"
}
