/* parley: one program, one command per line of the table below. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "main/db.h"
#include "main/diagnose.h"
#include "main/dialects.h"
#include "main/serve.h"
#include "main/token.h"
#include "main/version.h"

static int print_and_free(struct buf *b)
{
	printf("%.*s", SLICE_FMT(buf_slice(b)));
	buf_fini(b);
	return fflush(stdout) == 0 ? 0 : 1;
}

static int run_version(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	printf("%s\n", VERSION_TEXT);
	return 0;
}

static int run_help(int argc, char **argv)
{
	struct buf b = BUF_INIT(256 * 1024);

	(void)argc;
	(void)argv;
	buf_str(&b,
		/* clang-format off */
		"parley [serve] [options]      run the server\n"
		"parley config [options]       print every setting and where it came from\n"
		"parley config --docs          print the settings as a Markdown page\n"
		"parley dialect ...            list, show, check and test tables of dialects\n"
		"parley doctor [--url URL]     look at a running server: what fails and the cure\n"
		"parley ports [options]        print what a firewall must let through\n"
		"parley token create [options] print a token for a client or for the server API\n"
		"parley db check | backup FILE | export\n"
		"                              look after the database, also while the server runs\n"
		"parley version                print the version\n"
		"parley help                   print this\n\n"
		/* clang-format on */
		"Options (in the file: [section] key = value; in the environment: "
		"PARLEY_SECTION_KEY):\n\n");
	config_print_help(&b);
	buf_str(&b, "\nOptions of token create, beside those of auth.*:\n\n");
	token_print_help(&b);
	return print_and_free(&b);
}

/* Calls fn with the loaded settings; says what is wrong with them. */
static int with_config(int argc, char **argv,
		       int (*fn)(const struct config *c, const struct option_set *set))
{
	struct buf why = BUF_INIT(4096);
	struct option_set *set;
	struct config c;

	if (config_load(&c, &set, argc, argv, &why) < 0) {
		fprintf(stderr, "parley: %.*s\n", SLICE_FMT(buf_slice(&why)));
		buf_fini(&why);
		return 2;
	}
	buf_fini(&why);
	int status = fn(&c, set);
	option_destroy(set);
	return status;
}

static int print_config(const struct config *c, const struct option_set *set)
{
	struct buf b = BUF_INIT(256 * 1024);

	(void)c;
	option_print(set, &b);
	return print_and_free(&b);
}

static int run_config(int argc, char **argv)
{
	struct buf b = BUF_INIT(256 * 1024);

	if (argc != 1 || strcmp(argv[0], "--docs") != 0)
		return with_config(argc, argv, print_config);
	config_print_docs(&b);
	return print_and_free(&b);
}

static int serve_with(const struct config *c, const struct option_set *set)
{
	(void)set;
	log_setup((enum log_level)c->log_level, c->log_format == 1);
	return serve_run(c);
}

static int run_serve(int argc, char **argv)
{
	return with_config(argc, argv, serve_with);
}

static int run_ports(int argc, char **argv)
{
	return with_config(argc, argv, diagnose_ports);
}

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	/* clang-format off */
	{ "serve", run_serve },
	{ "config", run_config },
	{ "dialect", dialects_run },
	{ "doctor", diagnose_doctor },
	{ "ports", run_ports },
	{ "token", token_run },
	{ "db", db_main },          { "version", run_version },
	{ "--version", run_version },
	{ "help", run_help },
	{ "--help", run_help },
	/* clang-format on */
};

int main(int argc, char **argv)
{
	if (argc < 2)
		return run_serve(0, NULL);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 2, argv + 2);
	if (argv[1][0] == '-')
		return run_serve(argc - 1, argv + 1);
	fprintf(stderr, "parley: unknown command %s; see parley help\n", argv[1]);
	return 2;
}
