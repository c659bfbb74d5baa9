/* Feeds: what each format's lines become, what is skipped and what is bad, and where. */
#include "t/feed_rows.h"

#include <errno.h>

/* ---- hosts ---- */

static const struct row hosts[] = {
	{ "a host", "a.example\n", "block host a.example\n", 0, 0, NULL },
	{ "the last line without newline", "a.example\nb.example", "block host a.example\nblock host b.example\n", 0, 0, NULL },
	{ "dstdomain: the host and below", ".a.example\n", "block host .a.example\n", 0, 0, NULL },
	{ "below the host", "*.a.example\n", "block host *.a.example\n", 0, 0, NULL },
	{ "CR LF", "a.example\r\nb.example\r\n", "block host a.example\nblock host b.example\n", 0, 0, NULL },
	{ "a byte order mark", "\xef\xbb\xbf" "a.example\n", "block host a.example\n", 0, 0, NULL },
	{ "blanks around", " \ta.example \t\n", "block host a.example\n", 0, 0, NULL },
	{ "nothing, and comments", "\n  \n# x\n\t# y\n", "", 0, 0, NULL },
	{ "a comment behind", "a.example # b.example\na.test\t# x\n", "block host a.example\nblock host a.test\n", 0, 0, NULL },
	{ "no comment without a blank", "a.example#x\n", "", 0, 1, "1:10 a host has no path" },
	{ "upper case, a dot at the end", "WWW.A.Example.\n", "block host www.a.example\n", 0, 0, NULL },
	{ "an underscore", "_a_b.example\n", "block host _a_b.example\n", 0, 0, NULL },
	{ "IDN both ways", "b\xc3\xbc""cher.example\nxn--bcher-kva.example\n",
	    "block host xn--bcher-kva.example\nblock host xn--bcher-kva.example\n", 0, 0, NULL },
	{ "addresses", "192.0.2.7\n2001:db8::1\n[2001:DB8::2]\n",
	    "block host 192.0.2.7\nblock host [2001:db8::1]\nblock host [2001:db8::2]\n", 0, 0, NULL },
	{ "networks", "192.0.2.0/24\n2001:db8::/32\n", "block address 192.0.2.0/24\nblock address 2001:db8::/32\n", 0, 0, NULL },
	{ "other ranges of addresses are for others", "192.0.2.1-192.0.2.9\n192.0.2.1/24\n", "", 2, 0, NULL },
	{ "a name like a range", "1-2.bad-cafe.example\ndead-beef.cafe\n",
	    "block host 1-2.bad-cafe.example\nblock host dead-beef.cafe\n", 0, 0, NULL },
	{ "a port", "a.example:8080\nb.example\n", "block host b.example\n", 0, 1, "1:10 a host rule has no port" },
	{ "an address with a port", "192.0.2.7:80\n", "", 0, 1, "1:10 port" },
	{ "a path", "a.example/x\n", "", 0, 1, "1:10 a host has no path" },
	{ "a URL", "http://a.example/\n", "", 0, 1, "1:6 a host has no path" },
	{ "two words", "evil.example is bad\n", "", 0, 1, "1:13 blank" },
	{ "a pattern in the middle", "a.*.example\n*a.example\n*\n*.*.example\n", "", 4, 0, NULL },
	{ "two dots", "..a.example\n", "", 0, 1, "1:2 begins with two dots" },
	{ "dots only", ".\n*.\n", "", 0, 2, "1:2 no host" },
	{ "a control character", "a\001b.example\n", "", 0, 1, "1:1 has a byte that no host has" },
	{ "a bad line does not refuse the rest", "a.example\nb c\nd.example\n", "block host a.example\nblock host d.example\n", 0, 1,
	    "2:2 blank" },
};

static const struct row hosts_apex[] = {
	{ "*.x means x too, when asked", "*.a.example\nb.example\n", "block host .a.example\nblock host b.example\n", 0, 0, NULL },
};

static const struct row hosts_ports[] = {
	{ "ports are dropped when asked", "a.example:8080\n192.0.2.7:1\n[2001:db8::1]:80\n.b.example:1\n",
	    "block host a.example\nblock host 192.0.2.7\nblock host [2001:db8::1]\nblock host .b.example\n", 0, 0, NULL },
	{ "an address that ends like a port", "2001:db8::80\n", "block host [2001:db8::80]\n", 0, 0, NULL },
	{ "no port", "a.example:\n:80\n[2001:db8::1:80\n", "", 0, 3, "1:10 port" },
};

static const struct row hosts_allow[] = {
	{ "an allow list", "a.example\n", "allow host a.example\n", 0, 0, NULL },
};

static const struct row hosts_file[] = {
	{ "an address and a name", "0.0.0.0 a.example\n127.0.0.1\tb.example\n", "block host a.example\nblock host b.example\n", 0, 0,
	    NULL },
	{ "IPv6", ":: a.example\n::1  b.example\n", "block host a.example\nblock host b.example\n", 0, 0, NULL },
	{ "other ways to write them", "0 a.example\n127.0.1.1 b.example\n0:0:0:0:0:0:0:1 c.example\n",
	    "block host a.example\nblock host b.example\nblock host c.example\n", 0, 0, NULL },
	{ "several names", "0.0.0.0 a.example b.example\tc.example # d.example\n",
	    "block host a.example\nblock host b.example\nblock host c.example\n", 0, 0, NULL },
	{ "a comment without a blank", "0.0.0.0 a.example#b\n", "block host a.example\n", 0, 0, NULL },
	{ "comments, nothing", "# x\n\n   # y\n", "", 0, 0, NULL },
	{ "the machine's own names", "127.0.0.1 localhost localhost.localdomain local\n255.255.255.255 broadcasthost\n"
	    "::1 ip6-localhost ip6-loopback localhost\nfe80::1%lo0 localhost\n0.0.0.0 0.0.0.0\n", "", 9, 0, NULL },
	{ "own names among others", "127.0.0.1 localhost a.example\n", "block host a.example\n", 1, 0, NULL },
	{ "a host that only begins so", "0.0.0.0 localhost.example\n", "block host localhost.example\n", 0, 0, NULL },
	{ "a real address", "192.0.2.7 printer.example\n2001:db8::7 printer.example\n", "", 2, 0, NULL },
	{ "an address as a name", "0.0.0.0 192.0.2.9\n", "", 1, 0, NULL },
	{ "no address", "a.example\n", "", 0, 1, "1:1 expected ADDRESS NAME" },
	{ "no name", "0.0.0.0\n0.0.0.0 # x\n", "", 0, 2, "1:1 an address without a name" },
	{ "patterns are none", "0.0.0.0 .a.example *.b.example c.example\n", "block host c.example\n", 0, 2, "1:9 whole names only" },
	{ "a bad name among others", "0.0.0.0 a.example b/c d.example\n", "block host a.example\nblock host d.example\n", 0, 1,
	    "1:20 a host has no path" },
};

static const struct row guard_domains[] = {
	{ "the host and below", "a.example\nA.Test\n", "block host .a.example\nblock host .a.test\n", 0, 0, NULL },
	{ "a dot before", ".a.example\n", "block host .a.example\n", 0, 0, NULL },
	{ "an address is itself", "192.0.2.7\n", "block host 192.0.2.7\n", 0, 0, NULL },
	{ "a network", "192.0.2.0/24\n", "block address 192.0.2.0/24\n", 0, 0, NULL },
	{ "comments", "# x\na.example # y\n", "block host .a.example\n", 0, 0, NULL },
	{ "a path", "a.example/x\n", "", 0, 1, "1:10 path" },
	{ "a port", "a.example:80\n", "", 0, 1, "1:10 port" },
	{ "a pattern", "*.a.example\n", "", 1, 0, NULL },
	{ "two dots", "..a.example\n.\n", "", 0, 2, "1:2 two dots" },
	{ "signs are part of a host", "-a.example\n", "block host .-a.example\n", 0, 0, NULL },
};

static const struct row guard_diffs[] = {
	{ "more and less", "+a.example\n-b.example\n+ c.example\n", "block host .a.example\n-block host .b.example\n"
	    "block host .c.example\n", 0, 0, NULL },
	{ "no sign", "a.example\n+b.example\n", "block host .b.example\n", 0, 1, "1:1 expected + or -" },
	{ "a sign alone", "+\n", "", 0, 0, NULL },
};

static const struct row guard_url_diffs[] = {
	{ "more and less", "+a.example/x\n-192.0.2.1/x\n",
	    "block url a.example/x\nblock url www.a.example/x\n-block url 192.0.2.1/x\n", 0, 0, NULL },
};

/* ---- URLs ---- */

static const struct row urls[] = {
	{ "a URL", "http://a.example/x?y=1\n", "block url a.example/x?y=1\n", 0, 0, NULL },
	{ "every scheme of a proxy", "https://a.example/x\nFTP://a.example/x\n", "block url a.example/x\nblock url a.example/x\n", 0, 0,
	    NULL },
	{ "no scheme", "a.example/x\n", "block url a.example/x\n", 0, 0, NULL },
	{ "the port is dropped", "http://192.0.2.7:4444/bin.sh\n", "block url 192.0.2.7/bin.sh\n", 0, 0, NULL },
	{ "no path means the first page", "http://a.example\nhttp://a.example/\nhttp://a.example:80#x\na.example\n",
	    "block url a.example/\nblock url a.example/\nblock url a.example/\nblock url a.example/\n", 0, 0, NULL },
	{ "a query without a path", "http://a.example?x\n", "block url a.example/?x\n", 0, 0, NULL },
	{ "a fragment does not count", "http://a.example/x#y\n", "block url a.example/x\n", 0, 0, NULL },
	{ "commas and blanks are the URL's", "http://a.example/x,y z\n", "block url a.example/x,y%20z\n", 0, 0, NULL },
	{ "a comment behind", "http://a.example/x # seen\n# x\n", "block url a.example/x\n", 0, 0, NULL },
	{ "a user", "http://u:p@a.example/x\n", "block url a.example/x\n", 0, 0, NULL },
	{ "IDN, IPv6", "http://B\xc3\xbc""cher.example/x\nhttp://[2001:DB8::1]:80/x\n",
	    "block url xn--bcher-kva.example/x\nblock url [2001:db8::1]/x\n", 0, 0, NULL },
	{ "the path is made canonical", "http://a.example/a/../b//c%41\n", "block url a.example/b/cA\n", 0, 0, NULL },
	{ "other schemes", "ssh://a.example/x\nws://a.example/x\nandroid-app://a.example/\n", "", 3, 0, NULL },
	{ "defanged", "hxxp://a.example/x\nhttp://a[.]example/x\n", "", 0, 2, "1:1 defanged" },
	{ "no URLs", "mailto:a@b.example\nmagnet:?xt=1\njavascript:alert(1)\n", "", 0, 3, "1:1 no URL of a web server" },
	{ "no host", "http:///x\nhttp://\n/x\n", "", 0, 3, "1:8 no host" },
	{ "no pattern", "http://*.a.example/x\n", "", 1, 0, NULL },
	{ "no pattern of ours", "http://.a.example/x\n", "", 0, 1, "1:8 begins with a dot" },
	{ "two schemes", "http://http://a.example/x\nhttp://ws:80/x\n", "", 0, 2, "1:8 a scheme where the host should be" },
	{ "a bad port", "http://a.example:x/y\n", "", 0, 1, "1:8 port" },
	{ "a star in the path is a star", "http://a.example/*\n", "block url a.example/*\n", 0, 0, NULL },
};

static const struct row guard_urls[] = {
	{ "with and without www", "a.example/x\n", "block url a.example/x\nblock url www.a.example/x\n", 0, 0, NULL },
	{ "without and with", "www.a.example/x/\n", "block url www.a.example/x/\nblock url a.example/x/\n", 0, 0, NULL },
	{ "an address has no www", "192.0.2.7/x\n", "block url 192.0.2.7/x\n", 0, 0, NULL },
	{ "what is no host without www", "www.192.0.2.7/x\nwww.example/x\nwww.0x7f.1/x\n",
	    "block url www.192.0.2.7/x\nblock url www.example/x\nblock url www.0x7f.1/x\n", 0, 0, NULL },
	{ "a host alone", "a.example\n", "block url a.example/\nblock url www.a.example/\n", 0, 0, NULL },
	{ "a port", "a.example:8080/x\n", "block url a.example/x\nblock url www.a.example/x\n", 0, 0, NULL },
	{ "a tilde, a query", "a.example/~u/?x=1\n", "block url a.example/~u/?x=1\nblock url www.a.example/~u/?x=1\n", 0, 0, NULL },
	{ "a scheme", "http://a.example/x\n", "", 0, 1, "1:1 no scheme" },
	{ "a user", "u@a.example/x\n", "", 0, 1, "1:1 no URL" },
	{ "a pattern", "*.a.example/x\n", "", 1, 0, NULL },
	{ "a dot", ".a.example/x\n", "", 0, 1, "1:1 begins with a dot" },
	{ "comments", "# x\na.example/x # y\n", "block url a.example/x\nblock url www.a.example/x\n", 0, 0, NULL },
};

/* ---- ClamAV ---- */

static const struct row hdb[] = {
	{ "digest, size, name", MD5 ":17387:Win.Test-1\n", "block file 17387:md5:" MD5 " [Win.Test-1]\n", 0, 0, NULL },
	{ "levels", MD5 ":1:X:73\n" MD5 ":2:X:73:255\n", "block file 1:md5:" MD5 " [X]\nblock file 2:md5:" MD5 " [X]\n", 0, 0, NULL },
	{ "the kind by the length", SHA1 ":1:X\n" SHA256 ":2:Y\n", "block file 1:sha1:" SHA1 " [X]\nblock file 2:sha256:" SHA256
	    " [Y]\n", 0, 0, NULL },
	{ "upper case, CR LF", "9ABC553703F4E4FEDB3ED975502A2C7A:1:X\r\n", "block file 1:md5:" MD5 " [X]\n", 0, 0, NULL },
	{ "any size", MD5 ":*:X:73\n", "block file *:md5:" MD5 " [X]\n", 0, 0, NULL },
	{ "any size needs a level", MD5 ":*:X\n" MD5 ":*:X:72\n", "", 0, 2, "1:34 a size of * needs a level" },
	{ "a comment is in the first column", "# x\n #y\n", "", 0, 1, "2:2 expected HASH:SIZE:NAME" },
	{ "an empty line", "\n" MD5 ":1:X\n\n", "block file 1:md5:" MD5 " [X]\n", 0, 0, NULL },
	{ "the largest size", MD5 ":4294967294:X\n", "block file 4294967294:md5:" MD5 " [X]\n", 0, 0, NULL },
	{ "sizes that are none", MD5 ":0:X\n" MD5 ":-1:X\n" MD5 ":4294967295:X\n" MD5 ":1k:X\n" MD5 "::X\n", "", 0, 5,
	    "1:34 the size is no number" },
	{ "no name", MD5 ":1:\n" MD5 ":1\n" MD5 "\n", "", 0, 3, "1:36 no name" },
	{ "levels that are none", MD5 ":1:X:\n" MD5 ":1:X:a\n" MD5 ":1:X:1:\n" MD5 ":1:X:1:2:3\n", "", 0, 4, "1:36 expected HASH" },
	{ "a digest that is none", "9abc:1:X\nz" MD5 ":1:X\n9zbc553703f4e4fedb3ed975502a2c7a:1:X\n", "", 0, 3, "1:1 expected 32, 40" },
	{ "a section of an .mdb", "1199616:" MD5 ":X\n", "", 0, 1, "1:9 the size is no number" },
	{ "maldet's names", MD5 ":69:{MD5}x.test.1\n", "block file 69:md5:" MD5 " [{MD5}x.test.1]\n", 0, 0, NULL },
	{ "the empty file", EMPTY ":*:X:73\n", "", 1, 0, NULL },
};

static const struct row fp[] = {
	{ "allows", MD5 ":1:X\n", "allow file 1:md5:" MD5 " [X]\n", 0, 0, NULL },
};

static const struct row ign2[] = {
	{ "a name", "Win.Test-1\n", "allow file [Win.Test-1]\n", 0, 0, NULL },
	{ "one line of that name", "Win.Test-1:" MD5 "\n", "allow file [Win.Test-1] " MD5 "\n", 0, 0, NULL },
	{ "comments", "# x\n\n", "", 0, 0, NULL },
	{ "no MD5", "Win.Test-1:abc\nWin.Test-1:\n", "", 0, 2, "1:12 expected NAME[:MD5]" },
	{ "no name", ":" MD5 "\na b\n", "", 0, 2, "1:1 expected the name" },
};

/* ---- digests ---- */

static const struct row digests[] = {
	{ "the kind by the length", MD5 "\n" SHA1 "\n" SHA256 "\n", "block file *:md5:" MD5 "\nblock file *:sha1:" SHA1
	    "\nblock file *:sha256:" SHA256 "\n", 0, 0, NULL },
	{ "upper case", "9ABC553703F4E4FEDB3ED975502A2C7A\n", "block file *:md5:" MD5 "\n", 0, 0, NULL },
	{ "a banner", "# x\n#########\n\n" MD5 "\r\n", "block file *:md5:" MD5 "\n", 0, 0, NULL },
	{ "comments behind", MD5 ";bad, very\n" MD5 ",bad\n" MD5 " bad\n" MD5 "\tbad\n" MD5 " # bad\n" MD5 "#bad\n" MD5 "; bad\n",
	    "block file *:md5:" MD5 " [bad, very]\n"
	    "block file *:md5:" MD5 " [bad]\nblock file *:md5:" MD5 " [bad]\nblock file *:md5:" MD5 " [bad]\n"
	    "block file *:md5:" MD5 " [bad]\nblock file *:md5:" MD5 " [bad]\nblock file *:md5:" MD5 " [bad]\n", 0, 0, NULL },
	{ "md5sum", MD5 "  a b.exe\n" MD5 " *a.exe\n\\" MD5 "  a\\nb.exe\n", "block file *:md5:" MD5 " [a b.exe]\nblock file *:md5:" MD5
	    " [a.exe]\nblock file *:md5:" MD5 " [a\\nb.exe]\n", 0, 0, NULL },
	{ "BSD", "MD5 (a (1).exe) = " MD5 "\nSHA1 (a=b) = " SHA1 "\nSHA256 (a) = " SHA256 "\n", "block file *:md5:" MD5
	    " [a (1).exe]\nblock file *:sha1:" SHA1 " [a=b]\nblock file *:sha256:" SHA256 " [a]\n", 0, 0, NULL },
	{ "openssl", "MD5(a)= " MD5 "\nSHA2-256(a)= " SHA256 "\n", "block file *:md5:" MD5 " [a]\nblock file *:sha256:" SHA256 " [a]\n",
	    0, 0, NULL },
	{ "a label", "md5:" MD5 "\nSHA-256: " SHA256 "\n", "block file *:md5:" MD5 "\nblock file *:sha256:" SHA256 "\n", 0, 0, NULL },
	{ "a label of another length", "md5:" SHA1 "\nSHA1 (a) = " MD5 "\n", "", 0, 2, "1:5 not as many digits as md5" },
	{ "digests of other kinds", SHA384 "\n" SHA384 MD5 "  a\nSHA512 (a) = " SHA384 MD5 "\nRMD160 (a) = " SHA1 "\nsha512:" SHA384 MD5
	    "\nSHA512/256 (a) = " SHA256 "\n", "", 6, 0, NULL },
	{ "what looks like an MD5 and is none", "imphash:" MD5 "\nauthentihash:" SHA256 "\nssdeep:3:abc:def\n", "", 3, 0, NULL },
	{ "too long, too short", MD5 "0\n9abc\n0x" MD5 "\n", "", 0, 3, "1:1 expected a digest" },
	{ "something behind", MD5 "x\n" MD5 "-\n", "", 0, 2, "1:1 expected a digest" },
	{ "a line of an .hdb: the size would be lost", MD5 ":17387:X\n", "", 0, 1, "1:1 expected a digest" },
	{ "56 letters", "zz" SHA1 "zzzzzzzzzzzzzz\n", "", 0, 1, "1:1 expected a digest" },
	{ "words", "n/a\nhello (world)\nfoo: bar\nMD5 (a = " MD5 "\n", "", 0, 4, "1:1 expected a digest" },
	{ "the empty file, every kind", EMPTY "  a\nda39a3ee5e6b4b0d3255bfef95601890afd80709\n"
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n", "", 3, 0, NULL },
};

static const struct row hashdeep[] = {
	{ "the columns' order is in the file", "%%%% HASHDEEP-1.0\n%%%% size,md5,sha256,filename\n## Invoked from: /x\n##\n"
	    "1067," MD5 "," SHA256 ",/a/b,c.exe\n", "block file 1067:sha256:" SHA256 " [/a/b,c.exe]\n", 0, 0, NULL },
	{ "another order", "%%%% HASHDEEP-1.0\n%%%% sha1,size,filename\n" SHA1 ",5,a\n", "block file 5:sha1:" SHA1 " [a]\n", 0, 0,
	    NULL },
	{ "columns of other kinds", "%%%% size,md5,tiger,whirlpool,filename\n5," MD5 ",x,y,a\n", "block file 5:md5:" MD5 " [a]\n", 0, 0,
	    NULL },
	{ "no columns yet", "5," MD5 ",a\n", "", 0, 1, "1:1 stands above" },
	{ "no digest", "%%%% size,tiger,filename\n5,x,a\n", "", 0, 2, "1:1 no md5" },
	{ "too few columns", "%%%% size,md5,filename\n5," MD5 "\n", "", 0, 1, "2:1 fewer columns" },
	{ "no size", "%%%% size,md5,filename\nx," MD5 ",a\n", "", 0, 1, "2:1 the size is no number" },
	{ "an empty file", "%%%% size,md5,filename\n0," EMPTY ",a\n", "", 1, 0, NULL },
	{ "no digest in a row", "%%%% size,md5,filename\n5,abc,a\n", "", 0, 1, "2:3 not as many digits" },
};

/* ---- CSV ---- */

static const struct feed_options by_url = { .columns = { .url = "url", .name = "tags" } };
static const struct row csv_urls[] = {
	{ "the header in a comment", "#####\r\n# A dump \"of, all\r\n# id,dateadded,url,url_status,tags\r\n"
	    "\"1\",\"2026-10-05\",\"http://192.0.2.55:4444/b,in.sh\",\"online\",\"32-bit,elf\"\r\n",
	    "block url 192.0.2.55/b,in.sh [32-bit,elf]\n", 0, 0, NULL },
	{ "the header by itself", "URL,Tags\nhttp://a.example/x,t\n", "block url a.example/x [t]\n", 0, 0, NULL },
	{ "a quoted header in a comment", "# \"id\", \"url\", \"tags\"\n1, http://a.example/x, t\n", "block url a.example/x [t]\n", 0, 0,
	    NULL },
	{ "blanks after commas", "# url, tags\n\"http://a.example/x\", \"t, u\"\n", "block url a.example/x [t, u]\n", 0, 0, NULL },
	{ "doubled quotes", "url,tags\nhttp://a.example/x,\"a \"\"b\"\" c\"\n", "block url a.example/x [a \"b\" c]\n", 0, 0, NULL },
	{ "more columns than the header", "url,tags\nhttp://a.example/x,t,u,\"v\"\n", "block url a.example/x [t]\n", 0, 0, NULL },
	{ "an empty cell", "url,tags\nhttp://a.example/x,\n,t\n", "block url a.example/x\n", 1, 0, NULL },
	{ "nothing", "url,tags\nn/a,t\nNone,t\n\"\",t\n", "", 3, 0, NULL },
	{ "comments and blanks below", "url,tags\n# http://a.example/x,t\n \t\n", "", 0, 0, NULL },
	{ "too few columns", "id,tags,url\n1,t\n", "", 0, 1, "2:1 only 2 columns" },
	{ "a newline within quotes", "url,tags\n\"http://a.example/x\",\"two\nlines\",\"http://c.example/x\"\n\"http://b.example/x\",t\n",
	    "block url b.example/x [t]\n", 0, 2, "2:22 not closed" },
	{ "text behind a quote", "url,tags\n\"http://a.example/x\"y,t\n", "", 0, 1, "2:21 text behind" },
	{ "a quote within", "url,tags\nhttp://a.example/\"x,t\n", "", 0, 1, "2:1 a quote within" },
	{ "no header", "1,http://a.example/x,t\n", "", 0, 1, "1:1 no header" },
	{ "a bad URL's column", "tags,url\nt, http://.a.example/\n", "", 0, 1, "2:11 begins with a dot" },
};

static const struct feed_options by_digest = { .columns = { .md5 = "md5_hash", .sha1 = "sha1_hash", .sha256 = "sha256_hash",
	.name = "signature", .size = "file_size" } };
static const struct row csv_digests[] = {
	{ "the longest digest", "# \"sha256_hash\",\"md5_hash\",\"sha1_hash\",\"signature\",\"imphash\",\"file_size\"\n"
	    "\"" SHA256 "\", \"" MD5 "\", \"" SHA1 "\", \"X\", \"" MD5 "\", \"90112\"\n", "block file 90112:sha256:" SHA256 " [X]\n", 0, 0,
	    NULL },
	{ "the one there is", "sha256_hash,md5_hash,sha1_hash,signature,imphash,file_size\nn/a," MD5 ",,X," MD5 ",\n",
	    "block file *:md5:" MD5 " [X]\n", 0, 0, NULL },
	{ "an imphash alone", "sha256_hash,md5_hash,sha1_hash,signature,imphash,file_size\nn/a,n/a,n/a,X," MD5 ",5\n", "", 1, 0, NULL },
	{ "in the wrong column", "sha256_hash,md5_hash,sha1_hash,signature,file_size\n" MD5 ",,,X,5\n", "", 0, 1,
	    "2:1 not as many digits" },
	{ "size 0", "sha256_hash,md5_hash,sha1_hash,signature,file_size\n" SHA256 ",,,X,0\n", "", 1, 0, NULL },
	{ "no size", "sha256_hash,md5_hash,sha1_hash,signature,file_size\n" SHA256 ",,,X,5 kB\n", "", 0, 1, "2:70 the size" },
};

static const struct feed_filter verified[] = { { "verified", "yes" }, { "online", "yes" } };
static const struct feed_options by_filter = { .columns = { .url = "url" }, .filters = verified, .n_filters = 2 };
static const struct row csv_filters[] = {
	{ "all filters hold", "id,url,verified,online\n1,http://a.example/x,yes,yes\n2,http://b.example/x,no,yes\n"
	    "3,http://c.example/x,Yes,YES\n4,http://d.example/x,yes,no\n", "block url a.example/x\nblock url c.example/x\n", 2, 0, NULL },
	{ "a filter's column is missing", "id,url,verified\n1,http://a.example/x,yes\n", "", 0, 2, "1:1 no header" },
};

static const struct feed_filter kinds_of_files[] = { { "ioc_type", "md5_hash" }, { "ioc_type", "sha256_hash" } };
static const struct feed_options by_kind = { .columns = { .digest = "ioc_value" }, .filters = kinds_of_files, .n_filters = 2 };
static const struct row csv_kinds[] = {
	{ "one of several values", "# ioc_value,ioc_type\n\"" MD5 "\", \"md5_hash\"\n\"192.0.2.81:425\", \"ip:port\"\n\"" SHA256
	    "\", \"sha256_hash\"\n\"" SHA1 "\", \"sha1_hash\"\n", "block file *:md5:" MD5 "\nblock file *:sha256:" SHA256 "\n", 2, 0, NULL },
};

static const struct feed_options by_host = { .columns = { .host = "2" }, .ports = true, .separator = ';' };
static const struct row csv_places[] = {
	{ "columns by their place, semicolons", "1;a.example:425;x\n2;\"192.0.2.7\"\n3\n4;a b\n",
	    "block host a.example\nblock host 192.0.2.7\n", 0, 2, "3:1 only 1 column" },
};

static const struct feed_options by_two = { .columns = { .host = "host", .digest = "hash" } };
static const struct row csv_two[] = {
	{ "a row with two facts", "host,hash\na.example," MD5 "\n", "block host a.example\nblock file *:md5:" MD5 "\n", 0, 0, NULL },
};

/* ---- Adblock ---- */

static const struct row adblock[] = {
	{ "the host and below", "[Adblock Plus 2.0]\n! x\n||a.example^\n# x\n", "block host .a.example\n", 0, 0, NULL },
	{ "an exception", "@@||a.example^\n||b.example^\n", "allow host .a.example\nblock host .b.example\n", 0, 0, NULL },
	{ "options that narrow nothing", "||a.example^$important\n||b.example^$all\n||c.example^$doc,important\n||d.example^$document\n",
	    "block host .a.example\nblock host .b.example\nblock host .c.example\nblock host .d.example\n", 0, 0, NULL },
	{ "options that narrow", "||a.example^$third-party\n||a.example^$domain=b.example\n||a.example^$badfilter\n||a.example^$client=x\n"
	    "||a.example^$important,dnstype=A\n||a.example^$\n||a.example^$script\n", "", 7, 0, NULL },
	{ "an exception of more than a host", "@@||a.example^$document\n@@||a.example^$important\n", "allow host .a.example\n", 1, 0,
	    NULL },
	{ "cosmetic rules", "##.ad\na.example##.ad\n#@#.ad\n#$#x\n#?#x\n#%#x\na.example#@#.ad\n", "", 7, 0, NULL },
	{ "regular expressions, patterns", "/ads[0-9]/\n||a*.example^\n||*.a.example^\n|http://a.example|\n&ad=\n", "", 5, 0, NULL },
	{ "no end of the host", "||a.example\n||ads.\n||ads.^\n||.a.example^\n", "", 4, 0, NULL },
	{ "something behind", "||a.example^x\n||a.example^|\n||a.example^*\n||a.example^ # x\n", "", 4, 0, NULL },
	{ "a port, a path", "||a.example:8080^\n||a.example/x^\n||a.example^/x\n", "", 3, 0, NULL },
	{ "a bare name is a pattern", "a.example\n0.0.0.0 a.example\n", "", 2, 0, NULL },
	{ "addresses are themselves", "||192.0.2.7^\n||[2001:db8::1]^\n", "block host 192.0.2.7\nblock host [2001:db8::1]\n", 0, 0, NULL },
	{ "IDN", "||b\xc3\xbc""cher.example^\n", "block host .xn--bcher-kva.example\n", 0, 0, NULL },
	{ "no host", "||a b^\n", "", 0, 1, "1:4 blank" },
};

/* ---- RPZ ---- */

static const struct row rpz[] = {
	{ "a zone", "$TTL 30\n@ SOA rpz.example. hostmaster.rpz.example. 2202170343 300 1800 604800 30\n NS localhost.\n;\n; x\n"
	    "a.example CNAME . ; Malware (2020-10-21), see https://b.example/\n", "block host a.example\n", 0, 0, NULL },
	{ "apex and below are two", "a.example CNAME .\n*.a.example CNAME .\n", "block host a.example\nblock host *.a.example\n", 0, 0,
	    NULL },
	{ "every way to refuse", "a.example CNAME .\nb.example CNAME *.\nc.example CNAME rpz-drop.\n",
	    "block host a.example\nblock host b.example\nblock host c.example\n", 0, 0, NULL },
	{ "an exception", "a.example CNAME rpz-passthru.\nb.example CNAME RPZ-PASSTHRU.\nc.example CNAME .\n",
	    "allow host a.example\nallow host b.example\nblock host c.example\n", 0, 0, NULL },
	{ "other answers", "a.example CNAME rpz-tcp-only.\nb.example CNAME garden.example.\nc.example A 192.0.2.1\n"
	    "d.example TXT \"a;(b\"\ne.example CNAME .\n", "block host e.example\n", 4, 0, NULL },
	{ "time to live and class", "a.example 300 IN CNAME .\nb.example IN 1h CNAME .\nc.example cname .\n",
	    "block host a.example\nblock host b.example\nblock host c.example\n", 0, 0, NULL },
	{ "the owner above", "a.example A 192.0.2.1\n\tCNAME .\n", "block host a.example\n", 1, 0, NULL },
	{ "no owner above", "\tCNAME .\n", "", 0, 1, "1:1 not in the zone" },
	{ "other triggers", "32.1.2.0.192.rpz-ip CNAME .\n24.0.2.0.192.rpz-client-ip CNAME .\nns.example.rpz-nsdname CNAME .\n"
	    "32.1.2.0.192.rpz-nsip CNAME .\n32.zz.db8.2001.RPZ-IP CNAME .\n", "", 5, 0, NULL },
	{ "an address is no name", "192.0.2.7 CNAME .\n", "", 1, 0, NULL },
	{ "the zone itself", "@ CNAME .\n", "", 1, 0, NULL },
	{ "an absolute owner without a zone", "a.example. CNAME .\nb.example CNAME .\n", "block host b.example\n", 0, 1,
	    "1:1 not in the zone" },
	{ "absolute owners", "$ORIGIN rpz.example.\na.example.rpz.example. CNAME .\na.example.other.example. CNAME .\n"
	    "evilrpz.example. CNAME .\nb.test CNAME .\nRPZ.Example. CNAME .\n", "block host a.example\nblock host b.test\n", 1, 2,
	    "3:1 not in the zone" },
	{ "the zone from its SOA", "rpz.example. 300 IN SOA a. b. 1 2 3 4 5\na.example.rpz.example. CNAME .\nb.example CNAME .\n",
	    "block host a.example\nblock host b.example\n", 0, 0, NULL },
	{ "below the root", "$ORIGIN .\nrpz.example IN SOA a. b. 1 2 3 4 5\n$ORIGIN rpz.example.\na.example CNAME .\n"
	    "$ORIGIN example.rpz.example.\nb CNAME .\n*.c CNAME .\n$ORIGIN .\nd.example.rpz.example CNAME .\n",
	    "block host a.example\nblock host b.example\nblock host *.c.example\nblock host d.example\n", 0, 0, NULL },
	{ "an origin within", "$ORIGIN rpz.example.\n$ORIGIN example\na CNAME .\n@ CNAME .\n",
	    "block host a.example\nblock host example\n", 0, 0, NULL },
	{ "an origin that is not known", "$ORIGIN com\nevil CNAME .\n$ORIGIN rpz.example.\na.example CNAME .\n",
	    "block host a.example\n", 0, 2, "1:1 not known" },
	{ "an origin elsewhere", "$ORIGIN rpz.example.\n$ORIGIN other.example.\na CNAME .\n", "", 0, 1, "3:1 not in the zone" },
	{ "parentheses", "@ SOA a. b. (\n 1 ; serial )\n 2 3\n a.example CNAME .\n 4 5 )\nb.example CNAME .\nc.example CNAME ( . )\n",
	    "block host b.example\nblock host c.example\n", 0, 0, NULL },
	{ "a parenthesis that stays open", "a.example CNAME ( .\n", "block host a.example\n", 0, 1, "1:0 within a parenthesis" },
	{ "other directives", "$INCLUDE x\n$GENERATE 1-2 a A 192.0.2.$\n$ttl 1\n", "", 2, 0, NULL },
	{ "wildcards elsewhere", "a.*.example CNAME .\n* CNAME .\n*.*.example CNAME .\n", "", 3, 0, NULL },
	{ "a number that is no time", "a.example 1x CNAME .\n", "", 1, 0, NULL },
	{ "no type, no data", "a.example\na.example 300\na.example CNAME\na.example CNAME . .\n", "", 0, 4, "1:1 expected OWNER" },
	{ "more words than there are", "a IN IN IN IN IN IN IN IN IN CNAME .\na 1 1 1 1 1 1 CNAME .\na 1 1 1 1 1 CNAME .\n",
	    "block host a\n", 0, 2, "1:1 expected OWNER" },
	{ "dots", ".a.example CNAME .\n. CNAME .\n", "", 0, 2, "1:1 begins with a dot" },
	{ "an escape", "a\\.b.example CNAME .\n", "", 0, 1, "1:2 path" },
};

static void
test_formats(void)
{
	static const struct feed_options apex = { .apex = true }, ports = { .ports = true }, allow = { .action = RULE_ALLOW },
	    diff = { .diff = true };

	test_rows(FEED_HOSTS_PLAIN, NULL, hosts, COUNT(hosts));
	test_rows(FEED_HOSTS_PLAIN, &apex, hosts_apex, COUNT(hosts_apex));
	test_rows(FEED_HOSTS_PLAIN, &ports, hosts_ports, COUNT(hosts_ports));
	test_rows(FEED_HOSTS_PLAIN, &allow, hosts_allow, COUNT(hosts_allow));
	test_rows(FEED_HOSTS_FILE, NULL, hosts_file, COUNT(hosts_file));
	test_rows(FEED_URLS, NULL, urls, COUNT(urls));
	test_rows(FEED_SQUIDGUARD_DOMAINS, NULL, guard_domains, COUNT(guard_domains));
	test_rows(FEED_SQUIDGUARD_DOMAINS, &diff, guard_diffs, COUNT(guard_diffs));
	test_rows(FEED_SQUIDGUARD_URLS, NULL, guard_urls, COUNT(guard_urls));
	test_rows(FEED_SQUIDGUARD_URLS, &diff, guard_url_diffs, COUNT(guard_url_diffs));
	test_rows(FEED_HDB, NULL, hdb, COUNT(hdb));
	test_rows(FEED_HSB, NULL, hdb, COUNT(hdb));
	test_rows(FEED_FP, NULL, fp, COUNT(fp));
	test_rows(FEED_SFP, NULL, fp, COUNT(fp));
	test_rows(FEED_IGN2, NULL, ign2, COUNT(ign2));
	test_rows(FEED_DIGESTS, NULL, digests, COUNT(digests));
	test_rows(FEED_HASHDEEP, NULL, hashdeep, COUNT(hashdeep));
	test_rows(FEED_CSV, &by_url, csv_urls, COUNT(csv_urls));
	test_rows(FEED_CSV, &by_digest, csv_digests, COUNT(csv_digests));
	test_rows(FEED_CSV, &by_filter, csv_filters, COUNT(csv_filters));
	test_rows(FEED_CSV, &by_kind, csv_kinds, COUNT(csv_kinds));
	test_rows(FEED_CSV, &by_host, csv_places, COUNT(csv_places));
	test_rows(FEED_CSV, &by_two, csv_two, COUNT(csv_two));
	test_rows(FEED_ADBLOCK, NULL, adblock, COUNT(adblock));
	test_rows(FEED_RPZ, NULL, rpz, COUNT(rpz));
}

/* ---- what a string cannot have, or a table not say ---- */

static const struct { const char *idea; enum feed_format format; struct slice text; uint64_t entries, bad; } bytes[] = {
	{ "a NUL in a host", FEED_HOSTS_PLAIN, SLICE("a\0b.example\n"), 0, 1 },
	{ "a NUL behind a digest", FEED_DIGESTS, SLICE(MD5 "\0\n"), 0, 1 },
	{ "a NUL in a rule", FEED_ADBLOCK, SLICE("||a\0.example^\n#\0\n"), 0, 1 },
	{ "a NUL in a zone", FEED_RPZ, SLICE("a\0.example CNAME .\nb\0 C\0 \0\n"), 0, 1 },
	{ "no lines", FEED_RPZ, SLICE(""), 0, 0 },
	{ "a line of a CR", FEED_HOSTS_PLAIN, SLICE("\r\n\r"), 0, 0 },
};

static int
count(void *arg, const struct feed_entry *e)
{
	(void)e;
	++*(unsigned *)arg;
	return 0;
}

static void
test_bytes(void)
{
	for (size_t i = 0; i < COUNT(bytes); i++) {
		struct feed_counts n;
		unsigned seen = 0;
		struct feed *f = feed_new(bytes[i].format, NULL, "x", count, &seen, NULL);

		feed_text(f, guard_copy(bytes[i].text));
		ok(feed_end(f, &n) == 0 && n.entries == bytes[i].entries && n.bad == bytes[i].bad && seen == n.entries, "%s: %s",
		    feed_format_name(bytes[i].format), bytes[i].idea);
		feed_free(f);
	}
}

/* ---- bounds ---- */

static void
test_bounds(void)
{
	static char text[ROOM];
	struct feed_options options = { .line_max = 20, .bad_shown = 3 };
	struct feed_counts n;
	struct diag diag = { 0 };
	unsigned seen = 0;
	struct feed *f = feed_new(FEED_HOSTS_PLAIN, &options, "x", count, &seen, &diag);

	feed_text(f, SLICE("aaaaaaaaaaaa.example\r\naaaaaaaaaaaaa.example\n"));
	for (int i = 0; i < 9; i++)
		feed_line(f, SLICE("a b"));
	ok(feed_end(f, &n) == 0 && seen == 1 && n.entries == 1 && n.bad == 10 && n.lines == 11, "a line has a maximum");
	ok(diag.n == 4 && diag.n_warnings == 3 && strstr(diag.v[0].text, "more than 20 bytes") != NULL &&
	    diag.v[3].level == DIAG_NOTE && strstr(diag.v[3].text, "7 more bad lines") != NULL,
	    "bad lines are shown up to a number, the rest is counted");
	is_int((long long)n.bytes, 22 + 22 + 9 * 4, "bytes are counted with their newlines");
	feed_free(f);
	diag_fini(&diag);

	memset(text, 'a', sizeof(text));
	f = feed_new(FEED_URLS, NULL, NULL, count, &seen, NULL);
	feed_line(f, slice_make(text, FEED_LINE_MAX));
	feed_line(f, SLICE("http://a.example"));
	ok(feed_end(f, &n) == 0 && n.bad == 1 && n.entries == 1, "a URL as long as a line may be, and no diag");
	feed_free(f);
}

/* An owner longer than any name, by itself and with its origin. */
static void
test_long_owner(void)
{
	static char line[2 * HOST_MAX];
	struct feed_counts n;
	unsigned seen = 0;
	struct feed *f = feed_new(FEED_RPZ, NULL, "x", count, &seen, NULL);
	int len = snprintf(line, sizeof(line), "%0*d.example CNAME .", HOST_MAX, 0);

	feed_line(f, slice_make(line, (size_t)len));
	feed_line(f, SLICE("$ORIGIN rpz.example."));
	feed_line(f, SLICE("$ORIGIN example"));
	feed_line(f, slice_make(line + 20, (size_t)len - 20));
	feed_line(f, SLICE("a CNAME ."));
	ok(feed_end(f, &n) == 0 && n.bad == 2 && n.entries == 1, "rpz: a name longer than names are");
	feed_free(f);
}

static void
test_open_parenthesis(void)
{
	struct feed_counts n;
	unsigned seen = 0;
	struct feed *f = feed_new(FEED_RPZ, NULL, "x", count, &seen, NULL);

	feed_line(f, SLICE("@ SOA a. b. ("));
	for (int i = 0; i < 40; i++)
		feed_line(f, SLICE("a.example CNAME ."));
	ok(feed_end(f, &n) == 0 && n.bad == 1 && n.entries == 8, "rpz: a parenthesis never closed does not swallow the zone");
	feed_free(f);
}

static int
stop(void *arg, const struct feed_entry *e)
{
	(void)e;
	return ++*(unsigned *)arg == 2 ? 42 : 0;
}

static void
test_stop(void)
{
	static const enum feed_format formats[] = { FEED_HOSTS_FILE, FEED_SQUIDGUARD_URLS };
	static const char *const texts[] = { "0.0.0.0 a.example b.example c.example\n0.0.0.0 d.example\n",
		"a.example/x\nb.example/x\nc.example/x\n" };

	for (size_t i = 0; i < COUNT(formats); i++) {
		struct feed_counts n;
		unsigned seen = 0;
		struct feed *f = feed_new(formats[i], NULL, "x", stop, &seen, NULL);

		ok(feed_text(f, slice_str(texts[i])) == 42 && seen == 2, "%s: the visitor stops the reading",
		    feed_format_name(formats[i]));
		ok(feed_line(f, SLICE("0.0.0.0 e.example")) == 42 && feed_end(f, &n) == 42 && n.entries == 2 && seen == 2,
		    "%s: and it stays stopped", feed_format_name(formats[i]));
		feed_free(f);
	}
}

/* Options that make no sense are refused, with an error. */
static void
test_options(void)
{
	static const struct { const char *idea; enum feed_format format; struct feed_options options; } rows[] = {
		{ "protect", FEED_URLS, { .action = RULE_PROTECT } },
		{ "a diff of hosts", FEED_HOSTS_PLAIN, { .diff = true } },
		{ "a CSV without columns", FEED_CSV, { .columns = { .size = "size", .name = "name" } } },
		{ "too many filters", FEED_CSV, { .columns = { .url = "u" }, .n_filters = FEED_FILTERS_MAX + 1 } },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct diag diag = { 0 };

		errno = 0;
		ok(feed_new(rows[i].format, &rows[i].options, "x", count, NULL, &diag) == NULL && errno == EINVAL &&
		    diag.n_errors == 1, "options: %s", rows[i].idea);
		diag_fini(&diag);
	}
	feed_free(NULL);
}

/* ---- names of formats ---- */

static const struct { const char *path; int format; bool diff; } files[] = {
	{ "daily.hdb", FEED_HDB, false }, { "x.hdu", FEED_HDB, false }, { "a/b.HSB", FEED_HSB, false }, { "x.hsu", FEED_HSB, false },
	{ "x.fp", FEED_FP, false }, { "x.sfp", FEED_SFP, false }, { "local.ign2", FEED_IGN2, false },
	{ "main.mdb", -1, false }, { "main.msb", -1, false }, { "x.imp", -1, false }, { "x.ndb", -1, false }, { "x.cvd", FEED_CVD, false },
	{ "daily.cld", FEED_CVD, false }, { "x.cud", FEED_CVD, false }, { "x.misp", FEED_MISP, false }, { "x.stix", FEED_STIX, false },
	{ "x.stix2", FEED_STIX, false }, { "a/5bad1b96-53bc-4148-87eb-50d50a016219.json", FEED_MISP, false },
	{ "5BAD1B96-53BC-4148-87EB-50D50A016219.json", FEED_MISP, false }, { "5bad1b96-53bc-4148-87eb-50d50a01621.json", -1, false },
	{ "5bad1b96-53bc-4148-87eb+50d50a016219.json", -1, false }, { "manifest.json", -1, false }, { "x.json", -1, false },
	{ "urls.cvd.diff", -1, true },
	{ "x.hosts", FEED_HOSTS_PLAIN, false }, { "x.dstdomain", FEED_HOSTS_PLAIN, false }, { "/etc/hosts", FEED_HOSTS_FILE, false },
	{ "a/hosts.txt", FEED_HOSTS_FILE, false }, { "x.domains", FEED_SQUIDGUARD_DOMAINS, false }, { "x.urls", FEED_URLS, false },
	{ "adult/domains", FEED_SQUIDGUARD_DOMAINS, false }, { "adult/urls", FEED_SQUIDGUARD_URLS, false },
	{ "adult/domains.diff", FEED_SQUIDGUARD_DOMAINS, true }, { "urls.diff", FEED_SQUIDGUARD_URLS, true },
	{ "hosts.diff", -1, true }, { "x.hdb.diff", -1, true }, { "adult/expressions", -1, false }, { "adult/usage", -1, false },
	{ "SHA256SUMS", FEED_DIGESTS, false }, { "x.md5", FEED_DIGESTS, false }, { "x.csv", FEED_CSV, false },
	{ "x.rpz", FEED_RPZ, false }, { "x.txt", -1, false }, { "", -1, false }, { "hdb", -1, false }, { ".hdb", FEED_HDB, false },
	{ "x.hdb/readme", -1, false }, { "x.", -1, false },
};

static void
test_names(void)
{
	enum feed_format format;
	bool diff;

	for (int i = 0; i < FEED_FORMATS; i++)
		ok(feed_format_parse(slice_str(feed_format_name((enum feed_format)i)), &format) == 0 && (int)format == i,
		    "%s: the name is the format's", feed_format_name((enum feed_format)i));
	ok(feed_format_parse(SLICE("mdb"), &format) == -1, "mdb is no format");
	for (size_t i = 0; i < COUNT(files); i++) {
		struct slice path = guard_copy(slice_str(files[i].path));
		int r = feed_format_of_file(path, &format, &diff);

		ok(files[i].format == -1 ? r == -1 : r == 0 && (int)format == files[i].format && diff == files[i].diff,
		    "the format of \"%s\"", files[i].path);
	}
}

static const struct { const char *idea, *text; int format; } proposals[] = {
	{ "hosts", "# x\na.example\n.b.example\n*.c.example\n", FEED_HOSTS_PLAIN },
	{ "a hosts file", "127.0.0.1 localhost\n0.0.0.0 a.example\n", FEED_HOSTS_FILE },
	{ "URLs", "http://a.example/x\nhttps://b.example\n", FEED_URLS },
	{ "URLs without schemes", "a.example/x\nb.example/y\n", FEED_SQUIDGUARD_URLS },
	{ "signatures", MD5 ":1:X\n" MD5 ":2:Y\n", FEED_HDB },
	{ "digests", MD5 "\n" SHA1 "\n", FEED_DIGESTS },
	{ "md5sum", MD5 "  a\n", FEED_DIGESTS },
	{ "hashdeep", "%%%% HASHDEEP-1.0\n", FEED_HASHDEEP },
	{ "CSV", "# id,url,tags\n\"1\",\"http://a.example/x\",\"t\"\n\"2\",\"http://b.example/x\",\"t\"\n", FEED_CSV },
	{ "CSV without quotes", "first_seen,dst_ip,dst_port\n2026-01-15,192.0.2.50,443\n", FEED_CSV },
	{ "Adblock", "! x\n||a.example^\n", FEED_ADBLOCK },
	{ "Adblock by its head", "[Adblock Plus 2.0]\n", FEED_ADBLOCK },
	{ "RPZ", "$TTL 30\n@ SOA a. b. 1 2 3 4 5\na.example CNAME .\n", FEED_RPZ },
	{ "RPZ without a head", "a.example CNAME .\nb.example CNAME .\n", FEED_RPZ },
	{ "an event of MISP", " {\n \"Event\" : {\"info\":\"x\"}}", FEED_MISP },
	{ "events as the API answers", "{\"response\":[{\"Event\":{\"info\":\"x\"}}]}", FEED_MISP },
	{ "a bundle, with a byte order mark", "\xef\xbb\xbf{\"type\":\"bundle\",\"objects\":[]}", FEED_STIX },
	{ "ThreatFox's JSON", "{\"1\":[{\"ioc_value\":\"x\",\"ioc_type\":\"url\"}]}", FEED_ABUSE_JSON },
	{ "Feodo's JSON", "[{\"ip_address\":\"192.0.2.1\"}]", FEED_ABUSE_JSON },
	{ "JSON of others", "{\"a\":[1]}", -1 },
	{ "URLhaus", "# id,dateadded,url,url_status,last_online\r\n\"1\",\"x\",\"http://a.example/\",\"online\",\"\"\r\n", FEED_ABUSE_CSV },
	{ "MalwareBazaar", "# x\n# \"first_seen_utc\",\"sha256_hash\",\"md5_hash\"\n", FEED_ABUSE_CSV },
	{ "a container of ClamAV", "ClamAV-VDB:16 Mar 2016 23-17 +0000:57:1:60:X:X:x:1", FEED_CVD },
	{ "prose", "Dear all,\nthis is no list.\n", -1 },
	{ "nothing", "", -1 },
	{ "comments", "# x\n", -1 },
	{ "bytes", "\x7f""ELF\001\002\n\003\n", -1 },
};

static void
test_proposals(void)
{
	static char text[1 << 18];
	enum feed_format format;

	for (size_t i = 0; i < COUNT(proposals); i++) {
		int r = feed_format_propose(guard_copy(slice_str(proposals[i].text)), &format);

		ok(proposals[i].format == -1 ? r == -1 : r == 0 && (int)format == proposals[i].format, "it looks like %s",
		    proposals[i].idea);
	}
	memset(text, 'a', sizeof(text));
	ok(feed_format_propose(slice_make(text, sizeof(text)), &format) == -1, "a long line is no list");
}

int
main(void)
{
	test_formats();
	test_bytes();
	test_bounds();
	test_long_owner();
	test_open_parenthesis();
	test_stop();
	test_options();
	test_names();
	test_proposals();
	return tap_done();
}
