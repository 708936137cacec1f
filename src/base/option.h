/* option: settings from one table: default < file < environment < flag.
 *
 * The table (an array of struct option, ours is in main/config.c) is the only place that
 * knows a setting; parsing, `parley config`, --help and docs/configuration.md are made from
 * it.
 *
 * File: INI (libinih): [section], key = value, one key per list item. A comment is a line that
 * starts with '#' or ';', or what follows " ;".
 * Environment: PARLEY_SECTION_KEY, '-' and '.' as '_'; the items of a list between spaces.
 * Flag: --section.key=value or --section.key value; a boolean flag alone means true.
 *
 * An option marked `secret` may also come from a file, whose last newline is not part of it; of a list each line is an item:
 * `key-file = path`, PARLEY_SECTION_KEY_FILE, --section.key-file. Lists collect what one
 * source says; a stronger source replaces the whole list. The sources may be read in any
 * order. All this happens on one thread; what is read again goes into another structure.
 */
#pragma once
#include "base/buf.h"

enum option_kind {
	OPTION_BOOL, /* bool: true false yes no on off 1 0 */
	OPTION_INT,  /* int64_t within min..max */
	OPTION_SIZE, /* int64_t bytes: 64k, 16M, plain */
	OPTION_TIME, /* ms_t: 500ms, 30s, 2m, 1h; plain number = seconds, or see plain_ms */
	OPTION_TEXT, /* char * (owned), never NULL */
	OPTION_ENUM, /* int: index into `words` (a space-separated list) */
	OPTION_LIST, /* struct option_list of char * (owned) */
};

struct option_list {
	char **item;
	size_t count;
};

enum option_source { OPTION_DEFAULT, OPTION_FILE, OPTION_ENV, OPTION_FLAG };

struct option {
	const char *name; /* "section.key"; a key without a section is a top-level one */
	enum option_kind kind;
	size_t offset;      /* of the value in the settings structure */
	const char *preset; /* default, written as in a file ("" for none) */
	int64_t min, max;   /* INT, SIZE, TIME; both 0: any number from 0 on */
	const char *words;  /* ENUM */
	bool plain_ms;      /* TIME: a plain number is milliseconds */
	bool secret;        /* shown as *** and allowed from a file */
	const char *help;   /* one sentence, for people */
};

struct option_set; /* the table, the values and where each came from */

/* `values` is the structure that the offsets are of; it gets the defaults at once. */
struct option_set *option_create(const struct option *table, size_t count, void *values);
/* Frees the owned texts and lists too, and wipes secrets. */
void option_destroy(struct option_set *s);
/* Each returns 0 or E_MALFORMED / -errno and then has written one line for people to `why`
 * ("config file x.ini, line 3: unknown key net.prot; did you mean net.port?"). One file per
 * set; a file that could not be opened does not count. */
int option_read_file(struct option_set *s, const char *path, struct buf *why) NODISCARD;
int option_read_env(struct option_set *s, char **environ_list, struct buf *why) NODISCARD;
/* One `--name=value` or `--name` `value` pair: returns how many arguments were used (1 or 2),
 * 0 when argv[0] is not an option, or an error. */
int option_read_flag(struct option_set *s, int argc, char **argv, struct buf *why)
	NODISCARD;
/* "name = value   # source" per line, secrets hidden. */
void option_print(const struct option_set *s, struct buf *out);
/* The table of docs/configuration.md, as Markdown. */
void option_print_docs(const struct option *table, size_t count, struct buf *out);
/* The same for --help. */
void option_print_help(const struct option *table, size_t count, struct buf *out);
