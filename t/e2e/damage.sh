#!/usr/bin/env bash
# Damaged rule sets, and none at all, in the real daemon.  TAP.
. "${top_srcdir:-.}/t/e2e/tap.sh"

bad=http://www.bad-host.test/
icap_log() { cat "$LAB_STATE/log/c-icap.log" "$LAB_STATE/log/c-icap.out"; }

# ---- no generation ----
LAB_CICAP_MORE="firebreak.NoRules closed"
e2e_init closed
e2e_start_unready() { LAB_WAIT_S=3 lab_start >/dev/null 2>&1; }	# nothing can come through
e2e_start_unready
like "$(fetch "$LAB_ORIGIN/")" "403 * 0" "closed: without rules everything is refused"
is "$(event '.event.action, .event.reason')" "blocked no-rules" "closed: and each is an event"
like "$(icap_log)" "*NO RULES*firebreak publish*" "closed: the log says so, and what to do"
e2e_rules "block host .bad-host.test"
like "$(e2e_publish)" "*live in all*" "closed: the first rules are taken up at once"
like "$(fetch "$LAB_ORIGIN/")" "200 * 0" "closed: and what is not listed passes"

LAB_CICAP_MORE=
e2e_init open
e2e_start
like "$(fetch "$LAB_ORIGIN/")" "200 * 0" "open: without rules everything passes"
is "$(event '.event.action, .event.reason')" "passed_unchecked no-rules" "open: and each is an event"
like "$(icap_log)" "*NO RULES*firebreak publish*" "open: the log says so, and what to do"

# ---- damage ----
e2e_rules "block host .bad-host.test"
e2e_publish >/dev/null
like "$(fetch "$bad")" "403 * 0" "the good generation refuses"

# The next generation is made elsewhere, without the rule, damaged, and only then put in place.
stage=$lab_top/stage
damaged() {	# damaged KIND WHAT PATTERN: put a generation in place whose segment KIND suffers WHAT
	local kind=$1 what=$2 pattern=$3 seg next got
	rm -rf "$stage"
	lab_as mkdir -p "$LAB_STATE/stage"
	cp -a "$LAB_STATE/rules" "$LAB_STATE/stage/"
	lab_as mkdir -p "$LAB_STATE/stage/sources" "$LAB_STATE/stage/runtime"
	printf '%s\n' "allow host .bad-host.test" "block file 5:md5:00000000000000000000000000000001" "block address 198.51.100.0/24" \
		"block path /of-every-kind/*.one" "block file 5:name:of-every-kind.one" "except rule 1:local:x user=of-every-kind" | lab_write "$LAB_STATE/stage/sources/local.rules"
	lab_as "$LAB_FIREBREAK" --state "$LAB_STATE/stage" publish >/dev/null 2>&1
	next=$(sed -n 's/^generation //p' "$LAB_STATE/stage/rules/MANIFEST")
	seg=$LAB_STATE/stage/rules/$kind-$next.seg
	case $what in
	truncated) truncate -s -8 "$seg" ;;
	empty) truncate -s 0 "$seg" ;;
	flipped) printf '\377' | dd of="$seg" bs=1 seek=$(($(stat -c %s "$seg") - 1)) conv=notrunc status=none ;;
	foreign) printf '\001\002\003\004' | dd of="$seg" bs=1 seek=8 conv=notrunc status=none ;;
	future) printf '\011' | dd of="$seg" bs=1 seek=7 conv=notrunc status=none ;;
	missing) rm "$seg" ;;
	manifest) sed -i '2s/.*/generation 99999/' "$LAB_STATE/stage/rules/MANIFEST" ;;
	cut) sed -i '$d' "$LAB_STATE/stage/rules/MANIFEST" ;;
	esac
	: >"$LAB_STATE/log/c-icap.log"
	cp -a "$LAB_STATE"/stage/rules/*-"$next".seg "$LAB_STATE/rules/" 2>/dev/null
	cp -a "$LAB_STATE/stage/rules/MANIFEST" "$LAB_STATE/rules/MANIFEST.new"
	mv "$LAB_STATE/rules/MANIFEST.new" "$LAB_STATE/rules/MANIFEST"
	for _ in $(seq 50); do
		got=$(grep -ahE "$pattern" "$LAB_STATE/log/c-icap.log") && break
		sleep 0.1
	done
	[ -n "$got" ]
	ok $? "$kind, $what: refused with its name and reason" "expected $pattern in:"$'\n'"$(cat "$LAB_STATE/log/c-icap.log")"
	grep -aq 'stays in force' "$LAB_STATE/log/c-icap.log"
	ok $? "$kind, $what: the log says that the last good one stays"
	like "$(fetch "$bad")" "403 * 0" "$kind, $what: and it does"
	got=$(firebreak status --verify 2>&1)
	[ $? -ne 0 ]; ok $? "$kind, $what: status --verify sees it, too" "$got"
	rm -rf "$LAB_STATE/stage" "$LAB_STATE/rules"/*-"$next".seg
}
for kind in rules hosts digests addresses patterns names exceptions site; do
	damaged $kind truncated "$kind-[0-9]+\.seg.*(truncated|length|damaged)"
	damaged $kind flipped "$kind-[0-9]+\.seg.*(SHA-256|damaged)"
	damaged $kind foreign "$kind-[0-9]+\.seg.*byte order"
	damaged $kind future "$kind-[0-9]+\.seg.*version"
	damaged $kind missing "$kind-[0-9]+\.seg.*No such file"
done
damaged hosts empty "hosts-[0-9]+\.seg"
damaged hosts manifest "MANIFEST.*damaged"
damaged hosts cut "MANIFEST.*cut short"
like "$(e2e_publish)" "*live in all*" "a new publish mends it"

# What was refused is tried again: it may have been a passing want of something.
seg=$LAB_STATE/rules/hosts-$(($(sed -n 's/^generation //p' "$LAB_STATE/rules/MANIFEST") + 1)).seg
echo "block host .later-host.test" | lab_write "$LAB_STATE/sources/later.rules"
lab_as mkdir -p "$LAB_STATE/stage" && cp -a "$LAB_STATE/rules" "$LAB_STATE/sources" "$LAB_STATE/stage/"
lab_as mkdir -p "$LAB_STATE/stage/runtime"
lab_as "$LAB_FIREBREAK" --state "$LAB_STATE/stage" publish >/dev/null 2>&1
for file in "$LAB_STATE"/stage/rules/*.seg; do
	[ "${file##*/}" = "${seg##*/}" ] || cp -an "$file" "$LAB_STATE/rules/"
done
cp -a "$LAB_STATE/stage/rules/MANIFEST" "$LAB_STATE/rules/MANIFEST.new" && mv "$LAB_STATE/rules/MANIFEST.new" "$LAB_STATE/rules/MANIFEST"
sleep 2.5
[[ $(fetch "http://later-host.test/") != 403* ]]
ok $? "with a segment away its generation is not in force"
cp -a "$LAB_STATE/stage/rules/${seg##*/}" "$LAB_STATE/rules/"
for _ in $(seq 40); do
	later=$(fetch "http://later-host.test/")
	[[ $later != 403* ]] || break
	sleep 1
done
like "$later" "403 * 0" "when it is there again, the generation is taken up without a publish"
rm -rf "$LAB_STATE/stage"
like "$(fetch "$bad")" "403 * 0" "and its rules are in force"
like "$(firebreak status --verify)" "*Generation*" "status --verify is content"
e2e_done
