/* fake_curl.c: see fake_curl.h. */
#include "tests/fuzz/fake_curl.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define CURL_DISABLE_TYPECHECK
#include "fetchd/http.h"

#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt

#define EASIES 40

typedef size_t (*line_fn)(char *, size_t, size_t, void *);

struct easy {
	void *private, *line_arg, *body_arg, *open_arg, *close_arg,
	    *sending_arg;
	line_fn line, body;
	curl_opensocket_callback open;
	curl_closesocket_callback close;
	curl_prereq_callback sending;
	int under_way, fd, sent, done;
	CURLcode code;
	long status;
};

static struct easy easies[EASIES];
static size_t neasies;

CURL *
curl_easy_init(void)
{
	struct easy *e = &easies[neasies++];

	if (neasies == EASIES)
		abort();
	memset(e, 0, sizeof(*e));
	e->fd = -1;
	return e;
}

CURLcode
curl_easy_setopt(CURL *handle, CURLoption option, ...)
{
	struct easy *e = handle;
	va_list ap;

	va_start(ap, option);
	switch (option) {
	case CURLOPT_PRIVATE:
		e->private = va_arg(ap, void *);
		break;
	case CURLOPT_HEADERFUNCTION:
		e->line = va_arg(ap, line_fn);
		break;
	case CURLOPT_HEADERDATA:
		e->line_arg = va_arg(ap, void *);
		break;
	case CURLOPT_WRITEFUNCTION:
		e->body = va_arg(ap, line_fn);
		break;
	case CURLOPT_WRITEDATA:
		e->body_arg = va_arg(ap, void *);
		break;
	case CURLOPT_OPENSOCKETFUNCTION:
		e->open = va_arg(ap, curl_opensocket_callback);
		break;
	case CURLOPT_OPENSOCKETDATA:
		e->open_arg = va_arg(ap, void *);
		break;
	case CURLOPT_CLOSESOCKETFUNCTION:
		e->close = va_arg(ap, curl_closesocket_callback);
		break;
	case CURLOPT_CLOSESOCKETDATA:
		e->close_arg = va_arg(ap, void *);
		break;
	case CURLOPT_PREREQFUNCTION:
		e->sending = va_arg(ap, curl_prereq_callback);
		break;
	case CURLOPT_PREREQDATA:
		e->sending_arg = va_arg(ap, void *);
		break;
	default:
		break;
	}
	va_end(ap);
	return CURLE_OK;
}

CURLcode
curl_easy_getinfo(CURL *handle, CURLINFO info, ...)
{
	struct easy *e = handle;
	va_list ap;

	va_start(ap, info);
	switch (info) {
	case CURLINFO_PRIVATE:
		*va_arg(ap, void **) = e->private;
		break;
	case CURLINFO_RESPONSE_CODE:
		*va_arg(ap, long *) = e->status;
		break;
	case CURLINFO_HTTP_VERSION:
		*va_arg(ap, long *) = e->status % 2 ? CURL_HTTP_VERSION_1_1
						    : CURL_HTTP_VERSION_2_0;
		break;
	case CURLINFO_RETRY_AFTER:
		*va_arg(ap, curl_off_t *) = e->status == 429 ? 1 : 0;
		break;
	case CURLINFO_FILETIME_T:
		*va_arg(ap, curl_off_t *) = -1;
		break;
	case CURLINFO_CONTENT_TYPE:
		*va_arg(ap, const char **) = "application/json";
		break;
	default:
		break;
	}
	va_end(ap);
	return CURLE_OK;
}

static void
disconnect(struct easy *e)
{
	if (e->fd >= 0)
		e->close(e->close_arg, e->fd);
	e->fd = -1;
}

void
curl_easy_cleanup(CURL *handle)
{
	disconnect(handle);
}

CURLcode
curl_easy_pause(CURL *handle, int bits)
{
	(void)handle;
	(void)bits;
	return CURLE_OK;
}

const char *
curl_easy_strerror(CURLcode code)
{
	return code ? "it failed" : "no error";
}

void
curl_global_cleanup(void)
{
}

curl_version_info_data *
curl_version_info(CURLversion v)
{
	static curl_version_info_data data = {.ssl_version = "OpenSSL/3"};

	(void)v;
	return &data;
}

/* Never asked for, since names are given with their addresses. */
struct curl_slist *
curl_slist_append(struct curl_slist *l, const char *s)
{
	struct curl_slist *n = calloc(1, sizeof(*n));

	(void)s;
	if (n)
		n->next = l;
	return n;
}

void
curl_slist_free_all(struct curl_slist *l)
{
	struct curl_slist *next;

	for (; l; l = next) {
		next = l->next;
		free(l);
	}
}

/* --- the multi handle --------------------------------------------------------- */

static char multi;

CURLM *
curl_multi_init(void)
{
	return &multi;
}

CURLMcode
curl_multi_setopt(CURLM *m, CURLMoption option, ...)
{
	(void)m;
	(void)option;
	return CURLM_OK;
}

CURLMcode
curl_multi_cleanup(CURLM *m)
{
	(void)m;
	return CURLM_OK;
}

CURLMcode
curl_multi_add_handle(CURLM *m, CURL *handle)
{
	struct easy *e = handle;

	(void)m;
	if (e->under_way)
		abort();
	e->under_way = 1;
	e->sent = e->done = 0;
	e->status = 0;
	return CURLM_OK;
}

CURLMcode
curl_multi_remove_handle(CURLM *m, CURL *handle)
{
	struct easy *e = handle;

	(void)m;
	if (!e->under_way)
		abort();
	if (!e->done || e->code)
		disconnect(e);
	e->under_way = e->done = 0;
	return CURLM_OK;
}

CURLMsg *
curl_multi_info_read(CURLM *m, int *left)
{
	static CURLMsg msg;

	(void)m;
	*left = 0;
	for (size_t i = 0; i < neasies; i++) {
		if (!easies[i].under_way || easies[i].done != 1)
			continue;
		easies[i].done = 2;
		msg.msg = CURLMSG_DONE;
		msg.easy_handle = &easies[i];
		msg.data.result = easies[i].code;
		return &msg;
	}
	return NULL;
}

CURLMcode
curl_multi_socket_action(CURLM *m, curl_socket_t fd, int mask, int *running)
{
	(void)m;
	(void)fd;
	(void)mask;
	*running = 0;
	return CURLM_OK;
}

/* --- what the target says ------------------------------------------------------- */

static void
end(struct easy *e, CURLcode code)
{
	e->code = code;
	e->done = 1;
}

/* 1 when it is sent and its answer may come. */
static int
set_out(struct easy *e)
{
	struct curl_sockaddr sa = {0};

	if (e->fd < 0) {
		e->fd = e->open(e->open_arg, CURLSOCKTYPE_IPCXN, &sa);
		if (e->fd < 0)
			end(e, CURLE_COULDNT_CONNECT);
		return 0;
	}
	if (!e->sent) {
		e->sent = 1;
		if (e->sending(e->sending_arg, NULL, NULL, 0, 0))
			end(e, CURLE_ABORTED_BY_CALLBACK);
		return 0;
	}
	return 1;
}

static void
answer(struct easy *e, unsigned what, char *text, size_t n)
{
	char line[] = "HTTP/1.1 200 OK\r\n";

	if (what != 3 && !e->line(line, 1, strlen(line), e->line_arg)) {
		end(e, CURLE_WRITE_ERROR);
		return;
	}
	switch (what) {
	case 0:
		if (n && e->body(text, 1, n, e->body_arg) == 0)
			end(e, CURLE_WRITE_ERROR);
		break;
	case 1:
		if (n && e->line(text, 1, n, e->line_arg) != n)
			end(e, CURLE_WRITE_ERROR);
		break;
	case 2:
		end(e, CURLE_OK);
		break;
	default:
		end(e, n % 2 ? CURLE_RECV_ERROR : CURLE_PARTIAL_FILE);
	}
}

void
fake_curl_step(
    unsigned nth, unsigned what, long status, const uint8_t *p, size_t n)
{
	size_t count = 0;
	char *text;

	for (size_t i = 0; i < neasies; i++)
		count += easies[i].under_way && !easies[i].done;
	for (size_t i = 0; count && i < neasies; i++) {
		struct easy *e = &easies[i];

		if (!e->under_way || e->done || nth-- % count)
			continue;
		if (!set_out(e))
			return;
		e->status = status;
		/* Of its own size, so that a read past it is seen. */
		if ((text = malloc(n + 1)) == NULL)
			abort();
		if (n)
			memcpy(text, p, n);
		answer(e, what % 4, text, n);
		free(text);
		return;
	}
}

void
fake_curl_end(void)
{
	for (size_t i = 0; i < neasies; i++)
		if (easies[i].under_way || easies[i].fd >= 0)
			abort();
	neasies = 0;
}
