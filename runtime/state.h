/* state.h - the state folder's layout, in one place.
 *
 *	STATE/site.conf  STATE/sources.conf  STATE/sources/NAME.rules  STATE/alerts/ID.json, ID.versions, ID.withdrawn
 *	STATE/rules/MANIFEST + *.seg
 *	STATE/lookalike.conf  STATE/pages/  STATE/held  STATE/approved  STATE/events.jsonl  STATE/targets.jsonl  STATE/runtime/shared
 *	STATE/log/  STATE/console.users  STATE/ship.position  STATE/private/pseudonym.keys  STATE/private/reveals
 *	STATE/update/NAME, lock (what "firebreak update" remembers)  STATE/alerts/incoming/
 *	STATE/sign.conf (an origin)  STATE/follow (who pulls from one)  STATE/runtime/selftest (how the last one ended) */
#ifndef RUNTIME_STATE_H
#define RUNTIME_STATE_H

#include <stddef.h>

#define STATE_DEFAULT	"/var/lib/firebreak"

enum { STATE_PATH = 4096 };

/* "STATE/what" into OUT.  -1 with errno ENAMETOOLONG when it does not fit. */
int state_path(const char *state, const char *what, char out[static STATE_PATH]);

/* Make the folders of a state folder where they are missing (0755 for the folder, 2775 inside).  -1 with errno. */
int state_make(const char *state);

/* Wait for the one lock of whoever edits sources or publishes (STATE/rules/lock, 0660 whatever the umask).  A descriptor
 * whose closing ends the lock; -1 with errno. */
int state_lock(const char *state);

#define STATE_SITE	"site.conf"
#define STATE_LOOKALIKE	"lookalike.conf"
#define STATE_PAGES	"pages"
#define STATE_SOURCES	"sources"
#define STATE_SETTINGS	"sources.conf"
#define STATE_ALERTS	"alerts"
#define STATE_RULES	"rules"
#define STATE_MANIFEST	"rules/MANIFEST"
#define STATE_LOCK	"rules/lock"
#define STATE_EVENTS	"events.jsonl"
#define STATE_SHIP	"ship.position"
#define STATE_TARGETS	"targets.jsonl"
#define STATE_USERS	"console.users"
#define STATE_RUNTIME	"runtime"
#define STATE_SHARED	"runtime/shared"
#define STATE_LOG	"log"
#define STATE_HELD	"held"
#define STATE_APPROVED	"approved"
#define STATE_SIGN	"sign.conf"
#define STATE_FOLLOW	"follow"
#define STATE_UPDATE	"update"
#define STATE_INCOMING	"alerts/incoming"
#define STATE_SELFTEST	"runtime/selftest"

#endif
