#!/usr/bin/env bash
# Feeds as sources: formats by the name, sources.conf, folders, expiry, and lists that shrank or grew.  TAP.
set -u
. "${top_srcdir:-.}/t/verb.sh"
mkdir "$work/lists"
fresh() { state=$work/$1; mkdir -p "$state/sources"; }
put() { printf '%b' "$2" > "$state/sources/$1"; }	# put NAME TEXT
conf() { printf '%b' "$1" > "$state/sources.conf"; }
# rules SOURCE [WORDS]: its live rules, sorted, the first WORDS (or 3) of each, in one line
rules() { timeout 60 "$firebreak" --state "$state" rules dump --source "$1" | cut -d' ' -f"1-${2:-3}" | LC_ALL=C sort | tr '\n' ';'; }
hosts() { seq -f "${1}%.0f.example" "$2"; }	# hosts PREFIX N: that many

# Lists that these tests need, so that the installed ones decide nothing here.
: > "$work/lists/top-sites.txt"
: > "$work/lists/shared-hosting.txt"
no_lookalikes "$work/lists"
export FIREBREAK_LISTS=$work/lists
md5=9abc553703f4e4fedb3ed975502a2c7a other=00112233445566778899aabbccddeeff
sha1=0123456789abcdef0123456789abcdef01234567
sha256=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef

# ---- every format by its name ----
fresh formats
conf "t1 host=1 # by its number\n"
i=0 names=() expected=()
while IFS='|' read -r name text rules; do
	i=$((i + 1)) source=${name%.*}
	put "$name" "$text"
	names+=("$source|$name") expected+=("$rules")
done <<END
hosts|0.0.0.0 hosts.example|block host hosts.example;
domains|d.example\n|block host .d.example;
urls|u.example/x\n|block url u.example/x;block url www.u.example/x;
MD5SUMS|$md5  a.exe\n|block file *:md5:$md5;
SHA1SUMS|$sha1 *a.exe\n|block file *:sha1:$sha1;
SHA256SUMS|$sha256  a.exe\n|block file *:sha256:$sha256;
a1.hosts|# x\na.example\n\n*.b.example\n|block host *.b.example;block host a.example;
a2.dstdomain|.a.example\n|block host .a.example;
a3.hosts-file|127.0.0.1 localhost a.example b.example\n|block host a.example;block host b.example;
a4.urls|http://a.example/x\nhttps://b.example\n|block url a.example/x;block url b.example/;
a5.domains|a.example\n|block host .a.example;
a6.hdb|$md5:17:Evil-1\n|block file 17:md5:$md5;
a7.hdu|$md5:18:Evil-1\n|block file 18:md5:$md5;
a8.hsb|$sha256:*:Evil-1:73\n|block file *:sha256:$sha256;
a9.hsu|$sha1:19:Evil-1\n|block file 19:sha1:$sha1;
b1.fp|$md5:17:Good-1\n|allow file 17:md5:$md5;
b2.sfp|$sha1:17:Good-1\n|allow file 17:sha1:$sha1;
b3.ign2|Evil-1\n|
b4.md5|$md5\n|block file *:md5:$md5;
b5.sha1|$sha1\n|block file *:sha1:$sha1;
b6.sha256|$sha256\n|block file *:sha256:$sha256;
b7.md5sum|$md5  x\n|block file *:md5:$md5;
b8.sha1sum|$sha1  x\n|block file *:sha1:$sha1;
b9.sha256sum|$sha256  x\n|block file *:sha256:$sha256;
c1.digests|$md5\n$sha1\n|block file *:md5:$md5;block file *:sha1:$sha1;
c2.hashdeep|%%%% HASHDEEP-1.0\n%%%% size,md5,sha256,filename\n7,$md5,$sha256,x\n|block file 7:sha256:$sha256;
c3.adblock|[Adblock Plus]\n\x7c\x7ca.example^\n@@\x7c\x7cb.example^\n|allow host .b.example;block host .a.example;
c4.rpz|\$TTL 300\n@ SOA x. y. 1 2 3 4 5\na.example CNAME .\nb.example CNAME rpz-passthru.\n|allow host b.example;block host a.example;
C5.HOSTS|a.example\r\n|block host a.example;
c6.dot.hosts|a.example|block host a.example;
t1.csv|a.example,1\n|block host a.example;
END
fb 0 "publish a feed in every format" publish
is "nothing is to be said of them" "$err" ""
has "each is a source" "from $i sources, $i of them read" "$out"
for n in "${!names[@]}"; do
	is "${names[n]#*|}" "$(rules "${names[n]%%|*}")" "${expected[n]}"
done
timeout 60 "$firebreak" --state "$state" rules list | grep -q '^c6.dot '; ok $? "only the last dot ends a source's name"
put a1.hosts 'a.example\nno host\nb.example:80\n'
put mdb.mdb "17:$md5:Evil\n"
put notes.txt 'x\n'
put noextension 'x\n'
put .hidden.hosts 'x.example\n'
fb 0 "a bad line does not refuse the rest" publish
has "it is named with its place" "a1.hosts:2:" "$err"
has "and the other" "a1.hosts:3:" "$err"
is "the rest counts" "$(rules a1)" "block host a.example;"
has "a file that nobody knows is a warning" "sources/noextension: warning: is passed over: its name tells no format" "$err"
has "and one with an unknown extension" "sources/notes.txt: warning: is passed over" "$err"
has "parts of programs are no files" "sources/mdb.mdb: warning: is passed over" "$err"
hasnot "hidden files are nothing" "hidden" "$err"
fb 1 "a rule without an id is named after what it matches" check http://hosts.example/
has "in its feed" "hosts/hosts.example" "$out"

# ---- names ----
fresh names
put ads.hosts 'a.example\n'
put ads.urls 'b.example/x\n'
fb 2 "two files of one source" publish
has "both are named" "sources/ads.urls: error: is the source ads, and so is $state/sources/ads.hosts: rename one" "$err"
mv "$state/sources/ads.urls" "$state/sources/ads.rules"
fb 2 "a feed and a file of rules of one source" publish
rm "$state/sources/ads.rules"
for name in 'a b' $'a\nb' 'a,b' "$(printf 'n%.0s' {1..65})" "$(printf 'n%.0s' {1..200})" 'ä'; do
	mv "$state/sources/ads.hosts" "$state/sources/$name.hosts"
	fb 2 "a source's name that is none" publish
	has "it is said" "error: the source's name must be up to 64 letters, digits, '-', '_' and '.'" "$err"
	mv "$state/sources/$name.hosts" "$state/sources/ads.hosts"
done
mkdir "$state/sources/a b"
cp "$state/sources/ads.hosts" "$state/sources/a b/domains"
fb 2 "a folder's name that is none" publish
rm -r "$state/sources/a b"
long=$(printf 'n%.0s' {1..64})
mv "$state/sources/ads.hosts" "$state/sources/$long.hosts"
fb 0 "a name of 64 characters" publish
is "is one" "$(rules "$long")" "block host a.example;"
fb 0 "and can be read back" status --verify
mkfifo "$state/sources/pipe.hosts"
fb 2 "a fifo is not waited for" publish
has "it is named" "pipe.hosts: error: not a file" "$err"
rm "$state/sources/pipe.hosts"
mkdir "$state/sources/x.rules"
fb 2 "a folder that is called like rules" publish
rmdir "$state/sources/x.rules"
mkdir "$state/sources/empty"
fb 0 "a folder without a feed" publish
has "is passed over" "sources/empty: warning: is passed over" "$err"

# ---- sources.conf ----
fresh settings
put list.txt 'a.example\n*.b.example\n'
put t.csv "# kind;when;where;link;m;s;l;d;bytes;what\nbad;1;a.example;http://l.example/x;$md5;;;;7;one.exe\nworse;1;b.example;;;;;$sha1;8;\ngood;1;c.example;;;;$sha256;;;three\n"
put p.hosts 'a.example:8080\n'
columns="separator=; host=where url=link md5=m sha1=s sha256=l digest=d size=bytes name=what"
t_all="block file *:sha256:$sha256;block file 7:md5:$md5;block file 8:sha1:$sha1;block host a.example;block host b.example;block host c.example;block url l.example/x;"
while IFS='|' read -r idea settings source words expected; do
	conf "# A comment.\n\n$source $settings\n"
	[ "$source" = p ] || echo 'p ports=yes' >> "$state/sources.conf"
	[ "$source" = list ] || echo 'list format=hosts' >> "$state/sources.conf"
	[ "$source" = t ] || echo 't host=where separator=;' >> "$state/sources.conf"
	fb 0 "sources.conf: $idea" publish
	is "$idea" "$(rules "$source" "$words" | sed 's/\(expires=[0-9-]*\)T[^;]*/\1/g')" "$expected"
done <<END
a format|format=hosts|list|3|block host *.b.example;block host a.example;
another format|format=squidguard-domains|list|3|block host .a.example;
to allow|format=hosts action=allow|list|3|allow host *.b.example;allow host a.example;
to block|format=hosts action=block|list|3|block host *.b.example;block host a.example;
the lowest level|format=hosts level=0|list|5|block host *.b.example rev=1 level=0;block host a.example rev=1 level=0;
the highest level|format=hosts level=5|list|5|block host *.b.example rev=1 level=5;block host a.example rev=1 level=5;
an end after the last change|format=hosts expires=7d|list|6|block host *.b.example rev=1 level=4 expires=$(date -ud '7 days' +%F);block host a.example rev=1 level=4 expires=$(date -ud '7 days' +%F);
no end|format=hosts expires=never|list|6|block host *.b.example rev=1 level=4 expires=never;block host a.example rev=1 level=4 expires=never;
a star that means the host, too|format=hosts apex=yes|list|3|block host .b.example;block host a.example;
a star that does not|format=hosts apex=no|list|3|block host *.b.example;block host a.example;
quotes|format="hosts" level="3" # x|list|5|block host *.b.example rev=1 level=3;block host a.example rev=1 level=3;
ports|ports=yes|p|3|block host a.example;
no ports|ports=no|p|3|
columns by name|$columns|t|3|$t_all
a filter|$columns filter=kind:BAD|t|3|block file 7:md5:$md5;block host a.example;block url l.example/x;
filters for two columns|separator=; host=where filter=kind:bad,kind:good,what:three|t|3|block host c.example;
a column by its number|separator=; host=3|t|3|block host a.example;block host b.example;block host c.example;
END
is "names come with it" "$(conf "list format=hosts\nt $columns\n"; timeout 60 "$firebreak" --state "$state" publish >/dev/null 2>&1; rules t 9 | grep -o 'name=[a-z.]*' | sort | tr '\n' ' ')" "name=one.exe name=three "
printf 'where\tkind\na.example\tbad\n' > "$state/sources/t.csv"
conf "list format=hosts\nt separator=tab host=where\n"
fb 0 "a tab" publish
is "separates" "$(rules t)" "block host a.example;"

while IFS='|' read -r idea settings message; do
	conf "# A comment.\n\nlist format=hosts $settings\n"
	fb 2 "sources.conf: $idea" publish --dry-run
	has "$idea: line and column are named, and why" "sources.conf:3:C: error: $message" \
		"$(sed -E 's/(sources\.conf:3):(19|2[0-9]): /\1:C: /' <<<"$err")"
done <<'END'
an action that is none|action=protect|the action of a feed is block or allow: "protect"
an empty action|action=""|the action of a feed is block or allow
a level that is too high|level=6|level= takes a number from 0 to 5: "6"
a level that is none|level=x|level= takes a number from 0 to 5
an end that is none|expires=soon|expires= takes a time after the feed's last change, such as 7d, or never: "soon"
no time at all|expires=0s|expires= takes a time
a date|expires=2026-12-01|expires= takes a time
a format that is none|format=xml|no such format; feeds(5) has the list: "xml"
neither yes nor no|apex=1|expected yes or no: "1"
neither yes nor no for ports|ports=true|expected yes or no
a separator of two characters|separator=ab|separator= takes one character, or tab
an empty separator|separator=""|separator= takes one character, or tab
a filter without a value|filter=kind|filter= takes COLUMN:VALUE
a filter without a column|filter=:x|filter= takes COLUMN:VALUE
seventeen filters|filter=a:1,a:2,a:3,a:4,a:5,a:6,a:7,a:8,a:9,a:10,a:11,a:12,a:13,a:14,a:15,a:16,a:17|too many filters
an unknown key|colour=red|unknown key: "colour"
a column without a name|host=""|expected a column's name, or its number: "host"
an empty key|=x|expected key=value
a word|loudly|expected key=value: "loudly"
END
conf 'list format=\n'
fb 2 "a key without a value" publish --dry-run
has "its column is named" "sources.conf:1:" "$err"
conf 'list format=hosts "level=3\n'
fb 2 "a quote that is not closed" publish --dry-run
has "its line is named" "sources.conf:1:" "$err"
conf 'list format=hosts\n# x\nlist level=3\n'
fb 2 "a source that stands there twice" publish --dry-run
has "the second is named" "sources.conf:3: error: list stands here twice" "$err"
put own.rules 'block host own.example\n'
conf 'list format=hosts\nown level=3\n'
fb 2 "a file of rules" publish --dry-run
has "says all of it itself" "sources.conf:2: error: own is a file of rules" "$err"
conf 't level=3\n'
fb 2 "a table without a column" publish --dry-run
has "is no table" "t.csv" "$err"
rm "$state/sources.conf" && mkdir "$state/sources.conf"
fb 2 "settings that cannot be read" publish --dry-run
has "are an error" "sources.conf: error:" "$err"
rmdir "$state/sources.conf"
rm "$state/sources/t.csv" "$state/sources/list.txt" "$state/sources/p.hosts" "$state/sources/own.rules"

# ---- what is read again ----
put a.hosts 'a.example\n'
put b.hosts 'b.example\n'
mkdir "$state/sources/c"
put c/domains 'c.example\n'
fb 0 "publish" publish
has "reads all that is new" "from 3 sources, 3 of them read" "$out"
fb 0 "publish again" publish
has "reads nothing" "from 3 sources, 0 of them read" "$out"
touch -d '1 hour ago' "$state/sources/a.hosts"
fb 0 "publish what was fetched anew" publish
has "reads that, as its end is another" "1 of them read" "$out"
conf 'a level=2\n'
fb 0 "publish with another setting" publish
has "reads the one that has it" "1 of them read" "$out"
is "with it" "$(rules a 5)" "block host a.example rev=1 level=2;"
conf '# A comment more.\n\na   level=2\nzzz level=5\n'
fb 0 "publish with a comment more" publish
has "reads nothing" "0 of them read" "$out"
put c/urls 'c.example/x\n'
fb 0 "publish with a file more in a folder" publish
has "reads the folder" "1 of them read" "$out"
put c/domains 'd.example\n'
fb 0 "publish with a changed one" publish
has "reads the folder" "1 of them read" "$out"
rm "$state/sources/c/urls"
fb 0 "publish with a file less" publish
is "has what is left" "$(rules c)" "block host .d.example;"
: > "$state/sources.conf"
rm -r "$state/sources/c"
fb 0 "publish without one" publish
has "has the others" "from 2 sources, 1 of them read" "$out"
fb 0 "what it listed passes" check http://d.example/

# ---- folders ----
fresh folders
mkdir "$state/sources/ut1" "$state/sources/clamav" "$state/sources/ut1/sub.hosts"
put ut1/domains 'a.example\nb.example\n'
put ut1/urls 'a.example/x\nb.example/y\n'
put ut1/domains.diff '+d.example\n-b.example\n+c.example\n-c.example\n+c.example\n+e.example\n-e.example\n'
printf -- '-b.example/y\n' > "$state/sources/ut1/urls.diff"
put ut1/expressions '(bad|worse)\n'
put ut1/usage 'black\n'
put ut1/.old.hosts 'hidden.example\n'
mkfifo "$state/sources/ut1/pipe.hosts"
put clamav/main.hdb "$md5:17:Evil.One\n$other:18:Evil.Two\n"
put clamav/daily.hsb "$sha1:19:Evil.Three\n$sha256:20:Evil.Four\n"
put clamav/local.fp "$md5:21:Good\n"
put clamav/local.ign2 "Evil.Two\nEvil.Three:$other\n"
put clamav/main.mdb "17:$md5:Evil.Five\n"
put clamav/COPYING 'Read me.\n'
fb 0 "publish two folders" publish
is "squidGuard's layout, with what changed" "$(rules ut1 | tr ';' '\n' | uniq | tr '\n' ';')" \
	"block host .a.example;block host .c.example;block host .d.example;block url a.example/x;block url www.a.example/x;"
is "ClamAV's, without what is ignored by its name" "$(rules clamav)" \
	"allow file 21:md5:$md5;block file 17:md5:$md5;block file 19:sha1:$sha1;block file 20:sha256:$sha256;"
conf 'clamav level=2 expires=never\nut1 action=allow\n'
fb 0 "settings hold for all of a folder" publish
is "each file" "$(rules clamav 6 | tr ';' '\n' | grep -c 'level=2 expires=never')" 4
is "also an action" "$(rules ut1 1 | tr ';' '\n' | sort -u)" "allow"
rm "$state/sources/clamav/local.ign2"
fb 0 "without the ignored names" publish
has "all of them count" "block file 18:md5:$other;" "$(rules clamav)"

# ---- names of files ----
fresh texts
printf '%s:17:Evil\x1b[31m.Red\n%s:18:\x01\n%s:19:b\xc3\xb6se\xff\n' "$md5" "$md5" "$md5" > "$state/sources/x.hdb"
printf '%s  %s\n%s  a "b" \\c\n' "$sha1" "x$(printf 'é%.0s' {1..600})" "$sha256" > "$state/sources/y.digests"
fb 0 "publish names that are no text" publish
is "they end where they are none" "$(rules x 7 | grep -o 'file [0-9]*\|name=[^;]*' | tr '\n' ' ')" "file 17 name=Evil file 18 file 19 name=\"böse\" "
is "and where they are too long, between two characters" \
	"$(rules y 7 | LC_ALL=C tr -cd '\303' | wc -c) $(rules y 7 | LC_ALL=C tr -cd '\251' | wc -c)" "511 511"
timeout 60 "$firebreak" --state "$state" rules dump --to "$work/texts.copy"; is "dump them" $? 0
fresh texts2
cp "$work"/texts.copy/*.rules "$state/sources/"
fb 0 "the dump can be published" publish

# ---- expiry ----
fresh expiry
echo 'HostLife 10d
FileLife 20d' > "$state/site.conf"
put a.hosts 'a.example\n'
put b.hosts 'b.example\n'
put c.hdb "$md5:17:x\n"
put d.hosts 'd.example\nd2.example\n'
conf 'b expires=3d\nd expires=1d\n'
touch -d '2 days ago' "$state"/sources/*
fb 0 "publish" publish
day() { date -ud "$1 days" +%F; }
has "by the site's default, from the file's last change" "expires=$(day 8)" "$(rules a 6)"
has "by expires=" "expires=$(day 1)" "$(rules b 6)"
has "files have their own" "expires=$(day 18)" "$(rules c 6)"
is "what has ended is left out" "$(rules d)" ""
has "and counted" "; 2 expired rules left out" "$out"
hasnot "but not told one by one" "expired" "$err"
touch -d '3 days' "$state/sources/a.hosts"
fb 0 "a file from the future" publish
has "counts from now" "expires=$(day 10)" "$(rules a 6)"
echo 'HostLife 0' > "$state/site.conf"
fb 0 "publish with a life without an end" publish
has "never ends" "expires=never" "$(rules a 6)"
has "unless the feed says so" "expires=$(day 1)" "$(rules b 6)"

# ---- there and back ----
fresh there
hosts a 5 > "$state/sources/feed-a.hosts"
put feed-b.hdb "$md5:17:Evil One\n$sha1:18:Two\n"
touch -d '2 days ago' "$state"/sources/*
fb 0 "publish two feeds" publish
fb 0 "dump them" rules dump --to "$work/there.copy"
there=$state
fresh again
cp "$work"/there.copy/*.rules "$state/sources/"
fb 0 "publish the copy" publish
fb 0 "dump the copy" rules dump --to "$work/again.copy"
diff -r "$work/there.copy" "$work/again.copy" > "$work/cmp" 2>&1; ok $? "the copy says the same" "$(cat "$work/cmp")"

# ---- lists that shrank or grew ----
fresh lists
hosts h 200 > "$state/sources/big.hosts"
hosts s 50 > "$state/sources/small.hosts"
put local.rules 'block host one.example\n'
fb 0 "publish" publish
is "all in one layer" "$(grep -c '^layer' "$state/rules/MANIFEST")" 1
hosts h 101 > "$state/sources/big.hosts"
fb 0 "publish a list that lost less than half" publish
has "all is well" "152 rules" "$out"
hosts h 200 > "$state/sources/big.hosts"
fb 0 "publish all of it again" publish
hosts h 100 > "$state/sources/big.hosts"
put local.rules 'block host one.example\nblock host two.example\n'
fb 0 "a dry run of a list of which half is left" publish --dry-run
has "says that it would be held" "1 held rule left out" "$out"
[ ! -e "$state/held" ]; ok $? "and writes nothing"
fb 0 "publish a list of which half is left" publish
has "it is held" "sources/big.hosts: warning: held, not published: the list has 100 rules and had 200" "$err"
has "as a whole" "252 rules (252 host" "$out"
has "which is one thing" "1 held rule left out" "$out"
is "what was live of it stays" "$(rules big | tr ';' '\n' | grep -c host)" 200
is "another source of its layer stays, too" "$(rules small | tr ';' '\n' | grep -c host)" 50
is "another that changed is new" "$(rules local)" "block host one.example;block host two.example;"
fb 1 "what was dropped still blocks" check http://h200.example/
fb 1 "and another source" check http://s50.example/
fb 0 "publish again" publish
has "does not read it again" "0 of them read" "$out"
hasnot "does not ask again" "the list has" "$err"
has "but knows" "1 held rule left out" "$out"
fb 0 "a block meanwhile" block three.example
is "loses nothing" "$(rules big | tr ';' '\n' | grep -c host) $(rules small | tr ';' '\n' | grep -c host)" "200 50"
fb 1 "held" held
has "it is listed" "replace list 200:100" "$out"
id=$(awk '!/^#/ { print $1; exit }' "$state/held")
fb 0 "publish --full" publish --full
is "loses nothing" "$(rules big | tr ';' '\n' | grep -c host) $(rules small | tr ';' '\n' | grep -c host)" "200 50"
fb 0 "publish --compact" publish --compact
is "loses nothing" "$(rules big | tr ';' '\n' | grep -c host) $(rules small | tr ';' '\n' | grep -c host)" "200 50"
fb 0 "status --verify" status --verify
fb 0 "deny" deny "$id"
has "publishes at once" "generation" "$out"
is "what was live stays" "$(rules big | tr ';' '\n' | grep -c host)" 200
fb 0 "nothing waits any more" held
fb 0 "publish" publish
has "does not read it again" "0 of them read" "$out"
hasnot "does not ask again" "held" "$out$err"
fb 0 "publish --full" publish --full
hasnot "does not ask, either" "held" "$out$err"
is "what was live stays" "$(rules big | tr ';' '\n' | grep -c host)" 200
fb 0 "think anew" approve "$id"
has "it is let through" "153 rules (153 host" "$out"
is "as it is" "$(rules big | tr ';' '\n' | grep -c host)" 100
fb 0 "what was dropped passes" check http://h200.example/
fb 0 "publish" publish
hasnot "does not ask again" "held" "$out$err"
hosts h 999 > "$state/sources/big.hosts"
fb 0 "a list that grew to less than tenfold" publish
has "is published" "1052 rules" "$out"
hosts s 500 > "$state/sources/small.hosts"
fb 0 "a list that grew tenfold" publish
has "is held" "sources/small.hosts: warning: held, not published: the list has 500 rules and had 50" "$err"
is "what was live of it stays" "$(rules small | tr ';' '\n' | grep -c host)" 50
is "another source stays" "$(rules big | tr ';' '\n' | grep -c host)" 999
fb 0 "approve" approve "$(awk '!/^#/ { print $1; exit }' "$state/held")"
is "lets it through" "$(rules small | tr ';' '\n' | grep -c host)" 500
: > "$state/sources/big.hosts"
fb 0 "an empty list" publish
has "is held" "the list has 0 rules and had 999" "$err"
hosts h 998 > "$state/sources/big.hosts"
fb 0 "a good one after it" publish
hasnot "needs nobody" "held" "$out$err"
fb 0 "nothing waits" held
is "and is live" "$(rules big | tr ';' '\n' | grep -c host)" 998
echo 'LintShrank refuse' > "$state/site.conf"
hosts h 5 > "$state/sources/big.hosts"
fb 2 "when the site refuses" publish
has "it is an error" "sources/big.hosts: error: the list has 5 rules and had 998" "$err"
echo 'LintShrank ignore' > "$state/site.conf"
fb 0 "when the site does not care" publish
is "it is live" "$(rules big | tr ';' '\n' | grep -c host)" 5
rm "$state/sources/big.hosts"
fb 0 "a list that goes" publish
hasnot "needs nobody" "held" "$out$err"

# ---- a large feed ----
# peak ARGUMENTS...: the most memory that the command had, in KiB
peak() {
	if command -v python3 >/dev/null; then
		python3 -c 'import resource, subprocess, sys
status = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss if status == 0 else "failed")' "$@"
	elif [ -x /usr/bin/time ]; then
		/usr/bin/time -f %M "$@" 2>&1 >/dev/null | tail -n 1
	fi
}
fresh large
seq -f "h%.0f.large.example # $(printf 'x%.0s' {1..600})" 200000 > "$state/sources/large.hosts"
size=$(($(stat -c %s "$state/sources/large.hosts") / 1024))
kib=$(peak "$firebreak" --state "$state" publish)
case $kib in
'')	skip "200,000 lines" "neither python3 nor time is there" ;;
failed)	ok 1 "200,000 lines" ;;
*)	[ "$kib" -lt "$size" ]; ok $? "a feed of $size KiB needs less memory than that" "$kib KiB" ;;
esac
fb 1 "its last line is live" check "http://h200000.large.example/"
is "all of them are" "$(timeout 60 "$firebreak" --state "$state" rules list | grep -c '200000 rules')" 2

tap_done
