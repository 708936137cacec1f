#include "bus/member_info.h"

static const char id_letters[32] = "abcdefghijklmnopqrstuvwxyz234567";

void bus_member_text(char out[BUS_MEMBER_TEXT], uint64_t id)
{
	out[0] = 'm';
	out[1] = '_';
	for (unsigned i = BUS_MEMBER_TEXT; i-- > 2; id >>= 5)
		out[i] = id_letters[id & 31];
}

uint64_t bus_member_number(struct slice text)
{
	uint64_t id = 0;

	if (text.n != BUS_MEMBER_TEXT || text.p[0] != 'm' || text.p[1] != '_')
		return 0;
	for (size_t i = 2; i < text.n; i++) {
		uint8_t c = text.p[i];

		if (c >= 'a' && c <= 'z')
			id = id << 5 | (uint64_t)(c - 'a');
		else if (c >= '2' && c <= '7')
			id = id << 5 | (uint64_t)(c - '2' + 26);
		else
			return 0;
	}
	return id;
}

uint64_t bus_member_read(struct cur *in)
{
	uint64_t high = cur_u8(in);

	return high << 32 | cur_be32(in);
}

void bus_member_write(struct buf *b, uint64_t id)
{
	buf_u8(b, (uint8_t)(id >> 32));
	buf_be32(b, (uint32_t)id);
}

/* Of two equals the one with the smaller id offers, as those clients compare strings. */
static bool id_before(const struct member_info *a, const struct member_info *b)
{
	size_t n = a->user.n < b->user.n ? a->user.n : b->user.n;
	int d = n > 0 ? memcmp(a->user.p, b->user.p, n) : 0;

	return d != 0 ? d < 0 : a->user.n < b->user.n;
}

/* What a newcomer works out by itself. A member without a rank is shown to it as the other kind
 * (bus_rank_shown), so coaches offer to it and clients wait. */
static bool ranked_offers(const struct member_info *there,
			  const struct member_info *newcomer)
{
	enum rank other = bus_rank_shown(there, newcomer), own = newcomer->rank;

	if (other == own)
		return own != RANK_AI && id_before(newcomer, there);
	return own > other;
}

enum rank bus_rank_shown(const struct member_info *of, const struct member_info *to)
{
	if (of->rank != RANK_NONE)
		return of->rank;
	return to->rank == RANK_COACH ? RANK_CLIENT : RANK_COACH;
}

bool bus_newcomer_offers(const struct member_info *there,
			 const struct member_info *newcomer)
{
	if (newcomer->offers == OFFERS_LEXICAL && there->offers == OFFERS_LEXICAL &&
	    newcomer->dialect == there->dialect)
		return id_before(newcomer, there);
	if (newcomer->offers == OFFERS_RANKED)
		return ranked_offers(there, newcomer);
	if (newcomer->offers == OFFERS_NEVER || there->offers == OFFERS_ALWAYS)
		return false;
	if (newcomer->offers == OFFERS_ALWAYS || there->offers == OFFERS_NEVER)
		return true;
	if (newcomer->offers == OFFERS_LATER || there->offers == OFFERS_LATER)
		return false;
	/* Else the newcomer: it learns of the others first and has the whole list. */
	return true;
}

bool bus_offers(const struct member_info *self, const struct member_info *other)
{
	return other->order < self->order ? bus_newcomer_offers(other, self)
					  : !bus_newcomer_offers(self, other);
}
