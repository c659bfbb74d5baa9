#!/usr/bin/env bash
# The event log of a real service is rotated by the file that is shipped, under load and without a signal.  TAP.
. "${top_srcdir:-.}/t/e2e/tap.sh"

PATH=$PATH:/usr/sbin
command -v logrotate >/dev/null || skip_all "logrotate is missing"
bad=http://www.bad-host.test
e2e_init rotation
e2e_rules "block host .bad-host.test id=host"
e2e_publish >/dev/null
e2e_start

group=$(id -gn "$LAB_USER")
configure_rotation() {
	sed "s#/var/lib/firebreak/#$LAB_STATE/#; s#su c-icap c-icap#su $LAB_USER $group#" "$build/etc/logrotate.d/firebreak" >"$lab_top/logrotate.conf"
	[ "$(id -u)" -eq 0 ] || sed -i '/^\tsu /d' "$lab_top/logrotate.conf"
}
configure_rotation
rotate() { logrotate -f -s "$lab_top/logrotate.state" "$lab_top/logrotate.conf" 2>&1; }
ask() { fetch "$bad/$1" >/dev/null; }	# ask NAME: one event whose URL has it
found() { firebreak events --limit 0 "$@" 2>"$lab_top/said" | wc -l; }

ask first
first=$(event .event.id)
is "$(rotate)" "" "logrotate has nothing to say"
[ ! -e "$LAB_EVENTS" ] && [ -e "$LAB_EVENTS.1" ]; ok $? "the log was moved away"
ask second
is "$(event .url.original)" "$bad/second" "the next event begins a new one, without a signal"
is "$(stat -c '%a %U' "$LAB_EVENTS")" "640 $(stat -c %U "$LAB_EVENTS.1")" "with mode and owner as before"
rotate >/dev/null
[ -e "$LAB_EVENTS.2.gz" ]; ok $? "the turn before was compressed"
is "$(found --host www.bad-host.test)" 2 "events finds both"
is "$(cat "$lab_top/said")" "" "and says nothing else"
said=$(firebreak why "$first")
ok $? "why knows an incident in a compressed file" "$said"
like "$said" "*$bad/first*" "with its URL"
like "$said" "*2 events of this rule, from 1 client, *" "and who else met the rule"

# Four clients, while the log is rotated six times and searched: they ask until that is done.
most=3000
for client in 1 2 3 4; do
	( for ((i = 0; i < most; i++)); do
		[ ! -e "$lab_top/enough" ] || break
		curl -s -o /dev/null --max-time 30 -x "$LAB_PROXY" "$bad/load-$client-$i."
	done
	echo "$i" >"$lab_top/asked-$client" ) &
	clients[client]=$!
done
before=0 fewer=0
for _ in 1 2 3 4 5 6; do
	sleep 0.3
	rotate >/dev/null
	now=$(found --url /load-)
	[ "$now" -ge "$before" ] || fewer=1
	before=$now
done
touch "$lab_top/enough"
wait "${clients[@]}"
asked=$(awk '{ n += $1 } END { print n }' "$lab_top"/asked-*)
echo "# $asked requests"
is $fewer 0 "a search beside rotation never finds fewer than the one before"
urls=$(firebreak events --limit 0 --json --url /load- | jq -r .url.original | sort)
is "$(wc -l <<<"$urls")" "$asked" "every request's event is there"
is "$(uniq -d <<<"$urls")" "" "and none is there twice"
files=$(find "$LAB_STATE" -name 'events.jsonl.*' ! -name '*.index*' | wc -l)
[ "$files" -ge 6 ]; ok $? "in $files files"
is "$(firebreak events --by host --json | jq -c '[.host, .events]')" "[\"www.bad-host.test\",$((asked + 2))]" "counted once each"
is "$(firebreak status --json | jq .counters.events_lost)" 0 "the service has lost none"

is "$(fetch "http://files.firebreak.test:$LAB_ORIGIN_PORT/bytes?n=100000&seed=1")" "200 100000 0" "a body that no rule can match arrives"
metrics=$(firebreak metrics)
like "$metrics" "*firebreak_decisions_total{action=\"blocked\"} $((asked + 2))*" "metrics count the blocks"
like "$metrics" "*firebreak_reasons_total{reason=\"host\"} $((asked + 2))*" "by their reason"
value() { sed -n "s/^firebreak_$1 //p" <<<"$metrics"; }
is "$(value 'latency_seconds_count{stage="reqmod"}')" "$(value requests_total)" "how long each request took is counted"
is "$(value 'latency_seconds_count{stage="respmod"}')" "$(value responses_total)" "and each response"
awk -v sum="$(value 'latency_seconds_sum{stage="reqmod"}')" 'BEGIN { exit !(sum > 0) }'; ok $? "and together"
skipped=$(value skipped_bytes_total)
[ "$skipped" -ge 100000 ]; ok $? "and the bytes that were never looked at" "$skipped"

# ---- eight workers write at once what clients choose; FIREBREAK_FLOOD says how many events ----
# Each URL has its number, and behind it what could end a line, a text or a terminal, forge an event, or is no UTF-8; of every
# hundredth there are 64 KB.  What a URL may not have on the wire (a space, an end of line) comes in escaped forms.
lab_stop "$LAB_STATE"
count=${FIREBREAK_FLOOD:-20000} round=20000
make -s -C "$build" bench/icap_load >"$lab_top/make.log" 2>&1
is $? 0 "the load generator is built" "$(tail -n 5 "$lab_top/make.log")"
LAB_START_SERVERS=8 LAB_MAX_SERVERS=8 LAB_THREADS=8 LAB_MIN_SPARE=1 LAB_MAX_SPARE=1000
e2e_init flood
e2e_rules "block host .bad-host.test id=host"
e2e_publish >/dev/null
e2e_start
configure_rotation
value_of() { firebreak metrics --quick | sed -n "s/^firebreak_$1 //p"; }
before=$(value_of 'decisions_total{action="blocked"}')
urls() {	# urls FROM TO
	LC_ALL=C awk -v from="$1" -v to="$2" 'BEGIN {
		n = split("\",\"x\":\"|\\n{\"event\":{\"id\":\"1M83ME10C4HM007J\"}}|\\\\\"|\377\376\303|\033[2J\007\177|%0d%0a%00{}|\302\205\342\200\250\342\200\256|<script>\047;--", bad, "|")
		for (i = from; i < to; i++) {
			text = bad[i % n + 1]
			long = text
			while (i % 100 == 0 && length(long) < 30000)
				long = long long
			printf "http://www.bad-host.test/flood-%d.?%s\tblock\n", i, long
		}
	}'
}
flood() {
	local at to
	for ((at = 0; at < count; at = to)); do
		to=$((at + round < count ? at + round : count))
		urls $at $to >"$lab_top/urls"
		"$build/bench/icap_load" --warmup 0 --requests $((to - at)) --connections 32 127.0.0.1 "$LAB_ICAP_PORT" firebreak \
			"$lab_top/urls" >>"$lab_top/flood.said" 2>&1 || return 1
	done
}
: >"$lab_top/flood.said"
began=$SECONDS
flood &
flooder=$!
most=0 fewer=0 turns=0
while kill -0 $flooder 2>/dev/null; do
	rotate >/dev/null
	turns=$((turns + 1))
	now=$(firebreak events --by host --json 2>"$lab_top/said" | jq .events)
	[ "${now:-0}" -ge "$most" ] || fewer=1
	most=${now:-0}
	sleep "$([ "$count" -gt 100000 ] && echo 5 || echo 0.2)"
done
wait $flooder
is $? 0 "every request was blocked" "$(tail -n 5 "$lab_top/flood.said")"
echo "# $count events in $((SECONDS - began)) s, with $turns turns of the log and as many searches"
is "$(firebreak status --json | jq '.workers | length')" 8 "by eight workers"
is $fewer 0 "no search found fewer than the one before"
[ $turns -ge 2 ]; ok $? "the log was rotated meanwhile"
is "$(firebreak events --by host --json 2>"$lab_top/said" | jq .events)" "$count" "as many events as requests: none is lost, none forged"
is "$(cat "$lab_top/said")" "" "there is nothing in the log that is no event"
# Its lines, as they are in all files: how many, how many numbers of requests, how many of incidents.  A writer who looks while another
# is in the middle of a long line begins with a newline: an empty line is none.
is "$(zcat -f $(ls "$LAB_EVENTS" "$LAB_EVENTS".[0-9]* 2>/dev/null) | LC_ALL=C awk -F '"' '$0 != "" {
	lines++
	for (i = 1; i < 20 && $i != "id"; i++)
		continue
	if (!($(i + 2) in ids))
		n_ids++
	ids[$(i + 2)]
	at = index($0, "/flood-") + 7
	number = substr($0, at, 12) + 0
	if (at > 7 && !(number in numbers))
		n_numbers++
	numbers[number]
} END { print lines, n_numbers, n_ids }')" "$count $count $count" "each once, with a number of its own"
is "$(firebreak status --json | jq .counters.events_lost)" 0 "the service has lost none"
is "$(($(value_of 'decisions_total{action="blocked"}') - before))" "$count" "and has counted as many"
e2e_done
