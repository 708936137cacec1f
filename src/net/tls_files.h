/* tls_files: for tests: two self-signed pairs in a directory of their own. Include after the
 * system's headers. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/tls.h"

static char dir[] = "/tmp/parley-tls-XXXXXX";
static char cert_file[64], key_file[64], other_cert[64], other_key[64];

static inline int make_files(void **state)
{
	struct buf why = BUF_INIT(1000);

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(cert_file, sizeof(cert_file), "%s/cert.pem", dir);
	snprintf(key_file, sizeof(key_file), "%s/key.pem", dir);
	snprintf(other_cert, sizeof(other_cert), "%s/cert2.pem", dir);
	snprintf(other_key, sizeof(other_key), "%s/key2.pem", dir);
	assert_int_equal(tls_self_signed(cert_file, key_file,
					 SLICE("localhost, 127.0.0.1,::1"), &why),
			 0);
	assert_int_equal(tls_self_signed(other_cert, other_key, SLICE("other"), &why), 0);
	assert_int_equal(why.n, 0);
	buf_fini(&why);
	return 0;
}

static inline int remove_files(void **state)
{
	(void)state;
	unlink(cert_file);
	unlink(key_file);
	unlink(other_cert);
	unlink(other_key);
	rmdir(dir);
	return 0;
}

static inline void fingerprint_of(const char *path, char out[96])
{
	struct buf b = BUF_INIT(95);

	assert_int_equal(tls_fingerprint(path, &b), 0);
	assert_int_equal(b.n, 95);
	memcpy(out, b.p, 95);
	out[95] = 0;
	buf_fini(&b);
}
