#include "ws/thread.h"

#include <assert.h>
#include <openssl/evp.h>
#include <pthread.h>

#include "ws/deflate.h"

struct tools {
	bool known; /* to the destructor */
	struct ws_deflate *deflate;
	EVP_MD_CTX *sha1;
};

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Thread_local struct tools here;

static void destroy(void *p)
{
	struct tools *t = p;

	ws_deflate_destroy(t->deflate);
	EVP_MD_CTX_free(t->sha1);
	*t = (struct tools){ 0 };
}

/* Only for its destructor: `here` is faster to look at. */
static void make_key(void)
{
	int err = pthread_key_create(&key, destroy);

	assert(err == 0);
	(void)err;
}

static void know(struct tools *t)
{
	if (t->known)
		return;
	pthread_once(&once, make_key);
	pthread_setspecific(key, t);
	t->known = true;
}

struct ws_deflate *ws_deflate_here(void)
{
	if (!here.deflate) {
		know(&here);
		here.deflate = ws_deflate_create();
	}
	return here.deflate;
}

/* To look the algorithm up takes OpenSSL longer than to hash a key. */
static EVP_MD_CTX *sha1_here(void)
{
	if (!here.sha1) {
		know(&here);
		here.sha1 = EVP_MD_CTX_new();
		int ok = here.sha1 && EVP_DigestInit_ex(here.sha1, EVP_sha1(), NULL);
		assert(ok);
		(void)ok;
	}
	return here.sha1;
}

void ws_sha1(struct slice text, uint8_t digest[WS_SHA1])
{
	EVP_MD_CTX *c = sha1_here();
	int ok = EVP_DigestInit_ex(c, NULL, NULL) &&
		 EVP_DigestUpdate(c, text.p, text.n) &&
		 EVP_DigestFinal_ex(c, digest, NULL);

	assert(ok);
	(void)ok;
}
