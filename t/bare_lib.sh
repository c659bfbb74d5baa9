# shellcheck shell=bash
# bare_lib.sh - builds the Debian package, makes a bare Debian in a folder, and boots it in namespaces of its own: for t/package_root.sh
# and t/bare.sh, which source it after t/tap.sh, with $src, $build and $work.  As root.
#
# What runs in a bare system has its own processes, mounts, network (a loopback device and nothing else) and host name, so that the ports
# are those of the stock configurations, and all of it ends with its first process.  Its packages come from where apt on this machine
# has them.
export DEBIAN_FRONTEND=noninteractive DEB_BUILD_OPTIONS="nocheck parallel=2" DEB_BUILD_PROFILES=nocheck
bare_sources=/etc/apt/sources.list.d/debian.sources
[ -s $bare_sources ] || bare_sources=/etc/apt/sources.list

bare_missing() {	# bare_missing TOOL...: why there can be no bare system; nothing when there can be one
	[ "$(id -u)" -eq 0 ] || { echo "root is needed"; return; }
	for tool in dpkg-buildpackage dh dh_apparmor mmdebstrap unshare nsenter ip "$@"; do
		command -v "$tool" >/dev/null || { echo "$tool is missing"; return; }
	done
	[ -s "$bare_sources" ] || { echo "apt on this machine has no list of sources"; return; }
	( cd "$src" && dpkg-checkbuilddeps -Pnocheck 2>&1 )
	unshare --mount --pid --net --ipc --uts --fork true 2>&1
}

bare_copy_source() {	# into $work/source: somebody may be at work in the tree meanwhile
	mkdir "$work/source" && tar -C "$src" --exclude=./build --exclude=./.git --exclude=./autom4te.cache -cf - . | tar -C "$work/source" -xf -
}

bare_build() {	# bare_build FOLDER [VARIABLE=VALUE...]: of $work/source in $work/FOLDER; what was said is in its log
	local folder=$work/$1
	shift
	mkdir -p "$folder" && cp -a "$work/source" "$folder/firebreak" && ( cd "$folder/firebreak" && env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u top_srcdir \
		-u top_builddir "$@" dpkg-buildpackage -uc -us >"$folder/log" 2>&1 )
}

bare_needs() {	# bare_needs DEB: the names of the packages it depends on, with commas
	dpkg-deb -f "$1" Depends | tr ',' '\n' | sed 's/^ *//; s/[ (|].*//' | sort -u | paste -sd,
}

bare_make() {	# bare_make FOLDER NAME,...: what was said is in $work/mmdebstrap; fails when there is no c-icap in it afterwards
	local release
	release=$(. /etc/os-release; echo "$VERSION_CODENAME")
	mmdebstrap --quiet --variant=minbase --include="$2" "$release" "$1" <"$bare_sources" >"$work/mmdebstrap" 2>&1
	[ -x "$1/usr/bin/c-icap" ] && mkdir "$1/packages"
}

# ---- running ----

# In the new namespaces, as their first process: ROOT becomes /, and INIT the program that collects what ends.
bare_init='
	set -e
	root=$1
	shift
	mount --make-rprivate /
	mount --bind "$root" "$root"
	cd "$root"
	mount -t proc proc proc
	# What stands there is the whole machine'\''s.
	mount --bind proc/sys proc/sys
	mount -o remount,bind,ro proc/sys
	mount -t tmpfs -o mode=755 tmpfs dev
	for device in null zero full random urandom tty; do touch dev/$device; mount --bind /dev/$device dev/$device; done
	ln -s /proc/self/fd dev/fd; ln -s /proc/self/fd/0 dev/stdin; ln -s /proc/self/fd/1 dev/stdout; ln -s /proc/self/fd/2 dev/stderr
	mkdir dev/shm dev/pts
	mount -t tmpfs -o mode=1777 tmpfs dev/shm
	mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts dev/pts
	ln -s pts/ptmx dev/ptmx
	mount -t tmpfs -o mode=755 tmpfs run
	ip link set lo up
	hostname bare.firebreak.test
	if [ -n "$BARE_CGROUP" ]; then
		mount -t sysfs -o ro sysfs sys
		mount -t cgroup2 cgroup2 sys/fs/cgroup
	fi
	mkdir -p packages/old
	pivot_root . packages/old
	umount -l /packages/old
	exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive container=firebreak "$@"
'
bare_cgroup= bare_unshare= bare_pid=

# bare_boot FOLDER INIT...: boot it; commands are run in it by "within".
bare_boot() {
	local folder=$1 i
	shift
	( [ -z "$bare_cgroup" ] || echo "$BASHPID" >"$bare_cgroup/cgroup.procs"
	BARE_CGROUP=$bare_cgroup exec unshare ${bare_cgroup:+--cgroup} --mount --pid --net --ipc --uts --fork --kill-child=KILL -- \
		bash -c "$bare_init" bash "$folder" "$@" >"$work/boot.log" 2>&1 </dev/null ) &
	bare_unshare=$!
	for ((i = 0; i < 100; i++)); do
		bare_pid=$(pgrep -P "$bare_unshare")
		# The folder is / there, and what was / before is gone.
		[ -n "$bare_pid" ] && [ "$(stat -c %d:%i "/proc/$bare_pid/root/packages" 2>/dev/null)" = "$(stat -c %d:%i "$folder/packages")" ] &&
			[ "$(tr '\0' ' ' <"/proc/$bare_pid/cmdline" | cut -d' ' -f1)" != bash ] && return 0
		kill -0 "$bare_unshare" 2>/dev/null || return 1
		sleep 0.1
	done
	return 1
}

# Processes that lost their parents, as daemons do, come to the first one, and bash collects them.
bare_boot_plain() { bare_cgroup=; bare_boot "$1" /bin/bash -c 'while :; do sleep 1; done'; }

# With systemd, where there are cgroups of the second version.  The reason is in $bare_reason when it cannot be.
bare_boot_systemd() {
	local base i state
	bare_reason=
	base=$(findmnt -nt cgroup2 -o TARGET | head -n 1)
	[ -n "$base" ] || { bare_reason="there are no cgroups of version 2"; return 1; }
	bare_cgroup=$base/firebreak-bare-$$
	mkdir "$bare_cgroup" 2>/dev/null || { bare_reason="no cgroup can be made in $base"; bare_cgroup=; return 1; }
	bare_boot "$1" /lib/systemd/systemd --system --unit=multi-user.target --show-status=0 || {
		bare_reason="systemd does not start in namespaces here: $(tail -n 1 "$work/boot.log" | tr -d '#')"
		bare_halt
		return 1
	}
	for ((i = 0; i < 300; i++)); do
		state=$(within systemctl is-system-running)
		[[ $state == running || $state == degraded ]] && return 0
		kill -0 "$bare_unshare" 2>/dev/null || break
		sleep 0.2
	done
	bare_reason="systemd does not come up in namespaces here: $state"
	bare_halt
	return 1
}

within() {	# within COMMAND...: in the system that was booted; what it says goes to standard output
	nsenter --target "$bare_pid" --mount --pid --net --ipc --uts ${bare_cgroup:+--cgroup} --root -- env -C / -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
		LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@" 2>&1 </dev/null
}

bare_halt() {	# all that runs in it ends with its first process
	[ -z "$bare_unshare" ] || kill -KILL "$bare_unshare" 2>/dev/null
	[ -z "$bare_pid" ] || kill -KILL "$bare_pid" 2>/dev/null
	[ -z "$bare_unshare" ] || wait "$bare_unshare" 2>/dev/null
	for ((i = 0; i < 50; i++)); do
		[ -n "$bare_cgroup" ] || break
		find "$bare_cgroup" -mindepth 1 -depth -type d -exec rmdir {} + 2>/dev/null
		rmdir "$bare_cgroup" 2>/dev/null && break
		sleep 0.1
	done
	bare_unshare= bare_pid= bare_cgroup=
}
