#include "command/alerts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "command/show.h"
#include "command/verb.h"
#include "ruleset/source.h"

enum { FLAG_JSON, FLAG_LEVEL, FLAG_REASON, FLAG_SUFFIXES, FLAGS };

/* What a person is shown of strangers' text; --json has all of it. */
enum { TITLE_SHOWN = 100, FIELD_SHOWN = 500, BODY_SHOWN = 4000, ITEMS_SHOWN = 200 };

const char *
alerts_date(int64_t seconds, char out[static CLOCK_TEXT])
{
	if (seconds == 0)
		snprintf(out, CLOCK_TEXT, "never");
	else
		clock_format_s(seconds, out);
	return out;
}

/* The first MAX bytes of TEXT, no UTF-8 sequence cut in two. */
static struct slice
cut(struct slice text, size_t max)
{
	if (text.len <= max)
		return text;
	while (max > 0 && ((unsigned char)text.p[max] & 0xc0) == 0x80)
		max--;
	return slice_head(text, max);
}

/* TEXT made harmless, on one line, and how much of it is not shown. */
static void
show_some(struct slice text, size_t max)
{
	struct slice shown = cut(text, max);

	show_text(stdout, shown);
	if (shown.len < text.len)
		printf(" ... (%zu bytes more)", text.len - shown.len);
}

static void
show_field(const char *label, const char *text)
{
	if (text == NULL || *text == '\0')
		return;
	printf("%-12s", label);
	show_some(slice_str(text), FIELD_SHOWN);
	putchar('\n');
}

/* ---- what the rules come to ---- */

struct summary {
	size_t	 kinds[RULE_ADDRESS + 1];
	unsigned level;		/* the highest */
	int64_t	 first, last;	/* when they end; 0 = never */
};

static struct summary
summary_of(const struct alerts_rules *r)
{
	struct summary s = { .level = 0 };

	for (size_t i = 0; i < r->n; i++) {
		const struct alerts_rule *rule = &r->v[i];

		s.kinds[rule->kind]++;
		s.level = rule->level > s.level ? rule->level : s.level;
		if (i == 0 || (rule->expires != 0 && (s.first == 0 || rule->expires < s.first)))
			s.first = rule->expires;
		if (i == 0 || rule->expires == 0 || (s.last != 0 && rule->expires > s.last))
			s.last = rule->expires;
	}
	return s;
}

/* "3 rules (2 host, 1 file), highest level 4, end 2026-12-26T... to never". */
static void
print_summary(const struct alerts_rules *r)
{
	struct summary s = summary_of(r);
	char first[CLOCK_TEXT], last[CLOCK_TEXT];
	const char *before = " (";

	printf("%zu rule%s", r->n, show_s(r->n));
	for (enum rule_kind kind = RULE_HOST; kind <= RULE_ADDRESS; kind++)
		if (s.kinds[kind] > 0) {
			printf("%s%zu %s", before, s.kinds[kind], rule_kind_name(kind));
			before = ", ";
		}
	if (r->n > 0)
		printf("), highest level %u, end %s", s.level, alerts_date(s.first, first));
	if (r->n > 0 && s.first != s.last)
		printf(" to %s", alerts_date(s.last, last));
	if (r->n_expired > 0)
		printf("; %zu expired", r->n_expired);
}

/* ---- the state, in words ---- */

static void
print_state(const struct alerts_item *item)
{
	char date[CLOCK_TEXT];
	size_t n = item->rules.n;

	switch (item->state) {
	case ALERTS_IMPORTED:
		fputs("imported, not live: \"firebreak publish\" makes it live", stdout);
		break;
	case ALERTS_LIVE:
		fputs("live", stdout);
		break;
	case ALERTS_PARTLY:
		printf("%" PRIu64 " of %zu rule%s live", item->n_live, n, show_s(n));
		break;
	case ALERTS_CHANGED:
		printf("%" PRIu64 " rule%s live, of a source that was changed since: \"firebreak alerts diff %s\"", item->n_live,
		    show_s(item->n_live), item->id);
		break;
	case ALERTS_ENDED:
	case ALERTS_REMOVED:
		fputs(item->state == ALERTS_ENDED ? "no rule is left" : "its source was removed", stdout);
		if (item->n_live > 0)
			printf("; %" PRIu64 " rule%s still live", item->n_live, show_s(item->n_live));
		break;
	case ALERTS_WITHDRAWN:
	case ALERTS_STILL:
		printf("withdrawn %s by uid=%" PRIu64 ": ", alerts_date(item->withdrawal.date, date), item->withdrawal.uid);
		show_some(item->withdrawal.reason, FIELD_SHOWN);
		break;
	}
	if (item->state == ALERTS_STILL)
		printf("; BUT %" PRIu64 " RULE%s LIVE: withdraw it again", item->n_live, item->n_live == 1 ? " IS" : "S ARE");
	if (item->n_held > 0)
		printf("; %zu held: \"firebreak held\"", item->n_held);
	putchar('\n');
}

/* ---- JSON ---- */

static void
put_date(json_t *j, const char *key, int64_t seconds)
{
	char date[CLOCK_TEXT];

	if (seconds != 0)
		json_object_set_new(j, key, json_string(alerts_date(seconds, date)));
}

static json_t *
json_withdrawal(const struct alerts_item *item)
{
	json_t *j;

	if (!item->withdrawn)
		return json_null();
	j = json_object();
	put_date(j, "date", item->withdrawal.date);
	show_json_number(j, "uid", item->withdrawal.uid);
	json_object_set_new(j, "reason", show_json_text(item->withdrawal.reason));
	return j;
}

/* What list and show tell beside the record. */
static void
put_state(json_t *j, const struct alerts *a, const struct alerts_item *item)
{
	struct summary s = summary_of(&item->rules);
	json_t *kinds = json_object();
	char date[CLOCK_TEXT];

	for (enum rule_kind kind = RULE_HOST; kind <= RULE_ADDRESS; kind++)
		if (s.kinds[kind] > 0)
			show_json_number(kinds, rule_kind_name(kind), s.kinds[kind]);
	json_object_set_new(j, "state", json_string(alerts_state_name(item->state)));
	show_json_number(j, "generation", a->live.generation);
	show_json_number(j, "live", item->n_live);
	show_json_number(j, "held", item->n_held);
	show_json_number(j, "expired", item->rules.n_expired);
	show_json_number(j, "n_rules", item->rules.n);
	json_object_set_new(j, "kinds", kinds);
	if (item->rules.n > 0) {
		show_json_number(j, "level", s.level);
		json_object_set_new(j, "first_end", json_string(alerts_date(s.first, date)));
		json_object_set_new(j, "last_end", json_string(alerts_date(s.last, date)));
	}
	json_object_set_new(j, "withdrawn", json_withdrawal(item));
}

/* ---- list ---- */

static json_t *
json_listed(const struct alerts *a, const struct alerts_item *item)
{
	json_t *j = json_object();

	json_object_set_new(j, "id", json_string(item->id));
	if (item->alert != NULL) {
		show_json_number(j, "version", item->alert->version);
		json_object_set_new(j, "title", item->alert->title == NULL ? json_null() :
		    show_json_text(slice_str(item->alert->title)));
		put_date(j, "first_published", item->alert->first_published);
		put_date(j, "last_published", item->alert->last_published);
	}
	json_object_set_new(j, "readable", json_boolean(!item->unreadable));
	put_state(j, a, item);
	return j;
}

static void
print_listed(const struct alerts_item *item)
{
	const struct alert *alert = item->alert;
	char date[CLOCK_TEXT];

	printf("%-14s", item->id);
	if (alert != NULL)
		printf(" version %u", alert->version);
	else
		fputs(item->has_record ? " a record that cannot be read" : " no record", stdout);
	if (alert != NULL && (alert->last_published != 0 || alert->first_published != 0))
		printf(", published %s", alerts_date(alert->last_published != 0 ? alert->last_published : alert->first_published, date));
	if (alert != NULL && alert->title != NULL) {
		fputs("\n  ", stdout);
		show_some(slice_str(alert->title), TITLE_SHOWN);
	}
	fputs("\n  ", stdout);
	if (item->has_source && !item->withdrawn) {
		print_summary(&item->rules);
		fputs("\n  ", stdout);
	}
	print_state(item);
}

static int
list_all(struct alerts *a, char *const *ids, size_t n, bool json)
{
	json_t *all = json ? json_array() : NULL;
	int status = EXIT_FINE;

	for (size_t i = 0; i < n; i++) {
		struct alerts_item item;

		if (alerts_load(a, ids[i], &item) == 0) {
			if (json)
				json_array_append_new(all, json_listed(a, &item));
			else
				print_listed(&item);
			if (item.unreadable || item.state == ALERTS_STILL)
				status = EXIT_FOUND;
		}
		alerts_item_fini(&item);
	}
	if (json && show_json(all, true) == -1)
		return EXIT_TROUBLE;
	if (!json && n == 0)
		puts("no alert is stored; \"firebreak import\" makes rules of one");
	if (!json && n > 0 && a->live.rolled_back != 0)
		printf("generation %" PRIu64 " is a rollback to %" PRIu64 ": what is live may differ from the sources\n", a->live.generation,
		    a->live.rolled_back);
	return status;
}

static int
list(struct alerts *a, bool json)
{
	char **ids;
	size_t n;
	int status = EXIT_TROUBLE;

	if (alerts_ids(a, &ids, &n) == 0)
		status = list_all(a, ids, n, json);
	for (size_t i = 0; i < n; i++)
		free(ids[i]);
	free(ids);
	return status;
}

/* ---- show ---- */

static void
print_head(const struct alerts_item *item)
{
	const struct alert *alert = item->alert;
	char date[CLOCK_TEXT];

	printf("%-12s%s", "Alert", item->id);
	if (alert != NULL)
		printf(", version %u", alert->version);
	putchar('\n');
	if (alert == NULL) {
		show_field("Record", item->has_record ? "it cannot be read" : "there is none");
		return;
	}
	show_field("Title", alert->title);
	show_field("Type", alert->threat_type);
	show_field("Urgency", alert->urgency);
	show_field("Credibility", alert->credibility);
	show_field("Severity", alert->severity);
	if (alert->first_published != 0)
		show_field("Published", alerts_date(alert->first_published, date));
	if (alert->last_published != 0)
		show_field("Last", alerts_date(alert->last_published, date));
	for (size_t i = 0; i < alert->n_rule_ids && i < ITEMS_SHOWN; i++)
		show_field(i == 0 ? "Rule ids" : "", alert->rule_ids[i]);
}

static const char *
text_of(json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "";
}

static void
print_history(struct alerts *a, const struct alerts_item *item)
{
	json_t *all = alerts_history(a, item), *one;
	size_t i;

	json_array_foreach(all, i, one) {
		printf("%-12s", "Withdrawn");
		show_some(slice_str(text_of(one, "date")), FIELD_SHOWN);
		printf(" by uid=%" JSON_INTEGER_FORMAT ", version %" JSON_INTEGER_FORMAT ", %" JSON_INTEGER_FORMAT " rules: ",
		    json_integer_value(json_object_get(one, "uid")), json_integer_value(json_object_get(one, "version")),
		    json_integer_value(json_object_get(one, "rules")));
		show_some(slice_str(text_of(one, "reason")), FIELD_SHOWN);
		putchar('\n');
	}
	json_decref(all);
}

/* A heading for N items; how many of them are shown. */
static size_t
heading(const char *what, size_t n)
{
	if (n > 0)
		printf("\n%s (%zu)\n", what, n);
	return n < ITEMS_SHOWN ? n : ITEMS_SHOWN;
}

static void
print_more(size_t shown, size_t n)
{
	if (shown < n)
		printf("  ... %zu more; --json shows all\n", n - shown);
}

static void
print_files(const struct alert *alert)
{
	size_t shown = heading("Files", alert->n_files);
	char hex[DIGEST_MAX_HEX + 1];

	for (size_t i = 0; i < shown; i++) {
		const struct alert_file *f = &alert->files[i];

		fputs("  ", stdout);
		show_some(f->name != NULL ? slice_str(f->name) : SLICE("(no name)"), FIELD_SHOWN);
		if (f->container != NULL) {
			fputs(" in ", stdout);
			show_some(slice_str(f->container), FIELD_SHOWN);
		}
		if (f->size != 0)
			printf(", %" PRIu64 " bytes", f->size);
		if (f->has_digest) {
			digest_format(&f->digest, hex);
			printf(", %s %s", digest_alg_name(f->digest.alg), hex);
		}
		putchar('\n');
	}
	print_more(shown, alert->n_files);
}

/* URL so that no terminal makes a link of it; the record has them like this, too. */
static void
print_defanged(const char *url)
{
	struct slice rest = slice_str(url);

	if (slice_starts(rest, SLICE("http"))) {
		fputs("hxxp", stdout);
		rest = slice_skip(rest, strlen("http"));
	} else if (slice_starts(rest, SLICE("ftp"))) {
		fputs("fxp", stdout);
		rest = slice_skip(rest, strlen("ftp"));
	}
	show_some(rest, BODY_SHOWN);
}

/* The host of URL I stands in none before it. */
static bool
is_new_host(const struct alert *alert, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (strcmp(alert->urls[k].host, alert->urls[i].host) == 0)
			return false;
	return true;
}

/* Each host once; of as many URLs as are shown. */
static void
print_hosts(const struct alert *alert)
{
	size_t n = alert->n_urls < ITEMS_SHOWN ? alert->n_urls : ITEMS_SHOWN;

	if (n > 0)
		puts("\nHosts");
	for (size_t i = 0; i < n; i++) {
		if (!is_new_host(alert, i))
			continue;
		fputs("  ", stdout);
		show_some(slice_str(alert->urls[i].host), FIELD_SHOWN);
		putchar('\n');
	}
}

static void
print_urls(const struct alert *alert)
{
	size_t shown = heading("URLs, defanged", alert->n_urls);

	for (size_t i = 0; i < shown; i++) {
		const struct alert_url *u = &alert->urls[i];

		fputs("  ", stdout);
		print_defanged(u->url);
		if (u->victim != NULL) {
			fputs("\n    made for ", stdout);
			show_some(slice_str(u->mail != NULL ? u->mail : u->victim), FIELD_SHOWN);
		}
		putchar('\n');
	}
	print_more(shown, alert->n_urls);
}

/* Each line behind a bar: no text can pass for one of ours. */
static void
print_body(struct slice body)
{
	struct slice shown = cut(body, BODY_SHOWN), rest = shown, line;

	while (rest.len > 0) {
		slice_cut(rest, '\n', &line, &rest);
		fputs("  | ", stdout);
		show_text(stdout, line);
		putchar('\n');
	}
	if (shown.len < body.len)
		printf("  ... %zu bytes more; --json shows all\n", body.len - shown.len);
}

static void
print_lures(const struct alert *alert)
{
	size_t shown = heading("Lures", alert->n_lures);

	for (size_t i = 0; i < shown; i++) {
		fputs("  Subject: ", stdout);
		show_some(slice_str(alert->lures[i].subject), FIELD_SHOWN);
		putchar('\n');
		print_body(slice_str(alert->lures[i].body));
	}
	print_more(shown, alert->n_lures);
}

/* Whether RULE is live, with the live one's revision where that is another. */
static void
print_live(const struct alerts_rules *live, const struct alerts_rule *rule)
{
	const struct alerts_rule *there = alerts_rules_find(live, rule);

	if (there == NULL)
		fputs(", not live", stdout);
	else if (there->rev != rule->rev)
		printf(", live as revision %u", there->rev);
	else
		fputs(", live", stdout);
}

static size_t
count_live(const struct alerts_item *item, const struct alerts_rules *live)
{
	size_t n = 0;

	for (size_t i = 0; i < item->rules.n; i++)
		n += alerts_rules_find(live, &item->rules.v[i]) != NULL;
	return n;
}

static void
print_rules(const struct alerts_item *item, const struct alerts_rules *live)
{
	size_t shown = heading("Rules", item->rules.n);
	char date[CLOCK_TEXT];

	if (item->rules.n > 0)
		printf("  %zu of them live; ", count_live(item, live));
	if (item->rules.n > 0) {
		print_summary(&item->rules);
		putchar('\n');
	}
	for (size_t i = 0; i < shown; i++) {
		const struct alerts_rule *rule = &item->rules.v[i];

		fputs("  ", stdout);
		show_some(slice_str(rule->what), BODY_SHOWN);
		fputs("\n    ", stdout);
		show_text(stdout, slice_str(rule->id));
		printf(", revision %u, level %u, ends %s", rule->rev, rule->level, alerts_date(rule->expires, date));
		print_live(live, rule);
		putchar('\n');
	}
	print_more(shown, item->rules.n);
}

static void
print_item(struct alerts *a, const struct alerts_item *item, const struct alerts_rules *live)
{
	print_head(item);
	printf("%-12s", "State");
	print_state(item);
	print_history(a, item);
	if (item->alert != NULL) {
		print_files(item->alert);
		print_hosts(item->alert);
		print_urls(item->alert);
		print_lures(item->alert);
	}
	print_rules(item, live);
}

static json_t *
json_rules(const struct alerts_item *item, const struct alerts_rules *live)
{
	json_t *all = json_array();
	char date[CLOCK_TEXT];

	for (size_t i = 0; i < item->rules.n; i++) {
		const struct alerts_rule *rule = &item->rules.v[i], *there = alerts_rules_find(live, rule);
		json_t *j = json_object();

		json_object_set_new(j, "id", show_json_text(slice_str(rule->id)));
		json_object_set_new(j, "rule", show_json_text(slice_str(rule->what)));
		show_json_number(j, "rev", rule->rev);
		show_json_number(j, "level", rule->level);
		json_object_set_new(j, "expires", json_string(alerts_date(rule->expires, date)));
		json_object_set_new(j, "live", json_boolean(there != NULL));
		if (there != NULL && there->rev != rule->rev)
			show_json_number(j, "live_rev", there->rev);
		json_array_append_new(all, j);
	}
	return all;
}

/* The record as import wrote it, and behind it what is known beside. */
static int
print_item_json(struct alerts *a, const struct alerts_item *item, const struct alerts_rules *live)
{
	json_t *j = NULL;
	struct buf text;

	buf_init(&text, SIZE_MAX / 2);
	if (item->alert != NULL && alert_to_json(item->alert, &text) == 0)
		j = json_loadb(text.p, text.len, 0, NULL);
	buf_fini(&text);
	if (j == NULL) {
		j = json_object();
		json_object_set_new(j, "id", json_string(item->id));
	}
	put_state(j, a, item);
	json_object_set_new(j, "withdrawals", alerts_history(a, item));
	json_object_set_new(j, "rules", json_rules(item, live));
	json_object_set_new(j, "findings", show_json_findings(&a->diag));
	return show_json(j, true);
}

static int
show(struct alerts *a, const char *id, bool json)
{
	struct alerts_rules live = { 0 };
	struct alerts_item item;
	int status = EXIT_TROUBLE;

	if (alerts_load(a, id, &item) == 0) {
		bool damaged = alerts_live_rules(a, &item, &live) == -1;

		status = item.unreadable || damaged || item.state == ALERTS_STILL ? EXIT_FOUND : EXIT_FINE;
		if (!json)
			print_item(a, &item, &live);
		else if (print_item_json(a, &item, &live) == -1)
			status = EXIT_TROUBLE;
	}
	alerts_rules_fini(&live);
	alerts_item_fini(&item);
	return status;
}

/* ---- the command line ---- */

/* list and show, which read alone. */
static int
look(const struct call *c, const struct alerts_flags *flags)
{
	struct alerts a;
	int status = EXIT_TROUBLE;

	if (call_need_state(c) == -1)
		return EXIT_TROUBLE;
	if (alerts_init(&a, c->state) == 0)
		status = c->argc == 1 ? list(&a, flags->json) : show(&a, c->argv[1], flags->json);
	diag_print(&a.diag, stderr);
	alerts_fini(&a);
	return status;
}

/* NULL, or what is wrong with the flags for WHAT. */
static const char *
read_flags(const char *what, const char *const *values, struct alerts_flags *out)
{
	bool diff = strcmp(what, "diff") == 0, withdraw = strcmp(what, "withdraw") == 0;
	uint64_t level = RULE_LEVEL_DEFAULT;

	*out = (struct alerts_flags){ .json = values[FLAG_JSON] != NULL, .suffixes = values[FLAG_SUFFIXES],
		.reason = values[FLAG_REASON] };
	if (out->json && diff)
		return "diff has no --json";
	if ((values[FLAG_LEVEL] != NULL || out->suffixes != NULL) && !diff)
		return "only diff has --level and --suffixes";
	if (out->reason != NULL && !withdraw)
		return "only withdraw has --reason";
	if (values[FLAG_LEVEL] != NULL && (slice_u64(slice_str(values[FLAG_LEVEL]), &level) == -1 || level > RULE_LEVEL_MAX))
		return "--level takes a number from 0 to 5";
	out->level = (int)level;
	return NULL;
}

static int
run(struct call *c)
{
	static const char *const flags[FLAGS] = { "json", "level=", "reason=", "suffixes=" };
	const char *values[FLAGS], *wrong, *what;
	enum call_result result = call_flags(c, flags, FLAGS, values);
	struct alerts_flags given;

	if (result != CALL_GO)
		return call_end(c, result);
	what = c->argc > 0 ? c->argv[0] : "";
	if ((wrong = read_flags(what, values, &given)) != NULL)
		return call_misused(c, wrong);
	if ((strcmp(what, "list") == 0 && c->argc == 1) || (strcmp(what, "show") == 0 && c->argc == 2))
		return look(c, &given);
	if (strcmp(what, "diff") == 0 && (c->argc == 2 || c->argc == 3))
		return alerts_diff(c, &given, c->argv[1], c->argc == 3 ? c->argv[2] : NULL);
	if (strcmp(what, "withdraw") == 0 && c->argc == 2)
		return alerts_withdraw(c, &given, c->argv[1]);
	return call_misused(c, "list, show ID, diff ID [FILE|-], or withdraw ID --reason TEXT");
}

const struct verb verb_alerts = {
	.name = "alerts",
	.run = run,
	.operands = "list [--json] | show ID [--json] | diff ID [--level N] [--suffixes FILE] [FILE|-] | "
	    "withdraw ID --reason TEXT [--json]",
	.summary = "Show the imported alerts, what a later version would change, or take one back.",
	.help =
	    "  list             every stored alert: version, title, rules, when they end, whether they are live\n"
	    "  show ID          what it says, its rules, and how many of them are live\n"
	    "  diff ID          what its source says (+) and what is live (-); ~ where they differ\n"
	    "  diff ID FILE|-   what importing that version would add (+), drop (-) and change (~); writes nothing\n"
	    "  withdraw ID      take its rules out at once, in every worker; its source is kept as comments\n"
	    "  --json           print an object, of list an array\n"
	    "  --level N        with FILE: the rules' level, 0 to 5; else 4\n"
	    "  --suffixes FILE  with FILE: the public suffix list; else the system's\n"
	    "  --reason TEXT    why it is withdrawn; kept with the time and the user id\n",
};
