#!/usr/bin/env bash
# firebreak(1) from outside: what each verb prints, writes and answers.  TAP.
set -u
. "${top_srcdir:-.}/t/verb.sh"
mkdir "$state"

# The suffixes that these tests need, so that the machine's own list decides nothing here.
cat > "$work/suffixes" <<'END'
// ===BEGIN ICANN DOMAINS===
com
net
org
test
example
secure
// ===END ICANN DOMAINS===
END
suffixes=(--suffixes "$work/suffixes")

# ---- usage ----
fb 0 "help" --help
has "the help lists the verbs" "publish" "$out"
fb 0 "version" --version
has "the version is one" "firebreak 0" "$out"
fb 2 "no verb"
fb 2 "an unknown verb" explode
has "it is named" "explode is no verb" "$err"
for verb in export lead import publish pull key held approve deny rehearse hunt status mode kills exception check url why events metrics report-mistake targets setup undo doctor selftest; do
	fb 0 "$verb --help" "$verb" --help
	has "$verb shows its usage" "usage: firebreak $verb" "$out"
	fb 2 "$verb --no-such-flag" "$verb" --no-such-flag
done
has "it says where to look" "--no-such-flag is not understood here; see \"firebreak $verb --help\"" "$err"
fb 2 "a flag without its value" import --level
has "it says what is missing" "needs a value" "$err"
fb 2 "a flag that no verb has" --no-such-flag
has "it says where to look, too" 'see "firebreak --help"' "$err"
out=$("$firebreak" status --state "$work/nowhere" 2>&1); is "a state folder that is not there" $? 2
out=$(FIREBREAK_STATE=$work/nowhere "$firebreak" status 2>&1)
has "the environment names the state folder" "$work/nowhere" "$out"
[ ! -e "$work/nowhere" ]; ok $? "asking makes no folder"

# ---- before anything was published ----
fb 1 "status of an empty state" status
has "it says that there are no rules" "NONE" "$out"
fb 2 "check without a generation" check http://example.com/

# ---- url ----
fb 0 "url" url 'HTTP://WWW.Example.COM.:80/a/../%62?x=1#f'
is "canonical form and expressions" "$out" "http://www.example.com/b?x=1
  host  www.example.com
  host  example.com
  host  com
  path  /b?x=1
  path  /b
  path  /"
fb 1 "url of nothing" url 'http:///'
out=$(printf 'http://a.example/\\x41\\x09\n\nhttp://b.example/\\q\nhttp://[::1]/' | "$firebreak" url --tsv -)
is "url --tsv: bad lines stay lines" "$(wc -l <<<"$out")" 4
is "url --tsv reads its escapes" "$(sed -n 1p <<<"$out")" $'http://a.example/A\\t\thttp://a.example/A'
is "url --tsv: an empty line" "$(sed -n 2p <<<"$out")" $'\t'
is "url --tsv: a bad escape" "$(sed -n 3p <<<"$out")" $'http://b.example/\\\\q\t'
is "url --tsv: an address" "$(sed -n 4p <<<"$out")" $'http://[::1]/\thttp://[::1]/'
out=$(head -c 20000 /dev/zero | tr '\0' '\n' | "$firebreak" url --tsv - | wc -l)
is "url --tsv: as many lines as came in" "$out" 20000
out=$(printf 'http://a.example/\0\xff\x1b[31m\n' | "$firebreak" url -)
hasnot "url lets no escape sequence through" $'\x1b' "$out"
fb 0 "url --json" url --json http://a.example/x?y
has "url --json has the expressions" '"paths":["/x?y","/x","/"]' "$out"
fb 2 "url --tsv --json" url --tsv --json http://a.example/
if [ -r "${FIREBREAK_SHARED:-}/data/gsb_v4_vectors.tsv" ]; then
	found=$(grep -v '^#' "$FIREBREAK_SHARED/data/gsb_v4_vectors.tsv" | cut -f1 | "$firebreak" url --tsv - | cut -f2 |
		diff <(grep -v '^#' "$FIREBREAK_SHARED/data/gsb_v4_vectors.tsv" | cut -f2) - | grep '^[<>]')
	[ "$(grep -c '^>' <<<"$found")" -le 3 ]; ok $? "the published vectors, but for listed deviations" "$found"
else
	skip "the published vectors" "FIREBREAK_SHARED is not set"
fi

# ---- import ----
cat > "$work/alert" <<'END'
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
END
fb 0 "import --dry-run" import --dry-run "${suffixes[@]}" "$work/alert"
has "it prints the host rule" "block host *.secure.bad.test" "$out"
has "it prints the file rule" "block file 70000:md5:00112233445566778899aabbccddeeff" "$out"
[ -z "$(ls -A "$state")" ]; ok $? "a dry run writes nothing" "$(ls -A "$state")"
fb 0 "import --json --dry-run" import --json --dry-run "${suffixes[@]}" "$work/alert"
has "the record has its rules" '"proposed": [' "$out"
has "the record says which" '"value": "*.secure.bad.test"' "$out"
printf '%s\n' "$out" > "$work/record.json"
fb 0 "import" import "${suffixes[@]}" "$work/alert"
rules=$(cat "$state/sources/alert-70001.rules" 2>&1)
is "what is printed is what is written" "$out" "$rules"
[ -s "$state/alerts/70001.json" ]; ok $? "the record is there"
has "it says how to go on" "firebreak publish" "$err"
fb 0 "the same version again" import "${suffixes[@]}" "$work/alert"
is "changes no rule" "$(cat "$state/sources/alert-70001.rules")" "$rules"
fb 0 "a record is read back" import "${suffixes[@]}" "$work/record.json"
is "and gives the same rules" "$(cat "$state/sources/alert-70001.rules")" "$rules"
sed 's/^Version:2/Version:1/' "$work/alert" > "$work/older"
fb 2 "an older version" import "${suffixes[@]}" "$work/older"
has "it is refused by name" "older than the stored version 2" "$err"
is "and changes nothing" "$(cat "$state/sources/alert-70001.rules")" "$rules"
sed 's/^Version:2/Version:3/; s/70,000 bytes/70,001 bytes/' "$work/alert" > "$work/newer"
fb 0 "a later version" import "${suffixes[@]}" "$work/newer"
has "replaces what changed" "block file 70001:md5:" "$out"
hasnot "drops what is gone" "block file 70000:md5:" "$out"
has "the revision is the version's" "rev=3" "$out"
sed 's/00112233445566778899AABBCCDDEEFF/00112233445566778899AABBCCDDEE/; s/70001/70002/' "$work/alert" > "$work/partly"
fb 1 "a digest of 30 digits" import "${suffixes[@]}" "$work/partly"
has "it is named" "00112233445566778899AABBCCDDEE" "$err"
has "the rest is kept" "block host *.secure.bad.test" "$out"
rm -f "$state/sources/alert-70002.rules"
echo 'Nothing of use.' > "$work/nothing"
fb 2 "an alert without facts" import "${suffixes[@]}" "$work/nothing"
has "the file is named" "$work/nothing: error:" "$err"
is "writes no source" "$(ls "$state/sources")" "alert-70001.rules"
fb 2 "a level out of bounds" import --level 6 "$work/alert"
fb 2 "a file that is not there" import "$work/no-such-file"
printf '{"id":"../../x","version":1,"files":[{"size":5,"md5":"00112233445566778899aabbccddeeff"}]}' > "$work/climber.json"
fb 2 "an id that climbs out of its folder" import "${suffixes[@]}" "$work/climber.json"
[ ! -e "$work/x.json" ]; ok $? "nothing is written outside"
out=$("$firebreak" --state "$state" import --dry-run --level 5 "${suffixes[@]}" - < "$work/newer" 2>&1)
has "import reads standard input" "level=5" "$out"

# ---- publish ----
fb 0 "publish --dry-run" publish --dry-run "${suffixes[@]}"
[ ! -e "$state/rules/MANIFEST" ]; ok $? "a dry run publishes nothing"
fb 0 "publish" publish "${suffixes[@]}"
has "it names the generation" "generation 1:" "$out"
has "it says that nobody runs" "no worker is running" "$out"
fb 0 "publish --json" publish --json "${suffixes[@]}"
has "publish --json" '"generation": 2' "$out"
echo 'block host' > "$state/sources/local.rules"
fb 2 "a source with an error" publish "${suffixes[@]}"
has "it is named with its place" "local.rules:1:" "$err"
fb 0 "what was live stays" status
hasnot "nothing was asked, and no coverage is praised" "% of 0 requests" "$out"
has "the generation stays" "Generation  2" "$out"
printf 'allow host ok.secure.bad.test\nblock host maybe.example level=1\nblock url files.example/bad/\n' \
    > "$state/sources/local.rules"
fb 0 "publish with a local source" publish "${suffixes[@]}"

# ---- check ----
fb 1 "check a listed host" check http://x.victim.example.secure.bad.test/
has "it names the rule" "alert-70001:host-1" "$out"
has "it names the alert" "alert 70001" "$out"
fb 0 "check an allowed host" check http://ok.secure.bad.test/
has "it says that a rule allows it" "an allow rule says so" "$out"
fb 0 "check another host" check http://example.com/
fb 0 "check a host below the threshold" check http://maybe.example/
has "it would block" "would block" "$out"
fb 1 "check a listed path" check http://good.example/ 'http://FILES.example/x/../bad/%61'
has "the canonical form is shown" "http://files.example/bad/a" "$out"
fb 1 "check --steps" check --steps http://x.secure.bad.test/
has "the step that decides" "this decides" "$out"
fb 1 "check --json" check --json http://x.secure.bad.test/
has "check --json" '"verdict":"block"' "$out"
lines=$(printf '%s\n' http://example.com/ http://x.secure.bad.test/ 'http:///' | timeout 60 "$firebreak" --state "$state" check --json -); got=$?
is "check - reads URLs, one a line" "$got $(grep -o '"verdict":"[a-z]*"' <<<"$lines" | tr '\n' ' ')" \
	'1 "verdict":"pass" "verdict":"block" "verdict":"pass" '
fb 0 "check what is no URL" check 'http:///'
has "it says that it could not be checked" "pass unchecked" "$out"
yes 'a sample of text' | head -c 65546 > "$work/sample.txt"
printf 'block file 65546:md5:%s name=sample.txt\n' "$(md5sum < "$work/sample.txt" | cut -d' ' -f1)" >> "$state/sources/local.rules"
fb 0 "publish a rule for a file" publish "${suffixes[@]}"
fb 1 "check a listed file" check --file "$work/sample.txt" --name other.bin
has "by the name given" "block: other.bin" "$out"
out=$("$firebreak" --state "$state" check --json --name sample.exe --file - < <(cat "$work/sample.txt")); is "check a pipe" $? 1
has "its length is known at the end" '"size":65546' "$out"
printf 'x' >> "$work/sample.txt"
fb 0 "one byte more" check --file "$work/sample.txt"
has "is not even read" "not a listed length" "$out"
fb 2 "check a file that is not there" check --file "$work/no-such-file"
fb 2 "check without anything" check
fb 2 "check both" check --file "$work/sample.txt" http://example.com/

# ---- mode ----
fb 0 "mode" mode
is "a new state enforces" "$out" "enforce"
fb 2 "a change without a reason" mode observe
fb 2 "a word that is no mode" mode panic --reason x
fb 2 "enforce for a time" mode enforce --for 1h --reason x
fb 0 "mode observe" mode observe --for 1h --reason $'ticket 1\nmode=off'
has "it says until when" "observe until 2" "$out"
is "one audit line, whatever the reason" "$(wc -l < "$state/log/mode.log")" 1
is "which the folder's group can write, too" "$(stat -c %a "$state/log/mode.log")" 660
has "with the reason" 'reason=ticket 1\x0amode=off' "$(cat "$state/log/mode.log")"
fb 0 "mode shows it" mode
has "observe" "observe until" "$out"
fb 0 "status in observe" status
has "says it loudly" "OBSERVE: NOTHING IS BLOCKED" "$out"
fb 1 "check in observe" check http://x.secure.bad.test/
has "mentions the mode" "the mode is observe" "$err"
fb 0 "mode enforce" mode enforce --reason "all is well"
fb 0 "status again" status --json
has "status --json has the mode" '"mode": "enforce"' "$out"
if [ "$(id -u)" -ne 0 ]; then
	chmod a-w "$state/log" "$state/log/mode.log"
	fb 1 "an audit that cannot be written" mode observe --reason x
	fb 0 "the switch worked all the same" mode
	is "it worked" "$out" "observe"
	chmod u+w "$state/log" "$state/log/mode.log"
	fb 0 "and back" mode enforce --reason x
	chmod a-r "$state/rules/MANIFEST"
	fb 2 "a state that may not be read" status
	hasnot "does not pass for an empty one" "NONE" "$out"
	chmod u+r "$state/rules/MANIFEST"
else
	skip "an audit that cannot be written" "root can always write"
	skip "a state that may not be read" "root can always read"
fi

# ---- kills ----
md5=ab000000000000000000000000000000 sha1=cd00000000000000000000000000000000000000
fb 0 "kills before there were any" kills
is "says so" "$out" "No kill is remembered."
fb 1 "forget what is not there" kills --clear "$md5"
fb 0 "forget all of nothing" kills --clear --all
[ ! -e "$state/log/kills.log" ]; ok $? "which is no line in the log"
"$build/t/worker" "$state" kill; ok $? "three kills"
fb 0 "kills" kills
is "are listed" "$(wc -l <<<"$out")" 3
has "by URL, of no known length" "  url   sent unknown      file 90112:md5:$md5" "$out"
has "by ETag, with the length as sent beside the size" "  etag  sent 5000         file 90112:sha1:$sha1" "$out"
fb 0 "kills as JSON" kills --json
has "with the digest" "\"sha1\": \"$sha1\"" "$out"
is "a length that is unknown is absent" "$(grep -c '"length"' <<<"$out")" 2
fb 2 "a clearing of nothing in particular" kills --clear
fb 2 "of both" kills --clear --all "$md5"
fb 2 "of what is no digest" kills --clear sha1:"$md5"
fb 2 "a digest without --clear" kills "$md5"
fb 2 "--all without --clear" kills --all
fb 2 "a clearing as JSON" kills --clear --all --json
fb 0 "the kills of a digest" kills --clear "SHA1:${sha1^^}"
is "are forgotten" "$out" "2 kills forgotten"
is "which the log has" "$(sed 's/^[^ ]* uid=[0-9]* //' "$state/log/kills.log")" "forgotten=2 digest=sha1:$sha1"
is "and the folder's group can write" "$(stat -c %a "$state/log/kills.log")" 660
fb 0 "and no other" kills
is "as the list shows" "$(wc -l <<<"$out")" 1
fb 0 "all of them" kills --clear --all
is "are forgotten, too" "$out" "1 kill forgotten"
has "which the log has, too" "forgotten=1 digest=all" "$(cat "$state/log/kills.log")"
fb 0 "none is left" kills
is "of all" "$out" "No kill is remembered."

# ---- workers ----
worker() {	# worker KIND: a stand-in of a worker, its pid in $worker_pid; "wait" for it after stop_worker
	coproc WORKER { exec "$build/t/worker" "$state" "$1"; }
	worker_pid=$WORKER_PID
	read -r _ <&"${WORKER[0]}"
}
stop_worker() {
	local fd=${WORKER[1]}
	exec {fd}>&-
	wait "$worker_pid" 2>/dev/null
}
worker live
fb 0 "publish with a worker that follows" publish "${suffixes[@]}"
has "it is live" "live in all 1 worker" "$out"
fb 0 "status with a worker that follows" status
has "the worker is listed" "pid $worker_pid" "$out"
stop_worker
worker stale
fb 1 "publish with a worker that does not follow" publish "${suffixes[@]}"
has "it is named" "NOT yet live in 1 of 1 worker: $worker_pid" "$out"
fb 1 "status with a worker that does not follow" status --json
has "it is counted" '"workers_behind": 1' "$out"
stop_worker
fb 0 "status after it has gone" status

# ---- status --verify ----
fb 0 "status --verify of a sound generation" status --verify
has "it says so" "every file verified" "$out"
for segment in "$state"/rules/rules-*.seg; do :; done
cp "$segment" "$work/saved.seg"
chmod u+w "$segment"
printf 'X' | dd of="$segment" bs=1 seek=$(($(stat -c %s "$segment") - 1)) conv=notrunc 2>/dev/null
fb 1 "status --verify of a damaged one" status --verify
has "it names the file" "${segment##*/}" "$err"
cp "$work/saved.seg" "$segment"
fb 0 "status --verify of the mended one" status --verify

# ---- why ----
cat > "$state/events.jsonl" <<'END'
{"@timestamp":"2026-11-23T07:20:24.332Z","event":{"id":"1M83ME10C4HM007J","action":"killed","reason":"file"},"message":"a \u001b[31m message","rule":{"id":"local:*.4","version":1},"client":{"ip":"192.0.2.7"},"user":{"name":"user1"},"firebreak":{"alert":"19190","steps":["first","second"]}}
{"event":{"id":"1M83MDH1R4HM1YE5","action":"killed"},"rule":{"id":"local:*.4"},"client":{"ip":"192.0.2.8"}}
{"event":{"id":"1M83MDH1M4HM1YD8","action":"passed_unchecked"}}
{"event":{"id":"1M83MDH1W4HM1YFX","action":"killed"},"rule":{"id":"local:x.4"},"firebreak":{"alert":"../../etc/passwd"}}
END
fb 0 "why" why 1m83-me10-c4hm-oo7j
has "when" "2026-11-23T07:20:24.332Z" "$out"
has "who" "192.0.2.7" "$out"
has "which rule" "local:*.4" "$out"
has "who else met it" "2 events of this rule, from 2 clients, the first 2026-11-23T07:20:07Z, the last 2026-11-23T07:20:24Z" "$out"
has "the steps" "2. second" "$out"
hasnot "no escape sequence gets through" $'\x1b' "$out"
mkdir -p "$work/imported" "$state/alerts"
"$firebreak" --state "$work/imported" import "${suffixes[@]}" "${top_srcdir:-.}/etc/alert-19190.txt" >"$work/out" 2>&1
cp "$work/imported/alerts/19190.json" "$state/alerts"
fb 0 "why of an alert whose record is there" why 1m83-me10-c4hm-oo7j
has "its title" "Fake Mail Server Upgrade" "$out"
fb 0 "report-mistake" report-mistake --reason "our own" 1M83-ME10-C4HM-007J
has "whom it goes to" "Subject: probably a mistake: local:*.4" "$out"
has "the alert" "Fake Mail Server Upgrade" "$out"
has "how often it has met something" "2 requests of 2 clients" "$out"
has "why it is a mistake" "our own" "$out"
hasnot "not whom it met" "192.0.2" "$out"
hasnot "nor the user" "user1" "$out"
fb 1 "report-mistake of an incident that is not there" report-mistake 1M83NSAZ04HM000Z
fb 1 "report-mistake of an incident that no rule decided" report-mistake 1M83MDH1M4HM1YD8
has "it says so" "no rule decided" "$err"
fb 2 "report-mistake of no incident" report-mistake
fb 0 "why of a rule that nobody else met" why 1M83MDH1W4HM1YFX
has "it says so" "nobody else" "$out"
has "an alert is no path" "../../etc/passwd" "$out"
gzip -c "$state/events.jsonl" >"$state/events.jsonl.1.gz"
: >"$state/events.jsonl"
fb 0 "why of a compressed log" why 1M83 ME10 C4HM 007J
fb 0 "why with blanks" why 1M83 ME10 C4HM 007J
fb 0 "why --json" why --json 1M83ME10C4HM007J
has "why --json" '"id":"1M83ME10C4HM007J"' "$out"
fb 2 "a swapped pair" why 1M83-EM10-C4HM-007J
has "is mistyped" "mistyped" "$err"
fb 2 "a host is no number" why www.example.net
has "it says who knows of hosts" "firebreak events" "$err"
fb 2 "a number that is too short" why 1M83
has "too short is mistyped" "mistyped" "$err"
: > "$work/empty.jsonl"
fb 1 "an incident that is not there" why --events "$work/empty.jsonl" 1M83-ME10-C4HM-007J
has "is not there" "no such incident" "$err"
fb 2 "an event log that is not there" why --events "$work/no.jsonl" 1M83-ME10-C4HM-007J

# ---- exception ----
printf 'block host bad.example id=bad rev=2\nblock host worse.example id=worse\n' > "$state/sources/except.rules"
fb 0 "publish what exceptions are from" publish
fb 2 "an exception without a reason" exception add 2:except:bad --user ann
has "wants one" "--reason" "$err"
fb 2 "an exception for nobody" exception add 2:except:bad --reason "ticket 4711"
has "asks for whom" "for whom?" "$err"
fb 2 "an exception from nothing" exception add bad --user ann --reason x
fb 2 "an exception from a line" exception add 1:local:7 --user ann --reason x
has "it says what to do" "id=" "$err"
fb 2 "an exception that never ends" exception add 2:except:bad --user ann --reason x --for never
fb 0 "an exception" exception add 2:except:bad --user ann --for 2d --reason "ticket 4711"
has "is told" "2:except:bad user=ann" "$out"
fb 0 "ann may" check --steps --user ann http://bad.example/
has "the steps say why" "an exception holds" "$out"
fb 1 "bob may not" check --user bob http://bad.example/
fb 1 "nor may who is not known" check http://bad.example/
fb 0 "list" exception list
has "it holds" "holds" "$out"
has "with its reason" "ticket 4711" "$out"
cat > "$work/except.jsonl" <<'END'
{"event":{"id":"1M83ME10C4HM007J"},"rule":{"id":"except:worse","version":"1"},"client":{"ip":"192.0.2.7"},"url":{"domain":"worse.example"}}
END
fb 2 "an incident that is not there" exception add --incident 1M83-ME10-C4HM-007J --events "$work/empty.jsonl" --reason x
fb 2 "an empty host is not any host" exception add --incident 1m83me10c4hm007j --events "$work/except.jsonl" --host "" --reason y
fb 0 "an exception from an incident" exception add --incident 1m83me10c4hm007j --events "$work/except.jsonl" --reason y
has "for its client and host" "1:except:worse client=192.0.2.7 host=worse.example" "$out"
mkdir "$work/rotated"
mv "$work/except.jsonl" "$work/rotated/events.jsonl.1"
: > "$work/rotated/events.jsonl"
fb 0 "from one in a file that was rotated" exception add --incident 1M83ME10C4HM007J --events "$work/rotated/events.jsonl" --reason y
fb 0 "that client may" check --client 192.0.2.7 http://worse.example/
fb 1 "another may not" check --client 192.0.2.8 http://worse.example/
printf 'block host bad.example id=bad rev=3\n' > "$state/sources/except.rules"
fb 0 "the rules change" publish
fb 1 "the exception has lapsed" check --user ann http://bad.example/
fb 0 "list --json" exception list --json
has "says so" "lapsed" "$out"
has "and that a rule is gone" "the rule is gone" "$out"
id=$(sed -n 's/^except .*client=192.*id=\(e[0-9-]*\) .*/\1/p' "$state/sources/exceptions.rules")
fb 0 "remove" exception remove "exceptions:$id"
fb 2 "remove it twice" exception remove "exceptions:$id"
[ "$(grep -c 'add\|remove' "$state/log/exceptions.log")" = 4 ]; ok $? "each change is in the log"
# Many that have expired, and behind them one that has not.
{
	echo 'block host bad.example id=bad rev=2'
	for scope in "" " user=ann" " host=bad.example"; do
		for bits in $(seq 1 32); do
			net=$((((192 << 24 | 2 << 8 | 7) >> (32 - bits)) << (32 - bits)))
			echo "except rule 2:except:bad client=$((net >> 24)).$((net >> 16 & 255)).$((net >> 8 & 255)).$((net & 255))/$bits$scope expires=2s"
		done
	done
	echo 'except rule 2:except:bad user=ann expires=7d'
} > "$state/sources/except.rules"
fb 0 "many exceptions" publish
sleep 3
fb 0 "one behind many that have expired" check --user ann --client 192.0.2.7 http://bad.example/
fb 1 "they have" check --user bob --client 192.0.2.7 http://bad.example/
seq -f 'except rule 2:except:bad user=u%.0f expires=7d' 10000 > "$state/sources/many.rules"
fb 2 "more exceptions than there may be" publish
has "are told" "exceptions: at most 10000 are possible" "$err"
rm "$state/sources/many.rules"
echo 'block host bad.example id=bad rev=3' > "$state/sources/except.rules"
fb 0 "fewer again" publish

# ---- targets ----
fb 2 "targets when there are none" targets
has "says why" "LogTargets" "$err"
cat > "$state/targets.jsonl" <<'END'
{"@timestamp":"2026-11-23T07:20:24.332Z","event":{"id":"1"},"user":{"email":"joe@b.example"},"url":{"domain":"one.example"}}
{"@timestamp":"2026-11-24T07:20:24.332Z","event":{"id":"2"},"user":{"email":"ann@b.example"},"url":{"domain":"two.example"}}
{"@timestamp":"2026-11-25T07:20:24.332Z","event":{"id":"3"},"user":{"email":"joe@b.example"},"url":{"domain":"three.example"}}
{"torn
END
fb 0 "targets" targets
is "the most often aimed at first, with the last host" "$(sed -n 1p <<<"$out")" "     2  2026-11-25T07:20:24Z  joe@b.example  three.example"
is "each once" "$(wc -l <<<"$out")" 2
has "a torn line is counted" "1 line" "$err"
fb 0 "targets --json" targets --json
has "first and last" '"first": "2026-11-23T07:20:24Z"' "$out"
rm "$state/targets.jsonl"

# ---- output that cannot be written ----
if [ -c /dev/full ]; then
	"$firebreak" url http://example.com/ > /dev/full 2>/dev/null; is "a full disk is no success" $? 2
else
	skip "a full disk is no success" "there is no /dev/full"
fi
left=
for file in "$state"/*/*; do
	case ${file##*/} in
	*.rules | *.json | *.versions | *.seg | *.log | MANIFEST | MANIFEST.[0-9] | MANIFEST.[0-9][0-9] | lock | compact.lock | shared | incoming) ;;
	*) left+=$file$'\n' ;;
	esac
done
[ -z "$left" ]; ok $? "no temporary file is left behind" "$left"

tap_done
