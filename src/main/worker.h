/* worker: one thread's loop and everything that runs on it, wired together. */
#pragma once
#include "admin/admin.h"
#include "dialect/dialect.h"
#include "main/config.h"
#include "net/listen.h"

/* What all workers share, read-only after the start but for admin. */
struct worker_shared {
	const struct config *config;
	struct http_settings http;
	struct dialect_settings dialect;
	struct admin_state admin;
	const char *cert_file, *key_file;
	const struct addr *listen;      /* with their ports */
	size_t listen_count;
};

struct worker;

/* Made on the main thread, before any worker runs. A line for people in `why`. */
int worker_create(struct worker **out, struct worker_shared *shared, unsigned id, struct buf *why) NODISCARD;
void worker_destroy(struct worker *w);
/* Its thread. -errno. */
int worker_start(struct worker *w) NODISCARD;
/* From the main thread: no new connections; sessions are told. */
void worker_drain(struct worker *w);
/* Stops the loop and waits for the thread. */
void worker_stop(struct worker *w);
