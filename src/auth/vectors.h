/* vectors: tokens and keys of RFC 7515, appendix A, for the tests. */
#pragma once

#define CLAIMS                                                                           \
	"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc1" \
	"9yb290Ijp0cnVlfQ"

/* A.1 */
#define RFC_HS256                                                                        \
	"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." CLAIMS                               \
	".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define RFC_HS256_KEY                                                                    \
	"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZ" \
	"r1Z9CAow"

/* A.2 */
#define RFC_RS256                                                                        \
	"eyJhbGciOiJSUzI1NiJ9." CLAIMS                                                   \
	".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc" \
	"_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO" \
	"75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eO" \
	"kHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkW" \
	"ywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
#define RFC_RSA                                                                          \
	"\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_"                     \
	"wWJcyQoTbji9k0l8W26mPddxH"                                                      \
	"mfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_"                  \
	"YpRPEwOWvG6b32690r2"                                                            \
	"jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-"             \
	"UTo7WTBEMa2R2C"                                                                 \
	"apHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_"  \
	"h9i"                                                                            \
	"aGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ\",\"e\":\"AQAB\""

/* A.3 */
#define RFC_ES256                                                                        \
	"eyJhbGciOiJFUzI1NiJ9." CLAIMS                                                   \
	".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP" \
	"3-Kg6NU1Q"
#define RFC_EC                                                                           \
	"\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":"                                        \
	"\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","                               \
	"\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\""

/* They all expired on 2011-03-22. */
#define RFC_EXPIRES 1300819380
