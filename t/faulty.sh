# faulty.sh - what tests of faults and kills begin with: a folder of their own in $work, programs that a fault is put into, and what
# is live afterwards.  To be sourced by bash; $state says which state folder fb(), faulty() and look() are about.
#
# Built on t/faults.c, which makes the Nth call fail, and t/whole.c, which says what is live.
build=${top_builddir:-.}
firebreak=$build/firebreak whole=$build/t/whole faults=$build/t/.libs/faults.so
. "${top_srcdir:-.}/t/tap.sh"
[ -r "$faults" ] || skip_all "no shared objects are built here"
long=${CRASH_LONG:-no}
is_long() { [[ $long = yes || " $long " = *" $1 "* ]]; }
# A program with sanitizers takes ten times as long.
ldd "$firebreak" 2>/dev/null | grep -q 'lib[at]san' && slow=yes || slow=no
RANDOM=${CRASH_SEED:-1}
if [ -z "${TMPDIR:-}" ] && [ -w /dev/shm ]; then TMPDIR=/dev/shm; fi
work=$(mktemp -d "${TMPDIR:-/tmp}/firebreak-crash-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
unset FIREBREAK_STATE
export FIREBREAK_LISTS=$work/lists ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0
mkdir "$FIREBREAK_LISTS"
echo '.top.test' > "$FIREBREAK_LISTS/top-sites.txt"
: > "$FIREBREAK_LISTS/shared-hosting.txt"
no_lookalikes "$FIREBREAK_LISTS"
state=$work/state
fb() { timeout 60 "$firebreak" --state "$state" "$@" >"$work/out" 2>"$work/err" </dev/null; }
# faulty FAULT_...=... ARGUMENTS...: the same with t/faults.c.
faulty() {
	local setting=()
	while [[ $1 = FAULT_* ]]; do setting+=("$1"); shift; done
	# The shell would tell of every kill.
	{ timeout 60 env LD_PRELOAD="$faults" "${setting[@]}" "$firebreak" --state "$state" "$@" >"$work/out" 2>"$work/err" </dev/null; } 2>/dev/null
}
bail() { cat "$work/err" >&2; echo "Bail out! $* fails without a fault"; exit 1; }
# look: what is live into $content and $number, what is wrong with the rest into $lying.
look() {
	{ read -r content number; lying=$(cat); } < <("$whole" "$state")
}
# How a call fails or is killed, and what is said then.
hows=(ENOSPC EIO EDQUOT short full before after half)
declare -A words=([ENOSPC]="No space left on device" [EIO]="Input/output error" [EDQUOT]="Disk quota exceeded"
	[short]="No space left on device" [full]="No space left on device")
trouble=()
wrong() { trouble+=("$1"); }
told() {	# told NAME: what was wrong, as a test point
	[ ${#trouble[@]} -eq 0 ]; ok $? "$1" "$(printf '%s\n' "${#trouble[@]} findings" "${trouble[@]}")"
	trouble=()
}
