#!/usr/bin/env bash
# ./run itself: its table, its exit codes, what it leaves.  TAP.
. "${top_srcdir:-.}/t/e2e/tap.sh"

[ -x "$src/run" ] || skip_all "there is no ./run here"
clone_before=$(git -C "$src" status --porcelain 2>/dev/null)
export FIREBREAK_STATE=$lab_top/run FIREBREAK_PORT_BASE=$LAB_PORT_BASE
lab_states+=("$FIREBREAK_STATE")
said=$("$src/run" -d 2>&1)
is $? 0 "./run -d succeeds" "$said"
rows=$(grep -cE ' (200|403|cut)' <<<"$said")
[ "$rows" -ge 10 ]; ok $? "its table has ten rows" "$said"
grep -q 'not as expected' <<<"$said"
[ $? -ne 0 ]; ok $? "all of them as expected" "$said"
like "$said" "*all 10 as expected*" "which its last line says"
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
is "$("$src/run" stop)" "nothing runs with its state in $FIREBREAK_STATE" "./run stop says when nothing runs"
lab_as "$FIREBREAK_STATE/live/firebreak" --state "$FIREBREAK_STATE" mode observe --reason test >/dev/null
said=$("$src/run" -d 2>&1)
is $? 0 "a second time, with a state where files were cut and the mode is observe" "$said"
"$src/run" stop >/dev/null
mkdir "$lab_top/other" && touch "$lab_top/other/thing"
said=$(FIREBREAK_STATE=$lab_top/other "$src/run" -d 2>&1)
is $? 2 "a folder that holds something else is refused"
like "$said" "*other holds something else*" "and said to"
"$src/run" --nonsense >/dev/null 2>&1
is $? 2 "nonsense is refused"
FIREBREAK_STATE=relative "$src/run" -d >/dev/null 2>&1
is $? 2 "a relative state folder is refused"

# A row that is not as expected: the alert does not list what the table asks for.
sed 's/upd01\.net/upd01.example/' "$src/etc/alert-19190.txt" >"$lab_top/other-alert.txt"
said=$(FIREBREAK_STATE=$lab_top/wrong FIREBREAK_ALERT=$lab_top/other-alert.txt "$src/run" -d 2>&1)
is $? 1 "./run -d fails when a row is not as expected" "$said"
like "$said" "*upd01.net*not as expected*" "and the row says so"
lab_states+=("$lab_top/wrong")
FIREBREAK_STATE=$lab_top/wrong "$src/run" stop >/dev/null

# What cannot work is one clear line.  Other machines are made in a mount namespace of our own.
elsewhere() {	# elsewhere SHELL-COMMANDS: ./run -d after them, as on another machine; its output without what a build says
	unshare -m sh -c "$1; FIREBREAK_STATE=$lab_top/elsewhere '$src/run' -d" 2>&1 | grep -v '^building'
	return "${PIPESTATUS[0]}"
}
if [ "$(id -u)" -eq 0 ] && unshare -m true 2>/dev/null; then
	printf 'ID=other\nVERSION_ID=1\n' >"$lab_top/os-release"
	said=$(elsewhere "mount --bind $lab_top/os-release /etc/os-release")
	is "$? $(wc -l <<<"$said")" "2 1" "an unsupported system is one line and 2"
	like "$said" "*other 1*Debian 12*" "which names it"
	said=$(elsewhere "mount -t tmpfs -o ro tmpfs /dev/shm")
	is "$? $(wc -l <<<"$said")" "2 1" "an unusable /dev/shm is one line and 2"
	like "$said" "*/dev/shm*mount -t tmpfs*" "which says what to do"
	said=$(elsewhere "mount -t tmpfs tmpfs /var/lib/dpkg; mount -t tmpfs tmpfs /etc/apt")
	is $? 2 "a package that cannot be installed is 2"
	like "$said" "*could not be installed: *" "and named"
else
	skip "other machines" "not root, or no mount namespaces here"
fi
is "$(git -C "$src" status --porcelain 2>/dev/null)" "$clone_before" "the clone is as it was"
e2e_done
