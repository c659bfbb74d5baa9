#!/usr/bin/env bash
# HTTPS: the page inside TLS where nothing is decrypted but what is refused (BlockConnect mark), and where everything is (BlockConnect
# inner).  With Debian's squid-openssl, which cannot be installed beside squid: its package is unpacked into a folder of the test.  TAP.
. "${top_srcdir:-.}/t/e2e/tap.sh"

command -v openssl >/dev/null || skip_all "openssl is missing"
package=$lab_top/squid-openssl
# A machine may have packages and no lists of them any more.
download() { apt-get -qq download squid-openssl || { [ "$(id -u)" -eq 0 ] && apt-get -qq update && apt-get -qq download squid-openssl; }; }
find_squid() {
	LAB_SQUID=squid certgen=/usr/lib/squid/security_file_certgen
	squid -v 2>/dev/null | grep -q -e --with-openssl && return
	mkdir "$package" && chmod 755 "$package"
	(cd "$package" && download && dpkg -x squid-openssl_*.deb .) >/dev/null 2>&1 || return 1
	LAB_SQUID=$package/usr/sbin/squid certgen=$package/usr/lib/squid/security_file_certgen
	[ -z "$(ldd "$LAB_SQUID" "$certgen" 2>/dev/null | grep 'not found')" ]
}
find_squid || { rm -rf "$lab_top"; skip_all "Debian's package squid-openssl cannot be had"; }

LAB_HERE="good.firebreak.test www.bad-host.test"
authority() {	# authority NAME: NAME.pem with its key, NAME.crt
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=$1" -addext basicConstraints=critical,CA:TRUE \
		-addext keyUsage=critical,keyCertSign,cRLSign -keyout "$lab_top/$1.key" -out "$lab_top/$1.crt" 2>/dev/null
	cat "$lab_top/$1.crt" "$lab_top/$1.key" >"$lab_top/$1.pem"
	chmod 644 "$lab_top/$1".*
}
authority proxy
authority origin
openssl req -newkey rsa:2048 -nodes -subj /CN=good.firebreak.test -keyout "$lab_top/good.key" 2>/dev/null |
	openssl x509 -req -days 2 -CA "$lab_top/origin.crt" -CAkey "$lab_top/origin.key" -CAcreateserial \
		-extfile <(echo "subjectAltName=DNS:good.firebreak.test,DNS:www.bad-host.test") -out "$lab_top/good.crt" 2>/dev/null
mkdir "$lab_top/www" && cd "$lab_top/www" || exit 1
echo good >page.html
"$build/t/origin" --body 20000 7 >listed.bin
"$build/t/origin" --body 20000 8 >other.bin
trap '[ -z "${server:-}" ] || kill $server; e2e_finish' EXIT

# serve PORT: by TLS.
serve() {
	openssl s_server -quiet -accept "127.0.0.1:$1" -cert "$lab_top/good.crt" -key "$lab_top/good.key" -WWW >/dev/null 2>&1 &
	server=$!
}
lab() {	# lab NAME BLOCKCONNECT SSL-BUMP: a lab with a port that bumps as is said, and an origin by TLS
	local ports
	LAB_BLOCK_CONNECT=$2
	e2e_init "$1"
	mapfile -t ports < <("$LAB_LIVE/origin" --ports 6 "$LAB_PORT_BASE")
	bumping=${ports[4]} tls=${ports[5]}
	lab_as "$certgen" -c -s "$LAB_STATE/live/ssl_db" -M 4MB >/dev/null
	LAB_SQUID_PORTS="http_port 127.0.0.1:$bumping ssl-bump tls-cert=$lab_top/proxy.pem generate-host-certificates=on
sslcrtd_program $certgen -s $LAB_STATE/live/ssl_db -M 4MB
sslcrtd_children 1
tls_outgoing_options cafile=$lab_top/origin.crt
ssl_bump $3 all"
	e2e_rules "block host .bad-host.test id=host" "block file 20000:md5:$(body_md5 20000 7) id=file"
	e2e_publish >/dev/null
	[ -z "${server:-}" ] || { kill $server; wait $server; } 2>/dev/null
	serve "$tls"
	e2e_start
}
get() { fetch "$1" -x "http://127.0.0.1:$bumping" --cacert "$lab_top/$2.crt" "${@:3}"; }	# get URL AUTHORITY [CURL-ARGUMENT...]
number() { grep -oE '\b[0-9A-Z]{4}(-?[0-9A-Z]{4}){3}\b' "$lab_top/body" | head -n 1 | tr -d -; }

# ---- nothing is decrypted but what is refused ----
lab splice mark splice
good=https://good.firebreak.test:$tls bad=https://www.bad-host.test:$tls
is "$(get "$good/page.html" origin)" "200 5 0" "mark: what is not listed stays between browser and server: the certificate is the server's own"
like "$(get "$bad/lure/patch" proxy)" "403 * 0" "mark: a listed host is refused inside TLS"
is "$(number)" "$(event .event.id)" "mark: the page has the incident's number"
is "$(event '.event.action, .http.request.method, .url.domain')" "marked CONNECT www.bad-host.test" "mark: and the event is there"
like "$(get "$bad/lure/patch" origin)" "000 0 60" "mark: who does not trust the site's authority is warned by his browser"
lab_stop "$LAB_STATE"

# ---- everything is decrypted ----
lab bump inner bump
good=https://good.firebreak.test:$tls bad=https://www.bad-host.test:$tls
is "$(get "$good/page.html" proxy)" "200 5 0" "inner: what is not listed arrives, by a certificate of the proxy"
is "$(get "$good/other.bin" proxy)" "200 20000 0" "inner: so does a file of a listed size"
like "$(get "$bad/lure/patch" proxy)" "403 * 0" "inner: a listed host is refused inside TLS"
is "$(number)" "$(event .event.id)" "inner: the page has the incident's number"
is "$(event '.event.action, .http.request.method, .url.original')" "blocked GET $bad/lure/patch" "inner: the event has the whole URL"
is "$(tail -n 2 "$LAB_EVENTS" | head -n 1 | jq -r '[.event.action, .http.request.method, .firebreak.mode] | join(" ")')" \
	"would_block CONNECT inner" "inner: and one says that the CONNECT went through"
like "$(get "$good/listed.bin" proxy)" "403 * 0" "inner: a listed file gets the page"
is "$(event '.event.reason, .url.original')" "file $good/listed.bin" "inner: its event, too"
like "$(get "$good/page.html" proxy -H "Host: www.bad-host.test")" "403 * 0" "inner: another host inside than the CONNECT's is judged"
like "$(fetch "$bad/" --cacert "$lab_top/origin.crt")" "* 0" "inner: a port that does not decrypt lets it through, as the manual says"
is "$(event '.event.action, .firebreak.mode')" "would_block inner" "inner: and the event says so"
e2e_done
