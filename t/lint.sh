#!/usr/bin/env bash
# The rules of the house that a machine can check: "lint.sh [TOP]".  TAP.
set -u
cd "${1:-${top_srcdir:-.}}" || exit 1
. t/tap.sh
empty() { [ -z "$2" ]; ok $? "$1" "$2"; }	# empty NAME LINES

rooms="base templates url_rules hashdb runtime inspect ruleset events judge pages alerts feeds exports eventstore delivery setup icap_service console command"
sources=$(find $rooms -name '*.c' | sort)
headers=$(find $rooms -name '*.h' | sort)

# ---- lengths of functions ----
if ctags --version 2>/dev/null | grep -q Universal; then
	lengths=$(ctags --languages=C --kinds-C=f --fields=+ne -f - $sources | awk -F'\t' '
		{ l = e = 0
		  for (i = 4; i <= NF; i++) { if ($i ~ /^line:/) l = substr($i, 6); if ($i ~ /^end:/) e = substr($i, 5) }
		  print e - l + 1, $2 ":" $1 }' | sort -n)
	long=$(awk '$1 > 100' <<<"$lengths")
	empty "no function is longer than 100 lines" "$long"
	median=$(awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }' <<<"$lengths")
	[ "$median" -le 20 ]; ok $? "the median function is at most 20 lines (it is $median)"
	p95=$(awk '{ v[NR] = $1 } END { print v[int(NR * 0.95)] }' <<<"$lengths")
	[ "$p95" -le 60 ]; ok $? "95 of 100 functions are at most 60 lines (it is $p95)"
else
	skip "lengths of functions" "universal-ctags is missing"
fi

# ---- names that are banned ----
banned='strcpy|strcat|sprintf|vsprintf|strncpy|strncat|strtok|atoi|atol|atoll|rand|gets|sscanf|alloca'
empty "no banned function" "$(grep -nE "(^|[^A-Za-z0-9_])($banned) *\(" $sources $headers)"
empty "no unfinished place" "$(grep -nE '\b(TO''DO|FIX''ME|XX''X|HA''CK)\b' $sources $headers)"
empty "no #if inside a function" "$(awk '/^\{/ { inside = 1 } /^\}/ { inside = 0 } inside && /^#if/ { print FILENAME ":" FNR ": " $0 }' \
	$sources)"
empty "no line over 132 columns" "$(awk 'length($0) > 132 { print FILENAME ":" FNR }' $sources $headers)"
empty "no script beside a test program of its name" "$(for script in t/*.sh; do [ ! -e "${script%.sh}.c" ] || echo "$script"; done)"
empty "no blanks at the end of a line" "$(grep -nE '[ 	]+$' $sources $headers)"

# ---- rooms: arrows go down ----
empty "libssl only in eventstore/syslog_tls.c" "$(grep -lE '#include *[<"]openssl/ssl' $sources $headers | grep -v '^eventstore/syslog_tls\.c')"
empty "SQLite only in eventstore" "$(grep -lE '#include *[<"]sqlite3' $sources $headers | grep -v '^eventstore/')"
empty "c-icap's headers only in icap_service" "$(grep -lE '#include *[<"]c_icap/' $sources $headers | grep -v '^icap_service/')"
empty "libmicrohttpd only in console" "$(grep -lE '#include *[<"]microhttpd' $sources $headers | grep -v '^console/')"
empty "libcurl only in delivery, and setup/ask_proxy.c" "$(grep -lE '#include *[<"]curl/' $sources $headers | grep -v '^delivery/\|^setup/ask_proxy\.c')"
empty "nothing but the module uses icap_service" "$(grep -lE '#include *"icap_service/' $sources $headers | grep -v '^icap_service/')"
floor() {
	case $1 in
	base) echo 0 ;; inspect|url_rules|hashdb|runtime|templates) echo 1 ;; ruleset|events) echo 2 ;;
	alerts|judge) echo 3 ;; feeds|exports|eventstore|pages) echo 4 ;; command) echo 6 ;; *) echo 5 ;;
	esac
}
upward=$(for f in $sources $headers; do
	room=${f%%/*}
	sed -nE 's/^#include "([a-z_]+)\/.*/\1/p' "$f" | sort -u | while read -r used; do
		[ "$used" = "$room" ] || [ "$(floor "$used")" -lt "$(floor "$room")" ] || echo "$f uses $used"
	done
done)
empty "a room uses only rooms below it" "$upward"
quiet=$(grep -nE '\b(printf|fprintf|puts|perror|exit|abort|syslog) *\(' \
	$(find base templates url_rules hashdb runtime inspect ruleset events judge pages alerts feeds exports eventstore delivery setup -name '*.c' ! -name diag.c))
empty "no printing and no exit below the top floor" "$quiet"

# ---- contracts: a comment right above each public prototype, or above the group it stands in ----
contracts=$(awk '
	FNR == 1 { commented = 0 }
	/\*\/[ \t]*$/ || /^\/\*.*\*\// { commented = 1; next }
	/^[ \t]*$/ { commented = 0; next }
	/^[a-z].*\(.*/ && !/^(static|typedef|extern|struct [a-z_]+ \{|enum)/ && !/=/ {
		total++; if (commented || /\/\*/) good++; else print FILENAME ":" FNR ": " $0 > "/dev/stderr"
	}
	END { printf "%d %d\n", good, total }' $headers 2>/dev/null)
read -r good total <<<"$contracts"
[ "$total" -gt 0 ] && [ $((good * 100)) -ge $((total * 95)) ]; ok $? "public prototypes have a contract ($good of $total)"

tap_done
