/* voice: whatever a client sends as a piece of voice: its parts lie within it and within the limits,
 * and what is passed on reads the same. */
#include "dialect/voice.h"

#include <stdlib.h>

#include "base/mem.h"
#include "bus/member_info.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct voice_limits limits = { .listeners = 4, .size = 64 };

static void check_passed_on(const struct voice *v)
{
	struct buf b = BUF_INIT(1 << 12);
	const char *detail = NULL;
	struct voice back;

	voice_encode(&b, v->room, 1, v->sound);
	if (voice_decode(&back, buf_slice(&b), &limits, &detail) < 0 ||
	    !slice_eq(back.room, v->room) || !slice_eq(back.sound, v->sound))
		abort();
	buf_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *exact = xmemdup(size ? data : (const uint8_t *)"", size ? size : 1);
	const char *detail = NULL;
	struct voice v;

	if (voice_decode(&v, slice_of(exact, size), &limits, &detail) < 0) {
		if (!detail)
			abort();
	} else {
		size_t members = v.members.n / BUS_MEMBER_BYTES;

		if (v.members.n % BUS_MEMBER_BYTES || members == 0 ||
		    members > limits.listeners || v.sound.n > 7 + limits.size)
			abort();
		if (3 + v.room.n + v.members.n + v.sound.n != size)
			abort();
		check_passed_on(&v);
	}
	free(exact);
	return 0;
}
