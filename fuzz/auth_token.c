/* auth_token: whatever comes as a token: taken apart or refused, never believed without a signature; what
 * is read of its claims keeps to the limits, and comes back from its bytes. */
#include <stdlib.h>

#include "auth/gate.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const api_keys[] = { "fuzz:not-to-be-found-by-trying" };

static void check_claims(const struct auth_jwt *t, struct auth_scratch *s)
{
	struct buf b = BUF_INIT((size_t)4 * AUTH_TOKEN_MAX);
	struct auth_pass p, back;
	const char *why;

	if (auth_pass_read(&p, t, s, &why) < 0)
		return;
	if (p.user.n > AUTH_MAX_TEXT || p.name.n > AUTH_MAX_TEXT ||
	    p.room.n > AUTH_MAX_TEXT || p.metadata.n > AUTH_MAX_METADATA)
		abort();
	auth_pass_encode(&b, &p);
	if (auth_pass_decode(&back, buf_slice(&b)) < 0 || back.allow != p.allow ||
	    !slice_eq(back.metadata, p.metadata))
		abort();
	buf_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct auth_keys *keys;
	static struct auth_gate *gate;
	static struct auth_scratch scratch;
	uint8_t *exact = xmemdup(size ? data : (const uint8_t *)"", size ? size : 1);
	struct slice token = slice_of(exact, size);
	const char *why = NULL;
	struct auth_pass p;
	struct auth_jwt t;

	if (!keys) {
		const struct auth_settings s = {
			.keys = api_keys, .key_count = 1, .issuer = "", .audience = ""
		};
		struct buf line = BUF_INIT(1000);

		if (auth_keys_create(&keys, &s, &line) < 0)
			abort();
		gate = auth_gate_create(keys);
		auth_scratch_init(&scratch);
	}
	if (auth_jwt_open(&t, token, &scratch) == 0)
		check_claims(&t, &scratch);
	if (auth_gate_check(gate, token, 0, &p, &why) == 0 || !why)
		abort();
	(void)auth_keys_secret(keys, token);
	free(exact);
	return 0;
}
