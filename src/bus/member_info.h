/* member_info: what the others may know of a member; part of events. */
#pragma once
#include "base/buf.h"
#include "base/clock.h"
#include "base/cur.h"

enum role { ROLE_OWNER, ROLE_MODERATOR, ROLE_SPEAKER, ROLE_LISTENER, ROLES };

enum leave_reason {
	LEAVE_LEAVE,      /* said so */
	LEAVE_DISCONNECT, /* the connection broke */
	LEAVE_TIMEOUT,    /* no sign of life */
	LEAVE_KICK,
	LEAVE_REPLACED, /* the same user came again */
	LEAVE_SHUTDOWN, /* the server stops */
	LEAVE_REASONS
};

enum presence {
	PRESENCE_MIC = 1,
	PRESENCE_CAMERA = 2,
	PRESENCE_SCREEN = 4,
	PRESENCE_HAND = 8,
	PRESENCE_SPEAKING = 16,
	PRESENCE_ALL = 31,
	/* In a `changed` mask only: */
	CHANGED_NAME = 32,
	CHANGED_METADATA = 64,
	CHANGED_ROLE = 128,
};

struct member_info {
	uint64_t id; /* 1 .. 2^40-1, random, never reused in a room's life */
	enum role role;
	uint8_t state;  /* PRESENCE_* bits */
	bool offer;     /* who reads this sends the first offer to that member */
	ms_t joined_at; /* wall clock */
	struct slice name, user;
	struct slice metadata; /* raw JSON object, or empty */
};

void bus_member_encode(struct buf *b, const struct member_info *m);
int bus_member_decode(struct member_info *m, struct cur *in) NODISCARD;
