#!/usr/bin/env bash
# Every case once through the real c-icap.  TAP.
set -u
src=${top_srcdir:-.} build=$(cd "${top_builddir:-.}" && pwd)
san=$(mktemp -d /var/tmp/firebreak-san-XXXXXX) || exit 1
trap 'rm -rf "$san"' EXIT
if grep -q 'fsanitize=[a-z,]*address' "$build/config.status"; then
	export FIREBREAK_PRELOAD; FIREBREAK_PRELOAD=$(gcc -print-file-name=libasan.so)
elif grep -q 'fsanitize=[a-z,]*thread' "$build/config.status"; then
	export FIREBREAK_PRELOAD; FIREBREAK_PRELOAD=$(gcc -print-file-name=libtsan.so)
fi
export ASAN_OPTIONS="log_path=$san/asan:detect_leaks=0" TSAN_OPTIONS="log_path=$san/tsan" UBSAN_OPTIONS="log_path=$san/ubsan:print_stacktrace=1"
# c-icap exits 0 and says nothing when it cannot read a module in a folder of 0700.
mkdir -m 755 "$san/module" && cp "$build/.libs/srv_firebreak.so" "$san/module/" || exit 1
bash "$src/t/replay/real.sh" "$san/module/srv_firebreak.so" "$build/t/replay/replay" "$src"/t/cases/*.case
status=$?
if [ -n "$(ls "$san" | grep -v '^module$')" ]; then
	cat "$san"/*san* | sed 's/^/# /' | head -n 60
	echo "Bail out! a sanitizer has something to say"
	exit 1
fi
exit $status
