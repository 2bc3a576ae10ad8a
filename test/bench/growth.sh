# What a debit costs as open credits grow in number: those that lie in the account, and those that
# the debit uses up.  Sourced by run.
# shellcheck shell=bash disable=SC2034,SC2153,SC2154

measure_growth() {
	local calls=$((CALLS / ROUNDS)) round contestant n

	need_live_database
	say 'open credits in the account, credits used up by a debit'
	for ((round = 0; round < ROUNDS; round++)); do
		for contestant in debit plpgsql; do
			for n in 1 10 100 1000; do
				record_growth open "$round" "$contestant" "$n" "open_$n" 1 --time="$SLICE"
			done
		done
		# A credit can be used up once: each round goes on where the last one ended.
		for contestant in debit_many plpgsql_many; do
			for n in 1 10 100; do
				record_growth used "$round" "$contestant" "$n" "uses_$n" "$n" --transactions="$calls" \
					--define=i=$((calls * round))
			done
		done
	done
	check_books live
}

# record_growth open|used ROUND CONTESTANT CREDITS, and the rest of slice's arguments.
record_growth() {
	local figures

	figures=$(PGOPTIONS='-c synchronous_commit=off' slice "$3" "${@:5}")
	printf '%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" "$figures" >>"$results"
}
