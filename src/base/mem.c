#include "base/mem.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

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

#define MEM_LARGE (256 << 10)

void mem_init(void)
{
	mallopt(M_MMAP_THRESHOLD, MEM_LARGE);
}

void mem_trim(void)
{
	malloc_trim(0);
}

static void store_line(uint8_t *to, const uint8_t *from)
{
#ifdef __SSE2__
	for (size_t at = 0; at < MEM_LINE; at += sizeof(__m128i))
		_mm_stream_si128((__m128i *)(to + at),
				 _mm_loadu_si128((const __m128i *)(from + at)));
#else
	memcpy(to, from, MEM_LINE);
#endif
}

void mem_store_lines(void *to, const void *from, size_t n)
{
	size_t left = n % MEM_LINE, whole = n - left;

	for (size_t at = 0; at < whole; at += MEM_LINE)
		store_line((uint8_t *)to + at, (const uint8_t *)from + at);
	if (left > 0) {
		uint8_t last[MEM_LINE] = { 0 };

		memcpy(last, (const uint8_t *)from + whole, left);
		store_line((uint8_t *)to + whole, last);
	}
}
