/* template: texts in which {stamp} {pad} {room} {id} {member} are filled in; anything
 * else stays as it is, JSON's braces too.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define TEMPLATE_NO_STAMP SIZE_MAX

struct template_names {
	uint32_t room, id, member;
	uint32_t size; /* {pad} makes stamp and padding this long */
};

/* Returns the length. Ends the program when `cap` is not enough. */
size_t template_expand(const char *text, const struct template_names *names, char *out,
		       size_t cap, size_t *stamp_at);
