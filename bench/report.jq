# report.jq - results.jsonl as a table.
def median: sort | if length == 0 then null elif length % 2 == 1 then .[length / 2 | floor] else (.[length / 2 - 1] + .[length / 2]) / 2 end;
def fixed(n): if . == null then "-" else . as $x | pow(10; n) as $p | (($x * $p | round) / $p | tostring) end;
def pad(n): tostring | if length < n then . + (" " * (n - length)) else . end;
def left(n): tostring | if length < n then (" " * (n - length)) + . else . end;
def key: if .ms != null then "ms" elif .group == "memory" then "pss" elif .group == "downloads" then "last" else "cpu_us" end;
def value: key as $k | if $k == "last" then .last_us.p50 / 1000 elif $k == "pss" then .pss / 1000000 else .[$k] end;
def unit: {ms: "ms", pss: "PSS, MB", last: "last byte, ms", cpu_us: "CPU, us"}[.];

def ends: [.[].ends // {} | to_entries[] | .key] | unique | join("+");

def rows: group_by(.server) | map({server: .[0].server, order: ([.[].order] | min), rows: .}) | sort_by(.order);

def line($first):
	(.rows | map(value) | median) as $m | ($first.rows | map(value) | median) as $f |
	([.rows[] | . as $r | ($first.rows[] | select(.round == $r.round) | value) as $b | ($r | value) / $b] | sort) as $each |
	"  " + (.server | pad(24)) + ($m | fixed(2) | left(12)) +
	(if $f == 0 or $f == null then "" else
		(($each | median) | fixed(2) | left(9)) + (if ($each | length) > 0 then "  (" + ($each[0] | fixed(2)) + " - " + ($each[-1] | fixed(2)) + ")" else "" end | pad(18)) end) +
	(.rows | map(.per_s // empty) | median | fixed(0) | left(9)) +
	(if (.rows[0].p50_us) != null then (.rows | map(.p50_us) | median | fixed(0) | left(9)) + (.rows | map(.p99_us) | median | fixed(0) | left(9)) + (.rows | map(.p999_us) | median | fixed(0) | left(9)) else "" end) +
	(if (.rows[0].half_us) != null then "   first " + (.rows | map(.first_us.p50 / 1000) | median | fixed(1)) + " half " + (.rows | map(.half_us.p50 / 1000) | median | fixed(1)) + " CPU " + (.rows | map(.cpu_us / 1000) | median | fixed(2)) + " ms" else "" end) +
	"  " + (.rows | ends);

def section:
	.[0].group as $g | .[0].work as $w | rows as $rows | $rows[0] as $first |
	"", ($g + ": " + $w + "   [" + (.[0] | key | unit) + "; ratio to the first row: median, lowest - highest; per second; p50, p99, p99.9 in us; how answered]"),
	($rows[] | line($first));

to_entries | map(.value + {order: .key}) | group_by(.group + "\u0000" + .work) | sort_by(.[0].order) | .[] | section
