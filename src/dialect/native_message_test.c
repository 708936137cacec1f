#include "dialect/native_message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "room/room.h"

#define FILE_A "aaaaaaaaaaaaaaaaaaaaaaaaaa"
#define FILE_B "b2b3b4b5b6b7b2b3b4b5b6b7bb"

static struct native_scratch *scratch;

static int setup(void **state)
{
	(void)state;
	scratch = xzalloc(sizeof(*scratch));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	buf_fini(&scratch->text);
	free(scratch);
	return 0;
}

static int decode(struct native_message *m, const char *text)
{
	return native_decode(m, slice_str(text), scratch);
}

/* docs/protocol.md, the table of client messages */
static void each_type_is_decoded_to_its_command(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum command_kind kind;
	} v[] = {
		{ "{\"type\":\"join\",\"id\":1,\"room\":\"r\",\"name\":\"Ann\"}",
		  COMMAND_JOIN },
		{ "{\"type\":\"leave\"}", COMMAND_LEAVE },
		{ "{\"type\":\"update\",\"mic\":true}", COMMAND_UPDATE },
		{ "{\"type\":\"signal\",\"data\":null}", COMMAND_SIGNAL },
		{ "{\"type\":\"chat\",\"text\":\"hi\"}", COMMAND_CHAT },
		{ "{\"type\":\"accept\",\"to\":\"m_aaaaaaab\"}", COMMAND_ACCEPT },
		{ "{\"type\":\"reject\",\"to\":\"m_aaaaaaab\"}", COMMAND_REJECT },
		{ "{\"type\":\"role\",\"member\":\"m_aaaaaaab\",\"role\":\"listener\"}",
		  COMMAND_ROLE },
		{ "{\"type\":\"kick\",\"member\":\"m_aaaaaaab\"}", COMMAND_KICK },
		{ "{\"type\":\"sync\",\"id\":1}", COMMAND_SYNC },
		{ "{\"type\":\"bans\",\"id\":1}", COMMAND_BANS },
	};
	struct native_message m;

	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		assert_int_equal(decode(&m, v[i].text), 0);
		assert_int_equal(m.kind, NATIVE_COMMAND);
		assert_int_equal(m.command.kind, v[i].kind);
	}
	assert_int_equal(decode(&m, "{\"type\":\"bans\"}"), E_BAD_FIELD);
	assert_string_equal(m.detail, "id");
	assert_int_equal(decode(&m, "{\"type\":\"ping\",\"id\":7}"), 0);
	assert_int_equal(m.kind, NATIVE_PING);
	assert_int_equal(m.request, 7);
}

static void join_takes_all_its_fields(void **state)
{
	(void)state;
	struct native_message m;

	assert_int_equal(
		decode(&m,
		       "{\"type\":\"join\",\"id\":9007199254740991,\"room\":\"a\\u00e4\","
		       "\"name\":\"A\\\"n\",\"user\":\"u\",\"metadata\":{\"k\":[1]},"
		       "\"state\":{\"mic\":true,\"camera\":false},"
		       "\"options\":{\"capacity\":6,\"ring\":true},\"more\":1}"),
		0);
	assert_int_equal(m.request, 9007199254740991u);
	assert_true(slice_is(m.room, "a\xc3\xa4"));
	assert_true(slice_is(m.command.name, "A\"n"));
	assert_true(slice_is(m.command.user, "u"));
	assert_true(slice_is(m.command.metadata, "{\"k\":[1]}"));
	assert_int_equal(m.command.state, PRESENCE_MIC);
	assert_int_equal(m.command.capacity, 6);
	assert_true(m.command.ring);
}

static void resume_takes_a_number_for_each_room(void **state)
{
	(void)state;
	struct native_message m;

	assert_int_equal(decode(&m, "{\"type\":\"resume\",\"id\":3,\"session\":\"s_x\","
				    "\"secret\":\"y\",\"seen\":{\"a\":7,\"\\u0062\":8}}"),
			 0);
	assert_int_equal(m.kind, NATIVE_RESUME);
	assert_true(slice_is(m.session, "s_x"));
	assert_true(slice_is(m.secret, "y"));
	assert_int_equal(native_seen(&m, SLICE("a")), 7);
	assert_int_equal(native_seen(&m, SLICE("b")), 8);
	assert_int_equal(native_seen(&m, SLICE("c")), 0);
	assert_int_equal(decode(&m, "{\"type\":\"resume\",\"id\":3,\"session\":\"s\","
				    "\"secret\":\"y\"}"),
			 0);
	assert_int_equal(native_seen(&m, SLICE("a")), 0);
}

static void signal_data_is_taken_byte_for_byte(void **state)
{
	(void)state;
	struct native_message m;

	assert_int_equal(decode(&m, "{\"data\": {\"a\" : 1e5,\"b\":\"\\u0041\"} "
				    ",\"type\":\"signal\"}"),
			 0);
	assert_true(slice_is(m.command.text, "{\"a\" : 1e5,\"b\":\"\\u0041\"}"));
}

static void wrong_forms_name_their_field(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int err;
		const char *detail;
	} v[] = {
		{ "", E_TRUNCATED, NULL },
		{ "{", E_TRUNCATED, NULL },
		{ "nonsense", E_MALFORMED, NULL },
		{ "[]", E_MALFORMED, "not an object" },
		{ "{}", E_MALFORMED, "type" },
		{ "{\"type\":1}", E_MALFORMED, "type" },
		{ "{\"type\":\"fly\"}", E_UNKNOWN_TYPE, NULL },
		{ "{\"type\":\"ping\",\"id\":0}", E_BAD_FIELD, "id" },
		{ "{\"type\":\"ping\",\"id\":\"1\"}", E_BAD_FIELD, "id" },
		{ "{\"type\":\"ping\",\"id\":1.5}", E_BAD_FIELD, "id" },
		{ "{\"type\":\"join\",\"room\":\"r\"}", E_BAD_FIELD, "id" },
		{ "{\"type\":\"join\",\"id\":1}", E_BAD_FIELD, "room" },
		{ "{\"type\":\"join\",\"id\":1,\"room\":\"\"}", E_BAD_FIELD, "room" },
		{ "{\"type\":\"join\",\"id\":1,\"room\":\"a\\n\"}", E_BAD_FIELD, "room" },
		{ "{\"type\":\"join\",\"id\":1,\"room\":\"r\",\"name\":5}", E_BAD_FIELD,
		  "name" },
		{ "{\"type\":\"join\",\"id\":1,\"room\":\"r\",\"name\":\"\",\"metadata\":"
		  "[]}",
		  E_BAD_FIELD, "metadata" },
		{ "{\"type\":\"join\",\"id\":1,\"room\":\"r\",\"name\":\"\",\"state\":1}",
		  E_BAD_FIELD, "state" },
		{ "{\"type\":\"join\",\"id\":1,\"room\":\"r\",\"name\":\"\",\"state\":{"
		  "\"mic\":1}}",
		  E_BAD_FIELD, "mic" },
		{ "{\"type\":\"join\",\"id\":1,\"room\":\"r\",\"name\":\"\",\"options\":{"
		  "\"capacity\":0}}",
		  E_BAD_FIELD, "options.capacity" },
		{ "{\"type\":\"update\",\"hand\":\"up\"}", E_BAD_FIELD, "hand" },
		{ "{\"type\":\"signal\"}", E_BAD_FIELD, "data" },
		{ "{\"type\":\"signal\",\"data\":1,\"to\":5}", E_BAD_FIELD, "to" },
		{ "{\"type\":\"signal\",\"data\":1,\"to\":\"bo\"}", E_NO_MEMBER, NULL },
		{ "{\"type\":\"chat\"}", E_BAD_FIELD, "text" },
		{ "{\"type\":\"chat\",\"text\":\"\"}", E_BAD_FIELD, "text" },
		{ "{\"type\":\"chat\",\"files\":[]}", E_BAD_FIELD, "text" },
		{ "{\"type\":\"chat\",\"files\":\"x\"}", E_BAD_FIELD, "files" },
		{ "{\"type\":\"chat\",\"files\":[\"x\"]}", E_BAD_FIELD, "files" },
		{ "{\"type\":\"chat\",\"files\":[\"" FILE_A "\",\"" FILE_A "\"]}",
		  E_BAD_FIELD, "files" },
		{ "{\"type\":\"accept\"}", E_BAD_FIELD, "to" },
		{ "{\"type\":\"role\",\"member\":\"m_aaaaaaab\",\"role\":\"king\"}",
		  E_BAD_FIELD, "role" },
	};
	struct native_message m;

	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		assert_int_equal(decode(&m, v[i].text), v[i].err);
		if (v[i].detail)
			assert_string_equal(m.detail, v[i].detail);
	}
}

static void files_are_ids_in_a_row(void **state)
{
	(void)state;
	struct native_message m;

	assert_int_equal(decode(&m, "{\"type\":\"chat\",\"files\":[\"" FILE_A
				    "\",\"" FILE_B "\"]}"),
			 0);
	assert_true(slice_is(m.command.file, FILE_A FILE_B));
	assert_int_equal(m.command.text.n, 0);
}

static void texts_over_their_limit_are_bad_fields(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(64 * 1024);
	struct native_message m;

	buf_str(&b, "{\"type\":\"chat\",\"text\":\"");
	for (int i = 0; i <= ROOM_MAX_TEXT; i++)
		buf_u8(&b, 'x');
	buf_str(&b, "\"}");
	assert_int_equal(native_decode(&m, buf_slice(&b), scratch), E_BAD_FIELD);
	assert_string_equal(m.detail, "text");
	buf_fini(&b);
}

static void too_many_values_are_a_limit(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(64 * 1024);
	struct native_message m;

	buf_str(&b, "{\"type\":\"signal\",\"data\":[0");
	for (int i = 0; i < NATIVE_MAX_TOKENS; i++)
		buf_str(&b, ",0");
	buf_str(&b, "]}");
	assert_int_equal(native_decode(&m, buf_slice(&b), scratch), E_LIMIT);
	buf_fini(&b);
}

static void expect(const struct event *e, const char *want)
{
	struct buf b = BUF_INIT(4096);

	native_encode(&b, SLICE("\"r\""), e);
	buf_u8(&b, 0);
	assert_string_equal((const char *)b.p, want);
	buf_fini(&b);
}

static void each_event_is_encoded_as_the_protocol_says(void **state)
{
	(void)state;
	const struct member_info ann = { .id = 1,
					 .role = ROLE_OWNER,
					 .state = PRESENCE_MIC,
					 .joined_at = 5,
					 .name = SLICE("Ann") };

	expect(&(struct event){ .kind = EVENT_JOINED, .seq = 2, .subject = ann },
	       "{\"type\":\"joined\",\"room\":\"r\",\"seq\":2,\"member\":{\"id\":\"m_"
	       "aaaaaaab\","
	       "\"name\":\"Ann\",\"role\":\"owner\",\"state\":{\"mic\":true,\"camera\":"
	       "false,"
	       "\"screen\":false,\"hand\":false,\"speaking\":false},\"joinedAt\":5},"
	       "\"offer\":false}");
	expect(&(struct event){ .kind = EVENT_LEFT,
				.seq = 3,
				.member = 1,
				.reason = LEAVE_KICK,
				.text = SLICE("out") },
	       "{\"type\":\"left\",\"room\":\"r\",\"seq\":3,\"member\":\"m_aaaaaaab\","
	       "\"reason\":\"kick\",\"detail\":\"out\"}");
	expect(&(struct event){ .kind = EVENT_UPDATED,
				.seq = 4,
				.member = 1,
				.subject = ann,
				.changed = PRESENCE_MIC | CHANGED_ROLE | CHANGED_NAME },
	       "{\"type\":\"updated\",\"room\":\"r\",\"seq\":4,\"member\":\"m_aaaaaaab\","
	       "\"changes\":{\"mic\":true,\"name\":\"Ann\",\"role\":\"owner\"}}");
	expect(&(struct event){ .kind = EVENT_SIGNAL,
				.seq = 5,
				.member = 1,
				.to = 2,
				.text = SLICE("[1]") },
	       "{\"type\":\"signal\",\"room\":\"r\",\"seq\":5,\"from\":\"m_aaaaaaab\","
	       "\"to\":\"m_aaaaaaac\",\"data\":[1]}");
	expect(&(struct event){ .kind = EVENT_CHAT,
				.seq = 6,
				.member = 1,
				.subject = ann,
				.text = SLICE("a\"b"),
				.time = 9,
				.n = 1 },
	       "{\"type\":\"chat\",\"room\":\"r\",\"seq\":6,\"from\":\"m_aaaaaaab\","
	       "\"name\":\"Ann\","
	       "\"text\":\"a\\\"b\",\"time\":9,\"n\":1,\"epoch\":0}");
	expect(&(struct event){ .kind = EVENT_REPLY, .request = 4 },
	       "{\"type\":\"reply\",\"id\":4,\"ok\":true}");
	expect(&(struct event){ .kind = EVENT_REPLY, .request = 4, .err = E_ROOM_FULL },
	       "{\"type\":\"reply\",\"id\":4,\"ok\":false,\"error\":{\"code\":\"room_"
	       "full\","
	       "\"message\":\"the room is full\"}}");
	expect(&(struct event){ .kind = EVENT_REPLY, .err = E_DENIED },
	       "{\"type\":\"error\",\"error\":{\"code\":\"denied\",\"message\":\"not "
	       "allowed\"}}");
	expect(&(struct event){ .kind = EVENT_REPLY }, "");
}

static void welcome_lists_members_and_chat(void **state)
{
	(void)state;
	struct buf roster = BUF_INIT(4096), backlog = BUF_INIT(4096), b = BUF_INIT(8192);
	const struct member_info bo = { .id = 2,
					.role = ROLE_SPEAKER,
					.offer = true,
					.name = SLICE("Bo"),
					.metadata = SLICE("{\"k\":1}") };
	const struct event said = {
		.kind = EVENT_CHAT, .seq = 1, .member = 2, .n = 1, .text = SLICE("hi")
	};

	bus_member_encode(&roster, &bo);
	bus_event_encode(&backlog, &said);
	native_encode(&b, SLICE("\"r\""),
		      &(struct event){ .kind = EVENT_WELCOME,
				       .request = 1,
				       .member = 1,
				       .capacity = 6,
				       .subject = { .id = 1 },
				       .roster = buf_slice(&roster),
				       .backlog = buf_slice(&backlog) });
	struct json_token tok[256];
	struct json j;
	assert_int_equal(json_parse(&j, buf_slice(&b), tok, 256), 0);
	uint32_t data = json_member(&j, 0, SLICE("data"));
	uint32_t members = json_member(&j, data, SLICE("members"));
	uint32_t chat = json_member(&j, data, SLICE("chat"));
	assert_int_equal(tok[members].count, 1);
	assert_true(json_string_is(&j, json_member(&j, members + 1, SLICE("id")),
				   SLICE("m_aaaaaaac")));
	assert_int_equal(tok[chat].count, 1);
	buf_fini(&roster);
	buf_fini(&backlog);
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_type_is_decoded_to_its_command),
		cmocka_unit_test(join_takes_all_its_fields),
		cmocka_unit_test(resume_takes_a_number_for_each_room),
		cmocka_unit_test(signal_data_is_taken_byte_for_byte),
		cmocka_unit_test(wrong_forms_name_their_field),
		cmocka_unit_test(files_are_ids_in_a_row),
		cmocka_unit_test(texts_over_their_limit_are_bad_fields),
		cmocka_unit_test(too_many_values_are_a_limit),
		cmocka_unit_test(each_event_is_encoded_as_the_protocol_says),
		cmocka_unit_test(welcome_lists_members_and_chat),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
