/* Clients that come from elsewhere. */
#include "turn/testing.h"
#include "turn/ticket.h"

/* A client with a ticket, which can come from elsewhere. */
struct mover {
	struct client c;
	uint8_t ticket[TURN_TICKET];
};

static void keep_ticket(struct mover *m)
{
	struct slice got = stun_value(&b->answer, STUN_MOBILITY_TICKET);

	assert_int_equal(got.n, TURN_TICKET);
	assert_memory_not_equal(m->ticket, got.p, TURN_TICKET);
	memcpy(m->ticket, got.p, TURN_TICKET);
}

static int ask_for_ticket(struct client *c, struct slice value)
{
	if (!c->nonce[0])
		client_hear(c);
	client_begin(c, STUN_ALLOCATE);
	client_put_byte(c, STUN_REQUESTED_TRANSPORT, TURN_PROTOCOL_UDP);
	stun_put(&c->m, STUN_MOBILITY_TICKET, value);
	return client_ask(c);
}

static struct mover mover_at(const char *address)
{
	struct mover m = { .c = client_at(b, address) };

	assert_int_equal(ask_for_ticket(&m.c, SLICE_NONE), 0);
	keep_ticket(&m);
	return m;
}

static int show(struct client *c, const uint8_t ticket[TURN_TICKET], uint32_t seconds)
{
	client_begin(c, STUN_REFRESH);
	stun_put_u32(&c->m, STUN_LIFETIME, seconds);
	stun_put(&c->m, STUN_MOBILITY_TICKET, slice_of(ticket, TURN_TICKET));
	return client_ask(c);
}

/* From another address; the first answer has a nonce for it. */
static void move_to(struct mover *m, const char *address)
{
	m->c.path.remote = addr_at(address);
	int code = show(&m->c, m->ticket, 600);
	if (code == 438)
		code = show(&m->c, m->ticket, 600);
	assert_int_equal(code, 0);
	keep_ticket(m);
}

static void peer_reaches(const struct addr *relay, const char *client)
{
	struct addr want = addr_at(client);
	unsigned sends = b->sends;

	peer_sends(b, relay, "192.0.2.7:9", "down");
	assert_int_equal(b->sends, sends + 1);
	assert_true(addr_eq(&b->sent_to.remote, &want));
}

static void ticket_is_given_to_who_asks(void **state)
{
	struct client plain = client_at(b, "203.0.113.9:4711");
	struct mover m = mover_at("203.0.113.9:4712");

	(void)state;
	assert_int_equal(client_say(&m.c),
			 0); /* the very same request: the same ticket */
	assert_memory_equal(stun_value(&b->answer, STUN_MOBILITY_TICKET).p, m.ticket,
			    TURN_TICKET);
	assert_int_equal(client_allocate(&plain), 0);
	assert_int_equal(stun_value(&b->answer, STUN_MOBILITY_TICKET).n, 0);
	assert_int_equal(client_refresh(&m.c, 600), 0); /* without: no new one */
	assert_int_equal(stun_value(&b->answer, STUN_MOBILITY_TICKET).n, 0);
	end(&plain);
	end(&m.c);
}

static void ticket_in_an_allocate_is_empty(void **state)
{
	struct client c = client_at(b, "203.0.113.9:4711");

	(void)state;
	assert_int_equal(ask_for_ticket(&c, SLICE("full")), 400);
	assert_int_equal(turn_count(b->turn), 0);
	end(&c);
}

static void mobility_can_be_forbidden(void **state)
{
	struct mover m = mover_at("203.0.113.9:4711");
	struct client c = client_at(b, "203.0.113.9:4712");

	(void)state;
	b->settings.mobility = false;
	assert_int_equal(ask_for_ticket(&c, SLICE_NONE), 405);
	assert_int_equal(show(&m.c, m.ticket, 600), 405);
	assert_int_equal(client_refresh(&m.c, 600), 0);
	end(&c);
	end(&m.c);
}

/* RFC 8016, 3.2.2. */
static void old_path_is_used_until_the_new_one_sends(void **state)
{
	struct mover m = mover_at("203.0.113.9:4711");
	struct addr relay = client_relayed(&m.c);

	(void)state;
	assert_int_equal(client_permit(&m.c, "192.0.2.7:9"), 0);
	assert_int_equal(client_bind(&m.c, 0x4001, "192.0.2.7:9"), 0);
	struct client old = client_at(b, "203.0.113.9:4711");

	move_to(&m, "203.0.113.77:999");
	peer_reaches(&relay, "203.0.113.9:4711");
	client_channel_data(&old, 0x4001, "still here");
	assert_int_equal(b->relayed, 1);
	peer_reaches(&relay, "203.0.113.9:4711");

	client_channel_data(&m.c, 0x4001, "and here now");
	assert_int_equal(b->relayed, 2);
	assert_memory_equal(b->relayed_bytes, "and here now", 12);
	peer_reaches(&relay, "203.0.113.77:999");
	client_channel_data(&old, 0x4001, "too late");
	assert_int_equal(b->relayed, 2);
	assert_int_equal(client_permit(&m.c, "192.0.2.8:9"), 0);
	assert_int_equal(turn_count(b->turn), 1);
	assert_int_equal(b->opened, 1);
	end(&old);
	end(&m.c);
}

static void end_of_the_old_path_is_a_move(void **state)
{
	struct mover m = mover_at("203.0.113.9:4711");
	struct turn_path old = m.c.path;
	struct addr relay = client_relayed(&m.c);

	(void)state;
	assert_int_equal(client_permit(&m.c, "192.0.2.7:9"), 0);
	move_to(&m, "203.0.113.77:999");
	turn_path_closed(b->turn, &old, b->now);
	peer_reaches(&relay, "203.0.113.77:999");
	end(&m.c);
}

/* Between two networks a client may have no connection at all for a while. */
static void lost_connection_is_waited_for(void **state)
{
	struct mover m = mover_at("203.0.113.9:4711");
	struct addr relay = client_relayed(&m.c);

	(void)state;
	assert_int_equal(client_permit(&m.c, "192.0.2.7:9"), 0);
	for (unsigned i = 0; i < 3; i++) {
		turn_path_closed(b->turn, &m.c.path, b->now);
		bench_pass(b, 29000);
		peer_sends(b, &relay, "192.0.2.7:9", "nobody there");
		assert_int_equal(b->sent_to.transport, TURN_NOWHERE);
		move_to(&m, i & 1 ? "203.0.113.77:999" : "203.0.113.78:999");
		peer_reaches(&relay, i & 1 ? "203.0.113.77:999" : "203.0.113.78:999");
	}
	turn_path_closed(b->turn, &m.c.path, b->now);
	bench_pass(b, 31000);
	assert_int_equal(turn_count(b->turn), 0);
	end(&m.c);
}

static void end_of_the_new_path_leaves_the_old_one(void **state)
{
	struct mover m = mover_at("203.0.113.9:4711");
	struct addr relay = client_relayed(&m.c);

	(void)state;
	assert_int_equal(client_permit(&m.c, "192.0.2.7:9"), 0);
	move_to(&m, "203.0.113.77:999");
	turn_path_closed(b->turn, &m.c.path, b->now);
	peer_reaches(&relay, "203.0.113.9:4711");
	move_to(&m, "203.0.113.78:999");
	move_to(&m, "203.0.113.79:999"); /* and on, before it has sent anything */
	client_send(&m.c, "192.0.2.7:9", "up");
	peer_reaches(&relay, "203.0.113.79:999");
	end(&m.c);
}

static void spent_ticket_is_good_for_a_lost_answer_only(void **state)
{
	struct mover m = mover_at("203.0.113.9:4711");
	struct client thief = client_at(b, "203.0.113.66:4711");
	uint8_t spent[TURN_TICKET];

	(void)state;
	memcpy(spent, m.ticket, sizeof(spent));
	move_to(&m, "203.0.113.77:999");
	assert_int_equal(show(&m.c, spent, 600), 0); /* the same answer again */
	assert_memory_equal(stun_value(&b->answer, STUN_MOBILITY_TICKET).p, m.ticket,
			    TURN_TICKET);
	client_hear(&thief);
	assert_int_equal(show(&thief, spent, 600), 437);
	bench_pass(b, 30000);
	assert_int_equal(show(&m.c, spent, 600), 437);
	assert_int_equal(show(&m.c, m.ticket, 600), 0);
	end(&thief);
	end(&m.c);
}

static void ticket_alone_proves_nothing(void **state)
{
	struct mover m = mover_at("203.0.113.9:4711");
	struct client thief = client_at(b, "203.0.113.66:4711");
	uint8_t forged[TURN_TICKET];

	(void)state;
	client_hear(&thief);
	thief.user = "ben";
	thief.password = "hush:hush";
	assert_int_equal(show(&thief, m.ticket, 600), 441);
	thief.user = "ann";
	thief.password = "guess";
	assert_int_equal(show(&thief, m.ticket, 0), 401);
	thief.password = "secret";
	for (size_t i = 0; i < TURN_TICKET; i++) {
		memcpy(forged, m.ticket, TURN_TICKET);
		forged[i] ^= 1;
		assert_int_equal(show(&thief, forged, 600), 400);
	}
	assert_int_equal(turn_count(b->turn), 1);
	end(&thief);
	end(&m.c);
}

static void two_allocations_cannot_have_one_path(void **state)
{
	struct mover m = mover_at("203.0.113.9:4711"), n = mover_at("203.0.113.9:4712");

	(void)state;
	assert_int_equal(show(&m.c, n.ticket, 600), 437);
	move_to(&m, "203.0.113.9:4713");
	struct client c = client_at(b, "203.0.113.9:4713");
	c.serial = 100;
	assert_int_equal(client_allocate(&c), 437);
	assert_int_equal(show(&n.c, n.ticket, 0), 0);
	assert_int_equal(turn_count(b->turn), 1);
	end(&c);
	end(&m.c);
	end(&n.c);
}

static void ended_allocation_has_no_ticket(void **state)
{
	struct mover m = mover_at("203.0.113.9:4711");

	(void)state;
	move_to(&m, "203.0.113.9:4713");
	assert_int_equal(show(&m.c, m.ticket, 0), 0);
	assert_int_equal(turn_count(b->turn), 0);
	assert_int_equal(show(&m.c, m.ticket, 600), 437);
	end(&m.c);
}

static void quota_of_an_address_holds_for_who_comes(void **state)
{
	struct client c[15];
	struct mover m;

	(void)state;
	for (unsigned i = 0; i < 15; i++) {
		c[i] = client_at(b, "203.0.113.9:1");
		c[i].path.remote.port = (uint16_t)(1 + i);
		if (i >= 10) {
			c[i].user = "ben";
			c[i].password = "hush:hush";
		}
		assert_int_equal(client_allocate(&c[i]), 0);
	}
	m.c = client_at(b, "203.0.113.10:1");
	m.c.user = "ben";
	m.c.password = "hush:hush";
	assert_int_equal(ask_for_ticket(&m.c, SLICE_NONE), 0);
	memcpy(m.ticket, stun_value(&b->answer, STUN_MOBILITY_TICKET).p, TURN_TICKET);
	m.c.path.remote = addr_at("203.0.113.9:99");
	assert_int_equal(show(&m.c, m.ticket, 600), 438);
	assert_int_equal(show(&m.c, m.ticket, 600), 486);
	assert_int_equal(client_refresh(&c[0], 0), 0);
	assert_int_equal(show(&m.c, m.ticket, 600), 0);
	for (unsigned i = 0; i < 15; i++)
		end(&c[i]);
	end(&m.c);
}

static void session_moves_with_its_expired_credential(void **state)
{
	struct turn_credential cred;
	struct mover m = { .c = client_at(b, "203.0.113.9:4711") };

	(void)state;
	assert_int_equal(turn_credential_make(&b->settings.users, b->hmac, SLICE("s7"),
					      b->now.wall + 60000, &cred),
			 0);
	m.c.user = cred.user;
	m.c.password = cred.password;
	turn_ledger_open_session(b->settings.ledger, 7);
	assert_int_equal(ask_for_ticket(&m.c, SLICE_NONE), 0);
	keep_ticket(&m);
	bench_pass(b, 120000);
	move_to(&m, "203.0.113.77:999");
	assert_int_equal(turn_ledger_close_session(b->settings.ledger, 7), 1);
	turn_end_session(b->turn, 7, b->now);
	assert_int_equal(turn_count(b->turn), 0);
	end(&m.c);
}

static void tickets_of_other_workers_are_passed_on(void **state)
{
	struct client c = client_at(b, "203.0.113.9:4711");
	const struct turn_ticket far = { .number = 9, .worker = 1 };
	uint8_t ticket[TURN_TICKET];

	(void)state;
	turn_ticket_write(&far, b->hmac, b->settings.ticket_key, ticket);
	c.nonce[0] = 'x';
	assert_int_equal(show(&c, ticket, 600), 438); /* a stranger's is not */
	assert_int_equal(b->passed, 0);
	assert_int_equal(show(&c, ticket, 600), -1);
	assert_int_equal(b->passed, 1);
	assert_int_equal(b->passed_to, 1);
	c.path.via = 3; /* came from there: not round in circles */
	assert_int_equal(show(&c, ticket, 600), 437);
	assert_int_equal(b->passed, 1);
	end(&c);
}

static void guests_are_told_of_and_taken_leave_of(void **state)
{
	struct mover m = mover_at("203.0.113.9:4711");

	(void)state;
	assert_int_equal(client_permit(&m.c, "192.0.2.7:9"), 0);
	m.c.path.via = 2;
	move_to(&m, "203.0.113.77:1");
	assert_int_equal(b->guests, 1);
	move_to(&m, "203.0.113.77:2");
	assert_int_equal(b->guests, 1);
	client_send(&m.c, "192.0.2.7:9", "up");
	assert_int_equal(b->guests, 1);
	move_to(&m, "203.0.113.77:3");
	assert_int_equal(b->guests, 2);
	client_send(&m.c, "192.0.2.7:9", "up");
	assert_int_equal(b->guests, 1);
	assert_int_equal(show(&m.c, m.ticket, 0), 0);
	assert_int_equal(b->guests, 0);
	end(&m.c);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(ticket_is_given_to_who_asks),
		T(ticket_in_an_allocate_is_empty),
		T(mobility_can_be_forbidden),
		T(old_path_is_used_until_the_new_one_sends),
		T(end_of_the_old_path_is_a_move),
		T(lost_connection_is_waited_for),
		T(end_of_the_new_path_leaves_the_old_one),
		T(spent_ticket_is_good_for_a_lost_answer_only),
		T(ticket_alone_proves_nothing),
		T(two_allocations_cannot_have_one_path),
		T(ended_allocation_has_no_ticket),
		T(quota_of_an_address_holds_for_who_comes),
		T(session_moves_with_its_expired_credential),
		T(tickets_of_other_workers_are_passed_on),
		T(guests_are_told_of_and_taken_leave_of),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
