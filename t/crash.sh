#!/usr/bin/env bash
# Publishers that are killed, and disks that are full or fail: what is live is always a whole generation, the old one or the new
# one, and doing it again repairs.  TAP.
#
#	make crash		every call of every kind of publish, failed in every way, and 1,000 kills at random times
#	CRASH_LONG="kills disk"	of calls, kills, disk and sorts only these in their long form
#	CRASH_KINDS="lines"	every call of these kinds of publish alone
#	CRASH_SEED=N		other random points
set -u
. "${top_srcdir:-.}/t/faulty.sh"
disk=$work/disk mounted=no watchers=()
finish() {
	[ $mounted = no ] || umount "$disk"
	rm -rf "$work"
}
trap finish EXIT

# ---- states ----
# small NAME MARK: a source of every kind of rule, MARK in each.
small() {
	cat > "$state/sources/$1.rules" <<-END
		block host .$1-host.test id=one note=$2
		block host only.$1-host.test note=$2
		allow url www.$1-host.test/good/ note=$2
		block url $1-url.test/bad/?q=1 note=$2
		block path $1-path.test/*/setup-*.exe* note=$2
		block path "~$1[0-9]+/payload" note=$2
		block file 7000:name:setup-$1{DIGIT[3]}*.exe note=$2
		except rule 1:$1:one user=user$1 note=$2
		block address 198.51.100.0/24 note=$2
		block address 2001:db8:$1::/48 note=$2
		block file 70000:md5:00112233445566778899aabbccddee$1 note=$2
		block file *:sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd$1 note=$2
		protect host .$1-bank.test note=$2
	END
	old "$1"
}
# large NAME MARK: one whose layer is large enough to be left alone.
large() {
	awk -v mark="$2" 'BEGIN {
		for (i = 0; i < 700; i++)
			long = long "p" i % 10 "/"
		for (i = 0; i < 900; i++)
			print "block url large.test/" i "/" long " note=" mark
	}' > "$state/sources/$1.rules"
	old "$1"
}
# feed NAME FROM: as many hosts as make it worth to write what changed, from number FROM on.
feed() {
	seq -f 'h%.0f.feed.test' "$2" $(($2 + 1199)) > "$state/sources/$1.hosts"
	touch -d '2026-11-01 12:00:00Z' "$state/sources/$1.hosts"
}
old() { touch -d '2026-11-01 12:00:00Z' "$state/sources/$1.rules"; }	# the same content and date, whenever it is written
new_state() { rm -rf "$state"; mkdir -p "$state/sources"; }
prepare() { fb "$@" || bail "$@"; }
# A kind is a state before, arguments, the content before and after, and what is held at the end.
declare -A args before after held calls
kind() {	# kind NAME ARGUMENTS...: $state is as it is before
	local name=$1
	shift
	args[$name]=$*
	mkdir -p "$work/kinds"
	cp -a "$state" "$work/kinds/$name"
	look; before[$name]=$content
	rm -f "$work/log"
	faulty FAULT_LOG="$work/log" "$@" || bail "$@"
	calls[$name]=$(wc -l < "$work/log")
	cp "$work/log" "$work/log.$name"
	look; after[$name]=$content
	held[$name]=$(held_rules)
	[[ ${calls[$name]} -gt 10 && $content =~ ^[0-9a-f]{16}$ && -z $lying ]]
	ok $? "$name: ${calls[$name]} calls" "$content"$'\n'"$lying"
}
held_rules() { sed '/^#/d; s/^\([^ ]*\) [^ ]*/\1/' "$state/held" 2>/dev/null; }

new_state
small aa a1; small bb b1
kind first publish
small aa a2; small cc c1; rm "$state/sources/bb.rules"
echo 'block host .top.test note=c1' >> "$state/sources/cc.rules"; old cc
kind delta publish
kind approve approve "$(awk '!/^#/ { print $1 }' "$state/held")"
kind rollback rollback 1
kind forward publish --forward
new_state
large base b1; small aa a1
prepare publish
small bb b1
kind layer publish
small aa a2
kind fold publish
kind compact publish --compact
small bb b2
kind full publish --full
kind block block evil.test
kind unblock unblock evil.test
new_state
large base b1; feed ff 1
prepare publish
feed ff 5
kind lines publish
grep -q '^source ff 1,2 ' "$state/rules/MANIFEST"; ok $? "what changed of a feed is in a layer of its own" "$(cat "$state/rules/MANIFEST")"
feed ff 9
kind lines2 publish
kind lines3 publish --compact
kinds=(first delta approve rollback forward layer fold compact full block unblock lines lines2 lines3)
[ "$("$firebreak" rules list --state "$work/kinds/compact" --json | grep -c '"layers": 2')" -ge 1 ]
ok $? "there is more than one layer to fold" "$("$firebreak" rules list --state "$work/kinds/compact")"
[ "${before[compact]}" = "${after[compact]}" ]; ok $? "compacting changes no rule"
[ "${before[lines3]}" = "${after[lines3]}" ]; ok $? "nor does it of a feed in several layers"
for k in first delta approve rollback fold full block lines lines2; do
	[ "${before[$k]}" != "${after[$k]}" ]; ok $? "$k changes what is live"
done

# ---- one fault ----
points=0
# is_whole WHERE KIND STATUS: what is live after the fault, and what the publisher said about it.
is_whole() {
	look
	case $3 in
	0) [ "$content" = "${after[$2]}" ] || wrong "$1: success was said, and $content is live" ;;
	2) [ "$content" = "${before[$2]}" ] || wrong "$1: failure was said, and $content is live" ;;
	137) [[ $content = "${before[$2]}" || $content = "${after[$2]}" ]] || wrong "$1: $content is live" ;;
	*) wrong "$1: exit status $3: $(head -n 3 "$work/err")" ;;
	esac
	fb status --verify
	local status=$?
	[ $status -eq $([ "$content" = none ] && echo 1 || echo 0) ] || wrong "$1: status --verify says $status: $(head -n 2 "$work/err")"
}
# is_told WHERE HOW: the message names a file, and the reason.
is_told() {
	grep -q Sanitizer "$work/err" && wrong "$1: $(grep Sanitizer "$work/err")"
	[ -z "${words[$2]:-}" ] || grep -q "$state.*${words[$2]}" "$work/err" || wrong "$1: no file and reason: $(head -n 2 "$work/err")"
}
# is_repaired WHERE KIND: done again, it is as if nothing had been.
is_repaired() {
	fb ${args[$2]}
	local status=$?
	[ $status -eq 0 ] || wrong "$1: again: exit status $status: $(head -n 3 "$work/err")"
	look
	[ "$content" = "${after[$2]}" ] || wrong "$1: again: $content is live"
	[ -z "$lying" ] || wrong "$1: again: $lying"
	[[ -z $live || -e $state/rules/MANIFEST.$live ]] || wrong "$1: again: $live, which was live, is not kept"
	[ "$(held_rules)" = "${held[$2]}" ] || wrong "$1: again: held is $(held_rules)"
}
call_at() { sed -n "$2s|$work/||;$2p" "$work/log.$1"; }	# call_at KIND N: which one it is
point() {	# point KIND HOW N
	local where="$1 $2 at $(call_at "$1" "$3")" status done=no stuck=no
	points=$((points + 1))
	rm -rf "$state"
	cp -a "$work/kinds/$1" "$state"
	faulty FAULT_AT=$3 FAULT_HOW=$2 ${args[$1]}
	status=$?
	[ $status -ne 2 ] || is_told "$where" "$2"
	# On a disk that stays full an edit cannot be taken back, and that is said.
	[[ $2 = short || $2 = full ]] && grep -q "sources/local.rules: error: ${words[$2]}" "$work/err" && stuck=yes
	is_whole "$where" "$1" $status
	live=$number
	case $1 in
	block|unblock)
		grep -q '^block host evil.test ' "$state/sources/local.rules" 2>/dev/null && done=yes
		[ $1 = block ] || done=$([ $done = yes ] && echo no || echo yes)
		[[ $status -eq 137 || ( $status -eq 0 && $done = yes ) || ( $status -eq 2 && ( $done = no || $stuck = yes ) ) ]] ||
			wrong "$where: exit status $status, and the source is changed: $done"
		# What was taken out cannot be taken out again: the next publish makes that live.
		[[ $1 = unblock && $done = yes ]] && { again publish "$where" unblock; return; } ;;
	approve)
		[ -z "${held[approve]}" ] || wrong "$where: still held" ;;
	esac
	is_repaired "$where" "$1"
}
again() {	# again VERB WHERE KIND: is_repaired by another command
	local asked=${args[$3]}
	args[$3]=$1
	is_repaired "$2" "$3"
	args[$3]=$asked
}
if is_long calls; then
	for k in ${CRASH_KINDS:-"${kinds[@]}"}; do
		for how in "${hows[@]}"; do
			for ((i = 1; i <= calls[$k]; i++)); do point "$k" "$how" $i; done
			told "$k: $how at each of ${calls[$k]} calls"
		done
	done
else
	for k in "${kinds[@]}"; do
		point "$k" "${hows[RANDOM % 8]}" $((calls[$k] - RANDOM % 12))	# where it becomes live
		[ $slow = no ] || continue
		for how in ENOSPC EIO after half; do point "$k" $how $((RANDOM % calls[$k] + 1)); done
	done
	told "$points faults at random calls"
fi

# ---- kills at random times, with readers ----
declare -A contents took seen
new_state
echo 'KeepGenerations 3' > "$state/site.conf"
large base b1; small bb b1; small cc c1
version() { small aa "a$1"; }
for v in 1 2; do
	version $v; prepare publish
	look; contents[$v:no]=$content
	prepare block evil.test; look; contents[$v:yes]=$content
	prepare unblock evil.test
done
(IFS=$'\n'; [ "$(sort -u <<<"${contents[*]}" | wc -l)" -eq 4 ]); ok $? "four contents that differ"
rm -rf "$state/rules" "$state/sources/local.rules"
prepare publish; look; live=$content seen[$number]=$content sources=2
measure() {	# measure KIND ARGUMENTS...: about how long it takes, in microseconds
	local start=${EPOCHREALTIME/./}
	faulty "${@:2}" || bail "${@:2}"
	took[$1]=$((${EPOCHREALTIME/./} - start))
	look; live=$content seen[$number]=$content
}
measure full publish --full
version 1; sources=1; measure delta publish
measure compact publish --compact
measure block block evil.test
measure unblock unblock evil.test
measure rollback rollback $number
measure delta publish --forward
mkfifo "$work/end"
exec 9<>"$work/end"
for w in 1 2; do
	# The descriptor must be ours alone: closing it ends them.
	"$whole" watch "$state" "${contents[@]}" <"$work/end" >"$work/watch.$w" 2>&1 9>&- &
	watchers+=($!)
done
name_of() {	# name_of CONTENT: "VERSION:BLOCKED"
	for name in "${!contents[@]}"; do [ "${contents[$name]}" != "$1" ] || return 0; done
	name=
}
line_is_there() { grep -q '^block host evil.test ' "$state/sources/local.rules" 2>/dev/null && there=yes || there=no; }
choose() {	# a kind at random: $what, $how to do it and $target, what is live afterwards
	local list
	line_is_there
	name_of "$live"
	what=$(set -- delta delta full compact rollback block; shift $((RANDOM % 6)); echo "$1")
	case $what in
	delta) sources=$((3 - sources)); version $sources; how="publish --forward" target=${contents[$sources:$there]} ;;
	full) how="publish --full --forward" target=${contents[$sources:$there]} ;;
	compact) how="publish --compact" target=$live ;;
	rollback)
		list=("$state"/rules/MANIFEST.*)
		how=${list[RANDOM % ${#list[@]}]##*.} target=${seen[$how]:-}
		how="rollback $how" ;;
	block)
		[ $there = no ] || what=unblock
		how="$what evil.test" target=${contents[${name%:*}:$([ $what = block ] && echo yes || echo no)]} ;;
	esac
}
random_kill() {
	local where status us
	choose
	[ -n "$target" ] || return 0		# a kept one that we never saw
	us=$(((RANDOM * 32768 + RANDOM) % (took[$what] * 5 / 4) + 1))
	where="$how killed after $us of ${took[$what]} us"
	faulty FAULT_US=$us $how
	status=$?
	killed=$((killed + (status == 137)))
	[[ $status -eq 0 || $status -eq 137 ]] || wrong "$where: exit status $status: $(head -n 3 "$work/err")"
	look
	[[ $content = "$target" || ( $status -eq 137 && $content = "$live" ) ]] || wrong "$where: $content is live, not $live or $target"
	became=$((became + (status == 137 && number > last)))
	last=$number live=$content seen[$number]=$content
	[ $((RANDOM % 3)) -gt 0 ] || return 0	# the next one meets what this one left
	line_is_there
	# What a killed rollback made live may be all that is kept of it; what a killed edit of a source did is made live by a publish.
	[[ $what = rollback && $content = "$target" ]] && how="publish --compact"
	[[ $what = unblock && $there = no ]] && how="publish --forward" target=${contents[$sources:no]}
	fb $how || wrong "$where: again: $(head -n 3 "$work/err")"
	look
	[ "$content" = "$target" ] || wrong "$where: again: $content is live, not $target"
	[ -z "$lying" ] || wrong "$where: again: $lying"
	last=$number live=$content seen[$number]=$content
}
killed=0 became=0 last=$number wanted=$(is_long kills && echo 1000 || { [ $slow = no ] && echo 15 || echo 4; })
for ((tries = 0; killed < wanted && tries < 4 * wanted; tries++)); do random_kill; done
[ $killed -ge $wanted ]; ok $? "$killed publishers were killed, $became of them when the new generation was live"
told "after each kill the old or the new generation is live, and whoever goes on repairs"
echo >&9
for w in 1 2; do
	wait "${watchers[w - 1]}"; ok $? "reader $w meanwhile: $(tail -n 1 "$work/watch.$w")" "$(head -n 20 "$work/watch.$w")"
done
exec 9>&-

# ---- a full disk ----
fill() { head -c "$1" /dev/zero > "$state/filler"; }
free_bytes() { echo $(($(stat -f -c '%a * %S' "$disk"))); }
# full_at BYTES: publish with only so many left; $grown is what it should become.
full_at() {
	local where="$1 bytes free" status free
	free=$(free_bytes)
	fill $((free > $1 ? free - $1 : 0))
	fb publish; status=$?
	look
	case $status in
	0) [ "$content" = "$grown" ] || wrong "$where: success was said, and $content is live" ;;
	2) [ "$content" = "$ungrown" ] || wrong "$where: failure was said, and $content is live"
		is_told "$where" ENOSPC ;;
	*) wrong "$where: exit status $status: $(head -n 3 "$work/err")" ;;
	esac
	[ -z "$lying" ] || wrong "$where: $lying"
	fb status --verify || wrong "$where: status --verify: $(head -n 2 "$work/err")"
	full_status=$status
}
if ! mkdir "$disk" || ! mount -t tmpfs -o size=32m tmpfs "$disk" 2>"$work/err"; then
	skip "a full disk" "no file system can be mounted: $(head -n 1 "$work/err")"
else
	mounted=yes state=$disk/state
	new_state
	large base b1; small aa a1
	prepare publish; look; ungrown=$content
	sed -i 's/ note=.*/ note=a2/' "$state/sources/aa.rules"; large more m1
	cp -a "$state" "$work/roomy"
	prepare publish; look; grown=$content
	refused=0 step=$(is_long disk && echo 9000 || { [ $slow = no ] && echo 900000 || echo 2500000; })
	for ((bytes = 0; bytes < 12000000; bytes += step)); do
		rm -rf "$state"; cp -a "$work/roomy" "$state"
		full_at $bytes
		[ $full_status -ne 0 ] || break
		refused=$((refused + 1))
		rm "$state/filler"
		fb publish || wrong "$bytes bytes free: again: $(head -n 3 "$work/err")"
		look
		[[ "$content" = "$grown" && -z $lying ]] || wrong "$bytes bytes free: again: $content is live; $lying"
	done
	[[ $full_status -eq 0 && $refused -gt 1 ]]; ok $? "$refused publishes met a full disk, with up to $bytes bytes free"
	told "each was refused with file and reason, nothing changed, and with room again it is done"
	# Sources grow until nothing more fits.
	rm -rf "$state"; cp -a "$work/roomy" "$state"; rm -rf "$work/roomy"
	prepare publish; look; ungrown=$content
	for ((n = 1; n < 60; n++)); do
		large "more$n" "m$n" || break
		fb publish; status=$?
		look
		[ $status -eq 0 ] || break
		ungrown=$content
	done
	[[ $status -eq 2 && $content = "$ungrown" && -z $lying ]]; ok $? "one source more and more: number $n does not fit, and what was live is" "$status $content $ungrown $lying"
	is_told "growing" ENOSPC
	fb block evil.test; status=$?
	look
	[[ $content = "$ungrown" ]] || { [ $status -eq 0 ] || wrong "block on a full disk: $content is live"; }
	rm -f "$state"/sources/more*.rules
	fb publish || wrong "with room again: $(head -n 3 "$work/err")"
	look
	[ -z "$lying" ] || wrong "with room again: $lying"
	told "there is room again, and it is done"
	# Sorts that do not fit into memory.
	rm -rf "${state:?}"; mkdir "$disk/sort"
	for free in 0 1 3 5 7 9 11; do
		rm -f "$disk/filler"; head -c $((32 * 1048576 - free * 1048576)) /dev/zero > "$disk/filler" 2>/dev/null
		"$whole" compile "$disk/sort" 300000 2>"$work/err" && wrong "$free MiB free: it fits?"
		grep -q "$disk/sort.*No space left on device" "$work/err" || wrong "$free MiB free: no file and reason: $(head -n 2 "$work/err")"
		[ -z "$(ls "$disk/sort")" ] || wrong "$free MiB free: left: $(ls "$disk/sort")"
	done
	told "a spilled sort on a full disk names file and reason, and leaves nothing"
	umount "$disk" && mounted=no
fi

# ---- spilled sorts, every call ----
mkdir "$work/sort"
sort_it() {
	rm -f "$work/sort"/*
	{ "$@" "$whole" compile "$work/sort" 260000 2>"$work/err"; } 2>/dev/null
}
sort_it env LD_PRELOAD="$faults" FAULT_LOG="$work/log.sort" || wrong "without a fault: $(cat "$work/err")"
n=$(wc -l < "$work/log.sort") sum=$(cat "$work/sort"/*.seg | sha256sum)
[ "$(grep -c '#' "$work/log.sort")" -gt 4 ]; ok $? "$n calls, some to files without a name" "$(cat "$work/log.sort")"
step=$(is_long sorts && echo 1 || echo $((n / 2)))
[ $slow = no ] || is_long sorts || step=$n
for how in EIO ENOSPC short half; do
	for ((i = RANDOM % step + 1; i <= n; i += step)); do
		sort_it env LD_PRELOAD="$faults" FAULT_AT=$i FAULT_HOW=$how; status=$?
		case $status in
		0) [ "$(cat "$work/sort"/*.seg | sha256sum)" = "$sum" ] || wrong "$how at $(sed -n ${i}p "$work/log.sort"): success was said, and it is not whole" ;;
		1) grep -q "$work/sort.*${words[$how]:-}" "$work/err" || wrong "$how at $(sed -n ${i}p "$work/log.sort"): no file and reason: $(cat "$work/err")"
			[[ $how = short || -z $(ls "$work/sort") ]] || wrong "$how at $(sed -n ${i}p "$work/log.sort"): left: $(ls "$work/sort")" ;;
		137) [ $how = half ] || wrong "$how: killed" ;;
		*) wrong "$how at call $i: exit status $status" ;;
		esac
	done
done
told "a spilled sort with a fault at any call fails, or is whole"
[ "$long" = no ] || echo "# $points faults, $killed kills"
tap_done
