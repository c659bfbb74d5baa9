# shellcheck shell=bash
# bodies.sh - what origins make of a file, by everybody's tools.  To be sourced by bash.
#
#	pack HOW FILE OUT	make OUT of FILE; 1 when a tool is missing
#	unpack HOW		what a client gets out of standard input, be it cut; it may say nothing
#	coding_of HOW		its Content-Encoding, if any
#	needs HOW		the dimension it belongs to: identity, codings, archives
CODINGS="gzip gzip-padded gzip-second gzip-checksum deflate br zstd zstd-padded gzip-br"
ARCHIVES="zip zip-stored zip-piped zip-prefixed zip-long tar tar-long tgz txz tbz2 tzst cpio 7z iso gz gz-padded bz2 xz zst zip-in-tgz tgz-in-zip"

needs() {
	case " $CODINGS " in *" $1 "*) echo codings; return ;; esac
	case " $ARCHIVES " in *" $1 "*) echo archives; return ;; esac
	echo identity
}
coding_of() {
	case $1 in
	gzip-br) echo gzip,br ;;
	gzip*) echo gzip ;;
	deflate | br | zstd) echo "$1" ;;
	zstd-padded) echo zstd ;;
	esac
}

# 70 KB of members or frames that hold nothing.
padding() {
	local piece
	piece=$(mktemp) || return 1
	"$@" </dev/null >"$piece"
	while [ "$(wc -c <"$piece")" -lt 70000 ]; do cat "$piece" "$piece" >"$piece.2" && mv "$piece.2" "$piece"; done
	cat "$piece"
	rm -f "$piece"
}

pack_coding() {	# pack_coding HOW FILE
	case $1 in
	gzip) gzip -nc "$2" ;;
	gzip-padded) gzip -nc "$2" && padding gzip -nc ;;
	gzip-second) gzip -nc "$2" && head -c 100000 /dev/urandom | gzip -nc ;;
	gzip-checksum) gzip -nc "$2" | head -c -8 && printf 'nonsense' ;;
	deflate) gzip -nc "$2" | tail -c +11 | head -c -8 ;;	# without zlib's frame, as some servers send it
	br) brotli -q 4 -c "$2" ;;
	zstd) zstd -qc "$2" ;;
	zstd-padded) zstd -qc "$2" && padding zstd -qc ;;
	gzip-br) gzip -nc "$2" | brotli -q 1 -c ;;
	esac
}

pack_single() {	# pack_single HOW FILE
	case $1 in
	gz) gzip -nc "$2" ;;
	gz-padded) gzip -nc "$2" && padding gzip -nc ;;
	bz2) bzip2 -c "$2" ;;
	xz) xz -0c "$2" ;;
	zst) zstd -qc "$2" ;;
	esac
}

pack_archive() {	# pack_archive HOW OUT, in a folder with setup.exe and others
	case $1 in
	zip) bsdtar -a --format zip -cf "$2" a.bin setup.exe z.bin ;;
	zip-stored) bsdtar --format zip --options zip:compression=store -cf "$2" a.bin setup.exe z.bin ;;
	zip-piped) bsdtar --format zip --options zip:compression=store -cf - a.bin setup.exe z.bin | cat >"$2" ;;
	zip-prefixed) { head -c 5000 /dev/urandom && bsdtar --format zip -cf - a.bin setup.exe z.bin; } >"$2" ;;
	zip-long) bsdtar --format zip -cf "$2" setup.exe long.bin ;;
	tar) bsdtar --format ustar -cf "$2" a.bin setup.exe z.bin ;;
	tar-long) bsdtar --format ustar -cf "$2" setup.exe long.bin ;;
	tgz) bsdtar --gzip -cf "$2" a.bin setup.exe ;;
	txz) bsdtar --xz --options xz:compression-level=0 -cf "$2" a.bin setup.exe ;;
	tbz2) bsdtar --bzip2 -cf "$2" a.bin setup.exe ;;
	tzst) bsdtar --zstd -cf "$2" a.bin setup.exe ;;
	cpio) bsdtar --format newc -cf "$2" a.bin setup.exe z.bin ;;
	iso) bsdtar --format iso9660 -cf "$2" a.bin setup.exe z.bin ;;
	7z) 7z a -bd -mx=1 -t7z "$2" a.bin setup.exe >/dev/null ;;
	zip-in-tgz) bsdtar --format zip -cf inner.zip setup.exe a.bin && bsdtar --gzip -cf "$2" z.bin inner.zip ;;
	tgz-in-zip) bsdtar --gzip -cf inner.tgz setup.exe a.bin && bsdtar --format zip -cf "$2" z.bin inner.tgz ;;
	esac
}

pack() {	# pack HOW FILE OUT
	local folder status
	case $1 in
	plain) cp "$2" "$3"; return ;;
	gz | gz-padded | bz2 | xz | zst) pack_single "$1" "$2" >"$3"; return ;;
	esac
	[ "$(needs "$1")" = archives ] || { pack_coding "$1" "$2" >"$3"; return; }
	folder=$(mktemp -d) || return 1
	cp "$2" "$folder/setup.exe"
	head -c 3000 /dev/urandom >"$folder/a.bin"
	head -c 20000 /dev/urandom >"$folder/z.bin"
	head -c 400000 /dev/urandom >"$folder/long.bin"
	rm -f "$3"
	(cd "$folder" && pack_archive "$1" "$folder/out.${1##*-}") && mv "$folder/out.${1##*-}" "$3"
	status=$?
	rm -rf "$folder"
	return $status
}

unpack() {	# unpack HOW <BYTES
	case $1 in
	plain) cat ;;
	gzip | gzip-padded | gzip-checksum | gz | gz-padded) gzip -dc ;;
	gzip-second) gzip -dc | head -c "${2:-0}" ;;
	deflate) { printf '\037\213\010\0\0\0\0\0\0\003' && cat; } | gzip -dc ;;
	br) brotli -dc ;;
	gzip-br) brotli -dc | gzip -dc ;;
	zstd | zstd-padded | zst) zstd -dc ;;
	bz2) bzip2 -dc ;;
	xz) xz -dc ;;
	zip-in-tgz) bsdtar -xOf - inner.zip | bsdtar -xOf - setup.exe ;;
	tgz-in-zip) bsdtar -xOf - inner.tgz | bsdtar -xOf - setup.exe ;;
	*) bsdtar -xOf - setup.exe ;;
	esac 2>/dev/null
}
