#!/usr/bin/env bash
# machine.sh - what was measured on, and with which versions: text on standard output.
version() { dpkg-query -W -f '${Package} ${Version}\n' "$@" 2>/dev/null | grep -v ' $'; }
printf '%s, %s processors, %s MB\n' "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(nproc)" \
	"$(($(sed -n 's/^MemTotal: *\([0-9]*\).*/\1/p' /proc/meminfo) / 1024))"
printf 'Linux %s, %s\n' "$(uname -r)" "$(. /etc/os-release; echo "$PRETTY_NAME")"
printf 'load at the start %s\n' "$(cut -d' ' -f1-3 /proc/loadavg)"
version c-icap squid libc-icap-mod-urlcheck libc-icap-mod-virus-scan clamav-daemon e2guardian squidguard nginx-light libssl3 gcc
