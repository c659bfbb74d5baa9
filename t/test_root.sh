#!/usr/bin/env bash
# Root calls verbs on a state folder of another user, who may have put links into it: nothing else is written or read, and all that is
# made there is that user's.  What root himself names is root's to open.  TAP.
set -u
. "${top_srcdir:-.}/t/verb.sh"
top=$(cd "${top_srcdir:-.}" && pwd)
if [ "$(id -u)" -ne 0 ] || ! command -v setpriv >/dev/null; then
	skip "root in a folder of others" "only root can be"
	tap_done
	exit
fi
# Who has become somebody else may not look at himself, and so looks for no leak.
export ASAN_OPTIONS=detect_leaks=0
other=65534 group=65533 secret=only-root-has-this
as() { setpriv --reuid=$other --regid=$group --clear-groups "$@"; }
number=1M83-ME10-C4HM-007J
chmod 711 "$work"
private=$work/private
mkdir -m 700 "$private"
printf '%s\n' '// ===BEGIN ICANN DOMAINS===' test example '// ===END ICANN DOMAINS===' >"$work/suffixes"
# The name of no temporary folder is a secret's.
case $work in *"$secret"*) exit 1 ;; esac

# make_state: a folder of the other user's, with rules and an event in it.
make_state() {
	state=$work/$1
	install -d -o $other -g $group -m 2775 "$state"
	as mkdir -p "$state"/{sources,alerts/incoming,rules,runtime,log,pages,update,private}
	as chmod 700 "$state/private"
	echo 'block host .bad.example id=bad' | as sh -c "cat >'$state/sources/local.rules'"
	echo "{\"@timestamp\":\"2026-11-23T07:20:24.332Z\",\"event\":{\"id\":\"${number//-/}\",\"action\":\"blocked\",\"reason\":\"host\"},\"rule\":{\"id\":\"local:bad\",\"version\":\"1\",\"ruleset\":\"local\"},\"url\":{\"domain\":\"www.bad.example\",\"original\":\"http://www.bad.example/\"}}" |
		as sh -c "cat >'$state/events.jsonl'"
}
of_root() { find "$state" ! -user $other -printf '%P '; }

# ---- what is made belongs to the folder's owner ----
make_state own
fb 0 "a publish" publish --suffixes "$work/suffixes"
fb 0 "a block" block --for 1d .worse.example
fb 0 "an allow" allow --for 1d good.example
fb 0 "a mode" mode observe --reason test
fb 0 "and back" mode enforce --reason test
fb 0 "an exception" exception add --for 1d --reason test --user ann "*:local:bad"
fb 0 "an import" import "$top/etc/alert-19190.txt"
fb 0 "a rollback" rollback
fb 0 "forward" publish --forward --suffixes "$work/suffixes"
fb 0 "the status" status
fb 0 "the event that is there" events
has "is shown" "www.bad.example" "$out"
fb 0 "why" why $number
fb 1 "a selftest" selftest --proxy 127.0.0.1:1
fb 0 "keys" pseudonyms --new-key
if "$firebreak" --help | grep -q '^  console '; then
	out=$(echo correct-horse | "$firebreak" --state "$state" console --add-user ann --role read 2>&1)
	is "a user of the console" "$out" "ann may log in with the role read"
fi
is "nothing of all that is root's" "$(of_root)" ""
if "$firebreak" --help | grep -q '^  console '; then
	# Its token is root's alone, its users are the folder's.
	(umask 077; echo "$secret-$secret" >"$private/token")
	"$firebreak" --state "$state" console --listen 127.0.0.1:0 --metrics "$private/token" >"$work/console" 2>"$work/console.err" &
	console=$!
	for _ in {1..200}; do grep -q http:// "$work/console" && break; kill -0 $console 2>/dev/null || break; sleep 0.05; done
	is "the console begins as root, and goes on as the folder's owner" "$(awk '/^Uid:/ { print $3 }' "/proc/$console/status" 2>&1)" \
		"$other"
	kill $console; wait $console 2>/dev/null
	is "nothing that it makes is root's" "$(of_root)" ""
fi
is "and what is shared stays the group's" "$(stat -c %g "$state/runtime/shared")" "$group"

# ---- what root names ----
echo "block host .$secret.example" >"$private/list.rules"
cp "$state/events.jsonl" "$private/copy.jsonl"
printf '1795418253.829 1 192.0.2.7 TCP_MISS/200 1 GET http://www.bad.example/ - HIER_DIRECT/- text/html\n' >"$private/access.log"
printf 'not listed' >"$private/file"
chmod 600 "$private"/*
fb 0 "a file" check --file "$private/file"
fb 1 "an access log" hunt local:bad --log "$private/access.log"
has "is read" "192.0.2.7" "$out"
fb 0 "a list that is no source, and the log" rehearse "$private/list.rules" --log "$private/access.log"
has "are both read" "as it would be: 1" "$(sed 's/: [0-9]* rules; live.*/: 1/' <<<"$out")"
fb 0 "a copy of the event log" events --events "$private/copy.jsonl"
has "is read" "www.bad.example" "$out"
fb 0 "why, by it" why --events "$private/copy.jsonl" $number
fb 0 "metrics for a file" metrics --quick --to "$private/metrics"
fb 0 "rules for a folder" rules dump --to "$private/dump"
[ -s "$private/metrics" ] && [ -s "$private/dump/local.rules" ]; ok $? "both are there"
is "and root's" "$(stat -c %u "$private/metrics" "$private/dump/local.rules" | sort -u)" 0
fb 0 "a key" key generate "$private/key"
fb 0 "signs" publish --sign "$private/key" --suffixes "$work/suffixes"
fb 0 "an export" export hosts --output "$private/hosts"
is "nothing of all that is root's in the folder" "$(of_root)" ""
# Squid's own log, which the folder names: nobody else may read it, and nothing but a file is opened.
sed "s/^[0-9]*/$(date +%s)/" "$private/access.log" >"$private/unfiltered.log"
echo "UnfilteredLog $private/unfiltered.log" | as sh -c "cat >'$state/site.conf'"
fb 0 "a publish that names a log" publish --suffixes "$work/suffixes"
out=$("$firebreak" --state "$state" status --json 2>&1)
has "which is read" '"unfiltered": 1' "$out"
rm "$private/unfiltered.log"
mkfifo "$private/unfiltered.log"
out=$(timeout 20 "$firebreak" --state "$state" status 2>&1)
has "but not when it is a pipe" "unfiltered.log: warning: cannot be read" "$out"
as rm "$state/site.conf"
# A folder between, of somebody else: what is written there is written as he would.
install -d -o 65532 -g 65532 -m 755 "$work/theirs"
fb 0 "metrics for a folder of a third" metrics --quick --to "$work/theirs/metrics"
is "are his" "$(stat -c %u "$work/theirs/metrics")" 65532

# ---- links ----
# A row for each verb: what it is called with.  Those of "-" do nothing in the folder, or are for root: SECURITY names them.
verbs='alerts list
allow --for 1d good.example
approve local:bad
block --for 1d .worse.example
check http://www.bad.example/
console --add-user ann --role read
deny local:bad
doctor --nagios
events
exception list
export hosts
held
hunt local:bad
import '$top/etc/alert-19190.txt'
key -
kills --clear --all
lead
lookalike report
metrics
mode observe --reason test
page check
pseudonyms
publish --suffixes '$work/suffixes'
pull file://'$work/nowhere' --key RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3
rehearse --all --log '$work/empty'
report-mistake '$number'
retain
reveal '$number' --reason test
rollback
rules list
selftest --proxy 127.0.0.1:1
setup -
ship --once unix:'$work/nobody'
status
targets
unblock .bad.example
undo -
update
url -
why '$number
: >"$work/empty"
missing=$(comm -3 <("$firebreak" --help | sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p' | sort) <(cut -d' ' -f1 <<<"$verbs" | sort))
case $missing in '' | *console*) ok 0 "each verb has a row" ;; *) ok 1 "each verb has a row" "$missing" ;; esac

outside=$work/outside
# link_all PATH...: each is a link to something of the same name outside, which only root may read.
fill_outside() {
	rm -rf "$outside"
	mkdir -m 700 "$outside"
	mkdir "$outside"/{sources,alerts,rules,runtime,log,pages,update,private}
	for name in site.conf sources.conf lookalike.conf held approved targets.jsonl sign.conf follow console.users ship.position \
		sources/local.rules sources/canary.rules alerts/19190.json rules/MANIFEST runtime/selftest runtime/shared log/mode.log \
		update/.lock private/pseudonym.keys; do
		echo "$secret" >"$outside/$name"
	done
	sed "s/www.bad.example/$secret/g" "$private/copy.jsonl" >"$outside/events.jsonl"
	touch -d '1 hour ago' "$outside/stamp"
}
files='site.conf sources.conf lookalike.conf held approved targets.jsonl sign.conf events.jsonl console.users ship.position
	sources/local.rules sources/canary.rules alerts/19190.json runtime/selftest log/mode.log update/.lock private/pseudonym.keys'
try_all() {	# try_all NAME: no verb reads or writes anything outside
	local verb rest before after said=
	before=$(cd "$outside" && find . -type f -printf '%p %s %T@ %m %u\n' | sort; find "$outside" -type d -printf '%P %T@\n' | sort)
	while read -r verb rest; do
		[ "$rest" != - ] || continue
		# shellcheck disable=SC2086
		out=$(echo correct-horse | timeout 60 "$firebreak" --state "$state" "$verb" $rest 2>&1)
		[ $? -ne 124 ] || said+=" $verb:hangs"
		! grep -q "$secret\|Sanitizer" <<<"$out" || said+=" $verb:reads"
		after=$(cd "$outside" && find . -type f -printf '%p %s %T@ %m %u\n' | sort; find "$outside" -type d -printf '%P %T@\n' | sort)
		[ "$before" = "$after" ] || said+=" $verb:writes"
		before=$after
	done <<<"$verbs"
	is "$1: nothing outside is read or written" "$said" ""
	is "$1: nothing in the folder is root's" "$(of_root)" ""
}
fill_outside
make_state files
fb 0 "a generation" publish --suffixes "$work/suffixes"
for name in $files; do as ln -sfn "$outside/$name" "$state/$name"; done
try_all "files that are links"
make_state shared
fb 0 "a generation" publish --suffixes "$work/suffixes"
as rm -r "$state"/{sources,alerts,log,pages,update,private}
for name in sources alerts log pages update private; do as ln -s "$outside/$name" "$state/$name"; done
try_all "folders that are links"
make_state rules
as rm -r "$state"/{rules,runtime}
as ln -s "$outside/rules" "$state/rules"
as ln -s "$outside/runtime" "$state/runtime"
try_all "rules and runtime that are links"
tap_done
