/* route: patterns of paths, and the one that fits a path best. */
#pragma once
#include "http/http.h"

#define ROUTE_MAX_PARAMS 6

struct route {
	unsigned methods; /* GET has HEAD with it */
	unsigned flags;
	const char *pattern;
	http_handler_fn *fn;
	void *arg;
	size_t max_body; /* 0: the server's */
	size_t literal;  /* how much of the pattern stands before its first parameter */
};

struct route_table {
	struct route *route;
	size_t count, cap;
};

struct route_param {
	struct slice name; /* into the pattern */
	struct slice raw;  /* into the path, still coded */
};

struct route_match {
	const struct route *route; /* NULL: none of that path or none of that method */
	const struct route *path;  /* of that path, whatever its method; NULL: 404 */
	unsigned allowed;          /* methods of the best pattern */
	struct route_param param[ROUTE_MAX_PARAMS];
	unsigned param_count;
};

void http_route_table_fini(struct route_table *t);
/* Fills in `literal`. */
void http_route_add(struct route_table *t, const struct route *r);
void http_route_find(const struct route_table *t, struct slice path, unsigned method,
		     struct route_match *m);
/* 0 when unknown. */
unsigned http_method_bit(struct slice name);
/* "GET, HEAD": for Allow. */
void http_method_list(unsigned set, struct buf *b);
