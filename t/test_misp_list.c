/* A MISP feed's manifest, the files of its events, and the list that they become; and what others may have made of them. */
#include <fcntl.h>

#include "base/file.h"
#include "feeds/misp_file.h"
#include "feeds/misp_list.h"
#include "t/tap.h"

#define A	"aaaaaaaa-1111-4111-8111-111111111111"
#define B	"bbbbbbbb-1111-4111-8111-111111111111"
#define SUM	"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

/* ---- manifests ---- */

static const struct {
	const char	*name, *text;
	bool		 whole;
	size_t		 bad;
	const char	*events;	/* a line each */
} manifests[] = {
	{ "two, in their order", "{\"" B "\":{\"timestamp\":\"2\"},\"" A "\":{\"timestamp\":1,\"integrity:sha256\":\"" SUM "\"}}", true, 0,
	    A " 1 " SUM "\n" B " 2 -\n" },
	{ "upper case", "{\"AAAAAAAA-1111-4111-8111-111111111111\":{}}", true, 0, A " - -\n" },
	{ "none", "{}", true, 0, "" },
	{ "a name that is none", "{\"../x\":{},\"" A "\":{}}", true, 1, A " - -\n" },
	{ "what is as long as one", "{\"../../../../../../../../../../../../xy\":{},\"" A "\":{}}", true, 1, A " - -\n" },
	{ "a time that is none", "{\"" A "\":{\"timestamp\":\"x y\"},\"" B "\":{\"timestamp\":\"99999999999999999999999\"}}", true, 2, "" },
	{ "a sum that is none", "{\"" A "\":{\"integrity:sha256\":\"00\"}}", true, 1, "" },
	{ "twice", "{\"" A "\":{\"timestamp\":\"9\"},\"" A "\":{\"timestamp\":\"10\"}}", true, 1, A " 10 -\n" },
	{ "twice, and once with a sum", "{\"" A "\":{\"timestamp\":\"9\"},\"" A "\":{\"timestamp\":\"9\",\"integrity:sha256\":\"" SUM "\"}}", true, 1,
	    A " 9 " SUM "\n" },
	{ "the other way about", "{\"" A "\":{\"timestamp\":\"9\",\"integrity:sha256\":\"" SUM "\"},\"" A "\":{\"timestamp\":\"9\"}}", true, 1,
	    A " 9 " SUM "\n" },
	{ "no object", "{\"" A "\":[1]}", true, 0, "" },
	{ "a list", "[{\"" A "\":{}}]", true, 1, "" },
	{ "it breaks off", "{\"" A "\":{\"timestamp\":\"1\"},", false, 1, A " 1 -\n" },
	{ "nothing", "", false, 1, "" },
	{ "three of two", "{\"" A "\":{},\"" B "\":{},\"cccccccc-1111-4111-8111-111111111111\":{}}", false, 1, A " - -\n" B " - -\n" },
};

static void
add_events(const struct misp_manifest *m, struct buf *out)
{
	size_t n;
	const struct misp_event *v = misp_manifest_events(m, &n);

	for (size_t i = 0; i < n; i++) {
		char text[MISP_EVENT_TEXT];
		struct misp_event again;

		misp_event_format(&v[i], text);
		buf_addf(out, "%s\n", text);
		ok(misp_event_parse(slice_str(text), &again) == 0 && misp_event_compare(&v[i], &again) == 0 &&
		    strcmp(v[i].timestamp, again.timestamp) == 0 && v[i].has_sum == again.has_sum, "%s: and back", text);
	}
}

static void
test_manifests(void)
{
	for (size_t i = 0; i < sizeof(manifests) / sizeof(*manifests); i++) {
		struct misp_manifest *m = misp_manifest_new("manifest.json", 2, NULL);
		struct slice text = guard_copy(slice_str(manifests[i].text));
		struct buf events;
		bool good = true;

		buf_init(&events, 4096);
		for (size_t at = 0; at < text.len; at++)
			good = good && misp_manifest_put(m, slice_make(text.p + at, 1)) == 0;
		ok(good && misp_manifest_end(m) == manifests[i].whole, "%s: %s", manifests[i].name, manifests[i].whole ? "whole" : "not whole");
		is_int((long long)misp_manifest_bad(m), (long long)manifests[i].bad, manifests[i].name);
		add_events(m, &events);
		is_slice(buf_slice(&events), slice_str(manifests[i].events), manifests[i].name);
		buf_fini(&events);
		misp_manifest_free(m);
	}
}

static void
test_words(void)
{
	static const char *const none[] = { "", A, A " 1", A " 1 ", A " 1 - -", A " x -", A "  -", "x 1 -", A " 1 00", A " - " SUM "0",
		A "/ 1 -" };
	struct misp_event e;

	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		ok(misp_event_parse(guard_copy(slice_str(none[i])), &e) == -1, "no event: \"%s\"", none[i]);
}

/* ---- files of events ---- */

static const struct {
	const char	*name, *text, *trouble;		/* NULL: none */
} files[] = {
	{ "an event", "{\"Event\":{\"info\":\"x\",\"uuid\":\"" A "\",\"Attribute\":[{\"uuid\":\"" B "\"}]}}", NULL },
	{ "in upper case", "{\"Event\":{\"uuid\":\"AAAAAAAA-1111-4111-8111-111111111111\"}}\n", NULL },
	{ "with a mark", "\xef\xbb\xbf{\"Event\":{\"uuid\":\"" A "\"}}", NULL },
	{ "another", "{\"Event\":{\"uuid\":\"" B "\"}}", "is another event, " B },
	{ "two names", "{\"Event\":{\"uuid\":\"" A "\",\"uuid\":\"" B "\"}}", "is not one event with a uuid" },
	{ "two events", "{\"Event\":{\"uuid\":\"" A "\"},\"Event\":{}}", "is not one event with a uuid" },
	{ "a list", "[{\"Event\":{\"uuid\":\"" A "\"}}]", "is not one event with a uuid" },
	{ "a name that is none", "{\"Event\":{\"uuid\":\"../x\"}}", "is not one event with a uuid" },
	{ "a number", "{\"Event\":{\"uuid\":7}}", "is not one event with a uuid" },
	{ "half", "{\"Event\":{\"uuid\":\"" A "\"", "is damaged, in line 1, column 56: the JSON ends before its end" },
	{ "two files", "{\"Event\":{\"uuid\":\"" A "\"}}{}", "is damaged, in line 1, column 58: text behind the end of the JSON" },
	{ "nothing", "", "is damaged, in line 1, column 1: there is no JSON" },
};

static void
test_files(void)
{
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		struct slice text = guard_copy(slice_str(files[i].text));
		struct misp_file f;
		const char *trouble;

		misp_file_init(&f);
		ok(misp_file_put(&f, text) == 0, "%s", files[i].name);
		trouble = misp_file_end(&f, A);
		is_str(trouble != NULL ? trouble : "", files[i].trouble != NULL ? files[i].trouble : "", files[i].name);
		misp_file_fini(&f);
	}
}

/* ---- lists ---- */

static void
add(struct misp_list_out *out, const char *event, int from, off_t at, uint64_t len)
{
	struct misp_kept kept = { .at = at, .len = len, .counts = { .lines = 1, .entries = len, .skipped = 3, .bad = 4 } };

	ok(misp_event_parse(slice_str(event), &kept.event) == 0 && misp_list_add(out, &kept, from) == 0, "one more: %s", event);
}

static const char *dir;		/* for files without a name */

static int
file_of(struct slice text)
{
	int fd = file_nameless(dir);

	if (fd == -1 || file_write_all(fd, text) == -1)
		abort();
	return fd;
}

static struct slice
text_of(int fd, struct buf *out)
{
	if (lseek(fd, 0, SEEK_SET) == -1 || file_read_fd(fd, out) == -1)
		abort();
	return buf_slice(out);
}

static void
test_list(void)
{
	int from = file_of(SLICE("xx{\"Event\":1}{}yy")), fd = file_of(SLICE(""));
	struct misp_list_out out = { .fd = fd };
	const struct misp_kept *kept;
	struct misp_list list;
	struct buf text;

	buf_init(&text, 4096);
	add(&out, A " 1 -", from, 2, 11);
	add(&out, B " - " SUM, from, 13, 2);
	ok(misp_list_end(&out) == 0, "the end");
	is_slice(text_of(fd, &text), SLICE("[\n{\"fetched\":\"" A " 1 - 11 1 11 3 4\"},\n{\"Event\":1},\n{\"fetched\":\"" B " - " SUM
	    " 2 1 2 3 4\"},\n{}\n]\n"), "what it is");
	is_int((long long)out.bytes, (long long)text.len, "how long");
	ok(misp_list_read(fd, &list) == 0 && list.n == 2, "it has two");
	kept = misp_list_find(&list, B);
	ok(kept != NULL && kept->len == 2 && kept->counts.entries == 2 && kept->counts.bad == 4 && kept->event.has_sum, "the second");
	is_slice(slice_make(text.p + (kept != NULL ? kept->at : 0), 2), SLICE("{}"), "is where it says");
	ok(misp_list_find(&list, "cccccccc-1111-4111-8111-111111111111") == NULL, "no third");
	misp_list_free(&list);
	buf_fini(&text);
	close(from);
	close(fd);
}

/* What is no such list, or not all of it: nothing is read beyond, and what is known stands in it. */
static void
test_damage(void)
{
	static const struct { const char *name, *text; size_t n; } rows[] = {
		{ "nothing", "", 0 },
		{ "another list", "a.example\nb.example\n", 0 },
		{ "no event", "[\n]\n", 0 },
		{ "an event alone", "[\n{\"Event\":{}}]\n", 0 },
		{ "a length that is none", "[\n{\"fetched\":\"" A " 1 - x 1 1 0 0\"},\n{}\n]\n", 0 },
		{ "a length below none", "[\n{\"fetched\":\"" A " 1 - -1 1 1 0 0\"},\n{}\n]\n", 0 },
		{ "a length that leads nowhere", "[\n{\"fetched\":\"" A " 1 - 9223372036854775807 1 1 0 0\"},\n{}\n]\n", 0 },
		{ "a length beyond its end", "[\n{\"fetched\":\"" A " 1 - 90 1 1 0 0\"},\n{}\n]\n", 0 },
		{ "too few words", "[\n{\"fetched\":\"" A " 1 - 2 1 1 0\"},\n{}\n]\n", 0 },
		{ "too many words", "[\n{\"fetched\":\"" A " 1 - 2 1 1 0 0 0\"},\n{}\n]\n", 0 },
		{ "another order", "[\n{\"fetched\":\"" B " 1 - 2 1 1 0 0\"},\n{},\n{\"fetched\":\"" A " 1 - 2 1 1 0 0\"},\n{}\n]\n", 1 },
		{ "the same again", "[\n{\"fetched\":\"" A " 1 - 2 1 1 0 0\"},\n{},\n{\"fetched\":\"" A " 1 - 2 1 1 0 0\"},\n{}\n]\n", 1 },
		{ "what ends too soon", "[\n{\"fetched\":\"" A " 1 - 2 1 1 0 0\"},\n{},\n{\"fetched\":\"" B " 1", 1 },
	};

	struct misp_list list;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int fd = file_of(slice_str(rows[i].text));

		ok(misp_list_read(fd, &list) == 0, "%s", rows[i].name);
		is_int((long long)list.n, (long long)rows[i].n, rows[i].name);
		misp_list_free(&list);
		close(fd);
	}
	ok(misp_list_read(-1, &list) == -1 && list.n == 0, "no file");
	misp_list_free(&list);
}

/* An event that is longer than the file that it stands in is not copied by half. */
static void
test_short(void)
{
	struct misp_kept kept = { .len = 10 };
	int from = file_of(SLICE("{}")), fd = file_of(SLICE(""));
	struct misp_list_out out = { .fd = fd };

	ok(misp_event_parse(SLICE(A " 1 -"), &kept.event) == 0 && misp_list_add(&out, &kept, from) == -1, "a file that was cut");
	close(from);
	close(fd);
}

int
main(void)
{
	char *made = temp_dir();

	dir = made;
	test_manifests();
	test_words();
	test_files();
	test_list();
	test_damage();
	test_short();
	free(made);
	return tap_done();
}
