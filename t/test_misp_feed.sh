#!/usr/bin/env bash
# firebreak update: the folder of a MISP feed, of which only what is new is asked for, and an origin that lies about it.  TAP.
set -u
. "${top_srcdir:-.}/t/lying_origin.sh"
list=$state/sources/misp.feed
conf() { printf '%s\n' "$@" > "$state/sources.conf"; }
honest() { rm -f "$lies"/[a-z0-9]*; : > "$lies/requests"; }
id() { printf '%08x-1111-4111-8111-111111111111' "$1"; }
lie() { printf '%s\n' "$2" > "$lies/$(id "$1").json"; }	# lie EVENT HOW
attribute() { printf '{"type":"hostname","value":"%s","to_ids":true,"deleted":false}' "$1"; }
event() {	# event N HOST: its file
	printf '{"Event":{"uuid":"%s","info":"event %d","Attribute":[%s]}}' "$(id "$1")" "$1" "$(attribute "$2")" > "$origin/$(id "$1").json"
}
manifest() {	# manifest N=TIMESTAMP[=SUM] ...: what there is; SUM alone a "=" is that of the file
	local word n when sum comma=
	for word in "$@"; do
		IFS='=' read -r n when sum <<<"$word"
		[ "$sum" != right ] || sum=$(sha256sum < "$origin/$(id "$n").json" | cut -d' ' -f1)
		printf '%s"%s":{"info":"event %d","timestamp":"%s"%s}' "$comma" "$(id "$n")" "$n" "$when" "${sum:+,\"integrity:sha256\":\"$sum\"}"
		comma=,
	done > "$work/manifest"
	printf '{%s}' "$(cat "$work/manifest")" > "$origin/manifest.json"
}
# What was asked for since honest(), in order: "manifest" and numbers.
asked() {
	sed -nE 's/^GET [^ ]*\/(manifest)\.json[? ].*/\1/p; s/^GET [^ ]*\/0*([0-9a-f]+)-1111-[^ ]*\.json[? ].*/\1/p' "$lies/requests" | tr '\n' ' '
}
is_live() { "$firebreak" --state "$state" check "http://$1/" >/dev/null 2>&1; [ $? -eq 1 ]; }
live() { local host; for host in "$@"; do is_live "$host" || return 1; done; }
remembered() { sed -n "s/^$1 //p" "$state/update/misp"; }
partly() {	# partly NAME WORDS: a run that is good but for some events, about which the warning has WORDS
	fb 0 "$1" update --force
	[ "$(wc -l <<<"$err")" = 1 ] && grep -qF -e "sources.conf:1:6: warning: misp: $2" <<<"$err"
	ok $? "$1: one clear line" "$err"
}
fails() {	# fails NAME WORDS: a run that fails as a whole
	cp "$list" "$work/before"
	fb 1 "$1" update --force
	[ "$(wc -l <<<"$err")" = 1 ] && grep -qF -e "sources.conf:1:6: error: misp: " <<<"$err" && grep -qF -e "$2" <<<"$err"
	ok $? "$1: one clear line" "$err"
	cmp -s "$list" "$work/before" && [ -z "$(find "$state/update" "$state/sources" -name '.[nb]e*')" ]
	ok $? "$1: the last good list stays, and nothing else" "$(ls -A "$state/update")"
}
source="misp origin=$url/feed/ format=misp"
conf "$source"

# ---- all, and then what is new ----
for n in 1 2 3; do event $n "host$n.test"; done
manifest 1=100 2=100 3=100
echo 'etag "m1"' > "$lies/manifest.json"; : > "$lies/requests"
fb 0 "a dry run" update --dry-run
has "has what it would take" "1 new, nothing written" "$out"
[ ! -e "$list" ]; ok $? "and takes nothing"
: > "$lies/requests"
fb 0 "a first run" update
has "is one line" "1 source: 1 new, generation 1, 3 rules; live in 0 of 0 workers" "$out"
is "and no other" "$(wc -l <<<"$out")$err" 1
is "all was asked for" "$(asked)" "manifest 1 2 3 "
live host1.test host2.test host3.test; ok $? "all is live"
if command -v jq >/dev/null; then
	is "it is one list, in JSON" "$(jq -r '.[] | .Event.info // empty' "$list" | tr '\n' ' ')" "event 1 event 2 event 3 "
else
	skip "it is one list, in JSON" "jq is missing"
fi
: > "$lies/requests"
fb 0 "again" update --force
has "nothing is new" "1 unchanged, nothing to publish" "$out"
is "the manifest alone is asked for" "$(asked)" "manifest "
has "by its ETag" 'If-None-Match: "m1"' "$(cat "$lies/requests")"
honest
fb 0 "without the ETag" update --force
is "too" "$(asked)" "manifest "
event 2 changed.test; event 4 host4.test
manifest 1=100 2=101 4=100
honest
fb 0 "one is changed, one deleted, one new" update --force --json
is "only what is new is asked for" "$(asked)" "manifest 2 4 "
has "the numbers are of all" '"entries": 3,' "$out"
live host1.test changed.test host4.test && ! is_live host2.test && ! is_live host3.test; ok $? "what is gone is gone" "$(cat "$list")"
manifest 4=100 2=101 1=100
honest; cp "$list" "$work/before"
fb 0 "another order" update --force
is "asks for no event" "$(asked)" "manifest "
same "and is the same list" "$list" "$work/before"
event 1 summed.test; manifest 1=100=right 2=101 4=100
honest
fb 0 "another sum, and the same time" update --force
is "is another event" "$(asked)" "manifest 1 "
is_live summed.test; ok $? "is live"
manifest 1=100=right 2= 4=100
honest
fb 0 "one without a time" update --force
fb 0 "again" update --force
manifest 1=100=right 2= 4=100; printf ' ' >> "$origin/manifest.json"
honest
fb 0 "and another manifest" update --force
is "can only be asked for" "$(asked)" "manifest 2 "
manifest 1=100=right 2=101 4=100
conf "$source level=3"
honest
fb 0 "another line in sources.conf" update
is "all is looked at again" "$(asked)" "manifest 1 2 4 "
conf "$source"
fb 0 "and back" update
echo 'mine.test' > "$list"
fb 0 "a list that somebody changed here" update --force
live summed.test changed.test host4.test; ok $? "is fetched again" "$(cat "$list")"

# ---- an event that is no good ----
gone() { rm "$origin/$(id "$1").json"; }
other() { sed -i "s/$(id "$1")/$(id 9)/" "$origin/$(id "$1").json"; }
lies_by() { lie "$2" "$1"; }
text() { printf '%s' "$1" > "$origin/$(id "$2").json"; }
stray() { sed -i 's/\]}}$/ x]}}/' "$origin/$(id "$1").json"; }
half() { truncate -s -2 "$origin/$(id "$1").json"; }
twice() { cat "$origin/$(id "$1").json" "$origin/$(id "$1").json" > "$work/twice"; cp "$work/twice" "$origin/$(id "$1").json"; }
# bad NAME WORDS HOW: event 5 is new and event 2 was changed, and both are as HOW makes them.
bad() {
	local name=$1 words=$2
	shift 2
	honest
	event 5 host5.test; event 2 newer.test; manifest 1=100=right 2=102 4=100 5=100
	"$@" 2; "$@" 5
	partly "$name" "2 of its 4 events could not be used: $(id 2).json: $words"
	live summed.test changed.test host4.test && ! is_live newer.test && ! is_live host5.test
	ok $? "$name: the last good one stays, and the others" "$(cat "$list")"
}
bad "a file that is missing" "the origin answered with status 404" gone
echo 'etag "m2"' > "$lies/manifest.json"
fb 0 "while they are" update --force
: > "$lies/requests"
fb 0 "and while they are" update --force
is "they are asked for again, whatever the ETag of the manifest" "$(asked)" "manifest 2 5 "
event 2 changed.test; event 5 host5.test
fb 0 "the truth" update --force
is "is all that was missing" "$err" ""
is_live host5.test; ok $? "and is live"
: > "$lies/requests"
fb 0 "from then on" update --force
is "the manifest is asked for" "$(asked)" "manifest "
manifest 1=100=right 2=101 4=100; honest; fb 0 "as it was" update --force
bad "another event" "is another event, $(id 9)" other
bad "a file that breaks off" "transfer closed" lies_by cut
bad "a connection that is reset" "" lies_by reset
bad "a file that is half" "is damaged, in line 1" half
bad "what stands between attributes" "is damaged in its attributes: line 1" stray
bad "a file of two" "is damaged, in line 1" twice
bad "a page" "is an HTML page" text '<html>'
bad "no event" "is not one event with a uuid" text '{"Event":{}}'
bad "a redirect" "the origin sends us to another host, which redirects= does not name" lies_by "to http://localhost:$port/x.json"
honest
event 2 changed.test; manifest 1=100=right 2=101 4=100 5=100="$(printf x | sha256sum | cut -d' ' -f1)"
partly "another sum than the manifest's" "1 of its 4 events could not be used: $(id 5).json: its SHA-256 is not what the manifest says"
for i in {1..200}; do printf '{"type":"md5","value":"no digest %d","to_ids":true},' "$i"; done > "$work/bad"
printf '{"Event":{"uuid":"%s","Attribute":[%s%s]}}' "$(id 5)" "$(cat "$work/bad")" "$(attribute of-the-bad.test)" > "$origin/$(id 5).json"
manifest 1=100=right 2=101 4=100 5=100
partly "so much that is bad that all would be" "1 of its 4 events could not be used: $(id 5).json: has 200 bad entries, and 1 good ones"
manifest 1=100=right 2=101 4=100 5=100; lie 5 endless
partly "zeros that never end" "1 of its 4 events could not be used: $(id 5).json: is longer than the 67108864 bytes"
honest
manifest 1=100=right 2=101 4=100; sed -i 's/^{/{"..\/x":{"timestamp":"1"},"%2e%2e":{},/' "$origin/manifest.json"
partly "names that leave the folder" "manifest.json: 2 of its entries: something is bad in line 1, column 9: the key is no UUID"
is "are not asked for" "$(grep -c ^GET "$lies/requests")" 1
printf '\xef\xbb\xbf' | cat - "$origin/$(id 4).json" > "$work/marked"; cp "$work/marked" "$origin/$(id 4).json"
manifest 1=100=right 2=101 4=101; fb 0 "a byte order mark" update --force
event 5 host5.test; manifest 1=100=right 2=101 4=101 5=100; fb 0 "and one behind it" update --force
live summed.test changed.test host4.test host5.test; ok $? "is no harm between others" "$(cat "$list")"
event 4 packed.test; gzip -c "$origin/$(id 4).json" > "$work/packed"
manifest 1=100=right 2=101 4=102=right; cp "$work/packed" "$origin/$(id 4).json"; lie 4 gzip
fb 0 "a Content-Encoding" update --force
is_live packed.test; ok $? "is undone, and the sum is that of the file" "$err"
event 4 host4.test

# ---- what fails the whole ----
honest; manifest 1=100=right 2=101 4=103; fb 0 "all is well" update --force
printf '{' > "$origin/manifest.json"; fails "half a manifest" "manifest.json is damaged in line 1"
printf '{}' > "$origin/manifest.json"; fails "an empty manifest" "manifest.json has no entry"
echo '<html>' > "$origin/manifest.json"; fails "a page" "manifest.json is an HTML page"
rm "$origin/manifest.json"; fails "no manifest" "manifest.json: the origin answered with status 404"
# many N: a manifest of N events that are not there.
many() {
	awk -v n="$1" 'BEGIN { printf "{"; for (i = 0; i < n; i++) printf "%s\"%08x-2222-4222-8222-222222222222\":{\"timestamp\":\"1\"}", (i > 0 ? "," : ""), i
		print "}" }' > "$origin/manifest.json"
}
many 10000; honest
fails "10,000 events that are not there" "100 events one after the other could not be used: 00000000-2222-4222-8222-222222222222.json: the origin"
is "are not all asked for" "$(grep -c ^GET "$lies/requests")" 101
many 65537
fails "65,537 events" "manifest.json names more than the 65536 events that it may name"
manifest 7=1 8=1 1=100=right; fails "more that are no good" "2 of its 3 events could not be used"
manifest 1=100=right 2=101 4=103 5=100 6=100; event 6 host6.test
echo "retry 7200 429" > "$lies/$(id 5).json"; : > "$lies/requests"
fails "429" "the origin answered with status 429"
n=$(($(date -ud "$(remembered next)" +%s) - $(date +%s))); [ $n -gt 7000 ]; ok $? "is left alone for as long as it says" "$n"
is "and asked for nothing else" "$(asked)" "manifest 5 "
honest; lie 5 stall; conf "$source timeout=2s"
fails "one that takes all the time" "took too long"
honest; conf "$source max=1000"
fails "more bytes than may come" "more than the 1000 bytes come that may come together"
conf "$source unpacked=600"
fails "a list that is too long" "its events have more than the 600 bytes that they may have together"
printf '\n\n\n' >> "$origin/$(id 6).json"; conf "$source lines=3"
fails "too many lines" "its events have more than the 3 lines that they may have together"
conf "$source"
helper=$FIREBREAK_FEED_HELPER
export FIREBREAK_FEED_HELPER=$build/t/feed_helper_bad
fails "a helper that was taken over" "it cannot be looked at: the process that reads it makes no sense"
export FIREBREAK_FEED_HELPER=$work/nowhere
fails "no helper" "$work/nowhere cannot be started"
export FIREBREAK_FEED_HELPER=$helper

# ---- other origins ----
conf "misp origin=$url/feed/manifest.json?a=b format=misp"; honest
fb 0 "a manifest that is named, and a query" update --force
has "which goes with each" "GET /feed/$(id 6).json?a=b " "$(cat "$lies/requests")"
is_live host6.test; ok $? "it is live" "$err"
printf 'Authorization: s3cr3t-word\n' > "$work/header"; chmod 600 "$work/header"
conf "$source header=$work/header"; honest
fb 0 "a secret" update --force
is "goes with each, and is not told" "$(grep -c 's3cr3t-word' "$lies/requests") $(grep -c s3cr3t <<<"$out$err")" "6 0"
conf "misp origin=file://$origin/ format=misp"; event 6 local.test; manifest 1=100=right 2=101 4=103 5=100 6=101
fb 0 "a folder of this machine" update --force
is_live local.test && ! is_live host6.test; ok $? "is one, too" "$err"
if command -v minisign >/dev/null; then
	"$firebreak" --state "$state" key generate "$work/a" >/dev/null
	sign() { minisign -S -s "$work/a" -m "$origin/manifest.json" -x "$origin/manifest.json.minisig" >/dev/null 2>&1; }
	conf "$source key=$("$firebreak" key show "$work/a")"
	fails "a manifest without its signature" "manifest.json: its signature (.minisig): the origin answered with status 404"
	event 1 signed.test; manifest 1=101=right 2=101=right 4=103=right 6=101=right 5=100; sign
	partly "a signed one, and an event of which it has no sum" "1 of its 5 events could not be used: $(id 5).json: the signed manifest has no SHA-256 of it"
	live signed.test local.test && ! is_live host5.test; ok $? "are the others"
	manifest 1=102=right 2=101=right 4=103=right 6=101=right; fails "a manifest that was changed" "is not signed by the key that key= names"
	sign; event 1 forged.test; partly "an event that was changed" "1 of its 4 events could not be used: $(id 1).json: its SHA-256"
	is_live signed.test && ! is_live forged.test; ok $? "is not believed"
else
	skip "a key that is pinned" "minisign is missing"
fi
conf "x origin=$url/$(id 1).json format=misp"; rm "$list"
fb 0 "a single event" update --force
[ -e "$state/sources/x.feed" ] && is_live forged.test; ok $? "is a list, as ever" "$err"
tap_done
