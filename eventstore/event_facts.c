#include "eventstore/event_facts.h"

#include <stdio.h>

#include "events/event.h"
#include "runtime/pseudonym.h"

enum { PATH_PART = 64 };

static const struct { const char *name, *path, *token; } words[EVENT_WORDS] = {
	[EVENT_WORD_ACTION] = { "action", "event.action", NULL },
	[EVENT_WORD_REASON] = { "reason", "event.reason", NULL },
	[EVENT_WORD_CLIENT] = { "client", "client.ip", "client.address" },
	[EVENT_WORD_USER] = { "user", "user.name", "user.hash" },
	[EVENT_WORD_HOST] = { "host", "url.domain", NULL },
	[EVENT_WORD_RULE] = { "rule", "rule.id", NULL },
	[EVENT_WORD_SOURCE] = { "source", "rule.ruleset", NULL },
	[EVENT_WORD_ALERT] = { "alert", "firebreak.alert", NULL },
};

static const char *const digest_paths[DIGEST_ALGS] = {
	[DIGEST_MD5] = "file.hash.md5", [DIGEST_SHA1] = "file.hash.sha1", [DIGEST_SHA256] = "file.hash.sha256",
};

const char *
event_word_name(enum event_word w)
{
	return words[w].name;
}

const json_t *
event_at(const json_t *event, const char *path)
{
	char key[PATH_PART];

	while (event != NULL && *path != '\0') {
		size_t len = strcspn(path, ".");

		if (len >= sizeof(key))
			return NULL;
		memcpy(key, path, len);
		key[len] = '\0';
		event = json_object_get(event, key);
		path += len + (path[len] == '.');
	}
	return event;
}

static struct slice
text_at(const json_t *event, const char *path)
{
	const json_t *j = event_at(event, path);

	return json_is_string(j) ? slice_make(json_string_value(j), json_string_length(j)) : slice_make(NULL, 0);
}

/* The path of the pseudonym that may stand in place of what is at PATH, or NULL. */
static const char *
token_path(const char *path)
{
	for (int w = 0; w < EVENT_WORDS; w++)
		if (words[w].token != NULL && strcmp(words[w].path, path) == 0)
			return words[w].token;
	return NULL;
}

/* What one searches for WORD by.  A name in clear that looks like a pseudonym was chosen by whoever has it, and must not be
 * found as that of another. */
static struct slice
word_of(const json_t *event, int word)
{
	struct slice clear = text_at(event, words[word].path);
	enum pseudonym_kind kind;

	if (clear.len == 0 && words[word].token != NULL)
		return text_at(event, words[word].token);
	return words[word].token != NULL && pseudonym_is_token(clear, &kind) ? SLICE(EVENT_LIKE_TOKEN) : clear;
}

int
event_facts_read(struct slice line, struct event_facts *f)
{
	json_t *json = line.len == 0 || *line.p != '{' ? NULL : json_loadb(line.p, line.len, JSON_REJECT_DUPLICATES, NULL);

	*f = (struct event_facts){ .json = json };
	if (json == NULL || incident_parse(text_at(json, "event.id"), f->id) != INCIDENT_OK) {
		json_decref(json);
		return -1;
	}
	f->ms = incident_ms(f->id);
	for (int w = 0; w < EVENT_WORDS; w++)
		f->words[w] = word_of(json, w);
	f->url = text_at(json, "url.original");
	for (int alg = 0; alg < DIGEST_ALGS; alg++)
		f->has_digest[alg] = digest_parse((enum digest_alg)alg, text_at(json, digest_paths[alg]), &f->digests[alg]) == 0;
	return 0;
}

void
event_facts_fini(struct event_facts *f)
{
	json_decref(f->json);
	f->json = NULL;
}

struct slice
event_text(const json_t *event, const char *path, char store[static EVENT_NUMBER])
{
	const json_t *j = event_at(event, path);

	if (j == NULL && token_path(path) != NULL)
		j = event_at(event, token_path(path));
	if (json_is_string(j))
		return slice_make(json_string_value(j), json_string_length(j));
	if (!json_is_integer(j))
		return slice_make(NULL, 0);
	snprintf(store, EVENT_NUMBER, "%" JSON_INTEGER_FORMAT, json_integer_value(j));
	return slice_str(store);
}

bool
event_is_pseudonym(const json_t *event, const char *path)
{
	return event_at(event, path) == NULL && token_path(path) != NULL && event_at(event, token_path(path)) != NULL;
}

const char *
event_action_words(struct slice action, bool upload)
{
	static const char *const meanings[EVENT_ACTIONS] = {
		[EVENT_BLOCKED] = "refused: the user got the block page",
		[EVENT_KILLED] =
		    "the download was cut before its end: the user has a broken file at most",
		[EVENT_MARKED] = "marked, so that Squid refuses the connection",
		[EVENT_WOULD_BLOCK] =
		    "let through: the rule is below the threshold, the mode was observe, or what is inside the tunnel is judged instead",
		[EVENT_PASSED_UNCHECKED] = "let through without having been checked",
		[EVENT_WARNED] = "the user was warned, and may go on",
		[EVENT_CONTINUED] = "the user was warned, and went on",
		[EVENT_REVEAL_REQUESTED] = "somebody asked who is behind a pseudonym",
		[EVENT_REVEAL_APPROVED] = "somebody else agreed that it is shown",
		[EVENT_REVEAL_DENIED] = "somebody denied that it is shown, or took the request back",
		[EVENT_REVEAL_REFUSED] = "who is behind a pseudonym was not shown",
		[EVENT_REVEALED] = "who is behind a pseudonym was shown",
		[EVENT_REMOVED] = "old events were removed",
	};

	if (upload && slice_eq(action, slice_str(event_action_name(EVENT_KILLED))))
		return "the upload was cut before its end: the server has a broken file at most, the user an error of Squid's";
	for (int i = 0; i < EVENT_ACTIONS; i++)
		if (slice_eq(action, slice_str(event_action_name(i))))
			return meanings[i];
	return "something that this version does not know";
}
