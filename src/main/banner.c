#include "main/banner.h"

#include <qrencode.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "main/pages.h"
#include "net/tls.h"

#define MAX_URLS 16
#define URL_MAX 200

/* Where one can reach us: by http on this machine, by https from others. */
struct urls {
	struct buf url[MAX_URLS];
	bool remote[MAX_URLS];
	size_t count;
};

static struct buf *urls_add(struct urls *u, bool remote)
{
	if (u->count == MAX_URLS)
		return NULL;
	buf_init(&u->url[u->count], URL_MAX);
	u->remote[u->count] = remote;
	return &u->url[u->count++];
}

static void urls_add_host(struct urls *u, const struct addr *a, uint16_t port)
{
	struct addr at = *a;
	bool remote = !addr_is_loopback(a);
	struct buf *b = urls_add(u, remote);

	at.port = port;
	at.scope = 0;
	if (!b)
		return;
	buf_str(b, remote ? "https://" : "http://");
	addr_print(&at, b);
}

static void urls_collect(struct urls *u, const struct addr *a)
{
	struct addr local[4];

	if (!addr_is_any(a)) {
		urls_add_host(u, a, a->port);
		return;
	}
	struct buf *b = urls_add(u, false);
	if (b)
		buf_printf(b, "http://localhost:%u", a->port);
	size_t n = addr_local(local, ARRAY_LEN(local));
	for (size_t i = 0; i < n; i++)
		if (a->family == AF_INET6 || local[i].family == AF_INET)
			urls_add_host(u, &local[i], a->port);
}

static void print_ready(const struct urls *u)
{
	struct buf b = BUF_INIT(64 * 1024);
	struct jsonw w;

	json_begin(&w, &b);
	json_object(&w);
	json_field_string(&w, "event", SLICE("ready"));
	json_key(&w, SLICE("urls"));
	json_array(&w);
	for (size_t i = 0; i < u->count; i++)
		json_put_string(&w, buf_slice(&u->url[i]));
	json_array_end(&w);
	json_field_u64(&w, "pid", (uint64_t)getpid());
	json_object_end(&w);
	printf("%.*s\n", SLICE_FMT(buf_slice(&b)));
	buf_fini(&b);
}

/* Two modules per character, light on dark: upper half, lower half, both or none. */
static void print_qr_row(const QRcode *qr, int y)
{
	static const char *const halves[] = { "\u2588", "\u2584", "\u2580", " " };

	printf("  ");
	for (int x = -2; x < qr->width + 2; x++) {
		unsigned dark = 0;

		for (int k = 0; k < 2; k++) {
			int row = y + k;

			if (x < 0 || row < 0 || x >= qr->width || row >= qr->width)
				continue;
			if (qr->data[row * qr->width + x] & 1)
				dark |= k == 0 ? 1u : 2u;
		}
		printf("%s", halves[dark]);
	}
	printf("\n");
}

static void print_qr(const char *text)
{
	QRcode *qr = QRcode_encodeString(text, 0, QR_ECLEVEL_L, QR_MODE_8, 1);

	if (!qr)
		return;
	for (int y = -2; y < qr->width + 2; y += 2)
		print_qr_row(qr, y);
	QRcode_free(qr);
}

static void print_links(const struct urls *u, const char *cert_file, bool self_signed)
{
	struct buf room = BUF_INIT(64), link = BUF_INIT(URL_MAX + 64);
	bool remote = false;

	pages_room_name(&room);
	printf("\n  Parley is ready. Open a room:\n\n");
	for (size_t i = 0; i < u->count; i++) {
		printf("    %.*s/r/%.*s\n", SLICE_FMT(buf_slice(&u->url[i])),
		       SLICE_FMT(buf_slice(&room)));
		if (!u->remote[i] || remote)
			continue;
		remote = true;
		buf_printf(&link, "%.*s/r/%.*s", SLICE_FMT(buf_slice(&u->url[i])),
			   SLICE_FMT(buf_slice(&room)));
	}
	if (remote && self_signed) {
		struct buf print = BUF_INIT(256);

		printf("\n  Other devices use the https link. The certificate is "
		       "self-signed, so\n"
		       "  the browser warns once; its SHA-256 fingerprint is\n");
		if (tls_fingerprint(cert_file, &print) == 0)
			printf("    %.*s\n", SLICE_FMT(buf_slice(&print)));
		buf_fini(&print);
	}
	if (remote && isatty(STDOUT_FILENO)) {
		char *text = slice_dup(buf_slice(&link));

		printf("\n");
		print_qr(text);
		free(text);
	}
	printf("\n");
	buf_fini(&room);
	buf_fini(&link);
}

void banner_print(const struct addr *listen, size_t count, const char *cert_file,
		  bool self_signed)
{
	struct urls u = { .count = 0 };

	for (size_t i = 0; i < count; i++)
		urls_collect(&u, &listen[i]);
	print_ready(&u);
	print_links(&u, cert_file, self_signed);
	fflush(stdout);
	for (size_t i = 0; i < u.count; i++)
		buf_fini(&u.url[i]);
}
