# verb.sh - what tests of verbs begin with: a folder of their own in $work, the program, and how its output is looked at.  To be
# sourced by bash; $state says which state folder fb() is about.
build=${top_builddir:-.}
firebreak=$build/firebreak
work=$(mktemp -d "${TMPDIR:-/tmp}/firebreak-verb-XXXXXX") || exit 1
trap 'chmod -R u+w "$work" 2>/dev/null; rm -rf "$work"' EXIT
state=$work/state
unset FIREBREAK_STATE
. "${top_srcdir:-.}/t/tap.sh"
# fb STATUS NAME ARGUMENTS...: the command ends with STATUS; its output is in $out and $err.
fb() {
	local want=$1 name=$2 got
	shift 2
	out=$(timeout 60 "$firebreak" --state "$state" "$@" 2>"$work/err" </dev/null); got=$?
	# LeakSanitizer says so of a thread of a library that was just ending; it is no finding and none of the command's words.
	err=$(sed '/^==[0-9]*==Unable to get registers from thread [0-9]*\.$/d' "$work/err")
	[ $got -eq "$want" ] && ! grep -q 'Sanitizer\|runtime error' "$work/err"
	ok $? "$name: exit status $want" "it was $got"$'\n'"$out"$'\n'"$err"
}
has() { grep -qF -e "$2" <<<"$3"; ok $? "$1" "not there: $2"$'\n'"$3"; }	# has NAME WORDS TEXT
hasnot() { ! grep -qF -e "$2" <<<"$3"; ok $? "$1" "there: $2"$'\n'"$3"; }
is() { [ "$2" = "$3" ]; ok $? "$1" "     got: $2"$'\n'"expected: $3"; }	# is NAME GOT EXPECTED
same() { cmp "$2" "$3" >"$work/cmp" 2>&1; ok $? "$1" "$(cat "$work/cmp")"; }	# same NAME FILE FILE
