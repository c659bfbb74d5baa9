#!/usr/bin/env bash
# firebreak lead: when each rule that fired was published, live, first met, and known to ClamAV.  TAP.
set -u
. "${top_srcdir:-.}/t/verb.sh"
mkdir -p "$state/sources" "$work/lists" "$work/db" "$work/tar"
: > "$work/lists/top-sites.txt"
: > "$work/lists/shared-hosting.txt"
no_lookalikes "$work/lists"
export FIREBREAK_LISTS=$work/lists
md5=9abc553703f4e4fedb3ed975502a2c7a sha256=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
known=$state/log/clamav.known

# ---- usage ----
fb 0 "lead --help" lead --help
fb 2 "lead with an operand" lead x
fb 2 "lead of a state that is not there" --state "$work/nowhere" lead

# ---- nothing yet ----
fb 0 "before anything fired" lead
is "it says so" "$out" "No rule has fired."
fb 0 "as JSON" lead --json
is "an empty list" "$out" "[]"
fb 1 "a folder without databases that was asked for" lead --clamav "$work/db"
has "is told" "there is no database of ClamAV" "$err"
fb 1 "a folder that is not there" lead --clamav "$work/none"

# ---- what fired ----
cat > "$work/alert.json" <<END
{"id":"4711","version":2,"first_published":"2026-11-20T08:00:00Z","files":[{"name":"a.exe","size":90112,"md5":"$md5"}]}
END
fb 0 "import" import "$work/alert.json"
printf 'block host bad.test id=h published=2026-11-21T00:00:00Z\n' > "$state/sources/local.rules"
fb 0 "publish" publish
sed -i 's/^[^ ]*\( .*alert=4711 \)/2026-11-21T08:00:00.000Z\1/' "$state/log/live.log"
has "the alert was noted as live" "2026-11-21T08:00:00.000Z" "$(grep alert=4711 "$state/log/live.log")"
cat > "$state/events.jsonl" <<END
{"event":{"id":"1M83ME10C4HM007J","action":"killed","reason":"file"},"rule":{"id":"alert-4711:file-1","ruleset":"alert-4711"},"client":{"ip":"192.0.2.7"},"url":{"domain":"x.test"},"file":{"size":90112,"hash":{"md5":"$md5","sha256":"$sha256"}},"firebreak":{"alert":"4711"}}
{"event":{"id":"1M83MDH1R4HM1YE5","action":"blocked","reason":"host"},"rule":{"id":"local:h","ruleset":"local"},"client":{"ip":"192.0.2.8"},"url":{"domain":"bad.test"}}
{"event":{"id":"1M83MDH1W4HM1YFX","action":"blocked","reason":"host"},"rule":{"id":"gone:1\u001b[31m","ruleset":"gone"},"url":{"domain":"gone.test"}}
{"event":{"id":"1M83MDH1M4HM1YD8","action":"passed_unchecked","reason":"bad-url"}}
{"event":{"id":"1M83MDH1X4HM1YFX","action":"blocked","reason":"host"},"rule":{"id":"firebreak-setup:host","ruleset":"firebreak-setup"},"url":{"domain":"host.proof.invalid"}}
END
printf '%s:90111:Other.Size\n%s:5:Other.File\nno signature\n' $md5 00000000000000000000000000000000 > "$work/db/x.hdb"
printf '%05000d\n' 0 >> "$work/db/x.hdb"
fb 0 "lead" lead --clamav "$work/db"
hasnot "what setup asked for itself did not fire" "firebreak-setup" "$out"
has "each rule" "alert-4711:file-1  alert 4711" "$out"
has "when its alert was published" "  published  2026-11-20T08:00:00Z" "$out"
has "when it was live, and how long after" "  live       2026-11-21T08:00:00Z, 24 h after it was published" "$out"
has "when it was first met, and how long after" "  first hit  2026-11-23T07:20:24Z, 47 h after it was live; 1 event, 1 client" "$out"
has "a rule of a person has its own date" "  published  2026-11-21T00:00:00Z" "$out"
has "ClamAV does not know it: the size is another" ": not known" "$out"
is "of a file alone" "$(grep -c ClamAV <<<"$out")" 1
hasnot "strangers' text is harmless" $'\x1b' "$out"
first=$(grep -o 'unknown=[^ ]*' "$known" | sort -u)
is "what was asked is remembered" "$(wc -l < "$known") $(cut -d' ' -f1,2 "$known" | tr '\n' ' ')" "2 md5:$md5 size=90112 sha256:$sha256 size=90112 "
cp "$known" "$work/known"
exec 7>>"$state/rules/lock"; flock 7
timeout 1 "$firebreak" --state "$state" lead --clamav "$work/db" >/dev/null 2>&1; is "who remembers waits for who edits" $? 124
same "and has written nothing" "$known" "$work/known"
exec 7>&-

# ---- since when ----
sed -i 's/=20[^ ]*/=2026-11-22T08:00:00Z/g' "$known"
printf '%s:*:Win.Test.A-1:73\n' $sha256 > "$work/tar/daily.hsb"
: > "$work/tar/empty.hdb"
head -c 3000 /dev/zero > "$work/tar/other.ndb"
printf '%s:*:Good.Test-1:73\n' $sha256 > "$work/tar/daily.sfp"	# what is allowed is not what is known
(cd "$work/tar" && tar -cf "$work/plain.tar" empty.hdb other.ndb daily.sfp daily.hsb)
printf 'ClamAV-VDB:%-501s' 'a head of 512 bytes' > "$work/head"
cat "$work/head" "$work/plain.tar" > "$work/db/daily.cld"
fb 0 "a database that knows it" lead --clamav "$work/db"
has "is heard" ": known as Win.Test.A-1" "$out"
now=$(sed -n "s/^sha256.* known=\([^ ]*\) .*/\1/p" "$known")
[ -n "$now" ]; ok $? "and remembered" "$(cat "$known")"
sed -i "s/known=$now/known=2026-11-22T10:00:00Z/" "$known"
rm "$work/db/daily.cld"
gzip -c "$work/plain.tar" | cat "$work/head" - > "$work/db/daily.cvd"
fb 0 "the same, packed" lead --clamav "$work/db"
has "since when: it does not change" "ClamAV     2026-11-22T10:00:00Z: known as Win.Test.A-1, 26 h after it was live here" "$out"
fb 0 "as JSON" lead --json --clamav "$work/db"
if command -v jq >/dev/null; then
	is "has the same" "$(jq -r '.[] | select(.alert == "4711") | .published, .live, .first_hit, .events, .clamav.sha256, .clamav.name, .clamav.known' <<<"$out" | tr '\n' ' ')" \
		"2026-11-20T08:00:00Z 2026-11-21T08:00:00Z 2026-11-23T07:20:24Z 1 $sha256 Win.Test.A-1 2026-11-22T10:00:00Z "
else
	skip "has the same" "jq is missing"
fi
head -c 700 "$work/db/daily.cvd" > "$work/db/cut.cvd"
fb 1 "a database that is cut" lead --clamav "$work/db"
has "is told" "cut.cvd cannot be read, or not wholly" "$err"
has "and the others are heard" "known as Win.Test.A-1" "$out"
rm "$work/db"/*.cvd
fb 0 "a database that forgot it" lead --clamav "$work/db"
has "is told" "known as Win.Test.A-1, 26 h after it was live here; no longer" "$out"
printf 'md5:%s checked=x known=\nrubbish\nmd5:zz\n' 33333333333333333333333333333333 >> "$known"
fb 0 "whatever stands in the file" lead --clamav "$work/db"
grep -q 333333 "$known" && ! grep -q rubbish "$known"; ok $? "what is no line goes, what is one stays"
sed -i 's/name=Win.Test.A-1/name=\x1b]0;x\x07/' "$known"
fb 0 "a name that acts on a terminal" lead --clamav "$work/db"
has "is told" "known as " "$out"
hasnot "without that" $'\x1b' "$out"
tap_done
