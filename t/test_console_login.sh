#!/usr/bin/env bash
# firebreak console: TLS, a login by a server before it, and /metrics: who is let in, and who is not.  TAP.
set -u
. "${top_srcdir:-.}/t/console.sh"
add ann "$password" decide
write_events >>"$log"
printf 'block host bad.example id=bad rev=2\n' >"$state/sources/local.rules"
"$firebreak" publish >/dev/null 2>&1

# refused NAME WORDS ARGUMENT...: it does not start, and says why
refused() {
	local name=$1 words=$2
	shift 2
	timeout 20 "$firebreak" console --listen 127.0.0.1:0 --users "$users" "$@" >/dev/null 2>"$work/err"; is "$name: it does not start" $? 2
	has "and says why" "$words" "$(cat "$work/err")"
}

# ---- /metrics ----
start; get none /metrics; is "without being asked for there are no metrics" "$status" 404; stop
start --metrics loopback
get none /metrics; is "this machine gets them" "$status" 200
has "in Prometheus's format" "# TYPE firebreak_rules gauge" "$body"
has "said to be it" "Content-Type: text/plain; version=0.0.4" "$head"
for header in 'X-Forwarded-For: 192.0.2.1' 'Forwarded: for=192.0.2.1' 'Via: 1.1 x' 'Host: evil.example' 'Host: 127.0.0.1.evil.example' 'Host: [::2]'; do
	get none /metrics -H "$header"; is "not with $header" "$status" 403
done
get none /metrics -H "Host: localhost:1"; is "localhost is this machine" "$status" 200
get none /metrics -X POST -d x=1; is "POST" "$status" 405
stop
refused "this machine may be a server before it" "a token" --behind-tls --metrics loopback
printf '0123456789abcdef-token\n' >"$work/token"; chmod 644 "$work/token"
refused "a token that others read" "its owner alone" --metrics "$work/token"
chmod 600 "$work/token"
start --metrics "$work/token"
get none /metrics; is "without the token" "$status" 401; has "it says what it takes" "WWW-Authenticate: Bearer" "$head"
get none /metrics -H 'Authorization: Bearer 0123456789abcdef-token'; is "with it" "$status" 200
get none /metrics -H 'Authorization: Bearer 0123456789abcdef-tokem'; is "with another" "$status" 401
get none /metrics -H 'Authorization: Basic 0123456789abcdef-token'; is "by another scheme" "$status" 401
for _ in $(seq 30); do get none /metrics -H 'Authorization: Bearer x'; [ "$status" = 401 ] || break; done
is "whoever guesses has to wait" "$status" 429
stop
echo short >"$work/token"; refused "a short token" "16 bytes at least" --metrics "$work/token"

# ---- a server before it says who it is ----
refused "a header without anybody to believe" "--trust" --user-header X-User
refused "an address that is none" "this is none: localhost" --trust localhost --user-header X-User
for anybody in 127.0.0.1 ::1 127.0.0.2,::ffff:127.0.0.1; do
	refused "the address that Squid fetches from for its clients, $anybody" "such as 127.0.0.2" --trust $anybody --user-header X-User
done
start --trust 127.0.0.2,::2 --user-header X-Remote-User --role-header X-Remote-Role --metrics loopback
via() { get "$1" "$2" --interface 127.0.0.2 "${@:3}"; }	# as that server
who=(-H "X-Remote-User: dora" -H "X-Remote-Role: decide,reveal")
via dora / "${who[@]}"; is "whom it names is logged in" "$status" 200
has "by that name and those roles" "dora (decides, reveals)" "$body"
hasnot "whom it logs out itself" "/logout\"><span>dora (decides, reveals)</span><input" "$body"
has "the log says so" "dora from 127.0.0.2: logged in by the server before this one" "$(cat "$work/err")"
via dora "/incident?id=${ids[0]}" "${who[@]}"; has "he may decide" 'action="/except"' "$body"
token=$(token_of "$body")
via dora /except "${who[@]}" -d "id=${ids[0]}&days=7&reason=x"; is "but not without a token" "$status" 403
via dora /except "${who[@]}" -d "token=$token&id=${ids[0]}&days=7&reason=x"; is "with it" "$status" 303
has "in his name" "console=dora" "$(cat "$state/log/exceptions.log")"
get none / "${who[@]}"; is "of another address the header is nothing" "$status" 303
get dora / "${who[@]}"; is "nor is the cookie worth anything there" "$status" 303
via dora /; is "without the header nobody is let in" "$status" 403
via dora / -H "X-Remote-User: dora"; is "without the role" "$status" 403
via dora / "${who[@]}" -H "X-Remote-User: root"; is "with two names" "$status" 403
via dora / "${who[@]}" -H "x-remote-user: root"; is "also when one is written differently" "$status" 403
via dora / -H "X-Remote-User: dora" -H "X-Remote-Role: root"; is "with a role that is none" "$status" 403
via dora / -H "X-Remote-User: <script>alert(1)</script>" -H "X-Remote-Role: read"; is "with a name that is none" "$status" 403
hasnot "which is not repeated" "<script" "$body"
via dora / -H "X-Remote-User: emil" -H "X-Remote-Role: read"; has "another name is another session" "emil (looks)" "$body"
via dora "/incident?id=${ids[0]}" -H "X-Remote-User: emil" -H "X-Remote-Role: read"; hasnot "with his own role" 'action="/except"' "$body"
via none /metrics "${who[@]}"; is "whoever comes through it is not this machine" "$status" 403
login ann ann "$password"; is "passwords are taken beside it" "$status" 303
via ann / "${who[@]}"; has "but its word is stronger" "dora (decides" "$body"
for _ in $(seq 8); do
	get none /login; via none /login -H "X-Forwarded-For: 198.51.100.7, 203.0.113.5" "${who[@]}"
done
is "who is logged in needs no login" "$status" 303
stop

# ---- a socket for IPv4 as well ----
listen=[::]:0
start --trust 127.0.0.2,::ffff:127.0.0.3 --user-header X-Remote-User --metrics loopback
if [ -n "$port" ]; then
	base=http://127.0.0.1:$port
	get none /metrics; is "this machine is this machine" "$status" 200
	get none / --interface 127.0.0.2 -H "X-Remote-User: dora"; is "a server that is trusted is itself" "$status" 200
	get none / --interface 127.0.0.3 -H "X-Remote-User: dora"; is "however it is written" "$status" 200
	get none / -H "X-Remote-User: dora"; is "others are not" "$status" 303
	get mallory /login; token=$(token_of "$body")
	for i in $(seq 30); do get mallory /login --interface 127.0.0.4 -d "name=x$i&password=x&token=$token"; [ "$status" != 429 ] || break; done
	is "who tries passwords has to wait" "$status" 429
	get other /login; token=$(token_of "$body")
	get other /login --interface 127.0.0.5 --data-urlencode "password=$password" -d "name=ann&token=$token"; is "and another client has not" "$status" 303
else
	skip "a socket for IPv4 as well" "$(cat "$work/err")"
fi
stop
listen=
mv "$users" "$users.away"
start --trust 127.0.0.2 --user-header X-Remote-User
via x / -H "X-Remote-User: dora"; is "no file of users is needed then" "$status" 200; has "without a header for it the role is to look" "dora (looks)" "$body"
stop
mv "$users.away" "$users"

# ---- TLS before it ----
start --behind-tls
login ann ann "$password"
has "cookies are Secure" "Set-Cookie: __Host-firebreak_session=" "$head"; has "with all that goes with it" "Path=/; HttpOnly; SameSite=Strict; Secure" "$head"
has "and browsers stay with TLS" "Strict-Transport-Security: max-age=31536000" "$head"
get none / -H "Cookie: firebreak_session=$(grep -o '__Host-firebreak_session.*' "$work/ann" | cut -f2)"; is "a cookie without the prefix is nothing" "$status" 303
stop

# ---- TLS ----
if command -v openssl >/dev/null; then
	make_cert() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/$1.key" -out "$work/$1.crt" \
		-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 "${@:2}" >/dev/null 2>&1; chmod 600 "$work/$1.key"; }
	make_cert good -days 30; make_cert other -days 30
	tls=(--tls-cert "$work/good.crt" --tls-key)
	refused "no key" "go together" --tls-cert "$work/good.crt"
	refused "a key that is not there" "No such file" "${tls[@]}" "$work/none.key"
	refused "another's key" "not that of the certificate" "${tls[@]}" "$work/other.key"
	refused "no certificate" "there is no certificate in it" --tls-cert "$users" --tls-key "$work/good.key"
	refused "no key in it" "there is no private key" "${tls[@]}" "$users"
	chmod 640 "$work/good.key"; refused "a key that others read" "its owner alone" "${tls[@]}" "$work/good.key"; chmod 600 "$work/good.key"
	openssl pkey -in "$work/good.key" -aes256 -passout pass:secret -out "$work/locked.key" 2>/dev/null; chmod 600 "$work/locked.key"
	refused "a key with a password" "without a password" "${tls[@]}" "$work/locked.key" </dev/null
	if openssl req -help 2>&1 | grep -q -- -not_before || openssl ca -help 2>&1 | grep -q -- -startdate; then
		: >"$work/index"; echo 01 >"$work/serial"
		printf '[ca]\ndefault_ca=c\n[c]\ndatabase=%s/index\nserial=%s/serial\nnew_certs_dir=%s\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n' \
			"$work" "$work" "$work" >"$work/ca.conf"
		openssl req -new -key "$work/good.key" -subj /CN=localhost -out "$work/old.csr" 2>/dev/null
		openssl ca -batch -config "$work/ca.conf" -selfsign -keyfile "$work/good.key" -in "$work/old.csr" -out "$work/old.crt" \
			-startdate 20200101000000Z -enddate 20200201000000Z >/dev/null 2>&1
		refused "one that has expired" "has expired" --tls-cert "$work/old.crt" --tls-key "$work/good.key"
	fi
	start "${tls[@]}" "$work/good.key"
	has "it says so" "https://127.0.0.1:" "$base"
	get none /login --cacert "$work/good.crt"; is "by TLS" "$status" 200
	has "browsers stay with it" "Strict-Transport-Security:" "$head"; has "cookies too" "; Secure" "$head"
	curl -s --max-time 20 "http${base#https}/login" >/dev/null; ok $((! $?)) "without TLS nothing is answered"
	curl -s --max-time 20 --cacert "$work/good.crt" --tls-max 1.1 "$base/login" >/dev/null; ok $((! $?)) "nor by TLS 1.1"
	curl -s --max-time 20 --cacert "$work/good.crt" --tlsv1.3 "$base/login" >/dev/null; ok $? "TLS 1.3"
	curl -s --max-time 20 --cacert "$work/other.crt" "$base/login" >/dev/null; ok $((! $?)) "the certificate is that of the file"
	stop; is "it ends when it is told to" $? 0
else
	skip "TLS" "openssl is missing"
fi
! grep -q 'Sanitizer\|runtime error' "$work/err"; ok $? "nothing went wrong in it" "$(cat "$work/err")"
tap_done
