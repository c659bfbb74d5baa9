#!/usr/bin/env bash
# firebreak selftest where there is no proxy: what comes before it asks.  TAP.
set -u
src=${top_srcdir:-.}
build=${top_builddir:-.}
work=$(mktemp -d "${TMPDIR:-/tmp}/firebreak-selftest-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
state=$work/state
mkdir "$state"
unset FIREBREAK_STATE
. "$src/t/tap.sh"
fb() {	# fb STATUS NAME ARGUMENT...
	local want=$1 name=$2 got
	shift 2
	out=$("$build/firebreak" --state "$state" "$@" 2>&1)
	got=$?
	[ "$got" = "$want" ]; ok $? "$name: exit status $want" "$got: $out"
}
has() { grep -qF -e "$2" <<<"$out"; ok $? "$1" "not there: $2"$'\n'"$out"; }
# Nobody listens on port 1: what is asked for is not blocked, and asking is soon over.
selftest() { fb "$1" "$2" selftest --proxy 127.0.0.1:1 "${@:3}"; }
generation() { sed -n 's/^generation //p' "$state/rules/MANIFEST"; }
printf '%s\n' '// ===BEGIN ICANN DOMAINS===' example '// ===END ICANN DOMAINS===' >"$work/suffixes"
publish() { fb 0 "$1" publish --suffixes "$work/suffixes"; }

fb 2 "an operand" selftest x
fb 2 "two forms at once" selftest --json --nagios
fb 2 "a limit that is none" selftest --limit soon
fb 2 "a limit of an hour" selftest --limit 3600000
fb 0 "the rules" selftest --rules
rules=$out
is_rules() { [ "$(cat "$1" 2>/dev/null)" = "$rules" ]; ok $? "$2" "$1"; }

selftest 1 "without a generation"
has "that is the alarm" "ALARM: not as it should be: no-rules (never good before)"
[ ! -e "$state/sources/canary.rules" ]; ok $? "no timer publishes the first one"
mkdir -p "$state/sources"
echo 'block host .bad.example' >"$state/sources/local.rules"
publish "a generation"
selftest 2 "a kind that does not exist" --without held,nothing
has "those that do are listed" "  connect"
selftest 1 "a proxy that is not there"
has "all kinds are named" "ALARM: not as it should be: plain, host, url, path, held, cut, md5, name, gzip, zip, range, connect (never"
has "and what to do" "--proxy HOST:PORT names another"
is_rules "$state/sources/canary.rules" "the rules are a source now"
live=$(generation)
selftest 1 "again" --without host,url,path,held,cut,md5,name,gzip,zip,range
has "without some" "ALARM: not as it should be: plain, connect (never"
[ "$(generation)" = "$live" ]; ok $? "nothing is published again"
fb 0 "all rules" rules dump
has "have them" "host.firebreak-canary.invalid"
echo '# of an older version' >>"$state/sources/canary.rules"
selftest 1 "an older version's rules"
is_rules "$state/sources/canary.rules" "become those of now"
[ "$(generation)" != "$live" ]; ok $? "by a publish"
fb 0 "an export" export dstdomain
! grep -q canary <<<"$out"; ok $? "has no canary" "$out"

# ---- a rollback ----

rm "$state/sources/canary.rules"
publish "without the source"
fb 0 "a rollback" rollback
live=$(generation)
selftest 1 "where a rollback brings the rules back, they are asked for"
fb 0 "forward" publish --forward --suffixes "$work/suffixes"
rm -f "$state/sources/canary.rules"
publish "without the source once more"
echo 'block host .worse.example' >>"$state/sources/local.rules"
publish "and a generation more"
fb 0 "a rollback to a generation without canaries" rollback
live=$(generation)
selftest 2 "where a rollback is live that has none"
has "that is said" "a rollback to a generation without canaries"
[ "$(generation)" = "$live" ]; ok $? "it stays live"
selftest 3 "for a monitor" --nagios
has "it is unknown" "FIREBREAK UNKNOWN - selftest: the live rules are a rollback"

# ---- others' ----

fb 0 "forward again" publish --forward --suffixes "$work/suffixes"
echo 'block host .mine.example' >"$state/sources/canary.rules"
selftest 2 "a source of this name that is somebody's"
[ "$(cat "$state/sources/canary.rules")" = 'block host .mine.example' ]; ok $? "stays his"
rm "$state/sources/canary.rules"
touch "$state/follow"
selftest 2 "where an origin is followed that has no canaries"
has "it is said what to do there" "--rules"
tap_done
