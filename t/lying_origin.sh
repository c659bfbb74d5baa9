# lying_origin.sh - what tests of updates begin with: lists of their own, and an origin that lies as the files in $lies say (t/liar.c), its
# honest files in $origin, at $url.  To be sourced by bash, behind "set -u".
# Every list flushes what it writes: on a disk that is most of the time.
if [ -z "${TMPDIR:-}" ] && [ -w /dev/shm ]; then export TMPDIR=/dev/shm; fi
. "${top_srcdir:-.}/t/verb.sh"
mkdir -p "$work/lists" "$work/lies" "$work/origin" "$state/sources"
echo '.top.test' > "$work/lists/top-sites.txt"
echo 'docs.shared.test' > "$work/lists/shared-hosting.txt"
no_lookalikes "$work/lists"
export FIREBREAK_LISTS=$work/lists
unset http_proxy https_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY
origin=$work/origin lies=$work/lies
coproc liar { exec "$build/t/liar" "$origin" "$lies"; }
trap 'kill "$liar_PID" 2>/dev/null; chmod -R u+w "$work" 2>/dev/null; rm -rf "$work"' EXIT
read -r -t 20 -u "${liar[0]}" port || { echo "Bail out! no origin"; exit 1; }
url=http://127.0.0.1:$port
