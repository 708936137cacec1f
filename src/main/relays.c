#include "main/relays.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "doctor/relay_client.h"
#include "net/tls.h"
#include "net/udp.h"

#define SECRET_LETTERS 32
#define OWN_MAX 1024 /* addresses of this machine, with those of its containers */

static int wrong(struct buf *why, const char *option, const char *value, const char *form)
{
	buf_printf(why, "%s: %s is no %s", option, value, form);
	return E_MALFORMED;
}

/* --- secret and users --- */

/* The secret of credentials that this server makes for itself: kept, so that they survive a restart. */
static int open_secret(struct relays *r, const struct config *c, struct buf *why)
{
	struct buf path = BUF_INIT(4096);
	char made[SECRET_LETTERS];

	buf_init(&r->secret, 4096);
	if (c->turn_secret[0]) {
		buf_str(&r->secret, c->turn_secret);
		return 0;
	}
	buf_printf(&path, "%s/turn-secret%c", c->data_dir, 0);
	const char *name = (const char *)path.p;
	int err = file_read(name, r->secret.max, &r->secret);
	if (err == -ENOENT) {
		rand_text(made, sizeof(made));
		buf_add(&r->secret, made, sizeof(made));
		err = file_write(name, buf_slice(&r->secret), 0600);
	}
	if (err < 0)
		buf_printf(why, "cannot keep the TURN secret in %s: %s", name,
			   err_text(err));
	buf_fini(&path);
	return err;
}

static int open_users(struct relays *r, const struct config *c, struct buf *why)
{
	struct turn_users *u = &r->turn.users;

	turn_users_init(u);
	u->secret = buf_slice(&r->secret);
	for (size_t i = 0; i < c->turn_users.count; i++)
		if (turn_users_add(u, slice_str(c->turn_users.item[i]),
				   slice_str(c->turn_realm)) < 0) {
			buf_printf(
				why,
				"turn.user number %zu is not NAME:PASSWORD with a name "
				"that is no number",
				i + 1);
			return E_MALFORMED;
		}
	return 0;
}

/* --- addresses --- */

/* A socket can be bound to it: it is one of this machine's. */
static bool is_here(const struct addr *a)
{
	struct addr at = *a;

	at.port = 0;
	int fd = udp_reserve(&at);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void set_relay(struct relays *r, const struct addr *told, const struct addr *bound)
{
	unsigned row = told->family == AF_INET6;

	if (r->turn.told[row].family)
		return; /* the first of a family counts */
	r->turn.told[row] = *told;
	r->turn.bound[row] = *bound;
	if (!is_here(bound))
		r->turn.bound[row] = (struct addr){ .family = bound->family };
}

static int read_relay(struct relays *r, const char *item, struct buf *why)
{
	struct slice rest = slice_str(item), part;
	struct addr told, bound;

	if (!slice_split(&rest, '/', &part) || addr_parse_ip(&told, part) < 0 ||
	    addr_is_any(&told))
		return wrong(why, "turn.relay-address", item, "IP address");
	bound = told;
	if (rest.n > 0 &&
	    (addr_parse_ip(&bound, rest) < 0 || bound.family != told.family))
		return wrong(why, "turn.relay-address", item, "PUBLIC/LOCAL pair");
	if (r->turn.told[told.family == AF_INET6].family) {
		buf_printf(
			why,
			"turn.relay-address: %s is a second IPv%d address; relays have "
			"one of each family",
			item, told.family == AF_INET6 ? 6 : 4);
		return E_MALFORMED;
	}
	if (rest.n > 0 && !is_here(&bound))
		log_warn("turn", "not-here",
			 "relay-address=%s the local one is none of this machine's: "
			 "bound to any",
			 item);
	set_relay(r, &told, &bound);
	return 0;
}

/* Without a word in the settings: an address that we listen on, or of this machine, public ones first. */
static void find_relays(struct relays *r, const struct addr *main, size_t count)
{
	static const struct addr loopback = { .family = AF_INET, .ip = { 127, 0, 0, 1 } };
	struct addr local[16];
	size_t n = addr_local(local, ARRAY_LEN(local));
	bool any = false;

	for (size_t i = 0; i < count; i++) {
		struct addr a = main[i];
		a.port = 0;
		if (addr_is_any(&a))
			any = true;
		else
			set_relay(r, &a, &a);
	}
	for (unsigned wanted = 1; any && wanted <= 2; wanted++)
		for (size_t i = 0; i < n; i++)
			if (turn_policy_is_public(&local[i]) == (wanted == 1))
				set_relay(r, &local[i], &local[i]);
	if (!r->turn.told[0].family && !r->turn.told[1].family)
		set_relay(r, &loopback, &loopback);
}

/* What a STUN server sees of us is what others will reach. Blocks for some seconds at most. */
static void discover(struct relays *r, const char *server)
{
	struct buf url = BUF_INIT(512), why = BUF_INIT(256);
	struct relay_client c;
	struct ice_target t;
	struct addr_text text;

	buf_printf(&url, "stun:%s", server);
	int err = target_parse_ice(&t, buf_slice(&url));
	if (err == 0) {
		err = relay_client_open(&c, &t, SLICE_NONE, SLICE_NONE, &why);
		if (err == 0)
			err = relay_client_bind(&c);
		if (err == 0) {
			set_relay(r, &c.mapped, &c.link.local);
			log_info("turn", "discovered", "address=%s",
				 addr_text(&c.mapped, &text));
		}
		relay_client_close(&c);
	}
	if (err < 0)
		log_warn("turn", "not-discovered", "server=%s err=\"%s\"", server,
			 err_text(err));
	buf_fini(&url);
	buf_fini(&why);
}

static int open_relays(struct relays *r, const struct config *c, const struct addr *main,
		       size_t count, struct buf *why)
{
	for (size_t i = 0; i < c->turn_relay_addresses.count; i++) {
		int err = read_relay(r, c->turn_relay_addresses.item[i], why);
		if (err < 0)
			return err;
	}
	if (c->turn_relay_addresses.count == 0 && c->turn_discover[0])
		discover(r, c->turn_discover);
	if (c->turn_relay_addresses.count == 0)
		find_relays(r, main, count);
	return 0;
}

static int open_policy(struct relays *r, const struct config *c, struct buf *why)
{
	struct turn_policy *p = &r->turn.policy;
	struct addr own[OWN_MAX];
	size_t n = addr_own(own, ARRAY_LEN(own));

	for (size_t i = 0; i < c->turn_allow_peers.count; i++)
		if (turn_policy_allow(p, slice_str(c->turn_allow_peers.item[i])) < 0)
			return wrong(why, "turn.allow-peer", c->turn_allow_peers.item[i],
				     "CIDR, such as 10.0.0.0/8");
	for (unsigned row = 0; row < 2; row++)
		if (r->turn.told[row].family) {
			turn_policy_add_own(p, &r->turn.told[row]);
			turn_policy_add_own(p, &r->turn.bound[row]);
		}
	for (size_t i = 0; i < n; i++)
		if (turn_policy_is_public(&own[i])) /* the others are denied anyway */
			turn_policy_add_own(p, &own[i]);
	return 0;
}

/* --- ports --- */

static int open_ledger(struct relays *r, const struct config *c, struct buf *why)
{
	struct slice rest = slice_str(c->turn_port_range), part = SLICE_NONE;
	const struct turn_quotas quotas = {
		.total = (uint32_t)c->turn_max_allocations,
		.per_user = (uint32_t)c->turn_user_quota,
		.per_address = (uint32_t)c->turn_address_quota,
	};
	uint32_t low, high;

	if (!slice_split(&rest, '-', &part) || slice_to_u32(part, &low) < 0 ||
	    slice_to_u32(rest, &high) < 0 || low == 0 || low > high || high > UINT16_MAX)
		return wrong(why, "turn.port-range", c->turn_port_range,
			     "range of ports, such as 49152-65535");
	r->turn.ledger = turn_ledger_create(&quotas, (uint16_t)low, (uint16_t)high);
	return 0;
}

static int read_listen(struct relays *r, const struct option_list *l, const char *option,
		       uint16_t *first, struct buf *why)
{
	for (size_t i = 0; i < l->count; i++) {
		struct addr *a = &r->listen[r->listen_count];
		if (r->listen_count == RELAYS_MAX_LISTEN)
			return wrong(why, option, l->item[i], "address more: 8 at most");
		if (addr_parse(a, slice_str(l->item[i])) < 0 || a->port == 0)
			return wrong(why, option, l->item[i],
				     "address:port, such as [::]:3478");
		r->listen_count++;
		if (*first == 0)
			*first = a->port;
	}
	return 0;
}

int relays_init(struct relays *r, const struct config *c, const struct addr *main,
		size_t count, struct buf *why)
{
	*r = (struct relays){
		.turn = {
			.realm = c->turn_realm,
			.lifetime = c->turn_lifetime,
			.max_lifetime = c->turn_max_lifetime,
			.nonce_lifetime = c->turn_nonce_life,
			.max_peers = (uint32_t)c->turn_max_peers,
			.unproven_rate = (uint32_t)c->turn_unproven_rate,
			.nonce_key = { rand_u64(), rand_u64() },
			.session_of = dialect_session_of,
			.mobility = c->turn_mobility,
		},
	};
	r->turn.refusals = turn_refusals_create();
	rand_bytes(r->turn.ticket_key, sizeof(r->turn.ticket_key));
	int err = open_secret(r, c, why);
	if (err == 0)
		err = open_users(r, c, why);
	if (err == 0)
		err = open_relays(r, c, main, count, why);
	if (err == 0)
		err = open_policy(r, c, why);
	if (err == 0)
		err = open_ledger(r, c, why);
	if (err == 0)
		err = read_listen(r, &c->turn_listen, "turn.listen", &r->turn_port, why);
	if (err == 0)
		err = read_listen(r, &c->turn_tls_listen, "turn.tls-listen",
				  &r->turns_port, why);
	if (err == 0 && c->turn_alternate[0] &&
	    addr_parse(&r->turn.alternate, slice_str(c->turn_alternate)) < 0)
		err = wrong(why, "turn.alternate-server", c->turn_alternate,
			    "address:port");
	if (err == 0 && slice_str(c->turn_realm).n - 1 > 126)
		err = wrong(why, "turn.realm", c->turn_realm, "name of 1 to 127 bytes");
	return err;
}

void relays_fini(struct relays *r)
{
	turn_users_fini(&r->turn.users);
	turn_ledger_destroy(r->turn.ledger);
	turn_refusals_destroy(r->turn.refusals);
	buf_fini(&r->secret);
}

/* Browsers take no relay by TLS from a certificate that they only warn of elsewhere. */
static bool is_trusted(const char *cert_file)
{
	if (!cert_file[0])
		return false;
	if (tls_is_self_signed(cert_file) <= 0)
		return true;
	log_warn("turn", "no-turns",
		 "cert=%s is signed by itself: relays by TLS are not offered", cert_file);
	return false;
}

void relays_fill_offer(const struct relays *r, const struct config *c,
		       const struct addr *main, struct ice_offer *o)
{
	o->place = c->turn_place;
	o->port = main->port;
	o->turn_port = r->turn_port;
	o->turns_port = r->turns_port;
	o->trusted = is_trusted(c->tls_cert);
	o->life = c->turn_credential_life;
}
