/* floor.c - a c-icap module that does nothing: the least that any module costs, for bench/run.
 *
 *	icap://HOST/floor?mode=204	at the preview, whatever comes
 *	icap://HOST/floor?mode=echo	headers early, the body goes through as it comes
 *	icap://HOST/floor?mode=md5	the same, and its MD5 is taken
 *	icap://HOST/floor?mode=peek	204 at the preview, after the preview was taken for gzip and inflated
 *	icap://HOST/floor?mode=inflate	as echo, and the MD5 of what it is a gzip of is taken
 *
 * REQMOD: 204; a request with the ICAP header X-Bench-Block gets a fixed 403 of 2 KB.  The stock srv_echo is no floor: it
 * answers 204 and echo in turn. */
#include <c_icap/c-icap.h>
#include <c_icap/header.h>
#include <c_icap/request.h>
#include <c_icap/service.h>
#include <c_icap/simple_api.h>

#include <openssl/evp.h>
#include <zlib.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { RING = 16384, PAGE = 2048, PREVIEW = 4096, GZIP_BITS = MAX_WBITS + 16, OUT = 32768 };

struct transfer {
	EVP_MD_CTX	*md5;
	z_stream	 z;
	bool		 is_page, ended, inflates;
	size_t		 seen, sent;
	char		 ring[];
};

static char page[PAGE];

static int
init_service(ci_service_xdata_t *xdata, struct ci_server_conf *conf)
{
	(void)conf;
	memset(page, 'x', sizeof(page));
	ci_service_enable_204(xdata);
	ci_service_set_preview(xdata, PREVIEW);
	ci_service_set_transfer_preview(xdata, "*");
	ci_service_set_istag(xdata, "-floor");
	return CI_OK;
}

static void
close_service(void)
{
}

static void *
init_request_data(ci_request_t *req)
{
	bool echo = ci_req_type(req) == ICAP_RESPMOD && strcmp(req->args, "mode=204") != 0 && strcmp(req->args, "mode=peek") != 0;
	struct transfer *t = malloc(sizeof(*t) + (echo ? RING : 0));

	if (t == NULL)
		return NULL;
	*t = (struct transfer){ 0 };
	t->inflates = ci_req_type(req) == ICAP_RESPMOD &&
	    (strcmp(req->args, "mode=inflate") == 0 || strcmp(req->args, "mode=peek") == 0);
	if (t->inflates && inflateInit2(&t->z, GZIP_BITS) != Z_OK)
		t->inflates = false;
	if (echo && (strcmp(req->args, "mode=md5") == 0 || t->inflates) && (t->md5 = EVP_MD_CTX_new()) != NULL)
		EVP_DigestInit_ex(t->md5, EVP_md5(), NULL);
	return t;
}

static void
release_request_data(void *data)
{
	struct transfer *t = data;

	EVP_MD_CTX_free(t->md5);
	if (t->inflates)
		inflateEnd(&t->z);
	free(t);
}

static void
inflate_bytes(struct transfer *t, const char *p, size_t len)
{
	unsigned char out[OUT];

	t->z.next_in = (Bytef *)(uintptr_t)p;
	t->z.avail_in = (uInt)len;
	do {
		t->z.next_out = out;
		t->z.avail_out = OUT;
		inflate(&t->z, Z_NO_FLUSH);
		if (t->md5 != NULL)
			EVP_DigestUpdate(t->md5, out, OUT - t->z.avail_out);
	} while (t->z.avail_out == 0);
}

static size_t
put(struct transfer *t, const char *p, size_t len)
{
	size_t room = RING - (t->seen - t->sent), n = len < room ? len : room;
	size_t at = t->seen % RING, first = n < RING - at ? n : RING - at;

	memcpy(t->ring + at, p, first);
	memcpy(t->ring, p + first, n - first);
	t->seen += n;
	if (t->inflates && n > 0)
		inflate_bytes(t, p, n);
	else if (t->md5 != NULL && n > 0)
		EVP_DigestUpdate(t->md5, p, n);
	return n;
}

static size_t
get(struct transfer *t, char *out, size_t len)
{
	size_t left = (t->is_page ? PAGE : t->seen) - t->sent, n = len < left ? len : left;
	size_t at = t->sent % RING, first = n < RING - at ? n : RING - at;

	if (t->is_page) {
		memcpy(out, page + t->sent, n);
	} else {
		memcpy(out, t->ring + at, first);
		memcpy(out + first, t->ring, n - first);
	}
	t->sent += n;
	return n;
}

static int
block(struct transfer *t, ci_request_t *req)
{
	ci_http_response_create(req, 1, 1);
	ci_http_response_add_header(req, "HTTP/1.1 403 Forbidden");
	ci_http_response_add_header(req, "Content-Type: text/html");
	ci_http_response_add_header(req, "Content-Length: 2048");
	t->is_page = true;
	ci_req_unlock_data(req);
	return CI_MOD_CONTINUE;
}

static int
check_preview(char *data, int len, ci_request_t *req)
{
	struct transfer *t = ci_service_data(req);

	if (t == NULL)
		return CI_MOD_ERROR;
	if (ci_req_type(req) == ICAP_REQMOD)
		return ci_headers_value(req->request_header, "X-Bench-Block") == NULL ? CI_MOD_ALLOW204 : block(t, req);
	if (strcmp(req->args, "mode=204") == 0)
		return CI_MOD_ALLOW204;
	if (strcmp(req->args, "mode=peek") == 0) {
		if (data != NULL && len > 0 && t->inflates)
			inflate_bytes(t, data, (size_t)len);
		return CI_MOD_ALLOW204;
	}
	ci_req_unlock_data(req);
	if (data != NULL && len > 0)
		put(t, data, (size_t)len);
	return CI_MOD_CONTINUE;
}

static int
end_of_data(ci_request_t *req)
{
	struct transfer *t = ci_service_data(req);
	unsigned char digest[EVP_MAX_MD_SIZE];

	if (t != NULL && t->md5 != NULL)
		EVP_DigestFinal_ex(t->md5, digest, NULL);
	if (t != NULL)
		t->ended = true;
	return CI_MOD_DONE;
}

static int
service_io(char *wbuf, int *wlen, char *rbuf, int *rlen, int iseof, ci_request_t *req)
{
	struct transfer *t = ci_service_data(req);
	size_t n;

	(void)iseof;
	if (rbuf != NULL && rlen != NULL && *rlen > 0 && !t->is_page)
		*rlen = (int)put(t, rbuf, (size_t)*rlen);
	if (wbuf == NULL || wlen == NULL || *wlen <= 0)
		return CI_OK;
	n = get(t, wbuf, (size_t)*wlen);
	*wlen = n == 0 && (t->ended || t->is_page) ? CI_EOF : (int)n;
	return CI_OK;
}

CI_DECLARE_MOD_DATA ci_service_module_t service = {
	.mod_name = "floor",
	.mod_short_descr = "floor",
	.mod_type = ICAP_REQMOD | ICAP_RESPMOD,
	.mod_init_service = init_service,
	.mod_close_service = close_service,
	.mod_init_request_data = init_request_data,
	.mod_release_request_data = release_request_data,
	.mod_check_preview_handler = check_preview,
	.mod_end_of_data_handler = end_of_data,
	.mod_service_io = service_io,
};
