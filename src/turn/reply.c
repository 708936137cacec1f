/* Answers: signed when the request was, with a FINGERPRINT when it had one. */
#include "turn/internal.h"

#include "base/base64.h"
#include "turn/nonce.h"

/* RFC 8489, 14.11: SHA-256 first, then MD5; no parameters. */
const uint8_t turn_algorithms[8] = { 0, TURN_SHA256, 0, 0, 0, TURN_MD5, 0, 0 };

static const char *error_phrase(unsigned code)
{
	switch (code) {
#define X(number, phrase)                                                                \
	case number:                                                                     \
		return phrase;
		TURN_ERROR_LIST(X)
#undef X
	}
	return "Server Error";
}

void turn_send_out(struct turn *t, const struct turn_path *to)
{
	const struct turn_parts parts = { .body = buf_slice(&t->out) };

	if (!t->out.bad)
		t->ops->send(t->arg, to, &parts);
}

void turn_reply_begin(struct turn_request *r, enum stun_class class)
{
	stun_begin(&r->turn->out, (enum stun_method)r->m->method, class, r->m->tid);
}

void turn_reply_end(struct turn_request *r)
{
	struct turn *t = r->turn;
	struct slice key = slice_of(r->user.key.p, r->user.key.n);

	stun_put_integrity(t->hmac, &t->out, r->proof, key);
	if (r->m->fingerprint)
		stun_put_fingerprint(&t->out);
	turn_send_out(t, r->path);
}

void turn_reply_error(struct turn_request *r, unsigned code)
{
	metric_add(code == 486 || code == 508 ? METRIC_TURN_QUOTA : METRIC_TURN_ERRORS,
		   1);
	turn_reply_begin(r, STUN_ERROR);
	stun_put_error(&r->turn->out, code, error_phrase(code));
	turn_reply_end(r);
}

/* RFC 8489, 9.2.4: where to begin anew. Never signed: the key is not to be trusted. */
static void put_challenge(struct turn_request *r, unsigned features)
{
	struct turn *t = r->turn;
	struct turn_nonce nonce;

	turn_nonce_make(&nonce, t->settings->nonce_key, &r->path->remote, r->now.wall,
			features);
	stun_put(&t->out, STUN_REALM, slice_str(t->settings->realm));
	stun_put(&t->out, STUN_NONCE, slice_of(nonce.text, sizeof(nonce.text)));
	stun_put(&t->out, STUN_PASSWORD_ALGORITHMS,
		 slice_of(turn_algorithms, sizeof(turn_algorithms)));
}

void turn_reply_refusal(struct turn_request *r, enum turn_refusal why)
{
	r->proof = STUN_PROOF_NONE;
	turn_reply_begin(r, STUN_ERROR);
	stun_put_error(&r->turn->out, turn_refusal_code(why), turn_refusal_phrase(why));
	unsigned features = TURN_ALGORITHMS;
	if (r->turn->settings->users.by_hash.count > 0 && why != TURN_REFUSAL_NAME)
		features |= TURN_ANONYMITY;
	if (turn_refusal_code(why) != 400)
		put_challenge(r, features);
	turn_reply_end(r);
}

void turn_reply_unknown(struct turn_request *r)
{
	struct turn *t = r->turn;
	uint8_t list[2 * STUN_MAX_ATTRS];
	size_t n = 0;

	for (unsigned i = 0; i < r->m->count; i++) {
		uint16_t type = r->m->attr[i].type;
		if (stun_is_known(type))
			continue;
		list[n++] = (uint8_t)(type >> 8);
		list[n++] = (uint8_t)type;
	}
	metric_add(METRIC_TURN_ERRORS, 1);
	turn_reply_begin(r, STUN_ERROR);
	stun_put_error(&t->out, 420, error_phrase(420));
	stun_put(&t->out, STUN_UNKNOWN_ATTRIBUTES, slice_of(list, n));
	turn_reply_end(r);
}
