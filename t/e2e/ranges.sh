#!/usr/bin/env bash
# Kills that are remembered, and parts of files, seen through a real Squid with curl.  TAP.
. "${top_srcdir:-.}/t/e2e/tap.sh"

e2e_init ranges
long="block file 200000:md5:$(body_md5 200000 7) id=long name=long.exe"
sizeless="block file *:md5:11111111111111111111111111111111 id=sizeless"
e2e_rules "$long"
# While archives are looked into, files of any length may be meant: that comes last.
printf 'UnpackTypes none\n' | lab_write "$LAB_STATE/site.conf"
e2e_publish >/dev/null
e2e_start
url=http://files.firebreak.test:$LAB_ORIGIN_PORT/bytes
counter() { firebreak status --json | jq ".counters.$1"; }
is_cut() {	# is_cut QUERY NAME
	local status size code
	read -r status size code < <(fetch "$url?$1")
	[ "$status" = 200 ] && [ "$size" -lt 200000 ] && [ "$code" -ne 0 ]
	ok $? "$2" "status $status, $size bytes, curl's exit $code"
}

# ---- kills ----
# The origin's ETag says what the bytes are, whatever else the query has.
listed="n=200000&seed=7&cache=60"
is_cut "$listed&file=a" "a listed file is cut"
like "$(fetch "$url?$listed&file=b")" "403 * 0" "under another query its ETag is known"
is "$(event '.event.reason, .file.size, .rule.id')" "file-again 200000 local:long" "as the event says"
like "$(fetch "$url?$listed&file=c" -r 150000-)" "403 * 0" "so it is when the end alone is asked for"
is "$(event '.event.reason, .http.response.status_code')" "file-again 206" "which came as a part"
is "$(firebreak kills | awk '{ print $2, $4, $6 }' | sort)" \
	"$(printf '%s 200000 200000:md5:%s\n' etag "$(body_md5 200000 7)" url "$(body_md5 200000 7)")" "firebreak kills shows it, by both"
is "$(fetch "$url?n=200000&seed=8&cache=60")" "200 200000 0" "another file of that length and host arrives"
is "$(firebreak kills --clear --all)" "2 kills forgotten" "the kills are forgotten"
is_cut "$listed&file=d" "the next one is cut again"

# ---- parts, while every rule has a size ----
is "$(fetch "$url?n=150000&seed=1&cache=60&file=a" -r 1000-1999)" "206 1000 0" "a part of an unlisted file arrives as a part"
firebreak kills --clear --all >/dev/null
like "$(fetch "$url?$listed&file=e" -r 1000-1999)" "403 * 0" "a part of a listed length is refused"
is "$(event .event.reason)" partial "as a part"
before=$(counter ranges_stripped)
is_cut "$listed&file=e" "the whole is cut"
firebreak kills --clear "$(body_md5 200000 7)" >/dev/null
read -r status size _ < <(fetch "$url?$listed&file=e" -r 1000-1999)
[ "$status" != 206 ] && [ "$size" -lt 200000 ]
ok $? "and who asks for a part again is answered with the whole, which is no better" "status $status, $size bytes"
is "$(counter ranges_stripped)" $((before + 1)) "which is counted"

# ---- with a rule without a size ----
e2e_rules "$long" "$sizeless"
e2e_publish >/dev/null
is "$(fetch "$url?n=150001&seed=1&cache=60" -r 1000-1999)" "200 150001 0" "who asks for a part gets the whole"
is "$(md5sum <"$lab_top/body" | cut -d' ' -f1)" "$(body_md5 150001 1)" "unchanged"
is "$(fetch "$url?n=150002&seed=1&cache=60" -r 0-)" "206 150002 0" "all of it may come as a part"
is "$(fetch "$url?n=150003&seed=1&cache=60&type=video/mp4" -r 1000-1999 -H 'Accept: video/mp4')" "206 1000 0" "a player gets its part"
is "$(fetch "$url?n=150004&seed=1&cache=60&type=video/mp4" -r 1000-1999)" "200 150004 0" "others do not"
printf 'UnpackTypes none\nRangeHosts firebreak.test\n' | lab_write "$LAB_STATE/site.conf"
e2e_publish >/dev/null
is "$(fetch "$url?n=150005&seed=1&cache=60" -r 1000-1999)" "206 1000 0" "a host of RangeHosts gives parts"
printf 'RangePolicy strip\n' | lab_write "$LAB_STATE/site.conf"
e2e_publish >/dev/null
is "$(fetch "$url?n=150006&seed=1&cache=60" -r 0-)" "200 150006 0" "with strip there is only the whole"
printf 'RangePolicy pass\n' | lab_write "$LAB_STATE/site.conf"
e2e_publish >/dev/null
like "$(fetch "$url?$listed&file=f" -r 1000-1999)" "403 * 0" "with pass a part of what was killed is still refused"
firebreak kills --clear --all >/dev/null
is "$(fetch "$url?$listed&file=g" -r 1000-1999)" "206 1000 0" "with pass parts are not looked at"

# ---- as it is by default: archives are looked into ----
e2e_rules "$long"
printf '\n' | lab_write "$LAB_STATE/site.conf"
e2e_publish >/dev/null
is "$(fetch "$url?n=150007&seed=1&cache=60" -r 1000-1999)" "200 150007 0" "with archives looked into who asks for a part gets the whole"
e2e_done
