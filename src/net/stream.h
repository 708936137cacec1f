/* stream: one TCP connection, plain or TLS, with a bounded write queue.
 *
 * Owner: a loop; all calls on it. The stream frees itself after `closed`. Read: one recv
 * per readiness into the loop's scratch; `data` gets what is there (TLS: plaintext) and
 * says how much of it it used; the rest is kept and shown again in front of what comes
 * next. Protocol code holds big things itself. The bytes may be changed in place. Write:
 * gathered during the turn, written once in LOOP_FLUSH. What the socket does not take
 * waits; the queue is bounded by limits.queue. An idle stream holds no buffers. TLS:
 * chosen by the first byte (0x16) when a tls_context is given.
 */
#pragma once
#include "base/buf.h"
#include "loop/loop.h"
#include "net/addr.h"

struct stream;
struct tls_context;

/* What `data` may leave unused at most; beyond it the stream is closed with E_LIMIT. */
#define STREAM_CARRY_MAX ((size_t)64 * 1024)

struct stream_ops {
	/* Returns the bytes used (0..n), or a negative error that closes the stream at
	 * once. Not called while paused. May call any stream function, but must not
	 * expect `closed` inside. */
	ssize_t (*data)(void *arg, struct stream *s, uint8_t *p, size_t n);
	/* Once, from LOOP_REAP, never inside another call. err 0: an orderly end by the
	 * peer or by us. The stream is freed after it. Not called after
	 * stream_detach(). */
	void (*closed)(void *arg, struct stream *s, int err);
	/* The queue fell to empty after a write had met a full socket. May be NULL. */
	void (*drained)(void *arg, struct stream *s);
	/* The peer has ended its side while the stream was paused: nothing more than what was
	 * not read yet will come. May be NULL. */
	void (*hung_up)(void *arg, struct stream *s);
	/* Bytes are about to be read: brings into the cache what they will be for, while the
	 * kernel copies. May be NULL. */
	void (*fetch)(const void *arg);
};

struct stream_limits {
	size_t queue;   /* bytes of the write queue, else E_SLOW */
	ms_t linger;    /* how long stream_finish() waits for the peer to take the rest */
	ms_t handshake; /* first byte and TLS handshake must come within; 0: no limit */
};

/* Takes the descriptor (non-blocking, connected). Copies `peer` and `limits`. tls may be
 * NULL and must else live until the first byte came. Failures come through `closed`. */
struct stream *stream_create(struct loop *l, int fd, const struct addr *peer,
			     const struct stream_limits *limits, struct tls_context *tls,
			     const struct stream_ops *ops, void *arg);
/* Another protocol takes over (upgrade). Bytes not used yet go to the new owner's `data`:
 * after the current `data` call returns, or at the turn's end when called outside one. */
void stream_set_owner(struct stream *s, const struct stream_ops *ops, void *arg);
void *stream_owner(const struct stream *s);
struct loop *stream_loop(const struct stream *s);
const struct addr *stream_peer(const struct stream *s);
bool stream_is_tls(const struct stream *s); /* known from the first `data` on */

/* Appends to the turn's output. E_SLOW when the queue would pass its limit: nothing of it
 * is queued then, and the owner decides (its last words: stream_write_last()). After the
 * end: 0, dropped. */
int stream_write(struct stream *s, struct slice bytes) NODISCARD;
/* n bytes of the turn's output for the caller to fill at once, before any other call.
 * NULL: E_SLOW, or the stream is ending. */
uint8_t *stream_reserve(struct stream *s, size_t n);
/* Writes now, past the gathering, when nothing waits in front (LOOP_FANOUT uses it with
 * bytes shared by many receivers; TLS encrypts straight from them); else as
 * stream_write(). */
int stream_write_shared(struct stream *s, struct slice bytes) NODISCARD;
/* The same for many streams in a row: the bytes stay as they are until loop_volley_waits() is
 * false, since the writes may leave together then (loop/volley.h). */
int stream_write_volley(struct stream *s, struct slice bytes) NODISCARD;
/* Fetches into the cache what a write will touch. */
static inline void stream_prefetch(const struct stream *s)
{
	__builtin_prefetch(s);
	__builtin_prefetch((const char *)s + 64);
}
/* As stream_write() but past the limit, at most 256 bytes: for a protocol's last
 * words. */
void stream_write_last(struct stream *s, struct slice bytes);
/* Bytes gathered or queued and not yet taken by the socket. */
size_t stream_queued(const struct stream *s);
/* The same and what the kernel still has of it: how far the peer is behind. */
size_t stream_behind(const struct stream *s);
/* Another bound of the write queue than limits.queue, for this stream. */
void stream_set_queue(struct stream *s, size_t bytes);
/* Stops and starts reading: back-pressure. Going on shows what was left over once
 * more. */
void stream_pause(struct stream *s, bool paused);
/* Sends what is queued, then the end (close_notify, FIN), throws away what still comes
 * and waits for the peer's end or limits.linger, then `closed`. No more `data`. */
void stream_finish(struct stream *s);
/* The same without waiting for the peer's end: for one that has said it will send no more (a
 * close frame), so that nothing of it can be left unread. */
void stream_finish_now(struct stream *s);
/* Drops everything now; `closed` with err follows at the turn's end. */
void stream_abort(struct stream *s, int err);

/* Hand-over to another loop: takes the stream off its loop. No callbacks come any more;
 * unread, gathered and queued bytes and the TLS state go along. It is carried in mail as
 * a pointer and attached there (not paused); between the two nobody touches it. Not
 * before the first `data` and not after stream_finish(); a stream that died meanwhile
 * tells its new owner. Allowed within `data`: the caller then returns what it used, the
 * rest travels along. */
void stream_detach(struct stream *s);
void stream_attach(struct loop *l, struct stream *s, const struct stream_ops *ops,
		   void *arg);
