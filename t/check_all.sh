#!/usr/bin/env bash
# check_all.sh - every test, in every build: "check_all.sh SOURCE", called by ./check once all packages are there.
#
# One line a stage while it goes; what failed is shown below it.  A test that was left out is a line "SKIP name: reason".
# The last line is "N passed, N failed"; exit 1 if any failed.  The builds are kept in SOURCE/build/check-UID, so that a
# second run is faster; FIREBREAK_CHECK="gcc asan" runs those stages only.
set -u
source_dir=$1
. "$source_dir/etc/run/system.sh"
top=$source_dir/build/check-$(id -u)
passed=0 failed=0
skips=()
# Real lists and texts that are not part of the project; tests that want them skip where they are missing.
[ -n "${FIREBREAK_SHARED:-}" ] || [ ! -d "$source_dir/../shared" ] || export FIREBREAK_SHARED=$source_dir/../shared
: "${FIREBREAK_CHECK:=gcc clang asan tsan distcheck cicap06}"
E2E_SHORT="t/e2e/cases.sh t/e2e/damage.sh t/e2e/publish.sh"

say() { printf '%s\n' "$*"; }
progress() { [ ! -t 2 ] || printf '\r\033[K%s' "$*" >&2; }

# ---- counting: what automake's test driver says of each test point ----

count() {	# count STAGE LOG STATUS SECONDS
	local stage=$1 log=$2 status=$3 seconds=$4 good bad line
	# The summaries, not the lines: those of tests that run side by side run into each other.
	good=$(awk '/^# PASS: / { n += $3 } END { print n + 0 }' "$log")
	bad=$(awk '/^# (FAIL|ERROR|XPASS): / { n += $3 } END { print n + 0 }' "$log")
	while IFS= read -r line; do
		line=${line#SKIP: }
		[[ " ${skips[*]:-} " == *" $line "* ]] || { skips+=("$line"); progress ""; say "SKIP ${line/ # SKIP /: }"; }
	done < <(grep '^SKIP: ' "$log")
	# A stage that broke before its tests, or that says it failed and names none, is a failure of its own.
	[ "$status" -eq 0 ] || [ "$bad" -gt 0 ] || bad=1
	[ $((good + bad)) -gt 0 ] || bad=1
	passed=$((passed + good)) failed=$((failed + bad))
	progress ""
	say "$stage: $good passed, $bad failed, $seconds s"
	[ "$bad" -eq 0 ] || show_failures "$log"
}

# What the tests under FOLDER said of their failed points.
said_there() {
	find "$1" -path '*/t/*' -name '*.log' -exec grep -hE -A 12 '^(not ok|Bail out)' {} + 2>/dev/null | grep -vE '^(PASS|ok |--)'
}

show_failures() {
	local log=$1
	if grep -qE '^(FAIL|ERROR|XPASS): ' "$log"; then
		grep -E '^(FAIL|ERROR|XPASS): ' "$log" | head -n 40
		# The lines below a failed point say what was got and what was expected.
		{ said_there "$(dirname "$log")/build"; sed -n 's/^| //p' "$log"; } | head -n 120
	else
		tail -n 40 "$log"
	fi
	say "all of it is in $log"
}

# ---- stages ----

stage() {	# stage NAME FUNCTION: run it in a folder of its own, count what it said
	local name=$1 function=$2 folder=$top/$1 start=$SECONDS
	[[ " $FIREBREAK_CHECK " == *" $name "* ]] || return 0
	progress "$name ..."
	mkdir -p "$folder/build"
	"$function" "$folder/build" >"$folder/log" 2>&1 </dev/null
	count "$name" "$folder/log" $? $((SECONDS - start))
}

build() {	# build FOLDER CONFIGURE-ARGUMENT...
	local folder=$1
	shift
	cd "$folder" && { [ -f config.status ] || "$source_dir/configure" --enable-werror "$@"; } && make -j2 all
}

# Both are run, whatever the first says.
check_and_e2e() {	# check_and_e2e E2E-TESTS MAKE-ARGUMENT...; no tests named: all
	local tests=$1 status=0
	shift
	make -j2 check "$@" || status=1
	make -j2 check-e2e ${tests:+E2E_TESTS="$tests"} "$@" || status=1
	return $status
}

# All of it, in middling lengths; "make stress" has the long ones.
stage_gcc() {
	local status=0
	build "$1" CC=gcc CFLAGS="-g -O2" || return 1
	make check TESTS=t/lint.sh || status=1
	FIREBREAK_PUBLISHES=300 FIREBREAK_CASES=2000 check_and_e2e "" || status=1
	return $status
}

# The tests of this build, one a line.
tests_here() { make -s -f Makefile -f - print <<<'print: ; @printf "%s\n" $(TESTS)'; }

# What another compiler makes of the code, the programs show; the scripts have run with gcc's and run with the sanitizers'.
stage_clang() {
	local tests
	build "$1" CC=clang CFLAGS="-g -O2" || return 1
	tests=$(tests_here | grep -v '\.sh$' | tr '\n' ' ')
	[ -n "$tests" ] && make -j2 check TESTS="$tests t/test_cases.sh"
}

stage_asan() {
	build "$1" CC=gcc CFLAGS="-g -O1" --enable-sanitizers=address,undefined || return 1
	check_and_e2e "$E2E_SHORT t/e2e/actions.sh t/e2e/cache.sh"
}

# Long, and with one thread: TSan has nothing to find there.
SINGLE="t/test_alert t/test_hashdb t/test_host_table t/test_judge t/test_layers t/test_lookalike t/test_path_patterns
	t/test_rows t/test_delta t/test_stix_pattern t/test_misp_list t/test_feed_streams t/test_alerts.sh t/test_console_reveal.sh
	t/test_doctor.sh t/test_lookalike_verb.sh t/test_page_verb.sh t/test_pull.sh t/test_root.sh t/test_rules.sh t/crash.sh
	t/package.sh t/pull_crash.sh t/test_update.sh t/test_misp_feed.sh t/update_crash.sh t/test_export.sh t/test_feed_formats.sh"

# The tests of this build that are not in SINGLE.
threaded() { tests_here | grep -vxF -f <(printf '%s\n' $SINGLE) | tr '\n' ' '; }

# Older sanitizer runtimes do not cope with the address layout of newer kernels.
stage_tsan() {
	local tests
	build "$1" CC=gcc CFLAGS="-g -O1" --enable-sanitizers=thread || return 1
	tests=$(threaded)
	[ -n "$tests" ] || return 1
	setarch -R true 2>/dev/null && set -- "$1" setarch -R
	shift
	FIREBREAK_PUBLISHES=30 "$@" bash -c 'status=0
		make -j2 check TESTS="$1" || status=1
		make -j2 check-e2e E2E_TESTS="$2" || status=1
		exit $status' bash "$tests" "$E2E_SHORT"
}

# What "make dist" packs builds, passes and installs without root.
stage_distcheck() {
	(
		folder=$(mktemp -d /var/tmp/firebreak-dist-XXXXXX) || exit 1
		trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
		user=()
		[ "$(id -u)" -ne 0 ] || user=(setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups --)
		mkdir "$folder/src" "$folder/dist" &&
			tar -C "$source_dir" --exclude=./build --exclude=./.git -cf - . | tar -C "$folder/src" -xf - || exit 1
		[ ${#user[@]} -eq 0 ] || chown -R nobody "$folder"
		cd "$folder/dist" &&
			"${user[@]}" env HOME="$folder" TMPDIR="$folder" bash -c '../src/configure && make -j2 distcheck' && exit
		# The folder goes; what explains the failure stays.
		said_there "$folder/dist" | sed 's/^/| /'
		exit 1
	)
}

# Debian has none.
stage_cicap06() { bash "$source_dir/t/cicap06.sh" "$source_dir" "$1/cicap06"; }

mkdir -p "$top" || exit 2
system_bootstrap "$source_dir" >"$top/bootstrap.log" 2>&1 || { tail -n 20 "$top/bootstrap.log"; say "0 passed, 1 failed"; exit 1; }
for name in gcc clang asan tsan distcheck; do stage $name stage_$name; done
if [ -n "${FIREBREAK_CICAP06:-}${C_ICAP_SRC:-}" ]; then
	stage cicap06 stage_cicap06
elif [[ " $FIREBREAK_CHECK " == *" cicap06 "* ]]; then
	say "SKIP c-icap 0.6: FIREBREAK_CICAP06 names none"
fi
say "$passed passed, $failed failed"
[ $failed -eq 0 ]
