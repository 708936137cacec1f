#include "main/db.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "main/config.h"
#include "store/tools.h"

static void print_line(void *arg, struct slice line)
{
	(void)arg;
	(void)fwrite(line.p, 1, line.n, stdout);
}

/* `argument`: the FILE of backup. */
static int run(const char *what, const char *argument, const struct store_settings *s,
	       struct buf *why)
{
	if (strcmp(what, "check") == 0)
		return store_check(s, why);
	if (strcmp(what, "backup") == 0)
		return store_backup(s, argument, why);
	return store_export(s, print_line, NULL, why);
}

int db_main(int argc, char **argv)
{
	bool backup = argc > 0 && strcmp(argv[0], "backup") == 0;
	int own = backup ? 2 : 1;
	struct buf why = BUF_INIT(64 * 1024);
	struct option_set *set;
	struct config c;

	if (argc < own || (!backup && strcmp(argv[0], "check") != 0 &&
			   strcmp(argv[0], "export") != 0)) {
		fprintf(stderr, "parley db check | backup FILE | export   [options]\n");
		return 2;
	}
	if (config_load(&c, &set, argc - own, argv + own, &why) < 0) {
		fprintf(stderr, "parley: %.*s\n", SLICE_FMT(buf_slice(&why)));
		buf_fini(&why);
		return 2;
	}
	const struct store_settings s = { .url = c.store_url, .dir = c.data_dir };
	int err = run(argv[0], backup ? argv[1] : NULL, &s, &why);
	if (err < 0)
		fprintf(stderr, "parley: %.*s\n", SLICE_FMT(buf_slice(&why)));
	else if (strcmp(argv[0], "check") == 0)
		printf("ok\n");
	option_destroy(set);
	buf_fini(&why);
	return err < 0 || fflush(stdout) != 0 ? 1 : 0;
}
