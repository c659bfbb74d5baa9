#!/usr/bin/env bash
# A user reads out the number on his page; the helpdesk finds it, understands it, and lets him through: through a real Squid.  TAP.
. "${top_srcdir:-.}/t/e2e/tap.sh"

e2e_init helpdesk
# A second client, whom Squid lets ask as well: what refuses him below is ours.
LAB_SQUID_PORTS="acl fb_other src 127.0.0.2/32
http_access allow fb_other"
small=$(body_md5 20000 7)
e2e_rules "block host files.firebreak.test id=site" "block file 20000:md5:$small id=file name=small.exe"
e2e_publish >/dev/null
e2e_start
site=http://files.firebreak.test:$LAB_ORIGIN_PORT good=http://good.firebreak.test:$LAB_ORIGIN_PORT
file="$good/bytes?n=20000&seed=7&cache=600"
other=(--interface 127.0.0.2)	# another client
page=(-H "Accept: text/html")
number() { grep -oE '[0-9A-Z]{4}(-[0-9A-Z]{4}){3}' "$lab_top/body" | head -n 1; }

# A site.
like "$(fetch "$site/hello" "${page[@]}")" "403 * 0" "a listed site is refused"
id=$(number)
why=$(firebreak why "$id")
like "$why" "*local:site*files.firebreak.test*" "the number on the page leads to rule and host"
like "$why" "*127.0.0.1*" "and to who it was"
out=$(firebreak exception add --incident "$id" --for 7d --reason "ticket 4711" 2>&1)
ok $? "an exception is made from it" "$out"
like "$out" "*1:local:site client=127.0.0.1 host=files.firebreak.test*" "for that rule, client and host"
like "$(fetch "$site/hello" "${page[@]}")" "200 * 0" "his next try works"
like "$(fetch "$good/hello" "${other[@]}")" "200 * 0" "another client may ask for what is not listed"
like "$(fetch "$site/hello" "${page[@]}" "${other[@]}")" "403 * 0" "and for this he may not"
is "$(event '.client.ip, .event.action, .rule.id')" "127.0.0.2 blocked local:site" "as the event says"

# A file, which Squid may keep.
like "$(fetch "$file")" "403 * 0" "a listed file is refused"
out=$(firebreak exception add --incident "$(number)" --reason "ticket 4712" 2>&1)
ok $? "an exception for it" "$out"
like "$(fetch "$file")" "200 20000 0" "he gets it"
like "$(fetch "$file")" "200 20000 0" "as often as he likes"
like "$(fetch "$file" "${other[@]}")" "403 * 0" "another client does not get the copy that Squid may have kept"
is "$(event '.client.ip, .rule.id')" "127.0.0.2 local:file" "as the event says"
like "$(fetch "$file")" "200 20000 0" "and he still does"

# What comes to an end.
like "$(firebreak exception list)" "*holds*ticket 4712*" "the list has them, with their reasons"
e2e_rules "block host files.firebreak.test id=site rev=2" "block file 20000:md5:$small id=file name=small.exe"
e2e_publish >/dev/null
like "$(fetch "$site/hello" "${page[@]}")" "403 * 0" "the rule has another revision: the exception has lapsed"
like "$(firebreak exception list)" "*lapsed*" "as the list says"
file_id=$(firebreak exception list --json | jq -r '.[] | select(.note == "ticket 4712") | .id')
out=$(firebreak exception remove "$file_id" 2>&1)
ok $? "one is taken back" "$out"
like "$(fetch "$file")" "403 * 0" "and the file is refused again, whatever Squid has kept"
is "$(grep -c . "$LAB_STATE/log/exceptions.log")" 3 "each change is in the log"

# A download that was cut: what is remembered of it acts by the rules of the moment, by whichever digest they go.
big="$good/bytes?n=200000&seed=9"
sha256=$("$LAB_LIVE/origin" --body 200000 9 | sha256sum | cut -d' ' -f1)
out=$(firebreak block "$(body_md5 200000 9):200000" 2>&1)
ok $? "a long file is listed" "$out"
like "$(fetch "$big")" "200 * 18" "it is cut"
like "$(fetch "$big")" "403 * 0" "and the next try gets the page"
out=$(firebreak allow "sha256:$sha256" 2>&1)
ok $? "it is allowed by another digest" "$out"
is "$(fetch "$big")" "200 200000 0" "he gets it at once"
out=$(firebreak allow --remove "sha256:$sha256" 2>&1)
like "$(fetch "$big")" "403 * 0" "the allow is taken back: the page" "$out"
out=$(firebreak unblock "$(body_md5 200000 9):200000" 2>&1)
ok $? "so is the block" "$out"
is "$(fetch "$big")" "200 200000 0" "and everybody gets it"
e2e_done
