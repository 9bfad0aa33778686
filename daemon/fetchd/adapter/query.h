/*
 * query.h: what is put into a request's path: percent-encoding (RFC 3986),
 * FIQL values, and links that an upstream asks to be followed.
 *
 * Every byte that comes from a booking or from a person's address goes through
 * here on its way into a URL: nothing that somebody typed into a meeting can
 * change what is asked.
 */
#ifndef ORB_ADAPTER_QUERY_H
#define ORB_ADAPTER_QUERY_H

#include "lib/conf.h"
#include "fetchd/adapter/strbuf.h"

/* HTTP_REQUEST.path is at most this long (messages.def). */
#define QUERY_PATH_MAX 8192

/* All but the unreserved characters of RFC 3986 section 2.3 as %XX: for values
 * in a query; and for a path's segment, where "@" may stand as it is. */
int query_encode(struct strbuf *, const char *);
int query_segment(struct strbuf *, const char *);
/*
 * A value in a FIQL expression, percent-encoded: as it is when it is made of
 * letters, digits and "-" alone, else in single quotes, with "'" and "\"
 * escaped by "\" (TOPdesk tutorial, "Query overview").
 */
int query_fiql(struct strbuf *, const char *);
/*
 * A link of the upstream's (nextLink, deltaLink) as a path relative to base,
 * "/users/...".  -1 unless it is https to exactly base's host and port, below
 * its path, without user, fragment, dot segments (encoded ones too), and made
 * of printable ASCII.  So an answer can send ORB's token nowhere else, and to
 * no other part of the API than that of a mailbox.
 */
int query_link(
    const struct conf_url *base, const char *link, struct strbuf *path);
/* The same for a cursor that came back from mapd: is it such a path? */
int query_is_path(const char *);

#endif
