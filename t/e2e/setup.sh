#!/usr/bin/env bash
# "firebreak setup" and "firebreak undo" with a real Squid and a real c-icap that begin with Debian's own configurations: proven, shown,
# alone and beside others' services, interrupted, refused, and taken back byte for byte.  TAP.
. "${top_srcdir:-.}/t/e2e/tap.sh"

# The files as they were packed: what somebody made of them here is no ground to stand on.
for conf in squid:/etc/squid/squid.conf c-icap:/etc/c-icap/c-icap.conf; do
	path=${conf#*:}
	sum=$(dpkg-query -W -f='${Conffiles}\n' "${conf%%:*}" 2>/dev/null | awk -v path="$path" '$1 == path { print $2 }')
	if [ -z "$sum" ] || [ "$(md5sum <"$path" | cut -d' ' -f1)" != "$sum" ]; then
		skip "setup with Debian's configurations" "$path is not as Debian has it"
		tap_done
		exit
	fi
done

e2e_init setup
etc=$LAB_LIVE/etc run=$LAB_LIVE data=$LAB_STATE/data
lab_as mkdir -p "$etc/squid/conf.d" "$etc/c-icap" "$data"
mapfile -t ports < <("$LAB_LIVE/origin" --ports 3 "$LAB_PORT_BASE")
squid_port=${ports[0]} icap_port=${ports[1]} origin_port=${ports[2]}
LAB_PROXY=http://127.0.0.1:$squid_port
squid_name=firebreaksetup$squid_port

# ---- Debian's files, with other ports, folders and no user of their own ----

# Under a sanitizer c-icap has to be started with its runtime, by us; else setup starts it, from an address that it has to close.
port_line="Port $icap_port"
[ -z "$LAB_PRELOAD" ] || port_line="Port 127.0.0.1:$icap_port"
stock_cicap() {
	sed -e "s|^Port 1344|$port_line|" -e "s|/var/run/c-icap|$run|" -e "s|/var/log/c-icap|$LAB_STATE/log|" -e "s|^TmpDir .*|TmpDir $run|" \
		-e '/^User /d' -e '/^Group /d' /etc/c-icap/c-icap.conf
}
stock_squid() {
	sed -e "s|^http_port 3128|http_port 127.0.0.1:$squid_port|" -e "s|^include /etc/squid|include $etc/squid|" \
		-e "s|^coredump_dir .*|coredump_dir $run|" /etc/squid/squid.conf
}
write_stock() {
	stock_cicap | lab_write "$etc/c-icap/c-icap.conf"
	stock_squid | lab_write "$etc/squid/squid.conf"
	lab_write "$etc/squid/conf.d/debian.conf" </etc/squid/conf.d/debian.conf
	lab_write "$etc/squid/conf.d/00-lab.conf" <<-END
		visible_hostname firebreak.test
		pid_filename $run/squid.own
		netdb_filename none
		pinger_enable off
		cache_mem 16 MB
		memory_cache_shared off
		shutdown_lifetime 0 seconds
		hosts_file $run/hosts
		cache_log $LAB_STATE/log/cache.log
		access_log stdio:$LAB_STATE/log/access.log
		logformat lab %icap::rm %icap::<service_name %ru
		icap_log stdio:$LAB_STATE/log/icap.log lab
	END
}
fingerprint() { (cd "$etc" && find . -type f -print0 | sort -z | xargs -0 stat -c '%n %a %U %G' && find . -type f -print0 | sort -z | xargs -0 sha256sum); }
options=(--squid-conf "$etc/squid/squid.conf" --squid-name "$squid_name" --c-icap-conf "$etc/c-icap/c-icap.conf"
	--module "$run/srv_firebreak.so" --helper "$run/firebreak-inspect-helper")
fb() {	# fb STATUS NAME ARGUMENT...: what it says is in $out
	local want=$1 name=$2 got
	shift 2
	out=$(lab_as env LD_PRELOAD= timeout 120 "$LAB_FIREBREAK" --state "$data" "$@" 2>&1 </dev/null)
	got=$?
	is "$got" "$want" "$name: exit status $want" "$out"
}
setup() { fb "$1" "$2" setup "${options[@]}" "${@:3}"; }
has() { grep -qF -e "$2" <<<"$out"; ok $? "$1" "not there: $2"$'\n'"$out"; }
counts() { is "$(grep -cF -e "$2" <<<"$out")" "$3" "$1" "$out"; }

start_cicap() {
	lab_spawn c-icap env LD_PRELOAD="$LAB_PRELOAD" c-icap -N -f "$etc/c-icap/c-icap.conf"
	lab_wait_for c-icap lab_port_open "$icap_port"
}
start_squid() {
	lab_spawn squid squid -N -n "$squid_name" -f "$etc/squid/squid.conf"
	lab_wait_for Squid lab_port_open "$squid_port"
}
# What setup started is not among the processes that the lab noted; what is idle would keep it for ten seconds.
end_own() {	# end_own PID-FILE
	local pid
	pid=$(cat "$1" 2>/dev/null)
	[ -n "$pid" ] && tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF "$etc/" || return 0
	mapfile -t children < <(pgrep -P "$pid")
	kill -9 "$pid" "${children[@]}" 2>/dev/null
	rm -f "$1"
}
end_cicap() { end_own "$run/c-icap.pid"; }
trap 'end_cicap; end_own "$run/squid.own"; e2e_finish' EXIT

printf '127.0.0.1 good.firebreak.test\n' | lab_write "$run/hosts"
lab_spawn origin "$run/origin" "$origin_port" "$run/bodies"
write_stock
before=$(fingerprint)
[ -z "$LAB_PRELOAD" ] || start_cicap

# ---- what is broken before is not touched ----

printf 'http_acess allow localhost\n' | lab_write "$etc/squid/conf.d/typo.conf"
broken=$(fingerprint)
setup 2 "a squid.conf that Squid refuses"
has "Squid's words are shown" "http_acess"
has "and that nothing was changed" "nothing was changed"
is "$(fingerprint)" "$broken" "nothing was"
rm "$etc/squid/conf.d/typo.conf"
sed -i 's/^ThreadsPerChild .*/&\nThreadsPerChilled 3/' "$etc/c-icap/c-icap.conf"
broken=$(fingerprint)
setup 2 "a c-icap.conf that c-icap refuses"
has "its line is named" "c-icap.conf:$(grep -n Chilled "$etc/c-icap/c-icap.conf" | cut -d: -f1): error: c-icap refuses this"
is "$(fingerprint)" "$broken" "nothing was changed by that"
write_stock

# ---- where Red Hat has them ----

rhel=$LAB_LIVE/rhel
lab_as mkdir -p "$rhel/usr/sbin" "$rhel/usr/lib64/c_icap" "$rhel/etc/squid" "$rhel/etc/c-icap"
lab_copy /usr/sbin/squid "$rhel/usr/sbin/squid" 755
lab_copy /usr/bin/c-icap "$rhel/usr/sbin/c-icap" 755
lab_copy "$run/srv_firebreak.so" "$rhel/usr/lib64/c_icap/srv_firebreak.so" 755
printf 'http_access allow localhost\nhttp_port 3128\n' | lab_write "$rhel/etc/squid/squid.conf"
printf 'ServicesDir /usr/lib64/c_icap\nPort 1344\nUser c-icap\n' | lab_write "$rhel/etc/c-icap/c-icap.conf"
fb 0 "a dry run below another root" setup --root "$rhel" --dry-run
has "a squid.conf that includes no folder gets a line" "+include /etc/squid/firebreak.conf"
has "so does c-icap.conf" "+Include /etc/c-icap/firebreak.conf"
has "the module is found in its folder" "+Service firebreak_module srv_firebreak.so"
fb 2 "nothing there is run" setup --root "$rhel"

# ---- Debian's own ----

setup 2 "a proxy without a port" --proxy nonsense
has "is told before anything is changed" "--proxy takes HOST:PORT, such as 127.0.0.1:3128"
is "$(fingerprint)" "$before" "and nothing is"
setup 0 "a dry run" --dry-run
has "it shows the file that would come" "+++ $etc/squid/conf.d/firebreak.conf"
is "$(fingerprint)" "$before" "it changes nothing"
start_squid
setup 0 "setup of Debian's Squid and c-icap"
counts "eleven kinds of blocks are proven" "blocked, as it should be" 11
counts "and that something passes" "passed, as it should be" 1
is "$(firebreak --state "$data" metrics | sed -n 's/^firebreak_reloads_total{result="refused"} //p')" 0 "no worker calls it a refusal that nothing was published yet"
is "$(fetch "http://good.firebreak.test:$origin_port/hello" | cut -d' ' -f1)" 200 "a page comes through"
fb 0 "a rule of the administrator's" block .listed.example
is "$(fetch http://www.listed.example/ | cut -d' ' -f1)" 403 "it blocks"
[ ! -e "$data/sources/firebreak-setup.rules" ]; ok $? "no rule of the proof is left"
like "$(ss -Hltn "sport = :$icap_port")" "*127.0.0.1:$icap_port*" "c-icap listens on the loopback address"
fb 0 "the doctor finds nothing there" doctor
fb 0 "nor in one line" doctor --nagios
has "which is as monitors want it" "FIREBREAK OK - nothing is wrong | critical=0 warnings=0"
fb 0 "a selftest finds where to ask" selftest --limit 60000
has "and all blocked" "good: 11 kinds are blocked"
fb 1 "a state folder that is not there" --state "$data/none" doctor "${options[@]:0:6}"
has "it says where that would be" "-> firebreak setup makes $data/none; another is named by --state DIR"
[ -e "$LAB_STATE/log/firebreak-unfiltered.log" ] && [ ! -s "$LAB_STATE/log/firebreak-unfiltered.log" ]
ok $? "nothing went through without being asked about"
after=$(fingerprint)
setup 0 "setup again" --no-proof
has "it says so" "nothing changes"
is "$(fingerprint)" "$after" "and nothing does"
fb 0 "undo" undo
is "$(fingerprint)" "$before" "every file is as it was, with owner and mode"
[ ! -e "$data/setup" ] && [ ! -e "$data/runtime/selftest" ]; ok $? "no trace of it is left in the state folder"
lab_wait_for "Squid without Firebreak" sh -c "[ \"\$(curl -s -o /dev/null -w '%{http_code}' -x $LAB_PROXY http://www.listed.example/)\" != 403 ]"
ok $? "Squid runs without it"
fb 1 "now the doctor does" doctor "${options[@]:0:6}"
has "what is missing" "[no-request-service]"
fb 0 "undo again" undo
has "it says that there is nothing" "nothing to undo"

# ---- killed ----

kill_setup() {	# kill_setup SIGNAL: setup gets it when it has written its last file
	lab_as env LD_PRELOAD= "$LAB_FIREBREAK" --state "$data" setup "${options[@]}" >/dev/null 2>&1 &
	local pid=$! i
	for ((i = 0; i < 600; i++)); do
		[ ! -e "$etc/squid/conf.d/firebreak.conf" ] || break
		sleep 0.05
	done
	mapfile -t children < <(pgrep -P "$pid")	# a shell may stand between us and it
	kill "-$1" "${children[@]:-$pid}" 2>/dev/null
	wait "$pid" 2>/dev/null
}
kill_setup TERM
is "$(fingerprint)" "$before" "a setup that is told to end puts all back"
kill_setup KILL
[ "$(fingerprint)" != "$before" ]; ok $? "a setup that was killed leaves files changed"
fb 0 "undo after that" undo
is "$(fingerprint)" "$before" "puts them back"
kill_setup KILL
setup 0 "or setup once more"
is "$(fingerprint)" "$after" "which goes all the way"

# ---- others change a file meanwhile ----

printf '# a line more\n' | lab_as sh -c 'cat >>"$1"' sh "$etc/c-icap/c-icap.conf"
fb 0 "undo after somebody changed c-icap.conf" undo
has "it is said" "was changed by somebody since"
! grep -rq 'firebreak setup' "$etc"; ok $? "no line of ours is left"
is "$(sed '$d' "$etc/c-icap/c-icap.conf" | sha256sum) $(tail -n 1 "$etc/c-icap/c-icap.conf")" "$(stock_cicap | sha256sum) # a line more" "theirs is there"

# ---- what cannot be proven is put back ----

write_stock
printf 'http_access deny to_localhost\n' | lab_write "$etc/squid/conf.d/10-site.conf"
before=$(fingerprint)
setup 2 "setup where Squid reaches no origin on the loopback address"
has "what fails is told" "Squid answered 403, ERR_ACCESS_DENIED"
has "and what helps" "http_access allow localhost"
is "$(fingerprint)" "$before" "every file is as it was"
[ ! -e "$data/setup" ]; ok $? "and nothing waits to be undone"
rm "$etc/squid/conf.d/10-site.conf"
lab_as squid -n "$squid_name" -f "$etc/squid/squid.conf" -k reconfigure

# ---- beside others ----

{ stock_cicap; printf 'ServiceAlias one echo\nServiceAlias two echo\nServiceAlias three echo\n'; } | sed "s|^$port_line|Port 127.0.0.1:$icap_port|" |
	lab_write "$etc/c-icap/c-icap.conf"
{ stock_squid; cat <<-END; } | lab_write "$etc/squid/squid.conf"
	icap_enable on
	icap_preview_size 0
	icap_service one_req reqmod_precache icap://127.0.0.1:$icap_port/one bypass=off
	icap_service two_resp respmod_precache icap://127.0.0.1:$icap_port/two bypass=off
	icap_service three_resp respmod_precache icap://127.0.0.1:$icap_port/three bypass=off
	adaptation_service_chain others two_resp three_resp
	acl scanned urlpath_regex ^/scanned
	adaptation_access one_req allow scanned
	adaptation_access others allow all
END
printf '# no newline at the end' | lab_as sh -c 'cat >>"$1"' sh "$etc/squid/squid.conf"
beside=$(fingerprint)
end_cicap
start_cicap
lab_as squid -n "$squid_name" -f "$etc/squid/squid.conf" -k reconfigure
asked() {	# asked PATH: which services were, in order
	local i
	: | lab_write "$LAB_STATE/log/icap.log"
	fetch "http://good.firebreak.test:$origin_port$1" >/dev/null
	for i in 1 2 3 4 5 6 7 8 9 10; do
		sleep 0.1
		grep -q "RESPMOD.*$1" "$LAB_STATE/log/icap.log" && break
	done
	awk -v url="$1" 'index($3, url) { print $2 }' "$LAB_STATE/log/icap.log" | tr '\n' ' '
}
lab_wait_for "Squid with the others" sh -c "curl -s -o /dev/null -x $LAB_PROXY http://good.firebreak.test:$origin_port/scanned && grep -q three_resp $LAB_STATE/log/icap.log"
is "$(asked /scanned/0)" "one_req two_resp three_resp " "what others have, before"
setup 0 "setup beside others' services"
counts "all is proven there, too" "blocked, as it should be" 11
has "what has to change of theirs is said" "icap_preview_size has to be"
is "$(asked /scanned/1)" "firebreak_req one_req two_resp three_resp firebreak_resp " "all are asked, ours nearest to the client"
is "$(asked /plain)" "firebreak_req two_resp three_resp firebreak_resp " "and of requests ours alone where theirs were not"
after=$(fingerprint)
setup 0 "setup again beside others" --no-proof
is "$(fingerprint)" "$after" "nothing changes there, too"

fb 0 "undo beside others" undo
is "$(fingerprint)" "$beside" "every file is as it was, the one without a newline, too"
is "$(asked /scanned/2)" "one_req two_resp three_resp " "the others work on"

# ---- a Squid that is ending ----

lab_as squid -n "$squid_name" -f "$etc/squid/squid.conf" -k shutdown
setup 0 "setup while Squid is ending" --no-proof
has "it is waited for" "it is ending or starting; waiting for at most"
lab_wait_for "Squid, started by setup" lab_port_open "$squid_port"
fb 0 "undo with other services in squid.conf" undo
has "a Squid that setup started goes on" "Squid, which setup started, goes on"
is "$(asked /scanned/3)" "one_req two_resp three_resp " "for those who were there before"
end_own "$run/squid.own"

end_cicap
e2e_done
