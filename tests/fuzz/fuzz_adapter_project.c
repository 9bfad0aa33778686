/*
 * fuzz_adapter_project.c: the projection.  The first byte chooses the schema
 * and the size of chunks; however the bytes are cut, the same comes out, and
 * all that comes out is JSON.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fetchd/adapter/graph.h"
#include "fetchd/adapter/topdesk.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static int
take(void *arg, int level, const char *json, size_t len)
{
	struct strbuf *out = arg;
	json_t *o;

	if (level < 0 || level > 2)
		abort();
	if (json == NULL)
		return 0;
	if (json[len] != '\0')
		abort();
	/* Lexically passed over is not checked: escapes, numbers and UTF-8
	 * may be wrong, and then jansson says so.  Never twice a name. */
	o = json_loadb(json, len, JSON_REJECT_DUPLICATES, NULL);
	json_decref(o);
	strbuf_add(out, json, len);
	return 0;
}

static int
run(const struct project_member *root, const uint8_t *p, size_t n, size_t chunk,
    struct strbuf *out)
{
	struct project pr;
	size_t k;
	int rc = 0;

	strbuf_init(out, 16 * 1024 * 1024);
	project_init(&pr, root, take, out);
	for (; n > 0 && rc == 0; p += k, n -= k) {
		k = n < chunk ? n : chunk;
		rc = project_feed(&pr, p, k);
	}
	if (rc == 0)
		rc = project_end(&pr);
	if ((rc != 0) != (pr.error != NULL))
		abort();
	project_free(&pr);
	return rc;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct project_member *root[] = {graph_schema(1),
	    graph_batch_schema(0), topdesk_list_schema, topdesk_person_schema,
	    topdesk_error_schema, topdesk_one_schema};
	struct strbuf a, b;
	int ra, rb;

	if (n < 1)
		return 0;
	ra = run(root[p[0] % 6], p + 1, n - 1, n, &a);
	rb = run(root[p[0] % 6], p + 1, n - 1, 1u + p[0] / 6 % 8, &b);
	if (ra != rb || a.len != b.len ||
	    (a.len && memcmp(a.p, b.p, a.len) != 0))
		abort();
	strbuf_free(&a);
	strbuf_free(&b);
	return 0;
}
