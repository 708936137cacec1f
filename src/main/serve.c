#include "main/serve.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "admin/jwks_source.h"
#include "admin/webhook.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "dialect/table.h"
#include "http/forwarded.h"
#include "loop/signals.h"
#include "main/banner.h"
#include "main/relay_check.h"
#include "main/token.h"
#include "main/version.h"
#include "main/worker.h"
#include "net/tls.h"
#include "net/udp.h"
#include "store/note.h"

#define MAX_LISTEN 16
#define MAX_PROXIES 64

struct server {
	const struct config *config;
	struct worker_shared shared;
	struct worker *workers[LOOP_MAX];
	struct addr listen[MAX_LISTEN];
	int reserved[MAX_LISTEN]; /* hold the ports until the workers have theirs */
	int reserved_udp[MAX_LISTEN];
	char *cert_file, *key_file;
	struct table_set *tables;
	struct buf ice;
	struct auth_keys *keys;
	struct jwks_source *jwks; /* NULL: there is no set */
	struct http_proxy proxies[MAX_PROXIES];
	struct webhook *webhook;
	struct relays relays;
	struct relay_check *relay_check; /* NULL: none */
	int lock_fd;
	struct store *store; /* NULL: chat lives in memory */
	struct depot *depot; /* NULL: no files */
	struct buf files_secret;
	struct loop_signals *signals;
	struct loop_timer drained; /* looks whether everybody is gone */
	ms_t drain_until;
};

/* --- settings of the parts --- */

static unsigned worker_count(const struct config *c)
{
	cpu_set_t set;
	int n = 1;

	if (c->workers > 0)
		return (unsigned)c->workers;
	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		n = CPU_COUNT(&set);
	return n > LOOP_WORKERS ? LOOP_WORKERS : (unsigned)n;
}

static void fill_http(struct http_settings *h, const struct config *c)
{
	*h = (struct http_settings){
		.max_line = (size_t)c->max_line,
		.max_headers = (size_t)c->max_headers,
		.max_header_count = (unsigned)c->max_header_count,
		.max_body = (size_t)c->max_body,
		.head_timeout = c->head_timeout,
		.body_timeout = c->body_timeout,
		.idle_timeout = c->idle_timeout,
		.max_connections = c->max_connections,
		.redirect = c->redirect,
		.allowed_origins = (const char *const *)c->allowed_origins.item,
		.allowed_origin_count = c->allowed_origins.count,
		.stream = {
			.queue = (size_t)c->write_queue,
			.linger = c->linger,
			.handshake = c->tls_handshake,
		},
	};
}

static void fill_ws(struct ws_settings *w, const struct config *c, int64_t max_message)
{
	*w = (struct ws_settings){
		.max_message = (size_t)max_message,
		.ping_interval = c->ping_interval,
		.ping_timeout = c->ping_timeout,
		.close_timeout = c->close_timeout,
		.deflate = c->deflate,
		.deflate_min = (size_t)c->deflate_min,
	};
}

#define SIO_PING_TIMEOUT 20000 /* the option's default */

/* Told in the handshake, before a namespace is named; most clients are in "/" alone. */
static ms_t sio_ping_timeout(const struct config *c, const struct table_set *tables)
{
	unsigned index;
	const struct table *t = table_of_namespace(tables, SLICE("/"), &index);

	if (c->sio_ping_timeout != SIO_PING_TIMEOUT || !t || table_ping_timeout(t) == 0)
		return c->sio_ping_timeout;
	return table_ping_timeout(t);
}

static void fill_socketio(struct sio_settings *s, const struct config *c,
			  const struct table_set *tables)
{
	s->connect_timeout = c->sio_connect_timeout;
	s->eio = (struct eio_settings){
		.times = { c->sio_ping_interval, sio_ping_timeout(c, tables) },
		.max_payload = (size_t)c->sio_max_payload,
		.queue = (size_t)c->write_queue,
		.max_sessions = c->max_connections,
		.allow_v3 = c->sio_allow_v3,
	};
	fill_ws(&s->eio.ws, c, c->sio_max_payload);
	s->eio.ws.ping_interval = 0; /* Engine.IO has its own */
}

/* What an echo may be asked to hold (docs/protocol.md). */
#define ECHO_MAX (16 << 20)
#define ECHO_QUEUE (ECHO_MAX + (1 << 20))
/* A drained client comes back when a restart is likely done. */
#define RETRY_AFTER 1000

static char *path_in(const char *dir, const char *name)
{
	struct buf b = BUF_INIT(4096);

	buf_printf(&b, "%s/%s", dir, name);
	char *path = slice_dup(buf_slice(&b));
	buf_fini(&b);
	return path;
}

static int load_tables(struct server *s, struct buf *why)
{
	const struct config *c = s->config;
	char *dir = path_in(c->data_dir, "dialects");
	int err = table_set_load(&s->tables, dir,
				 (const char *const *)c->dialect_routes.item,
				 c->dialect_routes.count, why);

	free(dir);
	s->shared.dialect.tables = s->tables;
	return err;
}

static int fill_dialect(struct server *s, struct buf *why)
{
	const struct config *c = s->config;
	struct dialect_settings *d = &s->shared.dialect;

	buf_init(&s->ice, 64 * 1024);
	int err = ice_servers_json((const char *const *)c->ice_servers.item,
				   c->ice_servers.count, &s->ice, why);
	if (err < 0)
		return err;
	err = load_tables(s, why);
	if (err < 0)
		return err;
	fill_ws(&d->ws, c, c->message_size);
	fill_ws(&d->echo, c, ECHO_MAX);
	d->echo.queue = ECHO_QUEUE;
	fill_socketio(&d->sio, c, s->tables);
	d->sio_path = c->sio_path;
	d->sio_echo = c->debug_echo;
	d->sio_recovery = c->sio_recovery;
	d->rate = (uint32_t)c->rate;
	d->burst = (uint32_t)c->burst;
	d->byte_rate = (uint32_t)c->byte_rate;
	d->byte_burst = (uint32_t)(4 * c->byte_rate > c->message_size ? 4 * c->byte_rate
								      : c->message_size);
	d->session_rooms = (uint32_t)c->session_rooms;
	d->grace = c->grace;
	d->log = (uint32_t)c->session_log;
	d->log_size = (size_t)c->session_log_size;
	d->retry_after = RETRY_AFTER;
	d->room = (struct room_settings){
		.capacity = (uint32_t)c->room_capacity,
		.max_rooms = (uint32_t)c->max_rooms,
		.rate = c->rate > 0 ? (uint32_t)c->room_rate : 0,
		.chat_replay = (uint32_t)c->chat_replay,
		.ban_time = c->ban_time,
		.max_bans = (uint32_t)c->max_bans,
		.voices = c->voice_frames ? (uint32_t)c->voice_listeners : 0,
		.tokens = !auth_keys_none(s->keys),
		.limits = &s->shared.limits,
	};
	d->voice = (struct voice_settings){
		.limits = { (uint32_t)c->voice_listeners, (uint32_t)c->voice_size },
		.frames = (uint32_t)c->voice_frames,
		.queue = (uint32_t)c->voice_queue,
	};
	d->ice.fixed = buf_slice(&s->ice);
	d->ice.place = "";
	d->version = VERSION_TEXT;
	d->keys = s->keys;
	d->open_paths = (const char *const *)c->open_paths.item;
	d->open_path_count = c->open_paths.count;
	return 0;
}

/* --- who may come in --- */

/* How long the last events may take when the server stops. */
#define WEBHOOK_PATIENCE 2000

static int open_webhook(struct server *s, struct buf *why)
{
	const struct config *c = s->config;
	struct dialect_settings *d = &s->shared.dialect;
	struct webhook_settings w = {
		.urls = (const char *const *)c->webhook_urls.item,
		.url_count = c->webhook_urls.count,
		.version = VERSION_TEXT,
		.queue = (size_t)c->webhook_queue,
		.timeout = c->webhook_timeout,
		.retry = c->webhook_retry,
		.keys = s->keys,
		.key = slice_str(c->webhook_key),
	};

	int err = webhook_create(&s->webhook, &w, why);
	if (s->webhook) {
		d->watch = webhook_tell;
		d->watch_arg = s->webhook;
	}
	return err;
}

static int fill_limits(struct server *s, struct buf *why)
{
	const struct config *c = s->config;
	const struct option_list *l = &c->trusted_proxies;

	s->shared.limits = (struct auth_limit_settings){
		.per_minute = { [AUTH_CONNECTS] = (uint32_t)c->limit_connects,
				[AUTH_REQUESTS] = (uint32_t)c->limit_requests,
				[AUTH_ROOMS] = (uint32_t)c->limit_rooms,
				[AUTH_FILES] = (uint32_t)(c->files_rate >> 10) },
		.addresses = (uint32_t)c->limit_addresses,
	};
	for (size_t i = 0; i < l->count; i++)
		if (i == MAX_PROXIES ||
		    http_proxy_parse(&s->proxies[i], slice_str(l->item[i])) < 0) {
			buf_printf(
				why,
				"http.trusted-proxies: %s is no address or network, or "
				"there are over %d",
				l->item[i], MAX_PROXIES);
			return E_MALFORMED;
		}
	s->shared.http.proxies = s->proxies;
	s->shared.http.proxy_count = l->count;
	return 0;
}

static int open_keys(struct server *s, struct buf *why)
{
	const struct config *c = s->config;
	const struct jwks_settings jwks = {
		.place = c->auth_jwks,
		.version = VERSION_TEXT,
		.interval = c->auth_jwks_interval,
		.gap = c->auth_jwks_gap,
		.timeout = c->auth_jwks_timeout,
	};
	int err = token_open_keys(c, &s->keys, why);

	if (err == 0 && c->auth_jwks[0])
		err = jwks_source_create(&s->jwks, &jwks, s->keys, why);
	if (err == 0 && auth_keys_none(s->keys))
		log_warn("auth", "open-mode",
			 "anybody may come into any room: no auth.key is set; for "
			 "development only");
	return err;
}

/* --- files and ports --- */

static int open_data_dir(struct server *s, struct buf *why)
{
	const char *dir = s->config->data_dir;
	int err = file_make_dir(dir);

	if (err < 0) {
		buf_printf(why, "cannot make the data directory %s: %s", dir,
			   err_text(err));
		return err;
	}
	char *lock = path_in(dir, "lock");
	s->lock_fd = file_lock(lock);
	free(lock);
	if (s->lock_fd == -EWOULDBLOCK)
		buf_printf(why,
			   "another parley uses the data directory %s; give this one its "
			   "own "
			   "with --data-dir",
			   dir);
	else if (s->lock_fd < 0)
		buf_printf(why, "cannot lock the data directory %s: %s", dir,
			   err_text(s->lock_fd));
	return s->lock_fd < 0 ? s->lock_fd : 0;
}

/* localhost, this machine's name and addresses: what people will type. */
static void certificate_names(struct buf *b)
{
	struct addr local[8];
	char host[256] = "";

	buf_str(b, "localhost,127.0.0.1,::1");
	if (gethostname(host, sizeof(host) - 1) == 0 && host[0])
		buf_printf(b, ",%s", host);
	size_t n = addr_local(local, ARRAY_LEN(local));
	for (size_t i = 0; i < n; i++) {
		buf_u8(b, ',');
		addr_print_ip(&local[i], b);
	}
}

static int open_certificate(struct server *s, struct buf *why)
{
	const struct config *c = s->config;
	struct buf names = BUF_INIT(2048);

	if (c->tls_cert[0]) {
		s->cert_file = xstrdup(c->tls_cert);
		s->key_file = xstrdup(c->tls_key);
		return 0;
	}
	s->cert_file = path_in(c->data_dir, "self-signed.crt");
	s->key_file = path_in(c->data_dir, "self-signed.key");
	certificate_names(&names);
	int err = tls_self_signed(s->cert_file, s->key_file, buf_slice(&names), why);
	buf_fini(&names);
	return err;
}

/* The same port for TCP and UDP. A free one of TCP may be taken in UDP: then another is tried. */
static int reserve_port(struct addr *a, bool udp, int *udp_fd)
{
	uint16_t wanted = a->port;

	*udp_fd = -1;
	for (unsigned tries = 0;; tries++) {
		a->port = wanted;
		int fd = listen_reserve(a);
		if (fd < 0 || !udp)
			return fd;
		*udp_fd = udp_reserve(a);
		if (*udp_fd >= 0)
			return fd;
		close(fd);
		if (wanted != 0 || tries == 16)
			return *udp_fd;
	}
}

static int reserve_ports(struct server *s, struct buf *why)
{
	const struct option_list *l = &s->config->listen;
	struct addr_text t;

	if (l->count > MAX_LISTEN) {
		buf_printf(why, "listen: at most %d addresses", MAX_LISTEN);
		return E_LIMIT;
	}
	for (size_t i = 0; i < l->count; i++) {
		if (addr_parse(&s->listen[i], slice_str(l->item[i])) < 0) {
			buf_printf(why,
				   "listen: %s is no address:port, such as [::]:8443",
				   l->item[i]);
			return E_MALFORMED;
		}
		s->reserved[i] = reserve_port(&s->listen[i], s->config->turn_enabled,
					      &s->reserved_udp[i]);
		if (s->reserved[i] < 0) {
			buf_printf(why,
				   "cannot listen on %s: %s; another program may use the "
				   "port",
				   addr_text(&s->listen[i], &t),
				   err_text(s->reserved[i]));
			return s->reserved[i];
		}
		s->shared.listen_count = i + 1;
	}
	return 0;
}

static void release_ports(struct server *s)
{
	for (size_t i = 0; i < s->shared.listen_count; i++)
		if (s->reserved[i] >= 0) {
			close(s->reserved[i]);
			if (s->reserved_udp[i] >= 0)
				close(s->reserved_udp[i]);
		}
}

/* As many descriptors as we may have: each connection is one. */
static void raise_descriptors(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur < r.rlim_max) {
		r.rlim_cur = r.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &r) < 0)
			log_warn("main", "descriptors", "limit=%llu err=%s",
				 (unsigned long long)r.rlim_cur, err_text(-errno));
	}
}

static struct store_space space_of(const struct config *c)
{
	return (struct store_space){ (uint64_t)c->files_room, (uint64_t)c->files_total };
}

/* Calls do not need it: without one the server says so and runs all the same. One that is there and not ours to
 * use is a mistake to be seen to. */
static int open_store(struct server *s, struct buf *out)
{
	const struct config *c = s->config;
	const struct store_settings settings = {
		.url = c->store_url,
		.dir = c->data_dir,
		.sessions = c->grace > 0 || c->sio_recovery,
		.queue = (uint32_t)c->store_queue,
		.patience = c->store_patience,
		.keep = c->chat_keep,
		.keep_messages = (uint64_t)c->chat_keep_messages,
		.space = space_of(c),
	};
	struct buf why = BUF_INIT(1024);
	int err = 0;

	if (strcmp(c->store_url, "none") != 0)
		err = store_create(&s->store, &settings, &why);
	if (err == E_UNAVAILABLE) {
		log_error("main", "no-store", "err=%.*s; chat lives in memory",
			  SLICE_FMT(buf_slice(&why)));
		err = 0;
	}
	if (err < 0)
		buf_printf(out, "store.url: %.*s", SLICE_FMT(buf_slice(&why)));
	buf_fini(&why);
	s->shared.dialect.store = s->store;
	s->shared.admin.store = s->store;
	return err;
}

#define SECRET_LENGTH 32

/* Kept, so that who comes back after a restart can go on with what its seat was given. */
static int read_secret(struct server *s)
{
	char *path = path_in(s->config->data_dir, "files.key");
	char fresh[SECRET_LENGTH];

	buf_init(&s->files_secret, SECRET_LENGTH);
	int err = file_read(path, SECRET_LENGTH, &s->files_secret);
	if (err == -ENOENT || (err == 0 && s->files_secret.n < SECRET_LENGTH)) {
		rand_text(fresh, sizeof(fresh));
		buf_clear(&s->files_secret);
		buf_add(&s->files_secret, fresh, sizeof(fresh));
		err = file_write(path, buf_slice(&s->files_secret), 0600);
	}
	free(path);
	return err;
}

/* Files need the store, which knows whose they are. */
static void open_files(struct server *s)
{
	const struct config *c = s->config;
	struct buf why = BUF_INIT(1024);
	char *dir = path_in(c->data_dir, "files");
	int err = 0;

	s->shared.files = (struct api_files){
		.transfers = (uint32_t)c->files_transfers,
		.space = space_of(c),
		.limits = &s->shared.limits,
	};
	if (c->files_size > 0 && s->store)
		err = read_secret(s);
	if (err == 0 && c->files_size > 0 && s->store)
		err = depot_create(&s->depot, dir, (uint64_t)c->files_reserve, s->store,
				   &why);
	if (err < 0)
		log_error("main", "no-files", "dir=%s err=%s %.*s", dir, err_text(err),
			  SLICE_FMT(buf_slice(&why)));
	s->shared.dialect.files.url = c->files_url;
	if (s->depot) {
		s->shared.files.size = s->shared.dialect.files.size =
			(uint64_t)c->files_size;
		s->shared.files.secret = s->shared.dialect.files.secret =
			buf_slice(&s->files_secret);
	}
	free(dir);
	buf_fini(&why);
}

static int open_relays(struct server *s, struct buf *why)
{
	struct worker_shared *sh = &s->shared;
	int err = relays_init(&s->relays, s->config, s->listen, sh->listen_count, why);

	if (err < 0)
		return err;
	relays_fill_offer(&s->relays, s->config, s->listen, &sh->dialect.ice);
	sh->relays = &s->relays;
	if (s->config->turn_self_check)
		s->relay_check = relay_check_create(&s->relays, s->listen);
	sh->admin.relay_failed = relay_check_failed(s->relay_check);
	return 0;
}

static void on_note(void *arg, const struct store_note *n)
{
	struct server *s = arg;

	for (unsigned i = 0; i < s->shared.admin.workers; i++)
		worker_take(s->workers[i], n);
}

/* Revoked tokens, and what else must be known before the first one comes in. */
static void read_kept(struct server *s)
{
	int err = s->store ? store_each_note(s->store, on_note, s) : 0;

	if (err == 0)
		return;
	log_error("main", "not-known-yet",
		  "err=%s; who was banned and which tokens were revoked is asked for "
		  "until the store says it",
		  err_text(err));
	for (unsigned i = 0; i < s->shared.admin.workers; i++)
		worker_ask_kept(s->workers[i]);
}

/* Whoever was there before the restart, or the crash, may come back to his seat. */
static void restore_sessions(struct server *s)
{
	struct restored *restored[LOOP_MAX] = { NULL };

	if (!s->store)
		return;
	dialect_restore_read(s->store, s->shared.admin.workers, restored);
	for (unsigned i = 0; i < s->shared.admin.workers; i++)
		worker_restore(s->workers[i], restored[i]);
}

/* --- life --- */

static int server_open(struct server *s, struct buf *why)
{
	struct worker_shared *sh = &s->shared;
	int err = open_data_dir(s, why);

	if (err == 0)
		err = open_certificate(s, why);
	if (err == 0)
		err = reserve_ports(s, why);
	if (err == 0)
		err = open_keys(s, why);
	if (err == 0)
		err = fill_dialect(s, why);
	if (err == 0)
		err = open_webhook(s, why);
	if (err == 0 && s->config->turn_enabled)
		err = open_relays(s, why);
	if (err == 0)
		err = open_store(s, why);
	if (err < 0)
		return err;
	open_files(s);
	sh->config = s->config;
	fill_http(&sh->http, s->config);
	err = fill_limits(s, why);
	sh->http.authenticated = !auth_keys_none(s->keys);
	sh->admin.version = PARLEY_VERSION;
	sh->admin.workers = worker_count(s->config);
	sh->admin.started = clock_mono();
	sh->cert_file = s->cert_file;
	sh->key_file = s->key_file;
	sh->listen = s->listen;
	for (unsigned i = 0; err == 0 && i < sh->admin.workers; i++)
		err = worker_create(&s->workers[i], sh, i, why);
	if (err < 0)
		return err;
	read_kept(s);
	restore_sessions(s);
	return 0;
}

static void join_workers(struct server *s)
{
	for (unsigned i = 0; i < LOOP_MAX; i++)
		if (s->workers[i])
			worker_join(s->workers[i]);
}

static void server_close(struct server *s)
{
	loop_signals_close(s->signals);
	/* First: their threads write to the workers' loops, and to each other's. */
	depot_stop(s->depot);
	store_destroy(s->store);
	depot_destroy(s->depot);
	for (unsigned i = 0; i < LOOP_MAX; i++)
		worker_destroy(s->workers[i]);
	relay_check_destroy(s->relay_check);
	relays_fini(&s->relays);
	buf_fini(&s->ice);
	buf_fini(&s->files_secret);
	webhook_destroy(s->webhook, WEBHOOK_PATIENCE);
	jwks_source_destroy(s->jwks);
	auth_keys_destroy(s->keys);
	table_set_destroy(s->tables);
	free(s->cert_file);
	free(s->key_file);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
}

/* --- the end --- */

static void stop_workers(struct server *s)
{
	log_info("main", "stopped", "connections=%lld",
		 (long long)metric_total(METRIC_CONNECTIONS));
	for (unsigned i = 0; i < s->shared.admin.workers; i++)
		worker_stop(s->workers[i]);
}

static void on_drained(struct loop_timer *t)
{
	struct server *s = container_of(t, struct server, drained);
	struct loop *l = worker_loop(s->workers[0]);

	bool gone = relay_check_ended(s->relay_check) &&
		    metric_total(METRIC_CONNECTIONS) == 0;

	if (gone || loop_now(l) >= s->drain_until)
		stop_workers(s);
	else
		loop_timer_start(l, t, 20);
}

/* What may change while the server runs: certificates, and the keys of tokens. */
static void reload(struct server *s)
{
	log_info("main", "reloading", "signal=%d", SIGHUP);
	token_reload_keys(s->config, s->keys);
	for (unsigned i = 0; i < s->shared.admin.workers; i++)
		worker_reload(s->workers[i]);
	jwks_source_reload(s->jwks);
}

/* The first time everybody is asked to go and waited for; who asks again is in a hurry. */
static void on_signal(void *arg, int signal)
{
	struct server *s = arg;
	struct loop *l = worker_loop(s->workers[0]);

	if (signal == SIGHUP) {
		reload(s);
		return;
	}
	if (atomic_exchange(&s->shared.admin.draining, true)) {
		stop_workers(s);
		return;
	}
	log_info("main", "draining", "signal=%d connections=%lld", signal,
		 (long long)metric_total(METRIC_CONNECTIONS));
	for (unsigned i = 0; i < s->shared.admin.workers; i++)
		worker_drain(s->workers[i]);
	s->drain_until = loop_now(l) + s->config->drain;
	loop_timer_start(l, &s->drained, 20);
}

/* The first worker runs on this thread: with one worker the process has one thread, and
 * the kernel then spares itself the locking of descriptors. */
static int server_run(struct server *s, struct buf *why)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, 0 };
	struct worker *first = s->workers[0];

	loop_timer_init(&s->drained, on_drained);
	int err =
		loop_signals_open(&s->signals, worker_loop(first), signals, on_signal, s);
	if (err == 0 && s->store)
		err = store_start(s->store);
	if (err == 0 && s->depot)
		err = depot_start(s->depot);
	for (unsigned i = 1; err == 0 && i < s->shared.admin.workers; i++)
		err = worker_start(s->workers[i]);
	if (err < 0) {
		buf_printf(why, "cannot start: %s", err_text(err));
		for (unsigned i = 1; i < s->shared.admin.workers; i++)
			worker_stop(s->workers[i]);
		return err;
	}
	banner_print(s->listen, s->shared.listen_count, s->cert_file,
		     s->config->tls_cert[0] == 0);
	relay_check_start(s->relay_check);
	worker_run(first);
	return 0;
}

int serve_run(const struct config *c)
{
	struct server s = { .config = c, .lock_fd = -1 };
	struct buf why = BUF_INIT(4096);

	mem_init();
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN); /* until server_run() listens to it */
	raise_descriptors();
	int err = server_open(&s, &why);
	release_ports(&s);
	if (err == 0)
		err = server_run(&s, &why);
	if (err < 0)
		fprintf(stderr, "parley: %.*s\n", SLICE_FMT(buf_slice(&why)));
	join_workers(&s);
	/* Connections that outstayed the drain time: the kernel hangs up for us. */
	if (err == 0 && metric_total(METRIC_CONNECTIONS) > 0)
		_exit(0);
	server_close(&s);
	buf_fini(&why);
	return err < 0 ? 1 : 0;
}
