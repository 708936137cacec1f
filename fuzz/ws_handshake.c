/* ws_handshake: the input is a Sec-WebSocket-Extensions field. Whatever it is, the answer
 * is one of the two that we give, and an offer put in front of a sound field decides.
 */
#include "ws/handshake.h"

#include <assert.h>
#include <stdlib.h>

#include "base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice field = slice_of(data, size);
	struct slice answer = SLICE_NONE;
	struct slice longer = SLICE_NONE;
	struct buf both = BUF_INIT(SIZE_MAX);
	int found = ws_deflate_offered(field, &answer);

	assert(found == 0 || found == 1 || found == E_MALFORMED);
	if (found == 1)
		assert(slice_starts(
			answer,
			SLICE("permessage-deflate; server_no_context_takeover;")));
	buf_str(&both, "permessage-deflate, ");
	buf_put(&both, field);
	int with = ws_deflate_offered(buf_slice(&both), &longer);
	assert(with == (found < 0 ? found : 1));
	assert(with < 0 || !slice_ends(longer, SLICE("=15")));
	buf_fini(&both);
	(void)ws_key_ok(field);
	(void)ws_protocol_offered(field, SLICE("parley.v1"));
	return 0;
}
