# What the reports cost on a year of a shop.  Sourced by run.
# shellcheck shell=bash disable=SC2016,SC2034,SC2153,SC2154

measure_reports() {
	local name query

	say "loading a year of a shop with $ACCOUNTS accounts into database shop"
	createdb shop
	sql --dbname=shop --command="CREATE EXTENSION storecredit" --command="SELECT storecredit.create_ledger()" >/dev/null
	sql --dbname=shop --set=accounts="$ACCOUNTS" --file="$here/shop_year.sql" >/dev/null
	sql --dbname=shop --command="VACUUM (ANALYZE)" --command=CHECKPOINT
	check_books shop
	printf 'shop\t%s\n' "$(sql --dbname=shop --command="SELECT count(*) FROM storecredit.transaction")" >>"$results"

	say 'reports'
	while IFS='|' read -r name query; do
		printf 'report\t%s\t%s\t%s\n' "$name" "$(report_wall "$query")" "$(report_processor "$query")" >>"$results"
	done <"$here/reports.txt"
}

# Milliseconds by the clock, with the server's own plans: the least of ROUNDS, after one to warm up.
report_wall() {
	local round

	{
		printf '%s\n' "SET search_path = storecredit;" "$1;" '\timing on'
		for ((round = 1; round <= ROUNDS; round++)); do
			printf '%s;\n' "$1"
		done
	} | sql --dbname=shop --output=/dev/null |
		awk '/^Time:/ && (least == "" || $2 < least) { least = $2 } END { print least }'
}

# Milliseconds of the processor that one process takes alone, whatever else the machine does; in tens.
report_processor() {
	local ticks='\echo ticks `cut -d " " -f 14,15 /proc/:pid/stat`'

	printf '%s\n' "SET search_path = storecredit;" "SET max_parallel_workers_per_gather = 0;" \
		'SELECT pg_backend_pid() AS pid \gset' "$ticks" "$1;" "$ticks" |
		sql --dbname=shop --output=/dev/null |
		awk -v hertz="$(getconf CLK_TCK)" '$1 == "ticks" { before = after; after = $2 + $3 } END { print (after - before) * 1000 / hertz }'
}
