/* rand: random bytes from the kernel, fetched in blocks per thread. Fit for secrets. */
#pragma once
#include "base/buf.h"

void rand_bytes(void *p, size_t n);
uint64_t rand_u64(void);
/* n letters and digits of a-z2-7 (5 bits each), without a NUL. */
void rand_text(char *p, size_t n);
