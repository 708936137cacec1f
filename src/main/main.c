/* parley: one program, one command per row of the table below. */
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

/* --- help --- */

struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *usage; /* its lines of `parley help` */
	/* What its own --help says besides. May be NULL. */
	void (*more)(struct buf *out);
};

static void help_with_settings(struct buf *out)
{
	buf_str(out, "\nOptions (in the file: [section] key = value; in the environment: "
		     "PARLEY_SECTION_KEY):\n\n");
	config_print_help(out);
}

static void help_of_token(struct buf *out)
{
	buf_str(out,
		"\nOptions, beside those of the server (auth.key, auth.key-file):\n\n");
	token_print_help(out);
}

static int run_help(int argc, char **argv);

/* clang-format off */
static const struct command commands[] = {
	{ "serve", run_serve,
	  "parley [serve] [options]      run the server\n", help_with_settings },
	{ "config", run_config,
	  "parley config [options]       print every setting and where it came from\n"
	  "parley config --docs          print the settings as a Markdown page\n", help_with_settings },
	{ "dialect", dialects_run,
	  "parley dialect ...            list, show, check and test tables of dialects\n", dialects_print_help },
	{ "doctor", diagnose_doctor,
	  "parley doctor [--url URL]     look at a running server: what fails and the cure\n", diagnose_print_help },
	{ "ports", run_ports,
	  "parley ports [options]        print what a firewall must let through\n", help_with_settings },
	{ "token", token_run,
	  "parley token create [options] print a token for a client or for the server API\n", help_of_token },
	{ "db", db_main,
	  "parley db check | backup FILE | export\n"
	  "                              look after the database, also while the server runs\n", db_print_help },
	{ "version", run_version,
	  "parley version                print the version\n", NULL },
	{ "help", run_help,
	  "parley help [COMMAND]         print this, or what a command takes\n", NULL },
};
/* clang-format on */

static const struct command *command_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	if (strcmp(name, "--version") == 0)
		return command_of("version");
	return strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 ? command_of("help")
								      : NULL;
}

static int help_on(const struct command *c)
{
	struct buf b = BUF_INIT(256 * 1024);

	buf_str(&b, c->usage);
	if (c->more)
		c->more(&b);
	return print_and_free(&b);
}

static int help_on_all(void)
{
	struct buf b = BUF_INIT(256 * 1024);

	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		buf_str(&b, commands[i].usage);
	buf_str(&b, "\nparley COMMAND --help says more. Without a command the server "
		    "runs: it "
		    "prints its address, and\nneeds no option.\n");
	help_with_settings(&b);
	return print_and_free(&b);
}

static int unknown(const char *name)
{
	fprintf(stderr, "parley: unknown command %s; see parley help\n", name);
	return 2;
}

static int run_help(int argc, char **argv)
{
	const struct command *c = argc > 0 ? command_of(argv[0]) : NULL;

	if (argc > 0 && !c)
		return unknown(argv[0]);
	return c ? help_on(c) : help_on_all();
}

static bool wants_help(int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	return false;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return run_serve(0, NULL);
	const struct command *c = command_of(argv[1]);
	if (!c && argv[1][0] != '-')
		return unknown(argv[1]);
	if (!c)
		return wants_help(argc - 1, argv + 1) ? help_on_all()
						      : run_serve(argc - 1, argv + 1);
	return wants_help(argc - 2, argv + 2) ? help_on(c) : c->run(argc - 2, argv + 2);
}
