#!/usr/bin/env bash
# A call to the helpdesk, from the page to the retry: two people, two Chromiums, a real Squid that knows who they are.  TAP.
. "${top_srcdir:-.}/t/e2e/tap.sh"
. "$src/t/e2e/browser.sh"
browser_missing && skip_all "chromium, jq or python3 is missing"
[ -x /usr/lib/squid/basic_ncsa_auth ] || skip_all "basic_ncsa_auth, which Squid knows its users by, is missing"
command -v openssl >/dev/null || skip_all "openssl, which makes their passwords, is missing"
[ -n "$("$build/firebreak" --help | grep '^  console ')" ] || skip_all "it was built without the console"

e2e_init phone
for user in alice bob; do echo "$user:$(openssl passwd -apr1 "secret of $user")"; done | lab_write "$LAB_LIVE/passwords"
# Who is not known is asked; the lab's own first request is let through.
LAB_SQUID_PORTS="auth_param basic program /usr/lib/squid/basic_ncsa_auth $LAB_LIVE/passwords
auth_param basic realm proxy
acl fb_ready urlpath_regex ^/ready\$
acl fb_users proxy_auth REQUIRED
http_access deny !fb_ready !fb_users"
printf '%s\n' "Contact extension 4242" "MistakeLink mailto:helpdesk@example.com?subject={incident}" | lab_write "$LAB_STATE/site.conf"
e2e_rules "block host files.firebreak.test id=site"
lab_as mkdir "$LAB_STATE/pages"
for file in "$src"/etc/pages/*; do lab_write "$LAB_STATE/pages/${file##*/}" <"$file"; done
e2e_publish >/dev/null; is $? 0 "published, with the site's own pages"
e2e_start
site=http://files.firebreak.test:$LAB_ORIGIN_PORT/hello
as() { fetch "$site" -H "Accept: text/html" --proxy-user "$1:secret of $1"; }
picture() {	# picture PERSON NAME: for people to look at
	local width scheme
	[ -n "${FIREBREAK_SCREENSHOTS:-}" ] && mkdir -p "$FIREBREAK_SCREENSHOTS" || return 0
	for width in 390 1280; do
		for scheme in light dark; do
			browser_look "$1" $width $scheme && browser_picture "$1" "$FIREBREAK_SCREENSHOTS/$2-$width-$scheme.png"
		done
	done
}

# ---- the user ----
browser_start alice alice "secret of alice" -- --proxy-server="127.0.0.1:$LAB_SQUID_PORT" --lang=it --accept-lang=it ||
	{ cat "$lab_top/browser-alice/log" "$lab_top/browser-alice/data.log"; echo "Bail out! chromium does not start"; exit 1; }
browser_open alice "$site"; ok $? "alice opens a page that is listed"
like "$(browser_js alice document.title)" "Bloccato per la vostra sicurezza" "she is told so in her language"
is "$(browser_js alice 'document.documentElement.lang')" it "which the page says it is in"
is "$(browser_js alice 'document.querySelectorAll("script,iframe,object,link").length + performance.getEntriesByType("resource").length')" 0 \
	"the page runs nothing and fetches nothing"
is "$(browser_js alice 'document.documentElement.scrollWidth <= innerWidth')" true "it is no wider than her window"
text=$(browser_js alice document.body.innerText)
like "$text" "*extension 4242*" "it says whom to call"
number=$(grep -oE '[0-9A-Z]{4}(-[0-9A-Z]{4}){3}' <<<"$text" | head -n 1)
like "$number" "????-????-????-????" "and has a number"
is "$(browser_js alice 'document.querySelector("a[href^=mailto]").getAttribute("href")')" "mailto:helpdesk@example.com?subject=$number" \
	"which the mistake link has, too"
picture alice block

# ---- what comes over the phone: groups, small letters, O for 0 and l for 1 ----
heard=$(tr 'A-Z01-' 'a-zol ' <<<"$number")
[ "$heard" != "$number" ]; ok $? "she reads it out: $heard"

# ---- the helpdesk ----
password='correct horse battery staple'
printf '%s\n' "$password" | firebreak console --users "$LAB_STATE/users" --add-user ann --role decide >/dev/null 2>&1; ok $? "ann is of the helpdesk"
LAB_PRELOAD='' lab_spawn console env FIREBREAK_LISTS="$FIREBREAK_LISTS" "$LAB_LIVE/firebreak" --state "$LAB_STATE" console --listen 127.0.0.1:0 \
	--users "$LAB_STATE/users"
lab_wait_for "the console" grep -q ^http "$LAB_STATE/log/console.out"
console=$(sed -n 's,/*$,,; /^http/p' "$LAB_STATE/log/console.out" | head -n 1)
browser_start ann -- --no-proxy-server; ok $? "ann opens her browser"
browser_open ann "$console/"
browser_type ann '[name=name]' ann
browser_type ann '[name=password]' "$password"
browser_enter ann; ok $? "and logs in"
browser_type ann 'form[role=search] [name=q]' "$heard"
browser_enter ann; ok $? "she types what she hears into the search box"
like "$(browser_js ann location.href)" "*/incident[?]id=${number//-/}" "and is at the incident"
text=$(browser_js ann document.body.innerText)
for part in "$number" local:site files.firebreak.test alice "$site"; do
	like "$text" "*$part*" "it names $part"
done
picture ann incident
like "$(as alice)" "403 * 0" "alice is still refused"
browser_type ann '#days' 7
browser_type ann '#reason' "ticket 4711: she maintains it <b>"
browser_press ann 'form[action="/except"] button'; ok $? "she lets alice through for 7 days, and says why"
like "$(browser_js ann location.href)" "*/incident[?]id=${number//-/}&done=live" "it is live"
like "$(browser_js ann document.body.innerText)" "*ticket 4711: she maintains it <b>*" "and shown at the incident"
picture ann excepted

# ---- the retry ----
browser_open alice "$site"
like "$(browser_js alice document.body.innerText)" "*This page comes from the origin.*" "alice tries again: there is the page"
like "$(as alice)" "200 * 0" "she may from any browser"
like "$(as bob)" "403 * 0" "bob may not"
grep -qE '[0-9A-Z]{4}(-[0-9A-Z]{4}){3}' "$lab_top/body"; ok $? "it is the block page that he gets, not a word of Squid's"
is "$(event '.user.name, .event.action, .rule.id')" "bob blocked local:site" "as the event says"
like "$(fetch "http://good.firebreak.test:$LAB_ORIGIN_PORT/hello" --proxy-user "bob:secret of bob")" "200 * 0" "bob gets what is not listed"

# ---- the record ----
list=$(firebreak exception list --json)
is "$(jq -r '.[] | "\(.state) \(.note)"' <<<"$list")" "holds ticket 4711: she maintains it <b>" "one exception holds, with its reason" "$list"
like "$(firebreak exception list)" "*user=alice*" "for alice"
like "$(cat "$LAB_STATE/log/exceptions.log")" "*console=ann add *local:site user=alice host=files.firebreak.test*" "and the log says who made it"
life=$(($(date -d "$(grep -o 'expires=[^ ]*' "$LAB_STATE/sources/exceptions.rules" | cut -d= -f2)" +%s) - $(date +%s)))
[ $life -gt $((7 * 86400 - 600)) ] && [ $life -le $((7 * 86400)) ]; ok $? "it ends in 7 days" "$life s"
browser_end alice
browser_end ann
e2e_done
