#include "store/pg_row.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "store/pg_conn.h"

/* --- parameters --- */

static void numbers_are_eight_bytes_big_endian(void **state)
{
	(void)state;
	struct pg_params p = { 0 };

	store_pg_u64(&p, 0x0102030405060708);
	store_pg_u64_or_null(&p, 0);
	store_pg_u64_or_null(&p, 1);
	store_pg_bool(&p, true);
	assert_int_equal(p.count, 4);
	assert_memory_equal(p.values[0], "\1\2\3\4\5\6\7\10", 8);
	assert_int_equal(p.lengths[0], 8);
	assert_null(p.values[1]);
	assert_memory_equal(p.values[2], "\0\0\0\0\0\0\0\1", 8);
	assert_int_equal(p.lengths[3], 1);
	assert_int_equal(p.values[3][0], 1);
	for (int i = 0; i < p.count; i++)
		assert_int_equal(p.formats[i], 1);
	store_pg_params_fini(&p);
	assert_int_equal(p.count, 0);
}

static void texts_are_as_they_are_but_for_nul(void **state)
{
	(void)state;
	struct pg_params p = { 0 };
	struct slice plain = SLICE("plain");

	store_pg_text(&p, plain);
	store_pg_text(&p, SLICE_NONE);
	store_pg_text_or_null(&p, SLICE_NONE);
	store_pg_text(&p, SLICE("\0a\0"));
	store_pg_bytes(&p, SLICE("\0b"));
	store_pg_bytes(&p, SLICE_NONE);
	store_pg_copy(&p, SLICE("c\0"));
	assert_ptr_equal(p.values[0], plain.p);
	assert_non_null(p.values[1]);
	assert_int_equal(p.lengths[1], 0);
	assert_null(p.values[2]);
	assert_int_equal(p.lengths[3], 7);
	assert_memory_equal(p.values[3],
			    "\xef\xbf\xbd"
			    "a\xef\xbf\xbd",
			    7);
	assert_int_equal(p.lengths[4], 2);
	assert_non_null(p.values[5]);
	assert_memory_equal(p.values[6], "c\0", 2);
	store_pg_params_fini(&p);
}

/* --- rows --- */

#define ONE SLICE_LIT("\0\0\0\0\0\0\0\1")
#define TWO SLICE_LIT("\0\0\0\0\0\0\0\2")
#define NOTHING                                                                          \
	{                                                                                \
		NULL, 0                                                                  \
	}

static const struct slice message[] = {
	ONE,
	ONE,
	TWO,
	TWO,
	SLICE_LIT("ann"),
	SLICE_LIT("Ann"),
	SLICE_LIT("hi"),
	ONE,
	TWO,
	SLICE_LIT("bob"),
	SLICE_LIT("key"),
	NOTHING,
	SLICE_LIT("{}"),
	NOTHING,
	TWO,
};

static void a_message_is_read_from_its_columns(void **state)
{
	(void)state;
	const struct pg_rows rows = { message, 1, ARRAY_LEN(message) };
	struct store_row r;

	assert_true(store_pg_message(&rows, 0, 0, &r));
	assert_int_equal(r.n, 1);
	assert_int_equal(r.kind, STORE_ROW_EDITED);
	assert_int_equal(r.time, 2);
	assert_int_equal(r.to, 2);
	assert_true(slice_is(r.user, "ann"));
	assert_true(slice_is(r.text, "hi"));
	assert_true(slice_is(r.key, "key"));
	assert_int_equal(r.file.n, 0);
	assert_int_equal(r.edited, 0);
	assert_int_equal(r.deleted, 2);
}

/* Whatever a server sends: rows and columns that are not there, cells of other sizes, NULLs. */
static void decoders_are_total(void **state)
{
	(void)state;
	struct store_row r;
	struct store_seat seat;
	struct visit v;

	for (unsigned columns = 0; columns <= ARRAY_LEN(message); columns++) {
		for (size_t size = 0; size < 10; size++) {
			struct slice cells[ARRAY_LEN(message)];

			for (size_t i = 0; i < ARRAY_LEN(cells); i++)
				cells[i] = slice_of(
					"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", size);
			const struct pg_rows rows = { cells, 1, columns };
			bool is_message = store_pg_message(&rows, 0, 0, &r);

			assert_int_equal(is_message, size == 8 && columns > 0);
			store_pg_visit(&rows, 0, &v);
			assert_in_range(v.reason, 0, LEAVE_REASONS - 1);
			assert_false(store_pg_seat(&rows, 0, &seat));
			assert_in_range(seat.member.role, 0, ROLES - 1);
			assert_false(store_pg_message(&rows, 1, 0, &r));
			assert_false(store_pg_message(&rows, 0, columns, &r));
			assert_int_equal(store_pg_cell_u64(&rows, 0, columns), 0);
			assert_false(store_pg_cell_bool(&rows, 7, 7));
		}
	}
	const struct pg_rows none = { 0 };
	assert_false(store_pg_message(&none, 0, 0, &r));
}

static void a_seat_needs_a_whole_hash(void **state)
{
	(void)state;
	struct slice cells[10] = { SLICE_LIT("s_1"), NOTHING, SLICE_LIT("hall"), TWO,
				   ONE };
	const struct pg_rows rows = { cells, 1, 10 };
	struct store_seat seat;

	assert_false(store_pg_seat(&rows, 0, &seat));
	cells[1] = SLICE("0123456789abcdef0123456789abcdef");
	assert_true(store_pg_seat(&rows, 0, &seat));
	assert_true(slice_is(seat.room, "hall"));
	assert_int_equal(seat.member.id, 2);
}

/* --- what a server says when it refuses --- */

static void check_refusal(const char *message_text, const char *state, const char *text)
{
	struct slice s = slice_str(message_text);
	char found[6];

	store_pg_state_of(&s, found);
	assert_string_equal(found, state);
	assert_true(slice_is(s, text));
}

static void refusals_are_read_in_any_language(void **state)
{
	(void)state;
	/* as libpq 15 puts them, with PQERRORS_VERBOSE */
	check_refusal(
		"connection to server at \"127.0.0.1\", port 5433 failed: FATAL:  28P01: "
		"password authentication failed for user \"ann\"\nLOCATION:  "
		"auth_failed, "
		"auth.c:326\n",
		"28P01", "password authentication failed for user \"ann\"");
	check_refusal(
		"connection to server at \"localhost\" (::1), port 5433 failed: "
		"Connection "
		"refused\n\tIs the server running on that host and accepting TCP/IP "
		"connections?\nconnection to server at \"localhost\" (127.0.0.1), port "
		"5433 "
		"failed: FATAL:  57P03: the database system is starting up\nLOCATION:  "
		"ProcessStartupPacket, postmaster.c:2339\n",
		"57P03", "the database system is starting up");
	check_refusal("SCHWERWIEGEND:  3D000: Datenbank \"x\" existiert nicht", "3D000",
		      "Datenbank \"x\" existiert nicht");
	check_refusal("could not connect\n\tsecond line", "", "could not connect");
	check_refusal("FATAL:  28P01", "", "FATAL:  28P01");
	check_refusal("FATAL:  28p01: x", "", "FATAL:  28p01: x");
	check_refusal(":  ", "", ":");
	check_refusal("", "", "");
}

static void states_have_their_meanings(void **state)
{
	(void)state;
	assert_int_equal(store_pg_state_error("28P01"), E_DENIED);
	assert_int_equal(store_pg_state_error("3D000"), E_DENIED);
	assert_int_equal(store_pg_state_error("42501"), E_DENIED);
	assert_int_equal(store_pg_state_error("23505"), E_STATE);
	assert_int_equal(store_pg_state_error("22021"), E_STATE);
	assert_int_equal(store_pg_state_error("53100"), E_UNAVAILABLE);
	assert_int_equal(store_pg_state_error("57P03"), E_UNAVAILABLE);
	assert_int_equal(store_pg_state_error(""), E_UNAVAILABLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_eight_bytes_big_endian),
		cmocka_unit_test(texts_are_as_they_are_but_for_nul),
		cmocka_unit_test(a_message_is_read_from_its_columns),
		cmocka_unit_test(decoders_are_total),
		cmocka_unit_test(a_seat_needs_a_whole_hash),
		cmocka_unit_test(refusals_are_read_in_any_language),
		cmocka_unit_test(states_have_their_meanings),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
