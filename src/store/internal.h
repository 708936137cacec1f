/* internal: the inside of the store, for the files of this folder. */
#pragma once
#include "store/thread.h"

const struct store_settings *store_settings_of(const struct store *s);
/* A desk whose queries are not answered in time, or that has its answers again: by 1 or -1. */
void store_count_stalled(struct store *s, int by);

/* --- sqlite.c, pg.c --- */
extern const struct backend_ops store_sqlite, store_postgres;
