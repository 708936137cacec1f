#include "main/diagnose.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "doctor/doctor.h"
#include "doctor/target.h"
#include "main/config.h"
#include "net/addr.h"
#include "store/url.h"

/* --- the arguments --- */

/* Takes "--name value" or "--name=value" out of the arguments; NULL when it is not there. */
static const char *take_value(int *argc, char **argv, const char *name)
{
	struct slice want = slice_str(name);

	for (int i = 0; i < *argc; i++) {
		struct slice arg = slice_str(argv[i]);
		const char *value = NULL;
		int used = 1;

		if (slice_eq(arg, want) && i + 1 < *argc) {
			value = argv[i + 1];
			used = 2;
		} else if (slice_starts(arg, want) && arg.p[want.n] == '=') {
			value = argv[i] + want.n + 1;
		}
		if (!value)
			continue;
		*argc -= used;
		memmove(&argv[i], &argv[i + used], sizeof(*argv) * (size_t)(*argc - i));
		return value;
	}
	return NULL;
}

static bool take_flag(int *argc, char **argv, const char *name)
{
	for (int i = 0; i < *argc; i++) {
		if (!slice_is(slice_str(argv[i]), name))
			continue;
		*argc -= 1;
		memmove(&argv[i], &argv[i + 1], sizeof(*argv) * (size_t)(*argc - i));
		return true;
	}
	return false;
}

/* Where the server of these settings is reached from this machine. */
static int own_url(int argc, char **argv, struct buf *url, struct buf *why)
{
	struct option_set *set;
	struct config c;
	struct addr a;

	int err = config_load(&c, &set, argc, argv, why);
	if (err < 0)
		return err;
	err = addr_parse(&a, slice_str(c.listen.item[0]));
	if (err < 0)
		buf_printf(why, "listen: %s is no address:port, such as [::]:8443",
			   c.listen.item[0]);
	buf_str(url, "https://");
	if (err == 0 && addr_is_any(&a))
		buf_printf(url, "127.0.0.1:%u", a.port);
	else if (err == 0)
		addr_print(&a, url);
	buf_u8(url, 0);
	option_destroy(set);
	return err;
}

void diagnose_print_help(struct buf *out)
{
	buf_str(out,
		"\nOptions:\n\n"
		"  --url=...\n      The server to look at, as browsers reach it "
		"(https://call.example.org). Without it: the one that\n      the "
		"settings "
		"of this machine start.\n"
		"  --token=...\n      A token, for a server that asks for them (parley "
		"token "
		"create).\n"
		"  --json\n      A line of JSON for each check, for scripts.\n"
		"\nThe exit status is 0 when all is well, 1 when something fails, 2 for "
		"wrong options.\n");
}

int diagnose_doctor(int argc, char **argv)
{
	const char *token = take_value(&argc, argv, "--token");
	const char *asked = take_value(&argc, argv, "--url");
	struct doctor_options o = { .json = take_flag(&argc, argv, "--json"),
				    .token = token ? token : "" };
	struct buf url = BUF_INIT(512), why = BUF_INIT(4096);
	int status = 2;

	if (own_url(argc, argv, &url, &why) < 0) {
		fprintf(stderr, "parley: %.*s\n", SLICE_FMT(buf_slice(&why)));
	} else {
		o.url = asked ? asked : (const char *)url.p;
		status = doctor_run(&o);
	}
	buf_fini(&url);
	buf_fini(&why);
	return status;
}

/* --- parley ports --- */

static void print_port(const char *way, const char *protocol, struct slice ports,
		       const char *what)
{
	printf("  %-4s  %-8s  %-13.*s %s\n", way, protocol, SLICE_FMT(ports), what);
}

/* The port of an address that others can reach; false: they cannot. */
static bool outer_port(const char *text, uint16_t *port)
{
	struct addr a;

	if (addr_parse(&a, slice_str(text)) < 0 || addr_is_loopback(&a))
		return false;
	*port = a.port;
	return true;
}

static bool told_before(const struct option_list *l, size_t i, uint16_t port)
{
	uint16_t other;

	while (i-- > 0)
		if (outer_port(l->item[i], &other) && other == port)
			return true;
	return false;
}

/* One line per port that others can reach. Returns how many listeners they cannot. */
static size_t print_listeners(const struct option_list *l, const char *protocol,
			      const char *what)
{
	size_t hidden = 0;
	uint16_t port;

	for (size_t i = 0; i < l->count; i++) {
		struct buf text = BUF_INIT(8);

		if (!outer_port(l->item[i], &port)) {
			hidden++;
		} else if (!told_before(l, i, port)) {
			buf_dec(&text, port);
			print_port("in", protocol, port ? buf_slice(&text) : SLICE("any"),
				   what);
		}
		buf_fini(&text);
	}
	return hidden;
}

/* Somebody whom the server calls. */
static void print_called(struct slice host, uint16_t port, const char *what)
{
	struct buf number = BUF_INIT(8), text = BUF_INIT(1024);

	buf_dec(&number, port);
	buf_printf(&text, "%s %.*s", what, SLICE_FMT(host));
	buf_u8(&text, 0);
	print_port("out", "TCP", buf_slice(&number), (const char *)text.p);
	buf_fini(&number);
	buf_fini(&text);
}

static void print_called_url(const char *url, const char *what)
{
	struct target t;

	if (target_parse(&t, slice_str(url)) == 0)
		print_called(t.host, t.port, what);
}

static void print_called_all(const struct config *c)
{
	struct store_host h;
	unsigned at = 0;

	print_called_url(c->auth_jwks,
			 "public keys from"); /* nobody, where it is a file */
	for (size_t i = 0; i < c->webhook_urls.count; i++)
		print_called_url(c->webhook_urls.item[i], "webhooks to");
	while (store_url_next_host(c->store_url, &at, &h))
		print_called(h.name, h.port, "the database on");
}

static size_t print_turn_ports(const struct config *c)
{
	size_t hidden = print_listeners(&c->listen, "UDP", "STUN, TURN");

	hidden += print_listeners(&c->turn_listen, "TCP, UDP", "STUN, TURN");
	hidden +=
		print_listeners(&c->turn_tls_listen, "TCP, UDP", "TURN by TLS and DTLS");
	print_port("in", "UDP", slice_str(c->turn_port_range),
		   "relays: media of people without a direct path (TCP as well for RFC "
		   "6062, "
		   "which no browser asks for)");
	print_port("out", "UDP", SLICE("all"), "relays (and TCP)");
	return hidden;
}

int diagnose_ports(const struct config *c, const struct option_set *set)
{
	(void)set;
	printf("  way   protocol  ports         for\n");
	size_t hidden = print_listeners(
		&c->listen, "TCP",
		c->turn_enabled ? "pages, API, WebSocket, TURN by TCP and TLS"
				: "pages, API, WebSocket");
	if (c->turn_enabled)
		hidden += print_turn_ports(c);
	print_called_all(c);
	if (hidden > 0)
		printf("\n  Listeners on loopback addresses are left out: nobody else "
		       "reaches them.\n");
	return 0;
}
