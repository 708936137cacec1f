/* config: all settings of the process, and where they come from. The table in config.c is the
 * only place that knows a setting.
 */
#pragma once
#include "base/clock.h"
#include "base/option.h"

struct config {
	struct option_list listen;
	int argc; /* what it was loaded with */
	char **argv;
	char *config_file;
	char *data_dir;
	int64_t workers;
	int log_level;
	int log_format;

	int64_t drain;

	int64_t max_connections, write_queue;
	ms_t linger;
	bool io_uring;

	char *tls_cert, *tls_key;
	ms_t tls_handshake;

	struct option_list allowed_origins;
	bool redirect;
	int64_t max_line, max_headers, max_header_count, max_body;
	ms_t head_timeout, body_timeout, idle_timeout;

	struct option_list auth_keys, open_paths, trusted_proxies;
	struct option_list webhook_urls;
	char *webhook_key;
	int64_t webhook_queue;
	ms_t webhook_timeout, webhook_retry;
	int64_t limit_connects, limit_requests, limit_rooms, limit_addresses;
	char *auth_jwks, *auth_issuer, *auth_audience;
	ms_t auth_skew;
	ms_t auth_jwks_interval, auth_jwks_gap, auth_jwks_timeout;

	ms_t ping_interval, ping_timeout, close_timeout;
	bool deflate;
	int64_t deflate_min;

	char *sio_path;
	ms_t sio_ping_interval, sio_ping_timeout, sio_connect_timeout;
	int64_t sio_max_payload;
	bool sio_allow_v3, sio_recovery;

	int64_t rate, burst, byte_rate, room_rate, message_size;
	int64_t session_rooms, session_log, session_log_size;
	int64_t voice_frames, voice_size, voice_listeners, voice_queue;
	ms_t grace;
	int64_t room_capacity, max_rooms, ban_time, max_bans, chat_replay;
	char *store_url, *files_url;
	int64_t store_queue;
	ms_t store_patience, chat_keep;
	int64_t chat_keep_messages;
	int64_t files_size, files_room, files_total, files_rate, files_transfers,
		files_reserve;
	struct option_list ice_servers;

	bool turn_enabled, turn_self_check, turn_mobility;
	struct option_list turn_listen, turn_tls_listen, turn_users, turn_relay_addresses;
	struct option_list turn_allow_peers;
	char *turn_place, *turn_discover, *turn_realm, *turn_secret, *turn_port_range,
		*turn_alternate;
	ms_t turn_credential_life, turn_lifetime, turn_max_lifetime, turn_nonce_life;
	int64_t turn_max_allocations, turn_user_quota, turn_address_quota;
	int64_t turn_max_peers, turn_unproven_rate;

	struct option_list dialect_routes;
	bool debug_echo;
};

/* Reads file, environment and flags into c; *out keeps the sources and owns the texts. A line for people in `why`.
 * argv: without the program's name and the command. */
int config_load(struct config *c, struct option_set **out, int argc, char **argv,
		struct buf *why) NODISCARD;
void config_print_help(struct buf *out);
void config_print_docs(struct buf *out);
