#!/usr/bin/env bash
# cicap06.sh - the service built against and run in another c-icap than Debian's: "cicap06.sh SOURCE FOLDER", called by make
# cicap06-check and ./check.  FIREBREAK_CICAP06=PREFIX names where c-icap 0.6 is installed, or C_ICAP_SRC=FOLDER its source,
# which is built then.  Where neither is said that is a SKIP line, and no failure.  What runs are the cases, through the fake server
# and the real daemon, and the tests with Squid that need nothing of Debian's c-icap but its name.
set -u
source_dir=$1 folder=$2 prefix=${FIREBREAK_CICAP06:-}
name="c-icap 0.6"
if [ -z "$prefix" ] && [ -z "${C_ICAP_SRC:-}" ]; then
	echo "SKIP: $name # SKIP FIREBREAK_CICAP06 names none"
	exit 0
fi
die() { echo "FAIL: $name: $*"; echo "# FAIL: 1"; exit 1; }
mkdir -p "$folder" || exit 1
if [ -z "$prefix" ]; then
	prefix=$folder/c-icap
	[ -f "$C_ICAP_SRC/configure.ac" ] || die "C_ICAP_SRC=$C_ICAP_SRC is no source of c-icap"
	if [ ! -x "$prefix/bin/c-icap-config" ]; then
		# A copy: their build writes into the source, and a release has a configure where a checkout has RECONF.
		rm -rf "$folder/c-icap-source"
		cp -r "$C_ICAP_SRC" "$folder/c-icap-source" || exit 1
		( cd "$folder/c-icap-source" && { [ -x configure ] || bash RECONF; } && ./configure --prefix="$prefix" && make -j2 && make install ) \
			>"$folder/c-icap.log" 2>&1 || die "c-icap does not build: $(tail -n 1 "$folder/c-icap.log")"
	fi
fi
config=$prefix/bin/c-icap-config
[ -x "$config" ] || die "there is no $config"
version=$("$config" --version)
case $version in
0.[0-5].*) die "$prefix has c-icap $version, which is the one of the other tests" ;;
esac
libs=$prefix/lib
[ -e "$libs/libicapapi.so" ] || libs=$prefix/lib64
[ -e "$libs/libicapapi.so" ] || libs=$(dirname "$(find "$prefix" -name libicapapi.so 2>/dev/null | head -n 1)")
# Fedora has the daemon in sbin.
daemon=$prefix/bin/c-icap
[ -x "$daemon" ] || daemon=$prefix/sbin/c-icap
[ -x "$daemon" ] || die "there is no c-icap in $prefix/bin or $prefix/sbin"

mkdir -p "$folder/build" && cd "$folder/build" || exit 1
[ -f config.status ] || "$source_dir/configure" CC=gcc CFLAGS="-g -O2" LDFLAGS="-L$libs -Wl,-rpath,$libs" --with-c-icap-config="$config" \
	--with-c-icap-modulesdir="$folder/modules" || die "configure"
grep -q "^CICAP_CONFIG = $config\$" Makefile || die "$folder is of another c-icap: remove it"
make -j2 all || die "it does not build against c-icap $version"
# A build with the headers of one and the library of another would run, and damage its memory.
used=$(readelf -d .libs/srv_firebreak.so | sed -n 's/.*NEEDED.*\[\(libicapapi[^]]*\)\].*/\1/p')
[ -e "$libs/$used" ] || die "the module wants $used, which is not in $libs"
echo "c-icap $version, $used"
PATH=$(dirname "$daemon"):$PATH CICAP_MAGIC=$("$config" --configdir)/c-icap.magic
export PATH CICAP_MAGIC
status=0
make -j2 check TESTS="t/replay/test_replay t/test_cases.sh t/test_body t/test_page" || status=1
make -j2 check-e2e E2E_TESTS="t/e2e/cases.sh t/e2e/actions.sh t/e2e/uploads.sh t/e2e/cache.sh t/e2e/damage.sh t/e2e/publish.sh \
	t/e2e/ranges.sh t/e2e/warn.sh t/e2e/whole.sh t/e2e/bombs.sh t/e2e/overload.sh t/e2e/rotation.sh" || status=1
exit $status
