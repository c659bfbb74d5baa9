#!/usr/bin/env bash
# The benchmark itself: it runs, it notices what is wrong, and the module executes no more than it did.  TAP.
. "${top_srcdir:-.}/t/e2e/tap.sh"

make -s -C "$build" bench-programs >"$lab_top/make.log" 2>&1
is $? 0 "the benchmark is built" "$(tail -n 5 "$lab_top/make.log")"

# ---- the load generator says what is wrong ----
e2e_init load
e2e_rules "block host .listed.test" "block file 20000:md5:$(body_md5 20000 7)"
e2e_publish >/dev/null
e2e_start
load() { "$build/bench/icap_load" --warmup 0 --seconds 0.2 --connections 4 "$@" 2>&1; }	# load ARGUMENT... URLS
service=(127.0.0.1 "$LAB_ICAP_PORT" firebreak)
printf 'http://www.listed.test/\tblock\nhttp://other.test/\tpass\n' >"$lab_top/right"
printf 'http://www.listed.test/\tpass\nhttp://other.test/\tpass\n' >"$lab_top/wrong"
said=$(load "${service[@]}" "$lab_top/right")
is $? 0 "right verdicts: 0" "$said"
like "$said" "*204*block*wrong 0*" "and counted"
said=$(load --connections 1 "${service[@]}" "$lab_top/wrong")		# of several the second may be quicker
is $? 1 "a wrong verdict: 1" "$said"
like "$said" "*wrong; the first was request 0*block*" "and named"
for body in 0 1 4095 4096 4097 30000 200000; do
	for framing in "" --chunked; do
		# shellcheck disable=SC2086
		said=$(load --respmod --body $body $framing "${service[@]}" "$lab_top/right")
		is $? 0 "bodies of $body bytes${framing:+, chunked,} come back as they were" "$said"
	done
done
said=$(load --respmod --image --body 10000000 "${service[@]}" <(printf 'http://other.test/\tpass\n'))
like "$said" "*204*wrong 0; body bytes sent after the preview 0,*" "of what is let go nothing is sent beyond the preview"
said=$(load --rate 200 --seconds 1 "${service[@]}" "$lab_top/right")
like "$said" "*wrong 0*" "a fixed rate"
[[ $(sed -n 's/.* s: \([0-9]*\) a second.*/\1/p' <<<"$said") -le 210 ]]; ok $? "is not exceeded" "$said"
said=$(load 127.0.0.1 1 firebreak "$lab_top/right")
is $? 1 "nobody there: 1" "$said"
said=$(load "${service[@]}" /dev/null)
is $? 2 "no URLs: 2" "$said"

# ---- all of it, small ----
said=$(BENCH_BUILD=$build FIREBREAK_BENCH_STATE=$lab_top/bench FIREBREAK_PORT_BASE=$((LAB_PORT_BASE + 200)) \
	bash "$src/bench/run" --quick --rounds 1 --only memory,reqmod,let-go,lookup --out "$lab_top/out" 2>&1)
is $? 0 "bench/run --quick measures" "$said"
like "$said" "*REQMOD, 5 % listed: CPU / floor that answers alike*<= 1.1*" "and says what the goals are"
is "$(jq -s '[.[] | .wrong // 0] | add' "$lab_top/out/results.jsonl")" 0 "with no answer wrong"
is "$(pgrep -f "$lab_top/bench/live" | wc -l)" 0 "and leaves nothing running"

# ---- instructions: only of a plain build, where nothing else is counted ----
if [ -n "$LAB_PRELOAD" ] || ! command -v valgrind >/dev/null; then
	skip "instructions of the module" "sanitizers are in, or valgrind is missing"
else
	counted=$(top_builddir=$build bash "$src/bench/instructions")
	ok $? "instructions are counted" "$counted"
	while read -r kind most; do
		n=$(awk -v k="$kind" '$1 == k { print $2 }' <<<"$counted")
		[ -n "$n" ] && [ "$n" -le "$most" ]
		ok $? "$kind: ${n:-nothing} instructions, at most $most"
	done < <(grep -v '^#' "$src/bench/instructions.limits")
fi
e2e_done
