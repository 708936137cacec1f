/* asyncapi: /asyncapi.json, which scripts/make-asyncapi makes from schema/ at build time. */
#pragma once

extern const unsigned char api_asyncapi[];
extern const unsigned long api_asyncapi_size;
