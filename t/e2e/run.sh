#!/usr/bin/env bash
# ./run itself: its table, its exit codes, what it leaves.  TAP.
. "${top_srcdir:-.}/t/e2e/tap.sh"

[ -x "$src/run" ] || skip_all "there is no ./run here"
export FIREBREAK_STATE=$lab_top/run FIREBREAK_PORT_BASE=$LAB_PORT_BASE
lab_states+=("$FIREBREAK_STATE")
said=$("$src/run" -d 2>&1)
is $? 0 "./run -d succeeds" "$said"
rows=$(grep -cE ' (200|403|cut)' <<<"$said")
[ "$rows" -ge 10 ]; ok $? "its table has ten rows" "$said"
grep -q 'not as expected' <<<"$said"
[ $? -ne 0 ]; ok $? "all of them as expected" "$said"
. "$FIREBREAK_STATE/run.env"
like "$PROXY $ICAP $ORIGIN $EVENTS" "http://127.0.0.1:* icap://127.0.0.1:*/firebreak http://*:* $FIREBREAK_STATE/events.jsonl" "run.env has the addresses"
is "$(curl -s -o /dev/null -w '%{http_code}' -x "$PROXY" http://updates.betterbricks.com.secure.upd01.net/)" 403 "what it says to try by hand works"
[ "$(id -u)" -ne 0 ] || is "$(ps -o user= -p "$(lab_pids "$FIREBREAK_STATE" | tr '\n' ',' | sed 's/,$//')" | sort -u)" nobody "nothing runs as root"
"$src/run" -d >/dev/null 2>&1
is $? 3 "a second one says that it runs already"
pids=$(lab_pids "$FIREBREAK_STATE")
"$src/run" stop >/dev/null
is $? 0 "./run stop succeeds"
for pid in $pids; do kill -0 "$pid" 2>/dev/null && echo "# $pid lives"; done | grep -q .
[ $? -ne 0 ]; ok $? "and everything has ended"
"$src/run" stop >/dev/null
is $? 0 "./run stop succeeds also when nothing runs"
"$src/run" --nonsense >/dev/null 2>&1
is $? 2 "nonsense is refused"
FIREBREAK_STATE=relative "$src/run" -d >/dev/null 2>&1
is $? 2 "a relative state folder is refused"
left=$(git -C "$src" status --porcelain 2>/dev/null)
[ -z "$left" ] || ! git -C "$src" rev-parse HEAD >/dev/null 2>&1 || echo "# git sees: $left"
e2e_done
