#!/usr/bin/env bash
# What is made to exhaust whoever looks into it, through a real Squid: it ends within the limits with an event that says so, the
# workers live, and their memory stays flat.  TAP.
#
#	FIREBREAK_BOMBS=full	4 GB and 10 GB, not a tenth of that
. "${top_srcdir:-.}/t/e2e/tap.sh"
for tool in bsdtar gzip; do command -v $tool >/dev/null || skip_all "$tool is missing"; done
[ -z "$LAB_PRELOAD" ] || skip_all "memory and time are not those of a build with sanitizers"
full=${FIREBREAK_BOMBS:-short}
large=$((400 << 20)) copies=10
[ "$full" != full ] || { large=$((4 << 30)); copies=100; }

LAB_START_SERVERS=1 LAB_MAX_SERVERS=1
e2e_init bombs
bodies=$LAB_LIVE/bodies made=$lab_top/made
mkdir -p "$made" && chmod 777 "$made"
e2e_rules "block file 90112:md5:$(body_md5 90112 7)" "block file *:md5:$(printf '%032d' 7)"
# The limits that are here for: small, so that the short form meets them as well.
printf 'InspectBytes 800m\nInspectMembers 20000\nInspectTime 10s\n' | lab_write "$LAB_STATE/site.conf"
e2e_publish >/dev/null
e2e_start
worker() { pgrep -P "$(lab_pids "$LAB_STATE" c-icap)" | head -n 1; }
memory() { awk '/^Private_(Clean|Dirty):/ { n += $2 } END { print n + 0 }' "/proc/$(worker)/smaps_rollup"; }
get() {	# get NAME [QUERY]: what curl saw, of a file that is served from the folder
	fetch "http://files.firebreak.test:$LAB_ORIGIN_PORT/serve?file=$1${2:-}" --max-time 90
}

# ---- bombs ----
many() { local i; for ((i = 0; i < $2; i++)); do cat "$1"; done; }	# many FILE TIMES
head -c 100000000 /dev/zero | gzip -9 >"$made/zeros.gz"
many "$made/zeros.gz" $copies | lab_write "$bodies/zeros.gz"
printf '%0512d' 0 >"$made/one"
bsdtar -C "$made" --format ustar -cf - one | head -c 1024 >"$made/entry"
many "$made/entry" 1000 >"$made/entries" && many "$made/entries" 100 | lab_write "$bodies/members.tar"
head -c 10000000 /dev/zero >"$made/level0"
for level in 1 2 3 4; do
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do cp "$made/level$((level - 1))" "$made/$level.$i"; done
	(cd "$made" && bsdtar --format zip -cf "level$level" $level.*)
	rm -f "$made/$level".*
done
lab_write "$bodies/nest.zip" <"$made/level4"
(cd "$made" && ln -f one same && bsdtar -P -s ',same,../../../../etc/passwd",\n"x":"y,' --format pax -cf - same one) | lab_write "$bodies/paths.tar"
first=$(worker)
bomb() {	# bomb NAME QUERY WHAT: passes, and is said to be unscannable
	local from=$SECONDS said
	before=$(events)
	said=$(get "$1" "$2")
	like "$said" "200 $(wc -c <"$bodies/$1") 0" "$3 passes as it is"
	like "$(tail -n +$((before + 1)) "$LAB_EVENTS" | jq -r '.event.action + " " + .event.reason + " " + .firebreak.steps[0]')" \
		"passed_unchecked unscannable could not be looked into *" "and the event says that it could not be looked into"
	[ $((SECONDS - from)) -lt 60 ]; ok $? "within the limit of time, Squid's patience included" "$((SECONDS - from)) s"
}
bomb zeros.gz "" "a gzip of zeros"
bomb zeros.gz "&ce=gzip" "the same as a content coding"
bomb members.tar "" "a tar of 100,000 members"
bomb nest.zip "" "zips of zips of zips"
like "$(get paths.tar)" "200 * 0" "a tar with odd paths passes"
is "$(worker)" "$first" "the worker is the one that it was"

# ---- long bodies ----
bytes=http://files.firebreak.test:$LAB_ORIGIN_PORT/bytes
watch_memory() {	# the most that the worker has until the file END is there
	local most=0 now
	until [ -e "$lab_top/end" ]; do
		now=$(memory)
		[ "$now" -le $most ] || most=$now
		sleep 0.2
	done
	echo $most
}
before=$(memory)
watch_memory >"$lab_top/most" &
watching=$!
like "$(fetch "$bytes?n=$large&seed=3&chunked=1&file=long.exe" --max-time 400 -o /dev/null)" "200 $large *" "a body of $large bytes arrives"
touch "$lab_top/end"
wait $watching
most=$(cat "$lab_top/most")
echo "# the worker's own memory: $before KB before, $most KB at most"
[ $((most - before)) -lt 8192 ]; ok $? "and the worker's memory stays flat" "$before KB, $most KB"
read -r _ got _ < <(fetch "$bytes?n=100000000&rate=1000000&chunked=1&seed=4&file=endless.exe" --max-time 6)
[ "$got" -gt 4000000 ]; ok $? "a stream that goes on and on is held back no further than its tail" "$got bytes in 6 s at 1,000,000 a second"
is "$(pgrep -f "$LAB_LIVE/firebreak-inspect-helper" | wc -l)" 0 "no helper is left"
e2e_done
