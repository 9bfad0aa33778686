/*
 * floor.c: what the requests of a run cost when nothing is done but to send
 * them.  It reads what orb-sim wrote down (tests/sim/record.c) and asks all of
 * it again of another orb-sim that was started with the same --seed and told
 * the same things: one process, one curl_multi, TLS verified, connections and
 * easy handles kept, as many requests at a time as ORB may have, nothing parsed
 * and nothing written.  Everything is built before the clock starts.
 *
 * Each listener's requests go out in their recorded order; the listeners do not
 * wait for each other, but for the token.  A request that carries a $skiptoken
 * waits until those before it are answered, since one of them made the token.
 *
 * usage: floor --ca FILE --record FILE [--login URL] [--graph URL]
 *            [--topdesk URL] [--ews URL] [--connections N]
 * A URL for each listener that the record has requests to; N (4) connections to
 * each, but for the login.  One JSON object on standard output.
 */
#include <sys/resource.h>

#include <config.h>
#include <curl/curl.h>
#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LOGIN, GRAPH, TOPDESK, EWS, LANES };

/* As orb-sim names its listeners. */
static const char *const lane_names[LANES] = {
    "login", "graph", "topdesk", "ews"};

#define SLOTS_MAX 16

struct item {
	char *method;
	char *url;
	struct curl_slist *headers;
	char *body;
	size_t body_len;
	int status;
	size_t bytes;
	int waits; /* for those before it */
};

struct lane;

struct slot {
	CURL *easy;
	struct lane *lane;
	const struct item *item; /* NULL: free */
	size_t bytes;
};

struct lane {
	char *origin;
	struct item *items;
	size_t n, cap, next, running;
	struct slot slots[SLOTS_MAX];
	unsigned connections;
	/* what came of it */
	size_t same_status, same_bytes, failed;
	unsigned long long bytes, recorded;
	long handshakes;
	long version;
};

static struct lane lanes[LANES];
static unsigned most_connections = 4;
static const char *ca_file, *record_file;
static CURLM *multi;
static char trouble[CURL_ERROR_SIZE];

/* --- reading ----------------------------------------------------------------- */

static char *
line_read(FILE *f)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t n = getline(&line, &cap, f);

	if (n <= 0)
		errx(1, "%s ends in the middle", record_file);
	if (line[n - 1] == '\n')
		line[n - 1] = '\0';
	return line;
}

static char *
body_read(FILE *f, size_t n)
{
	char *body = malloc(n + 1);

	if (body == NULL || fread(body, 1, n, f) != n || getc(f) != '\n')
		errx(1, "%s ends in the middle", record_file);
	body[n] = '\0';
	return body;
}

static struct item *
item_new(struct lane *l)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 256;
		l->items = reallocarray(l->items, l->cap, sizeof(*l->items));
		if (l->items == NULL)
			err(1, "memory");
	}
	memset(&l->items[l->n], 0, sizeof(l->items[0]));
	return &l->items[l->n++];
}

static struct lane *
lane_find(const char *name)
{
	for (int i = 0; i < LANES; i++)
		if (strcmp(lane_names[i], name) == 0)
			return &lanes[i];
	return NULL;
}

/* A header without a value is written "Name;" for libcurl. */
static void
header_read(FILE *f, struct item *it)
{
	char *line = line_read(f), *colon = strchr(line, ':');

	if (colon && colon[1] == ' ' && colon[2] == '\0')
		memcpy(colon, ";", 2);
	it->headers = curl_slist_append(it->headers, line);
	free(line);
}

static void
item_read(FILE *f, const char *line)
{
	char listener[16], method[16], *target;
	unsigned int headers;
	size_t bytes, body;
	struct lane *l;
	struct item *it;
	long long ms;
	int status;

	if (sscanf(line, "R %15s %15s %d %zu %lld %u %zu", listener, method,
		&status, &bytes, &ms, &headers, &body) != 7 ||
	    (l = lane_find(listener)) == NULL)
		errx(1, "%s: not a request: %.60s", record_file, line);
	if (l->origin == NULL)
		errx(2, "--%s is needed: there are requests to it", listener);
	it = item_new(l);
	it->method = strdup(method);
	it->status = status;
	it->bytes = bytes;
	it->body_len = body;
	target = line_read(f);
	if (asprintf(&it->url, "%s%s", l->origin, target) == -1)
		err(1, "memory");
	free(target);
	while (headers-- > 0)
		header_read(f, it);
	/* Without it libcurl asks first and then sends what is big. */
	it->headers = curl_slist_append(it->headers, "Expect:");
	it->body = body_read(f, body);
	it->waits = strstr(it->url, "skiptoken") != NULL ||
	    strstr(it->body, "skiptoken") != NULL;
	l->recorded += bytes;
}

static void
items_read(void)
{
	FILE *f = fopen(record_file, "re");
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	if (f == NULL)
		err(1, "%s", record_file);
	while ((n = getline(&line, &cap, f)) > 0)
		item_read(f, line);
	free(line);
	fclose(f);
}

/* --- sending ----------------------------------------------------------------- */

static size_t
on_body(char *data, size_t size, size_t n, void *arg)
{
	struct slot *s = arg;

	(void)data;
	s->bytes += size * n;
	return size * n;
}

static void
slot_make(struct slot *s, struct lane *l)
{
	CURL *e = curl_easy_init();

	if (e == NULL)
		errx(1, "libcurl");
	s->easy = e;
	s->lane = l;
	curl_easy_setopt(e, CURLOPT_PRIVATE, s);
	curl_easy_setopt(e, CURLOPT_CAINFO, ca_file);
	curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(e, CURLOPT_PROXY, "");
	curl_easy_setopt(e, CURLOPT_IPRESOLVE, (long)CURL_IPRESOLVE_V4);
	curl_easy_setopt(e, CURLOPT_USERAGENT, "orb/" PACKAGE_VERSION);
	curl_easy_setopt(e, CURLOPT_ACCEPT_ENCODING, "gzip");
	curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_TIMEOUT, 120L);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, trouble);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, s);
}

static void
slot_send(struct slot *s, const struct item *it)
{
	int body = it->body_len > 0 || strcmp(it->method, "POST") == 0;
	CURL *e = s->easy;

	s->item = it;
	s->bytes = 0;
	s->lane->running++;
	curl_easy_setopt(e, CURLOPT_URL, it->url);
	curl_easy_setopt(e, CURLOPT_HTTPHEADER, it->headers);
	curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, NULL);
	curl_easy_setopt(e, CURLOPT_HTTPGET, 1L);
	if (body) {
		curl_easy_setopt(e, CURLOPT_POST, 1L);
		curl_easy_setopt(
		    e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)it->body_len);
		curl_easy_setopt(e, CURLOPT_POSTFIELDS, it->body);
	}
	if (strcmp(it->method, "HEAD") == 0)
		curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
	else if (strcmp(it->method, body ? "POST" : "GET") != 0)
		curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, it->method);
	if (curl_multi_add_handle(multi, e) != CURLM_OK)
		errx(1, "libcurl refused a request");
}

static void
lane_fill(struct lane *l)
{
	for (unsigned i = 0; i < l->connections && l->next < l->n; i++) {
		if (l->slots[i].item)
			continue;
		if (l->items[l->next].waits && l->running)
			return;
		slot_send(&l->slots[i], &l->items[l->next++]);
	}
}

static void
slot_done(struct slot *s, CURLcode code)
{
	const struct item *it = s->item;
	struct lane *l = s->lane;
	long status = 0, made = 0;

	curl_easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(s->easy, CURLINFO_NUM_CONNECTS, &made);
	curl_easy_getinfo(s->easy, CURLINFO_HTTP_VERSION, &l->version);
	curl_multi_remove_handle(multi, s->easy);
	l->handshakes += made;
	l->running--;
	s->item = NULL;
	l->bytes += s->bytes;
	if (code != CURLE_OK) {
		l->failed++;
		warnx("%s %s: %s", it->method, lane_names[l - lanes],
		    trouble[0] ? trouble : curl_easy_strerror(code));
		return;
	}
	l->same_status += status == it->status;
	l->same_bytes +=
	    s->bytes == it->bytes || strcmp(it->method, "HEAD") == 0;
}

static void
harvest(void)
{
	struct slot *s;
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(multi, &left)) != NULL) {
		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &s);
		slot_done(s, m->data.result);
	}
}

static int
lane_busy(const struct lane *l)
{
	return l->running > 0 || l->next < l->n;
}

/* Until the lanes from first to last have nothing left. */
static void
lanes_run(int first, int last)
{
	int busy, running;

	do {
		busy = 0;
		for (int i = first; i <= last; i++) {
			lane_fill(&lanes[i]);
			busy |= lane_busy(&lanes[i]);
		}
		if (curl_multi_perform(multi, &running) != CURLM_OK)
			errx(1, "libcurl");
		harvest();
		if (busy && running > 0)
			curl_multi_poll(multi, NULL, 0, 1000, NULL);
	} while (busy);
}

/* --- what it was -------------------------------------------------------------- */

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static double
seconds(const struct timeval *a, const struct timeval *b)
{
	return (double)(b->tv_sec - a->tv_sec) +
	    (double)(b->tv_usec - a->tv_usec) / 1e6;
}

static void
report(double wall, const struct rusage *a, const struct rusage *b)
{
	size_t n = 0, status = 0;

	printf("{\"seconds\":%.3f,\"user\":%.3f,\"system\":%.3f,"
	       "\"peak_rss_kib\":%ld,\"lanes\":{",
	    wall, seconds(&a->ru_utime, &b->ru_utime),
	    seconds(&a->ru_stime, &b->ru_stime), b->ru_maxrss);
	for (int i = 0; i < LANES; i++) {
		const struct lane *l = &lanes[i];

		n += l->n;
		status += l->same_status;
		printf("%s\"%s\":{\"requests\":%zu,\"same_status\":%zu,"
		       "\"same_bytes\":%zu,\"failed\":%zu,\"bytes\":%llu,"
		       "\"recorded_bytes\":%llu,\"connections\":%ld,"
		       "\"http\":%s}",
		    i ? "," : "", lane_names[i], l->n, l->same_status,
		    l->same_bytes, l->failed, l->bytes, l->recorded,
		    l->handshakes,
		    l->version == CURL_HTTP_VERSION_2_0 ? "2" : "1.1");
	}
	printf("},\"requests\":%zu,\"same_status\":%zu}\n", n, status);
}

static unsigned
connections(const char *s)
{
	unsigned long n = strtoul(s, NULL, 10);

	if (n < 1 || n > SLOTS_MAX)
		errx(2, "connections: 1 to %d", SLOTS_MAX);
	return (unsigned)n;
}

static void
arguments(int argc, char **argv)
{
	static const struct option options[] = {
	    {"ca", required_argument, NULL, 'c'},
	    {"record", required_argument, NULL, 'r'},
	    {"connections", required_argument, NULL, 'n'},
	    {"login", required_argument, NULL, 256 + LOGIN},
	    {"graph", required_argument, NULL, 256 + GRAPH},
	    {"topdesk", required_argument, NULL, 256 + TOPDESK},
	    {"ews", required_argument, NULL, 256 + EWS}, {NULL, 0, NULL, 0}};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (c == 'c')
			ca_file = optarg;
		else if (c == 'r')
			record_file = optarg;
		else if (c == 'n')
			most_connections = connections(optarg);
		else if (c >= 256)
			lanes[c - 256].origin = optarg;
		else
			exit(2);
	if (!ca_file || !record_file)
		errx(2, "--ca and --record are needed");
	for (int i = 0; i < LANES; i++)
		lanes[i].connections = i == LOGIN ? 1 : most_connections;
}

int
main(int argc, char **argv)
{
	struct rusage before, after;
	double start;

	arguments(argc, argv);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) ||
	    (multi = curl_multi_init()) == NULL)
		errx(1, "libcurl");
	curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
	items_read();
	for (int i = 0; i < LANES; i++)
		for (unsigned k = 0; k < lanes[i].connections; k++)
			slot_make(&lanes[i].slots[k], &lanes[i]);
	getrusage(RUSAGE_SELF, &before);
	start = now();
	lanes_run(LOGIN, LOGIN);
	lanes_run(GRAPH, LANES - 1);
	start = now() - start;
	getrusage(RUSAGE_SELF, &after);
	report(start, &before, &after);
	return 0;
}
