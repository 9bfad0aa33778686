/*
 * resolve.c: names to addresses, see dial.h.
 *
 * getaddrinfo() blocks, and that is all right: without an answer nothing here
 * could go on, the time is bounded, and answers are kept for a while so that
 * several connections made together ask once.
 */
#include "dial/dial.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEEP_MS 30000
#define KEPT 3 /* two hosts of an upstream and a proxy */

static struct kept {
	char host[254];
	uint16_t port;
	int family;
	int64_t until;
	struct addresses addresses;
} kept[KEPT];

void
resolve_init(void)
{
	struct addrinfo *ai = NULL;

	setenv("RES_OPTIONS", "timeout:2 attempts:2", 1);
	/* Loads the modules that nsswitch.conf names, while files may be
	 * mapped executable. */
	if (getaddrinfo("localhost", "443", NULL, &ai) == 0)
		freeaddrinfo(ai);
}

static struct kept *
find_kept(const char *host, uint16_t port, int family)
{
	for (size_t i = 0; i < KEPT; i++)
		if (kept[i].until > loop_now() && kept[i].port == port &&
		    kept[i].family == family && strcmp(kept[i].host, host) == 0)
			return &kept[i];
	return NULL;
}

static void
keep(const char *host, uint16_t port, int family, const struct addresses *a)
{
	struct kept *k = &kept[0];

	for (size_t i = 1; i < KEPT; i++)
		if (kept[i].until < k->until)
			k = &kept[i];
	if (strlen(host) >= sizeof(k->host))
		return;
	strcpy(k->host, host);
	k->port = port;
	k->family = family;
	k->until = loop_now() + KEEP_MS;
	k->addresses = *a;
}

int
resolve_host(const char *host, uint16_t port, int family, struct addresses *out,
    struct err *e)
{
	struct addrinfo hints = {.ai_family = family,
	    .ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_NUMERICSERV};
	struct addrinfo *ai = NULL, *p;
	const struct kept *k = find_kept(host, port, family);
	char service[8];
	int rc;

	if (k) {
		*out = k->addresses;
		return 0;
	}
	snprintf(service, sizeof(service), "%u", (unsigned)port);
	rc = getaddrinfo(host, service, &hints, &ai);
	if (rc == EAI_SYSTEM)
		return err_sys(e, "DNS: %s", host);
	if (rc)
		return err_set(e, ENOENT, "DNS: no address for %s (%s)", host,
		    gai_strerror(rc));
	out->n = 0;
	for (p = ai; p && out->n < DIAL_ADDRESSES; p = p->ai_next) {
		if (p->ai_addrlen > sizeof(out->a[0].sa))
			continue;
		memcpy(&out->a[out->n].sa, p->ai_addr, p->ai_addrlen);
		out->a[out->n++].len = p->ai_addrlen;
	}
	freeaddrinfo(ai);
	if (out->n == 0)
		return err_set(e, ENOENT, "DNS: no address for %s", host);
	keep(host, port, family, out);
	return 0;
}

int
resolve_numeric(const char *text, struct address *out)
{
	struct sockaddr_in *in4 = (struct sockaddr_in *)&out->sa;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&out->sa;

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, &in4->sin_addr) == 1) {
		in4->sin_family = AF_INET;
		out->len = sizeof(*in4);
		return 0;
	}
	if (inet_pton(AF_INET6, text, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		out->len = sizeof(*in6);
		return 0;
	}
	return -1;
}

const char *
address_text(const struct address *a, char *buf, size_t size)
{
	const struct sockaddr_in *in4 = (const struct sockaddr_in *)&a->sa;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&a->sa;
	char ip[INET6_ADDRSTRLEN] = "?";

	if (a->sa.ss_family == AF_INET) {
		inet_ntop(AF_INET, &in4->sin_addr, ip, sizeof(ip));
		snprintf(
		    buf, size, "%s:%u", ip, (unsigned)ntohs(in4->sin_port));
	} else {
		inet_ntop(AF_INET6, &in6->sin6_addr, ip, sizeof(ip));
		snprintf(
		    buf, size, "[%s]:%u", ip, (unsigned)ntohs(in6->sin6_port));
	}
	return buf;
}
