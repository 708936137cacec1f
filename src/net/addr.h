/* addr: an IPv4 or IPv6 address with a port. A copied value. IPv4-mapped IPv6
 * (::ffff:a.b.c.d) is always turned into IPv4, so equal peers are equal.
 */
#pragma once
#include <sys/socket.h>
#include "base/buf.h"

struct addr {
	uint8_t ip[16]; /* IPv4 in the first four */
	uint16_t port;
	uint8_t family; /* AF_INET, AF_INET6, 0: none */
	uint32_t scope; /* of link-local IPv6 */
};

/* "192.0.2.1:80", "[::]:8443", ":8443" (= [::]), "localhost:0". E_MALFORMED. */
int addr_parse(struct addr *a, struct slice s) NODISCARD;
/* An address alone, IPv6 without brackets; port 0. */
int addr_parse_ip(struct addr *a, struct slice s) NODISCARD;
void addr_print(const struct addr *a, struct buf *b);
/* Without the port; IPv6 without brackets. */
void addr_print_ip(const struct addr *a, struct buf *b);
struct addr_text {
	char s[64];
};
const char *addr_text(const struct addr *a, struct addr_text *t); /* for logs */
/* 4 or 16 bytes of an address; of another length: none. */
struct addr addr_of_ip(struct slice ip, uint16_t port);
bool addr_eq(const struct addr *a, const struct addr *b);
/* The same host, whatever the ports. */
bool addr_same_ip(const struct addr *a, const struct addr *b);
bool addr_is_loopback(const struct addr *a);
bool addr_is_any(const struct addr *a);
socklen_t addr_to_sock(const struct addr *a, struct sockaddr_storage *ss);
int addr_from_sock(struct addr *a, const struct sockaddr *sa) NODISCARD;
/* The addresses of this machine that others in its network may use (no loopback, no
 * link-local, up, no bridge of containers). Returns the count. */
size_t addr_local(struct addr *out, size_t max);
/* All that are this machine's, whatever they are on. Returns the count. */
size_t addr_own(struct addr *out, size_t max);
