#!/usr/bin/env bash
# firebreak rehearse: what a publish would change for those who are in the logs, and that it changes nothing itself.  TAP.
set -u
. "${top_srcdir:-.}/t/verb.sh"
top=$(realpath "${top_srcdir:-.}")
export FIREBREAK_LISTS=$top/etc
mkdir -p "$state/sources" "$work/tmp"
export TMPDIR=$work/tmp	# where nobody else rehearses
rules=$state/sources/local.rules log=$work/access.log
json() { is "$1" "$(jq -c "$2" <<<"$out" 2>&1)" "$3"; }	# json NAME FILTER EXPECTED: of $out

fb 0 "help" rehearse --help
fb 2 "no log" rehearse
has "it asks for one" "--log FILE" "$err"

# ---- nothing is live ----
echo 'block host .old.example id=old' >"$rules"
line() { printf '%s.000 12 %s TCP_MISS/200 1234 %s %s %s HIER_DIRECT/192.0.2.9 text/html\n' "$1" "$2" "$3" "$4" "${5:--}"; }
{
	line 1795000000 192.0.2.7 GET 'http://www.new.example/a?user=secret' alice
	line 1795000001 192.0.2.8 CONNECT mail.new.example:443
	line 1795000002 192.0.2.8 GET 'http://www.new.example/mail/id=joe.doe@betterbricks.com'
	line 1795000003 192.0.2.8 GET http://www.old.example/
	line 1795000004 192.0.2.9 GET http://www.back.example/
	line 1795000005 192.0.2.9 GET http://low.example/
	line 1795000006 192.0.2.9 GET http://fine.example/
	line 1795000007 192.0.2.9 - error:invalid-request
	echo 'no line of a log'
} >"$log"
fb 0 "nothing is live yet" rehearse --log "$log"
has "it says so" "nothing is live" "$out"
has "the rule would block" "block  local:old  1 request, 1 client, 1 domain" "$out"
ok "$([ ! -e "$state/rules/MANIFEST" ]; echo $?)" "and nothing is published"

# ---- something is ----
echo 'block host .back.example id=back' >>"$rules"
fb 0 "publish" publish
printf '%s\n' 'block host .old.example id=old' 'block host .new.example id=new' 'block host low.example id=low level=1' \
	'block host .google.com id=held' >"$rules"
before=$(cd "$state" && find . -type f -o -type l | sort | xargs sha256sum)
fb 0 "rehearse" rehearse --log "$log"
has "who would be blocked" "block  local:new  3 requests, 2 clients, 1 domain, 2026-11-18T" "$out"
has "without a query" "http://www.new.example/a?-" "$out"
hasnot "nor anything of it" "secret" "$out"
hasnot "and without whom mail went to" "joe.doe" "$out"
has "what would pass" "pass   local:back  1 request" "$out"
has "what would be logged" "log    local:low  1 request" "$out"
hasnot "what is the same is not told" "local:old" "$out"
hasnot "nor what nobody lists" "fine.example" "$out"
has "the source's sum" "source local would newly block 3 requests, 2 clients, 1 domain" "$out"
has "what is held stands apart" "held and not in it: 1 rule" "$out"
has "a line that is none" "1 of 9 lines are none of this format" "$err"
has "and one without a URL" "1 line names no URL" "$err"
is "the state folder is as it was" "$(cd "$state" && find . -type f -o -type l | sort | xargs sha256sum)" "$before"
is "nothing is left behind" "$(ls "$TMPDIR")" ""

# ---- killed ----
left() { find "$TMPDIR" -maxdepth 1 -name 'firebreak-rehearse-*' -type d; }
mkfifo "$work/pipe"
exec 7<>"$work/pipe"		# a log that does not end
"$firebreak" --state "$state" rehearse --log - <"$work/pipe" >"$work/killed" 2>&1 7<&- &
pid=$!
for _ in $(seq 600); do
	[ -n "$(find "$TMPDIR" -path '*/firebreak-rehearse-*/rules/MANIFEST')" ] && break
	sleep 0.1
done
mkdir "$work/other"
echo kept >"$work/other/file"
ln -s "$work/other" "$TMPDIR/firebreak-rehearse-AAAAAA"
fb 0 "rehearse beside one that runs" rehearse --log "$log"
is "leaves it its folder" "$(left | wc -l)" 1
kill -KILL $pid; ok $? "that one is killed"
wait $pid 2>/dev/null
is "its folder is left" "$(left | wc -l)" 1
left | while read -r folder; do ln -s "$work/other" "$folder/there"; done
fb 0 "the next run" rehearse --log "$log"
is "removes it" "$(left)" ""
is "and nothing that a link leads to" "$(cat "$work/other/file") $(readlink "$TMPDIR/firebreak-rehearse-AAAAAA")" "kept $work/other"
is "the state folder is still as it was" "$(cd "$state" && find . -type f -o -type l | sort | xargs sha256sum)" "$before"
rm "$TMPDIR/firebreak-rehearse-AAAAAA"
exec 7>&-

fb 0 "as JSON" rehearse --json --log "$log"
json "rules" '[.changes[] | [.outcome, .rule, .requests, .clients, .domains]]' \
	'[["block","local:new",3,2,1],["log","local:low",1,1,1],["pass","local:back",1,1,1]]'
json "the source" '.sources' '[{"source":"local","requests":3,"clients":2,"domains":1,"at_least":false,"first":"2026-11-18T11:06:40.000Z","last":"2026-11-18T11:06:42.000Z","exceeded":false}]'
json "counts" '[.lines, .requests, .unread, .without_url, .budget, .exceeded, (.held | length), .held[0].class]' '[9,7,1,1,null,false,1,"top_site"]'

# ---- the budget ----
fb 0 "within the budget" rehearse --budget 3 --log "$log"
hasnot "it is not exceeded" EXCEEDED "$out"
fb 1 "over it" rehearse --budget 2 --log "$log"
has "it says so" "the budget is 2: EXCEEDED" "$out"
fb 2 "no number" rehearse --budget many --log "$log"

# ---- which sources ----
echo 'block host .fine.example id=fine' >"$state/sources/second.rules"
fb 0 "one source" rehearse second --log "$log"
has "is rehearsed" "block  second:fine  1 request" "$out"
hasnot "and no other" "local:new" "$out"
fb 0 "all" rehearse --all --log "$log"
has "both" "second:fine" "$out"
has "are" "local:new" "$out"
echo 'block host .fine.example id=x' >"$work/third.rules"
fb 0 "a list that is no source yet" rehearse "$work/third.rules" --log "$log"
has "is rehearsed, too" "block  third:x  1 request" "$out"
fb 2 "no source" rehearse nobody --log "$log"
has "it says so" "there is no source nobody" "$err"
echo 'block hots x' >"$state/sources/second.rules"
fb 2 "a list that is wrong" rehearse second --log "$log"
has "the real file is named" "$state/sources/second.rules:1:" "$err"
rm "$state/sources/second.rules"

# ---- logs ----
gzip -k "$log"
fb 0 "of gzip" rehearse --json --log "$log.gz"
json "is read" '.requests' 7
ln "$log" "$work/again"
fb 0 "several" rehearse --json --all --log "$log" "$log.gz" "$work/again"
json "each is read, once" '.requests' 14
head -c 100 "$log.gz" >"$work/cut.gz"
fb 2 "cut short" rehearse --log "$work/cut.gz"
has "it says so" "cut.gz: error: not read to its end" "$err"
fb 2 "not there" rehearse --log "$work/none"
fb 2 "a folder" rehearse --log "$work"
fb 0 "days" rehearse --json --days 1 --log "$log"
json "what is older is not judged" '[.requests >= 0, .requests + .older + .unread + .without_url]' '[true,9]'
sed 's/^[^ ]* *[^ ]* \([^ ]*\) [^ ]* \([^ ]*\) \([^ ]*\) \([^ ]*\) .*/\1|\4|\2/' "$log" >"$work/own"
fb 0 "a format of the site's" rehearse --json --format '%>a|%ru|%<st' --log "$work/own"
json "is read" '[.changes[] | [.rule, .requests]]' '[["local:new",3],["local:low",1],["local:back",1]]'
fb 2 "one that cannot be read" rehearse --format '%>a%ru' --log "$work/own"
has "says where" "logformat:1:4: error" "$err"
fb 2 "days, and no time" rehearse --days 1 --format '%>a|%ru|%<st' --log "$work/own"
printf '1795000000.000 1 192.0.2.7 A/200 1 GET http://www.new.example/\x1b[31m - B/- -\n' >"$work/hostile"
fb 0 "a hostile line" rehearse --log "$work/hostile"
hasnot "reaches no terminal" $'\x1b' "$out"
seq 200000 | awk '{ printf "1795000000.000 1 192.0.2.%d A/200 1 GET http://www.new.example/%d - B/- -\n", $1 % 250, $1 }' >"$work/many"
fb 0 "many" rehearse --json --log "$work/many"
json "on all processors" '.changes[] | [.requests, .clients, (.urls | length), .urls[0]]' '[200000,250,3,"http://www.new.example/1"]'

# ---- a publish that asks ----
state=$work/budget
mkdir -p "$state/sources"
feed=$state/sources/feed-x.hosts
now=$(date +%s)
for i in 1 2 3; do line "$now" "192.0.2.$i" GET http://www.busy.example/; done >"$work/recent"
line "$now" 192.0.2.1 GET http://rare.example/ >>"$work/recent"
for i in $(seq 50); do line $((now - 20 * 86400)) 192.0.2.1 GET http://www.long-ago.example/; done >>"$work/recent"
printf 'RehearseLogs %s\nRehearseBudget 2\n' "$work/recent" >"$state/site.conf"
echo nobody.example >"$feed"
fb 0 "publish within the budget" publish
has "it is live" "1 rule (1 host" "$out"
printf '%s\n' nobody.example www.busy.example www.long-ago.example >"$feed"
fb 0 "a dry run over the budget" publish --dry-run
has "says what would be held" "1 held rule left out" "$out"
fb 0 "publish over the budget" publish
has "holds what is met" "1 held rule left out" "$out"
has "and says why" "it would block 3 requests of 3 clients in the access logs; with all new rules of its source these are 3, and the budget is 2" "$err"
has "what nobody met of late is live" "2 rules (2 host" "$out"
fb 0 "who asks for it" check http://www.busy.example/
fb 1 "and for the other" check http://www.long-ago.example/
fb 1 "held" held
has "lists it" "block host .www.busy.example" "$(sed 's/host www/host .www/' <<<"$out")"
has "by its class" "by budget" "$out"
: >"$work/recent"
echo more.example >>"$feed"
fb 0 "publish with other logs" publish
has "what is held stays so" "1 held rule left out" "$out"
has "that nothing could be asked is said" "could not all be asked" "$err"
fb 0 "block does not ask" block www.busy.test
fb 0 "rehearse knows the budget of the site" rehearse --json --log "$work/recent"
json "two" '.budget' 2
id=$(FIREBREAK_STATE=$state "$firebreak" held --json | jq -r '.[0].id')
fb 0 "deny" deny "$id"
echo again.example >>"$feed"
fb 0 "publish what was denied" publish
has "it stays out" "1 denied rule left out" "$out"
for i in 1 2 3; do line "$now" "192.0.2.$i" GET http://www.busy.example/; done >"$work/recent"
fb 0 "approve" approve "$id"
fb 1 "it is live" check http://www.busy.example/
line "$now" 192.0.2.1 GET http://rare.example/ >>"$work/recent"
echo rare.example >>"$feed"
fb 0 "what was approved does not count against others" publish
fb 1 "and these are live" check http://rare.example/
printf '%s\n' 'block url shop.example/a%20b id=url' 'block path *.php?x=* host=path.example id=path' 'block address 198.51.100.0/24 id=net' \
	>"$state/sources/kinds.rules"
sed -i '/id=path/d' "$state/sources/kinds.rules"
for i in 1 2 3; do
	line "$now" "192.0.2.$i" GET 'http://shop.example/a%20b/c'
	line "$now" "192.0.2.$i" GET 'http://198.51.100.7/'
done >>"$work/recent"
fb 0 "other kinds" publish
has "are held alike" "2 held rules left out" "$out"
sed -i 's/RehearseBudget.*/RehearseBudget 0/' "$state/site.conf"
fb 0 "without a budget" publish
hasnot "nothing is held" "held" "$out"

# ---- captures ----
state=$work/captures rules=$work/captures/sources/local.rules
mkdir -p "$state/sources"
echo 'block host .back.example id=back' >"$rules"
fb 0 "something is live" publish
body=$(printf 'a file\0of a capture' | base64)
md5=$(printf 'a file\0of a capture' | md5sum | cut -d' ' -f1) text=$(printf 'plain text' | sha256sum | cut -d' ' -f1)
exchange() {	# exchange URL CONTENT [DISPOSITION]
	printf '{"startedDateTime":"2026-11-18T11:06:40.123Z","request":{"method":"GET","url":"%s"},"response":{"status":200,"headers":[{"name":"Content-Disposition","value":"%s"}],"content":%s}}' "$1" "${3:-inline}" "$2"
}
{
	printf '{"log":{"version":"1.2","entries":['
	exchange https://files.example/x '{"size":19,"encoding":"base64","text":"'"$body"'"}'; echo ,
	exchange https://files.example/y '{"size":10,"text":"plain text"}'; echo ,
	exchange https://files.example/z '{"size":5,"encoding":"base64","text":"aGVsbG8="}' 'attachment; filename=\"run me.exe\"'; echo ,
	exchange https://files.example/converted '{"size":9,"text":"plain text"}'; echo ,
	exchange https://files.example/broken '{"size":19,"encoding":"base64","text":"!!!!"}'; echo ,
	exchange https://www.blocked.example/x '{"size":19,"encoding":"base64","text":"'"$body"'"}'; echo ,
	exchange 'http://[nonsense' '{"size":0}'
	echo ',{"request":7},null]}}'
} >"$work/x.har"
printf '%s\n' "block file 19:md5:$md5 id=f" "block file *:sha256:$text id=t" 'block file 5:name:run*me.exe id=n' 'block host .blocked.example id=h' >"$rules"
fb 0 "a capture" rehearse --json --log "$work/x.har"
json "files are judged by what is in it" '[.changes[] | [.outcome, .rule, .requests, .urls[0]]]' \
	'[["block","local:f",1,"https://files.example/x"],["block","local:h",1,"https://www.blocked.example/x"],["block","local:n",1,"https://files.example/z"],["block","local:t",1,"https://files.example/y"]]'
json "what cannot be is counted" '[.lines, .requests, .unread, .without_url, .bodies, .bodies_without_bytes]' '[9,6,2,1,4,2]'
fb 0 "beside a log" rehearse --all --log "$log" "$work/x.har"
has "both are judged" "4 bodies of captures judged, 2 more without their bytes" "$out"
has "and what the log has" "pass   local:back  1 request" "$out"
printf 'allow host .files.example files=yes\n' >>"$rules"
fb 0 "an allow with files=yes" rehearse --json --log "$work/x.har"
json "lets them pass" '[.changes[] | .rule]' '["local:h"]'
echo '{"log":{}}' >"$work/no.har"
fb 2 "no capture" rehearse --log "$work/no.har"
has "is told" "no.har: error: no HAR" "$err"
printf '{"log":\n{"entries":[' >"$work/no.har"
fb 2 "a capture that is cut" rehearse --log "$work/no.har"
has "is told with its place" "no.har:2:" "$err"
tap_done
