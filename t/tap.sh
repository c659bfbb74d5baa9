# tap.sh - the Test Anything Protocol for shell tests.  To be sourced by bash.
tap_n=0 tap_failed=0
ok() {	# ok STATUS NAME [LINES]: a test point; what LINES say is shown when it failed
	tap_n=$((tap_n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tap_n - $2"
	else
		tap_failed=1
		echo "not ok $tap_n - $2"
		printf '%s\n' "${3:-}" | sed '/^$/d; s/^/# /' | head -n 30
	fi
}
skip() { tap_n=$((tap_n + 1)); echo "ok $tap_n - $1 # SKIP $2"; }	# skip NAME REASON
skip_all() { echo "1..0 # SKIP $1"; exit 0; }	# skip_all REASON
tap_done() { echo "1..$tap_n"; exit $tap_failed; }	# the plan, and the script's exit status
no_lookalikes() {	# no_lookalikes DIR: the lists of lookalikes there are empty
	local list
	for list in brands classes words glyphs; do
		: > "$1/lookalike-$list.txt"
	done
}
