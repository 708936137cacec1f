#include "admin/webhook_post.h"

#include <curl/curl.h>
#include <dlfcn.h>

#include "base/err.h"
#include "base/log.h"

/* What of libcurl is used; a program that needs no webhooks needs no libcurl. */
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

int webhook_post_open(void)
{
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

bool webhook_post_fits(const char *url)
{
	struct slice s = slice_str(url);

	return slice_starts(s, SLICE("http://")) || slice_starts(s, SLICE("https://"));
}

/* The answer's body is of no interest. */
static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
	(void)p;
	(void)arg;
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

static void set_up(CURL *curl, const struct webhook_post *p, struct curl_slist *headers)
{
	SET(curl, CURLOPT_URL, p->url);
	/* Only these two of the thirty that the library may speak; and no further than asked. */
	SET(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	SET(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	SET(curl, CURLOPT_FOLLOWLOCATION, 0L);
	SET(curl, CURLOPT_NOSIGNAL, 1L);
	SET(curl, CURLOPT_TIMEOUT_MS, (long)p->timeout);
	SET(curl, CURLOPT_USERAGENT, p->agent);
	SET(curl, CURLOPT_HTTPHEADER, headers);
	SET(curl, CURLOPT_POST, 1L);
	SET(curl, CURLOPT_POSTFIELDS, (const char *)p->body.p);
	SET(curl, CURLOPT_POSTFIELDSIZE, (long)p->body.n);
	SET(curl, CURLOPT_WRITEFUNCTION, on_body);
	SET(curl, CURLOPT_NOPROGRESS, 0L);
	SET(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	SET(curl, CURLOPT_XFERINFODATA, (void *)p->give_up);
}

long webhook_post_send(const struct webhook_post *p)
{
	CURL *curl = lib.easy_init();
	struct curl_slist *headers = NULL;
	long status = 0;

	if (!curl)
		return 0;
	headers = lib.slist_append(headers, "Content-Type: application/webhook+json");
	headers = lib.slist_append(headers, "Expect:");
	headers = lib.slist_append(headers, p->authorization);
	set_up(curl, p, headers);
	if (lib.easy_perform(curl) == CURLE_OK)
		(void)lib.easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	lib.slist_free_all(headers);
	lib.easy_cleanup(curl);
	return status;
}
