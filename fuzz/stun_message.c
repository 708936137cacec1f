/* stun_message: the input is a datagram. What decodes stays inside it, its size is what stun_size() foretold,
 * and put together anew from its attributes it decodes to the same.
 */
#include "stun/message.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(const struct stun_msg *m, struct slice s)
{
	assert(s.n == 0 || (s.p >= m->raw.p && s.p + s.n <= m->raw.p + m->raw.n));
}

static void check_again(const struct stun_msg *m)
{
	struct buf b = BUF_INIT(70000);
	struct stun_msg again;

	stun_begin(&b, (enum stun_method)m->method, (enum stun_class)m->class, m->tid);
	for (unsigned i = 0; i < m->count; i++)
		stun_put(&b, m->attr[i].type, m->attr[i].value);
	assert(!b.bad);
	assert(stun_decode(&again, b.p, b.n) == 0);
	assert(again.method == m->method && again.class == m->class);
	assert(again.count == m->count && slice_eq(again.tid, m->tid));
	for (unsigned i = 0; i < m->count; i++)
		assert(again.attr[i].type == m->attr[i].type &&
		       slice_eq(again.attr[i].value, m->attr[i].value));
	buf_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct stun_msg m;
	struct addr a;
	unsigned code;

	if (stun_decode(&m, data, size) < 0)
		return 0;
	assert(stun_size(data, size) == (int)size);
	for (unsigned i = 0; i < m.count; i++) {
		check_inside(&m, m.attr[i].value);
		if (stun_get_xor_addr(&m, &m.attr[i], &a) == 0)
			assert(a.family != 0);
	}
	if (stun_get_error(&m, &code) == 0)
		assert(code < 800);
	check_again(&m);
	return 0;
}
