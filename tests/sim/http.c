/*
 * http.c: the listeners.  One libmicrohttpd daemon with one thread each, TLS,
 * HTTP/1.1 with keep-alive.  A request is collected, served under the lock of
 * the store, and answered; faults that concern the connection (cuts, drips,
 * delays) are done here.  What the answer says is decided elsewhere.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "http.h"

#define BODY_MAX (4u << 20)

struct drip {
	struct MHD_Connection *conn;
	char *body;
	size_t len;
	size_t stop; /* where a truncated body ends */
	int ms;
	int64_t due;
};

struct settings settings;
struct listening listening[LISTENERS];
const char *const listener_names[] = {
    "login", "graph", "topdesk", "ews", "trap"};
pthread_mutex_t store_lock = PTHREAD_MUTEX_INITIALIZER;

struct request *
request_new(enum listener listener, const char *target)
{
	struct request *r = zalloc(sizeof(*r));

	r->listener = listener;
	r->target = text_dup(target);
	r->type = "application/json";
	return r;
}

void
request_free(struct request *r)
{
	size_t i;

	for (i = 0; i < r->nsegs; i++)
		free(r->segs[i]);
	for (i = 0; i < r->nargs; i++) {
		free(r->args[i].name);
		free(r->args[i].value);
	}
	answer_clear(r);
	free(r->segs);
	free(r->args);
	free(r->method);
	free(r->target);
	free(r->prefer);
	free(r->fault_location);
	free(r->fault_body);
	text_free(&r->body);
	ews_free(r->ews);
	json_decref(r->json);
	free(r);
}

static void *
http_begin(void *cls, const char *uri, struct MHD_Connection *conn)
{
	struct listening *l = cls;
	struct request *r;

	(void)conn;
	r = request_new((enum listener)(l - listening), uri);
	pthread_mutex_lock(&store_lock);
	if (++l->busy > l->busy_peak)
		l->busy_peak = l->busy;
	pthread_mutex_unlock(&store_lock);
	return r;
}

static void
http_done(void *cls, struct MHD_Connection *conn, void **con_cls,
    enum MHD_RequestTerminationCode code)
{
	struct listening *l = cls;
	struct request *r = *con_cls;

	(void)conn;
	(void)code;
	if (r == NULL)
		return;
	pthread_mutex_lock(&store_lock);
	l->busy--;
	if (r->mailbox != NULL)
		r->mailbox->busy--;
	pthread_mutex_unlock(&store_lock);
	request_free(r);
	*con_cls = NULL;
}

static enum MHD_Result
http_prefer(
    void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct request *r = cls;
	char *all;

	(void)kind;
	if (strcasecmp(name, "Prefer") == 0 && value != NULL) {
		all = text_print("%s%s%s", r->prefer ? r->prefer : "",
		    r->prefer ? ", " : "", value);
		free(r->prefer);
		r->prefer = all;
	}
	return MHD_YES;
}

static void
drip_free(void *p)
{
	struct drip *d = p;

	free(d->body);
	free(d);
}

static ssize_t
drip_read(void *cls, uint64_t pos, char *buf, size_t max)
{
	struct drip *d = cls;
	size_t n;

	if (pos >= d->stop)
		return pos >= d->len ? MHD_CONTENT_READER_END_OF_STREAM
				     : MHD_CONTENT_READER_END_WITH_ERROR;
	n = d->stop - pos;
	if (d->ms > 0) {
		if (when_ms() < d->due) {
			MHD_suspend_connection(d->conn);
			later_resume(d->conn, d->due);
			return 0;
		}
		d->due = when_ms() + d->ms;
		if (n > 16)
			n = 16;
	}
	if (n > max)
		n = max;
	memcpy(buf, d->body + pos, n);
	return (ssize_t)n;
}

static struct MHD_Response *
http_drip(struct request *r)
{
	struct drip *d = zalloc(sizeof(*d));

	d->conn = r->conn;
	d->body = r->out.b;
	d->len = d->stop = r->out.len;
	if (r->fault == FAULT_TRUNCATE)
		d->stop = d->len / 2;
	else
		d->ms = r->fault_ms > 0 ? r->fault_ms : 50;
	memset(&r->out, 0, sizeof(r->out));
	return MHD_create_response_from_callback(
	    d->len, 1024, drip_read, d, drip_free);
}

static enum MHD_Result
http_answer(struct request *r)
{
	struct MHD_Response *res;
	enum MHD_Result ok;
	size_t i;

	if (r->fault == FAULT_CUT_BEFORE || r->fault == FAULT_CUT_AFTER)
		return MHD_NO;
	if (r->out.len > 0 &&
	    (r->fault == FAULT_TRUNCATE || r->fault == FAULT_SLOW))
		res = http_drip(r);
	else {
		res = MHD_create_response_from_buffer(r->out.len, r->out.b,
		    r->out.b ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
		memset(&r->out, 0, sizeof(r->out));
	}
	if (res == NULL)
		return MHD_NO;
	if (r->status != 204 && r->type != NULL)
		(void)MHD_add_response_header(res, "Content-Type", r->type);
	for (i = 0; i < r->nheaders; i++)
		(void)MHD_add_response_header(
		    res, r->headers[i].name, r->headers[i].value);
	ok = MHD_queue_response(r->conn, (unsigned int)r->status, res);
	MHD_destroy_response(res);
	return ok;
}

/* A request is complete: its effect, its answer, and when to give it. */
static void
http_serve(struct request *r)
{
	int64_t wait;

	(void)MHD_get_connection_values(
	    r->conn, MHD_HEADER_KIND, http_prefer, r);
	r->host = request_header(r, "Host");
	pthread_mutex_lock(&store_lock);
	booking_tick(when_ms());
	request_split(r);
	request_serve(r);
	wait = listening[r->listener].latency +
	    (r->fault == FAULT_DELAY ? r->fault_ms : 0);
	pthread_mutex_unlock(&store_lock);
	if (wait > 0)
		r->due = when_ms() + wait;
}

static enum MHD_Result
http_handle(void *cls, struct MHD_Connection *conn, const char *url,
    const char *method, const char *version, const char *data, size_t *size,
    void **con_cls)
{
	struct request *r = *con_cls;

	(void)cls;
	(void)url;
	(void)version;
	if (r->conn == NULL) { /* only the header is here */
		r->conn = conn;
		r->method = text_dup(method);
		return MHD_YES;
	}
	if (*size > 0) {
		if (r->body.len + *size > BODY_MAX)
			return MHD_NO;
		text_add(&r->body, data, *size);
		*size = 0;
		return MHD_YES;
	}
	if (!r->served) {
		r->served = 1;
		http_serve(r);
		record_request(r);
	}
	if (r->due > when_ms()) {
		MHD_suspend_connection(conn);
		later_resume(conn, r->due);
		return MHD_YES;
	}
	return http_answer(r);
}

/* Escapes are left alone here: an id may hold an escaped slash. */
static size_t
http_raw(void *cls, struct MHD_Connection *conn, char *s)
{
	(void)cls;
	(void)conn;
	return strlen(s);
}

static void
http_silent(void *cls, const char *fmt, va_list ap)
{
	(void)cls;
	(void)fmt;
	(void)ap;
}

/* Opens a listener; its port (found, when 0 was asked for), or -1. */
int
http_start(enum listener which, const char *address, int port, const char *key,
    const char *chain)
{
	struct listening *l = &listening[which];
	const union MHD_DaemonInfo *info;
	struct sockaddr_in6 six = {0};
	struct sockaddr_in four = {0};
	struct sockaddr *sa = (struct sockaddr *)&four;
	unsigned int flags = MHD_USE_TLS | MHD_USE_EPOLL_INTERNAL_THREAD |
	    MHD_USE_ERROR_LOG | MHD_ALLOW_SUSPEND_RESUME;

	if (inet_pton(AF_INET, address, &four.sin_addr) == 1) {
		four.sin_family = AF_INET;
		four.sin_port = htons((uint16_t)port);
	} else if (inet_pton(AF_INET6, address, &six.sin6_addr) == 1) {
		six.sin6_family = AF_INET6;
		six.sin6_port = htons((uint16_t)port);
		sa = (struct sockaddr *)&six;
		flags |= MHD_USE_IPv6;
	} else
		return -1;
	l->daemon = MHD_start_daemon(flags, (uint16_t)port, NULL, NULL,
	    http_handle, NULL, MHD_OPTION_EXTERNAL_LOGGER, http_silent, NULL,
	    MHD_OPTION_HTTPS_MEM_KEY, key, MHD_OPTION_HTTPS_MEM_CERT, chain,
	    MHD_OPTION_SOCK_ADDR, sa, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u,
	    MHD_OPTION_CONNECTION_LIMIT, 256u,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)65536,
	    MHD_OPTION_CONNECTION_TIMEOUT, 120u, MHD_OPTION_URI_LOG_CALLBACK,
	    http_begin, l, MHD_OPTION_NOTIFY_COMPLETED, http_done, l,
	    MHD_OPTION_UNESCAPE_CALLBACK, http_raw, NULL, MHD_OPTION_END);
	if (l->daemon == NULL)
		return -1;
	info = MHD_get_daemon_info(l->daemon, MHD_DAEMON_INFO_BIND_PORT);
	if (info == NULL)
		return -1;
	l->port = info->port;
	return l->port;
}

void
http_end(void)
{
	int i, fd[LISTENERS];

	for (i = 0; i < LISTENERS; i++)
		fd[i] = listening[i].daemon == NULL
		    ? -1
		    : MHD_quiesce_daemon(listening[i].daemon);
	later_flush();
	for (i = 0; i < LISTENERS; i++) {
		if (listening[i].daemon != NULL)
			MHD_stop_daemon(listening[i].daemon);
		listening[i].daemon = NULL;
		if (fd[i] != -1)
			(void)close(fd[i]);
	}
}

/* A client may look at the TLS peer before it says who it is. */
static int
is_greeting(const struct request *r, int credential)
{
	return !credential && strcmp(r->method, "HEAD") == 0;
}

static int
credential_in(const struct request *r)
{
	return request_header(r, "Authorization") != NULL;
}

static int
request_admit(struct request *r)
{
	return r->listener == EWS  ? ews_admit(r)
	    : r->listener == GRAPH ? graph_admit(r)
				   : topdesk_admit(r);
}

/*
 * Serves a request, from the network or out of a batch, with the lock held:
 * finds its route, counts and checks it, lets an armed fault have it.
 */
void
request_serve(struct request *r)
{
	static struct route nowhere[LISTENERS];
	struct route *rt = r->listener == EWS
	    ? ews_route(r)
	    : route_find(r->listener, r->method, r->segs, r->nsegs);
	int credential = !r->is_inner && credential_in(r);

	if (rt == NULL) {
		rt = &nowhere[r->listener];
		rt->flags = ROUTE_OPEN;
	}
	r->route = rt;
	rt->count++;
	rt->inner += r->is_inner ? 1 : 0;
	rt->credentials += credential ? 1 : 0;
	if (!r->is_inner) {
		listening[r->listener].requests++;
		listening[r->listener].credentials += credential ? 1 : 0;
	}
	check_request(r, credential);
	if (rt->serve == NULL && r->listener != TRAP &&
	    !is_greeting(r, credential))
		violation(
		    r, "no such endpoint: %s %.200s", r->method, r->target);
	fault_pick(r, rt->path);
	if (fault_before(r))
		return;
	if (rt->serve == NULL) {
		r->status = 404;
		text_str(&r->out, "{\"message\":\"Not Found\"}");
	} else if ((rt->flags & ROUTE_OPEN) || request_admit(r)) {
		rt->serve(r);
		if (r->listener == EWS)
			ews_close(r);
	}
	fault_after(r);
}
