#include "template.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "stamp.h"
#include "util.h"

struct sink {
	char *p;
	size_t n, cap;
};

static void put(struct sink *s, const char *p, size_t n)
{
	if (n > s->cap - s->n)
		die("a template is too long");
	memcpy(s->p + s->n, p, n);
	s->n += n;
}

static void put_number(struct sink *s, const char *prefix, uint32_t v)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%s%u", prefix, v);

	put(s, text, (size_t)n);
}

static void put_stamp(struct sink *s, size_t *at)
{
	*at = s->n;
	put(s, "@T00000000000000000000", STAMP_LEN);
}

static void put_pad(struct sink *s, uint32_t size)
{
	for (uint32_t i = STAMP_LEN; i < size; i++)
		put(s, &"abcdefghijklmnopqrstuvwxyz"[i % 26], 1);
}

/* True, and `*text` moved behind it, when the name stands here. */
static bool take(const char **text, const char *name)
{
	size_t n = strlen(name);

	if (strncmp(*text, name, n) != 0)
		return false;
	*text += n;
	return true;
}

size_t template_expand(const char *text, const struct template_names *names, char *out,
		       size_t cap, size_t *stamp_at)
{
	struct sink s = { .p = out, .cap = cap };

	*stamp_at = TEMPLATE_NO_STAMP;
	while (*text) {
		if (take(&text, "{stamp}"))
			put_stamp(&s, stamp_at);
		else if (take(&text, "{pad}"))
			put_pad(&s, names->size);
		else if (take(&text, "{room}"))
			put_number(&s, "r", names->room);
		else if (take(&text, "{id}"))
			put_number(&s, "", names->id);
		else if (take(&text, "{member}"))
			put_number(&s, "", names->member);
		else
			put(&s, text++, 1);
	}
	return s.n;
}
