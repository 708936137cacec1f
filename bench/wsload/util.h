/* util: what every file of the load generator needs. Errors of use end the program. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define NS_PER_S 1000000000ull
#define NS_PER_MS 1000000ull
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

uint64_t now_ns(void); /* CLOCK_MONOTONIC: the same in every process of the machine */
void sleep_ms(unsigned ms);
void *xzalloc(size_t n);
void *xrealloc(void *p, size_t n);
_Noreturn void die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
