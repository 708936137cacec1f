/* metric: counters and gauges, one set per loop, added up by /metrics.
 *
 * Written only by the loop's thread (relaxed, no locked instruction), read by any.
 * Gauges go up and down. The list is the only place that names a metric.
 */
#pragma once
#include <stdatomic.h>
#include <stdint.h>

#define METRIC_LIST(X)                                                                   \
	/* id, kind, name (parley_...), help */                                          \
	X(CONNECTIONS, gauge, "connections", "open TCP connections")                     \
	X(CONNECTS, counter, "connects_total", "accepted TCP connections")               \
	X(ACCEPT_ERRORS, counter, "accept_errors_total", "accepts that failed")          \
	X(CONNECTIONS_REFUSED, counter, "connections_refused_total",                     \
	  "closed at once: over net.max-connections")                                    \
	X(TLS_HANDSHAKES, counter, "tls_handshakes_total", "TLS handshakes done")        \
	X(TLS_FAILURES, counter, "tls_failures_total", "TLS handshakes that failed")     \
	X(BYTES_IN, counter, "received_bytes_total", "bytes read from sockets")          \
	X(BYTES_OUT, counter, "sent_bytes_total", "bytes written to sockets")            \
	X(DTLS_SESSIONS, gauge, "dtls_sessions", "DTLS sessions")                        \
	X(UDP_IN, counter, "udp_received_total", "datagrams received")                   \
	X(UDP_OUT, counter, "udp_sent_total", "datagrams sent")                          \
	X(UDP_DROPPED, counter, "udp_dropped_total",                                     \
	  "datagrams that the kernel would not send")                                    \
	X(UDP_ERRORS, counter, "udp_errors_total",                                       \
	  "ICMP errors about datagrams of relays")                                       \
	X(UDP_OVERSIZE, counter, "udp_oversize_total",                                   \
	  "datagrams dropped for being over 9000 bytes")                                 \
	X(TURN_ALLOCATIONS, gauge, "turn_allocations", "TURN allocations")               \
	X(TURN_ALLOCATES, counter, "turn_allocates_total", "TURN allocations made")      \
	X(TURN_MOVES, counter, "turn_moves_total",                                       \
	  "TURN clients that went on from another address")                              \
	X(TURN_GUESTS, gauge, "turn_guests",                                             \
	  "TURN clients served through another worker than their allocation's")          \
	X(TURN_REFUSED, counter, "turn_refused_total",                                   \
	  "TURN requests refused for their credential")                                  \
	X(TURN_ERRORS, counter, "turn_errors_total",                                     \
	  "TURN requests answered with another error")                                   \
	X(TURN_QUOTA, counter, "turn_quota_total",                                       \
	  "TURN allocations refused: quota, or no port left")                            \
	X(TURN_UP, counter, "turn_relayed_to_peers_total", "packets relayed to peers")   \
	X(TURN_DOWN, counter, "turn_relayed_to_clients_total",                           \
	  "packets relayed to clients")                                                  \
	X(TURN_DROPPED, counter, "turn_dropped_total",                                   \
	  "packets not relayed: no permission, no channel, a denied peer")               \
	X(TURN_UNPROVEN, counter, "turn_rate_limited_total",                             \
	  "requests of strangers not answered: over turn.unproven-rate")                 \
	X(STUN_BINDINGS, counter, "stun_bindings_total", "STUN Binding requests")        \
	X(STUN_BAD, counter, "stun_malformed_total", "malformed STUN messages dropped")  \
	X(QUEUED_BYTES, gauge, "write_queue_bytes", "bytes waiting for slow readers")    \
	X(QUEUE_DROPS, counter, "write_queue_drops_total",                               \
	  "connections closed because they read too slowly")                             \
	X(HTTP_REQUESTS, counter, "http_requests_total", "HTTP requests answered")       \
	X(HTTP_BAD, counter, "http_bad_requests_total",                                  \
	  "malformed or oversize HTTP requests")                                         \
	X(HTTP_TIMEOUTS, counter, "http_timeouts_total",                                 \
	  "requests that came too slowly")                                               \
	X(HTTP_LIMITED, counter, "http_limited_total",                                   \
	  "requests and upgrades over the limits of their address")                      \
	X(ROOMS_LIMITED, counter, "rooms_limited_total",                                 \
	  "joins that would have made a room over limit.rooms")                          \
	X(HTTP_ORIGIN_DENIED, counter, "http_origin_denied_total",                       \
	  "requests and upgrades from a foreign origin")                                 \
	X(WEBSOCKETS, gauge, "websockets", "open WebSocket connections")                 \
	X(WS_MESSAGES_IN, counter, "websocket_messages_received_total",                  \
	  "WebSocket messages received")                                                 \
	X(WS_MESSAGES_OUT, counter, "websocket_messages_sent_total",                     \
	  "WebSocket messages sent")                                                     \
	X(WS_BAD, counter, "websocket_violations_total",                                 \
	  "connections closed for a protocol violation")                                 \
	X(WS_PING_TIMEOUTS, counter, "websocket_ping_timeouts_total",                    \
	  "connections closed because no pong came")                                     \
	X(SIO_CLIENTS, gauge, "socketio_clients", "Engine.IO sessions")                  \
	X(SIO_POLLS, gauge, "socketio_polls", "polls that wait for packets")             \
	X(SIO_REFUSED, counter, "socketio_refused_total",                                \
	  "requests answered with an Engine.IO error")                                   \
	X(SIO_TIMEOUTS, counter, "socketio_timeouts_total",                              \
	  "Engine.IO sessions closed: no sign of life, or none of joining a namespace")  \
	X(SESSIONS, gauge, "sessions", "native sessions")                                \
	X(SESSIONS_AWAY, gauge, "sessions_away",                                         \
	  "sessions without a connection whose seats are kept")                          \
	X(RESUMES, counter, "resumes_total", "sessions that came back")                  \
	X(RESUMES_INCOMPLETE, counter, "resumes_incomplete_total",                       \
	  "rooms of sessions that came back to which events were lost")                  \
	X(RESUMES_REFUSED, counter, "resumes_refused_total",                             \
	  "resumes of unknown or expired sessions, or with a bad secret or number")      \
	X(ROOMS, gauge, "rooms", "rooms")                                                \
	X(WAITING, gauge, "waiting", "joins that wait in a lobby")                       \
	X(BANS, gauge, "bans", "bans of rooms, whether anybody is there or not")         \
	X(BANS_DROPPED, counter, "bans_dropped_total",                                   \
	  "bans that ended early: over room.max-bans")                                   \
	X(MEMBERS, gauge, "members", "members of rooms")                                 \
	X(USER_CLAIMS, counter, "user_claims_total",                                     \
	  "joins as a user who was in the room, without a token to prove it")            \
	X(COMMANDS, counter, "commands_total", "commands that members gave")             \
	X(COMMANDS_REFUSED, counter, "commands_refused_total",                           \
	  "commands answered with an error")                                             \
	X(MALFORMED, counter, "malformed_messages_total",                                \
	  "messages that were no valid native message")                                  \
	X(API_CALLS, counter, "api_calls_total", "requests of the server API")           \
	X(API_REFUSED, counter, "api_calls_refused_total",                               \
	  "requests of the server API answered with an error")                           \
	X(WEBHOOKS_SENT, counter, "webhooks_sent_total", "events that a backend took")   \
	X(WEBHOOKS_FAILED, counter, "webhooks_failed_total",                             \
	  "attempts to tell a backend that failed")                                      \
	X(WEBHOOKS_DROPPED, counter, "webhooks_dropped_total",                           \
	  "events given up, or over webhook.queue")                                      \
	X(UNAUTHORIZED, counter, "unauthorized_total",                                   \
	  "connects and requests without a valid token")                                 \
	X(JWKS_LOADS, counter, "jwks_loads_total",                                       \
	  "sets of public keys that were taken into use")                                \
	X(JWKS_FAILURES, counter, "jwks_failures_total",                                 \
	  "attempts to get a set of public keys that failed; the last good one stays")   \
	X(SESSIONS_REVOKED, counter, "sessions_revoked_total",                           \
	  "sessions closed because their token was revoked")                             \
	X(RATE_LIMITED, counter, "rate_limited_total", "messages over limit.messages")   \
	X(BYTES_LIMITED, counter, "bytes_limited_total", "messages over limit.bytes")    \
	X(ROOM_LIMITED, counter, "room_messages_limited_total",                          \
	  "messages over limit.room-messages")                                           \
	X(EVENTS, counter, "room_events_total", "events that rooms made")                \
	X(DELIVERIES, counter, "deliveries_total", "events handed to members")           \
	X(VOICE_FRAMES, counter, "voice_frames_total",                                   \
	  "pieces of voice that members sent through the server")                        \
	X(VOICE_COPIES, counter, "voice_copies_total",                                   \
	  "copies of them sent to listeners")                                            \
	X(VOICE_DROPPED, counter, "voice_dropped_total",                                 \
	  "copies dropped because their listener reads too slowly")                      \
	X(VOICE_REFUSED, counter, "voice_refused_total",                                 \
	  "pieces dropped: muted, not allowed, or nobody asked for them")                \
	X(STORE_WAITING, gauge, "store_queries_waiting",                                 \
	  "queries and rows that the store has not answered yet")                        \
	X(STORE_REFUSED, counter, "store_queries_refused_total",                         \
	  "queries and rows not given to the store: over store.queue")                   \
	X(STORE_LOST, counter, "store_rows_lost_total",                                  \
	  "rows of visits, sessions and marks that were not kept")                       \
	X(STORE_COMMITS, counter, "store_commits_total", "transactions committed")       \
	X(STORE_ROWS, counter, "store_rows_total", "queries in committed transactions")  \
	X(CHAT_MESSAGES, counter, "chat_messages_total",                                 \
	  "chat messages and changes that were kept and shown")                          \
	X(CHAT_REFUSED, counter, "chat_messages_unavailable_total",                      \
	  "chat messages and changes that could not be kept")                            \
	X(FILES_UPLOADED, counter, "files_uploaded_total", "files taken in")             \
	X(FILES_UPLOADED_BYTES, counter, "files_uploaded_bytes_total", "their bytes")    \
	X(FILES_DOWNLOADED, counter, "files_downloaded_total",                           \
	  "files, or ranges of them, sent to who asked")                                 \
	X(FILES_REFUSED, counter, "files_refused_total",                                 \
	  "uploads refused: not allowed, too large, over a quota")                       \
	X(FILES_BROKEN, counter, "files_broken_total",                                   \
	  "uploads that did not come to their end")                                      \
	X(FILES_TRANSFERS, gauge, "files_transfers", "uploads and downloads under way")  \
	X(FILES_FAILED, counter, "files_failed_total",                                   \
	  "jobs that the disk did not do: full, or broken")                              \
	X(FILES_REMOVED, counter, "files_removed_total",                                 \
	  "files removed from the disk because no message has them")                     \
	X(MAIL_SENT, counter, "mail_sent_total", "mail to other workers")                \
	X(MAIL_BATCHES, counter, "mail_batches_total", "batches of mail (wake-ups)")     \
	X(HANDOVERS, counter, "handovers_total",                                         \
	  "connections moved to their room's worker")                                    \
	X(LOOP_TURNS, counter, "loop_turns_total", "turns of the loop")                  \
	X(LOOP_BUSY_US, counter, "loop_busy_microseconds_total",                         \
	  "time spent working, not waiting")                                             \
	X(LOOP_LAG_MAX_US, gauge, "loop_lag_max_microseconds",                           \
	  "longest turn of the last 10 s")

#define X(id, kind, name, help) METRIC_##id,
enum metric { METRIC_LIST(X) METRIC_COUNT };
#undef X

struct metric_set {
	_Atomic int64_t v[METRIC_COUNT];
};

/* The running loop's set; a process-wide spare set on threads without a loop. */
extern _Thread_local struct metric_set *metric_here;

static inline void metric_add(enum metric m, int64_t n)
{
	_Atomic int64_t *v = &metric_here->v[m];
	atomic_store_explicit(v, atomic_load_explicit(v, memory_order_relaxed) + n,
			      memory_order_relaxed);
}

static inline void metric_set_value(enum metric m, int64_t n)
{
	atomic_store_explicit(&metric_here->v[m], n, memory_order_relaxed);
}

/* Sum over all loops, also those that ended (max for LOOP_LAG_MAX_US); from any
 * thread. */
int64_t metric_total(enum metric m);
/* What threads without a loop counted, loops that ended, and those that are no workers'. */
int64_t metric_elsewhere(enum metric m);
/* Of one loop; 0 when there is none. */
int64_t metric_of(unsigned loop_id, enum metric m);
