#include <stdio.h>
#include <string.h>

#include "command/ask.h"
#include "command/show.h"
#include "command/verb.h"
#include "delivery/sign.h"

enum { FLAG_JSON, FLAGS };

static int
run(struct call *c)
{
	static const char *const flags[FLAGS] = { "json" };
	const char *values[FLAGS];
	enum call_result result = call_flags(c, flags, FLAGS, values);
	char text[MINISIGN_KEY_TEXT], id[MINISIGN_ID_TEXT];
	struct minisign_public key;
	struct diag diag = { 0 };
	bool generate;
	json_t *j;
	int r;

	if (result != CALL_GO)
		return call_end(c, result);
	generate = c->argc == 2 && strcmp(c->argv[0], "generate") == 0;
	if (!generate && (c->argc != 2 || strcmp(c->argv[0], "show") != 0))
		return call_misused(c, "\"generate FILE\" or \"show FILE\" is expected");
	r = generate ? sign_make_key(c->argv[1], &key, &diag) : sign_read_public(c->argv[1], ask_password, &key, &diag);
	diag_print(&diag, stderr);
	diag_fini(&diag);
	if (r == -1)
		return EXIT_TROUBLE;
	minisign_public_format(&key, text);
	minisign_id_format(key.id, id);
	if (values[FLAG_JSON] == NULL)
		return printf("%s\n", text) < 0 ? EXIT_TROUBLE : EXIT_FINE;
	j = json_object();
	json_object_set_new(j, "id", json_string(id));
	json_object_set_new(j, "public", json_string(text));
	return show_json(j, true) == -1 ? EXIT_TROUBLE : EXIT_FINE;
}

const struct verb verb_key = {
	.name = "key",
	.run = run,
	.operands = "generate|show [--json] FILE",
	.summary = "Make the keys that published rules are signed with, and show them.",
	.help =
	    "  generate FILE   make a key pair: FILE, which is secret, and FILE.pub\n"
	    "  show FILE       print the public key of either\n"
	    "  --json          print an object\n\n"
	    "The files are minisign's; firebreak publish signs with FILE, and firebreak pull verifies with FILE.pub.\n",
};
