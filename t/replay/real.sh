#!/usr/bin/env bash
# Every case once through the real c-icap: "real.sh MODULE REPLAY CASE...".  One daemon for each set of c-icap.conf lines that
# the cases ask for.  Loopback only; ends what it started.  TAP.  FIREBREAK_PRELOAD is put into the daemon's LD_PRELOAD
# (a sanitizer's runtime); FIREBREAK_PORT_BASE is where free ports are looked for.
set -u
module=$1 replay=$2; shift 2
lab=$(mktemp -d "${TMPDIR:-/tmp}/firebreak-real-XXXXXX") || exit 1
chmod 755 "$lab"
pid=
finish() { [ -z "$pid" ] || { kill "$pid" && wait "$pid"; } 2>/dev/null; rm -rf "$lab"; }
trap finish EXIT
trap 'exit 1' INT TERM

conf_of() { awk '/^conf:/ { on = 1; next } /^[^ \t]/ { on = 0 } on && NF { sub(/^[ \t]+/, ""); print }' "$1"; }
taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
port=${FIREBREAK_PORT_BASE:-13000}
port=$((port + 400))

start() {	# start FOLDER CONF-FILE: c-icap with a state folder of its own
	while taken "$port"; do port=$((port + 1)); done
	mkdir -p "$1/state" "$1/tmp"
	cat >"$1/c-icap.conf" <<-END
		PidFile $1/pid
		CommandsSocket $1/ctl
		Port 127.0.0.1:$port
		Timeout 30
		KeepAliveTimeout 30
		MaxKeepAliveRequests 1000
		StartServers 1
		MaxServers 1
		MinSpareThreads 2
		MaxSpareThreads 10
		ThreadsPerChild 10
		ServerName replay
		TmpDir $1/tmp
		ServicesDir $(dirname "$module")
		LoadMagicFile ${CICAP_MAGIC:-/etc/c-icap/c-icap.magic}
		ServerLog $1/server.log
		AccessLog $1/access.log
		Service firebreak $module
		firebreak.StateDir $1/state
		firebreak.Helper ${FIREBREAK_HELPER:-/nonexistent}
	END
	sed 's/^/firebreak./' "$2" >>"$1/c-icap.conf"
	LD_PRELOAD="${FIREBREAK_PRELOAD:-}" c-icap -N -f "$1/c-icap.conf" >"$1/out" 2>&1 &
	pid=$!
	for _ in $(seq 200); do taken "$port" && return; kill -0 "$pid" 2>/dev/null || break; sleep 0.05; done
	echo "Bail out! c-icap did not start"
	sed 's/^/# /' "$1/out" "$1/server.log" 2>/dev/null | head -20
	exit 1
}

for file in "$@"; do
	conf_of "$file" >"$lab/conf"
	key=$(cksum <"$lab/conf" | tr ' ' -)
	mkdir -p "$lab/$key"
	mv "$lab/conf" "$lab/$key/conf"
	echo "$file" >>"$lab/$key/files"
done
failed=0
for group in "$lab"/*/; do
	group=${group%/}
	mapfile -t files <"$group/files"
	args=()
	while read -r line; do args+=(--conf "$line"); done <"$group/conf"
	start "$group" "$group/conf"
	"$replay" --real "127.0.0.1:$port" --state "$group/state" "${args[@]}" "${files[@]}" >"$group/tap" || failed=1
	kill "$pid" && wait "$pid" 2>/dev/null
	pid=
	port=$((port + 1))
done
cat "$lab"/*/tap | awk '
	/^1\.\./ { next }
	/^(not )?ok [0-9]+/ { n++; sub(/ok [0-9]+/, "ok " n) }
	{ print }
	END { print "1.." n + 0 }'
exit $failed
