# shellcheck shell=bash
# tap.sh - for the end-to-end tests: TAP, and a lab (etc/run/lab.sh) of our own.  To be sourced by bash.
set -u
src=${top_srcdir:-.} build=${top_builddir:-.}
src=$(cd "$src" && pwd) build=$(cd "$build" && pwd)
. "$src/t/tap.sh"
is() {	# is GOT EXPECTED NAME [LINES]
	[ "$1" = "$2" ]
	ok $? "$3" "got: $1"$'\n'"expected: $2"$'\n'"${4:-}"
}
like() {	# like GOT PATTERN NAME
	# shellcheck disable=SC2053
	[[ $1 == $2 ]]
	ok $? "$3" "got: $1"$'\n'"expected: $2"
}

LAB_SOURCE=$src LAB_BUILD=$build
# Groups that run side by side look for ports in different places.
LAB_PORT_BASE=$((${FIREBREAK_PORT_BASE:-13000} + 1000 + $$ % 400 * 10))
LAB_WAIT_S=60
# A module that was built with gcc's sanitizers needs its runtime in the daemon; what it says goes to files.
if grep -q 'fsanitize=[a-z,]*address' "$build/config.status" 2>/dev/null; then
	LAB_PRELOAD=$(gcc -print-file-name=libasan.so)
elif grep -q 'fsanitize=[a-z,]*thread' "$build/config.status" 2>/dev/null; then
	LAB_PRELOAD=$(gcc -print-file-name=libtsan.so)
fi
. "$src/etc/run/lab.sh"
lab_top=$(mktemp -d /var/tmp/firebreak-e2e-XXXXXX) || exit 1
chmod 755 "$lab_top"
lab_states=()

e2e_init() {	# e2e_init NAME: a state folder of its own
	local state=$lab_top/$1
	lab_states+=("$state")
	lab_init "$state" || { echo "Bail out! no lab"; exit 1; }
	lab_as mkdir -p "$state/sources" "$state/san"
	export ASAN_OPTIONS="log_path=$state/san/asan:detect_leaks=0:abort_on_error=0" TSAN_OPTIONS="log_path=$state/san/tsan" \
		UBSAN_OPTIONS="log_path=$state/san/ubsan:print_stacktrace=1"
}
e2e_start() { lab_start || { echo "Bail out! the lab did not start"; exit 1; }; }
e2e_rules() { printf '%s\n' "$@" | lab_write "$LAB_STATE/sources/local.rules"; }	# e2e_rules LINE...
firebreak() { lab_as env LD_PRELOAD= "$LAB_FIREBREAK" --state "$LAB_STATE" "$@"; }
e2e_publish() { firebreak publish 2>&1; }
# What curl saw: "STATUS SIZE EXIT"; the body is in $lab_top/body.
fetch() {	# fetch URL [CURL-ARGUMENT...]
	local url=$1
	shift
	curl -s -o "$lab_top/body" -D "$lab_top/head" --max-time 30 -w '%{http_code} %{size_download} ' -x "$LAB_PROXY" "$@" "$url"
	echo $?
}
# The same of a body of SIZE bytes without a length, of which Squid may lose the end though all bytes are there (its bug 5550): it
# is asked for again then, as matrix.sh does.
fetch_whole() {	# fetch_whole SIZE URL [CURL-ARGUMENT...]
	local size=$1 got
	shift
	for _ in 1 2 3 4 5; do
		got=$(fetch "$@")
		[ "$got" = "200 $size 18" ] || break
	done
	echo "$got"
}
# The last event's value for each key given: action, reason, rule, url ...
event() { tail -n 1 "$LAB_EVENTS" 2>/dev/null | jq -r "[$1] | join(\" \")"; }
events() { if [ -r "$LAB_EVENTS" ]; then wc -l <"$LAB_EVENTS"; else echo 0; fi; }
body_md5() { "$LAB_LIVE/origin" --body "$1" "$2" | md5sum | cut -d' ' -f1; }

e2e_finish() {
	local state
	for state in "${lab_states[@]}"; do lab_stop "$state" & done
	wait
	[ $tap_failed -eq 0 ] || [ -z "${FIREBREAK_KEEP:-}" ] || { echo "# kept: $lab_top"; return; }
	rm -rf "$lab_top"
}
trap e2e_finish EXIT
trap 'exit 1' INT TERM HUP

e2e_done() {	# the sanitizers' word, the plan, the status
	local state found=
	for state in "${lab_states[@]}"; do
		lab_stop "$state"
		found+=$(cat "$state"/san/* 2>/dev/null)
		grep -aqE 'ERROR: (Address|Thread|Leak)Sanitizer|runtime error:' "$state"/log/*.out "$state"/log/c-icap.log 2>/dev/null &&
			found+=" see $state/log"
	done
	[ -z "$found" ]
	ok $? "no sanitizer has anything to say" "$found"
	tap_done
}
