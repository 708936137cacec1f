#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/rand.h"

#define FILE_STEP 4096

/* Up to max + 1 bytes, so that "over max" is seen without trusting the size in the inode,
 * which is 0 for files of /proc and pipes. */
static int read_steps(int fd, size_t max, struct buf *b, uint8_t step[FILE_STEP])
{
	size_t got = 0;

	for (;;) {
		size_t want = max - got < FILE_STEP ? max - got + 1 : FILE_STEP;
		ssize_t n = read(fd, step, want);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		if ((size_t)n > max - got)
			return E_LIMIT;
		got += (size_t)n;
		buf_add(b, step, (size_t)n);
		if (b->bad)
			return E_LIMIT;
	}
}

/* Nothing of it is left on the stack: it may be a secret. */
static int read_all(int fd, size_t max, struct buf *b)
{
	uint8_t step[FILE_STEP];
	int err = read_steps(fd, max, b, step);

	explicit_bzero(step, sizeof(step));
	return err;
}

int file_read(const char *path, size_t max, struct buf *b)
{
	size_t start = buf_at(b);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	int err = read_all(fd, max, b);
	if (err < 0)
		b->n = start;
	close(fd);
	return err;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int file_each(const char *dir, const char *suffix,
	      void (*fn)(void *arg, const char *name), void *arg)
{
	DIR *d = opendir(dir);
	const struct dirent *entry;
	char **names = NULL;
	size_t count = 0;

	if (!d)
		return -errno;
	while ((entry = readdir(d))) {
		if (!slice_ends(slice_str(entry->d_name), slice_str(suffix)))
			continue;
		names = xrealloc(names, size_mul(count + 1, sizeof(*names)));
		names[count++] = xstrdup(entry->d_name);
	}
	closedir(d);
	if (count > 0)
		qsort(names, count, sizeof(*names), by_name);
	for (size_t i = 0; i < count; i++) {
		fn(arg, names[i]);
		free(names[i]);
	}
	free(names);
	return 0;
}

static int write_all(int fd, struct slice s)
{
	while (s.n > 0) {
		ssize_t n = write(fd, s.p, s.n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		s = slice_from(s, (size_t)n);
	}
	return fsync(fd) < 0 ? -errno : 0;
}

/* The name itself is safe only once its directory is on the disk. */
static int sync_dir_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash ? slice_dup(slice_of(path, (size_t)(slash - path) + 1))
			  : xstrdup(".");
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = fd < 0 ? -errno : 0;

	free(dir);
	if (fd < 0)
		return err;
	/* Some file systems cannot do this for directories; they say EINVAL. */
	if (fsync(fd) < 0 && errno != EINVAL)
		err = -errno;
	close(fd);
	return err;
}

static int write_beside(const char *beside, const char *path, struct slice s,
			unsigned mode)
{
	int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);

	if (fd < 0)
		return -errno;
	int err = write_all(fd, s);
	if (close(fd) < 0 && err == 0)
		err = -errno;
	if (err == 0 && rename(beside, path) < 0)
		err = -errno;
	if (err < 0)
		unlink(beside);
	return err;
}

int file_write(const char *path, struct slice s, unsigned mode)
{
	struct buf beside = BUF_INIT(SIZE_MAX);
	char unique[9] = { 0 };

	rand_text(unique, sizeof(unique) - 1);
	buf_printf(&beside, "%s.new-%s", path, unique);
	buf_u8(&beside, '\0');
	int err = write_beside((const char *)beside.p, path, s, mode);
	buf_fini(&beside);
	return err < 0 ? err : sync_dir_of(path);
}

int file_move(const char *from, const char *to)
{
	return rename(from, to) < 0 ? -errno : sync_dir_of(to);
}

static int make_one(const char *path)
{
	struct stat st;

	if (mkdir(path, 0700) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	if (stat(path, &st) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int file_make_dir(const char *path)
{
	char *copy = xstrdup(path);
	int err = 0;

	for (char *at = copy; *at && err == 0; at++) {
		if (*at != '/' || at == copy)
			continue;
		*at = '\0';
		err = make_one(copy);
		*at = '/';
	}
	if (err == 0)
		err = make_one(copy);
	free(copy);
	return err;
}

int file_lock(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		int err = -errno;
		close(fd);
		return err;
	}
	return fd;
}
