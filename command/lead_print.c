#include "command/lead_report.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "command/show.h"

/* The file of F that ClamAV knew first; else the first that it was asked about; NULL: none. */
static const struct clamav_file *
best_of(const struct report *r, const struct fired *f)
{
	const struct clamav_file *best = NULL;

	for (size_t i = 0; i < r->n_files; i++)
		for (size_t k = 0; k < f->n_files; k++) {
			const struct clamav_file *file = &r->files[i];

			if (!digest_eq(&file->digest, &f->files[k].digest) || file->checked == 0)
				continue;
			if (best == NULL || (file->known != 0 && (best->known == 0 || file->known < best->known)))
				best = file;
		}
	return best;
}

static void
print_moment(const char *label, int64_t at, const char *missing)
{
	char date[CLOCK_TEXT];

	if (at != 0)
		clock_format_s(at, date);
	printf("  %-10s %s", label, at != 0 ? date : missing);
}

static void
print_since(int64_t at, int64_t before, const char *what)
{
	char span[CLOCK_SPAN];

	if (at == 0 || before == 0)
		return;
	clock_format_span(at < before ? before - at : at - before, span);
	printf(", %s %s %s", span, at < before ? "before it was" : "after it was", what);
}

static void
print_clamav(const struct report *r, const struct fired *f)
{
	const struct clamav_file *file = best_of(r, f);

	if (!f->is_file)
		return;
	if (file == NULL) {
		puts("  ClamAV     not asked");
		return;
	}
	if (file->known == 0) {
		print_moment("ClamAV", file->unknown, "");
		puts(": not known");
		return;
	}
	print_moment("ClamAV", file->known, "");
	printf(": %s as ", file->unknown != 0 ? "known" : "known already when it was first asked");
	show_text(stdout, slice_str(file->name));
	print_since(file->known, f->lead.live, "live here");
	if (file->gone != 0)
		fputs("; no longer", stdout);
	putchar('\n');
}

static void
print_fired(const struct report *r, const struct fired *f)
{
	show_text(stdout, slice_str(f->rule));
	if (*f->alert != '\0') {
		fputs("  alert ", stdout);
		show_text(stdout, slice_str(f->alert));
	}
	putchar('\n');
	print_moment("published", f->lead.published, "not known");
	putchar('\n');
	print_moment("live", f->lead.live, "not any more, or not known");
	fputs(f->lead.live != 0 && !f->live_known ? ", or earlier" : "", stdout);
	print_since(f->lead.live, f->lead.published, "published");
	putchar('\n');
	print_moment("first hit", f->lead.first_hit, "none");
	print_since(f->lead.first_hit, f->lead.live, "live");
	printf("; %" PRIu64 " event%s, %" PRIu64 " client%s\n", f->n, show_s(f->n), f->clients, show_s(f->clients));
	print_clamav(r, f);
}

static json_t *
json_clamav(const struct clamav_file *file)
{
	char hex[DIGEST_MAX_HEX + 1];
	json_t *j = json_object();

	digest_format(&file->digest, hex);
	json_object_set_new(j, digest_alg_name(file->digest.alg), json_string(hex));
	if (file->known != 0)
		json_object_set_new(j, "name", show_json_text(slice_str(file->name)));
	show_json_date(j, "checked", file->checked);
	show_json_date(j, "unknown", file->unknown);
	show_json_date(j, "known", file->known);
	show_json_date(j, "gone", file->gone);
	return j;
}

static json_t *
json_fired(const struct report *r, const struct fired *f)
{
	const struct clamav_file *file = best_of(r, f);
	json_t *j = json_object();

	json_object_set_new(j, "rule", show_json_text(slice_str(f->rule)));
	json_object_set_new(j, "source", show_json_text(slice_str(f->source)));
	if (*f->alert != '\0')
		json_object_set_new(j, "alert", show_json_text(slice_str(f->alert)));
	show_json_date(j, "published", f->lead.published);
	show_json_date(j, "imported", f->lead.imported);
	show_json_date(j, "live", f->lead.live);
	if (f->lead.live != 0 && !f->live_known)
		json_object_set_new(j, "or_earlier", json_true());
	show_json_date(j, "first_hit", f->lead.first_hit);
	show_json_number(j, "events", f->n);
	show_json_number(j, "clients", f->clients);
	if (file != NULL)
		json_object_set_new(j, "clamav", json_clamav(file));
	return j;
}

int
lead_print(const struct report *r, bool json)
{
	json_t *all = json ? json_array() : NULL;

	for (size_t i = 0; i < r->n; i++)
		if (json)
			json_array_append_new(all, json_fired(r, &r->v[i]));
		else
			print_fired(r, &r->v[i]);
	if (json)
		return show_json(all, true);
	if (r->n == 0)
		puts("No rule has fired.");
	return 0;
}
