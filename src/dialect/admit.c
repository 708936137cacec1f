#include "dialect/admit.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"

/* What somebody without a token may where none is asked for. */
static const struct auth_pass guest = {
	.allow = AUTH_JOIN | AUTH_MIC | AUTH_CAMERA | AUTH_SCREEN | AUTH_SUBSCRIBE |
		 AUTH_DATA | AUTH_SELF,
};

#define PASS_MAX (2 * AUTH_TOKEN_MAX)

/* "/ws-simple" opens that path and all below it. */
static bool is_open(const struct dialect_settings *s, struct slice path)
{
	for (size_t i = 0; i < s->open_path_count; i++) {
		struct slice open = slice_str(s->open_paths[i]);

		while (slice_ends(open, SLICE("/")))
			open.n--;
		if (slice_starts(path, open) &&
		    (path.n == open.n || path.p[open.n] == '/'))
			return true;
	}
	return false;
}

static struct admission *admission_make(const struct auth_pass *p,
					const struct addr *peer)
{
	struct buf pass = BUF_INIT(PASS_MAX), address = BUF_INIT(64);

	if (p)
		auth_pass_encode(&pass, p);
	addr_print_ip(peer, &address);
	struct admission *a = xzalloc(sizeof(*a) + address.n + pass.n);

	a->address_len = (uint8_t)address.n;
	a->pass_len = (uint32_t)pass.n;
	memcpy(a->bytes, address.p, address.n);
	if (pass.n > 0)
		memcpy(a->bytes + address.n, pass.p, pass.n);
	buf_fini(&address);
	buf_fini(&pass);
	return a;
}

static void refused(const struct addr *peer, const char *why)
{
	static _Thread_local struct log_limit limit;

	metric_add(METRIC_UNAUTHORIZED, 1);
	log_limited(&limit, "auth", "refused", "peer=%s why=\"%s\"",
		    addr_text(peer, &(struct addr_text){ 0 }), why);
}

int admit_token(struct dialect *d, struct slice path, struct slice token,
		const struct addr *peer, struct admission **out, const char **why)
{
	struct auth_pass p = guest;
	int err = 0;

	*out = NULL;
	if (auth_gate_open(d->gate))
		return 0;
	if (token.n > 0 || !is_open(d->settings, path))
		err = auth_gate_check(d->gate, token, loop_wall(d->loop), &p, why);
	if (err == E_UNAUTHORIZED)
		refused(peer, *why);
	if (err == 0)
		*out = admission_make(&p, peer);
	return err;
}

int admit_exchange(struct dialect *d, struct http_exchange *x, struct admission **out,
		   const char **why)
{
	const struct addr client = http_client(x);
	int err = admit_token(d, http_path(x), http_token(x), &client, out, why);

	/* In open mode the peer's address says all, unless a proxy has passed it on. */
	if (err == 0 && !*out && !addr_eq(&client, http_peer(x)))
		*out = admission_make(NULL, &client);
	return err;
}

struct slice admit_bytes(const struct session *s)
{
	const struct admission *a = s->admission;

	return a ? slice_of(a, sizeof(*a) + a->address_len + a->pass_len) : SLICE_NONE;
}

struct admission *admit_again(struct slice bytes)
{
	struct admission head;

	if (bytes.n < sizeof(head))
		return NULL;
	memcpy(&head, bytes.p, sizeof(head));
	if (head.pass_len != bytes.n - sizeof(head) - head.address_len ||
	    head.address_len > bytes.n - sizeof(head))
		return NULL;
	return xmemdup(bytes.p, bytes.n);
}

void admit_restored(struct slice bytes, struct command *join)
{
	struct admission *a = admit_again(bytes);

	if (!a)
		return;
	join->address = slice_of(bytes.p + sizeof(*a), a->address_len);
	join->pass = slice_from(bytes, sizeof(*a) + a->address_len);
	free(a);
}

static struct slice pass_of(const struct admission *a)
{
	return a ? slice_of(a->bytes + a->address_len, a->pass_len) : SLICE_NONE;
}

bool admit_may_join(const struct admission *a)
{
	struct auth_pass p;
	struct slice shown = pass_of(a);

	return shown.n == 0 ||
	       (auth_pass_decode(&p, shown) == 0 && (p.allow & AUTH_JOIN));
}

void admit_join(const struct session *s, struct command *join, struct addr_text *address)
{
	const struct admission *a = s->admission;

	join->pass = pass_of(s->admission);
	if (a) {
		join->address = slice_of(a->bytes, a->address_len);
	} else if (s->ws || s->sio) {
		struct buf b = BUF_INIT(sizeof(address->s));

		addr_print_ip(s->ws ? ws_peer(s->ws) : eio_peer(sio_conn(s->sio)), &b);
		memcpy(address->s, b.p, b.n);
		join->address = slice_of(address->s, b.n);
		buf_fini(&b);
	}
}

bool admit_pass(const struct session *s, struct auth_pass *p)
{
	return auth_pass_decode(p, pass_of(s->admission)) == 0;
}

struct slice admit_user(const struct session *s)
{
	struct auth_pass p;

	return admit_pass(s, &p) ? p.user : SLICE_NONE;
}
