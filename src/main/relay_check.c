#include "main/relay_check.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "doctor/relay_client.h"

#define AGAIN_AFTER 30000 /* ms after a failure */
#define NAP 50
#define TRIES 5 /* of a packet */
#define LIFE 60000

struct relay_check {
	pthread_t thread;
	bool started;
	_Atomic bool failed, stopping, ended;
	struct ice_target target; /* ourselves, by UDP */
	struct addr_text host;
	struct turn_credential credential;
	const struct turn_settings *settings;
};

static int open_relay(const struct relay_check *c, struct relay_client *relay)
{
	struct buf why = BUF_INIT(256);
	int err = relay_client_open(relay, &c->target, slice_str(c->credential.user),
				    slice_str(c->credential.password), &why);

	buf_fini(&why);
	if (err == 0)
		err = relay_client_allocate(relay);
	/* Packets to a relay come from our own address, be it a peer or another relay. */
	return err < 0 ? err : relay_client_permit(relay, &relay->relayed);
}

static int from_relay(struct relay_client *from, struct relay_client *to)
{
	const struct slice text = SLICE("from a relay");
	int err = E_TIMEOUT;

	for (int i = 0; i < TRIES && err == E_TIMEOUT; i++) {
		err = relay_client_send(from, &to->relayed, text);
		if (err == 0)
			err = relay_client_expect(to, text);
	}
	return err;
}

/* Through the relay's socket, as a peer's packets come. */
static int from_peer(struct relay_client *to)
{
	const struct slice text = SLICE("from a peer");
	struct buf host = BUF_INIT(64), why = BUF_INIT(256);
	struct link peer;

	addr_print_ip(&to->relayed, &host);
	int err = link_open(&peer, LINK_UDP, buf_slice(&host), to->relayed.port, 1000,
			    &why);
	for (int i = 0; i < TRIES && (err == 0 || err == E_TIMEOUT); i++) {
		err = link_send(&peer, text, 1000);
		if (err == 0)
			err = relay_client_expect(to, text);
		if (err == 0)
			break;
	}
	link_close(&peer);
	buf_fini(&host);
	buf_fini(&why);
	return err;
}

/* Behind a one-to-one NAT the way in leads through it: that cannot be tried from here. */
static bool can_be_peer(const struct relay_check *c, const struct addr *relayed)
{
	const struct addr *bound = &c->settings->bound[relayed->family == AF_INET6];

	return memcmp(bound->ip, relayed->ip, sizeof(bound->ip)) == 0;
}

/* How far it came, and with which refusal it ended (0: none). */
struct outcome {
	const char *step;
	unsigned code;
};

static int try_relays(const struct relay_check *c, struct outcome *o)
{
	struct relay_client a, b;

	*o = (struct outcome){ .step = "allocate" };
	int err = open_relay(c, &a);
	if (err < 0) {
		o->code = err == E_DENIED ? a.error : 0;
		relay_client_close(&a);
		return err;
	}
	err = open_relay(c, &b);
	o->code = err == E_DENIED ? b.error : 0;
	if (err == 0) {
		o->step = "relay-to-relay";
		err = from_relay(&a, &b);
	}
	if (err == 0 && can_be_peer(c, &a.relayed)) {
		o->step = "peer-to-relay";
		err = from_peer(&a);
	}
	relay_client_release(&a);
	relay_client_release(&b);
	relay_client_close(&a);
	relay_client_close(&b);
	return err;
}

static void nap(const struct relay_check *c, ms_t ms)
{
	const struct timespec t = { .tv_nsec = NAP * 1000000 };

	for (; ms > 0 && !atomic_load(&c->stopping); ms -= NAP)
		nanosleep(&t, NULL);
}

static void *run(void *arg)
{
	struct relay_check *c = arg;
	struct outcome o;
	int err;

	while (!atomic_load(&c->stopping) && (err = try_relays(c, &o)) < 0) {
		if (atomic_load(&c->stopping))
			break;
		atomic_store(&c->failed, true);
		log_error("turn", "check-failed",
			  "step=%s code=%u err=\"%s\"; see turn.relay-address, "
			  "turn.port-range and "
			  "the firewall",
			  o.step, o.code, err_text(err));
		nap(c, AGAIN_AFTER);
	}
	if (atomic_exchange(&c->failed, false) && !atomic_load(&c->stopping))
		log_info("turn", "check-passed", "relays work now");
	atomic_store(&c->ended, true);
	return NULL;
}

struct relay_check *relay_check_create(const struct relays *r, const struct addr *main)
{
	if (r->turn.alternate.family)
		return NULL; /* it would be sent away, as everybody is */
	struct relay_check *c = xzalloc(sizeof(*c));
	struct stun_hmac *h = stun_hmac_create();
	struct buf host = { .p = (uint8_t *)c->host.s,
			    .cap = sizeof(c->host.s),
			    .max = sizeof(c->host.s) };

	c->settings = &r->turn;
	if (addr_is_any(main))
		buf_str(&host, "127.0.0.1"); /* [::] takes IPv4 as well */
	else
		addr_print_ip(main, &host);
	c->target.at.host = buf_slice(&host);
	c->target.at.port = main->port;
	int err = turn_credential_make(&r->turn.users, h, SLICE("check"),
				       clock_wall() + LIFE, &c->credential);
	stun_hmac_destroy(h);
	if (err == 0)
		return c;
	free(c);
	return NULL;
}

void relay_check_start(struct relay_check *c)
{
	if (c)
		c->started = pthread_create(&c->thread, NULL, run, c) == 0;
}

bool relay_check_ended(struct relay_check *c)
{
	if (!c)
		return true;
	atomic_store(&c->stopping, true);
	return !c->started || atomic_load(&c->ended);
}

void relay_check_destroy(struct relay_check *c)
{
	if (!c)
		return;
	atomic_store(&c->stopping, true);
	if (c->started)
		pthread_join(c->thread, NULL);
	free(c);
}

const _Atomic bool *relay_check_failed(const struct relay_check *c)
{
	return c ? &c->failed : NULL;
}
