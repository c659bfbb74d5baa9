#!/usr/bin/env bash
# Pulls, and signed publishes, that are killed or meet a disk that fails: what is live is the old generation or the new one, and the
# next pull needs nobody's hand.  TAP.
#
#	make pull-crash		every call failed in every way, and 500 kills at random times
#	CRASH_LONG="kills"	of calls, kills and origin only these in their long form
#	CRASH_SEED=N		other random points
set -u
. "${top_srcdir:-.}/t/faulty.sh"
trap 'kill "${liar_PID:-}" 2>/dev/null; rm -rf "$work"' EXIT
mkdir "$work/lies"
origin=$work/origin
at_origin() { state=$origin; fb "$@" || bail "$@"; state=$work/state; }

# Two generations at the origin, both of two layers: the second has another site, and one layer more that is new.
mkdir -p "$origin/sources"
fb key generate "$work/key" || bail key
echo "Key $work/key" > "$origin/sign.conf"
awk 'BEGIN { for (i = 0; i < 700; i++) long = long "p" i % 10 "/"
	for (i = 0; i < 900; i++) print "block url large.test/" i "/" long }' > "$origin/sources/large.rules"
echo 'block host .one.test' > "$origin/sources/local.rules"
at_origin publish
cp -a "$origin" "$work/first"
printf 'block host .two.test\nblock file 7000:md5:00112233445566778899aabbccddeeff\n' >> "$origin/sources/local.rules"
echo 'KeepGenerations 5' > "$origin/site.conf"
at_origin publish
cp -a "$origin" "$work/second"
url=file://$work/served/rules
serve() { rm -rf "$work/served"; cp -a "$work/$1" "$work/served"; }
serve first
fb pull --key "$work/key.pub" "$url" || bail pull
cp -a "$state" "$work/follower"
look; old=$content
serve second
faulty FAULT_LOG="$work/log" pull || bail pull
look; new=$content
calls=$(wc -l < "$work/log")
[[ $old != "$new" && $calls -gt 15 && -z $lying ]]; ok $? "a pull of $calls calls changes what is live" "$old $new $calls $lying"
rm -rf "$state"; mkdir "$state"
faulty FAULT_LOG="$work/log.first" pull --key "$work/key.pub" "$url" || bail pull
first_calls=$(wc -l < "$work/log.first")

# ---- one fault ----
point() {	# point first|delta HOW SETTING: a follower of the first generation, or an empty folder
	local status before=$old args=(pull) where="$1 $2 $3"
	rm -rf "$state"
	if [ "$1" = delta ]; then cp -a "$work/follower" "$state"; else mkdir "$state"; before=none args=(pull --key "$work/key.pub" "$url"); fi
	faulty FAULT_HOW="$2" "$3" "${args[@]}"; status=$?
	look
	case $status in
	0) took=$((took * 9 / 10))
		[ "$content" = "$new" ] || wrong "$where: success was said, and $content is live" ;;
	2) [ "$content" = "$before" ] || wrong "$where: failure was said, and $content is live"
		grep -q "${words[$2]:-}" "$work/err" || wrong "$where: no reason: $(head -n 2 "$work/err")" ;;
	137) took=$((took * 51 / 50))
		[[ $content = "$before" || $content = "$new" ]] || wrong "$where: $content is live"
		killed=$((killed + 1)) ;;
	*) wrong "$where: exit status $status: $(head -n 3 "$work/err")" ;;
	esac
	[ "$content" = none ] || fb status --verify || [ $? -eq 1 ] || wrong "$where: status: $(head -n 2 "$work/err")"
	# Again, as a timer would: without arguments, unless nothing is known yet.
	[ -e "$state/follow" ] && args=(pull)
	fb "${args[@]}"; status=$?
	look
	[[ $status -eq 0 && $content = "$new" && -z $lying ]] || wrong "$where: again: $status, $content is live, $lying, $(head -n 2 "$work/err")"
	fb status --verify || wrong "$where: again: status: $(head -n 2 "$work/err")"
}
killed=0 points=0 took=0		# in microseconds, about; what is killed or not says whether it is too short or too long
if is_long calls; then
	for how in "${hows[@]}"; do
		for ((i = 1; i <= calls; i++)); do point delta $how FAULT_AT=$i; done
		for ((i = 1; i <= first_calls; i++)); do point first $how FAULT_AT=$i; done
		told "$how at each of $calls and $first_calls calls"
	done
else
	for ((points = 0; points < ($([ $slow = no ] && echo 24 || echo 6)); points++)); do
		if ((points % 2)); then point delta ${hows[points / 2 % 8]} FAULT_AT=$((RANDOM % calls + 1))
		else point first ${hows[points / 2 % 8]} FAULT_AT=$((RANDOM % first_calls + 1)); fi
	done
	told "$points faults at random calls"
fi

# ---- kills at random times, of pulls by http ----
coproc liar { exec "$build/t/liar" "$work/served/rules" "$work/lies"; }
read -r -t 20 -u "${liar[0]}" port || { echo "Bail out! no origin"; exit 1; }
url=http://127.0.0.1:$port/
rm -rf "$state"; cp -a "$work/follower" "$state"; sed -i "s|^url .*|url $url|" "$state/follow"
rm -rf "$work/follower"; cp -a "$state" "$work/follower"
start=${EPOCHREALTIME/./}; faulty pull || bail pull; took=$((${EPOCHREALTIME/./} - start))
wanted=$(is_long kills && echo 500 || { [ $slow = no ] && echo 20 || echo 4; })
killed=0
for ((tries = 0; killed < wanted && tries < 4 * wanted; tries++)); do
	point "$( ((RANDOM % 4)) && echo delta || echo first)" half FAULT_US=$(((RANDOM * 32768 + RANDOM) % (took * 5 / 4) + 1))
done
[ $killed -ge "$wanted" ]; ok $? "$killed pulls were killed at random times, of about $took us"
told "after each the old or the new generation is live, and the next pull needs nobody's hand"

# ---- an origin that is killed while it signs ----
state=$work/served
serve first
cp "$work/second/sources/local.rules" "$state/sources/"; cp "$work/second/site.conf" "$state/"
cp -a "$state" "$work/before"
faulty FAULT_LOG="$work/log.sign" publish || bail publish
sign_calls=$(wc -l < "$work/log.sign")
origin_point() {	# origin_point HOW N: it is killed there; who pulls gets the old or the new, and then the newest
	local where="origin $1 at call $2"
	rm -rf "$work/served"; cp -a "$work/before" "$work/served"
	state=$work/served; faulty FAULT_HOW="$1" FAULT_AT="$2" publish
	state=$work/state; rm -rf "$state"; cp -a "$work/follower" "$state"
	fb pull || wrong "$where: pull: $(head -n 2 "$work/err")"
	look
	[[ $content = "$old" || $content = "$new" ]] || wrong "$where: $content is live"
	state=$work/served; fb publish || wrong "$where: publish again: $(head -n 2 "$work/err")"
	look
	[ -z "$lying" ] || wrong "$where: left at the origin: $lying"
	state=$work/state; fb pull || wrong "$where: pull again: $(head -n 2 "$work/err")"
	look
	[[ $content = "$new" && -z $lying ]] || wrong "$where: again: $content is live, $lying"
}
if is_long origin; then
	for how in before half after EIO; do for ((i = 1; i <= sign_calls; i++)); do origin_point $how $i; done; done
else
	for how in before half after EIO; do
		origin_point $how $((sign_calls - RANDOM % 10))
		[ $slow = yes ] || origin_point $how $((sign_calls - RANDOM % 10))
	done
fi
told "an origin that is killed while it publishes offers the old generation or the new one"
tap_done
