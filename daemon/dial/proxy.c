/* proxy.c: see dial.h.  Pure: bytes in, bytes out; the socket is connect.c's. */
#include "dial/dial.h"

#include <stdio.h>
#include <string.h>

size_t
proxy_request(char *buf, size_t size, const char *host, uint16_t port)
{
	int n =
	    snprintf(buf, size, "CONNECT %s:%u HTTP/1.1\r\nHost: %s:%u\r\n\r\n",
		host, (unsigned)port, host, (unsigned)port);

	return n > 0 && (size_t)n < size ? (size_t)n : 0;
}

/* "HTTP/1.x nnn": the number, or -1 (RFC 9112 section 4). */
static int
status_line(const char *p, size_t len)
{
	if (len < 12 || memcmp(p, "HTTP/1.", 7) != 0 ||
	    (p[7] != '0' && p[7] != '1') || p[8] != ' ')
		return -1;
	for (size_t i = 9; i < 12; i++)
		if (p[i] < '0' || p[i] > '9')
			return -1;
	if (p[9] < '1' || p[9] > '5')
		return -1;
	if (len > 12 && p[12] != ' ' && p[12] != '\r' && p[12] != '\n')
		return -1;
	return (p[9] - '0') * 100 + (p[10] - '0') * 10 + (p[11] - '0');
}

int
proxy_answer(const char *buf, size_t len, int *status, size_t *used)
{
	const char *end;
	int code;

	/* What cannot become an HTTP answer is refused at once. */
	if (memcmp(buf, "HTTP/1.", len < 7 ? len : 7) != 0)
		return -1;
	end = memmem(buf, len, "\r\n\r\n", 4);
	if (end == NULL)
		return len >= DIAL_PROXY_HEADER ? -1 : 0;
	if ((code = status_line(buf, len)) < 0)
		return -1;
	*status = code;
	*used = (size_t)(end - buf) + 4;
	return 1;
}
