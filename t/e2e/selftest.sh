#!/usr/bin/env bash
# "firebreak selftest" through a real Squid and a real c-icap: good, and then a kind at a time that is not blocked any more.  TAP.
. "${top_srcdir:-.}/t/e2e/tap.sh"

e2e_init selftest
mapfile -t ports < <("$LAB_LIVE/origin" --ports 5 "$LAB_PORT_BASE")
unasked=${ports[3]} tunnels=${ports[4]}
# By a port of its own answers pass unasked, by another tunnels; and Squid may reach the origin that a selftest has on the loopback address.
LAB_SQUID_PORTS="http_port 127.0.0.1:$unasked name=unasked
http_port 127.0.0.1:$tunnels name=tunnels
acl fb_self dstdomain -n 127.0.0.1
never_direct deny fb_self"
LAB_SQUID_EXEMPT="acl fb_unasked myportname unasked
adaptation_access fb_resp deny fb_unasked
acl fb_tunnels myportname tunnels
acl fb_connect method CONNECT
adaptation_access fb_req deny fb_tunnels fb_connect"
e2e_rules "block host .bad-host.test"
e2e_publish >/dev/null
e2e_start
proxy=${LAB_PROXY#http://}
selftest() {	# selftest STATUS NAME ARGUMENT...: what it says is in $out; the machine's speed is no matter
	local want=$1 name=$2 got
	shift 2
	out=$(firebreak selftest --proxy "$proxy" --limit 60000 "$@" 2>&1)
	got=$?
	is "$got" "$want" "$name: exit status $want" "$out"
}
bad_is() { is "$(firebreak selftest --proxy "$proxy" --limit 60000 --json 2>/dev/null | jq -r .bad)" "$1" "$2"; }	# bad_is WORDS NAME
number() { firebreak status --json 2>/dev/null | jq -c "$1"; }
site() { printf '%s\n' "$@" | lab_write "$LAB_STATE/site.conf"; e2e_publish >/dev/null; }

# ---- good ----

is "$(number .selftest)" null "before the first one nothing is said of it"
selftest 0 "the first one, which publishes its rules"
like "$out" "good: 11 kinds are blocked, and a plain request took * ms" "it says so"
generation=$(number .generation.number)
canaries=$(number .counters.canaries)
selftest 0 "the next one" --json
is "$(jq -c '[.good, .bad, (.kinds | length), all(.kinds[]; .good)]' <<<"$out")" '[true,"",12,true]' "twelve kinds of requests, all as they should be"
is "$(number .generation.number)" "$generation" "it publishes nothing"
is "$(($(number .counters.canaries) - canaries))" 11 "what was blocked is counted"
is "$(number '[.counters.blocked, .counters.killed, .counters.marked]')" "[0,0,0]" "and not among what users met"
is "$(events)" 0 "no event was written"
is "$(firebreak kills --json 2>/dev/null | jq -s 'map(select(type == "object")) | length')" 0 "no kill is remembered" "$(firebreak kills 2>&1)"
is "$(fetch http://www.bad-host.test/ | cut -d' ' -f1) $(events)" "403 1" "what users meet is an event"
is "$(firebreak export dstdomain 2>/dev/null | grep -v '^#')" .bad-host.test "no canary is exported"
like "$(firebreak export dstdomain --source canary 2>/dev/null)" "*host.firebreak-canary.invalid*" "but by name"
firebreak hunt --since "$((generation - 1))" --log "$LAB_STATE/log/access.log" 2>/dev/null | grep -q canary
is $? 1 "nor does anybody hunt them"
like "$(firebreak status)" $'*\nSelftest    good, * ago\n*' "status says when it was good"
like "$(firebreak metrics)" $'*\nfirebreak_selftest_good 1\n*' "so do the metrics"
[ ! -e "$LAB_STATE/log/selftest.log" ]; ok $? "and nobody has to read a line of it"

# ---- a kind at a time ----

proxy=127.0.0.1:$unasked
selftest 1 "a port whose answers nobody asks about"
like "$out" "ALARM: not as it should be: held, cut, md5, name, gzip, zip, range (*NOT blocked*adaptation_access*" "it names all kinds of files, and what to look for"
like "$(firebreak status)" $'*\nSelftest    *** FAILED * ago: held, cut, md5, name, gzip, zip, range \*\*\*\n*last good * ago\n*' "status is loud"
firebreak status >/dev/null 2>&1
is $? 1 "and answers 1"
like "$(firebreak metrics)" $'*\nfirebreak_selftest_good 0\n*' "the metrics tell"
like "$(cat "$LAB_STATE/log/selftest.log")" "* selftest FAILED: held, cut, md5, name, gzip, zip, range" "the change is a line in the log folder"
selftest 1 "the same again"
is "$(wc -l <"$LAB_STATE/log/selftest.log")" 1 "which is no change"
selftest 2 "for a monitor" --nagios
like "$out" "FIREBREAK CRITICAL - selftest: not as it should be: held, cut, md5, name, gzip, zip, range | blocked=4 bad=7 plain=*" "in one line"
selftest 0 "who does not block files leaves them out" --without held,cut,md5,name,gzip,zip,range
proxy=127.0.0.1:$tunnels
bad_is connect "where CONNECT goes on"
proxy=${LAB_PROXY#http://}
site "RangePolicy pass"
bad_is range "where parts go on"
site "UnpackTypes text"
bad_is zip "where no archive is opened"
rm -f "$LAB_STATE/site.conf"
e2e_publish >/dev/null
selftest 0 "all as it was"
is "$(tail -n 1 "$LAB_STATE/log/selftest.log" | cut -d' ' -f3-)" "selftest good" "that is a line, too"

# ---- slow; nothing blocks; not asked ----

out=$(firebreak selftest --proxy "$proxy" --limit 0 --nagios 2>&1)
is $? 1 "whatever is slower than the limit is a warning"
like "$out" "FIREBREAK WARNING - selftest: not as it should be: slow | blocked=11 bad=0 *" "and called slow"
firebreak mode observe --reason test >/dev/null 2>&1
bad_is mode "nothing is asked for in a mode that blocks nothing"
is "$(events)" 1 "which would be events"
firebreak mode enforce --reason test >/dev/null 2>&1
proxy=127.0.0.1:1
selftest 1 "a proxy that is not there"
like "$out" "*nobody answered there*" "is told"
selftest 2 "a kind that does not exist" --without everything
echo "block host .mine.test" | lab_write "$LAB_STATE/sources/canary.rules"
selftest 2 "a source of somebody's of this name"
is "$(cat "$LAB_STATE/sources/canary.rules")" "block host .mine.test" "stays his"
e2e_done
