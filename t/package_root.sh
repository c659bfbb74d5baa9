# shellcheck shell=bash
# package_root.sh - the long form of t/package.sh, which sources it: two builds, and a bare Debian that the package is installed
# into, upgraded, downgraded, removed and purged in.  As root.
#
# Here each command runs in namespaces of its own, and what it started ends with it; t/bare.sh boots the system.
long_name="the package in a bare system"
. "$src/t/bare_lib.sh"
long_reason=$(bare_missing lintian | head -n 1)
if [ -n "$long_reason" ]; then
	skip "$long_name" "$long_reason"
	tap_done
fi

# ---- two builds: other folder, umask, time zone, language; the same bytes ----
bare_copy_source
bare_build first; ok $? "dpkg-buildpackage" "$(tail -n 20 "$work/first/log")"
package=$(echo "$work"/first/firebreak_"$version"_*.deb)
[ -f "$package" ] || tap_done
( umask 077; bare_build "second/one.folder/down" TZ=Asia/Tokyo LC_ALL=C LANG=C ); ok $? "a second time, elsewhere"
sums() { (cd "$1" && sha256sum -- *.deb); }
is "both gave the same bytes" "$(sums "$work/second/one.folder/down")" "$(sums "$work/first")"
said=$(cd "$work/first" && lintian --allow-root --fail-on error,warning,info --suppress-tags \
	"$(sed '/^#/d; /^$/d' "$src/debian/lintian-suppressed" | paste -sd,)" ./*.changes 2>&1)
ok $? "lintian has nothing to say" "$said"

# ---- what is in it ----
dpkg-deb --fsys-tarfile "$package" | tar -tf - | sed -n 's|^\.\(/.*[^/]\)$|\1|p' | sort >"$work/packed"
multiarch=$(dpkg-architecture -qDEB_HOST_MULTIARCH)
none "the package has each file of make install, and no other" "$(diff <(sed "s|$modules|/usr/lib/$multiarch/c_icap|" "$work/installed" | sort) \
	<(grep -v '^/usr/share/doc/' "$work/packed" | sed '\|^/usr/share/man/|s/\.gz$//' | sort))"
depends=$(dpkg-deb -f "$package" Depends)
cicap=$(dpkg-query -W -f '${Version}' libicapapi-dev)
grep -q 'c-icap (>= ' <<<"$depends" && grep -q 'c-icap (<< ' <<<"$depends"; ok $? "it depends on one version of c-icap" "$depends"

# ---- a bare system ----
system=$work/system
if ! bare_make "$system" "$(bare_needs "$package"),systemd,logrotate,apparmor"; then
	skip "$long_name" "mmdebstrap could not make one: $(tail -n 1 "$work/mmdebstrap" | tr -d '#')"
	tap_done
fi
inside() {	# inside COMMAND...: in the bare system, without a network; what it started ends with it
	unshare --mount --pid --net --ipc --uts --fork --kill-child=KILL -- bash -c '
		mount --make-rprivate / && mount -t proc proc "$1/proc" && mkdir -p "$1/dev/shm" && mount -t tmpfs tmpfs "$1/dev/shm" &&
			mount -t tmpfs tmpfs "$1/run" &&
			ip link set lo up && root=$1 && shift && exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
			DEBIAN_FRONTEND=noninteractive chroot "$root" "$@"' bash "$system" "$@" 2>&1 </dev/null
}
# Other versions of the same: what is tested is what dpkg and our scripts do.
reversion() {	# reversion VERSION: /packages/VERSION.deb in the system
	rm -rf "$work/repack"
	dpkg-deb -R "$package" "$work/repack" && sed -i "s/^Version: .*/Version: $1/" "$work/repack/DEBIAN/control" &&
		dpkg-deb --root-owner-group -Zgzip -z1 -b "$work/repack" "$system/packages/$1.deb" >"$work/repack.log"
}
older=$version~older newer=$version+newer
cp "$package" "$system/packages/$version.deb" && reversion "$older" && reversion "$newer"; ok $? "an older and a newer one are made"
everything() {	# everything FILE: all that the system has, but what dpkg, apt and c-icap write about themselves
	( cd "$system" && find . -xdev \( -path ./proc -o -path ./sys -o -path ./dev -o -path ./run -o -path ./tmp -o -path ./packages \
		-o -path ./var/lib/dpkg -o -path ./var/cache -o -path ./var/log -o -path ./root \) -prune -o \
		-printf '%M %U:%G %l %p ' \( -type f -exec sha256sum {} \; -o -printf '\n' \) | sort -k4 ) >"$1"
}
# Debian's snippet for profiles takes this folder away, which is apparmor's, when it is empty.
touch "$system/etc/apparmor.d/disable/other"
everything "$work/before"
installed_version() { inside dpkg-query -W -f '${Version} ${db:Status-Status}' firebreak; }

said=$(inside dpkg -i "/packages/$older.deb"); ok $? "it installs" "$said"
none "without a word of trouble" "$(grep -iE 'warning|error|cannot|fail' <<<"$said")"
uid=$(sed -n 's/^c-icap:[^:]*:\([0-9]*\):.*/\1/p' "$system/etc/passwd") gid=$(sed -n 's/^c-icap:[^:]*:\([0-9]*\):.*/\1/p' "$system/etc/group")
for folder in '' /sources /alerts /rules /runtime /log; do
	is "/var/lib/firebreak$folder is c-icap's, and the group's" "$(stat -c '%a %u:%g' "$system/var/lib/firebreak$folder")" "2775 $uid:$gid"
done
for unit in $timers; do
	[ -L "$system/etc/systemd/system/timers.target.wants/$unit" ]; ok $? "$unit is enabled"
done
[ ! -e "$system/etc/systemd/system/multi-user.target.wants/firebreak-ship.service" ]; ok $? "firebreak-ship.service is not"
none "systemd-tmpfiles has nothing to change or to say" "$(inside systemd-tmpfiles --create firebreak.conf
	for folder in '' /sources /log; do stat -c '%a %u:%g' "$system/var/lib/firebreak$folder"; done | grep -vxF "2775 $uid:$gid")"
said=$(inside logrotate -d /etc/logrotate.d/firebreak); ok $? "logrotate reads its file" "$said"
is "firebreak says who it is" "$(inside firebreak --version)" "firebreak $version"

# ---- a member of the group publishes, c-icap as Debian has it blocks ----
conf=$system/etc/c-icap/c-icap.conf
cp -p "$conf" "$work/c-icap.conf"
sed -i 's/^Port 1344$/Port 127.0.0.1:1344/' "$conf"
printf 'Service firebreak srv_firebreak.so\nfirebreak.StateDir /var/lib/firebreak\n' >>"$conf"
member="setpriv --reuid=4711 --regid=4711 --groups=$gid --"
said=$(inside $member sh -c 'umask 022; printf "block host .bad.example id=one\n" >/var/lib/firebreak/sources/local.rules && firebreak publish')
ok $? "a member of the group writes a source and publishes" "$said"
cat >"$system/packages/ask" <<'ASK'
# As c-icap's unit does it; then one request.  What is answered goes to standard output.
mkdir -p /run/c-icap && chown c-icap:c-icap /run/c-icap
c-icap -N -D -d 1 >/packages/c-icap.out 2>&1 &
for try in $(seq 100); do
	c-icap-client -i 127.0.0.1 -p 1344 -s echo >/packages/options 2>&1 && break
	sleep 0.1
done
c-icap-client -i 127.0.0.1 -p 1344 -s firebreak -req http://www.bad.example/ -f /etc/hostname -v 2>&1
firebreak status 2>&1
ASK
ask() { inside sh /packages/ask; }
answer=$(ask)
grep -q '403 Forbidden' <<<"$answer"; ok $? "c-icap loads the module and blocks" "$answer"$'\n'"$(tail -n 5 "$system/packages/c-icap.out")"
grep -q '"action":"blocked"' "$system/var/lib/firebreak/events.jsonl" 2>/dev/null; ok $? "there is an event"
is "which the service's user wrote" "$(stat -c '%a %u:%g' "$system/var/lib/firebreak/events.jsonl" 2>&1)" "640 $uid:$gid"

# ---- upgrade, downgrade ----
state_of() { ( cd "$system/var/lib/firebreak" && find . -type f ! -path './runtime/*' -exec sha256sum {} + | sort -k2; find . ! -path ./runtime/shared -printf '%m %U:%G %p\n' | sort ); }
printf 'XXXX' | dd of="$system/var/lib/firebreak/runtime/shared" bs=1 seek=8 conv=notrunc status=none	# as another version would have it
chmod 2770 "$system/var/lib/firebreak/alerts"
echo "# ours" >>"$system/etc/logrotate.d/firebreak"
state_of >"$work/state"
for to in "$newer" "$version"; do
	said=$(inside dpkg --force-confdef --force-confold -i "/packages/$to.deb"); ok $? "it goes to $to" "$said"
	is "and is there" "$(installed_version)" "$to installed"
	is "a layout of another version is said, once" "$(grep -c 'was of another version' <<<"$said")" "$([ $to = "$newer" ] && echo 1 || echo 0)"
	none "the state is as it was, with its owners and modes" "$(state_of | diff "$work/state" -)"
	grep -qx '# ours' "$system/etc/logrotate.d/firebreak"; ok $? "so is what the admin changed"
done
answer=$(ask)
grep -q '403 Forbidden' <<<"$answer"; ok $? "it still blocks" "$answer"

# ---- another c-icap ----
next=$(sed 's/-[^-]*$//' <<<"$cicap" | awk -F. -v OFS=. '{ $NF = $NF + 1; print }')-1
mkdir -p "$work/other/DEBIAN"
printf '%s\n' "Package: c-icap" "Version: $next" "Architecture: all" "Maintainer: nobody <nobody@example.org>" "Description: another c-icap" \
	>"$work/other/DEBIAN/control"
dpkg-deb --root-owner-group -b "$work/other" "$system/packages/other.deb" >"$work/repack.log"
said=$(inside apt-get -s --no-remove -y install /packages/other.deb)
[ $? -ne 0 ] && grep -q firebreak <<<"$said"; ok $? "apt takes no newer c-icap ($next) beside it" "$said"

# ---- removal ----
state_of >"$work/state"
mkdir "$system/etc/squid"
echo 'icap_service fb_req reqmod_precache icap://127.0.0.1:1344/firebreak bypass=off' >"$system/etc/squid/squid.conf"
said=$(inside dpkg -r firebreak); ok $? "it is removed" "$said"
grep -qF "/etc/squid/squid.conf:1:icap_service fb_req" <<<"$said"; ok $? "and says which line of squid.conf still asks it" "$said"
rm -r "$system/etc/squid"
grep -qF "/etc/c-icap/c-icap.conf:$(grep -n srv_firebreak "$conf" | cut -d: -f1):" <<<"$said"
ok $? "and says which line of c-icap.conf still names it" "$said"
none "the state stays" "$(state_of | diff "$work/state" -)"
[ -f "$system/etc/logrotate.d/firebreak" ]; ok $? "so does what is in /etc"
none "no program stays" "$(sed -n '/\/bin\//p; /\/libexec\//p; /\.so$/p; /\/systemd\//p' "$work/packed" | while read -r file; do
	[ ! -e "$system$file" ] || echo "$file"; done)"
answer=$(ask)
! grep -q '403 Forbidden' <<<"$answer"; ok $? "c-icap without it blocks nothing: the warning is right" "$answer"
said=$(inside dpkg -i "/packages/$version.deb"); ok $? "it comes back" "$said"
answer=$(ask)
grep -q '403 Forbidden' <<<"$answer"; ok $? "and blocks, by the rules that it had" "$answer"

# ---- purge ----
cp -p "$work/c-icap.conf" "$conf"
mkdir -p "$system/var/lib/systemd/timers"
for unit in $timers; do touch "$system/var/lib/systemd/timers/stamp-$unit"; done
said=$(inside dpkg -P firebreak); ok $? "it is purged" "$said"
none "without a warning, as nothing names it" "$(grep -i 'warning' <<<"$said")"
rmdir "$system/var/lib/systemd/timers" 2>/dev/null
everything "$work/after"
none "nothing of it is left" "$(diff "$work/before" "$work/after")"
none "nothing is mounted" "$(grep -F "$system" /proc/mounts)"
none "nothing runs" "$(find /proc -maxdepth 2 -name root -lname "$system*" 2>/dev/null)"
