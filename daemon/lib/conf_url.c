/*
 * conf_url.c: the base URL of an upstream and the address of a proxy.
 *
 * Much narrower than RFC 3986: SCHEME://HOST[:PORT][/PATH] and nothing else, so
 * that dial, http and keyd cannot come to different opinions of what was meant.
 * No user part: a password does not belong into a file that is not secret, and
 * "https://graph.microsoft.com@evil.example/" must not look like the former.
 * Texts of mistakes do not quote the value, which might hold a password.
 */
#include "lib/conf_table.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST_MAX 253 /* RFC 1035 section 2.3.4, without the last dot */
#define LABEL_MAX 63

/* A host name: labels of letters, digits and hyphens (RFC 1123 section 2.1). */
static int
is_name(const char *p, size_t n)
{
	size_t label = 0;

	if (n == 0 || n > HOST_MAX)
		return 0;
	for (size_t i = 0; i <= n; i++) {
		if (i == n || p[i] == '.') {
			if (label == 0 || label > LABEL_MAX || p[i - 1] == '-')
				return 0;
			label = 0;
			continue;
		}
		if (!isalnum((unsigned char)p[i]) &&
		    (p[i] != '-' || label == 0))
			return 0;
		label++;
	}
	return 1;
}

static int
is_ipv6(const char *p, size_t n)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr a;

	if (n >= sizeof(text))
		return 0;
	memcpy(text, p, n);
	text[n] = '\0';
	return inet_pton(AF_INET6, text, &a) == 1;
}

/* The path: unreserved characters and slashes; no "..", no "//", no "%". */
static int
is_path(const char *p)
{
	if (*p != '\0' && *p != '/')
		return 0;
	for (; *p; p++) {
		if (!isalnum((unsigned char)*p) && strchr("/-._~", *p) == NULL)
			return 0;
		if (p[0] == '/' && (p[1] == '/' || p[1] == '.'))
			return 0;
	}
	return 1;
}

/* The end of the host's text; host and its length, brackets taken off. */
static const char *
host_end(const char *p, const char **host, size_t *n)
{
	const char *e;

	if (*p == '[') {
		if ((e = strchr(p, ']')) == NULL)
			return NULL;
		*host = p + 1;
		*n = (size_t)(e - *host);
		return is_ipv6(*host, *n) ? e + 1 : NULL;
	}
	e = p + strcspn(p, ":/?#@\\");
	*host = p;
	*n = (size_t)(e - p);
	return is_name(p, *n) ? e : NULL;
}

/* ":8443" at *p; without one, 443 (https) or 0.  Moves *p behind it. */
static int
port_get(const char **p, int https, uint16_t *port)
{
	unsigned long n;
	char *end;

	*port = https ? 443 : 0;
	if (**p != ':')
		return 0;
	if (!isdigit((unsigned char)(*p)[1]))
		return -1;
	n = strtoul(*p + 1, &end, 10);
	if (n == 0 || n > UINT16_MAX)
		return -1;
	*port = (uint16_t)n;
	*p = end;
	return 0;
}

/* Scheme and host in lower case, the port only where it is not the default. */
static int
compose(struct conf_url *u, const char *scheme, const char *host, size_t n,
    uint16_t port, const char *path, struct conf_pool *pool)
{
	size_t len = strlen(path), size;
	int v6 = memchr(host, ':', n) != NULL, https = scheme[4] == 's';
	char *h, *t, number[8] = "";

	while (len > 0 && path[len - 1] == '/')
		len--;
	if ((h = conf_pool_text(pool, host, n)) == NULL)
		return -1;
	for (size_t i = 0; i < n; i++)
		h[i] = (char)tolower((unsigned char)h[i]);
	if (!https || port != 443)
		snprintf(number, sizeof(number), ":%u", (unsigned)port);
	size = strlen(scheme) + n + len + sizeof(number) + 8;
	if ((t = conf_pool_get(pool, size)) == NULL)
		return -1;
	snprintf(t, size, "%s://%s%s%s%s%.*s", scheme, v6 ? "[" : "", h,
	    v6 ? "]" : "", number, (int)len, path);
	u->text = t;
	u->host = h;
	u->port = port;
	u->path = t + strlen(t) - len;
	return 0;
}

int
conf_url_parse(const char *text, const char *scheme, struct conf_url *out,
    struct conf_pool *pool, struct err *e)
{
	size_t n = strlen(scheme), hostlen;
	const char *p = text, *host;
	int https = strcmp(scheme, "https") == 0;
	struct conf_url u;
	uint16_t port;

	if (strncasecmp(p, scheme, n) != 0 || strncmp(p + n, "://", 3) != 0)
		return err_set(e, EINVAL, "must begin with %s://", scheme);
	p += n + 3;
	if (strpbrk(p, "@") != NULL)
		return err_set(e, EINVAL,
		    "must not name a user or password; credentials are entered "
		    "with orbctl credential set");
	if (strpbrk(p, "?#") != NULL)
		return err_set(
		    e, EINVAL, "must not have a query (?) or fragment (#)");
	if ((p = host_end(p, &host, &hostlen)) == NULL)
		return err_set(e, EINVAL,
		    "has no valid host; allowed: a host name, an IPv4 address "
		    "or an IPv6 address in brackets");
	if (port_get(&p, https, &port))
		return err_set(
		    e, EINVAL, "has no valid port; allowed: 1 to 65535");
	if (!is_path(p))
		return err_set(e, EINVAL,
		    "has a path that is not allowed; allowed: letters, digits "
		    "and - _ . ~ between single slashes");
	if (compose(&u, scheme, host, hostlen, port, p, pool))
		return err_set(e, ENOMEM, "out of memory");
	*out = u;
	return 0;
}
