/* options.h - the process options of service.def, and c-icap's way of setting them.
 *
 * c-icap calls a setter per line of c-icap.conf while it reads it, before the service exists; the
 * values are staged in one struct, the only one of its kind, and read-only once the service has
 * started. */
#ifndef ICAP_SERVICE_OPTIONS_H
#define ICAP_SERVICE_OPTIONS_H

#include <c_icap/c-icap.h>
#include <c_icap/cfg_param.h>

#include "base/option.h"

struct service_options {
#define OPTION	OPTION_MEMBER
#include "icap_service/service.def"
#undef OPTION
};

enum { CONNECT_PAGE, CONNECT_MARK, CONNECT_INNER };	/* block_connect */
enum { HOLD_TAIL, HOLD_WHOLE };		/* hold_mode */

/* Set every option to its default.  To be called once, before any line is read. */
int service_options_init(void);
void service_options_fini(void);

/* What was staged. */
const struct service_options *service_options(void);

/* One row an option, ended by a NULL row: mod_conf_table.  The names ("StateDir") are there after
 * service_options_init(), which is before c-icap reads the first of them. */
extern struct ci_conf_entry service_conf_table[];

#endif
