/* stream_private: what stream.c (life and reading), stream_out.c (writing) and
 * stream_tls.c (records) share; nobody else includes it.
 *
 * Plain: `out` holds what was gathered in this turn and, when `blocked`, what the socket
 * did not take. TLS: `out` holds plaintext not yet encrypted, tls->wire what the socket
 * shall get.
 */
#pragma once
#include <sys/syscall.h>
#include <unistd.h>
#include "loop/volley.h"
#include "net/stream.h"

#define STREAM_STATES(X)                                                                 \
	X(OPEN, "reads and writes")                                                      \
	X(FINISHING, "reads are thrown away; what is queued goes out, then the end")     \
	X(DRAINING, "our end is sent; waits for the peer's, or limits.linger")           \
	X(DEAD, "final; `closed` and the freeing follow in LOOP_REAP")

#define X(name, prose) STREAM_##name,
enum stream_state { STREAM_STATES(X) };
#undef X

/* How bytes are carried; settled by the first byte. */
enum stream_mode { STREAM_UNKNOWN, STREAM_PLAIN, STREAM_TLS };

/* Output of one `data` call that does not wait for the turn's end, nor for others'. */
#define STREAM_FLUSH_AT LOOP_BLOCK_SMALL_SIZE

/* Bytes p[at..n) wait; cap tells which kind of block it is. */
struct stream_out {
	uint32_t at;
	uint32_t n;
	uint32_t cap;
	uint8_t p[];
};

/* What `data` left unused. */
struct stream_carry {
	size_t n;
	uint8_t p[];
};

/* What every read and write touches comes first, in one cache line. */
struct stream {
	struct loop_io io; /* its owner is ours */
	struct loop *loop; /* NULL between detach and attach */
	const struct stream_ops *ops;
	struct stream_out *out;
	uint32_t queue_limit;
	uint8_t state;
	uint8_t mode;
	bool blocked : 1;     /* the socket is full: EPOLLOUT is wanted */
	bool was_blocked : 1; /* `drained` is owed */
	bool paused : 1;
	bool in_data : 1;
	bool again : 1; /* show the carry to (new) `data` */
	bool peer_ended : 1;
	bool waits_first : 1; /* for the first byte or the handshake; timer runs */
	bool watched : 1;     /* io is in the loop's epoll */
	bool volley : 1;      /* a send of its waits in the loop's volley */
	struct stream_carry *carry;
	struct stream_tls *tls; /* mode TLS only */
	struct loop_task task;
	struct tls_context *context; /* until the first byte */
	struct loop_timer timer;     /* handshake, then linger */
	struct addr peer;
	uint32_t linger;
	uint32_t gauged; /* our part of METRIC_QUEUED_BYTES */
	int err;         /* for `closed` */
};

/* send() and recv() that are no points of cancellation: with several threads in the process glibc
 * takes a lock's worth of time for that, before and after each call. */
static inline ssize_t stream_sys_send(int fd, const void *p, size_t n, int flags)
{
	return syscall(SYS_sendto, fd, p, n, flags, NULL, 0);
}
static inline ssize_t stream_sys_recv(int fd, void *p, size_t n, int flags)
{
	return syscall(SYS_recvfrom, fd, p, n, flags, NULL, NULL);
}

/* stream.c */
void stream_die(struct stream *s, int err);
void stream_post(struct stream *s, enum loop_phase phase);
void stream_settled(struct stream *s, enum stream_mode mode);
/* Shows n bytes to the owner and keeps what it leaves. The stream may be detached
 * after. */
void stream_deliver(struct stream *s, uint8_t *p, size_t n);
size_t stream_unpack_carry(struct stream *s, uint8_t *to);
void stream_on_end(struct stream *s);
void stream_finish_with(struct stream *s, int err);
void stream_stop_reading(struct stream *s);

/* stream_out.c */
void stream_out_add(struct loop *l, struct stream_out **out, struct slice bytes);
uint8_t *stream_out_take(struct loop *l, struct stream_out **out, size_t n);
void stream_out_free(struct loop *l, struct stream_out **out);
void stream_flush(struct stream *s);
void stream_gauge(struct stream *s);

/* What is in the loop's volley comes before everything else. */
static inline void stream_fire(const struct stream *s)
{
	if (UNLIKELY(s->volley))
		loop_volley_fire(s->loop);
}

static inline size_t stream_out_left(const struct stream_out *out)
{
	return out ? out->n - out->at : 0;
}

/* stream_tls.c. The loop's scratch: plaintext in front, behind the carry; the ciphertext
 * that it is made from in the last part. */
#define STREAM_CIPHER_MAX ((size_t)64 * 1024) /* read at once */
#define STREAM_CIPHER_AT (LOOP_SCRATCH - STREAM_CIPHER_MAX)
void stream_tls_start(struct stream *s);
void stream_tls_free(struct stream *s);
/* Takes ciphertext; decrypts all of it and delivers. */
void stream_tls_input(struct stream *s, uint8_t *p, size_t n);
/* Encrypts a part of s->out, or bytes of the caller's, into the wire. */
void stream_tls_seal_out(struct stream *s);
void stream_tls_seal(struct stream *s, struct slice bytes);
bool stream_tls_ready(const struct stream *s); /* handshake done */
void stream_tls_end(struct stream *s);         /* close_notify, once */
struct stream_out **stream_tls_wire(struct stream *s);
