#!/usr/bin/env bash
# firebreak console as a real Chromium shows it: every page, in every language, light and dark, from 320 pixels on.  What WCAG 2.2 AA
# asks for and a machine can see is looked at; FIREBREAK_SCREENSHOTS=DIR keeps pictures for people.  TAP.
set -u
. "${top_srcdir:-.}/t/console.sh"
command -v python3 >/dev/null || skip_all "python3 is missing"
chromium=$(command -v chromium) || skip_all "chromium is missing"
add ann "$password" decide,reveal
write_events >>"$log"
meet_alert >>"$log"
printf 'block host bad.example id=bad rev=2\n' >"$state/sources/local.rules"
import_alert
"$firebreak" publish >/dev/null 2>&1
"$firebreak" exception add --incident "${ids[0]}" --for 2d --reason 'ticket "4711" & <b>' >/dev/null 2>&1
printf 'block host late.example id=late\n' >"$state/sources/other.rules"
mkfifo "$work/in"
"$build/t/worker" "$state" stale <"$work/in" >"$work/worker" 2>&1 & others+=($!)
exec 9>"$work/in"
for _ in $(seq 100); do [ -s "$work/worker" ] || sleep 0.1; done
printf 'Pseudonyms yes\nRevealSecond yes\n' >"$state/site.conf"
"$firebreak" pseudonyms --new-key >/dev/null 2>&1
"$firebreak" publish >/dev/null 2>&1
"$firebreak" exception add 2:local:bad --user 'DOMAIN\\<b>a-rather-long-name-of-somebody' --for 2d --reason x >/dev/null 2>&1
token=$(grep -o 'user=user-[^ ]*' "$state/sources/exceptions.rules" | tail -n 1 | cut -d= -f2)
masked() { event "$1" blocked 192.0.2.9 x bad.example local:bad http://bad.example/ | sed "s/\"user\":{\"name\":\"x\"}/\"user\":{\"hash\":\"$token\"}/"; }
masked 1M83ME10P4HM00AK >>"$log"
masked 1M83ME10N4HM00AA >>"$log"
add bob "$password" reveal
start
login bob bob "$password"
for id in 1M83ME10P4HM00AK 1M83ME10N4HM00AA; do
	get bob /; get bob /reveal -d "token=$(token_of "$body")&id=$id" --data-urlencode "reason=ticket <b> $(printf '%0200d' 7)"
	is "a request waits" "$status" 303
done
login ann ann "$password"; is "a user logs in" "$status" 303
get ann /reveals; get ann /reveals -d "token=$(token_of "$body")&do=approve&id=$(tail -n 1 "$log" | grep -o '"id":"[^"]*"' | cut -d'"' -f4)"
is "one is approved" "$status" 303
get ann /reveal -d "token=$(token_of "$(curl -s -b "$work/ann" "$base/reveals")")&id=1M83ME10P4HM00AK&reason=own"
"$firebreak" reveal --reason "by hand" 1M83ME10P4HM00AK >/dev/null 2>&1
session=$(awk '/firebreak_session/ { print $7 }' "$work/ann")

names=(search found none incident hostile masked deed reveals today alerts alert sources proxies login missing)
paths=("/" "/?q=.example" "/?q=nobody" "/incident?id=${ids[0]}&done=live" "/incident?id=${ids[2]}" "/incident?id=1M83ME10P4HM00AK"
	"/incident?id=$(grep reveal_approved "$log" | grep -o '"id":"[^"]*"' | cut -d'"' -f4)" "/reveals?done=approved" "/today?day=2026-11-23" /alerts
	"/alert?id=70001" /sources /proxies /login /nowhere)
shots=${FIREBREAK_SCREENSHOTS:-}
[ -z "$shots" ] || mkdir -p "$shots" || exit 2
job() {	# job NAME PATH LANGUAGE WIDTH SCHEME
	local cookie="\"firebreak_session\":\"$session\"" picture=''
	[ "$1" != login ] || cookie=''
	[ -z "$shots" ] || picture=",\"picture\":\"$shots/$1-$3-$4-$5.png\""
	printf '{"name":"%s %s %s %s","url":"%s%s","cookie":{%s},"language":"%s","width":%s,"scheme":"%s","open":true%s}\n' \
		"$1" "$3" "$4" "$5" "$base" "$2" "$cookie" "$3" "$4" "$5" "$picture"
}
# All pages in all languages where room is scarcest; the others, which pictures are wanted of, in those where words are longest.
for i in "${!names[@]}"; do
	for language in en de fr el es; do
		job "${names[i]}" "${paths[i]}" $language 320 light
		[ -n "$shots" ] || [ $language = el ] || continue
		for width in 390 1280; do
			job "${names[i]}" "${paths[i]}" $language $width dark
			[ -z "$shots" ] || job "${names[i]}" "${paths[i]}" $language $width light
		done
	done
done >"$work/jobs"
timeout 600 python3 "${top_srcdir:-.}/t/e2e/browser.py" "$chromium" "$work/chromium" --proxy-server=direct:// \
	<"$work/jobs" >"$work/found" 2>"$work/browser"
is "Chromium looked at every page" "$(wc -l <"$work/found")" "$(wc -l <"$work/jobs")"
ok $? "it said nothing" "$(cat "$work/browser")"
for i in "${!names[@]}"; do
	bad=$(grep "^{\"name\": \"${names[i]} " "$work/found" | grep -v '"wrong": \[\]' | cut -c1-600)
	[ -z "$bad" ]; ok $? "the page ${names[i]}: width, language, headings, labels, tables, targets, contrast, focus" "$bad"
done
is "dark is dark" "$(grep -c '"dark": true' "$work/found")" "$(grep -c '"scheme":"dark"' "$work/jobs")"
for language in en de fr el es; do
	is "$language is what the pages are in" "$(grep " $language [0-9]* [a-z]*\", " "$work/found" | grep -c "\"lang\": \"$language\"")" \
		"$(grep -c "\"language\":\"$language\"" "$work/jobs")"
done

# ---- whom a pseudonym stands for, as somebody is shown it whose request was approved ----
act() { printf '{"do":"%s"%s}\n' "$1" "${2:-}"; }
{
	act look ',"width":"320","scheme":"light"'; act open ",\"url\":\"$base/login\""
	act type ',"selector":"[name=name]","text":"bob"'; act type ",\"selector\":\"[name=password]\",\"text\":\"${password//\"/\\\"}\""
	act press ',"selector":"main button"'; act open ",\"url\":\"$base/incident?id=1M83ME10N4HM00AA\""
	act type ',"selector":"#why","text":"as agreed"'; act press ',"selector":"form[action=\"/reveal\"] button"'
	act check; act js ',"expression":"location.href"'; act js ',"expression":"document.body.innerText"'
	[ -z "$shots" ] || act picture ",\"file\":\"$shots/shown-320.png\""
	act look ',"width":"1280","scheme":"dark"'; [ -z "$shots" ] || act picture ",\"file\":\"$shots/shown-1280.png\""
	act open ",\"url\":\"$base/incident?id=1M83ME10N4HM00AA\""; act js ',"expression":"document.body.innerText"'
} >"$work/jobs"
timeout 100 python3 "${top_srcdir:-.}/t/e2e/browser.py" "$chromium" "$work/bobs" --proxy-server=direct:// <"$work/jobs" >"$work/found" \
	2>"$work/browser"
mapfile -t told < <(grep -v '"value": null' "$work/found")
has "the page with the name: width, language, headings and the rest" '"wrong": []' "${told[0]:-}"
is "its address is without it" "${told[1]:-}" "{\"value\": \"$base/reveal\"}"
has "the name is there" '<b>a-rather-long-name-of-somebody' "${told[2]:-}"
has "afterwards there is the pseudonym" "$token" "${told[3]:-}"
hasnot "and no name" "a-rather-long-name" "${told[3]:-a-rather-long-name}"
stop; is "it ends when it is told to" $? 0
! grep -q 'Sanitizer\|runtime error' "$work/err"; ok $? "nothing went wrong in it" "$(cat "$work/err")"
tap_done
