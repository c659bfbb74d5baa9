# shellcheck shell=bash
# lab.sh - a c-icap with the service, a Squid and an origin of our own: for ./run and make check-e2e.  To be sourced by bash.
#
# Everything lies below one state folder, listens on 127.0.0.1, runs as LAB_USER when started by root, and is ended by the
# process ids that were noted.  Nothing in /etc is written, nothing else on the machine is touched.
#
#	lab_init STATE		make the folder and what has to be copied into it
#	lab_start		start all three and wait until a request comes through
#	lab_stop STATE		end what was started there; fine when nothing runs
#	lab_running STATE	something runs there
#	lab_as CMD...		run CMD as the lab's user
#
# Before lab_init: LAB_BUILD (where it was built), LAB_SOURCE (the source tree).  Optional, with their defaults below.
case :$PATH: in	# where Debian has squid, and an ordinary user has not
*:/usr/sbin:*) ;;
*) PATH=$PATH:/usr/sbin ;;
esac
: "${LAB_USER:=nobody}" "${LAB_PORT_BASE:=13000}"
: "${LAB_HERE:=good.firebreak.test files.firebreak.test www.betterbricks.com}"	# names that lead to the origin
: "${LAB_BLOCK_CONNECT:=page}" "${LAB_CICAP_MORE:=}" "${LAB_SQUID_PORTS:=}" "${LAB_SQUID_EXEMPT:=}"
: "${LAB_START_SERVERS:=2}" "${LAB_MAX_SERVERS:=4}" "${LAB_THREADS:=20}" "${LAB_MIN_SPARE:=10}" "${LAB_MAX_SPARE:=40}"
: "${LAB_PRELOAD:=}" "${LAB_WAIT_S:=20}" "${LAB_SQUID:=squid}" "${CICAP_MAGIC:=/etc/c-icap/c-icap.magic}"

lab_fail() { printf '%s: %s\n' "${0##*/}" "$*" >&2; return 2; }

# As the lab's user, with nothing that a root's environment would bring along.
lab_as() {
	if [ "$(id -u)" -eq 0 ]; then
		setpriv --reuid="$LAB_USER" --regid="$(id -g "$LAB_USER")" --clear-groups -- "$@"
	else
		"$@"
	fi
}

lab_paths() {
	LAB_STATE=$1 LAB_LIVE=$1/live LAB_EVENTS=$1/events.jsonl
	LAB_FIREBREAK=$LAB_LIVE/firebreak
}

# A folder in /var/tmp may be somebody else's trap.
lab_folder() {
	local owner
	[ ! -L "$1" ] || { lab_fail "$1 is a symbolic link; remove it or set FIREBREAK_STATE"; return 2; }
	if [ -d "$1" ] && [ ! -d "$1/live" ] && [ -n "$(ls -A "$1")" ]; then
		lab_fail "$1 holds something else; set FIREBREAK_STATE to a folder of its own"
		return 2
	fi
	mkdir -p "$1" || return 2
	owner=$(stat -c %U "$1")
	if [ "$owner" != "$(id -un)" ] && [ "$owner" != "$LAB_USER" ]; then
		lab_fail "$1 belongs to $owner; remove it or set FIREBREAK_STATE"
		return 2
	fi
	[ "$(id -u)" -ne 0 ] || chown "$LAB_USER:" "$1" || return 2	# the group as well: some verbs become both
	chmod 755 "$1"
}

lab_init() {
	local shm=/dev/shm/firebreak-$$ file
	lab_paths "$1"
	lab_folder "$LAB_STATE" || return 2
	lab_as test -x "$LAB_STATE" ||
		{ lab_fail "$LAB_USER cannot get into $LAB_STATE, as a folder above it is closed to others; set FIREBREAK_STATE"; return 2; }
	lab_as sh -c "echo x >$shm && rm -f $shm" 2>/dev/null ||
		{ lab_fail "/dev/shm is not usable, and c-icap and Squid need it: mount -t tmpfs tmpfs /dev/shm"; return 2; }
	lab_as mkdir -p "$LAB_LIVE" "$LAB_LIVE/errors" "$LAB_LIVE/bodies" "$LAB_STATE/log" || return 2
	lab_as chmod 2775 "$LAB_STATE/log" || return 2	# what root writes there stays writable
	for file in .libs/srv_firebreak.so firebreak firebreak-inspect-helper t/origin; do
		lab_copy "$LAB_BUILD/$file" "$LAB_LIVE/${file##*/}" 755 || return 2
	done
	for file in /usr/share/squid/errors/templates/*; do
		lab_copy "$file" "$LAB_LIVE/errors/${file##*/}" 644 || return 2
	done
	for file in "$LAB_SOURCE"/etc/{top-sites,shared-hosting,lookalike-*}.txt; do
		lab_copy "$file" "$LAB_LIVE/${file##*/}" 644 || return 2
	done
	export FIREBREAK_LISTS=$LAB_LIVE
	lab_copy "$LAB_SOURCE/etc/ERR_FIREBREAK_BLOCKED" "$LAB_LIVE/errors/ERR_FIREBREAK_BLOCKED" 644
}

# The lab's user need not be able to read where it was built.
lab_copy() {
	install -m "$3" "$1" "$2" || return 2
	[ "$(id -u)" -ne 0 ] || chown "$LAB_USER" "$2"
}

# What the caller adds comes first: it may have places of its own.
lab_fill() {	# lab_fill TEMPLATE FILE
	sed -e "s|@CICAP_MORE@|${LAB_CICAP_MORE//$'\n'/\\n}|g" -e "s|@SQUID_PORTS@|${LAB_SQUID_PORTS//$'\n'/\\n}|g" \
		-e "s|@SQUID_EXEMPT@|${LAB_SQUID_EXEMPT//$'\n'/\\n}|g" \
		-e "s|@STATE@|$LAB_STATE|g" -e "s|@ICAP_PORT@|$LAB_ICAP_PORT|g" -e "s|@SQUID_PORT@|$LAB_SQUID_PORT|g" \
		-e "s|@HERE@|$LAB_HERE|g" -e "s|@MAGIC@|$CICAP_MAGIC|g" -e "s|@BLOCK_CONNECT@|$LAB_BLOCK_CONNECT|g" \
		-e "s|@START_SERVERS@|$LAB_START_SERVERS|g" -e "s|@MAX_SERVERS@|$LAB_MAX_SERVERS|g" \
		-e "s|@THREADS@|$LAB_THREADS|g" -e "s|@MIN_SPARE@|$LAB_MIN_SPARE|g" -e "s|@MAX_SPARE@|$LAB_MAX_SPARE|g" \
		"$LAB_SOURCE/etc/run/$1" | lab_write "$2"
}

lab_write() { lab_as sh -c 'cat >"$1"' sh "$1"; }

lab_configure() {
	local ports name
	mapfile -t ports < <("$LAB_LIVE/origin" --ports 3 "$LAB_PORT_BASE")
	[ "${#ports[@]}" -eq 3 ] || { lab_fail "no three free ports from $LAB_PORT_BASE on"; return 2; }
	LAB_SQUID_PORT=${ports[0]} LAB_ICAP_PORT=${ports[1]} LAB_ORIGIN_PORT=${ports[2]}
	LAB_PROXY=http://127.0.0.1:$LAB_SQUID_PORT LAB_ORIGIN=http://good.firebreak.test:$LAB_ORIGIN_PORT
	for name in $LAB_HERE; do echo "127.0.0.1 $name"; done | lab_write "$LAB_LIVE/hosts"
	lab_fill c-icap.conf.in "$LAB_LIVE/c-icap.conf"
	lab_fill squid.conf.in "$LAB_LIVE/squid.conf"
	printf 'PROXY=%s\nICAP=icap://127.0.0.1:%s/firebreak\nORIGIN=%s\nEVENTS=%s\n' "$LAB_PROXY" "$LAB_ICAP_PORT" \
		"$LAB_ORIGIN" "$LAB_EVENTS" | lab_write "$LAB_STATE/run.env"
}

# Start CMD in the background, in a session of its own, so that it outlives us; note its id.
lab_spawn() {	# lab_spawn NAME CMD...
	local name=$1
	shift
	: | lab_write "$LAB_STATE/log/$name.out"
	if [ "$(id -u)" -eq 0 ]; then
		setsid setpriv --reuid="$LAB_USER" --regid="$(id -g "$LAB_USER")" --clear-groups -- "$@" \
			</dev/null >>"$LAB_STATE/log/$name.out" 2>&1 9>&- &
	else
		setsid "$@" </dev/null >>"$LAB_STATE/log/$name.out" 2>&1 9>&- &
	fi
	echo "$! $name" | lab_as sh -c 'cat >>"$1"' sh "$LAB_LIVE/pids"
	disown
}

lab_spawn_icap() { lab_spawn c-icap env LD_PRELOAD="$LAB_PRELOAD" c-icap -N -f "$LAB_LIVE/c-icap.conf"; }
lab_spawn_squid() { lab_spawn squid "$LAB_SQUID" -N -n "firebreak$LAB_SQUID_PORT" -f "$LAB_LIVE/squid.conf"; }

lab_show_logs() {
	local log
	for log in c-icap.out c-icap.log squid.out cache.log; do
		[ -s "$LAB_STATE/log/$log" ] && { echo "--- $log"; tail -n 20 "$LAB_STATE/log/$log"; }
	done >&2
}

# Poll until CMD succeeds, as long as all three live.
lab_wait_for() {	# lab_wait_for WHAT CMD...
	local what=$1 end=$((SECONDS + LAB_WAIT_S))
	shift
	until "$@" >/dev/null 2>&1; do
		if [ $SECONDS -ge $end ]; then
			lab_show_logs
			lab_fail "$what did not get ready within $LAB_WAIT_S s"
			return 2
		fi
		sleep 0.1
	done
}

lab_port_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
lab_through() { curl -sf -o /dev/null --max-time 5 -x "$LAB_PROXY" "$LAB_ORIGIN/ready"; }

lab_start() {
	rm -f "$LAB_LIVE/pids"
	lab_configure || return 2
	lab_spawn origin "$LAB_LIVE/origin" "$LAB_ORIGIN_PORT" "$LAB_LIVE/bodies"
	lab_spawn_icap
	lab_wait_for "the origin" lab_port_open "$LAB_ORIGIN_PORT" || return 2
	lab_wait_for "c-icap" lab_port_open "$LAB_ICAP_PORT" || return 2
	lab_spawn_squid
	lab_wait_for "Squid" lab_through
}

# The process that the line "PID NAME" means is still ours: its command line names our folder.
lab_is_ours() { tr '\0' ' ' 2>/dev/null <"/proc/$1/cmdline" | grep -qF "$2/live/"; }

lab_pids() {	# lab_pids STATE [NAME]
	local pid name
	[ -r "$1/live/pids" ] || return 0
	while read -r pid name; do
		[ -z "${2:-}" ] || [ "$name" = "$2" ] || continue
		lab_is_ours "$pid" "$1" && echo "$pid"
	done <"$1/live/pids"
}

lab_running() { [ -n "$(lab_pids "$1")" ]; }

lab_end() {	# lab_end PID...: TERM, then KILL; bounded
	local pid i
	[ $# -gt 0 ] || return 0
	kill "$@" 2>/dev/null
	for i in $(seq 100); do
		for pid in "$@"; do
			shift
			kill -0 "$pid" 2>/dev/null && set -- "$@" "$pid"
		done
		[ $# -gt 0 ] || return 0
		sleep 0.1
	done
	kill -9 "$@" 2>/dev/null
	sleep 0.2
}

lab_stop() {
	local pids children
	mapfile -t pids < <(lab_pids "$1")
	# A child of c-icap that lost its parent ends by itself; those that do not are ended here.
	mapfile -t children < <(for pid in "${pids[@]}"; do pgrep -P "$pid"; done)
	lab_end "${pids[@]}"
	for pid in "${children[@]}"; do
		lab_is_ours "$pid" "$1" && kill -9 "$pid" 2>/dev/null
	done
	rm -f "$1/live/pids"
	return 0
}
