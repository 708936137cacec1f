#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/tls_files.h"

static X509 *load_cert(const char *path)
{
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	X509 *x = PEM_read_X509(f, NULL, NULL, NULL);
	fclose(f);
	assert_non_null(x);
	return x;
}

static void self_signed_names_its_hosts_and_is_for_servers(void **state)
{
	(void)state;
	X509 *x = load_cert(cert_file);
	struct stat st;
	int days, seconds;

	assert_int_equal(X509_check_host(x, "localhost", 0, 0, NULL), 1);
	assert_int_equal(X509_check_ip_asc(x, "127.0.0.1", 0), 1);
	assert_int_equal(X509_check_ip_asc(x, "::1", 0), 1);
	assert_int_equal(X509_check_host(x, "example.org", 0, 0, NULL), 0);
	assert_int_equal(X509_check_purpose(x, X509_PURPOSE_SSL_SERVER, 0), 1);
	assert_int_equal(X509_check_ca(x), 0);
	assert_int_equal(X509_verify(x, X509_get0_pubkey(x)), 1);
	assert_true(ASN1_TIME_diff(&days, &seconds, X509_get0_notBefore(x),
				   X509_get0_notAfter(x)));
	assert_int_equal(days, 825);
	assert_int_equal(stat(key_file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	X509_free(x);
}

static void self_signed_is_kept_at_the_second_start(void **state)
{
	(void)state;
	struct buf why = BUF_INIT(1000);
	char before[96], after[96];

	fingerprint_of(cert_file, before);
	assert_int_equal(tls_self_signed(cert_file, key_file, SLICE("else"), &why), 0);
	fingerprint_of(cert_file, after);
	assert_string_equal(before, after);
	fingerprint_of(other_cert, after);
	assert_string_not_equal(before, after);
	buf_fini(&why);
}

/* Puts a certificate into the file that was good until yesterday. */
static void let_expire(const char *cert, const char *key)
{
	X509 *x = load_cert(cert);
	FILE *f = fopen(key, "r");
	EVP_PKEY *pkey = PEM_read_PrivateKey(f, NULL, NULL, NULL);

	fclose(f);
	X509_gmtime_adj(X509_getm_notAfter(x), -3600);
	assert_true(X509_sign(x, pkey, EVP_sha256()) > 0);
	f = fopen(cert, "w");
	assert_int_equal(PEM_write_X509(f, x), 1);
	fclose(f);
	X509_free(x);
	EVP_PKEY_free(pkey);
}

static void self_signed_that_expired_is_made_anew(void **state)
{
	(void)state;
	struct buf why = BUF_INIT(1000);
	char before[96], after[96];

	let_expire(other_cert, other_key);
	fingerprint_of(other_cert, before);
	assert_int_equal(tls_self_signed(other_cert, other_key, SLICE("other"), &why), 0);
	fingerprint_of(other_cert, after);
	assert_string_not_equal(before, after);
	X509 *x = load_cert(other_cert);
	assert_true(X509_cmp_current_time(X509_get0_notAfter(x)) > 0);
	X509_free(x);
	buf_fini(&why);
}

static void broken_files_are_errors(void **state)
{
	(void)state;
	struct buf why = BUF_INIT(1000);

	assert_true(tls_fingerprint("/nonexistent/cert.pem", &why) < 0);
	assert_true(tls_fingerprint(key_file, &why) < 0);
	assert_true(tls_is_self_signed("/nonexistent/cert.pem") < 0);
	assert_true(tls_is_self_signed(key_file) < 0);
	assert_int_equal(tls_is_self_signed(cert_file), 1);
	assert_true(tls_self_signed(key_file, cert_file, SLICE("x"), &why) < 0);
	assert_true(why.n > 0);
	buf_clear(&why);
	assert_true(tls_self_signed("/nonexistent/c", "/nonexistent/k", SLICE("x"),
				    &why) < 0);
	assert_true(why.n > 0);
	buf_fini(&why);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(self_signed_names_its_hosts_and_is_for_servers),
		cmocka_unit_test(self_signed_is_kept_at_the_second_start),
		cmocka_unit_test(self_signed_that_expired_is_made_anew),
		cmocka_unit_test(broken_files_are_errors),
	};
	return cmocka_run_group_tests(tests, make_files, remove_files);
}
