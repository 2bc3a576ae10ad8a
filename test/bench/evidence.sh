# What a chain of hashes adds: the same calls before and after add_tamper_evidence().  Sourced by run.
# shellcheck shell=bash disable=SC2034,SC2153,SC2154

measure_evidence() {
	local kept=${PGDATABASE:-} from to

	create_database evidence 20000 "$CALLS"
	export PGDATABASE=evidence
	stop_server
	count_evidence_single nothing nothing
	count_evidence_single bare bare
	start_server
	measure_evidence_calls ''
	from=$(date +%s%N)
	sql --command="CALL storecredit.add_tamper_evidence()"
	to=$(date +%s%N)
	sql --command="SELECT count(*) FROM storecredit.transaction" | sed "s/^/evidence\t$(((to - from) / 1000000))\t/" >>"$results"
	sql --command="VACUUM (FULL, ANALYZE)"
	measure_evidence_calls _chained
	check_books evidence
	export PGDATABASE=$kept
	[ -n "$kept" ] || unset PGDATABASE
}

measure_evidence_calls() {
	local contestant

	sql --command="CHECKPOINT"
	for contestant in debit credit; do
		measure_wal_of "$contestant" "$contestant$1"
	done
	stop_server
	for contestant in debit credit; do
		count_evidence_single "$contestant$1" "$contestant"
	done
	start_server
}

count_evidence_single() { database=evidence count_single "$1" "$2" ordinary 1; }
