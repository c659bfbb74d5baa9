#!/usr/bin/env bash
# firebreak console: whom a pseudonym stands for: who is shown it, why, when a second person agrees, and what is on record.  TAP.
set -u
. "${top_srcdir:-.}/t/console.sh"
for user in ann bob; do add $user "$password" reveal; done
add carl "$password" read; add dora "$password" decide
write_events >>"$log"
printf 'block host bad.example id=bad rev=2\n' >"$state/sources/local.rules"
"$firebreak" publish >/dev/null 2>&1
"$firebreak" pseudonyms --new-key >/dev/null 2>&1; ok $? "there is a key"
site() { printf 'Pseudonyms yes\n%s\n' "$@" >"$state/site.conf"; "$firebreak" publish >/dev/null 2>&1; ok $? "published: $*"; }
site ""
# Exceptions have the tokens that the log has.
"$firebreak" exception add 2:local:bad --user 'Joe <b>&' --for 2d --reason x >/dev/null 2>&1
"$firebreak" exception add 2:local:bad --client 192.0.2.77 --for 2d --reason x >/dev/null 2>&1
user=$(grep -o 'user=user-[^ ]*' "$state/sources/exceptions.rules" | cut -d= -f2)
client=$(grep -o 'client=client-[^ ]*' "$state/sources/exceptions.rules" | cut -d= -f2)
[ -n "$user" ] && [ -n "$client" ]; ok $? "tokens" "$(cat "$state/sources/exceptions.rules")"
id=1M83ME10P4HM00AK forged=1M83ME10N4HM00AA
masked() { event "$1" blocked x x bad.example local:bad http://bad.example/ |
	sed "s/\"user\":{\"name\":\"x\"}/\"user\":{\"hash\":\"$2\"}/; s/\"client\":{\"ip\":\"x\"}/\"client\":{\"address\":\"$3\"}/"; }
masked $id "$user" "$client" >>"$log"
masked $forged "${user%?}$([ "${user: -1}" = a ] && echo e || echo a)" "" >>"$log"
name='Joe &lt;b&gt;&amp;'
last() { tail -n 1 "$log" | grep -o "\"$1\":\"[^\"]*\"" | cut -d'"' -f4; }	# last KEY: of the newest event
trail() { tail -n 1 "$state/log/reveals.log"; }
token_in() { get "$1" "/incident?id=${ids[0]}"; get "$1" /; token_of "$body"; }
ask() { get "$1" /reveal --data-urlencode "token=$2" -d "id=${4:-$id}" --data-urlencode "reason=$3"; }	# ask JAR TOKEN REASON [ID]
decide() { get "$1" /reveals -d "token=$2&id=$3&do=$4" --data-urlencode "reason=${5:-}"; }	# decide JAR TOKEN REQUEST WHAT [REASON]

start
for who in ann bob carl dora; do login $who $who "$password"; done
anns=$(token_in ann) bobs=$(token_in bob) carls=$(token_in carl)

# ---- who may ----
get carl "/incident?id=$id"; has "who may not sees the pseudonym" "$user</a>" "$body"
has "and what it is" "A pseudonym stands for one name" "$body"; has "and whom to ask" "Whoever has the role" "$body"
hasnot "and no form" 'action="/reveal"' "$body"; hasnot "nor the list" 'href="/reveals"' "$body"
get dora "/incident?id=$id"; hasnot "nor does who decides about exceptions" 'action="/reveal"' "$body"
get carl /reveals; is "he does not get it" "$status" 403; has "and is told why" "may not learn whom a pseudonym stands for" "$body"
ask carl "$carls" x; is "nor may he ask" "$status" 403
decide carl "$carls" $id approve; is "nor agree" "$status" 403
get none /reveals; is "nobody has to log in for it" "$status" 303
get none /reveal -d "id=$id&reason=x"; is "nor to ask" "$status" 303
get ann "/reveal?id=$id&reason=x"; is "a link does not ask" "$status" 405
ask ann "$bobs" x; is "with another's form" "$status" 403
get ann /reveal -H 'Sec-Fetch-Site: cross-site' -d "token=$anns&id=$id&reason=x"; is "from elsewhere" "$status" 403
for reason in '' ' ' $'a\nb' "$(head -c 500 /dev/zero | tr '\0' x)"; do
	ask ann "$anns" "$reason"; is "with the reason '${reason:0:9}'" "$status" 400; hasnot "nothing is shown" "$name" "$body"
done
get ann "/incident?id=${ids[0]}"; hasnot "where the log has names there is nothing to ask" 'action="/reveal"' "$body"
ask ann "$anns" x "${ids[0]}"; is "who asks all the same is refused" "$status" 409
has "and told" "there is no pseudonym in it" "$body"; is "on record" "$(last action) $(last by)" "reveal_refused console=ann"
ask ann "$anns" x $forged; is "a forged one" "$status" 409; is "is on record, too" "$(last action)" reveal_refused

# ---- with a reason ----
get ann "/incident?id=$id"; has "who may has a form" 'action="/reveal"' "$body"; hasnot "and no name yet" "$name" "$body"
ask ann "$anns" 'ticket "7" <i>'; is "with a reason" "$status" 200
has "the user" "<dt>User</dt><dd><strong>$name</strong>" "$body"; has "the client" "<strong>192.0.2.77</strong>" "$body"
has "nobody keeps the page" "Cache-Control: no-store" "$head"; hasnot "no address has it" "Joe" "$(grep -o 'href="[^"]*"' <<<"$body")$head"
is "an event" "$(last action) $(last by) $(last about) $(last hash) $(last address)" "revealed console=ann $id $user $client"
shown=$(last id)
has "the page names it" "/incident?id=$shown\"" "$body"
case $(trail) in *" by=console=ann was shown event=$shown about=$id reason=ticket \"7\" <i>") ok 0 "the trail" ;; *) ok 1 "the trail" "$(trail)" ;; esac
hasnot "nothing written has the name" Joe "$(cat "$log" "$state/log/reveals.log" "$work/err")"
get ann "/incident?id=$id"; hasnot "it was shown once" "$name" "$body"
get carl "/incident?id=$shown"; has "the event says who" "<dt>Done by</dt><dd>console=ann</dd>" "$body"
has "and why" "<dd>ticket &quot;7&quot; &lt;i&gt;</dd>" "$body"; has "and about what" "/incident?id=$id\"" "$body"
hasnot "harmless" "<i>" "$body"
get ann /reveals; has "nothing has to be agreed to" "Here nobody else has to agree" "$body"
for language in de fr el es; do get ann "/reveals?lang=$language"; hasnot "$language" "Here nobody" "$body"; done; get ann "/?lang=en"

# ---- with a second person ----
site "RevealSecond yes" "RevealLife 1h"
ask ann "$anns" 'ticket 8'; is "it waits" "$status" 303; has "in the list" "Location: /reveals?done=waits" "$head"
is "an event" "$(last action) $(last by)" "reveal_requested console=ann"; request=$(last id)
get ann "/reveals?done=waits"; has "she is told" "waits for another person" "$body"; has "it is her own" "This is your own" "$body"
hasnot "which she cannot approve" 'value="approve"' "$body"; has "but take back" "Take back" "$body"
decide ann "$anns" "$request" approve; is "nor by sending it" "$status" 409; has "and is told" "nobody approves his own request" "$body"
is "on record" "$(last action) $(last by)" "reveal_refused console=ann"
ask ann "$anns" 'ticket 8'; is "it still waits" "$status" 303
get bob /reveals; has "another sees it" "ticket 8" "$body"; has "and who asks" "asked by ann" "$body"; has "and about what" "/incident?id=$id\"" "$body"
has "and whom, as pseudonyms" "$user</a>" "$body"; has "both" "$client</a>" "$body"
has "and can approve" 'value="approve"' "$body"; hasnot "without the name" "$name" "$body"
decide bob "$anns" "$request" approve; is "with another's form" "$status" 403
decide bob "$bobs" "$request" maybe; is "neither yes nor no" "$status" 400
decide bob "$bobs" $id approve; is "no such request" "$status" 409
decide bob "$bobs" "$request" approve fine; is "he approves" "$status" 303
is "an event" "$(last action) $(last by) $(last note)" "reveal_approved console=bob fine"
case $(trail) in *" by=console=bob approved that somebody is shown event="*" about=$request reason=fine") ok 0 "the trail" ;; *) ok 1 "the trail" "$(trail)" ;; esac
ask bob "$bobs" 'ticket 8'; is "which shows him nothing" "$status" 303; theirs=$(last id)
get ann /reveals; has "she sees it" "approved by bob" "$body"; has "and what to do" "ask once more" "$body"
ask ann "$anns" 'ticket 8'; is "and asks again" "$status" 200; has "and is shown it" "$name" "$body"
ask ann "$anns" 'ticket 8'; is "once" "$status" 303
mine=$(last id)
decide ann "$anns" "$theirs" deny no; is "she denies his" "$status" 303; is "an event" "$(last action) $(last note)" "reveal_denied no"
decide ann "$anns" "$mine" deny; is "and takes hers back" "$status" 303
get bob /reveals; has "none is left" "No request waits" "$body"
"$firebreak" reveal --reason "by hand" $id >/dev/null 2>&1; is "who asks by the command waits, too" $? 1
get bob /reveals; has "is told apart" "(command)" "$body"; has "and why" "only the command can approve it" "$body"; hasnot "no button" 'value="approve"' "$body"
decide bob "$bobs" "$(last id)" approve; is "nor another way" "$status" 409; has "which is said" "the request was made another way" "$body"
ask ann "$anns" 'ticket 9'; request=$(last id)
sed -i 's/"ends": *[0-9]*/"ends": 1/' "$state/private/reveals"
decide bob "$bobs" "$request" approve; is "what has expired cannot be approved" "$status" 409
get bob /reveals; has "and is gone" "No request waits" "$body"

# ---- without the keys ----
chmod 755 "$state/private"
get ann "/incident?id=$id"; is "keys that are out of reach are nobody's trouble" "$status" 200
ask ann "$anns" x; is "until they are asked for" "$status" 500; has "it says what is wrong" "the folder must be 0700" "$body"
has "and what to do" "The console cannot read the keys" "$body"; hasnot "nothing is shown" "$name" "$body"
get ann /reveals; is "nor is there a list" "$status" 500; has "and it says what to do" "firebreak reveal" "$body"
chmod 700 "$state/private"
site ""
mv "$state/log/reveals.log" "$state/log/away"; mkdir "$state/log/reveals.log"
ask ann "$anns" x; is "without a trail" "$status" 500; hasnot "nothing is shown" "$name" "$body"
rmdir "$state/log/reveals.log"; mv "$state/log/away" "$state/log/reveals.log"
ask ann "$anns" x; is "with it" "$status" 200; has "it is" "$name" "$body"

# ---- too often ----
n=$(wc -l <"$log")
for _ in $(seq 40); do ask ann "$anns" again; [ "$status" = 200 ] || [ "$status" = 303 ] || break; done
is "who asks on and on is told to wait" "$status" 429
hasnot "and shown nothing" "$name" "$body"
n=$(($(wc -l <"$log") - n)); [ $n -le 20 ]; ok $? "before the log is full of it" "$n"
ask bob "$bobs" "another"; is "others may" "$status" 200
stop; is "it ends when it is told to" $? 0
! grep -q 'Sanitizer\|runtime error' "$work/err"; ok $? "nothing went wrong in it" "$(cat "$work/err")"
tap_done
