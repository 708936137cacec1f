/* stamp: the mark in a message that says when it was sent.
 *
 *   "@T"  16 hex digits: nanoseconds of CLOCK_MONOTONIC   4 hex digits: number
 *
 * Only characters that JSON strings pass on unchanged. Found wherever it stands in a
 * message, so that any envelope will do.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STAMP_MARK 2
#define STAMP_LEN 22

struct stamp {
	uint64_t time;
	uint16_t seq;
};

/* Writes the digits behind the mark. */
void stamp_write(char out[STAMP_LEN - STAMP_MARK], struct stamp s);
bool stamp_find(const char *p, size_t n, struct stamp *out);
