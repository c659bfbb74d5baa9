#!/usr/bin/env bash
# All that goes wrong in a year, at once: clients ask all the time, while rules are published, workers are killed, c-icap is restarted,
# the disk is full, and strangers hold connections that they do not use.  No wrong verdict, no lost event, nothing grows.  TAP.
#
# FIREBREAK_SOAK says how many transactions: 4,000 unless set, a million in "make soak", which takes a quarter of an hour.
. "${top_srcdir:-.}/t/e2e/tap.sh"

n=${FIREBREAK_SOAK:-4000}
publishes=$((n / 1000)) kills=$((n / 20000)) strangers=$((n / 200))
[ $publishes -ge 8 ] || publishes=8
[ $kills -ge 2 ] || kills=2
[ $strangers -ge 100 ] || strangers=100
[ $strangers -le 5000 ] || strangers=5000
LAB_HERE="good.firebreak.test files.firebreak.test www.betterbricks.com www.bad-host.test"
LAB_SQUID_PORTS="max_filedescriptors 16384"
e2e_init soak
mounted=no
finish() {
	[ -z "${strange:-}" ] || kill $strange 2>/dev/null
	lab_stop "$LAB_STATE"
	[ $mounted = no ] || umount "$LAB_STATE"
	e2e_finish
}
# ---- a disk that can be filled ----
if [ "$(id -u)" -eq 0 ] && mount -t tmpfs -o size=2g,mode=755 tmpfs "$LAB_STATE" 2>/dev/null; then
	mounted=yes
	lab_init "$LAB_STATE" && chown "$LAB_USER:" "$LAB_STATE" && lab_as mkdir -p "$LAB_STATE/sources" "$LAB_STATE/san"
fi
trap finish EXIT
e2e_rules "block host .bad-host.test id=host" "block file 20000:md5:$("$build/t/origin" --body 20000 7 | md5sum | cut -d ' ' -f 1)" \
	"block file 200000:md5:$("$build/t/origin" --body 200000 9 | md5sum | cut -d ' ' -f 1)"
e2e_publish >/dev/null
e2e_start

daemon() { lab_pids "$LAB_STATE" "$1" | tail -n 1; }
workers() { pgrep -P "$(daemon c-icap)"; }
own() {	# own PID...: kilobytes that each of these uses and no other process shares, the most of them
	local pid
	for pid; do awk '/^Private_(Clean|Dirty):/ { n += $2 } END { print n + 0 }' "/proc/$pid/smaps_rollup" 2>/dev/null; done | sort -n | tail -n 1
}
open_files() { local pid; for pid; do ls "/proc/$pid/fd" 2>/dev/null | wc -l; done | sort -n | tail -n 1; }
measure() {	# measure NAME: most memory and files of a worker, of Squid; in variables of that name
	# shellcheck disable=SC2046
	declare -g "$1=$(own $(workers)) $(open_files $(workers)) $(own "$(daemon squid)") $(open_files "$(daemon squid)")"
}
progress() { od -An -t u8 -N 8 "$lab_top/progress" | tr -d ' '; }
running() { [ -n "$(daemon c-icap)" ] && [ -n "$(workers)" ]; }

# ---- what goes wrong ----
kill_one() { kill -9 "$(workers | shuf -n 1)" 2>/dev/null; killed=$((killed + 1)); }
# As systemd does it: workers that still have connections would keep the port.
restart() {
	# shellcheck disable=SC2046
	lab_end "$(daemon c-icap)" $(workers)
	lab_spawn_icap
	lab_wait_for "c-icap" running && lab_wait_for "c-icap" lab_port_open "$LAB_ICAP_PORT"
}
# Until the disk has room again the workers keep what they could not write.
fill() {
	[ $mounted = yes ] || return 0
	lab_as sh -c 'cat /dev/zero >"$1"' sh "$LAB_STATE/full" 2>/dev/null
	e2e_publish >"$lab_top/said" && full_published=1
	sleep 1
	rm -f "$LAB_STATE/full"
	sleep 1
	filled=$((filled + 1))
}
publish() {	# publish N: a new rule, which is asked for at once
	e2e_rules "$(lab_as cat "$LAB_STATE/sources/local.rules")" "block host soak-$1.bad.test"
	if e2e_publish >"$lab_top/said" 2>&1; then
		case $(fetch "http://soak-$1.bad.test/") in 403*) ;; *) late=$((late + 1)) ;; esac
	elif grep '^NOT yet live' "$lab_top/said" >>"$lab_top/unsure"; then
		unsure=$((unsure + 1))	# a worker that had no time for two seconds, and it is said
	else
		failed=$((failed + 1))
		cat "$lab_top/said" >>"$lab_top/failed"
	fi
}

ulimit -n "$(ulimit -Hn)"
"$build/t/soak" "$LAB_PROXY" "$LAB_ORIGIN_PORT" "$n" 24 "$lab_top" >"$lab_top/sum" 2>"$lab_top/wrong" &
clients=$!
lab_wait_for "the first transaction" test -s "$lab_top/progress"
strange=''
# They say nothing, a byte a second, or never read what they asked for.
for mode in idle drip deaf; do
	printf 'GET http://files.firebreak.test:%s/bytes?n=300000&seed=1 HTTP/1.1\r\nHost: files.firebreak.test:%s\r\n\r\n' "$LAB_ORIGIN_PORT" \
		"$LAB_ORIGIN_PORT" | "$build/t/flood" "$LAB_SQUID_PORT" $((strangers / 3)) 50 $mode 86400 >"$lab_top/$mode" 2>&1 &
	strange+=" $!"
done
killed=0 failed=0 late=0 unsure=0 filled=0 full_published=0 early='' middle='' next_kill=1
for ((p = 1; p <= publishes; p++)); do
	while [ "$(progress)" -lt $((p * n / (publishes + 1))) ] && kill -0 $clients 2>/dev/null; do sleep 0.05; done
	publish $p
	[ $((p * kills / publishes)) -lt $next_kill ] || { kill_one; next_kill=$((next_kill + 1)); }
	case $p in $((publishes / 3)) | $((publishes * 2 / 3))) fill ;; esac
	[ $p -ne $((publishes / 2)) ] || restart
	[ $p -ne $((publishes / 4)) ] || measure early
	[ $p -ne $((publishes * 3 / 4)) ] || measure middle
	[ ! -t 2 ] || printf '\r%s of %s transactions, %s publishes' "$(progress)" "$n" $p >&2
done
wait $clients
# shellcheck disable=SC2086
kill $strange 2>/dev/null; wait $strange 2>/dev/null; strange=''
sleep 2
measure end
is "$(fetch "$LAB_ORIGIN/bytes?n=4096&seed=1")" "200 4096 0" "a page comes after all that"
is "$(fetch "http://www.bad-host.test:$LAB_ORIGIN_PORT/" | cut -d ' ' -f 1)" 403 "and a listed host is refused"
restart	# what a worker kept for a full disk it has written by now

# ---- what came of it ----
read -r _ requests _ good _ wrong _ trouble <"$lab_top/sum"
echo "# $requests transactions, $good good, $trouble with an error that the client saw; $publishes publishes, $killed workers killed," \
	"c-icap restarted, the disk full $filled times, $strangers strangers"
echo "# kilobytes and files of a worker, and of Squid: $early; $middle; $end"
is "$wrong" 0 "no wrong verdict" "$(cat "$lab_top/wrong")"
[ "$trouble" -lt $((n / 10)) ]; ok $? "most of them went well" "$trouble of $n did not"
is "$failed $late" "0 0" "each publish is live when it says so" "$(cat "$lab_top/failed" 2>/dev/null)"
[ $unsure -le $((publishes / 100 + 1)) ]; ok $? "and nearly each is within two seconds ($unsure are not)" "$(cat "$lab_top/unsure" 2>/dev/null)"
if [ $mounted = yes ]; then
	is $full_published 0 "a publish on a full disk says that it failed"
else
	skip "a publish on a full disk says that it failed" "no file system can be mounted"
fi
tr -d - <"$lab_top/incidents" | sort >"$lab_top/pages"
jq -R -r 'fromjson? | .event.id' "$LAB_EVENTS" | sort >"$lab_top/events"
is "$(wc -l <"$lab_top/pages")" "$(sort -u "$lab_top/pages" | wc -l)" "every page has a number of its own"
is "$(comm -23 "$lab_top/pages" "$lab_top/events" | wc -l)" 0 "every page's event is in the log" "$(comm -23 "$lab_top/pages" "$lab_top/events" | head -n 5)"
is "$(uniq -d "$lab_top/events" | wc -l)" 0 "and none is there twice"
is "$(firebreak status --json | jq .counters.events_lost)" 0 "the service has lost none"
late=$(firebreak status --json | jq .counters.events_late)
[ $mounted = no ] || [ "$late" -gt 0 ]; ok $? "though the disk was full ($late were late)"
read -r m0 f0 s0 d0 <<<"$early"
read -r m1 f1 s1 d1 <<<"$end"
[ -n "$LAB_PRELOAD" ] || [ $((m1 - m0)) -lt 6144 ]; ok $? "a worker's memory stays flat" "$m0 KB, $m1 KB"
[ "$f1" -le $((f0 + 30)) ]; ok $? "and its files" "$f0, $f1"
[ $((s1 - s0)) -lt 65536 ]; ok $? "Squid's memory stays flat" "$s0 KB, $s1 KB"
[ "$d1" -le "$d0" ]; ok $? "and its files are fewer when the strangers have gone" "$d0, $d1"
e2e_done
