#include "main/diagnose.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "doctor/doctor.h"
#include "main/config.h"
#include "net/addr.h"

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

/* One line per address that others can reach. Returns how many cannot. */
static size_t print_listeners(const struct option_list *l, const char *protocol,
			      const char *what)
{
	size_t hidden = 0;

	for (size_t i = 0; i < l->count; i++) {
		struct buf port = BUF_INIT(8);
		struct addr a;

		if (addr_parse(&a, slice_str(l->item[i])) == 0 && !addr_is_loopback(&a)) {
			buf_dec(&port, a.port);
			print_port("in", protocol, buf_slice(&port), what);
		} else {
			hidden++;
		}
		buf_fini(&port);
	}
	return hidden;
}

static size_t print_turn_ports(const struct config *c)
{
	size_t hidden = print_listeners(&c->listen, "UDP", "STUN, TURN");

	hidden += print_listeners(&c->turn_listen, "TCP, UDP", "STUN, TURN");
	hidden +=
		print_listeners(&c->turn_tls_listen, "TCP, UDP", "TURN by TLS and DTLS");
	print_port("in", "UDP", slice_str(c->turn_port_range),
		   "relays: media of people without a direct path");
	print_port("out", "UDP", SLICE("all"), "relays");
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
	if (hidden > 0)
		printf("\n  Listeners on loopback addresses are left out: nobody else "
		       "reaches them.\n");
	return 0;
}
