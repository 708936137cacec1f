/* internal: the inside of the store, for the files of this folder. */
#pragma once
#include "store/thread.h"

const struct store_settings *store_settings_of(const struct store *s);
/* A desk whose queries are not answered in time, or that has its answers again: by 1 or -1. */
void store_count_stalled(struct store *s, int by);

/* --- sqlite.c --- */
extern const struct backend_ops store_sqlite;
/* What store_create() and store_each_seat() need of a database, at start and on the main thread. */
int store_sqlite_prepare(const struct store_settings *s, uint64_t *boot, struct buf *why)
	NODISCARD;
int store_sqlite_seats(const struct store_settings *s, store_seat_fn *fn, void *arg)
	NODISCARD;
