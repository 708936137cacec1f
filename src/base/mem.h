/* mem: allocation that ends the process when memory is gone. What a peer can make large
 * is bounded by its caller first; see c-style: one way out.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

void *xmalloc(size_t n) __attribute__((malloc, returns_nonnull));
void *xzalloc(size_t n) __attribute__((malloc, returns_nonnull));
/* As xzalloc(), from the start of a cache line: for what every message touches. */
#define MEM_LINE ((size_t)64)
void *xzalloc_line(size_t n) __attribute__((malloc, returns_nonnull));
void *xrealloc(void *p, size_t n) __attribute__((returns_nonnull));
char *xstrdup(const char *s) __attribute__((malloc, returns_nonnull));
void *xmemdup(const void *p, size_t n) __attribute__((malloc, returns_nonnull));
/* Pages of their own, full of zeroes: there is no memory behind them before they are touched. */
#define MEM_PAGE ((size_t)4096)
void *mem_map(size_t n) __attribute__((malloc, returns_nonnull));
void mem_unmap(void *p, size_t n); /* takes NULL */
/* The whole pages between the two are as new. */
void mem_give_back(void *from, void *end);
/* Once, before there are threads: a large block has pages of its own, that go back to the system with it,
 * however many of its size there were before. */
void mem_init(void);
/* What was freed goes back to the system: after a burst, for allocators that would keep it. Takes up to a
 * few milliseconds, in which other threads may wait for memory. */
void mem_trim(void);
/* Copies to the start of a cache line, past the cache where the machine can: for what is written one
 * after the other and hardly ever read. The last line is filled up with zeroes. */
void mem_store_lines(void *to, const void *from, size_t n);
/* count * size; ends the process on overflow (sizes from a peer are bounded before). */
size_t size_mul(size_t count, size_t size);
