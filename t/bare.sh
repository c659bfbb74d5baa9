#!/usr/bin/env bash
# What a newcomer does, on Debian 12 with Squid and c-icap as they are shipped: the package is installed, "firebreak setup" is called, and
# something is blocked; "firebreak undo" and a removal of the package take all of it back, while people go on using the proxy.  Alone,
# beside a service of c-icap, and beside an ICAP chain; with systemd, where it runs in namespaces, and without.  Every file of /etc
# is compared by mode, owner, link and SHA-256.  TAP.
#
# FIREBREAK_BARE=long (make bare-check, as root): ten minutes and Debian's packages.  FIREBREAK_BARE="plain chain" does some of it:
# plain and systemd are alone, service and chain beside others.  FIREBREAK_DEB=FILE takes a package that was built before.
set -u
src=$(cd "${top_srcdir:-.}" && pwd) build=$(cd "${top_builddir:-.}" && pwd)
PATH=$PATH:/usr/sbin:/sbin
. "$src/t/tap.sh"
lives=${FIREBREAK_BARE:-}
[ -n "$lives" ] || skip_all "a bare Debian: make bare-check does it, as root"
[ "$lives" != long ] || lives="plain systemd service chain"
wanted() { [[ " $lives " == *" $1 "* ]]; }
work=$(mktemp -d /var/tmp/firebreak-bare-XXXXXX) || exit 1	# a file system with room, on which a user other than root gets along
chmod 755 "$work"
. "$src/t/bare_lib.sh"
trap 'bare_halt; rm -rf --one-file-system "$work"' EXIT
trap 'exit 1' INT TERM HUP
is() { [ "$2" = "$3" ]; ok $? "$surroundings: $1" "     got: $2"$'\n'"expected: $3"; }	# is NAME GOT EXPECTED
none() { [ -z "$2" ]; ok $? "$surroundings: $1" "$2"; }				# none NAME LINES
good() { ok "$1" "$surroundings: $2" "$3"; }						# good STATUS NAME LINES

reason=$(bare_missing curl | head -n 1)
[ -z "$reason" ] || skip_all "a bare Debian: $reason"
bare_copy_source
if [ -n "${FIREBREAK_DEB:-}" ]; then
	package=$FIREBREAK_DEB
else
	bare_build first; ok $? "dpkg-buildpackage" "$(tail -n 20 "$work/first/log")"
	package=$(echo "$work"/first/firebreak_*.deb)
fi
[ -f "$package" ] || { echo "Bail out! no package"; exit 1; }
system=$work/system
# What is there before: a Squid, for the package recommends none to those who have one of their own; and what else a machine has.
if ! bare_make "$system" "$(bare_needs "$package"),squid,ca-certificates,libc-icap-mod-urlcheck,curl,procps,systemd,systemd-sysv,logrotate,apparmor"; then
	skip "a bare Debian" "mmdebstrap could not make one: $(tail -n 1 "$work/mmdebstrap" | tr -d '#')"
	tap_done
fi
# Debian's snippet for profiles takes this folder away, which is apparmor's, when it is empty.
touch "$system/etc/apparmor.d/disable/other"
# Nobody is there whom one could ask for names.
echo '127.0.0.1 localhost www.listed.example www.theirs.example' >"$system/etc/hosts"
cp "$package" "$system/packages/firebreak.deb" && cp "$build/t/origin" "$system/packages/origin"

etc_of() {	# etc_of FILE: everything in /etc: what it is, whose, where it leads, its bytes; and the number of links
	( cd "$system/etc" && { find . -type d -printf '%p folder %m %U:%G\n'; find . ! -type d -printf '%p %y %m %U:%G %n links, to "%l"\n'
		find . -type f -exec sha256sum {} + | awk '{ print $2, $1 }'; } | LC_ALL=C sort ) >"$1"
}
same_etc() { none "$1" "$(diff "$2" "$3" | grep '^[<>]')"; }		# same_etc NAME BEFORE AFTER

# ---- what people see of the proxy ----

proxy=http://127.0.0.1:3128
page() { within curl -s --max-time 30 -w ' %{http_code}' -x $proxy "$1" | tr -d '\0'; }	# and the status behind it
ask() { within curl -s -o /dev/null --max-time 30 -w '%{http_code}' -x $proxy "$@"; }
until_is() {	# until_is STATUS CURL-ARGUMENT...: what is answered last; a daemon that starts has a while
	local want=$1 got i
	shift
	for ((i = 0; i < 60; i++)); do
		got=$(ask "$@")
		[ "$got" != "$want" ] || break
		sleep 0.25
	done
	echo "$got"
}
hello=http://127.0.0.1:8080/hello
bytes='http://127.0.0.1:8080/bytes?n=4321&seed=7&file=patch.exe'

# ---- the lives ----

systemd() { [ -n "$bare_cgroup" ]; }
start_origin() {
	nsenter --target "$bare_pid" --mount --pid --net --ipc --uts --root -- env -C / setsid /packages/origin 8080 >/dev/null 2>&1 </dev/null &
	disown
}
# As an administrator without systemd would.
start_cicap() { within sh -c 'mkdir -p /run/c-icap && chown c-icap:c-icap /run/c-icap && c-icap'; }
restart_both() {
	if systemd; then
		within sh -c 'if systemctl is-enabled --quiet c-icap; then systemctl restart c-icap; else systemctl try-restart c-icap; fi; systemctl restart squid'
		return
	fi
	within sh >/dev/null -c 'squid -k shutdown; i=0; while squid -k check 2>/dev/null && [ $i -lt 600 ]; do sleep 0.1; i=$((i + 1)); done
		if pid=$(cat /run/c-icap/c-icap.pid 2>/dev/null) && kill $pid 2>/dev/null; then
			i=0; while kill -0 $pid 2>/dev/null && [ $i -lt 300 ]; do sleep 0.1; i=$((i + 1)); done; c-icap
		fi; squid'
}

# set_up NAME: and what has to be so then
set_up() {
	said=$(within firebreak setup); good $? "$1" "$said"
	kinds=$(grep -c 'blocked, as it should be' <<<"$said")
	[ "$kinds" -ge 8 ]; good $? "all kinds of blocks are proven ($kinds)" "$said"
	is "and that something passes" "$(grep -c 'passed, as it should be' <<<"$said")" 1
	is "no worker has refused any rules" "$(within firebreak metrics | sed -n 's/^firebreak_reloads_total{result="refused"} //p')" 0
}

# What the administrator does first.
rules() {
	local md5
	md5=$(within /packages/origin --body 4321 7 | md5sum | cut -d' ' -f1)
	said=$(within firebreak block .listed.example); good $? "a host is blocked" "$said"
	said=$(within sh -c "echo 'block file 4321:md5:$md5 name=patch.exe' >>/var/lib/firebreak/sources/local.rules && firebreak publish"); good $? "and a file" "$said"
}
they_act() {
	local got
	got=$(page http://www.listed.example/)
	[[ $got == *403 && $got == *Firebreak* ]]; good $? "curl gets the page instead of a listed host" "$got"
	is "and instead of a listed file" "$(ask "$bytes")" 403
	is "what nobody listed comes through" "$(ask "$hello")" 200
	within firebreak events | grep -q listed.example; good $? "it is in the log" ""
}
they_are_gone() {
	is "a page comes through" "$(until_is 200 "$hello")" 200
	is "so does the file" "$(until_is 200 "$bytes")" 200
	[ "$(ask http://www.listed.example/)" != 403 ]; good $? "and what is listed is not refused" ""
}

life() {	# life NAME OTHERS: all of it, from a bare machine to a bare machine; OTHERS NAME says how those do who were there before
	local others=$2
	surroundings=$1
	etc_of "$work/bare"
	said=$(within apt-get install -y /packages/firebreak.deb); good $? "the package is installed" "$said"
	etc_of "$work/installed"
	none "no file of /etc changes by that" "$(LC_ALL=C comm -23 "$work/bare" "$work/installed")"
	none "what comes is its own" "$(LC_ALL=C comm -13 "$work/bare" "$work/installed" | grep -vE 'firebreak|timers.target.wants folder')"
	$others "before"

	set_up "firebreak setup"
	rules
	they_act
	$others "beside Firebreak"
	said=$(within firebreak doctor); good $? "the doctor has nothing to say" "$said"
	if systemd; then
		for unit in selftest retain update lead; do
			said=$(within systemctl start firebreak-$unit.service); good $? "firebreak-$unit.service does its work" "$said"$'\n'"$(within systemctl status --no-pager firebreak-$unit.service)"
		done
		is "no unit has failed" "$(within systemctl --failed --no-legend --plain | grep -E 'firebreak|c-icap|squid')" ""
	fi
	said=$(within firebreak undo); good $? "firebreak undo" "$said"
	etc_of "$work/undone"
	same_etc "every file of /etc is as it was" "$work/installed" "$work/undone"
	they_are_gone
	$others "after undo"

	# A Squid that is told to end listens no more, and is there for half a minute.
	if systemd; then within systemctl --no-block restart squid; else within squid -k shutdown >/dev/null; fi
	set_up "firebreak setup while Squid is ending"
	grep -q 'waiting for at most' <<<"$said"; good $? "which it waits for, and says so" "$said"
	they_act
	# People are at it meanwhile.
	within sh -c "while [ ! -e /packages/stop ]; do curl -s -o /dev/null --max-time 30 -w '%{http_code}\n' -x $proxy $hello; sleep 0.1; done" >"$work/seen" &
	local watcher=$!
	said=$(within apt-get remove -y firebreak); good $? "the package is removed while it is set up" "$said"
	sleep 1
	touch "$system/packages/stop"; wait "$watcher"; rm "$system/packages/stop"
	# A Squid that is reloaded closes its ports for a moment (000), and that is all that may be seen.
	grep -qx 200 "$work/seen"; good $? "people got their pages meanwhile" ""
	# Where c-icap goes back to all addresses, it is started anew, and with bypass=off, theirs and ours, errors are shown as long.
	seen=200,000
	grep -q "^Port 127" "$system/etc/c-icap/c-icap.conf" || [ "$others" = nobody_else ] || seen+=,500
	none "and no error but $seen" "$(sort "$work/seen" | uniq -c | grep -vE " (${seen//,/|})\$")"
	none "no warning is needed" "$(grep -i 'warning: these lines' <<<"$said")"
	they_are_gone
	$others "after the removal"
	none "no line of it is left" "$(grep -rsl 'firebreak setup' "$system/etc")"
	restart_both
	they_are_gone
	$others "after both were started anew"
	said=$(within apt-get purge -y firebreak); good $? "it is purged" "$said"
	etc_of "$work/purged"
	same_etc "every file of /etc is as it was before the package" "$work/bare" "$work/purged"
	[ ! -e "$system/var/lib/firebreak" ]; good $? "and the state is gone" ""
}

nobody_else() { :; }

# A list of a service that Debian has, as its own sample says; and answers go through echo.
site_cicap() {
	cp -p "$system/etc/c-icap/c-icap.conf" "$work/c-icap.conf"
	printf '%s\n' 'Include srv_url_check.conf' 'url_check.LookupTableDB theirs host file:/etc/c-icap/theirs' 'url_check.Profile default block theirs' \
		'url_check.Profile default pass ALL' >>"$system/etc/c-icap/c-icap.conf"
	sed -i 's/^url_check.Profile default pass ALL/#&/' "$system/etc/c-icap/srv_url_check.conf"
	echo www.theirs.example >"$system/etc/c-icap/theirs"
	# Once with the port as it is shipped, which setup closes, and once as it should be.
	[ "$1" = service ] || sed -i 's/^Port 1344$/Port 127.0.0.1:1344/' "$system/etc/c-icap/c-icap.conf"
}
site_service() {
	cat >"$system/etc/squid/conf.d/site.conf" <<-'END'
		icap_enable on
		icap_service site_check reqmod_precache icap://127.0.0.1:1344/url_check bypass=off
		adaptation_access site_check allow all
	END
}
site_chain() {
	cat >"$system/etc/squid/conf.d/site.conf" <<-'END'
		icap_enable on
		icap_service site_echo reqmod_precache icap://127.0.0.1:1344/echo bypass=off
		icap_service site_check reqmod_precache icap://127.0.0.1:1344/url_check bypass=off
		icap_service site_answers respmod_precache icap://127.0.0.1:1344/echo bypass=off
		adaptation_service_chain site_chain site_echo site_check
		adaptation_access site_chain allow all
		adaptation_access site_answers allow all
		logformat site %icap::rm %icap::<service_name
		icap_log stdio:/var/log/squid/icap.log site
	END
}
check_others() {
	local got
	got=$(page http://www.theirs.example/)	# which ends in a NUL
	[[ $got == *403 && $got != *Firebreak* ]]; good $? "url_check blocks its own, $1" "$got"
}
check_chain() {
	check_others "$1"
	: >"$system/var/log/squid/icap.log"
	ask "$hello?$RANDOM" >/dev/null
	local i asked
	for ((i = 0; i < 40; i++)); do
		asked=$(sed -n 's/^RE[A-Z]*MOD \(site_[a-z]*\)$/\1/p' "$system/var/log/squid/icap.log" | tr '\n' ' ')
		[ "$asked" != "site_echo site_check site_answers " ] || break
		sleep 0.1
	done
	is "the chain is asked in its order, $1" "$asked" "site_echo site_check site_answers "
}
site_gone() {
	cp -p "$work/c-icap.conf" "$system/etc/c-icap/c-icap.conf"
	sed -i 's/^#url_check.Profile default pass ALL/url_check.Profile default pass ALL/' "$system/etc/c-icap/srv_url_check.conf"
	rm "$system/etc/c-icap/theirs" "$system/etc/squid/conf.d/site.conf"
}

# Debian's policy asks for no service that is not up; with systemd Squid is, as after its own installation, and c-icap is not.
boot() {	# boot plain|systemd: nothing, with the reason in $bare_reason, when that cannot be
	"bare_boot_$1" "$system" || return 1
	start_origin
	return 0
}

for init in plain systemd; do
	wanted $init || continue
	surroundings=$init
	if ! boot "$init"; then
		skip "a bare Debian with $init" "${bare_reason:-it does not boot: $(tail -n 1 "$work/boot.log" | tr -d '#')}"
		continue
	fi
	systemd && is "Squid runs as Debian has it" "$(until_is 200 "$hello")" 200
	life "$init, alone" nobody_else
	bare_halt
done
for kind in service chain; do
	wanted $kind || continue
	site_cicap $kind
	"site_$kind"
	if [ $kind = chain ] && boot systemd; then
		init=systemd
		within systemctl enable --now c-icap >/dev/null
	elif boot plain; then
		init=plain
		start_cicap
		within squid >/dev/null
	else
		echo "Bail out! it does not boot: $(tail -n 1 "$work/boot.log")"
		exit 1
	fi
	if [ $kind = chain ]; then life "$init, beside a chain" check_chain; else life "$init, beside a service" check_others; fi
	bare_halt
	site_gone
done
none "nothing runs" "$(find /proc -maxdepth 2 -name root -lname "$system*" 2>/dev/null)"
tap_done
