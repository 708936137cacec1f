#include "sio/engine.h"

#include <assert.h>

#include "base/err.h"

static const unsigned engine_next[] = {
	[EIO_POLLING] = BIT(EIO_PROBING) | BIT(EIO_CLOSING) | BIT(EIO_CLOSED),
	[EIO_PROBING] = BIT(EIO_POLLING) | BIT(EIO_WEBSOCKET) | BIT(EIO_CLOSING) |
			BIT(EIO_CLOSED),
	[EIO_WEBSOCKET] = BIT(EIO_CLOSED),
	[EIO_CLOSING] = BIT(EIO_CLOSED),
	[EIO_CLOSED] = 0,
};

void eio_engine_set_state(struct eio_engine *e, enum eio_state to)
{
	assert(engine_next[e->state] & BIT(to));
	e->state = (uint8_t)to;
}

static void heard(struct eio_engine *e, const struct eio_times *t, ms_t now)
{
	e->waits = e->version != 4; /* there the client asks */
	e->at = now + t->ping_interval + (e->waits ? t->ping_timeout : 0);
}

void eio_engine_init(struct eio_engine *e, const struct eio_times *times,
		     unsigned version, bool websocket, ms_t now)
{
	*e = (struct eio_engine){ .version = (uint8_t)version };
	e->state = websocket ? EIO_WEBSOCKET : EIO_POLLING;
	heard(e, times, now);
}

/* --- packets --- */

static int candidate_packet(struct eio_engine *e, const struct eio_packet *p)
{
	if (p->type == EIO_PING && slice_is(p->data, "probe") &&
	    e->state == EIO_POLLING) {
		eio_engine_set_state(e, EIO_PROBING);
		return EIO_PROBED;
	}
	if (p->type == EIO_UPGRADE && e->state == EIO_PROBING) {
		eio_engine_set_state(e, EIO_WEBSOCKET);
		return EIO_UPGRADED;
	}
	return E_MALFORMED;
}

/* Version 4: behind much that a slow line brings, the pong comes late. */
static void has_spoken(struct eio_engine *e, const struct eio_times *t,
		       enum eio_type type, ms_t now)
{
	if (e->version != 4 || !e->waits || e->patient || type == EIO_PONG)
		return;
	e->patient = true;
	e->at = now + t->ping_timeout;
}

static int transport_packet(struct eio_engine *e, const struct eio_times *times,
			    const struct eio_packet *p, ms_t now)
{
	switch (p->type) {
	case EIO_MESSAGE:
		return EIO_DELIVER;
	case EIO_CLOSE:
		return EIO_ENDED;
	case EIO_PING:
		if (e->version != 3)
			return E_MALFORMED;
		heard(e, times, now);
		return EIO_ANSWER;
	case EIO_PONG:
		if (e->version != 4)
			return E_MALFORMED;
		heard(e, times, now);
		return EIO_NOTHING;
	case EIO_NOOP:
		return EIO_NOTHING;
	case EIO_OPEN:
	case EIO_UPGRADE:
	case EIO_TYPES:
		break;
	}
	return E_MALFORMED;
}

int eio_engine_packet(struct eio_engine *e, const struct eio_times *times,
		      enum eio_source from, const struct eio_packet *p, ms_t now)
{
	if (e->state == EIO_CLOSED || e->state == EIO_CLOSING)
		return EIO_NOTHING;
	if (from == EIO_BY_CANDIDATE)
		return candidate_packet(e, p);
	has_spoken(e, times, p->type, now);
	return transport_packet(e, times, p, now);
}

void eio_engine_no_candidate(struct eio_engine *e)
{
	if (e->state == EIO_PROBING)
		eio_engine_set_state(e, EIO_POLLING);
}

bool eio_engine_polls(const struct eio_engine *e)
{
	return e->state == EIO_POLLING || e->state == EIO_PROBING;
}

/* --- the clock --- */

enum eio_alarm eio_engine_alarm(struct eio_engine *e, const struct eio_times *times,
				ms_t now)
{
	if (now < e->at)
		return EIO_QUIET;
	if (e->waits)
		return EIO_DEAD;
	/* From when it was due, as the client reckons; unless we were away ourselves. */
	ms_t late = now - e->at;
	ms_t from = late > times->ping_timeout / 2 ? now : e->at;
	e->at = from + times->ping_timeout;
	e->waits = true;
	e->patient = false;
	return EIO_PING_DUE;
}

ms_t eio_engine_next(const struct eio_engine *e)
{
	return e->at;
}
