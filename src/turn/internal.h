/* internal: the inside of a TURN server, for the files of this folder. */
#pragma once
#include "base/list.h"
#include "base/log.h"
#include "base/map.h"
#include "loop/metric.h"
#include "turn/turn.h"

#define TURN_CHANNEL_FIRST 0x4000
#define TURN_CHANNEL_LAST                                                                \
	0x7fff /* RFC 8656 ends at 0x4fff; clients of RFC 5766 go on to here */
#define TURN_PERMISSION_LIFE 300000
#define TURN_CHANNEL_LIFE 600000
#define TURN_ICMP_RATE 10 /* told to a client in a second */
#define TURN_WHEEL 64     /* slots of a second */
#define TURN_BUCKETS 4096

/* Requested transports (IANA protocol numbers). */
#define TURN_PROTOCOL_TCP 6
#define TURN_PROTOCOL_UDP 17

/* clang-format off */
#define TURN_ERROR_LIST(X)                                                               \
	X(300, "Try Alternate")                                                          \
	X(400, "Bad Request")                                                            \
	X(403, "Forbidden")                                                              \
	X(405, "Mobility Forbidden")                                                     \
	X(420, "Unknown Attribute")                                                      \
	X(437, "Allocation Mismatch")                                                    \
	X(440, "Address Family not Supported")                                           \
	X(441, "Wrong Credentials")                                                      \
	X(442, "Unsupported Transport Protocol")                                         \
	X(443, "Peer Address Family Mismatch")                                           \
	X(446, "Connection Already Exists")                                              \
	X(447, "Connection Timeout or Failure")                                          \
	X(486, "Allocation Quota Reached")                                               \
	X(508, "Insufficient Capacity")
/* clang-format on */

/* Somebody to relay to. With a channel number: that transport address, by channel; without: a permission for the
 * address, whatever the port. */
struct turn_peer {
	struct addr addr;
	uint16_t channel;
	ms_t until;
};

#define TURN_PEERS_INSIDE                                                                \
	2 /* most clients have one peer: no memory beside the allocation */

/* What an allocation has that may move. */
struct turn_move {
	uint64_t number; /* in its tickets, and its key in turn->movable */
	uint32_t round;  /* of the last ticket, */
	ms_t changed;    /* given then */
	bool moving;     /* to this path: */
	struct turn_path next;
	uint64_t next_hash;
	struct addr counted; /* the address whose quota it counts to */
};

struct turn_alloc {
	struct turn *turn;
	uint64_t hash; /* of its path: its key in turn->allocs */
	struct turn_path path;
	struct turn_relay relay[2]; /* by family */
	struct turn_peer *peers;
	uint32_t peer_count, peer_cap;
	struct turn_peer inside[TURN_PEERS_INSIDE];

	struct list tcps; /* struct turn_tcp */
	uint32_t tcp_count;
	struct list wheel;
	struct list same_session;
	ms_t credential_until; /* where it ends at the latest; 0: with its session */
	uint64_t session;
	struct turn_key key;
	uint8_t algorithm;
	uint8_t protocol;
	uint8_t icmps; /* told in this second: */
	uint32_t icmp_second;
	bool reserved; /* the next port: */
	uint8_t token[TURN_TOKEN];
	uint8_t tid[STUN_TID];  /* of the Allocate, to know it again */
	struct slice user;      /* an own copy */
	struct turn_move *move; /* NULL: it may not */
};

/* A token bucket of an address that has proven nothing; several addresses may share one. */
struct turn_bucket {
	uint32_t tokens; /* thousandths */
	uint32_t at;     /* ms */
};

struct turn {
	const struct turn_settings *settings;
	const struct turn_ops *ops;
	void *arg;
	unsigned worker;
	struct stun_hmac *hmac;
	struct map allocs;    /* by the hash of the path */
	struct map relays[2]; /* by port */
	struct map sessions;  /* the first allocation of each */
	struct map tcps;      /* by id */
	struct map movable;   /* those with tickets, by their numbers */
	struct map coming;    /* those that move, by the hash of the path to come */
	struct list wheel[TURN_WHEEL];
	ms_t second; /* everything due up to this second has ended */
	bool draining;
	struct turn_alloc *last; /* of the last look-up: bursts come from one client */
	struct buf out;
	struct turn_bucket *buckets;
	struct log_limit refused_log, quota_log;
};

/* A request being answered. */
struct turn_request {
	struct turn *turn;
	const struct turn_path *path;
	const struct stun_msg *m;
	struct turn_now now;
	struct turn_alloc *alloc; /* of the path; NULL: none */
	/* The proof: set by turn_authenticate(). */
	enum stun_proof proof;
	enum turn_algorithm algorithm;
	struct turn_user user;
	struct slice user_name;
	uint64_t session;
	/* Its MOBILITY-TICKET, set by turn_move_find(). */
	bool by_ticket;       /* a good one, not shown before */
	unsigned ticket_code; /* it is not to be had: the answer */
};

/* auth.c */
/* Checks the credential; false: refused, and answered; or another worker's to answer. */
bool turn_authenticate(struct turn_request *r);
/* Tells why: the client, the log, and who asks later. */
void turn_refuse(struct turn_request *r, enum turn_refusal why);
bool turn_may_answer(struct turn *t, const struct turn_path *path, struct turn_now now);

/* reply.c */
/* The value of PASSWORD-ALGORITHMS that we offer. */
extern const uint8_t turn_algorithms[8];
void turn_reply_begin(struct turn_request *r, enum stun_class class);
void turn_reply_end(struct turn_request *r);
void turn_reply_error(struct turn_request *r, unsigned code);
void turn_reply_refusal(struct turn_request *r, enum turn_refusal why);
void turn_reply_unknown(struct turn_request *r);
/* A whole message that is no answer. */
void turn_send_out(struct turn *t, const struct turn_path *to);

/* alloc.c */
struct turn_alloc *turn_alloc_find(struct turn *t, const struct turn_path *path);
void turn_on_allocate(struct turn_request *r);
void turn_on_refresh(struct turn_request *r);
/* Its time has changed. */
void turn_alloc_schedule(struct turn_alloc *a);
/* When something of it ends: a relay, or all. */
ms_t turn_alloc_due(const struct turn_alloc *a);
/* Ends what is due. */
void turn_alloc_tick(struct turn_alloc *a, ms_t now);
void turn_alloc_end(struct turn_alloc *a, const char *why);

/* By their hash allocations are found. */
uint64_t turn_path_hash(const struct turn *t, const struct turn_path *path);
bool turn_same_path(const struct turn_path *a, const struct turn_path *b);

/* move.c */
void turn_move_allow(struct turn_alloc *a);
void turn_move_put_ticket(const struct turn_alloc *a);
/* Lets the ticket of a Refresh say which allocation it means. False: that of another worker; the request has been passed
 * on to it. */
bool turn_move_find(struct turn_request *r);
/* A Refresh is about to be granted: the client may be elsewhere. The code to refuse it with, or 0. */
unsigned turn_move_refresh(const struct turn_request *r);
bool turn_move_is_next(const struct turn_alloc *a, const struct turn_path *path);
/* There is data of the client from that path. */
void turn_move_on(struct turn_alloc *a, const struct turn_path *from);
/* A path is gone: whether another one is left, or may come. */
bool turn_move_closed(struct turn_alloc *a, const struct turn_path *path, ms_t now);
void turn_move_end(struct turn_alloc *a);

/* peer.c */
void turn_on_create_permission(struct turn_request *r);
void turn_on_channel_bind(struct turn_request *r);
struct turn_peer *turn_peer_by_channel(struct turn_alloc *a, uint16_t channel, ms_t now);
/* Those of a family are none any more. */
void turn_peer_forget(struct turn_alloc *a, int family);
/* The code to answer with when somebody may be no peer; 0: it may. */
unsigned turn_peer_judge(const struct turn_request *r, const struct addr *peer);
/* Whether there is a permission for the peer; and its channel, if it has one (else 0). */
bool turn_peer_permitted(const struct turn_alloc *a, const struct addr *peer, ms_t now,
			 uint16_t *channel);

/* tcp.c */
void turn_on_connect(struct turn_request *r);
void turn_on_connection_bind(struct turn_request *r);
/* Those between the allocation and peers of that family. */
void turn_tcp_end_all(struct turn_alloc *a, int family);

/* relay.c */
void turn_on_send(struct turn *t, const struct turn_path *from, const struct stun_msg *m,
		  struct turn_now now);
void turn_on_channel_data(struct turn *t, const struct turn_path *from,
			  struct slice bytes, struct turn_now now);

/* What a client gets, in one piece. */
static inline void turn_parts_put(struct buf *b, const struct turn_parts *p)
{
	buf_put(b, p->head);
	buf_put(b, p->body);
	buf_add(b, "\0\0\0", p->pad);
}

static inline unsigned turn_row(int family)
{
	return family == AF_INET6;
}

static inline bool turn_is_stream(const struct turn_path *p)
{
	return p->transport == TURN_TCP || p->transport == TURN_TLS;
}
