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
sed "s#/var/lib/firebreak/#$LAB_STATE/#; s#su c-icap c-icap#su $LAB_USER $group#" "$src/etc/logrotate.firebreak" >"$lab_top/logrotate.conf"
[ "$(id -u)" -eq 0 ] || sed -i '/^\tsu /d' "$lab_top/logrotate.conf"
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
e2e_done
