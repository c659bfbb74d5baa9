# lists.awk - the lists and requests of the benchmark, the same on every machine:
#	awk -v what=domains -v n=1000000 -f lists.awk		a domain a line
#	awk -v what=rules ...					the same as rules(5)
#	awk -v what=urls -v n=1000000 -v ask=20000 ...		URL, tab, verdict: 1 of 20 listed, half of them by a host below
#	awk -v what=digests -v n=1000000 -v kind=hdb|rules ...	MD5 and size, 1 KB to 20 MB, evenly on a logarithmic scale
function domain(i,	word) {
	word = W[(i * 7919) % NW] (i % 3 ? "-" : "") W[int(i / NW) % NW]
	return word sprintf("%x", i) "." T[(i * 31) % NT]
}
function path(i) {
	return "/" W[i % NW] "/" W[(i * 13) % NW] "-" i "/" W[(i * 29) % NW] ".html" (i % 4 ? "" : "?id=" i * 3 "&ref=" W[(i * 5) % NW])
}
function hex(x) { return sprintf("%08x", x % 4294967296) }
function md5(i,	a) {	# no digest of anything: 128 bits that differ
	a = (i * 2654435761) % 4294967296
	return hex(a) hex((a * 40503 + i) % 4294967296) hex((i * 97 + 12345) % 4294967296) hex((a * 31 + 7) % 4294967296)
}
BEGIN {
	NW = split("news mail shop secure login update cloud photo travel bank game music video forum search media health sport " \
	    "auto house city data web store market learn code paper green river stone light north south east west mountain sea " \
	    "garden table chair window door kitchen coffee bread winter summer spring autumn", w, " ")
	for (i = 1; i <= NW; i++) W[i - 1] = w[i]
	NT = split("com com com net org info biz de fr co.uk ru cn top xyz online site", t, " ")
	for (i = 1; i <= NT; i++) T[i - 1] = t[i]
	if (what == "domains")
		for (i = 0; i < n; i++) print domain(i)
	if (what == "rules")
		for (i = 0; i < n; i++) print "block host ." domain(i)
	if (what == "urls")
		for (k = 0; k < ask; k++) {
			i = (k * 48271) % n
			if (k % 20 == 0)
				print "http://" (k % 40 ? "" : "www.") domain(i) path(k) "\tblock"
			else
				print "http://" (k % 3 ? "www." : "") W[k % NW] k "." W[(k * 17) % NW] ".example" path(k) "\tpass"
		}
	if (what == "digests") {
		x = 1
		for (i = 0; i < n; i++) {
			x = (x * 16807) % 2147483647
			size = int(1000 * exp(x / 2147483647 * log(20000)))
			if (size % 1024 == 0) size++	# the sizes that are asked for are nobody's
			if (kind == "hdb") print md5(i) ":" size ":Bench." i
			else print "block file " size ":md5:" md5(i)
		}
	}
}
