# servers.sh - every server that bench/run measures, started and stopped.  To be sourced by bash, after etc/run/lab.sh.
#
#	bench_init			folders, programs, lists; BENCH_BUILD says where it was built
#	start_NAME			1 with a line on standard error when the peer is not installed
#	PID[NAME]  PORT[NAME]  READY_MS[NAME]	of what was started; a peer of two processes has both ids
MODULES=/usr/lib/$(gcc -print-multiarch 2>/dev/null || echo x86_64-linux-gnu)/c_icap
declare -A PID=() PORT=() READY_MS=()
bench_next_port=${FIREBREAK_PORT_BASE:-17000}
: "${BENCH_HOSTS:=1000000}" "${BENCH_DIGESTS:=1000000}" "${BENCH_ASK:=20000}"
BENCH_SIZES="10240 102400 1048576 10485760 104857600"

bench_lists() { awk -f "$LAB_SOURCE/bench/lists.awk" "$@"; }	# bench_lists -v what=...
take_port() {
	bench_next_port=$("$LAB_LIVE/origin" --ports 1 "$((bench_next_port + 1))")
	port=$bench_next_port
}

bench_init() {	# bench_init STATE
	lab_paths "$1"
	lab_folder "$LAB_STATE" || return 2
	data=$LAB_STATE/data tmp=/dev/shm/firebreak-bench-$(id -u)-$$	# of this run: another may go on beside it
	lab_as mkdir -p "$LAB_LIVE/at" "$LAB_STATE/log" "$data/clamdb" "$data/squidguard" "$data/bodies" "$tmp" || return 2
	local file
	for file in .libs/srv_firebreak.so bench/.libs/srv_floor.so firebreak firebreak-inspect-helper t/origin bench/icap_load bench/http_load; do
		lab_copy "$LAB_BUILD/$file" "$LAB_LIVE/${file##*/}" 755 || return 2
	done
	rm -f "$LAB_LIVE/pids"
	bench_make_lists
}

bench_make_lists() {
	local key="$BENCH_HOSTS $BENCH_DIGESTS $BENCH_ASK video" size
	[ "$(cat "$data/made" 2>/dev/null)" != "$key $(cksum <"$LAB_SOURCE/bench/lists.awk")" ] || return 0
	bench_lists -v what=domains -v n="$BENCH_HOSTS" | lab_write "$data/domains"
	bench_lists -v what=rules -v n="$BENCH_HOSTS" | lab_write "$data/hosts.rules"
	bench_lists -v what=urls -v n="$BENCH_HOSTS" -v ask="$BENCH_ASK" | lab_write "$data/urls"
	bench_lists -v what=digests -v n="$BENCH_DIGESTS" -v kind=rules | lab_write "$data/digests.rules"
	bench_lists -v what=digests -v n="$BENCH_DIGESTS" -v kind=hdb | lab_write "$data/clamdb/bench.hdb"
	lab_as cp "$data/domains" "$data/squidguard/domains"
	grep -P '\tpass$' "$data/urls" | lab_write "$data/pass"
	{ printf '<!doctype html>\n<title>A page</title>\n'; seq 1000 | sed 's|.*|<p>The paragraph & of a page of 4 KB.</p>|'; } |
		head -c 4096 | lab_write "$data/page"
	for size in $BENCH_SIZES; do "$LAB_LIVE/origin" --body "$size" 1 | lab_write "$data/bodies/$size"; done
	# What its first bytes say is a video: of an unknown type it would be watched for an archive in it, to its end.
	{ printf OggS; tail -c +5 "$data/bodies/104857600"; } | lab_write "$data/bodies/video"
	echo "$key $(cksum <"$LAB_SOURCE/bench/lists.awk")" | lab_write "$data/made"
}

fill() {	# fill TEMPLATE HERE PORT: the template on standard output
	sed -e "s|@HERE@|$2|g" -e "s|@PORT@|$3|g" -e "s|@LIVE@|$LAB_LIVE|g" -e "s|@DATA@|$data|g" -e "s|@TMP@|$tmp|g" \
		-e "s|@MODULES@|$MODULES|g" "$LAB_SOURCE/bench/peers/$1.conf.in"
}

now_ms() { local t=${EPOCHREALTIME/[.,]/}; echo $((t / 1000)); }
last_pid() { tail -n 1 "$LAB_LIVE/pids" | cut -d' ' -f1; }

# Until CMD succeeds; READY_MS[NAME] is how long it took.
wait_ready() {	# wait_ready NAME CMD...
	local name=$1 from end
	shift
	from=$(now_ms) end=$((SECONDS + 60))
	until "$@" 2>/dev/null; do
		[ $SECONDS -lt $end ] || { lab_fail "$name did not get ready; see $LAB_STATE/log"; return 1; }
		sleep 0.005
	done
	READY_MS[$name]=$(($(now_ms) - from))
}

# An answer to a first request, not only an open port.
answers() { "$LAB_LIVE/icap_load" --requests 1 --connections 1 --lenient 127.0.0.1 "$1" "$2" "$data/pass" >/dev/null 2>&1; }

start_icap() {	# start_icap NAME TEMPLATE SERVICE: a c-icap
	local name=$1 template=$2 service=$3 here=$LAB_LIVE/at/$1 port
	take_port
	lab_as mkdir -p "$here"
	{ fill c-icap "$here" "$port"; fill "$template" "$here" "$port"; } | lab_write "$here/c-icap.conf"
	lab_spawn "$name" c-icap -N -f "$here/c-icap.conf"
	PID[$name]=$(last_pid) PORT[$name]=$port
	wait_ready "$name" answers "$port" "$service"
}

start_floor() { start_icap floor floor floor; }

# A state of its own with the LISTS named, published.  "listed" are rules of the sizes that are asked for, "sizeless" is one
# without a size.
start_firebreak_state() {	# start_firebreak_state NAME LIST...
	local name=$1 state=$LAB_LIVE/at/$1/state size list
	shift
	lab_as mkdir -p "$state/sources"
	# What an earlier run let through is in the journal: its URLs would be fetched anew, a third of all, by changed requests.
	lab_as rm -rf "$state/runtime" "$state/events.jsonl"
	for list in hosts digests; do
		[[ " $* " != *" $list "* ]] || lab_as cp "$data/$list.rules" "$state/sources/$list.rules"
	done
	{
		echo "# sizes that are asked for, of files that nobody sends"
		[[ " $* " == *" listed "* ]] && for size in $BENCH_SIZES; do echo "block file $size:md5:00000000000000000000000000000001"; done
		[[ " $* " == *" sizeless "* ]] && echo "block file *:md5:00000000000000000000000000000002"
	} | lab_write "$state/sources/asked.rules"
	lab_as "$LAB_LIVE/firebreak" --state "$state" publish >>"$LAB_STATE/log/publish" 2>&1 || lab_fail "publish failed: $LAB_STATE/log/publish"
	start_icap "$name" firebreak firebreak
}
start_firebreak() { start_firebreak_state firebreak hosts digests; }
start_firebreak_listed() { start_firebreak_state firebreak_listed hosts digests listed; }
start_firebreak_sizeless() { start_firebreak_state firebreak_sizeless hosts digests sizeless; }
start_firebreak_hosts() { start_firebreak_state firebreak_hosts hosts; }
start_firebreak_digests() { start_firebreak_state firebreak_digests digests; }

start_url_check() {
	[ -e "$MODULES/srv_url_check.so" ] || { echo "SKIP url_check: libc-icap-mod-urlcheck is not installed" >&2; return 1; }
	start_icap url_check url_check url_check
}

start_virus_scan() {
	local here=$LAB_LIVE/at/clamd
	[ -e "$MODULES/virus_scan.so" ] && command -v clamd >/dev/null ||
		{ echo "SKIP virus_scan: libc-icap-mod-virus-scan or clamav-daemon is not installed" >&2; return 1; }
	lab_as mkdir -p "$here"
	fill clamd "$here" 0 | lab_write "$here/clamd.conf"
	lab_spawn clamd clamd --config-file="$here/clamd.conf"
	PID[clamd]=$(last_pid)
	wait_ready clamd test -S "$LAB_LIVE/clamd.sock" || return 1
	start_icap virus_scan virus_scan virus_scan || return 1
	PID[virus_scan]+=" ${PID[clamd]}"
}

start_e2guardian() {
	local here=$LAB_LIVE/at/e2guardian port from=/etc/e2guardian
	command -v e2guardian >/dev/null || { echo "SKIP e2guardian: it is not installed" >&2; return 1; }
	take_port
	lab_as mkdir -p "$here"
	tar -C "$from" --exclude=private -cf - . | lab_as tar -C "$here" -xf - 2>/dev/null
	# Its own lists but for one: the banned sites, and no phrases, since only requests are asked.
	lab_as cp "$data/domains" "$here/lists/bannedsitelist"
	for file in bannedphraselist weightedphraselist exceptionphraselist; do : | lab_write "$here/lists/$file"; done
	for file in e2guardian.conf e2guardianf1.conf common.story site.story examplef1.story preauth.story; do
		sed -e "s|$from|$here|g" -e "s|^nodaemon.*|nodaemon = on|" -e "s|^#*icapport.*|icapport = $port|" \
			-e "s|^filterports.*|filterports = $((port + 1))|" -e "s|^transparenthttpsport.*|#|" -e "s|^httpworkers.*|httpworkers = 64|" \
			-e "s|^#*loglocation.*|loglocation = '$here/access.log'|" -e "s|^#*pidfilename.*|pidfilename = '$here/pid'|" \
			-e "s|^loglevel.*|loglevel = 0|" -e "s|^#*daemonuser.*|daemonuser = '$(lab_as id -un)'|" \
			-e "s|^#*daemongroup.*|daemongroup = '$(lab_as id -gn)'|" "$from/$file" | lab_write "$here/$file"
	done
	bench_next_port=$((port + 1))
	lab_spawn e2guardian e2guardian -N -c "$here/e2guardian.conf"
	PID[e2guardian]=$(last_pid) PORT[e2guardian]=$port
	wait_ready e2guardian answers "$port" request
}

start_nginx() {
	local here=$LAB_LIVE/at/nginx port
	command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || { echo "SKIP everything through Squid: nginx is not installed" >&2; return 1; }
	take_port
	lab_as mkdir -p "$here"
	echo "127.0.0.1 origin.bench" | lab_write "$LAB_LIVE/hosts"
	fill nginx "$here" "$port" | lab_write "$here/nginx.conf"
	lab_spawn nginx /usr/sbin/nginx -e "$here/error.log" -c "$here/nginx.conf"
	PID[nginx]=$(last_pid) PORT[nginx]=$port
	wait_ready nginx lab_port_open "$port"
}

start_squid() {	# start_squid NAME "REQMOD-URI or empty" "RESPMOD-URI or empty"
	local name=$1 here=$LAB_LIVE/at/$1 port icap=
	[ -z "$2$3" ] || icap="icap_enable on\nicap_preview_enable on\nicap_persistent_connections on\nicap_service_failure_limit -1\nadaptation_send_client_ip on"
	[ -z "$2" ] || icap+="\nicap_service req reqmod_precache $2 bypass=off on-overload=wait\nadaptation_access req allow all"
	[ -z "$3" ] || icap+="\nicap_service resp respmod_precache $3 bypass=off on-overload=wait\nadaptation_access resp allow all"
	take_port
	lab_as mkdir -p "$here"
	fill squid "$here" "$port" | sed "s|@ICAP@|$icap|" | lab_write "$here/squid.conf"
	lab_spawn "$name" squid -N -n "bench$port" -f "$here/squid.conf"
	PID[$name]=$(last_pid) PORT[$name]=$port
	wait_ready "$name" curl -sf -o /dev/null --max-time 5 -x "http://127.0.0.1:$port" "http://origin.bench:${PORT[nginx]}/4096/0"
}

stop_one() {	# stop_one NAME...
	local name
	for name in "$@"; do
		lab_end ${PID[$name]:-}
		unset "PID[$name]"
	done
}

bench_stop() { lab_stop "$LAB_STATE"; rm -rf "$tmp"; }
