/* check_web: everything that goes over the one TCP port. */
#include <errno.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <time.h>

#include "base/base64.h"
#include "base/err.h"
#include "base/rand.h"
#include "doctor/checks.h"
#include "ws/frame.h"
#include "ws/handshake.h"

/* --- TCP and TLS --- */

static void report_unreachable(struct patient *p, const char *name, int err,
			       const struct buf *why)
{
	struct report *r = &p->report;
	const struct target *t = &p->target;

	if (err == E_NOT_FOUND)
		report_fail(r, name, "add a DNS record for the host, or use its address",
			    "the name %.*s has no address", SLICE_FMT(t->host));
	else if (err == -ECONNREFUSED)
		report_fail(r, name,
			    "start the server there, or give it --listen with this port",
			    "nothing listens on port %u", t->port);
	else if (err == E_TIMEOUT)
		report_fail(
			r, name,
			"open the TCP port in the firewall (parley ports has the table)",
			"no answer within %d s: something drops the packets",
			CHECK_TIMEOUT / 1000);
	else if (err == E_MALFORMED)
		report_fail(
			r, name,
			"if the port speaks plain HTTP, ask for http://; behind a proxy, "
			"look at the proxy's certificate",
			"the TLS handshake failed: %.*s", SLICE_FMT(buf_slice(why)));
	else
		report_fail(r, name, "look at the route to the host", "%s",
			    err_text(err));
}

/* Browsers try both families, and wait for the one that does not answer. */
static void check_other_family(struct patient *p, const struct addr *reached)
{
	int family = reached->family == AF_INET ? AF_INET6 : AF_INET;
	const char *name = family == AF_INET6 ? "IPv6" : "IPv4";
	struct buf host = BUF_INIT(64), why = BUF_INIT(256);
	struct report *r = &p->report;
	struct addr_text text;
	struct addr other;
	struct link l;

	if (!link_resolve(p->target.host, family, &other))
		return;
	addr_print_ip(&other, &host);
	int err = link_open(&l, LINK_TCP, buf_slice(&host), p->target.port, CHECK_TIMEOUT,
			    &why);
	if (err == 0)
		report_pass(r, name, "%s in %lld ms", addr_text(&l.peer, &text),
			    (long long)l.connect_ms);
	else if (err == -ENETUNREACH || err == -EADDRNOTAVAIL)
		report_leave_out(r, name, NULL, "this machine has none, the server has");
	else
		report_fail(r, name,
			    "let the server listen there ([::] takes both) and open the "
			    "port in the firewall, or take the record out of DNS",
			    "the name leads to %.*s as well, where %s",
			    SLICE_FMT(buf_slice(&host)),
			    err == E_TIMEOUT ? "nothing answers" : err_text(err));
	link_close(&l);
	buf_fini(&host);
	buf_fini(&why);
}

static const char *cure_of_distrust(long trust)
{
	switch (trust) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return "renew it; the server takes the new files into use by itself";
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return "set this machine's clock, or wait";
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		return "ask for a host that the certificate names, or get one for this "
		       "name (tls.cert, tls.key)";
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
		return "put the whole chain into tls.cert, the server's own first, from "
		       "a "
		       "CA that browsers trust";
	default:
		return "set tls.cert and tls.key to a certificate that browsers trust; "
		       "until then each browser warns once and turns: does not work";
	}
}

static void report_certificate(struct patient *p, const struct link *l)
{
	struct report *r = &p->report;

	if (l->trust != X509_V_OK)
		report_fail(r, "certificate", cure_of_distrust(l->trust),
			    "not trusted: %s", X509_verify_cert_error_string(l->trust));
	else if (l->cert_days < 14)
		report_fail(r, "certificate",
			    "renew it; the server takes the new files into use by itself",
			    "ends in %lld days", (long long)l->cert_days);
	else
		report_pass(r, "certificate", "trusted, %lld days left",
			    (long long)l->cert_days);
}

bool check_reach(struct patient *p)
{
	struct buf why = BUF_INIT(256);
	struct addr_text text;
	struct link l;
	int err = link_open(&l, LINK_TCP, p->target.host, p->target.port, CHECK_TIMEOUT,
			    &why);

	if (err < 0)
		report_unreachable(p, "TCP", err, &why);
	else
		report_pass(&p->report, "TCP", "%s in %lld ms", addr_text(&l.peer, &text),
			    (long long)l.connect_ms);
	link_close(&l);
	if (err == 0)
		check_other_family(p, &l.peer);
	if (err == 0 && p->target.tls) {
		err = link_open(&l, LINK_TLS, p->target.host, p->target.port,
				CHECK_TIMEOUT, &why);
		if (err < 0) {
			report_unreachable(p, "TLS", err, &why);
		} else {
			report_pass(&p->report, "TLS", "%s in %lld ms",
				    SSL_get_version(l.ssl), (long long)l.tls_ms);
			report_certificate(p, &l);
		}
		link_close(&l);
	}
	buf_fini(&why);
	return err == 0;
}

/* --- HTTP --- */

#define CLOCK_MAX 5 /* seconds; credentials and tokens live by the clock */

/* "Wed, 25 Nov 2026 19:40:39 GMT" (RFC 9110, 5.6.7) */
static bool read_date(struct slice text, time_t *out)
{
	char *copy = slice_dup(text);
	struct tm tm = { 0 };
	const char *end = strptime(copy, "%a, %d %b %Y %H:%M:%S GMT", &tm);
	bool whole = end && !*end;

	free(copy);
	*out = timegm(&tm);
	return whole;
}

static void check_clock(struct patient *p, const struct fetch *f)
{
	time_t theirs;

	if (!read_date(fetch_header(f, "Date"), &theirs)) {
		report_leave_out(&p->report, "clock", NULL, "the answer has no date");
		return;
	}
	long long ahead = (long long)(theirs - time(NULL));
	if (ahead > CLOCK_MAX || ahead < -CLOCK_MAX)
		report_fail(
			&p->report, "clock",
			"let both machines keep time by NTP (timedatectl set-ntp true)",
			"the server's clock is %lld s %s this machine's",
			ahead < 0 ? -ahead : ahead, ahead < 0 ? "behind" : "ahead of");
	else
		report_pass(&p->report, "clock", "within %d s", CLOCK_MAX);
}

void check_health(struct patient *p)
{
	struct fetch f;
	int err = fetch_get(&f, &p->target, "/readyz", "", CHECK_TIMEOUT);

	if (err < 0)
		report_fail(&p->report, "HTTP", "see the server's log", "no answer: %s",
			    err_text(err));
	else if (f.status == 200)
		report_pass(&p->report, "HTTP", "ready, answered in %lld ms",
			    (long long)f.took);
	else
		report_fail(&p->report, "HTTP",
			    "the server's log says what it waits for; if this is no "
			    "Parley, look at the "
			    "proxy in between",
			    "/readyz answers %u: %.*s", f.status,
			    SLICE_FMT(slice_trim(
				    slice_of(f.body.p, slice_find(f.body, '\n')))));
	if (err == 0)
		check_clock(p, &f);
	fetch_fini(&f);
}

/* --- WebSocket --- */

static void put_upgrade(struct buf *b, const struct patient *p)
{
	uint8_t key[16];

	rand_bytes(key, sizeof(key));
	buf_str(b, "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: "
		   "13\r\n"
		   "Sec-WebSocket-Protocol: parley.v1\r\nSec-WebSocket-Key: ");
	base64_encode(b, slice_of(key, sizeof(key)));
	buf_str(b, "\r\n");
	if (p->options->token[0])
		buf_printf(b, "Authorization: Bearer %s\r\n", p->options->token);
	buf_u8(b, 0);
}

void check_refused(struct patient *p, const char *name)
{
	if (p->options->token[0])
		report_fail(&p->report, name,
			    "make one that has not expired, with the server's key and "
			    "for one of its rooms (parley token create)",
			    "the server refuses that token");
	else
		report_leave_out(&p->report, name, NULL,
				 "the server wants a token: give it with --token");
}

#define OPENING SLICE("{\"type\":\"hello\"")

/* A first message, unmasked and in one frame (RFC 6455, 5.2), and how it begins. */
static struct slice opening(const struct fetch *f)
{
	size_t length = f->body.n > 1 ? f->body.p[1] : 0;
	size_t head = length < 126 ? 2 : length == 126 ? 4 : WS_HEAD_MAX;
	struct slice text = slice_from(f->body, head);

	text.n = text.n < OPENING.n ? text.n : OPENING.n;
	return text;
}

/* The first message is `hello`. E_DENIED: it is another, of who is not let in. */
static int await_hello(struct fetch *f, struct link *l, ms_t until)
{
	while (opening(f).n < OPENING.n || f->body.p[0] != 0x81) {
		uint8_t *room = buf_room(&f->bytes, 4096);
		size_t head = f->head.n;
		ssize_t n = room ? link_receive(l, room, 4096, until - clock_mono())
				 : E_LIMIT;

		if (f->body.n >= 1 && f->body.p[0] != 0x81)
			return E_MALFORMED;
		if (n <= 0)
			return n < 0 ? (int)n : -ECONNRESET;
		f->bytes.n += (size_t)n;
		f->body = slice_from(buf_slice(&f->bytes), head);
	}
	return slice_eq(opening(f), OPENING) ? 0 : E_DENIED;
}

void check_websocket(struct patient *p)
{
	struct buf extra = BUF_INIT(4096);
	ms_t begin = clock_mono();
	struct link l = { .fd = -1 };
	struct fetch f;

	put_upgrade(&extra, p);
	int err = fetch_upgrade(&f, &l, &p->target, "/v1/connect", (const char *)extra.p,
				CHECK_TIMEOUT);
	if (err == 0 && f.status == 101)
		err = await_hello(&f, &l, begin + CHECK_TIMEOUT);
	if (err == E_DENIED || (err == 0 && (f.status == 401 || f.status == 403)))
		check_refused(p, "WebSocket");
	else if (err < 0)
		report_fail(&p->report, "WebSocket",
			    "a proxy in between must pass Upgrade and not buffer "
			    "(nginx: proxy_http_version 1.1 and the Upgrade header)",
			    "%s", err_text(err));
	else if (f.status != 101)
		report_fail(&p->report, "WebSocket",
			    "a proxy in between must pass Upgrade (nginx: "
			    "proxy_http_version 1.1 and the Upgrade header)",
			    "answered %u in place of 101", f.status);
	else
		report_pass(&p->report, "WebSocket", "hello in %lld ms",
			    (long long)(clock_mono() - begin));
	link_close(&l);
	fetch_fini(&f);
	buf_fini(&extra);
}

void check_polling(struct patient *p)
{
	struct fetch f;
	int err = fetch_get(&f, &p->target, "/socket.io/?EIO=4&transport=polling", "",
			    CHECK_TIMEOUT);

	if (err == 0 && f.status == 200 && slice_starts(f.body, SLICE("0{")))
		report_pass(&p->report, "long polling", "handshake in %lld ms",
			    (long long)f.took);
	else if (err < 0)
		report_fail(&p->report, "long polling", "see the server's log", "%s",
			    err_text(err));
	else
		report_fail(&p->report, "long polling",
			    "a proxy in between must pass /socket.io/ with its query",
			    "answered %u", f.status);
	fetch_fini(&f);
}
