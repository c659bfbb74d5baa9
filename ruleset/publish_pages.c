#include "ruleset/publish_part.h"
#include "ruleset/site_format.h"
#include "templates/page_set.h"
#include "templates/page_source.h"

/* Where the site has its pages; it need not be there when nobody named it. */
static int
read_folder(struct publisher *p)
{
	char path[STATE_PATH];

	if (*p->site.pages_folder != '\0')
		return page_source_read(p->site.pages_folder, true, &p->pages, p->diag);
	return state_path(p->options->state, STATE_PAGES, path) == -1 ? -1 : page_source_read(path, false, &p->pages, p->diag);
}

/* The pages of the generation before, as they are. */
static int
keep_pages(struct publisher *p)
{
	struct segment *site = layer_open_segment(p->rules_dir, &p->before.site, true, p->diag);
	int r = site == NULL ? -1 : buf_add_slice(&p->pages, segment_section(site, SITE_PAGES));

	segment_close(site);
	return r == -1 && site != NULL ? publish_no_memory(p) : r;
}

int
publish_pages(struct publisher *p)
{
	struct page_set *set;
	const char *why;

	/* A rule that somebody needs in a hurry does not wait for a page to be mended. */
	if (p->options->only != NULL && !p->distrust)
		return keep_pages(p);
	if (read_folder(p) == -1)
		return -1;
	/* Nobody makes live what a worker would not take. */
	if ((set = page_set_open(buf_slice(&p->pages), &why)) == NULL) {
		diag_error(p->diag, "the pages cannot be used: %s", why);
		return -1;
	}
	page_set_free(set);
	return 0;
}
