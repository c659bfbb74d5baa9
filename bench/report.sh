#!/usr/bin/env bash
# report.sh - the table and the plots of a run: "report.sh DIR", where DIR has results.jsonl and machine.txt.
#
# Each figure is the median over all rounds.  Ratios are those of single rounds, within one work, to the row that stands first:
# their median, and beside it the lowest and the highest.
set -u
out=$1
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cat "$out/machine.txt"
jq -s -r -f "$here/report.jq" "$out/results.jsonl"
jq -s -r -f "$here/goals.jq" "$out/results.jsonl"
if command -v gnuplot >/dev/null; then
	bash "$here/plot.sh" "$out"
else
	echo "SKIP plots: gnuplot is not installed"
fi
