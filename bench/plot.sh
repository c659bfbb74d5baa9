#!/usr/bin/env bash
# plot.sh - SVG plots of a run: "plot.sh DIR".
set -u
out=$1
medians() {	# medians GROUP: "work<tab>server<tab>median CPU us" in the order of the results
	jq -s -r --arg g "$1" '
		def median: sort | .[length / 2 | floor];
		to_entries | map(.value + {order: .key}) | map(select(.group == $g and .cpu_us != null)) | group_by(.work, .server) |
		map({work: .[0].work, server: .[0].server, order: ([.[].order] | min), m: ([.[].cpu_us] | median)}) | sort_by(.order) |
		.[] | [.work, .server, .m] | @tsv' "$out/results.jsonl"
}
bars() {	# bars GROUP TITLE: one cluster of bars for each work
	local group=$1 title=$2 table=$out/$1.dat
	medians "$group" | awk -F'\t' '
		!($1 in w) { w[$1] = ++nw; W[nw] = $1 }
		!($2 in s) { s[$2] = ++ns; S[ns] = $2 }
		{ v[$1, $2] = $3 }
		END {
			if (nw == 0) exit
			printf "work"; for (j = 1; j <= ns; j++) printf "\t\"%s\"", S[j]; print ""
			for (i = 1; i <= nw; i++) { printf "\"%s\"", W[i]; for (j = 1; j <= ns; j++) printf "\t%s", (W[i], S[j]) in v ? v[W[i], S[j]] : "NaN"; print "" }
		}' >"$table"
	[ -s "$table" ] || { rm -f "$table"; return; }
	gnuplot <<-END
		set terminal svg size 1100,520 font "sans-serif,13" background "#ffffff"
		set output "$out/$group.svg"
		set datafile separator "\t"
		set title "$title"
		set ylabel "processor time of the server for one request, microseconds"
		set logscale y
		set grid y lc rgb "#d0d0d0"
		set style data histograms
		set style histogram clustered gap 1
		set style fill solid 0.85 border -1
		set key outside right top
		set xtics rotate by -20
		stats "$table" skip 1 nooutput
		plot for [i=2:$(($(head -n 1 "$table" | tr '\t' '\n' | wc -l)))] "$table" using i:xtic(1) title columnheader
	END
	rm -f "$table"
}
bars reqmod "REQMOD: GET requests"
bars let-go "RESPMOD: a body that no rule can match"
bars hashed "RESPMOD: a body that is hashed"
bars pages "Through Squid: 4 KB pages (Squid and service together)"
bars growth "How the cost of a request grows"
