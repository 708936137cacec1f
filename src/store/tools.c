#include "store/tools.h"

#include "store/internal.h"

int store_check(const struct store_settings *s, struct buf *why)
{
	return store_backend_of(s)->check(s, why);
}

int store_contents(const struct store_settings *s, store_content_fn *fn, void *arg,
		   struct buf *why)
{
	return store_backend_of(s)->contents(s, fn, arg, why);
}

int store_backup(const struct store_settings *s, const char *to, store_content_fn *fn,
		 void *arg, struct buf *why)
{
	return store_backend_of(s)->backup(s, to, fn, arg, why);
}

int store_export(const struct store_settings *s, store_line_fn *fn, void *arg,
		 struct buf *why)
{
	return store_backend_of(s)->export(s, fn, arg, why);
}
