#!/usr/bin/env bash
# firebreak events: what it finds, prints and answers.  The log is written by hand here.  TAP.
set -u
. "${top_srcdir:-.}/t/verb.sh"
log=$work/state/events.jsonl
mkdir -p "$state"
lines() { is "$1" "$(grep -c . <<<"$out")" "$2"; }	# lines NAME N: of $out

ids=(1M83ME10C4HM007J 1M83MDH1R4HM1YE5 1M83MDH1W4HM1YFX)	# the last two are a minute before
event() {	# event ID ACTION CLIENT USER HOST RULE URL [MD5]
	local file=''
	[ $# -lt 8 ] || file=$(printf ',"file":{"hash":{"md5":"%s"}}' "$8")
	printf '{"@timestamp":"2026-11-23T07:20:24.332Z","event":{"id":"%s","action":"%s","reason":"host"},' "$1" "$2"
	printf '"rule":{"id":"%s","version":1,"ruleset":"%s"},"client":{"ip":"%s"},"user":{"name":"%s"},' "$6" "${6%%:*}" "$3" "$4"
	printf '"url":{"original":"%s","domain":"%s"}%s,"firebreak":{"alert":"19190"}}\n' "$7" "$5" "$file"
}

# ---- usage ----
fb 0 "help" events --help
has "its usage" "usage: firebreak events" "$out"
for wrong in "--by nothing" "--action nothing" "--since tomorrow" "--limit x" "--digest 12" "--incident 1M83ME10C4HM007X" "--json --csv" \
	"--follow --by rule" "--follow --until today" "two words" "--client ="; do
	# shellcheck disable=SC2086
	[ "$wrong" != "--client =" ] || wrong="--client="
	fb 2 "events $wrong" events $wrong
done
fb 1 "no log yet" events
has "it says so" "no such event" "$err"
fb 2 "no state folder" events --state "$work/none"
fb 2 "a log without a folder" events --events "$work/none/log"

# ---- finding ----
event "${ids[1]}" blocked 192.0.2.7 alice www.bad.example local:4 http://www.bad.example/one >>"$log"
event "${ids[2]}" killed 192.0.2.8 'DOMAIN\\Bob' files.bad.example alert-19190:2 'http://files.bad.example/patch.exe' 9abc553703f4e4fedb3ed975502a2c7a >>"$log"
fb 0 "all" events
lines "both" 2
has "a line has the incident" "1M83-MDH1-R4HM-1YE5  blocked" "$out"
mv "$log" "$log.1"
gzip "$log.1"
event "${ids[0]}" would_block 2001:db8::7 '' mail.bad.example local:4 'http://mail.bad.example/\u001b[31m\u202e,\"=x' >>"$log"
fb 0 "after rotation" events
lines "all three" 3
hasnot "no escape sequence gets through" $'\x1b' "$out"
hasnot "nor what turns the direction of writing" $'\u202e' "$out"
is "the newest is the last" "$(tail -n 1 <<<"$out" | cut -d' ' -f3)" 1M83-ME10-C4HM-007J
while IFS='|' read -r n arguments; do
	# shellcheck disable=SC2086
	fb $((n == 0)) "events $arguments" events $arguments
	lines "events $arguments: $n" "$n"
done <<'END'
1|1m83-me10-c4hm-oo7j
1|1M83 ME10 C4HM 007J
1|--incident 1M83MDH1R4HM1YE5
1|192.0.2.7
2|--client 192.0.2.*
1|--user ALICE
1|domain\bob
3|.bad.example
1|files.bad.example
0|bad.example
1|--host mail.bad.example
2|local:4
2|--source local
3|19190
1|9ABC553703F4E4FEDB3ED975502A2C7A
0|00000000000000000000000000000000
0|patch.exe/
1|/PATCH.exe
1|--url bad.example/one
1|--action killed
3|--reason host
0|--reason file
3|--since 2026-11-23 --until 2026-11-23
0|--since 2026-11-24
0|--until 2026-11-22
1|--since 2026-11-23T07:20:10Z
2|--limit 2
3|--limit 0
1|--limit 1 local:4
0|--user alice --action killed
END
fb 0 "the newest" events --limit 2
has "that there may be more is said" "newest 2" "$err"

# ---- styles ----
fb 0 "json" events --json
lines "json: an object a line" 3
hasnot "json: nothing beyond ASCII" $'\u202e' "$out"
if command -v jq >/dev/null; then
	is "json: as it was logged" "$(jq -r .event.id <<<"$out" | tr '\n' ' ')" "${ids[1]} ${ids[2]} ${ids[0]} "
	fb 0 "counts as json" events --by rule --json
	is "counts" "$(jq -c '[.rule, .events, .clients]' <<<"$out" | tr '\n' ' ')" '["local:4",2,2] ["alert-19190:2",1,1] '
else
	skip "json: as it was logged" "jq is missing"
fi
fb 0 "csv" events --csv
lines "csv: a head and three" 4
has "csv: quotes are doubled" '\x1b[31m\xe2\x80\xae,""=x"' "$out"
event 1M83NSAZ04HM000Z blocked '=1+1' '@x' '+h' '-r' 'http://x/' >>"$log"
fb 0 "csv of formulas" events --csv --url http://x/
has "csv: no formula" "\"'=1+1\",\"'@x\",\"'+h\",\"'-r\"" "$out"
for by in rule host client user source alert action reason hour; do
	fb 0 "counts by $by" events --by $by
	has "by $by" "clients" "$out"
	is "by $by: all are counted" "$(awk 'NR > 1 { n += $1 } END { print n }' <<<"$out")" 4
done

# ---- what could not be read ----
echo 'garbage' >>"$log"
fb 0 "beside a damaged line" events
lines "all the others" 4
has "it is said" "events.jsonl: warning: 1 line is no event" "$err"
printf 'no gzip' >"$log.2.xz"
fb 2 "a file that cannot be read is trouble" events
lines "but what was found is shown" 4
has "and it is named" "events.jsonl.2.xz" "$err"
rm "$log.2.xz"
truncate -s 30 "$log.1.gz"
fb 2 "a compressed file that is cut" events
has "it is said" "events.jsonl.1.gz: warning" "$err"
gzip -c /dev/null >"$log.1.gz"
fb 0 "an empty one" events
lines "has nothing" 2

# ---- following ----
"$firebreak" --state "$state" events --follow >"$work/followed" 2>/dev/null &
follower=$!
seen() { for _ in $(seq 100); do [ "$(wc -l <"$work/followed")" -ge "$1" ] && return; sleep 0.1; done; false; }	# seen N: lines
seen 2; ok $? "following: what was there"
mv "$log" "$log.3"
event "${ids[1]}" blocked 192.0.2.7 alice www.bad.example local:4 http://www.bad.example/three >>"$log.3"
event "${ids[2]}" blocked 192.0.2.7 alice www.bad.example local:4 http://www.bad.example/four >>"$log"
seen 4; ok $? "following: through rotation" "$(cat "$work/followed")"
kill "$follower"
wait "$follower" 2>/dev/null
is "following: none twice" "$(wc -l <"$work/followed")" 4

# ---- output that cannot be written ----
if [ -c /dev/full ]; then
	"$firebreak" --state "$state" events >/dev/full 2>/dev/null; is "a full disk is no success" $? 2
fi
tap_done
