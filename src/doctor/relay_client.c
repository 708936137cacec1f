#include "doctor/relay_client.h"

#include <errno.h>
#include <openssl/evp.h>

#include "base/err.h"
#include "base/rand.h"

#define REQUEST_MAX 2048
#define ANSWER_MAX 65536
#define STEP 500      /* ms before a request is sent anew over UDP (RFC 8489, 6.2.1) */
#define PATIENCE 4000 /* ms for an answer */
#define UDP_TRANSPORT (17u << 24)

/* --- receiving --- */

/* One whole message or datagram into c->message and c->answer; what is no STUN is passed over. */
static int next_message(struct relay_client *c, ms_t until)
{
	for (;;) {
		int size = c->in.n ? stun_size(c->in.p, c->in.n) : -EAGAIN;

		if (size == 0)
			return E_MALFORMED;
		if (size > 0 && (size_t)size <= c->in.n) {
			buf_clear(&c->message);
			buf_add(&c->message, c->in.p, (size_t)size);
			buf_drop(&c->in, (size_t)size);
			return stun_decode(&c->answer, c->message.p, c->message.n);
		}
		uint8_t *room = buf_room(&c->in, 2048);
		ssize_t n =
			room ? link_receive(&c->link, room, 2048, until - clock_mono())
			     : E_LIMIT;
		if (n <= 0)
			return n < 0 ? (int)n : -ECONNRESET;
		c->in.n += (size_t)n;
	}
}

static int await_answer(struct relay_client *c, struct slice tid, ms_t until)
{
	int err;

	do
		err = next_message(c, until);
	while (err == 0 &&
	       (!slice_eq(c->answer.tid, tid) || c->answer.class == STUN_REQUEST ||
		c->answer.class == STUN_INDICATION));
	return err;
}

/* --- asking --- */

static void note_refusal(struct relay_client *c)
{
	struct slice value = stun_value(&c->answer, STUN_ERROR_CODE);

	buf_clear(&c->reason);
	if (stun_get_error(&c->answer, &c->error) < 0)
		c->error = 500;
	buf_put(&c->reason, slice_from(value, 4));
}

/* Sends until answered (once over TCP). E_DENIED: refused, see c->error. */
static int transact(struct relay_client *c, const struct buf *request)
{
	struct slice tid = slice_of(request->p + STUN_HEADER - STUN_TID, STUN_TID);
	ms_t end = clock_mono() + PATIENCE;
	int err = E_TIMEOUT;

	for (ms_t step = STEP; err == E_TIMEOUT && clock_mono() < end; step *= 2) {
		ms_t until = c->link.stream || clock_mono() + step > end
				     ? end
				     : clock_mono() + step;

		err = link_send(&c->link, buf_slice(request), PATIENCE);
		if (err == 0)
			err = await_answer(c, tid, until);
	}
	if (err < 0)
		return err;
	c->error = 0;
	if (c->answer.class == STUN_SUCCESS)
		return 0;
	note_refusal(c);
	return E_DENIED;
}

/* RFC 8489, 9.2.2: key = MD5(username ":" OpaqueString(realm) ":" OpaqueString(password)) */
static void make_key(struct relay_client *c)
{
	struct buf text = BUF_INIT(REQUEST_MAX);
	unsigned n = 0;

	buf_put(&text, c->username);
	buf_u8(&text, ':');
	buf_put(&text, buf_slice(&c->realm));
	buf_u8(&text, ':');
	buf_put(&text, c->password);
	EVP_Digest(text.p, text.n, c->key, &n, EVP_md5(), NULL);
	buf_fini(&text);
}

static void learn_challenge(struct relay_client *c)
{
	buf_clear(&c->realm);
	buf_clear(&c->nonce);
	buf_put(&c->realm, stun_value(&c->answer, STUN_REALM));
	buf_put(&c->nonce, stun_value(&c->answer, STUN_NONCE));
	make_key(c);
}

static void begin(struct buf *b, enum stun_method method)
{
	uint8_t tid[STUN_TID];

	rand_bytes(tid, sizeof(tid));
	buf_clear(b);
	stun_begin(b, method, STUN_REQUEST, slice_of(tid, sizeof(tid)));
}

typedef void attributes_fn(struct buf *b, const struct addr *peer);

/* A request with credentials; 401 and 438 bring a realm and a nonce, and it is asked again. */
static int request(struct relay_client *c, enum stun_method method, attributes_fn *put,
		   const struct addr *peer)
{
	struct buf b = BUF_INIT(REQUEST_MAX);
	int err = E_DENIED;

	for (int round = 0; round < 3 && err == E_DENIED; round++) {
		begin(&b, method);
		put(&b, peer);
		if (c->nonce.n > 0) {
			stun_put(&b, STUN_USERNAME, c->username);
			stun_put(&b, STUN_REALM, buf_slice(&c->realm));
			stun_put(&b, STUN_NONCE, buf_slice(&c->nonce));
			stun_put_integrity(c->hmac, &b, STUN_PROOF_SHA1,
					   slice_of(c->key, sizeof(c->key)));
		}
		bool first = c->nonce.n == 0;

		err = transact(c, &b);
		if (err == E_DENIED && !((c->error == 401 && first) || c->error == 438))
			break;
		if (err == E_DENIED)
			learn_challenge(c);
	}
	buf_fini(&b);
	return err;
}

static void put_transport(struct buf *b, const struct addr *peer)
{
	(void)peer;
	stun_put_u32(b, STUN_REQUESTED_TRANSPORT, UDP_TRANSPORT);
}

static void put_peer(struct buf *b, const struct addr *peer)
{
	stun_put_xor_addr(b, STUN_XOR_PEER_ADDRESS, peer);
}

static void put_no_life(struct buf *b, const struct addr *peer)
{
	(void)peer;
	stun_put_u32(b, STUN_LIFETIME, 0);
}

static int read_addr(const struct relay_client *c, unsigned type, struct addr *out)
{
	const struct stun_attr *a = stun_find(&c->answer, type);

	return a ? stun_get_xor_addr(&c->answer, a, out) : E_MALFORMED;
}

/* --- public --- */

int relay_client_open(struct relay_client *c, const struct ice_target *t,
		      struct slice username, struct slice password, struct buf *why)
{
	*c = (struct relay_client){
		.username = username,
		.password = password,
		.realm = BUF_INIT(1024),
		.nonce = BUF_INIT(1024),
		.in = BUF_INIT(ANSWER_MAX),
		.message = BUF_INIT(ANSWER_MAX),
		.reason = BUF_INIT(1024),
		.hmac = stun_hmac_create(),
	};
	return link_open(&c->link, link_kind(t->tls, t->tcp), t->at.host, t->at.port,
			 PATIENCE, why);
}

void relay_client_close(struct relay_client *c)
{
	link_close(&c->link);
	stun_hmac_destroy(c->hmac);
	buf_fini(&c->realm);
	buf_fini(&c->nonce);
	buf_fini(&c->in);
	buf_fini(&c->message);
	buf_fini(&c->reason);
}

int relay_client_bind(struct relay_client *c)
{
	struct buf b = BUF_INIT(REQUEST_MAX);

	begin(&b, STUN_BINDING);
	int err = transact(c, &b);
	buf_fini(&b);
	return err < 0 ? err : read_addr(c, STUN_XOR_MAPPED_ADDRESS, &c->mapped);
}

int relay_client_allocate(struct relay_client *c)
{
	int err = request(c, STUN_ALLOCATE, put_transport, NULL);

	if (err == 0)
		err = read_addr(c, STUN_XOR_RELAYED_ADDRESS, &c->relayed);
	if (err == 0)
		err = read_addr(c, STUN_XOR_MAPPED_ADDRESS, &c->mapped);
	return err;
}

void relay_client_release(struct relay_client *c)
{
	int err = request(c, STUN_REFRESH, put_no_life, NULL);

	(void)err;
}

int relay_client_permit(struct relay_client *c, const struct addr *peer)
{
	return request(c, STUN_CREATE_PERMISSION, put_peer, peer);
}

int relay_client_send(struct relay_client *c, const struct addr *peer, struct slice data)
{
	struct buf b = BUF_INIT(REQUEST_MAX);
	uint8_t tid[STUN_TID];

	rand_bytes(tid, sizeof(tid));
	stun_begin(&b, STUN_SEND, STUN_INDICATION, slice_of(tid, sizeof(tid)));
	stun_put_xor_addr(&b, STUN_XOR_PEER_ADDRESS, peer);
	stun_put(&b, STUN_DATA_VALUE, data);
	int err = link_send(&c->link, buf_slice(&b), PATIENCE);
	buf_fini(&b);
	return err;
}

int relay_client_expect(struct relay_client *c, struct slice data)
{
	ms_t until = clock_mono() + STEP;
	int err;

	do
		err = next_message(c, until);
	while (err == 0 && (c->answer.method != STUN_DATA ||
			    !slice_eq(stun_value(&c->answer, STUN_DATA_VALUE), data)));
	return err < 0 ? err : read_addr(c, STUN_XOR_PEER_ADDRESS, &c->peer);
}
