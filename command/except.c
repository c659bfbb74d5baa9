#include "command/except.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "command/audit.h"
#include "command/verb.h"
#include "eventstore/event_facts.h"
#include "ruleset/exception.h"
#include "ruleset/overview.h"
#include "runtime/pseudonym.h"

enum { TEXT_MAX = 1 << 20, TEXT_SHOWN = 200 };
#define AUDIT	"exceptions.log"

/* ---- what is to be let through ---- */

/* Texts that an exception borrows. */
struct except_room {
	char	host[HOST_MAX + 1], user[PSEUDONYM_TEXT], client[PSEUDONYM_TEXT];
};

/* The rule and revision that the event names, as "REV:ID". */
static int
take_event_rule(const json_t *event, struct buf *out, struct diag *diag)
{
	char id_store[EVENT_NUMBER], store[EVENT_NUMBER];
	struct slice id = event_text(event, "rule.id", id_store), rev = event_text(event, "rule.version", store);

	if (id.len == 0 || rev.len == 0) {
		diag_error(diag, "no rule decided that incident, so that there is nothing to make an exception from");
		return -1;
	}
	buf_add_slice(out, rev);
	buf_add_char(out, ':');
	return buf_add_slice(out, id);
}

static int
take_key(struct exception *e, enum exception_key key, struct slice value, char host[static HOST_MAX + 1], struct diag *diag)
{
	char why[RULE_WHY];

	/* What is said to be nothing is an error: an empty --host would be any host. */
	if (value.p == NULL || exception_take_key(key, value, host, e, why) == 0)
		return 0;
	diag_error(diag, "--%s %.*s: %s", exception_key_name(key), SLICE_ARGS(slice_head(value, TEXT_SHOWN)), why);
	return -1;
}

/* GIVEN, or else what the event says, unless ANY is meant. */
static struct slice
choose(const struct except_wish *w, struct slice given, const char *path, bool any)
{
	char store[EVENT_NUMBER];
	struct slice none = { 0 }, text;

	if (given.p != NULL || any || w->event == NULL)
		return given;
	text = event_text(w->event, path, store);
	return text.len > 0 && text.p != store ? text : none;	/* a number is nobody's name */
}

/* How people are named in what is written. */
struct naming {
	bool			 hide;		/* by pseudonyms only */
	struct pseudonyms	*keys;		/* NULL: not for who asks */
};

static void
naming_init(const struct call *c, struct naming *n)
{
	struct diag diag = { 0 };
	struct generation *g = overview_generation(c->state, false, &diag);

	n->keys = call_pseudonyms(c);
	n->hide = g != NULL ? generation_site(g)->pseudonyms : n->keys != NULL;
	generation_close(g);
	diag_fini(&diag);
}

/* VALUE as KEY's is somebody, not a network of many. */
static bool
is_person(enum exception_key key, struct slice value)
{
	struct network network;

	return key == EXCEPTION_USER || network_parse(value, &network) != NETWORK_OK ||
	    network.bits == (network.kind == HOST_IPV4 ? NETWORK_BITS4 : NETWORK_BITS6);
}

/* *VALUE as it may be written: its pseudonym, in STORE.  -1 with an error in DIAG. */
static int
hide(const struct naming *n, enum exception_key key, struct slice *value, char store[static PSEUDONYM_TEXT], struct diag *diag)
{
	enum pseudonym_kind kind = key == EXCEPTION_USER ? PSEUDONYM_USER : PSEUDONYM_CLIENT, looks;
	struct slice name = *value;
	int len;

	if (!n->hide || value->len == 0 || pseudonym_is_token(*value, &looks) || !is_person(key, *value))
		return 0;
	if (kind == PSEUDONYM_CLIENT)
		slice_cut(*value, '/', &name, NULL);
	len = n->keys == NULL ? -1 : pseudonym_make(n->keys, kind, name, store);
	if (len > 0)
		*value = slice_make(store, (size_t)len);
	else
		diag_error(diag, "a %s is written as a pseudonym here, for which only the service's user and root have the key; "
		    "say the pseudonym, as events show it, or ask one of them", exception_key_name(key));
	return len > 0 ? 0 : -1;
}

/* What the event says in clear and looks like a pseudonym was chosen by whoever has that name: an exception would be another's. */
static int
refuse_forged(const struct except_wish *w, struct slice value, const char *path, struct diag *diag)
{
	enum pseudonym_kind kind;

	if (w->event == NULL || event_is_pseudonym(w->event, path) || !pseudonym_is_token(value, &kind))
		return 0;
	diag_error(diag, "the name in that incident has the form of a pseudonym and is none: say whom you mean by --user or --client");
	return -1;
}

/* Whom it is for: a user who is known rather than an address that others may have tomorrow. */
static int
choose_whom(const struct except_wish *w, struct slice *user, struct slice *client, struct diag *diag)
{
	bool said = w->any_client || w->client.p != NULL || w->user.p != NULL;

	*user = choose(w, w->user, "user.name", said);
	*client = choose(w, w->client, "client.ip", said || user->len > 0);
	if ((w->user.p == NULL && refuse_forged(w, *user, "user.name", diag) == -1) ||
	    (w->client.p == NULL && refuse_forged(w, *client, "client.ip", diag) == -1))
		return -1;
	return 0;
}

static int
take_scope(const struct except_wish *w, const struct naming *n, struct exception *e, struct except_room *room, struct diag *diag)
{
	struct slice user, client;

	if (choose_whom(w, &user, &client, diag) == -1 || hide(n, EXCEPTION_USER, &user, room->user, diag) == -1 ||
	    hide(n, EXCEPTION_CLIENT, &client, room->client, diag) == -1)
		return -1;
	if (take_key(e, EXCEPTION_USER, user, room->host, diag) == -1 || take_key(e, EXCEPTION_CLIENT, client, room->host, diag) == -1 ||
	    take_key(e, EXCEPTION_HOST, choose(w, w->host, "url.domain", w->any_host), room->host, diag) == -1)
		return -1;
	if (w->any_client || e->has_client || e->user.len > 0)
		return 0;
	diag_error(diag, "for whom? --client, --user, or --any-client for everybody");
	return -1;
}

/* The exception as one text. */
static int
make_value(const struct except_wish *w, const struct naming *n, struct buf *out, struct diag *diag)
{
	char why[RULE_WHY];
	struct except_room room;
	struct slice rule = w->rule;
	struct exception e;
	struct buf of_event;
	int r = -1;

	buf_init(&of_event, TEXT_MAX);
	if (w->event != NULL && take_event_rule(w->event, &of_event, diag) == -1)
		goto end;
	if (w->event != NULL)
		rule = buf_slice(&of_event);
	if (exception_take_rule(rule, &e, why) == -1) {
		diag_error(diag, "%.*s: %s", SLICE_ARGS(slice_head(rule, TEXT_SHOWN)), why);
		goto end;
	}
	if (take_scope(w, n, &e, &room, diag) == -1)
		goto end;
	if ((r = exception_format(&e, out)) == -1)
		diag_error(diag, "out of memory");
end:
	buf_fini(&of_event);
	return r;
}

/* ---- the source ---- */

void
except_audit(const struct call *c, int64_t now, const char *by, const char *what, struct slice rule)
{
	struct buf line;

	buf_init(&line, TEXT_MAX);
	audit_begin(&line, now * 1000);
	if (by != NULL)
		buf_add_strs(&line, " console=", by, NULL);
	buf_addf(&line, " %s ", what);
	buf_add_slice(&line, rule);
	audit_write(c, AUDIT, &line, "the exception is changed");
	buf_fini(&line);
}

int
except_open_source(const struct call *c, struct edit *edit, struct diag *diag)
{
	char sources[STATE_PATH];
	int lock;

	if (state_path(c->state, STATE_SOURCES, sources) == -1 || state_make(c->state) == -1 || (lock = state_lock(c->state)) == -1) {
		diag_error(diag, "%s: %s", c->state, strerror(errno));
		return -1;
	}
	if (edit_open(edit, sources, SLICE(EXCEPT_SOURCE), diag) == 0)
		return lock;
	close(lock);
	return -1;
}

static void
add_line(const struct except_wish *w, int64_t now, struct edit *edit, struct except_made *m)
{
	struct rule rule = { .action = RULE_EXCEPT, .kind = RULE_RULE, .level = RULE_LEVEL_DEFAULT, .published = now,
		.expires = now + w->life_s, .source = SLICE(EXCEPT_SOURCE), .value = buf_slice(&m->value), .note = w->reason };
	uint32_t rev = 0;

	edit_remove(edit, RULE_EXCEPT, RULE_RULE, rule.value, (struct slice){ 0 }, now, &rev);
	edit_label(edit, RULE_EXCEPT, now, m->label);
	rule.label = slice_str(m->label);
	rule.rev = rev + 1;
	edit_add(edit, &rule);
}

int
except_add(const struct call *c, const struct except_wish *w, struct except_made *m)
{
	int64_t now = clock_ms() / 1000;
	struct edit edit = { 0 };
	struct naming naming;
	int lock, made, status = EXIT_TROUBLE;

	*m = (struct except_made){ 0 };
	buf_init(&m->value, TEXT_MAX);
	naming_init(c, &naming);
	made = make_value(w, &naming, &m->value, &m->diag);
	pseudonyms_free(naming.keys);
	if (made == -1)
		return EXIT_TROUBLE;
	if ((lock = except_open_source(c, &edit, &m->diag)) != -1) {
		add_line(w, now, &edit, m);
		status = edit_live(c, &edit, w->show, &m->diag);
		close(lock);
	}
	if (status != EXIT_TROUBLE)
		except_audit(c, now, w->by, "add", buf_slice(&m->value));
	edit_fini(&edit);
	return status;
}

void
except_made_fini(struct except_made *m)
{
	buf_fini(&m->value);
	diag_fini(&m->diag);
}
