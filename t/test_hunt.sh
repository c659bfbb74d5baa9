#!/usr/bin/env bash
# firebreak hunt: who met a rule before it was there.  TAP.
set -u
. "${top_srcdir:-.}/t/verb.sh"
top=$(realpath "${top_srcdir:-.}")
export FIREBREAK_LISTS=$top/etc
mkdir -p "$state/sources"
log=$work/access.log
lines() { is "$1" "$(grep -c . <<<"$out")" "$2"; }
md5=9abc553703f4e4fedb3ed975502a2c7a

fb 0 "help" hunt --help
fb 2 "of what" hunt --log x
echo 'block host .old.example id=old' >"$state/sources/local.rules"
fb 0 "publish" publish
printf '%s\n' 'block host .new.example id=host' 'block url www.shop.example/cart/ id=url' "block file 90112:md5:$md5 id=file" \
	'block file *:name:lure*.exe id=name' 'allow host files.new.example id=allow' >"$state/sources/second.rules"
fb 0 "publish more" publish
line() { printf '1795000000.000 12 %s TCP_MISS/200 %s %s %s %s HIER_DIRECT/192.0.2.9 text/html\n' "$1" "$2" "$3" "$4" "${5:--}"; }
{
	line 192.0.2.7 1234 GET 'http://www.new.example/a?user=secret' alice
	line 192.0.2.8 99 CONNECT mail.new.example:443 bob
	line 192.0.2.8 99 GET http://www.shop.example/cart/1
	line 192.0.2.9 90400 GET http://cdn.example/patch.exe carol
	line 192.0.2.9 90112 GET http://cdn.example/too-short
	line 192.0.2.9 99112 GET http://cdn.example/too-long
	line 192.0.2.9 500 GET http://cdn.example/lure7.exe
	line 192.0.2.9 500 GET http://files.new.example/x
	line 192.0.2.9 500 GET http://www.old.example/
	line 192.0.2.9 500 GET http://fine.example/
} >"$log"

fb 1 "a source" hunt second --log "$log"
lines "all who met it" 6
has "time, client, user, rule, size, URL" "2026-11-18T11:06:40.000Z  192.0.2.7  alice  second:host  request  1234  http://www.new.example/a?-" "$out"
has "a tunnel" "bob  second:host  request  99  mail.new.example:443" "$out"
has "a file by its size" "carol  second:file  size only  90400  http://cdn.example/patch.exe" "$out"
has "by its name" "second:name  name  500  http://cdn.example/lure7.exe" "$out"
has "also who was let through by another rule" "http://files.new.example/x" "$out"
fb 1 "a rule" hunt second:url --log "$log"
lines "that one alone" 1
fb 0 "an allow rule" hunt second:allow --log "$log"
has "is nothing to be met" "nobody has met it" "$out"
fb 1 "what is new" hunt --since 1 --log "$log"
lines "is the second source" 6
hasnot "and not the first" old.example "$out"
fb 0 "nothing is newer" hunt --since 2 --log "$log"
fb 2 "no such generation" hunt --since 77 --log "$log"
fb 0 "of the last day" hunt second --days 1 --log "$log"
sed 's/^[^ ]* *[^ ]* \([^ ]*\) [^ ]* \([^ ]*\) [^ ]* \([^ ]*\) .*/\1|\3|\2|288/' "$log" >"$work/own"
fb 1 "with the head's size" hunt second:file --format '%>a|%ru|%<st|%<sh' --log "$work/own"
has "the file's is exact" "second:file  size  90112  http://cdn.example/patch.exe" "$out"
lines "and nothing else is near" 1
fb 1 "as JSON" hunt second:file --json --log "$log"
is "an object" "$out" '{"time":"2026-11-18T11:06:40.000Z","rule":"second:file","by":"size only","client":"192.0.2.9","user":"carol","url":"http://cdn.example/patch.exe","size":90400}'

# ---- the event log ----
printf '{"@timestamp":"2026-11-23T07:20:24.332Z","event":{"id":"1M83ME10C4HM007J","action":"blocked","reason":"host"},"rule":{"id":"second:host","version":1,"ruleset":"second"},"client":{"ip":"192.0.2.77"},"url":{"original":"http://www.new.example/","domain":"www.new.example"}}\n' >"$state/events.jsonl"
fb 1 "events alone" hunt second:host
has "an event" "192.0.2.77" "$out"
lines "one" 1
fb 1 "by the source" hunt second --json
is "an object" "$(jq -r '[.by, .incident, .action, .client] | join(" ")' <<<"$out")" "event 1M83ME10C4HM007J blocked 192.0.2.77"
fb 1 "both" hunt second:host --log "$log"
lines "are told" 4

# ---- purging: what can be asked for (t/e2e/access_log.sh has a Squid) ----
fb 2 "no port" hunt second:host --log "$log" --purge localhost
has "it says so" "HOST:PORT is expected" "$err"
fb 2 "no log" hunt second:host --purge 127.0.0.1:1
{ line 192.0.2.7 1 GET 'http://www.new.example/cut?'; line 192.0.2.7 1 GET 'http://www.new.example/a	b'; } >"$work/odd"
fb 2 "what the log does not have whole" hunt second:host --log "$work/odd" --purge 127.0.0.1:1
has "cannot be purged" "cannot be purged, as the log does not have the whole URL" "$err"
tap_done
