#include "main/db.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/base64.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/mem.h"
#include "depot/copy.h"
#include "main/config.h"
#include "store/tools.h"

#define FOLDER "files"

void db_print_help(struct buf *out)
{
	buf_str(out,
		"\nparley db check         says ok, or what is damaged\n"
		"parley db backup FILE   a copy of the database, and of the files beside "
		"it\n"
		"parley db export        all that was said, a line of JSON for each "
		"message\n"
		"\nWhich database: --data-dir and --store.url, as for the server.\n");
}

static void print_line(void *arg, struct slice line)
{
	(void)arg;
	(void)fwrite(line.p, 1, line.n, stdout);
}

/* --- what files contain --- */

struct files {
	struct depot_disk from, to;
	char *folder;     /* of `to` */
	bool there;       /* `from` is */
	bool opened;      /* `to` is */
	struct buf named; /* what the database names: hash and size, one after another */
	struct buf lost;  /* hashes of those that are not there, or not whole */
	struct buf *why;
};

static char *folder_in(struct slice dir)
{
	struct buf b = BUF_INIT(4096);

	buf_printf(&b, "%.*s/" FOLDER, SLICE_FMT(dir));
	char *path = slice_dup(buf_slice(&b));
	buf_fini(&b);
	return path;
}

static void files_open(struct files *f, const char *data_dir, struct buf *why)
{
	char *path = folder_in(slice_str(data_dir));

	*f = (struct files){ .why = why };
	buf_init(&f->named, SIZE_MAX);
	buf_init(&f->lost, SIZE_MAX);
	f->there = depot_disk_look(&f->from, path) == 0;
	free(path);
}

static void files_close(struct files *f)
{
	depot_disk_close(&f->from);
	if (f->opened)
		depot_disk_close(&f->to);
	buf_fini(&f->named);
	buf_fini(&f->lost);
	free(f->folder);
}

static bool is_lost(const struct files *f, struct slice hash)
{
	for (size_t at = 0; at + STORE_HASH <= f->lost.n; at += STORE_HASH)
		if (memcmp(f->lost.p + at, hash.p, STORE_HASH) == 0)
			return true;
	return false;
}

/* Looked at later: that may take long, and the database shall not be held meanwhile. */
static int note_named(void *arg, struct slice hash, uint64_t size)
{
	struct files *f = arg;

	buf_put(&f->named, hash);
	buf_be64(&f->named, size);
	return 0;
}

static int look_at_all(struct files *f)
{
	struct cur in = cur_of_slice(buf_slice(&f->named));
	int err = 0;

	while (err == 0 && cur_left(&in) > 0) {
		struct slice hash = cur_slice(&in, STORE_HASH);
		uint64_t size = cur_be64(&in);

		err = f->there ? depot_look_at(&f->from, hash, size) : E_NOT_FOUND;
		if (err == E_NOT_FOUND) {
			buf_put(&f->lost, hash);
			err = 0;
		}
	}
	return err;
}

/* The second time: one that went with its message meanwhile is named no more. */
static int name_lost(void *arg, struct slice hash, uint64_t size)
{
	struct files *f = arg;

	(void)size;
	if (!is_lost(f, hash))
		return 0;
	buf_str(f->why, FOLDER "/: not there, or not whole: ");
	hex_encode(f->why, hash);
	buf_u8(f->why, '\n');
	return E_NOT_FOUND;
}

static int copy(void *arg, struct slice hash, uint64_t size)
{
	struct files *f = arg;
	int err = 0;

	if (!f->opened) {
		f->opened = true;
		err = depot_disk_open(&f->to, f->folder, 0);
	}
	if (err == 0)
		err = f->there ? depot_copy(&f->from, &f->to, hash, size) : E_NOT_FOUND;
	if (err < 0 && err != E_NOT_FOUND)
		buf_printf(f->why, "%s: %s", f->folder, err_text(err));
	return err;
}

/* --- commands --- */

static int check(const struct store_settings *s, const char *argument, struct buf *why)
{
	struct files f;
	int err = store_check(s, why);

	(void)argument;
	if (err < 0)
		return err;
	files_open(&f, s->dir, why);
	err = store_contents(s, note_named, &f, why);
	if (err == 0)
		err = look_at_all(&f);
	if (err == 0 && f.lost.n > 0)
		err = store_contents(s, name_lost, &f, why);
	files_close(&f);
	if (err == 0)
		printf("ok\n");
	return err > 0 ? E_MALFORMED : err;
}

static int backup(const struct store_settings *s, const char *to, struct buf *why)
{
	const char *slash = strrchr(to, '/');
	struct files f;

	umask(077);
	files_open(&f, s->dir, why);
	f.folder = folder_in(slash ? slice_of(to, (size_t)(slash - to) + 1) : SLICE("."));
	int err = store_backup(s, to, copy, &f, why);
	if (err > 0)
		buf_printf(
			why,
			"the copy is made, but of %d files the contents are not there, "
			"or not whole; parley db check says which",
			err);
	files_close(&f);
	return err > 0 ? E_MALFORMED : err;
}

static int export(const struct store_settings *s, const char *argument, struct buf *why)
{
	(void)argument;
	return store_export(s, print_line, NULL, why);
}

static const struct command_row {
	const char *name;
	int own; /* words, with the name */
	int (*run)(const struct store_settings *s, const char *argument, struct buf *why);
} commands[] = {
	{ "check", 1, check },
	{ "backup", 2, backup },
	{ "export", 1, export },
};

static const struct command_row *find(int argc, char **argv)
{
	for (size_t i = 0; argc > 0 && i < ARRAY_LEN(commands); i++)
		if (strcmp(argv[0], commands[i].name) == 0 && argc >= commands[i].own)
			return &commands[i];
	return NULL;
}

int db_main(int argc, char **argv)
{
	const struct command_row *command = find(argc, argv);
	struct buf why = BUF_INIT(64 * 1024);
	struct option_set *set;
	struct config c;

	if (!command) {
		fprintf(stderr,
			"parley: db check | backup FILE | export [options]; see parley "
			"db --help\n");
		return 2;
	}
	if (config_load(&c, &set, argc - command->own, argv + command->own, &why) < 0) {
		fprintf(stderr, "parley: %.*s\n", SLICE_FMT(buf_slice(&why)));
		buf_fini(&why);
		return 2;
	}
	const struct store_settings s = { .url = c.store_url, .dir = c.data_dir };
	int err = command->run(&s, command->own > 1 ? argv[1] : NULL, &why);
	if (err < 0)
		fprintf(stderr, "parley: %.*s\n", SLICE_FMT(buf_slice(&why)));
	option_destroy(set);
	buf_fini(&why);
	return err < 0 || fflush(stdout) != 0 ? 1 : 0;
}
