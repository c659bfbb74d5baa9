#include "setup/site.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "setup/run.h"

#define MODULE	"srv_firebreak.so"

enum { VERSION_MS = 10 * 1000 };

static const char *const squid_programs[] = { "/usr/sbin/squid", "/usr/local/sbin/squid", "/usr/local/squid/sbin/squid", NULL };
static const char *const squid_confs[] = { "/etc/squid/squid.conf", "/usr/local/etc/squid.conf", "/usr/local/squid/etc/squid.conf",
    NULL };
static const char *const cicap_programs[] = { "/usr/bin/c-icap", "/usr/sbin/c-icap", "/usr/local/bin/c-icap",
	"/usr/local/c-icap/bin/c-icap", NULL };
static const char *const cicap_confs[] = { "/etc/c-icap/c-icap.conf", "/etc/c-icap.conf", "/usr/local/etc/c-icap.conf",
	"/usr/local/c-icap/etc/c-icap.conf", NULL };
static const char *const module_folders[] = { "/usr/lib/x86_64-linux-gnu/c_icap", "/usr/lib64/c_icap", "/usr/lib/c_icap",
	"/usr/local/lib/c_icap", NULL };

/* GIVEN, or the first of CANDIDATES that is there below ROOT.  The caller's; NULL with an error in DIAG that says how to name it.
 * */
static char *
find(const char *root, const char *given, const char *const *candidates, int how, const char *what, const char *flag,
    struct diag *diag)
{
	char *path = NULL;

	if (given != NULL && access(given, how) == 0)
		return realpath(given, NULL);
	if (given != NULL) {
		diag_error(diag, "%s: %s", given, strerror(errno));
		return NULL;
	}
	for (size_t i = 0; candidates[i] != NULL; i++) {
		if (asprintf(&path, "%s%s", root, candidates[i]) == -1)
			return NULL;
		if (access(path, how) == 0)
			return path;
		free(path);
	}
	diag_error(diag, "no %s is in %s%s or elsewhere; name it with %s FILE", what, root, candidates[0], flag);
	return NULL;
}

/* Ask the binary what it is.  Not below another root, whose programs are not ours to run. */
static void
ask_squid(struct setup_site *s, struct squid_build *build)
{
	const char *argv[] = { s->squid, "-v", NULL };
	struct buf said;

	*build = (struct squid_build){ .icap = true };
	if (*s->root != '\0' || s->squid == NULL)
		return;
	buf_init(&said, RUN_SAID_MAX);
	if (run(argv, VERSION_MS, &said) == 0)
		squid_build_read(buf_slice(&said), build);
	buf_fini(&said);
}

/* The name of our module for a Service line: it is in the folder of modules, or named. */
static char *
find_module(const struct setup_site *s, const char *given, struct diag *diag)
{
	struct slice folder = s->cicap_facts.services_folder;
	char *path = NULL;

	if (given != NULL)
		return find(s->root, given, NULL, R_OK, NULL, NULL, diag);
	for (size_t i = 0; module_folders[i] != NULL; i++) {
		if (asprintf(&path, "%s%.*s/" MODULE, s->root, SLICE_ARGS(folder.len > 0 ? folder : slice_str(module_folders[i]))) == -1)
			return NULL;
		if (access(path, R_OK) == 0) {
			free(path);
			return strdup(MODULE);
		}
		free(path);
		if (folder.len > 0)
			break;
	}
	diag_error(diag, "%.*s has no " MODULE ": install Firebreak (make install), or name it with --module FILE",
	    SLICE_ARGS(folder.len > 0 ? folder : SLICE("c-icap's folder of modules")));
	return NULL;
}

int
setup_site_find(struct setup_site *out, const struct setup_site_options *o, struct diag *diag)
{
	struct squid_build build;
	size_t errors = diag->n_errors;

	*out = (struct setup_site){ .own_squid = o->squid_conf == NULL && o->root == NULL,
		.own_cicap = o->cicap_conf == NULL && o->root == NULL };
	if ((out->root = o->root == NULL || strcmp(o->root, "/") == 0 ? strdup("") : realpath(o->root, NULL)) == NULL) {
		diag_error(diag, "%s: %s", o->root == NULL ? "/" : o->root, strerror(errno));
		return -1;
	}
	out->squid = find(out->root, o->squid, squid_programs, X_OK, "Squid", "--squid", diag);
	out->squid_conf = find(out->root, o->squid_conf, squid_confs, R_OK, "squid.conf", "--squid-conf", diag);
	out->cicap = find(out->root, o->cicap, cicap_programs, X_OK, "c-icap", "--c-icap", diag);
	out->cicap_conf = find(out->root, o->cicap_conf, cicap_confs, R_OK, "c-icap.conf", "--c-icap-conf", diag);
	if (diag->n_errors > errors)
		return -1;
	out->squid_name = o->squid_name == NULL ? NULL : strdup(o->squid_name);
	ask_squid(out, &build);
	if (conf_read(&out->squid_lines, CONF_SQUID, o->all ? CONF_ALL : CONF_OTHERS, out->squid_conf, out->root, diag) == -1 ||
	    conf_read(&out->cicap_lines, CONF_CICAP, o->all ? CONF_ALL : CONF_OTHERS, out->cicap_conf, out->root, diag) == -1)
		return -1;
	if (squid_facts_read(&out->squid_facts, &out->squid_lines, build) == -1) {
		diag_error(diag, "%s", strerror(ENOMEM));
		return -1;
	}
	cicap_facts_read(&out->cicap_facts, &out->cicap_lines);
	out->module = find_module(out, o->module, o->all ? NULL : diag);
	return out->module == NULL && !o->all ? -1 : 0;
}

void
setup_site_fini(struct setup_site *site)
{
	free(site->root);
	free(site->squid);
	free(site->squid_conf);
	free(site->squid_name);
	free(site->cicap);
	free(site->cicap_conf);
	free(site->module);
	squid_facts_fini(&site->squid_facts);
	conf_fini(&site->squid_lines);
	conf_fini(&site->cicap_lines);
	*site = (struct setup_site){ .root = NULL };
}
