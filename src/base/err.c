#include "base/err.h"

#include <limits.h>
#include <string.h>

const char *err_text(int err)
{
	switch (err) {
#define X(id, code, name, http, ws, text)                                                \
	case id:                                                                         \
		return text;
		ERR_LIST(X)
#undef X
	}
	/* strerror() writes to a shared buffer; this gives constants in plain English. */
	const char *s = err <= 0 && err != INT_MIN ? strerrordesc_np(-err) : NULL;
	return s ? s : "unknown error";
}

const char *err_name(int err)
{
	switch (err) {
#define X(id, code, name, http, ws, text)                                                \
	case id:                                                                         \
		return name;
		ERR_LIST(X)
#undef X
	}
	return "internal";
}

int err_http_status(int err)
{
	switch (err) {
#define X(id, code, name, http, ws, text)                                                \
	case id:                                                                         \
		return http;
		ERR_LIST(X)
#undef X
	}
	return 500;
}

int err_ws_code(int err)
{
	switch (err) {
#define X(id, code, name, http, ws, text)                                                \
	case id:                                                                         \
		return ws;
		ERR_LIST(X)
#undef X
	}
	return 1011;
}
