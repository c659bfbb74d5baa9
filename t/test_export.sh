#!/usr/bin/env bash
# firebreak export: what each format says of the same rules, what it leaves out, and what the programs that read them make of it.  TAP.
set -u
. "${top_srcdir:-.}/t/verb.sh"
mkdir -p "$state/sources" "$work/lists"
: > "$work/lists/top-sites.txt"
: > "$work/lists/shared-hosting.txt"
no_lookalikes "$work/lists"
export FIREBREAK_LISTS=$work/lists
md5=9abc553703f4e4fedb3ed975502a2c7a star=0ee4f395dd071f169e95e34454bbf446 big=c007f25d28eaf7d344591df0f24d461e
good=11111111111111111111111111111111
sha1=0123456789abcdef0123456789abcdef01234567
sha256=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
# rows: the lines of $out that are no comments, in one line
rows() { grep -v '^[#;]' <<<"$out" | tr '\n' '|'; }
left() { grep -c "^left out: $1 $2" <<<"$err"; }	# left NUMBER WORDS: 1 when that was said

# ---- usage ----
fb 0 "export --help" export --help
fb 2 "export of nothing" export
fb 2 "export in no format" export pdf
fb 2 "two formats" export hdb hsb
fb 2 "--allow of hosts" export hosts --allow
fb 2 "--apex of rpz" export rpz --apex
fb 2 "a level that is none" export rpz --level 6
fb 2 "a first number of 0" export suricata --sid 0
fb 2 "--since of rules" export rpz --since 7d
fb 2 "--source of sightings" export sightings --source local
fb 2 "no rules at all" export rpz
fb 2 "into a folder that is not there" export rpz --output "$work/nowhere/x"

# ---- the rules ----
cat > "$state/sources/local.rules" <<END
block host exact.test id=e1 note="a \"quoted\"; \\\\ note"
block host .dom.test id=e2
block host *.below.test id=e3
block host a.dom.test
block host 8.8.4.9
block host [2a00:1450::9]
block host under_score.test
block host .u_s.test
block host x.rpz-ip
block url site.test/
block url pages.test/x/y
allow url part.test/docs/
block host .part.test
allow host good.wide.test
block host .wide.test
block host .over.test
allow host .over.test
block host low.test level=1
block host old.test expires=2020-01-01T00:00:00Z
block host lifted.test id=lifted
except rule *:local:lifted host=lifted.test expires=7d
block host .partly.test id=partly
except rule *:local:partly host=a.partly.test expires=7d
except rule *:local:partly host=b.partly.test user=ann expires=7d
block path /evil*.exe
block address 8.8.5.0/24
protect host .own.test
block file 90112:md5:$md5 id="f\";:1" name=patch.exe
block file *:md5:$star id=star
block file 5000000000:md5:$big
block file 77:sha1:$sha1 id=s
block file *:sha256:$sha256 published=2026-11-01T00:00:00Z
allow file 12:md5:$good id=g
block file 12:md5:$good
block file 10:name:a.exe
allow host inner.test
allow url inner.test/x/
END
sed -i 's/ id="f[^ ]*/ id=f/' "$state/sources/local.rules"
# A feed's names are anybody's.
printf '%s:12345:Evil"; sid=1; \\ \x1b[31m\t(x)\n' 22222222222222222222222222222222 > "$state/sources/bad.hdb"
fb 0 "publish" publish

# ---- hosts ----
fb 0 "rpz" export rpz
is "names, what is below, and what is allowed" "$(grep -v '^[$@;]' <<<"$out" | cut -d' ' -f1,3 | tr '\n' '|')" \
	"*.below.test .|*.dom.test .|dom.test .|a.dom.test .|exact.test .|inner.test rpz-passthru.|*.over.test rpz-passthru.|over.test rpz-passthru.|*.part.test .|partly.test .|site.test .|*.u_s.test .|u_s.test .|under_score.test .|*.wide.test .|wide.test .|good.wide.test rpz-passthru.|"
is "a part that is allowed leaves the whole out" "$(left 2 "with an allow")" 1
is "addresses and what looks like a trigger" "$(left 3 "for addresses")" 1
is "below the threshold" "$(left 1 "below the level")" 1
is "overruled, and lifted for everybody" "$(left 2 "overruled")" 1
has "the file says so, too" "; left out: 2 overruled here" "$out"
fb 0 "hosts" export hosts
is "names alone" "$(rows)" "0.0.0.0 x.rpz-ip|0.0.0.0 a.dom.test|0.0.0.0 exact.test|0.0.0.0 site.test|0.0.0.0 under_score.test|"
is "what is wider is left out" "$(left 7 "for more or less")" 1
fb 0 "hosts --apex" export hosts --apex
has "the host of what is below it" "0.0.0.0 dom.test" "$out"
hasnot "but not where only what is below is meant" "below.test" "$(rows)"
has "a host is blocked, though one below it is allowed" "0.0.0.0 wide.test" "$out"
fb 0 "dstdomain" export dstdomain
is "hosts and domains, and what a domain covers once" "$(rows)" "8.8.4.9|x.rpz-ip|.dom.test|exact.test|site.test|.u_s.test|under_score.test|"
is "a domain with an allowed host is left out" "$(left 3 "with an allow")" 1
is "as is what another row says" "$(left 1 "said by")" 1
fb 0 "dstdomain --allow" export dstdomain --allow
is "is the other half" "$(rows)" "inner.test|.over.test|good.wide.test|"
fb 0 "suricata" export suricata --sid 7000 --source local
is "two rules for each" "$(grep -c '^alert ' <<<"$out") $(grep -o 'sid:[0-9]*' <<<"$out" | sort -u | wc -l)" "16 16"
has "a host" 'tls.sni; content:"exact.test"; nocase; bsize:10; sid:' "$out"
has "a domain" 'http.host; dotprefix; content:".dom.test"; endswith; sid:' "$out"
has "what is below" 'tls.sni; dotprefix; content:".below.test"; nocase; endswith; bsize:>11; sid:' "$out"
fb 0 "rpz of a level" export rpz --level 0
has "has what would only be logged" "low.test CNAME ." "$out"
fb 0 "rpz of a source without hosts" export rpz --source bad
is "is empty" "$(grep -v '^[$@;]' <<<"$out")" ""
fb 2 "of a source that is not there" export rpz --source local,none
has "which is named" "is named none" "$err"

# ---- files ----
fb 0 "hdb" export hdb
is "MD5s with sizes; strangers' names are made harmless" "$(rows)" \
	"$star:*:Firebreak.local.star:73|22222222222222222222222222222222:12345:Firebreak.bad.Evil___sid_1____|$md5:90112:Firebreak.local.f|"
is "too large a size" "$(left 1 "for sizes")" 1
is "an allow wins" "$(left 1 "overruled")" 1
fb 0 "hsb" export hsb
is "SHA-1 and SHA-256" "$(rows)" "$sha256:*:Firebreak.local.32:73|$sha1:77:Firebreak.local.s|"
fb 0 "fp" export fp
is "what is allowed" "$(rows)" "$good:12:Firebreak.local.g|"
fb 0 "filemd5" export filemd5
is "digests" "$(rows)" "$star|22222222222222222222222222222222|$md5|$big|"
fb 0 "filesha256" export filesha256
is "of that kind" "$(rows)" "$sha256|"

# ---- STIX ----
fb 0 "stix" export stix
printf '%s\n' "$out" > "$work/stix.json"
is "what is left out is counted" "$(left 10 "allow, block") $(left 4 "of a kind") $(left 3 "for addresses") $(left 1 "below the level") $(left 3 "overruled") $(left 3 "with an allow")" \
	"1 1 1 1 1 1"
is "each rule is in it, or counted" "$(sed -nE 's/^(left out|firebreak export): ([0-9]+) .*/\2/p' <<<"$err" | awk '{ n += $1 } END { print n }')" \
	"$("$firebreak" --state "$state" rules dump | grep -vc '^#')"
if command -v jq >/dev/null; then
	is "is JSON: an identity, and an indicator each" "$(jq -c '[.type, (.objects | group_by(.type) | map(.[0].type, length))]' "$work/stix.json")" \
		'["bundle",["identity",1,"indicator",13]]'
	is "patterns say just what the rules say" "$(jq -r '.objects[] | select(.type == "indicator") | .pattern' "$work/stix.json" | LC_ALL=C sort | tr '\n' '|')" \
		"[domain-name:value = 'a.dom.test']|[domain-name:value = 'dom.test' OR domain-name:value LIKE '%.dom.test']|[domain-name:value = 'exact.test']|[domain-name:value = 'site.test']|[domain-name:value = 'under_score.test']|[domain-name:value = 'x.rpz-ip']|[domain-name:value LIKE '%.below.test']|[file:hashes.'SHA-1' = '$sha1' AND file:size = 77]|[file:hashes.'SHA-256' = '$sha256']|[file:hashes.MD5 = '$star']|[file:hashes.MD5 = '22222222222222222222222222222222' AND file:size = 12345]|[file:hashes.MD5 = '$md5' AND file:size = 90112]|[file:hashes.MD5 = '$big' AND file:size = 5000000000]|"
	is "ids are UUIDs of version 5, each once" "$(jq -r '.objects[].id' "$work/stix.json" | grep -cE '^(identity|indicator)--[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$') $(jq -r '.objects[].id' "$work/stix.json" | sort -u | wc -l)" "14 14"
	is "a note is text" "$(jq -r '.objects[] | select(.name == "local:e1") | .description' "$work/stix.json")" 'a "quoted"; \ note'
	is "what was published when" "$(jq -r '.objects[] | select(.name == "local:32") | .created, .valid_from' "$work/stix.json" | tr '\n' ' ')" \
		"2026-11-01T00:00:00Z 2026-11-01T00:00:00Z "
else
	skip "stix as JSON" "jq is missing"
fi

# ---- the same again ----
for format in rpz hdb stix suricata; do
	fb 0 "$format into a file" export $format --output "$work/one"
	fb 0 "$format once more" export $format --output "$work/two"
	same "is the same, byte for byte" "$work/one" "$work/two"
done
echo old > "$work/kept"
fb 2 "an export that fails" export rpz --source none --output "$work/kept"
is "leaves the file as it was, and nothing beside it" "$(cat "$work/kept") $(ls "$work" | grep -c '^kept')" "old 1"
mkfifo "$work/pipe"
timeout 60 cat "$work/pipe" > "$work/piped" &
fb 0 "into a pipe" export suricata --output "$work/pipe"
wait $!
[ -p "$work/pipe" ]; ok $? "which stays one"
same "and gets all" "$work/piped" "$work/one"
"$firebreak" --state "$state" export rpz >/dev/full 2>"$work/err"; is "a full disk" "$?" 2

# ---- there and back: our own readers make the same rules of it ----
back=$work/back
mkdir -p "$back/sources"
# again NAME FORMAT PATTERN: what FORMAT's export is as a source NAME, against the rules of PATTERN that it has
again() {
	"$firebreak" --state "$state" export "$2" --output "$back/sources/$1" 2>/dev/null
	"$firebreak" --state "$back" publish >"$work/said" 2>&1 || cat "$work/said"
	"$firebreak" --state "$back" rules dump --source "${1%.*}" 2>/dev/null | cut -d' ' -f1-3 | LC_ALL=C sort > "$work/got"
	printf '%s\n' "${@:3}" | LC_ALL=C sort > "$work/expected"
	same "$2 there and back" "$work/got" "$work/expected"
}
again a.rpz rpz "block host *.below.test" "block host *.dom.test" "block host dom.test" "block host a.dom.test" "block host exact.test" \
	"allow host inner.test" "allow host *.over.test" "allow host over.test" "block host *.part.test" "block host partly.test" "block host site.test" "block host *.u_s.test" "block host u_s.test" \
	"block host under_score.test" "block host *.wide.test" "block host wide.test" "allow host good.wide.test"
again b.hosts-file hosts "block host a.dom.test" "block host exact.test" "block host site.test" "block host under_score.test" "block host x.rpz-ip"
again c.dstdomain dstdomain "block host 8.8.4.9" "block host .dom.test" "block host exact.test" "block host site.test" "block host .u_s.test" \
	"block host under_score.test" "block host x.rpz-ip"
again d.hdb hdb "block file *:md5:$star" "block file 90112:md5:$md5" "block file 12345:md5:22222222222222222222222222222222"
again e.hsb hsb "block file *:sha256:$sha256" "block file 77:sha1:$sha1"
again f.fp fp "allow file 12:md5:$good"
again h.stix stix "block host a.dom.test" "block host dom.test" "block host *.dom.test" "block host exact.test" "block host *.below.test" \
	"block host site.test" "block host under_score.test" "block host x.rpz-ip" "block file *:md5:$star" "block file 90112:md5:$md5" \
	"block file 12345:md5:22222222222222222222222222222222" "block file 5000000000:md5:$big" "block file 77:sha1:$sha1" "block file *:sha256:$sha256"
hasnot "nothing of it is bad" "h.stix" "$(cat "$work/said")"
# ends STATE ARGUMENTS...: when each rule there ends
ends() { "$firebreak" --state "$1" rules dump "${@:2}" | sed -nE 's/^([^ ]+ [^ ]+ [^ ]+) .*(expires=[^ ]+).*/\1 \2/p' | LC_ALL=C sort -u; }
is "and they end when those do" "$(LC_ALL=C comm -23 <(ends "$back" --source h) <(ends "$state") | cut -d' ' -f3 | tr '\n' ' ')" "*.dom.test dom.test site.test "
again g.md5 filemd5 "block file *:md5:$star" "block file *:md5:$md5" "block file *:md5:$big" "block file *:md5:22222222222222222222222222222222"

# ---- who they are made for ----
files=$work/files
mkdir "$files"
for format in rpz dstdomain hdb hsb fp sfp suricata filemd5; do
	"$firebreak" --state "$state" export $format --output "$files/x.$format" 2>/dev/null
done
# has_tool TOOL NAME: it is there, or NAME is left out
has_tool() { command -v "$1" >/dev/null || { skip "$2" "$1 is missing"; return 1; }; }
if has_tool named-checkzone "BIND loads the zone"; then
	out=$(named-checkzone rpz.test "$files/x.rpz" 2>&1); ok $? "BIND loads the zone" "$out"
	has "with the generation as its number" "loaded serial 1" "$out"
fi
if has_tool squid "Squid reads the domains"; then
	printf 'acl fb dstdomain "%s"\nhttp_access deny fb\nhttp_port 127.0.0.1:1\n' "$files/x.dstdomain" > "$work/squid.conf"
	chmod -R a+rX "$work"
	out=$(squid -n fbexport -k parse -f "$work/squid.conf" 2>&1); ok $? "Squid reads the domains" "$out"
	hasnot "without a complaint" "ERROR" "$out"
fi
if has_tool clamscan "ClamAV reads the signatures"; then
	mkdir "$work/db"
	printf 'a file for a test of exports\n' > "$work/listed"
	printf 'block file 29:md5:%s id=n1\nblock file *:md5:%s id=n2\nallow file 21:md5:%s\nblock file *:sha256:%s id=n3\n' \
		"$(md5sum < "$work/listed" | cut -d' ' -f1)" "$(echo any size | md5sum | cut -d' ' -f1)" "$(echo what is allowed here | md5sum | cut -d' ' -f1)" \
		"$(echo what is allowed here | sha256sum | cut -d' ' -f1)" > "$back/sources/z.rules"
	echo any size > "$work/anysize"
	echo what is allowed here > "$work/allowed"
	"$firebreak" --state "$back" publish >"$work/said" 2>&1
	for format in hdb hsb fp; do
		"$firebreak" --state "$back" export $format --source z --output "$work/db/z.$format" 2>/dev/null
		cp "$files/x.$format" "$work/db/"
	done
	out=$(clamscan --database="$work/db" --no-summary "$work/listed" "$work/anysize" "$work/allowed" "$work/one" 2>&1)
	is "ClamAV finds what is listed, with and without a size" "$(grep -c 'Firebreak.z.n[12].UNOFFICIAL FOUND' <<<"$out")" 2
	is "and not what is allowed" "$(grep -c ': OK$' <<<"$out")" 2
fi
if has_tool suricata "Suricata reads the rules"; then
	mkdir "$work/suricata"
	printf 'alert http any any -> any any (filemd5:%s; sid:1; rev:1;)\n' "$files/x.filemd5" > "$work/suricata/f.rules"
	cat "$files/x.suricata" >> "$work/suricata/f.rules"
	out=$(suricata -T -S "$work/suricata/f.rules" -l "$work/suricata" 2>&1); ok $? "Suricata reads the rules" "$out"
fi

# ---- lures ----
cat > "$work/alert.json" <<'END'
{"id":"lure-1/x","version":1}
END
fb 2 "an alert whose id is none" import "$work/alert.json"
cat > "$work/alert.json" <<'END'
{"id":"lure_1","version":1,"urls":[{"url":"http://lure.test/x"}],"lures":[
{"subject":"Pay $5/now (50% off) #1 [x] \\ \"y\" user@host","body":"Dear Ann,\n\nThe invoice that you have asked for is ready to be paid.\nOpen http://lure.test/x7 and / or # type\nyour number into the window that opens, please & thank you; \\ {ok}\n"},
{"subject":"Hello","body":"short"},
{"subject":null,"body":"Grüße aus der Zentrale, bitte öffnen Sie den Anhang sofort und geben Sie alles ein."}]}
END
fb 0 "import" import --level 4 "$work/alert.json"
fb 0 "before it is live" export spamassassin
is "there is nothing" "$(rows)" ""
fb 0 "publish" publish
fb 0 "spamassassin" export spamassassin --output "$work/lures.cf"
has "what says too little is left out" "left out: 1 " "$err"
out=$(cat "$work/lures.cf")
is "two rules, and what they are made of" "$(grep -c '^meta FB_' <<<"$out") $(grep -c '^body __FB_' <<<"$out") $(grep -c '^header __FB_' <<<"$out")" "2 3 1"
has "blanks may be any, and the rest is itself" '=~ /^\s*Pay\s+\$5\/now\s+\(50\%\s+off\)\s+\#1\s+\[x\]\s+\\\s+\"y\"\s+user\@host\s*$/i' "$out"
has "bytes that are no ASCII" 'Gr\xc3\xbc\xc3\x9fe\s+aus' "$out"
hasnot "no link" "lure" "$(grep '^body' <<<"$out")"
cat > "$work/mail" <<'END'
From: a@example.com
To: b@example.org
Subject: Pay $5/now (50% off) #1 [x] \ "y" user@host
Date: Tue, 27 Oct 2009 10:00:00 +0000
Message-Id: <1@example.com>
Content-Type: text/plain; charset=us-ascii

Dear Bob,

The invoice that you have asked for
is ready to be paid.  Open http://lure.test/x8 and / or # type
your number into the window that opens, please & thank you; \ {ok}
END
if has_tool spamassassin "SpamAssassin reads the lures"; then
	: > "$work/prefs"
	sa() { HOME=$work timeout 60 spamassassin -L --siteconfigpath="$work" -C "$work" -p "$work/prefs" --cf="add_header all Status _TESTS_" --cf="util_rb_tld com org test" --cf="loadplugin Mail::SpamAssassin::Plugin::Check" --cf="include $work/lures.cf" "$@" 2>&1; }
	out=$(sa --lint); is "SpamAssassin has no objection" "$out" ""
	out=$(sa -t < "$work/mail")
	like=$(grep -o "^X-Spam-Status: FB_[0-9a-f]*_1$" <<<"$out"); [ -n "$like" ]; ok $? "and knows the mail, to another recipient" "$out"
	out=$(sed 's/invoice/receipt/' "$work/mail" | sa -t)
	hasnot "and no other" "FB_" "$out"
fi
if has_tool rspamadm "rspamd reads the lures"; then
	cat > "$work/rspamd.conf" <<-END
		options { pidfile = "$work/pid"; hs_cache_dir = "$work"; dns { nameserver = ["127.0.0.1:1"]; } }
		logging { type = "console"; level = "warning"; }
		actions { reject = 15; }
		group "x" { symbol "X" { weight = 1; } }
		modules { path = "/usr/share/rspamd/plugins/spamassassin.lua"; }
		spamassassin { ruleset = "$work/lures.cf"; }
		worker { type = "normal"; bind_socket = "127.0.0.1:1"; count = 1; }
	END
	out=$(timeout 60 rspamadm configtest -s -c "$work/rspamd.conf" 2>&1); ok $? "rspamd reads the lures" "$out"
fi

# ---- sightings ----
fb 0 "sightings of nothing" export sightings
has "is an event without attributes" '"Attribute":[]}}' "$out"
{
	"$build/t/make_events" 0 40
	cat <<END
{"@timestamp":"2026-11-23T07:20:24.332Z","event":{"id":"1M83ME10C4HM007J","action":"killed","reason":"file"},"rule":{"id":"local:f"},"client":{"ip":"192.0.2.7"},"user":{"name":"user1"},"url":{"original":"http://secret.test/x","domain":"secret.test"},"file":{"size":90112,"hash":{"md5":"$md5"}}}
{"event":{"id":"1M83MDH1R4HM1YE5","action":"blocked","reason":"host"},"rule":{"id":"local:x"},"client":{"ip":"192.0.2.8"},"url":{"domain":"[2a00:1450::9]"}}
{"event":{"id":"1M83MDH1M4HM1YD8","action":"passed_unchecked","reason":"bad-url"}}
{"event":{"id":"1M83MDH1X4HM1YFX","action":"blocked","reason":"host"},"rule":{"id":"firebreak-setup:host"},"url":{"domain":"host.proof.invalid"}}
{"event":{"id":"1M83MDH1W4HM1YFX","action":"blocked","reason":"url"},"rule":{"id":"local:x.4"},"url":{"domain":"pages.test","original":"http://pages.test/x"}}
END
} > "$state/events.jsonl"
fb 2 "no format" export
has "what is missing is said once" 'firebreak export: one FORMAT is expected, such as rpz; see "firebreak export --help"' "$err"
fb 2 "a format that is none" export nonsense
has "that is said" "there is no such FORMAT" "$err"
fb 0 "sightings" export sightings
printf '%s\n' "$out" > "$work/misp.json"
if command -v jq >/dev/null; then
	is "what was met, and how often" "$(jq -c '[.Event.Attribute[] | [.type, .value, (.Sighting | length)]]' "$work/misp.json")" \
		"[[\"hostname\",\"www.bad.test\",40],[\"ip-dst\",\"2a00:1450::9\",1],[\"md5\",\"$md5\",1]]"
	is "when" "$(jq -r '.Event.Attribute[2].Sighting[0].date_sighting' "$work/misp.json")" "$(date -d 2026-11-23T07:20:24Z +%s)"
else
	skip "sightings as JSON" "jq is missing"
fi
hasnot "and not by whom" "192.0.2" "$out"
hasnot "what setup asked for itself was met by nobody" "proof.invalid" "$out"
has "what no list has is left out" "left out: 2 events" "$err"
fb 0 "and again" export sightings --output "$work/misp2.json"
same "the same" "$work/misp.json" "$work/misp2.json"
if [ "$(date +%s)" -gt 1795500000 ]; then	# behind all of them
	fb 0 "of the last second" export sightings --since 1s
	has "nobody met anything" '"Attribute":[]}}' "$out"
else
	skip "of the last second" "the clock is behind the events of this test"
fi
fb 0 "of the last hundred years" export sightings --since 36500d
has "what was met" '"value":"www.bad.test"' "$out"

# ---- root, in a folder of others who may put links into it ----
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	other=65534 outside=$work/outside state=$work/theirs
	as() { setpriv --reuid=$other --regid=$other --clear-groups "$@"; }
	chmod 711 "$work"
	mkdir -m 700 "$outside" "$work/roots"
	mkdir "$state"
	chown $other:$other "$state"
	as mkdir -p "$state"/{sources,rules}
	as sh -c "echo 'block host evil.test' > '$state/sources/ours.rules'"
	setpriv --reuid=$other --regid=$other --clear-groups "$firebreak" --state "$state" publish >"$work/said" 2>&1
	ok $? "another user's rules" "$(cat "$work/said")"
	fb 0 "root's file of another's rules" export dstdomain --output "$work/roots/list"
	has "has them, in root's folder" evil.test "$(cat "$work/roots/list")"
	is "and is root's" "$(stat -c %u "$work/roots/list")" 0
	"$build/t/make_events" 0 40 > "$outside/events.jsonl"
	as ln -s "$outside/events.jsonl" "$state/events.jsonl"
	out=$("$firebreak" --state "$state" export sightings 2>&1)
	hasnot "a log that is a link to what only root may read is not read" www.bad.test "$out"
else
	skip "root in a folder of others" "only root can be"
fi
tap_done
