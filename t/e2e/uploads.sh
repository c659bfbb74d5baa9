#!/usr/bin/env bash
# What is sent up, through a real Squid with curl: files as they are and in forms.  TAP.
. "${top_srcdir:-.}/t/e2e/tap.sh"

e2e_init uploads
small=$(body_md5 20000 7) long=$(body_md5 200000 7)
e2e_rules "block file 20000:md5:$small id=small name=small.exe" "block file 200000:md5:$long id=long name=long.exe"
printf 'InspectUploads yes\n' | lab_write "$LAB_STATE/site.conf"
e2e_publish >/dev/null
e2e_start
files=http://files.firebreak.test:$LAB_ORIGIN_PORT
for n in 20000 200000; do
	"$LAB_LIVE/origin" --body "$n" 7 >"$lab_top/listed.$n"
	"$LAB_LIVE/origin" --body "$n" 8 >"$lab_top/other.$n"
done
received() { grep -o '[0-9]* bytes were received' "$lab_top/body"; }	# what the origin says it got, once it got all

for how in "" "-H Transfer-Encoding:chunked" "-H Expect:100-continue"; do
	like "$(fetch "$files/up/a.exe" -T "$lab_top/listed.20000" $how)" "403 * 0" "curl -T $how: a short listed file is refused"
	is "$(event '.event.action, .event.reason, .event.provider, .http.request.method, .file.name, .file.size, .file.hash.md5')" \
		"blocked file reqmod PUT a.exe 20000 $small" "curl -T $how: as its event says"
	like "$(fetch "$files/up/a.exe" -T "$lab_top/other.20000" $how)" "200 * 0" "curl -T $how: another one of that length arrives"
done
like "$(fetch "$files/up/a.exe" -F "text=Hello" -F "file=@$lab_top/listed.20000;filename=b.exe")" "403 * 0" "curl -F: a short form is refused"
is "$(event '.event.action, .event.provider, .firebreak.found, .file.path, .file.size')" "blocked reqmod member b.exe 20000" \
	"curl -F: its event names the part"
like "$(fetch "$files/up/a.exe" -F "file=@$lab_top/listed.20000;encoder=base64")" "403 * 0" "curl -F in base64: refused"
like "$(fetch "$files/up/a.exe" -F "file=@$lab_top/listed.20000;encoder=quoted-printable")" "403 * 0" "curl -F quoted-printable: refused"
like "$(fetch "$files/up/a.exe" -F "text=Hello" -F "file=@$lab_top/other.20000")" "200 * 0" "curl -F: another form arrives"
like "$(received)" "20* bytes were received" "curl -F: whole"

is_cut() {	# is_cut NAME CURL-ARGUMENT...
	local name=$1 status
	shift
	read -r status _ _ < <(fetch "$files/up/long" "$@")
	[ "$status" != 200 ] && [ -z "$(received)" ]
	ok $? "$name: a long listed file is cut" "status $status"
	is "$(event '.event.action, .event.provider, .file.size')" "killed reqmod 200000" "$name: and its event says so"
	[ "$(event .firebreak.delivered)" -lt 200000 ]
	ok $? "$name: not all of it had been let go" "$(event .firebreak.delivered)"
}
is_cut "curl -T" -T "$lab_top/listed.200000"
is_cut "curl -T, in chunks" -T "$lab_top/listed.200000" -H Transfer-Encoding:chunked
is_cut "curl -F" -F "file=@$lab_top/listed.200000" -F "more=@$lab_top/other.20000"
before=$(events)
like "$(fetch "$files/up/long" -T "$lab_top/other.200000")" "200 * 0" "another long one arrives"
is "$(received)" "200000 bytes were received" "whole"
like "$(fetch "$files/up/long" -F "file=@$lab_top/other.200000" -F "more=@$lab_top/other.20000")" "200 * 0" "and so does a long form"
like "$(fetch "$files/login" -d "user=x&password=y")" "200 * 0" "and a form without files"
is "$(events)" "$before" "none of them is an event"
like "$(fetch "$LAB_ORIGIN/hello")" "200 * 0" "after all that Squid still answers"

printf '' | lab_write "$LAB_STATE/site.conf"
e2e_publish >/dev/null
like "$(fetch "$files/up/long" -T "$lab_top/listed.200000")" "200 * 0" "unless the site says so, nothing of it is looked at"
is "$(events)" "$before" "and there is no event"
e2e_done
