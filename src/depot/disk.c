#include "depot/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "store/store.h"

#define HEX_NAME (2 * STORE_HASH)

struct intake {
	int fd;
	uint64_t size;
	EVP_MD_CTX *sum;
	char name[24]; /* in DIR/new */
};

/* "ab/abcd...": where a hash lies. */
struct place {
	char path[3 + HEX_NAME + 1];
};

static struct place place_of(struct slice hash)
{
	struct buf hex = BUF_INIT(HEX_NAME);
	struct place p = { .path = "" };

	assert(hash.n == STORE_HASH);
	hex_encode(&hex, hash);
	memcpy(p.path, hex.p, 2);
	p.path[2] = '/';
	memcpy(p.path + 3, hex.p, HEX_NAME);
	buf_fini(&hex);
	return p;
}

static int hex_value(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool hash_of(const char *name, uint8_t hash[STORE_HASH])
{
	if (strlen(name) != HEX_NAME)
		return false;
	for (size_t i = 0; i < STORE_HASH; i++) {
		int high = hex_value(name[2 * i]), low = hex_value(name[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		hash[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* --- the folder --- */

static int open_folder(int at, const char *name)
{
	if (mkdirat(at, name, 0700) < 0 && errno != EEXIST)
		return -errno;
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Of an earlier run: nobody goes on with them. */
static void empty_fresh(const struct depot_disk *d)
{
	int fd = dup(d->fresh);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			unlinkat(d->fresh, entry->d_name, 0);
	if (dir)
		closedir(dir);
}

int depot_disk_open(struct depot_disk *d, const char *path, uint64_t reserve)
{
	*d = (struct depot_disk){ .dir = -1, .fresh = -1, .reserve = reserve };
	map_init(&d->uploads);
	int err = file_make_dir(path);

	if (err < 0)
		return err;
	d->dir = open_folder(AT_FDCWD, path);
	if (d->dir < 0)
		return d->dir;
	d->fresh = open_folder(d->dir, "new");
	if (d->fresh < 0)
		return d->fresh;
	empty_fresh(d);
	return 0;
}

int depot_disk_look(struct depot_disk *d, const char *path)
{
	*d = (struct depot_disk){ .fresh = -1 };
	map_init(&d->uploads);
	d->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return d->dir < 0 ? -errno : 0;
}

static void intake_free(struct depot_disk *d, struct intake *in, bool unlink_it)
{
	EVP_MD_CTX_free(in->sum);
	if (in->fd >= 0)
		close(in->fd);
	if (unlink_it)
		unlinkat(d->fresh, in->name, 0);
	free(in);
}

void depot_disk_close(struct depot_disk *d)
{
	struct intake *in;
	size_t at = 0;

	while ((in = map_next(&d->uploads, &at)))
		intake_free(d, in, true);
	map_fini(&d->uploads);
	if (d->fresh >= 0)
		close(d->fresh);
	if (d->dir >= 0)
		close(d->dir);
	d->dir = d->fresh = -1;
}

/* --- uploads --- */

/* The database lives on the same disk, as a rule, and shall go on. */
static int check_room(const struct depot_disk *d, uint64_t size)
{
	struct statvfs v;

	if (d->reserve == 0 || fstatvfs(d->fresh, &v) < 0)
		return 0;
	uint64_t left = (uint64_t)v.f_bavail * v.f_frsize;
	return left < d->reserve || left - d->reserve < size ? -ENOSPC : 0;
}

static int make_intake(struct depot_disk *d, uint64_t upload)
{
	struct intake *in = xzalloc(sizeof(*in));

	snprintf(in->name, sizeof(in->name), "%016llx", (unsigned long long)upload);
	in->fd =
		openat(d->fresh, in->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (in->fd < 0) {
		int err = -errno;
		free(in);
		return err;
	}
	in->sum = EVP_MD_CTX_new();
	if (!in->sum || EVP_DigestInit_ex(in->sum, EVP_sha256(), NULL) != 1) {
		intake_free(d, in, true);
		return E_UNAVAILABLE;
	}
	map_put_u64(&d->uploads, upload, in);
	return 0;
}

int depot_disk_begin(struct depot_disk *d, uint64_t upload, uint64_t size)
{
	int err = check_room(d, size);

	return err < 0 ? err : make_intake(d, upload);
}

static int append(struct intake *in, struct slice bytes)
{
	EVP_DigestUpdate(in->sum, bytes.p, bytes.n);
	in->size += bytes.n;
	while (bytes.n > 0) {
		ssize_t n = write(in->fd, bytes.p, bytes.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes = slice_from(bytes, (size_t)n);
	}
	return 0;
}

/* The upload, if that many bytes of it have come. */
static int find(const struct depot_disk *d, uint64_t upload, uint64_t at,
		struct intake **out)
{
	*out = map_find_u64(&d->uploads, upload);
	return *out && (*out)->size == at ? 0 : E_STATE;
}

int depot_disk_write(struct depot_disk *d, uint64_t upload, uint64_t at,
		     struct slice bytes)
{
	struct intake *in;
	int err = find(d, upload, at, &in);

	if (err == 0)
		err = check_room(d, bytes.n);
	if (err == 0)
		err = append(in, bytes);
	if (err < 0)
		depot_disk_drop(d, upload);
	return err;
}

/* Some file systems cannot do this for directories; they say EINVAL. */
static int sync_folder(int fd)
{
	return fsync(fd) < 0 && errno != EINVAL ? -errno : 0;
}

/* The name is safe only when its folder is on the disk, and that one's name in turn. */
static int move_in(const struct depot_disk *d, const struct intake *in,
		   const struct place *p)
{
	const char shard[] = { p->path[0], p->path[1], 0 };
	int fd = open_folder(d->dir, shard);
	int err = 0;

	if (fd < 0)
		return fd;
	if (renameat(d->fresh, in->name, d->dir, p->path) < 0)
		err = -errno;
	if (err == 0)
		err = sync_folder(fd);
	if (err == 0)
		err = sync_folder(d->dir);
	close(fd);
	return err;
}

/* The same bytes may be here already: then that file is touched, and stays for the grace. */
static int keep(const struct depot_disk *d, const struct intake *in,
		const struct place *p)
{
	struct stat st;

	if (fstatat(d->dir, p->path, &st, 0) == 0 && (uint64_t)st.st_size == in->size &&
	    utimensat(d->dir, p->path, NULL, 0) == 0) {
		unlinkat(d->fresh, in->name, 0);
		return 0;
	}
	if (fsync(in->fd) < 0)
		return -errno;
	return move_in(d, in, p);
}

int depot_disk_finish(struct depot_disk *d, uint64_t upload, uint64_t size, uint8_t *hash)
{
	struct intake *in;
	int err = find(d, upload, size, &in);

	if (err < 0) {
		depot_disk_drop(d, upload);
		return err;
	}
	EVP_DigestFinal_ex(in->sum, hash, NULL);
	const struct place p = place_of(slice_of(hash, STORE_HASH));
	map_del_u64(&d->uploads, upload);
	err = keep(d, in, &p);
	intake_free(d, in, err < 0);
	return err;
}

void depot_disk_drop(struct depot_disk *d, uint64_t upload)
{
	struct intake *in = map_del_u64(&d->uploads, upload);

	if (in)
		intake_free(d, in, true);
}

/* --- what is whole --- */

int depot_disk_read(const struct depot_disk *d, struct slice hash, uint64_t at, size_t n,
		    struct buf *out)
{
	const struct place p = place_of(hash);
	int fd = openat(d->dir, p.path, O_RDONLY | O_CLOEXEC);
	uint8_t *to = buf_room(out, n);
	ssize_t got = 0;

	if (fd < 0)
		return -errno;
	if (!to) {
		close(fd);
		return E_LIMIT;
	}
	do {
		got = pread(fd, to, n, (off_t)at);
	} while (got < 0 && errno == EINTR);
	int err = got < 0 ? -errno : 0;
	if (got > 0)
		out->n += (size_t)got;
	close(fd);
	return err;
}

bool depot_disk_has(const struct depot_disk *d, struct slice hash, uint64_t size)
{
	const struct place p = place_of(hash);
	struct stat st;

	return fstatat(d->dir, p.path, &st, 0) == 0 && (uint64_t)st.st_size == size;
}

static bool is_old(const struct depot_disk *d, const char *path, ms_t cutoff)
{
	struct stat st;

	return fstatat(d->dir, path, &st, 0) == 0 &&
	       (ms_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000 < cutoff;
}

void depot_disk_list(const struct depot_disk *d, unsigned shard, ms_t cutoff,
		     struct buf *hashes)
{
	char name[3];
	uint8_t hash[STORE_HASH];
	const struct dirent *entry;

	snprintf(name, sizeof(name), "%02x", shard % DEPOT_SHARDS);
	int fd = openat(d->dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	while (dir && (entry = readdir(dir)) &&
	       hashes->n < (size_t)DEPOT_SHARD_MAX * STORE_HASH) {
		if (!hash_of(entry->d_name, hash))
			continue;
		const struct place p = place_of(slice_of(hash, STORE_HASH));
		if (is_old(d, p.path, cutoff))
			buf_add(hashes, hash, STORE_HASH);
	}
	if (dir)
		closedir(dir);
	else if (fd >= 0)
		close(fd);
}

bool depot_disk_remove(const struct depot_disk *d, struct slice hash, ms_t cutoff)
{
	const struct place p = place_of(hash);

	return is_old(d, p.path, cutoff) && unlinkat(d->dir, p.path, 0) == 0;
}
