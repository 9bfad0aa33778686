/*
 * fault.c: faults on demand.  An armed fault takes the requests that match
 * its listener and endpoint until its count is used up; those that need the
 * connection itself (cuts, drips) are only marked here and done by http.c.
 */
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http.h"

static const char *const kinds[] = {"none", "429", "429_no_retry", "503",
    "500_html", "cut_before", "cut_after", "truncate", "slow", "delay",
    "foreign_nextlink", "redirect", "401", "expired_token", "410", "inner_429",
    "bad_json", "huge", "ews_fault", "ews_error", "answer", NULL};

static struct fault *faults;

const char *
fault_names(void)
{
	return "429 429_no_retry 503 500_html cut_before cut_after truncate "
	       "slow delay foreign_nextlink redirect 401 expired_token 410 "
	       "inner_429 bad_json huge ews_fault ews_error answer";
}

/* A new fault of a kind, last in line; NULL for an unknown kind. */
struct fault *
fault_arm(const char *kind)
{
	struct fault *f, **end = &faults;
	int i;

	for (i = 1; kind != NULL && kinds[i] != NULL; i++)
		if (strcmp(kinds[i], kind) == 0)
			break;
	if (kind == NULL || kinds[i] == NULL)
		return NULL;
	f = zalloc(sizeof(*f));
	f->kind = (enum fault_kind)i;
	f->listener = -1;
	f->count = 1;
	f->probability = 1;
	f->retry_after = 1;
	while (*end != NULL)
		end = &(*end)->next;
	return *end = f;
}

void
fault_clear(void)
{
	struct fault *f;

	while ((f = faults) != NULL) {
		faults = f->next;
		free(f->endpoint);
		free(f->location);
		free(f->mailbox);
		free(f->body);
		free(f);
	}
}

json_t *
fault_list(void)
{
	json_t *a = json_array();
	struct fault *f;

	for (f = faults; f != NULL; f = f->next)
		json_array_append_new(a,
		    json_pack("{s:s,s:s?,s:i,s:I}", "kind", kinds[f->kind],
			"endpoint", f->endpoint, "left", f->count, "hits",
			(json_int_t)f->hits));
	return a;
}

/* EWS has one URL: who it is about stands in a header (ews_admit.c sees to it
 * that it is the same one as in the body). */
static int
fault_is_about(const struct fault *f, const struct request *r)
{
	const char *anchor;

	if (f->mailbox == NULL)
		return 1;
	if (r->listener != EWS)
		return strcasestr(r->target, f->mailbox) != NULL;
	anchor = request_header(r, "X-AnchorMailbox");
	return anchor != NULL && strcasecmp(anchor, f->mailbox) == 0;
}

static int
fault_matches(struct fault *f, const struct request *r, const char *template)
{
	char where[512];

	if (f->count == 0 ||
	    (f->listener != -1 && f->listener != (int)r->listener) ||
	    (f->kind != FAULT_410 && f->kind != FAULT_ANSWER &&
		(f->kind == FAULT_INNER_429) != (r->is_inner != 0)))
		return 0;
	if (f->kind == FAULT_410 &&
	    (template == NULL ||
		(strstr(template, "delta") == NULL &&
		    strstr(template, "SyncFolderItems") == NULL)))
		return 0;
	if ((f->kind == FAULT_EWS_FAULT || f->kind == FAULT_EWS_ERROR) &&
	    r->listener != EWS)
		return 0;
	if ((f->kind == FAULT_FOREIGN_LINK || f->kind == FAULT_EXPIRED) &&
	    r->listener != GRAPH)
		return 0;
	if (!fault_is_about(f, r))
		return 0;
	if (f->endpoint == NULL)
		return 1;
	(void)snprintf(where, sizeof(where), "%s /%s", r->method,
	    template ? template : "");
	if (fnmatch(f->endpoint, where, 0) == 0)
		return 1;
	(void)snprintf(where, sizeof(where), "%s %s", r->method, r->target);
	return fnmatch(f->endpoint, where, 0) == 0;
}

void
fault_pick(struct request *r, const char *template)
{
	struct fault *f;

	for (f = faults; f != NULL; f = f->next) {
		if (!fault_matches(f, r, template))
			continue;
		if (f->probability < 1 &&
		    (double)rand_r(&f->seed) / RAND_MAX >= f->probability)
			continue;
		if (f->skip > 0) {
			f->skip--;
			continue;
		}
		if (f->count > 0)
			f->count--;
		f->hits++;
		r->fault = f->kind;
		r->fault_retry = f->retry_after;
		r->fault_ms = f->ms;
		r->fault_code = f->status;
		set_text(&r->fault_body, f->body);
		set_text(&r->fault_location,
		    f->location ? f->location : settings.trap_url);
		return;
	}
}

static void
fault_status(struct request *r, int status, const char *code, const char *text)
{
	r->status = status;
	if (r->listener == EWS) {
		r->type = "text/html";
		text_fmt(&r->out, "<html><body><h1>%d</h1>%s</body></html>",
		    status, text);
	} else if (r->listener == TOPDESK)
		text_fmt(&r->out,
		    "{\"errors\":[{\"errorCode\":\"%s\","
		    "\"appliesTo\":[],\"errorMessage\":\"%s\"}]}",
		    code, text);
	else if (r->listener == LOGIN)
		text_fmt(&r->out,
		    "{\"error\":\"temporarily_unavailable\","
		    "\"error_description\":\"AADSTS90033: %s\","
		    "\"error_codes\":[90033]}",
		    text);
	else
		text_fmt(&r->out,
		    "{\"error\":{\"code\":\"%s\",\"message\":"
		    "\"%s\",\"innerError\":{\"request-id\":\"sim\"}}}",
		    code, text);
}

/* Faults that come instead of the effect: 1 when the answer is complete. */
int
fault_before(struct request *r)
{
	if (r->listener == EWS && ews_fault(r))
		return 1;
	switch (r->fault) {
	case FAULT_CUT_BEFORE:
		return 1;
	case FAULT_429:
	case FAULT_INNER_429:
		answer_header(r, "Retry-After", "%d", r->fault_retry);
		__attribute__((fallthrough));
	case FAULT_429_BARE:
		fault_status(r, 429, "ApplicationThrottled",
		    "Application is over its MailboxConcurrency limit.");
		return 1;
	case FAULT_503:
		if (r->fault_retry > 0)
			answer_header(r, "Retry-After", "%d", r->fault_retry);
		fault_status(r, 503, "ServiceUnavailable", "Try again later.");
		return 1;
	case FAULT_500_HTML:
		r->status = 500;
		r->type = "text/html";
		text_str(&r->out,
		    "<!DOCTYPE html><html><body><h1>Server Error"
		    "</h1><p>Something went wrong &amp; broke.</body></html>");
		return 1;
	case FAULT_REDIRECT:
		r->status = 302;
		r->type = "text/html";
		answer_header(
		    r, "Location", "%s/redirected", r->fault_location);
		return 1;
	case FAULT_401:
		fault_status(r, 401, "InvalidAuthenticationToken",
		    "Access token validation failure.");
		answer_header(r, "WWW-Authenticate",
		    r->listener == GRAPH
			? "Bearer realm=\"\", error=\"invalid_token\""
			: "Basic realm=\"TOPdesk\"");
		return 1;
	case FAULT_EXPIRED:
		token_expire_all();
		return 0;
	case FAULT_410:
		fault_status(r, 410, "SyncStateNotFound",
		    "The sync state generation is not found; generation=149;"
		    "[highest=157][157][155][156].");
		return 1;
	case FAULT_ANSWER:
		r->status = r->fault_code;
		if (r->fault_body && *r->fault_body == '<')
			r->type = "text/html";
		text_str(&r->out, r->fault_body ? r->fault_body : "");
		return 1;
	default:
		return 0;
	}
}

static void
fault_foreign(struct request *r)
{
	char *at = r->out.b ? strstr(r->out.b, "\"@odata.nextLink\":") : NULL;
	struct text t = {0};
	const char *rest;

	if (at == NULL && r->out.b != NULL)
		at = strstr(r->out.b, "\"@odata.deltaLink\":");
	if (at == NULL)
		return;
	at = strstr(at, "https://");
	rest = strstr(at, "/v1.0");
	if (rest == NULL)
		return;
	text_add(&t, r->out.b, (size_t)(at - r->out.b));
	text_str(&t, r->fault_location);
	text_str(&t, rest);
	text_free(&r->out);
	r->out = t;
}

/* Faults that spoil a good answer. */
void
fault_after(struct request *r)
{
	size_t i;

	switch (r->fault) {
	case FAULT_FOREIGN_LINK:
		fault_foreign(r);
		break;
	case FAULT_BAD_JSON:
		if (r->out.len > 2) {
			r->out.b[r->out.len / 2] = '\001';
			r->out.b[r->out.len - 1] = '{';
		}
		break;
	case FAULT_HUGE:
		if (r->listener == EWS) {
			ews_huge(r);
			break;
		}
		answer_clear(r);
		text_str(&r->out, "{\"value\":[\"");
		for (i = 0; i < 64u << 10; i++)
			text_add(&r->out,
			    "0123456789abcdef0123456789abcdef"
			    "0123456789abcdef0123456789abcdef"
			    "0123456789abcdef0123456789abcdef"
			    "0123456789abcdef0123456789abcdef"
			    "0123456789abcdef0123456789abcdef"
			    "0123456789abcdef0123456789abcdef"
			    "0123456789abcdef0123456789abcdef"
			    "0123456789abcdef0123456789abcdef"
			    "0123456789abcdef0123456789abcdef"
			    "0123456789abcdef0123456789abcdef",
			    320);
		text_str(&r->out, "\"]}");
		break;
	default:
		break;
	}
}
