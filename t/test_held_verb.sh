#!/usr/bin/env bash
# Rules that are held, from the source to the decision: publish, held, approve, deny.  TAP.
set -u
. "${top_srcdir:-.}/t/verb.sh"
mkdir -p "$state/sources"
id_of() { awk -v rule="$1" '$5 " " $6 " " $7 == rule { print $1 }' "$state/held"; }

# Lists that these tests need, so that the installed ones decide nothing here.
printf '%s\n' '// ===BEGIN ICANN DOMAINS===' com net example test '// ===END ICANN DOMAINS===' > "$work/suffixes"
echo '.top.test' > "$work/top-sites.txt"
echo 'docs.shared.test' > "$work/shared-hosting.txt"
no_lookalikes "$work"
export FIREBREAK_LISTS=$work
publish=(publish --suffixes "$work/suffixes")

# ---- nothing is held ----
fb 0 "held of an empty state" held
is "it says so" "$out" "nothing is held"
fb 0 "the same as JSON" held --json
is "it is an empty array" "$out" "[]"
fb 2 "held takes no operand" held x
fb 2 "approve needs an id" approve
fb 2 "deny needs an id" deny
out=$("$firebreak" held --state "$work/nowhere" 2>&1); is "held without a state folder" $? 2
out=$("$firebreak" approve --state "$work/nowhere" 0123456789abcdef01234567 2>&1); is "approve without a state folder" $? 2
[ ! -e "$work/nowhere" ]; ok $? "asking makes no folder"

# ---- a publish holds ----
cat > "$state/sources/local.rules" <<'END'
block host a.test
block host .top.test
block host www.top.test
block host docs.shared.test
block host 192.0.2.7
END
fb 0 "a dry run" "${publish[@]}" --dry-run
has "it counts what is held" "2 held rules left out" "$out"
[ ! -e "$state/held" ]; ok $? "and writes nothing"
fb 0 "publish" "${publish[@]}"
has "the rest is published" "generation 1: 3 rules (3 host" "$out"
has "it counts what is held" "2 held rules left out: \"firebreak held\" lists them" "$out"
has "it says what and why" "local.rules:2: warning: held, not published: the rule covers top.test, which everybody uses" "$err"
has "a shared host is a warning" "local.rules:4: warning: the rule covers docs.shared.test, where strangers" "$err"
told=$err
has "a private address is a warning" "local.rules:5: warning: 192.0.2.7 is an address of documentation" "$err"
fb 0 "what is held does not block" check http://www.top.test/
fb 1 "the rest blocks" check http://a.test/
all=$(id_of "block host .top.test") www=$(id_of "block host www.top.test")
[[ $all =~ ^[0-9a-f]{24}$ && $www =~ ^[0-9a-f]{24}$ ]]; ok $? "each has an id" "$(cat "$state/held")"
has "the warning names it" "firebreak approve $all" "$told"
before=$(cat "$state/held")
fb 0 "publish again" "${publish[@]}" --json
has "JSON counts them" '"held": 2' "$out"
is "ids and dates stay" "$(cat "$state/held")" "$before"

# ---- looking ----
fb 1 "held" held
has "it lists the first" "$all  block host .top.test" "$out"
has "and says why" "the rule covers top.test, which everybody uses" "$out"
has "and since when, by which class" "by top_site; waits" "$out"
fb 1 "held as JSON" held --json
has "JSON has the id" "\"id\": \"$www\"" "$out"
has "JSON has the decision" '"decision": "waiting"' "$out"

# ---- deciding ----
fb 2 "approving what is not held" approve "$all" ffffffffffffffffffffffff
has "it is named" "nothing is held as ffffffffffffffffffffffff" "$err"
[ ! -e "$state/approved" ]; ok $? "and nothing is decided, not even about the other"
fb 0 "approve" approve "$www" --note $'ticket 4711\n# over'
has "it says what it did" "approved: block host www.top.test of local" "$out"
has "and it is live at once" "4 rules (4 host" "$out"
grep -q "^$www approved [0-9TZ:-]* uid=$(id -u) top_site local block host www.top.test ticket 4711 # over\$" "$state/approved"
ok $? "a line says who, when, what and why" "$(cat "$state/approved")"
fb 1 "held after approve" held
hasnot "the approved one is held no more" "$www" "$out"
fb 0 "deny" deny --json "$all"
has "JSON tells the verdict" '"decision": "denied"' "$out"
fb 0 "held when all is decided" held
fb 0 "publish" "${publish[@]}"
has "the approved one is published" "4 rules (4 host" "$out"
has "the denied one is counted" "1 denied rule left out" "$out"
hasnot "and not told again" "top.test" "$err"
[ ! -e "$state/held" ]; ok $? "nothing is held any more"
fb 1 "what was approved blocks" check http://www.top.test/
fb 0 "what was denied does not" check http://top.test/

# ---- thinking anew ----
fb 0 "approving what was denied" approve "$all"
fb 0 "publish" "${publish[@]}"
has "it is published, too" "5 rules (5 host" "$out"
fb 1 "and blocks" check http://top.test/
sed -i "/^$all /d" "$state/approved"
fb 0 "publish without its lines" "${publish[@]}"
has "it is held again" "1 held rule left out: \"firebreak held\" lists it" "$out"
echo "nonsense" >> "$state/approved"
fb 2 "publish with a bad line" "${publish[@]}"
has "the line is named" "approved:4: error: expected ID approved|denied" "$err"
fb 2 "held with a bad line" held
fb 2 "approve with a bad line" approve "$all"
sed -i '/^nonsense$/d' "$state/approved"

# ---- refused, and not asked ----
echo "LintTopSite refuse" > "$state/site.conf"
fb 2 "publish when the site refuses" "${publish[@]}"
has "the rule is named" "local.rules:2: error: the rule covers top.test" "$err"
echo "LintTopSite ignore" > "$state/site.conf"
fb 0 "publish when the site ignores" "${publish[@]}"
has "all is published" "5 rules" "$out"
: > "$state/site.conf"
fb 0 "publish without the lists" publish --suffixes "$work/suffixes" --lists "$work/nowhere"
has "it says what is not checked" "whether a rule covers a site that everybody uses is NOT checked" "$err"
printf 'TopSites top-sites.txt\n' > "$state/site.conf"
fb 2 "publish with a relative list" "${publish[@]}"
has "it is named" 'TopSites: "top-sites.txt" must begin with a /' "$err"
: > "$state/site.conf"
if [ "$(id -u)" -ne 0 ]; then
	chmod a-w "$state"
	fb 2 "approve in a folder that cannot be written" approve "$all"
	chmod u+w "$state"
else
	skip "approve in a folder that cannot be written" "root writes everywhere"
fi

tap_done
