#include "main/config.h"

#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "loop/loop.h"
#include "room/room.h"
#include "store/url.h"

#define AT(field) offsetof(struct config, field)
#define MAX_MS INT64_C(31622400000) /* a leap year */
#define MIB (1 << 20)

/* clang-format off */
static const struct option table[] = {
	{ .name = "listen", .kind = OPTION_LIST, .offset = AT(listen), .preset = "[::]:8443",
	  .help = "Address and port to listen on, several possible; HTTP and TLS share it. "
		  "[::] means IPv4 too, port 0 any free one." },
	{ .name = "config", .kind = OPTION_TEXT, .offset = AT(config_file), .preset = "",
	  .help = "The configuration file (INI)." },
	{ .name = "data-dir", .kind = OPTION_TEXT, .offset = AT(data_dir), .preset = "",
	  .help = "Where the server keeps its files; empty: $XDG_DATA_HOME/parley or "
		  "~/.local/share/parley." },
	{ .name = "workers", .kind = OPTION_INT, .offset = AT(workers), .preset = "0",
	  .min = 0, .max = LOOP_WORKERS, .help = "Threads that serve; 0: one per CPU." },
	{ .name = "log-level", .kind = OPTION_ENUM, .offset = AT(log_level), .preset = "info",
	  .words = "debug info warn error", .help = "What is logged: this and worse." },
	{ .name = "log.format", .kind = OPTION_ENUM, .offset = AT(log_format), .preset = "text",
	  .words = "text json", .help = "The form of log lines, on standard error." },
	{ .name = "server.drain", .kind = OPTION_TIME, .offset = AT(drain), .preset = "10s",
	  .max = MAX_MS, .help = "How long a stop waits for connections to end." },

	{ .name = "net.max-connections", .kind = OPTION_INT, .offset = AT(max_connections),
	  .preset = "100000", .min = 1, .max = 10000000,
	  .help = "TCP connections of the process; more are closed at once." },
	{ .name = "net.write-queue", .kind = OPTION_SIZE, .offset = AT(write_queue),
	  .preset = "1M", .min = 4096, .max = 256 * MIB,
	  .help = "Bytes that may wait for one slow reader; more: closed, 1013." },
	{ .name = "net.linger", .kind = OPTION_TIME, .offset = AT(linger), .preset = "5s",
	  .min = 1, .max = MAX_MS, .help = "How long a closing connection may take its last bytes." },
	{ .name = "net.io-uring", .kind = OPTION_BOOL, .offset = AT(io_uring), .preset = "true",
	  .help = "What a turn writes leaves in one system call, where the kernel can (Linux 6.1) and "
		  "lets us; else in one for each connection." },

	{ .name = "tls.cert", .kind = OPTION_TEXT, .offset = AT(tls_cert), .preset = "",
	  .help = "Certificate chain, PEM; empty: a self-signed one is made and kept in the data "
		  "directory." },
	{ .name = "tls.key", .kind = OPTION_TEXT, .offset = AT(tls_key), .preset = "",
	  .help = "The certificate's key, PEM." },
	{ .name = "tls.handshake-timeout", .kind = OPTION_TIME, .offset = AT(tls_handshake),
	  .preset = "10s", .min = 1, .max = MAX_MS,
	  .help = "The first byte and the TLS handshake must come within." },

	{ .name = "http.allowed-origins", .kind = OPTION_LIST, .offset = AT(allowed_origins),
	  .preset = "", .help = "Origins of other pages that may use this server "
				"(https://app.example.org), or *. The own origin and loopback always may." },
	{ .name = "http.redirect", .kind = OPTION_BOOL, .offset = AT(redirect), .preset = "true",
	  .help = "Pages asked for without TLS by another machine are redirected to https." },
	{ .name = "http.max-line", .kind = OPTION_SIZE, .offset = AT(max_line), .preset = "8k",
	  .min = 64, .max = MIB, .help = "Bytes of a request line; more: 414." },
	{ .name = "http.max-headers", .kind = OPTION_SIZE, .offset = AT(max_headers),
	  .preset = "16k", .min = 256, .max = MIB, .help = "Bytes of a request's header; more: 431." },
	{ .name = "http.max-header-count", .kind = OPTION_INT, .offset = AT(max_header_count),
	  .preset = "100", .min = 8, .max = 1000, .help = "Fields of a request's header; more: 431." },
	{ .name = "http.max-body", .kind = OPTION_SIZE, .offset = AT(max_body), .preset = "64k",
	  .max = 64 * MIB, .help = "Bytes of a request's body; more: 413." },
	{ .name = "http.head-timeout", .kind = OPTION_TIME, .offset = AT(head_timeout),
	  .preset = "10s", .min = 1, .max = MAX_MS,
	  .help = "A request's head must be there within; else 408." },
	{ .name = "http.body-timeout", .kind = OPTION_TIME, .offset = AT(body_timeout),
	  .preset = "30s", .min = 1, .max = MAX_MS,
	  .help = "A request's body must be there within; else 408." },
	{ .name = "http.idle-timeout", .kind = OPTION_TIME, .offset = AT(idle_timeout),
	  .preset = "75s", .min = 1, .max = MAX_MS,
	  .help = "A kept connection without a request is closed after." },

	{ .name = "http.trusted-proxies", .kind = OPTION_LIST, .offset = AT(trusted_proxies),
	  .preset = "", .help = "Proxies in front of this server (10.0.0.0/8): their X-Forwarded-For says "
				"who the client is." },
	{ .name = "limit.connects", .kind = OPTION_INT, .offset = AT(limit_connects),
	  .preset = "300", .max = 10000000,
	  .help = "Sockets that one address may open in a minute, on each worker; more: 429. 0: no limit. "
		  "This machine has none." },
	{ .name = "limit.requests", .kind = OPTION_INT, .offset = AT(limit_requests),
	  .preset = "6000", .max = 10000000,
	  .help = "HTTP requests of one address in a minute, on each worker; more: 429. 0: no limit." },
	{ .name = "limit.rooms", .kind = OPTION_INT, .offset = AT(limit_rooms), .preset = "120",
	  .max = 10000000,
	  .help = "Rooms that one address may make in a minute, on each worker; more: rate_limited. 0: no "
		  "limit." },
	{ .name = "limit.addresses", .kind = OPTION_INT, .offset = AT(limit_addresses),
	  .preset = "20000", .max = 10000000,
	  .help = "Addresses that each worker remembers for these limits." },
	{ .name = "auth.key", .kind = OPTION_LIST, .offset = AT(auth_keys), .preset = "",
	  .secret = true,
	  .help = "An API key, NAME:SECRET, several possible: signs tokens (HS256) and opens the server "
		  "API. Without any key everybody may come in: for development only." },
	{ .name = "auth.jwks", .kind = OPTION_TEXT, .offset = AT(auth_jwks), .preset = "",
	  .help = "A JSON Web Key Set, a file or a URL: public keys of those who issue tokens (RS256, "
		  "ES256)." },
	{ .name = "auth.jwks-interval", .kind = OPTION_TIME, .offset = AT(auth_jwks_interval),
	  .preset = "1h", .min = 1000, .max = MAX_MS,
	  .help = "A URL is fetched again after this time, or sooner when its Cache-Control says so." },
	{ .name = "auth.jwks-gap", .kind = OPTION_TIME, .offset = AT(auth_jwks_gap), .preset = "10s",
	  .min = 1, .max = 3600000,
	  .help = "Least time between two fetches, whatever keys tokens name; after a failure it is "
		  "tried again after this time, then after twice as long." },
	{ .name = "auth.jwks-timeout", .kind = OPTION_TIME, .offset = AT(auth_jwks_timeout),
	  .preset = "5s", .min = 1, .max = 600000, .help = "An answer must be there within." },
	{ .name = "auth.issuer", .kind = OPTION_TEXT, .offset = AT(auth_issuer), .preset = "",
	  .help = "Who must have issued tokens with keys of the set (iss); empty: anybody." },
	{ .name = "auth.audience", .kind = OPTION_TEXT, .offset = AT(auth_audience), .preset = "",
	  .help = "For whom such tokens must be (aud); empty: anybody." },
	{ .name = "auth.skew", .kind = OPTION_TIME, .offset = AT(auth_skew), .preset = "10s",
	  .max = 600000, .help = "How far the clock of who issues tokens may be off." },
	{ .name = "auth.open-paths", .kind = OPTION_LIST, .offset = AT(open_paths), .preset = "",
	  .help = "Paths of clients that have no tokens (/ws-simple): who comes by them is let in as a "
		  "guest." },

	{ .name = "webhook.url", .kind = OPTION_LIST, .offset = AT(webhook_urls), .preset = "",
	  .help = "Where your backend is told of rooms, members and messages, by POST; several possible." },
	{ .name = "webhook.key", .kind = OPTION_TEXT, .offset = AT(webhook_key), .preset = "",
	  .help = "The name of the auth.key that signs it; empty: the first." },
	{ .name = "webhook.queue", .kind = OPTION_INT, .offset = AT(webhook_queue),
	  .preset = "1000", .min = 1, .max = 1000000,
	  .help = "Events that wait for each URL; more are dropped." },
	{ .name = "webhook.timeout", .kind = OPTION_TIME, .offset = AT(webhook_timeout),
	  .preset = "5s", .min = 1, .max = 600000, .help = "An answer must be there within." },
	{ .name = "webhook.retry", .kind = OPTION_TIME, .offset = AT(webhook_retry), .preset = "1s",
	  .min = 1, .max = 600000,
	  .help = "After a failure it is tried again after this time, then after twice as long, five "
		  "times in all." },

	{ .name = "ws.ping-interval", .kind = OPTION_TIME, .offset = AT(ping_interval),
	  .preset = "25s", .max = MAX_MS, .help = "A silent WebSocket is pinged after; 0: never." },
	{ .name = "ws.ping-timeout", .kind = OPTION_TIME, .offset = AT(ping_timeout),
	  .preset = "20s", .min = 1, .max = MAX_MS,
	  .help = "A pinged WebSocket must give a sign of life within." },
	{ .name = "ws.close-timeout", .kind = OPTION_TIME, .offset = AT(close_timeout),
	  .preset = "5s", .min = 1, .max = MAX_MS,
	  .help = "How long a closing WebSocket waits for the other's close." },
	{ .name = "ws.deflate", .kind = OPTION_BOOL, .offset = AT(deflate), .preset = "false",
	  .help = "Accept permessage-deflate (without context takeover)." },
	{ .name = "ws.deflate-min", .kind = OPTION_SIZE, .offset = AT(deflate_min),
	  .preset = "1k", .max = 16 * MIB, .help = "Smaller messages are not compressed." },

	{ .name = "socketio.path", .kind = OPTION_TEXT, .offset = AT(sio_path),
	  .preset = "/socket.io/", .help = "Where Socket.IO clients connect; begins and ends with /." },
	{ .name = "socketio.ping-interval", .kind = OPTION_TIME, .offset = AT(sio_ping_interval),
	  .preset = "25000", .min = 1, .max = MAX_MS, .plain_ms = true,
	  .help = "A Socket.IO client is pinged after; it is told so. A plain number is milliseconds." },
	{ .name = "socketio.ping-timeout", .kind = OPTION_TIME, .offset = AT(sio_ping_timeout),
	  .preset = "20000", .min = 1, .max = MAX_MS, .plain_ms = true,
	  .help = "A pinged Socket.IO client must answer within; the table of the namespace / may say "
		  "otherwise while this is the default. A plain number is milliseconds." },
	{ .name = "socketio.max-payload", .kind = OPTION_SIZE, .offset = AT(sio_max_payload),
	  .preset = "1000000", .min = 1024, .max = 64 * MIB,
	  .help = "Bytes of a message of Socket.IO, of a polling request, and of a packet with its attachments; "
		  "more: closed, 1009 or 413." },
	{ .name = "socketio.connect-timeout", .kind = OPTION_TIME,
	  .offset = AT(sio_connect_timeout), .preset = "45000", .min = 1, .max = MAX_MS,
	  .plain_ms = true,
	  .help = "A Socket.IO client must have joined a namespace within. A plain number is milliseconds." },
	{ .name = "socketio.allow-eio3", .kind = OPTION_BOOL, .offset = AT(sio_allow_v3),
	  .preset = "true", .help = "Serve clients of Socket.IO 2.x (Engine.IO 3) as well." },
	{ .name = "socketio.recovery", .kind = OPTION_BOOL, .offset = AT(sio_recovery),
	  .preset = "true",
	  .help = "A Socket.IO client that lost its connection gets what it missed when it comes back." },

	{ .name = "limit.messages", .kind = OPTION_INT, .offset = AT(rate), .preset = "100",
	  .max = 1000000,
	  .help = "Messages per second of one session; more: rate_limited. 0: no limit, nor the two below." },
	{ .name = "limit.burst", .kind = OPTION_INT, .offset = AT(burst), .preset = "400",
	  .min = 1, .max = 1000000, .help = "Messages a session may send at once." },
	{ .name = "limit.bytes", .kind = OPTION_SIZE, .offset = AT(byte_rate), .preset = "1M",
	  .max = 512 * MIB,
	  .help = "Bytes of messages per second of one session, four times as much at once; more: "
		  "rate_limited. 0: no limit." },
	{ .name = "limit.room-messages", .kind = OPTION_INT, .offset = AT(room_rate),
	  .preset = "1000", .max = 1000000,
	  .help = "Messages per second that all members of a room are told (chat, its changes, signals to all), "
		  "four times as many at once; more: rate_limited. 0: no limit." },
	{ .name = "limit.message-size", .kind = OPTION_SIZE, .offset = AT(message_size),
	  .preset = "256k", .min = 1024, .max = 16 * MIB,
	  .help = "Bytes of a native message; more: closed, 1009." },
	{ .name = "session.rooms", .kind = OPTION_INT, .offset = AT(session_rooms), .preset = "8",
	  .min = 1, .max = 8, .help = "Rooms that one session may be in." },

	{ .name = "session.grace", .kind = OPTION_TIME, .offset = AT(grace), .preset = "30s",
	  .max = 3600000,
	  .help = "How long a broken connection's seats are kept for its client to come back; 0: not "
		  "at all." },
	{ .name = "session.log", .kind = OPTION_INT, .offset = AT(session_log), .preset = "256",
	  .max = 4096,
	  .help = "Events of a room that one who comes back gets at most, within 256 KiB." },
	{ .name = "session.log-size", .kind = OPTION_SIZE, .offset = AT(session_log_size),
	  .preset = "16M", .min = 65536, .max = 1024 * MIB,
	  .help = "Bytes of events that a worker keeps for them; half is for rooms that say much." },

	{ .name = "voice.frames", .kind = OPTION_INT, .offset = AT(voice_frames), .preset = "100",
	  .max = 1000,
	  .help = "Pieces of voice per second that one session may send through the server, for members "
		  "it cannot reach; 0: voice is not passed on." },
	{ .name = "voice.frame-size", .kind = OPTION_SIZE, .offset = AT(voice_size), .preset = "2k",
	  .min = 64, .max = 65536, .help = "Bytes of a piece of voice; more: too_large." },
	{ .name = "voice.listeners", .kind = OPTION_INT, .offset = AT(voice_listeners),
	  .preset = "16", .min = 1, .max = 255,
	  .help = "Members that a piece of voice may be for, and whose voice one may ask for." },
	{ .name = "voice.queue", .kind = OPTION_SIZE, .offset = AT(voice_queue), .preset = "16k",
	  .min = 1024, .max = 16 * MIB,
	  .help = "A listener with more bytes than this still to take misses pieces of voice." },

	{ .name = "room.capacity", .kind = OPTION_INT, .offset = AT(room_capacity),
	  .preset = "1000", .min = 1, .max = ROOM_MAX_MEMBERS,
	  .help = "Members of a room: at most, and when its first member asks for none." },
	{ .name = "room.max-rooms", .kind = OPTION_INT, .offset = AT(max_rooms),
	  .preset = "10000", .min = 1, .max = 10000000, .help = "Rooms of one worker." },
	{ .name = "room.ban-time", .kind = OPTION_TIME, .offset = AT(ban_time), .preset = "30d",
	  .min = 60000, .max = INT64_C(3162240000000),
	  .help = "A ban from a room ends after this time." },
	{ .name = "room.max-bans", .kind = OPTION_INT, .offset = AT(max_bans), .preset = "100000",
	  .min = 1, .max = 10000000,
	  .help = "Bans of all rooms of one worker; for one more the oldest ends. Of a room: 1000." },
	{ .name = "chat.replay", .kind = OPTION_INT, .offset = AT(chat_replay), .preset = "50",
	  .max = 200, .help = "Chat messages that a newcomer is told; so many are kept in memory." },
	{ .name = "chat.keep", .kind = OPTION_TIME, .offset = AT(chat_keep), .preset = "0",
	  .max = INT64_C(3162240000000),
	  .help = "How long messages, and who was in a room, are kept; 0: for ever." },
	{ .name = "chat.keep-messages", .kind = OPTION_INT, .offset = AT(chat_keep_messages),
	  .preset = "0", .help = "How many of the last messages of a room are kept; 0: all." },
	{ .name = "files.size", .kind = OPTION_SIZE, .offset = AT(files_size), .preset = "25M",
	  .max = INT64_C(1) << 40,
	  .help = "Bytes of a file in the chat; more: 413. 0: no files. Without a store there are none." },
	{ .name = "files.room", .kind = OPTION_SIZE, .offset = AT(files_room), .preset = "1024M",
	  .help = "Bytes of all files of a room; more: 413, limit. 0: no limit." },
	{ .name = "files.total", .kind = OPTION_SIZE, .offset = AT(files_total),
	  .preset = "10240M", .help = "Bytes of all files; more: 413, limit. 0: no limit." },
	{ .name = "files.reserve", .kind = OPTION_SIZE, .offset = AT(files_reserve),
	  .preset = "256M",
	  .help = "Bytes of the disk that uploads leave free, for the database; less: 503. 0: none." },
	{ .name = "files.rate", .kind = OPTION_SIZE, .offset = AT(files_rate), .preset = "256M",
	  .max = INT64_C(1) << 41,
	  .help = "Bytes of files that one member or user may upload in a minute, on each worker; more: 429. 0: no "
		  "limit." },
	{ .name = "files.transfers", .kind = OPTION_INT, .offset = AT(files_transfers),
	  .preset = "200", .min = 1, .max = 100000,
	  .help = "Uploads and downloads at once, on each worker; more: 503." },
	{ .name = "files.url", .kind = OPTION_TEXT, .offset = AT(files_url), .preset = "",
	  .help = "Where clients reach this server, https://chat.example.org: stands before the paths of files in "
		  "messages to those whose dialect knows no files. Empty: the path alone." },
	{ .name = "store.url", .kind = OPTION_TEXT, .offset = AT(store_url), .preset = "sqlite",
	  .secret = true,
	  .help = "Where chat and room history are kept: sqlite (a file in the data directory), "
		  "postgresql://USER:PASSWORD@HOST:PORT/DATABASE, or "
		  "none: chat lives in memory and goes with its room." },
	{ .name = "store.queue", .kind = OPTION_INT, .offset = AT(store_queue), .preset = "20000",
	  .min = 16, .max = 1000000,
	  .help = "Messages and rows of one worker that may wait for the store; more: unavailable." },
	{ .name = "store.patience", .kind = OPTION_TIME, .offset = AT(store_patience),
	  .preset = "5s", .min = 100, .max = MAX_MS,
	  .help = "Who waits longer for the store is told that it is unavailable." },
	{ .name = "ice.server", .kind = OPTION_LIST, .offset = AT(ice_servers), .preset = "",
	  .secret = true,
	  .help = "A STUN or TURN server for the clients: URL[,URL...] [username=U credential=C]; "
		  "several possible. No public one is preset." },

	{ .name = "turn.enabled", .kind = OPTION_BOOL, .offset = AT(turn_enabled), .preset = "true",
	  .help = "STUN and TURN: on the ports of `listen`, by UDP, TCP and TLS, and on those below." },
	{ .name = "turn.listen", .kind = OPTION_LIST, .offset = AT(turn_listen), .preset = "",
	  .help = "More addresses for STUN and TURN by UDP and TCP, such as [::]:3478." },
	{ .name = "turn.tls-listen", .kind = OPTION_LIST, .offset = AT(turn_tls_listen),
	  .preset = "", .help = "The same by DTLS and TLS, such as [::]:5349." },
	{ .name = "turn.public-address", .kind = OPTION_TEXT, .offset = AT(turn_place),
	  .preset = "",
	  .help = "How clients are to reach STUN and TURN: HOST or HOST:PORT. Empty: as they reached "
		  "the page." },
	{ .name = "turn.realm", .kind = OPTION_TEXT, .offset = AT(turn_realm), .preset = "parley",
	  .help = "The realm of TURN credentials." },
	{ .name = "turn.user", .kind = OPTION_LIST, .offset = AT(turn_users), .preset = "",
	  .secret = true, .help = "A TURN user that does not expire: NAME:PASSWORD; several possible." },
	{ .name = "turn.static-auth-secret", .kind = OPTION_TEXT, .offset = AT(turn_secret),
	  .preset = "", .secret = true,
	  .help = "The secret of expiring TURN credentials, to be shared with who makes them too; "
		  "empty: one is made and kept in the data directory." },
	{ .name = "turn.relay-address", .kind = OPTION_LIST, .offset = AT(turn_relay_addresses),
	  .preset = "",
	  .help = "The address that relays have for others, one per family; PUBLIC/LOCAL behind a "
		  "one-to-one NAT. Empty: an address of this machine." },
	{ .name = "turn.discover", .kind = OPTION_TEXT, .offset = AT(turn_discover), .preset = "",
	  .help = "A STUN server, HOST:PORT, that is asked at the start which address we have outside; "
		  "when turn.relay-address is empty." },
	{ .name = "turn.self-check", .kind = OPTION_BOOL, .offset = AT(turn_self_check),
	  .preset = "true",
	  .help = "Try our own relays at the start, and tell by /readyz when they do not work." },
	{ .name = "turn.port-range", .kind = OPTION_TEXT, .offset = AT(turn_port_range),
	  .preset = "49152-65535", .help = "UDP ports that relays may use: LOW-HIGH." },
	{ .name = "turn.allow-peer", .kind = OPTION_LIST, .offset = AT(turn_allow_peers),
	  .preset = "",
	  .help = "Addresses that may be relayed to although they are not public: CIDR, several "
		  "possible." },
	{ .name = "turn.credential-lifetime", .kind = OPTION_TIME,
	  .offset = AT(turn_credential_life), .preset = "12h", .min = 1000, .max = MAX_MS,
	  .help = "How long a credential opens new relays. Those of a session live on with it; "
		  "others end with their credential." },
	{ .name = "turn.lifetime", .kind = OPTION_TIME, .offset = AT(turn_lifetime),
	  .preset = "10m", .min = 1000, .max = MAX_MS,
	  .help = "Lifetime of an allocation that asks for none or less." },
	{ .name = "turn.max-lifetime", .kind = OPTION_TIME, .offset = AT(turn_max_lifetime),
	  .preset = "1h", .min = 1000, .max = MAX_MS,
	  .help = "Lifetime of an allocation that asks for more." },
	{ .name = "turn.nonce-lifetime", .kind = OPTION_TIME, .offset = AT(turn_nonce_life),
	  .preset = "1h", .min = 1000, .max = MAX_MS,
	  .help = "After that a client must take a new nonce (438)." },
	{ .name = "turn.max-allocations", .kind = OPTION_INT, .offset = AT(turn_max_allocations),
	  .preset = "20000", .max = 1000000,
	  .help = "Allocations of the process; more: 486. 0: no limit." },
	{ .name = "turn.user-quota", .kind = OPTION_INT, .offset = AT(turn_user_quota),
	  .preset = "200", .max = 1000000,
	  .help = "Allocations of one credential; more: 486. 0: no limit." },
	{ .name = "turn.address-quota", .kind = OPTION_INT, .offset = AT(turn_address_quota),
	  .preset = "2000", .max = 1000000,
	  .help = "Allocations of clients at one IP address; more: 486. 0: no limit." },
	{ .name = "turn.max-peers", .kind = OPTION_INT, .offset = AT(turn_max_peers),
	  .preset = "128", .min = 2, .max = 10000,
	  .help = "Permissions and channels of an allocation; more: 508." },
	{ .name = "turn.unproven-rate", .kind = OPTION_INT, .offset = AT(turn_unproven_rate),
	  .preset = "500", .max = 1000000,
	  .help = "Answers per second by UDP to an address that has shown no credential; more: "
		  "none. 0: no limit." },
	{ .name = "turn.mobility", .kind = OPTION_BOOL, .offset = AT(turn_mobility),
	  .preset = "true",
	  .help = "Clients may take their relay along to another address (RFC 8016)." },
	{ .name = "turn.alternate-server", .kind = OPTION_TEXT, .offset = AT(turn_alternate),
	  .preset = "", .help = "Send clients to that TURN server instead (300): ADDRESS:PORT." },

	{ .name = "dialect.route", .kind = OPTION_LIST, .offset = AT(dialect_routes), .preset = "",
	  .help = "One more path for a dialect that is a table: PATH=NAME, such as "
		  "/ws/{room}=relay, or a namespace of Socket.IO, which it takes from another: "
		  "/=mesh. Tables of your own lie in DATA_DIR/dialects." },

	{ .name = "debug.echo", .kind = OPTION_BOOL, .offset = AT(debug_echo), .preset = "false",
	  .help = "Open /v1/echo, a WebSocket that sends every message back, and /engine.io/ likewise." },
};
/* clang-format on */

static void default_data_dir(struct config *c)
{
	struct buf b = BUF_INIT(4096);
	const char *xdg = getenv("XDG_DATA_HOME"), *home = getenv("HOME");

	if (c->data_dir[0])
		return;
	if (xdg && xdg[0])
		buf_printf(&b, "%s/parley", xdg);
	else if (home && home[0])
		buf_printf(&b, "%s/.local/share/parley", home);
	else
		buf_str(&b, "parley-data");
	free(c->data_dir);
	c->data_dir = slice_dup(buf_slice(&b));
	buf_fini(&b);
}

static int read_flags(struct option_set *set, int argc, char **argv, struct buf *why)
{
	while (argc > 0) {
		int used = option_read_flag(set, argc, argv, why);

		if (used < 0)
			return used;
		if (used == 0) {
			buf_printf(why, "unknown argument %s; see parley help", argv[0]);
			return E_MALFORMED;
		}
		argc -= used;
		argv += used;
	}
	return 0;
}

/* One that browsers could send: "https://app.example.org", without a path; else it would never match. */
static int check_origins(const struct option_list *l, struct buf *why)
{
	for (size_t i = 0; i < l->count; i++) {
		struct slice origin = slice_str(l->item[i]);
		struct slice rest = slice_from(origin, slice_find(origin, ':'));

		if (slice_is(origin, "*") || slice_is(origin, "null"))
			continue;
		if (slice_starts(rest, SLICE("://")) && rest.n > 3 &&
		    slice_find(slice_from(rest, 3), '/') == rest.n - 3)
			continue;
		buf_printf(why,
			   "http.allowed-origins: %s is no origin, such as "
			   "https://app.example.org (no path, no / at the end), nor *",
			   l->item[i]);
		return E_MALFORMED;
	}
	return 0;
}

static int check_whole(const struct config *c, struct buf *why)
{
	if ((c->tls_cert[0] == 0) != (c->tls_key[0] == 0)) {
		buf_str(why, "tls.cert and tls.key go together: set both or none");
		return E_MALFORMED;
	}
	struct slice path = slice_str(c->sio_path);
	if (path.n < 2 || path.p[0] != '/' || path.p[path.n - 1] != '/') {
		buf_str(why,
			"socketio.path: must begin and end with /, such as /socket.io/");
		return E_MALFORMED;
	}
	if (store_url_kind(c->store_url, why) < 0)
		return E_MALFORMED;
	if (c->listen.count == 0) {
		buf_str(why, "listen: at least one address is needed");
		return E_MALFORMED;
	}
	return check_origins(&c->allowed_origins, why);
}

int config_load(struct config *c, struct option_set **out, int argc, char **argv,
		struct buf *why)
{
	struct option_set *set = option_create(table, ARRAY_LEN(table), c);

	c->argc = argc;
	c->argv = argv;
	int err = read_flags(set, argc, argv, why);

	if (err == 0)
		err = option_read_env(set, environ, why);
	if (err == 0 && c->config_file[0])
		err = option_read_file(set, c->config_file, why);
	if (err == 0)
		err = check_whole(c, why);
	if (err < 0) {
		option_destroy(set);
		return err;
	}
	default_data_dir(c);
	*out = set;
	return 0;
}

void config_print_help(struct buf *out)
{
	option_print_help(table, ARRAY_LEN(table), out);
}

void config_print_docs(struct buf *out)
{
	option_print_docs(table, ARRAY_LEN(table), out);
}
