#include "console/console.h"

#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "command/audit.h"
#include "command/caller.h"
#include "command/except.h"
#include "command/metrics.h"
#include "command/verb.h"
#include "console/users.h"
#include "feeds/feed_source.h"

enum { FLAG_LISTEN, FLAG_USERS, FLAG_EVENTS, FLAG_TLS_CERT, FLAG_TLS_KEY, FLAG_BEHIND_TLS, FLAG_TRUST, FLAG_USER_HEADER,
	FLAG_ROLE_HEADER, FLAG_METRICS, FLAG_ADD_USER, FLAG_ROLE, FLAGS };

#define LISTEN_DEFAULT	"127.0.0.1:8191"

/* ---- exceptions ---- */

static void
say_errors(const struct diag *diag, struct buf *why)
{
	for (size_t i = 0; i < diag->n; i++)
		if (diag->v[i].level == DIAG_ERROR)
			buf_add_strs(why, why->len > 0 ? "; " : "", diag->v[i].text, NULL);
}

static enum console_done
except(void *arg, const struct console_wish *wish, struct buf *why)
{
	const struct except_wish w = { .event = wish->event, .life_s = wish->life_s, .reason = wish->reason, .by = wish->by,
		.show = EDIT_SILENT };
	struct except_made made;
	int status = except_add(arg, &w, &made);

	diag_print(&made.diag, stderr);
	say_errors(&made.diag, why);
	except_made_fini(&made);
	return status == EXIT_FINE ? CONSOLE_LIVE : status == EXIT_FOUND ? CONSOLE_UNCONFIRMED : CONSOLE_REFUSED;
}

static int
metrics(void *arg, struct buf *out)
{
	return metrics_collect(arg, true, out);	/* the log is not searched: others would wait */
}

static int
trail(void *arg, int64_t now_ms, const char *by, struct slice line)
{
	return audit_reveal(arg, now_ms, by, line, "an event of it is written");
}

/* ---- users ---- */

/* One line of standard input, which a terminal does not show meanwhile.  -1 when there is none. */
static int
read_password(char *out, size_t size, struct slice *password)
{
	struct termios before, quiet;
	bool hide = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &before) == 0;
	char *line;

	if (hide) {
		quiet = before;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		fputs("Password: ", stderr);
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	}
	line = fgets(out, (int)size, stdin);
	if (hide) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
		fputc('\n', stderr);
	}
	if (line == NULL)
		return -1;
	*password = slice_make(line, strcspn(line, "\r\n"));
	return 0;
}

static int
settle(void *arg)
{
	return call_become_owner(arg);
}

/* NAMED: PATH is no file of the state folder, but one that who called has named. */
static int
add_user(const struct call *c, const char *path, bool named, const char *name, const char *as)
{
	char line[PASSWORD_MAX + 3];		/* one that is too long is seen to be */
	struct caller was = { .away = false };
	struct diag diag = { 0 };
	struct slice password;
	char text[ROLES_TEXT];
	unsigned roles;
	int r;

	if (as == NULL || roles_parse(slice_str(as), &roles) == -1)
		return call_misused(c, "--role takes read, decide, reveal, or decide,reveal");
	if (read_password(line, sizeof(line), &password) == -1)
		return call_fail(c, "the password is read from standard input, a line");
	if (named)
		caller_begin_beside(&was, path);
	r = users_put(path, slice_str(name), roles, password, &diag);
	caller_end(&was);
	explicit_bzero(line, sizeof(line));
	diag_print(&diag, stderr);
	diag_fini(&diag);
	if (r == 0)
		printf("%s may log in with the role %s\n", name, roles_format(roles, text));
	return r == 0 ? EXIT_FINE : EXIT_TROUBLE;
}

/* ---- the command line ---- */

/* NULL, or what is wrong with the flags. */
static const char *
read_flags(const char *const *values, struct console_options *o)
{
	o->tls_cert = values[FLAG_TLS_CERT];
	o->tls_key = values[FLAG_TLS_KEY];
	o->behind_tls = values[FLAG_BEHIND_TLS] != NULL;
	o->trust = values[FLAG_TRUST];
	o->user_header = values[FLAG_USER_HEADER];
	o->role_header = values[FLAG_ROLE_HEADER];
	o->metrics_rule = values[FLAG_METRICS];
	if (values[FLAG_USERS] != NULL)
		o->users = values[FLAG_USERS];
	if (values[FLAG_EVENTS] != NULL)
		o->events = values[FLAG_EVENTS];
	if (values[FLAG_LISTEN] != NULL)
		o->listen = values[FLAG_LISTEN];
	if ((o->tls_cert == NULL) != (o->tls_key == NULL))
		return "--tls-cert and --tls-key go together";
	if (o->user_header != NULL && o->trust == NULL)
		return "--user-header is believed of those that --trust names, and there is none";
	if (o->role_header != NULL && o->user_header == NULL)
		return "--role-header goes with --user-header";
	/* Whom it passes on comes from loopback, and nothing makes it say so: nginx as it comes does not. */
	if (o->behind_tls && o->metrics_rule != NULL && strcmp(o->metrics_rule, "loopback") == 0)
		return "--metrics loopback with a server before it (--behind-tls) might be everybody: give it a file with a token";
	return NULL;
}

static int
run(struct call *c)
{
	static const char *const flags[FLAGS] = { "listen=", "users=", "events=", "tls-cert=", "tls-key=", "behind-tls", "trust=",
		"user-header=", "role-header=", "metrics=", "add-user=", "role=" };
	const char *values[FLAGS], *wrong;
	enum call_result result = call_flags(c, flags, FLAGS, values);
	char users[STATE_PATH], events[STATE_PATH];
	struct console_options o = { .state = c->state, .listen = LISTEN_DEFAULT, .users = users, .events = events,
		.formats = &feed_sources, .except = except, .metrics = metrics, .trail = trail, .settle = settle, .arg = c };

	if (result != CALL_GO)
		return call_end(c, result);
	if (c->argc > 0)
		return call_misused(c, "no operand is expected");
	if ((wrong = read_flags(values, &o)) != NULL)
		return call_misused(c, wrong);
	if (call_need_state(c) == -1 || call_path(c, STATE_USERS, users) == -1 || call_path(c, STATE_EVENTS, events) == -1)
		return EXIT_TROUBLE;
	if (values[FLAG_ADD_USER] != NULL)
		return call_become_owner(c) == -1 ? EXIT_TROUBLE : add_user(c, o.users, values[FLAG_USERS] != NULL, values[FLAG_ADD_USER],
		    values[FLAG_ROLE]);
	return console_run(&o) == 0 ? EXIT_FINE : EXIT_TROUBLE;
}

const struct verb verb_console = {
	.name = "console",
	.run = run,
	.operands = "[--listen ADDRESS:PORT] [--users FILE] [--events FILE] [--tls-cert FILE --tls-key FILE | --behind-tls] "
	    "[--trust ADDRESSES [--user-header NAME [--role-header NAME]]] [--metrics loopback|FILE] | "
	    "--add-user NAME --role ROLE [--users FILE]",
	.summary = "Serve the helpdesk's page: search, incidents, exceptions, in a browser.",
	.help =
	    "  --listen ADDRESS:PORT   where; else " LISTEN_DEFAULT "; port 0 is any that is free\n"
	    "  --users FILE      who may log in; else console.users in the state folder\n"
	    "  --events FILE     the event log; else events.jsonl in the state folder\n"
	    "  --tls-cert FILE   speak TLS, with this certificate (PEM, its chain behind it)\n"
	    "  --tls-key FILE    and this key, a file that only its owner may read\n"
	    "  --behind-tls      a server with TLS is before it: cookies are Secure, and HSTS is on\n"
	    "  --trust ADDRESSES servers before it, with commas between, whose headers are believed\n"
	    "  --user-header NAME      the header by which these say which user it is\n"
	    "  --role-header NAME      and the one for his roles; else everybody has the role read\n"
	    "  --metrics loopback|FILE answer /metrics to this machine, or to who shows the token in FILE\n"
	    "  --add-user NAME   give NAME a password, which is read from standard input, and a role\n"
	    "  --role ROLE       read; decide, which may make exceptions as well; reveal, which may learn\n"
	    "                    whom a pseudonym stands for; or decide,reveal\n",
};
