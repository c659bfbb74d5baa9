# shellcheck shell=bash
# browser.sh - Chromium as a person uses it, for the end-to-end tests: pages are opened, read, typed into, pressed.  To be sourced by
# bash, behind tap.sh.
#
# It is driven through its own protocol (DevTools) over a pipe, messages that end in NUL: there is no port to find, and no other
# program.  NAME is a person; all of a person's browser lies in a folder of its own, and is gone with browser_end.
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
declare -A browser_pid browser_in browser_out browser_session browser_user browser_password
browser_id=0 browser_result='' browser_message='' browser_wait_s=30

browser_missing() { ! command -v chromium >/dev/null || ! command -v jq >/dev/null; }

browser_start() {
	local name=$1 dir=$lab_top/browser-$1 target
	shift
	[ "$1" = -- ] || { browser_user[$name]=$1 browser_password[$name]=$2; shift 2; }
	shift
	mkdir -p "$dir"
	mkfifo "$dir/in" "$dir/out"
	HOME=$dir setsid chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --no-first-run --disable-background-networking \
		--disable-component-update --disable-sync --disable-extensions --user-data-dir="$dir/data" --remote-debugging-pipe "$@" \
		3<"$dir/in" 4>"$dir/out" >"$dir/log" 2>&1 &
	browser_pid[$name]=$!
	exec {browser_in[$name]}>"$dir/in" {browser_out[$name]}<"$dir/out"
	browser_session[$name]=
	browser_call "$name" Target.createTarget '{"url":"about:blank"}' || return 1
	target=$(jq -r .targetId <<<"$browser_result")
	browser_call "$name" Target.attachToTarget "{\"targetId\":\"$target\",\"flatten\":true}" || return 1
	browser_session[$name]=$(jq -r .sessionId <<<"$browser_result")
	browser_call "$name" Page.enable && browser_call "$name" Runtime.enable || return 1
	[ -z "${browser_user[$name]:-}" ] || browser_call "$name" Fetch.enable '{"handleAuthRequests":true}'
}

browser_send() {	# browser_send NAME METHOD [PARAMETERS]
	local session=${browser_session[$1]}
	browser_id=$((browser_id + 1))
	printf '{"id":%d,"method":"%s",%s"params":%s}\0' $browser_id "$2" "${session:+\"sessionId\":\"$session\",}" "${3:-{\}}" \
		>&"${browser_in[$1]}"
}

# The next message; what the browser itself is asked, as for a password, is answered.
browser_read() {	# browser_read NAME
	local request
	IFS= read -r -d '' -t "$browser_wait_s" browser_message <&"${browser_out[$1]}" || return 1
	case $browser_message in
	'{"method":"Fetch.requestPaused"'*)
		request=$(jq -r .params.requestId <<<"$browser_message")
		browser_send "$1" Fetch.continueRequest "{\"requestId\":\"$request\"}" ;;
	'{"method":"Fetch.authRequired"'*)
		browser_send "$1" Fetch.continueWithAuth "$(jq -c --arg u "${browser_user[$1]}" --arg p "${browser_password[$1]}" '{
			requestId: .params.requestId,
			authChallengeResponse: {response: "ProvideCredentials", username: $u, password: $p}}' <<<"$browser_message")" ;;
	esac
}

browser_call() {	# browser_call NAME METHOD [PARAMETERS]: the answer is in $browser_result
	local id end=$((SECONDS + browser_wait_s))
	browser_send "$@"
	id=$browser_id
	while browser_read "$1" && [ $SECONDS -lt $end ]; do
		[[ $browser_message == "{\"id\":$id,"* ]] || continue
		browser_result=$(jq -c '.result // empty' <<<"$browser_message")
		[ -n "$browser_result" ]
		return
	done
	return 1
}

browser_loaded() {	# browser_loaded NAME: wait until the page is there
	local end=$((SECONDS + browser_wait_s))
	while browser_read "$1" && [ $SECONDS -lt $end ]; do
		[[ $browser_message != '{"method":"Page.loadEventFired"'* ]] || return 0
	done
	return 1
}

browser_open() {
	browser_send "$1" Page.navigate "$(jq -cn --arg url "$2" '{url: $url}')"
	browser_loaded "$1"
}
browser_js() {
	browser_call "$1" Runtime.evaluate "$(jq -cn --arg e "$2" '{expression: $e, returnByValue: true}')" &&
		jq -r '.result.value // empty' <<<"$browser_result"
}
browser_type() {
	browser_js "$1" "(e => { e.focus(); e.select(); })(document.querySelector('$2'))" >/dev/null
	browser_call "$1" Input.insertText "$(jq -cn --arg t "$3" '{text: $t}')"
}
browser_press() {
	browser_send "$1" Runtime.evaluate "$(jq -cn --arg e "document.querySelector('$2').click()" '{expression: $e}')"
	browser_loaded "$1"
}
browser_enter() {
	browser_send "$1" Input.dispatchKeyEvent '{"type":"keyDown","key":"Enter","code":"Enter","windowsVirtualKeyCode":13,"text":"\r"}'
	browser_send "$1" Input.dispatchKeyEvent '{"type":"keyUp","key":"Enter","code":"Enter","windowsVirtualKeyCode":13}'
	browser_loaded "$1"
}
browser_look() {
	browser_call "$1" Emulation.setDeviceMetricsOverride "{\"width\":$2,\"height\":900,\"deviceScaleFactor\":1,\"mobile\":false}" &&
		browser_call "$1" Emulation.setEmulatedMedia "{\"features\":[{\"name\":\"prefers-color-scheme\",\"value\":\"$3\"}]}"
}
browser_picture() {
	browser_call "$1" Page.captureScreenshot '{"captureBeyondViewport":true}' && jq -r .data <<<"$browser_result" | base64 -d >"$2"
}

# The whole of it: all that Chromium started is in its session.
browser_end() {
	[ -n "${browser_pid[$1]:-}" ] || return 0
	browser_session[$1]=
	browser_send "$1" Browser.close 2>/dev/null
	for _ in $(seq 50); do
		kill -0 "${browser_pid[$1]}" 2>/dev/null || break
		sleep 0.1
	done
	kill -- "-${browser_pid[$1]}" 2>/dev/null
	wait "${browser_pid[$1]}" 2>/dev/null
	exec {browser_in[$1]}>&- {browser_out[$1]}<&-
	unset "browser_pid[$1]"
}
