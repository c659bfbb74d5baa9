/* Incident numbers: made, read as people type them, and what a mistype looks like. */
#include "events/incident.h"
#include "t/tap.h"

enum { NODE = 0x1234, COUNT = 7, CHARS = 32 };
static const int64_t moment_ms = INT64_C(1795418424332);	/* 2026-11-23T07:20:24.332Z */
static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
static const char known[] = "1M83ME10C4HM007J";

static const struct {
	const char		*name;
	struct slice		 typed;
	enum incident_error	 error;
} rows[] = {
	{ "as shown", SLICE("1M83-ME10-C4HM-007J"), INCIDENT_OK },
	{ "as stored", SLICE("1M83ME10C4HM007J"), INCIDENT_OK },
	{ "lower case", SLICE("1m83-me10-c4hm-007j"), INCIDENT_OK },
	{ "letters that look like digits", SLICE("LM83MEiOC4HMoO7J"), INCIDENT_OK },
	{ "I for 1", SLICE("IM83ME10C4HM007J"), INCIDENT_OK },
	{ "blanks anywhere", SLICE(" 1 M83 ME10\tC4HM 007J\r\n"), INCIDENT_OK },
	{ "hyphens anywhere", SLICE("--1M-83ME10C4HM007-J-"), INCIDENT_OK },
	{ "empty", SLICE(""), INCIDENT_LENGTH },
	{ "only hyphens", SLICE("----------------"), INCIDENT_LENGTH },
	{ "one short", SLICE("1M83ME10C4HM007"), INCIDENT_LENGTH },
	{ "one long", SLICE("1M83ME10C4HM007JJ"), INCIDENT_LENGTH },
	{ "very long", SLICE("1M83ME10C4HM007J1M83ME10C4HM007J1M83ME10C4HM007J"), INCIDENT_LENGTH },
	{ "a U", SLICE("1M83ME10C4HM007U"), INCIDENT_CHARACTER },
	{ "a u", SLICE("uM83ME10C4HM007J"), INCIDENT_CHARACTER },
	{ "a dot", SLICE("1M83.ME10.C4HM.007J"), INCIDENT_CHARACTER },
	{ "a NUL", SLICE("1M83\0ME10C4HM007J"), INCIDENT_CHARACTER },
	{ "a byte over 127", SLICE("1M83\xc2\xa0ME10C4HM007J"), INCIDENT_CHARACTER },
	{ "another check", SLICE("1M83ME10C4HM007K"), INCIDENT_CHECK },
	{ "two neighbours swapped", SLICE("1M83ME10C4HM070J"), INCIDENT_CHECK },
};

static void
test_typed(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char out[INCIDENT_LEN + 1] = "";
		enum incident_error error = incident_parse(guard_copy(rows[i].typed), out);

		is_int(error, rows[i].error, rows[i].name);
		if (rows[i].error == INCIDENT_OK)
			is_str(out, known, rows[i].name);
	}
}

/* Every wrong character and every swap of unequal neighbours, in many numbers. */
static void
test_check(void)
{
	unsigned wrong = 0, swapped = 0, bad = 0;

	for (unsigned k = 0; k < 64; k++) {
		char id[INCIDENT_LEN + 1], try[INCIDENT_LEN + 1], out[INCIDENT_LEN + 1];

		incident_make(moment_ms + k * INT64_C(987654321), k * 509, k * 1021, id);
		bad += incident_parse(slice_str(id), out) != INCIDENT_OK || strcmp(id, out) != 0;
		for (int at = 0; at < INCIDENT_LEN; at++) {
			memcpy(try, id, sizeof(id));
			for (int c = 0; c < CHARS; c++) {
				try[at] = alphabet[c];
				wrong += alphabet[c] != id[at] &&
				    incident_parse(slice_str(try), out) != INCIDENT_CHECK;
			}
			if (at + 1 == INCIDENT_LEN || id[at] == id[at + 1])
				continue;
			memcpy(try, id, sizeof(id));
			try[at] = id[at + 1];
			try[at + 1] = id[at];
			swapped += incident_parse(slice_str(try), out) != INCIDENT_CHECK;
		}
	}
	is_int(bad, 0, "every number made is read back");
	is_int(wrong, 0, "every single wrong character is found");
	is_int(swapped, 0, "every swap of neighbours is found");
}

static void
test_parts(void)
{
	char id[INCIDENT_LEN + 1], later[INCIDENT_LEN + 1], shown[INCIDENT_SHOWN + 1];

	incident_make(moment_ms, NODE, COUNT, id);
	is_str(id, known, "the documented example");
	incident_show(id, shown);
	is_str(shown, "1M83-ME10-C4HM-007J", "shown in groups");
	is_int(incident_ms(id), moment_ms, "its time");
	incident_make(moment_ms + 1, 0, 0, later);
	ok(strcmp(id, later) < 0, "sorted by time, whatever node and counter are");
	incident_make(moment_ms, NODE | 1 << 15, COUNT | 1 << 15, later);
	is_str(later, known, "15 bits of node and counter count");
	incident_make((INT64_C(1) << 45) - 1, 0x7fff, 0x7fff, later);
	ok(strncmp(later, "ZZZZZZZZZZZZZZZ", INCIDENT_LEN - 1) == 0, "the highest number");
	is_int(incident_ms(later), (INT64_C(1) << 45) - 1, "the highest time");
	ok(incident_ms("UUUUUUUUUUUUUUUU") >= 0, "the time of what is no number is some number");
}

static void
test_node(void)
{
	bool seen[1 << 15] = { false };
	char name[32];
	int distinct = 0;

	for (int i = 0; i < 1000; i++) {
		unsigned node;

		snprintf(name, sizeof(name), "proxy%03d.example.net", i);
		node = incident_node(slice_str(name));
		if (node >= sizeof(seen) / sizeof(*seen)) {
			ok(false, "15 bits for %s", name);
			return;
		}
		distinct += !seen[node];
		seen[node] = true;
	}
	ok(distinct > 950, "1,000 hosts have %d nodes", distinct);
	is_int(incident_node(SLICE("proxy.example.net")), incident_node(SLICE("proxy.example.net")),
	    "the same name, the same node");
	ok(incident_node(slice_make(NULL, 0)) < sizeof(seen) / sizeof(*seen), "no name is fine");
}

int
main(void)
{
	test_typed();
	test_check();
	test_parts();
	test_node();
	return tap_done();
}
