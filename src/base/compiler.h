/* compiler: the attributes and small macros that every file may use. */
#pragma once
#include <stddef.h>

#define NODISCARD __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define BIT(n) (1u << (n))

/* The structure that holds `ptr` as its `member`. */
#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))
