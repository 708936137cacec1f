#include "net/dtls.h"

#include <errno.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/time.h>

#include "base/cur.h"
#include "base/err.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/rand.h"
#include "net/tls_private.h"

#define COOKIE 16

struct dtls {
	SSL *ssl;
	dtls_send_fn *send;
	void *arg;
	struct slice in;  /* a datagram not yet taken */
	struct addr from; /* for the cookie */
	bool ready;
	bool ended;
};

struct dtls_door {
	struct tls_context *tls;
	struct dtls *spare; /* the session of whoever comes next */
};

/* --- the BIO: a read is a datagram, a write is a datagram --- */

static BIO_METHOD *bio_method;

static int bio_read(BIO *bio, char *to, int room)
{
	struct dtls *d = BIO_get_data(bio);
	size_t n = room < 0 ? 0 : (size_t)room;

	BIO_clear_retry_flags(bio);
	if (d->in.n == 0) {
		BIO_set_retry_read(bio);
		return -1;
	}
	if (n > d->in.n)
		n = d->in.n;
	memcpy(to, d->in.p, n);
	d->in = SLICE_NONE; /* as recv() does, the rest is gone */
	return (int)n;
}

static int bio_write(BIO *bio, const char *from, int n)
{
	struct dtls *d = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	if (n > 0)
		d->send(d->arg, slice_of(from, (size_t)n));
	return n;
}

static void bio_method_make(void)
{
	bio_method = tls_bio_method("datagram", bio_read, bio_write);
}

/* --- cookies --- */

static uint64_t cookie_keys[2][2];

static void cookie_of(const struct addr *a, uint8_t out[COOKIE])
{
	uint8_t text[18];

	memcpy(text, a->ip, 16);
	text[16] = (uint8_t)(a->port >> 8);
	text[17] = (uint8_t)a->port;
	for (unsigned i = 0; i < 2; i++) {
		uint64_t h = hash_keyed(slice_of(text, sizeof(text)), cookie_keys[i]);
		memcpy(out + 8 * i, &h, 8);
	}
}

static int on_make_cookie(SSL *ssl, unsigned char *cookie, unsigned *n)
{
	const struct dtls *d = SSL_get_app_data(ssl);

	cookie_of(&d->from, cookie);
	*n = COOKIE;
	return 1;
}

static int on_check_cookie(SSL *ssl, const unsigned char *cookie, unsigned n)
{
	const struct dtls *d = SSL_get_app_data(ssl);
	uint8_t want[COOKIE];

	cookie_of(&d->from, want);
	return n == COOKIE && CRYPTO_memcmp(want, cookie, COOKIE) == 0;
}

static void make_once(void)
{
	bio_method_make();
	rand_bytes(cookie_keys, sizeof(cookie_keys));
}

void tls_set_up_dtls(SSL_CTX *ctx)
{
	SSL_CTX_set_options(ctx, SSL_OP_NO_QUERY_MTU | SSL_OP_COOKIE_EXCHANGE);
	SSL_CTX_set_cookie_generate_cb(ctx, on_make_cookie);
	SSL_CTX_set_cookie_verify_cb(ctx, on_check_cookie);
}

/* --- life --- */

static struct dtls *dtls_create(struct tls_context *tls)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct dtls *d = xzalloc(sizeof(*d));

	pthread_once(&once, make_once);
	BIO *bio = BIO_new(bio_method);
	if (!bio)
		abort();
	BIO_set_data(bio, d);
	BIO_set_init(bio, 1);
	d->ssl = tls_dtls_session(tls);
	SSL_set_bio(d->ssl, bio, bio);
	SSL_set_app_data(d->ssl, d);
	SSL_set_mtu(d->ssl, DTLS_MTU);
	return d;
}

void dtls_destroy(struct dtls *d)
{
	if (!d)
		return;
	if (d->ready && !d->ended)
		(void)SSL_shutdown(d->ssl);
	ERR_clear_error();
	SSL_free(d->ssl);
	free(d);
}

void dtls_set_output(struct dtls *d, dtls_send_fn *send, void *arg)
{
	d->send = send;
	d->arg = arg;
}

bool dtls_is_ready(const struct dtls *d)
{
	return d->ready;
}

/* A record: type, version, epoch (0: in the clear) ...; in it a message: type ...; in that: version, random. */
bool dtls_is_anew(const struct dtls *d, struct slice datagram)
{
	uint8_t own[SSL3_RANDOM_SIZE];
	struct cur c = cur_of_slice(datagram);

	if (cur_u8(&c) != SSL3_RT_HANDSHAKE || !d->ready)
		return false; /* data */
	cur_skip(&c, 2);
	bool in_clear = cur_be16(&c) == 0;
	cur_skip(&c, 8);
	bool hello = cur_u8(&c) == SSL3_MT_CLIENT_HELLO;
	cur_skip(&c, 11 + 2);
	struct slice random = cur_slice(&c, sizeof(own));
	return in_clear && hello && !c.bad &&
	       SSL_get_client_random(d->ssl, own, sizeof(own)) == sizeof(own) &&
	       memcmp(own, random.p, sizeof(own)) != 0;
}

/* --- the door --- */

struct dtls_door *dtls_door_create(struct tls_context *tls)
{
	struct dtls_door *d = xzalloc(sizeof(*d));

	d->tls = tls;
	return d;
}

void dtls_door_destroy(struct dtls_door *d)
{
	if (!d)
		return;
	dtls_destroy(d->spare);
	free(d);
}

struct dtls *dtls_door_knock(struct dtls_door *door, const struct addr *from,
			     struct slice datagram, dtls_send_fn *send, void *arg)
{
	BIO_ADDR *nobody = BIO_ADDR_new();

	if (!nobody)
		abort();
	/* With the certificate of the moment: a spare one is not kept over a reload. */
	if (door->spare && !tls_dtls_is_current(door->tls, door->spare->ssl)) {
		dtls_destroy(door->spare);
		door->spare = NULL;
	}
	if (!door->spare)
		door->spare = dtls_create(door->tls);
	struct dtls *d = door->spare;
	d->send = send;
	d->arg = arg;
	d->from = *from;
	d->in = datagram;
	ERR_clear_error();
	int r = DTLSv1_listen(d->ssl, nobody);
	BIO_ADDR_free(nobody);
	d->in = SLICE_NONE;
	if (r != 1)
		return NULL;
	door->spare = NULL;
	dtls_feed(d, SLICE_NONE); /* the hello is in it already */
	return d;
}

/* --- records --- */

static void handshake(struct dtls *d)
{
	ERR_clear_error();
	int r = SSL_do_handshake(d->ssl);
	if (r == 1) {
		d->ready = true;
		metric_add(METRIC_TLS_HANDSHAKES, 1);
	} else if (SSL_get_error(d->ssl, r) != SSL_ERROR_WANT_READ) {
		d->ended = true;
		metric_add(METRIC_TLS_FAILURES, 1);
	}
}

void dtls_feed(struct dtls *d, struct slice datagram)
{
	d->in = datagram;
	if (!d->ready && !d->ended)
		handshake(d);
}

int dtls_read(struct dtls *d, uint8_t *to)
{
	if (d->ended)
		return -ECONNRESET;
	if (!d->ready)
		return 0;
	ERR_clear_error();
	int n = SSL_read(d->ssl, to, DTLS_RECORD);
	if (n > 0)
		return n;
	int why = SSL_get_error(d->ssl, n);
	d->in = SLICE_NONE;
	if (why == SSL_ERROR_WANT_READ)
		return 0;
	d->ended = true;
	return -ECONNRESET;
}

void dtls_write(struct dtls *d, struct slice plain)
{
	if (!d->ready || d->ended || plain.n == 0 || plain.n > DTLS_RECORD)
		return;
	ERR_clear_error();
	if (SSL_write(d->ssl, plain.p, (int)plain.n) <= 0)
		d->ended = true;
}

ms_t dtls_timeout(struct dtls *d)
{
	struct timeval left;

	if (d->ended || DTLSv1_get_timeout(d->ssl, &left) != 1)
		return -1;
	return (ms_t)left.tv_sec * 1000 + left.tv_usec / 1000 + 1;
}

void dtls_tick(struct dtls *d)
{
	ERR_clear_error();
	if (!d->ended && DTLSv1_handle_timeout(d->ssl) < 0)
		d->ended = true;
}
