/* json: a strict slicer (RFC 8259, UTF-8) and a writer.
 *
 * The slicer makes one pass over the text and fills an array of tokens: slices with a kind
 * and the index of what follows. Nothing is copied or unescaped; the raw slice of any value can be
 * forwarded as it is. Duplicate member names are accepted (the first is found).
 * Limits: depth JSON_MAX_DEPTH, tokens as the caller gives room for.
 */
#pragma once
#include "base/buf.h"

#define JSON_MAX_DEPTH 64

enum json_kind {
	JSON_NULL,
	JSON_FALSE,
	JSON_TRUE,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

struct json_token {
	uint32_t at;    /* offset of the first byte (strings: of the quote) */
	uint32_t len;   /* with quotes, braces, brackets */
	uint32_t next;  /* index of the token after this value and all inside it */
	uint16_t count; /* elements, or members; saturates */
	uint8_t kind;
	bool escaped; /* strings: a backslash is in it */
};

struct json {
	const uint8_t *text;
	const struct json_token *tok;
	uint32_t count;
};

/* Slices `text` into tok[0..max). E_MALFORMED, E_TRUNCATED (ends inside a value), E_UTF8,
 * E_LIMIT (too deep, too many tokens, over 4 GiB). Member names are tokens too: an object's tokens are name,
 * value, name, value. */
int json_parse(struct json *j, struct slice text, struct json_token *tok, uint32_t max)
	NODISCARD;

/* Index of the value of member `name` of the object `obj`, or 0 (the root is never a member).
 * Names with escapes are compared unescaped. */
uint32_t json_member(const struct json *j, uint32_t obj, struct slice name);
enum json_kind json_kind_of(const struct json *j, uint32_t t);
/* The bytes of a value as they came. */
struct slice json_raw(const struct json *j, uint32_t t);
/* The text of a string between its quotes, still escaped. Empty when it is no string. */
struct slice json_string_raw(const struct json *j, uint32_t t);
/* The text of a string, unescaped; appended to b. E_BAD_FIELD when it is no string, E_LIMIT when longer than max. */
int json_string(const struct json *j, uint32_t t, size_t max, struct buf *b) NODISCARD;
/* Compares a string with text, unescaped. */
bool json_string_same(const struct json *j, uint32_t t, struct slice text);
/* The same for any value; most differ in kind or length already. */
static inline bool json_string_is(const struct json *j, uint32_t t, struct slice text)
{
	const struct json_token *tok = &j->tok[t];

	return tok->kind == JSON_STRING && (tok->escaped || tok->len - 2 == text.n) &&
	       json_string_same(j, t, text);
}
/* An integer from 0 to 2^53-1 without fraction or exponent. E_BAD_FIELD. */
int json_u53(const struct json *j, uint32_t t, uint64_t *out) NODISCARD;
/* true or false. E_BAD_FIELD. */
int json_bool(const struct json *j, uint32_t t, bool *out) NODISCARD;

/* The writer appends to a buf and sets the commas itself. Nesting up to 64. */
struct jsonw {
	struct buf *b;
	uint64_t more; /* a bit per level: something was written there */
	uint8_t depth;
};

void json_begin(struct jsonw *w, struct buf *b);
/* Goes on inside an object whose first members are in b already. */
void json_begin_inside(struct jsonw *w, struct buf *b);
void json_object(struct jsonw *w);
void json_object_end(struct jsonw *w);
void json_array(struct jsonw *w);
void json_array_end(struct jsonw *w);
void json_key(struct jsonw *w, struct slice name); /* name is ours: not escaped */
void json_put_string(struct jsonw *w,
		     struct slice s); /* must be UTF-8; escaped as needed */
void json_put_raw(struct jsonw *w, struct slice json); /* one complete value */
void json_put_u64(struct jsonw *w, uint64_t v);
void json_put_bool(struct jsonw *w, bool v);
void json_put_double(struct jsonw *w, double v); /* 3 decimals; not finite: null */
/* "name":value in one call. */
void json_field_string(struct jsonw *w, const char *name, struct slice s);
void json_field_raw(struct jsonw *w, const char *name, struct slice json);
void json_field_u64(struct jsonw *w, const char *name, uint64_t v);
void json_field_bool(struct jsonw *w, const char *name, bool v);
/* A quoted and escaped string alone. */
void json_quote(struct buf *b, struct slice s);
