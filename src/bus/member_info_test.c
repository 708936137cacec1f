#include "bus/member_info.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void member_numbers_survive_their_text(void **state)
{
	(void)state;
	static const uint64_t v[] = { 1, 31, 32, 0xffffffffffu, 0x123456789au };
	char text[BUS_MEMBER_TEXT];

	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		bus_member_text(text, v[i]);
		assert_int_equal(bus_member_number(slice_of(text, sizeof(text))), v[i]);
	}
	assert_int_equal(bus_member_number(SLICE("m_aaaaaaa")), 0);
	assert_int_equal(bus_member_number(SLICE("m_aaaaaaa1")), 0);
	assert_int_equal(bus_member_number(SLICE("x_aaaaaaab")), 0);
	assert_int_equal(bus_member_number(SLICE_NONE), 0);
}

static void member_numbers_survive_their_bytes(void **state)
{
	(void)state;
	static const uint8_t bytes[BUS_MEMBER_BYTES] = { 0x12, 0x34, 0x56, 0x78, 0x9a };
	struct buf b = BUF_INIT(BUS_MEMBER_BYTES);

	bus_member_write(&b, 0x123456789au);
	assert_int_equal(b.n, BUS_MEMBER_BYTES);
	assert_memory_equal(b.p, bytes, BUS_MEMBER_BYTES);
	struct cur in = cur_of_slice(buf_slice(&b));
	assert_int_equal(bus_member_read(&in), 0x123456789au);
	assert_int_equal(bus_member_read(&in), 0);
	assert_true(in.bad);
	buf_fini(&b);
}

/* docs/dialects.md, "Who offers" */
static const struct member_info later = { .offers = OFFERS_LATER };
static const struct member_info told = { .offers = OFFERS_TOLD };
static const struct member_info hybrid_coach = { .offers = OFFERS_ALWAYS,
						 .rank = RANK_COACH };
static const struct member_info hybrid_client = { .offers = OFFERS_NEVER,
						  .rank = RANK_CLIENT };
static const struct member_info tri_coach = { .offers = OFFERS_RANKED,
					      .rank = RANK_COACH,
					      .user = SLICE_LIT("a") };
static const struct member_info tri_client = { .offers = OFFERS_RANKED,
					       .rank = RANK_CLIENT,
					       .user = SLICE_LIT("b") };
static const struct member_info tri_client2 = { .offers = OFFERS_RANKED,
						.rank = RANK_CLIENT,
						.user = SLICE_LIT("c") };
static const struct member_info tri_ai = { .offers = OFFERS_RANKED, .rank = RANK_AI };

static void one_of_each_pair_offers(void **state)
{
	(void)state;
	static const struct {
		const struct member_info *there, *newcomer;
		bool newcomer_offers;
	} v[] = {
		{ &told, &told, true },
		{ &told, &later, false },
		{ &later, &told, false },
		{ &later, &later, false },
		{ &later, &hybrid_coach, true },
		{ &hybrid_client, &later, true },
		{ &later, &tri_coach, true },
		{ &tri_client, &later, false },
		{ &told, &hybrid_coach, true },
		{ &told, &hybrid_client, false },
		{ &hybrid_coach, &told, false },
		{ &hybrid_client, &told, true },
		{ &hybrid_coach, &hybrid_client, false },
		{ &hybrid_client, &hybrid_coach, true },
		{ &told, &tri_coach, true },
		{ &told, &tri_client, false },
		{ &told, &tri_ai, false },
		{ &tri_coach, &told, true },
		{ &tri_coach, &tri_client, false },
		{ &tri_client, &tri_coach, true },
		{ &tri_client, &tri_client2, false },
		{ &tri_client2, &tri_client, true },
		{ &tri_ai, &tri_client, true },
		{ &tri_client, &tri_ai, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		assert_int_equal(bus_newcomer_offers(v[i].there, v[i].newcomer),
				 v[i].newcomer_offers);
}

/* Two of one dialect that goes by ids look at each other; with others they do as they are told. */
static void of_two_lexical_members_the_smaller_id_offers(void **state)
{
	(void)state;
	struct member_info a = { .offers = OFFERS_LEXICAL,
				 .dialect = 3,
				 .user = SLICE("a") };
	struct member_info b = a, native = { .offers = OFFERS_TOLD };

	b.user = SLICE("b");
	assert_true(bus_newcomer_offers(&b, &a));
	assert_false(bus_newcomer_offers(&a, &b));
	assert_true(bus_newcomer_offers(&a, &native));
	assert_false(bus_newcomer_offers(&later, &a));
	a.order = 1;
	b.order = native.order = 2;
	assert_true(bus_offers(&a, &b) && !bus_offers(&b, &a));
	assert_true(!bus_offers(&a, &native) && bus_offers(&native, &a));
}

static void a_member_without_rank_is_shown_as_the_other_kind(void **state)
{
	(void)state;
	assert_int_equal(bus_rank_shown(&told, &tri_coach), RANK_CLIENT);
	assert_int_equal(bus_rank_shown(&told, &tri_client), RANK_COACH);
	assert_int_equal(bus_rank_shown(&hybrid_client, &tri_client), RANK_CLIENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(member_numbers_survive_their_text),
		cmocka_unit_test(member_numbers_survive_their_bytes),
		cmocka_unit_test(one_of_each_pair_offers),
		cmocka_unit_test(of_two_lexical_members_the_smaller_id_offers),
		cmocka_unit_test(a_member_without_rank_is_shown_as_the_other_kind),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
