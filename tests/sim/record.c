/*
 * record.c: writes down what was asked, so that a bench can ask it again of
 * another simulator (tests/bench/floor.c reads this).
 *
 *	R LISTENER METHOD STATUS ANSWER_BYTES MS HEADERS BODY_BYTES LF
 *	TARGET LF
 *	NAME: VALUE LF			HEADERS times
 *	BODY LF
 *
 * Requests stand in the order in which they were served; MS is when, on the
 * clock of when_ms().  Headers that every HTTP client writes by itself are left
 * out.  The file holds credentials: its mode is 0600.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "http.h"

static FILE *file;
static unsigned long written;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Begins (and ends what went before), or with NULL ends; how many requests
 * the file that was ended has, or -1. */
long
record_to(const char *path)
{
	FILE *fresh = NULL;
	long n;
	int fd;

	if (path != NULL) {
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		if (fd == -1)
			return -1;
		if ((fresh = fdopen(fd, "w")) == NULL) {
			(void)close(fd);
			return -1;
		}
		(void)setvbuf(fresh, NULL, _IOFBF, 1 << 20);
	}
	pthread_mutex_lock(&lock);
	n = (long)written;
	if (file != NULL && (fflush(file) != 0 || ferror(file)))
		n = -1;
	if (file != NULL)
		(void)fclose(file);
	file = fresh;
	written = 0;
	pthread_mutex_unlock(&lock);
	return n;
}

struct headers {
	struct text t;
	unsigned int n;
};

static enum MHD_Result
header_add(
    void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
	static const char *const left_out[] = {"Host", "Content-Length",
	    "Connection", "User-Agent", "Accept-Encoding", "Expect"};
	struct headers *h = cls;
	size_t i;

	(void)kind;
	for (i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++)
		if (strcasecmp(name, left_out[i]) == 0)
			return MHD_YES;
	text_fmt(&h->t, "%s: %s\n", name, value ? value : "");
	h->n++;
	return MHD_YES;
}

void
record_request(struct request *r)
{
	struct headers h = {0};

	pthread_mutex_lock(&lock);
	if (file != NULL) {
		(void)MHD_get_connection_values(
		    r->conn, MHD_HEADER_KIND, header_add, &h);
		(void)fprintf(file, "R %s %s %d %zu %lld %u %zu\n%s\n%s",
		    listener_names[r->listener], r->method, r->status,
		    r->out.len, (long long)when_ms(), h.n, r->body.len,
		    r->target, h.t.b ? h.t.b : "");
		if (r->body.len > 0)
			(void)fwrite(r->body.b, 1, r->body.len, file);
		(void)fputc('\n', file);
		written++;
	}
	pthread_mutex_unlock(&lock);
	text_free(&h.t);
}
