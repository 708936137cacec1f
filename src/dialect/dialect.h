/* dialect: the part of a worker that stands between connections and rooms.
 *
 * Owner:  a loop. It holds the worker's rooms, its sessions, and for every room with members
 *         here a fanout. Commands of sessions go to the room, next door by call or by mail; what
 *         rooms say comes back the same way.
 */
#pragma once
#include "auth/gate.h"
#include "dialect/ice_offer.h"
#include "dialect/voice.h"
#include "http/http.h"
#include "room/room.h"
#include "sio/sio.h"
#include "ws/ws.h"

struct dialect;

struct dialect_settings {
	struct ws_settings ws;   /* of native connections */
	struct ws_settings echo; /* of /v1/echo */
	struct sio_settings sio; /* of Socket.IO at sio_path, and of /engine.io/ */
	const char *sio_path;
	bool sio_echo; /* the event "echo" is answered */
	bool sio_recovery;
	uint32_t rate; /* messages per second and session, 0: no limit */
	uint32_t burst;
	uint32_t byte_rate, byte_burst; /* the same of bytes; for rate 0 not looked at */
	uint32_t session_rooms;         /* rooms in one session */
	ms_t grace;       /* for who lost the connection to come back, 0: none */
	uint32_t log;     /* events of a room that they get, at most */
	size_t log_size;  /* bytes kept for them, of all rooms of this worker */
	ms_t retry_after; /* told in `drain` */
	struct room_settings room;
	struct voice_settings voice;
	struct {
		uint64_t size;       /* bytes of one, 0: none are taken */
		struct slice secret; /* of the keys that seats upload by */
		const char *
			url; /* of this server, for clients that know no files; may be "" */
	} files;
	const struct table_set *tables; /* dialects that are tables */
	struct ice_offer ice;
	struct store *store; /* NULL: chat lives in memory */
	const char *version;
	room_watch_fn *watch; /* whom to tell what happens in rooms; NULL: nobody */
	void *watch_arg;
	const struct auth_keys *keys;  /* of tokens; none: open mode */
	const char *const *open_paths; /* where none is asked for all the same */
	size_t open_path_count;
};

/* Settings must outlive it. `workers`: how many loops the process has. `turn`: this loop's TURN server, or NULL. */
struct dialect *dialect_create(struct loop *l, unsigned workers,
			       const struct dialect_settings *s,
			       struct turn_server *turn);
void dialect_destroy(struct dialect *d);
/* The rooms of this worker, and who looks at tokens on it. */
struct auth_gate *dialect_gate(const struct dialect *d);
struct room_registry *dialect_rooms(const struct dialect *d);
/* The server stops: tells the sessions when to come back, closes them with 1001. */
void dialect_drain(struct dialect *d);

/* The number of the session that an id is of; 0: it is none. For turn_settings.session_of. */
uint64_t dialect_session_of(struct slice id);

/* Handlers; they want the dialect as their argument. */
void native_on_connect(struct http_exchange *x, void *arg); /* /v1/connect */
void dialect_on_ice_servers(struct http_exchange *x,
			    void *arg); /* /ice-servers, /api/turn-credentials */
void dialect_on_turn_refusals(struct http_exchange *x,
			      void *arg); /* /api/turn-refusals */

/* Makes the routes of Socket.IO. */
void socketio_add_routes(struct dialect *d, struct http_server *h);
/* Makes those of the echoes, /v1/echo and /engine.io/. */
void echo_add_routes(struct dialect *d, struct http_server *h);

/* The JSON array of `ice.server` settings, each "URL[,URL...] [username=U credential=C]".
 * E_MALFORMED with a line in `why`. */
int ice_servers_json(const char *const *item, size_t count, struct buf *out,
		     struct buf *why) NODISCARD;
