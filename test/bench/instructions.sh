# Instructions per call, counted by callgrind: exact, and blind to what else the machine does.
# Sourced by run.
# shellcheck shell=bash disable=SC2034,SC2153,SC2154
#
# Each count is of CALLS calls, after as many to warm up: callgrind writes its counters out and
# begins anew whenever the server enters pg_backend_pid(), which is called before and after.

callgrind=(valgrind --quiet --tool=callgrind --dump-before=pg_backend_pid)

measure_instructions() {
	local contestant n

	create_database instructions 20000 "$CALLS"
	stop_server
	say 'instructions of a single-user backend'
	for contestant in nothing bare plpgsql debit debit_id debit_key debit_plain \
		credit credit_id credit_key credit_expiring credit_plain; do
		count_single "$contestant" "$contestant" ordinary 1
	done
	for n in 1 10 100 1000; do
		count_single "open_$n" debit "open_$n" 1
	done
	for n in 1 10 100; do
		CALLS=$((CALLS / 10)) count_single "used_$n" debit_many "uses_$n" "$n"
	done

	start_server_under_callgrind
	say 'instructions of a backend that serves a client'
	for contestant in nothing bare plpgsql orm debit debit_id debit_row debit_key credit credit_id credit_key; do
		count_live "$contestant"
	done
	stop_server
	start_server
	check_books instructions
}

# count_single NAME CONTESTANT ACCOUNTS CENTS
count_single() {
	perl "$here/execute.pl" "$(script_of "$2")" "$CALLS" "${first[$3]}" "${last[$3]}" "$4" >"$SANDBOX/tmp/calls.sql"
	# shellcheck disable=SC2086
	"${callgrind[@]}" --callgrind-out-file="$SANDBOX/tmp/callgrind" \
		postgres --single -D "$PGDATA" ${setting[$2]:-} "${database:-instructions}" \
		<"$SANDBOX/tmp/calls.sql" >"$SANDBOX/tmp/single.out" 2>"$SANDBOX/tmp/single.err"
	if grep -m 5 'ERROR\|FATAL\|PANIC' "$SANDBOX/tmp/single.err" >&2; then
		return 1
	fi
	record_instructions single "$1"
}

# count_live CONTESTANT: the same through pgbench and prepared statements.
count_live() {
	{
		printf '%s\n' '\set call :call + 1' "\\if :call = $((CALLS + 1)) or :call = $((CALLS * 2 + 1))" \
			'SELECT pg_backend_pid();' '\endif'
		cat "$(script_of "$1")"
	} >"$SANDBOX/tmp/live.sql"
	PGDATABASE=instructions file=$SANDBOX/tmp/live.sql slice "$1" ordinary 1 --define=call=0 \
		--transactions=$((CALLS * 2 + 1)) >/dev/null
	record_instructions live "$1"
}

start_server_under_callgrind() {
	"${callgrind[@]}" --callgrind-out-file="$SANDBOX/tmp/callgrind.%p" postgres -D "$PGDATA" >>"$OUT/server.log" 2>&1 &
	postmaster=$!
	until pg_isready --quiet; do
		kill -0 "$postmaster"
		sleep 0.1
	done
}

# The second part of the counters is what lies between the two calls of pg_backend_pid().
record_instructions() {
	local profile=$OUT/callgrind.$1.$2

	mv "$SANDBOX"/tmp/callgrind*.2 "$profile"
	rm -f "$SANDBOX"/tmp/callgrind*
	callgrind_annotate --inclusive=yes "$profile" >"$OUT/functions.$1.$2"
	printf 'instructions\t%s\t%s\t%d\n' "$1" "$2" $(($(sed -n 's/^totals: //p' "$profile") / CALLS)) >>"$results"
}
