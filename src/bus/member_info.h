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
	LEAVE_CLOSED,   /* the room was closed */
	LEAVE_REASONS
};

enum presence {
	PRESENCE_MIC = 1,
	PRESENCE_CAMERA = 2,
	PRESENCE_SCREEN = 4,
	PRESENCE_HAND = 8,
	PRESENCE_SPEAKING = 16,
	PRESENCE_ALL = 31,
	/* In a `changed` mask (16 bits) only: */
	CHANGED_NAME = 32,
	CHANGED_METADATA = 64,
	CHANGED_ROLE = 128,
	CHANGED_AWAY = 256,
	CHANGED_MUTED = 512,
};

/* What a signal carries. */
enum media {
	MEDIA_NONE,  /* `text` is the data of a native signal, of whatever kind */
	MEDIA_OFFER, /* `text` is a session description */
	MEDIA_ANSWER,
	MEDIA_CANDIDATE, /* `text` is an ICE candidate */
	MEDIA_KINDS
};

/* How a voice that goes through the server is encoded; the numbers are those of the wire. */
enum voice_codec { VOICE_NONE, VOICE_OPUS, VOICE_PCM, VOICE_CODECS };

/* How a member's client comes to send the first offer to another. */
enum offers {
	OFFERS_TOLD, /* it does as it is told */
	OFFERS_LATER, /* the same, but it expects those who were there to offer, if they can */
	OFFERS_NEVER,  /* it only ever answers */
	OFFERS_ALWAYS, /* it offers to everybody that it is told of */
	OFFERS_RANKED, /* as a newcomer it works it out from the ranks by itself, else as told */
	OFFERS_LEXICAL, /* of two of its dialect the smaller id offers, else as told */
};

/* What such a client goes by (docs/dialects.md): higher offers to lower, equals by user id. */
enum rank { RANK_NONE, RANK_AI, RANK_CLIENT, RANK_COACH };

struct member_info {
	uint64_t id; /* 1 .. 2^40-1, random, never reused in a room's life */
	enum role role;
	uint8_t state;    /* PRESENCE_* bits */
	bool offer;       /* who reads this sends the first offer to that member */
	ms_t joined_at;   /* wall clock */
	uint8_t offers;   /* enum offers */
	uint8_t rank;     /* enum rank */
	uint16_t dialect; /* number of the table that its client speaks by; 0: native */
	uint32_t order;   /* who joined later has the higher one */
	bool away;        /* its connection broke, its seat is kept */
	bool muted;       /* may not turn its microphone on */
	bool named; /* members of other dialects are addressed by `user`, not by number */
	struct slice name, user;
	struct slice metadata; /* raw JSON object, or empty */
};

void bus_member_encode(struct buf *b, const struct member_info *m);
int bus_member_decode(struct member_info *m, struct cur *in) NODISCARD;

/* Members' numbers in binary messages: 40 bits, big-endian. */
#define BUS_MEMBER_BYTES 5
uint64_t bus_member_read(struct cur *in); /* 0 when it is none */
void bus_member_write(struct buf *b, uint64_t id);
/* Members' numbers in text: "m_" and 8 letters of 5 bits. */
#define BUS_MEMBER_TEXT 10
void bus_member_text(char out[BUS_MEMBER_TEXT], uint64_t id);
/* 0 when it is none. */
uint64_t bus_member_number(struct slice text);

/* Decides for a pair, once: does the newcomer send the first offer, or who was there? */
bool bus_newcomer_offers(const struct member_info *there,
			 const struct member_info *newcomer);
/* The same for two who are there: does `self` send it? */
bool bus_offers(const struct member_info *self, const struct member_info *other);
/* The rank under which `of` is shown to `to`. */
enum rank bus_rank_shown(const struct member_info *of, const struct member_info *to);
