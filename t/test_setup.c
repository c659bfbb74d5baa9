/* What "firebreak setup" decides, without a daemon: how configurations are read, how lines are marked and taken out, what is
 * planned for whom, how a difference is shown, and what the journal believes. */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "setup/apply.h"
#include "setup/array.h"
#include "setup/canary.h"
#include "setup/diff.h"
#include "setup/doctor.h"
#include "setup/journal.h"
#include "setup/marks.h"
#include "setup/plan.h"
#include "setup/process.h"
#include "setup/proof.h"
#include "t/tap.h"

enum { TEXT_MAX = 1 << 20 };

static char *folder;

/* What in() made, until the end. */
static char **paths;
static size_t n_paths;

/* "FOLDER/NAME". */
static char *
in(const char *name)
{
	char **place = array_add(&paths, &n_paths, sizeof(*place));

	if (place == NULL || (*place = file_join(folder, name)) == NULL)
		abort();
	return *place;
}

static void
write_file(const char *name, const char *text)
{
	if (file_write(in(name), slice_str(text), 0644) == -1)
		abort();
}

static bool
says(const struct diag *diag, enum diag_level level, const char *words)
{
	for (size_t i = 0; i < diag->n; i++)
		if (diag->v[i].level == level && strstr(diag->v[i].text, words) != NULL)
			return true;
	return false;
}

static bool
has(const struct buf *text, const char *words)
{
	return slice_search(buf_slice(text), slice_str(words)) < text->len;
}

/* ---- marks ---- */

static void
test_marks(void)
{
	static const struct {
		const char	*name, *text;
		size_t		 at, was;	/* where the block is put, and how much it stands for */
		const char	*more;
	} rows[] = {
		{ "in an empty file", "", 0, 0, "x\n" },
		{ "at the end", "a\nb\n", 4, 0, "x\ny\n" },
		{ "behind a line without an end", "a\nb", 3, 0, "x\n" },
		{ "in the place of a line", "a\nb\nc\n", 2, 2, "x\n" },
		{ "in the place of two lines, with nothing", "a\nb\nc\n", 0, 4, "" },
		{ "in the place of the last line, which has no end", "a\nb", 2, 1, "x\n" },
		{ "with carriage returns", "a\r\nb\r\n", 3, 3, "x\n" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice text = slice_str(rows[i].text);
		struct buf with, without;

		buf_init(&with, TEXT_MAX);
		buf_init(&without, TEXT_MAX);
		buf_add_slice(&with, slice_head(text, rows[i].at));
		marks_add(&with, slice_head(slice_skip(text, rows[i].at), rows[i].was), slice_str(rows[i].more));
		buf_add_slice(&with, slice_skip(text, rows[i].at + rows[i].was));
		ok(marks_found(buf_slice(&with)) && !marks_found(text), "a block %s is seen", rows[i].name);
		ok(marks_remove(buf_slice(&with), &without) == 0, "and taken out");
		is_slice(buf_slice(&without), text, "byte for byte");
		buf_fini(&with);
		buf_fini(&without);
	}
}

static void
test_marks_changed(void)
{
	struct buf with, without;

	buf_init(&with, TEXT_MAX);
	buf_init(&without, TEXT_MAX);
	buf_add_str(&with, "a");
	marks_add(&with, (struct slice){ 0 }, SLICE("x\n"));
	buf_add_str(&with, "b\n");
	marks_remove(buf_slice(&with), &without);
	is_slice(buf_slice(&without), SLICE("a\nb\n"), "what others put behind a block stays on a line of its own");
	buf_reset(&without);
	marks_remove(SLICE("a\n# >>> firebreak setup\nb\n"), &without);
	is_slice(buf_slice(&without), SLICE("a\n# >>> firebreak setup\nb\n"), "a block without an end is left alone");
	buf_fini(&with);
	buf_fini(&without);
}

/* ---- the difference ---- */

static void
check_diff(const char *a, const char *b, const char *expected, const char *name)
{
	struct buf out;

	buf_init(&out, TEXT_MAX);
	ok(diff_unified("old", slice_str(a), "new", slice_str(b), &out) == 0, "%s", name);
	is_slice(buf_slice(&out), slice_str(expected), name);
	buf_fini(&out);
}

static void
test_diff(void)
{
	check_diff("a\n", "a\n", "", "two texts that are the same");
	check_diff("", "a\nb\n", "--- old\n+++ new\n@@ -0,0 +1,2 @@\n+a\n+b\n", "a new file");
	check_diff("a\n", "", "--- old\n+++ new\n@@ -1,1 +0,0 @@\n-a\n", "a file that goes");
	check_diff("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nx\n6\n7\n8\n9\n",
	    "--- old\n+++ new\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n", "a line in the middle");
	check_diff("1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n", "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n",
	    "--- old\n+++ new\n@@ -1,3 +1,4 @@\n+0\n 1\n 2\n 3\n@@ -10,3 +11,4 @@\n 10\n 11\n 12\n+13\n", "two hunks");
	check_diff("a\nb", "a\nb\nc\n", "--- old\n+++ new\n@@ -1,2 +1,3 @@\n a\n-b\n\\ No newline at end of file\n+b\n+c\n",
	    "a last line without an end");
}

/* ---- reading ---- */

static void
test_conf(void)
{
	struct diag diag = { 0 };
	struct conf conf;
	char place[CONF_PLACE];

	mkdir(in("conf.d"), 0755);
	write_file("conf.d/b.conf", "from_b \"quoted words\" two # comment\n");
	write_file("conf.d/a.conf", "from_a\n");
	write_file("main.conf", "# comment\n\nfirst one \\\n two\nif ${process_number} = 1\nwithin\nendif\ninclude conf.d/*.conf\nlast");
	ok(conf_read(&conf, CONF_SQUID, CONF_OTHERS, in("main.conf"), "", &diag) == 0, "a squid.conf is read");
	is_int((long long)conf.n, 8, "as many directives as there are");
	is_int((long long)conf.v[0].n_words, 3, "a line that goes on");
	is_int(conf.v[0].n_lines, 2, "over two lines");
	ok(conf.v[2].conditional && !conf.v[0].conditional && !conf.v[7].conditional, "what is within an if is known");
	is_slice(conf_word(&conf.v[5], 0), SLICE("from_a"), "files come in the order of their names");
	is_slice(conf_word(&conf.v[6], 1), SLICE("quoted words"), "quotes are taken away");
	is_int((long long)conf.v[6].n_words, 3, "and comments");
	is_slice(conf_word(&conf.v[7], 0), SLICE("last"), "a last line without an end");
	conf_place(&conf, &conf.v[7], place);
	ok(strstr(place, "main.conf:9") != NULL, "each has its place");
	conf_fini(&conf);

	write_file("main.conf", "include nowhere.conf\n");
	ok(conf_read(&conf, CONF_SQUID, CONF_OTHERS, in("main.conf"), "", &diag) == -1 && says(&diag, DIAG_ERROR, "nowhere.conf"),
	    "a file that is not there");
	conf_fini(&conf);
	diag_fini(&diag);
	write_file("main.conf", "include main.conf\n");
	ok(conf_read(&conf, CONF_SQUID, CONF_OTHERS, in("main.conf"), "", &diag) == -1 && says(&diag, DIAG_ERROR, "deep"),
	    "a file that includes itself");
	conf_fini(&conf);
	diag_fini(&diag);
}

static void
test_questions(void)
{
	struct slice host;
	struct squid_build build;
	unsigned port;

	is_int(squid_uri_port(SLICE("icap://127.0.0.1:1345/av?x"), &host), 1345, "the port of a URI");
	is_slice(host, SLICE("127.0.0.1"), "its host");
	is_int(squid_uri_port(SLICE("icap://[::1]/av"), &host), 1344, "a URI without a port");
	is_slice(host, SLICE("[::1]"), "an IPv6 host");
	is_int(squid_uri_port(SLICE("icaps://x/"), &host), 11344, "icaps has another");
	is_slice(squid_uri_service(SLICE("icap://x:1344/av?allow204=on")), SLICE("av"), "the service of a URI");
	squid_build_read(SLICE("Squid Cache: Version 6.13\nconfigure options: '--with-openssl' '--enable-icap-client'\n"), &build);
	ok(build.major == 6 && build.minor == 13 && build.openssl && build.icap, "what squid -v says");
	squid_build_read(SLICE("Squid Cache: Version 5.7\nconfigure options: '--disable-icap-client' '--with-gnutls'\n"), &build);
	ok(build.major == 5 && build.minor == 7 && !build.openssl && !build.icap, "and of another build");
	ok(cicap_port_read(SLICE("[::1]:1344"), &host, &port) && port == 1344 && cicap_is_loopback(host), "a Port line with a bracket");
	ok(cicap_port_read(SLICE("1344"), &host, &port) && host.len == 0 && !cicap_is_loopback(host), "one of any address");
	ok(!cicap_port_read(SLICE("localhost:0"), &host, &port), "and one that is none");
}

/* ---- plans ---- */

static struct squid_build
build_of(void)
{
	struct squid_build b;

	squid_build_read(SLICE("Version 5.7\n'--with-logdir=/var/log/squid' '--with-gnutls'"), &b);
	return b;
}


struct planned {
	struct conf		 squid_lines, cicap_lines;
	struct squid_facts	 squid;
	struct cicap_facts	 cicap;
	struct plan		 plan;
	struct diag		 diag;
	int			 result;
};

/* Plan for the two files that are there. */
static void
plan(struct planned *p, bool keep_listen, bool drop_failover)
{
	struct plan_options o = { .state = "/state", .module = "srv_firebreak.so", .keep_listen = keep_listen,
	    .drop_failover = drop_failover,
		.squid = { .path = in("conf.d/firebreak.conf") }, .cicap = { .path = in("firebreak.conf") } };

	*p = (struct planned){ .result = -1 };
	if (conf_read(&p->squid_lines, CONF_SQUID, CONF_OTHERS, in("squid.conf"), "", &p->diag) == -1 ||
	    conf_read(&p->cicap_lines, CONF_CICAP, CONF_OTHERS, in("c-icap.conf"), "", &p->diag) == -1 ||
	    squid_facts_read(&p->squid, &p->squid_lines, build_of()) == -1)
		return;
	cicap_facts_read(&p->cicap, &p->cicap_lines);
	if (p->squid.include == NULL)
		o.squid.path = in("firebreak-squid.conf");
	p->result = plan_make(&p->plan, &p->squid, &p->cicap, &o, &p->diag);
}

static void
unplan(struct planned *p)
{
	plan_fini(&p->plan);
	squid_facts_fini(&p->squid);
	conf_fini(&p->squid_lines);
	conf_fini(&p->cicap_lines);
	diag_fini(&p->diag);
}

/* The file of the plan that ends in NAME; an empty one when there is none. */
static const struct buf *
planned_file(const struct planned *p, const char *name)
{
	static const struct buf none;

	for (size_t i = 0; i < p->plan.n_files; i++)
		if (slice_ends(slice_str(p->plan.files[i].path), slice_str(name)))
			return &p->plan.files[i].after;
	return &none;
}

#define CICAP	"Port 127.0.0.1:1344\nMaxServers 10\nThreadsPerChild 10\n"

/* Each row plans for a squid.conf of these lines, and a c-icap.conf. */
static const struct {
	const char	*name, *squid, *cicap;
	bool		 keep_listen, drop_failover;
	const char	*file, *expected;	/* what that file of the plan has; NULL file: an error says EXPECTED */
	const char	*absent;		/* and has not; NULL */
} plan_rows[] = {
	{ "a folder that is included", "include conf.d/*.conf\n", CICAP, false, false, "conf.d/firebreak.conf",
	    "icap_service firebreak_req reqmod_precache icap://127.0.0.1:1344/firebreak bypass=off on-overload=wait max-conn=400\n",
	    NULL },
	{ "the main file is left alone then", "include conf.d/*.conf\n", CICAP, false, false, "squid.conf", "", "firebreak" },
	{ "no such folder", "http_port 3128\n", CICAP, false, false, "/squid.conf", "include ", NULL },
	{ "a folder of other names", "include conf.d/*.acl\n", CICAP, false, false, "/squid.conf", "firebreak-squid.conf\n", NULL },
	{ "a service of others, behind us", "include conf.d/*.conf\nicap_enable on\nicap_service av reqmod_precache "
	    "icap://127.0.0.1:1344/av\n"
	    "adaptation_access av allow all\n", CICAP, false, false, "conf.d/firebreak.conf",
	    "adaptation_service_chain av firebreak_req av\n# Never matches; only keeps its place before firebreak_req, since its own "
	    "lines come later.\n"
	    "adaptation_access av deny !all\n", NULL },
	{ "a service of others, before us", "icap_enable on\nicap_service av respmod_precache icap://127.0.0.1:1344/av\n"
	    "adaptation_access av allow all\n", CICAP, false, false, "firebreak-squid.conf",
	    "adaptation_service_chain av av firebreak_resp\n",
	    "deny !all" },
	{ "one that nobody asks for", "icap_enable on\nicap_service av respmod_precache icap://127.0.0.1:1344/av\n", CICAP, false, false,
	    "firebreak-squid.conf", "", "adaptation_service_chain" },
	{ "a chain of others", "icap_enable on\nicap_service a reqmod_precache icap://x/a\nicap_service b reqmod_precache icap://x/b\n"
	    "adaptation_service_chain c \\\n a b\nadaptation_access c allow all\n", CICAP, false, false, "/squid.conf",
	    "#was adaptation_service_chain c \\\n#was  a b\nadaptation_service_chain c firebreak_req a b\n", NULL },
	{ "a chain of others for answers", "icap_enable on\nicap_service a respmod_precache icap://x/a\nadaptation_service_chain c a\n"
	    "adaptation_access c allow all\n", CICAP, false, false, "/squid.conf", "adaptation_service_chain c a firebreak_resp\n",
	    NULL },
	{ "a set of others", "icap_enable on\nicap_service a reqmod_precache icap://x/a\nadaptation_service_set s a\n"
	    "adaptation_access s allow all\n", CICAP, false, false, NULL, "beside a set", NULL },
	{ "a set of others whose rest is given up", "icap_enable on\nicap_service a reqmod_precache icap://x/a\n"
	    "icap_service b reqmod_precache icap://x/b\nadaptation_service_set s a b\nadaptation_access s allow all\n", CICAP, false,
	    true,
	    "/squid.conf", "adaptation_service_chain s firebreak_req a\n", NULL },
	{ "services that sleep", "icap_service a reqmod_precache icap://x/a\nadaptation_access a allow all\n", CICAP, false, false, NULL,
	    "icap_enable is off", NULL },
	{ "Firebreak by hand", "icap_enable on\nicap_service x reqmod_precache icap://127.0.0.1:1344/firebreak\n", CICAP, false, false,
	    NULL,
	    "by hand", NULL },
	{ "Firebreak by hand in c-icap", "", CICAP "Service firebreak srv_firebreak.so\n", false, false, NULL, "by hand", NULL },
	{ "a value that says otherwise behind us", "include conf.d/*.conf\nicap_preview_enable off\n", CICAP, false, false, "/squid.conf",
	    "#was icap_preview_enable off\n", NULL },
	{ "a value that says otherwise before us", "icap_preview_enable off\n", CICAP, false, false, "/squid.conf",
	    "icap_preview_enable off\n",
	    "#was" },
	{ "a value that says the same", "include conf.d/*.conf\nicap_service_failure_limit -1\n", CICAP, false, false, "/squid.conf", "",
	    "#was" },
	{ "an old name", "include conf.d/*.conf\nicap_send_client_ip off\n", CICAP, false, false, "/squid.conf",
	    "#was icap_send_client_ip off\n",
	    NULL },
	{ "a value within an if", "include conf.d/*.conf\nif 1 = 1\nicap_enable off\nendif\n", CICAP, false, false, NULL,
	    "within an \"if\"", NULL },
	{ "a time that the site chose", "icap_io_timeout 5 minutes\n", CICAP, false, false, "firebreak-squid.conf",
	    "icap_connect_timeout 3 seconds",
	    "icap_io_timeout 60" },
	{ "c-icap on every address", "", "Port 1344\n", false, false, "/c-icap.conf", "#was Port 1344\nPort 127.0.0.1:1344\n", NULL },
	{ "twice the same port", "", "Port 1344\nPort 10.0.0.1:1344\n", false, false, "/c-icap.conf", "#was Port 10.0.0.1:1344\n# <<<",
	    NULL },
	{ "c-icap that stays open", "", "Port 1344\n", true, false, "/c-icap.conf", "Include ", "#was" },
	{ "c-icap that somebody reaches otherwise", "icap_enable on\nicap_service a reqmod_precache icap://10.0.0.1:1344/a\n",
	    "Port 1344\n",
	    false, false, "/c-icap.conf", "Include ", "#was" },
	{ "c-icap without a Port line", "", "MaxServers 1\n", false, false, "/firebreak.conf", "\nPort 127.0.0.1:1344\n", NULL },
	{ "another port", "", "Port 127.0.0.1:1355\n", false, false, "firebreak-squid.conf", "icap://127.0.0.1:1355/firebreak", NULL },
	{ "threads for both services", "", CICAP, false, false, "/firebreak.conf", "MaxServers 14\nThreadsPerChild 64\n", NULL },
	{ "threads for those of others, too", "icap_enable on\nicap_service a reqmod_precache icap://127.0.0.1:1344/a\n", CICAP, false,
	    false,
	    "/firebreak.conf", "MaxServers 20\n", NULL },
	{ "what is not asked about is logged, beside Squid's default", "", CICAP, false, false, "firebreak-squid.conf",
	    "access_log stdio:/var/log/squid/firebreak-unfiltered.log logformat=squid on-error=drop !firebreak_asked\n"
	    "# Squid's own default, which it takes only while there is no access_log line at all.\n"
	    "access_log daemon:/var/log/squid/access.log squid\n", NULL },
	{ "and beside what the site logs", "access_log udp:127.0.0.1:514 squid\naccess_log daemon:/srv/log/a.log squid\n", CICAP, false,
	    false,
	    "firebreak-squid.conf", "access_log stdio:/srv/log/firebreak-unfiltered.log ", "/access.log" },
	{ "and not where no file is wanted", "access_log none\n", CICAP, false, false, "firebreak-squid.conf", "", "access_log" },
	{ "threads that are enough", "", "Port 127.0.0.1:1344\nMaxServers 100\nThreadsPerChild 10\n", false, false, "/firebreak.conf",
	    "firebreak.StateDir /state\n", "MaxServers" },
};

static void
test_plan(void)
{
	mkdir(in("conf.d"), 0755);
	unlink(in("conf.d/a.conf"));
	unlink(in("conf.d/b.conf"));
	for (size_t i = 0; i < sizeof(plan_rows) / sizeof(plan_rows[0]); i++) {
		struct planned p;

		write_file("squid.conf", plan_rows[i].squid);
		write_file("c-icap.conf", plan_rows[i].cicap);
		plan(&p, plan_rows[i].keep_listen, plan_rows[i].drop_failover);
		if (plan_rows[i].file == NULL) {
			ok(p.result == -1 && says(&p.diag, DIAG_ERROR, plan_rows[i].expected), "%s: an error", plan_rows[i].name);
		} else if (!ok(p.result == 0 && (*plan_rows[i].expected == '\0' || has(planned_file(&p, plan_rows[i].file), plan_rows[i].expected)) &&
		    (plan_rows[i].absent == NULL || !has(planned_file(&p, plan_rows[i].file), plan_rows[i].absent)), "%s", plan_rows[i].name)) {
			diag_print(&p.diag, stdout);
			printf("%s\n", planned_file(&p, plan_rows[i].file)->p);
		}
		unplan(&p);
	}
}

/* What was planned and written is planned again, to the byte. */
static void
test_plan_again(void)
{
	struct planned p;

	write_file("squid.conf", "include conf.d/*.conf\nicap_enable on\nicap_preview_enable off\nicap_service a reqmod_precache "
	    "icap://127.0.0.1/a\n"
	    "icap_service b reqmod_precache icap://127.0.0.1/b\nadaptation_service_chain c a b\nadaptation_access c allow all\n"
	    "adaptation_access a allow all");
	write_file("c-icap.conf", "Port 1344");
	plan(&p, false, false);
	is_int((long long)p.plan.n_files, 4, "four files are planned");
	ok(!plan_is_done(&p.plan) && p.plan.moves_port, "and not done");
	for (size_t i = 0; i < p.plan.n_files; i++)
		if (file_write(p.plan.files[i].path, buf_slice(&p.plan.files[i].after), 0644) == -1)
			abort();
	unplan(&p);

	/* Our files are read by whoever calls, as they may not be included yet. */
	struct buf squid, cicap;
	struct diag diag = { 0 };

	buf_init(&squid, TEXT_MAX);
	buf_init(&cicap, TEXT_MAX);
	if (file_read(in("conf.d/firebreak.conf"), &squid) == -1 || file_read(in("firebreak.conf"), &cicap) == -1)
		abort();
	p = (struct planned){ .result = -1 };
	conf_read(&p.squid_lines, CONF_SQUID, CONF_OTHERS, in("squid.conf"), "", &diag);
	conf_read(&p.cicap_lines, CONF_CICAP, CONF_OTHERS, in("c-icap.conf"), "", &diag);
	squid_facts_read(&p.squid, &p.squid_lines, build_of());
	cicap_facts_read(&p.cicap, &p.cicap_lines);
	ok(plan_make(&p.plan, &p.squid, &p.cicap, &(struct plan_options){ .state = "/state", .module = "srv_firebreak.so",
	    .squid = { in("conf.d/firebreak.conf"), true, buf_slice(&squid) }, .cicap = { in("firebreak.conf"), true,
	    buf_slice(&cicap) } }, &diag) == 0,
	    "it is planned again");
	ok(plan_is_done(&p.plan), "and nothing would change");
	ok(p.plan.n_files == 4 && strcmp(p.plan.icap, "127.0.0.1:1344") == 0, "all four files are known as ours");
	unplan(&p);
	buf_fini(&squid);
	buf_fini(&cicap);
	diag_fini(&diag);
}

/* ---- the journal ---- */

static void
no_visit(void *arg, const char *path, enum undo_what what)
{
	(void)path;
	*(unsigned *)arg |= 1u << what;
}

static void
test_journal(void)
{
	struct diag diag = { 0 }, refused = { 0 };
	struct buf now;
	struct planned p;
	struct journal j;
	unsigned seen = 0;

	write_file("squid.conf", "http_port 3128\n");
	write_file("c-icap.conf", CICAP);
	unlink(in("firebreak.conf"));
	unlink(in("firebreak-squid.conf"));
	mkdir(in("state"), 0755);
	chmod(in("squid.conf"), 0604);
	plan(&p, false, false);
	ok(journal_open(&j, in("state"), false, &diag) == 0 && j.phase == JOURNAL_NONE, "no journal yet");
	journal_close(&j);
	ok(journal_open(&j, in("state"), true, &diag) == 0 && apply_begin(&j, &p.plan, &diag) == 0, "one begins");
	ok(apply_write(&j, &p.plan, &diag) == 0, "the files are written");
	journal_close(&j);
	buf_init(&now, TEXT_MAX);
	ok(file_read(in("squid.conf"), &now) == 0 && has(&now, "include "), "they are");

	ok(journal_open(&j, in("state"), false, &diag) == 0 && j.phase == JOURNAL_CHANGING && j.n_files == 4, "another process finds it");
	ok(unlink(in("firebreak.conf")) == 0 && mkdir(in("firebreak.conf"), 0755) == 0, "somebody puts a folder in its place");
	is_int(apply_back(&j, &refused), -1, "of what cannot be read nobody says that it is back");
	diag_fini(&refused);
	rmdir(in("firebreak.conf"));
	ok(apply_back(&j, &diag) == 0 && apply_settle(&j, &diag) == 0, "and puts all back");
	journal_close(&j);
	buf_reset(&now);
	ok(file_read(in("squid.conf"), &now) == 0, "the main file is there");
	is_slice(buf_slice(&now), SLICE("http_port 3128\n"), "as it was");
	ok(access(in("firebreak.conf"), F_OK) == -1 && access(in("state/setup"), F_OK) == -1, "our files and the journal are gone");

	ok(journal_open(&j, in("state"), true, &diag) == 0 && apply_begin(&j, &p.plan, &diag) == 0 && apply_write(&j, &p.plan,
	    &diag) == 0 &&
	    apply_end(&j, &diag) == 0, "once more, to the end");
	write_file("c-icap.conf", "# somebody's own\n");
	ok(unlink(in("firebreak.conf")) == 0, "others change and remove files");
	ok(apply_undo(&j, no_visit, &seen, &diag) == 0, "undo");
	is_int(seen, 1u << UNDO_RESTORED | 1u << UNDO_REMOVED | 1u << UNDO_FOREIGN | 1u << UNDO_AS_BEFORE, "says what became of each");
	struct stat st;

	ok(stat(in("squid.conf"), &st) == 0 && (st.st_mode & ALLPERMS) == 0604, "with its mode");
	ok(journal_forget(&j, &diag) == 0, "and is forgotten");
	journal_close(&j);
	is_int((long long)diag.n, 0, "nothing was wrong");
	diag_print(&diag, stdout);
	buf_fini(&now);
	unplan(&p);
}

/* A second setup that is taken back leaves the first, and what somebody changed between them. */
static void
test_journal_twice(void)
{
	struct diag diag = { 0 };
	struct planned p;
	struct journal j;
	struct buf now;
	unsigned seen = 0;

	write_file("squid.conf", "http_port 3128\n");
	write_file("c-icap.conf", CICAP);
	plan(&p, false, false);
	ok(journal_open(&j, in("state"), true, &diag) == 0 && apply_begin(&j, &p.plan, &diag) == 0 && apply_write(&j, &p.plan,
	    &diag) == 0 &&
	    apply_end(&j, &diag) == 0, "a first setup");
	journal_close(&j);
	unplan(&p);

	write_file("squid.conf", "http_port 3128\ninclude conf.d/*.conf\n# new\n");
	write_file("c-icap.conf", "Port 1344\n");
	plan(&p, false, false);
	ok(journal_open(&j, in("state"), true, &diag) == 0 && apply_begin(&j, &p.plan, &diag) == 0 && !j.first &&
	    apply_write(&j, &p.plan, &diag) == 0, "a second, after both files were changed");
	ok(apply_back(&j, &diag) == 0 && apply_settle(&j, &diag) == 0 && j.phase == JOURNAL_DONE, "is taken back");
	buf_init(&now, TEXT_MAX);
	ok(file_read(in("c-icap.conf"), &now) == 0, "c-icap.conf is there");
	is_slice(buf_slice(&now), SLICE("Port 1344\n"), "as somebody wrote it");
	buf_reset(&now);
	ok(file_read(in("squid.conf"), &now) == 0, "squid.conf is there");
	is_slice(buf_slice(&now), SLICE("http_port 3128\ninclude conf.d/*.conf\n# new\n"), "as somebody wrote it, too");
	ok(access(in("conf.d/firebreak.conf"), F_OK) == -1 && access(in("firebreak-squid.conf"), F_OK) == 0,
	    "the second one's file is gone, the first one's is there");
	ok(apply_undo(&j, no_visit, &seen, &diag) == 0 && journal_forget(&j, &diag) == 0, "undo");
	ok(access(in("firebreak-squid.conf"), F_OK) == -1, "takes that away as well");
	journal_close(&j);
	diag_print(&diag, stdout);
	diag_fini(&diag);
	buf_fini(&now);
	unplan(&p);
}

/* What others could have written is not believed. */
static void
test_journal_trust(void)
{
	struct diag diag = { 0 };
	struct journal j;

	mkdir(in("state/setup"), 0777);
	chmod(in("state/setup"), 0777);
	ok(journal_open(&j, in("state"), false, &diag) == -1 && says(&diag, DIAG_ERROR, "cannot be trusted"),
	    "a folder where others may write");
	journal_close(&j);
	diag_fini(&diag);
	chmod(in("state/setup"), 0700);
	write_file("elsewhere", "{}");
	ok(symlink(in("elsewhere"), in("state/setup/journal.json")) == 0 && journal_open(&j, in("state"), false, &diag) == -1, "a link");
	journal_close(&j);
	unlink(in("state/setup/journal.json"));
	write_file("state/setup/journal.json", "{\"version\":1,\"phase\":\"done\",\"files\":[{\"path\":\"relative\"}]}");
	ok(journal_open(&j, in("state"), false, &diag) == -1 && says(&diag, DIAG_ERROR, "damaged"), "a path that is none");
	journal_close(&j);
	chmod(in("state/setup/journal.json"), 0666);
	diag_fini(&diag);
	ok(journal_open(&j, in("state"), false, &diag) == -1 && !says(&diag, DIAG_ERROR, "damaged"), "a file that others may write");
	journal_close(&j);
	diag_fini(&diag);
	remove_tree(in("state/setup"));
}

/* What "squid -v" says. */
#define BUILD	"Version 5.7\n"

/* ---- the selftest ---- */

/* Its rules are the same in every process and on every machine, as a generation keeps them for long; those of setup never are. */
static void
test_canaries(void)
{
	static const char rules[] = PROOF_CANARIES_HEAD
	    "block host host.firebreak-canary.invalid id=host\n"
	    "block url url.firebreak-canary.invalid/listed/ id=url\n"
	    "block path path.firebreak-canary.invalid/*/canary.bin* id=path\n"
	    "block file 20480:sha256:00f72cb258c890b8acf0e9b08fee0cfe531f132708c51e89f99102e6014f086d id=short\n"
	    "block file 307200:sha256:c4b7ce49c97852db375fb6b51d2c2087f02057c6957d1beb16db375336ad0e5a id=long\n"
	    "block file 20480:md5:5a7e38a1a180e3ebf928e1f8b1bdab8f id=md5\n"
	    "block file 20480:name:firebreak-canary.bin id=name\n";
	struct proof *p = proof_new("127.0.0.1:1", PROOF_OF_SELFTEST), *once = proof_new("127.0.0.1:1", PROOF_OF_SETUP),
	    *again = proof_new("127.0.0.1:1", PROOF_OF_SETUP);
	size_t n = 0;

	ok(p != NULL && once != NULL && again != NULL, "proofs");
	is_slice(proof_rules(p), slice_str(rules), "the rules of a selftest");
	ok(!slice_eq(proof_rules(once), proof_rules(again)), "those of two setups differ");
	while (proof_word(n) != NULL)
		ok(proof_leave_out(p, slice_str(proof_word(n++))) == 0, "what is blocked can be left out");
	ok(n == 11, "eleven kinds");
	ok(proof_leave_out(p, SLICE("plain")) == -1, "what has to pass cannot be left out");
	proof_free(p);
	proof_free(once);
	proof_free(again);
}

static void
test_proxy_address(void)
{
	static const struct { const char *conf, *address; } rows[] = {
		{ "http_port 3128\n", "127.0.0.1:3128" }, { "http_port 0.0.0.0:8080\n", "127.0.0.1:8080" },
		{ "http_port [::]:8080\n", "127.0.0.1:8080" }, { "http_port 192.0.2.1:3128\n", "192.0.2.1:3128" },
		{ "http_port 3128 intercept\nhttp_port 3129\n", "127.0.0.1:3129" }, { "http_port 3128 intercept\n", "" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char address[SQUID_PROXY] = "";
		struct diag diag = { 0 };
		struct squid_build b;
		struct squid_facts facts;
		struct conf conf;

		write_file("port.conf", rows[i].conf);
		squid_build_read(slice_str(BUILD), &b);
		if (conf_read(&conf, CONF_SQUID, CONF_ALL, in("port.conf"), "", &diag) == -1 || squid_facts_read(&facts, &conf, b) == -1)
			abort();
		ok(squid_proxy_address(&facts, address) == (*rows[i].address != '\0'), "an address or none");
		is_str(address, rows[i].address, rows[i].conf);
		squid_facts_fini(&facts);
		conf_fini(&conf);
	}
}

/* ---- what c-icap's user could put in our way ---- */

/* A process of /bin/sleep as user UID, with its number in "number"; -1. */
static pid_t
start_sleep(uid_t uid)
{
	char *argv[] = { (char *)(uintptr_t)"sleep", (char *)(uintptr_t)"60", NULL },
	    *envp[] = { (char *)(uintptr_t)"LD_PRELOAD=", NULL }, text[32], c;
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) == -1)
		return -1;
	if ((pid = fork()) == 0) {
		if (uid == getuid() || setresuid(uid, uid, uid) == 0)
			execve("/bin/sleep", argv, envp);
		_exit(1);
	}
	/* It has begun when the pipe is closed by that. */
	close(ends[1]);
	while (read(ends[0], &c, 1) == 1)
		continue;
	close(ends[0]);
	snprintf(text, sizeof(text), "%d\n", (int)pid);
	write_file("number", text);
	return pid;
}

static void
end_sleep(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void
test_process(void)
{
	enum { OTHER = 65534 };
	struct process p;
	pid_t pid = start_sleep(getuid());

	ok(process_of_file(in("number"), "/bin/sleep", &p) && p.pid == pid && p.arguments != NULL && strcmp(p.arguments[1], "60") == 0 &&
	    p.environment != NULL && p.folder != NULL, "a process of ours is told as it was started");
	process_fini(&p);
	end_sleep(pid);
	if (getuid() == 0) {
		pid = start_sleep(OTHER);
		ok(process_of_file(in("number"), "/bin/sleep", &p) && p.pid == pid && p.arguments == NULL && p.environment == NULL &&
		    p.folder == NULL, "nothing of how another user started his is believed");
		process_fini(&p);
		end_sleep(pid);
	}
	unlink(in("number"));
	ok(mkfifo(in("number"), 0600) == 0 && !process_of_file(in("number"), "/bin/sleep", &p), "a number that is a pipe keeps nobody");
	process_fini(&p);
	unlink(in("number"));
}

static void
test_order(void)
{
	struct buf now;
	char got[16] = "";
	int fd;

	write_file("elsewhere", "root:x:0:0:\n");
	ok(symlink(in("elsewhere"), in("orders")) == 0 && process_tell(in("orders"), SLICE("reconfigure")) == -1, "a link gets no order");
	ok(process_tell(in("elsewhere"), SLICE("reconfigure")) == -1, "nor does a file");
	buf_init(&now, TEXT_MAX);
	ok(file_read(in("elsewhere"), &now) == 0, "which is there");
	is_slice(buf_slice(&now), SLICE("root:x:0:0:\n"), "as it was");
	buf_fini(&now);
	unlink(in("orders"));
	ok(mkfifo(in("orders"), 0600) == 0 && process_tell(in("orders"), SLICE("reconfigure")) == -1, "nor a pipe that nobody reads");
	fd = open(in("orders"), O_RDONLY | O_NONBLOCK);
	ok(process_tell(in("orders"), SLICE("reconfigure")) == 0 && read(fd, got, sizeof(got) - 1) == (ssize_t)strlen("reconfigure") &&
	    strcmp(got, "reconfigure") == 0, "one that is read does");
	close(fd);
	unlink(in("orders"));
	unlink(in("elsewhere"));
}

/* A c-icap that does what its user could do in the folder of the trial. */
static void
test_trial(void)
{
	struct daemons d = { .cicap = strdup(in("fake")) };
	struct conf conf = { .n = 0 };
	struct diag diag = { 0 };
	struct buf script;

	write_file("elsewhere", "not-for-anybody\n");
	buf_init(&script, TEXT_MAX);
	buf_addf(&script, "#!/bin/sh\ndir=${6%%/*}\nln -s '%s' \"$dir/c-icap/server.log\"\nstat -c 'mode %%a' \"$dir\"\nexit 1\n",
	    in("elsewhere"));
	write_file("fake", script.p);
	chmod(in("fake"), 0755);
	ok(daemons_try_cicap(&d, &conf, SLICE(""), "own", SLICE(""), &diag) == -1 && says(&diag, DIAG_ERROR, "mode 711"),
	    "what a trial writes lies where c-icap's user cannot write");
	ok(!says(&diag, DIAG_ERROR, "not-for-anybody"), "a log that is a link is not read");
	ok(access(in("elsewhere"), F_OK) == 0, "and what it names stays");
	buf_fini(&script);
	diag_fini(&diag);
	daemons_fini(&d);
	unlink(in("fake"));
	unlink(in("elsewhere"));
}

/* ---- the doctor ---- */

/* What is found of a machine, as ids with a space behind each. */
static void
note_id(void *arg, const struct finding *f)
{
	buf_add_strs(arg, f->id, " ", NULL);
}

static void
examine_as(struct patient *p, const char *build, doctor_visit *visit, void *arg)
{
	struct conf squid_lines, cicap_lines;
	struct squid_facts squid;
	struct cicap_facts cicap;
	struct squid_build b;
	struct diag diag = { 0 };

	squid_build_read(slice_str(build), &b);
	if (conf_read(&squid_lines, CONF_SQUID, CONF_ALL, in("squid.conf"), "", &diag) == -1 ||
	    conf_read(&cicap_lines, CONF_CICAP, CONF_ALL, in("c-icap.conf"), "", &diag) == -1 ||
	    squid_facts_read(&squid, &squid_lines, b) == -1)
		abort();
	cicap_facts_read(&cicap, &cicap_lines);
	p->squid = &squid;
	p->cicap = &cicap;
	doctor_examine(p, visit, arg);
	squid_facts_fini(&squid);
	conf_fini(&squid_lines);
	conf_fini(&cicap_lines);
}

static void
examine(struct patient *p, const char *build, struct buf *ids)
{
	buf_reset(ids);
	buf_add_str(ids, "");
	examine_as(p, build, note_id, ids);
}

/* In the file NAME, FROM becomes TO; with FROM "" TO is put at its end. */
static void
seed(const char *name, const char *from, const char *to)
{
	struct buf text, changed;
	size_t at;

	buf_init(&text, TEXT_MAX);
	buf_init(&changed, TEXT_MAX);
	if (file_read(in(name), &text) == -1)
		abort();
	at = *from == '\0' ? text.len : slice_search(buf_slice(&text), slice_str(from));
	if (at == text.len && *from != '\0') {
		printf("# %s has no \"%s\"\n", name, from);
		abort();
	}
	buf_add_slice(&changed, slice_head(buf_slice(&text), at));
	buf_add_str(&changed, to);
	buf_add_slice(&changed, slice_skip(buf_slice(&text), at + strlen(from)));
	if (file_write(in(name), buf_slice(&changed), 0644) == -1)
		abort();
	buf_fini(&text);
	buf_fini(&changed);
}

#define SQUID	"firebreak-squid.conf"
#define OURS	"firebreak.conf"

/* What firebreak setup makes of a plain Squid and c-icap, and all is well. */
static void
write_healthy(void)
{
	struct planned p;

	write_file("squid.conf", "http_port 3128\nhttp_access allow localhost\n");
	write_file("c-icap.conf", "Port 1344\nUser nobody\n");
	unlink(in("firebreak.conf"));
	unlink(in("firebreak-squid.conf"));
	plan(&p, false, false);
	for (size_t i = 0; i < p.plan.n_files; i++)
		if (file_write(p.plan.files[i].path, buf_slice(&p.plan.files[i].after), 0644) == -1)
			abort();
	unplan(&p);
}

static struct patient
healthy(void)
{
	return (struct patient){ .examined = true, .squid_runs = true, .squid_parses = true, .icap_status = 200, .module_there = true,
		.state_there = true, .state_fits = true, .has_rules = true, .enforces = true, .n_workers = 2, .suffixes_age_s = 86400,
		.disk_free = 0.5 };
}

/* Each row makes one thing wrong, and exactly that is found. */
static void
test_doctor_files(void)
{
	static const struct {
		const char	*id;		/* what is found: ids with a space behind each */
		const char	*file, *from, *to, *build;
	} rows[] = {
		{ "no-icap ", SQUID, "", "", "Version 5.7 '--disable-icap-client'" },
		{ "icap-off ", "squid.conf", "", "icap_enable off\n", BUILD },
		{ "no-request-service unknown-service ", SQUID, "icap_service firebreak_req ", "#", BUILD },
		{ "no-answer-service unknown-service ", SQUID, "icap_service firebreak_resp ", "#", BUILD },
		{ "no-request-access ", SQUID, "adaptation_access firebreak_req allow all", "", BUILD },
		{ "no-answer-access streams ", SQUID,
		    "adaptation_access firebreak_resp deny firebreak_stream_q firebreak_stream_r\nadaptation_access firebreak_resp allow all",
		    "", BUILD },
		{ "unknown-service ", "squid.conf", "", "adaptation_access av allow all\n", BUILD },
		{ "access-order page-cut ", "squid.conf", "http_port", "icap_service av reqmod_precache icap://x:1/av\nadaptation_access av allow "
		    "all\nhttp_port", BUILD },
		{ "access-leak ", SQUID, "adaptation_access firebreak_req allow all",
		    "acl lab src 10.0.0.0/8\nadaptation_access firebreak_req deny lab\nadaptation_access firebreak_req allow all", BUILD },
		{ "access-some ", SQUID, "adaptation_access firebreak_req allow all", "adaptation_access firebreak_req allow localhost", BUILD },
		{ "bypass ", SQUID, "firebreak bypass=off", "firebreak bypass=on", BUILD },
		{ "overload ", SQUID, "bypass=off on-overload=wait", "bypass=off on-overload=bypass", BUILD },
		{ "preview-off ", "squid.conf", "", "icap_preview_enable off\n", BUILD },
		{ "preview-size ", "squid.conf", "", "icap_preview_size 0\n", BUILD },
		{ "client-address ", "squid.conf", "", "icap_send_client_ip off\n", BUILD },
		{ "user-name ", SQUID, "adaptation_send_username on", "", BUILD },
		{ "user-header ", "squid.conf", "", "icap_client_username_header X-Authenticated-User\n", BUILD },
		{ "user-encoded ", "squid.conf", "", "icap_client_username_encode on\n", BUILD },
		{ "connect-leak ", SQUID, "persistent_connection_after_error off", "", "Version 6.13\n" },
		{ "", SQUID, "persistent_connection_after_error off", "", BUILD },
		{ "failure-limit ", SQUID, "icap_service_failure_limit -1", "", BUILD },
		{ "revival ", SQUID, "icap_service_revival_delay 30", "", BUILD },
		{ "io-timeout ", SQUID, "icap_io_timeout 60 seconds", "", BUILD },
		{ "expect ", SQUID, "force_request_body_continuation allow all", "", BUILD },
		{ "streams ", SQUID, "adaptation_access firebreak_resp deny firebreak_stream_q firebreak_stream_r", "", BUILD },
		{ "no-detector ", SQUID, "acl firebreak_asked adaptation_service firebreak_req", "acl firebreak_asked src 10.0.0.0/8", BUILD },
		{ "quic ", "squid.conf", "", "http_port 3129 intercept\n", BUILD },
		{ "quic ", "squid.conf", "", "https_port 3130 tproxy ssl-bump\n", BUILD },
		{ "quic ", "squid.conf", "", "http_port 3129 intercept\nreply_header_access Alt-Svc allow all\n", BUILD },
		{ "", "squid.conf", "", "http_port 3129 intercept\nreply_header_access Alt-Svc deny all\n", BUILD },
		{ "alt-svc ", "squid.conf", "", "http_port 3129 ssl-bump cert=/x\n", BUILD },
		{ "", "squid.conf", "", "http_port 3129 ssl-bump cert=/x\nreply_header_access alt-svc deny all\n", BUILD },
		{ "page-cut ", "squid.conf", "", "icap_service av reqmod_precache icap://127.0.0.1:1/av\n", "Version 6.1\n" },
		{ "", "squid.conf", "", "icap_service av reqmod_precache icap://127.0.0.1:1/av\n", "Version 6.2\n" },
		{ "", "squid.conf", "", "icap_service av respmod_precache icap://127.0.0.1:1/av\n", BUILD },
		{ "hold-whole ", OURS, "firebreak.StateDir", "firebreak.HoldMode whole\nfirebreak.StateDir", BUILD },
		{ "", OURS, "firebreak.StateDir", "firebreak.HoldMode whole\nfirebreak.StateDir", "Version 6.14\n" },
		{ "mark-passes ", OURS, "firebreak.StateDir", "firebreak.BlockConnect mark\nfirebreak.StateDir", BUILD },
		{ "inner-passes ", OURS, "firebreak.StateDir", "firebreak.BlockConnect inner\nfirebreak.StateDir", BUILD },
		{ "no-module-line ", OURS, "Service firebreak_module", "#", BUILD },
		{ "other-port ", SQUID, "127.0.0.1:1344/firebreak", "127.0.0.1:1345/firebreak", BUILD },
		{ "open-port ", "c-icap.conf", "127.0.0.1:1344", "1344", BUILD },
		{ "threads ", OURS, "MaxServers 14", "MaxServers 4", BUILD },
		{ "keep-alive ", OURS, "KeepAliveTimeout 90", "KeepAliveTimeout 600", BUILD },
		{ "keep-alive-short ", OURS, "KeepAliveTimeout 90", "KeepAliveTimeout 10", BUILD },
	};
	struct buf ids;

	buf_init(&ids, TEXT_MAX);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct patient p = healthy();

		write_healthy();
		seed(rows[i].file, rows[i].from, rows[i].to);
		examine(&p, rows[i].build, &ids);
		is_str(ids.p, rows[i].id, *rows[i].id == '\0' ? "what is no trap here" : rows[i].id);
	}
	buf_fini(&ids);
}

/* The same of what runs. */
static void
test_doctor_state(void)
{
	static const struct patient none;
	struct {
		const char	*id;
		struct patient	 p;
	} rows[] = {
		{ "", healthy() }, { "squid-parse ", healthy() }, { "setup-interrupted ", healthy() }, { "no-module ", healthy() },
		{ "cicap-down ", healthy() }, { "service-down ", healthy() }, { "squid-down ", healthy() }, { "no-state ", healthy() },
		{ "state-owner ", healthy() }, { "no-rules ", healthy() }, { "mode ", healthy() }, { "no-workers ", healthy() },
		{ "behind ", healthy() }, { "suffixes ", healthy() }, { "suffixes ", healthy() }, { "disk ", healthy() }, { "clock ", healthy() },
		{ "selftest ", healthy() }, { "selftest-old ", healthy() }, { "sources-ended ", healthy() }, { "sources-stale ", healthy() },
		{ "sources-failing ", healthy() }, { "pull ", healthy() }, { "log-link ", healthy() }, { "", healthy() },
		{ "", none },
	};
	struct buf ids;
	size_t seen = 0;

	rows[1].p.squid_parses = false;
	rows[2].p.setup_interrupted = true;
	rows[3].p.module_there = false;
	rows[4].p.icap_status = 0;
	rows[5].p.icap_status = 404;
	rows[6].p.squid_runs = false;
	rows[7].p.state_there = false;
	rows[8].p.state_fits = false;
	rows[9].p.has_rules = false;
	rows[10].p.enforces = false;
	rows[11].p.n_workers = 0;
	rows[12].p.n_behind = 1;
	rows[13].p.suffixes_age_s = -1;
	rows[14].p.suffixes_age_s = 400 * 86400;
	rows[15].p.disk_free = 0.01;
	rows[16].p.clock_behind_s = 60;
	rows[17].p.selftest_bad = true;
	rows[18].p.selftest_old = true;
	rows[19].p.ended = rows[20].p.stale = rows[21].p.failing = "mal, urls";
	rows[22].p.pull_is_wrong = true;
	rows[23].p.log_is_link = true;
	rows[24].p.cache_is_older = true;	/* which has no cache_dir */
	rows[24].p.ended = "";
	write_healthy();
	buf_init(&ids, TEXT_MAX);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		examine(&rows[i].p, BUILD, &ids);
		is_str(ids.p, rows[i].id, *rows[i].id == '\0' ? "a machine that is well" : rows[i].id);
	}
	while (doctor_id(seen) != NULL)
		seen++;
	ok(seen >= 55, "%zu traps are known", seen);
	buf_fini(&ids);
}

static void
note_names(void *arg, const struct finding *f)
{
	*(const char **)arg = f->names;
}

/* What was there before, and whose names are said. */
static void
test_doctor_more(void)
{
	struct patient p = healthy();
	const char *names = NULL;
	struct buf ids;

	buf_init(&ids, TEXT_MAX);
	write_healthy();
	seed("squid.conf", "", "cache_dir ufs /var/spool/squid 100 16 256\n");
	examine(&p, BUILD, &ids);
	is_str(ids.p, "", "a cache that was made since");
	p.cache_is_older = true;
	examine(&p, BUILD, &ids);
	is_str(ids.p, "old-cache ", "a cache that was there before");
	seed("squid.conf", "", "acl fb_passive rep_mime_type -i ^image/\nsend_hit deny !fb_passive\n");
	examine(&p, BUILD, &ids);
	is_str(ids.p, "", "one of which no file is served");
	p.stale = "mal, urls";
	examine_as(&p, BUILD, note_names, &names);
	is_str(names, "mal, urls", "the names of what is stale are said");
	buf_fini(&ids);
}

int
main(void)
{
	char *made = temp_dir();

	/* As files that are read have their names. */
	folder = realpath(made, NULL);
	free(made);
	test_marks();
	test_marks_changed();
	test_diff();
	test_conf();
	test_questions();
	test_plan();
	test_plan_again();
	test_journal();
	test_journal_twice();
	test_journal_trust();
	test_canaries();
	test_proxy_address();
	test_process();
	test_order();
	test_trial();
	test_doctor_files();
	test_doctor_state();
	test_doctor_more();
	for (size_t i = 0; i < n_paths; i++)
		free(paths[i]);
	free(paths);
	free(folder);
	return tap_done();
}
