#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/err.h"
#include "base/file.h"
#include "base/rand.h"
#include "net/tls_private.h"

#define DAY 86400L
#define VALID_DAYS 825 /* the longest that Apple's clients take */
#define PEM_MAX 65536
#define NAMES_MAX 4096

/* --- making one --- */

static int add_extension(X509 *cert, int nid, const char *value)
{
	X509V3_CTX ctx;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	int ok = ext && X509_add_ext(cert, ext, -1);
	X509_EXTENSION_free(ext);
	return ok;
}

/* "a.example, 10.0.0.1" as "DNS:a.example,IP:10.0.0.1". */
static void format_names(struct slice names, struct buf *out)
{
	struct slice part;

	while (slice_split(&names, ',', &part)) {
		part = slice_trim(part);
		if (part.n == 0)
			continue;
		char *name = slice_dup(part);
		ASN1_OCTET_STRING *ip = a2i_IPADDRESS(name);
		buf_printf(out, "%s%s:%s", out->n ? "," : "", ip ? "IP" : "DNS", name);
		ASN1_OCTET_STRING_free(ip);
		free(name);
	}
	buf_u8(out, 0);
}

static int set_names(X509 *cert, struct slice names)
{
	struct buf san = BUF_INIT(NAMES_MAX);
	X509_NAME *subject = X509_get_subject_name(cert);

	format_names(names, &san);
	int ok = !san.bad &&
		 X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
					    (const unsigned char *)"Parley (self-signed)",
					    -1, -1, 0) &&
		 X509_set_issuer_name(cert, subject) &&
		 add_extension(cert, NID_subject_alt_name, (const char *)san.p);
	buf_fini(&san);
	return ok;
}

static int set_serial(X509 *cert)
{
	uint8_t bytes[16];

	rand_bytes(bytes, sizeof(bytes));
	bytes[0] &= 0x7f; /* RFC 5280, 4.1.2.2: positive */
	BIGNUM *n = BN_bin2bn(bytes, sizeof(bytes), NULL);
	int ok = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert));
	BN_free(n);
	return ok;
}

static X509 *make_cert(EVP_PKEY *key, struct slice names)
{
	X509 *cert = X509_new();

	if (cert && X509_set_version(cert, X509_VERSION_3) && set_serial(cert) &&
	    X509_gmtime_adj(X509_getm_notBefore(cert), -DAY) &&
	    X509_gmtime_adj(X509_getm_notAfter(cert), (VALID_DAYS - 1) * DAY) &&
	    X509_set_pubkey(cert, key) && set_names(cert, names) &&
	    add_extension(cert, NID_basic_constraints, "critical,CA:FALSE") &&
	    add_extension(cert, NID_key_usage, "critical,digitalSignature") &&
	    add_extension(cert, NID_ext_key_usage, "serverAuth") &&
	    X509_sign(cert, key, EVP_sha256()))
		return cert;
	X509_free(cert);
	return NULL;
}

static int write_pem(BIO *bio, const char *path, unsigned mode, struct buf *why)
{
	char *p;
	long n = BIO_get_mem_data(bio, &p);
	int err = file_write(path, slice_of(p, (size_t)n), mode);

	if (err < 0)
		buf_printf(why, "%s: %s", path, err_text(err));
	return err;
}

static int write_pair(const char *cert_file, const char *key_file, X509 *cert,
		      EVP_PKEY *key, struct buf *why)
{
	BIO *key_pem = BIO_new(BIO_s_secmem());
	BIO *cert_pem = BIO_new(BIO_s_mem());
	int err = E_MALFORMED;

	if (PEM_write_bio_PrivateKey(key_pem, key, NULL, NULL, 0, NULL, NULL) &&
	    PEM_write_bio_X509(cert_pem, cert))
		err = write_pem(key_pem, key_file, 0600, why);
	if (err == 0)
		err = write_pem(cert_pem, cert_file, 0644, why);
	BIO_free(key_pem);
	BIO_free(cert_pem);
	return err;
}

/* --- looking at one --- */

static int read_cert(const char *path, X509 **out)
{
	struct buf pem = BUF_INIT(PEM_MAX);
	int err = file_read(path, PEM_MAX, &pem);

	if (err < 0) {
		buf_fini(&pem);
		return err;
	}
	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	*out = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	BIO_free(bio);
	buf_fini(&pem);
	return *out ? 0 : E_MALFORMED;
}

/* 1: both are there and still good; 0: to be made. */
static int pair_is_good(const char *cert_file, const char *key_file, struct buf *why)
{
	X509 *cert;

	if (access(key_file, F_OK) < 0)
		return 0;
	int err = read_cert(cert_file, &cert);
	if (err == -ENOENT)
		return 0;
	if (err < 0) {
		buf_printf(why, "%s: %s", cert_file, err_text(err));
		ERR_clear_error();
		return err;
	}
	int good = X509_cmp_current_time(X509_get0_notAfter(cert)) > 0;
	X509_free(cert);
	return good;
}

int tls_self_signed(const char *cert_file, const char *key_file, struct slice names,
		    struct buf *why)
{
	int good = pair_is_good(cert_file, key_file, why);
	if (good != 0)
		return good < 0 ? good : 0;

	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = key ? make_cert(key, names) : NULL;
	int err = E_MALFORMED;
	if (cert)
		err = write_pair(cert_file, key_file, cert, key, why);
	else
		buf_printf(why, "making a certificate: %s", tls_reason());
	ERR_clear_error();
	X509_free(cert);
	EVP_PKEY_free(key);
	return err;
}

int tls_is_self_signed(const char *cert_file)
{
	X509 *cert;
	int err = read_cert(cert_file, &cert);

	if (err < 0)
		return err;
	int own = X509_self_signed(cert, 0) == 1;
	X509_free(cert);
	return own;
}

int tls_fingerprint(const char *cert_file, struct buf *out)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	X509 *cert;
	int err = read_cert(cert_file, &cert);

	if (err < 0)
		return err;
	if (!X509_digest(cert, EVP_sha256(), digest, &n))
		err = E_MALFORMED;
	for (unsigned i = 0; i < n; i++)
		buf_printf(out, "%s%02X", i ? ":" : "", digest[i]);
	X509_free(cert);
	return err;
}
