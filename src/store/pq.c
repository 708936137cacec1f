#include "store/pq.h"

#include <dlfcn.h>

#include "base/err.h"

struct store_pq store_pq;

int store_pq_open(void)
{
	void *so = dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);

	if (!so)
		return E_NOT_FOUND;
#define X(type, name, args)                                                              \
	*(void **)&store_pq.name = dlsym(so, "PQ" #name);                                \
	if (!store_pq.name)                                                              \
		return E_NOT_FOUND;
	PQ_FUNCTIONS(X)
#undef X
	return 0;
}
