/* TLS without sockets: OpenSSL reads from the bytes that one recv has brought and writes
 * to the stream's wire buffer. Each call takes all there is, so OpenSSL never holds more
 * than one incomplete record, and what a turn says leaves in one send.
 */
#include <assert.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdlib.h>
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/stream_private.h"
#include "net/tls_private.h"

#define SEAL_MAX                                                                         \
	((size_t)256 * 1024) /* at once, so that a long queue is not held twice */

struct stream_tls {
	SSL *ssl;
	struct stream *stream;
	struct stream_out *wire;
	const uint8_t *in; /* ciphertext not yet taken; empty between calls */
	size_t in_left;
	bool ready;
	bool ended; /* no more output: close_notify or an alert was written */
};

/* --- the BIO --- */

static BIO_METHOD *bio_method;

static int bio_read(BIO *bio, char *to, int room)
{
	struct stream_tls *t = BIO_get_data(bio);
	size_t n = room < 0 ? 0 : (size_t)room;

	BIO_clear_retry_flags(bio);
	if (t->in_left == 0) {
		BIO_set_retry_read(bio);
		return -1;
	}
	if (n > t->in_left)
		n = t->in_left;
	memcpy(to, t->in, n);
	t->in += n;
	t->in_left -= n;
	return (int)n;
}

static int bio_write(BIO *bio, const char *from, int n)
{
	struct stream_tls *t = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	stream_fire(t->stream);
	if (n > 0)
		stream_out_add(t->stream->loop, &t->wire, slice_of(from, (size_t)n));
	return n;
}

static void bio_method_make(void)
{
	bio_method = tls_bio_method("stream", bio_read, bio_write);
}

static BIO *bio_create(struct stream_tls *t)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	BIO *bio;

	pthread_once(&once, bio_method_make);
	bio = BIO_new(bio_method);
	if (!bio)
		abort(); /* out of memory, as xmalloc() has it */
	BIO_set_data(bio, t);
	BIO_set_init(bio, 1);
	return bio;
}

/* --- life --- */

void stream_tls_start(struct stream *s)
{
	struct stream_tls *t = xzalloc(sizeof(*t));
	BIO *bio = bio_create(t);

	t->stream = s;
	t->ssl = tls_session(s->context);
	SSL_set_bio(t->ssl, bio, bio);
	s->tls = t;
	s->mode = STREAM_TLS;
}

void stream_tls_free(struct stream *s)
{
	struct stream_tls *t = s->tls;

	if (!t)
		return;
	stream_out_free(s->loop, &t->wire);
	SSL_free(t->ssl);
	free(t);
	s->tls = NULL;
}

struct stream_out **stream_tls_wire(struct stream *s)
{
	return &s->tls->wire;
}

bool stream_tls_ready(const struct stream *s)
{
	return s->tls->ready && !s->tls->ended;
}

/* OpenSSL has put its alert on the wire; it goes out, then the connection ends. */
static void tls_fail(struct stream *s)
{
	struct addr_text a;

	if (!s->tls->ready)
		metric_add(METRIC_TLS_FAILURES, 1);
	log_debug("net", "tls-failed", "peer=%s reason=\"%s\"", addr_text(&s->peer, &a),
		  tls_reason());
	s->tls->ended = true;
	stream_finish_with(s, E_MALFORMED);
}

/* --- in --- */

static bool tls_handshake(struct stream *s)
{
	struct stream_tls *t = s->tls;
	int r = SSL_do_handshake(t->ssl);

	if (t->wire)
		stream_post(s, LOOP_FLUSH);
	if (r == 1) {
		t->ready = true;
		metric_add(METRIC_TLS_HANDSHAKES, 1);
		stream_settled(s, STREAM_TLS);
		return true;
	}
	if (SSL_get_error(t->ssl, r) != SSL_ERROR_WANT_READ)
		tls_fail(s);
	return false;
}

/* Decrypts all of it to `to`; the count, and in *why how OpenSSL ended. */
static size_t tls_open(struct stream_tls *t, uint8_t *to, size_t room, int *why)
{
	size_t n = 0;

	for (;;) {
		int r = SSL_read(t->ssl, to + n, (int)(room - n));
		if (r <= 0) {
			*why = SSL_get_error(t->ssl, r);
			return n;
		}
		n += (size_t)r;
	}
}

static void tls_read(struct stream *s)
{
	uint8_t *p = loop_scratch(s->loop);
	size_t have = s->carry ? s->carry->n : 0;
	int why;
	size_t n = tls_open(s->tls, p + have, STREAM_CIPHER_AT - have, &why);

	if (s->tls->wire)
		stream_post(s, LOOP_FLUSH); /* an answer of TLS's own, or an alert */
	s->peer_ended = why == SSL_ERROR_ZERO_RETURN;
	if (n) {
		stream_unpack_carry(s, p);
		stream_deliver(s, p, have + n);
	}
	if (!s->loop || s->state != STREAM_OPEN)
		return;
	if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_ZERO_RETURN)
		tls_fail(s);
	else if (s->peer_ended && !s->paused)
		stream_on_end(s);
}

void stream_tls_input(struct stream *s, uint8_t *p, size_t n)
{
	struct stream_tls *t = s->tls;

	t->in = p;
	t->in_left = n;
	ERR_clear_error(); /* an old entry would turn "want more" into a failure */
	if (t->ready || tls_handshake(s))
		tls_read(s);
}

/* --- out --- */

void stream_tls_seal(struct stream *s, struct slice bytes)
{
	size_t n;

	ERR_clear_error();
	/* The wire takes everything, so this is all or a failure of TLS itself. */
	if (SSL_write_ex(s->tls->ssl, bytes.p, bytes.n, &n) == 1 && n == bytes.n)
		return;
	s->tls->ended = true;
	stream_die(s, E_STATE);
}

void stream_tls_seal_out(struct stream *s)
{
	size_t left = stream_out_left(s->out);
	size_t n = left < SEAL_MAX ? left : SEAL_MAX;

	stream_tls_seal(s, slice_of(s->out->p + s->out->at, n));
	s->out->at += (uint32_t)n;
	if (n == left)
		stream_out_free(s->loop, &s->out);
}

void stream_tls_end(struct stream *s)
{
	if (!stream_tls_ready(s))
		return;
	s->tls->ended = true;
	ERR_clear_error();
	(void)SSL_shutdown(
		s->tls->ssl); /* writes close_notify; the peer's is not waited for */
}
