/* file_text: what clients say that a file is called and is, made harmless; and how it is told to browsers. No I/O.
 */
#pragma once
#include "base/buf.h"

/* A file's name without its path, control characters, and what systems or eyes take for something else (RFC 6266,
 * 4.3): 1 to STORE_FILE_NAME bytes, the ending kept. `raw`: UTF-8, or it is "file". */
void api_file_name(struct buf *out, struct slice raw);
/* The media type of a Content-Type field, in small letters, without parameters; application/octet-stream when it is none. */
void api_file_type(struct buf *out, struct slice field);
/* The Content-Type to send a file of that type with, and whether a browser may show it in place: no type that it would run or
 * lay out (HTML, SVG, scripts, styles) is called by its name. */
const char *api_file_sent_type(struct slice type, bool *in_place);
/* A Content-Disposition field (RFC 6266, 8187). */
void api_file_disposition(struct buf *out, struct slice name, bool in_place);
