#!/usr/bin/env bash
# Publishing again and again while every connection that the daemon can hold asks all the time.  TAP.
#
# FIREBREAK_PUBLISHES says how often; 100 unless set, 1,000 in "make stress".
. "${top_srcdir:-.}/t/e2e/tap.sh"

publishes=${FIREBREAK_PUBLISHES:-100}
LAB_START_SERVERS=4 LAB_MAX_SERVERS=4 LAB_THREADS=16 LAB_MIN_SPARE=1 LAB_MAX_SPARE=1000
e2e_init publish
file() { head -c 2000 /dev/zero | tr '\0' "$1" | md5sum | cut -d ' ' -f 1; }
even=$(file e) odd=$(file o)
toggle() {	# toggle GENERATION: even ones block even.hammer.test, odd ones odd.hammer.test, and a file of 2,000 "e" or "o"
	local host=odd
	[ $(($1 % 2)) -eq 0 ] && host=even
	printf 'block host %s.hammer.test\nblock file 2000:md5:%s\n' $host ${!host} | lab_write "$LAB_STATE/sources/toggle.rules"
}
memory() {	# kilobytes that the workers use and no other process shares
	local pid
	for pid in $(pgrep -P "$(lab_pids "$LAB_STATE" c-icap)"); do
		awk '/^Private_(Clean|Dirty):/ { n += $2 } END { print n }' "/proc/$pid/smaps_rollup"
	done | awk '{ n += $1 } END { print n + 0 }'
}
for i in $(seq 500); do echo "block host h$i.example"; done | lab_write "$LAB_STATE/sources/bulk.rules"
toggle 1
e2e_publish >/dev/null
e2e_start
# Squid keeps connections of its own; here they would only take threads away.
lab_end "$(lab_pids "$LAB_STATE" squid)"
connections=$((LAB_MAX_SERVERS * LAB_THREADS))
mkfifo "$lab_top/end"
"$LAB_BUILD/t/hammer" "$LAB_ICAP_PORT" $connections <"$lab_top/end" >"$lab_top/hammer" &
hammer=$!
exec 4>"$lab_top/end"
for _ in $(seq 600); do
	[ -s "$lab_top/hammer" ] && break
	sleep 0.1
done
start=$(memory) unconfirmed=0 slowest=0 middle=0
for g in $(seq 2 $((publishes + 1))); do
	toggle "$g"
	from=$(date +%s%N)
	said=$(e2e_publish) || unconfirmed=$((unconfirmed + 1))
	took=$((($(date +%s%N) - from) / 1000000))
	[ $took -gt $slowest ] && slowest=$took
	[ "$g" -eq $((publishes / 2)) ] && middle=$(memory)
done
end=$(memory)
sleep 2
latest=$(tail -n 1 "$lab_top/hammer")
exec 4>&-
wait $hammer
read -r _ requests _ lost _ wrong _ back _ workers < <(tail -n 1 "$lab_top/hammer")
echo "# $publishes publishes under $connections connections: $requests requests; the slowest publish took $slowest ms to be live in every worker"
echo "# the workers' own memory: $start KB before, $middle KB after half of them, $end KB after all"
is "$lost" 0 "no request is lost"
is "$wrong" 0 "no host and no file is judged by a half-loaded generation, or by two of them"
is "$back" 0 "no worker goes back to an older generation"
[ "$requests" -gt $((publishes * 10)) ]; ok $? "requests came all the time" "$requests"
is "$workers" "$LAB_MAX_SERVERS" "all workers were asked"
is "$unconfirmed" 0 "each publish is confirmed by every worker" "$said"
is "$latest" "$((publishes + 1))" "the last generation is what everybody uses"
[ -n "$LAB_PRELOAD" ] || [ $((end - middle)) -lt 2048 ]; ok $? "memory stays flat" "$start KB, $middle KB, $end KB"
kept=$(find "$LAB_STATE/rules" -name 'MANIFEST.*' | wc -l)
is "$kept" 16 "as many generations are kept as the site says"
left=$(cd "$LAB_STATE/rules" && printf '%s\n' *.seg)
is "$left" "$(sed -n 's/^segment [a-z]* \([^ ]*\) .*/\1/p' "$LAB_STATE"/rules/MANIFEST* | LC_ALL=C sort -u)" "and the segments that they need, no others"
maps=$(for pid in $(pgrep -P "$(lab_pids "$LAB_STATE" c-icap)"); do grep -c '\.seg' "/proc/$pid/maps"; done | sort -u | tr '\n' ' ')
is "$maps" "$(grep -c '^segment [^s]' "$LAB_STATE/rules/MANIFEST") " "no worker still maps an older one"
e2e_done
