/*
 * fuzz_adapter_query.c: links, FIQL values, times and cuts, each with what must
 * hold of it whatever the bytes are.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fetchd/adapter/moment.h"
#include "fetchd/adapter/query.h"
#include "fetchd/adapter/topdesk.h"
#include "lib/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static int
hex(char c)
{
	return c >= 'A' ? c - 'A' + 10 : c - '0';
}

/* What the server sees: one value, which is s again. */
static void
fiql_round_trip(const char *s)
{
	struct strbuf b;
	char *plain, *d;
	const char *p;
	int quoted;

	strbuf_init(&b, 1 << 20);
	if (query_fiql(&b, s))
		abort();
	plain = d = calloc(1, b.len + 1);
	for (p = b.p; *p; p++)
		if (*p == '%') {
			*d++ = (char)(hex(p[1]) * 16 + hex(p[2]));
			p += 2;
		} else if (strchr("&#+;=,() '\"", *p))
			abort(); /* would be structure */
		else
			*d++ = *p;
	*d = '\0';
	quoted = *plain == '\'';
	p = plain + quoted;
	for (; *s; s++, p++) {
		if (quoted && *p == '\\')
			p++;
		else if (quoted && *p == '\'')
			abort(); /* the quotes end early */
		if (*p != *s)
			abort();
	}
	if (strcmp(p, quoted ? "'" : "") != 0)
		abort();
	free(plain);
	strbuf_free(&b);
}

static void
link_stays(const char *s)
{
	static const struct conf_url base = {
	    "https://graph.test/v1.0", "graph.test", 443, "/v1.0"};
	struct strbuf path;

	strbuf_init(&path, 1 << 20);
	if (query_link(&base, s, &path) == 0) {
		if (strncasecmp(s, "https://graph.test", 18) != 0 ||
		    (s[18] != '/' && s[18] != ':') ||
		    strstr(s, path.p) == NULL || !query_is_path(path.p) ||
		    strncasecmp(path.p, "/users", 6) != 0)
			abort();
	}
	strbuf_free(&path);
}

static void
times_return(const char *s)
{
	char t[MOMENT_TEXT], u[MOMENT_TEXT];
	int64_t at, again;

	if (moment_parse(s, &at))
		return;
	moment_text(at, t);
	if (moment_parse(t, &again) ||
	    (at >= MOMENT_MIN && at <= MOMENT_MAX && again != at) ||
	    strcmp(moment_text(again, u), t) != 0)
		abort();
	if (moment_minute(at) > at || at - moment_minute(at) > 59 ||
	    moment_date(at) % 86400 != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char *s = malloc(n + 1), cut[64];

	memcpy(s, p, n);
	s[n] = '\0';
	fiql_round_trip(s);
	link_stays(s);
	times_return(s);
	if (wire_is_utf8(p, n) && strlen(s) == n) {
		topdesk_cut(cut, sizeof(cut), s, 100);
		if (!wire_is_utf8((uint8_t *)cut, strlen(cut)) ||
		    strncmp(cut, s, strlen(cut)) != 0)
			abort();
	}
	free(s);
	return 0;
}
