/* Feeds in JSON, and those of abuse.ch: what becomes of them, with all that is known to go wrong in them. */
#include "t/feed_rows.h"

#define D1	"5bad1b96-53bc-4148-87eb-50d50a016219"
#define NOW	1795770000	/* 2026-11-27 */

static const struct way ways[] = {
	{ ", after a preview", true, 0 },
	{ ", by bytes", true, 1 },
	{ ", by elevens", true, 11 },
};

static void
test_streams(enum feed_format format, const struct feed_options *options, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < COUNT(ways); k++)
			test_row_by(format, options, &rows[i], slice_str(rows[i].text), &ways[k]);
}

/* ---- MISP ---- */

#define EVENT(attributes)	"{\"Event\":{\"info\":\"E\",\"Attribute\":[" attributes "]}}"
#define ATTR(type, value)	"{\"type\":\"" type "\",\"value\":\"" value "\",\"to_ids\":true,\"deleted\":false,\"comment\":\"\"}"
#define OBJECT(name, list)	"{\"Event\":{\"info\":\"E\",\"Object\":[{\"name\":\"" name "\",\"Attribute\":[" list "]}]}}"
#define PART(type, value, ids)	"{\"type\":\"" type "\",\"object_relation\":\"" type "\",\"value\":\"" value "\",\"to_ids\":" ids "}"

static const struct row misp[] = {
	{ "digests", EVENT(ATTR("md5", MD5) "," ATTR("sha1", SHA1) "," ATTR("sha256", SHA256)),
	    "block file *:md5:" MD5 " {E}\nblock file *:sha1:" SHA1 " {E}\nblock file *:sha256:" SHA256 " {E}\n", 0, 0, NULL },
	{ "files with their names", EVENT(ATTR("filename|md5", "a|b.exe|" MD5) "," ATTR("filename|sha1", "x|" SHA1) ","
	    ATTR("filename|sha256", "y|" SHA256) "," ATTR("malware-sample", "z|" MD5)),
	    "block file *:md5:" MD5 " [a|b.exe] {E}\nblock file *:sha1:" SHA1 " [x] {E}\nblock file *:sha256:" SHA256 " [y] {E}\n"
	    "block file *:md5:" MD5 " [z] {E}\n", 0, 0, NULL },
	{ "hosts", EVENT(ATTR("domain", "A.example") "," ATTR("hostname", "b.example.")),
	    "block host a.example {E}\nblock host b.example {E}\n", 0, 0, NULL },
	{ "URLs", EVENT(ATTR("url", "http://a.example:8080/x") "," ATTR("url", "b.example/y")),
	    "block url a.example/x {E}\nblock url b.example/y {E}\n", 0, 0, NULL },
	{ "addresses", EVENT(ATTR("ip-dst", "192.0.2.7") "," ATTR("ip-dst", "192.0.2.0/24") "," ATTR("ip-dst", "2001:db8::1")),
	    "block host 192.0.2.7 {E}\nblock address 192.0.2.0/24 {E}\nblock host [2001:db8::1] {E}\n", 0, 0, NULL },
	{ "a port makes it narrower than a rule", EVENT(ATTR("ip-dst|port", "192.0.2.7|443") "," ATTR("hostname|port", "a.example|1")),
	    "", 2, 0, NULL },
	{ "of a name and its address the name", EVENT(ATTR("domain|ip", "a.example|192.0.2.7")), "block host a.example {E}\n", 0, 0, NULL },
	{ "what looks like a digest and is none", EVENT(ATTR("imphash", MD5) "," ATTR("authentihash", SHA256) "," ATTR("pehash", SHA1) ","
	    ATTR("vhash", MD5) "," ATTR("ssdeep", "3:a:b") "," ATTR("tlsh", "T1") "," ATTR("x509-fingerprint-md5", MD5) ","
	    ATTR("x509-fingerprint-sha1", SHA1) "," ATTR("filename|imphash", "a|" MD5) "," ATTR("telfhash", MD5)), "", 10, 0, NULL },
	{ "types for others", EVENT(ATTR("ip-src", "192.0.2.7") "," ATTR("email-src", "a@b.example") "," ATTR("filename", "a.exe") ","
	    ATTR("size-in-bytes", "35") "," ATTR("link", "http://blog.example/") "," ATTR("text", "x")), "", 6, 0, NULL },
	{ "not to_ids", EVENT("{\"type\":\"md5\",\"value\":\"" MD5 "\",\"to_ids\":false},{\"type\":\"md5\",\"value\":\"" MD5 "\"},"
	    "{\"type\":\"md5\",\"value\":\"" MD5 "\",\"to_ids\":\"0\"},{\"type\":\"md5\",\"value\":\"" MD5 "\",\"to_ids\":null}"),
	    "", 4, 0, NULL },
	{ "to_ids in the words of older versions", EVENT("{\"type\":\"md5\",\"value\":\"" MD5 "\",\"to_ids\":\"1\"},"
	    "{\"type\":\"sha1\",\"value\":\"" SHA1 "\",\"to_ids\":1}"), "block file *:md5:" MD5 " {E}\nblock file *:sha1:" SHA1 " {E}\n", 0, 0, NULL },
	{ "deleted", EVENT("{\"type\":\"md5\",\"value\":\"" MD5 "\",\"to_ids\":true,\"deleted\":true},"
	    "{\"type\":\"md5\",\"value\":\"" MD5 "\",\"to_ids\":true,\"deleted\":\"1\"}"), "", 2, 0, NULL },
	{ "a comment", EVENT("{\"comment\":\" C2 server \",\"type\":\"domain\",\"value\":\"a.example\",\"to_ids\":true}"),
	    "block host a.example {E: C2 server}\n", 0, 0, NULL },
	{ "the name of the event behind what it has", "{\"Event\":{\"Attribute\":[" ATTR("domain", "a.example") "],\"info\":\"last\"}}",
	    "block host a.example {last}\n", 0, 0, NULL },
	{ "several events, of which not all have a name", "{\"response\":[{\"Event\":{\"Attribute\":[" ATTR("domain", "a.example")
	    "],\"info\":\"1\"}},{\"Event\":{\"Attribute\":[" ATTR("domain", "b.example") "]}},{\"Event\":{\"Attribute\":["
	    ATTR("domain", "c.example") "],\"info\":\"3\"}}]}", "block host a.example {1}\nblock host b.example\nblock host c.example {3}\n",
	    0, 0, NULL },
	{ "a list of events", "[" EVENT(ATTR("domain", "a.example")) "," EVENT(ATTR("domain", "b.example")) "]",
	    "block host a.example {E}\nblock host b.example {E}\n", 0, 0, NULL },
	{ "attributes as the API answers", "{\"response\":{\"Attribute\":[" ATTR("domain", "a.example") "]}}", "block host a.example\n",
	    0, 0, NULL },
	{ "proposals, and what is related", "{\"Event\":{\"ShadowAttribute\":[" ATTR("domain", "a.example") "],\"RelatedEvent\":["
	    EVENT(ATTR("domain", "b.example")) "],\"Galaxy\":[{\"Attribute\":[" ATTR("domain", "c.example") "]}]}}", "", 0, 0, NULL },
	{ "bad values", "{\"Event\":{\"Attribute\":[\n" ATTR("md5", "abc") ",\n" ATTR("md5", SHA1) ",\n" ATTR("domain", "a b") ",\n"
	    ATTR("url", "hxxp://a.example/") ",\n" ATTR("ip-dst", "a.example") ",\n" ATTR("domain|ip", "a.example") ",\n" ATTR("filename|md5", "x") ",\n"
	    ATTR("domain", "*.a.example") ",\n" ATTR("domain", "") ",\n" ATTR("domain", "z.example") "]}}",
	    "block host z.example\n", 0, 9, "2:1 not as many digits as md5 has: \"abc\"" },
	{ "a value that is no text", EVENT("{\"type\":\"domain\",\"value\":[\"a.example\"],\"to_ids\":true}"), "", 0, 1, "1:35 host" },
	{ "a bad piece costs itself", EVENT("{\"type\":}," ATTR("domain", "a.example")), "block host a.example {E}\n", 0, 1, "1:43 unexpected" },
	{ "latin-1", EVENT("{\"comment\":\"caf\xe9\",\"type\":\"domain\"}," ATTR("domain", "a.example")), "block host a.example {E}\n", 0, 1,
	    "1:50 unable to decode byte 0xe9" },
	{ "broken in the middle", EVENT(ATTR("domain", "a.example") " x " ATTR("domain", "b.example")), "block host a.example {E}\n", 0, 1,
	    "1:116 expected a comma, or the end of what is open: nothing behind this is read, the 1 entries before it count" },
	{ "cut off", "{\"Event\":{\"Attribute\":[" ATTR("domain", "a.example") ",\n{\"type\":\"dom", "block host a.example\n", 0, 1,
	    "2:13 the JSON ends before its end: nothing behind this is read, the 1 entries before it count" },
	{ "nothing", "", "", 0, 1, "1:1 there is no JSON" },
	{ "a page about an error", "<html>", "", 0, 1, "1:1 expected a value" },
	{ "CR LF and a byte order mark", "\xef\xbb\xbf{\"Event\":\r\n{\"Attribute\":\r\n[" ATTR("domain", "a b") "]}}\r\n", "", 0, 1, "3:2 blank" },
	{ "a file with its size", OBJECT("file", PART("size-in-bytes", "35", "false") "," PART("md5", MD5, "true") "," PART("sha256", SHA256, "true")
	    "," PART("filename", "oui", "false") "," PART("imphash", MD5, "true") "," PART("ssdeep", "3:x", "true")),
	    "block file 35:sha256:" SHA256 " [oui] {E}\n", 0, 0, NULL },
	{ "the longest of what is wanted", OBJECT("file", PART("md5", MD5, "true") "," PART("sha256", SHA256, "false") "," PART("size-in-bytes",
	    "7", "true")), "block file 7:md5:" MD5 " {E}\n", 0, 0, NULL },
	{ "a file that nobody wants", OBJECT("file", PART("md5", MD5, "false") "," PART("size-in-bytes", "7", "true")), "", 1, 0, NULL },
	{ "sizes that differ", OBJECT("file", PART("md5", MD5, "true") "," PART("size-in-bytes", "7", "true") "," PART("size-in-bytes", "8",
	    "true")), "block file *:md5:" MD5 " {E}\n", 0, 0, NULL },
	{ "sizes that are none", OBJECT("file", PART("md5", MD5, "true") "," PART("size-in-bytes", "x", "true") "," PART("size-in-bytes", "0",
	    "true")), "block file *:md5:" MD5 " {E}\n", 0, 0, NULL },
	{ "two files in one", OBJECT("file", PART("sha1", SHA1, "true") "," PART("sha1", "0000000000000000000000000000000000000001", "true") ","
	    PART("size-in-bytes", "7", "true")),
	    "block file *:sha1:" SHA1 " {E}\nblock file *:sha1:0000000000000000000000000000000000000001 {E}\n", 0, 0, NULL },
	{ "a sample in a file", OBJECT("file", "{\"type\":\"malware-sample\",\"object_relation\":\"malware-sample\",\"value\":\"a.exe|" MD5
	    "\",\"to_ids\":true,\"data\":\"UEsDBA==\"}," PART("size-in-bytes", "7", "true")), "block file 7:md5:" MD5 " [a.exe] {E}\n", 0, 0, NULL },
	{ "a digest of something in the file", OBJECT("file", "{\"type\":\"md5\",\"object_relation\":\"certificate-md5\",\"value\":\"" MD5
	    "\",\"to_ids\":true}"), "", 1, 0, NULL },
	{ "a good file", OBJECT("file", PART("md5", MD5, "true") ",{\"type\":\"text\",\"object_relation\":\"state\",\"value\":\"Harmless\"}"), "", 1, 0,
	    NULL },
	{ "digests of sections", OBJECT("pe-section", PART("md5", MD5, "true") "," PART("size-in-bytes", "7", "true")), "", 1, 0, NULL },
	{ "the empty file", OBJECT("file", PART("md5", EMPTY, "true")), "", 1, 0, NULL },
	{ "a deleted object", "{\"Event\":{\"Object\":[{\"name\":\"file\",\"deleted\":true,\"Attribute\":[" PART("md5", MD5, "true") "]}]}}", "", 1, 0,
	    NULL },
	{ "of a URL's parts the URL", OBJECT("url", PART("url", "http://a.example/x", "true") "," PART("domain", "a.example", "true") ","
	    PART("hostname", "www.a.example", "true")), "block url a.example/x {E}\n", 0, 0, NULL },
	{ "of a name and its addresses the name", OBJECT("domain-ip", PART("domain", "a.example", "true") "," PART("ip-dst", "192.0.2.7",
	    "true")), "block host a.example {E}\n", 0, 0, NULL },
	{ "an address with a port", OBJECT("ip-port", PART("ip-dst", "192.0.2.7", "true") "," PART("port", "443", "false")), "", 1, 0, NULL },
	{ "without", OBJECT("ip-port", PART("ip-dst", "192.0.2.7", "true")), "block host 192.0.2.7 {E}\n", 0, 0, NULL },
	{ "the name server of a domain", OBJECT("whois", PART("hostname", "ns.registrar.example", "true")), "", 1, 0, NULL },
	{ "an object without attributes", "{\"Event\":{\"Object\":[{\"name\":\"file\"},{},1]}}", "", 2, 0, NULL },
};

static const struct row misp_ports[] = {
	{ "ports are dropped when asked", EVENT(ATTR("ip-dst|port", "192.0.2.7|443") "," ATTR("hostname|port", "a.example|1") ","
	    ATTR("ip-dst|port", "192.0.2.8:443")), "block host 192.0.2.7 {E}\nblock host a.example {E}\nblock host 192.0.2.8 {E}\n", 0, 0, NULL },
	{ "in objects, too", OBJECT("ip-port", PART("ip-dst", "192.0.2.7", "true") "," PART("port", "443", "false")),
	    "block host 192.0.2.7 {E}\n", 0, 0, NULL },
	{ "a port that is none", EVENT(ATTR("ip-dst|port", "192.0.2.7|x")), "", 0, 1, "1:35 the port is no number" },
};

/* ---- STIX ---- */

#define BUNDLE(objects)	"{\"type\":\"bundle\",\"id\":\"bundle--1\",\"objects\":[" objects "]}"
#define INDICATOR(more)	"{\"type\":\"indicator\",\"id\":\"indicator--1\",\"pattern_type\":\"stix\"," more "}"
#define NAMELESS(more)	"{\"type\":\"indicator\",\"pattern_type\":\"stix\"," more "}"
#define HOST_A	"\"pattern\":\"[domain-name:value='a.example']\""

static const struct row stix[] = {
	{ "an indicator", BUNDLE(INDICATOR(HOST_A ",\"valid_from\":\"2026-01-01T00:00:00Z\",\"name\":\"Bad\"")), "block host a.example {Bad}\n", 0, 0,
	    NULL },
	{ "of STIX 2.0, without a language", BUNDLE("{\"type\":\"indicator\"," HOST_A ",\"labels\":[\"malicious-activity\"]}"), "block host a.example\n",
	    0, 0, NULL },
	{ "other objects", BUNDLE("{\"type\":\"identity\",\"name\":\"x\"},{\"type\":\"malware\",\"pattern\":\"[domain-name:value='a.example']\"},"
	    INDICATOR(HOST_A)), "block host a.example\n", 2, 0, NULL },
	{ "a TAXII envelope", "{\"more\":false,\"objects\":[" INDICATOR(HOST_A) "]}", "block host a.example\n", 0, 0, NULL },
	{ "a bare list", "[" INDICATOR(HOST_A) "]", "block host a.example\n", 0, 0, NULL },
	{ "patterns of others", BUNDLE("{\"type\":\"indicator\",\"pattern_type\":\"snort\",\"pattern\":\"alert tcp any\"},"
	    "{\"type\":\"indicator\",\"pattern_type\":\"yara\",\"pattern\":\"rule x\"}"), "", 2, 0, NULL },
	{ "revoked", BUNDLE(INDICATOR(HOST_A ",\"revoked\":true")), "", 1, 0, NULL },
	{ "ended", BUNDLE(INDICATOR(HOST_A ",\"valid_until\":\"2026-11-26T00:00:00.000Z\"")), "", 1, 0, NULL },
	{ "not begun", BUNDLE(INDICATOR(HOST_A ",\"valid_from\":\"2026-12-01T00:00:00Z\"")), "", 1, 0, NULL },
	{ "an end to come", BUNDLE(INDICATOR(HOST_A ",\"valid_until\":\"2027-01-01T00:00:00.123456Z\"")),
	    "block host a.example until 1798761600\n", 0, 0, NULL },
	{ "an end that is none", BUNDLE(INDICATOR(HOST_A ",\"valid_until\":\"soon\"")), "", 0, 1, "1:46 valid_until is no moment" },
	{ "what is good", BUNDLE(INDICATOR(HOST_A ",\"indicator_types\":[\"benign\"]") "," INDICATOR(HOST_A ",\"labels\":[\"x\",\"Benign\"]")), "", 2, 0,
	    NULL },
	{ "a file with all", BUNDLE(INDICATOR("\"pattern\":\"[file:hashes.'MD5' = '" MD5 "' AND file:hashes.'SHA-256' = '" SHA256
	    "' AND file:size = 35 AND file:name = 'oui']\"")), "block file 35:sha256:" SHA256 " [oui]\n", 0, 0, NULL },
	{ "alternatives", BUNDLE(INDICATOR("\"pattern\":\"[url:value = 'http://a.example/x' OR ipv4-addr:value IN ('198.51.100.1/32', '192.0.2.0/24', "
	    "'192.0.2.7') OR file:name = 'x']\"")),
	    "block url a.example/x\nblock address 198.51.100.1\nblock address 192.0.2.0/24\nblock host 192.0.2.7\n", 1, 0, NULL },
	{ "all below a host", BUNDLE(INDICATOR("\"pattern\":\"[domain-name:value = 'A.example' OR domain-name:value LIKE '%.A.example']\"")),
	    "block host a.example\nblock host *.a.example\n", 0, 0, NULL },
	{ "below what is none", BUNDLE(INDICATOR("\"pattern\":\"[domain-name:value LIKE '%.2.3.4' OR domain-name:value LIKE '%.a b' OR "
	    "domain-name:value LIKE '%..x.example' OR domain-name:value LIKE '%.*.x.example' OR domain-name:value LIKE '%.']\"")), "", 0, 5,
	    "1:46 " },
	{ "a conjunct that would widen", BUNDLE(INDICATOR("\"pattern\":\"[domain-name:value='a.example' AND file:size=1024]\"")), "", 1, 0, NULL },
	{ "no pattern", BUNDLE("\n" INDICATOR("\"pattern\":\"[domain-name:value=]\"")), "", 0, 1, "2:1 expected a value in the pattern: \"]\"" },
	{ "a pattern that is missing", BUNDLE("{\"type\":\"indicator\"}"), "", 0, 1, "1:46 expected a bracket" },
	{ "values that are none", BUNDLE(INDICATOR("\"pattern\":\"[domain-name:value='a b' OR ipv4-addr:value='x.example' OR file:hashes.MD5='" SHA1
	    "' OR url:value='hxxp://x/' OR domain-name:value='.x.example' OR file:hashes.MD5 = 'xx']\"")), "", 0, 6, "1:46 blank" },
	{ "sizes that no rule has", BUNDLE(INDICATOR("\"pattern\":\"[file:hashes.MD5='" MD5 "' AND file:size=0]\"")), "", 1, 0, NULL },
	{ "the empty file", BUNDLE(INDICATOR("\"pattern\":\"[file:hashes.MD5='" EMPTY "']\"")), "", 1, 0, NULL },
	{ "a later version", BUNDLE(INDICATOR(HOST_A ",\"modified\":\"2026-01-01T00:00:00.000Z\"") ","
	    INDICATOR("\"pattern\":\"[domain-name:value='b.example']\",\"modified\":\"2026-01-01T00:00:00.001Z\"")), "block host b.example\n", 1, 0, NULL },
	{ "two that have no id are no versions of one", BUNDLE(NAMELESS(HOST_A ",\"modified\":\"2026-01-01T00:00:00.000Z\"") ","
	    NAMELESS("\"pattern\":\"[domain-name:value='b.example']\",\"modified\":\"2026-01-01T00:00:00.001Z\"")),
	    "block host a.example\nblock host b.example\n", 0, 0, NULL },
	{ "a later version that revokes", BUNDLE(INDICATOR(HOST_A ",\"modified\":\"2026-01-02T00:00:00Z\",\"revoked\":true") ","
	    INDICATOR(HOST_A ",\"modified\":\"2026-01-01T00:00:00.000Z\"")), "", 2, 0, NULL },
	{ "broken in the middle", BUNDLE(INDICATOR(HOST_A) "}"), "block host a.example\n", 0, 1,
	    "1:152 expected ] and not }: nothing behind this is read, the 1 entries before it count" },
	{ "a NUL in a pattern", BUNDLE(INDICATOR("\"pattern\":\"[domain-name:value='a.example\\u0000b']\"") "," INDICATOR(HOST_A)),
	    "block host a.example\n", 0, 1, "1:157 a NUL in a text" },
	{ "objects that are none", BUNDLE("1,[],\"x\",null," INDICATOR(HOST_A)), "block host a.example\n", 0, 0, NULL },
};

static const struct row stix_sure[] = {
	{ "a confidence that is asked for", BUNDLE(INDICATOR(HOST_A ",\"confidence\":49") "," INDICATOR(HOST_A) ","
	    INDICATOR("\"pattern\":\"[domain-name:value='b.example']\",\"confidence\":50")), "block host b.example\n", 2, 0, NULL },
};

/* ---- abuse.ch ---- */

#define URLHAUS	"################\r\n# abuse.ch URLhaus Database Dump (CSV - recent URLs only) #\r\n# id,dateadded,url,url_status,last_online,threat,tags," \
	"urlhaus_link,reporter\r\n"
#define BAZAAR	"# \"first_seen_utc\",\"sha256_hash\",\"md5_hash\",\"sha1_hash\",\"reporter\",\"file_name\",\"file_type_guess\",\"mime_type\"," \
	"\"signature\",\"clamav\",\"vtpercent\",\"imphash\"\n"
#define THREATFOX	"# \"first_seen_utc\",\"ioc_id\",\"ioc_value\",\"ioc_type\",\"threat_type\",\"fk_malware\",\"malware_alias\"," \
	"\"malware_printable\",\"last_seen_utc\",\"confidence_level\",\"is_compromised\",\"reference\",\"tags\",\"anonymous\",\"reporter\"\n"
#define FOX_ROW(value, type, level)	"\"2026-07-21 05:35:20\", \"1\", \"" value "\", \"" type "\", \"botnet_cc\", \"win.x\", \"None\", \"Tofsee\", \"\", \"" \
	level "\", \"False\", \"None\", \"a,b\", \"0\", \"r\"\n"

static const struct row abuse_csv[] = {
	{ "URLhaus", URLHAUS "\"1\",\"2026-10-05 10:00:00\",\"http://203.0.113.55:4444/bin.sh\",\"online\",\"\",\"malware_download\",\"32-bit,elf,mips\","
	    "\"https://urlhaus.abuse.ch/url/1/\",\"r\"\r\n\"2\",\"x\",\"http://a.example/x,y\",\"offline\",\"\",\"\",\"None\",\"x\",\"r\"\r\n",
	    "block url 203.0.113.55/bin.sh\nblock url a.example/x,y\n", 0, 0, NULL },
	{ "MalwareBazaar: rows that are longer than the header, and no imphash", BAZAAR "\"2026-08-11 05:46:57\", \"" SHA256 "\", \"" MD5 "\", \"" SHA1
	    "\", \"rep\", \"x.sh\", \"sh\", \"text/x-shellscript\", \"Mirai\", \"n/a\", \"n/a\", \"00112233445566778899aabbccddeeff\", \"3:x\", \"T1\"\n",
	    "block file *:sha256:" SHA256 " [x.sh] {Mirai}\n", 0, 0, NULL },
	{ "MalwareBazaar: n/a", BAZAAR "\"x\", \"n/a\", \"" MD5 "\", \"n/a\", \"rep\", \"n/a\", \"sh\", \"x\", \"n/a\", \"n/a\", \"n/a\", \"" SHA1 "\"\n"
	    "\"x\", \"n/a\", \"None\", \"n/a\", \"rep\", \"n/a\", \"sh\", \"x\", \"n/a\", \"n/a\", \"n/a\", \"" MD5 "\"\n", "block file *:md5:" MD5 "\n", 1, 0,
	    NULL },
	{ "ThreatFox: the type decides", THREATFOX FOX_ROW("157.20.182.81:425", "ip:port", "75") FOX_ROW("a.example", "domain", "75")
	    FOX_ROW("http://b.example/x", "url", "75") FOX_ROW(MD5, "md5_hash", "75") FOX_ROW(SHA1, "sha1_hash", "75")
	    FOX_ROW(SHA256, "sha256_hash", "75") FOX_ROW(SHA384, "sha3_384_hash", "75"),
	    "block host a.example {Tofsee}\nblock url b.example/x {Tofsee}\nblock file *:md5:" MD5 " {Tofsee}\nblock file *:sha1:" SHA1
	    " {Tofsee}\nblock file *:sha256:" SHA256 " {Tofsee}\n", 2, 0, NULL },
	{ "ThreatFox: values that are not of their type", THREATFOX FOX_ROW(SHA1, "md5_hash", "75") FOX_ROW("192.0.2.1", "ip:port", "75")
	    FOX_ROW("*.x.example", "domain", "75"), "", 0, 3, "2:29 not as many digits as md5 has: \"" SHA1 "\"" },
	{ "Feodo, without a comment", "\xef\xbb\xbf\"first_seen_utc\",\"dst_ip\",\"dst_port\",\"c2_status\",\"last_online\",\"malware\"\n"
	    "\"2024-01-15 10:30:00\",\"192.0.2.50\",\"443\",\"online\",\"2024-01-15\",\"Dridex\"\n", "", 1, 0, NULL },
	{ "no header", "\"1\",\"x\",\"http://a.example/\"\n", "", 0, 1, "1:1 no header" },
	{ "a row that is cut off", URLHAUS "\"1\",\"x\"\n", "", 0, 1, "4:1 the row has only 2 columns" },
	{ "a quote that is not closed", URLHAUS "\"1\",\"x\n", "", 0, 1, "4:5 the quote is not closed" },
	{ "a comment at the end", URLHAUS "# number of entries: 0\r\n", "", 0, 0, NULL },
	{ "payloads: the URL and the file", "# firstseen,url,filetype,md5,sha256,signature\n\"x\",\"http://a.example/x\",\"exe\",\"" MD5 "\",\"" SHA256
	    "\",\"None\"\n", "block url a.example/x\nblock file *:sha256:" SHA256 "\n", 0, 0, NULL },
};

static const struct row abuse_ports[] = {
	{ "ThreatFox: ports are dropped when asked", THREATFOX FOX_ROW("157.20.182.81:425", "ip:port", "75") FOX_ROW("[2001:db8::1]:1", "ip:port", "75")
	    FOX_ROW("2001:db8::1:443", "ip:port", "75"), "block host 157.20.182.81 {Tofsee}\nblock host [2001:db8::1] {Tofsee}\n", 0, 1,
	    "4:29 no port behind the host" },
	{ "Feodo: ports are dropped when asked", "# first_seen_utc,dst_ip,dst_port,c2_status,last_online,malware\n"
	    "2024-01-15 10:30:00,192.0.2.50,443,online,2024-01-15,Dridex\n", "block host 192.0.2.50 {Dridex}\n", 0, 0, NULL },
};

static const struct row abuse_filters[] = {
	{ "URLhaus: what is online", URLHAUS "\"1\",\"x\",\"http://a.example/\",\"online\",\"\",\"\",\"\",\"\",\"\"\n"
	    "\"2\",\"x\",\"http://b.example/\",\"offline\",\"\",\"\",\"\",\"\",\"\"\n", "block url a.example/\n", 1, 0, NULL },
};

static const struct row abuse_sure[] = {
	{ "ThreatFox: a confidence that is asked for", THREATFOX FOX_ROW("a.example", "domain", "49") FOX_ROW("b.example", "domain", "50")
	    FOX_ROW("c.example", "domain", "") FOX_ROW("d.example", "domain", "100"), "block host b.example {Tofsee}\nblock host d.example {Tofsee}\n", 2,
	    0, NULL },
};

static const struct row abuse_json[] = {
	{ "URLhaus", "{\"3928700\":[{\"dateadded\":\"x\",\"url\":\"http://a.example/x\",\"url_status\":\"offline\",\"last_online\":null,\"tags\":null}],\n"
	    "\"2\":[{\"url\":\"http://b.example/\",\"url_status\":\"online\",\"tags\":[\"elf\"]}]}", "block url a.example/x\nblock url b.example/\n", 0, 0, NULL },
	{ "ThreatFox", "{\"1\":[{\"ioc_value\":\"192.0.2.7:425\",\"ioc_type\":\"ip:port\",\"confidence_level\":75}],"
	    "\"2\":[{\"ioc_value\":\"" MD5 "\",\"ioc_type\":\"md5_hash\",\"malware_printable\":\"X\",\"confidence_level\":75}]}",
	    "block file *:md5:" MD5 " {X}\n", 1, 0, NULL },
	{ "ThreatFox's API", "{\"query_status\":\"ok\",\"data\":[{\"id\":\"1\",\"ioc\":\"a.example\",\"ioc_type\":\"domain\"}]}", "block host a.example\n", 0, 0,
	    NULL },
	{ "MalwareBazaar's API: with sizes", "{\"query_status\":\"ok\",\"data\":[{\"sha256_hash\":\"" SHA256 "\",\"sha1_hash\":\"" SHA1 "\",\"md5_hash\":\""
	    MD5 "\",\"file_name\":\"x.exe\",\"file_size\":1234,\"imphash\":\"" MD5 "\",\"signature\":null}]}", "block file 1234:sha256:" SHA256 " [x.exe]\n",
	    0, 0, NULL },
	{ "a size in quotes", "{\"payloads\":[{\"sha256_hash\":null,\"md5_hash\":\"" MD5 "\",\"file_size\":\"99\"}]}", "block file 99:md5:" MD5 "\n", 0, 0,
	    NULL },
	{ "sizes that are none", "{\"payloads\":[{\"md5_hash\":\"" MD5 "\",\"file_size\":\"x\"},\n{\"md5_hash\":\"" MD5 "\",\"file_size\":0}]}", "", 1, 1,
	    "1:14 the size is no number" },
	{ "Feodo: a port makes it narrower", "[{\"ip_address\":\"192.0.2.50\",\"port\":443,\"malware\":\"Dridex\"}]", "", 1, 0, NULL },
	{ "Feodo: without one", "[{\"ip_address\":\"192.0.2.50\",\"port\":null,\"malware\":\"Dridex\"}]", "block host 192.0.2.50 {Dridex}\n", 0, 0, NULL },
	{ "an answer without results", "{\"query_status\":\"no_results\"}", "", 0, 0, NULL },
	{ "records without any", "{\"1\":[{\"x\":1},{}],\"2\":[1,\"x\"]}", "", 2, 0, NULL },
};

static const struct row abuse_json_filters[] = {
	{ "what is online", "{\"1\":[{\"url\":\"http://a.example/\",\"url_status\":\"online\"},{\"url\":\"http://b.example/\",\"url_status\":\"offline\"},"
	    "{\"url\":\"http://c.example/\"}]}", "block url a.example/\n", 2, 0, NULL },
};

/* A line of a gigabyte is not held in memory. */
static int
count(void *arg, const struct feed_entry *e)
{
	(void)e;
	++*(unsigned *)arg;
	return 0;
}

static void
test_long_line(enum feed_format format)
{
	static char filler[1 << 20];
	unsigned seen = 0;
	struct feed_counts n = { 0 };
	struct feed *f = feed_new(format, NULL, "x", count, &seen, NULL);

	memset(filler, 'x', sizeof(filler));
	feed_text(f, SLICE("{\"Event\":{\"a\":\""));
	for (int i = 0; i < 1024; i++)
		feed_text(f, slice_make(filler, sizeof(filler)));
	feed_text(f, SLICE("\",\"Attribute\":[" ATTR("domain", "a.example") "]}}"));
	ok(feed_end(f, &n) == 0 && n.lines == 1 && n.bytes > (1 << 30) && seen == (format == FEED_MISP), "%s: a line of a gigabyte",
	    feed_format_name(format));
	feed_free(f);
}

static int
stop(void *arg, const struct feed_entry *e)
{
	(void)e;
	return ++*(unsigned *)arg == 2 ? 42 : 0;
}

static void
test_stop(enum feed_format format, const char *text)
{
	struct feed_counts n;
	unsigned seen = 0;
	struct feed *f = feed_new(format, NULL, "x", stop, &seen, NULL);

	ok(feed_preview(f, slice_str(text)) == 0 && feed_text(f, slice_str(text)) == 42 && seen == 2 && feed_text(f, slice_str(text)) == 42 &&
	    feed_end(f, &n) == 42 && n.entries == 2, "%s: the visitor stops it", feed_format_name(format));
	feed_free(f);
}

int
main(void)
{
	static const struct feed_filter online[] = { { "url_status", "online" } };
	const struct feed_options ports = { .ports = true }, now = { .now = NOW }, sure = { .now = NOW, .confidence = 50 },
	    filter = { .filters = online, .n_filters = 1 }, confident = { .confidence = 50 };

	test_streams(FEED_MISP, NULL, misp, COUNT(misp));
	test_streams(FEED_MISP, &ports, misp_ports, COUNT(misp_ports));
	test_streams(FEED_STIX, &now, stix, COUNT(stix));
	test_streams(FEED_STIX, &sure, stix_sure, COUNT(stix_sure));
	test_rows(FEED_ABUSE_CSV, NULL, abuse_csv, COUNT(abuse_csv));
	test_rows(FEED_ABUSE_CSV, &ports, abuse_ports, COUNT(abuse_ports));
	test_rows(FEED_ABUSE_CSV, &filter, abuse_filters, COUNT(abuse_filters));
	test_rows(FEED_ABUSE_CSV, &confident, abuse_sure, COUNT(abuse_sure));
	test_streams(FEED_ABUSE_JSON, NULL, abuse_json, COUNT(abuse_json));
	test_streams(FEED_ABUSE_JSON, &filter, abuse_json_filters, COUNT(abuse_json_filters));
	test_long_line(FEED_MISP);
	test_stop(FEED_MISP, EVENT(ATTR("domain", "a.example") "," ATTR("domain", "b.example") "," ATTR("domain", "c.example")));
	test_stop(FEED_STIX, BUNDLE(INDICATOR("\"pattern\":\"[domain-name:value IN ('a.example','b.example','c.example')]\"")));
	return tap_done();
}
