# What the rest of a credit's life costs: each operation beside a debit, the sweep beside a plain
# UPDATE of as many rows and what debits feel of it, and batches.  Sourced by run.
# shellcheck shell=bash disable=SC2034,SC2153,SC2154

measure_life() {
	say "loading $DUE accounts with credits that will expire, into database life"
	createdb life
	sql --dbname=life --file="$here/baseline.sql"
	sql --dbname=life --command="CREATE EXTENSION storecredit" --command="SELECT storecredit.create_ledger()" >/dev/null
	sql --dbname=life --set=due="$DUE" --set=rounds="$ROUNDS" --set=items="$ITEMS" --file="$here/life.sql"
	sql --dbname=life --command="VACUUM (ANALYZE)" --command=CHECKPOINT

	say 'each operation beside a debit'
	sql --dbname=life --command="CALL bench.measure_operations($ROUNDS, $CALLS)"
	say 'the sweep beside an UPDATE'
	sql --dbname=life --command="CALL bench.measure_sweep($ROUNDS)"
	measure_debits_during_sweep
	say 'batches beside single calls and a set-based function'
	sql --dbname=life --command="CALL bench.measure_batches($ROUNDS)"
	measure_single_credits
	sql --dbname=life --command="SELECT line FROM bench.noted" >>"$results"
	check_books life
}

# The debits come at a fixed rate, so that they measure waiting and not each other; those count that end
# while the sweep is running.
measure_debits_during_sweep() {
	local when from to

	say 'debits while a sweep is running'
	for when in idle sweep; do
		rm -f "$SANDBOX"/tmp/rated.*
		PGDATABASE=life pgbench --no-vacuum --protocol=prepared --client=4 --rate=1000 --time="$((SLICE + 1))" \
			--file="$here/calls/debit.sql" --log --log-prefix="$SANDBOX/tmp/rated" \
			--define=first=1 --define=last="$DUE" --define=amount='0.01 USD' >/dev/null 2>&1 &
		sleep 1
		from=$(date +%s%6N)
		case $when in
			idle) sleep "$SLICE" ;;
			sweep) sql --dbname=life --command="CALL bench.sweep_last()" ;;
		esac
		to=$(date +%s%6N)
		wait
		awk -v from="$from" -v to="$to" '$5 * 1000000 + $6 >= from && $5 * 1000000 + $6 <= to { print $3 }' "$SANDBOX"/tmp/rated.* |
			sort -n | awk -v OFS='\t' -v when="$when" '
				{ latency[NR] = $1 }
				END { print "rated", when, latency[int(NR * 0.5) + 1], latency[int(NR * 0.99)], latency[NR] }' >>"$results"
	done
}

# What an application does without a batch: a call, a commit, the next.
measure_single_credits() {
	local round rate

	for ((round = 1; round <= ROUNDS; round++)); do
		rate=$(PGDATABASE=life PGOPTIONS='-c synchronous_commit=on' pgbench --no-vacuum --protocol=prepared --client=1 \
			--time="$SLICE" --file="$here/calls/credit.sql" --define=first=1 --define=last="$ITEMS" \
			--define=amount='5.00 USD' 2>/dev/null | awk '/^tps/ { print $3 }')
		printf 'batch\t%s\tsingle\t%s\n' "$round" "$rate" >>"$results"
	done
}
