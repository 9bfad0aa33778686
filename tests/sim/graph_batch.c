/*
 * graph_batch.c: $batch.  Each inner request goes the way of any other; the
 * answers come back in another order than asked, as they do from Graph.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "graph.h"

#define MOST 20

struct part {
	const char *id;
	json_t *j;
	struct request *r;
	int status;
};

static struct request *
inner_new(struct request *outer, json_t *j)
{
	const char *method = json_string_value(json_object_get(j, "method"));
	const char *url = json_string_value(json_object_get(j, "url"));
	json_t *body = json_object_get(j, "body");
	struct request *in;
	char *text;

	if (method == NULL || url == NULL)
		return NULL;
	if (*url != '/' && strstr(url, "://") != NULL)
		violation(outer, "an absolute URL inside a batch");
	in = request_new(GRAPH, url);
	in->method = text_dup(method);
	in->is_inner = 1;
	in->inner = json_object_get(j, "headers");
	in->conn = outer->conn;
	in->host = outer->host;
	set_text(&in->prefer, request_header(in, "Prefer"));
	if (body != NULL && (text = json_dumps(body, 0)) != NULL) {
		text_str(&in->body, text);
		free(text);
	}
	request_split(in);
	return in;
}

static int
failed_before(const struct part *parts, size_t n, const char *id)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcasecmp(parts[i].id, id) == 0)
			return parts[i].status >= 400;
	return 1;
}

static void
part_serve(struct request *outer, struct part *parts, size_t k)
{
	struct part *p = &parts[k];
	json_t *dep;
	size_t i;

	if ((p->r = inner_new(outer, p->j)) == NULL) {
		p->status = 400;
		return;
	}
	json_array_foreach(json_object_get(p->j, "dependsOn"), i,
	    dep) if (!json_is_string(dep) ||
	    failed_before(parts, k, json_string_value(dep)))
	{
		graph_error(p->r, 424, "FailedDependency",
		    "A request this depends on failed.");
		p->status = 424;
		return;
	}
	request_serve(p->r);
	p->status = p->r->status;
}

static void
part_json(struct text *o, const struct part *p)
{
	size_t i;

	text_str(o, "{\"id\":");
	text_json(o, p->id);
	text_fmt(o,
	    ",\"status\":%d,\"headers\":{\"Content-Type\":"
	    "\"application/json\"",
	    p->status);
	for (i = 0; p->r && i < p->r->nheaders; i++) {
		text_str(o, ",");
		text_json(o, p->r->headers[i].name);
		text_str(o, ":");
		text_json(o, p->r->headers[i].value);
	}
	text_str(o, "}");
	if (p->r && p->r->out.len > 0) {
		text_str(o, ",\"body\":");
		text_add(o, p->r->out.b, p->r->out.len);
	}
	text_str(o, "}");
}

static int
parts_read(struct request *r, json_t *list, struct part *parts)
{
	size_t i, k;
	json_t *j;

	json_array_foreach(list, i, j)
	{
		parts[i].j = j;
		parts[i].id = json_string_value(json_object_get(j, "id"));
		if (parts[i].id == NULL ||
		    !body_allows(r, j, "id method url headers body dependsOn",
			"requests[]"))
			return -1;
		for (k = 0; k < i; k++)
			if (strcasecmp(parts[k].id, parts[i].id) == 0) {
				violation(r, "the id %s twice in a batch",
				    parts[i].id);
				return -1;
			}
	}
	return 0;
}

void
graph_batch(struct request *r)
{
	json_t *root =
	    json_loadb(r->body.b ? r->body.b : "", r->body.len, 0, NULL);
	json_t *list = json_object_get(root, "requests");
	struct part parts[MOST] = {0};
	size_t n = json_array_size(list), i, k;

	if (n > MOST)
		violation(r, "%zu requests in a batch", n);
	if (n == 0 || n > MOST || parts_read(r, list, parts) == -1) {
		graph_error(r, 400, "BadRequest",
		    n > MOST ? "Number of batch request steps exceeds the "
			       "maximum value "
			       "of 20."
			     : "Invalid batch payload format.");
		json_decref(root);
		return;
	}
	for (i = 0; i < n; i++)
		part_serve(r, parts, i);
	r->status = 200;
	text_str(&r->out, "{\"responses\":[");
	for (i = 0; i < n; i++) {
		k = n > 2 ? (i + n / 2) % n : n - 1 - i;
		if (i > 0)
			text_str(&r->out, ",");
		part_json(&r->out, &parts[k]);
	}
	text_str(&r->out, "]}");
	for (i = 0; i < n; i++)
		if (parts[i].r != NULL)
			request_free(parts[i].r);
	json_decref(root);
}
