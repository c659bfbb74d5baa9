#!/usr/bin/env bash
# Rules by command: block, unblock, allow, rules, rollback, and what publish makes of its sources then.  TAP.
set -u
. "${top_srcdir:-.}/t/verb.sh"
mkdir -p "$state/sources" "$work/lists"
# json NAME FILTER EXPECTED: what jq or else python3 makes of $out
json() {
	local got
	if command -v jq >/dev/null; then
		got=$(jq -c "$2" <<<"$out" 2>&1)
	elif command -v python3 >/dev/null; then
		python3 -c 'import json, sys; json.load(sys.stdin)' <<<"$out"; ok $? "$1 (that it parses)" "$out"
		return
	else
		skip "$1" "neither jq nor python3 is there"
		return
	fi
	is "$1" "$got" "$3"
}
rows() { grep -c '^[^#]' "$state/sources/$1.rules"; }	# lines that are no comments
fresh() { state=$work/$1; mkdir -p "$state/sources"; }
local_rules() { cat "$state/sources/local.rules"; }

# Lists that these tests need, so that the installed ones decide nothing here.
echo '.top.test' > "$work/lists/top-sites.txt"
echo 'docs.shared.test' > "$work/lists/shared-hosting.txt"
no_lookalikes "$work/lists"
export FIREBREAK_LISTS=$work/lists

# ---- usage ----
for verb in block unblock allow rules rollback; do
	fb 0 "$verb --help" "$verb" --help
	has "$verb shows its usage" "usage: firebreak $verb" "$out"
	fb 2 "$verb --no-such-flag" "$verb" --no-such-flag
done
fb 2 "block nothing" block
has "it says what it wants" "one HOST, URL or DIGEST[:SIZE]" "$err"
fb 2 "block two" block a.test b.test
fb 2 "rules of an empty state" rules list
fb 2 "rules without a word" rules
fb 2 "rules with an unknown word" rules show
fb 2 "rollback of an empty state" rollback
has "there is nothing to go back to" "no generation before" "$err"
out=$("$firebreak" rules list --state "$work/nowhere" 2>&1); is "rules without a state folder" $? 2

# ---- what is blocked ----
md5=9abc553703f4e4fedb3ed975502a2c7a sha1=0123456789abcdef0123456789abcdef01234567
sha256=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
while IFS='|' read -r idea value rule; do
	fb 0 "block $idea" block "$value"
	has "$idea is what was meant" "block $rule (rule local:b20" "$out"
	has "$idea has a line" "block $rule id=b20" "$(local_rules)"
done <<END_ROWS
a host|evil.example|host evil.example
a host in capitals, with a dot at the end|EVIL2.Example.|host evil2.example
a host and below|.evil.test|host .evil.test
what is below a host|*.evil.test|host *.evil.test
a URL|http://Evil.TEST/a/../b?c|url evil.test/b?c
a URL without its scheme|evil.test/x|url evil.test/x
all of a site|https://site.test/|host site.test
all of a site without the slash|http://site2.test|host site2.test
all of a site, with a port|http://site3.test:8080/|host site3.test
an IPv4 address|8.8.4.9|host 8.8.4.9
an IPv4 address as a number|0x08080409|host 8.8.4.9
an IPv6 address|2A00:1450:0::9|host [2a00:1450::9]
an IPv6 address in brackets|[2a00:1450::a]|host [2a00:1450::a]
a URL of an IPv6 address|http://[2a00:1450::b]/x|url [2a00:1450::b]/x
a network|8.8.4.0/24|address 8.8.4.0/24
a URL that looks like a key|x=1.test/y=2|url x=1.test/y=2
a URL with a user, a port and a fragment|http://me:pw@evil.test:99/z#top|url evil.test/z
a URL with bytes that are no text|evil.test/\x41%ff|url evil.test/x41%FF
an international name|bücher.example|host xn--bcher-kva.example
an international name in ASCII|xn--bcher-kva.test|host xn--bcher-kva.test
an MD5|$md5|file *:md5:$md5
an MD5 in capitals|${md5^^}|file *:md5:$md5
an MD5 as in an alert|0x${md5^^}:17|file 17:md5:$md5
an MD5 and a size|$md5:90112|file 90112:md5:$md5
a path on an address|198.51.100.1/path|url 198.51.100.1/path
a network|198.51.100.0/24|address 198.51.100.0/24
an MD5 by its name|md5:$md5:5|file 5:md5:$md5
an MD5 by its name in capitals|MD5:${md5^^}:6|file 6:md5:$md5
a SHA-1|$sha1|file *:sha1:$sha1
a SHA-1 by its name|sha1:$sha1|file *:sha1:$sha1
a SHA-256 and a size|$sha256:1|file 1:sha256:$sha256
a SHA-256 by its name|sha256:$sha256|file *:sha256:$sha256
a file as in a source|77:sha1:$sha1|file 77:sha1:$sha1
a file of any size as in a source|*:md5:$md5|file *:md5:$md5
END_ROWS
fb 1 "what was blocked is live" check --json http://evil.example/ http://x.evil.test/ http://site2.test/y http://8.8.4.9/
is "each of it" "$(grep -o '"verdict":"[a-z]*"' <<<"$out" | sort | uniq -c | tr -s ' ')" ' 4 "verdict":"block"'
is "ids differ, also within a second" "$(grep -o ' id=[^ ]*' <<<"$(local_rules)" | sort | uniq -d)" ""
hasnot "no size was lost" "*:md5:$md5 id=b20" "$(grep 'file 90112:\|file 17:' "$state/sources/local.rules")"

# ---- what is not understood ----
before=$(local_rules)
while IFS='|' read -r idea value message; do
	fb 2 "block $idea" block "$value"
	has "$idea: the message says why" "$message" "$err"
done <<END_ROWS
nothing||no host
a blank| |no path, user or blank
two words|a b|no path, user or blank
a scheme alone|http://|no host
a path alone|/x|no host
a star in the middle|a.*.test|* stands only at the start
a port|a.test:80|a host rule has no port
what is below an address|*.192.0.2.7|nothing lies below an address
a digest with a digit less|${md5%?}|31 digits, and a digest 32, 40 or 64
a digest with a digit more|${sha256}0|65 digits, and a digest 32, 40 or 64
an MD5 with the name of another|sha1:$md5|the digest has 32 characters and must be 40
a SHA-1 with the name of another|md5:$sha1|the digest has 40 characters and must be 32
a digest that is none|md5:xyz|the digest has 3 characters and must be 32
a size that is none|$md5:12x|the size is no number of bytes
a size of nothing|$md5:0|the size is no number of bytes
a size that is none, as in a source|x:md5:$md5|the size is no number of bytes
END_ROWS
fb 2 "block a control character" block $'a\x1b[31m.test'
hasnot "it does not get through" $'\x1b' "$err"
while IFS='|' read -r idea flag value message; do
	fb 2 "block with $idea" block "$flag" "$value" flag.test
	has "$idea: the message says why" "$message" "$err"
done <<'END_ROWS'
a level out of bounds|--level|6|--level takes a number from 0 to 5
a level that is none|--level|high|--level takes a number from 0 to 5
a time that is none|--for|soon|--for takes a time such as 12h or 7d, or never
no time at all|--for|0s|--for takes a time such as 12h or 7d, or never
a source that climbs|--source|../x|--source takes the name of a source
a hidden source|--source|.x|--source takes the name of a source
a source without a name|--source||--source takes the name of a source
END_ROWS
is "nothing of that changed the source" "$(local_rules)" "$before"
fb 2 "block with a source name that is none" block --source 'a b' flag.test
has "it is named" "the source's name must be up to 64 letters" "$err"
fb 2 "block with a source that is a feed" block --source "$(printf 'x%.0s' {1..65})" flag.test
fb 2 "block with a note that is too long" block --note "$(printf 'x%.0s' {1..4097})" flag.test
has "it is named" "the text is too long" "$err"
is "nothing of that left a file" "$(ls "$state/sources")" "local.rules"
is "nor changed one" "$(local_rules)" "$before"
hasnot "what is refused is not announced" "flag.test" "$out"

# ---- a rule's words ----
fresh words
fb 0 "block with all flags" block --level 5 --for 7d --name 'in "voice".exe' --note $'he said "no"\t\\ \x01\x1b[31m\nblock host injected.test' --source ops "$md5:9"
line=$(cat "$state/sources/ops.rules")
is "it is one line of its source" "$(wc -l < "$state/sources/ops.rules") $(ls "$state/sources")" "1 ops.rules"
has "with the level" "level=5" "$line"
has "with the name" 'name="in \"voice\".exe"' "$line"
has "with the note, of which nothing gets loose" 'note="he said \"no\"\x09\\ \x01\x1b[31m\x0ablock host injected.test"' "$line"
published=$(grep -o 'published=[^ ]*' <<<"$line") expires=$(grep -o 'expires=[^ ]*' <<<"$line")
is "it ends when it was to end" "$(($(date -d "${expires#*=}" +%s) - $(date -d "${published#*=}" +%s)))" $((7 * 86400))
has "which is said" "until ${expires#*=}" "$out"
fb 0 "rules dump has the same" rules dump --source ops
is "word for word" "$out" "$line"
fb 0 "block for ever" block --for never ever.test
has "it says so" "expires=never" "$(local_rules)"
hasnot "and says no date" "until" "$out"
fb 0 "block by the default" block default.test
hasnot "leaves the end to the site" "expires=" "$(grep default.test "$state/sources/local.rules")"
fb 0 "its end is in the generation" rules dump --source local
has "30 days from now" "default.test id=b20" "$(grep 'expires=20' <<<"$out")"
has "or never" "ever.test id=b20" "$(grep 'expires=never' <<<"$out")"
is "a source can be written by its group" "$(stat -c %a "$state/sources/local.rules")" 664

# ---- the same again ----
fb 0 "block the same again, spelled otherwise" block --level 2 HTTP://EVER.Test
is "it is not there twice" "$(rows local)" 2
has "the old line is a comment" ": block host ever.test id=" "$(grep '^# removed 20' "$state/sources/local.rules")"
has "the revision rises" "rev=2 level=2" "$(grep '^block host ever.test' "$state/sources/local.rules")"
fb 0 "and again" block ever.test
has "the revision rises again" "rev=3 level=4" "$(grep '^block host ever.test' "$state/sources/local.rules")"
is "lines stay where they were" "$(sed -n 2p "$state/sources/local.rules" | cut -d' ' -f1-3)" "block host default.test"
for i in 1 2; do
	fb 0 "block what needs quotes" block 'quote.test/a"b c'
done
has "is the same again, too" 'block url "quote.test/a\"b%20c"' "$(grep 'rev=2 .*' "$state/sources/local.rules")"
fb 0 "unblock it" unblock 'http://quote.test/a"b%20c'
fb 0 "to allow it is another line" allow ever.test
has "of its own revision" "allow host ever.test id=a20" "$(grep 'rev=1 level' "$state/sources/local.rules")"
is "beside the other" "$(rows local)" 3
fb 0 "it passes" check http://ever.test/
fb 0 "allow --remove" allow --remove ever.test
has "says so" "removed allow host ever.test" "$out"
fb 1 "it is blocked again" check http://ever.test/
fb 2 "allow --remove once more" allow --remove ever.test
fb 0 "block --remove" block --remove ever.test
fb 0 "it passes" check http://ever.test/
fb 0 "block it once more" block ever.test
has "what is only a comment does not count" "rev=1" "$(grep '^block host ever.test' "$state/sources/local.rules")"

# ---- unblock ----
fb 0 "unblock by value, spelled otherwise" unblock Default.TEST.
has "says so" "removed block host default.test" "$out"
is "one is left" "$(rows local)" 1
fb 0 "it passes" check http://default.test/
fb 0 "unblock a file by value, of another source" unblock --source ops "$md5:9"
is "none is left" "$(rows ops)" 0
id=local:$(grep -o '^block .* id=[^ ]*' "$state/sources/local.rules" | sed 's/.*id=//')
fb 0 "unblock by id" unblock "$id"
is "it is named as it was asked for" "$(grep '^removed' <<<"$out")" "removed $id"
is "none is left" "$(rows local)" 0
fb 2 "unblock by an id that is gone" unblock "$id"
has "there is none" "no line of local says \"block $id\"" "$err"
printf 'block host theirs.test\n\nblock host .two.test\nblock host .two.test level=5\n' > "$state/sources/alert-1.rules"
fb 0 "publish another source" publish
saved=$(local_rules)
fb 2 "unblock what another source lists" unblock theirs.test
has "says what to do" '"firebreak check theirs.test" shows what decides, and "firebreak allow" overrules it' "$err"
is "and changes nothing" "$(local_rules)" "$saved"
fb 0 "unblock a rule that is named after its line" unblock --source alert-1 alert-1:1
fb 0 "unblock two lines that say the same" unblock --source alert-1 .two.test
is "all of them go, and lines stay" "$(grep -n . "$state/sources/alert-1.rules" | cut -d' ' -f1 | tr '\n' ' ')" "1:# 3:# 4:# "
fb 2 "unblock something in a source that is not there" unblock --source none x.test
[ ! -e "$state/sources/none.rules" ]; ok $? "which is not made by that"

# ---- what is refused ----
fresh refused
echo 'OwnDomains own.test' > "$state/site.conf"
fb 2 "block an own domain, in a source that is not there yet" block www.own.test
has "it is named with its line" "local.rules:1: error: " "$err"
has "it says that all is as it was" "local.rules: note: is as it was" "$err"
is "nothing is announced" "$out" ""
[ ! -e "$state/sources/local.rules" ] && [ ! -e "$state/rules/MANIFEST" ]; ok $? "no file is left"
printf '# a comment\r\n\n  block   host x.test\t# behind\nblock host y.test' > "$state/sources/local.rules"
cp "$state/sources/local.rules" "$work/saved"
fb 2 "block an own domain" block .own.test
same "the source is as it was, byte for byte" "$work/saved" "$state/sources/local.rules"
fb 2 "block the empty file" block d41d8cd98f00b204e9800998ecf8427e
has "it says why" "the empty file" "$err"
same "the source is as it was again" "$work/saved" "$state/sources/local.rules"
fb 0 "block in a source without a newline at its end" block z.test
is "the last line stays a line" "$(rows local) $(sed -n 4p "$state/sources/local.rules")" "3 block host y.test"
has "the comment is untouched" $'# a comment\r' "$(local_rules)"
fb 1 "all of them are live" check --json http://x.test/ http://y.test/ http://z.test/
is "each" "$(grep -o '"verdict":"block"' <<<"$out" | wc -l)" 3
echo 'block hots typo.test' >> "$state/sources/local.rules"
cp "$state/sources/local.rules" "$work/saved"
fb 2 "block in a source that has an error elsewhere" block w.test
has "the error is named" "local.rules:6:" "$err"
same "the source is as it was" "$work/saved" "$state/sources/local.rules"
fb 2 "unblock in it" unblock z.test
same "is refused, too" "$work/saved" "$state/sources/local.rules"
fb 0 "an error in another source does not matter" block --source other w.test
fb 1 "w.test is live" check http://w.test/
fb 1 "and what was live" check http://z.test/
sed -i '$d' "$state/sources/local.rules"
if [ "$(id -u)" -ne 0 ]; then
	chmod a-w "$state/sources"
	fb 2 "block in a folder that cannot be written" block v.test
	chmod u+w "$state/sources"
else
	skip "block in a folder that cannot be written" "root writes everywhere"
fi
echo 'feed.test' > "$state/sources/ut1.hosts"
fb 2 "block in a source that is a feed" block --source ut1 u.test
has "it says so" "is the source ut1, and so is" "$err"
is "no file is left" "$(ls "$state/sources" | tr '\n' ' ')" "local.rules other.rules ut1.hosts "

# ---- lists by the environment ----
fresh lists
fb 1 "block what everybody uses" block .top.test
has "it is said that it is not live" "firebreak block: NOT live, it is held: the rule covers top.test" "$err"
has "it is held" "held, not published: the rule covers top.test" "$err"
fb 0 "so it passes" check http://top.test/
fb 1 "held lists it" held
id=$(awk '!/^#/ { print $1; exit }' "$state/held")
fb 0 "approve publishes at once" approve "$id"
has "it says the generation" "generation 2: 1 rule" "$out"
fb 1 "it is blocked" check http://top.test/
fb 0 "deny publishes at once" deny --json "$id"
json "as JSON alone" '.[0].decision' '"denied"'
fb 0 "it passes again" check http://top.test/
out=$(FIREBREAK_LISTS=$work/nowhere "$firebreak" --state "$state" block .top.test 2>&1)
has "without the lists it is not checked, which is said" "NOT checked" "$out"

# ---- JSON ----
fresh json
fb 0 "block --json" block --json j.test
json "it is an object" '[.generation, .rules, .hosts, .held]' '[1,1,1,0]'
fb 0 "allow --json" allow --json k.test
json "it is an object, too" '.generation' '2'
fb 0 "unblock --json" unblock --json j.test
json "and this" '[.generation, .rules, .workers]' '[3,1,0]'
echo 'OwnDomains own.test' > "$state/site.conf"
fb 2 "block --json of what is refused" block --json own.test
json "has the finding" '[.generation, .findings[0].level]' '[null,"error"]'
: > "$state/site.conf"
fb 0 "rollback --json" rollback --json
json "is an object" '[.generation, .rules]' '[4,2]'
fb 0 "rules list --json" rules list --json
json "is an array, the newest first" '[.[] | [.generation, .live, .rules, .rolled_back_to]]' \
	'[[4,true,2,2],[3,false,1,null],[2,false,2,null],[1,false,1,null]]'
json "with the sources" '.[0].sources' '[{"name":"local","rules":2,"layer":2,"layers":[2]}]'
fb 2 "rules dump --json" rules dump --json
has "only list has it" "only list has --json" "$err"
fb 2 "rules list --to" rules list --to "$work/x"

# ---- many at once ----
fresh many
pids=()
for i in {1..12}; do
	"$firebreak" --state "$state" block --note "number $i" "m$i.test" > "$work/many.$i" 2>&1 &
	pids+=($!)
done
failed=0
for pid in "${pids[@]}"; do wait "$pid" || failed=$((failed + 1)); done
is "twelve blocks at once: none fails" $failed 0
is "every line is there" "$(grep -o '^block host m[0-9]*' "$state/sources/local.rules" | sort -u | wc -l)" 12
is "every id once" "$(grep -o ' id=[^ ]*' "$state/sources/local.rules" | sort -u | wc -l)" 12
fb 0 "all are live" rules list
has "in twelve generations" "12 rules  " "$(head -n 1 <<<"$out" | grep '^12 ')"
is "no temporary file is left" "$(ls "$state/sources")" "local.rules"

# ---- rules list, dump, diff; rollback ----
fresh back
fb 0 "generation 1" block one.test
fb 0 "generation 2" block --source other two.test
fb 0 "generation 3" unblock one.test
fb 0 "rules list" rules list
is "three generations" "$(grep -o '^[0-9]*' <<<"$out" | tr '\n' ' ')" "3 2 1 "
has "the live one is marked" "live" "$(head -n 1 <<<"$out")"
has "and its sources" "other                                       1 rule" "$out"
fb 1 "rules diff 1" rules diff 1
is "what came and went" "$(cut -d' ' -f1-5 <<<"$out")" $'- local: block host one.test\n+ other: block host two.test'
fb 1 "rules diff 2 1" rules diff 2 1
is "backwards" "$(cut -d' ' -f1-5 <<<"$out")" "- other: block host two.test"
fb 0 "rules diff of one with itself" rules diff 2 2
is "there is none" "$out" ""
fb 0 "rules diff of one source alone" rules diff --source local 2 1
fb 2 "rules diff with one that is not kept" rules diff 77
fb 2 "rules diff with a word" rules diff x
fb 2 "rules diff alone" rules diff
fb 2 "rules diff of three" rules diff 1 2 3
fb 0 "rules dump of one that is kept" rules dump --generation 2
is "source by source" "$(cut -d' ' -f1-3 <<<"$out")" $'# source local\nblock host one.test\n# source other\nblock host two.test'
fb 0 "rules dump of one source" rules dump --generation 2 --source other
is "without a head" "$(cut -d' ' -f1-3 <<<"$out")" "block host two.test"
fb 2 "rules dump of one that is not kept" rules dump --generation 77
fb 2 "rules dump of no number" rules dump --generation 0
fb 2 "rules dump into what cannot be" rules dump --to /dev/null/x
fb 0 "rollback" rollback
has "a new generation" "generation 4: 2 rules" "$out"
fb 1 "what was unblocked is blocked again" check http://one.test/
fb 0 "rules diff with the one it went back to" rules diff 2
fb 2 "publish after a rollback" publish
has "is refused, and says how to go on" '"firebreak publish --forward"' "$err"
fb 0 "a dry run is not" publish --dry-run
fb 2 "rollback to one that is not kept" rollback 77
has "says so" "generation 77 is not kept" "$err"
fb 2 "rollback to no number" rollback 0
fb 2 "rollback to two" rollback 1 2
fb 0 "rollback once more" rollback
has "goes back further, not forth" "generation 5: 1 rule" "$out"
fb 0 "rules list" rules list
has "it is marked" "a rollback to 1" "$(head -n 1 <<<"$out")"
fb 2 "and once more" rollback
has "there is nothing before that" "no generation before" "$err"
fb 0 "rollback to a number" rollback 2
has "a new generation" "generation 6: 2 rules" "$out"
fb 0 "and to another" rollback 1
fb 0 "what came later passes" check http://two.test/
fb 0 "block after a rollback" block --source new three.test
fb 1 "it is live" check http://three.test/
fb 1 "beside what was gone back to" check http://one.test/
fb 0 "without what was taken back" check http://two.test/
fb 2 "publish is still refused" publish
fb 0 "rollback without a number" rollback
fb 0 "takes the block back" check http://three.test/
fb 1 "and nothing else" check http://one.test/
fb 2 "and further back" rollback
has "there is nothing" "no generation before" "$err"
fb 0 "rollback of that" rollback 7
fb 0 "takes it back" check http://three.test/
fb 0 "publish --forward" publish --forward
has "brings the sources" "2 rules (2 host" "$out"
fb 0 "publish goes on" publish
fb 0 "what was unblocked passes" check http://one.test/
fb 1 "the others do not" check --json http://two.test/ http://three.test/
is "neither" "$(grep -o '"verdict":"block"' <<<"$out" | wc -l)" 2

# ---- publish: full, delta, compact ----
fb 2 "publish --full --compact" publish --full --compact
has "one of them" "one of --compact, --delta and --full" "$err"
fb 2 "publish --full --delta" publish --full --delta
fb 2 "publish --compact --dry-run" publish --compact --dry-run
fb 0 "publish --delta" publish --delta
has "reads nothing" "from 3 sources, 0 of them read" "$out"
fb 0 "publish --full" publish --full
has "reads all" "from 3 sources, 3 of them read" "$out"
for i in {1..40000}; do echo "block host h$i.big.test id=$i note=\"so that the layer is a large one\" alert=4711"; done > "$state/sources/big.rules"
fb 0 "publish a large source" publish
has "reads that alone" "1 of them read" "$out"
fb 0 "and a small one" block four.test
fb 0 "rules list --json" rules list --json
json "it has a layer of its own" '.[0].layers' '2'
before=$(timeout 60 "$firebreak" --state "$state" rules dump)
fb 0 "publish --compact" publish --compact --json
json "makes them one and changes no rule" '[.layers, .changed, .rules]' '[1,0,40003]'
is "not one" "$(timeout 60 "$firebreak" --state "$state" rules dump | md5sum)" "$(md5sum <<<"$before")"
fb 0 "publish after that" publish
has "reads nothing" "0 of them read" "$out"

# ---- there and back ----
fresh there
echo 'FileLife 20d' > "$state/site.conf"
cat > "$state/sources/local.rules" <<'END'
# A comment.

block host a.test
block host a.test level=2 note="the same once more"

	block  host	.b.test   id=mine rev=7 level=5 published=2026-11-01 expires=2099-01-01 alert=4711 container=mail.zip note="a \"b\"\x09c"
block url a.test/x?y   # behind
block path /mail/id=*-patch*.exe
block path a.test/x/*.exe id=glob
block path ~^/[0-9]+\.exe$
block address 198.18.0.0/15
allow host good.test files=yes
allow url good.test/x expires=never
protect host .bank.test
block host old.test expires=2026-01-01
block file 90112:md5:9abc553703f4e4fedb3ed975502a2c7a name="setup x.exe"
block file *:sha1:0123456789abcdef0123456789abcdef01234567 expires=9d
END
printf '\n\n\nblock host z.test\n' > "$state/sources/alert-19190.rules"
printf '# a list\nblock host f1.test\n\nblock host f2.test level=1\nblock url f.test/x id=labelled\n' > "$state/sources/feed-list.rules"
touch -d "$(date -d '2 days ago' +%F)T10:00:00Z" "$state"/sources/*
fb 0 "publish" publish --full
fb 0 "dump all into a folder" rules dump --to "$work/copy/of/it"
is "a file for every source" "$(ls "$work/copy/of/it" | tr '\n' ' ')" "alert-19190.rules feed-list.rules local.rules "
is "nothing is printed" "$out" ""
there=$state
fresh again
cp "$there/site.conf" "$state/"
cp "$work"/copy/of/it/*.rules "$state/sources/"
fb 0 "publish the copy" publish --full
for segment in rules hosts digests addresses patterns site; do
	same "the copy's $segment are the same bytes" "$there/rules/$segment-1.seg" "$state/rules/$segment-1.seg"
done
is "rules without id= are still named after their lines" \
	"$("$firebreak" --state "$state" check --json http://z.test/ | grep -o '"alert-19190:4"' | head -n 1)" '"alert-19190:4"'
fb 0 "dump one source of it" rules dump --source local
is "is its file" "$out" "$(cat "$work/copy/of/it/local.rules")"

# ---- output that cannot be written ----
if [ -c /dev/full ]; then
	for words in "rules list" "rules list --json" "rules dump" "rules diff 1 2"; do
		"$firebreak" --state "$work/json" $words > /dev/full 2>/dev/null; is "$words: a full disk is no success" $? 2
	done
else
	skip "a full disk is no success" "there is no /dev/full"
fi

tap_done
