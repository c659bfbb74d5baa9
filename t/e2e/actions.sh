#!/usr/bin/env bash
# Each action, seen through a real Squid with curl.  TAP.
. "${top_srcdir:-.}/t/e2e/tap.sh"

bad=http://www.bad-host.test
e2e_init page
small=$(body_md5 20000 7) long=$(body_md5 200000 7)
e2e_rules "block host .bad-host.test id=host" "block url files.firebreak.test/listed/ id=url" \
	"block file 20000:md5:$small id=small name=small.exe" "block file 200000:md5:$long id=long name=long.exe" \
	"block host low.firebreak.test level=2 id=low"
e2e_publish >/dev/null
e2e_start
files=http://files.firebreak.test:$LAB_ORIGIN_PORT

like "$(fetch "$LAB_ORIGIN/hello")" "200 * 0" "a page that nobody listed arrives"
is "$(events)" 0 "and is no event"

like "$(fetch "$bad/x?secret=1")" "403 * 0" "a listed host is refused"
is "$(event '.event.action, .event.reason, .rule.id, .url.domain, .client.ip')" \
	"blocked host local:host www.bad-host.test 127.0.0.1" "its event names action, reason, rule, host and client"
id=$(event .event.id)
shown=$(sed 's/..../&-/g; s/-$//' <<<"$id")
grep -qF "$shown" "$lab_top/body"
ok $? "the page shows the incident number" "$shown is not in: $(cat "$lab_top/body")"
grep -q secret "$lab_top/body" "$LAB_EVENTS" "$LAB_STATE/log/c-icap.log"
[ $? -ne 0 ]; ok $? "the query is neither shown nor logged"
is "$(grep -i '^content-length:' "$lab_top/head" | tr -dc 0-9)" "$(wc -c <"$lab_top/body")" "the page has its exact length"
why=$(firebreak why "$shown")
ok $? "firebreak why knows the number" "$why"
like "$why" "*local:host*" "and names the rule"
like "$(fetch "$bad/" -I)" "403 0 0" "HEAD of a listed host is refused without a body"
is "$(curl -s -o /dev/null -w '%{http_connect}' -x "$LAB_PROXY" https://www.bad-host.test/)" 403 "CONNECT to a listed host is refused"
is "$(event '.event.action, .http.request.method')" "blocked CONNECT" "as its event says"
is "$(curl -s -o /dev/null -w '%{http_connect}' -p -x "$LAB_PROXY" --max-time 3 "$LAB_ORIGIN/")" 200 "CONNECT elsewhere is opened"

like "$(fetch "$files/listed/x")" "403 * 0" "a listed URL is refused"
is "$(event .event.reason)" url "by its URL rule"
like "$(fetch "$files/other")" "200 * 0" "the host's other pages are not"

like "$(fetch "$files/bytes?n=20000&seed=7")" "403 * 0" "a short listed file becomes the page"
is "$(event '.event.action, .event.reason, .file.size, .file.hash.md5')" "blocked file 20000 $small" "its event has size and digest"
like "$(fetch "$files/bytes?n=20000&seed=7&chunked=1&file=a")" "403 * 0" "also when it comes in chunks"
like "$(fetch "$files/bytes?n=20000&seed=7&close=1&file=b")" "403 * 0" "and when the end of the connection ends it"
is_cut() {	# is_cut FRAMING NAME
	local status size code
	read -r status size code < <(fetch "$files/bytes?n=200000&seed=7&file=kill$1")
	[ "$status" = 200 ] && [ "$size" -lt 200000 ] && [ "$code" -ne 0 ]
	ok $? "$2" "status $status, $size bytes, curl's exit $code"
	is "$(event .event.action)" killed "and its event says so"
}
is_cut "" "a long listed file is cut"
like "$(fetch "$files/bytes?n=200000&seed=7&file=kill")" "403 * 0" "the retry gets the page"
for framing in "&chunked=1" "&close=1"; do
	is_cut "$framing" "a long listed file, ${framing#&}, is cut"
	like "$(fetch "$files/bytes?n=200000&seed=7&file=kill$framing")" "403 * 0" "and the retry, which has no length either, gets the page"
done
read -r status size code < <(fetch "$files/bytes?n=200000&seed=7&cache=60" -r 0-999)
[ "$status" != 206 ] && [ "$size" -lt 200000 ]
ok $? "who asks for a part of it is not given one" "status $status, $size bytes, curl's exit $code"
for what in "n=20000&seed=8" "n=200000&seed=8" "n=199999&seed=7" "n=200001&seed=7" "n=5000000&seed=9&chunked=1" "n=300000&seed=9&close=1" "n=0&seed=1"; do
	n=${what#n=} n=${n%%&*} seed=${what#*seed=} seed=${seed%%&*}
	is "$(fetch_whole "$n" "$files/bytes?$what")" "200 $n 0" "an unlisted body ($what) arrives whole"
	is "$(md5sum <"$lab_top/body" | cut -d' ' -f1)" "$(body_md5 "$n" "$seed")" "and unchanged"
done
head -c 300000 /dev/zero >"$lab_top/upload"
like "$(fetch "$files/upload" --data-binary @"$lab_top/upload")" "200 * 0" "an upload goes through"

before=$(events)
firebreak mode observe --reason test >/dev/null
read -r status _ _ < <(fetch "$bad/")
[ "$status" != 403 ]; ok $? "in observe mode a listed host is not refused" "$status"
is "$(event .event.action)" would_block "but logged"
is "$(fetch "$files/bytes?n=200000&seed=7&file=observe")" "200 200000 0" "and a listed file arrives"
firebreak mode off --reason test >/dev/null
before=$(events)
fetch "$bad/" >/dev/null
is "$(events)" "$before" "switched off, nothing is judged"
firebreak mode enforce --reason test >/dev/null
like "$(fetch "$bad/")" "403 * 0" "switched on again, it is refused again"

fetch "http://low.firebreak.test/" >/dev/null
is "$(event '.event.action, .rule.id')" "would_block local:low" "a rule below the threshold is logged only"

mv "$LAB_EVENTS" "$LAB_EVENTS.away" && lab_as mkdir "$LAB_EVENTS"
like "$(fetch "$bad/lost")" "403 * 0" "an event log that cannot be written stops no decision"
is "$(firebreak status --json | jq '.counters | [.events_lost, .events_late] | join(" ")')" '"0 1"' "its event is kept, and counted"
rmdir "$LAB_EVENTS"
sleep 1.2
fetch "$bad/found" >/dev/null
is "$(jq -r .url.original "$LAB_EVENTS" | sort | tr '\n' ' ')" "$bad/found $bad/lost " "and written as soon as it can be"

# ---- BlockConnect mark ----
LAB_BLOCK_CONNECT=mark
e2e_init mark
e2e_rules "block host .bad-host.test id=host"
e2e_publish >/dev/null
e2e_start
is "$(curl -s -D "$lab_top/head" -o /dev/null -w '%{http_connect}' -x "$LAB_PROXY" https://www.bad-host.test/)" 403 "marked: CONNECT is refused by Squid"
is "$(event '.event.action, .http.request.method')" "marked CONNECT" "marked: the event says so"
exec 3<>"/dev/tcp/127.0.0.1/$LAB_SQUID_PORT"
printf 'CONNECT www.bad-host.test:443 HTTP/1.1\r\nHost: www.bad-host.test:443\r\n\r\n' >&3
page=$(timeout 5 head -c 4000 <&3)
exec 3>&-
like "$page" "*$(event .event.id)*" "marked: Squid's page shows the incident number"
like "$(fetch "$bad/")" "403 * 0" "marked: a plain request gets our page"
is "$(curl -s -o /dev/null -w '%{http_connect}' -p -x "$LAB_PROXY" --max-time 3 "$LAB_ORIGIN/")" 200 "marked: CONNECT elsewhere is opened"
e2e_done
