/* A helper for feeds that is broken or taken over, for t/test_update.sh.  What it does stands in the first line of what came:
 *
 *	#die	it ends with status 3		#kill	it is killed		#mute	it says nothing, and stays
 *	#odd	what makes no sense		#long	bytes without end	#why	it refuses, for a reason with controls in it
 *	#none	a list without an entry, it says
 * Anything else it hands back as a good list, whatever it is. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "feeds/feed_check_wire.h"

static bool
put(const void *packet, size_t len)
{
	return send(CHECK_SOCKET, packet, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static void
say_done(bool is_list, uint64_t entries, const char *why)
{
	struct check_done done = { .type = CHECK_DONE, .is_list = is_list, .counts = { .lines = 1, .entries = entries } };

	snprintf(done.why, sizeof(done.why), "%s", why);
	put(&done, sizeof(done));
}

static bool
begins(const struct check_bytes *b, size_t n, const char *word)
{
	return slice_starts(slice_make(b->p, n), slice_str(word));
}

int
main(void)
{
	static struct check_order order;
	static struct check_bytes bytes = { .type = CHECK_BYTES };
	ssize_t n;
	off_t at = 0;

	if (recv(CHECK_SOCKET, &order, sizeof(order), 0) <= 0 || (n = pread(CHECK_RAW, bytes.p, sizeof(bytes.p), 0)) < 0)
		return 1;
	if (begins(&bytes, (size_t)n, "#die"))
		return 3;
	if (begins(&bytes, (size_t)n, "#kill"))
		raise(SIGKILL);
	if (begins(&bytes, (size_t)n, "#mute"))
		pause();
	while (begins(&bytes, (size_t)n, "#long") && put(&bytes, sizeof(bytes)))
		continue;
	if (begins(&bytes, (size_t)n, "#odd"))
		put("?", 1);
	else if (begins(&bytes, (size_t)n, "#why"))
		say_done(false, 0, "is \033[31mred\nand more");
	else if (begins(&bytes, (size_t)n, "#none"))
		say_done(true, 0, "");
	else {
		for (; n > 0 && put(&bytes, offsetof(struct check_bytes, p) + (size_t)n); n = pread(CHECK_RAW, bytes.p, sizeof(bytes.p), at))
			at += n;
		say_done(true, 1, "");
	}
	return 0;
}
