#!/usr/bin/env bash
# firebreak lookalike scan: what it reads, what it prints, and that real hosts are left alone.  TAP.
set -u
firebreak=$(realpath "${top_builddir:-.}/firebreak")
top=$(realpath "${top_srcdir:-.}")
. "$top/t/tap.sh"
work=$(mktemp -d "${TMPDIR:-/tmp}/firebreak-test-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
export FIREBREAK_LISTS=$top/etc FIREBREAK_STATE=$work/nowhere
is() { [ "$2" = "$3" ]; ok $? "$1" "got: $2"$'\n'"not: $3"; }
scan() { timeout 100 "$firebreak" lookalike scan "$@" 2>"$work/err"; }
lure=updates.betterbricks.com.secure.upd01.net
embeds="embeds betterbricks.com, but is registered under upd01.net"

[ -r /usr/share/publicsuffix/public_suffix_list.dat ] || skip_all "the public suffix list is missing"
echo betterbricks.com > own

# ---- what is read ----
is "a host" "$(echo $lure | scan --own own)" "block E1 $lure $embeds"
is "a program that was not installed has its lists beside it" "$(echo $lure | FIREBREAK_LISTS='' scan --own own; cat err)" \
	"block E1 $lure $embeds"
is "the same in all spellings" "$(printf '%s\n' "${lure^^}" "$lure." "$lure:8443" "http://$lure/x?y" "https://u@$lure:1/" "  $lure  " \
	$'\t'"$lure"$'\r' "$lure/x" | scan --own own --tsv | cut -f1 | sort | uniq -c | sed 's/^ *//')" "8 $lure"
is "no host, an address, a comment" "$(printf '\n# %s\n192.0.2.7\n[2001:db8::7]:80\nwww.betterbricks.com\n' $lure | scan --own own)" ""
cat > log <<END
1795000000.123    45 192.0.2.7 TCP_MISS/200 1234 GET http://$lure/mail/id=1 - HIER_DIRECT/192.0.2.9 text/html
1795000000.124    45 192.0.2.7 TCP_TUNNEL/200 1234 CONNECT $lure:443 - HIER_DIRECT/192.0.2.9 -
1795000000.125    45 192.0.2.7 NONE_NONE/400 1234 GET error:invalid-request - HIER_NONE/- text/html
192.0.2.7 - - [18/Nov/2026:10:00:00 +0000] "GET http://$lure/ HTTP/1.1" 200 1234 TCP_MISS:HIER_DIRECT
192.0.2.7 - - [18/Nov/2026:10:00:00 +0000] "CONNECT $lure:443 HTTP/1.1" 200 1234 TCP_TUNNEL:HIER_DIRECT
192.0.2.7 - - [18/Nov/2026:10:00:00 +0000] "GET http://www.example.com/ HTTP/1.1" 200 1234 TCP_MISS:HIER_DIRECT
END
is "logs of Squid, both formats" "$(scan --own own --tsv log | cut -f1,2 | sort | uniq -c | sed 's/^ *//')" "4 $lure	block"
grep -q "1 line of the log names no host" err; ok $? "and what names no host is counted" "$(cat err)"
is "a last line without its end" "$(printf 'www.example.org\n%s' $lure | scan --own own | wc -l)" 1
is "a line without end is none" "$( (head -c 3000000 /dev/zero | tr '\0' a; echo; echo $lure) | scan --own own --tsv | cut -f2,3 | sort -u | tr '\n\t' '; ')" \
	"block E1;log UNJUDGED;"

# ---- what is printed ----
is "columns" "$(echo $lure | scan --own own --tsv)" "$lure	block	E1	betterbricks.com	upd01.net	$embeds"
is "an object" "$(echo $lure | scan --own own --json)" "{\"host\":\"$lure\",\"action\":\"block\",\"class\":\"E1\",\"target\":\
\"betterbricks.com\",\"registrable\":\"upd01.net\",\"message\":\"$embeds\"}"
is "what passes, with --all" "$(printf '%s\n' www.example.org www.betterbricks.com | scan --own own --all --tsv)" \
	"www.example.org	pass	-	-	example.org	looks like no name that is protected
www.betterbricks.com	pass	-	-	betterbricks.com	it is under betterbricks.com, which is the site's own"
seq 300000 | sed 's/.*/host&.betterbricks.com-x&.net/' > many
is "in the order of the input, on all processors" "$(scan --own own --all --tsv many | cut -f1 | cmp - many && echo same)" same
is "no escape sequence" "$(printf 'a\x1b[31m.example.org\n' | scan --own own --tsv | grep -c $'\x1b')" 0

# ---- which targets ----
is "brands of a file" "$(echo paypal-login.net | scan --brands "$top/etc/lookalike-brands.txt" --tsv | cut -f2-4)" "warn	E7	paypal.com"
is "a plain line of brands" "$(echo paypal.me.example.net | scan --brands <(echo paypal.com paypal.me) --tsv | cut -f2-4)" "block	E1	paypal.me"
is "both" "$(echo paypal.com.betterbricks.com.example.net | scan --own own --brands <(echo paypal.com) --tsv | cut -f4)" betterbricks.com

# ---- exit statuses ----
status() { scan "${@:2}" >/dev/null; is "exit status $1: ${*:2}" $? "$1"; }
echo www.example.org > fine; echo $lure > lures; echo betterbriks.com > logged
status 0 --own own fine
status 1 --own own lures
status 0 --own own logged
status 2 lures
status 2 --own nowhere lures
status 2 --own own nowhere
status 2 --own own --tsv --json lures
status 2 --lists "$top/etc" lures
printf 'betterbricks.com\na/b\n' > bad
status 2 --own bad lures
grep -q '^bad:2:1: error: "a/b" is no domain' err; ok $? "a bad line is named" "$(cat err)"
"$firebreak" lookalike --help | grep -q -- --own; ok $? "help"
"$firebreak" lookalike frobnicate >/dev/null 2>&1; is "another word is misuse" $? 2

# ---- a generation ----
mkdir -p state/sources; echo 'OwnDomains betterbricks.com' > state/site.conf; echo 'LookalikeE1 log' >> state/site.conf
: > state/sources/a.rules
"$firebreak" --state state publish >/dev/null 2>err; ok $? "published" "$(cat err)"
is "the live generation, at its levels" "$("$firebreak" --state state lookalike scan --tsv lures | cut -f2,4)" "log	betterbricks.com"
is "with brands of its own" "$(echo paypal.com.example.net | "$firebreak" --state state lookalike scan --tsv | cut -f2,4)" "log	paypal.com"

# ---- the report ----
event() {	# event ACTION HOST CLIENT TIME
	printf '{"@timestamp":"%s","event":{"action":"%s","reason":"%s"},"client":{"ip":"%s"},"url":{"domain":"%s"}}\n' "$4" "$1" \
		"${5:-lookalike}" "$3" "$2"
}
{ event blocked $lure 192.0.2.1 2026-11-20T10:00:00.000Z; event blocked $lure 192.0.2.1 2026-11-21T10:00:00.000Z
event would_block mail.betterbricks.com.upd01.net 192.0.2.2 2026-11-22T10:00:00.000Z
event would_block betterbricks.org 192.0.2.2 2026-11-22T10:00:00.000Z
event would_block gone.example.net 192.0.2.2 2026-11-22T10:00:00.000Z
event blocked $lure 192.0.2.9 2026-11-22T10:00:00.000Z host; echo '{"half'; } > events
report() { "$firebreak" --state state lookalike report --events events "$@" 2>err; }
is "a line for each registrable domain" "$(report --tsv | cut -f1-10)" \
	"upd01.net	2	1	2	2	2026-11-20T10:00:00Z	2026-11-22T10:00:00Z	E1	betterbricks.com	mail.betterbricks.com.upd01.net
betterbricks.org	0	1	1	1	2026-11-22T10:00:00Z	2026-11-22T10:00:00Z	E9	betterbricks.com	betterbricks.org
example.net	0	1	1	1	2026-11-22T10:00:00Z	2026-11-22T10:00:00Z	none	-	gone.example.net"
is "in words" "$(report | head -2)" "upd01.net: 2 refused, 1 would have been; 2 hosts, 2 clients, 2026-11-20T10:00:00Z to 2026-11-22T10:00:00Z
  mail.betterbricks.com.upd01.net $embeds"
hasnt=$(report | grep -c wave); is "one host is no wave" "$hasnt" 0
for i in 1 2 3; do event blocked "betterbricks.com.x$i.secure.wave.net" 192.0.2.1 2026-11-20T10:00:00.000Z; done >> events
is "three are, of the domain above them" "$(report --tsv | grep ^wave.net | cut -f12)" secure.wave.net
is "and what to do is said" "$(report | grep -c 'a wave; all of it: firebreak block .secure.wave.net$')" 1
is "as objects" "$(report --json | wc -l)" 4
: > events; is "nothing" "$(report)$?" 0
rm events; report; is "no log" $? 2
is "report of a file of domains is misuse" "$(report --own own; echo $?)" 2

# ---- the report reads what rotation made of the log ----
event blocked $lure 192.0.2.1 2026-11-20T10:00:00.000Z > events
event blocked mail.betterbricks.com.upd01.net 192.0.2.2 2026-11-19T10:00:00.000Z | gzip > events.2.gz
event blocked a.betterbricks.com.upd01.net 192.0.2.3 2026-11-19T10:00:00.000Z > events.1
is "rotated logs" "$(report --tsv | cut -f1,2,4,5)" "upd01.net	3	3	3"
event blocked x.betterbricks.com.upd01.net 192.0.2.2 2026-11-19T10:00:00.000Z | gzip | head -c 40 > events.3.gz
report > out; is "a damaged one" "$? $(grep -c 'events.3.gz: warning: not read to its end' err) $(grep -c 3.hosts out)" "2 1 1"
rm events*

# ---- waves ----
cp -r state waves; rm -rf waves/rules waves/runtime
printf '%s\n' 'OwnDomains betterbricks.com' > waves/site.conf
printf '%s\n' 'own intra.ours-too.net' 'partner partner.test.evil4.net' > waves/lookalike.conf
echo 'block host .seen.net' > waves/sources/a.rules
echo 'allow host .fine.net' >> waves/sources/a.rules
fb() { timeout 60 "$firebreak" "$@" --state waves 2>err; }
fb publish > out; ok $? "published" "$(cat out err)"
now() { date -u -d "-$1" +%Y-%m-%dT%H:%M:%S.000Z; }
wave() {	# wave AGE HOST ...
	local host age=$1; shift
	for host; do event blocked "$host" 192.0.2.1 "$(now "$age")"; done >> waves/events.jsonl
}
id_of() { awk -v rule="$1" '$5 " " $6 " " $7 == rule { print $1 }' waves/held; }
verdict() { fb check "$1" | grep -c "^block: "; }
is "no log is no waves" "$(fb lookalike waves; echo $?)" 2
: > waves/events.jsonl
is "an empty one has none" "$(fb lookalike waves; echo $?)" "no waves
0"
wave 1hour betterbricks.com.a.secure.upd01.net paypal.com.b.secure.upd01.net microsoft.com.secure.upd01.net \
	apple.com.c.secure.upd01.net
wave 30hours betterbricks.com.x1.slow.net; wave 3days betterbricks.com.x2.slow.net; wave 5days betterbricks.com.x3.slow.net
wave 1hour betterbricks.com.x1.many.net betterbricks.com.x2.many.net; wave 20hours betterbricks.com.x3.many.net
wave 8days paypal.com.old.net betterbricks.com.old.net
wave 1hour betterbricks.com-patch.net
wave 1hour paypal-com.net betterbricks.com.paypal-com.net
wave 1hour betterbricks.com.ours-too.net paypal.com.ours-too.net
wave 1hour betterbricks.com.test.evil4.net paypal.com.test.evil4.net
wave 1hour betterbricks.com.seen.net paypal.com.seen.net betterbricks.com.fine.net paypal.com.fine.net
wave 1hour betterbricks.com.evil5.com.be paypal.com.evil6.com.be
wave 1hour betterbricks.com.x.github.io paypal.com.x.github.io betterbricks.com.s3.amazonaws.com paypal.com.s3.amazonaws.com
wave 1hour www.betterbricks.com paypal.com.www.betterbricks.com
for i in 1 2 3; do wave 1hour "paypal-com.x$i.sites.google.com"; done
cp -r waves dry
is "a dry run" "$(fb lookalike waves --dry-run > out; echo "$? $(grep -c ^new: out)"; [ -e waves/sources/waves.rules ] && echo written)" "1 3"
fb lookalike waves > out; is "waves are proposed: exit status 1" $? 1
is "which ones, and why not others" "$(grep -v '^  ' out | sed 's/ ([^)]*)//; s/; [0-9]* hosts*, [0-9]* clients*//' | LC_ALL=C sort)" \
	"passed over: *.fine.net embeds betterbricks.com and 1 other; allowed already by a:2
passed over: *.ours-too.net embeds betterbricks.com and 1 other; it touches intra.ours-too.net, which is the site's own
passed over: *.seen.net embeds betterbricks.com and 1 other; blocked already by a:1
passed over: *.test.evil4.net embeds betterbricks.com and 1 other; it touches partner.test.evil4.net, which is a partner's
proposed: *.many.net 3 hosts embed betterbricks.com
proposed: *.secure.upd01.net embeds apple.com and 3 others
proposed: .paypal-com.net embeds betterbricks.com and 1 other"
is "what to do is said" "$(grep -c "^  firebreak approve [0-9a-f]\{24\}, or firebreak deny [0-9a-f]\{24\}$" out)" 3
rule='block host *.secure.upd01.net'
grep -qE "^block host \*\.secure\.upd01\.net .*level=4 .*expires=.* note=\"embeds apple.com and 3 others\"$" waves/sources/waves.rules; ok $? "the source has the line" "$(cat waves/sources/waves.rules)"
fb held > held; is "held lists them" "$? $(grep -c 'by wave; waits' held)" "1 3"
grep -qF 'a wave of lookalikes: embeds apple.com and 3 others; nobody wrote this rule' held; ok $? "and says what it is" "$(cat held)"
is "not live" "$(verdict y.secure.upd01.net)" 0
cp waves/sources/waves.rules before; cp waves/rules/MANIFEST manifest
fb lookalike waves > out; is "again: nothing is new" "$? $(grep -c ^waits: out) $(grep -c ^proposed: out)" "1 3 0"
cmp -s before waves/sources/waves.rules && cmp -s manifest waves/rules/MANIFEST; ok $? "and nothing is written"
is "--new prints nothing then" "$(fb lookalike waves --new)" ""
fb publish > out; is "a publish keeps them held" "$(fb held | grep -c 'by wave; waits')" 3
fb approve "$(id_of "$rule")" > out; ok $? "approve" "$(cat out err)"
is "it is live" "$(verdict y.secure.upd01.net) $(verdict y.upd01.net)" "1 0"
is "and is said to be" "$(fb lookalike waves | grep -c '^live: \*.secure.upd01.net')" 1
fb deny "$(id_of 'block host *.many.net')" > out; ok $? "deny" "$(cat out err)"
is "denied: not proposed again" "$(fb lookalike waves | grep -F many.net)" "denied: *.many.net 3 hosts embed betterbricks.com; 3 hosts, 1 client"
sed -i '/many.net/d' waves/sources/waves.rules
wave 1hour betterbricks.com.x4.deep.many.net
is "nor when its line is gone" "$(fb lookalike waves | grep -c '^denied: \*.many.net')" 1
! grep -q many.net waves/sources/waves.rules; ok $? "and none is written" "$(cat waves/sources/waves.rules)"
wave 1hour betterbricks.com.other.upd01.net
is "a wave that grows is another one" "$(fb lookalike waves --new | grep -v '^  ')" \
	"proposed: *.upd01.net embeds betterbricks.com and 3 others; 5 hosts, 1 client"
fb deny "$(id_of 'block host *.upd01.net')" > out; is "denied, the narrow one stays" "$(verdict y.secure.upd01.net) $(verdict y.upd01.net)" "1 0"
is "as objects" "$(fb lookalike waves --json | grep -c '"state": "denied"')" 2
echo 'OwnDomains betterbricks.com paypal-com.net' > waves/site.conf
fb publish > out; is "what became the site's own is left out, and nothing else is refused" "$? $(grep -c 'left out: the rule covers' err)" "0 1"
for how in --apply option; do
	rm -rf waves; cp -r dry waves
	[ $how = --apply ] && set -- --apply || { set --; echo 'LookalikeWaves apply' >> waves/site.conf
	printf '%s\n' 'LookalikeWaveLevel 5' 'LookalikeWaveLife 2d' >> waves/site.conf; fb publish > out; }
	fb lookalike waves "$@" > out
	is "applied by $how" "$? $(grep -c '^applied:' out) $(verdict y.secure.upd01.net) $(fb held)" "0 3 1 nothing is held"
	is "again" "$(fb lookalike waves "$@" | grep -c '^live:') $(grep -c approved waves/approved)" "3 4"
	fb deny "$(awk '/secure/ { print $1 }' waves/approved)" > out
	is "and taken back" "$(verdict y.secure.upd01.net) $(fb lookalike waves "$@" | grep -c ^denied:)" "0 1"
done
is "level and life by option" "$(grep -c ' level=5 .*expires=' waves/sources/waves.rules)" 3
echo 'LookalikeE1 warn' >> waves/site.conf; fb publish > out; fb lookalike waves > out
wave 1hour betterbricks.com.warned.net paypal.com.warned.net
is "what is only warned of is not applied" "$(fb lookalike waves --new | grep -c '^proposed: \*.warned.net')" 1
echo 'LookalikeWaves off' >> waves/site.conf; sed -i '/LookalikeWaves apply/d' waves/site.conf; fb publish > out
wave 1hour betterbricks.com.off.net paypal.com.off.net
is "off" "$(fb lookalike waves; echo $?) $(grep -c 'LookalikeWaves is off' err)" "0 1"
is "but for who asks" "$(fb lookalike waves --hold --new | grep -c '^proposed: \*.off.net')" 1
printf '%s\n' '.late.net' > shared.txt; echo "SharedHosts $PWD/shared.txt" >> waves/site.conf; fb publish > out
wave 1hour betterbricks.com.late.net paypal.com.late.net
is "what the site's own list has is shared" "$(fb lookalike waves --hold --new) $(fb lookalike waves --hold | grep 'late.net' | cut -c1-90)" \
	" passed over: *.late.net embeds betterbricks.com and 1 other; 2 hosts, 1 client; the rule c"
mkdir waves/sources/x; echo 'block hots a' > waves/sources/waves.rules; cp waves/approved approved
is "a source that is broken: nothing changes" "$(fb lookalike waves --apply > out; echo $?; cmp approved waves/approved; cat waves/sources/waves.rules)" \
	"2
block hots a"
for bad in "--apply --hold" "--tsv" "--own own" "--days 0" "x"; do
	# shellcheck disable=SC2086
	fb lookalike waves $bad > out; is "misuse: $bad" $? 2
done

# ---- real hosts ----
benign=${FIREBREAK_SHARED:-}/data/benign-webhosts-dev.txt.gz
if [ -r "$benign" ]; then
	zcat "$benign" > benign
	found=$(scan --brands "$top/etc/lookalike-brands.txt" --tsv benign | cut -f2 | sort | uniq -c)
	blocks=$(awk '$2 == "block" { print $1 }' <<<"$found") warns=$(awk '$2 == "warn" { print $1 }' <<<"$found")
	[ "${blocks:-0}" -le 1 ] && [ "${warns:-0}" -le 20 ]; ok $? "brands: at most 1 block and 20 warnings" "$found"
	# Universities and schools: the organisations that are in the list by themselves.
	scan --own own --all --tsv benign | cut -f5 | grep -E '\.edu$|\.(edu|ac)\.[a-z][a-z]$' | sort -u > orgs
	found=$(scan --own orgs --tsv benign | cut -f2 | sort | uniq -c)
	[ "$(wc -l < orgs)" -gt 2000 ] && ! grep -qE 'block|warn' <<<"$found"
	ok $? "$(wc -l < orgs) organisations' domains: no block and no warning" "$found"
else
	skip "real hosts" "FIREBREAK_SHARED does not have them"
fi
tap_done
