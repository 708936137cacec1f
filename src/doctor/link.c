#include "doctor/link.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"

static int await(int fd, short events, ms_t until)
{
	struct pollfd p = { .fd = fd, .events = events };
	ms_t left = until - clock_mono();

	if (left <= 0)
		return E_TIMEOUT;
	int n = poll(&p, 1, (int)left);
	if (n == 0)
		return E_TIMEOUT;
	return n < 0 && errno != EINTR ? -errno : 0;
}

/* --- connecting --- */

static int socket_error(int fd)
{
	int err = 0;
	socklen_t n = sizeof(err);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &n) < 0)
		return -errno;
	return -err;
}

static int connect_fd(struct link *l, const struct addrinfo *ai, ms_t until)
{
	struct sockaddr_storage ss;
	socklen_t n = sizeof(ss);

	l->fd = socket(ai->ai_family, ai->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (l->fd < 0)
		return -errno;
	int err = connect(l->fd, ai->ai_addr, ai->ai_addrlen) < 0 ? -errno : 0;
	if (err == -EINPROGRESS) {
		err = await(l->fd, POLLOUT, until);
		if (err == 0)
			err = socket_error(l->fd);
	}
	if (err == 0)
		err = addr_from_sock(&l->peer, ai->ai_addr);
	if (err == 0 && getsockname(l->fd, (struct sockaddr *)&ss, &n) == 0)
		err = addr_from_sock(&l->local, (struct sockaddr *)&ss);
	if (err < 0) {
		close(l->fd);
		l->fd = -1;
	}
	return err;
}

static int connect_any(struct link *l, int type, const char *host, uint16_t port,
		       ms_t until)
{
	struct addrinfo hint = { .ai_socktype = type, .ai_family = AF_UNSPEC };
	struct addrinfo *found;
	struct buf service = BUF_INIT(8);
	int err = E_NOT_FOUND;

	buf_dec(&service, port);
	buf_u8(&service, 0);
	if (getaddrinfo(host, (const char *)service.p, &hint, &found) == 0) {
		for (const struct addrinfo *ai = found; ai && err < 0; ai = ai->ai_next)
			err = connect_fd(l, ai, until);
		freeaddrinfo(found);
	}
	buf_fini(&service);
	return err;
}

/* --- TLS --- */

/* For DTLS: a flight that is lost is sent again (RFC 6347, 4.2.4). */
static int await_record(struct link *l, ms_t until)
{
	struct timeval left;

	if (l->stream || !DTLSv1_get_timeout(l->ssl, &left))
		return await(l->fd, POLLIN, until);
	ms_t again = clock_mono() + left.tv_sec * 1000 + left.tv_usec / 1000 + 1;
	int err = await(l->fd, POLLIN, again < until ? again : until);
	if (err != E_TIMEOUT || again >= until)
		return err;
	return DTLSv1_handle_timeout(l->ssl) < 0 ? E_TIMEOUT : 0;
}

static int tls_wait(struct link *l, int result, ms_t until)
{
	switch (SSL_get_error(l->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		return await_record(l, until);
	case SSL_ERROR_WANT_WRITE:
		return await(l->fd, POLLOUT, until);
	case SSL_ERROR_SYSCALL:
		return errno ? -errno : -ECONNRESET;
	default:
		return E_MALFORMED;
	}
}

static SSL *tls_client(const char *host, bool stream)
{
	SSL_CTX *ctx = SSL_CTX_new(stream ? TLS_client_method() : DTLS_client_method());
	SSL *ssl = NULL;

	if (ctx && SSL_CTX_set_default_verify_paths(ctx) == 1 && (ssl = SSL_new(ctx)) &&
	    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) != 1) {
		SSL_set1_host(ssl, host);
		SSL_set_tlsext_host_name(ssl, host);
	}
	SSL_CTX_free(ctx);
	return ssl;
}

/* SSL_set_fd() would read a DTLS record in pieces. */
static int tls_attach(struct link *l)
{
	struct sockaddr_storage peer;
	BIO *bio;

	if (l->stream)
		return SSL_set_fd(l->ssl, l->fd) == 1 ? 0 : E_MALFORMED;
	bio = BIO_new_dgram(l->fd, BIO_NOCLOSE);
	if (!bio)
		return E_MALFORMED;
	addr_to_sock(&l->peer, &peer);
	BIO_ctrl(bio, BIO_CTRL_DGRAM_SET_CONNECTED, 0, &peer);
	SSL_set_bio(l->ssl, bio, bio);
	return 0;
}

static void note_certificate(struct link *l)
{
	const X509 *cert = SSL_get0_peer_certificate(l->ssl);
	int days = 0, seconds = 0;

	l->trust = SSL_get_verify_result(l->ssl);
	if (cert && ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(cert)))
		l->cert_days = days;
}

static int tls_start(struct link *l, const char *host, ms_t until, struct buf *why)
{
	ms_t begin = clock_mono();
	int result = -1, err = 0;

	l->ssl = tls_client(host, l->stream);
	if (!l->ssl || tls_attach(l) < 0)
		return E_MALFORMED;
	while (err == 0 && (result = SSL_connect(l->ssl)) != 1)
		err = tls_wait(l, result, until);
	if (err == E_MALFORMED)
		buf_str(why, ERR_reason_error_string(ERR_peek_last_error())
				     ? ERR_reason_error_string(ERR_peek_last_error())
				     : "the handshake failed");
	ERR_clear_error();
	l->tls_ms = clock_mono() - begin;
	if (err == 0)
		note_certificate(l);
	return err;
}

/* --- public --- */

bool link_resolve(struct slice host, int family, struct addr *out)
{
	struct addrinfo hint = { .ai_socktype = SOCK_STREAM, .ai_family = family };
	struct addrinfo *found;
	char *name = slice_dup(host);
	bool known = getaddrinfo(name, NULL, &hint, &found) == 0;

	free(name);
	if (!known)
		return false;
	known = addr_from_sock(out, found->ai_addr) == 0;
	freeaddrinfo(found);
	return known;
}

enum link_kind link_kind(bool tls, bool tcp)
{
	if (tls)
		return tcp ? LINK_TLS : LINK_DTLS;
	return tcp ? LINK_TCP : LINK_UDP;
}

int link_open(struct link *l, enum link_kind kind, struct slice host, uint16_t port,
	      ms_t timeout, struct buf *why)
{
	ms_t begin = clock_mono();
	char *name = slice_dup(host);

	*l = (struct link){ .fd = -1, .stream = kind == LINK_TCP || kind == LINK_TLS };
	int err = connect_any(l, l->stream ? SOCK_STREAM : SOCK_DGRAM, name, port,
			      begin + timeout);
	l->connect_ms = clock_mono() - begin;
	if (err == 0 && (kind == LINK_TLS || kind == LINK_DTLS))
		err = tls_start(l, name, begin + timeout, why);
	free(name);
	return err;
}

void link_close(struct link *l)
{
	SSL_free(l->ssl);
	l->ssl = NULL;
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}

int link_redirect(struct link *l, const struct addr *to)
{
	struct sockaddr_storage ss;
	socklen_t n = addr_to_sock(to, &ss);

	if (connect(l->fd, (struct sockaddr *)&ss, n) < 0)
		return -errno;
	l->peer = *to;
	return 0;
}

int link_send(struct link *l, struct slice bytes, ms_t timeout)
{
	ms_t until = clock_mono() + timeout;
	int err = 0;

	while (err == 0 && bytes.n > 0) {
		ssize_t n = l->ssl ? SSL_write(l->ssl, bytes.p, (int)bytes.n)
				   : send(l->fd, bytes.p, bytes.n, MSG_NOSIGNAL);

		if (n > 0)
			bytes = slice_from(bytes, (size_t)n);
		else if (l->ssl)
			err = tls_wait(l, (int)n, until);
		else
			err = errno == EAGAIN ? await(l->fd, POLLOUT, until) : -errno;
	}
	return err;
}

ssize_t link_receive(struct link *l, uint8_t *p, size_t n, ms_t timeout)
{
	ms_t until = clock_mono() + timeout;
	int err = 0;

	while (err == 0) {
		ssize_t got = l->ssl ? SSL_read(l->ssl, p, (int)n) : recv(l->fd, p, n, 0);

		if (got > 0 || (got == 0 && !l->ssl))
			return got;
		if (l->ssl && SSL_get_error(l->ssl, (int)got) == SSL_ERROR_ZERO_RETURN)
			return 0;
		if (l->ssl)
			err = tls_wait(l, (int)got, until);
		else
			err = errno == EAGAIN ? await(l->fd, POLLIN, until) : -errno;
	}
	return err;
}
