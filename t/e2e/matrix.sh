#!/usr/bin/env bash
# Through a real Squid: framing x coding or archive x size.  A listed file does not arrive whole, whatever a client can make of what
# did arrive, and there is one event; its twin, of which no rule speaks, arrives byte for byte and without a word.  TAP.
#
#	FIREBREAK_PROPERTY	what is tried: "identity codings archives"
#	FIREBREAK_MATRIX=full	every framing with every size, and 300 MB; else each framing in turn
. "${top_srcdir:-.}/t/e2e/tap.sh"
. "$src/t/e2e/bodies.sh"
dimensions=${FIREBREAK_PROPERTY:-identity codings archives} full=${FIREBREAK_MATRIX:-short}
for tool in bsdtar gzip brotli zstd 7z bzip2 xz; do
	command -v $tool >/dev/null || skip_all "$tool is missing"
done

sizes="1 49152 65535 65536 65537 90112 1048576"
[ "$full" = full ] || sizes="1 49152 65536 90112 1048576"
framings=(length chunked close)
huge=$((300 * 1024 * 1024))
hows=plain
for how in $CODINGS $ARCHIVES; do
	[[ " $dimensions " != *" $(needs "$how") "* ]] || hows+=" $how"
done

e2e_init matrix
bodies=$LAB_LIVE/bodies made=$lab_top/made
mkdir -p "$made"
listed_seed=7 twin_seed=11	# their first bytes differ
body() { "$LAB_LIVE/origin" --body "$1" "$2" >"$3"; }
rules=()
list_size() {	# list_size SIZE: the two files of that size, and the rule for the first
	body "$1" $listed_seed "$made/listed.$1"
	body "$1" $twin_seed "$made/twin.$1"
	rules+=("block file $1:md5:$(md5sum <"$made/listed.$1" | cut -d' ' -f1) id=n$1")
}
for size in $sizes; do list_size "$size"; done
[ "$full" != full ] || list_size $huge
e2e_rules "${rules[@]}"
published=$(e2e_publish)
ok $? "the files are listed" "$published"
e2e_start

ask() {	# ask NAME HOW FRAMING: what curl saw
	fetch "http://files.firebreak.test:$LAB_ORIGIN_PORT/serve?file=$1&ce=$(coding_of "$2")&framing=$3&serial=$RANDOM$RANDOM$RANDOM" --max-time 120
}
early=0
stopped() {	# stopped HOW SIZE FRAMING: the listed file
	local before status got code said
	before=$(events)
	read -r status got code < <(ask "listed.$2.$1" "$1" "$3")
	said=$(tail -n +$((before + 1)) "$LAB_EVENTS" 2>/dev/null | jq -r .event.action | tr '\n' ' ')
	if [ "$status" = 403 ]; then
		[ "$said" = "blocked " ]
	elif [ "$status" = 500 ]; then	# Squid's own page: the transfer was broken before Squid had passed on a byte
		early=$((early + 1))
		[ "$said" = "killed " ]
	else
		[ "$code" -ne 0 ] && [ "$said" = "killed " ] && ! unpack "$1" "$2" <"$lab_top/body" | cmp -s - "$made/listed.$2"
	fi
	ok $? "listed: $1, $2 bytes, $3" "status $status, $got bytes of $(wc -c <"$bodies/listed.$2.$1"), curl's exit $code, events: $said"
}
# Squid's Bug 5550: of a body without a length that came through ICAP the last chunk, "0", may be missing though all bytes are there.
# No service can help that; it is counted, and asked again.
endless=0
arrives() {	# arrives HOW SIZE FRAMING: the twin
	local before status got code try
	before=$(events)
	for try in 1 2 3 4 5; do
		read -r status got code < <(ask "twin.$2.$1" "$1" "$3")
		cmp -s "$lab_top/body" "$bodies/twin.$2.$1" && [ "$code" = 18 ] && [ "$3" != length ] || break
		endless=$((endless + 1))
	done
	[ "$status" = 200 ] && [ "$code" = 0 ] && [ "$(events)" = "$before" ] && cmp -s "$lab_top/body" "$bodies/twin.$2.$1"
	ok $? "twin: $1, $2 bytes, $3" "status $status, $got bytes of $(wc -c <"$bodies/twin.$2.$1"), curl's exit $code, $(
		tail -n +$((before + 1)) "$LAB_EVENTS" 2>/dev/null | jq -r '[.event.action, .event.reason] | join(" ")'), try $try"
}
serve() {	# serve KIND HOW SIZE: put it where the origin serves from
	pack "$2" "$made/$1.$3" "$made/packed" && lab_copy "$made/packed" "$bodies/$1.$3.$2" 644
}
turn=0
try() {	# try HOW SIZE
	local framing these
	if ! serve listed "$1" "$2" || ! serve twin "$1" "$2"; then
		ok 1 "$1 of $2 bytes can be made"
		return
	fi
	these=("${framings[turn++ % 3]}")
	[ "$full" != full ] && [ "$1" != plain ] || these=("${framings[@]}")
	for framing in "${these[@]}"; do
		stopped "$1" "$2" "$framing"
		arrives "$1" "$2" "$framing"
	done
	rm -f "$bodies/listed.$2.$1" "$bodies/twin.$2.$1"
}

: >"$made/twin.0"
for framing in "${framings[@]}"; do
	serve twin plain 0
	arrives plain 0 "$framing"
done
for how in $hows; do
	for size in $sizes; do try "$how" "$size"; done
done
if [ "$full" = full ]; then
	for how in plain gzip tar-long; do
		[[ " $dimensions " != *" $(needs "$how") "* ]] || try "$how" $huge
	done
fi
[ $early -eq 0 ] || echo "# $early times the user saw Squid's page of status 500, not ours"
[ $endless -eq 0 ] || echo "# $endless bodies without a length arrived in full but without an end: Squid's Bug 5550"
e2e_done
