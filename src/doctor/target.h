/* target: whom the doctor looks at: scheme, host and port of a URL. */
#pragma once
#include "base/slice.h"

struct target {
	bool tls;
	struct slice host; /* without brackets; in the text that was parsed */
	uint16_t port;
};

/* "https://call.example.org", "http://[::1]:8443/r/x": what follows the authority is passed over. E_MALFORMED. */
int target_parse(struct target *t, struct slice url) NODISCARD;
/* "stun:host:port", "turns:host?transport=tcp": the URIs of RFC 7064 and 7065. E_MALFORMED. */
struct ice_target {
	bool turn, tls, tcp; /* tls over UDP is DTLS */
	struct target at;
};
int target_parse_ice(struct ice_target *t, struct slice uri) NODISCARD;
