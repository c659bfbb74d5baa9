#!/usr/bin/env bash
# Signed generations: key, publish --sign, pull; and an origin that lies in every way that we know of.  TAP.
set -u
# Every pull flushes what it writes: on a disk that is most of the time.
if [ -z "${TMPDIR:-}" ] && [ -w /dev/shm ]; then export TMPDIR=/dev/shm; fi
. "${top_srcdir:-.}/t/verb.sh"
mkdir -p "$work/lists" "$work/lies"
echo '.top.test' > "$work/lists/top-sites.txt"
echo 'docs.shared.test' > "$work/lists/shared-hosting.txt"
no_lookalikes "$work/lists"
export FIREBREAK_LISTS=$work/lists
unset http_proxy https_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY
origin=$work/origin follower=$work/follower whole=$build/t/whole
rules=$origin/rules lies=$work/lies
at() { state=$origin; fb "$@"; state=$follower; }	# at STATUS NAME ARGUMENTS: at the origin
at_origin() { "$firebreak" --state "$origin" "$@" >"$work/o" 2>&1 || { cat "$work/o"; echo "Bail out! $*"; exit 1; }; }
state=$follower
live() { "$whole" "$state" | head -n 1 | cut -d' ' -f1; }
floor() { sed -n 's/^generation //p' "$state/follow"; }
new_origin() { rm -rf "$origin"; mkdir -p "$origin/sources"; [ -z "${1:-}" ] || printf '%s\n' "Key $1" > "$origin/sign.conf"; }
source_of() { printf 'block host .%s\n' "$@" > "$origin/sources/local.rules"; }	# source_of HOST...
# A source whose layer is large enough to be left alone.
large() {
	awk 'BEGIN { for (i = 0; i < 700; i++) long = long "p" i % 10 "/"
		for (i = 0; i < 900; i++) print "block url large.test/" i "/" long }' > "$origin/sources/large.rules"
}

# ---- keys ----
fb 2 "key of nothing" key
fb 2 "key with a word that is none" key make "$work/a"
fb 0 "a key pair" key generate "$work/a"
public=$out
is "the secret one is its owner's alone" "$(stat -c %a "$work/a")" 600
is "the public one is everybody's" "$(stat -c %a "$work/a.pub")" 644
fb 0 "the secret file shows the public key" key show "$work/a"; is "which is it" "$out" "$public"
fb 0 "and so does the public file" key show "$work/a.pub"; is "which is it" "$out" "$public"
fb 2 "a key is never replaced" key generate "$work/a"
has "it says so" "is there already" "$err"
fb 2 "what is no key" key show "$work/lists/top-sites.txt"
has "is said to be none" "is no key of minisign" "$err"
fb 0 "another" key generate "$work/b"; public_b=$out
fb 0 "a third" key generate "$work/c"

cp "${top_srcdir:-.}/t/fuzz/minisign.in/locked" "$work/locked"; chmod 600 "$work/locked"
out=$(setsid "$firebreak" key show "$work/locked" 2>&1 </dev/null)
has "a locked key without a terminal" "is locked with a password, and there is no terminal" "$out"
if script -qec true /dev/null </dev/null >/dev/null 2>&1; then
	typed() { { sleep 0.3; echo "$1"; sleep 0.5; } | timeout 20 script -qec "$firebreak key show $work/locked" /dev/null; }
	has "a locked key with its password" "RWRYhKusbWe5l2BapQelSafXHvvCOui6FXP/P7APWUJTdeavwBdjivzJ" "$(typed 'open sesame')"
	has "and with another" "the password is another" "$(typed 'open sesam')"
else
	skip "a locked key with its password" "script is missing, or there are no terminals to be had (/dev/pts)"
fi

# ---- publishing ----
new_origin; source_of evil.test; large
at 2 "a key that is not there" publish --sign "$work/nowhere"
[ ! -e "$rules/MANIFEST" ]; ok $? "and nothing was published"
chmod 644 "$work/a"
at 2 "a key that others may read" publish --sign "$work/a"
has "it says why" "others may read" "$err"
chmod 600 "$work/a"
at 2 "a public key signs nothing" publish --sign "$work/a.pub"
at 2 "no dry run is signed" publish --sign "$work/a" --dry-run
at 0 "a signed publish" publish --sign "$work/a"
has "it says how long it holds" "signed, in epoch 1; it expires 20" "$out"
at 0 "without --sign nothing is signed" publish
at 1 "status at the origin says that another is offered" status
has "it is not the live one" "generation 1 of epoch 1, expires" "$out"
printf 'Key %s\nLifetime 7d\n' "$work/a" > "$origin/sign.conf"
at 0 "sign.conf signs every publish" block --note x two.test
has "a block, too" "signed, in epoch 1" "$out"
at 0 "status is content" status
at 0 "as JSON" status --json
has "it has what is offered" '"is_live": true' "$out"
echo 'Lifetime never' > "$origin/sign.conf"
at 2 "a sign.conf that is wrong" publish
has "names file and line" "sign.conf:1" "$err"
echo "Key $work/a" > "$origin/sign.conf"
if command -v minisign >/dev/null; then
	minisign -V -q -p "$work/a.pub" -x "$rules/SIGNED.minisig" -m "$rules/SIGNED.3" >"$work/o" 2>&1
	ok $? "minisign verifies it" "$(cat "$work/o")"
else
	skip "minisign verifies it" "minisign is missing"
fi
# OpenSSL alone: the last 32 bytes of the key, the last 64 of the signature, and the BLAKE2b of the text.
if command -v openssl >/dev/null; then
	{ printf '302a300506032b6570032100' | sed 's/../\\x&/g' | xargs -0 printf '%b'; sed -n 2p "$work/a.pub" | base64 -d | tail -c 32; } > "$work/key.der"
	sed -n 2p "$rules/SIGNED.minisig" | base64 -d | tail -c 64 > "$work/signature"
	openssl dgst -blake2b512 -binary "$rules/SIGNED.3" > "$work/hash"
	openssl pkeyutl -verify -pubin -keyform DER -inkey "$work/key.der" -rawin -in "$work/hash" -sigfile "$work/signature" >"$work/o" 2>&1
	ok $? "openssl verifies it" "$(cat "$work/o")"
else
	skip "openssl verifies it" "openssl is missing"
fi

# ---- pulling from a folder ----
url=file://$rules
fb 2 "a first pull needs a key" pull "$url"
has "it says so" "needs a URL and --key" "$err"
fb 2 "and a URL" pull --key "$work/a.pub"
fb 2 "a key of somebody else's" pull --key "$work/b.pub" "$url"
has "is not believed" "not signed by a key that is trusted here" "$err"
[ ! -e "$state/follow" ] && [ ! -e "$state/rules/MANIFEST" ]; ok $? "and nothing is taken up"
for wrong in ftp://localhost/x nonsense: http://user:pass@127.0.0.1/x "http://127.0.0.1/x?y=1" "file://$work/nowhere"; do
	fb 2 "the URL $wrong" pull --key "$work/a.pub" "$wrong"
	is "is one clear line" "$(grep -c error <<<"$err")" 1
done
fb 0 "a dry run" pull --dry-run --key "$public" "$url"
has "says what would come" "generation 3 would be taken up" "$out"
[ ! -e "$state/follow" ] && [ ! -e "$state/rules/MANIFEST" ]; ok $? "and writes nothing"
fb 0 "a first pull" pull --json --key "$work/a.pub" "$url"
full=$(sed -n 's/^ *"bytes_fetched": \([0-9]*\),/\1/p' <<<"$out")
same "the MANIFEST is the origin's" "$state/rules/MANIFEST" "$rules/MANIFEST"
is "the follower judges as the origin does" "$(live)" "$(state=$origin; live)"
fb 1 "a listed host" check http://two.test/
fb 0 "again" pull
has "there is nothing new" "generation 3: nothing new" "$out"
fb 0 "status" status
has "says whom it follows" "Follows     $url" "$out"
has "and by which key" "signed by $public" "$out"
fb 0 "status as JSON" status --json
has "has it, too" '"stale": false' "$out"
fb 0 "metrics" metrics
has "have when it was" "firebreak_pull_generation 3" "$out"

# ---- a delta ----
at_origin block three.test
fb 0 "a delta" pull --json
delta=$(sed -n 's/^ *"bytes_fetched": \([0-9]*\),/\1/p' <<<"$out")
[ "$delta" -lt $((full / 20)) ]; ok $? "$delta bytes instead of $full came in"
has "and what is there already is not fetched" '"files_missing": 2,' "$out"
fb 1 "the new host is listed" check http://three.test/
at_origin rollback
fb 0 "a rollback at the origin is a new generation" pull --json
has "of files that are there" '"files_missing": 0,' "$out"
fb 0 "and the host is not listed any more" check http://three.test/
at_origin publish --forward

# ---- a follower publishes nothing ----
mkdir -p "$state/sources"
fb 2 "publish in a follower" publish
has "says what to do" 'publish there, and "firebreak pull" here' "$err"
fb 2 "block in a follower" block four.test
[ ! -s "$state/sources/local.rules" ]; ok $? "leaves no line" "$(cat "$state/sources/local.rules" 2>/dev/null)"
fb 2 "compacting one" publish --compact
fb 0 "pull" pull
fb 0 "a rollback is possible" rollback
fb 1 "status shows it" status
has "loudly" "ROLLED BACK HERE" "$out"
fb 2 "the next pull does not undo it" pull
has "it says how" "pull --forward" "$err"
fb 0 "pull --forward" pull --forward
has "its number is its own then" "its number here is" "$out"
is "and the rules are the origin's" "$(live)" "$(state=$origin; live)"
at_origin block five.test
fb 0 "the next one" pull
fb 0 "status is content again" status
echo 'block host .own.test' > "$state/sources/local.rules"
fb 0 "pull --leave" pull --leave
fb 0 "and it publishes its own" publish
fb 2 "who has rules of his own" pull --key "$work/a.pub" "$url"
has "is asked first" "--replace" "$err"
fb 0 "and may let them go" pull --replace --key "$work/a.pub" "$url"
is "they are the origin's" "$(live)" "$(state=$origin; live)"
is "his sources stay" "$(cat "$state/sources/local.rules")" "block host .own.test"

# ---- workers ----
at_origin block worker.test
mkfifo "$work/end"
"$build/t/worker" "$state" live <"$work/end" >"$work/ready" &
exec 8>"$work/end"
for _ in {1..100}; do grep -q ready "$work/ready" && break; sleep 0.1; done
fb 0 "a pull beside a worker" pull
has "returns when it has the rules" "live in all 1 worker" "$out"
exec 8>&-
wait

# ---- an origin that lies ----
rm -rf "$follower"
coproc liar { exec "$build/t/liar" "$rules" "$lies"; }
trap 'kill "$liar_PID" 2>/dev/null; chmod -R u+w "$work" 2>/dev/null; rm -rf "$work"' EXIT
read -r -t 20 -u "${liar[0]}" port || { echo "Bail out! no origin"; exit 1; }
url=http://127.0.0.1:$port
fb 0 "a pull by http" pull --key "$work/a.pub" "$url/rules"
at_origin block six.test
newest() { grep -o 'generation=[0-9]*' "$rules/SIGNED.minisig" | cut -d= -f2; }
seg() { basename "$(ls -t "$rules"/rules-*.seg | head -n 1)"; }
tell() { rm -f "$lies"/*; [ $# -eq 0 ] || printf '%s\n' "$2" > "$lies/$1"; }	# tell NAME HOW
# refused NAME WORDS [ARGUMENTS...]: a pull fails with a line that has WORDS, and nothing changes; segments that were fetched before
# it failed may stay for the next one.
refused() {
	local name=$1 words=$2
	shift 2
	cp "$state/rules/MANIFEST" "$work/manifest"
	cp "$state/follow" "$work/follow"
	stat -c "%i %s %Y %a %n" "$state/rules"/* "$state/rules"/.[a-z]* 2>/dev/null | sort > "$work/before"
	fb 2 "$name" pull --timeout 1s "$@"
	[ "$(grep -c ': error: ' <<<"$err")" = 1 ] && grep -qF -e "$words" <<<"$err"; ok $? "$name: one clear line" "$err"
	stat -c "%i %s %Y %a %n" "$state/rules"/* "$state/rules"/.[a-z]* 2>/dev/null | sort > "$work/after"
	cmp -s "$state/rules/MANIFEST" "$work/manifest" && [ -z "$(comm -23 "$work/before" "$work/after")" ] &&
		[ -z "$(comm -13 "$work/before" "$work/after" | grep -v '[a-z]-[0-9]*\.seg$')" ] &&
		cmp -s <(sed '/^failed/d' "$state/follow") <(sed '/^failed/d' "$work/follow")
	ok $? "$name: nothing changed" "$(diff "$work/before" "$work/after")"$'\n'"$(diff "$state/follow" "$work/follow")"
}
n=$(newest)
for file in "$(seg)" "MANIFEST.$n" "SIGNED.$n" SIGNED.minisig; do
	long="is longer than the" short="cut short"
	case $file in
	SIGNED.[0-9]*) short="is not what was signed" ;;
	SIGNED.minisig) short="is no signature of minisign" ;;
	esac
	tell "$file" endless; refused "$file without end" "$long"
	tell "$file" claim; refused "$file that claims a terabyte" "$long"
	case $file in SIGNED*) ;; *) tell "$file" more; refused "$file with more behind it" "$long" ;; esac
	tell "$file" half; refused "half of $file, as if it were all" "$short"
	tell "$file" cut; refused "$file that breaks off" "127.0.0.1"
	tell "$file" part; refused "$file as a part" "status 206"
	tell "$file" "status 404"; refused "$file that is gone" "404"
	tell "$file" "status 500"; refused "$file, an error" "500"
done
file=$(seg)
tell "$file" drip; refused "a slow drip" "imed out"
tell "$file" stall; refused "no answer" "imed out"
tell "$file" head; refused "a header without end" "127.0.0.1"
for to in "file://$rules/$file" "http://127.0.0.2:$port/$file" "https://127.0.0.1:$port/$file" "http://127.0.0.1:1/$file" "gopher://127.0.0.1/"; do
	tell "$file" "to $to"; refused "a redirect to $to" "sends us elsewhere"
done
tell "$file" "to $url/$file"; refused "a redirect to itself" "on and on"
tell "$file" gzip
fb 0 "an encoding that is claimed changes nothing" pull
tell
at_origin block seven.test
n=$(newest) file=$(seg)
cp -a "$rules" "$work/true"
restore() { rm -rf "$rules"; cp -a "$work/true" "$rules"; }
flip() { printf "\\$(printf %o $(($(od -An -tu1 -j "$2" -N 1 "$1") ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null; }
flip "$rules/$file" 100; refused "a flipped bit in a segment" "its SHA-256 is another"; restore
flip "$rules/MANIFEST.$n" 60; refused "a flipped bit in the MANIFEST" "its SHA-256 is another"; restore
flip "$rules/SIGNED.$n" 60; refused "a flipped bit in the signed text" "is not what was signed"; restore
flip "$rules/SIGNED.minisig" 120; refused "a flipped bit in the signature" "$url/rules/SIGNED.minisig"; restore
sed -i '3s/generation=[0-9]*/generation=999/' "$rules/SIGNED.minisig"; refused "a trusted comment that was changed" "not signed by"; restore
other=$(ls "$rules"/site-*.seg | head -n 1); cp "$other" "$rules/$file"; refused "a segment that is another" "127.0.0.1"; restore
cp "$rules/MANIFEST.$((n - 1))" "$rules/MANIFEST.$n"; refused "mix and match: an older MANIFEST" "/rules/MANIFEST.$n: error: is "; restore
cp "$rules/SIGNED.$((n - 1))" "$rules/SIGNED.$n"; refused "mix and match: an older signed text" "is not what was signed"; restore
tell; fb 0 "and then the truth" pull
# sign TEXT-FILTER [LIFE]: what an origin would sign whose key we know, by Debian's minisign.
sign() {
	local text=$work/text comment
	sed -E "$1" "$work/true/SIGNED.$n" > "$text"
	comment=$(awk '{ v[$1] = $2 } END { print "firebreak-rules epoch=" v["epoch"] " generation=" v["generation"] " expires=" v["expires"] " file=SIGNED." v["generation"] }' "$text")
	cp "$text" "$rules/SIGNED.$(sed -n 's/^generation //p' "$text")"
	minisign -S -s "${2:-$work/a}" -m "$text" -x "$rules/SIGNED.minisig" -t "$comment" ${3:-} >/dev/null 2>"$work/o" || { cat "$work/o"; false; }
}
cp "$work/true/SIGNED.minisig" "$work/true/SIGNED.$n" "$work"
at_origin block eight.test
fb 0 "the next generation" pull
cp "$work/SIGNED.minisig" "$rules/"; refused "a rollback: an older signature" "a rollback: generation $n is offered, and $((n + 1)) was here"
restore
if command -v minisign >/dev/null; then
	m=$((n + 1))
	next() { sign "s/^generation .*/generation $1/; s/MANIFEST\.[0-9]*/MANIFEST.$1/;${2:-}" "${3:-}" "${4:-}"; }
	next $((m + 1000001)); refused "fast-forward" "is too far ahead of $m"
	next $((m + 1)) 's/^epoch .*/epoch 18/'; refused "epochs that are skipped" "epoch 18 is too far ahead of 1"
	next $((m + 1)) 's/^epoch .*/epoch 99999999999999999999/'; refused "an epoch that is no number" "not of a generation of ours"
	next $m; refused "another generation of the same number" "two origins have one key"
	next $((m + 1)) 's/^expires .*/expires 2026-01-02T00:00:00Z/;s/^created .*/created 2026-01-01T00:00:00Z/'
	refused "one that has expired" "expired at 2026-01-02T00:00:00Z"
	next $((m + 1)) 's/^created .*/created 2099-01-01T00:00:00Z/;s/^expires .*/expires 2099-01-08T00:00:00Z/'
	refused "one from the future" "one of the clocks is wrong"
	next $((m + 1)) 's/^product .*/product other/'; refused "another product" "of another product"
	next $((m + 1)) 's/^firebreak-signed 1/firebreak-signed 2/'; refused "another version" "is of another version"
	next $((m + 1)) 's/^file site[^ ]*/file ..\/site/'; refused "a name that leaves the folder" "plain name"
	next $((m + 1)) '/^file site/d'; cp "$rules/MANIFEST.$n" "$rules/MANIFEST.$((m + 1))"; refused "a file less than the MANIFEST names" "names other files"
	restore
	sed -E "s/^generation .*/generation $((m + 1))/; s/^epoch .*/epoch 2/; s/MANIFEST\.[0-9]*/MANIFEST.$((m + 1))/" "$work/true/SIGNED.$n" \
		> "$rules/SIGNED.$((m + 1))"
	minisign -S -s "$work/a" -m "$rules/SIGNED.$((m + 1))" -x "$rules/SIGNED.minisig" >/dev/null -t "firebreak-rules epoch=1 generation=$((m + 1)) expires=2099-01-01T00:00:00Z file=SIGNED.$((m + 1))"
	refused "a comment and a text that differ" "the trusted comment of the signature says another"
	minisign -S -s "$work/a" -m "$rules/SIGNED.$n" -x "$rules/SIGNED.minisig" -t "something of mine" >/dev/null
	refused "a good signature of something else" "not of a generation of ours"
	restore
	# What minisign signs is taken up, prehashed or not.
	for how in '' -l; do
		m=$((m + 1))
		sed "s/^generation .*/generation $m/" "$work/true/MANIFEST.$n" | sed '/^end /d' > "$rules/MANIFEST.$m"
		echo "end $(sha256sum < "$rules/MANIFEST.$m" | cut -d' ' -f1)" >> "$rules/MANIFEST.$m"
		next $m "s/^file MANIFEST.*/file MANIFEST.$m $(stat -c %s "$rules/MANIFEST.$m") $(sha256sum < "$rules/MANIFEST.$m" | cut -d' ' -f1)/" "$work/a" $how
		fb 0 "what minisign ${how:--S} signed is taken up" pull
		has "it is" "generation $m:" "$out"
	done
else
	skip "texts that another origin could sign" "minisign is missing"
fi
is "after all that what is live is whole" "$(live)" "$(state=$origin; live)"
rm -rf "$work/true"

# ---- expiry and freeze ----
new_origin "$work/a"; source_of evil.test; echo 'Lifetime 10m' >> "$origin/sign.conf"; at_origin publish
rm -rf "$follower"; url=file://$rules
fb 0 "a pull" pull --key "$work/a.pub" "$url"
past() { date -u -d "$1" +%Y-%m-%dT%H:%M:%SZ; }
sed -i "s/^expires .*/expires $(past '1 hour ago')/" "$state/follow"
fb 1 "what is live has expired" status
has "it is said loudly, and stays" "*** EXPIRED" "$out"
fb 1 "and it judges" check http://evil.test/
sed -i "s/^checked .*/checked $(past '2 days ago')/" "$state/follow"
fb 1 "nothing was heard for two days" status
has "which is said" "NOT HEARD OF FOR MORE THAN A DAY" "$out"
mv "$rules/SIGNED.minisig" "$work/"
fb 2 "an origin without a signature" pull
fb 1 "status" status
has "says why the last try failed" "the last try failed" "$out"
mv "$work/SIGNED.minisig" "$rules/"
fb 0 "it is back" pull
fb 0 "and all is well" status
hasnot "the failure is forgotten" "failed" "$(cat "$state/follow")"

# ---- a new epoch, and a rollback that is meant ----
at_origin publish; at_origin publish; fb 0 "generation 3" pull
is "the floor" "$(floor)" 3
new_origin "$work/a"; source_of fresh.test; at_origin publish
fb 2 "an origin that lost count" pull
has "is a rollback" "a rollback: generation 1 is offered, and 3 was here" "$err"
fb 2 "another number does not help" pull --allow-rollback 2
echo 'Epoch 2' >> "$origin/sign.conf"; at_origin publish
fb 0 "in a new epoch it goes on" pull
is "its floor is that of the epoch" "$(floor)" 2
fb 1 "with its rules" check http://fresh.test/
"$whole" "$state" >"$work/o"; is "and what has the names of other files is not mixed up" "$(tail -n +2 "$work/o")" ""
echo "Key $work/a" > "$origin/sign.conf"; new_origin "$work/a"; echo 'Epoch 2' >> "$origin/sign.conf"; source_of again.test; at_origin publish
fb 0 "a rollback that is typed" pull --allow-rollback 1
is "lowers the floor" "$(floor)" 1
fb 1 "and its rules are live" check http://again.test/

# ---- another key ----
printf 'Key %s\nEpoch 2\nNextKey %s\n' "$work/a" "$public_b" > "$origin/sign.conf"; at_origin publish
fb 0 "the key that is to come is named" pull
has "and remembered" "the keys that are trusted here have changed" "$out"
is "there are two" "$(grep -c '^key' "$state/follow")" 2
printf 'Key %s\nEpoch 2\n' "$work/b" > "$origin/sign.conf"; at_origin publish
fb 0 "it signs" pull
is "it is the only one then" "$(grep '^key' "$state/follow")" "key $public_b"
printf 'Key %s\nEpoch 2\n' "$work/a" > "$origin/sign.conf"; at_origin publish
fb 2 "the old one signs nothing any more" pull
has "it is not trusted" "not signed by a key that is trusted here" "$err"
printf 'Key %s\nEpoch 2\n' "$work/c" > "$origin/sign.conf"; at_origin publish
fb 2 "nor does one that nobody named" pull
fb 2 "a timer that names the first key" pull --key "$work/a.pub"
has "does not undo that" "other keys are trusted here" "$err"
fb 2 "nor does another key come in unasked" pull --key "$work/b.pub" --next-key "$work/c.pub"
before=$(floor)
fb 0 "two keys pinned by hand" pull --replace --key "$work/b.pub" --next-key "$work/c.pub"
[ "$(floor)" -gt "$before" ]; ok $? "the floor stays with a key that stays"
is "the one that signed stays" "$(grep -c '^key' "$state/follow")" 1

# ---- damage here ----
state=$follower
damaged=$(ls "$state"/rules/rules-*.seg | tail -n 1)
chmod u+w "$damaged"; cp "$damaged" "$work/damaged"; flip "$work/damaged" 90; rm "$damaged"; cp "$work/damaged" "$damaged"
fb 1 "status --verify finds damage" status --verify
fb 0 "pull --full mends it" pull --full
fb 0 "and it is whole" status --verify
echo junk > "$state/follow"
fb 2 "a follow file that is damaged" pull
has "is named with a way out" "follow:1: error: is damaged" "$err"
fb 1 "status says so, too" status

# ---- TLS ----
if command -v openssl >/dev/null && openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
    -keyout "$work/tls.key" -out "$work/tls.pem" >/dev/null 2>&1; then
	rm -rf "$follower"
	tls_port=$("$build/t/origin" --ports 1 $((${FIREBREAK_PORT_BASE:-13000} + 900)))
	(cd "$rules" && exec openssl s_server -quiet -accept "127.0.0.1:$tls_port" -cert "$work/tls.pem" -key "$work/tls.key" -WWW) >/dev/null 2>&1 &
	tls=$!
	trap 'kill "$liar_PID" $tls 2>/dev/null; chmod -R u+w "$work" 2>/dev/null; rm -rf "$work"' EXIT
	for _ in {1..50}; do (exec 3<>"/dev/tcp/127.0.0.1/$tls_port") 2>/dev/null && break; sleep 0.1; done
	fb 2 "a certificate that nobody signed" pull --key "$work/c.pub" "https://localhost:$tls_port/"
	has "is not believed" "certificate" "$err"
	fb 2 "the name must be the certificate's" pull --ca "$work/tls.pem" --key "$work/c.pub" "https://127.0.0.1:$tls_port/"
	fb 0 "an authority of our own" pull --ca "$work/tls.pem" --key "$work/c.pub" "https://localhost:$tls_port/"
	kill $tls; wait $tls 2>/dev/null
else
	skip "TLS" "openssl is missing"
fi
tap_done
