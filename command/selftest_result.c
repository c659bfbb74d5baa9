#include "command/selftest_result.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "command/show.h"

enum { TEXT_MAX = 4096, FILE_MODE = 0664 };

static int64_t
moment(const json_t *j, const char *key)
{
	const char *text = json_string_value(json_object_get(j, key));
	int64_t seconds;

	return text != NULL && clock_parse(slice_str(text), &seconds) == 0 ? seconds : 0;
}

void
selftest_result_read(const char *state, struct selftest_result *out)
{
	const char *bad;
	char path[STATE_PATH];
	struct buf text;
	json_t *j = NULL;

	*out = (struct selftest_result){ .known = false };
	buf_init(&text, TEXT_MAX);
	if (state_path(state, STATE_SELFTEST, path) == 0 && file_read(path, &text) == 0 &&
	    (j = json_loadb(text.p, text.len, JSON_REJECT_DUPLICATES, NULL)) != NULL && (out->time = moment(j, "time")) != 0) {
		out->known = true;
		out->good = json_is_true(json_object_get(j, "good"));
		out->good_time = moment(j, "last_good");
		out->plain_s = json_number_value(json_object_get(j, "plain_seconds"));
		if ((bad = json_string_value(json_object_get(j, "bad"))) != NULL)
			snprintf(out->bad, sizeof(out->bad), "%s", bad);
	}
	json_decref(j);
	buf_fini(&text);
}

static void
add_moment(json_t *j, const char *key, int64_t seconds)
{
	char date[CLOCK_TEXT];

	clock_format_s(seconds, date);
	json_object_set_new(j, key, seconds == 0 ? json_null() : json_string(date));
}

json_t *
selftest_result_json(const struct selftest_result *r)
{
	json_t *j = json_object();

	add_moment(j, "time", r->time);
	json_object_set_new(j, "good", json_boolean(r->good));
	add_moment(j, "last_good", r->good_time);
	json_object_set_new(j, "plain_seconds", json_real(r->plain_s));
	json_object_set_new(j, "bad", show_json_text(slice_str(r->bad)));
	return j;
}

int
selftest_result_write(const char *state, const struct selftest_result *r)
{
	json_t *j = selftest_result_json(r);
	char *text = json_dumps(j, JSON_COMPACT), path[STATE_PATH];
	int result = -1;

	errno = ENOMEM;
	if (text != NULL && state_path(state, STATE_SELFTEST, path) == 0)
		result = file_write(path, slice_str(text), FILE_MODE);
	free(text);
	json_decref(j);
	return result;
}

void
selftest_result_forget(const char *state)
{
	char path[STATE_PATH];

	if (state_path(state, STATE_SELFTEST, path) == 0)
		unlink(path);
}

bool
selftest_result_is_wrong(const struct selftest_result *r, int64_t now)
{
	return r->known && (!r->good || now - r->time > SELFTEST_OLD_S);
}

void
selftest_result_print(const struct selftest_result *r, int64_t now)
{
	char age[CLOCK_SPAN], good_age[CLOCK_SPAN];

	if (!r->known)
		return;
	clock_format_span(now - r->time, age);
	clock_format_span(now - r->good_time, good_age);
	if (r->good)
		printf("Selftest    good, %s ago%s\n", age, now - r->time > SELFTEST_OLD_S ? ": *** NONE WAS MADE SINCE ***" : "");
	else {
		printf("Selftest    *** FAILED %s ago: ", age);
		show_text(stdout, slice_str(r->bad));
		printf(" ***\n            %s%s%s\n", r->good_time == 0 ? "never good" : "last good ", r->good_time == 0 ? "" : good_age,
		    r->good_time == 0 ? "" : " ago");
	}
}
