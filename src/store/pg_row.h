/* pg_row: values on their way to PostgreSQL and back, in its binary format. Pure: no connection.
 *
 * Numbers are 8 bytes, big-endian, as they are in 63 bits. A text of PostgreSQL cannot hold a NUL; U+FFFD stands
 * for it. Decoders are total: a cell that is NULL or has another size is 0 or empty.
 */
#pragma once
#include "store/row.h"

#define PG_PARAMS 14

struct pg_params {
	int count;
	const char *values[PG_PARAMS];
	int lengths[PG_PARAMS];
	int formats[PG_PARAMS]; /* all 1: binary */
	uint8_t numbers[PG_PARAMS][8];
	char *owned[PG_PARAMS]; /* texts that had to be changed */
};

void store_pg_params_fini(struct pg_params *p);
void store_pg_u64(struct pg_params *p, uint64_t v);
void store_pg_u64_or_null(struct pg_params *p, uint64_t v);      /* NULL when 0 */
void store_pg_text(struct pg_params *p, struct slice s);         /* '' when empty */
void store_pg_text_or_null(struct pg_params *p, struct slice s); /* NULL when empty */
void store_pg_bytes(struct pg_params *p, struct slice s);
void store_pg_copy(struct pg_params *p, struct slice s); /* bytes that do not stay */
void store_pg_bool(struct pg_params *p, bool v);

/* The rows of a result, one after another; borrowed. A NULL has no `p`. */
struct pg_rows {
	const struct slice *cells;
	unsigned rows, columns;
};

uint64_t store_pg_cell_u64(const struct pg_rows *r, unsigned row, unsigned column);
struct slice store_pg_cell(const struct pg_rows *r, unsigned row, unsigned column);
bool store_pg_cell_bool(const struct pg_rows *r, unsigned row, unsigned column);

/* The fifteen columns of PG_COLUMNS from `column` on. False: there is no message in them (its number is NULL). */
bool store_pg_message(const struct pg_rows *r, unsigned row, unsigned column,
		      struct store_row *out);
/* The columns of the statement VISITS. */
void store_pg_visit(const struct pg_rows *r, unsigned row, struct visit *out);
/* The eight columns of PG_FILE_COLUMNS. False: there is no file in them. */
bool store_pg_file(const struct pg_rows *r, unsigned row, struct store_file *out);
/* The columns of KEPT. */
void store_pg_note(const struct pg_rows *r, unsigned row, struct store_note *out);
/* And of SEATS. False: it is none of ours. */
bool store_pg_seat(const struct pg_rows *r, unsigned row, struct store_seat *out);
