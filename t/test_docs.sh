#!/usr/bin/env bash
# Pages, samples and texts say what the code says.  TAP.
set -u
shopt -s lastpipe	# so that what stands behind a pipe counts, too
src=${top_srcdir:-.}; build=${top_builddir:-.}
optgen=$build/doc/optgen; firebreak=$build/firebreak
export FIREBREAK_STATE=/nonexistent
. "$src/t/tap.sh"
same() {	# same NAME FILE: standard input is the file's content
	local found
	found=$(diff "$2" - 2>&1); ok $? "$1" "$found"
}
# listed NAME FILE PREFIX SUFFIX [-x]: every line of standard input stands in FILE between PREFIX and SUFFIX; -x: on a line of
# its own, so that "file" is not found in "file.size".
listed() {
	local missing='' word count=0
	while read -r word; do
		count=$((count + 1))
		grep -qF ${5:-} -e "$3$word$4" "$2" || missing+="$word is not in $2"$'\n'
	done
	[ -z "$missing" ] && [ $count -gt 0 ]; ok $? "$1 ($count)" "$missing"
}

# ---- option tables, fields, reasons, counters ----
for page in "$src"/doc/*.[158]; do
	bash "$src/doc/fill.sh" "$optgen" "$page" | same "the lists in ${page##*/} are those of the tables (else: make docs)" "$page"
done
"$optgen" names site | listed "every option of policy.def is in its page" "$src/doc/firebreak-site.conf.5" ".It Cm " "" -x
"$optgen" names service | sed 's/^firebreak\.//' |
	listed "every option of service.def is in its page" "$src/doc/srv_firebreak.8" ".It Cm " "" -x
"$optgen" names sign | listed "every option of sign.def is in the page of publish" "$src/doc/firebreak-publish.1" ".It Cm " "" -x
"$optgen" names events | listed "every field of events.def is in its page" "$src/doc/events.5" ".It Cm " " Pq"
"$optgen" names reasons | listed "every reason is in the page of events" "$src/doc/events.5" ".It Cm " "" -x
is_unique=$("$optgen" names reasons | sort | uniq -d)
[ -z "$is_unique" ]; ok $? "no two reasons have one word" "$is_unique"
"$optgen" names counters | listed "every counter is in the page of status" "$src/doc/firebreak-status.1" ".It Cm " "" -x
sed -n 's/^\t\[FEED_[A-Z0-9_]*\] = "\(.*\)",$/\1/p' "$src/feeds/feed_format.c" |
	listed "every format of a feed is in its page" "$src/doc/feeds.5" ".It Cm " " Pq"
"$optgen" names site | listed "every option of policy.def is in its sample" "$src/doc/site.conf.sample" "#" " "
"$optgen" names service | listed "every option of service.def is in its sample" "$src/doc/firebreak.conf.sample" "#" " "
"$optgen" names events | sed 's/.*\.//; s/^/"/; s/$/"/' |
	listed "every field of events.def is in its sample" "$src/doc/event.sample.json" "" ":"
"$optgen" sample site | same "site.conf.sample is made from the table (else: make docs)" "$src/doc/site.conf.sample"
"$optgen" sample service | same "firebreak.conf.sample is made from the table (else: make docs)" "$src/doc/firebreak.conf.sample"
"$optgen" sample events | same "event.sample.json is made by the writer (else: make docs)" "$src/doc/event.sample.json"

sed -n 's/^SYMPTOM("\([a-z-]*\)".*/\1/p' "$src/setup/doctor.def" |
	listed "every trap is in the page of doctor" "$src/doc/firebreak-doctor.1" ".It Cm " "" -x

# ---- the record of an alert ----
schema=$src/alerts/SCHEMA.md suffixes=$src/t/alerts/suffixes.txt
import() { "$firebreak" import --json --dry-run --suffixes "$suffixes" "$@" 2>/dev/null; }
# An alert in which everything occurs that a record can say.
everything() {
	cat "$src/etc/alert-19190.txt"
	printf '%s\n' '' Indicators '' 'The b.exe file in c.zip has a size of 5 bytes.' \
		'SHA-1: 000102030405060708090a0b0c0d0e0f10111213' \
		'SHA-256: 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f' 'MD5: 0x3B699A22A8A3706C9521E63F9F598B'
}
if command -v jq >/dev/null; then
	everything | import - | jq -r 'paths | select(.[-1] | type == "string") |
		map(if type == "number" then "[]" else "." + . end) | join("") | ltrimstr(".")' | sort -u |
		same "SCHEMA.md has every key of a record, and no other" \
		<(sed -n 's/^| `\([^`]*\)` |.*/\1/p' "$schema" | sort)
	sed -n '/^```json$/,/^```$/p' "$schema" | sed '1d;$d' |
		same "SCHEMA.md shows the record of 19190" <(import "$src/etc/alert-19190.txt" | jq 'del(.proposed, .findings)')
else
	sed -n 's/.*put(&*ok, o, "\([a-z_0-9]*\)".*/\1/p' "$src/alerts/alert_json.c" |
		listed "SCHEMA.md has every key of a record" "$schema" "" "\` |"
	skip "SCHEMA.md shows the record of 19190" "jq is missing"
fi

# ---- verbs ----
help=$(mktemp "${TMPDIR:-/tmp}/firebreak-help-XXXXXX")
trap 'rm -f "$help"' EXIT
verbs=$("$firebreak" --help | sed -n 's/^  \([a-z][a-z-]*\)  *[A-Z].*/\1/p')
for verb in $verbs; do
	page=$src/doc/firebreak-$verb.1
	if [ ! -r "$page" ]; then
		ok 1 "firebreak $verb has a page"
		continue
	fi
	"$firebreak" "$verb" --help >"$help"
	grep -oE -- '--[a-z-]+' "$help" | sed 's/^-//' | sort -u |
		listed "every flag of $verb is in its page" "$page" "Fl " ""
	grep -oE 'Fl -[a-z-]+' "$page" | sed 's/^Fl //' | sort -u |
		listed "every flag in the page of $verb is one" "$help" "-" ""
	"$firebreak" --help | sed -n "s/^  $verb  *//p" |
		listed "firebreak(1) says of $verb what the program says" "$src/doc/firebreak.1" "" ""
done
[ "$(wc -w <<<"$verbs")" -ge 10 ]; ok $? "the verbs are found in the help"

# ---- pages as such ----
missing=
for page in "$src"/doc/*.[158]; do
	for section in 'EXIT STATUS' FILES EXAMPLES CAVEATS; do
		grep -qx "\.Sh $section" "$page" || missing+="${page##*/} has no $section"$'\n'
	done
done
[ -z "$missing" ]; ok $? "every page has EXIT STATUS, FILES, EXAMPLES and CAVEATS" "$missing"
if command -v mandoc >/dev/null; then
	found=$(mandoc -Tlint -Wwarning "$src"/doc/*.[158] 2>&1)
	[ -z "$found" ]; ok $? "mandoc has nothing to say" "$found"
else
	skip "mandoc has nothing to say" "mandoc is missing"
fi
lines=$(wc -l < "$src/README")
[ "$lines" -gt 20 ] && [ "$lines" -le 150 ]; ok $? "the README has at most 150 lines (it has $lines)"
wide=$(awk 'length($0) > 132 { print FILENAME ":" FNR }' "$src"/README "$src"/SECURITY "$src"/NEWS "$src"/doc/HACKING "$src"/doc/LOOKALIKE "$src"/doc/PERFORMANCE \
	"$src"/doc/URLS "$schema")
[ -z "$wide" ]; ok $? "texts fit a screen" "$wide"

tap_done
