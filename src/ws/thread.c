/* One compressor and decompressor per thread that needs them: 300 KiB, made at first use. */
#include <assert.h>
#include <pthread.h>

#include "ws/conn.h"
#include "ws/deflate.h"

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Thread_local struct ws_deflate *here;

static void destroy(void *d)
{
	ws_deflate_destroy(d);
}

/* Only for its destructor: `here` is faster to look at. */
static void make_key(void)
{
	int err = pthread_key_create(&key, destroy);

	assert(err == 0);
	(void)err;
}

struct ws_deflate *ws_deflate_here(void)
{
	if (!here) {
		pthread_once(&once, make_key);
		here = ws_deflate_create();
		pthread_setspecific(key, here);
	}
	return here;
}
