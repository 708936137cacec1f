/* table_set: the tables that are in the program, and those of the data directory. */
#include <errno.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "dialect/table_rules.h"
#include "dialect/table_shipped.h"

#define SUFFIX ".dialect"
#define MAX_WAYS 256

struct table_set {
	struct table *table[TABLE_MAX];
	unsigned count;
	struct table_way way[MAX_WAYS];
	unsigned way_count;
	char *more[MAX_WAYS]; /* paths of `routes` */
	unsigned more_count;
};

/* While they are read. */
struct loading {
	struct table_set *set;
	const char *dir;
	struct buf *why;
	int err;
};

static struct table *find(const struct table_set *set, struct slice name)
{
	for (unsigned i = 0; i < set->count; i++)
		if (slice_eq(set->table[i]->name, name))
			return set->table[i];
	return NULL;
}

const struct table *table_find(const struct table_set *set, struct slice name)
{
	return find(set, name);
}

const struct table *table_next(const struct table_set *set, size_t *at)
{
	return *at < set->count ? set->table[(*at)++] : NULL;
}

bool table_next_way(const struct table_set *set, size_t *at, struct table_way *out)
{
	if (*at >= set->way_count)
		return false;
	*out = set->way[(*at)++];
	return true;
}

const struct table *table_of_namespace(const struct table_set *set, struct slice ns,
				       unsigned *index)
{
	const struct table *found = NULL;

	for (unsigned i = 0; i < set->count; i++) {
		const struct table *t = set->table[i];

		if (t->speaks != SPEAKS_SOCKETIO || (found && t->shipped))
			continue;
		for (unsigned k = 0; k < t->route_count; k++)
			if (slice_eq(t->routes[k], ns)) {
				*index = k;
				found = t;
			}
	}
	return found;
}

struct slice table_namespace(const struct vocabulary *v, unsigned index)
{
	const struct table *t = container_of(v, struct table, vocabulary);

	return t->routes[index];
}

struct slice table_text(const struct table *t)
{
	return slice_of(t->text, t->text_size);
}

struct slice table_name(const struct table *t)
{
	return t->name;
}

void table_describe(const struct table *t, struct buf *out)
{
	static const char *const tongues[] = { "json", "keys", "text", "socketio" };

	buf_printf(out, "%-12.*s %-9s %.*s\n", SLICE_FMT(t->name), tongues[t->speaks],
		   SLICE_FMT(t->about));
	for (unsigned i = 0; i < t->route_count; i++)
		buf_printf(out, "%-12s %-9s %.*s\n", "", "", SLICE_FMT(t->routes[i]));
}

/* --- loading --- */

static void put_table(struct table_set *set, struct table *t)
{
	unsigned at = 0;

	while (at < set->count && !slice_eq(set->table[at]->name, t->name))
		at++;
	if (at < set->count) {
		t->number = set->table[at]->number;
		table_destroy(set->table[at]);
	} else {
		set->count++;
	}
	set->table[at] = t;
}

static int load_text(struct loading *l, const char *file, struct slice text, bool shipped)
{
	struct table *t;
	int err;

	if (l->set->count == TABLE_MAX) {
		buf_printf(l->why, "%s: at most %d dialects", file, TABLE_MAX);
		return E_LIMIT;
	}
	err = table_parse(&t, file, text, l->set->count + 1, l->why);
	if (err < 0)
		return err;
	t->shipped = shipped;
	put_table(l->set, t);
	return 0;
}

static void load_file(void *arg, const char *name)
{
	struct loading *l = arg;
	struct buf path = BUF_INIT(8192), text = BUF_INIT(TABLE_MAX_FILE);

	if (l->err < 0)
		return;
	buf_printf(&path, "%s/%s", l->dir, name);
	char *file = slice_dup(buf_slice(&path));
	l->err = file_read(file, TABLE_MAX_FILE, &text);
	if (l->err < 0)
		buf_printf(l->why, "cannot read %s: %s", file, err_text(l->err));
	else
		l->err = load_text(l, file, buf_slice(&text), false);
	free(file);
	buf_fini(&path);
	buf_fini(&text);
}

static int add_way(struct loading *l, const char *path, const struct table *t)
{
	struct table_set *set = l->set;

	for (unsigned i = 0; i < set->way_count; i++) {
		struct table_way *w = &set->way[i];
		bool same_kind = (w->table->speaks == SPEAKS_SOCKETIO) ==
				 (t->speaks == SPEAKS_SOCKETIO);

		if (!same_kind || !table_paths_same(slice_str(w->path), slice_str(path)))
			continue;
		/* A file's table takes it away from one of ours. */
		if (w->table->shipped != t->shipped) {
			w->table = t->shipped ? w->table : t;
			return 0;
		}
		buf_printf(l->why,
			   "the dialects %.*s and %.*s both want %s; give one of them "
			   "another route",
			   SLICE_FMT(w->table->name), SLICE_FMT(t->name), path);
		return E_MALFORMED;
	}
	if (set->way_count == MAX_WAYS)
		return E_LIMIT;
	set->way[set->way_count++] = (struct table_way){ path, t };
	return 0;
}

/* Patterns are kept with a NUL behind them. */
static int add_ways(struct loading *l)
{
	int err = 0;

	for (unsigned i = 0; i < l->set->count; i++) {
		const struct table *t = l->set->table[i];

		for (unsigned k = 0; err == 0 && k < t->route_count; k++)
			err = add_way(l, (const char *)t->routes[k].p, t);
	}
	return err;
}

/* What is said here counts more than what the tables want. */
static void take_namespace(struct table_set *set, struct slice ns)
{
	for (unsigned i = 0; i < set->count; i++) {
		struct table *t = set->table[i];

		for (unsigned k = t->speaks == SPEAKS_SOCKETIO ? t->route_count : 0;
		     k-- > 0;)
			if (slice_eq(t->routes[k], ns))
				t->routes[k] = t->routes[--t->route_count];
	}
	for (unsigned i = set->way_count; i-- > 0;)
		if (set->way[i].table->speaks == SPEAKS_SOCKETIO &&
		    slice_is(ns, set->way[i].path))
			set->way[i] = set->way[--set->way_count];
}

/* "/=mesh" */
static int add_namespace(struct loading *l, struct table *t, const char *ns)
{
	take_namespace(l->set, slice_str(ns));
	if (t->route_count == TABLE_MAX_ROUTES)
		return E_LIMIT;
	t->routes[t->route_count++] = slice_str(ns);
	return add_way(l, ns, t);
}

/* "/ws/{room}=relay" */
static int add_route(struct loading *l, const char *route)
{
	struct slice text = slice_str(route);
	size_t at = slice_find(text, '=');
	struct table *t = find(l->set, slice_from(text, at + 1));

	if (text.n == 0 || text.p[0] != '/' || at == text.n || !t) {
		buf_printf(l->why,
			   "dialect.route: %s is no PATH=NAME of a dialect, such as "
			   "/ws/{room}=relay",
			   route);
		return E_MALFORMED;
	}
	if (l->set->more_count == MAX_WAYS)
		return E_LIMIT;
	bool sio = t->speaks == SPEAKS_SOCKETIO;
	const char *wrong = table_path_wrong(slice_of(text.p, at));
	wrong = wrong ? wrong : table_wrong_at(t, slice_of(text.p, at));
	if (wrong) {
		buf_printf(l->why, "dialect.route: %s: %s", route, wrong);
		return E_MALFORMED;
	}
	if (!sio && table_path_is_ours(slice_of(text.p, at))) {
		buf_printf(l->why, "dialect.route: %s: " TABLE_OURS, route, (int)at,
			   (const char *)text.p);
		return E_MALFORMED;
	}
	char *path = slice_dup(slice_of(text.p, at));
	l->set->more[l->set->more_count++] = path;
	return sio ? add_namespace(l, t, path) : add_way(l, path, t);
}

int table_set_load(struct table_set **out, const char *dir, const char *const *routes,
		   size_t route_count, struct buf *why)
{
	struct loading l = { .set = xzalloc(sizeof(*l.set)), .dir = dir, .why = why };

	for (size_t i = 0; l.err == 0 && i < table_shipped_count; i++)
		l.err = load_text(&l, table_shipped[i].name,
				  slice_str(table_shipped[i].text), true);
	if (l.err == 0 && dir) {
		int err = file_each(dir, SUFFIX, load_file, &l);

		if (err < 0 && err != -ENOENT) {
			buf_printf(why, "cannot read %s: %s", dir, err_text(err));
			l.err = err;
		}
	}
	if (l.err == 0)
		l.err = add_ways(&l);
	for (size_t i = 0; l.err == 0 && i < route_count; i++)
		l.err = add_route(&l, routes[i]);
	if (l.err < 0) {
		table_set_destroy(l.set);
		return l.err;
	}
	*out = l.set;
	return 0;
}

void table_set_destroy(struct table_set *set)
{
	if (!set)
		return;
	for (unsigned i = 0; i < set->count; i++)
		table_destroy(set->table[i]);
	for (unsigned i = 0; i < set->more_count; i++)
		free(set->more[i]);
	free(set);
}
