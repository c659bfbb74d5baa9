#!/usr/bin/env bash
# firebreak console, while strangers open connections and send nothing, a byte a second, or never read: a user gets his page, and
# nothing grows.  FIREBREAK_FLOOD is how many at once: 1000, and 10000 in "make stress".  TAP.
set -u
. "${top_srcdir:-.}/t/console.sh"
flood=$(realpath "$build/t/flood")
n=${FIREBREAK_FLOOD:-1000} seconds=${FIREBREAK_FLOOD_SECONDS:-3}
[ "$(ulimit -Hn)" -ge $((n + 100)) ] || ulimit -n "$n" 2>/dev/null || skip_all "$n files may not be open"
add ann "$password" decide
add mal "$password" read
write_events >>"$log"
# A page of some megabytes.
big=1M83ME10M4HM00AY
step=$(printf '<%.0s' $(seq 8000))
event "$big" blocked 192.0.2.7 alice bad.example local:bad "http://bad.example/big" \
	",\"firebreak\":{\"steps\":[$(printf "\"$step\",%.0s" $(seq 110))\"end\"]}" >>"$log"
start
login ann ann "$password"; is "a user logs in" "$status" 303
login mal mal "$password"; is "and one who means no good" "$status" 303
memory() { awk '/^VmRSS/ { print $2 }' "/proc/$pid/status"; }
descriptors() { ls "/proc/$pid/fd" | wc -l; }
before=$(memory)

# under NAME NETS MODE: what a user gets meanwhile.  Sanitizers keep what was freed, and are not asked for memory.
under() {
	local name=$1 nets=$2 mode=$3 good=0 asked=0 again=0 most=0 open=0 rss
	printf "GET /incident?id=$big HTTP/1.1\r\nHost: x\r\nCookie: %s\r\n\r\n" "$(awk '/firebreak_session/ { print $6 "=" $7 }' "$work/mal")" |
		"$flood" "$port" "$n" "$nets" "$mode" "$seconds" >"$work/flood" & local attacker=$!
	others+=($attacker)
	sleep 1
	while kill -0 $attacker 2>/dev/null; do
		get ann "/incident?id=${ids[1]}"
		[ "$status" = 200 ] || { again=$((again + 1)); get ann "/incident?id=${ids[1]}"; }
		asked=$((asked + 1)); [ "$status" != 200 ] || good=$((good + 1))
		rss=$(memory); [ "$rss" -le $most ] || most=$rss
		rss=$(descriptors); [ "$rss" -le $open ] || open=$rss
	done
	wait $attacker
	is "$name: every page comes, at the second try at the latest" "$good" "$asked"
	[ "$asked" -gt 0 ]; ok $? "$name: $asked pages meanwhile, $again asked for twice ($(cat "$work/flood"))"
	[ $open -le 1500 ]; ok $? "$name: descriptors are bounded ($open)"
	if ldd "$firebreak" 2>/dev/null | grep -q 'lib[at]san' || nm -D "$(realpath "$firebreak")" 2>/dev/null | grep -q '__[at]san_init'; then
		skip "$name: memory is bounded" "a sanitizer keeps it"
	else
		[ $((most - before)) -le 98304 ]; ok $? "$name: memory is bounded ($before KB before, $most KB)"
	fi
}
under "$n silent ones of one address" 1 idle
under "$n silent ones of 50 addresses" 50 idle
under "$n that send a byte a second, of 50 addresses" 50 drip
under "$n that are logged in, ask for megabytes and never read them" 50 deaf
under "$n of as many addresses" "$n" drip
# Cookies and headers that are too many, and a form that is begun and never ends.
for bomb in "Cookie: $(printf 'a%.0s=1; ' $(seq 5000))" "Cookie: firebreak_session=$(printf 'f%.0s' $(seq 12000))" "X-$(printf 'x%.0s' $(seq 30000)): 1"; do
	get none / -H "$bomb"; case $status in 303|4??|000) ok 0 "a bomb of a header: $status" ;; *) ok 1 "a bomb of a header" "$status" ;; esac
done
many=(); for i in $(seq 2000); do many+=(-H "X-$i: 1"); done
get none / "${many[@]}"; case $status in 303|4??|000) ok 0 "many headers: $status" ;; *) ok 1 "many headers" "$status" ;; esac
get ann /; is "and it still answers" "$status" 200
for _ in $(seq 40); do [ "$(descriptors)" -gt 30 ] || break; sleep 1; done
[ "$(descriptors)" -le 30 ]; ok $? "everything was closed" "$(ls -l "/proc/$pid/fd")"
stop; is "it ends when it is told to" $? 0
! grep -q 'Sanitizer\|runtime error' "$work/err"; ok $? "nothing went wrong in it" "$(cat "$work/err")"
tap_done
