# shellcheck shell=bash
# browser.sh - Chromium as a person uses it, for the end-to-end tests: pages are opened, read, typed into, pressed.  To be sourced by
# bash, behind tap.sh.
#
# It is driven by browser.py.  NAME is a person; all of a person's browser lies in a folder of its own, and is gone with browser_end.
#
#	browser_start NAME [USER PASSWORD] -- ARGUMENT...	a browser; USER is for a proxy that asks
#	browser_open NAME URL		open, and wait until it is there
#	browser_js NAME EXPRESSION	print what it is
#	browser_type NAME SELECTOR TEXT	put TEXT in the place of what is in a field
#	browser_press NAME SELECTOR	press, and wait for the page that follows
#	browser_enter NAME		press the Enter key, and wait likewise
#	browser_look NAME WIDTH light|dark	be so wide, with that colour scheme
#	browser_picture NAME FILE	a picture of the whole page
#	browser_end NAME
declare -A browser_pid browser_in browser_out
browser_answer='' browser_wait_s=60

browser_missing() { ! command -v chromium >/dev/null || ! command -v jq >/dev/null || ! command -v python3 >/dev/null; }

browser_start() {
	local name=$1 dir=$lab_top/browser-$1 user='' word=''
	shift
	[ "$1" = -- ] || { user=$1 word=$2; shift 2; }
	shift
	mkdir -p "$dir"
	mkfifo "$dir/in" "$dir/out"
	HOME=$dir setsid python3 "$src/t/e2e/browser.py" chromium "$dir/data" "$@" <"$dir/in" >"$dir/out" 2>"$dir/log" &
	browser_pid[$name]=$!
	exec {browser_in[$name]}>"$dir/in" {browser_out[$name]}<"$dir/out"
	if [ -n "$user" ]; then browser_do "$name" auth user "$user" password "$word"; else browser_js "$name" 1 >/dev/null; fi
}

browser_do() {	# browser_do NAME WHAT [KEY VALUE]...: the answer is in $browser_answer
	local name=$1 arguments=(--arg do "$2")
	shift 2
	while [ $# -gt 0 ]; do arguments+=(--arg "$1" "$2"); shift 2; done
	jq -cn "${arguments[@]}" '$ARGS.named' >&"${browser_in[$name]}"
	IFS= read -r -t "$browser_wait_s" browser_answer <&"${browser_out[$name]}"
}
browser_open() { browser_do "$1" open url "$2"; }
browser_js() { browser_do "$1" js expression "$2" && jq -r '.value // empty' <<<"$browser_answer"; }
browser_type() { browser_do "$1" type selector "$2" text "$3"; }
browser_press() { browser_do "$1" press selector "$2"; }
browser_enter() { browser_do "$1" enter; }
browser_look() { browser_do "$1" look width "$2" scheme "$3"; }
browser_picture() { browser_do "$1" picture file "$2"; }

# The whole of it: all that was started is in one session.
browser_end() {
	[ -n "${browser_pid[$1]:-}" ] || return 0
	exec {browser_in[$1]}>&- {browser_out[$1]}<&-
	for _ in $(seq 50); do
		kill -0 "${browser_pid[$1]}" 2>/dev/null || break
		sleep 0.1
	done
	kill -- "-${browser_pid[$1]}" 2>/dev/null
	wait "${browser_pid[$1]}" 2>/dev/null
	unset "browser_pid[$1]"
}
