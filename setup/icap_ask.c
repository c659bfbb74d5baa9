#include "setup/icap_ask.h"

#include <arpa/inet.h>
#include <limits.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/file.h"

enum { HOST_MAX = 256, MS = 1000, HEX = 16 };

/* A connection to WHERE; -1. */
static int
connect_to(const char *where, int timeout_ms)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
	struct timeval patience = { .tv_sec = timeout_ms / MS, .tv_usec = timeout_ms % MS * MS };
	const char *colon = strrchr(where, ':'), *begin = where;
	struct addrinfo *found = NULL;
	char host[HOST_MAX];
	size_t len;
	int fd;

	if (colon == NULL)
		return -1;
	len = (size_t)(colon - where);
	if (len > 2 && *begin == '[') {
		begin++;
		len -= 2;
	}
	snprintf(host, sizeof(host), "%.*s", (int)len, begin);
	if (getaddrinfo(host, colon + 1, &hints, &found) != 0)
		return -1;
	fd = socket(found->ai_family, found->ai_socktype | SOCK_CLOEXEC, 0);
	if (fd != -1 && (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == -1 ||
	    connect(fd, found->ai_addr, found->ai_addrlen) == -1)) {
		close(fd);
		fd = -1;
	}
	freeaddrinfo(found);
	return fd;
}

int
icap_ask(const char *where, const char *service, int timeout_ms, char line[static ICAP_STATUS])
{
	static const char version[] = "ICAP/1.0 ";
	int fd = connect_to(where, timeout_ms), status = 0;
	struct buf ask;
	size_t n = 0;
	ssize_t got;

	*line = '\0';
	if (fd == -1)
		return 0;
	buf_init(&ask, BUFSIZ);
	buf_add_strs(&ask, "OPTIONS icap://", where, "/", service, " ICAP/1.0\r\nHost: ", where, "\r\nConnection: close\r\n\r\n", NULL);
	if (file_write_all(fd, buf_slice(&ask)) == 0)
		while (n < ICAP_STATUS - 1 && (got = read(fd, line + n, ICAP_STATUS - 1 - n)) > 0) {
			n += (size_t)got;
			line[n] = '\0';
			if (strchr(line, '\n') != NULL)
				break;
		}
	line[strcspn(line, "\r\n")] = '\0';
	if (strncmp(line, version, sizeof(version) - 1) == 0)
		status = (int)strtol(line + sizeof(version) - 1, NULL, 10);
	buf_fini(&ask);
	close(fd);
	return status;
}

/* The hexadecimal number that is all of S; 0 when it is none. */
static unsigned
hex_number(struct slice s)
{
	unsigned n = 0;

	for (size_t i = 0; i < s.len; i++) {
		if (ascii_hex(s.p[i]) == -1)
			return 0;
		n = n * HEX + (unsigned)ascii_hex(s.p[i]);
	}
	return n;
}

/* A line of FILE, which the kernel makes, is of a socket that listens at PORT. */
static bool
is_listed(const char *file, unsigned port)
{
	enum { LISTENING = 0x0a };
	char line[LINE_MAX];
	bool found = false;
	FILE *f = fopen(file, "re");

	/* "  0: 0100007F:0C38 00000000:0000 0A ...", all in hexadecimal. */
	while (f != NULL && !found && fgets(line, sizeof(line), f) != NULL) {
		struct slice rest = slice_str(line), its, state;

		slice_cut(rest, ':', NULL, &rest);
		slice_cut(rest, ':', NULL, &rest);
		slice_cut(rest, ' ', &its, &rest);
		slice_cut(rest, ' ', NULL, &rest);
		slice_cut(rest, ' ', &state, &rest);
		found = hex_number(its) == port && hex_number(state) == LISTENING;
	}
	if (f != NULL)
		fclose(f);
	return found;
}

bool
icap_is_listening(unsigned port)
{
	return is_listed("/proc/net/tcp", port) || is_listed("/proc/net/tcp6", port);
}

unsigned
icap_free_port(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	unsigned port = 0;

	if (fd == -1)
		return 0;
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0 && getsockname(fd, (struct sockaddr *)&a, &len) == 0)
		port = ntohs(a.sin_port);
	close(fd);
	return port;
}
