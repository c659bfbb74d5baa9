#!/usr/bin/env bash
# What Squid has cached, and live streams.  TAP.
. "${top_srcdir:-.}/t/e2e/tap.sh"

e2e_init cache
plain=$("$LAB_LIVE/origin" --ports 4 "$LAB_PORT_BASE" | tail -n 1)
LAB_SQUID_PORTS="http_port 127.0.0.1:$plain name=plain"
LAB_SQUID_EXEMPT="acl fb_plain myportname plain
adaptation_access fb_req deny fb_plain
adaptation_access fb_resp deny fb_plain"
e2e_rules "block host .bad-host.test"
e2e_publish >/dev/null
e2e_start
url=http://files.firebreak.test:$LAB_ORIGIN_PORT/bytes
last_code() { sleep 0.2; tail -n 1 "$LAB_STATE/log/access.log" | awk '{ print $4 }'; }

# Bodies of unknown and of known length, short and long.
bodies=("n=30000&seed=1&cache=600" "n=150000&seed=2&cache=600" "n=150001&seed=3&cache=600&chunked=1")
other="n=40000&seed=4&cache=600"
for what in "${bodies[@]}" "$other"; do
	n=${what#n=} n=${n%%&*}
	is "$(fetch_whole "$n" "$url?$what")" "200 $n 0" "$what arrives"
	is "$(fetch "$url?$what")" "200 $n 0" "and again"
	like "$(last_code)" "*HIT/200" "this time out of the cache"
done
e2e_rules "block file 30000:md5:$(body_md5 30000 1) id=a" "block file 150000:md5:$(body_md5 150000 2) id=b" \
	"block file 150001:md5:$(body_md5 150001 3) id=c"
like "$(e2e_publish)" "*live in all*" "the files are listed by now"
for what in "${bodies[@]}"; do
	n=${what#n=} n=${n%%&*}
	read -r status size code < <(fetch "$url?$what")
	[ "$status" = 403 ] || { [ "$size" -lt "$n" ] && [ "$code" -ne 0 ]; }
	ok $? "the cached copy of $what is not served" "status $status, $size bytes, curl's exit $code"
	read -r status size code < <(fetch "$url?$what")
	[ "$status" = 403 ] || { [ "$size" -lt "$n" ] && [ "$code" -ne 0 ]; }
	ok $? "nor at the second try" "status $status, $size bytes, curl's exit $code"
done
is "$(fetch "$url?$other")" "200 40000 0" "another cached object arrives"
like "$(last_code)" "*HIT/200" "and is still a hit"

# 20 bytes a second: through the service, and by the port that Squid exempts.
stream="$url?n=120&seed=5&sse=1&rate=20"
times() { curl -sN -o /dev/null --max-time 30 -H 'Accept: text/event-stream' -w '%{time_starttransfer} %{time_total}' -x "$1" "$stream"; }
read -r first_alone total_alone < <(times "http://127.0.0.1:$plain")
read -r first total < <(times "$LAB_PROXY")
echo "# a stream of 120 bytes at 20 a second: Squid alone $first_alone s to the first byte, $total_alone s in all; with the service $first s, $total s"
awk -v a="$total_alone" -v b="$total" 'BEGIN { exit !(a > 4 && b <= 1.2 * a) }'
ok $? "a stream takes at most 1.2 times what Squid alone takes" "$total_alone s and $total s"
awk -v a="$first_alone" -v b="$first" 'BEGIN { exit !(b <= a + 1) }'
ok $? "and its first byte comes as early" "$first_alone s and $first s"
e2e_done
