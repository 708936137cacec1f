/* pg_schema: the tables on PostgreSQL, step by step from an empty database to today's. */
#pragma once
#include "store/pg_conn.h"

/* Before the pipeline. E_STATE: they were made by a newer program. */
int store_pg_migrate(struct pg_conn *c, struct buf *why) NODISCARD;
/* E_NOT_FOUND: there are none; E_STATE: they are not of this version. */
int store_pg_version_check(struct pg_conn *c, struct buf *why) NODISCARD;
