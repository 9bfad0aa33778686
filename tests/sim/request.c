/*
 * request.c: a request taken apart (path, arguments, headers, preferences),
 * the search for its route, and small parts of answers that all listeners
 * share.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http.h"

static const char *const bases[] = {"", "/v1.0", "/tas/api", "", ""};

/* Fills segs and args from target. */
void
request_split(struct request *r)
{
	const char *p = r->target, *q, *base = bases[r->listener], *end, *eq;

	q = p + strcspn(p, "?");
	if (strncmp(p, base, strlen(base)) == 0 && !r->is_inner)
		p += strlen(base);
	else if (!r->is_inner && *base != '\0')
		p = "/\001outside";
	end = *p == '/' && p[1] == '\001' ? p + strlen(p) : q;
	while (p < end) {
		while (p < end && *p == '/')
			p++;
		if (p == end)
			break;
		eq = memchr(p, '/', (size_t)(end - p));
		if (eq == NULL)
			eq = end;
		r->segs = grow(r->segs, r->nsegs + 1, sizeof(*r->segs));
		r->segs[r->nsegs++] = text_decode(p, (size_t)(eq - p), 0);
		p = eq;
	}
	for (p = *q ? q + 1 : q; *p != '\0'; p = *end ? end + 1 : end) {
		end = p + strcspn(p, "&");
		eq = memchr(p, '=', (size_t)(end - p));
		if (end == p)
			continue;
		r->args = grow(r->args, r->nargs + 1, sizeof(*r->args));
		r->args[r->nargs].name =
		    text_decode(p, (size_t)((eq ? eq : end) - p), 1);
		r->args[r->nargs++].value = eq
		    ? text_decode(eq + 1, (size_t)(end - eq - 1), 1)
		    : text_dup("");
	}
}

/* A header of the request, or of the batched request it is. */
const char *
request_header(const struct request *r, const char *name)
{
	const char *key;
	json_t *v;

	if (!r->is_inner)
		return MHD_lookup_connection_value(
		    r->conn, MHD_HEADER_KIND, name);
	json_object_foreach(r->inner, key,
	    v) if (strcasecmp(key, name) == 0) return json_string_value(v);
	return NULL;
}

const char *
request_arg(const struct request *r, const char *name)
{
	size_t i;

	for (i = 0; i < r->nargs; i++)
		if (strcmp(r->args[i].name, name) == 0)
			return r->args[i].value;
	return NULL;
}

int
request_prefers(const struct request *r, const char *what)
{
	return r->prefer != NULL && strcasestr(r->prefer, what) != NULL;
}

struct route *
routes_of(enum listener l)
{
	struct route *all[] = {login_routes, graph_routes, topdesk_routes,
	    ews_routes, trap_routes};

	return all[l];
}

/* Compares a template of literal segments and {}s with a path. */
static int
route_fits(const char *path, char **segs, size_t n)
{
	size_t i, len;

	for (i = 0; i < n; i++) {
		if (*path == '/')
			path++;
		if (*path == '\0')
			return 0;
		len = strcspn(path, "/");
		if (*path != '{' &&
		    (strncasecmp(path, segs[i], len) != 0 ||
			segs[i][len] != '\0'))
			return 0;
		path += len;
	}
	return *path == '\0';
}

struct route *
route_find(enum listener l, const char *method, char **segs, size_t n)
{
	struct route *r;

	for (r = routes_of(l); r->path != NULL; r++)
		if ((strcmp(r->method, "*") == 0 ||
			strcmp(r->method, method) == 0) &&
		    (strcmp(r->path, "*") == 0 || route_fits(r->path, segs, n)))
			return r;
	return NULL;
}

void
answer_header(struct request *r, const char *name, const char *fmt, ...)
{
	va_list ap;
	char *v;

	if (r->nheaders == sizeof(r->headers) / sizeof(r->headers[0]))
		return;
	va_start(ap, fmt);
	if (vasprintf(&v, fmt, ap) == -1)
		v = NULL;
	va_end(ap);
	r->headers[r->nheaders].name = text_dup(name);
	r->headers[r->nheaders++].value = v;
}

/* Takes an answer back, so that another can be given. */
void
answer_clear(struct request *r)
{
	size_t i;

	for (i = 0; i < r->nheaders; i++) {
		free(r->headers[i].name);
		free(r->headers[i].value);
	}
	r->nheaders = 0;
	text_free(&r->out);
}

/*
 * Whether an object has only members of a list of words ("a b c"); one that
 * is not there is a violation and is written to out->why of the caller by the
 * answer 0.
 */
int
body_allows(struct request *r, json_t *o, const char *words, const char *where)
{
	const char *key, *at;
	size_t n;
	json_t *v;
	int good = 1;

	if (!json_is_object(o)) {
		violation(r, "%s is not an object", where);
		return 0;
	}
	json_object_foreach(o, key, v)
	{
		(void)v;
		n = strlen(key);
		for (at = strstr(words, key); at != NULL;
		     at = strstr(at + 1, key))
			if ((at == words || at[-1] == ' ') &&
			    (at[n] == ' ' || at[n] == '\0'))
				break;
		if (at == NULL || n == 0) {
			violation(r, "unknown member %s.%.60s", where, key);
			good = 0;
		}
	}
	return good;
}
