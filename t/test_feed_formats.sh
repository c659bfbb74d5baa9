#!/usr/bin/env bash
# Feeds in JSON and ClamAV's containers as sources: what is live of them, beside what jq and sigtool say.  TAP.
set -u
. "${top_srcdir:-.}/t/verb.sh"
mkdir "$work/lists"
# The fixtures have addresses of documentation, and lists of a few lines, which change by half soon.
fresh() { state=$work/$1; mkdir -p "$state/sources"; printf 'LintAddress ignore\nLintShrank ignore\n' > "$state/site.conf"; }
conf() { printf '%b' "$1" > "$state/sources.conf"; }
# rules SOURCE [WORDS]: its live rules, sorted, the first WORDS (or 3) of each
rules() { timeout 60 "$firebreak" --state "$state" rules dump --source "$1" | cut -d' ' -f"1-${2:-3}" | LC_ALL=C sort; }
# oracle NAME TOOL: the same lines as standard input; skipped without TOOL
oracle() {
	local want
	want=$(cat)
	if ! command -v "$2" >/dev/null; then
		skip "$1" "$2 is missing"
		return
	fi
	[ -n "$want" ] || want="$2 said nothing"
	is "$1" "$(LC_ALL=C sort -u <<<"$3")" "$(LC_ALL=C sort -u <<<"$want")"
}
: > "$work/lists/top-sites.txt"
: > "$work/lists/shared-hosting.txt"
no_lookalikes "$work/lists"
export FIREBREAK_LISTS=$work/lists
data=${top_srcdir:-.}/t/data/feeds
md5=9abc553703f4e4fedb3ed975502a2c7a other=00112233445566778899aabbccddeeff

# ---- MISP: an event ----
fresh misp
cp "$data/event.misp" "$state/sources/"
chmod u+w "$state/sources/event.misp"
fb 0 "publish an event of MISP" publish
is "nothing is wrong with it" "$err" ""
oracle "its attributes are those that jq finds" jq "$(rules event | grep -v '^block file [0-9]')" <<<"$(jq -r '.Event.Attribute[] |
	select(.to_ids == true and (.deleted // false) == false) | .value as $v | (.value | split("|")) as $p |
	if .type == "md5" or .type == "sha1" or .type == "sha256" then "block file *:\(.type):\($v)"
	elif .type | test("^filename.(md5|sha1|sha256)$") then "block file *:\(.type | split("|")[1]):\($p[-1])"
	elif .type == "malware-sample" then "block file *:md5:\($p[-1])"
	elif .type == "domain" or .type == "hostname" then "block host \($v | ascii_downcase)"
	elif .type == "domain|ip" then "block host \($p[0])"
	elif .type == "ip-dst" then (if $v | contains("/") then "block address \($v)" else "block host \($v)" end)
	elif .type == "url" then "block url \($v | sub("^https?://"; ""))"
	else empty end' "$data/event.misp" 2>/dev/null)"
oracle "and so are its files, with their sizes" jq "$(rules event | grep '^block file [0-9]')" <<<"$(jq -r '.Event.Object[] | select(.name == "file" and (.deleted | not)) |
	.Attribute | (map(select(.type == "size-in-bytes")) | .[0].value) as $size |
	(map(select(.to_ids and (.type == "sha256")))[0] // map(select(.to_ids and (.type == "md5")))[0] // empty) |
	"block file \($size):\(.type):\(.value)"' "$data/event.misp" 2>/dev/null)"
has "people are told which event that was" 'note="OSINT: a test: second stage"' "$(timeout 60 "$firebreak" --state "$state" rules dump --source event)"
fb 1 "what it has is refused" check http://c2.example/
has "by name" "event/c2.example" "$out"

# ---- MISP: a feed ----
fresh feed
dir=$state/sources/cert
mkdir "$dir"
event() { printf '{"Event":{"info":"%s","Attribute":[{"type":"domain","value":"%s","to_ids":true}]}}\n' "$1" "$1"; }
a=5bad1b96-53bc-4148-87eb-50d50a016219 b=5bad1b96-53bc-4148-87eb-50d50a01621A c=5bad1b96-53bc-4148-87eb-50d50a01621b d=5bad1b96-53bc-4148-87eb-50d50a01621c
event a.example > "$dir/$a.json"
event b.example > "$dir/$b.json"
event c.example > "$dir/$c.json"
event d.example > "$dir/$d.json"
printf '{"x":1}\n' > "$dir/hashes.json"
fb 0 "publish a MISP feed without a manifest" publish
is "all events count" "$(rules cert | tr '\n' ';')" "block host a.example;block host b.example;block host c.example;block host d.example;"
cat > "$dir/manifest.json" <<END
{"$a": {"info": "a", "integrity:sha256": "$(sha256sum < "$dir/$a.json" | cut -d' ' -f1)"},
 "${b,,}": {"info": "b"},
 "$c": {"info": "c", "integrity:sha256": "$(sha256sum < "$dir/$a.json" | cut -d' ' -f1)"},
 "5bad1b96-53bc-4148-87eb-50d50a01621f": {"info": "not here"}}
END
fb 0 "publish it with one" publish
is "those count that it names, and that are what it says" "$(rules cert | tr '\n' ';')" "block host a.example;block host b.example;"
has "one is not what it says" "$c.json: warning: is not read: its SHA-256 is not what the manifest says" "$err"
has "one is not named" "$d.json: warning: is not read: the manifest does not name this event" "$err"
has "one is not here" "manifest.json: note: 1 of the events that it names are not here" "$err"
printf '{"%s": {"integrity:sha256": "x"}, "y": {}, "%s": {}' "$a" "${b,,}" > "$dir/manifest.json"
fb 0 "publish it with a manifest that is broken" publish
has "a sum that is none" "manifest.json:1:42: warning: integrity:sha256 is no SHA-256" "$err"
has "a key that is none" "manifest.json:1:74: warning: the key is no UUID" "$err"
has "and its end" "manifest.json:1:120: warning: the JSON ends before its end" "$err"
is "what stood before counts" "$(rules cert | tr '\n' ';')" "block host b.example;"

# ---- STIX ----
fresh stix
cp "$data/bundle.stix" "$state/sources/"
chmod u+w "$state/sources/bundle.stix"
conf 'bundle expires=never\n'
fb 0 "publish a bundle of STIX" publish
is "nothing is wrong with it" "$err" ""
oracle "the plain ones among its indicators are those that jq finds" jq "$(rules bundle | grep '^block host [^*]')" <<<"$(jq -r '.objects[] |
	select(.type == "indicator" and .pattern_type == "stix" and (.revoked // false) == false and ((.valid_until // "9") > "2026-11")) | .pattern |
	capture("^ *\\[ *(domain-name|ipv4-addr):value *= *'"'(?<v>[^']*)'"' *\\] *$") | "block host \(.v)"' "$data/bundle.stix" 2>/dev/null)"
is "the others, too" "$(rules bundle | grep -v '^block host [^*]' | tr '\n' ';')" \
	"block file *:sha1:0123456789abcdef0123456789abcdef01234567;block file 35:sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef;block host *.like.example;block url files.example/x;"
has "an indicator ends when it says" "block host ends.example rev=1 level=4 expires=2096-01-01T00:00:00Z" "$(rules bundle 6)"
has "the others when the feed does" "block host plain.example rev=1 level=4 expires=never" "$(rules bundle 6)"
conf 'bundle expires=1d\n'
fb 0 "publish it with an end" publish
has "the earlier one counts" "block host ends.example rev=1 level=4 expires=$(date -u -d "@$(($(stat -c %Y "$state/sources/bundle.stix") + 86400))" +%FT%TZ)" "$(rules bundle 6)"
conf 'bundle confidence=80\n'
fb 0 "publish what is sure" publish
is "is little" "$(rules bundle)" "block host sure.example"
conf 'bundle confidence=101\n'
fb 2 "no confidence" publish
has "is that high" "sources.conf:1:19: error: confidence= takes a number from 0 to 100" "$err"

# ---- abuse.ch ----
fresh abuse
cp "$data/urlhaus.json" "$data/threatfox.csv" "$state/sources/"
chmod u+w "$state"/sources/*
conf 'urlhaus format=abuse-json filter=url_status:online\nthreatfox format=abuse-csv confidence=75 ports=yes\n'
fb 0 "publish two exports of abuse.ch" publish
is "nothing is wrong with them" "$err" ""
oracle "what is online is what jq finds" jq "$(rules urlhaus)" <<<"$(jq -r '.[][] | select(.url_status == "online") |
	"block url \(.url | sub("^https?://"; "") | sub(":[0-9]+/"; "/"))"' "$data/urlhaus.json" 2>/dev/null)"
is "each kind of indicator" "$(rules threatfox | tr '\n' ';')" \
	"block file *:sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef;block host 203.0.113.9;block host fox.example;"
printf '{"1":[{"url":"http://a.example/x"}],"2":' > "$state/sources/urlhaus.json"
conf 'urlhaus format=abuse-json\nthreatfox format=abuse-csv\n'
fb 0 "publish one that is cut off" publish
has "one line says where, and what is left" "urlhaus.json:1:41: warning: the JSON ends before its end: nothing behind this is read, the 1 entries before it count" "$err"
is "that is live" "$(rules urlhaus)" "block url a.example/x"

# ---- ClamAV ----
fresh clamav
mkdir "$work/db" "$state/sources/clamav"
printf '%s:17:Evil.One\n%s:18:Evil.Two\n' "$md5" "$other" > "$work/db/daily.hdb"
printf '%s:*:Evil.Three:73\n' 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef > "$work/db/daily.hsb"
printf '%s:19:Good\n' "$md5" > "$work/db/daily.fp"
printf 'x\n' > "$work/db/COPYING"
# sigtool asks for the name of a builder.
built=no
if command -v sigtool >/dev/null && (cd "$work/db" && echo tester | SIGNDUSER=tester timeout 60 sigtool --unsigned --cvd-version=1 --no-cdiff \
		--build=daily.cud) > "$work/sigtool.log" 2>&1 && [ -s "$work/db/daily.cud" ]; then
	built=yes
fi
if [ $built = yes ]; then
	cp "$work/db/daily.cud" "$state/sources/clamav/daily.cvd"
	fb 0 "publish a container that sigtool made" publish
	is "nothing is wrong with it" "$err" ""
	is "its signatures are live" "$(rules clamav | tr '\n' ';')" \
		"allow file 19:md5:$md5;block file *:sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef;block file 17:md5:$md5;block file 18:md5:$other;"
	oracle "by the names that sigtool lists" sigtool "$(timeout 60 "$firebreak" --state "$state" rules dump --source clamav | grep -o 'name=Evil[^ ]*' | cut -d= -f2)" \
		<<<"$(sigtool --list-sigs="$work/db/daily.cud" 2>/dev/null | grep '^Evil' | sed 's/ .*//')"
	echo 'Evil.Two' > "$state/sources/clamav/local.ign2"
	fb 0 "publish it with a name that does not count" publish
	hasnot "which is left out" "$other" "$(rules clamav)"
	printf 'X' | dd of="$state/sources/clamav/daily.cvd" bs=1 seek=600 conv=notrunc 2>/dev/null
	fb 0 "publish it with another byte" publish
	has "it is damaged, once" "daily.cvd: warning: the container is damaged: its MD5 is not what its head says: nothing behind this is read, the 0 entries before it count" "$err"
	is "that is said once" "$(grep -c 'container is damaged' <<<"$err")" 1
	is "none of it counts" "$(rules clamav)" ""
else
	skip "publish a container that sigtool made" "sigtool makes none: $(tail -n 1 "$work/sigtool.log" 2>/dev/null)"
fi

# ---- the Public Suffix List, or a feed of nothing else ----
fresh suffixes
cat > "$work/list.psl" <<'END'
// ===BEGIN ICANN DOMAINS===
com
uk
co.uk
*.ck
!www.ck
// ===END ICANN DOMAINS===
// ===BEGIN PRIVATE DOMAINS===
pages.example.com
*.apps.example.com
// ===END PRIVATE DOMAINS===
END
grep -v '^!' "$work/list.psl" > "$state/sources/psl.hosts"
sed -n '/^[a-z*]/s/^\(\*\.\)*/./p' "$work/list.psl" > "$state/sources/wide.hosts"
fb 0 "publish feeds of bare public suffixes" publish --suffixes "$work/list.psl"
is "nothing of what lies below them is live" "$(rules psl; rules wide)" "$(printf 'block host %s\n' co.uk com pages.example.com uk)"
has "none of a country's" "co.uk" "$err"
has "none of a host of strangers" "pages.example.com" "$err"
fb 0 "a stranger's page passes" check http://me.pages.example.com/
fb 0 "and so does a country" check http://www.example.co.uk/

# ---- large ones ----
# peak ARGUMENTS...: the most memory that the command had, in KiB
peak() {
	command -v python3 >/dev/null && python3 -c 'import resource, subprocess, sys
status = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss if status == 0 else "failed")' "$@"
}
fresh large
{
	printf '{"Event":{"Attribute":['
	seq 100000 | sed 's/.*/{"id":"&","type":"domain","category":"Network activity","to_ids":true,"uuid":"5bad1c5a-c608-4f5b-9d0e-4a7d0a016219","timestamp":"1538071642","comment":"","sharing_group_id":"0","deleted":false,"disable_correlation":false,"object_id":"0","object_relation":null,"value":"h&.large.example","Galaxy":[],"ShadowAttribute":[]},/'
	printf '{"type":"domain","value":"last.example","to_ids":true}],"info":"large"}}'
} > "$state/sources/large.misp"
size=$(($(stat -c %s "$state/sources/large.misp") / 1024))
kib=$(peak "$firebreak" --state "$state" publish)
[ -n "$kib" ] || timeout 60 "$firebreak" --state "$state" publish > /dev/null 2>&1
! grep -q fsanitize "$build/config.status" || kib=
case $kib in
'')	skip "an event of $size KiB" "python3 is missing, or sanitizers are in, which keep what was freed" ;;
failed)	ok 1 "an event of $size KiB" ;;
*)	[ "$kib" -lt "$size" ]; ok $? "an event of $size KiB needs less memory than that" "$kib KiB" ;;
esac
fb 1 "its last attribute is live" check http://last.example/
has "with what the event is called" "large" "$out"
is "all of them are" "$(rules large | grep -c large.example)" 100000

tap_done
