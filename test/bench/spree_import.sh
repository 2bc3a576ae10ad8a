# How long the import of a shop of EVENTS events takes, a second run that finds nothing to do, and the proof that
# the ledger is sound.  Sourced by run.
# shellcheck shell=bash disable=SC2034,SC2153,SC2154

measure_import() {
	say "loading a shop of $EVENTS events into database spree_shop"
	createdb spree_shop
	sql --dbname=spree_shop --command="CREATE EXTENSION storecredit" --command="SELECT storecredit.create_ledger()" >/dev/null
	sql --dbname=spree_shop --set=credits=$((EVENTS * 10 / 36)) --file="$here/spree_import.sql"
	sql --dbname=spree_shop --command=CHECKPOINT

	say 'import'
	printf 'shop_events\t%s\n' "$(sql --dbname=spree_shop --command="SELECT count(*) FROM spree_store_credit_events")" >>"$results"
	measure_import_call 'import'
	measure_import_call 'import again, with nothing new'
	check_books spree_shop
}

# Seconds by the clock, and of the processor in the session.
measure_import_call() {
	local ticks='\echo ticks `cut -d " " -f 14,15 /proc/:pid/stat`'

	printf '%s\n' "SET temp_buffers = '64MB';" 'SELECT pg_backend_pid() AS pid \gset' "$ticks" '\timing on' \
		"CALL storecredit.spree_import_all('spree_store_credits');" '\timing off' "$ticks" |
		sql --dbname=spree_shop |
		awk -v name="$1" -v hertz="$(getconf CLK_TCK)" -v OFS='\t' '
			$1 == "ticks" { before = after; after = $2 + $3 }
			/^Time:/ { wall = $2 / 1000 }
			END { print "import", name, wall, (after - before) / hertz }' >>"$results"
}
