#include "runtime/pseudonym_keys.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "command/audit.h"
#include "command/show.h"
#include "command/verb.h"

enum { FLAG_NEW, FLAG_JSON, FLAGS };

static int
list(const struct pseudonyms *p, bool json)
{
	json_t *all = json ? json_array() : NULL;
	char made[CLOCK_TEXT];

	for (size_t i = 0; i < pseudonyms_n(p); i++) {
		bool used = i + 1 == pseudonyms_n(p);

		clock_format_s(pseudonyms_made(p, i), made);
		if (json)
			json_array_append_new(all, json_pack("{s:s, s:s, s:b}", "key", pseudonyms_id(p, i), "made", made, "in_use", used));
		else
			printf("%s  made %s%s\n", pseudonyms_id(p, i), made, used ? "  in use" : "");
	}
	return json && show_json(all, true) == -1 ? EXIT_TROUBLE : EXIT_FINE;
}

static int
note_new(const struct call *c, const struct pseudonyms *p)
{
	char by[AUDIT_PERSON], what[sizeof("new-key ") + PSEUDONYM_ID];

	audit_person(c, by);
	snprintf(what, sizeof(what), "new-key %s", pseudonyms_id(p, pseudonyms_n(p) - 1));
	return audit_reveal(c, clock_ms(), by, slice_str(what), "the key is made");
}

static int
run(struct call *c)
{
	static const char *const flags[FLAGS] = { "new-key", "json" };
	const char *values[FLAGS];
	enum call_result result = call_flags(c, flags, FLAGS, values);
	struct diag diag = { 0 };
	struct pseudonyms *p = NULL;
	bool absent;
	int status = EXIT_TROUBLE;

	if (result != CALL_GO)
		return call_end(c, result);
	if (c->argc > 0)
		return call_misused(c, "no operands");
	if (call_need_state(c) == -1 || call_become_owner(c) == -1)
		return EXIT_TROUBLE;
	if (values[FLAG_NEW] == NULL || pseudonym_keys_add(c->state, clock_ms() / 1000, &diag) == 0)
		p = pseudonym_keys_load(c->state, &absent, &diag);
	if (p != NULL) {
		status = list(p, values[FLAG_JSON] != NULL);
		if (values[FLAG_NEW] != NULL && note_new(c, p) == -1)
			status = EXIT_FOUND;
	}
	pseudonyms_free(p);
	diag_print(&diag, stderr);
	diag_fini(&diag);
	return status;
}

const struct verb verb_pseudonyms = {
	.name = "pseudonyms",
	.run = run,
	.operands = "[--new-key] [--json]",
	.summary = "List the keys of pseudonyms, or make a new one.",
	.help =
	    "  --new-key     make a key by which pseudonyms are made from now on; those before still open\n"
	    "  --json        print an array\n",
};
