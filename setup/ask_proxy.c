#include "setup/ask_proxy.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { PATIENCE_S = 30 };

static size_t
take_body(char *p, size_t size, size_t n, void *arg)
{
	struct proxy_answer *a = arg;

	(void)p;
	a->bytes += size * n;
	return size * n;
}

static size_t
take_header(char *p, size_t size, size_t n, void *arg)
{
	static const char name[] = "X-Squid-Error: ";
	struct proxy_answer *a = arg;
	size_t len = size * n;

	if (len > sizeof(name) && strncasecmp(p, name, sizeof(name) - 1) == 0) {
		snprintf(a->squid, sizeof(a->squid), "%.*s", (int)(len - sizeof(name) + 1), p + sizeof(name) - 1);
		a->squid[strcspn(a->squid, " \r\n")] = '\0';
	}
	return len;
}

void
proxy_ask(const char *proxy, const char *url, const char *range, bool connect, struct proxy_answer *out)
{
	CURL *curl = curl_easy_init();
	CURLcode code;

	*out = (struct proxy_answer){ .status = 0 };
	if (curl == NULL) {
		snprintf(out->trouble, sizeof(out->trouble), "no memory");
		return;
	}
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROXY, proxy);
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)PATIENCE_S);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "firebreak");
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, out);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, out);
	curl_easy_setopt(curl, CURLOPT_HTTPPROXYTUNNEL, connect ? 1L : 0L);
	if (range != NULL)
		curl_easy_setopt(curl, CURLOPT_RANGE, range);
	code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, connect ? CURLINFO_HTTP_CONNECTCODE : CURLINFO_RESPONSE_CODE, &out->status);
	curl_easy_getinfo(curl, CURLINFO_TOTAL_TIME, &out->seconds);
	out->cut = code == CURLE_PARTIAL_FILE || code == CURLE_RECV_ERROR;
	out->nobody = code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_PROXY;
	if (code != CURLE_OK)
		snprintf(out->trouble, sizeof(out->trouble), "%s", curl_easy_strerror(code));
	curl_easy_cleanup(curl);
}
