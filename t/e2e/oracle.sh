#!/usr/bin/env bash
# ClamAV as the oracle: whatever clamscan finds of a listed file in a packed one, with the same sizes and digests as an .hdb, "firebreak
# check --file" finds too.  What only Firebreak finds is told as a comment.  No daemon runs.  TAP.
#
#	FIREBREAK_PROPERTY	what is tried: "identity archives"; gz, bz2, xz and zst files are archives
. "${top_srcdir:-.}/t/tap.sh"
src=$(cd "${top_srcdir:-.}" && pwd) build=$(cd "${top_builddir:-.}" && pwd)
. "$src/t/e2e/bodies.sh"
dimensions=${FIREBREAK_PROPERTY:-identity archives}
for tool in clamscan bsdtar gzip brotli zstd 7z bzip2 xz jq; do
	command -v $tool >/dev/null || skip_all "$tool is missing"
done
top=$(mktemp -d /var/tmp/firebreak-oracle-XXXXXX) || exit 1
trap 'rm -rf "$top"' EXIT
trap 'exit 1' INT TERM HUP
state=$top/state corpus=$top/corpus
mkdir -p "$state/sources" "$corpus"

# ---- listed files, in both languages; and files that lack a byte of one ----

sizes="4096 90112"
for size in $sizes; do
	"$build/t/origin" --body "$size" 7 >"$top/listed.$size"
	head -c -1 "$top/listed.$size" >"$top/less.$size"
	md5=$(md5sum <"$top/listed.$size" | cut -d' ' -f1)
	echo "$md5:$size:Firebreak.Test.n$size" >>"$top/list.hdb"
	echo "block file $size:md5:$md5 id=n$size" >>"$state/sources/local.rules"
done
helper=${FIREBREAK_HELPER:-$build/firebreak-inspect-helper}
firebreak() { "$build/firebreak" --state "$state" "$@"; }
echo "InspectDepth 10" >"$state/site.conf"	# a tar.gz is two
said=$(firebreak publish 2>&1)
ok $? "the files are listed" "$said"

# ---- the corpus: everything packed in every way, whole, cut, and with something behind it ----

hows=plain
[[ " $dimensions " != *" archives "* ]] || hows+=" $ARCHIVES"
put() {	# put NAME HOW FILE
	pack "$2" "$3" "$corpus/$1" || { ok 1 "$1 can be made"; rm -f "$corpus/$1"; return; }
	[ "$2" != plain ] || return
	{ cat "$corpus/$1" && head -c 2000 /dev/urandom; } >"$corpus/$1.trailing"
	head -c $(($(wc -c <"$corpus/$1") * 9 / 10)) "$corpus/$1" >"$corpus/$1.cut"
	head -c -1 "$corpus/$1" >"$corpus/$1.cut1"
}
for how in $hows; do
	for size in $sizes; do
		put "$how.$size.listed" "$how" "$top/listed.$size"
		put "$how.$size.less" "$how" "$top/less.$size"
	done
	# A packed one in another.
	if [ "$how" != plain ] && [ -f "$corpus/$how.4096.listed" ]; then
		for outer in zip tgz; do put "$outer-of-$how.listed" "$outer" "$corpus/$how.4096.listed"; done
	fi
done

# Why clamscan 1.4 does not find what is there.
reason() {
	case $1 in
	*.cut*) echo "cut: members that are complete come out as it streams, clamscan wants the end of it" ;;
	*zst*) echo "clamscan knows no zstd" ;;
	*zip-prefixed*) echo "clamscan looks for a zip behind known beginnings only" ;;
	*zip-piped*) echo "clamscan reads no stored zip whose sizes come after the bytes" ;;
	*) echo "no reason is known" ;;
	esac
}

# ---- both are asked ----

clamscan --database="$top/list.hdb" --no-summary --max-scansize=100M --max-filesize=100M "$corpus" >"$top/clam.out" 2>"$top/clam.err"
status=$?
[ $status -le 1 ]; ok $? "clamscan looks at $(find "$corpus" -type f | wc -l) files" "$(cat "$top/clam.err")"

both=0 neither=0 more=0 missed=0
for file in "$corpus"/*; do
	name=${file##*/}
	grep -qF "$file: Firebreak.Test" "$top/clam.out" && clam=found || clam=clean
	json=$(firebreak check --json --helper "$helper" --file "$file" 2>&1)
	case $? in
	0) ours=clean ;;
	1) ours=found ;;
	*) ours=trouble ;;
	esac
	case $clam,$ours in
	found,found) both=$((both + 1)) ;;
	clean,clean) neither=$((neither + 1)) ;;
	clean,found)
		more=$((more + 1))
		echo "# only Firebreak finds it: $name: $(reason "$name")"
		;;
	*)
		missed=$((missed + 1))
		ok 1 "$name: clamscan says $clam, firebreak check $ours" "$json"
		;;
	esac
	# What lacks a byte is nobody's file.
	case $name in
	*.less*) [ "$ours" = clean ] || ok 1 "$name is not listed" "$json" ;;
	esac
done
[ $missed -eq 0 ]; ok $? "whatever clamscan finds is found ($both by both, $more more by us, $neither by neither)"
[ $both -gt 0 ]; ok $? "and there is something to find"
tap_done
