#!/usr/bin/env bash
# Updates that are killed or meet a disk that fails: what is live is as it was before or after it, every list is whole, and the next
# update needs nobody's hand.  TAP.
#
#	make update-crash	every call failed in every way, and 500 kills at random times
#	CRASH_LONG="kills"	of calls and kills only these in their long form
#	CRASH_SEED=N		other random points
set -u
. "${top_srcdir:-.}/t/faulty.sh"
trap 'kill "${liar_PID:-}" 2>/dev/null; rm -rf "$work"' EXIT
origin=$work/origin
mkdir -p "$work/lies" "$origin"
unset http_proxy https_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY

coproc liar { exec "$build/t/liar" "$origin" "$work/lies"; }
read -r -t 20 -u "${liar[0]}" port || { echo "Bail out! no origin"; exit 1; }

# Three lists and a folder that change, one that comes later, and an alert that waits, which is published before them.
event() {	# event N TIMESTAMP
	printf '{"Event":{"uuid":"%08d-1111-4111-8111-111111111111","Attribute":[{"type":"hostname","value":"m%d.%s.test","to_ids":true}]}}' \
		"$1" "$1" "$2" > "$origin/m/$(printf %08d "$1")-1111-4111-8111-111111111111.json"
	printf '"%08d-1111-4111-8111-111111111111":{"timestamp":"%d"}' "$1" "$2"
}
mkdir "$origin/m"
# Of 9 events one goes, one comes and two change.
folder() {
	local n comma={
	for n in {1..10}; do
		[ "$n" -eq $(($1 + 6)) ] && continue
		printf %s "$comma"; event "$n" "$([ "$n" -gt 2 ] && echo 1 || echo "$1")"
		comma=,
	done > "$origin/m/manifest.json"
	echo '}' >> "$origin/m/manifest.json"
}
lists() { folder "${1#v}"; for name in a b c; do awk -v n="$name" -v v="$1" 'BEGIN { for (i = 0; i < 200; i++) print n i "." v ".test" }' > "$origin/$name.txt"; done; }
before=$work/before
mkdir -p "$before"
{
	for name in a b; do echo "$name origin=http://127.0.0.1:$port/$name.txt format=hosts"; done
	echo "c origin=file://$origin/c.txt format=hosts"
	echo "m origin=file://$origin/m/ format=misp"
} > "$before/sources.conf"
state=$before
lists v1
fb update || bail update
echo "d origin=http://127.0.0.1:$port/d.txt.gz format=hosts" >> "$before/sources.conf"
mkdir -p "$before/alerts/incoming"
echo 'Users are sent to http://alert.test/a/b.exe today.' > "$before/alerts/incoming/alert"
touch -d '1 minute ago' "$before/alerts/incoming/alert"
cp -a "$before" "$work/first"
lists v2
for ((i = 0; i < 200; i++)); do echo "d$i.test"; done | gzip -c > "$origin/d.txt.gz"
state=$work/state
again() { rm -rf "$state"; cp -a "$work/first" "$state"; }
again; look; old=$content
fb import "$before/alerts/incoming/alert" || bail import
fb publish || bail publish
look; alerted=$content
again
faulty FAULT_LOG="$work/log" update --force || bail update
look; new=$content
calls=$(sort -n "$work/log" | tail -n 1 | cut -d' ' -f1)
[[ $old != "$new" && $old != "$alerted" && $calls -gt 15 && -z $lying ]]; ok $? "an update of $calls calls changes what is live" "$old $new $calls $lying"
sums=$(sha256sum "$state"/sources/*.feed "$work/first"/sources/*.feed | cut -d" " -f1)

left() { find "$state/update" "$state/sources" -name '.[!l]*' -print; }	# what was only on its way
point() {	# point HOW SETTING
	local status where="$1 $2" list
	again
	faulty FAULT_HOW="$1" "$2" update --force; status=$?
	look
	case $status in
	0) took=$((took * 9 / 10))
		[ "$content" = "$new" ] || wrong "$where: success was said, and $content is live" ;;
	1) ;;		# of a list of its own
	2) [[ $content = "$old" || $content = "$alerted" ]] || wrong "$where: failure was said, and $content is live: $(head -n 3 "$work/err")" ;;
	137) took=$((took * 51 / 50)) killed=$((killed + 1))
		[[ $content = "$old" || $content = "$alerted" || $content = "$new" ]] || wrong "$where: $content is live" ;;
	*) wrong "$where: exit status $status: $(head -n 3 "$work/err")" ;;
	esac
	for list in "$state"/sources/*.feed; do
		grep -q "$(sha256sum < "$list" | cut -d' ' -f1)" <<<"$sums" || wrong "$where: half a list: $list"
	done
	fb update --force; status=$?
	look
	[[ $status -eq 0 && $content = "$new" && -z $lying ]] || wrong "$where: again: $status, $content is live, $lying, $(head -n 2 "$work/err")"
	[ -z "$(left)" ] || wrong "$where: again: left: $(left)"
	[[ -n $(ls "$state/alerts/incoming/imported") && ! -e $state/alerts/incoming/alert ]] || wrong "$where: again: the alert still waits"
	fb status --verify || wrong "$where: again: status: $(head -n 2 "$work/err")"
}
killed=0 took=0		# in microseconds, about; what is killed or not says whether it is too short or too long
if is_long calls; then
	for how in "${hows[@]}"; do
		for ((i = 1; i <= calls; i++)); do point $how FAULT_AT=$i; done
		told "$how at each of $calls calls"
	done
else
	n=$([ $slow = no ] && echo 16 || echo 4)
	for ((points = 0; points < n; points++)); do point ${hows[points % 8]} FAULT_AT=$((RANDOM % calls + 1)); done
	told "$n faults at random calls"
fi

# ---- kills at random times ----
again
start=${EPOCHREALTIME/./}; faulty update --force || bail update; took=$((${EPOCHREALTIME/./} - start))
wanted=$(is_long kills && echo 500 || { [ $slow = no ] && echo 20 || echo 4; })
killed=0
for ((tries = 0; killed < wanted && tries < 4 * wanted; tries++)); do
	point half FAULT_US=$(((RANDOM * 32768 + RANDOM) % (took * 5 / 4) + 1))
done
[ $killed -ge "$wanted" ]; ok $? "$killed updates were killed at random times, of about $took us"
told "after each the old or the new lists are live, and the next update needs nobody's hand"
tap_done
