# Debian packages for the sandbox: which are missing, and where the private
# server's files come from.  Sourced by test/lib/sandbox, whose $sandbox,
# $needed and $extensions it uses.
# shellcheck shell=bash disable=SC2154

# Those of the given packages that are not installed.
not_installed() {
	local package
	for package in "$@"; do
		[ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || printf '%s\n' "$package"
	done
}

# Run apt-get quietly as root, and show what it said only when it fails.
run_apt_get() {
	local log=$sandbox/tmp/apt.log
	local command=(apt-get --quiet=2 --option DPkg::Lock::Timeout=300 "$@")
	if [ "$EUID" -ne 0 ]; then
		command=(sudo "${command[@]}")
	fi
	DEBIAN_FRONTEND=noninteractive "${command[@]}" >"$log" 2>&1 </dev/null || {
		cat "$log" >&2
		return 1
	}
}

may_install() { [ "$EUID" -eq 0 ] || command -v sudo >/dev/null; }

# At most once.  A source that cannot be reached need not be one that we want
# something from.
refresh_lists() {
	if [ -z "$lists_are_new" ] && may_install; then
		lists_are_new=1
		run_apt_get update || say "not all package lists could be refreshed; trying with what there is"
	fi
}

install_packages() {
	[ $# -gt 0 ] || return 0
	may_install || die "these packages are missing, and there is no sudo to install them with: $*"
	say "installing $*"
	refresh_lists
	run_apt_get install --yes --no-install-recommends "$@" || die "could not install $*"
}

installed_major() {
	local server
	for server in /usr/lib/postgresql/*/bin/postgres; do
		if [ -x "$server" ]; then
			server=${server%/bin/postgres}
			printf '%s\n' "${server##*/}"
		fi
	done | sort -n | tail -n 1
}

offered_major() {
	apt-cache depends postgresql 2>/dev/null | sed -n 's/^ *Depends: postgresql-\([0-9]*\)$/\1/p'
}

# Whether all of the given packages are here, in one version.
installed_together() {
	local states
	states=$(dpkg-query -W -f='${db:Status-Status} ${Version}\n' "$@" 2>/dev/null | sort -u)
	[ -z "$(not_installed "$@")" ] && [ "$(wc -l <<<"$states")" -eq 1 ]
}

# Only what the packages brought: whatever else was put into the machine's
# PostgreSQL by hand, an older storecredit say, has no place in the copy.
copy_installed() {
	local file
	dpkg -L "$@" | grep -E '^/usr/(lib|share|include)/postgresql/' | while read -r file; do
		if [ -f "$file" ] || [ -L "$file" ]; then
			printf '%s\n' "${file#/}"
		fi
	done | tar -C / --no-recursion --files-from=- -cf - | tar -C "$sandbox/server" --no-same-owner -xf - ||
		die "could not copy the files of $*"
}

# Downloading needs no root; only old package lists may make it need new ones.
download() { (cd "$sandbox/tmp/packages" && apt-get --quiet=2 download "$@") >"$sandbox/tmp/apt.log" 2>&1; }

download_and_unpack() {
	local folder=$sandbox/tmp/packages file
	say "downloading $*"
	mkdir -p "$folder"
	if ! download "$@"; then
		refresh_lists
		download "$@" || {
			cat "$sandbox/tmp/apt.log" >&2
			die "could not download $*"
		}
	fi
	for file in "$folder"/*.deb; do
		dpkg-deb --extract "$file" "$sandbox/server" || die "could not unpack $file"
		mapfile -t -O "${#needed[@]}" needed < <(dependencies "$file")
		rm "$file"
	done
}

# Packages that must be of one version come in one call.
fill_server() {
	if installed_together "$@"; then
		copy_installed "$@"
	else
		download_and_unpack "$@"
	fi
}

# The libraries and the time zones that an unpacked package cannot do without.
# LLVM is not among them: the private server has no just-in-time compiler.
dependencies() {
	dpkg-deb --field "$1" Depends | tr ',' '\n' | sed 's/^ *\([a-z0-9.+-]*\).*/\1/' |
		grep -E '^(lib|tzdata)' | grep -vE '^(libllvm|libpq-dev)'
}

# Install what is missing in $needed, and fill $sandbox/server with PostgreSQL
# and the packaged extensions in $extensions.  Sets PG_MAJOR.
provide_packages() {
	local server extension missing lists_are_new=

	PG_MAJOR=${PG_MAJOR:-$(installed_major)}
	PG_MAJOR=${PG_MAJOR:-$(offered_major)}
	if [ -z "$PG_MAJOR" ]; then
		refresh_lists
		PG_MAJOR=$(offered_major)
	fi
	[ -n "$PG_MAJOR" ] || die "found no package of PostgreSQL"
	export PG_MAJOR

	server=("postgresql-$PG_MAJOR" "postgresql-client-$PG_MAJOR" "postgresql-server-dev-$PG_MAJOR")
	if [ -n "${SERVER_FILES-}" ]; then
		cp -a "$SERVER_FILES/." "$sandbox/server/" || die "could not copy $SERVER_FILES"
	else
		fill_server "${server[@]}"
	fi
	for extension in "${extensions[@]}"; do
		fill_server "postgresql-$PG_MAJOR-$extension"
	done
	rm -rf "$sandbox/server/usr/lib/postgresql/$PG_MAJOR/lib"/{bitcode,llvmjit*}

	mapfile -t missing < <(not_installed "${needed[@]}" | sort -u)
	install_packages "${missing[@]}"
}
