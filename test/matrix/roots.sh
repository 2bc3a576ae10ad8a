# Roots of other Debian suites, one for each PostgreSQL version: made by
# mmdebstrap, kept between runs, and entered with namespaces of their own.
# Sourced by test/matrix/run, which has source_tree, say and die.
# shellcheck shell=bash disable=SC2034,SC2154

# Some 800 MB each, and outside of the source tree, which every sandbox copies.
roots=${MATRIX_ROOTS:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/storecredit-matrix}

# Each supported version that a suite of Debian has, the oldest first.
versions=(15 17 18)
declare -A suites=([15]=bookworm [17]=trixie [18]=forky)

# What a root has from the start; the sandbox adds to it what else a test needs.
root_packages=(gcc libc6-dev make diffutils perl libipc-run-perl libdbd-pg-perl)

as_root() {
	if [ "$EUID" -eq 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

# A root is made and entered by root alone, with mounts of its own: what a
# container without the right to mount cannot have.
check_rights() {
	[ "$EUID" -eq 0 ] || sudo -v || die "other versions run in roots of their own, which need root or sudo"
	as_root unshare --mount --propagation private --pid --fork true ||
		die "this machine lets not even root make namespaces for mounts and processes, which the roots need"
}

provide_mmdebstrap() {
	if ! command -v mmdebstrap >/dev/null; then
		say "installing mmdebstrap"
		{ as_root apt-get --quiet=2 update; as_root apt-get --quiet=2 install --yes --no-install-recommends mmdebstrap; } \
			>/dev/null </dev/null || die "could not install mmdebstrap"
	fi
}

# The mirror that this machine takes Debian from.
mirror() {
	# shellcheck disable=SC2016 # these are apt's
	apt-get indextargets --format '$(ORIGIN) $(LABEL) $(SITE)' 'Created-By: Packages' |
		sed -n '/^Debian Debian /{s///p;q}'
}

# The headers, without the LLVM that their package depends on and that is larger
# than all the rest; with that dependency gone apt still finds the root whole.
install_headers() {
	local version=$1
	cd "$(mktemp -d)" &&
		apt-get --quiet=2 update &&
		apt-get --quiet=2 download "postgresql-server-dev-$version" &&
		dpkg-deb --raw-extract postgresql-server-dev-*.deb unpacked &&
		sed -i '/^Depends:/d' unpacked/DEBIAN/control &&
		dpkg-deb --build unpacked headers.deb &&
		dpkg --install headers.deb &&
		rm -rf "$PWD"
}

# In a mount namespace, so that nothing is left mounted, even when it is killed.
make_root() {
	local version=$1 root=$2 source packages
	source=$(mirror)
	[ -n "$source" ] || die "apt-get names no mirror of Debian"
	packages=$(IFS=,; printf '%s' "${root_packages[*]}")
	as_root rm -rf --one-file-system "$root.new"
	# A suite that is not released may not have been signed anew for a while.
	# shellcheck disable=SC2016 # mmdebstrap gives the root as its $1
	as_root unshare --mount --propagation private mmdebstrap --mode=root --variant=apt --format=directory \
		--aptopt='Acquire::Check-Valid-Until "false"' \
		--include="$packages,postgresql-$version,postgresql-$version-pgtap" \
		--essential-hook='mkdir "$1/etc/postgresql-common"' \
		--essential-hook='echo create_main_cluster = false >"$1/etc/postgresql-common/createcluster.conf"' \
		"${suites[$version]}" "$root.new" "$source" &&
		in_root "$root.new" "$root.new/tmp" -- bash -c "$(declare -f install_headers); install_headers $version" &&
		as_root mv "$root.new" "$root"
}

# The root's folder, made if need be.  Another recipe makes another root: the
# name has the recipe's digest, and what an older recipe made is taken away.
root_of() {
	local version=$1 recipe root log
	recipe=$({ printf '%s\n' "${suites[$version]}" "${root_packages[@]}"; declare -f make_root install_headers; } | sha256sum)
	root=$roots/$version-${recipe:0:12}
	log=$root.log
	mkdir -p "$roots" || die "could not make $roots"
	(
		flock 9
		if [ ! -d "$root" ]; then
			say "making a root of ${suites[$version]} with PostgreSQL $version" >&2
			as_root find "$roots" -mindepth 1 -maxdepth 1 -name "$version-*" -exec rm -rf --one-file-system {} +
			make_root "$version" "$root" >"$log" 2>&1 </dev/null || {
				cat "$log" >&2
				die "could not make a root of ${suites[$version]} with PostgreSQL $version"
			}
			rm -f "$log"
		fi
	) 9>"$roots/$version.lock" || exit
	printf '%s\n' "$root"
}

# in_root ROOT TMP [NAME=FOLDER]... -- COMMAND [ARGUMENT]...: see enter.
in_root() {
	as_root unshare --mount --propagation private --pid --fork --kill-child bash "$source_tree/test/matrix/enter" "$@"
}
