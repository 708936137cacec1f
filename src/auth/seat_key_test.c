#include "auth/seat_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct slice secret = SLICE_LIT("0123456789abcdef0123456789abcdef");
static const struct slice ann = SLICE_LIT("m_aaaaaaab");

static struct slice key_of(char out[AUTH_SEAT_KEY], const char *room)
{
	auth_seat_key(out, secret, slice_str(room), ann);
	return slice_of(out, AUTH_SEAT_KEY);
}

static void seat_key_is_good_for_its_member_and_room_alone(void **state)
{
	char text[AUTH_SEAT_KEY];
	struct slice key = key_of(text, "fox");

	(void)state;
	assert_true(auth_seat_key_looks(key));
	assert_true(slice_eq(auth_seat_key_member(key), ann));
	assert_true(auth_seat_key_is_good(key, secret, SLICE("fox")));
	assert_false(auth_seat_key_is_good(key, secret, SLICE("fo")));
	assert_false(auth_seat_key_is_good(key, SLICE("another secret"), SLICE("fox")));
	for (size_t i = 0; i < sizeof(text); i++) {
		text[i] ^= 1;
		assert_false(auth_seat_key_is_good(key, secret, SLICE("fox")));
		text[i] ^= 1;
	}
}

static void seat_key_is_told_from_other_credentials(void **state)
{
	char text[AUTH_SEAT_KEY];
	struct slice key = key_of(text, "fox");

	(void)state;
	for (size_t n = 0; n < key.n; n++)
		assert_false(auth_seat_key_looks(slice_of(text, n)));
	assert_false(auth_seat_key_looks(SLICE("app:0123456789abcdef0123456789abcdefg")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seat_key_is_good_for_its_member_and_room_alone),
		cmocka_unit_test(seat_key_is_told_from_other_credentials),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
