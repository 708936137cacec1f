#include "bus/member_info.h"
#include "room/testing.h"

static int relay(struct member *m, const struct member *to, enum voice_codec codec)
{
	return stage_do(m, (struct command){ .kind = COMMAND_RELAY,
					     .to = to->id,
					     .codec = (uint8_t)codec });
}

static void unmute(struct member *m)
{
	assert_int_equal(stage_do(m, (struct command){ .kind = COMMAND_UPDATE,
						       .changed = PRESENCE_MIC,
						       .state = PRESENCE_MIC }),
			 0);
}

/* How many got a piece of the voice of `m` that was meant for those two. */
static size_t heard_by(struct stage *s, struct member *m, const struct member *a,
		       const struct member *b)
{
	struct buf to = BUF_INIT(64);
	size_t before = s->count;

	bus_member_write(&to, a->id);
	bus_member_write(&to, b->id);
	assert_int_equal(stage_do(m, (struct command){ .kind = COMMAND_VOICE,
						       .raw = buf_slice(&to),
						       .text = SLICE("sound") }),
			 0);
	buf_fini(&to);
	for (size_t i = before; i < s->count; i++) {
		assert_int_equal(s->heard[i].e.kind, EVENT_VOICE);
		assert_int_equal(s->heard[i].e.seq, 0);
		assert_int_equal(s->heard[i].e.member, m->id);
		assert_string_equal(s->heard[i].text, "sound");
	}
	return s->count - before;
}

static void a_voice_goes_to_those_who_asked_for_it(void **state)
{
	struct stage *s = *state;
	struct member *ann = stage_join(s, "r", "Ann"), *bo = stage_join(s, "r", "Bo"),
		      *cem = stage_join(s, "r", "Cem");

	unmute(ann);
	assert_int_equal(heard_by(s, ann, bo, cem), 0);
	assert_int_equal(relay(bo, ann, VOICE_OPUS), 0);
	assert_int_equal(stage_last(s)->e.kind, EVENT_RELAY);
	assert_int_equal(stage_last(s)->to, ann->id);
	assert_int_equal(stage_last(s)->e.member, bo->id);
	assert_int_equal(stage_last(s)->e.codec, VOICE_OPUS);
	assert_int_equal(heard_by(s, ann, bo, cem), 1);
	assert_int_equal(stage_last(s)->to, bo->id);
	assert_int_equal(relay(cem, ann, VOICE_PCM), 0);
	assert_int_equal(heard_by(s, ann, bo, cem), 2);
	assert_int_equal(relay(bo, ann, VOICE_NONE), 0);
	assert_int_equal(stage_last(s)->e.codec, VOICE_NONE);
	assert_int_equal(heard_by(s, ann, bo, cem), 1);
}

static void who_is_muted_or_a_listener_is_not_heard(void **state)
{
	struct stage *s = *state;
	struct member *ann = stage_join(s, "r", "Ann"), *bo = stage_join(s, "r", "Bo");

	assert_int_equal(relay(ann, bo, VOICE_OPUS), 0);
	assert_int_equal(heard_by(s, bo, ann, ann), 0);
	unmute(bo);
	assert_int_equal(heard_by(s, bo, ann, ann), 2);
	assert_int_equal(stage_do(ann, (struct command){ .kind = COMMAND_ROLE,
							 .to = bo->id,
							 .role = ROLE_LISTENER }),
			 0);
	assert_int_equal(heard_by(s, bo, ann, ann), 0);
}

static void one_may_ask_for_so_many_voices_of_others(void **state)
{
	struct stage *s = *state;
	struct member *ann = stage_join(s, "r", "Ann"), *bo = stage_join(s, "r", "Bo"),
		      *cem = stage_join(s, "r", "Cem");

	s->settings.voices = 1;
	assert_int_equal(relay(ann, ann, VOICE_OPUS), E_NO_MEMBER);
	assert_int_equal(relay(ann, bo, VOICE_OPUS), 0);
	assert_int_equal(relay(ann, bo, VOICE_PCM), 0);
	assert_int_equal(relay(ann, cem, VOICE_OPUS), E_LIMIT);
	/* Who leaves makes room. */
	assert_int_equal(stage_do(bo, (struct command){ .kind = COMMAND_LEAVE }), 0);
	assert_int_equal(relay(ann, cem, VOICE_OPUS), 0);
	s->settings.voices = 0;
	assert_int_equal(relay(ann, cem, VOICE_OPUS), E_DENIED);
}

static void nothing_is_left_of_who_hears_and_leaves(void **state)
{
	struct stage *s = *state;
	struct member *ann = stage_join(s, "r", "Ann"), *bo = stage_join(s, "r", "Bo");
	const struct room *r = ann->room;

	assert_int_equal(relay(ann, bo, VOICE_OPUS), 0);
	assert_int_equal(relay(bo, ann, VOICE_OPUS), 0);
	assert_int_equal(r->hearing, 2);
	assert_int_equal(stage_do(bo, (struct command){ .kind = COMMAND_LEAVE }), 0);
	assert_int_equal(r->hearing, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_voice_goes_to_those_who_asked_for_it,
						stage_setup, stage_teardown),
		cmocka_unit_test_setup_teardown(who_is_muted_or_a_listener_is_not_heard,
						stage_setup, stage_teardown),
		cmocka_unit_test_setup_teardown(one_may_ask_for_so_many_voices_of_others,
						stage_setup, stage_teardown),
		cmocka_unit_test_setup_teardown(nothing_is_left_of_who_hears_and_leaves,
						stage_setup, stage_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
