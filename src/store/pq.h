/* pq: what of libpq is used. The library is opened when a database of PostgreSQL is wanted; a
 * program that needs none needs no libpq either.
 */
#pragma once
#include <libpq-fe.h>

#include "base/compiler.h"

/* clang-format off */
#define PQ_FUNCTIONS(X)                                                                  \
	X(PQconninfoOption *, conninfoParse, (const char *text, char **why))             \
	X(void, conninfoFree, (PQconninfoOption *o))                                     \
	X(void, freemem, (void *p))                                                      \
	X(PGconn *, connectStartParams, (const char *const *names, const char *const *values, int expand)) \
	X(PostgresPollingStatusType, connectPoll, (PGconn *c))                           \
	X(int, connectionNeedsPassword, (const PGconn *c))                               \
	X(void, finish, (PGconn *c))                                                     \
	X(int, socket, (const PGconn *c))                                                \
	X(ConnStatusType, status, (const PGconn *c))                                     \
	X(char *, errorMessage, (const PGconn *c))                                       \
	X(PGVerbosity, setErrorVerbosity, (PGconn *c, PGVerbosity v))                    \
	X(PQnoticeReceiver, setNoticeReceiver, (PGconn *c, PQnoticeReceiver fn, void *arg)) \
	X(const char *, parameterStatus, (const PGconn *c, const char *name))            \
	X(int, serverVersion, (const PGconn *c))                                         \
	X(int, setnonblocking, (PGconn *c, int on))                                      \
	X(int, enterPipelineMode, (PGconn *c))                                           \
	X(int, pipelineSync, (PGconn *c))                                                \
	X(int, sendFlushRequest, (PGconn *c))                                            \
	X(int, sendQuery, (PGconn *c, const char *sql))                                  \
	X(int, sendQueryParams, (PGconn *c, const char *sql, int n, const Oid *types, const char *const *values, const int *lengths, const int *formats, int result)) \
	X(int, sendPrepare, (PGconn *c, const char *name, const char *sql, int n, const Oid *types)) \
	X(int, sendQueryPrepared, (PGconn *c, const char *name, int n, const char *const *values, const int *lengths, const int *formats, int result)) \
	X(int, setSingleRowMode, (PGconn *c))                                            \
	X(int, flush, (PGconn *c))                                                       \
	X(int, consumeInput, (PGconn *c))                                                \
	X(int, isBusy, (PGconn *c))                                                      \
	X(PGresult *, getResult, (PGconn *c))                                            \
	X(ExecStatusType, resultStatus, (const PGresult *r))                             \
	X(char *, resultErrorField, (const PGresult *r, int field))                      \
	X(char *, cmdStatus, (PGresult *r))                                              \
	X(int, ntuples, (const PGresult *r))                                             \
	X(int, nfields, (const PGresult *r))                                             \
	X(char *, getvalue, (const PGresult *r, int row, int column))                    \
	X(int, getlength, (const PGresult *r, int row, int column))                      \
	X(int, getisnull, (const PGresult *r, int row, int column))                      \
	X(void, clear, (PGresult *r))
/* clang-format on */

struct store_pq {
#define X(type, name, args) type(*name) args;
	PQ_FUNCTIONS(X)
#undef X
};

/* Set by store_pq_open(), before any thread uses it. */
extern struct store_pq store_pq;
/* E_NOT_FOUND: there is no such library here. Again: harmless. */
int store_pq_open(void) NODISCARD;
