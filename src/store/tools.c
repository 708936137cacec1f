#include "store/tools.h"

#include "store/internal.h"

int store_check(const struct store_settings *s, struct buf *why)
{
	return store_backend_of(s)->check(s, why);
}

int store_backup(const struct store_settings *s, const char *to, struct buf *why)
{
	return store_backend_of(s)->backup(s, to, why);
}

int store_export(const struct store_settings *s, store_line_fn *fn, void *arg,
		 struct buf *why)
{
	return store_backend_of(s)->export(s, fn, arg, why);
}
