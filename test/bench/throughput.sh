# Calls per second and their latency, everybody in interleaved slices.  Sourced by run.
# shellcheck shell=bash disable=SC2034,SC2153,SC2154

measure_throughput() {
	local all=(bare plpgsql orm debit debit_id debit_row debit_key debit_plain credit credit_id credit_key credit_plain)

	need_live_database
	compare '1 client, synchronous_commit off' ordinary 1 off "${all[@]}"
	compare '4 clients, synchronous_commit off' ordinary 4 off "${all[@]}"
	compare '16 clients, fsync on' ordinary 16 on "${all[@]}"
	compare '16 clients on one account, fsync on' hot 16 on bare plpgsql orm debit debit_id debit_row debit_plain
	check_books live
	record_hot_updates
}

# compare SCENARIO ACCOUNTS CLIENTS SYNCHRONOUS_COMMIT CONTESTANT...
compare() {
	local scenario=$1 accounts=$2 clients=$3 sync=$4 contestants=() round i contestant figures

	say "$scenario"
	for contestant in "${@:5}"; do
		if [[ " ${CONTESTANTS:-$*} " == *" $contestant "* ]]; then
			contestants+=("$contestant")
		fi
	done
	for ((round = 0; round < ROUNDS; round++)); do
		for i in "${!contestants[@]}"; do
			contestant=${contestants[(i + round) % ${#contestants[@]}]}
			figures=$(PGOPTIONS="-c synchronous_commit=$sync" \
				slice "$contestant" "$accounts" 1 --client="$clients" --time="$SLICE")
			printf 'slice\t%s\t%s\t%s\t%s\n' "$scenario" "$round" "$contestant" "$figures" >>"$results"
		done
	done
}

# How many of the updates so far needed no new index entry.
record_hot_updates() {
	sql --field-separator=$'\t' --command="
		SELECT 'hot', relname, n_tup_upd, n_tup_hot_upd
		  FROM pg_stat_user_tables
		 WHERE schemaname IN ('storecredit', 'bench') AND n_tup_upd > 0" >>"$results"
}
