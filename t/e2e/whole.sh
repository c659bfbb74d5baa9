#!/usr/bin/env bash
# HoldMode whole against a real c-icap: long files get the page, what trickles is never the whole.  TAP.
. "${top_srcdir:-.}/t/e2e/tap.sh"

LAB_CICAP_MORE="firebreak.HoldMode whole"$'\n'"firebreak.HoldTrickle 1"
e2e_init whole
listed=$(head -c 200000 /dev/zero | tr '\0' Z | md5sum | cut -d' ' -f1)
e2e_rules "block file 200000:md5:$listed id=long" "block file *:md5:00112233445566778899aabbccddeeff"
e2e_publish >/dev/null
e2e_start

# A response of N letters Z in pieces of 4000, a PAUSE after each: what came back, and the end of the connection, in $lab_top/reply.
respmod() {	# respmod PATH N PAUSE
	local path=$1 n=$2 pause=$3 request response piece reader
	request="GET http://files.firebreak.test$path HTTP/1.1"$'\r\nHost: files.firebreak.test\r\n\r\n'
	response=$'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'
	piece=$(head -c 4000 /dev/zero | tr '\0' Z)
	exec 3<>"/dev/tcp/127.0.0.1/$LAB_ICAP_PORT"
	timeout 60 cat <&3 >"$lab_top/reply" &
	reader=$!
	printf 'RESPMOD icap://127.0.0.1/firebreak ICAP/1.0\r\nHost: 127.0.0.1\r\nConnection: close\r\nEncapsulated: req-hdr=0, res-hdr=%d, res-body=%d\r\n\r\n%s%s' \
		${#request} $((${#request} + ${#response})) "$request" "$response" >&3
	while [ "$n" -gt 0 ]; do
		printf '%x\r\n%s\r\n' 4000 "$piece" >&3 2>/dev/null || break
		n=$((n - 4000))
		sleep "$pause"
	done
	printf '0\r\n\r\n' >&3 2>/dev/null
	wait "$reader"
	exec 3>&-
}
trap '' PIPE
letters() { sed '1,/^\r$/d' "$lab_top/reply" | sed '1,/^\r$/d' | tr -dc Z | wc -c; }
ended() { tail -c 7 "$lab_top/reply" | od -An -c | tr -d ' ' | grep -q '\\r\\n0\\r\\n\\r\\n$'; }

respmod /fast.bin 200000 0
like "$(tr -d '\r' <"$lab_top/reply" | grep -a -m 1 '^HTTP/')" "HTTP/1.1 403*" "a long listed file is the page, when it is quicker than the trickle"
is "$(event '.event.action, .file.size')" "blocked 200000" "as its event says"
respmod /fast-other.bin 1000000 0
is "$(letters)" 1000000 "a long file that is not listed arrives whole"
ended; ok $? "and has a proper end"

respmod /slow.bin 200000 0.08
n=$(letters)
[ "$n" -ge 1 ] && [ "$n" -le 10 ]; ok $? "a slow listed file has trickled when it is cut" "$n bytes came"
ended; [ $? -ne 0 ]; ok $? "and has no end"
is "$(event '.event.action, .firebreak.delivered')" "killed $n" "as its event says"
respmod /slow-other.bin 400000 0.03
is "$(letters)" 400000 "a slow file that is not listed arrives whole"
ended; ok $? "and has a proper end"
grep -q 'warning: HoldMode whole needs Squid 6.14' "$LAB_STATE/log/c-icap.log"; ok $? "the log says what Squid is needed"

# Squids before 6.14 stop a response whose headers are held back; the others give the page.
files=http://files.firebreak.test:$LAB_ORIGIN_PORT
read -r major minor < <(squid -v | sed -nE '1s/.*Version ([0-9]+)\.([0-9]+).*/\1 \2/p')
long=$(body_md5 2000000 7)
e2e_rules "block file 2000000:md5:$long id=long" "block file *:md5:00112233445566778899aabbccddeeff"
e2e_publish >/dev/null
stalled() { grep -q 'warning: a download that was held whole ended after 65535 bytes' "$LAB_STATE/log/c-icap.log"; }
if [ "$major" -lt 6 ] || { [ "$major" -eq 6 ] && [ "$minor" -lt 14 ]; }; then
	for _ in $(seq 10); do
		said=$(fetch "$files/bytes?n=2000000&seed=7&file=x" --max-time 2)
		stalled && break
	done
	stalled; ok $? "what an old Squid does is recognised" "$said"
else
	like "$(fetch "$files/bytes?n=2000000&seed=7&file=x")" "403 * 0" "a long listed file is the page, through Squid $major.$minor"
fi
e2e_done
