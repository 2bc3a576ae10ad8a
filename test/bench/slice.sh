# One contestant for some seconds, or for some calls.  Sourced by run.
# shellcheck shell=bash disable=SC2034,SC2153,SC2154

# Contestants that send the same script under other settings.
declare -A script=([debit_plain]=debit [credit_plain]=credit)
declare -A setting=([debit_plain]='-c storecredit.fast_path=off' [credit_plain]='-c storecredit.fast_path=off')

script_of() { printf '%s' "$here/calls/${script[$1]:-$1}.sql"; }

# slice CONTESTANT ACCOUNTS CENTS PGBENCH-OPTIONS...: prints the figures of figures.pl.
slice() {
	local contestant=$1 accounts=$2 cents=$3 log=$SANDBOX/tmp/log self=$BASHPID children before after

	rm -f "$log".*
	children=$(server_children)
	before=$(clocks "$self")
	PGOPTIONS="${setting[$contestant]:-} ${PGOPTIONS:-}" pgbench --no-vacuum --protocol=prepared \
		--file="${file:-$(script_of "$contestant")}" --log --log-prefix="$log" \
		--define=first="${first[$accounts]}" --define=last="${last[$accounts]}" --define=cents="$cents" \
		--define=amount="$(printf '%d.%02d USD' $((cents / 100)) $((cents % 100)))" "${@:4}" \
		>/dev/null 2>"$SANDBOX/tmp/pgbench.err" || {
		cat "$SANDBOX/tmp/pgbench.err" >&2
		return 1
	}
	while [ "$(server_children)" -gt "$children" ]; do sleep 0.01; done
	after=$(clocks "$self")
	perl "$here/figures.pl" "$before" "$after" "$log".*
}

# CPU time until now, in clock ticks: of the machine, busy and idle; of the backends that have ended;
# and of what the given process of ours has run, which is pgbench.
clocks() {
	awk '/^cpu / { print $2 + $3 + $4 + $7 + $8 + $9, $5 + $6 }' /proc/stat
	awk '{ print $16 + $17 }' "/proc/$postmaster/stat" "/proc/$1/stat"
}

server_children() { wc -w <"/proc/$postmaster/task/$postmaster/children"; }
