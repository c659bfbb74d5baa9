#!/usr/bin/env bash
# fill.sh OPTGEN FILE: FILE with what stands between '.\" optgen WHAT TABLE' and '.\" end' made anew by OPTGEN.
set -eu
awk -v optgen="$1" '
	filling && /^\.\\" end$/ { filling = 0 }
	!filling { print }
	/^\.\\" optgen [a-z]+ [a-z]+$/ {
		filling = 1
		command = optgen " " $3 " " $4
		while ((command | getline line) > 0)
			print line
		close(command)
	}' "$2"
