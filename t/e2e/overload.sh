#!/usr/bin/env bash
# What users see when as many connections are busy as Squid may have: slow downloads of a listed size hold them, and pages are asked for
# meanwhile, with on-overload=wait and on-overload=block in squid.conf.  TAP.
. "${top_srcdir:-.}/t/e2e/tap.sh"

LAB_START_SERVERS=1 LAB_MAX_SERVERS=1 LAB_THREADS=4 LAB_MIN_SPARE=1 LAB_MAX_SPARE=4
slow_s=2
# lab WHAT: Squid does that when there are as many connections as Max-Connections says.
lab() {
	e2e_init "$1"
	e2e_rules "block host .bad-host.test id=host" "block file 60000:md5:$(body_md5 60000 9) id=file"
	e2e_publish >/dev/null
	e2e_start
	sed -i "s/on-overload=wait/on-overload=$1/" "$LAB_LIVE/squid.conf"
	lab_end "$(lab_pids "$LAB_STATE" squid)"
	lab_spawn_squid
	lab_wait_for "Squid" lab_through || { echo "Bail out! no Squid"; exit 1; }
}
# Six bodies that are hashed while they come, in SLOW_S seconds: each holds a thread.
take_threads() {
	local i
	for i in 1 2 3 4 5 6; do
		curl -s -o "$lab_top/slow-$i" --max-time 60 -x "$LAB_PROXY" \
			"http://files.firebreak.test:$LAB_ORIGIN_PORT/bytes?n=60000&seed=$i&rate=$((60000 / slow_s))" &
		slow[i]=$!
	done
	sleep 1
}
whole() { local i n=0; wait "${slow[@]}"; for i in 1 2 3 4 5 6; do cmp -s "$lab_top/slow-$i" <("$build/t/origin" --body 60000 $i) && n=$((n + 1)); done; echo $n; }

lab wait
exec 3<>"/dev/tcp/127.0.0.1/$LAB_ICAP_PORT"
printf 'OPTIONS icap://127.0.0.1/firebreak ICAP/1.0\r\nHost: x\r\nConnection: close\r\n\r\n' >&3
like "$(timeout 5 cat <&3)" "*Max-Connections: 2*" "each direction may have half of the threads"
exec 3>&-
is "$(curl -s --max-time 5 -x "$LAB_PROXY" "$LAB_ORIGIN/bytes?n=5&seed=1" | wc -c)" 5 "wait: a page comes"
take_threads
read -r status size code < <(fetch "$LAB_ORIGIN/bytes?n=5&seed=1")
is "$status $size $code" "200 5 0" "wait: with all threads taken it comes late, and whole"
like "$(fetch http://www.bad-host.test/)" "403 * 0" "wait: and a listed host is refused"
is "$(whole)" 6 "wait: every slow download is whole"

lab block
take_threads
got=()
for i in 1 2 3 4; do got+=("$(fetch "$LAB_ORIGIN/bytes?n=5&seed=$i")"); done
whole=$(whole)
refused=$(printf '%s\n' "${got[@]}" | grep -c '^500')
[ "$refused" -gt 0 ]; ok $? "block: with all threads taken users get Squid's error page" "${got[*]}"
like "$(fetch http://www.bad-host.test/)" "403 * 0" "block: a listed host is refused"
echo "# block: $refused of 4 pages refused, $whole of 6 downloads whole"

e2e_done
