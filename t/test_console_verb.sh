#!/usr/bin/env bash
# firebreak console: a real instance on loopback, asked by curl: who gets in, what is shown of hostile events, an exception.  TAP.
set -u
build=${top_builddir:-.}
firebreak=$build/firebreak
. "${top_srcdir:-.}/t/tap.sh"
command -v curl >/dev/null || skip_all "curl is missing"
work=$(mktemp -d "${TMPDIR:-/tmp}/firebreak-console-XXXXXX") || exit 1
pid=''
slow=''
trap 'kill $pid $slow 2>/dev/null; rm -rf "$work"' EXIT
state=$work/state log=$work/state/events.jsonl users=$work/users
mkdir -p "$state/sources" "$work/lists"
cp "${top_srcdir:-.}"/etc/*.txt "$work/lists" 2>/dev/null
no_lookalikes "$work/lists"
export FIREBREAK_LISTS=$work/lists FIREBREAK_STATE=$state
has() { grep -qF -e "$2" <<<"$3"; ok $? "$1" "not there: $2"$'\n'"$3"; }
hasnot() { ! grep -qF -e "$2" <<<"$3"; ok $? "$1" "there: $2"$'\n'"$3"; }
is() { [ "$2" = "$3" ]; ok $? "$1" "     got: $2"$'\n'"expected: $3"; }

# ---- users ----
password='correct horse "battery" staple'
add() { printf '%s\n' "$2" | "$firebreak" console --users "$users" --add-user "$1" --role "$3" >/dev/null 2>&1; }
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
ids=(1M83ME10C4HM007J 1M83MDH1R4HM1YE5 1M83MDH1W4HM1YFX 1M83NSAZ04HM000Z 1M83MDH1M4HM1YD8)
md5=9abc553703f4e4fedb3ed975502a2c7a
event() {	# event ID ACTION CLIENT USER HOST RULE URL [MORE]: strings of JSON
	printf '{"@timestamp":"2026-11-23T07:20:24.332Z","event":{"id":"%s","action":"%s","reason":"host","provider":"reqmod"},' "$1" "$2"
	printf '"rule":{"id":"%s","version":"2","ruleset":"local"},"client":{"ip":"%s"},"user":{"name":"%s"},' "$6" "$3" "$4"
	printf '"url":{"original":"%s","domain":"%s"}%s}\n' "$7" "$5" "${8:-}"
}
event "${ids[0]}" blocked 192.0.2.7 alice bad.example local:bad 'http://bad.example/one?two=%3d' \
	',"message":"bad.example is listed","firebreak":{"alert":"19190","steps":"first step\nsecond <step>"}' >>"$log"
event "${ids[1]}" killed 192.0.2.8 'DOMAIN\\joe' files.example local:file 'http://files.example/patch.exe' \
	",\"file\":{\"hash\":{\"md5\":\"$md5\"}}" >>"$log"
hostile='\"><script>alert(1)</script><img src=x onerror=alert(2)>'"'"'\u001b[31m\u009b\u202e&#60;'
event "${ids[2]}" would_block 2001:db8::7 "$hostile" 'hostile.example' "$hostile" "http://hostile.example/$hostile" \
	",\"message\":\"$hostile\",\"file\":{\"name\":\"$hostile\",\"path\":\"$hostile\"},\"firebreak\":{\"alert\":\"../../../etc/passwd\",\"steps\":[\"$hostile\",7]}" >>"$log"
printf '{"event":{"id":"%s","action":"blocked"},"url":{"original":"http://\xff\xfe/"}}\n' "${ids[3]}" >>"$log"
printf '{"event":{"id":"%s","action":{"x":1}},"rule":{"id":7,"version":[]},"client":"x","user":null}\n' "${ids[4]}" >>"$log"
printf 'block host bad.example id=bad rev=2\n' >"$state/sources/local.rules"
"$firebreak" publish >/dev/null 2>&1; ok $? "published"
"$firebreak" check --user alice http://bad.example/ >/dev/null 2>&1; is "alice is refused" $? 1

# ---- the server ----
# In the folder that a path from outside would be looked for in.
firebreak=$(realpath "$firebreak")
(cd "$work" && exec "$firebreak" console --listen 127.0.0.1:0 --users "$users" >"$work/out" 2>"$work/err") & pid=$!
for _ in $(seq 300); do [ -s "$work/out" ] || sleep 0.1; done
base=$(sed 's,/$,,' "$work/out")
has "it says where it listens" "http://127.0.0.1:" "$base"
# get JAR PATH [CURL-ARGUMENT...]: $status, $head and $body
get() {
	local jar=$work/$1 path=$2
	shift 2
	status=$(curl -s --path-as-is --max-time 60 -b "$jar" -c "$jar" -D "$work/head" -o "$work/body" -w '%{http_code}' "$@" "$base$path")
	head=$(tr -d '\r' <"$work/head"); body=$(cat "$work/body")
}
token_of() { grep -o 'name="token" value="[0-9a-f]*"' <<<"$1" | head -n 1 | cut -d'"' -f4; }
login() {	# login JAR NAME PASSWORD [MORE]
	get "$1" /login
	get "$1" /login --data-urlencode "token=$(token_of "$body")" --data-urlencode "name=$2" --data-urlencode "password=$3" "${@:4}"
}

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
) >/dev/null 2>&1 & slow=$!
sleep 1
# They are more than may be open: what comes then is answered once they have been idle for long enough.
for _ in $(seq 60); do get ann /style.css; [ "$status" != 200 ] || break; sleep 1; done
is "slow clients go, others are answered" "$status" 200
kill $slow
kill -0 $pid; ok $? "it is still there"

# ---- the end of a session ----
cp "$work/ann" "$work/old"
get ann /logout -d "token=$anns"; is "logging out" "$status" 303
get old /; is "the cookie is nothing any more" "$status" 303
add bob "$password" decide
get bob /; is "whose role changed logs in again" "$status" 303
hasnot "the log has no password" "correct horse" "$(cat "$work/err")"
has "the log says who was there" "ann from 127.0.0.1: logged in" "$(cat "$work/err")"

# ---- pages as they are seen ----
login eyes ann "$password"
if command -v chromium >/dev/null; then
	pages=("/" "/?q=.example" "/incident?id=${ids[0]}" "/incident?id=${ids[2]}" "/today?day=2026-11-23" /sources /login)
	browse() { timeout 120 chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$work/chromium" "$@" 2>/dev/null; }
	frame() {	# frame WIDTH HEIGHT: the page in $body as it is, with its style sheet in it, in a frame of this size
		printf '<iframe style="border:0" width=%d height=%d srcdoc="' "$1" "$2"
		{ sed '/rel="stylesheet"/d' <<<"$body"; printf '<style>%s</style>' "$style"; } | sed 's/&/\&amp;/g; s/"/\&quot;/g'
		printf '"></iframe>'
	}
	get nobody /style.css; style=$body
	for page in "${pages[@]}"; do
		jar=eyes; [ "$page" != /login ] || jar=nobody
		get $jar "$page"
		for width in 375 1280; do
			frame $width 1600 >>"$work/frames"
			[ -n "${FIREBREAK_SCREENSHOTS:-}" ] || continue
			file=$(tr -c 'a-zA-Z0-9\n' _ <<<"$page")-$width
			{ printf '<!doctype html><body style="margin:0">'; frame $width 1600; } >"$work/$file.html"
			browse --window-size=$((width < 500 ? 500 : width)),1600 --screenshot="$FIREBREAK_SCREENSHOTS/$file.png" \
				"file://$work/$file.html" >/dev/null
		done
	done
	{ printf '<!doctype html><body>'; cat "$work/frames"
	  printf '<script>onload=()=>{document.title="over"+[...document.querySelectorAll("iframe")].map(f=>'
	  printf '{const d=f.contentDocument.documentElement;return " "+(d.scrollWidth-d.clientWidth)}).join("")}</script>'
	} >"$work/frames.html"
	over=$(browse --virtual-time-budget=5000 --dump-dom "file://$work/frames.html" | grep -o '<title>over[^<]*')
	is "no page is wider than a phone or a desk" "${over#<title>over }" "$(printf '0 %.0s' "${pages[@]}" "${pages[@]}" | sed 's/ $//')"
else
	skip "no page is wider than a phone or a desk" "chromium is missing"
fi

# ---- too many tries ----
for _ in $(seq 30); do
	login limit victim wrong-password
	[ "$status" = 403 ] || break
done
is "too many tries" "$status" 429
has "it says how long to wait" "Please wait" "$body"
login limit victim "$password"; is "the right password does not help then" "$status" 429
login limit ann "$password"; is "others may" "$status" 303

kill $pid; wait $pid; is "it ends when it is told to" $? 0
pid=''
! grep -q 'Sanitizer\|runtime error' "$work/err"; ok $? "nothing went wrong in it" "$(cat "$work/err")"

tap_done
