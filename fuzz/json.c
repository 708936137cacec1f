/* json: whatever is accepted is UTF-8, its tokens nest within it, each value's raw slice
 * is a text of its own with the same tokens, and each string survives unescape and quote.
 */
#include "base/json.h"

#include <assert.h>
#include <stdlib.h>

#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TOKENS 512
#define REPARSED 32 /* values looked at one by one; the work is quadratic */

static struct json_token tok[TOKENS], again[TOKENS];

static void check_bounds(const struct json *j, uint32_t t)
{
	const struct json_token *v = &j->tok[t];
	uint32_t members = 0;

	for (uint32_t at = t + 1; at < v->next; at = j->tok[at].next) {
		const struct json_token *inner = &j->tok[at];
		assert(inner->at > v->at && inner->next > at && inner->next <= v->next);
		assert(inner->len > 0 && inner->len < v->len);
		assert(inner->at - v->at < v->len - inner->len);
		members++;
	}
	assert(members == (v->kind == JSON_OBJECT ? 2u : 1u) * v->count);
}

static void check_raw(const struct json *j, uint32_t t)
{
	struct slice raw = json_raw(j, t);
	struct json alone;

	int err = json_parse(&alone, raw, again, TOKENS);
	assert(err == 0);
	assert(alone.count == j->tok[t].next - t);
	for (uint32_t i = 0; i < alone.count; i++) {
		assert(again[i].kind == j->tok[t + i].kind);
		assert(again[i].at == j->tok[t + i].at - j->tok[t].at);
		assert(again[i].len == j->tok[t + i].len);
	}
}

static void check_string(const struct json *j, uint32_t t)
{
	struct buf text = BUF_INIT(SIZE_MAX), quoted = BUF_INIT(SIZE_MAX),
		   back = BUF_INIT(SIZE_MAX);
	struct json alone;

	int err = json_string(j, t, j->tok[t].len, &text);
	assert(err == 0);
	assert(utf8_valid(buf_slice(&text)));
	assert(json_string_is(j, t, buf_slice(&text)));
	assert(j->tok[t].escaped || slice_eq(json_string_raw(j, t), buf_slice(&text)));
	json_quote(&quoted, buf_slice(&text));
	err = json_parse(&alone, buf_slice(&quoted), again, 1);
	assert(err == 0);
	err = json_string(&alone, 0, SIZE_MAX, &back);
	assert(err == 0);
	assert(slice_eq(buf_slice(&text), buf_slice(&back)));
	buf_fini(&text);
	buf_fini(&quoted);
	buf_fini(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json j;
	uint64_t number;
	bool flag;

	if (json_parse(&j, slice_of(data, size), tok, TOKENS) < 0)
		return 0;
	assert(utf8_valid(slice_of(data, size)));
	assert(tok[0].next == j.count);
	for (uint32_t t = 0; t < j.count; t++) {
		check_bounds(&j, t);
		if (t < REPARSED)
			check_raw(&j, t);
		if (json_kind_of(&j, t) == JSON_STRING)
			check_string(&j, t);
		if (json_u53(&j, t, &number) == 0)
			assert(json_kind_of(&j, t) == JSON_NUMBER &&
			       number < UINT64_C(1) << 53);
		if (json_bool(&j, t, &flag) == 0)
			assert(json_kind_of(&j, t) == (flag ? JSON_TRUE : JSON_FALSE));
	}
	return 0;
}
