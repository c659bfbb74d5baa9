#!/usr/bin/env bash
# firebreak metrics, and the alert rules and the dashboard that are made for it.  TAP.
set -u
src=${top_srcdir:-.}
build=${top_builddir:-.}
firebreak=$build/firebreak
work=$(mktemp -d "${TMPDIR:-/tmp}/firebreak-metrics-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
state=$work/state
mkdir "$state"
unset FIREBREAK_STATE
. "$src/t/tap.sh"
has() { grep -qxF -e "$2" <<<"$3"; ok $? "$1" "not there: $2"$'\n'"$3"; }
is() { [ "$2" = "$3" ]; ok $? "$1" "     got: $2"$'\n'"expected: $3"; }
metrics() { out=$("$firebreak" --state "$state" metrics "$@" 2>"$work/err"); }

metrics; is "without a rule set: it is printed" $? 0
has "and says that there is none" "firebreak_generation_ok 0" "$out"
"$firebreak" --state "$work/none" metrics >/dev/null 2>&1; is "no state folder" $? 2
"$firebreak" --state "$state" metrics x >/dev/null 2>&1; is "an operand" $? 2

printf '%s\n' '// ===BEGIN ICANN DOMAINS===' net example '// ===END ICANN DOMAINS===' >"$work/suffixes"
mkdir "$state/sources"
echo 'block host .bad.example' >"$state/sources/local.rules"
printf 'one.example.net\ntwo.example.net\n' >"$state/sources/mal.hosts"
touch -d '2026-11-20T00:00:00Z' "$state/sources/mal.hosts"
"$firebreak" --state "$state" publish --suffixes "$work/suffixes" >/dev/null 2>"$work/err" || [ $? -eq 1 ]; ok $? "a rule set" "$(cat "$work/err")"
mkfifo "$work/in"
"$build/t/worker" "$state" stale <"$work/in" >"$work/worker" 2>&1 &
worker=$!
exec 9>"$work/in"
for _ in $(seq 100); do grep -q ready "$work/worker" && break; sleep 0.1; done
metrics; is "with a rule set and a worker" $? 0
has "the rule set" "firebreak_generation_ok 1" "$out"
has "its rules" "firebreak_rules 3" "$out"
has "by source" 'firebreak_source_rules{source="mal"} 2' "$out"
has "the age of a source" "firebreak_source_written_timestamp_seconds{source=\"mal\"} $(date -d 2026-11-20T00:00:00Z +%s)" "$out"
has "a worker" "firebreak_workers 1" "$out"
has "that is behind" "firebreak_workers_behind 1" "$out"
has "what it has" "firebreak_worker_generation{pid=\"$worker\"} 0" "$out"
has "the mode" 'firebreak_mode{mode="enforce"} 1' "$out"
has "since when" "$(grep -E "^firebreak_worker_started_timestamp_seconds\{pid=\"$worker\"\} [0-9]{10}\.[0-9]{3}$" <<<"$out")" "$out"
has "how long requests took: at most 5 us" 'firebreak_latency_seconds_bucket{stage="reqmod",le="5e-06"} 0' "$out"
has "and in all" 'firebreak_latency_seconds_bucket{stage="helper",le="+Inf"} 0' "$out"
has "a decision" 'firebreak_decisions_total{action="blocked"} 0' "$out"
has "a reason" 'firebreak_reasons_total{reason="file-again"} 0' "$out"
"$build/doc/optgen" names reasons | while read -r reason; do grep -qF "firebreak_reasons_total{reason=\"$reason\"}" <<<"$out" || echo "$reason"; done >"$work/missing"
is "every reason is there" "$(cat "$work/missing")" ""
exec 9>&-
wait "$worker"
before=$out

# ---- how a selftest ended ----
! grep -q '^firebreak_selftest' <<<"$out"; ok $? "without a selftest there is nothing of it"
! "$firebreak" --state "$state" status 2>/dev/null | grep -q Selftest; ok $? "nor in status"
now=$(date +%s)
selftest() { printf '{"time":"%s","good":%s,"last_good":"2026-11-20T00:00:00Z","plain_seconds":0.25,"bad":"%s"}' "$(date -u -d "@$1" +%FT%TZ)" "$2" "$3" >"$state/runtime/selftest"; }
selftest "$now" false 'held, cut'
metrics
has "a bad one" "firebreak_selftest_good 0" "$out"
tested=$(grep firebreak_selftest <<<"$out")
has "when" "firebreak_selftest_timestamp_seconds $now" "$out"
has "and the good one" "firebreak_selftest_good_timestamp_seconds $(date -d 2026-11-20T00:00:00Z +%s)" "$out"
has "how long it took" "firebreak_selftest_plain_seconds 0.25" "$out"
said=$("$firebreak" --state "$state" status 2>/dev/null); is "status answers 1" $? 1
grep -q '^Selftest    \*\*\* FAILED .*: held, cut \*\*\*$' <<<"$said"; ok $? "and says so" "$said"
selftest "$((now - 7200))" true ''
said=$("$firebreak" --state "$state" status 2>/dev/null); is "one that is too old, too" $? 1
grep -q '^Selftest    good, .* ago: \*\*\* NONE WAS MADE SINCE \*\*\*$' <<<"$said"; ok $? "that is said" "$said"
selftest "$now" true ''
"$firebreak" --state "$state" status >/dev/null 2>&1; is "a good one is fine" $? 0
echo '{"time":7' >"$state/runtime/selftest"
metrics; is "a damaged file is none" "$?$(grep '^firebreak_selftest' <<<"$out")" 0
rm "$state/runtime/selftest"

# ---- from an alert to whom it met ----
"$firebreak" --state "$state" import "$src/etc/alert-19190.txt" >/dev/null 2>&1; is "an alert" $? 0
"$firebreak" --state "$state" publish --suffixes "$work/suffixes" >/dev/null 2>&1
step() { sed -n "s/^firebreak_alert_timestamp_seconds{alert=\"$1\",step=\"$2\"} //p" <<<"$out"; }
metrics
is "when it was published" "$(step 19190 published)" "$(date -d 2009-10-12T15:12Z +%s)"
is "when it was imported" "$(step 19190 imported)" "$(date -d "$(sed 's/^{"date": *"//; s/".*//' "$state/alerts/19190.versions")" +%s)"
live=$(step 19190 live)
[ "${live:-0}" -ge "$(step 19190 imported)" ]; ok $? "and then live" "$live"
is "nobody has met it" "$(step 19190 first_hit)" ""
for id in 1M83MDH1W4HM1YFX 1M83ME10C4HM007J; do
	printf '{"event":{"id":"%s","action":"blocked"},"firebreak":{"alert":"19190"}}\n' "$id"
done >"$state/events.jsonl"
metrics
first=$("$firebreak" --state "$state" events --csv 1M83MDH1W4HM1YFX | tail -n 1 | cut -d'"' -f2)
is "when it was first met" "$(step 19190 first_hit)" "$(date -d "$first" +%s)"
metrics --quick; is "without looking into the log" $? 0
is "that is not said" "$(step 19190 first_hit)" ""
touch "$state/alerts/19190.json"
"$firebreak" --state "$state" publish --full --suffixes "$work/suffixes" >/dev/null 2>&1
is "a later import does not change when it was live" "$(grep -c alert=19190 "$state/log/live.log")" 1
for i in $(seq 40); do echo "2026-11-2$((i % 9))T00:00:00.000Z uid=1 alert=many-$i generation=9"; done >>"$state/log/live.log"
printf '%s\n' 'alert=no-date' 2026-11-20T00:00:00Z '2026-11-20T00:00:00Z alert=../x" 1' '2026-11-20T00:00:00Z alert=many-40 published=x' >>"$state/log/live.log"
metrics
is "only so many alerts" "$(grep -c 'step="live"' <<<"$out")" 32
is "the newest" "$(step many-40 live)" "$(date -d 2026-11-24T00:00Z +%s)"
is "each once" "$(grep -v '^#' <<<"$out" | sed 's/ [^ ]*$//' | sort | uniq -d)" ""
if command -v promtool >/dev/null; then
	said=$(promtool check metrics <<<"$out" 2>&1); ok $? "promtool has nothing to say of that either" "$said"
fi
rm -rf "$state/log/live.log" "$state/events.jsonl"*
alerts=$out out=$before
"$firebreak" --state "$state" metrics --to "$work/firebreak.prom"; is "into a file" $? 0
is "of mode 0644" "$(stat -c %a "$work/firebreak.prom")" 644
is "with the same metrics" "$(grep -c '^# TYPE' "$work/firebreak.prom")" "$(grep '^# TYPE' <<<"$out" | grep -vc worker_)"
"$firebreak" --state "$state" metrics --to "$work/no/firebreak.prom" 2>/dev/null; is "a folder that is not there" $? 2

# ---- what is made for it ----
names=$(sed -n 's/^\(firebreak_[a-z_]*\).*/\1/p' <<<"$out$alerts"$'\n'"$tested" | sort -u)
unknown() { grep -oE 'firebreak_[a-z_]+' "$@" | sort -u | comm -23 - <(echo "$names"); }	# names in FILES that are no metric
is "the alert rules know no other metric" "$(unknown -h "$src/etc/firebreak.rules.yml")" ""
is "nor does the dashboard" "$(unknown -h "$src/etc/firebreak.dashboard.json")" ""
if command -v jq >/dev/null; then
	is "the dashboard's panels have a query each" "$(jq '[.panels[] | select(.targets | length == 0)] | length' "$src/etc/firebreak.dashboard.json")" 0
	is "and ids of their own" "$(jq '[.panels[].id] | length - (unique | length)' "$src/etc/firebreak.dashboard.json")" 0
else
	skip "the dashboard" "jq is missing"
fi
if command -v promtool >/dev/null; then
	said=$(promtool check metrics <<<"$out" 2>&1); ok $? "promtool has nothing to say of the metrics" "$said"
	is "not even a warning" "$said" ""
	cp "$src/etc/firebreak.rules.yml" "$src/etc/firebreak.rules.test.yml" "$work"
	said=$(cd "$work" && promtool check rules firebreak.rules.yml 2>&1); ok $? "promtool: the alert rules are well" "$said"
	said=$(cd "$work" && promtool test rules firebreak.rules.test.yml 2>&1); ok $? "promtool: each fires when it should, and else not" "$said"
	if command -v jq >/dev/null; then
		jq -r '.panels[].targets[].expr' "$src/etc/firebreak.dashboard.json" | sed "s/\$__rate_interval/5m/g; s/\$instance/.*/g; s/'/''/g" |
			awk 'BEGIN { print "groups:\n- name: d\n  rules:" } { print "  - record: dashboard:query" NR "\n    expr: '\''" $0 "'\''" }' >"$work/dashboard.yml"
		said=$(promtool check rules "$work/dashboard.yml" 2>&1); ok $? "promtool: the dashboard's queries are well" "$said"
	fi
else
	skip "promtool" "promtool is missing: apt-get install prometheus"
fi
tap_done
