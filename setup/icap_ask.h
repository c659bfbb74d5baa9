/* icap_ask.h - asks an ICAP service whether it is there (OPTIONS, RFC 3507 4.10). */
#ifndef SETUP_ICAP_ASK_H
#define SETUP_ICAP_ASK_H

#include <stdbool.h>

enum { ICAP_STATUS = 200 };

/* Ask SERVICE at WHERE, "127.0.0.1:1344".  Its status, such as 200 or 404, and the line into LINE; 0 when nobody listens or nothing
 * comes within TIMEOUT_MS. */
int icap_ask(const char *where, const char *service, int timeout_ms, char line[static ICAP_STATUS]);

/* Somebody on this machine listens at PORT, on whatever address.  Nothing is connected to: Squid would log that as a request. */
bool icap_is_listening(unsigned port);

/* A port of 127.0.0.1 that nobody had a moment ago; 0 when there is none. */
unsigned icap_free_port(void);

#endif
