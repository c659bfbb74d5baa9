#!/usr/bin/env bash
# Many proxies pull one generation from nginx on loopback: all have it, each has fetched what it needed, and the origin did nothing but
# serve files.  TAP.
#
#	make pull-load		a thousand of them, with the lists that come with firebreak; else 40 with small ones
#	PULLERS=N		so many
set -u
build=${top_builddir:-.}
firebreak=$build/firebreak
. "${top_srcdir:-.}/t/tap.sh"
export PATH=$PATH:/usr/sbin
command -v nginx >/dev/null || skip_all "nginx is missing"
ldd "$firebreak" 2>/dev/null | grep -q 'lib[at]san' && many=8 || many=40
many=${PULLERS:-$many}
if [ -z "${TMPDIR:-}" ] && [ -w /dev/shm ] && [ "$(df -Pk /dev/shm | awk 'NR == 2 { print $4 }')" -gt $((many * 4000)) ]; then TMPDIR=/dev/shm; fi
work=$(mktemp -d "${TMPDIR:-/tmp}/firebreak-load-XXXXXX") || exit 1
chmod 755 "$work"
nginx=''
finish() { [ -z "$nginx" ] || { kill "$nginx"; wait "$nginx"; } 2>/dev/null; rm -rf "$work"; }
trap finish EXIT
trap 'exit 1' INT TERM
unset FIREBREAK_STATE
if [ -z "${PULLERS:-}" ]; then
	export FIREBREAK_LISTS=$work/lists
	mkdir "$work/lists"
	echo '.top.test' > "$work/lists/top-sites.txt"
	: > "$work/lists/shared-hosting.txt"
	no_lookalikes "$work/lists"
fi
origin=$work/origin
mkdir -p "$origin/sources" "$work/nginx"
at_origin() { "$firebreak" --state "$origin" "$@" >"$work/out" 2>&1 || { cat "$work/out"; echo "Bail out! $*"; exit 1; }; }
at_origin key generate "$work/key"
echo "Key $work/key" > "$origin/sign.conf"
awk 'BEGIN { for (i = 0; i < 60000; i++) print "bad" i ".test" }' > "$origin/sources/feed.hosts"
echo 'block host .evil.test' > "$origin/sources/local.rules"
at_origin publish
port=$("$build/t/origin" --ports 1 $((${FIREBREAK_PORT_BASE:-13000} + 950)))
cat > "$work/nginx.conf" <<END
daemon off; worker_processes 1; pid $work/nginx/pid; error_log $work/nginx/error warn;
$([ "$(id -u)" -ne 0 ] || echo "user root;")
events { worker_connections 1024; }
http {
	access_log $work/nginx/access;
	client_body_temp_path $work/nginx/b; proxy_temp_path $work/nginx/p; fastcgi_temp_path $work/nginx/f;
	uwsgi_temp_path $work/nginx/u; scgi_temp_path $work/nginx/s;
	server { listen 127.0.0.1:$port; root $origin/rules; }
}
END
nginx -e "$work/nginx/error" -c "$work/nginx.conf" >"$work/nginx/out" 2>&1 &
nginx=$!
for _ in {1..100}; do (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break; sleep 0.1; done
url=http://127.0.0.1:$port/
# all WHAT ARGUMENTS...: every follower pulls, 16 at a time; those that failed are told.
all() {
	local what=$1
	shift
	seq "$many" | timeout 600 xargs -P 16 -I {} sh -c 'n=$1; shift; "$@" >"'"$work"'/out.$n" 2>&1 || echo "$n: $(head -n 1 "'"$work"'/out.$n")"' \
		sh {} "$firebreak" --state "$work/f/{}" pull "$@" > "$work/failed"
	[ ! -s "$work/failed" ]; ok $? "$what: $many pulls" "$(head -n 5 "$work/failed")"
	failed=0
	for ((i = 1; i <= many; i++)); do cmp -s "$work/f/$i/rules/MANIFEST" "$origin/rules/MANIFEST" || failed=$((failed + 1)); done
	[ $failed -eq 0 ]; ok $? "$what: all of them have what the origin has" "$failed have not"
	sync "$work/nginx/access"
	bytes=$(awk '{ n += $10 } END { print n + 0 }' "$work/nginx/access") requests=$(wc -l < "$work/nginx/access")
	errors=$(awk '$9 != 200' "$work/nginx/access" | wc -l)
	: > "$work/nginx/access"
	[ "$errors" -eq 0 ]; ok $? "$what: $requests requests, $((bytes / many)) bytes a puller, no error"
}
mkdir "$work/f"
start=${EPOCHREALTIME/./}
all "all of it" --key "$work/key.pub" "$url"; full=$bytes
at_origin block two.test
all "a delta"; delta=$bytes
[ "$delta" -lt $((full / 4)) ]; ok $? "the delta is smaller: $((delta / many)) bytes instead of $((full / many))"
all "nothing new"
[ $((bytes / many)) -lt 2048 ]; ok $? "nothing new costs $((bytes / many)) bytes"
"$firebreak" --state "$work/f/$many" check http://two.test/ >/dev/null 2>&1; [ $? -eq 1 ]; ok $? "the last one blocks"
echo "# $((3 * many)) pulls in $(((${EPOCHREALTIME/./} - start) / 1000)) ms"
tap_done
