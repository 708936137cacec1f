#include "net/tls.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"
#include "loop/mail.h"
#include "net/stream_pair.h"
#include "net/tls_files.h"

static struct loop *loop;
static struct tls_context *context;
static struct owner own;
static int far = -1;
static SSL_CTX *client_ctx;
static SSL *client;

static void pairs_that_do_not_load_say_why(void **state)
{
	(void)state;
	static const struct {
		const char *cert, *key;
		int err;
		const char *says;
	} v[] = {
		{ "/nonexistent/cert.pem", key_file, -ENOENT, "cert.pem: No such file" },
		{ cert_file, "/nonexistent/key.pem", -ENOENT, "key.pem: No such file" },
		{ key_file, key_file, E_MALFORMED, "no certificate in PEM form" },
		{ cert_file, cert_file, E_MALFORMED, "no private key in PEM form" },
		{ cert_file, other_key, E_MALFORMED,
		  "does not belong to the certificate" },
	};
	struct loop *l = loop_create(0);

	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		struct buf why = BUF_INIT(1000);
		struct tls_context *t = NULL;
		assert_int_equal(tls_context_create(&t, l, v[i].cert, v[i].key, &why),
				 v[i].err);
		assert_null(t);
		assert_memory_equal(why.p, "/", 1); /* names the file */
		buf_u8(&why, 0);
		assert_non_null(strstr((const char *)why.p, v[i].says));
		buf_fini(&why);
	}
	loop_destroy(l);
}

/* --- a client --- */

static void client_new(void)
{
	client = SSL_new(client_ctx);
	SSL_set_fd(client, far);
	SSL_set_connect_state(client);
}

static void client_open(const struct stream_limits *limits)
{
	far = owner_open(&own, loop, context, limits);
	assert_int_equal(fcntl(far, F_SETFL, O_NONBLOCK), 0);
	client_new();
}

static void client_close(void)
{
	SSL_free(client);
	client = NULL;
	close(far);
	far = -1;
}

static int set_up_server(void **state)
{
	struct buf why = BUF_INIT(1000);

	(void)state;
	loop = loop_create(0);
	assert_int_equal(tls_context_create(&context, loop, cert_file, key_file, &why),
			 0);
	client_ctx = SSL_CTX_new(TLS_client_method());
	buf_fini(&why);
	return 0;
}

static int set_up(void **state)
{
	set_up_server(state);
	client_open(&owner_limits);
	return 0;
}

static int tear_down_server(void **state)
{
	(void)state;
	SSL_CTX_free(client_ctx);
	tls_context_destroy(context);
	loop_destroy(loop);
	return 0;
}

static int tear_down(void **state)
{
	client_close();
	loop_until(loop, own.closed);
	loop_one_turn(loop);
	assert_int_equal(own.closed, 1);
	assert_int_equal(metric_total(METRIC_CONNECTIONS), 0);
	assert_int_equal(metric_total(METRIC_QUEUED_BYTES), 0);
	buf_fini(&own.got);
	return tear_down_server(state);
}

/* One step of the client; true: done. Anything but waiting is a failure. */
static bool client_step(int r)
{
	if (r > 0)
		return true;
	int why = SSL_get_error(client, r);
	if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
		fail_msg("TLS client: %d %s", why,
			 ERR_reason_error_string(ERR_get_error()));
	return false;
}

static void client_shake_hands(void)
{
	loop_until(loop, client_step(SSL_do_handshake(client)));
	loop_until(loop, stream_is_tls(own.s) && metric_of(0, METRIC_TLS_HANDSHAKES) > 0);
}

static void client_write(struct slice s)
{
	loop_until(loop, client_step(SSL_write(client, s.p, (int)s.n)));
}

static void client_read(struct buf *b, size_t n)
{
	static uint8_t chunk[16384];

	while (b->n < n) {
		int r = 0;
		loop_until(loop, client_step(r = SSL_read(client, chunk, sizeof(chunk))));
		buf_add(b, chunk, (size_t)r);
	}
}

/* Reads to the end; SSL_ERROR_ZERO_RETURN is a proper one. */
static int client_read_end(void)
{
	uint8_t chunk[4096];
	int r = 0, why = 0;

	loop_until(loop, (r = SSL_read(client, chunk, sizeof(chunk))) <= 0 &&
				 (why = SSL_get_error(client, r)) != SSL_ERROR_WANT_READ);
	return why;
}

static ssize_t say_it_back(struct owner *o, uint8_t *p, size_t n)
{
	assert_int_equal(stream_write(o->s, slice_of(p, n)), 0);
	return (ssize_t)n;
}

/* --- streams with TLS --- */

static void echo_over(int version)
{
	struct buf got = BUF_INIT(1000);

	SSL_set_min_proto_version(client, version);
	SSL_set_max_proto_version(client, version);
	own.data = say_it_back;
	client_write(SLICE("hello"));
	client_read(&got, 5);
	assert_text(&got, "hello");
	assert_int_equal(SSL_version(client), version);
	assert_true(stream_is_tls(own.s));
	assert_int_equal(metric_of(0, METRIC_TLS_HANDSHAKES), 1);
	buf_fini(&got);
}

static void tls_1_2_works_with_forward_secrecy(void **state)
{
	(void)state;
	echo_over(TLS1_2_VERSION);
	const char *suite = SSL_get_cipher_name(client);
	assert_memory_equal(suite, "ECDHE-", 6);
}

static void tls_1_3_works(void **state)
{
	(void)state;
	echo_over(TLS1_3_VERSION);
}

static void same_port_speaks_plain_by_the_first_byte(void **state)
{
	(void)state;
	struct buf got = BUF_INIT(100);

	own.data = say_it_back;
	far_write(far, SLICE("GET / HTTP/1.1"));
	loop_until(loop, far_read(far, &got) > 0);
	assert_text(&got, "GET / HTTP/1.1");
	assert_false(stream_is_tls(own.s));
	assert_int_equal(metric_of(0, METRIC_TLS_HANDSHAKES), 0);
	buf_fini(&got);
}

/* Hands the client's flight to the server a byte per turn. */
static void drip(BIO *from)
{
	uint8_t c;

	while (BIO_read(from, &c, 1) == 1) {
		far_write(far, slice_of(&c, 1));
		loop_one_turn(loop);
	}
}

static void hello_may_come_byte_by_byte(void **state)
{
	(void)state;
	BIO *to_client = BIO_new(BIO_s_mem()), *from_client = BIO_new(BIO_s_mem());
	struct buf in = BUF_INIT(100000);

	SSL_set_bio(client, to_client, from_client);
	loop_until(loop, (drip(from_client), in.n = 0, far_read(far, &in),
			  BIO_write(to_client, in.p, (int)in.n),
			  client_step(SSL_do_handshake(client))));
	assert_int_equal(SSL_write(client, "hello", 5), 5);
	drip(from_client);
	loop_until(loop, own.got.n == 5);
	assert_text(&own.got, "hello");
	buf_fini(&in);
}

static unsigned records;

static void count_records(int out, int version, int type, const void *p, size_t n,
			  SSL *ssl, void *arg)
{
	(void)version;
	(void)ssl;
	(void)arg;
	/* TLS 1.3 shows every record as application data outside (RFC 8446, 5.2). */
	if (!out && type == SSL3_RT_HEADER && n == 5 && ((const uint8_t *)p)[0] == 23)
		records++;
}

static void a_turn_becomes_one_record(void **state)
{
	(void)state;
	struct buf got = BUF_INIT(10000);

	client_shake_hands();
	client_write(SLICE("x")); /* past the session tickets */
	loop_until(loop, own.got.n == 1);
	assert_int_equal(stream_write(own.s, SLICE("-")), 0);
	client_read(&got, 1);
	SSL_set_msg_callback(client, count_records);
	records = 0;
	for (int i = 0; i < 500; i++)
		assert_int_equal(stream_write(own.s, SLICE("0123456789")), 0);
	client_read(&got, 5001);
	assert_int_equal(records, 1);
	buf_fini(&got);
}

static void shared_write_is_encrypted_and_keeps_its_place(void **state)
{
	(void)state;
	struct buf got = BUF_INIT(100);

	client_shake_hands();
	assert_int_equal(stream_write_shared(own.s, SLICE("a")), 0);
	assert_int_equal(stream_queued(own.s), 0);
	assert_int_equal(stream_write(own.s, SLICE("b")), 0);
	assert_int_equal(stream_write_shared(own.s, SLICE("c")), 0);
	client_read(&got, 3);
	assert_text(&got, "abc");
	assert_int_equal(stream_write_volley(own.s, SLICE("d")), 0);
	assert_int_equal(stream_write_volley(own.s, SLICE("e")), 0);
	assert_int_equal(stream_write(own.s, SLICE("f")), 0);
	client_read(&got, 6);
	assert_text(&got, "abcdef");
	buf_fini(&got);
}

static void writes_before_the_handshake_wait_for_it(void **state)
{
	(void)state;
	struct buf got = BUF_INIT(100);

	assert_int_equal(stream_write(own.s, SLICE("early ")), 0);
	assert_int_equal(stream_write_shared(own.s, SLICE("bird")), 0);
	loop_one_turn(loop);
	client_read(&got, 10);
	assert_text(&got, "early bird");
	buf_fini(&got);
}

static void fill_queue(struct buf *sent)
{
	static uint8_t chunk[50000];

	for (;;) {
		for (size_t i = 0; i < sizeof(chunk); i++)
			chunk[i] = (uint8_t)((sent->n + i) * 2654435761u >> 24);
		struct slice some = slice_of(chunk, sizeof(chunk));
		int err = sent->n % 3 == 0   ? stream_write(own.s, some)
			  : sent->n % 3 == 1 ? stream_write_shared(own.s, some)
					     : stream_write_volley(own.s, some);
		if (err == E_SLOW)
			return;
		buf_add(sent, chunk, sizeof(chunk));
		loop_one_turn(loop);
	}
}

static void slow_reader_is_bounded_and_loses_nothing(void **state)
{
	(void)state;
	struct buf sent = BUF_INIT(64 << 20), got = BUF_INIT(64 << 20);

	client_shake_hands();
	fill_queue(&sent);
	/* The wire's part is a little larger than what it carries: 22 bytes in 16 KiB. */
	assert_true(stream_queued(own.s) <= owner_limits.queue + (size_t)22 * 64);
	assert_int_equal(metric_total(METRIC_QUEUED_BYTES), stream_queued(own.s));
	client_read(&got, sent.n);
	assert_memory_equal(got.p, sent.p, sent.n);
	loop_until(loop, own.drained == 1);
	buf_fini(&sent);
	buf_fini(&got);
}

static void finish_says_close_notify(void **state)
{
	(void)state;
	struct buf got = BUF_INIT(100);

	client_shake_hands();
	assert_int_equal(stream_write(own.s, SLICE("bye")), 0);
	stream_finish(own.s);
	client_read(&got, 3);
	assert_text(&got, "bye");
	assert_int_equal(client_read_end(), SSL_ERROR_ZERO_RETURN);
	buf_fini(&got);
}

static void close_notify_of_the_peer_is_an_orderly_end(void **state)
{
	(void)state;
	client_shake_hands();
	client_write(SLICE("last words"));
	SSL_shutdown(client);
	loop_until(loop, own.closed);
	assert_text(&own.got, "last words");
	assert_int_equal(own.err, 0);
}

static ssize_t pause_first(struct owner *o, uint8_t *p, size_t n)
{
	o->data = NULL;
	buf_add(&o->got, p, 1);
	stream_pause(o->s, true);
	(void)n;
	return 1;
}

static void close_notify_while_paused_waits_for_what_is_left(void **state)
{
	(void)state;
	client_shake_hands();
	own.data = pause_first;
	assert_int_equal(SSL_write(client, "abc", 3), 3);
	SSL_shutdown(client);
	loop_until(loop, own.calls == 1);
	for (int i = 0; i < 5; i++)
		loop_one_turn(loop);
	assert_int_equal(own.closed, 0);
	stream_pause(own.s, false);
	loop_until(loop, own.closed);
	assert_text(&own.got, "abc");
}

static void garbage_after_the_handshake_closes(void **state)
{
	(void)state;
	client_shake_hands();
	far_write(far, SLICE("\x17\x03\x03\x00\x20"
			     "0123456789abcdef0123456789abcdef"));
	loop_until(loop, far_read(far, &own.got) == 0);
	close(far);
	far = -1;
	loop_until(loop, own.closed);
	assert_int_equal(own.err, E_MALFORMED);
	assert_int_equal(metric_of(0, METRIC_TLS_FAILURES), 0);
}

static void garbage_handshake_is_counted_and_closed(void **state)
{
	(void)state;
	far_write(far, SLICE("\x16garbage that is no TLS at all"));
	shutdown(far, SHUT_WR);
	loop_until(loop, own.closed);
	assert_int_equal(own.err, E_MALFORMED);
	assert_int_equal(metric_of(0, METRIC_TLS_FAILURES), 1);
	assert_int_equal(own.calls, 0);
}

static void old_tls_is_refused_with_an_alert(void **state)
{
	(void)state;
	int r, why = 0;

	SSL_CTX_set_security_level(client_ctx, 0);
	SSL_free(client);
	client_new();
	SSL_set_security_level(client, 0);
	SSL_set_min_proto_version(client, TLS1_VERSION);
	SSL_set_max_proto_version(client, TLS1_1_VERSION);
	SSL_set_cipher_list(client, "ALL:@SECLEVEL=0");
	loop_until(loop, (r = SSL_do_handshake(client)) < 0 &&
				 (why = SSL_get_error(client, r)) != SSL_ERROR_WANT_READ);
	assert_int_equal(why, SSL_ERROR_SSL);
	assert_int_equal(ERR_GET_REASON(ERR_get_error()),
			 SSL_R_TLSV1_ALERT_PROTOCOL_VERSION);
	shutdown(far, SHUT_WR);
	loop_until(loop, own.closed);
	assert_int_equal(metric_of(0, METRIC_TLS_FAILURES), 1);
}

static void handshake_has_a_deadline(void **state)
{
	(void)state;
	client_close();
	loop_until(loop, own.closed);
	buf_fini(&own.got);
	client_open(&owner_hurry);
	far_write(far, SLICE("\x16\x03\x01"));
	loop_until(loop, own.closed);
	assert_int_equal(own.err, E_TIMEOUT);
	assert_int_equal(metric_of(0, METRIC_TLS_FAILURES), 1);
}

static void alpn_is_http_1_1_or_nothing(void **state)
{
	(void)state;
	const unsigned char *got;
	unsigned n;

	SSL_set_alpn_protos(client, (const unsigned char *)"\x02h2\x08http/1.1", 12);
	client_shake_hands();
	SSL_get0_alpn_selected(client, &got, &n);
	assert_int_equal(n, 8);
	assert_memory_equal(got, "http/1.1", 8);
}

/* --- sessions --- */

static SSL_SESSION *session;

static int keep_session(SSL *ssl, SSL_SESSION *s)
{
	(void)ssl;
	SSL_SESSION_free(session);
	session = s;
	return 1;
}

static void ticket_is_good_on_every_worker(void **state)
{
	(void)state;
	struct tls_context *first = context, *second;
	struct buf why = BUF_INIT(100), got = BUF_INIT(100);

	SSL_CTX_set_session_cache_mode(client_ctx, SSL_SESS_CACHE_CLIENT);
	SSL_CTX_sess_set_new_cb(client_ctx, keep_session);
	client_shake_hands();
	assert_int_equal(stream_write(own.s, SLICE("x")), 0);
	client_read(&got, 1);
	assert_non_null(session);
	SSL_shutdown(client); /* OpenSSL does not resume what was just dropped */
	client_close();
	loop_until(loop, own.closed);
	buf_fini(&own.got);

	assert_int_equal(tls_context_create(&second, loop, cert_file, key_file, &why), 0);
	context = second;
	client_open(&owner_limits);
	SSL_set_session(client, session);
	client_shake_hands();
	assert_true(SSL_session_reused(client));
	SSL_SESSION_free(session);
	session = NULL;
	tls_context_destroy(first);
	buf_fini(&got);
}

/* --- reloading --- */

static void fingerprint_of_peer(char out[96])
{
	unsigned char digest[32];
	X509 *x = SSL_get1_peer_certificate(client);

	assert_int_equal(X509_digest(x, EVP_sha256(), digest, NULL), 1);
	X509_free(x);
	for (size_t i = 0; i < 32; i++)
		snprintf(out + 3 * i, 4, "%02X%s", digest[i], i < 31 ? ":" : "");
}

static void copy_file(const char *from, const char *to)
{
	struct buf b = BUF_INIT(100000);

	assert_int_equal(file_read(from, 100000, &b), 0);
	assert_int_equal(file_write(to, buf_slice(&b), 0600), 0);
	buf_fini(&b);
}

static void connect_anew(void)
{
	client_close();
	loop_until(loop, own.closed);
	buf_fini(&own.got);
	client_open(&owner_limits);
	client_shake_hands();
}

static void changed_pair_is_used_for_new_connections(void **state)
{
	(void)state;
	char want[96], got[96];

	client_shake_hands();
	fingerprint_of(other_cert, want);
	copy_file(other_key, key_file);
	copy_file(other_cert, cert_file);
	log_setup(LOG_ERROR, false);
	loop_run_for(loop, 2100);
	log_setup(LOG_INFO, false);
	connect_anew();
	fingerprint_of_peer(got);
	assert_string_equal(got, want);
}

static void broken_pair_leaves_the_old_one_in_use(void **state)
{
	(void)state;
	char want[96], got[96];
	struct stat before;

	log_setup(LOG_ERROR, false);
	fingerprint_of(cert_file, want);
	assert_int_equal(stat(cert_file, &before), 0);
	assert_int_equal(file_write(cert_file, SLICE("no certificate"), 0600), 0);
	loop_run_for(loop, 2100); /* past the next look */
	connect_anew();
	fingerprint_of_peer(got);
	assert_string_equal(got, want);
	log_setup(LOG_INFO, false);
}

/* --- from worker to worker --- */

#define MOVES 200
enum { KIND_MOVE = 1 };

/* Two workers hand one connection to and fro. */
struct worker {
	struct loop *loop;
	struct owner own;
	unsigned other;
};

static struct worker workers[2];
static _Atomic size_t total;

/* Takes whole groups of four bytes, answers each with its first, and then moves on, in
 * the middle of whatever else has come. */
static ssize_t worker_data(struct owner *o, uint8_t *p, size_t n)
{
	struct worker *w = container_of(o, struct worker, own);
	struct stream *s = o->s;

	if (n < 4)
		return 0;
	assert_int_equal(stream_write(s, slice_of(p, 1)), 0);
	total += 4;
	stream_detach(s);
	loop_mail_send(w->other, KIND_MOVE, slice_of(&s, sizeof(struct stream *)));
	return 4;
}

static void worker_on_close(void *arg, struct stream *s, int err)
{
	owner_closed(arg, s, err);
	loop_stop(workers[0].loop);
	loop_stop(workers[1].loop);
}

static void *worker_run(void *arg)
{
	loop_run(((struct worker *)arg)->loop);
	return NULL;
}

static const struct stream_ops worker_ops = { .data = owner_data,
					      .closed = worker_on_close };

static void worker_attach_first(void *arg)
{
	struct worker *w = arg;

	stream_attach(w->loop, w->own.s, &worker_ops, &w->own);
}

static void worker_on_move(void *arg, unsigned from, struct slice body)
{
	struct worker *w = arg;

	(void)from;
	memcpy(&w->own.s, body.p, sizeof(struct stream *));
	stream_attach(w->loop, w->own.s, &worker_ops, &w->own);
}

static void blocking_client_talks(void)
{
	uint8_t back[4 * MOVES];
	uint8_t text[4 * MOVES];
	size_t got = 0;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i / 4);
	/* Records that end in the middle of a group. */
	for (size_t at = 0; at < sizeof(text);) {
		size_t n =
			at % 13 + 1 < sizeof(text) - at ? at % 13 + 1 : sizeof(text) - at;
		assert_int_equal(SSL_write(client, text + at, (int)n), n);
		at += n;
	}
	while (got < MOVES) {
		int r = SSL_read(client, back + got, (int)(sizeof(back) - got));
		assert_true(r > 0);
		got += (size_t)r;
	}
	for (size_t i = 0; i < MOVES; i++)
		assert_int_equal(back[i], (uint8_t)i);
}

static void tls_stream_moves_between_workers_in_mid_message(void **state)
{
	(void)state;
	pthread_t t[2];

	client_shake_hands();
	/* Off the testing thread's loop, on to the workers'. */
	stream_detach(own.s);
	for (unsigned i = 0; i < 2; i++) {
		struct worker *w = &workers[i];
		*w = (struct worker){ .loop = loop_create(1 + i), .other = 2 - i };
		owner_init(&w->own);
		w->own.data = worker_data;
		loop_mail_handler(w->loop, KIND_MOVE, worker_on_move, w);
	}
	workers[0].own.s = own.s;
	loop_post(workers[0].loop, worker_attach_first, &workers[0]);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&t[i], NULL, worker_run, &workers[i]), 0);
	assert_int_equal(fcntl(far, F_SETFL, 0), 0);
	blocking_client_talks();
	SSL_shutdown(client);
	for (unsigned i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(total, 4 * MOVES);
	assert_true(workers[0].own.calls > 0 && workers[1].own.calls > 0);
	own.closed = workers[0].own.closed + workers[1].own.closed;
	for (unsigned i = 0; i < 2; i++)
		loop_destroy(workers[i].loop);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs_that_do_not_load_say_why),
		T(tls_1_2_works_with_forward_secrecy),
		T(tls_1_3_works),
		T(same_port_speaks_plain_by_the_first_byte),
		T(hello_may_come_byte_by_byte),
		T(a_turn_becomes_one_record),
		T(shared_write_is_encrypted_and_keeps_its_place),
		T(writes_before_the_handshake_wait_for_it),
		T(slow_reader_is_bounded_and_loses_nothing),
		T(finish_says_close_notify),
		T(close_notify_of_the_peer_is_an_orderly_end),
		T(close_notify_while_paused_waits_for_what_is_left),
		T(garbage_after_the_handshake_closes),
		T(garbage_handshake_is_counted_and_closed),
		T(old_tls_is_refused_with_an_alert),
		T(handshake_has_a_deadline),
		T(alpn_is_http_1_1_or_nothing),
		T(ticket_is_good_on_every_worker),
		T(tls_stream_moves_between_workers_in_mid_message),
		T(changed_pair_is_used_for_new_connections),
		T(broken_pair_leaves_the_old_one_in_use),
	};
	return cmocka_run_group_tests(tests, make_files, remove_files);
}
