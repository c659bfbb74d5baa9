# console.sh - what tests of "firebreak console" begin with: a state folder, users, hostile events, a real instance on loopback that is
# asked by curl.  To be sourced by bash.
build=${top_builddir:-.}
firebreak=$build/firebreak
. "${top_srcdir:-.}/t/tap.sh"
command -v curl >/dev/null || skip_all "curl is missing"
work=$(mktemp -d "${TMPDIR:-/tmp}/firebreak-console-XXXXXX") || exit 1
pid=''
others=()	# processes that are to end with the test
trap 'kill $pid "${others[@]}" 2>/dev/null; rm -rf "$work"' EXIT
state=$work/state log=$work/state/events.jsonl users=$work/users
mkdir -p "$state/sources" "$work/lists"
cp "${top_srcdir:-.}"/etc/*.txt "$work/lists" 2>/dev/null
no_lookalikes "$work/lists"
export FIREBREAK_LISTS=$work/lists FIREBREAK_STATE=$state
has() { grep -qF -e "$2" <<<"$3"; ok $? "$1" "not there: $2"$'\n'"$3"; }
hasnot() { ! grep -qF -e "$2" <<<"$3"; ok $? "$1" "there: $2"$'\n'"$3"; }
is() { [ "$2" = "$3" ]; ok $? "$1" "     got: $2"$'\n'"expected: $3"; }

password='correct horse "battery" staple'
# add NAME PASSWORD ROLES: a user
add() { printf '%s\n' "$2" | "$firebreak" console --users "$users" --add-user "$1" --role "$3" >/dev/null 2>&1; }

# ---- what there is to see ----
ids=(1M83ME10C4HM007J 1M83MDH1R4HM1YE5 1M83MDH1W4HM1YFX 1M83NSAZ04HM000Z 1M83MDH1M4HM1YD8)
md5=9abc553703f4e4fedb3ed975502a2c7a
hostile='\"><script>alert(1)</script><img src=x onerror=alert(2)>'"'"'\u001b[31m\u009b\u202e&#60;'
event() {	# event ID ACTION CLIENT USER HOST RULE URL [MORE]: strings of JSON
	printf '{"@timestamp":"2026-11-23T07:20:24.332Z","event":{"id":"%s","action":"%s","reason":"host","provider":"reqmod"},' "$1" "$2"
	printf '"rule":{"id":"%s","version":"2","ruleset":"local"},"client":{"ip":"%s"},"user":{"name":"%s"},' "$6" "$3" "$4"
	printf '"url":{"original":"%s","domain":"%s"}%s}\n' "$7" "$5" "${8:-}"
}
write_events() {
	event "${ids[0]}" blocked 192.0.2.7 alice bad.example local:bad 'http://bad.example/one?two=%3d' \
		',"message":"bad.example is listed","firebreak":{"alert":"19190","steps":"first step\nsecond <step>"}'
	event "${ids[1]}" killed 192.0.2.8 'DOMAIN\\joe' files.example local:file 'http://files.example/patch.exe' \
		",\"file\":{\"hash\":{\"md5\":\"$md5\"}}"
	event "${ids[2]}" would_block 2001:db8::7 "$hostile" 'hostile.example' "$hostile" "http://hostile.example/$hostile" \
		",\"message\":\"$hostile\",\"file\":{\"name\":\"$hostile\",\"path\":\"$hostile\"},\"firebreak\":{\"alert\":\"../../../etc/passwd\",\"steps\":[\"$hostile\",7]}"
	printf '{"event":{"id":"%s","action":"blocked"},"url":{"original":"http://\xff\xfe/"}}\n' "${ids[3]}"
	printf '{"event":{"id":"%s","action":{"x":1}},"rule":{"id":7,"version":[]},"client":"x","user":null}\n' "${ids[4]}"
}
# import_alert: an alert of two versions, 70001; meet_alert: who met a rule of it
import_alert() {
	cat >"$work/alert" <<-'END'
	Threat Outbreak Alert: Fake Invoice <script>alert(3)</script> E-mail Messages

	IntelliShield ID:70001
	Version:1
	First Published:November 2, 2026 11:12 AM EST

	The invoice.exe file has a file size of 70,000 bytes. The MD5 checksum, which is a unique identifier of the executable, is
	the following string: 0x00112233445566778899AABBCCDDEEFF

	hxxp://second.bad.example/x.exe
	END
	"$firebreak" import "$work/alert" >/dev/null 2>&1
	sed -i 's/^Version:1/Version:2/; s/second/third/' "$work/alert"
	"$firebreak" import "$work/alert" >/dev/null 2>&1
}
meet_alert() {
	event 1M83ME10M4HM00AY blocked 192.0.2.9 carol third.bad.example alert-70001:url-1 http://third.bad.example/x.exe \
		',"firebreak":{"alert":"70001"}'
}

# ---- the server ----
# start [ARGUMENT...]: $base is where it listens.  In the folder that a path from outside would be looked for in.
start() {
	local program
	program=$(realpath "$firebreak")
	: >"$work/out"
	(cd "$work" && exec "$program" console --listen "${listen:-127.0.0.1:0}" --users "$users" "$@" >"$work/out" 2>"$work/err") & pid=$!
	for _ in $(seq 300); do [ -s "$work/out" ] || { kill -0 $pid 2>/dev/null || break; sleep 0.1; }; done
	base=$(sed 's,/$,,' "$work/out") port=${base##*:}
}
stop() { kill $pid; wait $pid; local status=$?; pid=''; return $status; }
# get JAR PATH [CURL-ARGUMENT...]: $status, $head and $body
get() {
	local jar=$work/$1 path=$2
	shift 2
	status=$(curl -s --path-as-is --max-time 60 -b "$jar" -c "$jar" -D "$work/head" -o "$work/body" -w '%{http_code}' "$@" "$base$path")
	head=$(tr -d '\r' <"$work/head"); body=$(tr -d '\0' <"$work/body")
}
token_of() { grep -o 'name="token" value="[0-9a-f]*"' <<<"$1" | head -n 1 | cut -d'"' -f4; }
login() {	# login JAR NAME PASSWORD [MORE]
	get "$1" /login
	get "$1" /login --data-urlencode "token=$(token_of "$body")" --data-urlencode "name=$2" --data-urlencode "password=$3" "${@:4}"
}
