/* fetch: one HTTP answer over a link, read whole. HTTP/1.0, so that nothing comes in chunks. */
#pragma once
#include "doctor/link.h"
#include "doctor/target.h"

#define FETCH_MAX (1u << 20) /* bytes of an answer */

struct fetch {
	struct buf bytes;
	unsigned status;
	struct slice head, body; /* in bytes */
	ms_t took;
};

/* GET `path` from the target; `extra`: more header lines, or "". -errno, E_TIMEOUT, E_MALFORMED (no HTTP), E_LIMIT. Finish it either way. */
int fetch_get(struct fetch *f, const struct target *t, const char *path,
	      const char *extra, ms_t timeout) NODISCARD;
/* An upgrade: the head of the answer and what came with it; the link stays open. */
int fetch_upgrade(struct fetch *f, struct link *l, const struct target *t,
		  const char *path, const char *extra, ms_t timeout) NODISCARD;
void fetch_fini(struct fetch *f);
/* A header field, trimmed; empty when absent. */
struct slice fetch_header(const struct fetch *f, const char *name);
