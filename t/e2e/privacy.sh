#!/usr/bin/env bash
# Pseudonyms, reveals and retention with the real service: what a helpdesk finds, what stands nowhere, and who is told.  TAP.
. "${top_srcdir:-.}/t/e2e/tap.sh"

e2e_init privacy
site() { printf '%s\n' "$@" | lab_write "$LAB_STATE/site.conf"; }
site "Pseudonyms no"
e2e_rules "block host .listed.firebreak.test id=site" "protect host .ours.example"
e2e_publish >/dev/null
e2e_start
# ask USER CLIENT [HOST] [PATH]: what the service answers to one who calls himself so: the status line.
ask() {
	local head first
	head=$(printf 'GET http://%s/%s HTTP/1.1\r\nHost: %s\r\n\r\n.' "${3:-www.listed.firebreak.test}" "${4:-}" "${3:-www.listed.firebreak.test}")
	head=${head%.}
	exec 3<>"/dev/tcp/127.0.0.1/$LAB_ICAP_PORT" || return 1
	{
		printf 'REQMOD icap://127.0.0.1/firebreak ICAP/1.0\r\nHost: a\r\nAllow: 204\r\nX-Client-IP: %s\r\n' "$2"
		[ -z "$1" ] || printf 'X-Client-Username: %s\r\n' "$1"
		printf 'Encapsulated: req-hdr=0, null-body=%d\r\n\r\n%s' "${#head}" "$head"
	} >&3
	read -r -t 10 first <&3
	exec 3<&- 3>&-
	case $first in
	*" 204 "*) echo passes ;;
	*" 200 "*) echo refused ;;
	*) echo "$first" ;;
	esac
}
last() { tail -n 1 "$LAB_EVENTS" | jq -r "$1"; }
found() { firebreak events --json --limit 0 "$@" 2>/dev/null | grep -c .; }
someone() { lab_as env LD_PRELOAD= SUDO_UID="$1" "$LAB_FIREBREAK" --state "$LAB_STATE" "${@:2}" 2>&1; }	# someone UID VERB...
reader() { setpriv --reuid=4242 --regid=4242 --clear-groups -- env LD_PRELOAD= "$LAB_FIREBREAK" --state "$LAB_STATE" "$@" 2>&1; }
everywhere() {	# everywhere TEXT: the files of the state that have it
	grep -rlaF --exclude-dir=live --exclude-dir=san -e "$1" "$LAB_STATE" 2>/dev/null | sed "s|^$LAB_STATE/||" | sort | tr '\n' ' '
}

# ---- before, in clear ----
is "$(ask annelise 192.0.2.77)" refused "a listed host is refused"
is "$(last '.user.name, .client.ip')" $'annelise\n192.0.2.77' "without the option the log has names"
clear_id=$(last .event.id)

# ---- with pseudonyms ----
site "Pseudonyms yes" "RevealSecond no" "LogTargets yes"
e2e_publish >/dev/null
ask bertrand 192.0.2.88 >/dev/null
ask bertrand 192.0.2.88 www.listed.firebreak.test 'mail/id=joe.doe@ours.example' >/dev/null
id=$(last .event.id) user=$(last .user.hash) client=$(last .client.address)
like "$user" "user-????????-*" "the log has a pseudonym for the user"
like "$client" "client-????????-*" "and for the client"
is "$(last '.user.name, .client.ip')" $'null\nnull' "and nothing in clear"
is "$(found --user "$user")" 2 "the same user is the same pseudonym"
is "$(everywhere bertrand)$(everywhere 192.0.2.88)$(everywhere joe.doe)" "" "neither name nor address nor mail stands in any file of the state"
is "$(stat -c '%a' "$LAB_STATE/private") $(stat -c '%a' "$LAB_STATE/private/pseudonym.keys")" "700 600" "the key is for the service's user alone"
grep -q "a first key for pseudonyms was made" "$LAB_STATE"/log/*; ok $? "it was said that it was made"
! grep -qF "$(sed -n 's/^key [^ ]* \([^ ]*\) .*/\1/p' "$LAB_STATE/private/pseudonym.keys" | cut -c1-32)" "$LAB_STATE"/log/* "$LAB_EVENTS"
ok $? "and the key stands in no log"
like "$(jq -r '.user.hash + .client.address' "$LAB_STATE/targets.jsonl" | tail -n 1)" "mail-????????-*client-*" "the targets have pseudonyms"
like "$(firebreak targets)" "*mail-*" "which the verb shows"

# ---- searching ----
is "$(found --user bertrand) $(found --user BERT\*) $(found --client 192.0.2.88) $(found --client '192.0.2.*') $(found 192.0.2.88)" \
	"2 2 2 3 2" "who may read the key finds them by name, pattern and address"
is "$(found --user annelise) $(found --client 192.0.2.77)" "1 1" "and old lines in clear"
like "$(firebreak why "$id")" "*$user*" "the incident shows the pseudonym"
grep -q 'searched by a name' "$LAB_STATE/log/reveals.log"; ok $? "who searches by names is written down"
if [ "$(id -u)" -eq 0 ]; then
	chmod 644 "$LAB_EVENTS"
	is "$(reader events --user bertrand --json 2>/dev/null | grep -c '"event"')" 0 "who has no key finds nobody by name"
	is "$(reader events --user "$user" --json 2>/dev/null | grep -c '"event"')" 2 "but by pseudonym"
	like "$(reader reveal --reason x "$id")" "*only the service's user and root*" "and is told nobody's name"
else
	skip "who has no key finds nobody by name" "not root"
fi

# ---- exceptions ----
out=$(firebreak exception add --incident "$id" --any-host --reason "ticket 1" 2>&1)
ok $? "an exception of that incident" "$out"
grep -qF "user=$user" "$LAB_STATE/sources/exceptions.rules"; ok $? "names the pseudonym"
is "$(ask bertrand 192.0.2.99)" passes "and holds for that user"
is "$(ask christine 192.0.2.88)" refused "not for another"
is "$(ask "$user" 192.0.2.88)" refused "nor for one who calls himself as the pseudonym"
forged_id=$(last .event.id)
out=$(firebreak exception add "1:local:site" --client 192.0.2.55 --reason "ticket 2" 2>&1)
ok $? "one for an address that is typed" "$out"
is "$(ask christine 192.0.2.55)" passes "holds"
is "$(everywhere bertrand)$(everywhere 192.0.2.55)" "" "and no file has the name or the address"
out=$(firebreak exception add --incident "$clear_id" --any-host --reason "ticket 3" 2>&1)
ok $? "one of an old incident in clear" "$out"
is "$(ask annelise 192.0.2.1) $(everywhere annelise)" "passes events.jsonl $(cd "$LAB_STATE" && echo events.jsonl.index.*) " \
	"becomes a pseudonym in the source"

# ---- reveal ----
out=$(firebreak reveal "$id" 2>&1)
is $? 2 "nothing is shown without a reason" "$out"
out=$(firebreak reveal --reason "ticket 4" "$id" 2>&1)
like "$out" "*bertrand*192.0.2.88*" "with one it is"
is "$(last '.event.action, .firebreak.about, .firebreak.note')" $'revealed\n'"$id"$'\nticket 4' "and is an event"
grep -q "was shown event=.*ticket 4" "$LAB_STATE/log/reveals.log"; ok $? "and a line of the trail"
is "$(found --action revealed) $(found --user bertrand --action revealed)" "1 1" "which is found, also by whom it was about"
like "$(firebreak reveal --json --reason x "$client" | jq -r '.names[0].client')" "192.0.2.88" "a pseudonym alone, as JSON"
like "$(firebreak reveal --reason x "$forged_id" | head -n 1)" "User*$user" "who calls himself as a pseudonym is shown as he did"
out=$(firebreak reveal --reason x "${user%?}$([ "${user: -1}" = a ] && echo e || echo a)" 2>&1)
like "$? $out" "1 *refused*" "a forged one is refused"
is "$(last .event.action)" reveal_refused "on record"
out=$(firebreak reveal --reason x "${client%????}" 2>&1)
like "$? $out" "2 *no whole one*" "half of one is not taken for an incident number"

# ---- another key ----
firebreak pseudonyms --new-key >/dev/null
sleep 3		# each worker looks once a second
is "$(ask bertrand 192.0.2.99)" passes "an exception by the old key still holds"
ask dora 192.0.2.88 >/dev/null
new=$(last .client.address)
like "$([ "$new" != "$client" ] && echo other)" other "new lines have another pseudonym"
like "$(firebreak reveal --reason x "$client" "$new" | tr '\n' ' ')" "Client*192.0.2.88 Client*192.0.2.88 " "both open"
is "$(($(found --client 192.0.2.88) > 4)) $(($(found --client "$client") > 4))" "1 1" "and both are found by name, and by either"

# ---- two persons ----
site "Pseudonyms yes" "RevealSecond yes"
e2e_publish >/dev/null
if [ "$(cat /proc/self/loginuid 2>/dev/null || echo 4294967295)" = 4294967295 ]; then
	out=$(someone 4001 reveal --reason "ticket 5" "$id")
	like "$? $out" "1 request *" "somebody asks"
	request=$(sed -n 's/^request \([^ ]*\).*/\1/p' <<<"$out")
	out=$(someone 4001 reveal --approve "$request")
	like "$? $out" "1 *nobody approves his own*" "he cannot approve it himself"
	is "$(last '.event.action, .firebreak.by')" $'reveal_refused\nuid=4001' "and it is on record that he tried"
	like "$(someone 4002 reveal --list)" "*$request*uid=4001*ticket 5*" "another sees that it waits"
	out=$(someone 4002 reveal --approve "$request")
	like "$? $out" "0 request $request is approved*" "and approves it"
	like "$(someone 4002 reveal --reason "ticket 5" "$id")" "request*" "which shows him nothing"
	like "$(someone 4001 reveal --reason "ticket 5" "$id")" "*bertrand*" "but him who asked"
	like "$(someone 4001 reveal --reason "ticket 5" "$id")" "request*" "once"
	is "$(firebreak events --json --limit 0 --action 'reveal_approved' | jq -r .firebreak.by)" "uid=4002" "who approved is found"
else
	skip "two persons" "this login has a user id of its own"
fi

# ---- a name like a pseudonym, in clear ----
site "Pseudonyms no"
e2e_publish >/dev/null
before=$(found --user bertrand)
ask "$user" 192.0.2.66 >/dev/null
is "$(last .user.name)" "$user" "without the option somebody may call himself as a pseudonym"
is "$(found --user bertrand)" "$before" "and is not found as him"
is "$(firebreak events --json --by user | jq -r 'select(.user == "(a name like a pseudonym)") | .events')" 1 "but as such"
forged_id=$(last .event.id)
like "$(firebreak reveal --reason x "$forged_id" 2>/dev/null)" "User*$user, in clear*192.0.2.66, in clear*" "nothing is opened"
is "$(last .event.action)" reveal_refused "which is on record"
out=$(firebreak exception add --incident "$forged_id" --any-host --reason "ticket 9" 2>&1)
like "$? $out" "2 *has the form of a pseudonym*" "and no exception is made of it for him whose it would be"
is "$(ask bertrand 192.0.2.99)" passes "an exception by a pseudonym holds without the option, too"

# ---- as root ----
if [ "$(id -u)" -eq 0 ]; then
	root() { LD_PRELOAD='' "$LAB_FIREBREAK" --state "$LAB_STATE" "$@" 2>&1; }
	like "$(root reveal --reason "as root" "$client")" "Client*192.0.2.88" "root is shown it"
	mv "$LAB_EVENTS" "$LAB_STATE/events.jsonl.1"
	echo precious >"$lab_top/precious"
	chmod 600 "$lab_top/precious"
	ln -s "$lab_top/precious" "$LAB_EVENTS"
	like "$(root reveal --reason "as root" "$client")" "*nothing is shown*" "a link in place of the log does not make him write elsewhere"
	is "$(cat "$lab_top/precious")" precious "where he could"
	rm "$LAB_EVENTS"
	root reveal --reason "as root" "$client" >/dev/null
	is "$(stat -c %U "$LAB_EVENTS")" "$LAB_USER" "a log that he begins is the service's"
else
	skip "as root" "not root"
fi

# ---- no key ----
site "Pseudonyms yes" "RevealSecond yes"
e2e_publish >/dev/null
lab_as chmod 644 "$LAB_STATE/private/pseudonym.keys"
ask zacharias 192.0.2.10 >/dev/null
like "$(last .user.hash)" "user-????????-*" "a file that has become worse: what was read before goes on"
lab_stop "$LAB_STATE"
e2e_start
ask zacharias 192.0.2.10 >/dev/null
is "$(last '.user.hash, .client.address')" $'user-unavailable\nclient-unavailable' "a service without a key writes no name"
is "$(everywhere zacharias)" "" "anywhere"
grep -q "no key that can be used" "$LAB_STATE"/log/*; ok $? "and says so"
like "$(firebreak status --json | jq -r '.counters.pseudonyms_unavailable // empty')" "[1-9]*" "and counts"
lab_as chmod 600 "$LAB_STATE/private/pseudonym.keys"
sleep 1.2
ask zacharias 192.0.2.10 >/dev/null
like "$(last .user.hash)" "user-????????-*" "until it is right again"

# ---- retention ----
old='{"@timestamp":"2020-01-02T03:04:05.000Z","event":{"id":"1G2YTT9F84HM007T","action":"blocked"}}'
printf '%s\n' "$old" | gzip | lab_write "$LAB_STATE/events.jsonl.9.gz"
{ printf '%s\n' "$old"; tail -n 2 "$LAB_EVENTS"; } | lab_write "$LAB_STATE/events.jsonl.8"
site "Pseudonyms yes" "KeepEvents 30d" "KeepTargets 30d"
like "$(firebreak retain --dry-run)" "nothing is removed*next publish*" "what is not published yet removes nothing, which is said"
e2e_publish >/dev/null
total=$(wc -l <"$LAB_EVENTS")
out=$(firebreak retain --dry-run)
like "$? $out" "0 *would remove 2 of*" "a dry run says what is old"
[ -e "$LAB_STATE/events.jsonl.9.gz" ]; ok $? "and keeps it"
is "$(firebreak retain --json | jq -r '.[] | select(.log | endswith("events.jsonl")) | .removed')" 2 "it is removed"
[ ! -e "$LAB_STATE/events.jsonl.9.gz" ] && [ "$(wc -l <"$LAB_STATE/events.jsonl.8")" -eq 2 ]; ok $? "with its file, or from it"
is "$(last '.event.action, .event.reason')" $'removed\nretention' "which is an event"
is "$(wc -l <"$LAB_EVENTS")" $((total + 1)) "and nothing else has gone"
is "$(found --until 2021-01-01)" 0 "nor is it in the index"
[ -s "$LAB_STATE/log/retention.log" ]; ok $? "and it is in the trail"
e2e_done
