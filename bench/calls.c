/* calls - one kind of request to the service's own objects again and again: "calls KIND N", for callgrind.
 *
 * The rules are 1,000 hosts and 1,000 digests in a state folder of its own.  Each answer is checked.  bench/instructions counts
 * what the module's callbacks execute; the fake server around them is left out. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "ruleset/publish.h"
#include "runtime/state.h"
#include "t/replay/fake_server.h"
#include "t/tap.h"

enum { RULES = 1000, SOURCE_MAX = 1 << 20, FILE_MODE = 0644, FOLDER_MODE = 0755, MS = 1000, EXIT_USAGE = 2, PIECE = 4096 };
enum { LISTED_SIZE = 10240, LARGE_SIZE = 1048576, UNLISTED_SIZE = 10241 };

#define ANY_TYPE "application/octet-stream"

static const struct kind {
	const char	*name;
	bool		 respmod, chunked;
	const char	*host;
	size_t		 body;
	const char	*type, *start;	/* Content-Type, and first bytes of the body */
	int		 expect;	/* ICAP status; 403 is the page */
	bool		 own_page;	/* the site has a template */
} kinds[] = {
	{ "reqmod-pass", false, false, "www.example.org", 0, NULL, NULL, 204, false },
	{ "reqmod-block", false, false, "www.h7.example.com", 0, NULL, NULL, 403, false },
	{ "reqmod-block-template", false, false, "www.h7.example.com", 0, NULL, NULL, 403, true },
	{ "respmod-let-go", true, false, "www.example.org", UNLISTED_SIZE, "image/gif", "GIF89a", 204, false },
	{ "respmod-let-go-text", true, false, "www.example.org", UNLISTED_SIZE, "text/html; charset=utf-8", "<!doctype html>\n", 204, false },
	{ "respmod-hash-10k", true, false, "www.example.org", LISTED_SIZE, ANY_TYPE, NULL, 204, false },
	{ "respmod-hash-10k-chunked", true, true, "www.example.org", LISTED_SIZE, ANY_TYPE, NULL, 204, false },
	{ "respmod-hash-1m", true, false, "www.example.org", LARGE_SIZE, ANY_TYPE, NULL, 200, false },
};

static void
die(const char *what)
{
	fprintf(stderr, "calls: %s\n", what);
	exit(EXIT_FAILURE);
}

static void
write_rules(const char *state)
{
	char path[STATE_PATH];
	struct buf text;

	buf_init(&text, SOURCE_MAX);
	for (int i = 0; i < RULES; i++)
		buf_addf(&text, "block host .h%d.example.com\nblock file %d:md5:%032x\n", i, 20000 + 7 * i, i);
	buf_addf(&text, "block file %d:md5:%032x\nblock file %d:md5:%032x\n", LISTED_SIZE, RULES, LARGE_SIZE, RULES);
	if (state_make(state) == -1 || state_path(state, STATE_SOURCES "/local.rules", path) == -1 ||
	    file_write(path, buf_slice(&text), FILE_MODE) == -1)
		die("the rules cannot be written");
	buf_fini(&text);
}

/* A page that says what firebreak's own does. */
static const char own_page[] = "<!doctype html>\n<html lang=\"{{lang}}\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n<title>{{title}}</title>\n<style>main{max-width:38rem}</style>\n</head>\n"
    "<body>\n<main>\n<h1>{{heading}}</h1>\n<p>{{word_why}}: {{reason}}</p>\n<p>{{advice}}</p>\n"
    "<p>{{word_call}} {{contact}} {{word_read_out}}</p>\n<p class=\"id\">{{incident}}</p>\n"
    "{{#mistake_link}}<p><a href=\"{{mistake_link}}\">{{word_mistake}}</a></p>{{/mistake_link}}\n<dl>\n"
    "{{#file}}<dt>{{word_file}}</dt><dd>{{file}}</dd>{{/file}}\n<dt>{{word_site}}</dt><dd>{{host}}</dd>\n"
    "{{#rule}}<dt>{{word_rule}}</dt><dd>{{rule}}, {{word_revision}} {{revision}}</dd>{{/rule}}\n"
    "{{#alert}}<dt>{{word_alert}}</dt><dd>{{alert}}</dd>{{/alert}}\n<dt>{{word_time}}</dt><dd>{{time}}</dd>\n</dl>\n"
    "{{#organisation}}<p>{{organisation}}</p>{{/organisation}}\n</main>\n</body>\n</html>\n";

static void
write_page(const char *state)
{
	char folder[STATE_PATH], path[STATE_PATH];

	if (state_path(state, STATE_PAGES, folder) == -1 || file_mkdirs(folder, FOLDER_MODE) == -1 ||
	    state_path(state, STATE_PAGES "/block.html", path) == -1 || file_write(path, slice_str(own_page), FILE_MODE) == -1)
		die("the page cannot be written");
}

static void
publish_rules(const char *state, bool with_page)
{
	struct publish_options options = { .state = state, .now = clock_ms() / MS };
	struct publish_report report;
	struct diag diag = { 0 };

	write_rules(state);
	if (with_page)
		write_page(state);
	if (publish(&options, &report, &diag) == -1) {
		diag_print(&diag, stderr);
		die("the rules cannot be published");
	}
	diag_fini(&diag);
}

static void
add_line(struct message *m, const char *text)
{
	buf_add_str(&m->head, text);
}

static void
make_messages(const struct kind *k, struct message *request, struct message *response)
{
	bool text = k->type != NULL && strncmp(k->type, "text/", 5) == 0;

	message_init(request);
	message_init(response);
	buf_addf(&request->head, "GET http://%s/path/to/page.html?id=7 HTTP/1.1\r\nHost: %s\r\n", k->host, k->host);
	add_line(request, "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n");
	add_line(request, "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\nAccept-Language: en-US,en;q=0.5\r\n\r\n");
	request->ended = true;
	add_line(response, "HTTP/1.1 200 OK\r\nServer: nginx\r\n");
	if (k->type != NULL)
		buf_addf(&response->head, "Content-Type: %s\r\n", k->type);
	if (!k->chunked)
		buf_addf(&response->head, "Content-Length: %zu\r\n", k->body);
	add_line(response, "\r\n");
	response->ended = true;
	for (size_t i = 0; i < k->body; i++)
		buf_add_char(&response->body, text ? (char)('a' + i % 26) : (char)(i * 31 + i / 251));
	if (k->start != NULL)
		memcpy(response->body.p, k->start, strlen(k->start));
	if (message_add_read(response) == -1)
		die("out of memory");
}

static void
run(struct fake_server *server, const struct kind *k, uint64_t n)
{
	struct message request, response;
	struct icap_call call = { .respmod = k->respmod, .request = &request, .response = &response, .allow204 = true,
		.headers = SLICE("X-Client-IP: 192.0.2.7\r\n"), .preview = k->respmod ? PIECE : 0, .read_size = PIECE };
	struct icap_reply reply;

	make_messages(k, &request, &response);
	for (uint64_t i = 0; i < n; i++) {
		int status;

		icap_reply_init(&reply);
		fake_server_call(server, &call, &reply);
		status = reply.status == 200 && head_status(buf_slice(&reply.head)) == 403 ? 403 : reply.status;
		if (status != k->expect || fake_server_violations(server).len > 0)
			die("another answer than expected");
		icap_reply_fini(&reply);
	}
	message_fini(&request);
	message_fini(&response);
}

static const struct kind *
find_kind(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strcmp(name, kinds[i].name) == 0)
			return &kinds[i];
	return NULL;
}

int
main(int argc, char **argv)
{
	char state[] = "/tmp/firebreak-calls-XXXXXX";
	const struct kind *kind;
	struct fake_server *server;
	struct diag diag = { 0 };
	uint64_t n;

	if (argc != 3 || (kind = find_kind(argv[1])) == NULL || slice_u64(slice_str(argv[2]), &n) == -1) {
		fputs("usage: calls KIND N, where KIND is one of\n", stderr);
		for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
			fprintf(stderr, "  %s\n", kinds[i].name);
		return EXIT_USAGE;
	}
	if (mkdtemp(state) == NULL)
		die("no folder can be made in /tmp");
	publish_rules(state, kind->own_page);
	if ((server = fake_server_start(state, SLICE(""), &diag)) == NULL)
		die("the service does not start");
	run(server, kind, n);
	fake_server_stop(server);
	diag_fini(&diag);
	remove_tree(state);
	return EXIT_SUCCESS;
}
