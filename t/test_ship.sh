#!/usr/bin/env bash
# firebreak ship: a real rsyslogd, which is not root here and listens on loopback alone, gets every event byte for byte, whatever is in
# it, and whoever is ended, killed or rotated meanwhile.  TAP.
set -u
. "${top_srcdir:-.}/t/verb.sh"
mkdir -p "$state"
log=$state/events.jsonl
port=$((${FIREBREAK_PORT_BASE:-13000} + 700 + $$ % 100))
events() { "$build/t/make_events" "$@"; }

# ---- usage ----
fb 0 "help" ship --help
for wrong in "" "x:y" "tcp:host" "tcp::1" "tcp:host:0" "tcp:host:99999" "udp:" "unix:" "tls:[::1" "udp:h --facility x" "udp:h --severity x" \
	"udp:h --max-size 100" "udp:h --sd-id x" "udp:h --cert x" "udp:h udp:h"; do
	# shellcheck disable=SC2086
	fb 2 "ship $wrong" ship $wrong
done
fb 2 "no state folder" ship --state "$work/none" udp:127.0.0.1
fb 2 "a certificate that is not there" ship --ca "$work/none" tls:127.0.0.1
has "it says which" "$work/none" "$err"
events 0 3 >"$log"
fb 2 "nobody listens" ship --once "tcp:127.0.0.1:$port"
has "it says so" "Connection refused" "$err"
fb 2 "no such socket" ship --once "unix:$work/none"
[ "$(stat -c %a "$state/ship.position")" = 600 ]; ok $? "who else may read what is noted: nobody"

PATH=$PATH:/usr/sbin
if ! command -v rsyslogd >/dev/null; then
	skip "a real receiver" "rsyslogd is missing: apt-get install rsyslog rsyslog-openssl"
	tap_done
	exit
fi
as=()
if [ "$(id -u)" -eq 0 ]; then
	as=(setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups --)
	chmod 711 "$work"
fi
mkdir "$work/rs"
[ ${#as[@]} -eq 0 ] || chown nobody "$work/rs"
if ! "${as[@]}" test -w "$work/rs"; then
	skip "a real receiver" "another user than root cannot get to $work"
	tap_done
	exit
fi
receive() {	# receive LINES: rsyslogd with these inputs; what it gets is in rs/json
	{
		echo "global(workDirectory=\"$work/rs\" maxMessageSize=\"2m\" net.enableDNS=\"off\")"
		cat <<-END
		template(name="json" type="string" string="%msg%\n")
		template(name="about" type="string" string="%pri% %app-name% %msgid% %structured-data%\n")
		ruleset(name="out" queue.type="Direct") {
			action(type="omfile" file="$work/rs/json" template="json")
			action(type="omfile" file="$work/rs/about" template="about")
		}
		END
		cat
	} >"$work/rs.conf"
	begin
}
begin() {
	"${as[@]}" rsyslogd -n -f "$work/rs.conf" -i "$work/rs/pid" >"$work/rs.log" 2>&1 &
	receiver=$!
	for _ in $(seq 100); do [ ! -s "$work/rs/pid" ] || break; sleep 0.1; done
}
end() { kill "-${1:-TERM}" "$receiver" 2>/dev/null; wait "$receiver" 2>/dev/null; rm -f "$work/rs/pid" "$work/rs/log.sock"; }
trap 'end KILL; [ -z "${sender:-}" ] || kill -KILL "$sender" 2>/dev/null; chmod -R u+w "$work" 2>/dev/null; rm -rf "$work"' EXIT
anew() { end; : >"$work/rs/json"; : >"$work/rs/about"; rm -f "$state/ship.position" "$log"*; begin; }	# all of it again

# ---- TCP ----
receive <<END
module(load="imtcp") module(load="imudp") module(load="imuxsock" SysSock.Use="off")
input(type="imtcp" port="$port" address="127.0.0.1" ruleset="out")
input(type="imudp" port="$port" address="127.0.0.1" ruleset="out")
input(type="imuxsock" socket="$work/rs/log.sock" ruleset="out" parseTrusted="off" useSpecialParser="off")
END
events 0 500 >"$log"
tcp="tcp:127.0.0.1:$port"
fb 0 "ship all there is" ship --once --max-size 2097152 "$tcp"
has "and how many that was" "500 events shipped, 0 of them without" "$err"
same "the receiver has the log, byte for byte" "$work/rs/json" "$log"
has "with its structured data" '<132>' "$(sed 's/^\([0-9]*\) .*/<\1>/' "$work/rs/about" | sort -u)"
is "the names of the messages are the actions" "$(cut -d' ' -f3 "$work/rs/about" | sort -u)" \
	"$(sed 's/.*"event":{"id":"[^"]*","action":"\([^"]*\)".*/\1/' "$log" | sort -u)"
first=$(head -n 1 "$log" | grep -o '"id":"[^"]*"' | cut -d'"' -f4)
has "the incident, once more" "firebreak@32473 id=\"$first\" action=\"blocked\"" "$(head -n 1 "$work/rs/about")"
fb 0 "again" ship --once "$tcp"
has "there is nothing" "0 events shipped" "$err"
cp "$log" "$work/all"
mv "$log" "$log.1"; gzip "$log.1"
events 500 600 >"$log"; mv "$log" "$log.2"; events 600 610 >"$log"
events 500 610 >>"$work/all"
fb 0 "after rotation" ship --once --max-size 2097152 "$tcp"
has "what came since" "110 events shipped" "$err"
is "all of it, once" "$(sort "$work/rs/json" | sha256sum)" "$(sort "$work/all" | sha256sum)"
anew
events 0 100 >"$log"
fb 0 "the first time, with --new" ship --once --new "$tcp"
has "what there is is passed over" "0 events shipped" "$err"
events 100 102 >>"$log"
fb 0 "and then" ship --once --new "$tcp"
has "what comes is not" "2 events shipped" "$err"
anew
events 0 100 >"$log"
fb 0 "a limit" ship --once --max-size 8192 --bom --sd-id x@1 --facility daemon --severity debug "$tcp"
short=$(awk 'length($0) > 7000' "$log" | wc -l)
has "what is longer goes without its JSON" "100 events shipped, $short of them without" "$err"
is "and says so" "$(grep -c ' omitted="[0-9]*"\]$' "$work/rs/about")" "$short"
is "the others have it, behind a byte order mark" "$(sed 's/^\xef\xbb\xbf//' "$work/rs/json" | grep -c '^{"@timestamp".*}$')" $((100 - short))
is "facility and severity" "$(cut -d' ' -f1 "$work/rs/about" | sort -u)" 31

# ---- datagrams ----
anew
events 0 200 >"$log"
fb 0 "to a socket of this machine" ship --once --max-size 2097152 "unix:$work/rs/log.sock"
short=$(sed 's/.*shipped, \([0-9]*\) of them.*/\1/' <<<"$err")
sleep 0.3
is "every event came" "$(wc -l <"$work/rs/about")" 200
is "what no datagram holds without its JSON" "$(grep -c ' omitted="[0-9]*"\]$' "$work/rs/about")" "$short"
is "the others byte for byte" "$(grep . "$work/rs/json" | grep -cxFf "$log")" $((200 - short))
anew
events 0 10 >"$log"	# no more than fit into the buffer of a receiver that is asleep: what does not is lost, as it may
fb 0 "by UDP" ship --once --max-size 8192 "udp:127.0.0.1:$port"
for _ in $(seq 100); do [ "$(wc -l <"$work/rs/about")" -lt 10 ] || break; sleep 0.1; done
is "the structured data of each" "$(wc -l <"$work/rs/about")" 10
is "and no line that nobody wrote" "$(grep . "$work/rs/json" | grep -vcxFf "$log")" 0
end
fb 2 "nobody listens there" ship --once --position "$work/udp" "udp:127.0.0.1:$port"

# ---- both are ended and killed, while the log is written and rotated ----
rm -f "$work/rs/json" "$work/rs/about" "$state/ship.position" "$log"*
begin
ship() { "$firebreak" --state "$state" ship --max-size 2097152 "$tcp" 2>>"$work/ship.err" & sender=$!; }
turn() { rm -f "$log.9.gz"; for i in 8 7 6 5 4 3 2; do [ ! -e "$log.$i.gz" ] || mv "$log.$i.gz" "$log.$((i + 1)).gz"; done
	[ ! -e "$log.1" ] || { gzip -1 "$log.1" && mv "$log.1.gz" "$log.2.gz"; }; mv "$log" "$log.1"; }
: >"$work/ship.err"
ship
at=0
# What a receiver has read and not yet written dies with it, whoever sends: this one is stopped when it has written all it has, and
# killed with events that it never read.
cut() {
	local before=-1 now=0
	while [ "$before" != "$now" ]; do before=$now; sleep 0.3; now=$(wc -l <"$work/rs/json"); done
	kill -STOP "$receiver"
	events $at $((at + 100)) >>"$log"
	at=$((at + 100))
	sleep 0.3
	end KILL
}
for what in turn "end TERM" "kill -KILL $sender" begin cut turn begin "kill -TERM" turn cut begin ship "end TERM" begin turn; do
	for _ in 1 2 3; do
		events $at $((at + 100)) >>"$log"
		at=$((at + 100))
		sleep 0.05
	done
	case $what in
	kill*) kill "${what:5:5}" "$sender"; wait "$sender" 2>/dev/null; ship ;;
	ship) kill -KILL "$sender"; wait "$sender" 2>/dev/null; ship ;;
	*) $what ;;
	esac
done
events 0 $at | sort >"$work/all"
for _ in $(seq 150); do [ "$(sort -u "$work/rs/json" | wc -l)" -lt $at ] || break; sleep 0.1; done
: >"$work/ship.err"
end
events $at $((at + 1)) >>"$log"
said() { for _ in $(seq 100); do ! grep -q "$1" "$work/ship.err" || return 0; sleep 0.1; done; return 1; }
said "trying until it works"; ok $? "that the receiver is away is said" "$(cat "$work/ship.err")"
begin
said "it works again"; ok $? "and that it is back" "$(cat "$work/ship.err")"
events $at $((++at)) | sort - "$work/all" -o "$work/all"
kill -TERM "$sender"; wait "$sender"; is "ended by a signal" $? 0
sender=
echo "# $(wc -l <"$work/rs/json") lines of $at events"
is "none is lost" "$(sort -u "$work/rs/json" | comm -13 - "$work/all" | grep -o '"id":"[^"]*"' | head -n 20)" ""
# A sender that is killed within a message leaves a beginning of it, which this receiver keeps; the whole one comes after it.
sort -u "$work/rs/json" | comm -23 - "$work/all" >"$work/odd"
echo "# $(wc -l <"$work/odd") beginnings of messages whose sender was killed"
is "none is forged, or torn but by a kill" "$(awk 'NR == FNR { all[++n] = $0; next }
	{ for (i = 1; i <= n && index(all[i], $0) != 1; i++); if (i > n) print substr($0, 1, 200) }' "$work/all" "$work/odd")" ""
is "and no more of them than kills" "$(($(wc -l <"$work/odd") > 2))" 0
"$firebreak" --state "$state" ship --max-size 2097152 "$tcp" 2>"$work/err" & sender=$!
sleep 0.5
fb 2 "two at once" ship --once "$tcp"
has "it says so" "another process has it" "$err"
kill "$sender"; wait "$sender"; sender=
end

# ---- TLS ----
if [ ! -e "$(ls -d /usr/lib/*/rsyslog/lmnsd_ossl.so 2>/dev/null)" ] || ! command -v openssl >/dev/null; then
	skip "TLS" "rsyslog-openssl or openssl is missing"
	tap_done
	exit
fi
certificate() {	# certificate NAME HOST [CA]: NAME.pem and NAME.key, by itself or by CA
	local by=(-x509)
	[ $# -lt 3 ] || by=(-x509 -CA "$work/$3.pem" -CAkey "$work/$3.key")
	openssl req "${by[@]}" -newkey rsa:2048 -nodes -days 2 -subj "/CN=$2" -addext "subjectAltName=$2" -keyout "$work/$1.key" -out "$work/$1.pem" \
		>"$work/openssl.log" 2>&1 || cat "$work/openssl.log"
}
certificate ca DNS:ca.test
certificate other DNS:ca.test
openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout "$work/rs/server.key" -out "$work/server.csr" >"$work/openssl.log" 2>&1
printf 'subjectAltName=DNS:localhost\n' >"$work/ext"
openssl x509 -req -in "$work/server.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -CAcreateserial -days 2 -extfile "$work/ext" \
	-out "$work/rs/server.pem" >"$work/openssl.log" 2>&1
cp "$work/ca.pem" "$work/rs/ca.pem"
[ ${#as[@]} -eq 0 ] || chown nobody "$work/rs"/*.pem "$work/rs"/*.key
rm -f "$work/rs/json" "$work/rs/about" "$state/ship.position" "$log"*
receive <<END
global(defaultNetstreamDriver="ossl" defaultNetstreamDriverCAFile="$work/rs/ca.pem" defaultNetstreamDriverCertFile="$work/rs/server.pem"
	defaultNetstreamDriverKeyFile="$work/rs/server.key")
module(load="imtcp" streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="anon")
input(type="imtcp" port="$port" address="127.0.0.1" ruleset="out")
END
events 0 300 >"$log"
fb 2 "nobody vouches for it" ship --once --ca "$work/other.pem" "tls:localhost:$port"
has "it says so" "certificate" "$err"
fb 2 "it is somebody else" ship --once --ca "$work/ca.pem" "tls:127.0.0.1:$port"
has "it says so" "mismatch" "$err"
fb 0 "over TLS" ship --once --ca "$work/ca.pem" --max-size 2097152 "tls:localhost:$port"
same "byte for byte" "$work/rs/json" "$log"
end
tap_done
