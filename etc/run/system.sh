# shellcheck shell=bash
# system.sh - what has to be installed, and building.  To be sourced by bash; for ./run and ./check.
SYSTEM_RUN="gcc make autoconf automake libtool pkg-config libc6-dev libicapapi-dev libssl-dev libjansson-dev libidn2-dev
	libpcre2-dev zlib1g-dev libbrotli-dev libzstd-dev libbz2-dev liblzma-dev libarchive-dev
	libseccomp-dev libsqlite3-dev libmicrohttpd-dev libcurl4-openssl-dev publicsuffix c-icap squid curl procps"
SYSTEM_CHECK="$SYSTEM_RUN clang libclang-rt-14-dev llvm libpsl-dev mandoc jq universal-ctags valgrind xz-utils rpm
	libarchive-tools zstd brotli p7zip-full clamav bzip2 logrotate
	prometheus rsyslog rsyslog-openssl openssl python3 minisign nginx-light bind9-utils"
# Pages are looked at in a browser; without one those tests are left out.
SYSTEM_BROWSER=chromium
# What bench/run compares with, and draws with.
SYSTEM_BENCH="libc-icap-mod-urlcheck libc-icap-mod-virus-scan clamav-daemon e2guardian squidguard nginx-light gnuplot-nox jq"

system_fail() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 2; }

system_supported() {
	local id='' version=''
	[ -r /etc/os-release ] && id=$(. /etc/os-release; echo "${ID:-}") && version=$(. /etc/os-release; echo "${VERSION_ID:-}")
	[ -n "${FIREBREAK_ANY_SYSTEM:-}" ] || [ "$id $version" = "debian 12" ] ||
		system_fail "this is ${id:-an unknown system} ${version}; made for Debian 12 (FIREBREAK_ANY_SYSTEM=1 tries all the same)"
	command -v apt-get >/dev/null && command -v dpkg-query >/dev/null ||
		system_fail "apt-get is missing; install by hand: $SYSTEM_RUN"
}

system_missing() {	# system_missing PACKAGE...: those of them that are not installed
	local package
	for package in "$@"; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
	done
}

# While this runs, apt starts no service of the machine: a policy-rc.d of our own, unless there is one.
system_install() {	# system_install PACKAGE...
	local missing sudo='' log policy=/usr/sbin/policy-rc.d status=0
	missing=$(system_missing "$@" | tr '\n' ' ')
	[ -n "$missing" ] || return 0
	if [ "$(id -u)" -ne 0 ]; then
		command -v sudo >/dev/null || system_fail "not installed: $missing- as root: apt-get install $missing"
		sudo=sudo
	fi
	echo "installing $missing"
	log=$(mktemp "${TMPDIR:-/tmp}/firebreak-apt-XXXXXX") || exit 2
	$sudo sh -c '
		if [ ! -e "$1" ]; then
			trap "rm -f $1" EXIT
			trap "exit 130" INT TERM HUP	# a signal alone would skip the line above in dash
			printf "#!/bin/sh\nexit 101\n" >"$1" && chmod 755 "$1"
		fi
		export DEBIAN_FRONTEND=noninteractive
		shift
		apt-get update -q && apt-get install -y -q --no-install-recommends "$@"' \
		sh "$policy" $missing >"$log" 2>&1 || status=$?
	missing=$(system_missing "$@" | tr '\n' ' ')
	if [ -n "$missing" ]; then
		tail -n 5 "$log" >&2
		system_fail "could not be installed: $missing(apt-get ended with $status; its output is in $log)"
	fi
	rm -f "$log"
}

# Build SOURCE in FOLDER; what was said is in FOLDER/build.log.
system_build() {	# system_build SOURCE FOLDER [CONFIGURE-ARGUMENT...]
	local source=$1 folder=$2
	shift 2
	mkdir -p "$folder" || system_fail "$folder cannot be made"
	: >"$folder/build.log" || system_fail "$folder/build.log cannot be written"
	system_bootstrap "$source" >>"$folder/build.log" 2>&1 || system_build_failed "$folder"
	( cd "$folder" && { [ -f config.status ] || "$source/configure" "$@"; } && make -j"$(nproc)" ) \
		>>"$folder/build.log" 2>&1 || system_build_failed "$folder"
}

system_bootstrap() {
	[ ! -f "$1/config.status" ] || { echo "$1 is itself configured, and builds elsewhere need it bare: \"make distclean\" there"; return 1; }
	[ -f "$1/Makefile.in" ] && [ -x "$1/configure" ] && [ ! "$1/configure.ac" -nt "$1/configure" ] && return 0
	( cd "$1" && autoreconf -i )
}

system_build_failed() {
	tail -n 20 "$1/build.log" >&2
	system_fail "the build failed; all of its output is in $1/build.log"
}
