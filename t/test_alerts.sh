#!/usr/bin/env bash
# firebreak alerts: list, show, diff and withdraw, and that import brings back what was withdrawn.  TAP.
set -u
. "${top_srcdir:-.}/t/verb.sh"
mkdir -p "$state" "$work/lists"
# json NAME FILTER EXPECTED: what jq makes of $out
json() {
	if command -v jq >/dev/null; then
		is "$1" "$(jq -c "$2" <<<"$out" 2>&1)" "$3"
	else
		skip "$1" "jq is missing"
	fi
}
fresh() { state=$work/$1; mkdir -p "$state"; }
ids() { grep -o '^block.* rev=[0-9]*' "$state/sources/alert-$1.rules" | sed 's/^block //; s/ id=/ /; s/ rev=/ /' | tr '\n' ';'; }
past() { sed -i 's/published=[^ ]*/published=2026-11-01T00:00:00Z/' "$state/sources/alert-$1.rules"; }

# Lists that these tests need, so that the installed ones decide nothing here.
printf '%s\n' '// ===BEGIN ICANN DOMAINS===' com net example test secure '// ===END ICANN DOMAINS===' > "$work/suffixes"
: > "$work/lists/top-sites.txt"
: > "$work/lists/shared-hosting.txt"
no_lookalikes "$work/lists"
export FIREBREAK_LISTS=$work/lists
s=(--suffixes "$work/suffixes")

cat > "$work/v2" <<'END'
Threat Outbreak Alert: Fake Invoice E-mail Messages

IntelliShield ID:70001
Version:2
First Published:November 2, 2026 11:12 AM EST
Last Published:November 3, 2026 02:39 PM EST

Description

E-mail messages that are related to this threat (RuleID7001) may contain the following file: invoice.exe

The invoice.exe file has a file size of 70,000 bytes. The MD5 checksum, which is a unique identifier of the executable, is
the following string: 0x00112233445566778899AABBCCDDEEFF

The following text is a sample of the e-mail message that is associated with this threat outbreak:

Subject: Your invoice

Message Body:

Please pay.

hxxp://updates.victim.example.secure.bad.test/pay/id=1@victim.example-invoice.exe
hxxp://second.test/x.exe
END
sed 's/^Version:2/Version:3/; s/70,000 bytes/70,001 bytes/; s/second\.test/third.test/' "$work/v2" > "$work/v3"
sed 's/^Version:2/Version:1/' "$work/v2" > "$work/v1"
sed 's/70001/70002/' "$work/v2" > "$work/other"

# ---- usage ----
fb 0 "alerts --help" alerts --help
has "it shows the usage" "usage: firebreak alerts" "$out"
fb 2 "no word" alerts
has "it says which there are" "list, show ID, diff ID [FILE|-], or withdraw ID --reason TEXT" "$err"
fb 2 "an unknown word" alerts explode
fb 2 "list with an operand" alerts list 1
fb 2 "show without one" alerts show
fb 2 "diff of three" alerts diff 1 2 3
fb 2 "diff --json" alerts diff 70001 --json
fb 2 "show --level" alerts show 70001 --level 3
fb 2 "list --suffixes" alerts list "${s[@]}"
fb 2 "show --reason" alerts show 70001 --reason x
fb 2 "a level out of bounds" alerts diff 70001 --level 6 "$work/v3"
fb 2 "an unknown flag" alerts list --no-such-flag
out=$("$firebreak" alerts list --state "$work/nowhere" 2>&1); is "a state folder that is not there" $? 2
out=$("$firebreak" alerts withdraw 1 --reason x --state "$work/nowhere" 2>&1); is "also to withdraw" $? 2
[ ! -e "$work/nowhere" ]; ok $? "asking makes no folder"

# ---- nothing is stored ----
fb 0 "list of an empty state" alerts list
has "it says how to go on" "firebreak import" "$out"
fb 0 "the same as JSON" alerts list --json
is "is an empty array" "$out" "[]"
for word in show diff; do
	fb 2 "$word of an alert that is not there" alerts $word 70001
	has "$word says so" "there is no alert 70001" "$err"
done
fb 2 "withdraw one that is not there" alerts withdraw 70001 --reason x
has "it says so" "there is no alert 70001" "$err"
is "and writes nothing" "$(find "$state" -name '*70001*')" ""
for id in ../70001 '' -x . 'a b' "$(printf 'x%.0s' {1..59})"; do
	fb 2 "an id that is none: '${id:0:10}'" alerts show -- "$id"
done
fb 2 "an id that climbs" alerts withdraw ../../x --reason x
has "is none" "no alert's id" "$err"
fb 2 "diff with a file of an alert that is not stored" alerts diff 70001 "${s[@]}" "$work/v2"

# ---- imported, then live ----
fb 0 "import" import "${s[@]}" "$work/v2"
past 70001
fb 0 "list" alerts list
has "the alert with its version" "70001          version 2, published 2026-11-03T19:39:00Z" "$out"
has "its title" "  Threat Outbreak Alert: Fake Invoice E-mail Messages" "$out"
has "its rules, and when they end" \
	"3 rules (1 host, 1 url, 1 file), highest level 4, end 2026-12-01T00:00:00Z to 2036-10-29T00:00:00Z" "$out"
has "it is not live" "imported, not live: \"firebreak publish\"" "$out"
fb 1 "diff before anything was published" alerts diff 70001
is "is all that it says" "$(cut -c1-2 <<<"$out" | tr -d '\n')" "+ + + "
fb 0 "publish" publish "${s[@]}"
fb 0 "list" alerts list
has "it is live" "  live" "$out"
fb 0 "list --json" alerts list --json
json "tells the same" '.[] | [.id, .version, .first_published, .last_published, .state, .live, .n_rules, .kinds, .level, .first_end, .last_end,
	.withdrawn, .readable]' '["70001",2,"2026-11-02T16:12:00Z","2026-11-03T19:39:00Z","live",3,3,{"host":1,"url":1,"file":1},4,'\
'"2026-12-01T00:00:00Z","2036-10-29T00:00:00Z",null,true]'
fb 0 "diff with what is live" alerts diff 70001
is "is nothing" "$out$err" ""
fb 0 "show" alerts show 70001
has "the file" "  invoice.exe, 70000 bytes, md5 00112233445566778899aabbccddeeff" "$out"
has "the URL, defanged" "  hxxp://second.test/x.exe" "$out"
hasnot "no URL that a terminal makes a link of" "http://" "$out"
has "whom it was made for" "    made for 1@victim.example" "$out"
has "the lure behind a bar" "  | Please pay." "$out"
has "the rules that are live" "  3 of them live" "$out"
has "each with its end" "    alert-70001:host-1, revision 2, level 4, ends 2026-12-01T00:00:00Z, live" "$out"
fb 0 "show --json" alerts show 70001 --json
json "is the record and more" '[.id, .version, .files[0].size, .urls[1].url, .state, (.rules | length), ([.rules[] | select(.live)] | length)]' \
	'["70001",2,70000,"hxxp://second.test/x.exe","live",3,3]'

# ---- diff with another version ----
find "$state" -type f -exec md5sum {} + | sort > "$work/before"
fb 1 "diff with a later version" alerts diff 70001 "${s[@]}" "$work/v3"
has "what comes" "+ block file 70001:md5:00112233445566778899aabbccddeeff (alert-70001:file-2, revision 3, level 4" "$out"
has "what goes" "- block file 70000:md5:00112233445566778899aabbccddeeff (alert-70001:file-1, revision 2, level 4" "$out"
has "what changes" "~ block host *.secure.bad.test (alert-70001:host-1): revision 2 -> 3, ends 2026-12-01T00:00:00Z -> 2" "$out"
has "how many" "2 more, 2 less, 1 changed; \"firebreak import\"" "$err"
out=$("$firebreak" --state "$state" alerts diff 70001 "${s[@]}" --level 5 - < "$work/v3" 2>"$work/err"); is "from standard input" $? 1
has "at another level" "revision 2 -> 3, level 4 -> 5, ends" "$out"
fb 0 "diff with the same version" alerts diff 70001 "${s[@]}" "$work/v2"
is "is nothing" "$out" ""
fb 0 "diff with its own record" alerts diff 70001 "${s[@]}" "$state/alerts/70001.json"
fb 2 "diff with an older version" alerts diff 70001 "${s[@]}" "$work/v1"
has "says so" "version 1 is older than the stored version 2" "$err"
fb 2 "diff with another alert" alerts diff 70001 "${s[@]}" "$work/other"
has "says so" "is alert 70002, not 70001" "$err"
fb 2 "diff with a file that is not there" alerts diff 70001 "${s[@]}" "$work/no-such-file"
printf 'IntelliShield ID:70001\nVersion:4\n' > "$work/nothing"
fb 2 "diff with a version without facts" alerts diff 70001 "${s[@]}" "$work/nothing"
has "says so" "nothing in it can become a rule" "$err"
find "$state" -type f -exec md5sum {} + | sort > "$work/after"
same "nothing of it wrote anything" "$work/before" "$work/after"
fb 0 "import the later version" import "${s[@]}" "$work/v3"
out=$(tail -n 1 "$state/alerts/70001.versions")
json "what it changed is kept" '[.version, .n_added > 0, .n_gone > 0, (.added | map(select(contains("third.test"))) | length > 0)]' '[3,true,true,true]'
before=$(wc -l <"$state/alerts/70001.versions")
fb 0 "import it again" import "${s[@]}" "$work/v3"
is "which changes nothing, and is not told" "$(wc -l <"$state/alerts/70001.versions")" "$before"
fb 0 "list" alerts list
has "the source is another than what is live" "3 rules live, of a source that was changed since: \"firebreak alerts diff 70001\"" "$out"
fb 1 "diff tells" alerts diff 70001
has "what publish would add" "+ block url third.test/x.exe" "$out"
has "and drop" "- block url second.test/x.exe" "$out"
has "and how to go on" "firebreak publish" "$err"
fb 0 "show" alerts show 70001
has "counts what is live" "  1 of them live" "$out"
has "and as what" "revision 3, level 4, ends 20" "$(grep -A1 'block host' <<<"$out")"
has "which is the revision before" "live as revision 2" "$out"
fb 0 "publish" publish "${s[@]}"
fb 0 "diff" alerts diff 70001

# ---- withdraw ----
fb 2 "withdraw without a reason" alerts withdraw 70001
has "it is asked for" "withdraw needs --reason TEXT" "$err"
fb 2 "a reason of blanks" alerts withdraw 70001 --reason '  '
fb 2 "a reason that is too long" alerts withdraw 70001 --reason "$(printf 'x%.0s' {1..1001})"
fb 1 "it is live until now" check http://x.secure.bad.test/
before=$(cat "$state/sources/alert-70001.rules") named=$(ids 70001)
fb 0 "withdraw" alerts withdraw 70001 --reason $'our own mirror\n\e[31mblock host forged.test'
has "it says what" "withdrawn: alert 70001, 3 rules, 3 of them live until now" "$out"
has "and how to undo it" "firebreak import $state/alerts/70001.json" "$err"
fb 0 "its host passes" check http://x.secure.bad.test/
fb 0 "also its URL" check http://third.test/x.exe
source=$(cat "$state/sources/alert-70001.rules")
is "every line is a comment" "$(grep -v '^#' <<<"$source")" ""
has "the first one says who and why" " by uid=$(id -u): our own mirror\\x0a\\x1b[31mblock host forged.test" "$(head -n 1 <<<"$source")"
is "nothing is lost" "$(sed -n 's/^# withdrawn [^ ]*Z: //p' <<<"$source")" "$before"
hasnot "no escape sequence is written" $'\e' "$source$(cat "$state/alerts/70001.withdrawn")"
fb 0 "list" alerts list
has "it is withdrawn" "  withdrawn 20" "$out"
has "why" "uid=$(id -u): our own mirror" "$out"
fb 0 "list --json" alerts list --json
json "says so, too" '.[] | [.state, .live, .n_rules, .withdrawn.uid]' "[\"withdrawn\",0,0,$(id -u)]"
fb 0 "show" alerts show 70001
has "keeps it" "version 3, 3 rules: our own mirror" "$(grep ^Withdrawn <<<"$out")"
fb 0 "diff: nothing is live, nothing ought to be" alerts diff 70001
fb 1 "withdraw it twice" alerts withdraw 70001 --reason again
has "it says that it was" "withdrawn already, 20" "$err"
is "and changes nothing" "$(cat "$state/sources/alert-70001.rules")" "$source"
fb 1 "twice as JSON" alerts withdraw 70001 --reason again --json
json "has no generation" '[.generation, .findings[0].level]' '[null,"warning"]'
fb 0 "publish all" publish "${s[@]}"
fb 0 "it stays withdrawn" check http://x.secure.bad.test/

# ---- import brings it back ----
fb 2 "an older version does not" import "${s[@]}" "$work/v2"
is "it changes nothing" "$(cat "$state/sources/alert-70001.rules")" "$source"
fb 1 "diff with the record" alerts diff 70001 "${s[@]}" "$state/alerts/70001.json"
has "tells that it was withdrawn" "the alert was withdrawn: importing this brings it back" "$err"
fb 1 "the same version warns" import "${s[@]}" "$state/alerts/70001.json"
has "that it was withdrawn" "warning: alert 70001 was withdrawn" "$err"
is "and its source is what it was" "$(cat "$state/sources/alert-70001.rules")" "$before"
fb 0 "publish" publish "${s[@]}"
fb 1 "it is live again" check http://x.secure.bad.test/
fb 0 "withdraw --json" alerts withdraw 70001 --reason "second time" --json
json "is the report" '[.rules, .changed, (.findings | length)]' '[0,1,0]'
sed 's/^Version:3/Version:4/' "$work/v3" > "$work/v4"
fb 0 "a later version brings it back" import "${s[@]}" "$work/v4"
has "with a note" "note: alert 70001 was withdrawn" "$err"
is "with the ids it had, one revision on" "$(ids 70001)" "$(sed 's/ 3;/ 4;/g' <<<"$named")"
fb 0 "publish" publish "${s[@]}"
fb 1 "it is live" check http://x.secure.bad.test/
fb 0 "show" alerts show 70001
is "both withdrawals are kept" "$(grep -c ^Withdrawn <<<"$out")" 2
echo 'no JSON' >> "$state/alerts/70001.withdrawn"
fb 0 "show with a bad line in them" alerts show 70001
has "it is named" "70001.withdrawn:3: warning" "$err"

# ---- a later version with other rules, after a withdrawal ----
fresh numbers
fb 0 "import" import "${s[@]}" "$work/v2"
fb 0 "withdraw what was only imported" alerts withdraw 70001 --reason x
has "nothing of it was live" "3 rules, 0 of them live until now" "$out"
fb 0 "import the next one" import "${s[@]}" "$work/v3"
has "a new rule has a number that was not used" "file 70001:md5:00112233445566778899aabbccddeeff file-2 3;" "$(ids 70001)"
has "an old one has its own" "host *.secure.bad.test host-1 3;" "$(ids 70001)"

# ---- a refused publish puts everything back ----
fresh refused
fb 0 "import" import "${s[@]}" "$work/v2"
fb 0 "publish" publish "${s[@]}"
cp "$state/sources/alert-70001.rules" "$work/saved"
echo 'NoSuchOption yes' > "$state/site.conf"
fb 2 "withdraw with a site.conf that has an error" alerts withdraw 70001 --reason x
has "the error is named" "site.conf:1:" "$err"
has "and that nothing changed" "is as it was, and so is what is live" "$err"
same "the source is as it was" "$work/saved" "$state/sources/alert-70001.rules"
[ ! -e "$state/alerts/70001.withdrawn" ]; ok $? "no withdrawal is kept"
fb 2 "the same as JSON" alerts withdraw 70001 --reason x --json
json "has the error" '[.generation, .findings[0].level]' '[null,"error"]'
rm "$state/site.conf"
fb 1 "it is live" check http://x.secure.bad.test/
fb 0 "list" alerts list
hasnot "and not withdrawn" "withdrawn" "$out"
mkdir "$state/alerts/70001.withdrawn"
fb 2 "a withdrawal that cannot be kept" alerts withdraw 70001 --reason x
same "is none" "$work/saved" "$state/sources/alert-70001.rules"
rmdir "$state/alerts/70001.withdrawn"
echo 'block hots typo' > "$state/sources/local.rules"
fb 0 "an error in another source does not matter" alerts withdraw 70001 --reason x
fb 0 "it passes" check http://x.secure.bad.test/

# ---- many rules: that a list shrank holds it back, but not here ----
fresh many
{
	printf 'IntelliShield ID:70003\nVersion:1\n\nDescription\n\n'
	for i in {1..250}; do echo "hxxp://h$i.many.test/a.exe"; done
} > "$work/many.txt"
fb 0 "import 250 URLs" import "${s[@]}" "$work/many.txt"
fb 0 "publish" publish "${s[@]}"
fb 1 "they are live" check http://h250.many.test/a.exe
fb 0 "show" alerts show 70003
has "it shows the first ones" "  ... 50 more; --json shows all" "$out"
fb 0 "show --json" alerts show 70003 --json
json "shows all" '[(.urls | length), (.rules | length)]' '[250,250]'
fb 0 "withdraw" alerts withdraw 70003 --reason x --json
json "all are gone" '[.rules, .held]' '[0,0]'
fb 0 "they pass" check http://h250.many.test/a.exe
fb 0 "nothing is held" held
fb 1 "bring it back" import "${s[@]}" "$work/many.txt"
fb 0 "publish" publish "${s[@]}"
fb 1 "all are live again" check http://h1.many.test/a.exe http://h250.many.test/a.exe

# ---- what went back by a rollback, or by hand ----
fb 0 "withdraw it again" alerts withdraw 70003 --reason "third.  one"
fb 0 "rollback" rollback
fb 1 "list" alerts list
has "says it loudly" "BUT 250 RULES ARE LIVE: withdraw it again" "$out"
has "and why it may be" "is a rollback to" "$out"
fb 1 "list --json" alerts list --json
json "too" '.[0].state' '"withdrawn_but_live"'
fb 1 "diff" alerts diff 70003
is "what is live and ought not to be" "$(grep -c '^- block url' <<<"$out")" 250
fb 0 "withdraw it again" alerts withdraw 70003 --reason "after the rollback"
fb 0 "it passes" check http://h250.many.test/a.exe
is "its lines are kept as they were, once" "$(grep -c '^# withdrawn [^ ]*Z: block url' "$state/sources/alert-70003.rules")" 250
fb 1 "and come back" import "${s[@]}" "$work/many.txt"
is "each" "$(grep -c '^block url' "$state/sources/alert-70003.rules")" 250
fb 0 "publish" publish --forward "${s[@]}"
rm "$state/sources/alert-70003.rules"
fb 0 "list after the source was removed" alerts list
has "tells what is still live" "its source was removed; 250 rules still live" "$out"
fb 0 "withdraw takes it out all the same" alerts withdraw 70003 --reason "gone"
fb 0 "it passes" check http://h250.many.test/a.exe
sed -i 's/^# withdrawn [^ ]*Z: //' "$state/sources/alert-70003.rules"
echo 'block host by-hand.test' >> "$state/sources/alert-70003.rules"
fb 0 "list with a rule added by hand" alerts list
hasnot "it is withdrawn no more" "withdrawn 20" "$out"
has "it is a change" "of a source that was changed since" "$out"
fb 0 "withdraw that, too" alerts withdraw 70003 --reason "by hand"
is "one head stands there" "$(grep -c 'This alert was withdrawn' "$state/sources/alert-70003.rules")" 1

# ---- what withdraw is for: comments alone would be held, as a list that shrank ----
fresh shrank
fb 0 "import" import "${s[@]}" "$work/many.txt"
fb 0 "publish" publish "${s[@]}"
sed -i 's/^/# /' "$state/sources/alert-70003.rules"
fb 0 "publish a source that a person commented out" publish "${s[@]}"
fb 1 "is held" check http://h250.many.test/a.exe
fb 0 "list" alerts list
has "tells so" "no rule is left; 250 rules still live; 1 held: \"firebreak held\"" "$out"
fb 0 "withdraw" alerts withdraw 70003 --reason x
fb 0 "does it" check http://h250.many.test/a.exe
fb 0 "nothing is held" held

# ---- held, denied, expired ----
fresh held
echo '.top.test' > "$work/lists/top-sites.txt"
sed 's/second\.test\/x\.exe/www.top.test/' "$work/v2" > "$work/top"
fb 0 "import" import "${s[@]}" "$work/top"
fb 0 "publish" publish "${s[@]}"
fb 0 "list" alerts list
has "counts what is live" "2 of 3 rules live; 1 held: \"firebreak held\"" "$out"
fb 1 "diff" alerts diff 70001
has "shows it" "+ block host www.top.test" "$out"
has "and why" "firebreak held" "$err"
fb 0 "deny it" deny "$(awk '!/^#/ { print $1; exit }' "$state/held")"
fb 0 "list" alerts list
has "the others are live" "2 of 3 rules live" "$out"
fb 0 "withdraw" alerts withdraw 70001 --reason x
fb 0 "nothing is held of it" held
: > "$work/lists/top-sites.txt"
fresh expired
fb 0 "import" import "${s[@]}" "$work/v2"
sed -i 's/ rev=2 / rev=2 expires=2026-01-01 /' "$state/sources/alert-70001.rules"
fb 0 "publish" publish "${s[@]}"
fb 0 "list" alerts list
has "tells what expired" "0 rules; 3 expired" "$out"
has "and that none is left" "no rule is left" "$out"
fb 0 "diff: what expired is neither here nor there" alerts diff 70001

# ---- damage, and strangers' text ----
fresh hostile
mkdir -p "$state/alerts" "$state/sources"
printf '{"id":"1","version":1,"title":"%s","files":[{"name":"a\xe2\x80\xaeexe.pdf","size":5,"md5":"00112233445566778899aabbccddeeff"}],
"urls":[{"url":"hxxp://h.test/\xe2\x80\xae/x"}],"lures":[{"subject":"s\xc2\x9b31m","body":"a\\nRules (9)\\n  9 of them live\\n%s"}]}' \
	"$(printf 'long %.0s' {1..200})" "$(printf 'y%.0s' {1..9000})" > "$work/hostile.json"
fb 0 "import" import "${s[@]}" "$work/hostile.json"
fb 0 "list" alerts list
has "a long title is cut" "... (900 bytes more)" "$out"
fb 0 "show" alerts show 1
hasnot "nothing turns the direction of writing" $'\xe2\x80\xae' "$out"
hasnot "no control gets through" $'\xc2\x9b' "$out"
is "no text passes for one of ours" "$(grep -c '^Rules (' <<<"$out")" 1
has "a long body is cut" "bytes more; --json shows all" "$out"
fb 0 "show --json" alerts show 1 --json
hasnot "nothing turns it there" $'\xe2\x80\xae' "$out"
echo '{"id":"2"' > "$state/alerts/2.json"
echo '{"id":"4"}' > "$state/alerts/3.json"
printf 'block host no-record.test\nblock hots typo\n' > "$state/sources/alert-5.rules"
: > "$state/alerts/..json"; : > "$state/alerts/x y.json"; mkdir "$state/alerts/6.json"
fb 1 "list" alerts list
has "a record that is none" "a record that cannot be read" "$(grep '^2 ' <<<"$out")"
has "it is named" "2.json" "$err"
has "a record of another alert is named" "3.json: error: is the record of alert 4, not of 3" "$err"
has "a source without a record" "no record" "$(grep '^5 ' <<<"$out")"
has "a source with an error is named" "alert-5.rules:2:" "$err"
has "a folder is named" "6.json" "$err"
is "each once, and no other name" "$(grep -o '^[^ ]*' <<<"$out" | tr '\n' ' ')" "1 2 3 5 6 "
fb 1 "list --json" alerts list --json
json "tells which" '[.[] | .readable]' '[true,false,false,false,false]'
fb 1 "show one of them" alerts show 2
fb 2 "diff where something cannot be read" alerts diff 5
fb 0 "withdraw one of them" alerts withdraw 5 --reason "cannot be read"
is "every line is a comment" "$(grep -v '^#' "$state/sources/alert-5.rules")" ""
fb 1 "what was withdrawn is no error" alerts list
hasnot "of its own" "alert-5.rules" "$err"

# ---- a line as long as a line can be ----
fresh long
printf '{"id":"7","urls":[{"url":"hxxp://long.test/%s"}],"files":[]}' "$(head -c 65440 /dev/zero | tr '\0' 'u')" > "$work/long.json"
fb 0 "import" import "${s[@]}" "$work/long.json"
before=$(cat "$state/sources/alert-7.rules")
[ "$(awk '{ if (length($0) > n) n = length($0) } END { print n }' "$state/sources/alert-7.rules")" -gt 65500 ]; ok $? "its line is a long one"
fb 0 "publish" publish "${s[@]}"
fb 0 "withdraw" alerts withdraw 7 --reason x
fb 1 "bring it back" import "${s[@]}" "$work/long.json"
is "it is what it was" "$(cat "$state/sources/alert-7.rules")" "$before"
fb 0 "publish" publish "${s[@]}"

# ---- workers ----
fresh worker
fb 0 "import" import "${s[@]}" "$work/v2"
fb 0 "publish" publish "${s[@]}"
for kind in live stale; do
	coproc WORKER { exec "$build/t/worker" "$state" "$kind"; }
	pid=$WORKER_PID
	read -r _ <&"${WORKER[0]}"
	if [ $kind = live ]; then
		fb 0 "withdraw with a worker that follows" alerts withdraw 70001 --reason x
		has "it is live in it" "live in all 1 worker" "$out"
		fb 1 "import" import "${s[@]}" "$work/v2"
	else
		fb 1 "withdraw with one that does not" alerts withdraw 70001 --reason x
		has "it is named" "NOT yet live in 1 of 1 worker: $pid" "$out"
		fb 0 "list" alerts list
		has "it is withdrawn all the same" "withdrawn 20" "$out"
	fi
	fd=${WORKER[1]}
	exec {fd}>&-
	wait "$pid" 2>/dev/null
done

# ---- output that cannot be written ----
if [ -c /dev/full ]; then
	for words in "list" "list --json" "show 70001" "show 70001 --json"; do
		"$firebreak" --state "$state" alerts $words > /dev/full 2>/dev/null; is "$words: a full disk is no success" $? 2
	done
	fb 1 "import" import "${s[@]}" "$work/v2"
	fb 0 "publish" publish "${s[@]}"
	"$firebreak" --state "$state" alerts withdraw 70001 --reason x --json > /dev/full 2>/dev/null
	is "withdraw that cannot tell is no success" $? 2
	fb 0 "but it was done" check http://x.secure.bad.test/
	is "in the source, too" "$(grep -v '^#' "$state/sources/alert-70001.rules")" ""
else
	skip "a full disk is no success" "there is no /dev/full"
fi

tap_done
