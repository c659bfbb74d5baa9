#!/usr/bin/env bash
# What a real Squid writes, in many formats at once: each is read as the same requests.  Then who met a new rule, and that purging
# takes it out of the cache.  TAP.
. "${top_srcdir:-.}/t/e2e/tap.sh"

e2e_init access
dump=$build/t/access_dump
formats=(
	'' ''	# Squid's own, by its name and by the lines
	'%ts.%03tu|%-20>a|%12un|%rm|%>ru|%>Hs|%<st|%<sh'
	'"%ts.%03tu" "%>a" "%un" "%rm" "%ru" "%>Hs" "%<st" "%<sh" "%{User-Agent}>h"'
	'%{User-Agent}>h %/{User-Agent}>h [%{User-Agent}>h] %ts.%03tu %>a %un %rm %ru %03>Hs %<st %<sh'
	"%'{Referer}>h^ %\"{User-Agent}>h ^%#{User-Agent}>h %ts.%03tu %>a %un %rm %ru %>Hs %<st %<sh %err_code/%err_detail"
	'{"t":%ts.%03tu,"c":"%>a","user":"%un","m":"%rm","u":"%ru","s":%>Hs,"b":%<st,"h":%<sh,"ua":"%{User-Agent}>h"}'
	'%6tr %-6tr %ts.%03tu %010<sh %<st %03>Hs %rm %ru %>a %Ss:%Sh %un %mt %%'
	'%{%Y-%m-%dT%H:%M:%S%z}tl %>a %un %rm %ru %>Hs %<st %<sh'
	'%{%d %b %Y %H:%M:%S}tg %>a %un %rm %ru %>Hs %<st %<sh'
	'%tl %>a %un %rm %ru %>Hs %<st %<sh'
	'%tg %>a %un %rm %ru %>Hs %<st %<sh %>rs://%>rd:%>rP%>rp'
)
log=$LAB_STATE/log
{
	echo "strip_query_terms off"
	echo "access_log stdio:$log/named.1 squid"
	echo "access_log stdio:$log/named.2 common"
	echo "access_log stdio:$log/named.3 combined"
	for i in "${!formats[@]}"; do
		[ -z "${formats[i]}" ] || printf 'logformat f%d %s\naccess_log stdio:%s f%d\n' "$i" "${formats[i]}" "$log/own.$i" "$i"
	done
} | lab_write "$LAB_LIVE/logs.conf"
LAB_SQUID_EXEMPT="include $LAB_LIVE/logs.conf
acl fb_purge method PURGE
adaptation_access fb_req deny fb_purge"
e2e_rules "block host .bad-host.test"
e2e_publish >/dev/null
e2e_start
base=http://files.firebreak.test:$LAB_ORIGIN_PORT
ask() { curl -s -o /dev/null --max-time 20 -x "$LAB_PROXY" "$@"; }
raw() { printf "$1" >&3; }	# a request as it is

ask "$base/bytes?n=1000&seed=1&cache=600"
ask "$base/bytes?n=1000&seed=1&cache=600"
ask "$base/bytes?n=100000&seed=2&chunked=1" -A 'a "quoted" [agent] \ %41 x'
ask "$base/a%20b/%22x%22/%5c?q=a|b%7c" -A ''
ask "$base/'single'\"double\"" -A "it's"
ask "$base/%C3%A9/$(printf '\303\251')" -A $'tab\there'
ask -I "$base/head"
ask -d x=y "$base/post"
ask -X OPTIONS "$base/options"
ask http://www.bad-host.test/x
ask http://nowhere.test/
ask -p --max-time 2 "https://files.firebreak.test:$LAB_ORIGIN_PORT/"
exec 3<>"/dev/tcp/127.0.0.1/$LAB_SQUID_PORT"; raw 'no request at all\r\n\r\n'; timeout 5 cat <&3 >/dev/null; exec 3>&-
exec 3<>"/dev/tcp/127.0.0.1/$LAB_SQUID_PORT"; raw "GET $base/\\\\\"x HTTP/1.0\\r\\nUser-Agent: \\\\\" 200 1 [\\r\\n\\r\\n"; timeout 5 cat <&3 >/dev/null; exec 3>&-
exec 3<>"/dev/tcp/127.0.0.1/$LAB_SQUID_PORT"; exec 3>&-
sleep 0.5

# The oracle: Squid's own format, by its blanks; times are cut to seconds where a format has no more.
oracle() { awk '{ split($4, s, "/"); print $3, $8, $6, $7, s[2], $1, $5 }' "$log/named.1"; }
entries() { "$dump" "$1" <"$2" | awk -F'\t' '{ print $2, $3, $4, $5, $6, ($7 < 0 ? $7 : sprintf("%.3f", $7 / 1000)), $8 }'; }
n=$(oracle | wc -l)
[ "$n" -ge 14 ]; ok $? "Squid has logged them" "$n lines"
# What may differ: how much of a URL is written as %XX, and whether a status is padded.
plain() { perl -pe 's/%([0-9A-Fa-f]{2})/chr hex $1/ge; s/ 0(?= \d+(\.\d{3})? \d+$)/ 000/'; }
is "$(entries squid "$log/named.1" | plain)" "$(oracle | plain)" "squid"
is "$(entries '' "$log/named.1" | plain)" "$(oracle | plain)" "squid, by its lines"
whole() { sed -E 's/ ([0-9]+)\.[0-9]{3} / \1 /'; }
for name in 2 3; do
	is "$(entries '' "$log/named.$name" | plain | whole)" "$(oracle | plain | whole)" "common and combined, by their lines: $name"
done
for i in "${!formats[@]}"; do
	[ -n "${formats[i]}" ] || continue
	cut=cat
	[[ ${formats[i]} == *%tu* || ${formats[i]} == *%03tu* ]] || cut=whole
	is "$(entries "${formats[i]}" "$log/own.$i" | plain | $cut)" "$(oracle | plain | $cut)" "${formats[i]}"
	is "$("$dump" "${formats[i]}" <"$log/own.$i" | awk -F'\t' '$5 ~ /seed=1/ && $8 - $9 != 1000')" "" "the body's size, without its head"
done

# ---- hunt and purge ----
url="$base/bytes?n=1000&seed=1&cache=600"
last_code() { sleep 0.2; tail -n 1 "$log/named.1" | awk '{ print $4 }'; }
ask "$url"
like "$(last_code)" "*HIT/200" "it is cached"
e2e_rules "block url files.firebreak.test:$LAB_ORIGIN_PORT/bytes id=new" "block file 1000:md5:$(body_md5 1000 1) id=file"
e2e_publish >/dev/null
out=$(firebreak hunt local:file --log "$log/own.2" --format "${formats[2]}" 2>&1)
is "$(grep -c "127.0.0.1  -  local:file  size  1000  $base/bytes?-" <<<"$out")" 3 "who met the file, by its exact size" "$out"
out=$(firebreak hunt local:new --log "$log/named.1" --purge "127.0.0.1:$LAB_SQUID_PORT" 2>&1)
is "$(grep -c "local:new  request" <<<"$out")" 4 "who met the URL" "$out"
is "$(grep -c "^purged  $base/bytes?-" <<<"$out")" 1 "what was cached is purged" "$out"
is "$(grep -c "^was not cached  $base/bytes?-" <<<"$out")" 1 "and what was not, not" "$out"
out=$(firebreak hunt local:new --log "$log/named.1" --purge "127.0.0.1:$LAB_SQUID_PORT" 2>&1)
is "$(grep -c "^was not cached" <<<"$out")" 2 "nothing is left to purge" "$out"
e2e_rules "block host .bad-host.test"
e2e_publish >/dev/null
ask "$url"
like "$(last_code)" "*MISS/200" "and Squid fetches it anew"
out=$(firebreak hunt --since 1 --log "$log/named.1" 2>&1)
like "$out" "*nobody has met it*" "a rule that is gone is not new"
out=$(firebreak hunt .bad-host.test --log "$log/named.1" --purge 127.0.0.1:1 2>&1)
like "$out" "*nobody has met it*" "nobody met what is no rule"
e2e_done
