#!/usr/bin/env bash
# firebreak reveal under RevealSecond, for somebody who may run it as the keys' owner and chooses all of its arguments: what he makes
# the second person agree to, and a state folder that is another one in the middle.  TAP.
set -u
. "${top_srcdir:-.}/t/verb.sh"
mkdir -p "$work/lists"
cp "${top_srcdir:-.}"/etc/*.txt "$work/lists" 2>/dev/null
no_lookalikes "$work/lists"
export FIREBREAK_LISTS=$work/lists

# Two folders: the site's, and one of whoever asks, who needs no second person there.  He has no keys.
for folder in site own; do
	state=$work/$folder
	mkdir -p "$state/sources" "$state/log"
	printf 'block host bad.example id=bad\n' >"$state/sources/local.rules"
	printf 'Pseudonyms yes\nRevealSecond %s\n' "$([ $folder = site ] && echo yes || echo no)" >"$state/site.conf"
	fb 0 "$folder: published" publish
done
[ ! -e "$work/own/private" ] || rm -r "$work/own/private"
state=$work/site
[ -e "$state/private/pseudonym.keys" ] || fb 0 "a key" pseudonyms --new-key
fb 0 "an exception, which names a pseudonym" exception add 1:local:bad --client 192.0.2.55 --reason "ticket 1"
token=$(grep -o 'client-[a-z2-7]*-[a-z2-7]*' "$state/sources/exceptions.rules")

# ---- what is agreed to ----
id=1M83ME10C4HM007J
printf '{"@timestamp":"2026-11-23T07:20:24.332Z","event":{"id":"%s","action":"blocked"},"client":{"address":"%s"}}\n' $id "$token" >"$work/made-up"
fb 1 "an incident of a log that somebody made up" reveal --reason "ticket 2" --events "$work/made-up" $id
hasnot "shows nothing" 192.0.2.55 "$out"
fb 0 "what waits" reveal --list
has "says which incident it is said to be" "$id" "$out"; has "and whose name it is" "whom   $token" "$out"; hasnot "not the name" 192.0.2.55 "$out"
fb 0 "as JSON" reveal --list --json
is "it has the pseudonyms" "$(jq -c '.[0].pseudonyms' <<<"$out")" "[\"$token\"]"

# ---- another folder in the middle ----
begin=$(date +%s%N)
fb 1 "a pseudonym waits" reveal --reason "ticket 3" "$token"
took=$((($(date +%s%N) - begin) / 1000))
shown=0
for i in $(seq 40); do
	ln -sfn "$work/site" "$work/link"; ln -sfn "$work/own" "$work/next"
	"$firebreak" --state "$work/link" reveal --reason "ticket 3" "$token" >"$work/out" 2>&1 &
	sleep "$(printf '0.%06d' $((took * i / 40)))"
	mv -T "$work/next" "$work/link"
	wait $!
	! grep -q 192.0.2.55 "$work/out" || shown=$((shown + 1))
done
is "a link that leads elsewhere in the middle shows nothing" $shown 0
is "nor does the other folder know of it" "$(cat "$work/own/log/reveals.log" "$work/own/events.jsonl" 2>/dev/null | grep -c "$token")" 0
fb 2 "a folder without keys" reveal --state "$work/own" --reason x "$token"
has "is called what it was called" "$work/own/private" "$err"

# ---- what members of the folder's group may put there ----
echo precious >"$work/precious"
rm "$state/log/reveals.log"; ln -s "$work/precious" "$state/log/reveals.log"
fb 2 "a link in place of the trail" reveal --reason " " "$token"
is "nothing is written elsewhere" "$(cat "$work/precious")" precious
rm "$state/log/reveals.log"; mkfifo "$state/log/reveals.log"
fb 2 "a pipe in its place keeps nobody waiting" reveal --reason " " "$token"
rm "$state/log/reveals.log"
rm -f "$state"/events.jsonl.index.*; : >"$work/empty"; ln -s "$work/empty" "$state/events.jsonl.index.0123456789abcdef"
fb 0 "a link in place of the index" events
is "nothing is written there either" "$(stat -c %s "$work/empty")" 0
tap_done
