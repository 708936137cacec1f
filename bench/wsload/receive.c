/* receive: the answer to the upgrade, then frames: pings answered, deliveries counted. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "conn.h"
#include "options.h"
#include "util.h"
#include "worker.h"

#define MAX_HEAD 16384
#define EARLY_MAX (FRAME_MAX + 16)
#define READ_MAX (1u << 20)
#define READS_PER_EVENT 4 /* then the others have their turn */

/* What was kept of the last read stands before what this one brings. */
static char buffer[EARLY_MAX + READ_MAX];

static bool take_delivery(struct conn *c, const struct frame *f)
{
	struct worker *w = c->w;
	struct stamp s;

	if (c->state != CONN_READY || !w->started || !stamp_find(f->p, f->n, &s))
		return false;
	stats_count(&w->stats->delivered_all, 1);
	if (w->phase == PHASE_MEASURE) {
		w->stats->delivered++;
		latency_add(&w->stats->latency, w->now > s.time ? w->now - s.time : 0);
	}
	if (w->mode.delivered)
		w->mode.delivered(c, s.seq);
	return true;
}

static void become_ready(struct conn *c)
{
	c->state = CONN_READY;
	if (c->w->mode.ready)
		c->w->mode.ready(c);
	else
		atomic_fetch_add(&c->w->stats->ready, 1);
}

static void say_first(struct conn *c)
{
	size_t n, stamp_at;

	if (opt.first) {
		const char *text = c->w->mode.first
					   ? c->w->mode.first(c, &n)
					   : conn_expand(c, opt.first, &n, &stamp_at);
		int err = conn_send_frame(c, FRAME_TEXT, text, n);
		if (err < 0) {
			conn_fail(c, "write of the first message", -err);
			return;
		}
	}
	c->state = CONN_JOINING;
	if (!opt.await)
		become_ready(c);
}

/* Socket.IO (protocol 5): the main namespace is asked for, and then given. */
static void greet(struct conn *c)
{
	int err = conn_send_frame(c, FRAME_TEXT, "40", 2);

	c->state = CONN_GREETING;
	if (err < 0)
		conn_fail(c, "write of the connect packet", -err);
}

/* Engine.IO (version 4): a ping is a message. True: it was one of the protocol's own. */
static bool on_protocol(struct conn *c, const struct frame *f)
{
	if (f->n == 1 && f->p[0] == '2') {
		int err = conn_send_frame(c, FRAME_TEXT, "3", 1);
		if (err < 0)
			conn_fail(c, "write of a pong", -err);
		return true;
	}
	if (c->state != CONN_GREETING)
		return false;
	if (f->n >= 2 && memcmp(f->p, "40", 2) == 0)
		say_first(c);
	else if (f->n > 0 && f->p[0] != '0')
		conn_fail(c, "the namespace is refused", 0);
	return true;
}

void conn_begin(struct conn *c)
{
	if (opt.sio)
		greet(c);
	else
		say_first(c);
}

/* Bytes used; 0 when the head is not complete, or the connection failed. */
static size_t on_head(struct conn *c, char *p, size_t n)
{
	char *end = memmem(p, n, "\r\n\r\n", 4);

	if (!end) {
		if (n > MAX_HEAD)
			conn_fail(c, "the response head is too long", 0);
		return 0;
	}
	*end = '\0';
	if (strncmp(p, "HTTP/1.1 101", 12) != 0 ||
	    !strstr(p, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")) {
		char why[80];

		snprintf(why, sizeof(why), "upgrade refused: %.*s", (int)strcspn(p, "\r"),
			 p);
		conn_fail(c, why, 0);
		return 0;
	}
	conn_begin(c);
	return (size_t)(end + 4 - p);
}

static void on_close(struct conn *c, const struct frame *f)
{
	char why[64];
	unsigned code = 0;

	if (c->state == CONN_CLOSING) {
		conn_close(c, CONN_FREE);
		return;
	}
	if (f->n >= 2)
		code = (unsigned)(unsigned char)f->p[0] << 8 | (unsigned char)f->p[1];
	snprintf(why, sizeof(why), "closed by the server with %u", code);
	conn_fail(c, why, 0);
}

static void on_answer(struct conn *c, const struct frame *f)
{
	char *said = c->w->stats->said;

	if (c->w->mode.heard)
		c->w->mode.heard(c, f);
	if (memmem(f->p, f->n, opt.await, strlen(opt.await)))
		become_ready(c);
	else
		snprintf(said, sizeof(c->w->stats->said), "%.*s", (int)f->n, f->p);
}

/* A message in pieces counts once, by the piece with the stamp. Returns deliveries. */
static unsigned on_data(struct conn *c, const struct frame *f)
{
	bool first = f->op != FRAME_MORE;

	if (opt.sio && first && on_protocol(c, f))
		return 0;
	if (c->state == CONN_JOINING) {
		on_answer(c, f);
		return 0;
	}
	if (first)
		c->piece_hit = false;
	if (!c->piece_hit && take_delivery(c, f)) {
		c->piece_hit = !f->fin;
		return 1;
	}
	if (first)
		stats_count(&c->w->stats->other_all, 1);
	return 0;
}

static unsigned on_frame(struct conn *c, const struct frame *f)
{
	int err;

	switch (f->op) {
	case FRAME_MORE:
	case FRAME_TEXT:
	case FRAME_BINARY:
		return on_data(c, f);
	case FRAME_CLOSE:
		on_close(c, f);
		return 0;
	case FRAME_PING:
		err = conn_send_frame(c, FRAME_PONG, f->p, f->n);
		if (err < 0)
			conn_fail(c, "write of a pong", -err);
		return 0;
	case FRAME_PONG:
		return 0;
	default:
		conn_fail(c, "unknown opcode", 0);
		return 0;
	}
}

/* As frame_read(). Without frames all that comes before it is ready is one answer. */
static ssize_t next_message(const struct conn *c, const char *p, size_t n,
			    struct frame *f)
{
	if (!opt.tcp)
		return frame_read(p, n, f);
	return frame_read_bare(p, n, c->state == CONN_READY ? opt.size : n, f);
}

/* Returns the bytes used. The connection may be closed afterwards. */
static size_t take_bytes(struct conn *c, char *p, size_t n, unsigned *delivered)
{
	size_t used = 0;

	if (c->state == CONN_UPGRADING) {
		used = on_head(c, p, n);
		if (used == 0)
			return 0;
	}
	while (c->fd >= 0) {
		struct frame f;
		ssize_t k = next_message(c, p + used, n - used, &f);

		if (k == 0)
			break;
		if (k < 0) {
			conn_fail(c, "a frame that no server may send", 0);
			break;
		}
		used += (size_t)k;
		*delivered += on_frame(c, &f);
	}
	return used;
}

static void keep_early(struct conn *c, const char *p, size_t n)
{
	if (n > 0) {
		c->early = xrealloc(c->early, n);
		memcpy(c->early, p, n);
	} else {
		free(c->early);
		c->early = NULL;
	}
	c->early_n = n;
}

static void on_end(struct conn *c)
{
	if (c->state == CONN_CLOSING)
		conn_close(c, CONN_FREE);
	else
		conn_fail(c, "end of file", 0);
}

/* True when there may be more to read. */
static bool read_once(struct conn *c)
{
	char *p = buffer + EARLY_MAX;
	unsigned delivered = 0;
	ssize_t got = recv(c->fd, p, READ_MAX, MSG_DONTWAIT);

	if (got < 0) {
		if (errno != EAGAIN && errno != EINTR)
			conn_fail(c, "read", errno);
		return false;
	}
	if (got == 0) {
		on_end(c);
		return false;
	}
	size_t n = (size_t)got + c->early_n;
	if (c->early_n > 0) {
		p -= c->early_n;
		memcpy(p, c->early, c->early_n);
	}
	size_t used = take_bytes(c, p, n, &delivered);
	if (c->fd < 0)
		return false;
	keep_early(c, p + used, n - used);
	if (delivered > 0 && c->w->mode.read_done)
		c->w->mode.read_done(c, delivered);
	return got == READ_MAX && c->fd >= 0;
}

void conn_read(struct conn *c)
{
	for (int i = 0; i < READS_PER_EVENT; i++)
		if (!read_once(c))
			return;
}
