/* Who asks: the long-term credential mechanism (RFC 8489, 9.2.4).
 *
 * Cheap tests come first, and nothing is kept for who fails: a flood of requests without a proof costs an answer of
 * bounded rate, one with made-up nonces a hash each, and only who has heard our nonce lately can make us compute
 * an HMAC.
 */
#include "turn/internal.h"

#include "base/err.h"
#include "turn/nonce.h"

/* A token bucket per address, in a table of fixed size. */
bool turn_may_answer(struct turn *t, const struct turn_path *path, struct turn_now now)
{
	uint64_t rate = t->settings->unproven_rate, most = rate * 1000;

	if (rate == 0 || path->transport != TURN_UDP)
		return true; /* the others' addresses are proven */
	struct slice ip =
		slice_of(path->remote.ip, path->remote.family == AF_INET ? 4 : 8);
	struct turn_bucket *b =
		&t->buckets[hash_keyed(ip, t->settings->nonce_key) % TURN_BUCKETS];
	uint32_t at = (uint32_t)now.mono;
	uint64_t tokens = b->tokens + (uint64_t)(at - b->at) * rate;

	b->at = at;
	b->tokens = (uint32_t)(tokens > most ? most : tokens);
	if (b->tokens < 1000) {
		metric_add(METRIC_TURN_UNPROVEN, 1);
		return false;
	}
	b->tokens -= 1000;
	return true;
}

/* To be asked for a credential and to renew a nonce is the usual way, not a refusal. */
static bool is_usual(enum turn_refusal why)
{
	return why == TURN_REFUSAL_NONE || why == TURN_REFUSAL_STALE ||
	       why == TURN_REFUSAL_NAME;
}

void turn_refuse(struct turn_request *r, enum turn_refusal why)
{
	struct turn *t = r->turn;
	const struct turn_refused note = {
		.at = r->now.wall,
		.expired = why == TURN_REFUSAL_EXPIRED ? r->now.wall - r->user.until : 0,
		.why = why,
	};
	struct addr_text from;
	struct log_text user;

	if (!is_usual(why)) {
		metric_add(METRIC_TURN_REFUSED, 1);
		log_limited(&t->refused_log, "turn", "refused",
			    "from=%s why=%s user=%s method=%u expired-for=%llds",
			    addr_text(&r->path->remote, &from), turn_refusal_name(why),
			    log_value(&user, r->user_name), r->m->method,
			    (long long)note.expired / 1000);
	}
	/* Who is asked anew time and again would like to know of that too. */
	if (why != TURN_REFUSAL_NONE)
		turn_refusals_note(t->settings->refusals, r->user_name, &note);
	turn_reply_refusal(r, why);
}

static bool refuse(struct turn_request *r, enum turn_refusal why)
{
	if (turn_may_answer(r->turn, r->path, r->now))
		turn_refuse(r, why);
	return false;
}

/* RFC 8489, 9.2.4: what was offered is repeated unchanged, or neither attribute is there, which means MD5. */
static bool read_algorithm(struct turn_request *r)
{
	const struct stun_attr *offered = stun_find(r->m, STUN_PASSWORD_ALGORITHMS);
	const struct stun_attr *chosen = stun_find(r->m, STUN_PASSWORD_ALGORITHM);

	r->algorithm = TURN_MD5;
	if (!offered && !chosen)
		return true;
	if (!offered || !chosen || chosen->value.n < 4 ||
	    !slice_eq(offered->value, slice_of(turn_algorithms, sizeof(turn_algorithms))))
		return false;
	struct cur c = cur_of_slice(chosen->value);
	unsigned algorithm = cur_be16(&c), parameters = cur_be16(&c);
	if (parameters != 0 || (algorithm != TURN_MD5 && algorithm != TURN_SHA256))
		return false;
	r->algorithm = (enum turn_algorithm)algorithm;
	return true;
}

/* RFC 8489, 9.2.4, with a USERHASH. Nobody can tell an expiring name from its hash, so who shows such a hash is asked
 * anew, by a nonce that does not ask for a hash. */
static bool find_name(struct turn_request *r, struct slice hash)
{
	r->user_name = turn_users_unhash(&r->turn->settings->users, hash);
	return r->user_name.n > 0;
}

/* The key of an allocation is that of its credential; else the user is looked up. */
static int find_key(struct turn_request *r)
{
	const struct turn_settings *s = r->turn->settings;
	const struct turn_alloc *a = r->alloc;

	if (a && a->algorithm == r->algorithm && slice_eq(a->user, r->user_name)) {
		r->user.key = a->key;
		r->user.until = 0;
		r->session = a->session;
		return 0;
	}
	int err = turn_user_find(&s->users, r->turn->hmac, r->user_name,
				 slice_str(s->realm), r->algorithm, &r->user);
	if (err == 0 && r->user.until > 0 && s->session_of)
		r->session = s->session_of(r->user.who);
	return err;
}

bool turn_authenticate(struct turn_request *r)
{
	const struct turn_settings *s = r->turn->settings;
	struct slice nonce = stun_value(r->m, STUN_NONCE);
	struct slice realm = stun_value(r->m, STUN_REALM);
	struct slice hash = stun_value(r->m, STUN_USERHASH);
	unsigned features;

	r->user_name = stun_value(r->m, STUN_USERNAME);
	r->proof = stun_proof(r->m);
	if (r->proof == STUN_PROOF_NONE)
		return refuse(r, TURN_REFUSAL_NONE);
	if ((r->user_name.n > 0) == (hash.n > 0) || nonce.n == 0 ||
	    !stun_find(r->m, STUN_REALM))
		return refuse(r, TURN_REFUSAL_INCOMPLETE);
	if (!read_algorithm(r))
		return refuse(r, TURN_REFUSAL_ALGORITHM);
	if (!turn_nonce_is_good(nonce, s->nonce_key, &r->path->remote, r->now.wall,
				s->nonce_lifetime, &features))
		return refuse(r, TURN_REFUSAL_STALE);
	if (!slice_is(realm, s->realm))
		return refuse(r, TURN_REFUSAL_REALM);
	if (hash.n > 0 && !find_name(r, hash))
		return refuse(r, features & TURN_ANONYMITY ? TURN_REFUSAL_NAME
							   : TURN_REFUSAL_USER);
	if (!turn_move_find(r))
		return false;
	if (find_key(r) < 0)
		return refuse(r, TURN_REFUSAL_USER);
	if (stun_check_integrity(r->turn->hmac, r->m, r->proof,
				 slice_of(r->user.key.p, r->user.key.n)) < 0)
		return refuse(r, TURN_REFUSAL_PASSWORD);
	if (r->user.until > 0 && r->now.wall >= r->user.until)
		return refuse(r, TURN_REFUSAL_EXPIRED);
	return true;
}
