#include "depot/copy.h"

#include "base/err.h"
#include "store/store.h"

#define PIECE ((size_t)1 << 20)

/* Takes the bytes that lie at `at`. */
typedef int piece_fn(void *arg, uint64_t at, struct slice bytes);

static int each_piece(const struct depot_disk *from, struct slice hash, uint64_t size,
		      piece_fn *fn, void *arg)
{
	struct buf piece = BUF_INIT(PIECE);
	uint64_t at = 0;
	int err = depot_disk_has(from, hash, size) ? 0 : E_NOT_FOUND;

	while (err == 0 && at < size) {
		buf_clear(&piece);
		if (depot_disk_read(from, hash, at, PIECE, &piece) < 0 || piece.n == 0)
			err = E_NOT_FOUND;
		else
			err = fn(arg, at, buf_slice(&piece));
		at += piece.n;
	}
	buf_fini(&piece);
	return err;
}

static int is_same(struct slice hash, const uint8_t got[STORE_HASH])
{
	return slice_eq(hash, slice_of(got, STORE_HASH)) ? 0 : E_NOT_FOUND;
}

static int add_to_sum(void *arg, uint64_t at, struct slice bytes)
{
	(void)at;
	return EVP_DigestUpdate(arg, bytes.p, bytes.n) == 1 ? 0 : E_UNAVAILABLE;
}

int depot_look_at(const struct depot_disk *from, struct slice hash, uint64_t size)
{
	EVP_MD_CTX *sum = EVP_MD_CTX_new();
	uint8_t got[EVP_MAX_MD_SIZE];
	int err = E_UNAVAILABLE;

	if (sum && EVP_DigestInit_ex(sum, EVP_sha256(), NULL) == 1)
		err = each_piece(from, hash, size, add_to_sum, sum);
	if (err == 0 && EVP_DigestFinal_ex(sum, got, NULL) == 1)
		err = is_same(hash, got);
	EVP_MD_CTX_free(sum);
	return err;
}

#define UPLOAD 1 /* there is one at a time */

static int write_piece(void *arg, uint64_t at, struct slice bytes)
{
	return depot_disk_write(arg, UPLOAD, at, bytes);
}

int depot_copy(const struct depot_disk *from, struct depot_disk *to, struct slice hash,
	       uint64_t size)
{
	uint8_t got[EVP_MAX_MD_SIZE];

	if (depot_disk_has(to, hash, size))
		return 0;
	int err = depot_disk_begin(to, UPLOAD, size);
	if (err < 0)
		return err;
	err = each_piece(from, hash, size, write_piece, to);
	if (err < 0) {
		depot_disk_drop(to, UPLOAD);
		return err;
	}
	err = depot_disk_finish(to, UPLOAD, size, got);
	return err < 0 ? err : is_same(hash, got);
}
