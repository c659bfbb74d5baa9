#include "icap_service/page_form.h"

#include "icap_service/fields.h"

static const char *const types[PAGE_FORMS] = {
	[FORM_HTML] = "text/html; charset=utf-8", [FORM_TEXT] = "text/plain; charset=utf-8",
	[FORM_PROBLEM] = "application/problem+json", [FORM_IMAGE] = "image/gif", [FORM_SCRIPT] = "text/javascript; charset=utf-8",
	[FORM_STYLE] = "text/css; charset=utf-8",
};

/* The destinations of a request (Fetch standard, 2.2.5) that a program cannot make up in a browser. */
static const struct { struct slice dest; enum page_form form; } dests[] = {
	{ { "document", 8 }, FORM_HTML }, { { "iframe", 6 }, FORM_HTML }, { { "frame", 5 }, FORM_HTML }, { { "object", 6 }, FORM_HTML },
	{ { "fencedframe", 11 }, FORM_HTML },
	{ { "embed", 5 }, FORM_HTML }, { { "image", 5 }, FORM_IMAGE }, { { "script", 6 }, FORM_SCRIPT }, { { "worker", 6 }, FORM_SCRIPT },
	{ { "sharedworker", 12 }, FORM_SCRIPT }, { { "serviceworker", 13 }, FORM_SCRIPT }, { { "style", 5 }, FORM_STYLE },
	{ { "font", 4 }, FORM_TEXT }, { { "audio", 5 }, FORM_TEXT }, { { "video", 5 }, FORM_TEXT }, { { "track", 5 }, FORM_TEXT },
	{ { "manifest", 8 }, FORM_PROBLEM },
};

const char *
page_form_type(enum page_form form)
{
	return types[form];
}

bool
page_form_by_dest(struct slice dest, enum page_form *out)
{
	for (size_t i = 0; i < sizeof(dests) / sizeof(*dests); i++)
		if (slice_ieq(dest, dests[i].dest)) {
			*out = dests[i].form;
			return true;
		}
	return false;
}

enum page_form
page_form_for(const struct page_ask *ask)
{
	enum page_form form;

	if (ask->n_dest == 1 && page_form_by_dest(ask->dest, &form))
		return form;
	if (accept_prefers_html(ask->accept))
		return FORM_HTML;
	/* "empty" is what scripts ask for. */
	if (ask->n_dest == 1 || slice_ieq(ask->requested_with, SLICE("XMLHttpRequest")) || accept_prefers_json(ask->accept))
		return FORM_PROBLEM;
	if (accept_prefers_image(ask->accept))
		return FORM_IMAGE;
	return accept_prefers_style(ask->accept) ? FORM_STYLE : FORM_TEXT;
}
