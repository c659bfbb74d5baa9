#!/usr/bin/env bash
# firebreak update: lists that are fetched, looked at and published; and an origin that lies, stalls, resets, sends too much.  TAP.
set -u
. "${top_srcdir:-.}/t/lying_origin.sh"
tell() { rm -f "$lies"/[a-z]*; [ $# -eq 0 ] || printf '%s\n' "$2" > "$lies/$1"; }	# tell NAME HOW
conf() { printf '%s\n' "$@" > "$state/sources.conf"; }
remembered() { sed -n "s/^$2 //p" "$state/update/$1"; }		# remembered SOURCE WORD
is_live() { "$firebreak" --state "$state" check "http://$1/" >/dev/null 2>&1; [ $? -eq 1 ]; }
hosts() { awk -v n="$1" -v name="${2:-h}" 'BEGIN { for (i = 0; i < n; i++) print name i ".test" }'; }

# ---- sources.conf ----
while IFS='|' read -r idea line message; do
	conf '# A comment.' "$line"
	fb 2 "sources.conf: $idea" update
	has "$idea: line and column are named" "sources.conf:2:$message" "$err"
done <<END
a URL of another kind|x origin=ftp://a.test/ format=hosts|10: error: expected a URL that begins with https://, http:// or file:///
a URL without a host|x origin=http:/// format=hosts|10: error: the URL has no host
a URL with a user|x origin=http://u:p@a.test/ format=hosts|10: error: the URL has a user in it
no format|x origin=http://a.test/|3: error: origin= needs format=
no origin|x format=hosts ca=/x|3: error: key=, header=, redirects=, ca= and proxy= go with origin=
an interval that is none|x origin=http://a.test/ format=hosts every=often|44: error: 
an interval that is too short|x origin=http://a.test/ format=hosts every=5s|44: error: 
an end before the next run|x origin=http://a.test/ format=hosts every=2d expires=3d|3: error: expires= must be at least twice every=
a key that is none|x origin=http://a.test/ format=hosts key=RWQx|42: error: expected one public key
three keys|x origin=http://a.test/ format=hosts key=a,b,c|42: error: expected one public key
a header file without a path|x origin=https://a.test/ format=hosts header=x|46: error: expected the absolute path
a secret in the clear|x origin=http://a.test/ format=hosts header=/x|3: error: header= is a secret, and goes with https: alone
a secret in the clear for a proxy|x origin=http://127.0.0.1/ format=hosts header=/x proxy=http://b.test/|3: error: header= is a secret, which a proxy
a redirect that is a URL|x origin=http://a.test/ format=hosts redirects=http://b|48: error: redirects= takes hosts
a proxy that is none|x origin=http://a.test/ format=hosts proxy=socks|44: error: expected env, or the URL of a proxy
no limit|x origin=http://a.test/ format=hosts max=much|42: error: 
no lines|x origin=http://a.test/ format=hosts lines=0|44: error: 
no time|x origin=http://a.test/ format=hosts timeout=0|46: error: 
a name that is none|../x origin=http://a.test/ format=hosts|1: error: the source's name
a name that is hidden|.x origin=http://a.test/ format=hosts|1: error: the source's name
END
conf "x origin=$url/x format=hosts" "x origin=$url/y format=hosts"
fb 2 "a source that stands there twice" update
has "the second is named" "sources.conf:2:1: error: a source stands here twice" "$err"

# ---- a first run ----
printf 'evil.test\n.bad.test\n' > "$origin/mal.txt"
hosts 300 > "$origin/large.txt"
mal="mal origin=$url/mal.txt format=hosts max=20000 unpacked=200k lines=1000"
large="large origin=$url/large.txt format=hosts every=1d level=5"
echo '# Nothing yet.' > "$state/sources.conf"
fb 0 "nothing to ask for" update
has "says where that would be said" "nothing to do: no line of $state/sources.conf has an origin" "$out"
conf "$mal" "$large # a comment"
fb 0 "a dry run" update --dry-run
has "says what it would take" "2 new, nothing written" "$out"
[ -z "$(ls "$state/sources")" ] && [ ! -e "$state/rules/MANIFEST" ]; ok $? "and writes nothing" "$(ls -R "$state")"
fb 0 "a first run" update
has "is one line" "2 sources: 2 new, generation 1, 302 rules; live in 0 of 0 workers" "$out"
is "and no other" "$(wc -l <<<"$out")$err" 1
same "the list is as it was sent" "$state/sources/mal.feed" "$origin/mal.txt"
is_live evil.test; ok $? "it is live"
fb 0 "a run at once" update
has "asks for nothing" "2 not due, nothing to publish" "$out"
fb 0 "by force" update --force
has "they are asked for" "2 unchanged, nothing to publish" "$out"
is "the lock and the lists are for the group" "$(stat -c %a "$state/update/.lock" "$state/sources/mal.feed" | tr '\n' ' ')" \
	"660 664 "
fb 0 "one alone, in words" update --only mal
has "the other was not asked for" "2 sources: 1 not asked for, 1 unchanged" "$out"
fb 0 "one alone" update --only mal --json
has "is asked for, due or not" '"outcome": "unchanged"' "$out"
has "and the other is not" '"outcome": "not due"' "$out"
fb 2 "one that is not there" update --only mal,nowhere
has "is named" 'has no source "nowhere" with an origin' "$err"
is "and nothing else is said" "$out" ""
conf "$mal level=3"
fb 0 "a line that was changed" update
has "makes the source due" "1 source: 1 unchanged, generation 2" "$out"
conf "$mal" "$large"
fb 0 "and back" update

# ---- what has not changed ----
: > "$lies/requests"
tell mal.txt 'etag "5e1f"'; : > "$lies/requests"
echo three.test >> "$origin/mal.txt"
fb 0 "a list with an ETag" update --force --only mal
is "it is kept" "$(remembered mal etag)" '"5e1f"'
fb 0 "again" update --force --only mal --json
has "nothing comes" '"bytes": 0,' "$out"
has "because it was asked" 'If-None-Match: "5e1f"' "$(cat "$lies/requests")"
echo 'mine.test' > "$state/sources/mal.feed"
fb 0 "a list that somebody changed here" update --force --only mal
same "is fetched again, whatever the ETag" "$state/sources/mal.feed" "$origin/mal.txt"
tell mal.txt 'date Fri, 27 Nov 2026 07:00:00 GMT'
fb 0 "a list with a date" update --force --only mal
tell mal.txt 'date Fri, 27 Nov 2026 07:00:00 GMT'; : > "$lies/requests"
fb 0 "again" update --force --only mal
has "the date is sent back" "If-Modified-Since: Fri, 27 Nov 2026 07:00:00 GMT" "$(cat "$lies/requests")"
tell
touch -d '20 days ago' "$state/sources/mal.feed"
fb 0 "a list that has not changed for half of its life" update --force --only mal
has "is published, so that its rules do not end" "1 unchanged, generation" "$out"
[ $(($(date +%s) - $(stat -c %Y "$state/sources/mal.feed"))) -lt 100 ]; ok $? "as of now"

# ---- packed lists ----
cp "$origin/mal.txt" "$work/mal.txt"
packed() {	# packed NAME FILE: a list that comes as FILE is SAVED/mal.txt
	cp "$2" "$origin/mal.txt"
	rm -f "$state/sources/mal.feed"
	fb 0 "$1" update --force --only mal
	same "$1: it is the list" "$state/sources/mal.feed" "$work/mal.txt"
}
gzip -k -c "$work/mal.txt" > "$work/mal.gz"
packed "a gzip" "$work/mal.gz"
gzip -c "$work/mal.gz" > "$work/mal.gz.gz"; packed "a gzip of a gzip" "$work/mal.gz.gz"
{ head -n 1 "$work/mal.txt" | gzip -c; tail -n +2 "$work/mal.txt" | gzip -c; } > "$work/two.gz"; packed "a gzip of two members" "$work/two.gz"
tell mal.txt gzip; packed "a Content-Encoding" "$work/mal.gz"; tell
if command -v python3 >/dev/null; then
	pack() { python3 - "$@" <<'END'
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as z:
    for name in sys.argv[3:]:
        if name.endswith("/"):
            z.writestr(name, "")
        else:
            z.write(sys.argv[2], name)
END
	}
	pack "$work/one.zip" "$work/mal.txt" lists/ lists/mal.txt; packed "a zip of one file" "$work/one.zip"
	zips=yes
else
	skip "a zip of one file" "python3 is missing"
	zips=no
fi
cp "$work/mal.txt" "$origin/mal.txt"
fb 0 "and as it was" update --force --only mal

# ---- lists that have no lines ----
stix='{"type":"bundle","id":"bundle--1","objects":[{"type":"indicator","spec_version":"2.1","pattern_type":"stix","valid_from":"2020-01-01T00:00:00Z"'
printf '%s,"id":"indicator--1","pattern":"[domain-name:value = '"'stix.test'"']"}]}' "$stix" | gzip -c > "$origin/b.json"
printf '{"Event":{"uuid":"1","info":"x","Attribute":[{"type":"domain","value":"misp.test","to_ids":true,"deleted":false}]}}' > "$origin/e.json"
conf "$mal" "$large" "b origin=$url/b.json format=stix" "e origin=$url/e.json format=misp"
fb 0 "STIX and MISP" update --json
has "are lists" '"entries": 1,' "$out"
is_live stix.test && is_live misp.test; ok $? "they are live" "$out"
echo '{"type":"bundle","objects":[' > "$origin/b.json"
fb 1 "half a bundle" update --force --only b
is_live stix.test; ok $? "leaves the last good one" "$out"
rm "$state/sources"/[be].feed
conf "$mal" "$large"

# ---- an origin that lies ----
# refused NAME WORDS: a run fails with a line that has WORDS; what was there stays, and what else is new comes.
refused() {
	local name=$1 words=$2 n
	cp "$state/sources/mal.feed" "$work/before"
	n=$(remembered mal failures)
	echo "new$tap_n.test" >> "$origin/large.txt"
	fb 1 "$name" update --force
	[ "$(grep -c ': error: ' <<<"$err")" = 1 ] && [ "$(wc -l <<<"$err")" = 1 ] && grep -qF -e "sources.conf:1:5: error: mal: " <<<"$err" &&
		grep -qF -e "$words" <<<"$err"; ok $? "$name: one clear line" "$err"
	cmp -s "$state/sources/mal.feed" "$work/before" && is_live evil.test; ok $? "$name: the last good list stays"
	grep -qE ' 1 new, 1 (failed|refused), generation' <<<"$out"; ok $? "$name: and the other source is not held back" "$out"
	[ "$(remembered mal failures)" = $((${n:-0} + 1)) ] && [ -z "$(find "$state/update" "$state/sources" -name '.[nb]e*')" ]
	ok $? "$name: it is remembered, and nothing is left" "$(ls -A "$state/update")"
}
tell mal.txt endless; refused "zeros that never end" "is longer than the 20000 bytes"
tell mal.txt claim; refused "a length of a terabyte" "is longer than the 20000 bytes"
tell mal.txt cut; refused "a list that breaks off" "transfer closed"
tell mal.txt reset; refused "a connection that is reset" "eset"
conf "$mal timeout=1s" "$large"
tell mal.txt stall; refused "no answer" "timed out"
tell mal.txt drip; head -c 2000 "$origin/large.txt" > "$origin/mal.txt"; refused "ten bytes a second" "timed out"
conf "$mal" "$large"
tell mal.txt head; refused "a header without end" "header"
tell mal.txt "status 404"; refused "a list that is gone" "the origin answered with status 404"
tell mal.txt "status 500"; refused "an origin that has trouble" "the origin answered with status 500"
tell mal.txt part; refused "a part" "the origin answered with status 206"
tell mal.txt "status 304"; echo "mal.test" >> "$state/sources/mal.feed"; cp "$state/sources/mal.feed" "$work/kept"
refused "nothing new, to who has nothing" "the origin says that nothing has changed, and nothing is here"
for to in "file:///etc/passwd" "gopher://127.0.0.1/"; do
	tell mal.txt "to $to"; refused "a redirect to $to" "no https: or http: URL"
done
for to in "http://127.0.0.2:$port/mal.txt" "http://localhost:$port/mal.txt"; do
	tell mal.txt "to $to"; refused "a redirect to $to" "to another host, which redirects= does not name"
done
tell mal.txt "to $url/mal.txt"; refused "a redirect to itself" "on and on"
tell mal.txt "coded br"; refused "a coding that nobody asked for" "Content-Encoding br"
tell mal.txt gzip; refused "a gzip that is none" "says that it is a gzip, and it is none"
tell
send() { cp "$1" "$origin/mal.txt"; refused "$2" "$3"; }
: > "$work/empty"; send "$work/empty" "an empty list" "is empty: not one entry of the format hosts"
printf '# nothing\n\n' > "$work/comments"; send "$work/comments" "comments alone" "is empty"
printf '\n <!DOCTYPE html>\n<p>Log in\n' > "$work/page"; send "$work/page" "a page" "is an HTML page"
printf '{"error":"limit"}\n' > "$work/json"; send "$work/json" "what is no list" "is no list of the format hosts: 1 bad lines, 0 good ones; line 1: "
{ echo good.test; printf 'a b c\nd e f\n'; } > "$work/bad"; send "$work/bad" "more bad lines than good ones" "2 bad lines, 1 good ones"
# Bytes that only look random: what chance makes of them may be anything.
for ((i = 0; i < 2000; i++)); do printf "\\x$(printf %x $(((i * i * 31 + i * 7) % 254 + 1)))"; done > "$work/noise"
send "$work/noise" "noise" "is no list of the format hosts"
{ echo good.test; printf 'a\0b\n'; } > "$work/nul"; send "$work/nul" "what is no text" "is no text"
hosts 1001 > "$work/long"; send "$work/long" "a line too many" "more than the 1000 lines"
gzip -c "$work/mal.txt" | head -c 30 > "$work/half.gz"; send "$work/half.gz" "half a gzip" "the gzip breaks off"
{ cat "$work/mal.gz"; echo more; } > "$work/more.gz"; send "$work/more.gz" "a gzip with something behind it" "the gzip is damaged"
# 10 GB of zeros, of which each 16 MB are a member.
printf 'one.test\n%.0s' {1..99} > "$work/lines"
{ cat "$work/lines"; head -c 16M /dev/zero; } | gzip -9 -c > "$work/member"
send "$work/member" "zeros in a gzip" "than the 204800 bytes that it may have"
conf "mal origin=$url/mal.txt format=hosts max=100m unpacked=16g" "large origin=$url/large.txt format=hosts"
for _ in {1..64}; do cat "$work/member"; done > "$work/members"
for _ in {1..10}; do cat "$work/members"; done > "$work/bomb"
send "$work/bomb" "10 GB of zeros in a gzip" "unpacks to more than 200 times its size"
rm "$work/bomb" "$work/members"
conf "$mal" "$large"
if [ $zips = yes ]; then
	pack "$work/x.zip" "$work/mal.txt" a.txt b.txt; send "$work/x.zip" "a zip of two files" "the zip has more than one file"
	pack "$work/y.zip" "$work/mal.txt" a.exe; send "$work/y.zip" "a zip of a program" "has not the name of a list"
	pack "$work/z.zip" "$work/mal.txt" empty/; send "$work/z.zip" "a zip without a file" "has no file"
	head -c 60 "$work/x.zip" > "$work/half.zip"; send "$work/half.zip" "half a zip" "the zip "
fi
cp "$work/mal.txt" "$origin/mal.txt"
fb 0 "and then the truth" update --force
is "the failures are forgotten" "$(remembered mal failures)$(remembered mal why)" ""

# ---- later ----
soon() { local n; n=$(($(date -ud "$(remembered mal next)" +%s) - $(date +%s))); [ "$n" -gt "$1" ] && [ "$n" -le "$2" ]; }
tell mal.txt "retry 7200 429"; refused "429 with Retry-After" "status 429"
soon 7100 7200; ok $? "is left alone for so long" "$(remembered mal next)"
fb 0 "until then" update; has "it is not asked for" "2 not due" "$out"
tell mal.txt "retry 99999999 503"; refused "503 with a long Retry-After" "status 503"
soon 86300 86400; ok $? "is asked again after a day" "$(remembered mal next)"
tell; fb 0 "better" update --force
tell mal.txt "status 500"
refused "a first failure" "500"; soon 200 300; ok $? "is tried again in five minutes" "$(remembered mal next)"
refused "a second" "500"; soon 500 600; ok $? "in ten" "$(remembered mal next)"
refused "a third" "500"; soon 1100 1200; ok $? "in twenty" "$(remembered mal next)"
sed -i 's/^failures .*/failures 60/' "$state/update/mal"
refused "and so on" "500"; soon 21500 21600; ok $? "in six hours at most" "$(remembered mal next)"
tell; fb 0 "better" update --force

# ---- redirects that are listed, and secrets ----
printf '# Ours.\nAuth-Key: s3cr3t-word\n' > "$work/header"; chmod 600 "$work/header"
conf "$mal header=$work/header redirects=localhost" "$large"
tell mal.txt 'etag "x"'; : > "$lies/requests"
fb 0 "a header that is secret" update --force --only mal
has "is sent" "Auth-Key: s3cr3t-word" "$(cat "$lies/requests")"
hasnot "and neither shown" "s3cr3t" "$out$err"
! grep -rqs s3cr3t "$state"; ok $? "nor kept" "$(grep -rs s3cr3t "$state")"
cp "$origin/mal.txt" "$origin/other.txt"; echo other.test >> "$origin/other.txt"
tell mal.txt "to http://localhost:$port/other.txt"; : > "$lies/requests"
fb 0 "a redirect to a host that is listed" update --force --only mal
same "is followed" "$state/sources/mal.feed" "$origin/other.txt"
is "without the secret" "$(grep -c 's3cr3t' "$lies/requests") of $(grep -c ^GET "$lies/requests")" "1 of 2"
echo long.test >> "$origin/other.txt"
tell mal.txt "to http://localhost:$port/other.txt?$(printf 'x%.0s' {1..3000})"
fb 0 "a redirect to a URL that is longer than any in sources.conf" update --force --only mal
same "is followed, too" "$state/sources/mal.feed" "$origin/other.txt"
tell
chmod 640 "$work/header"; refused "a header file that others may read" "the file of header= others may read it"
chmod 600 "$work/header"; printf 'Auth-Key: a\rX: b\n' > "$work/header"; refused "a header with another in it" 'expected up to 16 lines "Name: value"'
rm "$work/header"; refused "a header file that is gone" "No such file"
conf "$mal" "$large"

# ---- proxies ----
conf "mal origin=http://feeds.test/mal.txt format=hosts proxy=$url" "$large"
echo proxy.test >> "$origin/mal.txt"; : > "$lies/requests"
fb 0 "a proxy" update --force
is_live proxy.test; ok $? "is asked" "$(cat "$lies/requests")"
has "for the list" "GET http://feeds.test/mal.txt HTTP/1.1" "$(cat "$lies/requests")"
conf "mal origin=http://feeds.test/mal.txt format=hosts proxy=env" "$large"
export http_proxy=$url; fb 0 "that of the environment" update --force; unset http_proxy
conf "$mal" "$large"

# ---- a key that is pinned ----
if command -v minisign >/dev/null; then
	"$firebreak" --state "$state" key generate "$work/a" >/dev/null; "$firebreak" --state "$state" key generate "$work/b" >/dev/null
	key() { "$firebreak" key show "$work/$1"; }
	sign() { minisign -S -s "$work/$1" -m "$origin/mal.txt" -x "$origin/mal.txt.minisig" >/dev/null 2>&1; }
	signed="$mal key=$(key a)"
	conf "$signed" "$large"
	rm -f "$origin/mal.txt.minisig"; refused "a list without its signature" "its signature (.minisig): the origin answered with status 404"
	echo signed.test >> "$origin/mal.txt"; sign a
	fb 0 "a list with its signature" update --force
	is_live signed.test; ok $? "is live"
	echo added.test >> "$origin/mal.txt"; refused "a list that was changed" "is not signed by the key"
	sign b; refused "a signature by another" "is not signed by the key"
	echo nonsense > "$origin/mal.txt.minisig"; refused "a signature that is none" "its signature (.minisig) is none"
	sign a; tell mal.txt.minisig endless; refused "a signature that never ends" "its signature (.minisig): is longer than"
	tell
	conf "$mal key=$(key b),$(key a)" "$large"
	fb 0 "the second of two keys" update --force
	is_live added.test; ok $? "is as good"
	gzip -c "$origin/mal.txt" > "$work/m.gz"; mv "$work/m.gz" "$origin/mal.txt"; sign b
	fb 0 "what is signed is what is sent, packed" update --force
	cp "$work/mal.txt" "$origin/mal.txt"
else
	skip "a key that is pinned" "minisign is missing"
fi
conf "$mal" "$large"
fb 0 "without a key" update --force

# ---- what lint and the gate say ----
conf "$mal" "$large" "psl origin=$url/psl.txt format=squidguard-domains"
printf 'com\nco.uk\norg\n' > "$origin/psl.txt"
fb 0 "a list of public suffixes" update
! is_live www.example.com && ! is_live example.co.uk; ok $? "blocks nobody"
hosts 300 > "$origin/large.txt"; fb 0 "a large list" update --force --only large
hosts 20 > "$origin/large.txt"
fb 1 "of which little is left" update --force --only large
has "is held" "1 held" "$out"
has "with what to do" "firebreak approve" "$err"
is_live h250.test; ok $? "its rules stay"
fb 0 "it is held once" update --force --only large
id=$(grep -o '^[0-9a-f]\{24\} .* large replace list' "$state/held" | cut -d' ' -f1)
fb 0 "approved" approve "$id"
! is_live h250.test; ok $? "it is live"

# ---- status, metrics ----
fb 0 "status" status
has "says how old each list is" "Fetched     mal: good " "$out"
sed -i "s/^good .*/good $(date -u -d '3 days ago' +%Y-%m-%dT%H:%M:%SZ)/" "$state/update/mal"
tell mal.txt "status 503"
fb 1 "a failure after three days" update --force
fb 1 "status" status
has "says loudly that the last good list is stale" "mal: *** STALE: last good 3 days ago ***" "$out"
has "and why" "the origin answered with status 503" "$out"
fb 1 "as JSON" status --json
has "too" '"stale": true' "$out"
fb 0 "metrics" metrics
has "have it" 'firebreak_feed_stale{source="mal"} 1' "$out"
has "and of another" 'firebreak_feed_stale{source="large"} 0' "$out"
tell
fb 0 "it is back" update --force
fb 0 "and all is well" status

# ---- a budget of its own ----
for i in 1 2 3; do printf '%s.000 5 192.0.2.%s TCP_MISS/200 500 GET http://www.busy.test/ - HIER_DIRECT/192.0.2.9 text/html\n' "$(date +%s)" $i; done > "$work/access.log"
printf 'RehearseLogs %s\nRehearseBudget 1000\n' "$work/access.log" > "$state/site.conf"
conf "$mal budget=2" "$large" "psl origin=$url/psl.txt format=squidguard-domains"
echo www.busy.test >> "$origin/mal.txt"
fb 1 "a list that would block more than its budget" update --force
has "is held" "mal: held until somebody decides" "$err"
! is_live www.busy.test; ok $? "for a person"
sed -i /RehearseBudget/d "$state/site.conf"
echo x.busy.test >> "$origin/mal.txt"
sed -i s/www.busy/x.busy/ "$work/access.log"
fb 1 "a budget where the site has none" update --force
has "is held as well" "mal: held until somebody decides" "$err"
! is_live x.busy.test; ok $? "for a person"
rm "$state/site.conf"
echo y.busy.test >> "$origin/mal.txt"
fb 1 "a budget, and no log to ask" update --force
has "is told" "sources.conf:1:5: warning: budget= is held by no log: RehearseLogs of site.conf" "$err"
is_live y.busy.test && ! is_live x.busy.test; ok $? "and holds nothing more, while what was held waits"
conf "$mal" "$large" "psl origin=$url/psl.txt format=squidguard-domains"
fb 0 "without it" update --force
is "nothing is told" "$err" ""
live=$("$firebreak" --state "$state" held)
is_live x.busy.test && is_live www.busy.test; ok $? "and nothing waits any more" "$live"
sed -i /busy.test/d "$origin/mal.txt"
fb 0 "and as it was" update --force

# ---- alerts ----
incoming=$state/alerts/incoming
mkdir -p "$incoming/folder"; mkfifo "$incoming/fifo"; ln -s "$work/mal.txt" "$incoming/link"
echo 'See http://half.test/x' > "$incoming/.half"
echo 'See http://young.test/x' > "$incoming/young"; touch -d '1 hour' "$incoming/young"
put() { printf '%b' "$2" > "$incoming/.t"; touch -d '1 minute ago' "$incoming/.t"; mv "$incoming/.t" "$incoming/$1"; }	# put NAME TEXT
put text 'Users are sent to http://alert-one.test/a/b.exe today.\n'
put mail 'From: analyst@example.test\r\nDate: x\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nSee http://alert-=\r\ntwo.test/x=3D1\r\n'
put none 'Nothing in it.\n'
put part 'From: a@b.test\nDate: x\n\nSee http://alert-three.test/a.exe\nMD5: 9abc553703f4e4fedb3ed975502a2c70 size 90112\n'
put ours 'Users are sent to http://www.ours.test/ today.\n'
echo 'protect host .ours.test' > "$state/sources/own.rules"
fb 0 "a domain of our own" publish
touch -d '1 minute ago' "$incoming/.half"
tell mal.txt "status 500"
fb 1 "alerts that wait, and a list that fails" update --force
has "three are imported" "3 alerts imported, 2 alerts refused" "$out"
tell
is "the text is live" "$("$firebreak" --state "$state" check http://alert-one.test/a/b.exe | head -n 1 | cut -d: -f1)" "block"
is "the mail is" "$("$firebreak" --state "$state" check "http://alert-two.test/x=1" | head -n 1 | cut -d: -f1)" "block"
has "one without rules is an error" "incoming/none: error: nothing in it can become a rule" "$err"
has "it says where that one is now" "incoming/none: note: moved to $incoming/refused/" "$err"
has "what could not be used is told, by the line of the mail's text" "incoming/part(text):2:44: warning: 90112 bytes" "$err"
has "a list that failed is told by its place in sources.conf" "sources.conf:1:5: error: mal: the origin answered with status 500" "$err"
has "one that lint refuses is" "incoming/ours: error: cannot be published" "$err"
is "they are moved" "$(cd "$incoming" && find . -type f | sed -E 's/[0-9T:-]+Z-/DATE-/' | sort | tr '\n' ' ')" \
	"./.half ./imported/DATE-mail ./imported/DATE-part ./imported/DATE-text ./refused/DATE-none ./refused/DATE-ours ./young "
fb 0 "another run" update --force
has "imports nothing" "unchanged, nothing to publish" "$out"

# Anybody can write a later version.
later() { printf 'Threat Outbreak Alert: x\n\nIntelliShield ID: 4712\nVersion: %s\n\nLinks:\n\n%s\n' "$1" "$2"; }
put first "$(later 1 'hxxp://first.test/')"
fb 0 "an alert" update
put forged "$(later 900 'hxxp://other.test/')"
fb 1 "a later version that takes a rule away" update
has "is refused" "incoming/forged: error: takes away 1 rule that alert 4712 has" "$err"
is_live first.test; ok $? "and the rule stays"
put more "$(later 2 'hxxp://first.test/ hxxp://second.test/')"
fb 0 "one that adds to it" update
is_live second.test; ok $? "is taken"
fb 0 "a person takes the alert back" alerts withdraw --reason false 4712
put again "$(later 3 'hxxp://first.test/ hxxp://second.test/')"
fb 1 "one of what was withdrawn" update
has "is refused, too" "incoming/again: error: alert 4712 was withdrawn" "$err"
rm -rf "$incoming"
printf 'From: a@b.test\nMessage-ID: <1@b>\nContent-Type: text/html\n\n<p>http://c.test/\n' > "$work/mail"
out=$("$firebreak" --state "$state" import - < "$work/mail" 2>&1); is "a mail without a text" "$?" 2
has "is refused" "the mail has no text (text/plain) in it" "$out"
printf 'From: a@b.test\nMessage-ID: <1@b>\n\nhttp://c.test/path\n' > "$work/mail"
out=$("$firebreak" --state "$state" import --dry-run - < "$work/mail" 2>&1)
has "a mail from a pipe" "block url c.test/path" "$out"

# ---- a list that makes publish fail ----
awk 'BEGIN { for (i = 0; i < 5; i++) print "a" i ".test," i }' > "$origin/table.txt"
conf "$mal" "$large" "table origin=$url/table.txt format=csv host=1"
fb 0 "a table" update --force
echo late.test >> "$origin/mal.txt"; echo 'Nonsense 1' > "$state/site.conf"
cp "$state/sources/mal.feed" "$work/before"; cp "$state/rules/MANIFEST" "$work/manifest"
fb 2 "a publish that fails, whatever the list" update --force
same "changes no rule" "$state/rules/MANIFEST" "$work/manifest"
same "and no list" "$state/sources/mal.feed" "$work/before"
has "it says why" "site.conf:1" "$err"
rm "$state/site.conf"
fb 0 "as soon as it can" update --force
is_live late.test; ok $? "the list is live"

# ---- a helper that is broken, or was taken over by what it read ----
helper=$FIREBREAK_FEED_HELPER
export FIREBREAK_FEED_HELPER=$build/t/feed_helper_bad
lie() { printf '#%s\n' "$1" > "$origin/mal.txt"; refused "a helper: $1" "$2"; }
lie die "the process that reads it ended, with status 3"
lie kill "the process that reads it ended, with signal 9"
conf "$mal timeout=2s" "$large"; lie mute "took too long to be read"; conf "$mal" "$large"
lie odd "makes no sense"
lie long "more comes out of it than may"
lie why "is  [31mred and more"
lie none "has no entry"
export FIREBREAK_FEED_HELPER=$work/nowhere
fb 1 "no helper" update --force
has "is told" "mal: it cannot be looked at: $work/nowhere cannot be started" "$err"
export FIREBREAK_FEED_HELPER=$helper
cp "$work/mal.txt" "$origin/mal.txt"; conf "$mal" "$large"
fb 0 "and then the good one" update --force

# ---- one list too many: a publish fails, and its error names none ----
if ldd "$firebreak" 2>/dev/null | grep -q 'lib[at]san'; then
	skip "one list too many" "with sanitizers thousands of files take too long"
else
rm -f "$state/sources"/{psl,table}.feed
for ((i = $(ls "$state/sources" | wc -l); i < 4095; i++)); do : > "$state/sources/n$i.rules"; done
for name in one two; do echo "$name.test" > "$origin/$name.txt"; done
echo more.test >> "$origin/large.txt"
conf "$mal" "$large" "one origin=$url/one.txt format=hosts" "two origin=$url/two.txt format=hosts"
fb 1 "the last source that there may be, and one more" update --force
has "that one is refused, and all else is live" "1 unchanged, 2 new, 1 refused, generation" "$out"
has "with why" "two: cannot be published, and the list of before stays: more than 4096 sources" "$err"
is_live one.test && is_live more.test && ! is_live two.test; ok $? "they are"
[ ! -e "$state/sources/two.feed" ] && [ -e "$state/sources/one.feed" ]; ok $? "and it is gone" "$(ls "$state/sources" | grep feed)"
rm "$state/sources"/n*.rules
fb 0 "as soon as there is room" update --force
is_live two.test; ok $? "it is live"
rm "$state/sources/one.feed" "$state/sources/two.feed"; conf "$mal" "$large"
fi

# ---- who may ----
printf 'own.test\n' > "$state/sources/mal.hosts"
fb 1 "a file of the same name" update --force
has "is named" "mal.hosts is the same source: remove it" "$err"
rm "$state/sources/mal.hosts"
exec 7>>"$state/update/.lock"; flock 7
fb 2 "two at once" update
has "it says so" "another update is under way" "$err"
exec 7>&-
fb 0 "a rollback" rollback
fb 2 "an update after that" update --force
has "is not meant" "firebreak publish --forward" "$err"
fb 0 "forward" publish --forward

# ---- TLS ----
tls() {	# tls CERT KEY: an origin at $tls_url
	[ -z "${tls_pid:-}" ] || { kill "$tls_pid" 2>/dev/null; wait "$tls_pid" 2>/dev/null; }
	(cd "$origin" && exec openssl s_server -quiet -accept "127.0.0.1:$tls_port" -cert "$1" -key "$2" -WWW) >/dev/null 2>&1 &
	tls_pid=$!
	for _ in {1..100}; do (exec 9<>"/dev/tcp/127.0.0.1/$tls_port") 2>/dev/null && return; sleep 0.05; done
	echo "Bail out! no TLS"; exit 1
}
if command -v openssl >/dev/null; then
	trap 'kill "$liar_PID" ${tls_pid:-} 2>/dev/null; chmod -R u+w "$work" 2>/dev/null; rm -rf "$work"' EXIT
	tls_port=$("$build/t/origin" --ports 1 "$((${FIREBREAK_PORT_BASE:-20000} + 900))")
	make_cert() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/$1.key" -out "$work/$1.pem" \
		-subj "/CN=$2" -addext "subjectAltName=$3" "${@:4}" >/dev/null 2>&1; }
	make_cert good localhost IP:127.0.0.1 -days 2; make_cert named elsewhere DNS:elsewhere.test -days 2
	make_cert late localhost IP:127.0.0.1 -days 2
	openssl x509 -in "$work/late.pem" -signkey "$work/late.key" -out "$work/late.pem" -days -1 >/dev/null 2>&1 ||
		faketime=none
	conf "mal origin=https://127.0.0.1:$tls_port/mal.txt format=hosts timeout=20s" "$large"
	tls "$work/good.pem" "$work/good.key"
	refused "a certificate that nobody signed" "SSL certificate problem"
	conf "mal origin=https://127.0.0.1:$tls_port/mal.txt format=hosts timeout=20s ca=$work/good.pem" "$large"
	fb 0 "an authority of our own" update --force
	tls "$work/named.pem" "$work/named.key"
	conf "mal origin=https://127.0.0.1:$tls_port/mal.txt format=hosts timeout=20s ca=$work/named.pem" "$large"
	refused "a certificate of another name" "SSL"
	if [ -z "${faketime:-}" ]; then
		tls "$work/late.pem" "$work/late.key"
		conf "mal origin=https://127.0.0.1:$tls_port/mal.txt format=hosts timeout=20s ca=$work/late.pem" "$large"
		refused "a certificate that has expired" "expired"
	else
		skip "a certificate that has expired" "openssl makes none"
	fi
	kill "$tls_pid" 2>/dev/null; wait "$tls_pid" 2>/dev/null
	refused "an origin that is not there" "onnect"
else
	skip "TLS" "openssl is missing"
fi
conf "mal origin=file://$origin/mal.txt format=hosts"
echo file.test >> "$origin/mal.txt"
fb 0 "a file of this machine" update --force
is_live file.test; ok $? "is live"
mkfifo "$work/fifo"; conf "mal origin=file://$work/fifo format=hosts"
fb 1 "a fifo" update --force
has "is not waited for" "is no regular file" "$err"

# ---- root, in a folder of others who may put links into it ----
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	# Who has become somebody else may not look at himself, and so looks for no leak.
	export ASAN_OPTIONS=detect_leaks=0
	other=65534 outside=$work/outside state=$work/theirs
	as() { setpriv --reuid=$other --regid=$other --clear-groups "$@"; }
	chmod 711 "$work"
	mkdir "$outside" "$state"
	chown $other:$other "$state"
	as mkdir -p "$state"/{sources,alerts,rules,runtime,update}
	echo 'nothing of an alert' > "$outside/kept"
	touch -d '1 hour ago' "$outside/kept"
	untouched() { is "$1" "$(ls -A "$outside")" kept; }
	as ln -s "$outside/made" "$state/update/.lock"
	fb 2 "a lock that is a link to elsewhere" update
	untouched "makes nothing there"
	as rm "$state/update/.lock"
	chmod 700 "$outside"
	as rmdir "$state/alerts/incoming"
	as ln -s "$outside" "$state/alerts/incoming"
	fb 1 "alerts that are a link to elsewhere" update
	has "are an error" "alerts/incoming: error: Permission denied" "$err"
	untouched "are not taken"
	as rm "$state/alerts/incoming"
	as mkdir "$state/alerts/incoming"
	chmod 755 "$outside"
	as ln -s "$outside" "$state/alerts/incoming/refused"
	as sh -c "echo bad > '$state/alerts/incoming/evil.sh' && touch -d '1 hour ago' '$state/alerts/incoming/evil.sh'"
	fb 1 "a place for refused alerts that is one" update
	untouched "gets none"
	as rm -r "$state/sources"
	as ln -s "$outside" "$state/sources"
	cp "${top_srcdir:-.}/etc/alert-19190.txt" "$work/alert.txt"
	chmod 600 "$work/alert.txt"
	fb 2 "sources that are one, and an alert that only root may read" import "$work/alert.txt"
	has "which was read" "sources/alert-19190.rules: error: Permission denied" "$err"
	untouched "and made no rules there"
else
	skip "root in a folder of others" "only root can be"
fi
tap_done
