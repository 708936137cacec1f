/* worker: one thread's loop and everything that runs on it, wired together. */
#pragma once
#include "admin/admin.h"
#include "admin/api.h"
#include "auth/limit.h"
#include "dialect/dialect.h"
#include "dialect/restore.h"
#include "main/config.h"
#include "main/relays.h"
#include "net/listen.h"

/* What all workers share, read-only after the start but for admin. */
struct worker_shared {
	const struct config *config;
	struct http_settings http;
	struct dialect_settings dialect;
	struct admin_state admin;
	struct auth_limit_settings limits;
	const char *cert_file, *key_file;
	const struct addr *listen; /* with their ports */
	size_t listen_count;
	const struct relays *relays; /* NULL: no STUN and TURN */
	struct api_files files;
};

struct worker;

/* Made on the main thread, before any worker runs. A line for people in `why`. */
int worker_create(struct worker **out, struct worker_shared *shared, unsigned id,
		  struct buf *why) NODISCARD;
void worker_destroy(struct worker *w);
struct loop *worker_loop(struct worker *w);
/* On a thread of its own. -errno. */
int worker_start(struct worker *w) NODISCARD;
/* On the calling thread, until it is stopped. */
void worker_run(struct worker *w);
/* From any thread, before it runs: sessions of before the restart, which it takes. */
void worker_restore(struct worker *w, struct restored *r);
/* Before it runs: something that it has kept; or, when the store cannot tell now, it shall ask for all of that itself. */
void worker_take(struct worker *w, const struct store_note *n);
void worker_ask_kept(struct worker *w);
/* From any thread: its certificate is read anew. */
void worker_reload(struct worker *w);
/* From any thread: no new connections; sessions are told. */
void worker_drain(struct worker *w);
/* From any thread: the loop ends. */
void worker_stop(struct worker *w);
/* Waits for the thread of worker_start(), if there is one. */
void worker_join(struct worker *w);
