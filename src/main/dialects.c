#include "main/dialects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "dialect/table.h"

#define MAX_MESSAGES (1u << 20)
#define MAX_OUT (64u << 20)

static const char usage[] =
	"parley dialect list                             the dialects in the program\n"
	"parley dialect show NAME                        the table of one, to begin "
	"with\n"
	"parley dialect check FILE...                    says what is wrong with a "
	"table\n"
	"parley dialect test FILE --with MESSAGES.json   shows what would be sent to "
	"whom\n";

void dialects_print_help(struct buf *out)
{
	buf_str(out, "\n");
	buf_str(out, usage);
}

static int complain(struct buf *why)
{
	fprintf(stderr, "%.*s\n", SLICE_FMT(buf_slice(why)));
	return 1;
}

static int print(struct buf *out)
{
	printf("%.*s", SLICE_FMT(buf_slice(out)));
	return fflush(stdout) == 0 ? 0 : 1;
}

static int load_shipped(struct table_set **out, struct buf *why)
{
	return table_set_load(out, NULL, NULL, 0, why);
}

static int run_list(int argc, char **argv)
{
	struct buf out = BUF_INIT(MAX_OUT), why = BUF_INIT(4096);
	struct table_set *set;
	const struct table *t;
	size_t at = 0;
	int status;

	(void)argc;
	(void)argv;
	if (load_shipped(&set, &why) < 0)
		return complain(&why);
	while ((t = table_next(set, &at)))
		table_describe(t, &out);
	status = print(&out);
	table_set_destroy(set);
	buf_fini(&out);
	return status;
}

static int run_show(int argc, char **argv)
{
	struct buf why = BUF_INIT(4096);
	struct table_set *set;
	const struct table *t;

	if (argc != 1) {
		fputs(usage, stderr);
		return 2;
	}
	if (load_shipped(&set, &why) < 0)
		return complain(&why);
	t = table_find(set, slice_str(argv[0]));
	if (t)
		printf("%.*s", SLICE_FMT(table_text(t)));
	else
		fprintf(stderr, "parley: no dialect %s; see parley dialect list\n",
			argv[0]);
	table_set_destroy(set);
	return t ? 0 : 1;
}

/* The table in a file, with nothing beside it. */
static int load_file(const char *file, struct table **out, struct buf *why)
{
	struct buf text = BUF_INIT(TABLE_MAX_FILE);
	int err = file_read(file, TABLE_MAX_FILE, &text);

	if (err < 0)
		buf_printf(why, "%s: %s", file, err_text(err));
	else
		err = table_parse(out, file, buf_slice(&text), 1, why);
	buf_fini(&text);
	return err;
}

static int check_file(const char *file)
{
	struct buf out = BUF_INIT(MAX_OUT), why = BUF_INIT(4096);
	struct table *t;
	int status = 1;

	if (load_file(file, &t, &why) < 0) {
		complain(&why);
	} else {
		table_describe(t, &out);
		status = print(&out);
		table_destroy(t);
	}
	buf_fini(&out);
	buf_fini(&why);
	return status;
}

static int run_check(int argc, char **argv)
{
	int status = 0;

	if (argc == 0) {
		fputs(usage, stderr);
		return 2;
	}
	for (int i = 0; i < argc; i++)
		status |= check_file(argv[i]);
	return status;
}

static int try_file(const char *file, const char *with)
{
	struct buf messages = BUF_INIT(MAX_MESSAGES), out = BUF_INIT(MAX_OUT),
		   why = BUF_INIT(4096);
	struct table *t = NULL;
	int err = load_file(file, &t, &why), status = 1;

	if (err == 0) {
		err = file_read(with, MAX_MESSAGES, &messages);
		if (err < 0)
			buf_printf(&why, "%s: %s", with, err_text(err));
	}
	if (err == 0) {
		err = table_try(t, buf_slice(&messages), &out, &why);
		status = print(&out);
	}
	if (err < 0)
		status = complain(&why);
	table_destroy(t);
	buf_fini(&messages);
	buf_fini(&out);
	buf_fini(&why);
	return status;
}

static int run_test(int argc, char **argv)
{
	if (argc != 3 || strcmp(argv[1], "--with") != 0) {
		fputs(usage, stderr);
		return 2;
	}
	return try_file(argv[0], argv[2]);
}

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "list", run_list },
	{ "show", run_show },
	{ "check", run_check },
	{ "test", run_test },
};

int dialects_run(int argc, char **argv)
{
	log_setup(LOG_ERROR, false); /* a tried table is no server */
	for (size_t i = 0; argc > 0 && i < ARRAY_LEN(commands); i++)
		if (strcmp(argv[0], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	fputs(usage, argc > 0 ? stderr : stdout);
	return argc > 0 ? 2 : 0;
}
