#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* No log here: the log may need what has just run out. */
static _Noreturn void out_of_memory(void)
{
	static const char line[] = "parley: out of memory\n";
	ssize_t n = write(STDERR_FILENO, line, sizeof(line) - 1);

	(void)n;
	abort();
}

void *xmalloc(size_t n)
{
	void *p = malloc(n ? n : 1);

	if (!p)
		out_of_memory();
	return p;
}

void *xzalloc(size_t n)
{
	void *p = calloc(1, n ? n : 1);

	if (!p)
		out_of_memory();
	return p;
}

/* Not rounded up to whole lines: the allocator's own bytes lie behind, not in one more line. */
void *xzalloc_line(size_t n)
{
	void *p;

	if (posix_memalign(&p, MEM_LINE, n) != 0)
		out_of_memory();
	return memset(p, 0, n);
}

void *xrealloc(void *p, size_t n)
{
	void *q = realloc(p, n ? n : 1);

	if (!q)
		out_of_memory();
	return q;
}

char *xstrdup(const char *s)
{
	return xmemdup(s, strlen(s) + 1);
}

void *xmemdup(const void *p, size_t n)
{
	void *q = xmalloc(n);

	if (n)
		memcpy(q, p, n);
	return q;
}

void *mem_map(size_t n)
{
	void *p =
		mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		out_of_memory();
	return p;
}

void mem_unmap(void *p, size_t n)
{
	if (p)
		munmap(p, n);
}

/* Where pages are larger the system rounds as well, or refuses: then nothing is given back. */
void mem_give_back(void *from, void *end)
{
	uint8_t *first =
		(uint8_t *)from + (MEM_PAGE - (uintptr_t)from % MEM_PAGE) % MEM_PAGE;
	uint8_t *last = (uint8_t *)end - (uintptr_t)end % MEM_PAGE;

	if (first < last)
		(void)madvise(first, (size_t)(last - first), MADV_DONTNEED);
}

size_t size_mul(size_t count, size_t size)
{
	size_t n;

	if (__builtin_mul_overflow(count, size, &n))
		out_of_memory();
	return n;
}
