#!/usr/bin/env bash
# A warning, and going on after it, seen through a real Squid with curl.  TAP.
LAB_HERE="good.firebreak.test betterbricks-com.firebreak.test other.betterbricks-com.firebreak.test"
. "${top_srcdir:-.}/t/e2e/tap.sh"

e2e_init warn
printf '%s\n' "OwnDomains betterbricks.com" "LookalikeE4 warn" "WarnFor 60s" | lab_write "$LAB_STATE/site.conf"
e2e_publish >/dev/null
e2e_start
doubtful=http://betterbricks-com.firebreak.test:$LAB_ORIGIN_PORT other=http://other.betterbricks-com.firebreak.test:$LAB_ORIGIN_PORT
page=(-H "Accept: text/html,*/*;q=0.8")
action() { sed -n 's/.*<form method="post" action="\([^"]*\)".*/\1/p' "$lab_top/body" | sed 's/&amp;/\&/g'; }	# where the page leads

like "$(fetch "$doubtful/hello" -H "Accept: */*")" "200 * 0" "a program passes"
is "$(event '.event.action, .event.reason')" "would_block lookalike" "and it is logged"
like "$(fetch "$doubtful/hello?a=1&b=%2F" "${page[@]}")" "403 * 0" "a person is warned"
is "$(event '.event.action, .event.reason')" "warned lookalike" "as the event says"
grep -q "betterbricks.com" "$lab_top/body"; ok $? "the page names what it looks like"
grep -qi "frame-ancestors 'none'" "$lab_top/head"; ok $? "nobody can put the page into a frame and have it clicked"
to=$(action)
like "$to" "/.well-known/firebreak-continue[?]t=*" "and it has a way on"
like "$(fetch "$doubtful$to" "${page[@]}")" "403 * 0" "which only the form takes, not a link"
like "$(fetch "$other$to" -X POST "${page[@]}")" "403 * 0" "and for that host alone"
like "$(fetch "$doubtful${to/t=?/t=0}" -X POST "${page[@]}")" "403 * 0" "an older token is none"
like "$(fetch "$doubtful/hello" "${page[@]}")" "403 * 0" "so far nobody has gone on"
# From here on with the site's own page.
lab_as mkdir "$LAB_STATE/pages"
sed 's/<main>/<main>our own page/; s/{{continue_form}}//' "$src/etc/pages/warn.html" | lab_write "$LAB_STATE/pages/warn.html"
like "$(e2e_publish)" "*warn.html:*error: {{continue_form}} is missing*" "a page without a way on is not published"
sed 's/<main>/<main>our own page/' "$src/etc/pages/warn.html" | lab_write "$LAB_STATE/pages/warn.html"
e2e_publish >/dev/null; is $? 0 "one with it is"
like "$(fetch "$doubtful/hello?a=1&b=%2F" "${page[@]}")" "403 * 0" "and he is warned"
grep -q "our own page" "$lab_top/body"; ok $? "by that page"
is "$(sed -n 's/^Content-Length: *\([0-9]*\).*/\1/Ip' "$lab_top/head")" "$(wc -c <"$lab_top/body")" "whose length is exact"
to=$(action)
like "$(fetch "$doubtful$to" -X POST "${page[@]}")" "303 0 0" "who goes on"
is "$(tr -d '\r' <"$lab_top/head" | sed -n 's/^Location: //Ip')" "/hello?a=1&b=%2F" "is sent to where he was"
is "$(event '.event.action, .event.reason')" "continued lookalike" "and it is logged"
before=$(events)
like "$(fetch "$doubtful/hello?a=1&b=%2F" "${page[@]}")" "200 * 0" "he gets the page now"
is "$(events)" "$before" "in silence"
like "$(fetch "$doubtful$to" -X POST "${page[@]}")" "303 0 0" "who presses twice is sent back as well"
is "$(event '.event.action')" "continued" "and the site does not see the token"
like "$(fetch "$other/hello" "${page[@]}")" "403 * 0" "another host is another question"
like "$(fetch "$doubtful/.well-known/firebreak-continue?t=x&to=%2F%2Fevil.test" -X POST "${page[@]}")" "200 * 0" \
	"once he may go on, such a path is the site's own"
to=$(fetch "$other/" "${page[@]}" >/dev/null; action)
like "$(fetch "$other${to%%&to=*}&to=%2F%2Fevil.test%2F" -X POST "${page[@]}")" "303 0 0" "going on with another target"
is "$(tr -d '\r' <"$lab_top/head" | sed -n 's/^Location: //Ip')" "/" "does not lead to another host"
e2e_done
