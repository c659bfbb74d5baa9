#!/usr/bin/env bash
# firebreak console: a real instance on loopback, asked by curl: who gets in, what is shown of hostile events, an exception.  TAP.
set -u
. "${top_srcdir:-.}/t/console.sh"

# ---- users ----
! "$firebreak" console --listen 127.0.0.1:0 --users "$users" >/dev/null 2>"$work/err"; ok $? "nobody can log in: no console"
has "it says how to add somebody" "--add-user" "$(cat "$work/err")"
add ann "$password" decide; ok $? "a user who decides"
add bob "$password" read; ok $? "a user who looks"
add victim "$password" read; ok $? "another"
! add eve short read; ok $? "a short password is refused"
! add eve "$password" root; ok $? "no such role"
! add $'e\nve' "$password" read; ok $? "a name that is two lines"
is "the file is its owner's alone" "$(stat -c %a "$users")" 600
hasnot "it holds no password" "correct horse" "$(cat "$users")"
chmod 644 "$users"
! "$firebreak" console --listen 127.0.0.1:0 --users "$users" >/dev/null 2>"$work/err"; ok $? "a file that others read is refused"
chmod 600 "$users"
for wrong in nowhere 127.0.0.1 127.0.0.1:x 127.0.0.1:65536 '[::1]' localhost:80; do
	! "$firebreak" console --listen "$wrong" --users "$users" >/dev/null 2>&1; ok $? "--listen $wrong"
done

# ---- what there is to see ----
write_events >>"$log"
printf 'block host bad.example id=bad rev=2\n' >"$state/sources/local.rules"
"$firebreak" publish >/dev/null 2>&1; ok $? "published"
"$firebreak" check --user alice http://bad.example/ >/dev/null 2>&1; is "alice is refused" $? 1

# ---- the server ----
start
has "it says where it listens" "http://127.0.0.1:" "$base"

# ---- nobody is logged in ----
for path in / /incident?id=${ids[0]} /today /sources /alerts /alert?id=70001 /proxies '/?q=alice'; do
	get none "$path"; is "$path wants a login" "$status" 303
	hasnot "and tells nothing" alice "$body"
done
get none "/incident?id=${ids[0]}"; has "it remembers the incident" "Location: /login?id=${ids[0]}" "$head"
get none "/incident?id=//evil.example"; has "but nothing else" "Location: /login" "$head"; hasnot "not this" evil "$head"
get none /except -d "id=${ids[0]}&days=7&reason=x"; is "nor can nobody decide" "$status" 303
get none /login
for line in "Content-Security-Policy: default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'" \
	"Cache-Control: no-store" "X-Content-Type-Options: nosniff" "Referrer-Policy: same-origin" "X-Frame-Options: DENY"; do
	has "the header ${line%%:*}" "$line" "$head"
done
hasnot "no script anywhere" "<script" "$body"
hasnot "nothing from elsewhere" "//" "$(sed 's/<!doctype[^>]*>//' <<<"$body")"

# ---- logging in ----
login wrong ann wrong-password; is "a wrong password" "$status" 403
has "is said" "Name or password is wrong" "$body"
login wrong nobody "$password"; is "an unknown name" "$status" 403
login wrong '<script>' "$password"; hasnot "a name is not repeated" "<script" "$body$(cat "$work/err")"
get none /login -d "name=ann" --data-urlencode "password=$password"; is "without the form's token" "$status" 403
hasnot "no session" firebreak_session "$head"
get wrong /login; other=$(token_of "$body")
get fresh /login; get fresh /login -d "token=$other&name=ann" --data-urlencode "password=$password"; is "with that of another browser" "$status" 403
get fresh /login; get fresh /login -H 'Sec-Fetch-Site: cross-site' -d "token=$(token_of "$body")&name=ann" --data-urlencode "password=$password"
is "from another site" "$status" 403
fixed=$(printf '%064d' 7)
get fix /login -b "firebreak_session=$fixed"; t=$(token_of "$body")
get fix /login -d "token=$t&name=ann" --data-urlencode "password=$password"; is "with a session chosen by others" "$status" 303
hasnot "it does not become ours" "$fixed" "$head"
status=$(curl -s -o /dev/null -w '%{http_code}' -b "firebreak_session=$fixed" "$base/"); is "nor is it one" "$status" 303
login ann ann "$password" -d "id=${ids[0]}"; is "ann logs in" "$status" 303
has "and is where she wanted to go" "Location: /incident?id=${ids[0]}" "$head"
has "the cookie is for HTTP alone" "Path=/; HttpOnly; SameSite=Strict" "$head"
grep -qE 'Set-Cookie: firebreak_session=[0-9a-f]{64};' <<<"$head"; ok $? "and random" "$head"
login bob bob "$password"; is "bob logs in" "$status" 303

# ---- searching ----
while IFS='|' read -r what q seen; do
	get ann / -G --data-urlencode "q=$q"
	is "search for $what" "$status" 200
	has "finds it" "id=$seen\"" "$body"
done <<END
a host|files.example|${ids[1]}
a domain|.example|${ids[0]}
a URL|bad.example/one|${ids[0]}
a whole URL|http://files.example/patch.exe|${ids[1]}
a user|ALICE|${ids[0]}
a user of a domain|domain\\joe|${ids[1]}
a client|192.0.2.8|${ids[1]}
an IPv6 client|2001:db8::7|${ids[2]}
a digest|$md5|${ids[1]}
a rule|local:bad|${ids[0]}
blanks around it| alice |${ids[0]}
END
get ann / -G --data-urlencode "q=1m83 me10 c4hm oo7j"; has "an incident as it is read out" "Location: /incident?id=${ids[0]}" "$head"
get ann / -G --data-urlencode "q=1M83-EM10-C4HM-007J"; has "one that is mistyped" "it is mistyped" "$body"
get ann / -G --data-urlencode "q=nobody-there"; has "nothing" "no such event" "$body"
get ann / -G --data-urlencode "q=local:bad" -d as=rule; has "by a column" "id=${ids[0]}\"" "$body"
get ann / -G --data-urlencode "q=a*" -d as=user; hasnot "in which a * is one" "id=${ids[0]}" "$body"
get ann / -G --data-urlencode "q=\"><script>alert(1)</script>"; hasnot "what is typed is harmless" "<script" "$body"
has "and still in the box" 'value="&quot;&gt;&lt;script&gt;' "$body"

# ---- an incident ----
get ann "/incident?id=${ids[0]}"; is "an incident" "$status" 200
for text in "refused: the user got the block page" "bad.example is listed" "local:bad" "19190" "first step" "second &lt;step&gt;" \
	"Events of this rule: 1. Clients: 1." "1M83-ME10-C4HM-007J" 'action="/except"'; do
	has "it has $text" "$text" "$body"
done
get ann "/incident?id=1M83-ME10-C4HM-007X"; is "a mistyped one" "$status" 404
for id in "${ids[2]}" "${ids[4]}"; do
	get ann "/incident?id=$id"; is "a hostile one" "$status" 200
	for bad in "<script" "<img" "onerror=alert(2)>" $'\x1b' $'\u202e' $'\xc2\x9b' "root:"; do
		hasnot "without $(printf %q "$bad")" "$bad" "$body"
	done
	iconv -f UTF-8 -t UTF-8 "$work/body" >/dev/null; ok $? "valid UTF-8"
	is "no NUL" "$(tr -d '\0' <"$work/body" | wc -c)" "$(wc -c <"$work/body")"
done
get ann "/incident?id=${ids[2]}"; has "its text is shown" "&lt;script&gt;alert(1)&lt;/script&gt;" "$body"
get ann /; hasnot "the list is harmless, too" "<script" "$body"
hasnot "what is no event is not there" "${ids[3]}" "$body"
get ann "/today?day=2026-11-23"; is "that day" "$status" 200
has "its counts" "<b>1</b>killed" "$body"
has "by hour" "<svg viewBox" "$body"
has "by rule" "as=rule" "$body"
hasnot "it is harmless" "<script" "$body"
for day in 0000-00-00 9999-12-31 2026-13-01 x; do get ann "/today?day=$day"; is "the day $day" "$status" 200; done
get ann /sources; has "the sources" "rules: 1" "$body"; has "and no exception" "There are none" "$body"

# ---- alerts ----
get ann /alerts; has "no alert" "No alert is stored" "$body"
import_alert
get ann /alerts; has "one that is imported" 'href="/alert?id=70001"' "$body"
has "and not live" "imported, not live" "$body"
hasnot "its title is harmless" "<script" "$body"
"$firebreak" publish >/dev/null 2>&1
meet_alert >>"$log"
get ann "/alert?id=70001"; is "the alert" "$status" 200
for text in '<span class="tag good">live</span>' "Version 2, imported" "Version 1, imported" "third.bad.example" "2026-11-02" \
	"events: 1, clients: 1" 'q=192.0.2.9&amp;as=client' "later)" "First met"; do
	has "it has $text" "$text" "$body"
done
# When it went live the log of that knows, whatever is live now; the command says the same.
sed -i 's/^[^ ]*\( .*alert=70001 \)/2026-11-05T06:07:08.000Z\1/' "$state/log/live.log"
cp "$work/body" "$work/alert-page"
get ann "/alert?id=70001"; has "when it went live is what was noted" '<dt>Live</dt><dd><time datetime="2026-11-05T06:07:08Z">' "$body"
hasnot "which is sure" "or earlier" "$body"
metric() { "$firebreak" metrics --quick | sed -n "s/^firebreak_alert_timestamp_seconds{alert=\"70001\",step=\"$1\"} //p"; }
is "the metrics have that moment" "$(metric live)" "$(date -d 2026-11-05T06:07:08Z +%s)"
has "and that of the import" "<dt>Imported here</dt><dd><time datetime=\"$(date -u -d "@$(metric imported)" +%Y-%m-%dT%H:%M:%SZ)\">" "$body"
mv "$state/log/live.log" "$work/live.log"
get ann "/alert?id=70001"; has "without a note the generations tell" "<dt>Live</dt><dd><time" "$body"; hasnot "another moment" "2026-11-05" "$body"
mv "$work/live.log" "$state/log/live.log"
body=$(cat "$work/alert-page")
has "what changed: one more" "<code>+ block url" "$body"
has "and one less" "<code>&minus; block url" "$body"
hasnot "it is harmless" "<script" "$body"
for id in ../../etc/passwd ..%2f..%2fusers %00 70001%00 70001.json 70002 '' ; do
	get ann "/alert?id=$id"; is "no alert: '$id'" "$status" 404
	hasnot "no file comes of it" 'root:' "$body"
done
printf '{"date":7,"version":"x","added":{"a":1},"gone":[null,7],"n_added":-1}\nno JSON\n' >>"$state/alerts/70001.versions"
get ann "/alert?id=70001"; is "a damaged history is shown as far as it goes" "$status" 200

# ---- what people did about the log ----
printf '{"event":{"id":"%s","action":"revealed","reason":"reveal"},"user":{"hash":"x"}}\n' 1M83ME10N4HM00AA >>"$log"
get ann "/?q=revealed&as=action"; has "a reveal is in the list" '<span class="tag mid">revealed</span>' "$body"

# ---- proxies ----
get ann /proxies; is "the proxies" "$status" 200
has "no worker runs" "No worker is running" "$body"
mkfifo "$work/in"
"$build/t/worker" "$state" stale <"$work/in" >"$work/worker" 2>&1 & worker=$! others+=($!)
exec 9>"$work/in"
for _ in $(seq 100); do [ -s "$work/worker" ] || sleep 0.1; done
get ann /proxies; has "a worker" "<strong>Process $worker</strong>" "$body"
has "that is behind" '<span class="tag mid">behind</span>' "$body"
"$firebreak" mode observe --for 1h --reason x >/dev/null 2>&1
get ann /proxies; has "the mode" "observe: nothing is blocked" "$body"
"$firebreak" mode enforce --reason x >/dev/null 2>&1
exec 9>&-; wait $worker 2>/dev/null

# ---- languages ----
languages=(en de fr el es) titles=(Search Suche Recherche Αναζήτηση Buscar)
for i in 0 1 2 3 4; do
	get none /login -H "Accept-Language: ${languages[i]}-XX,en;q=0.1"
	has "${languages[i]} by Accept-Language" "<html lang=\"${languages[i]}\">" "$body"
	cp "$work/ann" "$work/speaks"
	get speaks "/?q=alice&lang=${languages[i]}"; has "${languages[i]} by a link" "<h1>${titles[i]}</h1>" "$body"
	has "that is kept" "Set-Cookie: firebreak_language=${languages[i]}; Max-Age=31536000; Path=/; HttpOnly; SameSite=Strict" "$head"
	get speaks "/incident?id=${ids[0]}"; has "also on other pages" "<html lang=\"${languages[i]}\">" "$body"
	has "what the judge says is marked" '<ol lang="en">' "$body"
done
has "and a link leads back to the same page" "href=\"/incident?lang=de&amp;id=${ids[0]}\" lang=\"de\"" "$body"
get ann "/?lang=el" -H 'Sec-Fetch-Site: cross-site'; hasnot "a link from elsewhere is not kept" "firebreak_language" "$head"
get ann '/?lang=%22%3E%3Cscript%3E'; hasnot "nor is what is no language" "firebreak_language" "$head"; has "which is English" '<html lang="en">' "$body"
get ann '/?%22%3E%3Cscript%3E=%22%3E%3Cscript%3E'; hasnot "the links hold nothing hostile" "<script" "$body"

# ---- the letter, and a role that only looks ----
get ann "/incident?id=${ids[0]}"
letter=$("$firebreak" report-mistake "${ids[0]}" 2>/dev/null | grep -c .)
has "the letter" "Subject: probably a mistake: local:bad" "$body"
is "is the command's" "$(sed -n '/<pre/,/<\/pre>/p' <<<"$body" | grep -v '^</pre>' | grep -c .)" "$letter"
hasnot "and does not name the user" alice "$(sed -n '/<pre/,/<\/pre>/p' <<<"$body")"
add eve "$password" reveal; login eve eve "$password"; get eve /; has "who may reveal is shown to" "eve (reveals)" "$body"
get eve "/incident?id=${ids[0]}"; hasnot "but does not decide" 'action="/except"' "$body"

# ---- deciding ----
get bob "/incident?id=${ids[0]}"; hasnot "who may only look has no form" 'action="/except"' "$body"
bobs=$(token_of "$body")
get bob /except -d "token=$bobs&id=${ids[0]}&days=7&reason=x"; is "nor may he send one" "$status" 403
get ann "/incident?id=${ids[0]}"; anns=$(token_of "$body")
get ann /except -d "id=${ids[0]}&days=7&reason=x"; is "without a token" "$status" 403
get ann /except -d "token=$bobs&id=${ids[0]}&days=7&reason=x"; is "with that of another" "$status" 403
get ann /except -d "token=${anns%?}&id=${ids[0]}&days=7&reason=x"; is "with a part of it" "$status" 403
get ann /except -H 'Sec-Fetch-Site: same-site' -d "token=$anns&id=${ids[0]}&days=7&reason=x"; is "from another site" "$status" 403
get ann "/except?token=$anns&id=${ids[0]}&days=7&reason=x"; is "by a link" "$status" 405
for wrong in days=0 days=91 days=x days=-1 days=; do
	get ann /except -d "token=$anns&id=${ids[0]}&$wrong&reason=x"; is "with $wrong" "$status" 400
done
for reason in '' '%20' 'a%0ablock+host+x' 'a%00b' '%ff' '%e2%80%ae'; do
	get ann /except -d "token=$anns&id=${ids[0]}&days=7&reason=$reason"; is "with the reason '$reason'" "$status" 400
done
get ann /except -d "token=$anns&id=${ids[4]}&days=7&reason=x"; is "from what has no rule that can be named" "$status" 409
[ ! -e "$state/sources/exceptions.rules" ]; ok $? "so far nothing was made"
"$firebreak" check --user alice http://bad.example/ >/dev/null 2>&1; is "alice is still refused" $? 1
get ann /except --data-urlencode "token=$anns" -d "id=${ids[0]}&days=2" --data-urlencode 'reason=ticket "4711" & <b> expires=1d'
is "an exception" "$status" 303
has "back to the incident" "Location: /incident?id=${ids[0]}&done=live" "$head"
"$firebreak" check --user alice http://bad.example/ >/dev/null 2>&1; is "alice gets through" $? 0
"$firebreak" check --user bob http://bad.example/ >/dev/null 2>&1; is "nobody else does" $? 1
get ann "/incident?id=${ids[0]}&done=live"; has "it is told" "The user may try again now" "$body"
has "and shown" "An exception lets this through until" "$body"
has "with its reason" "ticket &quot;4711&quot; &amp; &lt;b&gt; expires=1d" "$body"
get ann /sources; has "it is in the list" "holds" "$body"; has "as what it is" "2:local:bad user=alice host=bad.example" "$body"
has "the audit names who did it" "console=ann add 2:local:bad user=alice host=bad.example" "$(cat "$state/log/exceptions.log")"
cp "$state/sources/exceptions.rules" "$work/by-console"
rm "$state/sources/exceptions.rules"
"$firebreak" exception add --incident "${ids[0]}" --for 2d --reason 'ticket "4711" & <b> expires=1d' >/dev/null 2>&1
same() { sed 's/ id=[^ ]*//; s/published=[^ ]*//; s/expires=[^ ]*Z//' "$1"; }
is "the command makes the same" "$(same "$work/by-console")" "$(same "$state/sources/exceptions.rules")"
printf 'block host bad.example id=bad rev=3\n' >"$state/sources/local.rules"
"$firebreak" publish >/dev/null 2>&1
get ann /sources; has "it lapses" "lapsed" "$body"
get ann "/incident?id=${ids[0]}"; hasnot "the incident does not promise more" "lets this through" "$body"
has "and says why" "does nothing any more (lapsed" "$body"
get ann /except -d "token=$anns&id=${ids[0]}&days=7&reason=again"; is "another one" "$status" 303
get ann "/incident?id=${ids[0]}&done=live"; has "is said to be for nothing" "the rule has changed since" "$body"

# ---- somebody whom the log names by a pseudonym ----
"$firebreak" pseudonyms --new-key >/dev/null 2>&1
echo "Pseudonyms yes" >"$state/site.conf"
"$firebreak" publish >/dev/null 2>&1
"$firebreak" exception add 3:local:bad --user carol --for 2d --reason "by pseudonym" >/dev/null 2>&1
token=$(grep -o 'user=user-[^ ]*' "$state/sources/exceptions.rules" | tail -n 1 | cut -d= -f2)
event 1M83ME10P4HM00AK blocked 192.0.2.9 x bad.example local:bad http://bad.example/ |
	sed "s/\"user\":{\"name\":\"x\"}/\"user\":{\"hash\":\"$token\"}/; s/\"version\":\"2\"/\"version\":\"3\"/" >>"$log"
get ann /incident?id=1M83ME10P4HM00AK; has "his exception is shown" "by pseudonym</p>" "$body"
has "and he, as the log has him" "$token</a>" "$body"
get ann /except -d "token=$anns&id=1M83ME10P4HM00AK&days=7&reason=theirs"; is "one more is made for him" "$status" 303
get ann "/incident?id=1M83ME10P4HM00AK&done=live"; has "and said to hold" "The user may try again now" "$body"; has "and shown" "theirs</p>" "$body"
sed -i "s/$token/${token%?}x/" "$log"
get ann /incident?id=1M83ME10P4HM00AK; hasnot "another's is not" "by pseudonym</p>" "$body"

# ---- what is no page ----
echo secret >"$work/secret.txt"
for path in /../secret.txt /%2e%2e/secret.txt /..%2fsecret.txt /secret.txt /style.css/../secret.txt //etc/passwd /%00 /style.css%00 \
	'/incident/../../secret.txt' /login/ '/style.css?../../secret.txt%0d%0aX: y'; do
	get ann "$path"
	hasnot "$path gives no file" secret "$body"
done
get ann /style.css%00; is "a NUL is no end" "$status" 404
get ann '/today?day=%0d%0aX-Evil:1'; hasnot "no header is made by a query" X-Evil "$head"
for bad in '/?q=%zz' '/?q=1&q=2' "/?$(seq -s '&' 40)"; do get ann "$bad"; is "a bad query" "$status" 400; done
for method in PUT DELETE OPTIONS TRACE PATCH; do get ann / -X $method; is "$method" "$status" 405; done
get none /login -I; is "HEAD" "$status" 200
get ann / -H "X: $(head -c 40000 /dev/zero | tr '\0' x)"; case $status in 4??|000) ok 0 "a large header" ;; *) ok 1 "a large header" "$status" ;; esac
get ann "/?q=$(head -c 20000 /dev/zero | tr '\0' x)"; case $status in 4??|000) ok 0 "a long address" ;; *) ok 1 "a long address" "$status" ;; esac
get ann "/?q=$(head -c 3000 /dev/zero | tr '\0' x)"; is "a long search" "$status" 400
head -c 1000000 /dev/zero >"$work/large"
get ann /except --data-binary @"$work/large"; is "a large form" "$status" 413
get ann /except -H 'Transfer-Encoding: chunked' --data-binary @"$work/large"; is "one without a length" "$status" 411
(
	trap '' PIPE
	for _ in $(seq 60); do exec {fd}<>"/dev/tcp/127.0.0.1/${base##*:}" && printf 'GET / HTTP/1.1\r\nX: ' >&"$fd"; done
	exec sleep 60
) >/dev/null 2>&1 & slow=$! others+=($!)
sleep 1
# They are more than may be open: what comes then is answered once they have been idle for long enough.
for _ in $(seq 60); do get ann /style.css; [ "$status" != 200 ] || break; sleep 1; done
is "slow clients go, others are answered" "$status" 200
kill $slow
kill -0 $pid; ok $? "it is still there"

# ---- lists that are fetched ----
echo mal.example > "$state/sources/mal.feed"
echo 'mal origin=https://feeds.example/mal.txt?key=s3cr3t format=hosts' > "$state/sources.conf"
"$firebreak" publish >/dev/null 2>&1
printf 'firebreak-feed 1\ngood %s\nfailures 2\nwhy the <b>origin</b>\n' "$(date -ud '3 days ago' +%FT%TZ)" > "$state/update/mal"
get ann /sources
has "how old the last good list is" "fetched 3 days ago" "$body"
has "that it is stale" ">stale<" "$body"
has "and why" "the &lt;b&gt;origin&lt;/b&gt;" "$body"
hasnot "but no secret" s3cr3t "$body"
rm "$state/sources.conf" "$state/sources/mal.feed"

# ---- the end of a session ----
cp "$work/ann" "$work/old"
get ann /logout -d "token=$anns"; is "logging out" "$status" 303
get old /; is "the cookie is nothing any more" "$status" 303
add bob "$password" decide
get bob /; is "whose role changed logs in again" "$status" 303
hasnot "the log has no password" "correct horse" "$(cat "$work/err")"
has "the log says who was there" "ann from 127.0.0.1: logged in" "$(cat "$work/err")"

# ---- too many tries ----
for _ in $(seq 30); do
	login limit victim wrong-password
	[ "$status" = 403 ] || break
done
is "too many tries" "$status" 429
has "it says how long to wait" "Please wait" "$body"
login limit victim "$password"; is "the right password does not help then" "$status" 429
login limit ann "$password"; is "others may" "$status" 303

stop; is "it ends when it is told to" $? 0
! grep -q 'Sanitizer\|runtime error' "$work/err"; ok $? "nothing went wrong in it" "$(cat "$work/err")"

tap_done
