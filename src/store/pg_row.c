#include "store/pg_row.h"

#include <assert.h>
#include <stdlib.h>

#include "base/cur.h"
#include "base/mem.h"

/* --- to the database --- */

static void put(struct pg_params *p, const void *value, size_t n)
{
	assert(p->count < PG_PARAMS);
	p->values[p->count] = value;
	p->lengths[p->count] = (int)n;
	p->formats[p->count] = 1;
	p->count++;
}

void store_pg_params_fini(struct pg_params *p)
{
	for (int i = 0; i < PG_PARAMS; i++)
		free(p->owned[i]);
	*p = (struct pg_params){ 0 };
}

void store_pg_u64(struct pg_params *p, uint64_t v)
{
	uint8_t *to = p->numbers[p->count];

	for (unsigned i = 0; i < 8; i++)
		to[i] = (uint8_t)(v >> (56 - 8 * i));
	put(p, to, 8);
}

void store_pg_u64_or_null(struct pg_params *p, uint64_t v)
{
	if (v)
		store_pg_u64(p, v);
	else
		put(p, NULL, 0);
}

/* A copy with U+FFFD for each NUL. */
static char *without_nul(struct slice s, size_t *n)
{
	struct buf b = BUF_INIT(3 * s.n + 1);

	for (size_t i = 0; i < s.n; i++)
		if (s.p[i])
			buf_u8(&b, s.p[i]);
		else
			buf_str(&b, "\xef\xbf\xbd");
	*n = b.n;
	char *copy = slice_dup(buf_slice(&b));
	buf_fini(&b);
	return copy;
}

void store_pg_text(struct pg_params *p, struct slice s)
{
	size_t n = s.n;

	if (n == 0) {
		put(p, "", 0);
	} else if (memchr(s.p, 0, s.n)) {
		char *copy = p->owned[p->count] = without_nul(s, &n);

		put(p, copy, n);
	} else {
		put(p, s.p, n);
	}
}

void store_pg_text_or_null(struct pg_params *p, struct slice s)
{
	if (s.n > 0)
		store_pg_text(p, s);
	else
		put(p, NULL, 0);
}

void store_pg_bytes(struct pg_params *p, struct slice s)
{
	put(p, s.n > 0 ? (const void *)s.p : "", s.n);
}

void store_pg_copy(struct pg_params *p, struct slice s)
{
	char *copy = p->owned[p->count] = slice_dup(s);

	put(p, copy, s.n);
}

void store_pg_bool(struct pg_params *p, bool v)
{
	p->numbers[p->count][0] = v;
	put(p, p->numbers[p->count], 1);
}

/* --- from the database --- */

struct slice store_pg_cell(const struct pg_rows *r, unsigned row, unsigned column)
{
	if (row >= r->rows || column >= r->columns)
		return SLICE_NONE;
	return r->cells[(size_t)row * r->columns + column];
}

uint64_t store_pg_cell_u64(const struct pg_rows *r, unsigned row, unsigned column)
{
	struct slice s = store_pg_cell(r, row, column);
	struct cur in = cur_of_slice(s);

	return s.n == 8 ? cur_be64(&in) : 0;
}

bool store_pg_cell_bool(const struct pg_rows *r, unsigned row, unsigned column)
{
	struct slice s = store_pg_cell(r, row, column);

	return s.n == 1 && s.p[0] != 0;
}

bool store_pg_message(const struct pg_rows *r, unsigned row, unsigned column,
		      struct store_row *out)
{
#define U64(i) store_pg_cell_u64(r, row, column + (i))
#define TEXT(i) store_pg_cell(r, row, column + (i))
	*out = (struct store_row){
		.n = U64(0),
		.kind = U64(1),
		.time = (ms_t)U64(2),
		.member = U64(3),
		.user = TEXT(4),
		.name = TEXT(5),
		.text = TEXT(6),
		.of = U64(7),
		.to = U64(8),
		.to_user = TEXT(9),
		.key = TEXT(10),
		.file = TEXT(11),
		.reactions = TEXT(12),
		.edited = (ms_t)U64(13),
		.deleted = (ms_t)U64(14),
	};
#undef U64
#undef TEXT
	return out->n != 0;
}

void store_pg_visit(const struct pg_rows *r, unsigned row, struct visit *out)
{
	uint64_t reason = store_pg_cell_u64(r, row, 4);

	*out = (struct visit){
		.number = store_pg_cell_u64(r, row, 0),
		.member = store_pg_cell_u64(r, row, 1),
		.joined_at = (ms_t)store_pg_cell_u64(r, row, 2),
		.left_at = (ms_t)store_pg_cell_u64(r, row, 3),
		.reason =
			reason < LEAVE_REASONS ? (enum leave_reason)reason : LEAVE_LEAVE,
		.name = store_pg_cell(r, row, 5),
		.user = store_pg_cell(r, row, 6),
	};
}

bool store_pg_file(const struct pg_rows *r, unsigned row, struct store_file *out)
{
	*out = (struct store_file){
		.id = store_pg_cell(r, row, 0),
		.room = store_pg_cell(r, row, 1),
		.hash = store_pg_cell(r, row, 2),
		.name = store_pg_cell(r, row, 3),
		.type = store_pg_cell(r, row, 4),
		.size = store_pg_cell_u64(r, row, 5),
		.member = store_pg_cell_u64(r, row, 6),
		.user = store_pg_cell(r, row, 7),
	};
	return out->id.n > 0;
}

void store_pg_note(const struct pg_rows *r, unsigned row, struct store_note *out)
{
	*out = (struct store_note){
		.kind = store_pg_cell_u64(r, row, 0),
		.name = store_pg_cell(r, row, 1),
		.value = store_pg_cell(r, row, 2),
		.time = (ms_t)store_pg_cell_u64(r, row, 3),
		.until = (ms_t)store_pg_cell_u64(r, row, 4),
	};
}

bool store_pg_seat(const struct pg_rows *r, unsigned row, struct store_seat *out)
{
	uint64_t role = store_pg_cell_u64(r, row, 4);

	*out = (struct store_seat){
		.session = store_pg_cell(r, row, 0),
		.secret_hash = store_pg_cell(r, row, 1),
		.room = store_pg_cell(r, row, 2),
		.member = {
			.id = store_pg_cell_u64(r, row, 3),
			.role = role < ROLES ? (enum role)role : ROLE_LISTENER,
			.joined_at = (ms_t)store_pg_cell_u64(r, row, 5),
			.name = store_pg_cell(r, row, 6),
			.user = store_pg_cell(r, row, 7),
			.metadata = store_pg_cell(r, row, 8),
		},
		.admission = store_pg_cell(r, row, 9),
	};
	return out->secret_hash.n == STORE_HASH;
}
