#include "admin/http_client.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <signal.h>

#include "base/err.h"
#include "base/log.h"

/* What of libcurl is used; a program that asks nobody anything needs no libcurl. */
#define FUNCTIONS(X)                                                                     \
	X(CURLcode, global_init, (long flags))                                           \
	X(CURL *, easy_init, (void))                                                     \
	X(CURLcode, easy_setopt, (CURL * c, CURLoption o, ...))                          \
	X(CURLcode, easy_perform, (CURL * c))                                            \
	X(CURLcode, easy_getinfo, (CURL * c, CURLINFO i, ...))                           \
	X(void, easy_cleanup, (CURL * c))                                                \
	X(struct curl_slist *, slist_append, (struct curl_slist * l, const char *s))     \
	X(void, slist_free_all, (struct curl_slist * l))

/* Set once before any thread uses them. */
static struct {
#define X(type, name, args) type(*name) args;
	FUNCTIONS(X)
#undef X
} lib;

int admin_http_open(void)
{
	if (lib.easy_init)
		return 0;
	void *so = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);

	if (!so)
		return E_UNAVAILABLE;
#define X(type, name, args)                                                              \
	*(void **)&lib.name = dlsym(so, "curl_" #name);                                  \
	if (!lib.name)                                                                   \
		return E_UNAVAILABLE;
	FUNCTIONS(X)
#undef X
	return lib.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : E_UNAVAILABLE;
}

int admin_http_thread(pthread_t *t, void *(*fn)(void *), void *arg)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int err = -pthread_create(t, NULL, fn, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return err;
}

bool admin_http_fits(const char *url)
{
	struct slice s = slice_str(url);

	return slice_starts(s, SLICE("http://")) || slice_starts(s, SLICE("https://"));
}

/* Less than n ends the request. */
static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
	const struct admin_http *r = arg;

	if (!r->answer)
		return size * n;
	buf_add(r->answer, p, size * n);
	return r->answer->bad ? 0 : size * n;
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
	const struct admin_http *r = arg;
	struct slice line = slice_of((const uint8_t *)p, size * n);
	const struct slice name = SLICE("Cache-Control:");

	while (slice_ends(line, SLICE("\r")) || slice_ends(line, SLICE("\n")))
		line.n--;
	if (r->cache_control && line.n > name.n &&
	    slice_ieq(slice_of(line.p, name.n), name))
		buf_put(r->cache_control, slice_trim(slice_from(line, name.n)));
	return size * n;
}

static int on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const _Atomic ms_t *give_up = arg;
	ms_t at = atomic_load(give_up);

	(void)a;
	(void)b;
	(void)c;
	(void)d;
	return at != 0 && clock_mono() >= at;
}

/* curl_easy_setopt() is a macro that checks types where the library is linked. */
#define SET(curl, option, value) ((void)lib.easy_setopt((curl), (option), (value)))

static void set_up(CURL *curl, const struct admin_http *r, struct curl_slist *headers)
{
	SET(curl, CURLOPT_URL, r->url);
	/* Only these two of the thirty that the library may speak; and no further than asked. */
	SET(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	SET(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	SET(curl, CURLOPT_FOLLOWLOCATION, 0L);
	SET(curl, CURLOPT_NOSIGNAL, 1L);
	SET(curl, CURLOPT_TIMEOUT_MS, (long)r->timeout);
	SET(curl, CURLOPT_USERAGENT, r->agent);
	SET(curl, CURLOPT_HTTPHEADER, headers);
	if (r->body) {
		SET(curl, CURLOPT_POST, 1L);
		SET(curl, CURLOPT_POSTFIELDS, (const char *)r->body->p);
		SET(curl, CURLOPT_POSTFIELDSIZE, (long)r->body->n);
	}
	SET(curl, CURLOPT_WRITEFUNCTION, on_body);
	SET(curl, CURLOPT_WRITEDATA, (void *)r);
	SET(curl, CURLOPT_HEADERFUNCTION, on_header);
	SET(curl, CURLOPT_HEADERDATA, (void *)r);
	SET(curl, CURLOPT_NOPROGRESS, 0L);
	SET(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	SET(curl, CURLOPT_XFERINFODATA, (void *)r->give_up);
}

long admin_http_send(const struct admin_http *r)
{
	CURL *curl = lib.easy_init();
	struct curl_slist *headers = NULL;
	long status = 0;

	if (!curl)
		return 0;
	for (size_t i = 0; r->headers && r->headers[i]; i++)
		headers = lib.slist_append(headers, r->headers[i]);
	set_up(curl, r, headers);
	if (lib.easy_perform(curl) == CURLE_OK)
		(void)lib.easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	lib.slist_free_all(headers);
	lib.easy_cleanup(curl);
	return status;
}
