#include "dialect/voice.h"

#include "base/err.h"
#include "bus/member_info.h"

#define KIND 0x11
#define SOUND_HEAD 7 /* codec, sequence, timestamp */

static int bad(const char **detail, const char *what, int err)
{
	*detail = what;
	return err;
}

static int check_sound(struct slice sound, const struct voice_limits *limits,
		       const char **detail)
{
	if (sound.n <= SOUND_HEAD)
		return bad(detail, "payload", E_TRUNCATED);
	if (sound.p[0] == VOICE_NONE || sound.p[0] >= VOICE_CODECS)
		return bad(detail, "codec", E_MALFORMED);
	if (sound.n - SOUND_HEAD > limits->size)
		return bad(detail, "payload", E_LIMIT);
	return 0;
}

int voice_decode(struct voice *v, struct slice bytes, const struct voice_limits *limits,
		 const char **detail)
{
	struct cur in = cur_of_slice(bytes);
	uint8_t kind = cur_u8(&in);

	*v = (struct voice){ .room = cur_slice(&in, cur_u8(&in)) };
	uint8_t count = cur_u8(&in);
	v->members = cur_slice(&in, (size_t)count * BUS_MEMBER_BYTES);
	if (in.bad)
		return bad(detail, "head", E_TRUNCATED);
	if (kind != KIND)
		return bad(detail, "kind", E_MALFORMED);
	if (count == 0)
		return bad(detail, "members", E_MALFORMED);
	if (count > limits->listeners)
		return bad(detail, "members", E_LIMIT);
	v->sound = cur_slice(&in, cur_left(&in));
	return check_sound(v->sound, limits, detail);
}

void voice_encode(struct buf *b, struct slice room, uint64_t member, struct slice sound)
{
	buf_u8(b, KIND);
	buf_u8(b, (uint8_t)room.n);
	buf_put(b, room);
	buf_u8(b, 1);
	bus_member_write(b, member);
	buf_put(b, sound);
}
