/* check_nat: what becomes of a datagram on its way from here. One socket asks the server what it sees of it, and then speaks to
 * the port of a relay, which says whom it hears: nobody (the relay's port is closed), the same, or another. In the last case
 * the network is one that gives each destination a port of its own (RFC 4787, 4.1: not endpoint-independent), where others
 * cannot send back to what they were told.
 */
#include "base/err.h"
#include "doctor/checks.h"
#include "doctor/relay_client.h"
#include "turn/policy.h"

static const struct slice text = SLICE("parley doctor, directly");

struct nat_probe {
	struct relay_client relay, self;
	ms_t took; /* from here to the relay */
};

/* E_DENIED: the relay takes nothing from the likes of us. E_TIMEOUT: nothing comes. */
static int speak_to_relay(struct nat_probe *n)
{
	int err = relay_client_permit(&n->relay, &n->self.mapped);

	if (err == 0)
		err = link_redirect(&n->self.link, &n->relay.relayed);
	if (err < 0)
		return err;
	err = E_TIMEOUT;
	for (int i = 0; i < MESSAGE_TRIES && err == E_TIMEOUT; i++) {
		ms_t begin = clock_mono();

		err = link_send(&n->self.link, text, CHECK_TIMEOUT);
		if (err == 0)
			err = relay_client_expect(&n->relay, text);
		n->took = clock_mono() - begin;
	}
	return err;
}

static int probe(struct nat_probe *n, const struct ice_server *s, struct buf *why)
{
	int err =
		relay_client_open(&n->relay, &s->target, s->username, s->credential, why);

	if (err == 0)
		err = relay_client_allocate(&n->relay);
	if (err == 0)
		err = relay_client_bind(&n->self);
	return err < 0 ? err : speak_to_relay(n);
}

/* --- what is said of it --- */

static bool is_there_none(const struct nat_probe *n)
{
	return addr_same_ip(&n->self.mapped, &n->self.link.local);
}

static void report_none(struct report *r, const struct nat_probe *n)
{
	struct addr_text seen;

	report_pass(r, "NAT", "none: others see this machine's own %s",
		    addr_text(&n->self.mapped, &seen));
}

static void report_nat(struct report *r, const struct nat_probe *n)
{
	struct addr_text seen, heard;
	const struct addr *mapped = &n->self.mapped;

	if (!addr_eq(mapped, &n->relay.peer))
		report_fail(r, "NAT",
			    "nothing, while a relay passes: calls from here go over it. "
			    "Directly: a router that keeps ports, or IPv6",
			    "symmetric: the server sees %s, a relay %s; who is behind "
			    "another such NAT is not reached directly",
			    addr_text(mapped, &seen), addr_text(&n->relay.peer, &heard));
	else if (is_there_none(n))
		report_none(r, n);
	else
		report_pass(r, "NAT", "one port for all: everybody sees %s",
			    addr_text(mapped, &seen));
}

/* What a private network meets: its people reach each other, but not somebody else's relay them. */
static void report_denied(struct report *r, const struct nat_probe *n)
{
	struct buf cure = BUF_INIT(512);
	struct addr_text seen;

	addr_text(&n->self.mapped, &seen);
	buf_str(&cure, "where a relay is to reach who is here and has none: "
		       "turn.allow-peer ");
	addr_print_ip(&n->self.mapped, &cure);
	buf_str(&cure, ", or the range it is in; else ask from outside the server's "
		       "network");
	buf_u8(&cure, 0);
	report_leave_out(r, "relay ports", (const char *)cure.p,
			 "relays take nothing from %s, %s; from relay to relay all "
			 "passes",
			 seen.s,
			 turn_policy_is_public(&n->self.mapped)
				 ? "an address of the server's machine"
				 : "a private address");
	if (is_there_none(n))
		report_none(r, n);
	else
		report_leave_out(r, "NAT", NULL,
				 "relays, which could tell, take nothing from here");
	buf_fini(&cure);
}

/* A server in a cloud knows only its private address, and tells it when nothing else is set. Between relays all passes even so. */
static bool is_told_inside(const struct nat_probe *n)
{
	const struct addr *told = &n->relay.relayed;

	return told->family && !turn_policy_is_public(told) &&
	       !addr_same_ip(told, &n->relay.link.peer);
}

static void report_inside(struct report *r, const struct nat_probe *n)
{
	struct buf cure = BUF_INIT(512);
	struct addr_text told;

	buf_str(&cure, "turn.relay-address ");
	addr_print_ip(&n->relay.link.peer, &cure);
	buf_u8(&cure, '/');
	addr_print_ip(&n->relay.relayed, &cure);
	buf_str(&cure, ": what others reach, and what it is at the server itself");
	buf_u8(&cure, 0);
	report_fail(r, "relay ports", (const char *)cure.p,
		    "relays are at %s, a private address, which is not reached from here",
		    addr_text(&n->relay.relayed, &told));
	buf_fini(&cure);
}

static void report_probe(struct report *r, const struct nat_probe *n, int err)
{
	struct addr_text to;

	addr_text(&n->relay.relayed, &to);
	if (err == E_DENIED && n->relay.error == 403) {
		report_denied(r, n);
	} else if (err == 0) {
		report_pass(r, "relay ports", "what is sent to %s arrives, in %lld ms",
			    to.s, (long long)n->took);
		report_nat(r, n);
	} else if (is_told_inside(n)) {
		report_inside(r, n);
	} else if (err == E_TIMEOUT) {
		report_fail(r, "relay ports",
			    "open turn.port-range, by UDP, in the server's firewall "
			    "(parley ports has the table), and see that "
			    "turn.relay-address is what others reach",
			    "nothing that is sent to %s by UDP arrives", to.s);
	} else {
		report_leave_out(r, "relay ports", NULL,
				 "they cannot be asked from here: %s", err_text(err));
	}
}

void check_nat(struct patient *p, const struct ice_server *s)
{
	struct buf why = BUF_INIT(256);
	struct nat_probe n;
	int err = relay_client_open(&n.self, &s->target, SLICE_NONE, SLICE_NONE, &why);

	if (err == 0) {
		err = probe(&n, s, &why);
		report_probe(&p->report, &n, err);
		if (err == 0)
			relay_client_release(&n.relay);
		relay_client_close(&n.relay);
	}
	relay_client_close(&n.self);
	buf_fini(&why);
}
