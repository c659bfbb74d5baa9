# goals.jq - the figures that Firebreak is held to, out of results.jsonl: what, measured, wanted.
def median: sort | if length == 0 then null elif length % 2 == 1 then .[length / 2 | floor] else (.[length / 2 - 1] + .[length / 2]) / 2 end;
def fixed: if . == null then "-" else (. * 100 | round) / 100 | tostring end;
def pad(n): tostring | if length < n then . + (" " * (n - length)) else . end;
def left(n): tostring | if length < n then (" " * (n - length)) + . else . end;

. as $all |
def of($group; $work; $server; f): [$all[] | select(.group == $group and .work == $work and .server == $server) | f] | median;
# The median of the ratios of single rounds: what the machine does to one measurement it mostly does to the one beside it.
def ratio($group; $work; $a; $b; f):
	[$all[] | select(.group == $group and .work == $work)] as $rows |
	[$rows[] | select(.server == $a) | . as $x | ($rows[] | select(.server == $b and .round == $x.round) | f) as $y | select($y != 0) | ($x | f) / $y] | median;
def minus(a; b): a as $x | b as $y | if $x == null or $y == null then null else $x - $y end;
def goal($what; $value; $most): "  " + ($what | pad(84)) + ($value | fixed | left(8)) + "  <= " + ($most | tostring | pad(6)) +
	(if $value == null then "not measured" elif $value <= $most then "held" else "NOT HELD" end);

"", "goals: Firebreak beside the floor and the peers (medians)",
goal("REQMOD, 5 % listed: CPU / floor that answers alike"; ratio("reqmod"; "5 % listed"; "firebreak"; "floor"; .cpu_us); 1.10),
(("10240", "1048576", "10485760", "1073741824") as $n |
	goal("RESPMOD let go, \($n) bytes: CPU / floor 204"; ratio("let-go"; "\($n) bytes"; "firebreak"; "floor"; .cpu_us); 1.10)),
goal("RESPMOD let go: body bytes sent after the preview"; [$all[] | select(.group == "let-go" and .server == "firebreak") | .after_preview] | max; 0),
(("firebreak_listed", "firebreak_sizeless") as $s | ("length", "chunked") as $f | ("10240", "1048576", "10485760", "104857600") as $n |
	(goal("\($s), \($n) bytes, \($f): CPU / floor echo + MD5"; ratio("hashed"; "\($n) bytes, \($f)"; $s; "floor md5"; .cpu_us); 1.10),
	 goal("\($s), \($n) bytes, \($f): CPU / virus_scan + clamd"; ratio("hashed"; "\($n) bytes, \($f)"; $s; "virus_scan"; .cpu_us); 0.55))),
goal("a page of 100 KB, gzip, let go: CPU / floor 204 that inflates the preview"; ratio("coded"; "a page, gzip"; "firebreak"; "floor peek"; .cpu_us); 1.2),
goal("a file of 100 KB, gzip, hashed: CPU / floor echo + inflate + MD5"; ratio("coded"; "a file, gzip"; "firebreak"; "floor inflate"; .cpu_us); 1.2),
goal("a file of 10 MB, gzip, hashed: CPU / floor echo + inflate + MD5"; ratio("coded"; "a file of 10 MB, gzip"; "firebreak"; "floor inflate"; .cpu_us); 1.2),
goal("4 KB pages through Squid, REQMOD + RESPMOD: CPU of both / with the floor"; ratio("pages"; "4 KB, 16 connections"; "firebreak"; "floor"; .cpu_us); 1.05),
goal("100 MB through Squid, no candidate: last byte / with the floor"; ratio("downloads"; "a video of 104857600 bytes"; "firebreak"; "floor"; .last_us.p50); 1.05),
goal("100 MB of an unknown type, watched for an archive in it: last byte / with the floor's echo + MD5";
	ratio("downloads"; "104857600 bytes"; "firebreak"; "floor_md5"; .last_us.p50); 1.10),
goal("100 MB through Squid, hashed: last byte / with the floor's echo + MD5"; ratio("downloads"; "104857600 bytes"; "firebreak_listed"; "floor_md5"; .last_us.p50); 1.10),
goal("100 MB through Squid, hashed: time to half / Squid alone"; ratio("downloads"; "104857600 bytes"; "firebreak_listed"; "alone"; .half_us.p50); 2),
goal("downloads of 100 KB, 1, 10, 100 MB, 50 each, that were not intact"; [$all[] | select(.group == "intact") | 50 - .requests + .wrong] | add; 0),
goal("memory of all workers with the hosts, MB"; of("memory"; "after 1 s of requests"; "firebreak_hosts"; .pss / 1000000); 42),
goal("memory of all workers with the digests, MB"; of("memory"; "after 1 s of requests"; "firebreak_digests"; .pss / 1000000); 42),
goal("start until the first answer, ms more than the floor"; minus(of("start"; "until the first answer"; "firebreak"; .ms); of("start"; "until the first answer"; "floor"; .ms)); 50),
goal("a list of hosts that grew by one: until it counts / url_check"; ratio("reload"; "a list of hosts that grew by one line"; "firebreak"; "url_check"; .ms); 0.1),
goal("one host more by \"firebreak block\": until it counts / url_check"; ratio("reload"; "a list of hosts that grew by one line"; "firebreak block"; "url_check"; .ms); 0.1),
goal("a list of digests that grew by one: until it counts / clamd"; ratio("reload"; "a list of digests that grew by one line"; "firebreak"; "clamd"; .ms); 0.1),
goal("memory with the hosts / url_check"; ratio("memory"; "after 1 s of requests"; "firebreak_hosts"; "url_check"; .pss); 0.1),
goal("memory with the digests / virus_scan + clamd"; ratio("memory"; "after 1 s of requests"; "firebreak_digests"; "virus_scan"; .pss); 0.1),
goal("the same without what is a file's, which needs no swap: with the hosts / url_check"; ratio("memory"; "after 1 s of requests"; "firebreak_hosts"; "url_check"; .anon); 0.1),
goal("the same without what is a file's: with the digests / virus_scan + clamd"; ratio("memory"; "after 1 s of requests"; "firebreak_digests"; "virus_scan"; .anon); 0.1)
