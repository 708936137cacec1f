/* api_read: the body of a request, held against the operation's fields. No I/O. */
#include <stdlib.h>

#include "admin/api_call.h"
#include "base/err.h"
#include "base/mem.h"
#include "bus/member_json.h"

#define MAX_VALUES 1024 /* JSON values of a body */

bool api_within(const struct api_field *f, uint64_t n)
{
	return n >= f->min && n <= f->max;
}

static int read_text(const struct api_field *f, const struct json *j, uint32_t t,
		     struct api_value *v, struct buf *text)
{
	size_t at = text->n;

	if (json_string(j, t, f->max, text) < 0)
		return E_BAD_FIELD;
	v->text = slice_from(buf_slice(text), at);
	if (f->kind == API_ROLE) {
		v->number = bus_role_named(v->text);
		return v->number < ROLES ? 0 : E_BAD_FIELD;
	}
	return api_within(f, v->text.n) ? 0 : E_BAD_FIELD;
}

static int read_member(const struct api_field *f, const struct json *j, uint32_t t,
		       struct api_value *v, struct buf *text)
{
	switch (f->kind) {
	case API_TEXT:
	case API_ROLE:
		return read_text(f, j, t, v, text);
	case API_NUMBER:
		return json_u53(j, t, &v->number) == 0 && api_within(f, v->number)
			       ? 0
			       : E_BAD_FIELD;
	case API_BOOL:
		return json_bool(j, t, &v->on);
	case API_OBJECT:
	case API_ANY:
		v->text = json_raw(j, t);
		if (f->kind == API_OBJECT && json_kind_of(j, t) != JSON_OBJECT)
			return E_BAD_FIELD;
		return v->text.n <= f->max ? 0 : E_BAD_FIELD;
	}
	return E_BAD_FIELD;
}

static int read_members(const struct api_field *f, const struct json *j,
			struct api_value *v, struct buf *text, const char **why)
{
	if (json_kind_of(j, 0) != JSON_OBJECT)
		return E_MALFORMED;
	for (; f->name; f++, v++) {
		uint32_t t = json_member(j, 0, slice_str(f->name));

		*why = f->name;
		v->there = t != 0;
		if (!t && f->required)
			return E_BAD_FIELD;
		if (t && read_member(f, j, t, v, text) < 0)
			return E_BAD_FIELD;
	}
	*why = NULL;
	return 0;
}

int api_read_body(const struct api_field *list, struct slice body, struct api_value *out,
		  struct buf *text, const char **why)
{
	struct json_token *tokens = xmalloc(MAX_VALUES * sizeof(*tokens));
	struct json j;

	(void)buf_room(text, body.n);
	int err = json_parse(&j, body, tokens, MAX_VALUES);
	if (err == 0)
		err = read_members(list, &j, out, text, why);
	else if (err == E_LIMIT)
		err = E_TOO_LARGE;
	free(tokens);
	return err;
}
