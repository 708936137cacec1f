/* auth_jwks: whatever a file of keys has in it: keys or a line that says what is wrong. */
#include <stdlib.h>

#include "auth/keys.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *exact = xmemdup(size ? data : (const uint8_t *)"", size ? size : 1);
	const struct auth_settings s = { .jwks = slice_of(exact, size),
					 .issuer = "",
					 .audience = "" };
	struct buf why = BUF_INIT(1000);
	struct auth_keys *keys = NULL;

	int err = auth_keys_create(&keys, &s, &why);
	if ((err < 0) != (why.n > 0) || (err < 0) != !keys)
		abort();
	auth_keys_destroy(keys);
	buf_fini(&why);
	free(exact);
	return 0;
}
