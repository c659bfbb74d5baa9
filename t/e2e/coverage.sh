#!/usr/bin/env bash
# What was looked at and what was not: firebreak status' coverage, and what Squid lets through without asking.  TAP.
. "${top_srcdir:-.}/t/e2e/tap.sh"

e2e_init coverage
mapfile -t ports < <("$LAB_LIVE/origin" --ports 5 "$LAB_PORT_BASE")
plain=${ports[3]} dead=${ports[4]}
LAB_SQUID_PORTS="http_port 127.0.0.1:$plain name=plain
http_port 127.0.0.1:$dead name=dead
acl forbidden urlpath_regex ^/forbidden
http_access deny forbidden"
# One port is exempt; of another the service is not there, and Squid passes it by.
LAB_SQUID_EXEMPT="acl fb_plain myportname plain
acl fb_dead myportname dead
icap_service fb_gone reqmod_precache icap://127.0.0.1:1/firebreak bypass=on
adaptation_access fb_gone allow fb_dead
adaptation_access fb_req deny fb_plain
adaptation_access fb_resp deny fb_plain
adaptation_access fb_resp deny fb_dead"
e2e_rules "block host .bad-host.test" "allow host files.firebreak.test files=yes"
log=$LAB_STATE/log/unfiltered.log
echo "UnfilteredLog $log" | lab_write "$LAB_STATE/site.conf"
e2e_publish >/dev/null
e2e_start
url=$LAB_ORIGIN/bytes
part() { firebreak status --json 2>/dev/null | jq -c ".coverage.$1"; }
# grew PART N NAME CMD...: by so much, when that is done.
grew() {
	local part=$1 n=$2 name=$3 before
	before=$(part "$part")
	shift 3
	"$@" >/dev/null
	sleep 0.1
	is "$(($(part "$part") - before))" "$n" "$name"
}
through() { curl -s -o /dev/null --max-time 30 -x "http://127.0.0.1:$1" "$2"; }	# through PORT URL
tunnel() { curl -s -o /dev/null --max-time 10 -p -x "$LAB_PROXY" "$1"; }
is "$(part unfiltered)" 0 "nothing went through unasked"
grew requests 2 "requests" fetch "$url?n=10&seed=1" -O "$url?n=10&seed=2" -o /dev/null
grew answered 1 "one that is refused" fetch http://www.bad-host.test/
grew tunnels 1 "one that is a tunnel" tunnel "$url?n=10&seed=3"
grew exempt 1 "one that a rule exempts" fetch "http://files.firebreak.test:$LAB_ORIGIN_PORT/bytes?n=10&seed=4"
fetch "$url?n=30000&seed=5&cache=600" >/dev/null
grew cached 1 "one out of Squid's cache" fetch "$url?n=30000&seed=5&cache=600"
grew unfiltered 1 "one by a port that is exempt" through "$plain" "$url?n=10&seed=6"
grew unfiltered 1 "one by a port whose service is not there" through "$dead" "$url?n=10&seed=7"
grew unfiltered 0 "what Squid refuses itself did not go through" through "$plain" "$LAB_ORIGIN/forbidden"
grew unfiltered 0 "nor did a request that is none" through "$plain" "http:///"
said=$(firebreak status)
like "$said" "*Coverage *%*tunnels *1 *WENT THROUGH UNASKED*$log*" "status says so"
# Yesterday's do not count, and what cannot be read is said.
sed "s/^[0-9]*/$(($(date +%s) - 90000))/" "$log" | lab_write "$log.old"
lab_as mv "$log.old" "$log"
is "$(part unfiltered)" 0 "those of the day before yesterday do not count"
lab_as rm "$log" && lab_as mkdir "$log"
like "$(firebreak status 2>&1 >/dev/null)" "*$log: warning: cannot be read*" "a log that cannot be read is a warning"
like "$(firebreak status 2>/dev/null)" "*unfiltered *not known: UnfilteredLog cannot be read*" "and is no peace"
is "$(part unfiltered)" null "nor a number"
rmdir "$log"
is "$(part unfiltered)" null "and none at all is not known"
e2e_done
