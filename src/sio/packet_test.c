#include "sio/packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"

#define TOKENS 64

struct vector {
	const char *text;
	enum sio_type type;
	uint32_t attachments;
	const char *ns;
	int64_t id; /* -1: none */
	const char *data;
};

/* clang-format off */
static const struct vector sound[] = {
	/* protocol 5, "Packet encoding" and "Sample session" */
	{ "0", SIO_CONNECT, 0, "/", -1, "" },
	{ "0{\"token\":\"123\"}", SIO_CONNECT, 0, "/", -1, "{\"token\":\"123\"}" },
	{ "0/admin,{\"sid\":\"oSO0OpakMV_3jnilAAAA\"}", SIO_CONNECT, 0, "/admin", -1, "{\"sid\":\"oSO0OpakMV_3jnilAAAA\"}" },
	{ "4{\"message\":\"Not authorized\"}", SIO_CONNECT_ERROR, 0, "/", -1, "{\"message\":\"Not authorized\"}" },
	{ "2[\"foo\"]", SIO_EVENT, 0, "/", -1, "[\"foo\"]" },
	{ "2[7,true]", SIO_EVENT, 0, "/", -1, "[7,true]" },
	{ "2/admin,[\"bar\"]", SIO_EVENT, 0, "/admin", -1, "[\"bar\"]" },
	{ "212[\"foo\"]", SIO_EVENT, 0, "/", 12, "[\"foo\"]" },
	{ "3/admin,13[\"bar\"]", SIO_ACK, 0, "/admin", 13, "[\"bar\"]" },
	{ "1/admin,", SIO_DISCONNECT, 0, "/admin", -1, "" },
	{ "51-[\"baz\",{\"_placeholder\":true,\"num\":0}]", SIO_BINARY_EVENT, 1, "/", -1,
	  "[\"baz\",{\"_placeholder\":true,\"num\":0}]" },
	{ "52-/admin,[\"baz\",{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}]",
	  SIO_BINARY_EVENT, 2, "/admin", -1,
	  "[\"baz\",{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}]" },
	{ "61-15[\"bar\",{\"_placeholder\":true,\"num\":0}]", SIO_BINARY_ACK, 1, "/", 15,
	  "[\"bar\",{\"_placeholder\":true,\"num\":0}]" },
	/* protocol 4: the query in the namespace */
	{ "0/admin?token=1&a=b,", SIO_CONNECT, 0, "/admin?token=1&a=b", -1, "" },
};

static const char *const broken[] = {
	"", "7", "a", "2", "2{}", "2[]", "2[null]", "2[[\"a\"]]", "2abc[\"a\"]", "2[\"a\"", "2[\"connect\"]", "2[\"disconnecting\"]",
	"0[]", "0\"x\"", "1{}", "3[]", "31{}", "3/a,[1]", "4", "41", "51[\"a\"]", "5-[\"a\"]", "5x-[\"a\"]",
	"51-[\"a\",{\"_placeholder\":true,\"num\":1}]", "51-[\"a\",{\"_placeholder\":true}]", "517-[\"a\"]",
	"51-[\"a\",{\"_placeholder\":true,\"num\":-1}]", "51-[\"a\",{\"_placeholder\":true,\"num\":\"splice\"}]",
	"21234567890123456[\"a\"]", "2[\"a\"]x",
};
/* clang-format on */

static int decode_exact(struct sio_packet *p, const char *text, size_t n,
			struct json_token *tok, char **copy)
{
	*copy = xmemdup(n ? text : "", n ? n : 1);
	return sio_packet_decode(p, slice_of(*copy, n), tok, TOKENS);
}

static void sio_packet_reads_what_the_protocol_shows(void **state)
{
	struct json_token tok[TOKENS];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sound); i++) {
		const struct vector *v = &sound[i];
		struct sio_packet p;
		char *copy;

		assert_int_equal(decode_exact(&p, v->text, strlen(v->text), tok, &copy),
				 0);
		assert_int_equal(p.type, v->type);
		assert_int_equal(p.attachments, v->attachments);
		assert_true(slice_is(p.ns, v->ns));
		assert_int_equal(p.has_id, v->id >= 0);
		if (v->id >= 0)
			assert_int_equal(p.id, v->id);
		assert_true(slice_is(p.data, v->data));
		free(copy);
	}
}

static void sio_packet_head_is_written_as_it_is_read(void **state)
{
	struct json_token tok[TOKENS];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sound); i++) {
		struct buf b = BUF_INIT(1024);
		struct sio_packet p;

		assert_int_equal(
			sio_packet_decode(&p, slice_str(sound[i].text), tok, TOKENS), 0);
		sio_packet_put_head(&b, &p);
		buf_put(&b, p.data);
		assert_true(slice_is(buf_slice(&b), sound[i].text));
		buf_fini(&b);
	}
}

static void sio_packet_refuses_what_is_broken(void **state)
{
	struct json_token tok[TOKENS];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
		struct sio_packet p;
		char *copy;

		assert_true(decode_exact(&p, broken[i], strlen(broken[i]), tok, &copy) <
			    0);
		free(copy);
	}
}

static void sio_packet_takes_every_truncation(void **state)
{
	struct json_token tok[TOKENS];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sound); i++) {
		for (size_t n = 0; n < strlen(sound[i].text); n++) {
			struct sio_packet p;
			char *copy;

			/* What is left may be a packet without data. */
			if (decode_exact(&p, sound[i].text, n, tok, &copy) == 0)
				assert_int_equal(p.data.n, 0);
			free(copy);
		}
	}
}

static void sio_packet_limits_namespace_depth_and_tokens(void **state)
{
	struct json_token tok[TOKENS];
	struct buf b = BUF_INIT(4096);
	struct sio_packet p;

	(void)state;
	buf_str(&b, "0/");
	for (unsigned i = 0; i < SIO_MAX_NAMESPACE; i++)
		buf_u8(&b, 'n');
	assert_int_equal(sio_packet_decode(&p, buf_slice(&b), tok, TOKENS), E_LIMIT);
	buf_clear(&b);
	buf_str(&b, "2[\"a\"");
	for (unsigned i = 0; i < TOKENS; i++)
		buf_str(&b, ",1");
	buf_str(&b, "]");
	assert_int_equal(sio_packet_decode(&p, buf_slice(&b), tok, TOKENS), E_LIMIT);
	buf_clear(&b);
	buf_str(&b, "2[\"a\",");
	for (unsigned i = 0; i < JSON_MAX_DEPTH + 1; i++)
		buf_str(&b, "[");
	assert_true(sio_packet_decode(&p, buf_slice(&b), tok, TOKENS) < 0);
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sio_packet_reads_what_the_protocol_shows),
		cmocka_unit_test(sio_packet_head_is_written_as_it_is_read),
		cmocka_unit_test(sio_packet_refuses_what_is_broken),
		cmocka_unit_test(sio_packet_takes_every_truncation),
		cmocka_unit_test(sio_packet_limits_namespace_depth_and_tokens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
