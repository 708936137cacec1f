/* check_ice: the STUN and TURN servers that clients are given. A relay is tried by itself: two relays at the
 * same URL send each other a message. Who lets UDP through is asked for its NAT as well.
 */
#include "doctor/checks.h"

#include <errno.h>

#include "base/err.h"
#include "doctor/relay_client.h"

#define MAX_TOKENS 1024

static const char *transport(const struct ice_target *t)
{
	if (t->tls)
		return t->tcp ? "TLS" : "DTLS";
	return t->tcp ? "TCP" : "UDP";
}

/* --- what went wrong --- */

static const struct {
	unsigned code;
	const char *cure;
} cures[] = {
	{ 300,
	  "it sends everybody to another server (turn.alternate-server): ask there" },
	{ 401, "see that turn.static-auth-secret is the same on all servers and that the "
	       "clocks agree; the server's log has the reason" },
	{ 403, "the relay denies that peer: turn.allow-peer opens denied ranges" },
	{ 442, "the relay has no such transport" },
	{ 486, "too many relays for this user: wait, or raise the quota" },
	{ 508, "no ports are left: widen turn.port-range" },
};

static const char *cure_of(unsigned code)
{
	for (size_t i = 0; i < ARRAY_LEN(cures); i++)
		if (cures[i].code == code)
			return cures[i].cure;
	return "the server's log says why";
}

static void report_failure(struct patient *p, const char *name,
			   const struct ice_server *s, const struct relay_client *c,
			   int err, const struct buf *why)
{
	struct report *r = &p->report;
	const struct ice_target *t = &s->target;

	if (err == E_DENIED)
		report_fail(r, name, cure_of(c->error), "refused: %u %.*s", c->error,
			    SLICE_FMT(buf_slice(&c->reason)));
	else if (err == E_NOT_FOUND)
		report_fail(r, name, "add a DNS record for it, or name an address",
			    "the name %.*s has no address", SLICE_FMT(t->at.host));
	else if (err == E_MALFORMED && why->n > 0)
		report_fail(r, name,
			    "the certificate and protocol of that port: turns: needs "
			    "tls.cert "
			    "and tls.key",
			    "the TLS handshake failed: %.*s", SLICE_FMT(buf_slice(why)));
	else
		report_fail(
			r, name,
			t->tcp ? "open the TCP port in the firewall (parley ports has "
				 "the table), and see that the server listens there"
			       : "open the UDP port in the server's firewall (parley "
				 "ports has the table); when it is this network that "
				 "blocks UDP, a relay by TCP or TLS is the way",
			"%s at %.*s, port %u, by %s",
			err == E_TIMEOUT ? "no answer" : err_text(err),
			SLICE_FMT(t->at.host), t->at.port, transport(t));
}

/* --- trying --- */

static void try_stun(struct patient *p, const char *name, const struct ice_server *s)
{
	struct buf why = BUF_INIT(256);
	struct relay_client c;
	struct addr_text text;
	int err = relay_client_open(&c, &s->target, SLICE_NONE, SLICE_NONE, &why);
	ms_t begin = clock_mono();

	if (err == 0)
		err = relay_client_bind(&c);
	if (err < 0)
		report_failure(p, name, s, &c, err, &why);
	else
		report_pass(&p->report, name, "seen as %s, in %lld ms",
			    addr_text(&c.mapped, &text),
			    (long long)(clock_mono() - begin));
	relay_client_close(&c);
	buf_fini(&why);
}

static int open_relay(struct relay_client *c, const struct ice_server *s, struct buf *why)
{
	int err = relay_client_open(c, &s->target, s->username, s->credential, why);

	return err < 0 ? err : relay_client_allocate(c);
}

/* From one relay to the other. */
static int pass_message(struct relay_client *from, struct relay_client *to)
{
	struct slice message = SLICE("parley doctor");
	int err = relay_client_permit(from, &to->relayed);

	if (err == 0)
		err = relay_client_permit(to, &from->relayed);
	if (err < 0)
		return err;
	err = E_TIMEOUT;
	for (int i = 0; i < MESSAGE_TRIES && err == E_TIMEOUT; i++) {
		err = relay_client_send(from, &to->relayed, message);
		if (err == 0)
			err = relay_client_expect(to, message);
	}
	return err;
}

static void try_relay(struct patient *p, const char *name, const struct ice_server *s)
{
	struct relay_client from, to;
	struct buf why = BUF_INIT(256);
	struct addr_text text;
	ms_t begin = clock_mono();
	int err = open_relay(&from, s, &why);

	if (err < 0) {
		report_failure(p, name, s, &from, err, &why);
		relay_client_close(&from);
		buf_fini(&why);
		return;
	}
	ms_t allocated = clock_mono();
	err = open_relay(&to, s, &why);
	ms_t sent = clock_mono();
	if (err == 0)
		err = pass_message(&from, &to);
	if (err == E_TIMEOUT)
		report_fail(
			&p->report, name,
			"open the relay's UDP ports in the firewall (parley ports has "
			"the "
			"table), and see that turn.relay-address is what others reach",
			"it lends %s, but nothing comes through",
			addr_text(&from.relayed, &text));
	else if (err < 0)
		report_failure(p, name, s, &to, err, &why);
	else
		report_pass(&p->report, name, "%s in %lld ms, a message in %lld ms",
			    addr_text(&from.relayed, &text),
			    (long long)(allocated - begin),
			    (long long)(clock_mono() - sent));
	p->udp_works |= err == 0 && link_kind(s->target.tls, s->target.tcp) == LINK_UDP;
	if (err == 0) { /* by UDP they would count for a while */
		relay_client_release(&to);
		relay_client_release(&from);
	}
	relay_client_close(&to);
	relay_client_close(&from);
	buf_fini(&why);
}

static void try_server(struct patient *p, struct ice_server *s)
{
	struct buf name = BUF_INIT(64);

	if (target_parse_ice(&s->target, s->url) < 0) {
		report_fail(&p->report, "ICE server", "see ice.server in the settings",
			    "%.*s is no STUN or TURN URL", SLICE_FMT(s->url));
		return;
	}
	buf_printf(&name, "%s by %s", s->target.turn ? "relay" : "address",
		   transport(&s->target));
	buf_u8(&name, 0);
	bool knew = p->udp_works;
	if (s->target.turn)
		try_relay(p, (const char *)name.p, s);
	else
		try_stun(p, (const char *)name.p, s);
	if (p->udp_works && !knew)
		check_nat(p, s);
	buf_fini(&name);
}

/* --- the list --- */

static struct slice text_of(const struct json *j, uint32_t object, const char *name,
			    struct buf *texts)
{
	uint32_t t = json_member(j, object, slice_str(name));
	size_t at = buf_at(texts);

	if (!t || json_string(j, t, 1024, texts) < 0)
		return SLICE_NONE;
	return slice_from(buf_slice(texts), at);
}

static void try_entry(struct patient *p, const struct json *j, uint32_t object)
{
	struct buf texts = BUF_INIT(8192);
	struct ice_server s = { 0 };
	uint32_t urls = json_member(j, object, SLICE("urls"));

	buf_room(&texts, 8192); /* slices of it must not move */
	s.username = text_of(j, object, "username", &texts);
	s.credential = text_of(j, object, "credential", &texts);
	if (urls && json_kind_of(j, urls) == JSON_STRING) {
		s.url = text_of(j, object, "urls", &texts);
		try_server(p, &s);
	} else if (urls && json_kind_of(j, urls) == JSON_ARRAY) {
		for (uint32_t t = urls + 1; t < j->tok[urls].next; t = j->tok[t].next) {
			s.url = json_string_raw(j, t);
			try_server(p, &s);
		}
	}
	buf_fini(&texts);
}

static void try_list(struct patient *p, struct slice body)
{
	static struct json_token tokens[MAX_TOKENS];
	struct json j;
	uint32_t list = 0;

	if (json_parse(&j, body, tokens, MAX_TOKENS) == 0)
		list = json_member(&j, 0, SLICE("iceServers"));
	if (!list || json_kind_of(&j, list) != JSON_ARRAY)
		report_fail(&p->report, "ICE servers", "see what answers at that URL",
			    "/api/turn-credentials has no list");
	else if (j.tok[list].count == 0)
		report_leave_out(
			&p->report, "relay",
			"turn.enabled=true, or ice.server with the relay of somebody "
			"else",
			"the server hands out no STUN or TURN server: people behind "
			"different NATs may not see each other");
	else
		for (uint32_t t = list + 1; t < j.tok[list].next; t = j.tok[t].next)
			try_entry(p, &j, t);
	if (!p->udp_works)
		report_leave_out(&p->report, "NAT", NULL,
				 "no relay by UDP that could tell");
}

void check_ice(struct patient *p)
{
	struct buf header = BUF_INIT(4096);
	struct fetch f;

	if (p->options->token[0])
		buf_printf(&header, "Authorization: Bearer %s\r\n", p->options->token);
	buf_u8(&header, 0);
	int err = fetch_get(&f, &p->target, "/api/turn-credentials",
			    (const char *)header.p, CHECK_TIMEOUT);
	if (err < 0)
		report_fail(&p->report, "ICE servers", "see the server's log", "%s",
			    err_text(err));
	else if (f.status == 401 || f.status == 403)
		check_refused(p, "relay");
	else if (f.status != 200)
		report_fail(&p->report, "ICE servers", "see the server's log",
			    "answered %u", f.status);
	else
		try_list(p, f.body);
	fetch_fini(&f);
	buf_fini(&header);
}
