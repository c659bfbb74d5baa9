#!/usr/bin/env bash
# firebreak doctor beside a real Squid and c-icap, of which neither runs: what it sees in the state folder, and what its lines are to
# Squid's own parser.  TAP.
set -u
. "${top_srcdir:-.}/t/verb.sh"
top=$(cd "${top_srcdir:-.}" && pwd)
PATH=$PATH:/usr/sbin
squid=$(command -v squid) && cicap=$(command -v c-icap) || {
	skip "the doctor" "squid or c-icap is missing"
	tap_done
	exit
}
mkdir -p "$work/cache/00"
sleep 0.05
mkdir -p "$state"/{sources,update}
conf=$work/squid.conf
squid_conf() { printf '%s\n' "http_port 127.0.0.1:1" "visible_hostname test" "$@" >"$conf"; }
printf '%s\n' "Port 127.0.0.1:1" "User $(id -un)" >"$work/c-icap.conf"
# doctor NAME ARGUMENT...: there is always something to be found, as nothing runs.
doctor() { fb 1 "$1" doctor --squid "$squid" --squid-conf "$conf" --c-icap "$cicap" --c-icap-conf "$work/c-icap.conf" "${@:2}"; }
finds() { has "$1" "[$2]" "$out"; }		# finds NAME ID
not() { hasnot "$1" "[$2]" "$out"; }
moment() { date -u -d "$1" +%Y-%m-%dT%H:%M:%SZ; }

# ---- sources ----
squid_conf
doctor "without sources"
for id in sources-ended sources-stale sources-failing pull log-link old-cache quic alt-svc page-cut; do not "there is no $id" "$id"; done
finds "that nothing runs is found" cicap-down
remember() { printf '%s\n' "firebreak-feed 1" "tried $(moment '5 minutes ago')" "good $(moment "$2")" "failures $3" ${4:+"why $4"} >"$state/update/$1"; }
for name in ended stale silent failing good never; do
	echo "$name origin=http://127.0.0.1:1/$name format=hosts every=1h expires=10h"
done >"$state/sources.conf"
touch "$state/sources"/{stale,silent,failing,good}.feed
touch -d '11 hours ago' "$state/sources/ended.feed"
remember ended '11 hours ago' 20 "no answer"
remember stale '3 hours ago' 3 "no answer"
remember silent '5 hours ago' 0
remember failing '10 minutes ago' 1 "no answer"
remember good '10 minutes ago' 0
doctor "sources"
has "what has ended is named" "nothing of them is blocked: ended [sources-ended]" "$out"
has "what is stale is" "for too long: stale, silent, never [sources-stale]" "$out"
has "what fails is" "not old yet: failing [sources-failing]" "$out"
doctor "for programs" --json
has "they have the names" '"names":"stale, silent, never"' "$(tr -d ' \n' <<<"$out" | sed 's/,silent,never/, silent, never/')"
out=$("$firebreak" --state "$state" doctor --nagios --squid "$squid" --squid-conf "$conf" --c-icap "$cicap" --c-icap-conf "$work/c-icap.conf")
is "a monitor is told by its status" $? 2
has "and in a line" "sources-ended, sources-stale" "$out"
hasnot "which has no notes" "sources-failing" "$out"
rm "$state/sources.conf"

# ---- the log ----
touch "$work/log"
ln -s "$work/log" "$state/events.jsonl"
doctor "a log that is a link"
finds "is told" log-link
rm "$state/events.jsonl"
touch "$state/events.jsonl"
doctor "one that is none"
not "is not" log-link

# ---- a cache that was there before ----
squid_conf "cache_dir ufs $work/cache 10 1 1"
if [ "$(stat -c %W "$work/cache/00")" -gt 0 ]; then
	doctor "a cache on disk"
	finds "that is older is found" old-cache
	rm -r "$work/cache/00"
	sleep 0.05
	mkdir "$work/cache/00"
	doctor "one that was emptied"
	not "is not" old-cache
else
	skip "a cache on disk" "this file system does not know when a file was made"
fi

# ---- lines to paste, as the manual has them ----
man=$top/doc/firebreak-doctor.1
mapfile -t hits < <(sed -n '/^acl fb_attach/,/^send_hit deny !fb_passive/p' "$man")
mapfile -t quic < <(sed -n 's/^\.Dl \(reply_header_access .*\)/\1/p' "$man")
is "they are there" "${#hits[@]} ${#quic[@]}" "4 1"
squid_conf "http_port 127.0.0.1:2 intercept"
doctor "a port that intercepts"
finds "is told of QUIC" quic
has "with the line" "${quic[0]}" "$out"
squid_conf "http_port 127.0.0.1:2 intercept" "${quic[@]}" "${hits[@]}"
doctor "with all lines"
not "nothing is said of it" quic
not "and Squid reads them" squid-parse
squid_conf "${quic[0]} nonsense-acl"
doctor "which it would say"
finds "if it did not" squid-parse
tap_done
