/* make_events - lines of an event log for tests of the command: "make_events FROM TO" prints events FROM to TO, without the latter,
 * as the service would write them, with texts that a client could send to forge others or to break what reads them. */
#include <stdio.h>

#include "events/event.h"

enum { USAGE = 2, LINE = 1 << 20, URL_LONG = 65536, LONG_EVERY = 50 };
static const int64_t base_ms = INT64_C(1795418400000);

static const struct slice nasty[] = {
	SLICE("\n<0>1 - - - - - - {\"forged\":1}\n"), SLICE("\",\"x\":\""), SLICE("\\\\\\\""), SLICE("\xff\xfe\xc3"),
	SLICE("\033[2J\007\0\x7f"),
	SLICE("\r\n\r\n12 <1>1 - - -"), SLICE("] [x@1 y=\"z\"]"),
	SLICE("\xe2\x80\xae" "b\xc3\xbc" "cher \xf0\x9f\x98\x80"), SLICE("%msg%%n%s #012"),
	SLICE("\xef\xbb\xbf" "\xc2\x85\xe2\x80\xa8"),
};

static void
print(uint64_t i)
{
	const struct slice *bad = &nasty[i % (sizeof(nasty) / sizeof(*nasty))];
	struct event e;
	struct buf url, user, line;

	buf_init(&url, LINE);
	buf_init(&user, LINE);
	buf_init(&line, LINE);
	buf_addf(&url, "http://www.bad.test/%ju?", (uintmax_t)i);
	buf_add_slice(&url, *bad);
	while (i % LONG_EVERY == 0 && url.len < URL_LONG)
		buf_add_slice(&url, *bad);
	buf_addf(&user, "u%ju", (uintmax_t)i % 7);
	buf_add_slice(&user, *bad);
	event_init(&e);
	e.time_ms = base_ms + (int64_t)i;
	incident_make(e.time_ms, 1, (unsigned)(i & 0x7fff), e.id);
	e.action = (enum event_action)(i % EVENT_ACTIONS);
	e.reason = "host";
	e.client_ip = SLICE("192.0.2.7");
	e.user = buf_slice(&user);
	e.url = buf_slice(&url);
	e.host = SLICE("www.bad.test");
	e.rule_id = SLICE("local:1");
	e.rule_ruleset = SLICE("local");
	event_format(&e, &line);
	fwrite(line.p, 1, line.len, stdout);
	buf_fini(&url);
	buf_fini(&user);
	buf_fini(&line);
}

int
main(int argc, char **argv)
{
	uint64_t from, to;

	if (argc != 3 || slice_u64(slice_str(argv[1]), &from) == -1 || slice_u64(slice_str(argv[2]), &to) == -1)
		return USAGE;
	while (from < to)
		print(from++);
	return fflush(stdout) == EOF;
}
