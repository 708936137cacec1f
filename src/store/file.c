#include "store/file.h"

#include "base/err.h"

void store_file_encode(struct buf *b, const struct store_file *f)
{
	buf_prefixed(b, f->id);
	buf_prefixed(b, f->room);
	buf_prefixed(b, f->hash);
	buf_prefixed(b, f->name);
	buf_prefixed(b, f->type);
	buf_prefixed(b, f->user);
	buf_be64(b, f->size);
	buf_be64(b, f->member);
}

int store_file_decode(struct store_file *f, struct cur *in)
{
	f->id = cur_prefixed(in);
	f->room = cur_prefixed(in);
	f->hash = cur_prefixed(in);
	f->name = cur_prefixed(in);
	f->type = cur_prefixed(in);
	f->user = cur_prefixed(in);
	f->size = cur_be64(in);
	f->member = cur_be64(in);
	return in->bad ? E_TRUNCATED : 0;
}

bool store_file_is_id(struct slice id)
{
	for (size_t i = 0; i < id.n; i++) {
		uint8_t c = id.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '2' && c <= '7'))
			return false;
	}
	return id.n == STORE_FILE_ID;
}

bool store_file_may_attach(const struct store_file *f, const struct store_query *q)
{
	if (!slice_eq(f->room, q->room))
		return false;
	return f->member == q->viewer ||
	       (q->viewer_user.n > 0 && slice_eq(f->user, q->viewer_user));
}

static bool is_over(uint64_t used, uint64_t size, uint64_t limit)
{
	return limit > 0 && (used >= limit || size > limit - used);
}

int store_file_fits(const struct store_space *s, uint64_t size, struct store_answer *a)
{
	a->known = is_over(a->to, size, s->all);
	return a->known || is_over(a->n, size, s->room) ? E_LIMIT : 0;
}

void store_file_put(struct jsonw *w, const struct store_file *f)
{
	json_object(w);
	json_field_string(w, "id", f->id);
	json_field_string(w, "name", f->name);
	json_field_string(w, "type", f->type);
	json_field_u64(w, "size", f->size);
	json_object_end(w);
}
