#include <errno.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include "base/err.h"
#include "net/dtls.h"
#include "net/tls_files.h"

/* A client of OpenSSL's, without sockets: what it says lies in `out`. */
struct far {
	SSL_CTX *ctx;
	SSL *ssl;
	BIO *in, *out;
};

static struct loop *l;
static struct tls_context *tls;
static struct dtls_door *door;
static const struct addr ann = { .family = AF_INET,
				 .ip = { 203, 0, 113, 9 },
				 .port = 4711 };
static const struct addr eve = { .family = AF_INET,
				 .ip = { 203, 0, 113, 66 },
				 .port = 4711 };
static struct buf said = BUF_INIT(1 << 20); /* by the server */
static unsigned datagrams;

static int set_up(void **state)
{
	struct buf why = BUF_INIT(1000);

	(void)state;
	l = loop_create(0);
	assert_int_equal(tls_context_create(&tls, l, cert_file, key_file, &why), 0);
	door = dtls_door_create(tls);
	buf_fini(&why);
	buf_clear(&said);
	datagrams = 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	dtls_door_destroy(door);
	tls_context_destroy(tls);
	loop_destroy(l);
	buf_fini(&said);
	return 0;
}

static void far_open(struct far *f)
{
	f->ctx = SSL_CTX_new(DTLS_client_method());
	f->ssl = SSL_new(f->ctx);
	f->in = BIO_new(BIO_s_mem());
	f->out = BIO_new(BIO_s_mem());
	BIO_set_mem_eof_return(f->in, -1);
	SSL_set_bio(f->ssl, f->in, f->out);
	SSL_set_options(f->ssl, SSL_OP_NO_QUERY_MTU);
	SSL_set_mtu(f->ssl, 1200);
	SSL_set_connect_state(f->ssl);
}

static void far_close(struct far *f)
{
	SSL_free(f->ssl);
	SSL_CTX_free(f->ctx);
}

static void on_send(void *arg, struct slice datagram)
{
	assert_ptr_equal(arg, &said);
	assert_true(datagram.n <= DTLS_MTU || datagram.n <= DTLS_RECORD + 100);
	datagrams++;
	buf_put(&said, datagram);
}

/* What the client says now. */
static size_t far_says(struct far *f, uint8_t *p, size_t room)
{
	int n = BIO_read(f->out, p, (int)room);

	return n > 0 ? (size_t)n : 0;
}

static void far_hears(struct far *f)
{
	if (said.n > 0)
		BIO_write(f->in, said.p, (int)said.n);
	buf_clear(&said);
}

/* The hello that has the cookie in it. */
static size_t hello_with_cookie(struct far *f, uint8_t *p, size_t room)
{
	SSL_do_handshake(f->ssl);
	size_t n = far_says(f, p, room);
	assert_null(dtls_door_knock(door, &ann, slice_of(p, n), on_send, &said));
	assert_int_equal(datagrams, 1);
	far_hears(f);
	SSL_do_handshake(f->ssl);
	return far_says(f, p, room);
}

static struct dtls *far_enter(struct far *f, struct slice hello)
{
	uint8_t p[8192], plain[DTLS_RECORD];
	size_t n;
	struct dtls *d = dtls_door_knock(door, &ann, hello, on_send, &said);

	assert_non_null(d);
	for (unsigned i = 0; i < 5 && !(dtls_is_ready(d) && SSL_is_init_finished(f->ssl));
	     i++) {
		far_hears(f);
		SSL_do_handshake(f->ssl);
		n = far_says(f, p, sizeof(p));
		dtls_feed(d, slice_of(p, n));
		assert_int_equal(dtls_read(d, plain), 0);
	}
	assert_true(dtls_is_ready(d));
	return d;
}

static struct dtls *far_connect(struct far *f)
{
	uint8_t p[8192];

	return far_enter(f, slice_of(p, hello_with_cookie(f, p, sizeof(p))));
}

static void dtls_wants_its_cookie_first(void **state)
{
	struct far f;
	uint8_t p[8192];

	(void)state;
	far_open(&f);
	size_t n = hello_with_cookie(&f, p, sizeof(p));
	/* The cookie is good for its address only. */
	assert_null(dtls_door_knock(door, &eve, slice_of(p, n), on_send, &said));
	struct dtls *d = dtls_door_knock(door, &ann, slice_of(p, n), on_send, &said);
	assert_non_null(d);
	assert_false(dtls_is_ready(d));
	assert_true(dtls_timeout(d) > 0); /* its flight may have been lost */
	dtls_destroy(d);
	far_close(&f);
}

static void dtls_carries_records_both_ways(void **state)
{
	uint8_t p[32768], plain[DTLS_RECORD];
	char text[64];
	struct far f;

	(void)state;
	far_open(&f);
	struct dtls *d = far_connect(&f);
	assert_int_equal(SSL_write(f.ssl, "up", 2), 2);
	assert_int_equal(SSL_write(f.ssl, "again", 5), 5);
	size_t n = far_says(&f, p, sizeof(p));
	dtls_feed(d, slice_of(p, n));
	assert_int_equal(dtls_read(d, plain), 2);
	assert_memory_equal(plain, "up", 2);
	assert_int_equal(dtls_read(d, plain), 5);
	assert_int_equal(dtls_read(d, plain), 0);
	/* A replayed record is not one. */
	dtls_feed(d, slice_of(p, n));
	assert_int_equal(dtls_read(d, plain), 0);

	dtls_write(d, SLICE("down"));
	far_hears(&f);
	assert_int_equal(SSL_read(f.ssl, text, sizeof(text)), 4);
	assert_memory_equal(text, "down", 4);
	dtls_destroy(d);
	far_hears(&f);
	assert_true(SSL_read(f.ssl, text, sizeof(text)) <= 0);
	assert_int_equal(SSL_get_shutdown(f.ssl), SSL_RECEIVED_SHUTDOWN);
	far_close(&f);
}

static void dtls_ends_when_the_client_says_so(void **state)
{
	uint8_t p[8192], plain[DTLS_RECORD];
	struct far f;

	(void)state;
	far_open(&f);
	struct dtls *d = far_connect(&f);
	SSL_shutdown(f.ssl);
	dtls_feed(d, slice_of(p, far_says(&f, p, sizeof(p))));
	assert_true(dtls_read(d, plain) < 0);
	dtls_destroy(d);
	far_close(&f);
}

/* RFC 6347, 4.2.8. */
static void dtls_tells_a_client_that_has_forgotten(void **state)
{
	uint8_t first[8192], second[8192];
	struct far f, g;

	(void)state;
	far_open(&f);
	far_open(&g);
	size_t n = hello_with_cookie(&f, first, sizeof(first));
	struct dtls *d = far_enter(&f, slice_of(first, n));
	assert_false(dtls_is_anew(d, slice_of(first, n))); /* late, or sent again */
	buf_clear(&said);
	datagrams = 0;
	size_t m = hello_with_cookie(&g, second, sizeof(second));
	assert_true(dtls_is_anew(d, slice_of(second, m)));
	for (size_t i = 0; i < 59; i++) /* the random ends there */
		assert_false(dtls_is_anew(d, slice_of(second, i)));
	SSL_write(f.ssl, "data", 4);
	n = far_says(&f, first, sizeof(first));
	assert_false(dtls_is_anew(d, slice_of(first, n)));
	dtls_destroy(d);
	buf_clear(&said);
	d = far_enter(&g, slice_of(second, m));
	dtls_destroy(d);
	far_close(&f);
	far_close(&g);
}

/* Junk, and every beginning of a hello: nothing is kept, nothing breaks. */
static void dtls_door_takes_no_junk(void **state)
{
	static uint8_t zero[200] = { 22, 0xfe, 0xfd };
	uint8_t p[8192];
	struct far f;

	(void)state;
	far_open(&f);
	SSL_do_handshake(f.ssl);
	size_t n = far_says(&f, p, sizeof(p));
	for (size_t i = 0; i < n; i++)
		assert_null(dtls_door_knock(door, &ann, slice_of(p, i), on_send, &said));
	assert_null(dtls_door_knock(door, &ann, slice_of(zero, sizeof(zero)), on_send,
				    &said));
	assert_int_equal(datagrams, 0);
	far_close(&f);
	far_open(&f);
	dtls_destroy(far_connect(&f)); /* the door still works */
	far_close(&f);
}

/* Between the records of a session: dropped. */
static void dtls_session_takes_no_junk(void **state)
{
	uint8_t p[8192], junk[64], plain[DTLS_RECORD];
	struct far f;

	(void)state;
	far_open(&f);
	struct dtls *d = far_connect(&f);
	for (unsigned first = 20; first < 64; first++) {
		memset(junk, (int)first, sizeof(junk));
		dtls_feed(d, slice_of(junk, sizeof(junk)));
		assert_int_equal(dtls_read(d, plain), 0);
	}
	assert_int_equal(SSL_write(f.ssl, "still here", 10), 10);
	dtls_feed(d, slice_of(p, far_says(&f, p, sizeof(p))));
	assert_int_equal(dtls_read(d, plain), 10);
	dtls_destroy(d);
	far_close(&f);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(dtls_tells_a_client_that_has_forgotten),
		T(dtls_wants_its_cookie_first),
		T(dtls_carries_records_both_ways),
		T(dtls_ends_when_the_client_says_so),
		T(dtls_door_takes_no_junk),
		T(dtls_session_takes_no_junk),
	};
#undef T

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
