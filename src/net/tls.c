#include "net/tls.h"
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "net/tls_private.h"

#define RELOAD_EVERY 2000
#define CIPHERS_1_2 "ECDHE+AESGCM:ECDHE+CHACHA20"
#define GROUPS "X25519:P-256"

/* What tells one state of a file from another. */
struct stamp {
	struct timespec mtime;
	off_t size;
	ino_t inode;
};

struct tls_context {
	struct loop *loop;
	struct loop_timer timer;
	SSL_CTX *ctx;
	SSL_CTX *dtls;
	char *cert_file;
	char *key_file;
	struct stamp seen[2]; /* also of a pair that did not load: told once */
};

/* 0 to what we do not know: a 1 to the kTLS questions would make OpenSSL send plaintext. */
static long bio_ctrl(BIO *bio, int cmd, long num, void *arg)
{
	(void)bio;
	(void)num;
	(void)arg;
	return cmd == BIO_CTRL_FLUSH || cmd == BIO_CTRL_PUSH || cmd == BIO_CTRL_POP;
}

BIO_METHOD *tls_bio_method(const char *name, tls_bio_read_fn *read,
			   tls_bio_write_fn *write)
{
	BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, name);

	if (!m || !BIO_meth_set_read(m, read) || !BIO_meth_set_write(m, write) ||
	    !BIO_meth_set_ctrl(m, bio_ctrl))
		abort(); /* out of memory, as xmalloc() has it */
	return m;
}

const char *tls_reason(void)
{
	const char *text = ERR_reason_error_string(ERR_peek_last_error());

	return text ? text : "unknown";
}

/* One set of keys for the process, so that a ticket is good on every worker. */
static uint8_t ticket_keys[80];

static void ticket_keys_make(void)
{
	rand_bytes(ticket_keys, sizeof(ticket_keys));
}

static void tls_share_tickets(SSL_CTX *ctx)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, ticket_keys_make);
	if (SSL_CTX_set_tlsext_ticket_keys(ctx, ticket_keys, sizeof(ticket_keys)) != 1)
		abort();
	SSL_CTX_set_num_tickets(ctx, 1);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
}

/* RFC 7301: http/1.1 when it is among what the client offers, or TURN (RFC 7443), else an alert. */
static int tls_on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_n,
		       const unsigned char *in, unsigned in_n, void *arg)
{
	static const unsigned char ours[] =
		"\x08http/1.1\x09stun.turn\x12stun.nat-discovery";
	unsigned char *chosen;

	(void)ssl;
	(void)arg;
	if (SSL_select_next_proto(&chosen, out_n, ours, sizeof(ours) - 1, in, in_n) !=
	    OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

/* A key that needs a passphrase is an error, not a prompt on the terminal. */
static int tls_no_passphrase(char *buf, int size, int rwflag, void *arg)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)arg;
	return -1;
}

static SSL_CTX *tls_settings(const SSL_METHOD *method, int version)
{
	SSL_CTX *ctx = SSL_CTX_new(method);

	if (!ctx || !SSL_CTX_set_min_proto_version(ctx, version) ||
	    !SSL_CTX_set_cipher_list(ctx, CIPHERS_1_2) ||
	    !SSL_CTX_set1_groups_list(ctx, GROUPS))
		abort(); /* constants: this fails for want of memory only */
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
					 SSL_OP_CIPHER_SERVER_PREFERENCE |
					 SSL_OP_PRIORITIZE_CHACHA);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_alpn_select_cb(ctx, tls_on_alpn, NULL);
	SSL_CTX_set_default_passwd_cb(ctx, tls_no_passphrase);
	tls_share_tickets(ctx);
	return ctx;
}

static int tls_stamp(const char *path, struct stamp *out, struct buf *why)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		int err = -errno;
		buf_printf(why, "%s: %s", path, err_text(err));
		return err;
	}
	*out = (struct stamp){ st.st_mtim, st.st_size, st.st_ino };
	return 0;
}

static bool stamp_eq(const struct stamp *a, const struct stamp *b)
{
	return a->mtime.tv_sec == b->mtime.tv_sec &&
	       a->mtime.tv_nsec == b->mtime.tv_nsec && a->size == b->size &&
	       a->inode == b->inode;
}

/* NULL, or the file that is wrong. */
static const char *tls_load_pair(const struct tls_context *t, SSL_CTX *ctx)
{
	if (SSL_CTX_use_certificate_chain_file(ctx, t->cert_file) != 1)
		return t->cert_file;
	if (SSL_CTX_use_PrivateKey_file(ctx, t->key_file, SSL_FILETYPE_PEM) != 1)
		return t->key_file; /* also when it does not belong to the certificate */
	return NULL;
}

/* One of OpenSSL's errors, as somebody needs it who has to mend the file; false: it says nothing of that kind. */
static bool tls_why_plainly(const struct tls_context *t, const char *file,
			    unsigned long e, struct buf *why)
{
	int lib = ERR_GET_LIB(e), reason = ERR_GET_REASON(e);
	bool key = file == t->key_file;

	if ((lib == ERR_LIB_PEM && reason == PEM_R_NO_START_LINE) ||
	    (key && lib == ERR_LIB_OSSL_DECODER && reason == ERR_R_UNSUPPORTED))
		buf_printf(why, "there is no %s in PEM form in it (-----BEGIN ...)",
			   key ? "private key" : "certificate");
	else if (lib == ERR_LIB_X509 && reason == X509_R_KEY_VALUES_MISMATCH)
		buf_printf(why, "this key does not belong to the certificate in %s",
			   t->cert_file);
	else if (lib == ERR_LIB_PEM && reason == PEM_R_BAD_PASSWORD_READ)
		buf_str(why, "the key has a passphrase; Parley needs it without one");
	else
		return false;
	return true;
}

/* The cause is in the middle of what was noted down on the way out of it. */
static void tls_why(const struct tls_context *t, const char *file, struct buf *why)
{
	const char *last = tls_reason();
	unsigned long e;

	buf_printf(why, "%s: ", file);
	while ((e = ERR_get_error()) != 0)
		if (tls_why_plainly(t, file, e, why))
			return;
	buf_str(why, last);
}

#define SOON 14 /* days; a renewal should have come long before */

/* Clients will refuse it, which the server alone does not notice. */
static void tls_warn_of_end(const struct tls_context *t)
{
	const ASN1_TIME *end = X509_get0_notAfter(SSL_CTX_get0_certificate(t->ctx));
	int days, seconds;

	if (loop_id(t->loop) != 0 || ASN1_TIME_diff(&days, &seconds, NULL, end) != 1)
		return;
	if (days < 0 || seconds < 0)
		log_error("net", "certificate-expired",
			  "file=%s: clients refuse it; put a new one in its place",
			  t->cert_file);
	else if (days < SOON)
		log_warn("net", "certificate-expires", "file=%s days=%d", t->cert_file,
			 days);
}

/* Loads the pair; the old one stays when it fails. */
static int tls_load(struct tls_context *t, struct buf *why)
{
	SSL_CTX *ctx = tls_settings(TLS_server_method(), TLS1_2_VERSION);
	SSL_CTX *dtls = tls_settings(DTLS_server_method(), DTLS1_2_VERSION);

	ERR_clear_error();
	tls_set_up_dtls(dtls);
	const char *what = tls_load_pair(t, ctx);
	if (!what)
		what = tls_load_pair(t, dtls); /* replaced meanwhile, at worst */
	if (what) {
		tls_why(t, what, why);
		ERR_clear_error();
		SSL_CTX_free(ctx);
		SSL_CTX_free(dtls);
		return E_MALFORMED;
	}
	SSL_CTX_free(t->ctx); /* connections that use it hold it themselves */
	SSL_CTX_free(t->dtls);
	t->ctx = ctx;
	t->dtls = dtls;
	tls_warn_of_end(t);
	return 0;
}

void tls_context_reload(struct tls_context *t)
{
	struct buf why = BUF_INIT(1024);
	struct log_text text;

	/* Before it is read: what changes meanwhile the next look will tell. */
	(void)tls_stamp(t->cert_file, &t->seen[0], &why);
	(void)tls_stamp(t->key_file, &t->seen[1], &why);
	buf_clear(&why);
	if (tls_load(t, &why) == 0)
		log_info("net", "certificate-reloaded", "worker=%u file=%s",
			 loop_id(t->loop), t->cert_file);
	else
		log_warn("net", "certificate-kept", "worker=%u why=%s", loop_id(t->loop),
			 log_value(&text, buf_slice(&why)));
	buf_fini(&why);
}

static void tls_look(struct tls_context *t)
{
	struct buf why = BUF_INIT(1024);
	struct stamp now[2] = { 0 };
	/* One that is being replaced is not there for a moment; the next look will tell. */
	bool there = tls_stamp(t->cert_file, &now[0], &why) == 0 &&
		     tls_stamp(t->key_file, &now[1], &why) == 0;

	bool same = stamp_eq(&now[0], &t->seen[0]) && stamp_eq(&now[1], &t->seen[1]);

	buf_fini(&why);
	if (there && !same)
		tls_context_reload(t);
}

static void tls_on_timer(struct loop_timer *timer)
{
	struct tls_context *t = container_of(timer, struct tls_context, timer);

	tls_look(t);
	loop_timer_start(t->loop, &t->timer, RELOAD_EVERY);
}

int tls_context_create(struct tls_context **out, struct loop *l, const char *cert_file,
		       const char *key_file, struct buf *why)
{
	struct tls_context *t = xzalloc(sizeof(*t));
	int err;

	t->loop = l;
	t->cert_file = xstrdup(cert_file);
	t->key_file = xstrdup(key_file);
	loop_timer_init(&t->timer, tls_on_timer);
	err = tls_stamp(cert_file, &t->seen[0], why);
	if (err == 0)
		err = tls_stamp(key_file, &t->seen[1], why);
	if (err == 0)
		err = tls_load(t, why);
	if (err < 0) {
		tls_context_destroy(t);
		return err;
	}
	loop_timer_start(l, &t->timer, RELOAD_EVERY);
	*out = t;
	return 0;
}

void tls_context_destroy(struct tls_context *t)
{
	if (!t)
		return;
	loop_timer_stop(t->loop, &t->timer);
	SSL_CTX_free(t->ctx);
	SSL_CTX_free(t->dtls);
	free(t->cert_file);
	free(t->key_file);
	free(t);
}

static SSL *session_of(SSL_CTX *ctx)
{
	SSL *ssl = SSL_new(ctx);

	if (!ssl)
		abort(); /* out of memory, as xmalloc() has it */
	SSL_set_accept_state(ssl);
	return ssl;
}

SSL *tls_session(struct tls_context *t)
{
	return session_of(t->ctx);
}

SSL *tls_dtls_session(struct tls_context *t)
{
	return session_of(t->dtls);
}

bool tls_dtls_is_current(const struct tls_context *t, const SSL *ssl)
{
	return SSL_get_SSL_CTX(ssl) == t->dtls;
}
