/* thread: what every thread that needs it has once, made at first use and freed with the thread. */
#pragma once
#include "base/slice.h"

struct ws_deflate;

/* A compressor and a decompressor: 300 KiB. */
struct ws_deflate *ws_deflate_here(void);

#define WS_SHA1 20
void ws_sha1(struct slice text, uint8_t digest[WS_SHA1]);
